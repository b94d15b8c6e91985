/* SPDX-License-Identifier: BSD-2-Clause */
/* dirleaf.c - directories with one leaf: changes, and the ways from and to a single block. */
#include "libxfs/name/dirprivate.h"

const uint32_t xfs_dirleaf_magic1[2] = { XFS_DIR2_LEAF1_MAGIC, XFS_DIR3_LEAF1_MAGIC };
static const uint32_t block_magic[2] = { XFS_DIR2_BLOCK_MAGIC, XFS_DIR3_BLOCK_MAGIC };
static const uint32_t data_magic[2] = { XFS_DIR2_DATA_MAGIC, XFS_DIR3_DATA_MAGIC };

/* The leaf: entries in front, the table of longest areas in the back. */
struct leaf {
	struct xfs_buf *b;
	uint32_t count, stale, nbests;
	uint32_t entries, bests;		/* byte offsets */
};

static uint32_t header_len(const struct xfs_dirop *op)
{
	return xfs_da_header_len(op->k.g->v5);
}

static int load(const struct xfs_dirop *op, struct leaf *l)
{
	struct xfs_dir3_leaf_hdr h;
	uint32_t size = op->k.size, max;
	int err = xfs_forkop_get(&op->k, op->k.from, XFS_BLK_DIR_ANYLEAF, &l->b);

	if (err)
		return err;
	xfs_dir_leaf_hdr_load(&h, l->b->data, op->k.g->v5);
	l->entries = header_len(op);
	l->count = h.count;
	l->stale = h.stale;
	l->nbests = xfs_be32(l->b->data + size - 4);
	max = size - 4 - l->entries;
	if (h.magic != xfs_dirleaf_magic1[op->k.g->v5] || 8 * l->count > max || l->stale > l->count ||
	    l->nbests > (max - 8 * l->count) / 2 || xfs_dirop_core(op)->size / size != l->nbests)
		return -XFS_E_CORRUPT;
	l->bests = size - 4 - 2 * l->nbests;
	return 0;
}

static void store(const struct xfs_dirop *op, struct leaf *l)
{
	uint32_t at = xfs_da_info_len(op->k.g->v5);

	xfs_put_be16(l->b->data + at, (uint16_t)l->count);
	xfs_put_be16(l->b->data + xfs_dir_leaf_stale_off(op->k.g->v5), (uint16_t)l->stale);
	xfs_change_dirty(l->b, at, 4);
}

static uint32_t best_of(const struct leaf *l, uint32_t db)
{
	return xfs_be16(l->b->data + l->bests + 2 * (size_t)db);
}

static void set_best(struct leaf *l, uint32_t db, uint32_t best)
{
	if (best_of(l, db) == best)
		return;
	xfs_put_be16(l->b->data + l->bests + 2 * (size_t)db, (uint16_t)best);
	xfs_change_dirty(l->b, l->bests + 2 * db, 2);
}

/* The table gets another length; its entries are counted from its start. */
static void resize_bests(const struct xfs_dirop *op, struct leaf *l, uint32_t n)
{
	uint32_t bests = op->k.size - 4 - 2 * n, keep = n < l->nbests ? n : l->nbests;

	memmove(l->b->data + bests, l->b->data + l->bests, 2 * (size_t)keep);
	for (uint32_t i = keep; i < n; i++)
		xfs_put_be16(l->b->data + bests + 2 * (size_t)i, XFS_DIR_NULL_BEST);
	xfs_put_be32(l->b->data + op->k.size - 4, n);
	l->bests = bests;
	l->nbests = n;
	xfs_change_dirty(l->b, bests, op->k.size - bests);
}

/* ---- data blocks, for leaves and trees ---- */

int xfs_dirleaf_new_data(const struct xfs_dirop *op, uint64_t db, struct xfs_buf **out)
{
	uint64_t end = (db + 1) * op->k.size;
	int err;

	if (end > XFS_DIR_LEAF_OFFSET)
		return -XFS_E_NOSPC;
	err = xfs_forkop_new(&op->k, db * op->k.fsbs, XFS_BLK_DIR_ANYDATA, data_magic[op->k.g->v5], out);
	if (err)
		return err;
	xfs_dirdata_init(op->k.g, *out, op->k.size);
	if (end > xfs_dirop_core(op)->size)
		xfs_dirop_set_size(op, end);
	return 0;
}

int xfs_dirleaf_free_data(const struct xfs_dirop *op, uint64_t db)
{
	uint64_t end;
	int err = xfs_forkop_free(&op->k, db * op->k.fsbs, op->k.fsbs);

	if (err || (db + 1) * op->k.size != xfs_dirop_core(op)->size)
		return err;
	err = xfs_forkop_end(&op->k, 0, op->k.from, &end);
	if (!err)
		xfs_dirop_set_size(op, xfs_round_up(end << op->k.g->blocklog, op->k.size));
	return err;
}

bool xfs_dirleaf_is_empty(const struct xfs_dirop *op, const struct xfs_buf *b)
{
	return xfs_dirdata_best(op->k.g, b) == op->k.size - xfs_dir_data_header_len(op->k.g->v5);
}

/* ---- from and to a block ---- */

int xfs_dirleaf_from_block(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t size = op->k.size, count, end;
	struct xfs_buf *data, *b;
	struct leaf l;
	int err = xfs_dirop_data(op, 0, &data);

	if (err)
		return err;
	if (xfs_be32(data->data) != block_magic[g->v5])
		return -XFS_E_CORRUPT;
	err = xfs_forkop_new(&op->k, op->k.from, XFS_BLK_DIR_ANYLEAF, xfs_dirleaf_magic1[g->v5], &b);
	if (err)
		return err;
	count = xfs_dir_block_leaf_count(data->data, g->v5, size);
	end = xfs_dir_block_leaf_off(size, count);
	l = (struct leaf){ .b = b, .entries = header_len(op), .bests = size - 4 };
	memcpy(b->data + l.entries, data->data + end, 8 * (size_t)count);
	l.count = xfs_dirindex_compact(b->data + l.entries, count);
	store(op, &l);
	xfs_put_be32(data->data, data_magic[g->v5]);
	xfs_change_dirty(data, 0, 4);
	err = xfs_dirdata_give(g, data, size, end, size - end);
	if (err)
		return err;
	resize_bests(op, &l, 1);
	set_best(&l, 0, xfs_dirdata_best(g, data));
	return 0;
}

/* Gives up empty data blocks at the end. */
static int trim(const struct xfs_dirop *op, struct leaf *l)
{
	uint32_t whole = op->k.size - xfs_dir_data_header_len(op->k.g->v5);

	while (l->nbests > 1 && best_of(l, l->nbests - 1) == whole) {
		uint64_t db = l->nbests - 1;
		int err = xfs_dirleaf_free_data(op, db);

		if (err)
			return err;
		resize_bests(op, l, (uint32_t)(xfs_dirop_core(op)->size / op->k.size));
	}
	return 0;
}

int xfs_dirleaf_to_block(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t size = op->k.size, live, room, end;
	struct xfs_dirdata_areas a;
	struct xfs_buf *data;
	struct leaf l;
	int err = load(op, &l);

	if (!err)
		err = trim(op, &l);
	if (err || l.nbests != 1)
		return err;
	live = l.count - l.stale;
	room = 8 + 8 * live;
	err = xfs_dirop_data(op, 0, &data);
	if (!err)
		err = xfs_dirdata_survey(g, data->data, size, &a);
	if (err || a.tail < room)
		return err;
	err = xfs_dirdata_cut(g, data, size, room);
	if (err)
		return err;
	xfs_put_be32(data->data, block_magic[g->v5]);
	xfs_change_dirty(data, 0, 4);
	end = size - room;
	if (xfs_dirindex_compact(l.b->data + l.entries, l.count) != live)
		return -XFS_E_CORRUPT;
	memcpy(data->data + end, l.b->data + l.entries, 8 * (size_t)live);
	xfs_put_be32(data->data + size - 8, live);
	xfs_put_be32(data->data + size - 4, 0);
	xfs_change_dirty(data, end, room);
	err = xfs_forkop_free(&op->k, op->k.from, op->k.fsbs);
	return err ? err : xfs_dirblock_to_short(op);
}

/* ---- changes ---- */

/* A data block with room; `nbests` when there is none and a new one is the only way. */
static uint32_t find_data(const struct xfs_dirop *op, const struct leaf *l, bool *fresh)
{
	uint32_t hole = l->nbests;

	*fresh = false;
	for (uint32_t db = 0; db < l->nbests; db++) {
		uint32_t best = best_of(l, db);

		if (best == XFS_DIR_NULL_BEST)
			hole = hole == l->nbests ? db : hole;
		else if (best >= op->need)
			return db;
	}
	*fresh = true;
	return hole;
}

static int insert(const struct xfs_dirop *op, struct leaf *l, uint32_t address)
{
	uint32_t i = xfs_dirindex_search(l->b->data + l->entries, l->count, op->hash), off = l->entries + 8 * i;
	uint32_t len = 8 * (l->count - i);

	if (l->stale) {
		if (xfs_dirindex_reuse(l->b, l->entries, l->count, i, op->hash, address))
			return -XFS_E_CORRUPT;
		l->stale--;
	} else {
		memmove(l->b->data + off + 8, l->b->data + off, len);
		xfs_dirindex_put(l->b->data + off, op->hash, address);
		xfs_change_dirty(l->b, off, len + 8);
		l->count++;
	}
	store(op, l);
	return 0;
}

/* Room for one entry and `nbests` data blocks; false: the leaf must become a tree. */
static bool make_room(const struct xfs_dirop *op, struct leaf *l, uint32_t nbests)
{
	uint32_t room = op->k.size - 4 - l->entries, want = 8 * (l->count + !l->stale) + 2 * nbests;

	if (want <= room)
		return true;
	if (!l->stale || 8 * (l->count - l->stale + 1) + 2 * nbests > room)
		return false;
	l->count = xfs_dirindex_compact(l->b->data + l->entries, l->count);
	l->stale = 0;
	xfs_change_dirty(l->b, l->entries, 8 * l->count);
	store(op, l);
	return 8 * (l->count + 1) + 2 * nbests <= room;
}

int xfs_dirleaf_add(const struct xfs_dirop *op)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t db, off;
	struct xfs_buf *data;
	struct leaf l;
	bool fresh;
	int err = load(op, &l);

	if (err)
		return err;
	db = find_data(op, &l, &fresh);
	if (!make_room(op, &l, db < l.nbests ? l.nbests : db + 1))
		return 1;
	err = fresh ? xfs_dirleaf_new_data(op, db, &data) : xfs_dirop_data(op, db, &data);
	if (!err && db >= l.nbests)
		resize_bests(op, &l, db + 1);
	if (!err)
		err = xfs_dirdata_take(g, data, op->k.size, op->need, &off);
	if (err)	/* the table and the block differ */
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	xfs_dirdata_put_entry(g, data, off, op->ino, op->name, op->namelen, op->ftype);
	err = xfs_dirdata_rescan(g, data, op->k.size);
	if (err)
		return err;
	set_best(&l, db, xfs_dirdata_best(g, data));
	return insert(op, &l, (uint32_t)(((uint64_t)db * op->k.size + off) / XFS_DIR_ALIGN));
}

int xfs_dirleaf_remove(const struct xfs_dirop *op, uint32_t address)
{
	const struct xfs_geometry *g = op->k.g;
	uint64_t byte = (uint64_t)address * XFS_DIR_ALIGN;
	uint32_t db = (uint32_t)(byte / op->k.size), off = (uint32_t)(byte % op->k.size), i, len;
	struct xfs_buf *data;
	struct leaf l;
	int err = load(op, &l);

	if (err)
		return err;
	i = xfs_dirindex_find(l.b->data + l.entries, l.count, op->hash, address);
	if (i == l.count || db >= l.nbests || best_of(&l, db) == XFS_DIR_NULL_BEST)
		return -XFS_E_CORRUPT;
	err = xfs_dirop_data(op, db, &data);
	if (!err)
		err = xfs_dirdata_entry_len(g, data, op->k.size, off, &len);
	if (!err)
		err = xfs_dirdata_give(g, data, op->k.size, off, len);
	if (err)
		return err;
	xfs_dirindex_retire(l.b, l.entries, i);
	l.stale++;
	store(op, &l);
	set_best(&l, db, xfs_dirdata_best(g, data));
	if (db && xfs_dirleaf_is_empty(op, data)) {
		err = xfs_dirleaf_free_data(op, db);
		if (err)
			return err;
		set_best(&l, db, XFS_DIR_NULL_BEST);
		resize_bests(op, &l, (uint32_t)(xfs_dirop_core(op)->size / op->k.size));
	}
	return xfs_dirleaf_to_block(op);
}
