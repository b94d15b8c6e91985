/* SPDX-License-Identifier: BSD-2-Clause */
/* chunk.c - chunks of inodes are made and given up (format sheet 03, section 1; sheet 02, section 2.2). */
#include "libxfs/inode/alloc_priv.h"

#include "libxfs/base/crc32c.h"

/* ---- new inodes ---- */

static void put_inode(const struct xfs_geometry *g, uint8_t *p, uint64_t ino, uint32_t gen)
{
	struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .version = g->v5 ? 3 : 2, .gen = gen,
					  .next_unlinked = XFS_NULL32 } };

	memset(p, 0, g->inodesize);
	if (g->v5) {
		d.v3.inumber = ino;
		memcpy(d.v3.uuid, g->uuid, 16);
	}
	xfs_dinode_encode(p, &d);
	if (g->v5)
		xfs_crc32c_store(p, g->inodesize, XFS_DINODE_CRC_OFF);
}

static int put_blocks(struct xfs_live *l, struct xfs_aginodes *ag, uint32_t agbno, uint32_t blocks)
{
	const struct xfs_geometry *g = &l->fs->geo;
	uint32_t gen = l->generation++, per = UINT32_C(1) << g->inopblog;
	int err = xfs_change_icreate(ag->m.change, ag->agno, agbno, blocks, gen);

	for (uint32_t i = 0; i < blocks && !err; i++) {
		uint64_t first = xfs_ino_of(g, ag->agno, XFS_AGINO((agbno + i) << g->inopblog)).v;
		struct xfs_buf *b;

		err = xfs_change_get_new(ag->m.change, xfs_agbno_daddr(g, ag->agno, XFS_AGBNO(agbno + i)).v,
					 g->blocksize / XFS_BBSIZE, xfs_block_type(XFS_BLK_INODES), &b);
		for (uint32_t k = 0; k < per && !err; k++)
			put_inode(g, b->data + ((size_t)k << g->inodelog), first + k, gen);
	}
	return err;
}

static struct xfs_alloc request(const struct xfs_aginodes *ag, uint32_t blocks, uint32_t align)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	uint32_t after = ag->agi.newino == XFS_NULL32 ? 0 : (ag->agi.newino >> g->inopblog) + g->ialloc_blks;

	return (struct xfs_alloc){
		.how = XFS_ALLOC_NEAR, .target = after < ag->space->length ? after : 0, .minlen = blocks,
		.maxlen = blocks, .alignment = align, .minleft = g->inobt_maxlevels, .owner = XFS_OWN_INODES,
	};
}

/* May all inodes of the chunks that begin there exist? An AG's end may cut them off. */
static bool chunk_valid(const struct xfs_aginodes *ag, uint32_t startino, uint32_t inodes)
{
	return xfs_agino_valid(&ag->fs->geo, ag->agno, startino) &&
		xfs_agino_valid(&ag->fs->geo, ag->agno, startino + inodes - 1);
}

/* Allocates, and gives back what can't be used. */
static int take_blocks(struct xfs_aginodes *ag, struct xfs_alloc *a, uint32_t chunk_align)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	int err = xfs_agspace_alloc(ag->space, a);
	uint32_t start;

	if (err)
		return err;
	start = (a->agbno - a->agbno % chunk_align) << g->inopblog;
	if (chunk_valid(ag, start, g->ialloc_inos))
		return 0;
	err = xfs_agspace_free(ag->space, a->agbno, a->len, a->owner, 0);
	return err ? err : -XFS_E_NOSPC;
}

/* One record for each 64 inodes; *rec is the first of them. */
static int make_whole(struct xfs_live *l, struct xfs_aginodes *ag, struct xfs_inobt_rec *rec)
{
	const struct xfs_geometry *g = &l->fs->geo;
	struct xfs_alloc a = request(ag, g->ialloc_blks, xfs_max(g->cluster_align, 1));
	struct xfs_inobt_rec r = {
		.count = XFS_INODES_PER_CHUNK, .freecount = XFS_INODES_PER_CHUNK, .free = UINT64_MAX,
	};
	int err = take_blocks(ag, &a, 1);

	if (!err)
		err = put_blocks(l, ag, a.agbno, a.len);
	for (uint32_t i = 0; i < g->ialloc_inos && !err; i += XFS_INODES_PER_CHUNK) {
		r.startino = (a.agbno << g->inopblog) + i;
		err = xfs_aginodes_change(ag, NULL, &r);
		if (i == 0)
			*rec = r;
	}
	if (!err)
		xfs_aginodes_set_newino(ag, rec->startino);
	return err;
}

/* A part of a chunk, in the place that it has in a whole one; the record may exist, with a hole there. */
static int make_part(struct xfs_live *l, struct xfs_aginodes *ag, struct xfs_inobt_rec *rec)
{
	const struct xfs_geometry *g = &l->fs->geo;
	uint32_t align = xfs_max(g->sb.inoalignmt, 1), first;
	struct xfs_alloc a = request(ag, g->ialloc_min_blks, g->ialloc_min_blks);
	struct xfs_inobt_rec old, new = { .holemask = UINT16_MAX, .free = UINT64_MAX };
	uint16_t part;
	bool there;
	int err = take_blocks(ag, &a, align);

	if (err)
		return err;
	new.startino = (a.agbno - a.agbno % align) << g->inopblog;
	first = (a.agbno << g->inopblog) - new.startino;
	part = (uint16_t)(((1u << (a.len << g->inopblog) / 4) - 1) << first / 4);
	err = xfs_aginodes_lookup(ag, new.startino, &old);
	there = !err;
	if (err && err != -XFS_E_NOENT)
		return err;
	if (there) {
		if (old.startino != new.startino || part & ~old.holemask)
			return -XFS_E_CORRUPT;
		new = old;
	}
	new.holemask &= (uint16_t)~part;
	new.count = (uint8_t)(new.count + (a.len << g->inopblog));
	new.freecount = (uint8_t)(new.freecount + (a.len << g->inopblog));
	err = put_blocks(l, ag, a.agbno, a.len);
	if (!err)
		err = xfs_aginodes_change(ag, there ? &old : NULL, &new);
	if (!err)
		xfs_aginodes_set_newino(ag, new.startino);
	*rec = new;
	return err;
}

static bool too_many(const struct xfs_live *l, const struct xfs_aginodes *ag)
{
	const struct xfs_geometry *g = &l->fs->geo;
	int64_t more = (int64_t)ag->agi.count - ag->count_before;	/* of this change and this AG */

	return g->maxicount && g->sb.icount + (uint64_t)(ag->m.change->icount + more) + g->ialloc_inos > g->maxicount;
}

int xfs_chunk_make(struct xfs_live *l, struct xfs_aginodes *ag, struct xfs_inobt_rec *rec)
{
	const struct xfs_geometry *g = &l->fs->geo;
	int err;

	if (too_many(l, ag))
		return -XFS_E_NOSPC;
	err = make_whole(l, ag, rec);
	if (err == -XFS_E_NOSPC && g->sparse && g->ialloc_min_blks < g->ialloc_blks)
		err = make_part(l, ag, rec);
	return err;
}

/* ---- given up ---- */

/* Inodes of these blocks that are in memory will not be written, and not be found after the change. */
static int forget_inodes(struct xfs_live *l, struct xfs_aginodes *ag, uint32_t agino, uint32_t n)
{
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i++) {
		struct xfs_live_inode *li =
			xfs_live_inode_find(l, xfs_ino_of(&l->fs->geo, ag->agno, XFS_AGINO(agino + i)).v);

		if (!li)
			continue;
		err = xfs_live_inode_join(li, ag->m.change);
		if (!err)
			li->gone = true;
	}
	return err;
}

static int drop_run(struct xfs_live *l, struct xfs_aginodes *ag, uint32_t agino, uint32_t n)
{
	const struct xfs_geometry *g = &l->fs->geo;
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .len = n >> g->inopblog, .owner = XFS_OWN_INODES,
		.block = xfs_fsbno_of(g, ag->agno, XFS_AGBNO(agino >> g->inopblog)).v,
	};
	int err = forget_inodes(l, ag, agino, n);

	if (!err)
		err = xfs_change_iremove(ag->m.change, ag->agno, agino >> g->inopblog, (uint32_t)w.len);
	return err ? err : xfs_change_defer(ag->m.change, &w);
}

int xfs_chunk_drop(struct xfs_live *l, struct xfs_aginodes *ag, const struct xfs_inobt_rec *rec)
{
	uint32_t from = 0, to;
	int err = xfs_aginodes_change(ag, rec, NULL);

	if (!err && ag->agi.newino == rec->startino)
		xfs_aginodes_set_newino(ag, XFS_NULL32);
	while (from < XFS_INODES_PER_CHUNK && !err) {
		if (!xfs_chunk_has_inode(rec->holemask, from)) {
			from += 4;
			continue;
		}
		for (to = from; to < XFS_INODES_PER_CHUNK && xfs_chunk_has_inode(rec->holemask, to); to += 4)
			;
		err = drop_run(l, ag, rec->startino + from, to - from);
		from = to;
	}
	return err;
}
