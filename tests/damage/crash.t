#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Repairs that are stopped: three recipes at some of their writes; XFSKIT_LONG=1: fifty recipes at every write."""
import multiprocessing
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import crashes  # noqa: E402
from places import NoPlace, campaign  # noqa: E402
from recipe import read_recipes  # noqa: E402

QUICK = ("tree-all-of-one-ag-gone", "fork-bmbt-all-and-root", "sb-primary-gone")
LONG_RECIPES, QUICK_STOPS, LONG_STOPS = 50, 5, 150


def chosen(long):
    recipes = {r.name: r for r in read_recipes()}
    names = list(QUICK)
    if long:
        others = [r.name for r in recipes.values() if r.name not in QUICK and not r.tolerated]
        step = max(1, len(others) // (LONG_RECIPES - len(QUICK)))
        names += others[::step][:LONG_RECIPES - len(QUICK)]
    return [recipes[n] for n in names]


def one(job):
    recipe, most = job
    with tempfile.TemporaryDirectory(prefix="crash.") as folder:
        try:
            stops, wrong = crashes.run_campaign(recipe, "1k", folder, most)
        except NoPlace as err:
            return recipe.name, 0, [], str(err)
        except (RuntimeError, OSError) as err:
            return recipe.name, 0, [str(err)], None
        return recipe.name, stops, wrong, None


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    if not os.path.exists(crashes.CRASH):
        tap.put(False, "the helper program", "build bin/tests/damage/crash first")
        tap.end()
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for name, stops, wrong, skip in pool.imap(one, [(r, LONG_STOPS if long else QUICK_STOPS) for r in chosen(long)]):
            tap.put(not wrong and (stops or skip), "%s: stopped %d times" % (name, stops), "\n".join(wrong), skip)
    tap.end()


if __name__ == "__main__":
    main()
