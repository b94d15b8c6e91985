#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An image with blocks of 4k that a kernel filled: forks of 1, 20 and 10,000 extents, wrecked by all recipes at once.

It has large extent counters, and is made by loop mount of the running kernel: that takes minutes in the box, and is left
to the long run where loop mounts are not allowed.  XFSKIT_LONG=1: every recipe alone, and the same with small counters.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forks  # noqa: E402

if os.environ.get("XFSKIT_LONG"):
    forks.run([(profile, "auto", forks.EACH + forks.MIXES) for profile in ("forks-4k-nrext64", "forks-4k")])
else:
    forks.run([("forks-4k-nrext64", "loop", forks.MIXES)])
