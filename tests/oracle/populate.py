#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fill a mounted filesystem with a bit of everything, the same for the same seed. Needs root for device nodes.

usage: populate.py DIRECTORY [SCALE [SEED]]   (scale 0.1: 150 inodes, 1: some hundreds, 10: some thousands)
"""

import ctypes
import errno
import fcntl
import os
import random
import stat
import sys

FICLONE, FICLONERANGE = 0x40049409, 0x4020940D
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 0x10
libc = ctypes.CDLL(None, use_errno=True)


def fallocate(fd, mode, offset, length):
    if libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write(path, data):
    with open(path, "wb") as handle:
        handle.write(data)


class Populate:
    def __init__(self, top, scale, seed):
        self.top = os.fsencode(top)
        self.scale = scale
        self.rng = random.Random(seed)
        self.block = os.statvfs(top).f_bsize

    def path(self, *parts):
        return os.path.join(self.top, *(os.fsencode(part) for part in parts))

    def data(self, size):
        """Bytes that differ from file to file, yet compress well."""
        return (self.rng.randbytes(12) * (size // 12 + 1))[:size]

    def count(self, number):
        return max(1, int(number * self.scale))

    def run(self):
        for step in (self.small_files, self.directories, self.big_directory, self.fragmented, self.preallocated,
                     self.links, self.specials, self.xattrs, self.clones, self.deletes):
            step()
        os.sync()

    def small_files(self):
        os.mkdir(self.path("small"))
        for number in range(self.count(150)):
            write(self.path("small", "f%06d" % number), self.data(self.rng.randrange(0, 3000)))

    def directories(self):
        """A deep path, and directories of every size class."""
        deep = self.path("deep")
        os.mkdir(deep)
        for number in range(self.count(30)):
            deep = os.path.join(deep, b"level%d" % number)
            os.mkdir(deep)
        for count in (0, 1, 5, 20, 60, 150, 300) if self.scale >= 1 else (0, 1, 5, 40):
            base = self.path("dir%d" % count)
            os.mkdir(base)
            for number in range(count):
                os.mkdir(os.path.join(base, b"sub-%d-%s" % (number, b"x" * (number % 40))))

    def big_directory(self):
        """Directories of leaf and node form, made of links to one file; a third of the names goes again."""
        for directory, count in (("medium", 150), ("big", max(700, self.count(700)))):
            base = self.path(directory)
            os.mkdir(base)
            target = os.path.join(base, b"first")
            write(target, b"linked many times")
            for number in range(count):
                os.link(target, os.path.join(base, b"n%d-" % number + b"y" * self.rng.randrange(1, 60)))
            for name in sorted(os.listdir(base))[::3]:
                os.unlink(os.path.join(base, name))

    def fragmented(self):
        """Many extents: every second block punched out."""
        for count in (10, 40, self.count(300)):
            name = self.path("holes%d" % count)
            write(name, self.data(self.block * 2 * count))
            with open(name, "r+b") as handle:
                os.fsync(handle.fileno())
                for number in range(count):
                    fallocate(handle.fileno(), PUNCH_HOLE | KEEP_SIZE, number * 2 * self.block, self.block)

    def preallocated(self):
        name = self.path("prealloc")
        with open(name, "wb") as handle:
            fallocate(handle.fileno(), 0, 0, 64 * self.block)
            fallocate(handle.fileno(), KEEP_SIZE, 100 * self.block, 50 * self.block)
            for number in (3, 4, 9, 30):
                os.pwrite(handle.fileno(), self.data(self.block), number * self.block)
        with open(self.path("sparse"), "wb") as handle:
            os.pwrite(handle.fileno(), b"far away", (1 << 24) + 12345)

    def links(self):
        for length in (1, 30, 100, 150, 336, 337, 700, 1023):
            os.symlink(b"t" * length, self.path("symlink%d" % length))
        write(self.path("hard"), self.data(5000))
        for number in range(5):
            os.link(self.path("hard"), self.path("hard-%d" % number))

    def specials(self):
        os.mkfifo(self.path("fifo"))
        for name, kind, device in (("chr", stat.S_IFCHR, (1, 3)), ("blk", stat.S_IFBLK, (259, 1000))):
            os.mknod(self.path(name), kind | 0o600, os.makedev(*device))
        os.mknod(self.path("sock"), stat.S_IFSOCK | 0o600)
        write(self.path("\u00e9 odd\tname\\"), b"odd")
        os.chmod(self.path("fifo"), 0o4755)
        os.chown(self.path("chr"), 1000, 77)
        os.utime(self.path("chr"), (10 ** 9, 2 * 10 ** 9))

    def xattrs(self):
        for count in (1, 3, 12, 60, 400) if self.scale >= 1 else (1, 3, 12, 40):
            name = self.path("xattr%d" % count)
            write(name, b"x")
            for index in range(count):
                space = ("user.", "trusted.", "security.")[index % 3]
                size = self.rng.choice((0, 5, 30, 200, 900)) if count > 3 else 10
                self.setxattr(name, space + "attr%d" % index, self.data(size))
            for index in range(0, count - 1, 4):
                self.setxattr(name, ("user.", "trusted.", "security.")[index % 3] + "attr%d" % index, None)
        name = self.path("xattr-big")
        write(name, b"x")
        for index, size in enumerate((4000, 20000, 65536, 65536, 3000)):
            self.setxattr(name, "user.big%d" % index, self.data(size))
        self.setxattr(name, "user.big1", None)
        os.mkdir(self.path("xattr-dir"))
        self.setxattr(self.path("xattr-dir"), "user.ondir", b"value")
        self.setxattr(self.path("symlink150"), "trusted.onlink", b"value" * 30)

    @staticmethod
    def setxattr(path, name, value):
        if value is None:
            os.removexattr(path, name, follow_symlinks=False)
        else:
            os.setxattr(path, name, value, follow_symlinks=False)

    def clones(self):
        """Shared extents, with copies on write inside; nothing without reflink."""
        source = self.path("clone-source")
        write(source, self.data(self.block * 200))
        try:
            for number in range(6):
                copy = self.path("clone%d" % number)
                with open(source, "rb") as old, open(copy, "wb") as new:
                    os.fsync(old.fileno())
                    fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
                with open(copy, "r+b") as new:
                    for _ in range(number * 4):
                        os.pwrite(new.fileno(), self.data(self.block), self.rng.randrange(200) * self.block)
        except OSError as err:
            if err.errno not in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL):
                raise
            os.unlink(copy)

    def deletes(self):
        base = self.path("small")
        names = sorted(os.listdir(base))
        self.rng.shuffle(names)
        for name in names[:len(names) // 2]:
            os.unlink(os.path.join(base, name))
        for number in range(self.count(40)):
            write(self.path("late%d" % number), self.data(self.rng.randrange(1, 20000)))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    Populate(sys.argv[1], scale, seed).run()


if __name__ == "__main__":
    main()
