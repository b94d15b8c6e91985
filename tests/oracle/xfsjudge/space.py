# SPDX-License-Identifier: BSD-2-Clause
"""Who owns which block: claims of all structures against bnobt, rmapbt and refcountbt.

Rows 1, 3 to 8, 10 to 12, 15 and 18 of format sheet 02, section 8. A claim has the form of an rmap record
(start, length, owner, offset with flags) and comes from the structure itself, never from the rmapbt.
"""

import bisect

from xfsread import btree as b

from .groups import COW, RM_FLAGS, describe, run_key


def shareable(fs, record):
    """May this record overlap others? Written data of a file on a reflink filesystem."""
    return fs.sb.reflink and not record[2] & b.SPECIAL and not record[3] & RM_FLAGS


def runs(records):
    """{run key: [[start, end], ...]} with touching and overlapping pieces joined."""
    result = {}
    for record in sorted(records):
        pieces = result.setdefault(run_key(record), [])
        start, end = record[0], record[0] + record[1]
        if pieces and start <= pieces[-1][1]:
            pieces[-1][1] = max(pieces[-1][1], end)
        else:
            pieces.append([start, end])
    return result


def subtract(left, right):
    """Parts of the intervals `left` not covered by `right` (both sorted lists of [start, end])."""
    out, index = [], 0
    for start, end in left:
        while index < len(right) and right[index][1] <= start:
            index += 1
        at, step = start, index
        while step < len(right) and right[step][0] < end:
            if right[step][0] > at:
                out.append((at, right[step][0]))
            at = max(at, right[step][1])
            step += 1
        if at < end:
            out.append((at, end))
    return out


def check_overlaps(group, records, ident):
    """Only shareable records may overlap."""
    widest = widest_fixed = None
    for record in sorted(records):
        start, end = record[0], record[0] + record[1]
        fixed = not shareable(group.fs, record)
        other = widest if fixed else widest_fixed
        if other is not None and start < other[0] + other[1]:
            group.rep.add(ident, group.name, describe(record), "no overlap with %s" % describe(other))
        if widest is None or end > widest[0] + widest[1]:
            widest = record
        if fixed and (widest_fixed is None or end > widest_fixed[0] + widest_fixed[1]):
            widest_fixed = record


def check_doubles(group):
    """One file may not claim the same block at the same offset twice."""
    seen = {}
    for record in sorted(group.claims):
        if record[2] & b.SPECIAL:
            continue
        key = run_key(record)
        if seen.get(key, 0) > record[0]:
            group.rep.add("space-claimed-twice", group.name, describe(record), "once")
        seen[key] = max(seen.get(key, 0), record[0] + record[1])


def check_cover(group):
    """Row 1: every block is either free or claimed."""
    size = group.fs.agsize(group.agno)
    used = merge((record[0], record[0] + record[1]) for record in group.claims)
    free = merge((start, start + count) for start, count in group.free)
    for start, end in subtract(used, subtract(used, free)):
        group.rep.add("space-free-in-use", group.name, "blocks %d..%d are free and used" % (start, end - 1),
                      owner_text(group, start))
    for start, end in subtract([[0, size]], merge(used + free)):
        group.rep.add("space-leaked", group.name, "blocks %d..%d are neither free nor used" % (start, end - 1),
                      "one of both")
    for start, end in subtract(used, [[0, size]]):
        group.rep.add("space-beyond", group.name, "blocks %d..%d" % (start, end - 1), "below %d" % size)


def owner_text(group, block):
    """Claims that cover a block, for messages."""
    names = [describe(record) for record in group.claims if record[0] <= block < record[0] + record[1]]
    return "free or " + ", ".join(names[:3])


def merge(pieces):
    """Sorted list of [start, end] with touching ones joined."""
    out = []
    for start, end in sorted(pieces):
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return out


def check_rmapbt(group):
    """Claims and rmapbt agree on every block, owner, fork, offset and state: rows 3 to 8, 10, 11."""
    walk = group.trees[b.RMAPBT]
    check_overlaps(group, walk.records, "rmapbt-overlap")
    for start, end in subtract_free(group, walk.records):
        group.rep.add("rmapbt-free", group.name, "blocks %d..%d have an owner" % (start, end - 1),
                      "none: they are free")
    have, want = runs(walk.records), runs(group.claims)
    for key in have.keys() | want.keys():
        mine, theirs = want.get(key, []), have.get(key, [])
        if mine == theirs:
            continue
        for start, end in subtract(mine, theirs):
            group.rep.add("rmap-missing", group.name, "no record", describe(piece(key, start, end)))
        for start, end in subtract(theirs, mine):
            group.rep.add("rmap-surplus", group.name, describe(piece(key, start, end)), "no such mapping")


def subtract_free(group, records):
    """Free blocks that the records cover."""
    used = merge((record[0], record[0] + record[1]) for record in records)
    free = merge((start, start + count) for start, count in group.free)
    return subtract(free, subtract(free, used))


def piece(key, start, end):
    """A record for part of a run."""
    owner, flags, delta = key
    fixed = owner & b.SPECIAL or flags & b.RM_BMBT
    return start, end - start, owner, flags | (0 if fixed else (start + delta) & b.RM_OFFMASK)


def depth_runs(records):
    """[(start, length, depth)] of all maximal runs covered by two or more of the records."""
    events = {}
    for start, count, _, _ in records:
        events[start] = events.get(start, 0) + 1
        events[start + count] = events.get(start + count, 0) - 1
    out, depth, begin = [], 0, 0
    for at in sorted(events):
        if not events[at]:
            continue
        if depth >= 2:
            out.append((begin, at - begin, depth))
        depth += events[at]
        begin = at
    return out


def check_refcountbt(group, inode_flags):
    """Rows 12 and 15. inode_flags: inode number -> has the reflink flag."""
    fs = group.fs
    plain = [record for record in group.claims if shareable(fs, record)]
    want = depth_runs(plain)
    have = [record for record in group.trees[b.REFCOUNTBT].records if not record[0] & COW]
    missing, surplus = set(want) - set(have), set(have) - set(want)
    for start, count, refs in sorted(missing):
        group.rep.add("refcount-missing", group.name, "no record", "blocks %d+%d shared %d times" %
                      (start, count, refs))
    for start, count, refs in sorted(surplus):
        group.rep.add("refcount-surplus", group.name, "blocks %d+%d shared %d times" % (start, count, refs),
                      "no such record")
    if not want:
        return
    starts = [run[0] for run in want]
    for start, count, owner, _ in plain:
        if inode_flags.get(owner, True):
            continue
        index = bisect.bisect_left(starts, start + count) - 1
        if index >= 0 and want[index][0] + want[index][1] > start:
            group.rep.add("inode-reflink-missing", "inode %d" % owner, "no reflink flag",
                          "the flag: it shares AG %d block %d" % (group.agno, max(start, want[index][0])))


def check_space(group, inode_flags):
    """All space rules of one AG, after every claim has been collected."""
    check_overlaps(group, group.claims, "space-claimed-twice")
    check_doubles(group)
    check_cover(group)
    if group.fs.sb.rmapbt:
        check_rmapbt(group)
    if group.fs.sb.reflink:
        check_refcountbt(group, inode_flags)
