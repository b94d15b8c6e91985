/* SPDX-License-Identifier: BSD-2-Clause */
/* rmap_convert.c - unwritten data become written, or the other way round (format sheet 02, section 4.9). */
#include "libxfs/space/rmap_priv.h"

/* The record around the range, and those beside it that its new state joins; len 0 = none. */
struct around {
	struct xfs_claim prev, left, right;
};

static int look_around(struct xfs_rmap_edit *e, const struct xfs_claim *c, const struct xfs_claim *new,
		       struct around *a)
{
	int err;

	*a = (struct around){ .left.len = 0 };
	err = e->shared ? xfs_rmap_find_holder(e, c, &a->prev) : xfs_rmap_find(e, XFS_LOOKUP_LE, c, &a->prev);
	if (!err && (!a->prev.len || !xfs_rmap_holds(&a->prev, c)))
		err = -XFS_E_CORRUPT;
	if (!err && a->prev.agbno == c->agbno)
		err = e->shared ? xfs_rmap_find_left(e, new, &a->left) : xfs_rmap_find_prev(e, &a->left);
	if (!err && a->left.len && !xfs_rmap_continues(&a->left, new))
		a->left.len = 0;
	if (!err && xfs_claim_end(&a->prev) == xfs_claim_end(c)) {
		if (e->shared)
			err = xfs_rmap_find_right(e, new, &a->right);
		else
			err = xfs_rmap_find(e, XFS_LOOKUP_EQ, &a->prev, &a->right);
		if (!err && !e->shared)
			err = xfs_rmap_find_next(e, &a->right);
	}
	if (!err && a->right.len && !xfs_rmap_continues(new, &a->right))
		a->right.len = 0;
	/* all three only when they fit in one record */
	if ((uint64_t)a->left.len + a->right.len + c->len > UINT32_MAX)
		a->right.len = 0;
	return err;
}

/* The whole record changes. */
static int convert_all(struct xfs_rmap_edit *e, const struct around *a, const struct xfs_claim *new)
{
	struct xfs_claim joined = a->left.len ? a->left : *new;
	int err = 0;

	joined.len = a->left.len + new->len + a->right.len;
	if (a->right.len)
		err = xfs_rmap_remove(e, &a->right);
	if (!err && a->left.len)
		err = xfs_rmap_remove(e, &a->prev);
	return err ? err : xfs_rmap_replace(e, a->left.len ? &a->left : &a->prev, &joined);
}

static int convert_start(struct xfs_rmap_edit *e, const struct around *a, const struct xfs_claim *new)
{
	struct xfs_claim rest = xfs_rmap_part(&a->prev, new->len, a->prev.len - new->len), joined = a->left;
	int err = xfs_rmap_replace(e, &a->prev, &rest);

	if (err)
		return err;
	joined.len += new->len;
	return a->left.len ? xfs_rmap_replace(e, &a->left, &joined) : xfs_rmap_add(e, new);
}

static int convert_end(struct xfs_rmap_edit *e, const struct around *a, const struct xfs_claim *new)
{
	struct xfs_claim rest = xfs_rmap_part(&a->prev, 0, a->prev.len - new->len), joined = *new;
	int err = xfs_rmap_replace(e, &a->prev, &rest);

	if (err)
		return err;
	joined.len += a->right.len;
	return a->right.len ? xfs_rmap_replace(e, &a->right, &joined) : xfs_rmap_add(e, new);
}

static int convert_middle(struct xfs_rmap_edit *e, const struct around *a, const struct xfs_claim *new)
{
	uint32_t before = new->agbno - a->prev.agbno, at = before + new->len;
	struct xfs_claim left = xfs_rmap_part(&a->prev, 0, before);
	struct xfs_claim right = xfs_rmap_part(&a->prev, at, a->prev.len - at);
	int err = xfs_rmap_replace(e, &a->prev, &left);

	if (!err)
		err = xfs_rmap_add(e, new);
	return err ? err : xfs_rmap_add(e, &right);
}

int xfs_rmap_convert(struct xfs_btree *bt, const struct xfs_claim *c, bool shared)
{
	struct xfs_claim new = *c;
	struct xfs_rmap_edit e;
	struct around a;
	bool at_start, at_end;
	int err;

	if (!xfs_rmap_sensible(c) || xfs_owner_is_special(c->owner) || c->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT))
		return -XFS_E_INVALID;
	new.offset ^= XFS_RMAP_UNWRITTEN;
	xfs_rmap_edit_init(&e, bt, shared);
	err = look_around(&e, c, &new, &a);
	if (err)
		goto out;
	at_start = a.prev.agbno == c->agbno;
	at_end = xfs_claim_end(&a.prev) == xfs_claim_end(c);
	if (at_start && at_end)
		err = convert_all(&e, &a, &new);
	else if (at_start)
		err = convert_start(&e, &a, &new);
	else if (at_end)
		err = convert_end(&e, &a, &new);
	else
		err = convert_middle(&e, &a, &new);
out:
	xfs_rmap_edit_close(&e);
	return err;
}
