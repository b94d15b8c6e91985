#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logs that we write, replayed by a kernel.

tests/helpers/logged.c changes files and names in logged mode until its disk stops, after any write, torn or with the
write cache lost.  The kernel of the box mounts what is left and lists it: the names and contents must be those of a
point of the script between the last sync and the stop; then the judge and xfs_repair -n must be content.

XFSKIT_LONG=1: many more stops.
"""
import collections
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
BOX_DIR = os.environ.get("BOX_DIR") or os.path.join(BUILD, "box.build")
LONG = os.environ.get("XFSKIT_LONG")
HELPER = os.path.join(BUILD, "bin", "tests", "helpers", "logged")
PATH = "/usr/sbin:/sbin:" + os.environ.get("PATH", "")
STEPS = 8
RMAP = ["-m", "rmapbt=1,reflink=1"]
# name, options of mkfs.xfs, rounds, steps from sync to sync (negative: quiesces), a checkpoint after each transaction,
# stops
RUNS = [
    ("each-1k", ["-b", "size=1k", *RMAP], 12, 1, True, 5),
    ("each-4k", [*RMAP], 12, 1, True, 5),
    ("batch-1k", ["-b", "size=1k", *RMAP], 40, 17, False, 3),
    ("plain-4k", ["-m", "rmapbt=0,reflink=0,finobt=0", "-i", "sparse=0"], 30, 9, True, 3),
    # metadata go in place often: most stops tear such a write
    ("in-place-1k", ["-b", "size=1k", *RMAP], 25, -4, True, 4),
    ("in-place-4k", [*RMAP], 25, -9, False, 4),
    ("stripe", ["-l", "su=32k", *RMAP], 12, 3, True, 2),
]
count = 0
failed = False


def ok(good, name, note=""):
    global count, failed
    count += 1
    failed |= not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        print("\n".join("#   " + line for line in note.splitlines()[:20]))
    sys.stdout.flush()
    return good


def run(command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "PATH": PATH}, **kw)


def data(i):
    return bytes((k * 7 + i * 13 + k // 251) & 255 for k in range((i % 5 + 1) * 3000))


def states(rounds):
    """After each step: names, each with the checksum of its contents and the length of its attribute; what is touched."""
    sums = {}

    def digest(b):
        return hashlib.sha256(b).hexdigest()

    now, out = {}, [({}, None)]
    empty = digest(b"")
    for i in range(rounds):
        sums[i] = digest(data(i))
        for step in range(STEPS):
            now = dict(now)
            name = None
            if step in (0, 3):
                name = "fc"[step // 3] + str(i)
                now[name] = empty
            elif step in (1, 2, 4):
                name = "fffcc"[step] + str(i)
                now[name] = sums[i]
            elif step == 5 and i >= 3:
                now[f"g-with-a-longer-name-{i - 3}"] = now.pop(f"f{i - 3}")
            elif step == 6 and i >= 6 and i % 4:
                del now[f"g-with-a-longer-name-{i - 6}"]
            elif step == 7 and i >= 2:
                name = f"c{i - 2}"
                now[name] = digest(data(i - 2)[:1000])
            out.append((now, name))
    return out


def fits(seen, want, touched):
    return seen.keys() == want.keys() and all(seen[n] == want[n] or n == touched for n in want)


def make(work, name, options, rounds, every, each, stops, left):
    base = f"{work}/{name}.base"
    with open(base, "wb") as f:
        f.truncate(320 << 20)
    made = run([os.path.join(BUILD, "mkfs.xfs"), "-q", *options, base])
    if made.returncode:
        ok(False, f"{name}: mkfs.xfs", made.stdout)
        return
    rnd = random.Random(name)
    shutil.copy(base, base + ".all")
    tail = ["each"] if each else []
    whole = run([HELPER, base + ".all", str(rounds), "0", "0", "0", str(every), *tail])
    os.remove(base + ".all")
    if not ok(whole.returncode == 0, f"{name}: the whole script", whole.stdout):
        return
    total = int(re.search(r"writes (\d+)", whole.stdout)[1])
    for k in range(stops):
        stop = rnd.randrange(1, total + 1) if k else total + 1
        image = f"{work}/{name}-{k}.img"
        run(["cp", "--sparse=always", base, image])
        tear, lose = (rnd.randrange(9) * 512, 0) if k % 3 else (0, rnd.randrange(1, 1 << 30))
        said = run([HELPER, image, str(rounds), str(stop), str(tear), str(lose), str(every), *tail])
        if not said.returncode:
            left.append((f"{name}-{k}", image, rounds, said.stdout, f"stop at write {stop} of {total}"))
        else:
            ok(False, f"{name}-{k}: stopped at {stop}: the log", said.stdout)


def judge(image):
    why = ""
    judged = run([sys.executable, os.path.join(HERE, "..", "oracle", "judge.py"), "--ignore", "rmapbt-key-unwritten",
                  image])
    if judged.returncode:
        why += "judge: " + judged.stdout
    if shutil.which("xfs_repair", path="/usr/sbin:/sbin"):
        checked = run([shutil.which("xfs_repair", path="/usr/sbin:/sbin"), "-n", "-f", image])
        if checked.returncode:
            why += "xfs_repair: " + checked.stdout
    return why


def main():
    work = tempfile.mkdtemp(prefix="logged.")
    left, opened = [], collections.Counter()
    try:
        for entry in RUNS:
            name, options, rounds, every, each, stops = entry
            make(work, name, options, rounds, every, each, stops * (20 if LONG else 1), left)
        with open(f"{work}/jobs", "w") as jobs:
            for name, *_ in left:
                jobs.write(f"job {name} timeout=60\nmnt {name}\nwalk {name}\numnt {name}\n")
        os.makedirs(f"{work}/out")
        result = run([os.path.join(HERE, "..", "box", "box"), "run", "--out", f"{work}/out", BOX_DIR, f"{work}/jobs",
                      *(f"{name}={image}" for name, image, *_ in left)])
        if result.returncode == 77:
            for name, *_ in left:
                global count
                count += 1
                print(f"ok {count} - {name}: the kernel's replay # SKIP {result.stdout.strip().splitlines()[-1]}")
            left = []
        for name, image, rounds, said, where in left:
            opened.update(re.findall(r"open (\w+)", said))
            line = next((x for x in result.stdout.splitlines() if re.search(rf"ok \d+ - {re.escape(name)} ?", x)),
                        "not ok")
            text = open(f"{work}/out/{name}.out").read() if os.path.exists(f"{work}/out/{name}.out") else ""
            if not ok(line.startswith("ok"), f"{name}: the kernel mounts it ({where})",
                      said + text + result.stdout[-1500:]):
                continue
            seen = {}
            for row in text.splitlines():
                part = row.split(" ")
                if len(part) == 10 and part[0] == "f":
                    seen[part[9].split("/")[-1]] = part[7]
            synced, begun = (int(re.search(rf"{w} (\d+)", said)[1]) for w in ("synced", "begun"))
            want = states(rounds)
            at = [k for k in range(synced, begun + 1) if fits(seen, want[k][0], want[k][1])] or \
                 [k for k in range(synced, begun) if fits(seen, want[k][0], want[k + 1][1])]
            ok(at, f"{name}: the files of a point between {synced} and {begun}: {at[:1]}", said + text)
            ok(not (why := judge(image)), f"{name}: the judge and xfs_repair -n", why)
        if left:
            print("# open intents seen: " + ", ".join(f"{k}: {v}" for k, v in sorted(opened.items())))
            least = 4 if LONG else 2
            ok(len(opened) >= least, f"there were open intents of {least} types", str(opened))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"1..{count}")
    sys.exit(failed)


main()
