# SPDX-License-Identifier: BSD-2-Clause
"""What became of each file: intact, changed, moved, lost; read without a kernel."""
import os

from places import campaign
from xfsjudge.report import Report
from xfsread import content  # noqa: E402
from xfsread.device import Image, ReadError
from xfsread.fs import Fs, NotXfs
from xfsread.forks import read_fork
from xfsread.inode import read_inode

HERE = os.path.dirname(os.path.abspath(__file__))


LISTER = campaign.load("lister", campaign.LISTER)
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

    @property
    def name(self):
        return os.path.basename(self.path)


class Addresses:
    """Stands for a realtime device, which no repair of a file writes to: what lies at an address is the address."""

    @staticmethod
    def read(start, length):
        return b"".join(b"%-64d" % at for at in range(start - start % 64, start + length, 64))[start % 64:][:length]


def lines_of(path):
    """The checksum list of an image."""
    image = Image(path)
    try:
        fs = Fs(image, Report(), check_crc=False)
        fs.realtime = Addresses
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
    """What is not as it was, by path: a set of KINDS each."""

    def __init__(self):
        self.total, self.files, self.new, self.unreadable = 0, {}, [], None

    def with_kind(self, *kinds):
        return [path for path, differs in self.files.items() if set(differs) & set(kinds)]

    def counts(self):
        """(intact, changed, moved, lost, new)"""
        moved, lost = len(self.with_kind("moved")), len(self.with_kind("lost"))
        return self.total - len(self.files), len(self.files) - moved - lost, moved, lost, len(self.new)

    def wrong(self, recipe, gone):
        """Lines about what the recipe does not tolerate. gone: see Places."""
        if self.unreadable:
            return [self.unreadable]
        return ["%s: %s" % (kind, path) for path, differs in self.files.items() for kind in differs
                if not recipe.tolerates(kind, path, gone)] + \
               ["new: " + path for path in self.new if not recipe.tolerates("new", path, gone)]


class Contents:
    """Of the files of an image, which is opened when they are asked for."""

    def __init__(self, path):
        self.path, self.fs = path, None

    def read(self, entry):
        if not self.fs:
            self.fs = Fs(Image(self.path), Report(), check_crc=False)
        inode = read_inode(self.fs, entry.ino)
        if inode.size > LARGEST:
            return None
        return b"".join(content.file_pieces(self.fs, inode, read_fork(self.fs, inode, False), realtime=Addresses))

    def close(self):
        if self.fs:
            self.fs.image.close()
        self.fs = None


class Comparison:
    """What became of the entries `before` of the image `clean` in the image at `path`."""

    def __init__(self, before, clean, path):
        self.before, self.after = before, list_files(path)
        self.clean, self.now = Contents(clean), Contents(path)
        self.by_path = {e.path: e for e in self.after}
        known = {e.path for e in before}
        self.elsewhere, self.used, self.names = {}, set(), {}
        for e in self.after:
            self.names.setdefault(e.ino, []).append(e)
            if e.path not in known:
                for key in ((e.ino, e.name), e.ino, (e.content, e.attrs)):
                    self.elsewhere.setdefault(key, []).append(e)
        self.links_may_differ = len(self.by_path) != len(before) or any(e.path not in self.by_path for e in before)

    def resized(self, old, new):
        """Do they differ in zeroes at the end alone? The exact size stands in the inode and nowhere else."""
        if old.type != "f" or new.type != "f" or old.content is None or new.content is None:
            return False
        one, two = self.clean.read(old), self.now.read(new)
        if one is None or two is None:
            return False
        short, long = sorted((one, two), key=len)
        return len(short) > 0 and long.startswith(short) and not any(long[len(short):])

    def kinds(self, old, new):
        """How `new` differs, or None: it is another file."""
        if new.type != old.type:
            return None
        differs = [] if new.content == old.content else ["size"] if self.resized(old, new) else None
        if differs is None:
            return None
        if new.attrs != old.attrs:
            differs.append("attrs")
        if new.meta != old.meta or new.ino != old.ino or (new.links != old.links and not self.links_may_differ):
            differs.append("meta")
        return differs

    def in_place(self, old):
        """Kinds of difference of what stands at the same path; None: it is not there."""
        now = self.by_path.get(old.path)
        return self.kinds(old, now) if now else None

    def moved(self, old, key):
        """The same of what is elsewhere."""
        for k, found in enumerate(self.elsewhere.get(key, ())):
            differs = None if found.path in self.used else self.kinds(old, found)
            if differs is not None:
                self.used.add(found.path)
                del self.elsewhere[key][k]
                return ["moved"] + differs
        return None

    def all(self):
        """{path: kinds} of all that is not intact: first the inode under its name, then the inode, then any with the same contents."""
        found = {e.path: self.in_place(e) for e in self.before}
        for key in (lambda e: (e.ino, e.name), lambda e: e.ino, lambda e: None if e.type == "d"
                    else (e.content, e.attrs)):
            for e in self.before:
                if found[e.path] is None and key(e) is not None:
                    found[e.path] = self.moved(e, key(e))
        for e in self.before:
            if found[e.path] is None:
                found[e.path] = self.other_name(e)
        return {path: ["lost"] if differs is None else differs for path, differs in found.items() if differs != []}

    def other_name(self, old):
        """The same of an inode that has lost one of its names and not all."""
        for now in self.names.get(old.ino, ()):
            differs = self.kinds(old, now)
            if differs is not None:
                return ["moved"] + differs
        return None


def compare(before, clean, path):
    """What became of the entries of `before`, the list of `clean`, in the image at `path`."""
    out = Outcome()
    out.total = len(before)
    try:
        c = Comparison(before, clean, path)
    except (NotXfs, ReadError) as err:
        out.unreadable = "unreadable: %s" % err
        return out
    out.files = c.all()
    known = {e.path for e in before}
    rests = {e.ino for e in before if out.files.get(e.path) == ["lost"]}     # what is left of those is nothing new
    out.new = [e.path for e in c.after if e.path not in known and e.path not in c.used and e.path != "lost+found"
               and e.ino not in rests]
    c.clean.close()
    c.now.close()
    return out
