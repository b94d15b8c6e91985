#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names damaged in every way, on the shipped sample: all contents stay, and every path that anything still holds.

A second set has parent pointers, which a repair of the sample made: then every path stays.  No released tool or kernel of the
box knows them, so the independent reader alone judges that set.  XFSKIT_LONG: each way on each form of directory.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign  # noqa: E402
import nametools  # noqa: E402

DIRS = "/directories/"
ROWS = []
FORMS = ("block", "leaf", "node")
LONG = bool(os.environ.get("XFSKIT_LONG"))


def row(title, want, action, findings=True):
    ROWS.append((title, want, action, findings))


def zero(path, block, attr=False):
    return lambda d: d.fill(d.place(path, block(d) if callable(block) else block, attr))


def junk(path, block, attr=False):
    return lambda d: d.fill(d.place(path, block(d) if callable(block) else block, attr), b"\x5a\xa5\x01junk")


def poke(path, block, offset, size, change, attr=False, fix=True):
    return lambda d: d.poke_block(d.place(path, block(d) if callable(block) else block, attr), offset, size, change, fix)


def leafblk(d):
    return d.fs.leafblk


def freeblk(d):
    return d.fs.freeblk


def first_leaf(d):
    """The first leaf of the node directory."""
    inode = d.inode(DIRS + "node")
    tree = nametools.DaTree(d.fs, inode.ino, nametools.read_fork(d.fs, inode, False), False).run(d.fs.leafblk)
    return tree.leaves[0][0]


def entry(path, which, offset, size, change, fix=True):
    """A change in entry number `which`, `offset` bytes behind its start."""
    def action(d):
        at, name, _, start = d.entries(path)[which]
        offset_in = offset(name) if callable(offset) else offset
        d.poke_block((start, d.fs.dirblocks * d.fs.bs, 4), at - start + offset_in, size, change, fix)
    return action


def twice(path, first, second):
    """The second entry gets the name of the first one, which is as long."""
    def action(d):
        entries = d.entries(path)
        same = [e for e in entries if len(e[1]) == len(entries[first][1])]
        one, two = same[0], same[1]
        d.write(two[0] + 9, one[1])
        d.fix(two[3], d.fs.dirblocks * d.fs.bs, 4)
    return action


def ring(d):
    """The directory "attributes" lies below its own subdirectory, and the root has lost it."""
    top, below = d.inode("/attributes"), d.inode("/attributes/directory")
    text = d.literal("/attributes")
    start = d.locate_inode("/attributes")[0]
    d.write(start + text + 2, below.ino.to_bytes(4, "big"))
    d.fix(start, d.fs.isize, 100)
    # the child, a short directory, gets one entry, the parent's
    inner = d.locate_inode("/attributes/directory")[0]
    at = inner + d.literal("/attributes/directory")
    name = b"top"
    body = bytes([1, 0]) + top.ino.to_bytes(4, "big") + bytes([len(name)]) + (96).to_bytes(2, "big") + name + b"\x02"
    body += top.ino.to_bytes(4, "big")
    d.write(at, body)
    d.poke("inode:/attributes/directory", 56, 8, len(body))
    remove_from_short(d, "/", b"attributes")


def remove_from_short(d, path, name):
    """A directory in the inode loses an entry."""
    start = d.locate_inode(path)[0]
    base = start + d.literal(path)
    size = int.from_bytes(d.read(start + 56, 8), "big")
    data = bytearray(d.read(base, size))
    at = 6
    while at < size and data[at + 3:at + 3 + data[at]] != name:
        at += 3 + data[at] + 1 + 4
    del data[at:at + 3 + data[at] + 1 + 4]
    data[0] -= 1
    d.write(base, bytes(data) + bytes(size - len(data)))
    d.write(start + 56, len(data).to_bytes(8, "big"))
    d.fix(start, d.fs.isize, 100)


def deleted_open(d):
    """A file without a name on its list of deleted ones, as a crash leaves it behind."""
    inode = d.inode("/plain/empty")
    agino = inode.ino & ((1 << 15) - 1) if d.fs.agcount > 1 else inode.ino
    d.poke("inode:/plain/empty", 16, 4, 0)
    d.poke("agi", 40 + 4 * (agino % 64), 4, agino)
    at, name, _, start = next(e for e in d.entries("/plain") if e[1] == b"empty")
    size = -(-(12 + len(name)) // 8) * 8
    d.write(at, b"\xff\xff" + size.to_bytes(2, "big"))
    d.fix(start, d.fs.dirblocks * d.fs.bs, 4)


def no_free_inode(d):
    """Every free inode becomes an empty file, which nobody names."""
    model = d.locate_inode("/plain/empty")[0]
    data = bytearray(d.read(model, d.fs.isize))
    data[16:20] = (1).to_bytes(4, "big")
    data[82:84] = bytes([0, 2])                 # no attributes
    data[176:] = bytes(len(data) - 176)
    for group in d.groups:
        for record in group.trees[nametools.INOBT].records:
            start, free = record[0], record[-1]
            holes = record[1] >> 16 if len(record) == 3 else record[1]
            for i in range(64):
                if free >> i & 1 and not holes >> i // 4 & 1:
                    ino = d.fs.join_ino(group.agno, start + i)
                    data[152:160] = ino.to_bytes(8, "big")
                    d.write(d.fs.ino_byte(ino), bytes(data))
                    d.fix(d.fs.ino_byte(ino), d.fs.isize, 100)


def lost_found_file(d):
    """The name of the directory /attributes becomes that of lost+found, and leads to a file."""
    start = d.locate_inode("/")[0]
    at = start + d.literal("/")
    where = at + d.read(at, 200).index(b"attributes")
    d.write(where, b"lost+found\x01" + d.inode("/plain/empty").ino.to_bytes(4, "big"))
    d.fix(start, d.fs.isize, 100)


def root_fork(offset, size, change):
    return lambda d: d.poke("inode:/", d.literal("/") + offset, size, change)


def inline(offset, size, change, path=DIRS + "inline"):
    return lambda d: d.poke("inode:" + path, d.literal(path) + offset, size, change)


def inline_attr(path, offset, size, change):
    return lambda d: d.poke("inode:" + path, d.literal(path, True) + offset, size, change)


def add(k):
    return lambda v: v + k


def flip(mask):
    return lambda v: v ^ mask


def both(*actions):
    def action(d):
        for one in actions:
            one(d)
    return action


def wrong_slash(d):
    """A slash in the middle of a name: the hash index knows the right byte."""
    at, name, _, start = d.entries(DIRS + "leaf")[5]
    d.write(at + 9 + len(name) // 2, b"/")
    d.fix(start, d.fs.dirblocks * d.fs.bs, 4)


def long_symlink(offset, size, change, fix=True):
    return lambda d: d.poke("symlink:/links/long", offset, size, change, fix)


def build_rows():
    for form in FORMS:
        path = DIRS + form
        for name, offset, size, change in (("magic", 0, 4, 0), ("owner", 40, 8, add(1)), ("own address", 8, 8, add(8)), ("uuid", 24, 4, 0),
                                           ("free areas", 50, 2, add(8)), (".", 64, 8, add(1)), ("..", 80, 8, add(1)),
                                           ("tag of .", 78, 2, 8)):
            row(f"{form}: {name}", "same", poke(path, 0, offset, size, change))
        row(f"{form}: one bit, checksum stale", "same", poke(path, 0, 200, 1, flip(4), fix=False))
        row(f"{form}: checksum", "same", poke(path, 0, 4, 4, flip(0x10010), fix=False))
        row(f"{form}: type of an entry", "same", entry(path, 3, lambda n: 9 + len(n), 1, 5))
        row(f"{form}: inode number, one bit", "same", entry(path, 3, 0, 8, flip(1 << 40)))
        row(f"{form}: inode number of a free inode", "moved", entry(path, 3, 0, 8, 0x77777))
        row(f"{form}: length of a name", "same", entry(path, 3, 8, 1, 0))
        row(f"{form}: length of a name, too long", "same", entry(path, 3, 8, 1, add(40)))
        row(f"{form}: bit of a name, checksum stale", "same", entry(path, 3, 10, 1, flip(1), fix=False))
        row(f"{form}: data block zeroed", "moved", zero(path, 0))
        row(f"{form}: data block junk", "moved", junk(path, 0))
        row(f"{form}: size", "same", lambda d, path=path: d.poke("inode:" + path, 56, 8, add(4096)))
    row("leaf: slash in a name", "same", wrong_slash)
    row("leaf: name twice", "moved", twice(DIRS + "leaf", 0, 1))
    for name, action in (("zeroed", zero), ("junk", junk)):
        row(f"leaf: index {name}", "same", action(DIRS + "leaf", leafblk))
        row(f"node: root {name}", "same", action(DIRS + "node", leafblk))
        row(f"node: leaf {name}", "same", action(DIRS + "node", first_leaf))
        row(f"node: free index {name}", "same", action(DIRS + "node", freeblk))
    row("leaf: stale count", "same", poke(DIRS + "leaf", leafblk, 58, 2, add(1)))
    row("leaf: hash", "same", poke(DIRS + "leaf", leafblk, 64, 4, add(-1)))
    row("leaf: address", "same", poke(DIRS + "leaf", leafblk, 68, 4, add(1)))
    row("leaf: data and index zeroed", "moved", both(zero(DIRS + "leaf", 0), zero(DIRS + "leaf", leafblk)))
    row("leaf and node: all at once", "moved", both(zero(DIRS + "leaf", leafblk), zero(DIRS + "node", first_leaf), zero(DIRS + "node", 0)))
    row("inline: count too large", "same", inline(0, 1, add(1)))
    row("inline: count too small", "same", inline(0, 1, add(-1)))
    row("inline: wide", "same", inline(1, 1, 1))
    row("inline: offset", "same", inline(7, 2, 8))
    row("inline: length of a name", "same", inline(6, 1, add(3)))
    row("inline: size", "same", lambda d: d.poke("inode:" + DIRS + "inline", 56, 8, add(3)))
    row("inline: parent", "same", inline(2, 4, add(3)))
    row("inline: parent, an inode that is no directory", "same", inline(2, 4, 98))
    row("root: entry lost", "moved", lambda d: remove_from_short(d, "/", b"plain"))
    row("root: parent", "same", root_fork(2, 4, add(3)))
    row("root: inode zeroed", "moved", lambda d: d.fill(d.locate("inode:/")))
    row("root: inode junk", "moved", lambda d: d.fill(d.locate("inode:/"), b"junk\xff\x01"))
    row("deleted file that was open", {"plain/empty"}, deleted_open)
    row("no inode free, and trees without a name", {"plain"}, both(no_free_inode, lambda d: remove_from_short(d, "/", b"plain")))
    row("lost+found is a file, and a tree without a name", {"attributes"}, lost_found_file)
    row("ring of directories", {"attributes", "attributes/directory"}, ring)
    row("links: count", "same", lambda d: d.poke("inode:/plain/medium", 16, 4, 7))
    row("links: count of a directory", "same", lambda d: d.poke("inode:/plain", 16, 4, 7))
    row("links: none, with a name", "same", lambda d: d.poke("inode:/plain/medium", 16, 4, 0))
    row("symlink: one bit of the target", "same", long_symlink(100, 1, flip(8), fix=False))
    row("symlink: header", "same", long_symlink(4, 4, add(1)))
    row("symlink: owner", "same", long_symlink(32, 8, add(1)))
    row("symlink: zeroed", {"links/long"}, lambda d: d.fill(d.locate("symlink:/links/long")))
    attr_rows()


def attr_rows():
    for path in ("/attributes/leaf", "/attributes/tree"):
        for name, offset, size, change in (("magic", 8, 2, 0), ("owner", 48, 8, add(1)), ("bytes in use", 58, 2, add(4)),
                                           ("lowest byte in use", 60, 2, 20), ("first hash, order", 80, 4, add(1))):
            if name == "lowest byte in use" and path.endswith("tree"):
                continue        # its first block is a node
            what = "same" if name != "first hash, order" or path.endswith("tree") else {path[1:]}
            row(f"{path}: {name}", what, poke(path, 0, offset, size, change, attr=True))
    row("/attributes/tree: root zeroed", "same", zero("/attributes/tree", 0, True))
    row("/attributes/tree: root junk", "same", junk("/attributes/tree", 0, True))
    row("/attributes/tree: sibling", "same", lambda d: d.poke("attrleaf:/attributes/tree", 0, 4, 0))
    row("/attributes/tree: one bit of a leaf", "same", lambda d: d.poke("attrleaf:/attributes/tree", 900, 1, flip(2), False))
    row("/attributes/tree: a leaf zeroed", {"attributes/tree"}, lambda d: d.fill(d.locate("attrleaf:/attributes/tree")))
    row("/attributes/leaf: flags of an entry", {"attributes/leaf"}, poke("/attributes/leaf", 0, 86, 1, 6, attr=True))
    row("/attributes/remote: one bit of a value", "same", lambda d: d.poke("attrremote:/attributes/remote", 300, 1, flip(1), False))
    row("/attributes/remote: a value zeroed", {"attributes/remote"}, lambda d: d.fill(d.locate("attrremote:/attributes/remote")))
    row("/attributes/inline: size", "same", inline_attr("/attributes/inline", 0, 2, add(4)))
    row("/attributes/inline: count", "same", inline_attr("/attributes/inline", 2, 1, add(1)))
    row("/attributes/inline: length of a name", {"attributes/inline"}, inline_attr("/attributes/inline", 4, 1, 250))


def drop_parents(path):
    """The attribute fork of a file is gone."""
    def action(d):
        start = d.locate_inode(path)[0]
        at = start + d.literal(path, True)
        d.write(at, b"\0\4\0\0")
        d.fix(start, d.fs.isize, 100)
    return action


def parent_byte(path, value_offset, change, name_offset=None):
    """A byte of the first parent pointer in the inode: of its value, or of its name."""
    def action(d):
        start = d.locate_inode(path)[0]
        at = d.literal(path, True) + 4
        namelen = d.read(start + at, 1)[0]
        place = at + 3 + (namelen + value_offset if name_offset is None else name_offset)
        d.poke("inode:" + path, place, 1, change)
    return action


def short(rows):
    """What is done to every form of directory is done to one of them, in turn; the rest is done whole."""
    turn, left = {}, []
    for one in rows:
        form, _, what = one[0].partition(": ")
        if form in FORMS:
            turn.setdefault(what, len(turn))
        if LONG or form not in FORMS or sum(r[0].endswith(": " + what) for r in rows) < 3 or FORMS[turn[what] % 3] == form:
            left.append(one)
    return left


def parent_rows(moved):
    """Damage that only parent pointers undo, and damage to them."""
    for i, (title, want, action, findings) in enumerate(ROWS):
        ROWS[i] = (title, "same" if want == "moved" else want, action, findings)
    if not LONG:
        ROWS[:] = moved
    row("parents: all of a file gone", "same", drop_parents("/plain/empty"))
    row("parents: inode of the parent", "same", parent_byte("/plain/file-00001", 7, add(1)))
    row("parents: generation", "same", parent_byte("/plain/file-00001", 11, add(1)))
    row("parents: name", "same", parent_byte("/plain/file-00001", 0, flip(1), name_offset=2))
    row("parents: slash in the name", "same", parent_byte("/plain/file-00001", 0, 0x2F, name_offset=2))
    row("parents: none, and the entry is gone", {"plain"}, both(drop_parents("/plain"), lambda d: remove_from_short(d, "/", b"plain")))
    row("parents: all directories zeroed", "same", both(*[zero(DIRS + f, 0) for f in FORMS]))


def main():
    tap = campaign.Tap()
    truth = campaign.sample()
    before = nametools.parse(open(truth + ".list").read())
    work = os.path.join(campaign.IMAGES, "work-names-%d.img" % os.getpid())
    parents = os.path.join(campaign.IMAGES, "parents-%d.img" % os.getpid())
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    build_rows()
    ROWS[:] = short(ROWS)
    for title, want, action, findings in ROWS:
        if wanted in title:
            nametools.one(tap, truth, before, title, action, want, work, findings)
    wrong = nametools.with_parents(truth, parents)
    tap.put(not wrong, "parent pointers for the whole sample", wrong)
    parent_rows([(t, "same", a, f) for t, w, a, f in ROWS if w == "moved"])
    for title, want, action, findings in ROWS if not wrong else ():
        if wanted in title:
            nametools.one(tap, parents, before, "with parents: " + title, action, want, work, findings)
    campaign.remove(work)
    campaign.remove(parents)
    tap.end()


if __name__ == "__main__":
    main()
