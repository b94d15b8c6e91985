/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents.h - a set of numbers as a sorted array of runs: free space, used space, zeroed ranges.
 *
 * Runs never touch or overlap: neighbours are merged, so a set has exactly one form and two sets are equal when their
 * arrays are.  Search is O(log n); a change moves the tail of the array (appending at the end moves nothing).
 * A set starts as all zeroes.  Units are the caller's.  Ranges that pass 2^64 are INVALID.
 * Layer: base. Not locked.
 */
#ifndef XFS_BASE_EXTENTS_H
#define XFS_BASE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xfs_extent {
	uint64_t start, len;	/* len > 0 */
};

struct xfs_extents {
	struct xfs_extent *e;	/* ascending; borrowed by readers until the next change */
	size_t n, room;
};

void xfs_extents_free(struct xfs_extents *);
/* Makes room for n runs, so that as many insertions cannot fail. Errors: NOMEM. */
int xfs_extents_reserve(struct xfs_extents *, size_t n);

/* Index of the first run that ends behind pos (contains it or lies behind it); n when there is none. O(log n). */
size_t xfs_extents_find(const struct xfs_extents *, uint64_t pos);
/* True when all of [start, start + len) is in the set; len 0: true. */
bool xfs_extents_contains(const struct xfs_extents *, uint64_t start, uint64_t len);
/* True when any of it is. */
bool xfs_extents_meets(const struct xfs_extents *, uint64_t start, uint64_t len);
/* Sum of all lengths. O(n). */
uint64_t xfs_extents_total(const struct xfs_extents *);

/* Adds a range that is not in the set yet. Errors: OVERLAP (set unchanged), NOMEM, INVALID. */
int xfs_extents_insert(struct xfs_extents *, uint64_t start, uint64_t len);
/* Adds a range whether or not parts are in the set already. Errors: NOMEM, INVALID. */
int xfs_extents_add(struct xfs_extents *, uint64_t start, uint64_t len);
/*
 * Takes out a range that is in the set entirely. Errors: NOENT (set unchanged), NOMEM (a run would be split), INVALID.
 */
int xfs_extents_carve(struct xfs_extents *, uint64_t start, uint64_t len);
/* Takes out whatever of the range is in the set. Errors: NOMEM, INVALID. */
int xfs_extents_remove(struct xfs_extents *, uint64_t start, uint64_t len);

/*
 * Takes len units out of the first run, at or behind `from`, that holds them starting at a multiple of align (0 and 1:
 * anywhere); the part of a run before `from` is not used.  Errors: NOSPC, NOMEM, INVALID (len 0).
 */
int xfs_extents_allocate(struct xfs_extents *, uint64_t from, uint64_t len, uint64_t align, uint64_t *start);
/* The first gap in [from, end): true and *gap, cut to the range; false when the set covers all of it. O(log n). */
bool xfs_extents_next_gap(const struct xfs_extents *, uint64_t from, uint64_t end, struct xfs_extent *gap);

#endif
