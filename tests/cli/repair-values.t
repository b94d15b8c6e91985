#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Values of attributes that share blocks with each other, or with the tree: a clean check says so, one of them has its value
afterwards, and what is lost is said."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import change, DB, FSX, Lab, read, repair, Run, write  # noqa: E402

lab = Lab("repair-values")
BLOCK = 1024


def leaves(image, v5):
    """Byte and contents of each leaf of attributes."""
    with open(image, "rb") as f:
        at, size = 0, os.fstat(f.fileno()).st_size
        while at < size:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                return
            block = os.pread(f.fileno(), BLOCK, at)
            if block[8:10] == (b"\x3b\xee" if v5 else b"\xfb\xee"):
                yield at, block
            at += BLOCK


def entries(block, v5):
    """Name, byte of the record, first block and length of each remote value of a leaf."""
    count, = struct.unpack_from(">H", block, 56 if v5 else 12)
    for i in range(count):
        _, at, flags = struct.unpack_from(">IHB", block, (80 if v5 else 32) + 8 * i)
        if not flags & 1:
            start, length, namelen = struct.unpack_from(">IIB", block, at)
            yield block[at + 9:at + 9 + namelen].decode(), at, start, length


def filled(v5, count, length):
    """An image with a file /f that has attributes a000 …, of rising lengths; where their values are."""
    image = lab.mkfs("values-%d-%d.img" % (v5, count), 400 << 20, "-b", "size=1024", "-m", "crc=%d" % v5)
    script = ["create /f 644"] + ["setattr /f user a%03d %d %d" % (k, length + k, k + 1) for k in range(count)]
    made = Run(FSX, "run", image, given="\n".join(script) + "\n")
    if made.code:
        raise SystemExit("fsx: %s" % made)
    return image, {name: (start, n) for _, block in leaves(image, v5) for name, _, start, n in entries(block, v5)}


def place(image, v5, **new):
    """Other places or lengths of values."""
    for at, block in list(leaves(image, v5)):
        for name, record, start, length in entries(block, v5):
            if name not in new:
                continue
            words = struct.pack(">II", new[name][0], new[name][1] or length)
            if v5:
                change(image, at, BLOCK, 12, (record, words))
            else:
                write(image, at + record, words)


def attributes(image):
    """Sum over all attributes of /f."""
    return [line.split()[7] for line in Run(FSX, "list", image).out.splitlines() if line.endswith(" f")]


def without(v5, count, length, *names):
    """The same sum as if these had never been."""
    image = lab.mkfs("other.img", 400 << 20, "-b", "size=1024", "-m", "crc=%d" % v5)
    script = ["create /f 644"] + ["setattr /f user a%03d %d %d" % (k, length + k, k + 1) for k in range(count) if "a%03d" % k not in names]
    Run(FSX, "run", image, given="\n".join(script) + "\n")
    return attributes(image)


def check(v5, made, count, length, what, lost, found, **new):
    """Damage, check, repair: all attributes but those that are lost are there with their values."""
    image = lab.copy(made, "t.img")
    place(image, v5, **new)
    seen, done, again = repair("-n", image), repair(image), repair("-n", image)
    said = seen.out + seen.err
    good = seen.code == 1 and done.code == 0 and again.code == 0 and found in said and said.count("attribute is lost") == len(lost)
    good = good and all('attribute is lost: "%s"' % name in said for name in lost)
    want = without(v5, count, length, *lost)
    lab.ok(good and want and attributes(image) == want, what, "%s%s%s%s %s" % (seen, done, again, want, attributes(image)))


TWO, TREE = "two values have the same block", "a value lies on a block of the tree"
image, at = filled(1, 12, 1500)
check(1, image, 12, 1500, "two entries say the same: the first has it", ["a001"], TWO, a001=at["a000"])
check(1, image, 12, 1500, "another value, longer than its own: headers tell", [], TWO, a001=(at["a000"][0], 0))
check(1, image, 12, 1500, "the same of the earlier one", [], TWO, a000=(at["a001"][0], 0))
check(1, image, 12, 1500, "a length that reaches over others: only this is wrong", [], TWO, a003=(at["a003"][0], 9000))
check(1, image, 12, 1500, "the middle of another value", [], TWO, a002=(at["a004"][0] + 1, 0))
check(1, image, 12, 1500, "three have one value, and one of these another length", ["a005"], TWO,
      a004=(at["a003"][0], 0), a005=at["a003"])

image, at = filled(0, 12, 1500)
check(0, image, 12, 1500, "V4, two start at one block", ["a001"], TWO, a001=(at["a000"][0], 0))
check(0, image, 12, 1500, "V4, one starts where another one goes on", ["a001"], TWO, a001=(at["a000"][0] + 1, 0))
check(0, image, 12, 1500, "V4, one reaches over all others: these keep theirs", ["a002"], TWO, a002=(at["a000"][0], 24 << 10))


def of_tree(at):
    """Blocks between values."""
    held = {start + k for start, _ in at.values() for k in (0, 1)}
    return [k for k in range(1, max(held)) if k not in held]


image, at = filled(0, 60, 1500)
tree = of_tree(at)
check(0, image, 60, 1500, "V4, a value that begins at a leaf", ["a007"], TREE, a007=(tree[0], 0))
check(0, image, 60, 1500, "V4, one that ends with a leaf", ["a007"], TREE, a007=(tree[-1] - 1, 0))
image, at = filled(1, 60, 1500)
check(1, image, 60, 1500, "a value that begins at a leaf", [], TREE, a007=(of_tree(at)[0], 0))

lab.end()
