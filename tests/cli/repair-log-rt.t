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
LOGMAKE = os.path.join(campaign.BUILD, "bin/tests/helpers/logmake")
LISTER = os.path.join(campaign.SRC, "tests", "kernel", "list-image")


def wrong_with(image, rt, files):
    again = repair("-n", "-r", rt, image)
    if again.code:
        return "second run: %s" % again
    theirs = campaign.upstream_finds(image, "-r", rt)
    verdict = campaign.run(sys.executable, campaign.JUDGE, "--rtdev", rt, image)
    listed = files and campaign.run(sys.executable, LISTER, "-r", rt, image, files)
    return theirs or (verdict.stdout if verdict.returncode else "") or (listed.stdout if listed and listed.returncode else "")


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


def cut(lab, name):
    """
    A damaged log, before whose damage an attribute is announced along with work of a group: it ends there, and both are done;
    stopped at any write, the next run does it.
    """
    log = campaign.load("repair_log", os.path.join(os.path.dirname(os.path.abspath(__file__)), "repair-log.t"))
    whole = [lab.copy(path, "cut." + kind) for path, kind in zip(fresh(lab, name), ("img", "rt"))]
    first = repair("-r", whole[1], whole[0])
    gen = Run(DB, "-r", "-c", "inode 131", "-c", "p core.gen", whole[0]).out.split("= ")[1].strip()
    work = "rt-rui:1:131:8333:115:1"
    Run(LOGMAKE, whole[0], "attrs", "attri:1:131:%s:0:new:78797a" % gen, work, *(["commit", work] * 12))
    start, _, records = log.log_of(whole[0])
    with open(whole[0], "r+b") as f:
        f.seek(start + (records[-12][0] + 1) * 512 + 40)
        f.write(b"damage")
    for at in range(0, 2000, 1 if LONG else 29):
        image, rt = [lab.copy(path, "work." + kind) for path, kind in zip(whole, ("img", "rt"))]
        done = repair("-L", "-r", rt, image, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at} if at else {})
        stopped = at and done.code in CRASHED
        if stopped:
            done = repair("-r", rt, image)
            done = repair("-L", "-r", rt, image) if done.code == 2 else done
        shown = Run(DB, "-r", "-c", "inode 131", "-c", "p a", image)
        wrong = str(first) if first.code else str(done) if done.code else wrong_with(image, rt, None)
        if not at:
            lab.ok(not wrong and "ends at block %d now" % records[-12][0] in done.out + done.err and '"new"' in shown.out,
                   "%s: a log that is cut before its damage" % name, wrong or "%s%s" % (done, shown))
        elif wrong or '"new"' not in shown.out or not stopped:
            break
    lab.ok(at > 30 and not wrong and '"new"' in shown.out, "%s: the same, stopped at some of %d writes" % (name, at),
           wrong or "%s%s" % (done, shown))


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
        if name == "log-rt":
            cut(lab, name)
        stopped(lab, name, files, 1 if LONG else 17)
    rebuilt(lab, "log-rt-tall", files)
    lab.end()


main()
