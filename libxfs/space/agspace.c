/* SPDX-License-Identifier: BSD-2-Clause */
/* agspace.c - the space of one AG: opening, joining a change, and what the engine wants of the owner of a tree. */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/mount/blocks.h"

#include <stdlib.h>
#include <string.h>

static const enum xfs_btree_id ids[XFS_AGT_COUNT] = {
	[XFS_AGT_BNO] = XFS_BTREE_BNO, [XFS_AGT_CNT] = XFS_BTREE_CNT, [XFS_AGT_RMAP] = XFS_BTREE_RMAP,
	[XFS_AGT_REFC] = XFS_BTREE_REFC,
};

void xfs_agf_touch(struct xfs_agspace *ag)
{
	xfs_agmember_touch(&ag->m);
}

/* ---- blocks of trees ---- */

static struct xfs_agspace *of_tree(const struct xfs_agtree *t)
{
	return (void *)t->m;
}

/* A block of one of the three trees that the free list feeds is taken into use (+1) or given up. */
static void count_block(struct xfs_agspace *ag, const struct xfs_agtree *t, int by)
{
	ag->tree_blocks += by;
	if (ag->fs->geo.lazycount)	/* nobody else keeps it up to date */
		ag->agf.btreeblks += (uint32_t)by;
	if (t == &ag->trees[XFS_AGT_RMAP])
		ag->agf.rmapblocks += (uint32_t)by;
	xfs_agf_touch(ag);
}

static int list_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_agspace *ag = of_tree(owner);
	uint32_t agbno;
	int err = xfs_agfl_take(ag, &agbno);

	(void)level;
	(void)near;
	if (err)
		return err;
	count_block(ag, owner, 1);
	*ptr = agbno;
	return 0;
}

static int list_free(void *owner, uint64_t ptr)
{
	struct xfs_agspace *ag = of_tree(owner);
	int err = xfs_agfl_put(ag, (uint32_t)ptr);

	if (!err)
		err = xfs_agtree_forget(owner, ptr);
	if (!err)
		count_block(ag, owner, -1);
	return err;
}

/* Blocks of the refcountbt are ordinary blocks with an owner. */
static int refc_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_agspace *ag = of_tree(owner);
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .pool = XFS_POOL_META, .minlen = 1, .maxlen = 1, .owner = XFS_OWN_REFC,
		.target = near == XFS_NULL64 ? 0 : (uint32_t)near,
	};
	int err = xfs_agspace_alloc(ag, &a);

	(void)level;
	if (err)
		return err;
	ag->agf.refcntblocks++;
	xfs_agf_touch(ag);
	*ptr = a.agbno;
	return 0;
}

static int refc_free(void *owner, uint64_t ptr)
{
	struct xfs_agspace *ag = of_tree(owner);
	int err = xfs_agtree_forget(owner, ptr);

	if (!err)
		err = xfs_agspace_free(ag, (uint32_t)ptr, 1, XFS_OWN_REFC, 0);
	if (err)
		return err;
	ag->agf.refcntblocks--;
	xfs_agf_touch(ag);
	return 0;
}

/* ---- the AGF ---- */

static void header_write(struct xfs_agmember *m)
{
	struct xfs_agspace *ag = (void *)m;
	uint64_t now = (uint64_t)ag->agf.freeblks + ag->agf.flcount;

	xfs_change_dirty(ag->agf_buf, 0, xfs_agf_store(ag->agf_buf->data, ag->fs->geo.v5, &ag->agf));
	m->change->fdblocks += (int64_t)(now - ag->free_before) + ag->tree_blocks;
	ag->free_before = now;
	ag->tree_blocks = 0;
}

static void header_ended(struct xfs_agmember *m, bool committed)
{
	struct xfs_agspace *ag = (void *)m;

	if (committed)
		xfs_fs_note_agf(ag->fs, ag->agno, &ag->agf);
	else
		xfs_fs_agf(ag->fs, ag->agno, &ag->agf);		/* as it was read, or committed last */
	ag->agf_buf = ag->agfl_buf = NULL;
}

int xfs_agspace_join(struct xfs_agspace *ag, struct xfs_change *c)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	uint32_t bbs = g->sectsize / XFS_BBSIZE;
	int err;

	if (ag->m.change)
		return ag->m.change == c ? 0 : -XFS_E_BUSY;
	err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 1).v, bbs, xfs_block_type(XFS_BLK_AGF), &ag->agf_buf);
	if (!err)
		err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 3).v, bbs, xfs_block_type(XFS_BLK_AGFL),
				     &ag->agfl_buf);
	if (err)
		return err;
	ag->tree_blocks = 0;
	ag->free_before = (uint64_t)ag->agf.freeblks + ag->agf.flcount;
	xfs_agmember_join(&ag->m, c);
	return 0;
}

/* ---- opening ---- */

static int open_trees(struct xfs_agspace *ag)
{
	struct xfs_agf *f = &ag->agf;
	uint32_t *const roots[XFS_AGT_COUNT][2] = {
		[XFS_AGT_BNO] = { &f->bnoroot, &f->bnolevel }, [XFS_AGT_CNT] = { &f->cntroot, &f->cntlevel },
		[XFS_AGT_RMAP] = { &f->rmaproot, &f->rmaplevel }, [XFS_AGT_REFC] = { &f->refcntroot, &f->refcntlevel },
	};
	int err = 0;

	ag->m = (struct xfs_agmember){
		.trees = ag->trees, .ntrees = XFS_AGT_COUNT, .write = header_write, .ended = header_ended,
	};
	for (unsigned i = 0; i < XFS_AGT_COUNT && !err; i++) {
		ag->trees[i] = (struct xfs_agtree){ &ag->m, &ag->tree[i], roots[i][0], roots[i][1], {
			.alloc = i == XFS_AGT_REFC ? refc_alloc : list_alloc,
			.free = i == XFS_AGT_REFC ? refc_free : list_free,
		} };
		err = xfs_agtree_open(&ag->trees[i], ag->fs, ag->agno, ids[i]);
	}
	return err;
}

int xfs_agspace_open(struct xfs_agspace **out, struct xfs_fs *fs, xfs_agno_t agno)
{
	struct xfs_agspace *ag = calloc(1, sizeof(*ag));
	uint32_t size = fs->geo.agfl_size;
	int err;

	*out = NULL;
	if (!ag)
		return -XFS_E_NOMEM;
	ag->fs = fs;
	ag->agno = agno;
	ag->length = xfs_ag_length(&fs->geo, agno);
	err = xfs_fs_agf(fs, agno, &ag->agf);
	/* an empty list may have any first and last */
	if (!err && ag->agf.flcount && (ag->agf.fllast + size - ag->agf.flfirst) % size + 1 != ag->agf.flcount)
		err = -XFS_E_CORRUPT;
	if (!err)
		err = open_trees(ag);
	if (err)
		free(ag);
	else
		*out = ag;
	return err;
}

void xfs_agspace_close(struct xfs_agspace *ag)
{
	free(ag);
}
