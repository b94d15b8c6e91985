#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair and the realtime section: bitmap, summary, counter and extents of files, against images that a kernel filled.

The images (tests/data/rt-*) were made by mkfs.xfs 6.1 and Linux 6.1: blocks of 1k with extents of four, V4, and extents
of 64k.  Everything but the extents of files is derived, so every damage to it is undone without a loss.
"""
import os
import stat
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "cli")]

import campaign  # noqa: E402
from repairlab import CRASHED, Lab, Super, read, repair, write  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread.crc32c import crc32c  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))


class Place:
    """Where things lie in an image."""

    def __init__(self, path):
        self.path, self.sb = path, Super(path)
        self.fs = Fs(Image(path), Report())

    def blocks(self, ino):
        """Bytes of the blocks of a file."""
        found = []
        for _, fsb, length, _ in read_fork(self.fs, read_inode(self.fs, ino), False).extents:
            found += [self.fs.byte_of(*self.fs.split_fsb(fsb + i)) for i in range(length)]
        return found

    def lookup(self, path):
        ino = self.fs.sb.rootino
        for name in path.split("/"):
            inode = read_inode(self.fs, ino)
            ino = {n: i for n, i, _ in Directory(self.fs, inode, read_fork(self.fs, inode, False)).entries}[name.encode()]
        return ino

    def poke(self, ino, offset, data):
        """Changes bytes of an inode, with a right checksum."""
        at, v5 = self.sb.inode(ino), self.fs.v5
        raw = bytearray(read(self.path, at, self.sb.inodesize))
        raw[offset:offset + len(data)] = data
        if v5:
            raw[100:104] = bytes(4)
            raw[100:104] = struct.pack("<I", crc32c(bytes(raw)))
        write(self.path, at, bytes(raw))

    def super(self, offset, data):
        raw = bytearray(read(self.path, 0, self.sb.sectsize))
        raw[offset:offset + len(data)] = data
        if self.fs.v5:
            raw[224:228] = bytes(4)
            raw[224:228] = struct.pack("<I", crc32c(bytes(raw)))
        write(self.path, 0, bytes(raw))

    @property
    def literal(self):
        return 176 if self.fs.v5 else 100


def record(off, block, length):
    word = off << 73 | block << 21 | length
    return struct.pack(">QQ", word >> 64, word & (1 << 64) - 1)


def fill(what, byte):
    def act(p):
        for at in p.blocks(getattr(p.fs.sb, what)):
            write(p.path, at, bytes([byte]) * p.sb.blocksize)
    return act


def bits(p):
    at = p.blocks(p.fs.sb.rbmino)[0]
    write(p.path, at + 37, bytes([read(p.path, at + 37, 1)[0] ^ 0x18]))


def wipe(what):
    return lambda p: write(p.path, p.sb.inode(getattr(p.fs.sb, what)), bytes(p.sb.inodesize))


def both(*actions):
    return lambda p: [one(p) for one in actions]


def swap_words(p):
    for ino in (p.fs.sb.rbmino, p.fs.sb.rsumino):
        for at in p.blocks(ino):
            words = read(p.path, at, p.sb.blocksize)
            write(p.path, at, struct.pack("<%dI" % (len(words) // 4), *struct.unpack(">%dI" % (len(words) // 4), words)))


def outside(p):
    p.poke(p.lookup(p.path_of_odd), p.literal, record(0, p.fs.sb.rblocks - 1, 25))


def claim_twice(p):
    victim, thief = p.lookup(p.path_of_big), p.lookup(p.path_of_odd)
    _, fsb, _, _ = read_fork(p.fs, read_inode(p.fs, victim), False).extents[0]
    _, _, length, _ = read_fork(p.fs, read_inode(p.fs, thief), False).extents[0]
    p.poke(max(victim, thief), p.literal, record(0, fsb, length))


def flip_flag(p, ino):
    p.poke(ino, 90, struct.pack(">H", read_inode(p.fs, ino).flags ^ 1))


def flag_outside(p):
    """A file of the data device gets the flag, and its first block can be none of the realtime section."""
    for path in p.paths:
        inode = read_inode(p.fs, p.lookup(path)) if path != "." else None
        if inode and stat.S_ISREG(inode.mode) and not inode.flags & 1:
            extents = read_fork(p.fs, inode, False).extents
            step = p.fs.sb.rextsize
            if extents and (extents[0][1] >= p.fs.sb.rblocks or extents[0][0] % step != extents[0][1] % step):
                return flip_flag(p, inode.ino)
    raise SystemExit("no such file")


MISSING = lambda p: p.poke(p.fs.sb.rbmino, p.literal, record(5, 20, 1))     # noqa: E731
ROWS = (    # what, action, files that may differ
    ("two bits of the bitmap", bits, ()),
    ("the bitmap is zeroed", fill("rbmino", 0), ()),
    ("the bitmap is all ones", fill("rbmino", 255), ()),
    ("the summary is zeroed", fill("rsumino", 0), ()),
    ("bitmap and summary are junk", both(fill("rbmino", 0xA7), fill("rsumino", 0x5C)), ()),
    ("the counter is wrong", lambda p: p.super(152, struct.pack(">Q", 5)), ()),
    ("the inode of the bitmap is wiped", wipe("rbmino"), ()),
    ("the inode of the summary is wiped", wipe("rsumino"), ()),
    ("both are wiped", both(wipe("rbmino"), wipe("rsumino")), ()),
    ("the bitmap has lost its extents", lambda p: p.poke(p.fs.sb.rbmino, p.literal, bytes(16)), ()),
    ("the size of the bitmap is wrong", lambda p: p.poke(p.fs.sb.rbmino, 56, struct.pack(">Q", 77)), ()),
    ("the size of the summary is wrong", lambda p: p.poke(p.fs.sb.rsumino, 56, struct.pack(">Q", 1 << 30)), ()),
    ("bitmap and summary have projects", lambda p: [p.poke(i, 20, b"\0\5\0\7") for i in (p.fs.sb.rbmino, p.fs.sb.rsumino)], ()),
    ("the map of the bitmap leads elsewhere", MISSING, ()),
    ("the bitmap counts no blocks", lambda p: [p.poke(p.fs.sb.rbmino, 64, bytes(8)), p.poke(p.fs.sb.rbmino, 76, bytes(4))], ()),
    ("the block counter of a file is wrong", lambda p: p.poke(p.lookup(p.path_of_big), 64, struct.pack(">Q", 3)), ()),
    ("an extent lies outside", outside, ("odd",)),
    ("two files claim the same extents", claim_twice, ("odd", "big")),
    ("a file of the section has lost its flag", lambda p: flip_flag(p, p.lookup(p.path_of_big)), ()),
    ("a file of the data device has the flag", flag_outside, ()),
    ("bitmap numbers of the superblock", lambda p: p.super(64, struct.pack(">QQ", p.fs.sb.rbmino + 9, p.fs.sb.rsumino + 9)), ()),
)


def lines(path):
    with open(path) as f:
        return {line.rstrip("\n").rsplit(" ", 1)[1]: line for line in f}


def files_differ(image, rt, truth, allowed):
    listed = campaign.run(sys.executable, campaign.LISTER, "-r", rt, image)
    if listed.returncode:
        return "list-image: " + listed.stdout
    with open(image + ".now", "w") as out:
        out.write(listed.stdout)
    now, then = lines(image + ".now"), lines(truth)
    return "".join("-%s+%s" % (then.get(name), now.get(name)) for name in sorted(set(now) | set(then))
                   if now.get(name) != then.get(name) and os.path.basename(name) not in allowed)


def judge(image, rt):
    again = repair("-n", "-r", rt, image)
    if again.code:
        return "second run: %s" % again
    theirs = campaign.upstream_finds(image, "-r", rt)
    if theirs:
        return theirs
    verdict = campaign.run(sys.executable, campaign.JUDGE, image)
    return verdict.stdout if verdict.returncode else ""


def unpack(name, folder):
    return [campaign.unpack("data/%s.%s" % (name, kind), os.path.join(folder, "%s.%s" % (name, kind))) for kind in ("img", "rt", "list")]


def find_paths(p, truth):
    p.paths = list(lines(truth))
    for path in p.paths:
        for name in ("odd", "big"):
            if os.path.basename(path) == name and not path.startswith("plain/"):
                setattr(p, "path_of_" + name, path)


def main():
    lab = Lab("repair-realtime")
    work = lab.path("work.img")
    for name in ("rt-1k", "rt-v4", "rt-64k"):
        image, rt, truth = unpack(name, lab.dir)
        clean = repair("-n", "-r", rt, image)
        lab.ok(clean.code == 0, "%s: nothing is found" % name, clean)
        without = repair("-n", image)
        lab.ok(without.code == 0, "%s: nor without the realtime device" % name, without)
        for what, action, allowed in ROWS if LONG else ROWS[0:1] + ROWS[4:6] + ROWS[8:10] + ROWS[13:] if name == "rt-1k" else ROWS[8:9] + ROWS[15:16]:
            campaign.copy_sparse(image, work)
            place = Place(work)
            find_paths(place, truth)
            action(place)
            before = read(work)
            dry = repair("-n", "-r", rt, work)
            wrong = "" if dry.code == 1 and read(work) == before else "-n: %s" % dry
            done = repair("-r", rt, work)
            wrong = wrong or ("" if done.code == 0 else str(done)) or judge(work, rt) or files_differ(work, rt, truth, allowed)
            lab.ok(not wrong, "%s: %s" % (name, what), wrong)
        campaign.copy_sparse(image, work)
        swap_words(Place(work))
        before = read(work)
        done = repair("-r", rt, work)
        lab.ok(done.code == 0 and read(work) == before, "%s: words of a machine of the other byte order are left alone" % name, done)

    # killed anywhere: the next run ends the same way
    image, rt, truth = lab.path("rt-1k.img"), lab.path("rt-1k.rt"), lab.path("rt-1k.list")
    bad, points = [], 0
    for at in range(1, 200, 1 if LONG else 4):
        campaign.copy_sparse(image, work)
        both(bits, fill("rsumino", 0x33), wipe("rbmino"))(Place(work))
        cut = repair("-r", rt, work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
        if cut.code not in CRASHED:
            break
        points += 1
        done = repair("-r", rt, work)
        wrong = ("" if done.code == 0 else str(done)) or judge(work, rt) or files_differ(work, rt, truth, ())
        if wrong:
            bad.append("%d: %s" % (at, wrong[:300]))
    lab.ok(points > 1 and not bad, "killed at %d places: the next run completes it" % points, "\n".join(bad[:4]))
    lab.end()


if __name__ == "__main__":
    main()
