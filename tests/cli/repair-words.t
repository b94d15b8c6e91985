#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair: options, exit codes, which stream says what, JSON, progress, and findings that are held back (--only, --skip)."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import DB, REPAIR, ENV, Lab, Run, Super, flip, read, repair, same, wreck, write  # noqa: E402

lab = Lab("repair-words")
TABLE = []
for value in range(256):
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def seal(data, at):
    data[at:at + 4] = bytes(4)
    state = 0xFFFFFFFF
    for byte in data:
        state = TABLE[(state ^ byte) & 255] ^ (state >> 8)
    data[at:at + 4] = (state ^ 0xFFFFFFFF).to_bytes(4, "little")


def poke(image, offset, length, crc_at, changes):
    """Changes bytes of a sector and makes its checksum right again."""
    data = bytearray(read(image, offset, length))
    for at, new in changes:
        data[at:at + len(new)] = new
    seal(data, crc_at)
    write(image, offset, bytes(data))


clean = lab.sample("clean.img")
sb = Super(clean)

# ---- options and exit codes ----
cases = [
    ((), 1, "err", "Usage: xfs_repair"), (("-n", "-e", clean), 1, "err", "Usage: xfs_repair"),
    ((clean, clean), 1, "err", "Usage"),
    (("-V",), 0, "out", "xfs_repair version "), (("--help",), 0, "out", "--undo-apply"),
    (("--version",), 0, "out", "xfskit"),
    (("-o", "nonsense", clean), 1, "err", "unknown option -o nonsense"),
    (("-o", "force_geometry=1", clean), 1, "err", "cannot have a value"),
    (("-o", "bhash", clean), 1, "err", "-o bhash requires a parameter"),
    (("-o", "noquota,noquota", clean), 1, "err", "option respecified"),
    (("-c", "nonsense=1"), 1, "err", "unknown option -c nonsense"),
    (("-c", "bigtime"), 1, "err", "-c bigtime requires a parameter"),
    (("-m", "many", clean), 1, "err", "is not a number"), (("-m", "0", clean), 1, "err", "is not a number"),
    (("-t", "-1", clean), 1, "err", "is not a number"),
    (("--only=nonsense", clean), 1, "err", 'no finding is called "nonsense"'),
    (("--plan=x", clean), 1, "err", "--plan needs -n"),
    (("-n", "--undo=x", clean), 1, "err", "exclude each other"),
    (("-n", "--undo-apply=x", clean), 1, "err", "stands alone"),
    (("--progress=fd:99", clean), 1, "err", "is not open"), (("--progress=99", clean), 1, "err", "fd:NUMBER"),
    (("--salvage-all", clean), 1, "err", "needs --salvage-to"),
    (("-n", "--json", "--plan=-", clean), 1, "err", "share standard output"),
    ((lab.path("nothing"),), 1, "err", "couldn't initialize XFS library"),
]
for name in ("inobtcount", "bigtime", "nrext64", "exchange", "finobt", "reflink", "rmapbt"):
    cases.append((("-c", name + "=garbagevalue"), 1, "err", "-c %s only supports upgrades" % name))
for argv, code, stream, text in cases:
    done = repair(*argv)
    other = done.err if stream == "out" else done.out
    lab.ok(done.code == code and text in getattr(done, stream) and not other
           and "unknown option" not in (done.err if "garbage" in str(argv) else ""),
           "%s: exit %d, %s" % (" ".join(argv).replace(lab.dir + "/", ""), code, text), done)
before = read(clean)
for argv in (["-n"], ["-e"], [], ["-f"], ["-P"], ["-D"], ["-d"], ["-v"], ["-vv", "-n"],
             ["-o", "assume_xfs,bhash=100,ihash=3,ag_stride=0,phase2_threads=2"],
             ["-o", "noquota"], ["-t", "1"], ["-m", "8"], ["-n", "-m", "0x10"],
             ["-L"][:0] + ["-o", "debug_bload_leaf_slack=-1,debug_bload_node_slack=0"]):
    done = repair(*argv, clean)
    lab.ok(done.code == 0 and read(clean) == before,
           "%s on a clean filesystem: exit 0, nothing is written" % " ".join(argv or ["no option"]), done)
    if "-n" in argv:
        lab.ok(done.out == "No modify flag set, skipping phase 5\n"
               and "skipping filesystem flush and exiting." in done.err, "-n: its line on stdout", done)
    else:
        lab.ok(done.out == "" and done.err.endswith("done\n"), "all on stderr, ends with done", done)
strings = read(REPAIR)
lab.ok(b"LIBXFS_DEBUG_WRITE_CRASH" in strings, "the program names its hook for crashes, as scripts look for it")
listed = repair("--list-findings")
lab.ok(listed.code == 0 and len(listed.out.splitlines()) > 60 and "fork-damaged" in listed.out and not listed.err,
       "--list-findings", listed)
table = repair("-v", clean)
lab.ok("XFS_REPAIR Summary" in table.err and "Phase 7:" in table.err and "Total run time:" in table.err,
       "-v: table of phases", table)

# ---- damage: exit codes, JSON ----
damaged = lab.copy(clean, "damaged.img")
wreck(damaged, "--all", "--crc", "fix", "extent")
flip(damaged, sb.header(1, 0) + 100)
# counters of the AGF are wrong in AG 0
agf = read(damaged, sb.header(0, 1), sb.sectsize)
poke(damaged, sb.header(0, 1), sb.sectsize, 216, [(52, (int.from_bytes(agf[52:56], "big") + 5).to_bytes(4, "big"))])
dry = repair("-n", damaged)
lab.ok(dry.code == 1, "-n on a damaged filesystem: exit 1", dry)
work = lab.copy(damaged, "work.img")
done = repair("-e", work)
lab.ok(done.code == 4 and repair("-e", work).code == 0, "-e: exit 4 when something was repaired, 0 afterwards", done)
work = lab.copy(damaged, "work.img")
lab.ok(repair(work).code == 0 and repair("-n", work).code == 0, "repaired: exit 0")

listed = repair("-n", "--json", damaged)
lines = [json.loads(line) for line in listed.out.splitlines()]
found, summary = lines[:-1], lines[-1].get("summary")
lab.ok(listed.code == 1 and summary and summary["exit"] == 1, "--json: lines, the last one is the summary", listed)
lab.ok(summary["findings"] == len(found) and summary["would_be_clean"] is True and summary["remain"] == 0
       and summary["kept"]["inodes"] == 80 and
       summary["kept"]["bytes"] > 1 << 20 and summary["lost"]["inodes"] == 0, "--json: what is kept and lost", summary)
lab.ok(all({"number", "id", "severity", "text", "structure", "fix", "fixed"} <= set(f) for f in found),
       "--json: every finding has its evidence", found)
counter = [f for f in found if f["id"] == "ag-counter"]
lab.ok(counter and counter[0]["structure"] == "agf" and counter[0]["field"] == "freeblks"
       and counter[0]["found"] - counter[0]["expected"] == 5 and
       counter[0]["agno"] == 0, "--json: found and expected", counter)
forks = [f for f in found if f["id"] == "fork-damaged"]
paths = {f["ino"]: f.get("path") for f in forks}
lookup = [ino for ino, path in list(paths.items())[:5]
          if not path or str(ino) not in Run(DB, "-r", "-c", "path " + path, "-c", "p v3.inumber", work).out]
lab.ok(len(paths) > 10 and not lookup, "--json: paths of inodes, where xfs_db finds them", "%s %s" % (lookup, paths))
text = repair("-n", "-v", damaged)
lab.ok(all("inode %d is %s\n" % item in text.err for item in paths.items()), "-v: paths in text, too", text)
quiet = repair("-n", "--json", clean)
lab.ok(quiet.code == 0 and json.loads(quiet.out)["summary"]["clean"] is True,
       "--json on a clean filesystem: the summary alone", quiet)

follow = lab.copy(clean, "follow.img")
wreck(follow, "--all", "rmap-node")
findings = [json.loads(line) for line in repair("-n", "--json", follow).out.splitlines()][:-1]
followers = [f for f in findings if "follows" in f]
lab.ok(followers and all(f["follows"] < f["number"] and any(c["number"] == f["follows"] for c in findings)
                         for f in followers),
       "--json: what follows from another finding names it", findings)
short, long = repair("-n", follow), repair("-n", "-v", follow)
lab.ok("findings that follow from these are not shown" in short.err and "not shown" not in long.err and
       len(short.err.splitlines()) < len(long.err.splitlines()), "text: what follows is folded, but with -v", short)

# ---- held back ----
work = lab.copy(damaged, "work.img")
kept = read(work, sb.header(1, 0), sb.sectsize)
done = repair("--skip=sb-secondary", work)
left = repair("-n", "--json", work)
ids = {json.loads(line).get("id") for line in left.out.splitlines()} - {None}
lab.ok(done.code == 1 and "left as it is" in done.err and read(work, sb.header(1, 0), sb.sectsize) == kept
       and ids == {"sb-secondary"}, "--skip: the rest is repaired, exit 1", str(done) + str(ids))
lab.ok(repair(work).code == 0 and repair("-n", work).code == 0, "--skip: a run without it completes the work")
work = lab.copy(damaged, "work.img")
done = repair("--only=sb-secondary", work)
ids = {json.loads(line).get("id") for line in repair("-n", "--json", work).out.splitlines()} - {None}
lab.ok(done.code == 1 and "sb-secondary" not in ids and {"fork-damaged", "ag-counter"} <= ids,
       "--only: nothing else is repaired", str(done) + str(ids))
differ = [i for i, (a, b) in enumerate(zip(read(work), read(damaged))) if a != b]
lab.ok(all(i >= sb.header(1, 0) and i < sb.header(1, 1) or i < sb.sectsize for i in differ),
       "--only: no other sector has changed", differ[:20])
work = lab.copy(damaged, "work.img")
done = repair("--skip=fork-damaged", work)
lab.ok(done.code == 1 and repair(work).code == 0 and repair("-n", work).code == 0,
       "--skip=fork-damaged: forks wait for the next run, which repairs them", done)
both = lab.copy(damaged, "both.img")
wreck(both, "--all", "rmap-owner")
for ids in ("--only=fork-damaged", "--only=block-crc,btree-record", "--skip=fork-damaged", "--skip=fork-differs",
            "--skip=ag-counter", "--only=ag-counter"):
    work = lab.copy(both, "work.img")
    first = repair(ids, work)
    straight = lab.copy(both, "straight.img")
    second, other = repair(work), repair(straight)
    end = [[(f["id"], f.get("ino")) for f in map(json.loads, repair("-n", "--json", i).out.splitlines()) if "id" in f]
           for i in (work, straight)]
    lab.ok(first.code == int("were left as they are" in first.err) and second.code == other.code and end[0] == end[1],
           "%s: a later run ends where a single one does" % ids, str(first) + str(end))
# a primary superblock that is not to be repaired: nothing is
work = lab.copy(damaged, "work.img")
poke(work, 0, sb.sectsize, 224, [(204, bytes([read(work, 204, 1)[0] ^ 8]))])
kept = read(work)
done = repair("--skip=sb-features2", work)
lab.ok(done.code == 1 and "features2" in done.err and read(work) == kept,
       "--skip of a finding in the primary superblock: nothing is written", done)
# needsrepair stays as long as something does
work = lab.copy(damaged, "work.img")
poke(work, 0, sb.sectsize, 224, [(216, (sb.incompat | 16).to_bytes(4, "big"))])
done = repair("--skip=sb-secondary", work)
lab.ok(done.code == 1 and Super(work).incompat & 16, "needsrepair stays when something was left", done)
lab.ok(repair(work).code == 0 and not Super(work).incompat & 16, "and goes when all is repaired")
done = repair("-n", "--skip=sb-secondary", damaged)
lab.ok(done.code == 1 and "the filesystem would not be clean" in done.err, "-n --skip: says that it would not be clean",
       done)

# ---- quota ----
work = lab.unpack("quota.img")
flags = int.from_bytes(read(work, 176, 2), "big")
unchecked = (flags & ~0x524).to_bytes(2, "big")
done = repair(work)
lab.ok(done.code == 0 and int.from_bytes(read(work, 176, 2), "big") == flags and "quota info" not in done.err
       and flags & 0x524, "quota flags stay when nothing changes", done)
dry = repair("-n", "-o", "noquota", work)
lab.ok("Note - quota info will be regenerated on next quota mount." in dry.err and read(work, 176, 2) != unchecked,
       "-n -o noquota: says so", dry)
done = repair("-o", "noquota", work)
lab.ok(done.code == 0 and "Note - quota info will be regenerated on next quota mount." in done.err
       and read(work, 176, 2) == unchecked, "-o noquota: the kernel will count anew", done)
work = lab.unpack("quota.img")
write(work, Super(work).header(1, 1), bytes(Super(work).sectsize))
done = repair(work)
lab.ok(done.code == 0 and "quota info will be regenerated" in done.err and read(work, 176, 2) == unchecked,
       "after a repair the kernel counts the quota anew", done)

# ---- memory ----
both = lab.copy(damaged, "both.img")
wreck(both, "--all", "rmap-leaf")
ends = []
for memory in ([], ["-m", "1"], ["-m", "8"], ["-m", "4000"]):
    work = lab.copy(both, "work-%s.img" % "-".join(memory))
    done = repair(*memory, work)
    ends.append((done.code, read(work)))
lab.ok(all(end == ends[0] for end in ends) and ends[0][0] == 0, "-m: the same bytes with any memory",
       [end[0] for end in ends])

# ---- progress ----
readable, writable = os.pipe()
done = repair("--progress=fd:%d" % writable, lab.copy(damaged, "work.img"), pass_fds=(writable,))
os.close(writable)
with os.fdopen(readable) as stream:
    steps = [json.loads(line) for line in stream]
lab.ok(done.code == 0 and [s["phase"] for s in steps if "unit" not in s] == [1, 2, 3, 4, 5, 6, 7],
       "--progress=fd:N: JSON lines, one for each phase", steps)
readable, writable = os.pipe()
os.close(readable)
done = repair("--progress=fd:%d" % writable, lab.copy(damaged, "work.img"), pass_fds=(writable,))
os.close(writable)
lab.ok(done.code == 0, "--progress: nobody listens, and the repair goes on", done)


def on_terminal(image):
    """The program with a terminal as stderr; SIGUSR1 is sent now and then."""
    master, slave = pty.openpty()
    child = subprocess.Popen([REPAIR, "-n", image], stdout=subprocess.DEVNULL, stderr=slave, env=ENV)
    os.close(slave)
    text = b""
    deadline = time.time() + 100
    while time.time() < deadline:
        if select.select([master], [], [], 0.001)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        # it is ready for the signal when it begins to speak
        if child.poll() is None and b"Phase 1" in text:
            child.send_signal(signal.SIGUSR1)
    os.close(master)
    return child.wait(), text.decode("latin1")


status, text = on_terminal(damaged)
lab.ok(status == 1 and "Phase 7" in text, "on a terminal: the same words", text)
shown = False
for _ in range(50):     # a run may be over before the signal arrives
    shown = shown or "allocation groups " in text or ": inodes " in text
    if shown:
        break
    status, text = on_terminal(damaged)
lab.ok(shown and "a second" in text, "SIGUSR1: one line on how far it has come", text)
lab.end()
