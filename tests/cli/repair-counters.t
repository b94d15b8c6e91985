#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Free blocks of a filesystem without lazy counters: blocks of the trees of free space count, whatever the AGF says of them.

Kernel and distribution's xfs_repair agree about that, though only lazy counters need agf_btreeblks to be right."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
import campaign  # noqa: E402
from repairlab import fsx, Lab, read, repair, Run, write  # noqa: E402

lab = Lab("repair-counters")
image = lab.mkfs("nolazy.img", 320 << 20, "-b", "size=512", "-d", "agcount=2", "-m", "crc=0,finobt=0", "-l", "lazy-count=0")
fsx(image, ["create /f%d 644" % k for k in range(260)] + ["write /f%d 0 512 %d" % (k, k + 1) for k in range(260)] +
    ["unlink /f%d" % k for k in range(0, 260, 2)])
AGF = 512
blocks = 0


def number(at, size=4):
    return int.from_bytes(read(image, at, size), "big")


levels = max(number(ag * number(84) * 512 + AGF + 28) for ag in (0, 1))
lab.ok(levels == 2, "trees of two levels", levels)
for btreeblks in ("as they are", "zero"):
    if btreeblks == "zero":
        for ag in (0, 1):
            write(image, ag * number(84) * 512 + AGF + 60, bytes(4))
    free, seen = number(144, 8), repair("-n", image)
    lab.ok(seen.code == 0 and "counter" not in seen.out + seen.err, "agf_btreeblks %s: a check finds nothing" % btreeblks, seen)
    lab.ok(not campaign.upstream_finds(image), "the distribution's finds nothing", campaign.upstream_finds(image))
    verdict = Run(sys.executable, campaign.JUDGE, image)
    lab.ok(verdict.code == 0, "the independent judge neither", verdict)
    write(image, 144, (free + 1).to_bytes(8, "big"))
    done = repair(image)
    lab.ok(done.code == 0 and number(144, 8) == free, "a wrong count becomes what it was", "%s %d %d" % (done, free, number(144, 8)))
lab.end()
