/* SPDX-License-Identifier: BSD-2-Clause */
/* dirblock.c - directories of a single block: changes, and the ways from and to the short form. */
#include "libxfs/name/dirprivate.h"

#include "libxfs/name/hash.h"

#include <stdlib.h>

static const uint32_t magics[2] = { XFS_DIR2_BLOCK_MAGIC, XFS_DIR3_BLOCK_MAGIC };

/* The tail of the block: its array of hashes. */
struct tail {
	uint32_t count, stale, end;	/* end: where it starts, and entries end */
};

static int load_tail(const struct xfs_dirop *op, const struct xfs_buf *b, struct tail *t)
{
	uint32_t size = op->k.size;
	struct xfs_dir_block_tail d;

	xfs_dir_block_tail_decode(&d, b->data + size - sizeof(struct xfs_dir_block_tail_disk));
	if (xfs_be32(b->data) != magics[op->k.g->v5] || d.stale > d.count ||
	    d.count > (size - xfs_dir_data_header_len(op->k.g->v5)) / 8 - 1)
		return -XFS_E_CORRUPT;
	*t = (struct tail){ d.count, d.stale, xfs_dir_block_leaf_off(size, d.count) };
	return 0;
}

static void store_tail(const struct xfs_dirop *op, struct xfs_buf *b, struct tail *t)
{
	uint32_t at = op->k.size - (uint32_t)sizeof(struct xfs_dir_block_tail_disk);
	const struct xfs_dir_block_tail d = { .count = t->count, .stale = t->stale };

	xfs_dir_block_tail_encode(b->data + at, &d);
	xfs_change_dirty(b, at, sizeof(struct xfs_dir_block_tail_disk));
	t->end = xfs_dir_block_leaf_off(op->k.size, t->count);
}

/* ---- from the short form ---- */

struct pair {
	uint32_t hash, address;
};

static int by_hash(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Entries of a short directory where they say they lie, with free areas between. */
static void fill(const struct xfs_dirop *op, struct xfs_buf *b, const struct xfs_sf_list *l)
{
	const struct xfs_geometry *g = op->k.g;
	struct pair pairs[XFS_DIR_SF_MOST + 2];
	uint32_t dot = xfs_dir_data_header_len(g->v5), at = dot + 32;
	struct tail t = { .count = l->n + 2 };

	store_tail(op, b, &t);
	xfs_dirdata_put_entry(g, b, dot, op->k.ip->i.ino.v, (const uint8_t *)".", 1, XFS_DIR_FT_DIR);
	xfs_dirdata_put_entry(g, b, dot + 16, l->parent, (const uint8_t *)"..", 2, XFS_DIR_FT_DIR);
	pairs[0] = (struct pair){ xfs_dir_hash(g, ".", 1), dot / XFS_DIR_ALIGN };
	pairs[1] = (struct pair){ xfs_dir_hash(g, "..", 2), (dot + 16) / XFS_DIR_ALIGN };
	for (unsigned i = 0; i < l->n; i++) {
		const struct xfs_sf_entry *e = &l->e[i];

		xfs_dirdata_put_unused(b, at, e->off - at);
		xfs_dirdata_put_entry(g, b, e->off, e->ino, e->name, e->namelen, e->ftype);
		pairs[i + 2] = (struct pair){ xfs_dir_hash(g, e->name, e->namelen), e->off / XFS_DIR_ALIGN };
		at = e->off + xfs_dir_data_entsize(g->ftype, e->namelen);
	}
	xfs_dirdata_put_unused(b, at, t.end - at);
	qsort(pairs, t.count, sizeof(pairs[0]), by_hash);
	for (uint32_t i = 0; i < t.count; i++)
		xfs_dirindex_put(b->data + t.end + 8 * (size_t)i, pairs[i].hash, pairs[i].address);
}

int xfs_dirblock_from_short(const struct xfs_dirop *op)
{
	struct xfs_sf_list *l;
	struct xfs_buf *b;
	int err = xfs_dirshort_load(op, &l);

	if (err)
		return err;
	err = xfs_live_fork_clear(op->k.ip, XFS_FORK_DATA);
	xfs_dirop_set_size(op, op->k.size);
	if (!err)
		err = xfs_forkop_new(&op->k, 0, XFS_BLK_DIR_ANYDATA, magics[op->k.g->v5], &b);
	if (!err) {
		fill(op, b, l);
		err = xfs_dirdata_rescan(op->k.g, b, xfs_dir_block_leaf_off(op->k.size, l->n + 2));
	}
	free(l);
	return err;
}

/* ---- to the short form ---- */

static int gather(const struct xfs_dirop *op, const struct xfs_buf *b, uint32_t end, struct xfs_sf_list *l)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t off = xfs_dir_data_header_len(g->v5), left = sizeof(l->bytes);
	uint8_t *names = l->bytes;
	struct xfs_dir_item it;
	int more;

	while ((more = xfs_dir_data_next(g, b->data, end, &off, &it)) > 0) {
		if (!it.used || xfs_dir_is_dot(&it))
			continue;
		if (xfs_dir_is_dotdot(&it)) {
			l->parent = it.ino;
			continue;
		}
		if (l->n == XFS_DIR_SF_MOST || it.namelen > left)
			return -XFS_E_NOSPC;
		memcpy(names, it.name, it.namelen);
		l->e[l->n++] = (struct xfs_sf_entry){ it.ino, names, it.namelen, it.ftype, (uint16_t)it.off };
		names += it.namelen;
		left -= it.namelen;
	}
	return more;
}

int xfs_dirblock_to_short(const struct xfs_dirop *op)
{
	struct xfs_sf_list *l;
	struct xfs_buf *b;
	struct tail t;
	uint32_t len;
	int err = xfs_dirop_data(op, 0, &b);

	if (!err)
		err = load_tail(op, b, &t);
	if (err)
		return err;
	xfs_inode_fork_bytes(&op->k.ip->i, XFS_FORK_DATA, &len);
	/* no entry is shorter than 8 bytes; the dots are not stored */
	if (xfs_dir_sf_hdr_len(false) + (t.count - t.stale) * 8 > len + 16)
		return 0;
	l = malloc(sizeof(*l));
	if (!l)
		return -XFS_E_NOMEM;
	l->n = 0;
	l->parent = 0;
	err = gather(op, b, t.end, l);
	if (err == -XFS_E_NOSPC || (!err && xfs_dirshort_size(op->k.g, l) > len)) {
		err = 0;
	} else if (!err) {
		err = xfs_forkop_free(&op->k, 0, op->k.fsbs);
		if (!err) {
			xfs_dirop_core(op)->format = XFS_DINODE_FMT_LOCAL;
			err = xfs_dirshort_store(op, l);
		}
	}
	free(l);
	return err;
}

/* ---- changes ---- */

/* Gives the room of stale entries back to the data. */
static int compact(const struct xfs_dirop *op, struct xfs_buf *b, struct tail *t)
{
	uint32_t end = t->end, freed = 8 * t->stale, live = t->count - t->stale;
	uint8_t *entries = b->data + t->end;

	if (xfs_dirindex_compact(entries, t->count) != live)
		return -XFS_E_CORRUPT;
	memmove(entries + freed, entries, 8 * (size_t)live);
	*t = (struct tail){ .count = live };
	store_tail(op, b, t);
	xfs_change_dirty(b, t->end, 8 * live);
	return xfs_dirdata_give(op->k.g, b, t->end, end, freed);
}

static bool has_room(const struct xfs_dirdata_areas *a, const struct tail *t, uint32_t need)
{
	if (t->stale)
		return a->longest >= need || a->tail >= need;
	return a->tail >= 8 && (a->longest >= need || a->tail - 8 >= need);
}

/* One entry more in the array, whose first entry moves into the free area in front of it. */
static int grow(const struct xfs_dirop *op, struct xfs_buf *b, struct tail *t, uint32_t i, uint32_t address)
{
	uint8_t *entries = b->data + t->end - 8;
	int err = xfs_dirdata_cut(op->k.g, b, t->end, 8);

	if (err)
		return err;
	memmove(entries, entries + 8, 8 * (size_t)i);
	xfs_dirindex_put(entries + 8 * (size_t)i, op->hash, address);
	xfs_change_dirty(b, t->end - 8, 8 * (i + 1));
	t->count++;
	store_tail(op, b, t);
	return 0;
}

static int insert(const struct xfs_dirop *op, struct xfs_buf *b, struct tail *t)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t i = xfs_dirindex_search(b->data + t->end, t->count, op->hash), off;
	int err = 0;

	if (!t->stale)			/* first the array: what is taken for the entry must not be in its way */
		err = grow(op, b, t, i, XFS_DIR_NULL_ADDRESS);
	else
		t->stale--;
	if (!err)
		err = xfs_dirdata_take(g, b, t->end, op->need, &off);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	xfs_dirdata_put_entry(g, b, off, op->ino, op->name, op->namelen, op->ftype);
	/* the place that grow() made, or any other stale one, is used up here */
	err = xfs_dirindex_reuse(b, t->end, t->count, i, op->hash, off / XFS_DIR_ALIGN);
	if (err)
		return -XFS_E_CORRUPT;
	store_tail(op, b, t);
	return xfs_dirdata_rescan(g, b, t->end);
}

int xfs_dirblock_add(const struct xfs_dirop *op)
{
	struct xfs_dirdata_areas a;
	struct xfs_buf *b;
	struct tail t;
	int err = xfs_dirop_data(op, 0, &b);

	if (!err)
		err = load_tail(op, b, &t);
	if (!err)
		err = xfs_dirdata_survey(op->k.g, b->data, t.end, &a);
	if (err)
		return err;
	if (!has_room(&a, &t, op->need) && t.stale) {
		err = compact(op, b, &t);
		if (!err)
			err = xfs_dirdata_survey(op->k.g, b->data, t.end, &a);
		if (err)
			return err;
	}
	return has_room(&a, &t, op->need) ? insert(op, b, &t) : -XFS_E_NOSPC;
}

int xfs_dirblock_remove(const struct xfs_dirop *op, uint32_t address)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t off = address * XFS_DIR_ALIGN, len, i;
	struct xfs_buf *b;
	struct tail t;
	int err = xfs_dirop_data(op, 0, &b);

	if (!err)
		err = load_tail(op, b, &t);
	if (!err)
		err = xfs_dirdata_entry_len(g, b, t.end, off, &len);
	if (err)
		return err;
	i = xfs_dirindex_find(b->data + t.end, t.count, op->hash, address);
	if (i == t.count)
		return -XFS_E_CORRUPT;
	xfs_dirindex_retire(b, t.end, i);
	t.stale++;
	store_tail(op, b, &t);
	err = xfs_dirdata_give(g, b, t.end, off, len);
	return err ? err : xfs_dirblock_to_short(op);
}
