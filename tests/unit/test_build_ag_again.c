/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_build_ag_again.c - AGs built beside what is there, of which some stays; requests, devices and memory that fail.
 */
#include "tests/unit/failmalloc.h"
#include "tests/unit/madeag.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* ---- rebuilding ---- */

static void avoid_tree(struct xfs_claims *c, const struct agcheck *k, unsigned what)
{
	for (uint32_t b = 0; b < k->length; b++)
		if (k->tree_of[b] == what)
			qk_assert_int_eq(xfs_claims_avoid(c, k->agno, b, 1), 0);
}

static void claim_tree(struct madeag *a, const struct agcheck *k, unsigned what, uint64_t owner)
{
	for (uint32_t b = 0; b < k->length; b++)
		if (k->tree_of[b] == what)
			madeag_claim(a, b, 1, owner, 0);
}

static void keep(struct xfs_build_ag *want, const struct agcheck *k, unsigned t, uint32_t root, uint32_t levels)
{
	want->policy[t] = XFS_BUILD_KEEP;
	want->kept[t].root = root;
	want->kept[t].levels = levels;
	want->kept[t].blocks = (uint32_t)k->tree_blocks[t];
}

/* A second build keeps some trees and leaves the blocks of the others as they are until the switch. */
static void run_again(uint64_t seed)
{
	static const unsigned replaced[] = { 1 + XFS_TREE_BNO, 1 + XFS_TREE_CNT, 1 + XFS_TREE_RMAP, AGCHECK_AGFL };
	struct testrand rnd = { seed };
	struct madeag_density d = { 40, 50, 5 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct xfs_ag_switch sw;
	struct agcheck k, k2;
	size_t nclaims;
	struct madeag a;

	madeag_init(&a, &madeag_kinds[1], MADEAG);
	madeag_fill(&a, &rnd, &d);
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	qk_assert_int_eq(madeag_build(&a, &want, NULL), 0);
	xfs_claims_free(c);
	agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);

	nclaims = a.nclaims;
	claim_tree(&a, &k, 1 + XFS_TREE_INO, XFS_OWN_INOBT);
	claim_tree(&a, &k, 1 + XFS_TREE_FINO, XFS_OWN_INOBT);
	if (seed & 1)
		claim_tree(&a, &k, 1 + XFS_TREE_REFC, XFS_OWN_REFC);
	c = madeag_seal(&a);
	a.nclaims = nclaims;
	if (seed & 2)
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(replaced); i++)
			avoid_tree(c, &k, replaced[i]);
	if (seed & 2 && !(seed & 1))
		avoid_tree(c, &k, 1 + XFS_TREE_REFC);
	want = madeag_request(&a, c);
	keep(&want, &k, XFS_TREE_INO, k.agi.root, k.agi.level);
	keep(&want, &k, XFS_TREE_FINO, k.agi.free_root, k.agi.free_level);
	if (seed & 1)
		keep(&want, &k, XFS_TREE_REFC, k.agf.refcntroot, k.agf.refcntlevel);
	recdev_forget(a.dev);
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	if (seed & 2) {		/* nothing old was overwritten: the AG is still the old one */
		agcheck_read(&k2, &a.geo, &a.dev->dev, a.agno);
		qk_assert_mem_eq(k.tree_of, k2.tree_of, k.length);
		agcheck_invariants(&k2);
		agcheck_release(&k2);
	}
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	agcheck_read(&k2, &a.geo, &a.dev->dev, a.agno);
	agcheck_invariants(&k2);
	madeag_check_records(&a, &k2);
	for (uint32_t b = 0; b < k.length; b++)
		if (k.tree_of[b] == 1 + XFS_TREE_INO || k.tree_of[b] == 1 + XFS_TREE_FINO)
			qk_assert_uint_eq(k2.tree_of[b], k.tree_of[b]);
	agcheck_release(&k);
	agcheck_release(&k2);
	xfs_ag_switch_release(&sw);
	xfs_claims_free(c);
	madeag_release(&a);
}

START_TEST(kept_and_avoided)
{
	for (uint64_t seed = 0; seed < 12; seed++)
		run_again(seed);
}
END_TEST

/* All is kept: only headers are made, and they are the old ones. */
START_TEST(everything_kept)
{
	struct testrand rnd = { 3 };
	struct madeag_density d = { 40, 50, 5 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct xfs_ag_switch sw, again;
	struct agcheck k;
	struct madeag a;

	madeag_init(&a, &madeag_kinds[0], MADEAG);
	madeag_fill(&a, &rnd, &d);
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);
	keep(&want, &k, XFS_TREE_BNO, k.agf.bnoroot, k.agf.bnolevel);
	keep(&want, &k, XFS_TREE_CNT, k.agf.cntroot, k.agf.cntlevel);
	keep(&want, &k, XFS_TREE_INO, k.agi.root, k.agi.level);
	keep(&want, &k, XFS_TREE_FINO, k.agi.free_root, k.agi.free_level);
	keep(&want, &k, XFS_TREE_RMAP, k.agf.rmaproot, k.agf.rmaplevel);
	keep(&want, &k, XFS_TREE_REFC, k.agf.refcntroot, k.agf.refcntlevel);
	qk_assert_int_eq(xfs_build_ag(&want, &again), -XFS_E_INVALID);	/* a new free list would take blocks */
	want.agfl = k.agfl;
	want.nagfl = k.agf.flcount;
	recdev_forget(a.dev);
	qk_assert_int_eq(xfs_build_ag(&want, &again), 0);
	qk_assert_uint_eq(a.dev->vectors, 0);
	qk_assert_mem_eq(sw.agf, again.agf, a.geo.sectsize);
	qk_assert_mem_eq(sw.agi, again.agi, a.geo.sectsize);
	qk_assert_mem_eq(sw.agfl, again.agfl, a.geo.sectsize);
	xfs_ag_switch_release(&again);
	want.policy[XFS_TREE_FINO] = XFS_BUILD_FRESH;
	qk_assert_int_eq(xfs_build_ag(&want, &again), -XFS_E_INVALID);
	agcheck_release(&k);
	xfs_ag_switch_release(&sw);
	xfs_claims_free(c);
	madeag_release(&a);
}
END_TEST

/* New blocks beside claims of the same owner join them: the number of records must be foreseen. */
START_TEST(beside_their_like)
{
	static const uint64_t owners[] = { XFS_OWN_AG, XFS_OWN_INOBT, XFS_OWN_REFC, 131 };

	for (uint64_t seed = 0; seed < 100; seed++) {
		struct testrand rnd = { seed };
		struct xfs_build_ag want;
		struct xfs_ag_switch sw;
		struct xfs_claims *c;
		struct agcheck k;
		struct madeag a;

		madeag_init(&a, &madeag_kinds[seed & 1], MADEAG);
		for (uint32_t at = 3, len; at < 4000; at += len + testrand_below(&rnd, 3)) {
			len = 1 + testrand_below(&rnd, 2);
			madeag_claim(&a, at, len, owners[testrand_below(&rnd, 4)], 0);
		}
		c = madeag_seal(&a);
		for (uint32_t at = 3; seed & 4 && at < 4000; at += testrand_below(&rnd, 9))
			qk_assert_int_eq(xfs_claims_avoid(c, a.agno, at, 1 + testrand_below(&rnd, 3)), 0);
		want = madeag_request(&a, c);
		qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
		qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
		agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);
		madeag_check_records(&a, &k);
		agcheck_release(&k);
		xfs_ag_switch_release(&sw);
		xfs_claims_free(c);
		madeag_release(&a);
	}
}
END_TEST

/* ---- what cannot be built ---- */

START_TEST(bad_requests)
{
	static const struct { struct xfs_claim add[2]; int want; } rows[] = {
		{ { { 0, 1, XFS_OWN_FS, 0 }, { 100, 4, 131, 0 } }, 0 },
		{ { { 0, 2, XFS_OWN_FS, 0 }, { 100, 4, 131, 0 } }, -XFS_E_OVERLAP },
		{ { { 0, 1, 131, 0 }, { 100, 4, 131, 0 } }, -XFS_E_OVERLAP },
		{ { { 90, 11, XFS_OWN_LOG, 0 }, { 100, 4, 131, 0 } }, -XFS_E_OVERLAP },
		{ { { 100, 4, 131, 0 }, { 100, 4, 131, 0 } }, -XFS_E_OVERLAP },
		{ { { 100, 4, 132, 0 }, { 100, 4, 131, 0 } }, 0 },
	};
	struct testfs fs = { .agblocks = 5000, .agcount = 2 };
	const struct xfs_inode_chunk chunks[] = { { 128, 0, 64, 65, 0 }, { 128, 0, 64, 1, 1 }, { 64, 0, 64, 1, 1 } };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(rows); i++) {
		struct xfs_ag_switch sw;
		struct xfs_build_ag want;
		struct xfs_claims *c;
		struct madeag a;

		madeag_init(&a, &fs, MADEAG);
		for (unsigned n = 0; n < 2; n++)
			madeag_claim(&a, rows[i].add[n].agbno, rows[i].add[n].len, rows[i].add[n].owner,
				     rows[i].add[n].offset);
		c = madeag_seal(&a);
		want = madeag_request(&a, c);
		want.chunks = chunks;
		want.nchunks = 1;
		qk_assert_int_eq(xfs_build_ag(&want, &sw), -XFS_E_INVALID);
		want.chunks = chunks + 1;
		want.nchunks = 2;
		qk_assert_int_eq(xfs_build_ag(&want, &sw), -XFS_E_INVALID);
		want.nchunks = 1;
		qk_assert_int_eq(xfs_build_ag(&want, &sw), rows[i].want);
		qk_assert(rows[i].want ? sw.agf == NULL : sw.agf != NULL);
		if (rows[i].want)
			qk_assert_uint_eq(a.dev->vectors, 0);
		want.agno = XFS_AGNO(2);
		if (rows[i].want)
			qk_assert_int_eq(xfs_build_ag(&want, &sw), -XFS_E_RANGE);
		xfs_ag_switch_release(&sw);
		xfs_claims_free(c);
		madeag_release(&a);
	}
}
END_TEST

/* Every write fails once: an error, and nothing is left behind. */
START_TEST(failing_writes)
{
	struct testrand rnd = { 9 };
	struct madeag_density d = { 40, 50, 2 };
	struct madeag a;
	int err = -1;

	madeag_init(&a, &madeag_kinds[1], MADEAG);
	madeag_fill(&a, &rnd, &d);
	for (uint64_t n = 1; err; n++) {
		struct xfs_dev_fault plan = { .fail_write_at = n };
		struct xfs_claims *c = madeag_seal(&a);
		struct xfs_build_ag want = madeag_request(&a, c);
		struct xfs_ag_switch sw;

		qk_assert_int_eq(xfs_dev_fault(&want.dev, &a.dev->dev, &plan), 0);
		err = xfs_build_ag(&want, &sw);
		qk_assert(err == 0 || err == -XFS_E_FAULT);
		qk_assert((err == 0) == (plan.writes < n));
		xfs_ag_switch_release(&sw);
		xfs_claims_free(c);
		free(want.dev);		/* the layer alone */
		qk_assert_uint_lt(n, 2000);
	}
	madeag_release(&a);
}
END_TEST

/* Every allocation fails once, from the first claim to the headers: NOMEM, and nothing leaks. */
START_TEST(out_of_memory)
{
	struct testrand rnd = { 11 };
	struct madeag_density d = { 40, 50, 2 };
	unsigned failed = 0;
	struct madeag a;

	madeag_init(&a, &madeag_kinds[1], MADEAG);
	madeag_fill(&a, &rnd, &d);
	for (uint64_t n = 1; ; n++) {
		struct xfs_claims *c = NULL;
		struct xfs_ag_switch sw = { .agf = NULL };
		int err;

		failmalloc_start(n, false);
		err = xfs_claims_new(&c, &a.geo, 0, NULL);
		for (size_t i = 0; i < a.nclaims && !err; i++)
			err = xfs_claims_add(c, a.agno, &a.claims[i]);
		if (!err)
			err = xfs_claims_seal(c, a.agno);
		if (!err)
			err = xfs_claims_avoid(c, a.agno, 3000, 10);
		if (!err) {
			struct xfs_build_ag want = madeag_request(&a, c);

			err = xfs_build_ag(&want, &sw);
		}
		xfs_ag_switch_release(&sw);
		xfs_claims_free(c);
		if (failmalloc_stop() < n) {
			qk_assert_int_eq(err, 0);
			break;
		}
		qk_assert(err == -XFS_E_NOMEM || err == 0);	/* arrays may stay larger than they need be */
		failed += err != 0;
	}
	qk_assert_uint_gt(failed, 20);
	madeag_release(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("build-ag-again");
	TCase *r = tcase_create("again"), *e = tcase_create("errors");

	tcase_set_timeout(r, 120);
	tcase_add_test(r, kept_and_avoided);
	tcase_add_test(r, everything_kept);
	tcase_add_test(r, beside_their_like);
	tcase_add_test(e, bad_requests);
	tcase_add_test(e, failing_writes);
	tcase_add_test(e, out_of_memory);
	suite_add_tcase(s, r);
	suite_add_tcase(s, e);
	return vectors_main(s);
}
