#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair and quota files: damaged records keep their limits where these can be read, counts are compared with what files use,
lost files are given up or made anew, and the flags make the kernel count again.

The images (tests/data/quota*) were made by mkfs.xfs 6.1 and Linux 6.1 with quota of all types and limits; V5 with blocks of 1k, and V4.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "cli")]

import campaign  # noqa: E402
import metaimage  # noqa: E402
from repairlab import CRASHED, Lab, Super, read, repair, write  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread.crc32c import crc32c  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
CHECKED = 0x524 | 0x20
LIMITED = 1003          # a user with limits, who is over the soft one


class Place:
    def __init__(self, path):
        self.path, self.sb = path, Super(path)
        self.fs = Fs(Image(path), Report())
        self.v5 = self.fs.v5
        self.user_file, self.limited = self.fs.sb.uquotino, LIMITED
        if self.fs.sb.metadir:
            self.user_file, self.limited = {row[0]: row[1] for row in metaimage.tree(path)}["/quota/user"], 1000

    def record(self, number, ident):
        """Byte of the record of an id in a quota file."""
        per = self.sb.blocksize // 136
        for offset, fsb, length, _ in read_fork(self.fs, read_inode(self.fs, number), False).extents:
            if offset <= ident // per < offset + length:
                return self.fs.byte_of(*self.fs.split_fsb(fsb + ident // per - offset)) + ident % per * 136
        raise KeyError(ident)

    def user(self, ident=None):
        return self.record(self.user_file, ident or self.limited)

    def change(self, at, offset, data, crc=True):
        raw = bytearray(read(self.path, at, 136))
        raw[offset:offset + len(data)] = data
        if self.v5 and crc:
            raw[108:112] = bytes(4)
            raw[108:112] = struct.pack("<I", crc32c(bytes(raw)))
        write(self.path, at, bytes(raw))

    def super(self, offset, data):
        raw = bytearray(read(self.path, 0, self.sb.sectsize))
        raw[offset:offset + len(data)] = data
        if self.v5:
            raw[224:228] = bytes(4)
            raw[224:228] = struct.pack("<I", crc32c(bytes(raw)))
        write(self.path, 0, bytes(raw))

    def limits(self):
        return read(self.path, self.user() + 8, 32)


def user(offset, data, crc=True):
    return lambda p: p.change(p.user(), offset, data, crc)


def block(byte):
    return lambda p: write(p.path, p.user() // p.sb.blocksize * p.sb.blocksize, bytes([byte]) * p.sb.blocksize)


def number(field, value):
    return lambda p: p.super(field, struct.pack(">Q", value(p)))


def grow_soft(p):
    p.change(p.user(), 16, struct.pack(">Q", 1))
    p.change(p.user(), 60, bytes(4))


ROWS = (    # what, action, do the limits stay (None: there is no record then), only on V5
    ("one bit of a limit", lambda p: write(p.path, p.user() + 15, bytes([read(p.path, p.user() + 15, 1)[0] ^ 4])),
     True, True),
    ("the checksum of a record", user(108, b"junk", False), True, True),
    ("the uuid of a record", user(120, b"sixteen bytes!!!"), True, True),
    ("the magic of a record", user(0, b"XX"), True, False),
    ("the type of a record", user(3, b"\2"), True, False),
    ("the id of a record", user(4, struct.pack(">I", 77)), True, False),
    ("a record is junk", user(0, b"junk" * 34, False), False, False),
    ("a block of records is zeroed", block(0), False, False),
    ("a count is wrong", user(40, struct.pack(">Q", 3)), True, False),
    ("a count of inodes is wrong", user(48, struct.pack(">Q", 7)), True, False),
    ("over the limit without a timer", grow_soft, None, False),
    ("the inode of a quota file is wiped", lambda p: write(p.path, p.sb.inode(p.user_file), bytes(p.sb.inodesize)),
     None, False),
    ("its number leads to the root", number(160, lambda p: p.fs.sb.rootino), True, False),
    ("its number leads to a free inode", number(160, lambda p: p.fs.sb.rootino + 62), True, False),
    ("its number leads outside", number(160, lambda p: 1 << 40), True, False),
    ("two types have one file", lambda p: p.super(168, struct.pack(">Q", p.fs.sb.uquotino)), True, False),
    ("no number, but the bit", lambda p: [p.super(o, b"\xff" * 8) for o in ((160, 168, 232) if p.v5 else (160, 168))],
     True, False),
    ("numbers, but no bit",
     lambda p: p.super(100, bytes([read(p.path, 100, 1)[0], read(p.path, 101, 1)[0] & ~0x40])), True, False),
    ("a file is wiped, and its number leads to a free inode",
     lambda p: [write(p.path, p.sb.inode(p.fs.sb.gquotino), bytes(p.sb.inodesize)),
                number(168, lambda p: p.fs.sb.rootino + 62)(p)], None, False),
    ("the primary is gone", lambda p: write(p.path, 0, bytes(512)), True, True),
)


def wipe(*files):
    def act(p):
        numbers = {row[0]: row[1] for row in metaimage.tree(p.path)}
        for name in files:
            write(p.path, p.sb.inode(numbers["/quota" + name]), bytes(p.sb.inodesize))
    return act


# in the metadata directory: what the superblock says of numbers is nothing there, and a lost inode comes back with its
# records
META_ROWS = ROWS[:9] + ROWS[9:11] + (
    ("the inode of a quota file is wiped", wipe("/user"), True, True),
    ("all inodes of quota are wiped", wipe("", "/user", "/group", "/project"), True, True),
    ("a number in the superblock", number(168, lambda p: 131), True, True),
    ("the bit of quota is gone",
     lambda p: p.super(100, bytes([read(p.path, 100, 1)[0], read(p.path, 101, 1)[0] & ~0x40])), True, True),
    ("a count of realtime blocks is wrong", user(88, struct.pack(">Q", 77)), True, True),
)


def unpack(name, folder):
    return [campaign.unpack("data/%s.%s" % (name, kind), os.path.join(folder, "%s.%s" % (name, kind)))
            for kind in ("img", "list")]


KEEPS = ("a number in the superblock", "the bit of quota is gone", "its number leads to the root", "its number leads to a free inode",
         "its number leads outside", "two types have one file", "no number, but the bit", "numbers, but no bit")    # counts stay right


def outcome(work, truth, before, limits, counted=True):
    place = Place(work)
    flags = struct.unpack(">H", read(work, 176, 2))[0]
    if flags & CHECKED and counted:
        return "counts are still called right: 0x%x" % flags
    if limits and place.limits() != before:
        return "limits changed: %s, %s" % (before.hex(), place.limits().hex())
    if limits is False and place.limits() != bytes(32):
        return "limits of a lost record: %s" % place.limits().hex()
    listed = campaign.run(sys.executable, campaign.LISTER, work)
    with open(truth) as f:
        missing = set(f.read().splitlines()) - set(listed.stdout.splitlines())
    orphans = [line for line in listed.stdout.splitlines() if " lost+found" in line]    # not even quota files
    return "".join(sorted(m for m in missing if not m.endswith(" ."))) + "".join(orphans)


def in_metadata_directory(lab, work):
    for kind in ("metadir", "rtgroups"):
        image, _ = metaimage.made(kind)
        truth, tree = lab.path(kind + ".list"), metaimage.tree(image)
        with open(truth, "w") as out:
            out.write("".join(line + "\n"
                              for line in campaign.run(sys.executable, campaign.LISTER, image).stdout.splitlines()
                              if " realtime/" not in line))
        for what, action, limits, _ in META_ROWS if LONG else META_ROWS[-1:] if kind == "rtgroups" else META_ROWS[7:8] + META_ROWS[12:15]:
            campaign.copy_sparse(image, work)
            place = Place(work)
            before = place.limits()
            action(place)
            raw = read(work)
            dry = repair("-n", "-o", "force_geometry", work)
            wrong = "" if dry.code == 1 and read(work) == raw else "-n: %s" % dry
            done = repair("-o", "force_geometry", work)
            wrong = wrong or ("" if done.code == 0
                              else str(done)) or judge(work) or outcome(work, truth, before, limits, what not in KEEPS)
            # the one that is wiped with its directory may get another number
            if not wrong and [row[0] for row in metaimage.tree(work)] != [row[0] for row in tree]:
                wrong = "metadata directory: %s" % metaimage.tree(work)
            lab.ok(not wrong, "%s: %s" % (kind, what), wrong)


def judge(image):
    again = repair("-n", "-o", "force_geometry", image)
    verdict = campaign.run(sys.executable, campaign.JUDGE, image)
    return str(again) if again.code else verdict.stdout if verdict.returncode else ""


def main():
    lab = Lab("repair-quota")
    work = lab.path("work.img")
    for name in ("quota", "quota-v4"):
        image, truth = unpack(name, lab.dir)
        clean = repair("-n", image)
        lab.ok(clean.code == 0, "%s: every record and every count agrees" % name, clean)
        for what, action, limits, v5 in ROWS if LONG or name == "quota" else ROWS[3:4] + ROWS[8:9] + ROWS[11:13] + ROWS[16:19]:
            if v5 and name != "quota":
                continue
            campaign.copy_sparse(image, work)
            place = Place(work)
            before = place.limits()
            action(place)
            raw = read(work)
            dry = repair("-n", work)
            wrong = "" if dry.code == 1 and read(work) == raw else "-n: %s" % dry
            done = repair(work)
            wrong = wrong or ("" if done.code == 0
                              else str(done)) or campaign.judge(work) or outcome(work, truth, before, limits, what not in KEEPS)
            lab.ok(not wrong, "%s: %s" % (name, what), wrong)
        campaign.copy_sparse(image, work)
        done = repair("-o", "noquota", work)
        lab.ok(done.code == 0 and not struct.unpack(">H", read(work, 176, 2))[0] & CHECKED, "%s: -o noquota" % name,
               done)
    in_metadata_directory(lab, work)
    image, truth = unpack("quota", lab.dir)
    bad, points = [], 0
    for at in range(1, 50, 1 if LONG else 3):
        campaign.copy_sparse(image, work)
        before = Place(work).limits()
        for action in (user(108, b"junk", False), user(40, struct.pack(">Q", 999))):
            action(Place(work))
        write(work, Place(work).user() + 108, b"junk")
        cut = repair(work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
        if cut.code not in CRASHED:
            break
        points += 1
        done = repair(work)
        wrong = ("" if done.code == 0 else str(done)) or campaign.judge(work) or outcome(work, truth, before, True)
        bad += ["%d: %s" % (at, wrong[:300])] if wrong else []
    lab.ok(points and not bad, "killed at %d places: the next run completes it" % points, "\n".join(bad[:4]))
    lab.end()


if __name__ == "__main__":
    main()
