#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair with one thread and with many: the same words in the same order, the same findings, exit status, plan and image."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "damage"))
from repairlab import Lab, Super, repair, same, wreck, write  # noqa: E402
import campaigns  # noqa: E402
import change  # noqa: E402
from recipe import read_recipes  # noqa: E402

lab = Lab("repair-threads")
RECIPES = {recipe.name: recipe for recipe in read_recipes()}


def words(run):
    """What was said, without the times of day in the table at the end of -v."""
    return run.code, run.out, run.err.split("        XFS_REPAIR Summary")[0]


def compare(name, damaged):
    """Looks and repairs with each number of threads."""
    looks = {t: repair("-n", "--json", "--plan=" + lab.path("plan." + t), "-o", "threads=" + t, damaged)
             for t in ("1", "8")}
    lab.ok(words(looks["8"]) == words(looks["1"]) and same(lab.path("plan.8"), lab.path("plan.1")),
           "%s: -n --json --plan, threads=8 as threads=1" % name, "%s\n%s" % (looks["1"], looks["8"]))
    runs = {}
    for t in ("1", "8"):
        image = lab.copy(damaged, "run." + t)
        runs[t] = repair("-v", "-o", "threads=" + t, image)
    lab.ok(words(runs["8"]) == words(runs["1"]) and same(lab.path("run.8"), lab.path("run.1")),
           "%s: repaired with threads=8 as with threads=1" % name, "%s\n%s" % (runs["1"], runs["8"]))
    return looks["1"]


def damaged(image, *names):
    truth = campaigns.Truth(image)
    path = lab.path("damaged.img")
    campaigns.damaged_copy(truth, path)
    for name in names:
        objects = change.Objects(path, truth.places, name)
        RECIPES[name].apply(objects)
        objects.close()
    return path


# ---- nothing wrong ----
clean = lab.sample("clean.img")
look = compare("clean", clean)
lab.ok(look.code == 0 and '"findings":0' in look.out.replace(" ", ""), "a clean filesystem has no findings", look)

# ---- every group, every tree, forks, cores, names ----
for image, names in (
        ("1k", ("tree-bnobt-root-gone", "tree-rmapbt-root-junk")), ("1k", ("tree-rmapbt-numrecs-huge",)),
        ("parent", ("tree-cntbt-all",)),
        ("1k", ("agf-magicnum", "agi-count")), ("parent", ("agf-length-zero", "agi-level-zero")),
        ("1k", ("tree-inobt-startino",)),
        ("1k", ("tree-finobt-leaf-body", "tree-refcntbt-level"))):
    look = compare("%s %s" % (image, " ".join(names)), damaged(image, *names))
    lab.ok(look.code == 1, "%s %s: is damaged" % (image, " ".join(names)), look)
for argv in (("--crc", "fix", "--fill", "junk", "--all", "mix"),
             ("--crc", "stale", "--fill", "zero", "--all", "extents"),
             ("--crc", "fix", "--fill", "junk", "--all", "steal"),
             ("--crc", "fix", "--fill", "junk", "--all", "rmap-all")):
    path = lab.sample("damaged.img")
    wreck(path, *argv[:-2], argv[-2], argv[-1])
    compare("sample, wreck %s" % " ".join(argv), path)

# ---- one flipped bit in many blocks, which readers of any group may meet; wiped inodes in every group ----
path = lab.sample("damaged.img")
sb = Super(path)
with open(path, "rb") as f:
    data = f.read()
flipped = 0
for at in range(0, len(data), sb.blocksize):
    if data[at:at + 4] in (b"XDB3", b"XDD3", b"BMA3", b"R3AB", b"FIB3", b"RMB3") and at // sb.blocksize % 3:
        write(path, at + 200, bytes([data[at + 200] ^ 4]))
        flipped += 1
look = compare("%d blocks with a flipped bit" % flipped, path)
places = [(f["agno"], f["agbno"]) for f in map(json.loads, look.out.splitlines()) if f.get("id") == "block-bitflip"]
lab.ok(len(places) > 20 and len(places) == len(set(places)), "each of %d flipped bits is told once" % len(places), look)
path = lab.sample("damaged.img")
wiped = 0
for at in range(0, len(data), 64 * sb.inodesize):
    if data[at:at + 2] == b"IN":
        write(path, at + 2 * sb.inodesize, bytes(sb.inodesize))
        wiped += 1
look = compare("%d inodes wiped" % wiped, path)
lab.ok(wiped > 1 and '"inode-wiped"' in look.out, "wiped inodes are found", look)

# ---- without reverse mappings files of any group claim blocks of any group ----
for name in ("plain", "v4"):
    for what in ("steal", "mix"):
        path = lab.copy(campaigns.image_path(name), "damaged.img")
        wreck(path, "--crc", "fix", "--fill", "junk", "--all", what)
        look = compare("%s, wreck %s" % (name, what), path)
        lab.ok(look.code == 1, "%s, wreck %s: is damaged" % (name, what), look)

lab.end()
