# SPDX-License-Identifier: BSD-2-Clause
"""What the scripts repair-forks*.t share: images that a kernel filled, wrecked by recipes, repaired, and read by the kernel of the box."""
import os

import campaign

DATA = ["extents", "extent", "bmbt-leaf", "bmbt-node", "bmbt-all", "root", "root-and-all", "count-small", "count-zero",
        "count-huge", "format", "format-invalid", "format-local", "overlap", "outofrange", "length", "steal", "nblocks"]
ATTR = ["extents", "bmbt-leaf", "bmbt-all", "root", "count-zero", "format"]
RMAP = ["rmap-leaf", "rmap-node", "rmap-all", "rmap-owner", "rmap-missing"]
EACH = ([(name, "--crc", ("fix", "stale")[i % 2]) for i, name in enumerate(DATA)] +
        [(name, "--fork", "attr", "--crc", ("stale", "fix")[i % 2]) for i, name in enumerate(ATTR)] +
        [(name, "--crc", "fix") for name in RMAP])
# every fork at once, each by another recipe
MIXES = [("mix", "--crc", "mix", "--fill", "junk", "--scrub-log"),
         ("mix", "--crc", "mix", "--fill", "zero", "--scrub-log"),
         ("mix", "--fork", "attr", "--crc", "mix", "--scrub-log")]


def run(images):
    """images: (profile, how it is made, recipes). Each recipe on each image; the results of mixes are for the kernel. The TAP to the end."""
    tap = campaign.Tap()
    results = []
    for profile, via, recipes in images:
        truth, reason = campaign.made(profile, via=via)
        if not truth:
            tap.put(True, profile, skip=reason)
            continue
        wrong = campaign.judge(truth)
        tap.put(not wrong, profile + ": the image itself is clean", wrong)
        for recipe, *options in recipes:
            work = os.path.join(campaign.IMAGES, "work-%s-%d.img" % (profile, len(results)))
            if campaign.one(tap, truth, recipe, work, options) and recipe == "mix":
                results.append((work, truth + ".list"))
            else:
                campaign.remove(work)
    if results:
        campaign.kernel_reads(tap, results, judged=True)
    for work, _ in results:
        campaign.remove(work)
    tap.end()
