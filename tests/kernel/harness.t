#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the harness itself: the sample is what its lists say, every wreck is seen by the judges, the box reports
crashes and goes on. TAP."""
import hashlib
import lzma
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
BOX = os.path.join(HERE, "..", "box", "box")
BOX_DIR = os.environ.get("BOX_DIR") or os.path.join(os.environ.get("XFSKIT_BUILD", "."), "box")
WRECK = os.path.join(HERE, "wreck")
JUDGE = [sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"), "--quiet"]
NO_BMBT_NODE_IN_ATTR = ("attr", "bmbt-node")    # no attribute fork of the sample is that big
# Both forks are wrecked by the same code: for attribute forks one recipe of each sort is enough here.
ATTR_RECIPES = ("extents", "bmbt-leaf", "bmbt-node", "root", "count-zero", "format", "outofrange")

JOBS = """
job passes
mnt sample -o ro
check sample sample.list
job fails
mnt sample
ls /mnt/sample/nothing
job pipe-fails
false | true
job crashes
mnt sample
echo last words
sleep 1
echo c >/proc/sysrq-trigger
job hangs timeout=2
sleep 1000
job goes-on
mnt sample -o ro
check sample sample.list
job leaves-mounted
mnt sample
job expects-failure expect=fail
false
job complaint
mnt wrecked -o ro
! cat /mnt/wrecked/maps/holes-600 >/dev/null
job ignored-complaint kernel=ignore
mnt wrecked -o ro
! cat /mnt/wrecked/maps/holes-600 >/dev/null
"""
EXPECTED = {"passes": True, "fails": False, "pipe-fails": False, "crashes": False, "hangs": False, "goes-on": True,
            "leaves-mounted": True, "expects-failure": True, "complaint": False, "ignored-complaint": True}

count = 0


def ok(good, what, notes=""):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        for line in notes.splitlines()[-20:]:
            print("#", line)


def skip(what, reason):
    global count
    count += 1
    print(f"ok {count} - {what} # SKIP {reason}")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout + done.stderr


def unpack(name, target):
    with lzma.open(os.path.join(DATA, name)) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def recipes():
    """[(fork, recipe)] from wreck --list; recipes for allocation groups have fork None."""
    pairs, group = [], False
    for line in run(WRECK, "--list")[1].splitlines():
        group = "groups" in line if line.startswith("for ") else group
        name = line.split()[0]
        if not line.startswith("for ") and name != "mix":
            pairs += [(None, name)] if group else [("data", name)]
            pairs += [("attr", name)] if name in ATTR_RECIPES else []
    return pairs + [("data", "mix"), ("attr", "mix")]


def test_sample(sample, listing):
    status, text = run(os.path.join(HERE, "list-image"), sample, listing)
    ok(status == 0, "sample: independent reader agrees with the list of the kernel", text)
    with open(listing) as f:
        columns = [line.split() for line in f]
    with open(os.path.join(DATA, "sample.sha256")) as f:
        sums = [line.split(maxsplit=1) for line in f]
    ok(sorted((c[7], c[9]) for c in columns if c[0] == "f") == sorted((s[0], s[1].strip()) for s in sums),
       "sample: sample.sha256 and sample.list.xz agree")
    status, text = run(*JUDGE, sample)
    ok(status == 0, "sample: clean for the independent judge", text)


def test_wrecks(sample, scratch):
    work, before = os.path.join(scratch, "work.img"), digest(sample)
    repair = shutil.which("xfs_repair", path="/usr/sbin:/sbin:/usr/bin")
    for fork, recipe in recipes():
        shutil.copyfile(sample, work)
        # records inside good headers with good checksums: the hardest to notice
        options = ["--all", "--crc", "fix", "--fill", "records"] + (["--fork", fork] if fork else [])
        status, text = run(WRECK, *options, recipe, work)
        what = f"wreck {recipe}{' of ' + fork + ' forks' if fork else ''}"
        if (fork, recipe) == NO_BMBT_NODE_IN_ATTR:
            ok(status == 1 and digest(work) == before, what + ": suits nothing, changes nothing", text)
            continue
        ok(status == 0 and digest(work) != before, what, text)
        ok(run(*JUDGE, work)[0] == 1, what + ": the independent judge sees it")
        if not repair:
            skip(what + ": the distribution's xfs_repair -n sees it", "no xfs_repair is installed (package xfsprogs)")
        elif recipe in ("bmbt-all", "extents", "mix", "rmap-leaf"):
            ok(run(repair, "-n", "-f", work)[0] == 1, what + ": the distribution's xfs_repair -n sees it")
    again = os.path.join(scratch, "again.img")
    for path in (work, again):
        shutil.copyfile(sample, path)
        run(WRECK, "--seed", "7", "--crc", "mix", "--all", "mix", path)
    ok(digest(work) == digest(again) != before, "wreck: the same seed does the same")
    status, text = run(WRECK, "extents", work, "/no/such/file")
    ok(status == 1 and len(text.splitlines()) == 1, "wreck: no such file", text)


def test_box(sample, listing, scratch):
    wrecked, jobs = os.path.join(scratch, "wrecked.img"), os.path.join(scratch, "jobs")
    shutil.copyfile(sample, wrecked)
    run(WRECK, "--crc", "stale", "--fill", "records", "bmbt-all", wrecked, "/maps/holes-600")
    with open(jobs, "w") as f:
        f.write(JOBS)
    before = digest(sample)
    done = subprocess.run([BOX, "run", "--out", scratch, "--put", f"sample.list={listing}", BOX_DIR, jobs,
                           f"sample={sample},snapshot", f"wrecked={wrecked},snapshot"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 77:
        skip("box", (done.stderr.strip().splitlines() or ["it does not work here"])[-1])
        return
    got = {}
    for line in done.stdout.splitlines():
        if " - " in line and line.split()[0] in ("ok", "not"):
            got[line.split(" - ")[1].split()[0]] = line.startswith("ok")
    for name, wanted in EXPECTED.items():
        ok(got.get(name) == wanted, f"box: job {name} {'passes' if wanted else 'is reported'}", done.stdout)
    ok(done.returncode == 1 and list(got) == list(EXPECTED), "box: one result for each job, in order", done.stdout)
    with open(os.path.join(scratch, "crashes.out")) as f:
        ok(f.read().strip() == "last words", "box: output before a crash is kept")
    ok("boots: 4" in done.stdout, "box: a new boot after the crash and after each of two timeouts", done.stdout)
    ok(done.stdout.count("# hangs: no end within 2 s; once more") == 1, "box: a second try after a timeout is told",
       done.stdout)
    ok(digest(sample) == before, "box: a snapshot is not changed")
    status, text = run(os.path.join(HERE, "check-image"), "--box", BOX_DIR, "--write", sample)
    ok(status == 0 and "not ok" not in text, "check-image: passes the sample", text)
    status, text = run(os.path.join(HERE, "check-image"), "--box", BOX_DIR, wrecked)
    ok(status == 1 and "not ok" in text, "check-image: does not pass a wreck", text)


def main():
    with tempfile.TemporaryDirectory(prefix="harness.") as scratch:
        sample, listing = os.path.join(scratch, "sample.img"), os.path.join(scratch, "sample.img.list")
        unpack("sample.img.xz", sample)
        unpack("sample.list.xz", listing)
        print("TAP version 13")
        test_sample(sample, listing)
        test_wrecks(sample, scratch)
        test_box(sample, listing, scratch)
    print(f"1..{count}")


if __name__ == "__main__":
    main()
