# SPDX-License-Identifier: BSD-2-Clause
"""Repair campaigns: damage an image, repair it, ask every judge.  Used by the *.t files of this folder.

A kernel-made image and the list of its files are the truth.  After the repair: exit status 0, the second run and the
distribution's `xfs_repair -n` find nothing, the independent judge finds nothing, and the list is the same.
"""
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get("XFSKIT_SRC", os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("XFSKIT_BUILD", os.path.join(SRC, "build"))
REPAIR = os.path.join(BUILD, "xfs_repair")
WRECK = os.path.join(HERE, "wreck")
LISTER = os.path.join(HERE, "list-image")
JUDGE = os.path.join(SRC, "tests", "oracle", "judge.py")
IMAGES = os.path.join(BUILD, "images")
BOX_DIR = os.environ.get("BOX_DIR") or os.path.join(BUILD, "box")


# What a program says of an image that is newer than itself.
UNKNOWN_FEATURES = re.compile(r"unknown .*feature|unsupported .*feature|version number mismatch|not supported by|try a newer xfsprogs", re.I)


def find_upstream():
    """The distribution's xfs_repair, or None. DISTRIBUTION_XFS_REPAIR names another one: of a newer release, say."""
    if os.environ.get("DISTRIBUTION_XFS_REPAIR"):
        return os.environ["DISTRIBUTION_XFS_REPAIR"]
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]:
        path = os.path.join(folder, "xfs_repair")
        if os.access(path, os.X_OK) and not os.path.realpath(path).startswith(os.path.realpath(BUILD)):
            return path
    return None


UPSTREAM = find_upstream()


def load(name, path):
    """The script at `path` as a module."""
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def run(*command, timeout=600):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True,
                          errors="replace")


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def put(self, good, what, notes="", skip=None):
        self.count += 1
        self.failed += not good
        print("%s %d - %s%s" % ("ok" if good else "not ok", self.count, what, " # SKIP " + skip if skip else ""))
        if not good:
            for line in notes.splitlines()[-25:]:
                print("# " + line)
        sys.stdout.flush()

    def end(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)


def copy_sparse(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def packed(name):
    """The packed form of a shipped image or list; `name`: its path below tests/."""
    return os.path.join(SRC, "tests", name + ".xz")


def unpack(name, target):
    """A shipped file, unpacked at `target`; sparse, and there as a whole or not at all."""
    fresh = "%s.%d" % (target, os.getpid())
    with open(fresh, "wb") as out:
        subprocess.run(["xz", "-dc", packed(name)], stdout=out, check=True)
    os.rename(fresh, target)
    return target


def kept(name, target):
    """The same, for a file that nobody changes: unpacked among the images when it is not there, or older than the packed one."""
    os.makedirs(IMAGES, exist_ok=True)
    target = os.path.join(IMAGES, target)
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(packed(name)):
        unpack(name, target)
    return target


def sample():
    """The shipped sample, unpacked, and its list."""
    kept("data/sample.list", "sample.img.list")
    return kept("data/sample.img", "sample.img")


def build_box():
    """'' or why there is none."""
    if os.path.exists(os.path.join(BOX_DIR, "vmlinuz")):
        return ""
    built = run(os.path.join(SRC, "tests", "box", "box"), "build", BOX_DIR)
    return (built.stdout.strip().splitlines() or ["the box cannot be built"])[-1] if built.returncode else ""


def box_knows(image):
    """Does the kernel of the box know the features of an image?"""
    if build_box():
        return True                 # that there is no box is said by who asks it
    return knows(os.path.basename(os.path.realpath(os.path.join(BOX_DIR, "vmlinuz"))), image)


def can_loop():
    """Loop mounts of the running kernel: only ever used for images of released tools."""
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        return False
    run("modprobe", "-q", "xfs") if shutil.which("modprobe") else None
    return "xfs" in open("/proc/filesystems").read()


def made(profile, mkfs=None, name=None, via="box"):
    """A kernel-made image of a profile, kept between runs; (path, None) or (None, reason).

    via: "box", "loop", or "auto": loop where it is possible."""
    os.makedirs(IMAGES, exist_ok=True)
    image = os.path.join(IMAGES, (name or profile) + ".img")
    if os.path.exists(image) and os.path.exists(image + ".list"):
        return image, None
    if via == "loop" and not can_loop():
        return None, "takes minutes in the emulator and loop mounts are not possible here; make check-long does it"
    if via == "auto":
        via = "loop" if can_loop() else "box"
    lacking = build_box() if via == "box" else ""
    if lacking:
        return None, lacking
    command = [os.path.join(HERE, "mkimage"), "--via", via, "--box", BOX_DIR]
    if mkfs:
        command += ["--mkfs", mkfs]
    result = run(*command, profile, image, timeout=1100)
    if result.returncode:
        return None, (result.stdout.strip().splitlines() or ["mkimage failed"])[-1]
    return image, None


# Incompatible features that Linux and xfsprogs know, by release.
FEATURES = (((6, 15), 0x3ff), ((6, 13), 0x1ff), ((6, 10), 0xff), ((5, 19), 0x3f))


def knows(release, image):
    """Does a release ("6.1.0", say) know all features of an image?"""
    release = tuple(int(part) for part in re.findall("[0-9]+", release)[:2])
    with open(image, "rb") as f:
        sb = f.read(512)
    if int.from_bytes(sb[100:102], "big") & 15 < 5:
        return True
    return not int.from_bytes(sb[216:220], "big") & ~next((bits for since, bits in FEATURES if release >= since), 0)


def upstream_finds(image, *options):
    """'' or what the distribution's xfs_repair -n has against it. It knows nothing newer than itself."""
    if not UPSTREAM or not knows(run(UPSTREAM, "-V").stdout, image):
        return ""
    theirs = run(UPSTREAM, "-n", "-f", *options, image)
    if not theirs.returncode or UNKNOWN_FEATURES.search(theirs.stdout):
        return ""
    return "the distribution's xfs_repair -n: exit %d\n%s" % (theirs.returncode, theirs.stdout)


def judge(image):
    """Everything that a repaired image must pass; '' or what is wrong."""
    again = run(REPAIR, "-n", image)
    if again.returncode:
        return "second run: exit %d\n%s" % (again.returncode, again.stdout)
    theirs = upstream_finds(image)
    if theirs:
        return theirs
    verdict = run(sys.executable, JUDGE, "--ignore", "rmapbt-key-unwritten", image)
    return verdict.stdout if verdict.returncode else ""


def same_files(image, list_path):
    listed = run(sys.executable, LISTER, image, list_path)
    return "" if listed.returncode == 0 else "files differ:\n" + listed.stdout


def one(tap, truth, recipe, work, options=(), damages=True):
    """One recipe on a copy of `truth`, left at `work`; True when it passed."""
    what = "%s: %s %s" % (os.path.basename(truth), recipe, " ".join(options))
    copy_sparse(truth, work)
    wrecked = run(sys.executable, WRECK, "--all", *options, recipe, work)
    if wrecked.returncode:
        tap.put(True, what.strip(), skip=(wrecked.stdout.strip().splitlines() or ["nothing to wreck"])[-1])
        return False
    before = run(REPAIR, "-n", work)
    repaired = run(REPAIR, work)
    wrong = ""
    if damages and before.returncode != 1:
        wrong = "-n did not notice: exit %d\n%s" % (before.returncode, before.stdout)
    elif repaired.returncode:
        wrong = "repair: exit %d\n%s" % (repaired.returncode, repaired.stdout)
    else:
        wrong = judge(work) or same_files(work, truth + ".list")
    tap.put(not wrong, what.strip(), wrong)
    return not wrong


def kernel_reads(tap, results, write=False, judged=False):
    """A kernel in the box mounts each (image, list) and compares every file: one boot for all. judged: the others were asked before."""
    for image, list_path in results:
        if list_path != image + ".list":
            shutil.copy(list_path, image + ".list")
    checked = run(os.path.join(HERE, "check-image"), "--box", BOX_DIR, *(["--write"] if write else []),
                  *(["--only-box"] if judged else []), *[image for image, _ in results],
                  timeout=1100)
    for line in checked.stdout.splitlines():
        if line.startswith(("ok", "not ok")):
            good, what = not line.startswith("not"), line.split(" - ", 1)[-1]
            skip = what.split("# SKIP ", 1)[1] if "# SKIP " in what else None
            tap.put(good, "kernel and judges: " + what.split(" # SKIP")[0], checked.stdout, skip)
    if checked.returncode and not any(line.startswith("not ok") for line in checked.stdout.splitlines()):
        tap.put(False, "check-image: exit %d" % checked.returncode, checked.stdout)
    for image, _ in results:
        remove(image + ".list")


def remove(path):
    if os.path.lexists(path):
        os.unlink(path)


def clean_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
