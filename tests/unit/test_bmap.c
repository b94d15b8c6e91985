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
		w.near = xfs_fsbno_of(&l.geo, XFS_AGNO(below(l.geo.agcount)), XFS_AGBNO(100 + below(l.geo.agblocks / 2))).v;
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

int main(void)
{
	TCase *c = tcase_create("bmap");
	Suite *suite = suite_create("bmap");

	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, model, 0, XFS_ARRAY_SIZE(shapes));
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
