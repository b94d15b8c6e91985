/* SPDX-License-Identifier: BSD-2-Clause */
/* logsize.c - reservations of transactions and the smallest log (format sheet 04, section 12). */
#include "libxfs/log/logsize.h"

#define DQUOTS UINT64_C(768)		/* six dquots of 24 + 104 bytes */
#define NAME_ATTR UINT64_C(308)		/* a parent pointer that is added or removed: 40 + 12 + 256 */
#define NAME_SWAP UINT64_C(576)		/* one that is replaced: 40 + 2 * (12 + 256) */
#define OLD_RMAP_LEVELS 9u

/* Everything that the formulas use, under the names of the sheet's section 12.2. */
struct costs {
	const struct xfs_geometry *g;
	bool new_rules;
	uint64_t block, sect, dir;	/* bytes */
	unsigned alloc_lv, rmap_lv, refc_lv, ino_lv, data_lv, attr_lv;
	uint64_t dircount, inobt, finobt, cluster, chunk_blks;
};

static uint64_t buf(uint64_t n, uint64_t size)
{
	return n * (size + 128);
}

static uint64_t inode(const struct costs *c, uint64_t n)
{
	return n * (48 + 56 + c->g->inodesize + 2 * (c->g->v5 ? XFS_BTREE_LONG_V5 : XFS_BTREE_LONG_V4));
}

/* blocks that freeing or allocating n extents may touch in the space trees */
static uint64_t space(const struct costs *c, uint64_t n)
{
	return buf(n * 2 * (2 * c->alloc_lv - 1) + (c->g->rmapbt ? n * (2 * c->rmap_lv - 1) : 0), c->block);
}

static uint64_t refcounts(const struct costs *c, uint64_t n)
{
	return c->g->reflink ? buf(n * (2 * c->refc_lv - 1), c->block) : 0;
}

/* new bmbt blocks when a fork grows by n blocks: counted with the allocation tree's leaves */
static uint64_t fork_growth(const struct costs *c, uint64_t n, unsigned levels)
{
	uint32_t most = xfs_btree_maxrecs(&xfs_btree_shape_alloc, c->g->v5, c->g->blocksize, true);

	return xfs_ceil_div(n, most - most / 2) * (levels - 1);
}

static struct costs costs_of(const struct xfs_geometry *g)
{
	struct costs c = {
		.g = g, .new_rules = g->v5 && g->parent, .block = g->blocksize, .sect = g->sectsize,
		.dir = g->dirblksize, .alloc_lv = g->alloc_maxlevels, .rmap_lv = g->rmap_maxlevels,
		.refc_lv = g->refc_maxlevels, .ino_lv = g->inobt_maxlevels, .data_lv = g->bmap_maxlevels[0],
		.attr_lv = g->bmap_maxlevels[1],
	};
	uint64_t dirblks = g->dirblkfsbs;

	if (g->rmapbt && g->reflink && !c.new_rules)
		c.rmap_lv = OLD_RMAP_LEVELS;
	c.dircount = 7 * dirblks + 7 * fork_growth(&c, dirblks, c.data_lv) + 1;
	c.inobt = buf(c.ino_lv, c.block) + space(&c, 1);
	c.finobt = g->finobt ? c.inobt : 0;
	c.cluster = (uint64_t)g->blocks_per_cluster * g->blocksize;
	c.chunk_blks = g->ialloc_blks;
	return c;
}

static uint64_t max3(uint64_t a, uint64_t b, uint64_t c)
{
	return xfs_max(xfs_max(a, b), c);
}

/* --- reservations (section 12.3; old rules: 12.4) --- */

static uint64_t write_bytes(const struct costs *c)
{
	uint64_t map = inode(c, 1) + buf(c->data_lv, c->block) + buf(3, c->sect) + space(c, 2);
	uint64_t free = buf(5, c->sect) + space(c, 2);
	uint64_t shared = c->g->reflink ? buf(1, c->sect) + refcounts(c, 1) : 0;

	if (!c->new_rules)
		return DQUOTS + xfs_max(map, free) + refcounts(c, 2);
	return DQUOTS + max3(map, free, shared);
}

static uint64_t truncate_bytes(const struct costs *c)
{
	uint64_t map = inode(c, 1) + buf(c->data_lv + 1, c->block);
	uint64_t free = buf(9, c->sect) + space(c, 4);
	uint64_t shared = c->g->reflink ? buf(2, c->sect) + refcounts(c, 2) : 0;

	if (!c->new_rules)
		return DQUOTS + xfs_max(map, free + refcounts(c, 4));
	return DQUOTS + max3(map, free, shared);
}

static uint64_t attr_set(const struct costs *c)
{
	return DQUOTS + inode(c, 1) + buf(1, c->sect) + buf(5, c->block);
}

static uint64_t attr_remove(const struct costs *c)
{
	uint64_t map = inode(c, 1) + buf(5, c->block) + c->attr_lv * c->block + buf(c->data_lv, 0);

	return DQUOTS + xfs_max(map, buf(5, c->sect) + space(c, 2));
}

static uint64_t attr_invalidate(const struct costs *c)
{
	return xfs_max(inode(c, 1) + buf(c->attr_lv, c->block), buf(9, c->sect) + space(c, 4));
}

static uint64_t rename_bytes(const struct costs *c)
{
	uint64_t dirs = inode(c, 5) + buf(2 * c->dircount, c->block), free = buf(7, c->sect) + space(c, 3);

	if (!c->g->parent)
		return DQUOTS + xfs_max(dirs, free);
	return DQUOTS + xfs_max(NAME_SWAP + 2 * NAME_ATTR, 2 * NAME_SWAP) +
		xfs_max(max3(dirs, free, attr_set(c)), attr_remove(c));
}

static uint64_t link_bytes(const struct costs *c)
{
	uint64_t dirs = inode(c, 2) + buf(c->dircount, c->block), free = buf(3, c->sect) + space(c, 1);

	return DQUOTS + buf(1, c->sect) + 2 * c->cluster + (c->g->parent ? NAME_ATTR : 0) +
		max3(dirs, free, c->g->parent ? attr_set(c) : 0);
}

static uint64_t remove_bytes(const struct costs *c)
{
	uint64_t dirs = inode(c, 2) + buf(c->dircount, c->block), free = buf(4, c->sect) + space(c, 2);

	return DQUOTS + buf(1, c->sect) + c->cluster + (c->g->parent ? NAME_ATTR : 0) +
		max3(dirs, free, c->g->parent ? attr_remove(c) : 0);
}

/* a new inode chunk; V4 logs the inodes themselves */
static uint64_t alloc_inode(const struct costs *c)
{
	uint64_t chunk = space(c, 1) + (c->g->v5 ? 0 : buf(c->chunk_blks, c->block));

	return buf(2, c->sect) + c->sect + chunk + c->inobt + c->finobt;
}

static uint64_t create_bytes(const struct costs *c)
{
	uint64_t old = inode(c, 2) + buf(1, c->sect) + c->block + buf(c->dircount, c->block) + c->finobt;

	return DQUOTS + (c->g->parent ? NAME_ATTR : 0) + max3(alloc_inode(c), old, c->g->parent ? attr_set(c) : 0);
}

static uint64_t tmpfile_bytes(const struct costs *c)
{
	return DQUOTS + alloc_inode(c) + buf(1, c->sect) + c->cluster;
}

static uint64_t free_inode_bytes(const struct costs *c)
{
	return DQUOTS + inode(c, 1) + buf(3, c->sect) + buf(1, c->sect) + 2 * c->cluster + space(c, 1) +
		buf(c->chunk_blks, 0) + c->inobt + c->finobt;
}

static uint64_t add_fork_bytes(const struct costs *c)
{
	uint64_t grown = fork_growth(c, c->g->dirblkfsbs, c->data_lv) + 1;

	return DQUOTS + inode(c, 1) + buf(2, c->sect) + buf(1, c->dir) + buf(grown, c->block) + space(c, 1);
}

/* setting the largest attribute that is not remote, as one reservation */
static uint64_t largest_attr(const struct costs *c)
{
	uint64_t size = c->block / 2 + c->block / 4 - 256 - 1, blocks;

	blocks = 5 + 5 * fork_growth(c, 1, c->attr_lv) + xfs_ceil_div(size, c->block);
	if (c->new_rules)
		size = xfs_ceil_div(size, c->block);
	/* the old rules take bytes for blocks here, and must keep doing so */
	blocks += fork_growth(c, size, c->attr_lv);
	return attr_set(c) + (buf(1, c->sect) + buf(c->attr_lv, c->block)) * blocks;
}

struct xfs_log_reservation xfs_log_largest(const struct xfs_geometry *g)
{
	struct costs c = costs_of(g);
	uint32_t parent = g->parent ? 3 : 0, space_count = g->reflink ? 8 : 2;
	struct xfs_log_reservation best = { 0, 1 };

	if (c.new_rules)
		space_count = 2u + (g->reflink || g->rmapbt) + g->reflink + g->rmapbt;
	const struct xfs_log_reservation all[] = {
		{ write_bytes(&c), space_count }, { truncate_bytes(&c), space_count },
		{ rename_bytes(&c), 2 + parent }, { link_bytes(&c), 2 + parent }, { remove_bytes(&c), 2 + parent },
		{ create_bytes(&c) + buf(1, 1024), 3 + parent },	/* symlink */
		{ create_bytes(&c), 2 + parent }, { tmpfile_bytes(&c), 2 }, { create_bytes(&c), 3 + parent },
		{ free_inode_bytes(&c), 2 }, { add_fork_bytes(&c), 2 }, { attr_invalidate(&c), 1 },
		{ attr_set(&c), 3 }, { attr_remove(&c), 3 },
		{ write_bytes(&c) + buf(1, c.block - 1), space_count },	/* quota */
	};
	for (size_t i = 0; i < XFS_ARRAY_SIZE(all); i++)
		if (all[i].bytes * all[i].count > best.bytes * best.count)
			best = all[i];
	if (largest_attr(&c) > best.bytes * best.count)
		best = (struct xfs_log_reservation){ largest_attr(&c), 3 };
	return best;
}

/* Bytes that a reservation takes in the log: record headers, operation headers, padding (section 12.5). */
static uint64_t log_space(uint64_t bytes, bool v2, uint32_t sunit)
{
	uint64_t header = v2 ? 4096 : 512, room = (v2 ? 262144 : 32768) - header, records;

	bytes += 12 + 16 + 12;
	records = xfs_ceil_div(bytes, room);
	bytes += 12 * records;
	while (xfs_ceil_div(bytes, room) > records) {
		bytes += 12;
		records++;
	}
	return bytes + header * records + header + 2 * (uint64_t)(v2 && sunit > 1 ? sunit : 512);
}

uint64_t xfs_log_minimum(const struct xfs_geometry *g, uint32_t sunit)
{
	struct xfs_log_reservation best = xfs_log_largest(g);
	bool v2 = (g->sb.versionnum & XFS_SB_VERSION_LOGV2) != 0;
	uint64_t sectors = xfs_ceil_div(log_space(best.bytes, v2, sunit) * best.count, 512);

	if (v2 && sunit >= 512)
		sectors = xfs_round_up(sectors, sunit / 512) + 2 * (sunit / 512);
	else
		sectors += 1024;
	return xfs_max(xfs_ceil_div(3 * sectors * 512, g->blocksize), XFS_LOG_MIN_BLOCKS);
}
