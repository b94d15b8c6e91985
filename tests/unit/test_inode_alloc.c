/* SPDX-License-Identifier: BSD-2-Clause */
/* test_inode_alloc.c - inodes come into use and go: chunks, sparse chunks, both trees, unlinked lists. */
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/aginodes.h"
#include "libxfs/inode/bmap.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct livefs l;
static struct testrand rnd;

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

static int make(uint16_t mode, uint64_t near, uint64_t *ino)
{
	struct xfs_inode_want w = { .near = near, .mode = mode, .nlink = 1, .uid = 3, .gid = 4, .projid = 0x12345 };
	struct xfs_live_inode *li;
	int err = xfs_inode_alloc(l.live, &l.t.change, &w, &li);

	if (err)
		return err;
	*ino = li->i.ino.v;
	qk_assert_uint_eq(li->i.d.core.mode, mode);
	qk_assert_uint_eq(li->i.d.core.uid, 3);
	if ((mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
		qk_assert_int_eq(xfs_live_fork_set_local(li, XFS_FORK_DATA, "target", 6), 0);
		li->i.d.core.size = 6;
	} else if ((mode & XFS_MODE_FMT) == XFS_MODE_DIR) {
		li->i.d.core.size = 6;
	}
	xfs_live_inode_put(li);
	return 0;
}

static void unmake(uint64_t ino)
{
	struct xfs_live_inode *li = livefs_get(&l, ino);

	qk_assert_int_eq(xfs_inode_free(li), -XFS_E_INVALID);
	li->i.d.core.nlinkv2 = 0;
	if (li->i.d.core.format == XFS_DINODE_FMT_LOCAL)
		qk_assert_int_eq(xfs_live_fork_clear(li, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_inode_free(li), 0);
	xfs_live_inode_put(li);
}

static const struct testfs shapes[] = {
	{ .blocksize = 4096, .agblocks = 4096, .agcount = 3 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2 },
	{ .blocksize = 4096, .agblocks = 8192, .agcount = 2, .no_finobt = true },
	{ .blocksize = 4096, .agblocks = 8192, .agcount = 2, .no_sparse = true, .no_inobtcnt = true },
	{ .blocksize = 512, .agblocks = 32768, .agcount = 2, .v4 = true, .no_rmapbt = true, .no_reflink = true,
	  .no_finobt = true },
	{ .blocksize = 65536, .agblocks = 4096, .agcount = 1 },
};
static const uint16_t modes[] = {
	XFS_MODE_REG | 0644, XFS_MODE_REG | 0644, XFS_MODE_REG | 0600, XFS_MODE_DIR | 0755, XFS_MODE_LNK | 0777,
	XFS_MODE_CHR | 0600, XFS_MODE_FIFO | 0600, XFS_MODE_SOCK | 0600,
};

/* Grows to thousands of inodes and shrinks to none, again and again. */
START_TEST(come_and_go)
{
	enum { MOST = 3000 };
	static uint64_t have[MOST];
	unsigned n = 0, rounds = getenv("XFSKIT_LONG") ? 40 : 6;
	uint64_t fdblocks;

	livefs_init(&l, &shapes[_i], 0, NULL);
	livefs_check(&l);
	fdblocks = l.fs->geo.sb.fdblocks;
	rnd.s = 7 + (uint64_t)_i;
	for (unsigned r = 0; r < rounds; r++) {
		unsigned target = r % 2 ? below(100) : MOST / 3 + below(2 * MOST / 3);

		while (r % 2 ? n > target : n < target) {
			livefs_begin(&l);
			for (unsigned k = 1 + below(20); k; k--) {
				bool more = below(5) < (r % 2 ? 1u : 4u);

				if (more && n < MOST) {
					qk_assert_int_eq(make(modes[below(8)], n ? have[below(n)] : l.root, &have[n]),
							 0);
					n++;
				} else if (!more && n) {
					unsigned at = below(n);

					unmake(have[at]);
					have[at] = have[--n];
				}
			}
			if (below(10)) {
				livefs_commit(&l);
				continue;
			}
			livefs_commit(&l);
			if (below(20) == 0)
				livefs_reopen(&l);
		}
		livefs_check(&l);
		ck_assert_uint_eq(l.inodes, n + 3);
	}
	livefs_begin(&l);
	while (n)
		unmake(have[--n]);
	livefs_commit(&l);
	livefs_check(&l);
	if (l.geo.inopblog <= 6 && !l.geo.rmapbt)
		ck_assert_uint_eq(l.fs->geo.sb.fdblocks, fdblocks);
	ck_assert_uint_eq(l.fs->geo.sb.icount, l.geo.inopblog <= 6 ? l.geo.ialloc_inos : l.fs->geo.sb.icount);
	livefs_release(&l);
}
END_TEST

/* An aborted change leaves no inode, in memory or on disk. */
START_TEST(aborted)
{
	struct xfs_live_inode *li, *again;
	uint64_t ino;

	livefs_init(&l, &shapes[0], 61, NULL);		/* the chunk is full */
	livefs_check(&l);
	for (unsigned k = 0; k < 3; k++) {
		struct xfs_inode_want w = { .near = l.root, .mode = XFS_MODE_REG | 0600, .nlink = 1 };

		livefs_begin(&l);
		ck_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &li), 0);
		ino = li->i.ino.v;
		xfs_trans_abort(&l.t);
		xfs_live_inode_put(li);
		ck_assert_int_lt(xfs_live_inode_get(l.live, ino, &again), 0);
		livefs_check(&l);
		ck_assert_uint_eq(l.fs->geo.sb.icount, 64);
	}
	livefs_begin(&l);
	ck_assert_int_eq(make(XFS_MODE_REG | 0600, l.root, &ino), 0);
	livefs_commit(&l);
	/* freed, and the change taken back */
	livefs_begin(&l);
	unmake(ino);
	xfs_trans_abort(&l.t);
	livefs_check(&l);
	ck_assert_uint_eq(l.inodes, 65);
	livefs_release(&l);
}
END_TEST

/* ---- no place for whole chunks ---- */

/* One file takes all space but pieces of `piece` blocks, aligned, one in each `every` blocks. */
static void leave_pieces(uint32_t piece, uint32_t every)
{
	struct xfs_live_inode *li;
	struct xfs_extent got;
	uint64_t off = 0;

	for (int err = 0; !err;) {
		struct xfs_bmap_want w = { .off = off, .minlen = 1, .maxlen = 1000, .near = XFS_NULL64 };

		livefs_begin(&l);
		li = livefs_get(&l, livefs_ino(&l, 0));
		err = xfs_bmap_alloc(li, &l.t.change, XFS_FORK_DATA, &w, &got);
		off += err ? 0 : got.len;
		xfs_live_inode_put(li);
		if (err)
			xfs_trans_abort(&l.t);
		else
			livefs_commit(&l);
	}
	for (uint64_t at = 0; at < off;) {
		struct xfs_ifork f;
		struct xfs_extent e;
		uint32_t agbno, skip;

		livefs_begin(&l);
		li = livefs_get(&l, livefs_ino(&l, 0));
		qk_assert_int_eq(xfs_ifork_init(&f, &li->i, XFS_FORK_DATA), 0);
		if (!xfs_ifork_lookup(&f, at, &e)) {
			at = xfs_max(at, e.off);
			agbno = xfs_fsbno_agbno(&l.geo, XFS_FSBNO(e.block + (at - e.off))).v;
			skip = (every - agbno % every) % every;
			if (at + skip + piece <= e.off + e.len)
				qk_assert_int_eq(xfs_bmap_unmap(li, XFS_FORK_DATA, at + skip, piece, XFS_BMAP_FREE, 0,
								NULL), 0);
			at += skip + piece;
		} else {
			at = off;
		}
		xfs_live_inode_put(li);
		livefs_commit(&l);
	}
}

START_TEST(sparse_chunks)
{
	static const struct testfs fs = { .blocksize = 4096, .agblocks = 4096, .agcount = 1 };
	static uint64_t have[4000];
	unsigned n = 0, partial = 0;
	int err = 0;

	livefs_init(&l, &fs, 1, NULL);
	rnd.s = 3;
	leave_pieces(4, _i ? 16 : 12);
	livefs_check(&l);
	while (n < XFS_ARRAY_SIZE(have) && !err) {
		livefs_begin(&l);
		for (unsigned k = 0; k < 16 && !err; k++) {
			err = make(XFS_MODE_REG | 0600, l.root, &have[n]);
			n += !err;
		}
		if (err == -XFS_E_NOSPC && l.t.change.error == 0) {
			livefs_commit(&l);
			break;
		}
		livefs_commit(&l);
	}
	livefs_check(&l);
	ck_assert_uint_gt(n, 500);
	{
		struct agcheck a;

		agcheck_read(&a, &l.fs->geo, &l.dev->dev, XFS_AGNO(0));
		for (size_t i = 0; i < a.recs[XFS_TREE_INO].n; i++)
			partial += xfs_inobt_rec_get_holemask((const void *)(a.recs[XFS_TREE_INO].bytes + 16 * i)) != 0;
		agcheck_release(&a);
	}
	ck_assert_uint_gt(partial, 10);
	while (n) {
		livefs_begin(&l);
		for (unsigned k = 0; k < 50 && n; k++) {
			unsigned at = below(n);

			unmake(have[at]);
			have[at] = have[--n];
		}
		livefs_commit(&l);
	}
	livefs_check(&l);
	ck_assert_uint_eq(l.fs->geo.sb.icount, 64);
	livefs_release(&l);
}
END_TEST

/* ---- unlinked lists ---- */

/* A hundred inodes come and go on the lists of two AGs, from any place. */
START_TEST(unlinked_lists)
{
	enum { N = 200 };
	uint64_t ino[N];
	bool on[N] = { false };
	struct xfs_live_inode *li;

	livefs_init(&l, &shapes[_i], 0, NULL);
	rnd.s = 9;
	livefs_begin(&l);
	for (unsigned i = 0; i < N; i++)
		ck_assert_int_eq(make(i % 3 ? XFS_MODE_REG | 0600 : XFS_MODE_DIR | 0700, l.root, &ino[i]), 0);
	livefs_commit(&l);
	l.orphans = true;
	for (unsigned k = 0; k < 3000; k++) {
		unsigned i = below(N);

		livefs_begin(&l);
		li = livefs_get(&l, ino[i]);
		li->i.d.core.nlinkv2 = 0;
		if (on[i]) {
			qk_assert_int_eq(xfs_unlinked_remove(li), 0);
			li->i.d.core.nlinkv2 = 1;
			qk_assert_int_eq(xfs_unlinked_add(li), -XFS_E_INVALID);
		} else {
			qk_assert_int_eq(xfs_unlinked_remove(li), -XFS_E_NOENT);
			qk_assert_int_eq(xfs_unlinked_add(li), 0);
			qk_assert_int_eq(xfs_unlinked_add(li), -XFS_E_INVALID);
		}
		xfs_live_inode_dirty(li, XFS_LIVE_CORE);
		on[i] = !on[i];
		xfs_live_inode_put(li);
		if (below(8) == 0) {
			xfs_trans_abort(&l.t);
			on[i] = !on[i];
		} else {
			livefs_commit(&l);
		}
		if (k % 1000 == 999) {
			livefs_check(&l);
			livefs_reopen(&l);
		}
	}
	for (unsigned i = 0; i < N; i++) {
		livefs_begin(&l);
		li = livefs_get(&l, ino[i]);
		if (on[i])
			qk_assert_int_eq(xfs_unlinked_remove(li), 0);
		else
			qk_assert_int_eq(xfs_unlinked_remove(li), -XFS_E_NOENT);
		qk_assert_uint_eq(li->i.d.core.next_unlinked, XFS_NULL32);
		xfs_live_inode_put(li);
		livefs_commit(&l);
	}
	l.orphans = false;
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* ---- failures ---- */

static int chain(void)
{
	struct xfs_inode_want w = { .near = l.root, .mode = XFS_MODE_REG | 0600, .nlink = 0 };
	struct xfs_live_inode *li = NULL;
	int err = xfs_trans_begin(&l.t, l.edit, 0);

	if (!err)
		err = xfs_inode_alloc(l.live, &l.t.change, &w, &li);
	if (!err)
		err = xfs_unlinked_add(li);
	if (!err)
		err = xfs_unlinked_remove(li);
	if (!err)
		err = xfs_inode_free(li);
	xfs_live_inode_put(li);
	if (!err)
		return xfs_trans_commit(&l.t);
	xfs_trans_abort(&l.t);
	return err;
}

START_TEST(allocation_failures)
{
	uint64_t failed = 0;

	livefs_init(&l, &shapes[0], 61, NULL);
	for (uint64_t n = 1;; n++) {
		int err;

		livefs_reopen(&l);
		failmalloc_start(n, false);
		err = chain();
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		if (!err)
			break;
		ck_assert_int_eq(err, -XFS_E_NOMEM);
		failed++;
		ck_assert_uint_eq(l.live->ninodes, 0);
		ck_assert_uint_eq(l.fs->geo.sb.icount, 64);
	}
	ck_assert_uint_gt(failed, 20);
	livefs_check(&l);
	ck_assert_uint_eq(l.fs->geo.sb.icount, 64);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("inode_alloc");
	Suite *suite = suite_create("inode_alloc");

	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, come_and_go, 0, XFS_ARRAY_SIZE(shapes));
	tcase_add_test(c, aborted);
	tcase_add_loop_test(c, sparse_chunks, 0, 2);
	tcase_add_loop_test(c, unlinked_lists, 0, 2);
	tcase_add_test(c, allocation_failures);
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
