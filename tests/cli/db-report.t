#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_db: what only this one has: rmapbt query, owner, JSON; and reports on damaged trees.

Answers are compared with what naive programs here make of plain dumps of the same filesystem.
"""
import json
import lzma
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
DB = os.path.join(BUILD, "xfs_db")
MKFS = os.path.join(BUILD, "mkfs.xfs")
ENV = dict(os.environ, TZ="UTC", LC_ALL="C", ASAN_OPTIONS="detect_leaks=1")
results = []


def ok(good, name, note=""):
    results.append(bool(good))
    print("%sok %d - %s" % ("" if good else "not ", len(results), name))
    if not good:
        print("\n".join("# " + line for line in str(note).splitlines()[:30]))
    sys.stdout.flush()


def run(image, *commands):
    argv = [DB, "-r"]
    for command in commands:
        argv += ["-c", command]
    done = subprocess.run(argv + [image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=ENV, timeout=100)
    return done.returncode, done.stdout.decode("latin1"), done.stderr.decode("latin1")


def out(image, *commands):
    return run(image, *commands)[1]


def values(image, *commands):
    """One JSON value a line."""
    return [json.loads(line) for line in out(image, *commands).splitlines()]


def fields(image, *commands):
    return dict(re.findall(r"^([\w.]+) = (.*)$", out(image, *commands), flags=re.M))


# ---- reverse mappings ----

def mappings(image):
    rows = re.findall(r"^\d+: (\d+)/(\d+) len (\d+) owner (-?\d+) offset (\d+) bmbt (\d) attrfork (\d) extflag (\d)$",
            out(image, "fsmap"),
                      flags=re.M)
    return [tuple(map(int, row)) for row in rows]


def ends(row):
    """Low and high key of a record."""
    _, block, length, owner, offset, bmbt, attr, _ = row
    moves = owner >= 0 and not bmbt
    return ([block, owner % 2**64, (attr, bmbt, offset)],
            [block + length - 1, owner % 2**64, (attr, bmbt, offset + (length - 1 if moves else 0))])


def queries(sample, rows):
    """Records and visited blocks of ranges, against all records and all blocks."""
    rng = random.Random(1)
    wrong = []
    for ag in range(2):
        tree = values(sample, "agf %d" % ag, "addr rmaproot", "btdump -i -j")[0]
        top = max(b["level"] for b in tree)
        shift = 1   # 1 KiB blocks
        spans = {b["daddr"]: span_of(b) for b in tree}
        for _ in range(25):
            start = rng.randrange(16000)
            length = rng.choice((1, 1, 2, 7, 100, 5000))
            last = start + length - 1
            got = values(sample, "rmapbt query -j %d %d %d" % (ag, start, length))[0][0]
            want = [r for r in rows if r[0] == ag and r[1] <= last and r[1] + r[2] > start]
            if [(r["agbno"], r["len"], r["owner"], r["offset"]) for r in got["records"]] != [(r[1], r[2], r[3], r[4])
                    for r in want]:
                wrong.append("records of %d %d %d" % (ag, start, length))
            visited = {v["daddr"] for v in got["visited"]}
            naive = {b["daddr"] for b in tree if b["level"] == top or spans[b["daddr"]][0] <= last
                    and spans[b["daddr"]][1] >= start}
            base = ag * 16384 << shift
            if visited != naive or {v["agbno"] for v in got["visited"]} != {(d - base) >> shift for d in visited}:
                wrong.append("blocks of %d %d %d: %s, not %s" % (ag, start, length, sorted(visited), sorted(naive)))
    return wrong


def span_of(block):
    """First and last AG block of all that lies in or below a block."""
    if block["level"]:
        return min(k["startblock"] for k in block["keys"]), max(k["startblock_hi"] for k in block["keys"])
    return (min(r["startblock"] for r in block["recs"]), max(r["startblock"] + r["blockcount"] - 1
            for r in block["recs"]))


def keys_of_records(sample, rows):
    """Keys in the text of a query."""
    wrong = []
    said = out(sample, "rmapbt query 0 0 16384")
    for row in rows:
        if row[0]:
            continue
        low, high = ends(row)
        text = "low [%d,%d,%d,%d,%d] high [%d,%d,%d,%d,%d]" % (
            low[0], row[3], low[2][2], low[2][0], low[2][1], high[0], row[3], high[2][2], high[2][0], high[2][1])
        if text not in said:
            wrong.append(text)
    return wrong


# ---- owners ----

def owners(sample, rows):
    rng = random.Random(2)
    paths, wrong, shared = {}, [], 0
    specials = {-3: "static fs metadata", -4: "log", -5: "per-AG metadata", -6: "inode btrees", -7: "inodes",
            -8: "refcount btree"}
    blocks = [(0, 0), (0, 330), (0, 2105), (1, 16), (0, 15000)] + [(rng.randrange(2), rng.randrange(16384))
            for _ in range(60)]
    for (ag, block), text, found in zip(blocks, [out(sample, "owner %d" % (a << 14 | b)) for a, b in blocks],
                                        values(sample, *["owner -j %d" % (a << 14 | b) for a, b in blocks])):
        here = [r for r in rows if r[0] == ag and r[1] <= block < r[1] + r[2]]
        want = []
        for _, start, _, owner, offset, bmbt, attr, unwritten in here:
            if owner < 0:
                want.append((specials[owner],))
            else:
                want.append((owner, "attr" if attr else "data", None if bmbt else offset + block - start,
                        bool(unwritten)))
        got = [(o["inode"], o["fork"], o.get("offset"), o["unwritten"]) if o["owner"] == "inode" else (o["owner"],)
                for o in found]
        if got != (want or [("free space",)]):
            wrong.append("%d/%d: %s, not %s" % (ag, block, got, want))
        for o in found:
            if o["owner"] == "inode":
                shared += o["shared"]
                paths.setdefault(o["inode"], o["paths"])
                if not all(p in text for p in o["paths"]) or o["shared"] != (len(found) > 1):
                    wrong.append("%d/%d: %s" % (ag, block, text))
    for inode, names in paths.items():
        for name in names:
            if int(out(sample, "path " + name, "inode").split()[-1]) != inode:
                wrong.append("%s is not inode %d" % (name, inode))
    ok(not wrong and len(paths) > 5 and shared, "owner: %d blocks, %d inodes" % (len(blocks), len(paths)),
            "\n".join(wrong))


def owners_without_rmapbt(work, sample):
    """The sample without the feature: everything is read, with the same result."""
    image = os.path.join(work, "no-rmapbt")
    shutil.copyfile(sample, image)
    patch(image, 212, struct.pack(">I", 0xF & ~2))      # features_ro_compat; the checksum is wrong then
    rng = random.Random(3)
    blocks = [0, 2, 4, 7, 330, 1047, 2105, 16400] + [rng.randrange(32768) for _ in range(30)]
    commands = ["owner -j %d" % b for b in blocks]
    wrong = []
    for block, a, b in zip(blocks, values(sample, *commands), values(image, *commands)):
        trim = lambda owners: sorted([json.dumps(o) for o in owners])       # noqa: E731
        if trim(a) != trim(b):
            rmapbt = [o for o in a if o["owner"] == "per-AG metadata"] and b in ([], [dict(a[0], owner="AG free list")])
            # blocks of the rmapbt itself have no owner there, those of the free list have their own name
            if not rmapbt:
                wrong.append("%d: %s\n%s" % (block, a, b))
    ok(not wrong, "owner without reverse mappings: %d blocks" % len(blocks), "\n".join(wrong))
    ok(out(image, "fsmap", "rmapbt query 0 1 1") == "Filesystem does not support reverse mapping btree.\n" * 2,
            "fsmap without rmapbt")
    os.unlink(image)


def hard_links(sample):
    """All paths of an inode with several."""
    inode = int(out(sample, "path /links/hard", "inode").split()[-1])
    block = int(re.search(r"startblock (\d+)", out(sample, "inode %d" % inode, "bmap")).group(1))
    found = values(sample, "owner -j %d" % block)[0][0]
    listed = [line.split(" ", 11)[-1] for line in lzma.open(os.path.join(SRC, "tests/data/sample.list.xz"), "rt")
              if line.split()[1] == str(inode)]
    ok(sorted(found["paths"]) == sorted("/" + p.strip() for p in listed) and len(listed) > 1, "owner names all links",
       "%s\n%s" % (found["paths"][:5], listed[:5]))


# ---- JSON ----

def columns(block, name):
    return [[int(v) if isinstance(v, bool) else v for v in row.values()] for row in block[name]]


def json_is_text(sample):
    for what, place in (("rmapbt", ["agf 0", "addr rmaproot"]), ("bnobt", ["agf 1", "addr bnoroot"]), ("bmbt",
            ["path /maps/scrambled-1200"])):
        text = out(sample, *place, "btdump -i")
        blocks = values(sample, *place, "btdump -i -j")[0]
        heads = re.findall(r"^(\w+) level (\d+) block (\d+) daddr (\d+)$", text, flags=re.M)
        numbers = [list(map(int, re.findall(r"-?\d+", row))) for row in re.findall(r"^\d+:\[([^\]]*)\]", text,
                flags=re.M)]
        got = [row for b in blocks for name in ("keys", "recs") if name in b for row in columns(b, name)]
        ok(heads == [(b["type"], str(b["level"]), str(b["block"]), str(b["daddr"])) for b in blocks if "daddr" in b] and
           [[int(v) for v in row] for row in got] == numbers, "btdump -j: " + what)
    text = out(sample, "path /shared/groups", "bmap")
    got = values(sample, "path /shared/groups", "bmap -j")[0]
    ok(text == "".join("%s offset %d startblock %d (%d/%d) count %d flag %d\n" % (
        e["fork"], e["offset"], e["startblock"], e["agno"], e["agbno"], e["count"], e["unwritten"]) for e in got),
            "bmap -j")
    got = values(sample, "fsmap -j 100 9999")[0]
    ok(out(sample, "fsmap 100 9999") == "".join(
            "%d: %d/%d len %d owner %d offset %d bmbt %d attrfork %d extflag %d\n" % (
        i, e["agno"], e["agbno"], e["len"], e["owner"], e["offset"], e["bmbt"], e["attrfork"], e["unwritten"])
        for i, e in enumerate(got)), "fsmap -j")
    got = values(sample, "btheight -j -n 100000 all")[0]
    text = out(sample, "btheight -n 100000 all")
    ok(len(got) == 27 and all("%s: %s case per %d-byte block: %d records (leaf) / %d keyptrs (node)\n" % (
        t["type"], t["case"], t["blocksize"], t["leaf_records"], t["node_keyptrs"]) in text for t in got),
            "btheight -j")
    wrong = []
    for place in (["sb"], ["agf"], ["agi"], ["agfl"], ["inode 64"], ["path /directories/node", "dblock 0"], ["sb",
            "type data"],
                  ["path /attributes/tree", "ablock 0"], ["path /links/long", "dblock 0"], ["agf 0", "addr rmaproot"]):
        names = re.findall(r"^([a-z]\w*)", out(sample, *place, "p"), flags=re.M)
        try:
            value = values(sample, *place, "p -j")[0]
            if not (set(names) <= set(value) or list(value) == ["data"]):
                wrong.append("%s: %s" % (place, set(names) ^ set(value)))
        except ValueError as error:
            wrong.append("%s: %s" % (place, error))
    ok(not wrong, "print -j", "\n".join(wrong))
    ok(values(sample, "sb", "p -j blocksize agcount") == [{"blocksize": 1024, "agcount": 2}], "print -j of some fields")
    ok(out(sample, "sb", "p -j blocksize nosuch") == "field nosuch not found\n",
            "print -j of a field that is not there")


# ---- damage ----

def patch(image, at, data):
    with open(image, "r+b") as f:
        f.seek(at)
        f.write(data)


def damage(work, sample):
    root = int(fields(sample, "agf 0", "p rmaproot")["rmaproot"])
    first = 1024 * root + 56 + 22 * 40      # pointers of a node of 1 KiB
    whole = out(sample, "agf 0", "addr rmaproot", "btdump").count("level 0")
    cases = (
        ("a pointer back to the root", first, struct.pack(">I", root), True, "more than one way"),
        ("two pointers to one block", first, struct.pack(">I",
            int(out(sample, "agf 0", "addr rmaproot", "p ptrs[2]").split()[-1])), True,
         "more than one way leads to block"),
        ("a pointer behind the AG", first, struct.pack(">I", 16384), True, "there is no block 16384"),
        ("level 300", 1024 * root + 4, struct.pack(">H", 300), False, "no tree has level 300"),
        ("65535 entries", 1024 * root + 6, b"\xff\xff", True, ""),
    )
    for what, at, data, some, complaint in cases:
        image = os.path.join(work, "damaged")
        shutil.copyfile(sample, image)
        patch(image, at, data)
        status, text, errors = run(image, "agf 0", "addr rmaproot", "btdump", "btdump -i -j",
                "rmapbt query 0 100 1000", "owner 330", "fsmap")
        leaves = text.count("rmapbt level 0 ")
        good = status == 0 and complaint in errors and (0 < leaves <= whole if some else leaves == 0)
        ok(good, "btdump with " + what, "%d, %d of %d leaves\n%s" % (status, leaves, whole, errors))
        os.unlink(image)
    image = os.path.join(work, "cut")
    shutil.copyfile(sample, image)
    os.truncate(image, 20 << 20)
    status, text, errors = run(image, "agf 1", "addr rmaproot", "btdump", "fsmap", "owner 30000", "frag", "freesp",
            "agresv", "ls /maps")
    ok(status in (0, 1) and "fragmentation factor" in text, "a file that was cut off", "%d %s" % (status, errors))


def unlinked(work, sample):
    """Two chains of inodes, written into buckets by hand."""
    image = os.path.join(work, "unlinked")
    shutil.copyfile(sample, image)
    agino = int(out(sample, "path /plain/empty", "inode").split()[-1])
    other = int(out(sample, "path /plain/medium", "inode").split()[-1])
    patch(image, 1024 + 40 + 4 * 5, struct.pack(">I", agino))
    patch(image, 512 * agino + 96, struct.pack(">I", other))
    said = out(image, "dump_iunlinked -q")
    ok(said == "AG 0 bucket 5 agino %d\n    [0] agino %d\n" % (agino, other), "dump_iunlinked", said)
    ok(out(image, "dump_iunlinked").count("NULL\n") == 127, "dump_iunlinked: empty buckets")
    ok(re.search(r"^AG 0 bucket 5 agino \d+ blocks 0 rtblocks 0$", out(image, "dump_iunlinked -q -v"), flags=re.M),
            "dump_iunlinked -v")
    patch(image, 512 * other + 96, struct.pack(">I", agino))
    ok(len(out(image, "dump_iunlinked -q").splitlines()) < 100000, "dump_iunlinked ends in a loop")
    os.unlink(image)


def ranges(sample):
    """Ranges inside extents, where the incumbent never ends."""
    ok(out(sample, "path /unwritten/middle", "bmap 2", "bmap -d 19 3", "bmap 59", "bmap 60") ==
       "data offset 2 startblock 25723 (1/9339) count 1 flag 1\n"
       "data offset 19 startblock 25740 (1/9356) count 1 flag 1\n"
       "data offset 20 startblock 25741 (1/9357) count 2 flag 0\n"
       "data offset 59 startblock 25780 (1/9396) count 1 flag 1\n",
       "bmap of parts of extents")


def manual(sample):
    """Each command stands first on a .B line of the manual."""
    page = open(os.path.join(SRC, "man/man8/xfs_db.8")).read()
    argv = [DB, "-r", "-x", "-c", "help", sample]
    listed = subprocess.run(argv, stdout=subprocess.PIPE, text=True).stdout.split("\n\n")[0]
    commands = [line.split()[0] for line in listed.splitlines()]
    missing = [c for c in commands if not re.search(r"^\.B %s( |$)" % re.escape(c), page, flags=re.M)]
    ok(len(commands) > 40 and not missing, "the manual names all commands", " ".join(missing))
    section = page.split(".SH COMMANDS")[1].split(".SH ")[0]
    unknown = [c for c in re.findall(r"^\.T[PQ]\n\.B (\w+)", section, flags=re.M) if c not in commands]
    ok(not unknown, "the manual names no other commands", " ".join(unknown))
    silent = [c for c in commands if not out(sample, "help " + c).startswith(c + " ")]
    ok(not silent and commands == sorted(commands), "help knows all commands, sorted", " ".join(silent))


def main():
    with tempfile.TemporaryDirectory(prefix="xfskit-db") as work:
        sample = os.path.join(work, "sample")
        with lzma.open(os.path.join(SRC, "tests/data/sample.img.xz")) as packed, open(sample, "wb") as f:
            shutil.copyfileobj(packed, f)
        rows = mappings(sample)
        wrong = queries(sample, rows)
        ok(len(rows) > 4000 and not wrong, "rmapbt query: records and visited blocks of 50 ranges", "\n".join(wrong))
        wrong = keys_of_records(sample, rows)
        ok(not wrong, "rmapbt query: keys of records", "\n".join(wrong))
        owners(sample, rows)
        owners_without_rmapbt(work, sample)
        hard_links(sample)
        ranges(sample)
        manual(sample)
        json_is_text(sample)
        unlinked(work, sample)
        damage(work, sample)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
