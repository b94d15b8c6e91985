/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.h - how often blocks are shared, from reverse mappings in block order (format sheet 02, section 5.4).
 *
 * Feed claims (of one AG, in key order) to xfs_sweep_claim(); found() gets each maximal run of blocks that the same
 * number of shareable owners, at least two, hold.  Claims that may not be shared are ignored.  sharer(), when set, gets
 * the owner of each claim that shares a block, some of them more than once.  Memory: what is open at one block.
 * Layer: space.
 */
#ifndef XFS_SPACE_SWEEP_H
#define XFS_SPACE_SWEEP_H

#include "libxfs/space/claims.h"

/* A claim that is open: the first block behind it, and whose it is. */
struct xfs_sweep_end {
	uint64_t owner;
	uint32_t end;
};

/* Set found, payload and sharer (may be NULL), zero the rest. */
struct xfs_sweep {
	int (*found)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs);
	void *payload;
	int (*sharer)(void *payload, uint64_t owner);
	/* internal */
	struct xfs_sweep_end *ends;		/* least on top */
	size_t n, cap;
	uint32_t at;		/* blocks below are done */
	uint32_t start, refs;	/* run not yet reported, from start to at; refs 0: none */
};

/* `payload` is the sweep: fits as a callback of xfs_claims_each(). Errors: NOMEM and what found() returns. */
int xfs_sweep_claim(void *sweep, const struct xfs_claim *);
/* Reports the rest when err is 0, frees; returns err or the new error. */
int xfs_sweep_finish(struct xfs_sweep *, int err);

#endif
