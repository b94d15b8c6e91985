# SPDX-License-Identifier: BSD-2-Clause
"""Filesystems with a filled metadata directory, made by our mkfs.xfs and tests/helpers/metadir.c: the distribution's tools and
kernel are too old for them (Linux 6.18 and xfsprogs 7.2 find nothing in them).  The same bytes each time."""
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]

import campaign  # noqa: E402
from damage import Damage  # noqa: E402
from xfsread.crc32c import block_crc  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

MKFS = os.path.join(campaign.BUILD, "mkfs.xfs")
FILL = os.path.join(campaign.BUILD, "bin", "tests", "helpers", "metadir")
UUID = "uuid=11111111-2222-3333-4444-555555555555"
QUOTA = "metadir=1,uquota,gquota,pquota,"
RT_SIZE = {"rtgroups": 4 << 20, "rtgroups-1k": 80 << 20, "rtgroups-many": 4 << 20,
           "rtgroups-block": 16 << 20, "rtgroups-leaf": 16 << 20,
           "rtgroups-bare": 16 << 20, "zones": 6 * 300 << 12, "zones-many": 6 << 20}
# mkfs options; extents of a group and blocks of an extent: groups are no power of two (but for one kind), the last one is short, and the bitmap of a
# group has one block or two
# With reflink on the realtime device Linux wants a larger log than without one.
KINDS = {"metadir": ("-m %s -b size=1k -n parent=1" % (QUOTA + UUID), ()),
         "rtgroups": ("-m %s -L groups -l size=20m" % (QUOTA + UUID), ("300", "1")),
         # a tree of reverse mappings with blocks of its own: the helper leaves it empty, and our own xfs_repair fills it
         "rtgroups-many": ("-m %s -l size=20m" % (QUOTA + UUID), ("256+", "1")),
         # sixteen groups, whose files fill a directory of one block and one of leaf form; trees above leaves and parent
         # pointers
         "rtgroups-block": ("-m %s -n parent=1 -l size=20m" % (QUOTA + UUID), ("256+", "1")),
         "rtgroups-leaf": ("-m reflink=0,%s -b size=1k -n parent=1 -l size=20m" % (QUOTA + UUID), ("256+", "4")),
         # nothing owns the extents of files: what is free and the device tell the geometry
         "rtgroups-bare": ("-m rmapbt=0,reflink=0,%s -n parent=1 -l size=20m" % (QUOTA + UUID), ("256", "1")),
         # zones: groups without bitmaps, whose reverse mappings count blocks in use; all of one size, five at least
         "zones": ("-m reflink=0,%s -n parent=1 -l size=20m" % (QUOTA + UUID), ("300", "zoned")),
         "zones-many": ("-m reflink=0,%s -l size=20m" % (QUOTA + UUID), ("256+", "zoned")),
         "rtgroups-1k": ("-m metadir=1,reflink=0,%s -b size=1k -n parent=1" % UUID, ("9000", "4"))}


def make(kind, image, rt):
    """Makes both files (`rt` only where the kind has such a section)."""
    options, groups = KINDS[kind]
    for path, size in ((image, 64 << 20), (rt, RT_SIZE.get(kind))):
        if size:
            with open(path, "wb") as out:
                out.truncate(size)
    env = dict(os.environ, SOURCE_DATE_EPOCH="1700000000", DETERMINISTIC_SEED="1")
    full = [campaign.REPAIR, "-o", "force_geometry", "-r", rt, image]
    for command in ([MKFS, "-q", "-f", "--unsupported", "-d", "agcount=2", *options.split(), image],
                    [FILL, image, *((rt, *groups) if groups else ())],
                    *([full] if groups and groups[0].endswith("+") else ())):
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(" ".join(command) + ": " + done.stdout)


def made(kind):
    """(image, realtime device or None), kept until the programs that make them change."""
    os.makedirs(campaign.IMAGES, exist_ok=True)
    image = os.path.join(campaign.IMAGES, kind + ".img")
    rt = os.path.join(campaign.IMAGES, kind + ".rt")
    if not os.path.exists(image) or os.path.getmtime(image) < max(os.path.getmtime(p) for p in (MKFS, FILL, campaign.REPAIR, __file__)):
        fresh = ["%s.%d" % (path, os.getpid()) for path in (rt, image)]
        make(kind, fresh[1], fresh[0])
        for path, target in zip(fresh, (rt, image)):
            if os.path.exists(path):
                os.rename(path, target)
    return image, rt if kind in RT_SIZE else None


class Meta(Damage):
    """Damage with places of the metadata directory."""

    def __init__(self, image, rt=None):
        super().__init__(image)
        self.rt, self.clean = rt, None

    def number(self, path):
        """Inode of a path in the metadata directory."""
        ino = self.fs.sb.metadirino
        for name in path.strip("/").split("/"):
            if name:
                inode = read_inode(self.fs, ino)
                ino = {n: i for n, i, _ in Directory(self.fs, inode, read_fork(self.fs, inode, False)).entries}[name.encode()]
        return ino

    def meta(self, path, offset, size, change):
        self.poke("inode:%d" % self.number(path), offset, size, change)

    def wipe(self, *paths):
        for start, size in [self.locate("inode:%d" % self.number(path))[:2] for path in paths]:
            self.write(start, bytes(size))

    def blocks(self, path):
        """First bytes of the blocks of a file of that directory."""
        fork = read_fork(self.fs, read_inode(self.fs, self.number(path)), False)
        return [self.fs.byte_of(*self.fs.split_fsb(fsb + i)) for _, fsb, length, _ in fork.extents for i in range(length)]

    def block(self, path, index, offset, data, crc=4):
        """Bytes in a block; the checksum is made right, with `crc` None it is not."""
        start = self.blocks(path)[index]
        raw = bytearray(self.read(start, self.fs.bs))
        raw[offset:offset + len(data)] = data
        if crc is not None:
            raw[crc:crc + 4] = block_crc(bytes(raw), crc).to_bytes(4, "little")
        self.write(start, bytes(raw))

    def kinds(self):
        """Suffixes that each group has."""
        return ["bitmap", "summary"] * (not self.fs.sb.zoned) + ["rmap"] * bool(self.fs.sb.rmapbt) + ["refcount"] * bool(self.fs.sb.reflink)

    def free(self, path):
        """The inode becomes a free one, whose record says so, too."""
        ino = self.number(path)
        start, size, crc = self.locate("inode:%d" % ino)
        self.write(start + 2, bytes(2))
        self.fix(start, size, crc)

    def leaf(self, path, data, index=0):
        """Bytes from the start of a leaf of a realtime tree of two levels; its checksum stays as it was."""
        start, size, _ = self.locate("inode:%d" % self.number(path))
        raw = self.read(start, size)
        fork = (8 * raw[82] or size - 176) - 4
        key = 40 if path.endswith("rmap") else 4
        fsb, = struct.unpack_from(">Q", raw, 180 + fork // (key + 8) * key + 8 * index)
        self.write(self.fs.byte_of(*self.fs.split_fsb(fsb)), data)

    def super(self, offset, data):
        """Bytes of the realtime superblock, with a right checksum unless these are it."""
        with open(self.rt, "r+b") as f:
            raw = bytearray(f.read(self.fs.bs))
            self.clean = self.clean or bytes(raw)
            raw[offset:offset + len(data)] = data
            if offset != 4:
                raw[4:8] = block_crc(bytes(raw), 4).to_bytes(4, "little")
            f.seek(0)
            f.write(raw)

    def restore(self):
        super().restore()
        if self.clean:
            with open(self.rt, "r+b") as f:
                f.write(self.clean)


def tree(path):
    """(path, inode, links, metatype, group, size, blocks) of all that is in the metadata directory."""
    from xfsjudge.report import Report
    from xfsread.device import Image
    from xfsread.fs import Fs
    fs = Fs(Image(path), Report(), check_crc=False)
    found, left = [], [("", fs.sb.metadirino)]
    while left:
        name, number = left.pop()
        inode = read_inode(fs, number)
        found.append((name, number, inode.links, inode.metatype, inode.projid_lo | inode.projid_hi << 16, inode.size, inode.nblocks))
        if inode.type == 0o040000:
            left += [(name + "/" + child.decode("latin1"), ino) for child, ino, _ in Directory(fs, inode, read_fork(fs, inode, False)).entries
                     if child not in (b".", b"..")]
    fs.image.close()
    return sorted(found)
