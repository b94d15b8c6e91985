/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap_alloc.c - blocks for a file: chosen near its other ones, and mapped. */
#include "libxfs/inode/bmap_priv.h"

/* Where blocks at `off` would continue the file; *exact: right behind what is there. */
static int find_place(struct xfs_bmap *b, const struct xfs_bmap_want *w, uint64_t *near, bool *exact)
{
	const struct xfs_geometry *g = &b->li->i.fs->geo;
	struct xfs_extent e;
	int err;

	*exact = false;
	*near = w->near;
	if (w->near != XFS_NULL64)
		return xfs_fsbno_range_valid(g, w->near, 1) ? 0 : -XFS_E_RANGE;
	err = xfs_bmap_before(b, w->off, &e);
	if (!err) {
		*near = e.block + e.len;
		*exact = e.off + e.len == w->off && xfs_fsbno_range_valid(g, *near, 1);
		if (!xfs_fsbno_range_valid(g, *near, 1))
			*near = e.block;
		return 0;
	}
	if (err != -XFS_E_NOENT)
		return err;
	*near = xfs_fsbno_of(g, xfs_ino_agno(g, b->li->i.ino),
			     XFS_AGBNO(xfs_ino_agino(g, b->li->i.ino).v >> g->inopblog)).v;
	return 0;
}

/* All that is wanted right behind the file's last blocks. */
static int take_exact(struct xfs_bmap *b, struct xfs_change *c, uint64_t near, uint32_t len, uint64_t *block)
{
	const struct xfs_geometry *g = &b->li->i.fs->geo;
	struct xfs_alloc a = {
		.how = XFS_ALLOC_EXACT, .minlen = len, .maxlen = len, .owner = XFS_OWN_NULL,
		.target = xfs_fsbno_agbno(g, XFS_FSBNO(near)).v,
	};
	struct xfs_agspace *ag;
	int err = xfs_live_ag(b->li->live, c, xfs_fsbno_agno(g, XFS_FSBNO(near)), &ag);

	if (!err)
		err = xfs_agspace_alloc(ag, &a);
	*block = near;
	return err;
}

int xfs_bmap_alloc(struct xfs_live_inode *li, struct xfs_change *c, enum xfs_fork which,
		   const struct xfs_bmap_want *w, struct xfs_extent *got)
{
	uint32_t most = (uint32_t)xfs_min(xfs_min(w->maxlen, XFS_BMBT_MAXLEN), li->i.fs->geo.agblocks);
	struct xfs_alloc a = { .how = XFS_ALLOC_NEAR, .minlen = most, .maxlen = most, .owner = XFS_OWN_NULL };
	struct xfs_bmap b;
	uint64_t near, block, writes;
	bool exact;
	int err = xfs_bmap_open(&b, li, which);

	if (!err && (!w->minlen || w->minlen > w->maxlen))
		err = -XFS_E_INVALID;
	if (!err)
		err = find_place(&b, w, &near, &exact);
	if (err)
		return err;
	if (w->one_piece && most < w->maxlen)
		return -XFS_E_NOSPC;
	writes = c->writes;
	err = exact ? take_exact(&b, c, near, most, &block) : -XFS_E_NOSPC;
	a.len = most;
	if (err == -XFS_E_NOSPC)	/* all of it in some AG */
		err = xfs_bmap_take(li->live, c, &a, near, &block);
	if (err == -XFS_E_NOSPC && !w->one_piece && w->minlen < most) {
		a.minlen = w->minlen;
		err = xfs_bmap_take(li->live, c, &a, near, &block);
	}
	if (!err) {
		*got = (struct xfs_extent){ w->off, block, a.len, w->unwritten };
		err = xfs_bmap_map(li, which, got, false);
	}
	return xfs_change_check(c, writes, err);
}
