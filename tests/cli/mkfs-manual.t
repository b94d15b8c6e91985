#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual page of mkfs.xfs names every section and suboption of the program, in the order of --help, and no other."""
import os
import re
import subprocess
import sys

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                                "..", "..")))
MKFS = os.path.join(os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd())), "mkfs.xfs")


def main():
    page = open(os.path.join(SRC, "man/man8/mkfs.xfs.8")).read().replace("\\-", "-")
    help_text = subprocess.run([MKFS, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    program = []
    for part in re.split(r"^-(?=\w, section \[)", help_text, flags=re.M)[1:]:
        program.append((part[0], re.match(r"\w, section \[(\w+)\]", part)[1], re.findall(r"^  (\S+) ", part, re.M)))
    manual = []
    for part in re.split(r"^\.SS -(?=\w: )", page, flags=re.M)[1:]:
        part = part.split("\n.SH ")[0]
        names = [re.split(r"[ =]", name)[0] for name in re.findall(r"^\.TP\n\.B[RI]? (.*)$", part, re.M)]
        manual.append((part[0], re.search(r"Section \[(\w+)\]", part)[1], names))
    print("1..%d" % (len(program) + 1))
    failed = len(program) != len(manual) or sum(len(names) for _, _, names in program) < 70
    print("%sok 1 - %d sections, %d suboptions" % ("not " if failed else "", len(program),
                                                   sum(len(n) for _, _, n in program)))
    for n, section in enumerate(program, 2):
        good = section in manual
        failed |= not good
        print("%sok %d - section -%s" % ("" if good else "not ", n, section[0]))
        if not good:
            print("#   program %s" % (section,))
            print("#   manual  %s" % ([m for m in manual if m[0] == section[0]],))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
