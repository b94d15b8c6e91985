# SPDX-License-Identifier: BSD-2-Clause
"""CRC32C (Castagnoli) in plain Python, eight bytes a step over four tables of 65536 entries.

Format sheet 01, section 13: reflected polynomial 0x82F63B78, initial value and final xor all ones.
"""

import struct

POLY = 0x82F63B78
MIN_ZEROS = 64
_tables = []
_zero_steps = []    # entry k: four tables of 256 that run the register over 8 * 2^k zero bytes


def _byte_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (POLY if value & 1 else 0)
        table.append(value)
    return table


def _build():
    """Fill _tables: table k maps 16 bits of input to their effect after k further 16-bit steps of zeros."""
    base = _byte_table()
    first = []
    for value in range(65536):
        value = base[value & 0xFF] ^ (value >> 8)
        first.append(base[value & 0xFF] ^ (value >> 8))
    _tables.append(first)
    for _ in range(3):
        _tables.append([first[v & 0xFFFF] ^ (v >> 16) for v in _tables[-1]])
    _tables.append(base)


_quad = struct.Struct("<4H")


def update(state, data):
    """Run the raw register `state` (no complement) over `data`."""
    if not _tables:
        _build()
    t0, t1, t2, t3, base = _tables
    whole = len(data) & ~7
    view = memoryview(data)
    for a, b, c, d in _quad.iter_unpack(view[:whole]):
        state = t3[a ^ (state & 0xFFFF)] ^ t2[b ^ (state >> 16)] ^ t1[c] ^ t0[d]
    for byte in view[whole:]:
        state = base[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state


def _apply(step, state):
    a, b, c, d = step
    return a[state & 0xFF] ^ b[state >> 8 & 0xFF] ^ c[state >> 16 & 0xFF] ^ d[state >> 24]


def _build_zero_steps():
    step = [[update(value << shift, bytes(8)) for value in range(256)] for shift in (0, 8, 16, 24)]
    for _ in range(16):
        _zero_steps.append(step)
        step = [[_apply(step, entry) for entry in table] for table in step]


def zeros(state, count):
    """Run the raw register over `count` zero bytes; `count` is a multiple of 8, below 512 KiB."""
    if not _zero_steps:
        _build_zero_steps()
    count >>= 3
    for step in _zero_steps:
        if not count:
            break
        if count & 1:
            state = _apply(step, state)
        count >>= 1
    return state


def crc32c(data):
    """CRC32C of `data`."""
    return update(0xFFFFFFFF, data) ^ 0xFFFFFFFF


def block_crc(data, offset):
    """CRC32C of a metadata object whose own CRC field of four bytes at `offset` counts as zero."""
    used = (len(bytes(data).rstrip(b"\0")) + 7) & ~7
    used = max(used, (offset & ~7) + 16)
    tail = len(data) - used if used + MIN_ZEROS <= len(data) else 0
    tail &= ~7
    view = memoryview(data)[:len(data) - tail]
    head = (offset & ~7)
    window = bytearray(view[head:head + 16])
    window[offset - head:offset - head + 4] = b"\0\0\0\0"
    state = update(0xFFFFFFFF, view[:head])
    state = update(state, window)
    state = update(state, view[head + len(window):])
    return zeros(state, tail) ^ 0xFFFFFFFF


def stored_crc(data, offset):
    """The CRC field as stored: little-endian."""
    return int.from_bytes(data[offset:offset + 4], "little")
