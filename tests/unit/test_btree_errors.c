/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_btree_errors.c - reads, allocations and callbacks that fail: the error comes out, and no block stays borrowed.
 */
#include "tests/unit/failmalloc.h"
#include "tests/unit/sometree.h"
#include "tests/unit/vectors.h"

/* The nth read fails: the error comes out, no block stays borrowed. */
static uint64_t fail_at;
static int (*real_get)(void *, uint64_t, struct xfs_btree_block *);

static int failing_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	if (fail_at && --fail_at == 0)
		return -XFS_E_IO;
	return real_get(owner, ptr, out);
}

START_TEST(read_errors)
{
	struct sometree x;
	struct xfs_btree_key lo = { { 0, 0, 0 } }, hi = { { 900000, UINT64_MAX, UINT64_MAX } };
	uint64_t n = 0;

	sometree_make(&x, XFS_BTREE_RMAP, true, 1024, 4000);
	real_get = x.bt.io.get;
	x.bt.io.get = failing_get;
	for (uint64_t at = 1; at <= 12; at++) {
		struct xfs_btree_walk w = { .block = sometree_ignore_block, .payload = &n };
		struct xfs_btree_cursor cur;
		int err = 0;

		fail_at = at;
		must(xfs_btree_query_all(&x.bt, sometree_ignore_record, &n) == -XFS_E_IO);
		fail_at = at;
		must(xfs_btree_walk(&x.bt, &w) == -XFS_E_IO);
		fail_at = at;
		must(xfs_btree_query_range(&x.bt, &lo, &hi, sometree_ignore_record, &n, NULL, NULL, NULL) == -XFS_E_IO);
		fail_at = at;
		xfs_btree_cursor_init(&cur, &x.bt);
		err = xfs_btree_first(&cur);
		while (!err)
			err = xfs_btree_next(&cur);
		must(err == -XFS_E_IO);
		must(x.t.borrowed == 0);	/* a failed move leaves nothing behind */
		fail_at = at;
		sometree_verify(&x);
		must(x.found[XFS_F_BLOCK_IO] == 1);
		must(x.t.borrowed == 0);
	}
	sometree_drop(&x);
}
END_TEST

/* Every allocation fails once: NOMEM comes out, and nothing stays borrowed (leaks are for the sanitizer to find). */
START_TEST(out_of_memory)
{
	struct sometree x;
	uint64_t n = 0;
	unsigned failures = 0;

	sometree_make(&x, XFS_BTREE_RMAP, true, 1024, 20000);
	for (uint64_t at = 1;; at++) {
		struct xfs_btree_walk w = { .block = sometree_ignore_block, .bad = sometree_go_on, .payload = &n };
		struct xfs_btree_verify v = { .sink = NULL };
		uint64_t asked;
		int walked, verified;

		failmalloc_start(at, false);
		walked = xfs_btree_walk(&x.bt, &w);
		asked = failmalloc_stop();
		must(walked == (asked < at ? 0 : -XFS_E_NOMEM));
		failmalloc_start(at, false);
		verified = xfs_btree_verify(&x.bt, &v);
		must(verified == (failmalloc_stop() < at ? 0 : -XFS_E_NOMEM));
		must(x.t.borrowed == 0);
		failures += (walked != 0) + (verified != 0);
		if (!walked && !verified)
			break;
	}
	ck_assert_uint_ge(failures, 5);
	sometree_drop(&x);
}
END_TEST

/* The bulk loader refuses what would not be a tree, and gives back what its callbacks say. */
static int give_twice(void *payload, void *rec)
{
	(void)payload;
	xfs_bnobt_rec_encode(rec, &(struct xfs_bnobt_rec){ .startblock = 10, .blockcount = 5 });
	return 0;
}

static int no_block(void *payload, unsigned level, uint64_t *ptr)
{
	*ptr = 100 + level;
	return *(int *)payload;
}

static int drop_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	(void)payload;
	(void)ptr;
	(void)level;
	(void)data;
	return 0;
}

static uint64_t same_daddr(void *payload, uint64_t ptr)
{
	(void)payload;
	return ptr;
}

START_TEST(loader_errors)
{
	static const uint8_t uuid[16];
	int answer = 0;
	struct xfs_btree_geometry g;
	struct xfs_btree_bulk b = {
		.kind = &xfs_btree_kinds[XFS_BTREE_BNO], .blocksize = 1024, .v5 = true, .uuid = uuid,
		.next = give_twice, .alloc = no_block, .emit = drop_block, .daddr_of = same_daddr, .payload = &answer,
	};

	must(xfs_btree_bulk_geometry(&g, b.kind, true, 1024, 2, -1, -1, 0) == 0);
	must(xfs_btree_bulk_load(&b, &g) == -XFS_E_INVALID);	/* out of order */
	answer = -XFS_E_NOSPC;
	must(xfs_btree_bulk_load(&b, &g) == -XFS_E_NOSPC);
	failmalloc_start(1, false);
	must(xfs_btree_bulk_load(&b, &g) == -XFS_E_NOMEM);
	failmalloc_stop();
	answer = 0;
	must(xfs_btree_bulk_geometry(&g, b.kind, true, 1024, 1, -1, -1, 0) == 0);
	must(xfs_btree_bulk_load(&b, &g) == 0);
	b.uuid = NULL;
	must(xfs_btree_bulk_load(&b, &g) == -XFS_E_INVALID);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("btree_errors");
	TCase *t = tcase_create("errors");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, read_errors);
	tcase_add_test(t, out_of_memory);
	tcase_add_test(t, loader_errors);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
