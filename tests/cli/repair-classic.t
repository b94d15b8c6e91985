#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair in the words of upstream: headers, superblocks and the superblock's inodes that were wiped out.

What scripts compare line by line is compared here with the distribution's xfs_repair, behind the filter that format
sheet 06, section 15.1 describes; single fields and -n with the lines of that sheet.
"""
import difflib
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import campaign, REPAIR, Lab, Run, Super, change, read, repair, write  # noqa: E402

lab = Lab("repair-classic")
THEIRS = shutil.which("xfs_repair", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
DROPPED = re.compile(r"agf_|agi_|sb_|agi unlinked|bad uuid|Metadata (corruption|CRC error) detected|agfl has bad CRC|"
                     r"bad CRC for inode|bad next_unlinked")
# said of images in files, and of blocks that a damaged list held: ours are none of them
THEIRS_ALONE = re.compile(r"Cannot get host filesystem|Repair may fail if there|the image and the host|unknown block state")
NUMBERED = re.compile(r"((?:sb root inode|realtime bitmap inode|realtime summary inode|calculated value|pointer to|on inode|"
                      r"resetting inode|should be|disconnected inode) )-?\d+")


def filtered(run):
    lines = []
    for line in (run.out + run.err).splitlines():
        if DROPPED.match(line) or THEIRS_ALONE.match(line) or "- agno = " in line:
            continue
        lines.append(NUMBERED.sub(r"\1#", re.sub(r"^\.+found", "found", line)))
    return "\n".join(lines)


def table():
    """A letter of classic.def that nobody fills in would silence its row."""
    with open(os.path.join(campaign.SRC, "repair", "classic.def")) as rows:
        used = set(re.findall("%(.)", rows.read().split("*/", 1)[1]))
    with open(os.path.join(campaign.SRC, "repair", "classic.c")) as code:
        known = set(re.findall(r"\{ '(.)', ", code.read())) | {"d"}
    lab.ok(used and used <= known, "letters of classic.def", used - known)


def cases(sb):
    """(what, byte, length) of what is overwritten."""
    for agno in (0, 1):
        for n, name in enumerate(("superblock", "AGF", "AGI", "AGFL")):
            yield "%s of AG %d" % (name, agno), sb.header(agno, n), sb.sectsize
    for n, name in enumerate(("rootino", "rbmino", "rsumino")):
        yield name, sb.inode(sb.rootino + n), sb.inodesize


def repaired(program, clean, byte, junk):
    """Lines of that program, and what ours says afterwards."""
    image = lab.copy(clean, "work.img")
    write(image, byte, junk)
    return filtered(Run(program, image)).split("\n"), repair("-n", image)


def compare(clean):
    ours = filtered(repair(lab.copy(clean, "work.img")))
    theirs = filtered(Run(THEIRS, lab.copy(clean, "work.img")))
    lab.ok(ours == theirs, "a clean filesystem: line by line", "%s\n---\n%s" % (ours, theirs))
    for what, byte, length in cases(Super(clean)):
        for name, fill in (("zeroes", b"\0"), ("ones", b"\xff")):
            ours, again = repaired(REPAIR, clean, byte, fill * length)
            theirs, other = repaired(THEIRS, clean, byte, fill * length)
            for _ in range(2):      # theirs alone: on a busy machine its threads once put a line elsewhere
                if ours != theirs:
                    theirs, other = repaired(THEIRS, clean, byte, fill * length)
            # what the other one has repaired is in order, too
            lab.ok(ours == theirs and not again.code and not other.code, "%s, %s: line by line" % (what, name),
                   "exit %d, %d\n%s" % (again.code, other.code, "\n".join(difflib.unified_diff(ours, theirs, n=0))))


def cleared_log(clean):
    """xfs_admin -U and xfs_mdrestore leave a log with a gap behind its first record: nothing is wrong with it."""
    theirs = shutil.which("xfs_db", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
    image = lab.copy(clean, "work.img")
    done = Run(theirs, "-x", "-c", "uuid generate", image)
    before, run, again = read(image), repair(image), repair("-n", image)
    lab.ok("new UUID" in done.out and not run.code and not again.code and read(image) == before,
           "a log that upstream cleared: left as it is", "%s\n%s" % (done, run))


def fields(clean):
    """One field with a right checksum: its line, with -n and without."""
    sb = Super(clean)
    most = (sb.sectsize - 36) // 4 - 1
    rows = [
        ("AGF version", 1, 216, 4, "bad version # 7 for agf 1", "reset bad agf for ag 1"),
        ("AGF seqno", 1, 216, 8, "bad sequence # 7 for agf 1", "reset bad agf for ag 1"),
        ("AGF length", 1, 216, 12, "bad length 7 for agf 1, should be %d" % sb.agblocks, "reset bad agf for ag 1"),
        ("AGF flfirst", 1, 216, 40, "flfirst 2147483647 in agf 1 too large (max = %d)" % most, None),
        ("AGF bnoroot", 1, 216, 16, "bad agbno 2147483647 for btbno root, agno 1", None),
        ("AGF cntlevel", 1, 216, 32, "bad levels 2147483647 for btbcnt root, agno 1", None),
        ("AGF longest", 1, 216, 56, "agf_longest 7, counted ", None),
        ("AGI seqno", 2, 312, 8, "bad sequence # 7 for agi 1", "reset bad agi for ag 1"),
        ("AGI length", 2, 312, 12, "bad length # 7 for agi 1, should be %d" % sb.agblocks, "reset bad agi for ag 1"),
        ("AGI count", 2, 312, 16, "agi_count 7, counted ", None),
        ("AGI root", 2, 312, 20, "bad agbno 2147483647 for inobt root, agno 1", None),
        ("AGI unlinked", 2, 312, 40 + 4 * 7, "agi unlinked bucket 7 is 7 in ag 1 (inode=7)", None),
    ]
    for what, n, crc, at, line, behind in rows:
        value = 0x7fffffff if "2147483647" in line else 7
        image = lab.copy(clean, "work.img")
        change(image, sb.header(1, n), sb.sectsize, crc, (at, value.to_bytes(4, "big")))
        dry, wet = repair("-n", image), repair(image)
        good = dry.code == 1 and wet.code == 0 and "\n" + line in dry.err and "\n" + line in wet.err
        if behind:
            good &= "\nwould %s\n" % behind in dry.err and "\n%s\n" % behind in wet.err
        lab.ok(good, "%s: %s" % (what, line), "%s\n%s" % (dry, wet))
    image = lab.copy(clean, "work.img")
    write(image, sb.header(1, 1), bytes(sb.sectsize))
    both = repair("-v", image)
    lab.ok(both.code == 0 and "\nbad magic # 0x0 for agf 1\n" in both.err and "wrong magic number" in both.err,
           "-v: in both words", both)
    write(image, sb.header(1, 1), bytes(sb.sectsize))
    only = repair("-n", "--json", image)
    lab.ok(only.code == 1 and "bad magic #" not in str(only) and '"block-magic"' in only.out, "--json: in ours alone", only)


clean = lab.mkfs("clean.img", 320 << 20, "-d", "agcount=4", "-m", "rmapbt=0")
if THEIRS and " 6.1" in str(Run(THEIRS, "-V")):
    compare(clean)
    cleared_log(clean)
else:
    lab.skip("line by line", "no xfs_repair of the distribution whose words are known (6.1)")
fields(clean)
table()
lab.end()
