#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair where there is very much of one thing: sizes at which work that grows with the square would be noticed, and a right result."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import Lab, repair, Run  # noqa: E402
import campaign  # noqa: E402

BOMBS = os.path.join(campaign.BUILD, "bin/tests/helpers/bombs")
lab = Lab("repair-bombs")


def bomb(kind, *numbers, options=()):
    image = lab.mkfs("bomb.img", 4 << 30, "-m", "rmapbt=1,reflink=0", *options)
    made = Run(BOMBS, kind, image, *map(str, numbers))
    if made.code:
        raise SystemExit("bombs %s: %s" % (kind, made))
    return image


def clean(image):
    again = repair("-n", image)
    return again.code == 0, again


# ---- trees of directories ----
image = bomb("deep", 20000)
good, said = clean(image)
lab.ok(good, "20,000 directories one below the other: clean", said)

image = bomb("ring", 5000, options=("-n", "parent=1"))
said = repair(image)
text = said.out + said.err
good, again = clean(image)
lab.ok(said.code == 0 and good, "a ring of 5,000 directories: repaired", "%s\n%s" % (said, again))
lab.ok(len(re.findall("it lies below itself, named by", text)) == 1 and "0 inodes and 0 bytes lost" in text,
       "it is cut at one place, and nothing is lost", text[-1000:])

lab.end()
