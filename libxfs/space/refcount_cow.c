/* SPDX-License-Identifier: BSD-2-Clause */
/* refcount_cow.c - staging extents of copy-on-write (format sheet 02, section 5.3). */
#include "libxfs/space/refcount_priv.h"

static bool sensible(uint32_t agbno, uint32_t len)
{
	return agbno && len && agbno < XFS_REFC_COW && len <= XFS_REFC_COW - agbno;
}

int xfs_refcount_cow_alloc(struct xfs_btree *bt, uint32_t agbno, uint32_t len)
{
	xfs_refc left, right, joined = { .startblock = agbno, .blockcount = len, .refcount = 1, .cowflag = true };
	bool joins_left, joins_right;
	int err;

	if (!sensible(agbno, len))
		return -XFS_E_INVALID;
	err = xfs_refc_find_pair(bt, true, agbno, &left, &right);
	if (err)
		return err;
	if ((left.blockcount && xfs_refc_end(&left) > agbno) ||
	    (right.blockcount && right.startblock < xfs_refc_end(&joined)))
		return -XFS_E_CORRUPT;
	joins_left = left.blockcount && xfs_refc_end(&left) == agbno &&
		xfs_refc_fits((uint64_t)left.blockcount + len);
	if (joins_left) {
		joined.startblock = left.startblock;
		joined.blockcount += left.blockcount;
	}
	joins_right = right.blockcount && right.startblock == xfs_refc_end(&joined) &&
		xfs_refc_fits((uint64_t)joined.blockcount + right.blockcount);
	if (joins_right)
		joined.blockcount += right.blockcount;
	if (joins_left && joins_right)
		err = xfs_refc_remove(bt, &right);
	if (err)
		return err;
	if (joins_left)
		return xfs_refc_replace(bt, &left, &joined);
	return joins_right ? xfs_refc_replace(bt, &right, &joined) : xfs_refc_add(bt, &joined);
}

int xfs_refcount_cow_free(struct xfs_btree *bt, uint32_t agbno, uint32_t len)
{
	xfs_refc r, left, right;
	int err;

	if (!sensible(agbno, len))
		return -XFS_E_INVALID;
	err = xfs_refc_find(bt, true, XFS_LOOKUP_LE, agbno, &r);
	if (err)
		return err;
	if (!r.blockcount || xfs_refc_end(&r) < (uint64_t)agbno + len)
		return -XFS_E_CORRUPT;
	left = right = r;
	left.blockcount = agbno - r.startblock;
	right.startblock = agbno + len;
	right.blockcount = (uint32_t)(xfs_refc_end(&r) - right.startblock);
	if (!left.blockcount && !right.blockcount)
		return xfs_refc_remove(bt, &r);
	if (!left.blockcount)
		return xfs_refc_replace(bt, &r, &right);
	err = xfs_refc_replace(bt, &r, &left);
	return err || !right.blockcount ? err : xfs_refc_add(bt, &right);
}

int xfs_refcount_cow_next(struct xfs_btree *bt, uint32_t agbno, uint32_t *start, uint32_t *len)
{
	xfs_refc r;
	int err = xfs_refc_find(bt, true, XFS_LOOKUP_GE, agbno, &r);

	if (err)
		return err;
	*start = r.startblock;
	*len = r.blockcount;
	return r.blockcount ? 0 : -XFS_E_NOENT;
}
