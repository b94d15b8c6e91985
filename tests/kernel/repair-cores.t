#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inode cores, wiped inodes, flipped bits and lost superblocks on the shipped images: what other witnesses hold comes back."""
import os
import random
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]

import campaign  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread import content, crc32c  # noqa: E402
from xfsread.aghdr import read_agf, read_agi  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

WORK = os.path.join(campaign.IMAGES, "work-cores.img")

# (inode of the sample, [(offset, bytes)]): each is put right from the rest of the inode, its place or its blocks
FIELDS = {
    "magic": (71, [(0, b"XX")]), "version": (72, [(4, b"\7")]), "magic and version": (73, [(0, b"XX"), (4, b"\0")]),
    "number": (74, [(152, bytes(8))]), "uuid": (75, [(160, bytes(16))]), "next_unlinked": (76, [(96, b"\0\0\0\5")]),
    "type of a file": (77, [(2, b"\xf1\xa4")]), "forkoff outside": (79, [(82, b"\xff")]),
    "flags": (80, [(90, b"\xff\xff")]),
    "flags2": (81, [(120, b"\xff" * 7 + b"\xf8")]), "extsize": (82, [(72, b"\0\1\2\3")]),
    "cowextsize": (83, [(128, b"\0\1\2\3")]),
    "pad of counters": (84, [(80, b"\1\2")]), "large counter": (85, [(24, b"\0\0\0\0\0\0\1\0")]),
    "aformat 0": (86, [(83, b"\0")]),
    "aformat local": (87, [(83, b"\1")]), "metatype": (88, [(6, b"\0\3")]), "pad": (89, [(132, b"\1" * 12)]),
    "nblocks": (90, [(64, b"\0" * 7 + b"\x63")]), "lsn": (91, [(112, b"\x7f" * 8)]), "realtime": (92, [(90, b"\0\1")]),
    "format dev": (93, [(5, b"\0")]), "newrtbm": (94, [(90, b"\0\4")]), "file as directory": (95, [(2, b"\x41\xa4")]),
    "file as symlink": (96, [(2, b"\xa1\xa4")]), "extsize flag alone": (98, [(90, b"\x08\0")]),
    "reflink flag": (99, [(120, bytes(8))]),
    "forkoff of inline attributes": (106, [(82, b"\0")]), "forkoff of a leaf": (107, [(82, b"\7")]),
    "forkoff of a tree": (108, [(82, b"\0")]), "forkoff moved": (118, [(82, b"\x28")]),
    "size of a leaf directory": (116, [(56, b"\0" * 6 + b"\x12\x34")]),
    "size of a block directory": (43606, [(56, bytes(8))]),
    "size of a short directory": (115, [(56, b"\0" * 7 + b"\x08")]),
    "type of a node directory": (43607, [(2, b"\1\xed")]),
    "directory as file": (67, [(2, b"\x81\xed")]), "short directory as file": (70, [(2, b"\x81\xed")]),
    "type of a fragmented directory": (121, [(2, b"\1\xed")]), "format of a short directory": (69, [(5, b"\0")]),
    "size of a short symlink": (43601, [(56, bytes(8))]), "size of a long symlink": (43602, [(56, bytes(8))]),
    "format of a device": (43603, [(5, b"\2")]), "size of a device": (43604, [(56, b"\0" * 7 + b"\x63")]),
    "type of a fifo": (43605, [(2, b"\xf1\xa4")]), "negative size": (43588, [(56, b"\x80")]),
    "forkoff of a tree of extents": (43589, [(82, b"\x10")]), "flags of a directory": (43585, [(90, b"\x08\0")]),
}


LISTER = campaign.load("lister", campaign.LISTER)


def opened(path):
    return Fs(Image(path), Report(), check_crc=False)


def listing(fs):
    """{path: columns} of everything below the root."""
    lines = LISTER.walk(fs, b"", read_inode(fs, fs.sb.rootino), {}, frozenset())
    return {line.rsplit(" ", 1)[1].strip(): line.rsplit(" ", 1)[0].split() for line in lines}


def shipped(name):
    """An image of tests/oracle/data, unpacked, with its list."""
    path = campaign.kept("oracle/data/%s.img" % name, "cores-%s.img" % name)
    with open(path + ".list", "w") as out:
        out.write(campaign.run(sys.executable, campaign.LISTER, path).stdout)
    return path


def repaired(what, find=None):
    """Dry run, repair; '' or what is wrong. `find`: an id that the dry run must name."""
    before = campaign.run(campaign.REPAIR, "-n", "--json", WORK)
    if before.returncode != 1 or (find and '"id":"%s"' % find not in before.stdout):
        return "-n: exit %d, or no %s\n%s" % (before.returncode, find, before.stdout)
    after = campaign.run(campaign.REPAIR, WORK)
    if after.returncode:
        return "%s: repair: exit %d\n%s" % (what, after.returncode, after.stdout)
    return campaign.judge(WORK)


def fields(tap, truth):
    for crc in ("fixed", "stale"):
        campaign.copy_sparse(truth, WORK)
        fs = opened(truth)
        with open(WORK, "r+b") as f:
            for ino, edits in FIELDS.values():
                data = bytearray(fs.image.read(fs.ino_byte(ino), fs.isize))
                for at, new in edits:
                    data[at:at + len(new)] = new
                if crc == "fixed":
                    data[100:104] = crc32c.block_crc(data, 100).to_bytes(4, "little")
                f.seek(fs.ino_byte(ino))
                f.write(data)
        wrong = repaired("fields") or campaign.same_files(WORK, truth + ".list")
        # the negative size becomes the end of the last mapping, which in this file is its size
        tap.put(not wrong, "%d fields of inode cores, checksum %s" % (len(FIELDS), crc), wrong)


def metadata_blocks(fs):
    """(byte, length) of headers, roots of trees, a directory block of each form, attributes, a symlink, inodes."""
    found = []
    for agno in range(fs.agcount):
        base, agf, agi = fs.byte_of(agno, 0), read_agf(fs, agno), read_agi(fs, agno)
        found += [(base + n * fs.ss, fs.ss) for n in range(4)]
        found += [(fs.byte_of(agno, root), fs.bs)
                  for root in (agf.bno_root, agf.cnt_root, agf.rmap_root, agf.refcount_root, agi.root)]
    for ino in (67, 116, 121, 43602, 43606, 43607):
        extent = read_fork(fs, read_inode(fs, ino), False).extents[0]
        found.append((fs.byte_of(*fs.split_fsb(extent[1])), fs.bs))
    for ino in (107, 108):
        found.append((fs.byte_of(*fs.split_fsb(read_fork(fs, read_inode(fs, ino), True).extents[0][1])), fs.bs))
    return found + [(fs.ino_byte(ino), fs.isize) for ino in (64, 71, 95, 99, 109, 121, 43589, 43603)]


def flips(tap, truth):
    """One bit in each of many blocks at once."""
    rng = random.Random(5)
    campaign.copy_sparse(truth, WORK)
    blocks = metadata_blocks(opened(truth))
    with open(WORK, "r+b") as f:
        for start, size in blocks:
            at = start + rng.randrange(size)
            f.seek(at)
            old = f.read(1)[0]
            f.seek(at)
            f.write(bytes([old ^ 1 << rng.randrange(8)]))
    wrong = repaired("flips", "block-bitflip") or campaign.same_files(WORK, truth + ".list")
    if not wrong:       # nothing else changed: but for superblocks, inodes and the LSNs of headers, all bytes are back
        with open(truth, "rb") as a, open(WORK, "rb") as b:
            for start, size in blocks[4:9]:
                a.seek(start), b.seek(start)
                if a.read(size) != b.read(size):
                    wrong += "block at byte %d is not what it was\n" % start
    tap.put(not wrong, "one flipped bit in each of %d blocks" % len(blocks), wrong)


def compare_wiped(truth, wiped):
    """Files outside of `wiped` are the same; those inside keep contents under their names, the size rounded up."""
    old, new = opened(truth), opened(WORK)
    before, after = listing(old), listing(new)
    wrong = "".join("%s: %s\n" % (path, "lost" if path in before else "new") for path in set(before) ^ set(after))
    for path in set(before) & set(after):
        if before[path] == after[path]:
            continue
        ino = int(before[path][1])
        if ino not in wiped or before[path][0] != after[path][0] or int(after[path][1]) != ino:
            wrong += "%s: %s\n" % (path, after[path])
        elif before[path][0] == "f":
            a = content.file_bytes(old, read_inode(old, ino))
            b = content.file_bytes(new, read_inode(new, ino))
            # what was allocated behind the end of the file counts as a part of it now
            if b[:len(a)].ljust(len(a), b"\0") != a:
                wrong += "%s: contents differ\n" % path
    return wrong


def wiped(tap, truth):
    inos = [ino for ino in range(71, 121) if ino != 97 and ino not in (115, 116)]
    for what, fill, also in (("zeroes", bytes, ()), ("junk", random.Random(3).randbytes, ()),
                             ("and the inobt", bytes, ("inobt",))):
        campaign.copy_sparse(truth, WORK)
        fs = opened(truth)
        with open(WORK, "r+b") as f:
            for ino in inos:
                f.seek(fs.ino_byte(ino))
                f.write(fill(fs.isize))
            if also:
                f.seek(fs.byte_of(0, read_agi(fs, 0).root))
                f.write(bytes(fs.bs))
        wrong = repaired("wiped", "inode-remade") or compare_wiped(truth, set(inos))
        tap.put(not wrong, "%d wiped inodes, %s" % (len(inos), what), wrong)


def compare_numbers(truth):
    """Each file that owned blocks is there under its number, with its contents, under whatever name."""
    old, new = opened(truth), opened(WORK)
    after = {int(columns[1]): columns for columns in listing(new).values()}
    wrong = ""
    for path, columns in listing(old).items():
        ino = int(columns[1])
        if columns[0] != "f" or not read_inode(old, ino).nextents:
            continue
        a = content.file_bytes(old, read_inode(old, ino))
        b = content.file_bytes(new, read_inode(new, ino)) if ino in after else b""
        if ino not in after or b[:len(a)].ljust(len(a), b"\0") != a:
            wrong += "%s: %s\n" % (path, "contents differ" if ino in after else "lost")
    return wrong


def wiped_directories(tap, truth):
    fs = opened(truth)
    for what, first, count in (("a cluster with directories", 96, 32), ("the root chunk", 64, 64),
                               ("a chunk of short directories", 43584, 64)):
        campaign.copy_sparse(truth, WORK)
        with open(WORK, "r+b") as f:
            f.seek(fs.ino_byte(first))
            f.write(bytes(count * fs.isize))
        wrong = repaired("directories", "inode-remade") or compare_numbers(truth)
        tap.put(not wrong, "wiped: " + what, wrong)
    campaign.copy_sparse(truth, WORK)
    with open(WORK, "r+b") as f:
        f.write(bytes(1 << 20))
    wrong = repaired("first MiB", "sb-primary")
    tap.put(not wrong, "wiped: the first MiB", wrong)


def superblocks(tap, image, keep=()):
    campaign.copy_sparse(image, WORK)
    fs = opened(image)
    with open(WORK, "r+b") as f:
        for agno in range(fs.agcount):
            if agno not in keep:
                f.seek(fs.byte_of(agno, 0))
                f.write(bytes(fs.ss))
    wrong = repaired("superblocks") or campaign.same_files(WORK, image + ".list")
    tap.put(not wrong, "superblocks of %s lost, all but %s" % (os.path.basename(image), list(keep)), wrong)


def root_number(tap, truth):
    for number in (68, 1 << 40):
        campaign.copy_sparse(truth, WORK)
        with open(WORK, "r+b") as f:
            data = bytearray(f.read(512))
            data[56:64] = struct.pack(">Q", number)
            data[224:228] = crc32c.block_crc(data, 224).to_bytes(4, "little")
            f.seek(0)
            f.write(data)
        wrong = repaired("root", "sb-field") or campaign.same_files(WORK, truth + ".list")
        tap.put(not wrong, "the superblock names inode %d as root" % number, wrong)


def main():
    tap = campaign.Tap()
    truth = campaign.sample()
    fields(tap, truth)
    flips(tap, truth)
    wiped(tap, truth)
    wiped_directories(tap, truth)
    superblocks(tap, truth)
    superblocks(tap, truth, (1,))
    superblocks(tap, truth, (0,))
    for name in ("plain", "v4", "quota"):
        superblocks(tap, shipped(name))
    root_number(tap, truth)
    campaign.remove(WORK)
    tap.end()


main()
