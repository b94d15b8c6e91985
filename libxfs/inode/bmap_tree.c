/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap_tree.c - the bmbt of a fork: its blocks, and its beginning and end (format sheet 02, sections 1.4 and 1.5). */
#include "libxfs/inode/bmap_priv.h"

/* ---- blocks ---- */

static uint64_t owner_offset(const struct xfs_bmap *b)
{
	return XFS_RMAP_BMBT | (b->which == XFS_FORK_ATTR ? XFS_RMAP_ATTR : 0);
}

int xfs_bmap_take(struct xfs_live *l, struct xfs_change *c, struct xfs_alloc *a, uint64_t near, uint64_t *fsbno)
{
	const struct xfs_geometry *g = &l->fs->geo;
	uint32_t first = xfs_fsbno_agno(g, XFS_FSBNO(near)).v;
	int err = -XFS_E_NOSPC;

	for (uint32_t n = 0; n < g->agcount && err == -XFS_E_NOSPC; n++) {
		xfs_agno_t agno = XFS_AGNO((first + n) % g->agcount);
		struct xfs_agspace *ag;

		err = xfs_live_ag(l, c, agno, &ag);
		if (err)
			break;
		a->target = n ? 0 : xfs_fsbno_agbno(g, XFS_FSBNO(near)).v;
		err = ag->agf.longest < a->minlen ? -XFS_E_NOSPC : xfs_agspace_alloc(ag, a);
		if (!err)
			*fsbno = xfs_fsbno_of(g, agno, XFS_AGBNO(a->agbno)).v;
	}
	return err;
}

/* Where a tree begins that has no block yet: near the data, else near the inode. */
static uint64_t place_of(struct xfs_bmap *b)
{
	const struct xfs_geometry *g = &b->li->i.fs->geo;
	struct xfs_extent e;

	if (!xfs_ifork_lookup(&b->f, 0, &e))
		return e.block;
	return xfs_fsbno_of(g, xfs_ino_agno(g, b->li->i.ino),
			    XFS_AGBNO(xfs_ino_agino(g, b->li->i.ino).v >> g->inopblog)).v;
}

static int tree_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_bmap *b = owner;
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .minlen = 1, .maxlen = 1, .owner = b->li->i.ino.v, .offset = owner_offset(b),
	};
	int err;

	(void)level;
	err = xfs_bmap_take(b->li->live, b->li->change, &a, near == XFS_NULL64 ? place_of(b) : near, ptr);
	if (!err)
		xfs_bmap_count_blocks(b->li, 1);
	return err;
}

static int tree_free(void *owner, uint64_t ptr)
{
	struct xfs_bmap *b = owner;
	const struct xfs_geometry *g = &b->li->i.fs->geo;
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .block = ptr, .len = 1, .owner = b->li->i.ino.v, .offset = owner_offset(b),
	};
	int err = xfs_change_forget(b->li->change, xfs_fsbno_daddr(g, XFS_FSBNO(ptr)).v, g->blocksize / XFS_BBSIZE);

	if (!err)
		err = xfs_change_defer(b->li->change, &w);
	if (!err)
		xfs_bmap_count_blocks(b->li, -1);
	return err;
}

static int tree_prepare(void *owner, const struct xfs_btree_block *block)
{
	struct xfs_bmap *b = owner;

	return block->handle ? xfs_change_join(b->li->change, block->handle, xfs_block_type(XFS_BLK_BMBT)) : 0;
}

static int tree_fresh(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_bmap *b = owner;
	const struct xfs_geometry *g = &b->li->i.fs->geo;
	struct xfs_buf *buf;
	int err = xfs_change_get_new(b->li->change, xfs_fsbno_daddr(g, XFS_FSBNO(ptr)).v, g->blocksize / XFS_BBSIZE,
				     xfs_block_type(XFS_BLK_BMBT), &buf);

	if (err)
		return err;
	xfs_buf_hold(buf);	/* for put */
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = buf->data, .handle = buf };
	return 0;
}

static void tree_dirty(void *owner, const struct xfs_btree_block *block, uint32_t off, uint32_t len)
{
	struct xfs_bmap *b = owner;

	if (block->ptr == XFS_NULL64)
		xfs_bmap_dirty(b);
	else
		xfs_change_dirty(block->handle, off, len);
}

void xfs_bmap_attach_space(struct xfs_bmap *b)
{
	b->space = (struct xfs_btree_space){
		.owner = b, .alloc = tree_alloc, .free = tree_free, .prepare = tree_prepare, .fresh = tree_fresh,
		.dirty = tree_dirty,
	};
	b->f.bt.space = &b->space;
}

/* ---- from extents to a tree and back ---- */

uint64_t xfs_bmap_inline_most(const struct xfs_bmap *b)
{
	return b->f.len / sizeof(struct xfs_bmbt_rec_disk);
}

static void set_format(struct xfs_bmap *b, unsigned format)
{
	if (b->which == XFS_FORK_ATTR)
		b->li->i.d.core.aformat = (uint8_t)format;
	else
		b->li->i.d.core.format = (uint8_t)format;
	xfs_bmap_dirty(b);
}

int xfs_bmap_to_btree(struct xfs_bmap *b)
{
	uint8_t recs[XFS_DINODE_MAX_SIZE];
	size_t bytes = (size_t)b->f.count * sizeof(struct xfs_bmbt_rec_disk);
	int err;

	if (!b->f.count || bytes > b->f.len || xfs_bmdr_maxrecs(b->f.len) == 0)
		return -XFS_E_CORRUPT;
	memcpy(recs, b->f.bytes, bytes);
	xfs_ifork_tree(&b->f, 2);
	xfs_bmap_attach_space(b);
	err = xfs_btree_plant(&b->f.bt, recs, (uint32_t)b->f.count);
	if (err)
		return err;
	b->f.format = XFS_DINODE_FMT_BTREE;
	set_format(b, XFS_DINODE_FMT_BTREE);
	return 0;
}

/* What a tree is reduced to. */
struct uproot {
	uint8_t recs[XFS_DINODE_MAX_SIZE];
	size_t used, room;
	uint64_t blocks[2 * XFS_DINODE_MAX_SIZE / 16];	/* leaves hold a record each, nodes a block each, at least */
	size_t nblocks;
};

static int keep_record(void *payload, const void *rec)
{
	struct uproot *u = payload;

	if (u->room - u->used < sizeof(struct xfs_bmbt_rec_disk))
		return -XFS_E_CORRUPT;
	memcpy(u->recs + u->used, rec, sizeof(struct xfs_bmbt_rec_disk));
	u->used += sizeof(struct xfs_bmbt_rec_disk);
	return 0;
}

static int keep_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct uproot *u = payload;

	(void)level;
	(void)data;
	if (ptr == XFS_NULL64)
		return 0;
	if (u->nblocks == XFS_ARRAY_SIZE(u->blocks))
		return -XFS_E_CORRUPT;
	u->blocks[u->nblocks++] = ptr;
	return 0;
}

int xfs_bmap_to_extents(struct xfs_bmap *b)
{
	struct uproot u = { .room = (size_t)xfs_bmap_inline_most(b) * sizeof(struct xfs_bmbt_rec_disk) };
	struct xfs_btree_walk walk = { .block = keep_block, .payload = &u };
	uint8_t *bytes;
	uint32_t len;
	int err = xfs_btree_query_all(&b->f.bt, keep_record, &u);

	if (!err && u.used != b->f.count * sizeof(struct xfs_bmbt_rec_disk))
		err = -XFS_E_CORRUPT;
	if (!err)
		err = xfs_btree_walk(&b->f.bt, &walk);
	for (size_t i = 0; i < u.nblocks && !err; i++)
		err = tree_free(b, u.blocks[i]);
	if (err)
		return err;
	bytes = xfs_live_fork_bytes(b->li, b->which, &len);
	memset(bytes, 0, len);
	memcpy(bytes, u.recs, u.used);
	b->f.format = XFS_DINODE_FMT_EXTENTS;
	set_format(b, XFS_DINODE_FMT_EXTENTS);
	return 0;
}

/* ---- enough for what will follow ---- */

/* Blocks that ordinary allocations may still have in this AG. */
static uint64_t room_in(struct xfs_agspace *ag)
{
	uint64_t used = xfs_agspace_reserved(ag, XFS_POOL_NONE), target = xfs_agspace_agfl_target(ag);

	if (target > ag->agf.flcount)
		used += target - ag->agf.flcount;
	return ag->agf.freeblks > used ? ag->agf.freeblks - used : 0;
}

int xfs_bmap_room(struct xfs_live_inode *li, enum xfs_fork which, unsigned mappings)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint32_t first = xfs_ino_agno(g, li->i.ino).v;
	uint64_t want, have = 0;
	struct xfs_bmap b;
	int err = xfs_bmap_open(&b, li, which);

	if (err)
		return err;
	if (b.f.format == XFS_DINODE_FMT_EXTENTS && b.f.count + 2 * (uint64_t)mappings <= xfs_bmap_inline_most(&b))
		return 0;
	/* each adds two records at most, and each record a block on each level */
	want = 2 * (uint64_t)mappings * (b.f.format == XFS_DINODE_FMT_BTREE ? b.f.bt.levels : 1);
	for (uint32_t n = 0; n < g->agcount && have < want; n++) {
		struct xfs_agspace *ag;

		err = xfs_live_ag(li->live, li->change, XFS_AGNO((first + n) % g->agcount), &ag);
		if (err)
			return err;
		have += room_in(ag);
	}
	return have < want ? -XFS_E_NOSPC : 0;
}
