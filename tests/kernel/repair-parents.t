#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair -c parent=1 for many files: the same bytes whatever -m says, memory that does not grow by what a file has, and
a run that is killed anywhere is completed, by the same command or without -c.

Most pointers fit into the inodes; those of symlinks with long names take blocks.
"""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from repairlab import CRASHED, Lab, Run, Super, measured, repair, same  # noqa: E402
import campaign  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
FILES, LINKS, EACH = 12000, 1000, 200
BYTES = 32 + 40 + 16            # of an inode with one name
SLACK = 6 << 20

lab = Lab("repair-parents")
theirs = shutil.which("mkfs.xfs", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
if not theirs:
    print("1..0 # SKIP the distribution's mkfs.xfs is not installed")
    sys.exit(0)


def make(name):
    lines = ["/", "0 0", "d--755 0 0"]
    for d in range(FILES // EACH):
        lines.append("dir%04d d--755 0 0" % d)
        lines += ["file-%06d ---644 0 0 /dev/null" % (d * EACH + f) for f in range(EACH)]
        lines.append("$")
    for d in range(LINKS // EACH):
        lines.append("links%04d d--755 0 0" % d)
        lines += ["link-%06d-%s l--777 0 0 %s" % (d * EACH + f, "n" * 230, "t" * 110) for f in range(EACH)]
        lines.append("$")
    with open(lab.path("proto"), "w") as out:
        out.write("\n".join(lines + ["$"]) + "\n")
    path = lab.path(name)
    with open(path, "wb") as out:
        out.truncate(320 << 20)
    made = Run(theirs, "-q", "-f", "-m", "rmapbt=1,reflink=1", "-p", lab.path("proto"), path)
    if made.code:
        raise SystemExit("mkfs.xfs: %s" % made)
    with open(path + ".list", "w") as out:
        out.write(campaign.run(sys.executable, campaign.LISTER, path).stdout)
    return path


base = make("base.img")
whole = lab.copy(base, "whole.img")
done = repair("-c", "parent=1", whole)
verdict = campaign.run(sys.executable, campaign.JUDGE, whole)
again = repair("-n", whole)
lab.ok(done.code == 0 and again.code == 0 and not verdict.returncode and Super(whole).incompat & 128,
       "%d names get parent pointers" % (FILES + LINKS), str(done)[-700:] + str(again)[-700:] + verdict.stdout[-700:])
differ = campaign.same_files(whole, base + ".list")
lab.ok(not differ, "the files are the same", differ)

least = measured("-n", "-m", "8", base).memory
work = lab.copy(base, "small.img")
done = measured("-m", "8", "-c", "parent=1", work)
lab.ok(done.code == 0 and same(work, whole), "-m 8: the same bytes", str(done)[-700:])
allowed = BYTES * (FILES + LINKS) + SLACK
lab.ok(done.memory - least <= allowed, "-m 8: a bounded number of bytes for each name",
       "%d above a check, %d allowed" % (done.memory - least, allowed))

at, turn, points = 1, 0, 0
bad = []
while True:
    work = lab.copy(base, "cut.img")
    cut = repair("-m", "8", "-c", "parent=1", work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
    if cut.code not in CRASHED:
        break
    points += 1
    options = ["-m", "8", "-c", "parent=1"] if turn % 2 else ["-m", "8"]
    done = measured(*options, work)
    again = repair("-n", work)
    wrong = "" if done.code == 0 and again.code == 0 and Super(work).incompat & 128 else "%s\n%s" % (str(done)[-400:], again)
    wrong = wrong or campaign.same_files(work, base + ".list")
    if done.memory - least > allowed:
        wrong = "%d bytes above a check, %d allowed" % (done.memory - least, allowed)
    if turn % 2 and "already has parent pointers" not in str(done):
        wrong = "said %s" % str(done)[-400:]
    if wrong:
        bad.append("write %d, then %s: %s" % (at, options, wrong))
    turn += 1
    at = at * 3 // 2 + 1 if LONG else at * 4 + 1
lab.ok(points > 4 and not bad, "killed at %d places: completed with -c and without" % points, "\n".join(bad[:5]))
lab.end()
