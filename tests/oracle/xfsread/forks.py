# SPDX-License-Identifier: BSD-2-Clause
"""Forks of an inode: local data, extent lists, bmap btrees (format sheets 02 section 2.3 and 03 section 3)."""

import bisect
import struct

from . import inode as di
from .btree import BMBT, BMBT_MAXLEN, RM_OFFMASK, Walk, max_levels_bmbt, node_entries


def decode_extent(l0, l1):
    """(file offset, start block, length, unwritten) of one 128-bit record."""
    return l0 >> 9 & RM_OFFMASK, (l0 & 0x1FF) << 43 | l1 >> 21, l1 & BMBT_MAXLEN, l0 >> 63


def encode_extent(offset, start, length, unwritten):
    return unwritten << 63 | offset << 9 | start >> 43, (start & ((1 << 43) - 1)) << 21 | length


class Fork:
    """One fork: `format`, `local` bytes, `extents` [(offset, fsb, length, unwritten)], `bmbt` blocks (fsb)."""

    def __init__(self, fmt):
        self.format = fmt
        self.local = b""
        self.extents = []
        self.bmbt = []
        self.broken = False
        self._starts = None

    def lookup(self, block):
        """(fsb, blocks left in this extent, unwritten) that maps file block `block`, or None."""
        if self._starts is None:
            self._starts = [extent[0] for extent in self.extents]
        index = bisect.bisect_right(self._starts, block) - 1
        if index < 0:
            return None
        offset, fsb, length, unwritten = self.extents[index]
        if block >= offset + length:
            return None
        return fsb + block - offset, offset + length - block, unwritten

    def blocks(self):
        return sum(extent[2] for extent in self.extents)


def read_fork(fs, inode, attr):
    """Decode the data fork, or with `attr` the attribute fork; problems are reported, `broken` is then set."""
    name = "attr" if attr else "data"
    fmt = inode.aformat if attr else inode.format
    area = inode.attr_area() if attr else inode.data_area()
    count = inode.anextents if attr else inode.nextents
    fork = Fork(fmt)
    where = "inode %d %s fork" % (inode.ino, name)
    if attr and not inode.forkoff:
        fork.format = di.EXTENTS
        return fork
    if fmt == di.LOCAL:
        fork.local = area
    elif fmt == di.EXTENTS:
        _read_list(fs, where, area, count, fork)
    elif fmt == di.BTREE:
        _read_bmbt(fs, where, inode, area, attr, fork)
        if not fork.broken and len(fork.extents) != count:
            fs.rep.add("fork-nextents", where, count, len(fork.extents))
        if len(fork.extents) <= len(area) // 16 and not fork.broken:
            fs.rep.add("fork-fits-inline", where, "btree of %d extents" % len(fork.extents), "extents format")
    realtime = bool(inode.flags & di.REALTIME) and not attr
    _check_extents(fs, where, fork, attr, realtime)
    return fork


def _read_list(fs, where, area, count, fork):
    if count > len(area) // 16:
        fs.rep.add("fork-nextents", where, count, "at most %d in the inode" % (len(area) // 16))
        fork.broken = True
        count = len(area) // 16
    for l0, l1 in struct.iter_unpack(">QQ", area[:count * 16]):
        fork.extents.append(decode_extent(l0, l1))


def _read_bmbt(fs, where, inode, area, attr, fork):
    """The root in the inode, then the blocks below."""
    level, count = struct.unpack_from(">HH", area, 0) if len(area) >= 4 else (0, 0)
    room = (len(area) - 4) // 16 if len(area) >= 4 else 0
    limit = max_levels_bmbt(fs, attr)
    if not 1 <= level <= limit or not 1 <= count <= room:
        fs.rep.add("bmbt-root", where, "level %d, %d entries" % (level, count),
                   "level 1..%d, 1..%d entries" % (limit, room))
        fork.broken = True
        return
    walk = Walk(fs, BMBT, where + " bmbt", owner=inode.ino)
    walk.run(node_entries(BMBT, area, 4, count, room), level - 1, root=False)
    fork.bmbt = walk.blocks
    fork.broken = walk.broken
    fork.extents = [decode_extent(*record) for record in walk.records]


def _check_extents(fs, where, fork, attr, realtime):
    """Order, ranges, one AG each (format sheet 03, section 3)."""
    end = 0
    for index, (offset, fsb, length, unwritten) in enumerate(fork.extents):
        at = "%s extent %d" % (where, index)
        if not length:
            fs.rep.add("extent-length", at, 0, "1..%d" % BMBT_MAXLEN)
        if offset < end:
            fs.rep.add("extent-order", at, "offset %d" % offset, "at least %d" % end)
        if offset + length > RM_OFFMASK + 1:
            fs.rep.add("extent-offset", at, offset + length, "at most 2^54")
        end = offset + length
        if realtime:
            _check_rt_extent(fs, at, fsb, length)
        elif not fs.valid_fsb(fsb, max(1, length)):
            fs.rep.add("extent-range", at, "AG %d block %d length %d" % (*fs.split_fsb(fsb), length),
                       "blocks of one AG behind its headers")
            fork.broken = True
        if attr and unwritten:
            fs.rep.add("extent-unwritten", at, "unwritten", "written in an attribute fork")


def _check_rt_extent(fs, at, rtb, length):
    sb = fs.sb
    if not sb.metadir:
        if rtb + length > sb.rblocks:
            fs.rep.add("extent-range", at, "rt block %d length %d" % (rtb, length), "below %d" % sb.rblocks)
        return
    group, block = rtb >> sb.rgblklog, rtb & ((1 << sb.rgblklog) - 1)
    size = sb.rgextents * sb.rextsize
    if group == sb.rgcount - 1:
        size = (sb.rextents - group * sb.rgextents) * sb.rextsize
    if group >= sb.rgcount or block + length > size:
        fs.rep.add("extent-range", at, "rt group %d block %d length %d" % (group, block, length), "inside one group")
    if group == 0 and block < sb.rextsize and not sb.zoned:
        fs.rep.add("extent-range", at, "rt group 0 block %d" % block, "behind the rt superblock")
