# SPDX-License-Identifier: BSD-2-Clause
"""A table of damages, each with the finding it must make; checksums are put right again unless the row says not.

Most rows change one field of one structure. `target` names the structure: sb, sb2, agf, agi, agfl, log, a tree kind
with ".leaf" or ".node" (first block of that sort in AG 0), or kind:path for what belongs to a file.
"""

import collections
import struct

from xfsread import btree as b
from xfsread.forks import read_fork
from xfsread.inode import read_inode
from xfsread.log import Log

Row = collections.namedtuple("Row", "image ident title action")
IMAGES = ("full", "plain", "v4", "rt", "quota")
def add(count):
    return lambda value: value + count


def flip(mask):
    return lambda value: value ^ mask


TABLE = []


def field(ident, target, offset, size, change, title="", image="full", fix=True):
    """A row that changes one field."""
    name = "%s %s @%d%s" % (ident, target, offset, " " + title if title else "")
    TABLE.append(Row(image, ident, name, lambda damage: damage.poke(target, offset, size, change, fix)))


def other(ident, title, action, image="full"):
    TABLE.append(Row(image, ident, "%s %s" % (ident, title), action))


def _superblock_rows():
    field("sb-crc", "sb", 224, 4, flip(1), fix=False)
    field("sb-fdblocks", "sb", 144, 8, add(1))
    field("sb-icount", "sb", 128, 8, add(64))
    field("sb-ifree", "sb", 136, 8, add(-1))
    field("sb-frextents", "sb", 152, 8, 5)
    field("sb-inprogress", "sb", 126, 1, 1)
    field("sb-versionnum", "sb", 100, 2, flip(0x80))
    field("sb-dalign", "sb", 100, 2, flip(0x100))
    field("sb-bad_features2", "sb", 204, 4, flip(0x200))
    field("sb-features_ro_compat", "sb", 212, 4, flip(0x100))
    field("sb-needsrepair", "sb", 216, 4, flip(0x10))
    field("sb-inoalignmt", "sb", 180, 4, add(1))
    field("sb-tail", "sb", 500, 1, 7)
    field("sb-attr-bit", "sb", 100, 2, flip(0x10))
    field("sb-rextsize", "sb", 80, 4, 0)
    field("sb-flags", "sb", 178, 1, 1)
    field("root", "sb", 56, 8, add(1))
    field("parent-missing", "sb", 216, 4, flip(0x80), "feature without its attributes")
    field("inode-flags2", "inode:/hard", 120, 8, flip(0x20), "metadata flag without metadir")
    field("special-inode", "sb", 64, 8, add(1000))
    field("sb2-crc", "sb2", 224, 4, flip(1), fix=False)
    field("sb2-agblocks", "sb2", 84, 4, add(1))
    field("sb2-uuid", "sb2", 32, 1, flip(1))
    field("sb2-features_incompat", "sb2", 216, 4, flip(8))
    field("sb2-magicnum", "sb2", 0, 4, 0)
    other("log-dirty", "unmount flag gone", _dirty_log)


def _dirty_log(damage):
    """Clear the UNMOUNT flag of the last record."""
    log = Log(damage.fs).find()
    number, _ = log.back_to_header(log.head, log.blocks)
    headers = log.record(number)[3]
    damage.write(log.base + (number + headers) * 512 + 9, b"\0")


def _header_rows():
    field("agf-crc", "agf", 216, 4, flip(1), fix=False)
    for ident, offset, change in (("magicnum", 0, 0), ("versionnum", 4, 2), ("seqno", 8, 1), ("length", 12, add(-1)),
                                  ("flfirst", 40, 5000), ("flcount", 48, add(1)), ("freeblks", 52, add(-1)),
                                  ("longest", 56, add(1)), ("btreeblks", 60, add(1)), ("uuid", 64, flip(1)),
                                  ("rmap-blocks", 80, add(-1)), ("refcount-blocks", 84, add(1)),
                                  ("spare", 100, 9), ("lsn", 208, flip(0x7000))):
        field("agf-" + ident, "agf", offset, 4, change)
    field("bnobt-levels", "agf", 28, 4, 9)
    field("bnobt-level", "agf", 28, 4, add(1))
    field("bnobt-pointer", "agf", 16, 4, 0)
    field("cntbt-magic", "agf", 20, 4, lambda value: 9)
    field("agi-crc", "agi", 312, 4, flip(1), fix=False)
    for ident, offset, change in (("count", 16, add(1)), ("freecount", 28, add(1)), ("newino", 32, 3),
                                  ("dirino", 36, 0), ("unlinked", 40, 67), ("iblocks", 336, add(1)),
                                  ("fblocks", 340, add(1)), ("seqno", 8, 7), ("pad", 316, 1)):
        field("agi-" + ident, "agi", offset, 4, change)
    field("unlinked-inode", "agi", 40 + 4 * (67 % 64), 4, 67)
    field("unlinked-chain", "agi", 40 + 4 * 5, 4, 67)
    field("agfl-crc", "agfl", 32, 4, flip(1), fix=False)
    field("agfl-slot", "agfl", 36 + 4 * 118, 4, 0x7FFFFFFF)
    field("agfl-seqno", "agfl", 4, 4, 1)
    other("agfl-entry", "first entry", lambda d: d.poke("agfl", 36 + 4 * d.groups[0].agf.flfirst, 4, 1))
    other("space-claimed-twice", "AGFL entry twice", _agfl_twice)


def _agfl_twice(damage):
    """The second active entry repeats the first."""
    first = damage.groups[0].agf.flfirst
    size = damage.fs.agfl_size
    damage.poke("agfl", 36 + 4 * ((first + 1) % size), 4, damage.groups[0].agfl_blocks[0])


def _tree_rows():
    field("bnobt-crc", "bnobt.leaf", 52, 4, flip(1), fix=False)
    field("bnobt-owner", "bnobt.leaf", 48, 4, add(1))
    field("bnobt-blkno", "bnobt.leaf", 16, 8, add(8))
    field("bnobt-uuid", "bnobt.leaf", 32, 4, flip(1))
    field("bnobt-sibling", "bnobt.leaf", 12, 4, add(-1))
    field("bnobt-numrecs", "bnobt.leaf", 6, 2, 1000)
    field("bnobt-fill", "bnobt.leaf", 6, 2, 2)
    field("bnobt-lowkey", "bnobt.node", 56 + 8, 4, add(1))
    other("bnobt-loop", "both pointers equal", _same_pointer)
    field("rmapbt-lowkey", "rmapbt.node", 56 + 40, 4, add(1))
    field("rmapbt-highkey", "rmapbt.node", 56 + 20, 4, add(-1))
    field("rmapbt-highkey", "rmapbt.node", 56 + 20 + 12, 8, add(1), "offset")
    field("rmapbt-key-unwritten", "rmapbt.node", 56 + 40 + 12, 8, flip(1 << 61))
    field("rmapbt-level", "rmapbt.leaf", 4, 2, 1)
    other("bnobt-order", "records swapped", lambda d: d.swap("bnobt.leaf", 56, 64, 8))
    other("cntbt-order", "records swapped", lambda d: d.swap("cntbt.leaf", 56 + 8 * 3, 56 + 8 * 40, 8))
    other("cntbt-differs", "record dropped", lambda d: d.drop_record("cntbt", 5))
    other("space-leaked", "bnobt record dropped", lambda d: d.drop_record("bnobt", 3))
    other("space-free-in-use", "bnobt record longer", lambda d: d.poke_record("bnobt", 2, 4, 4, add(1)))
    other("bnobt-record", "zero length", lambda d: d.poke_record("bnobt", 2, 4, 4, 0))
    other("bnobt-unmerged", "record cut in two", _split_free)
    other("inobt-freecount", "record", lambda d: d.poke_record("inobt", 0, 7, 1, add(1)))
    other("inobt-count", "record", lambda d: d.poke_record("inobt", 0, 6, 1, 60))
    other("inobt-free", "hole not marked free", lambda d: d.poke_record("inobt", 0, 4, 2, 1))
    other("inobt-holemask", "part of a unit", lambda d: d.poke_record("inobt", 0, 4, 2, 3))
    other("inobt-startino", "unaligned", lambda d: d.poke_record("inobt", 1, 0, 4, add(1)))
    other("inode-used-is-free", "free bit cleared", _free_bit)
    other("inode-free-in-use", "free bit set", lambda d: d.poke_record("inobt", 0, 8, 8, flip(1)))
    other("finobt-differs", "record", lambda d: d.poke_record("finobt", 0, 8, 8, flip(1)))
    other("rmap-missing", "record dropped", lambda d: d.drop_record("rmapbt", 12))
    other("rmap-surplus", "record longer", lambda d: d.poke_record("rmapbt", 12, 4, 4, add(1)))
    other("rmap-surplus", "other offset", _change_file_record(16, 8, add(1)))
    other("rmap-missing", "other owner", _change_file_record(8, 8, add(1)))
    other("rmap-missing", "unwritten flag", _change_file_record(16, 8, flip(1 << 61)))
    other("rmapbt-record", "bad flag bits", lambda d: d.poke_record("rmapbt", 12, 16, 8, flip(1 << 55)))
    other("rmapbt-record", "headers", lambda d: d.poke_record("rmapbt", 0, 4, 4, add(1)))
    other("rmapbt-order", "records swapped", lambda d: d.swap("rmapbt.leaf", 56 + 24 * 10, 56 + 24 * 14, 24))
    other("rmapbt-overlap", "metadata over data", lambda d: d.poke_record("rmapbt", 12, 4, 4, add(3)))
    other("refcount-missing", "record dropped", lambda d: d.drop_record("refcountbt", 2))
    other("refcount-surplus", "other count", lambda d: d.poke_record("refcountbt", 2, 8, 4, add(1)))
    other("refcountbt-refcount", "count 1", lambda d: d.poke_record("refcountbt", 2, 8, 4, 1))
    other("refcountbt-cow-leftover", "CoW bit", lambda d: d.poke_record("refcountbt", -1 + _count(d, "refcountbt"), 0,
                                                                        4, flip(1 << 31)))


def _count(damage, kind):
    start, _, _ = damage.locate(kind + ".leaf")
    return struct.unpack(">H", damage.read(start + 6, 2))[0]


def _change_file_record(field_offset, size, change):
    """Change a plain file data record, wherever in the rmapbt, of a regular file that shares nothing."""
    def action(damage):
        fs, kind = damage.fs, b.RMAPBT
        owners = {damage.inode(path).ino for path in ("/hard", "/xattr1", "/xattr3", "/holes10", "/late0")}
        for group in damage.groups:
            for agbno in group.trees[kind].blocks:
                place = fs.byte_of(group.agno, agbno), fs.bs, 52
                level, count = struct.unpack(">HH", damage.read(place[0] + 4, 4))
                for index in range(0 if level else count):
                    at = kind.header(fs) + index * kind.rec.size
                    record = kind.rec.unpack(damage.read(place[0] + at, kind.rec.size))
                    if record[2] in owners and not record[3] & (b.RM_ATTR | b.RM_BMBT | b.RM_UNWRITTEN):
                        damage.poke_block(place, at + field_offset, size, change)
                        return
        raise KeyError("no such record")
    return action


def _same_pointer(damage):
    kind = b.BNOBT
    at = kind.header(damage.fs) + kind.maxrecs(damage.fs, 1) * kind.keylen
    start, _, _ = damage.locate("bnobt.node")
    first = struct.unpack(">I", damage.read(start + at, 4))[0]
    damage.poke("bnobt.node", at + 4, 4, first)


def _split_free(damage):
    """Cut the longest free extent of the first leaf in two touching records, overwriting its neighbour."""
    start, length, crc = damage.locate("bnobt.leaf")
    count = _count(damage, "bnobt")
    rows = [struct.unpack(">II", damage.read(start + 56 + 8 * i, 8)) for i in range(count)]
    index = next(i for i in range(count - 1) if rows[i][1] >= 2)
    first, size = rows[index]
    damage.write(start + 56 + 8 * index, struct.pack(">IIII", first, 1, first + 1, size - 1))
    damage.fix(start, length, crc)


def _free_bit(damage):
    """Call a free inode used."""
    start, _, _ = damage.locate("inobt.leaf")
    for index in range(_count(damage, "inobt")):
        free = struct.unpack(">Q", damage.read(start + 56 + 16 * index + 8, 8))[0]
        holemask = struct.unpack(">H", damage.read(start + 56 + 16 * index + 4, 2))[0]
        if free and not holemask:
            damage.poke_record("inobt", index, 8, 8, flip(free & -free))
            return
    raise KeyError("no free inode")


def _inode_rows():
    path = "inode:/hard"
    field("inode-crc", path, 60, 1, 1, fix=False)
    for ident, offset, size, change in (
            ("magic", 0, 2, 0), ("mode", 2, 2, 0o070000), ("version", 4, 1, 2), ("format", 5, 1, 1),
            ("metatype", 6, 2, 5), ("nlink", 16, 4, add(1)), ("nblocks", 64, 8, add(1)), ("pad", 80, 2, 3),
            ("forkoff", 82, 1, 60), ("aformat", 83, 1, 5), ("flags", 90, 2, 0x8000), ("flags2", 120, 8, 0x24),
            ("flags2", 120, 8, add(0x100)), ("extsize", 72, 4, 5), ("cowextsize", 128, 4, 5),
            ("ino", 152, 8, add(1)), ("uuid", 160, 1, flip(1)), ("size", 56, 8, flip(1 << 63)),
            ("lsn", 112, 8, 1 << 40)):
        field("inode-" + ident, path, offset, size, change, str(size))
    field("inode-next-unlinked", path, 96, 4, 70)
    field("inode-nlink-zero", path, 16, 4, 0)
    field("fork-nextents", path, 24, 8, add(40))
    field("fork-nextents", "inode:/holes40", 24, 8, add(1))
    field("extent-range", path, 176 + 8, 8, flip(1 << 60), "start")
    field("extent-length", path, 176 + 8, 8, lambda value: value & ~0x1FFFFF)
    field("extent-order", "inode:/holes10", 176 + 16, 8, 0)
    field("extent-unwritten", "inode:/dir40", 176, 8, flip(1 << 63))
    field("rmap-missing", path, 176 + 8, 8, add(1 << 21), "moved")
    other("refcount-missing", "two files, one extent", _same_extent)
    field("inode-reflink-missing", "inode:/clone0", 120, 8, flip(2))
    field("refcount-missing", "inode:/clone0", 176 + 8, 8, add(1 << 21), "moved")
    field("bmbt-root", "inode:/holes40", 176, 2, 0, "level")
    field("bmbt-magic", "bmbt:/holes40", 0, 4, 0)
    field("bmbt-owner", "bmbt:/holes40", 56, 8, add(1))
    field("bmbt-crc", "bmbt:/holes40", 64, 4, flip(1), fix=False)
    field("bmbt-lowkey", "inode:/holes40", 176 + 4, 8, add(1))
    field("bmbt-numrecs", "bmbt:/holes40", 6, 2, 200)
    field("fork-fits-inline", "bmbt:/holes40", 6, 2, 5)
    field("symlink-magic", "symlink:/symlink700", 0, 4, 1)
    field("symlink-header", "symlink:/symlink700", 8, 4, add(1))
    field("symlink-owner", "symlink:/symlink700", 32, 8, add(1))
    field("symlink-crc", "symlink:/symlink700", 100, 1, flip(1), fix=False)
    field("symlink-target", "inode:/symlink30", 180, 1, 0)
    field("inode-size", "inode:/symlink30", 56, 8, 400)
    field("inode-size", "inode:/fifo", 56, 8, 1, "fifo")


def _same_extent(damage):
    """/late1 maps the blocks of /late0."""
    start, _, _ = damage.locate("inode:/late0")
    value = struct.unpack(">Q", damage.read(start + 184, 8))[0]
    length = value & 0x1FFFFF
    mine = struct.unpack(">Q", damage.read(damage.locate("inode:/late1")[0] + 184, 8))[0] & 0x1FFFFF
    damage.poke("inode:/late1", 184, 8, value - length + min(length, mine))


def _name_rows():
    block, big, leaf = "dirdata:/dir40", "/big", "dirtop:/medium"
    field("dir-crc", block, 4, 4, flip(1), fix=False)
    field("dir-magic", block, 0, 4, 0)
    field("dir-owner", block, 40, 8, add(1))
    field("dir-blkno", block, 8, 8, add(1))
    field("dir-bestfree", block, 50, 2, add(8))
    field("dir-dots", block, 64, 8, add(1), ".")
    field("dir-parent", block, 80, 8, add(1), "..")
    field("dir-dangling", block, 96, 8, add(70000))
    other("dir-ftype", "first entry of /dir40", _entry_type)
    field("dir-tag", block, 64 + 14, 2, 8)
    field("dir-tiling", block, 96 + 8, 1, 0)
    field("dir-name", block, 96 + 9, 1, 0x2F)
    field("dir-hash", block, 96 + 9, 1, flip(1), "name changed")
    field("dir-stale", block, -4, 4, add(1))
    field("dir-count", block, -8, 4, 2000)
    other("inode-unreachable", "entry points elsewhere", _entry_elsewhere)
    field("dir-size", "inode:/dir40", 56, 8, add(4096))
    field("dir-magic", leaf, 8, 2, 0)
    field("dir-bests", leaf, -6, 2, add(-8))
    field("dir-hash-order", leaf, 64, 4, 0xFFFFFFFF)
    field("dir-hash-entry", leaf, 64 + 4, 4, add(1))
    field("dir-hash-missing", leaf, 64 + 4, 4, 0)
    field("dir-stale", leaf, 58, 2, add(1), "leaf form")
    field("da-hashval", "dirtop:" + big, 64, 4, add(-1))
    field("da-level", "dirtop:" + big, 58, 2, 9)
    field("da-count", "dirtop:" + big, 56, 2, 0)
    field("da-owner", "dirtop:" + big, 48, 8, add(1))
    field("da-hole", "dirtop:" + big, 64 + 4, 4, 5000)
    field("da-sibling", "dirleaf:" + big, 0, 4, 0)
    field("da-magic", "dirleaf:" + big, 8, 2, 0)
    field("dir-free-index", "dirfree:" + big, 56, 4, add(1), "nused")
    field("dir-free-index", "dirfree:" + big, 52, 4, add(1), "nvalid")
    field("dir-free-index", "dirfree:" + big, 48, 4, add(1), "firstdb")
    field("dir-bests", "dirfree:" + big, 64, 2, add(8))
    field("dir-sf-size", "inode:/dir5", 56, 8, add(1))
    field("dir-sf-offset", "inode:/dir5", 176 + 6 + 1, 2, 8)
    field("dir-sf-entry", "inode:/dir5", 176, 1, 9)
    field("dir-parent", "inode:/dir5", 176 + 2, 4, add(1), "shortform")
    other("attr-sf-size", "inline list of /xattr-dir", lambda d: _inline_attr(d, 0, 2, add(1)))
    other("attr-sf-entry", "inline list of /xattr-dir", lambda d: _inline_attr(d, 4, 1, 200))
    other("attr-flags", "inline list of /xattr-dir", lambda d: _inline_attr(d, 6, 1, 6))
    field("attr-hash", "attrleaf:/xattr-big", 80, 4, add(-1))
    field("attr-leaf-usedbytes", "attrleaf:/xattr-big", 58, 2, add(4))
    field("attr-leaf-nameidx", "attrleaf:/xattr-big", 84, 2, 8)
    field("attr-leaf-count", "attrleaf:/xattr-big", 56, 2, 500)
    field("attr-leaf-freemap", "attrleaf:/xattr-big", 66, 2, 3)
    field("attr-incomplete", "attrleaf:/xattr-big", 86, 1, flip(0x80))
    field("da-owner", "attrleaf:/xattr-big", 48, 8, add(1), "attr leaf")
    field("da-hashval", "attrtop:/xattr40", 64, 4, add(-1), "attr node")
    field("attr-remote", "attrremote:/xattr-big", 4, 4, add(1))
    field("attr-remote-lsn", "attrremote:/xattr-big", 48, 8, 0)
    field("attr-remote-crc", "attrremote:/xattr-big", 100, 1, flip(1), fix=False)
    field("attr-remote-blkno", "attrremote:/xattr-big", 40, 8, add(2))


def _inline_attr(damage, offset, size, change):
    start, _, _ = damage.locate("inode:/xattr-dir")
    forkoff = damage.read(start + 82, 1)[0]
    damage.poke("inode:/xattr-dir", 176 + 8 * forkoff + offset, size, change)


def _entry_type(damage):
    start, _, _ = damage.locate("dirdata:/dir40")
    namelen = damage.read(start + 96 + 8, 1)[0]
    damage.poke("dirdata:/dir40", 96 + 9 + namelen, 1, 1)


def _entry_elsewhere(damage):
    """The first entry of /dir40 names the directory /dir0 instead."""
    damage.poke("dirdata:/dir40", 96, 8, damage.inode("/dir0").ino)


def _plain_rows():
    """Without rmapbt the forks and free space alone must tell; and V4."""
    other("space-claimed-twice", "two files, one extent", _same_extent, "plain")
    other("space-leaked", "extent shorter", _shorter, "plain")
    field("agf-rmap-unused", "agf", 24, 4, 5, "", "plain")
    field("sb-spino_align", "sb", 228, 4, 4, "", "plain")
    field("inode-time", "inode:/hard", 36, 4, 2 * 10 ** 9, "nsec", "plain")
    field("inode-flags2", "inode:/hard", 120, 8, 8, "bigtime", "plain")
    field("sb-crc", "sb", 224, 4, 1, "on V4", "v4", fix=False)
    field("sb-fdblocks", "sb", 144, 8, add(1), "", "v4")
    field("agf-freeblks", "agf", 52, 4, add(1), "", "v4")
    field("bnobt-magic", "bnobt.leaf", 0, 4, 0x41423342, "V5 magic", "v4")
    field("inode-nlink", "inode:/dir20", 16, 4, add(1), "", "v4")
    field("inode-version", "inode:/dir20", 4, 1, 3, "", "v4")
    field("dir-bestfree", "dirdata:/dir20", 6, 2, add(8), "", "v4")
    field("dir-hash", "dirtop:/dir300", 16, 4, add(-1), "", "v4")


def _shorter(damage):
    """A file loses the last block of its extent, with its block count put right."""
    name = next(name for name in ("/late0", "/late1", "/late2", "/late3")
                if damage.inode(name).nblocks > 1)
    damage.poke("inode:" + name, 184, 8, add(-1))
    damage.poke("inode:" + name, 64, 8, add(-1))


def _metadata_file(role):
    """First block of a metadata inode of the superblock."""
    def locate(damage):
        inode = read_inode(damage.fs, getattr(damage.fs.sb, role))
        fsb = read_fork(damage.fs, inode, False).lookup(0)[0]
        return damage.fs.byte_of(*damage.fs.split_fsb(fsb)), damage.fs.bs, None
    return locate


def _realtime_and_quota_rows():
    bitmap, summary, quota = (_metadata_file(role) for role in ("rbmino", "rsumino", "uquotino"))

    def change(where, offset, size, how):
        return lambda damage: damage.poke_block(where(damage), offset, size, how)

    def record(number, offset, size, how):
        def action(damage):
            start, _, _ = quota(damage)
            damage.poke_block((start + 136 * number, 136, 108), offset, size, how)
        return action

    other("rt-bitmap", "one bit", change(bitmap, 3, 1, flip(1)), "rt")
    other("rt-summary", "one counter", change(summary, 3, 1, add(1)), "rt")
    field("sb-frextents", "sb", 152, 8, add(1), "", "rt")
    field("sb-rextents", "sb", 24, 8, add(1), "", "rt")
    field("sb-rextslog", "sb", 125, 1, add(1), "", "rt")
    other("quota-crc", "user record 2", change(quota, 136 * 2 + 108, 1, flip(1)), "quota")
    other("quota-magic", "user record 1", record(1, 0, 2, 0), "quota")
    other("quota-type", "user record 1", record(1, 3, 1, 4), "quota")
    other("quota-id", "user record 1", record(1, 4, 4, 9), "quota")
    other("quota-uuid", "user record 1", record(1, 120, 1, flip(1)), "quota")
    other("quota-count", "user record 0", record(0, 40, 8, add(1)), "quota")
    other("quota-timer", "user record 1", _over_limit(quota), "quota")
    field("inode-unreachable", "sb", 160, 8, 0, "quota inode forgotten", "quota")


def _over_limit(quota):
    """A soft limit of 1 with 2 in use, no timer."""
    def action(damage):
        start, _, _ = quota(damage)
        damage.poke_block((start + 136, 136, 108), 16, 8, 1, fix=False)
        damage.poke_block((start + 136, 136, 108), 40, 8, 2)
    return action


_superblock_rows()
_header_rows()
_tree_rows()
_inode_rows()
_name_rows()
_plain_rows()
_realtime_and_quota_rows()
