#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The listing of tree.py, taken from a mounted filesystem through system calls: what the kernel sees.

usage: mounted_tree.py [--times] DIRECTORY
"""

import hashlib
import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from tree import DEVICES, LETTERS  # noqa: E402
from xfsread.names import printable  # noqa: E402


class Mounted:
    def __init__(self, top, times):
        self.top = os.fsencode(top).rstrip(b"/")
        self.times = times
        self.digests = {}

    def digest(self, path, number):
        if number not in self.digests:
            digest = hashlib.sha256()
            with open(path, "rb") as handle:
                for piece in iter(lambda: handle.read(1 << 20), b""):
                    digest.update(piece)
            self.digests[number] = digest.hexdigest()
        return self.digests[number]

    def row(self, path, inside):
        """`path` leads to the object, `inside` is its path in the filesystem."""
        st = os.lstat(path)
        kind = stat.S_IFMT(st.st_mode)
        size, what = str(st.st_size), "-"
        if kind == stat.S_IFDIR:
            size = "-"
        elif kind == stat.S_IFREG:
            what = self.digest(path, st.st_ino)
        elif kind == stat.S_IFLNK:
            what = printable(os.readlink(path))
        elif kind in DEVICES:
            what = "%d:%d" % (os.major(st.st_rdev), os.minor(st.st_rdev))
        columns = [printable(inside), LETTERS[kind], "%04o" % (st.st_mode & 0o7777),
                   "%d:%d" % (st.st_uid, st.st_gid), str(st.st_nlink), size, what, self.attributes(path)]
        if self.times:
            columns.append(" ".join("%d.%09d" % divmod(t, 10 ** 9) for t in (st.st_mtime_ns, st.st_ctime_ns)))
        return inside, columns

    @staticmethod
    def attributes(path):
        texts = []
        for name in os.listxattr(path, follow_symlinks=False):
            value = os.getxattr(path, name, follow_symlinks=False)
            texts.append("%s=%s" % (printable(os.fsencode(name)), hashlib.sha256(value).hexdigest()))
        return " ".join(sorted(texts)) or "-"

    def output(self):
        """Goes through open directories, since whole paths may be longer than the kernel takes."""
        rows = [self.row(self.top + b"/", b"/")]
        for base, directories, files, handle in os.fwalk(self.top):
            for name in directories + files:
                path = b"/proc/self/fd/%d/%s" % (handle, name)
                rows.append(self.row(path, base[len(self.top):] + b"/" + name))
        for _, columns in sorted(rows):
            print("\t".join(columns))


def main():
    args = [arg for arg in sys.argv[1:] if arg != "--times"]
    if len(args) != 1:
        sys.exit(__doc__)
    Mounted(args[0], "--times" in sys.argv).output()


if __name__ == "__main__":
    main()
