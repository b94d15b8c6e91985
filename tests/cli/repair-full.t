#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair on filesystems without a free block: what is damaged is built anew over what it gives up, part by part, wherever it is stopped."""
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import DB, FSX, Lab, Run, Super, flip, read, repair, same, write  # noqa: E402
import campaign  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
from xfsread import crc32c  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
CRASH = os.path.join(campaign.BUILD, "bin/tests/damage/crash")
FORMS = {"block": 20, "leaf": 100, "node": 900}
lab = Lab("repair-full")


def script(image, lines):
    done = Run(FSX, "run", image, given="".join(line + "\n" for line in lines))
    return done.code, done.out + done.err


def free_blocks(image, agcount):
    said = Run(DB, "-r", *[word for ag in range(agcount) for word in ("-c", "agf %d" % ag, "-c", "p freeblks")],
               image).out
    return [int(n) for n in re.findall(r"freeblks = (\d+)", said)]


def fill_up(image):
    number = 0
    for blocks in (60000, 16000, 4000, 1000, 200, 50, 10, 3, 1):
        code = 0
        while not code:
            number += 1
            code, _ = script(image, ["create /fill/%d 644" % number,
                                     "prealloc /fill/%d 0 %d" % (number, blocks * 1024)])
    return number


def full_image():
    image = lab.mkfs("full.img", 300 << 20, "-b", "size=1k", "-m", "rmapbt=0,reflink=0,finobt=0", "-d", "agcount=2")
    lines = ["mkdir /fill 755", "create /frag 644"] + ["prealloc /frag %d 1024" % (2048 * i) for i in range(800)]
    # parent pointers of so many names do not fit in the inodes
    for i in range(20):
        lines += ["create /many-%d 644" % i] + ["link /many-%d /fill/another-name-of-%d-%d" % (i, i, j)
                                                for j in range(20)]
    for form, count in FORMS.items():
        lines += ["mkdir /%s 755" % form] + ["create /%s/a-name-of-a-file-%d 644" % (form, i) for i in range(count)]
    code, said = script(image, lines)
    if code:
        raise SystemExit("fsx: " + said)
    return image, fill_up(image)


def names(image, form):
    said = Run(DB, "-r", "-c", "ls /" + form, image).out
    return sorted(re.findall(r"a-name-of-a-file-\d+", said))


def directory(image, form):
    return int(re.search(r"\s(\d+)\s+directory\s.* %s \(" % form, Run(DB, "-r", "-c", "ls /", image).out).group(1))


def blocks_of(data, magic, at, owner):
    """Bytes where a block with this magic and owner begins (directory blocks of the fifth version)."""
    where = {4: 40, 2: 48}[len(magic)]
    return [off for off in range(0, len(data) - 1024, 1024)
            if data[off + at:off + at + len(magic)] == magic
            and data[off + where:off + where + 8] == owner.to_bytes(8, "big")]


image, last = full_image()
lab.ok(free_blocks(image, 2) == [0, 0], "no block is free", free_blocks(image, 2))
whole = {form: names(image, form) for form in FORMS}
lab.ok(all(len(whole[form]) == count for form, count in FORMS.items()),
       "all names are there", {f: len(n) for f, n in whole.items()})
data = read(image)
CASES = [("block", b"XDB3", 0), ("leaf", b"XDD3", 0), ("leaf", b"\x3d\xf1", 8), ("node", b"XDD3", 0),
         ("node", b"\x3d\xff", 8), ("node", b"XDF3", 0),
         ("node", b"\x3e\xbe", 8)]


def damaged(form, magic, at, name):
    """An inode number, a hash or a bound is wrong in the last block of the kind, and so is the checksum."""
    copy = lab.copy(image, name)
    found = blocks_of(data, magic, at, directory(image, form))
    if not found:
        return None
    # more than one bit, so that no search for a flipped one helps
    for byte in (found[-1] + 229, found[-1] + 230):
        flip(copy, byte)
    return copy


def repaired(copy, form):
    first = repair(copy)
    second = repair("-n", copy)
    return first.code == 0 and second.code == 0 and names(copy, form) == whole[form], "first %s\nsecond %s" % (first, second)


for form, magic, at in CASES:
    what = "%s directory, block %s" % (form, magic if at == 0 else magic.hex())
    copy = damaged(form, magic, at, "damaged.img")
    if not copy:
        lab.ok(False, what, "there is no such block")
        continue
    dry = repair("-n", copy)
    good, said = repaired(copy, form)
    lab.ok(good and dry.code == 1, what + ": repaired, nothing lost", said)

# ---- stopped at a write ----
for form, magic, at in CASES[:2] if LONG else CASES[1:2]:
    start = damaged(form, magic, at, "start.img")
    copy = lab.copy(start, "stopped.img")
    run = dict(os.environ, CRASH_KEEP_LOG="1")
    writes = int(re.search(r"writes (\d+)", subprocess.run([CRASH, copy, "0", "0"], env=run, stdout=subprocess.PIPE,
                                                           text=True).stdout).group(1))
    bad = []
    for seed in (0, 7) if LONG else (0,):
        for stop in range(1, writes + 1, 1 if LONG else 3):
            copy = lab.copy(start, "stopped.img")
            subprocess.run([CRASH, copy, str(stop), str(seed)], env=run, stdout=subprocess.DEVNULL)
            good, said = repaired(copy, form)
            if not good:
                bad.append("stop %d seed %d: %s" % (stop, seed, said))
    lab.ok(not bad, "%s directory: stopped at any of %d writes, the next run ends it" % (form, writes),
           "\n".join(bad[:3]))

# ---- more than the log takes at once ----
DIRS, FILES = 20, 1000


def shrink_log(image, blocks):
    """As old filesystems have them: no mkfs makes them that small. The rest of the log becomes free space."""
    sb = Super(image)
    for agno in range(sb.agcount):
        sector = bytearray(read(image, sb.header(agno, 0), sb.sectsize))
        struct.pack_into(">I", sector, 96, blocks)
        struct.pack_into("<I", sector, 224, crc32c.block_crc(bytes(sector), 224))
        write(image, sb.header(agno, 0), bytes(sector))
    repair("-L", image)


def many_names(image):
    return {n: names(image, "dir%d" % n) for n in range(DIRS)}


small = lab.mkfs("small-log.img", 300 << 20, "-b", "size=1k", "-m", "rmapbt=0,reflink=0,finobt=0", "-d", "agcount=2")
shrink_log(small, 2048)
lines = ["mkdir /fill 755"] + ["mkdir /dir%d 755" % n for n in range(DIRS)]
# in turns, so that blocks of all directories lie between each other and move when they are made anew
lines += ["create /dir%d/a-name-of-a-file-%d-%s 644" % (n, i, 20 * "x") for i in range(FILES) for n in range(DIRS)]
code, said = script(small, lines)
lab.ok(not code and repair("-n", small).code == 0, "%d directories, a log of 2 MiB" % DIRS, said)
fill_up(small)
before = many_names(small)
data = read(small)
start = lab.copy(small, "start.img")
for off in range(0, len(data), 1024):
    if data[off + 8:off + 10] == b"\x3d\xff":
        flip(start, off + 229)
        flip(start, off + 230)
copy = lab.copy(start, "damaged.img")
first, second = repair(copy), repair("-n", copy)
lab.ok(first.code == 0 and second.code == 0 and many_names(copy) == before
       and all(len(n) == FILES for n in before.values()),
       "the index of all of them: repaired", "first %s\nsecond %s" % (str(first)[-700:], second))
lab.ok(first.err.count("part by part") == 1, "in parts", first)
run = dict(os.environ, CRASH_KEEP_LOG="1")
copy = lab.copy(start, "stopped.img")
writes = int(re.search(r"writes (\d+)", subprocess.run([CRASH, copy, "0", "0"], env=run, stdout=subprocess.PIPE,
                                                       text=True).stdout).group(1))
bad = []
for stop in range(1, writes + 1, max(1, writes // (200 if LONG else 12))):
    copy = lab.copy(start, "stopped.img")
    subprocess.run([CRASH, copy, str(stop), "7"], env=run, stdout=subprocess.DEVNULL)
    first, second = repair(copy), repair("-n", copy)
    if first.code or second.code or many_names(copy) != before:
        bad.append("stop %d of %d: %s\n%s" % (stop, writes, str(first)[-300:], str(second)[-300:]))
lab.ok(not bad, "stopped at writes between, the next run ends it", "\n".join(bad[:3]))
data = read(image)

# ---- trees of an AG that has no room for new ones ----
for name, magic in (("bnobt", b"AB3B"), ("cntbt", b"AB3C"), ("inobt", b"IAB3")):
    copy = lab.copy(image, "damaged.img")
    found = [off for off in range(0, len(data), 1024) if data[off:off + 4] == magic]
    for off in found:
        write(copy, off + 8, bytes(16))
    good, said = repaired(copy, "node")
    lab.ok(found and good, "all blocks of the %s: repaired" % name, said)

# ---- block maps ----
def mapped(image):
    return Run(DB, "-r", "-c", "path /frag", "-c", "p core.size core.format", "-c", "bmap -d", image).out


want = mapped(image)
for what, kept in (("without a free block", 0), ("with two", 2)):
    copy = lab.copy(image, "damaged.img")
    if kept:
        code, said = script(copy, ["unlink /fill/%d" % number for number in range(last - kept, last)])
    found = [off for off in range(0, len(data), 1024) if data[off:off + 4] == b"BMA3"]
    for off in found:
        write(copy, off + 8, bytes(16))
    first, second = repair(copy), repair("-n", copy)
    lab.ok(len(found) > 10 and not first.code and not second.code and mapped(copy) == want and len(want) > 5000,
           "all blocks of a block map, %s: repaired" % what,
           "%s\n%s\n%s" % (str(first)[-500:], second, mapped(copy)[:300]))

# ---- features for which there is no room ----
for feature in ("rmapbt=1", "reflink=1", "finobt=1", "parent=1"):
    copy = lab.copy(image, "upgrade.img")
    tried = repair("-c", feature, copy)
    lab.ok(tried.code == 1 and same(copy, image) and "Not enough free space" in tried.out,
           "-c %s: refused, nothing is written" % feature, tried)
    dry = repair("-n", "-c", feature, copy)
    lab.ok(dry.code == 1 and same(copy, image) and "Not enough free space" in dry.out, "-n -c %s: the same" % feature,
           dry)
while sum(free_blocks(copy, 2)) < 100:
    last -= 1
    script(copy, ["unlink /fill/%d" % last])
before = free_blocks(copy, 2)
first, second, third = repair("-c", "parent=1", copy), repair("-n", copy), repair("-c", "parent=1", copy)
lab.ok(sum(before) < 1000 and not first.code and not second.code and "already has parent pointers" in third.out,
       "-c parent=1 with a little room: added", "%s free\n%s\n%s" % (before, str(first)[-500:], second))

lab.end()
