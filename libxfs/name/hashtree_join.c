/* SPDX-License-Identifier: BSD-2-Clause */
/* hashtree_join.c - hash trees that shrink: joins with neighbours, blocks given up, a lower root. */
#include "libxfs/name/hashtree.h"

/* Per cent of its room below which a block looks for a neighbour, and up to which they may fill one together. */
#define LOW 37u
#define JOINED 75u

static uint32_t used(const struct xfs_hashtree_path *p, const struct xfs_da_block *b)
{
	return xfs_da_is_node(b) ? 8 * b->count : p->leaves->used(p->op, b);
}

static uint32_t room(const struct xfs_hashtree_path *p, const struct xfs_da_block *b)
{
	return xfs_da_is_node(b) ? 8 * xfs_da_maxents(p->op->g->v5, p->op->size) : p->leaves->room;
}

/* A neighbour's link to a block that goes. */
static int relink(const struct xfs_forkop *op, uint32_t block, bool forw, uint32_t to)
{
	struct xfs_da_block b;
	int err;

	if (!block)
		return 0;
	err = xfs_hashtree_get_owned(op, block, &b);
	if (err)
		return err;
	xfs_hashtree_set_links(&b, forw ? to : b.forw, forw ? b.back : to);
	xfs_da_put(&b);
	return 0;
}

/* Takes a block out of its row and gives it up; the caller takes it out of the node above. */
static int drop(const struct xfs_forkop *op, const struct xfs_da_block *b)
{
	int err = relink(op, b->back, true, b->forw);

	if (!err)
		err = relink(op, b->forw, false, b->back);
	return err ? err : xfs_forkop_free(op, b->block, op->fsbs);
}

/* Removes child i of an owned node. */
static void remove_child(const struct xfs_forkop *op, struct xfs_da_block *b, uint32_t i)
{
	uint32_t off = (uint32_t)(b->entries - b->buf->data) + 8 * i, len = 8 * (b->count - i - 1);

	memmove(b->buf->data + off, b->buf->data + off + 8, len);
	xfs_change_dirty(b->buf, off, len);
	xfs_hashtree_set_count(op, b, b->count - 1);
}

static int move_all(const struct xfs_hashtree_path *p, struct xfs_da_block *from, struct xfs_da_block *to)
{
	uint32_t off = (uint32_t)(to->entries - to->buf->data) + 8 * to->count;

	if (!xfs_da_is_node(to))
		return p->leaves->move(p->op, from, 0, to);
	memcpy(to->buf->data + off, from->entries, 8 * (size_t)from->count);
	xfs_change_dirty(to->buf, off, 8 * from->count);
	xfs_hashtree_set_count(p->op, to, to->count + from->count);
	return 0;
}

/* Joins children i and i + 1 of the node at `depth`. */
static int join(struct xfs_hashtree_path *p, unsigned depth, uint32_t i)
{
	struct xfs_da_block left = { 0 }, right = { 0 };
	int err = xfs_hashtree_own(p, depth);

	if (!err)
		err = xfs_hashtree_get_owned(p->op, xfs_da_value(&p->at[depth].b, i), &left);
	if (!err)
		err = xfs_hashtree_get_owned(p->op, xfs_da_value(&p->at[depth].b, i + 1), &right);
	if (!err)
		err = move_all(p, &right, &left);
	if (!err)
		err = drop(p->op, &right);
	xfs_da_put(&left);
	xfs_da_put(&right);
	if (err)
		return err;
	/* the contents are what counts now: stale entries may be gone */
	err = xfs_hashtree_get(p->op, xfs_da_value(&p->at[depth].b, i), &left);
	if (err)
		return err;
	remove_child(p->op, &p->at[depth].b, i + 1);
	xfs_hashtree_set_hash(&p->at[depth].b, i, xfs_hashtree_last_hash(&left));
	xfs_da_put(&left);
	return 0;
}

/* Can children i and i + 1 of the node at `depth` be one? */
static int can_join(struct xfs_hashtree_path *p, unsigned depth, uint32_t i, bool *yes)
{
	struct xfs_da_block left, right;
	int err = xfs_hashtree_get(p->op, xfs_da_value(&p->at[depth].b, i), &left);

	if (err)
		return err;
	err = xfs_hashtree_get(p->op, xfs_da_value(&p->at[depth].b, i + 1), &right);
	if (!err) {
		if (left.level != right.level || left.forw != right.block || left.level + 1 != p->at[depth].b.level)
			err = -XFS_E_CORRUPT;
		else
			*yes = (used(p, &left) + used(p, &right)) * 100 <= room(p, &left) * JOINED;
		xfs_da_put(&right);
	}
	xfs_da_put(&left);
	return err;
}

/* Nodes from `depth` up follow the last hash of the one at `depth`. */
static int raise_from(struct xfs_hashtree_path *p, unsigned depth)
{
	while (p->depth > depth + 1)
		xfs_da_put(&p->at[--p->depth].b);
	return xfs_hashtree_raise(p);
}

/* One level: the block at `depth` has lost something. *more: the node above has, too. */
static int shrink_level(struct xfs_hashtree_path *p, unsigned depth, bool *more)
{
	struct xfs_da_block *b = &p->at[depth].b, *above = &p->at[depth - 1].b;
	uint32_t have = used(p, b), i = p->at[depth - 1].i;
	bool yes = false;
	int err = 0;

	*more = false;
	if (have * 100 > room(p, b) * LOW || (!b->forw && !b->back))
		return 0;
	if (!have) {
		err = drop(p->op, b);
		if (!err)
			err = xfs_hashtree_own(p, depth - 1);
		if (!err)
			remove_child(p->op, above, i);
	} else {
		if (i) {
			err = can_join(p, depth - 1, i - 1, &yes);
			if (yes)
				i--;
		}
		if (!err && !yes && i + 1 < above->count)
			err = can_join(p, depth - 1, i, &yes);
		if (err || !yes)
			return err;
		err = join(p, depth - 1, i);
	}
	*more = !err;
	return err;
}

/* A root with one child takes its contents. */
static int raise_root(struct xfs_hashtree_path *p)
{
	const struct xfs_forkop *op = p->op;

	for (;;) {
		struct xfs_da_block root, child;
		int err = xfs_hashtree_get(op, op->from, &root);

		if (err)
			return err;
		if (!xfs_da_is_node(&root) || root.count != 1) {
			xfs_da_put(&root);
			return 0;
		}
		child.block = xfs_da_value(&root, 0);
		xfs_da_put(&root);
		err = child.block == op->from ? -XFS_E_CORRUPT : xfs_hashtree_get_owned(op, op->from, &root);
		if (err)
			return err;
		err = xfs_hashtree_get(op, child.block, &child);
		if (!err) {
			if (child.level + 1 != root.level || child.forw || child.back)
				err = -XFS_E_CORRUPT;
			else
				xfs_forkop_copy(op, root.buf, child.buf, p->leaves->kind);
			xfs_da_put(&child);
		}
		xfs_da_put(&root);
		if (!err)
			err = xfs_forkop_free(op, child.block, op->fsbs);
		if (err)
			return err;
	}
}

int xfs_hashtree_shrink(struct xfs_hashtree_path *p)
{
	bool more = true;
	int err = 0;

	for (unsigned depth = p->depth - 1; depth && !err && more; depth--) {
		err = shrink_level(p, depth, &more);
		/* an empty node has no last hash: it is dropped on the next level */
		if (!err && more && p->at[depth - 1].b.count)
			err = raise_from(p, depth - 1);
	}
	xfs_hashtree_put(p);
	return err ? err : raise_root(p);
}
