/* SPDX-License-Identifier: BSD-2-Clause */
/* cursor.c - a position in a tree: lookups and steps (format sheet 02, section 3.1). */
#include "libxfs/btree/priv.h"

void xfs_btree_cursor_init(struct xfs_btree_cursor *cur, struct xfs_btree *bt)
{
	cur->bt = bt;
	cur->pos = XFS_POS_NONE;
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++)
		cur->lev[i].held = false;
}

static void release(struct xfs_btree_cursor *cur, unsigned level)
{
	if (cur->lev[level].held)
		xfs_btree_give_back(cur->bt, &cur->lev[level].b);
	cur->lev[level].held = false;
}

void xfs_btree_cursor_close(struct xfs_btree_cursor *cur)
{
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++)
		release(cur, i);
	cur->pos = XFS_POS_NONE;
}

int xfs_btree_cursor_load(struct xfs_btree_cursor *cur, unsigned level, uint64_t ptr)
{
	int err;

	cur->lev[level].idx = 0;
	/* in a tree that can change, what was checked then may be another block now */
	if (cur->lev[level].held && cur->lev[level].b.ptr == ptr && !cur->bt->space)
		return 0;
	release(cur, level);
	err = xfs_btree_fetch(cur->bt, ptr, level, &cur->lev[level].b, &cur->lev[level].v);
	cur->lev[level].held = !err;
	return err;
}

/* A failed move leaves no half-moved path behind. */
static int nowhere(struct xfs_btree_cursor *cur, int err)
{
	xfs_btree_cursor_close(cur);
	return err;
}

uint32_t xfs_btree_view_search(const struct xfs_btree *bt, const struct xfs_btree_view *v, unsigned level,
			       const struct xfs_btree_key *key)
{
	uint32_t from = 0, to = v->n;	/* entries before `from` are <= key, those from `to` on are greater */

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		struct xfs_btree_key k;

		xfs_btree_view_low(bt, v, level, mid, &k);
		if (xfs_btree_kind_cmp(bt->kind, &k, key) <= 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from ? from - 1 : 0;
}

/* Loads the child that the entry at `level` points to. */
static int descend(struct xfs_btree_cursor *cur, unsigned level)
{
	return xfs_btree_cursor_load(cur, level - 1,
				     xfs_btree_view_ptr(cur->bt, &cur->lev[level].v, cur->lev[level].idx));
}

static int to_root(struct xfs_btree_cursor *cur)
{
	int err = xfs_btree_check_instance(cur->bt);

	if (!err)
		err = xfs_btree_cursor_load(cur, cur->bt->levels - 1, xfs_btree_root_ptr(cur->bt));
	return err ? nowhere(cur, err) : 0;
}

int xfs_btree_lookup(struct xfs_btree_cursor *cur, enum xfs_btree_dir dir, const struct xfs_btree_key *key)
{
	struct xfs_btree *bt = cur->bt;
	struct xfs_btree_key k;
	int err = to_root(cur), cmp;

	for (unsigned level = bt->levels - 1; !err; level--) {
		cur->lev[level].idx = xfs_btree_view_search(bt, &cur->lev[level].v, level, key);
		if (level == 0)
			break;
		err = descend(cur, level);
	}
	if (err)
		return nowhere(cur, err);
	cur->pos = XFS_POS_ON;
	if (cur->lev[0].v.n == 0) {
		cur->pos = dir == XFS_LOOKUP_LE ? XFS_POS_BEFORE : XFS_POS_BEHIND;
		return -XFS_E_NOENT;
	}
	xfs_btree_view_low(bt, &cur->lev[0].v, 0, cur->lev[0].idx, &k);
	cmp = xfs_btree_kind_cmp(bt->kind, &k, key);
	if (cmp == 0)
		return 0;
	/* greater only where all are: the first record of the tree */
	if (cmp > 0 && dir == XFS_LOOKUP_LE)
		return xfs_btree_prev(cur);
	if (cmp < 0 && dir != XFS_LOOKUP_LE)
		err = xfs_btree_next(cur);
	return dir == XFS_LOOKUP_EQ ? (err ? err : -XFS_E_NOENT) : err;
}

/* Goes down the left or right edge from `level` to the leaf. */
static int edge(struct xfs_btree_cursor *cur, unsigned level, bool last)
{
	for (;; level--) {
		uint32_t n = cur->lev[level].v.n;
		int err;

		cur->lev[level].idx = last && n ? n - 1 : 0;
		if (level == 0)
			return 0;
		err = descend(cur, level);
		if (err)
			return err;
	}
}

static int to_edge(struct xfs_btree_cursor *cur, bool last)
{
	int err = to_root(cur);

	if (!err)
		err = edge(cur, cur->bt->levels - 1, last);
	if (err)
		return nowhere(cur, err);
	if (cur->lev[0].v.n) {
		cur->pos = XFS_POS_ON;
		return 0;
	}
	cur->pos = last ? XFS_POS_BEFORE : XFS_POS_BEHIND;
	return -XFS_E_NOENT;
}

int xfs_btree_first(struct xfs_btree_cursor *cur)
{
	return to_edge(cur, false);
}

int xfs_btree_last(struct xfs_btree_cursor *cur)
{
	return to_edge(cur, true);
}

/*
 * Replaces the block at `level - 1` by that of the parent's present entry.  Its keys must lie beyond those of the block
 * that it replaces: this bounds every traversal, as no block can come twice, whatever the pointers say.
 */
static int replace_child(struct xfs_btree_cursor *cur, unsigned level, bool back)
{
	struct xfs_btree *bt = cur->bt;
	unsigned child = level - 1;
	struct xfs_btree_key old, new;
	struct xfs_btree_view *v = &cur->lev[child].v;
	int err, cmp;

	xfs_btree_view_low(bt, v, child, back ? 0 : v->n - 1, &old);
	err = descend(cur, level);
	if (err)
		return err;
	xfs_btree_view_low(bt, v, child, back ? v->n - 1 : 0, &new);
	cmp = xfs_btree_kind_cmp(bt->kind, &new, &old);
	cur->lev[child].idx = back ? v->n - 1 : 0;
	return (back ? cmp < 0 : cmp > 0) ? 0 : -XFS_E_CORRUPT;
}

/* Moves to the neighbouring leaf; NOENT when there is none (the cursor stays). */
static int step_leaf(struct xfs_btree_cursor *cur, bool back)
{
	unsigned level = 1;

	while (level < cur->bt->levels &&
	       (back ? cur->lev[level].idx == 0 : cur->lev[level].idx + 1 >= cur->lev[level].v.n))
		level++;
	if (level >= cur->bt->levels)
		return -XFS_E_NOENT;
	cur->lev[level].idx = back ? cur->lev[level].idx - 1 : cur->lev[level].idx + 1;
	if (!back && level == 1)
		xfs_btree_readahead_children(cur->bt, &cur->lev[1].v, cur->lev[1].idx);
	for (; level > 0; level--) {
		int err = replace_child(cur, level, back);

		if (err)
			return nowhere(cur, err);
	}
	return 0;
}

int xfs_btree_next(struct xfs_btree_cursor *cur)
{
	int err;

	switch (cur->pos) {
	case XFS_POS_BEFORE:
		if (cur->lev[0].v.n == 0)
			break;
		cur->pos = XFS_POS_ON;
		return 0;
	case XFS_POS_ON:
		if (cur->lev[0].idx + 1 < cur->lev[0].v.n) {
			cur->lev[0].idx++;
			return 0;
		}
		err = step_leaf(cur, false);
		if (err != -XFS_E_NOENT)
			return err;
		break;
	case XFS_POS_BEHIND:
		return -XFS_E_NOENT;
	default:
		return -XFS_E_INVALID;
	}
	cur->pos = XFS_POS_BEHIND;
	return -XFS_E_NOENT;
}

int xfs_btree_prev(struct xfs_btree_cursor *cur)
{
	int err;

	switch (cur->pos) {
	case XFS_POS_BEHIND:
		if (cur->lev[0].v.n == 0)
			break;
		cur->pos = XFS_POS_ON;
		return 0;
	case XFS_POS_ON:
		if (cur->lev[0].idx > 0) {
			cur->lev[0].idx--;
			return 0;
		}
		err = step_leaf(cur, true);
		if (err != -XFS_E_NOENT)
			return err;
		break;
	case XFS_POS_BEFORE:
		return -XFS_E_NOENT;
	default:
		return -XFS_E_INVALID;
	}
	cur->pos = XFS_POS_BEFORE;
	return -XFS_E_NOENT;
}

const void *xfs_btree_record(const struct xfs_btree_cursor *cur)
{
	return cur->pos == XFS_POS_ON ? xfs_btree_entry(&cur->lev[0].v, cur->lev[0].idx) : NULL;
}
