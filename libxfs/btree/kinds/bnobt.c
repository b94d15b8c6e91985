/* SPDX-License-Identifier: BSD-2-Clause */
/* bnobt.c - free extents by start block (format sheet 02, section 2.1). */
#include "libxfs/btree/kinds/kinds.h"

/* The key is the whole record; only its start takes part in comparisons. */
void xfs_bnobt_low(struct xfs_btree_key *key, const void *rec)
{
	key->w[0] = xfs_bnobt_rec_get_startblock(rec);
	key->w[1] = xfs_bnobt_rec_get_blockcount(rec);
	key->w[2] = 0;
}

void xfs_bnobt_high(struct xfs_btree_key *key, const void *rec)
{
	key->w[0] = (uint64_t)xfs_bnobt_rec_get_startblock(rec) + xfs_bnobt_rec_get_blockcount(rec) - 1;
	key->w[1] = key->w[2] = 0;
}

void xfs_bnobt_key_get(struct xfs_btree_key *key, const void *disk)
{
	xfs_bnobt_low(key, disk);
}

void xfs_bnobt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_bnobt_rec_set_startblock(disk, (uint32_t)key->w[0]);
	xfs_bnobt_rec_set_blockcount(disk, (uint32_t)key->w[1]);
}

bool xfs_bnobt_mergeable(const void *rec, const void *next)
{
	return (uint64_t)xfs_bnobt_rec_get_startblock(rec) + xfs_bnobt_rec_get_blockcount(rec) ==
	       xfs_bnobt_rec_get_startblock(next);
}
