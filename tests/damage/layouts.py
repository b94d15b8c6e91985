# SPDX-License-Identifier: BSD-2-Clause
"""Images of layouts that no other image has, filled through our own library: every form of block maps and directories, in few files."""
import os
import subprocess

from places import campaign

FSX = os.path.join(campaign.BUILD, "bin", "tests", "lib", "fsx")
# name: (megabytes, block size, options of mkfs.xfs)
LAYOUTS = {
    "reflink": (40, 1024, "-b size=1k -d agcount=2 -m rmapbt=0,reflink=1"),
    "one-group": (32, 1024, "-b size=1k -d agcount=1 -m rmapbt=0,reflink=1"),
    "one-group-rmap": (32, 1024, "-b size=1k -d agcount=1 -m rmapbt=1,reflink=1"),
    "stripes": (96, 4096, "-b size=4k -d agcount=2,su=256k,sw=4 -m rmapbt=1,reflink=1"),
    "v4-trees": (32, 512, "-b size=512 -d agcount=2 -m crc=0,finobt=0"),
}
NO_REFLINK = ("crc=0", "reflink=0")


def script(block, shares):
    """Lines of fsx."""
    out = []
    for where in ("small", "maps", "shared", "directories", "attributes", "links"):
        out.append("mkdir %s 755" % where)
    for k in range(40):
        out += ["create small/file-%02d 644" % k, "write small/file-%02d 0 %d %d" % (k, 700 + 13 * k, 100 + k)]
    for k, (name, count) in enumerate((("few", 5), ("twenty", 20), ("some", 40), ("many", 300))):
        out.append("create maps/holes-%s 644" % name)
        out += ["write maps/holes-%s %d %d %d" % (name, 2 * i * block, block, 200 + k) for i in range(count)]
    out += ["create maps/%s 644" % name for name in ("turn-a", "turn-b")]
    for i in range(0, 240, 2):      # two files that grow in turn: no block of one follows another
        out += ["write maps/turn-%s %d %d %d" % (name, i * block, 2 * block, 300 + i) for name in ("a", "b")]
    out += ["create shared/source 644", "write shared/source 0 %d 400" % (120 * block)]
    if shares:
        out += ["create shared/copy 644", "share shared/source 0 shared/copy 0 %d" % (120 * block),
                "write shared/copy %d %d 401" % (40 * block, 3 * block), "create shared/parts 644"]
        out += ["share shared/source %d shared/parts %d %d" % (8 * i * block, 2 * i * block, block) for i in range(14)]
    out += ["create maps/unwritten 644", "write maps/unwritten 0 %d 500" % (4 * block),
            "prealloc maps/unwritten %d %d" % (8 * block, 8 * block)]
    for name, count in (("inline", 3), ("block", 12), ("leaf", 60), ("node", 400)):
        out.append("mkdir directories/%s 755" % name)
        out += ["link small/file-00 directories/%s/a-name-of-%s-%04d" % (name, "some-length", i) for i in range(count)]
    for name, count, length in (("inline", 2, 20), ("block", 6, 50), ("tree", 60, 100), ("remote", 4, 3 * block)):
        out += ["create attributes/%s 644" % name, "write attributes/%s 0 2000 600" % name]
        out += ["setattr attributes/%s user a-name-%03d %d %d" % (name, i, min(length, 65000), 700 + i) for i in range(count)]
    out += ["symlink short-target links/short", "symlink %s links/long" % ("a-long-target/" * 70)]
    return out


def made(name):
    """The image of a layout, made when it is not there."""
    size, block, options = LAYOUTS[name]
    target = os.path.join(campaign.IMAGES, "damage-%s.img" % name)
    newest = max(os.path.getmtime(path) for path in (FSX, __file__))
    if os.path.exists(target) and os.path.getmtime(target) > newest:
        return target
    os.makedirs(campaign.IMAGES, exist_ok=True)
    base, fresh = (target + ending + str(os.getpid()) for ending in (".base", ".fresh"))
    small = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
    with open(base, "wb") as f:
        f.truncate(size << 20)
    uuid = [] if "crc=0" in options else ["-m", "uuid=9b6a1a52-8e06-4d55-a1f8-6f3f5d1f2b78"]
    subprocess.run([os.path.join(campaign.BUILD, "mkfs.xfs"), "-q", *options.split(), *uuid, base], env=small, check=True,
                   stdout=subprocess.DEVNULL)
    lines = script(block, not any(word in options for word in NO_REFLINK))
    done = subprocess.run([FSX, "run", "--base", base, fresh, "/dev/stdin"], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.unlink(base)
    if done.returncode:
        raise RuntimeError("image %s: %s" % (name, done.stdout[-300:]))
    os.rename(fresh, target)
    return target
