/* SPDX-License-Identifier: BSD-2-Clause */
/* test_findings.c - table of findings, one-line text, lists; error codes. */
#include "libxfs/base/errors.h"
#include "libxfs/base/findings.h"
#include "libxfs/base/types.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

START_TEST(names)
{
	ck_assert_str_eq(xfs_finding_name(XFS_F_BLOCK_IO), "block-io");
	ck_assert_str_eq(xfs_finding_name(XFS_F_BTREE_HIGH_KEY), "btree-high-key");
	ck_assert_str_eq(xfs_finding_name(XFS_F_NONE), "none");
	ck_assert_str_eq(xfs_finding_name((enum xfs_finding_id)100000), "none");
	for (int i = XFS_F_NONE; i < XFS_F_COUNT; i++) {
		const char *name = xfs_finding_name((enum xfs_finding_id)i);

		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		ck_assert_uint_gt(strlen(name), 2);
		ck_assert_uint_gt(strlen(xfs_finding_text((enum xfs_finding_id)i)), 4);
		ck_assert_uint_gt(strlen(xfs_finding_fix((enum xfs_finding_id)i)), 4);
		for (int j = XFS_F_NONE; j < i; j++)
			ck_assert_str_ne(name, xfs_finding_name((enum xfs_finding_id)j));
	}
	ck_assert_int_eq(xfs_finding_severity(XFS_F_BLOCK_LSN), XFS_SEV_WARN);
	ck_assert_str_eq(xfs_severity_name(XFS_SEV_FATAL), "fatal");
}
END_TEST

static void expect(const struct xfs_finding *f, const char *want)
{
	char buf[512], small[9];
	int n = xfs_finding_format(f, buf, sizeof(buf));

	ck_assert_str_eq(buf, want);
	ck_assert_int_eq(n, (int)strlen(want));
	/* cut like snprintf, and counted in full */
	ck_assert_int_eq(xfs_finding_format(f, small, sizeof(small)), n);
	ck_assert_uint_eq(strlen(small), 8);
	ck_assert_int_eq(strncmp(small, want, 8), 0);
	ck_assert_int_eq(xfs_finding_format(f, NULL, 0), n);
}

START_TEST(text)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_BTREE_HIGH_KEY, "rmapbt");

	expect(&f, "rmapbt: high key of a node differs from its child");
	f.agno = 3;
	f.agbno = 77;
	f.found = 5;
	f.expected = 6;
	expect(&f, "ag 3 rmapbt block 77: high key of a node differs from its child (found 5, expected 6)");
	xfs_finding_detail(&f, "key %d of %d", 1, 9);
	f.field = "high";
	expect(&f,
	       "ag 3 rmapbt high block 77: high key of a node differs from its child: "
	       "key 1 of 9 (found 5, expected 6)");
	f = xfs_finding_of(XFS_F_BTREE_OVERLAP, "bmbt");
	f.ino = 133;
	f.fileoff = 0;
	f.len = 12;
	expect(&f, "bmbt inode 133 offset 0 length 12: records overlap that must not");
	f = xfs_finding_of(XFS_F_INODE_FIELD, "inode");
	f.ino = 133;
	f.field = "flags";
	f.found = 8;
	expect(&f, "inode 133 flags: inode field is not valid (found 8)");
	f.found = XFS_NULL64;
	f.expected = 0;
	expect(&f, "inode 133 flags: inode field is not valid (expected 0)");
	f = xfs_finding_of(XFS_F_BLOCK_MAGIC, "agf");
	f.agno = 0;
	f.found = 0;
	f.expected = 0x58414746;
	expect(&f, "ag 0 agf: wrong magic number (found 0x0, expected 0x58414746)");
	f = xfs_finding_of(XFS_F_BLOCK_OWNER, "agfl");
	f.found = XFS_OWN_AG;
	f.expected = 7;
	expect(&f, "agfl: block names another owner (found -5, expected 7)");
	xfs_finding_detail(&f, "%0200d", 7);
	ck_assert_uint_eq(strlen(f.detail), sizeof(f.detail) - 1);
}
END_TEST

START_TEST(lists)
{
	struct xfs_finding_list list = { 0 }, second = { 0 };
	struct xfs_sink sink = xfs_finding_list_sink(&list), to = xfs_finding_list_sink(&second), none = { NULL, NULL };
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_CRC, "agi");

	for (uint32_t i = 0; i < 1000; i++) {
		f.agno = i;
		xfs_finding_emit(&sink, &f);
	}
	xfs_finding_emit(NULL, &f);
	xfs_finding_emit(&none, &f);
	ck_assert_uint_eq(list.n, 1000);
	ck_assert_int_eq(xfs_finding_list_pass(&list, &to), 0);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_eq(second.n, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(second.items[i].agno, i);
	second.lost = 1;
	ck_assert_int_eq(xfs_finding_list_pass(&second, NULL), -XFS_E_NOMEM);
}
END_TEST

START_TEST(errors)
{
	ck_assert_str_eq(xfs_error_name(-XFS_E_BADCRC), "BADCRC");
	ck_assert_str_eq(xfs_error_name(XFS_E_BADCRC), "BADCRC");
	ck_assert_str_eq(xfs_error_name(0), "OK");
	ck_assert_str_eq(xfs_error_name(-9999), "UNKNOWN");
	ck_assert_str_eq(xfs_error_text(-XFS_E_NOSPC), "no space left");
	ck_assert_int_eq(xfs_error_errno(-XFS_E_CORRUPT), EFSCORRUPTED);
	ck_assert_int_eq(xfs_error_errno(-XFS_E_BADCRC), EBADMSG);
	ck_assert_int_eq(xfs_error_errno(0), 0);
	ck_assert_int_eq(xfs_error_from_errno(ENOSPC), -XFS_E_NOSPC);
	ck_assert_int_eq(xfs_error_from_errno(EBADF), -XFS_E_IO);
	ck_assert_int_eq(xfs_error_from_errno(0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("findings");
	TCase *t = tcase_create("findings");

	tcase_add_test(t, names);
	tcase_add_test(t, text);
	tcase_add_test(t, lists);
	tcase_add_test(t, errors);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
