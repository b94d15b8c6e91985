# SPDX-License-Identifier: BSD-2-Clause
"""Read access to an image: a regular file or block device, optionally from a byte offset on."""

import mmap
import os
import stat


class ReadError(Exception):
    """The image ends before, or can't be read at, the wanted range."""


class Image:
    """Byte-addressed, read only. `offset` is where the filesystem starts in the file."""

    def __init__(self, path, offset=0):
        self.path = path
        self.offset = offset
        self.fd = os.open(path, os.O_RDONLY)
        self.total = os.lseek(self.fd, 0, os.SEEK_END)
        self.size = max(0, self.total - offset)
        self.map = None
        if stat.S_ISREG(os.fstat(self.fd).st_mode) and self.total:
            self.map = mmap.mmap(self.fd, 0, prot=mmap.PROT_READ)

    def read(self, start, length):
        """Exactly `length` bytes at `start`, or ReadError."""
        if start < 0 or length < 0 or start + length > self.size:
            raise ReadError("bytes %d..%d are outside the image (%d bytes)" % (start, start + length, self.size))
        start += self.offset
        if self.map is not None:
            return self.map[start:start + length]
        data = os.pread(self.fd, length, start)
        if len(data) != length:
            raise ReadError("short read at byte %d" % start)
        return data

    def close(self):
        if self.map is not None:
            self.map.close()
        os.close(self.fd)
