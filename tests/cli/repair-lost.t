#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair says how much is lost and moved: by inode and path, in bytes, as text and as JSON."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import DB, Lab, Run, Super, change, change_inode, fsx, read, repair, write  # noqa: E402

lab = Lab("repair-lost")
EXTENTS, BLOCK = 5, 4096


def number(image, name):
    return int(re.search(r"\s(\d+)\s+regular\s.* %s \(" % name, Run(DB, "-r", "-c", "ls /", image).out).group(1))


def findings(run, what):
    return [f for f in map(json.loads, run.out.splitlines()) if f.get("id") == what]


image = lab.mkfs("lost.img", 320 << 20, "-m", "rmapbt=0,reflink=0")
lines = ["create /holes 644"] + ["write /holes %d %d 1" % (2 * i * BLOCK * 3, 3 * BLOCK) for i in range(EXTENTS)]
lines += ["create /orphan 644", "write /orphan 0 %d 2" % (7 * BLOCK), "create /other 644"]
fsx(image, lines)
# the third extent is no extent; a whole entry of the root (short form) leads to nothing, so that its file has no name
holes, orphan = number(image, "holes"), number(image, "orphan")
change_inode(image, holes, 176 + 2 * 16, b"\xff" * 16)
place = Super(image).inode(Super(image).rootino)
raw = read(image, place, Super(image).inodesize)
at = raw.index(b"orphan") + 6 + 1	# behind name and type
change_inode(image, Super(image).rootino, at, (orphan + 1000003).to_bytes(4, "big"))
copy = lab.copy(image, "text.img")

run = repair("--json", image)
summary = [json.loads(line) for line in run.out.splitlines() if '"summary"' in line][0]["summary"]
lost = findings(run, "fork-lost")
lab.ok(run.code == 0 and len(lost) == 1 and lost[0]["ino"] == holes and lost[0].get("path") == "/holes"
       and lost[0].get("len") == 3, "JSON: the part of the file that is lost, with its path and blocks", run)
lab.ok(summary["lost"] == {"inodes": 0, "bytes": 3 * BLOCK}, "JSON: bytes lost in the summary", summary)
lab.ok(repair("-n", image).code == 0, "the second run is clean")
text = repair(copy)
lab.ok("%d of %d bytes are missing" % (3 * BLOCK, EXTENTS * 3 * BLOCK) in text.err,
       "text: how much of the file is missing", text)
lab.ok("0 inodes and %d bytes lost" % (3 * BLOCK) in text.err, "text: bytes lost in the result", text)
lab.ok(summary["moved"] == {"inodes": 0, "bytes": 0} and number(image, "orphan") == orphan,
       "the only name that leads nowhere and the only file without a name find each other", summary)

# without the name at all it is moved
nameless = lab.mkfs("nameless.img", 320 << 20, "-m", "rmapbt=0,reflink=0")
lines = ["create /keep 644", "create /z-last 644", "write /z-last 0 %d 2" % (7 * BLOCK)]
fsx(nameless, lines)
root = Super(nameless).rootino
raw = read(nameless, Super(nameless).inode(root), Super(nameless).inodesize)
change_inode(nameless, root, 176, bytes([1]))		# one entry
change_inode(nameless, root, 56, (raw.index(b"z-last") - 3 - 176).to_bytes(8, "big"))	# the size ends before the last one
moved = repair("--json", nameless)
summary = [json.loads(line) for line in moved.out.splitlines() if '"summary"' in line][0]["summary"]
lab.ok(moved.code == 0 and summary["moved"] == {"inodes": 1, "bytes": 7 * BLOCK},
       "a file without a name: moved with its bytes", moved)


# of a tree in blocks: those of the old tree, read or lost, are no bytes of the file
def tree_of(image, ino):
    """Bytes of all blocks, from the top down, each level a list."""
    sb = Super(image)
    root = read(image, sb.inode(ino) + 176, sb.inodesize - 176)
    room = 8 * read(image, sb.inode(ino) + 82, 1)[0] or len(root)
    block, at, left, levels = root, 4 + 8 * ((room - 4) // 16), int.from_bytes(root[:2], "big"), []
    blocks = [(block, at, int.from_bytes(block[2:4], "big"))]
    for _ in range(left):
        ptrs = [int.from_bytes(b[at + 8 * i:at + 8 * i + 8], "big") for b, at, n in blocks for i in range(n)]
        where = [(p >> sb.agblklog) * sb.agbytes + (p & (1 << sb.agblklog) - 1) * sb.blocksize for p in ptrs]
        levels.append(where)
        blocks = [(b, 72 + 8 * ((sb.blocksize - 72) // 16), int.from_bytes(b[6:8], "big")) for b in (read(image, w, sb.blocksize) for w in where)]
    return levels


tall = lab.mkfs("tall.img", 320 << 20, "-b", "size=1024", "-m", "rmapbt=0,reflink=0")
fsx(tall, ["create /tall 644"] + ["write /tall %d 1024 1" % (2048 * i) for i in range(3000)])
ino = number(tall, "tall")
levels = tree_of(tall, ino)
total = 1024 * int(Run(DB, "-r", "-c", "inode %d" % ino, "-c", "p core.nblocks", tall).out.split("= ")[1])
for which, what in (([levels[-1][3]], "a leaf"), (levels[-1][5:7], "two leaves"), ([levels[0][0]], "a node"), ([], "the root")):
    image = lab.copy(tall, "work.img")
    gone = sum(int.from_bytes(read(image, at + 6, 2), "big") for at in which if at in levels[-1])
    for at in which:
        change(image, at, 1024, 64, (0, b"\xde" * 1024))
    if not which:
        change_inode(image, ino, 176, b"\xff" * 4)
    run = repair(image)
    again = repair("-n", image)
    lab.ok(len(levels) == 2 and run.code == 0 and again.code == 0 and
           "%d of %d bytes are missing" % (1024 * gone, total) in run.err and "and %d bytes lost" % (1024 * gone) in run.err,
           "lost of the map: %s; %d extents are missing" % (what, gone), run)

# two chunks in a block were made together: with the root directory's the other comes back
large = lab.mkfs("large.img", 512 << 20, "-b", "size=64k")
write(large, 0, bytes(1 << 20))
run = repair(large)
again = repair("-n", large)
trees = Run(DB, "-r", "-c", "agi 0", "-c", "p count", "-c", "addr root", "-c", "p numrecs", large).out
lab.ok(run.code == 0 and again.code == 0 and trees.split() == "count = 128 numrecs = 2".split(), "both chunks of the block of the root directory", run)

# a chunk of inodes begins at a multiple of 8 KiB: half of one when inodes have 256 bytes
small = lab.mkfs("small.img", 320 << 20, "-m", "crc=0", "-b", "size=512", "-i", "size=256", "-d", "agcount=2")
write(small, 0, bytes(32768))
run = repair(small)
again = repair("-n", small)
lab.ok(run.code == 0 and again.code == 0, "headers and root directory of a filesystem of small blocks: all of it is built anew", run)
lab.end()
