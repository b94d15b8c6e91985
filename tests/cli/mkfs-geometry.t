#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every row of tests/data/mkfs-geometry.tsv through mkfs.xfs: what the table prints and what the image holds.

Rows of a filesystem that can be written are written and read back.  Rows with a realtime section agree under -N, and
are refused without it as coming later.  Rows that must be refused are refused with the reason of the row.  A size that
the host can't hold as a sparse file gets a device of zeroes inside the tool (--test-overlay).
"""
import csv
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

SRC = os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("XFSKIT_BUILD", os.getcwd())
MKFS = os.path.join(os.path.abspath(BUILD), "mkfs.xfs")
UNITS = {"K": 10, "M": 20, "G": 30, "T": 40, "P": 50}

# the table: one expression a line, groups are columns of the rows
TABLE = r"""meta-data=(?P<device>\S+) +isize=(?P<isize>\d+) +agcount=(?P<agcount>\d+), agsize=(?P<agsize>\d+) blks
 {9}= {23}sectsz=(?P<sectsz>\d+) +attr=(?P<attr>\d), projid32bit=(?P<projid32bit>\d)
 {9}= {23}crc=(?P<crc>\d) +finobt=(?P<finobt>\d), sparse=(?P<sparse>\d), rmapbt=(?P<rmapbt>\d)
 {9}= {23}reflink=(?P<reflink>\d) +bigtime=(?P<bigtime>\d) inobtcount=(?P<inobtcount>\d) nrext64=(?P<nrext64>\d)
 {9}= {23}exchange=(?P<exchange>\d) +metadir=(?P<metadir>\d)
data     = {23}bsize=(?P<bsize>\d+) +blocks=(?P<blocks>\d+), imaxpct=(?P<imaxpct>\d+)
 {9}= {23}sunit=(?P<sunit>\d+) +swidth=(?P<swidth>\d+) blks
naming   =version (?P<dirver>\d) {14}bsize=(?P<dirbsize>\d+) +ascii-ci=(?P<asciici>\d), ftype=(?P<ftype>\d), parent=(?P<parent>\d)
log      =(?P<log>internal log|\S+) +bsize=\d+ +blocks=(?P<logblocks>\d+), version=(?P<logversion>\d)
 {9}= {23}sectsz=(?P<logsectsz>\d+) +sunit=(?P<logsunit>\d+) blks, lazy-count=(?P<lazycount>\d)
realtime =(?P<rt>\S+) +extsz=(?P<rtextsz>\d+) +blocks=(?P<rtblocks>\d+), rtextents=(?P<rtextents>\d+)
 {9}= {23}rgcount=(?P<rgcount>\d+) +rgsize=(?P<rgsize>\d+) extents
 {9}= {23}zoned=(?P<zoned>\d) +start=(?P<rtstart>\d+) reserved=(?P<rtreserved>\d+)
"""

# superblock fields that the columns need: name, offset, struct code
FIELDS = [("logstart", 48, "Q"), ("rootino", 56, "Q"), ("versionnum", 100, "H"), ("agblklog", 124, "B"),
          ("inprogress", 126, "B"),
          ("icount", 128, "Q"), ("ifree", 136, "Q"), ("fdblocks", 144, "Q"), ("inoalignmt", 180, "I"),
          ("logsunit", 196, "I"),
          ("features2", 200, "I"), ("features_ro_compat", 212, "I"), ("features_incompat", 216, "I"),
          ("spino_align", 228, "I")]


def size_of(text):
    return int(text[:-1]) << UNITS[text[-1]] if text[-1] in UNITS else int(text)


def superblock_of_file(path):
    with open(path, "rb") as f:
        raw = f.read(512)
    if raw[:4] != b"XFSB":
        return {}
    return {name: struct.unpack_from(">" + code, raw, off)[0] for name, off, code in FIELDS}


def superblock_of_text(text):
    return {m[1]: int(m[2]) for m in re.finditer(r"^sb_(\w+)=(\d+)$", text, re.M)}


def superblock_columns(sb):
    """The columns of a row that come from the superblock, as the row writes them."""
    log = sb["logstart"]
    return {"logagno": str(log >> sb["agblklog"]) if log else "-",
            "logagbno": str(log & ((1 << sb["agblklog"]) - 1)) if log else "-",
            "agblklog": str(sb["agblklog"]), "rootino": str(sb["rootino"]), "icount": str(sb["icount"]),
            "ifree": str(sb["ifree"]), "fdblocks": str(sb["fdblocks"]), "inoalignmt": str(sb["inoalignmt"]),
            "spino_align": str(sb["spino_align"]), "logsunit_b": str(sb["logsunit"]),
            "versionnum": hex(sb["versionnum"]), "features2": hex(sb["features2"]),
            "features_ro": hex(sb["features_ro_compat"]), "features_in": hex(sb["features_incompat"])}


class Runner:
    def __init__(self, folder):
        self.folder = folder
        self.largest = self.find_largest()

    def sparse(self, name, size):
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "wb") as f:
            f.truncate(size)
        return path

    def find_largest(self):
        """Largest sparse file of the host filesystem, as far as the rows care."""
        for shift in (60, 53, 50, 47, 46, 45, 44, 43, 42, 41, 40, 39):
            try:
                os.unlink(self.sparse("probe", 1 << shift))
                return 1 << shift
            except OSError:
                continue
        return 1 << 38

    def mkfs(self, words):
        run = subprocess.run([MKFS] + words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             errors="replace", timeout=300)
        return run.returncode, run.stdout, run.stderr

    def prepare(self, row):
        """Options and device of a row; True when the device is inside the tool."""
        size = size_of(row["size"])
        if row["extra"] != "-":
            name, extra = row["extra"].split(":")
            self.sparse(name, size_of(extra))
        args = [] if row["args"] == "-" else row["args"].split()
        overlay = size > self.largest
        if overlay:
            args += ["--test-overlay=%d" % size]
        else:
            self.sparse("a.img", size)
        return ["-f"] + args + ["a.img"], overlay


def compare(row, got, columns):
    return ["%s: %s, expected %s" % (c, got.get(c), row[c]) for c in columns if got.get(c) != row[c]]


def table_columns(out):
    m = re.search(TABLE, out)
    if not m:
        return None
    got = m.groupdict()
    got["log"] = got["log"].replace(" ", "_")
    return got


PRINTED = [c for c in re.findall(r"\?P<(\w+)>", TABLE) if c != "device"]
STORED = ["logagno", "logagbno", "agblklog", "rootino", "icount", "ifree", "fdblocks", "inoalignmt", "spino_align",
          "logsunit_b", "versionnum", "features2", "features_ro", "features_in"]


def warnings_differ(row, err):
    want = [] if row["msg"] == "-" else row["msg"].split(" / ")
    have = [line for line in err.splitlines() if line]
    return [] if have == want else ["warnings %r, expected %r" % (have, want)]


def check_refused(run, row):
    words, _ = run.prepare(row)
    rc, _, err = run.mkfs(words)
    first = err.split("\n")[0]
    bad = [] if rc == 1 else ["exit status %d" % rc]
    return bad + ([] if first == row["msg"] else ["reason %r, expected %r" % (first, row["msg"])])


def check_dry(run, row):
    words, _ = run.prepare(row)
    rc, out, err = run.mkfs(["-N"] + words)
    got = table_columns(out)
    if rc or got is None:
        return ["exit status %d, %s" % (rc, err.split("\n")[0])]
    return compare(row, got, PRINTED) + warnings_differ(row, err)


def check_later(run, row):
    bad = check_dry(run, row)
    words, _ = run.prepare(row)
    rc, _, err = run.mkfs(words)
    if rc != 1 or not re.search(r"^mkfs\.xfs: .* comes with a later version", err, re.M):
        bad.append("without -N: exit status %d, %r" % (rc, err.split("\n")[0]))
    return bad


def check_written(run, row):
    words, overlay = run.prepare(row)
    rc, out, err = run.mkfs(["--test-superblock"] + words)
    got = table_columns(out)
    if rc or got is None:
        return ["exit status %d, %s" % (rc, err.split("\n")[0])]
    sb = superblock_of_text(out) if overlay else superblock_of_file(os.path.join(run.folder, "a.img"))
    if not sb:
        return ["no superblock"]
    got.update(superblock_columns(sb))
    bad = compare(row, got, PRINTED + STORED) + warnings_differ(row, err)
    if sb["inprogress"]:
        bad.append("inprogress is set")
    return bad


def kind_of(row):
    if row["rc"] != "0":
        return "refused"
    if "-r " in row["args"]:
        return "later"
    return "dry" if row["made"] == "dry-run" else "written"


CHECKS = {"refused": check_refused, "later": check_later, "dry": check_dry, "written": check_written}

DEFAULT_TABLE = """meta-data=a.img                  isize=512    agcount=4, agsize=65536 blks
         =                       sectsz=512   attr=2, projid32bit=1
         =                       crc=1        finobt=1, sparse=1, rmapbt=1
         =                       reflink=1    bigtime=1 inobtcount=1 nrext64=1
         =                       exchange=0   metadir=0
data     =                       bsize=4096   blocks=262144, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1, parent=0
log      =internal log           bsize=4096   blocks=16384, version=2
         =                       sectsz=512   sunit=0 blks, lazy-count=1
realtime =none                   extsz=4096   blocks=0, rtextents=0
         =                       rgcount=0    rgsize=0 extents
         =                       zoned=0      start=0 reserved=0
"""


def main():
    with open(os.path.join(SRC, "tests/data/mkfs-geometry.tsv"), newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    counts, number, failed, start = {}, 0, 0, time.monotonic()
    print("1..%d" % (len(rows) + 2))
    with tempfile.TemporaryDirectory(prefix="mkfs-geometry-") as folder:
        run = Runner(folder)
        for row in rows:
            kind = kind_of(row)
            bad = CHECKS[kind](run, row)
            counts[kind] = counts.get(kind, 0) + 1
            number += 1
            failed += bool(bad)
            print("%sok %d - %s: %s on %s %s" % ("not " if bad else "", number, kind, row["args"], row["size"],
                                                 row["extra"]))
            for line in bad:
                print("#   " + line)
        run.sparse("a.img", 1 << 30)
        rc, out, _ = run.mkfs(["-N", "a.img"])
        number += 1
        print("%sok %d - the default table, byte for byte" % ("" if (rc, out) == (0, DEFAULT_TABLE) else "not ",
                                                              number))
        number += 1
        print("%sok %d - all kinds of rows ran: %s" % ("" if sum(counts.values()) == len(rows) == 215
                                                       and len(counts) == 4 else "not ", number,
              ", ".join("%d %s" % (n, kind) for kind, n in sorted(counts.items()))))
    print("# largest sparse file %d TiB; %.1f s" % (run.largest >> 40, time.monotonic() - start))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
