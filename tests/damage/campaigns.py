# SPDX-License-Identifier: BSD-2-Clause
"""Images of the campaigns, repair of a damaged copy, and what every judge says of it."""
import contextlib
import ctypes
import hashlib
import json
import mmap
import os
import re
import resource
import subprocess

import change
import layouts
import metaimage
import outcome
import places
from logplaces import LogPlaces
from places import campaign, Places
from xfsjudge.report import Report
from xfsjudge.run import judge
from xfsread.fs import NotXfs

LIMIT = 512 << 20
CHAINS_META = "rmapbt=1,reflink=1,uuid=9b6a1a52-8e06-4d55-a1f8-6f3f5d1f2b77"
SMALL = "8"         # megabytes
CRASH = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer|Assertion")
IGNORED = ("rmapbt-key-unwritten",)
SHIPPED = {"1k": "data/damage-1k", "parent": "data/damage-parent",
           **{name: "oracle/data/" + name for name in ("plain", "v4", "rt", "quota", "full")},
           **{name: "data/" + name for name in ("log-rmap", "log-v4", "log-v1", "log-quota")}}
DIRTY = ("log-rmap", "log-v4", "log-v1", "log-quota", "log-chains")      # images whose logs are to be replayed
REPLAY = os.path.join(campaign.BUILD, "bin", "tests", "helpers", "replay")
FSX = os.path.join(campaign.BUILD, "bin", "tests", "lib", "fsx")


class Unavailable(Exception):
    """An image cannot be made here."""


def image_path(name):
    """The clean image of a name, unpacked or made when it is not there."""
    if name in metaimage.KINDS:
        return metaimage.made(name)[0]
    if name == "4k":
        path, reason = campaign.made("damage-4k", via="auto")
        if not path:
            raise Unavailable(reason)
        return path
    if name == "log-chains":
        return chains_image()
    if name in layouts.LAYOUTS:
        return layouts.made(name)
    listed = SHIPPED[name] + ".list"
    if os.path.exists(campaign.packed(listed)):
        campaign.kept(listed, "damage-%s.img.list" % name)
    return campaign.kept(SHIPPED[name] + ".img", "damage-%s.img" % name)


def chains_image():
    """All kinds of intents and done items: operations on files, logged by the library, that are stopped."""
    target = os.path.join(campaign.IMAGES, "damage-log-chains.img")
    if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(FSX):
        return target
    os.makedirs(campaign.IMAGES, exist_ok=True)
    base, script, fresh = (target + ending + str(os.getpid()) for ending in (".base", ".script", ".fresh"))
    small = {**os.environ, "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "/nowhere"}
    with open(base, "wb") as f:
        f.truncate(40 << 20)
    subprocess.run([os.path.join(campaign.BUILD, "mkfs.xfs"), "-q", "-b", "size=1k", "-d", "agcount=2", "-m",
                    CHAINS_META, "-n", "parent=1",
                    "-i", "exchange=1", base], env=small, check=True, stdout=subprocess.DEVNULL)
    with open(script, "w") as f:
        subprocess.run([FSX, "random", "--reflink", "--swap", "--block", "1024", "--most", "100000", "--files", "40",
                        "5", "150"],
                       stdout=f, check=True)
    subprocess.run([FSX, "run", "--base", base, "--logged", "--each", "--record-size", "65536", "--stop-after", "300",
                    fresh, script],
                   stdout=subprocess.DEVNULL)     # its status says that it was stopped
    os.rename(fresh, target)
    for path in (base, script):
        os.unlink(path)
    return target


def replayed(path, target, end=None):
    """A copy of a dirty image whose log was replayed; end: (start, size) of a part of the log that is zeroed before."""
    campaign.copy_sparse(path, target)
    if end:
        with open(target, "r+b") as f:
            f.seek(end[0])
            f.write(bytes(end[1]))
    done = subprocess.run([REPLAY, target], stdout=subprocess.PIPE, text=True)
    if done.returncode < 0 or done.returncode and not end:     # of a part: what is in place may be newer than its end
        raise RuntimeError("replay of %s: %s" % (path, done.stdout[-300:]))
    return target


def ask_theirs(image):
    """The distribution's xfs_repair -n. It refuses a single AG, which nothing confirms, unless it is told to go on."""
    with open(image, "rb") as f:
        agcount = int.from_bytes(f.read(92)[88:], "big")
    return campaign.run(campaign.UPSTREAM, "-n", *(("-o", "force_geometry") if agcount == 1 else ()), image)


def theirs_judges(image):
    """Can the distribution's xfs_repair judge what becomes of a clean image? It knows nothing newer than itself, and is given no
    realtime device; nothing else may be a reason."""
    if not campaign.UPSTREAM or not campaign.knows(campaign.run(campaign.UPSTREAM, "-V").stdout, image):
        return False
    done = ask_theirs(image)
    if done.returncode and not campaign.UNKNOWN_FEATURES.search(done.stdout) and "realtime device init failed" not in done.stdout:
        raise RuntimeError("the distribution's xfs_repair -n of %s, which is clean: exit %d\n%s" % (image, done.returncode,
                                                                                               done.stdout[-500:]))
    return not done.returncode


class DirtyTruth:
    """An image with a dirty log: structures of the log, and the files that are there when it was replayed."""

    dirty = True

    def __init__(self, name):
        self.name, self.path, self.cuts = name, image_path(name), {}
        self.clean = self.path + ".replayed"
        if not os.path.exists(self.clean) or os.path.getmtime(self.clean) < max(map(os.path.getmtime, (self.path, REPLAY))):
            os.rename(replayed(self.path, "%s.%d" % (self.clean, os.getpid())), self.clean)
        self.files = outcome.list_files(self.clean)
        self.places = LogPlaces(self.path, self.cut)
        self.theirs = theirs_judges(self.clean)

    def cut(self, record):
        """{path: facts} of a log that ends before a record; None: of the whole."""
        start = record.start if record else None
        if start not in self.cuts:
            kept = "%s.%s" % (self.clean, start)
            if not os.path.exists(kept) or os.path.getmtime(kept) < os.path.getmtime(self.clean):
                end = self.places.base + 512 * self.places.blocks
                work = "%s.work%d" % (kept, os.getpid())
                path = replayed(self.path, work, (start, end - start)) if record else self.clean
                with open(work + ".list", "w") as f:
                    f.writelines(outcome.lines_of(path))
                os.rename(work + ".list", kept)
                campaign.remove(work)
            with open(kept) as f:
                self.cuts[start] = {line.rsplit(" ", 1)[1]: line for line in f.read().splitlines()}
        return self.cuts[start]


def truth_of(name):
    return DirtyTruth(name) if name in DIRTY else Truth(name)


class Truth:
    """A clean image, its structures and its files."""

    dirty = False

    def __init__(self, name):
        self.name, self.path = name, image_path(name)
        self.places = Places(self.path)
        listed = self.path + ".list"
        self.files = outcome.read_list(listed) if os.path.exists(listed) else outcome.list_files(self.path)
        self.clean = self.path
        self.theirs = theirs_judges(self.path)


@contextlib.contextmanager
def limited(memory):
    """Programs that are started inside get no more bytes than that; None: as many as they want. (A function that runs in
    the child would make it a full copy of this process, which costs more than the program.)"""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


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
            with limited(None if self.asan else LIMIT):
                program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE, text=True, errors="replace")
            said, errors = program.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            self.wrong.append("no end: xfs_repair " + " ".join(options))
            return None
        self.said, lines = said + errors, said.splitlines()
        self.findings = sorted(line for line in lines if line.startswith("{"))
        self.take(" ".join(options), program.returncode, lines + errors.splitlines())
        return program.returncode

    def take(self, options, status, lines):
        """What one run said."""
        for line in lines:
            if line.startswith("{"):
                try:
                    found = json.loads(line)
                    self.ids.add(found.get("finding") or found.get("id") or "")
                except ValueError:
                    self.wrong.append("not JSON: " + line[:100])
        self.log += "--- xfs_repair %s: exit %d\n%s\n" % (options, status,
                                                          "\n".join(x for x in lines if x and x[0] not in " P"))
        if status < 0:
            self.wrong.append("xfs_repair %s: signal %d" % (options, -status))
        elif any(CRASH.search(line) for line in lines):
            self.wrong.append("xfs_repair %s: sanitizer" % options)

    def run(self):
        """Repairs, and looks again; True when the second run is clean."""
        before = whole_digest(self.work) if self.truth.dirty else None
        self.status = self.repair()
        if self.status == 2:
            self.log += "(the log)\n"
            if before:
                self.refused(before)
            self.status = self.repair("-L")
        if self.wrong:
            return False
        if self.status:
            self.wrong.append("repair: exit %s" % self.status)
        again = self.repair("-n")
        if again and not self.wrong:
            self.wrong.append("second run: exit %s" % again)
        return not self.wrong

    def refused(self, before):
        """A log that cannot be replayed: said once, and nothing was changed."""
        if self.said.count("ERROR: ") != 1:
            self.wrong.append("refused with %d messages" % self.said.count("ERROR: "))
        if whole_digest(self.work) != before:
            self.wrong.append("refused, and something was changed")

    def compare_small(self, work):
        """The same repair of `work`, a copy of what was damaged, with the least memory: every byte must be the same."""
        small = Repaired(self.truth, work, self.asan)
        status = small.repair("-m", SMALL)
        if status == 2:
            status = small.repair("-m", SMALL, "-L")
        self.log += small.log
        self.wrong += small.wrong
        if status != self.status and not small.wrong:
            self.wrong.append("with -m %s: exit %s, not %s" % (SMALL, status, self.status))
        elif not small.wrong and not change.same_bytes(self.work, work):
            self.wrong.append("with -m %s: not the same bytes" % SMALL)

    def settle(self):
        """For damages of which not all can be repaired: 0 and then nothing, or else the same again and again."""
        self.status = self.repair()
        if self.status == 2:
            self.status = self.repair("-L")
        if self.wrong:
            return
        if self.status not in (0, 1):
            self.wrong.append("exit %s" % self.status)
        again = self.repair("-n")
        if self.status == 0 and again and not self.wrong:
            self.wrong.append("second run: exit %s" % again)
        if self.status == 1 and not self.wrong:
            first, second = self.repair(), self.findings
            third = self.repair()
            if (first, third) != (1, 1) or second != self.findings:
                self.wrong.append("exit 1, then %s, then %s: does not settle" % (first, third))

    def ask_judges(self, verdicts=None):
        """The distribution's program and the independent judge. verdicts: folder of what they said of the same bytes before."""
        known = Verdict(verdicts, self.truth, self.work)
        said = known.read() or known.write({"theirs": self.ask_theirs(), "judge": self.ask_judge()})
        if said["theirs"]:
            self.log += "--- theirs\n" + said["theirs"][1]
            self.wrong.append("the distribution's xfs_repair -n: exit %d" % said["theirs"][0])
        if said["judge"]:
            self.log += "".join("judge: " + line + "\n" for line in said["judge"])
            self.wrong.append("judge: " + said["judge"][0].split(":")[0])

    def ask_theirs(self):
        theirs = ask_theirs(self.work) if self.truth.theirs else None
        return [theirs.returncode, theirs.stdout] if theirs and theirs.returncode else None

    def ask_judge(self):
        try:
            return [line for line in judge(self.work, Report()).lines() if not line.startswith(IGNORED)][:20]
        except NotXfs as err:
            return [str(err)]

    def compare(self, recipe=None, verdicts=None, areas=()):
        """Classes of the files; with a recipe also whether it tolerates them. areas: the bytes that were damaged."""
        known = Verdict(verdicts, self.truth, self.work)
        if known.path:
            known.path += ".files"
        self.outcome = outcome.Outcome()
        vars(self.outcome).update(known.read()
                                  or known.write(vars(outcome.compare(self.truth.files, self.truth.clean, self.work))))
        if recipe:
            bad = self.outcome.wrong(recipe, self.truth.places.gone(areas)
                                     if any(k == "gone" for k, _ in recipe.tolerated) else {})
            self.log += "".join(line + "\n" for line in bad[:20])
            if bad:
                self.wrong.append("%d files: %s" % (len(bad), bad[0]))


class Cases:
    """cases.c: what the same runs make of one change of the clean image after the other."""
    RUN = re.compile(r"^--- xfs_repair ?(.*): exit (-?[0-9]+)$")

    def __init__(self, truth, asan=None):
        self.truth = truth
        self.program = subprocess.Popen([os.path.join(asan or campaign.BUILD, "bin", "tests", "damage", "cases"),
                                         truth.path],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, words):
        """As Repaired.run()."""
        run = Repaired(self.truth, None)
        self.program.stdin.write(words.encode() + b"\n")
        self.program.stdin.flush()
        header = self.program.stdout.readline().split()
        if len(header) != 2:
            raise RuntimeError("cases: exit %s at: %s" % (self.program.wait(), words[:200]))
        lines, last = [], (None, None)
        for line in self.program.stdout.read(int(header[1])).decode(errors="replace").splitlines():
            end = self.RUN.match(line)
            if end:
                last = end[1], int(end[2])
                run.take(*last, lines)
                lines = []
                if last[0] != "-n":
                    run.status = last[1]
            else:
                lines.append(line)
        if header[0] != b"0" or lines:
            run.take("after " + str(last[0]), -int(header[0]), lines)
        if run.status:
            run.wrong.append("repair: exit %s" % run.status)
        if not run.wrong and last != ("-n", 0):
            run.wrong.append("second run: exit %s" % last[1])
        return run

    def close(self):
        self.program.stdin.close()
        self.program.stdout.close()
        self.program.wait()


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


class Verdict:
    """What judges say of the bytes of an image: many damages end with the same ones."""

    def __init__(self, folder, truth, work):
        self.path = os.path.join(folder, digest(truth, work)) if folder else None

    def read(self):
        if not self.path or not os.path.exists(self.path):
            return None
        with open(self.path) as f:
            return json.load(f)

    def write(self, said):
        if self.path:
            fresh = "%s.%d" % (self.path, os.getpid())
            with open(fresh, "w") as f:
                json.dump(said, f)
            os.rename(fresh, self.path)
        return said


def whole_digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").digest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).digest()


def digest(truth, work):
    """Of what an image holds, told by where it differs from the clean one."""
    told = hashlib.sha256(("%s %d" % (truth.name, os.path.getsize(work))).encode())
    with open(truth.path, "rb", buffering=0) as clean, open(work, "rb", buffering=0) as image:
        at = 0
        while True:
            one, two = clean.read(change.PIECE), image.read(change.PIECE)
            if not one and not two:
                return told.hexdigest()
            if one != two:
                told.update(b"%d " % at + two)
            at += change.PIECE


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
