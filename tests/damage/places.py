# SPDX-License-Identifier: BSD-2-Clause
"""Where the structures of a clean image are, found by the independent reader, and where their fields are, told by the
tables of libxfs/ondisk (tests/helpers/fields.c)."""
import os
import re
import stat
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "oracle"), os.path.join(HERE, "..", "kernel")]

import campaign  # noqa: E402
from xfsjudge.groups import Group  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread import crc32c, inode as di  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

LOG_MAGIC = bytes.fromhex("feedbabe")
# (name, byte, bytes) of what a log record starts with; the distribution's tools have no names for them
LOG_RECORD = (("h_magicno", 0, 4), ("h_cycle", 4, 4), ("h_version", 8, 4), ("h_len", 12, 4), ("h_lsn", 16, 8),
              ("h_tail_lsn", 24, 8),
              ("h_crc", 32, 4), ("h_prev_block", 36, 4), ("h_num_logops", 40, 4), ("h_cycle_data[0]", 44, 4),
              ("h_fmt", 300, 4),
              ("h_fs_uuid", 304, 16), ("h_size", 320, 4))
FIELDS = os.path.join(campaign.BUILD, "bin", "tests", "helpers", "fields")
TREES = {"refcountbt": "refcntbt"}
DIR_FORMS = {b"XD2B": "block", b"XDB3": "block", b"XD2D": "data", b"XDD3": "data", b"XD2F": "free", b"XDF3": "free"}
DA_FORMS = {0xd2f1: "leaf1", 0x3df1: "leaf1", 0xd2ff: "leaf", 0x3dff: "leaf", 0xfebe: "node", 0x3ebe: "node",
            0xfbee: "leaf", 0x3bee: "leaf"}
SELECTOR = re.compile(r"([a-z0-9]+)(?:\.([a-z0-9*]+))?(?:\[(-?\d+)\])?(?:\s+(\S+))?$")


class NoPlace(Exception):
    """The image has nothing of that kind."""


class Place:
    """One structure: `size` bytes at byte `start`, checksum at `crc` (None: it has none)."""

    __slots__ = ("kind", "part", "type", "start", "size", "crc", "ag", "ino", "paths", "level", "filekind")

    def __init__(self, kind, part, type_, start, size, crc, ag=None, ino=None, paths=(), level=0, filekind="0"):
        self.kind, self.part, self.type, self.start, self.size, self.crc = kind, part, type_, start, size, crc
        self.ag, self.ino, self.paths, self.level, self.filekind = ag, ino, paths, level, filekind

    holder = property(lambda self: self, doc="What is read and written as one.")

    def position(self, byte):
        """Where a byte of it stands in the holder."""
        return byte

    def read(self, read):
        return bytearray(read(self.start, self.size))

    def write(self, file, data, crc):
        """crc: fix or stale."""
        if crc == "fix" and self.crc is not None and self.crc + 4 <= len(data):
            struct.pack_into("<I", data, self.crc, crc32c.block_crc(bytes(data), self.crc))
        file.seek(self.start)
        file.write(data)

    def __str__(self):
        name = self.kind + ("." + self.part if self.part else "")
        where = self.paths[0].decode("latin-1") if self.paths else "" if self.ag is None else "AG %d" % self.ag
        return "%s %s at byte %d" % (name, where, self.start)


class Places:
    """All metadata of one clean image."""

    def __init__(self, path):
        self.path = path
        self.image = Image(path)
        self.fs = fs = Fs(self.image, Report(), check_crc=False)
        self.v5, self.size = fs.v5, os.path.getsize(path)
        self.all, self.by_path, self.chunks = [], {}, []
        self.helper = None
        self.paths_of = {}
        self.walk_names()
        self.headers()
        for agno in range(fs.agcount):
            group = Group(fs, agno)
            self.trees(group)
            self.inodes(group)
        if fs.sb.logstart:
            base, size = fs.byte_of(*fs.split_fsb(fs.sb.logstart)), fs.sb.logblocks * fs.bs
            data = self.image.read(base, size)
            for k in range(0, size, 512):
                part = "record" if data.startswith(LOG_MAGIC, k) else "data" if any(data[k:k + 512]) else "unused"
                self.put("log", part, None, base + k, 512, None)

    def put(self, kind, part, type_, start, size, crc, **more):
        self.all.append(Place(kind, part, type_, start, size, crc if self.v5 else None, **more))

    # ---- the index ----

    def walk_names(self):
        fs = self.fs
        todo, seen = [(b"/", fs.sb.rootino)], {fs.sb.rootino}
        self.paths_of[fs.sb.rootino] = [b"/"]
        if fs.sb.metadir:       # "//rtgroups/0.bitmap": a path in the metadata directory
            todo.append((b"//", fs.sb.metadirino))
            self.paths_of[fs.sb.metadirino] = [b"//"]
            seen.add(fs.sb.metadirino)
        while todo:
            path, ino = todo.pop()
            inode = read_inode(fs, ino)
            for name, child, _ in Directory(fs, inode, read_fork(fs, inode, False)).entries:
                if name in (b".", b".."):
                    continue
                below = os.path.join(path, name)
                self.paths_of.setdefault(child, []).append(below)
                if child not in seen:
                    seen.add(child)
                    if read_inode(fs, child).type == stat.S_IFDIR:
                        todo.append((below, child))
        for ino, paths in self.paths_of.items():
            for path in paths:
                self.by_path[path] = ino

    def headers(self):
        fs = self.fs
        for agno in range(fs.agcount):
            base = fs.byte_of(agno, 0)
            for k, (name, crc) in enumerate((("sb", 224), ("agf", 216), ("agi", 312), ("agfl", 32))):
                self.put(name, "", name, base + k * fs.ss, fs.ss, crc, ag=agno)

    def trees(self, group):
        fs = self.fs
        for kind, walk in group.trees.items():
            name = TREES.get(kind.name, kind.name)
            for agbno in walk.blocks:
                start = fs.byte_of(group.agno, agbno)
                level, = struct.unpack(">H", self.image.read(start + 4, 2))
                self.put(name, "node" if level else "leaf", name, start, fs.bs, 52, ag=group.agno, level=level)

    def inodes(self, group):
        fs = self.fs
        for chunk in group.chunks:
            self.chunks.append((group.agno, chunk))
            for index in range(64):
                if not chunk.exists(index):
                    continue
                ino = fs.join_ino(group.agno, chunk.startino + index)
                if chunk.is_free(index):
                    self.put("freeinode", "", "inode", fs.ino_byte(ino), fs.isize, 100, ag=group.agno, ino=ino)
                else:
                    self.inode(ino)

    def inode(self, ino):
        fs, inode, paths = self.fs, read_inode(self.fs, ino), self.paths_of.get(ino, [])
        letter = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "-"}.get(inode.type, "0")
        more = {"ino": ino, "paths": paths, "filekind": letter}
        self.put("inode", "", "inode", fs.ino_byte(ino), fs.isize, 100, **more)
        for attr in (False, True):
            if attr and not inode.forkoff:
                continue
            fork = read_fork(fs, inode, attr)
            if fork.format not in (di.EXTENTS, di.BTREE):
                continue
            for fsb in fork.bmbt:
                start = fs.byte_of(*fs.split_fsb(fsb))
                level, = struct.unpack(">H", self.image.read(start + 4, 2))
                self.put("abmbt" if attr else "bmbt", "node" if level else "leaf", "bmapbta" if attr else "bmapbtd",
                         start, fs.bs, 64, level=level, **more)
            for offset, fsb, count, _ in fork.extents:
                self.extent(attr, letter, offset, fsb, count, more)

    def extent(self, attr, letter, offset, fsb, count, more):
        fs = self.fs
        start = fs.byte_of(*fs.split_fsb(fsb))
        if attr:
            for k in range(count):
                head = self.image.read(start + k * fs.bs, 16)
                form = DA_FORMS.get(int.from_bytes(head[8:10], "big"))
                part = form or "remote"
                self.put("attr", part, "attr3" if self.v5 else "attr", start + k * fs.bs, fs.bs, 12, **more)
        elif letter == "d":
            step = fs.dirblocks
            for k in range(0, count, step):     # a directory block in pieces counts as its first piece
                if (offset + k) % step:
                    continue
                size = min(step, count - k) * fs.bs
                head = self.image.read(start + k * fs.bs, 16)
                part = DIR_FORMS.get(head[:4]) or DA_FORMS.get(int.from_bytes(head[8:10], "big"), "data")
                crc = 4 if head[:4] in DIR_FORMS else 12
                self.put("dir", part, "dir3" if self.v5 else "dir2", start + k * fs.bs, size,
                         crc if size == step * fs.bs else None, **more)
        elif letter == "l":
            self.put("symlink", "", "symlink", start, fs.bs, 12, **more)
        elif more["paths"] and more["paths"][0].startswith(b"//"):
            self.metadata(more["paths"][0], start, count, more)
        else:
            self.put("data", "", None, start, count * fs.bs, None, **more)

    def metadata(self, path, start, count, more):
        """Blocks of files of the metadata directory: of realtime groups, or records of quota."""
        fs = self.fs
        kind = path.rsplit(b".", 1)[-1].decode()
        if kind in ("bitmap", "summary"):
            for k in range(count):
                self.put("rt" + kind, "", "rg" + kind, start + k * fs.bs, fs.bs, 4, **more)
            return
        for k in range(count):
            for slot in range(fs.bs // 136):
                self.put("dquot", "", "dqblk", start + k * fs.bs + 136 * slot, 136, 108, **more)

    # ---- selectors ----

    def select(self, text):
        """Places of "KIND[.PART][[N]] [WHERE]"; see README.md."""
        m = SELECTOR.match(text.strip())
        if not m:
            raise ValueError("not a selector: " + text)
        kind, part, nth, where = m.groups()
        special = getattr(self, "select_" + kind, None)
        if special:
            found = special(where)
        else:
            found = [p for p in self.all if p.kind == kind and (part in (None, "*", p.part) or part == "root")]
            found = self.filter_where(found, where)
            if part == "root":
                found = self.roots(found)
        if nth is not None:
            found = found[int(nth):][:1] if int(nth) >= 0 else found[len(found) + int(nth):][:1]
        if not found:
            raise NoPlace("no %s" % text)
        return found

    def roots(self, found):
        tops = {}
        for p in found:
            key = p.ino if p.ag is None else p.ag
            if key not in tops or tops[key].level < p.level:
                tops[key] = p
        return list(tops.values())

    def filter_where(self, found, where):
        if where in (None, "*"):
            return found
        if where.startswith("/"):
            ino = self.number(where)
            return [p for p in found if p.ino == ino]
        first, dash, last = where.partition("-")
        low, high = int(first), int(last) if last else 1 << 64 if dash else int(first)
        return [p for p in found if p.ag is not None and low <= p.ag <= high]

    def number(self, path):
        ino = self.by_path.get(path.encode())
        if ino is None:
            raise NoPlace("no file " + path)
        return ino

    def area(self, kind, start, size):
        return [Place(kind, "", None, start, size, None)]

    def select_bytes(self, where):
        start, _, size = where.partition("+")
        size = int(size.rstrip("km")) << {"k": 10, "m": 20}.get(size[-1], 0)
        return self.area("bytes", int(start) if int(start) >= 0 else self.size + int(start), size)

    def select_chunk(self, where):
        """All 64 inodes of the record that holds an inode."""
        fs, ino = self.fs, self.number(where)
        agno, agino = fs.split_ino(ino)
        for ag, chunk in self.chunks:
            if ag == agno and chunk.startino <= agino < chunk.startino + 64:
                return self.area("chunk", fs.ino_byte(fs.join_ino(ag, chunk.startino)), 64 * fs.isize)
        raise NoPlace("no chunk of " + where)

    def select_cluster(self, where):
        """The inodes that are read and written together with one."""
        fs = self.fs
        size = max(fs.bs, 8192 * (fs.isize // 256 if self.v5 else 1))
        start = fs.ino_byte(self.number(where))
        first = self.select_chunk(where)[0].start
        return self.area("cluster", first + (start - first) // size * size, min(size, 64 * fs.isize))

    # ---- what a damage takes away for good ----

    def gone(self, areas):
        """{path without leading slash: kinds} of what areas [(start, size)] hold and nothing else does: the bytes of files, what stands in
        inodes alone (contents without blocks; attributes without blocks), mappings when inode and reverse mapping are both hit."""
        hit, blocks, kinds, unmapped = {}, {}, {}, set()
        for p in self.all:
            if p.kind == "rmapbt" and p.part == "leaf" and any(start < p.start + p.size and p.start < start + size
                                                               for start, size in areas):
                raw = self.image.read(p.start, p.size)
                unmapped |= {owner for _, _, owner, _ in struct.iter_unpack(">IIQQ", raw[56:56 + 24 * int.from_bytes(raw[6:8], "big")])}
            part = {"data": "data", "dir": "data", "symlink": "data", "attr": "attr", "inode": "inode"}.get(p.kind)
            if p.ino is None or not part:
                continue
            blocks.setdefault(p.ino, set()).add(part)
            if any(start < p.start + p.size and p.start < start + size for start, size in areas):
                hit.setdefault(p.ino, set()).add(part)
        for ino, parts in hit.items():
            lost = set()
            if "data" in parts or "inode" in parts and ("data" not in blocks[ino] or ino in unmapped):
                lost |= {"lost", "moved", "size", "attrs", "meta"}
            if "attr" in parts or "inode" in parts and "attr" not in blocks[ino]:
                lost.add("attrs")
            for path in self.paths_of.get(ino, ()):
                kinds[path.decode("latin-1").lstrip("/") or "."] = lost
        return kinds

    # ---- fields ----

    def ask(self, line):
        if not self.helper:
            self.helper = subprocess.Popen([FIELDS, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           text=True)
        self.helper.stdin.write(line + "\n")
        self.helper.stdin.flush()
        found = []
        for answer in self.helper.stdout:
            if answer == ".\n":
                return found
            if answer.startswith("!"):
                found = NoPlace(answer[2:].strip())
                continue
            name, bit, bits, order = answer.split()
            found.append((name, int(bit), int(bits), order == "le"))
        raise RuntimeError("fields: no answer to " + line)

    def field(self, place, path):
        """(bit, bits, little endian) from the start of the structure."""
        if path == "*":
            return 0, 8 * place.size, False
        if path == "header" or path == "body":
            head = {"inode": 176 if self.v5 else 100, "bmbt": 72, "abmbt": 72, "dir": 64, "attr": 80,
                    "symlink": 56}.get(place.kind, 56)
            return (0, 8 * head, False) if path == "header" else (8 * head, 8 * (place.size - head), False)
        if path in ("datafork", "attrfork") and place.kind == "inode":
            return self.fork_area(place, path == "attrfork")
        if place.type is None:
            raise NoPlace("no fields in " + place.kind)
        answer = self.ask("find %s %d %d %s %s" % (place.type, place.start, place.size, place.filekind, path))
        if isinstance(answer, NoPlace):
            raise answer
        return answer[0][1:]

    def fork_area(self, place, attr):
        raw = self.image.read(place.start, place.size)
        core, forkoff = 176 if raw[4] >= 3 else 100, 8 * raw[82]
        if attr and not forkoff:
            raise NoPlace("no attribute fork")
        first, last = (core + forkoff, place.size) if attr else (core, core + forkoff if forkoff else place.size)
        return 8 * first, 8 * (last - first), False

    def fields(self, place):
        """[(path, bit, bits, little endian)] of all fields."""
        if place.kind == "log" and place.part == "record":
            return [("*", 0, 8 * place.size, False)] + [(name, 8 * at, 8 * size, False)
                                                        for name, at, size in LOG_RECORD]
        if place.type is None:
            return [("*", 0, 8 * place.size, False)]
        answer = self.ask("list %s %d %d %s" % (place.type, place.start, place.size, place.filekind))
        return [] if isinstance(answer, NoPlace) else answer

    def close(self):
        if self.helper:
            self.helper.stdin.close()
            self.helper.wait()
            self.helper.stdout.close()
            self.helper = None
        self.image.close()
