#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair on a disk with sectors that can't be read: the run goes on, they are listed with what they hit, the rest is repaired.

A preloaded library fails the reads of some sectors of the image until they are written, as disks do.
"""
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import DB, Lab, Run, Super, campaign, read, repair  # noqa: E402

lab = Lab("repair-unreadable")
HERE = os.path.dirname(os.path.abspath(__file__))
shim = lab.path("badsectors.so")
compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
made = Run(*compiler.split(), "-shared", "-fPIC", "-o", shim, os.path.join(HERE, "badsectors.c"),
           "-ldl") if compiler else None
if not made or made.code:
    print("1..0 # SKIP no C compiler for the library that fails reads")
    sys.exit(0)
image = lab.sample("clean.img")
truth = campaign.sample()
sb = Super(image)


def db(*commands):
    argv = [DB, "-r"]
    for command in commands:
        argv += ["-c", command]
    return Run(*argv, image).out


def number(text, name):
    return int(re.search(r"%s = (\d+)" % name, text)[1])


def block(agno, agbno):
    return agno * sb.agbytes + agbno * sb.blocksize


def env(path, ranges):
    return {"LD_PRELOAD": shim, "BAD_FILE": path, "BAD_RANGES": ",".join("%d+%d" % r for r in ranges)}


agf = db("agf 0", "p")
agi = db("agi 0", "p")
SS, BS = sb.sectsize, sb.blocksize
cases = [   # what, ranges, structures that must be named, can everything be rebuilt?
    ("the primary superblock", [(0, SS)], {"sb"}, True),
    ("a secondary superblock", [(sb.header(1, 0), SS)], {"sb"}, True),
    ("an AGF", [(sb.header(0, 1), SS)], {"agf"}, True),
    ("an AGI", [(sb.header(1, 2), SS)], {"agi"}, True),
    ("an AGFL", [(sb.header(0, 3), SS)], {"agfl"}, True),
    ("the root of the bnobt", [(block(0, number(agf, "bnoroot")), BS)], {"bnobt"}, True),
    ("the root of the cntbt", [(block(0, number(agf, "cntroot")), BS)], {"cntbt"}, True),
    ("the root of the rmapbt", [(block(0, number(agf, "rmaproot")), BS)], {"rmapbt"}, True),
    ("the root of the refcountbt", [(block(0, number(agf, "refcntroot")), BS)], {"refcountbt"}, True),
    ("the root of the inobt", [(block(0, number(agi, r"\broot")), BS)], {"inobt"}, True),
    ("half a sector of many", [(sb.header(0, 1), SS), (sb.header(1, 1), SS), (sb.header(1, 0), SS)], {"agf", "sb"},
     True),
    ("the sector of an inode", [(sb.inode(sb.rootino) // SS * SS + 2 * SS, SS)], {"inode"}, False),
]
for what, ranges, names, whole in cases:
    work = lab.copy(image, "work.img")
    before = read(work)
    dry = repair("-n", "--json", work, env=env(work, ranges))
    summary = json.loads(dry.out.splitlines()[-1])["summary"] if dry.out else {}
    hits = summary.get("unreadable", [])
    covered = sum(hit["length"] for hit in hits)
    lab.ok(dry.code == 1 and read(work) == before and covered == sum(length for _, length in ranges)
           and {hit["structure"] for hit in hits} <= names | {"block"} and
           {(hit["offset"]) for hit in hits} >= {r[0] for r in ranges}, "%s: -n lists it" % what, str(dry)[-1200:])
    done = repair(work, env=env(work, ranges))
    told = [line for line in done.err.splitlines() if line.startswith("unreadable: ")]
    lab.ok(len(told) == len(hits) and "fatal" not in done.err, "%s: the run goes on and names it" % what,
           str(done)[-1200:])
    if whole:
        wrong = ("" if done.code == 0
                 else str(done)[-1200:]) or campaign.judge(work) or campaign.same_files(work, truth + ".list")
        lab.ok(not wrong, "%s: rebuilt, nothing is lost" % what, wrong)
    else:
        lab.ok(done.code in (0, 1), "%s: the rest is repaired" % what, str(done)[-1200:])
clean = repair("-n", image, env=env(image, [(block(1, sb.agblocks - 2), BS)]))
lab.ok(clean.code == 0 and "unreadable" not in clean.err, "a sector that nobody needs does not matter", clean)

# ---- blocks of files and trees, in the image of the damage campaign: the next run has nothing left to find ----
sys.path[:0] = [os.path.join(HERE, "..", "damage"), os.path.join(HERE, "..", "oracle")]
import campaigns  # noqa: E402

truth = campaigns.Truth("1k")
LONG = bool(os.environ.get("XFSKIT_LONG"))
places = [  # selector, files that may be lost or renamed; None: cores are lost, all names stay
    ("finobt 0", ()), ("rmapbt.leaf[1] 0", ()), ("rmapbt.node[0] 0", ()), ("inobt.leaf[0] 0", ()),
    ("bmbt.leaf[1] /maps/holes-600", ()),
    ("bmbt.node[0] /maps/scrambled-1200", ()), ("dir.block /trees/block", ("trees/block/",)),
    ("dir.data[1] /trees/leaf", ("trees/leaf/",)),
    ("dir.leaf1 /trees/leaf", ()), ("dir.node /directories/node", ()), ("dir.leaf[0] /directories/node", ()),
    ("dir.free /directories/node", ()),
    ("attr.leaf[0] /attributes/leaf", ("attributes/leaf",)), ("attr.node /attributes/tree", ()),
    ("attr.remote[2] /attributes/remote", ("attributes/remote",)),
    ("symlink /links/longest", ("links/longest",)), ("cluster /plain/medium", None), ("log[0]", ()),
]


def lost_files(path, allowed):
    """Lines of the list that are gone, but for these and what is in lost+found now."""
    with open(truth.path + ".list") as f:
        then = set(f.read().splitlines())
    now = set(campaign.run(sys.executable, campaign.LISTER, path).stdout.splitlines())
    if allowed is None:
        return sorted({line.rsplit(" ", 1)[1] for line in then} - {line.rsplit(" ", 1)[1] for line in now})
    return [line for line in sorted(then - now) if not line.rsplit(" ", 1)[1].startswith(tuple(allowed))
            and not line.endswith(" .")]


for selector, allowed in places if LONG else places[3:5] + places[6:8] + places[12:13] + places[14:18]:
    work = lab.copy(truth.path, "work.img")
    spot = truth.places.select(selector)[0]
    start = spot.start // 512 * 512
    ranges = [(start, max(512, min(spot.size, 4096) // 512 * 512))]
    bad = env(work, ranges)
    dry = repair("-n", "--json", work, env=bad)
    hits = json.loads(dry.out.splitlines()[-1])["summary"].get("unreadable", []) if dry.out else []
    wrong = "" if dry.code == 1 and hits else "-n: exit %d, %d places: %s" % (dry.code, len(hits), str(dry)[-500:])
    done = repair(work, env=bad)
    told = [line for line in done.err.splitlines() if line.startswith("unreadable: ")]
    wrong = wrong or ("" if "fatal" not in done.err and told else "the run ends early: " + str(done)[-900:])
    again = repair(work)        # the disk has got its sectors back
    last = repair("-n", work)
    wrong = wrong or ("" if again.code == 0 and last.code == 0
                      else "later runs: %s%s" % (str(again)[-700:], str(last)[-700:]))
    lost = lost_files(work, allowed)
    wrong = wrong or ("lost:\n" + "\n".join(lost[:10]) if lost else "")
    lab.ok(not wrong, "unreadable: " + selector, wrong)
lab.end()
