# SPDX-License-Identifier: BSD-2-Clause
"""The superblock: field table and feature bits (format sheet 01, sections 3 and 4)."""

MAGIC = 0x58465342

# (name, offset, bytes): integers are big-endian; 16-byte and longer ones stay bytes.
FIELDS = (
    ("magicnum", 0, 4), ("blocksize", 4, 4), ("dblocks", 8, 8), ("rblocks", 16, 8), ("rextents", 24, 8),
    ("uuid", 32, 16), ("logstart", 48, 8), ("rootino", 56, 8), ("rbmino", 64, 8), ("rsumino", 72, 8),
    ("rextsize", 80, 4), ("agblocks", 84, 4), ("agcount", 88, 4), ("rbmblocks", 92, 4), ("logblocks", 96, 4),
    ("versionnum", 100, 2), ("sectsize", 102, 2), ("inodesize", 104, 2), ("inopblock", 106, 2), ("fname", 108, 12),
    ("blocklog", 120, 1), ("sectlog", 121, 1), ("inodelog", 122, 1), ("inopblog", 123, 1), ("agblklog", 124, 1),
    ("rextslog", 125, 1), ("inprogress", 126, 1), ("imax_pct", 127, 1), ("icount", 128, 8), ("ifree", 136, 8),
    ("fdblocks", 144, 8), ("frextents", 152, 8), ("uquotino", 160, 8), ("gquotino", 168, 8), ("qflags", 176, 2),
    ("flags", 178, 1), ("shared_vn", 179, 1), ("inoalignmt", 180, 4), ("unit", 184, 4), ("width", 188, 4),
    ("dirblklog", 192, 1), ("logsectlog", 193, 1), ("logsectsize", 194, 2), ("logsunit", 196, 4),
    ("features2", 200, 4), ("bad_features2", 204, 4), ("features_compat", 208, 4), ("features_ro_compat", 212, 4),
    ("features_incompat", 216, 4), ("features_log_incompat", 220, 4), ("crc", 224, 4), ("spino_align", 228, 4),
    ("pquotino", 232, 8), ("lsn", 240, 8), ("meta_uuid", 248, 16), ("metadirino", 264, 8), ("rgcount", 272, 4),
    ("rgextents", 276, 4), ("rgblklog", 280, 1), ("pad", 281, 7), ("rtstart", 288, 8), ("rtreserved", 296, 8),
)
OFFSET = {name: (offset, size) for name, offset, size in FIELDS}

# versionnum
V_ATTR, V_NLINK, V_QUOTA, V_ALIGN, V_DALIGN, V_SHARED = 0x10, 0x20, 0x40, 0x80, 0x100, 0x200
V_LOGV2, V_SECTOR, V_EXTFLG, V_DIRV2, V_BORG, V_MOREBITS = 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000
# features2
F2_LAZY, F2_ATTR2, F2_PROJID32, F2_CRC, F2_FTYPE = 0x2, 0x8, 0x80, 0x100, 0x200
# ro_compat
RO_FINOBT, RO_RMAPBT, RO_REFLINK, RO_INOBTCNT = 1, 2, 4, 8
# incompat
IN_FTYPE, IN_SPINODES, IN_META_UUID, IN_BIGTIME, IN_NEEDSREPAIR = 0x1, 0x2, 0x4, 0x8, 0x10
IN_NREXT64, IN_EXCHRANGE, IN_PARENT, IN_METADIR, IN_ZONED, IN_ZONE_GAPS = 0x20, 0x40, 0x80, 0x100, 0x200, 0x400

NULLINO = (1 << 64) - 1


class Superblock:
    """One decoded superblock; every field of the table is an attribute, features are booleans."""

    def __init__(self, raw):
        self.raw = raw
        for name, offset, size in FIELDS:
            data = raw[offset:offset + size]
            if name in ("uuid", "meta_uuid", "fname", "pad"):
                setattr(self, name, bytes(data))
            else:
                setattr(self, name, int.from_bytes(data, "little" if name == "crc" else "big"))
        self.version = self.versionnum & 0xF
        self.v5 = self.version == 5
        self._features()

    def _features(self):
        incompat = self.features_incompat if self.v5 else 0
        ro_compat = self.features_ro_compat if self.v5 else 0
        features2 = self.features2 if self.versionnum & V_MOREBITS else 0
        self.finobt = bool(ro_compat & RO_FINOBT)
        self.rmapbt = bool(ro_compat & RO_RMAPBT)
        self.reflink = bool(ro_compat & RO_REFLINK)
        self.inobtcnt = bool(ro_compat & RO_INOBTCNT)
        self.sparse = bool(incompat & IN_SPINODES)
        self.bigtime = bool(incompat & IN_BIGTIME)
        self.nrext64 = bool(incompat & IN_NREXT64)
        self.parent = bool(incompat & IN_PARENT)
        self.metadir = bool(incompat & IN_METADIR)
        self.zoned = bool(incompat & IN_ZONED)
        self.exchrange = bool(incompat & IN_EXCHRANGE)
        self.has_meta_uuid = bool(incompat & IN_META_UUID)
        self.ftype = bool(incompat & IN_FTYPE) if self.v5 else bool(features2 & F2_FTYPE)
        self.attr2 = self.v5 or bool(features2 & F2_ATTR2)
        self.projid32 = self.v5 or bool(features2 & F2_PROJID32)
        self.lazy = self.v5 or bool(features2 & F2_LAZY)
        self.asciici = bool(self.versionnum & V_BORG)
        self.metauuid = self.meta_uuid if self.has_meta_uuid else self.uuid

    def field_summary(self):
        """(name, value) of every field, for listings."""
        return [(name, getattr(self, name)) for name, _, _ in FIELDS]
