/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashtree.h - changing the hash tree of directories and attributes: paths, splits, joins (format sheet 03, sections
 * 5.4, 5.5 and 6.2).
 *
 * The root keeps its block: when it must split, its contents move to a new block below it, and a root with one child
 * takes that child's contents back.  Hashes in nodes are exact after each call.  Blocks of a path are read first and
 * joined to the change when they are to change (xfs_hashtree_own()): that may give them another buffer.  What entries
 * of leaves mean is the caller's.  Layer: name (private).
 */
#ifndef XFS_NAME_HASHTREE_H
#define XFS_NAME_HASHTREE_H

#include "libxfs/name/forkblocks.h"

/* What the tree must know of its leaves. */
struct xfs_hashtree_leaves {
	enum xfs_block_kind kind;	/* of all blocks of the tree */
	uint32_t magic[2];		/* of a leaf, V4 and V5 */
	uint32_t (*used)(const struct xfs_forkop *, const struct xfs_da_block *);	/* bytes of live entries */
	uint32_t room;			/* bytes for entries in a leaf */
	/* An empty leaf in a block that is zero but for its identity. */
	void (*init)(const struct xfs_forkop *, struct xfs_buf *);
	/* Moves live entries [first, count) behind those of `to`, which has room. CORRUPT: an entry can't be. */
	int (*move)(const struct xfs_forkop *, struct xfs_da_block *from, uint32_t first, struct xfs_da_block *to);
};

#define XFS_HASHTREE_DEPTH (XFS_DA_MAX_LEVEL + 2u)

struct xfs_hashtree_path {
	const struct xfs_forkop *op;
	const struct xfs_hashtree_leaves *leaves;
	unsigned depth;			/* blocks of the path; the last one is a leaf */
	struct {
		struct xfs_da_block b;
		uint32_t i;		/* nodes: the child that is next on the path */
	} at[XFS_HASHTREE_DEPTH];
};

void xfs_hashtree_init(struct xfs_hashtree_path *, const struct xfs_forkop *, const struct xfs_hashtree_leaves *);
/*
 * The leftmost leaf that can hold the hash, or the last one when the hash is above all.  Errors: those of xfs_da_get(),
 * CORRUPT.  An old path is put.
 */
int xfs_hashtree_find(struct xfs_hashtree_path *, uint32_t hash);
/* On to the next leaf. NOENT: it was the last; the path stays. */
int xfs_hashtree_next(struct xfs_hashtree_path *);
/* Makes the block of this depth ready for changes. */
int xfs_hashtree_own(struct xfs_hashtree_path *, unsigned depth);
void xfs_hashtree_put(struct xfs_hashtree_path *);
XFS_INLINE struct xfs_da_block *xfs_hashtree_leaf(struct xfs_hashtree_path *p) { return &p->at[p->depth - 1].b; }
/* Takes counts from the block again after the leaf was changed. */
void xfs_hashtree_reload(struct xfs_hashtree_path *);

/* Entries [first, count) of the leaf go to a new leaf on its right; the path stays on the left one, which is owned. */
int xfs_hashtree_split(struct xfs_hashtree_path *, uint32_t first);
/* The last hash of the leaf may have changed: nodes above follow. */
int xfs_hashtree_raise(struct xfs_hashtree_path *);
/*
 * After entries were removed: empty or nearly empty blocks are joined with neighbours, a root with one child takes its
 * place.  The path is put.
 */
int xfs_hashtree_shrink(struct xfs_hashtree_path *);

/* ---- shared by the files of this module ---- */

/* Fetches a block of the tree for reading; NOENT and RANGE become CORRUPT. */
int xfs_hashtree_get(const struct xfs_forkop *, uint64_t block, struct xfs_da_block *out);
/* The same, joined. */
int xfs_hashtree_get_owned(const struct xfs_forkop *, uint64_t block, struct xfs_da_block *out);
void xfs_hashtree_set_links(struct xfs_da_block *, uint32_t forw, uint32_t back);
void xfs_hashtree_set_count(const struct xfs_forkop *, struct xfs_da_block *, uint32_t count);
void xfs_hashtree_set_hash(struct xfs_da_block *, uint32_t i, uint32_t hash);
uint32_t xfs_hashtree_last_hash(const struct xfs_da_block *);

#endif
