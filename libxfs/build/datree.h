/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datree.h - shape and nodes of a hash tree over leaves that are known: directories and attributes (format sheet 03,
 * sections 5.4 and 6.2).
 *
 * All sizes are known before anything is made, and any block can be made alone.  Blocks lie in the file from the root
 * on: level by level, leaves last; a single leaf is the root.  Nodes share their children evenly.
 * Layer: build (private).
 */
#ifndef XFS_BUILD_DATREE_H
#define XFS_BUILD_DATREE_H

#include "libxfs/ondisk/dir.h"

struct xfs_datree {
	bool v5;
	uint32_t size;			/* bytes of a block */
	unsigned fsbs;			/* filesystem blocks of a block */
	uint64_t root;			/* file offset of the root, filesystem blocks */
	const uint32_t *last;		/* last hash of each leaf; needed for xfs_datree_node() alone */
	/* made by xfs_datree_plan() */
	unsigned levels;
	uint64_t count[XFS_DA_MAX_LEVEL + 1];	/* blocks of each level, leaves first */
};
/* leaves > 0. Errors: TOOBIG (too high). */
int xfs_datree_plan(struct xfs_datree *, uint64_t leaves);
uint64_t xfs_datree_blocks(const struct xfs_datree *);
/* File offset of block i of a level. */
uint64_t xfs_datree_place(const struct xfs_datree *, unsigned level, uint64_t i);
/* The other way round, for an offset of the tree. */
void xfs_datree_find(const struct xfs_datree *, uint64_t off, unsigned *level, uint64_t *i);
/* Right and left neighbour of block i of a level; 0: none. */
void xfs_datree_links(const struct xfs_datree *, unsigned level, uint64_t i, uint32_t *forw, uint32_t *back);
/* Fills block i of a level above the leaves. */
void xfs_datree_node(const struct xfs_datree *, unsigned level, uint64_t i, uint8_t *block);

/* First of the things that part i of `parts` gets, when `things` are shared evenly. */
XFS_INLINE uint64_t xfs_share(uint64_t things, uint64_t parts, uint64_t i)
{
	return things / parts * i + things % parts * i / parts;
}

#endif
