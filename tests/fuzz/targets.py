# SPDX-License-Identifier: BSD-2-Clause
"""Where the metadata of a clean image is: what the fuzzer damages."""
import collections
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))

from xfsjudge.groups import Group  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread import btree as b, inode as di  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

# scope: sb, ag, rmap, fork, inode, names, log. Bytes [start + first, start + last) are damaged, of an object of `size`
# bytes whose checksum stands at `crc` (None: there is none). `sort` tells what may be swapped with what.
Target = collections.namedtuple("Target", "scope sort start size crc first last")


class Targets:
    def __init__(self, path):
        self.image = Image(path)
        self.fs = Fs(self.image, Report(), check_crc=False)
        self.v5 = self.fs.v5
        self.all = []
        self.headers()
        groups = [Group(self.fs, agno) for agno in range(self.fs.agcount)]
        for group in groups:
            self.trees(group)
            self.inodes(group)
        if self.fs.sb.logstart:
            self.log()
        self.image.close()

    def put(self, scope, sort, start, size, crc, first=0, last=None):
        self.all.append(Target(scope, sort, start, size, crc if self.v5 else None, first, size if last is None
                               else last))

    def headers(self):
        fs = self.fs
        for agno in range(fs.agcount):
            base = fs.byte_of(agno, 0)
            for k, (name, crc, used) in enumerate((("sb", 224, 264), ("agf", 216, 224), ("agi", 312, 344),
                                                   ("agfl", 32, fs.ss))):
                self.put("sb" if name == "sb" else "ag", name, base + k * fs.ss, fs.ss, crc, 0, used)

    def trees(self, group):
        for kind, walk in group.trees.items():
            for agbno in walk.blocks:
                self.put("rmap" if kind is b.RMAPBT else "ag", kind.name, self.fs.byte_of(group.agno, agbno),
                         self.fs.bs, 52)

    def inodes(self, group):
        fs = self.fs
        for chunk in group.chunks:
            for index in range(64):
                if not chunk.exists(index):
                    continue
                ino = fs.join_ino(group.agno, chunk.startino + index)
                start, size = fs.ino_byte(ino), fs.isize
                if chunk.is_free(index):
                    self.put("inode", "free inode", start, size, 100)
                    continue
                inode = read_inode(fs, ino)
                self.put("inode", "inode", start, size, 100, 0, inode.core_size)
                for attr in (False, True):
                    self.fork(inode, attr, start)

    def fork(self, inode, attr, start):
        fs = self.fs
        if attr and not inode.forkoff:
            return
        fork = read_fork(fs, inode, attr)
        first = inode.core_size + (inode.forkoff * 8 if attr else 0)
        last = first + (inode.asize if attr else inode.dsize)
        if fork.format == di.LOCAL:
            self.put("names", "local fork", start, fs.isize, 100, first, last)
        elif fork.format in (di.EXTENTS, di.BTREE) and fork.extents:
            used = first + 16 * len(fork.extents) if fork.format == di.EXTENTS else last
            self.put("fork", "fork", start, fs.isize, 100, first, min(last, used))
        for fsb in fork.bmbt:
            self.put("fork", "bmbt", fs.byte_of(*fs.split_fsb(fsb)), fs.bs, 64)
        if attr or inode.type in (stat.S_IFDIR, stat.S_IFLNK):
            for offset, fsb, count, _ in fork.extents:
                step = 1 if attr or inode.type == stat.S_IFLNK else fs.dirblocks
                crc = 12 if attr or inode.type == stat.S_IFLNK or offset >= fs.leafblk and offset < fs.freeblk else 4
                for k in range(0, count, step):
                    at = fs.byte_of(*fs.split_fsb(fsb + k))
                    self.put("names", "attr" if attr else "dir", at, min(step, count - k) * fs.bs, crc)

    def log(self):
        start = self.fs.byte_of(*self.fs.split_fsb(self.fs.sb.logstart))
        for k in range(0, min(64, self.fs.sb.logblocks * self.fs.bs // 512)):
            self.all.append(Target("log", "log", start + 512 * k, 512, None, 0, 512))
