/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag_private.h - state of one AG build, shared by ag.c, ag_layout.c, ag_load.c and ag_headers.c.
 */
#ifndef XFS_BUILD_AG_PRIVATE_H
#define XFS_BUILD_AG_PRIVATE_H

#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/btree/btree.h"
#include "libxfs/build/ag.h"

/* Who owns the blocks of a tree in the rmapbt. */
enum ag_class { AG_CLASS_OTHER, AG_CLASS_AG, AG_CLASS_INOBT, AG_CLASS_REFC };

/* Free blocks between two claims, and whose claims these are: an own block beside its like makes no new record. */
struct ag_gap { uint32_t start, len; uint8_t left, right; };
/* Part of a gap that may be used, ascending. */
struct ag_room { uint32_t start, len; size_t gap; };
struct ag_free { uint32_t start, len; };
struct ag_refc { uint32_t start, len, refs; };	/* start has bit 31 for the CoW domain */

struct ag_tree {
	const struct xfs_btree_kind *kind;
	bool present, kept;
	struct xfs_btree_geometry shape;
	uint64_t records;
	uint32_t first, taken;		/* blocks taken for it: index in ag_build.blocks, number */
	/* of the tree, when it is loaded or kept; what it does not need of the taken blocks is for the AGFL */
	uint32_t root, levels, blocks;
};

struct ag_build {
	const struct xfs_build_ag *want;
	const struct xfs_geometry *geo;
	uint32_t length;
	int leaf_slack, node_slack;
	/* the first of them: as many as the trees may want */
	struct ag_gap *gaps;
	size_t ngaps, capgaps;
	struct ag_room *room;
	size_t nroom, caproom;
	/* all of them */
	uint64_t all_gaps, all_rooms, room_blocks, free_blocks, nrefc;
	uint64_t claims;		/* canonical records before the trees' own */
	struct ag_tree tree[XFS_TREE_COUNT];
	uint32_t agfl_blocks, agfl_first;	/* taken for the list; index in blocks */
	/* result of the layout */
	uint32_t *blocks;		/* all taken blocks in order */
	uint32_t nblocks;
	uint64_t nfree;			/* extents that are free in the end, their blocks, the longest */
	uint64_t left_blocks;
	uint32_t longest;
};

/* ag_layout.c: sizes, places, final free list. Claims are not changed. */
int ag_layout(struct ag_build *);
enum ag_class ag_tree_class(enum xfs_build_tree);
/* Room for one more element of `size` bytes in a growing array. */
int ag_array_room(void *array, size_t n, size_t *cap, size_t size);

/* ag_load.c: writes the trees that are not kept. */
int ag_load_trees(struct ag_build *);

/* ag_headers.c */
int ag_make_headers(const struct ag_build *, struct xfs_ag_switch *);

#endif
