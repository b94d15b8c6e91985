#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images whose directories, attributes, block maps and AGs were all built anew, judged by everyone who can.

Filled images (made from a prototype by the distribution's mkfs.xfs, and the shipped sample) go through the builders
(tests/unit/test_build_image.c), which add attributes; then the distribution's xfs_repair -n, the judge of tests/oracle
and a kernel that writes to them must be content, and the distribution's xfs_db must list the same names.  At last a
kernel removes every second entry of each directory and adds others.  XFSKIT_LONG: more variants, larger directories.
"""
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(HERE, "..", "..")))
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
BOX_DIR = os.environ.get("BOX_DIR") or os.path.join(BUILD, "box")
BUILDER = os.path.join(BUILD, "bin", "tests", "unit", "test_build_image")
CHECK = os.path.join(HERE, "check-image")
PATH = "/usr/sbin:/sbin:" + os.environ.get("PATH", "")
VARIANTS = {
    "default": [],
    "dir64k": ["-n", "size=65536"],
    "small": ["-b", "size=1k", "-n", "size=4096"],
    "ci": ["-n", "version=ci"],
    "v4": ["-m", "crc=0", "-n", "ftype=1"],
    "v4-old": ["-m", "crc=0", "-n", "ftype=0", "-i", "size=256"],
    "v4-512": ["-m", "crc=0", "-b", "size=512", "-n", "size=8192"],
    "v4-attr1": ["-m", "crc=0", "-i", "attr=1,size=1024"],
}
LONG = os.environ.get("XFSKIT_LONG")
SIZES = (0, 3, 9, 30, 120, 600) + ((2000,) if LONG else ())
IN_SHORT = ("small", "v4-old")
# All entries but directories; rm gets many at once, as a process takes long in the box.
CHANGES = """
job {name}
mnt {name}
for dir in /mnt/{name}/d*; do
	cd $dir
	find . -maxdepth 1 ! -type d | awk 'NR % 2' | xargs -r rm
	mkdir more && cd more
	seq -w 1 30 | sed 's/^/a-new-entry-/' | xargs touch
	mv a-new-entry-2* ..
	cd ..
	rm -r more
done
cd /mnt/{name}/d30
seq -w 1 400 | sed 's/^/and-many-more-/' | xargs touch
rm -r /mnt/{name}/d120
cd /
umnt {name}
"""
numbers = 0
failed = 0


def put(good, what, notes=""):
    global numbers, failed
    numbers += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {numbers} - {what}")
    for line in str(notes).splitlines()[:30] if not good else ():
        print("# " + line)
    sys.stdout.flush()


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True, errors="replace", **options)


def prototype(rand):
    """Directories of many sizes, files with contents, links, devices."""
    lines = ["/", "0 0", "d--755 0 0"]
    for size in SIZES:
        lines.append(f"d{size} d--755 1 2")
        for i in range(size):
            name = "%d%s" % (i, "abcdefghij"[i % 10] * rand.randrange(1, 4 + size % 50))
            lines.append(rand.choice([f"{name} p--644 3 4", f"{name} c--600 0 0 1 {i % 200}",
                f"{name} ---644 5 6 /dev/null"]))
        lines.append("$")
    lines += [f"file{i} ---644 5 6 {os.path.join(SRC, 'libxfs', 'build', 'dir.c')}" for i in range(40)]
    lines += [f"link{i} l--777 0 0 {'x' * (20 * i + 1)}" for i in range(12)]
    return "\n".join(lines + ["$", ""])


def listing(image):
    """Names and inode numbers by xfs_db, of the root and all directories in it."""
    found = set()
    dirs = ["/"] + ["/d%d" % n for n in SIZES]
    for name in dirs:
        done = run("xfs_db", "-r", "-c", "path " + name, "-c", "ls", image, env={"PATH": PATH})
        rows = re.findall(r"^\d+ +(\d+) +(\w+) +0x([0-9a-f]+) +(\d+) (.*?)(?: \(.*\))?$", done.stdout, re.M)
        found |= {(name,) + row for row in rows}
    return found


def build(source, target):
    env = dict(os.environ, XFSKIT_IMAGE_IN=source, XFSKIT_IMAGE_OUT=target, XFSKIT_SRC=SRC)
    return run(BUILDER, env=env)


def change(images):
    """A kernel changes the directories that were built."""
    with open(os.path.join(os.path.dirname(images[0]), "jobs"), "w") as out:
        for image in images:
            out.write(CHANGES.format(name=os.path.basename(image)[:-4]))
    done = run(os.path.join(SRC, "tests", "box", "box"), "run", BOX_DIR, out.name,
        *[os.path.basename(image)[:-4] + "=" + image for image in images])
    for image in images:
        name = os.path.basename(image)[:-4]
        if done.returncode not in (0, 1):
            put(True, f"{name}: a kernel changes the directories # SKIP " + done.stdout.strip().split("\n")[-1])
            continue
        good = re.search(rf"^ok \d+ - {name}\b", done.stdout, re.M)
        put(good, f"{name}: a kernel changes the directories", done.stdout)
        judged = run("xfs_repair", "-n", image, env={"PATH": PATH})
        put(judged.returncode == 0, f"{name}: after that, xfs_repair -n of the distribution", judged.stdout)


def main():
    if not shutil.which("mkfs.xfs", path=PATH) or not shutil.which("xfs_db", path=PATH):
        print("1..0 # SKIP mkfs.xfs and xfs_db of the distribution are not installed (package xfsprogs)")
        return 0
    work = tempfile.mkdtemp()
    made = []
    try:
        sample = os.path.join(work, "source-sample")
        with lzma.open(os.path.join(SRC, "tests", "data", "sample.img.xz")) as packed, open(sample, "wb") as out:
            shutil.copyfileobj(packed, out)
        proto = os.path.join(work, "proto")
        with open(proto, "w") as out:
            out.write(prototype(random.Random(1)))
        for name, options in {"sample": None, **VARIANTS}.items():
            if options is not None and not LONG and name not in IN_SHORT:
                continue
            source, target = os.path.join(work, "source-" + name), os.path.join(work, name + ".img")
            if options is not None:
                os.truncate(os.open(source, os.O_CREAT | os.O_WRONLY), 320 << 20)
                done = run("mkfs.xfs", "-q", *options, "-p", proto, source, env={"PATH": PATH})
                if done.returncode:
                    put(False, name + ": mkfs.xfs of the distribution fills an image", done.stdout)
                    continue
            done = build(source, target)
            forms = re.search(r"^directories: .*", done.stdout, re.M)
            put(done.returncode == 0 and forms, f"{name}: built anew: {forms.group(0) if forms else 'not'}",
                done.stdout)
            if done.returncode:
                continue
            if options is not None:
                before, after = listing(source), listing(target)
                put(len(before) > sum(SIZES) and before == after,
                    name + ": xfs_db lists the same names, inodes and hashes",
                    "%d before, %d after, %s" % (len(before), len(after), sorted(before ^ after)[:10]))
            os.remove(source)
            made.append(target)
        done = run(CHECK, "--write", "--box", BOX_DIR, *made, env=dict(os.environ, PATH=PATH))
        for good, what, notes in re.findall(r"^(ok|not ok) \d+ - (.*)\n((?:#.*\n)*)", done.stdout, re.M):
            if "SKIP it has no list" not in what:      # images of a prototype: xfs_db compared them
                put(good == "ok", what, notes)
        if done.returncode not in (0, 1):
            put(False, "check-image runs", done.stdout)
        change(made[1:] if LONG else made[1:2])
    finally:
        shutil.rmtree(work)
    print(f"1..{numbers}")
    return 1 if failed else 0


sys.exit(main())
