/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag_load.c - writes the trees of an AG: records from the layout and the claims, blocks to the device in disk order.
 *
 * A tree's leaves go out as they are made, its nodes (a hundredth of it) wait in memory until the leaves are done, since
 * they lie behind them.  Writes are gathered to a buffer of BATCH bytes.
 */
#include "libxfs/build/ag_private.h"

#include <stdlib.h>

#define BATCH ((size_t)1 << 20)
#define BATCH_VECTORS 64u

struct batch {
	struct xfs_dev *dev;
	uint8_t *buf;
	size_t fill, n;
	struct xfs_iovec v[BATCH_VECTORS];
};

static int batch_flush(struct batch *w)
{
	int err = w->n ? xfs_dev_writev(w->dev, w->v, w->n) : 0;

	w->n = w->fill = 0;
	return err;
}

static int batch_put(struct batch *w, uint64_t off, const void *data, size_t len)
{
	struct xfs_iovec *v;
	int err;

	if (w->fill + len > BATCH || w->n == BATCH_VECTORS) {
		err = batch_flush(w);
		if (err)
			return err;
	}
	memcpy(w->buf + w->fill, data, len);
	v = w->n ? &w->v[w->n - 1] : NULL;
	if (v && v->off + v->len == off)
		v->len += len;
	else
		w->v[w->n++] = (struct xfs_iovec){ .off = off, .len = len, .buf = w->buf + w->fill };
	w->fill += len;
	return 0;
}

struct load {
	struct ag_build *b;
	struct ag_tree *tree;
	struct batch batch;
	uint8_t *nodes;					/* blocks above the leaves, in order of address */
	uint32_t base[XFS_BTREE_MAXLEVELS];		/* first block of each level, counted in the tree */
	uint32_t allocated[XFS_BTREE_MAXLEVELS], emitted[XFS_BTREE_MAXLEVELS];
	size_t next;					/* record */
	struct xfs_claims_reader *reader;
};

static uint64_t block_off(const struct ag_build *b, uint32_t agbno)
{
	return xfs_agbno_daddr(b->geo, b->want->agno, XFS_AGBNO(agbno)).v << XFS_BBSHIFT;
}

static int load_alloc(void *payload, unsigned level, uint64_t *ptr)
{
	struct load *l = payload;
	uint32_t i = l->base[level] + l->allocated[level]++;

	if (i >= l->tree->blocks)
		return -XFS_E_INTERNAL;
	*ptr = l->b->blocks[l->tree->first + i];
	return 0;
}

static int load_emit(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct load *l = payload;
	uint32_t bs = l->b->geo->blocksize;

	if (!level)
		return batch_put(&l->batch, block_off(l->b, (uint32_t)ptr), data, bs);
	memcpy(l->nodes + (size_t)(l->base[level] - l->base[1] + l->emitted[level]++) * bs, data, bs);
	return 0;
}

static uint64_t load_daddr(void *payload, uint64_t ptr)
{
	struct load *l = payload;

	return xfs_agbno_daddr(l->b->geo, l->b->want->agno, XFS_AGBNO(ptr)).v;
}

/* ---- records ---- */

static int next_free(void *payload, void *rec)
{
	struct load *l = payload;
	const struct ag_free *f = &l->b->free[l->next++];

	xfs_bnobt_rec_encode(rec, &(struct xfs_bnobt_rec){ .startblock = f->start, .blockcount = f->len });
	return 0;
}

static int by_length(const void *a, const void *b)
{
	const struct ag_free *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->start == y->start ? 0 : x->start < y->start ? -1 : 1;
}

static void put_chunk(const struct load *l, void *rec, const struct xfs_inode_chunk *c)
{
	struct xfs_inobt_rec r = { .startino = c->startino, .freecount = c->freecount, .free = c->free };

	if (l->b->geo->sparse) {	/* else these bytes are the upper ones of a 32-bit count */
		r.holemask = c->holemask;
		r.count = c->count;
	}
	xfs_inobt_rec_encode(rec, &r);
}

static int next_chunk(void *payload, void *rec)
{
	struct load *l = payload;

	put_chunk(l, rec, &l->b->want->chunks[l->next++]);
	return 0;
}

static int next_free_chunk(void *payload, void *rec)
{
	struct load *l = payload;

	while (!l->b->want->chunks[l->next].freecount)	/* there are as many as were counted */
		l->next++;
	return next_chunk(payload, rec);
}

static int next_rmap(void *payload, void *rec)
{
	struct load *l = payload;
	struct xfs_claim c;
	int err = xfs_claims_reader_next(l->reader, &c);

	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_INTERNAL : err;
	xfs_rmap_rec_encode(rec, &(struct xfs_rmap_rec){ .startblock = c.agbno, .blockcount = c.len, .owner = c.owner,
		.offset = c.offset & XFS_RMAP_OFFMASK, .extentflag = (c.offset & XFS_RMAP_UNWRITTEN) != 0,
		.attrfork = (c.offset & XFS_RMAP_ATTR) != 0, .bmbtblock = (c.offset & XFS_RMAP_BMBT) != 0 });
	return 0;
}

static int next_refc(void *payload, void *rec)
{
	struct load *l = payload;
	const struct ag_refc *r = &l->b->refc[l->next++];

	xfs_refc_rec_encode(rec, &(struct xfs_refc_rec){ .startblock = r->start & ~XFS_REFC_COW,
		.blockcount = r->len, .refcount = r->refs, .cowflag = (r->start & XFS_REFC_COW) != 0 });
	return 0;
}

static int (*const next_record[XFS_TREE_COUNT])(void *, void *) = {
	next_free, next_free, next_chunk, next_free_chunk, next_rmap, next_refc
};

/* ---- one tree ---- */

static int write_nodes(struct load *l)
{
	uint32_t bs = l->b->geo->blocksize, leaves = l->base[1];
	int err = 0;

	for (uint32_t i = leaves; i < l->tree->blocks && !err; i++)
		err = batch_put(&l->batch, block_off(l->b, l->b->blocks[l->tree->first + i]),
				l->nodes + (size_t)(i - leaves) * bs, bs);
	return err;
}

static int load_tree(struct load *l, enum xfs_build_tree t)
{
	const struct ag_build *b = l->b;
	struct ag_tree *tree = l->tree = &l->b->tree[t];
	struct xfs_btree_bulk bulk = {
		.kind = tree->kind, .blocksize = b->geo->blocksize, .v5 = b->geo->v5, .uuid = b->geo->uuid,
		.owner = b->want->agno.v, .lsn = b->want->lsn, .next = next_record[t], .alloc = load_alloc,
		.daddr_of = load_daddr, .emit = load_emit, .payload = l,
	};
	uint32_t base = 0;
	int err;

	tree->blocks = (uint32_t)tree->shape.blocks;
	for (unsigned level = 0; level < XFS_BTREE_MAXLEVELS; level++) {
		l->base[level] = base;
		l->allocated[level] = l->emitted[level] = 0;
		base += level < tree->shape.levels ? (uint32_t)tree->shape.lev[level].blocks : 0;
	}
	l->next = 0;
	free(l->nodes);
	l->nodes = malloc((size_t)(tree->blocks - l->base[1] + 1) * b->geo->blocksize);
	if (!l->nodes)
		return -XFS_E_NOMEM;
	err = xfs_btree_bulk_load(&bulk, &tree->shape);
	if (!err)
		err = write_nodes(l);
	tree->root = (uint32_t)bulk.root;
	tree->levels = bulk.levels;
	return err;
}

int ag_load_trees(struct ag_build *b)
{
	struct load l = { .b = b };
	int err = 0;

	l.batch.dev = b->want->dev;
	l.batch.buf = malloc(BATCH);
	if (!l.batch.buf)
		return -XFS_E_NOMEM;
	for (unsigned t = 0; t < XFS_TREE_COUNT && !err; t++) {
		if (!b->tree[t].present || b->tree[t].kept)
			continue;
		if (t == XFS_TREE_CNT && b->nfree)
			qsort(b->free, b->nfree, sizeof(*b->free), by_length);
		if (t == XFS_TREE_RMAP)
			err = xfs_claims_reader_open(&l.reader, b->want->claims, b->want->agno);
		if (!err)
			err = load_tree(&l, (enum xfs_build_tree)t);
	}
	if (!err)
		err = batch_flush(&l.batch);
	xfs_claims_reader_close(l.reader);
	free(l.nodes);
	free(l.batch.buf);
	return err;
}
