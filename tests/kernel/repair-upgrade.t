#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair -c: features are added to filled filesystems without them; everybody accepts the result, and a kernel writes to it.

The images are made and filled from a prototype by the distribution's mkfs.xfs.  After an upgrade: our second run, the
distribution's `xfs_repair -n` and the independent judge find nothing, and the files are the same.  An upgrade that is
killed anywhere is completed by the next run.  XFSKIT_LONG: every combination before a kernel, every write as the last.
"""
import itertools
import os
import random
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from repairlab import CRASHED, Lab, Run, Super, flip, read, repair, wreck  # noqa: E402
import campaign  # noqa: E402

LONG = bool(os.environ.get("XFSKIT_LONG"))
TEXTS = {
    "finobt": "Adding free inode btrees to filesystem.", "inobtcount": "Adding inode btree counts to filesystem.",
    "bigtime": "Adding large timestamp support to filesystem.", "nrext64": "Adding nrext64 to filesystem.",
    "reflink": "Adding reflink support to filesystem.", "rmapbt": "Adding reverse mapping btrees to filesystem.",
    "exchange": "Adding file exchange-range support to filesystem.",
}
RO = {"finobt": 1, "rmapbt": 2, "reflink": 4, "inobtcount": 8}
IN = {"bigtime": 8, "nrext64": 32, "exchange": 64}
BARE = ["-m", "rmapbt=0,reflink=0,inobtcount=0,bigtime=0", "-i", "nrext64=0"]

lab = Lab("repair-upgrade")
theirs = shutil.which("mkfs.xfs", path="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
if not theirs:
    print("1..0 # SKIP the distribution's mkfs.xfs is not installed")
    sys.exit(0)


def prototype():
    rand = random.Random(4)
    lines = ["/", "0 0", "d--755 0 0"]
    source = lab.path("content")
    with open(source, "wb") as out:
        out.write(rand.randbytes(300000))
    for d in range(12):
        lines.append("dir%d d--755 0 0" % d)
        for f in range(rand.choice((1, 5, 40, 200))):
            lines.append("file-%03d ---644 0 0 %s" % (f, source if f % 37 == 0 else "/dev/null"))
        lines += ["link l--777 0 0 somewhere/else", "device b--600 0 0 8 1", "$"]
    lines.append("$")
    path = lab.path("proto")
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")
    return path


PROTO = prototype()


def make(name, *options, size=320 << 20):
    path = lab.path(name)
    with open(path, "wb") as out:
        out.truncate(size)
    made = Run(theirs, "-q", "-f", "-p", PROTO, *options, path)
    if made.code:
        raise SystemExit("mkfs.xfs: %s" % made)
    with open(path + ".list", "w") as out:
        out.write(campaign.run(sys.executable, campaign.LISTER, path).stdout)
    return path


def wrong_after(image, truth, features):
    sb = Super(image)
    for feature in features:
        bits, word = (RO[feature], sb.ro_compat) if feature in RO else (IN[feature], sb.incompat)
        if not word & bits:
            return "%s is not there" % feature
    if sb.incompat & 16:
        return "needsrepair is still there"
    if "exchange" in features:      # too new for the judges of the distribution
        again = repair("-n", image)
        return str(again) if again.code else campaign.same_files(image, truth + ".list")
    return campaign.judge(image) or campaign.same_files(image, truth + ".list")


def spec(features):
    return ",".join(feature + "=1" for feature in features)


base = make("base.img", "-m", "finobt=1," + BARE[1], *BARE[2:])
kept = []
singles = [["inobtcount"], ["bigtime"], ["nrext64"], ["reflink"], ["rmapbt"]]
together = [["reflink", "rmapbt"], ["inobtcount", "bigtime", "nrext64", "reflink", "rmapbt"], ["reflink", "exchange"]]
combinations = singles + together
if LONG:
    combinations = [list(c) for n in range(1, 6) for c in itertools.combinations(["inobtcount", "bigtime", "nrext64", "reflink", "rmapbt"], n)]
for features in combinations:
    work = lab.copy(base, "up-%s.img" % "-".join(features))
    untouched = read(work)
    dry = repair("-n", "-c", spec(features), work)
    lab.ok(read(work) == untouched and dry.code == 0, "-n -c %s: nothing is written" % spec(features), dry)
    done = repair("-c", spec(features), work)
    said = [line for line in done.out.splitlines() if line]
    wrong = "" if sorted(said) == sorted(TEXTS[f] for f in features) else "said %s" % said
    wrong = wrong or ("" if done.code == 0 else str(done)) or wrong_after(work, base, features)
    lab.ok(not wrong, "-c %s" % spec(features), wrong)
    again = repair("-c", spec(features), work)
    lab.ok(again.code == 0 and ("already" in again.out), "-c %s once more: says so, exit 0" % spec(features), again)
    if "exchange" not in features and (LONG or len(features) != 1 or features[0] == "rmapbt"):
        kept.append((work, base + ".list"))
    else:
        os.unlink(work)

# one after the other, and on other geometries
for name, options, steps in (
        ("steps", ["-m", "finobt=1," + BARE[1], *BARE[2:]], [["inobtcount"], ["reflink"], ["rmapbt"], ["bigtime"], ["nrext64"]]),
        ("1k", ["-b", "size=1k", "-m", "finobt=1," + BARE[1], *BARE[2:]], [["rmapbt"], ["reflink"]]),
        ("stripe", ["-d", "agcount=2,su=64k,sw=2", "-l", "size=64m", "-m", "finobt=0," + BARE[1], *BARE[2:]], [["finobt"], ["inobtcount", "rmapbt", "reflink"]]),
        ("inode2k", ["-i", "size=2048,nrext64=0", "-m", "finobt=0," + BARE[1]], [["finobt", "inobtcount", "rmapbt", "reflink"]])):
    image = make(name + ".img", *options)
    work = lab.copy(image, name + "-up.img")
    refused = None
    for step in steps:
        done = repair("-c", spec(step), work)
        if done.code == 1 and "cannot be moved to" in done.out:
            refused = done
            break
        wrong = ("" if done.code == 0 else str(done)) or wrong_after(work, image, step)
        lab.ok(not wrong, "%s: -c %s" % (name, spec(step)), wrong)
    if refused:
        # the root lies where the new trees would have begun: an older layout can't take them
        lab.ok(read(work) == read(image), "%s: refused, nothing is written" % name, refused)
    else:
        kept.append((work, image + ".list"))

# ---- refusals ----
old = make("v4.img", "-m", "crc=0,finobt=0", "-i", "size=512", size=300 << 20)
for feature, text in (("inobtcount", "Inode btree count feature only supported on V5 filesystems."),
                      ("bigtime", "Large timestamp feature only supported on V5 filesystems."),
                      ("nrext64", "Nrext64 only supported on V5 filesystems."),
                      ("exchange", "File exchange-range feature only supported on V5 filesystems."),
                      ("reflink", "Reflink feature only supported on V5 filesystems.")):
    done = repair("-c", feature + "=1", old)
    lab.ok(done.code == 0 and done.out.strip() == text, "V4: " + text, done)
done = repair("-c", "lazycount=0", old)
lab.ok(done.code == 0 and done.out.strip() == "Disabling lazy-counters" and not campaign.judge(old), "V4: lazycount off", done)
done = repair("-c", "lazycount=1", old)
lab.ok(done.code == 0 and done.out.strip() == "Enabling lazy-counters" and not campaign.judge(old), "V4: lazycount on", done)
done = repair("-c", "lazycount=1", old)
lab.ok(done.code == 0 and done.out.strip() == "Lazy-counters are already enabled", "V4: lazycount is on", done)
done = repair("-c", "lazycount=0", base)
lab.ok(done.code == 1 and done.out.strip() == "Cannot disable lazy-counters on V5 fs", "V5: lazycount stays", done)
work = lab.copy(base, "parent.img")
before = read(work)
dry = repair("-n", "-c", "parent=1", work)
lab.ok(dry.code == 0 and read(work) == before, "-n -c parent: nothing is written", dry)
done = repair("-c", "parent=1,reflink=1,rmapbt=1", work)
again = repair("-n", work)
wrong = "" if done.code == 0 and again.code == 0 else str(done)[-700:] + str(again)[-700:]
verdict = campaign.run(sys.executable, campaign.JUDGE, "--ignore", "rmapbt-key-unwritten", work)
wrong = wrong or (verdict.stdout if verdict.returncode else "") or ("" if Super(work).incompat & 128 else "the feature is not there")
lab.ok(not wrong, "-c parent: every name has its parent pointer", wrong)
differ = campaign.same_files(work, base + ".list")
lab.ok(not differ, "-c parent: the files are the same", differ)
for at in (1, 2, 4, 7, 11, 16, 25, 40):
    work = lab.copy(base, "cut.img")
    cut = repair("-c", "parent=1", work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
    if cut.code not in CRASHED:
        break
    done = repair(work)
    verdict = campaign.run(sys.executable, campaign.JUDGE, work)
    lab.ok(done.code == 0 and not verdict.returncode and repair("-n", work).code == 0 and Super(work).incompat & 128, "-c parent, killed after write %d: completed" % at,
           str(done)[-700:] + verdict.stdout)
nofino = make("nofino.img", "-m", "finobt=0," + BARE[1], *BARE[2:])
done = repair("-c", "inobtcount=1", nofino)
lab.ok(done.code == 0 and done.out.strip() == "Inode btree count feature requires free inode btree.", "inobtcount without finobt", done)
done = repair("-c", "exchange=1", base)
lab.ok(done.code == 0 and done.out.strip() == "File exchange-range feature cannot be added without reflink.", "exchange without reflink", done)
before = read(nofino)
done = repair("-c", "finobt=1,rmapbt=1,reflink=1", nofino)
lab.ok(done.code == 1 and "Cannot upgrade filesystem, root inode (" in done.out and read(nofino) == before, "no room in front of the root", done)
full = lab.path("full-proto")
with open(full, "w") as out:
    filler = lab.path("filler")
    with open(filler, "wb") as f:
        f.truncate(1 << 20)
        f.seek(0)
        f.write(b"x" * (1 << 20))
    out.write("/\n0 0\nd--755 0 0\n" + "".join("f%d ---644 0 0 %s\n" % (n, filler) for n in range(200)) + "$\n")
packed = lab.path("packed.img")
with open(packed, "wb") as out:
    out.truncate(310 << 20)
made = Run(theirs, "-q", "-f", "-p", full, "-m", "finobt=1," + BARE[1], *BARE[2:], packed)
before = read(packed)
done = repair("-c", "rmapbt=1,reflink=1", packed)
lab.ok(made.code == 0 and done.code == 1 and "Not enough free space in allocation group" in done.out and read(packed) == before,
       "not enough space for the trees", done)
hurt = lab.copy(base, "hurt.img")
sb = Super(hurt)
flip(hurt, sb.header(1, 1) + 60)
before = read(hurt)
done = repair("-c", "rmapbt=1", hurt)
lab.ok(done.code == 1 and "must be repaired before" in done.out and read(hurt) == before, "a damaged filesystem is repaired first", done)
done = repair("-c", "bigtime=1", hurt)
lab.ok(done.code == 0 and not wrong_after(hurt, base, ["bigtime"]), "a bit is added while repairing", done)

# ---- killed ----
features = ["inobtcount", "bigtime", "nrext64", "reflink", "rmapbt"]
bad, points = [], 0
for at in range(1, 400, 1 if LONG else 4):
    work = lab.copy(base, "cut.img")
    cut = repair("-c", spec(features), work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
    if cut.code not in CRASHED:
        break
    points += 1
    done = repair(work)
    wrong = ("" if done.code == 0 else str(done)) or wrong_after(work, base, features)
    if wrong:
        bad.append("%d: %s" % (at, wrong[:300]))
lab.ok(points > 3 and not bad, "killed at %d places: the next run completes the upgrade" % points, "\n".join(bad[:5]))

# ---- what came of it protects files ----
work = lab.copy([k for k, _ in kept if "rmapbt" in k][0], "wrecked.img")
wreck(work, "--all", "extents")
done = repair(work)
lab.ok(done.code == 0 and not campaign.same_files(work, base + ".list"), "block maps come back from the new reverse mappings", done)

campaign.kernel_reads(lab.tap, kept if LONG else [k for k in kept if "nrext64-reflink" in k[0] or "stripe" in k[0]], write=True)
lab.end()
