#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair gathers names only around what is wrong, and makes the same of it with little memory."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import DB, Lab, Run, Super, change_inode, fsx, read, repair, write  # noqa: E402

FOLDERS, FILES = 60, 40
lab = Lab("repair-narrow")


def number(image, folder, name):
    return int(re.search(r"\s(\d+)\s+[a-z]+\s+0x\S+\s+\d+ %s \(" % name,
                         Run(DB, "-r", "-c", "ls " + folder, image).out).group(1))


def blocks_of(image, ino):
    data = read(image)
    return [off for off in range(0, len(data), 4096) if data[off:off + 4] == b"XDB3"
            and data[off + 40:off + 48] == ino.to_bytes(8, "big")]


def made(name, *options):
    image = lab.mkfs(name, 320 << 20, *options)
    lines = []
    for i in range(FOLDERS):
        lines += ["mkdir /folder-%d 755" % i, "mkdir /folder-%d/below 755" % i]
        lines += ["create /folder-%d/a-name-of-a-file-%d 644" % (i, k) for k in range(FILES)]
    return fsx(image, lines)


def count(image):
    change_inode(image, number(image, "/folder-17", "a-name-of-a-file-3"), 16, (5).to_bytes(4, "big"))


def count_of_folder(image):
    change_inode(image, number(image, "/", "folder-23"), 16, (9).to_bytes(4, "big"))


def block(image):
    off = blocks_of(image, number(image, "/", "folder-31"))[0]
    write(image, off + 400, bytes(48))


def two_names(image):
    """A second directory names what lies below another one: in the short form of the lower folder, too."""
    change_inode(image, number(image, "/folder-41", "below"),
                 176 + 2, number(image, "/", "folder-7").to_bytes(4, "big"))


def pointer(image):
    """A pointer of a file names another folder."""
    ino = number(image, "/folder-12", "a-name-of-a-file-5")
    raw = read(image, Super(image).inode(ino), Super(image).inodesize)
    at = raw.index(b"a-name-of-a-file-5") + len("a-name-of-a-file-5")
    change_inode(image, ino, at, number(image, "/", "folder-44").to_bytes(8, "big"))


CASES = [("a link count", count, 2), ("the link count of a directory", count_of_folder, 3),
         ("a block of a directory", block, 3),
         ("the parent in a directory", two_names, 5), ("a parent pointer", pointer, 4)]
for kind, options in (("plain", ("-n", "parent=0")), ("parent pointers", ("-n", "parent=1"))):
    whole = made("whole.img", *options)
    lab.ok(repair("-n", whole).code == 0, kind + ": clean at first")
    for what, damage, most in CASES:
        if damage is pointer and kind == "plain":
            continue
        image = lab.copy(whole, "damaged.img")
        damage(image)
        small = lab.copy(image, "small.img")
        run = repair("-v", image)
        gathered = re.search(r"(\d+) entries of (\d+) directories and (\d+) parent pointers gathered", run.err)
        lab.ok(run.code == 0 and gathered and int(gathered.group(2)) <= most
               and int(gathered.group(3)) < FOLDERS * FILES // 4,
               "%s, %s: at most %d of %d directories gathered" % (kind, what, most, 2 * FOLDERS + 1), run)
        lab.ok(repair("-n", image).code == 0, "%s, %s: the second run is clean" % (kind, what))
        less = repair("-m", "8", small)
        lab.ok(less.code == 0 and Run("cmp", "-s", image, small).code == 0, "%s, %s: the same with -m 8" % (kind, what),
               less)
lab.end()
