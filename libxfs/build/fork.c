/* SPDX-License-Identifier: BSD-2-Clause */
/* fork.c - block maps from extents. */
#include "libxfs/build/fork.h"

#include "libxfs/btree/btree.h"

#include <stdlib.h>
#include <string.h>

struct loading {
	struct xfs_build_fork *b;
	uint64_t at;			/* next extent */
};

static void put_record(void *disk, const struct xfs_extent *e)
{
	struct xfs_bmbt_rec rec = { .startoff = e->off, .startblock = e->block, .blockcount = e->len, .extentflag = e->unwritten };

	xfs_bmbt_rec_encode(disk, &rec);
}

static int tree_shape(const struct xfs_geometry *geo, uint32_t forksize, uint64_t nextents, struct xfs_btree_geometry *shape)
{
	return xfs_btree_bulk_geometry(shape, &xfs_btree_kinds[XFS_BTREE_BMAP], geo->v5, geo->blocksize, nextents, 0, 0, forksize);
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

	for (uint64_t i = 0; i < b->nextents; i++) {
		const struct xfs_extent *e = &b->extents[i];

		if (!e->len || e->len > XFS_BMBT_MAXLEN || e->off < next || !xfs_fsbno_range_valid(b->geo, e->block, e->len))
			return -XFS_E_INVALID;
		next = e->off + e->len;
	}
	return 0;
}

static int next_record(void *payload, void *rec)
{
	struct loading *l = payload;

	put_record(rec, &l->b->extents[l->at++]);
	return 0;
}

static int next_block(void *payload, unsigned level, uint64_t *ptr)
{
	struct loading *l = payload;

	(void)level;
	return l->b->alloc(l->b->payload, ptr);
}

static uint64_t block_daddr(void *payload, uint64_t ptr)
{
	struct loading *l = payload;

	return xfs_fsbno_daddr(l->b->geo, XFS_FSBNO(ptr)).v;
}

static int write_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct loading *l = payload;

	(void)level;
	return xfs_dev_write(l->b->dev, xfs_fsbno_byte(l->b->geo, XFS_FSBNO(ptr)), data, l->b->geo->blocksize);
}

static int build_tree(struct xfs_build_fork *b)
{
	struct loading l = { .b = b };
	struct xfs_btree_bulk bulk = {
		.kind = &xfs_btree_kinds[XFS_BTREE_BMAP], .blocksize = b->geo->blocksize, .v5 = b->geo->v5,
		.uuid = b->geo->uuid, .owner = b->ino, .lsn = b->lsn, .next = next_record, .alloc = next_block,
		.daddr_of = block_daddr, .emit = write_block, .payload = &l, .inline_root = b->bytes, .inline_len = b->forksize,
	};
	struct xfs_btree_geometry shape;
	int error = tree_shape(b->geo, b->forksize, b->nextents, &shape);

	return error ? error : xfs_btree_bulk_load(&bulk, &shape);
}

int xfs_build_fork(struct xfs_build_fork *b)
{
	int error = check_extents(b);

	if (error)
		return error;
	memset(b->bytes, 0, b->forksize);
	if (b->nextents > b->forksize / sizeof(struct xfs_bmbt_rec_disk)) {
		b->format = XFS_DINODE_FMT_BTREE;
		return build_tree(b);
	}
	b->format = XFS_DINODE_FMT_EXTENTS;
	for (uint64_t i = 0; i < b->nextents; i++)
		put_record(b->bytes + i * sizeof(struct xfs_bmbt_rec_disk), &b->extents[i]);
	return 0;
}

static int append(struct xfs_extent **extents, size_t *n, size_t *room, const struct xfs_extent *e)
{
	if (*n == *room) {
		size_t want = *room ? 2 * *room : 64;
		struct xfs_extent *grown = realloc(*extents, want * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		*extents = grown;
		*room = want;
	}
	(*extents)[(*n)++] = *e;
	return 0;
}

int xfs_build_fork_extents(struct xfs_extent **extents, size_t *n, size_t *room, uint64_t off, uint64_t fsbno, uint64_t len,
			   bool unwritten)
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
