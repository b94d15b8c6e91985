/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refcount.h - changing reference counts: blocks with several owners, and staging extents of copy-on-write (format
 * sheet 02, section 5).
 *
 * Works on any instance of a refcountbt (or rtrefcountbt) and knows nothing else.  Two domains that never mix: shared
 * (counts >= 2; a block without a record has one owner, or none) and staging (count 1).  Neighbours of one domain with
 * equal counts are one record.  A count of XFS_REFC_MAX has become unknown: it never changes again.
 *
 * Errors of all: INVALID (range), CORRUPT (the tree contradicts the request, or a damaged record), and those of the
 * engine.  After an error some of the steps may have been made: the caller puts all back.  Layer: space.
 */
#ifndef XFS_SPACE_REFCOUNT_H
#define XFS_SPACE_REFCOUNT_H

#include "libxfs/btree/btree.h"

#define XFS_REFC_MAX UINT32_MAX

/*
 * One owner more or less for the blocks [agbno, agbno + len), which have one already.  The work may be cut off after
 * `budget` steps (a step changes one record; 0: no limit): agbno and len then tell what is left, and the same call goes
 * on with it.  Section 5.2.
 */
struct xfs_refcount_work {
	uint32_t agbno, len;	/* in and out; len 0 = done */
	unsigned budget;
	/* Decrease: nobody owns these blocks any more. Nonzero stops. It must not touch this tree. */
	int (*unused)(void *payload, uint32_t agbno, uint32_t len);
	void *payload;
};
int xfs_refcount_increase(struct xfs_btree *, struct xfs_refcount_work *);
int xfs_refcount_decrease(struct xfs_btree *, struct xfs_refcount_work *);

/* Section 5.3: the blocks become a staging extent, or cease to be one. They are in no shared record. */
int xfs_refcount_cow_alloc(struct xfs_btree *, uint32_t agbno, uint32_t len);
int xfs_refcount_cow_free(struct xfs_btree *, uint32_t agbno, uint32_t len);
/* The first staging extent at or behind agbno; NOENT: none. */
int xfs_refcount_cow_next(struct xfs_btree *, uint32_t agbno, uint32_t *start, uint32_t *len);

/* The first run of shared blocks in the range, cut to it; *len 0: none. */
int xfs_refcount_find_shared(struct xfs_btree *, uint32_t agbno, uint32_t len, uint32_t *start, uint32_t *shared_len);

/* A record in native form; CORRUPT when no record may say that (section 5.1). */
int xfs_refcount_decode(const struct xfs_btree *, const void *rec, struct xfs_refc_rec *);

#endif
