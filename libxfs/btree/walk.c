/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.c - every block of a tree once, level by level from the root; for salvage, so order of keys does not matter. */
#include "libxfs/btree/priv.h"
#include "libxfs/btree/ptrset.h"

#include <stdlib.h>

/* Pointers of one level; a level is kept as a whole, 8 bytes a block. */
struct queue {
	uint64_t *p;
	size_t n, room;
};

struct walk {
	struct xfs_btree *bt;
	const struct xfs_btree_walk *to;
	struct queue now, below;
	struct xfs_ptrset met;		/* blocks that were walked: a hostile tree can't repeat them */
};

static int push_children(struct walk *w, const struct xfs_btree_view *v)
{
	struct queue *q = &w->below;

	if (q->room - q->n < v->n) {
		size_t room = (q->room + v->n) * 2, bytes;
		uint64_t *p;

		if (xfs_mul_overflows(room, sizeof(*p), &bytes))
			return -XFS_E_NOMEM;
		p = realloc(q->p, bytes);
		if (!p)
			return -XFS_E_NOMEM;
		q->p = p;
		q->room = room;
	}
	for (uint32_t i = 0; i < v->n; i++)
		q->p[q->n++] = xfs_btree_view_ptr(w->bt, v, i);
	return 0;
}

static int report(struct walk *w, uint64_t ptr, unsigned level, int err)
{
	return err == -XFS_E_NOMEM || !w->to->bad ? err : w->to->bad(w->to->payload, ptr, level, err);
}

static int walk_block(struct walk *w, uint64_t ptr, unsigned level)
{
	struct xfs_btree_block b;
	struct xfs_btree_view v;
	bool had = false;
	int err = xfs_btree_fetch(w->bt, ptr, level, &b, &v);

	if (err)
		return report(w, ptr, level, err);
	if (!xfs_btree_is_inline(w->bt, ptr))
		err = xfs_ptrset_add(&w->met, ptr, &had);
	if (!err && had) {
		err = report(w, ptr, level, -XFS_E_LOOP);
	} else if (!err) {
		err = w->to->block(w->to->payload, ptr, level, b.data);
		if (!err && level > 0)
			err = push_children(w, &v);
	}
	xfs_btree_give_back(w->bt, &b);
	return err;
}

static int walk_level(struct walk *w, unsigned level)
{
	struct xfs_btree *bt = w->bt;
	int err = 0;

	for (size_t i = 0; i < w->now.n && !err; i++) {
		if (i % XFS_BTREE_BATCH == 0 && bt->io.readahead && !xfs_btree_is_inline(bt, w->now.p[i]))
			bt->io.readahead(bt->io.owner, w->now.p + i, (size_t)xfs_min(XFS_BTREE_BATCH, w->now.n - i));
		err = walk_block(w, w->now.p[i], level);
	}
	return err;
}

int xfs_btree_walk(struct xfs_btree *bt, const struct xfs_btree_walk *to)
{
	struct walk w = { .bt = bt, .to = to };
	uint64_t root = xfs_btree_root_ptr(bt);
	int err = xfs_btree_check_instance(bt);

	if (err)
		return err;
	w.now = (struct queue){ malloc(sizeof(root)), 1, 1 };
	if (!w.now.p)
		return -XFS_E_NOMEM;
	w.now.p[0] = root;
	for (unsigned level = bt->levels; level-- > 0 && !err;) {
		struct queue done = w.now;

		err = walk_level(&w, level);
		w.now = w.below;
		w.below = (struct queue){ done.p, 0, done.room };
	}
	free(w.now.p);
	free(w.below.p);
	xfs_ptrset_release(&w.met);
	return err;
}
