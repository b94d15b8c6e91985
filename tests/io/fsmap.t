#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fsmap: every row is what the kernel gives to a caller of its own, for any number of records a call, for ranges and
devices; the forms agree with each other and with the offline fsmap of xfs_db. TAP."""
import fcntl
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

GETFSMAP = 0xC0C0583B
RECORD = struct.Struct("=IIQQQQ24x")
ATTR, BMBT, SHARED, SPECIAL, LAST = 2, 4, 8, 0x10, 0x20
NAMES = {1 | 0: "free space", 2: "unknown", 88 << 32 | 1: "static fs metadata", 88 << 32 | 2: "journalling log",
         88 << 32 | 3: "per-AG metadata", 88 << 32 | 4: "inode btree", 88 << 32 | 5: "inodes",
         88 << 32 | 6: "refcount btree", 88 << 32 | 7: "cow reservation", 88 << 32 | 8: "defective"}


def query(path, low, high, count=500):
    """All records by our own calls: (device, flags, physical, owner, offset, length)."""
    fd = os.open(path, os.O_RDONLY)
    rows = []
    try:
        while True:
            buf = bytearray(192 + 64 * count)
            struct.pack_into("=IIII", buf, 0, 0, 0, count, 0)
            RECORD.pack_into(buf, 64, *low)
            RECORD.pack_into(buf, 128, *high)
            fcntl.ioctl(fd, GETFSMAP, buf)
            n = struct.unpack_from("=I", buf, 12)[0]
            if not n:
                return rows
            got = [RECORD.unpack_from(buf, 192 + 64 * i) for i in range(n)]
            rows += got
            if got[-1][1] & LAST:
                return rows
            low = got[-1]
    finally:
        os.close(fd)


def everything(path, device=None, start=0, end=2**64 - 1):
    return query(path, (device or 0, 0, start, 0, 0, 0),
                 (2**32 - 1 if device is None else device, 2**32 - 1, end, 2**64 - 1, 2**64 - 1, 0))


def plain(rows):
    out = []
    for i, (dev, flags, phys, owner, off, length) in enumerate(rows):
        if flags & SPECIAL:
            who = NAMES.get(owner, f"special {owner >> 32}:{owner & 0xffffffff}")
        else:
            who = f"inode {owner} {'attr' if flags & ATTR else 'data'} "
            who += "extent map" if flags & BMBT else f"{off >> 9}..{(off + length - 1) >> 9}"
        out.append(f"\t{i}: {os.major(dev)}:{os.minor(dev)} [{phys >> 9}..{(phys + length - 1) >> 9}]: {who} {length >> 9}\n")
    return "".join(out)


def fill(where):
    for i in range(6):
        lab.io([f"pwrite -q {i * 8}k 4k" for i in range(300)] + ["fsync"], f"sieve{i}", options=("-f",), cwd=where)
    lab.io(["pwrite -q 0 1m", "fsync"], "whole", options=("-f",), cwd=where)
    lab.io(["reflink whole", "pwrite -q 64k 4k", "fsync"], "clone", options=("-f",), cwd=where)
    lab.io("falloc 0 256k", "unwritten", options=("-f",), cwd=where)
    for i in range(60):
        os.setxattr(os.path.join(where, "clone"), f"user.name{i}", b"v" * 900)
    os.sync()


def check(what, run, want):
    lab.ok(run.rc == 0 and run.out == want, what, f"{run.err}ours:\n{run.out[:600]}\nkernel:\n{want[:600]}")


def test_rows(where):
    rows = everything(where)
    kinds = {(r[3] if r[1] & SPECIAL else 0, r[1] & (ATTR | BMBT | SHARED | 1)) for r in rows}
    lab.ok(len(rows) > 1500 and {(0, ATTR), (0, BMBT), (0, SHARED), (0, 1), (1, 0)} <= kinds,
           f"the image has all kinds of owners", f"{len(rows)} {kinds}")
    for n in (None, 1, 2, 3, 7, 64, len(rows) - 1, len(rows), len(rows) + 1):
        r = lab.io("fsmap" + (f" -n {n}" if n else ""), where)
        check(f"all rows, {n or 'default'} records a call", r, plain(rows))
    device = os.stat(where).st_dev
    middle = rows[len(rows) // 2]
    edges = [0, 7, 8, 100, middle[2] >> 9, (middle[2] >> 9) + 1, ((middle[2] + middle[5]) >> 9) - 1, rows[-1][2] >> 9,
             (rows[-1][2] + rows[-1][5]) >> 9]
    wrong = []
    for a in edges:
        for b in edges:
            if a < b:
                r = lab.io([f"fsmap -d -n 40 {a} {b}"], where)
                want = plain(everything(where, device, a * 512, b * 512))
                if r.out != want or r.rc:
                    wrong.append(f"{a} {b}: {r.err}{r.out[:300]}\nkernel: {want[:300]}")
    lab.ok(not wrong, "ranges: each row that overlaps, by pages as well", "\n".join(wrong))
    r = lab.io("fsmap -d 8 4", where)
    lab.ok(r.rc == 1 and r.out == ""
           and r.err == f'xfs_io: xfsctl(XFS_IOC_GETFSMAP) iflags=0x0 ["{where}"]: Invalid argument\n',
           "a range that ends before it begins", r)
    r = lab.io(["fsmap -l", "fsmap -r"], where)
    lab.ok(r.rc == 0 and r.out == "", "devices that are not there: an empty list", r)
    return rows


def test_forms(where, rows):
    r = lab.io("fsmap -j", where)
    found = [json.loads(line) for line in r.out.splitlines()]
    wrong = []
    for i, (row, j) in enumerate(zip(rows, found)):
        special = bool(row[1] & SPECIAL)
        want = {"ext": i, "device": f"{os.major(row[0])}:{os.minor(row[0])}", "physical": row[2], "length": row[5]}
        if special:
            want["owner"] = NAMES[row[3]]
        else:
            want["owner"] = {0: "file data", ATTR: "file attributes", BMBT: "data extent maps",
                             BMBT | ATTR: "attr extent maps"}[row[1] & (ATTR | BMBT)]
            want.update(inode=row[3], unwritten=bool(row[1] & 1), shared=bool(row[1] & SHARED))
            if not row[1] & BMBT:
                want["offset"] = row[4]
        if j != want:
            wrong.append(f"{j} != {want}")
    lab.ok(len(found) == len(rows) and not wrong, "-j: a JSON object a row", "\n".join(wrong[:5]))
    r = lab.io("fsmap -s", where)
    sums = {}
    for j in found:
        s = sums.setdefault(j["owner"], [0, 0, 0])
        s[0] += 1
        s[1] += j["length"] >> 9
        s[2] = max(s[2], j["length"] >> 9)
    table = {m[1].strip(): [int(m[i]) for i in (2, 3, 4)]
             for m in re.finditer(r"^\d+:\d+ +(.+?) +(\d+) +(\d+) +(\d+)$", r.out, re.M)}
    blocks = [int(line.split()[-2]) for line in r.out.splitlines()[1:]]
    lab.ok(r.rc == 0 and table == sums and blocks == sorted(blocks, reverse=True),
           "-s: sums by owner, the biggest first", r)
    r = lab.io("fsmap -s -j", where)
    js = {j["owner"]: [j["extents"], j["bytes"] >> 9, j["largest"] >> 9] for j in map(json.loads, r.out.splitlines())}
    lab.ok(js == sums, "-s -j: the same as JSON", r)
    r = lab.io("fsmap -m", where)
    csv = [line.split(",") for line in r.out.splitlines()]
    lab.ok(csv[0] == "EXT,MAJOR,MINOR,PSTART,PEND,OWNER,OSTART,OEND,LENGTH".split(",") and len(csv) == len(rows) + 1 and
           all(len(c) == 9 and int(c[3]) == row[2] >> 9 and int(c[8]) == row[5] >> 9 for c, row in zip(csv[1:], rows)),
           "-m: nine columns a row", r.out[:400])
    r = lab.io("fsmap -v", where)
    lines = r.out.splitlines()
    lab.ok(lines[0].split() == ["EXT:", "DEV", "BLOCK-RANGE", "OWNER", "FILE-OFFSET", "AG", "AG-OFFSET", "TOTAL",
                                "FLAGS"] and
           lines[len(rows) + 1] == " FLAG Values:" and len(lines) == len(rows) + 9, "-v: heading, rows, legend",
           r.out[:400])


def offline(tool, image):
    """Rows of xfs_db as (agno, agbno, len, owner, offset, bmbt, attr, unwritten)."""
    r = lab.Run([tool, "-r", "-c", "fsmap", image])
    pattern = r"\d+: (\d+)/(\d+) len (\d+) owner (-?\d+) offset (\d+) bmbt (\d) attrfork (\d) extflag (\d)$"
    return [tuple(int(x) for x in re.fullmatch(pattern, line).groups()) for line in r.out.splitlines()]


def test_offline(image, where):
    """The image is quiet: rows of the mounted filesystem are those of the reverse mapping btrees after unmounting."""
    lab.unmount(where)
    os.makedirs(where, exist_ok=True)
    lab.must("mount", "-o", "loop,ro", image, where)
    lab._mounts.append(where)
    rows = [json.loads(line) for line in lab.io("fsmap -j", where, options=("-r",)).out.splitlines()]
    geometry = dict(re.findall(r"geom\.(\w+) = (\d+)", lab.io("statfs -g", where, options=("-r",)).out))
    lab.unmount(where)
    codes = {"static fs metadata": -3, "journalling log": -4, "per-AG metadata": -5, "inode btree": -6, "inodes": -7,
             "refcount btree": -8, "cow reservation": -9}
    bsize, agblocks = int(geometry["bsize"]), int(geometry["agblocks"])
    online = []
    for j in rows:
        if j["owner"] == "free space":
            continue
        agno, agbno = divmod(j["physical"] // bsize, agblocks)
        online.append((agno, agbno, j["length"] // bsize, j.get("inode", codes.get(j["owner"])),
                       j.get("offset", 0) // bsize,
                       int("maps" in j["owner"]), int("attr" in j["owner"]), int(j.get("unwritten", False))))
    db = os.path.join(lab.BUILD, "xfs_db")
    tools = [("our", db)] if os.access(db, os.X_OK) else []
    if not tools:
        lab.skip("our xfs_db gives the same rows after unmounting", "xfs_db is not built")
    tools.append(("the distribution's", "xfs_db"))
    for name, tool in tools:
        try:
            rows = offline(tool, image)
        except OSError as e:
            lab.skip(f"{name} xfs_db gives the same rows after unmounting", e)
            continue
        except AttributeError:
            rows = []
        first = next((f"{a} {b}" for a, b in zip(online, rows) if a != b), f"{len(online)} {len(rows)} rows")
        lab.ok(rows == online and len(rows) > 1000, f"{name} xfs_db gives the same rows after unmounting", first)


def test_without_rmap():
    try:
        where = lab.mount("normap", 300 << 20, ("mkfs.xfs", "-q", "-f", "-m", "rmapbt=0"))
    except lab.Unavailable as e:
        lab.skip("without rmapbt", e)
        return
    lab.io("pwrite -q 0 4m", "f", options=("-f",), cwd=where)
    os.sync()
    rows = everything(where)
    r = lab.io("fsmap -n 3", where)
    check("without rmapbt: free and unknown", r, plain(rows))
    lab.ok({NAMES[x[3]] for x in rows} == {"free space", "unknown"}, "no other owners there", rows[:5])


def test_log():
    try:
        if os.geteuid():
            raise lab.Unavailable("loop mounts need root")
        data, log = lab.loop_device(lab.image("data", 400 << 20)), lab.loop_device(lab.image("log", 70 << 20))
        lab.must("mkfs.xfs", "-q", "-f", "-m", "rmapbt=1", "-l", "logdev=" + log, data)
        where = lab.mount_device(data, "extlog", ("logdev=" + log,))
    except lab.Unavailable as e:
        lab.skip("external log", e)
        return
    rows = everything(where)
    check("external log: both devices", lab.io("fsmap -n 2", where), plain(rows))
    logdev = os.stat(log).st_rdev
    check("-l: only the log", lab.io("fsmap -l", where), plain([r for r in rows if r[0] == logdev]))
    check("-d: only the data", lab.io("fsmap -d", where), plain([r for r in rows if r[0] != logdev]))


try:
    where = lab.xfs("map", 400 << 20)
except lab.Unavailable as e:
    lab.skip_all(e)
fill(where)
rows = test_rows(where)
test_forms(where, rows)
test_offline(os.path.join(lab.scratch(), "map.img"), where)
test_without_rmap()
test_log()
lab.done()
