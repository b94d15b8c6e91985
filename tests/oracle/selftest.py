#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the oracle itself: format vectors, stored images, and that the judge notices damage.

Vectors come from tests/data/vectors, or the folder in XFSKIT_VECTORS. Arguments as for unittest.
"""

import json
import lzma
import os
import struct
import subprocess
import sys
import tempfile
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import corruptions  # noqa: E402
from damage import Damage  # noqa: E402
from xfsjudge import space  # noqa: E402
from xfsjudge.groups import Chunk  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsjudge.run import judge  # noqa: E402
from xfsread import btree, crc32c, forks, names  # noqa: E402
from xfsread.aghdr import AGF_FIELDS, AGI_FIELDS, Header  # noqa: E402
from xfsread.attrs import Attributes  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import Inode  # noqa: E402
from xfsread.superblock import Superblock  # noqa: E402

VECTORS = os.environ.get("XFSKIT_VECTORS", os.path.join(HERE, "..", "data", "vectors"))
KINDS = {kind.name: kind for kind in (btree.BNOBT, btree.CNTBT, btree.INOBT, btree.FINOBT, btree.RMAPBT,
                                      btree.REFCOUNTBT, btree.BMBT)}


def vectors(name):
    with open(os.path.join(VECTORS, name), encoding="utf-8") as handle:
        return json.load(handle)


def sample_bytes(sample):
    return bytes.fromhex(sample["hex"]) + bytes(sample.get("zero_tail", 0))


def number(value):
    """Integers above 2^53 are strings; uuids and names are hex."""
    if isinstance(value, str) and value.isdigit() and len(value) < 21:
        return int(value)
    return bytes.fromhex(value) if isinstance(value, str) else value


class BareFs(Fs):
    """A geometry without an image, for decoding single blocks."""

    def __init__(self, blocksize=4096, v5=True, inodesize=512, ftype=True, dirsize=None, sparse=True):
        self.rep = Report()
        self.check_crc, self.lsn_limit, self.checksums = True, None, crc32c.Queue(self.rep)
        self.v5, self.bs, self.isize, self.uuid = v5, blocksize, inodesize, bytes(16)
        self.blklog = blocksize.bit_length() - 1
        self.dirsize = dirsize or max(4096, blocksize)
        self.litino = inodesize - (176 if v5 else 100)
        self.sb = types.SimpleNamespace(ftype=ftype, asciici=False, parent=True, reflink=True, sparse=sparse,
                                        nrext64=False)


class Vectors(unittest.TestCase):
    def test_crc(self):
        patterns = {"zero": lambda i: 0, "ones": lambda i: 255}
        cases = vectors("crc32c.json")
        for case in cases["strings"]:
            self.assertEqual(crc32c.crc32c(bytes.fromhex(case["hex"])), case["crc"])
        for case in cases["cases"]:
            if case["pattern"] in patterns:
                data = bytes(patterns[case["pattern"]](i) for i in range(case["length"]))
                self.assertEqual(crc32c.crc32c(data), case["crc"], case)

    def test_metadata_crc(self):
        seen = 0
        for name in ("superblock", "ag-headers", "btree-blocks", "inodes", "directory-blocks", "attr-blocks",
                     "symlink-blocks"):
            for sample in vectors(name + ".json")["samples"]:
                if "crc_offset" in sample:
                    data, at = sample_bytes(sample), sample["crc_offset"]
                    self.assertEqual(crc32c.block_crc(data, at), sample["crc"], sample["name"])
                    self.assertEqual(crc32c.stored_crc(data, at), sample["crc"], sample["name"])
                    seen += 1
        self.assertGreater(seen, 150)

    def test_many(self):
        """The column method gives what the loop gives."""
        for size, offset in ((512, 100), (1024, 52), (60, 4)):
            blocks = [bytes((i * j * 7 + size) >> 3 & 0xFF for j in range(size)) for i in range(3 * crc32c.MANY)]
            self.assertEqual(crc32c.block_crcs(blocks, offset), [crc32c.block_crc(b, offset) for b in blocks])

    def compare(self, sample, decoded, skip=()):
        for key, value in sample["fields"].items():
            if key in skip or isinstance(value, (list, dict)) or not hasattr(decoded, key):
                continue
            found = getattr(decoded, key)
            right = number(value)
            if isinstance(found, bytes):
                right = bytes.fromhex(value)
            self.assertEqual(found, right, "%s %s" % (sample["name"], key))

    def test_superblock(self):
        for sample in vectors("superblock.json")["samples"]:
            self.compare(sample, Superblock(sample_bytes(sample)))

    def test_ag_headers(self):
        tables = {"agf": AGF_FIELDS, "agi": AGI_FIELDS}
        for sample in vectors("ag-headers.json")["samples"]:
            if sample["kind"] in tables:
                self.compare(sample, Header(sample_bytes(sample), tables[sample["kind"]]), skip=("spare64",))

    def test_inodes(self):
        for sample in vectors("inodes.json")["samples"]:
            fs = BareFs(sample["blocksize"], sample["v5"], sample["inodesize"])
            inode = Inode(fs, sample["ino"], sample_bytes(sample))
            self.compare(sample, inode, skip=("ino",) if sample["v5"] else ("ino", "uuid"))
            for key, area in (("data_extents", inode.data_area()), ("attr_extents", inode.attr_area())):
                for index, want in enumerate(sample.get(key, ())):
                    found = forks.decode_extent(*struct.unpack_from(">QQ", area, 16 * index))
                    self.assertEqual(found[0], number(want["startoff"]), sample["name"])
                    self.assertEqual(found[1], number(want["startblock"]), sample["name"])
                    self.assertEqual(found[2], want["blockcount"], sample["name"])
            if "attr_sf" in sample:
                inode_attrs = Attributes.__new__(Attributes)
                inode_attrs.fs, inode_attrs.inode, inode_attrs.entries = fs, inode, []
                inode_attrs.fork = types.SimpleNamespace(local=inode.attr_area())
                inode_attrs.read_sf()
                self.assertEqual(fs.rep.findings, [], sample["name"])
                self.assertEqual(len(inode_attrs.entries), len(sample["attr_sf"]["entries"]), sample["name"])

    def test_bmbt_records(self):
        for case in vectors("bmbt-record.json")["cases"]:
            fields = (number(case["startoff"]), number(case["startblock"]), case["blockcount"],
                      int(case["unwritten"]))
            raw = bytes.fromhex(case["hex"])
            self.assertEqual(forks.decode_extent(*struct.unpack(">QQ", raw)), fields)
            self.assertEqual(struct.pack(">QQ", *forks.encode_extent(*fields)), raw)

    def test_rmap_keys(self):
        cases = vectors("rmap-record.json")
        for case in cases["cases"]:
            record = btree.RMAPBT.rec.unpack(bytes.fromhex(case["hex"]))
            for side, key in (("low_key", btree.RMAPBT.low(record)), ("high_key", btree.RMAPBT.high(record))):
                self.assertEqual(btree.RMAPBT.key.pack(*key).hex(), case[side], case)
        for case in cases["compare"]:
            one, two = (struct.unpack(">IQQ", bytes.fromhex(case[name])) for name in "ab")
            one, two = (key[:2] + (key[2] & ~btree.RM_UNWRITTEN,) for key in (one, two))
            self.assertEqual((one > two) - (one < two), case["result"], case)

    def test_inobt_records(self):
        for case in vectors("inobt-record.json")["cases"]:
            fs = BareFs(sparse=case["sparse_feature"])
            chunk = Chunk(fs, struct.unpack(">IIQ", bytes.fromhex(case["hex"])))
            self.assertEqual((chunk.startino, chunk.holemask, chunk.freecount, chunk.real()),
                             (case["startino"], case.get("holemask", 0), case["freecount"],
                              int(case.get("existing_mask", "f" * 16), 16)))

    def test_hashes(self):
        cases = vectors("name-hash.json")
        for case in cases["names"]:
            name = bytes.fromhex(case["name"])
            fs = BareFs()
            self.assertEqual(names.dirhash(fs, name), int(case["hash"], 16))
            fs.sb.asciici = True
            if "hash_ci" in case:
                self.assertEqual(names.dirhash(fs, name), int(case["hash_ci"], 16))
        for case in cases["attrs"]:
            name = bytes.fromhex(case["name"])
            if "parent_ino" in case:
                found = names.parent_hash(BareFs(), name, number(case["parent_ino"]))
            else:
                found = names.hashname(name)
            self.assertEqual(found, int(case["hash"], 16), case)

    def test_times(self):
        for case in vectors("timestamps.json")["cases"]:
            for kind, flag in (("bigtime", 8), ("legacy", 0)):
                raw = bytearray(512)
                raw[32:40] = bytes.fromhex(case[kind + "_hex"])
                raw[127] = flag
                inode = Inode(BareFs(), 1, bytes(raw))
                self.assertEqual(inode.time("atime"), (case[kind + "_seconds"], case[kind + "_nanoseconds"]), case)

    def test_addresses(self):
        for case in vectors("addresses.json")["geometries"]:
            fs = BareFs(case["blocksize"], inodesize=case["inodesize"])
            for key in ("agblocks", "agcount", "agblklog", "inopblog"):
                setattr(fs, key, case[key])
            fs.inopblock = 1 << fs.inopblog
            for row in case["rows"]:
                agno, agbno, ino = row["agno"], row["agbno"], number(row["ino"])
                self.assertEqual(fs.join_fsb(agno, agbno), number(row["fsbno"]))
                self.assertEqual(fs.split_fsb(number(row["fsbno"])), (agno, agbno))
                self.assertEqual(fs.daddr_of(agno, agbno), number(row["daddr"]))
                self.assertEqual(fs.byte_of(agno, agbno), number(row["byte"]))
                self.assertEqual(fs.split_ino(ino), (agno, row["agino"]))
                self.assertEqual(fs.ino_byte(ino), number(row["inode_byte"]))

    def test_capacity_and_heights(self):
        for case in vectors("btree-capacity.json")["cases"]:
            fs = BareFs(case["blocksize"], case["v5"])
            for name, (leaf, node) in case["leaf_node"].items():
                if name in KINDS:
                    self.assertEqual((KINDS[name].maxrecs(fs, 0), KINDS[name].maxrecs(fs, 1)), (leaf, node), name)
        for case in vectors("geometry-limits.json")["cases"]:
            fs = BareFs(case["blocksize"], case["crc"], case["inodesize"])
            fs.agblocks, fs.agblklog = case["agblocks"], case["agblklog"]
            fs.inopblog = (fs.bs // fs.isize).bit_length() - 1
            fs.sb.reflink, fs.sb.nrext64 = case["reflink"], case["nrext64"]
            want = case["max_levels"]
            self.assertEqual(btree.max_levels(fs, btree.BNOBT), want["alloc"], case["mkfs_options"])
            self.assertEqual(btree.max_levels(fs, btree.INOBT), want["inobt"], case["mkfs_options"])
            if case["rmapbt"]:
                self.assertEqual(btree.max_levels(fs, btree.RMAPBT), want["rmap"], case["mkfs_options"])
            if case["reflink"]:
                self.assertEqual(btree.max_levels(fs, btree.REFCOUNTBT), want["refcount"], case["mkfs_options"])
            self.assertEqual(btree.max_levels_bmbt(fs, False), want["bmbt_data"], case["mkfs_options"])
            self.assertEqual(btree.max_levels_bmbt(fs, True), want["bmbt_attr"], case["mkfs_options"])

    def test_btree_blocks(self):
        for sample in vectors("btree-blocks.json")["samples"]:
            fs, kind, data = BareFs(sample["blocksize"], sample["v5"]), KINDS[sample["kind"]], sample_bytes(sample)
            header = sample["fields"]["header"]
            self.assertEqual(struct.unpack_from(">IHH", data), tuple(header[k] for k in ("magic", "level", "numrecs")))
            walk = btree.Walk(fs, kind, sample["name"], agno=0)
            if header["level"] == 0:
                walk.leaf(data, header["numrecs"])
                rows = sample["fields"]["records"]
                self.assertEqual(len(walk.records), len(rows))
                if kind in (btree.BNOBT, btree.CNTBT):
                    want = [(row["startblock"], row["blockcount"]) for row in rows]
                    self.assertEqual(walk.records, want)
                continue
            children = []
            walk.node(data, header["numrecs"], children)
            self.assertEqual([child[0] for child in children], [number(p) for p in sample["fields"]["ptrs"]])

    def test_directory_blocks(self):
        for sample in vectors("directory-blocks.json")["samples"]:
            if sample["kind"] not in ("dir_block", "dir_data"):
                continue
            fs = BareFs(sample["blocksize"], sample["v5"], ftype=sample["ftype"], dirsize=sample["dirblocksize"])
            inode = types.SimpleNamespace(ino=sample["owner_inode"], format=0)
            directory = Directory(fs, inode, None)
            directory.shape = "block" if sample["kind"] == "dir_block" else "leaf"
            directory.data_block(0, sample_bytes(sample), sample["name"])
            self.assertEqual(fs.rep.findings, [], sample["name"])
            want = sum(1 for entry in sample["fields"]["entries"] if "unused" not in entry)
            self.assertEqual(len(directory.entries) + len(directory.dots), want, sample["name"])

    def test_attr_leaves(self):
        for sample in vectors("attr-blocks.json")["samples"]:
            if sample["kind"] != "attr_leaf":
                continue
            fs = BareFs(sample["blocksize"], sample["v5"])
            attrs = Attributes(fs, types.SimpleNamespace(ino=sample["owner_inode"], forkoff=0), None)
            attrs.remote_value = lambda block, length, where: b""
            attrs.leaf(sample_bytes(sample), sample["name"], -1)
            self.assertEqual(fs.rep.findings, [], sample["name"])
            self.assertEqual(len(attrs.entries), len(sample["fields"]["entries"]), sample["name"])

    def test_sharing(self):
        """Reference counts computed from rmap records equal the kernel's."""
        flags = {"a": btree.RM_ATTR, "b": btree.RM_BMBT, "u": btree.RM_UNWRITTEN}
        case = vectors("fsmap.json")
        for rmaps, refcounts in zip(case["rmap"], case["refcount"]):
            plain = [(start, count, owner, offset) for start, count, owner, offset, flag in rmaps
                     if owner >= 0 and not flag]
            want = [tuple(row[:3]) for row in refcounts if row[3] == "shared"]
            self.assertEqual(space.depth_runs(plain), want)
            records = [(row[0], row[1], row[2] & (1 << 64) - 1, row[3] | sum(flags[c] for c in row[4]))
                       for row in rmaps]
            self.assertEqual(sum(len(pieces) for pieces in space.runs(records).values()), len(records))


def unpack(name, folder):
    """Write a stored image sparsely; its path."""
    path = os.path.join(folder, name + ".img")
    with lzma.open(os.path.join(HERE, "data", name + ".img.xz")) as source, open(path, "wb") as target:
        for piece in iter(lambda: source.read(1 << 16), b""):
            if piece.count(0) == len(piece):
                target.seek(len(piece), os.SEEK_CUR)
            else:
                target.write(piece)
        target.truncate(target.tell())
    return path


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.paths = {name: unpack(name, cls.folder.name) for name in corruptions.IMAGES}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_tool(self, *args):
        return subprocess.run([sys.executable] + list(args), capture_output=True, check=False)

    def test_clean(self):
        for name, path in self.paths.items():
            self.assertEqual(list(judge(path, Report()).lines()), [], name)

    def test_trees(self):
        """What we read equals what the kernel gave through system calls when the image was made."""
        for name in ("full", "plain"):
            got = self.run_tool(os.path.join(HERE, "tree.py"), "--times", self.paths[name])
            self.assertEqual((got.returncode, got.stderr), (0, b""))
            with lzma.open(os.path.join(HERE, "data", name + ".tree.xz")) as handle:
                self.assertEqual(got.stdout.splitlines(), handle.read().splitlines())

    def test_exit_status(self):
        tool = os.path.join(HERE, "judge.py")
        self.assertEqual(self.run_tool(tool, self.paths["full"]).returncode, 0)
        junk = os.path.join(self.folder.name, "junk")
        with open(junk, "wb") as handle:
            handle.write(b"junk" * 10000)
        self.assertEqual(self.run_tool(tool, junk).returncode, 2)
        moved = os.path.join(self.folder.name, "moved")
        with open(self.paths["v4"], "rb") as source, open(moved, "wb") as target:
            target.seek(1 << 20)
            target.write(source.read())
        self.assertEqual(self.run_tool(tool, "--offset", str(1 << 20), moved).returncode, 0)
        self.assertEqual(self.run_tool(tool, moved).returncode, 2)

    def test_damage(self):
        """Each damage of the table makes its finding; afterwards the image is as before."""
        counts = {}
        for name in corruptions.IMAGES:
            damage = Damage(self.paths[name])
            rows = [row for row in corruptions.TABLE if row.image == name]
            self.assertTrue(rows)
            for row in rows:
                with self.subTest(image=name, damage=row.title):
                    counts[row.title] = 1
                    try:
                        damage.apply(row)
                        rep = judge(self.paths[name], Report())
                        self.assertIn(row.ident, rep.ids, "%s: only %s" % (row.title, sorted(rep.ids)))
                    finally:
                        damage.restore()
            damage.close()
            self.assertEqual(list(judge(self.paths[name], Report()).lines()), [], name)
        self.assertGreaterEqual(len(counts), 60)


if __name__ == "__main__":
    unittest.main()
