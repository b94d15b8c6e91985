#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random operations on files and names through the library, against a naive model in memory (tests/lib).

Every 1,000 operations the image is read again and compared, and our xfs_repair -n judges it; after each 50,000 (of
each feature set) the independent judge and the distribution's xfs_repair -n do, and a kernel mounts it and reads every
file and attribute.

XFSKIT_LONG=1: 10^6 operations for each of all feature sets. What is done is kept in model-long of the current folder
(or MODEL_DIR), so that a run that was stopped goes on where it was; it starts again when all was done.
"""
import itertools
import os
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
STEP = 50000
STEPS = 20 if LONG else 1

count = 0
failed = False


def ok(good, name, note="", skip=None):
    global count, failed
    count += 1
    failed |= not good
    print("%sok %d - %s%s" % ("" if good else "not ", count, name, f" # SKIP {skip}" if skip else ""))
    if not good:
        print("\n".join("#   " + line for line in note.splitlines()[:30]))
    sys.stdout.flush()
    return good


def run(command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **kw)


class Set:
    def __init__(self, block, rmapbt, reflink, parent, logged=False):
        self.block, self.rmapbt, self.reflink, self.parent, self.logged = block, rmapbt, reflink, parent, logged
        self.name = "%dk%s%s%s%s" % (block // 1024, "-rmapbt" if rmapbt else "", "-reflink" if reflink else "",
                                     "-parent" if parent else "", "-log" if logged else "")
        self.done = 0
        self.good = True

    def path(self, what):
        return os.path.join(WORK, f"{self.name}.{what}")

    def start(self):
        """Takes up what is there, or makes an image."""
        if LONG and os.path.exists(self.path("done")):
            with open(self.path("done")) as f:
                self.done = int(f.read())
        if 0 < self.done < STEPS * STEP:
            return
        self.done = 0
        if os.path.exists(self.path("img")):
            os.unlink(self.path("img"))
        with open(self.path("img"), "wb") as f:
            f.truncate(320 << 20)
        made = run([os.path.join(BUILD, "mkfs.xfs"), "-q", "-b", f"size={self.block}", "-m",
                    f"rmapbt={self.rmapbt:d},reflink={self.reflink:d}", "-n", f"parent={self.parent:d}",
                    self.path("img")])
        self.good = made.returncode == 0 or ok(False, f"{self.name}: mkfs.xfs", made.stdout)

    def step(self):
        options = ["--judge", f"sh {WORK}/judge", "--block", str(self.block), "--expect", self.path("list"),
                   "--files", str(380 if self.block == 1024 else 200)]
        options += ["--reflink"] * self.reflink + (["--logged"] if self.logged else ["--swap"])
        # one side works on a copy: a run that is stopped in the middle leaves the image as it was
        run(["cp", "--sparse=always", self.path("img"), self.path("new")])
        done = run([FSX, "model", *options, self.path("new"), str(self.block + 7), str(self.done), str(STEP)])
        return done

    def keep(self):
        os.rename(self.path("new"), self.path("img"))
        self.done += STEP
        with open(self.path("done.new"), "w") as f:
            f.write(str(self.done))
        os.rename(self.path("done.new"), self.path("done"))


def judged(s, what):
    done = run([sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"), "--ignore", "rmapbt-key-unwritten",
                s.path("new")])
    s.good &= ok(done.returncode == 0, f"{what}: the independent judge", done.stdout)
    theirs = shutil.which("xfs_repair", path="/usr/sbin:/sbin")
    if s.parent:
        return
    if not theirs:
        ok(True, f"{what}: xfs_repair -n of the distribution", skip="it is not installed")
        return
    done = run([theirs, "-n", "-f", s.path("new")])
    s.good &= ok(done.returncode == 0, f"{what}: xfs_repair -n of the distribution", done.stdout)


def in_box(sets):
    """A kernel reads every file of all of them."""
    if not sets:
        return
    os.makedirs(f"{WORK}/out", exist_ok=True)
    with open(f"{WORK}/jobs", "w") as f:
        for s in sets:
            f.write(f"job {s.name}\nmnt {s.name}\nwalk {s.name}\numnt {s.name}\n")
    result = run([BOX, "run", "--out", f"{WORK}/out", BOX_DIR, f"{WORK}/jobs",
                  *(f"{s.name}={s.path('new')},snapshot" for s in sets)])
    for s in sets:
        what = f"{s.name}, {s.done + STEP} operations: a kernel reads the same"
        if result.returncode == 77:
            ok(True, what, skip=result.stdout.strip().splitlines()[-1])
            continue
        try:
            with open(f"{WORK}/out/{s.name}.out") as f:
                seen = sorted(" ".join(line.split()[:1] + line.split()[2:]) for line in f)
        except OSError:
            seen = ["no list"]
        with open(s.path("list")) as f:
            want = sorted(f.read().splitlines())
        s.good &= ok(seen == want, what, "\n".join(sorted(set(seen) ^ set(want))[:20]) + "\n" + result.stdout)


def main():
    if LONG:
        sets = [Set(*x) for x in itertools.product((1024, 4096), *[(True, False)] * 3)]
        sets += [Set(1024, True, True, False, True), Set(4096, True, True, False, True)]
    else:
        sets = [Set(1024, True, True, False), Set(1024, False, False, True), Set(4096, True, False, True),
                Set(4096, False, True, False, True)]
    with open(f"{WORK}/judge", "w") as f:
        f.write(f'out=$("{BUILD}/xfs_repair" -n -f "$1" 2>&1) || {{ echo "$out"; exit 1; }}\n')
    for s in sets:
        s.start()
    while any(s.good and s.done < STEPS * STEP for s in sets):
        now = [s for s in sets if s.good and s.done < STEPS * STEP]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for s, done in zip(now, pool.map(Set.step, now)):
                s.good &= ok(done.returncode == 0,
                             f"{s.name}: operations {s.done} to {s.done + STEP} as the model says", done.stdout)
                if s.good:
                    judged(s, f"{s.name}, {s.done + STEP} operations")
        in_box([s for s in now if s.good and not s.parent])
        for s in now:
            if s.good:
                s.keep()
    print(f"1..{count}")
    return failed


if LONG:
    WORK = os.environ.get("MODEL_DIR", "model-long")
    os.makedirs(WORK, exist_ok=True)
    sys.exit(main())
with tempfile.TemporaryDirectory(prefix="model.") as WORK:
    sys.exit(main())
