/* SPDX-License-Identifier: BSD-2-Clause */
/* agspace.c - the space of one AG: opening, joining a change, and what the engine wants of the owner of a tree. */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/mount/blocks.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	enum xfs_btree_id id;
	enum xfs_block_kind kind;
} trees[XFS_AGT_COUNT] = {
	[XFS_AGT_BNO] = { XFS_BTREE_BNO, XFS_BLK_BNOBT }, [XFS_AGT_CNT] = { XFS_BTREE_CNT, XFS_BLK_CNTBT },
	[XFS_AGT_RMAP] = { XFS_BTREE_RMAP, XFS_BLK_RMAPBT }, [XFS_AGT_REFC] = { XFS_BTREE_REFC, XFS_BLK_REFCBT },
};

void xfs_agf_touch(struct xfs_agspace *ag)
{
	ag->agf_changed = true;
	ag->change->writes++;
}

/* ---- blocks of trees ---- */

static xfs_daddr_t daddr_of(const struct xfs_agspace *ag, uint64_t agbno)
{
	return xfs_agbno_daddr(&ag->fs->geo, ag->agno, XFS_AGBNO(agbno));
}

static bool usable(const struct xfs_agspace *ag, uint64_t ptr)
{
	return ptr <= UINT32_MAX && xfs_agbno_range_valid(&ag->fs->geo, ag->agno, (uint32_t)ptr, 1);
}

static int tree_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_agspace_tree_owner *t = owner;
	struct xfs_buf *b;
	int err;

	if (!usable(t->ag, ptr))
		return -XFS_E_RANGE;
	err = xfs_buf_get1(t->ag->fs->cache, daddr_of(t->ag, ptr).v, t->ag->fs->geo.blocksize / XFS_BBSIZE,
			   xfs_block_type(t->kind), 0, &b);
	if (err)
		return err;
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return 0;
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
	struct xfs_agspace_tree_owner *t = owner;

	return daddr_of(t->ag, ptr).v;
}

static int tree_prepare(void *owner, const struct xfs_btree_block *block)
{
	struct xfs_agspace_tree_owner *t = owner;

	return xfs_change_join(t->ag->change, block->handle, xfs_block_type(t->kind));
}

static int tree_fresh(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_agspace_tree_owner *t = owner;
	struct xfs_buf *b;
	int err = xfs_change_get_new(t->ag->change, daddr_of(t->ag, ptr).v, t->ag->fs->geo.blocksize / XFS_BBSIZE,
				     xfs_block_type(t->kind), &b);

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

/* The level under the root may have changed its place too. */
static void tree_moved(void *owner, const struct xfs_btree *bt)
{
	struct xfs_agspace_tree_owner *t = owner;
	struct xfs_agf *f = &t->ag->agf;

	switch (t->tree) {
	case XFS_AGT_BNO:
		f->bnoroot = (uint32_t)bt->root;
		f->bnolevel = bt->levels;
		break;
	case XFS_AGT_CNT:
		f->cntroot = (uint32_t)bt->root;
		f->cntlevel = bt->levels;
		break;
	case XFS_AGT_RMAP:
		f->rmaproot = (uint32_t)bt->root;
		f->rmaplevel = bt->levels;
		break;
	default:
		f->refcntroot = (uint32_t)bt->root;
		f->refcntlevel = bt->levels;
	}
	xfs_agf_touch(t->ag);
}

/* A block of one of the three trees that the free list feeds is taken into use (+1) or given up. */
static void count_block(struct xfs_agspace_tree_owner *t, int by)
{
	struct xfs_agf *f = &t->ag->agf;

	t->ag->tree_blocks += by;
	if (t->ag->fs->geo.lazycount)	/* nobody else keeps it up to date */
		f->btreeblks += (uint32_t)by;
	if (t->tree == XFS_AGT_RMAP)
		f->rmapblocks += (uint32_t)by;
	xfs_agf_touch(t->ag);
}

static int list_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_agspace_tree_owner *t = owner;
	uint32_t agbno;
	int err = xfs_agfl_take(t->ag, &agbno);

	(void)level;
	(void)near;
	if (err)
		return err;
	count_block(t, 1);
	*ptr = agbno;
	return 0;
}

static int list_free(void *owner, uint64_t ptr)
{
	struct xfs_agspace_tree_owner *t = owner;
	int err = xfs_agfl_put(t->ag, (uint32_t)ptr);

	if (!err)
		err = xfs_change_forget(t->ag->change, daddr_of(t->ag, ptr).v, t->ag->fs->geo.blocksize / XFS_BBSIZE);
	if (!err)
		count_block(t, -1);
	return err;
}

/* Blocks of the refcountbt are ordinary blocks with an owner. */
static int refc_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct xfs_agspace_tree_owner *t = owner;
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .pool = XFS_POOL_META, .minlen = 1, .maxlen = 1, .owner = XFS_OWN_REFC,
		.target = near == XFS_NULL64 ? 0 : (uint32_t)near,
	};
	int err = xfs_agspace_alloc(t->ag, &a);

	(void)level;
	if (err)
		return err;
	t->ag->agf.refcntblocks++;
	xfs_agf_touch(t->ag);
	*ptr = a.agbno;
	return 0;
}

static int refc_free(void *owner, uint64_t ptr)
{
	struct xfs_agspace_tree_owner *t = owner;
	int err = xfs_change_forget(t->ag->change, daddr_of(t->ag, ptr).v, t->ag->fs->geo.blocksize / XFS_BBSIZE);

	if (!err)
		err = xfs_agspace_free(t->ag, (uint32_t)ptr, 1, XFS_OWN_REFC, 0);
	if (err)
		return err;
	t->ag->agf.refcntblocks--;
	xfs_agf_touch(t->ag);
	return 0;
}

/* ---- the AGF ---- */

static void set_roots(struct xfs_agspace *ag)
{
	const struct xfs_agf *f = &ag->agf;
	const uint32_t at[XFS_AGT_COUNT][2] = {
		{ f->bnoroot, f->bnolevel }, { f->cntroot, f->cntlevel }, { f->rmaproot, f->rmaplevel },
		{ f->refcntroot, f->refcntlevel },
	};

	for (unsigned i = 0; i < XFS_AGT_COUNT; i++) {
		ag->tree[i].root = at[i][0];
		ag->tree[i].levels = at[i][1];
	}
}

static void member_prepare(struct xfs_change_member *m)
{
	struct xfs_agspace *ag = (void *)((char *)m - offsetof(struct xfs_agspace, member));
	uint32_t used = ag->fs->geo.v5 ? sizeof(struct xfs_agf_disk) : XFS_AGF_SIZE_V4;
	uint8_t raw[sizeof(struct xfs_agf_disk)];
	uint64_t now = (uint64_t)ag->agf.freeblks + ag->agf.flcount;

	if (!ag->agf_changed)
		return;
	memcpy(raw, ag->agf_buf->data, sizeof(raw));
	xfs_agf_encode(raw, &ag->agf);
	memcpy(ag->agf_buf->data, raw, used);
	xfs_change_dirty(ag->agf_buf, 0, used);
	ag->change->fdblocks += (int64_t)(now - ag->free_before) + ag->tree_blocks;
	ag->free_before = now;
	ag->tree_blocks = 0;
	ag->agf_changed = false;
}

static void member_ended(struct xfs_change_member *m, bool committed)
{
	struct xfs_agspace *ag = (void *)((char *)m - offsetof(struct xfs_agspace, member));

	if (committed) {
		xfs_fs_note_agf(ag->fs, ag->agno, &ag->agf);
	} else {
		xfs_fs_agf(ag->fs, ag->agno, &ag->agf);		/* as it was read, or committed last */
		set_roots(ag);
	}
	ag->change = NULL;
	ag->agf_buf = ag->agfl_buf = NULL;
	for (unsigned i = 0; i < XFS_AGT_COUNT; i++)
		ag->tree[i].space = NULL;
}

int xfs_agspace_join(struct xfs_agspace *ag, struct xfs_change *c)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	uint32_t bbs = g->sectsize / XFS_BBSIZE;
	int err;

	if (ag->change == c)
		return 0;
	if (ag->change)
		return -XFS_E_BUSY;
	err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 1).v, bbs, xfs_block_type(XFS_BLK_AGF), &ag->agf_buf);
	if (!err)
		err = xfs_change_get(c, xfs_ag_header_daddr(g, ag->agno, 3).v, bbs, xfs_block_type(XFS_BLK_AGFL),
				     &ag->agfl_buf);
	if (err)
		return err;
	ag->change = c;
	ag->agf_changed = false;
	ag->tree_blocks = 0;
	ag->free_before = (uint64_t)ag->agf.freeblks + ag->agf.flcount;
	ag->member = (struct xfs_change_member){ member_prepare, member_ended, NULL };
	xfs_change_add_member(c, &ag->member);
	for (unsigned i = 0; i < XFS_AGT_COUNT; i++)
		ag->tree[i].space = &ag->spaces[i];
	return 0;
}

/* ---- opening ---- */

static int open_tree(struct xfs_agspace *ag, unsigned i)
{
	struct xfs_btree *bt = &ag->tree[i];
	int err = xfs_fs_ag_btree(ag->fs, ag->agno, trees[i].id, bt);

	if (err == -XFS_E_UNSUPPORTED) {
		bt->kind = NULL;
		return 0;
	}
	ag->owners[i] = (struct xfs_agspace_tree_owner){ ag, i, trees[i].kind };
	bt->io = (struct xfs_btree_io){ &ag->owners[i], tree_get, tree_put, NULL };
	bt->daddr_of = tree_daddr;
	ag->spaces[i] = (struct xfs_btree_space){
		.owner = &ag->owners[i], .alloc = i == XFS_AGT_REFC ? refc_alloc : list_alloc,
		.free = i == XFS_AGT_REFC ? refc_free : list_free, .prepare = tree_prepare, .fresh = tree_fresh,
		.dirty = tree_dirty, .moved = tree_moved,
	};
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
	for (unsigned i = 0; i < XFS_AGT_COUNT && !err; i++)
		err = open_tree(ag, i);
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
