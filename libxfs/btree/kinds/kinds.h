/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kinds.h - what the record codecs of the trees look like to table.c; private to kinds/.
 *
 * A codec is four conversions and the rule for neighbours.  Two trees with the same record share one codec
 * (inobt and finobt, rmapbt and rtrmapbt, refcountbt and rtrefcountbt).
 */
#ifndef XFS_BTREE_KINDS_KINDS_H
#define XFS_BTREE_KINDS_KINDS_H

#include "libxfs/btree/btree.h"

#define XFS_BTREE_CODEC_DECLARE(name)							\
	void xfs_##name##_low(struct xfs_btree_key *, const void *rec);			\
	void xfs_##name##_high(struct xfs_btree_key *, const void *rec);		\
	void xfs_##name##_key_get(struct xfs_btree_key *, const void *disk);		\
	void xfs_##name##_key_put(void *disk, const struct xfs_btree_key *);		\
	bool xfs_##name##_mergeable(const void *rec, const void *next)

XFS_BTREE_CODEC_DECLARE(bnobt);
XFS_BTREE_CODEC_DECLARE(cntbt);
XFS_BTREE_CODEC_DECLARE(inobt);
XFS_BTREE_CODEC_DECLARE(rmapbt);
XFS_BTREE_CODEC_DECLARE(refcountbt);
XFS_BTREE_CODEC_DECLARE(bmbt);
bool xfs_rmapbt_shareable(const void *rec);

#endif
