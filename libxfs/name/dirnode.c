/* SPDX-License-Identifier: BSD-2-Clause */
/* dirnode.c - directories with a hash tree and a free index: changes, and the ways from and to a single leaf. */
#include "libxfs/name/dirprivate.h"

static const uint32_t leafn_magic[2] = { XFS_DIR2_LEAFN_MAGIC, XFS_DIR3_LEAFN_MAGIC };
static const uint32_t free_magic[2] = { XFS_DIR2_FREE_MAGIC, XFS_DIR3_FREE_MAGIC };

/* ---- leaves of the tree ---- */

static void set_stale(const struct xfs_forkop *op, struct xfs_da_block *b, uint32_t stale)
{
	uint32_t at = xfs_da_info_len(op->g->v5) + 2;

	xfs_put_be16(b->buf->data + at, (uint16_t)stale);
	xfs_change_dirty(b->buf, at, 2);
	b->stale = stale;
}

static uint32_t leaf_used(const struct xfs_forkop *op, const struct xfs_da_block *b)
{
	(void)op;
	return b->stale < b->count ? 8 * (b->count - b->stale) : 0;
}

static void leaf_init(const struct xfs_forkop *op, struct xfs_buf *b)
{
	(void)op;
	(void)b;			/* zero counts are an empty leaf */
}

static uint8_t *leaf_entries(const struct xfs_da_block *b)
{
	return b->buf->data + (b->entries - b->buf->data);
}

/* Stale entries go. */
static void leaf_compact(const struct xfs_forkop *op, struct xfs_da_block *b)
{
	uint32_t count;

	if (!b->stale)
		return;
	count = xfs_dirindex_compact(leaf_entries(b), b->count);
	xfs_hashtree_set_count(op, b, count);
	set_stale(op, b, 0);
	xfs_change_dirty(b->buf, (uint32_t)(b->entries - b->buf->data), 8 * count);
}

static int leaf_move(const struct xfs_forkop *op, struct xfs_da_block *from, uint32_t first, struct xfs_da_block *to)
{
	uint32_t n, off, stale = 0;

	leaf_compact(op, to);
	if (!first)
		leaf_compact(op, from);
	n = from->count - first;
	if (8 * (to->count + n) > op->size - xfs_da_header_len(op->g->v5))
		return -XFS_E_CORRUPT;
	off = (uint32_t)(to->entries - to->buf->data) + 8 * to->count;
	memcpy(to->buf->data + off, from->entries + 8 * (size_t)first, 8 * (size_t)n);
	for (uint32_t i = first; i < from->count; i++)
		stale += xfs_da_value(from, i) == XFS_DIR_NULL_ADDRESS;
	if (stale > from->stale)
		return -XFS_E_CORRUPT;
	n = xfs_dirindex_compact(to->buf->data + off, n);
	xfs_change_dirty(to->buf, off, 8 * n);
	xfs_hashtree_set_count(op, to, to->count + n);
	xfs_hashtree_set_count(op, from, first);
	set_stale(op, from, from->stale - stale);
	return 0;
}

static struct xfs_hashtree_leaves leaves_of(const struct xfs_dirop *op)
{
	return (struct xfs_hashtree_leaves){
		.kind = XFS_BLK_DIR_ANYLEAF, .magic = { leafn_magic[0], leafn_magic[1] },
		.used = leaf_used, .init = leaf_init, .move = leaf_move,
		.room = op->k.size - xfs_da_header_len(op->k.g->v5),
	};
}

/* ---- from and to a single leaf ---- */

int xfs_dirnode_from_leaf(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t size = op->k.size, n, used = 0, at;
	struct xfs_dir3_free_hdr h;
	struct xfs_buf *leaf, *b;
	const uint8_t *bests;
	int err = xfs_forkop_get(&op->k, op->k.from, XFS_BLK_DIR_ANYLEAF, &leaf);

	if (err)
		return err;
	n = xfs_be32(leaf->data + size - 4);
	if (n > xfs_dir_free_maxbests(g->v5, size) || xfs_dirop_core(op)->size / size != n)
		return -XFS_E_CORRUPT;
	err = xfs_forkop_new(&op->k, op->k.to, XFS_BLK_DIR_FREE, free_magic[g->v5], &b);
	if (err)
		return err;
	bests = leaf->data + size - 4 - 2 * (size_t)n;
	for (uint32_t i = 0; i < n; i++)
		used += xfs_be16(bests + 2 * (size_t)i) != XFS_DIR_NULL_BEST;
	memcpy(b->data + xfs_dir_free_header_len(g->v5), bests, 2 * (size_t)n);
	xfs_dir_free_hdr_load(&h, b->data, g->v5);
	h.nvalid = n;
	h.nused = used;
	xfs_dir_free_hdr_store(b->data, &h, g->v5);
	at = XFS_OFF(da_info, magic);
	xfs_put_be16(leaf->data + at, (uint16_t)leafn_magic[g->v5]);
	xfs_change_dirty(leaf, at, 2);
	return 0;
}

/* The free index is its first block alone: *b, else NULL. */
static int only_free_block(const struct xfs_dirop *op, struct xfs_buf **b)
{
	uint64_t end;
	int err = xfs_forkop_end(&op->k, op->k.to, XFS_NULL64, &end);

	*b = NULL;
	if (err || end != op->k.to + op->k.fsbs)
		return err;
	return xfs_forkop_get(&op->k, op->k.to, XFS_BLK_DIR_FREE, b);
}

int xfs_dirnode_to_leaf(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t size = op->k.size, nvalid, at = XFS_OFF(da_info, magic);
	struct xfs_dir3_free_hdr h;
	struct xfs_da_block leaf;
	struct xfs_buf *b;
	int err = xfs_hashtree_get(&op->k, op->k.from, &leaf);

	if (err)
		return err;
	if (xfs_da_is_node(&leaf)) {
		xfs_da_put(&leaf);
		return 0;
	}
	err = only_free_block(op, &b);
	if (err || !b)
		goto out;
	xfs_dir_free_hdr_load(&h, b->data, g->v5);
	nvalid = h.nvalid;
	if (nvalid > xfs_dir_free_maxbests(g->v5, size) || nvalid != xfs_dirop_core(op)->size / size) {
		err = -XFS_E_CORRUPT;
		goto out;
	}
	if (xfs_da_header_len(g->v5) + leaf_used(&op->k, &leaf) + 2 * nvalid + 4 > size)
		goto out;
	xfs_da_put(&leaf);
	err = xfs_hashtree_get_owned(&op->k, op->k.from, &leaf);
	if (err)
		return err;
	leaf_compact(&op->k, &leaf);
	xfs_put_be16(leaf.buf->data + at, (uint16_t)xfs_dirleaf_magic1[g->v5]);
	xfs_change_dirty(leaf.buf, at, 2);
	at = size - 4 - 2 * nvalid;
	memcpy(leaf.buf->data + at, b->data + xfs_dir_free_header_len(g->v5), 2 * (size_t)nvalid);
	xfs_put_be32(leaf.buf->data + size - 4, nvalid);
	xfs_change_dirty(leaf.buf, at, size - at);
	err = xfs_forkop_free(&op->k, op->k.to, op->k.fsbs);
	if (!err)
		err = xfs_dirleaf_to_block(op);
out:
	xfs_da_put(&leaf);
	return err;
}

/* ---- changes ---- */

/* Puts the entry of the index into the leaf at the end of the path, which is owned. */
static int put_in_leaf(const struct xfs_dirop *op, struct xfs_hashtree_path *p, uint32_t address)
{
	struct xfs_da_block *b = xfs_hashtree_leaf(p);
	uint32_t i = xfs_da_search(b, op->hash), at = (uint32_t)(b->entries - b->buf->data), off = at + 8 * i;
	uint32_t len = 8 * (b->count - i);

	if (b->stale) {
		if (xfs_dirindex_reuse(b->buf, at, b->count, i, op->hash, address))
			return -XFS_E_CORRUPT;
		set_stale(&op->k, b, b->stale - 1);
	} else {
		memmove(b->buf->data + off + 8, b->buf->data + off, len);
		xfs_dirindex_put(b->buf->data + off, op->hash, address);
		xfs_change_dirty(b->buf, off, len + 8);
		xfs_hashtree_set_count(&op->k, b, b->count + 1);
	}
	return xfs_hashtree_raise(p);
}

static int insert(const struct xfs_dirop *op, uint32_t address)
{
	const struct xfs_hashtree_leaves leaves = leaves_of(op);
	struct xfs_hashtree_path p;
	struct xfs_da_block *b;
	int err;

	xfs_hashtree_init(&p, &op->k, &leaves);
	err = xfs_hashtree_find(&p, op->hash);
	if (!err)
		err = xfs_hashtree_own(&p, p.depth - 1);
	if (err)
		goto out;
	b = xfs_hashtree_leaf(&p);
	if (b->magic != leafn_magic[op->k.g->v5]) {
		err = -XFS_E_CORRUPT;
	} else if (!b->stale && b->count >= xfs_da_maxents(op->k.g->v5, op->k.size)) {
		err = xfs_hashtree_split(&p, b->count / 2);
		/* the place between both halves is as good in either */
		if (!err && op->hash > xfs_hashtree_last_hash(xfs_hashtree_leaf(&p)))
			err = xfs_hashtree_next(&p);
		if (!err)
			err = xfs_hashtree_own(&p, p.depth - 1);
	}
	if (!err)
		err = put_in_leaf(op, &p, address);
out:
	xfs_hashtree_put(&p);
	return err;
}

int xfs_dirnode_add(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	struct xfs_buf *data;
	uint64_t db;
	uint32_t off;
	int err = xfs_dirfree_find(op, &db);

	if (err == -XFS_E_NOENT)
		err = xfs_dirleaf_new_data(op, db, &data);
	else if (!err)
		err = xfs_dirop_data(op, db, &data);
	if (!err)
		err = xfs_dirdata_take(g, data, op->k.size, op->need, &off);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	xfs_dirdata_put_entry(g, data, off, op->ino, op->name, op->namelen, op->ftype);
	err = xfs_dirdata_rescan(g, data, op->k.size);
	if (!err)
		err = xfs_dirfree_set(op, db, xfs_dirdata_best(g, data));
	if (!err)
		err = insert(op, (uint32_t)((db * op->k.size + off) / XFS_DIR_ALIGN));
	return err;
}

/* The entry of the index becomes stale, and the tree shrinks when little is left. */
static int forget_entry(const struct xfs_dirop *op, uint32_t address)
{
	const struct xfs_hashtree_leaves leaves = leaves_of(op);
	struct xfs_hashtree_path p;
	struct xfs_da_block *b;
	uint32_t i;
	int err;

	xfs_hashtree_init(&p, &op->k, &leaves);
	err = xfs_hashtree_find(&p, op->hash);
	for (; !err; err = xfs_hashtree_next(&p)) {
		b = xfs_hashtree_leaf(&p);
		i = xfs_dirindex_find(b->entries, b->count, op->hash, address);
		if (i < b->count)
			break;
		if (b->count && xfs_hashtree_last_hash(b) > op->hash) {
			err = -XFS_E_NOENT;
			break;
		}
	}
	if (!err)
		err = xfs_hashtree_own(&p, p.depth - 1);
	if (err) {
		xfs_hashtree_put(&p);
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	}
	b = xfs_hashtree_leaf(&p);
	xfs_dirindex_retire(b->buf, (uint32_t)(b->entries - b->buf->data), i);
	set_stale(&op->k, b, b->stale + 1);
	return xfs_hashtree_shrink(&p);
}

int xfs_dirnode_remove(const struct xfs_dirop *op, uint32_t address)
{
	const struct xfs_geometry *g = op->k.g;
	uint64_t byte = (uint64_t)address * XFS_DIR_ALIGN, db = byte / op->k.size;
	uint32_t off = (uint32_t)(byte % op->k.size), len;
	struct xfs_buf *data;
	int err = xfs_dirop_data(op, db, &data);

	if (!err)
		err = xfs_dirdata_entry_len(g, data, op->k.size, off, &len);
	if (!err)
		err = xfs_dirdata_give(g, data, op->k.size, off, len);
	if (err)
		return err;
	if (db && xfs_dirleaf_is_empty(op, data)) {
		err = xfs_dirleaf_free_data(op, db);
		if (!err)
			err = xfs_dirfree_set(op, db, XFS_DIR_NULL_BEST);
	} else {
		err = xfs_dirfree_set(op, db, xfs_dirdata_best(g, data));
	}
	if (!err)
		err = forget_entry(op, address);
	return err ? err : xfs_dirnode_to_leaf(op);
}
