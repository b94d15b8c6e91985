#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that a kernel filled in the box: forks of 1, 20 and many extents in every state, wrecked in every way.

One recipe at a time and all at once; afterwards the kernel mounts the results (one boot) and reads every file.
XFSKIT_LONG=1 takes the large images (10,000 extents; 1k and 4k blocks; small and large extent counters) too.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign  # noqa: E402

RECIPES = [("extents", "--crc", "fix"), ("bmbt-leaf", "--crc", "stale"), ("bmbt-all", "--crc", "fix"), ("root", "--crc", "fix"),
           ("root-and-all", "--crc", "stale"), ("count-zero", "--crc", "fix"), ("format", "--crc", "fix"), ("steal", "--crc", "fix"),
           ("extents", "--fork", "attr", "--crc", "fix"), ("bmbt-all", "--fork", "attr", "--crc", "fix"),
           ("rmap-leaf", "--crc", "fix"), ("rmap-all", "--crc", "fix")]
MIXES = [("mix", "--crc", "mix", "--fill", "junk", "--scrub-log"), ("mix", "--fork", "attr", "--crc", "mix", "--scrub-log")]
LARGE = ["forks-1k", "forks-1k-nrext64", "forks-4k", "forks-4k-nrext64"]


def main():
    tap = campaign.Tap()
    long = bool(os.environ.get("XFSKIT_LONG"))
    profiles = ["forks-quick"] + (LARGE if long else [])
    results = []
    for profile in profiles:
        truth, reason = campaign.made(profile)
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
