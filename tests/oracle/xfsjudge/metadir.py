# SPDX-License-Identifier: BSD-2-Clause
"""The metadata directory tree: which files it has, under which names, and what these say in their inodes
(format sheet 10, sections 4.1 and 4.2); the realtime superblock (section 3.2)."""

import re
import stat

from xfsread import inode as di

GROUP_FILES = {"bitmap": 5, "summary": 6, "rmap": 7, "refcount": 8}
QUOTA_FILES = {"user": 2, "group": 3, "project": 4}
GROUP_NAME = re.compile(r"(0|[1-9]\d*)\.(bitmap|summary|rmap|refcount)$")
RT_MAGIC = 0x46726F67


class Metadir:
    def __init__(self, fs, inodes):
        self.fs, self.rep, self.inodes = fs, fs.rep, inodes
        self.named = {fs.sb.metadirino}

    def add(self, ident, path, found, expected):
        self.rep.add("metadir-" + ident, "metadata directory " + path, found, expected)

    def entries(self, ino):
        known = self.inodes.get(ino)
        return {name.decode("latin-1"): child for name, child, _ in (known and known.entries) or ()}

    def kinds(self):
        """Suffixes that each group has."""
        sb = self.fs.sb
        return {kind for kind, has in (("bitmap", not sb.zoned), ("summary", not sb.zoned), ("rmap", sb.rmapbt), ("refcount", sb.reflink))
                if has}

    def inode(self, path, ino, metatype, projid):
        known = self.inodes.get(ino)
        if known is None:
            return
        if known.metatype != metatype:
            self.add("type", path, known.metatype, metatype)
        if known.projid != projid:
            self.add("projid", path, known.projid, projid)
        self.named.add(ino)

    def run(self):
        sb, root = self.fs.sb, self.entries(self.fs.sb.metadirino)
        for name, child in root.items():
            if name not in ("rtgroups", "quota"):
                self.add("name", "/" + name, "an entry", "rtgroups and quota only")
                continue
            self.inode("/" + name, child, 1, 0)
        kinds, groups = self.kinds(), self.entries(root.get("rtgroups"))
        for name, child in groups.items():
            match = GROUP_NAME.match(name)
            if not match or match[2] not in kinds or int(match[1]) >= sb.rgcount:
                self.add("name", "/rtgroups/" + name, "an entry", "files of %d groups: %s" % (sb.rgcount, " ".join(sorted(kinds))))
                continue
            self.inode("/rtgroups/" + name, child, GROUP_FILES[match[2]], int(match[1]))
        for number in range(sb.rgcount if sb.rblocks else 0):
            for kind in kinds:
                if "%d.%s" % (number, kind) not in groups:
                    self.add("missing", "/rtgroups/%d.%s" % (number, kind), "no entry", "one")
        for name, child in self.entries(root.get("quota")).items():
            if name not in QUOTA_FILES:
                self.add("name", "/quota/" + name, "an entry", "user, group and project only")
                continue
            self.inode("/quota/" + name, child, QUOTA_FILES[name], 0)
        for ino, known in self.inodes.items():
            if known.flags2 & di.METADATA and ino not in self.named and not stat.S_ISDIR(known.mode):
                self.add("stray", "(inode %d)" % ino, "metatype %d" % known.metatype, "a name in the tree")


def check_metadir(fs, inodes):
    if fs.sb.metadir:
        Metadir(fs, inodes).run()


def check_rt_super(fs, image):
    """`image`: the realtime device."""
    sb = fs.sb
    if not sb.metadir or sb.zoned or not sb.rblocks:
        return
    raw = image.read(0, fs.bs)
    where = "realtime superblock"
    fs.check_checksum("rtsb", where, raw, 4)
    for name, start, size, right in (("magic", 0, 4, RT_MAGIC.to_bytes(4, "big")), ("pad", 8, 4, bytes(4)), ("fname", 12, 12, sb.fname),
                                     ("uuid", 24, 16, sb.uuid), ("meta-uuid", 40, 16, fs.uuid),
                                     ("rest", 56, fs.bs - 56, bytes(fs.bs - 56))):
        if raw[start:start + size] != right:
            fs.rep.add("rtsb-" + name, where, raw[start:start + size].rstrip(b"\0")[:16].hex(), right.rstrip(b"\0").hex())
