/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_survey.c - what a device says of a filesystem whose superblocks
 * are gone; nothing less when memory is short.
 */
#include "repair/survey.h"
#include "libxfs/base/crc32c.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/memdev.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <string.h>

#define INODES 200u
#define SIZE (1u << 20)

/* Files of the realtime section, one behind the other. */
static void fill(struct xfs_dev *dev, unsigned version)
{
	unsigned size = version == 3 ? 512 : 256;

	for (unsigned i = 0; i < INODES; i++) {
		struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .mode = XFS_MODE_REG | 0644,
						  .version = (int8_t)version, .format = XFS_DINODE_FMT_EXTENTS,
						  .aformat = XFS_DINODE_FMT_EXTENTS, .flags = XFS_DIFLAG_REALTIME,
						  .next_unlinked = XFS_NULL32 } };
		uint8_t image[512] = { 0 };

		d.v3.inumber = 128 + i;
		memset(d.v3.uuid, 7, sizeof(d.v3.uuid));
		xfs_dinode_encode(image, &d);
		if (version == 3)
			xfs_crc32c_store(image, size, XFS_DINODE_CRC_OFF);
		qk_assert_int_eq(xfs_dev_write(dev, 65536 + (uint64_t)i * size, image, size), 0);
	}
}

START_TEST(short_of_memory)
{
	struct memdev *m = memdev_new(SIZE);
	unsigned size = _i == 3 ? 512 : 256;
	struct survey s;
	uint64_t n = 0, asked;
	int error;

	fill(&m->dev, (unsigned)_i);
	do {
		failmalloc_start(++n, false);
		error = repair_survey(&m->dev, &s);
		asked = failmalloc_stop();
		qk_assert_int_eq(error, asked < n ? 0 : -XFS_E_NOMEM);
		if (error)
			repair_survey_release(&s);
	} while (error);
	/* room for a piece of the device, and for the list that grows twice */
	qk_assert_uint_ge(asked, 4);
	qk_assert_uint_eq(s.ngroups, 1);
	qk_assert_uint_eq(s.groups[0].nrealtime, INODES);
	for (unsigned i = 0; i < INODES; i++)
		qk_assert_uint_eq(s.groups[0].realtime[i], 65536 + (uint64_t)i * size);
	repair_survey_release(&s);
	xfs_dev_close(&m->dev);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_survey");
	TCase *t = tcase_create("repair_survey");

	tcase_add_loop_test(t, short_of_memory, 2, 4);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
