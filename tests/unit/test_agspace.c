/* SPDX-License-Identifier: BSD-2-Clause */
/* test_agspace.c - which extents allocations get, the free list, reservations, damage, failures, cost. */
#include "libxfs/space/agspace.h"
#include "libxfs/space/refcount.h"
#include "libxfs/space/rmap.h"
#include "libxfs/base/crc32c.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/quick.h"
#include "tests/unit/spacefs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* Blocks that some inode uses for its own tree: no other tree of the AG speaks of them. */
#define OWNER 777
#define BTREE_BLOCKS .owner = OWNER, .offset = XFS_RMAP_BMBT

static struct spacefs s;
static const struct testfs small = { .blocksize = 4096, .agblocks = 4096, .agcount = 1 };

static void check(void)
{
	struct agcheck a;

	spacefs_check(&s, &a);
	agcheck_release(&a);
}

/* Everything but these extents is in use. */
static void start(const struct xfs_bnobt_rec *frees, size_t n)
{
	struct xfs_claim claims[64];
	uint32_t at = 16;	/* the trees and the free list lie before */
	struct spacefs_options o = { .fs = small, .claims = claims };

	for (size_t i = 0; i <= n; i++) {
		uint32_t end = i < n ? frees[i].startblock : small.agblocks;

		claims[o.nclaims++] = (struct xfs_claim){ at, end - at, 1000 + i, 0 };
		at = i < n ? end + frees[i].blockcount : end;
	}
	spacefs_init(&s, &o);
	spacefs_begin(&s);
}

/* ---- choice ---- */

static const struct xfs_bnobt_rec layout[] = {
	{ 100, 7 }, { 200, 64 }, { 301, 20 }, { 500, 8 }, { 600, 9 }, { 1003, 30 }, { 2000, 1000 }, { 3500, 8 },
};

struct choice { struct xfs_alloc a; uint32_t agbno, len; };	/* len 0: NOSPC */
#define REQ(h, t, lo, hi, al) { .how = XFS_ALLOC_##h, .target = t, .minlen = lo, .maxlen = hi, .alignment = al, \
	BTREE_BLOCKS }
static const struct choice choices[] = {
	{ REQ(EXACT, 200, 1, 64, 0), 200, 64 }, { REQ(EXACT, 210, 10, 100, 0), 210, 54 },
	{ REQ(EXACT, 263, 2, 4, 0), 0, 0 }, { REQ(EXACT, 263, 1, 4, 0), 263, 1 }, { REQ(EXACT, 150, 1, 1, 0), 0, 0 },
	{ REQ(EXACT, 50, 1, 1, 0), 0, 0 }, { REQ(EXACT, 2048, 64, 64, 64), 2048, 64 },
	{ REQ(EXACT, 4095, 1, 1, 0), 0, 0 },
	/* the smallest that holds it, of equal ones the first */
	{ REQ(SIZE, 0, 8, 8, 0), 500, 8 }, { REQ(SIZE, 0, 1, 7, 0), 100, 7 }, { REQ(SIZE, 0, 9, 9, 0), 600, 9 },
	{ REQ(SIZE, 0, 21, 25, 0), 1003, 25 }, { REQ(SIZE, 0, 10, 3000, 0), 2000, 1000 },
	{ REQ(SIZE, 0, 1001, 2000, 0), 0, 0 },
	{ REQ(SIZE, 0, 64, 64, 64), 2048, 64 }, { REQ(SIZE, 0, 500, 512, 512), 2048, 512 },
	{ REQ(SIZE, 0, 900, 953, 1024), 2048, 952 }, { REQ(SIZE, 0, 953, 1000, 1024), 0, 0 },
	{ REQ(SIZE, 0, 8, 8, 8), 304, 8 },		/* 15 blocks hold it for sure */
	{ REQ(SIZE, 0, 200, 1000, 200), 2000, 1000 },	/* not a power of two */
	/* nearby, but the length comes first */
	{ REQ(NEAR, 510, 8, 8, 0), 500, 8 }, { REQ(NEAR, 560, 8, 8, 0), 600, 8 }, { REQ(NEAR, 230, 8, 8, 0), 230, 8 },
	{ REQ(NEAR, 260, 8, 8, 0), 256, 8 }, { REQ(NEAR, 502, 20, 20, 0), 301, 20 },
	{ REQ(NEAR, 700, 9, 30, 0), 1003, 30 },
	{ REQ(NEAR, 0, 64, 64, 0), 200, 64 }, { REQ(NEAR, 4095, 8, 8, 0), 3500, 8 },
	{ REQ(NEAR, 4095, 9, 9, 0), 2991, 9 },
	{ REQ(NEAR, 205, 8, 8, 16), 208, 8 }, { REQ(NEAR, 0, 32, 32, 32), 224, 32 },
	{ REQ(NEAR, 100, 8, 8, 64), 256, 8 },
	{ REQ(NEAR, 100, 5, 2000, 0), 2000, 1000 }, { REQ(NEAR, 100, 1001, 2000, 0), 0, 0 },
};

START_TEST(chosen_extents)
{
	const struct choice *c = &choices[_i];
	struct xfs_alloc a = c->a;
	int err;

	start(layout, XFS_ARRAY_SIZE(layout));
	err = xfs_agspace_alloc(s.ag, &a);
	ck_assert_int_eq(err, c->len ? 0 : -XFS_E_NOSPC);
	ck_assert_uint_eq(a.len, c->len);
	if (c->len)
		ck_assert_uint_eq(a.agbno, c->agbno);
	/* what is given can be given back */
	if (c->len)
		ck_assert_int_eq(xfs_agspace_free(s.ag, a.agbno, a.len, OWNER, XFS_RMAP_BMBT), 0);
	spacefs_sync(&s);
	check();
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	spacefs_release(&s);
}
END_TEST

START_TEST(bad_requests)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 0, .maxlen = 1, .owner = XFS_OWN_NULL };

	start(layout, XFS_ARRAY_SIZE(layout));
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), -XFS_E_INVALID);
	a.minlen = 2;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), -XFS_E_INVALID);
	a = (struct xfs_alloc){ .how = XFS_ALLOC_EXACT, .target = 2001, .alignment = 2, .minlen = 1, .maxlen = 1 };
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_agspace_free(s.ag, 0, 1, XFS_OWN_NULL, 0), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_agspace_free(s.ag, 4095, 2, XFS_OWN_NULL, 0), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_agspace_free(s.ag, 300, 0, XFS_OWN_NULL, 0), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_change_commit(&s.change), 0);
	/* not joined */
	a.alignment = 1;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_agspace_free(s.ag, 300, 1, XFS_OWN_NULL, 0), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_agspace_share(s.ag, 300, 1), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_agspace_fix_agfl(s.ag, false), -XFS_E_READONLY);
	spacefs_release(&s);
}
END_TEST

/* Freed twice, or by somebody else; by nobody in particular. */
START_TEST(wrong_frees)
{
	static const struct { uint32_t agbno, len; uint64_t owner; int err; } bad[] = {
		{ 100, 1, XFS_OWN_NULL, -XFS_E_CORRUPT }, { 98, 3, XFS_OWN_NULL, -XFS_E_CORRUPT },
		{ 106, 2, XFS_OWN_NULL, -XFS_E_CORRUPT }, { 150, 4, 778, -XFS_E_CORRUPT },
		{ 150, 60, XFS_OWN_UNKNOWN, -XFS_E_CORRUPT }, { 150, 4, XFS_OWN_UNKNOWN, 0 },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(bad); i++) {
		start(layout, XFS_ARRAY_SIZE(layout));
		ck_assert_int_eq(xfs_agspace_free(s.ag, bad[i].agbno, bad[i].len, bad[i].owner, 0), bad[i].err);
		if (bad[i].err)
			xfs_change_abort(&s.change);
		spacefs_sync(&s);
		check();
		spacefs_release(&s);
	}
}
END_TEST

/* ---- free list ---- */

/* An AG that growfs made has an empty one. */
START_TEST(empty_list)
{
	struct spacefs_options o = { .fs = small, .no_agfl = true };
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 10, .maxlen = 10, BTREE_BLOCKS };

	spacefs_init(&s, &o);
	ck_assert_uint_eq(s.ag->agf.flcount, 0);
	spacefs_begin(&s);
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), 0);
	ck_assert_uint_eq(s.ag->agf.flcount, 6);
	ck_assert_uint_eq(s.ag->agf.flfirst, 1);
	ck_assert_uint_eq(s.ag->agf.fllast, 6);
	ck_assert_int_eq(xfs_agspace_free(s.ag, a.agbno, a.len, OWNER, XFS_RMAP_BMBT), 0);
	spacefs_sync(&s);
	check();
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	spacefs_release(&s);
}
END_TEST

/* Too long a list, up to a full one, is cut; its blocks lie apart or side by side. */
START_TEST(long_list)
{
	uint32_t n = _i == 0 ? 7 : _i == 1 ? 60 : 119, agfl[119];
	struct xfs_claim claims[119];
	struct spacefs_options o = {
		.fs = small, .claims = claims, .nclaims = n, .agfl = agfl, .nagfl = n, .flfirst = 90,
	};

	for (uint32_t i = 0; i < n; i++) {
		agfl[i] = 1000 + (_i == 1 ? i : 7 * (n - i));
		claims[i] = (struct xfs_claim){ agfl[i], 1, XFS_OWN_AG, 0 };
	}
	spacefs_init(&s, &o);
	spacefs_begin(&s);
	ck_assert_int_eq(xfs_agspace_fix_agfl(s.ag, false), 0);
	ck_assert_uint_eq(s.ag->agf.flcount, 6);
	spacefs_sync(&s);
	check();
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	spacefs_release(&s);
}
END_TEST

/* When all is taken the list still has its length; then single blocks come back. */
START_TEST(last_blocks)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 1, .maxlen = 3, BTREE_BLOCKS };
	struct spacefs_options o = { .fs = small };
	uint32_t *got = calloc(small.agblocks, sizeof(*got)), n = 0;
	int err;

	spacefs_init(&s, &o);
	spacefs_begin(&s);
	while (!(err = xfs_agspace_alloc(s.ag, &a)))
		for (uint32_t i = 0; i < a.len; i++)
			got[n++] = a.agbno + i;
	ck_assert_int_eq(err, -XFS_E_NOSPC);
	ck_assert_uint_eq(s.ag->agf.freeblks, 0);
	ck_assert_uint_eq(s.ag->agf.longest, 0);
	ck_assert_uint_eq(s.ag->agf.flcount, 6);
	spacefs_sync(&s);
	check();
	spacefs_begin(&s);
	for (uint32_t i = 0; i < n; i += 2)	/* every other block: each free cuts a mapping */
		ck_assert_int_eq(xfs_agspace_free(s.ag, got[i], 1, OWNER, XFS_RMAP_BMBT), 0);
	ck_assert_uint_gt(s.ag->agf.rmaplevel, 1);
	for (uint32_t i = 1; i < n; i += 2)
		ck_assert_int_eq(xfs_agspace_free(s.ag, got[i], 1, OWNER, XFS_RMAP_BMBT), 0);
	ck_assert_int_eq(xfs_agspace_fix_agfl(s.ag, false), 0);
	ck_assert_uint_eq(s.ag->agf.flcount, 6);
	spacefs_sync(&s);
	check();
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	ck_assert_uint_eq(s.ag->agf.btreeblks, 0);
	free(got);
	spacefs_release(&s);
}
END_TEST

START_TEST(minimum_left)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 1, .maxlen = 4096, BTREE_BLOCKS };
	uint32_t have;

	start(layout, XFS_ARRAY_SIZE(layout));
	have = s.ag->agf.freeblks;
	a.minleft = have;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), -XFS_E_NOSPC);
	a.minleft = have - 5;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), 0);
	ck_assert_uint_eq(a.len, 5);
	spacefs_release(&s);
}
END_TEST

/* ---- reservations ---- */

START_TEST(reservations)
{
	struct spacefs_options o = { .fs = small };
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 1, .maxlen = 50, BTREE_BLOCKS };
	uint64_t meta, rmap, hidden;
	int err;

	spacefs_init(&s, &o);
	/* format sheet 01, section 11.4: 26 + 6 and 52 for 16 MiB */
	ck_assert_int_eq(xfs_agspace_reserve(s.ag, 1), 0);
	ck_assert_uint_eq(s.ag->meta_ask, 32);
	ck_assert_uint_eq(s.ag->rmap_ask, 52);
	meta = 32 - 2;
	rmap = 52 - 1;
	hidden = xfs_agspace_reserved(s.ag, XFS_POOL_NONE);
	ck_assert_uint_eq(hidden, meta + rmap);
	ck_assert_uint_eq(xfs_agspace_reserved(s.ag, XFS_POOL_META), rmap);
	spacefs_begin(&s);
	while (!(err = xfs_agspace_alloc(s.ag, &a)))
		;
	ck_assert_int_eq(err, -XFS_E_NOSPC);
	ck_assert_uint_eq(s.ag->agf.freeblks, hidden);
	/* the trees may still grow into what is left: each second block gets a count of its own */
	for (uint32_t b = 20; b < 1020; b += 2)
		ck_assert_int_eq(xfs_agspace_share(s.ag, b, 1), 0);
	ck_assert_uint_gt(s.ag->agf.refcntblocks, 1);
	ck_assert_uint_eq(s.ag->agf.freeblks, xfs_agspace_reserved(s.ag, XFS_POOL_NONE));
	a.pool = XFS_POOL_META;
	a.maxlen = 100;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), 0);
	ck_assert_uint_eq(s.ag->agf.freeblks, rmap);
	xfs_agspace_unreserve(s.ag);
	a.pool = XFS_POOL_NONE;
	ck_assert_int_eq(xfs_agspace_alloc(s.ag, &a), 0);
	ck_assert_uint_eq(s.ag->agf.freeblks, 0);
	ck_assert_int_eq(xfs_agspace_reserve(s.ag, 1), -XFS_E_NOSPC);
	ck_assert_uint_eq(xfs_agspace_reserved(s.ag, XFS_POOL_NONE), 0);
	spacefs_release(&s);
}
END_TEST

/* ---- damage ---- */

static void seal(uint8_t *block, uint32_t len, size_t crc) { xfs_crc32c_store(block, len, crc); }

static int run_some(void)
{
	struct xfs_alloc a = { .how = XFS_ALLOC_SIZE, .minlen = 20, .maxlen = 20, BTREE_BLOCKS };
	struct xfs_alloc cow = {
		.how = XFS_ALLOC_EXACT, .target = 2500, .minlen = 20, .maxlen = 20, .owner = XFS_OWN_NULL,
	};
	struct xfs_claim second = { 150, 20, 5000, 0 };
	int err;

	err = xfs_agspace_join(s.ag, &s.change);
	if (!err)
		err = xfs_agspace_alloc(s.ag, &a);
	if (!err)
		err = xfs_agspace_free(s.ag, a.agbno + 2, 3, OWNER, XFS_RMAP_BMBT);
	if (!err)
		err = xfs_agspace_alloc(s.ag, &cow);
	if (!err)
		err = xfs_agspace_cow_stage(s.ag, 2500, 20);
	if (!err)
		err = xfs_agspace_share(s.ag, 150, 20);
	if (!err)
		err = xfs_agspace_rmap_map(s.ag, &second, true);
	if (err) {
		xfs_change_abort(&s.change);
		return err;
	}
	return xfs_change_commit(&s.change);
}

/* What damage() breaks; run_some() or open must find it. */
enum broken { SLOT_OUTSIDE, SLOT_HEADER, COUNT, CNT_MISSING, BNO_LENGTH, FREE_TWICE, RMAP_RECORD, REFC_RECORD, BROKEN };

static void damage(enum broken what)
{
	uint8_t *disk = s.dev->bytes, *agf = disk + 512, *agfl = disk + 3 * 512;
	uint8_t *bno = disk + 4096 * (uint64_t)s.ag->agf.bnoroot, *cnt = disk + 4096 * (uint64_t)s.ag->agf.cntroot;
	uint8_t *rmap = disk + 4096 * (uint64_t)s.ag->agf.rmaproot;
	uint8_t *refc = disk + 4096 * (uint64_t)s.ag->agf.refcntroot;

	switch (what) {
	case SLOT_OUTSIDE:
	case SLOT_HEADER:	/* and the list is too long, so that its head is taken */
		xfs_put_be32(agfl + xfs_agfl_slot_off(true, s.ag->agf.flfirst), what == SLOT_HEADER ? 0 : 4096);
		xfs_put_be32(agf + XFS_OFF(agf, fllast), s.ag->agf.fllast + 1);
		xfs_put_be32(agf + XFS_OFF(agf, flcount), s.ag->agf.flcount + 1);
		break;
	case COUNT:
		xfs_put_be32(agf + XFS_OFF(agf, flcount), s.ag->agf.flcount + 1);
		break;
	case CNT_MISSING:	/* the extent of 20 blocks is 21 there */
		for (unsigned i = 0; i < xfs_be16(cnt + 6); i++)
			if (xfs_be32(cnt + 56 + 8 * i) == 301)
				xfs_put_be32(cnt + 56 + 8 * i + 4, 21);
		break;
	case BNO_LENGTH:	/* reaches out of the AG */
	case FREE_TWICE:	/* lies over the next one */
		for (unsigned i = 0; i < xfs_be16(bno + 6); i++)
			if (xfs_be32(bno + 56 + 8 * i) == 301)
				xfs_put_be32(bno + 56 + 8 * i + 4, what == BNO_LENGTH ? 4000 : 300);
		break;
	case RMAP_RECORD:	/* bits that must be zero */
		for (unsigned i = 0; i < xfs_be16(rmap + 6); i++)
			rmap[56 + 24 * i + 17] |= 0x40;
		break;
	default:
		xfs_put_be16(refc + 6, 1);
		memset(refc + 56, 0, 12);
		xfs_put_be32(refc + 56 + 4, 10);
	}
	seal(agf, 512, XFS_OFF(agf, crc));
	seal(agfl, 512, XFS_OFF(agfl, crc));
	seal(bno, 4096, 52);
	seal(cnt, 4096, 52);
	seal(rmap, 4096, 52);
	seal(refc, 4096, 52);
}

START_TEST(damaged)
{
	uint8_t *before;
	int err;

	start(layout, XFS_ARRAY_SIZE(layout));
	xfs_change_abort(&s.change);
	damage(_i);
	before = malloc(s.dev->dev.size);
	memcpy(before, s.dev->bytes, s.dev->dev.size);
	xfs_buf_forget(s.fs->cache, 0, 0);
	xfs_fs_forget_ag(s.fs, s.agno);
	xfs_agspace_close(s.ag);
	s.ag = NULL;
	err = xfs_agspace_open(&s.ag, s.fs, s.agno);
	if (!err)
		err = run_some();
	ck_assert_msg(err == -XFS_E_CORRUPT, "%s", xfs_error_name(err));
	/* nothing is written after an abort */
	ck_assert_int_eq(xfs_change_sync(s.fs), 0);
	ck_assert_mem_eq(before, s.dev->bytes, s.dev->dev.size);
	free(before);
	spacefs_release(&s);
}
END_TEST

/* ---- failures: at the end all is as before, and the same work succeeds ---- */

START_TEST(no_memory)
{
	int err = -XFS_E_NOMEM;
	unsigned failures = 0;

	start(layout, XFS_ARRAY_SIZE(layout));
	xfs_change_abort(&s.change);
	for (uint64_t n = 1; err; n++) {
		/* nothing that earlier runs left in memory helps */
		xfs_change_release(&s.change);
		ck_assert_int_eq(xfs_change_init(&s.change, s.fs), 0);
		xfs_buf_forget(s.fs->cache, 0, 0);
		failmalloc_start(n, false);
		err = run_some();
		failmalloc_stop();
		ck_assert(!err || err == -XFS_E_NOMEM);
		failures += err != 0;
		if (!err)
			break;
		ck_assert_int_eq(xfs_change_sync(s.fs), 0);
		check();
	}
	ck_assert_uint_gt(failures, 8);
	ck_assert_int_eq(xfs_change_sync(s.fs), 0);
	check();
	spacefs_release(&s);
}
END_TEST

/* Each block of the trees in turn can't be read. */
START_TEST(bad_blocks)
{
	unsigned failures = 0;

	start(layout, XFS_ARRAY_SIZE(layout));
	xfs_change_abort(&s.change);
	for (uint32_t b = 0; b < 16; b++) {
		int err;

		xfs_buf_forget(s.fs->cache, 0, 0);
		s.dev->bad_off = (uint64_t)b * 4096 + (b ? 0 : 3 * 512);
		s.dev->bad_len = b ? 4096 : 512;
		err = run_some();
		ck_assert(!err || err == -XFS_E_IO);
		failures += err != 0;
		s.dev->bad_len = 0;
		if (!err) {	/* undo it */
			spacefs_release(&s);
			start(layout, XFS_ARRAY_SIZE(layout));
			xfs_change_abort(&s.change);
			continue;
		}
		ck_assert_int_eq(xfs_change_sync(s.fs), 0);
		check();
	}
	ck_assert_uint_eq(failures, 5);		/* free list, four trees */
	ck_assert_int_eq(run_some(), 0);
	ck_assert_int_eq(xfs_change_sync(s.fs), 0);
	check();
	spacefs_release(&s);
}
END_TEST

/* ---- cost ---- */

static uint64_t touched(void)
{
	struct xfs_buf_stats st;

	xfs_buf_stats(s.fs->cache, &st);
	return st.hits + st.misses;
}

/* An AG with n extents of files, one block each, with a free one between; each third is shared. */
static void start_large(uint32_t n)
{
	struct xfs_claim *claims = calloc(n + n / 3 + 1, sizeof(*claims));
	struct spacefs_options o = {
		.fs = { .blocksize = 1024, .agblocks = 700000, .agcount = 1 }, .claims = claims, .full_blocks = true,
	};

	for (uint32_t i = 0; i < n; i++) {
		claims[o.nclaims++] = (struct xfs_claim){ 100000 + 2 * i, 1, 131 + i % 5, i };
		if (i % 3 == 0)
			claims[o.nclaims++] = (struct xfs_claim){ 100000 + 2 * i, 1, 200, i };
	}
	spacefs_init(&s, &o);
	spacefs_begin(&s);
	free(claims);
}

/* One of each operation somewhere in the middle; the most blocks that one of them touched. */
static uint64_t dearest(uint32_t n, uint32_t round)
{
	uint32_t i = (n / 2 + round * 6) / 3 * 3, b = 100000 + 2 * i;
	struct xfs_claim c = { b, 1, 131 + i % 5, i }, d = { b, 1, 200, i };
	struct xfs_alloc a = { .how = XFS_ALLOC_NEAR, .target = b, .minlen = 1, .maxlen = 1, BTREE_BLOCKS };
	uint64_t most = 0, before;

#define COUNT(call) do { before = touched(); ck_assert_int_eq(call, 0); \
	most = touched() - before > most ? touched() - before : most; } while (0)
	COUNT(xfs_agspace_alloc(s.ag, &a));
	COUNT(xfs_agspace_free(s.ag, a.agbno, 1, OWNER, XFS_RMAP_BMBT));
	COUNT(xfs_agspace_rmap_unmap(s.ag, &c, true));
	COUNT(xfs_agspace_unshare(s.ag, b, 1, NULL));
	COUNT(xfs_agspace_share(s.ag, b, 1));
	COUNT(xfs_agspace_rmap_map(s.ag, &c, true));
	COUNT(xfs_agspace_rmap_unmap(s.ag, &d, true));
	COUNT(xfs_agspace_unshare(s.ag, b, 1, NULL));
	COUNT(xfs_agspace_rmap_convert(s.ag, &c, true));
	COUNT(xfs_agspace_rmap_unmap(s.ag, &(struct xfs_claim){ b, 1, c.owner, i | XFS_RMAP_UNWRITTEN }, true));
	COUNT(xfs_agspace_unshare(s.ag, b, 1, NULL));
	return most;
}

START_TEST(cost)
{
	static const uint32_t sizes[] = { 300, 4000, 60000, 250000 };
	uint64_t most[4] = { 0 }, levels[4];

	for (unsigned k = 0; k < 4; k++) {
		start_large(sizes[k]);
		levels[k] = s.ag->agf.bnolevel + s.ag->agf.cntlevel + 3 * s.ag->agf.rmaplevel + s.ag->agf.refcntlevel;
		for (uint32_t round = 0; round < (sizes[k] < 4000 ? 3 : 60); round++) {
			uint64_t n = dearest(sizes[k], round);

			most[k] = n > most[k] ? n : most[k];
		}
		ck_assert_uint_le(most[k], 12 * levels[k]);
		spacefs_sync(&s);
		check();
		spacefs_release(&s);
		if (getenv("VERBOSE"))
			printf("%u extents: %llu blocks touched by one call, levels %llu\n", sizes[k],
			       (unsigned long long)most[k], (unsigned long long)levels[k]);
	}
	/* 800 times the records, three times the blocks at most */
	ck_assert_uint_le(most[3], 3 * most[0]);
}
END_TEST

/* A chain of steps in trees of several levels, with full blocks: splits and joins are begun and taken back. */
static int run_deep(uint32_t n)
{
	int err = xfs_agspace_join(s.ag, &s.change);

	for (uint32_t i = n / 2 / 3 * 3; i < n / 2 + 90 && !err; i += 3) {
		uint32_t b = 100000 + 2 * i;
		struct xfs_alloc a = { .how = XFS_ALLOC_EXACT, .target = b + 1, .minlen = 1, .maxlen = 1,
				       BTREE_BLOCKS };
		struct xfs_claim second = { b, 1, 201, i };

		err = xfs_agspace_alloc(s.ag, &a);
		if (!err)
			err = xfs_agspace_share(s.ag, b, 1);
		if (!err)
			err = xfs_agspace_rmap_map(s.ag, &second, true);
	}
	if (!err)
		return xfs_change_commit(&s.change);
	xfs_change_abort(&s.change);
	return err;
}

START_TEST(deep_failures)
{
	const uint32_t n = 4000;
	struct xfs_agf before;
	int err = -XFS_E_NOMEM;
	unsigned failures = 0;

	start_large(n);
	xfs_change_abort(&s.change);
	before = s.ag->agf;
	ck_assert_uint_ge(before.rmaplevel, 3);
	for (uint64_t k = 1; err; k += k < 30 ? 1 : 5) {
		xfs_change_release(&s.change);
		ck_assert_int_eq(xfs_change_init(&s.change, s.fs), 0);
		xfs_buf_forget(s.fs->cache, 0, 0);
		failmalloc_start(k, false);
		err = run_deep(n);
		failmalloc_stop();
		ck_assert(!err || err == -XFS_E_NOMEM);
		if (!err)
			break;
		failures++;
		ck_assert_mem_eq(&s.ag->agf, &before, sizeof(before));
		ck_assert_int_eq(xfs_change_sync(s.fs), 0);
		if (failures % 5 == 0)
			check();
	}
	ck_assert_uint_gt(failures, 30);
	ck_assert_uint_gt(s.ag->agf.rmapblocks, before.rmapblocks);
	ck_assert_int_eq(xfs_change_sync(s.fs), 0);
	check();
	spacefs_release(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agspace");
	TCase *t = tcase_create("agspace");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, chosen_extents, 0, XFS_ARRAY_SIZE(choices));
	tcase_add_test(t, bad_requests);
	tcase_add_test(t, wrong_frees);
	tcase_add_test(t, empty_list);
	tcase_add_loop_test(t, long_list, 0, 3);
	tcase_add_test(t, last_blocks);
	tcase_add_test(t, minimum_left);
	tcase_add_test(t, reservations);
	tcase_add_loop_test(t, damaged, 0, BROKEN);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, bad_blocks);
	tcase_add_test(t, deep_failures);
	tcase_add_test(t, cost);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
