/* SPDX-License-Identifier: BSD-2-Clause */
/* refcount_find.c - records of reference counts, and steps that changes are made of (format sheet 02, section 5.1). */
#include "libxfs/space/refcount_priv.h"

int xfs_refcount_decode(const struct xfs_btree *bt, const void *rec, xfs_refc *r)
{
	xfs_refc_rec_decode(r, rec);
	if (!r->blockcount || xfs_refc_end(r) > XFS_REFC_COW || (r->cowflag ? r->refcount != 1 : r->refcount < 2))
		return -XFS_E_CORRUPT;
	/* blocks of AG trees are of the same AG as the blocks they tell of */
	if (!bt->kind->inode_root && bt->ptr_max && (r->startblock < bt->ptr_min || xfs_refc_end(r) > bt->ptr_max))
		return -XFS_E_CORRUPT;
	return 0;
}

static struct xfs_btree_key key_of(bool cow, uint32_t agbno)
{
	return (struct xfs_btree_key){ { agbno | (cow ? XFS_REFC_COW : 0), 0, 0 } };
}

/* The record at the cursor after a move that returned err; none when it is of the other domain. */
static int take(struct xfs_btree_cursor *cur, int err, bool cow, xfs_refc *out)
{
	if (!err)
		err = xfs_refcount_decode(cur->bt, xfs_btree_record(cur), out);
	if (err || out->cowflag != cow)
		*out = (xfs_refc){ .blockcount = 0 };
	return err == -XFS_E_NOENT ? 0 : err;
}

int xfs_refc_find(struct xfs_btree *bt, bool cow, enum xfs_btree_dir dir, uint32_t agbno, xfs_refc *out)
{
	struct xfs_btree_key key = key_of(cow, agbno);
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, bt);
	err = take(&cur, xfs_btree_lookup(&cur, dir, &key), cow, out);
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_refc_find_pair(struct xfs_btree *bt, bool cow, uint32_t agbno, xfs_refc *at, xfs_refc *next)
{
	struct xfs_btree_key key = key_of(cow, agbno);
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, bt);
	err = take(&cur, xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key), cow, at);
	if (!err)
		err = take(&cur, xfs_btree_next(&cur), cow, next);
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_refc_add(struct xfs_btree *bt, const xfs_refc *r)
{
	struct xfs_refc_rec_disk rec = { { 0 } };
	int err;

	xfs_refc_rec_encode(&rec, r);
	err = xfs_btree_insert(bt, &rec);
	return err == -XFS_E_EXISTS ? -XFS_E_CORRUPT : err;
}

/* Goes to exactly this record. */
static int go_to(struct xfs_btree_cursor *cur, struct xfs_btree *bt, const xfs_refc *r)
{
	struct xfs_btree_key key = key_of(r->cowflag, r->startblock);
	xfs_refc there;
	int err;

	xfs_btree_cursor_init(cur, bt);
	err = xfs_btree_lookup(cur, XFS_LOOKUP_EQ, &key);
	if (!err)
		err = xfs_refcount_decode(bt, xfs_btree_record(cur), &there);
	if (!err && (there.blockcount != r->blockcount || there.refcount != r->refcount))
		err = -XFS_E_CORRUPT;
	return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
}

int xfs_refc_remove(struct xfs_btree *bt, const xfs_refc *r)
{
	struct xfs_btree_cursor cur;
	int err = go_to(&cur, bt, r);

	if (!err)
		err = xfs_btree_delete(&cur);
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_refc_replace(struct xfs_btree *bt, const xfs_refc *old, const xfs_refc *new)
{
	struct xfs_refc_rec_disk rec = { { 0 } };
	struct xfs_btree_cursor cur;
	int err = go_to(&cur, bt, old);

	xfs_refc_rec_encode(&rec, new);
	if (!err)
		err = xfs_btree_update(&cur, &rec);
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_INVALID ? -XFS_E_CORRUPT : err;
}

int xfs_refcount_find_shared(struct xfs_btree *bt, uint32_t agbno, uint32_t len, uint32_t *start, uint32_t *shared_len)
{
	uint64_t end = (uint64_t)agbno + len, from, to;
	xfs_refc at, next;
	int err;

	*start = *shared_len = 0;
	if (!len || end > XFS_REFC_COW)
		return -XFS_E_INVALID;
	err = xfs_refc_find_pair(bt, false, agbno, &at, &next);
	if (err)
		return err;
	if (!at.blockcount || xfs_refc_end(&at) <= agbno)
		at = next;
	if (!at.blockcount || at.startblock >= end)
		return 0;
	from = at.startblock > agbno ? at.startblock : agbno;
	to = xfs_refc_end(&at);
	*start = (uint32_t)from;
	/* records with other counts may follow without a gap */
	while (to < end) {
		err = xfs_refc_find(bt, false, XFS_LOOKUP_GE, (uint32_t)to, &next);
		if (err || !next.blockcount || next.startblock != to)
			break;
		to = xfs_refc_end(&next);
	}
	*shared_len = (uint32_t)((to < end ? to : end) - from);
	return err;
}
