#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_db walks through randomly damaged filesystems: no crash, no endless loop, bounded output.

Bytes of metadata are changed at random, most often with a checksum that is right again, and all commands are run in
random order.  Uses the build with sanitizers where there is one (XFSKIT_ASAN, default BUILD/asan).  XFSKIT_SEED and
XFSKIT_ROUNDS choose other and more damage.
"""
import lzma
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
ASAN = os.path.join(os.environ.get("XFSKIT_ASAN", os.path.join(BUILD, "asan")), "xfs_db")
DB = ASAN if os.path.exists(ASAN) else os.path.join(BUILD, "xfs_db")
SEED = int(os.environ.get("XFSKIT_SEED", "1"))
ROUNDS = int(os.environ.get("XFSKIT_ROUNDS", "25"))
MOST_SECONDS, MOST_OUTPUT = 60, 32 << 20
IMAGES = ["tests/data/sample.img.xz"] + ["tests/oracle/data/%s.img.xz" % n
                                         for n in ("full", "plain", "v4", "rt", "quota")]
BAD = re.compile(rb"AddressSanitizer|runtime error|LeakSanitizer")

TABLE = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x82F63B78 if _i & 1 else 0)
    TABLE.append(_i)


def crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state = TABLE[(state ^ byte) & 255] ^ state >> 8
    return state ^ 0xFFFFFFFF


# magic: (bytes, 0 = block, 1 = directory block; position of the checksum, None on V4)
AT_0 = {b"XFSB": (512, 224), b"XAGF": (512, 216), b"XAGI": (512, 312), b"XAFL": (512, 32), b"BMA3": (0, 64),
        b"XDB3": (1, 4), b"XDD3": (1, 4), b"XDF3": (1, 4), b"XARM": (0, 12), b"XSLM": (0, 12)}
AT_0.update({m: (0, 52) for m in (b"AB3B", b"AB3C", b"IAB3", b"FIB3", b"RMB3", b"R3FC")})
AT_0.update({m: (0, None) for m in (b"ABTB", b"ABTC", b"IABT", b"BMAP", b"XD2B", b"XD2D", b"XD2F")})
AT_8 = {b"\x3d\xf1": (1, 12), b"\x3d\xff": (1, 12), b"\x3e\xbe": (1, 12), b"\x3b\xee": (0, 12),
        b"\xd2\xf1": (0, None), b"\xd2\xff": (0, None), b"\xfe\xbe": (0, None), b"\xfb\xee": (0, None)}


def objects(data):
    """What there is to damage, by sort: (offset, length, position of the checksum)."""
    blocksize = struct.unpack(">I", data[4:8])[0]
    sizes = {0: blocksize, 1: blocksize << data[192]}
    inodesize = struct.unpack(">H", data[104:106])[0]
    found = {}
    for off in range(0, len(data), 256):
        magic = data[off:off + 4]
        hit, sort = None, magic
        if magic[:2] == b"IN" and off % inodesize == 0:
            hit, sort = (inodesize, 100 if magic[4:5] == b"\3" or data[100] & 15 == 5 else None), b"IN" + magic[2:3]
        elif off % 512 == 0 and AT_0.get(magic, (0,))[0] == 512:
            hit = AT_0[magic]
        elif off % blocksize == 0:
            hit = AT_0.get(magic) or AT_8.get(data[off + 8:off + 10])
            sort = magic if magic in AT_0 else data[off + 8:off + 10]
        if hit:
            found.setdefault(sort, []).append((off, sizes.get(hit[0], hit[0]), hit[1]))
    return found


def damage(rnd, clean, found):
    data = bytearray(clean)
    for _ in range(rnd.choice((1, 2, 5, 12))):
        off, length, crc = rnd.choice(found[rnd.choice(sorted(found))])
        if off == 0 and rnd.random() < 0.9:     # a broken superblock ends most runs
            continue
        for _ in range(rnd.choice((1, 1, 2, 6))):
            n = rnd.choice((1, 1, 2, 4, 8))
            at = off + rnd.choice((rnd.randrange(min(length, 128)), rnd.randrange(length))) // n * n
            data[at:at + n] = rnd.choice((bytes(n), b"\xff" * n, b"\x7f" + b"\xff" * (n - 1),
                                          bytes(n - 1) + bytes([rnd.randrange(256)]),
                                          bytes(rnd.randrange(256) for _ in range(n))))
        if crc is not None and rnd.random() < 0.8:
            data[off + crc:off + crc + 4] = bytes(4)
            data[off + crc:off + crc + 4] = struct.pack("<I", crc32c(data[off:off + length]))
    return data


STARTS = ("agf %N", "agi 0", "agi 1", "agfl 0", "sb 0", "path /", "inode %I", "fsblock %N", "daddr %N",
          "agf 0;addr bnoroot",
          "agf 0;addr cntroot", "agf 1;addr rmaproot", "agf 0;addr refcntroot", "agi 0;addr root",
          "agi 1;addr free_root")
STEPS = """p;p -j;p core;p u3 a;p recs;p keys ptrs;p recs[1] recs[2-4];p bu;p bu[0-3].name;p lents;p lbests;p fbests;p entries nvlist
p nvlist[0-5].name;p btree;p hdr;addr ptrs[1];addr ptrs[2];addr recs[1].startblock;addr leftsib;addr rightsib;addr u3.bmx[0].startblock
addr u3.bmbt.ptrs[1];addr a.bmx[0].startblock;addr bu[2].inumber;addr nbtree[1].before;addr btree[1].before;dblock %N;ablock %N;dblock 0
ablock 0;dblock 33554432;dblock 8388608;bmap;bmap -a;bmap -j;btdump;btdump -i;btdump -a;btdump -j;type %T;ls;ls -i;ls /;stack;ring;back
forward;push;pop;push agf 0;owner %N;owner -j %N;fsmap;fsmap -j;fsmap %N %N;rmapbt query 0 %N %N;freesp;freesp -s;frag;frag -v;agresv
version;label;uuid;info;logprint;logblock 0;logblock %N;rtblock %N;rtextent %N;path /attributes;path directories;agblock %N;path -m /
convert ino %N fsblock;convert byte %N inooff %N agino;hash -p %N abc;parent;dump_iunlinked;timelimit;rtsb""".replace("\n", ";").split(";")
TYPES = """agf agfl agi attr3 attr dir2 dir3 bmapbta bmapbtd bnobt cntbt rmapbt refcntbt data dqblk inobt inode log rtbitmap rtsummary sb
symlink text finobt rtrmapbt rtrefcntbt rgbitmap rgsummary rtsb""".split()


def commands(rnd):
    def fill(text):
        text = re.sub("%N", lambda _: str(rnd.randrange(1 << rnd.choice((2, 4, 8, 12, 20, 33, 63)))), text)
        text = re.sub("%I", lambda _: str(rnd.randrange(64, 160)), text)
        return text.replace("%T", rnd.choice(TYPES))

    for _ in range(6):
        yield from fill(rnd.choice(STARTS)).split(";")
        for _ in range(rnd.randrange(1, 7)):
            yield fill(rnd.choice(STEPS))
        yield "p"


def explore(image, script):
    argv = [DB, "-r"]
    for command in script:
        argv += ["-c", command]
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1",
               UBSAN_OPTIONS="print_stacktrace=1")
    try:
        run = subprocess.run(argv + [image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=env, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return "no end"
    if run.returncode < 0:
        return "killed by signal %d" % -run.returncode
    if BAD.search(run.stderr):
        return run.stderr.decode("latin1")
    if len(run.stdout) + len(run.stderr) > MOST_OUTPUT:
        return "%d bytes of output" % len(run.stdout)
    return "" if run.stdout or run.stderr else "no output"


def main():
    good = True
    print("# seed %d, %d rounds each, %s" % (SEED, ROUNDS, DB))
    with tempfile.TemporaryDirectory(prefix="xfskit-db") as work:
        image = os.path.join(work, "image")
        for number, name in enumerate(IMAGES, 1):
            rnd = random.Random("%d %s" % (SEED, name))
            with lzma.open(os.path.join(SRC, name)) as packed:
                clean = packed.read()
            found, wrong = objects(clean), []
            for i in range(ROUNDS):
                with open(image, "wb") as f:
                    f.write(damage(rnd, clean, found))
                script = list(commands(rnd))
                why = explore(image, script)
                if why:
                    wrong.append("round %d: %s\n%s" % (i, "; ".join(script), why))
            good = good and not wrong and len(found) > 4
            print("%sok %d - %s: %d sorts of metadata damaged" % ("not " if wrong or len(found) <= 4 else "", number,
                                                                  name, len(found)))
            for line in "\n".join(wrong).splitlines()[:60]:
                print("# " + line)
            sys.stdout.flush()
    print("1..%d" % len(IMAGES))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
