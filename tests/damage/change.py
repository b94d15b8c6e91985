# SPDX-License-Identifier: BSD-2-Clause
"""Changes of fields: the verbs, and their application to a copy of an image."""
import os
import random

from places import NoPlace

PIECE = 64 << 10     # larger ones are new memory each time
VERBS = ("zeroes", "ones", "firstbit", "middlebit", "lastbit", "add", "sub", "random", "set", "copy")


def apply_verb(verb, value, bits, argument, rnd):
    """The new value of a field of `bits` bits that holds `value`."""
    mask = (1 << bits) - 1
    if verb == "zeroes":
        return 0
    if verb == "ones":
        return mask
    if verb == "firstbit":
        return value ^ 1 << bits - 1
    if verb == "middlebit":
        return value ^ 1 << bits // 2
    if verb == "lastbit":
        return value ^ 1
    if verb == "add":
        return value + (argument or 2017) & mask
    if verb == "sub":
        return value - (argument or 2017) & mask
    if verb == "random":
        return int.from_bytes(rnd.randbytes((bits + 7) // 8), "big") & mask
    if verb == "set":
        return argument & mask
    raise ValueError("no verb " + verb)


class Objects:
    """Structures of an image in memory, written back at the end."""

    def __init__(self, path, places, seed, mode="r+b"):
        self.path, self.places = path, places
        self.rnd = random.Random(seed)
        self.data, self.said = {}, []
        self.file = open(path, mode)

    def buffer(self, place):
        holder = place.holder
        if holder.start not in self.data:
            self.data[holder.start] = (holder, holder.read(self.read))
        return self.data[holder.start][1]

    def read(self, start, size):
        self.file.seek(start)
        return self.file.read(size)

    def change(self, place, field, verb, argument):
        bit, bits, little = self.places.field(place, field)
        if verb == "copy":
            verb, argument = "set", self.value(place, argument)
        self.change_bits(place, field, bit, bits, little, verb, argument)

    def value(self, place, field):
        """Number in a field, as the clean image has it."""
        bit, bits, little = self.places.field(place, field)
        whole = place.holder.read(self.places.image.read)
        data = bytes(whole[place.position(k)] for k in range(bit // 8, (bit + bits + 7) // 8))
        return int.from_bytes(data, "little" if little else "big") >> (0 if little
                                                                       else -(bit + bits) % 8) & (1 << bits) - 1

    def change_bits(self, place, field, bit, bits, little, verb, argument):
        buf = self.buffer(place)
        first, last = bit // 8, (bit + bits + 7) // 8
        if last > place.size:
            raise NoPlace("%s lies outside" % field)
        order = "little" if little else "big"
        at = [place.position(k) for k in range(first, last)]
        whole = int.from_bytes(bytes(buf[k] for k in at), order)
        shift = 0 if little else 8 * last - bit - bits
        mask = (1 << bits) - 1
        old = whole >> shift & mask
        new = apply_verb(verb, old, bits, argument, self.rnd)
        if new == old and verb not in ("zeroes", "ones", "set"):
            new ^= 1
        for k, byte in zip(at, (whole & ~(mask << shift) | new << shift).to_bytes(last - first, order)):
            buf[k] = byte
        short = "%#x -> %#x" % (old, new) if bits <= 64 else "%d bytes" % (bits // 8)
        self.said.append("%s: %s %s: %s" % (place, field, verb, short))

    def finish(self, crc):
        """Writes all of it; `crc`: fix or stale."""
        for holder, buf in self.data.values():
            holder.write(self.file, buf, crc)
        self.close()

    def words(self, crc):
        """All of it as a line for cases.c, and nothing is written."""
        line = []
        for start, (place, buf) in self.data.items():
            self.file.seek(start)
            old = self.file.read(len(buf))
            first = next((i for i in range(len(buf)) if buf[i] != old[i]), len(buf) - 1)
            last = next((i for i in reversed(range(len(buf))) if buf[i] != old[i]), first)
            line.append("%d=%s" % (start + first, buf[first:last + 1].hex()))
            if crc == "fix" and place.crc is not None and place.crc + 4 <= len(buf):
                line.append("%d^%d@%d" % (start, len(buf), place.crc))
        self.close()
        return " ".join(line)

    def close(self):
        self.file.close()


def same_bytes(one, two):
    """Do two files hold the same?"""
    with open(one, "rb", buffering=0) as first, open(two, "rb", buffering=0) as second:
        while True:
            piece = first.read(PIECE)
            if piece != second.read(PIECE):
                return False
            if not piece:
                return True
