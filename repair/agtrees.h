/* SPDX-License-Identifier: BSD-2-Clause */
/* agtrees.h - the trees of one AG: walked once each, then compared with each other (agcross.c). */
#ifndef REPAIR_AGTREES_H
#define REPAIR_AGTREES_H

#include "repair/repair.h"
#include "libxfs/space/sweep.h"

/* What walking the trees of an AG gathers for the comparison; gone afterwards. */
struct repair_walk {
	struct repair *r;
	struct repair_ag *ag;
	/* free space */
	struct repair_sum cnt;
	uint64_t free_blocks, cnt_blocks;
	uint32_t longest;
	/* reverse mappings */
	uint32_t reach;			/* first block that no record so far covers */
	struct repair_sum gaps;		/* blocks without a record */
	struct xfs_fingerprint sums;	/* of this AG; count only when its rmapbt turns out sound */
	struct xfs_sweep sweep;
	struct repair_sum shared;
	uint32_t cow_blocks;
};

/* Walks every tree that the AG has. Errors: NOMEM, INVALID; damage goes to the sink and into ag->tree. */
int repair_walk_trees(struct repair_walk *);
/* Compares the trees with each other and with the headers; sets ag->reasons. */
int repair_cross_check(struct repair_walk *);
void repair_walk_release(struct repair_walk *);

/*
 * rmapfind.c: looks for the rmapbt in all blocks of the AG.  A whole tree: its root, levels and `found`.  Else its
 * leaves, into ag->rmap_leaves, and the special owners in them into ag->special.  Errors: NOMEM.
 */
int repair_find_rmaps(struct repair *, struct repair_ag *);

const char *repair_tree_name(enum xfs_build_tree);

#endif
