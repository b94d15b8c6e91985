# SPDX-License-Identifier: BSD-2-Clause
"""Damage to names, and what a repair may do about it: the recipes of the repair-names tests.

A recipe is a function that damages an image; `want` says what is kept: "same" (every path and all contents), or "moved" (all
inodes and contents; paths as before or below lost+found), or a set of paths that may be gone or changed.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]

import campaign  # noqa: E402
from damage import Damage  # noqa: E402
from xfsread.btree import INOBT  # noqa: E402, F401
from xfsread.dablocks import DaTree  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402


class Wreck(Damage):
    """Damage with places of the sample's names."""

    def place(self, path, block, attr=False):
        """A block of a file by its number: (byte, length, position of the crc). Pieces of one directory block must lie together."""
        count = 1 if attr or block is None else self.fs.dirblocks
        magic_at = self.file_block(path, attr, block, count, 0)
        start = magic_at[0]
        magic = self.read(start, 4)
        crc = 4 if magic[:3] in (b"XDB", b"XDD", b"XDF") else 12
        return start, count * self.fs.bs, crc

    def literal(self, path, attr=False):
        """First byte of a fork in the inode, from the start of the inode."""
        start = self.locate_inode(path)[0]
        base = 176 if self.v5 else 100
        return base + (8 * self.read(start + 82, 1)[0] if attr else 0)

    def fill(self, place, data=b"\0"):
        start, length, _ = place
        self.write(start, (data * (length // len(data) + 1))[:length])

    def entries(self, path):
        """(byte in the image, name, inode number, byte where its block starts) of the entries of data blocks, without the dots."""
        inode = self.inode(path)
        fork = read_fork(self.fs, inode, False)
        size = self.fs.dirblocks * self.fs.bs
        found = []
        for first, _, count, _ in fork.extents:
            for block in range(first, first + count):
                if block % self.fs.dirblocks or block >= self.fs.leafblk:
                    continue
                start = self.file_block(path, False, block, self.fs.dirblocks, 4)[0]
                found += self.block_entries(start, size)
        return [e for e in found if e[1] not in (b".", b"..")]

    def block_entries(self, start, size):
        data = self.read(start, size)
        at, end, out = 64 if self.v5 else 16, size, []
        if data[:4] in (b"XDB3", b"XD2B"):
            end = size - 8 - 8 * int.from_bytes(data[-8:-4], "big")
        while at < end:
            if data[at:at + 2] == b"\xff\xff":
                at += int.from_bytes(data[at + 2:at + 4], "big")
                continue
            namelen = data[at + 8]
            out.append((start + at, data[at + 9:at + 9 + namelen], int.from_bytes(data[at:at + 8], "big"), start))
            at += -(-(12 + namelen) // 8) * 8
        return out


def with_parents(truth, image):
    """The same filesystem with parent pointers: the feature is switched on, and a repair adds them all. '' or what is wrong."""
    campaign.copy_sparse(truth, image)
    damage = Wreck(image)
    for agno in range(damage.fs.agcount):
        damage.poke_block((damage.fs.byte_of(agno, 0), damage.fs.ss, 224), 216, 4, lambda value: value | 0x80)
    damage.close()
    done = campaign.run(campaign.REPAIR, image)
    return done.stdout if done.returncode else campaign.judge(image)


def parse(text):
    """{path: (inode number, all the rest but the number of links)}"""
    out = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 10:
            out[words[-1]] = (words[1], tuple(words[:1] + words[2:5] + words[6:9]))
    return out


def compare(before, after, want):
    """'' or what is wrong."""
    if want == "same":
        wrong = [f"{path}: {before.get(path)} became {after.get(path)}" for path in sorted(set(before) | set(after))
                 if before.get(path) != after.get(path)]
        return "\n".join(wrong)
    allowed = set() if want == "moved" else want
    here = {}
    for path, (ino, rest) in after.items():
        here.setdefault(ino, []).append((path, rest))
    wrong = []
    for path, (ino, rest) in before.items():
        if path in allowed or any(path.startswith(a + "/") for a in allowed) and path not in after:
            continue
        if after.get(path) == (ino, rest):
            continue
        if not any(r == rest for _, r in here.get(ino, [])):
            wrong.append(f"{path} (inode {ino}): contents are gone or differ: {rest} now {here.get(ino)}")
        elif want != "moved":
            wrong.append(f"{path} (inode {ino}) is now {[p for p, _ in here[ino]]}")
    return "\n".join(wrong)


def listing(image):
    return campaign.run(sys.executable, campaign.LISTER, image).stdout


def one(tap, truth, before, title, action, want, work, findings=True):
    """Damages a copy, repairs it, asks all judges and compares; True when all is well."""
    campaign.copy_sparse(truth, work)
    damage = Wreck(work)
    try:
        action(damage)
    finally:
        damage.close()
    dry = campaign.run(campaign.REPAIR, "-n", work)
    done = campaign.run(campaign.REPAIR, work)
    wrong = ""
    if findings and dry.returncode != 1:
        wrong = f"-n: exit {dry.returncode}\n{dry.stdout}"
    elif done.returncode:
        wrong = f"repair: exit {done.returncode}\n{done.stdout}"
    else:
        wrong = campaign.judge(work) or compare(before, parse(listing(work)), want)
        wrong = wrong and wrong + "\n--- the repair said:\n" + done.stdout
    tap.put(not wrong, title, wrong)
    return not wrong
