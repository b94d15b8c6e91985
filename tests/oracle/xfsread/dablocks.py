# SPDX-License-Identifier: BSD-2-Clause
"""Hash trees of directories and attribute forks: da blocks read through the fork, node walk down to the leaves.

Format sheet 03, sections 5.3, 5.4 and 6.2.
"""

import struct

from .fs import DA_BLOCK

NODE = (0x3EBE, 0xFEBE)
DIR_LEAF1 = (0x3DF1, 0xD2F1)
DIR_LEAFN = (0x3DFF, 0xD2FF)
ATTR_LEAF = (0x3BEE, 0xFBEE)
MAX_DEPTH = 5


class Missing(Exception):
    """A da block is not mapped (fully) by the fork."""


def read_blocks(fs, fork, block, count):
    """(bytes, daddr of the first block) of `count` file blocks from `block` on, possibly in several extents."""
    pieces = []
    daddr = None
    while count:
        found = fork.lookup(block)
        if found is None or found[2]:
            raise Missing("file block %d is a hole" % block)
        take = min(count, found[1])
        pieces.append(fs.read_fsb(found[0], take))
        if daddr is None:
            daddr = fs.fsb_daddr(found[0])
        block += take
        count -= take
    return (pieces[0] if len(pieces) == 1 else b"".join(pieces)), daddr


class DaTree:
    """One hash tree. After run(): `leaves` = [(block, bytes)] in hash order, `visited` = all da blocks."""

    def __init__(self, fs, owner, fork, attr):
        self.fs = fs
        self.owner = owner
        self.fork = fork
        self.count = 1 if attr else fs.dirblocks
        self.size = self.count * fs.bs
        self.what = "attr" if attr else "dir"
        self.header = 64 if fs.v5 else 16
        self.magic_index = 0 if fs.v5 else 1
        self.leaf_magic = ATTR_LEAF[self.magic_index] if attr else DIR_LEAFN[self.magic_index]
        self.leaves = []
        self.visited = set()
        self.broken = False

    def where(self, block):
        return "inode %d %s block %d" % (self.owner, self.what, block)

    def spoil(self, ident, block, found, expected=None):
        self.broken = True
        self.fs.rep.add("da-" + ident, self.where(block), found, expected)

    def fetch(self, block):
        """(bytes, magic) with the V5 header checked, or None."""
        if block in self.visited:
            self.spoil("loop", block, "reached again", "once")
            return None
        self.visited.add(block)
        try:
            buf, daddr = read_blocks(self.fs, self.fork, block, self.count)
        except Missing as err:
            self.spoil("hole", block, str(err), "a mapped block")
            return None
        magic, pad = struct.unpack_from(">HH", buf, 8)
        self.fs.check_header("da", self.where(block), buf, DA_BLOCK, daddr, self.owner)
        if pad:
            self.fs.rep.add("da-pad", self.where(block), pad, 0)
        return buf, magic

    def run(self, root):
        """Walk level by level from the root block."""
        got = self.fetch(root)
        if got is None:
            return self
        level = self.level_of(root, *got)
        blocks = [(root, got[0], None)]
        while level:
            blocks = self.children(blocks, level)
            level -= 1
        self.check_chain(blocks)
        self.leaves = [(block, buf) for block, buf, _ in blocks]
        for block, buf, stored in blocks:
            self.check_last_hash(block, buf, stored, self.leaf_last_hash(buf))
        return self

    def level_of(self, root, buf, magic):
        if magic != NODE[self.magic_index]:
            return 0
        level = self.node_header(buf)[1]
        if not 1 <= level <= MAX_DEPTH:
            self.spoil("level", root, level, "1..%d" % MAX_DEPTH)
            return 0
        return level

    def node_header(self, buf):
        """(count, level) of a node."""
        return struct.unpack_from(">HH", buf, 56 if self.fs.v5 else 12)

    def leaf_last_hash(self, buf):
        count = struct.unpack_from(">H", buf, 56 if self.fs.v5 else 12)[0]
        start = (80 if self.fs.v5 else 32) if self.what == "attr" else self.header
        if not count or start + 8 * count > self.size:
            return None
        return struct.unpack_from(">I", buf, start + 8 * (count - 1))[0]

    def check_last_hash(self, block, buf, stored, last):
        if stored is not None and last is not None and stored != last:
            self.fs.rep.add("da-hashval", self.where(block), "0x%08x" % stored, "0x%08x" % last)

    def children(self, blocks, level):
        """The blocks below one level of nodes."""
        below = []
        self.check_chain(blocks)
        for block, buf, stored in blocks:
            count, found = self.node_header(buf)
            if found != level:
                self.spoil("level", block, found, level)
                continue
            if not 1 <= count <= (self.size - self.header) // 8:
                self.spoil("count", block, count, "1..%d" % ((self.size - self.header) // 8))
                continue
            entries = list(struct.iter_unpack(">II", buf[self.header:self.header + 8 * count]))
            hashes = [entry[0] for entry in entries]
            if hashes != sorted(hashes):
                self.fs.rep.add("da-order", self.where(block), "hashes not ascending", "ascending")
            self.check_last_hash(block, buf, stored, hashes[-1])
            for value, child in entries:
                got = self.fetch(child)
                if got is None:
                    continue
                magic = NODE[self.magic_index] if level > 1 else self.leaf_magic
                if got[1] != magic:
                    self.spoil("magic", child, "0x%04x" % got[1], "0x%04x" % magic)
                    continue
                below.append((child, got[0], value))
        return below

    def check_chain(self, blocks):
        """forw and back of the blocks of one level."""
        for index, (block, buf, _) in enumerate(blocks):
            forw, back = struct.unpack_from(">II", buf, 0)
            right = blocks[index + 1][0] if index + 1 < len(blocks) else 0
            left = blocks[index - 1][0] if index else 0
            if forw != right:
                self.fs.rep.add("da-sibling", self.where(block) + " forw", forw, right)
            if back != left:
                self.fs.rep.add("da-sibling", self.where(block) + " back", back, left)
