/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.h - how often blocks are shared, from reverse mappings in block order (format sheet 02, section 5.4).
 *
 * Feed claims (of one AG, in key order) to xfs_sweep_claim(); found() gets each maximal run of blocks that the same
 * number of shareable owners, at least two, hold.  Claims that may not be shared are ignored.  Layer: space.
 */
#ifndef XFS_SPACE_SWEEP_H
#define XFS_SPACE_SWEEP_H

#include "libxfs/space/claims.h"

/* Set found and payload, zero the rest. */
struct xfs_sweep {
	int (*found)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs);
	void *payload;
	/* internal */
	uint32_t *ends;		/* least on top */
	size_t n, cap;
	uint32_t at;		/* blocks below are done */
	uint32_t start, refs;	/* run not yet reported, from start to at; refs 0: none */
};

/* `payload` is the sweep: fits as a callback of xfs_claims_each(). Errors: NOMEM and what found() returns. */
int xfs_sweep_claim(void *sweep, const struct xfs_claim *);
/* Reports the rest when err is 0, frees; returns err or the new error. */
int xfs_sweep_finish(struct xfs_sweep *, int err);

#endif
