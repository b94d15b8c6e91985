/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunks.c - where the inode chunks of an AG are.
 *
 * The inobt says it when it is sound and nobody doubts it.  Otherwise the others are asked: the reverse mappings of
 * owner "inodes", and the blocks themselves: an inode on V5 names its own number and filesystem.  Records of a sound
 * inobt stay, unless neither a reverse mapping nor a single inode stands behind them.
 */
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

struct finder {
	struct repair *r;
	struct repair_ag *ag;
	/* blocks of the smallest piece that is allocated: a cluster, or the whole chunk */
	uint32_t unit_blocks;
	uint32_t unit_inodes;
	uint8_t *bytes;			/* of one chunk */
	bool base_sound;
	size_t base;			/* records that come from a sound inobt, at the start of ag->chunks */
	struct xfs_inode_chunk *records;	/* what leaves of a damaged inobt, and behind them the finobt, say */
	size_t nrecords;		/* of the inobt */
	bool covered;			/* the range that is scanned holds inodes by its reverse mappings */
};

static int by_start(const void *pa, const void *pb)
{
	const struct xfs_inode_chunk *a = pa, *b = pb;

	return a->startino < b->startino ? -1 : a->startino > b->startino;
}

static struct xfs_inode_chunk *base_chunk(struct finder *f, uint32_t agino)
{
	struct repair_ag base = { .chunks = f->ag->chunks, .nchunks = f->base };

	return repair_chunk_of(&base, agino, NULL);
}

/* The chunk that would hold agino, made from what is there. */
static struct xfs_inode_chunk *chunk_for(struct finder *f, uint32_t agino)
{
	struct repair_ag *ag = f->ag;
	uint32_t align = f->r->geo.inopblog < 6 ? 1u << f->r->geo.inopblog : 64;
	uint32_t start = agino;
	struct xfs_inode_chunk *c = base_chunk(f, agino);

	if (c)
		return c;
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
	if (xfs_grow(&ag->chunks, ag->nchunks, &ag->chunk_room, 256))
		return NULL;
	c = &ag->chunks[ag->nchunks++];
	*c = (struct xfs_inode_chunk){ .startino = start, .holemask = 0xffff, .free = UINT64_MAX };
	return c;
}

/* A unit with at least one inode exists: its inodes leave the hole, those with a mode are in use. */
static int add_unit(struct finder *f, uint32_t agbno, const uint8_t *bytes, bool has_inodes)
{
	uint32_t first = agbno << f->r->geo.inopblog, size = f->r->geo.inodesize;

	for (uint32_t i = 0; i < f->unit_inodes; i++) {
		struct xfs_inode_chunk *c = chunk_for(f, first + i);
		uint32_t index;

		if (!c)
			return -XFS_E_NOMEM;
		index = first + i - c->startino;
		if ((size_t)(c - f->ag->chunks) < f->base && !(c->holemask >> index / 4 & 1))
			continue;	/* what the record says of it is checked with the inodes */
		if ((size_t)(c - f->ag->chunks) < f->base && !f->covered)
			continue;	/* inodes that were given back look like this, too */
		c->holemask &= (uint16_t)~(1u << index / 4);
		/* nothing is free but what says so: bytes that say nothing may have been a file */
		if (!repair_is_inode(f->r, bytes + (size_t)i * size,
				     xfs_ino_of(&f->r->geo, f->ag->agno, XFS_AGINO(first + i)).v)
				? !has_inodes : xfs_be16(bytes + (size_t)i * size + XFS_OFF(dinode_core, mode)) != 0)
			c->free &= ~(UINT64_C(1) << index);
	}
	return 0;
}

static bool unit_has_inodes(struct finder *f, uint32_t agbno, const uint8_t *bytes)
{
	uint32_t first = agbno << f->r->geo.inopblog, hits = 0;

	for (uint32_t i = 0; i < f->unit_inodes; i++)
		hits += repair_is_inode(f->r, bytes + (size_t)i * f->r->geo.inodesize,
				 xfs_ino_of(&f->r->geo, f->ag->agno, XFS_AGINO(first + i)).v);
	/* V4 inodes do not name themselves, so a file that holds an image of one must not pass */
	return f->r->geo.v5 ? hits > 0 : hits == f->unit_inodes;
}

/*
 * A freed chunk is not wiped, so its inodes still look alive.  What a sound bnobt calls free is free.
 */
static bool is_free(const struct finder *f, uint32_t agbno)
{
	return repair_free_blocks(f->r, xfs_fsbno_of(&f->r->geo, f->ag->agno, XFS_AGBNO(agbno)).v, 1) != 0;
}

static int look_at(void *payload, uint32_t agbno, const uint8_t *unit)
{
	struct finder *f = payload;
	bool has = unit_has_inodes(f, agbno, unit), forced = f->covered && !f->base_sound;

	return forced || (has && (f->covered || !is_free(f, agbno))) ? add_unit(f, agbno, unit, has) : 0;
}

/* Looks for inodes in [agbno, agbno + len). */
static int scan_range(struct finder *f, uint32_t agbno, uint32_t len)
{
	struct repair_blockscan range = { agbno, agbno + len, f->unit_blocks, f->covered, look_at, f };

	return repair_scan_blocks(f->r, f->ag->agno, &range);
}

/* `sparse`: chunks may have holes; else what was not found of a chunk has to become free inodes. */
static void finish_chunks(struct repair_ag *ag, bool sparse)
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
		if (!sparse) {
			c->holemask = 0;
			exist = UINT64_MAX;
		}
		c->count = (uint8_t)__builtin_popcountll(exist);
		c->freecount = (uint8_t)__builtin_popcountll(c->free & exist);
	}
}

/* Blocks that reverse mappings call inodes. */
static int search_covered(struct finder *f)
{
	struct repair_ag *ag = f->ag;
	int error = 0;

	f->covered = true;
	for (size_t i = 0; i < ag->special.n && !error; i++)
		/* leaves without a tree may be old: what is free now does not count */
		if (ag->special.r[i].owner == XFS_OWN_INODES &&
		    (ag->tree[XFS_TREE_RMAP].sound || !is_free(f, ag->special.r[i].agbno)))
			error = scan_range(f, ag->special.r[i].agbno, ag->special.r[i].len);
	f->covered = false;
	return error;
}

/* A chunk that was not seen, unless its blocks are free. */
static int add_record(struct finder *f, const struct xfs_inode_chunk *c)
{
	if (is_free(f, c->startino >> f->r->geo.inopblog))
		return 0;
	if (xfs_grow(&f->ag->chunks, f->ag->nchunks, &f->ag->chunk_room, 256))
		return -XFS_E_NOMEM;
	f->ag->chunks[f->ag->nchunks++] = *c;
	return 0;
}

static bool overlap(const struct xfs_inode_chunk *a, const struct xfs_inode_chunk *b)
{
	return a->startino < b->startino + XFS_INODES_PER_CHUNK && b->startino < a->startino + XFS_INODES_PER_CHUNK;
}

/*
 * Records of one tree, of chunks that others do not have. ag->chunks hold no
 * record of a sound inobt: their order is free.
 */
static int add_records(struct finder *f, struct xfs_inode_chunk *records, size_t n)
{
	struct repair_ag *ag = f->ag;
	size_t seen = ag->nchunks, next = 0;
	int error = 0;

	if (seen)
		qsort(ag->chunks, seen, sizeof(*ag->chunks), by_start);
	if (n)
		qsort(records, n, sizeof(*records), by_start);
	for (size_t i = 0; i < n && !error; i++) {
		const struct xfs_inode_chunk *c = &records[i];

		while (next < seen && ag->chunks[next].startino + XFS_INODES_PER_CHUNK <= c->startino)
			next++;
		if ((next == seen || !overlap(&ag->chunks[next], c)) &&
		    (ag->nchunks == seen || !overlap(&ag->chunks[ag->nchunks - 1], c)))
			error = add_record(f, c);
	}
	return error;
}

static int add_absent(struct finder *f, const struct xfs_inode_chunk *c)
{
	for (size_t i = 0; i < f->ag->nchunks; i++)
		if (overlap(&f->ag->chunks[i], c))
			return 0;
	return add_record(f, c);
}

/*
 * A chunk with the root directory there must be, even when nothing of it is left. It begins with it, at a block and not
 * always at a multiple of its length: small blocks are aligned to 8 KiB, which may be half a chunk. Large blocks hold
 * several chunks: they were made together, and others read them together.
 */
static int add_root_chunk(struct finder *f)
{
	struct repair *r = f->r;
	uint64_t root = r->primary.rootino;
	uint32_t unit = 1u << r->geo.inopblog, first;
	struct xfs_inode_chunk c = { .count = XFS_INODES_PER_CHUNK };
	int error = 0;

	if (!xfs_ino_valid(&r->geo, XFS_INO(root)) || xfs_ino_agno(&r->geo, XFS_INO(root)).v != f->ag->agno.v)
		return 0;
	first = xfs_ino_agino(&r->geo, XFS_INO(root)).v & ~(unit - 1);
	c.startino = first;
	do {
		error = add_absent(f, &c);
		c.startino += XFS_INODES_PER_CHUNK;
	} while (!error && c.startino - first < unit);
	return error;
}

static int keep_records(struct finder *f)
{
	struct repair_ag *ag = f->ag;

	f->records = malloc((ag->nchunks + ag->nfinobt + 1) * sizeof(*f->records));
	if (!f->records)
		return -XFS_E_NOMEM;
	if (ag->nchunks)
		memcpy(f->records, ag->chunks, ag->nchunks * sizeof(*ag->chunks));
	if (ag->nfinobt)
		memcpy(f->records + ag->nchunks, ag->finobt, ag->nfinobt * sizeof(*ag->finobt));
	f->nrecords = ag->nchunks;
	return 0;
}

static int search(struct finder *f)
{
	struct repair_ag *ag = f->ag;
	const struct repair_tree *rmap = &ag->tree[XFS_TREE_RMAP];
	int error = 0;

	if (!f->base_sound) {
		error = keep_records(f);
		ag->nchunks = 0;
	}
	f->base = ag->nchunks;
	if (error)
		return error;
	if (rmap->present && rmap->sound) {
		error = search_covered(f);
		return error || f->base_sound ? error : add_root_chunk(f);
	}
	/* every block may hold inodes */
	error = scan_range(f, f->r->geo.agfl_block + 1, ag->length - f->r->geo.agfl_block - 1);
	if (!error && ag->special.n)
		error = search_covered(f);
	/* where nothing identifies itself, what trees say stands: chunks whose inodes were wiped */
	if (!error && f->records)
		error = add_records(f, f->records, f->nrecords);
	if (!error && f->records)
		error = add_records(f, f->records + f->nrecords, ag->nfinobt);
	return error ? error : add_root_chunk(f);
}

static bool is_covered(const struct repair_ag *ag, uint32_t agbno)
{
	const struct repair_run *run = ag->special.r;
	/* by a sound tree they are in order, and none covers another */
	size_t behind = xfs_search(ag->tree[XFS_TREE_RMAP].sound ? ag->special.n : 0, i, run[i].agbno <= agbno);

	if (!behind)
		return false;
	run += behind - 1;
	return run->owner == XFS_OWN_INODES && agbno - run->agbno < run->len;
}

static bool has_any_inode(struct finder *f, const struct xfs_inode_chunk *c)
{
	const struct xfs_geometry *geo = &f->r->geo;
	size_t size = (size_t)XFS_INODES_PER_CHUNK * geo->inodesize;
	uint64_t off = xfs_ino_byte(geo, xfs_ino_of(geo, f->ag->agno, XFS_AGINO(c->startino)));

	if (xfs_dev_read(f->r->dev.data, off, f->bytes, size))
		return true;	/* nobody knows */
	for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++)
		if (!(c->holemask >> i / 4 & 1) &&
		    repair_is_inode(f->r, f->bytes + (size_t)i * geo->inodesize,
				    xfs_ino_of(geo, f->ag->agno, XFS_AGINO(c->startino + i)).v))
			return true;
	return false;
}

/* A record of the inobt that stands alone: no inode, no reverse mapping. */
static void drop_unproven(struct finder *f)
{
	struct repair_ag *ag = f->ag;
	size_t keep = 0;

	for (size_t i = 0; i < ag->nchunks; i++) {
		struct xfs_finding found = xfs_finding_of(XFS_F_INOBT_DIFFERS, "inobt");
		struct xfs_inode_chunk c = ag->chunks[i];

		if (i >= f->base || is_covered(ag, c.startino >> f->r->geo.inopblog) || has_any_inode(f, &c)) {
			ag->chunks[keep++] = c;
			continue;
		}
		found.agno = ag->agno.v;
		found.agbno = c.startino >> f->r->geo.inopblog;
		xfs_finding_detail(&found, "no inode and no reverse mapping stands behind the record");
		repair_note(f->r, &found, true);
	}
	ag->nchunks = keep;
}

/* Fills ag->chunks. Sound inode btrees are believed as they are. */
int repair_find_chunks(struct repair *r, struct repair_ag *ag)
{
	struct finder f = { .r = r, .ag = ag };
	int error;

	f.base_sound = ag->tree[XFS_TREE_INO].sound;
	if (f.base_sound && !ag->chunks_doubted)
		return 0;
	f.unit_blocks = r->geo.blocks_per_cluster;
	f.unit_inodes = f.unit_blocks << r->geo.inopblog;
	f.bytes = malloc((size_t)XFS_INODES_PER_CHUNK * r->geo.inodesize);
	if (!f.bytes)
		return -XFS_E_NOMEM;
	error = search(&f);
	if (!error)
		drop_unproven(&f);
	finish_chunks(ag, r->geo.sparse);
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_INODES;
	free(f.records);
	free(f.bytes);
	return error;
}

int repair_add_inode_units(struct repair *r, struct repair_ag *ag, const uint32_t *agbnos, size_t n)
{
	struct finder f = { .r = r, .ag = ag, .covered = true, .unit_blocks = r->geo.blocks_per_cluster,
			    .unit_inodes = r->geo.blocks_per_cluster << r->geo.inopblog };
	size_t size = (size_t)f.unit_blocks * r->geo.blocksize;
	int error = 0;

	f.bytes = malloc(size);
	if (!f.bytes)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < n && !error; i++) {
		/* what cannot be read says nothing either: it comes as zeroes */
		(void)xfs_dev_read(r->dev.data, xfs_agbno_daddr(&r->geo, ag->agno, XFS_AGBNO(agbnos[i])).v * XFS_BBSIZE,
				   f.bytes, size);
		if (!is_free(&f, agbnos[i]))
			error = add_unit(&f, agbnos[i], f.bytes, unit_has_inodes(&f, agbnos[i], f.bytes));
	}
	finish_chunks(ag, r->geo.sparse);
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_INODES;
	free(f.bytes);
	return error;
}
