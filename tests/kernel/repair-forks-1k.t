#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An image with blocks of 1k that a kernel filled: forks of 1, 20 and 10,000 extents, wrecked by all recipes at once.

It is made by loop mount of the running kernel where that is allowed, which takes a fifth of the time, else in the box.
XFSKIT_LONG=1: every recipe alone, and the same with large extent counters.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forks  # noqa: E402

if os.environ.get("XFSKIT_LONG"):
    forks.run([(profile, "auto", forks.EACH + forks.MIXES) for profile in ("forks-1k", "forks-1k-nrext64")])
else:
    forks.run([("forks-1k", "auto", forks.MIXES)])
