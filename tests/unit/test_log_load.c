/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log_load.c - a log in which a long record seems to begin at each block: what looking for one there reads. */
#include "libxfs/log/load.h"
#include "tests/unit/memdev.h"
#include "tests/unit/vectors.h"

#include <string.h>

#define BLOCKS 4096u
#define LEN (1u << 20)

static const uint8_t uuid[16];

struct kind {
	uint32_t cycle, size, magic;
	unsigned every;			/* a header each so many blocks, stamps between them */
};
static const struct kind kinds[] = {
	{ 1, 32768, XFS_LOG_MAGIC, 1 },
	{ 1, 32768, XFS_LOG_MAGIC, 100 },
	/* mended, it would be one */
	{ 1, LEN, XFS_LOG_MAGIC ^ 1, 1 },
	{ 1, LEN, XFS_LOG_MAGIC ^ 1, 100 },
	/* the first words of headers look like stamps, or but for one bit */
	{ XFS_LOG_MAGIC, 32768, XFS_LOG_MAGIC, 1 },
	{ XFS_LOG_MAGIC ^ 1, 32768, XFS_LOG_MAGIC, 1 },
};

static void fill(struct memdev *m, const struct kind *k)
{
	for (uint32_t b = 0; b < BLOCKS; b++) {
		uint8_t *p = m->bytes + (size_t)b * XFS_BBSIZE;

		if (b % k->every) {
			xfs_put_be32(p, k->cycle);
			continue;
		}
		xfs_put_be32(p, k->magic);
		xfs_put_be32(p + XFS_OFF(log_rec, cycle), k->cycle);
		xfs_put_be32(p + XFS_OFF(log_rec, version), 2);
		xfs_put_be32(p + XFS_OFF(log_rec, len), LEN);
		xfs_put_be64(p + XFS_OFF(log_rec, lsn), (uint64_t)k->cycle << 32 | b);
		xfs_put_be32(p + XFS_OFF(log_rec, crc), 77);
		xfs_put_be32(p + XFS_OFF(log_rec, size), k->size);
	}
}

START_TEST(lies)
{
	struct memdev *m = memdev_new((uint64_t)BLOCKS * XFS_BBSIZE);
	struct xfs_dev_stats stats = { .read_bytes = 0 };
	struct xfs_log_loaded l = { .p = NULL };
	struct xfs_log_area a = { .blocks = BLOCKS, .v2 = true, .v5 = true, .uuid = uuid };

	fill(m, &kinds[_i]);
	ck_assert_int_eq(xfs_dev_stats(&a.dev, &m->dev, &stats), 0);
	for (uint32_t b = 0; b < BLOCKS; b++)
		ck_assert_int_ne(xfs_log_load(&a, b, &l), 0);
	/* a record that is read as a whole each time would make more than a thousand times the log of it */
	ck_assert_uint_lt(stats.read_bytes, UINT64_C(100) * BLOCKS * XFS_BBSIZE);
	xfs_log_loaded_free(&l);
	xfs_dev_close(a.dev);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_load");
	TCase *t = tcase_create("log_load");

	tcase_add_loop_test(t, lies, 0, (int)XFS_ARRAY_SIZE(kinds));
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
