/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_bmap.c - block maps changed at random against an array with one element a file block; forks that change their
 * form and place; costs and failures.
 */
#include "libxfs/inode/bmap.h"
#include "libxfs/inode/forkoff.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct livefs l;
static struct testrand rnd;

/* ---- the model ---- */

#define ROOM 8192u
#define HOLE XFS_NULL64
#define UNWRITTEN (UINT64_C(1) << 63)
struct model { uint64_t ino, at[2][ROOM]; bool split; };

static void model_init(struct model *m, uint64_t ino)
{
	m->ino = ino;
	m->split = false;
	for (unsigned i = 0; i < ROOM; i++)
		m->at[0][i] = m->at[1][i] = HOLE;
}

struct expand { struct model *m; unsigned fork; uint64_t next; struct xfs_extent last; bool has_last; };

static int expand_one(void *payload, const struct xfs_extent *e)
{
	struct expand *x = payload;

	for (; x->next < e->off; x->next++)
		qk_assert_uint_eq(x->m->at[x->fork][x->next], HOLE);
	for (uint32_t i = 0; i < e->len; i++, x->next++) {
		qk_assert_uint_lt(x->next, ROOM);
		qk_assert_uint_eq(x->m->at[x->fork][x->next], (e->block + i) | (e->unwritten ? UNWRITTEN : 0));
	}
	if (x->has_last && !x->m->split)
		qk_assert(!(x->last.off + x->last.len == e->off && x->last.block + x->last.len == e->block &&
			    x->last.unwritten == e->unwritten));
	x->last = *e;
	x->has_last = true;
	return 0;
}

static void compare(struct model *m, const struct xfs_inode *ip)
{
	for (unsigned fork = 0; fork < 2; fork++) {
		struct expand x = { .m = m, .fork = fork };
		struct xfs_ifork f;
		int err = xfs_ifork_init(&f, ip, (enum xfs_fork)fork);

		if (err == -XFS_E_NOENT)
			continue;
		qk_assert_int_eq(err, 0);
		qk_assert_int_eq(xfs_ifork_each(&f, expand_one, &x), 0);
		for (; x.next < ROOM; x.next++)
			qk_assert_uint_eq(m->at[fork][x.next], HOLE);
	}
}

/* ---- random steps ---- */

struct step_limits { unsigned blocks, longest; bool allocate; };

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

static void do_alloc(struct model *m, struct xfs_live_inode *li, unsigned fork, const struct step_limits *s)
{
	struct xfs_bmap_want w = { .off = below(s->blocks), .minlen = 1, .near = XFS_NULL64 };
	struct xfs_extent got;
	uint32_t room = 0;
	int err;

	while (room < s->longest && w.off + room < s->blocks && m->at[fork][w.off + room] == HOLE)
		room++;
	if (!room) {
		got = (struct xfs_extent){ w.off, li->i.fs->geo.agfl_block + 9, 1, false };
		qk_assert_int_eq(xfs_bmap_map(li, (enum xfs_fork)fork, &got, false), -XFS_E_EXISTS);
		return;
	}
	w.maxlen = 1 + below(room);
	w.unwritten = fork == 0 && below(2);
	if (below(4))
		w.near = xfs_fsbno_of(&l.geo, XFS_AGNO(below(l.geo.agcount)),
				      XFS_AGBNO(100 + below(l.geo.agblocks / 2))).v;
	err = xfs_bmap_alloc(li, &l.t.change, (enum xfs_fork)fork, &w, &got);
	if (err == -XFS_E_NOSPC)
		return;
	qk_assert_int_eq(err, 0);
	qk_assert_uint_eq(got.off, w.off);
	qk_assert_uint_le(got.len, w.maxlen);
	for (uint32_t i = 0; i < got.len; i++)
		m->at[fork][w.off + i] = (got.block + i) | (w.unwritten ? UNWRITTEN : 0);
}

static void do_unmap(struct model *m, struct xfs_live_inode *li, unsigned fork, const struct step_limits *s)
{
	uint64_t off = below(s->blocks), len = 1 + below(3 * s->longest), left;
	unsigned most = below(3);

	for (unsigned n = 0;; n++) {
		qk_assert_int_eq(xfs_bmap_unmap(li, (enum xfs_fork)fork, off, len, XFS_BMAP_FREE, most, &left), 0);
		qk_assert_uint_lt(left, len);
		for (uint64_t i = off + left; i < off + len && i < ROOM; i++)
			m->at[fork][i] = HOLE;
		if (!left)
			break;
		qk_assert_uint_gt(most, 0);
		len = left;
	}
}

static void do_convert(struct model *m, struct xfs_live_inode *li, const struct step_limits *s)
{
	uint64_t off = below(s->blocks);
	struct xfs_extent e;
	struct xfs_ifork f;
	uint32_t len;

	qk_assert_int_eq(xfs_ifork_init(&f, &li->i, XFS_FORK_DATA), 0);
	if (xfs_ifork_lookup(&f, off, &e))
		return;
	off = xfs_max(off, e.off);
	len = 1 + below((uint32_t)(e.off + e.len - off));
	qk_assert_int_eq(xfs_bmap_convert(li, off, len, e.unwritten), -XFS_E_INVALID);
	qk_assert_int_eq(xfs_bmap_convert(li, off, len, !e.unwritten), 0);
	for (uint32_t i = 0; i < len; i++)
		m->at[0][off + i] ^= UNWRITTEN;
}

/* Makes a hole of `len` blocks at `off`, or closes it. */
static void do_shift(struct model *m, struct xfs_live_inode *li, bool up, const struct step_limits *s)
{
	uint64_t off = below(s->blocks), len = 1 + below(s->longest), next = XFS_NULL64;
	unsigned most = below(4) ? 7 : 0;
	uint64_t *at = m->at[0];

	if (up) {
		for (unsigned i = 0; i < len; i++)
			if (at[ROOM - 1 - i] != HOLE)
				return;
		qk_assert_int_eq(xfs_bmap_split(li, off), 0);
		memmove(at + off + len, at + off, (ROOM - off - len) * sizeof(*at));
	} else {
		qk_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_DATA, off, len, XFS_BMAP_FREE, 0, NULL), 0);
		memmove(at + off, at + off + len, (ROOM - off - len) * sizeof(*at));
	}
	for (unsigned i = 0; i < len; i++)
		at[up ? off + i : ROOM - 1 - i] = HOLE;
	do
		qk_assert_int_eq(xfs_bmap_shift(li, up ? off : off + len, len, up, most, &next), 0);
	while (next != XFS_NULL64);
}

static void step(struct model *m, const struct step_limits *s)
{
	struct xfs_live_inode *li;
	unsigned fork, what = below(20);

	livefs_begin(&l);
	li = livefs_get(&l, m->ino);
	fork = li->i.d.core.forkoff && below(3) == 0;
	if (what < (s->allocate ? 13u : 5u))
		do_alloc(m, li, fork, s);
	else if (what < 17)
		do_unmap(m, li, fork, s);
	else if (what < 19)
		do_convert(m, li, s);
	else
		do_shift(m, li, below(2), s);
	if (below(16) == 0)
		compare(m, &li->i);
	xfs_live_inode_put(li);
	livefs_commit(&l);
}

static void compare_live(struct model *m)
{
	struct xfs_live_inode *li;

	qk_assert_int_eq(xfs_live_inode_get(l.live, m->ino, &li), 0);
	compare(m, &li->i);
	xfs_live_inode_put(li);
}

static const struct testfs shapes[] = {
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .no_reflink = true },
	{ .blocksize = 4096, .agblocks = 12000, .agcount = 2, .no_rmapbt = true },
	{ .blocksize = 512, .agblocks = 32768, .agcount = 2, .v4 = true, .no_rmapbt = true, .no_reflink = true,
	  .no_finobt = true },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 3, .no_rmapbt = true, .no_reflink = true },
};

/* Grows and shrinks, two files at once; the first one with an attribute fork of extents too. */
START_TEST(model)
{
	static struct model m[2];
	struct xfs_live_inode *li;
	unsigned rounds = getenv("XFSKIT_LONG") ? 80 : 8, steps = 700;
	unsigned highest = 0;

	livefs_init(&l, &shapes[_i], 4, NULL);
	rnd.s = 1000 + (uint64_t)_i;
	for (unsigned k = 0; k < 2; k++)
		model_init(&m[k], livefs_ino(&l, 2 * k));
	livefs_begin(&l);
	li = livefs_get(&l, m[0].ino);
	ck_assert_int_eq(xfs_live_forkoff_set(li, xfs_forkoff_default(&l.geo, XFS_DINODE_FMT_EXTENTS)), 0);
	xfs_live_inode_put(li);
	livefs_commit(&l);
	for (unsigned r = 0; r < rounds; r++) {
		struct step_limits s = { .blocks = 4000, .longest = r % 4 == 3 ? 40 : 3, .allocate = r % 2 == 0 };

		for (unsigned i = 0; i < (r % 2 ? steps / 2 : 3 * steps); i++)
			step(&m[below(2)], &s);
		for (unsigned k = 0; k < 2; k++) {
			compare_live(&m[k]);
			ck_assert_int_eq(xfs_live_inode_get(l.live, m[k].ino, &li), 0);
			if (li->i.d.core.format == XFS_DINODE_FMT_BTREE) {
				uint32_t len;

				highest = xfs_max(highest, xfs_be16(xfs_inode_fork_bytes(&li->i, XFS_FORK_DATA, &len)));
			}
			xfs_live_inode_put(li);
		}
		livefs_check(&l);
		if (r % 3 == 1)
			livefs_reopen(&l);
	}
	ck_assert_uint_ge(highest, l.geo.blocksize <= 1024 ? 2 : 1);
	/* everything goes: the filesystem is as it was */
	for (unsigned k = 0; k < 2; k++) {
		livefs_begin(&l);
		li = livefs_get(&l, m[k].ino);
		for (unsigned fork = 0; fork < 1 + (li->i.d.core.forkoff != 0); fork++)
			ck_assert_int_eq(xfs_bmap_unmap(li, (enum xfs_fork)fork, 0, ROOM, XFS_BMAP_FREE, 0, NULL), 0);
		ck_assert_uint_eq(li->i.d.core.nblocks, 0);
		xfs_live_inode_put(li);
		livefs_commit(&l);
	}
	livefs_check(&l);
	ck_assert_uint_eq(l.used, 0);
	livefs_release(&l);
}
END_TEST

/* ---- the border between the forks ---- */

static void map_scattered(struct xfs_live_inode *li, unsigned fork, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		struct xfs_bmap_want w = { .off = 3 * i, .minlen = 1, .maxlen = 1, .near = XFS_NULL64 };
		struct xfs_extent got;

		ck_assert_int_eq(xfs_bmap_alloc(li, &l.t.change, (enum xfs_fork)fork, &w, &got), 0);
	}
}

static void expect_forks(const struct xfs_live_inode *li, unsigned format, unsigned aformat)
{
	ck_assert_uint_eq(li->i.d.core.format, format);
	ck_assert_uint_eq(li->i.d.core.aformat, aformat);
}

/* Forks change their form exactly where they do not fit, and the pointers of a root go with the border. */
START_TEST(moving_border)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 16384, .agcount = 1 };
	struct xfs_live_inode *li;

	livefs_init(&l, &fs, 2, NULL);
	livefs_begin(&l);
	li = livefs_get(&l, livefs_ino(&l, 0));
	map_scattered(li, 0, 0, 21);		/* all of 336 bytes */
	expect_forks(li, XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_EXTENTS);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 42), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 24), 0);
	expect_forks(li, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_EXTENTS);
	ck_assert_uint_eq(li->i.d.core.nblocks, 22);
	map_scattered(li, 1, 0, 9);		/* 144 bytes */
	expect_forks(li, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_EXTENTS);
	map_scattered(li, 1, 9, 1);
	expect_forks(li, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_BTREE);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 0), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 7), 0);	/* 56 and 280 bytes */
	expect_forks(li, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_EXTENTS);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 37), 0);	/* 296 and 40 */
	expect_forks(li, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_BTREE);
	xfs_live_inode_put(li);
	livefs_commit(&l);
	livefs_check(&l);
	livefs_begin(&l);
	li = livefs_get(&l, livefs_ino(&l, 0));
	ck_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_DATA, 0, 10, XFS_BMAP_FREE, 0, NULL), 0);
	expect_forks(li, XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_BTREE);
	ck_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_ATTR, 6, 1000, XFS_BMAP_FREE, 0, NULL), 0);
	expect_forks(li, XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_EXTENTS);
	ck_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_ATTR, 0, 1000, XFS_BMAP_FREE, 0, NULL), 0);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 0), 0);
	xfs_live_inode_put(li);
	livefs_commit(&l);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* Local forks hold what fits, keep it when the border moves, and become extents. */
START_TEST(local_forks)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 16384, .agcount = 1 };
	uint8_t bytes[336];
	struct xfs_live_inode *li;
	const uint8_t *p;
	uint32_t len;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	xfs_put_be16(bytes, 100);
	livefs_init(&l, &fs, 2, NULL);
	livefs_begin(&l);
	li = livefs_get(&l, livefs_ino(&l, 1));
	ck_assert_int_eq(xfs_live_fork_clear(li, XFS_FORK_ATTR), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_fork_set_local(li, XFS_FORK_DATA, bytes, 336), 0);
	li->i.d.core.mode = XFS_MODE_LNK | 0777;
	li->i.d.core.size = 200;
	ck_assert_uint_eq(xfs_live_fork_used(li, XFS_FORK_DATA), 200);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 24), -XFS_E_TOOBIG);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 25), 0);
	ck_assert_int_eq(xfs_live_fork_set_local(li, XFS_FORK_ATTR, bytes, 137), -XFS_E_TOOBIG);
	ck_assert_int_eq(xfs_live_fork_set_local(li, XFS_FORK_ATTR, bytes, 100), 0);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 30), -XFS_E_TOOBIG);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 29), 0);
	p = xfs_inode_fork_bytes(&li->i, XFS_FORK_ATTR, &len);
	ck_assert_uint_eq(len, 104);
	ck_assert_mem_eq(p, bytes, 100);
	p = xfs_inode_fork_bytes(&li->i, XFS_FORK_DATA, &len);
	ck_assert_mem_eq(p, bytes, 200);
	map_scattered(li, 1, 0, 0);
	ck_assert_int_eq(xfs_live_forkoff_set(li, 0), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_fork_clear(li, XFS_FORK_ATTR), 0);
	map_scattered(li, 1, 0, 3);
	ck_assert_int_eq(xfs_live_fork_clear(li, XFS_FORK_ATTR), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_fork_set_local(li, XFS_FORK_ATTR, bytes, 50), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_live_fork_clear(li, XFS_FORK_DATA), 0);
	li->i.d.core.mode = XFS_MODE_REG | 0600;
	xfs_live_inode_put(li);
	livefs_commit(&l);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* ---- failures ---- */

/* A chain that makes trees of both forks grow and shrink; returns its error. */
static int chain(void)
{
	struct xfs_live_inode *li = NULL;
	int err = xfs_trans_begin(&l.t, l.edit, 0);

	if (!err)
		err = xfs_live_inode_get(l.live, livefs_ino(&l, 0), &li);
	if (!err)
		err = xfs_live_inode_join(li, &l.t.change);
	if (!err)
		err = xfs_live_forkoff_set(li, 24);
	for (unsigned i = 0; i < 24 && !err; i++) {
		struct xfs_bmap_want w = { .off = 3 * i, .minlen = 1, .maxlen = 2, .near = XFS_NULL64 };
		struct xfs_extent got;

		err = xfs_bmap_alloc(li, &l.t.change, i % 2 ? XFS_FORK_ATTR : XFS_FORK_DATA, &w, &got);
	}
	if (!err)
		err = xfs_bmap_unmap(li, XFS_FORK_DATA, 5, 60, XFS_BMAP_FREE, 0, NULL);
	if (!err)
		err = xfs_bmap_convert(li, 0, 1, true);
	xfs_live_inode_put(li);
	if (!err)
		return xfs_trans_commit(&l.t);
	xfs_trans_abort(&l.t);
	return err;
}

static uint64_t sum_of(const struct memdev *d)
{
	uint64_t sum = 1;

	for (uint64_t i = 0; i < d->dev.size; i += 8) {
		uint64_t v;

		memcpy(&v, d->bytes + i, 8);
		if (v)
			sum = (sum ^ (v + i)) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return sum;
}

/* Whichever allocation fails, nothing has changed, in memory or on the device, and the next try succeeds. */
START_TEST(allocation_failures)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 16384, .agcount = 1 };
	uint64_t before, failed = 0;

	livefs_init(&l, &fs, 1, NULL);
	livefs_check(&l);
	before = sum_of(l.dev);
	for (uint64_t n = 1;; n++) {
		struct xfs_live_inode *li;
		int err;

		livefs_reopen(&l);
		failmalloc_start(n, false);
		err = chain();
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		if (!err)	/* it got on without it */
			break;
		ck_assert_int_eq(err, -XFS_E_NOMEM);
		failed++;
		ck_assert_int_eq(xfs_live_inode_get(l.live, livefs_ino(&l, 0), &li), 0);
		ck_assert_uint_eq(li->i.d.core.nblocks, 0);
		ck_assert_uint_eq(li->i.d.core.forkoff, 0);
		xfs_live_inode_put(li);
		ck_assert_int_eq(xfs_edit_sync(l.edit), 0);
		ck_assert_uint_eq(sum_of(l.dev), before);
	}
	ck_assert_uint_gt(failed, 20);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* ---- cost ---- */

/* Blocks of the map that one change at a random place touches grow with the height only. */
START_TEST(cost)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 65536, .agcount = 1 };
	uint64_t worst = 0, sum = 0;
	struct xfs_live_inode *li;
	unsigned n = 12000, rounds = 500;

	livefs_init(&l, &fs, 1, NULL);
	rnd.s = 5;
	for (unsigned i = 0; i < n; i += 500) {
		livefs_begin(&l);
		li = livefs_get(&l, livefs_ino(&l, 0));
		map_scattered(li, 0, i, 500);
		xfs_live_inode_put(li);
		livefs_commit(&l);
	}
	for (unsigned r = 0; r < rounds; r++) {
		struct xfs_buf_stats a, b;

		livefs_begin(&l);
		li = livefs_get(&l, livefs_ino(&l, 0));
		xfs_buf_stats(l.fs->cache, &a);
		ck_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_DATA, 3 * below(n), 1, XFS_BMAP_FREE, 0, NULL), 0);
		map_scattered(li, 0, n + r, 1);
		xfs_live_inode_put(li);
		livefs_commit(&l);
		xfs_buf_stats(l.fs->cache, &b);
		sum += b.hits + b.misses - a.hits - a.misses;
		worst = xfs_max(worst, b.hits + b.misses - a.hits - a.misses);
	}
	/* two changes in a tree of four levels, in the rmapbt of three and in the free space, with all look-ups */
	ck_assert_uint_lt(sum / rounds, 150);
	ck_assert_uint_lt(worst, 400);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("bmap");
	Suite *suite = suite_create("bmap");

	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, model, 0, XFS_ARRAY_SIZE(shapes));
	tcase_add_test(c, moving_border);
	tcase_add_test(c, local_forks);
	tcase_add_test(c, allocation_failures);
	tcase_add_test(c, cost);
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
