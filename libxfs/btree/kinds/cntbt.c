/* SPDX-License-Identifier: BSD-2-Clause */
/* cntbt.c - free extents by length, then start block (format sheet 02, section 2.1). */
#include "libxfs/btree/kinds/kinds.h"

void xfs_cntbt_low(struct xfs_btree_key *key, const void *rec)
{
	key->w[0] = xfs_bnobt_rec_get_blockcount(rec);
	key->w[1] = xfs_bnobt_rec_get_startblock(rec);
	key->w[2] = 0;
}

/* In this order a record is one point: nothing lies between it and the next. */
void xfs_cntbt_high(struct xfs_btree_key *key, const void *rec)
{
	xfs_cntbt_low(key, rec);
}

void xfs_cntbt_key_get(struct xfs_btree_key *key, const void *disk)
{
	key->w[0] = xfs_cntbt_key_get_blockcount(disk);
	key->w[1] = xfs_cntbt_key_get_startblock(disk);
	key->w[2] = 0;
}

void xfs_cntbt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_cntbt_key_set_blockcount(disk, (uint32_t)key->w[0]);
	xfs_cntbt_key_set_startblock(disk, (uint32_t)key->w[1]);
}
