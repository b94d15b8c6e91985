/* SPDX-License-Identifier: BSD-2-Clause */
/* bmbt.c - extents of a file fork (format sheet 02, section 2.3). */
#include "libxfs/btree/kinds/kinds.h"

void xfs_bmbt_low(struct xfs_btree_key *key, const void *rec)
{
	*key = (struct xfs_btree_key){ { xfs_bmbt_rec_get_startoff(rec), 0, 0 } };
}

void xfs_bmbt_high(struct xfs_btree_key *key, const void *rec)
{
	uint64_t last = xfs_bmbt_rec_get_startoff(rec) + xfs_bmbt_rec_get_blockcount(rec) - 1;

	*key = (struct xfs_btree_key){ { last, 0, 0 } };
}

void xfs_bmbt_key_get(struct xfs_btree_key *key, const void *disk)
{
	*key = (struct xfs_btree_key){ { xfs_bmbt_key_get_startoff(disk), 0, 0 } };
}

void xfs_bmbt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_bmbt_key_set_startoff(disk, key->w[0]);
}
