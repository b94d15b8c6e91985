# SPDX-License-Identifier: BSD-2-Clause
"""Extended attributes: shortform, leaf, node, remote values (format sheet 03, section 6)."""

import struct

from . import inode as di
from .dablocks import DaTree, Missing, read_blocks
from .fs import NULLFSB, REMOTE
from .names import hashname, parent_hash, printable

F_LOCAL, F_ROOT, F_SECURE, F_PARENT, F_INCOMPLETE = 0x01, 0x02, 0x04, 0x08, 0x80
PREFIX = {0: "user.", F_ROOT: "trusted.", F_SECURE: "security.", F_PARENT: "parent."}
XARM = 0x5841524D


class Attributes:
    """Result: `shape`, `entries` = [(namespace flags, name, value)]; INCOMPLETE ones are left out."""

    def __init__(self, fs, inode, fork):
        self.fs = fs
        self.inode = inode
        self.fork = fork
        self.entries = []
        self.shape = "none"
        self.remote = []        # (first block, number of blocks) of remote values
        self.incomplete = 0
        if not inode.forkoff:
            return
        if inode.aformat == di.LOCAL:
            self.shape = "sf"
            self.read_sf()
        elif fork.extents:
            self.read_blocks()

    def add(self, ident, where, found, expected=None):
        prefix = "inode %d" % self.inode.ino
        self.fs.rep.add("attr-" + ident, "%s %s" % (prefix, where) if where else prefix, found, expected)

    def check_name(self, where, flags, name):
        space = flags & (F_ROOT | F_SECURE | F_PARENT)
        if space & space - 1 or flags & ~(F_ROOT | F_SECURE | F_PARENT | F_LOCAL | F_INCOMPLETE):
            self.add("flags", where, "0x%02x" % flags, "one namespace")
        if b"\0" in name:
            self.add("name", where, printable(name), "no NUL")
        if flags & F_PARENT and not self.fs.sb.parent:
            self.add("flags", where, "parent pointer", "none without the feature")

    def read_sf(self):
        """Inline list: section 6.1."""
        area = self.fork.local
        if len(area) < 4:
            self.add("sf-size", "", len(area), "at least 4 bytes")
            return
        total, count = struct.unpack_from(">HB", area, 0)
        if not 4 <= total <= len(area):
            self.add("sf-size", "", total, "4..%d" % len(area))
            return
        at = 4
        for number in range(count):
            where = "shortform attribute %d" % number
            if at + 3 > total or not area[at] or at + 3 + area[at] + area[at + 1] > total:
                self.add("sf-entry", where, "does not end inside the list", "%d bytes" % total)
                return
            namelen, valuelen, flags = area[at], area[at + 1], area[at + 2]
            at += 3
            name = bytes(area[at:at + namelen])
            at += namelen
            value = bytes(area[at:at + valuelen])
            at += valuelen
            if flags not in (0, F_ROOT, F_SECURE, F_PARENT):
                self.add("flags", where, "0x%02x" % flags, "0, 2, 4 or 8")
            self.check_name(where, flags, name)
            self.entries.append((flags, name, value))
        if at != total:
            self.add("sf-size", "", total, at)

    def read_blocks(self):
        """Leaf or node form, told by block 0."""
        fs = self.fs
        tree = DaTree(fs, self.inode.ino, self.fork, attr=True)
        tree.run(0)
        self.shape = "node" if len(tree.visited) > len(tree.leaves) else "leaf"
        last = -1
        for block, buf in tree.leaves:
            where = "attr leaf %d" % block
            magic = struct.unpack_from(">H", buf, 8)[0]
            if magic != tree.leaf_magic:
                self.add("magic", where, "0x%04x" % magic, "0x%04x" % tree.leaf_magic)
                tree.broken = True
                continue
            last = self.leaf(buf, where, last)
        if not tree.broken and not self.incomplete:
            self.check_orphans(tree.visited)

    def check_orphans(self, visited):
        """Every mapped block of the fork is a tree block or holds a remote value."""
        used = set(visited)
        for first, count in self.remote:
            used.update(range(first, first + count))
        for offset, _, length, _ in self.fork.extents:
            for block in range(offset, offset + length):
                if block not in used:
                    self.add("orphan", "attr block %d" % block, "mapped but unused", "part of the tree or a value")

    def leaf(self, buf, where, last):
        """One leaf block: section 6.2. Returns its last hash."""
        fs = self.fs
        base, start = (56, 80) if fs.v5 else (12, 32)
        count, usedbytes, firstused, holes = struct.unpack_from(">HHHB", buf, base)
        firstused = firstused or 65536
        if start + 8 * count > min(firstused, fs.bs):
            self.add("leaf-count", where, count, "entries end below %d" % firstused)
            return last
        areas = []
        for number in range(count):
            value, nameidx, flags = struct.unpack_from(">IHB", buf, start + 8 * number)
            place = "%s entry %d" % (where, number)
            if value < last:
                self.add("hash-order", place, "0x%08x" % value, "at least 0x%08x" % last)
            last = value
            if not max(firstused, start + 8 * count) <= nameidx <= fs.bs - 4 or nameidx & 3:
                self.add("leaf-nameidx", place, nameidx, "%d..%d" % (firstused, fs.bs - 4))
                continue
            size = self.entry(buf, nameidx, flags, value, place)
            areas.append((nameidx, size))
        self.check_areas(areas, usedbytes, firstused, holes, where)
        for base_, size in struct.iter_unpack(">HH", buf[base + 8:base + 20]):
            if base_ & 3 or size & 3 or base_ + size > fs.bs:
                self.add("leaf-freemap", where, (base_, size), "multiples of 4 inside the block")
        return last

    def check_areas(self, areas, usedbytes, firstused, holes, where):
        total, end = 0, 0
        for start, size in sorted(areas):
            if start < end:
                self.add("leaf-overlap", where, "name record at %d" % start, "at or after %d" % end)
            end = start + size
            total += size
        if total != usedbytes:
            self.add("leaf-usedbytes", where, usedbytes, total)
        low = min((area[0] for area in areas), default=None)
        if low is not None and not holes and firstused != low:
            self.add("leaf-firstused", where, firstused, low)

    def entry(self, buf, at, flags, value_hash, where):
        """One name record; its size in bytes."""
        fs = self.fs
        if flags & F_LOCAL:
            valuelen, namelen = struct.unpack_from(">HB", buf, at)
            size = (3 + namelen + valuelen + 3) & ~3
            name_at = at + 3
        else:
            if at + 9 > fs.bs:
                self.add("leaf-nameidx", where, at, "record inside the block")
                return 0
            block, valuelen, namelen = struct.unpack_from(">IIB", buf, at)
            size = (11 + namelen + 3) & ~3
            name_at = at + 9
        if not namelen or at + size > fs.bs or name_at + namelen > fs.bs:
            self.add("leaf-nameidx", where, "record %d..%d" % (at, at + size), "inside the block, with a name")
            return size
        name = bytes(buf[name_at:name_at + namelen])
        self.check_name(where, flags, name)
        space = flags & (F_ROOT | F_SECURE | F_PARENT)
        if flags & F_INCOMPLETE:
            self.incomplete += 1
            self.add("incomplete", where, "INCOMPLETE", "none after a clean unmount")
            return size
        value = None
        if flags & F_LOCAL:
            value = bytes(buf[name_at + namelen:name_at + namelen + valuelen])
        else:
            value = self.remote_value(block, valuelen, where)
        self.check_hash(space, name, value, value_hash, where)
        self.entries.append((space, name, value))
        return size

    def check_hash(self, space, name, value, found, where):
        if space == F_PARENT and value is not None and len(value) == 12:
            right = parent_hash(self.fs, name, struct.unpack_from(">Q", value, 0)[0])
        else:
            right = hashname(name)
        if found != right:
            self.add("hash", where, "0x%08x" % found, "0x%08x" % right)

    def remote_value(self, block, length, where):
        """The bytes of a remote value, None when they can't be had: section 6.3."""
        fs = self.fs
        room = fs.bs - 56 if fs.v5 else fs.bs
        if not block or length > 65536:
            self.add("remote", where, "block %d length %d" % (block, length), "a block, at most 65536 bytes")
            return None
        count = -(-length // room)
        self.remote.append((block, count))
        value = b""
        for number in range(count):
            place = "%s value block %d" % (where, block + number)
            try:
                buf, daddr = read_blocks(fs, self.fork, block + number, 1)
            except Missing as err:
                self.add("remote", place, str(err), "a mapped block")
                return None
            take = min(room, length - len(value))
            if not fs.v5:
                value += buf[:take]
                continue
            magic, offset, size = struct.unpack_from(">III", buf, 0)
            if (magic, offset, size) != (XARM, len(value), take):
                self.add("remote", place, "magic 0x%08x offset %d bytes %d" % (magic, offset, size),
                         "0x%08x %d %d" % (XARM, len(value), take))
                return None
            fs.check_header("attr-remote", "inode %d %s" % (self.inode.ino, place), buf, REMOTE, daddr,
                            self.inode.ino)
            if struct.unpack_from(">Q", buf, 48)[0] != NULLFSB:
                self.add("remote-lsn", place, struct.unpack_from(">Q", buf, 48)[0], "all ones")
            value += buf[56:56 + take]
        return value
