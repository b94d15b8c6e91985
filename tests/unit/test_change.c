/* SPDX-License-Identifier: BSD-2-Clause */
/* test_change.c - sets of buffers that change together: commit, abort, blocks given up, ranges, conflicts, counters. */
#include "libxfs/mount/change.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static struct xfs_fs *fs;
static struct xfs_change c;
static uint64_t daddr, spare;	/* of the bnobt root of AG 0, and of a block behind it */
static uint32_t bbs;

static void setup(void)
{
	struct xfs_agf agf;

	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(0), &agf), 0);
	daddr = xfs_agbno_daddr(&fs->geo, XFS_AGNO(0), XFS_AGBNO(agf.bnoroot)).v;
	spare = xfs_agbno_daddr(&fs->geo, XFS_AGNO(1), XFS_AGBNO(0)).v - fs->geo.blocksize / 512;
	bbs = fs->geo.blocksize / 512;
	ck_assert_int_eq(xfs_change_init(&c, fs), 0);
}

static void teardown(void)
{
	xfs_change_release(&c);
	xfs_fs_close(fs);
	xfs_dev_close(&dev->dev);
}

static const struct xfs_buf_type *bno(void) { return xfs_block_type(XFS_BLK_BNOBT); }

static struct xfs_buf *join_root(void)
{
	struct xfs_buf *b;

	ck_assert_int_eq(xfs_change_get(&c, daddr, bbs, bno(), &b), 0);
	return b;
}

START_TEST(commit_and_abort)
{
	uint8_t *disk = dev->bytes + daddr * 512, old = disk[700];
	struct xfs_buf *b = join_root();

	b->data[700] ^= 0x55;
	xfs_change_dirty(b, 700, 1);
	ck_assert_uint_eq(b->joined->ranges[0], 1u << 700 / 128);
	xfs_change_abort(&c);
	b = join_root();
	ck_assert_uint_eq(b->data[700], old);
	b->data[700] ^= 0x55;
	b->data[255] ^= 1;
	xfs_change_dirty(b, 700, 1);
	xfs_change_dirty(b, 255, 2);		/* two chunks */
	ck_assert_uint_eq(b->joined->ranges[0], 1u << 5 | 1u << 1 | 1u << 2);
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	ck_assert_uint_eq(disk[700], old);	/* nothing is written before the cache is flushed */
	ck_assert_int_eq(xfs_change_sync(fs), 0);
	ck_assert_uint_eq(disk[700], old ^ 0x55);
	ck_assert(xfs_crc32c_check(disk, fs->geo.blocksize, 52));
}
END_TEST

/* Not changed: not written. */
START_TEST(only_looked_at)
{
	unsigned writes;

	join_root();
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	writes = dev->writes;
	ck_assert_int_eq(xfs_change_sync(fs), 0);
	ck_assert_uint_eq(dev->writes, writes);
}
END_TEST

START_TEST(new_blocks)
{
	uint8_t *disk = dev->bytes + spare * 512;
	struct xfs_buf *b;

	memset(disk, 0xa5, fs->geo.blocksize);
	ck_assert_int_eq(xfs_change_get_new(&c, spare, bbs, bno(), &b), 0);
	ck_assert_uint_eq(b->joined->ranges[0], (UINT64_C(1) << fs->geo.blocksize / 128) - 1);
	ck_assert_int_eq(xfs_buf_check(b, bno(), NULL), 0);
	xfs_change_abort(&c);
	/* what the cache held for a moment is gone */
	ck_assert_int_eq(xfs_buf_get1(fs->cache, spare, bbs, NULL, 0, &b), 0);
	ck_assert_uint_eq(b->data[0], 0xa5);
	xfs_buf_put(b);
}
END_TEST

START_TEST(given_up)
{
	uint8_t *disk = dev->bytes + daddr * 512, old = disk[700];
	struct xfs_buf *b = join_root();

	b->data[700] ^= 1;
	xfs_change_dirty(b, 700, 1);
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	/* dirty in the cache; forgetting it is undone by an abort, */
	ck_assert_int_eq(xfs_change_forget(&c, daddr, bbs), 0);
	xfs_change_abort(&c);
	b = join_root();
	ck_assert_uint_eq(b->data[700], old ^ 1);
	/* and for good with a commit */
	ck_assert_int_eq(xfs_change_forget(&c, daddr, bbs), 0);
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	ck_assert_int_eq(xfs_change_sync(fs), 0);
	ck_assert_uint_eq(disk[700], old);
	ck_assert_int_eq(xfs_change_forget(&c, spare, bbs), 0);	/* nobody has it */
}
END_TEST

START_TEST(conflicts)
{
	struct xfs_change other;
	struct xfs_buf *b = join_root(), *same;

	ck_assert_int_eq(xfs_change_init(&other, fs), 0);
	ck_assert_int_eq(xfs_change_get(&other, daddr, bbs, bno(), &same), -XFS_E_BUSY);
	ck_assert_int_eq(xfs_change_join(&c, b, bno()), 0);
	/* after a call that failed half way only an abort is left */
	b->data[700] ^= 1;
	xfs_change_dirty(b, 700, 1);
	ck_assert_int_eq(xfs_change_check(&c, 0, -XFS_E_IO), -XFS_E_IO);
	ck_assert_int_eq(xfs_change_commit(&c), -XFS_E_IO);
	ck_assert_int_eq(xfs_change_check(&c, c.writes, -XFS_E_IO), -XFS_E_IO);	/* nothing written: not half way */
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	xfs_change_release(&other);
	dev->dev.readonly = true;
	ck_assert_int_eq(xfs_change_init(&other, fs), -XFS_E_READONLY);
}
END_TEST

START_TEST(counters)
{
	uint64_t before = fs->geo.sb.fdblocks;

	c.fdblocks = -7;
	xfs_change_abort(&c);
	ck_assert_uint_eq(fs->geo.sb.fdblocks, before);
	c.fdblocks = -7;
	c.ifree = 3;
	ck_assert_int_eq(xfs_change_commit(&c), 0);
	ck_assert_int_eq(c.fdblocks, 0);
	ck_assert_int_eq(xfs_change_sync(fs), 0);
	ck_assert_uint_eq(xfs_sb_get_fdblocks((const void *)dev->bytes), before - 7);
	ck_assert(xfs_crc32c_check(dev->bytes, fs->geo.sectsize, XFS_SB_CRC_OFF));
}
END_TEST

START_TEST(no_memory)
{
	struct xfs_buf *b;
	int err = -XFS_E_NOMEM;

	for (uint64_t n = 1; err; n++) {
		failmalloc_start(n, false);
		err = xfs_change_get(&c, daddr, bbs, bno(), &b);
		failmalloc_stop();
		ck_assert(!err || err == -XFS_E_NOMEM);
		ck_assert_uint_lt(n, 20);
	}
	xfs_change_abort(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("change");
	TCase *t = tcase_create("change");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, commit_and_abort);
	tcase_add_test(t, only_looked_at);
	tcase_add_test(t, new_blocks);
	tcase_add_test(t, given_up);
	tcase_add_test(t, conflicts);
	tcase_add_test(t, counters);
	tcase_add_test(t, no_memory);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
