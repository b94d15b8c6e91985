# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of xfs_repair's behaviour share: the sample, images of our mkfs, damage by hand, runs."""
import os
import shutil
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
import campaign  # noqa: E402
sys.path.insert(0, os.path.join(campaign.SRC, "tests", "oracle"))
from xfsread.crc32c import block_crc, crc32c  # noqa: E402, F401

REPAIR = campaign.REPAIR
MKFS = os.path.join(campaign.BUILD, "mkfs.xfs")
DB = os.path.join(campaign.BUILD, "xfs_db")
FSX = os.path.join(campaign.BUILD, "bin/tests/lib/fsx")
ENV = dict(os.environ, TZ="UTC", LC_ALL="C")
CRASHED = (-signal.SIGKILL, 128 + signal.SIGKILL)


class Run:
    def __init__(self, *argv, env=None, pass_fds=(), timeout=300, given=""):
        done = subprocess.run(argv, input=given.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=dict(ENV, **(env or {})), timeout=timeout, pass_fds=pass_fds)
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def __str__(self):
        return "exit %d\n%s%s" % (self.code, self.out, self.err)


def repair(*argv, **more):
    return Run(REPAIR, *argv, **more)


# a child's peak counts that of its parent, so the parent is a small one
METER = """import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print("\\nmemory", used.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status) & 255)"""


def measured(*argv, **more):
    """A repair, and `memory`: the most that it had at a time, in bytes."""
    done = Run(sys.executable, "-I", "-S", "-c", METER, REPAIR, *argv, **more)
    done.out, _, memory = done.out.rpartition("\nmemory ")
    done.memory = int(memory)
    return done


class Lab:
    """A folder of its own, removed at the end."""

    def __init__(self, name):
        self.dir = os.path.join(campaign.BUILD, name)
        campaign.clean_folder(self.dir)
        self.tap = campaign.Tap()

    def path(self, name):
        return os.path.join(self.dir, name)

    def sample(self, name="sample.img"):
        campaign.copy_sparse(campaign.sample(), self.path(name))
        return self.path(name)

    def unpack(self, name):
        """A file of tests/data."""
        return campaign.unpack("data/" + name, self.path(name))

    def copy(self, source, name):
        campaign.copy_sparse(source, self.path(name))
        return self.path(name)

    def mkfs(self, name, size, *options):
        path = self.path(name)
        with open(path, "wb") as out:
            out.truncate(size)
        made = Run(MKFS, "-q", "-f", *options, path)
        if made.code:
            raise SystemExit("mkfs %s: %s" % (" ".join(options), made))
        return path

    def ok(self, good, what, notes=""):
        self.tap.put(bool(good), what, str(notes)[:1500])

    def skip(self, what, why):
        self.tap.put(True, what, skip=why)

    def end(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.tap.end()


def read(path, offset=0, length=None):
    with open(path, "rb") as f:
        f.seek(offset)
        return f.read() if length is None else f.read(length)


def write(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def flip(path, offset):
    write(path, offset, bytes([read(path, offset, 1)[0] ^ 0x55]))


def change(path, offset, length, sum_at, *fields):
    """New bytes in a block of V5: (where in it, bytes) ..., and the checksum that goes with them."""
    raw = bytearray(read(path, offset, length))
    for at, new in fields:
        raw[at:at + len(new)] = new
    raw[sum_at:sum_at + 4] = block_crc(raw, sum_at).to_bytes(4, "little")
    write(path, offset, bytes(raw))


def change_inode(image, ino, at, new):
    sb = Super(image)
    change(image, sb.inode(ino), sb.inodesize, 100, (at, new))


def change_super(image, agno, *fields):
    sb = Super(image)
    change(image, sb.header(agno, 0), sb.sectsize, 224, *fields)


def fsx(image, lines):
    """Operations on files, one a line."""
    done = Run(FSX, "run", image, given="".join(line + "\n" for line in lines))
    if done.code:
        raise SystemExit("fsx: " + str(done))
    return image


def same(a, b):
    return read(a) == read(b)


class Super:
    """The few fields of a superblock that tests need."""

    def __init__(self, path):
        sb = read(path, 0, 512)
        self.blocksize, self.dblocks = struct.unpack(">IQ", sb[4:16])
        self.rootino = struct.unpack(">Q", sb[56:64])[0]
        self.agblocks, self.agcount = struct.unpack(">II", sb[84:92])
        self.sectsize, self.inodesize = struct.unpack(">HH", sb[102:106])
        self.inopblog, self.agblklog = sb[123], sb[124]
        self.ro_compat, self.incompat = struct.unpack(">II", sb[212:220])
        self.uuid = sb[32:48]
        self.agbytes = self.agblocks * self.blocksize

    def header(self, agno, sector):
        return agno * self.agbytes + sector * self.sectsize

    def inode(self, ino):
        agno = ino >> (self.inopblog + self.agblklog)
        agino = ino & ((1 << (self.inopblog + self.agblklog)) - 1)
        block, index = agino >> self.inopblog, agino & ((1 << self.inopblog) - 1)
        return agno * self.agbytes + block * self.blocksize + index * self.inodesize


def wreck(image, *argv):
    done = Run(sys.executable, campaign.WRECK, *argv[:-1], argv[-1], image)
    if done.code:
        raise SystemExit("wreck %s: %s" % (" ".join(argv), done))
