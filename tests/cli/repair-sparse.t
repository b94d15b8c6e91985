#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair on images of many TiB that hold next to nothing: superblocks are looked for where they are likely, and holes
are passed over.  A search that read all zeroes would not end before the limit."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import Lab, Super, repair, write  # noqa: E402

TIB = 1 << 40
LIMIT = 60	# seconds; reading 12 TiB takes several times that
lab = Lab("repair-sparse")


def gone(name, options, first):
    """Superblocks from AG `first` on, or all."""
    image = lab.mkfs(name + ".img", 12 * TIB, *options)
    sb = Super(image)
    for agno in range(sb.agcount if first is None else 1):
        write(image, agno * sb.agbytes, bytes(512))
    if first == "headers":
        write(image, 0, bytes(4 * sb.sectsize))
    run = repair(image, timeout=LIMIT)
    lab.ok(run.code == 0 and Super(image).agblocks == sb.agblocks and Super(image).dblocks == sb.dblocks, name, run)
    run = repair("-n", image, timeout=LIMIT)
    lab.ok(run.code == 0, name + ": the second run is clean", run)


gone("primary lost", (), "primary")
gone("primary lost, AGs of a size of their own", ("-d", "agsize=300g", "-s", "size=4096"), "primary")
gone("headers of the first AG lost", (), "headers")
gone("headers of the first AG lost, AGs of a size of their own", ("-d", "agsize=300g"), "headers")
gone("all superblocks lost", (), None)
gone("all superblocks lost, AGs of a size of their own", ("-d", "agcount=47", "-b", "size=1024"), None)
lab.end()
