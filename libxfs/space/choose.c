/* SPDX-License-Identifier: BSD-2-Clause */
/* choose.c - which free extent an allocation gets. */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/base/bytes.h"

#define STEPS 16u	/* records that a search nearby looks at in each direction */

struct choice {
	struct xfs_agspace *ag;
	const struct xfs_alloc *a;
	uint32_t align, most;		/* most: blocks that may be given, <= maxlen */
	bool near;
	/* the best so far; len 0: none */
	struct xfs_free_extent whole;
	uint32_t start, len;
	uint64_t distance;
};

/* Blocks that may be given at most. */
static uint32_t affordable(const struct xfs_agspace *ag, const struct xfs_alloc *a)
{
	uint64_t have = ag->agf.freeblks, keep = 0, most = a->maxlen;

	if (a->pool != XFS_POOL_AGFL) {
		have += ag->agf.flcount;
		keep = xfs_agspace_agfl_target(ag) + xfs_agspace_reserved(ag, a->pool) + a->minleft;
	}
	if (have < keep)
		return 0;
	most = xfs_min(most, have - keep);
	return (uint32_t)xfs_min(most, ag->agf.longest);
}

/* Considers a free extent: where in it the request fits best, and whether that is better than what there was. */
static void consider(struct choice *c, const struct xfs_free_extent *e)
{
	uint64_t end = (uint64_t)e->start + e->len, from = xfs_round_up(e->start, c->align), at = from, last;
	uint64_t target = xfs_round_up(c->a->target, c->align), distance = 0;
	uint32_t len;

	if (from + c->a->minlen > end)
		return;
	len = (uint32_t)xfs_min(c->most, end - from);
	last = xfs_round_down(end - len, c->align);
	if (c->near) {
		at = target < from ? from : target > last ? last : target;
		distance = at < c->a->target ? c->a->target - at : at - c->a->target;
	}
	if (len < c->len || (len == c->len && distance >= c->distance))
		return;
	c->whole = *e;
	c->start = (uint32_t)at;
	c->len = len;
	c->distance = distance;
}

static int consider_record(struct choice *c, const struct xfs_btree_cursor *cur, struct xfs_free_extent *e)
{
	int err = xfs_freespace_decode(c->ag, xfs_btree_record(cur), e);

	if (!err)
		consider(c, e);
	return err;
}

static int choose_exact(struct choice *c)
{
	struct xfs_btree_cursor cur;
	struct xfs_free_extent e;
	struct xfs_btree_key key;
	uint32_t target = c->a->target;
	int err;

	xfs_btree_cursor_init(&cur, &c->ag->tree[XFS_AGT_BNO]);
	xfs_freespace_key(&key, false, target, 0);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err)
		err = xfs_freespace_decode(c->ag, xfs_btree_record(&cur), &e);
	xfs_btree_cursor_close(&cur);
	if (err || e.start + e.len <= target)
		return err;
	c->whole = e;
	c->start = target;
	c->len = (uint32_t)xfs_min(c->most, e.start + e.len - target);
	return 0;
}

/* The smallest extent that holds all for sure; where there is none, the longest. */
static int choose_by_size(struct choice *c)
{
	struct xfs_btree_cursor cur;
	struct xfs_free_extent e;
	struct xfs_btree_key key;
	int err;

	xfs_btree_cursor_init(&cur, &c->ag->tree[XFS_AGT_CNT]);
	xfs_freespace_key(&key, true, 0, (uint32_t)xfs_min((uint64_t)c->most + c->align - 1, UINT32_MAX));
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_GE, &key);
	if (!err) {
		err = consider_record(c, &cur, &e);
	} else if (err == -XFS_E_NOENT) {
		while (!(err = xfs_btree_prev(&cur)) && !(err = consider_record(c, &cur, &e)))
			if (e.len <= c->len || e.len < c->a->minlen)
				break;
	}
	xfs_btree_cursor_close(&cur);
	return err;
}

/* Free extents around the target, in one direction until they are further away than the best. */
static int look_around(struct choice *c, bool back)
{
	struct xfs_btree_cursor cur;
	struct xfs_free_extent e;
	struct xfs_btree_key key;
	int err;

	xfs_btree_cursor_init(&cur, &c->ag->tree[XFS_AGT_BNO]);
	xfs_freespace_key(&key, false, c->a->target, 0);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!back && (!err || err == -XFS_E_NOENT))
		err = xfs_btree_next(&cur);
	for (unsigned n = 0; n < STEPS && !err; n++) {
		err = consider_record(c, &cur, &e);
		if (err || (c->len == c->most && (back ? c->start >= e.start : c->start < e.start + e.len)))
			break;
		err = back ? xfs_btree_prev(&cur) : xfs_btree_next(&cur);
	}
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? 0 : err;
}

/* Extents that are long enough, beginning with the shortest of them. */
static int look_by_size(struct choice *c)
{
	struct xfs_btree_cursor cur;
	struct xfs_free_extent e;
	struct xfs_btree_key key;
	int err;

	xfs_btree_cursor_init(&cur, &c->ag->tree[XFS_AGT_CNT]);
	xfs_freespace_key(&key, true, 0, c->most);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_GE, &key);
	for (unsigned n = 0; n < STEPS && !err; n++) {
		err = consider_record(c, &cur, &e);
		if (!err)
			err = xfs_btree_next(&cur);
	}
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? 0 : err;
}

static int choose_near(struct choice *c)
{
	int err;

	c->near = true;
	err = look_around(c, true);
	if (!err)
		err = look_around(c, false);
	if (!err && c->len < c->most)
		err = look_by_size(c);
	if (!err && c->len < c->most)
		err = choose_by_size(c);
	return err;
}

int xfs_alloc_choose(struct xfs_agspace *ag, struct xfs_alloc *a, struct xfs_free_extent *whole)
{
	struct choice c = { .ag = ag, .a = a, .align = a->alignment > 1 ? a->alignment : 1 };
	int err;

	c.most = affordable(ag, a);
	if (c.most < a->minlen)
		return -XFS_E_NOSPC;
	if (a->how == XFS_ALLOC_EXACT)
		err = choose_exact(&c);
	else if (a->how == XFS_ALLOC_NEAR)
		err = choose_near(&c);
	else
		err = choose_by_size(&c);
	if (err && err != -XFS_E_NOENT)
		return err;
	if (c.len < a->minlen)
		return -XFS_E_NOSPC;
	a->agbno = c.start;
	a->len = c.len;
	*whole = c.whole;
	return 0;
}
