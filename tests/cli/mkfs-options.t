#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Command line and configuration file of mkfs.xfs: error texts, conflicts, units, smallest logs.  Nothing is written."""
import os
import re
import subprocess
import sys
import tempfile

MKFS = os.path.join(os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd())), "mkfs.xfs")

# options on a file of 1 GiB -> first line of stderr, exit status 1
ERRORS = [
    ("-d foo=1", "unknown option -d foo=1"),
    ("-b log=12", "unknown option -b log=12"),
    ("-d agcount", "-d agcount option requires a value"),
    ("-d agcount=", "-d agcount option requires a value"),
    ("-d agcount=4,agcount=4", "-d agcount option respecified"),
    ("-d agcount=4,agsize=64m", "Cannot specify both -d agcount and -d agsize"),
    ("-d agsize=64m -d agcount=4", "Cannot specify both -d agsize and -d agcount"),
    ("-s size=512 -d sectsize=512", "Cannot specify both -s size and -d sectsize"),
    ("-m uquota,uqnoenforce", "Cannot specify both -m uquota and -m uqnoenforce"),
    ("-l internal,logdev=x", "Cannot specify both -l internal and -l logdev"),
    ("-l size=64m,concurrency=4", "Cannot specify both -l size and -l concurrency"),
    ("-d name=other", "-d name option respecified"),
    ("-d agsize=1x", "Invalid value 1x for -d agsize option. Not a valid value or illegal suffix"),
    ("-d agsize=64mb", "Invalid value 64mb for -d agsize option. Not a valid value or illegal suffix"),
    ("-b size=1b", "Invalid value 1b for -b size option. Not a valid value or illegal suffix"),
    ("-d agcount=abc", "Invalid value abc for -d agcount option. Value not recognized as number."),
    ("-d agcount=4k", "Invalid value 4k for -d agcount option. Unit suffixes are not allowed."),
    ("-d agcount=0", "Invalid value 0 for -d agcount option. Value is too small."),
    ("-d agcount=-1", "Invalid value -1 for -d agcount option. Value is too small."),
    ("-d agcount=99999999999999999999",
     "Invalid value 99999999999999999999 for -d agcount option. Value is too large."),
    ("-b size=4095", "Invalid value 4095 for -b size option. Value must be a power of 2."),
    ("-b size=512", "Minimum block size for CRC enabled filesystems is 1024 bytes."),
    ("-s size=8k", "block size 4096 cannot be smaller than sector size 8192"),
    ("-s size=64k", "Invalid value 64k for -s size option. Value is too large."),
    ("-l sectsize=4096", "Can't change sector size on internal log!"),
    ("-m crc=0 -l version=1 -s size=4k", "Version 1 logs do not support sector size 4096"),
    ("-n size=4k -b size=8k", "illegal directory block size 4096"),
    ("-n version=3", "Invalid value 3 for -n version option. Value is too large."),
    ("-i size=2048 -b size=2k", "illegal inode size 2048"),
    ("-i size=2k", "Invalid value 2k for -i size option. Unit suffixes are not allowed."),
    ("-i perblock=16", "Minimum inode size for CRCs is 512 bytes"),
    ("-i align=0", "Inodes always aligned for CRC enabled filesystems"),
    ("-l lazy-count=0", "Lazy superblock counters always enabled for CRC enabled filesystems"),
    ("-l version=1", "V2 logs always enabled for CRC enabled filesystems"),
    ("-i attr=1", "V2 attribute format always enabled on CRC enabled filesystems"),
    ("-i projid32bit=0", "32 bit Project IDs always enabled on CRC enabled filesystems"),
    ("-m crc=0,finobt=1", "finobt not supported without CRC support"),
    ("-m crc=0 -i sparse=1", "sparse inodes not supported without CRC support"),
    ("-m crc=0,bigtime=1", "timestamps later than 2038 not supported without CRC support"),
    ("-m crc=0,uquota", "persistent quota flags not supported without CRC support"),
    ("-m finobt=0,inobtcount=1", "inode btree counters not supported without finobt support"),
    ("-m metadir=1 -i exchange=0", "metadir not supported without exchange-range support"),
    ("-m metadir=0,uquota", "persistent quota flags not supported without metadir support"),
    ("-m autofsck=foo", "Invalid value foo for -m autofsck option"),
    ("-m uuid=zz", "Invalid value zz for -m uuid option"),
    ("-d cowextsize=4 -m reflink=0", "cowextsize not supported without reflink support"),
    ("-d extszinherit=40000", "illegal extent size hint 40000, must be less than 32768."),
    ("-d cowextsize=40000", "illegal CoW extent size hint 40000, must be less than 32768."),
    ("-d sunit=64", "both data sunit and data swidth options must be specified"),
    ("-d su=4k", "both data su and data sw options must be specified"),
    ("-d su=4k,sw=0", "stripe unit (4096) is larger than the stripe width (0)"),
    ("-d su=4k,sw=600000000",
     "data stripe width (2457600000000) is too large of a multiple of the data stripe unit (4096)"),
    ("-d su=1k,sw=2", "mkfs.xfs: Stripe unit(1024) or stripe width(2048) is not a multiple of the block size(4096)"),
    ("-d su=513,sw=2", "stripe unit (513) must be a multiple of the sector size (512)"),
    ("-d sunit=16,swidth=24", "stripe width (12288) must be a multiple of the stripe unit (8192)"),
    ("-d sunit=0,swidth=16", "invalid stripe width (8192) and stripe unit of 0"),
    ("-d agsize=16777217", "agsize (16777217) not a multiple of fs blk size (4096)"),
    ("-d agcount=1000", "agsize (263 blocks) too small, need at least 4096 blocks"),
    ("-d size=2g", "size 2g specified for data subvolume is too large, maximum is 262144 blocks"),
    ("-d size=500000257", "illegal data length 500000257, not a multiple of 512"),
    ("-d file", "if -d file then -d name and -d size are required"),
    ("-l agnum=4", "log ag number 4 too large, must be less than 4"),
    ("-l size=300m", "internal log size 76800 too large, must be less than 65524"),
    ("-l size=1g", "log size 262144 too large for internal log"),
    ("-l su=6k", "log stripe unit (6144) must be a multiple of the block size (4096)"),
    ("-l su=64k,size=16385b", "log size 16385 is not a multiple of the log stripe unit 16"),
    ("-l logdev=nolog", "Error accessing specified device nolog: No such file or directory"),
    ("-r extsize=6000", "illegal rt extent size 6000, not a multiple of 4096"),
    ("-r size=1g", "size specified for non-existent rt subvolume"),
    ("-r start=1g", "internal RT section only supported in zoned mode"),
    ("-r reserved=1g", "reserved RT blocks only supported in zoned mode"),
    ("-r zoned -m metadir=0", "zoned realtime device not supported without metadir support"),
    ("-L 1234567890123", "Invalid value 1234567890123 for -L option"),
    ("-p nofile", "mkfs.xfs: failed to open nofile: No such file or directory"),
    ("-p a.img,file=b", "-p file option respecified"),
    ("-Z", "mkfs.xfs: invalid option -- 'Z'"),
    ("b.img", "extra arguments"),
    ("-c options=nofile", "Unable to open config file nofile. Aborting."),
]

# options, size in MiB -> smallest log in blocks (format sheets 04, 12.6 and 05, 9.2)
LOGS = [
    ("-b size=1k", 4096, 6011), ("-b size=8k", 4096, 2810), ("", 4096, 3693), ("-b size=64k", 4096, 2570),
    ("-m rmapbt=0 -b size=1k", 4096, 4175), ("-m rmapbt=0 -b size=2k", 4096, 6115), ("-m rmapbt=0", 4096, 1986),
    ("-m rmapbt=0 -b size=8k", 4096, 3739), ("-m rmapbt=0 -b size=64k", 4096, 910), ("-m reflink=0", 4096, 4049),
    ("-m reflink=0 -b size=1k", 4096, 8681), ("-m reflink=0 -b size=32k", 4096, 2200),
    ("-m reflink=0 -b size=64k", 4096, 512), ("-m crc=0 -b size=512", 4096, 4806), ("-m crc=0", 4096, 854),
    ("-m crc=0 -b size=8k", 4096, 558), ("-n size=64k -m rmapbt=0,reflink=0", 4096, 2353),
    ("-b size=1k -n size=64k", 4096, 9501), ("-s size=4k", 4096, 3546),
    ("-s size=4k -m rmapbt=0,reflink=0", 4096, 4287),
    ("-l su=4k", 4096, 3357), ("-l su=64k", 4096, 4176), ("-l su=256k", 4096, 6912),
    ("-b size=1k -l su=256k", 4096, 18432),
    ("", 512, 3075), ("", 1024, 3273), ("", 1 << 20, 4287), ("-i size=2048", 4096, 3693),
    ("-n parent=1 -b size=1k", 4096, 4862), ("-n parent=1", 4096, 2001), ("-n parent=1 -b size=16k", 4096, 1429),
    ("-n parent=1,size=64k", 4096, 5310), ("-n parent=1 -l su=32768", 4096, 1920),
]


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def ok(self, good, text, note=""):
        self.count += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.count, text))
        if not good and note:
            print("#   " + note.replace("\n", "\n#   "))


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mkfs-options-") as folder:
        def mkfs(words, size=1 << 30):
            with open(os.path.join(folder, "a.img"), "wb") as f:
                f.truncate(size)
            run = subprocess.run([MKFS, "-N"] + words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
            return run.returncode, run.stdout, run.stderr

        def config(text, words=()):
            with open(os.path.join(folder, "c.conf"), "w") as f:
                f.write(text)
            return mkfs(["-c", "options=c.conf"] + list(words) + ["a.img"])

        for args, want in ERRORS:
            rc, _, err = mkfs(args.split() + ["a.img"])
            first = err.split("\n")[0]
            tap.ok(rc == 1 and first == want, "refused: " + args, "%d %r, expected %r" % (rc, first, want))
        for args, size, want in LOGS:
            rc, _, err = mkfs(args.split() + ["-l", "size=2m", "a.img"], size << 20)
            m = re.search(r"minimum size is (\d+) blocks", err)
            smallest = int(m[1]) if m else None
            if m is None and rc == 1 and "Log size must be at least 64MB" in err:
                smallest = 512      # 2 MiB is enough
            tap.ok(smallest == want, "smallest log: %s on %d MiB" % (args, size), "%s, expected %d" % (smallest, want))

        rc, _, err = mkfs([])
        tap.ok(rc == 1 and err.startswith("No device name specified\nUsage: "), "no device", err)
        rc, out, _ = mkfs(["-V"])
        tap.ok((rc, out) == (0, "mkfs.xfs version 6.15.0\n"), "version", out)
        rc, out, _ = mkfs(["--help"])
        tap.ok(rc == 0 and "-m, section [metadata]" in out and "lazy-count" in out, "help", out)
        rc, out, _ = mkfs("-n ftype=0 -m crc=1 a.img".split())
        tap.ok(rc == 0 and "ftype=1" in out, "crc=1 brings file types back", out)
        rc, out, err = mkfs("-d size=512000b -b size=1k a.img".split())
        tap.ok(rc == 0 and "blocks=512000," in out, "sizes in blocks, given before the block size", out + err)
        rc, out, err = mkfs("-d size=0x20000000 -b size=010000 a.img".split())
        tap.ok(rc == 0 and "bsize=4096   blocks=131072," in out, "hexadecimal and octal", out + err)
        rc, out, _ = mkfs("-q -m crc=0 a.img".split())
        tap.ok(rc == 0 and out.startswith("V4 filesystems are deprecated and will not be supported by future versions.\nmeta"), "V4 line")
        rc, out, _ = mkfs("-d su=64k,sw=4,agcount=8 a.img".split(), 10 << 30)
        tap.ok(rc == 0 and out.startswith("Warning: AG size is a multiple of stripe width."), "AG size warning", out)
        rc, out, _ = mkfs("-m autofsck=repair,rmapbt=0 -n parent=0 a.img".split())
        tap.ok(out.startswith("-m autofsck=repair is less effective without reverse mapping\n"
                              "-m autofsck=repair is less effective without parent pointers\n"), "autofsck notes", out)
        rc, out, _ = mkfs("--unsupported a.img".split(), 64 << 20)
        tap.ok(rc == 0 and "agcount=4, agsize=4096 blks" in out and "blocks=3075," in out, "small filesystem", out)
        rc, out, _ = mkfs("-r zoned=1 a.img".split(), 2 << 30)
        tap.ok(rc == 0 and "rgcount=6    rgsize=65536 extents" in out, "zoned", out)
        rc, out, err = mkfs("-r zoned=1,rgcount=20 a.img".split(), 10 << 30)
        tap.ok(rc == 0 and "blocks=2365861" in out and "rgcount=19   rgsize=124519" in out and "reserved=66843" in out
               and
               "over-provisioning needs" in err, "zoned with spare zones", out + err)

        rc, out, err = config("\n")
        tap.ok(rc == 0 and out.startswith("Parameters parsed from config file c.conf successfully\nmeta-data="),
               "empty config file", err)
        rc, out, err = config("; comment\n[METADATA]\nRMAPBT=0\n[naming]\nparent: 1 ; comment\n[block]\nsize=1k\n")
        tap.ok(rc == 0 and "rmapbt=0" in out and "parent=1" in out and "bsize=1024" in out, "config file", out + err)
        rc, _, err = config("[metadata]\nfoo=1\n")
        tap.ok(rc == 1 and err == "c.conf: invalid config file option: [metadata]: foo=1\nc.conf: Unrecognised input on line 2. Aborting.\n",
               "config file: unknown option", err)
        rc, _, err = config("[block]\nsize=1k\n", ["-b", "size=4k"])
        tap.ok(rc == 1 and err.startswith("-b size option respecified"), "config file: respecified", err)
        rc, _, err = config("[block]\nsize\n")
        tap.ok(rc == 1 and err == "c.conf: Unrecognised input on line 2. Aborting.\n", "config file: no value", err)
        rc, _, err = config("[data]\nagcount=4\nagsize=64m\n")
        tap.ok(rc == 1 and err.startswith("Cannot specify both -d agcount and -d agsize"), "config file: conflict", err)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
