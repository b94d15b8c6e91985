/* SPDX-License-Identifier: BSD-2-Clause */
/* test_claims_alloc.c - claims that collide; blocks taken between claims, against first fit over single blocks. */
#include "tests/unit/claimlist.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* ---- conflicts ---- */

static int count_conflict(void *payload, const struct xfs_claim *a, const struct xfs_claim *b)
{
	qk_assert_uint_le(a->agbno, b->agbno);
	qk_assert_uint_gt(a->agbno + a->len, b->agbno);
	++*(unsigned *)payload;
	return 0;
}

static unsigned conflicts_of(bool reflink, const struct xfs_claim *v, size_t n)
{
	struct testfs fs = { .agblocks = 4096, .agcount = 2, .no_reflink = !reflink };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	unsigned found = 0;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 1 << 20, NULL), 0);
	for (size_t i = 0; i < n; i++)
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &v[i]), 0);
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	qk_assert_int_eq(xfs_claims_each_conflict(c, CLAIMLIST_AG, count_conflict, NULL, &found), 0);
	xfs_claims_free(c);
	return found;
}

START_TEST(conflicts)
{
	struct xfs_claim shared[] = { { 100, 20, 131, 0 }, { 105, 3, 132, 0 }, { 107, 30, 131, 500 } };
	struct xfs_claim meta[] = { { 100, 20, 131, 0 }, { 119, 5, XFS_OWN_AG, 0 }, { 124, 5, 131, 30 } };
	struct xfs_claim inside[] = { { 100, 50, XFS_OWN_LOG, 0 }, { 105, 3, 132, 0 }, { 120, 3, 131, 500 } };
	struct xfs_claim unwritten[] = { { 100, 5, 131, 0 }, { 100, 5, 131, XFS_RMAP_UNWRITTEN } };
	struct xfs_claim same[] = { { 100, 5, 131, 9 }, { 100, 5, 131, 9 } };
	struct xfs_claim attr[] = { { 100, 5, 131, 9 }, { 104, 5, 132, XFS_RMAP_ATTR } };

	qk_assert_uint_eq(conflicts_of(true, shared, 3), 0);
	qk_assert_uint_eq(conflicts_of(false, shared, 3), 2);
	qk_assert_uint_eq(conflicts_of(true, meta, 3), 1);
	qk_assert_uint_eq(conflicts_of(true, inside, 3), 2);
	qk_assert_uint_eq(conflicts_of(true, unwritten, 2), 1);
	qk_assert_uint_eq(conflicts_of(true, same, 2), 1);
	qk_assert_uint_eq(conflicts_of(true, attr, 2), 1);
}
END_TEST

/* ---- allocation ---- */

/* naive first fit over blocks: taken[] holds 1 = claimed, 2 = avoided */
static uint32_t naive_fit(const uint8_t *taken, uint32_t length, uint32_t floor, uint32_t near, uint32_t len)
{
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t at = round ? floor : near > floor ? near : floor; at + len <= length; at++) {
			uint32_t i = 0;

			while (i < len && !taken[at + i])
				i++;
			if (i == len)
				return at;
		}
	return XFS_NULL32;
}

/* What was handed out and is still held: agbno, length. */
struct held {
	uint32_t got[2000][2], n;
};

static void give_part_back(struct xfs_claims *c, struct held *h, uint8_t *taken, struct testrand *rnd, uint64_t owner)
{
	uint32_t k = testrand_below(rnd, h->n), skip = testrand_below(rnd, h->got[k][1]);
	uint32_t at = h->got[k][0] + skip, len = 1 + testrand_below(rnd, h->got[k][1] - skip);

	qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, at, len, owner), 0);
	for (uint32_t b = 0; b < len; b++)
		taken[at + b] &= 2;
	h->got[k][1] = skip;
	if (!skip)
		memcpy(h->got[k], h->got[--h->n], sizeof(h->got[k]));
}

static void run_alloc(uint32_t length, size_t memory, uint64_t seed)
{
	struct testfs fs = { .agblocks = 4096, .agcount = 2, .last = length };
	struct testrand rnd = { seed };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	uint8_t *taken = calloc(length, 1);
	struct held held = { .n = 0 };
	uint32_t at, len;
	uint64_t owner = XFS_OWN_INODES;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, memory, NULL), 0);
	taken[0] = 1;
	for (unsigned i = 0; i < length / 16; i++) {
		struct xfs_claim claim = claimlist_random(&rnd, length);

		memset(taken + claim.agbno, 1, claim.len);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
	}
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	for (unsigned i = 0; i < length / 100; i++) {
		len = 1 + testrand_below(&rnd, 20);
		at = testrand_below(&rnd, length - len);
		for (uint32_t k = 0; k < len; k++)
			taken[at + k] |= 2;
		qk_assert_int_eq(xfs_claims_avoid(c, CLAIMLIST_AG, at, len), 0);
	}
	for (unsigned i = 0; i < 600; i++) {
		uint32_t near = testrand_below(&rnd, 3) ? 100 : testrand_below(&rnd, length), want;
		unsigned what = testrand_below(&rnd, 10);
		int err;

		if (what == 0 && held.n) {
			give_part_back(c, &held, taken, &rnd, owner);
			continue;
		}
		if (what == 1) {
			struct xfs_claim claim = claimlist_random(&rnd, length);

			memset(taken + claim.agbno, 3, claim.len);
			claim.owner = XFS_OWN_LOG;
			claim.offset = 0;
			qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
			continue;
		}
		len = 1 + testrand_below(&rnd, 7);
		want = naive_fit(taken, length, geo.agfl_block + 1, near, len);
		err = xfs_claims_alloc(c, CLAIMLIST_AG, near, len, owner, 0, &at);
		qk_assert_int_eq(err, want == XFS_NULL32 ? -XFS_E_NOSPC : 0);
		if (err)
			continue;
		qk_assert_uint_eq(at, want);
		memset(taken + at, 1, len);
		held.got[held.n][0] = at;
		held.got[held.n++][1] = len;
		if (!testrand_below(&rnd, 8))
			free(claimlist_read(c));
	}
	qk_assert_uint_gt(held.n, 10);
	xfs_claims_free(c);
	free(taken);
}

/* Single blocks between single blocks: longer runs are asked for again and again, and are not there. */
START_TEST(allocation_from_holes)
{
	struct testfs fs = { .agblocks = 1 << 20, .agcount = 2, .last = 1 << 20 };
	const uint32_t holes = 200000, taken = 30000;
	struct xfs_geometry geo;
	struct xfs_claims *c;
	uint32_t at;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, (size_t)64 << 20, NULL), 0);
	for (uint32_t i = 0; i < holes; i++) {
		struct xfs_claim claim = { 100 + 2 * i, 1, 131, i };

		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
	}
	qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &(struct xfs_claim){ 0, 100, XFS_OWN_LOG, 0 }), 0);
	qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG,
					&(struct xfs_claim){ 100 + 2 * holes, (1 << 20) - 100 - 2 * holes, XFS_OWN_LOG,
							     0 }), 0);
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	for (uint32_t i = 0; i < taken; i++) {
		for (uint32_t len = 8; len > 1; len /= 2)
			qk_assert_int_eq(xfs_claims_alloc(c, CLAIMLIST_AG, 0, len, 132, i, &at), -XFS_E_NOSPC);
		qk_assert_int_eq(xfs_claims_alloc(c, CLAIMLIST_AG, 0, 1, 132, i, &at), 0);
		qk_assert_uint_eq(at, 101 + 2 * i);
	}
	xfs_claims_free(c);
}
END_TEST

START_TEST(allocation)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		run_alloc(300 + (uint32_t)seed * 90, 1 << 20, seed);
}
END_TEST

START_TEST(release_in_records)
{
	struct testfs fs = { .agblocks = 4096, .agcount = 2 };
	struct xfs_claim file = { 100, 50, 131, 1000 }, other = { 90, 50, 132, 0 },
			 meta = { 200, 10, XFS_OWN_INOBT, 0 };
	struct xfs_geometry geo;

	testfs_init(&geo, &fs);
	for (size_t memory = 0; memory <= 1; memory++) {
		struct xfs_claims *c;
		struct claimlist *l;

		qk_assert_int_eq(xfs_claims_new(&c, &geo, memory << 20, NULL), 0);
		for (uint32_t i = 0; i < 5000; i++)	/* enough to be on file when there is no memory */
			qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG,
							&(struct xfs_claim){ 300 + i % 3000, 1, 500 + i, 3 * i }), 0);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &file), 0);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &other), 0);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &meta), 0);
		qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 110, 5, 131), 0);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 110, 1, 131), -XFS_E_INVALID);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 149, 2, 131), -XFS_E_INVALID);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 200, 10, XFS_OWN_AG), -XFS_E_INVALID);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 205, 5, XFS_OWN_INOBT), 0);
		qk_assert_int_eq(xfs_claims_release(c, CLAIMLIST_AG, 4000, 200, XFS_OWN_INOBT), -XFS_E_RANGE);
		l = claimlist_read(c);
		qk_assert_uint_eq(l->n, 5004);
		qk_assert_mem_eq(&l->v[0], &other, sizeof(other));
		qk_assert_mem_eq(&l->v[1], &((struct xfs_claim){ 100, 10, 131, 1000 }), sizeof(other));
		qk_assert_mem_eq(&l->v[2], &((struct xfs_claim){ 115, 35, 131, 1015 }), sizeof(other));
		qk_assert_mem_eq(&l->v[3], &((struct xfs_claim){ 200, 5, XFS_OWN_INOBT, 0 }), sizeof(other));
		free(l);
		xfs_claims_free(c);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("claims-alloc");
	TCase *t = tcase_create("conflicts"), *a = tcase_create("allocation");

	tcase_set_timeout(a, 60);
	tcase_add_test(t, conflicts);
	tcase_add_test(a, allocation);
	tcase_add_test(a, allocation_from_holes);
	tcase_add_test(a, release_in_records);
	suite_add_tcase(s, t);
	suite_add_tcase(s, a);
	return vectors_main(s);
}
