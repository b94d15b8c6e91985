#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every id of findings.def is provoked by the damage that provoked.txt names; an id without a line fails."""
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
    tap, known = campaign.Tap(), provoke.read_list()
    with tempfile.TemporaryDirectory(prefix="findings.") as folder, multiprocessing.Pool(os.cpu_count()) as pool:
        wanted = [i for i in provoke.all_ids() if i in known]
        for ident, (how, image, ids) in zip(wanted, pool.imap(provoke.try_one, [(*known[i], folder) for i in wanted])):
            tap.put(ident in ids, "%s: %s (%s)" % (ident, how, image), "reported: " + " ".join(sorted(ids)))
    for ident in provoke.all_ids():
        if ident not in known:
            tap.put(False, ident, "no line in provoked.txt: which damage makes xfs_repair report it?")
    tap.end()


if __name__ == "__main__":
    main()
