/* SPDX-License-Identifier: BSD-2-Clause */
/* claims_sweep.c - what one pass over the claims in block order tells: gaps, shared runs, conflicts. */
#include "libxfs/space/claims_private.h"

#include <stdlib.h>

int xfs_claims_each(struct xfs_claims *c, xfs_agno_t agno, int (*found)(void *, const struct xfs_claim *),
		    void *payload)
{
	struct xfs_claims_reader r;
	struct xfs_claim claim;
	struct claims_ag *ag;
	int err = claims_get(&ag, c, agno);

	if (err)
		return err;
	err = claims_reader_start(&r, c, ag);
	while (!err) {
		err = xfs_claims_reader_next(&r, &claim);
		if (err == -XFS_E_NOENT) {
			err = 0;
			break;
		}
		if (!err)
			err = found(payload, &claim);
	}
	claims_reader_stop(&r);
	return err;
}

struct gaps {
	uint32_t end;
	int (*found)(void *, uint32_t, uint32_t);
	void *payload;
};

static int gap_before(void *payload, const struct xfs_claim *r)
{
	struct gaps *g = payload;
	uint32_t end = g->end;

	if (claims_end(r) > g->end)
		g->end = claims_end(r);
	return r->agbno > end ? g->found(g->payload, end, r->agbno - end) : 0;
}

int xfs_claims_each_free(struct xfs_claims *c, xfs_agno_t agno, int (*found)(void *, uint32_t, uint32_t),
			 void *payload)
{
	struct gaps g = { 0, found, payload };
	int err = xfs_claims_each(c, agno, gap_before, &g);
	uint32_t length = err ? 0 : c->ags[agno.v].length;

	return err || g.end >= length ? err : found(payload, g.end, length - g.end);
}

/* ---- shared runs: a heap of the ends of the open claims ---- */

struct shared {
	uint32_t *ends;		/* least on top */
	size_t n, cap;
	uint32_t at;		/* blocks below are done */
	uint32_t start, refs;	/* run not yet reported, from start to at; refs 0: none */
	int (*found)(void *, uint32_t, uint32_t, uint32_t);
	void *payload;
};

static int ends_push(struct shared *s, uint32_t end)
{
	size_t i = s->n;

	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		uint32_t *v = cap <= SIZE_MAX / sizeof(*v) ? realloc(s->ends, cap * sizeof(*v)) : NULL;

		if (!v)
			return -XFS_E_NOMEM;
		s->ends = v;
		s->cap = cap;
	}
	for (s->n++; i && s->ends[(i - 1) / 2] > end; i = (i - 1) / 2)
		s->ends[i] = s->ends[(i - 1) / 2];
	s->ends[i] = end;
	return 0;
}

static void ends_pop(struct shared *s)
{
	uint32_t end = s->ends[--s->n];
	size_t i = 0;

	for (size_t kid; (kid = 2 * i + 1) < s->n; i = kid) {
		if (kid + 1 < s->n && s->ends[kid + 1] < s->ends[kid])
			kid++;
		if (s->ends[kid] >= end)
			break;
		s->ends[i] = s->ends[kid];
	}
	s->ends[i] = end;
}

static int shared_flush(struct shared *s)
{
	int err = s->refs > 1 ? s->found(s->payload, s->start, s->at - s->start, s->refs) : 0;

	s->refs = 0;
	return err;
}

/* Blocks up to `to` are covered by the open claims. */
static int shared_advance(struct shared *s, uint32_t to)
{
	uint32_t refs = s->n < UINT32_MAX ? (uint32_t)s->n : UINT32_MAX;
	int err = 0;

	if (to == s->at)
		return 0;
	if (refs != s->refs) {
		err = shared_flush(s);
		s->start = s->at;
		s->refs = refs;
	}
	s->at = to;
	return err;
}

/* Closes the claims that end up to `to`. */
static int shared_close(struct shared *s, uint32_t to)
{
	int err = 0;

	while (!err && s->n && s->ends[0] <= to) {
		err = shared_advance(s, s->ends[0]);
		ends_pop(s);
	}
	return err;
}

static int shared_claim(void *payload, const struct xfs_claim *r)
{
	struct shared *s = payload;
	int err;

	if (!xfs_claim_shareable(r))
		return 0;
	err = shared_close(s, r->agbno);
	if (!err)
		err = shared_advance(s, r->agbno);
	return err ? err : ends_push(s, claims_end(r));
}

int xfs_claims_each_shared(struct xfs_claims *c, xfs_agno_t agno, int (*found)(void *, uint32_t, uint32_t, uint32_t),
			   void *payload)
{
	struct shared s = { .found = found, .payload = payload };
	int err = xfs_claims_each(c, agno, shared_claim, &s);

	if (!err)
		err = shared_close(&s, UINT32_MAX);
	if (!err)
		err = shared_flush(&s);
	free(s.ends);
	return err;
}

/* ---- conflicts ---- */

struct conflicts {
	bool may_share;
	struct xfs_claim last, any, alone;	/* the one before; of all, of unshareable ones, the one that reaches furthest */
	bool have_last, have_alone;
	int (*found)(void *, const struct xfs_claim *, const struct xfs_claim *);
	void *payload;
};

static int conflict_claim(void *payload, const struct xfs_claim *r)
{
	struct conflicts *k = payload;
	bool share = k->may_share && xfs_claim_shareable(r);
	int err = 0;

	if (k->have_last && !share && claims_end(&k->any) > r->agbno)
		err = k->found(k->payload, &k->any, r);
	else if (k->have_alone && claims_end(&k->alone) > r->agbno)
		err = k->found(k->payload, &k->alone, r);
	else if (k->have_last && !claims_key_cmp(&k->last, r))
		err = k->found(k->payload, &k->last, r);
	if (!k->have_last || claims_end(r) > claims_end(&k->any))
		k->any = *r;
	if (!share && (!k->have_alone || claims_end(r) > claims_end(&k->alone))) {
		k->alone = *r;
		k->have_alone = true;
	}
	k->last = *r;
	k->have_last = true;
	return err;
}

int xfs_claims_each_conflict(struct xfs_claims *c, xfs_agno_t agno,
			     int (*found)(void *, const struct xfs_claim *, const struct xfs_claim *), void *payload)
{
	struct conflicts k = { .may_share = c->geo->reflink, .found = found, .payload = payload };

	return xfs_claims_each(c, agno, conflict_claim, &k);
}
