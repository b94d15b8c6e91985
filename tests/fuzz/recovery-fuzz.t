#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logs that announce changes at random, on a whole filesystem or a damaged one, and logs with random damage:
xfs_repair ends in time, with a status that it is allowed to have, and what it calls repaired is clean.

FUZZ_SEED=N, FUZZ_COUNT=N: other cases, more of them.  Uses the programs with sanitizers where they were built.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("XFSKIT_BUILD", os.getcwd())
SEED = int(os.environ.get("FUZZ_SEED", "1"))
COUNT = int(os.environ.get("FUZZ_COUNT", "400" if os.environ.get("XFSKIT_LONG") else "25"))
SANITIZED = os.path.join(BUILD, "asan", "xfs_repair")
REPAIR = SANITIZED if os.path.exists(SANITIZED) else os.path.join(BUILD, "xfs_repair")
ENV = {**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=98"}
BLOCK, AGBLOCKS = 1024, 16384
INODES = list(range(64, 130)) + [43584, 43600, 43606]
LOG = (16392 * BLOCK, 5363 * BLOCK)


def run(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=ENV, timeout=120)
    except subprocess.TimeoutExpired as e:
        return subprocess.CompletedProcess(command, 124, str(e.stdout))


def block(rnd):
    return rnd.choice([rnd.randrange(2 * AGBLOCKS), rnd.randrange(400), AGBLOCKS + rnd.randrange(6000), rnd.getrandbits(64)])


def length(rnd):
    return rnd.choice([1, 1, 2, rnd.randrange(1, 40), rnd.randrange(1, 40), 0, rnd.getrandbits(32)])


def offset(rnd):
    return rnd.choice([0, rnd.randrange(40), rnd.randrange(4000), rnd.getrandbits(54), rnd.getrandbits(64)])


def inode(rnd):
    return rnd.choice(INODES) if rnd.random() < 0.9 else rnd.getrandbits(rnd.choice([8, 20, 64]))


def word(rnd):
    kind = rnd.choice(["efi", "rui", "cui", "bui", "bui", "xmi", "attri", "attri"])
    if kind == "efi":
        return f"efi:{block(rnd)}:{length(rnd)}"
    if kind == "rui":
        flags = rnd.choice([0, 0, 0, 1 << 29, 1 << 31, 1 << 30, 3 << 30])
        owner = rnd.choice([inode(rnd), (1 << 64) - rnd.randrange(1, 12)])
        return f"rui:{rnd.randrange(10) | flags}:{owner}:{block(rnd)}:{offset(rnd)}:{length(rnd)}"
    if kind == "cui":
        return f"cui:{rnd.randrange(6)}:{block(rnd)}:{length(rnd)}"
    if kind == "bui":
        flags = rnd.choice([0, 0, 0, 1 << 30, 1 << 31, 1 << 29])
        return f"bui:{rnd.randrange(4) | flags}:{inode(rnd)}:{offset(rnd)}:{block(rnd)}:{length(rnd)}"
    if kind == "xmi":
        gens = [rnd.getrandbits(32), rnd.getrandbits(32)]
        return (f"xmi:{inode(rnd)}:{gens[0]}:{inode(rnd)}:{gens[1]}:{offset(rnd)}:{offset(rnd)}:{length(rnd)}:"
                f"{rnd.choice([0, 1, 2, rnd.getrandbits(6)])}:{offset(rnd)}:{offset(rnd)}")
    value = bytes(rnd.getrandbits(8) for _ in range(rnd.choice([0, 4, 12, 300, 3000]))).hex()
    name = "n" * rnd.choice([1, 6, 200, 255])
    last = f":{value}" if value else ""
    return f"attri:{rnd.choice([1, 1, 2, 3, 4, 5])}:{inode(rnd)}:0:{rnd.choice([0, 0, 2, 4, 8, 0x80])}:{name}{last}"


def damage(rnd, path):
    """A few bytes of the trees and headers of an AG, of inodes, or of the log."""
    with open(path, "r+b") as f:
        for _ in range(rnd.randrange(1, 4)):
            start, size = rnd.choice([(0, 64 * BLOCK), (AGBLOCKS * BLOCK, 64 * BLOCK), (32 * BLOCK, 40 * BLOCK), LOG])
            f.seek(start + rnd.randrange(min(size, 64 * BLOCK)))
            f.write(bytes(rnd.getrandbits(8) for _ in range(rnd.choice([1, 4, 128]))))


def case(rnd, work):
    """Empty when all is well, else what is wrong."""
    path = f"{work}/image"
    shutil.copy(f"{work}/sample", path)
    words = [word(rnd) for _ in range(rnd.randrange(1, 5))]
    before = ["attrs"] + (["exchange"] if rnd.random() < 0.5 else [])
    made = run(os.path.join(BUILD, "bin/tests/helpers/logmake"), *(["-s"] if rnd.random() < 0.3 else []), path, *before, *words)
    if made.returncode:
        return "logmake: " + made.stdout
    if rnd.random() < 0.5:
        damage(rnd, path)
    shutil.copy(path, f"{work}/dirty")
    said = f"{' '.join(before + words)[:1500]}\n"
    look = run(REPAIR, "-n", path)
    done = run(REPAIR, path)
    said += look.stdout[-1500:] + done.stdout[-3000:]
    if look.returncode not in (0, 1) or done.returncode not in (0, 1, 2):
        return f"-n ends with {look.returncode}, the repair with {done.returncode}\n{said}"
    with open(path, "rb") as a, open(f"{work}/dirty", "rb") as b:
        if done.returncode == 2 and a.read() != b.read():
            return "it refused, and has written\n" + said
    if done.returncode == 2:
        done = run(REPAIR, "-L", path)
        said += done.stdout[-3000:]
        if done.returncode not in (0, 1):
            return f"-L ends with {done.returncode}\n{said}"
    again = run(REPAIR, "-n", path)
    if done.returncode == 0 and again.returncode:
        return f"the second run ends with {again.returncode}\n{said}{again.stdout[-2000:]}"
    return ""


def main():
    print("# " + ("with" if REPAIR == SANITIZED else "without") + " sanitizers")
    with tempfile.TemporaryDirectory(prefix="recovery-fuzz.") as work:
        with open(f"{work}/sample", "wb") as f:
            subprocess.run(["xz", "-dc", os.path.join(HERE, "..", "data", "sample.img.xz")], stdout=f, check=True)
        wrong = []
        for k in range(COUNT):
            why = case(random.Random(SEED * 100000 + k), work)
            if why:
                wrong.append(f"case {k}: {why}")
                if os.environ.get("FUZZ_KEEP"):
                    shutil.copy(f"{work}/dirty", f"{os.environ['FUZZ_KEEP']}/case{k}")
    print(("not ok" if wrong else "ok") + f" 1 - {COUNT} logs with random changes or damage")
    for text in wrong[:5]:
        print("\n".join("#   " + line for line in text.splitlines()))
    print("1..1")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
