#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What xfs_db says about damaged metadata, on stdout and stderr, and in which order things are judged.

The texts are those of the distribution's xfs_db (6.1), which is asked too when it is installed. `OWN` marks damage that
only ours complains about, or that 6.1 calls correct when it looks twice.
"""
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
OURS = os.path.join(BUILD, "xfs_db")
THEIRS = shutil.which("xfs_db", path="/usr/sbin:/sbin")
OWN = True
results = []


def ok(good, name, note=""):
    results.append(good)
    print("%sok %d - %s" % ("" if good else "not ", len(results), name))
    if not good:
        print("\n".join("# " + line for line in str(note).splitlines()[:30]))


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def run(exe, image, commands):
    argv = [exe, "-r"]
    for command in commands:
        argv += ["-c", command]
    done = subprocess.run(argv + [image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, TZ="UTC", LC_ALL="C"), timeout=100)
    return done.stdout.decode("latin1"), re.sub(r"detected at 0x[0-9a-f]+", "detected at 0x0",
                                                done.stderr.decode("latin1"))


CRC_OF = {"agf": 216, "agi": 312, "agfl": 32, "bnobt": 52, "rmapbt": 52, "inobt": 52, "sb": 224, "inode": 100, "dir": 4}
PLACE = {
    "agf": ["agf 0", "p crc"], "agi": ["agi 1", "p crc"], "agfl": ["agfl 0", "p crc"], "sb": ["sb 1", "p crc"],
    "bnobt": ["agf 0", "addr bnoroot", "p crc"], "rmapbt": ["agf 0", "addr rmaproot", "p crc"],
    "inobt": ["agi 0", "addr root", "p crc"], "inode": ["inode 64", "p v3.crc"],
    "dir": ["path /directories/block", "dblock 0", "p bhdr.hdr.crc"],
}
INIT = "xfs_db: cannot init perag data (%d). Continuing anyway.\n"

# (object, damage, bytes at, bytes, sealed, complaint with %s for the block, state, OWN)
CASES = [
    ("agf", "checksum", 500, b"\x55", False, "Metadata CRC error detected at 0x0, xfs_agf block %s\n" + INIT % 74,
     "bad", OWN),
    ("agf", "magic", 0, b"XXXX", True, "Metadata corruption detected at 0x0, xfs_agf block %s\n" + INIT % 117,
     "correct", not OWN),
    ("agf", "everything", 0, bytes(216), False, "Metadata CRC error detected at 0x0, xfs_agf block %s\n" + INIT % 74,
     "bad", OWN),
    ("agf", "length", 12, b"\0\0\0\1", True, "Metadata corruption detected at 0x0, xfs_agf block %s\n" + INIT % 117,
     "correct", not OWN),
    ("agf", "flfirst", 40, b"\0\0\1\0", True, "Metadata corruption detected at 0x0, xfs_agf block %s\n" + INIT % 117,
     "correct", not OWN),
    ("agf", "root", 16, b"\0\xff\0\0", True, "Metadata corruption detected at 0x0, xfs_agf block %s\n" + INIT % 117,
     "correct", OWN),
    ("agi", "sequence number", 8, b"\0\0\0\2", True,
     "Metadata corruption detected at 0x0, xfs_agi block %s\n" + INIT % 117, "correct", not OWN),
    ("agi", "unlinked list", 40, b"\0\xff\0\xff", True,
     "Metadata corruption detected at 0x0, xfs_agi block %s\n" + INIT % 117, "correct", not OWN),
    ("agfl", "checksum", 500, b"\x55", False, "Metadata CRC error detected at 0x0, xfs_agfl block %s\n", "bad",
     not OWN),
    ("agfl", "slot", 100, b"\0\xff\xff\xff", True, "Metadata corruption detected at 0x0, xfs_agfl block %s\n",
     "correct", not OWN),
    ("sb", "checksum", 400, b"\x55", False, "Metadata CRC error detected at 0x0, xfs_sb block %s\n", "bad", not OWN),
    ("sb", "magic", 0, b"XXXX", True, "Superblock has bad magic number 0x58585858. Not an XFS filesystem?\n", "correct",
     not OWN),
    ("bnobt", "checksum", 900, b"\x55", False, "Metadata CRC error detected at 0x0, xfs_bnobt block %s\n", "bad",
     not OWN),
    ("bnobt", "magic", 0, b"XXXX", False, "Metadata CRC error detected at 0x0, xfs_bnobt block %s\n", "bad", not OWN),
    ("bnobt", "level", 4, b"\0\x20", True, "Metadata corruption detected at 0x0, xfs_bnobt block %s\n", "correct",
     not OWN),
    ("bnobt", "own address", 16, b"\7", True, "Metadata corruption detected at 0x0, xfs_bnobt block %s\n", "correct",
     not OWN),
    ("rmapbt", "neighbour", 8, b"\0\xff\xff\xff", True, "Metadata corruption detected at 0x0, xfs_rmapbt block %s\n",
     "correct", not OWN),
    ("rmapbt", "records", 6, b"\xff\xff", True, "Metadata corruption detected at 0x0, xfs_rmapbt block %s\n", "correct",
     not OWN),
    ("inobt", "owner", 48, b"\0\0\0\7", True, "Metadata corruption detected at 0x0, xfs_inobt block %s\n", "correct",
     not OWN),
    ("inode", "version of another one", 512 + 4, b"\7", False,
     "Metadata corruption detected at 0x0, xfs_inode block %s\n", "correct", not OWN),
    ("inode", "size", 56, b"\xff", True, "Metadata corruption detected at 0x0, inode 0x40 dinode\n", "correct", OWN),
    ("inode", "own number", 159, b"\7", True, "Metadata corruption detected at 0x0, inode 0x40 dinode\n", "correct",
     OWN),
    ("dir", "checksum", 2000, b"\x55", False, "Metadata CRC error detected at 0x0, xfs_dir3_block block %s\n", "bad",
     not OWN),
    ("dir", "tag", 78, b"\x55\x55", True, "Metadata corruption detected at 0x0, xfs_dir3_block block %s\n", "correct",
     not OWN),
]


def damage(case, sample, image):
    kind, _, at, data, sealed = case[:5]
    where = run(OURS, sample, PLACE[kind][:-1] + ["stack"])[0]
    off, length, daddr, bbs = map(int, re.search(r"1: \n\tbyte offset (\d+), length (\d+)\n\tbuffer block (\d+) .*, (\d+) bb", where).groups())
    shutil.copyfile(sample, image)
    with open(image, "r+b") as f:
        f.seek(off + at)
        f.write(data)
        if sealed:
            f.seek(off)
            block = bytearray(f.read(length))
            block[CRC_OF[kind]:CRC_OF[kind] + 4] = bytes(4)
            f.seek(off + CRC_OF[kind])
            f.write(struct.pack("<I", crc32c(block)))
    return "0x%x/0x%x" % (daddr, 512 * bbs)


def main():
    theirs = THEIRS and subprocess.run([THEIRS, "-V"], stdout=subprocess.PIPE).stdout.startswith(b"xfs_db version 6.1.")
    with tempfile.TemporaryDirectory(prefix="xfskit-db") as work:
        sample, image = os.path.join(work, "sample"), os.path.join(work, "damaged")
        with lzma.open(os.path.join(SRC, "tests/data/sample.img.xz")) as packed, open(sample, "wb") as f:
            shutil.copyfileobj(packed, f)
        for kind, commands in PLACE.items():
            text, complaints = run(OURS, sample, commands)
            ok(text.endswith("(correct)\n") and not complaints, "%s without damage" % kind, text + complaints)
        for case in CASES:
            kind, what, complaint, state, own = case[0], case[1], *case[5:]
            block = damage(case, sample, image)
            want = complaint % block if "%s" in complaint else complaint
            text, complaints = run(OURS, image, PLACE[kind])
            good = complaints == want and text.endswith("(%s)\n" % state)
            note = text + complaints
            if good and theirs:
                reference = run(THEIRS, image, PLACE[kind])
                good = (reference != (text, complaints)) == own
                note += "6.1:\n%s%s" % reference
            ok(good, "%s: %s" % (kind, what), note)
        # an inode's checksum is told on stdout
        damage(("inode", "", 300, b"\x55", False), sample, image)
        text, complaints = run(OURS, image, PLACE["inode"])
        ok(text.startswith("Metadata CRC error detected for ino 64\n") and text.endswith("(bad)\n") and not complaints,
           "inode: checksum", text + complaints)
    if not theirs:
        results.append(True)
        print("ok %d - the same texts as xfs_db 6.1 # SKIP xfsprogs 6.1 is not installed" % len(results))
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
