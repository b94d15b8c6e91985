/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange.c - ranges of two files change places (format sheet 04, sections 6.5 and 10, XMI). */
#include "libxfs/inode/remap.h"

#include "libxfs/inode/bmap_priv.h"
#include "libxfs/ondisk/logitems.h"

#include <stdlib.h>

#define KNOWN (XFS_XMI_ATTR_FORK | XFS_XMI_SET_SIZES | XFS_XMI_INO1_WRITTEN | XFS_XMI_CLEAR_INO1_REFLINK | \
	       XFS_XMI_CLEAR_INO2_REFLINK)

int xfs_exchange_defer(struct xfs_change *c, const struct xfs_exchange *x)
{
	struct xfs_exchange *own = malloc(sizeof(*own));
	struct xfs_work w = { .kind = XFS_WORK_EXCHANGE, .owner = x->ino1, .more = own, .release = free };

	if (!own)
		return -XFS_E_NOMEM;
	*own = *x;
	return xfs_change_defer(c, &w);
}

static enum xfs_fork fork_of(const struct xfs_exchange *x)
{
	return x->flags & XFS_XMI_ATTR_FORK ? XFS_FORK_ATTR : XFS_FORK_DATA;
}

/* Only mappings change places: a local fork has none. */
static bool has_mappings(const struct xfs_live_inode *li, enum xfs_fork which)
{
	unsigned format = which == XFS_FORK_ATTR ? li->i.d.core.aformat : li->i.d.core.format;

	if (which == XFS_FORK_ATTR && !li->i.d.core.forkoff)
		return false;
	if (xfs_inode_is_realtime(&li->i) && which == XFS_FORK_DATA && !li->live->realtime_later)
		return false;
	return format == XFS_DINODE_FMT_EXTENTS || format == XFS_DINODE_FMT_BTREE;
}

int xfs_exchange_prepare(struct xfs_live_inode *a, struct xfs_live_inode *b, struct xfs_exchange *x)
{
	bool first = xfs_reflink_allowed(a), second = xfs_reflink_allowed(b);

	if (!has_mappings(a, fork_of(x)) || !has_mappings(b, fork_of(x)))
		return -XFS_E_INVALID;
	if (fork_of(x) == XFS_FORK_ATTR || first == second)
		return 0;
	/* shared blocks may come to either now (format sheet 02, section 8, 15) */
	return xfs_reflink_allow(first ? b : a);
}

/* What is mapped from `off` on, as far as it is uniform; *len is cut. */
static int look_at(struct xfs_live_inode *li, enum xfs_fork which, uint64_t off, uint64_t *len, struct xfs_extent *out)
{
	struct xfs_extent e;
	struct xfs_bmap b;
	int err = xfs_bmap_open(&b, li, which);

	if (!err)
		err = xfs_ifork_lookup(&b.f, off, &e);
	if (err && err != -XFS_E_NOENT)
		return err;
	if (err || e.off > off) {
		*len = err ? *len : xfs_min(*len, e.off - off);
		*out = (struct xfs_extent){ off, XFS_NULL64, 0, false };
		return 0;
	}
	*len = xfs_min(*len, e.off + e.len - off);
	*out = (struct xfs_extent){ off, e.block + (off - e.off), (uint32_t)*len, e.unwritten };
	return 0;
}

static int defer_bmap(struct xfs_live_inode *li, enum xfs_fork which, enum xfs_bmap_op op, const struct xfs_extent *e,
		      uint64_t off)
{
	struct xfs_work w = {
		.kind = XFS_WORK_BMAP, .op = op, .attr_fork = which == XFS_FORK_ATTR, .unwritten = e->unwritten,
		.realtime = which == XFS_FORK_DATA && xfs_inode_is_realtime(&li->i), .block = e->block, .len = e->len,
		.owner = li->i.ino.v, .offset = off,
	};

	return e->block == XFS_NULL64 ? 0 : xfs_change_defer(li->change, &w);
}

/* Both mappings go, then both come back in the other file. */
static int defer_pair(struct xfs_live_inode *a, struct xfs_live_inode *b, enum xfs_fork which,
		      const struct xfs_extent *e1, const struct xfs_extent *e2)
{
	int err = defer_bmap(a, which, XFS_BMAP_UNMAP, e1, e1->off);

	if (!err)
		err = defer_bmap(b, which, XFS_BMAP_UNMAP, e2, e2->off);
	if (!err)
		err = defer_bmap(a, which, XFS_BMAP_MAP, e2, e1->off);
	if (!err)
		err = defer_bmap(b, which, XFS_BMAP_MAP, e1, e2->off);
	return err;
}

/* The next pair that has to change places; *found false: none is left. */
static int next_pair(struct xfs_live_inode *a, struct xfs_live_inode *b, struct xfs_exchange *x, struct xfs_extent *e1,
		     struct xfs_extent *e2, bool *found)
{
	*found = false;
	while (x->count && !*found) {
		uint64_t len = x->count;
		int err = look_at(a, fork_of(x), x->off1, &len, e1);

		if (!err)
			err = look_at(b, fork_of(x), x->off2, &len, e2);
		if (err)
			return err;
		if (e1->block != XFS_NULL64)
			e1->len = (uint32_t)len;
		if (e2->block != XFS_NULL64)
			e2->len = (uint32_t)len;
		/* nothing to do for two holes, the same blocks, and what file 1 has not written */
		*found = !(e1->block == e2->block && e1->unwritten == e2->unwritten) &&
			!(x->flags & XFS_XMI_INO1_WRITTEN && (e1->block == XFS_NULL64 || e1->unwritten));
		x->off1 += len;
		x->off2 += len;
		x->count -= len;
	}
	return 0;
}

/* When all mappings have their place. */
static void finish_inodes(struct xfs_live_inode *a, struct xfs_live_inode *b, const struct xfs_exchange *x)
{
	if (x->flags & XFS_XMI_SET_SIZES) {
		a->i.d.core.size = x->size1;
		b->i.d.core.size = x->size2;
	}
	if (x->flags & XFS_XMI_CLEAR_INO1_REFLINK && a->i.d.core.version >= 3)
		a->i.d.v3.flags2 &= ~XFS_DIFLAG2_REFLINK;
	if (x->flags & XFS_XMI_CLEAR_INO2_REFLINK && b->i.d.core.version >= 3)
		b->i.d.v3.flags2 &= ~XFS_DIFLAG2_REFLINK;
	xfs_live_inode_dirty(a, XFS_LIVE_CORE);
	xfs_live_inode_dirty(b, XFS_LIVE_CORE);
}

static int check(const struct xfs_live_inode *a, const struct xfs_live_inode *b, const struct xfs_exchange *x)
{
	uint64_t end;

	if (x->flags & ~KNOWN)
		return -XFS_E_UNSUPPORTED;
	if (a->i.d.core.gen != x->gen1 || b->i.d.core.gen != x->gen2 || !a->i.d.core.mode || !b->i.d.core.mode)
		return -XFS_E_CORRUPT;
	if (xfs_add_overflows(x->off1, x->count, &end) || end > UINT64_C(1) << 54 ||
	    xfs_add_overflows(x->off2, x->count, &end) || end > UINT64_C(1) << 54)
		return -XFS_E_CORRUPT;
	if (fork_of(x) == XFS_FORK_DATA && xfs_inode_is_realtime(&a->i) != xfs_inode_is_realtime(&b->i))
		return -XFS_E_CORRUPT;
	return has_mappings(a, fork_of(x)) && has_mappings(b, fork_of(x)) ? 0 : -XFS_E_CORRUPT;
}

static int step(struct xfs_live_inode *a, struct xfs_live_inode *b, struct xfs_exchange *x)
{
	struct xfs_extent e1, e2;
	bool found;
	int err = check(a, b, x);

	if (!err)
		err = next_pair(a, b, x, &e1, &e2, &found);
	if (!err && found)
		err = xfs_bmap_room(a, fork_of(x), 2);
	if (!err && found)
		err = xfs_bmap_room(b, fork_of(x), 2);
	if (err)
		return err;
	if (found) {
		err = defer_pair(a, b, fork_of(x), &e1, &e2);
		return err ? err : -XFS_E_AGAIN;	/* at least to set the sizes */
	}
	finish_inodes(a, b, x);
	return 0;
}

int xfs_exchange_finish(struct xfs_live *l, struct xfs_change *c, struct xfs_work *w)
{
	struct xfs_exchange *x = w->more;
	struct xfs_live_inode *a = NULL, *b = NULL;
	int err = xfs_live_inode_get(l, x->ino1, &a);

	if (!err)
		err = xfs_live_inode_get(l, x->ino2, &b);
	if (!err)
		err = xfs_live_inode_join(a, c);
	if (!err)
		err = xfs_live_inode_join(b, c);
	if (!err)
		err = step(a, b, x);
	xfs_live_inode_put(a);
	xfs_live_inode_put(b);
	return err;
}
