#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""List what an XFS image holds, for comparing filesystems before and after a change.

One line a path, sorted, columns separated by tabs: path, type, mode, uid:gid, links, size, content, attributes.
content: SHA-256 of a file, target of a symlink, major:minor of a device, - for others. Directories have size -
(it depends on the shape, not on the contents). attributes: name=SHA-256 of the value, separated by blanks.
Odd bytes of names are printed as \\ooo. Exit 0; 1 when something could not be read right (said on stderr); 2 when
the image or path can't be read at all.
"""

import argparse
import hashlib
import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from xfsjudge.groups import describe  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread import btree, content, inode as di  # noqa: E402
from xfsread.aghdr import read_agf  # noqa: E402
from xfsread.attrs import PREFIX, Attributes  # noqa: E402
from xfsread.device import Image, ReadError  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs, NotXfs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402
from xfsread.names import printable  # noqa: E402

LETTERS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c", stat.S_IFBLK: "b",
           stat.S_IFIFO: "p", stat.S_IFSOCK: "s"}
DEVICES = (stat.S_IFCHR, stat.S_IFBLK)


class Lister:
    """Walks the tree once; hard links are hashed once."""

    def __init__(self, fs, with_parents, with_times, with_inodes):
        self.fs = fs
        self.with_parents = with_parents
        self.with_times = with_times
        self.with_inodes = with_inodes
        self.lines = {}

    def walk(self, top):
        stack = [(b"/", top)]
        seen = {top}
        while stack:
            path, ino = stack.pop()
            inode, entries = self.visit(path, ino)
            for name, child, _ in entries:
                if not self.fs.valid_ino(child):
                    self.fs.rep.add("dir-dangling", "inode %d entry %s" % (ino, printable(name)), child)
                    continue
                below = (path if path != b"/" else b"") + b"/" + name
                kind = read_inode(self.fs, child).type
                if kind == stat.S_IFDIR and child in seen:
                    self.fs.rep.add("dir-homes", printable(below), "inode %d again" % child)
                    continue
                seen.add(child)
                stack.append((below, child))
        return self

    def visit(self, path, ino):
        """Describe one inode (once) under `path`; (inode, entries)."""
        fs = self.fs
        inode = read_inode(fs, ino)
        if ino in self.lines:
            self.lines[ino][0].append(path)
            return inode, ()
        data, entries = read_fork(fs, inode, False), ()
        size, what = str(inode.size), "-"
        if inode.type == stat.S_IFDIR:
            entries, size = Directory(fs, inode, data).entries, "-"
        elif inode.type == stat.S_IFREG and not inode.flags & di.REALTIME and inode.format != di.META_BTREE:
            digest = hashlib.sha256()
            for piece in content.file_pieces(fs, inode, data):
                digest.update(piece)
            what = digest.hexdigest()
        elif inode.type == stat.S_IFLNK:
            target = content.symlink_target(fs, inode, data)
            what = "?" if target is None else printable(target)
        elif inode.type in DEVICES:
            what = "%d:%d" % inode.rdev
        columns = [LETTERS.get(inode.type, "?"), "%04o" % (inode.mode & 0o7777), "%d:%d" % (inode.uid, inode.gid),
                   str(inode.links), size, what, self.attributes(inode)]
        if self.with_times:
            columns.append(" ".join("%d.%09d" % inode.time(name) for name in ("mtime", "ctime")))
        if self.with_inodes:
            columns.append("%d.%d" % (ino, inode.gen))
        self.lines[ino] = ([path], columns)
        return inode, entries

    def attributes(self, inode):
        found = Attributes(self.fs, inode, read_fork(self.fs, inode, True)).entries
        texts = []
        for flags, name, value in found:
            if flags & 0x08 and not self.with_parents:
                continue
            digest = "?" if value is None else hashlib.sha256(value).hexdigest()
            texts.append("%s%s=%s" % (PREFIX.get(flags, "?%d." % flags), printable(name), digest))
        return " ".join(sorted(texts)) or "-"

    def output(self):
        rows = [(path, columns) for paths, columns in self.lines.values() for path in paths]
        for path, columns in sorted(rows):
            print("\t".join([printable(path)] + columns))


def find(fs, text):
    """Inode number for a path, or for a plain number."""
    return int(text) if text.isdigit() else content.resolve(fs, os.fsencode(text))


def show_map(fs, ino):
    """Extents of both forks: fork, file offset, AG, AG block, length, state."""
    inode = read_inode(fs, ino)
    for name, attr in (("data", False), ("attr", True)):
        fork = read_fork(fs, inode, attr)
        for offset, fsb, length, unwritten in fork.extents:
            place = "rt\t%d" % fsb if inode.flags & di.REALTIME and not attr else "%d\t%d" % fs.split_fsb(fsb)
            print("%s\t%d\t%s\t%d\t%s" % (name, offset, place, length, "unwritten" if unwritten else "written"))
        for fsb in fork.bmbt:
            print("%s-bmbt\t-\t%d\t%d\t1\t-" % ((name,) + fs.split_fsb(fsb)))


def show_rmap(fs, ino):
    """rmap records of one owner, or all."""
    if not fs.sb.rmapbt:
        raise NotXfs("this filesystem has no rmapbt")
    for agno in range(fs.agcount):
        agf = read_agf(fs, agno)
        walk = btree.walk_ag_tree(fs, btree.RMAPBT, agno, agf.rmap_root, agf.rmap_level)
        for record in walk.records:
            if ino is None or record[2] == ino:
                print("%d\t%s" % (agno, describe(record)))


def show_inode(fs, ino):
    inode = read_inode(fs, ino)
    print("ino\t%d" % ino)
    for name in di.NAMES + di.NAMES3:
        if hasattr(inode, name):
            value = getattr(inode, name)
            print("%s\t%s" % (name, value.hex() if isinstance(value, bytes) else value))
    print("nextents\t%d\nanextents\t%d" % (inode.nextents, inode.anextents))
    for name in ("atime", "mtime", "ctime") + (("crtime",) if fs.v5 else ()):
        print("%s.time\t%d.%09d" % ((name,) + inode.time(name)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--offset", type=int, default=0, help="where the filesystem starts, in bytes")
    parser.add_argument("--map", metavar="PATH", help="extents of a file (path or inode number)")
    parser.add_argument("--rmap", metavar="PATH", nargs="?", const="", help="rmap records of a file, or all")
    parser.add_argument("--inode", metavar="PATH", help="fields of an inode")
    parser.add_argument("--cat", metavar="PATH", help="contents of a file, on stdout")
    parser.add_argument("--times", action="store_true", help="a column with mtime and ctime")
    parser.add_argument("--inodes", action="store_true", help="a column with inode number and generation")
    parser.add_argument("--parents", action="store_true", help="parent pointers among the attributes")
    parser.add_argument("--metadir", action="store_true", help="the metadata directory tree instead")
    return parser.parse_args()


def work(args, rep):
    fs = Fs(Image(args.image, args.offset), rep)
    if args.map is not None:
        show_map(fs, find(fs, args.map))
    elif args.rmap is not None:
        show_rmap(fs, find(fs, args.rmap) if args.rmap else None)
    elif args.inode is not None:
        show_inode(fs, find(fs, args.inode))
    elif args.cat is not None:
        inode = read_inode(fs, find(fs, args.cat))
        for piece in content.file_pieces(fs, inode, read_fork(fs, inode, False)):
            sys.stdout.buffer.write(piece)
    else:
        top = fs.sb.metadirino if args.metadir else fs.sb.rootino
        Lister(fs, args.parents, args.times, args.inodes).walk(top).output()
    fs.finish()


def main():
    args = arguments()
    rep = Report()
    try:
        work(args, rep)
    except (NotXfs, ReadError, OSError, KeyError) as err:
        print("tree: %s: can't be read: %s" % (args.image, err), file=sys.stderr)
        return 2
    for line in rep.lines():
        print(line, file=sys.stderr)
    return 1 if rep.counts else 0


if __name__ == "__main__":
    sys.exit(main())
