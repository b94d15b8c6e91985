/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * da_verify.h - the structure of a hash tree: levels, counts, order, hashes in parents, neighbours, every block once.
 *
 * Contents of leaves are the caller's, who gets them from left to right.  Layer: name.
 */
#ifndef XFS_NAME_DA_VERIFY_H
#define XFS_NAME_DA_VERIFY_H

#include "libxfs/name/da.h"

struct xfs_da_verify {
	struct xfs_da *da;
	/* NULL, or any block whose place in the tree is right, leaves included; nonzero stops and is returned. */
	int (*block)(void *payload, const struct xfs_da_block *);
	/* A leaf; nonzero stops and is returned. */
	int (*leaf)(void *payload, const struct xfs_da_block *);
	/* What is wrong with a block (of the fork). `found` and `expected`: XFS_NULL64 = not said. */
	void (*report)(void *payload, uint64_t block, const char *what, uint64_t found, uint64_t expected);
	void *payload;
	uint64_t limit;			/* blocks that the tree can have at most; more is a loop */
	uint64_t blocks;		/* out: blocks seen */
	unsigned levels;		/* out: of the root, plus one */
};
/* Returns 0 when the walk could be done (reports or not), else NOMEM or what block() or leaf() returned. */
int xfs_da_verify(struct xfs_da_verify *);

/* Blocks of the fork mapped in [from, to), in units of `fsbs` blocks. */
int xfs_da_count_mapped(struct xfs_ifork *, uint64_t from, uint64_t to, unsigned fsbs, uint64_t *count);

#endif
