/* SPDX-License-Identifier: BSD-2-Clause */
/* aginodes.c - the AGI and the inode trees of an AG as a member of a change. */
#include "libxfs/inode/aginodes.h"

#include <stdlib.h>

/* ---- blocks of trees ---- */

static struct xfs_aginodes *of_tree(const struct xfs_agtree *t)
{
	return (void *)t->m;
}

static bool is_fino(const struct xfs_agtree *t)
{
	return t == &of_tree(t)->trees[XFS_AIT_FINO];
}

static void count_block(const struct xfs_agtree *t, int by)
{
	struct xfs_aginodes *ag = of_tree(t);

	if (is_fino(t)) {
		ag->fino_blocks += (uint32_t)by;
		ag->space->fino_blocks = ag->fino_blocks;
	}
	if (ag->fs->geo.inobtcnt)
		*(is_fino(t) ? &ag->agi.fino_blocks : &ag->agi.ino_blocks) += (uint32_t)by;
	xfs_agmember_touch(&ag->m);
}

static int tree_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .pool = is_fino(owner) ? XFS_POOL_META : XFS_POOL_NONE,
		.minlen = 1, .maxlen = 1, .owner = XFS_OWN_INOBT, .target = near == XFS_NULL64 ? 0 : (uint32_t)near,
	};
	int err = xfs_agspace_alloc(of_tree(owner)->space, &a);

	(void)level;
	if (err)
		return err;
	count_block(owner, 1);
	*ptr = a.agbno;
	return 0;
}

static int tree_free(void *owner, uint64_t ptr)
{
	struct xfs_aginodes *ag = of_tree(owner);
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .len = 1, .owner = XFS_OWN_INOBT,
		.block = xfs_fsbno_of(&ag->fs->geo, ag->agno, XFS_AGBNO(ptr)).v,
	};
	int err = xfs_agtree_forget(owner, ptr);

	if (!err)
		err = xfs_change_defer(ag->m.change, &w);
	if (!err)
		count_block(owner, -1);
	return err;
}

/* ---- the AGI ---- */

static void header_write(struct xfs_agmember *m)
{
	struct xfs_aginodes *ag = (void *)m;

	xfs_change_dirty(ag->buf, 0, xfs_agi_store(ag->buf->data, ag->fs->geo.v5, &ag->agi, ag->unlinked));
	m->change->icount += (int64_t)ag->agi.count - ag->count_before;
	m->change->ifree += (int64_t)ag->agi.freecount - ag->free_before;
	ag->count_before = ag->agi.count;
	ag->free_before = ag->agi.freecount;
}

static void header_ended(struct xfs_agmember *m, bool committed)
{
	struct xfs_aginodes *ag = (void *)m;

	if (committed) {
		xfs_fs_note_agi(ag->fs, ag->agno, &ag->agi, ag->unlinked);
	} else {
		xfs_fs_agi(ag->fs, ag->agno, &ag->agi, ag->unlinked);	/* as it was read, or committed last */
		ag->fino_blocks = ag->fino_before;
		ag->space->fino_blocks = ag->fino_before;
	}
	ag->buf = NULL;
}

static int join(struct xfs_aginodes *ag, struct xfs_change *c)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	int err;

	if (ag->m.change)
		return ag->m.change == c ? 0 : -XFS_E_BUSY;
	err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 2).v, g->sectsize / XFS_BBSIZE,
			     xfs_block_type(XFS_BLK_AGI), &ag->buf);
	if (err)
		return err;
	ag->count_before = ag->agi.count;
	ag->free_before = ag->agi.freecount;
	ag->fino_before = ag->fino_blocks;
	xfs_agmember_join(&ag->m, c);
	return 0;
}

/* ---- opening ---- */

static int open_trees(struct xfs_aginodes *ag)
{
	const struct xfs_btree_space space = { .alloc = tree_alloc, .free = tree_free };
	struct xfs_agi *a = &ag->agi;
	int err;

	ag->m = (struct xfs_agmember){
		.trees = ag->trees, .ntrees = XFS_AIT_COUNT, .write = header_write, .ended = header_ended,
	};
	ag->trees[XFS_AIT_INO] = (struct xfs_agtree){ &ag->m, &ag->tree[XFS_AIT_INO], &a->root, &a->level, space };
	ag->trees[XFS_AIT_FINO] =
		(struct xfs_agtree){ &ag->m, &ag->tree[XFS_AIT_FINO], &a->free_root, &a->free_level, space };
	err = xfs_agtree_open(&ag->trees[XFS_AIT_INO], ag->fs, ag->agno, XFS_BTREE_INO);
	return err ? err : xfs_agtree_open(&ag->trees[XFS_AIT_FINO], ag->fs, ag->agno, XFS_BTREE_FINO);
}

static int count_one(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	(void)ptr;
	(void)level;
	(void)data;
	++*(uint32_t *)payload;
	return 0;
}

static int open_ag(struct xfs_fs *fs, xfs_agno_t agno, struct xfs_agspace *space, struct xfs_aginodes **out)
{
	struct xfs_aginodes *ag = calloc(1, sizeof(*ag));
	struct xfs_btree_walk walk = { .block = count_one };
	int err;

	*out = NULL;
	if (!ag)
		return -XFS_E_NOMEM;
	ag->fs = fs;
	ag->agno = agno;
	ag->space = space;
	err = xfs_fs_agi(fs, agno, &ag->agi, ag->unlinked);
	if (!err)
		err = open_trees(ag);
	ag->fino_blocks = ag->agi.fino_blocks;
	if (!err && ag->tree[XFS_AIT_FINO].kind && !fs->geo.inobtcnt) {
		walk.payload = &ag->fino_blocks;
		ag->fino_blocks = 0;
		err = xfs_btree_walk(&ag->tree[XFS_AIT_FINO], &walk);
	}
	if (err) {
		free(ag);
		return err;
	}
	space->fino_blocks = ag->fino_blocks;
	*out = ag;
	return 0;
}

void xfs_aginodes_close(struct xfs_aginodes *ag)
{
	free(ag);
}

int xfs_live_aginodes(struct xfs_live *l, struct xfs_change *c, xfs_agno_t agno, struct xfs_aginodes **out)
{
	struct xfs_agspace *space;
	int err = xfs_live_ag(l, c, agno, &space);

	*out = NULL;
	if (err)
		return err;
	if (!l->inodes_of) {
		l->inodes_of = calloc(l->fs->geo.agcount, sizeof(struct xfs_aginodes *));
		if (!l->inodes_of)
			return -XFS_E_NOMEM;
	}
	if (!l->inodes_of[agno.v]) {
		err = open_ag(l->fs, agno, space, &l->inodes_of[agno.v]);
		if (err)
			return err;
	}
	err = join(l->inodes_of[agno.v], c);
	if (!err)
		*out = l->inodes_of[agno.v];
	return err;
}
