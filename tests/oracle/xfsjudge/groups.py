# SPDX-License-Identifier: BSD-2-Clause
"""Rules of one allocation group: headers, trees, records (format sheets 01 section 9 and 11, 02 section 2 to 5)."""

from xfsread import btree as b
from xfsread.aghdr import AGF_MAGIC, AGFL_MAGIC, AGI_MAGIC, Agfl, read_agf, read_agi
from xfsread.btree import walk_ag_tree
from xfsread.fs import NULLAG

COW = 1 << 31
OWN_FS, OWN_LOG, OWN_AG, OWN_INOBT, OWN_INODES, OWN_REFC, OWN_COW = ((1 << 64) - n for n in range(3, 10))
OWNER_NAMES = {OWN_FS: "headers", OWN_LOG: "log", OWN_AG: "AG trees", OWN_INOBT: "inode trees",
               OWN_INODES: "inode chunks", OWN_REFC: "refcountbt", OWN_COW: "CoW staging"}
RM_FLAGS = b.RM_ATTR | b.RM_BMBT | b.RM_UNWRITTEN


class Chunk:
    """One inobt record: agino of inode 0, holemask, count, freecount, free bitmap."""

    __slots__ = ("startino", "holemask", "count", "freecount", "free")

    def __init__(self, fs, record):
        self.startino, middle, self.free = record
        if fs.sb.sparse:
            self.holemask, self.count, self.freecount = middle >> 16, middle >> 8 & 0xFF, middle & 0xFF
        else:
            self.holemask, self.count, self.freecount = 0, 64, middle

    def exists(self, index):
        return not self.holemask >> (index >> 2) & 1

    def is_free(self, index):
        return self.free >> index & 1

    def real(self):
        """64-bit mask of the inodes that exist."""
        return sum(0xF << 4 * bit for bit in range(16) if not self.holemask >> bit & 1)


class Group:
    """Headers and trees of an AG, judged on construction. Claims on its space are collected in `claims`:
    (start, length, owner, offset with flags), like rmap records."""

    def __init__(self, fs, agno):
        self.fs = fs
        self.rep = fs.rep
        self.agno = agno
        self.name = "AG %d" % agno
        self.claims = [(0, fs.agflblock + 1, OWN_FS, 0)]
        self.trees = {}
        self.chunks = []
        self.free = []
        self.unlinked = {}      # agino on a list -> its bucket
        self.read_headers()
        self.walk_trees()
        self.check_free_space()
        self.check_inobt()
        if fs.sb.rmapbt:
            self.check_rmaps(self.trees[b.RMAPBT].records)
        if fs.sb.reflink:
            self.check_refcounts(self.trees[b.REFCOUNTBT].records)
        self.collect_claims()

    def need(self, good, ident, where, found, expected):
        if not good:
            self.rep.add(ident, "%s %s" % (self.name, where), found, expected)

    # --- headers ---

    def read_headers(self):
        fs, agno = self.fs, self.agno
        self.agf, self.agi, self.agfl = read_agf(fs, agno), read_agi(fs, agno), Agfl(fs, agno)
        self.common("agf", self.agf, AGF_MAGIC, 216)
        self.common("agi", self.agi, AGI_MAGIC, 312)
        self.check_agf()
        self.check_agi()
        self.check_agfl()

    def common(self, what, header, magic, crc):
        fs, where = self.fs, "%s %s" % (self.name, what.upper())
        self.need(header.magicnum == magic, what + "-magicnum", what.upper(), hex(header.magicnum), hex(magic))
        self.need(header.versionnum == 1, what + "-versionnum", what.upper(), header.versionnum, 1)
        self.need(header.seqno == self.agno, what + "-seqno", what.upper(), header.seqno, self.agno)
        size = fs.agsize(self.agno)
        self.need(header.length == size, what + "-length", what.upper(), header.length, size)
        if fs.v5:
            fs.check_checksum(what, where, header.raw, crc)
            self.need(header.uuid == fs.uuid, what + "-uuid", what.upper(), header.uuid.hex(), fs.uuid.hex())
            fs.check_lsn(what, where, header.lsn)

    def check_agf(self):
        fs, agf = self.fs, self.agf
        size = fs.agfl_size
        self.need(agf.flfirst < size, "agf-flfirst", "AGF", agf.flfirst, "below %d" % size)
        self.need(agf.fllast < size, "agf-fllast", "AGF", agf.fllast, "below %d" % size)
        self.need(agf.flcount <= size, "agf-flcount", "AGF", agf.flcount, "at most %d" % size)
        span = (agf.fllast - agf.flfirst + 1) % size
        good = agf.flcount == span or span == 0 and agf.flcount == size
        self.need(good, "agf-flcount", "AGF", agf.flcount, "%d (flfirst %d, fllast %d)" %
                  (span, agf.flfirst, agf.fllast))
        if fs.v5:
            self.need(not any(agf.spare64) and not agf.spare2, "agf-spare", "AGF", "nonzero", "zeros")
        if not fs.sb.rmapbt:
            found = (agf.rmap_root, agf.rmap_level, agf.rmap_blocks if fs.v5 else 0)
            self.need(not any(found), "agf-rmap-unused", "AGF", found, "zeros without rmapbt")
        if not fs.sb.reflink and fs.v5:
            found = (agf.refcount_root, agf.refcount_level, agf.refcount_blocks)
            self.need(not any(found), "agf-refcount-unused", "AGF", found, "zeros without reflink")

    def check_agi(self):
        fs, agi = self.fs, self.agi
        self.need(agi.dirino == NULLAG, "agi-dirino", "AGI", agi.dirino, NULLAG)
        first, last = fs.agino_range(self.agno)
        good = agi.newino == NULLAG or first <= agi.newino <= last
        self.need(good, "agi-newino", "AGI", agi.newino, "%d..%d or all ones" % (first, last))
        for bucket, agino in enumerate(agi.unlinked):
            if agino == NULLAG:
                continue
            self.rep.add("agi-unlinked", "%s bucket %d" % (self.name, bucket), agino, "all ones after a clean unmount")
        if fs.v5:
            self.need(agi.pad32 == 0, "agi-pad", "AGI", agi.pad32, 0)
            if not fs.sb.finobt:
                found = (agi.free_root, agi.free_level)
                self.need(not any(found), "agi-finobt-unused", "AGI", found, "zeros without finobt")
            if not fs.sb.inobtcnt:
                found = (agi.iblocks, agi.fblocks)
                self.need(not any(found), "agi-counts-unused", "AGI", found, "zeros without inobtcount")

    def check_agfl(self):
        fs, agfl, where = self.fs, self.agfl, "AGFL"
        if fs.v5:
            self.need(agfl.magicnum == AGFL_MAGIC, "agfl-magicnum", where, hex(agfl.magicnum), hex(AGFL_MAGIC))
            self.need(agfl.seqno == self.agno, "agfl-seqno", where, agfl.seqno, self.agno)
            self.need(agfl.uuid == fs.uuid, "agfl-uuid", where, agfl.uuid.hex(), fs.uuid.hex())
            fs.check_checksum("agfl", "%s AGFL" % self.name, agfl.raw, 32)
            fs.check_lsn("agfl", "%s AGFL" % self.name, agfl.lsn)
            for index, agbno in enumerate(agfl.slots):
                good = agbno == NULLAG or agbno < fs.agblocks
                self.need(good, "agfl-slot", "AGFL slot %d" % index, agbno, "below %d or all ones" % fs.agblocks)
        self.agfl_blocks = []
        for agbno in agfl.active(self.agf):
            if fs.valid_agbno(self.agno, agbno):
                self.agfl_blocks.append(agbno)
            else:
                self.rep.add("agfl-entry", "%s AGFL" % self.name, agbno, "a block of the AG")

    # --- trees ---

    def walk_trees(self):
        fs, agf, agi, sb = self.fs, self.agf, self.agi, self.fs.sb
        wanted = [(b.BNOBT, agf.bno_root, agf.bno_level), (b.CNTBT, agf.cnt_root, agf.cnt_level),
                  (b.INOBT, agi.root, agi.level)]
        if sb.finobt:
            wanted.append((b.FINOBT, agi.free_root, agi.free_level))
        if sb.rmapbt:
            wanted.append((b.RMAPBT, agf.rmap_root, agf.rmap_level))
        if sb.reflink:
            wanted.append((b.REFCOUNTBT, agf.refcount_root, agf.refcount_level))
        for kind, root, level in wanted:
            self.trees[kind] = walk_ag_tree(fs, kind, self.agno, root, level)
        self.count_blocks()

    def blocks(self, kind):
        return len(self.trees[kind].blocks) if kind in self.trees else 0

    def tree_blocks(self):
        """Blocks of the trees that the free list feeds, but for their roots: as free as free ones to the superblock."""
        return sum(self.blocks(kind) - 1 for kind in (b.BNOBT, b.CNTBT, b.RMAPBT) if kind in self.trees)

    def count_blocks(self):
        """Row 9 of the invariants, and the block counts of the headers."""
        agf, agi, sb = self.agf, self.agi, self.fs.sb
        checks = []
        if sb.lazy:
            checks.append(("agf-btreeblks", agf.btreeblks, self.tree_blocks()))
        if sb.rmapbt:
            checks.append(("agf-rmap-blocks", agf.rmap_blocks, self.blocks(b.RMAPBT)))
        if sb.reflink:
            checks.append(("agf-refcount-blocks", agf.refcount_blocks, self.blocks(b.REFCOUNTBT)))
        if sb.inobtcnt:
            checks.append(("agi-iblocks", agi.iblocks, self.blocks(b.INOBT)))
            checks.append(("agi-fblocks", agi.fblocks, self.blocks(b.FINOBT)))
        for ident, found, right in checks:
            self.need(found == right, ident, ident[:3].upper(), found, right)

    def check_free_space(self):
        """Rows 1 (part) and 2: both free space trees, freeblks, longest."""
        fs, agf = self.fs, self.agf
        self.free = self.trees[b.BNOBT].records
        by_size = self.trees[b.CNTBT].records
        end = 0
        for start, count in self.free:
            self.need(count and fs.valid_agbno(self.agno, start, count), "bnobt-record", "bnobt record %d" % start,
                      (start, count), "blocks of the AG")
            if start < end:
                self.rep.add("bnobt-order", "%s bnobt" % self.name, start, "at least %d" % end)
            elif start == end and start:
                self.rep.add("bnobt-unmerged", "%s bnobt" % self.name, "record at %d" % start,
                             "merged with the one before")
            end = max(end, start + count)
        keys = [(count, start) for start, count in by_size]
        if any(one >= two for one, two in zip(keys, keys[1:])):
            self.rep.add("cntbt-order", "%s cntbt" % self.name, "not ascending", "ascending (length, start)")
        if set(self.free) != set(by_size) or len(self.free) != len(by_size):
            odd = sorted(set(self.free) ^ set(by_size))[:4]
            self.rep.add("cntbt-differs", "%s cntbt" % self.name, "records %s in one tree only" % odd,
                         "the records of the bnobt")
        total = sum(count for _, count in self.free)
        self.need(agf.freeblks == total, "agf-freeblks", "AGF", agf.freeblks, total)
        longest = max((count for _, count in self.free), default=0)
        self.need(agf.longest == longest, "agf-longest", "AGF", agf.longest, longest)

    def check_inobt(self):
        """Rows 6, 16 and 17 (part)."""
        self.chunks = self.check_chunks(b.INOBT)
        agi = self.agi
        total = sum(chunk.count for chunk in self.chunks)
        free = sum(chunk.freecount for chunk in self.chunks)
        self.need(agi.count == total, "agi-count", "AGI", agi.count, total)
        self.need(agi.freecount == free, "agi-freecount", "AGI", agi.freecount, free)
        if not self.fs.sb.finobt:
            return
        want = [record for record, chunk in zip(self.trees[b.INOBT].records, self.chunks) if chunk.freecount]
        have = self.trees[b.FINOBT].records
        if want != have:
            odd = sorted(set(want) ^ set(have))[:2]
            self.rep.add("finobt-differs", "%s finobt" % self.name, "records %s in one tree only" % odd,
                         "the inobt records with free inodes")

    def check_chunks(self, kind):
        fs = self.fs
        chunks = []
        first, last = fs.agino_range(self.agno)
        end = 0
        align = 64 if fs.inopblock > 64 else max(1, fs.cluster_align) << fs.inopblog
        for record in self.trees[kind].records:
            chunk = Chunk(fs, record)
            chunks.append(chunk)
            where = "%s record %d" % (kind.name, chunk.startino)
            self.need(chunk.startino >= end, kind.name + "-order", where, chunk.startino, "at least %d" % end)
            end = chunk.startino + 64
            real = chunk.real()
            ends = chunk.startino + (real & -real).bit_length() - 1, chunk.startino + real.bit_length() - 1
            good = real and first <= ends[0] and ends[1] <= last and chunk.startino % align == 0
            self.need(good, kind.name + "-startino", where, chunk.startino,
                      "%d..%d, multiple of %d" % (first, last, align))
            self.need(chunk.count == bin(real).count("1") and chunk.count, kind.name + "-count", where, chunk.count,
                      bin(real).count("1"))
            free = bin(real & chunk.free).count("1")
            self.need(chunk.freecount == free, kind.name + "-freecount", where, chunk.freecount, free)
            self.need(self.whole_units(chunk), kind.name + "-holemask", where, hex(chunk.holemask),
                      "holes of %d blocks" % fs.sb.spino_align)
            self.need(chunk.free & ~real == ~real & (1 << 64) - 1, kind.name + "-free", where, hex(chunk.free),
                      "inodes in holes marked free")
        return chunks

    def whole_units(self, chunk):
        """Sparse chunks are allocated in units of sb_spino_align blocks."""
        unit = max(1, (self.fs.sb.spino_align << self.fs.inopblog) // 4)
        ones = (1 << unit) - 1
        return all(chunk.holemask >> bit & ones in (0, ones & 0xFFFF) for bit in range(0, 16, unit))

    # --- reverse mappings and reference counts ---

    def check_rmaps(self, records):
        """Validity, order and canonical merging: format sheet 02, sections 4.3 to 4.5."""
        last = None
        ends = {}
        for record in records:
            self.check_rmap(record)
            key = b.RMAPBT.low(record)
            if last is not None and key <= last:
                self.rep.add("rmapbt-order", "%s rmapbt" % self.name, key, "above %s" % (last,))
            last = key
            start, count, owner, offset = record
            run = run_key(record)
            if ends.get(run) == start:
                self.rep.add("rmapbt-unmerged", "%s rmapbt" % self.name, describe(record),
                             "merged with the record before")
            ends[run] = max(start + count, ends.get(run, 0))

    def check_rmap(self, record):
        fs = self.fs
        start, count, owner, offset = record
        flags, fileoff = offset & RM_FLAGS, offset & b.RM_OFFMASK
        bad = None
        if start <= fs.agflblock:
            if owner != OWN_FS or start or count != fs.agflblock + 1:
                bad = "only (0, %d, headers) there" % (fs.agflblock + 1)
        elif not fs.valid_agbno(self.agno, start, count):
            bad = "blocks of the AG"
        if owner & b.SPECIAL:
            if not OWN_COW <= owner <= OWN_FS or offset:
                bad = "a known owner, offset 0"
        elif not fs.valid_ino(owner):
            bad = "a valid inode as owner"
        if offset & ~(RM_FLAGS | b.RM_OFFMASK) or flags & b.RM_BMBT and fileoff:
            bad = "bits 54..60 clear, offset 0 of bmbt blocks"
        if flags & b.RM_UNWRITTEN and flags != b.RM_UNWRITTEN:
            bad = "unwritten only for file data"
        if bad:
            self.rep.add("rmapbt-record", "%s rmapbt" % self.name, describe(record), bad)

    def check_refcounts(self, records):
        """Order, domains, canonical merging: format sheet 02, section 5.1."""
        last = None
        for start, count, refs in records:
            where = "refcountbt record %d" % (start & ~COW)
            good = self.fs.valid_agbno(self.agno, start & ~COW, count)
            self.need(good, "refcountbt-record", where, (start, count), "blocks of the AG")
            if start & COW:
                self.need(refs == 1, "refcountbt-refcount", where, refs, "1 of CoW staging")
                self.rep.add("refcountbt-cow-leftover", "%s refcountbt" % self.name,
                             "CoW staging (%d, %d)" % (start & ~COW, count), "none after a clean unmount")
            else:
                self.need(refs >= 2, "refcountbt-refcount", where, refs, "at least 2")
            if last is not None:
                end = last[0] + last[1]
                self.need(start >= end, "refcountbt-order", where, start, "at least %d" % end)
                if start == end and refs == last[2] and not (start ^ last[0]) & COW:
                    self.rep.add("refcountbt-unmerged", "%s %s" % (self.name, where), "touches an equal record",
                                 "one record")
            last = start, count, refs

    # --- claims ---

    def collect_claims(self):
        """What the AG's own structures say about space (file mappings are added with the inodes)."""
        fs, claim = self.fs, self.claims
        for kind, owner in ((b.BNOBT, OWN_AG), (b.CNTBT, OWN_AG), (b.RMAPBT, OWN_AG), (b.INOBT, OWN_INOBT),
                            (b.FINOBT, OWN_INOBT), (b.REFCOUNTBT, OWN_REFC)):
            if kind in self.trees:
                claim.extend((agbno, 1, owner, 0) for agbno in self.trees[kind].blocks)
        claim.extend((agbno, 1, OWN_AG, 0) for agbno in self.agfl_blocks)
        if fs.sb.logstart and fs.split_fsb(fs.sb.logstart)[0] == self.agno:
            claim.append((fs.split_fsb(fs.sb.logstart)[1], fs.sb.logblocks, OWN_LOG, 0))
        blocks = set()
        for chunk in self.chunks:
            for index in range(0, 64, 4):
                if chunk.exists(index):
                    agino = chunk.startino + index
                    blocks.update(range(agino >> fs.inopblog, (agino + 3 >> fs.inopblog) + 1))
        claim.extend((agbno, 1, OWN_INODES, 0) for agbno in sorted(blocks))
        if fs.sb.reflink:
            claim.extend((start & ~COW, count, OWN_COW, 0) for start, count, _ in self.trees[b.REFCOUNTBT].records
                         if start & COW)


def run_key(record):
    """Records of one key that touch belong to one run: owner, flags, and for file data offset minus start."""
    start, _, owner, offset = record
    if owner & b.SPECIAL or offset & b.RM_BMBT:
        return owner, offset & RM_FLAGS, 0
    return owner, offset & RM_FLAGS, (offset & b.RM_OFFMASK) - start


def describe(record):
    """An rmap record or claim in words."""
    start, count, owner, offset = record
    text = OWNER_NAMES.get(owner) or ("owner %d" % (owner - (1 << 64)) if owner & b.SPECIAL else "inode %d" % owner)
    for bit, name in ((b.RM_ATTR, "attr"), (b.RM_BMBT, "bmbt"), (b.RM_UNWRITTEN, "unwritten")):
        if offset & bit:
            text += " " + name
    return "(%d, %d, %s, offset %d)" % (start, count, text, offset & b.RM_OFFMASK)
