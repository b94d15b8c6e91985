# SPDX-License-Identifier: BSD-2-Clause
"""Where the structures of a dirty log are: records, operations, transactions, items and what they carry (format sheet 04, sections 3 to 6).

Fields stand in records as they lie on the disk: the first word of each block of data is kept in the header, where its
place has the cycle number.  Checksums are made right for the record as a whole.
"""
import struct

from places import LOG_MAGIC, LOG_RECORD, NoPlace, Place, Places
from xfsjudge.report import Report
from xfsread import crc32c
from xfsread.device import Image
from xfsread.fs import Fs

OP = (("oh_tid", 0, 4), ("oh_len", 4, 4), ("oh_clientid", 8, 1), ("oh_flags", 9, 1), ("oh_res2", 10, 2))
EXTENDED = (("xh_cycle", 0, 4), ("xh_cycle_data[0]", 4, 4))
TRANS = (("th_magic", 0, 4), ("th_type", 4, 4), ("th_tid", 8, 4), ("th_num_items", 12, 4))
HEAD = (("type", 0, 2), ("size", 2, 2))
INTENT = HEAD + (("nextents", 4, 4), ("id", 8, 8))
MAP = (("owner", 16, 8), ("startblock", 24, 8), ("startoff", 32, 8), ("len", 40, 4), ("flags", 44, 4))
DONE = HEAD + (("pad", 4, 4), ("id", 8, 8))
ITEMS = {   # code: (name, fields of the first region)
    0x123c: ("buf", HEAD + (("flags", 4, 2), ("len", 6, 2), ("blkno", 8, 8), ("map_size", 16, 4), ("map[0]", 20, 4))),
    0x123b: ("inode", HEAD + (("fields", 4, 4), ("asize", 8, 2), ("dsize", 10, 2), ("pad", 12, 4), ("ino", 16, 8),
                              ("rdev", 24, 4),
                              ("blkno", 40, 8), ("len", 48, 4), ("boffset", 52, 4))),
    0x123d: ("dquot", HEAD + (("id", 4, 4), ("blkno", 8, 8), ("len", 16, 4), ("boffset", 20, 4))),
    0x123e: ("quotaoff", HEAD + (("flags", 4, 4), ("pad", 8, 4))),
    0x123f: ("icreate", HEAD + (("ag", 4, 4), ("agbno", 8, 4), ("count", 12, 4), ("isize", 16, 4), ("length", 20, 4),
                                ("gen", 24, 4))),
    0x1236: ("efi", INTENT + (("ext[0].start", 16, 8), ("ext[0].len", 24, 4))),
    0x1237: ("efd", INTENT + (("ext[0].start", 16, 8), ("ext[0].len", 24, 4))),
    0x1240: ("rui", INTENT + MAP), 0x1241: ("rud", DONE),
    0x1242: ("cui", INTENT + (("startblock", 16, 8), ("len", 24, 4), ("flags", 28, 4))), 0x1243: ("cud", DONE),
    0x1244: ("bui", INTENT + MAP), 0x1245: ("bud", DONE),
    0x1246: ("attri", HEAD + (("igen", 4, 4), ("id", 8, 8), ("ino", 16, 8), ("op_flags", 24, 4), ("name_len", 28, 4),
                              ("value_len", 32, 4),
                              ("attr_filter", 36, 4))),
    0x1247: ("attrd", DONE),
    0x1248: ("xmi", DONE + (("inode1", 16, 8), ("inode2", 24, 8), ("igen1", 32, 4), ("igen2", 36, 4),
                            ("startoff1", 40, 8),
                            ("startoff2", 48, 8), ("blockcount", 56, 8), ("flags", 64, 8), ("isize1", 72, 8),
                            ("isize2", 80, 8))),
    0x1249: ("xmd", DONE),
}
CORE = (("magic", 0, 2), ("mode", 2, 2), ("version", 4, 1), ("format", 5, 1), ("uid", 8, 4), ("nlink", 16, 4),
        ("big_nextents", 24, 8),
        ("size", 56, 8), ("nblocks", 64, 8), ("extsize", 72, 4), ("nextents", 76, 4), ("anextents", 80, 2),
        ("forkoff", 82, 1),
        ("aformat", 83, 1), ("flags", 90, 2), ("gen", 92, 4))
CORE3 = CORE + (("lsn", 112, 8), ("flags2", 120, 8), ("cowextsize", 128, 4), ("ino", 152, 8), ("uuid", 160, 16))
DQUOT = (("magic", 0, 2), ("version", 2, 1), ("type", 3, 1), ("id", 4, 4), ("bcount", 72, 8), ("icount", 80, 8))
WORDS = tuple(("word[%d]" % k, 4 * k, 4) for k in range(6))
BIG = ("icreate",)      # all but their first words are in the order of disks
START, COMMIT, CONTINUE, WAS_CONT, END, UNMOUNT = 1, 2, 4, 8, 16, 32


class LogRecord(Place):
    """A record as it lies in the log, which it may go round."""

    __slots__ = ("pieces", "headers", "little", "lsn", "inodes", "has")

    def __init__(self, log, block, raw):
        size, = struct.unpack_from(">I", raw, 320)
        length, = struct.unpack_from(">I", raw, 12)
        self.headers = max(1, -(-size // 32768)) if struct.unpack_from(">I", raw, 8)[0] == 2 else 1
        total = 512 * self.headers + length
        first = min(total, 512 * (log.blocks - block))
        self.pieces = [(log.base + 512 * block, first)] + ([(log.base, total - first)] if total > first else [])
        self.little, self.lsn = raw[303] == 1, struct.unpack_from(">Q", raw, 16)[0]
        self.inodes = set()
        super().__init__("log", "record", None, log.base + 512 * block, total, 32)

    def position(self, at):
        """Byte of the record where byte `at` of its data lies."""
        block, byte = divmod(at, 512)
        if byte >= 4:
            return 512 * self.headers + at
        return 44 + 4 * block + byte if block < 64 else 512 * (block // 64) + 4 + 4 * (block % 64) + byte

    def read(self, read):
        """read(start, size): bytes of the image."""
        return bytearray(b"".join(read(start, size) for start, size in self.pieces))

    def write(self, file, data, crc):
        if crc == "fix":
            struct.pack_into("<I", data, 32, self.checksum(data))
        for start, size in self.pieces:
            file.seek(start)
            file.write(data[:size])
            data = data[size:]

    def checksum(self, data):
        """Of what its length says is covered, when that is there."""
        length, = struct.unpack_from(">I", data, 12)
        if not 0 < length <= len(data) - 512 * self.headers:
            length = len(data) - 512 * self.headers
        covered = data[:32] + bytes(4) + data[36:328]
        for k in range(1, min(self.headers, -(-length // 32768))):
            covered += data[512 * k:512 * k + 260]
        return crc32c.crc32c(bytes(covered + data[512 * self.headers:512 * self.headers + length]))


class LogPlace(Place):
    """A structure in the data of a record (`at`: byte there), or in its header (None)."""

    __slots__ = ("record", "at", "rows", "little")

    def __init__(self, record, kind, part, at, size, rows, little=None):
        # the start is its name: two structures may begin in a word that is kept in the header
        super().__init__(kind, part, None, record.start + (0 if at is None else 512 * record.headers + at), size, 32)
        self.record, self.at, self.rows = record, at, rows
        self.little = record.little if little is None else little

    @property
    def holder(self):
        return self.record

    def position(self, byte):
        return byte if self.at is None else self.record.position(self.at + byte)


class LogPlaces(Places):
    """The log of a dirty image; cut(record) gives the files, by path, of a log that ends before it."""

    def __init__(self, path, cut):
        self.path, self.cut = path, cut
        self.image = Image(path)
        self.fs = fs = Fs(self.image, Report(), check_crc=False)
        self.v5, self.helper, self.all, self.paths_of, self.by_path, self.size = fs.v5, None, [], {}, {}, 0
        self.base, self.blocks = fs.byte_of(*fs.split_fsb(fs.sb.logstart)), fs.sb.logblocks * fs.bs // 512
        self.open, self.records = {}, self.find()
        for record in self.records:
            self.structures(record)

    def find(self):
        """Records from the tail to the head: the log of such an image is in order."""
        data, found = self.image.read(self.base, 512 * self.blocks), {}
        for k in range(self.blocks):
            raw = data[512 * k:512 * k + 512]
            if raw.startswith(LOG_MAGIC) and raw[12:16] != bytes(4):
                found[struct.unpack_from(">Q", raw, 16)[0]] = raw
        last = max(found)
        tail, = struct.unpack_from(">Q", found[last], 24)
        return [LogRecord(self, lsn & 0xffffffff, found[lsn]) for lsn in sorted(found) if lsn >= tail]

    def add(self, *arguments, **more):
        self.all.append(LogPlace(*arguments, **more))

    def structures(self, record):
        raw = record.read(self.image.read)
        self.add(record, "logrecord", "", None, record.size, LOG_RECORD, little=False)
        if record.headers > 1:
            self.add(record, "logrecord", "extended", None, 512 * record.headers,
                     tuple((name, 512 + at, size) for name, at, size in EXTENDED), little=False)
        data = bytearray(raw[record.position(k)] for k in range(len(raw) - 512 * record.headers))
        at, count = 0, struct.unpack_from(">I", raw, 40)[0]
        for _ in range(count):
            tid, length, _, flags = struct.unpack_from(">IIBB", data, at)
            self.operation(record, at, tid, length, flags, bytes(data[at + 12:at + 12 + length]))
            at += 12 + length

    def operation(self, record, at, tid, length, flags, region):
        part = "start" if flags & START else "commit" if flags & COMMIT else "piece" if flags & (CONTINUE | WAS_CONT) else "region"
        self.add(record, "logop", part, at, 12, OP, little=False)
        if flags & START:
            self.open[tid] = {"header": False, "left": 0}
        elif not flags & (COMMIT | UNMOUNT | WAS_CONT) and tid in self.open:
            self.region(self.open[tid], record, at + 12, length, region)

    def region(self, trans, record, at, length, region):
        """The first piece of a region."""
        order = "<" if record.little else ">"
        if not trans["header"]:
            trans["header"] = True
            self.add(record, "logtrans", "", at, length, TRANS)
            return
        if not trans["left"]:
            code, trans["left"] = struct.unpack_from(order + "HH", region)
            trans["name"], rows = ITEMS[code]
            trans["number"] = 0
            self.add(record, "logitem", trans["name"], at, length, rows, little=False if trans["name"] in BIG else None)
            if trans["name"] == "inode" and length >= 24:
                record.inodes.add(struct.unpack_from(order + "Q", region, 16 if length == 56 else 12)[0])
        else:
            core = trans["name"] == "inode" and trans["number"] == 1
            part = "core" if core else "fork" if trans["name"] == "inode" else trans["name"]
            rows = (CORE3 if length >= 176 else CORE) if core else DQUOT if part == "dquot" else WORDS
            self.add(record, "logdata", part, at, length, rows, little=None if core else False)
        trans["left"] -= 1
        trans["number"] += 1

    # ---- what Places offers ----

    def fields(self, place):
        return [(name, 8 * at, 8 * size, place.little) for name, at, size in place.rows if at + size <= place.size] + \
               [("*", 0, 8 * place.size, False)]

    def field(self, place, path):
        for name, bit, bits, little in self.fields(place):
            if name == path:
                return bit, bits, little
        raise NoPlace("no field %s in %s" % (path, place))

    def gone(self, areas):
        """{path: kinds} of what may differ when these records, [(start, size)], are damaged: what they and those behind them change."""
        hit = [k for k, r in enumerate(self.records) if any(start == r.start for start, _ in areas)]
        if not hit:
            return {}
        before, whole = self.cut(self.records[hit[0]]), self.cut(None)
        own = set().union(*(self.records[k].inodes for k in hit))
        changed = {path for path in before.keys() | whole.keys() if before.get(path) != whole.get(path)}
        changed |= {path for path in before.keys() | whole.keys()
                    if any(facts and int(facts.split()[1]) in own for facts in (before.get(path), whole.get(path)))}
        behind = set().union(*(r.inodes for r in self.records[hit[0]:]))     # whose names, or whose place as quota files, may be lost
        inodes = behind | {int(facts.split()[1]) for path in changed for facts in (before.get(path), whole.get(path))
                           if facts}
        changed |= {"lost+found/%d" % ino for ino in inodes}
        return {path: {"lost", "moved", "size", "attrs", "meta", "new"} for path in changed}
