/* SPDX-License-Identifier: BSD-2-Clause */
/* ag_load.c - writes the trees of an AG: records from the layout and the claims, blocks to the device in disk order. */
#include "libxfs/build/ag_records.h"
#include "libxfs/build/treewrite.h"

#include <stdlib.h>

struct load {
	struct ag_build *b;
	struct ag_tree *tree;
	struct xfs_batch batch;
	size_t next;					/* record */
	struct xfs_claims_reader *reader;
	struct ag_free_reader free;
	struct xfs_sorter *sorted;
	struct ag_refc_reader refc;
};

static uint64_t load_block(void *payload, uint64_t i)
{
	struct load *l = payload;

	return l->b->blocks[l->tree->first + i];
}

static uint64_t load_daddr(void *payload, uint64_t ptr)
{
	struct load *l = payload;

	return xfs_agbno_daddr(l->b->geo, l->b->want->agno, XFS_AGBNO(ptr)).v;
}

/* ---- records ---- */

/* The layout counted what there is: no end comes too early. */
static int no_end(int err)
{
	return err == -XFS_E_NOENT ? -XFS_E_INTERNAL : err;
}

static void put_free(void *rec, const struct ag_free *f)
{
	xfs_bnobt_rec_encode(rec, &(struct xfs_bnobt_rec){ .startblock = f->start, .blockcount = f->len });
}

static int next_free(void *payload, void *rec)
{
	struct load *l = payload;
	struct ag_free f = { 0 };
	int err = ag_free_next(&l->free, &f);

	put_free(rec, &f);
	return no_end(err);
}

static int next_by_length(void *payload, void *rec)
{
	struct load *l = payload;
	struct ag_free f = { 0 };
	int err = ag_sorted_next(l->sorted, &f);

	put_free(rec, &f);
	return no_end(err);
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
		return no_end(err);
	xfs_rmap_rec_encode(rec, &(struct xfs_rmap_rec){ .startblock = c.agbno, .blockcount = c.len, .owner = c.owner,
		.offset = c.offset & XFS_RMAP_OFFMASK, .extentflag = (c.offset & XFS_RMAP_UNWRITTEN) != 0,
		.attrfork = (c.offset & XFS_RMAP_ATTR) != 0, .bmbtblock = (c.offset & XFS_RMAP_BMBT) != 0 });
	return 0;
}

static int next_refc(void *payload, void *rec)
{
	struct load *l = payload;
	struct ag_refc r = { 0 };
	int err = ag_refc_next(&l->refc, &r);

	xfs_refc_rec_encode(rec, &(struct xfs_refc_rec){ .startblock = r.start & ~XFS_REFC_COW,
		.blockcount = r.len, .refcount = r.refs, .cowflag = (r.start & XFS_REFC_COW) != 0 });
	return no_end(err);
}

static int (*const next_record[XFS_TREE_COUNT])(void *, void *) = {
	next_free, next_by_length, next_chunk, next_free_chunk, next_rmap, next_refc
};

/* ---- one tree ---- */

static int load_tree(struct load *l, enum xfs_build_tree t)
{
	const struct ag_build *b = l->b;
	struct ag_tree *tree = l->tree = &l->b->tree[t];
	struct xfs_btree_bulk bulk = {
		.kind = tree->kind, .blocksize = b->geo->blocksize, .v5 = b->geo->v5, .uuid = b->geo->uuid,
		.owner = b->want->agno.v, .lsn = b->want->lsn,
	};
	struct xfs_treewrite write = {
		.batch = &l->batch, .shape = &tree->shape, .next = next_record[t], .block = load_block,
		.daddr_of = load_daddr, .payload = l,
	};
	int err;

	l->next = 0;
	err = xfs_treewrite(&write, &bulk);
	tree->blocks = (uint32_t)tree->shape.blocks;
	tree->root = (uint32_t)bulk.root;
	tree->levels = bulk.levels;
	return err;
}

static int open_records(struct load *l, enum xfs_build_tree t)
{
	const struct ag_build *b = l->b;

	switch (t) {
	case XFS_TREE_BNO:
		return ag_free_open(&l->free, b);
	case XFS_TREE_CNT:
		return ag_sorted_open(&l->sorted, b);
	case XFS_TREE_RMAP:
		return xfs_claims_reader_open(&l->reader, b->want->claims, b->want->agno);
	case XFS_TREE_REFC:
		return ag_refc_open(&l->refc, b);
	default:
		return 0;
	}
}

static void close_records(struct load *l)
{
	ag_free_close(&l->free);
	xfs_sorter_free(l->sorted);
	l->sorted = NULL;
	xfs_claims_reader_close(l->reader);
	l->reader = NULL;
	ag_refc_close(&l->refc);
	l->refc = (struct ag_refc_reader){ 0 };
}

int ag_load_trees(struct ag_build *b)
{
	struct load l = { .b = b };
	int err = xfs_batch_init(&l.batch, b->want->dev, 0);

	for (unsigned t = 0; t < XFS_TREE_COUNT && !err; t++) {
		if (!b->tree[t].present || b->tree[t].kept)
			continue;
		err = open_records(&l, (enum xfs_build_tree)t);
		if (!err)
			err = load_tree(&l, (enum xfs_build_tree)t);
		close_records(&l);
	}
	if (!err)
		err = xfs_batch_flush(&l.batch);
	xfs_batch_release(&l.batch);
	return err;
}
