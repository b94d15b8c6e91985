# SPDX-License-Identifier: BSD-2-Clause
"""Random damage of known pieces of metadata; the same random numbers give the same damage."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))

from xfsread import crc32c  # noqa: E402

VALUES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1, 1 << 63,
          (1 << 64) - 1, (1 << 64) - 9, (1 << 64) - 3)

RECORDS = {"bnobt": 8, "cntbt": 8, "inobt": 16, "finobt": 16, "rmapbt": 24, "refcountbt": 12, "bmbt": 16}

# what is damaged -> scopes, and whether every file must survive (with reverse mappings, or always)
MODES = {
    "ag": (("ag",), "always"), "rmap": (("rmap",), "always"), "trees": (("ag", "rmap"), "always"),
    "fork": (("fork",), "rmapbt"), "ag+fork": (("ag", "fork"), "rmapbt"), "sb": (("sb",), "v5"),
    "rmap+fork": (("rmap", "fork"), None), "inode": (("inode",), None), "names": (("names",), None),
    "log": (("log",), None), "all": (("sb", "ag", "rmap", "fork", "inode", "names"), None),
}


class Damage:
    def __init__(self, path, targets, rnd):
        self.file = open(path, "r+b")
        self.targets, self.rnd, self.said = targets, rnd, []

    def read(self, t):
        self.file.seek(t.start)
        return bytearray(self.file.read(t.size))

    def write(self, t, data, how):
        data = bytearray(data)
        fixed = t.crc is not None and self.rnd.random() < 0.6
        if fixed and t.crc + 4 <= len(data):
            data[t.crc:t.crc + 4] = struct.pack("<I", crc32c.block_crc(bytes(data), t.crc))
        self.file.seek(t.start)
        self.file.write(data)
        self.said.append("%s at byte %d: %s%s" % (t.sort, t.start, how, ", crc fixed" if fixed else ""))

    # ---- ways ----

    def flip(self, t, data):
        bits = self.rnd.choice((1, 1, 1, 2, 5))
        at = [self.rnd.randrange(t.first * 8, t.last * 8) for _ in range(bits)]
        for bit in at:
            data[bit // 8] ^= 1 << bit % 8
        return "bits %s flipped" % at

    def junk(self, t, data):
        n = self.rnd.choice((1, 2, 4, 8, 16, t.last - t.first))
        at = self.rnd.randrange(t.first, t.last)
        n = min(n, t.last - at)
        data[at:at + n] = self.rnd.randbytes(n)
        return "%d random bytes at %d" % (n, at)

    def value(self, t, data):
        n = self.rnd.choice((1, 2, 4, 8))
        at = self.rnd.randrange(t.first, max(t.first + 1, t.last - n)) // n * n
        value = self.rnd.choice(VALUES)
        data[at:at + n] = (value & (1 << 8 * n) - 1).to_bytes(n, "big")
        return "value %#x of %d bytes at %d" % (value, n, at)

    def add(self, t, data):
        n = self.rnd.choice((1, 2, 4, 8))
        at = self.rnd.randrange(t.first, max(t.first + 1, t.last - n)) // n * n
        value = int.from_bytes(data[at:at + n], "big") + self.rnd.choice((-2, -1, 1, 2, 8, 64))
        data[at:at + n] = (value & (1 << 8 * n) - 1).to_bytes(n, "big")
        return "value changed to %#x of %d bytes at %d" % (value, n, at)

    def zero(self, t, data):
        at = self.rnd.choice((t.first, self.rnd.randrange(t.first, t.last)))
        data[at:t.last] = bytes(t.last - at)
        return "zero from %d" % at

    def shift(self, t, data):
        at, n = self.rnd.randrange(t.first, t.last), self.rnd.choice((1, 4, 8, 16, 24))
        data[at:t.last] = (bytes(n) + data[at:t.last])[:t.last - at]
        return "moved up by %d from %d" % (n, at)

    def drop(self, t, data):
        """A record less, header right: nothing but other witnesses can tell."""
        size = RECORDS.get(t.sort)
        head = (72 if t.crc else 24) if t.sort == "bmbt" else 56 if t.crc else 16
        level, count = struct.unpack_from(">HH", data, 4)
        if not size or level or count < 2 or head + count * size > len(data):
            return self.add(t, data)
        index = self.rnd.randrange(count)
        at, end = head + index * size, head + count * size
        data[at:end] = data[at + size:end] + bytes(size)
        struct.pack_into(">H", data, 6, count - 1)
        return "record %d of %d dropped" % (index, count)

    def other(self, t, same):
        found = [o for o in self.targets.all if o.size == t.size and (o.sort == t.sort) == same and o.start != t.start
                 and
                 o.first == t.first and o.last == t.last]
        return self.rnd.choice(found) if found else None

    def copy(self, t, data, same=True):
        o = self.other(t, same)
        if not o:
            return self.flip(t, data)
        data[t.first:t.last] = self.read(o)[t.first:t.last]
        return "copy of the %s at byte %d" % (o.sort, o.start)

    def foreign(self, t, data):
        return self.copy(t, data, False)

    def swap(self, t, data):
        o = self.other(t, True)
        if not o:
            return self.flip(t, data)
        theirs = self.read(o)
        theirs[t.first:t.last], data[t.first:t.last] = data[t.first:t.last], theirs[t.first:t.last]
        self.write(o, theirs, "swapped with the one at byte %d" % t.start)
        return "swapped with the one at byte %d" % o.start

    WAYS = (flip, flip, flip, junk, junk, value, value, add, add, drop, drop, zero, shift, copy, foreign, swap)

    def one(self, scopes):
        sorts = sorted({t.sort for t in self.targets.all if t.scope in scopes})
        sort = self.rnd.choice(sorts)
        t = self.rnd.choice([t for t in self.targets.all if t.sort == sort and t.scope in scopes])
        data = self.read(t)
        how = self.rnd.choice(self.WAYS)(self, t, data)
        self.write(t, data, how)

    def run(self, mode):
        scopes = [s for s in MODES[mode][0] if any(t.scope == s for t in self.targets.all)]
        if not scopes:
            return False
        for _ in range(self.rnd.choice((1, 1, 1, 2, 3, 5, 10))):
            self.one(scopes)
        self.file.close()
        return True
