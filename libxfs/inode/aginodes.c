/* SPDX-License-Identifier: BSD-2-Clause */
/* aginodes.c - the AGI and the inode trees of an AG as a member of a change. */
#include "libxfs/inode/aginodes.h"

#include <stdlib.h>

static const struct {
	enum xfs_btree_id id;
	enum xfs_block_kind kind;
} trees[XFS_AIT_COUNT] = {
	[XFS_AIT_INO] = { XFS_BTREE_INO, XFS_BLK_INOBT }, [XFS_AIT_FINO] = { XFS_BTREE_FINO, XFS_BLK_FINOBT },
};

static void touch(struct xfs_aginodes *ag)
{
	ag->changed = true;
	ag->change->writes++;
}

/* ---- blocks of trees ---- */

static uint64_t daddr_of(const struct xfs_aginodes *ag, uint64_t agbno)
{
	return xfs_agbno_daddr(&ag->fs->geo, ag->agno, XFS_AGBNO(agbno)).v;
}

static const struct xfs_buf_type *type_of(const struct xfs_aginodes_owner *t)
{
	return xfs_block_type(trees[t->tree].kind);
}

static int tree_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_aginodes_owner *t = owner;
	const struct xfs_geometry *g = &t->ag->fs->geo;
	struct xfs_buf *b;
	int err;

	if (ptr > UINT32_MAX || !xfs_agbno_range_valid(g, t->ag->agno, (uint32_t)ptr, 1))
		return -XFS_E_RANGE;
	err = xfs_buf_get1(t->ag->fs->cache, daddr_of(t->ag, ptr), g->blocksize / XFS_BBSIZE, type_of(t), 0, &b);
	if (!err)
		*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return err;
}

static void tree_put(void *owner, struct xfs_btree_block *block)
{
	(void)owner;
	xfs_buf_put(block->handle);
	block->handle = NULL;
	block->data = NULL;
}

static uint64_t tree_daddr(void *owner, uint64_t ptr)
{
	struct xfs_aginodes_owner *t = owner;

	return daddr_of(t->ag, ptr);
}

static int tree_prepare(void *owner, const struct xfs_btree_block *block)
{
	struct xfs_aginodes_owner *t = owner;

	return xfs_change_join(t->ag->change, block->handle, type_of(t));
}

static int tree_fresh(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_aginodes_owner *t = owner;
	struct xfs_buf *b;
	int err = xfs_change_get_new(t->ag->change, daddr_of(t->ag, ptr), t->ag->fs->geo.blocksize / XFS_BBSIZE,
				     type_of(t), &b);

	if (err)
		return err;
	xfs_buf_hold(b);	/* for put */
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return 0;
}

static void tree_dirty(void *owner, const struct xfs_btree_block *block, uint32_t off, uint32_t len)
{
	(void)owner;
	xfs_change_dirty(block->handle, off, len);
}

static void tree_moved(void *owner, const struct xfs_btree *bt)
{
	struct xfs_aginodes_owner *t = owner;
	struct xfs_agi *a = &t->ag->agi;

	if (t->tree == XFS_AIT_INO) {
		a->root = (uint32_t)bt->root;
		a->level = bt->levels;
	} else {
		a->free_root = (uint32_t)bt->root;
		a->free_level = bt->levels;
	}
	touch(t->ag);
}

static void count_block(struct xfs_aginodes_owner *t, int by)
{
	struct xfs_aginodes *ag = t->ag;

	if (t->tree == XFS_AIT_FINO) {
		ag->fino_blocks += (uint32_t)by;
		ag->space->fino_blocks = ag->fino_blocks;
	}
	if (ag->fs->geo.inobtcnt && t->tree == XFS_AIT_INO)
		ag->agi.ino_blocks += (uint32_t)by;
	else if (ag->fs->geo.inobtcnt)
		ag->agi.fino_blocks += (uint32_t)by;
	touch(ag);
}

static int tree_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_aginodes_owner *t = owner;
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .pool = t->tree == XFS_AIT_FINO ? XFS_POOL_META : XFS_POOL_NONE,
		.minlen = 1, .maxlen = 1, .owner = XFS_OWN_INOBT, .target = near == XFS_NULL64 ? 0 : (uint32_t)near,
	};
	int err = xfs_agspace_alloc(t->ag->space, &a);

	(void)level;
	if (err)
		return err;
	count_block(t, 1);
	*ptr = a.agbno;
	return 0;
}

static int tree_free(void *owner, uint64_t ptr)
{
	struct xfs_aginodes_owner *t = owner;
	const struct xfs_geometry *g = &t->ag->fs->geo;
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .len = 1, .owner = XFS_OWN_INOBT,
		.block = xfs_fsbno_of(g, t->ag->agno, XFS_AGBNO(ptr)).v,
	};
	int err = xfs_change_forget(t->ag->change, daddr_of(t->ag, ptr), g->blocksize / XFS_BBSIZE);

	if (!err)
		err = xfs_change_defer(t->ag->change, &w);
	if (!err)
		count_block(t, -1);
	return err;
}

/* ---- the AGI ---- */

static void set_roots(struct xfs_aginodes *ag)
{
	ag->tree[XFS_AIT_INO].root = ag->agi.root;
	ag->tree[XFS_AIT_INO].levels = ag->agi.level;
	ag->tree[XFS_AIT_FINO].root = ag->agi.free_root;
	ag->tree[XFS_AIT_FINO].levels = ag->agi.free_level;
}

static void member_prepare(struct xfs_change_member *m)
{
	struct xfs_aginodes *ag = (void *)((char *)m - offsetof(struct xfs_aginodes, member));
	uint32_t used = ag->fs->geo.v5 ? sizeof(struct xfs_agi_disk) : XFS_AGI_SIZE_V4;
	uint8_t raw[sizeof(struct xfs_agi_disk)];

	if (!ag->changed)
		return;
	memcpy(raw, ag->buf->data, sizeof(raw));
	xfs_agi_encode(raw, &ag->agi);
	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++)
		xfs_put_be32(raw + XFS_AGI_UNLINKED_OFF + 4 * i, ag->unlinked[i]);
	memcpy(ag->buf->data, raw, used);
	xfs_change_dirty(ag->buf, 0, used);
	ag->change->icount += (int64_t)ag->agi.count - ag->count_before;
	ag->change->ifree += (int64_t)ag->agi.freecount - ag->free_before;
	ag->count_before = ag->agi.count;
	ag->free_before = ag->agi.freecount;
	ag->changed = false;
}

static void member_ended(struct xfs_change_member *m, bool committed)
{
	struct xfs_aginodes *ag = (void *)((char *)m - offsetof(struct xfs_aginodes, member));

	if (committed) {
		xfs_fs_note_agi(ag->fs, ag->agno, &ag->agi, ag->unlinked);
	} else {
		xfs_fs_agi(ag->fs, ag->agno, &ag->agi, ag->unlinked);	/* as it was read, or committed last */
		set_roots(ag);
		ag->fino_blocks = ag->fino_before;
		ag->space->fino_blocks = ag->fino_before;
	}
	ag->change = NULL;
	ag->buf = NULL;
	for (unsigned i = 0; i < XFS_AIT_COUNT; i++)
		ag->tree[i].space = NULL;
}

static int join(struct xfs_aginodes *ag, struct xfs_change *c)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	int err;

	if (ag->change)
		return ag->change == c ? 0 : -XFS_E_BUSY;
	err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 2).v, g->sectsize / XFS_BBSIZE,
			     xfs_block_type(XFS_BLK_AGI), &ag->buf);
	if (err)
		return err;
	ag->change = c;
	ag->changed = false;
	ag->count_before = ag->agi.count;
	ag->free_before = ag->agi.freecount;
	ag->fino_before = ag->fino_blocks;
	ag->member = (struct xfs_change_member){ member_prepare, member_ended, NULL };
	xfs_change_add_member(c, &ag->member);
	for (unsigned i = 0; i < XFS_AIT_COUNT; i++)
		ag->tree[i].space = &ag->spaces[i];
	return 0;
}

/* ---- opening ---- */

static int open_tree(struct xfs_aginodes *ag, unsigned i)
{
	struct xfs_btree *bt = &ag->tree[i];
	int err = xfs_fs_ag_btree(ag->fs, ag->agno, trees[i].id, bt);

	if (err == -XFS_E_UNSUPPORTED) {
		bt->kind = NULL;
		return 0;
	}
	ag->owners[i] = (struct xfs_aginodes_owner){ ag, i };
	bt->io = (struct xfs_btree_io){ &ag->owners[i], tree_get, tree_put, NULL };
	bt->daddr_of = tree_daddr;
	ag->spaces[i] = (struct xfs_btree_space){
		.owner = &ag->owners[i], .alloc = tree_alloc, .free = tree_free, .prepare = tree_prepare,
		.fresh = tree_fresh, .dirty = tree_dirty, .moved = tree_moved,
	};
	return err;
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
	for (unsigned i = 0; i < XFS_AIT_COUNT && !err; i++)
		err = open_tree(ag, i);
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
