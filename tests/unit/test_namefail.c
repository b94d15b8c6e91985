/* SPDX-License-Identifier: BSD-2-Clause */
/* test_namefail.c - names that can't be changed for want of memory: all is as before, and the next call works. */
#include "libxfs/name/verify.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/nameshapes.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

static struct livefs l;
static struct xfs_live_inode *victim;

/* One call of each kind; what it changes is undone by the next ones. */
static int call(unsigned k)
{
	static const char target[] = "a target that goes into the inode";
	const struct xfs_new_file file = { .mode = XFS_MODE_REG | 0600 }, dir = { .mode = XFS_MODE_DIR | 0700 };
	const struct xfs_new_file link = {
		.mode = XFS_MODE_LNK | 0777, .target = target, .targetlen = sizeof(target) - 1,
	};
	static uint8_t bytes[9000];
	const struct xfs_attr_want w = { (const uint8_t *)"name", bytes, sizeof(bytes), 4, 0 };
	struct xfs_rename r = { l.root, l.root, "new-dir", "new-file", 7, 8, XFS_RENAME_EXCHANGE };
	uint64_t ino;

	switch (k) {
	case 0:
		return xfs_name_create(l.edit, l.root, "new-file", 8, &file, &ino);
	case 1:
		return xfs_name_create(l.edit, l.root, "new-dir", 7, &dir, &ino);
	case 2:
		return xfs_name_create(l.edit, l.root, "new-link", 8, &link, &ino);
	case 3:
		return xfs_name_add(l.edit, l.root, "another", 7, victim->i.ino.v);
	case 4:
		return xfs_name_attr_set(l.edit, victim->i.ino.v, &w, XFS_ATTR_ANYHOW);
	case 5:
	case 6:
		return xfs_name_rename(l.edit, &r);
	case 7:
		r = (struct xfs_rename){ l.root, l.root, "new-link", "another", 8, 7, XFS_RENAME_WHITEOUT };
		return xfs_name_rename(l.edit, &r);
	case 8:
		return xfs_name_remove(l.edit, l.root, "new-link", 8);
	case 9:
		return xfs_name_remove(l.edit, l.root, "another", 7);
	case 10:
		return xfs_name_rmdir(l.edit, l.root, "new-dir", 7);
	default:
		return xfs_name_remove(l.edit, l.root, "new-file", 8);
	}
}
#define CALLS 12u

struct sum { uint64_t sum; };

static int add_entry(void *payload, const struct xfs_dir_entry *e)
{
	uint64_t h = 1469598103934665603u ^ e->ino.v ^ (uint64_t)e->ftype << 40;

	for (unsigned i = 0; i < e->namelen; i++)
		h = (h ^ e->name[i]) * UINT64_C(1099511628211);
	((struct sum *)payload)->sum += h;
	return 0;
}

/* Names in the root, and what is free. */
static uint64_t sum_of_all(void)
{
	const struct xfs_sb *sb = &l.fs->geo.sb;
	struct xfs_live_inode *li;
	struct sum s = { 0 };
	struct xfs_dir d;

	qk_assert_int_eq(xfs_live_inode_get(l.live, l.root, &li), 0);
	qk_assert_int_eq(xfs_dir_verify(&li->i, l.root, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_open(&d, &li->i, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_each(&d, 0, add_entry, &s), 0);
	s.sum += xfs_dinode_nlink(&li->i.d) + 3 * (uint64_t)xfs_dinode_nlink(&victim->i.d);
	s.sum += 5 * victim->i.d.core.nblocks;
	xfs_live_inode_put(li);
	return s.sum + (sb->fdblocks << 20) + (sb->ifree << 44) + sb->icount;
}

/* Every allocation of every call fails once; an inode without names that could not be freed is freed by the sync. */
START_TEST(allocation_failures)
{
	const struct xfs_new_file file = { .mode = XFS_MODE_REG | 0600 };
	uint64_t ino, before;

	livefs_init(&l, &name_shapes[_i], 0, NULL);
	for (unsigned round = 0; round < 30; round++) {
		char name[20];
		unsigned len = (unsigned)sprintf(name, "victim-%u", round);

		qk_assert_int_eq(xfs_name_create(l.edit, l.root, name, len, &file, &ino), 0);
		qk_assert_int_eq(xfs_live_inode_get(l.live, ino, &victim), 0);
		for (unsigned k = 0; k < CALLS; k++)
			for (uint64_t n = 1;; n++) {
				int err;

				before = sum_of_all();
				failmalloc_start(n, false);
				err = call(k);
				if (failmalloc_stop() < n || !err) {
					qk_assert_msg(!err, "call %u: %s: %s", k, xfs_error_name(err), l.finding);
					break;
				}
				qk_assert_int_eq(err, -XFS_E_NOMEM);
				qk_assert_uint_eq(sum_of_all(), before);
			}
		xfs_live_inode_put(victim);
	}
	livefs_check(&l);
	livefs_release(&l);
}
END_TEST

/* The map of a file cannot be read when its last name goes: the direct edit ends, and nothing of it is written. */
START_TEST(not_in_part)
{
	const struct xfs_new_file file = { .mode = XFS_MODE_REG | 0600 };
	static uint8_t data[512], *before;
	struct xfs_live_inode *li;
	uint64_t ino, at, size;
	unsigned broken = 0;
	int err;

	ck_assert(!name_shapes[_i].v4);		/* blocks say whose they are */
	livefs_init(&l, &name_shapes[_i], 0, NULL);
	ck_assert_int_eq(xfs_name_create(l.edit, l.root, "broken", 6, &file, &ino), 0);
	ck_assert_int_eq(xfs_live_inode_get(l.live, ino, &li), 0);
	for (unsigned i = 0; i < 300; i++)
		ck_assert_int_eq(xfs_file_write(l.edit, li, (uint64_t)2 * l.geo.blocksize * i, data, sizeof(data)), 0);
	xfs_live_inode_put(li);
	livefs_reopen(&l);
	size = l.dev->dev.size;
	for (at = 0; at < size; at += l.geo.blocksize)
		if (xfs_be32(l.dev->bytes + at) == XFS_BMBT_MAGIC && xfs_be64(l.dev->bytes + at + 56) == ino) {
			l.dev->bytes[at + 90] ^= 0xff;
			broken++;
		}
	ck_assert_uint_gt(broken, 0);
	before = malloc(size);
	ck_assert_ptr_nonnull(before);
	memcpy(before, l.dev->bytes, size);
	err = xfs_name_remove(l.edit, l.root, "broken", 6);
	ck_assert_msg(err && err != -XFS_E_NOMEM, "%s", xfs_error_name(err));
	ck_assert_int_eq(xfs_edit_sync(l.edit), -XFS_E_SHUTDOWN);
	ck_assert_int_eq(xfs_edit_quiesce(l.edit), -XFS_E_SHUTDOWN);
	ck_assert_mem_eq(before, l.dev->bytes, size);
	free(before);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("namefail");
	Suite *suite = suite_create("namefail");

	tcase_set_timeout(c, 600);
	suite_add_tcase(suite, c);
	tcase_add_loop_test(c, not_in_part, 0, 4);
	tcase_add_loop_test(c, allocation_failures, 0, XFS_ARRAY_SIZE(name_shapes));
	return vectors_main(suite);
}
