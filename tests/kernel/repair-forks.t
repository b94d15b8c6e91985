#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An image that a kernel filled: forks of 1, 20 and 1,000 extents in every state, wrecked in every way.

It has an rmapbt of three levels, is made in the box and goes through every recipe, one at a time and all at once.
Afterwards the kernel of the box mounts what the mixes left and reads every file.  Forks of 10,000 extents:
repair-forks-1k.t, repair-forks-4k.t.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forks  # noqa: E402

forks.run([("forks-quick", "box", forks.EACH + forks.MIXES)])
