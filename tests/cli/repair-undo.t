#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""xfs_repair: a dry run is the run (--plan), and a repair can be taken back (--undo, --undo-apply), however it ended."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from repairlab import CRASHED, Lab, Super, change_super, crc32c, flip, read, repair, same, wreck, write  # noqa: E402

lab = Lab("repair-undo")
damaged = lab.sample("damaged.img")
wreck(damaged, "--all", "--crc", "fix", "extent")
wreck(damaged, "--all", "--crc", "stale", "rmap-leaf")
sb = Super(damaged)
flip(damaged, sb.header(1, 0) + 100)        # the only secondary superblock
before = read(damaged)

# ---- the plan ----
plan_path = lab.path("plan.json")
dry = repair("-n", "--plan=" + plan_path, damaged)
lab.ok(dry.code == 1 and read(damaged) == before, "-n --plan: exit 1, nothing is written", dry)
lab.ok("the filesystem would be clean" in dry.err, "-n: says that the result of the repair is clean", dry)
plan = json.load(open(plan_path))
lab.ok(plan["findings"] and all(f["fix"] and f["fixed"] for f in plan["findings"]), "plan: every finding with its fix",
       plan["findings"])
lab.ok(plan["summary"]["would_be_clean"] is True and plan["summary"]["exit"] == 1, "plan: summary", plan["summary"])
lab.ok({f["id"] for f in plan["findings"]} >= {"fork-damaged", "block-magic", "sb-secondary"},
       "plan: findings of each damage", plan["findings"])
wrong = [w for w in plan["writes"] if crc32c(before[w["offset"]:w["offset"] + w["length"]]) != int(w["crc_before"], 16)]
lab.ok(plan["writes"] and not wrong, "plan: checksums of what is there", wrong[:5])
lab.ok(dry.err.count("; fix: ") >= len([f for f in plan["findings"] if "follows" not in f]),
       "-n: text shows the fix of each finding", dry)

standard = repair("-n", "--plan=-", damaged)
start = standard.out.index("{")
lab.ok(json.loads(standard.out[start:])["writes_total"] == plan["writes_total"],
       "--plan=-: the same on standard output", standard)

fixed = lab.copy(damaged, "fixed.img")
undo = lab.path("undo")
done = repair("--undo=" + undo, fixed)
lab.ok(done.code == 0, "--undo: repairs", done)
after = read(fixed)
wrong = [w for w in plan["writes"] if crc32c(after[w["offset"]:w["offset"] + w["length"]]) != int(w["crc_after"], 16)]
lab.ok(not wrong, "plan: checksums of what the repair wrote", wrong[:5])
covered = sorted((w["offset"], w["length"]) for w in plan["writes"])
rest_before, rest_after = bytearray(before), bytearray(after)
for offset, length in covered:
    rest_before[offset:offset + length] = rest_after[offset:offset + length] = bytes(length)
lab.ok(rest_before == rest_after, "plan: names every byte that the repair changed")
names = {w["structure"] for w in plan["writes"]}
lab.ok({"sb", "agf", "agi", "rmapbt", "inode"} <= names, "plan: names the structures", names)
lab.ok(not [w for w in plan["writes"] if w["structure"] == "outside"], "plan: nothing lies outside")
lab.ok(repair("-n", fixed).code == 0, "the repaired image is clean")

# ---- taking back ----
refused = repair("--undo=" + undo, lab.copy(damaged, "again.img"))
lab.ok(refused.code == 1 and "exists already" in refused.err and same(lab.path("again.img"), damaged),
       "--undo: an existing file is not overwritten", refused)
changed = lab.copy(fixed, "changed.img")
flip(changed, covered[len(covered) // 2][0])
kept = read(changed)
refused = repair("--undo-apply=" + undo, changed)
lab.ok(refused.code == 1 and "changed since" in refused.err and read(changed) == kept,
       "--undo-apply: refused after changes", refused)
other = lab.mkfs("other.img", os.path.getsize(fixed) if os.path.getsize(fixed) >= 300 << 20 else 300 << 20)
refused = repair("--undo-apply=" + undo, other)
lab.ok(refused.code == 1 and "another size" in refused.err, "--undo-apply: refused on a device of another size",
       refused)
foreign = lab.copy(fixed, "foreign.img")
for agno in range(sb.agcount):      # all copies of the superblock name another filesystem, with right checksums
    change_super(foreign, agno, (32, bytes(range(16))))
refused = repair("--undo-apply=" + undo, foreign)
lab.ok(refused.code == 1 and "another filesystem" in refused.err, "--undo-apply: refused on another filesystem",
       refused)
torn = lab.copy(undo, "torn-undo")
flip(torn, 700)
refused = repair("--undo-apply=" + torn, fixed)
lab.ok(refused.code == 1 and "damaged" in refused.err and read(fixed) == after,
       "--undo-apply: a damaged file changes nothing", refused)
refused = repair("--undo-apply=" + damaged, fixed)
lab.ok(refused.code == 1 and "no undo file" in refused.err, "--undo-apply: not an undo file", refused)
back = repair("--undo-apply=" + undo, fixed)
lab.ok(back.code == 0 and read(fixed) == before, "--undo-apply: every byte is as before", back)
refused = repair("--undo-apply=" + undo, fixed)
lab.ok(refused.code == 1 and "taken back already" in refused.err, "--undo-apply: not twice", refused)
refused = repair("--undo=" + lab.path("nowhere/undo"), fixed)
lab.ok(refused.code == 1 and "No such file" in refused.err and read(fixed) == before,
       "--undo: a folder that is not there", refused)

# ---- killed in the middle ----
stopped = tried = 0
for at in list(range(1, 8)) + [12, 20, 33, 60, 100]:
    work = lab.copy(damaged, "work.img")
    undo = lab.path("undo-%d" % at)
    cut = repair("--undo=" + undo, work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
    tried += 1
    if cut.code not in CRASHED:
        lab.ok(cut.code == 0 and at > 7, "killed after write %d: the run was shorter" % at, cut)
        break
    stopped += read(work) != before
    back = repair("--undo-apply=" + undo, work)
    lab.ok(back.code == 0 and read(work) == before, "killed after write %d: taken back" % at, back)
lab.ok(stopped >= 5, "killed after it wrote, %d times" % stopped)

# the same without undo: the next run ends as an undisturbed one does
whole = lab.copy(damaged, "whole.img")
lab.ok(repair(whole).code == 0, "repaired in one go")
bad = []
for at in range(1, 60, 3):
    work = lab.copy(damaged, "work.img")
    cut = repair(work, env={"LIBXFS_DEBUG_WRITE_CRASH": "ddev=%d" % at})
    if cut.code not in CRASHED:
        break
    if repair(work).code or repair("-n", work).code:
        bad.append(at)
lab.ok(not bad, "killed anywhere, the next run repairs", bad)
for phase in range(8):
    work = lab.copy(damaged, "work.img")
    cut = repair(work, env={"XFS_REPAIR_FAIL_AFTER_PHASE": str(phase)})
    again = repair(work)
    lab.ok(cut.code in CRASHED and again.code == 0 and repair("-n", work).code == 0,
           "stopped after phase %d, repaired by the next run" % phase, str(cut) + str(again))
odd = repair(damaged, env={"XFS_REPAIR_FAIL_AFTER_PHASE": "x"})
lab.ok(odd.code == 1 and "invalid phase in XFS_REPAIR_FAIL_AFTER_PHASE: x" in odd.err, "an impossible phase", odd)
lab.ok(read(damaged) == before, "the damaged image was not touched meanwhile")
lab.end()
