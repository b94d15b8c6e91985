#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fields that no file depends on, and that have to be what the format says all the same: a check tells of them, a repair puts them right."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import Lab, Super, campaign, change_inode, read, repair, same, write  # noqa: E402

lab = Lab("repair-fields")
MADE = {4: ("-m", "crc=0"), 5: ("-m", "bigtime=0")}
images = {version: lab.mkfs("v%d.img" % version, 320 << 20, "-d", "agcount=2", *options) for version, options in MADE.items()}


def put(image, version, ino, at, new):
    if version == 5:
        change_inode(image, ino, at, new)
    else:
        write(image, Super(image).inode(ino) + at, new)


def check(version, what, ino, at, new, expected=None):
    """A damaged field is told, and has the value that is expected afterwards (else: that of the clean image)."""
    clean, image = images[version], lab.copy(images[version], "t.img")
    where = Super(clean).inode(ino) + at
    put(image, version, ino, at, new)
    before = lab.copy(image, "before.img")
    dry = repair("-n", "-o", "force_geometry", image)
    told = dry.code == 1 and same(before, image)
    done = repair("-o", "force_geometry", image)
    again = repair("-n", "-o", "force_geometry", image)
    now = read(image, where, len(new))
    wanted = read(clean, where, len(new)) if expected is None else expected
    theirs = campaign.upstream_finds(image, "-o", "force_geometry") if not done.code else ""
    lab.ok(told and done.code == 0 and again.code == 0 and now == wanted and not theirs, "V%d: %s" % (version, what),
           "%s%s%s%s: %s" % (dry, done, again, theirs, now.hex()))


def main():
    for version, image in images.items():
        free = Super(image).rootino + 9
        bitmap = int.from_bytes(read(image, 64, 8), "big")
        check(version, "start of the attribute fork of a free inode", free, 82, b"\x05")
        check(version, "format of the attribute fork of a free inode", free, 83, b"\x01", b"\x02")
        check(version, "flags of a free inode", free, 90, b"\x00\x02")
        check(version, "extent size hint of a free inode", free, 72, b"\x00\x10\x00\x00")
        # seconds are a sequence number there
        check(version, "nanoseconds of the realtime bitmap", bitmap, 32, b"\0\0\0\7" + b"\xff" * 4, b"\0\0\0\7" + bytes(4))
    free = Super(images[5]).rootino + 9
    check(5, "unused bytes of a free inode", free, 24, b"\1" * 8)
    check(5, "flags2 of a free inode", free, 120, (4).to_bytes(8, "big"))
    check(5, "size hint of shared blocks of a free inode", free, 128, b"\x00\x10\x00\x00")
    lab.end()


if __name__ == "__main__":
    main()
