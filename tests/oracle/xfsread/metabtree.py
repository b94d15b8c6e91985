# SPDX-License-Identifier: BSD-2-Clause
"""Btrees rooted in the data fork of realtime metadata inodes (format sheet 02 section 2.6, sheet 10 section 4)."""

import struct

from .btree import RTREFCOUNTBT, RTRMAPBT, Walk, node_entries

KINDS = {7: RTRMAPBT, 8: RTREFCOUNTBT}
MAX_LEVEL = 9


def read_meta_btree(fs, inode):
    """The Walk over the whole tree (blocks below the root, records); None when the root is unusable."""
    kind = KINDS.get(inode.metatype)
    area = inode.data_area()
    where = "inode %d data fork" % inode.ino
    if kind is None or len(area) < 4:
        fs.rep.add("metabtree-root", where, "metatype %d" % inode.metatype, "7 or 8")
        return None
    level, count = struct.unpack_from(">HH", area, 0)
    size = kind.rec.size if level == 0 else kind.keylen + kind.ptrlen
    # a root of reference counts leaves 4 bytes more for each entry (seen of Linux 6.18), blocks do not
    room = (len(area) - 4) // (size + (4 if level and kind is RTREFCOUNTBT else 0))
    if level > MAX_LEVEL or count > room or level and not count:
        fs.rep.add("metabtree-root", where, "level %d, %d entries" % (level, count), "at most %d entries" % room)
        return None
    walk = Walk(fs, kind, where + " " + kind.name, owner=inode.ino)
    if level == 0:
        walk.records = list(kind.rec.iter_unpack(area[4:4 + count * size]))
        return walk
    return walk.run(node_entries(kind, area, 4, count, room), level - 1, root=False)
