# SPDX-License-Identifier: BSD-2-Clause
"""Damages of filesystems with realtime groups (metaimage.py), and what a repair of one must give."""
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "cli")]

import campaign  # noqa: E402
import metaimage  # noqa: E402
from repairlab import CRASHED, read, repair  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
FORCE = ("-o", "force_geometry")        # two AGs say nothing about geometry


def block(path, offset, data, crc=4, index=0):
    return lambda d: d.block("rtgroups/" + path, index, offset, data, crc)


def fill(path, byte):
    return lambda d: [d.write(at, bytes([byte]) * d.fs.bs) for at in d.blocks("rtgroups/" + path)]


def swap(one, two):
    def act(d):
        a, b = d.blocks("rtgroups/" + one)[0], d.blocks("rtgroups/" + two)[0]
        first, second = d.read(a, d.fs.bs), d.read(b, d.fs.bs)
        d.write(a, second)
        d.write(b, first)
    return act


def both(*actions):
    return lambda d: [one(d) for one in actions]


def super_of(offset, data):
    """Fields of the primary superblock."""
    def act(d):
        d.write(offset, data)
        d.fix(0, d.fs.ss, 224)
    return act


def root(path, offset, data):
    """Bytes of the root of a tree, in its inode."""
    def act(d):
        start, size, crc = d.locate("inode:%d" % d.number("rtgroups/" + path))
        d.write(start + 176 + offset, data)
        d.fix(start, size, crc)
    return act


def core(name, offset, size, value):
    """A number in the inode of a file in the realtime section; the checksum is made right."""
    return lambda d: d.poke("inode:/realtime/" + name, offset, size, value)


def records(name, data, index=0):
    """Bytes from a record of its fork on, or from the root of its tree."""
    def act(d):
        start, size, crc = d.locate("inode:/realtime/" + name)
        d.write(start + 176 + 16 * index, data)
        d.fix(start, size, crc)
    return act


def moved(name, index, block):
    """A record leads to other realtime blocks."""
    def act(d):
        at = d.locate("inode:/realtime/" + name)[0] + 176 + 16 * index
        old = int.from_bytes(d.read(at, 16), "big")
        records(name, (old & ~(((1 << 52) - 1) << 21) | block << 21).to_bytes(16, "big"), index)(d)
    return act


def core_raw(name, offset, data):
    return lambda d: d.write(d.locate("inode:/realtime/" + name)[0] + offset, data)


def bmbt(name, data):
    """Bytes from the start of the leaf of its tree."""
    return lambda d: d.write(d.locate("bmbt:/realtime/" + name)[0], data)


def judge(image, rt):
    again = repair("-n", *FORCE, "-r", rt, image)
    if again.code:
        return "second run: %s" % again
    theirs = campaign.upstream_finds(image, *FORCE, "-r", rt)
    if theirs:
        return theirs
    verdict = campaign.run(sys.executable, campaign.JUDGE, "--rtdev", rt, image)
    return verdict.stdout if verdict.returncode else ""


def listing(image, rt):
    return campaign.run(sys.executable, campaign.LISTER, "-r", rt, image).stdout


def state(*paths):
    return [read(path) if LONG else os.stat(path).st_mtime_ns for path in paths]


def one(work, rt, truth, ident, action, same_tree=True):
    """'' or what went wrong."""
    damage = metaimage.Meta(work, rt)
    action(damage)
    damage.close()
    before = state(work, rt)
    dry = repair("-n", "--json", *FORCE, "-r", rt, work)
    if dry.code != 1 or state(work, rt) != before:
        return "-n: %s" % dry
    if '"%s"' % ident not in dry.out:
        return "no %s: %s" % (ident, dry)
    done = repair(*FORCE, "-r", rt, work)
    wrong = str(done) if done.code else judge(work, rt)
    if not wrong and listing(work, rt) != truth[0]:
        wrong = "files differ"
    if not wrong and same_tree and metaimage.tree(work) != truth[1]:
        wrong = "metadata directory: %s\n%s" % (sorted(set(metaimage.tree(work)) ^ set(truth[1])), done)
    return wrong


def killed(lab, image, rt, truth, actions, step):
    """The run dies at a write; the next one ends as if nothing had been."""
    work, workrt, bad, points = lab.path("work.img"), lab.path("work.rt"), [], 0
    for at in range(1, 400, step):
        campaign.copy_sparse(image, work)
        campaign.copy_sparse(rt, workrt)
        damage = metaimage.Meta(work, workrt)
        both(*actions)(damage)
        damage.close()
        cut = repair(*FORCE, "-r", workrt, work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
        if cut.code not in CRASHED:
            break
        points += 1
        done = repair(*FORCE, "-r", workrt, work)
        wrong = (str(done) if done.code else "") or judge(work, workrt)
        if not wrong and listing(work, workrt) != truth[0]:
            wrong = "files differ"
        if wrong:
            bad.append("%d: %s" % (at, wrong[-600:]))
    lab.ok(points > 1 and not bad, "killed at %d writes, the next run ends well" % points, "\n".join(bad))


def keep(lab, results, work, workrt):
    """For the kernel: the image, its realtime device, its files as the independent reader sees them."""
    name = "result%d" % len(results)
    image, rt = lab.path(name + ".img"), lab.path(name + ".rt")
    campaign.copy_sparse(work, image)
    campaign.copy_sparse(workrt, rt)
    with open(image + ".list", "w") as f:
        f.write(listing(image, rt))
    results.append(image)


def ask_kernel(lab, results):
    """It mounts them, reads every file, and writes."""
    if not results:
        lab.skip("the kernel reads the results and writes to them", "that of the box lacks features of these images")
        return
    for at in range(0, len(results), 20):
        said = campaign.run(os.path.join(campaign.HERE, "check-image"), "--box", campaign.BOX_DIR, "--write", *results[at:at + 20])
        wrong = "".join(part for part in re.split(r"(?m)^(?=ok |not ok )", said.stdout) if part.startswith("not ok"))
        lab.ok(said.returncode == 0, "the kernel reads results from %d on and writes to them" % at, wrong)
