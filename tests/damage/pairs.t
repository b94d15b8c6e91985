#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two damaged structures at random: some pairs with a fixed seed; XFSKIT_LONG=1: two thousand."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import programs  # noqa: E402
from places import campaign  # noqa: E402

pairs = programs.load("damage_pairs", "pairs")


def main():
    tap, said = campaign.Tap(), []
    count = "2000" if os.environ.get("XFSKIT_LONG") else "25"
    done, wrong, left = pairs.run_pairs(pairs.parse(["--seed", "5", "--count", count]), said.append)
    tap.put(done and not wrong, "%d pairs of damages, %d not repaired whole" % (done, left), "\n".join(said))
    tap.end()


if __name__ == "__main__":
    main()
