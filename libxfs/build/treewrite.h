/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * treewrite.h - bulk-loaded trees to a device in the order of their blocks.
 *
 * A tree has its blocks in the order leaves, then level by level.  Leaves go out as they are made; the nodes, a small
 * part of the tree, wait in memory until the leaves are done.  Writes are gathered in a batch, which may serve several
 * trees.  Layer: build (private).
 */
#ifndef XFS_BUILD_TREEWRITE_H
#define XFS_BUILD_TREEWRITE_H

#include "libxfs/btree/btree.h"
#include "libxfs/device/device.h"

#define XFS_BATCH_BYTES ((size_t)1 << 20)
#define XFS_BATCH_VECTORS 64u

struct xfs_batch {
	struct xfs_dev *dev;
	uint8_t *buf;
	size_t size, fill, n;
	struct xfs_iovec v[XFS_BATCH_VECTORS];
};
/* `most` bytes will be put at most (0: not known). Errors: NOMEM. */
int xfs_batch_init(struct xfs_batch *, struct xfs_dev *, uint64_t most);
/* Copies the data; len at most 64 KiB. Errors: those of the device. */
int xfs_batch_put(struct xfs_batch *, uint64_t off, const void *data, size_t len);
int xfs_batch_flush(struct xfs_batch *);
/* Drops what was not flushed. */
void xfs_batch_release(struct xfs_batch *);

struct xfs_treewrite {
	struct xfs_batch *batch;
	const struct xfs_btree_geometry *shape;
	int (*next)(void *payload, void *rec);			/* next record, in disk form */
	uint64_t (*block)(void *payload, uint64_t i);		/* of the tree's i-th block, i < shape->blocks */
	uint64_t (*daddr_of)(void *payload, uint64_t ptr);
	void *payload;
	/* private */
	uint32_t blocksize;
	uint64_t base[XFS_BTREE_MAXLEVELS];			/* number of blocks below each level */
	uint64_t allocated[XFS_BTREE_MAXLEVELS], emitted[XFS_BTREE_MAXLEVELS];
	uint8_t *nodes;
};
/*
 * Loads the tree that `bulk` describes (kind, blocksize, v5, uuid, owner, lsn, inline root; its callbacks are set here)
 * and puts its blocks to the batch.  Root and levels are in `bulk` afterwards.
 */
int xfs_treewrite(struct xfs_treewrite *, struct xfs_btree_bulk *bulk);

#endif
