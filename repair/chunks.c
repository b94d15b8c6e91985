/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunks.c - where the inode chunks of an AG are.
 *
 * The inobt says it when it is sound.  Otherwise every witness is asked: what could be read of inobt and finobt, the
 * reverse mappings of owner "inodes", and as the last resort the blocks themselves: an inode on V5 names its own number
 * and filesystem.
 */
#include "repair/scan.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_BYTES (1u << 20)

struct finder {
	struct repair *r;
	struct repair_ag *ag;
	uint32_t unit_blocks;		/* blocks of the smallest piece that is allocated: a cluster, or the whole chunk */
	uint32_t unit_inodes;
	uint8_t *bytes;			/* SCAN_BYTES */
};

static int by_start(const void *pa, const void *pb)
{
	const struct xfs_inode_chunk *a = pa, *b = pb;

	return a->startino < b->startino ? -1 : a->startino > b->startino;
}

/* Is this an inode of this filesystem at this place?  On V4 only magic and version tell. */
static bool is_inode(const struct repair *r, const uint8_t *image, uint64_t ino)
{
	struct xfs_dinode d;

	if (xfs_be16(image) != XFS_DINODE_MAGIC)
		return false;
	xfs_dinode_decode(&d, image);
	if (!r->geo.v5)
		return d.core.version == 1 || d.core.version == 2;
	return d.core.version == 3 && d.v3.inumber == ino && !memcmp(d.v3.uuid, r->geo.uuid, 16);
}

/* The chunk that would hold agino, made from what is there. */
static struct xfs_inode_chunk *chunk_for(struct finder *f, uint32_t agino)
{
	struct repair_ag *ag = f->ag;
	uint32_t align = f->r->geo.inopblog < 6 ? 1u << f->r->geo.inopblog : 64;
	uint32_t start = agino;
	struct xfs_inode_chunk *c;

	/* records start where chunks are aligned; without alignment they start with the first inode found */
	if (f->r->geo.cluster_align > 1)
		align = f->r->geo.cluster_align << f->r->geo.inopblog;
	if (align < XFS_INODES_PER_CHUNK && f->r->geo.sparse)
		align = XFS_INODES_PER_CHUNK;
	start -= start % (align > XFS_INODES_PER_CHUNK ? XFS_INODES_PER_CHUNK : align);
	if (ag->nchunks) {
		c = &ag->chunks[ag->nchunks - 1];
		if (agino >= c->startino && agino - c->startino < XFS_INODES_PER_CHUNK)
			return c;
	}
	if (ag->nchunks == ag->chunk_room) {
		size_t room = ag->chunk_room ? 2 * ag->chunk_room : 256;
		struct xfs_inode_chunk *grown = realloc(ag->chunks, room * sizeof(*grown));

		if (!grown)
			return NULL;
		ag->chunks = grown;
		ag->chunk_room = room;
	}
	c = &ag->chunks[ag->nchunks++];
	*c = (struct xfs_inode_chunk){ .startino = start, .holemask = 0xffff, .free = UINT64_MAX };
	return c;
}

/* A unit with at least one inode exists: its inodes leave the hole, those with a mode are in use. */
static int add_unit(struct finder *f, uint32_t agbno, const uint8_t *bytes)
{
	uint32_t first = agbno << f->r->geo.inopblog, size = f->r->geo.inodesize;

	for (uint32_t i = 0; i < f->unit_inodes; i++) {
		struct xfs_inode_chunk *c = chunk_for(f, first + i);
		uint32_t index;

		if (!c)
			return -XFS_E_NOMEM;
		index = first + i - c->startino;
		c->holemask &= (uint16_t)~(1u << index / 4);
		if (xfs_be16(bytes + (size_t)i * size) == XFS_DINODE_MAGIC && xfs_be16(bytes + (size_t)i * size + 2))
			c->free &= ~(UINT64_C(1) << index);
	}
	return 0;
}

static bool unit_has_inodes(struct finder *f, uint32_t agbno, const uint8_t *bytes)
{
	uint32_t first = agbno << f->r->geo.inopblog, hits = 0;

	for (uint32_t i = 0; i < f->unit_inodes; i++)
		hits += is_inode(f->r, bytes + (size_t)i * f->r->geo.inodesize,
				 xfs_ino_of(&f->r->geo, f->ag->agno, XFS_AGINO(first + i)).v);
	/* V4 inodes do not name themselves, so a file that holds an image of one must not pass */
	return f->r->geo.v5 ? hits > 0 : hits == f->unit_inodes;
}

/*
 * A freed chunk is not wiped, so its inodes still look alive.  What a sound bnobt calls free is free.
 */
static bool is_free(const struct repair_ag *ag, uint32_t agbno)
{
	size_t lo = 0, hi = ag->free.n;

	if (!ag->tree[XFS_TREE_BNO].sound)
		return false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ag->free.r[mid].agbno + ag->free.r[mid].len <= agbno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ag->free.n && ag->free.r[lo].agbno <= agbno;
}

/* Looks for inodes in [agbno, agbno + len); units are aligned to their own size. */
static int scan_range(struct finder *f, uint32_t agbno, uint32_t len)
{
	const struct xfs_geometry *geo = &f->r->geo;
	uint64_t base = xfs_agbno_daddr(geo, f->ag->agno, XFS_AGBNO(0)).v * XFS_BBSIZE;
	uint32_t at = (uint32_t)xfs_round_up(agbno, f->unit_blocks), end = agbno + len;
	uint32_t step = SCAN_BYTES / geo->blocksize / f->unit_blocks * f->unit_blocks;

	for (; at < end && end - at >= f->unit_blocks; at += step) {
		uint32_t n = (end - at < step ? end - at : step) / f->unit_blocks * f->unit_blocks;

		if (xfs_dev_read(f->r->dev.data, base + (uint64_t)at * geo->blocksize, f->bytes, (size_t)n * geo->blocksize) ==
		    -XFS_E_SHORT)
			return 0;
		for (uint32_t k = 0; k + f->unit_blocks <= n; k += f->unit_blocks) {
			const uint8_t *unit = f->bytes + (size_t)k * geo->blocksize;
			int error = !is_free(f->ag, at + k) && unit_has_inodes(f, at + k, unit) ? add_unit(f, at + k, unit) : 0;

			if (error)
				return error;
		}
	}
	return 0;
}

static void finish_chunks(struct repair_ag *ag)
{
	size_t keep = 0;

	if (!ag->nchunks)
		return;
	qsort(ag->chunks, ag->nchunks, sizeof(*ag->chunks), by_start);
	for (size_t i = 1; i < ag->nchunks; i++) {
		struct xfs_inode_chunk *a = &ag->chunks[keep], *b = &ag->chunks[i];

		if (a->startino == b->startino) {	/* two witnesses of one chunk */
			a->holemask &= b->holemask;
			a->free &= b->free;
		} else {
			ag->chunks[++keep] = *b;
		}
	}
	ag->nchunks = keep + 1;
	for (size_t i = 0; i < ag->nchunks; i++) {
		struct xfs_inode_chunk *c = &ag->chunks[i];
		uint64_t exist = UINT64_MAX;

		for (unsigned k = 0; k < 16; k++)
			if (c->holemask >> k & 1)
				exist &= ~(UINT64_C(15) << 4 * k);
		c->free |= ~exist;
		c->count = (uint8_t)__builtin_popcountll(exist);
		c->freecount = (uint8_t)__builtin_popcountll(c->free & exist);
	}
}

static int search(struct finder *f)
{
	struct repair_ag *ag = f->ag;
	const struct repair_tree *rmap = &ag->tree[XFS_TREE_RMAP];
	int error = 0;

	ag->nchunks = 0;
	if (rmap->present && rmap->sound) {
		for (size_t i = 0; i < ag->special.n && !error; i++)
			if (ag->special.r[i].owner == XFS_OWN_INODES)
				error = scan_range(f, ag->special.r[i].agbno, ag->special.r[i].len);
		return error;
	}
	/* every block may hold inodes */
	return scan_range(f, f->r->geo.agfl_block + 1, ag->length - f->r->geo.agfl_block - 1);
}

/* Fills ag->chunks. Sound inode btrees are believed as they are. */
int repair_find_chunks(struct repair *r, struct repair_ag *ag)
{
	struct finder f = { .r = r, .ag = ag };
	bool sound = ag->tree[XFS_TREE_INO].sound;
	int error;

	if (sound)
		return 0;
	f.unit_blocks = r->geo.blocks_per_cluster;
	f.unit_inodes = f.unit_blocks << r->geo.inopblog;
	f.bytes = malloc(SCAN_BYTES);
	if (!f.bytes)
		return -XFS_E_NOMEM;
	error = search(&f);
	finish_chunks(ag);
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_INODES;
	free(f.bytes);
	return error;
}
