#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logs that the kernel of the box left behind: our replay against its own.

Each image is filled, changed by a random load and shut down with a dirty log.  Our replay of a copy and the kernel's
mount of another must show the same files; ours then passes xfs_repair -n of the distribution when nothing is left to
do, and the kernel mounts it and sees the same.  logprint must see the items that xfs_logprint sees.

XFSKIT_LONG=1: many more images. REPLAY_SEED=N: other loads. REPLAY_KEEP=DIR: the dirty images stay there.
"""
import collections
import os
import random
import importlib.machinery
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("XFSKIT_BUILD", os.getcwd())
BOX = os.path.join(HERE, "..", "box", "box")
BOX_DIR = os.environ.get("BOX_DIR", "box.build")
LONG = bool(os.environ.get("XFSKIT_LONG"))
SEED = int(os.environ.get("REPLAY_SEED", "1"))
RMAP = "-m rmapbt=1,reflink=1 "
# name, MiB, mkfs options, operations, how it goes down: after a sync, at once, or in the middle of the load
PROFILES = [
    ("rmap-1k", 40, RMAP + "-b size=1k -d agcount=2", 200, "sync"),
    ("rmap-4k", 64, RMAP + "-d agcount=2", 200, "sync"),
    ("plain-4k", 64, "-m rmapbt=0,reflink=0,finobt=0 -i size=1024 -d agcount=2", 200, "sync"),
    ("v4", 64, "-m crc=0,finobt=0 -d agcount=2", 200, "sync"),
    ("v4-log1", 64, "-m crc=0,finobt=0 -d agcount=2 -l version=1", 200, "sync"),
    ("pieces", 48, RMAP + "-b size=1k -n size=8k -d agcount=2", 0, "sync"),
    ("stripe", 96, RMAP + "-l su=32k -d agcount=2", 200, "sync"),
    ("sector", 96, RMAP + "-s size=4096 -d agcount=2", 200, "sync"),
    ("wrap-1k", 40, RMAP + "-b size=1k -d agcount=2", 600, "sync"),
    ("nrext64", 40, RMAP + "-b size=1k -i nrext64=1 -d agcount=2", 200, "now"),
    ("quota", 40, RMAP + "-b size=1k -d agcount=2", 200, "sync"),
    ("rmap-2k", 48, RMAP + "-b size=2k -i size=1024 -d agcount=2", 200, "sync"),
    ("v4-512", 64, "-m crc=0,finobt=0 -b size=512 -d agcount=2", 200, "sync"),
    ("middle-1k", 40, RMAP + "-b size=1k -d agcount=2", 300, "middle"),
    ("middle-4k", 64, RMAP + "-d agcount=2", 300, "middle"),
]
if LONG:
    PROFILES = [(f"{name}-{i}", *rest) for i in range(14) for name, *rest in PROFILES]
CUT = ("rmap-1k", "rmap-2k", "plain-4k", "v4", "v4-log1") if LONG else ("plain-4k", "v4-log1")      # whose logs are also looked at with an earlier end
MOUNT = {"wrap-1k": "-o logbsize=256k", "rmap-4k": "-o logbsize=64k", "quota": "-o uquota,gquota"}

count = 0
failed = False
loader = importlib.machinery.SourceFileLoader("repair_log", os.path.join(HERE, "..", "cli", "repair-log.t"))
_lab = importlib.util.module_from_spec(importlib.util.spec_from_loader("repair_log", loader))
sys.dont_write_bytecode = True
loader.exec_module(_lab)
log_of = _lab.log_of


def ok(good, name, note=""):
    global count, failed
    count += 1
    failed |= not good
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        print("\n".join("#   " + line for line in note.splitlines()[:30]))
    sys.stdout.flush()
    return good


def run(command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **kw)


def load(rnd, n, reflink):
    """A script of n operations in the current directory; what can fail may fail."""
    files, dirs, made = ["f0"], ["."], 0
    yield "guest write f0 1 0 40k"
    for i in range(n):
        op = rnd.choice(["mk", "mk", "write", "write", "over", "rm", "mv", "ln", "mkdir", "attr", "attrs", "sym",
                         "punch", "trunc", "chmod", "clone", "range", "unshare", "many", "rmmany", "node", "collapse"])
        f, d = rnd.choice(files), rnd.choice(dirs)
        if op == "mk":
            made += 1
            files.append(f"{d}/f{made}")
            yield f"guest write {files[-1]} {i} 0 {rnd.choice([1, 300, 5000, 30000, 200000])}"
        elif op == "write":
            yield f"guest write {f} {i} {rnd.randrange(200) * 1024} {rnd.randrange(1, 30000)}"
        elif op == "over":
            yield f"guest write {f} {i} {rnd.randrange(20) * 1024} {rnd.randrange(1, 9000)}; sync {f}"
        elif op == "rm" and len(files) > 3:
            files.remove(f)
            yield f"rm -f {f}"
        elif op == "mv":
            made += 1
            to = f"{d}/m{made}"
            files[files.index(f)] = to
            yield f"mv {f} {to}"
        elif op == "ln":
            made += 1
            files.append(f"{d}/l{made}")
            yield f"ln {f} {files[-1]}"
        elif op == "mkdir":
            made += 1
            dirs.append(f"{d}/d{made}")
            yield f"mkdir {dirs[-1]}"
        elif op == "attr":
            yield f"guest setxattr {f} user.a{rnd.randrange(5)} {'v' * rnd.randrange(1, 90)}"
        elif op == "attrs":
            yield f"guest xattrs {f} {i} {rnd.randrange(1, 12)} 10 {rnd.choice([60, 900, 4000])}"
        elif op == "sym":
            made += 1
            yield f"ln -s {'t' * rnd.choice([5, 300, 900])} {d}/s{made}"
        elif op in ("punch", "collapse"):
            yield f"guest space {op} {f} {rnd.randrange(4) * 8}k {rnd.randrange(1, 5) * 4}k"
        elif op == "trunc":
            yield f"truncate -s {rnd.randrange(60000)} {f}"
        elif op == "chmod":
            yield f"chmod 0{rnd.choice(['600', '644', '755'])} {f}; chown {rnd.randrange(9)}:{rnd.randrange(9)} {f}"
        elif op == "clone" and reflink:
            made += 1
            files.append(f"{d}/c{made}")
            yield f"guest clone {f} {files[-1]}"
        elif op == "range" and reflink:
            yield f"guest clonerange {f} 0 16k {rnd.choice(files)} {rnd.randrange(9) * 16}k"
        elif op == "unshare" and reflink:
            yield f"guest space unshare {f} 0 32k"
        elif op == "many":
            yield f"guest mkfiles {d}/many {i} {rnd.randrange(5, 60)} {rnd.randrange(3000)}"
        elif op == "rmmany":
            yield f"rm -rf {d}/many"
        elif op == "node":
            made += 1
            yield f"mknod {d}/n{made} {rnd.choice(['p', 'c 5 1', 'b 8 300'])}"


def pieces(name):
    """Directories that grow where only single blocks are free: their blocks lie in several pieces."""
    yield "mkdir a b c; guest write f 1 0 4k; guest chess ../filler 5000 1024"
    yield f"guest freeze /mnt/{name}; guest thaw /mnt/{name}"
    yield "guest biglinks f a 300 60; guest biglinks f b 60 200; rm -f a/*5*; guest biglinks f c 900 20; rm -f b/*"
    yield "guest xattrs f 1 20 50 200"


def base_of(name):
    """Without the number that many images of one profile have, and without what was done to its log."""
    name = name.partition("_")[0]
    return re.sub(r"-\d+$", "", name) if LONG else name


def make_dirty(work):
    env = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
    images = []
    with open(f"{work}/jobs", "w") as jobs:
        for k, (name, size, mkfs, n, how) in enumerate(PROFILES):
            path = f"{work}/{name}.img"
            with open(path, "wb") as f:
                f.truncate(size << 20)
            made = run([shutil.which("mkfs.xfs", path="/usr/sbin:/sbin"), "-q", *shlex.split(mkfs), path], env=env)
            if made.returncode:
                ok(False, f"{name}: mkfs.xfs", made.stdout)
                continue
            images.append(name)
            rnd = random.Random(SEED * 1000 + k)
            base = base_of(name)
            script = list(pieces(name) if base == "pieces" else load(rnd, n, "reflink=1" in mkfs))
            jobs.write(f"job {name} kernel=ignore timeout=100\nmnt {name} {MOUNT.get(base, '')}\nmkdir /mnt/{name}/w\n"
                       f"cd /mnt/{name}/w\nset +e\n(\n")
            half = len(script) // 2
            if how == "middle":
                # checkpoints in the middle of chains of transactions: intents are left open
                jobs.write("while guest flush .; do :; done &\n")
            for i, line in enumerate(script):
                if i == half and base != "pieces":
                    jobs.write(f"guest flush /mnt/{name}\n")
                jobs.write(line + "\n")
            jobs.write(") >/dev/null 2>&1" + (" &\nsleep 2\n" if how == "middle" else "\n"))
            # (what recovery frees is not counted for quota before the next mount)
            if base not in ("pieces", "quota"):
                # inodes without names: freed by nobody but recovery
                jobs.write("for i in 1 2 3 4 5 6 7; do guest write gone$i $i 0 ${i}0000; guest xattrs gone$i $i 3 10 900; done\n"
                           "mkdir goned; exec 3<gone1 4<gone2 5<gone3 6<gone4 7<gone5 8<goned\n"
                           "rm -rf gone1 gone2 gone3 gone4 gone5 goned\n")
            if how == "sync":
                jobs.write("sync\nsleep 1\nsync\n")
            if base == "pieces":
                jobs.write(f"walk {name}\n")
            jobs.write(f"guest down /mnt/{name} {2 if how == 'middle' else 1}\nwait\nexec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&-\ncd /\numnt {name}\n")
    os.makedirs(f"{work}/out", exist_ok=True)
    result = run([BOX, "run", "--out", f"{work}/out", BOX_DIR, f"{work}/jobs",
                  *(f"{n}={work}/{n}.img" for n in images)])
    if result.returncode == 77:
        print("1..0 # SKIP " + result.stdout.strip().splitlines()[-1])
        sys.exit(0)
    return [n for n in images
            if ok(f" - {n} " in result.stdout and f"not ok" not in line_of(result.stdout, n),
                  f"{n}: the load ran", result.stdout)]


def zero(path, to, byte, size):
    shutil.copy(path, to)
    with open(to, "r+b") as f:
        f.seek(byte)
        f.write(bytes(size))


def cut_short(work, names):
    """Logs that end earlier, as after a crash at that moment, and logs with a sector of zeroes near their end, which is the same to
    every reader: of records that were under way when the machine stopped any may be missing, and none of them was promised."""
    more = []
    for n in names:
        if base_of(n) not in CUT:
            continue
        path = f"{work}/{n}.img"
        start, blocks, records = log_of(path)
        for kind, back in (("cut", 5), ("hole", 3), *([("cut", 2)] if LONG else [])):
            if len(records) < 12 or records[0][0] > records[-1][0]:
                continue
            block = records[-back][0]
            more.append(f"{n}_{kind}{back}")
            if kind == "cut":
                zero(path, f"{work}/{more[-1]}.img", start + block * 512, (blocks - block) * 512)
            else:
                zero(path, f"{work}/{more[-1]}.img", start + (block + 1) * 512, 512)
    ok(len(more) >= 4, f"logs that end earlier ({len(more)})")
    return more


def line_of(text, name):
    return next((line for line in text.splitlines() if re.search(rf"ok \d+ - {re.escape(name)} ", line)), "not ok")


def kernel_lists(work, names, suffix):
    """What the kernel sees after its own mount; None where the mount fails."""
    with open(f"{work}/jobs2", "w") as jobs:
        for n in names:
            jobs.write(f"job {n} timeout=60 kernel=ignore\nmnt {n} {MOUNT.get(base_of(n), '')}\numnt {n}\nmnt {n} -o ro,norecovery\n"
                       f"walk {n}\numnt {n}\n")
    os.makedirs(f"{work}/out{suffix}", exist_ok=True)
    result = run([BOX, "run", "--out", f"{work}/out{suffix}", BOX_DIR, f"{work}/jobs2",
                  *(f"{n}={work}/{n}.{suffix}" for n in names)])
    return {n: None if line_of(result.stdout, n).startswith("not") else f"{work}/out{suffix}/{n}.out"
            for n in names}, result.stdout


KINDS = {"BUF": "buf", "INO": "inode", "DQ ": "dquot", "ICR": "icreate", "EFI": "efi", "EFD": "efd", "RUI": "rui",
         "RUD": "rud", "CUI": "cui", "CUD": "cud", "BUI": "bui", "BUD": "bud"}


def compare_print(name, path):
    theirs = run([shutil.which("xfs_logprint", path="/usr/sbin:/sbin"), "-t", path]).stdout
    ours = run([os.path.join(BUILD, "xfs_db"), "-r", "-c", "logprint", path],
               env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}).stdout
    want = collections.Counter(KINDS[m] for m in re.findall(r"^(BUF|INO|ICR|DQ ): cnt:\d+ total", theirs, re.M))
    # some intents have a line of either form, some have both
    forms = [collections.Counter(KINDS[m] for m in re.findall(r"^(EFI|EFD|RUI|RUD|CUI|CUD|BUI|BUD): +" + form, theirs,
                                                              re.M))
             for form in (r"cnt:\d+ total", "#regs")]
    want += forms[0] | forms[1]
    got = collections.Counter(re.findall(r"^    ([a-z_]+)", ours, re.M))
    want_ino = re.findall(r"^\tINODE: #regs:\d+ +ino:(0x[0-9a-f]+)", theirs, re.M)
    got_ino = re.findall(r"^    inode (\d+)", ours, re.M)
    ok(got == want and [int(x, 16) for x in want_ino] == [int(x) for x in got_ino],
       f"{name}: logprint sees the items that xfs_logprint sees ({sum(got.values())})",
       f"{dict(got)}\n{dict(want)}\n" + "\n".join(ours.splitlines()[-5:]))


def compare_quota(name, work):
    """What the dquots of the first users and groups say, after both replays."""
    said = {}
    for suffix in ("ours", "kernel"):
        argv = [shutil.which("xfs_db", path="/usr/sbin:/sbin"), "-r"]
        for kind in "ug":
            for ident in range(9):
                argv += ["-c", f"dquot -{kind} {ident}", "-c", "p diskdq.bcount diskdq.icount crc"]
        said[suffix] = run(argv + [f"{work}/{name}.{suffix}"]).stdout
    used = re.findall(r"icount = (\d+)", said["ours"])
    odd = [line for line in said["ours"].splitlines() if not re.fullmatch(r"diskdq\.[bi]count = \d+|crc = \w+ \(correct\)", line)]
    ok(len(used) == 18 and sum(map(int, used)) > 50 and not odd, f"{name}: dquots are there",
       "\n".join([f"{len(used)} dquots, {sum(map(int, used))} inodes", *odd, "by the kernel:", said["kernel"]]))
    strip = [re.sub(r"crc = .*", "", text) for text in said.values()]
    ok(strip[0] == strip[1], f"{name}: dquots as after the kernel's replay", said["ours"] + "----\n" + said["kernel"])


def main():
    work = os.environ.get("REPLAY_KEEP") or tempfile.mkdtemp(prefix="replay.")
    os.makedirs(work, exist_ok=True)
    try:
        names = make_dirty(work)
        outcome = {}
        names += cut_short(work, names)
        for n in names:
            if "_" not in n:
                compare_print(n, f"{work}/{n}.img")
            shutil.copy(f"{work}/{n}.img", f"{work}/{n}.ours")
            shutil.copy(f"{work}/{n}.img", f"{work}/{n}.kernel")
            result = run([os.path.join(BUILD, "bin/tests/helpers/replay"), f"{work}/{n}.ours"])
            outcome[n] = result
            ok(result.returncode == 0, f"{n}: our recovery", result.stdout)
            print("# " + result.stdout.replace("\n", ", "))
        lists, report = kernel_lists(work, names, "kernel")
        for n in names:
            unlinked = int(re.search(r"freed (\d+) inodes",
                                     outcome[n].stdout).group(1)) if outcome[n].returncode == 0 else 0
            if not n.startswith(("pieces", "quota", "middle")) and "_" not in n:
                ok(unlinked >= 6, f"{n}: inodes without names are freed ({unlinked})", outcome[n].stdout)
            if n.startswith("pieces"):
                ok("directory pieces" in outcome[n].stdout, f"{n}: directory blocks lie in several pieces")
                if lists[n] is None:
                    print(f"# {n}: the kernel cannot replay such blocks; compared with what was there before")
                    lists[n] = f"{work}/out/{n}.out"
            elif not ok(lists[n] is not None, f"{n}: the kernel's replay", report):
                continue
            if lists[n]:
                same = run([os.path.join(HERE, "list-image"), f"{work}/{n}.ours", lists[n]])
                ok(same.returncode == 0, f"{n}: the same files as after the kernel's replay", same.stdout)
            if n.startswith("quota"):
                ok(re.search(r"^dquots \d", outcome[n].stdout, re.M), f"{n}: dquots in the log", outcome[n].stdout)
                compare_quota(n, work)
            if outcome[n].returncode == 0:
                # an attribute that was being set stays INCOMPLETE after either replay
                said = [run([shutil.which("xfs_repair", path="/usr/sbin:/sbin"),
                             "-n", "-f", f"{work}/{n}.{who}"]).stdout
                        for who in ("ours", "kernel")]
                bad = [x for x in said[0].splitlines() if x and x not in said[1].splitlines() and
                       not re.match(r"Phase| +- |Cannot get host|Repair may|the image and|No modify|leftover CoW", x)]
                ok(not bad, f"{n}: xfs_repair -n after our replay", said[0])
        settled = [n for n in names if outcome[n].returncode == 0]
        lists2, report = kernel_lists(work, settled, "ours")
        for n in settled:
            if not ok(lists2[n] is not None, f"{n}: the kernel mounts what we replayed", report) or not lists[n]:
                continue
            with open(lists[n]) as a, open(lists2[n]) as b:
                ok(sorted(a) == sorted(b), f"{n}: and sees the same files")
    finally:
        if not os.environ.get("REPLAY_KEEP"):
            shutil.rmtree(work)
    print(f"1..{count}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
