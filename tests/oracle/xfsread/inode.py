# SPDX-License-Identifier: BSD-2-Clause
"""The inode core (format sheet 03, sections 1 and 2)."""

import stat
import struct

MAGIC = 0x494E
DEV, LOCAL, EXTENTS, BTREE, UUID, META_BTREE = range(6)

# di_flags
REALTIME, PREALLOC, NEWRTBM, IMMUTABLE, APPEND, SYNC, NOATIME, NODUMP = (1 << i for i in range(8))
RTINHERIT, PROJINHERIT, NOSYMLINKS, EXTSIZE, EXTSZINHERIT, NODEFRAG, FILESTREAM = (1 << i for i in range(8, 15))
# di_flags2
DAX, REFLINK, COWEXTSIZE, BIGTIME, NREXT64, METADATA = (1 << i for i in range(6))

FTYPES = {stat.S_IFREG: 1, stat.S_IFDIR: 2, stat.S_IFCHR: 3, stat.S_IFBLK: 4, stat.S_IFIFO: 5, stat.S_IFSOCK: 6,
          stat.S_IFLNK: 7}

_core = struct.Struct(">HHBBHIIIHHQQQQQQIIHBbIHHII")
_core3 = struct.Struct(">QQQI12sQQ16s")
NAMES = ("magic", "mode", "version", "format", "metatype", "uid", "gid", "nlink", "projid_lo", "projid_hi",
         "big_nextents", "atime", "mtime", "ctime", "size", "nblocks", "extsize", "nextents32", "anextents16",
         "forkoff", "aformat", "dmevmask", "dmstate", "flags", "gen", "next_unlinked")
NAMES3 = ("changecount", "lsn", "flags2", "cowextsize", "pad2", "crtime", "ino_self", "uuid")


class Inode:
    """One decoded inode. `ino` is where it is, `ino_self` what it says."""

    __slots__ = NAMES + NAMES3 + ("ino", "raw", "fs", "core_size")

    def __init__(self, fs, ino, raw):
        self.fs = fs
        self.ino = ino
        self.raw = raw
        for name, value in zip(NAMES, _core.unpack_from(raw, 0)):
            setattr(self, name, value)
        if fs.v5:
            for name, value in zip(NAMES3, _core3.unpack_from(raw, 104)):
                setattr(self, name, value)
        else:
            self.flags2 = self.cowextsize = self.changecount = self.lsn = self.crtime = 0
            self.pad2, self.uuid, self.ino_self = bytes(12), bytes(16), ino
        self.core_size = 176 if fs.v5 else 100

    @property
    def type(self):
        return stat.S_IFMT(self.mode)

    @property
    def ftype(self):
        return FTYPES.get(self.type, 0)

    @property
    def large_counts(self):
        return bool(self.flags2 & NREXT64)

    @property
    def nextents(self):
        return self.big_nextents if self.large_counts else self.nextents32

    @property
    def anextents(self):
        return self.nextents32 if self.large_counts else self.anextents16

    @property
    def links(self):
        """Link count; version 1 inodes keep it in the old field."""
        return self.metatype if self.version == 1 else self.nlink

    @property
    def dsize(self):
        """Bytes of the data fork region."""
        return min(self.forkoff * 8, self.fs.litino) if self.forkoff else self.fs.litino

    @property
    def asize(self):
        return max(0, self.fs.litino - self.forkoff * 8) if self.forkoff else 0

    def data_area(self):
        return self.raw[self.core_size:self.core_size + self.dsize]

    def attr_area(self):
        start = self.core_size + self.forkoff * 8
        return self.raw[start:start + self.asize]

    def time(self, name):
        """(seconds, nanoseconds) of one of the four times."""
        value = getattr(self, name)
        if self.flags2 & BIGTIME:
            return value // 10 ** 9 - (1 << 31), value % 10 ** 9
        seconds = value >> 32
        return seconds - (1 << 32) if seconds & 0x80000000 else seconds, value & 0xFFFFFFFF

    @property
    def rdev(self):
        """(major, minor) of a device inode."""
        value = struct.unpack_from(">I", self.raw, self.core_size)[0]
        return value >> 18, value & 0x3FFFF


def read_inode(fs, ino):
    """The inode at its place on disk; ReadError when that is outside the image."""
    return Inode(fs, ino, fs.image.read(fs.ino_byte(ino), fs.isize))
