/* SPDX-License-Identifier: BSD-2-Clause */
/* delete.c - removing a record (format sheet 02, sections 3.3 and 3.4). */
#include "libxfs/btree/node.h"

enum action {
	STAY,		/* enough entries are left, or nothing can be done about it */
	FROM_RIGHT,	/* gets the first entry of the right sibling */
	FROM_LEFT,	/* gets the last entry of the left sibling */
	INTO_LEFT,	/* all entries go to the left sibling; the block is freed */
	TAKE_RIGHT,	/* gets all entries of the right sibling, which is freed */
};

struct step {
	enum action action;
	struct xfs_btree_block sib, far;	/* sibling; neighbour behind the freed block, whose link changes */
	bool has_sib, has_far;
};

struct plan {
	struct xfs_btree *bt;
	struct xfs_btree_cursor *cur;
	struct step lev[XFS_BTREE_MAXLEVELS];
	uint64_t freed[2 * XFS_BTREE_MAXLEVELS];
	unsigned nfreed;
};

static struct xfs_btree_node path_node(struct plan *p, unsigned level)
{
	return xfs_btree_node_of(p->bt, &p->cur->lev[level].b, level);
}

static void drop_sibling(struct plan *p, struct step *s)
{
	if (s->has_sib)
		xfs_btree_give_back(p->bt, &s->sib);
	s->has_sib = false;
}

static void release(struct plan *p)
{
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++) {
		drop_sibling(p, &p->lev[i]);
		if (p->lev[i].has_far)
			xfs_btree_give_back(p->bt, &p->lev[i].far);
	}
	xfs_btree_cursor_close(p->cur);
}

/* Fetches the sibling under the same parent; *n = its entries, 0 when there is none. */
static int fetch_sibling(struct plan *p, unsigned level, bool right, uint32_t *n)
{
	const struct xfs_btree_shape *shape = p->bt->kind->shape;
	struct xfs_btree_node parent = path_node(p, level + 1), node = path_node(p, level);
	uint32_t idx = p->cur->lev[level + 1].idx;
	struct step *s = &p->lev[level];
	int err;

	drop_sibling(p, s);
	*n = 0;
	if (right ? idx + 1 >= parent.n : idx == 0)
		return 0;
	err = xfs_btree_fetch_neighbour(p->bt, &node, right, &s->sib, &s->has_sib);
	if (!err && (!s->has_sib || s->sib.ptr != xfs_btree_get_ptr(shape, parent.ptrs +
			(size_t)(right ? idx + 1 : idx - 1) * shape->ptrlen)))
		err = -XFS_E_CORRUPT;
	if (!err)
		*n = xfs_btree_get_numrecs(s->sib.data);
	return err;
}

/* Joining: the neighbour behind the block that goes away must learn its new left neighbour. */
static int plan_join(struct plan *p, unsigned level, enum action action)
{
	struct step *s = &p->lev[level];
	struct xfs_btree_node gone = action == INTO_LEFT ? path_node(p, level)
							 : xfs_btree_node_of(p->bt, &s->sib, level);

	s->action = action;
	return xfs_btree_fetch_neighbour(p->bt, &gone, true, &s->far, &s->has_far);
}

/* Decides for a block that will have `left` entries. */
static int plan_level(struct plan *p, unsigned level, uint32_t left)
{
	struct xfs_btree_node node = path_node(p, level);
	struct step *s = &p->lev[level];
	uint32_t nright, nleft;
	int err = fetch_sibling(p, level, true, &nright);

	s->action = STAY;
	if (err)
		return err;
	if (nright > node.least) {
		s->action = FROM_RIGHT;
		return 0;
	}
	err = fetch_sibling(p, level, false, &nleft);
	if (err)
		return err;
	if (nleft > node.least) {
		s->action = FROM_LEFT;
		return 0;
	}
	if (nleft && nleft + left <= node.most)
		return plan_join(p, level, INTO_LEFT);
	if (nright && nright + left <= node.most) {
		err = fetch_sibling(p, level, true, &nright);
		return err ? err : plan_join(p, level, TAKE_RIGHT);
	}
	return 0;
}

static int prepare_all(struct plan *p)
{
	int err = xfs_btree_path_prepare(p->cur);

	for (unsigned level = 0; level < p->bt->levels && !err; level++) {
		struct step *s = &p->lev[level];

		if (s->has_sib)
			err = xfs_btree_prepare(p->bt, &s->sib);
		if (!err && s->has_far)
			err = xfs_btree_prepare(p->bt, &s->far);
	}
	return err;
}

static int make_plan(struct plan *p)
{
	for (unsigned level = 0; level + 1 < p->bt->levels; level++) {
		struct xfs_btree_node node = path_node(p, level);
		int err = 0;

		if (node.n - 1 < node.least)
			err = plan_level(p, level, node.n - 1);
		if (err)
			return err;
		/* the only leaf of a tree that must have records */
		if (node.n == 1 && p->lev[level].action == STAY && !p->bt->kind->root_leaf)
			return -XFS_E_INVALID;
		if (p->lev[level].action != INTO_LEFT && p->lev[level].action != TAKE_RIGHT)
			break;
	}
	return prepare_all(p);
}

static void borrow_one(struct plan *p, unsigned level, struct xfs_btree_node *node)
{
	struct step *s = &p->lev[level];
	struct xfs_btree_node sib = xfs_btree_node_of(p->bt, &s->sib, level), parent = path_node(p, level + 1);
	uint32_t idx = p->cur->lev[level + 1].idx;

	if (s->action == FROM_RIGHT)
		xfs_btree_node_shift_left(node, &sib, 1);
	else
		xfs_btree_node_shift_right(&sib, node, 1);
	xfs_btree_node_set_keys(&parent, idx, node);
	xfs_btree_node_set_keys(&parent, s->action == FROM_RIGHT ? idx + 1 : idx - 1, &sib);
}

/* Empties the right one of the pair into the left one; gives the index of its entry in the parent. */
static uint32_t join(struct plan *p, unsigned level, struct xfs_btree_node *node)
{
	struct step *s = &p->lev[level];
	struct xfs_btree_node sib = xfs_btree_node_of(p->bt, &s->sib, level), parent = path_node(p, level + 1);
	struct xfs_btree_node *left = s->action == INTO_LEFT ? &sib : node,
			       *gone = s->action == INTO_LEFT ? node : &sib;
	uint32_t idx = p->cur->lev[level + 1].idx, at = s->action == INTO_LEFT ? idx : idx + 1;

	xfs_btree_node_set_sib(left, true, xfs_btree_get_sib(p->bt->kind->shape, gone->data, true));
	xfs_btree_node_shift_left(left, gone, gone->n);
	if (s->has_far) {
		struct xfs_btree_node far = xfs_btree_node_of(p->bt, &s->far, level);

		xfs_btree_node_set_sib(&far, false, left->b->ptr);
	}
	xfs_btree_node_set_keys(&parent, at - 1, left);
	p->freed[p->nfreed++] = gone->b->ptr;
	return at;
}

/* A root block with one entry: its only child becomes the root. */
static void shrink_root(struct plan *p)
{
	struct xfs_btree *bt = p->bt;
	struct xfs_btree_node root = path_node(p, bt->levels - 1);

	if (bt->kind->inode_root || bt->levels == 1 || root.n != 1)
		return;
	p->freed[p->nfreed++] = bt->root;
	bt->root = xfs_btree_get_ptr(bt->kind->shape, root.ptrs);
	bt->levels--;
	if (bt->space->moved)
		bt->space->moved(bt->space->owner, bt);
}

/* A root in the inode with one entry, whose child fits into the fork: the child's entries move there. */
static bool pull_into_fork(struct plan *p, const struct xfs_btree_block *fork)
{
	struct xfs_btree *bt = p->bt;
	unsigned level = bt->levels - 1;
	struct xfs_btree_node root = xfs_btree_node_of(bt, fork, level), child;
	struct xfs_btree_block b;
	struct xfs_btree_view v;
	bool fits = false;
	uint64_t ptr;

	if (level == 0 || root.n != 1 || (level == 1 && !bt->kind->root_leaf))
		return false;
	ptr = xfs_btree_get_ptr(bt->kind->shape, root.ptrs);
	/* not through fetch: the child may have become empty just now */
	if (xfs_btree_borrow(bt, ptr, level - 1, &b))
		return false;
	b.ptr = ptr;
	xfs_btree_view_make(bt, ptr, b.data, &v);
	fits = v.n <= xfs_btree_inline_max(bt->kind, bt->inline_len, level == 1);
	if (fits) {
		child = xfs_btree_node_of(bt, &b, level - 1);
		root = xfs_btree_node_reset_fork(bt, fork, level - 1);
		xfs_btree_node_copy(&root, &child);
		p->freed[p->nfreed++] = ptr;
		bt->levels--;
	}
	xfs_btree_give_back(bt, &b);
	if (fits && bt->space->moved)
		bt->space->moved(bt->space->owner, bt);
	return fits;
}

static void apply(struct plan *p)
{
	struct xfs_btree *bt = p->bt;
	const struct xfs_btree_block *top = &p->cur->lev[bt->levels - 1].b;
	uint32_t at = p->cur->lev[0].idx;
	unsigned level = 0;

	for (;; level++) {
		struct xfs_btree_node node = path_node(p, level);

		xfs_btree_node_remove(&node, at);
		if (p->lev[level].action == FROM_RIGHT || p->lev[level].action == FROM_LEFT)
			borrow_one(p, level, &node);
		if (p->lev[level].action != INTO_LEFT && p->lev[level].action != TAKE_RIGHT)
			break;
		at = join(p, level, &node);
	}
	/* a sibling that gave an entry changed nothing above the parent; start there to be sure of both */
	xfs_btree_path_set_keys(p->cur, level);
	if (p->lev[level].action == FROM_RIGHT || p->lev[level].action == FROM_LEFT)
		xfs_btree_path_set_keys(p->cur, level + 1);
	shrink_root(p);
	while (bt->kind->inode_root && pull_into_fork(p, top))
		;
}

int xfs_btree_delete(struct xfs_btree_cursor *cur)
{
	struct plan p = { .bt = cur->bt, .cur = cur };
	int err = xfs_btree_check_changeable(cur->bt);

	if (!err && cur->pos != XFS_POS_ON)
		err = -XFS_E_INVALID;
	if (err)
		return err;
	err = make_plan(&p);
	if (!err)
		apply(&p);
	release(&p);
	for (unsigned i = 0; i < p.nfreed && !err; i++)
		err = cur->bt->space->free(cur->bt->space->owner, p.freed[i]);
	return err;
}
