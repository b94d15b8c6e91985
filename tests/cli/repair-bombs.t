#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair where there is very much of one thing: sizes at which work that grows with the square would be noticed, and a right result."""
import hashlib
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import change, change_inode, DB, Lab, measured, read, repair, Run, Super  # noqa: E402
import campaign  # noqa: E402

BOMBS = os.path.join(campaign.BUILD, "bin/tests/helpers/bombs")
lab = Lab("repair-bombs")


def bomb(kind, *numbers, options=(), size=4 << 30):
    image = lab.mkfs("bomb.img", size, "-m", "rmapbt=1,reflink=0", *options)
    made = Run(BOMBS, kind, image, *map(str, numbers))
    if made.code:
        raise SystemExit("bombs %s: %s" % (kind, made))
    return image


def clean(image):
    again = repair("-n", image)
    return again.code == 0, again


# ---- trees of directories ----
image = bomb("deep", 20000)
good, said = clean(image)
lab.ok(good, "20,000 directories one below the other: clean", said)

image = bomb("ring", 5000, options=("-n", "parent=1"))
said = repair(image)
text = said.out + said.err
good, again = clean(image)
lab.ok(said.code == 0 and good, "a ring of 5,000 directories: repaired", "%s\n%s" % (said, again))
lab.ok(len(re.findall("it lies below itself, named by", text)) == 1 and "0 inodes and 0 bytes lost" in text,
       "it is cut at one place, and nothing is lost", text[-1000:])

# ---- two claim the same ----
image = bomb("copies", 60000, 2)
said = repair(image)
text = said.out + said.err
good, again = clean(image)
lab.ok(said.code == 0 and good, "two files that claim the same 60,000 extents: repaired", "%s\n%s" % (text[-1000:], again))
held = [int(n) for n in re.findall(r"core.nblocks = (\d+)", Run(DB, "-r", "-c", "inode 524288", "-c", "p core.nblocks", "-c", "inode 524289", "-c", "p core.nblocks", image).out)]
lab.ok(len(held) == 2 and held[0] > 60000 and held[1] == 0, "one of them has all of them, the other none", held)

image = bomb("copies", 100, 300)
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good, "300 files that claim the same blocks: repaired", "%s\n%s" % (str(said)[-1000:], again))

section = lab.path("section.img")
with open(section, "wb") as out:
    out.truncate(4 << 30)
for n, files in (200000, 2), (100, 300):
    image = bomb("rtcopies", n, files)
    said = repair("-r", section, image)
    again = repair("-n", "-r", section, image)
    held = sorted(int(n) for n in re.findall(r"core.nblocks = (\d+)", Run(DB, "-r", *sum((["-c", "inode %d" % (524288 + k), "-c", "p core.nblocks"]
                                                                                 for k in range(files)), []), image).out))
    lab.ok(said.code == 0 and again.code == 0 and held[-1] >= n and not any(held[:-1]),
           "%d files that claim the same %d realtime extents: one of them has them all" % (files, n),
           "%s\n%s\n%s" % (str(said)[-1000:], again, held))

# ---- many that change ----
def listed(image):
    return sorted(re.findall(r"\b0\d{19}\b", Run(DB, "-r", "-c", "ls /", image).out))


def memory_of_each(kind, few, many, *numbers):
    """Bytes for each inode that changes, beyond what any run takes."""
    most, good, said = [], [], ""
    for n in (few, many):
        image = bomb(kind, n, *numbers)
        done = measured(image)
        most.append(done.memory)
        good.append(done.code == 0 and clean(image)[0])
        said += str(done)[-500:]
    return all(good), (most[1] - most[0]) / (many - few), said


good, each, said = memory_of_each("unlinked", 20000, 100000)
lab.ok(good, "100,000 deleted files that were open: freed", said)
lab.ok(each < 500, "each of them takes less memory than its own bytes", each)

image = bomb("counts", 30000)
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good and len(listed(image)) == 30000,
       "30,000 files with wrong link counts, a deleted one behind each: repaired", "%s\n%s" % (str(said)[-800:], again))

image = bomb("wiped", 20000)
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good and " 0 inodes and 0 bytes lost" in said.out + said.err,
       "nothing is left of the inodes of 20,000 files: made anew from their names", "%s\n%s" % (str(said)[-800:], again))

image = bomb("rivals", 40000, options=("-n", "parent=1"))
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good and " 0 inodes and 0 bytes lost" in str(said),
       "a second file with the 40,000 parent pointers of another one: repaired", "%s\n%s" % (str(said)[-800:], again))

# ---- a file with very many extents ----
def first_leaf(image, ino):
    """Byte of the first leaf of the btree in its data fork."""
    sb = Super(image)
    root = read(image, sb.inode(ino) + 176, sb.inodesize - 176)
    level, at = int.from_bytes(root[:2], "big"), 4 + 8 * ((len(root) - 4) // 16)
    block = root
    while level:
        agno, agbno = divmod(int.from_bytes(block[at:at + 8], "big"), 1 << sb.agblklog)
        where = agno * sb.agbytes + agbno * sb.blocksize
        block = read(image, where, sb.blocksize)
        level, at = level - 1, 72 + 8 * ((sb.blocksize - 72) // 16)
    return where


def first_rmaps(image):
    """Byte of the first leaf of the rmapbt of the second group."""
    sb = Super(image)
    start = sb.header(1, 0)
    agbno = int.from_bytes(read(image, sb.header(1, 1) + 24, 4), "big")
    while True:
        block = read(image, start + agbno * sb.blocksize, sb.blocksize)
        if not int.from_bytes(block[4:6], "big"):
            return start + agbno * sb.blocksize
        at = 56 + 40 * ((sb.blocksize - 56) // 44)
        agbno = int.from_bytes(block[at:at + 4], "big")


def lose_root(image, ino):
    change_inode(image, ino, 176 + 4, b"\xde" * 100)


def lose_leaf(image, ino):
    change(image, first_leaf(image, ino), 4096, 64, (0, b"\xde" * 64))


def move_record(image, ino):
    """Another block than reverse mappings say, and one that is free."""
    leaf = first_leaf(image, ino)
    record = int.from_bytes(read(image, leaf + 72 + 16 * 7, 16), "big") + (1 << 21)
    change(image, leaf, 4096, 64, (72 + 16 * 7, record.to_bytes(16, "big")))


def lose_two_leaves(image, ino):
    lose_leaf(image, ino)
    change(image, first_rmaps(image), 4096, 52, (0, b"\xde" * 56))


def each_block(image):
    """Byte and contents of each block of 4096 bytes that is no hole."""
    with open(image, "rb") as f:
        at, size = 0, os.fstat(f.fileno()).st_size
        while at < size:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) // 4096 * 4096
            except OSError:
                return
            yield at, os.pread(f.fileno(), 4096, at)
            at += 4096


def written(image):
    """A sum over what is not zero, and where."""
    total = hashlib.sha256()
    for at, block in each_block(image):
        if block.count(0) != len(block):
            total.update(b"%d" % at + block)
    return total.digest()


def memory_of_extents(few, many, spoil):
    """Repaired (the few the same with and without -m 8), and with -m 8 the bytes for each extent beyond what any run takes."""
    most, good, said = [], True, ""
    for n in (few, many):
        image, other = bomb("copies", n, 1, size=16 << 30), lab.path("other.img")
        ino = int(re.search(r" (\d+) +regular", Run(DB, "-r", "-c", "ls /", image).out).group(1))
        good = good and (n != few or clean(image)[0])
        spoil(image, ino)
        if n == few:
            Run("cp", "--sparse=always", image, other)
        done = measured("-m", "8", image)
        said += str(done)[-800:]
        most.append(done.memory)
        good = good and done.code == 0 and clean(image)[0]
        good = good and (n != few or (repair(other).code == 0 and written(image) == written(other)))
        good = good and "core.nextents = %d\n" % n in Run(DB, "-r", "-c", "inode %d" % ino, "-c", "p core.nextents", image).out
    os.unlink(other)
    return good, (most[1] - most[0]) / (many - few), said


for spoil, what, most in ((lose_root, "its root is lost", 42), (lose_leaf, "a leaf is lost", 42),
                          (move_record, "one differs from reverse mappings", 42),
                          (lose_two_leaves, "a leaf and one of the reverse mappings are lost", 70)):
    good, each, said = memory_of_extents(80000, 360000, spoil)
    lab.ok(good, "a file of 360,000 extents, %s: repaired; of 80,000 the same with and without -m 8" % what, said)
    lab.ok(each < most, "memory for each extent: less than %d bytes" % most, each)

# ---- names ----
def each_entry(image):
    """Byte and length of each name in data blocks."""
    for at, block in each_block(image):
        off = 64 if block[:4] == b"XDD3" else 4096
        while off < 4096:
            if block[off:off + 2] == b"\xff\xff":
                off += int.from_bytes(block[off + 2:off + 4], "big")
                continue
            length = block[off + 8]
            if length > 2:
                yield at + off + 9, length
            off += (12 + length + 7) // 8 * 8


image = bomb("flat", 20000)
before = listed(image)
places = list(each_entry(image))
with open(image, "r+b") as f:
    for n, (at, length) in enumerate(places):
        os.pwrite(f.fileno(), b"/" if n % 2 else b"\0", at + n % length)
said = repair(image)
good, again = clean(image)
lab.ok(len(before) == len(places) == 20000 and said.code == 0 and good and listed(image) == before,
       "each of 20,000 names holds a byte that none may hold: their hashes tell which it was", "%s\n%s" % (str(said)[-800:], again))

image = bomb("twins", 100000, options=("-n", "parent=0"))
said = repair(image)
good, again = clean(image)
names = re.findall(r"aaaa\S*", Run(DB, "-r", "-c", "ls /d", image).out)
lab.ok(said.code == 0 and good and len(names) == len(set(names)) == 100001,
       "a name that 100,001 entries of a directory have: each of them keeps one of its own", "%s\n%s" % (str(said)[-800:], again))

image = bomb("doubled", 100000, options=("-n", "parent=0"))
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good and len(listed(image)) >= 50000,
       "50,000 directories that two directories name: one of these keeps each of them", "%s\n%s" % (str(said)[-800:], again))

image = bomb("unflagged", 100000, options=("-n", "parent=1"))
said = repair(image)
good, again = clean(image)
text = said.out + said.err
lab.ok(said.code == 0 and good and "is lost" not in text and int(re.search(r"with (\d+) bytes kept", text).group(1)) < 10 << 20,
       "100,000 parent pointers of a file lost the bit that says what they are: none is there twice", "%s\n%s" % (text[-800:], again))

image = bomb("unflagged", 300000, options=("-n", "parent=0"))
said = repair("-c", "parent=1", image)
good, again = clean(image)
lab.ok(said.code == 0 and good and Super(image).incompat & 128,
       "300,000 attributes of a file say the same as its names when parent pointers are added", "%s\n%s" % (str(said)[-800:], again))

image = bomb("shared", 10000, 60000, options=("-n", "parent=0"))
seen, said = repair("-n", image), repair(image)
good, again = clean(image)
kept = int(re.search(r"with (\d+) bytes kept", str(said)).group(1))
lab.ok(seen.code == 1 and str(seen).count("two values have the same block") == 9999, "10,000 attributes share one value of 60,000 bytes: told",
       str(seen)[-800:])
lab.ok(said.code == 0 and good and kept < 4 << 20 and str(said).count("attribute is lost") == 9999, "one of them keeps it",
       "%s\n%s" % (str(said)[-800:], again))

# ---- allocation groups ----
def groups(count):
    """That many, without secondary superblocks: what repair said, and its memory."""
    log = lab.path("groups.log")
    with open(log, "wb") as out:
        out.truncate(64 << 20)
    image = lab.mkfs("bomb.img", count * (16 << 20), "-d", "agsize=16m", "-l", "size=64m,logdev=" + log)
    with open(image, "r+b") as f:
        for agno in range(1, count):
            os.pwrite(f.fileno(), bytes(512), agno * (16 << 20))
    done = measured("-l", log, image)
    again = repair("-n", "-l", log, image)
    return done.code == 0 and again.code == 0, "%s\n%s" % (str(done)[-800:], again), done.memory


some, many = groups(1000), groups(4000)
lab.ok(some[0] and many[0], "4,000 groups, of which but one have no superblock: repaired", some[1] + many[1])
lab.ok((many[2] - some[2]) / 3000 < 12000, "each group takes a few kilobytes of memory", (many[2] - some[2]) / 3000)

# ---- the log ----
def fill_log(image):
    """Records of two blocks from its first block to its last, none of which starts where the tail of one is."""
    with open(image, "r+b") as f:
        blocksize, = struct.unpack(">I", os.pread(f.fileno(), 4, 4))
        logstart, = struct.unpack(">Q", os.pread(f.fileno(), 8, 48))
        agblocks, = struct.unpack(">I", os.pread(f.fileno(), 4, 84))
        logblocks, = struct.unpack(">I", os.pread(f.fileno(), 4, 96))
        agblklog = os.pread(f.fileno(), 1, 124)[0]
        f.seek(((logstart >> agblklog) * agblocks + (logstart & (1 << agblklog) - 1)) * blocksize)
        count = logblocks * blocksize // 1024
        for k in range(count):
            tail = 2 << 32 | 2 * k - 1 if k else 1 << 32 | 2 * count - 1
            header = struct.pack(">IIIIQQIII", 0xfeedbabe, 2, 2, 512, 2 << 32 | 2 * k, tail, 0, max(0, 2 * k - 2), 1)
            f.write(header.ljust(320, b"\0") + struct.pack(">I", 32768) + bytes(188) + struct.pack(">I", 2) + bytes(508))
    return count


def where_log(image):
    """First byte of it, its length, uuid of the filesystem."""
    with open(image, "rb") as f:
        sb = f.read(512)
    blocksize, logstart, agblocks, logblocks = (struct.unpack(form, sb[at:at + size])[0]
                                                for form, at, size in ((">I", 4, 4), (">Q", 48, 8), (">I", 84, 4), (">I", 96, 4)))
    block = (logstart >> sb[124]) * agblocks + (logstart & (1 << sb[124]) - 1)
    return block * blocksize, logblocks * blocksize, sb[32:48]


def open_many(image):
    """4,000 transactions that are open all the time, and millions of operations for the last one: numbers that are alike in most bits."""
    tids = [64 * n + (64 * n >> 16) for n in range(1, 4001)]
    starts = b"".join(struct.pack(">IIBBH", tid, 0, 0x69, 1, 0) for tid in tids)
    more = struct.pack(">IIBBH", tids[-1], 0, 0x69, 0, 0)
    start, length, uuid = where_log(image)
    per, at = 2730, 0
    with open(image, "r+b") as f:
        while (at + 2 * 65) * 512 <= length:
            ops = starts[at // 65 * per * 12:][:per * 12] or more * per
            data = bytearray(ops.ljust(32768, b"\0"))
            words = b"".join(bytes(data[k:k + 4]) for k in range(0, 32768, 512))
            for k in range(0, 32768, 512):
                data[k:k + 4] = struct.pack(">I", 1)
            header = struct.pack(">IIIIQQIII", 0xfeedbabe, 1, 2, 32768, 1 << 32 | at, 1 << 32, 0, at - 65 if at else 0xffffffff, len(ops) // 12)
            f.seek(start + at * 512)
            f.write((header + words).ljust(300, b"\0") + struct.pack(">I", 1) + uuid + struct.pack(">I", 32768) + bytes(188) + data)
            at += 65


image = lab.mkfs("bomb.img", 4 << 30, "-m", "crc=0", "-l", "size=64m")
open_many(image)
said = repair(image)
good, again = clean(image)
lab.ok(said.code == 0 and good, "a log of 4,000 transactions that are open at once, and 5,000,000 operations: replayed", "%s\n%s" % (said, again))

image = lab.mkfs("bomb.img", 4 << 30, "-l", "size=256m")
count = fill_log(image)
refused, said = repair(image), repair("-L", image)
good, again = clean(image)
lab.ok(count == 262144 and refused.code == 2 and said.code == 0 and good,
       "a log of 262,144 records, of which no tail leads anywhere: refused, given up with -L", "%s\n%s\n%s" % (refused, said, again))

lab.end()
