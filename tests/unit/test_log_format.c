/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log_format.c - empty logs of any cycle and size: clean, with the head behind their first record. */
#include "libxfs/log/format.h"
#include "libxfs/log/state.h"
#include "tests/unit/memdev.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <string.h>

static struct xfs_geometry geo;

/* A log alone on a device, as an external one is. */
static struct memdev *formatted(struct xfs_fs *fs, struct xfs_sb *sb, uint32_t cycle)
{
	struct memdev *m = memdev_new((uint64_t)sb->logblocks * sb->blocksize);

	memset(m->bytes, 0xa5, (size_t)m->dev.size);
	ck_assert_int_eq(xfs_log_format_cycle(&m->dev, 0, sb, cycle), 0);
	memset(fs, 0, sizeof(*fs));
	fs->geo = geo;
	fs->geo.sb = *sb;
	fs->dev.log = &m->dev;
	return m;
}

static void check(uint32_t blocksize, uint32_t blocks, uint32_t unit, bool v2, uint32_t cycle)
{
	struct testfs t = { .blocksize = blocksize, .agblocks = 65536, .agcount = 2, .v4 = !v2 };
	struct xfs_log_state s;
	struct xfs_fs fs;
	struct memdev *m;
	struct xfs_sb sb;

	testfs_init(&geo, &t);
	sb = geo.sb;
	sb.logstart = 0;
	sb.logblocks = blocks;
	sb.logsunit = unit;
	sb.versionnum = (uint16_t)(v2 ? sb.versionnum | XFS_SB_VERSION_LOGV2 : sb.versionnum & ~XFS_SB_VERSION_LOGV2);
	m = formatted(&fs, &sb, cycle);
	ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
	ck_assert_msg(s.kind == XFS_LOG_CLEAN, "%u blocks of %u, unit %u, cycle %u: %s", blocks, blocksize, unit, cycle,
		      s.reason ? s.reason : "dirty");
	ck_assert_uint_eq(s.cycle, cycle);
	ck_assert_uint_eq(s.head, unit > 1024 ? unit / 512 : 2);
	ck_assert(!s.torn);
	xfs_dev_close(&m->dev);
}

START_TEST(clean_at_any_cycle)
{
	static const uint32_t cycles[] = { 1, 2, 3, 8, 0x10000, 0xfeedbab0 };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(cycles); i++) {
		check(4096, 512, 0, true, cycles[i]);
		check(4096, 512, 1, true, cycles[i]);
		check(4096, 1368, 4096, true, cycles[i]);
		check(4096, 1368, 32768, true, cycles[i]);
		check(4096, 1368, 262144, true, cycles[i]);
		check(1024, 2568, 0, true, cycles[i]);
		check(1024, 855, 0, false, cycles[i]);
		/* the last record is never left with one block */
		for (uint32_t blocks = 1024; blocks < 1024 + 8; blocks++) {
			check(512, blocks, 0, false, cycles[i]);
			check(1024, blocks, 0, true, cycles[i]);
		}
	}
}
END_TEST

START_TEST(impossible_cycles)
{
	struct testfs t = { .agblocks = 65536, .agcount = 2, .logstart = 100, .logblocks = 512 };
	struct memdev *m = memdev_new(512 * 4096);
	struct xfs_sb sb;

	testfs_init(&geo, &t);
	sb = geo.sb;
	ck_assert_int_eq(xfs_log_format_cycle(&m->dev, 0, &sb, 0), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_log_format_cycle(&m->dev, 0, &sb, 0xfeedbabe), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_log_format_cycle(&m->dev, 0, &sb, 0xfeedbabf), -XFS_E_INVALID);
	sb.logsunit = 512 * 4096;
	ck_assert_int_eq(xfs_log_format_cycle(&m->dev, 0, &sb, 5), -XFS_E_INVALID);
	xfs_dev_close(&m->dev);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_format");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);	/* machines may be slow, not wrong */
	tcase_add_test(t, clean_at_any_cycle);
	tcase_add_test(t, impossible_cycles);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
