# SPDX-License-Identifier: BSD-2-Clause
"""Damage to an image file that can be taken back: finding structures, changing fields, checksums put right."""

import os
import struct

from xfsjudge.groups import Group
from xfsjudge.report import Report
from xfsread import btree as b
from xfsread import content, crc32c
from xfsread.dablocks import DaTree
from xfsread.device import Image
from xfsread.forks import read_fork
from xfsread.fs import Fs
from xfsread.inode import read_inode

KINDS = {kind.name: kind for kind in (b.BNOBT, b.CNTBT, b.INOBT, b.FINOBT, b.RMAPBT, b.REFCOUNTBT)}


class Damage:
    """Applies rows to an image file and takes them back."""

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDWR)
        self.undo = []
        self.image = Image(path)
        self.fs = Fs(self.image, Report())
        self.v5 = self.fs.v5
        self.groups = [Group(self.fs, agno) for agno in range(self.fs.agcount)]

    def close(self):
        self.image.close()
        os.close(self.fd)

    def apply(self, row):
        row.action(self)

    def restore(self):
        for start, data in reversed(self.undo):
            os.pwrite(self.fd, data, start)
        self.undo = []

    def read(self, start, length):
        return os.pread(self.fd, length, start)

    def write(self, start, data):
        self.undo.append((start, self.read(start, len(data))))
        os.pwrite(self.fd, data, start)

    def fix(self, start, length, crc):
        """Compute the checksum of an object anew."""
        if self.v5 and crc is not None:
            value = crc32c.block_crc(self.read(start, length), crc)
            self.write(start + crc, struct.pack("<I", value))

    # --- where structures are: (byte, length, position of the crc) ---

    def locate(self, target):
        name, _, path = target.partition(":")
        if path:
            return getattr(self, "locate_" + name)(path)
        fs = self.fs
        sectors = {"sb": (0, 224), "agf": (1, 216), "agi": (2, 312), "agfl": (3, 32)}
        if name in sectors:
            return sectors[name][0] * fs.ss, fs.ss, sectors[name][1]
        if name == "sb2":
            return fs.byte_of(1, 0), fs.ss, 224
        if name == "agf2":
            return fs.byte_of(1, 0) + fs.ss, fs.ss, 216
        if name == "log":
            return fs.byte_of(*fs.split_fsb(fs.sb.logstart)), 512, None
        return self.tree_block(*name.split("."))

    def tree_block(self, kind, sort):
        for group in self.groups:
            for agbno in group.trees[KINDS[kind]].blocks:
                start = self.fs.byte_of(group.agno, agbno)
                level, count = struct.unpack(">HH", self.read(start + 4, 4))
                if (level > 0) == (sort == "node") and count > 1:
                    return start, self.fs.bs, 52
        raise KeyError(kind)

    def inode(self, path):
        return read_inode(self.fs, content.resolve(self.fs, os.fsencode(path)))

    def locate_inode(self, path):
        ino = self.inode(path).ino if not path.isdigit() else int(path)
        return self.fs.ino_byte(ino), self.fs.isize, 100

    def locate_bmbt(self, path):
        fork = read_fork(self.fs, self.inode(path), False)
        return self.fs.byte_of(*self.fs.split_fsb(fork.bmbt[0])), self.fs.bs, 64

    def file_block(self, path, attr, block, count, crc):
        fork = read_fork(self.fs, self.inode(path), attr)
        fsb = fork.lookup(block)[0]
        return self.fs.byte_of(*self.fs.split_fsb(fsb)), count * self.fs.bs, crc

    def locate_dirdata(self, path):
        return self.file_block(path, False, 0, self.fs.dirblocks, 4)

    def locate_dirtop(self, path):
        return self.file_block(path, False, self.fs.leafblk, self.fs.dirblocks, 12)

    def locate_dirleaf(self, path):
        """First leaf of a node directory."""
        inode = self.inode(path)
        tree = DaTree(self.fs, inode.ino, read_fork(self.fs, inode, False), False).run(self.fs.leafblk)
        return self.file_block(path, False, tree.leaves[0][0], self.fs.dirblocks, 12)

    def locate_dirfree(self, path):
        return self.file_block(path, False, self.fs.freeblk, self.fs.dirblocks, 4)

    def locate_attrtop(self, path):
        return self.file_block(path, True, 0, 1, 12)

    def locate_attrleaf(self, path):
        inode = self.inode(path)
        tree = DaTree(self.fs, inode.ino, read_fork(self.fs, inode, True), True).run(0)
        return self.file_block(path, True, tree.leaves[0][0], 1, 12)

    def locate_attrremote(self, path):
        return self.file_block(path, True, 1, 1, 12)

    def locate_symlink(self, path):
        fork = read_fork(self.fs, self.inode(path), False)
        return self.file_block(path, False, 0, fork.extents[0][2], 12)

    # --- changes ---

    def poke(self, target, offset, size, change, fix=True):
        """Change the big-endian integer of `size` bytes at `offset` of the structure."""
        self.poke_block(self.locate(target), offset, size, change, fix)

    def poke_block(self, place, offset, size, change, fix=True):
        start, length, crc = place
        at = start + (offset if offset >= 0 else length + offset)
        value = change(int.from_bytes(self.read(at, size), "big")) if callable(change) else change
        self.write(at, (value & (1 << 8 * size) - 1).to_bytes(size, "big"))
        if fix:
            self.fix(start, length, crc)

    def poke_record(self, kind, index, field, size, change):
        """Change a field of record `index` of the first leaf of an AG tree."""
        start = KINDS[kind].header(self.fs)
        self.poke(kind + ".leaf", start + index * KINDS[kind].rec.size + field, size, change)

    def drop_record(self, kind, index):
        """Remove a record of the first leaf."""
        start, length, crc = self.locate(kind + ".leaf")
        size, head = KINDS[kind].rec.size, KINDS[kind].header(self.fs)
        count = struct.unpack(">H", self.read(start + 6, 2))[0]
        at = start + head + index * size
        self.write(at, self.read(at + size, (count - 1 - index) * size))
        self.write(start + 6, struct.pack(">H", count - 1))
        self.fix(start, length, crc)

    def swap(self, target, one, two, size):
        start, length, crc = self.locate(target)
        first, second = self.read(start + one, size), self.read(start + two, size)
        self.write(start + one, second)
        self.write(start + two, first)
        self.fix(start, length, crc)
