# SPDX-License-Identifier: BSD-2-Clause
"""Rules of the primary and secondary superblocks (format sheet 01, sections 3 to 6)."""

from xfsread import superblock as s
from xfsread.device import ReadError
from xfsread.superblock import NULLINO, Superblock

KNOWN_RO, KNOWN_INCOMPAT, KNOWN_LOG = 0xF, 0x7FF, 0x1

# Fields that every secondary shares with the primary (versionnum and incompat are compared masked).
SHARED = ("blocksize", "dblocks", "rblocks", "rextents", "uuid", "logstart", "rextsize", "agblocks", "agcount",
          "rbmblocks", "logblocks", "sectsize", "inodesize", "inopblock", "fname", "blocklog", "sectlog", "inodelog",
          "inopblog", "agblklog", "rextslog", "shared_vn", "inoalignmt", "dirblklog", "logsectlog",
          "logsectsize", "logsunit", "features2", "bad_features2", "features_compat", "features_ro_compat",
          "spino_align", "meta_uuid", "rgcount", "rgextents", "rgblklog", "pad", "rtstart", "rtreserved")


def _ceil_log2(value):
    return max(0, value - 1).bit_length()


def used_length(sb):
    """Bytes of the sector that the format uses; the rest is zero."""
    if sb.v5:
        for bit, length in ((sb.zoned, 304), (sb.metadir, 288), (sb.has_meta_uuid, 264)):
            if bit:
                return length
        return 248
    if sb.versionnum & s.V_MOREBITS:
        return 208
    if sb.versionnum & s.V_LOGV2:
        return 200
    return 196 if sb.versionnum & s.V_SECTOR else 193


class SuperblockRules:
    """Checks one superblock copy at `where`."""

    def __init__(self, fs, sb, where):
        self.fs = fs
        self.sb = sb
        self.where = where

    def need(self, good, field, found, expected):
        if not good:
            self.fs.rep.add("sb-" + field, self.where, found, expected)

    def equal(self, field, expected):
        found = getattr(self.sb, field)
        self.need(found == expected, field, found, expected)

    def run(self):
        self.equal("magicnum", s.MAGIC)
        if self.sb.v5 or self.sb.crc:
            if self.sb.v5:
                self.fs.check_checksum("sb", self.where, self.sb.raw, 224)
            else:
                self.need(False, "crc", self.sb.crc, "0 on V4")
        self.check_version()
        self.check_features()
        self.check_sizes()
        self.check_log()
        self.check_alignment()
        self.check_realtime()
        tail = self.sb.raw[used_length(self.sb):]
        self.need(not any(tail), "tail", "nonzero bytes", "zeros from byte %d on" % used_length(self.sb))

    def check_version(self):
        sb, bits = self.sb, self.sb.versionnum
        must = s.V_EXTFLG | s.V_DIRV2
        if sb.v5:
            must |= s.V_NLINK | s.V_ALIGN | s.V_LOGV2 | s.V_MOREBITS
        self.need(bits & must == must and not bits & s.V_SHARED, "versionnum", hex(bits), "bits %s set" % hex(must))
        self.need(bool(bits & s.V_DALIGN) == bool(sb.unit), "dalign", hex(bits), "DALIGN if and only if sb_unit")
        if bits & s.V_MOREBITS:
            self.need(sb.features2 == sb.bad_features2, "bad_features2", hex(sb.bad_features2), hex(sb.features2))
            known = 0x38A
            self.need(not sb.features2 & ~known, "features2", hex(sb.features2), "within " + hex(known))
        if sb.v5:
            self.need(sb.features2 & 0x18A == 0x18A, "features2", hex(sb.features2), "0x18a set")
        else:
            self.need(not sb.features2 & s.F2_CRC, "features2", hex(sb.features2), "no CRC bit on V4")

    def check_features(self):
        sb = self.sb
        if not sb.v5:
            return
        self.need(sb.features_compat == 0, "features_compat", hex(sb.features_compat), "0")
        for field, known in (("features_ro_compat", KNOWN_RO), ("features_incompat", KNOWN_INCOMPAT),
                             ("features_log_incompat", KNOWN_LOG)):
            self.need(not getattr(sb, field) & ~known, field, hex(getattr(sb, field)), "within " + hex(known))
        self.need(sb.ftype, "features_incompat", hex(sb.features_incompat), "FTYPE set")
        self.need(not sb.inobtcnt or sb.finobt, "features_ro_compat", hex(sb.features_ro_compat),
                  "INOBTCNT only with FINOBT")
        self.need(not sb.metadir or sb.exchrange, "features_incompat", hex(sb.features_incompat),
                  "METADIR only with EXCHRANGE")
        self.need(not sb.zoned or sb.metadir, "features_incompat", hex(sb.features_incompat),
                  "ZONED only with METADIR")
        self.need(not sb.parent or sb.versionnum & s.V_ATTR, "versionnum", hex(sb.versionnum),
                  "ATTR with parent pointers")
        self.need(not sb.reflink or not sb.rblocks or sb.metadir, "features_ro_compat", "REFLINK with realtime",
                  "only with METADIR")

    def check_sizes(self):
        """The sanity rules of section 5A, step 5."""
        sb = self.sb
        self.need(sb.agcount == -(-sb.dblocks // sb.agblocks), "agcount", sb.agcount, -(-sb.dblocks // sb.agblocks))
        self.need(sb.dblocks - (sb.agcount - 1) * sb.agblocks >= 64, "dblocks", sb.dblocks, "a last AG of 64 blocks")
        self.need(1024 <= sb.blocksize or not sb.v5, "blocksize", sb.blocksize, "at least 1024")
        self.need(sb.sectsize <= sb.blocksize, "sectsize", sb.sectsize, "at most the block size")
        self.need(256 <= sb.inodesize <= 2048, "inodesize", sb.inodesize, "256..2048")
        self.need(1 << 24 <= sb.agblocks * sb.blocksize <= 1 << 40, "agblocks", sb.agblocks, "16 MiB..1 TiB")
        self.need(sb.rextsize and 4096 <= sb.rextsize * sb.blocksize <= 1 << 30, "rextsize", sb.rextsize,
                  "4 KiB..1 GiB")
        self.need(sb.imax_pct <= 100, "imax_pct", sb.imax_pct, "0..100")
        self.equal("shared_vn", 0)
        self.need(sb.flags == 0, "flags", sb.flags, 0)

    def check_log(self):
        sb = self.sb
        self.need(0 < sb.logblocks <= 1 << 20 and sb.logblocks * sb.blocksize <= (1 << 31) - (10 << 20),
                  "logblocks", sb.logblocks, "1..2^20 blocks, below 2 GiB - 10 MiB")
        if sb.logstart:
            agno, agbno = self.fs.split_fsb(sb.logstart)
            self.need(self.fs.valid_fsb(sb.logstart, sb.logblocks), "logstart", "AG %d block %d" % (agno, agbno),
                      "%d blocks inside one AG" % sb.logblocks)
        if sb.versionnum & s.V_SECTOR:
            self.need(sb.logsectsize == 1 << sb.logsectlog, "logsectsize", sb.logsectsize, 1 << sb.logsectlog)
        else:
            self.equal("logsectsize", 0)
            self.equal("logsectlog", 0)
        if sb.logsunit > 1:
            self.need(sb.logsunit % sb.blocksize == 0 and sb.logsunit <= 1 << 18, "logsunit", sb.logsunit,
                      "multiple of the block size, at most 256 KiB")

    def check_alignment(self):
        sb = self.sb
        good = bool(sb.unit) == bool(sb.width) and sb.unit <= sb.width and (not sb.unit or sb.width % sb.unit == 0)
        self.need(good, "width", "unit %d width %d" % (sb.unit, sb.width), "width a multiple of unit")
        chunk = 64 * sb.inodesize // sb.blocksize
        if sb.sparse:
            self.need(sb.inoalignmt == chunk, "inoalignmt", sb.inoalignmt, chunk)
            raw = 8192
            if sb.inoalignmt >= 8192 * sb.inodesize // 256 // sb.blocksize:
                raw = 8192 * sb.inodesize // 256
            self.need(sb.spino_align == raw // sb.blocksize, "spino_align", sb.spino_align, raw // sb.blocksize)
        else:
            self.equal("spino_align", 0)
            allowed = {8192 // sb.blocksize}
            if sb.v5:
                allowed.add(8192 * sb.inodesize // 256 // sb.blocksize)
            if sb.versionnum & s.V_ALIGN:
                self.need(sb.inoalignmt in allowed, "inoalignmt", sb.inoalignmt, sorted(allowed))

    def check_realtime(self):
        """Section 12 and format sheet 10, section 1."""
        sb = self.sb
        if not sb.rblocks:
            for field in ("rextents", "rbmblocks", "rextslog"):
                self.equal(field, 0)
        else:
            rextsize = max(1, sb.rextsize)
            self.equal("rextents", sb.rblocks // rextsize)
            self.equal("rextslog", max(0, sb.rextents.bit_length() - 1))
        if not sb.metadir:
            if sb.rblocks:
                self.equal("rbmblocks", -(-sb.rextents // (8 * sb.blocksize)))
            return
        self.need(sb.rgextents >= 2, "rgextents", sb.rgextents, "at least 2")
        self.equal("rgcount", -(-sb.rextents // max(1, sb.rgextents)))
        self.equal("rgblklog", _ceil_log2(sb.rgextents * sb.rextsize))
        if sb.rblocks and not sb.zoned:
            self.equal("rbmblocks", -(-sb.rgextents // (8 * (sb.blocksize - 48))))
        self.need(not any(sb.pad), "pad", sb.pad.hex(), "zeros")


def check_primary(fs):
    """Everything about the primary that needs no other structure."""
    sb = fs.sb
    rules = SuperblockRules(fs, sb, "superblock")
    rules.run()
    rules.equal("inprogress", 0)
    if sb.v5:
        found = sb.features_incompat
        rules.need(not found & s.IN_NEEDSREPAIR, "needsrepair", hex(found), "NEEDSREPAIR clear")
        rules.need(not sb.features_log_incompat, "features_log_incompat", hex(sb.features_log_incompat),
                   "0 after a clean unmount")
        rules.need(sb.inodesize >= 512, "inodesize", sb.inodesize, "512..2048 with CRCs")
        rules.need(not sb.qflags & 0x30, "qflags", hex(sb.qflags), "no V4 bits")
    else:
        rules.need(not sb.qflags & 0x780, "qflags", hex(sb.qflags), "no V5 bits")
    rules.need(not sb.qflags & ~0x7FF, "qflags", hex(sb.qflags), "known bits")
    for field in ("uquotino", "gquotino") + (("pquotino",) if sb.v5 else ()):
        found = getattr(sb, field)
        rules.need(found in (0, NULLINO) or sb.versionnum & s.V_QUOTA and not sb.metadir, field, found,
                   "none without the QUOTA bit, or with metadir")
    if sb.metadir:
        for field in ("rbmino", "rsumino"):
            rules.equal(field, 0)
    rules.need(sb.fdblocks <= sb.dblocks, "fdblocks", sb.fdblocks, "at most %d" % sb.dblocks)
    rules.need(sb.ifree <= sb.icount, "ifree", sb.ifree, "at most %d" % sb.icount)
    rules.need(any(sb.uuid), "uuid", "all zero", "a uuid")
    fs.check_lsn("sb", "superblock", sb.lsn if sb.v5 else 0)
    try:
        fs.image.read(sb.dblocks * fs.bs - fs.bs, fs.bs)
    except ReadError as err:
        fs.rep.add("sb-dblocks", "superblock", str(err), "a readable last block")


def check_secondary(fs, agno):
    """Sector 0 of AG 1 on: section 6; counters, quota fields and LSN are never compared."""
    where = "AG %d superblock" % agno
    try:
        sb = Superblock(fs.image.read(fs.byte_of(agno, 0), fs.ss))
    except ReadError as err:
        fs.rep.add("sb2-read", where, str(err))
        return
    primary = fs.sb
    if sb.magicnum != s.MAGIC:
        fs.rep.add("sb2-magicnum", where, hex(sb.magicnum), hex(s.MAGIC))
        return
    fs.check_checksum("sb2", where, sb.raw, 224)

    def need(good, field, found, expected):
        if not good:
            fs.rep.add("sb2-" + field, where, found, expected)

    for field in SHARED:
        found, right = getattr(sb, field), getattr(primary, field)
        need(found == right, field, found, right)
    mask = ~(s.V_ATTR | s.V_QUOTA)
    need(sb.versionnum & mask == primary.versionnum & mask, "versionnum", hex(sb.versionnum), hex(primary.versionnum))
    mask = ~s.IN_NEEDSREPAIR
    need(sb.features_incompat & mask == primary.features_incompat & mask, "features_incompat",
         hex(sb.features_incompat), hex(primary.features_incompat))
    for field in ("rootino", "rbmino", "rsumino", "metadirino"):
        found, right = getattr(sb, field), getattr(primary, field)
        need(found in (right, NULLINO), field, found, right)
    need(sb.inprogress in (0, 1), "inprogress", sb.inprogress, "0 or 1")
    need(sb.flags == 0, "flags", sb.flags, 0)
    need(not any(sb.raw[used_length(sb):]), "tail", "nonzero bytes", "zeros")
