/* SPDX-License-Identifier: BSD-2-Clause */
/* attrtree.c - attributes in leaves: found, added, removed; the way back into the inode. */
#include "libxfs/name/attrprivate.h"

#include <stdlib.h>

int xfs_attrtree_begin(const struct xfs_attrop *op)
{
	const struct xfs_hashtree_leaves leaves = xfs_attrleaf_ops(op);
	struct xfs_buf *b;
	int err = xfs_forkop_new(&op->k, 0, XFS_BLK_ATTR_ANY, leaves.magic[op->k.g->v5], &b);

	if (!err)
		leaves.init(&op->k, b);
	return err;
}

/* ---- looking ---- */

/* What was found. */
struct place {
	struct xfs_hashtree_path path;
	uint32_t i;
	struct xfs_attr a;		/* name and value lie in the leaf */
	uint32_t size;
};

/*
 * The next entry of this attribute with the wanted completeness, from the first leaf on. The path is held in any case.
 * NOENT.
 */
static int find(const struct xfs_attrop *op, struct place *p, bool incomplete)
{
	struct xfs_da_block *b;
	uint32_t at;
	int err = xfs_hashtree_find(&p->path, op->hash);

	for (; !err; err = xfs_hashtree_next(&p->path)) {
		b = xfs_hashtree_leaf(&p->path);
		for (p->i = xfs_da_search(b, op->hash); p->i < b->count && xfs_da_hash(b, p->i) == op->hash; p->i++) {
			err = xfs_attr_leaf_entry(op->k.g, b->buf->data, p->i, &p->a, &at, &p->size);
			if (err)
				return err;
			if (incomplete == ((p->a.flags & XFS_ATTR_INCOMPLETE) != 0) && xfs_attrop_matches(op, &p->a))
				return 0;
		}
		if (p->i < b->count)
			return -XFS_E_NOENT;
	}
	return err;
}

/* ---- adding ---- */

/* Where to cut a leaf that is full, for a record that comes before entry i; *right: it goes to the right part. */
static int choose_cut(const struct xfs_attrop *op, const struct xfs_da_block *b, uint32_t i, uint32_t room,
		      uint32_t *cut, bool *right)
{
	uint32_t need = op->record + 8, total = 0, left = 0, best = UINT32_MAX, cost = 0;
	int err = 0;

	for (uint32_t k = 0; k < b->count && !err; k++) {
		err = xfs_attrleaf_cost(&op->k, b->buf, k, &cost);
		total += cost;
	}
	*cut = i;			/* a leaf between both parts, when nothing better is found */
	*right = false;
	for (uint32_t k = 0; k <= b->count && !err; k++) {
		for (unsigned side = 0; side < 2; side++) {
			uint32_t l = left + (side ? 0 : need), r = total - left + (side ? need : 0);
			uint32_t worst = l > r ? l : r;

			if (side ? i < k : i > k)
				continue;
			if (worst <= room && worst < best) {
				best = worst;
				*cut = k;
				*right = side != 0;
			}
		}
		if (k < b->count)
			err = xfs_attrleaf_cost(&op->k, b->buf, k, &cost);
		left += cost;
	}
	return err;
}

/* The leaf at the end of the path gets room, or another one is there. */
static int make_room(const struct xfs_attrop *op, struct xfs_hashtree_path *path)
{
	/* twice: the second time the leaf ends where the new record goes, and it gets one for itself */
	for (unsigned tries = 0; tries < 3; tries++) {
		struct xfs_da_block *b = xfs_hashtree_leaf(path);
		uint32_t cut;
		bool right;
		int err = xfs_hashtree_own(path, path->depth - 1);

		if (err)
			return err;
		if (xfs_attrleaf_has_room(&op->k, b->buf, op->record))
			return 0;
		err = choose_cut(op, b, xfs_da_search(b, op->hash), path->leaves->room, &cut, &right);
		if (!err)
			err = xfs_hashtree_split(path, cut);
		if (!err && right)
			err = xfs_hashtree_next(path);
		if (err)
			return err == -XFS_E_NOENT ? -XFS_E_INTERNAL : err;
	}
	return -XFS_E_CORRUPT;
}

static int insert(const struct xfs_attrop *op, uint32_t valueblk)
{
	const struct xfs_hashtree_leaves leaves = xfs_attrleaf_ops(op);
	struct xfs_hashtree_path path;
	struct xfs_da_block *b;
	int err;

	xfs_hashtree_init(&path, &op->k, &leaves);
	err = xfs_hashtree_find(&path, op->hash);
	if (!err)
		err = make_room(op, &path);
	if (!err) {
		b = xfs_hashtree_leaf(&path);
		err = xfs_attrleaf_add(op, b->buf, xfs_da_search(b, op->hash), valueblk);
	}
	if (!err) {
		xfs_hashtree_reload(&path);
		err = xfs_hashtree_raise(&path);
	}
	xfs_hashtree_put(&path);
	return err;
}

int xfs_attrtree_insert(const struct xfs_attrop *op)
{
	uint32_t valueblk = 0;
	int err = op->remote ? xfs_attrremote_write(op, &valueblk) : 0;

	return err ? err : insert(op, valueblk);
}

/* ---- removing ---- */

/* The entry at the place goes, with its value; the path is put. */
static int remove_at(const struct xfs_attrop *op, struct place *p)
{
	uint32_t valueblk = p->a.valueblk, valuelen = p->a.valuelen;
	bool remote = !(p->a.flags & XFS_ATTR_LOCAL);
	int err = xfs_hashtree_own(&p->path, p->path.depth - 1);

	if (!err)
		err = xfs_attrleaf_remove(&op->k, xfs_hashtree_leaf(&p->path)->buf, p->i);
	if (!err) {
		xfs_hashtree_reload(&p->path);
		if (xfs_hashtree_leaf(&p->path)->count)
			err = xfs_hashtree_raise(&p->path);
	}
	if (!err)
		err = xfs_hashtree_shrink(&p->path);
	if (!err && remote)
		err = xfs_attrremote_free(op, valueblk, valuelen);
	return err;
}

/* All entries of this attribute. NOENT: none was complete. */
static int remove_entries(const struct xfs_attrop *op, bool complete)
{
	const struct xfs_hashtree_leaves leaves = xfs_attrleaf_ops(op);
	struct place p;
	int found = -XFS_E_NOENT, err;

	xfs_hashtree_init(&p.path, &op->k, &leaves);
	for (unsigned pass = 0; pass < 2; pass++) {
		if (pass && !complete)
			break;
		while (!(err = find(op, &p, pass == 0))) {
			if (pass)
				found = 0;
			err = remove_at(op, &p);
			if (err)
				break;
		}
		if (err != -XFS_E_NOENT) {
			xfs_hashtree_put(&p.path);
			return err;
		}
	}
	xfs_hashtree_put(&p.path);
	return found;
}

/* ---- back into the inode ---- */

/* All entries of the only leaf, when they may be in a short list. 1: they may not. */
static int gather(const struct xfs_attrop *op, const struct xfs_da_block *b, struct xfs_attr_list *l)
{
	int err = 0;

	xfs_attrshort_clear(l);
	for (uint32_t i = 0; i < b->count && !err; i++) {
		struct xfs_attr a;
		uint32_t at, size;

		err = xfs_attr_leaf_entry(op->k.g, b->buf->data, i, &a, &at, &size);
		if (!err && (!(a.flags & XFS_ATTR_LOCAL) || a.flags & XFS_ATTR_INCOMPLETE))
			err = 1;
		if (!err)
			err = xfs_attrshort_append(l, a.name, a.namelen, a.value, a.valuelen,
						   a.flags & XFS_ATTR_NAMESPACES);
	}
	return err;
}

/* Is block 0 all that the fork has? Blocks that an interrupted run left keep it from becoming short. */
static int is_one_block(const struct xfs_attrop *op, bool *yes)
{
	uint64_t end;
	int err = xfs_forkop_end(&op->k, 0, XFS_NULL64, &end);

	*yes = end == 1;
	return err;
}

static int to_short(const struct xfs_attrop *op)
{
	struct xfs_forkoff_facts facts = xfs_attrop_facts(op);
	struct xfs_da_block b;
	struct xfs_attr_list *l;
	bool yes = false;
	int err = xfs_hashtree_get(&op->k, 0, &b);

	if (err)
		return err;
	/* the least that an entry takes in an inode is 4 bytes */
	if (xfs_da_is_node(&b) || b.count > op->k.g->litino / 4) {
		xfs_da_put(&b);
		return 0;
	}
	l = malloc(sizeof(*l));
	err = l ? gather(op, &b, l) : -XFS_E_NOMEM;
	xfs_da_put(&b);
	if (!err)
		err = is_one_block(op, &yes);
	if (!err && yes && (!l->n || xfs_forkoff_short(op->k.g, &facts, l->bytes))) {
		err = xfs_forkop_free(&op->k, 0, 1);
		if (!err)
			err = xfs_attrshort_store(op, l);
		if (err == 1)
			err = -XFS_E_INTERNAL;
	}
	free(l);
	return err == 1 ? 0 : err;
}

/* ---- changes ---- */

/* A value of the same length changes where it lies. NOENT: not there; 1: it can't. */
static int overwrite(const struct xfs_attrop *op, enum xfs_attr_how how)
{
	const struct xfs_hashtree_leaves leaves = xfs_attrleaf_ops(op);
	const struct xfs_attr_want *w = op->want;
	struct place p;
	int err;

	xfs_hashtree_init(&p.path, &op->k, &leaves);
	err = find(op, &p, false);
	if (!err && how == XFS_ATTR_CREATE)
		err = -XFS_E_EXISTS;
	if (!err && (op->remote || !(p.a.flags & XFS_ATTR_LOCAL) || p.a.valuelen != w->valuelen))
		err = 1;
	if (!err)
		err = xfs_hashtree_own(&p.path, p.path.depth - 1);
	if (!err && w->valuelen) {
		struct xfs_buf *b = xfs_hashtree_leaf(&p.path)->buf;
		uint32_t at, size;

		/* owning the leaf may have given it another buffer */
		err = xfs_attr_leaf_entry(op->k.g, b->data, p.i, &p.a, &at, &size);
		if (!err) {
			at += (uint32_t)sizeof(struct xfs_attr_local_disk) + w->namelen;
			memcpy(b->data + at, w->value, w->valuelen);
			xfs_change_dirty(b, at, w->valuelen);
		}
	}
	xfs_hashtree_put(&p.path);
	return err;
}

int xfs_attrtree_set(const struct xfs_attrop *op, enum xfs_attr_how how)
{
	int err = overwrite(op, how);
	bool there = err != -XFS_E_NOENT;

	if (err < 0 && there)
		return err;
	if (!there && how == XFS_ATTR_REPLACE)
		return -XFS_E_NOENT;
	if (!err) {
		err = remove_entries(op, false);	/* leftovers of an interrupted run */
		return err == -XFS_E_NOENT ? 0 : err;
	}
	err = remove_entries(op, true);
	if (err && err != -XFS_E_NOENT)
		return err;
	err = xfs_attrtree_insert(op);
	return err ? err : to_short(op);
}

int xfs_attrtree_remove(const struct xfs_attrop *op)
{
	int found = remove_entries(op, true), err;

	if (found && found != -XFS_E_NOENT)
		return found;
	err = to_short(op);
	return err ? err : found;
}
