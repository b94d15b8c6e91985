#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No line of the C sources is wider than 120 columns, with tabs of eight."""
import glob
import os
import sys

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(__file__), "..", "..")))
FOLDERS = ("include", "libxfs", "repair", "mkfs", "db", "io", "examples", "tests")
WIDTH = 120


def long_lines(name):
    with open(os.path.join(SRC, name), encoding="utf-8") as source:
        return ["%s:%d: %d columns" % (name, number, len(line.rstrip("\n").expandtabs(8)))
                for number, line in enumerate(source, 1) if len(line.rstrip("\n").expandtabs(8)) > WIDTH]


def main():
    failed = False
    print("1..%d" % len(FOLDERS))
    for number, folder in enumerate(FOLDERS, 1):
        names = sorted(os.path.relpath(path, SRC)
                       for path in glob.glob(os.path.join(SRC, folder, "**", "*.[ch]"), recursive=True))
        odd = [line for name in names for line in long_lines(name)]
        good = bool(names) and not odd
        failed |= not good
        print("%sok %d - %s: lines of at most %d columns in %d files" % ("" if good else "not ", number, folder, WIDTH,
                                                                       len(names)))
        for line in odd:
            print("# " + line)
    return failed


sys.exit(main())
