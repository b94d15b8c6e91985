#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scripts of changes with a log, stopped after any write, the last one torn; a kernel and our own recovery go on from there.

For each stop: the log that is left keeps all rules of libxfs/log/validate.h; a kernel in the box mounts it, and both
xfs_repair -n find nothing afterwards; the files are those after the operations that were done, or one more, or in the
middle of one that goes in steps; later stops never show less.  Our recovery shows the same files as the kernel, also when
it is stopped somewhere itself and begun again.  What was open in the logs is counted by type.

Filesystems with parent pointers or exchange of ranges, and logs in the other byte order, are recovered by us alone.

XFSKIT_LONG=1: thousands of stops, at least 50 with open intents of each type. CRASH_STOPS=N: about N of all sets.
CRASH_SETS=NAME,...: only these. CRASH_NO_BOX=1: our recovery alone. CRASH_SEED=N: other scripts.
CRASH_KEEP=DIR: images of stops that went wrong stay there.
"""
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("XFSKIT_BUILD", os.getcwd())
FSX = os.path.join(BUILD, "bin/tests/lib/fsx")
BOX = os.path.join(HERE, "..", "box", "box")
BOX_DIR = os.environ.get("BOX_DIR", "box.build")
LONG = bool(os.environ.get("XFSKIT_LONG"))
SEED = int(os.environ.get("CRASH_SEED", "1"))
KEEP = os.environ.get("CRASH_KEEP")
THEIRS = shutil.which("xfs_repair", path="/usr/sbin:/sbin")
STOPS = int(os.environ.get("CRASH_STOPS", "0"))
ONLY = os.environ.get("CRASH_SETS")
NO_BOX = "CRASH_NO_BOX is set" if os.environ.get("CRASH_NO_BOX") else None
GARBAGE = 2 << 20               # bytes of each of two groups
BATCH = 150                     # images of one boot
EACH = ["--logged", "--each"]
FULL = "-m rmapbt=1,reflink=1"
NEW = FULL + " -i exchange=1 -n parent=1"
SYNC = ["--sync-every", "20"]   # most kernel time goes into replaying what was not quiesced
# name, mkfs options, block, how it is opened, what the script has, operations, may a kernel see it, stops: short, long
SETS = [
    ("each-1k", FULL + " -b size=1k", 1024, EACH, ["--reflink", *SYNC], 400, True, 70, 900),
    ("each-4k", FULL, 4096, EACH, ["--reflink", *SYNC], 400, True, 40, 700),
    ("batched", FULL + " -b size=1k", 1024, ["--logged"], ["--reflink", "--aligned", "--sync-every", "7"], 400, True,
     15, 250),
    ("cache", FULL + " -b size=1k", 1024, EACH, ["--reflink", "--aligned", "--sync-every", "7"], 400, True, 15, 250),
    ("plain", "-m rmapbt=0,reflink=0,finobt=0 -i sparse=0", 4096, EACH + ["--record-size", "65536"], SYNC, 300, True,
     10, 150),
    ("parent", NEW + " -b size=1k", 1024, EACH, ["--reflink", "--swap", *SYNC], 400, False, 30, 900),
    ("swapped", NEW, 4096, EACH + ["--swapped"], ["--reflink", "--swap", *SYNC], 400, False, 20, 900),
    ("other-end", FULL + " -b size=1k", 1024, EACH + ["--swapped"], ["--reflink"], 300, False, 10, 200),
]

count = 0
failed = False


def ok(good, name, note="", skip=None):
    global count, failed
    count += 1
    failed |= not good
    print("%sok %d - %s%s" % ("" if good else "not ", count, name, f" # SKIP {skip}" if skip else ""))
    if not good:
        print("\n".join("#   " + line for line in note.splitlines()[:40]))
    sys.stdout.flush()
    return good


def run(command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **kw)


class Wrong(Exception):
    pass


def must(command, status=(0,)):
    done = run(command)
    if done.returncode not in status:
        raise Wrong(f"{' '.join(command[:3])}: status {done.returncode}: {done.stdout.strip()[-700:]}")
    return done.stdout


def numbers(text):
    words = text.splitlines()[-1].split()       # findings stand before it
    return dict(zip(words[::2], map(int, words[1::2])))


class Set:
    def __init__(self, name, mkfs, block, how, script, ops, kernel, short, long):
        self.name, self.block, self.how, self.kernel = name, block, how, kernel
        self.want = long if LONG else short
        self.base, self.script = f"{WORK}/{name}.base", f"{WORK}/{name}.script"
        with open(self.base, "wb") as f:
            # free blocks are not zero: what shows data that were not written in time
            for ag in range(2):
                f.seek(ag * (24 << 20) + (64 << 10))
                f.write(b"\xa5" * GARBAGE)
            f.truncate(48 << 20)
        env = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
        made = run([os.path.join(BUILD, "mkfs.xfs"), "-q", "-K", "-d", "agcount=2", *mkfs.split(), self.base], env=env)
        if made.returncode:
            raise Wrong(f"{name}: mkfs.xfs: {made.stdout}")
        with open(self.script, "w") as f:
            f.write(must([FSX, "random", *script, "--block", str(block), "--most", "100000", "--files", "40",
                          str(SEED * 100 + block), str(ops * (3 if LONG else 1))]))
        self.total = numbers(must([FSX, "run", "--base", self.base, *how, f"{WORK}/{name}.all", self.script]))
        os.unlink(f"{WORK}/{name}.all")
        self.last = -1          # operations seen at the last stop

    def stops(self):
        """Spread over all writes, in order."""
        rnd = random.Random(f"{SEED}{self.name}")
        writes = self.total["writes"]
        n = min(self.want, writes - 1)
        return [Stop(self, 1 + int((i + rnd.random()) * (writes - 1) / n), rnd.choice([0, 512 * rnd.randrange(1, 40)]),
                     rnd.randrange(1 << 30)) for i in range(n)]


class Stop:
    def __init__(self, of, at, tear, seed):
        self.set, self.at, self.tear, self.seed = of, at, tear, seed
        self.name = f"{of.name}-{at}"
        self.path = f"{WORK}/{self.name}"
        self.problem = None
        self.open, self.list, self.range, self.second = {}, None, None, False

    def match(self, lines, who, image):
        """How far the script got; the list must be that of a point that is allowed."""
        listing = f"{self.path}.{who}.list"
        with open(listing, "w") as f:
            f.writelines(lines)
        return int(must([FSX, "match", "--base", image, self.set.script, listing, *map(str, self.range)]))

    def check(self, image):
        must([os.path.join(BUILD, "xfs_repair"), "-n", "-f", image])

    def listing(self, image):
        return [line[:2] + "0 " + line[2:] for line in must([FSX, "list", image]).splitlines(True)]

    def make(self):
        """Runs into the stop; what is left is judged, and recovered by us in one go and in two."""
        try:
            self.make_or_raise()
        except Wrong as e:
            self.problem = str(e)
        return self

    def make_or_raise(self):
        cache = self.set.name == "cache"
        stop = ["--stop-after", str(self.at)] + ["--tear", str(self.tear)]
        if cache:       # of what was written since the last flush, the write at the stop too, each sector lands or not
            stop[-1] = str(1 << 24)
            stop += ["--lose", str(self.seed + 1)]
        said = numbers(must([FSX, "run", "--base", self.set.base, *self.set.how, *stop, self.path, self.set.script],
                            (0, 3)))
        durable = said["done"] if "--each" in self.set.how and not cache else said["synced"]
        self.range = (durable, said["done"] + 1)
        said = must([FSX, "audit", self.path]).split()
        self.open = dict(zip(said[4::2], map(int, said[5::2])))
        whole = numbers(must([FSX, "recover", "--base", self.path, self.path + ".ours"]))
        self.check(self.path + ".ours")
        self.list = self.listing(self.path + ".ours")
        self.prefix = self.match(self.list, "ours", self.path + ".ours")
        os.unlink(self.path + ".ours")
        self.stop_again(whole["writes"])

    def stop_again(self, writes):
        """The recovery is stopped, too."""
        half, end = self.path + ".half", self.path + ".end"
        at = self.seed % max(writes, 1)
        how = ["--tear", str(512 * (self.seed % 7))] if self.seed % 3 else ["--tear", str(1 << 24), "--lose", str(self.seed % 1000 + 1)]
        must([FSX, "recover", "--base", self.path, "--stop-after", str(at), *how, half], (0, 3))
        must([FSX, "recover", "--base", half, end])
        self.check(end)
        if self.listing(end) != self.list:
            raise Wrong(f"stopped again at write {at} of its recovery: other files")
        os.unlink(half)
        os.unlink(end)

    def after_kernel(self, report, out):
        try:
            line = next((x for x in report.splitlines() if re.search(rf"ok \d+ - {re.escape(self.name)} ", x)),
                        "not ok")
            if line.startswith("not"):
                raise Wrong("a kernel: " + "\n".join(x for x in report.splitlines() if "kernel:" in x)[-500:] + line)
            with open(f"{out}/{self.name}.out") as f:
                lines = [x for x in f if x[1:2] == " "]
            if self.match(lines, "kernel", self.path) != self.prefix:
                raise Wrong("a kernel: other files than after our recovery")
            without = [sorted(" ".join(x.split()[:1] + x.split()[2:]) for x in some) for some in (lines, self.list)]
            if without[0] != without[1]:
                raise Wrong("a kernel: other files than after our recovery:\n" + "\n".join(sorted(set(without[0]) ^ set(without[1]))[:6]))
            self.check(self.path)
            if THEIRS:
                must([THEIRS, "-n", "-f", self.path])
            if self.seed % 15 == 0:
                must([sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"),
                      "--ignore", "rmapbt-key-unwritten", self.path])
        except Wrong as e:
            self.problem = str(e)
        return self

    def drop(self):
        for suffix in ("", ".ours", ".half", ".end", ".ours.list", ".kernel.list"):
            if not os.path.exists(self.path + suffix):
                continue
            if self.problem and KEEP:
                shutil.move(self.path + suffix, KEEP)
            else:
                os.unlink(self.path + suffix)


def in_box(stops, pool):
    """One boot for all of them. False: there is no box."""
    out = f"{WORK}/out"
    os.makedirs(out, exist_ok=True)
    with open(f"{WORK}/jobs", "w") as f:
        for s in stops:
            f.write(f"job {s.name} timeout=60\nmnt {s.name}\nwalk {s.name}\numnt {s.name}\n")
    result = run([BOX, "run", "--out", out, BOX_DIR, f"{WORK}/jobs", *(f"{s.name}={s.path}" for s in stops)])
    if result.returncode == 77:
        return result.stdout.strip().splitlines()[-1]
    list(pool.map(lambda s: s.after_kernel(result.stdout, out), stops))
    return None


def main():
    sets = [Set(*x) for x in SETS if not ONLY or x[0] in ONLY.split(",")]
    whole = sum(x.want for x in sets)
    for x in sets:
        x.want = max(x.want * STOPS // whole, 1) if STOPS else x.want
    stops = [s for x in sets for s in x.stops()]
    of_type, kernel_stops, no_box = collections.Counter(), collections.Counter(), NO_BOX
    bad = collections.defaultdict(list)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for first in range(0, len(stops), BATCH):
            batch = stops[first:first + BATCH]
            list(pool.map(Stop.make, batch))
            judged = [s for s in batch if s.set.kernel and not s.problem]
            if judged and not no_box:
                no_box = in_box(judged, pool)
                kernel_stops.update(k for s in judged for k in s.open)
            for s in batch:
                if not s.problem and s.prefix < s.set.last and s.set.name != "cache":
                    s.problem = f"{s.prefix} operations, {s.set.last} at the stop before"
                s.set.last = max(s.set.last, s.prefix if not s.problem else 0)
                of_type.update(s.open.keys())
                if s.problem:
                    bad[s.set.name].append(f"stopped after write {s.at}, {s.tear} bytes of the next: {s.problem}")
                s.drop()
    for x in sets:
        n = sum(s.set is x for s in stops)
        who = "judged by a kernel and our recovery" if x.kernel and not no_box else "judged by our recovery"
        ok(not bad[x.name], f"{x.name}: {n} stops in {x.total['writes']} writes; {who}, {x.last} operations at most",
           "\n".join(bad[x.name]))
    if no_box:
        ok(True, "a kernel replays the logs", skip=no_box)
    print("# stops with open intents:", ", ".join(f"{k} {v}" for k, v in sorted(of_type.items())))
    print("# of these seen by a kernel:", ", ".join(f"{k} {v}" for k, v in sorted(kernel_stops.items())))
    if STOPS or ONLY:
        print(f"1..{count}")
        return failed
    least = 50 if LONG else 5
    for kind in ("EFI", "RUI", "CUI", "BUI"):
        seen = (of_type if no_box else kernel_stops)[kind]
        ok(seen >= least, f"{kind}s are open at {seen} stops (at least {least})")
    for kind in ("ATTRI", "XMI"):
        ok(of_type[kind] >= (50 if LONG else 1), f"{kind}s are open at {of_type[kind]} stops")
    print(f"1..{count}")
    return failed


if KEEP:
    os.makedirs(KEEP, exist_ok=True)
with tempfile.TemporaryDirectory(prefix="crash.") as WORK:
    sys.exit(main())
