# SPDX-License-Identifier: BSD-2-Clause
"""Quota files: every record of every allocated block, and the counts when they are said to be checked
(format sheet 10, section 7)."""

import struct

from xfsread import inode as di
from xfsread.forks import read_fork
from xfsread.inode import read_inode
from xfsread.superblock import V_QUOTA

SIZE = 136
MAGIC = 0x4451
# role -> (type bit, CHKD flags on V5, CHKD flags on V4, accounting flag, attribute of Known that holds the id)
KINDS = {"user quota": (1, 0x4, 0x4, 0x1, "uid"), "group quota": (4, 0x100, 0x20, 0x40, "gid"),
         "project quota": (2, 0x400, 0x20, 0x8, "projid")}
METATYPES = {2: "user quota", 3: "group quota", 4: "project quota"}


def quota_files(fs, special, inodes):
    """{inode number: role} of the quota files of either layout."""
    if fs.sb.metadir:
        return {ino: METATYPES[known.metatype] for ino, known in inodes.items()
                if known.flags2 & di.METADATA and known.metatype in METATYPES}
    found = {ino: role for ino, role in special.items() if role in KINDS and ino in inodes}
    if not fs.v5:
        # V4 has one field for groups or projects; the accounting flags tell which.
        for ino, role in found.items():
            if role == "group quota" and fs.sb.qflags & 0x8 and not fs.sb.qflags & 0x40:
                found[ino] = "project quota"
    return found


class QuotaFile:
    """One file; `counts` = {id: (blocks, inodes, rt blocks)} of its records."""

    def __init__(self, fs, ino, role):
        self.fs = fs
        self.role = role
        self.ino = ino
        self.per = fs.bs // SIZE
        self.counts = {}
        fork = read_fork(fs, read_inode(fs, ino), False)
        for offset, fsb, length, unwritten in fork.extents:
            for block in range(length if not unwritten and fs.valid_fsb(fsb, length) else 0):
                self.block((offset + block) * self.per, fs.read_fsb(fsb + block))

    def add(self, ident, number, found, expected):
        self.fs.rep.add("quota-" + ident, "%s id %d" % (self.role, number), found, expected)

    def block(self, first, buf):
        for slot in range(self.per):
            self.record(first + slot, buf[slot * SIZE:(slot + 1) * SIZE])

    def record(self, number, raw):
        fs = self.fs
        magic, version, kind, ident = struct.unpack_from(">HBBI", raw, 0)
        limits = struct.unpack_from(">6Q", raw, 8)
        rtb = struct.unpack_from(">3Q", raw, 72)
        if (magic, version) != (MAGIC, 1):
            self.add("magic", number, "0x%04x version %d" % (magic, version), "0x4451 version 1")
            return
        if ident != number:
            self.add("id", number, ident, number)
        if kind & 0x7F != KINDS[self.role][0] or kind & 0x80 and (not fs.sb.bigtime or not number):
            self.add("type", number, "0x%02x" % kind, "0x%02x" % KINDS[self.role][0])
        if fs.v5:
            fs.check_checksum("quota", "%s id %d" % (self.role, number), raw, 108)
            if raw[120:136] != fs.uuid:
                self.add("uuid", number, raw[120:136].hex(), fs.uuid.hex())
            fs.check_lsn("quota", "%s id %d" % (self.role, number), struct.unpack_from(">Q", raw, 112)[0])
        if number:
            self.timers(number, raw, limits, rtb)
        self.counts[number] = limits[4], limits[5], rtb[2]

    def timers(self, number, raw, limits, rtb):
        """Over a soft limit means that a timer runs."""
        itimer, btimer = struct.unpack_from(">II", raw, 56)
        rtbtimer = struct.unpack_from(">I", raw, 96)[0]
        rows = (("block", limits[1], limits[4], btimer), ("inode", limits[3], limits[5], itimer),
                ("rt block", rtb[1], rtb[2], rtbtimer))
        for name, soft, used, timer in rows:
            if soft and used > soft and not timer:
                self.add("timer", number, "no %s timer" % name, "one: %d used, soft limit %d" % (used, soft))

    def compare(self, usage):
        """Against {id: [blocks, inodes, rt blocks]} of all inodes."""
        for number in sorted(self.counts.keys() | usage.keys()):
            right = tuple(usage.get(number, (0, 0, 0)))
            found = self.counts.get(number)
            if found != right:
                self.add("count", number, "no record" if found is None
                         else "%d blocks, %d inodes, %d rt blocks" % found,
                         "%d blocks, %d inodes, %d rt blocks" % right)


def check_quota(fs, special, inodes, rt_claims):
    """All quota files."""
    files = quota_files(fs, special, inodes)
    if not files:
        return
    realtime = {}
    for _, length, owner, _ in rt_claims:
        realtime[owner] = realtime.get(owner, 0) + length
    for ino, role in files.items():
        quota = QuotaFile(fs, ino, role)
        _, checked, checked4, accounting, attribute = KINDS[role]
        wanted = (checked if fs.v5 else checked4) | accounting
        if fs.sb.qflags & wanted != wanted or not fs.sb.versionnum & V_QUOTA:
            continue
        usage = {}
        for number, known in inodes.items():
            if number in files or known.flags2 & di.METADATA:
                continue
            entry = usage.setdefault(getattr(known, attribute), [0, 0, 0])
            entry[0] += known.nblocks - realtime.get(number, 0)
            entry[1] += 1
            entry[2] += realtime.get(number, 0)
        quota.compare(usage)
