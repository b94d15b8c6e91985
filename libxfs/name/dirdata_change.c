/* SPDX-License-Identifier: BSD-2-Clause */
/* dirdata_change.c - entries and free areas of data blocks (format sheet 03, section 5.2). */
#include "libxfs/name/dirprivate.h"

int xfs_dirdata_survey(const struct xfs_geometry *g, const uint8_t *block, uint32_t end, struct xfs_dirdata_areas *a)
{
	uint32_t off = xfs_dir_data_header_len(g->v5);
	struct xfs_dir_item it;
	int more;

	memset(a, 0, sizeof(*a));
	while ((more = xfs_dir_data_next(g, block, end, &off, &it)) > 0) {
		if (it.tag != it.off)
			return -XFS_E_CORRUPT;
		if (it.used)
			a->used++;
		else if (off == end)
			a->tail = it.len;
		else
			a->longest = it.len > a->longest ? it.len : a->longest;
	}
	return more;
}

void xfs_dirdata_put_unused(struct xfs_buf *b, uint32_t off, uint32_t len)
{
	const struct xfs_dir_data_unused u = { .freetag = XFS_DIR_FREE_TAG, .length = (uint16_t)len };

	if (!len)
		return;
	xfs_dir_data_unused_encode(b->data + off, &u);
	xfs_put_be16(b->data + off + len - 2, (uint16_t)off);
	xfs_change_dirty(b, off, sizeof(struct xfs_dir_data_unused_disk));
	xfs_change_dirty(b, off + len - 2, 2);
}

void xfs_dirdata_init(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end)
{
	uint32_t off = xfs_dir_data_header_len(g->v5);
	const struct xfs_dir_best best = { .offset = (uint16_t)off, .length = (uint16_t)(end - off) };

	xfs_dirdata_put_unused(b, off, end - off);
	xfs_dir_best_encode(b->data + xfs_dir_bestfree_off(g->v5), &best);
}

static void insert_best(struct xfs_dir_best best[XFS_DIR_BESTS], struct xfs_dir_best new)
{
	for (unsigned i = 0; i < XFS_DIR_BESTS; i++)
		if (new.length > best[i].length) {
			struct xfs_dir_best pushed = best[i];

			best[i] = new;
			new = pushed;
		}
}

int xfs_dirdata_rescan(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end)
{
	uint32_t off = xfs_dir_data_header_len(g->v5), at = xfs_dir_bestfree_off(g->v5);
	struct xfs_dir_best best[XFS_DIR_BESTS] = { { 0 } };
	uint8_t table[4 * XFS_DIR_BESTS];
	struct xfs_dir_item it;
	int more;

	while ((more = xfs_dir_data_next(g, b->data, end, &off, &it)) > 0) {
		if (it.tag != it.off)
			return -XFS_E_CORRUPT;
		if (!it.used)
			insert_best(best, (struct xfs_dir_best){ (uint16_t)it.off, (uint16_t)it.len });
	}
	if (more)
		return more;
	for (unsigned i = 0; i < XFS_DIR_BESTS; i++)
		xfs_dir_best_encode(table + 4 * i, &best[i]);
	if (memcmp(b->data + at, table, sizeof(table))) {
		memcpy(b->data + at, table, sizeof(table));
		xfs_change_dirty(b, at, sizeof(table));
	}
	return 0;
}

/* The free area at `off`. CORRUPT: there is none. */
static int area_at(const struct xfs_geometry *g, const struct xfs_buf *b, uint32_t end, uint32_t off, uint32_t *len)
{
	uint32_t at = off;
	struct xfs_dir_item it;

	if (off < xfs_dir_data_header_len(g->v5) || off % XFS_DIR_ALIGN || off >= end ||
	    xfs_dir_data_next(g, b->data, end, &at, &it) < 0 || it.used || it.tag != off)
		return -XFS_E_CORRUPT;
	*len = it.len;
	return 0;
}

int xfs_dirdata_take(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end, uint32_t need, uint32_t *off)
{
	struct xfs_dir_best best, fit = { 0 };
	uint32_t len;
	int err;

	/* the shortest of the longest ones that is long enough */
	for (unsigned i = 0; i < XFS_DIR_BESTS; i++) {
		xfs_dir_best_decode(&best, b->data + xfs_dir_bestfree_off(g->v5) + 4 * i);
		if (best.length >= need && (!fit.length || best.length < fit.length))
			fit = best;
	}
	if (!fit.length)
		return -XFS_E_NOENT;
	err = area_at(g, b, end, fit.offset, &len);
	if (err || len != fit.length)
		return -XFS_E_CORRUPT;
	*off = fit.offset;
	xfs_dirdata_put_unused(b, *off + need, len - need);
	/* an entry must be there before the block is walked again: the name comes later, its length is what counts */
	return 0;
}

int xfs_dirdata_give(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end, uint32_t off, uint32_t len)
{
	uint32_t start = off, stop = off + len, other;

	if (off > xfs_dir_data_header_len(g->v5)) {
		uint32_t before = xfs_be16(b->data + off - 2);	/* the item on the left tells where it starts */

		if (before >= off)
			return -XFS_E_CORRUPT;
		if (!area_at(g, b, end, before, &other) && before + other == off)
			start = before;
	}
	if (stop < end && xfs_be16(b->data + stop) == XFS_DIR_FREE_TAG) {
		if (area_at(g, b, end, stop, &other))
			return -XFS_E_CORRUPT;
		stop += other;
	}
	xfs_dirdata_put_unused(b, start, stop - start);
	return xfs_dirdata_rescan(g, b, end);
}

int xfs_dirdata_cut(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end, uint32_t len)
{
	uint32_t start = xfs_be16(b->data + end - 2), have;

	if (area_at(g, b, end, start, &have) || start + have != end || have < len)
		return -XFS_E_CORRUPT;
	xfs_dirdata_put_unused(b, start, have - len);
	return xfs_dirdata_rescan(g, b, end - len);
}

void xfs_dirdata_put_entry(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t off, uint64_t ino,
			   const uint8_t *name, unsigned namelen, unsigned ftype)
{
	const struct xfs_dir_data_ent head = { .inumber = ino, .namelen = (uint8_t)namelen };
	uint32_t size = xfs_dir_data_entsize(g->ftype, namelen);
	uint8_t *p = b->data + off;

	xfs_dir_data_ent_encode(p, &head);
	memcpy(p + sizeof(struct xfs_dir_data_ent_disk), name, namelen);
	if (g->ftype)
		p[xfs_dir_data_ftype_off(namelen)] = (uint8_t)ftype;
	xfs_put_be16(p + size - 2, (uint16_t)off);
	xfs_change_dirty(b, off, size);
}

static int entry_at(const struct xfs_geometry *g, const struct xfs_buf *b, uint32_t end, uint32_t off,
		    struct xfs_dir_item *it)
{
	uint32_t at = off;

	if (off < xfs_dir_data_header_len(g->v5) || off % XFS_DIR_ALIGN || off >= end ||
	    xfs_dir_data_next(g, b->data, end, &at, it) < 0 || !it->used || it->tag != off)
		return -XFS_E_CORRUPT;
	return 0;
}

int xfs_dirdata_entry_len(const struct xfs_geometry *g, const struct xfs_buf *b, uint32_t end, uint32_t off,
			  uint32_t *len)
{
	struct xfs_dir_item it;
	int err = entry_at(g, b, end, off, &it);

	*len = it.len;
	return err;
}

int xfs_dirdata_replace(const struct xfs_geometry *g, struct xfs_buf *b, uint32_t end, uint32_t off, uint64_t ino,
			unsigned ftype)
{
	struct xfs_dir_item it;
	uint32_t at;
	int err = entry_at(g, b, end, off, &it);

	if (err)
		return err;
	xfs_put_be64(b->data + off, ino);
	xfs_change_dirty(b, off, 8);
	if (g->ftype) {
		at = off + xfs_dir_data_ftype_off(it.namelen);
		b->data[at] = (uint8_t)ftype;
		xfs_change_dirty(b, at, 1);
	}
	return 0;
}

int xfs_dirop_data(const struct xfs_dirop *op, uint64_t db, struct xfs_buf **out)
{
	return xfs_forkop_get(&op->k, db * op->k.fsbs, XFS_BLK_DIR_ANYDATA, out);
}
