#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clean filesystems of all kinds: xfs_repair -n finds nothing, and xfs_repair changes nothing but its own flag."""
import hashlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "kernel")]

import campaign  # noqa: E402

fuzzer = campaign.load("repair_fuzz", os.path.join(HERE, "repair-fuzz"))

# options of mkfs.xfs for a fresh filesystem of 1 GiB
FRESH = ("", "-m metadir=1", "-m metadir=1,uquota,gquota,pquota -n parent=1", "-m rmapbt=0", "-m rmapbt=0,reflink=0",
         "-m crc=0",
         "-b size=64k", "-b size=1k -m rmapbt=1", "-i sparse=0", "-i exchange=1", "-l agnum=0", "-l su=256k",
         "-i size=2048",
         "-s size=4k", "-n size=64k", "-m finobt=0,inobtcount=0", "-d agcount=8", "-l logdev=LOG,size=64m")


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def check(tap, what, image, log=(), compare=True):
    before = campaign.run(campaign.REPAIR, "-n", *log, image)
    old = digest(image) if compare else None
    after = campaign.run(campaign.REPAIR, *log, image)
    same = not compare or digest(image) == old
    tap.put(before.returncode == 0 and after.returncode == 0 and same, "clean: " + what,
            before.stdout + after.stdout + ("" if same else "the image has changed\n"))


def main():
    tap = campaign.Tap()
    with tempfile.TemporaryDirectory(prefix="repair-clean.") as folder:
        image, log = os.path.join(folder, "image"), os.path.join(folder, "log")
        for source in fuzzer.shipped():
            campaign.copy_sparse(source, image)
            check(tap, os.path.basename(source), image)
        for options in FRESH:
            for path, size in ((image, 1 << 30), (log, 64 << 20)):
                with open(path, "wb") as f:
                    f.truncate(size)
            made = subprocess.run([os.path.join(campaign.BUILD, "mkfs.xfs"),
                                   "-q", "-f", *options.replace("LOG", log).split(), image],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if made.returncode:
                tap.put(False, "mkfs.xfs " + options, made.stdout)
                continue
            check(tap, "mkfs.xfs " + (options or "(defaults)"), image, ("-l", log) if "LOG" in options else (), False)
    tap.end()


main()
