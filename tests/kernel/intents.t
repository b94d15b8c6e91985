#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Chains of changes to files that are left in the log of the sample image: our recovery finishes them.

Each chain is written in both byte orders.  Afterwards the files hold what the finished chain means, the independent
judge and both xfs_repair -n find nothing.  Where the kernel of the box knows the kind, its mount of the same log must
show the same files.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("XFSKIT_BUILD", os.getcwd())
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]
import campaign  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread import content  # noqa: E402
from xfsread.attrs import Attributes  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402

replay = campaign.load("replay", os.path.join(HERE, "replay.t"))
run, ok = replay.run, replay.ok
BLOCK = 1024
MAP, UNMAP = 1, 2
INCREASE, DECREASE = 1, 2
UNWRITTEN = 0x40000000


class View:
    """An image as the independent reader sees it."""

    def __init__(self, path):
        self.fs = Fs(Image(path), Report())

    def inode(self, ino):
        return read_inode(self.fs, ino)

    def bytes(self, ino):
        return content.file_bytes(self.fs, self.inode(ino))

    def attrs(self, ino):
        inode = self.inode(ino)
        return {(flags, name): value
                for flags, name, value in Attributes(self.fs, inode, read_fork(self.fs, inode, True)).entries}


def extents(image, ino):
    """(offset, block, count, unwritten) of the data fork."""
    text = run([os.path.join(BUILD, "xfs_db"), "-r", "-c", f"inode {ino}", "-c", "bmap", image]).stdout
    return [tuple(map(int, m)) for m in re.findall(r"offset (\d+) startblock (\d+) \(\d+/\d+\) count (\d+) flag (\d)",
                                                   text)]


def number(image, path):
    text = run([os.path.join(BUILD, "xfs_db"), "-r", "-c", f"path {path}", "-c", "print core.gen v3.inumber core.size",
                image]).stdout
    found = dict(re.findall(r"^(\S+) = (\d+)", text, re.M))
    return int(found["v3.inumber"]), int(found["core.gen"]), int(found["core.size"])


def free_run(image, least):
    """A free extent of at least so many blocks, away from others."""
    text = run([os.path.join(BUILD, "xfs_db"), "-r", "-c", "freesp -d", image]).stdout
    runs = [tuple(map(int, m)) for m in re.findall(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s*$", text, re.M)]
    agno, start, length = max((r for r in runs if r[2] >= least), key=lambda r: r[2])
    return (agno << 14) + start + length // 2


def splice(data, off, count, what):
    return data[:off * BLOCK] + what + data[(off + count) * BLOCK:]


class Case:
    """A chain: words for logmake, the contents that files have afterwards, and whether the old kernel knows it."""

    def __init__(self, name, words, want, known=True, attrs=None, prepare=()):
        self.name, self.words, self.want, self.known, self.attrs, self.prepare = name, words, want, known, attrs or {}, prepare


def whole_extent(image, ino, least, written=True):
    return next(e for e in extents(image, ino) if e[2] >= least and (not written or not e[3]))


def cases(image):
    before = View(image)
    source, source_gen, source_size = number(image, "/shared/source")
    copy, copy_gen, copy_size = number(image, "/shared/copy")
    plain, plain_gen, plain_size = number(image, "/plain/medium")
    sparse = number(image, "/plain/sparse")[0]
    data, copied = before.bytes(source), before.bytes(copy)
    off, block, count, _ = whole_extent(image, copy, 6)
    at, start = off + 1, block + 1
    hole = splice(copied, at, 4, bytes(4 * BLOCK))
    yield Case("unmap", [f"bui:{UNMAP}:{copy}:{at}:{start}:4", f"cui:{DECREASE}:{start}:4"], {copy: hole, source: data})
    yield Case("unmap two files", [f"bui:{UNMAP}:{ino}:{at}:{start}:4" if kind == "b" else f"cui:{DECREASE}:{start}:4"
                                   for ino in (copy,) for kind in "bc"] +
               [f"bui:{UNMAP}:{copy}:{at + 4}:{start + 4}:1", "commit", f"cui:{DECREASE}:{start + 4}:1"],
               {copy: splice(hole, at + 4, 1, bytes(BLOCK)), source: data})
    donor_off, donor, _, _ = [e for e in extents(image, source) if e[2] >= 6 and not e[3]][-1]
    if donor_off <= at < donor_off + 6:
        donor_off, donor = donor_off + 2, donor + 2
    yield Case("remap", [f"bui:{UNMAP}:{copy}:{at}:{start}:3", f"cui:{DECREASE}:{start}:3",
                         f"cui:{INCREASE}:{donor + 2}:3", f"bui:{MAP}:{copy}:{at}:{donor + 2}:3"],
               {copy: splice(copied, at, 3, data[(donor_off + 2) * BLOCK:(donor_off + 5) * BLOCK]), source: data})
    empty = free_run(image, 64)
    with open(image, "rb") as f:
        f.seek(((empty >> 14) * 16384 + (empty & 16383)) * BLOCK)
        raw = f.read(8 * BLOCK)
    gaps = extents(image, sparse)
    into = gaps[0][0] + gaps[0][2] + 3
    yield Case("map into a hole", [f"bui:{MAP}:{sparse}:{into}:{empty}:8"],
               {sparse: splice(before.bytes(sparse), into, 8, raw)}, prepare=[f"take:{empty}:8"])
    yield Case("map unwritten", [f"bui:{MAP | UNWRITTEN}:{sparse}:{into}:{empty}:8"],
               {sparse: before.bytes(sparse)}, known=False, prepare=[f"take:{empty}:8"])
    yield Case("copy-on-write ends", [f"bui:{UNMAP}:{copy}:{at}:{start}:3", f"cui:{DECREASE}:{start}:3",
                                      f"bui:{MAP}:{copy}:{at}:{empty}:3"],
               {copy: splice(copied, at, 3, raw[:3 * BLOCK]), source: data}, prepare=[f"take:{empty}:3"])
    mine, yours = extents(image, plain)[0], [e for e in extents(image, copy) if e[2] >= 2]
    n = min(mine[2], yours[0][2], 5)
    swapped = before.bytes(plain)[:n * BLOCK]
    yield Case("exchange", [f"xmi:{plain}:{plain_gen}:{copy}:{copy_gen}:{mine[0]}:{yours[0][0]}:{n}:0:0:0"],
               {plain: splice(before.bytes(plain), mine[0], n, copied[yours[0][0] * BLOCK:(yours[0][0] + n) * BLOCK]),
                copy: splice(copied, yours[0][0], n, swapped)}, known=False, prepare=["exchange", f"reflink:{plain}"])
    end = max(e[0] + e[2] for ino in (source, copy) for e in extents(image, ino))
    yield Case("exchange all", [f"xmi:{source}:{source_gen}:{copy}:{copy_gen}:0:0:{end}:2:{copy_size}:{source_size}"],
               {source: copied, copy: data}, known=False, prepare=["exchange"])


SET, REMOVE, REPLACE, PPTR_SET, PPTR_REMOVE, PPTR_REPLACE = range(1, 7)
ROOT, SECURE, PARENT = 2, 4, 8


def attr_cases(image):
    """Operations on attributes, which this kernel's log does not hold unless it is told to."""
    before = View(image)
    inline, leaf, tree, remote = (number(image, f"/attributes/{n}")[0] for n in ("inline", "leaf", "tree", "remote"))
    bare = number(image, "/plain/file-00003")[0]
    have = {ino: before.attrs(ino) for ino in (inline, leaf, tree, remote)}
    old = {ino: sorted(have[ino])[0] for ino in have}
    words, want = [], {}
    for ino in (inline, leaf, tree, remote, bare):
        value = bytes(range(256)) * (12 if ino == leaf else 1)
        words.append(f"attri:{SET}:{ino}:0:0:fresh:{value.hex()}")
        words.append(f"attri:{SET}:{ino}:0:{ROOT}:fresh:{b'trusted'.hex()}")
        words.append(f"attri:{SET}:{ino}:0:{SECURE}:empty")
        want[ino] = {(0, b"fresh"): value, (ROOT, b"fresh"): b"trusted", (SECURE, b"empty"): b""}
    contents = {ino: before.bytes(ino) for ino in (inline, leaf, tree, remote, bare)}
    yield Case("attributes set", words, contents, attrs=want, known=False, prepare=["attrs"])
    words, want = [], {}
    for ino in have:
        flags, name = old[ino]
        others = {key: value for key, value in list(have[ino].items())[1:4] if key != old[ino]}
        words.append(f"attri:{REMOVE}:{ino}:0:{flags & 6}:{name.decode()}")
        words.append(f"attri:{REMOVE}:{ino}:0:0:neverwas")
        want[ino] = {old[ino]: None, **others}
    yield Case("attributes removed", words, contents, attrs=want, known=False, prepare=["attrs"])
    words, want = [], {}
    for ino in have:
        flags, name = old[ino]
        words.append(f"attri:{REPLACE}:{ino}:0:{flags & 6}:{name.decode()}:{(b'changed' * 100).hex()}")
        want[ino] = {old[ino]: b"changed" * 100}
    yield Case("attributes replaced", words, contents, attrs=want, known=False, prepare=["attrs"])


def finish(work, case, swapped):
    """Our recovery; None when it failed."""
    name = case.name + (", other byte order" if swapped else "")
    path = f"{work}/{case.name.replace(' ', '-')}.{'swapped' if swapped else 'ours'}"
    shutil.copy(f"{work}/sample", path)
    made = run([os.path.join(BUILD, "bin/tests/helpers/logmake"), *(["-s"] if swapped else []),
                path, *case.prepare, *case.words])
    if not ok(made.returncode == 0, f"{name}: written to the log", made.stdout):
        return
    if not swapped:
        shutil.copy(path, path.replace(".ours", ".kernel"))
    result = run([os.path.join(BUILD, "bin/tests/helpers/replay"), path])
    if not ok(result.returncode == 0 and re.search(r"^finished [1-9]", result.stdout, re.M),
              f"{name}: finished", result.stdout):
        return
    after = View(path)
    wrong = [ino for ino, want in case.want.items() if after.bytes(ino) != want]
    ok(not wrong, f"{name}: the files are what the finished chain says", f"inodes {wrong}")
    for ino, want in case.attrs.items():
        got = after.attrs(ino)
        ok(all(got.get(key) == value for key, value in want.items()), f"{name}: the attributes, too",
           f"{[(k, v, got.get(k)) for k, v in want.items()]}"[:2000])
    judge = run([sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"), "--ignore", "rmapbt-key-unwritten",
                 path])
    ok(judge.returncode == 0, f"{name}: the independent judge", judge.stdout)
    check = run([os.path.join(BUILD, "xfs_repair"), "-n", path])
    ok(check.returncode == 0, f"{name}: our xfs_repair -n", check.stdout)
    if campaign.UPSTREAM:
        theirs = campaign.upstream_finds(path)
        ok(not theirs, f"{name}: xfs_repair -n of the distribution", theirs)


def parents(work):
    """Names that change while the parent pointer is still in the log alone: set, replaced, removed."""
    logmake = os.path.join(BUILD, "bin/tests/helpers/logmake")
    first = f"{work}/parent"
    with open(first, "wb") as f:
        f.truncate(64 << 20)
    env = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
    made = run([os.path.join(BUILD, "mkfs.xfs"), "-q", "-n", "parent=1", "-d", "agcount=2", first], env=env)
    if not ok(made.returncode == 0, "parent pointers: mkfs", made.stdout):
        return
    root, root_gen, _ = number(first, "/")
    record = root.to_bytes(8, "big").hex() + root_gen.to_bytes(4, "big").hex()
    old = "a" * 200
    for swapped in ([], ["-s"]):
        image = f"{first}{len(swapped)}"
        shutil.copy(first, image)
        ino, gen = run([logmake, image, "file:one"]).stdout.split()
        steps = [("set", [f"attri:{PPTR_SET}:{ino}:{gen}:8:one:{record}"], {"one"}),
                 ("replaced", [f"unlink:one:{ino}", f"link:{old}:{ino}",
                               f"attri:{PPTR_REPLACE}:{ino}:{gen}:8:one:{record}:{old}:{record}"], {old}),
                 ("set again", [f"link:two:{ino}", f"attri:{PPTR_SET}:{ino}:{gen}:8:two:{record}"], {old, "two"}),
                 ("removed", [f"unlink:{old}:{ino}", f"attri:{PPTR_REMOVE}:{ino}:{gen}:8:{old}:{record}"], {"two"})]
        for name, words, want in steps:
            name = f"parent pointer {name}" + (", other byte order" if swapped else "")
            made = run([logmake, *swapped, image, *words])
            before = run([os.path.join(BUILD, "xfs_repair"), "-n", "-o", "noreplay", image])
            result = run([os.path.join(BUILD, "bin/tests/helpers/replay"), image])
            ok(made.returncode == 0 and result.returncode == 0 and re.search(r"^finished 1 ", result.stdout, re.M),
               f"{name}: finished", made.stdout + result.stdout)
            got = {key[1].decode() for key in View(image).attrs(int(ino)) if key[0] == PARENT}
            ok(got == want, f"{name}: it is what the directory says", f"{got} {before.stdout}")
            judge = run([sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"), image])
            ok(judge.returncode == 0, f"{name}: the independent judge", judge.stdout)
            check = run([os.path.join(BUILD, "xfs_repair"), "-n", image])
            ok(check.returncode == 0, f"{name}: our xfs_repair -n", check.stdout)
        wrong = run([logmake, *swapped, image, f"attri:{PPTR_SET}:{ino}:{int(gen) ^ 1}:8:three:{record}"])
        result = run([os.path.join(BUILD, "bin/tests/helpers/replay"), image])
        ok(wrong.returncode == 0 and result.returncode == 1 and "attri" in result.stdout,
           "parent pointer of an inode of another generation: refused", result.stdout)


def against_kernel(work, chosen):
    """The kernel finishes the same chains, and shows the same files."""
    names = [c.name.replace(" ", "-") for c in chosen]
    with open(f"{work}/jobs", "w") as jobs:
        for n in names:
            jobs.write(f"job {n} timeout=60\nmnt {n}\numnt {n}\nmnt {n} -o ro,norecovery\nwalk {n}\numnt {n}\n")
    os.makedirs(f"{work}/out", exist_ok=True)
    result = run([replay.BOX, "run", "--out", f"{work}/out", replay.BOX_DIR, f"{work}/jobs",
                  *(f"{n}={work}/{n}.kernel" for n in names)])
    if result.returncode == 77:
        ok(True, "the kernel's recovery # SKIP " + result.stdout.strip().splitlines()[-1])
        return
    for n in names:
        if not ok(not replay.line_of(result.stdout, n).startswith("not"), f"{n}: the kernel's recovery", result.stdout):
            continue
        same = run([os.path.join(HERE, "list-image"), f"{work}/{n}.ours", f"{work}/out/{n}.out"])
        ok(same.returncode == 0, f"{n}: the same files as after the kernel's recovery", same.stdout)


def main():
    with tempfile.TemporaryDirectory(prefix="intents.") as work:
        with open(f"{work}/sample", "wb") as f:
            subprocess.run(["xz", "-dc", os.path.join(HERE, "..", "data", "sample.img.xz")], stdout=f, check=True)
        all_cases = [*cases(f"{work}/sample"), *attr_cases(f"{work}/sample")]
        for case in all_cases:
            for swapped in (False, True):
                finish(work, case, swapped)
        parents(work)
        against_kernel(work, [c for c in all_cases if c.known])
    print(f"1..{replay.count}")
    return replay.failed


if __name__ == "__main__":
    sys.exit(main())
