/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agspace.h - the space of one allocation group, for changing it: free space, free list, reverse mappings, reference
 * counts.
 *
 * The AGF is kept in host order and the four trees are instances of the engine on the buffer cache.  All changes go
 * through a change (mount/change.h) that the AG has joined; when it ends, the AG has left it.  An operation that fails
 * after it has written leaves the change good for nothing but an abort, which puts all back.
 *
 * Invariants at the end of each call: the AGF's counters are exact (format sheet 01, section 11.1); bnobt and cntbt
 * hold the same records, merged; with rmapbt every block that is not free has its owner, but for those that a caller
 * allocates or frees with XFS_OWN_NULL: it does the mapping itself (files do, as a step of its own).
 * Blocks of bnobt, cntbt and rmapbt come from the free list and go there; calls that need it bring the list to its
 * right length first (format sheet 01, section 10).  Blocks of the refcountbt come from free space.
 * One thread at a time per AG.  Layer: space.
 */
#ifndef XFS_SPACE_AGSPACE_H
#define XFS_SPACE_AGSPACE_H

#include "libxfs/mount/agmember.h"
#include "libxfs/space/claims.h"

/* The trees that a struct xfs_agspace changes. */
enum xfs_agspace_tree { XFS_AGT_BNO, XFS_AGT_CNT, XFS_AGT_RMAP, XFS_AGT_REFC, XFS_AGT_COUNT };

struct xfs_agspace {
	struct xfs_agmember m;
	struct xfs_fs *fs;
	xfs_agno_t agno;
	uint32_t length;			/* blocks */
	struct xfs_agf agf;			/* as it is now */
	/* kind NULL: the filesystem has no such tree */
	struct xfs_btree tree[XFS_AGT_COUNT];
	/* reservations (format sheet 01, section 11.4); 0 until xfs_agspace_reserve() */
	uint64_t meta_ask, rmap_ask;
	uint32_t fino_blocks;			/* finobt blocks; whoever changes that tree keeps it up to date */
	/* internal */
	struct xfs_buf *agf_buf, *agfl_buf;	/* joined */
	int64_t tree_blocks;			/* blocks of the first three trees, against the start of the change */
	uint64_t free_before;			/* freeblks + flcount at the start of the change */
	struct xfs_agtree trees[XFS_AGT_COUNT];
};

/*
 * Reads the AGF and opens the trees. The filesystem must live longer.  Errors: those of xfs_fs_agf(), CORRUPT (free
 * list: first, last and count contradict each other), NOMEM.
 */
int xfs_agspace_open(struct xfs_agspace **out, struct xfs_fs *, xfs_agno_t);
/* Not while it is joined to a change. NULL is allowed. */
void xfs_agspace_close(struct xfs_agspace *);
/* The AG may be changed until the change ends. Joining again is harmless. Errors: BUSY (another change), IO, NOMEM. */
int xfs_agspace_join(struct xfs_agspace *, struct xfs_change *);

/*
 * Everything below is for an AG that has joined a change (READONLY otherwise).  Errors besides those named: IO, NOMEM,
 * and BADMAGIC, BADCRC, CORRUPT for damage that is met.
 */

/* ---- free list (agfl.c) ---- */
/* The length that the list must have for the trees as they are now. */
uint32_t xfs_agspace_agfl_target(const struct xfs_agspace *);
/*
 * Brings the free list to its right length: takes blocks from free space, or frees what is too much. Error: NOSPC when
 * free space does not suffice, unless `freeing`: then the list is left as long as it could be made.
 */
int xfs_agspace_fix_agfl(struct xfs_agspace *, bool freeing);

/* ---- allocation (alloc.c, choose.c) ---- */
enum xfs_alloc_how {
	XFS_ALLOC_EXACT,	/* at `target`: as much as is free there */
	XFS_ALLOC_NEAR,		/* not far from `target`; length comes first */
	XFS_ALLOC_SIZE,		/* the smallest free extent that suffices */
};
enum xfs_alloc_pool {
	XFS_POOL_NONE,		/* from what is not reserved */
	XFS_POOL_META,		/* blocks of refcountbt and finobt: their reservation may be used */
	XFS_POOL_AGFL,		/* for the free list: everything may be used */
};
struct xfs_alloc {
	enum xfs_alloc_how how;
	enum xfs_alloc_pool pool;
	uint32_t target;
	uint32_t minlen, maxlen;	/* blocks, 1 <= minlen <= maxlen: the longest possible is given */
	uint32_t alignment;		/* the start is a multiple of it; 0 and 1: anywhere */
	uint32_t minleft;		/* blocks that must be left over in the AG */
	uint64_t owner, offset;		/* of the reverse mapping, as in struct xfs_claim; XFS_OWN_NULL: none */
	/* out */
	uint32_t agbno, len;
};
/*
 * Error: NOSPC, nothing has changed then but the free list's length.  Blocks touched are O(log n), but for aligned
 * requests that only extents of nearly maxlen blocks or shorter ones can satisfy: those are looked at in turn, longest
 * first.
 */
int xfs_agspace_alloc(struct xfs_agspace *, struct xfs_alloc *);
/*
 * Blocks become free. XFS_OWN_NULL: the caller has removed the mapping; XFS_OWN_UNKNOWN: whoever has it.  Errors:
 * RANGE, CORRUPT (free already, or not mapped to this owner).
 */
int xfs_agspace_free(struct xfs_agspace *, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset);

/* ---- reservations (reserve.c; format sheet 01, section 11.4) ---- */
/*
 * From now on allocations leave alone what the trees may still need.  Error: NOSPC when the AG has not that much; then
 * nothing is reserved.  `fino_blocks`: blocks of the finobt.  Needs no change.
 */
int xfs_agspace_reserve(struct xfs_agspace *, uint32_t fino_blocks);
void xfs_agspace_unreserve(struct xfs_agspace *);
/* Blocks that `pool` must leave alone; without reservations 0. */
uint64_t xfs_agspace_reserved(const struct xfs_agspace *, enum xfs_alloc_pool);

/* ---- mappings and sharing (share.c): the trees of rmap.h and refcount.h with the free list kept right ---- */
/* Without rmapbt these do nothing. */
int xfs_agspace_rmap_map(struct xfs_agspace *, const struct xfs_claim *, bool shared);
int xfs_agspace_rmap_unmap(struct xfs_agspace *, const struct xfs_claim *, bool shared);
/* The claim's unwritten flag is the state before. */
int xfs_agspace_rmap_convert(struct xfs_agspace *, const struct xfs_claim *, bool shared);
/* UNSUPPORTED without reflink. */
int xfs_agspace_share(struct xfs_agspace *, uint32_t agbno, uint32_t len);
/* One owner less; its mapping has been removed. What nobody owns any more becomes free: *freed blocks (may be NULL). */
int xfs_agspace_unshare(struct xfs_agspace *, uint32_t agbno, uint32_t len, uint32_t *freed);
/* Allocated blocks become a staging extent, or cease to be one (they are not freed by this). */
int xfs_agspace_cow_stage(struct xfs_agspace *, uint32_t agbno, uint32_t len);
int xfs_agspace_cow_unstage(struct xfs_agspace *, uint32_t agbno, uint32_t len);
/*
 * Frees staging extents that nobody will finish (format sheet 02, section 5.3), at most `most` records (0: all);
 * *blocks counts blocks.  NOENT when there was none.
 */
int xfs_agspace_cow_recover(struct xfs_agspace *, uint32_t most, uint64_t *blocks);

XFS_INLINE bool xfs_agspace_has(const struct xfs_agspace *ag, enum xfs_agspace_tree t) { return ag->tree[t].kind; }

#endif
