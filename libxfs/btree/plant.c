/* SPDX-License-Identifier: BSD-2-Clause */
/* plant.c - a tree with its root in an inode begins: one leaf, one entry in the root. */
#include "libxfs/btree/node.h"

int xfs_btree_plant(struct xfs_btree *bt, const void *recs, uint32_t n)
{
	const struct xfs_btree_shape *s = bt->kind->shape;
	struct xfs_btree_head head = {
		.kind = bt->kind, .v5 = bt->v5, .blocksize = bt->blocksize, .uuid = bt->uuid, .owner = bt->owner,
	};
	struct xfs_btree_block leaf = { .data = NULL }, fork = { .ptr = XFS_NULL64, .data = bt->inline_root };
	struct xfs_btree_node node, root;
	struct xfs_btree_carry c;
	uint64_t ptr;
	int err;

	if (!bt->kind->inode_root || !n || n > xfs_btree_maxrecs(s, bt->v5, bt->blocksize, true))
		return -XFS_E_INVALID;
	bt->levels = 2;
	err = xfs_btree_check_changeable(bt);
	if (!err)
		err = bt->space->alloc(bt->space->owner, 0, XFS_NULL64, &ptr);
	if (err)
		return err;
	err = bt->space->fresh(bt->space->owner, ptr, &leaf);
	if (err) {
		bt->space->free(bt->space->owner, ptr);
		return err;
	}
	leaf.ptr = ptr;
	head.daddr = bt->v5 ? bt->daddr_of(bt->io.owner, ptr) : 0;
	xfs_btree_block_init(&head, 0, n, (uint8_t *)(uintptr_t)leaf.data);
	node = xfs_btree_node_of(bt, &leaf, 0);
	memcpy(node.entries, recs, (size_t)n * s->reclen);
	bt->space->dirty(bt->space->owner, &leaf, 0, bt->blocksize);
	xfs_btree_node_carry(&node, &c);
	root = xfs_btree_node_reset_fork(bt, &fork, 1);
	xfs_btree_node_insert(&root, 0, &c);
	xfs_btree_give_back(bt, &leaf);
	if (bt->space->moved)
		bt->space->moved(bt->space->owner, bt);
	return 0;
}
