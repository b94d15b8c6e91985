#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sixty recipes of the damage campaign, some of the results read by the kernel in the box; XFSKIT_LONG=1: all recipes on
all images, every result that lost nothing read by the kernel."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import programs  # noqa: E402
from places import campaign  # noqa: E402
from recipe import read_recipes  # noqa: E402

runner = programs.runner()

KERNEL = 10     # results of the short form that the kernel reads


def quick_recipes():
    """[(recipe, image)] of quick.txt."""
    recipes = {r.name: r for r in read_recipes()}
    with open(os.path.join(HERE, "quick.txt")) as f:
        words = [line.split() for line in f if line.strip() and line[0] != "#"]
    return [(recipes[name], image) for name, image in words]


def put(tap, result):
    what = "%s (%s)" % (result.name, result.image)
    notes = "\n".join(result.wrong + result.said[:5]) + "\n" + result.log
    tap.put(result.good, what + (": %d intact, %d changed, %d moved, %d lost" % result.counts[:4] if result.counts
                                 else ""), notes, result.skip)


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    if long:
        results, missing = runner.run_all(read_recipes(), kernel=-1, each=lambda r: None if r.skip else put(tap, r))
        never = {r.name for r in results} - {r.name for r in results if not r.skip}
        tap.put(not never, "every recipe suits an image", "\n".join(sorted(never)))
    else:
        results, missing = runner.run_pairs(quick_recipes(), kernel=KERNEL, each=lambda r: put(tap, r))
    for name, reason in missing.items():
        tap.put(True, "image " + name, skip=reason)
    tap.end()


if __name__ == "__main__":
    main()
