/* SPDX-License-Identifier: BSD-2-Clause */
/* inobt.c - chunks of 64 inodes; inobt and finobt (format sheet 02, section 2.2). */
#include "libxfs/btree/kinds/kinds.h"

#define INODES_PER_CHUNK 64u

void xfs_inobt_low(struct xfs_btree_key *key, const void *rec)
{
	*key = (struct xfs_btree_key){ { xfs_inobt_rec_get_startino(rec), 0, 0 } };
}

void xfs_inobt_high(struct xfs_btree_key *key, const void *rec)
{
	*key = (struct xfs_btree_key){ { (uint64_t)xfs_inobt_rec_get_startino(rec) + INODES_PER_CHUNK - 1, 0, 0 } };
}

void xfs_inobt_key_get(struct xfs_btree_key *key, const void *disk)
{
	*key = (struct xfs_btree_key){ { xfs_inobt_key_get_startino(disk), 0, 0 } };
}

void xfs_inobt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_inobt_key_set_startino(disk, (uint32_t)key->w[0]);
}
