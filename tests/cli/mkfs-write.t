#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that mkfs.xfs writes: against the independent judge, the distribution's mkfs.xfs, xfs_repair and xfs_db.

Where the distribution's mkfs.xfs knows the same options, the image must be the same byte for byte but for times,
generations and checksums of inodes.
"""
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

SRC = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                                "..", "..")))
MKFS = os.path.join(os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd())), "mkfs.xfs")
JUDGE = os.path.join(SRC, "tests", "oracle", "judge.py")
UUID = "11111111-2222-3333-4444-555555555555"
SAME = "-m rmapbt=1 -i nrext64=1 "      # on here by default, not in xfsprogs 6.1
OWN = os.path.realpath(MKFS)

# size in MiB, options: also made by the distribution's tool
COMPARED = [
    (1024, SAME), (300, SAME), (300, SAME + "-b size=1k"), (1024, SAME + "-b size=16k"), (10240, SAME + "-b size=64k"),
    (512, "-m rmapbt=0,reflink=0,finobt=0,inobtcount=0,bigtime=0 -i sparse=0,nrext64=0"), (512, SAME + "-m reflink=0"),
    (512, SAME + "-s size=4k"), (512, SAME + "-s size=2k -b size=2k"), (10240, SAME + "-d su=64k,sw=4"),
    (10240, SAME + "-d su=12k,sw=3"), (10240, SAME + "-d su=256k,sw=4 -l su=256k"), (1024, SAME + "-l su=32k"),
    (1024, SAME + "-l su=256k"), (1024, SAME + "-l agnum=0"), (1024, SAME + "-l agnum=0 -l su=32k"),
    (1024, SAME + "-l agnum=3"), (1024, SAME + "-i size=2048"), (1024, SAME + "-n size=64k"),
    (1024, SAME + "-n version=ci"),
    (4096, SAME + "-d agcount=31"), (1024, SAME + "-L twelve.bytes"),
    (512, SAME + "-d projinherit=77,extszinherit=8,cowextsize=4"),
    (512, "-m crc=0"), (512, "-m crc=0 -b size=512"), (512, "-m crc=0 -l version=1"), (512, "-m crc=0 -i size=2048"),
    (512, "-m crc=0 -i attr=1,projid32bit=0 -l lazy-count=0 -n ftype=0"), (512, "-m crc=0 -i align=0"),
]
# features that it does not know
JUDGED = [(1024, "-n parent=1"), (1024, "-m autofsck=check"), (1024, "-i exchange=1"), (1024, "-m metadir=1"),
          (1024, "-m metadir=1 -n parent=1 -b size=1k"), (1024, "-m metadir=1,uquota,gquota,pquota"),
          (1024, "-m uqnoenforce"),
          (1024, "-m metadir=1 -l agnum=0"), (1024, "-b size=64k"), (10240, "-m metadir=1 -d su=64k,sw=4")]


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def ok(self, good, text, note=""):
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, text))
        if not good and note:
            print("#   " + note.rstrip().replace("\n", "\n#   "))

    def skip(self, text, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, text, why))


def other(tool):
    """A tool of the distribution, not ours."""
    path = shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return path if path and os.path.realpath(path) != OWN else None


def data_at(f, pos, size):
    try:
        return os.lseek(f.fileno(), pos, os.SEEK_DATA)
    except OSError:
        return size


def differences(a, b, step=65536):
    """Offsets of bytes that differ; holes of both files are passed over."""
    size, pos = os.path.getsize(a), 0
    if size != os.path.getsize(b):
        return [0]
    found = []
    with open(a, "rb") as x, open(b, "rb") as y:
        while pos < size and len(found) < 100000:
            pos = max(pos, min(data_at(x, pos, size), data_at(y, pos, size)) // step * step)
            x.seek(pos)
            y.seek(pos)
            p, q = x.read(step), y.read(step)
            if p != q:
                found += [pos + i for i in range(len(p)) if p[i] != q[i]]
            pos += step
    return found


def may_differ(path):
    """Times, generation, checksum and change count of inodes in the root's chunk."""
    with open(path, "rb") as f:
        sb = f.read(512)
    bs, = struct.unpack_from(">I", sb, 4)
    root, = struct.unpack_from(">Q", sb, 56)
    isize, = struct.unpack_from(">H", sb, 104)
    start = root // (bs // isize) * bs
    fields = set(range(32, 56)) | set(range(92, 96)) | set(range(100, 112)) | set(range(144, 152))
    return lambda off: start <= off < start + max(64 * isize, bs) and (off - start) % isize in fields


class Tests:
    def __init__(self, folder):
        self.folder, self.tap = folder, Tap()

    def path(self, name):
        return os.path.join(self.folder, name)

    def fresh(self, name, mib):
        if os.path.exists(self.path(name)):
            os.unlink(self.path(name))
        with open(self.path(name), "wb") as f:
            f.truncate(mib << 20)

    def run(self, words, **more):
        done = subprocess.run(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", timeout=300, **more)
        return done.returncode, done.stdout, done.stderr

    def judge(self, name, text):
        rc, out, err = self.run([sys.executable, JUDGE, name])
        self.tap.ok(rc == 0, "judge: " + text, out + err)

    def repair(self, name, text):
        tool = other("xfs_repair")
        if not tool:
            return self.tap.skip("xfs_repair: " + text, "xfs_repair is not installed")
        rc, out, err = self.run([tool, "-n", "-f", name])
        self.tap.ok(rc == 0, "xfs_repair -n: " + text, out + err)

    def compare(self, mib, options):
        words = ["-q", "-f", "-m", "uuid=" + UUID] + options.split()
        text = "%s on %d MiB" % (options.replace(SAME, "").strip() or "defaults", mib)
        self.fresh("a.img", mib)
        rc, _, err = self.run([MKFS] + words + ["a.img"])
        if rc:
            return self.tap.ok(False, text, err)
        self.judge("a.img", text)
        self.repair("a.img", text)
        tool = other("mkfs.xfs")
        if not tool:
            return self.tap.skip("same bytes: " + text, "the distribution's mkfs.xfs is not installed")
        self.fresh("b.img", mib)
        env = dict(os.environ, TEST_DIR="x", TEST_DEV="x", QA_CHECK_FS="x")
        rc, _, err = self.run([tool] + words + ["b.img"], env=env)
        allowed = may_differ(self.path("a.img"))
        bad = [off for off in differences(self.path("a.img"), self.path("b.img")) if not allowed(off)]
        self.tap.ok(rc == 0 and not bad, "same bytes: " + text,
                    "%s differ at %s" % (err, ["0x%x" % o for o in bad[:20]]))

    def judged(self, mib, options):
        self.fresh("a.img", mib)
        rc, _, err = self.run([MKFS, "-q", "-f"] + options.split() + ["a.img"])
        if rc:
            return self.tap.ok(False, options, err)
        self.judge("a.img", "%s on %d MiB" % (options, mib))

    def external_log(self):
        self.fresh("a.img", 10240)
        self.fresh("log", 100)
        rc, _, err = self.run([MKFS, "-q", "-f", "-l", "logdev=log,su=32k", "a.img"])
        self.tap.ok(rc == 0, "external log", err)
        with open(self.path("log"), "rb") as f:
            head = f.read(40960)
        self.tap.ok(head[:4] == b"\xfe\xed\xba\xbe" and head[12:16] == struct.pack(">I", 32256) and
                    head[512:526] == bytes.fromhex("0000000100000008aa200000") + struct.pack("=H", 0x556e) and
                    head[32256:32260] == b"\0\0\0\1" and not any(head[32768:]), "record of the external log")
        tool = other("xfs_repair")
        if not tool:
            return self.tap.skip("xfs_repair: external log", "xfs_repair is not installed")
        rc, out, err = self.run([tool, "-n", "-f", "-l", "log", "a.img"])
        self.tap.ok(rc == 0, "xfs_repair -n: external log", out + err)

    def signatures(self):
        self.fresh("a.img", 300)
        rc, _, err = self.run([MKFS, "-q", "a.img"])
        self.tap.ok(rc == 0, "an empty file needs no -f", err)
        for extra in ([], ["-N"]):
            rc, _, err = self.run([MKFS, "-q"] + extra + ["a.img"])
            self.tap.ok(rc == 1 and err == "mkfs.xfs: a.img appears to contain an existing filesystem (xfs).\n"
                        "mkfs.xfs: Use the -f option to force overwrite.\n",
                        "a filesystem is not overwritten %s" % extra, err)
        self.fresh("a.img", 300)
        with open(self.path("a.img"), "r+b") as f:
            f.seek(446)
            f.write(bytes.fromhex("0000020083ffffff0008000000100000") + bytes(48) + b"\x55\xaa")
        rc, _, err = self.run([MKFS, "-q", "a.img"])
        self.tap.ok(rc == 1 and "appears to contain a partition table (dos)." in err,
                    "a partition table is not overwritten", err)
        rc, _, err = self.run([MKFS, "-q", "-f", "a.img"])
        self.tap.ok(rc == 0, "-f overwrites it", err)

    def stale(self):
        """Old superblocks and old ends disappear."""
        self.fresh("a.img", 1024)
        with open(self.path("a.img"), "r+b") as f:
            f.seek((1024 << 20) - 131072)
            f.write(b"\xa5" * 131072)
            f.seek(65536)
            f.write(b"\xa5" * 512)
        self.run([MKFS, "-q", "-f", "-d", "agcount=8", "a.img"])
        self.run([MKFS, "-q", "-f", "-d", "agcount=3", "a.img"])
        with open(self.path("a.img"), "rb") as f:
            def at(off, n):
                f.seek(off)
                return f.read(n)
            self.tap.ok(all(not any(at((128 << 20) * n, 512)) for n in range(1, 8)),
                        "superblocks of the last filesystem are gone")
            self.tap.ok(not any(at((1024 << 20) - 131072, 131072)), "the end of the device is zero")
        self.judge("a.img", "formatted twice")

    def unfinished(self):
        """A run that fails half way leaves a filesystem that says so."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600 << 20, 600 << 20))
        self.fresh("a.img", 1024)
        rc, _, err = self.run([MKFS, "-q", "-f", "a.img"], preexec_fn=limit)
        with open(self.path("a.img"), "rb") as f:
            sb = f.read(512)
        self.tap.ok(rc == 1 and err.startswith("mkfs.xfs: writing to a.img failed: "), "a write error is reported", err)
        self.tap.ok(sb[:4] == b"XFSB" and sb[126] == 1, "the superblock says that it is not finished")

    def sizes(self):
        path = self.path("new.img")
        rc, _, err = self.run([MKFS, "-q", "-d", "file,name=new.img,size=400m"])
        self.tap.ok(rc == 0 and os.path.getsize(path) == 400 << 20, "-d file makes the file", err)
        rc, _, err = self.run([MKFS, "-q", "-d", "file,name=new.img,size=300m"])
        self.tap.ok(rc == 0 and os.path.getsize(path) == 300 << 20, "-d file makes it anew, without -f", err)
        self.judge("new.img", "-d file")
        self.fresh("a.img", 0)
        rc, _, err = self.run([MKFS, "-q", "-d", "size=301m", "a.img"])
        self.tap.ok(rc == 0 and os.path.getsize(self.path("a.img")) == 301 << 20, "an empty file grows", err)
        self.fresh("a.img", 0)
        rc, _, err = self.run([MKFS, "-q", "a.img"])
        self.tap.ok(rc == 1 and err.startswith("size 0 of data subvolume is too small, minimum 4096 blocks"),
                    "an empty file without size", err)
        self.fresh("a.img", 300)
        os.utime(self.path("a.img"), (0, 0))
        before = os.stat(self.path("a.img"))
        rc, _, _ = self.run([MKFS, "-N", "-f", "a.img"])
        after = os.stat(self.path("a.img"))
        self.tap.ok(rc == 0 and (before.st_mtime, before.st_blocks) == (after.st_mtime, after.st_blocks),
                    "-N writes nothing")

    def reproducible(self):
        env = dict(os.environ, SOURCE_DATE_EPOCH="1700000000", DETERMINISTIC_SEED="1")
        for name in ("a.img", "b.img"):
            self.fresh(name, 300)
            self.run([MKFS, "-q", "-m", "metadir=1,uuid=" + UUID, "-n", "parent=1", name], env=env)
        self.tap.ok(not differences(self.path("a.img"), self.path("b.img")), "the same image twice")
        env["SOURCE_DATE_EPOCH"] = "x"
        self.fresh("a.img", 300)
        _, _, err = self.run([MKFS, "-q", "a.img"], env=env)
        self.tap.ok(err == "mkfs.xfs: SOURCE_DATE_EPOCH 'x' invalid timestamp, ignoring.\n", "a bad SOURCE_DATE_EPOCH",
                    err)

    def db(self):
        tool = other("xfs_db")
        if not tool:
            return self.tap.skip("xfs_db reads it", "xfs_db is not installed")
        self.fresh("a.img", 300)
        self.run([MKFS, "-q", "-L", "label", "a.img"])
        rc, out, err = self.run([tool, "-r", "-f", "-c", "label", "-c", "freesp -s", "-c", "inode 128", "-c",
                                 "p core.mode", "a.img"])
        blocks = re.search(r"total free blocks (\d+)", out)
        self.tap.ok(rc == 0 and 'label = "label"' in out and "core.mode = 040755" in out and blocks
                    and int(blocks[1]) > 60000, "xfs_db reads it", out + err)


def main():
    with tempfile.TemporaryDirectory(prefix="mkfs-write-") as folder:
        t = Tests(folder)
        for mib, options in COMPARED:
            t.compare(mib, options)
        for mib, options in JUDGED:
            t.judged(mib, options)
        for part in (t.external_log, t.signatures, t.stale, t.unfinished, t.sizes, t.reproducible, t.db):
            part()
    print("1..%d" % t.tap.count)
    return 1 if t.tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
