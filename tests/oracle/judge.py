#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge an XFS image: one line for each violation. Exit 0: none, 1: findings, 2: it can't be read."""

import argparse
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from xfsjudge.report import Report  # noqa: E402
from xfsjudge.run import judge  # noqa: E402
from xfsread.device import ReadError  # noqa: E402
from xfsread.fs import NotXfs  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description="Judge an XFS image from a clean unmount.")
    parser.add_argument("image")
    parser.add_argument("--offset", type=int, default=0, help="where the filesystem starts, in bytes")
    parser.add_argument("--logdev", help="external log")
    parser.add_argument("--rtdev", help="realtime device: its superblock, with realtime groups")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quiet", action="store_true", help="exit status only")
    parser.add_argument("--no-crc", action="store_true", help="do not compute checksums")
    parser.add_argument("--all", action="store_true", help="no limit of lines for one finding id")
    parser.add_argument("--ignore", default="", help="finding ids to leave out, separated by commas")
    return parser.parse_args()


def main():
    args = arguments()
    rep = Report(ignore=[ident for ident in args.ignore.split(",") if ident], limit=0 if args.all else 40)
    try:
        judge(args.image, rep, args.offset, not args.no_crc, args.logdev, args.rtdev)
    except (NotXfs, ReadError, OSError) as err:
        print("judge: %s: can't be read: %s" % (args.image, err), file=sys.stderr)
        return 2
    except Exception:  # noqa: BLE001 - a bug here must not pass for findings (a traceback alone gives status 1)
        traceback.print_exc()
        print("judge: %s: internal error" % args.image, file=sys.stderr)
        return 2
    if args.json:
        print(rep.as_json())
    elif not args.quiet:
        for line in rep.lines():
            print(line)
    return 1 if rep.counts else 0


if __name__ == "__main__":
    sys.exit(main())
