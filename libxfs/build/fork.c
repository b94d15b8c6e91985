/* SPDX-License-Identifier: BSD-2-Clause */
/* fork.c - block maps from extents. */
#include "libxfs/build/fork.h"

#include "libxfs/base/grow.h"
#include "libxfs/btree/btree.h"
#include "libxfs/build/treewrite.h"

#include <stdlib.h>
#include <string.h>

struct loading {
	struct xfs_build_fork *b;
	uint64_t at;			/* next extent */
	uint64_t *blocks;		/* of the tree */
	uint64_t nblocks;		/* taken so far */
};

static struct xfs_extent extent_at(const struct xfs_build_fork *b, uint64_t i)
{
	struct xfs_extent e;

	if (!b->next)
		return b->extents[i];
	b->next(b->payload, i == 0, &e);
	return e;
}

static void put_record(void *disk, const struct xfs_extent *e)
{
	struct xfs_bmbt_rec rec = {
		.startoff = e->off, .startblock = e->block, .blockcount = e->len, .extentflag = e->unwritten
	};

	xfs_bmbt_rec_encode(disk, &rec);
}

uint64_t xfs_build_fork_most(enum xfs_fork which, bool large)
{
	if (which == XFS_FORK_ATTR)
		return large ? UINT32_MAX : INT16_MAX;
	return large ? (UINT64_C(1) << 48) - 1 : INT32_MAX;
}

/* Both forks may be as high as this: few extents in a small attribute fork never come near. */
static int tree_shape(const struct xfs_geometry *geo, uint32_t forksize, uint64_t nextents,
		      struct xfs_btree_geometry *shape)
{
	int error = xfs_btree_bulk_geometry(shape, &xfs_btree_kinds[XFS_BTREE_BMAP], geo->v5, geo->blocksize, nextents,
					    0, 0, forksize);

	return error ? error : shape->levels > geo->bmap_maxlevels[0] ? -XFS_E_TOOBIG : 0;
}

int xfs_build_fork_blocks(const struct xfs_geometry *geo, uint32_t forksize, uint64_t nextents, uint64_t *blocks)
{
	struct xfs_btree_geometry shape;
	int error;

	*blocks = 0;
	if (nextents <= forksize / sizeof(struct xfs_bmbt_rec_disk))
		return 0;
	error = tree_shape(geo, forksize, nextents, &shape);
	if (!error)
		*blocks = shape.blocks;
	return error;
}

/* Records that a reader would refuse must not be written. */
static int check_extents(const struct xfs_build_fork *b)
{
	uint64_t next = 0;

	if (b->nextents > xfs_build_fork_most(b->which, b->geo->nrext64))
		return -XFS_E_TOOBIG;
	for (uint64_t i = 0; i < b->nextents; i++) {
		const struct xfs_extent e = extent_at(b, i);

		if (e.len > XFS_BMBT_MAXLEN || e.off < next || e.off >> 54 ||
		    !xfs_extent_valid(b->geo, &e, b->realtime) ||
		    (b->which == XFS_FORK_ATTR && (e.unwritten || b->realtime)))
			return -XFS_E_INVALID;
		next = e.off + e.len;
	}
	return 0;
}

static int next_record(void *payload, void *rec)
{
	struct loading *l = payload;

	const struct xfs_extent e = extent_at(l->b, l->at++);

	put_record(rec, &e);
	return 0;
}

static uint64_t block_at(void *payload, uint64_t i)
{
	struct loading *l = payload;

	return l->blocks[i];
}

static uint64_t block_daddr(void *payload, uint64_t ptr)
{
	struct loading *l = payload;

	return xfs_fsbno_daddr(l->b->geo, XFS_FSBNO(ptr)).v;
}

static int take_blocks(struct loading *l, uint64_t n)
{
	struct xfs_build_fork *b = l->b;
	size_t bytes;

	if (xfs_mul_overflows(n, sizeof(*l->blocks), &bytes))
		return -XFS_E_NOMEM;
	l->blocks = malloc(bytes);
	if (!l->blocks)
		return -XFS_E_NOMEM;
	for (; l->nblocks < n; l->nblocks++) {
		int error = b->alloc(b->payload, &l->blocks[l->nblocks]);

		if (error)
			return error;
		if (!xfs_fsbno_range_valid(b->geo, l->blocks[l->nblocks], 1)) {
			l->nblocks++;
			return -XFS_E_INVALID;
		}
	}
	return 0;
}

static int write_tree(struct loading *l, const struct xfs_btree_geometry *shape)
{
	struct xfs_build_fork *b = l->b;
	struct xfs_btree_bulk bulk = {
		.kind = &xfs_btree_kinds[XFS_BTREE_BMAP], .blocksize = b->geo->blocksize, .v5 = b->geo->v5,
		.uuid = b->geo->uuid, .owner = b->ino, .lsn = b->lsn, .inline_root = b->bytes,
		.inline_len = b->forksize,
	};
	struct xfs_batch batch;
	struct xfs_treewrite write = {
		.batch = &batch, .shape = shape, .next = next_record, .block = block_at,
		.daddr_of = block_daddr, .payload = l,
	};
	int error = xfs_batch_init(&batch, b->dev, shape->blocks * b->geo->blocksize);

	if (error)
		return error;
	error = xfs_treewrite(&write, &bulk);
	if (!error)
		error = xfs_batch_flush(&batch);
	xfs_batch_release(&batch);
	return error;
}

static int build_tree(struct xfs_build_fork *b)
{
	struct loading l = { .b = b };
	struct xfs_btree_geometry shape;
	int error = tree_shape(b->geo, b->forksize, b->nextents, &shape);

	if (error)
		return error;
	error = take_blocks(&l, shape.blocks);
	if (!error)
		error = write_tree(&l, &shape);
	while (error && b->unalloc && l.nblocks)
		b->unalloc(b->payload, l.blocks[--l.nblocks]);
	free(l.blocks);
	b->format = XFS_DINODE_FMT_BTREE;
	b->levels = shape.levels;
	b->blocks = shape.blocks;
	return error;
}

int xfs_build_fork(struct xfs_build_fork *b)
{
	int error = check_extents(b);

	if (error)
		return error;
	memset(b->bytes, 0, b->forksize);
	if (b->nextents > b->forksize / sizeof(struct xfs_bmbt_rec_disk))
		return build_tree(b);
	b->format = XFS_DINODE_FMT_EXTENTS;
	b->levels = 0;
	b->blocks = 0;
	for (uint64_t i = 0; i < b->nextents; i++) {
		const struct xfs_extent e = extent_at(b, i);

		put_record(b->bytes + i * sizeof(struct xfs_bmbt_rec_disk), &e);
	}
	return 0;
}

static int append(struct xfs_extent **extents, size_t *n, size_t *room, const struct xfs_extent *e)
{
	if (xfs_grow(extents, *n, room, 64))
		return -XFS_E_NOMEM;
	(*extents)[(*n)++] = *e;
	return 0;
}

int xfs_build_fork_extents(struct xfs_extent **extents, size_t *n, size_t *room, uint64_t off, uint64_t fsbno,
			   uint64_t len, bool unwritten)
{
	struct xfs_extent *last = *n ? &(*extents)[*n - 1] : NULL;

	if (last && last->off + last->len == off && last->block + last->len == fsbno && last->unwritten == unwritten) {
		uint32_t more = (uint32_t)xfs_min(len, XFS_BMBT_MAXLEN - last->len);

		last->len += more;
		off += more;
		fsbno += more;
		len -= more;
	}
	while (len) {
		struct xfs_extent e = { off, fsbno, (uint32_t)xfs_min(len, XFS_BMBT_MAXLEN), unwritten };
		int error = append(extents, n, room, &e);

		if (error)
			return error;
		off += e.len;
		fsbno += e.len;
		len -= e.len;
	}
	return 0;
}
