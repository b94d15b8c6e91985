/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims_private.h - inside of the claims: arrays and runs of one AG, orders, spill file.
 *
 * Only claims*.c include it.  Two orders: by key (as in the rmapbt) and by merge order (owner, flags, offset minus
 * block, block), in which all claims that can be joined are neighbours.
 */
#ifndef XFS_SPACE_CLAIMS_PRIVATE_H
#define XFS_SPACE_CLAIMS_PRIVATE_H

#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/space/claims.h"

#include <pthread.h>

#define CLAIMS_SPILL_MIN 4096u		/* claims that an AG may hold in memory in any case */
#define CLAIMS_FANIN 64u		/* runs merged at once */
#define CLAIMS_WINDOW 2048u		/* claims read from a run at once */

enum claims_order { CLAIMS_BY_KEY, CLAIMS_BY_MERGE };

struct claims_array { struct xfs_claim *v; size_t n, cap; };
struct claims_range { uint32_t agbno, len; };
struct claims_ranges { struct claims_range *v; size_t n, cap; };
struct claims_run { uint64_t off, n; };	/* byte offset in the spill file, claims */

struct claims_ag {
	uint32_t length;		/* blocks */
	bool sealed, in_file;
	struct claims_array recs;	/* not sealed: unsorted; sealed: by key, unless in_file */
	struct claims_run *runs;	/* not sealed: by merge order; in_file: one run by key */
	size_t nruns, capruns;
	struct claims_array added;	/* since the seal, unsorted; folded in before the next read */
	struct claims_ranges avoid;	/* unsorted until avoid_sorted */
	bool avoid_sorted;
	uint64_t free_blocks;		/* nobody claims them; right when `added` is empty */
	struct claims_ranges map;	/* what alloc() may hand out; ranges of length 0 are used up */
	bool map_valid;
	size_t map_used_up;
	/* by the highest bit of len: no range before idx satisfies (near, len); len 0: nothing known */
	struct { uint32_t near, len; size_t idx; } hints[32];
};

struct xfs_claims {
	const struct xfs_geometry *geo;
	uint32_t agcount;
	size_t memory;
	size_t used;			/* bytes in all arrays of claims; atomic */
	char *tmpdir;
	pthread_mutex_t lock;		/* of fd, end */
	int fd;				/* spill file, negative until needed */
	uint64_t end;			/* of the spill file */
	struct claims_ag *ags;
};

struct xfs_claims_reader {
	struct xfs_claims *c;
	const struct xfs_claim *v;	/* window, or the array itself */
	size_t pos, n;
	uint64_t off, left;		/* of the run behind the window */
	struct xfs_claim *window;
};

/* claims_order.c */
uint32_t claims_end(const struct xfs_claim *);
int claims_key_cmp(const struct xfs_claim *, const struct xfs_claim *);		/* without the unwritten bit */
bool claims_mergeable(const struct xfs_claim *, const struct xfs_claim *);	/* b right behind a, one record */
void claims_sort(struct xfs_claim *, size_t n, enum claims_order);
bool claims_before(const struct xfs_claim *, const struct xfs_claim *, enum claims_order);
/* Joins neighbours of an array in merge order; returns the new length. */
size_t claims_join(struct xfs_claim *, size_t n);
/* Makes an array in key order canonical; returns the new length. */
size_t claims_canonicalise(struct xfs_claim *, size_t n);

/* claims_spill.c */
int claims_array_push(struct xfs_claims *, struct claims_array *, const struct xfs_claim *);
void claims_array_fit(struct xfs_claims *, struct claims_array *);
void claims_array_release(struct xfs_claims *, struct claims_array *);
/* Adds to recs and spills them as a run in `order` when memory is short. */
int claims_push(struct xfs_claims *, struct claims_ag *, const struct xfs_claim *, enum claims_order);
int claims_seal_spilled(struct xfs_claims *, struct claims_ag *);
int claims_reader_start(struct xfs_claims_reader *, struct xfs_claims *, const struct claims_ag *);
int claims_run_reader_start(struct xfs_claims_reader *, struct xfs_claims *, const struct claims_run *);
void claims_reader_stop(struct xfs_claims_reader *);

/* claims.c */
int claims_get(struct claims_ag **, struct xfs_claims *, xfs_agno_t);	/* sealed and folded */
bool claims_legal(const struct xfs_claim *);	/* owner, offset and flags fit each other */

/* claims_alloc.c */
int claims_ranges_push(struct claims_ranges *, uint32_t agbno, uint32_t len);
void claims_sort_avoid(struct claims_ag *);

#endif
