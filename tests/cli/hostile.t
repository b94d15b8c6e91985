#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that are no filesystems, or lie: each tool says one line with file and reason, exits non-zero, never crashes.

Runs twice: under a memory limit of 256 MB, and, where a build with sanitizers exists (XFSKIT_ASAN, default
BUILD/asan), under those without the limit.
"""
import os
import random
import re
import resource
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel"))
import campaign  # noqa: E402

LIMIT = 256 << 20
WORK = os.path.join(campaign.BUILD, "hostile")
ASAN = os.environ.get("XFSKIT_ASAN", os.path.join(campaign.BUILD, "asan"))
CRASH = re.compile(r"AddressSanitizer|runtime error|LeakSanitizer|Segmentation|core dumped", re.I)


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc32c_table()


def seal(sector, at):
    """Puts the right checksum at byte `at`, so that only the contents lie."""
    sector[at:at + 4] = bytes(4)
    state = 0xFFFFFFFF
    for byte in sector:
        state = TABLE[(state ^ byte) & 255] ^ (state >> 8)
    sector[at:at + 4] = struct.pack("<I", state ^ 0xFFFFFFFF)


def put(sector, at, size, value):
    sector[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "big")


def image(name, data, sparse=0):
    path = os.path.join(WORK, name)
    with open(path, "wb") as out:
        out.write(data)
        if sparse:
            out.truncate(sparse)
    return path


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def call(folder, tool, args, limit):
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1",
               UBSAN_OPTIONS="print_stacktrace=1")
    return subprocess.run([os.path.join(folder, tool)] + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          timeout=120, preexec_fn=limited if limit else None, env=env, text=True, errors="replace")


def calls(path):
    yield "xfs_repair", ["-n", path], True
    yield "xfs_db", ["-r", "-c", "sb 0", "-c", "print", path], True


def wrong(tool, path, run, must_fail):
    if run.returncode < 0:
        return "killed by signal %d" % -run.returncode
    if CRASH.search(run.stderr + run.stdout):
        return "sanitizer report"
    if not must_fail:
        return ""
    if run.returncode == 0:
        return "exit status 0"
    if os.path.basename(path) not in run.stderr + run.stdout:
        return "no message names the file"
    return ""


def plain_images():
    rnd = random.Random(5)
    yield image("empty", b"")
    yield image("tiny", b"X")
    yield image("magic-only", b"XFSB")
    yield image("one-sector", b"XFSB" + bytes(508))
    yield image("zeroes", b"", 64 << 20)
    yield image("random", rnd.randbytes(1 << 20), 20 << 20)
    yield image("text", b"this is no filesystem\n" * 10000)
    yield os.path.join(WORK, "does-not-exist")


def superblocks(good):
    """(name, changes) of hostile superblocks: offset, bytes, value."""
    yield "wrong-magic", [(0, 4, 0x58465343)]
    yield "agcount-million", [(88, 4, 10 ** 6)]
    yield "agcount-huge", [(88, 4, 0xFFFFFFFF)]
    yield "dblocks-2-63", [(8, 8, (1 << 63) - 1)]
    yield "dblocks-all", [(8, 8, (1 << 64) - 1)]
    yield "dblocks-and-agcount", [(8, 8, 10 ** 6 * 16384), (88, 4, 10 ** 6)]
    yield "agblocks-huge", [(84, 4, 0xFFFFFFFF)]
    yield "agblocks-zero", [(84, 4, 0)]
    yield "blocksize-odd", [(4, 4, 1025)]
    yield "blocksize-zero", [(4, 4, 0)]
    yield "blocklog-63", [(120, 1, 63)]
    yield "sectsize-zero", [(102, 2, 0)]
    yield "sectsize-huge", [(102, 2, 0x8000), (121, 1, 15)]
    yield "inodesize-zero", [(104, 2, 0)]
    yield "inopblog-255", [(123, 1, 255)]
    yield "agblklog-255", [(124, 1, 255)]
    yield "dirblklog-255", [(192, 1, 255)]
    yield "logblocks-huge", [(96, 4, 0xFFFFFFFF)]
    yield "version-15", [(100, 2, 0xB4AF)]
    yield "features-unknown", [(216, 4, 0xFFFF0000)]


def lying(good):
    """The sample with structures that lie but carry right checksums."""
    agf, agi = bytearray(good[512:1024]), bytearray(good[1024:1536])
    for name, sector, base, at, size, value in (
            ("agf-root-outside", agf, 512, 16, 4, 0xFFFFFFF0), ("agf-level-huge", agf, 512, 28, 4, 0x7FFFFFFF),
            ("agf-flcount", agf, 512, 48, 4, 0xFFFF), ("agf-root-is-agf", agf, 512, 24, 4, 0),
            ("agi-root-is-self", agi, 1024, 20, 4, 1), ("agi-count", agi, 1024, 16, 4, 0xFFFFFFFF)):
        changed = bytearray(sector)
        put(changed, at, size, value)
        seal(changed, 216 if base == 512 else 312)
        data = bytearray(good)
        data[base:base + 512] = changed
        yield image(name, data)
    for name, root_at, at, size, value in (
            ("bnobt-numrecs", 16, 6, 2, 65535), ("rmapbt-numrecs", 24, 6, 2, 65535), ("rmapbt-level", 24, 4, 2, 65535),
            ("rmapbt-sibling-loop", 24, 12, 4, None), ("bnobt-sibling-loop", 16, 12, 4, None),
            ("rmapbt-pointer-loop", 24, 936, 4, None)):
        agbno = struct.unpack(">I", good[512 + root_at:516 + root_at])[0]
        start = agbno * 1024
        block = bytearray(good[start:start + 1024])
        put(block, at, size, agbno if value is None else value)
        seal(block, 52)
        data = bytearray(good)
        data[start:start + 1024] = block
        yield image(name, data)


def main():
    tap = campaign.Tap()
    os.makedirs(WORK, exist_ok=True)
    with open(campaign.sample(), "rb") as source:
        good = source.read()
    cases = [(path, True) for path in plain_images()]
    cases += [(image("truncated-%d" % n, good[:n]), True) for n in (511, 512, 1 << 20, len(good) // 2)]
    for name, changes in superblocks(good):
        sector = bytearray(good[:512])
        for at, size, value in changes:
            put(sector, at, size, value)
        seal(sector, 224)
        # no other copy either: what remains is the lie
        data = bytearray(good)
        data[:512] = sector
        data[16 << 20:(16 << 20) + 512] = bytes(512)
        cases.append((image(name, data, len(good)), None))
    cases += [(path, None) for path in lying(good)]
    folders = [("", campaign.BUILD, True)]
    if os.path.exists(os.path.join(ASAN, "xfs_repair")):
        folders.append((" (sanitizers)", ASAN, False))
    else:
        tap.put(True, "with sanitizers", skip="no build with sanitizers at " + os.path.basename(ASAN))
    for path, must_fail in cases:
        for label, folder, limit in folders:
            for tool, args, _ in calls(path):
                # a damaged filesystem is the repair's own business: its exit status is 1 too, as it finds something
                fail = must_fail if must_fail is not None else tool == "xfs_repair"
                try:
                    run = call(folder, tool, args, limit)
                    problem = wrong(tool, path, run, fail and (must_fail or None) is not None)
                    if not problem and fail and run.returncode == 0:
                        problem = "exit status 0"
                    text = run.stdout[-1500:] + run.stderr[-1500:]
                except subprocess.TimeoutExpired:
                    problem, text = "no end", ""
                tap.put(not problem, "%s %s%s" % (tool, os.path.basename(path), label), problem + "\n" + text)
    for path, _ in cases:
        campaign.remove(path)
    tap.end()


main()
