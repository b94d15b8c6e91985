/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * node.h - a block that is being changed: entries move inside it and between two blocks of one level.
 *
 * A root in an inode is a node like any other, only smaller and without links.  Functions mark what they change dirty.
 * They do not check room: the plan did.  Private to btree/.
 */
#ifndef XFS_BTREE_NODE_H
#define XFS_BTREE_NODE_H

#include "libxfs/btree/priv.h"

struct xfs_btree_node {
	struct xfs_btree *bt;
	const struct xfs_btree_block *b;
	uint8_t *data, *entries, *ptrs;		/* ptrs NULL in a leaf */
	uint32_t n, most, least;
	uint32_t stride;
	unsigned level;
};

/* An entry on its way: a record, or key(s) and pointer. */
struct xfs_btree_carry {
	uint8_t entry[48];
	uint64_t ptr;
};

struct xfs_btree_node xfs_btree_node_of(struct xfs_btree *, const struct xfs_btree_block *, unsigned level);
void xfs_btree_node_insert(struct xfs_btree_node *, uint32_t at, const struct xfs_btree_carry *);
void xfs_btree_node_remove(struct xfs_btree_node *, uint32_t at);
/* Moves `count` entries from the end of `left` to the front of `right`, or the other way round. */
void xfs_btree_node_shift_right(struct xfs_btree_node *left, struct xfs_btree_node *right, uint32_t count);
void xfs_btree_node_shift_left(struct xfs_btree_node *left, struct xfs_btree_node *right, uint32_t count);
/* Makes `to` (its level and layout set by the caller through *_of) hold what `from` holds. */
void xfs_btree_node_copy(struct xfs_btree_node *to, const struct xfs_btree_node *from);
void xfs_btree_node_set_sib(struct xfs_btree_node *, bool right, uint64_t ptr);
/* Exact keys and pointer of a node with entries, as its parent stores them. */
void xfs_btree_node_carry(const struct xfs_btree_node *, struct xfs_btree_carry *);
/* Entry `at` of the parent gets the exact keys of the child; false when it had them. */
bool xfs_btree_node_set_keys(struct xfs_btree_node *parent, uint32_t at, const struct xfs_btree_node *child);

/* A tree in a fork at another level: sets the level of the inline root and empties it. */
struct xfs_btree_node xfs_btree_node_reset_fork(struct xfs_btree *, const struct xfs_btree_block *, unsigned level);
/* Stores exact keys from `level` upwards along the cursor's path, until a parent has them already. */
void xfs_btree_path_set_keys(struct xfs_btree_cursor *, unsigned level);
/* Tells the owner that a block, or all blocks of the cursor's path, may be changed now. */
int xfs_btree_prepare(struct xfs_btree *, const struct xfs_btree_block *);
int xfs_btree_path_prepare(struct xfs_btree_cursor *);
/* READONLY, INVALID: the instance can't be changed. */
int xfs_btree_check_changeable(const struct xfs_btree *);
/* Fetches the neighbour of `ptr` that its link names, and makes sure that it points back; NULL64: none, *held false. */
int xfs_btree_fetch_neighbour(struct xfs_btree *, const struct xfs_btree_node *, bool right,
			      struct xfs_btree_block *out, bool *held);

#endif
