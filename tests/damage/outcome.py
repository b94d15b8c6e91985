# SPDX-License-Identifier: BSD-2-Clause
"""What became of each file: intact, changed, moved, lost; read without a kernel."""
import importlib.machinery
import importlib.util
import os

import places  # noqa: F401  (sets the path of modules)
from xfsjudge.report import Report
from xfsread.device import Image, ReadError
from xfsread.fs import Fs, NotXfs
from xfsread.inode import read_inode

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name, path):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


LISTER = load("lister", "../kernel/list-image")
LARGEST = 256 << 20     # no file of these images is larger; a damaged size must not be read to its end


def describe(fs, inode, known, plain=LISTER.describe):
    if inode.size > LARGEST:
        return "? %d 0 0 0 %d %d huge -" % (inode.ino, inode.links, inode.size)
    return plain(fs, inode, known)


LISTER.describe = describe


class Entry:
    """One line of a checksum list."""

    __slots__ = ("type", "ino", "links", "content", "meta", "attrs", "path")

    def __init__(self, line):
        words = line.split()
        if len(words) < 10:         # a name that leads nowhere
            self.type, self.ino, self.path = "?", 0, words[-1]
            self.links = self.content = self.meta = self.attrs = None
            return
        self.type, self.ino, mode, uid, gid, self.links, size, digest, self.attrs, self.path = words
        self.ino = int(self.ino)
        self.meta = (mode, uid, gid)
        self.content = (self.type, size, digest)


def lines_of(path):
    """The checksum list of an image."""
    image = Image(path)
    try:
        fs = Fs(image, Report(), check_crc=False)
        return list(LISTER.walk(fs, b"", read_inode(fs, fs.sb.rootino), {}, frozenset()))
    finally:
        image.close()


def list_files(path):
    """The same as entries."""
    return [Entry(line) for line in lines_of(path)]


def read_list(path):
    with open(path) as f:
        return [Entry(line) for line in f]


class Outcome:
    """Counts of the classes, and the paths of what is not intact."""

    def __init__(self):
        self.intact = 0
        self.changed, self.moved, self.lost, self.new = [], [], [], []
        self.unreadable = None

    def counts(self):
        return self.intact, len(self.changed), len(self.moved), len(self.lost), len(self.new)

    def wrong(self, recipe):
        """Lines about what the recipe does not tolerate."""
        if self.unreadable:
            return [self.unreadable]
        kinds = (("meta", self.changed), ("moved", self.moved), ("lost", self.lost), ("new", self.new))
        return ["%s: %s" % ({"meta": "changed"}.get(kind, kind), path) for kind, paths in kinds for path in paths
                if not recipe.tolerates(kind, path)]


def compare(before, path):
    """What became of the entries of `before` in the image at `path`."""
    out = Outcome()
    try:
        after = list_files(path)
    except (NotXfs, ReadError) as err:
        out.unreadable = "unreadable: %s" % err
        return out
    by_path = {e.path: e for e in after}
    truth_paths = {e.path for e in before}
    elsewhere = {}
    for e in after:
        if e.path not in truth_paths and e.content:
            elsewhere.setdefault((e.content, e.attrs), []).append(e)
            if e.type == "d":
                elsewhere.setdefault(("d", e.ino), []).append(e)
    gone = sum(e.path not in by_path for e in before)
    used = set()
    for e in before:
        now = by_path.get(e.path)
        if now and now.content == e.content and now.attrs == e.attrs:
            same = now.meta == e.meta and now.ino == e.ino and (now.links == e.links or gone or len(by_path) != len(before))
            if same:
                out.intact += 1
            else:
                out.changed.append(e.path)
            continue
        found = elsewhere.get(("d", e.ino) if e.type == "d" else (e.content, e.attrs))
        found = [f for f in found or () if f.path not in used]
        if found:
            used.add(found[0].path)
            out.moved.append(e.path)
        else:
            out.lost.append(e.path)
    out.new = [e.path for e in after if e.path not in truth_paths and e.path not in used and e.path != "lost+found"]
    return out
