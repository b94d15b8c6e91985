/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * defer.c - the queue of deferred works and who does them (format sheet 02, sections 6.1 to 6.3).
 */
#include "libxfs/transaction/private.h"

#include "libxfs/inode/remap.h"
#include "libxfs/name/attrchange.h"

#include <stdlib.h>

/* ---- who does them ---- */

static int finish_in_ag(struct xfs_live *l, struct xfs_change *c, struct xfs_work *w)
{
	struct xfs_agspace *ag;
	int err;

	if (w->realtime) {
		l->realtime_left += l->realtime_later;
		return l->realtime_later ? 0 : -XFS_E_UNSUPPORTED;
	}
	if (!xfs_fsbno_range_valid(&l->fs->geo, w->block, w->len))
		return -XFS_E_RANGE;
	err = xfs_live_ag(l, c, xfs_fsbno_agno(&l->fs->geo, XFS_FSBNO(w->block)), &ag);
	return err ? err : xfs_agspace_finish(ag, w);
}

static const struct {
	unsigned most;			/* works of one intent */
	int (*finish)(struct xfs_live *, struct xfs_change *, struct xfs_work *);
} kinds[XFS_WORK_KINDS] = {
	[XFS_WORK_BMAP] = { 1, xfs_bmap_finish },
	[XFS_WORK_RMAP] = { 16, finish_in_ag },
	[XFS_WORK_REFC] = { 16, finish_in_ag },
	[XFS_WORK_FREE] = { 16, finish_in_ag },
	[XFS_WORK_ATTR] = { 1, xfs_attr_finish },
	[XFS_WORK_EXCHANGE] = { 1, xfs_exchange_finish },
};

int xfs_work_finish(struct xfs_live *l, struct xfs_change *c, struct xfs_work *w)
{
	if ((unsigned)w->kind >= XFS_WORK_KINDS || !kinds[w->kind].finish)
		return -XFS_E_UNSUPPORTED;
	return kinds[w->kind].finish(l, c, w);
}

static void work_release(struct xfs_work *w)
{
	if (w->release)
		w->release(w->more);
	w->release = NULL;
	w->more = NULL;
}

/* ---- lists ---- */

void xfs_pending_init(struct xfs_pending_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static struct xfs_pending *take_first(struct xfs_pending_list *l)
{
	struct xfs_pending *p = l->first;

	l->first = p->next;
	if (!l->first)
		l->last = &l->first;
	p->next = NULL;
	return p;
}

static void append(struct xfs_pending_list *l, struct xfs_pending *p)
{
	p->next = NULL;
	*l->last = p;
	l->last = &p->next;
}

static void drop(struct xfs_edit *e, struct xfs_pending_list *l)
{
	while (l->first)
		xfs_pending_free(e, take_first(l));
}

void xfs_pending_free(struct xfs_edit *e, struct xfs_pending *p)
{
	for (unsigned i = 0; i < p->n; i++)
		work_release(&p->works[i]);
	p->next = e->spare_pendings;
	e->spare_pendings = p;
}

static struct xfs_pending *pending_new(struct xfs_edit *e, enum xfs_work_kind kind)
{
	struct xfs_pending *p = e->spare_pendings;

	if (p)
		e->spare_pendings = p->next;
	else
		p = malloc(sizeof(*p));
	if (!p)
		return NULL;
	p->kind = kind;
	p->n = 0;
	p->id = 0;
	p->in_log = false;
	return p;
}

void xfs_trans_drop_works(struct xfs_trans *t)
{
	drop(t->edit, &t->fresh);
	drop(t->edit, &t->pending);
}

/* ---- the queue ---- */

/* Joins the last one only when that is of its kind: works of other kinds in between keep their place. */
int xfs_trans_queue(struct xfs_work_sink *sink, const struct xfs_work *w)
{
	struct xfs_trans *t = (void *)((char *)sink - offsetof(struct xfs_trans, works));
	struct xfs_pending_list *l = &t->fresh;
	struct xfs_pending *p;
	struct xfs_work own = *w;

	if ((unsigned)w->kind >= XFS_WORK_KINDS || !kinds[w->kind].finish) {
		work_release(&own);
		return -XFS_E_UNSUPPORTED;
	}
	p = l->first ? (void *)((char *)l->last - offsetof(struct xfs_pending, next)) : NULL;
	if (!p || p->kind != w->kind || p->n == kinds[w->kind].most) {
		p = pending_new(t->edit, w->kind);
		if (!p) {
			work_release(&own);
			return -XFS_E_NOMEM;
		}
		append(l, p);
	}
	p->works[p->n++] = own;
	return 0;
}

static bool in_one_ag(const struct xfs_work *w)
{
	return w->kind == XFS_WORK_RMAP || w->kind == XFS_WORK_REFC || w->kind == XFS_WORK_FREE;
}

/* By AG, in the order of queueing within each. */
static void sort_works(const struct xfs_geometry *g, struct xfs_pending *p)
{
	for (unsigned i = 1; i < p->n; i++) {
		struct xfs_work w = p->works[i];
		uint64_t agno = w.block >> g->agblklog;
		unsigned k = i;

		for (; k && in_one_ag(&w) && p->works[k - 1].block >> g->agblklog > agno; k--)
			p->works[k] = p->works[k - 1];
		p->works[k] = w;
	}
}

void xfs_trans_announce(struct xfs_trans *t)
{
	if (!t->fresh.first)
		return;
	for (struct xfs_pending *p = t->fresh.first; p; p = p->next) {
		sort_works(&t->edit->fs->geo, p);
		p->id = t->edit->next_id++;
	}
	*t->fresh.last = t->pending.first;
	if (!t->pending.first)
		t->pending.last = t->fresh.last;
	t->pending.first = t->fresh.first;
	xfs_pending_init(&t->fresh);
}

int xfs_trans_step(struct xfs_trans *t, struct xfs_pending **done)
{
	struct xfs_pending *p = t->pending.first;
	int err;

	*done = NULL;
	for (unsigned i = 0; i < p->n; i++) {
		err = xfs_work_finish(t->edit->live, &t->change, &p->works[i]);
		if (err == -XFS_E_AGAIN) {	/* with what is left of this one and the others it stays where it is */
			for (unsigned k = 0; k < i; k++)
				work_release(&p->works[k]);
			p->n -= i;
			memmove(p->works, p->works + i, p->n * sizeof(p->works[0]));
			return 0;
		}
		if (err)
			return err;
	}
	*done = take_first(&t->pending);
	return 0;
}
