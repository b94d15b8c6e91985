# SPDX-License-Identifier: BSD-2-Clause
"""The realtime section: free space bitmaps and summaries, rt superblock fields, rtrmapbt and rtrefcountbt
against the file mappings (format sheet 10, sections 2 to 6)."""

import array
import struct

from xfsread import btree as b
from xfsread.content import file_bytes
from xfsread.dablocks import Missing
from xfsread.forks import read_fork
from xfsread.fs import RT_BLOCK
from xfsread.inode import read_inode

from . import space
from .groups import OWN_FS

BMPZ, SUMY = 0x424D505A, 0x53554D59


class RtGroup:
    """One rtgroup, or the whole classic section; has what the space rules ask of a Group."""

    def __init__(self, fs, number, extents):
        self.fs = fs
        self.rep = fs.rep
        self.agno = number
        self.name = "rt group %d" % number if fs.sb.metadir else "rt section"
        self.extents = extents
        self.claims = []
        self.trees = {}
        self.free = []

    def used(self):
        """Sorted [start, end] of used rt extents."""
        size = max(1, self.fs.sb.rextsize)
        pieces = [(start // size, (start + count - 1) // size + 1) for start, count, _, _ in self.claims if count]
        return space.merge(pieces)

    def free_runs(self):
        return space.subtract([[0, self.extents]], self.used())


class Realtime:
    """Collects groups from the claims of all inodes, then compares with what the metadata files say."""

    def __init__(self, fs, rules, inodes):
        self.fs = fs
        self.rep = fs.rep
        self.inodes = inodes
        self.walks = rules.meta_walks
        self.groups = self.make_groups()
        for rtb, count, owner, offset in rules.rt_claims:
            number, block = self.split(rtb)
            if number < len(self.groups):
                self.groups[number].claims.append((block, count, owner, offset))

    def split(self, rtb):
        sb = self.fs.sb
        return (rtb >> sb.rgblklog, rtb & ((1 << sb.rgblklog) - 1)) if sb.metadir else (0, rtb)

    def make_groups(self):
        sb = self.fs.sb
        if not sb.metadir:
            return [RtGroup(self.fs, 0, sb.rextents)]
        sizes = [min(sb.rgextents, sb.rextents - n * sb.rgextents) for n in range(sb.rgcount)]
        groups = [RtGroup(self.fs, n, size) for n, size in enumerate(sizes)]
        if groups and not sb.zoned:
            groups[0].claims.append((0, sb.rextsize, OWN_FS, 0))
        return groups

    def run(self):
        fs, sb = self.fs, self.fs.sb
        for group in self.groups:
            space.check_overlaps(group, group.claims, "space-claimed-twice")
            space.check_doubles(group)
        files = self.group_files() if sb.metadir else {}
        total = 0
        for group in self.groups:
            runs = group.free_runs()
            total += sum(end - start for start, end in runs)
            if not sb.zoned:
                self.check_bitmap(group, runs, files)
            self.check_trees(group, files)
        right = 0 if sb.zoned else total
        if sb.frextents != right:
            fs.rep.add("sb-frextents", "superblock", sb.frextents, right)

    def group_files(self):
        """{"N.bitmap": inode number} of the metadata directory."""
        root = self.inodes.get(self.fs.sb.metadirino)
        for name, child, _ in (root.entries if root and root.entries else ()):
            if name == b"rtgroups" and child in self.inodes:
                return {name.decode("latin-1"): ino for name, ino, _ in self.inodes[child].entries or ()}
        self.rep.add("rt-missing", "metadata directory", "no rtgroups", "a directory")
        return {}

    def content(self, group, kind, ino, magic):
        """Bitmap or summary words as little-endian bytes, None when unreadable."""
        fs = self.fs
        where = "%s %s" % (group.name, kind)
        if ino is None or ino not in self.inodes:
            self.rep.add("rt-missing", where, "no file", "an inode in use")
            return None
        inode = read_inode(fs, ino)
        fork = read_fork(fs, inode, False)
        if inode.size > fork.blocks() * fs.bs or inode.size > 1 << 32:
            self.rep.add("rt-size", where, inode.size, "at most %d mapped bytes" % (fork.blocks() * fs.bs))
            return None
        if not fs.sb.metadir:
            return file_bytes(fs, inode, fork)
        words = array.array("I")
        for block in range(inode.size // fs.bs):
            found = fork.lookup(block)
            if found is None:
                raise Missing("%s: hole at block %d" % (where, block))
            buf = fs.read_fsb(found[0])
            place = "%s block %d" % (where, block)
            if struct.unpack_from(">I", buf, 0)[0] != magic:
                self.rep.add("rt-magic", place, buf[:4].hex(), "%08x" % magic)
                return None
            fs.check_header("rt", place, buf, RT_BLOCK, fs.fsb_daddr(found[0]), ino)
            words.frombytes(buf[48:])
        words.byteswap()
        return words.tobytes()

    def check_bitmap(self, group, runs, files):
        fs, sb = self.fs, self.fs.sb
        if sb.metadir:
            inos = [files.get("%d.%s" % (group.agno, kind)) for kind in ("bitmap", "summary")]
            per, levels = fs.bs - 48, sb.rgextents.bit_length()
        else:
            inos, per, levels = [sb.rbmino, sb.rsumino], fs.bs, sb.rextents.bit_length()
        bits = bytearray(sb.rbmblocks * per)
        runs = [(start, min(end, 8 * len(bits))) for start, end in runs if start < 8 * len(bits)]
        sums = [0] * (levels * sb.rbmblocks)
        for start, end in runs:
            _set_bits(bits, start, end)
            sums[((end - start).bit_length() - 1) * sb.rbmblocks + start // (per * 8)] += 1
        blocks = -(-len(sums) * 4 // per)
        want = struct.pack("<%dI" % len(sums), *sums).ljust(blocks * per, b"\0")
        for kind, ino, right, magic in (("bitmap", inos[0], bytes(bits), BMPZ), ("summary", inos[1], want, SUMY)):
            try:
                found = self.content(group, kind, ino, magic)
            except Missing as err:
                self.rep.add("rt-" + kind, group.name, str(err), "a mapped file")
                continue
            if found is None:
                continue
            if len(found) != len(right):
                self.rep.add("rt-size", "%s %s" % (group.name, kind), len(found), len(right))
            elif found != right:
                at = next(i for i in range(0, len(right), 4) if found[i:i + 4] != right[i:i + 4])
                self.rep.add("rt-" + kind, "%s word %d" % (group.name, at // 4), found[at:at + 4].hex(),
                             right[at:at + 4].hex())

    def check_trees(self, group, files):
        """rtrmapbt and rtrefcountbt of one group."""
        sb = self.fs.sb
        if not sb.metadir:
            return
        for bit, name, kind, alias in ((sb.rmapbt, "rmap", b.RTRMAPBT, b.RMAPBT),
                                       (sb.reflink, "refcount", b.RTREFCOUNTBT, b.REFCOUNTBT)):
            if not bit:
                continue
            walk = self.walks.get(files.get("%d.%s" % (group.agno, name)))
            if walk is None or walk.kind is not kind:
                self.rep.add("rt-missing", "%s %s" % (group.name, name), "no tree", "a btree inode")
                continue
            group.trees[alias] = walk
        if b.RMAPBT in group.trees:
            space.check_rmapbt(group)
            self.check_in_use(group, files)
        if b.REFCOUNTBT in group.trees:
            flags = {ino: bool(known.flags2 & 2) for ino, known in self.inodes.items()}
            space.check_refcountbt(group, flags)


    def check_in_use(self, group, files):
        """The inode of a zone's reverse mappings counts blocks in use in its field cowextsize."""
        if not self.fs.sb.zoned:
            return
        inode = read_inode(self.fs, files["%d.rmap" % group.agno])
        count = sum(end - start for start, end in group.used())
        if inode.cowextsize != count:
            self.rep.add("rt-in-use", group.name, inode.cowextsize, count)


def _set_bits(bits, start, end):
    """Set bits [start, end), least significant first."""
    first, last = (start + 7) // 8, end // 8
    if first > last:
        for bit in range(start, end):
            bits[bit >> 3] |= 1 << (bit & 7)
        return
    for bit in range(start, first * 8):
        bits[bit >> 3] |= 1 << (bit & 7)
    bits[first:last] = b"\xff" * (last - first)
    for bit in range(last * 8, end):
        bits[bit >> 3] |= 1 << (bit & 7)


def check_realtime(fs, rules, inodes):
    """All realtime rules; nothing to do without a realtime section."""
    sb = fs.sb
    if sb.rblocks and max(sb.rbmblocks, sb.rgcount if sb.metadir else 0) * fs.bs > fs.image.size:
        fs.rep.add("rt-size", "superblock", "%d bitmap blocks, %d groups" % (sb.rbmblocks, sb.rgcount),
                   "files that fit the data device")
    elif sb.rblocks:
        Realtime(fs, rules, inodes).run()
    elif fs.sb.frextents:
        fs.rep.add("sb-frextents", "superblock", fs.sb.frextents, 0)
