#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fields of all structures changed by the fuzz verbs: some of each kind of structure, with a fixed seed, and those that
were once wrong (once.txt); XFSKIT_LONG=1: all, under AddressSanitizer where there is such a build."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import programs  # noqa: E402
from places import campaign  # noqa: E402

fuzzer = programs.load("field_fuzz", "fuzz")

SAMPLE = {"1k": 3, "parent": 2, "plain": 1, "v4": 2, "rt": 1, "quota": 1,
          "log-rmap": 1, "log-v4": 0, "log-v1": 0, "log-quota": 0, "log-chains": 0}      # fields of each


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    asan = os.path.join(campaign.BUILD, "asan")
    for image in fuzzer.IMAGES if long else SAMPLE:
        arguments = ["--seed", "11"] + ([] if long else ["--each", str(SAMPLE[image]), "--once", os.path.join(HERE, "once.txt")])
        if os.access(os.path.join(asan, "xfs_repair"), os.X_OK) and long:
            arguments += ["--asan", asan]
        said = []
        cases, wrong, _, ran = fuzzer.fuzz(fuzzer.parse(arguments + [image]), said.append)
        if not ran:
            tap.put(True, image + ": fields changed", skip=said[0])
            continue
        said += ["known.txt: no such case: " + case for case in ran[0].known.unmet()] if long else []
        tap.put(cases and not wrong and not said, "%s: %d fields changed, %d known to fail" % (image, cases, len(ran[0].known.met)), "\n".join(said))
    tap.end()


if __name__ == "__main__":
    main()
