/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the kinds of btrees, one row each (format sheet 02, sections 1.3 and 2). */
#include "libxfs/btree/kinds/kinds.h"

#define CODEC(name)									\
	.low = xfs_##name##_low, .high = xfs_##name##_high,				\
	.key_get = xfs_##name##_key_get, .key_put = xfs_##name##_key_put

const struct xfs_btree_kind xfs_btree_kinds[XFS_BTREE_KINDS] = {
	[XFS_BTREE_BNO] = {
		.id = XFS_BTREE_BNO, .name = "bnobt", .magic_v4 = XFS_BNOBT_MAGIC_V4, .magic_v5 = XFS_BNOBT_MAGIC,
		.shape = &xfs_btree_shape_alloc, .keylen1 = 8, .cmpwords = 1, CODEC(bnobt),
		.mergeable = xfs_bnobt_mergeable,
	},
	[XFS_BTREE_CNT] = {
		.id = XFS_BTREE_CNT, .name = "cntbt", .magic_v4 = XFS_CNTBT_MAGIC_V4, .magic_v5 = XFS_CNTBT_MAGIC,
		.shape = &xfs_btree_shape_alloc, .keylen1 = 8, .cmpwords = 2, CODEC(cntbt),
	},
	[XFS_BTREE_INO] = {
		.id = XFS_BTREE_INO, .name = "inobt", .magic_v4 = XFS_INOBT_MAGIC_V4, .magic_v5 = XFS_INOBT_MAGIC,
		.shape = &xfs_btree_shape_inobt, .keylen1 = 4, .cmpwords = 1, CODEC(inobt),
	},
	[XFS_BTREE_FINO] = {
		.id = XFS_BTREE_FINO, .name = "finobt", .magic_v4 = XFS_FINOBT_MAGIC_V4, .magic_v5 = XFS_FINOBT_MAGIC,
		.shape = &xfs_btree_shape_inobt, .keylen1 = 4, .cmpwords = 1, CODEC(inobt),
	},
	[XFS_BTREE_RMAP] = {
		.id = XFS_BTREE_RMAP, .name = "rmapbt", .magic_v5 = XFS_RMAPBT_MAGIC, .overlapping = true,
		.shape = &xfs_btree_shape_rmapbt, .keylen1 = 20, .cmpwords = 3, CODEC(rmapbt),
		.mergeable = xfs_rmapbt_mergeable, .shareable = xfs_rmapbt_shareable,
	},
	[XFS_BTREE_REFC] = {
		.id = XFS_BTREE_REFC, .name = "refcountbt", .magic_v5 = XFS_REFCBT_MAGIC,
		.shape = &xfs_btree_shape_refcbt, .keylen1 = 4, .cmpwords = 1, CODEC(refcountbt),
		.mergeable = xfs_refcountbt_mergeable,
	},
	[XFS_BTREE_BMAP] = {
		.id = XFS_BTREE_BMAP, .name = "bmbt", .magic_v4 = XFS_BMBT_MAGIC_V4, .magic_v5 = XFS_BMBT_MAGIC,
		.shape = &xfs_btree_shape_bmbt, .keylen1 = 8, .cmpwords = 1, .inode_root = true, CODEC(bmbt),
	},
	[XFS_BTREE_RTRMAP] = {
		.id = XFS_BTREE_RTRMAP, .name = "rtrmapbt", .magic_v5 = XFS_RTRMAPBT_MAGIC, .overlapping = true,
		.shape = &xfs_btree_shape_rtrmapbt, .keylen1 = 20, .cmpwords = 3, .inode_root = true,
		.root_leaf = true, CODEC(rmapbt), .mergeable = xfs_rmapbt_mergeable, .shareable = xfs_rmapbt_shareable,
	},
	[XFS_BTREE_RTREFC] = {
		.id = XFS_BTREE_RTREFC, .name = "rtrefcountbt", .magic_v5 = XFS_RTREFCBT_MAGIC,
		.shape = &xfs_btree_shape_rtrefcbt, .keylen1 = 4, .cmpwords = 1, .inode_root = true,
		.root_leaf = true, CODEC(refcountbt), .mergeable = xfs_refcountbt_mergeable,
	},
};
