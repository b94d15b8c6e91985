#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images of mkfs.xfs on the running kernel, by loop mount: mounted, written to, clean after unmount.

Only images that the judge and (where it knows the features) the distribution's xfs_repair -n found clean are mounted.
"""
import os
import shutil
import subprocess
import sys
import tempfile

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                                "..", "..")))
MKFS = os.path.join(os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd())), "mkfs.xfs")
OURS = os.path.join(os.path.dirname(MKFS), "xfs_repair")
JUDGE = os.path.join(SRC, "tests", "oracle", "judge.py")

# MiB, options, does xfs_repair 6.1 know all of it
IMAGES = [
    (1024, "", True), (300, "-b size=1k", True), (1024, "-m rmapbt=0", True), (1024, "-m reflink=0", True),
    (1024, "-m finobt=0,rmapbt=0,reflink=0,bigtime=0 -i sparse=0,nrext64=0", True), (10240, "-d su=64k,sw=4", True),
    (1024, "-s size=4k", True), (1024, "-l su=256k", True), (1024, "-l agnum=0", True), (1024, "-i size=2048", True),
    (1024, "-n size=64k", True), (4096, "-d agcount=31", True),
    (1024, "-d extszinherit=8,cowextsize=4,projinherit=5", True),
    (1 << 22, "", True), (1024, "-i exchange=1", False), (1024, "-n parent=1", False),
    (1024, "-m autofsck=check", False),
    (1024, "-m metadir=1", False), (1024, "-m metadir=1,uquota,gquota,pquota -n parent=1", False),
    (1024, "-m metadir=1 -l agnum=0", False),
]


def run(words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **more)


def reason_to_skip():
    if os.geteuid() != 0:
        return "loop mounts need root"
    run(["modprobe", "xfs"]) if shutil.which("modprobe") else None
    with open("/proc/filesystems") as f:
        if "\txfs\n" not in f.read():
            return "the running kernel has no XFS"
    if not os.path.exists("/dev/loop-control"):
        return "no loop devices"
    return None


def clean(image, known):
    """None, or what is wrong."""
    done = run([sys.executable, JUDGE, image])
    if done.returncode:
        return "judge: " + done.stdout
    done = run([OURS, "-n", "-f", image])
    if done.returncode:
        return "our xfs_repair -n: " + done.stdout
    repair = shutil.which("xfs_repair", path="/usr/sbin:/sbin:/usr/bin")
    if known and repair:
        done = run([repair, "-n", "-f", image])
        if done.returncode:
            return "xfs_repair -n: " + done.stdout
    return None


def load(where):
    os.mkdir(where + "/d")
    for i in range(300):
        with open("%s/d/file-%d" % (where, i), "w") as f:
            f.write("%d\n" % i * (i + 1))
    with open(where + "/big", "wb") as f:
        for i in range(200):
            f.seek(i * 65536)
            f.write(os.urandom(20000))
    run(["cp", "--reflink=auto", where + "/big", where + "/copy"])
    os.link(where + "/big", where + "/link")
    os.symlink("x" * 500, where + "/symlink")
    os.setxattr(where + "/big", "user.name", b"value" * 20)
    for i in range(0, 300, 2):
        os.unlink("%s/d/file-%d" % (where, i))
    os.sync()
    return len(os.listdir(where + "/d")) == 150


def one(folder, mib, options, known):
    image, where = os.path.join(folder, "image"), os.path.join(folder, "mnt")
    if os.path.exists(image):
        os.unlink(image)
    with open(image, "wb") as f:
        f.truncate(mib << 20)
    done = run([MKFS, "-q"] + options.split() + [image])
    if done.returncode:
        return done.stdout
    bad = clean(image, known)
    if bad:
        return "fresh: " + bad
    os.makedirs(where, exist_ok=True)
    done = run(["mount", "-t", "xfs", "-o", "loop", image, where])
    if done.returncode:
        return done.stdout
    try:
        full = load(where)
    finally:
        run(["umount", where])
    bad = clean(image, known)
    return "after unmount: " + bad if bad else None if full else "files are missing"


def main():
    skip = reason_to_skip()
    if skip:
        print("1..0 # SKIP " + skip)
        return 0
    failed = 0
    print("1..%d" % len(IMAGES))
    with tempfile.TemporaryDirectory(prefix="mkfs-loop-") as folder:
        for n, (mib, options, known) in enumerate(IMAGES, 1):
            try:
                bad = one(folder, mib, options, known)
            except OSError as error:
                bad = str(error)
            failed += bool(bad)
            print("%sok %d - mkfs.xfs %s on %d MiB" % ("not " if bad else "", n, options or "(defaults)", mib))
            if bad:
                print("#   " + bad.rstrip().replace("\n", "\n#   "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
