/* SPDX-License-Identifier: BSD-2-Clause */
/* test_refcount.c - changes of reference counts: transitions that Linux made, a model by blocks, limits, damage. */
#include "libxfs/space/refcount.h"

#include "tests/unit/memtree.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define ROOM 200u

static struct memtree tree;
static struct xfs_btree bt;

struct list { struct xfs_refc_rec r[4000]; size_t n; };
static struct list before, after, now;

static void tree_load(const struct list *l, int slack)
{
	uint8_t *recs = calloc(l->n + 1, 12);

	for (size_t i = 0; i < l->n; i++)
		xfs_refc_rec_encode(recs + 12 * i, &l->r[i]);
	memtree_load(&tree, &xfs_btree_kinds[XFS_BTREE_REFC], true, 1024, recs, l->n, slack, slack, 0);
	memtree_open(&tree, ROOM);
	bt = memtree_instance(&tree);
	bt.ptr_min = bt.ptr_max = 0;	/* the AG is larger than this tree's memory */
	free(recs);
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

static void tree_verify(void)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_btree_verify v = { .sink = &sink };

	memtree_settle(&tree, &bt);
	qk_assert_int_eq(xfs_btree_verify(&bt, &v), 0);
	qk_assert_uint_eq(v.findings, 0);
}

static int keep(void *payload, const void *rec)
{
	struct list *l = payload;

	qk_assert_uint_lt(l->n, XFS_ARRAY_SIZE(l->r));
	return xfs_refcount_decode(&bt, rec, &l->r[l->n++]);
}

static void check_equal(const char *name)
{
	now.n = 0;
	qk_assert_int_eq(xfs_btree_query_all(&bt, keep, &now), 0);
	qk_assert_msg(now.n == after.n, "%s: %zu records, should be %zu", name, now.n, after.n);
	for (size_t i = 0; i < now.n; i++) {
		const struct xfs_refc_rec *a = &now.r[i], *b = &after.r[i];

		qk_assert_msg(a->startblock == b->startblock && a->blockcount == b->blockcount &&
			      a->refcount == b->refcount && a->cowflag == b->cowflag, "%s: record %zu is (%u,%u,%u)",
			      name, i, a->startblock, a->blockcount, a->refcount);
	}
}

/* ---- vectors ---- */

static uint8_t unused[1 << 16], want_unused[1 << 16];

static int note_unused(void *payload, uint32_t agbno, uint32_t len)
{
	(void)payload;
	for (uint32_t i = agbno; i < agbno + len; i++)
		qk_assert(!unused[i]++);
	return 0;
}

static uint32_t number(json_t *row, size_t at)
{
	return (uint32_t)vectors_u64(json_array_get(row, at));
}

static void list_of(json_t *rows, struct list *l)
{
	l->n = json_array_size(rows);
	for (size_t i = 0; i < l->n; i++) {
		json_t *r = json_array_get(rows, i);

		l->r[i] = (struct xfs_refc_rec){ .startblock = number(r, 0), .blockcount = number(r, 1),
						 .refcount = number(r, 2),
			.cowflag = !strcmp(json_string_value(json_array_get(r, 3)), "cow") };
	}
}

/* `budget`: steps of one call; the work goes on until nothing is left. */
static int apply(const char *op, uint32_t agbno, uint32_t len, unsigned budget)
{
	struct xfs_refcount_work w = { agbno, len, budget, note_unused, NULL };
	int err = 0;

	if (!strcmp(op, "alloc_cow"))
		return xfs_refcount_cow_alloc(&bt, agbno, len);
	if (!strcmp(op, "free_cow"))
		return xfs_refcount_cow_free(&bt, agbno, len);
	while (w.len && !err)
		err = *op == 'i' ? xfs_refcount_increase(&bt, &w) : xfs_refcount_decrease(&bt, &w);
	return err;
}

static void run_case(json_t *row, int slack, unsigned budget)
{
	json_t *ops = vectors_get(row, "ops"), *gone = vectors_get(row, "becomes_unused");

	list_of(vectors_get(row, "before"), &before);
	list_of(vectors_get(row, "after"), &after);
	memset(unused, 0, sizeof(unused));
	memset(want_unused, 0, sizeof(want_unused));
	tree_load(&before, slack);
	for (size_t i = 0; i < json_array_size(ops); i++) {
		json_t *op = json_array_get(ops, i);

		qk_assert_int_eq(apply(json_string_value(json_array_get(op, 0)), number(op, 1), number(op, 2), budget),
				 0);
		tree_verify();
	}
	check_equal(vectors_get_str(row, "name"));
	for (size_t i = 0; i < json_array_size(gone); i++)
		memset(&want_unused[number(json_array_get(gone, i), 0)], 1, number(json_array_get(gone, i), 1));
	qk_assert_mem_eq(unused, want_unused, sizeof(unused));
	memtree_release(&tree);
}

START_TEST(transitions)
{
	json_t *v = vectors_load("refcount-ops.json"), *cases = vectors_get(v, "cases");

	ck_assert_uint_ge(json_array_size(cases), 44);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		run_case(json_array_get(cases, i), -1, 0);
		run_case(json_array_get(cases, i), 0, 1);	/* full blocks, cut off after each step */
	}
	json_decref(v);
}
END_TEST

/* ---- a model: owners of each block ---- */

#define BLOCKS 4000u

static uint32_t owners[BLOCKS];		/* COW: staging */
#define COW UINT32_MAX

static void model_list(struct list *l)
{
	l->n = 0;
	for (unsigned cow = 0; cow < 2; cow++)
		for (uint32_t i = 1; i < BLOCKS; i++) {
			struct xfs_refc_rec *last = l->n ? &l->r[l->n - 1] : NULL;
			uint32_t n = owners[i] == COW ? 1 : owners[i];

			if (cow ? owners[i] != COW : owners[i] < 2 || owners[i] == COW)
				continue;
			if (last && last->cowflag == cow && last->startblock + last->blockcount == i &&
			    last->refcount == n) {
				last->blockcount++;
				continue;
			}
			qk_assert_uint_lt(l->n, XFS_ARRAY_SIZE(l->r));
			l->r[l->n++] = (struct xfs_refc_rec){ .startblock = i, .blockcount = 1, .refcount = n,
							      .cowflag = cow };
		}
}

/* The longest run from b on whose blocks are of the given sort. */
static uint32_t run_of(uint32_t b, uint32_t most, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	while (n < most && b + n < BLOCKS && owners[b + n] >= from && owners[b + n] <= to)
		n++;
	return n;
}

static unsigned random_step(struct testrand *rnd)
{
	uint32_t b = 1 + testrand_below(rnd, BLOCKS - 1), most = 1 + testrand_below(rnd, 40), n;
	unsigned budget = testrand_below(rnd, 4);

	switch (testrand_below(rnd, 6)) {
	case 0: case 1:		/* one owner more, of blocks that have one */
		n = run_of(b, most, 1, COW - 1);
		if (n)
			qk_assert_int_eq(apply("increase", b, n, budget), 0);
		for (uint32_t i = b; i < b + n; i++)
			owners[i]++;
		return n;
	case 2: case 3:
		n = run_of(b, most, 1, COW - 1);
		memset(unused, 0, BLOCKS);
		if (n)
			qk_assert_int_eq(apply("decrease", b, n, budget), 0);
		for (uint32_t i = b; i < b + n; i++)
			owners[i]--;
		for (uint32_t i = 0; i < BLOCKS; i++)
			qk_assert_uint_eq(unused[i], i >= b && i < b + n && !owners[i]);
		return n;
	case 4:			/* file data, or staging */
		n = run_of(b, most, 0, 0);
		for (uint32_t i = b; i < b + n; i++)
			owners[i] = budget ? 1 : COW;
		if (n && !budget)
			qk_assert_int_eq(apply("alloc_cow", b, n, 0), 0);
		return n;
	default:
		n = run_of(b, most, COW, COW);
		if (n)
			qk_assert_int_eq(apply("free_cow", b, n, 0), 0);
		memset(&owners[b], 0, n * sizeof(owners[0]));
		return n;
	}
}

static void check_shared_runs(struct testrand *rnd)
{
	uint32_t b = 1 + testrand_below(rnd, BLOCKS - 100), len = 1 + testrand_below(rnd, 60), start, n, i, k;

	qk_assert_int_eq(xfs_refcount_find_shared(&bt, b, len, &start, &n), 0);
	for (i = b; i < b + len && (owners[i] < 2 || owners[i] == COW); i++)
		;
	for (k = i; k < b + len && owners[k] > 1 && owners[k] != COW; k++)
		;
	qk_assert_uint_eq(n, k - i);
	qk_assert(!n || start == i);
}

START_TEST(random_changes)
{
	struct testrand rnd = { 0xc0ffee + (unsigned)_i };
	unsigned done = 0, deepest = 0;

	memset(owners, 0, sizeof(owners));
	for (uint32_t i = 0; i < BLOCKS / 2; i++)	/* half is data of files */
		owners[1 + testrand_below(&rnd, BLOCKS - 1)] = 1;
	before.n = 0;
	tree_load(&before, -1);
	for (unsigned i = 0; i < 20000; i++) {
		done += random_step(&rnd) != 0;
		deepest = bt.levels > deepest ? bt.levels : deepest;
		if (i % 10 == 0)
			check_shared_runs(&rnd);
		if (i % 100)
			continue;
		tree_verify();
		model_list(&after);
		check_equal("model");
	}
	ck_assert_uint_gt(done, 6000);
	ck_assert_uint_ge(deepest, 2);
	memtree_release(&tree);
}
END_TEST

/* Counts at the limit never change again, and records that reach it are merged. */
START_TEST(pinned)
{
	static const struct list start = { .n = 5, .r = {
		{ .startblock = 10, .blockcount = 5, .refcount = XFS_REFC_MAX },
		{ .startblock = 15, .blockcount = 5, .refcount = XFS_REFC_MAX - 1 },
		{ .startblock = 20, .blockcount = 5, .refcount = XFS_REFC_MAX },
		{ .startblock = 25, .blockcount = 5, .refcount = XFS_REFC_MAX - 1 },
		{ .startblock = 30, .blockcount = 5, .refcount = 7 },
	} };

	tree_load(&start, -1);
	qk_assert_int_eq(apply("increase", 10, 20, 0), 0);
	tree_verify();
	after = (struct list){ .n = 2, .r = { { .startblock = 10, .blockcount = 20, .refcount = XFS_REFC_MAX },
		{ .startblock = 30, .blockcount = 5, .refcount = 7 } } };
	check_equal("increase");
	qk_assert_int_eq(apply("increase", 12, 6, 0), 0);
	qk_assert_int_eq(apply("decrease", 5 + 7, 21, 0), 0);
	tree_verify();
	after = (struct list){ .n = 3, .r = { { .startblock = 10, .blockcount = 20, .refcount = XFS_REFC_MAX },
		{ .startblock = 30, .blockcount = 3, .refcount = 6 },
		{ .startblock = 33, .blockcount = 2, .refcount = 7 } } };
	check_equal("decrease");
	memtree_release(&tree);
}
END_TEST

START_TEST(contradictions)
{
	static const struct list start = { .n = 3, .r = {
		{ .startblock = 10, .blockcount = 5, .refcount = 2 },
		{ .startblock = 40, .blockcount = 5, .refcount = 1, .cowflag = 1 },
		{ .startblock = 50, .blockcount = 5, .refcount = 1, .cowflag = 1 },
	} };
	static const struct { const char *op; uint32_t agbno, len; int err; } bad[] = {
		{ "alloc_cow", 44, 2, -XFS_E_CORRUPT }, { "alloc_cow", 47, 4, -XFS_E_CORRUPT },
		{ "alloc_cow", 42, 1, -XFS_E_CORRUPT }, { "alloc_cow", 0, 1, -XFS_E_INVALID },
		{ "alloc_cow", 7, 0, -XFS_E_INVALID },
		{ "free_cow", 39, 2, -XFS_E_CORRUPT }, { "free_cow", 44, 2, -XFS_E_CORRUPT },
		{ "free_cow", 45, 1, -XFS_E_CORRUPT },
		{ "free_cow", 10, 5, -XFS_E_CORRUPT }, { "free_cow", XFS_REFC_COW, 1, -XFS_E_INVALID },
		{ "increase", 0, 3, -XFS_E_INVALID }, { "increase", XFS_REFC_COW - 1, 2, -XFS_E_INVALID },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(bad); i++) {
		tree_load(&start, -1);
		qk_assert_int_eq(apply(bad[i].op, bad[i].agbno, bad[i].len, 0), bad[i].err);
		tree_verify();
		after = start;
		check_equal(bad[i].op);
		memtree_release(&tree);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("refcount");
	TCase *t = tcase_create("refcount");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, transitions);
	tcase_add_loop_test(t, random_changes, 0, 3);
	tcase_add_test(t, pinned);
	tcase_add_test(t, contradictions);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
