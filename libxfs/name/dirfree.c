/* SPDX-License-Identifier: BSD-2-Clause */
/* dirfree.c - the free index of directories with a hash tree (format sheet 03, section 5.4). */
#include "libxfs/name/dirprivate.h"

#define PROBES 8u			/* blocks of the index that one search looks at */

static const uint32_t magics[2] = { XFS_DIR2_FREE_MAGIC, XFS_DIR3_FREE_MAGIC };

static uint32_t max_bests(const struct xfs_dirop *op)
{
	return xfs_dir_free_maxbests(op->k.g->v5, op->k.size);
}

static uint64_t place(const struct xfs_dirop *op, uint64_t k)
{
	return op->k.to + k * op->k.fsbs;
}

static bool is_mapped(const struct xfs_dirop *op, uint64_t off, int *err)
{
	struct xfs_ifork f;
	struct xfs_extent e;

	*err = xfs_forkop_fork(&op->k, &f);
	if (!*err)
		*err = xfs_ifork_lookup(&f, off, &e);
	if (*err == -XFS_E_NOENT) {
		*err = 0;
		return false;
	}
	return !*err && e.off <= off;
}

static int check(const struct xfs_dirop *op, const uint8_t *p, uint64_t k, struct xfs_dir3_free_hdr *h)
{
	xfs_dir_free_hdr_load(h, p, op->k.g->v5);
	if (h->firstdb != k * max_bests(op) || h->nvalid > max_bests(op) || h->nused > h->nvalid)
		return -XFS_E_CORRUPT;
	return 0;
}

/* Looks for room in block k of the index, only reading; *hole: a number without a block, unless it is one already. */
static int probe(const struct xfs_dirop *op, uint64_t k, uint64_t *db, uint64_t *hole)
{
	uint32_t at = xfs_dir_free_header_len(op->k.g->v5);
	struct xfs_dir3_free_hdr h;
	struct xfs_ifork f;
	struct xfs_buf *b;
	int err = xfs_forkop_fork(&op->k, &f);

	if (!err)
		err = xfs_ifork_get(&f, place(op, k), op->k.fsbs, XFS_BLK_DIR_FREE, &b);
	if (err) {
		if (err == -XFS_E_NOENT && *hole == XFS_NULL64)
			*hole = k * max_bests(op);
		return err;
	}
	err = check(op, b->data, k, &h);
	for (uint32_t i = 0; !err && i < h.nvalid; i++, at += 2) {
		uint32_t best = xfs_be16(b->data + at);

		if (best == XFS_DIR_NULL_BEST) {
			if (*hole == XFS_NULL64)
				*hole = k * max_bests(op) + i;
		} else if (best >= op->need) {
			*db = k * max_bests(op) + i;
			xfs_buf_put(b);
			return 0;
		}
	}
	xfs_buf_put(b);
	return err ? err : -XFS_E_NOENT;
}

/*
 * The last block first, where a growing directory has its room, then some others from a place that the hash gives: all
 * of them when they are few, and no more work when they are many.
 */
int xfs_dirfree_find(const struct xfs_dirop *op, uint64_t *db)
{
	uint64_t dbs = xfs_dirop_core(op)->size / op->k.size, n = xfs_ceil_div(dbs, max_bests(op)), hole = XFS_NULL64;
	uint64_t first;
	int err;

	if (!n)
		return -XFS_E_CORRUPT;
	err = probe(op, n - 1, db, &hole);
	first = n <= PROBES ? 0 : op->hash % (n - 1);
	for (uint64_t i = 0; err == -XFS_E_NOENT && i < PROBES && i < n - 1; i++)
		err = probe(op, (first + i) % (n - 1), db, &hole);
	if (err == -XFS_E_NOENT)
		*db = hole == XFS_NULL64 ? dbs : hole;
	return err;
}

/* Block k of the index, made when there is none. */
static int get_block(const struct xfs_dirop *op, uint64_t k, struct xfs_buf **out)
{
	uint32_t at = op->k.g->v5 ? 48 : 4;
	int err;

	if (is_mapped(op, place(op, k), &err) || err)
		return err ? err : xfs_forkop_get(&op->k, place(op, k), XFS_BLK_DIR_FREE, out);
	err = xfs_forkop_new(&op->k, place(op, k), XFS_BLK_DIR_FREE, magics[op->k.g->v5], out);
	if (!err)
		xfs_put_be32((*out)->data + at, (uint32_t)(k * max_bests(op)));
	return err;
}

int xfs_dirfree_set(const struct xfs_dirop *op, uint64_t db, uint32_t best)
{
	uint64_t k = db / max_bests(op);
	uint32_t i = (uint32_t)(db % max_bests(op)), head = xfs_dir_free_header_len(op->k.g->v5), at, was;
	struct xfs_dir3_free_hdr h;
	struct xfs_buf *b;
	uint8_t *bests;
	int err = get_block(op, k, &b);

	if (!err)
		err = check(op, b->data, k, &h);
	if (err)
		return err;
	bests = b->data + head;
	at = h.nvalid;
	for (; h.nvalid <= i; h.nvalid++)	/* slots that come into use, up to this one */
		xfs_put_be16(bests + 2 * (size_t)h.nvalid, XFS_DIR_NULL_BEST);
	xfs_change_dirty(b, head + 2 * at, 2 * (h.nvalid - at));
	was = xfs_be16(bests + 2 * (size_t)i);
	if (was == best && h.nvalid == at)
		return 0;
	xfs_put_be16(bests + 2 * (size_t)i, (uint16_t)best);
	xfs_change_dirty(b, head + 2 * i, 2);
	h.nused += (was == XFS_DIR_NULL_BEST) - (uint32_t)(best == XFS_DIR_NULL_BEST);
	while (h.nvalid && xfs_be16(bests + 2 * (size_t)(h.nvalid - 1)) == XFS_DIR_NULL_BEST)
		h.nvalid--;
	if (!h.nvalid)
		return xfs_forkop_free(&op->k, place(op, k), op->k.fsbs);
	xfs_dir_free_hdr_store(b->data, &h, op->k.g->v5);
	xfs_change_dirty(b, 0, head);
	return 0;
}
