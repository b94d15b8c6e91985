# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of xfs_io share: filesystems to work on, runs of the tools, TAP.

Mounts are loop mounts of images that a mkfs of the distribution (or, where it lacks a feature, ours after its judges
passed) has just made. Everything is unmounted at exit. Where a filesystem can't be had, need() reports the tests as
skipped with the reason.
"""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
BUILD = os.path.abspath(os.environ.get("XFSKIT_BUILD", os.getcwd()))
SOURCE = os.path.abspath(os.environ.get("XFSKIT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                                   "..", "..")))
OURS = os.path.join(BUILD, "xfs_io")
os.environ["PATH"] += ":/usr/sbin:/sbin"
os.environ["LC_ALL"] = "C"
os.environ["TZ"] = "UTC"

count = failed = 0
_mounts, _loops = [], []
_dir = None


def ok(good, what, notes=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        for line in str(notes).splitlines()[:30]:
            print("# " + line)
    return good


def skip(what, reason):
    global count
    count += 1
    print(f"ok {count} - {what} # SKIP {reason}", flush=True)


def done():
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


class Unavailable(Exception):
    pass


def scratch():
    global _dir
    if not _dir:
        _dir = tempfile.mkdtemp(prefix="xfskit-io-")
    return _dir


@atexit.register
def _cleanup():
    os.chdir("/")
    for path in reversed(_mounts):
        subprocess.run(["umount", path], stderr=subprocess.DEVNULL)
    for loop in _loops:
        subprocess.run(["losetup", "-d", loop], stderr=subprocess.DEVNULL)
    if _dir:
        shutil.rmtree(_dir, ignore_errors=True)


def must(*argv):
    try:
        p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as e:
        raise Unavailable(f"{argv[0]}: {e.strerror}")
    if p.returncode:
        raise Unavailable(f"{' '.join(argv)}: {(p.stdout.strip().splitlines() or ['failed'])[-1]}")
    return p.stdout


def image(name, size):
    path = os.path.join(scratch(), name + ".img")
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def mount(name, size, mkfs, options=()):
    """Makes a filesystem in a file of `size` bytes and mounts it; mkfs: the command without the file."""
    if os.geteuid():
        raise Unavailable("loop mounts need root")
    path = image(name, size)
    must(*mkfs, path)
    where = os.path.join(scratch(), name)
    os.mkdir(where)
    must("mount", "-o", ",".join(("loop",) + tuple(options)), path, where)
    _mounts.append(where)
    return where


def unmount(where):
    must("umount", where)
    _mounts.remove(where)


def loop_device(path):
    dev = must("losetup", "-f", "--show", path).strip()
    _loops.append(dev)
    return dev


def mount_device(dev, name, options):
    where = os.path.join(scratch(), name)
    os.mkdir(where)
    must("mount", "-o", ",".join(options), dev, where)
    _mounts.append(where)
    return where


def xfs(name="xfs", size=300 << 20, *extra):
    return mount(name, size, ("mkfs.xfs", "-q", "-f", "-m", "rmapbt=1,reflink=1") + extra)


def ext4(name="ext4", *extra):
    return mount(name, 64 << 20, ("mkfs.ext4", "-q", "-F") + extra)


def tmpfs():
    """A folder on a tmpfs: needs no root as long as there is /dev/shm."""
    for base in ("/dev/shm", "/run", "/tmp"):
        if os.access(base, os.W_OK) and must("stat", "-f", "-c", "%T", base).strip() == "tmpfs":
            path = tempfile.mkdtemp(prefix="xfskit-io-", dir=base)
            atexit.register(shutil.rmtree, path, ignore_errors=True)
            return path
    raise Unavailable("no tmpfs that can be written to")


class Run:
    def __init__(self, argv, cwd=None, stdin=b"", timeout=60):
        p = subprocess.run(argv, input=stdin, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        self.argv, self.rc = argv, p.returncode
        self.out, self.err = p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")

    def __str__(self):
        return f"{self.argv}\nexit {self.rc}\n-- out\n{self.out}-- err\n{self.err}"


def io(commands, *files, cwd=None, options=(), stdin=b"", tool=None):
    """Runs the tool with one -c for each command, -C for those that begin with an exclamation mark."""
    argv = [tool or OURS, *options]
    for c in [commands] if isinstance(commands, str) else commands:
        argv += ["-C", c[1:]] if c.startswith("!") else ["-c", c]
    return Run(argv + list(files), cwd=cwd, stdin=stdin)


TIMES = [
    (re.compile(r"; (0\.\d{4} sec|\d+:\d\d:\d\d\.\d\d) \([^)]*\)"), "; TIME"),
    (re.compile(r", 0\.\d{4} sec \([^)]*\)"), ", TIME"),
    (re.compile(r",\d+:\d\d:\d\d\.\d\d,[^,\n]*,[^,\n]*$", re.M), ",TIME"),
    (re.compile(r"\d+ usec"), "N usec"),
    (re.compile(r"0x[0-9a-f]{8,}"), "ADDRESS"),
]


def normal(text):
    for pattern, to in TIMES:
        text = pattern.sub(to, text)
    return text
