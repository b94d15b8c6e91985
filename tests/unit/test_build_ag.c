/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_ag.c - AGs built from claims: fresh layouts as mkfs makes them, random ones checked block by block. */
#include "tests/unit/madeag.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* ---- fresh filesystems ---- */

struct fresh {
	struct testfs fs;
	uint32_t agno, roots[XFS_TREE_COUNT], agfl, nagfl;	/* roots: 0 = no such tree */
	uint32_t log, loglen, inodes;				/* claims, blocks */
	uint32_t freeblks, longest;
};

/* Observed on images of mkfs.xfs. */
static const struct fresh fresh[] = {
	{ { .agblocks = 131072, .agcount = 4 }, 0, { 1, 2, 3, 4, 5, 6 }, 7, 6, 0, 0, 16, 131051, 131048 },
	{ { .agblocks = 131072, .agcount = 4 }, 1, { 1, 2, 3, 4, 5, 6 }, 7, 6, 0, 0, 0, 131059, 131059 },
	{ { .agblocks = 65520, .agcount = 8 }, 4, { 1, 2, 3, 4, 5, 6 }, 7, 6, 16, 16384, 0, 49123, 49120 },
	{ { .agblocks = 22392, .agcount = 8 }, 4, { 1, 2, 3, 4, 5, 6 }, 16392, 6, 8, 16384, 0, 5995, 5994 },
	{ { .agblocks = 65536, .agcount = 4 }, 2, { 1, 2, 3, 4, 5, 6 }, 16391, 6, 7, 16384, 0, 49139, 49139 },
	{ { .agblocks = 38400, .agcount = 4, .no_reflink = true }, 0, { 1, 2, 3, 4, 5, 0 }, 6, 6, 0, 0, 12, 38380,
	  38380 },
	{ { .agblocks = 38400, .agcount = 4, .no_reflink = true }, 2, { 1, 2, 3, 4, 5, 0 }, 16390, 6, 6, 16384, 0,
	  22004, 22004 },
	{ { .agblocks = 38400, .agcount = 4, .no_finobt = true }, 1, { 1, 2, 3, 0, 4, 5 }, 6, 6, 0, 0, 0, 38388,
	  38388 },
	{ { .agblocks = 38400, .agcount = 4, .sectsize = 4096 }, 0, { 4, 5, 6, 7, 8, 9 }, 10, 6, 0, 0, 16, 38376,
	  38376 },
	{ { .agblocks = 38400, .agcount = 4, .sectsize = 4096 }, 2, { 4, 5, 6, 7, 8, 9 }, 16394, 6, 10, 16384, 0, 22000,
	  22000 },
	{ { .blocksize = 1024, .agblocks = 153600, .agcount = 4, .no_rmapbt = true }, 0, { 2, 3, 4, 5, 0, 6 }, 7, 4, 0,
	  0, 32, 153557, 153536 },
	{ { .blocksize = 1024, .agblocks = 153600, .agcount = 4, .no_rmapbt = true }, 2, { 2, 3, 4, 5, 0, 6 }, 65543, 4,
	  7, 65536, 0, 88053, 88053 },
	{ { .blocksize = 512, .agblocks = 307200, .agcount = 4, .v4 = true }, 0, { 4, 5, 6, 0, 0, 0 }, 7, 4, 0, 0, 16,
	  307157, 307152 },
	{ { .blocksize = 512, .agblocks = 307200, .agcount = 4, .v4 = true }, 2, { 4, 5, 6, 0, 0, 0 }, 131079, 4, 7,
	  131072, 0, 176117, 176117 },
	{ { .blocksize = 65536, .agblocks = 16384, .agcount = 4, .no_rmapbt = true }, 0, { 1, 2, 3, 4, 0, 5 }, 6, 4, 0,
	  0, 10, 16373, 16373 },
	{ { .blocksize = 65536, .agblocks = 16384, .agcount = 4, .no_rmapbt = true }, 2, { 1, 2, 3, 4, 0, 5 }, 1030, 4,
	  6, 1024, 0, 15350, 15350 },
};

static void check_fresh(const struct fresh *f)
{
	struct xfs_ag_switch sw;
	struct xfs_build_ag want;
	struct xfs_claims *c;
	struct agcheck k;
	struct madeag a;

	madeag_init(&a, &f->fs, XFS_AGNO(f->agno));
	if (f->log)
		madeag_claim(&a, f->log, f->loglen, XFS_OWN_LOG, 0);
	if (f->inodes)
		madeag_inodes(&a, f->inodes, 0, ~UINT64_C(7));
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	qk_assert_uint_eq(sw.freeblks, f->freeblks);
	qk_assert_uint_eq(sw.flcount, f->nagfl);
	qk_assert_uint_eq(sw.btreeblks, 0);
	agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);
	agcheck_invariants(&k);
	qk_assert_uint_eq(k.agf.bnoroot, f->roots[XFS_TREE_BNO]);
	qk_assert_uint_eq(k.agf.cntroot, f->roots[XFS_TREE_CNT]);
	qk_assert_uint_eq(k.agi.root, f->roots[XFS_TREE_INO]);
	qk_assert_uint_eq(k.agi.free_root, f->roots[XFS_TREE_FINO]);
	qk_assert_uint_eq(k.agf.rmaproot, f->roots[XFS_TREE_RMAP]);
	qk_assert_uint_eq(k.agf.refcntroot, f->roots[XFS_TREE_REFC]);
	qk_assert_uint_eq(k.agf.longest, f->longest);
	qk_assert_uint_eq(k.agf.flfirst, 1);
	qk_assert_uint_eq(k.agf.fllast, f->nagfl);
	for (uint32_t i = 0; i < f->nagfl; i++)
		qk_assert_uint_eq(k.agfl[i], f->agfl + i);
	agcheck_release(&k);
	xfs_ag_switch_release(&sw);
	xfs_claims_free(c);
	madeag_release(&a);
}

START_TEST(fresh_layouts)
{
	for (size_t i = 0; i < XFS_ARRAY_SIZE(fresh); i++)
		check_fresh(&fresh[i]);
}
END_TEST

/* format sheet 02, section 4.12 */
START_TEST(fresh_rmap_records)
{
	static const struct xfs_claim records[] = {
		{ 0, 1, XFS_OWN_FS, 0 }, { 1, 2, XFS_OWN_AG, 0 }, { 3, 2, XFS_OWN_INOBT, 0 }, { 5, 1, XFS_OWN_AG, 0 },
		{ 6, 1, XFS_OWN_REFC, 0 }, { 7, 6, XFS_OWN_AG, 0 }, { 16, 8, XFS_OWN_INODES, 0 },
	};
	struct testfs fs = { .agblocks = 131072, .agcount = 4 };
	struct xfs_ag_switch sw;
	struct xfs_build_ag want;
	struct xfs_claims *c;
	struct agcheck k;
	struct madeag a;

	madeag_init(&a, &fs, XFS_AGNO(0));
	madeag_inodes(&a, 16, 0, ~UINT64_C(7));
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	want.newino = 128;
	want.lsn = UINT64_C(0x100000010);
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);
	qk_assert_uint_eq(k.recs[XFS_TREE_RMAP].n, XFS_ARRAY_SIZE(records));
	for (size_t i = 0; i < XFS_ARRAY_SIZE(records); i++) {
		struct xfs_claim got = agcheck_rmap(&k, i);

		qk_assert_mem_eq(&got, &records[i], sizeof(got));
	}
	qk_assert_uint_eq(k.agi.newino, 128);
	qk_assert_uint_eq(k.agi.count, 64);
	qk_assert_uint_eq(k.agi.freecount, 61);
	qk_assert_uint_eq(k.agf.lsn, want.lsn);
	qk_assert_uint_eq(k.agi.lsn, want.lsn);
	qk_assert_uint_eq(xfs_be64(a.dev->bytes + 4096 + XFS_OFF(btree_short, lsn)), want.lsn);
	agcheck_release(&k);
	xfs_ag_switch_release(&sw);
	xfs_claims_free(c);
	madeag_release(&a);
}
END_TEST

/* ---- random AGs ---- */

static int run(const struct testfs *fs, const struct madeag_density *d, uint64_t seed, int slack)
{
	struct testrand rnd = { seed };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct madeag a;
	int err;

	madeag_init(&a, fs, MADEAG);
	madeag_fill(&a, &rnd, d);
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	want.leaf_slack = want.node_slack = slack;
	want.agfl_from_zero = seed & 1;
	err = madeag_build(&a, &want, NULL);
	xfs_claims_free(c);
	madeag_release(&a);
	return err;
}

START_TEST(random_ags)
{
	static const struct madeag_density densities[] = { { 50, 40, 12 }, { 30, 80, 3 }, { 90, 10, 6 },
							   { 50, 100, 1 } };

	for (size_t k = 0; k < XFS_ARRAY_SIZE(madeag_kinds); k++)
		for (uint64_t seed = 0; seed < 4; seed++)
			qk_assert_int_eq(run(&madeag_kinds[k], &densities[seed % 4], seed + 100 * k,
					     seed % 3 == 2 ? 0 : -1), 0);
}
END_TEST

/* hardly any room: single free blocks that the trees eat up, or too few */
START_TEST(full_ags)
{
	unsigned built = 0, nospc = 0;

	for (size_t k = 0; k < XFS_ARRAY_SIZE(madeag_kinds); k++)
		for (uint64_t seed = 0; seed < 6; seed++) {
			struct madeag_density d = { (unsigned)seed, 60, 4 + 6 * (seed % 3) };
			int err = run(&madeag_kinds[k], &d, seed, -1);

			qk_assert(err == 0 || err == -XFS_E_NOSPC);
			built += !err;
			nospc += err != 0;
		}
	qk_assert_uint_gt(built, 5);
	qk_assert_uint_gt(nospc, 2);
}
END_TEST

/* three levels and more, many blocks, few writes */
START_TEST(large_ag)
{
	struct testfs fs = { .blocksize = 1024, .agblocks = 600000, .agcount = 2 };
	struct madeag_density d = { 30, 50, 4 };
	struct testrand rnd = { 77 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	uint64_t vectors;
	struct madeag a;

	madeag_init(&a, &fs, MADEAG);
	madeag_fill(&a, &rnd, &d);
	for (size_t i = 0; i < a.nclaims; i++)	/* 16 MiB for the trees to be in one piece */
		if (a.claims[i].agbno < 16384) {
			a.claims[i--] = a.claims[--a.nclaims];
		}
	for (size_t i = 0; i < a.nchunks; i++)
		if (a.chunks[i].startino < 16384u << a.geo.inopblog) {
			memmove(&a.chunks[i], &a.chunks[i + 1], (a.nchunks - i - 1) * sizeof(a.chunks[0]));
			a.nchunks--;
			i--;
		}
	c = madeag_seal(&a);
	want = madeag_request(&a, c);
	qk_assert_int_eq(madeag_build(&a, &want, &vectors), 0);
	qk_assert_uint_lt(vectors, 20);
	xfs_claims_free(c);
	madeag_release(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("build-ag");
	TCase *f = tcase_create("fresh"), *r = tcase_create("random");

	tcase_set_timeout(r, 120);
	tcase_set_timeout(f, 60);
	tcase_add_test(f, fresh_layouts);
	tcase_add_test(f, fresh_rmap_records);
	tcase_add_test(r, random_ags);
	tcase_add_test(r, full_ags);
	tcase_add_test(r, large_ag);
	suite_add_tcase(s, f);
	suite_add_tcase(s, r);
	return vectors_main(s);
}
