#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two damaged structures: pairs in which each kind of structure occurs, those that were once wrong (once.txt), and some at
random with a fixed seed; XFSKIT_LONG=1: two thousand."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import programs  # noqa: E402
from places import campaign  # noqa: E402

pairs = programs.load("damage_pairs", "pairs")


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    asan = os.path.join(campaign.BUILD, "asan")
    more = ["--asan", asan] if long and os.access(os.path.join(asan, "xfs_repair"), os.X_OK) else []
    for what, arguments in (("each kind of structure", ["--cover"]),
                            ("once wrong", ["--once", os.path.join(HERE, "once.txt")]),
                            ("at random", ["--count", "2000" if long else "20"])):
        said = []
        done, wrong, known = pairs.run_pairs(pairs.parse(["--seed", "5"] + arguments + more), said.append)
        if what == "at random" and long:
            said += ["known.txt: no such pair: " + case for case in known.unmet()]
        tap.put((done or what == "once wrong") and not wrong and not said,
                "%s: %d pairs of damages, %d known to fail" % (what, done, len(known.met)), "\n".join(said))
    tap.end()


if __name__ == "__main__":
    main()
