/* SPDX-License-Identifier: BSD-2-Clause */
/* freespace.c - the two trees of free extents, always changed together (format sheet 02, section 2.1). */
#include "libxfs/space/agspace_priv.h"

void xfs_freespace_key(struct xfs_btree_key *key, bool by_len, uint32_t start, uint32_t len)
{
	*key = (struct xfs_btree_key){ { by_len ? len : start, by_len ? start : len, 0 } };
}

int xfs_freespace_decode(const struct xfs_agspace *ag, const void *rec, struct xfs_free_extent *e)
{
	e->start = xfs_bnobt_rec_get_startblock(rec);
	e->len = xfs_bnobt_rec_get_blockcount(rec);
	return xfs_agbno_range_valid(&ag->fs->geo, ag->agno, e->start, e->len) ? 0 : -XFS_E_CORRUPT;
}

static void encode(struct xfs_bnobt_rec_disk *rec, const struct xfs_free_extent *e)
{
	xfs_bnobt_rec_set_startblock(rec, e->start);
	xfs_bnobt_rec_set_blockcount(rec, e->len);
}

/* Goes to the record of exactly this extent. */
static int find(struct xfs_agspace *ag, enum xfs_agspace_tree t, const struct xfs_free_extent *e,
		struct xfs_btree_cursor *cur)
{
	struct xfs_free_extent there;
	struct xfs_btree_key key;
	int err;

	xfs_btree_cursor_init(cur, &ag->tree[t]);
	xfs_freespace_key(&key, t == XFS_AGT_CNT, e->start, e->len);
	err = xfs_btree_lookup(cur, XFS_LOOKUP_EQ, &key);
	if (!err)
		err = xfs_freespace_decode(ag, xfs_btree_record(cur), &there);
	if (!err && there.len != e->len)
		err = -XFS_E_CORRUPT;
	return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
}

static int put_in(struct xfs_agspace *ag, enum xfs_agspace_tree t, const struct xfs_free_extent *e)
{
	struct xfs_bnobt_rec_disk rec;
	int err;

	encode(&rec, e);
	err = xfs_btree_insert(&ag->tree[t], &rec);
	return err == -XFS_E_EXISTS ? -XFS_E_CORRUPT : err;
}

static int take_out(struct xfs_agspace *ag, enum xfs_agspace_tree t, const struct xfs_free_extent *e)
{
	struct xfs_btree_cursor cur;
	int err = find(ag, t, e, &cur);

	if (!err)
		err = xfs_btree_delete(&cur);
	xfs_btree_cursor_close(&cur);
	return err;
}

/* The record stays where it is when the order allows. */
static int replace(struct xfs_agspace *ag, enum xfs_agspace_tree t, const struct xfs_free_extent *old,
		   const struct xfs_free_extent *new)
{
	struct xfs_bnobt_rec_disk rec;
	struct xfs_btree_cursor cur;
	bool moves = false;
	int err = find(ag, t, old, &cur);

	encode(&rec, new);
	if (!err)
		err = xfs_btree_update(&cur, &rec);
	if (err == -XFS_E_INVALID && t == XFS_AGT_CNT) {
		moves = true;
		err = xfs_btree_delete(&cur);
	}
	xfs_btree_cursor_close(&cur);
	return !err && moves ? put_in(ag, t, new) : err;
}

/* An extent of length `len` is there no more. */
static int fix_longest(struct xfs_agspace *ag, uint32_t len)
{
	struct xfs_free_extent last = { 0, 0 };
	struct xfs_btree_cursor cur;
	int err;

	if (len < ag->agf.longest)
		return 0;
	xfs_btree_cursor_init(&cur, &ag->tree[XFS_AGT_CNT]);
	err = xfs_btree_last(&cur);
	if (!err)
		err = xfs_freespace_decode(ag, xfs_btree_record(&cur), &last);
	xfs_btree_cursor_close(&cur);
	if (err && err != -XFS_E_NOENT)
		return err;
	ag->agf.longest = last.len;
	return 0;
}

int xfs_freespace_carve(struct xfs_agspace *ag, const struct xfs_free_extent *whole, uint32_t agbno, uint32_t len)
{
	struct xfs_free_extent left = { whole->start, agbno - whole->start }, right, *small, *big;
	int err = 0;

	right.start = agbno + len;
	right.len = whole->start + whole->len - right.start;
	small = left.len < right.len ? &left : &right;
	big = small == &left ? &right : &left;
	if (len > ag->agf.freeblks)
		return -XFS_E_CORRUPT;
	for (unsigned t = XFS_AGT_BNO; t <= XFS_AGT_CNT && !err; t++) {
		/* bnobt: what keeps its start, or else its neighbours, stays in place */
		const struct xfs_free_extent *stays = t == XFS_AGT_BNO && left.len ? &left : big;
		const struct xfs_free_extent *other = stays == &left ? &right : &left;

		err = stays->len ? replace(ag, t, whole, stays) : take_out(ag, t, whole);
		if (!err && other->len)
			err = put_in(ag, t, other);
	}
	if (err)
		return err;
	ag->agf.freeblks -= len;
	xfs_agf_touch(ag);
	return fix_longest(ag, whole->len);
}

/* The free neighbours of a range that is not free. */
static int neighbours(struct xfs_agspace *ag, const struct xfs_free_extent *e, struct xfs_free_extent *left,
		      struct xfs_free_extent *right)
{
	struct xfs_btree_cursor cur;
	struct xfs_btree_key key;
	int err;

	*left = *right = (struct xfs_free_extent){ 0, 0 };
	xfs_btree_cursor_init(&cur, &ag->tree[XFS_AGT_BNO]);
	xfs_freespace_key(&key, false, e->start, e->len);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err)
		err = xfs_freespace_decode(ag, xfs_btree_record(&cur), left);
	if (!err && left->start + left->len > e->start)
		err = -XFS_E_CORRUPT;
	if (!err || err == -XFS_E_NOENT)
		err = xfs_btree_next(&cur);
	if (!err)
		err = xfs_freespace_decode(ag, xfs_btree_record(&cur), right);
	if (!err && right->start < e->start + e->len)
		err = -XFS_E_CORRUPT;
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? 0 : err;
}

int xfs_freespace_add(struct xfs_agspace *ag, uint32_t agbno, uint32_t len)
{
	struct xfs_free_extent e = { agbno, len }, left, right;
	int err = neighbours(ag, &e, &left, &right);
	bool joins_left = left.len && left.start + left.len == agbno, joins_right = right.start == agbno + len;

	if (err)
		return err;
	if (joins_left) {
		e.start = left.start;
		e.len += left.len;
	}
	if (joins_right)
		e.len += right.len;
	for (unsigned t = XFS_AGT_BNO; t <= XFS_AGT_CNT && !err; t++) {
		if (joins_left && joins_right)
			err = take_out(ag, t, &right);
		if (err)
			break;
		if (joins_left)
			err = replace(ag, t, &left, &e);
		else if (joins_right)
			err = replace(ag, t, &right, &e);
		else
			err = put_in(ag, t, &e);
	}
	if (err)
		return err;
	ag->agf.freeblks += len;
	if (e.len > ag->agf.longest)
		ag->agf.longest = e.len;
	xfs_agf_touch(ag);
	return 0;
}
