/* SPDX-License-Identifier: BSD-2-Clause */
/* refcountbt.c - reference counts; refcountbt and rtrefcountbt (format sheet 02, section 5.1). */
#include "libxfs/btree/kinds/kinds.h"

/* The start with the domain bit on top: CoW staging extents sort behind all shared extents. */
static uint64_t start_word(const void *rec)
{
	return xfs_refc_rec_get_startblock(rec) | (xfs_refc_rec_get_cowflag(rec) ? XFS_REFC_COW : 0);
}

void xfs_refcountbt_low(struct xfs_btree_key *key, const void *rec)
{
	*key = (struct xfs_btree_key){ { start_word(rec), 0, 0 } };
}

void xfs_refcountbt_high(struct xfs_btree_key *key, const void *rec)
{
	*key = (struct xfs_btree_key){ { start_word(rec) + xfs_refc_rec_get_blockcount(rec) - 1, 0, 0 } };
}

void xfs_refcountbt_key_get(struct xfs_btree_key *key, const void *disk)
{
	uint64_t cow = xfs_refc_key_get_cowflag(disk) ? XFS_REFC_COW : 0;

	*key = (struct xfs_btree_key){ { xfs_refc_key_get_startblock(disk) | cow, 0, 0 } };
}

void xfs_refcountbt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_refc_key_set_startblock(disk, (uint32_t)key->w[0] & ~XFS_REFC_COW);
	xfs_refc_key_set_cowflag(disk, (key->w[0] & XFS_REFC_COW) != 0);
}

/* The limit of a joint length is exclusive here (section 5.1), unlike that of reverse mappings. */
bool xfs_refcountbt_mergeable(const void *rec, const void *next)
{
	uint64_t len = xfs_refc_rec_get_blockcount(rec);

	return xfs_refc_rec_get_cowflag(rec) == xfs_refc_rec_get_cowflag(next) &&
	       start_word(rec) + len == start_word(next) &&
	       xfs_refc_rec_get_refcount(rec) == xfs_refc_rec_get_refcount(next) &&
	       len + xfs_refc_rec_get_blockcount(next) < UINT32_MAX;
}
