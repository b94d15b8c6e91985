/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_file_cases.c - files one case at a time: bytes behind the end, symlinks, inodes that go, and calls that fail for
 * want of memory, of space or of a device, or because they must not be.
 */
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/bmap.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/transaction/file.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/fileshapes.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define FILES 4u

static struct livefs l;
static struct xfs_live_inode *files[FILES];

static void open_files(void)
{
	for (unsigned k = 0; k < FILES; k++)
		qk_assert_int_eq(xfs_live_inode_get(l.live, livefs_ino(&l, k), &files[k]), 0);
}

static void close_files(void)
{
	for (unsigned k = 0; k < FILES; k++)
		xfs_live_inode_put(files[k]);
}

/* ---- what only strangers leave behind ---- */

/* Bytes behind the end of a file do not come into sight. */
START_TEST(garbage_behind_end)
{
	static const char text[] = "text";
	uint8_t got[3000];
	struct xfs_extent e;
	struct xfs_ifork f;
	size_t n;

	for (unsigned how = 0; how < 4; how++) {
		livefs_init(&l, &file_shapes[0], FILES, NULL);
		open_files();
		ck_assert_int_eq(xfs_file_write(l.edit, files[0], 0, text, 4), 0);
		ck_assert_int_eq(xfs_ifork_init(&f, &files[0]->i, XFS_FORK_DATA), 0);
		ck_assert_int_eq(xfs_ifork_lookup(&f, 0, &e), 0);
		memset(l.dev->bytes + xfs_fsbno_byte(&l.geo, XFS_FSBNO(e.block)) + 4, 0xaa, 1020);
		if (how == 0)
			ck_assert_int_eq(xfs_file_truncate(l.edit, files[0], 2000), 0);
		else if (how == 1)
			ck_assert_int_eq(xfs_file_write(l.edit, files[0], 1996, text, 4), 0);
		else if (how == 2)
			ck_assert_int_eq(xfs_file_prealloc(l.edit, files[0], 100, 1900, false), 0);
		else
			ck_assert_int_eq(xfs_file_zero(l.edit, files[0], 100, 1900, false), 0);
		ck_assert_int_eq(xfs_ifork_init(&f, &files[0]->i, XFS_FORK_DATA), 0);
		ck_assert_int_eq(xfs_ifork_read(&f, 0, got, sizeof(got), &n), 0);
		ck_assert_uint_eq(n, 2000);
		for (unsigned i = 4; i < 1996; i++)
			ck_assert_uint_eq(got[i], 0);
		close_files();
		livefs_check(&l);
		livefs_release(&l);
	}
}
END_TEST

/* ---- symlinks, and the end of inodes ---- */

static struct xfs_live_inode *make(uint16_t mode)
{
	struct xfs_inode_want w = { .near = l.root, .mode = mode, .nlink = 1 };
	struct xfs_live_inode *li;

	qk_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &li), 0);
	return li;
}

/* The last name goes; then the inode. */
static void end(struct xfs_live_inode *li)
{
	livefs_begin(&l);
	ck_assert_int_eq(xfs_live_inode_join(li, &l.t.change), 0);
	li->i.d.core.nlinkv2 = 0;
	xfs_live_inode_stamp(li, 4);
	ck_assert_int_eq(xfs_unlinked_add(li), 0);
	livefs_commit(&l);
	ck_assert_int_eq(xfs_inode_inactivate(l.edit, li), 0);
	ck_assert_int_eq(xfs_inode_inactivate(l.edit, li), -XFS_E_INVALID);
	xfs_live_inode_put(li);
}

START_TEST(symlinks)
{
	static const size_t lengths[] = { 1, 156, 157, 336, 337, 455, 456, 457, 967, 968, 969, 1023 };
	struct xfs_live_inode *li[XFS_ARRAY_SIZE(lengths)];
	char target[1025], got[1024];
	uint64_t fdblocks;
	size_t n;

	memset(target, 'x', sizeof(target));
	livefs_init(&l, &file_shapes[_i], 0, NULL);
	livefs_check(&l);
	fdblocks = l.fs->geo.sb.fdblocks;
	livefs_begin(&l);
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(lengths); i++) {
		target[lengths[i] - 1] = (char)('a' + i);
		li[i] = make(XFS_MODE_LNK | 0777);
		ck_assert_int_eq(xfs_symlink_set(li[i], target, 0), -XFS_E_INVALID);
		ck_assert_int_eq(xfs_symlink_set(li[i], target, 1024), -XFS_E_NAMETOOLONG);
		ck_assert_int_eq(xfs_symlink_set(li[i], "a\0b", 3), -XFS_E_INVALID);
		ck_assert_int_eq(xfs_symlink_set(li[i], target, lengths[i]), 0);
	}
	livefs_commit(&l);
	livefs_check(&l);
	memset(target, 'x', sizeof(target));
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(lengths); i++) {
			ck_assert_int_eq(xfs_symlink_target(&li[i]->i, got, &n, &livefs_strict), 0);
			ck_assert_uint_eq(n, lengths[i]);
			ck_assert_int_eq(got[n - 1], (char)('a' + i));
		}
		livefs_begin(&l);
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(lengths); i++) {
			bool local = li[i]->i.d.core.format == XFS_DINODE_FMT_LOCAL;

			ck_assert(k || local == (lengths[i] <= l.geo.litino));
			ck_assert_int_eq(xfs_live_inode_join(li[i], &l.t.change), 0);
			ck_assert_int_eq(xfs_symlink_push_out(li[i]), local ? 0 : -XFS_E_INVALID);
		}
		livefs_commit(&l);
		livefs_check(&l);
	}
	l.orphans = true;
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(lengths); i++)
		end(li[i]);
	l.orphans = false;
	livefs_check(&l);
	ck_assert_uint_eq(l.inodes, 3);
	ck_assert_uint_eq(l.fs->geo.sb.fdblocks, fdblocks);
	livefs_release(&l);
}
END_TEST

/* Inodes with forks of all kinds. */
START_TEST(inactivation)
{
	static const uint16_t modes[] = { XFS_MODE_REG | 0600, XFS_MODE_DIR | 0700, XFS_MODE_CHR | 0600 };
	static uint8_t data[200000];
	struct xfs_live_inode *li;
	uint64_t fdblocks;

	livefs_init(&l, &file_shapes[_i], 0, NULL);
	livefs_check(&l);
	fdblocks = l.fs->geo.sb.fdblocks;
	for (unsigned k = 0; k < 9; k++) {
		livefs_begin(&l);
		li = make(modes[k % 3]);
		if (k % 3 == 1)
			li->i.d.core.size = 6;
		if (k >= 3)
			ck_assert_int_eq(xfs_live_forkoff_set(li, k % 3 == 2 ? 1 : l.geo.v5 ? 24 : 15), 0);
		for (unsigned i = 0; k >= 6 && i < 30; i++) {
			struct xfs_bmap_want w = { .off = 2 * i, .minlen = 1, .maxlen = 1, .near = XFS_NULL64 };
			struct xfs_extent got;

			ck_assert_int_eq(xfs_bmap_alloc(li, &l.t.change, XFS_FORK_ATTR, &w, &got), 0);
		}
		livefs_commit(&l);
		if (k % 3 == 0 && k)
			for (unsigned i = 0; i < 40; i++)
				ck_assert_int_eq(xfs_file_write(l.edit, li, 10000 * i, data, 3000), 0);
		livefs_check(&l);
		ck_assert_int_eq(xfs_inode_inactivate(l.edit, li), -XFS_E_INVALID);
		end(li);
		livefs_check(&l);
		ck_assert_uint_eq(l.inodes, 3);
		ck_assert_uint_eq(l.fs->geo.sb.fdblocks, fdblocks);
	}
	livefs_release(&l);
}
END_TEST

/* ---- failures ---- */

/* A row that shares, copies, exchanges. Stops at the first error. */
static int row(void)
{
	static uint8_t data[20000];
	int err;

	memset(data, 7, sizeof(data));
	err = xfs_file_write(l.edit, files[0], 500, data, 20000);
	if (!err)
		err = xfs_file_share(l.edit, files[0], 0, files[1], 2048, 10240);
	if (!err)
		err = xfs_file_write(l.edit, files[1], 5000, data, 3000);
	if (!err)
		err = xfs_file_insert(l.edit, files[1], 4096, 4096);
	if (!err)
		err = xfs_file_exchange(l.edit, files[0], 1024, files[1], 2048, 8192, false);
	if (!err)
		err = xfs_file_unshare(l.edit, files[0], 0, 30000);
	if (!err)
		err = xfs_file_truncate(l.edit, files[0], 777);
	return err;
}

/* Whichever allocation fails, what is there is a consistent filesystem, in memory as on the device. */
START_TEST(allocation_failures)
{
	uint64_t failed = 0;

	for (uint64_t n = 1;; n += n < 60 ? 1 : 7) {
		uint64_t asked;
		int err;

		livefs_init(&l, &file_shapes[0], FILES, NULL);
		open_files();
		failmalloc_start(n, false);
		err = row();
		asked = failmalloc_stop();
		close_files();
		livefs_check(&l);
		livefs_release(&l);
		if (asked < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		ck_assert(!err || err == -XFS_E_NOMEM);
		failed += err != 0;
	}
	ck_assert_uint_gt(failed, 20);
}
END_TEST

/* Data that can't be written leave no trace; nor do staged copies. */
START_TEST(data_errors)
{
	static uint8_t data[20000];
	struct xfs_extent e;
	struct xfs_ifork f;

	livefs_init(&l, &file_shapes[0], FILES, NULL);
	open_files();
	ck_assert_int_eq(xfs_file_write(l.edit, files[0], 0, data, 20000), 0);
	ck_assert_int_eq(xfs_file_share(l.edit, files[0], 0, files[1], 0, 20000), 0);
	ck_assert_int_eq(xfs_ifork_init(&f, &files[0]->i, XFS_FORK_DATA), 0);
	ck_assert_int_eq(xfs_ifork_lookup(&f, 0, &e), 0);
	livefs_check(&l);
	/* everything behind this file */
	l.dev->bad_off = xfs_fsbno_byte(&l.geo, XFS_FSBNO(e.block + 20));
	l.dev->bad_len = xfs_fsbno_byte(&l.geo, XFS_FSBNO(e.block + 1000)) - l.dev->bad_off;
	ck_assert_int_eq(xfs_file_write(l.edit, files[2], 0, data, 20000), -XFS_E_IO);
	ck_assert_uint_eq(files[2]->i.d.core.nblocks, 0);
	/* everything before it: copies go there */
	l.dev->bad_off = 0;
	l.dev->bad_len = xfs_fsbno_byte(&l.geo, XFS_FSBNO(e.block));
	ck_assert_int_eq(xfs_file_write(l.edit, files[1], 1000, data, 5000), -XFS_E_IO);
	l.dev->bad_len = 0;
	livefs_check(&l);
	ck_assert_uint_eq(files[1]->i.d.core.nblocks, 20);
	ck_assert_int_eq(xfs_file_write(l.edit, files[1], 1000, data, 5000), 0);
	close_files();
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* A filesystem that gets full says so, and loses nothing. */
START_TEST(full)
{
	static const struct testfs fs = { .blocksize = 4096, .agblocks = 4096, .agcount = 1 };
	static uint8_t data[60000];
	uint64_t written = 0;
	int err = 0;

	livefs_init(&l, &fs, FILES, NULL);
	open_files();
	while (!err) {
		err = xfs_file_write(l.edit, files[0], written, data, sizeof(data));
		written += err ? 0 : sizeof(data);
	}
	ck_assert_int_eq(err, -XFS_E_NOSPC);
	ck_assert_uint_gt(written, 10 << 20);
	ck_assert_uint_ge(files[0]->i.d.core.size, written);
	livefs_check(&l);
	/* sharing needs no space for data */
	ck_assert_int_eq(xfs_file_share(l.edit, files[0], 0, files[1], 0, 1 << 20), 0);
	ck_assert_int_eq(xfs_file_write(l.edit, files[1], 0, data, sizeof(data)), -XFS_E_NOSPC);
	livefs_check(&l);
	ck_assert_int_eq(xfs_file_truncate(l.edit, files[0], 2 << 20), 0);
	ck_assert_int_eq(xfs_file_write(l.edit, files[1], 0, data, sizeof(data)), 0);
	close_files();
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

START_TEST(refused)
{
	uint8_t byte = 1;

	livefs_init(&l, &file_shapes[0], FILES, NULL);
	open_files();
	ck_assert_int_eq(xfs_file_write(l.edit, files[0], INT64_MAX, &byte, 1), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_file_truncate(l.edit, files[0], (uint64_t)INT64_MAX + 1), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_file_truncate(l.edit, files[0], INT64_MAX), 0);
	ck_assert_int_eq(xfs_file_insert(l.edit, files[0], 1024, 1024), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_file_write(l.edit, files[0], INT64_MAX - 1, &byte, 1), 0);
	ck_assert_int_eq(xfs_file_collapse(l.edit, files[0], 1024, 1000), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_file_collapse(l.edit, files[1], 0, 1024), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_file_share(l.edit, files[1], 0, files[2], 0, 1024), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_file_exchange(l.edit, files[1], 0, files[2], 0, 1024, false), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_file_truncate(l.edit, files[0], 0), 0);
	close_files();
	livefs_check(&l);
	livefs_release(&l);
	livefs_init(&l, &file_shapes[3], FILES, NULL);
	open_files();
	ck_assert_int_eq(xfs_file_write(l.edit, files[0], 0, &byte, 1), 0);
	ck_assert_int_eq(xfs_file_share(l.edit, files[0], 0, files[2], 0, 1), -XFS_E_UNSUPPORTED);
	close_files();
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("file_cases");
	Suite *suite = suite_create("file_cases");

	tcase_set_timeout(c, 600);
	suite_add_tcase(suite, c);
	tcase_add_test(c, garbage_behind_end);
	tcase_add_loop_test(c, symlinks, 0, XFS_ARRAY_SIZE(file_shapes));
	tcase_add_loop_test(c, inactivation, 0, XFS_ARRAY_SIZE(file_shapes));
	tcase_add_test(c, allocation_failures);
	tcase_add_test(c, data_errors);
	tcase_add_test(c, full);
	tcase_add_test(c, refused);
	return vectors_main(suite);
}
