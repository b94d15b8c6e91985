# SPDX-License-Identifier: BSD-2-Clause
"""Rules of inodes and their forks (format sheet 03, sections 1 to 4, 8 and 10.1), claims of their mappings."""

import stat

from xfsread import btree as b
from xfsread import inode as di
from xfsread.attrs import Attributes
from xfsread.content import symlink_target
from xfsread.dirs import Directory
from xfsread.device import ReadError
from xfsread.forks import read_fork
from xfsread.fs import NULLAG
from xfsread.inode import Inode
from xfsread.metabtree import read_meta_btree

FILE_FLAGS = di.REALTIME | di.PREALLOC | di.EXTSIZE
DIR_FLAGS = di.RTINHERIT | di.PROJINHERIT | di.NOSYMLINKS | di.EXTSZINHERIT
FORMATS = {stat.S_IFDIR: (di.LOCAL, di.EXTENTS, di.BTREE), stat.S_IFLNK: (di.LOCAL, di.EXTENTS),
           stat.S_IFREG: (di.EXTENTS, di.BTREE, di.META_BTREE)}
METADATA_FLAGS = 0x20E8


class Known:
    """What the link and space rules need of an allocated inode."""

    __slots__ = ("mode", "nlink", "gen", "flags2", "flags", "metatype", "entries", "parent", "parents", "next",
                 "projid", "format", "has_attrs", "uid", "gid", "nblocks")


class InodeRules:
    """Judges one allocated inode; claims go to the groups. `special` maps metadata inode numbers to their role."""

    def __init__(self, fs, groups, special):
        self.fs = fs
        self.rep = fs.rep
        self.groups = groups
        self.special = special
        self.rt_claims = []
        self.meta_walks = {}    # inode number -> Walk of its realtime btree

    def need(self, good, ident, found, expected):
        if not good:
            self.rep.add("inode-" + ident, self.where, found, expected)

    def identity(self, ino, raw):
        """Checks that hold for free and used inodes alike; the decoded inode."""
        fs = self.fs
        self.where = "inode %d" % ino
        inode = Inode(fs, ino, raw)
        self.need(inode.magic == di.MAGIC, "magic", hex(inode.magic), hex(di.MAGIC))
        self.need(inode.version in ((3,) if fs.v5 else (1, 2)), "version", inode.version, "3" if fs.v5 else "1 or 2")
        if fs.v5:
            fs.check_checksum("inode", self.where, raw, 100)
            self.need(inode.ino_self == ino, "ino", inode.ino_self, ino)
            self.need(inode.uuid == fs.uuid, "uuid", inode.uuid.hex(), fs.uuid.hex())
            fs.check_lsn("inode", self.where, inode.lsn)
        return inode

    def free(self, ino, raw):
        """An inode that the inobt calls free."""
        inode = self.identity(ino, raw)
        self.need(inode.mode == 0, "free-in-use", "mode 0%o" % inode.mode, "mode 0 of a free inode")
        self.need(inode.mode != 0 or inode.nblocks == 0, "free-nblocks", inode.nblocks, 0)
        self.need(inode.next_unlinked == NULLAG, "next-unlinked", inode.next_unlinked, "all ones")

    def used(self, ino, raw):
        """An inode in use; a Known record, None when it is not usable at all."""
        fs = self.fs
        inode = self.identity(ino, raw)
        if inode.mode == 0:
            self.need(False, "used-is-free", "mode 0", "a mode: the inobt calls it used")
            return None
        if inode.magic != di.MAGIC or inode.type not in di.FTYPES:
            self.need(False, "mode", "0%o" % inode.mode, "a known file type")
            return None
        self.core(inode)
        self.flag_rules(inode)
        self.hints(inode)
        if not self.format_rules(inode):
            return None
        try:
            data, attr = read_fork(fs, inode, False), read_fork(fs, inode, True)
            self.claim(inode, data, False)
            self.claim(inode, attr, True)
            self.fork_rules(inode, data, attr)
            return self.contents(inode, data, attr)
        except ReadError as err:
            self.need(False, "read", str(err), "a readable inode")
            return None

    # --- the core ---

    def core(self, inode):
        fs = self.fs
        metadata = inode.flags2 & di.METADATA
        if inode.version >= 2 and not metadata:
            self.need(inode.metatype == 0, "metatype", inode.metatype, 0)
        if inode.version == 3:
            self.need(not any(inode.pad2), "pad", inode.pad2.hex(), "zeros")
            if not inode.large_counts:
                self.need(inode.big_nextents == 0, "pad", hex(inode.big_nextents), "bytes 24..31 zero")
            else:
                self.need(inode.anextents16 == 0, "pad", inode.anextents16, "bytes 80..81 zero")
        elif not fs.v5:
            self.need(not inode.big_nextents >> 16, "pad", hex(inode.big_nextents), "bytes 24..29 zero")
        self.need(not inode.size >> 63, "size", inode.size, "below 2^63")
        if not inode.flags2 & di.BIGTIME:
            names = ("atime", "mtime", "ctime") + (("crtime",) if fs.v5 else ())
            for name in names:
                nsec = inode.time(name)[1]
                self.need(nsec < 10 ** 9, "time", "%s nsec %d" % (name, nsec), "below 10^9")
        if not fs.sb.projid32:
            self.need(inode.projid_hi == 0, "projid", inode.projid_hi, 0)
        listed = self.on_list(inode)
        self.need(inode.links or listed, "nlink-zero", 0, "links, or on an unlinked list")
        self.need(inode.next_unlinked == NULLAG or listed, "next-unlinked", inode.next_unlinked, "all ones")

    def on_list(self, inode):
        """Is this inode on an AGI list? (next pointers of all lists are followed in advance)"""
        agno, agino = self.fs.split_ino(inode.ino)
        return agino in self.groups[agno].unlinked

    def flag_rules(self, inode):
        sb, flags, flags2 = self.fs.sb, inode.flags, inode.flags2
        regular, directory = inode.type == stat.S_IFREG, inode.type == stat.S_IFDIR
        self.need(not flags & 0x8000, "flags", hex(flags), "bit 15 clear")
        self.need(regular or not flags & FILE_FLAGS, "flags", hex(flags), "file flags on regular files only")
        self.need(directory or not flags & DIR_FLAGS, "flags", hex(flags), "directory flags on directories only")
        if flags & di.NEWRTBM:
            self.need(inode.ino == sb.rbmino and not sb.metadir, "flags", hex(flags), "NEWRTBM on the rt bitmap only")
        self.need(not flags & di.REALTIME or sb.rblocks, "flags", hex(flags), "no REALTIME without rt section")
        self.need(not flags2 & ~0x3F, "flags2", hex(flags2), "known bits")
        if flags2 & di.REFLINK:
            self.need(sb.reflink and regular, "flags2", hex(flags2), "REFLINK on files of reflink filesystems")
            self.need(not flags & di.REALTIME or sb.metadir, "flags2", hex(flags2), "REFLINK not with REALTIME")
        if flags2 & di.COWEXTSIZE:
            self.need(sb.reflink and (regular or directory), "flags2", hex(flags2),
                      "COWEXTSIZE on files and directories with reflink")
        self.need(not flags2 & di.DAX or regular or directory, "flags2", hex(flags2), "DAX on files and directories")
        self.need(not flags2 & di.BIGTIME or sb.bigtime, "flags2", hex(flags2), "BIGTIME needs the feature")
        self.need(not flags2 & di.NREXT64 or sb.nrext64, "flags2", hex(flags2), "NREXT64 needs the feature")
        self.need(not flags2 & di.METADATA or sb.metadir, "flags2", hex(flags2), "METADATA needs metadir")
        if flags2 & di.METADATA:
            self.metadata_rules(inode)

    def metadata_rules(self, inode):
        """Format sheet 10, section 4.2."""
        self.need(inode.type in (stat.S_IFREG, stat.S_IFDIR) and not inode.mode & 0o7777, "metadata-mode",
                  "0%o" % inode.mode, "file or directory without permissions")
        want = METADATA_FLAGS | (di.NOSYMLINKS if inode.type == stat.S_IFDIR else 0)
        self.need(inode.flags & want == want, "metadata-flags", hex(inode.flags), hex(want))
        self.need(inode.uid == 0 and inode.gid == 0, "metadata-owner", (inode.uid, inode.gid), (0, 0))
        self.need(1 <= inode.metatype <= 8, "metatype", inode.metatype, "1..8")
        self.need((inode.metatype == 1) == (inode.type == stat.S_IFDIR), "metatype", inode.metatype,
                  "1 for directories only")

    def hints(self, inode):
        """Extent size hints: format sheet 03, section 2."""
        sb = self.fs.sb
        flag = inode.flags & (di.EXTSIZE if inode.type == stat.S_IFREG else di.EXTSZINHERIT)
        unit = sb.rextsize if inode.flags & di.REALTIME else 1
        self.hint("extsize", inode.extsize, flag, unit, inode.flags & di.REALTIME)
        if self.fs.v5 and not (sb.zoned and inode.metatype == 7):
            self.hint("cowextsize", inode.cowextsize, inode.flags2 & di.COWEXTSIZE, 1, False)

    def hint(self, name, value, flag, unit, realtime):
        if not flag:
            self.need(value == 0, name, value, "0 without the flag")
            return
        limit = (1 << 21) - 1
        if not realtime:
            limit = min(limit, self.fs.agblocks // 2)
        self.need(0 < value <= limit and value % max(1, unit) == 0, name, value, "1..%d, multiple of %d" %
                  (limit, unit))

    def format_rules(self, inode):
        """Fork formats, forkoff, sizes. False when the forks can't be read."""
        fs, kind = self.fs, inode.type
        allowed = FORMATS.get(kind, (di.DEV,))
        if inode.format not in allowed:
            self.need(False, "format", inode.format, "one of %s" % (allowed,))
            return False
        if inode.format == di.META_BTREE:
            self.need(inode.flags2 & di.METADATA and inode.metatype in (7, 8), "format", inode.format,
                      "META_BTREE of rt metadata only")
        if inode.format == di.DEV:
            self.need(inode.forkoff in (0, 1), "forkoff", inode.forkoff, "0 or 1")
            self.need(inode.size == 0, "size", inode.size, 0)
        if inode.forkoff * 8 >= fs.litino:
            self.need(False, "forkoff", inode.forkoff, "below %d" % (fs.litino // 8))
            return False
        if not inode.forkoff:
            self.need(inode.aformat == di.EXTENTS and inode.anextents == 0, "aformat",
                      "format %d, %d extents" % (inode.aformat, inode.anextents), "format 2, none without forkoff")
        elif inode.aformat not in (di.LOCAL, di.EXTENTS, di.BTREE):
            self.need(False, "aformat", inode.aformat, "1, 2 or 3")
            return False
        if inode.format in (di.LOCAL, di.DEV, di.META_BTREE):
            self.need(inode.nextents == 0, "nextents", inode.nextents, 0)
        if inode.forkoff and inode.aformat == di.LOCAL:
            self.need(inode.anextents == 0, "anextents", inode.anextents, 0)
        self.size_rules(inode)
        return True

    def size_rules(self, inode):
        kind, size = inode.type, inode.size
        if kind == stat.S_IFDIR:
            local = inode.format == di.LOCAL
            self.need(size > 0 or inode.links == 0, "size", size, "a directory has one")
            self.need(local == (size <= inode.dsize), "size", "%d in format %d" % (size, inode.format),
                      "LOCAL if and only if at most %d" % inode.dsize)
        if kind == stat.S_IFLNK and inode.format == di.LOCAL:
            self.need(size <= inode.dsize, "size", size, "at most %d" % inode.dsize)
        role = self.special.get(inode.ino, "")
        if role.endswith("quota") or inode.flags2 & di.METADATA and inode.metatype in (2, 3, 4):
            self.need(size == 0, "size", size, 0)
        if role == "rt bitmap":
            self.need(size == self.fs.sb.rbmblocks * self.fs.bs, "size", size, self.fs.sb.rbmblocks * self.fs.bs)

    # --- forks ---

    def fork_rules(self, inode, data, attr):
        """Rows 13 and 14 and the limits of counts."""
        fs = self.fs
        total = data.blocks() + attr.blocks() + len(data.bmbt) + len(attr.bmbt)
        self.need(inode.nblocks == total, "nblocks", inode.nblocks, total)
        if not inode.large_counts:
            self.need(inode.nextents < 1 << 31, "nextents", inode.nextents, "below 2^31")
            self.need(inode.anextents < 1 << 15, "anextents", inode.anextents, "below 2^15")
        if inode.type != stat.S_IFREG and any(extent[3] for extent in data.extents):
            self.rep.add("extent-unwritten", self.where + " data fork", "unwritten", "only in regular files")
        if inode.type == stat.S_IFDIR and data.extents:
            end = data.extents[-1][0] + data.extents[-1][2]
            self.need(end <= (96 << 30) // fs.bs, "dir-offset", end, "at most 96 GiB")

    def claim(self, inode, fork, attr):
        """Add the fork's mappings and bmbt blocks to the claims of their AGs."""
        fs, groups = self.fs, self.groups
        flag = b.RM_ATTR if attr else 0
        if inode.flags & di.REALTIME and not attr:
            self.rt_claims.extend((fsb, length, inode.ino, offset | (b.RM_UNWRITTEN if unwritten else 0))
                                  for offset, fsb, length, unwritten in fork.extents)
        else:
            for offset, fsb, length, unwritten in fork.extents:
                agno, agbno = fs.split_fsb(fsb)
                if agno < len(groups):
                    groups[agno].claims.append((agbno, length, inode.ino,
                                                offset | flag | (b.RM_UNWRITTEN if unwritten else 0)))
        if inode.format == di.META_BTREE and not attr:
            walk = read_meta_btree(fs, inode)
            if walk is not None:
                self.meta_walks[inode.ino] = walk
                fork.bmbt = walk.blocks
        for fsb in fork.bmbt:
            agno, agbno = fs.split_fsb(fsb)
            groups[agno].claims.append((agbno, 1, inode.ino, flag | b.RM_BMBT))

    def contents(self, inode, data, attr):
        known = Known()
        for name in ("mode", "nlink", "gen", "flags2", "flags", "metatype", "format", "uid", "gid", "nblocks"):
            setattr(known, name, getattr(inode, name))
        known.nlink = inode.links
        known.next = inode.next_unlinked
        known.projid = inode.projid_hi << 16 | inode.projid_lo
        known.entries = known.parent = None
        if inode.type == stat.S_IFDIR and not data.broken:
            directory = Directory(self.fs, inode, data)
            known.entries, known.parent = directory.entries, directory.parent
        elif inode.type == stat.S_IFLNK:
            symlink_target(self.fs, inode, data)
        attributes = Attributes(self.fs, inode, attr) if not attr.broken else None
        entries = attributes.entries if attributes else []
        known.has_attrs = bool(entries)
        known.parents = [(name, value) for flags, name, value in entries if flags & 0x08]
        self.unique_names(entries)
        return known

    def unique_names(self, entries):
        """No two attributes of one name and namespace; parent pointers may differ in the value only."""
        seen = set()
        for flags, name, value in entries:
            key = (flags, name, value if flags & 0x08 else None)
            if key in seen:
                self.rep.add("attr-duplicate", self.where, repr(name), "once")
            seen.add(key)
