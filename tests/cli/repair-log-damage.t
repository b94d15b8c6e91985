#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Damage at each record of the logs that Linux left dirty: xfs_repair says from where on, and -L keeps what stands before.

The judge is the replay of a copy whose log ends at the damaged record.  Further images hold in place what stands behind
the damage, all of it or a part at random, as a writeback leaves it: nothing of that may be lost or overwritten.
XFSKIT_LONG=1: every record, every kind of damage. DAMAGE_SEED=N: others.
"""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "kernel"), os.path.join(HERE, "..", "damage")]
import campaign  # noqa: E402
from logplaces import LogPlaces  # noqa: E402

lab = campaign.load("repair_log", os.path.join(HERE, "repair-log.t"))

LONG = bool(os.environ.get("XFSKIT_LONG"))
SEED = int(os.environ.get("DAMAGE_SEED", "1"))
REPLAY = os.path.join(lab.BUILD, "bin/tests/helpers/replay")
CRASH, STOPS = (os.path.join(lab.BUILD, "bin/tests/damage", name) for name in ("crash", "stops"))
KINDS = ("bit", "junk", "header", "sector")
UNIT = 8192
ok, run, repair, read = lab.ok, lab.run, lab.repair, lab.read


class Case:
    """An image, its log, its records, and what replays of parts of it give."""

    def __init__(self, name, work):
        self.name, self.work = name, work
        self.image = lab.unpack(name, work)
        self.start, self.blocks, self.records = lab.log_of(self.image)
        self.listing = listing(self.image, work, replayed=True)
        self.cuts = {}
        self.full = f"{work}/{name}.full"
        shutil.copy(self.image, self.full)
        run(REPLAY, "-k", self.full)
        if name == "log-v4":
            write_back(self.full, os.path.abspath(self.image))

    def cut(self, k):
        """The files after a replay of a log that ends before record k."""
        if k not in self.cuts:
            path = f"{self.work}/cut"
            shutil.copy(self.image, path)
            block = self.records[k][0]
            with open(path, "r+b") as f:
                f.seek(self.start + block * 512)
                f.write(bytes((self.blocks - block) * 512))
            self.cuts[k] = listing(path, self.work, replayed=True)
        return self.cuts[k]

    def damage(self, path, k, kind, rnd):
        block, size = self.records[k]
        at = self.start + block * 512
        with open(path, "r+b") as f:
            if kind == "bit":
                at += rnd.choice([rnd.randrange(328), 512 + rnd.randrange(size)])
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << rnd.randrange(8)]))
            elif kind == "junk":
                f.seek(at + 512 + rnd.randrange(size // 512) * 512 + 40)
                f.write(b"damage")
            elif kind == "header":
                f.seek(at + rnd.choice([4, 44, 300]))
                f.write(b"damage")
            else:
                f.seek(at + 512 * rnd.randrange(1 + size // 512))
                f.write(bytes(512))


def inodes_of(dirty):
    """{inode: byte of the image} of those in its log."""
    places, found = LogPlaces(os.path.abspath(dirty), None), {}
    for place in places.all:
        if (place.kind, place.part) == ("logitem", "inode"):
            raw = place.record.read(places.image.read)
            item = bytes(raw[place.position(k)] for k in range(56))
            blkno, _, offset = struct.unpack_from("<qii", item, 40)
            found[struct.unpack_from("<Q", item, 16)[0]] = 512 * blkno + offset
    return found


def write_back(path, dirty):
    """V4 inodes count how often they were written: a replay begins anew, and whoever wrote them back counted on."""
    with open(path, "r+b") as f:
        for at in inodes_of(dirty).values():
            f.seek(at + 30)
            f.write(b"\x40\x00")


def listing(image, work, replayed=False):
    """Files by path; with their log replayed when it is a copy that may be."""
    path = image
    if replayed:
        path = f"{work}/list"
        shutil.copy(image, path)
        run(REPLAY, path)
    return {line.split(" ", 9)[-1]: line.split(" ")[:9] for line in run(lab.LIST, path).stdout.splitlines()}


def differences(got, want):
    """What is missing or another; lost+found and its contents, and links to it, are additions."""
    out = []
    for path, facts in want.items():
        if path not in got:
            out.append(f"missing: {path}")
        elif got[path] != facts and path != ".":
            out.append(f"another: {path} {got[path]} {facts}")
    return out + [f"new: {path}" for path in got if path not in want and not path.startswith("lost+found")]


def refused(path, name, block):
    before = read(path)
    result = repair(path)
    ok(result.returncode == 2 and f"The log is damaged from block {block} on" in result.stdout and
       "would be lost with -L:" in result.stdout and read(path) == before, f"{name}: refused, with the place, nothing written",
       result.stdout)
    result = repair("-L", "-n", path)
    ok(result.returncode == 1 and "The log is damaged from" in result.stdout and read(path) == before,
       f"{name}: -L -n writes nothing", result.stdout)


def given_up(path, name):
    result = repair("-L", path)
    ok(result.returncode == 0, f"{name}: -L", result.stdout[-3000:])
    again = repair("-n", path)
    ok(again.returncode == 0, f"{name}: the second run finds nothing", again.stdout)
    return result.stdout


def at_record(case, k, kind, rnd):
    path = f"{case.work}/w"
    name = f"{case.name}, record {k}, {kind}"
    shutil.copy(case.image, path)
    case.damage(path, k, kind, rnd)
    if kind == "bit":
        result = repair(path)
        ok(result.returncode == 0 and not differences(listing(path, case.work), case.listing), f"{name}: put right and replayed",
           result.stdout[-3000:])
        return
    result = repair("-n", path)
    if "The log ends at block" in result.stdout or k == len(case.records) - 1:
        # what a crash leaves looks like that: the kernel replays the rest
        result = repair(path)
        ok(result.returncode == 0 and (k == len(case.records) - 1 or "The log ends at block" in result.stdout),
           f"{name}: the log ends there, and that is said when it goes on", result.stdout)
    else:
        refused(path, name, case.records[k][0])
        said = given_up(path, name)
        kept = sum(line.endswith("is kept") for line in said.splitlines())
        ok(k < 3 or kept > 5, f"{name}: says what is kept ({kept})", said)
    bad = differences(listing(path, case.work), case.cut(k))
    ok(not bad, f"{name}: the files of a log that ends there", "\n".join(bad))


def ahead(case, k, kind, rnd):
    """Everything is in place already, and files have their data where older images would go."""
    path = f"{case.work}/w"
    name = f"{case.name}, record {k}, {kind}, all in place"
    shutil.copy(case.full, path)
    case.damage(path, k, kind, rnd)
    given_up(path, name)
    bad = [x for x in differences(listing(path, case.work), case.listing) if not x.startswith("new")]
    ok(not bad, f"{name}: every file is there", "\n".join(bad))


def mixed(case, k, kind, rnd):
    """A part of it is in place: what the replay of either part would leave alone stays as it is."""
    path = f"{case.work}/w"
    name = f"{case.name}, record {k}, {kind}, a part in place"
    old, new = read(case.image), read(case.full)
    out = bytearray(old)
    for at in range(0, len(old), UNIT):
        if old[at:at + UNIT] != new[at:at + UNIT] and rnd.random() < 0.5:
            out[at:at + UNIT] = new[at:at + UNIT]
    with open(path, "wb") as f:
        f.write(out)
    case.damage(path, k, kind, rnd)
    given_up(path, name)
    early, late = case.cut(k), case.listing
    same = {p: facts for p, facts in early.items() if late.get(p) == facts and facts[0] == "f"}
    got = {facts[1]: facts for facts in listing(path, case.work).values()}
    bad = [f"{p}: {got.get(facts[1])} {facts}" for p, facts in same.items()
           if facts[1] not in got or got[facts[1]][6:8] != facts[6:8]]
    ok(not bad, f"{name}: files that both sides know have their contents ({len(same)})", "\n".join(bad))


def older(case, k, rnd):
    """V4: all is in place but for some inodes, which are as of before the log: no block of another one goes back."""
    path = f"{case.work}/w"
    name = f"{case.name}, record {k}, some inodes older"
    before = read(case.image)
    places = inodes_of(case.image)
    some = rnd.sample(sorted(places), 4)
    shutil.copy(case.full, path)
    with open(path, "r+b") as f:
        for ino in some:
            f.seek(places[ino])
            f.write(before[places[ino]:places[ino] + 256])
    case.damage(path, k, "junk", rnd)
    result = run(STOPS, path, "7" if LONG else "20", "0")
    ok(result.returncode == 0 and result.stdout.endswith("wrong 0\n"), f"{name}: stopped at writes, the next run ends the same", result.stdout)
    said = given_up(path, name)
    ok("are in place as of later and stay" in said, f"{name}: said", said)
    roots = [p for p, facts in case.listing.items() if int(facts[1]) in some]
    # names in those that are older are no longer there, so links may be fewer
    got, want = ({p: facts[:5] + facts[6:] for p, facts in files.items()} for files in (listing(path, case.work), case.listing))
    bad = [x for x in differences(got, want) if not x.startswith("new") and
           not any(x.split(" ")[1] == root or x.split(" ")[1].startswith(root + "/") for root in roots)]
    ok(not bad, f"{name}: every other file is there ({len(case.listing)})", "\n".join(bad))


def crashed(case, k, rnd, stops):
    """Stopped at a write, the next run ends like the one that nobody stopped."""
    whole, path = f"{case.work}/whole", f"{case.work}/w"
    shutil.copy(case.image, whole)
    case.damage(whole, k, "junk", rnd)
    damaged = read(whole)
    result = run(CRASH, whole, "0", "0")
    writes = int(result.stdout.rsplit("writes ", 1)[1].split()[0])
    want = listing(whole, case.work)
    bad = []
    for stop in range(1, writes + 1) if LONG else sorted(rnd.sample(range(1, writes + 1), min(stops, writes))):
        with open(path, "wb") as f:
            f.write(damaged)
        run(CRASH, path, str(stop), str(stop % 3))
        result = repair("-L", path)
        again = repair("-n", path)
        found = [x for x in differences(listing(path, case.work), want)]
        if result.returncode or again.returncode or found:
            bad.append(f"stop {stop} of {writes}: {result.returncode}, then {again.returncode}: {found[:3]}")
    ok(not bad, f"{case.name}, record {k}: stopped at writes, the next run ends like the whole one ({writes})", "\n".join(bad))


def unreadable(case, k):
    """A sector of the log that cannot be read is damage at a place."""
    path = f"{case.work}/w"
    shutil.copy(case.image, path)
    block = case.records[k][0]
    result = run(CRASH, path, "0", "0", str(case.start + (block + 1) * 512), "512")
    bad = differences(listing(path, case.work), case.cut(k))
    ok("error 0" in result.stdout and not bad, f"{case.name}, record {k}: a sector that cannot be read", result.stdout[-500:] + "\n".join(bad))


def undone(case, k, rnd):
    path = f"{case.work}/w"
    shutil.copy(case.image, path)
    case.damage(path, k, "junk", rnd)
    before = read(path)
    undo, plan = f"{case.work}/undo", f"{case.work}/plan"
    result = repair("-L", "-n", f"--plan={plan}", path)
    ok(result.returncode == 1 and read(path) == before and b'"writes"' in read(plan), f"{case.name}: --plan of -L", result.stdout[-2000:])
    result = repair("-L", f"--undo={undo}", path)
    taken = run(os.path.join(lab.BUILD, "xfs_repair"), f"--undo-apply={undo}", path)
    ok(result.returncode == 0 and taken.returncode == 0 and read(path) == before, f"{case.name}: --undo of -L", result.stdout[-2000:] + taken.stdout)


def main():
    rnd = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="repair-log-damage.") as work:
        for name in ("log-rmap", "log-unlinked", "log-v4"):
            case = Case(name, work)
            n = len(case.records)
            some = range(n) if LONG else sorted({0, rnd.randrange(1, n // 2), n // 2, rnd.randrange(n // 2, n)})
            for i, k in enumerate(some):
                for kind in KINDS if LONG else (KINDS[i % 4], KINDS[(i + 1) % 4]):
                    at_record(case, k, kind, rnd)
                if k < n - 1 and (LONG or name != "log-v4" or i < 2):
                    for _ in range(4 if LONG else 1):
                        ahead(case, k, "junk", rnd)
                        mixed(case, k, "junk", rnd)
            if name == "log-v4":
                for k in range(2, n - 2) if LONG else rnd.sample(range(2, n - 2), 2):
                    older(case, k, rnd)
            else:
                unreadable(case, n // 3)
                crashed(case, n // 2, rnd, 8)
            if name == "log-rmap":
                undone(case, n // 2, rnd)
    print(f"1..{lab.count}")
    return lab.failed


if __name__ == "__main__":
    sys.exit(main())
