#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_db logprint: what a log holds, as text and as JSON, with filters; also on damaged logs."""
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
DB = os.path.join(BUILD, "xfs_db")
MKFS = os.path.join(BUILD, "mkfs.xfs")
results = []


def run(image, *commands):
    argv = [DB, "-r"]
    for command in commands:
        argv += ["-c", command]
    return subprocess.run(argv + [image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace")


def ok(good, name, note=""):
    results.append(bool(good))
    print("%sok %d - %s" % ("" if good else "not ", len(results), name))
    if not good:
        print("\n".join("# " + line for line in str(note).splitlines()[:20]))


def load(work, name):
    path = os.path.join(work, name)
    with lzma.open(os.path.join(HERE, "..", "data", name + ".img.xz")) as f, open(path, "wb") as out:
        shutil.copyfileobj(f, out)
    return path


def check_fresh(work):
    path = os.path.join(work, "fresh")
    with open(path, "wb") as f:
        f.truncate(320 << 20)
    subprocess.run([MKFS, "-q", path], check=True)
    r = run(path, "logprint")
    ok(re.fullmatch(r"log of \d+ blocks, clean, tail 1:2, head 1:2\n", r.stdout),
       "a new log is clean and holds nothing", r.stdout)
    r = run(path, "logprint -a")
    ok(re.search(r"^record 1:0 bytes 512 operations 1 tail 1:0 prev -1 .*\n  unmount$", r.stdout, re.M),
       "-a: but for its first record", r.stdout)


def check_text(image):
    r = run(image, "logprint")
    lines = r.stdout.splitlines()
    ok(r.returncode == 0 and not r.stderr, "a dirty log", r.stderr)
    ok(re.match(r"log of \d+ blocks, dirty, tail 1:\d+, head 1:\d+$", lines[0]), "state in the first line", lines[0])
    kinds = [m[1] for line in lines if (m := re.match(r"    (\w+) ", line))]
    ok((kinds.count("inode"), kinds.count("buf"), kinds.count("icreate"), kinds.count("efi")) == (751, 250, 6, 1),
       "items", {k: kinds.count(k) for k in set(kinds)})
    said = sum(int(m[1]) for line in lines if (m := re.search(r" items (\d+) ", line)))
    ok(said == len(kinds), "transactions say how many items they have", (said, len(kinds)))
    r = run(image, "logprint -r")
    ok(set(line.split()[0] for line in r.stdout.splitlines()) == {"log", "record"}, "-r: records only", r.stdout)
    r = run(image, "logprint -v -t icreate")
    ok(r.stdout.count("isize = 512\n") == 6 and "    inode " not in r.stdout, "-v -t icreate: all fields of one kind",
       r.stdout)
    return lines


def check_filters(image, lines):
    ino = next(m[1] for line in lines if (m := re.match(r"    inode (\d+) ", line)))
    r = run(image, f"logprint -t inode -i {ino}")
    want = [line for line in lines if line.startswith(f"    inode {ino} ")]
    got = [line for line in r.stdout.splitlines() if line.startswith("    ")]
    ok(got == want and got, "-i with -t inode: that inode alone", r.stdout)
    r = run(image, f"logprint -i {ino}")
    ok({"inode"} <= {line.split()[0] for line in r.stdout.splitlines()
                     if line.startswith("    ")} <= {"inode", "icreate", "buf"},
       "-i: the inode, its chunk, and its cluster", r.stdout)
    daddr, bbs = next((int(m[1]), int(m[2])) for line in lines
                      if (m := re.match(r"    buf daddr (\d+) bbs (\d+) btree", line)))
    want = [line for line in lines if re.match(rf"    buf daddr {daddr} ", line)]
    by_daddr = run(image, f"logprint -d {daddr + bbs - 1}").stdout
    ok([line for line in by_daddr.splitlines() if line.startswith("    buf")] == want, "-d: buffers that hold a sector",
       by_daddr)
    fsb = run(image, f"convert daddr {daddr} fsb").stdout.split()[1].strip("()")
    ok(run(image, f"logprint -b {fsb}").stdout == by_daddr, "-b: the same by filesystem block", fsb)
    for bad in ("logprint -q", "logprint x", "logprint -t nothing", "logprint -i ten", "logprint -b 99999999999"):
        r = run(image, bad)
        ok(r.stdout.startswith(("bad ", "no kind")) and r.stdout.count("\n") == 1, bad + ": is refused in a line",
           r.stdout)


def check_json(image, lines):
    events = json.loads(run(image, "logprint -j").stdout)
    items = [i for e in events if e["event"] == "transaction" for i in e["items"]]
    ok(len(items) == sum(line.startswith("    ") for line in lines), "-j: as many items", len(items))
    cores = [i["regions"][1]["log_dinode"] for i in items if i["kind"] == "inode"]
    text = [m for line in lines if (m := re.match(r"    inode (\d+) mode 0(\d+) nlink \d+ size (\d+)", line))]
    ok([(c["inumber"], c["size"]) for c in cores] == [(int(m[1]), int(m[3])) for m in text],
       "-j: inodes as in the text", cores[:1])
    bufs = [i for i in items if i["kind"] == "buf"]
    ok(all(sum(r["length"] for r in b["runs"]) == sum(r["bytes"] for r in b["regions"][1:]) for b in bufs),
       "-j: runs of buffers are as long as their data")
    ok(json.loads(run(image, "logprint -j -t rui").stdout) == [], "-j: nothing of a kind that is not there")


def check_damaged(work, image):
    path = os.path.join(work, "damaged")
    shutil.copy(image, path)
    tail = int(re.search(r"tail 1:(\d+)", run(image, "logprint -r").stdout)[1])
    start = int(re.search(r"\((\d+)\)", run(image, "convert fsb %s daddr" % re.search(r"logstart = (\d+)", run(
        image, "sb 0", "print logstart").stdout)[1]).stdout)[1])
    with open(path, "r+b") as f:
        f.seek((start + tail + 5) * 512 + 100)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))
    r = run(path, "logprint")
    ok(r.returncode == 0 and r.stdout == run(image, "logprint").stdout, "a flipped bit in a record is put right",
       r.stderr)
    with open(path, "r+b") as f:
        f.seek((start + tail + 5) * 512 + 100)
        f.write(bytes([byte ^ 3]))
    r = run(path, "logprint")
    ok(r.returncode == 1 and r.stderr.count("\n") == 1 and "a record between tail and head is damaged" in r.stderr,
       "a record that is damaged far before the head: one line", r.stderr)
    ok("unreadable: a record between tail and head is damaged" in r.stdout and "record 1:" not in r.stdout,
       "and nothing is shown", r.stdout)


def main():
    with tempfile.TemporaryDirectory(prefix="logprint.") as work:
        check_fresh(work)
        image = load(work, "log-rmap")
        lines = check_text(image)
        check_filters(image, lines)
        check_json(image, lines)
        check_damaged(work, image)
        v4 = load(work, "log-v4")
        r = run(v4, "logprint -v")
        ok(r.returncode == 0 and r.stdout.count("flushiter = ") == r.stdout.count("    inode ") > 500,
           "V4: cores of 96 bytes", r.stderr)
    print("1..%d" % len(results))
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
