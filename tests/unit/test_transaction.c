/* SPDX-License-Identifier: BSD-2-Clause */
/* test_transaction.c - chains of changes with deferred work, in direct mode. */
#include "libxfs/transaction/transaction.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/quick.h"
#include "tests/unit/spacefs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define OWNER 777

static struct spacefs s;
static struct xfs_edit *edit;

static void start(void)
{
	struct xfs_claim log = { 3000, 1024, XFS_OWN_LOG, 0 };
	struct spacefs_options o = { .claims = &log, .nclaims = 1 };

	o.fs = (struct testfs){ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .logstart = 16384 + 3000,
				.logblocks = 1024 };
	spacefs_init(&s, &o);
	ck_assert_int_eq(xfs_edit_open(&edit, s.fs, NULL), 0);
}

static void finish(void)
{
	struct agcheck a;

	ck_assert_int_eq(xfs_edit_sync(edit), 0);
	xfs_edit_close(edit);
	xfs_agspace_close(s.ag);	/* it does not know what others changed */
	ck_assert_int_eq(xfs_agspace_open(&s.ag, s.fs, s.agno), 0);
	spacefs_check(&s, &a);
	agcheck_release(&a);
	spacefs_release(&s);
}

static uint64_t fsblock(uint32_t agno, uint32_t agbno)
{
	return xfs_fsbno_of(&s.fs->geo, XFS_AGNO(agno), XFS_AGBNO(agbno)).v;
}

/* Takes `len` blocks for the data of an inode; the mapping is a work of its own, as files do it. */
static uint64_t take(struct xfs_trans *t, uint32_t agno, uint32_t len, uint64_t off)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = len, .maxlen = len, .owner = XFS_OWN_NULL };
	struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = XFS_RMAP_MAP, .owner = OWNER, .offset = off, .len = len };
	struct xfs_agspace *ag;

	ck_assert_int_eq(xfs_live_ag(xfs_edit_live(edit), &t->change, XFS_AGNO(agno), &ag), 0);
	ck_assert_int_eq(xfs_agspace_alloc(ag, &a), 0);
	w.block = fsblock(agno, a.agbno);
	ck_assert_int_eq(xfs_change_defer(&t->change, &w), 0);
	return w.block;
}

static int give(struct xfs_trans *t, uint64_t block, uint32_t len, uint64_t off)
{
	struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = XFS_RMAP_UNMAP, .owner = OWNER, .offset = off };
	int err;

	w.block = block;
	w.len = len;
	err = xfs_change_defer(&t->change, &w);
	w.kind = XFS_WORK_FREE;
	w.op = 0;
	w.owner = XFS_OWN_NULL;
	w.offset = 0;
	return err ? err : xfs_change_defer(&t->change, &w);
}

START_TEST(map_and_free)
{
	struct xfs_trans t;
	uint64_t at[40];

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (unsigned i = 0; i < 40; i++)	/* more than one intent holds, and in both AGs by turns */
		at[i] = take(&t, i % 2, 3, i * 10);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	xfs_trans_abort(&t);
	ck_assert_int_eq(xfs_edit_sync(edit), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (unsigned i = 0; i < 40; i++)
		ck_assert_int_eq(give(&t, at[i], 3, i * 10), 0);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	finish();
}
END_TEST

/* Freed in the wrong order, or twice, nothing of the chain stays. */
START_TEST(failures_put_all_back)
{
	struct xfs_trans t;
	uint64_t at;

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	at = take(&t, 1, 5, 0);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	take(&t, 1, 7, 100);
	ck_assert_int_eq(give(&t, at, 5, 0), 0);
	ck_assert_int_eq(give(&t, at, 5, 0), 0);
	ck_assert_int_eq(xfs_trans_commit(&t), -XFS_E_CORRUPT);
	ck_assert_int_eq(xfs_trans_commit(&t), -XFS_E_INVALID);
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks - 5);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	ck_assert_int_eq(give(&t, at, 5, 0), 0);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	finish();
}
END_TEST

static unsigned released;

static void count_release(void *more)
{
	released++;
	free(more);
}

START_TEST(refused)
{
	struct xfs_trans t, u;
	struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = 99, .owner = OWNER, .block = 5000, .len = 1 };

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	ck_assert_int_eq(xfs_trans_begin(&u, edit, 0), -XFS_E_BUSY);
	xfs_trans_abort(&u);
	ck_assert_int_eq(xfs_edit_sync(edit), -XFS_E_BUSY);
	w.more = malloc(1);
	w.release = count_release;
	ck_assert_int_eq(xfs_change_defer(&t.change, &w), 0);
	ck_assert_int_eq(xfs_trans_commit(&t), -XFS_E_INVALID);
	ck_assert_uint_eq(released, 1);
	for (unsigned i = 0; i < 4; i++) {
		struct xfs_work bad = { .kind = i == 3 ? XFS_WORK_KINDS : XFS_WORK_FREE, .block = 5000, .len = 1,
					.owner = XFS_OWN_NULL, .more = malloc(1), .release = count_release };

		ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
		if (i == 0)
			bad.block = (uint64_t)1 << 40;
		else if (i == 1)
			bad.len = 20000;
		else
			bad.realtime = true;
		ck_assert_int_eq(xfs_change_defer(&t.change, &bad), i == 3 ? -XFS_E_UNSUPPORTED : 0);
		if (i < 3)
			ck_assert_int_eq(xfs_trans_commit(&t), i == 2 ? -XFS_E_UNSUPPORTED : -XFS_E_RANGE);
		xfs_trans_abort(&t);
		ck_assert_uint_eq(released, 2 + i);
	}
	finish();
}
END_TEST

static void queue_refc(struct xfs_trans *t, unsigned op, uint64_t block, uint32_t len)
{
	struct xfs_work w = { .kind = XFS_WORK_REFC, .op = op, .block = block, .len = len };

	ck_assert_int_eq(xfs_change_defer(&t->change, &w), 0);
}

static void queue_rmap(struct xfs_trans *t, unsigned op, uint64_t block, uint32_t len, uint64_t owner, uint64_t off)
{
	struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = op, .block = block, .len = len, .owner = owner,
			      .offset = off, .shared = owner == OWNER || owner == OWNER + 1 };

	ck_assert_int_eq(xfs_change_defer(&t->change, &w), 0);
}

/* A range whose counts alternate, so that it takes many steps to raise and to lower all of it. */
START_TEST(shared_in_steps)
{
	const uint32_t len = 200;
	struct xfs_trans t;
	uint64_t at;

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	at = take(&t, 1, len, 0);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (uint32_t i = 0; i < len; i += 2) {
		queue_refc(&t, XFS_REFC_INCREASE, at + i, 1);
		queue_rmap(&t, XFS_RMAP_MAP, at + i, 1, OWNER + 1, i);
	}
	queue_refc(&t, XFS_REFC_INCREASE, at, len);
	queue_rmap(&t, XFS_RMAP_MAP, at, len, OWNER, 1000);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (unsigned k = 0; k < 2; k++) {	/* the second one frees every other block */
		queue_rmap(&t, XFS_RMAP_UNMAP, at, len, OWNER, k ? 1000 : 0);
		queue_refc(&t, XFS_REFC_DECREASE, at, len);
	}
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks - len / 2);
	finish();
}
END_TEST

START_TEST(staging)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 32, .maxlen = 32, .owner = XFS_OWN_NULL };
	struct xfs_agspace *ag;
	struct xfs_trans t;
	uint64_t at;

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	ck_assert_int_eq(xfs_live_ag(xfs_edit_live(edit), &t.change, s.agno, &ag), 0);
	ck_assert_int_eq(xfs_agspace_alloc(ag, &a), 0);
	at = fsblock(s.agno.v, a.agbno);
	queue_refc(&t, XFS_REFC_ALLOC_COW, at, 32);
	queue_rmap(&t, XFS_RMAP_ALLOC, at, 32, XFS_OWN_COW, 0);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	queue_rmap(&t, XFS_RMAP_FREE, at, 32, XFS_OWN_COW, 0);
	queue_refc(&t, XFS_REFC_FREE_COW, at, 32);
	queue_rmap(&t, XFS_RMAP_MAP, at, 32, OWNER, 50);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (unsigned i = 0; i < 3; i++) {	/* unwritten, and written again */
		struct xfs_work w = { .kind = XFS_WORK_RMAP, .op = XFS_RMAP_CONVERT, .block = at + 8, .len = 8,
				      .owner = OWNER, .offset = 58, .unwritten = i % 2 == 0, .shared = i > 0 };

		ck_assert_int_eq(xfs_change_defer(&t.change, &w), 0);
	}
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	finish();
}
END_TEST

/* Memory that can't be had at any place: nothing has changed, nothing leaks, and the same goes through afterwards. */
START_TEST(no_memory)
{
	struct xfs_trans t;
	uint64_t at[8];

	start();
	ck_assert_int_eq(xfs_trans_begin(&t, edit, 0), 0);
	for (unsigned i = 0; i < 8; i++)
		at[i] = take(&t, i % 2, 3, i * 10);
	ck_assert_int_eq(xfs_trans_commit(&t), 0);
	for (uint64_t n = 1;; n++) {
		int err;

		failmalloc_start(n, false);
		err = xfs_trans_begin(&t, edit, 0);
		for (unsigned i = 0; i < 8 && !err; i++)
			err = give(&t, at[i], 3, i * 10);
		if (!err)
			err = xfs_trans_commit(&t);
		else
			xfs_trans_abort(&t);
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		if (!err)
			ck_abort_msg("allocation %u failed unseen", (unsigned)n);
		ck_assert_int_eq(err, -XFS_E_NOMEM);
	}
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transaction");
	TCase *tc = tcase_create("direct");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, map_and_free);
	tcase_add_test(tc, failures_put_all_back);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, shared_in_steps);
	tcase_add_test(tc, staging);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(suite, tc);
	return vectors_main(suite);
}
