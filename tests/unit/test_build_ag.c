/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_ag.c - AGs built from claims: fresh layouts as mkfs makes them, random ones checked block by block. */
#include "libxfs/base/errors.h"
#include "libxfs/build/ag.h"
#include "tests/unit/agcheck.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/recdev.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define AG1 XFS_AGNO(1)

struct ag {
	struct xfs_geometry geo;
	struct recdev *dev;
	xfs_agno_t agno;
	struct xfs_claim *claims;	/* without the trees' own */
	size_t nclaims;
	struct xfs_inode_chunk *chunks;
	size_t nchunks;
};

static void ag_init(struct ag *a, const struct testfs *fs, xfs_agno_t agno)
{
	memset(a, 0, sizeof(*a));
	testfs_init(&a->geo, fs);
	a->agno = agno;
	a->dev = recdev_new(xfs_agbno_daddr(&a->geo, agno, XFS_AGBNO(0)).v << XFS_BBSHIFT,
			    (uint64_t)xfs_ag_length(&a->geo, agno) * a->geo.blocksize);
}

static void ag_release(struct ag *a)
{
	xfs_dev_close(&a->dev->dev);
	free(a->claims);
	free(a->chunks);
}

static void ag_claim(struct ag *a, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset)
{
	if ((a->nclaims & (a->nclaims - 1)) == 0)
		a->claims = realloc(a->claims, (a->nclaims ? 2 * a->nclaims : 1) * sizeof(*a->claims));
	a->claims[a->nclaims++] = (struct xfs_claim){ agbno, len, owner, offset };
}

static void ag_chunk(struct ag *a, const struct xfs_inode_chunk *c)
{
	if ((a->nchunks & (a->nchunks - 1)) == 0)
		a->chunks = realloc(a->chunks, (a->nchunks ? 2 * a->nchunks : 1) * sizeof(*a->chunks));
	a->chunks[a->nchunks++] = *c;
}

static struct xfs_claims *sealed(const struct ag *a)
{
	struct xfs_claims *c;

	qk_assert_int_eq(xfs_claims_new(&c, &a->geo, 64 << 20, NULL), 0);
	for (size_t i = 0; i < a->nclaims; i++)
		qk_assert_int_eq(xfs_claims_add(c, a->agno, &a->claims[i]), 0);
	qk_assert_int_eq(xfs_claims_seal(c, a->agno), 0);
	return c;
}

static struct xfs_build_ag request(const struct ag *a, struct xfs_claims *c)
{
	return (struct xfs_build_ag){ .geo = &a->geo, .claims = c, .agno = a->agno, .chunks = a->chunks,
		.nchunks = a->nchunks, .newino = XFS_NULL32, .leaf_slack = -1, .node_slack = -1, .dev = &a->dev->dev };
}

/* what a chunk of inodes at `agbno` claims; `half`: 1 or 2 = only the lower or upper half exists */
static void ag_inodes(struct ag *a, uint32_t agbno, unsigned half, uint64_t free)
{
	uint32_t per = 1u << a->geo.inopblog, blocks = per < 64 ? 64 / per : 1;
	struct xfs_inode_chunk c = { .startino = agbno << a->geo.inopblog, .count = half ? 32 : 64 };
	uint64_t there = half == 1 ? UINT32_MAX : half == 2 ? (uint64_t)UINT32_MAX << 32 : UINT64_MAX;

	c.holemask = half == 1 ? 0xff00 : half == 2 ? 0x00ff : 0;
	c.free = free | ~there;
	c.freecount = (uint8_t)__builtin_popcountll(c.free & there);
	ag_chunk(a, &c);
	for (uint32_t n = 64; n < per; n += 64) {	/* several chunks in one block */
		c.startino += 64;
		ag_chunk(a, &c);
	}
	ag_claim(a, agbno + (half == 2 ? blocks / 2 : 0), half ? blocks / 2 : blocks, XFS_OWN_INODES, 0);
}

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
	{ { .agblocks = 38400, .agcount = 4, .no_reflink = true }, 0, { 1, 2, 3, 4, 5, 0 }, 6, 6, 0, 0, 12, 38380, 38380 },
	{ { .agblocks = 38400, .agcount = 4, .no_reflink = true }, 2, { 1, 2, 3, 4, 5, 0 }, 16390, 6, 6, 16384, 0, 22004, 22004 },
	{ { .agblocks = 38400, .agcount = 4, .no_finobt = true }, 1, { 1, 2, 3, 0, 4, 5 }, 6, 6, 0, 0, 0, 38388, 38388 },
	{ { .agblocks = 38400, .agcount = 4, .sectsize = 4096 }, 0, { 4, 5, 6, 7, 8, 9 }, 10, 6, 0, 0, 16, 38376, 38376 },
	{ { .agblocks = 38400, .agcount = 4, .sectsize = 4096 }, 2, { 4, 5, 6, 7, 8, 9 }, 16394, 6, 10, 16384, 0, 22000, 22000 },
	{ { .blocksize = 1024, .agblocks = 153600, .agcount = 4, .no_rmapbt = true }, 0, { 2, 3, 4, 5, 0, 6 }, 7, 4, 0, 0, 32,
	  153557, 153536 },
	{ { .blocksize = 1024, .agblocks = 153600, .agcount = 4, .no_rmapbt = true }, 2, { 2, 3, 4, 5, 0, 6 }, 65543, 4, 7,
	  65536, 0, 88053, 88053 },
	{ { .blocksize = 512, .agblocks = 307200, .agcount = 4, .v4 = true }, 0, { 4, 5, 6, 0, 0, 0 }, 7, 4, 0, 0, 16, 307157,
	  307152 },
	{ { .blocksize = 512, .agblocks = 307200, .agcount = 4, .v4 = true }, 2, { 4, 5, 6, 0, 0, 0 }, 131079, 4, 7, 131072, 0,
	  176117, 176117 },
	{ { .blocksize = 65536, .agblocks = 16384, .agcount = 4, .no_rmapbt = true }, 0, { 1, 2, 3, 4, 0, 5 }, 6, 4, 0, 0, 10,
	  16373, 16373 },
	{ { .blocksize = 65536, .agblocks = 16384, .agcount = 4, .no_rmapbt = true }, 2, { 1, 2, 3, 4, 0, 5 }, 1030, 4, 6, 1024,
	  0, 15350, 15350 },
};

static void check_fresh(const struct fresh *f)
{
	struct xfs_ag_switch sw;
	struct xfs_build_ag want;
	struct xfs_claims *c;
	struct agcheck k;
	struct ag a;

	ag_init(&a, &f->fs, XFS_AGNO(f->agno));
	if (f->log)
		ag_claim(&a, f->log, f->loglen, XFS_OWN_LOG, 0);
	if (f->inodes)
		ag_inodes(&a, f->inodes, 0, ~UINT64_C(7));
	c = sealed(&a);
	want = request(&a, c);
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
	ag_release(&a);
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
	struct ag a;

	ag_init(&a, &fs, XFS_AGNO(0));
	ag_inodes(&a, 16, 0, ~UINT64_C(7));
	c = sealed(&a);
	want = request(&a, c);
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
	ag_release(&a);
}
END_TEST

/* ---- random AGs ---- */

struct density { unsigned gap, shared; uint32_t longest; };

static void random_file(struct ag *a, struct testrand *r, uint32_t at, uint32_t len)
{
	uint64_t ino = 131 + testrand_below(r, 40);

	switch (testrand_below(r, 12)) {
	case 0:
		ag_claim(a, at, len, ino, XFS_RMAP_BMBT | (testrand_below(r, 2) ? XFS_RMAP_ATTR : 0));
		break;
	case 1:
		ag_claim(a, at, len, ino, XFS_RMAP_ATTR | at);
		break;
	case 2:
	case 3:
		ag_claim(a, at, len, ino, XFS_RMAP_UNWRITTEN | (at + testrand_below(r, 2)));
		break;
	case 4:
		if (a->geo.reflink) {
			ag_claim(a, at, len, XFS_OWN_COW, 0);
			break;
		}
		/* fall through */
	default:
		ag_claim(a, at, len, ino, at + 3 * testrand_below(r, 2));
	}
}

static void random_ag(struct ag *a, struct testrand *r, const struct density *d)
{
	uint32_t length = xfs_ag_length(&a->geo, a->agno), per = 1u << a->geo.inopblog, chunk = per < 64 ? 64 / per : 1;
	size_t n;

	for (uint32_t at = a->geo.agfl_block + 1, len; at < length; at += len) {
		len = 1 + testrand_below(r, d->longest);
		len = len < length - at ? len : length - at;
		if (testrand_below(r, 100) < d->gap)
			continue;
		if (testrand_below(r, 6) == 0 && at + 2 * chunk <= length) {
			uint32_t skip = (uint32_t)(xfs_round_up(at, chunk) - at);

			ag_inodes(a, at + skip, a->geo.sparse && chunk > 1 ? testrand_below(r, 3) : 0,
				  testrand_below(r, 2) ? 0 : testrand_next(r));
			len = skip + chunk;
			continue;
		}
		random_file(a, r, at, len);
	}
	n = a->nclaims;
	for (size_t i = 0; a->geo.reflink && i < n * d->shared / 100; i++) {
		struct xfs_claim c = a->claims[testrand_below(r, (uint32_t)n)];
		uint32_t skip = testrand_below(r, c.len);

		if (xfs_claim_shareable(&c))
			ag_claim(a, c.agbno + skip, 1 + testrand_below(r, c.len - skip), 1000 + i, testrand_below(r, 5));
	}
}

static int to_list(void *payload, const struct xfs_claim *c)
{
	struct ag *l = payload;

	ag_claim(l, c->agbno, c->len, c->owner, c->offset);
	return 0;
}

/* The rmapbt is exactly: what was claimed, and one claim for each block of trees and free list. */
static void check_records(const struct ag *a, const struct agcheck *k)
{
	struct xfs_claims *c;
	struct ag list = { .nclaims = 0 };

	qk_assert_int_eq(xfs_claims_new(&c, &a->geo, 64 << 20, NULL), 0);
	for (size_t i = 0; i < a->nclaims; i++)
		qk_assert_int_eq(xfs_claims_add(c, a->agno, &a->claims[i]), 0);
	qk_assert_int_eq(xfs_claims_add(c, a->agno, &(struct xfs_claim){ 0, a->geo.agfl_block + 1, XFS_OWN_FS, 0 }), 0);
	for (uint32_t b = 0; b < k->length; b++) {
		uint8_t t = k->tree_of[b];
		uint64_t owner = t == 1 + XFS_TREE_INO || t == 1 + XFS_TREE_FINO ? XFS_OWN_INOBT :
			t == 1 + XFS_TREE_REFC ? XFS_OWN_REFC : XFS_OWN_AG;

		if (t)
			qk_assert_int_eq(xfs_claims_add(c, a->agno, &(struct xfs_claim){ b, 1, owner, 0 }), 0);
	}
	qk_assert_int_eq(xfs_claims_seal(c, a->agno), 0);
	qk_assert_int_eq(xfs_claims_each(c, a->agno, to_list, &list), 0);
	qk_assert_uint_eq(list.nclaims, k->recs[XFS_TREE_RMAP].n);
	for (size_t i = 0; i < list.nclaims; i++) {
		struct xfs_claim got = agcheck_rmap(k, i);

		qk_assert_mem_eq(&got, &list.claims[i], sizeof(got));
	}
	free(list.claims);
	xfs_claims_free(c);
}

/* Only headers and all blocks of the trees were written, each once. */
static void check_writes(const struct ag *a, const struct agcheck *k)
{
	uint32_t per = a->geo.blocksize / 512, header = a->geo.sectsize / 512;

	for (uint64_t s = 0; s < (uint64_t)k->length * per; s++) {
		uint8_t owner = k->tree_of[s / per];
		bool want = (owner && owner != AGCHECK_AGFL) || (s >= header && s < 4 * header);

		qk_assert_msg(a->dev->written[s] == want, "sector %u", (unsigned)s);
	}
}

static void check_free_list(const struct ag *a, const struct agcheck *k)
{
	uint32_t min = xfs_agfl_minimum(&a->geo, k->agf.bnolevel, k->agf.cntlevel, k->agf.rmaplevel);

	/* a few blocks that a tree turned out not to need may be there too */
	qk_assert_uint_le(k->agf.flcount, min + 12);
	if (k->agf.freeblks)
		qk_assert_uint_ge(k->agf.flcount, min);
}

/* Builds with the claims, checks everything, leaves the result on the device. */
static int build(struct ag *a, struct xfs_build_ag *want, uint64_t *vectors)
{
	struct xfs_ag_switch sw;
	struct agcheck k;
	int err;

	recdev_forget(a->dev);
	err = xfs_build_ag(want, &sw);
	if (err)
		return err;
	if (vectors)
		*vectors = a->dev->vectors;
	qk_assert(a->dev->ascending);
	qk_assert_int_eq(xfs_build_ag_commit(want, &sw), 0);
	agcheck_read(&k, &a->geo, &a->dev->dev, a->agno);
	check_writes(a, &k);
	agcheck_invariants(&k);
	check_free_list(a, &k);
	if (a->geo.rmapbt)
		check_records(a, &k);
	qk_assert_uint_eq(sw.freeblks, k.agf.freeblks);
	qk_assert_uint_eq(sw.flcount, k.agf.flcount);
	qk_assert_uint_eq(sw.icount, k.agi.count);
	qk_assert_uint_eq(sw.ifree, k.agi.freecount);
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		qk_assert_uint_eq(sw.tree_blocks[t], k.tree_blocks[t]);
	agcheck_release(&k);
	xfs_ag_switch_release(&sw);
	return 0;
}

static int run(const struct testfs *fs, const struct density *d, uint64_t seed, int slack)
{
	struct testrand rnd = { seed };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct ag a;
	int err;

	ag_init(&a, fs, AG1);
	random_ag(&a, &rnd, d);
	c = sealed(&a);
	want = request(&a, c);
	want.leaf_slack = want.node_slack = slack;
	want.agfl_from_zero = seed & 1;
	err = build(&a, &want, NULL);
	xfs_claims_free(c);
	ag_release(&a);
	return err;
}

static const struct testfs kinds[] = {
	{ .agblocks = 5000, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .last = 19000 },
	{ .blocksize = 65536, .agblocks = 500, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_reflink = true },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_rmapbt = true },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_finobt = true, .no_sparse = true },
	{ .blocksize = 512, .agblocks = 33000, .agcount = 2, .v4 = true },
	{ .blocksize = 4096, .agblocks = 20000, .agcount = 2, .v4 = true },
	{ .blocksize = 2048, .sectsize = 1024, .agblocks = 20000, .agcount = 2, .no_inobtcnt = true },
};

START_TEST(random_ags)
{
	static const struct density densities[] = { { 50, 40, 12 }, { 30, 80, 3 }, { 90, 10, 6 }, { 50, 100, 1 } };

	for (size_t k = 0; k < XFS_ARRAY_SIZE(kinds); k++)
		for (uint64_t seed = 0; seed < 4; seed++)
			qk_assert_int_eq(run(&kinds[k], &densities[seed % 4], seed + 100 * k, seed % 3 == 2 ? 0 : -1), 0);
}
END_TEST

/* hardly any room: single free blocks that the trees eat up, or too few */
START_TEST(full_ags)
{
	unsigned built = 0, nospc = 0;

	for (size_t k = 0; k < XFS_ARRAY_SIZE(kinds); k++)
		for (uint64_t seed = 0; seed < 6; seed++) {
			struct density d = { (unsigned)seed, 60, 4 + 6 * (seed % 3) };
			int err = run(&kinds[k], &d, seed, -1);

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
	struct density d = { 30, 50, 4 };
	struct testrand rnd = { 77 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	uint64_t vectors;
	struct ag a;

	ag_init(&a, &fs, AG1);
	random_ag(&a, &rnd, &d);
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
	c = sealed(&a);
	want = request(&a, c);
	qk_assert_int_eq(build(&a, &want, &vectors), 0);
	qk_assert_uint_lt(vectors, 20);
	xfs_claims_free(c);
	ag_release(&a);
}
END_TEST

/* ---- rebuilding ---- */

static void avoid_tree(struct xfs_claims *c, const struct agcheck *k, unsigned what)
{
	for (uint32_t b = 0; b < k->length; b++)
		if (k->tree_of[b] == what)
			qk_assert_int_eq(xfs_claims_avoid(c, k->agno, b, 1), 0);
}

static void claim_tree(struct ag *a, const struct agcheck *k, unsigned what, uint64_t owner)
{
	for (uint32_t b = 0; b < k->length; b++)
		if (k->tree_of[b] == what)
			ag_claim(a, b, 1, owner, 0);
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
	struct density d = { 40, 50, 5 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct xfs_ag_switch sw;
	struct agcheck k, k2;
	size_t nclaims;
	struct ag a;

	ag_init(&a, &kinds[1], AG1);
	random_ag(&a, &rnd, &d);
	c = sealed(&a);
	want = request(&a, c);
	qk_assert_int_eq(build(&a, &want, NULL), 0);
	xfs_claims_free(c);
	agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);

	nclaims = a.nclaims;
	claim_tree(&a, &k, 1 + XFS_TREE_INO, XFS_OWN_INOBT);
	claim_tree(&a, &k, 1 + XFS_TREE_FINO, XFS_OWN_INOBT);
	if (seed & 1)
		claim_tree(&a, &k, 1 + XFS_TREE_REFC, XFS_OWN_REFC);
	c = sealed(&a);
	a.nclaims = nclaims;
	if (seed & 2)
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(replaced); i++)
			avoid_tree(c, &k, replaced[i]);
	if (seed & 2 && !(seed & 1))
		avoid_tree(c, &k, 1 + XFS_TREE_REFC);
	want = request(&a, c);
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
	check_records(&a, &k2);
	for (uint32_t b = 0; b < k.length; b++)
		if (k.tree_of[b] == 1 + XFS_TREE_INO || k.tree_of[b] == 1 + XFS_TREE_FINO)
			qk_assert_uint_eq(k2.tree_of[b], k.tree_of[b]);
	agcheck_release(&k);
	agcheck_release(&k2);
	xfs_ag_switch_release(&sw);
	xfs_claims_free(c);
	ag_release(&a);
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
	struct density d = { 40, 50, 5 };
	struct xfs_claims *c;
	struct xfs_build_ag want;
	struct xfs_ag_switch sw, again;
	struct agcheck k;
	struct ag a;

	ag_init(&a, &kinds[0], AG1);
	random_ag(&a, &rnd, &d);
	c = sealed(&a);
	want = request(&a, c);
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
	ag_release(&a);
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
		struct ag a;

		ag_init(&a, &kinds[seed & 1], AG1);
		for (uint32_t at = 3, len; at < 4000; at += len + testrand_below(&rnd, 3)) {
			len = 1 + testrand_below(&rnd, 2);
			ag_claim(&a, at, len, owners[testrand_below(&rnd, 4)], 0);
		}
		c = sealed(&a);
		for (uint32_t at = 3; seed & 4 && at < 4000; at += testrand_below(&rnd, 9))
			qk_assert_int_eq(xfs_claims_avoid(c, a.agno, at, 1 + testrand_below(&rnd, 3)), 0);
		want = request(&a, c);
		qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
		qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
		agcheck_read(&k, &a.geo, &a.dev->dev, a.agno);
		check_records(&a, &k);
		agcheck_release(&k);
		xfs_ag_switch_release(&sw);
		xfs_claims_free(c);
		ag_release(&a);
	}
}
END_TEST

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
		struct ag a;

		ag_init(&a, &fs, AG1);
		for (unsigned n = 0; n < 2; n++)
			ag_claim(&a, rows[i].add[n].agbno, rows[i].add[n].len, rows[i].add[n].owner, rows[i].add[n].offset);
		c = sealed(&a);
		want = request(&a, c);
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
		ag_release(&a);
	}
}
END_TEST

/* Every write fails once: an error, and nothing is left behind. */
START_TEST(failing_writes)
{
	struct testrand rnd = { 9 };
	struct density d = { 40, 50, 2 };
	struct ag a;
	int err = -1;

	ag_init(&a, &kinds[1], AG1);
	random_ag(&a, &rnd, &d);
	for (uint64_t n = 1; err; n++) {
		struct xfs_dev_fault plan = { .fail_write_at = n };
		struct xfs_claims *c = sealed(&a);
		struct xfs_build_ag want = request(&a, c);
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
	ag_release(&a);
}
END_TEST

/* Every allocation fails once, from the first claim to the headers: NOMEM, and nothing leaks. */
START_TEST(out_of_memory)
{
	struct testrand rnd = { 11 };
	struct density d = { 40, 50, 2 };
	unsigned failed = 0;
	struct ag a;

	ag_init(&a, &kinds[1], AG1);
	random_ag(&a, &rnd, &d);
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
			struct xfs_build_ag want = request(&a, c);

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
	ag_release(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("build-ag");
	TCase *f = tcase_create("fresh"), *r = tcase_create("random"), *e = tcase_create("errors");

	tcase_set_timeout(r, 120);
	tcase_set_timeout(f, 60);
	tcase_add_test(f, fresh_layouts);
	tcase_add_test(f, fresh_rmap_records);
	tcase_add_test(r, random_ags);
	tcase_add_test(r, full_ags);
	tcase_add_test(r, large_ag);
	tcase_add_test(r, kept_and_avoided);
	tcase_add_test(r, everything_kept);
	tcase_add_test(r, beside_their_like);
	tcase_add_test(e, bad_requests);
	tcase_add_test(e, failing_writes);
	tcase_add_test(e, out_of_memory);
	suite_add_tcase(s, f);
	suite_add_tcase(s, r);
	suite_add_tcase(s, e);
	return vectors_main(s);
}
