# SPDX-License-Identifier: BSD-2-Clause
"""AG headers: AGF, AGI, AGFL (format sheet 01, section 9)."""

import struct

AGF_MAGIC, AGI_MAGIC, AGFL_MAGIC = 0x58414746, 0x58414749, 0x5841464C

AGF_FIELDS = (
    ("magicnum", 0, 4), ("versionnum", 4, 4), ("seqno", 8, 4), ("length", 12, 4), ("bno_root", 16, 4),
    ("cnt_root", 20, 4), ("rmap_root", 24, 4), ("bno_level", 28, 4), ("cnt_level", 32, 4), ("rmap_level", 36, 4),
    ("flfirst", 40, 4), ("fllast", 44, 4), ("flcount", 48, 4), ("freeblks", 52, 4), ("longest", 56, 4),
    ("btreeblks", 60, 4), ("uuid", 64, 16), ("rmap_blocks", 80, 4), ("refcount_blocks", 84, 4),
    ("refcount_root", 88, 4), ("refcount_level", 92, 4), ("spare64", 96, 112), ("lsn", 208, 8), ("crc", 216, 4),
    ("spare2", 220, 4),
)

AGI_FIELDS = (
    ("magicnum", 0, 4), ("versionnum", 4, 4), ("seqno", 8, 4), ("length", 12, 4), ("count", 16, 4), ("root", 20, 4),
    ("level", 24, 4), ("freecount", 28, 4), ("newino", 32, 4), ("dirino", 36, 4), ("uuid", 296, 16),
    ("crc", 312, 4), ("pad32", 316, 4), ("lsn", 320, 8), ("free_root", 328, 4), ("free_level", 332, 4),
    ("iblocks", 336, 4), ("fblocks", 340, 4),
)


class Header:
    """A decoded AG header sector; fields of its table are attributes."""

    def __init__(self, raw, fields):
        self.raw = raw
        for name, offset, size in fields:
            data = raw[offset:offset + size]
            if size > 8:
                setattr(self, name, bytes(data))
            else:
                setattr(self, name, int.from_bytes(data, "little" if name == "crc" else "big"))


def _sector(fs, agno, number):
    return fs.image.read(fs.byte_of(agno, 0) + number * fs.ss, fs.ss)


def read_agf(fs, agno):
    return Header(_sector(fs, agno, 1), AGF_FIELDS)


def read_agi(fs, agno):
    """The AGI; `unlinked` is the list of the 64 bucket heads."""
    agi = Header(_sector(fs, agno, 2), AGI_FIELDS)
    agi.unlinked = list(struct.unpack_from(">64I", agi.raw, 40))
    return agi


class Agfl:
    """The free list sector: header (V5) and all slots."""

    def __init__(self, fs, agno):
        raw = _sector(fs, agno, 3)
        self.raw = raw
        self.magicnum, self.seqno = struct.unpack_from(">II", raw, 0)
        self.uuid = raw[8:24]
        self.lsn = struct.unpack_from(">Q", raw, 24)[0]
        self.slots = list(struct.unpack_from(">%dI" % fs.agfl_size, raw, fs.agfl_start))

    def active(self, agf):
        """Active entries in order; empty when flfirst is out of range."""
        size = len(self.slots)
        if agf.flfirst >= size:
            return []
        return [self.slots[(agf.flfirst + i) % size] for i in range(min(agf.flcount, size))]
