/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrset.h - set of block pointers that were met: 8 to 16 bytes a block, whatever the width of the number space.
 * Private to btree/.
 */
#ifndef XFS_BTREE_PTRSET_H
#define XFS_BTREE_PTRSET_H

#include "libxfs/base/mix.h"

#include <stdbool.h>
#include <stddef.h>

struct xfs_ptrset {
	uint64_t *slots;	/* XFS_NULL64 = free */
	size_t size, used;	/* size: power of two, or 0 */
	struct xfs_mix mix;
};

/* Starts empty when zeroed. Adds ptr (not XFS_NULL64); *had says whether it was there. Error: NOMEM. */
int xfs_ptrset_add(struct xfs_ptrset *, uint64_t ptr, bool *had);
void xfs_ptrset_release(struct xfs_ptrset *);

#endif
