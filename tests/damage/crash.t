#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Repairs that are stopped: eight recipes of crashes.txt at some of their writes; XFSKIT_LONG=1: all of them at every write, in its
middle, with a cache that is lost in part, and many of the second runs as well.  XFSKIT_CRASHES=PATTERN: those recipes alone."""
import fnmatch
import multiprocessing
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import crashes  # noqa: E402
import programs  # noqa: E402
from places import NoPlace, campaign  # noqa: E402

SHORT, LONG = (8, 25, 3, 1), (1000, 1, 5, 3)      # recipes, stops at each n-th write, each n-th of these twice, stops for all judges


def one(job):
    recipe, image, form = job
    what = "%s (%s)" % (recipe.name, image)
    with tempfile.TemporaryDirectory(prefix="crash.", dir=programs.runner().scratch_folder()) as folder:
        try:
            stops, wrong = crashes.run_campaign(recipe, image, folder, *form[1:])
        except NoPlace as err:
            return what, 0, ["%s does not suit the image: %s" % (recipe.name, err)]
        except (RuntimeError, OSError) as err:
            return what, 0, [str(err)]
        return what, stops, wrong


def main():
    tap, form = campaign.Tap(), LONG if os.environ.get("XFSKIT_LONG") else SHORT
    pattern = os.environ.get("XFSKIT_CRASHES")
    if not os.path.exists(crashes.STOPS):
        tap.put(False, "the helper program", "build bin/tests/damage/stops first")
        tap.end()
    chosen = [(r, i, form) for r, i in crashes.read_list() if not pattern or fnmatch.fnmatch(r.name, pattern)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for what, stops, wrong in pool.imap_unordered(one, chosen if pattern else chosen[:form[0]]):
            tap.put(not wrong and stops, "%s: stopped %d times" % (what, stops), "\n".join(wrong[:30]))
    tap.end()


if __name__ == "__main__":
    main()
