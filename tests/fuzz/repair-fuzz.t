#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A short run of repair-fuzz with a fixed seed, a few cases for each sort of damage and image."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "kernel")]

import campaign  # noqa: E402
from damages import MODES  # noqa: E402

fuzzer = campaign.load("repair_fuzz", os.path.join(HERE, "repair-fuzz"))

tap = campaign.Tap()
images = fuzzer.shipped()
for mode in sorted(MODES):
    said = []
    options = fuzzer.parse(["--seed", "7", "--count", "12", "--quick", "--mode", mode] + images)
    done, wrong = fuzzer.fuzz(options, said.append)
    tap.put(not wrong and done, "%d cases of random damage: %s" % (done, mode), "\n".join(said))
tap.end()
