#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that a kernel filled: forks of 1, 20 and many extents in every state, wrecked in every way.

The small one (1,000 extents, rmapbt of three levels) is made in the box and goes through every recipe, one at a time and
all at once; those with 10,000 extents (1k and 4k blocks, small and large extent counters) through all at once.  Afterwards
the kernel of the box mounts the results and reads every file.  Large images are made by loop mount of the running
kernel where that is allowed, which takes a fifth of the time.  XFSKIT_LONG=1: every recipe on every image.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign  # noqa: E402

DATA = ["extents", "extent", "bmbt-leaf", "bmbt-node", "bmbt-all", "root", "root-and-all", "count-small", "count-zero",
        "count-huge", "format", "format-invalid", "format-local", "overlap", "outofrange", "length", "steal", "nblocks"]
ATTR = ["extents", "bmbt-leaf", "bmbt-all", "root", "count-zero", "format"]
RMAP = ["rmap-leaf", "rmap-node", "rmap-all", "rmap-owner", "rmap-missing"]
RECIPES = ([(name, "--crc", ("fix", "stale")[i % 2]) for i, name in enumerate(DATA)] +
           [(name, "--fork", "attr", "--crc", ("stale", "fix")[i % 2]) for i, name in enumerate(ATTR)] +
           [(name, "--crc", "fix") for name in RMAP])
MIXES = [("mix", "--crc", "mix", "--fill", "junk", "--scrub-log"),
         ("mix", "--crc", "mix", "--fill", "zero", "--scrub-log"),
         ("mix", "--fork", "attr", "--crc", "mix", "--scrub-log")]


def main():
    tap = campaign.Tap()
    long = bool(os.environ.get("XFSKIT_LONG"))
    results = []
    # in the box the 4k images take minutes: without loop mounts they are left to the long run
    for profile, via in [("forks-quick", "box"), ("forks-1k", "auto"),
                         ("forks-4k-nrext64", "auto" if long else "loop")] + (
            [("forks-1k-nrext64", "auto"), ("forks-4k", "auto")] if long else []):
        truth, reason = campaign.made(profile, via=via)
        if not truth:
            tap.put(True, profile, skip=reason)
            continue
        wrong = campaign.judge(truth)
        tap.put(not wrong, profile + ": the image itself is clean", wrong)
        full = long or profile == "forks-quick"
        for recipe, *options in (RECIPES if full else []) + MIXES:
            work = os.path.join(campaign.IMAGES, "work-%s-%d.img" % (profile, len(results)))
            if campaign.one(tap, truth, recipe, work, options) and recipe == "mix":
                results.append((work, truth + ".list"))
            else:
                campaign.remove(work)
    if results:
        campaign.kernel_reads(tap, results)
    for work, _ in results:
        campaign.remove(work)
    tap.end()


main()
