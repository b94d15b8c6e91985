# SPDX-License-Identifier: BSD-2-Clause
"""Name hash of directories and attributes (format sheet 03, section 5.6), and printable names."""


def hashname(name):
    """h = byte ^ rol32(h, 7), byte by byte."""
    value = 0
    for byte in name:
        value = byte ^ ((value << 7 | value >> 25) & 0xFFFFFFFF)
    return value


_fold = bytes(b + 32 if 0x41 <= b <= 0x5A or 0xC0 <= b <= 0xD6 or 0xD8 <= b <= 0xDE else b for b in range(256))


def dirhash(fs, name):
    """Directory hash: case-insensitive filesystems fold ASCII (and Latin-1) capitals first."""
    return hashname(name.translate(_fold)) if fs.sb.asciici else hashname(name)


def parent_hash(fs, name, parent):
    """Leaf hash of a parent pointer attribute."""
    return dirhash(fs, name) ^ parent >> 32 ^ parent & 0xFFFFFFFF


def printable(name):
    """A name or path as one line of text: odd bytes escaped."""
    return "".join(chr(b) if 0x20 < b < 0x7F and b != 0x5C else "\\%03o" % b for b in name)
