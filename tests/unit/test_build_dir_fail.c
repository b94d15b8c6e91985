/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_dir_fail.c - directories from lists: what the builder refuses, and what it leaves when something fails. */
#include "tests/unit/buildfs.h"
#include "tests/unit/dirlist.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define PARENT 192u

static const struct testfs plain = { .agblocks = 40000, .agcount = 4 };
static const struct testfs folded = { .agblocks = 40000, .agcount = 4, .ci = true };
static const struct testfs small = { .blocksize = 1024, .agblocks = 200000, .agcount = 4, .dirblklog = 2 };

static struct xfs_build_dir request(const struct buildfs *b, const struct dirlist *l, uint32_t forksize, uint8_t *fork)
{
	return (struct xfs_build_dir){ .to = b->to, .parent = PARENT, .entries = l->e, .n = l->n,
				       .forksize = forksize, .bytes = fork };
}

/* ---- what is refused ---- */

static int try_list(struct buildfs *b, const struct dirlist *l)
{
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_dir d = request(b, l, b->geo.litino, fork);

	buildfs_reset(b, BUILDFS_WHOLE, 0);
	return xfs_build_dir(&d);
}

START_TEST(twins)
{
	static const size_t sizes[] = { 2, 10, 60, 400, 3000 };
	struct testrand rnd = { 5 };
	struct buildfs b, ci;
	struct dirlist l;

	buildfs_init(&b, &plain);
	buildfs_init(&ci, &folded);
	ck_assert(ci.geo.asciici);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i];
		uint8_t upper[255], lower[255];

		dirlist_make(&l, &b.geo, &rnd, n, 8, 20, 0);
		l.e[n - 1].name = l.e[n / 3].name;
		l.e[n - 1].namelen = l.e[n / 3].namelen;
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_EXISTS);
		ck_assert_uint_eq(b.taken, 0);
		/* the same but for capitals */
		memset(upper, 'A', sizeof(upper));
		memset(lower, 'a', sizeof(lower));
		l.e[0].name = upper;
		l.e[n - 1].name = lower;
		l.e[0].namelen = l.e[n - 1].namelen = 100;
		ck_assert_int_eq(try_list(&b, &l), 0);
		ck_assert_int_eq(try_list(&ci, &l), -XFS_E_EXISTS);
		dirlist_free(&l);
	}
	/* among many with its hash */
	dirlist_equal_hashes(&l, 9);
	ck_assert_int_eq(try_list(&b, &l), 0);
	l.e[500].name = l.e[3].name;
	ck_assert_int_eq(try_list(&b, &l), -XFS_E_EXISTS);
	dirlist_free(&l);
	buildfs_release(&b);
	buildfs_release(&ci);
}
END_TEST

START_TEST(refused)
{
	static const struct { const char *name; uint8_t len; uint64_t ino; uint8_t ftype; } bad[] = {
		{ "", 0, 131, 1 }, { "a/b", 3, 131, 1 }, { "a\0b", 3, 131, 1 }, { ".", 1, 131, 2 }, { "..", 2, 131, 2 },
		{ "a", 1, 0, 1 }, { "a", 1, UINT64_C(1) << 60, 1 }, { "a", 1, 131, 9 },
	};
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct testrand rnd = { 9 };
	struct xfs_build_dir d;
	struct buildfs b;
	struct dirlist l;

	buildfs_init(&b, &plain);
	dirlist_make(&l, &b.geo, &rnd, 10, 8, 20, 0);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(bad); i++) {
		struct xfs_build_dirent keep = l.e[4];

		l.e[4] = (struct xfs_build_dirent){ bad[i].ino, (const uint8_t *)bad[i].name, bad[i].len,
						    bad[i].ftype };
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_INVALID);
		l.e[4] = keep;
	}
	ck_assert_int_eq(try_list(&b, &l), 0);
	d = request(&b, &l, b.geo.litino, fork);
	d.parent = 0;
	ck_assert_int_eq(xfs_build_dir(&d), -XFS_E_INVALID);
	d = request(&b, &l, b.geo.litino, fork);
	d.n = SIZE_MAX;
	ck_assert_int_eq(xfs_build_dir(&d), -XFS_E_TOOBIG);
	dirlist_free(&l);
	buildfs_release(&b);
}
END_TEST

/* ---- failures ---- */

static void failing_list(struct buildfs *b, struct dirlist *l, size_t n)
{
	struct testrand rnd = { n };

	buildfs_init(b, &small);
	dirlist_make(l, &b->geo, &rnd, n, 8, 60, 0);
}

static int attempt(struct buildfs *b, const struct dirlist *l)
{
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_dir d = request(b, l, 192, fork);

	return xfs_build_dir(&d);
}

START_TEST(no_space)
{
	struct buildfs b;
	struct dirlist l;
	uint64_t need;

	failing_list(&b, &l, 3000);
	buildfs_reset(&b, BUILDFS_PIECES, 3);
	ck_assert_int_eq(attempt(&b, &l), 0);
	need = b.taken;
	ck_assert_uint_gt(need, 100);
	for (uint64_t most = 0; most < need; most++) {
		buildfs_reset(&b, BUILDFS_PIECES, 3);
		b.rnd.s = 0;
		b.most = most;
		if (attempt(&b, &l) != -XFS_E_NOSPC)
			ck_assert_uint_lt(need - most, 40);	/* other pieces, another tree */
		else
			buildfs_check_given_back(&b);
	}
	dirlist_free(&l);
	buildfs_release(&b);
}
END_TEST

START_TEST(no_memory)
{
	static const size_t sizes[] = { 5, 100, 3000 };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(sizes); i++) {
		struct buildfs b;
		struct dirlist l;

		failing_list(&b, &l, sizes[i]);
		for (uint64_t n = 1;; n++) {
			int err;

			buildfs_reset(&b, BUILDFS_PIECES, 4);
			failmalloc_start(n, false);
			err = attempt(&b, &l);
			if (failmalloc_stop() < n) {
				ck_assert_int_eq(err, 0);
				break;
			}
			ck_assert_int_eq(err, -XFS_E_NOMEM);
			buildfs_check_given_back(&b);
		}
		dirlist_free(&l);
		buildfs_release(&b);
	}
}
END_TEST

static int failing_write(struct xfs_dev *d, struct xfs_iovec *v, size_t n)
{
	(void)d;
	(void)v;
	(void)n;
	return -XFS_E_IO;
}

START_TEST(no_device)
{
	struct buildfs b;
	struct dirlist l;
	struct xfs_dev_ops ops;
	struct xfs_dev dev;

	failing_list(&b, &l, 3000);
	dev = b.dev->dev;
	ops = *dev.ops;
	ops.write = failing_write;
	dev.ops = &ops;
	b.to.dev = &dev;
	buildfs_reset(&b, BUILDFS_PIECES, 4);
	ck_assert_int_eq(attempt(&b, &l), -XFS_E_IO);
	ck_assert_uint_gt(b.taken, 0);
	buildfs_check_given_back(&b);
	dirlist_free(&l);
	buildfs_release(&b);
}
END_TEST

/* An answer of alloc() that cannot be. */
static int bad_alloc(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got)
{
	const unsigned *how = payload;

	(void)offset;
	*fsbno = *how == 0 ? 0 : 5000;
	*got = *how == 1 ? 0 : *how == 2 ? want + 1 : want;
	return 0;
}

START_TEST(bad_answers)
{
	struct buildfs b;
	struct dirlist l;

	failing_list(&b, &l, 3000);
	for (unsigned how = 0; how < 3; how++) {
		b.to.alloc = bad_alloc;
		b.to.unalloc = NULL;
		b.to.payload = &how;
		ck_assert_int_eq(attempt(&b, &l), -XFS_E_INVALID);
	}
	dirlist_free(&l);
	buildfs_release(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("build_dir_fail");
	TCase *t = tcase_create("build_dir_fail");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, twins);
	tcase_add_test(t, refused);
	tcase_add_test(t, no_space);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, no_device);
	tcase_add_test(t, bad_answers);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
