/* SPDX-License-Identifier: BSD-2-Clause */
/* insert.c - adding and replacing a record (format sheet 02, sections 3.2 and 3.4). */
#include "libxfs/btree/node.h"

/* What happens to the block of one level of the path. */
enum action {
	ROOM,		/* it has room */
	TO_RIGHT,	/* its last entry moves to the right sibling */
	TO_LEFT,	/* its first entry moves to the left sibling */
	SPLIT,		/* its second half moves to a new block, whose entry goes one level up */
	OUT_OF_FORK,	/* the root in the inode moves to a new block */
};

struct step {
	enum action action;
	struct xfs_btree_block sib, far, fresh;	/* sibling; right neighbour whose link changes; new block */
	bool has_sib, has_far, has_fresh;
};

struct plan {
	struct xfs_btree *bt;
	struct xfs_btree_cursor cur;		/* path to the place */
	struct step lev[XFS_BTREE_MAXLEVELS];
	struct step root;			/* the new root block, when the old one is split */
	uint64_t taken[XFS_BTREE_MAXLEVELS + 1];	/* blocks allocated, to give back on failure */
	unsigned ntaken;
};

static void release_step(struct plan *p, struct step *s)
{
	if (s->has_sib)
		xfs_btree_give_back(p->bt, &s->sib);
	if (s->has_far)
		xfs_btree_give_back(p->bt, &s->far);
	if (s->has_fresh)
		xfs_btree_give_back(p->bt, &s->fresh);
}

static void release(struct plan *p)
{
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++)
		release_step(p, &p->lev[i]);
	release_step(p, &p->root);
	xfs_btree_cursor_close(&p->cur);
}

static struct xfs_btree_node path_node(struct plan *p, unsigned level)
{
	return xfs_btree_node_of(p->bt, &p->cur.lev[level].b, level);
}

static int take_block(struct plan *p, struct step *s, unsigned level, uint64_t near)
{
	const struct xfs_btree_space *space = p->bt->space;
	uint64_t ptr;
	int err = space->alloc(space->owner, level, near, &ptr);

	if (err)
		return err;
	p->taken[p->ntaken++] = ptr;
	s->fresh = (struct xfs_btree_block){ .ptr = ptr };
	err = space->fresh(space->owner, ptr, &s->fresh);
	s->has_fresh = !err;
	s->fresh.ptr = ptr;
	return err;
}

/* Fetches the sibling under the same parent; *ok when it is there and has room. */
static int look_at_sibling(struct plan *p, unsigned level, bool right, bool *ok)
{
	struct xfs_btree_node parent = path_node(p, level + 1), node = path_node(p, level);
	uint32_t idx = p->cur.lev[level + 1].idx;
	struct step *s = &p->lev[level];
	int err;

	*ok = false;
	if (right ? idx + 1 >= parent.n : idx == 0)
		return 0;
	err = xfs_btree_fetch_neighbour(p->bt, &node, right, &s->sib, &s->has_sib);
	if (!err && (!s->has_sib || s->sib.ptr != xfs_btree_get_ptr(p->bt->kind->shape, parent.ptrs +
			(size_t)(right ? idx + 1 : idx - 1) * p->bt->kind->shape->ptrlen)))
		err = -XFS_E_CORRUPT;
	if (err)
		return err;
	*ok = xfs_btree_get_numrecs(s->sib.data) < node.most;
	if (!*ok) {
		xfs_btree_give_back(p->bt, &s->sib);
		s->has_sib = false;
	}
	return 0;
}

static int plan_split(struct plan *p, unsigned level)
{
	struct xfs_btree_node node = path_node(p, level);
	struct step *s = &p->lev[level];
	int err;

	s->action = SPLIT;
	err = xfs_btree_fetch_neighbour(p->bt, &node, true, &s->far, &s->has_far);
	if (!err)
		err = take_block(p, s, level, node.b->ptr);
	if (!err && level + 1 == p->bt->levels)
		err = p->bt->levels == XFS_BTREE_MAXLEVELS ? -XFS_E_TOOBIG
			: take_block(p, &p->root, level + 1, node.b->ptr);
	return err;
}

/* Decides for one level where the new entry goes to position `at`; *done when nothing goes up. */
static int plan_level(struct plan *p, unsigned level, uint32_t at, bool *done)
{
	struct xfs_btree_node node = path_node(p, level);
	struct step *s = &p->lev[level];
	bool ok = false;
	int err = 0;

	*done = true;
	if (node.n < node.most) {
		s->action = ROOM;
		return 0;
	}
	if (level + 1 == p->bt->levels && p->bt->kind->inode_root) {
		s->action = OUT_OF_FORK;
		return p->bt->levels == XFS_BTREE_MAXLEVELS ? -XFS_E_TOOBIG : take_block(p, s, level, XFS_NULL64);
	}
	/* an entry only leaves if the new one is not to go beyond it */
	if (level + 1 < p->bt->levels && at < node.n) {
		err = look_at_sibling(p, level, true, &ok);
		s->action = TO_RIGHT;
	}
	if (!err && !ok && level + 1 < p->bt->levels && at > 0) {
		err = look_at_sibling(p, level, false, &ok);
		s->action = TO_LEFT;
	}
	if (err || ok)
		return err;
	*done = false;
	return plan_split(p, level);
}

static int prepare_all(struct plan *p)
{
	int err = xfs_btree_path_prepare(&p->cur);

	for (unsigned level = 0; level < p->bt->levels && !err; level++) {
		struct step *s = &p->lev[level];

		if (s->has_sib)
			err = xfs_btree_prepare(p->bt, &s->sib);
		if (!err && s->has_far)
			err = xfs_btree_prepare(p->bt, &s->far);
	}
	return err;
}

static int make_plan(struct plan *p, uint32_t at)
{
	bool done = false;

	for (unsigned level = 0; level < p->bt->levels && !done; level++) {
		int err = plan_level(p, level, level ? p->cur.lev[level].idx + 1 : at, &done);

		if (err)
			return err;
	}
	return prepare_all(p);
}

static struct xfs_btree_node init_block(struct plan *p, struct step *s, unsigned level)
{
	struct xfs_btree *bt = p->bt;
	struct xfs_btree_head head = {
		.kind = bt->kind, .v5 = bt->v5, .blocksize = bt->blocksize, .uuid = bt->uuid, .owner = bt->owner,
		.daddr = bt->v5 ? bt->daddr_of(bt->io.owner, s->fresh.ptr) : 0,
	};

	xfs_btree_block_init(&head, level, 0, (uint8_t *)(uintptr_t)s->fresh.data);
	bt->space->dirty(bt->space->owner, &s->fresh, 0, bt->blocksize);
	return xfs_btree_node_of(bt, &s->fresh, level);
}

/* Splits the block of the path around the new entry; the entry for the new right block goes on. */
static void do_split(struct plan *p, unsigned level, uint32_t at, struct xfs_btree_carry *c)
{
	struct step *s = &p->lev[level];
	struct xfs_btree_node left = path_node(p, level), right = init_block(p, s, level);
	uint32_t half = left.n / 2, take = half + (left.n % 2 && at <= half), keep = left.n - take;

	xfs_btree_node_set_sib(&right, false, left.b->ptr);
	xfs_btree_node_set_sib(&right, true, xfs_btree_get_sib(p->bt->kind->shape, left.data, true));
	if (s->has_far) {
		struct xfs_btree_node far = xfs_btree_node_of(p->bt, &s->far, level);

		xfs_btree_node_set_sib(&far, false, right.b->ptr);
	}
	xfs_btree_node_set_sib(&left, true, right.b->ptr);
	xfs_btree_node_shift_right(&left, &right, take);
	/* on the cut it goes to the smaller half */
	if (at < keep || (at == keep && keep <= take))
		xfs_btree_node_insert(&left, at, c);
	else
		xfs_btree_node_insert(&right, at - keep, c);
	xfs_btree_node_carry(&right, c);
	if (level + 1 < p->bt->levels) {
		struct xfs_btree_node parent = path_node(p, level + 1);

		xfs_btree_node_set_keys(&parent, p->cur.lev[level + 1].idx, &left);
	}
}

static void new_root(struct plan *p, const struct xfs_btree_carry *right)
{
	struct xfs_btree *bt = p->bt;
	struct xfs_btree_node old = path_node(p, bt->levels - 1), root = init_block(p, &p->root, bt->levels);
	struct xfs_btree_carry left;

	xfs_btree_node_carry(&old, &left);
	xfs_btree_node_insert(&root, 0, &left);
	xfs_btree_node_insert(&root, 1, right);
	bt->root = root.b->ptr;
	bt->levels++;
	if (bt->space->moved)
		bt->space->moved(bt->space->owner, bt);
}

static void do_shift(struct plan *p, unsigned level, uint32_t at, const struct xfs_btree_carry *c)
{
	struct step *s = &p->lev[level];
	struct xfs_btree_node node = path_node(p, level), sib = xfs_btree_node_of(p->bt, &s->sib, level);
	struct xfs_btree_node parent = path_node(p, level + 1);
	uint32_t idx = p->cur.lev[level + 1].idx;

	if (s->action == TO_RIGHT) {
		xfs_btree_node_shift_right(&node, &sib, 1);
		xfs_btree_node_insert(&node, at, c);
		xfs_btree_node_set_keys(&parent, idx + 1, &sib);
	} else {
		xfs_btree_node_shift_left(&sib, &node, 1);
		xfs_btree_node_insert(&node, at - 1, c);
		xfs_btree_node_set_keys(&parent, idx - 1, &sib);
	}
	xfs_btree_node_set_keys(&parent, idx, &node);
}

static void do_out_of_fork(struct plan *p, unsigned level, uint32_t at, const struct xfs_btree_carry *c)
{
	struct xfs_btree *bt = p->bt;
	struct xfs_btree_node fork = path_node(p, level), block = init_block(p, &p->lev[level], level);
	struct xfs_btree_carry up;

	xfs_btree_node_copy(&block, &fork);
	xfs_btree_node_insert(&block, at, c);
	xfs_btree_node_carry(&block, &up);
	fork = xfs_btree_node_reset_fork(bt, &p->cur.lev[level].b, level + 1);
	xfs_btree_node_insert(&fork, 0, &up);
	bt->levels++;
	if (bt->space->moved)
		bt->space->moved(bt->space->owner, bt);
}

/* Carries out the plan; nothing here can fail. */
static void apply(struct plan *p, uint32_t at, const void *rec)
{
	unsigned level = 0, levels = p->bt->levels;
	struct xfs_btree_carry c;

	memcpy(c.entry, rec, p->bt->kind->shape->reclen);
	while (level < levels && p->lev[level].action == SPLIT) {
		do_split(p, level++, at, &c);
		if (level < levels)
			at = p->cur.lev[level].idx + 1;
	}
	if (level == levels) {
		new_root(p, &c);
		return;
	}
	switch (p->lev[level].action) {
	case TO_RIGHT:
	case TO_LEFT:
		do_shift(p, level, at, &c);
		xfs_btree_path_set_keys(&p->cur, level + 1);
		break;
	case OUT_OF_FORK:
		do_out_of_fork(p, level, at, &c);
		break;
	default: {
		struct xfs_btree_node node = path_node(p, level);

		xfs_btree_node_insert(&node, at, &c);
		xfs_btree_path_set_keys(&p->cur, level);
	}
	}
}

int xfs_btree_insert(struct xfs_btree *bt, const void *rec)
{
	struct plan p = { .bt = bt };
	struct xfs_btree_key key, there;
	uint32_t at;
	int err = xfs_btree_check_changeable(bt);

	if (err)
		return err;
	xfs_btree_cursor_init(&p.cur, bt);
	bt->kind->low(&key, rec);
	err = xfs_btree_lookup(&p.cur, XFS_LOOKUP_LE, &key);
	if (err && err != -XFS_E_NOENT)
		goto out;
	at = 0;		/* before the first record, or in an empty leaf */
	if (!err) {
		bt->kind->low(&there, xfs_btree_record(&p.cur));
		at = p.cur.lev[0].idx + 1;
		err = xfs_btree_kind_cmp(bt->kind, &there, &key) == 0 ? -XFS_E_EXISTS : 0;
		if (err)
			goto out;
	}
	err = make_plan(&p, at);
	if (!err)
		apply(&p, at, rec);
out:
	release(&p);
	for (unsigned i = 0; err && i < p.ntaken; i++)
		bt->space->free(bt->space->owner, p.taken[i]);
	return err;
}

/* True when `key` lies strictly between the neighbours of the cursor's record. */
static int fits_between(struct xfs_btree_cursor *at, const struct xfs_btree_key *old, const struct xfs_btree_key *key)
{
	const struct xfs_btree_kind *kind = at->bt->kind;
	bool up = xfs_btree_kind_cmp(kind, key, old) > 0;
	struct xfs_btree_cursor cur;
	struct xfs_btree_key there;
	int err;

	xfs_btree_cursor_init(&cur, at->bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_EQ, old);
	if (!err)
		err = up ? xfs_btree_next(&cur) : xfs_btree_prev(&cur);
	if (!err) {
		int cmp;

		kind->low(&there, xfs_btree_record(&cur));
		cmp = xfs_btree_kind_cmp(kind, key, &there);
		err = (up ? cmp < 0 : cmp > 0) ? 0 : -XFS_E_INVALID;
	} else if (err == -XFS_E_NOENT) {
		err = 0;
	}
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_btree_update(struct xfs_btree_cursor *cur, const void *rec)
{
	struct xfs_btree *bt = cur->bt;
	struct xfs_btree_key old, new;
	struct xfs_btree_node leaf;
	size_t len = bt->kind->shape->reclen;
	uint8_t *at;
	int err = xfs_btree_check_changeable(bt);

	if (!err && cur->pos != XFS_POS_ON)
		err = -XFS_E_INVALID;
	if (err)
		return err;
	bt->kind->low(&old, xfs_btree_record(cur));
	bt->kind->low(&new, rec);
	if (xfs_btree_kind_cmp(bt->kind, &old, &new))
		err = fits_between(cur, &old, &new);
	if (!err)
		err = xfs_btree_path_prepare(cur);
	if (err)
		return err;
	leaf = xfs_btree_node_of(bt, &cur->lev[0].b, 0);
	at = leaf.entries + cur->lev[0].idx * len;
	memcpy(at, rec, len);
	bt->space->dirty(bt->space->owner, leaf.b, (uint32_t)(at - leaf.data), (uint32_t)len);
	xfs_btree_path_set_keys(cur, 0);
	return 0;
}
