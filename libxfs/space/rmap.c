/* SPDX-License-Identifier: BSD-2-Clause */
/* rmap.c - mapping and unmapping (format sheet 02, sections 4.6 to 4.8). */
#include "libxfs/space/rmap_priv.h"

/* Neighbours of a claim that is to be mapped; len 0 = does not join. Plain variant. */
static int neighbours_plain(struct xfs_rmap_edit *e, const struct xfs_claim *c, struct xfs_claim *left,
			    struct xfs_claim *right)
{
	int err = xfs_rmap_find(e, XFS_LOOKUP_LE, c, left);

	if (!err)
		err = xfs_rmap_find_next(e, right);
	if (err)
		return err;
	/* what is mapped in this way has one owner */
	if (left->len && xfs_claim_end(left) > c->agbno)
		return -XFS_E_CORRUPT;
	if (right->len && right->agbno < xfs_claim_end(c))
		return -XFS_E_CORRUPT;
	return 0;
}

static int neighbours_shared(struct xfs_rmap_edit *e, const struct xfs_claim *c, struct xfs_claim *left,
			     struct xfs_claim *right)
{
	int err = xfs_rmap_find_left(e, c, left);

	return err ? err : xfs_rmap_find_right(e, c, right);
}

int xfs_rmap_map(struct xfs_btree *bt, const struct xfs_claim *c, bool shared)
{
	struct xfs_claim left, right, joined = *c;
	bool joins_left, joins_right;
	struct xfs_rmap_edit e;
	int err;

	if (!xfs_rmap_sensible(c))
		return -XFS_E_INVALID;
	xfs_rmap_edit_init(&e, bt, shared);
	err = shared ? neighbours_shared(&e, c, &left, &right) : neighbours_plain(&e, c, &left, &right);
	if (err)
		goto out;
	joins_left = left.len && xfs_rmap_continues(&left, c);
	if (joins_left) {
		joined = left;
		joined.len += c->len;
	}
	joins_right = right.len && xfs_rmap_continues(&joined, &right);
	if (joins_right)
		joined.len += right.len;
	if (joins_left && joins_right)
		err = xfs_rmap_remove(&e, &right);
	if (err)
		goto out;
	if (joins_left)
		err = xfs_rmap_replace(&e, &left, &joined);
	else if (joins_right)
		err = xfs_rmap_replace(&e, &right, &joined);
	else
		err = xfs_rmap_add(&e, c);
out:
	xfs_rmap_edit_close(&e);
	return err;
}

/* What a record is without the part of the claim, which lies in it. */
static int cut(struct xfs_rmap_edit *e, const struct xfs_claim *from, const struct xfs_claim *c)
{
	uint32_t before = c->agbno - from->agbno, behind = (uint32_t)(xfs_claim_end(from) - xfs_claim_end(c));
	struct xfs_claim left = xfs_rmap_part(from, 0, before), right = xfs_rmap_part(from, before + c->len, behind);
	int err;

	if (!before && !behind)
		return xfs_rmap_remove(e, from);
	if (!before)
		return xfs_rmap_replace(e, from, &right);
	err = xfs_rmap_replace(e, from, &left);
	return err || !behind ? err : xfs_rmap_add(e, &right);
}

/* Owners that stand for no one in particular. */
static int unmap_anyone(struct xfs_rmap_edit *e, const struct xfs_claim *c)
{
	struct xfs_claim left, next;
	int err = xfs_rmap_find(e, XFS_LOOKUP_LE, c, &left);

	if (err)
		return err;
	if (!left.len)		/* the headers at least are always mapped */
		return -XFS_E_CORRUPT;
	if (c->owner == XFS_OWN_NULL)
		return c->agbno >= xfs_claim_end(&left) ? 0 : -XFS_E_CORRUPT;
	if (xfs_claim_end(&left) <= c->agbno) {
		err = xfs_rmap_find_next(e, &next);
		if (err)
			return err;
		return !next.len || next.agbno >= xfs_claim_end(c) ? 0 : -XFS_E_CORRUPT;
	}
	if (xfs_claim_end(&left) < xfs_claim_end(c))
		return -XFS_E_CORRUPT;
	return cut(e, &left, c);
}

int xfs_rmap_unmap(struct xfs_btree *bt, const struct xfs_claim *c, bool shared)
{
	bool anyone = c->owner == XFS_OWN_NULL || c->owner == XFS_OWN_UNKNOWN;
	struct xfs_claim holder;
	struct xfs_rmap_edit e;
	int err;

	if (anyone ? !c->len || xfs_claim_end(c) > UINT32_MAX : !xfs_rmap_sensible(c))
		return -XFS_E_INVALID;
	xfs_rmap_edit_init(&e, bt, shared && !anyone);
	if (anyone) {
		err = unmap_anyone(&e, c);
	} else {
		err = shared ? xfs_rmap_find_holder(&e, c, &holder) : xfs_rmap_find(&e, XFS_LOOKUP_LE, c, &holder);
		if (!err && (!holder.len || !xfs_rmap_holds(&holder, c)))
			err = -XFS_E_CORRUPT;
		if (!err)
			err = cut(&e, &holder, c);
	}
	xfs_rmap_edit_close(&e);
	return err;
}
