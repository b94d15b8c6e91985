#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair on the images in tests/data whose logs Linux left dirty: replayed, looked at, refused, thrown away, damaged."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "kernel"))
import campaign  # noqa: E402

BUILD = campaign.BUILD
LIST = os.path.join(HERE, "..", "kernel", "list-image")
BBSIZE = 512
count = 0
failed = False


def ok(good, name, note=""):
    global count, failed
    count += 1
    failed |= not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        print("\n".join("#   " + line for line in note.splitlines()[:40]))
    sys.stdout.flush()


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def repair(*args):
    return run(os.path.join(BUILD, "xfs_repair"), *args)


def read(path, size=-1):
    with open(path, "rb") as f:
        return f.read(size)


def unpack(name, work):
    campaign.unpack(f"data/{name}.list", f"{work}/{name}.list")
    return campaign.unpack(f"data/{name}.img", f"{work}/{name}.img")


def log_of(image):
    """Byte where the log starts, its blocks, and its records from tail to head as (block, blocks)."""
    sb = read(image, 512)
    blocksize, logstart, logblocks = struct.unpack(">I", sb[4:8])[0], struct.unpack(">Q", sb[48:56])[0], struct.unpack(">I", sb[96:100])[0]
    agblocks, agblklog = struct.unpack(">I", sb[84:88])[0], sb[124]
    start = ((logstart >> agblklog) * agblocks + (logstart & ((1 << agblklog) - 1))) * blocksize
    text = run(os.path.join(BUILD, "xfs_db"), "-r", "-c", "logprint -r", image).stdout
    return start, logblocks * blocksize // BBSIZE, [(int(b), int(n))
                                                    for b, n in re.findall(r"^record \d+:(\d+) bytes (\d+)", text, re.M)]


def clean_afterwards(image, name, listing):
    again = repair("-n", image)
    ok(again.returncode == 0, f"{name}: the second run finds nothing", again.stdout)
    if campaign.UPSTREAM:
        theirs = campaign.upstream_finds(image)
        ok(not theirs, f"{name}: xfs_repair -n of the distribution", theirs)
    if listing:
        same = run(LIST, image, listing)
        ok(same.returncode == 0, f"{name}: the files that were there", same.stdout)


def looked_at(image, name):
    before = read(image)
    result = repair("-n", image)
    ok(result.returncode == 1 and "replayed\nin memory only" in result.stdout and read(image) == before,
       f"{name}: -n replays in memory, ends with 1 and writes nothing", result.stdout)
    ok(re.search(r"^with its log replayed the filesystem (is clean|has \d+ finding)", result.stdout, re.M),
       f"{name}: -n says what the result would be", result.stdout)
    result = repair("-n", "-o", "noreplay", image)
    ok(result.returncode == 1 and "ignored because the -n option was used" in result.stdout and read(image) == before,
       f"{name}: -n -o noreplay ignores the log", result.stdout)
    result = repair("-o", "noreplay", image)
    ok(result.returncode == 2 and "please attempt a mount of the filesystem before doing this." in result.stdout
       and read(image) == before, f"{name}: -o noreplay refuses with 2", result.stdout)
    ok(repair("-o", "noreplay=1", image).returncode == 1, f"{name}: noreplay takes no value")


def replayed(image, name, listing):
    result = repair(image)
    ok(result.returncode == 0 and "- replaying the log..." in result.stdout and result.stdout.endswith("done\n"),
       f"{name}: replayed by default", result.stdout)
    clean_afterwards(image, name, listing)


def thrown_away(image, name, listing):
    """With -L what is in the list and not in the log's past is said to be lost."""
    result = repair("-e", "-L", "-v", image)
    ok(result.returncode in (4, 1) and "because the -L option was used" in result.stdout, f"{name}: -L, and -e tells", result.stdout)
    lost = re.findall(r"^        - name (\S+) of inode \d+ is lost$", result.stdout, re.M)
    inodes = re.findall(r"^        - (?:inode|changes of inode) (\d+)", result.stdout, re.M)
    ok(len(inodes) > 5 and f"changes of {len(inodes)} inodes and" in result.stdout,
       f"{name}: -L says which inodes lose changes ({len(inodes)})", result.stdout)
    with open(listing) as f:
        there = f.read()
    ok(len(lost) > 10 and all(name.rsplit("/", 1)[1] in there for name in lost),
       f"{name}: -L says which names are lost ({len(lost)})", result.stdout)
    result = repair("-L", image)
    ok(result.returncode in (0, 1) and "ALERT" not in result.stdout, f"{name}: and the log is clean", result.stdout)


def zeroed(image, name):
    """A log of zeroes has not even the record of mkfs: that of V5 is made anew, whatever LSNs there are."""
    start, blocks, _ = log_of(image)
    with open(image, "r+b") as f:
        f.seek(start)
        f.write(bytes(blocks * BBSIZE))
    v5 = int(read(image, 102)[101] & 15 == 5)
    codes = [repair(*args, image).returncode for args in (["-n"], [], ["-n"])]
    with open(image, "rb") as f:
        f.seek(start)
        ok(codes == [v5, 0, 0] and any(f.read(4)) == v5, f"{name}: zeroed", str(codes))


def damaged(image, name):
    """A record far from the head is damaged: that is no torn write."""
    start, blocks, records = log_of(image)
    bad = records[(len(records) - 9) // 2][0]
    with open(image, "r+b") as f:
        f.seek(start + (bad + 1) % blocks * BBSIZE + 40)
        f.write(b"damage")
    before = read(image)
    result = repair(image)
    said = f"The log is damaged from block {bad} on"
    ok(result.returncode == 2 and said in result.stdout and read(image) == before,
       f"{name}: a damaged record is named, nothing is changed", result.stdout)
    ok("or use the -L option to destroy" in result.stdout.replace("\n", " ")
       or "then use the -L option" in result.stdout
       and "would be lost with -L" in result.stdout, f"{name}: and what -L would cost", result.stdout)
    result = repair("-n", image)
    ok(result.returncode == 1 and read(image) == before, f"{name}: -n of it", result.stdout)
    result = repair("-L", image)
    ok(result.returncode in (0, 1) and "- changes of" in result.stdout, f"{name}: -L of it", result.stdout)
    result = repair("-n", image)
    ok("ALERT" not in result.stdout and "ERROR" not in result.stdout, f"{name}: and the log is clean", result.stdout)


def without_superblock(image, name, listing):
    with open(image, "r+b") as f:
        f.write(bytes(512))
    before = read(image)
    result = repair("-n", image)
    ok(result.returncode == 1 and "bad primary superblock" in result.stdout
       and "replayed\nin memory only" in result.stdout
       and read(image) == before, f"{name}: -n without a primary superblock replays", result.stdout)
    result = repair(image)
    ok(result.returncode == 0 and "bad primary superblock" in result.stdout
       and "- replaying the log..." in result.stdout, f"{name}: replayed without a primary superblock", result.stdout)
    clean_afterwards(image, f"{name} without a superblock", listing)


def main():
    with tempfile.TemporaryDirectory(prefix="repair-log.") as work:
        for name in ("log-rmap", "log-v4", "log-pieces", "log-unlinked"):
            image = unpack(name, work)
            listing = f"{work}/{name}.list"
            if name == "log-rmap":
                looked_at(image, name)
            for what in (replayed, thrown_away, without_superblock, zeroed, damaged):
                if what is damaged and len(log_of(image)[2]) < 11:
                    print(f"# {name}: too few records to damage one that cannot be torn")
                    continue
                if what is without_superblock and name == "log-v4":
                    continue    # its two AGs cannot confirm each other
                copy = f"{work}/copy"
                shutil.copy(image, copy)
                what(copy, name, *([] if what in (zeroed, damaged) else [listing]))
    print(f"1..{count}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
