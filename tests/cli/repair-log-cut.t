#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Chains of changes that are open where the damage of a log begins: xfs_repair -L finishes them when nothing that was
logged later is in place, and leaves them to the repair when something is.  XFSKIT_LONG=1: all of it with each chain.

The chains are those of tests/kernel/intents.t, whose meaning is known file by file; behind them stand checkpoints that
are lost, the first of them damaged.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "kernel"))
import campaign  # noqa: E402
import metaimage  # noqa: E402

lab = campaign.load("repair_log", os.path.join(HERE, "repair-log.t"))
chains = campaign.load("intents", os.path.join(HERE, "..", "kernel", "intents.t"))
listing = campaign.load("list_image", campaign.LISTER)
from xfsread import crc32c  # noqa: E402

ok, run, repair, read = lab.ok, lab.run, lab.repair, lab.read
LOGMAKE, REPLAY, STOPS = (os.path.join(lab.BUILD, "bin/tests", name)
                          for name in ("helpers/logmake", "helpers/replay", "damage/stops"))
LONG = bool(os.environ.get("XFSKIT_LONG"))
logs = {}       # of images that are copied from: records that their logs hold
BEHIND = 12     # checkpoints behind the damage: too many to be what a crash tore


def make(path, base, prepare, words, swapped=False):
    """Leaves `words` in the log, then what is lost; its first record is damaged. Block of that record."""
    shutil.copy(base, path)
    if base not in logs:
        logs[base] = len(lab.log_of(base)[2])
    made = run(LOGMAKE, *(["-s"] if swapped else []), path, *prepare, *words, *(["commit", words[0]] * BEHIND))
    start, _, records = lab.log_of(path)
    if made.returncode or len(records) < logs[base] + BEHIND:
        raise SystemExit("logmake: " + made.stdout)
    bad = records[-BEHIND][0]
    with open(path, "r+b") as f:
        f.seek(start + (bad + 1) * 512 + 40)
        f.write(b"damage")
    return bad


def free_blocks(path):
    return re.findall(r"fdblocks = \d+",
                      run(os.path.join(lab.BUILD, "xfs_db"), "-r", "-c", "sb 0", "-c", "print fdblocks", path).stdout)


def files(path):
    """The checksum list of an image."""
    fs = chains.Fs(chains.Image(path), chains.Report(), check_crc=False)
    return list(listing.walk(fs, b"", chains.read_inode(fs, fs.sb.rootino), {}, frozenset()))


def mark_newer(path, ino, lsn):
    """An inode is in place as of this LSN."""
    text = run(os.path.join(lab.BUILD, "xfs_db"), "-r", "-c", f"convert inode {ino} daddr", path).stdout
    at = int(re.search(r"\((\d+)\)", text).group(1)) * 512
    sb = read(path, 512)
    size, inopblog = struct.unpack(">H", sb[104:106])[0], sb[123]
    at += (ino & (1 << inopblog) - 1) * size
    with open(path, "r+b") as f:
        f.seek(at)
        raw = bytearray(f.read(size))
        raw[112:120] = lsn.to_bytes(8, "big")
        raw[100:104] = struct.pack("<I", crc32c.block_crc(bytes(raw), 100))
        f.seek(at)
        f.write(raw)


def holds(case, path, name):
    after = chains.View(path)
    wrong = [ino for ino, want in case.want.items() if after.bytes(ino) != want]
    ok(not wrong, f"{name}: the files are what the finished chain says", f"inodes {wrong}")
    wrong = [ino for ino, want in case.attrs.items() if any(after.attrs(ino).get(k) != v for k, v in want.items())]
    ok(not wrong, f"{name}: the attributes, too", f"inodes {wrong}")


def given_up(path, name, said):
    result = repair("-L", path)
    ok(result.returncode == 0 and said in result.stdout, f"{name}: -L", result.stdout)
    again = repair("-n", path)
    ok(again.returncode == 0 and "ALERT" not in again.stdout, f"{name}: the second run finds nothing", again.stdout)


def finished(work, case, swapped, full):
    name, path, whole = case.name + (", other byte order" if swapped else ""), f"{work}/w", f"{work}/whole"
    bad = make(path, f"{work}/sample", case.prepare, case.words, swapped)
    if full:
        before, written = read(path), os.stat(path).st_mtime_ns
        result = repair(path)
        ok(result.returncode == 2 and f"The log is damaged from block {bad} on" in result.stdout
           and os.stat(path).st_mtime_ns == written, f"{name}: refused, nothing written", result.stdout)
        result = repair("-L", "-n", path)
        ok(result.returncode == 1 and f"ends at block {bad} now" in result.stdout and read(path) == before,
           f"{name}: -L -n writes nothing", result.stdout)
    given_up(path, name, "changes that were cut off finished")
    holds(case, path, name)
    if not full:
        return
    shutil.copy(f"{work}/sample", whole)
    run(LOGMAKE, *(["-s"] if swapped else []), whole, *case.prepare, *case.words)
    run(REPLAY, whole)
    ok(files(path) == files(whole), f"{name}: the files of a log that ends there")


def left(work, case):
    """An inode is in place that was logged behind the damage: what else is, nobody knows."""
    name, path = case.name + ", something newer in place", f"{work}/w"
    bad = make(path, f"{work}/sample", case.prepare, case.words)
    mark_newer(path, chains.number(path, "/plain/file-00004")[0], 1 << 32 | bad + 4)
    given_up(path, name, "that were cut off are left to the repair")


def one_bad(work, case):
    """The log is whole, and one of the chains that it announces cannot be: the others are finished."""
    name, path = case.name + ", beside one that cannot be", f"{work}/w"
    shutil.copy(f"{work}/sample", path)
    run(LOGMAKE, path, *case.prepare, f"bui:{chains.MAP}:{1 << 40}:0:100:4", "commit", *case.words)
    before = read(path)
    result = repair(path)
    ok(result.returncode == 2 and "Changes that the log announces cannot be finished" in result.stdout
       and read(path) == before, f"{name}: refused, nothing written", result.stdout)
    given_up(path, name, "1 changes that were cut off are left to the repair")
    holds(case, path, name)


def none_good(work):
    """The same with no other: what is left is said all the same."""
    path = f"{work}/w"
    shutil.copy(f"{work}/sample", path)
    run(LOGMAKE, path, f"bui:{chains.MAP}:{1 << 40}:0:100:4")
    given_up(path, "one that cannot be", "1 changes that were cut off are left to the repair")


def in_part(work, case, other):
    """The first step of a chain is done in a transaction that cannot be carried out as a whole: the later ones would come on top
    of something else, and the first one might come twice.  Another chain is finished."""
    name, path = case.name + ", done in part", f"{work}/w"
    shutil.copy(f"{work}/sample", path)
    before = chains.View(path)
    before = {ino: before.bytes(ino) for ino in case.want}
    made = run(LOGMAKE, path, *case.prepare, *other.prepare, *case.words, "commit", "bud:0", "stray", "commit", *other.words)
    ok(made.returncode == 0 and case.words[0].startswith("bui:"), f"{name}: written", made.stdout)
    given_up(path, name, f"{len(case.words)} changes that were cut off are left to the repair")
    after = chains.View(path)
    wrong = [ino for ino, want in before.items() if after.bytes(ino) != want]
    ok(not wrong, f"{name}: no step of it is done", f"inodes {wrong}")
    holds(other, path, name + ", another")


def stopped(work, case):
    path = f"{work}/w"
    make(path, f"{work}/sample", case.prepare, case.words)
    result = run(STOPS, path, *(("1", "7") if LONG else ("28", "0")))
    stops = re.search(r"stops (\d+) wrong 0$", result.stdout, re.M)
    ok(result.returncode == 0 and stops and int(stops.group(1)) > 15,
       f"{case.name}: stopped at writes, the next run ends the same", result.stdout)


def parents(work):
    """The parent pointer of a name is in the log alone."""
    base, path = f"{work}/parent", f"{work}/w"
    subprocess.run(["truncate", "-s", "64m", base], check=True)
    small = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
    subprocess.run([os.path.join(lab.BUILD, "mkfs.xfs"), "-q", "-n", "parent=1", "-d", "agcount=2", base], env=small,
                   check=True)
    root, gen, _ = chains.number(base, "/")
    ino, igen = run(LOGMAKE, base, "file:one").stdout.split()
    record = root.to_bytes(8, "big").hex() + gen.to_bytes(4, "big").hex()
    make(path, base, [], [f"attri:{chains.PPTR_SET}:{ino}:{igen}:8:one:{record}"])
    given_up(path, "parent pointer set", "1 changes that were cut off finished")
    got = {key[1].decode() for key in chains.View(path).attrs(int(ino)) if key[0] == chains.PARENT}
    ok(got == {"one"}, "parent pointer set: it is what the directory says", f"{got}")


def realtime(work):
    """Space of the realtime section follows from files: what a log announces of it is sorted out, mappings are made in the file."""
    image, section = metaimage.made("rtgroups")
    path, rt = f"{work}/w", f"{work}/rt"
    chains_of = ["rt-efi:20:4", "rt-rui:1:139:20:0:4", "rt-cui:1:20:4"]
    for words, name in ((chains_of, "realtime space announced"), ([f"bui:{chains.MAP | 1 << 29}:139:5000:280:4"], "a realtime mapping announced")):
        shutil.copy(image, path)
        shutil.copy(section, rt)
        before = read(rt)
        made = run(LOGMAKE, path, *words)
        result = repair("-r", rt, path)
        ok("of the realtime section are left to the repair" in result.stdout, f"{name}: sorted out", made.stdout + result.stdout)
        again = repair("-n", "-r", rt, path)
        ok(result.returncode == 0 and again.returncode == 0 and "ALERT" not in again.stdout, f"{name}: the second run finds nothing",
           result.stdout + again.stdout)
        ok(read(rt) == before and not re.search(r"[1-9]\d* bytes (lost|moved)", result.stdout), f"{name}: nothing is lost", result.stdout)


def freed(work):
    """Blocks that become free: no file has them, so they are free, whoever does it; V4 knows nothing else."""
    wholes = {}     # by base: what the whole replay leaves
    for name, base, newer in (("V5", f"{work}/sample", False), ("V5, something newer in place", f"{work}/sample", True),
                              ("V4", f"{work}/v4", False)):
        path, whole = f"{work}/w", f"{work}/whole"
        text = run(os.path.join(lab.BUILD, "xfs_db"), "-r", "-c", "sb 0", "-c", "print agblklog", "-c", "freesp -d",
                   base).stdout
        log = int(re.search(r"agblklog = (\d+)", text).group(1))
        runs = [tuple(map(int, m)) for m in re.findall(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s*$", text, re.M)]
        agno, start, length = max(runs, key=lambda r: r[2])
        block = (agno << log) + start + length // 2
        bad = make(path, base, [f"take:{block}:8"], [f"efi:{block}:8"])
        if newer:
            mark_newer(path, chains.number(path, "/plain/file-00004")[0], 1 << 32 | bad + 4)
        given_up(path, f"blocks freed, {name}", "left to the repair" if newer or name == "V4" else "cut off finished")
        if base not in wholes:
            shutil.copy(base, whole)
            run(LOGMAKE, whole, f"take:{block}:8", f"efi:{block}:8")
            run(REPLAY, whole)
            wholes[base] = free_blocks(whole), files(whole)
        free, same = wholes[base]
        ok(free and free_blocks(path) == free and files(path) == same,
           f"blocks freed, {name}: as many as after the whole replay", f"{free}")


def main():
    with tempfile.TemporaryDirectory(prefix="repair-log-cut.") as work:
        campaign.unpack("data/sample.img", f"{work}/sample")
        campaign.unpack("oracle/data/v4.img", f"{work}/v4")
        known = [*chains.cases(f"{work}/sample"), *chains.attr_cases(f"{work}/sample")]
        for k, case in enumerate(known):
            finished(work, case, k % 3 == 2, LONG or k % 5 == 0)
            if LONG or k % 5 == 1:
                left(work, case)
            if LONG or k % 5 == 3:
                one_bad(work, case)
        for case in known:
            if case.name in ("copy-on-write ends", "exchange", "attributes replaced")[:3 if LONG else 1]:
                stopped(work, case)
        named = {case.name: case for case in known}
        for name in ("copy-on-write ends", "unmap", "remap")[:3 if LONG else 1]:
            in_part(work, named[name], named["attributes replaced"])
        none_good(work)
        parents(work)
        freed(work)
        realtime(work)
    print(f"1..{lab.count}")
    return lab.failed


if __name__ == "__main__":
    sys.exit(main())
