# SPDX-License-Identifier: BSD-2-Clause
"""CRC32C (Castagnoli) in plain Python: one buffer at a time, or many of one size at once.

Format sheet 01, section 13: reflected polynomial 0x82F63B78, initial value and final xor all ones.

Many at once runs one column of bytes a step: byte k of all buffers together is one long integer, the table lookup is
bytes.translate(). That is ten times faster than the loop over one buffer.
"""

import struct

POLY = 0x82F63B78
MANY = 16           # from so many buffers on the column method is the faster one


def _byte_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (POLY if value & 1 else 0)
        table.append(value)
    return table


def _slices(first):
    """Table k: effect of a byte after k further bytes of zeros."""
    tables = [first]
    for _ in range(7):
        tables.append([first[value & 0xFF] ^ (value >> 8) for value in tables[-1]])
    return tables


_tables = _slices(_byte_table())
_planes = [bytes(value >> shift & 0xFF for value in _tables[0]) for shift in (0, 8, 16, 24)]
_step = struct.Struct("<IBBBB")


def update(state, data):
    """Run the raw register `state` (no complement) over `data`, eight bytes a step."""
    t0, t1, t2, t3, t4, t5, t6, t7 = _tables
    whole = len(data) & ~7
    view = memoryview(data)
    for word, a, b, c, d in _step.iter_unpack(view[:whole]):
        word ^= state
        state = (t7[word & 0xFF] ^ t6[word >> 8 & 0xFF] ^ t5[word >> 16 & 0xFF] ^ t4[word >> 24]
                 ^ t3[a] ^ t2[b] ^ t1[c] ^ t0[d])
    for byte in view[whole:]:
        state = t0[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state


def crc32c(data):
    """CRC32C of `data`."""
    return update(0xFFFFFFFF, data) ^ 0xFFFFFFFF


def block_crc(data, offset):
    """CRC32C of a metadata object whose own CRC field of four bytes at `offset` counts as zero."""
    state = update(0xFFFFFFFF, data[:offset])
    state = update(state, b"\0\0\0\0")
    return update(state, data[offset + 4:]) ^ 0xFFFFFFFF


def block_crcs(blocks, offset):
    """block_crc() of each of `blocks`, which are all of one size."""
    if len(blocks) < MANY:
        return [block_crc(block, offset) for block in blocks]
    count, size = len(blocks), len(blocks[0])
    data = b"".join(blocks)
    number = int.from_bytes
    ones = (1 << 8 * count) - 1
    plane0, plane1, plane2, plane3 = _planes
    s0 = s1 = s2 = s3 = ones
    for column in range(size):
        if not offset <= column < offset + 4:
            s0 ^= number(data[column::size], "little")
        index = s0.to_bytes(count, "little")
        s0 = s1 ^ number(index.translate(plane0), "little")
        s1 = s2 ^ number(index.translate(plane1), "little")
        s2 = s3 ^ number(index.translate(plane2), "little")
        s3 = number(index.translate(plane3), "little")
    rows = zip(*((state ^ ones).to_bytes(count, "little") for state in (s0, s1, s2, s3)))
    return [number(bytes(row), "little") for row in rows]


def stored_crc(data, offset):
    """The CRC field as stored: little-endian."""
    return int.from_bytes(data[offset:offset + 4], "little")


class Queue:
    """Checksums to be verified later, many at once. `rep` gets a finding for each bad one."""

    LIMIT = 512

    def __init__(self, rep):
        self.rep = rep
        self.waiting = {}       # (size, offset) -> [(finding id, place, bytes)]

    def add(self, ident, where, data, offset):
        key = len(data), offset
        rows = self.waiting.setdefault(key, [])
        rows.append((ident, where, data))
        if len(rows) >= self.LIMIT:
            self.flush(key)

    def flush(self, key):
        rows = self.waiting.pop(key)
        offset = key[1]
        for (ident, where, data), right in zip(rows, block_crcs([row[2] for row in rows], offset)):
            found = stored_crc(data, offset)
            if found != right:
                self.rep.add(ident, where, "0x%08x" % found, "0x%08x" % right)

    def finish(self):
        """Verify what is still waiting."""
        for key in list(self.waiting):
            self.flush(key)
