/* SPDX-License-Identifier: BSD-2-Clause */
/* rmap_query.c - questions to the reverse mappings (format sheet 02, sections 3.7 and 4.11). */
#include "libxfs/space/rmap_priv.h"

struct asked {
	const struct xfs_btree *bt;
	int (*found)(void *payload, const struct xfs_claim *);
	void *payload;
};

static int pass_on(void *payload, const void *rec)
{
	struct asked *a = payload;
	struct xfs_claim c;
	int err = xfs_rmap_decode(a->bt, rec, &c);

	return err ? err : a->found(a->payload, &c);
}

int xfs_rmap_each(struct xfs_btree *bt, uint32_t agbno, uint32_t len,
		  int (*found)(void *payload, const struct xfs_claim *), void *payload)
{
	struct asked a = { bt, found, payload };
	struct xfs_btree_key lo = { { agbno, 0, 0 } }, hi = { { (uint64_t)agbno + len - 1, UINT64_MAX, UINT64_MAX } };

	if (!len)
		return -XFS_E_INVALID;
	return xfs_btree_query_range(bt, &lo, &hi, pass_on, &a, NULL, NULL, NULL);
}

struct coverage {
	uint64_t next;		/* first block that no record has covered yet */
	bool any, gap;
};

static int cover(void *payload, const struct xfs_claim *c)
{
	struct coverage *v = payload;

	v->any = true;
	if (c->agbno > v->next) {
		v->gap = true;
		return -XFS_E_STOP;
	}
	if (xfs_claim_end(c) > v->next)
		v->next = xfs_claim_end(c);
	return 0;
}

int xfs_rmap_has_records(struct xfs_btree *bt, uint32_t agbno, uint32_t len, enum xfs_rmap_coverage *out)
{
	struct coverage v = { .next = agbno };
	int err = xfs_rmap_each(bt, agbno, len, cover, &v);

	if (err && err != -XFS_E_STOP)
		return err;
	if (!v.any)
		*out = XFS_RMAP_EMPTY;
	else
		*out = v.gap || v.next < (uint64_t)agbno + len ? XFS_RMAP_SPARSE : XFS_RMAP_FULL;
	return 0;
}

struct owners {
	const struct xfs_claim *want;
	struct xfs_rmap_owners n;
	bool reflink, stop;		/* stop: at the first other */
};

static int count_owner(void *payload, const struct xfs_claim *c)
{
	struct owners *o = payload;
	const struct xfs_claim *w = o->want;
	uint32_t from = c->agbno > w->agbno ? c->agbno : w->agbno;
	uint64_t to = xfs_claim_end(c) < xfs_claim_end(w) ? xfs_claim_end(c) : xfs_claim_end(w);
	struct xfs_claim cut = xfs_rmap_part(c, from - c->agbno, (uint32_t)(to - from));
	bool a, b;

	if (cut.agbno == w->agbno && cut.len == w->len && cut.owner == w->owner &&
	    !((cut.offset ^ w->offset) & ~XFS_RMAP_UNWRITTEN)) {
		o->n.matches++;
		return 0;
	}
	o->n.others++;
	/* the state does not matter here either */
	a = o->reflink && !xfs_owner_is_special(w->owner) && !(w->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT));
	b = o->reflink && !xfs_owner_is_special(c->owner) && !(c->offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT));
	o->n.bad += a != b;
	return o->stop ? -XFS_E_STOP : 0;
}

int xfs_rmap_count_owners(struct xfs_btree *bt, const struct xfs_claim *want, bool reflink,
			  struct xfs_rmap_owners *out)
{
	struct owners o = { .want = want, .reflink = reflink };
	int err = xfs_rmap_each(bt, want->agbno, want->len, count_owner, &o);

	if (!o.n.matches)
		o.n.bad = 0;
	*out = o.n;
	return err;
}

int xfs_rmap_has_others(struct xfs_btree *bt, const struct xfs_claim *want, bool *out)
{
	struct owners o = { .want = want, .stop = true };
	int err = xfs_rmap_each(bt, want->agbno, want->len, count_owner, &o);

	*out = o.n.others > 0;
	return err == -XFS_E_STOP ? 0 : err;
}
