/* SPDX-License-Identifier: BSD-2-Clause */
/* remap.c - sharing of blocks and copy-on-write, as chains of works (format sheet 02, section 6.2). */
#include "libxfs/inode/remap.h"

#include "libxfs/inode/bmap_priv.h"
#include "libxfs/space/refcount.h"

int xfs_reflink_allow(struct xfs_live_inode *li)
{
	if (xfs_reflink_allowed(li))
		return 0;
	if (!li->i.fs->geo.reflink || xfs_inode_fmt(&li->i) != XFS_MODE_REG || xfs_inode_is_realtime(&li->i))
		return -XFS_E_UNSUPPORTED;
	if (!li->change)
		return -XFS_E_INVALID;
	li->i.d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
	xfs_live_inode_dirty(li, XFS_LIVE_CORE);
	return 0;
}

/* ---- works ---- */

static int defer_bmap(struct xfs_live_inode *li, enum xfs_bmap_op op, const struct xfs_extent *e)
{
	struct xfs_work w = {
		.kind = XFS_WORK_BMAP, .op = op, .unwritten = e->unwritten, .block = e->block, .len = e->len,
		.owner = li->i.ino.v, .offset = e->off,
	};

	return xfs_change_defer(li->change, &w);
}

static int defer_refc(struct xfs_change *c, enum xfs_refc_op op, uint64_t block, uint32_t len)
{
	struct xfs_work w = { .kind = XFS_WORK_REFC, .op = op, .block = block, .len = len };

	return xfs_change_defer(c, &w);
}

/* The reverse mapping of staging blocks. */
static int defer_stage_rmap(struct xfs_change *c, enum xfs_rmap_op op, uint64_t block, uint32_t len)
{
	struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = op, .block = block, .len = len, .owner = XFS_OWN_COW };

	return c->fs->geo.rmapbt ? xfs_change_defer(c, &w) : 0;
}

/* What is mapped at the start of [off, off + *len), cut to it; *len is cut to what is uniform. block NULL64: a hole. */
static int look_at(struct xfs_live_inode *li, enum xfs_fork which, uint64_t off, uint32_t *len, struct xfs_extent *out)
{
	struct xfs_extent e;
	struct xfs_bmap b;
	int err = xfs_bmap_open(&b, li, which);

	if (!err)
		err = xfs_ifork_lookup(&b.f, off, &e);
	if (err && err != -XFS_E_NOENT)
		return err;
	if (err || e.off > off) {
		*len = (uint32_t)(err ? *len : xfs_min(*len, e.off - off));
		*out = (struct xfs_extent){ off, XFS_NULL64, *len, false };
		return 0;
	}
	*len = (uint32_t)xfs_min(*len, e.off + e.len - off);
	*out = (struct xfs_extent){ off, e.block + (off - e.off), *len, e.unwritten };
	return 0;
}

/* The first half of replacing: the old mapping and its reference go. */
static int defer_give_up(struct xfs_live_inode *li, const struct xfs_extent *old)
{
	int err;

	if (old->block == XFS_NULL64)
		return 0;
	err = defer_bmap(li, XFS_BMAP_UNMAP, old);
	return err ? err : defer_refc(li->change, XFS_REFC_DECREASE, old->block, old->len);
}

/* ---- sharing ---- */

int xfs_remap_share(struct xfs_live_inode *li, uint64_t off, const struct xfs_extent *src, uint32_t *done)
{
	struct xfs_extent old, new = { off, src->block, src->len, false };
	uint64_t writes;
	int err;

	*done = 0;
	if (!li->change || !xfs_reflink_allowed(li) || src->unwritten || !src->len)
		return -XFS_E_INVALID;
	if (!xfs_extent_valid(&li->i.fs->geo, &new, false))
		return -XFS_E_RANGE;
	writes = li->change->writes;
	err = look_at(li, XFS_FORK_DATA, off, &new.len, &old);
	if (err)
		return err;
	*done = new.len;
	if (old.block == new.block && !old.unwritten)
		return 0;
	err = xfs_bmap_room(li, XFS_FORK_DATA, 2);
	if (!err)
		err = defer_give_up(li, &old);
	if (!err)
		err = defer_refc(li->change, XFS_REFC_INCREASE, new.block, new.len);
	if (!err)
		err = defer_bmap(li, XFS_BMAP_MAP, &new);
	return xfs_change_check(li->change, writes, err);
}

int xfs_shared_find(struct xfs_live *l, struct xfs_change *c, uint64_t block, uint32_t len, uint64_t *start,
		    uint32_t *shared)
{
	const struct xfs_geometry *g = &l->fs->geo;
	struct xfs_agspace *ag;
	uint32_t at;
	int err;

	*start = block;
	*shared = 0;
	if (!xfs_fsbno_range_valid(g, block, len))
		return -XFS_E_RANGE;
	err = xfs_live_ag(l, c, xfs_fsbno_agno(g, XFS_FSBNO(block)), &ag);
	if (err || !xfs_agspace_has(ag, XFS_AGT_REFC))
		return err;
	err = xfs_refcount_find_shared(&ag->tree[XFS_AGT_REFC], xfs_fsbno_agbno(g, XFS_FSBNO(block)).v, len, &at,
				       shared);
	if (!err && *shared)
		*start = xfs_fsbno_of(g, ag->agno, XFS_AGBNO(at)).v;
	return err;
}

/* ---- copy-on-write ---- */

int xfs_cow_stage(struct xfs_live_inode *li, struct xfs_change *c, uint64_t off, uint32_t len, uint64_t near,
		  struct xfs_extent *staged)
{
	uint32_t most = (uint32_t)xfs_min(xfs_min(len, XFS_BMBT_MAXLEN), li->i.fs->geo.agblocks);
	struct xfs_alloc a = { .how = XFS_ALLOC_NEAR, .minlen = most, .maxlen = most, .owner = XFS_OWN_NULL };
	uint64_t writes = c->writes, block;
	int err;

	if (!len || !xfs_fsbno_range_valid(&li->i.fs->geo, near, 1))
		return -XFS_E_INVALID;
	err = xfs_bmap_take(li->live, c, &a, near, &block);
	if (err == -XFS_E_NOSPC && most > 1) {
		a.minlen = 1;
		err = xfs_bmap_take(li->live, c, &a, near, &block);
	}
	if (!err) {
		*staged = (struct xfs_extent){ off, block, a.len, false };
		err = defer_refc(c, XFS_REFC_ALLOC_COW, block, a.len);
	}
	if (!err)
		err = defer_stage_rmap(c, XFS_RMAP_ALLOC, block, a.len);
	return xfs_change_check(c, writes, err);
}

static int defer_unstage(struct xfs_change *c, uint64_t block, uint32_t len)
{
	int err = defer_stage_rmap(c, XFS_RMAP_FREE, block, len);

	return err ? err : defer_refc(c, XFS_REFC_FREE_COW, block, len);
}

int xfs_cow_finish(struct xfs_live_inode *li, const struct xfs_extent *staged, uint32_t *done)
{
	struct xfs_extent old, new = *staged;
	uint64_t writes;
	int err;

	*done = 0;
	if (!li->change || !new.len)
		return -XFS_E_INVALID;
	writes = li->change->writes;
	err = look_at(li, XFS_FORK_DATA, new.off, &new.len, &old);
	if (!err)
		err = xfs_bmap_room(li, XFS_FORK_DATA, 2);
	if (!err)
		err = defer_give_up(li, &old);
	if (!err)
		err = defer_unstage(li->change, new.block, new.len);
	if (!err)
		err = defer_bmap(li, XFS_BMAP_MAP, &new);
	*done = new.len;
	return xfs_change_check(li->change, writes, err);
}

int xfs_cow_cancel(struct xfs_live *l, struct xfs_change *c, const struct xfs_extent *staged)
{
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .block = staged->block, .len = staged->len, .owner = XFS_OWN_NULL,
	};
	uint64_t writes = c->writes;
	int err;

	if (!xfs_fsbno_range_valid(&l->fs->geo, staged->block, staged->len))
		return -XFS_E_RANGE;
	err = defer_unstage(c, staged->block, staged->len);
	if (!err)
		err = xfs_change_defer(c, &w);
	return xfs_change_check(c, writes, err);
}
