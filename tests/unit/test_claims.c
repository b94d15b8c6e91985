/* SPDX-License-Identifier: BSD-2-Clause */
/* test_claims.c - claims against a naive model of single blocks, and the kernel's canonical records. */
#include "libxfs/base/grow.h"
#include "tests/unit/claimlist.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* One block of one owner. */
struct unit { uint32_t agbno; uint64_t owner, offset; };
struct units { struct unit *v; size_t n, cap; };

static void units_push(struct units *u, const struct xfs_claim *c)
{
	for (uint32_t i = 0; i < c->len; i++) {
		qk_assert_int_eq(xfs_grow(&u->v, u->n, &u->cap, 1024), 0);
		u->v[u->n++] = (struct unit){ c->agbno + i, c->owner, xfs_claim_no_offset(c) ? c->offset :
					      c->offset + i };
	}
}

static int unit_cmp(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	if (x->agbno != y->agbno)
		return x->agbno < y->agbno ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return x->offset == y->offset ? 0 : x->offset < y->offset ? -1 : 1;
}

static bool follows(const struct xfs_claim *a, const struct xfs_claim *b)
{
	return a->owner == b->owner && !((a->offset ^ b->offset) & XFS_RMAP_FLAGS) && a->agbno + a->len == b->agbno &&
	       (xfs_claim_no_offset(a) || a->offset + a->len == b->offset);
}

/* key order, and no two records anywhere that could be one */
static void check_canonical(const struct claimlist *l)
{
	for (size_t i = 0; i + 1 < l->n; i++) {
		const struct xfs_claim *a = &l->v[i], *b = a + 1;

		qk_assert(a->agbno < b->agbno || (a->agbno == b->agbno && a->owner <= b->owner));
		if (a->agbno == b->agbno && a->owner == b->owner)
			qk_assert((a->offset & ~XFS_RMAP_UNWRITTEN) <= (b->offset & ~XFS_RMAP_UNWRITTEN));
	}
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = i + 1; j < l->n && l->v[j].agbno <= l->v[i].agbno + l->v[i].len; j++)
			qk_assert_msg(!follows(&l->v[i], &l->v[j]), "(%u,%u) and (%u,%u) of %llx are one record",
				      l->v[i].agbno, l->v[i].len, l->v[j].agbno, l->v[j].len,
				      (unsigned long long)l->v[i].owner);
}

/* the same blocks with the same owners and offsets */
static void check_units(const struct claimlist *l, struct units *want)
{
	struct units got = { 0 };

	for (size_t i = 0; i < l->n; i++)
		units_push(&got, &l->v[i]);
	qk_assert_uint_eq(got.n, want->n);
	qsort(got.v, got.n, sizeof(*got.v), unit_cmp);
	qsort(want->v, want->n, sizeof(*want->v), unit_cmp);
	for (size_t i = 0; i < got.n; i++)
		qk_assert(!unit_cmp(&got.v[i], &want->v[i]));
	free(got.v);
}

struct refs { uint32_t *refs; uint32_t last_end, last_refs; };

static int take_shared(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct refs *r = payload;

	qk_assert_uint_ge(refs, 2);
	qk_assert_uint_ge(agbno, r->last_end);
	qk_assert(agbno > r->last_end || refs != r->last_refs);
	for (uint32_t i = 0; i < len; i++)
		r->refs[agbno + i] = refs;
	r->last_end = agbno + len;
	r->last_refs = refs;
	return 0;
}

static int take_free(void *payload, uint32_t agbno, uint32_t len)
{
	struct refs *r = payload;

	qk_assert(agbno > r->last_end || (!agbno && !r->last_end));
	for (uint32_t i = 0; i < len; i++)
		r->refs[agbno + i] = 1;
	r->last_end = agbno + len;
	return 0;
}

static void check_sweeps(struct xfs_claims *c, const struct units *u, uint32_t length)
{
	uint32_t *depth = calloc(length, sizeof(*depth)), *used = calloc(length, sizeof(*used));
	struct refs shared = { calloc(length, sizeof(uint32_t)), 0, 0 },
		    gaps = { calloc(length, sizeof(uint32_t)), 0, 0 };
	uint64_t nfree = 0, blocks;

	for (size_t i = 0; i < u->n; i++) {
		struct xfs_claim one = { u->v[i].agbno, 1, u->v[i].owner, u->v[i].offset };

		used[one.agbno] = 1;
		depth[one.agbno] += xfs_claim_shareable(&one);
	}
	qk_assert_int_eq(xfs_claims_each_shared(c, CLAIMLIST_AG, take_shared, &shared), 0);
	qk_assert_int_eq(xfs_claims_each_free(c, CLAIMLIST_AG, take_free, &gaps), 0);
	for (uint32_t i = 0; i < length; i++) {
		qk_assert_uint_eq(shared.refs[i], depth[i] > 1 ? depth[i] : 0);
		qk_assert_uint_eq(gaps.refs[i], !used[i]);
		nfree += !used[i];
	}
	qk_assert_int_eq(xfs_claims_free_blocks(c, CLAIMLIST_AG, &blocks), 0);
	qk_assert_uint_eq(blocks, nfree);
	free(depth);
	free(used);
	free(shared.refs);
	free(gaps.refs);
}

/* Mappings of one block to one place of one owner, each at most once. */
struct seen { struct unit v[1 << 18]; };

static struct unit *seen_slot(struct seen *seen, const struct unit *u)
{
	struct testrand h = { u->agbno * UINT64_C(1000003) ^ u->owner << 32 ^ u->offset };
	size_t at = (size_t)testrand_next(&h) % XFS_ARRAY_SIZE(seen->v);

	while (seen->v[at].owner && unit_cmp(&seen->v[at], u))
		at = (at + 1) % XFS_ARRAY_SIZE(seen->v);
	return &seen->v[at];
}

static bool seen_add(struct seen *seen, const struct xfs_claim *c)
{
	struct units u = { 0 };
	bool fresh = true;

	units_push(&u, c);
	for (size_t i = 0; i < u.n; i++)
		fresh &= !seen_slot(seen, &u.v[i])->owner;
	for (size_t i = 0; i < u.n && fresh; i++)
		*seen_slot(seen, &u.v[i]) = u.v[i];
	free(u.v);
	return fresh;
}

static void run_random(uint32_t length, unsigned nclaims, size_t memory, uint64_t seed)
{
	struct testfs fs = { .agblocks = 4096, .agcount = 2, .last = length };
	struct testrand rnd = { seed };
	struct units units = { 0 };
	struct seen *seen = calloc(1, sizeof(*seen));
	struct xfs_geometry geo;
	struct xfs_claims *c;
	struct claimlist *l;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, memory, NULL), 0);
	for (unsigned i = 0; i < nclaims; i++) {
		struct xfs_claim claim = claimlist_random(&rnd, length);

		if (i == nclaims / 2)	/* the rest comes late */
			qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
		if (!seen_add(seen, &claim))
			continue;
		units_push(&units, &claim);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
	}
	l = claimlist_read(c);
	check_canonical(l);
	check_units(l, &units);
	check_sweeps(c, &units, length);
	free(l);
	free(seen);
	free(units.v);
	xfs_claims_free(c);
}

START_TEST(random_claims)
{
	for (uint64_t seed = 0; seed < 60; seed++)
		run_random(64 + (uint32_t)seed * 60, 3 + (unsigned)seed * 12, 1 << 20, seed);
}
END_TEST

/* memory for nothing: runs on file, several passes of merging */
START_TEST(random_claims_spilled)
{
	run_random(4096, 30000, 0, 1);
	run_random(4096, 60000, 100000, 2);
}
END_TEST

/* one block a claim, so that thousands of runs' worth merge to few records */
START_TEST(spilled_merges_to_little)
{
	struct testfs fs = { .agblocks = 1 << 20, .agcount = 2 };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	struct claimlist *l;
	uint32_t n = 600000;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 0, NULL), 0);
	for (uint32_t i = 0; i < n; i++) {	/* 7 * i mod n goes through all numbers */
		uint32_t at = (uint32_t)((uint64_t)i * 7 % n);
		struct xfs_claim claim = { 10 + at, 1, 200 + at / 100000, at };

		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
	}
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	l = claimlist_read(c);
	qk_assert_uint_eq(l->n, 6);
	for (uint32_t i = 0; i < 6; i++) {
		qk_assert_uint_eq(l->v[i].agbno, 10 + i * 100000);
		qk_assert_uint_eq(l->v[i].len, 100000);
		qk_assert_uint_eq(l->v[i].owner, 200 + i);
		qk_assert_uint_eq(l->v[i].offset, i * 100000);
	}
	free(l);
	xfs_claims_free(c);
}
END_TEST

static int ascending(void *payload, const struct xfs_claim *c)
{
	uint64_t *n = payload;

	qk_assert_uint_eq(c->agbno, 10 + 2 * *n);
	++*n;
	return 0;
}

/* nothing can be joined: merging of runs by key needs several passes */
START_TEST(spilled_stays_large)
{
	struct testfs fs = { .agblocks = 1 << 20, .agcount = 2 };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	uint64_t count, seen = 0;
	uint32_t n = 300000;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 0, "/tmp"), 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (uint32_t)((uint64_t)i * 7919 % n);
		struct xfs_claim claim = { 10 + 2 * at, 1, 200 + at % 7, at };

		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
	}
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	qk_assert_int_eq(xfs_claims_each(c, CLAIMLIST_AG, ascending, &seen), 0);
	qk_assert_uint_eq(seen, n);
	qk_assert_int_eq(xfs_claims_free_blocks(c, CLAIMLIST_AG, &count), 0);
	qk_assert_uint_eq(count, fs.agblocks - n);
	xfs_claims_free(c);
}
END_TEST

START_TEST(no_temporary_file)
{
	struct testfs fs = { .agblocks = 1 << 20, .agcount = 2 };
	struct xfs_claim claim = { 10, 1, 131, 0 };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	int err = 0;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 0, "/nonexistent"), 0);
	for (uint32_t i = 0; i < 10000 && !err; i++)
		err = xfs_claims_add(c, CLAIMLIST_AG, &claim);
	qk_assert_int_ne(err, 0);
	xfs_claims_free(c);
}
END_TEST

START_TEST(bad_arguments)
{
	struct testfs fs = { .agblocks = 4096, .agcount = 2, .last = 1000 };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	static const struct { struct xfs_claim c; int want; } rows[] = {
		{ { 999, 1, 131, 0 }, 0 },
		{ { 999, 2, 131, 0 }, -XFS_E_RANGE },
		{ { 1000, 1, 131, 0 }, -XFS_E_RANGE },
		{ { 5, 0, 131, 0 }, -XFS_E_RANGE },
		{ { 5, 0xffffffff, 131, 0 }, -XFS_E_RANGE },
		{ { 5, 1, XFS_OWN_AG, 1 }, -XFS_E_INVALID },
		{ { 5, 1, XFS_OWN_AG, XFS_RMAP_ATTR }, -XFS_E_INVALID },
		{ { 5, 1, XFS_OWN_UNKNOWN, 0 }, -XFS_E_INVALID },
		{ { 5, 1, XFS_OWN_MIN, 0 }, -XFS_E_INVALID },
		{ { 5, 1, 131, XFS_RMAP_BMBT | 1 }, -XFS_E_INVALID },
		{ { 5, 1, 131, XFS_RMAP_BMBT | XFS_RMAP_UNWRITTEN }, -XFS_E_INVALID },
		{ { 5, 1, 131, XFS_RMAP_ATTR | XFS_RMAP_UNWRITTEN }, -XFS_E_INVALID },
		{ { 5, 1, 131, UINT64_C(1) << 54 }, -XFS_E_INVALID },
		{ { 5, 1, 131, XFS_RMAP_ATTR | XFS_RMAP_OFFMASK }, 0 },
	};
	uint32_t agbno;
	uint64_t n;

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 1 << 20, NULL), 0);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(rows); i++)
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &rows[i].c), rows[i].want);
	qk_assert_int_eq(xfs_claims_add(c, XFS_AGNO(2), &rows[0].c), -XFS_E_RANGE);
	qk_assert_int_eq(xfs_claims_count(c, CLAIMLIST_AG, &n), -XFS_E_INVALID);
	qk_assert_int_eq(xfs_claims_alloc(c, CLAIMLIST_AG, 0, 1, 131, 0, &agbno), -XFS_E_INVALID);
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	qk_assert_int_eq(xfs_claims_alloc(c, CLAIMLIST_AG, 0, 0, 131, 0, &agbno), -XFS_E_RANGE);
	qk_assert_int_eq(xfs_claims_count(c, CLAIMLIST_AG, &n), 0);
	qk_assert_uint_eq(n, 2);
	xfs_claims_free(c);
}
END_TEST

/* ---- vectors: any cutting of the kernel's records comes back as the kernel's records ---- */

static struct xfs_claim vector_claim(json_t *rec)
{
	const char *flags = json_string_value(json_array_get(rec, 4));
	struct xfs_claim c = {
		(uint32_t)vectors_u64(json_array_get(rec, 0)), (uint32_t)vectors_u64(json_array_get(rec, 1)),
		vectors_u64(json_array_get(rec, 2)), vectors_u64(json_array_get(rec, 3)),
	};

	c.offset |= strchr(flags, 'a') ? XFS_RMAP_ATTR : 0;
	c.offset |= strchr(flags, 'b') ? XFS_RMAP_BMBT : 0;
	c.offset |= strchr(flags, 'u') ? XFS_RMAP_UNWRITTEN : 0;
	return c;
}

static void add_in_pieces(struct xfs_claims *c, struct xfs_claim claim, struct testrand *rnd)
{
	while (claim.len) {
		struct xfs_claim piece = claim;

		piece.len = 1 + testrand_below(rnd, claim.len);
		qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &piece), 0);
		claim.agbno += piece.len;
		claim.len -= piece.len;
		if (!xfs_claim_no_offset(&claim))
			claim.offset += piece.len;
	}
}

static void check_records(const char *name, json_t *records, struct testrand *rnd)
{
	struct testfs fs = { .agblocks = 40960, .agcount = 2 };
	struct xfs_geometry geo;
	struct xfs_claims *c;
	struct claimlist *l;
	size_t n = json_array_size(records), *order = calloc(n, sizeof(*order));

	testfs_init(&geo, &fs);
	qk_assert_int_eq(xfs_claims_new(&c, &geo, 1 << 20, NULL), 0);
	for (size_t i = 0; i < n; i++) {	/* shuffled */
		size_t k = testrand_below(rnd, (uint32_t)i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (size_t i = 0; i < n; i++)
		add_in_pieces(c, vector_claim(json_array_get(records, order[i])), rnd);
	qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
	l = claimlist_read(c);
	qk_assert_msg(l->n == n, "%s: %zu records, not %zu", name, l->n, n);
	for (size_t i = 0; i < n; i++) {
		struct xfs_claim want = vector_claim(json_array_get(records, i));

		qk_assert_msg(!memcmp(&want, &l->v[i], sizeof(want)), "%s: record %zu", name, i);
	}
	free(l);
	free(order);
	xfs_claims_free(c);
}

START_TEST(rmap_vectors)
{
	json_t *root = vectors_load("rmap-ops.json"), *row;
	struct testrand rnd = { 5 };
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row)
		check_records(vectors_get_str(row, "name"), vectors_get(row, "after"), &rnd);
	qk_assert_uint_gt(i, 100);
	json_decref(root);
}
END_TEST

struct shared_list { uint32_t v[1000][3]; size_t n; };

static int list_shared(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct shared_list *l = payload;

	qk_assert_uint_lt(l->n, 1000);
	l->v[l->n][0] = agbno;
	l->v[l->n][1] = len;
	l->v[l->n++][2] = refs;
	return 0;
}

START_TEST(refcount_vectors)
{
	json_t *root = vectors_load("refcount-ops.json"), *row, *rec;
	struct testfs fs = { .agblocks = 40960, .agcount = 2 };
	struct xfs_geometry geo;
	size_t i, k, records = 0;

	testfs_init(&geo, &fs);
	json_array_foreach(vectors_get(root, "cases"), i, row) {
		struct xfs_claims *c;
		struct shared_list got = { .n = 0 };
		size_t n = 0;

		qk_assert_int_eq(xfs_claims_new(&c, &geo, 1 << 20, NULL), 0);
		json_array_foreach(vectors_get(row, "after"), k, rec)
			for (uint64_t r = 0; r < vectors_u64(json_array_get(rec, 2)); r++) {
				struct xfs_claim claim = { (uint32_t)vectors_u64(json_array_get(rec, 0)),
					(uint32_t)vectors_u64(json_array_get(rec, 1)), 131 + r, 7 };

				qk_assert_int_eq(xfs_claims_add(c, CLAIMLIST_AG, &claim), 0);
			}
		qk_assert_int_eq(xfs_claims_seal(c, CLAIMLIST_AG), 0);
		qk_assert_int_eq(xfs_claims_each_shared(c, CLAIMLIST_AG, list_shared, &got), 0);
		json_array_foreach(vectors_get(row, "after"), k, rec) {
			if (vectors_u64(json_array_get(rec, 2)) < 2)
				continue;
			qk_assert_uint_lt(n, got.n);
			for (unsigned f = 0; f < 3; f++)
				qk_assert_uint_eq(got.v[n][f], vectors_u64(json_array_get(rec, f)));
			n++;
		}
		qk_assert_uint_eq(n, got.n);
		records += n;
		xfs_claims_free(c);
	}
	qk_assert_uint_gt(records, 100);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("claims");
	TCase *t = tcase_create("model"), *v = tcase_create("vectors");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, random_claims);
	tcase_add_test(t, random_claims_spilled);
	tcase_add_test(t, spilled_merges_to_little);
	tcase_add_test(t, spilled_stays_large);
	tcase_add_test(t, no_temporary_file);
	tcase_add_test(t, bad_arguments);
	tcase_add_test(v, rmap_vectors);
	tcase_add_test(v, refcount_vectors);
	suite_add_tcase(s, t);
	suite_add_tcase(s, v);
	return vectors_main(s);
}
