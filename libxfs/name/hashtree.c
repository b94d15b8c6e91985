/* SPDX-License-Identifier: BSD-2-Clause */
/* hashtree.c - paths in a hash tree that changes, and splits. */
#include "libxfs/name/hashtree.h"

/* ---- blocks ---- */

static int load(const struct xfs_forkop *op, uint64_t block, struct xfs_da_block *out)
{
	struct xfs_ifork f;
	struct xfs_da da;
	int err = xfs_forkop_fork(op, &f);

	if (err)
		return err;
	if (op->which == XFS_FORK_ATTR)
		xfs_da_init_attr(&da, &f);
	else
		xfs_da_init_dir(&da, &f);
	err = xfs_da_get(&da, block, out);
	if (!err && out->raw_count > out->count) {
		xfs_da_put(out);
		err = -XFS_E_CORRUPT;
	}
	return err;
}

int xfs_hashtree_get(const struct xfs_forkop *op, uint64_t block, struct xfs_da_block *out)
{
	int err = load(op, block, out);

	return err == -XFS_E_NOENT || err == -XFS_E_RANGE ? -XFS_E_CORRUPT : err;
}

static enum xfs_block_kind kind_of(const struct xfs_forkop *op)
{
	return op->which == XFS_FORK_ATTR ? XFS_BLK_ATTR_ANY : XFS_BLK_DIR_ANYLEAF;
}

int xfs_hashtree_get_owned(const struct xfs_forkop *op, uint64_t block, struct xfs_da_block *out)
{
	struct xfs_buf *b;
	int err = xfs_hashtree_get(op, block, out);

	if (err || out->buf->joined)
		return err;
	xfs_da_put(out);
	err = xfs_forkop_get(op, block, kind_of(op), &b);
	return err ? err : xfs_hashtree_get(op, block, out);
}

void xfs_hashtree_set_links(struct xfs_da_block *b, uint32_t forw, uint32_t back)
{
	xfs_put_be32(b->buf->data + XFS_OFF(da_info, forw), forw);
	xfs_put_be32(b->buf->data + XFS_OFF(da_info, back), back);
	xfs_change_dirty(b->buf, 0, 8);
	b->forw = forw;
	b->back = back;
}

void xfs_hashtree_set_count(const struct xfs_forkop *op, struct xfs_da_block *b, uint32_t count)
{
	uint32_t at = xfs_da_info_len(op->g->v5);

	xfs_put_be16(b->buf->data + at, (uint16_t)count);
	xfs_change_dirty(b->buf, at, 2);
	b->count = b->raw_count = count;
}

static uint32_t entry_off(const struct xfs_da_block *b, uint32_t i)
{
	return (uint32_t)(b->entries - b->buf->data) + 8 * i;
}

static void set_entry(struct xfs_da_block *b, uint32_t i, uint32_t hash, uint32_t value)
{
	uint32_t off = entry_off(b, i);

	xfs_put_be32(b->buf->data + off, hash);
	xfs_put_be32(b->buf->data + off + 4, value);
	xfs_change_dirty(b->buf, off, 8);
}

void xfs_hashtree_set_hash(struct xfs_da_block *b, uint32_t i, uint32_t hash)
{
	set_entry(b, i, hash, xfs_da_value(b, i));
}

uint32_t xfs_hashtree_last_hash(const struct xfs_da_block *b)
{
	return b->count ? xfs_da_hash(b, b->count - 1) : 0;
}

/* ---- paths ---- */

void xfs_hashtree_init(struct xfs_hashtree_path *p, const struct xfs_forkop *op,
		       const struct xfs_hashtree_leaves *leaves)
{
	memset(p, 0, sizeof(*p));
	p->op = op;
	p->leaves = leaves;
}

void xfs_hashtree_put(struct xfs_hashtree_path *p)
{
	while (p->depth)
		xfs_da_put(&p->at[--p->depth].b);
}

/* From the node at the end of the path down to a leaf; `hash` NULL: along the left edge. */
static int go_down(struct xfs_hashtree_path *p, const uint32_t *hash)
{
	for (;;) {
		struct xfs_da_block *top = p->depth ? &p->at[p->depth - 1].b : NULL, *b;
		uint64_t block = p->op->from;
		int err;

		if (top && !xfs_da_is_node(top))
			return 0;
		if (top)
			block = xfs_da_value(top, p->at[p->depth - 1].i);
		if (p->depth == XFS_HASHTREE_DEPTH || (top && block == p->op->from))
			return -XFS_E_CORRUPT;
		b = &p->at[p->depth].b;
		err = xfs_hashtree_get(p->op, block, b);
		if (err)
			return err;
		p->at[p->depth++].i = 0;
		if ((top && b->level != top->level - 1) || b->level > XFS_DA_MAX_LEVEL ||
		    (xfs_da_is_node(b) && (!b->count || !b->level)))
			return -XFS_E_CORRUPT;
		if (hash && xfs_da_is_node(b))
			p->at[p->depth - 1].i = (uint32_t)xfs_min(xfs_da_search(b, *hash), b->count - 1);
	}
}

int xfs_hashtree_find(struct xfs_hashtree_path *p, uint32_t hash)
{
	xfs_hashtree_put(p);
	return go_down(p, &hash);
}

int xfs_hashtree_next(struct xfs_hashtree_path *p)
{
	unsigned depth = p->depth;

	if (depth < 2)
		return -XFS_E_NOENT;
	for (depth--; p->at[depth - 1].i + 1 == p->at[depth - 1].b.count; depth--)
		if (depth == 1)
			return -XFS_E_NOENT;
	while (p->depth > depth)
		xfs_da_put(&p->at[--p->depth].b);
	p->at[depth - 1].i++;
	return go_down(p, NULL);
}

int xfs_hashtree_own(struct xfs_hashtree_path *p, unsigned depth)
{
	struct xfs_da_block *b = &p->at[depth].b, fresh;
	int err;

	if (b->buf->joined)
		return 0;
	err = xfs_hashtree_get_owned(p->op, b->block, &fresh);
	if (err)
		return err;
	xfs_da_put(b);
	*b = fresh;
	return 0;
}

void xfs_hashtree_reload(struct xfs_hashtree_path *p)
{
	struct xfs_da_block *b = xfs_hashtree_leaf(p);

	b->raw_count = b->count = xfs_be16(b->buf->data + xfs_da_info_len(p->op->g->v5));
	if (p->op->which == XFS_FORK_DATA)
		b->stale = xfs_be16(b->buf->data + xfs_dir_leaf_stale_off(p->op->g->v5));
}

int xfs_hashtree_raise(struct xfs_hashtree_path *p)
{
	for (unsigned depth = p->depth - 1; depth > 0; depth--) {
		uint32_t i = p->at[depth - 1].i, hash = xfs_hashtree_last_hash(&p->at[depth].b);
		int err;

		if (xfs_da_hash(&p->at[depth - 1].b, i) == hash)
			return 0;
		err = xfs_hashtree_own(p, depth - 1);
		if (err)
			return err;
		xfs_hashtree_set_hash(&p->at[depth - 1].b, i, hash);
		if (i + 1 < p->at[depth - 1].b.count)
			return 0;
	}
	return 0;
}

/* ---- splits ---- */

/* A new block of the tree; *out is held like a block of a path. */
static int new_block(const struct xfs_hashtree_path *p, bool node, struct xfs_da_block *out)
{
	static const uint32_t node_magic[2] = { XFS_DA_NODE_MAGIC, XFS_DA3_NODE_MAGIC };
	const struct xfs_forkop *op = p->op;
	struct xfs_buf *b;
	uint64_t off;
	int err = xfs_forkop_hole(op, op->from, op->to, op->fsbs, &off);

	if (!err)
		err = xfs_forkop_new(op, off, p->leaves->kind, (node ? node_magic : p->leaves->magic)[op->g->v5], &b);
	if (err)
		return err;
	if (!node)
		p->leaves->init(op, b);
	return xfs_hashtree_get(op, off, out);
}

/* `right` becomes the right neighbour of `left`; both are owned. */
static int link_right(const struct xfs_forkop *op, struct xfs_da_block *left, struct xfs_da_block *right)
{
	struct xfs_da_block next;
	int err;

	if (left->forw) {
		err = xfs_hashtree_get_owned(op, left->forw, &next);
		if (err)
			return err;
		xfs_hashtree_set_links(&next, next.forw, (uint32_t)right->block);
		xfs_da_put(&next);
	}
	xfs_hashtree_set_links(right, left->forw, (uint32_t)left->block);
	xfs_hashtree_set_links(left, (uint32_t)right->block, left->back);
	return 0;
}

/* The child behind the path's one; that one now ends with `hash`. The node has room and is owned. */
static void add_child(struct xfs_hashtree_path *p, unsigned depth, uint32_t hash, uint64_t child)
{
	struct xfs_da_block *b = &p->at[depth].b;
	uint32_t i = p->at[depth].i, off = entry_off(b, i + 1), len = 8 * (b->count - i - 1);
	uint32_t last = xfs_da_hash(b, i);

	memmove(b->buf->data + off + 8, b->buf->data + off, len);
	xfs_change_dirty(b->buf, off, len + 8);
	xfs_hashtree_set_count(p->op, b, b->count + 1);
	set_entry(b, i + 1, last, (uint32_t)child);
	xfs_hashtree_set_hash(b, i, hash);
}

/* Takes the facts of a block on the path from its contents again. */
static int refresh(const struct xfs_forkop *op, struct xfs_da_block *b)
{
	struct xfs_da_block fresh;
	int err = xfs_hashtree_get(op, b->block, &fresh);

	if (err)
		return err;
	xfs_da_put(b);
	*b = fresh;
	return 0;
}

/* The root's contents go to a new block below it. */
static int lower_root(struct xfs_hashtree_path *p)
{
	const struct xfs_forkop *op = p->op;
	struct xfs_da_block *root = &p->at[0].b, child;
	bool v5 = op->g->v5;
	struct xfs_da3_node_hdr h;
	uint32_t hash = xfs_hashtree_last_hash(root);
	int err;

	if (root->level >= XFS_DA_MAX_LEVEL)
		return -XFS_E_TOOBIG;
	err = xfs_hashtree_own(p, 0);
	if (!err)
		err = new_block(p, xfs_da_is_node(root), &child);
	if (err)
		return err;
	xfs_forkop_copy(op, child.buf, root->buf, p->leaves->kind);
	xfs_da_node_hdr_load(&h, root->buf->data, v5);
	h.forw = h.back = 0;
	h.magic = v5 ? XFS_DA3_NODE_MAGIC : XFS_DA_NODE_MAGIC;
	h.count = 1;
	h.level = (uint16_t)(root->level + 1);
	h.pad32 = 0;
	xfs_da_node_hdr_store(root->buf->data, &h, v5);
	xfs_change_dirty(root->buf, 0, xfs_da_header_len(v5));
	memmove(&p->at[2], &p->at[1], (p->depth - 1) * sizeof(p->at[0]));
	p->depth++;
	p->at[1].b = child;
	p->at[1].i = p->at[0].i;
	p->at[0].i = 0;
	err = refresh(op, &p->at[1].b);
	if (!err)
		err = refresh(op, root);
	if (!err)
		set_entry(root, 0, hash, (uint32_t)child.block);
	return err;
}

/* Half of a node moves to a new one on its right; the path follows. The node above has room. */
static int split_node(struct xfs_hashtree_path *p, unsigned depth)
{
	struct xfs_da_block *b = &p->at[depth].b, right;
	uint32_t keep = b->count / 2, moved = b->count - keep;
	int err = xfs_hashtree_own(p, depth);

	if (!err)
		err = xfs_hashtree_own(p, depth - 1);
	if (!err)
		err = new_block(p, true, &right);
	if (err)
		return err;
	memcpy(right.buf->data + entry_off(&right, 0), b->entries + 8 * (size_t)keep, 8 * (size_t)moved);
	xfs_change_dirty(right.buf, entry_off(&right, 0), 8 * moved);
	xfs_put_be16(right.buf->data + xfs_da_node_level_off(p->op->g->v5), (uint16_t)b->level);
	right.level = b->level;
	xfs_hashtree_set_count(p->op, &right, moved);
	xfs_hashtree_set_count(p->op, b, keep);
	err = link_right(p->op, b, &right);
	if (err) {
		xfs_da_put(&right);
		return err;
	}
	add_child(p, depth - 1, xfs_hashtree_last_hash(b), right.block);
	if (p->at[depth].i < keep) {
		xfs_da_put(&right);
		return 0;
	}
	xfs_da_put(b);
	*b = right;
	p->at[depth].i -= keep;
	p->at[depth - 1].i++;
	return 0;
}

/* Makes room in the node above the leaf. */
static int make_room_above(struct xfs_hashtree_path *p)
{
	uint32_t max = xfs_da_maxents(p->op->g->v5, p->op->size);
	unsigned depth = p->depth - 1;
	int err = 0;

	while (depth && p->at[depth - 1].b.count >= max)
		depth--;
	if (!depth) {
		err = lower_root(p);
		depth = 1;
	}
	for (; !err && depth + 1 < p->depth; depth++)
		err = split_node(p, depth);
	return err;
}

int xfs_hashtree_split(struct xfs_hashtree_path *p, uint32_t first)
{
	struct xfs_da_block right, *b;
	int err = make_room_above(p);

	if (!err)
		err = xfs_hashtree_own(p, p->depth - 1);
	if (!err)
		err = xfs_hashtree_own(p, p->depth - 2);
	if (!err)
		err = new_block(p, false, &right);
	if (err)
		return err;
	b = xfs_hashtree_leaf(p);
	err = p->leaves->move(p->op, b, first, &right);
	if (!err)
		err = link_right(p->op, b, &right);
	if (!err) {
		xfs_hashtree_reload(p);
		add_child(p, p->depth - 2, xfs_hashtree_last_hash(b), right.block);
	}
	xfs_da_put(&right);
	return err;
}
