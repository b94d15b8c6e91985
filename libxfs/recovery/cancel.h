/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cancel.h - blocks that a later transaction in the log frees: older images of them must not be brought back.
 *
 * Keyed by address and length exactly, with the number of cancellations that are still to come.  Layer: recovery.
 */
#ifndef XFS_RECOVERY_CANCEL_H
#define XFS_RECOVERY_CANCEL_H

#include "libxfs/base/mix.h"

#include <stdbool.h>
#include <stddef.h>

struct xfs_cancel {
	uint64_t daddr;			/* 512-byte sectors */
	uint32_t bbs, count;		/* count 0: unused slot, or all of them have come */
};

/* Starts as all zeroes. */
struct xfs_cancels {
	struct xfs_cancel *slots;	/* open addressing, a power of two */
	size_t nslots, used;
	struct xfs_mix mix;
};

int xfs_cancels_add(struct xfs_cancels *, uint64_t daddr, uint32_t bbs);	/* NOMEM */
bool xfs_cancels_has(const struct xfs_cancels *, uint64_t daddr, uint32_t bbs);
/* One of them has come. */
void xfs_cancels_drop(struct xfs_cancels *, uint64_t daddr, uint32_t bbs);
void xfs_cancels_free(struct xfs_cancels *);

#endif
