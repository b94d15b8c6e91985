#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every id of findings.def is provoked by the damage that provoked.txt names, or skipped with the reason that stands there; an id without a
line fails."""
import multiprocessing
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import programs  # noqa: E402
from places import campaign  # noqa: E402

provoke = programs.load("damage_provoke", "provoke")


def main():
    tap, known, skipped = campaign.Tap(), provoke.read_list(), set()
    with tempfile.TemporaryDirectory(prefix="findings.") as folder, multiprocessing.Pool(os.cpu_count()) as pool:
        for ident in [i for i in provoke.all_ids() if known.get(i, " ")[0].startswith("none:")]:
            tap.put(True, ident, skip=known.pop(ident)[0][5:].replace("_", " "))
            skipped.add(ident)
        wanted = [i for i in provoke.all_ids() if i in known]
        for ident, (how, image, ids) in zip(wanted, pool.imap(provoke.try_one, [(*known[i], folder) for i in wanted])):
            tap.put(ident in ids, "%s: %s (%s)" % (ident, how, image), "reported: " + " ".join(sorted(ids)))
    for ident in provoke.all_ids():
        if ident not in known and ident not in skipped:
            tap.put(False, ident, "no line in provoked.txt: which damage makes xfs_repair report it?")
    tap.end()


if __name__ == "__main__":
    main()
