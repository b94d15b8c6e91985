#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every way of wrecking a fork, and the reverse mappings, on the shipped sample: all contents come back."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign  # noqa: E402

FORKS = ["extents", "extent", "bmbt-leaf", "bmbt-node", "bmbt-all", "root", "root-and-all", "count-small", "count-zero",
         "count-huge",
         "format", "format-invalid", "format-local", "overlap", "outofrange", "length", "steal", "nblocks"]
RMAPS = ["rmap-leaf", "rmap-node", "rmap-all", "rmap-owner", "rmap-missing"]

tap = campaign.Tap()
truth = campaign.sample()
work = os.path.join(campaign.IMAGES, "work-sample.img")
wrong = campaign.judge(truth)
tap.put(not wrong, "the sample itself is clean", wrong)
for recipe in FORKS:
    for crc in ("fix", "stale"):
        campaign.one(tap, truth, recipe, work, ("--crc", crc))
for recipe in FORKS:
    if recipe != "bmbt-node":       # no attribute fork of the sample has a tree of three levels
        campaign.one(tap, truth, recipe, work, ("--fork", "attr", "--crc", "fix"))
for recipe in RMAPS:
    for crc in ("fix", "stale"):
        campaign.one(tap, truth, recipe, work, ("--crc", crc))
for fill in ("junk", "zero", "records"):
    campaign.one(tap, truth, "mix", work, ("--crc", "mix", "--fill", fill, "--scrub-log"))
campaign.remove(work)
tap.end()
