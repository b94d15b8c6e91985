/* SPDX-License-Identifier: BSD-2-Clause */
/* test_edit.c - what opening a filesystem for changes does to it, and what it refuses. */
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

static struct livefs l;

static void set_qflags(uint16_t bits)
{
	livefs_begin(&l);
	qk_assert_int_eq(xfs_change_sb_bits(&l.t.change, XFS_OFF(sb, qflags), 0, bits), 0);
	livefs_commit(&l);
	livefs_reopen(&l);
	qk_assert_uint_eq(l.fs->geo.sb.qflags, bits);
}

/* The counts of quotas are trusted until something is changed, with a log and without. */
START_TEST(quotas)
{
	const struct testfs f = { .blocksize = 1024, .agblocks = 16384, .agcount = 2 };
	struct xfs_edit_options o = { .logged = _i };
	struct xfs_live_inode *li;

	livefs_init(&l, &f, 1, &o);
	set_qflags(0x05c7 | 0x0200);	/* all is on and checked */
	livefs_begin(&l);
	xfs_trans_abort(&l.t);
	livefs_reopen(&l);
	ck_assert_uint_eq(l.fs->geo.sb.qflags, 0x07c7);
	livefs_begin(&l);
	li = livefs_get(&l, livefs_ino(&l, 0));
	xfs_live_inode_stamp(li, 4);
	xfs_live_inode_put(li);
	livefs_commit(&l);
	livefs_reopen(&l);
	ck_assert_uint_eq(l.fs->geo.sb.qflags, 0x02c3);
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

START_TEST(old_filesystems)
{
	const struct testfs v4 = { .blocksize = 4096, .agblocks = 4096, .agcount = 2, .v4 = true };
	struct xfs_edit_options o = { .logged = true };
	struct xfs_edit *again;

	livefs_init(&l, &v4, 1, NULL);
	ck_assert_int_eq(xfs_edit_quiesce(l.edit), 0);
	*l.finding = 0;
	ck_assert_int_eq(xfs_edit_open(&again, l.fs, &o), -XFS_E_UNSUPPORTED);
	ck_assert_msg(strstr(l.finding, "changes to a V4 filesystem can't be logged"), "%s", l.finding);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edit");
	TCase *t = tcase_create("edit");

	tcase_add_loop_test(t, quotas, 0, 2);
	tcase_add_test(t, old_filesystems);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
