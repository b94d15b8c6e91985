#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Filesystems with quota files and realtime groups that tests/helpers/metadir.c makes: nobody finds anything in them, they are the same
each time, and the independent judge notices what is wrong with the metadata directory."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "cli")]

import metaimage  # noqa: E402
from repairlab import Lab, repair, same  # noqa: E402
import campaign  # noqa: E402

FILES = {"metadir": {"", "/rtgroups", "/quota", "/quota/user", "/quota/group", "/quota/project"},
         "rtgroups": {"/quota/user", "/rtgroups/0.bitmap", "/rtgroups/3.summary", "/rtgroups/3.rmap", "/rtgroups/1.refcount"},
         "rtgroups-1k": {"", "/rtgroups", *("/rtgroups/%d.%s" % (n, k) for n in range(3) for k in ("bitmap", "summary", "rmap"))}}
NOTICED = (     # what the judge says, damage
    ("metadir-projid", lambda d: d.meta("rtgroups/1.bitmap", 20, 2, 2)),
    ("metadir-type", lambda d: d.meta("rtgroups/1.bitmap", 6, 2, 6)),
    ("metadir-name", lambda d: d.meta("quota", 176 + 6 + 3, 1, ord("x"))),
    ("metadir-stray", lambda d: d.meta("quota", 176 + 6 + 3, 1, ord("x"))),
    ("metadir-missing", lambda d: d.meta("rtgroups", 176 + 6 + 3, 1, ord("9"))),
    ("rtsb-magic", lambda d: d.super(0, b"Toad")), ("rtsb-crc", lambda d: d.super(4, b"Toad")), ("rtsb-pad", lambda d: d.super(8, b"Toad")),
    ("rtsb-fname", lambda d: d.super(12, b"Toad")), ("rtsb-uuid", lambda d: d.super(30, b"Toad")),
    ("rtsb-meta-uuid", lambda d: d.super(44, b"Toad")), ("rtsb-rest", lambda d: d.super(99, b"Toad")),
    ("rt-bitmap", lambda d: d.block("rtgroups/2.bitmap", 0, 60, b"\0")), ("rt-magic", lambda d: d.block("rtgroups/2.summary", 0, 0, b"BMPZ")),
    ("rt-owner", lambda d: d.block("rtgroups/2.summary", 0, 15, b"\1")), ("rt-blkno", lambda d: d.block("rtgroups/0.summary", 0, 23, b"\1")),
    ("rt-uuid", lambda d: d.block("rtgroups/0.bitmap", 0, 33, b"\1")), ("rt-crc", lambda d: d.block("rtgroups/0.bitmap", 0, 60, b"\0", None)),
    ("quota-count", lambda d: d.block("quota/user", 1, 136 * (1000 % 30) + 95, b"\0", None)))


def judge(image, rt):
    return campaign.run(sys.executable, campaign.JUDGE, *(["--rtdev", rt] if rt else []), image)


def main():
    lab = Lab("metadir-images")
    work, workrt = lab.path("work.img"), lab.path("work.rt")
    for kind, files in FILES.items():
        image, rt = metaimage.made(kind)
        verdict = judge(image, rt)
        lab.ok(verdict.returncode == 0, kind + ": the independent judge finds nothing", verdict.stdout)
        clean = repair("-n", "-o", "force_geometry", *(["-r", rt] if rt else []), image)
        lab.ok(clean.code == 0, kind + ": nor does xfs_repair", clean)
        found = {row[0] for row in metaimage.tree(image)}
        lab.ok(files <= found, kind + ": files of the metadata directory", "%s" % sorted(found))
        metaimage.make(kind, work, workrt)
        lab.ok(same(image, work) and (not rt or same(rt, workrt)), kind + ": the same bytes again")
    image, rt = metaimage.made("rtgroups")
    missed, damage = [], metaimage.Meta(lab.copy(image, "work.img"), lab.copy(rt, "work.rt"))
    for ident, action in NOTICED:
        action(damage)
        verdict = judge(work, workrt)
        damage.restore()
        if not any(line.startswith(ident + ":") for line in verdict.stdout.splitlines()):
            missed.append("%s: %s" % (ident, verdict.stdout[:300]))
    lab.ok(not missed, "%d damages, each noticed by the judge" % len(NOTICED), "\n".join(missed))
    lab.end()


main()
