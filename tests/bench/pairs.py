# SPDX-License-Identifier: BSD-2-Clause
"""Measuring for tests/bench/compare: commands in pairs, what they cost, what they write.

A pair is ours and the installed tool one right after the other, ours first in one pair and second in the next, so that
what else the machine does meets both.  A ratio is the median of the ratios of the pairs, not the ratio of two medians.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys

WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2")
READS = ("read", "pread64", "readv", "preadv", "preadv2")
SPACE = ("fallocate", "ftruncate", "ftruncate64", "ioctl")
SYNCS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "msync")


class ToolFailed(Exception):
    """A measured command ended with a status that it must not have."""


class Cost:
    """What one run took: seconds, seconds, seconds, KiB."""

    def __init__(self, wall, user, system, rss):
        self.wall, self.user, self.cpu, self.rss = wall, user, user + system, rss


class Calls:
    """System calls of one run that concern the image."""

    def __init__(self):
        self.writes = self.written = self.reads = self.got = self.space = self.syncs = 0


def find_upstream(name, build):
    """Path of the installed tool, or None; what was built here does not count."""
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK) and not os.path.realpath(path).startswith(os.path.realpath(build) + os.sep):
            return path
    return None


class Meter:
    """Runs commands by the program `measure`; scratch files live in `work`."""

    def __init__(self, build, work):
        self.program = os.path.join(build, "bin", "tests", "bench", "measure")
        self.work = work
        self.strace = shutil.which("strace")

    def run(self, command, good=(0,)):
        result = os.path.join(self.work, "cost")
        with open(os.path.join(self.work, "stderr"), "w+", errors="replace") as err:
            subprocess.run([self.program, result] + command, stdout=subprocess.DEVNULL, stderr=err, check=True)
            wall, user, system, rss, status = open(result).read().split()
            if int(status) not in good:
                err.seek(0)
                raise ToolFailed("%s: exit status %s\n%s" % (" ".join(command), status, err.read()[-500:]))
        return Cost(float(wall), float(user), float(system), int(rss))

    def pairs(self, count, ours, theirs, prepare=None, good=(0,)):
        """Lists of Cost, one for each command; `theirs` may be None.  prepare() is called before each run."""
        costs = ([], [])
        for turn in range(count):
            both = [(0, ours), (1, theirs)]
            for which, command in both if turn % 2 == 0 else reversed(both):
                if command is None:
                    continue
                if prepare:
                    prepare()
                costs[which].append(self.run(command, good))
        return costs

    def calls(self, command, image, good=(0,)):
        """Calls on `image` as strace sees them, or None without strace."""
        if not self.strace:
            return None
        trace = os.path.join(self.work, "trace")
        wanted = ",".join("?" + name for name in WRITES + READS + SPACE + SYNCS)
        done = subprocess.run([self.strace, "-ff", "-y", "-s", "0", "-e", "trace=" + wanted, "-e", "signal=none", "-o",
                               trace] + command,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        if done.returncode not in good:
            print("compare: no calls counted, strace: " + done.stderr.strip()[-200:], file=sys.stderr)
            return None
        found = Calls()
        for name in os.listdir(self.work):
            if name.startswith("trace."):
                path = os.path.join(self.work, name)
                with open(path, errors="replace") as lines:
                    count_calls(lines, os.path.realpath(image), found)
                os.unlink(path)
        return found


def count_calls(lines, image, found):
    shape = re.compile(r"(\w+)\(\d+<(.*?)>.*= (-?\d+)(?: |$)")
    for line in lines:
        match = shape.match(line)
        if not match or match.group(2) != image:
            continue
        name, result = match.group(1), int(match.group(3))
        if name in WRITES:
            found.writes += 1
            found.written += max(result, 0)
        elif name in READS:
            found.reads += 1
            found.got += max(result, 0)
        elif name in SYNCS:
            found.syncs += 1
        elif name != "ioctl" or "BLK" in line or "XFS_IOC" in line:
            found.space += 1


def median(costs, what):
    return statistics.median(getattr(c, what) for c in costs) if costs else None


def ratio(ours, theirs, what):
    """Median of the ratios of the pairs; None when one side was not measured or is too small to tell."""
    values = [getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs) if getattr(b, what) > 0]
    return statistics.median(values) if values else None


def seconds(value):
    if value is None:
        return "-"
    return "%.1f ms" % (value * 1e3) if value < 1 else "%.2f s" % value


def amount(value):
    """Bytes for people."""
    if value is None:
        return "-"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return ("%d %s" if unit == "B" else "%.1f %s") % (value, unit)
        value /= 1024


class Table:
    """Rows of text with goals; a goal is the greatest ratio, or the least figure of ours, that is good enough."""

    HEAD = ("what", "ours", "installed", "ratio", "goal", "met")

    def __init__(self):
        self.rows, self.notes = [], []

    def add(self, what, ours, theirs="-", value=None, goal=None):
        met = "-" if goal is None or value is None else "yes" if value <= goal else "NO"
        self.rows.append((what, ours, theirs, "-" if value is None else "%.2f" % value, "-" if goal is None
                          else "<= %.2f" % goal, met))

    def add_rate(self, what, value, unit, goal):
        self.rows.append((what, "%.1f %s" % (value, unit), "-", "-", ">= %g %s" % (goal, unit),
                          "yes" if value >= goal else "NO"))

    def add_costs(self, what, costs, wall_goal=None, cpu_goal=None, rss_goal=None, user_goal=None):
        ours, theirs = costs
        if user_goal:
            self.add("%s: user" % what, seconds(median(ours, "user")), seconds(median(theirs, "user")),
                     ratio(ours, theirs, "user"),
                     user_goal)
        for name, label, show, goal in (("wall", "wall", seconds, wall_goal), ("cpu", "user+sys", seconds, cpu_goal),
                                        ("rss", "peak memory", lambda k: amount(k and k * 1024), rss_goal)):
            self.add("%s: %s" % (what, label), show(median(ours, name)), show(median(theirs, name)),
                     ratio(ours, theirs, name), goal)

    def note(self, text):
        self.notes.append(text)

    def show(self):
        widths = [max(len(r[i]) for r in self.rows + [self.HEAD]) for i in range(len(self.HEAD))]
        for row in [self.HEAD] + self.rows:
            print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                            for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
        for text in self.notes:
            print("note: " + text)
