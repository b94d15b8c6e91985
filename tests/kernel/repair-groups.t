#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair and realtime groups: superblock of the realtime device, bitmaps, summaries, trees and counters of groups follow from the files,
so every damage to them is undone without a loss.

No kernel and no released tool judges here (metaimage.py): the independent reader and the format sheet do.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "cli")]

import campaign  # noqa: E402
import metaimage  # noqa: E402
from groupdamage import (FORCE, LONG, ask_kernel, block, bmbt, both, core, core_raw, fill, judge, keep, killed, listing, moved, one,  # noqa: E402
                         records, root, super_of, swap)
from repairlab import Lab, read, repair  # noqa: E402


def rtsb(offset, data):
    return lambda d: d.super(offset, data)


def all_groups(kind, action):
    return lambda d: [action("%d.%s" % (n, kind))(d) for n in range(d.fs.sb.rgcount)]


RTSB, BITMAP, SUMMARY = "rt-super", "rt-bitmap", "rt-summary"
ROWS = (    # what, finding, action
    ("realtime superblock: magic", RTSB, rtsb(0, b"Toad")), ("realtime superblock: checksum", RTSB, rtsb(4, b"Toad")),
    ("realtime superblock: pad", RTSB, rtsb(8, b"Toad")), ("realtime superblock: label", RTSB, rtsb(12, b"a\xffb")),
    ("realtime superblock: uuid", RTSB, rtsb(30, b"Toad")), ("realtime superblock: uuid of metadata", RTSB, rtsb(44, b"Toad")),
    ("realtime superblock: bytes behind it", RTSB, rtsb(99, b"Toad")), ("realtime superblock: zeroes", RTSB, rtsb(0, bytes(1024))),
    ("bitmap: magic", BITMAP, block("1.bitmap", 0, b"SUMY")), ("bitmap: checksum", BITMAP, block("1.bitmap", 4, b"junk", None)),
    ("bitmap: owner", BITMAP, block("0.bitmap", 8, struct.pack(">Q", 131))), ("bitmap: address", BITMAP, block("0.bitmap", 20, b"\1\1\1")),
    ("bitmap: lsn", "block-lsn", block("2.bitmap", 24, struct.pack(">Q", 99 << 32))), ("bitmap: uuid", BITMAP, block("2.bitmap", 32, b"another one")),
    ("bitmap: two words", BITMAP, block("1.bitmap", 52, b"\xa5\x5a\xa5\x5a\xa5\x5a\xa5\x5a")),
    ("bitmap: bits behind the end of the last group", BITMAP, lambda d: block("%d.bitmap" % (d.fs.sb.rgcount - 1), d.fs.bs - 4, b"\1\1\1\1")(d)),
    ("bitmap: a stale bit", BITMAP, block("0.bitmap", 60, b"\x7f", None)),
    ("summary: magic", SUMMARY, block("1.summary", 0, b"BMPZ")), ("summary: checksum", SUMMARY, block("0.summary", 4, b"junk", None)),
    ("summary: owner", SUMMARY, block("0.summary", 8, struct.pack(">Q", 131))), ("summary: address", SUMMARY, block("2.summary", 20, b"\1\1\1")),
    ("summary: words", SUMMARY, block("1.summary", 60, b"\0\0\0\7")),
    ("all bitmaps are zeroes", BITMAP, all_groups("bitmap", lambda path: fill(path, 0))),
    ("all summaries are ones", SUMMARY, all_groups("summary", lambda path: fill(path, 255))),
    ("everything that is derived is junk", RTSB, both(all_groups("bitmap", lambda path: fill(path, 0x33)),
                                                     all_groups("summary", lambda path: fill(path, 0x44)), rtsb(0, b"junk" * 30),
                                                     super_of(152, struct.pack(">Q", 77)))),
    ("two bitmaps have changed places", BITMAP, swap("0.bitmap", "1.bitmap")),
    ("a bitmap and a summary have changed places", SUMMARY, swap("0.bitmap", "0.summary")),
    ("the superblock names a bitmap", "sb-field", super_of(64, struct.pack(">Q", 129))),
    ("the superblock names a summary", "sb-field", super_of(72, b"\xff" * 8)),
    ("free extents of the superblock", "sb-counter", super_of(152, struct.pack(">Q", 5))),
    ("number of groups in the superblock", "sb-primary", super_of(272, struct.pack(">I", 9))),
    ("size of groups in the superblock", "sb-primary", super_of(276, struct.pack(">I", 301))),
    ("bits of a group's block number", "sb-primary", super_of(280, b"\x0e")),
    ("pad of the superblock", "sb-primary", super_of(281, b"\1")),
    ("extents of the superblock", "sb-primary", super_of(24, struct.pack(">Q", 5))),
    ("bitmap blocks of the superblock", "sb-primary", super_of(92, struct.pack(">I", 7))),
    ("size of a bitmap", "inode-field", lambda d: d.meta("rtgroups/1.bitmap", 56, 8, 77)),
    ("a record of reverse mappings", "rmap-missing", root("0.rmap", 4 + 24 + 3, b"\x44")),
    ("reverse mappings are gone", "rmap-missing", root("1.rmap", 2, b"\0\0")),
    ("level of reverse mappings", "fork-damaged", root("2.rmap", 0, b"\0\3")),
    ("root of reverse mappings is junk", "fork-damaged", root("0.rmap", 0, b"junk" * 20)),
    ("format of reverse mappings", "rmap-missing", lambda d: d.meta("rtgroups/1.rmap", 5, 1, 2)),
    ("a reference count", "refc-differs", root("0.refcount", 4 + 11, b"\3")),
    ("reference counts are gone", "refc-differs", root("0.refcount", 2, b"\0\0")),
    ("a reference count too many", "refc-differs", root("3.refcount", 0, struct.pack(">HHIII", 0, 1, 5, 2, 2))),
    ("all superblocks are lost", "sb-guessed", lambda d: [d.write(d.fs.byte_of(n, 0), bytes(d.fs.ss)) for n in range(d.fs.agcount)]),
    ("size of a summary", "inode-field", lambda d: d.meta("rtgroups/1.summary", 56, 8, 1 << 40)),
)
TREE = (    # what, finding, action, may inodes of the metadata directory get other names or numbers
    ("inode of a bitmap is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/1.bitmap"), False),
    ("inode of a summary is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/0.summary"), False),
    ("inode of reverse mappings is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/1.rmap"), False),
    ("inode of reference counts is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/0.refcount"), False),
    ("all files of a group are wiped", "inode-wiped", lambda d: d.wipe(*("rtgroups/1." + k for k in d.kinds())), False),
    ("inode of a quota file is wiped", "inode-wiped", lambda d: d.wipe("quota/user"), False),
    ("inodes of all quota files are wiped", "inode-wiped", lambda d: d.wipe("quota/user", "quota/group", "quota/project"), False),
    ("/quota is wiped", "inode-wiped", lambda d: d.wipe("quota"), False),
    ("/rtgroups is wiped", "inode-wiped", lambda d: d.wipe("rtgroups"), False),
    ("metadata root is wiped", "inode-wiped", lambda d: d.wipe(""), False),
    ("all directories of the tree are wiped", "inode-wiped", lambda d: d.wipe("", "rtgroups", "quota"), True),
    ("/quota and its files are wiped", "inode-wiped", lambda d: d.wipe("quota", "quota/user", "quota/group", "quota/project"), True),
    ("/rtgroups and the files of a group are wiped", "inode-wiped",
     lambda d: d.wipe("rtgroups", *("rtgroups/2." + k for k in d.kinds())), True),
    ("every inode of the tree is wiped", "inode-wiped", lambda d: d.wipe(*(row[0] for row in metaimage.tree(d.path))), True),
    ("/rtgroups is wiped, and the type of a bitmap", "inode-field",
     lambda d: [d.meta("rtgroups/1.bitmap", 6, 2, 0), d.wipe("rtgroups")], False),
    ("/quota is wiped, and the type of a file", "inode-field", lambda d: [d.meta("quota/group", 6, 2, 0), d.wipe("quota")], False),
    ("type of a bitmap", "inode-field", lambda d: d.meta("rtgroups/1.bitmap", 6, 2, 6), False),
    ("type of a quota file", "inode-field", lambda d: d.meta("quota/user", 6, 2, 3), False),
    ("type of a summary is none", "inode-field", lambda d: d.meta("rtgroups/1.summary", 6, 2, 0), False),
    ("group of a bitmap", "inode-field", lambda d: d.meta("rtgroups/1.bitmap", 20, 2, 2), False),
    ("group of a bitmap is none", "inode-field", lambda d: d.meta("rtgroups/1.bitmap", 20, 2, 99), False),
    ("group of a quota file", "inode-field", lambda d: d.meta("quota/group", 20, 2, 9), False),
    ("the flag of metadata", "inode-field", lambda d: d.meta("rtgroups/2.summary", 120, 8, 0x18), False),
    ("flags of a metadata file", "inode-field", lambda d: d.meta("rtgroups/2.summary", 90, 2, 0), False),
    ("mode of a metadata file", "inode-field", lambda d: d.meta("rtgroups/2.summary", 2, 2, 0o100644), False),
    ("owner of a metadata file", "inode-field", lambda d: d.meta("quota/project", 8, 4, 1000), False),
    ("a name in /rtgroups", "dir-name", lambda d: d.meta("rtgroups", 176 + 6 + 3, 1, ord("9")), False),
    ("a name in /rtgroups twice", "dir-twin", lambda d: d.meta("rtgroups", 176 + 6 + 3, 1, ord("1")), False),
    ("the name of a directory", "dir-name", lambda d: d.meta("", 176 + 6 + 3, 1, ord("x")), False),
    ("an inode of a group is free", "inode-type", lambda d: d.free("rtgroups/1.summary"), True),
)


FORKS = (    # files of the realtime section: their forks follow from the trees of the groups
    ("a record of a fork is junk", "fork-damaged", records("rt0", b"\xff" * 16)),
    ("the last record of a fork is zeroes", "fork-damaged", records("rt2", bytes(16), 2)),
    ("all records of a fork are junk", "fork-damaged", records("rt2", b"junk" * 12)),
    ("a record leads to the realtime superblock", "fork-damaged", records("rt1", bytes(15) + b"\1")),
    ("count of extents is zero", "fork-damaged", core("rt0", 24, 8, 0)),
    ("count of extents and of blocks are zero", "fork-damaged", both(core("rt0", 24, 8, 0), core("rt0", 64, 8, 0))),
    ("count of extents is too small", "fork-damaged", core("rt2", 24, 8, 2)),
    ("count of extents is huge", "fork-damaged", core("rt1", 24, 8, (1 << 48) - 1)),
    ("format of a fork is that of a tree", "fork-damaged", core("rt0", 5, 1, 3)),
    ("format of a fork is local", "fork-damaged", core("rt2", 5, 1, 1)),
    ("format of a fork is none", "fork-damaged", core("rt1", 5, 1, 9)),
    ("forks of all files are junk", "fork-damaged", both(*(records("rt%d" % n, b"\xa5" * 48) for n in range(4)))),
    ("forks that share extents are junk", "fork-damaged", both(records("rt1", b"\xff" * 48), records("rt3", b"\xff" * 32))),
    ("a record leads to extents that are free", "fork-damaged", moved("rt2", 0, 400)),
    ("a record leads to extents of another file", "fork-damaged", moved("rt2", 0, 512)),
    ("records of two files lead to each other's extents", "fork-damaged", both(moved("rt0", 2, 512 + 100), moved("rt2", 0, 512))),
    ("a record leads elsewhere, and the checksum is wrong", "fork-damaged", both(moved("rt1", 0, 100), core_raw("rt1", 100, b"junk"))),
    ("a fork is junk, and the tree of a group that it has nothing in", "fork-damaged",
     both(records("rt2", b"\xff" * 48), root("0.rmap", 0, b"junk" * 20))),
)
BTREES = (    # the same, of a file whose fork is a tree
    ("root of a tree is junk", "fork-damaged", records("rt4", b"junk" * 4)),
    ("root of a tree is zeroes", "fork-damaged", records("rt4", bytes(64))),
    ("leaf of a tree is zeroes", "fork-damaged", lambda d: bmbt("rt4", bytes(d.fs.bs))(d)),
    ("records in a leaf are junk", "fork-damaged", bmbt("rt4", bytes(64) + b"junk" * 9)),
    ("count of a tree is zero", "fork-damaged", core("rt4", 24, 8, 0)),
    ("format of a tree is that of extents", "fork-damaged", core("rt4", 5, 1, 2)),
    ("leaf of a tree is zeroes, and the root of another group's reverse mappings is gone", "fork-damaged",
     lambda d: [bmbt("rt4", bytes(d.fs.bs))(d), root("2.rmap", 0, b"junk" * 20)(d)]),
    ("leaf of a tree is zeroes, and the root above the leaves of reverse mappings is junk", "fork-damaged",
     lambda d: [bmbt("rt4", bytes(d.fs.bs))(d), root("1.rmap", 0, b"junk" * 20)(d)]),
)
LOST = next(row[2] for row in ROWS if row[0] == "all superblocks are lost")
MANY = (("all superblocks are lost", "sb-guessed", LOST),
        ("a leaf of reverse mappings is zeroed", "fork-damaged", lambda d: d.leaf("rtgroups/1.rmap", bytes(d.fs.bs))),
        ("a record in a leaf of reverse mappings", "rmap-missing", lambda d: d.leaf("rtgroups/1.rmap", bytes(64) + b"junk" * 9)),
        ("root above leaves is gone", "rmap-missing", root("1.rmap", 0, bytes(200))),
        ("inode of reverse mappings is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/1.rmap")))
WIDE = (("inode of reverse mappings above leaves is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/1.rmap"), False),
        ("/rtgroups and the directory above it are wiped", "inode-wiped", lambda d: d.wipe("", "rtgroups"), False),
        ("all directories of the tree are wiped", "inode-wiped", lambda d: d.wipe("", "rtgroups", "quota"), True),
        ("/rtgroups is wiped", "inode-wiped", lambda d: d.wipe("rtgroups"), False),
        ("/rtgroups, the directory above it and all superblocks are lost", "inode-wiped",
         both(lambda d: d.wipe("", "rtgroups"), LOST), False),
        ("reverse mappings of the first group and all superblocks are lost", "inode-wiped",
         both(lambda d: d.wipe("rtgroups/0.rmap"), LOST), False),
        ("/rtgroups, a bitmap and all superblocks are lost", "inode-wiped",
         both(lambda d: d.wipe("rtgroups", "rtgroups/0.bitmap"), LOST), False),
        ("/rtgroups, the directory above it and files of three groups are wiped", "inode-wiped",
         lambda d: d.wipe("", "rtgroups", *("rtgroups/%d.%s" % (n, k) for n in (1, 2, 15) for k in d.kinds())), True),
        ("every inode of the tree is wiped", "inode-wiped",
         lambda d: d.wipe(*(row[0] for row in metaimage.tree(d.path))), True))
WIDE_QUICK = {"rtgroups-block": WIDE[:5], "rtgroups-leaf": WIDE[1:2], "rtgroups-bare": WIDE[4:5]}
QUICK = {"rtgroups": ("the superblock names a bitmap", "the superblock names a summary", "all superblocks are lost", "root of reverse mappings is junk", "a reference count", "realtime superblock: label", "realtime superblock: zeroes", "bitmap: owner", "bitmap: lsn", "summary: magic",
                      "everything that is derived is junk", "a bitmap and a summary have changed places",
                      "free extents of the superblock", "size of groups in the superblock", "all files of a group are wiped",
                      "/quota and its files are wiped", "every inode of the tree is wiped", "the name of a directory", "group of a bitmap"),
         "rtgroups-1k": ("all superblocks are lost", "bitmap: bits behind the end of the last group", "everything that is derived is junk", "size of a summary",
                         "every inode of the tree is wiped")}


# What names of files hold that are not there.
LACKS = {"rtgroups": (), "rtgroups-1k": ("quota", "refcount")}


def options(lab, image, rt):
    """--plan names the write to the realtime device; with --skip the finding stays, and nothing is written there."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    damage = metaimage.Meta(work, workrt)
    damage.super(12, b"another")
    damage.close()
    wrong = read(workrt)
    dry = repair("-n", "--plan=-", *FORCE, "-r", workrt, work)
    lab.ok('"realtime superblock"' in dry.out and '"device":"realtime"' in dry.out.replace(" ", ""), "--plan tells of the realtime device", dry)
    held = repair("--skip=rt-super", *FORCE, "-r", workrt, work)
    lab.ok(read(workrt) == wrong, "--skip=rt-super leaves it alone", held)
    done = repair("--undo=" + lab.path("undo"), *FORCE, "-r", workrt, work)
    lab.ok(done.code == 0 and "can't be taken back" in done.err and read(workrt) == read(rt), "--undo says what it does not keep", done)


def clash(lab, image, rt):
    """A file that goes on from one group into the next, whose numbers follow each other here, loses an extent to another one."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    damage = metaimage.Meta(work, workrt)
    thief, victim = [damage.locate("inode:/realtime/" + name) for name in ("rt1", "rt2")]
    lost, = struct.unpack(">Q", damage.read(victim[0] + 176 + 8, 8))
    raw, = struct.unpack(">Q", damage.read(thief[0] + 176 + 16 + 8, 8))
    damage.write(thief[0] + 176 + 16 + 8, struct.pack(">Q", lost & ~0x1fffff | raw & 0x1fffff))
    damage.fix(*thief)
    damage.close()
    done = repair(*FORCE, "-r", workrt, work)
    wrong = str(done) if done.code else judge(work, workrt)
    lab.ok(not wrong, "rtgroups-many: two files claim an extent, one of them goes over the end of a group", wrong)


def upgrade(lab, image, rt):
    """Parent pointers of files whose trees have the whole inode for their roots."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    truth = listing(image, rt)
    done = repair("-c", "parent=1", *FORCE, "-r", workrt, work)
    wrong = str(done) if done.code else judge(work, workrt)
    lab.ok(not wrong and listing(work, workrt) == truth, "rtgroups-many: trees make room for parent pointers", wrong)


def told_once(lab, image, rt):
    """Without the bit of quota: a number in the superblock is one finding."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    damage = metaimage.Meta(work, workrt)
    super_of(160, struct.pack(">Q", 5))(damage)
    damage.close()
    dry = repair("-n", "--json", *FORCE, "-r", workrt, work)
    done = repair(*FORCE, "-r", workrt, work)
    lab.ok(dry.out.count('"uquotino"') == 1, "a number of a quota file in a metadir filesystem is told once", dry)
    lab.ok(done.code == 0 and read(work) == read(image), "and becomes zero", done)


def forks_of(image, rt, *names):
    """(has it the flag of shared extents, format, extents) of files in the realtime section."""
    reader, found = metaimage.Meta(image, rt), []
    for name in names:
        inode = reader.inode("/realtime/" + name)
        start = reader.locate("inode:/realtime/" + name)[0]
        found.append((reader.read(start + 127, 1)[0] & 2, reader.read(start + 5, 1)[0],
                      metaimage.read_fork(reader.fs, inode, False).extents))
    reader.close()
    return found


def btree_forks(lab):
    """With less room in its inode the fork of a file becomes a tree; then that is damaged."""
    image, rt = metaimage.made("rtgroups-many")
    base, work, workrt = lab.copy(image, "base.img"), lab.path("work.img"), lab.path("work.rt")
    damage = metaimage.Meta(base, rt)
    start, size, crc = damage.locate("inode:/realtime/rt4")
    damage.write(start + 82, b"\x08\1")                   # an attribute behind 64 bytes
    damage.write(start + 176 + 64, struct.pack(">HBB", 9, 1, 0) + b"\1\1\0ab")
    damage.fix(start, size, crc)
    damage.close()
    done = repair(*FORCE, "-r", rt, base)
    truth = listing(base, rt), metaimage.tree(base)
    fork, was = [forks_of(path, rt, "rt4")[0] for path in (base, image)]
    wrong = (str(done) if done.code else "") or judge(base, rt) or ("" if fork[1:] == (3, was[2]) else "%s %s" % (fork, was))
    lab.ok(not wrong, "rtgroups-many: less room for a fork makes it a tree", wrong)
    for what, ident, action in BTREES if not wrong else ():
        campaign.copy_sparse(base, work)
        campaign.copy_sparse(rt, workrt)
        wrong = one(work, workrt, truth, ident, action)
        lab.ok(not wrong, "rtgroups-many: %s" % what, wrong)


def wiped_files(lab, image, rt):
    """Inodes of files that share extents are gone: their data come back."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    damage = metaimage.Meta(work, workrt)
    for name in ("rt1", "rt3"):
        start, size, _ = damage.locate("inode:/realtime/" + name)
        damage.write(start, bytes(size))
    damage.close()
    done = repair(*FORCE, "-r", workrt, work)
    wrong = str(done) if done.code else judge(work, workrt)
    was, now = [forks_of(path, rt, "rt1", "rt3") for path in (image, work)]
    lab.ok(not wrong and was == now, "rtgroups: files that were wiped have their extents again", "%s\n%s\n%s\n%s" % (wrong, was, now, done))


def main():
    unknown = {name for names in QUICK.values() for name in names} - {row[0] for row in ROWS + TREE}
    if unknown:
        raise SystemExit("no such damage: %s" % sorted(unknown))
    lab, results = Lab("repair-groups"), []
    asked = campaign.box_knows(metaimage.made("rtgroups")[0])
    work, workrt = lab.path("work.img"), lab.path("work.rt")
    for kind in ("rtgroups", "rtgroups-1k"):
        image, rt = metaimage.made(kind)
        truth = listing(image, rt), metaimage.tree(image)
        forks = FORKS if kind == "rtgroups" else ()
        for what, ident, action, *other in (ROWS + TREE + FORKS) if LONG else [row for row in ROWS + TREE if row[0] in QUICK[kind]] + [*forks]:
            campaign.copy_sparse(image, work)
            campaign.copy_sparse(rt, workrt)
            try:
                wrong = one(work, workrt, truth, ident, action, not any(other))
            except KeyError as missing:
                if not any(part in missing.args[0].decode() for part in LACKS[kind]):
                    raise
                continue
            lab.ok(not wrong, "%s: %s" % (kind, what), wrong)
            if asked and not wrong:
                keep(lab, results, work, workrt)
    image, rt = metaimage.made("rtgroups-many")
    truth = listing(image, rt), metaimage.tree(image)
    wrong = judge(image, rt)
    lab.ok(not wrong, "rtgroups-many: trees that were empty were filled", wrong)
    for what, ident, action in MANY if LONG else MANY[:2] + MANY[3:4]:
        campaign.copy_sparse(image, work)
        campaign.copy_sparse(rt, workrt)
        wrong = one(work, workrt, truth, ident, action)
        lab.ok(not wrong, "rtgroups-many: %s" % what, wrong)
        if asked and not wrong:
            keep(lab, results, work, workrt)
    for kind in ("rtgroups-block", "rtgroups-leaf", "rtgroups-bare"):
        truth = listing(*metaimage.made(kind)), metaimage.tree(metaimage.made(kind)[0])
        for what, ident, action, other in WIDE if LONG else WIDE_QUICK[kind]:
            if kind == "rtgroups-bare" and "reverse mappings" in what:
                continue
            campaign.copy_sparse(metaimage.made(kind)[0], work)
            campaign.copy_sparse(metaimage.made(kind)[1], workrt)
            # without reverse mappings nobody knows the blocks of a directory whose inode is gone
            wrong = one(work, workrt, truth, ident, action, not other and kind != "rtgroups-bare")
            lab.ok(not wrong, "%s: %s" % (kind, what), wrong)
            if asked and not wrong:
                keep(lab, results, work, workrt)
    ask_kernel(lab, results)
    clash(lab, image, rt)
    upgrade(lab, image, rt)
    btree_forks(lab)
    told_once(lab, *metaimage.made("rtgroups-1k"))
    image, rt = metaimage.made("rtgroups")
    wiped_files(lab, image, rt)
    options(lab, image, rt)
    truth = listing(image, rt),
    for start in ("everything that is derived", "every inode of the tree") if LONG else ("everything that is derived",):
        killed(lab, image, rt, truth, [row[2] for row in ROWS + TREE if row[0].startswith(start)], 1 if LONG else 6)
    lab.end()


if __name__ == "__main__":
    main()
