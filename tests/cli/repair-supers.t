#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every copy of the superblock is gone: the geometry comes back from headers and contents, and with it every file.

Filesystems of the distribution's mkfs.xfs, filled from a prototype, in the shapes that it makes, and the images of tests/data that a
kernel filled.  What nothing tells is listed in UNKNOWN: all other fields must be those of the original.  Where copies are left that can't
be believed as a whole, what they say that nothing contradicts comes back, too.
"""
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import Lab, Run, Super, campaign, change_super, read, repair, write  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
FIELDS = (      # name, offset, bytes
    ("blocksize", 4, 4), ("dblocks", 8, 8), ("rblocks", 16, 8), ("rextents", 24, 8), ("uuid", 32, 16),
    ("logstart", 48, 8), ("rootino", 56, 8), ("rbmino", 64, 8), ("rsumino", 72, 8), ("rextsize", 80, 4),
    ("agblocks", 84, 4), ("agcount", 88, 4), ("rbmblocks", 92, 4), ("logblocks", 96, 4), ("versionnum", 100, 2),
    ("sectsize", 102, 2), ("inodesize", 104, 2), ("inopblock", 106, 2), ("fname", 108, 12), ("blocklog", 120, 1),
    ("sectlog", 121, 1), ("inodelog", 122, 1), ("inopblog", 123, 1), ("agblklog", 124, 1), ("rextslog", 125, 1),
    ("inprogress", 126, 1), ("imax_pct", 127, 1), ("icount", 128, 8), ("ifree", 136, 8), ("fdblocks", 144, 8),
    ("frextents", 152, 8), ("uquotino", 160, 8), ("gquotino", 168, 8), ("qflags", 176, 2), ("inoalignmt", 180, 4),
    ("unit", 184, 4), ("width", 188, 4), ("dirblklog", 192, 1), ("logsectlog", 193, 1), ("logsectsize", 194, 2),
    ("logsunit", 196, 4), ("features2", 200, 4), ("bad_features2", 204, 4), ("features_compat", 208, 4),
    ("features_ro_compat", 212, 4), ("features_incompat", 216, 4), ("features_log_incompat", 220, 4),
    ("spino_align", 228, 4), ("pquotino", 232, 8), ("meta_uuid", 248, 16), ("metadirino", 264, 8), ("rgcount", 272, 4),
    ("rgextents", 276, 4), ("rgblklog", 280, 1),
)
# Label and stripe of the data section stand in superblocks alone; so does how much of it inodes may take, and that
# quota was counted. A unit of the log of up to 32 KiB is not told by a single record (all of them have that size or
# less). The bit for attributes is harmless, and set.  A uuid that was changed later is that of the log's records, when
# there are any.
UNKNOWN = {"fname", "unit", "width", "imax_pct", "qflags"}
BITS = {"versionnum": 0x10 | 0x100}     # ATTR, DALIGN: not compared


def prototype(lab):
    rand = random.Random(7)
    content = lab.path("content")
    with open(content, "wb") as out:
        out.write(rand.randbytes(70000))
    rows = ["/", "0 0", "d--755 0 0"]
    for d in range(6):
        rows.append("dir%d d--755 0 0" % d)
        rows += ["file-%03d ---644 0 0 %s" % (f, content if f % 9 == 0 else "/dev/null")
                 for f in range((3, 12, 60)[d % 3])]
        rows += ["Capital-%02d ---644 0 0 /dev/null" % f for f in range(d)]
        rows += ["link l--777 0 0 somewhere/else", "device b--600 0 0 8 1", "$"]
    path = lab.path("proto")
    with open(path, "w") as out:
        out.write("\n".join(rows + ["$"]) + "\n")
    return path


def fields(path):
    raw = read(path, 0, 512)
    found = {name: int.from_bytes(raw[at:at + size], "big") for name, at, size in FIELDS}
    for name in ("uquotino", "gquotino", "pquotino"):
        found[name] = found[name] if found[name] != (1 << 64) - 1 else 0
    return found


def differences(path, then, allowed, unknown=UNKNOWN):
    now = fields(path)
    return ["%s: %d, was %d" % (name, now[name], then[name]) for name, _, _ in FIELDS
            if name not in unknown | set(allowed) and now[name] & ~BITS.get(name, 0) != then[name] & ~BITS.get(name, 0)]


def wipe(path):
    sb = Super(path)
    for agno in range(sb.agcount):
        write(path, sb.header(agno, 0), bytes(sb.sectsize))


def damage(*copies):
    """The primary is gone; bytes of the others are changed: for each an offset, or several."""
    def change(path):
        sb = Super(path)
        write(path, 0, bytes(sb.sectsize))
        for agno in range(1, sb.agcount):
            for at in copies[(agno - 1) % len(copies)]:
                where = sb.header(agno, 0) + at
                write(path, where, bytes([read(path, where, 1)[0] ^ 0x55]))
    return change


def lengthen(path):
    """All copies have groups of one block more than headers say."""
    sb = Super(path)
    for agno in range(sb.agcount):
        write(path, sb.header(agno, 0) + 84, (sb.agblocks + 1).to_bytes(4, "big"))


class Case:
    def __init__(self, name, image, rt=None, log=None, allowed=(), listed=None, wreck=wipe):
        self.name, self.image, self.rt, self.log, self.allowed, self.listed = name, image, rt, log, allowed, listed
        self.wreck = wreck

    def options(self):
        return (["-r", self.rt] if self.rt else []) + (["-l", self.log] if self.log else [])

    def listing(self):
        return campaign.run(sys.executable, campaign.LISTER, *(["-r", self.rt] if self.rt else []), self.image).stdout

    def run(self, lab):
        then, files = fields(self.image), self.listing()
        log = read(self.log) if self.log else b""
        self.wreck(self.image)
        raw = read(self.image)
        extra = [] if then["agcount"] > 1 else ["-o", "force_geometry"]
        dry = repair("-n", *extra, *self.options(), self.image)
        wrong = "" if dry.code == 1 and "candidate 1: V" in dry.out + dry.err and read(self.image) == raw else "-n: %s" % dry
        done = repair(*extra, *self.options(), self.image)
        wrong = wrong or ("" if done.code == 0 else str(done))
        again = repair("-n", *extra, *self.options(), self.image)
        wrong = wrong or ("" if again.code == 0 else "second run: %s" % again)
        wrong = wrong or campaign.upstream_finds(self.image, *extra, *self.options())
        if not wrong and files != self.listing():
            wrong = "files differ: %d lines, were %d" % (len(self.listing().splitlines()), len(files.splitlines()))
        unknown = UNKNOWN if self.wreck is wipe else set()
        odd = "" if wrong else "; ".join(differences(self.image, then, self.allowed, unknown))
        lab.ok(not wrong and not odd, self.name, wrong or odd)
        del log
        for path in (self.image, self.rt, self.log):
            if path:
                os.unlink(path)


def make(lab, proto, name, options, size, rt=0, log=0, rtopts="", allowed=(), wreck=wipe):
    theirs = shutil.which("mkfs.xfs", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
    paths = [lab.path("case." + kind) for kind in ("img", "rt", "log")]
    for path, length in zip(paths, (size, rt, log)):
        if length:
            with open(path, "wb") as out:
                out.truncate(length)
    argv = [theirs, "-q", "-f", "-p", proto, *options]
    if rt:
        argv += ["-r", "rtdev=" + paths[1] + rtopts]
    if log:
        argv += ["-l", "logdev=" + paths[2]]
    made = Run(*argv, paths[0], env={"TEST_DIR": "x", "TEST_DEV": "x", "QA_CHECK_FS": "x"})
    if made.code:
        return None, str(made)
    return Case(name, paths[0], paths[1] if rt else None, paths[2] if log else None, allowed, wreck=wreck), None


MB = 1 << 20
LABEL = ["-L", "label"]
SHAPES = [      # name, options, megabytes, more; the first so many run in the short form
    ("4k, 4 AGs", [], 320, {}),
    ("1k, 3 AGs, the last one short", ["-b", "size=1k", "-d", "agcount=3,size=100m"], 100, {}),
    ("V4, log of version 1", ["-m", "crc=0", "-l", "version=1"], 128, {}),
    ("V4, 512-byte blocks", ["-m", "crc=0", "-b", "size=512"], 64, {}),
    ("64k, sectors of 4k, rmapbt", ["-b", "size=64k", "-s", "size=4096", "-m", "rmapbt=1"], 512, {}),
    ("external log", ["-d", "agcount=2"], 64, {"log": 32 * MB}),
    ("stripes", ["-d", "su=64k,sw=2,agcount=4"], 256, {}),
    ("directory blocks of 64k", ["-n", "size=64k"], 128, {}),
    ("realtime section", ["-d", "agcount=2"], 64, {"rt": 40 * MB}),
    ("realtime extents of 64k", ["-d", "agcount=2"], 64, {"rt": 50 * MB, "rtopts": ",extsize=64k"}),
    ("one AG", ["-d", "agcount=1"], 32, {}),
    ("names without case", ["-n", "version=ci"], 128, {}),
    ("V4, names without case", ["-m", "crc=0", "-n", "version=ci"], 128, {}),
    ("one other copy, bytes behind its fields", [*LABEL, "-d", "agcount=2,su=64k,sw=2", "-n", "size=8k"], 128, {"wreck": damage((440, 441))}),
    ("V4, one other copy, size of directory blocks", ["-m", "crc=0", "-d", "agcount=2", "-n", "size=16k", *LABEL], 128, {"wreck": damage((192,))}),
    ("V4, length of groups", ["-m", "crc=0", "-d", "agcount=2", *LABEL], 160, {"wreck": lengthen}),
    ("three other copies, different bytes", [*LABEL, "-d", "agcount=4", "-i", "size=1024"], 256,
     {"wreck": damage((4, 500), (105, 56, 192), (119, 51, 86))}),
] + [("one other copy, byte %d" % at, [*LABEL, "-d", "agcount=2", "-n", "size=8k"], 64, {"wreck": damage((at, 440))})
     for at in (7, 51, 63, 87, 105, 192, 219 - 1, 215)]
MORE = [
    ("2k", ["-b", "size=2k"], 128, {}), ("8k", ["-b", "size=8k"], 200, {}), ("16k", ["-b", "size=16k"], 256, {}),
    ("32k", ["-b", "size=32k"], 400, {}),
    ("64 AGs", ["-d", "agcount=64"], 1024, {}), ("7 AGs of no power of two", ["-d", "agsize=20m"], 130, {}),
    ("V4, 4k", ["-m", "crc=0"], 128, {}), ("V4 without types", ["-m", "crc=0", "-n", "ftype=0"], 128, {}),
    ("V4, inodes of 1k", ["-m", "crc=0", "-i", "size=1024"], 128, {}),
    ("V4, sectors of 4k", ["-m", "crc=0", "-s", "size=4096"], 128, {}),
    ("V4, log of version 1, 20m", ["-m", "crc=0", "-l", "version=1,size=20m"], 200, {}),
    ("V4, external log", ["-m", "crc=0"], 128, {"log": 32 * MB}),
    ("V4, realtime", ["-m", "crc=0"], 128, {"rt": 40 * MB}),
    ("sectors of 4k", ["-s", "size=4096"], 128, {}), ("log in AG 0", ["-l", "agnum=0"], 128, {}),
    ("log of 20m with stripes", ["-l", "size=20m,su=32k"], 200, {"allowed": ("logsunit",)}),
    ("no finobt", ["-m", "finobt=0"], 128, {}),
    ("everything", ["-m", "rmapbt=1,bigtime=1,inobtcount=1", "-i", "nrext64=1"], 320, {}),
    ("nothing", ["-m", "rmapbt=0,reflink=0,bigtime=0,inobtcount=0,finobt=0", "-i", "sparse=0"], 128, {}),
    ("1k, directory blocks of 4k", ["-b", "size=1k", "-n", "size=4k"], 100, {}),
    ("external log, stripes", ["-d", "su=32k,sw=4"], 256, {"log": 32 * MB}),
    ("realtime extents of 28k", [], 128, {"rt": 70 * MB, "rtopts": ",extsize=28k"}),
]


def kernel_made(lab):
    """Images of tests/data: (case, skip)"""
    for name in ("sample", "damage-1k", "damage-parent", "quota", "quota-v4"):
        path = lab.path(name + ".img")
        with open(path, "wb") as out:
            subprocess.run(["xz", "-dc", os.path.join(campaign.SRC, "tests", "data", name + ".img.xz")], stdout=out,
                           check=True)
        yield Case(name, path)
    for name in ("rt-1k", "rt-v4", "rt-64k"):
        paths = [lab.path("%s.%s" % (name, kind)) for kind in ("img", "rt")]
        for kind, path in zip(("img", "rt"), paths):
            with open(path, "wb") as out:
                subprocess.run(["xz", "-dc", os.path.join(campaign.SRC, "tests", "data", "%s.%s.xz" % (name, kind))],
                               stdout=out, check=True)
        yield Case(name, *paths)


def boundless(lab):
    """The only other copy, with a right checksum, speaks of more groups than any device has: it is no rival."""
    image = lab.mkfs("rival.img", 320 * MB, "-d", "agcount=2")
    sb, whole = Super(image), read(image)
    for count in (3, 1 << 16, (1 << 32) - 2):
        change_super(image, 1, (88, count.to_bytes(4, "big")), (8, (count * sb.agblocks).to_bytes(8, "big")))
        done = repair(image)
        lab.ok(done.code == 0 and read(image, 0, 512) == whole[:512] and repair("-n", image).code == 0,
               "a secondary of %d groups" % count, done)


def main():
    lab = Lab("repair-supers")
    proto = prototype(lab)
    for case in kernel_made(lab):
        case.run(lab)
    boundless(lab)
    for name, options, size, more in SHAPES + (MORE if LONG else []):
        case, why = make(lab, proto, name, options, size * MB, **more)
        if case:
            case.run(lab)
        else:
            lab.ok(False, name, why)
    lab.end()


if __name__ == "__main__":
    main()
