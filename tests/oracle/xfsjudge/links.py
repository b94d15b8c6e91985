# SPDX-License-Identifier: BSD-2-Clause
"""Names and links: entries point to live inodes of the right type, link counts, one parent for each directory,
everything reachable, parent pointers (format sheet 03, sections 5, 7 and 10)."""

import stat
import struct

from xfsread import inode as di
from xfsread.device import ReadError
from xfsread.fs import NULLAG
from xfsread.inode import read_inode
from xfsread.names import printable


class Links:
    """`inodes`: number -> Known. `special`: metadata inodes that no directory names."""

    def __init__(self, fs, inodes, special, groups):
        self.fs = fs
        self.rep = fs.rep
        self.inodes = inodes
        self.special = special
        self.groups = groups
        self.names = {}         # child -> number of entries
        self.homes = {}         # directory -> directories that list it
        self.subdirs = {}       # directory -> number of subdirectories
        self.pointers = {}      # child -> set of (name, parent)
        self.roots = [fs.sb.rootino] + ([fs.sb.metadirino] if fs.sb.metadir else [])

    def run(self):
        for root in self.roots:
            known = self.inodes.get(root)
            if known is None or not stat.S_ISDIR(known.mode):
                self.rep.add("root", "inode %d" % root, "not a directory in use", "a root directory")
        for ino, known in self.inodes.items():
            if known.entries is not None:
                self.entries(ino, known)
        self.parents()
        self.link_counts()
        self.reachable()
        if self.fs.sb.parent:
            self.parent_pointers()

    def entries(self, ino, known):
        def add(ident, found, expected):
            self.rep.add(ident, "inode %d entry %s" % (ino, printable(name)), found, expected)

        seen = set()
        for name, child, ftype in known.entries:
            if name in seen:
                add("dir-duplicate", "twice", "once")
            seen.add(name)
            target = self.inodes.get(child)
            if target is None:
                good = self.fs.valid_ino(child)
                add("dir-dangling", "inode %d%s" % (child, "" if good else " (no valid number)"), "an inode in use")
                continue
            if child in self.special or child in self.roots:
                add("dir-special", "inode %d" % child, "no metadata or root inode")
            right = di.FTYPES.get(stat.S_IFMT(target.mode), 0)
            if ftype is not None and ftype != right:
                add("dir-ftype", ftype, right)
            if (target.flags2 ^ known.flags2) & di.METADATA:
                add("dir-metadata", "crosses between the metadata tree and the files", "one tree")
            self.names[child] = self.names.get(child, 0) + 1
            self.pointers.setdefault(child, set()).add((name, ino))
            if stat.S_ISDIR(target.mode):
                self.homes.setdefault(child, []).append(ino)
                self.subdirs[ino] = self.subdirs.get(ino, 0) + 1

    def parents(self):
        """Every directory is listed once, and its .. names the directory that lists it."""
        for ino, known in self.inodes.items():
            if not stat.S_ISDIR(known.mode):
                continue
            homes = self.homes.get(ino, [])
            where = "inode %d" % ino
            if ino in self.roots:
                if known.parent != ino:
                    self.rep.add("dir-parent", where, known.parent, "%d (itself)" % ino)
                continue
            if len(homes) > 1:
                self.rep.add("dir-homes", where, "listed in %s" % homes[:4], "one directory")
            if known.entries is None or not homes:
                continue
            if known.parent not in homes:
                self.rep.add("dir-parent", where, known.parent, homes[0])

    def link_counts(self):
        for ino, known in self.inodes.items():
            if ino in self.special:
                right = 1
            elif stat.S_ISDIR(known.mode):
                right = 2 + self.subdirs.get(ino, 0)
                if ino not in self.roots and ino not in self.homes and self.on_list(ino):
                    right = 0
            else:
                right = self.names.get(ino, 0)
            if known.nlink != right:
                self.rep.add("inode-nlink", "inode %d" % ino, known.nlink, right)

    def on_list(self, ino):
        agno, agino = self.fs.split_ino(ino)
        return agino in self.groups[agno].unlinked

    def reachable(self):
        """Walk from the roots; what is left must be special or unlinked."""
        seen = set(root for root in self.roots if root in self.inodes)
        queue = list(seen)
        while queue:
            known = self.inodes[queue.pop()]
            for _, child, _ in known.entries or ():
                if child in self.inodes and child not in seen:
                    seen.add(child)
                    queue.append(child)
        for ino in self.inodes:
            if ino not in seen and ino not in self.special and not self.on_list(ino):
                self.rep.add("inode-unreachable", "inode %d" % ino, "in use, but in no directory", "a path")

    def parent_pointers(self):
        """Exactly one attribute for each entry, with the parent's generation (section 7)."""
        for ino, known in self.inodes.items():
            want = set()
            for name, parent in self.pointers.get(ino, ()):
                want.add((name, struct.pack(">QI", parent, self.inodes[parent].gen)))
            have = set(known.parents)
            for name, value in want - have:
                self.rep.add("parent-missing", "inode %d" % ino, "no parent pointer",
                             "%s in %d" % (printable(name), struct.unpack(">QI", value)[0]))
            for name, value in have - want:
                text = value.hex() if value is not None else "unreadable"
                self.rep.add("parent-surplus", "inode %d" % ino, "%s %s" % (printable(name), text), "no such entry")


def follow_unlinked(fs, groups):
    """Collect the inodes of all AGI lists before the inodes are judged; bad links are findings."""
    for group in groups:
        first, last = fs.agino_range(group.agno)
        for bucket, agino in enumerate(group.agi.unlinked):
            while agino != NULLAG:
                where = "%s bucket %d" % (group.name, bucket)
                if not first <= agino <= last or agino % 64 != bucket or agino in group.unlinked:
                    fs.rep.add("unlinked-chain", where, agino, "a new inode of this bucket")
                    break
                group.unlinked[agino] = bucket
                try:
                    inode = read_inode(fs, fs.join_ino(group.agno, agino))
                except ReadError as err:
                    fs.rep.add("unlinked-chain", where, str(err), "an inode")
                    break
                if inode.magic != di.MAGIC or inode.links or not inode.mode:
                    fs.rep.add("unlinked-inode", where, "inode %d mode 0%o links %d" %
                               (inode.ino, inode.mode, inode.links), "in use, no links")
                agino = inode.next_unlinked
