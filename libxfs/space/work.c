/* SPDX-License-Identifier: BSD-2-Clause */
/* work.c - queues deferred work, and does what concerns one AG alone. */
#include "libxfs/space/work.h"

#include "libxfs/space/agspace.h"
#include "libxfs/space/refcount.h"

#define REFC_BUDGET 16u		/* records that one step changes at most: what its log reservation allows for */

int xfs_change_defer(struct xfs_change *c, const struct xfs_work *w)
{
	int err = c->works ? c->works->add(c->works, w) : -XFS_E_INVALID;

	if (!c->works && w->release)
		w->release(w->more);
	c->writes++;
	return err;
}

/* ---- reverse mappings ---- */

static int finish_rmap(struct xfs_agspace *ag, const struct xfs_work *w, uint32_t agbno)
{
	struct xfs_claim c = { agbno, (uint32_t)w->len, w->owner, w->offset & ~XFS_RMAP_UNWRITTEN };
	bool special = w->op == XFS_RMAP_ALLOC || w->op == XFS_RMAP_FREE;

	if (w->attr_fork)
		c.offset |= XFS_RMAP_ATTR;
	/* a conversion is told the state before */
	if (w->unwritten != (w->op == XFS_RMAP_CONVERT))
		c.offset |= XFS_RMAP_UNWRITTEN;
	switch (w->op) {
	case XFS_RMAP_MAP:
	case XFS_RMAP_ALLOC:
		return xfs_agspace_rmap_map(ag, &c, w->shared && !special);
	case XFS_RMAP_UNMAP:
	case XFS_RMAP_FREE:
		return xfs_agspace_rmap_unmap(ag, &c, w->shared && !special);
	case XFS_RMAP_CONVERT:
		return xfs_agspace_rmap_convert(ag, &c, w->shared);
	default:
		return -XFS_E_INVALID;
	}
}

/* ---- reference counts ---- */

struct unused { struct xfs_agspace *ag; };

static int defer_free(void *payload, uint32_t agbno, uint32_t len)
{
	struct unused *u = payload;
	struct xfs_work w = {
		.kind = XFS_WORK_FREE, .len = len, .owner = XFS_OWN_NULL,
		.block = xfs_fsbno_of(&u->ag->fs->geo, u->ag->agno, XFS_AGBNO(agbno)).v,
	};

	return xfs_change_defer(u->ag->m.change, &w);
}

static int adjust(struct xfs_agspace *ag, struct xfs_work *w, uint32_t agbno)
{
	struct unused u = { ag };
	struct xfs_refcount_work r = {
		.agbno = agbno, .len = (uint32_t)w->len, .budget = REFC_BUDGET, .unused = defer_free, .payload = &u,
	};
	struct xfs_btree *bt = &ag->tree[XFS_AGT_REFC];
	int err = w->op == XFS_REFC_INCREASE ? xfs_refcount_increase(bt, &r) : xfs_refcount_decrease(bt, &r);

	if (err || !r.len)
		return err;
	w->block += r.agbno - agbno;
	w->len = r.len;
	return -XFS_E_AGAIN;
}

static int finish_refc(struct xfs_agspace *ag, struct xfs_work *w, uint32_t agbno)
{
	struct xfs_btree *bt = &ag->tree[XFS_AGT_REFC];
	uint64_t writes;
	int err;

	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_UNSUPPORTED;
	err = xfs_agspace_fix_agfl(ag, true);
	if (err)
		return err;
	writes = ag->m.change->writes;
	switch (w->op) {
	case XFS_REFC_INCREASE:
	case XFS_REFC_DECREASE:
		err = adjust(ag, w, agbno);
		break;
	case XFS_REFC_ALLOC_COW:
		err = xfs_refcount_cow_alloc(bt, agbno, (uint32_t)w->len);
		break;
	case XFS_REFC_FREE_COW:
		err = xfs_refcount_cow_free(bt, agbno, (uint32_t)w->len);
		break;
	default:
		return -XFS_E_INVALID;
	}
	return err == -XFS_E_AGAIN ? err : xfs_change_check(ag->m.change, writes, err);
}

int xfs_agspace_finish(struct xfs_agspace *ag, struct xfs_work *w)
{
	const struct xfs_geometry *g = &ag->fs->geo;
	uint32_t agbno;

	if (w->realtime)
		return -XFS_E_UNSUPPORTED;
	if (!w->len || !xfs_fsbno_range_valid(g, w->block, w->len) ||
	    xfs_fsbno_agno(g, XFS_FSBNO(w->block)).v != ag->agno.v)
		return -XFS_E_RANGE;
	agbno = xfs_fsbno_agbno(g, XFS_FSBNO(w->block)).v;
	switch (w->kind) {
	case XFS_WORK_RMAP:
		return finish_rmap(ag, w, agbno);
	case XFS_WORK_REFC:
		return finish_refc(ag, w, agbno);
	case XFS_WORK_FREE:
		return xfs_agspace_free(ag, agbno, (uint32_t)w->len, w->owner, w->offset);
	default:
		return -XFS_E_INVALID;
	}
}
