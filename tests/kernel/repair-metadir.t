#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The metadata directory tree of a fresh filesystem: damage to its names is undone, damage elsewhere leaves it alone."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "oracle")]

import campaign  # noqa: E402
import nametools  # noqa: E402
from xfsjudge.report import Report  # noqa: E402
from xfsread.device import Image  # noqa: E402
from xfsread.dirs import Directory  # noqa: E402
from xfsread.forks import read_fork  # noqa: E402
from xfsread.fs import Fs  # noqa: E402
from xfsread.inode import read_inode  # noqa: E402


def tree(path):
    """(path, inode, links) of the metadata tree."""
    fs = Fs(Image(path), Report())
    found, left = [], [("", fs.sb.metadirino)]
    while left:
        name, number = left.pop()
        inode = read_inode(fs, number)
        found.append((name, number, inode.links))
        if inode.type == 0o040000:
            left += [(name + "/" + child.decode("latin1"), ino) for child, ino, _ in Directory(fs, inode, read_fork(fs, inode, False)).entries
                     if child not in (b".", b"..")]
    return sorted(found)


def meta(offset, size, change):
    return lambda d: d.poke("inode:%d" % d.fs.sb.metadirino, offset, size, change)


def both(*actions):
    return lambda d: [one(d) for one in actions]


ROWS = (("links of the root", lambda d: d.poke("inode:%d" % d.fs.sb.rootino, 16, 4, 9)),
        ("links of the metadata root", meta(16, 4, 9)),
        ("metadata root lost its entries", both(meta(176, 1, 0), meta(56, 8, 6))),
        ("parent of the metadata root", meta(178, 4, 135)),
        ("slash in a name", meta(176 + 10, 1, 0x2F)),
        ("type of an entry", meta(176 + 6 + 3 + 8, 1, 1)),
        ("metadata root wiped", lambda d: d.fill(d.locate("inode:%d" % d.fs.sb.metadirino))),
        ("/rtgroups wiped", lambda d: d.fill(d.locate("inode:%d" % [i for n, i, _ in d.tree if n == "/rtgroups"][0]))),
        ("the type of the metadata root", meta(6, 2, 5)),
        ("the flag of the metadata root", meta(120, 8, 0)),
        ("root wiped", lambda d: d.fill(d.locate("inode:%d" % d.fs.sb.rootino))))


def main():
    tap = campaign.Tap()
    os.makedirs(campaign.IMAGES, exist_ok=True)
    truth = os.path.join(campaign.IMAGES, "metadir-%d.img" % os.getpid())
    work = truth + ".work"
    with open(truth, "wb") as out:
        out.truncate(1 << 30)
    made = campaign.run(os.path.join(campaign.BUILD, "mkfs.xfs"), "-q", "-f", "-m", "metadir=1", "-n", "parent=1", truth)
    tap.put(made.returncode == 0, "mkfs.xfs", made.stdout)
    before = tree(truth)
    for title, action in ROWS:
        campaign.copy_sparse(truth, work)
        damage = nametools.Wreck(work)
        damage.tree = before
        action(damage)
        damage.close()
        dry = campaign.run(campaign.REPAIR, "-n", work)
        done = campaign.run(campaign.REPAIR, work)
        wrong = "" if dry.returncode == 1 and not done.returncode else "exit %d, %d\n%s" % (dry.returncode, done.returncode, done.stdout)
        wrong = wrong or campaign.judge(work)
        if not wrong and tree(work) != before:
            wrong = "%s\n%s" % (tree(work), done.stdout)
        tap.put(not wrong, title, wrong)
    campaign.remove(truth)
    campaign.remove(work)
    tap.end()


main()
