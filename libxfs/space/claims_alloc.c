/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims_alloc.c - first-fit allocation from what nobody claims and nobody wants to keep untouched.
 *
 * The map is an array of ranges, made when the first allocation asks for it.  A range that is used up stays as a range
 * of length 0 until there are many; hints spare the walk over them, and over ranges too short, when the same place is
 * asked again and again, for one length or for several in turn.
 */
#include "libxfs/space/claims_private.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

int claims_ranges_push(struct claims_ranges *a, uint32_t agbno, uint32_t len)
{
	if (xfs_grow(&a->v, a->n, &a->cap, 32))
		return -XFS_E_NOMEM;
	a->v[a->n++] = (struct claims_range){ agbno, len };
	return 0;
}

static uint32_t range_end(const struct claims_range *r)
{
	return r->agbno + r->len;
}

int xfs_claims_avoid(struct xfs_claims *c, xfs_agno_t agno, uint32_t agbno, uint32_t len)
{
	struct claims_ag *ag;

	if (agno.v >= c->agcount)
		return -XFS_E_RANGE;
	ag = &c->ags[agno.v];
	if (!len || agbno >= ag->length || len > ag->length - agbno)
		return -XFS_E_RANGE;
	ag->map_valid = ag->avoid_sorted = false;
	return claims_ranges_push(&ag->avoid, agbno, len);
}

void xfs_claims_unavoid(struct xfs_claims *c, xfs_agno_t agno)
{
	if (agno.v >= c->agcount)
		return;
	free(c->ags[agno.v].avoid.v);
	c->ags[agno.v].avoid = (struct claims_ranges){ 0 };
	c->ags[agno.v].map_valid = false;
}

static int range_cmp(const void *a, const void *b)
{
	const struct claims_range *x = a, *y = b;

	return x->agbno == y->agbno ? 0 : x->agbno < y->agbno ? -1 : 1;
}

void claims_sort_avoid(struct claims_ag *ag)
{
	struct claims_range *v = ag->avoid.v;
	size_t out = 0;

	if (ag->avoid_sorted || !ag->avoid.n)
		return;
	qsort(v, ag->avoid.n, sizeof(*v), range_cmp);
	for (size_t i = 1; i < ag->avoid.n; i++) {
		if (v[i].agbno > range_end(&v[out]))
			v[++out] = v[i];
		else if (range_end(&v[i]) > range_end(&v[out]))
			v[out].len = range_end(&v[i]) - v[out].agbno;
	}
	ag->avoid.n = out + 1;
	ag->avoid_sorted = true;
}

int xfs_claims_each_avoided(struct xfs_claims *c, xfs_agno_t agno, int (*found)(void *, uint32_t, uint32_t),
			    void *payload)
{
	struct claims_ag *ag;
	int err = 0;

	if (agno.v >= c->agcount)
		return -XFS_E_RANGE;
	ag = &c->ags[agno.v];
	claims_sort_avoid(ag);
	for (size_t i = 0; !err && i < ag->avoid.n; i++)
		err = found(payload, ag->avoid.v[i].agbno, ag->avoid.v[i].len);
	return err;
}

struct mapping {
	struct claims_ag *ag;
	uint32_t floor;		/* first block that may be handed out */
	size_t avoid;		/* first avoided range that may meet what comes */
};

static int map_gap(void *payload, uint32_t agbno, uint32_t len)
{
	struct mapping *m = payload;
	const struct claims_ranges *avoid = &m->ag->avoid;
	uint32_t end = agbno + len;
	int err = 0;

	if (agbno < m->floor)
		agbno = m->floor < end ? m->floor : end;
	while (m->avoid < avoid->n && range_end(&avoid->v[m->avoid]) <= agbno)
		m->avoid++;
	for (size_t i = m->avoid; !err && i < avoid->n && avoid->v[i].agbno < end; i++) {
		if (avoid->v[i].agbno > agbno)
			err = claims_ranges_push(&m->ag->map, agbno, avoid->v[i].agbno - agbno);
		agbno = range_end(&avoid->v[i]) < end ? range_end(&avoid->v[i]) : end;
	}
	return err || agbno == end ? err : claims_ranges_push(&m->ag->map, agbno, end - agbno);
}

static int map_make(struct xfs_claims *c, struct claims_ag *ag, xfs_agno_t agno)
{
	struct mapping m = { ag, c->geo->agfl_block + 1, 0 };
	int err;

	claims_sort_avoid(ag);
	ag->map.n = ag->map_used_up = 0;
	memset(ag->hints, 0, sizeof(ag->hints));
	err = xfs_claims_each_free(c, agno, map_gap, &m);
	ag->map_valid = !err;
	return err;
}

static void map_compact(struct claims_ag *ag)
{
	size_t n = 0;

	if (ag->map_used_up < 1024 || ag->map_used_up < ag->map.n / 2)
		return;
	for (size_t i = 0; i < ag->map.n; i++)
		if (ag->map.v[i].len)
			ag->map.v[n++] = ag->map.v[i];
	ag->map.n = n;
	ag->map_used_up = 0;
	memset(ag->hints, 0, sizeof(ag->hints));
}

/* Index of the first range that ends behind `near`. */
static size_t map_find(const struct claims_ranges *map, uint32_t near)
{
	return xfs_search(map->n, i, range_end(&map->v[i]) <= near);
}

/* Takes [start, start + len) out of range i, in which it lies. */
static int map_take(struct claims_ag *ag, size_t i, uint32_t start, uint32_t len)
{
	struct claims_range *r = &ag->map.v[i];
	uint32_t end = range_end(r);

	if (start > r->agbno && start + len < end) {
		int err = claims_ranges_push(&ag->map, 0, 0);

		if (err)
			return err;
		r = &ag->map.v[i];
		memmove(r + 2, r + 1, (ag->map.n - i - 2) * sizeof(*r));
		r[1] = (struct claims_range){ start + len, end - start - len };
		r->len = start - r->agbno;
		memset(ag->hints, 0, sizeof(ag->hints));
		return 0;
	}
	if (start == r->agbno)
		r->agbno += len;
	r->len -= len;
	if (!r->len)
		ag->map_used_up++;
	return 0;
}

static bool range_fits(const struct claims_range *r, uint32_t near, uint32_t len, uint32_t *start)
{
	*start = r->agbno > near ? r->agbno : near;
	return range_end(r) > *start && range_end(r) - *start >= len;
}

/* Where a walk for this begins: what fits no shorter run need not be looked at. */
static size_t hinted(const struct claims_ag *ag, uint32_t near, uint32_t len, size_t first)
{
	for (size_t k = 0; k < XFS_ARRAY_SIZE(ag->hints); k++)
		if (ag->hints[k].len && ag->hints[k].near == near && ag->hints[k].len <= len &&
		    ag->hints[k].idx > first)
			first = ag->hints[k].idx;
	return first;
}

static bool map_search(struct claims_ag *ag, uint32_t near, uint32_t len, size_t *idx, uint32_t *start)
{
	size_t first = map_find(&ag->map, near), i;
	unsigned class = 31 - (unsigned)__builtin_clz(len);

	for (i = hinted(ag, near, len, first); i < ag->map.n; i++)
		if (range_fits(&ag->map.v[i], near, len, start))
			break;
	ag->hints[class].near = near;
	ag->hints[class].len = len;
	ag->hints[class].idx = *idx = i;
	if (i < ag->map.n)
		return true;
	for (i = 0; i < ag->map.n && i <= first; i++)
		if (range_fits(&ag->map.v[i], 0, len, start)) {
			*idx = i;
			return true;
		}
	return false;
}

/* Joined with what was added last where that is the same run of the same owner. */
static int record(struct xfs_claims *c, struct claims_ag *ag, const struct xfs_claim *r)
{
	struct xfs_claim *last = ag->added.n ? &ag->added.v[ag->added.n - 1] : NULL;

	if (!last || !claims_mergeable(last, r))
		return claims_array_push(c, &ag->added, r);
	last->len += r->len;
	return 0;
}

int xfs_claims_alloc(struct xfs_claims *c, xfs_agno_t agno, uint32_t near, uint32_t len, uint64_t owner,
		     uint64_t offset, uint32_t *agbno)
{
	struct xfs_claim claim = { 0, len, owner, offset };
	struct claims_ag *ag;
	size_t idx;
	int err = 0;

	if (agno.v >= c->agcount || !len)
		return -XFS_E_RANGE;
	ag = &c->ags[agno.v];
	if (!ag->sealed || !claims_legal(&claim))
		return -XFS_E_INVALID;
	if (!ag->map_valid)
		err = map_make(c, ag, agno);
	if (err)
		return err;
	map_compact(ag);
	if (!map_search(ag, near, len, &idx, &claim.agbno))
		return -XFS_E_NOSPC;
	err = record(c, ag, &claim);
	if (!err)
		err = map_take(ag, idx, claim.agbno, len);
	if (err) {
		ag->map_valid = false;	/* the claim may be there: the map is made anew from what is */
		return err;
	}
	*agbno = claim.agbno;
	return 0;
}
