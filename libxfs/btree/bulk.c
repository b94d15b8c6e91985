/* SPDX-License-Identifier: BSD-2-Clause */
/* bulk.c - writes a whole tree from records in order (format sheet 02, section 7.3). */
#include "libxfs/base/crc32c.h"
#include "libxfs/btree/priv.h"

#include <stdlib.h>

/*
 * All levels grow at the same time; each has one open block in memory.  A block is finished when it has the number of
 * entries that the geometry gives it: then the next block of the level gets its address (for the sibling link), the
 * finished one is emitted, and its keys and address become an entry one level up.
 */
struct open_block {
	uint8_t *data;
	uint8_t *entries, *ptrs;
	uint64_t ptr, left;
	uint64_t index;			/* number of the block in its level */
	uint32_t n, want;		/* entries that it has and will have */
	struct xfs_btree_key low, high;	/* of the entries so far */
};

struct loader {
	struct xfs_btree_bulk *to;
	const struct xfs_btree_geometry *g;
	const struct xfs_btree_shape *shape;
	uint8_t *memory;
	struct open_block lev[XFS_BTREE_MAXLEVELS];
};

static bool in_fork(const struct loader *l, unsigned level)
{
	return l->to->kind->inode_root && level + 1 == l->g->levels;
}

static uint32_t entries_of(const struct loader *l, unsigned level, uint64_t index)
{
	return (uint32_t)(l->g->lev[level].per + (index < l->g->lev[level].extra));
}

static void put_header(const struct loader *l, unsigned level, struct open_block *b)
{
	const struct xfs_btree_bulk *to = l->to;
	struct xfs_btree_head head = {
		.kind = to->kind, .v5 = to->v5, .blocksize = to->blocksize, .uuid = to->uuid, .owner = to->owner,
		.lsn = to->lsn, .daddr = to->v5 ? to->daddr_of(to->payload, b->ptr) : 0,
	};

	xfs_btree_block_init(&head, level, b->want, b->data);
	xfs_btree_put_sib(l->shape, b->data, false, b->left);
}

static void open_at(struct loader *l, unsigned level, uint64_t ptr, uint64_t left)
{
	struct open_block *b = &l->lev[level];

	b->ptr = ptr;
	b->left = left;
	b->n = 0;
	b->want = entries_of(l, level, b->index);
	put_header(l, level, b);
}

/* The root in a fork is a block that is smaller and has no links. */
static void open_fork(struct loader *l, unsigned level)
{
	struct open_block *b = &l->lev[level];
	uint8_t *d = l->to->inline_root;

	b->want = entries_of(l, level, 0);
	b->data = d;
	memset(d, 0, l->to->inline_len);
	xfs_bmdr_set_level((void *)d, (uint16_t)level);
	xfs_bmdr_set_numrecs((void *)d, (uint16_t)b->want);
	b->entries = d + sizeof(struct xfs_bmdr_disk);
	if (level)
		b->ptrs = b->entries + (size_t)xfs_btree_inline_max(l->to->kind, l->to->inline_len, false) *
				       l->shape->keylen;
}

static int open_first(struct loader *l)
{
	struct xfs_btree_bulk *to = l->to;

	for (unsigned level = 0; level < l->g->levels; level++) {
		struct open_block *b = &l->lev[level];
		uint64_t ptr;
		int err;

		if (in_fork(l, level)) {
			open_fork(l, level);
			continue;
		}
		b->data = l->memory + (size_t)level * to->blocksize;
		b->entries = b->data + xfs_btree_header_len(l->shape, to->v5);
		b->ptrs = b->data + xfs_btree_ptrs_off(l->shape, to->v5, to->blocksize);
		err = to->alloc(to->payload, level, &ptr);
		if (err)
			return err;
		open_at(l, level, ptr, XFS_NULL64);
	}
	return 0;
}

static void add_child(struct loader *l, unsigned level, const struct open_block *child)
{
	const struct xfs_btree_kind *kind = l->to->kind;
	struct open_block *b = &l->lev[level];
	uint8_t *key = b->entries + (size_t)b->n * l->shape->keylen;

	kind->key_put(key, &child->low);
	if (kind->overlapping)
		kind->key_put(key + kind->keylen1, &child->high);
	xfs_btree_put_ptr(l->shape, b->ptrs + (size_t)b->n * l->shape->ptrlen, child->ptr);
	if (b->n == 0) {
		b->low = child->low;
		b->high = child->high;
	} else if (kind->overlapping && xfs_btree_kind_cmp(kind, &child->high, &b->high) > 0) {
		b->high = child->high;
	}
	b->n++;
}

/* Emits the full block of `level` and opens the next one; goes up while that fills the parents. */
static int finish(struct loader *l, unsigned level)
{
	struct xfs_btree_bulk *to = l->to;

	for (;; level++) {
		struct open_block *b = &l->lev[level];
		uint64_t ptr = b->ptr, next = XFS_NULL64;
		bool more = b->index + 1 < l->g->lev[level].blocks;
		int err;

		if (in_fork(l, level))
			return 0;
		if (more) {
			err = to->alloc(to->payload, level, &next);
			if (err)
				return err;
			xfs_btree_put_sib(l->shape, b->data, true, next);
		}
		if (to->v5)
			xfs_crc32c_store(b->data, to->blocksize, xfs_btree_crc_off(l->shape));
		err = to->emit(to->payload, ptr, level, b->data);
		if (err)
			return err;
		if (level + 1 == l->g->levels) {
			to->root = ptr;
			return 0;
		}
		add_child(l, level + 1, b);
		if (more) {
			b->index++;
			open_at(l, level, next, ptr);
		}
		if (l->lev[level + 1].n < l->lev[level + 1].want)
			return 0;
	}
}

/* Fills the open leaf. `last` is the low key of the record before, when there is one. */
static int fill_leaf(struct loader *l, struct xfs_btree_key *last, bool *any)
{
	const struct xfs_btree_kind *kind = l->to->kind;
	struct open_block *b = &l->lev[0];
	uint8_t *rec = b->entries;
	struct xfs_btree_key high;

	for (; b->n < b->want; b->n++, rec += l->shape->reclen) {
		struct xfs_btree_key low;
		int err = l->to->next(l->to->payload, rec);

		if (err)
			return err;
		kind->low(&low, rec);
		if (*any && xfs_btree_kind_cmp(kind, &low, last) <= 0)
			return -XFS_E_INVALID;
		*any = true;
		*last = low;
		if (b->n == 0)
			b->low = low;
		if (!kind->overlapping)
			continue;
		kind->high(&high, rec);
		if (b->n == 0 || xfs_btree_kind_cmp(kind, &high, &b->high) > 0)
			b->high = high;
	}
	return 0;
}

static int load(struct loader *l)
{
	struct xfs_btree_key last;
	bool any = false;
	uint64_t leaves = xfs_max(1, l->g->lev[0].blocks);
	int err = open_first(l);

	for (uint64_t i = 0; i < leaves && !err; i++) {
		err = fill_leaf(l, &last, &any);
		if (!err)
			err = finish(l, 0);
	}
	return err;
}

int xfs_btree_bulk_load(struct xfs_btree_bulk *to, const struct xfs_btree_geometry *g)
{
	struct loader l = { .to = to, .g = g, .shape = to->kind->shape };
	int err;

	if (g->levels == 0 || g->levels > XFS_BTREE_MAXLEVELS || (to->v5 && (!to->daddr_of || !to->uuid)))
		return -XFS_E_INVALID;
	if (to->kind->inode_root &&
	    (!to->inline_root ||
	     xfs_btree_inline_max(to->kind, to->inline_len, g->levels == 1) < g->lev[g->levels - 1].per))
		return -XFS_E_INVALID;
	l.memory = malloc((size_t)g->levels * to->blocksize);
	if (!l.memory)
		return -XFS_E_NOMEM;
	err = load(&l);
	free(l.memory);
	to->levels = g->levels;
	return err;
}
