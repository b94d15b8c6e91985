# SPDX-License-Identifier: BSD-2-Clause
"""Directories in all five shapes, decoded and checked (format sheet 03, section 5)."""

import struct

from . import inode as di
from .dablocks import DIR_LEAF1, DIR_LEAFN, DaTree, Missing, read_blocks
from .fs import DA_BLOCK, DIR_DATA
from .names import dirhash, printable

BLOCK_MAGIC = (0x58444233, 0x58443242)
DATA_MAGIC = (0x58444433, 0x58443244)
FREE_MAGIC = (0x58444633, 0x58443246)
NULLBEST = 0xFFFF


class Directory:
    """Result: `shape`, `parent`, `entries` = [(name, ino, ftype)] without . and .. ; ftype None when not stored."""

    def __init__(self, fs, inode, fork):
        self.fs = fs
        self.inode = inode
        self.fork = fork
        self.index = 0 if fs.v5 else 1
        self.data_start = 64 if fs.v5 else 16
        self.parent = None
        self.entries = []
        self.pointers = {}      # address of an entry -> hash of its name
        self.bests = {}         # data block number -> longest free area
        self.shape = "sf"
        self.dots = {}
        if inode.format == di.LOCAL:
            self.read_sf()
        elif inode.format in (di.EXTENTS, di.BTREE):
            self.read_blocks()

    def add(self, ident, where, found, expected=None):
        prefix = "inode %d" % self.inode.ino
        self.fs.rep.add("dir-" + ident, "%s %s" % (prefix, where) if where else prefix, found, expected)

    def entry_size(self, namelen):
        return (11 + namelen + (1 if self.fs.sb.ftype else 0) + 7) & ~7

    def check_entry(self, where, name, ftype):
        if b"/" in name or b"\0" in name:
            self.add("name", where, printable(name), "no / and no NUL")
        if ftype is not None and ftype > 8:
            self.add("ftype", where, ftype, "0..8")

    # --- shortform ---

    def read_sf(self):
        """Inline directory: section 5.1."""
        size, area = self.inode.size, self.fork.local
        if size > len(area) or size < 6:
            self.add("sf-size", "", size, "6..%d" % len(area))
            return
        count, big = area[0], area[1]
        width = 8 if big else 4
        if 2 + width > size:
            self.add("sf-size", "", size, "at least %d" % (2 + width))
            return
        self.parent = int.from_bytes(area[2:2 + width], "big")
        at, last = 2 + width, 96 if self.fs.v5 else 48
        wide = int(self.parent > 0xFFFFFFFF)
        extra = 1 if self.fs.sb.ftype else 0
        for number in range(count):
            where = "shortform entry %d" % number
            if at + 3 > size or area[at] == 0 or at + 3 + area[at] + extra + width > size:
                self.add("sf-entry", where, "does not end inside the directory", "%d bytes" % size)
                return
            namelen = area[at]
            offset = area[at + 1] << 8 | area[at + 2]
            at += 3
            name = bytes(area[at:at + namelen])
            at += namelen
            ftype = area[at] if extra else None
            at += extra
            ino = int.from_bytes(area[at:at + width], "big")
            at += width
            wide += ino > 0xFFFFFFFF
            if offset < last or offset & 7:
                self.add("sf-offset", where, offset, "at least %d, multiple of 8" % last)
            last = max(last, offset) + self.entry_size(namelen)
            self.check_entry(where, name, ftype)
            self.entries.append((name, ino, ftype))
        if at != size:
            self.add("sf-size", "", size, at)
        if big != wide:
            self.add("sf-i8count", "", big, wide)
        if last + (count + 2) * 8 + 8 > self.fs.dirsize:
            self.add("sf-offset", "", "ends at %d" % last, "fits a block directory")

    # --- block, leaf, node ---

    def read_blocks(self):
        fs, fork = self.fs, self.fork
        if not fork.extents:
            self.add("empty", "", "no extents", "a directory block")
            return
        end = fork.extents[-1][0] + fork.extents[-1][2]
        if end == fs.dirblocks:
            self.shape = "block"
        elif end == fs.leafblk + fs.dirblocks:
            self.shape = "leaf"
        elif end > fs.leafblk + fs.dirblocks:
            self.shape = "node"
        else:
            self.add("shape", "", "last mapped block %d" % (end - 1), "a block, leaf or node directory")
            return
        last = self.read_data()
        size = (last + 1) * fs.dirsize
        if self.inode.size != size:
            self.add("size", "", self.inode.size, size)
        if self.shape == "leaf":
            self.check_leaf1()
        elif self.shape == "node":
            self.check_node()
        self.check_dots()

    def mapped(self, start, stop):
        """First file blocks of the mapped directory blocks in [start, stop), ascending."""
        step = self.fs.dirblocks
        seen = []
        for offset, _, length, _ in self.fork.extents:
            low, high = max(offset, start), min(offset + length, stop)
            for block in range(low // step * step, high, step) if low < high else ():
                if not seen or seen[-1] != block:
                    seen.append(block)
        return seen

    def fetch(self, block, what):
        """(bytes, daddr) of a directory block or None."""
        try:
            return read_blocks(self.fs, self.fork, block, self.fs.dirblocks)
        except Missing as err:
            self.add("hole", "%s block %d" % (what, block), str(err), "a whole directory block")
            return None

    def read_data(self):
        """All data blocks; number of the last."""
        last = -1
        for block in self.mapped(0, self.fs.leafblk):
            number = block // self.fs.dirblocks
            last = number
            got = self.fetch(block, "data")
            if got is None:
                continue
            where = "data block %d" % number
            magic = (BLOCK_MAGIC if self.shape == "block" else DATA_MAGIC)[self.index]
            found = struct.unpack_from(">I", got[0], 0)[0]
            if found != magic:
                self.add("magic", where, "0x%08x" % found, "0x%08x" % magic)
                continue
            self.fs.check_header("dir", "inode %d %s" % (self.inode.ino, where), got[0], DIR_DATA, got[1],
                                 self.inode.ino)
            if self.fs.v5 and any(got[0][60:64]):
                self.add("pad", where, got[0][60:64].hex(), "zeros")
            self.data_block(number, got[0], where)
        return last

    def data_block(self, number, buf, where):
        end = self.fs.dirsize
        if self.shape == "block":
            count, stale = struct.unpack_from(">II", buf, end - 8)
            if count > (end - 8 - self.data_start) // 8:
                self.add("count", where, count, "fits the block")
                return
            leaf_start = end - 8 - 8 * count
            end = leaf_start
        free = self.tile(number, buf, end, where)
        self.check_bestfree(number, buf, free, where)
        if self.shape == "block":
            entries = list(struct.iter_unpack(">II", buf[leaf_start:leaf_start + 8 * count]))
            self.check_hashes(entries, stale, where)

    def tile(self, number, buf, end, where):
        """Used and free areas must cover the data area exactly; returns [(offset, length)] of the free ones."""
        free, at, was_free = [], self.data_start, False
        base = number * self.fs.dirsize
        while at < end:
            place = "%s offset %d" % (where, at)
            if end - at < 8:
                self.add("tiling", place, "%d bytes left" % (end - at), "an entry")
                break
            if buf[at] == 0xFF and buf[at + 1] == 0xFF:
                length = buf[at + 2] << 8 | buf[at + 3]
                if length < 8 or length & 7 or at + length > end:
                    self.add("tiling", place, "free area of %d" % length, "8..%d, multiple of 8" % (end - at))
                    break
                if was_free:
                    self.add("free-adjacent", place, "second free area in a row", "one merged area")
                free.append((at, length))
                was_free = True
            else:
                length = self.used_entry(buf, at, end, base, place)
                if not length:
                    break
                was_free = False
            tag = buf[at + length - 2] << 8 | buf[at + length - 1]
            if tag != at:
                self.add("tag", place, tag, at)
            at += length
        return free

    def used_entry(self, buf, at, end, base, place):
        """One used entry; its size, 0 when it is not sane."""
        namelen = buf[at + 8] if at + 9 <= end else 0
        length = self.entry_size(namelen)
        if not namelen or at + length > end:
            self.add("tiling", place, "entry with name of %d bytes" % namelen, "fits in %d bytes" % (end - at))
            return 0
        ino = struct.unpack_from(">Q", buf, at)[0]
        name = bytes(buf[at + 9:at + 9 + namelen])
        ftype = buf[at + 9 + namelen] if self.fs.sb.ftype else None
        self.pointers[(base + at) // 8] = dirhash(self.fs, name)
        self.check_entry(place, name, ftype)
        if name in (b".", b".."):
            if name in self.dots:
                self.add("dots", place, "second " + printable(name), "one")
            self.dots[name] = (base + at, ino, ftype)
        else:
            self.entries.append((name, ino, ftype))
        return length

    def check_bestfree(self, number, buf, free, where):
        table = struct.unpack_from(">6H", buf, 48 if self.fs.v5 else 4)
        slots = list(zip(table[0::2], table[1::2]))
        lengths = sorted((length for _, length in free), reverse=True)[:3]
        want = lengths + [0] * (3 - len(lengths))
        areas = set(free)
        bad = [length for _, length in slots] != want
        used = [slot for slot in slots if slot[1]]
        bad |= any(slot not in areas for slot in used) or len(set(used)) != len(used)
        bad |= any(slot[0] for slot in slots if not slot[1])
        if bad:
            self.add("bestfree", where, slots, "lengths %s" % want)
        self.bests[number] = lengths[0] if lengths else 0

    def check_dots(self):
        """. and .. are the first two entries of block 0 (the numbers are judged with the tree)."""
        first = self.data_start
        for name, place in ((b".", first), (b"..", first + 16)):
            if name not in self.dots:
                self.add("dots", "", "no " + printable(name), "an entry")
            elif self.dots[name][0] != place:
                self.add("dots", printable(name), "at %d" % self.dots[name][0], place)
            elif self.dots[name][2] not in (None, 2):
                self.add("ftype", printable(name), self.dots[name][2], 2)
        if b"." in self.dots and self.dots[b"."][1] != self.inode.ino:
            self.add("dots", ".", self.dots[b"."][1], self.inode.ino)
        if b".." in self.dots:
            self.parent = self.dots[b".."][1]

    # --- hash entries and free index ---

    def check_hashes(self, entries, stale, where):
        """Sorted hash entries: each used data entry once, with the right hash; stale ones counted."""
        hashes = [entry[0] for entry in entries]
        if hashes != sorted(hashes):
            self.add("hash-order", where, "not ascending", "ascending")
        dead = sum(1 for entry in entries if not entry[1])
        if dead != stale:
            self.add("stale", where, stale, dead)
        self.match_pointers([entry for entry in entries if entry[1]], where)

    def match_pointers(self, live, where):
        seen = set()
        for value, address in live:
            if address in seen:
                self.add("hash-entry", where, "address %d twice" % address, "once")
            elif address not in self.pointers:
                self.add("hash-entry", where, "address %d hash 0x%08x" % (address, value), "a used data entry")
            elif self.pointers[address] != value:
                self.add("hash", "%s address %d" % (where, address), "0x%08x" % value,
                         "0x%08x" % self.pointers[address])
            seen.add(address)
        for address in self.pointers.keys() - seen:
            self.add("hash-missing", "%s address %d" % (where, address), "no hash entry",
                     "0x%08x" % self.pointers[address])

    def leaf_entries(self, buf, room, where):
        """(entries, stale) of a LEAF1 or LEAFN block; entries may use the bytes before `room`."""
        at = 56 if self.fs.v5 else 12
        start = 64 if self.fs.v5 else 16
        count, stale = struct.unpack_from(">HH", buf, at)
        if start + 8 * count > room:
            self.add("count", where, count, "at most %d" % ((room - start) // 8))
            count = max(0, (room - start) // 8)
        return list(struct.iter_unpack(">II", buf[start:start + 8 * count])), stale

    def check_leaf1(self):
        fs, where = self.fs, "leaf block"
        got = self.fetch(fs.leafblk, "leaf")
        if got is None:
            return
        buf, daddr = got
        forw, back, magic = struct.unpack_from(">IIH", buf, 0)
        if magic != DIR_LEAF1[self.index]:
            self.add("magic", where, "0x%04x" % magic, "0x%04x" % DIR_LEAF1[self.index])
            return
        fs.check_header("dir", "inode %d %s" % (self.inode.ino, where), buf, DA_BLOCK, daddr, self.inode.ino)
        if forw or back:
            self.fs.rep.add("da-sibling", "inode %d leaf block" % self.inode.ino, (forw, back), (0, 0))
        bestcount = struct.unpack_from(">I", buf, fs.dirsize - 4)[0]
        want = self.best_table()
        room = fs.dirsize - 4 - 2 * min(bestcount, fs.dirsize // 4)
        entries, stale = self.leaf_entries(buf, room, where)
        self.check_hashes(entries, stale, where)
        if bestcount != len(want):
            self.add("bests", where + " bestcount", bestcount, len(want))
            return
        bests = struct.unpack_from(">%dH" % bestcount, buf, room)
        for number, (found, right) in enumerate(zip(bests, want)):
            if found != right:
                self.add("bests", "%s data block %d" % (where, number), found, right)

    def best_table(self):
        """What the free index should hold: one value a data block, 0xffff for a hole."""
        count = max(self.bests, default=-1) + 1
        return [self.bests.get(number, NULLBEST) for number in range(count)]

    def check_node(self):
        fs = self.fs
        tree = DaTree(fs, self.inode.ino, self.fork, attr=False).run(fs.leafblk)
        live, last = [], -1
        for block, buf in tree.leaves:
            where = "leaf block %d" % block
            magic = struct.unpack_from(">H", buf, 8)[0]
            if magic != DIR_LEAFN[self.index]:
                self.add("magic", where, "0x%04x" % magic, "0x%04x" % DIR_LEAFN[self.index])
                continue
            entries, stale = self.leaf_entries(buf, fs.dirsize, where)
            hashes = [entry[0] for entry in entries]
            if hashes != sorted(hashes) or (hashes and hashes[0] < last):
                self.add("hash-order", where, "not ascending", "ascending")
            last = hashes[-1] if hashes else last
            dead = sum(1 for entry in entries if not entry[1])
            if dead != stale:
                self.add("stale", where, stale, dead)
            live.extend(entry for entry in entries if entry[1])
        if not tree.broken:
            self.match_pointers(live, "leaves")
        for block in self.mapped(fs.leafblk, fs.freeblk):
            if block not in tree.visited and not tree.broken:
                self.add("orphan", "leaf block %d" % block, "mapped but not in the hash tree", "part of the tree")
        self.check_free_index()

    def check_free_index(self):
        """Free index blocks: section 5.4."""
        fs, want = self.fs, self.best_table()
        start = 64 if fs.v5 else 16
        per = (fs.dirsize - start) // 2
        blocks = {(block - fs.freeblk) // fs.dirblocks: block for block in self.mapped(fs.freeblk, 1 << 62)}
        for number, block in blocks.items():
            where = "free block %d" % number
            got = self.fetch(block, "free")
            if got is None:
                continue
            buf, daddr = got
            magic = struct.unpack_from(">I", buf, 0)[0]
            if magic != FREE_MAGIC[self.index]:
                self.add("magic", where, "0x%08x" % magic, "0x%08x" % FREE_MAGIC[self.index])
                continue
            fs.check_header("dir", "inode %d %s" % (self.inode.ino, where), buf, DIR_DATA, daddr, self.inode.ino)
            self.one_free_block(buf, number * per, per, start, want, where)
        for number in range((len(want) + per - 1) // per):
            part = want[number * per:(number + 1) * per]
            if number not in blocks and any(best != NULLBEST for best in part):
                self.add("free-index", "free block %d" % number, "missing", "an index of data blocks")

    def one_free_block(self, buf, first, per, start, want, where):
        firstdb, nvalid, nused = struct.unpack_from(">III", buf, 48 if self.fs.v5 else 4)
        part = want[first:first + per]
        if firstdb != first:
            self.add("free-index", where + " firstdb", firstdb, first)
        while part and part[-1] == NULLBEST:
            part.pop()
        used = sum(1 for best in part if best != NULLBEST)
        if nused != used:
            self.add("free-index", where + " nused", nused, used)
        if nvalid != len(part):
            self.add("free-index", where + " nvalid", nvalid, len(part))
        nvalid = min(nvalid, per)
        found = struct.unpack_from(">%dH" % nvalid, buf, start)
        part += [NULLBEST] * (nvalid - len(part))
        for number, (have, right) in enumerate(zip(found, part)):
            if have != right:
                self.add("bests", "%s data block %d" % (where, first + number), have, right)
