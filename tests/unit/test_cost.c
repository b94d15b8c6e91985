/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cost.c - what a change costs is the height of trees, not their size: blocks looked at, counted by the cache.
 */
#include "libxfs/inode/bmap.h"
#include "libxfs/transaction/names.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/spacefs.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define PROBES 300u

static uint64_t touched(struct xfs_fs *fs)
{
	struct xfs_buf_stats s;

	xfs_buf_stats(fs->cache, &s);
	return s.hits + s.misses;
}

/* Of a row of operations. */
struct cost { uint64_t sum, most, n; };

static void count(struct cost *c, uint64_t blocks)
{
	c->sum += blocks;
	c->most = xfs_max(c->most, blocks);
	c->n++;
}

/*
 * Per operation at most `each` blocks for each level of `levels` on the average, three times that in any one (splits,
 * joins).  Levels are few: so a hundred times the records cost little more.
 */
static void judge(const char *what, const struct cost *c, unsigned levels, double each)
{
	double average = (double)c->sum / (double)c->n;

	if (getenv("XFSKIT_COST"))
		printf("%-16s %u levels: %.1f blocks each, at most %u\n", what, levels, average, (unsigned)c->most);
	qk_assert_msg(average <= each * levels, "%s: %.1f blocks for %u levels", what, average, levels);
	qk_assert_msg((double)c->most <= 3 * each * levels, "%s: %u blocks at most, %u levels", what, (unsigned)c->most,
		      levels);
}

/* ---- trees of an AG ---- */

static struct spacefs f;

static void begin(void) { spacefs_begin(&f); }
static void end(void) { qk_assert_int_eq(xfs_change_commit(&f.change), 0); }

/* A record that joins nothing. */
static struct xfs_claim record(uint32_t i)
{
	return (struct xfs_claim){ 4000 + 8 * i, 1, 200 + i % 5, i };
}

static uint32_t scattered(uint32_t i, uint32_t n) { return (uint32_t)((uint64_t)i * 7919 % n); }

static void grow(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct xfs_claim c = record(i);

		if (i % 64 == 0 || i == from)
			begin();
		qk_assert_int_eq(xfs_agspace_rmap_map(f.ag, &c, false), 0);
		qk_assert_int_eq(xfs_agspace_share(f.ag, c.agbno, 1), 0);
		if (i % 64 == 63 || i + 1 == to)
			end();
	}
}

static void probe_ag(uint32_t n)
{
	struct cost map = { 0 }, unmap = { 0 }, share = { 0 }, take = { 0 };

	for (uint32_t i = 0; i < PROBES; i++) {
		struct xfs_claim c = record(scattered(i * 31 + 1, n)), other = c;
		struct xfs_alloc a = { .how = XFS_ALLOC_NEAR, .target = 900000, .minlen = 1, .maxlen = 1,
				       .owner = 700 };
		uint64_t at;

		c.owner += 1000;
		other.agbno += 2;
		begin();
		at = touched(f.fs);
		qk_assert_int_eq(xfs_agspace_rmap_map(f.ag, &c, true), 0);
		count(&map, touched(f.fs) - at);
		at = touched(f.fs);
		qk_assert_int_eq(xfs_agspace_rmap_unmap(f.ag, &c, true), 0);
		count(&unmap, touched(f.fs) - at);
		at = touched(f.fs);
		qk_assert_int_eq(xfs_agspace_share(f.ag, other.agbno, 1), 0);
		qk_assert_int_eq(xfs_agspace_unshare(f.ag, other.agbno, 1, NULL), 0);
		count(&share, touched(f.fs) - at);
		at = touched(f.fs);
		qk_assert_int_eq(xfs_agspace_alloc(f.ag, &a), 0);
		count(&take, touched(f.fs) - at);
		end();
	}
	judge("rmap map", &map, f.ag->agf.rmaplevel, 6);
	judge("rmap unmap", &unmap, f.ag->agf.rmaplevel, 6);
	judge("refcount both", &share, f.ag->agf.refcntlevel, 18);
	judge("allocate", &take, f.ag->agf.bnolevel + f.ag->agf.cntlevel + f.ag->agf.rmaplevel, 6);
}

START_TEST(ag_trees)
{
	const struct spacefs_options o = { .fs = { .blocksize = 1024, .agblocks = 1 << 20, .agcount = 1 } };
	uint32_t last = getenv("XFSKIT_LONG") ? 100000 : 30000, n = 300;

	spacefs_init(&f, &o);
	grow(0, n);
	for (;;) {
		probe_ag(n);
		if (n == last)
			break;
		grow(n, n * 10 > last ? last : n * 10);
		n = n * 10 > last ? last : n * 10;
	}
	ck_assert_uint_ge(f.ag->agf.rmaplevel, 3);
	spacefs_release(&f);
}
END_TEST

/* ---- block maps, directories ---- */

static struct livefs l;

static uint64_t map_one(uint64_t off)
{
	struct xfs_bmap_want w = { .off = off, .minlen = 1, .maxlen = 1, .near = XFS_NULL64 };
	struct xfs_live_inode *li;
	struct xfs_extent got;
	uint64_t at;

	livefs_begin(&l);
	li = livefs_get(&l, livefs_ino(&l, 0));
	at = touched(l.fs);
	qk_assert_int_eq(xfs_bmap_alloc(li, &l.t.change, XFS_FORK_DATA, &w, &got), 0);
	livefs_commit(&l);
	at = touched(l.fs) - at;
	xfs_live_inode_put(li);
	return at;
}

START_TEST(block_map)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 1 << 17, .agcount = 1 };
	uint32_t n = 0, round = 0;

	livefs_init(&l, &fs, 1, NULL);
	for (uint32_t size = 200; size <= 20000; size *= 10) {
		struct cost c = { 0 };

		round++;
		for (; n < size; n++)
			map_one(4 * (uint64_t)n);
		for (uint32_t i = 0; i < PROBES / 3; i++)
			count(&c, map_one(4 * (uint64_t)scattered(i * 31, n) + round));
		/* the tree, free space twice, the reverse mappings: four trees of up to four levels */
		judge("extent mapped", &c, 4 * (size > 2000 ? 4 : size > 200 ? 3 : 2), 5);
	}
	livefs_release(&l);
}
END_TEST

static uint64_t link_one(uint32_t i)
{
	const struct xfs_new_file file = { .mode = XFS_MODE_REG | 0600 };
	uint64_t ino, at = touched(l.fs);
	char name[40];

	sprintf(name, "a-name-of-some-length-%u", i);
	qk_assert_int_eq(xfs_name_create(l.edit, l.root, name, strlen(name), &file, &ino), 0);
	return touched(l.fs) - at;
}

START_TEST(directory)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 1 << 17, .agcount = 1 };
	uint32_t n = 0;

	livefs_init(&l, &fs, 1, NULL);
	for (uint32_t size = 100; size <= 20000; size = size < 10000 ? 10 * size : 20000) {
		struct cost c = { 0 };

		for (; n < size; n++)
			link_one(n);
		for (uint32_t i = 0; i < PROBES; i++)
			count(&c, link_one(n++));
		judge("file created", &c, size > 1000 ? 4 : 3, 20);
		if (size == 20000)
			break;
	}
	livefs_release(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cost");
	TCase *t = tcase_create("cost");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, ag_trees);
	tcase_add_test(t, block_map);
	tcase_add_test(t, directory);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
