# SPDX-License-Identifier: BSD-2-Clause
"""Btrees of all kinds: capacities, heights, and a level-by-level walk that checks the structure as it goes.

Format sheet 02, sections 1 and 2. The walk checks magic, level, header, capacity, minimum fill, sibling chain,
exact low (and high) keys of every node entry; what the records mean is up to the caller.
"""

import struct

from .device import ReadError
from .fs import LONG_BTREE, NULLAG, NULLFSB, SHORT_BTREE

RM_ATTR, RM_BMBT, RM_UNWRITTEN = 1 << 63, 1 << 62, 1 << 61
RM_OFFMASK = (1 << 54) - 1
SPECIAL = 1 << 63
BMBT_MAXLEN = (1 << 21) - 1


class Kind:
    """One btree kind. `low(rec)` and `high(rec)` give keys as they are stored in nodes."""

    def __init__(self, name, magic4, magic5, rec, key, low, high=None, long_form=False):
        self.name = name
        self.magic4 = magic4
        self.magic5 = magic5
        self.rec = struct.Struct(rec)
        self.key = struct.Struct(key)
        self.low = low
        self.high = high
        self.overlapping = high is not None
        self.long_form = long_form
        self.keylen = self.key.size * (2 if self.overlapping else 1)
        self.ptrlen = 8 if long_form else 4
        self.ptrcode = "Q" if long_form else "I"

    def header(self, fs):
        if self.long_form:
            return 72 if fs.v5 else 24
        return 56 if fs.v5 else 16

    def maxrecs(self, fs, level):
        room = fs.bs - self.header(fs)
        return room // (self.keylen + self.ptrlen) if level else room // self.rec.size


def _rmap_low(rec):
    return rec[0], rec[2], rec[3] & ~RM_UNWRITTEN


def _rmap_high(rec):
    start, count, owner, offset = rec
    offset &= ~RM_UNWRITTEN
    if not owner & SPECIAL and not offset & RM_BMBT:
        offset = ((offset & RM_OFFMASK) + count - 1) | (offset & RM_ATTR)
    return start + count - 1, owner, offset


def _first(rec):
    return rec[:1]


def _bmbt_low(rec):
    return (rec[0] >> 9 & RM_OFFMASK,)


BNOBT = Kind("bnobt", 0x41425442, 0x41423342, ">II", ">II", lambda r: r)
CNTBT = Kind("cntbt", 0x41425443, 0x41423343, ">II", ">II", lambda r: r)
INOBT = Kind("inobt", 0x49414254, 0x49414233, ">IIQ", ">I", _first)
FINOBT = Kind("finobt", 0x46494254, 0x46494233, ">IIQ", ">I", _first)
RMAPBT = Kind("rmapbt", None, 0x524D4233, ">IIQQ", ">IQQ", _rmap_low, _rmap_high)
REFCOUNTBT = Kind("refcountbt", None, 0x52334643, ">III", ">I", _first)
BMBT = Kind("bmbt", 0x424D4150, 0x424D4133, ">QQ", ">Q", _bmbt_low, long_form=True)
RTRMAPBT = Kind("rtrmapbt", None, 0x4D415052, ">IIQQ", ">IQQ", _rmap_low, _rmap_high, long_form=True)
RTREFCOUNTBT = Kind("rtrefcountbt", None, 0x52434E54, ">III", ">I", _first, long_form=True)


def height(minleaf, minnode, count):
    """Levels of the worst packed tree of `count` records."""
    blocks = -(-count // max(1, minleaf))
    levels = 1
    while blocks > 1:
        blocks = -(-blocks // max(2, minnode))
        levels += 1
    return levels


def space_height(minnode, blocks):
    """Levels of the tallest tree that `blocks` blocks can make."""
    if not blocks:
        return 0
    node, left, levels = 2, blocks - 1, 1
    while node < left:
        left -= node
        node *= max(2, minnode)
        levels += 1
    return levels


def max_levels(fs, kind):
    """Maximum height of an AG tree (format sheet 02, section 1.6)."""
    leaf, node = kind.maxrecs(fs, 0) // 2, kind.maxrecs(fs, 1) // 2
    if kind in (BNOBT, CNTBT):
        return height(leaf, node, (fs.agblocks + 1) // 2)
    if kind in (INOBT, FINOBT):
        return height(leaf, node, (1 << (fs.agblklog + fs.inopblog)) // 64)
    if kind is RMAPBT and fs.sb.reflink:
        return space_height(node, fs.agblocks)
    return height(leaf, node, fs.agblocks)


def max_levels_bmbt(fs, attr_fork):
    leaf, node = BMBT.maxrecs(fs, 0) // 2, BMBT.maxrecs(fs, 1) // 2
    rootmax = 2 if attr_fork else 3
    if fs.sb.nrext64:
        count = (1 << 32) - 1 if attr_fork else (1 << 48) - 1
    else:
        count = (1 << 15) - 1 if attr_fork else (1 << 31) - 1
    blocks, levels = -(-count // leaf), 1
    while blocks > 1:
        blocks = 1 if blocks <= rootmax else -(-blocks // node)
        levels += 1
    return levels


class Walk:
    """State and results of one walk: `blocks` (agbno or fsbno, all levels) and `records` (tuples, tree order)."""

    def __init__(self, fs, kind, label, agno=None, owner=None):
        self.fs = fs
        self.rep = fs.rep
        self.kind = kind
        self.label = label
        self.agno = agno
        self.owner = agno if owner is None else owner
        self.null = NULLFSB if kind.long_form else NULLAG
        self.blocks = []
        self.records = []
        self.broken = False
        self.seen = set()

    def add(self, ident, where, found, expected=None):
        self.rep.add(self.kind.name + "-" + ident, where, found, expected)

    def spoil(self, ident, where, found, expected=None):
        """A finding after which the record list is not complete."""
        self.broken = True
        self.add(ident, where, found, expected)

    def valid(self, ptr):
        if self.kind.long_form:
            return self.fs.valid_fsb(ptr)
        return self.fs.valid_agbno(self.agno, ptr)

    def read(self, ptr):
        """(bytes, daddr) of a block."""
        agno, agbno = self.fs.split_fsb(ptr) if self.kind.long_form else (self.agno, ptr)
        return self.fs.read_ag(agno, agbno), self.fs.daddr_of(agno, agbno)

    def run(self, tops, level, root=True):
        """Walk from the blocks `tops` = [(pointer, low, high)] at `level` down to the leaves.

        root: the single top block is the tree's root (keys None: nothing is stored about it).
        """
        while tops is not None:
            wanted = []
            for top in tops:
                if not self.valid(top[0]):
                    self.spoil("pointer", "%s level %d" % (self.label, level), top[0], "a block of the AG")
                elif top[0] in self.seen:
                    self.spoil("loop", "%s level %d" % (self.label, level), top[0], "each block once")
                else:
                    self.seen.add(top[0])
                    wanted.append(top)
            tops = self.one_level(wanted, level, root)
            root = False
            level -= 1
        return self

    def one_level(self, wanted, level, root):
        children = []
        for index, (ptr, low, high) in enumerate(wanted):
            where = "%s block %d" % (self.label, ptr)
            self.blocks.append(ptr)
            try:
                buf, daddr = self.read(ptr)
            except ReadError as err:
                self.spoil("read", where, str(err))
                continue
            count = self.check_block(where, buf, daddr, level, root, len(wanted) == 1)
            left = wanted[index - 1][0] if index else self.null
            right = wanted[index + 1][0] if index + 1 < len(wanted) else self.null
            self.check_siblings(where, buf, left, right)
            if count is None:
                continue
            own = self.leaf(buf, count) if level == 0 else self.node(buf, count, children)
            if low is not None and own is not None:
                self.check_keys(where, (low, high), own)
        return children if level else None

    def check_block(self, where, buf, daddr, level, root, alone):
        """Header checks; number of entries, or None when the content can't be used."""
        fs, kind = self.fs, self.kind
        magic, found_level, count = struct.unpack_from(">IHH", buf, 0)
        right_magic = kind.magic5 if fs.v5 else kind.magic4
        if magic != right_magic:
            self.spoil("magic", where, "0x%08x" % magic, "0x%08x" % right_magic)
            return None
        fs.check_header(kind.name, where, buf, LONG_BTREE if kind.long_form else SHORT_BTREE, daddr, self.owner)
        if kind.long_form and fs.v5 and any(buf[68:72]):
            self.add("pad", where, buf[68:72].hex(), "zeros")
        if found_level != level:
            self.spoil("level", where, found_level, level)
            return None
        limit = kind.maxrecs(fs, level)
        if count > limit:
            self.spoil("numrecs", where, count, "at most %d" % limit)
            return None
        if root:
            least = 2 if level else 0
        elif kind.long_form and alone:
            least = 1
        else:
            least = limit // 2
        if count < least:
            self.add("fill", where, count, "at least %d" % least)
        return count

    def check_siblings(self, where, buf, left, right):
        found = struct.unpack_from(">QQ" if self.kind.long_form else ">II", buf, 8)
        if found[0] != left:
            self.add("sibling", where + " left", found[0], left)
        if found[1] != right:
            self.add("sibling", where + " right", found[1], right)

    def leaf(self, buf, count):
        """Take the records; (low, high) key of the block."""
        kind = self.kind
        start = kind.header(self.fs)
        records = list(kind.rec.iter_unpack(memoryview(buf)[start:start + count * kind.rec.size]))
        self.records.extend(records)
        if not records:
            return None
        if not kind.overlapping:
            return kind.low(records[0]), None
        return kind.low(records[0]), max(map(kind.high, records))

    def node(self, buf, count, children):
        """Append (pointer, low, high) of the entries to children; (low, high) key of the block."""
        start = self.kind.header(self.fs)
        entries = node_entries(self.kind, buf, start, count, self.kind.maxrecs(self.fs, 1))
        if self.kind.overlapping:
            entries = [self.mask_unwritten(entry) for entry in entries]
        children.extend(entries)
        if not entries:
            return None
        if not self.kind.overlapping:
            return entries[0][1], None
        return entries[0][1], max(entry[2] for entry in entries)

    def mask_unwritten(self, entry):
        """Old kernels stored the unwritten flag in node keys; it never belongs there."""
        ptr, low, high = entry
        if (low[2] | high[2]) & RM_UNWRITTEN:
            self.add("key-unwritten", "%s entry for block %d" % (self.label, ptr), "flag set", "flag clear")
            low = low[0], low[1], low[2] & ~RM_UNWRITTEN
            high = high[0], high[1], high[2] & ~RM_UNWRITTEN
        return ptr, low, high

    def check_keys(self, where, stored, own):
        if stored[0] != own[0]:
            self.add("lowkey", where, stored[0], own[0])
        if stored[1] != own[1]:
            self.add("highkey", where, stored[1], own[1])


def node_entries(kind, buf, start, count, maxrecs):
    """[(pointer, low key, high key or None)] of a node whose keys begin at `start`; maxrecs places the pointers."""
    view = memoryview(buf)
    keys = list(kind.key.iter_unpack(view[start:start + count * kind.keylen]))
    ptrs = struct.unpack_from(">%d%s" % (count, kind.ptrcode), buf, start + maxrecs * kind.keylen)
    if kind.overlapping:
        return list(zip(ptrs, keys[0::2], keys[1::2]))
    return [(ptr, key, None) for ptr, key in zip(ptrs, keys)]


def walk_ag_tree(fs, kind, agno, root, levels):
    """Walk an AG tree whose header says `root` and `levels`."""
    walk = Walk(fs, kind, "AG %d %s" % (agno, kind.name), agno=agno)
    limit = max_levels(fs, kind)
    if not 1 <= levels <= limit:
        walk.spoil("levels", walk.label, levels, "1..%d" % limit)
        return walk
    return walk.run([(root, None, None)], levels - 1)
