#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fields of directories, attributes and symlinks, one at a time, as tests/oracle/corruptions.py lists them.

Names and contents are those from before, but for what one witness alone held (KEPT_APART).
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]

import campaign  # noqa: E402
import nametools  # noqa: E402
from corruptions import TABLE  # noqa: E402

NAMES = ("dir-", "da-", "attr-", "symlink-", "inode-unreachable entry", "inode-nlink")
# title -> paths that may change: the damage overwrote the only copy, checksum included
KEPT_APART = {
    "symlink-target inode:/symlink30 @180": {"symlink30"},
    "dir-hash dirdata:/dir40 @105 name changed": {"dir40/sub-0-"},
    "attr-flags inline list of /xattr-dir": {"xattr-dir"},
    "attr-incomplete attrleaf:/xattr-big @86": {"xattr-big"},
}
QUIET = {"attr-incomplete attrleaf:/xattr-big @86"}    # as a crash may leave it: no damage


def image_of(name):
    return campaign.kept("oracle/data/%s.img" % name, "oracle-%s.img" % name)


def main():
    tap = campaign.Tap()
    work = os.path.join(campaign.IMAGES, "work-fields-%d.img" % os.getpid())
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name in ("full", "plain", "v4"):
        truth = image_of(name)
        before = nametools.parse(nametools.listing(truth))
        for row in TABLE:
            if row.image == name and row.title.startswith(NAMES) and wanted in row.title:
                nametools.one(tap, truth, before, "%s: %s" % (name, row.title), row.action, KEPT_APART.get(row.title, "same"), work,
                              findings=row.title not in QUIET)
    campaign.remove(work)
    tap.end()


main()
