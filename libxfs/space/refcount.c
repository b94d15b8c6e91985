/* SPDX-License-Identifier: BSD-2-Clause */
/* refcount.c - one owner more, one owner less (format sheet 02, section 5.2). */
#include "libxfs/space/refcount_priv.h"

struct adjust {
	struct xfs_btree *bt;
	struct xfs_refcount_work *w;
	int by;			/* +1 or -1 */
	unsigned steps;
};

static uint64_t end_of(const struct adjust *a)
{
	return (uint64_t)a->w->agbno + a->w->len;
}

static void advance(struct adjust *a, uint32_t len)
{
	a->w->agbno += len;
	a->w->len -= len;
}

static uint32_t adjusted(const struct adjust *a, uint32_t count)
{
	return count == XFS_REFC_MAX ? count : count + (uint32_t)a->by;
}

/* A record that crosses the block becomes two. */
static int split(struct adjust *a, uint32_t at)
{
	xfs_refc r, left, right;
	int err = xfs_refc_find(a->bt, false, XFS_LOOKUP_LE, at, &r);

	if (err || !r.blockcount || r.startblock == at || xfs_refc_end(&r) <= at)
		return err;
	left = right = r;
	left.blockcount = at - r.startblock;
	right.startblock = at;
	right.blockcount = r.blockcount - left.blockcount;
	a->steps++;
	err = xfs_refc_replace(a->bt, &r, &left);
	return err ? err : xfs_refc_add(a->bt, &right);
}

/* What lies at one edge of the range: the neighbour outside, and the piece inside that touches it. */
struct edge {
	xfs_refc out, in;
	bool real;		/* `in` is a record; else the lack of one, which means one owner */
};

static int look_left(struct adjust *a, struct edge *e)
{
	xfs_refc at, next;
	int err = xfs_refc_find_pair(a->bt, false, a->w->agbno - 1, &at, &next);

	*e = (struct edge){ .real = false };
	if (err || !at.blockcount || xfs_refc_end(&at) != a->w->agbno)
		return err;
	e->out = at;
	e->in = (xfs_refc){ .startblock = a->w->agbno, .blockcount = a->w->len, .refcount = 1 };
	if (next.blockcount && next.startblock == a->w->agbno) {
		e->in = next;
		e->real = true;
	} else if (next.blockcount && next.startblock < end_of(a)) {
		e->in.blockcount = next.startblock - a->w->agbno;
	}
	return 0;
}

static int look_right(struct adjust *a, struct edge *e)
{
	uint32_t end = (uint32_t)end_of(a), from = a->w->agbno;
	xfs_refc at, next;
	int err = xfs_refc_find_pair(a->bt, false, end - 1, &at, &next);

	*e = (struct edge){ .real = false };
	if (err || !next.blockcount || next.startblock != end)
		return err;
	e->out = next;
	if (at.blockcount && xfs_refc_end(&at) == end && at.startblock >= from) {
		e->in = at;
		e->real = true;
		return 0;
	}
	if (at.blockcount && xfs_refc_end(&at) > from)
		from = (uint32_t)xfs_refc_end(&at);
	e->in = (xfs_refc){ .startblock = from, .blockcount = end - from, .refcount = 1 };
	return 0;
}

/* The piece inside gets the count of the neighbour outside. */
static bool joins(const struct adjust *a, const struct edge *e)
{
	return e->out.blockcount && e->out.refcount == adjusted(a, e->in.refcount) &&
	       xfs_refc_fits((uint64_t)e->out.blockcount + e->in.blockcount);
}

static int join_both(struct adjust *a, const struct edge *l, const struct edge *r)
{
	xfs_refc joined = l->out;
	int err = xfs_refc_remove(a->bt, &r->out);

	joined.blockcount += l->in.blockcount + r->out.blockcount;
	a->steps++;
	if (!err && l->real)
		err = xfs_refc_remove(a->bt, &l->in);
	if (!err)
		err = xfs_refc_replace(a->bt, &l->out, &joined);
	if (!err)
		advance(a, l->in.blockcount);
	return err;
}

static int join_left(struct adjust *a, const struct edge *l)
{
	xfs_refc joined = l->out;
	int err = 0;

	joined.blockcount += l->in.blockcount;
	a->steps++;
	if (l->real)
		err = xfs_refc_remove(a->bt, &l->in);
	if (!err)
		err = xfs_refc_replace(a->bt, &l->out, &joined);
	if (!err)
		advance(a, l->in.blockcount);
	return err;
}

static int join_right(struct adjust *a, const struct edge *r)
{
	xfs_refc joined = r->out;
	int err = 0;

	joined.startblock -= r->in.blockcount;
	joined.blockcount += r->in.blockcount;
	a->steps++;
	if (r->real)
		err = xfs_refc_remove(a->bt, &r->in);
	if (!err)
		err = xfs_refc_replace(a->bt, &r->out, &joined);
	if (!err)
		a->w->len -= r->in.blockcount;
	return err;
}

/* Joins the pieces at the edges with what lies beside the range, where their counts become equal. */
static int join_edges(struct adjust *a)
{
	struct edge l, r;
	int err = look_left(a, &l);

	if (!err)
		err = look_right(a, &r);
	if (err)
		return err;
	if (l.out.blockcount && r.out.blockcount && l.in.startblock == r.in.startblock &&
	    l.in.blockcount == r.in.blockcount && joins(a, &l) && joins(a, &r) &&
	    xfs_refc_fits((uint64_t)l.out.blockcount + l.in.blockcount + r.out.blockcount))
		return join_both(a, &l, &r);
	if (joins(a, &l)) {
		err = join_left(a, &l);
		if (err || !a->w->len)
			return err;
	}
	return joins(a, &r) ? join_right(a, &r) : 0;
}

/* A record whose count has reached the limit may now equal the one before it. */
static int join_pinned(struct adjust *a, const xfs_refc *r)
{
	xfs_refc before, joined;
	int err = xfs_refc_find(a->bt, false, XFS_LOOKUP_LE, r->startblock - 1, &before);

	if (err || !before.blockcount || xfs_refc_end(&before) != r->startblock || before.refcount != r->refcount ||
	    !xfs_refc_fits((uint64_t)before.blockcount + r->blockcount))
		return err;
	joined = before;
	joined.blockcount += r->blockcount;
	err = xfs_refc_remove(a->bt, r);
	return err ? err : xfs_refc_replace(a->bt, &before, &joined);
}

static int adjust_record(struct adjust *a, const xfs_refc *r)
{
	xfs_refc new = *r;
	int err = 0;

	new.refcount = adjusted(a, r->refcount);
	if (new.refcount == 1)
		err = xfs_refc_remove(a->bt, r);
	else if (new.refcount != r->refcount)
		err = xfs_refc_replace(a->bt, r, &new);
	if (!err && new.refcount == XFS_REFC_MAX)
		err = join_pinned(a, &new);
	return err;
}

/* Blocks with one owner. */
static int adjust_gap(struct adjust *a, uint32_t len)
{
	xfs_refc new = { .startblock = a->w->agbno, .blockcount = len, .refcount = 2 };

	if (a->by > 0)
		return xfs_refc_add(a->bt, &new);
	return a->w->unused ? a->w->unused(a->w->payload, a->w->agbno, len) : 0;
}

static int adjust_middle(struct adjust *a)
{
	int err = 0;

	while (a->w->len && !err && (!a->w->budget || a->steps < a->w->budget)) {
		uint32_t len = a->w->len;
		xfs_refc r;

		err = xfs_refc_find(a->bt, false, XFS_LOOKUP_GE, a->w->agbno, &r);
		if (err)
			break;
		a->steps++;
		if (r.blockcount && r.startblock == a->w->agbno) {
			if (r.blockcount > len)		/* the range was split at its end */
				return -XFS_E_CORRUPT;
			len = r.blockcount;
			err = adjust_record(a, &r);
		} else {
			if (r.blockcount && r.startblock < end_of(a))
				len = r.startblock - a->w->agbno;
			err = adjust_gap(a, len);
		}
		if (!err)
			advance(a, len);
	}
	return err;
}

static int adjust(struct xfs_btree *bt, struct xfs_refcount_work *w, int by)
{
	struct adjust a = { .bt = bt, .w = w, .by = by };
	int err = 0;

	if (!w->agbno || w->agbno >= XFS_REFC_COW || w->len > XFS_REFC_COW - w->agbno)
		return -XFS_E_INVALID;
	if (!w->len)
		return 0;
	err = split(&a, w->agbno);
	if (!err)
		err = split(&a, (uint32_t)end_of(&a));
	if (!err)
		err = join_edges(&a);
	return err ? err : adjust_middle(&a);
}

int xfs_refcount_increase(struct xfs_btree *bt, struct xfs_refcount_work *w)
{
	return adjust(bt, w, 1);
}

int xfs_refcount_decrease(struct xfs_btree *bt, struct xfs_refcount_work *w)
{
	return adjust(bt, w, -1);
}
