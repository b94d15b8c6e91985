#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair --salvage-to: files come out of a filesystem that is only read; hostile names and links lead nowhere else."""
import hashlib
import json
import os
import re
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import ENV, Lab, Super, campaign, read, repair, wreck, write  # noqa: E402

lab = Lab("repair-salvage")
truth = campaign.sample()
TABLE = []
for value in range(256):
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def seal_inode(data):
    data[100:104] = bytes(4)
    state = 0xFFFFFFFF
    for byte in data:
        state = TABLE[(state ^ byte) & 255] ^ (state >> 8)
    data[100:104] = (state ^ 0xFFFFFFFF).to_bytes(4, "little")


def unescape(path):
    return re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), path.encode("latin1"))


class Entry:
    def __init__(self, line):
        self.kind, ino, mode, uid, gid, links, self.size, self.digest, self.xattrs, path = line.split(None, 9)
        self.ino, self.mode, self.links = int(ino), int(mode, 8), int(links)
        self.path = unescape(path.rstrip("\n"))


with open(truth + ".list") as f:
    wanted = [Entry(line) for line in f if line[0] in "fdlcbps" and line[1] == " "]


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def compare(folder):
    """What differs between the list and a copy below a folder."""
    wrong = []
    for e in wanted:
        path = os.path.join(folder.encode(), e.path.lstrip(b"/").removeprefix(b"./"))
        if e.kind in "cbps":
            if os.path.lexists(path):
                wrong.append("%r is a special file" % path)
            continue
        if not os.path.lexists(path):
            wrong.append("%r is missing" % path)
            continue
        st = os.lstat(path)
        if e.kind == "f" and (not stat.S_ISREG(st.st_mode) or sha(path) != e.digest or st.st_size != int(e.size) or
                              stat.S_IMODE(st.st_mode) != e.mode & 0o777):
            wrong.append("%r differs" % path)
        if e.kind == "d" and not stat.S_ISDIR(st.st_mode):
            wrong.append("%r is no folder" % path)
        if e.kind == "l" and (not stat.S_ISLNK(st.st_mode)
                              or hashlib.sha256(os.readlink(path)).hexdigest() != e.digest):
            wrong.append("%r is another link" % path)
    return wrong


def report(folder):
    with open(os.path.join(folder, "report.json")) as f:
        return [json.loads(line) for line in f]


lab.ok(len(wanted) > 1000, "the list of the sample")
image = lab.sample("clean.img")
before = read(image)
out = lab.path("out-clean")
done = repair("-n", "--salvage-to=" + out, "--salvage-all", image)
wrong = compare(os.path.join(out, "tree"))
lab.ok(done.code == 0 and not wrong and read(image) == before, "--salvage-all: the whole tree with its contents",
       str(done) + str(wrong[:5]))
lines = report(out)
lab.ok({"file", "symlink"} <= {line["type"] for line in lines}
       and sum(line["bytes"] for line in lines if line["type"] == "file") > 1 << 20,
       "report.json tells what was copied")
linked = [e for e in wanted if e.kind == "f" and e.links > 1]
inodes = {}
for e in linked:
    inodes.setdefault(e.ino, set()).add(os.lstat(os.path.join(out.encode(),
                                                              b"tree", e.path.lstrip(b"/").removeprefix(b"./"))).st_ino)
lab.ok(linked and all(len(found) == 1 for found in inodes.values()), "hard links are hard links")
holes = [e for e in wanted if e.path.endswith(b"unwritten/whole")]
sparse = [os.lstat(os.path.join(out.encode(), b"tree", e.path.lstrip(b"/").removeprefix(b"./"))) for e in holes]
lab.ok(holes and all(st.st_blocks * 512 < st.st_size for st in sparse),
       "holes stay holes", [(e.path, e.size, st.st_blocks) for e, st in zip(holes, sparse)])
again = repair("-n", "--salvage-to=" + out, image)
lab.ok(again.code == 1 and "is not empty" in again.err, "a folder that is not empty is refused", again)
quiet = lab.path("out-nothing")
done = repair("-n", "--salvage-to=" + quiet, image)
lab.ok(done.code == 0 and os.listdir(quiet) == ["report.json"] and report(quiet) == [],
       "without damage nothing is copied", done)
done = repair("-n", "--salvage-to=" + lab.path("no/where"), image)
lab.ok(done.code == 1 and "No such file" in done.err, "a folder that can't be made", done)

# ---- from a damaged one that is only read ----
damaged = lab.sample("damaged.img")
wreck(damaged, "--all", "--crc", "mix", "mix")
before = read(damaged)
out = lab.path("out-damaged")
done = repair("-n", "--salvage-to=" + out, "--salvage-all", damaged)
wrong = compare(os.path.join(out, "tree"))
lab.ok(done.code == 1 and not wrong and read(damaged) == before,
       "-n on a damaged filesystem: what a repair would give, nothing is written", str(done)[-800:] + str(wrong[:5]))

# ---- what could not be put back ----
out = lab.path("out-held")
done = repair("-n", "--skip=fork-damaged", "--salvage-to=" + out, damaged)
lines = report(out)
lab.ok(done.code == 1 and lines and all(line["path"].startswith("inodes/") for line in lines) and
       any("damaged" in line.get("problem", "") for line in lines), "inodes with findings that remain", lines[:5])
victim = [e for e in wanted if e.kind == "f" and e.links == 1 and int(e.size) > 20000][0]
wiped = lab.sample("wiped.img")
sb = Super(wiped)
write(wiped, sb.inode(victim.ino), os.urandom(sb.inodesize))
work = lab.copy(wiped, "work.img")
out = lab.path("out-wiped")
done = repair("--salvage-to=" + out, work)
place = os.path.join(out, "lost", "%d" % victim.ino)
if os.path.exists(place):
    data = read(place)[:int(victim.size)]
    data += bytes(int(victim.size) - len(data))
    lab.ok(hashlib.sha256(data).hexdigest() == victim.digest,
           "an inode that is wiped out: its data by the reverse mappings", done)
else:
    all_out = lab.path("out-wiped-all")
    repair("-n", "--salvage-to=" + all_out, "--salvage-all", work)
    found = [os.path.join(d, f) for d, _, names in os.walk(all_out) for f in names]
    contents = [read(f)[:int(victim.size)] for f in found if not os.path.islink(f)]
    lab.ok(victim.digest in [hashlib.sha256(c + bytes(int(victim.size) - len(c))).hexdigest() for c in contents],
           "an inode that is wiped out: came back as a file", done)

# ---- hostile names ----
parent = lab.path("cage")
for number, new in enumerate((b"..", b"./", b"/x", b".\0", b"aa")):
    proto, target = lab.path("proto"), lab.path("outside")
    os.makedirs(target, exist_ok=True)
    with open(proto, "w") as f:
        f.write("/\n0 0\nd--755 0 0\naa l--777 0 0 %s\nbb d--755 0 0\nfile ---644 0 0 /etc/passwd\n$\ncc ---644 0 0 /etc/passwd\n$\n" % target)
    evil = lab.path("evil.img")
    with open(evil, "wb") as f:
        f.truncate(300 << 20)
    made = campaign.run("/usr/sbin/mkfs.xfs", "-q", "-f", "-p", proto, evil)
    if made.returncode:
        lab.skip("hostile names", "the distribution's mkfs.xfs is not installed")
        break
    es = Super(evil)
    inode = bytearray(read(evil, es.inode(es.rootino), es.inodesize))
    at = inode.index(b"bb", 176)
    inode[at:at + 2] = new
    seal_inode(inode)
    write(evil, es.inode(es.rootino), bytes(inode))
    os.makedirs(parent, exist_ok=True)
    out = os.path.join(parent, "out%d" % number)
    done = repair("-n", "--salvage-to=" + out, "--salvage-all", evil)
    strange = [name for name in os.listdir(parent) if not name.startswith("out")] + os.listdir(target)
    escaped = [os.path.join(d, n) for d, dirs, names in os.walk(out) for n in dirs + names
               if not os.path.realpath(d).startswith(os.path.realpath(out))]
    lab.ok(done.code in (0, 1) and not strange and not escaped and os.path.exists(os.path.join(out, "tree", "cc")),
           "name %r: nothing outside of the folder" % new, str(done) + str(strange) + str(escaped))
lab.end()
