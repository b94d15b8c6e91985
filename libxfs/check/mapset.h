/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapset.h - the mappings of one fork as a set: what a fork says and what the reverse mappings say become comparable.
 *
 * A mapping is (file offset, fsblock, length, unwritten).  A set is normalised before it is compared: sorted by offset,
 * neighbours that continue each other merged, as far as 32 bits count their blocks.  Pure functions, no I/O.  Layer:
 * check.
 */
#ifndef XFS_CHECK_MAPSET_H
#define XFS_CHECK_MAPSET_H

#include "libxfs/base/types.h"

struct xfs_mapping {
	uint64_t off;		/* blocks */
	uint64_t fsbno;		/* range lies in one AG */
	uint32_t len;		/* blocks */
	bool unwritten;
	uint8_t trust;		/* of the witness; higher wins where two contradict each other */
};

struct xfs_mapset {
	struct xfs_mapping *m;
	size_t n, room;
};

void xfs_mapset_release(struct xfs_mapset *);
/* Errors: NOMEM. */
int xfs_mapset_add(struct xfs_mapset *, const struct xfs_mapping *);
/*
 * Sorts and merges. Where two mappings claim the same offset the one with more trust keeps it (equal trust: the one
 * that starts first), the other is cut; returns the number of blocks that were cut, or a negative error.
 */
int64_t xfs_mapset_normalise(struct xfs_mapset *);
/*
 * Index of the first mapping of a normalised set that ends behind `off` (holds
 * it or lies behind it); n when there is none.
 */
size_t xfs_mapset_find(const struct xfs_mapset *, uint64_t off);
/* The mapping of a normalised set that holds `off`; NULL: none does. */
static inline const struct xfs_mapping *xfs_mapset_at(const struct xfs_mapset *s, uint64_t off)
{
	size_t i = xfs_mapset_find(s, off);

	return i < s->n && s->m[i].off <= off ? &s->m[i] : NULL;
}
/* Both normalised: the same blocks at the same offsets in the same state. */
bool xfs_mapset_equal(const struct xfs_mapset *, const struct xfs_mapset *);
/* out = parts of a that b does not hold in the same way (both normalised). Errors: NOMEM. */
int xfs_mapset_subtract(struct xfs_mapset *out, const struct xfs_mapset *a, const struct xfs_mapset *b);

/*
 * What a set (normalised) and mappings that come one by one (ascending, none overlaps another) do not hold alike: as
 * xfs_mapset_subtract() says it of both ways, but the latter are held nowhere.
 */
struct xfs_mapdiff {
	const struct xfs_mapset *set;
	struct xfs_mapset *only_given, *only_set;
	struct xfs_mapping last;	/* that came; the next one may continue it */
	size_t at;			/* of the set: not done yet, but for what lies before `from` */
	uint64_t from;
};

/* Errors of both: NOMEM. */
int xfs_mapdiff_add(struct xfs_mapdiff *, const struct xfs_mapping *);
int xfs_mapdiff_finish(struct xfs_mapdiff *);

/* Sum of lengths. */
uint64_t xfs_mapset_blocks(const struct xfs_mapset *);

#endif
