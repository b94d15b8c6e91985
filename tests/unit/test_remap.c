/* SPDX-License-Identifier: BSD-2-Clause */
/* test_remap.c - works of kinds BMAP and EXCHANGE as recovery finishes them, staging, damage that is met, costs. */
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/remap.h"
#include "libxfs/ondisk/logitems.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct livefs l;
static const struct testfs small = { .blocksize = 1024, .agblocks = 16384, .agcount = 2 };

static struct xfs_extent map(struct xfs_live_inode *li, enum xfs_fork fork, uint64_t off, uint32_t len, bool unwritten)
{
	struct xfs_bmap_want w = { .off = off, .minlen = len, .maxlen = len, .near = XFS_NULL64,
				   .unwritten = unwritten };
	struct xfs_extent e;

	qk_assert_int_eq(xfs_bmap_alloc(li, &l.t.change, fork, &w, &e), 0);
	return e;
}

static uint64_t block_at(const struct xfs_live_inode *li, enum xfs_fork fork, uint64_t off, bool *unwritten)
{
	struct xfs_ifork f;
	struct xfs_extent e;

	qk_assert_int_eq(xfs_ifork_init(&f, &li->i, fork), 0);
	if (xfs_ifork_lookup(&f, off, &e) || e.off > off)
		return XFS_NULL64;
	if (unwritten)
		*unwritten = e.unwritten;
	return e.block + (off - e.off);
}

/* ---- BMAP ---- */

/* Unmap and map as an intent says it; the range to unmap may span several extents. */
START_TEST(bmap_works)
{
	struct xfs_live_inode *a, *b;
	struct xfs_extent e[3];
	struct xfs_work w;

	livefs_init(&l, &small, 2, NULL);
	livefs_begin(&l);
	a = livefs_get(&l, livefs_ino(&l, 0));
	b = livefs_get(&l, livefs_ino(&l, 1));
	for (unsigned i = 0; i < 3; i++)
		e[i] = map(a, XFS_FORK_DATA, 20 * i, 10, i == 2);
	livefs_commit(&l);
	livefs_begin(&l);
	for (unsigned i = 0; i < 3; i++) {
		w = (struct xfs_work){ .kind = XFS_WORK_BMAP, .op = XFS_BMAP_UNMAP, .owner = a->i.ino.v,
				       .offset = e[i].off + 2, .len = 5, .block = e[i].block + 2 };
		ck_assert_int_eq(xfs_change_defer(&l.t.change, &w), 0);
		w = (struct xfs_work){ .kind = XFS_WORK_BMAP, .op = XFS_BMAP_MAP, .owner = b->i.ino.v,
				       .offset = 100 + 5 * i, .len = 5, .block = e[i].block + 2, .unwritten = i == 2 };
		ck_assert_int_eq(xfs_change_defer(&l.t.change, &w), 0);
	}
	livefs_commit(&l);
	livefs_check(&l);
	ck_assert_uint_eq(a->i.d.core.nblocks, 15);
	ck_assert_uint_eq(b->i.d.core.nblocks, 15);
	ck_assert_uint_eq(block_at(b, XFS_FORK_DATA, 106, NULL), e[1].block + 3);
	/* more than one extent, over holes */
	livefs_begin(&l);
	w = (struct xfs_work){ .kind = XFS_WORK_BMAP, .op = XFS_BMAP_UNMAP, .owner = a->i.ino.v, .offset = 1,
			       .len = 28 };
	ck_assert_int_eq(xfs_live_inode_join(a, &l.t.change), 0);
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_AGAIN);
	ck_assert_uint_eq(w.len, 21);	/* the hole before it is done, too */
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_AGAIN);
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_AGAIN);
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), 0);
	ck_assert_uint_eq(a->i.d.core.nblocks, 7);
	xfs_trans_abort(&l.t);
	ck_assert_uint_eq(a->i.d.core.nblocks, 15);
	/* what can't be */
	livefs_begin(&l);
	w = (struct xfs_work){ .kind = XFS_WORK_BMAP, .op = XFS_BMAP_MAP, .owner = b->i.ino.v, .offset = 104, .len = 5,
			       .block = e[0].block };
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_EXISTS);
	w.owner = livefs_ino(&l, 5);
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_CORRUPT);
	w.owner = b->i.ino.v;
	w.block = 1;
	w.offset = 900;
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_RANGE);
	w.len = XFS_BMBT_MAXLEN + 1;
	ck_assert_int_eq(xfs_bmap_finish(l.live, &l.t.change, &w), -XFS_E_CORRUPT);
	w.len = 1;
	w.owner = 1;
	ck_assert_int_lt(xfs_bmap_finish(l.live, &l.t.change, &w), 0);
	xfs_trans_abort(&l.t);
	xfs_live_inode_put(a);
	xfs_live_inode_put(b);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* ---- staging ---- */

START_TEST(staging)
{
	struct xfs_live_inode *a;
	struct xfs_extent old, s;
	uint64_t fdblocks;
	uint32_t done;

	livefs_init(&l, &small, 1, NULL);
	livefs_begin(&l);
	a = livefs_get(&l, livefs_ino(&l, 0));
	old = map(a, XFS_FORK_DATA, 10, 10, false);
	ck_assert_int_eq(xfs_reflink_allow(a), 0);
	livefs_commit(&l);
	livefs_check(&l);
	fdblocks = l.fs->geo.sb.fdblocks;
	for (unsigned k = 0; k < 3; k++) {
		livefs_begin(&l);
		ck_assert_int_eq(xfs_live_inode_join(a, &l.t.change), 0);
		ck_assert_int_eq(xfs_cow_stage(a, &l.t.change, 5, 20, old.block, &s), 0);
		livefs_commit(&l);
		livefs_check(&l);	/* staging extents are legal */
		ck_assert_uint_eq(l.fs->geo.sb.fdblocks, fdblocks - 20);
		if (k == 0) {
			livefs_begin(&l);
			ck_assert_int_eq(xfs_cow_cancel(l.live, &l.t.change, &s), 0);
			livefs_commit(&l);
		} else if (k == 1) {	/* as the next mount would */
			struct xfs_agspace *ag;
			uint64_t freed;

			livefs_begin(&l);
			ck_assert_int_eq(xfs_live_ag(l.live, &l.t.change, xfs_fsbno_agno(&l.geo, XFS_FSBNO(s.block)),
						     &ag), 0);
			ck_assert_int_eq(xfs_agspace_cow_recover(ag, 0, &freed), 0);
			ck_assert_uint_eq(freed, 20);
			livefs_commit(&l);
		} else {
			while (s.len) {		/* a hole, the old blocks, a hole */
				livefs_begin(&l);
				ck_assert_int_eq(xfs_live_inode_join(a, &l.t.change), 0);
				ck_assert_int_eq(xfs_cow_finish(a, &s, &done), 0);
				ck_assert(done == 5 || done == 10);
				livefs_commit(&l);
				s.off += done;
				s.block += done;
				s.len -= done;
			}
			fdblocks -= 10;
		}
		livefs_check(&l);
		ck_assert_uint_eq(l.fs->geo.sb.fdblocks, fdblocks);
	}
	ck_assert_uint_eq(a->i.d.core.nblocks, 20);
	ck_assert_uint_eq(xfs_dinode_nextents(&a->i.d, XFS_FORK_DATA), 1);
	xfs_live_inode_put(a);
	livefs_release(&l);
}
END_TEST

/* ---- exchange ---- */

struct exchanging { struct xfs_live_inode *a, *b; struct xfs_exchange x; };

static void start_exchange(struct exchanging *e, enum xfs_fork fork, uint64_t flags)
{
	livefs_init(&l, &small, 2, NULL);
	livefs_begin(&l);
	e->a = livefs_get(&l, livefs_ino(&l, 0));
	e->b = livefs_get(&l, livefs_ino(&l, 1));
	for (unsigned k = 0; k < 2 && fork == XFS_FORK_ATTR; k++)
		ck_assert_int_eq(xfs_live_forkoff_set(k ? e->a : e->b, 24), 0);
	for (unsigned i = 0; i < 30; i++) {
		map(e->a, fork, 10 * i, 4, fork == XFS_FORK_DATA && i % 3 == 1);
		if (i % 4)
			map(e->b, fork, 10 * i + 2 * (i % 2), 5, false);
	}
	e->a->i.d.core.size = 300 * 1024;
	e->b->i.d.core.size = 299 * 1024;
	livefs_commit(&l);
	e->x = (struct xfs_exchange){
		.ino1 = e->a->i.ino.v, .ino2 = e->b->i.ino.v, .gen1 = e->a->i.d.core.gen, .gen2 = e->b->i.d.core.gen,
		.count = 300, .flags = flags, .size1 = 111, .size2 = 222,
	};
}

static int run_exchange(struct exchanging *e)
{
	int err;

	livefs_begin(&l);
	err = xfs_exchange_defer(&l.t.change, &e->x);
	return err ? err : xfs_trans_commit(&l.t);
}

static void end_exchange(struct exchanging *e)
{
	xfs_live_inode_put(e->a);
	xfs_live_inode_put(e->b);
	livefs_check(&l);
	livefs_release(&l);
}

/* All kinds of pairs, both forks; with all flags. */
START_TEST(exchange)
{
	enum xfs_fork fork = _i == 1 ? XFS_FORK_ATTR : XFS_FORK_DATA;
	uint64_t flags = _i == 0 ? XFS_XMI_SET_SIZES : _i == 1 ? XFS_XMI_ATTR_FORK : XFS_XMI_INO1_WRITTEN;
	uint64_t at[2][320];
	bool state[2][320] = { { false } };
	struct exchanging e;

	start_exchange(&e, fork, flags);
	for (unsigned i = 0; i < 320; i++) {
		at[0][i] = block_at(e.a, fork, i, &state[0][i]);
		at[1][i] = block_at(e.b, fork, i, &state[1][i]);
	}
	ck_assert_int_eq(run_exchange(&e), 0);
	livefs_check(&l);
	for (unsigned i = 0; i < 300; i++) {
		bool stays = _i == 2 && (at[0][i] == XFS_NULL64 || state[0][i]), u = false;

		ck_assert_uint_eq(block_at(e.a, fork, i, &u), at[!stays][i]);
		ck_assert(u == state[!stays][i] || at[!stays][i] == XFS_NULL64);
		ck_assert_uint_eq(block_at(e.b, fork, i, NULL), at[stays][i]);
	}
	if (_i == 0) {
		ck_assert_uint_eq(e.a->i.d.core.size, 111);
		ck_assert_uint_eq(e.b->i.d.core.size, 222);
	} else {
		ck_assert_uint_eq(e.a->i.d.core.size, 300 * 1024);
	}
	end_exchange(&e);
}
END_TEST

/* Flags are cleared at the end; prepare sets what is missing. */
START_TEST(exchange_flags)
{
	struct exchanging e;

	start_exchange(&e, XFS_FORK_DATA, XFS_XMI_CLEAR_INO1_REFLINK);
	livefs_begin(&l);
	ck_assert_int_eq(xfs_live_inode_join(e.a, &l.t.change), 0);
	ck_assert_int_eq(xfs_live_inode_join(e.b, &l.t.change), 0);
	ck_assert_int_eq(xfs_exchange_prepare(e.a, e.b, &e.x), 0);
	ck_assert(!xfs_reflink_allowed(e.a) && !xfs_reflink_allowed(e.b));
	ck_assert_int_eq(xfs_reflink_allow(e.b), 0);
	ck_assert_int_eq(xfs_exchange_prepare(e.a, e.b, &e.x), 0);
	ck_assert(xfs_reflink_allowed(e.a));
	ck_assert_int_eq(xfs_exchange_defer(&l.t.change, &e.x), 0);
	livefs_commit(&l);
	ck_assert(!xfs_reflink_allowed(e.a) && xfs_reflink_allowed(e.b));
	end_exchange(&e);
}
END_TEST

/* What recovery must refuse; nothing has changed then. */
START_TEST(exchange_refused)
{
	struct exchanging e;
	struct xfs_exchange good;

	start_exchange(&e, XFS_FORK_DATA, 0);
	good = e.x;
	e.x.gen1++;
	ck_assert_int_eq(run_exchange(&e), -XFS_E_CORRUPT);
	e.x = good;
	e.x.flags = 0x20;
	ck_assert_int_eq(run_exchange(&e), -XFS_E_UNSUPPORTED);
	e.x = good;
	e.x.flags = XFS_XMI_ATTR_FORK;		/* there are none */
	ck_assert_int_eq(run_exchange(&e), -XFS_E_CORRUPT);
	e.x = good;
	e.x.off2 = UINT64_MAX - 5;
	ck_assert_int_eq(run_exchange(&e), -XFS_E_CORRUPT);
	e.x = good;
	e.x.ino2 = livefs_ino(&l, 9);
	e.x.gen2 = 0;
	ck_assert_int_eq(run_exchange(&e), -XFS_E_CORRUPT);
	e.x.ino2 = 7;
	ck_assert_int_lt(run_exchange(&e), 0);
	end_exchange(&e);
}
END_TEST

/* ---- damage ---- */

/* A leaf of the tree is damaged: each change that meets it fails, and what it had done is taken back. */
START_TEST(damaged_tree)
{
	struct xfs_live_inode *a;
	struct xfs_ifork f;
	struct xfs_extent e;
	uint64_t leaf, nblocks;
	uint8_t *p;
	int err;

	livefs_init(&l, &small, 1, NULL);
	livefs_begin(&l);
	a = livefs_get(&l, livefs_ino(&l, 0));
	for (unsigned i = 0; i < 300; i++)
		map(a, XFS_FORK_DATA, 2 * i, 1, false);
	xfs_live_inode_put(a);
	livefs_commit(&l);
	livefs_check(&l);
	livefs_reopen(&l);
	livefs_begin(&l);
	a = livefs_get(&l, livefs_ino(&l, 0));
	ck_assert_int_eq(xfs_ifork_init(&f, &a->i, XFS_FORK_DATA), 0);
	leaf = xfs_be64(f.bytes + xfs_bmdr_ptrs_off(f.len) + 8);
	p = l.dev->bytes + xfs_fsbno_byte(&l.geo, XFS_FSBNO(leaf)) + 100;
	*p ^= 0x10;
	nblocks = a->i.d.core.nblocks;
	err = xfs_bmap_unmap(a, XFS_FORK_DATA, 0, 10000, XFS_BMAP_FREE, 0, NULL);
	ck_assert_int_eq(err, -XFS_E_BADCRC);
	ck_assert_uint_lt(a->i.d.core.nblocks, nblocks);
	ck_assert_int_eq(xfs_trans_commit(&l.t), -XFS_E_BADCRC);
	ck_assert_uint_eq(a->i.d.core.nblocks, nblocks);
	*p ^= 0x10;
	xfs_buf_forget(l.fs->cache, 0, 0);
	livefs_begin(&l);
	ck_assert_int_eq(xfs_live_inode_join(a, &l.t.change), 0);
	ck_assert_int_eq(xfs_ifork_lookup(&f, 0, &e), 0);
	ck_assert_int_eq(xfs_bmap_unmap(a, XFS_FORK_DATA, 0, 10000, XFS_BMAP_FREE, 0, NULL), 0);
	livefs_commit(&l);
	xfs_live_inode_put(a);
	livefs_check(&l);
	ck_assert_uint_eq(l.used, 0);
	livefs_release(&l);
}
END_TEST

/* A list that runs in a circle, or into another bucket, is not followed for ever. */
START_TEST(damaged_lists)
{
	struct xfs_live_inode *li[4], *other;

	livefs_init(&l, &small, 61, NULL);
	livefs_begin(&l);
	for (unsigned k = 0; k < 4; k++) {
		struct xfs_inode_want w = { .near = l.root, .mode = XFS_MODE_REG | 0600 };

		do {	/* all of one bucket: others are taken for good */
			ck_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &other), 0);
			li[k] = other;
			if (other->i.ino.v % 64 != 0)
				xfs_live_inode_put(other);
		} while (li[k]->i.ino.v % 64 != 0);
		if (k < 3)
			ck_assert_int_eq(xfs_unlinked_add(li[k]), 0);
	}
	ck_assert_uint_eq(li[2]->i.d.core.next_unlinked, xfs_ino_agino(&l.geo, li[1]->i.ino).v);
	li[0]->i.d.core.next_unlinked = li[2]->i.d.core.next_unlinked;
	ck_assert_int_eq(xfs_unlinked_remove(li[3]), -XFS_E_LOOP);
	li[0]->i.d.core.next_unlinked = li[2]->i.d.core.next_unlinked + 1;
	ck_assert_int_eq(xfs_unlinked_remove(li[3]), -XFS_E_CORRUPT);
	for (unsigned k = 0; k < 4; k++)
		xfs_live_inode_put(li[k]);
	xfs_trans_abort(&l.t);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* ---- cost ---- */

/* Taking an inode among many costs what the heights of the trees say. */
START_TEST(cost_of_inodes)
{
	static const struct testfs fs = { .blocksize = 1024, .agblocks = 65536, .agcount = 1 };
	struct xfs_buf_stats a, b;
	struct xfs_live_inode *li;
	uint64_t sum = 0;
	unsigned n = 12000, rounds = 300;

	livefs_init(&l, &fs, 0, NULL);
	for (unsigned i = 0; i < n + rounds; i++) {
		struct xfs_inode_want w = { .near = l.root, .mode = XFS_MODE_REG | 0600, .nlink = 1 };

		livefs_begin(&l);
		xfs_buf_stats(l.fs->cache, &a);
		qk_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &li), 0);
		xfs_live_inode_put(li);
		livefs_commit(&l);
		xfs_buf_stats(l.fs->cache, &b);
		if (i >= n)
			sum += b.hits + b.misses - a.hits - a.misses;
	}
	ck_assert_uint_lt(sum / rounds, 60);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("remap");
	Suite *suite = suite_create("remap");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, bmap_works);
	tcase_add_test(c, staging);
	tcase_add_loop_test(c, exchange, 0, 3);
	tcase_add_test(c, exchange_flags);
	tcase_add_test(c, exchange_refused);
	tcase_add_test(c, damaged_tree);
	tcase_add_test(c, damaged_lists);
	tcase_add_test(c, cost_of_inodes);
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
