/* SPDX-License-Identifier: BSD-2-Clause */
/* claimlist.c - what tests of claims share: a random claim, and all claims of an AG as an array. */
#include "tests/unit/claimlist.h"

#include <stdlib.h>

static int collect(void *payload, const struct xfs_claim *c)
{
	struct claimlist *l = payload;

	qk_assert_uint_lt(l->n, CLAIMLIST_MOST);
	l->v[l->n++] = *c;
	return 0;
}

struct claimlist *claimlist_read(struct xfs_claims *c)
{
	struct claimlist *l = calloc(1, sizeof(*l));
	struct xfs_claims_reader *r;
	struct xfs_claim claim;
	uint64_t count;
	int err;

	qk_assert_int_eq(xfs_claims_each(c, CLAIMLIST_AG, collect, l), 0);
	qk_assert_int_eq(xfs_claims_count(c, CLAIMLIST_AG, &count), 0);
	qk_assert_uint_eq(count, l->n);
	qk_assert_int_eq(xfs_claims_reader_open(&r, c, CLAIMLIST_AG), 0);
	for (size_t i = 0; !(err = xfs_claims_reader_next(r, &claim)); i++)
		qk_assert_mem_eq(&claim, &l->v[i], sizeof(claim));
	qk_assert_int_eq(err, -XFS_E_NOENT);
	xfs_claims_reader_close(r);
	return l;
}

struct xfs_claim claimlist_random(struct testrand *r, uint32_t length)
{
	static const uint64_t owners[] = { XFS_OWN_AG, XFS_OWN_INOBT, XFS_OWN_INODES, 131, 132, 133, 134, 4711 };
	struct xfs_claim c = { .len = 1 + testrand_below(r, 12), .owner = owners[testrand_below(r, 8)] };

	c.agbno = testrand_below(r, length - c.len + 1);
	if (xfs_owner_is_special(c.owner))
		return c;
	switch (testrand_below(r, 8)) {
	case 0:
		c.offset = XFS_RMAP_BMBT | (testrand_below(r, 2) ? XFS_RMAP_ATTR : 0);
		break;
	case 1:
		c.offset = XFS_RMAP_ATTR | testrand_below(r, 4);
		break;
	case 2:
		c.offset = XFS_RMAP_UNWRITTEN | (c.agbno + testrand_below(r, 2));
		break;
	default:	/* few diagonals, so that much can be joined */
		c.offset = c.agbno + testrand_below(r, 3) * 7;
	}
	return c;
}
