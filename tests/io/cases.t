#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every command of xfs_io with what it does and what it refuses, on XFS, ext4 and tmpfs. The expected texts come from
format sheet 09; effects are looked up with Python's own system calls. A command without a good and a bad case makes
the last test fail. TAP."""
import collections
import os
import re
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab

ALL, XFS, EXT4 = ("xfs", "ext4", "tmpfs"), ("xfs",), ("ext4",)
BLOCKS = ("xfs", "ext4")
TIMING = r".*, \d+ ops; .* \(.*/sec and .* ops/sec\)\n"
seen = collections.defaultdict(set)


def size(n):
    return lambda path: os.stat(path).st_size == n


def bytes_at(off, want):
    def check(path):
        with open(path, "rb") as f:
            f.seek(off)
            return f.read(len(want)) == want
    return check


def blocks_below(n):
    return lambda path: os.stat(path).st_blocks < n


def mode(m):
    return lambda path: stat.S_IMODE(os.stat(path).st_mode) == m


def timestamp(path):
    s = os.stat(path)
    return (s.st_atime_ns, s.st_mtime_ns) == (1000000002, 3000000004)


def exists(name):
    return lambda path: os.path.exists(os.path.join(os.path.dirname(path), name))


# (filesystems, commands, exit code, stdout, stderr, check of the file, options); texts are regular expressions that
# must match as a whole.  The file is f: 64 KiB of "foreign " (8 bytes, again and again); src is 64 KiB of "source..".
USAGE = r"{} .*-- .*\n"
NUM = r"non-numeric offset argument -- x\n"
CASES = {
    "open": [("+", ALL, ["open src", "print"], 0, r" 000  f .*\n\[001\] src  .*read-write\)\n", ""),
             ("-", ALL, "open nosuch", 1, "", "nosuch: No such file or directory\n"),
             ("-", ALL, "open -m x src", 1, "non-numeric mode argument -- x\n", ""),
             ("-", ALL, ["open -T -r .", "print"], 1, "", "-T and -r options are incompatible\n"),
             ("-", ALL, "open a b", 1, USAGE.format("open"), ""),
             ("+", ALL, "open -f -m 640 made", 0, "", "",
              lambda p: mode(0o640)(os.path.join(os.path.dirname(p), "made")))],
    "close": [("+", ALL, ["open src", "close"], 0, r"\[000\] f .*\n", ""),
              ("-", ALL, "close 1", 0, "", "bad argument count 1 to close, expected 0 arguments\n")],
    "file": [("+", ALL, ["open src", "file 0"], 0, r"\[000\] f .*\n 001  src.*\n", ""),
             ("-", ALL, "file 9", 1, r"value 9 is out of range \(0-0\)\n", ""),
             ("-", ALL, "file x", 1, "non-numeric file number -- x\n", "")],
    "print": [("+", ALL, ["mmap -r 0 4k", "print"], 0,
               r"\[000\] f .*\n\[000\] 0x[0-9a-f]+ - 0x[0-9a-f]+ r--               f \(0 : 4096\)\n", ""),
              ("-", ALL, "print 1", 0, "", "bad argument count 1 to print, expected 0 arguments\n")],
    "quit": [("+", ALL, ["quit", "truncate 0"], 0, "", "", size(65536)),
             ("-", ALL, ["fsync x", "q"], 0, "", "bad argument.*\n")],
    "help": [("+", ALL, "help fiemap", 0,
              r"fiemap \[-alv\] \[-n nx\] \[offset \[len\]\] -- .*\n\n(.*\n)* -a -- .*\n(.*\n)+", ""),
             ("-", ALL, "help nosuch", 0, "command nosuch not found\n", "")],
    "pwrite": [("+", ALL, "pwrite 0 100000", 0, "wrote 100000/100000 bytes at offset 0\n98 KiB, 25 ops; .*\n", "",
                bytes_at(99990, b"\xcd" * 10)),
               ("+", ALL, "pwrite -q -S 0x41 10 4", 0, "", "", bytes_at(8, b"foAAAAn ")),
               ("+", ALL, "pwrite -i src -s 3 -b 5 1 10", 0,
                "wrote 10/10 bytes at offset 1\n10.000000 bytes, 2 ops;.*\n", "", bytes_at(0, b"frce..sourc")),
               ("+", ALL, "pwrite -B -b 64k 65536 16k", 0,
                "wrote 16384/16384 bytes at offset 65536\n16 KiB, 1 ops;.*\n", "", bytes_at(49152, b"\xcd" * 16384)),
               ("+", ALL, "pwrite -V 3 -b 1k 0 10k", 0, "wrote 10240/10240 bytes at offset 0\n10 KiB, 4 ops;.*\n", "",
                bytes_at(0, b"\xcd" * 10240)),
               ("+", ALL, "pwrite -R -Z 1 0 64k", 0, "wrote 65536/65536 bytes at offset 0\n64 KiB, 16 ops;.*\n", "",
                size(65536)),
               ("+", ALL, "pwrite -O 0 60k", 0, "wrote 61440/61440 bytes at offset 0\n60 KiB, 1 ops;.*\n", "",
                bytes_at(0, b"\xcd" * 61440)),
               ("+", ALL, "pwrite -V 1 -D -b 4k 0 8k", 0, "wrote 8192/8192 bytes at offset 0\n8 KiB, 2 ops;.*\n", ""),
               ("+", ALL, "pwrite -wC 0 8k", 0, r"8192,2,0:\d\d:\d\d\.\d\d,[0-9.]+,[0-9.]+\n", ""),
               ("-", ALL, "pwrite x 1", 1, NUM, ""),
               ("-", ALL, "pwrite 0 -- -1", 1, "non-numeric length argument -- -1\n", ""),
               ("-", ALL, "pwrite -D 0 1", 1, r"pwritev2 flags require vectored I/O \(-V\)\n" + USAGE.format("pwrite"),
                ""),
               ("-", ALL, "pwrite -b 0 0 1", 1, "non-numeric bsize -- 0\n", ""),
               ("-", ALL, "pwrite -i nosuch 0 1", 1, "", "nosuch: No such file or directory\n"),
               ("-", ALL, "pwrite 0 1", 1, "", "pwrite: Bad file descriptor\n", None, ["-r"]),
               ("-", ALL, "pwrite 8e 1", 1, "non-numeric offset argument -- 8e\n", ""),
               ("-", ALL, "pwrite 1", 0, "", "bad argument count 1 to pwrite, expected at least 2 arguments\n")],
    "pread": [("+", ALL, "pread -v 1 20", 0,
               r"00000001:  6f 72 65 69 67 6e 20 66 6f 72 65 69 67 6e 20 66  oreign.foreign.f\n00000011:  6f 72 65 69  orei\n"
               r"read 20/20 bytes at offset 1\n20.000000 bytes, 1 ops;.*\n", ""),
              ("+", ALL, "pread -qv -B -b 8 20 8", 0, r"00000010:  66 6f 72 65  fore\n0000000c:  69 67 6e 20  ign.\n",
               ""),
              ("+", ALL, "pread 60k 1m", 0, "read 4096/1048576 bytes at offset 61440\n4 KiB, 1 ops;.*\n", ""),
              ("+", ALL, "pread -- 60k -1", 0, "read 4096/4096 bytes at offset 61440\n4 KiB, 1 ops;.*\n", ""),
              ("+", ALL, "pread -V 2 -b 1k 0 4k", 0, "read 4096/4096 bytes at offset 0\n4 KiB, 2 ops;.*\n", ""),
              ("-", ALL, "pread x 1", 1, NUM, ""),
              ("-", ALL, "pread 0 10kk", 1, "non-numeric length argument -- 10kk\n", ""),
              ("-", ALL, "pread 1", 0, "", "bad argument count 1 to pread, expected at least 2 arguments\n")],
    "truncate": [("+", ALL, "t 1m", 0, "", "", size(1 << 20)),
                 ("-", ALL, "truncate x", 1, "non-numeric truncate argument -- x\n", ""),
                 ("-", ALL, "truncate 0", 1, "", "ftruncate: Invalid argument\n", None, ["-r"])],
    "fsync": [("+", ALL, "s", 0, "", ""),
              ("-", ALL, "fsync 1", 0, "", "bad argument count 1 to fsync, expected 0 arguments\n")],
    "fdatasync": [("+", ALL, "ds", 0, "", ""), ("-", ALL, "fdatasync 1", 0, "", "bad argument count.*\n")],
    "syncfs": [("+", ALL, "syncfs", 0, "", ""), ("-", ALL, "syncfs 1", 0, "", "bad argument count.*\n"),
               ("-", ALL, "syncfs", 1, "", "syncfs: Bad file descriptor\n", None, ["-P"])],
    "sync": [("+", ALL, "sync", 0, "", ""), ("-", ALL, "sync 1", 0, "", "bad argument count.*\n")],
    "sync_range": [("+", ALL, "sync_range -w 0 4k", 0, "", ""), ("-", ALL, "sync_range x 1", 1, NUM, ""),
                   ("-", ALL, "sync_range 0 1", 1, "", "sync_file_range: Bad file descriptor\n", None, ["-P"])],
    "fadvise": [("+", ALL, "fadvise -d 0 4k", 0, "", ""), ("-", ALL, "fadvise -d", 1, USAGE.format("fadvise"), "")],
    "sendfile": [("+", ALL, "send -i src 1 10", 0, "sent 10/10 bytes at offset 1\n10.000000 bytes, 1 ops;.*\n", "",
                  bytes_at(0, b"ource..soureign ")),
                 ("-", ALL, "sendfile -i nosuch", 1, "", "nosuch: No such.*\n"),
                 ("-", ALL, "sendfile -q 0 1", 1, USAGE.format("sendfile"), ""),
                 ("-", ALL, "sendfile -f 7", 1, r"file value 7 is out of range \(0-0\)\n", "")],
    "splice": [("+", ALL, "splice -i src", 0, "sent 65536/65536 bytes at offset 0\n64 KiB, .*\n", "",
                bytes_at(65528, b"source..")),
               ("-", ALL, "splice -i nosuch", 1, "", "nosuch: No such.*\n"),
               ("-", ALL, "splice -i src", 1, "", "splice: .*\n", None, ["-r"])],
    "copy_range": [("+", ALL, "copy_range -s 8 -d 4 -l 16 src", 0, "", "", bytes_at(0, b"foresource..source..ign")),
                   ("+", ALL, ["open src", "file 0", "!copy_range -f 1"], 0, "(.*\n)*", "", bytes_at(0, b"source..")),
                   ("-", ALL, "copy_range -s x src", 1, "invalid source offset -- x\n", ""),
                   ("-", ALL, "copy_range -d x src", 1, "invalid destination offset -- x\n", ""),
                   ("-", ALL, "copy_range -l x src", 1, "invalid length -- x\n", ""),
                   ("-", ALL, "copy_range -f 4", 1, r"file value 4 is out of range \(0-0\)\n", ""),
                   ("-", ALL, ["copy_range /proc/self/cmdline -l 4", "truncate 0"], 0, "", "copy_range: .*\n",
                    size(65536))],
    "reflink": [("+", XFS, "rl src", 0, "linked 0/0 bytes at offset 0\n0.000000 bytes, 1 ops;.*\n", "",
                 bytes_at(0, b"source..")),
                ("+", XFS, "reflink src 0 4k 8k", 0, "linked 8192/8192 bytes at offset 4096\n8 KiB, 1 ops;.*\n", "",
                 bytes_at(4090, b"reign source..")),
                ("-", XFS, "reflink src 1 0 4k", 1, "", "XFS_IOC_CLONE_RANGE: Invalid argument\n"),
                ("-", ("ext4", "tmpfs"), "reflink src", 1, "", "XFS_IOC_CLONE: Operation not supported\n"),
                ("-", ALL, "reflink src 0 0 x", 1, "non-positive length argument -- x\n", "")],
    "dedupe": [("+", XFS, ["reflink -q src", "pwrite -q -i src 0 4k", "fsync", "dd src 0 0 4k"], 0,
                "deduped 4096/4096 bytes at offset 0\n4 KiB, 1 ops;.*\n", ""),
               ("-", XFS, "dedupe src 0 0 4k", 0, "", "XFS_IOC_FILE_EXTENT_SAME: Extents did not match.\n"),
               ("-", ("ext4", "tmpfs"),
                "dedupe src 0 0 4k", 1, "", "XFS_IOC_FILE_EXTENT_SAME: Operation not supported\n"),
               ("-", ALL, "dedupe src x 0 4k", 1, "non-numeric src offset argument -- x\n", "")],
    "seek": [("+", ALL, ["truncate 1m", "seek -ars 0"], 0, "Whence\tStart\tResult\nDATA\t0\t0\nHOLE\t0\t65536\n", ""),
             ("+", ALL, "seek -d 10m", 0, "Whence\tResult\nDATA\tEOF\n", ""),
             ("-", ALL, "seek -d x", 1, USAGE.format("seek"), ""),
             ("-", ALL, "seek 0", 0, "", "bad argument count 1 to seek, expected between 2 and 5 arguments\n")],
    "readdir": [("-", ALL, "readdir", 1, "", "readdir: Not a directory\n")],
    "getdents": [("-", ALL, "getdents", 1, "", "readdir: Not a directory\n")],
    "falloc": [("+", ALL, "falloc 0 1m", 0, "", "", size(1 << 20)),
               ("+", ALL, "falloc -k 0 1m", 0, "", "", size(65536)),
               ("+", BLOCKS, "falloc -c 4k 4k", 0, "", "", size(61440)),
               ("+", BLOCKS, "falloc -i 0 4k", 0, "", "", size(69632)),
               ("+", ALL, "falloc -p 0 32k", 0, "", "", bytes_at(32760, b"\0" * 8 + b"foreign ")),
               ("-", ALL, "falloc 0 0", 1, "", "fallocate: Invalid argument\n"), ("-", ALL, "falloc x 0", 1, NUM, ""),
               ("-", ALL, "falloc -z 0 1", 1, USAGE.format("falloc"), "falloc: invalid option -- 'z'\n")],
    "fpunch": [("+", ALL, "fpunch 8 8k", 0, "", "", bytes_at(0, b"foreign " + b"\0" * 8192 + b"foreign ")),
               ("-", ALL, "fpunch 0 0", 1, "", "fallocate: Invalid argument\n")],
    "fzero": [("+", BLOCKS, "fzero 60k 8k", 0, "", "", size(69632)),
              ("+", BLOCKS, "fzero -k 60k 8k", 0, "", "", size(65536)),
              ("-", ALL, "fzero x 0", 0, NUM, ""),
              ("-", ("tmpfs",), "fzero 0 4k", 0, "", "fallocate: Operation not supported\n")],
    "fcollapse": [("+", BLOCKS, "fcollapse 0 4k", 0, "", "", size(61440)),
                  ("-", BLOCKS, "fcollapse 0 1", 1, "", "fallocate: Invalid argument\n"),
                  ("-", ("tmpfs",), "fcollapse 0 4k", 1, "", "fallocate: Operation not supported\n")],
    "finsert": [("+", BLOCKS, "finsert 0 4k", 0, "", "", bytes_at(4088, b"\0" * 8 + b"foreign ")),
                ("-", BLOCKS, "finsert 0 1", 1, "", "fallocate: Invalid argument\n")],
    "funshare": [("+", XFS, ["reflink -q src", "funshare 0 64k", "fiemap -v"], 0, r"(?!.*0x2).*\n(.*\n)*", ""),
                 ("-", ("ext4", "tmpfs"), "funshare 0 4k", 1, "", "fallocate: Operation not supported\n"),
                 ("-", XFS, "funshare x 4k", 1, NUM, "")],
    "resvsp": [("+", BLOCKS, ["resvsp 0 1m"], 0, "", "", lambda p: os.stat(p).st_blocks >= 2048),
               ("-", XFS, "resvsp 0 0", 1, "", "XFS_IOC_RESVSP64: Invalid argument\n")],
    "unresvsp": [("+", XFS, "unresvsp 0 32k", 0, "", "", bytes_at(32760, b"\0" * 8 + b"foreign ")),
                 ("-", ("ext4", "tmpfs"),
                  "unresvsp 0 4k", 0, "", "foreign file active, unresvsp command is for XFS filesystems only\n")],
    "zero": [("+", XFS, "zero 0 4k", 0, "", "", bytes_at(4088, b"\0" * 8 + b"foreign ")),
             ("-", XFS, "zero x 4k", 1, NUM, "")],
    "allocsp": [("-", XFS, "allocsp 0 4k", 1, "", "XFS_IOC_ALLOCSP64: Inappropriate ioctl for device\n"),
                ("+", XFS, "help allocsp", 0, "allocsp off len -- .*\n", "")],
    "freesp": [("-", XFS, "freesp 0 4k", 1, "", "XFS_IOC_FREESP64: Inappropriate ioctl for device\n"),
               ("+", XFS, "help freesp", 0, "freesp off len -- .*\n", "")],
    "bmap": [("+", XFS, ["fsync", "bmap -l"], 0, r"f:\n\t0: \[0\.\.127\]: \d+\.\.\d+ 128 blocks\n", ""),
             ("-", ("ext4", "tmpfs"), "bmap", 0, "", "foreign file active, bmap command is for XFS filesystems only\n"),
             ("-", XFS, "bmap -c", 1, "",
              r'xfs_io: xfsctl\(XFS_IOC_GETBMAPX\) iflags=0x28 \["f"\]: Invalid argument\n'),
             ("-", XFS, "bmap -n x", 1, "non-numeric extent count -- x\n", "")],
    "fiemap": [("+", BLOCKS, ["truncate 128k", "fiemap"], 0,
                r"f:\n\t0: \[0\.\.127\]: \d+\.\.\d+\n\t1: \[128\.\.255\]: hole\n", ""),
               ("-", ("tmpfs",),
                "fiemap", 1, "f:\n", r'xfs_io: ioctl\(FS_IOC_FIEMAP\) \["f"\]: Operation not supported\n'),
               ("-", ALL, "fiemap x", 1, NUM, "")],
    "fsmap": [("+", BLOCKS, "fsmap -n 5", 0, r"(\t\d+: \d+:\d+ \[\d+\.\.\d+\]: .+ \d+\n)+", ""),
              ("-", ("tmpfs",),
               "fsmap", 1, "", r'xfs_io: xfsctl\(XFS_IOC_GETFSMAP\) iflags=0x0 \["f"\]: Inappropriate ioctl.*\n'),
              ("-", ALL, "fsmap 100", 1, USAGE.format("fsmap"), ""),
              ("-", ALL, "fsmap -j -v", 1, USAGE.format("fsmap"), "")],
    "stat": [("+", XFS, "stat", 0,
              r'fd.path = "f"\nfd.flags = .*\nstat.ino = \d+\nstat.type = regular file\nstat.size = 65536\n'
              r"stat.blocks = \d+\nfsxattr.xflags = 0x[0-9a-f]+ \[-{16}[-X]\]\nfsxattr.projid = 0\nfsxattr.extsize = 0\n"
              r"fsxattr.cowextsize = 0\nfsxattr.nextents = \d+\nfsxattr.naextents = \d+\ndioattr.mem = 0x[0-9a-f]+\n"
              r"dioattr.miniosz = \d+\ndioattr.maxiosz = \d+\n", ""),
             ("+", ("ext4", "tmpfs"),
              "stat", 0, r'fd.path = "f"\n(.*\n){5}fsxattr.xflags = .*\n(.*\n){3}fsxattr.nextents = 0\n', ""),
             ("+", ALL, "stat -r", 0, r"stat.blksize = \d+\n(.*\n){3}stat.mode: 0100644\n(.*\n)+stat.dev_minor = \d+\n",
              ""),
             ("-", ALL, "stat -z", 1, USAGE.format("stat"), "stat: invalid option -- 'z'\n")],
    "statx": [("+", ALL, "statx -r -m all", 0,
               r"stat.mask = 0x[0-9a-f]+\n(.*\n){4}stat.gid = \d+\nstat.mode: 0100644\n(.*\n)+"
               r"stat.mnt_id = 0x\d+\nstat.dio_mem_align = \d+\nstat.dio_offset_align = \d+\nstat.subvol = 0x\d+\n(.*\n){3}"
               r"stat.dio_read_offset_align = \d+\n", ""),
              ("+", ALL, "statx -r -m basic,-size,+dioalign", 0, r"(.*\n)+", ""),
              ("-", ALL, "statx -m foo", 1, "non-numeric mask -- foo\n", ""),
              ("-", ALL, "statx -F -D", 1, USAGE.format("statx"), "")],
    "statfs": [("+", ALL, "statfs -s", 0,
                r'fd.path = "f"\nstatfs.f_bsize = \d+\n(.*\n){4}statfs.f_flags = 0x[0-9a-f]+\n', ""),
               ("+", XFS, "statfs -gc", 0,
                r'fd.path = "f"\ngeom.bsize = \d+\n(.*\n)+counts.freedata = (.*\n)+counts.allocino = \d+\n', ""),
               ("-", ALL, "statfs 1", 1, USAGE.format("statfs"), "")],
    "lsattr": [("+", ALL, "lsattr -a", 0, r"-{16}[-X]/rpiasAdtPneEfSxCX f \n", ""),
               ("-", ALL, "lsattr x", 1, USAGE.format("lsattr"), "")],
    "chattr": [("+", BLOCKS, ["chattr +sA", "lsattr -v", "chattr -sA"], 0, r"\[sync, no-atime(, has-xattr)?\] f \n",
                ""),
               ("-", ALL, "chattr +z", 1, "", "xfs_io: unknown flag\n"),
               ("-", ALL, "chattr s", 1, "", "xfs_io: bad chattr command, not \\+/-X\n"),
               ("-", XFS, "chattr +r", 1, "", "xfs_io: cannot set flags on f: Invalid argument\n")],
    "lsproj": [("+", ALL, "lsproj", 0, "projid = 0\n", ""), ("-", ALL, "lsproj x", 1, USAGE.format("lsproj"), "")],
    "chproj": [("+", XFS, ["chproj 42", "lsproj", "lsproj -R"], 0, r"projid = 42\n\[42\] f\n", ""),
               ("-", ("ext4", "tmpfs"), "chproj 3", 1, "", "setprojid: Operation not supported\n"),
               ("-", ALL, "chproj nobody", 1, "invalid project ID -- nobody\n", "")],
    "extsize": [("+", XFS, ["truncate 0", "extsize 64k", "extsize", "lsattr -v"], 0,
                 r"\[65536\] f\n\[extsize(, has-xattr)?\] f \n", ""),
                ("+", XFS, "extsize", 0, r"\[0\] f\n", ""),
                ("-", XFS, "extsize abc", 1, "non-numeric extsize argument -- abc\n", ""),
                ("-", XFS, "extsize 64k", 1, "xfs_io: FS_IOC_FSSETXATTR f: Invalid argument\n", ""),
                ("-", ("ext4", "tmpfs"),
                 "extsize", 0, "", "foreign file active, extsize command is for XFS filesystems only\n")],
    "cowextsize": [("+", XFS, ["cowextsize 64k", "cowextsize"], 0, r"\[65536\] f\n", ""),
                   ("-", XFS, "cowextsize 1", 1, "xfs_io: FS_IOC_FSSETXATTR f: Invalid argument\n", "")],
    "utimes": [("+", ALL, "utimes 1 2 3 4", 0, "", "", timestamp),
               ("-", ALL, "utimes 1 x 3 4", 1, "", "Bad value for atime\n"),
               ("-", ALL, "utimes 1 2 3 2000000000", 1, "", "futimens: Invalid argument\n")],
    "chmod": [("+", ALL, "chmod -r", 0, "", "", mode(0o444)), ("+", ALL, "chmod -w", 0, "", "", mode(0o664)),
              ("-", ALL, "chmod -z", 1, USAGE.format("chmod"), "chmod: invalid option -- 'z'\n")],
    "flink": [("+", ALL, ["open -T .", "pwrite -q 0 5", "flink linked"], 0, "", "", exists("linked")),
              ("-", ALL, "flink src", 1, "", "flink: File exists\n")],
    "inode": [("+", XFS, "inode", 0, "0\n", ""), ("+", XFS, "inode -v 128", 0, "128:32\n", ""),
              ("+", XFS, "inode 99999999", 0, "0\n", ""), ("+", XFS, "inode -n 127", 0, "128\n", ""),
              ("-", XFS, "inode x", 1, "x is not a numeric inode value\n", "")],
    "parent": [("-", XFS, "parent", 1, "", "XFS_IOC_GETPARENTS: Operation not supported\n"),
               ("-", XFS, "parent x", 1, USAGE.format("parent"), "")],
    "bulkstat": [("+", XFS, "bulkstat -e 128", 0, r"bs_ino = 128\n(\tbs_.*\n)+", ""),
                 ("-", XFS, ["bulkstat -v 3", "truncate 0"], 0, "", "version must be 1 or 5.\n", size(65536))],
    "bulkstat_single": [("+", XFS, "bulkstat_single root", 0, r"bs_ino = 128\n(\tbs_.*\n)+", ""),
                        ("-", XFS, "bulkstat_single 99999999999", 1, "", "xfrog_bulkstat_single: Invalid argument\n")],
    "inumbers": [("+", XFS, "inumbers -e 128", 0,
                  r"xi_startino = 128\n\txi_allocmask = 0x[0-9a-f]+\n\txi_alloccount = \d+\n\txi_version = 5\n", ""),
                 ("-", XFS, "inumbers -s x", 0, "", "x: Numerical result out of range\n")],
    "label": [("+", BLOCKS, ["label -s abc", "label", "label -c"], 0, 'label = "abc"\nlabel = "abc"\nlabel = ""\n', ""),
              ("-", XFS, "label -s abcdefghijklmnop", 1, "", "label: Invalid argument\n"),
              ("-", ("tmpfs",), "label", 1, "", "label: Inappropriate ioctl for device\n")],
    "fsuuid": [("+", BLOCKS, "fsuuid", 0, r"UUID = [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n", ""),
               ("-", ALL, "fsuuid x", 0, "", "bad argument count 1 to fsuuid, expected 0 arguments\n")],
    "sysfspath": [("+", XFS, "sysfspath", 0, r"/sys/fs/xfs/loop\d+\n", ""),
                  ("+", XFS, "sysfspath -d", 0, r"/sys/kernel/debug/xfs/loop\d+\n", ""),
                  ("-", ("tmpfs",), "sysfspath", 1, "", "FS_IOC_GETFSSYSFSPATH: Inappropriate ioctl for device\n")],
    "aginfo": [("+", XFS, "aginfo -a 1", 0, r"AG: 1\nBlocks: \d+\nFree Blocks: \d+\nInodes: \d+\nFree Inodes: \d+\nSick: 0x0\nChecked: 0x0\nFlags: 0x0\n", ""),
               ("-", XFS, "aginfo -a 99", 1, "", "XFS_IOC_AG_GEOMETRY: Invalid argument\n")],
    "rginfo": [("+", XFS, "rginfo", 0, "", ""), ("-", XFS, "rginfo -r 0", 1, "", "XFS_IOC_RTGROUP_GEOMETRY: .*\n")],
    "listfsprops": [("-", XFS, "listfsprops", 1, "", "f: not the root directory of a filesystem\n")],
    "getfsprops": [("-", XFS, "getfsprops", 0, "",
                    "bad argument count 0 to getfsprops, expected at least 1 arguments\n")],
    "setfsprops": [("-", XFS, "setfsprops a=b", 1, "", "f: not the root directory of a filesystem\n")],
    "removefsprops": [("-", XFS, "removefsprops a", 1, "", "f: not the root directory of a filesystem\n")],
    "crc32cselftest": [("+", ALL, "crc32cselftest", 0, r"crc32c: tests passed, 225944 bytes in \d+ usec\n", ""),
                       ("-", ALL, "crc32cselftest 1", 0, "", "bad argument count.*\n")],
    "log_writes": [("-", ALL, "lw -d x -m y", 1, "", "log_writes: x: not built with libdevmapper\n"),
                   ("+", ALL, "help log_writes", 0, "log_writes -d device -m mark -- .*\n(.*\n)+", "")],
    "getrusage": [("+", ALL, "g", 0, r"\d+\.\d+u \d+\.\d+s \d+:.*%\t.*\n", "", None, ["-x"]),
                  ("-", ALL, "getrusage", 0, "", 'command "getrusage" not found\n')],
    "imap": [("+", XFS, "imap", 0, r"(ino +\d+ count +\d+ mask [0-9a-f]{16}\n)+", "", None, ["-x"]),
             ("-", XFS, "imap x", 1, "non-numeric entry count -- x\n", "", None, ["-x"])],
    "resblks": [("+", XFS, "resblks 100", 0, "reserved blocks = 100\navailable reserved blocks = 100\n", "", None,
                 ["-x"]),
                ("-", XFS, "resblks x", 1, "non-numeric argument -- x\n", "", None, ["-x"]),
                ("-", XFS, "resblks", 0, "", 'command "resblks" not found\n')],
    "inject": [("+", XFS, "inject", 0, r"tags: \[ noerror, iflush1, .*\n(\t.*\n)+", "", None, ["-x"]),
               ("-", XFS, "inject foo", 1, "", "no such tag -- foo\n", None, ["-x"])],
    "freeze": [("+", BLOCKS, ["freeze", "thaw"], 0, "", "", None, ["-x"]),
               ("-", ("tmpfs",), "freeze", 1, "",
                "xfs_io: cannot freeze filesystem at f: Operation not (supported|permitted)\n", None, ["-x"])],
    "thaw": [("+", BLOCKS, ["freeze", "thaw"], 0, "", "", None, ["-x"]),
             ("-", ALL, "thaw", 1, "",
              "xfs_io: cannot unfreeze filesystem mounted at f: (Invalid argument|Operation not permitted)\n", None,
              ["-x"])],
    "shutdown": [("-", ("tmpfs",), "shutdown -f", 1, "", "XFS_IOC_GOINGDOWN: Inappropriate ioctl for device\n", None,
                  ["-x"]),
                 ("-", ALL, "shutdown", 0, "", 'command "shutdown" not found\n')],
    "scrub": [("+", XFS, "scrub agf 0", (0, 1),
               ".*", "(scrub: (Inappropriate ioctl for device|Operation not supported)\n)?"),
              ("-", XFS, "scrub foo", 1, "Unknown type 'foo'.\n" + USAGE.format("scrub"), ""),
              ("-", XFS, "scrub agf", 1, "", "Must specify one AG number.\n"),
              ("-", XFS, "scrub metapath nosuch", 1, "", "Unknown metapath 'nosuch'.\n"),
              ("-", XFS, "scrub inode 1", 1, "", "Must specify inode number and generation.\n")],
    "scrubv": [("+", XFS, "scrubv probe", (0, 1),
                ".*\n?", "(scrubv: (Inappropriate ioctl for device|Operation not supported)\n)?"),
               ("-", XFS, "scrubv foo", 1, "Unknown type 'foo'.\n" + USAGE.format("scrubv"), "")],
    "repair": [("+", XFS, "fix -R probe", (0, 1),
                ".*\n?", "(repair: (Inappropriate ioctl for device|Operation not supported)\n)?", None, ["-x"]),
               ("-", XFS, "repair probe", 0, "", 'command "repair" not found\n'),
               ("-", XFS, "repair probe 1", 1, "", "No parameters allowed.\n", None, ["-x"])],
    "exchangerange": [("-", XFS, "exchangerange src", 1, "", "exchangerange: Operation not supported\n"),
                      ("-", XFS, "exchangerange -d x src", 1, "non-numeric file offset argument -- x\n", "")],
    "startupdate": [("-", ALL, ["startupdate", "truncate 0"], 1, "", "f: No such file or directory\n", size(65536))],
    "commitupdate": [("-", ALL, "commitupdate", 1, "", "Current file is not the staging file for an atomic update.\n")],
    "cancelupdate": [("-", ALL, "cancelupdate", 1, "", "Current file is not the staging file for an atomic update.\n")],
    "swapext": [("-", XFS, "swapext nosuch", 1, "", "nosuch: No such file or directory\n"),
                ("-", ("ext4", "tmpfs"),
                 "swapext src", 0, "", "foreign file active, swapext command is for XFS filesystems only\n")],
    "mmap": [("+", ALL, ["mmap -rw 0 64k", "mmap -r 4k 4k", "mmap 0"], 0,
              r"\[000\] 0x.* rw-               f \(0 : 65536\)\n 001  0x.* r--               f \(4096 : 4096\)\n", ""),
             ("-", ALL, "mmap 0", 1, "", "no mapped regions, try 'help mmap'\n"), ("-", ALL, "mmap x 1", 1, NUM, ""),
             ("-", ALL, "mmap -w 0 4k", 1, "", "mmap: Permission denied\n", None, ["-r"])],
    "munmap": [("+", ALL, ["mmap 0 4k", "mmap -r 0 8k", "mu"], 0, r"\[000\] 0x.* rwx               f \(0 : 4096\)\n",
                ""),
               ("-", ALL, "munmap", 0, "", "no mapped regions, try 'help mmap'\n")],
    "mread": [("+", ALL, ["mmap -r 4k 8k", "mread -f 4097 7"], 0, r"00001001:  6f 72 65 69 67 6e 20  oreign.\n", ""),
              ("+", ALL, ["mmap -r 4k 8k", "mr -v -r 4097 7"], 0, r"00000001:  20 6e 67 69 65 72 6f  .ngiero\n", ""),
              ("-", ALL, ["mmap -r 4k 4k", "mread 0 1"], 1, r"offset \(0\) is before start of mapping \(4096\)\n", ""),
              ("-", ALL, ["mmap -r 0 4k", "mread 8k 1"], 1, r"offset \(8192\) is beyond end of mapping \(0\)\n", ""),
              ("-", ALL, ["mmap -r 0 4k", "mread 1 4k"], 1, r"range \(1:4096\) is beyond mapping \(0:4096\)\n", "")],
    "mwrite": [("+", ALL, ["mmap -rw 0 4k", "mw -S 0x5a 8 4", "msync -s"], 0, "", "", bytes_at(6, b"n ZZZZign")),
               ("-", ALL, ["mmap -rw 0 4k", "mwrite x 1"], 1, NUM, "")],
    "msync": [("+", ALL, ["mmap 0 4k", "ms -a 0 4k"], 0, "", ""),
              ("-", ALL, ["mmap 0 4k", "msync -as"], 1, "", "msync: Invalid argument\n"),
              ("-", ALL, ["mmap 0 4k", "msync 1 1"], 1, r"offset address \(0x.*\) is not page aligned\n", "")],
    "madvise": [("+", ALL, ["mmap 0 4k", "madvise -w", "ma"], 0, "", ""),
                ("-", ALL, ["mmap 0 4k", "madvise 1"], 1, USAGE.format("madvise"), "")],
    "mincore": [("+", ALL, ["mmap -r 0 8k", "mread 0 8k", "mincore"], 0,
                 r"0x[0-9a-f]+ - 0x[0-9a-f]+  2 pages \(0 : 8192\)\n", ""),
                ("-", ALL, ["mmap -r 0 4k", "mincore x 1"], 1, NUM, "")],
    "mremap": [("+", ALL, ["mmap -r 0 16k", "mremap 4k", "mmap"], 0, r"\[000\] .* \(0 : 4096\)\n", ""),
               ("-", ALL, ["mmap -r 0 4k", "mremap x"], 1, NUM, "")],
    "set_encpolicy": [("-", XFS, "set_encpolicy", 1, "",
                       "f: failed to set encryption policy: Inappropriate ioctl for device\n"),
                      ("-", ALL, "set_encpolicy -c foo", 1, "", "invalid contents encryption mode: foo\n")],
    "get_encpolicy": [("+", XFS, "get_encpolicy -t", 0, "unsupported\n", ""),
                      ("-", XFS, "get_encpolicy", 1, "",
                       "f: failed to get encryption policy: Inappropriate ioctl for device\n")],
    "add_enckey": [("-", XFS, "add_enckey", 1, "", "Error adding encryption key: Inappropriate ioctl for device\n"),
                   ("-", ALL, "add_enckey -d 12", 1, "", "invalid key descriptor: 12\n")],
    "rm_enckey": [("-", XFS, "rm_enckey 0000111122223333", 1, "",
                   "Error removing encryption key: Inappropriate ioctl for device\n")],
    "enckey_status": [("-", XFS, "enckey_status 0000111122223333", 1, "",
                       "Error getting encryption key status: Inappropriate.*\n"),
                      ("-", ALL, "enckey_status xx", 1, "", "invalid key specifier: xx\n")],
    "enable_verity": [("-", XFS, "enable_verity", 1, "", "FS_IOC_ENABLE_VERITY: (Inappropriate ioctl for device|Operation not supported)\n", None, ["-r"]),
                      ("-", ALL, "enable_verity -h md5", 1, "", "unknown hash algorithm -- md5\n")],
    "measure_verity": [("-", ALL, "measure_verity", 1, "", "FS_IOC_MEASURE_VERITY: .*\n")],
}


def fresh(where):
    for name in os.listdir(where):
        path = os.path.join(where, name)
        if os.path.isfile(path) and name not in ("src",):
            os.unlink(path)
    for name, text in (("f", b"foreign "), ("src", b"source..")):
        with open(os.path.join(where, name), "wb") as f:
            f.write(text * 8192)
        os.chmod(os.path.join(where, name), 0o644)


def run_case(where, fs, case):
    commands, rc, out, err, check, options = (list(case[2:]) + [None, []])[:6] if len(case) < 8 else case[2:8]
    fresh(where)
    r = lab.io(commands, "f", cwd=where, options=tuple(options or []))
    wrong = []
    if r.rc not in (rc if isinstance(rc, tuple) else (rc,)):
        wrong.append(f"exit {r.rc}, expected {rc}")
    if not re.fullmatch(out, r.out):
        wrong.append(f"stdout, expected {out!r}")
    if not re.fullmatch(err, r.err):
        wrong.append(f"stderr, expected {err!r}")
    if check and not check(os.path.join(where, "f")):
        wrong.append("effect on the file")
    return [f"{fs} {commands}: " + "; ".join(wrong) + "\n" + str(r)] if wrong else []


def run_all(available):
    for name in sorted(CASES):
        wrong, n = [], 0
        for case in CASES[name]:
            for fs in case[1]:
                if fs in available:
                    wrong += run_case(available[fs], fs, case)
                    n += 1
                    seen[name].add(case[0])
        if n:
            lab.ok(not wrong, f"{name}: {n} cases", "\n".join(wrong))
        else:
            lab.skip(name, "no filesystem of those it needs")


def test_folders(available):
    """Folders, properties and trees: things that are not done to one regular file."""
    for fs, where in available.items():
        sub = os.path.join(where, "folder")
        os.makedirs(os.path.join(sub, "below"), exist_ok=True)
        open(os.path.join(sub, "one"), "w").close()
        r = lab.io("readdir -v", sub)
        lab.ok(r.rc == 0
               and re.search(r"^[0-9a-f]{8,}: d_ino: 0x[0-9a-f]{8} d_off: 0x[0-9a-f]{8,} d_reclen: 0x18 d_type: DT_REG "
                                       r"d_name: one$", r.out, re.M) and "4 ops" in r.out, f"{fs}: readdir -v", r)
        r = lab.io(["getdents -l 30"], sub)
        # entries take 24 or 32 bytes, in an order that is the filesystem's
        lab.ok(r.rc == 0 and re.search(r"^read (\d+) bytes from offset 0$", r.out, re.M)
               and re.search(r", [12] ops, ", r.out),
               f"{fs}: getdents stops after the wanted bytes", r)
        os.mkfifo(os.path.join(sub, "fifo"))
        os.symlink("nowhere", os.path.join(sub, "link"))
        r = lab.io("lsattr -R", "folder", cwd=where)
        names = [line.split()[1] for line in r.out.splitlines()]
        lab.ok(names[-1] == "folder" and "folder/one" in names and "folder/below" in names
               and "cannot open folder/link" in r.err,
               f"{fs}: lsattr -R walks children first, passes fifos and tells what it can't open", r)
        r = lab.io("lsattr -D", "folder", cwd=where)
        lab.ok([line.split()[1] for line in r.out.splitlines()] == ["folder/below", "folder"] and r.rc == 0,
               f"{fs}: lsattr -D only folders", r)
        seen["readdir"].add("+")
        seen["getdents"].add("+")
    if "xfs" not in available:
        return
    root = available["xfs"]
    r = lab.io(["listfsprops", "setfsprops autofsck=check", "getfsprops autofsck", "listfsprops -v",
                "setfsprops -f a=b", "listfsprops", "removefsprops a autofsck", "listfsprops"], root)
    lab.ok(r.rc == 0 and r.out == "autofsck=check\nautofsck=check\nautofsck=check\na=b\nautofsck\na\n" and
           "trusted.xfs:a" not in os.listxattr(root), "properties of the filesystem", r)
    r = lab.io(["setfsprops foo=bar", "getfsprops nope", "setfsprops x"], root)
    lab.ok(r.rc == 1 and "foo=bar: invalid value" in r.err and "nope: No data available" in r.err, "bad properties", r)
    for name in ("listfsprops", "getfsprops", "setfsprops", "removefsprops"):
        seen[name].add("+")
    sub = os.path.join(root, "folder")
    r = lab.io(["extsize 64k", "extsize -D", "lsattr -v"], "folder", cwd=root)
    lab.ok(r.out.endswith("[65536] folder\n[extsz-inherit] folder \n") or "[extsz-inherit, has-xattr] folder" in r.out,
           "extsize of a folder is inherited", r)
    r = lab.io(["extsize 64k", "extsize", "lsattr"], os.path.join(sub, "new"), options=("-f",))
    lab.ok(r.rc == 0 and "[65536]" in r.out and re.search(r"^-{10}e", r.out, re.M), "extsize of a new file", r)
    r = lab.io("extsize 64k", os.path.join(sub, "fifo"))
    lab.ok("invalid target file type - file" in r.out or "foreign" in r.err, "extsize of a fifo", r)


def test_special(available):
    """What needs a filesystem of its own."""
    try:
        where = lab.xfs("shutdown")
        path = os.path.join(where, "f")
        lab.io("pwrite -q 0 4k", path, options=("-f",))
        r = lab.io(["shutdown -f", "pwrite 0 4k"], path, options=("-x",))
        lab.ok(r.rc == 1 and r.err == "pwrite: Input/output error\n", "shutdown: nothing can be written then", r)
        seen["shutdown"].add("+")
    except lab.Unavailable as e:
        lab.skip("shutdown", e)
    try:
        where = lab.mount("swap", 300 << 20, ("mkfs.xfs", "-q", "-f", "-m", "rmapbt=0,reflink=0"))
        for name, byte in (("a", "0x61"), ("b", "0x62")):
            lab.io([f"pwrite -q -S {byte} 0 64k", "fsync"], os.path.join(where, name), options=("-f",))
        r = lab.io(["swapext b", "pread -qv 0 4"], "a", cwd=where)
        lab.ok(r.rc == 0 and r.out == "00000000:  62 62 62 62  bbbb\n", "swapext", r)
        seen["swapext"].add("+")
    except lab.Unavailable as e:
        lab.skip("swapext", e)
    try:
        where = lab.ext4("full")
        r = lab.io("pwrite -b 1m 0 1g", os.path.join(where, "f"), options=("-f",))
        lab.ok(r.rc == 1 and r.err == "pwrite: No space left on device\n" and r.out == "",
               "pwrite on a full filesystem", r)
    except lab.Unavailable as e:
        lab.skip("pwrite on a full filesystem", e)
    try:
        where = lab.ext4("crypt", "-O", "encrypt")
        os.mkdir(os.path.join(where, "d"))
        key = "8b172d333628937ac2912fd354a19cfb"
        r = lab.io("add_enckey", where, stdin=b"0123456789abcdef" * 4)
        if "Operation not supported" in r.err:
            raise lab.Unavailable("the kernel has no fscrypt")
        lab.ok(r.out == f"Added encryption key with identifier {key}\n", "add_enckey", r)
        r = lab.io([f"set_encpolicy {key}", "get_encpolicy", f"enckey_status {key}", f"rm_enckey {key}",
                    f"enckey_status {key}"], "d",
                   cwd=where)
        lab.ok(r.rc == 0 and f"Policy version: 2\n\tMaster key identifier: {key}\n" in r.out and
               r.out.endswith(f"Present (user_count=1, added_by_self)\nRemoved encryption key with identifier {key}\nAbsent\n"),
               "encryption policy and key", r)
        for name in ("add_enckey", "set_encpolicy", "enckey_status", "rm_enckey"):
            seen[name].add("+")
    except lab.Unavailable as e:
        lab.skip("encryption", e)
        for name in ("add_enckey", "set_encpolicy", "enckey_status", "rm_enckey"):
            seen[name].add("+ skipped")
    try:
        where = lab.ext4("verity", "-O", "verity")
        path = os.path.join(where, "f")
        with open(path, "wb") as f:
            f.write(b"verity.." * 1024)
        r = lab.io(["enable_verity", "measure_verity"], "f", cwd=where, options=("-r",))
        if "Operation not supported" in r.err:
            raise lab.Unavailable("the kernel has no fs-verity")
        lab.ok(r.rc == 0 and re.fullmatch(r"sha256:[0-9a-f]{64} f\n", r.out), "enable_verity, measure_verity", r)
        r = lab.io("enable_verity", path, options=("-r",))
        lab.ok(r.rc == 1 and r.err == "FS_IOC_ENABLE_VERITY: File exists\n", "enable_verity twice", r)
        verity = "+"
    except lab.Unavailable as e:
        lab.skip("verity", e)
        verity = "+ skipped"
    seen["enable_verity"].add(verity)
    seen["measure_verity"].add(verity)


available = {}
for name, make in (("xfs", lab.xfs), ("ext4", lab.ext4), ("tmpfs", lab.tmpfs)):
    try:
        available[name] = make()
    except lab.Unavailable as e:
        lab.skip("all cases on " + name, e)
run_all(available)
test_folders(available)
test_special(available)
if len(available) == 3:
    # new.t has the good cases of those that no released mkfs of this system makes a filesystem for
    elsewhere = {"parent", "exchangerange", "startupdate", "commitupdate", "cancelupdate"}
    listed = {line.split(" ")[0] for line in lab.io("help", options=("-x",)).out.split("\n\n")[0].splitlines()}
    missing = {f"{n} ({s})" for n in listed for s in "+-"
               if not any(x.startswith(s) for x in seen.get(n, ())) and not (s == "+" and n in elsewhere)}
    lab.ok(listed and not missing and not set(CASES) - listed, "every command has a good and a bad case",
           f"missing: {sorted(missing)}; unknown: {sorted(set(CASES) - listed)}")
else:
    lab.skip("every command has a good and a bad case", "not all filesystems are there")
lab.done()
