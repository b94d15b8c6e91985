#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A root directory that is not where mkfs would put it, as after a change of stripes: damage to its inode does not send the repair to the usual
place, where there is none."""
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
sys.path.insert(2, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import campaign  # noqa: E402
from repairlab import fsx, Lab, read, repair, write  # noqa: E402
from xfsread import crc32c  # noqa: E402

lab = Lab("repair-root-place")
base = lab.mkfs("stripes.img", 320 << 20, "-b", "size=4k", "-d", "agcount=2,su=256k,sw=4")
fsx(base, ["mkdir /dir 755", "create /dir/file 644", "write /dir/file 0 5000 7"])


def poke(image, start, size, crc, at, data):
    """Changes bytes of a structure, and its checksum."""
    whole = bytearray(read(image, start, size))
    whole[at:at + len(data)] = data
    struct.pack_into("<I", whole, crc, crc32c.block_crc(bytes(whole), crc))
    write(image, start, bytes(whole))


agblocks, agcount = struct.unpack(">II", read(base, 84, 8))
for ag in range(agcount):
    start = ag * agblocks * 4096
    version, = struct.unpack(">H", read(base, start + 100, 2))
    poke(base, start, 512, 224, 100, struct.pack(">H", version & ~0x100))       # no stripes, and
    poke(base, start, 512, 224, 184, bytes(8))                                  # neither unit nor width
root, = struct.unpack(">Q", read(base, 56, 8))
lab.ok(repair("-n", base).code == 0, "the stripes are forgotten: a check finds nothing", repair("-n", base))
for what, at, data in (("type", 2, b"\x81\xed"), ("flag of metadata", 127, b"\x20")):
    image = base + ".damaged"
    shutil.copy(base, image)
    poke(image, root * 512, 512, 100, at, data)
    done, again = repair(image), repair("-n", image)
    listed = campaign.run(sys.executable, campaign.LISTER, image).stdout
    lab.ok(done.code == 0 and again.code == 0 and " dir/file\n" in listed, "the %s of the root inode is wrong: all is there" % what,
           "%s %s %s" % (done, again, listed))
lab.end()
