# SPDX-License-Identifier: BSD-2-Clause
"""Images of the campaigns, repair of a damaged copy, and what every judge says of it."""
import ctypes
import json
import mmap
import os
import re
import resource
import subprocess

import outcome
import places
from places import campaign, Places
from xfsjudge.report import Report
from xfsjudge.run import judge
from xfsread.fs import NotXfs

LIMIT = 512 << 20
CRASH = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer|Assertion")
IGNORED = ("rmapbt-key-unwritten",)
SHIPPED = {"1k": ("data", "damage-1k"), "parent": ("data", "damage-parent"), "plain": ("oracle/data", "plain"), "v4": ("oracle/data", "v4"),
           "rt": ("oracle/data", "rt"), "quota": ("oracle/data", "quota"), "full": ("oracle/data", "full")}


class Unavailable(Exception):
    """An image cannot be made here."""


def image_path(name):
    """The clean image of a name, unpacked or made when it is not there."""
    if name == "4k":
        path, reason = campaign.made("damage-4k", via="auto")
        if not path:
            raise Unavailable(reason)
        return path
    folder, base = SHIPPED[name]
    source = os.path.join(campaign.SRC, "tests", folder, base)
    target = os.path.join(campaign.IMAGES, "damage-%s.img" % name)
    os.makedirs(campaign.IMAGES, exist_ok=True)
    for suffix in (".img", ".list"):
        packed, out = source + suffix + ".xz", target if suffix == ".img" else target + ".list"
        if not os.path.exists(packed) or os.path.exists(out) and os.path.getmtime(out) >= os.path.getmtime(packed):
            continue
        fresh = "%s.%d" % (out, os.getpid())
        with open(fresh + ".raw", "wb") as f:
            subprocess.run(["xz", "-dc", packed], stdout=f, check=True)
        subprocess.run(["cp", "--sparse=always", fresh + ".raw", fresh], check=True)
        os.unlink(fresh + ".raw")
        os.rename(fresh, out)
    return target


class Truth:
    """A clean image, its structures and its files."""

    def __init__(self, name):
        self.name, self.path = name, image_path(name)
        self.places = Places(self.path)
        listed = self.path + ".list"
        self.files = outcome.read_list(listed) if os.path.exists(listed) else outcome.list_files(self.path)
        # the distribution's program knows nothing newer than itself
        self.theirs = bool(campaign.UPSTREAM) and campaign.run(campaign.UPSTREAM, "-n", self.path).returncode == 0


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


class Repaired:
    """One damaged image: what the runs of xfs_repair said, and what was wrong with it."""

    def __init__(self, truth, work, asan=None):
        self.truth, self.work, self.asan = truth, work, asan
        self.log, self.wrong, self.ids = "", [], set()
        self.status = self.outcome = None

    def repair(self, *options):
        """Exit status; ids are gathered. The images have two AGs, which says nothing about geometry: so it is forced."""
        program = os.path.join(self.asan or campaign.BUILD, "xfs_repair")
        command = [program, *options, "--json", "-o", "force_geometry", self.work]
        try:
            run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                                 preexec_fn=None if self.asan else limited, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            self.wrong.append("no end: xfs_repair " + " ".join(options))
            return None
        lines = run.stdout.splitlines()
        for line in lines:
            if line.startswith("{"):
                try:
                    found = json.loads(line)
                    self.ids.add(found.get("finding") or found.get("id") or "")
                except ValueError:
                    self.wrong.append("not JSON: " + line[:100])
        lines += run.stderr.splitlines()
        self.log += "--- xfs_repair %s: exit %d\n%s\n" % (" ".join(options), run.returncode,
                                                       "\n".join(x for x in lines if x and x[0] not in " P"))
        if run.returncode < 0:
            self.wrong.append("xfs_repair %s: signal %d" % (" ".join(options), -run.returncode))
        elif CRASH.search(run.stderr):
            self.wrong.append("xfs_repair %s: sanitizer" % " ".join(options))
        return run.returncode

    def run(self):
        """Repairs, and looks again; True when the second run is clean."""
        self.status = self.repair()
        if self.status == 2:
            self.log += "(the log)\n"
            self.status = self.repair("-L")
        if self.wrong:
            return False
        if self.status:
            self.wrong.append("repair: exit %s" % self.status)
        again = self.repair("-n")
        if again and not self.wrong:
            self.wrong.append("second run: exit %s" % again)
        return not self.wrong

    def ask_judges(self):
        """The distribution's program and the independent judge."""
        if self.truth.theirs:
            theirs = campaign.run(campaign.UPSTREAM, "-n", self.work)
            if theirs.returncode:
                self.log += "--- theirs\n" + theirs.stdout
                self.wrong.append("the distribution's xfs_repair -n: exit %d" % theirs.returncode)
        try:
            lines = [line for line in judge(self.work, Report()).lines() if not line.startswith(IGNORED)]
        except NotXfs as err:
            lines = [str(err)]
        if lines:
            self.log += "".join("judge: " + line + "\n" for line in lines[:20])
            self.wrong.append("judge: " + lines[0].split(":")[0])

    def compare(self, recipe=None):
        """Classes of the files; with a recipe also whether it tolerates them."""
        self.outcome = outcome.compare(self.truth.files, self.work)
        if recipe:
            bad = self.outcome.wrong(recipe)
            self.log += "".join(line + "\n" for line in bad[:20])
            if bad:
                self.wrong.append("%d files: %s" % (len(bad), bad[0]))


STEP = 1 << 16
libc = ctypes.CDLL(None, use_errno=True)
libc.memcmp.argtypes = libc.memcpy.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_mapped = {}


def mapped(path, copy):
    """Address of a private view of a clean image, or of a shared one of its copy."""
    key = (path, copy)
    if key not in _mapped:
        with open(path, "r+b" if copy else "rb") as f:
            view = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_WRITE if copy else mmap.ACCESS_COPY)
        _mapped[key] = view, ctypes.addressof(ctypes.c_char.from_buffer(view)), os.stat(path).st_ino
    return _mapped[key][1:]


def damaged_copy(truth, work):
    """A clean copy at `work`; one that is there already gets back what the last case changed."""
    if not os.path.exists(work) or os.path.getsize(work) != os.path.getsize(truth.path) or \
            mapped(work, truth.path)[1] != os.stat(work).st_ino:
        campaign.copy_sparse(truth.path, work)
        _mapped.pop((work, truth.path), None)
        return work
    (clean, _), (copy, _), size = mapped(truth.path, None), mapped(work, truth.path), os.path.getsize(work)
    for at in range(0, size, STEP):
        part = min(STEP, size - at)
        if libc.memcmp(clean + at, copy + at, part):
            libc.memcpy(copy + at, clean + at, part)
    return work


__all__ = ["Truth", "Repaired", "Unavailable", "damaged_copy", "image_path", "places"]
