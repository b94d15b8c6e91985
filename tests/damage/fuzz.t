#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fields of all structures changed by the fuzz verbs: a sample with a fixed seed, each image; XFSKIT_LONG=1: all, under
AddressSanitizer where there is such a build."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import programs  # noqa: E402
from places import campaign  # noqa: E402

fuzzer = programs.load("field_fuzz", "fuzz")

SAMPLE = {"1k": 40, "parent": 25, "plain": 20, "v4": 20, "rt": 15, "quota": 15}


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    asan = os.path.join(campaign.BUILD, "asan")
    for image in fuzzer.IMAGES if long else SAMPLE:
        arguments = ["--seed", "11"] + ([] if long else ["--sample", str(SAMPLE[image])])
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
