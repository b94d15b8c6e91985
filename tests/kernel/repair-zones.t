#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair and zones: reverse mappings and counters of blocks in use follow from the files, and testify for files that are damaged.

Linux mounts no filesystem in which a counter is wrong.  Where the box has a kernel that knows zones it judges, too.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "cli")]

import campaign  # noqa: E402
import metaimage  # noqa: E402
from groupdamage import (FORCE, LONG, ask_kernel, both, core, judge, keep, killed, listing, moved, one, records, root,  # noqa: E402
                         super_of)
from repairlab import Lab, repair  # noqa: E402


def in_use(group, count):
    return lambda d: d.meta("rtgroups/%d.rmap" % group, 128, 4, count)


def bitmap_instead(d):
    """A file of another kind where reverse mappings were."""
    d.meta("rtgroups/1.rmap", 6, 2, 5)


ROWS = (    # what, finding, action, may inodes of the metadata directory get other names or numbers
    ("a counter is too large", "inode-field", in_use(1, 300), False), ("a counter is too small", "inode-field", in_use(0, 1), False),
    ("a counter is no number of blocks", "inode-field", in_use(5, 0xffffffff), False),
    ("counters of all zones", "inode-field", both(*(in_use(n, 99) for n in range(6))), False),
    ("a record of reverse mappings", "rmap-missing", root("0.rmap", 4 + 24 + 3, b"\x44"), False),
    ("reverse mappings are gone", "rmap-missing", root("1.rmap", 2, b"\0\0"), False),
    ("reverse mappings are gone, and the counter", "rmap-missing", both(root("1.rmap", 2, b"\0\0"), in_use(1, 0)), False),
    ("root of reverse mappings is junk", "fork-damaged", root("0.rmap", 0, b"junk" * 20), False),
    ("format of reverse mappings", "rmap-missing", lambda d: d.meta("rtgroups/1.rmap", 5, 1, 2), False),
    ("inode of reverse mappings is wiped", "inode-wiped", lambda d: d.wipe("rtgroups/1.rmap"), False),
    ("inodes of all reverse mappings are wiped", "inode-wiped", lambda d: d.wipe(*("rtgroups/%d.rmap" % n for n in range(6))), False),
    ("/rtgroups is wiped", "inode-wiped", lambda d: d.wipe("rtgroups"), False),
    ("every inode of the tree is wiped", "inode-wiped", lambda d: d.wipe(*(row[0] for row in metaimage.tree(d.path))), True),
    ("type of reverse mappings", "inode-field", bitmap_instead, False),
    ("group of reverse mappings", "inode-field", lambda d: d.meta("rtgroups/1.rmap", 20, 2, 2), False),
    ("a name in /rtgroups", "dir-name", lambda d: d.meta("rtgroups", 176 + 6 + 3, 1, ord("9")), False),
    ("free extents of the superblock", "sb-primary", super_of(152, struct.pack(">Q", 5)), False),
    ("number of zones in the superblock", "sb-primary", super_of(272, struct.pack(">I", 9)), False),
    ("all records of a fork are junk", "fork-damaged", records("rt2", b"junk" * 12), False),
    ("count of extents and of blocks are zero", "fork-damaged", both(core("rt0", 24, 8, 0), core("rt0", 64, 8, 0)), False),
    ("format of a fork is that of a tree", "fork-damaged", core("rt0", 5, 1, 3), False),
    ("forks of all files are junk", "fork-damaged", both(*(records("rt%d" % n, b"\xa5" * 48) for n in range(3))), False),
    ("a record leads to blocks of another file", "fork-damaged", moved("rt2", 0, 512), False),
    ("a record leads to blocks that are free", "fork-damaged", moved("rt2", 0, 512 + 250), False),
)
MANY = (
    ("a leaf of reverse mappings is zeroed", "fork-damaged", lambda d: d.leaf("rtgroups/1.rmap", bytes(d.fs.bs)), False),
    ("root above leaves is gone", "rmap-missing", root("1.rmap", 0, bytes(200)), False),
    ("a counter above leaves", "inode-field", in_use(1, 1), False),
)


def run(lab, kind, rows, asked, results):
    image, rt = metaimage.made(kind)
    work, workrt = lab.path("work.img"), lab.path("work.rt")
    truth = listing(image, rt), metaimage.tree(image)
    wrong = judge(image, rt)
    lab.ok(not wrong, "%s: nothing is found where nothing is wrong" % kind, wrong)
    for what, ident, action, other in rows:
        campaign.copy_sparse(image, work)
        campaign.copy_sparse(rt, workrt)
        wrong = one(work, workrt, truth, ident, action, not other)
        lab.ok(not wrong, "%s: %s" % (kind, what), wrong)
        if asked and not wrong:
            keep(lab, results, work, workrt)


def held(lab, image, rt):
    """A finding that is not to be mended leaves the counter alone."""
    work, workrt = lab.copy(image, "work.img"), lab.copy(rt, "work.rt")
    damage = metaimage.Meta(work, workrt)
    in_use(1, 300)(damage)
    damage.close()
    repair("--skip=inode-field", *FORCE, "-r", workrt, work)
    again = repair("-n", *FORCE, "-r", workrt, work)
    lab.ok(again.code == 1 and "blocks in use of zone 1 (found 300" in again.err, "--skip leaves a counter as it is", again)


def main():
    lab, results = Lab("repair-zones"), []
    asked = campaign.box_knows(metaimage.made("zones")[0])
    run(lab, "zones", ROWS, asked, results)
    run(lab, "zones-many", MANY, asked, results)
    ask_kernel(lab, results)
    image, rt = metaimage.made("zones")
    held(lab, image, rt)
    actions = [root("0.rmap", 0, b"junk" * 20), in_use(1, 300), lambda d: d.wipe("rtgroups/2.rmap")]
    killed(lab, image, rt, (listing(image, rt),), actions, 1 if LONG else 3)
    lab.end()


if __name__ == "__main__":
    main()
