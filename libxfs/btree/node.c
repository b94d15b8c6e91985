/* SPDX-License-Identifier: BSD-2-Clause */
/* node.c - moving entries inside and between blocks of one level (format sheet 02, sections 1.2 and 3.4). */
#include "libxfs/btree/node.h"

/* Memory of a tree that can be changed is writable (struct xfs_btree_space). */
static uint8_t *writable(const uint8_t *data)
{
	return (uint8_t *)(uintptr_t)data;
}

struct xfs_btree_node xfs_btree_node_of(struct xfs_btree *bt, const struct xfs_btree_block *b, unsigned level)
{
	bool leaf = level == 0, inl = xfs_btree_is_inline(bt, b->ptr);
	struct xfs_btree_view v;
	struct xfs_btree_node node = { .bt = bt, .b = b, .data = writable(b->data), .level = level };

	xfs_btree_view_make(bt, b->ptr, b->data, &v);
	node.entries = writable(v.entries);
	node.ptrs = leaf ? NULL : writable(v.ptrs);
	node.n = v.n;
	node.stride = v.stride;
	node.most = inl ? xfs_btree_inline_max(bt->kind, bt->inline_len, leaf)
			: xfs_btree_maxrecs(bt->kind->shape, bt->v5, bt->blocksize, leaf);
	node.least = node.most / 2;
	return node;
}

static void mark(const struct xfs_btree_node *node, const uint8_t *from, size_t len)
{
	const struct xfs_btree_space *space = node->bt->space;

	if (len)
		space->dirty(space->owner, node->b, (uint32_t)(from - node->data), (uint32_t)len);
}

static void mark_entries(const struct xfs_btree_node *node, uint32_t from, uint32_t to)
{
	size_t ptrlen = node->bt->kind->shape->ptrlen;

	if (from >= to)
		return;
	mark(node, node->entries + (size_t)from * node->stride, (size_t)(to - from) * node->stride);
	if (node->ptrs)
		mark(node, node->ptrs + from * ptrlen, (to - from) * ptrlen);
}

static void set_n(struct xfs_btree_node *node, uint32_t n)
{
	node->n = n;
	if (xfs_btree_is_inline(node->bt, node->b->ptr)) {
		xfs_bmdr_set_numrecs((void *)node->data, (uint16_t)n);
		mark(node, node->data, sizeof(struct xfs_bmdr_disk));
	} else {
		xfs_btree_short_set_numrecs((void *)node->data, (uint16_t)n);
		mark(node, node->data + XFS_OFF(btree_short, numrecs), sizeof(uint16_t));
	}
}

/* Entries and pointers [si, si + count) of src to di of dst; may overlap. */
static void copy_entries(const struct xfs_btree_node *dst, uint32_t di, const struct xfs_btree_node *src, uint32_t si,
			 uint32_t count)
{
	size_t ptrlen = src->bt->kind->shape->ptrlen;

	memmove(dst->entries + (size_t)di * dst->stride, src->entries + (size_t)si * src->stride,
		(size_t)count * src->stride);
	if (src->ptrs)
		memmove(dst->ptrs + di * ptrlen, src->ptrs + si * ptrlen, count * ptrlen);
}

void xfs_btree_node_insert(struct xfs_btree_node *node, uint32_t at, const struct xfs_btree_carry *c)
{
	const struct xfs_btree_shape *s = node->bt->kind->shape;

	copy_entries(node, at + 1, node, at, node->n - at);
	memcpy(node->entries + (size_t)at * node->stride, c->entry, node->stride);
	if (node->ptrs)
		xfs_btree_put_ptr(s, node->ptrs + (size_t)at * s->ptrlen, c->ptr);
	set_n(node, node->n + 1);
	mark_entries(node, at, node->n);
}

void xfs_btree_node_remove(struct xfs_btree_node *node, uint32_t at)
{
	copy_entries(node, at, node, at + 1, node->n - at - 1);
	set_n(node, node->n - 1);
	mark_entries(node, at, node->n);
}

void xfs_btree_node_shift_right(struct xfs_btree_node *left, struct xfs_btree_node *right, uint32_t count)
{
	copy_entries(right, count, right, 0, right->n);
	copy_entries(right, 0, left, left->n - count, count);
	set_n(left, left->n - count);
	set_n(right, right->n + count);
	mark_entries(right, 0, right->n);
}

void xfs_btree_node_shift_left(struct xfs_btree_node *left, struct xfs_btree_node *right, uint32_t count)
{
	uint32_t at = left->n;

	copy_entries(left, at, right, 0, count);
	copy_entries(right, 0, right, count, right->n - count);
	set_n(left, at + count);
	set_n(right, right->n - count);
	mark_entries(left, at, left->n);
	mark_entries(right, 0, right->n);
}

void xfs_btree_node_copy(struct xfs_btree_node *to, const struct xfs_btree_node *from)
{
	copy_entries(to, 0, from, 0, from->n);
	set_n(to, from->n);
	mark_entries(to, 0, to->n);
}

void xfs_btree_node_set_sib(struct xfs_btree_node *node, bool right, uint64_t ptr)
{
	const struct xfs_btree_shape *s = node->bt->kind->shape;

	xfs_btree_put_sib(s, node->data, right, ptr);
	mark(node, node->data + xfs_btree_sib_off(s, right), s->ptrlen);
}

void xfs_btree_node_carry(const struct xfs_btree_node *node, struct xfs_btree_carry *c)
{
	const struct xfs_btree_kind *kind = node->bt->kind;
	struct xfs_btree_view v = { node->entries, node->ptrs, node->n, node->stride };
	struct xfs_btree_key low, high, k;

	c->ptr = node->b->ptr;
	xfs_btree_view_low(node->bt, &v, node->level, 0, &low);
	kind->key_put(c->entry, &low);
	if (!kind->overlapping)
		return;
	xfs_btree_view_high(node->bt, &v, node->level, 0, &high);
	for (uint32_t i = 1; i < node->n; i++) {
		xfs_btree_view_high(node->bt, &v, node->level, i, &k);
		if (xfs_btree_kind_cmp(kind, &k, &high) > 0)
			high = k;
	}
	kind->key_put(c->entry + kind->keylen1, &high);
}

bool xfs_btree_node_set_keys(struct xfs_btree_node *parent, uint32_t at, const struct xfs_btree_node *child)
{
	uint8_t *keys = parent->entries + (size_t)at * parent->stride;
	struct xfs_btree_carry c;

	if (child->n == 0)	/* about to be given up */
		return false;
	xfs_btree_node_carry(child, &c);
	if (memcmp(keys, c.entry, parent->stride) == 0)
		return false;
	memcpy(keys, c.entry, parent->stride);
	mark(parent, keys, parent->stride);
	return true;
}

struct xfs_btree_node xfs_btree_node_reset_fork(struct xfs_btree *bt, const struct xfs_btree_block *b, unsigned level)
{
	uint8_t *d = writable(b->data);

	memset(d, 0, bt->inline_len);
	xfs_bmdr_set_level((void *)d, (uint16_t)level);
	bt->space->dirty(bt->space->owner, b, 0, (uint32_t)bt->inline_len);
	return xfs_btree_node_of(bt, b, level);
}

void xfs_btree_path_set_keys(struct xfs_btree_cursor *cur, unsigned level)
{
	for (; level + 1 < cur->bt->levels; level++) {
		struct xfs_btree_node child = xfs_btree_node_of(cur->bt, &cur->lev[level].b, level);
		struct xfs_btree_node parent = xfs_btree_node_of(cur->bt, &cur->lev[level + 1].b, level + 1);

		if (!xfs_btree_node_set_keys(&parent, cur->lev[level + 1].idx, &child))
			return;
	}
}

int xfs_btree_prepare(struct xfs_btree *bt, const struct xfs_btree_block *b)
{
	const struct xfs_btree_space *space = bt->space;

	return space->prepare ? space->prepare(space->owner, b) : 0;
}

int xfs_btree_path_prepare(struct xfs_btree_cursor *cur)
{
	int err = 0;

	for (unsigned level = 0; level < cur->bt->levels && !err; level++)
		err = xfs_btree_prepare(cur->bt, &cur->lev[level].b);
	return err;
}

int xfs_btree_check_changeable(const struct xfs_btree *bt)
{
	int err = xfs_btree_check_instance(bt);

	if (err)
		return err;
	if (!bt->space)
		return -XFS_E_READONLY;
	if (bt->v5 && (!bt->uuid || !bt->daddr_of))
		return -XFS_E_INVALID;
	/* a root that grows out of its fork must fit into one block, with room for one more */
	for (int leaf = 0; leaf < 2 && bt->kind->inode_root; leaf++)
		if (xfs_btree_inline_max(bt->kind, bt->inline_len, leaf) >=
			    xfs_btree_maxrecs(bt->kind->shape, bt->v5, bt->blocksize, leaf) ||
		    xfs_btree_inline_max(bt->kind, bt->inline_len, leaf) == 0)
			return -XFS_E_INVALID;
	return 0;
}

int xfs_btree_fetch_neighbour(struct xfs_btree *bt, const struct xfs_btree_node *node, bool right,
			      struct xfs_btree_block *out, bool *held)
{
	uint64_t ptr = xfs_btree_get_sib(bt->kind->shape, node->data, right);
	struct xfs_btree_view v;
	int err;

	*held = false;
	if (ptr == XFS_NULL64)
		return 0;
	err = xfs_btree_fetch(bt, ptr, node->level, out, &v);
	if (err)
		return err;
	*held = true;
	return xfs_btree_get_sib(bt->kind->shape, out->data, !right) == node->b->ptr ? 0 : -XFS_E_CORRUPT;
}
