# SPDX-License-Identifier: BSD-2-Clause
"""The log: find head and last record, tell clean from dirty (format sheet 04, sections 1 to 3 and 7).

Nothing is replayed. Torn writes (section 7, step G) need no care here: a log that ends in an unmount record is
clean by step F, all others are reported dirty.
"""

import struct

from .device import Image

MAGIC = 0xFEEDBABE
OP_UNMOUNT = 0x20


class LogError(Exception):
    """The log has no recognisable structure."""


class Log:
    """After find(): `clean`, `head` (block), `cycle`, `reason` when dirty."""

    def __init__(self, fs, device=None):
        self.fs = fs
        self.blocks = fs.sb.logblocks * fs.bs // 512
        self.image = fs.image
        self.base = 0
        if fs.sb.logstart:
            self.base = fs.byte_of(*fs.split_fsb(fs.sb.logstart))
        elif device:
            self.image = Image(device)
        self.clean = False
        self.head = self.cycle = 0
        self.reason = ""

    def block(self, number):
        return self.image.read(self.base + number * 512, 512)

    def cycle_of(self, number):
        first, second = struct.unpack_from(">II", self.block(number), 0)
        return second if first == MAGIC else first

    def is_header(self, number):
        return struct.unpack_from(">I", self.block(number), 0)[0] == MAGIC

    def first_where(self, low, high, test):
        """Smallest block in [low, high) for which the monotonic test holds, else high."""
        while low < high:
            middle = (low + high) // 2
            if test(self.cycle_of(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def scan(self, low, high, cycle):
        """First block of [low, high) that has this cycle, or None."""
        for number in range(max(0, low), high):
            if self.cycle_of(number) == cycle:
                return number
        return None

    def candidate_head(self):
        """Steps A to C."""
        v2 = self.fs.sb.versionnum & 0x400
        span = min(self.blocks, 4096 if v2 else 512)
        first, last = self.cycle_of(0), self.cycle_of(self.blocks - 1)
        if first and not last:
            head = self.first_where(0, self.blocks, lambda cycle: cycle == 0)
            hole = self.scan(head - span, head, 0)
            return head if hole is None else hole
        if first == last:
            head, stop = self.blocks, last - 1
        else:
            head, stop = self.first_where(0, self.blocks, lambda cycle: cycle == last), last
        if head >= span:
            found = self.scan(head - span, head, stop)
            return head if found is None else found
        found = self.scan(self.blocks - (span - head), self.blocks, stop - 1)
        if found is None:
            found = self.scan(0, head, stop)
        return head if found is None else found

    def back_to_header(self, start, limit):
        """(block, wrapped) of the first record header going back from start - 1."""
        for step in range(1, limit + 1):
            number = start - step
            if self.is_header(number % self.blocks):
                return number % self.blocks, number < 0
        raise LogError("no record header in %d blocks before block %d" % (limit, start))

    def record(self, number):
        """(cycle, length, lsn, header blocks, number of ops, uuid) of the header at a block."""
        raw = self.block(number)
        _, cycle, version, length, lsn = struct.unpack_from(">IIIIQ", raw, 0)
        ops = struct.unpack_from(">I", raw, 40)[0]
        size = struct.unpack_from(">I", raw, 320)[0]
        headers = 1 if not version & 2 or size <= 32768 else -(-size // 32768)
        return cycle, length, lsn, headers, ops, raw[304:320]

    def drop_partial(self, head):
        """Step D: a head in the middle of a record moves to its start."""
        number, _ = self.back_to_header(head, min(self.blocks, 512))
        _, length, _, headers, _, uuid = self.record(number)
        if uuid not in (self.fs.sb.uuid, bytes(16)):
            raise LogError("record at block %d has uuid %s" % (number, uuid.hex()))
        if (head - number) % self.blocks != (-(-length // 512) + headers) % self.blocks:
            head = number
        return 0 if head == self.blocks else head

    def find(self):
        """Steps A to F."""
        if self.cycle_of(0) == 0:
            self.clean, self.cycle = True, 1
            return self
        self.head = self.drop_partial(self.candidate_head())
        number, wrapped = self.back_to_header(self.head, self.blocks)
        cycle, length, _, headers, ops, _ = self.record(number)
        self.cycle = cycle + 1 if wrapped else cycle
        after = (number + headers + -(-length // 512)) % self.blocks
        flags = self.block((number + headers) % self.blocks)[9]
        if after != self.head:
            self.reason = "last record at block %d ends at %d, head is %d" % (number, after, self.head)
        elif ops != 1 or not flags & OP_UNMOUNT:
            self.reason = "last record at block %d is no unmount record" % number
        else:
            self.clean = True
        return self

    @property
    def lsn(self):
        """The LSN of the head: no metadata may be newer."""
        return self.cycle << 32 | self.head
