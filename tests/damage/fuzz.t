#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fields of all structures changed by the fuzz verbs: some of each kind of structure, with a fixed seed, and those that
were once wrong (once.txt); XFSKIT_LONG=1: all, under AddressSanitizer where there is such a build."""
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import campaigns  # noqa: E402
import programs  # noqa: E402
from places import campaign  # noqa: E402

fuzzer = programs.load("field_fuzz", "fuzz")

SAMPLE = {"1k": 3, "parent": 2, "plain": 1, "v4": 2, "rt": 1, "quota": 1, "metadir": 1, "rtgroups": 0, "zones": 0,
          "reflink": 1, "one-group": 1, "one-group-rmap": 1, "stripes": 1, "v4-trees": 1,
          "log-rmap": 1, "log-v4": 0, "log-v1": 0, "log-quota": 0, "log-chains": 0}      # fields of each


def same_above(name, count, asan):
    """What is wrong where cases are done above the image: the program itself must say the same."""
    cases, above, found = fuzzer.Cases(name, ("fix", "stale")), None, []
    try:
        above = campaigns.Cases(cases.truth, asan)
        with tempfile.TemporaryDirectory(prefix="fuzz.") as folder:
            for number in random.Random(12).sample(range(len(cases.all)), count):
                said, one = cases.run_above(number, 12, above)
                _, other = cases.run(number, os.path.join(folder, "work.img"), None, 12)
                if (one.status, one.ids, one.wrong) != (other.status, other.ids, other.wrong):
                    found.append("%s: %s, but %s" % (said, (one.status, one.ids, one.wrong),
                                                     (other.status, other.ids, other.wrong)))
        above.close()
        above = campaigns.Cases(cases.truth, asan)
        if above.program.communicate(b"12=0g\n")[0].split()[:1] != [b"0"] or above.program.returncode != 2:
            found.append("a change that makes no sense: exit %d" % above.program.returncode)
    finally:
        cases.truth.places.close()
    return found


def main():
    tap, long = campaign.Tap(), bool(os.environ.get("XFSKIT_LONG"))
    asan = os.path.join(campaign.BUILD, "asan")
    for image in fuzzer.IMAGES if long else SAMPLE:
        arguments = ["--seed", "11"] + ([] if long else ["--each", str(SAMPLE[image]),
                                                         "--once", os.path.join(HERE, "once.txt")])
        if os.access(os.path.join(asan, "xfs_repair"), os.X_OK) and long:
            arguments += ["--asan", asan]
        said = []
        cases, wrong, _, ran = fuzzer.fuzz(fuzzer.parse(arguments + [image]), said.append)
        if not ran:
            tap.put(True, image + ": fields changed", skip=said[0])
            continue
        said += ["known.txt: no such case: " + case for case in ran[0].known.unmet()] if long else []
        tap.put(cases and not wrong and not said,
                "%s: %d fields changed, %d known to fail" % (image, cases, len(ran[0].known.met)), "\n".join(said))
    asan = asan if os.access(os.path.join(asan, "bin/tests/damage/cases"), os.X_OK) else None
    wrong = same_above("1k", 400 if long else 12, asan)
    tap.put(not wrong, "the same repairs above the image%s" % (", with sanitizers" if asan else ""), "\n".join(wrong))
    tap.end()


if __name__ == "__main__":
    main()
