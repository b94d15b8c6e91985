# SPDX-License-Identifier: BSD-2-Clause
"""File contents, symlink targets, path walk."""

import struct

from . import inode as di
from .dirs import Directory
from .forks import read_fork
from .fs import REMOTE
from .inode import read_inode

XSLM = 0x58534C4D
SYMLINK_MAX = 1023


def file_pieces(fs, inode, fork, chunk=1 << 20, realtime=None):
    """Yield the bytes of a regular file up to its size; holes and unwritten extents as zeros. realtime: image of that device."""
    on_rt = inode.flags & di.REALTIME
    at = 0
    for offset, fsb, length, unwritten in fork.extents:
        start = offset * fs.bs
        if start >= inode.size:
            break
        yield from _zeros(start - at, chunk)
        stop = min(inode.size, start + length * fs.bs)
        if unwritten:
            yield from _zeros(stop - start, chunk)
        else:
            image, base = _rt_place(fs, fsb, realtime) if on_rt else (fs.image, fs.byte_of(*fs.split_fsb(fsb)))
            for low in range(start, stop, chunk):
                yield image.read(base + low - start, min(chunk, stop - low))
        at = stop
    yield from _zeros(inode.size - at, chunk)


def _rt_place(fs, block, realtime):
    """(image, byte) of a realtime block; zones may lie behind the data on the same device, and have gaps between them."""
    sb = fs.sb
    if sb.features_incompat & 0x100 and not sb.features_incompat & 0x400:
        block = (block >> sb.rgblklog) * sb.rgextents * sb.rextsize + (block & (1 << sb.rgblklog) - 1)
    internal = sb.zoned and sb.rtstart
    return (fs.image, (sb.rtstart + block) * fs.bs) if internal else (realtime, block * fs.bs)


def _zeros(count, chunk):
    while count > 0:
        yield bytes(min(count, chunk))
        count -= chunk


def file_bytes(fs, inode, fork=None):
    """The whole content; META_BTREE and realtime files have none here."""
    return b"".join(file_pieces(fs, inode, fork or read_fork(fs, inode, False)))


def symlink_target(fs, inode, fork):
    """The target bytes, or None; problems are reported (format sheet 03, section 4)."""
    where = "inode %d symlink" % inode.ino
    if not 1 <= inode.size <= SYMLINK_MAX:
        fs.rep.add("symlink-size", where, inode.size, "1..%d" % SYMLINK_MAX)
        return None
    if inode.format == di.LOCAL:
        target = bytes(fork.local[:inode.size])
    else:
        target = _remote_target(fs, inode, fork, where)
    if target is not None and b"\0" in target:
        fs.rep.add("symlink-target", where, "NUL byte", "none")
    if target is not None and len(target) != inode.size:
        fs.rep.add("symlink-size", where, inode.size, len(target))
    return target


def _remote_target(fs, inode, fork, where):
    target, expect = b"", 0
    for offset, fsb, length, _ in fork.extents:
        if offset != expect or length > 1024:
            fs.rep.add("symlink-extents", where, "offset %d" % offset, expect)
            return None
        expect += length
        buf = fs.read_fsb(fsb, length)
        left = inode.size - len(target)
        if not fs.v5:
            target += buf[:left]
            continue
        place = "%s file block %d" % (where, offset)
        magic, start, size = struct.unpack_from(">III", buf, 0)
        if magic != XSLM:
            fs.rep.add("symlink-magic", place, "0x%08x" % magic, "0x%08x" % XSLM)
            return None
        fs.check_header("symlink", place, buf, REMOTE, fs.fsb_daddr(fsb), inode.ino)
        take = min(left, len(buf) - 56)
        if (start, size) != (len(target), take):
            fs.rep.add("symlink-header", place, "offset %d bytes %d" % (start, size),
                       "%d %d" % (len(target), take))
        target += buf[56:56 + take]
    return target


def list_directory(fs, ino):
    """The Directory object of a directory inode."""
    inode = read_inode(fs, ino)
    return Directory(fs, inode, read_fork(fs, inode, False))


def resolve(fs, path):
    """Inode number of an absolute path (bytes); symlinks are not followed. KeyError when there is none."""
    ino = fs.sb.rootino
    for part in path.split(b"/"):
        if not part or part == b".":
            continue
        directory = list_directory(fs, ino)
        if part == b"..":
            ino = directory.parent
            continue
        for name, child, _ in directory.entries:
            if name == part:
                ino = child
                break
        else:
            raise KeyError(part)
    return ino
