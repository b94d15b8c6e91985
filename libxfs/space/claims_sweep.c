/* SPDX-License-Identifier: BSD-2-Clause */
/* claims_sweep.c - what one pass over the claims in block order tells: gaps, conflicts; shared runs by sweep.c. */
#include "libxfs/space/claims_private.h"
#include "libxfs/space/sweep.h"

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

int xfs_claims_each_shared(struct xfs_claims *c, xfs_agno_t agno, int (*found)(void *, uint32_t, uint32_t, uint32_t),
			   void *payload)
{
	struct xfs_sweep s = { .found = found, .payload = payload };
	int err = xfs_claims_each(c, agno, xfs_sweep_claim, &s);

	return xfs_sweep_finish(&s, err);
}

/* ---- conflicts ---- */

struct conflicts {
	bool may_share;
	/* the one before; of all, of unshareable ones, the one that reaches furthest */
	struct xfs_claim last, any, alone;
	bool have_last, have_alone;
	bool any_asked, any_shares;	/* whether `any` may be shared */
	bool (*ask)(void *, const struct xfs_claim *);
	int (*found)(void *, const struct xfs_claim *, const struct xfs_claim *);
	void *payload;
};

/* Of the claim that reaches furthest, asked once. */
static bool any_shares(struct conflicts *k)
{
	if (!k->any_asked)
		k->any_shares = k->ask(k->payload, &k->any);
	k->any_asked = true;
	return k->any_shares;
}

static int conflict_claim(void *payload, const struct xfs_claim *r)
{
	struct conflicts *k = payload;
	bool share = k->may_share && xfs_claim_shareable(r), over = k->have_last && claims_end(&k->any) > r->agbno;
	int err = 0;

	if (over && share && k->ask)
		share = k->ask(k->payload, r);

	if (over && (!share || (k->ask && !any_shares(k))))
		err = k->found(k->payload, &k->any, r);
	else if (k->have_alone && claims_end(&k->alone) > r->agbno)
		err = k->found(k->payload, &k->alone, r);
	else if (k->have_last && !claims_key_cmp(&k->last, r))
		err = k->found(k->payload, &k->last, r);
	if (!k->have_last || claims_end(r) > claims_end(&k->any)) {
		k->any = *r;
		k->any_asked = over || !share;
		k->any_shares = share;
	}
	if (!share && (!k->have_alone || claims_end(r) > claims_end(&k->alone))) {
		k->alone = *r;
		k->have_alone = true;
	}
	k->last = *r;
	k->have_last = true;
	return err;
}

int xfs_claims_each_conflict(struct xfs_claims *c, xfs_agno_t agno,
			     int (*found)(void *, const struct xfs_claim *, const struct xfs_claim *),
			     bool (*may_share)(void *, const struct xfs_claim *), void *payload)
{
	struct conflicts k = { .may_share = c->geo->reflink, .found = found, .ask = may_share, .payload = payload };

	return xfs_claims_each(c, agno, conflict_claim, &k);
}
