#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logs with changes of realtime groups, as Linux 6.18 left them: replayed, files as after a mount of that kernel.

`log-rt` was stopped while blocks were given to a second owner, `log-rt-tall` while two files of 1,500 extents were removed: their
trees are taller than a root, works of the realtime section are unfinished, an inode has no name any more.  The contents
of files are zeros; the lists are of the images after that kernel's replay.  XFSKIT_LONG=1: stopped at each write.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import CRASHED, DB, Lab, Run, campaign, read, repair  # noqa: E402

sys.path.insert(0, os.path.join(campaign.SRC, "tests", "kernel"))
import metaimage  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
LISTER = os.path.join(campaign.SRC, "tests", "kernel", "list-image")


def wrong_with(image, rt, files):
    again = repair("-n", "-r", rt, image)
    if again.code:
        return "second run: %s" % again
    theirs = campaign.upstream_finds(image, "-r", rt)
    verdict = campaign.run(sys.executable, campaign.JUDGE, "--rtdev", rt, image)
    listed = campaign.run(sys.executable, LISTER, "-r", rt, image, files)
    return theirs or (verdict.stdout if verdict.returncode else "") or (listed.stdout if listed.returncode else "")


def fresh(lab, name):
    return [lab.copy(lab.path("%s.%s" % (name, kind)), "work." + kind) for kind in ("img", "rt")]


def stopped(lab, name, files, step):
    """What the first run leaves undone, the second one does; nobody else may mount it in between, or finds the log as it was."""
    points, bad = 0, []
    for at in range(1, 2000, step):
        image, rt = fresh(lab, name)
        cut = repair("-r", rt, image, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
        if cut.code not in CRASHED:
            break
        points += 1
        done = repair("-r", rt, image)
        wrong = (str(done) if done.code else "") or wrong_with(image, rt, files)
        if wrong:
            bad.append("%d: %s" % (at, wrong[-600:]))
    lab.ok(points > 3 and not bad, "%s: stopped at %d writes, the next run ends well" % (name, points), "\n".join(bad))


def rebuilt(lab, name, files):
    """Both trees of a group are made anew, in the form that Linux reads."""
    image, rt = fresh(lab, name)
    first = repair("-r", rt, image)
    damage = metaimage.Meta(image, rt)
    for kind in ("refcount", "rmap"):
        damage.poke("inode:%d" % damage.number("rtgroups/0." + kind), 176, 8, 0x0003000700000000)
    damage.close()
    done = repair("-r", rt, image)
    wrong = (str(first) if first.code else str(done) if done.code else "") or wrong_with(image, rt, files)
    lab.ok(not wrong and "rtrefcountbt" in done.err, "%s: roots of both trees are lost" % name, wrong or done)


def main():
    lab = Lab("repair-log-rt")
    for name, left in (("log-rt", "- 1 changes of the realtime section are left to the repair"),
                       ("log-rt-tall", "- 2995 changes of the realtime section are left to the repair")):
        for kind in ("img", "rt", "list"):
            lab.unpack("%s.%s" % (name, kind))
        files = lab.path(name + ".list")
        image, rt = fresh(lab, name)
        before = read(image), read(rt)
        dry = repair("-n", "-r", rt, image)
        lab.ok(dry.code == 1 and (read(image), read(rt)) == before, "%s: -n tells, and changes nothing" % name, dry)
        shown = Run(DB, "-r", "-R", rt, "--replay", "-c", "ls /", image)
        lab.ok(shown.code == 0 and "files" in shown.out and "of the realtime section are not shown" in shown.err,
               "%s: xfs_db shows the files" % name, shown)
        done = repair("-r", rt, image)
        wrong = (str(done) if done.code else "") or wrong_with(image, rt, files)
        lab.ok(not wrong and left in done.out + done.err, "%s: replayed, files are those of Linux" % name, wrong or done)
        stopped(lab, name, files, 1 if LONG else 17)
    rebuilt(lab, "log-rt-tall", files)
    lab.end()


main()
