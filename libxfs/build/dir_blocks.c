/* SPDX-License-Identifier: BSD-2-Clause */
/* dir_blocks.c - contents of the blocks of a directory, and its short form (format sheet 03, sections 5.1 to 5.4). */
#include "libxfs/build/dir_private.h"

/* ---- short form ---- */

static void put_short_ino(uint8_t *at, bool wide, uint64_t ino)
{
	if (wide)
		xfs_put_be64(at, ino);
	else
		xfs_put_be32(at, (uint32_t)ino);
}

void xfs_dir_plan_short(const struct xfs_dir_plan *p, uint8_t *fork)
{
	const struct xfs_geometry *g = p->b->to.geo;
	const struct xfs_dir_sf_hdr h = { .count = (uint8_t)p->b->n, .i8count = (uint8_t)p->shape.wide };
	bool wide = p->shape.wide != 0;
	uint8_t *at = fork + xfs_dir_sf_hdr_len(wide);
	uint32_t off = xfs_dir_data_first_off(g->v5);

	xfs_dir_sf_hdr_encode(fork, &h);
	put_short_ino(fork + sizeof(struct xfs_dir_sf_hdr_disk), wide, p->b->parent);
	for (size_t i = 0; i < p->b->n; i++) {
		const struct xfs_build_dirent *e = &p->b->entries[i];
		const struct xfs_dir_sf_ent head = { .namelen = e->namelen, .offset = (uint16_t)off };
		uint8_t *behind = at + sizeof(struct xfs_dir_sf_ent_disk) + e->namelen;

		xfs_dir_sf_ent_encode(at, &head);
		memcpy(at + sizeof(struct xfs_dir_sf_ent_disk), e->name, e->namelen);
		if (g->ftype)
			*behind++ = e->ftype;
		put_short_ino(behind, wide, e->ino);
		at += xfs_dir_sf_entsize(g->ftype, wide, e->namelen);
		off += xfs_dir_data_entsize(g->ftype, e->namelen);
	}
}

/* ---- data ---- */

/* A free area in the place for entries, [at, end). */
static void put_unused(const struct xfs_geometry *g, uint8_t *block, uint32_t at, uint32_t length)
{
	const struct xfs_dir_data_unused u = { .freetag = XFS_DIR_FREE_TAG, .length = (uint16_t)length };
	const struct xfs_dir_best best = { .offset = (uint16_t)at, .length = (uint16_t)length };

	if (!length)
		return;
	xfs_dir_data_unused_encode(block + at, &u);
	xfs_put_be16(block + at + length - 2, (uint16_t)at);
	xfs_dir_best_encode(block + xfs_dir_bestfree_off(g->v5), &best);
}

static uint32_t put_entry(const struct xfs_geometry *g, uint8_t *block, uint32_t at, const struct xfs_build_dirent *e)
{
	const struct xfs_dir_data_ent head = { .inumber = e->ino, .namelen = e->namelen };
	uint32_t size = xfs_dir_data_entsize(g->ftype, e->namelen);
	uint8_t *p = block + at;

	xfs_dir_data_ent_encode(p, &head);
	memcpy(p + sizeof(struct xfs_dir_data_ent_disk), e->name, e->namelen);
	if (g->ftype)
		p[xfs_dir_data_ftype_off(e->namelen)] = e->ftype;
	xfs_put_be16(p + size - 2, (uint16_t)at);
	return at + size;
}

static void make_data(const struct xfs_dir_plan *p, uint64_t db, uint8_t *block)
{
	const struct xfs_geometry *g = p->b->to.geo;
	bool single = p->shape.form == XFS_DIR_BLOCK;
	uint32_t at = xfs_dir_data_header_len(g->v5);

	xfs_put_be32(block, single ? g->v5 ? XFS_DIR3_BLOCK_MAGIC : XFS_DIR2_BLOCK_MAGIC
				   : g->v5 ? XFS_DIR3_DATA_MAGIC : XFS_DIR2_DATA_MAGIC);
	for (uint32_t k = p->first[db]; k < p->first[db + 1]; k++) {
		struct xfs_build_dirent e = xfs_dir_plan_entry(p->b, k);

		at = put_entry(g, block, at, &e);
	}
	put_unused(g, block, at, p->best[db]);
}

/* ---- index ---- */

static void put_leaf_entries(const struct xfs_dir_plan *p, uint64_t from, uint64_t to, uint8_t *at)
{
	for (; from < to; from++, at += sizeof(struct xfs_dir_leaf_ent_disk)) {
		const struct xfs_dir_leaf_ent e = {
			(uint32_t)(p->keys[from] >> 32), p->address[(uint32_t)p->keys[from]]
		};

		xfs_dir_leaf_ent_encode(at, &e);
	}
}

static void make_block_tail(const struct xfs_dir_plan *p, uint8_t *block)
{
	uint32_t size = p->b->to.geo->dirblksize;
	const struct xfs_dir_block_tail tail = { .count = p->total };

	put_leaf_entries(p, 0, p->total, block + xfs_dir_block_leaf_off(size, p->total));
	xfs_dir_block_tail_encode(block + size - sizeof(struct xfs_dir_block_tail_disk), &tail);
}

static void put_bests(const struct xfs_dir_plan *p, uint64_t from, uint64_t to, uint8_t *at)
{
	for (; from < to; from++, at += 2)
		xfs_put_be16(at, p->best[from]);
}

static void make_leaf(const struct xfs_dir_plan *p, uint64_t i, uint8_t *block)
{
	const struct xfs_geometry *g = p->b->to.geo;
	bool single = p->shape.form == XFS_DIR_LEAF;
	uint64_t from = xfs_share(p->total, p->leaves, i), to = xfs_share(p->total, p->leaves, i + 1);
	struct xfs_dir3_leaf_hdr h = {
		.magic = single ? g->v5 ? XFS_DIR3_LEAF1_MAGIC : XFS_DIR2_LEAF1_MAGIC
				: g->v5 ? XFS_DIR3_LEAFN_MAGIC : XFS_DIR2_LEAFN_MAGIC,
		.count = (uint16_t)(to - from),
	};

	xfs_datree_links(&p->tree, 0, i, &h.forw, &h.back);
	xfs_dir_leaf_hdr_store(block, &h, g->v5);
	put_leaf_entries(p, from, to, block + xfs_da_header_len(g->v5));
	if (single) {
		const struct xfs_dir_leaf_tail tail = { .bestcount = (uint32_t)p->shape.data };
		uint8_t *at = block + g->dirblksize - sizeof(struct xfs_dir_leaf_tail_disk);

		xfs_dir_leaf_tail_encode(at, &tail);
		put_bests(p, 0, p->shape.data, at - 2 * p->shape.data);
	}
}

static void make_free(const struct xfs_dir_plan *p, uint64_t i, uint8_t *block)
{
	const struct xfs_geometry *g = p->b->to.geo;
	uint32_t most = xfs_dir_free_maxbests(g->v5, g->dirblksize);
	uint64_t from = i * most, to = xfs_min(from + most, p->shape.data);
	const struct xfs_dir3_free_hdr h = {
		.magic = g->v5 ? XFS_DIR3_FREE_MAGIC : XFS_DIR2_FREE_MAGIC, .firstdb = (uint32_t)from,
		.nvalid = (uint32_t)(to - from), .nused = (uint32_t)(to - from),
	};

	xfs_dir_free_hdr_store(block, &h, g->v5);
	put_bests(p, from, to, block + xfs_dir_free_header_len(g->v5));
}

void xfs_dir_plan_make(void *plan, uint64_t off, uint8_t *block)
{
	const struct xfs_dir_plan *p = plan;
	const struct xfs_geometry *g = p->b->to.geo;
	uint64_t leafblk = XFS_DIR_LEAF_OFFSET >> g->blocklog, freeblk = XFS_DIR_FREE_OFFSET >> g->blocklog, i;
	unsigned level;

	if (off >= freeblk) {
		make_free(p, (off - freeblk) / g->dirblkfsbs, block);
	} else if (off >= leafblk) {
		xfs_datree_find(&p->tree, off, &level, &i);
		if (level)
			xfs_datree_node(&p->tree, level, i, block);
		else
			make_leaf(p, i, block);
	} else {
		make_data(p, off / g->dirblkfsbs, block);
		if (p->shape.form == XFS_DIR_BLOCK)
			make_block_tail(p, block);
	}
}
