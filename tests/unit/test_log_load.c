/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log_load.c - logs in which long records seem to begin everywhere: what is read for them. */
#include "libxfs/log/load.h"
#include "libxfs/log/parts.h"
#include "tests/unit/memdev.h"
#include "tests/unit/testfs.h"
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

static void put_header(uint8_t *p, const struct kind *k, uint32_t b, uint32_t len)
{
	xfs_put_be32(p, k->magic);
	xfs_put_be32(p + XFS_OFF(log_rec, cycle), k->cycle);
	xfs_put_be32(p + XFS_OFF(log_rec, version), 2);
	xfs_put_be32(p + XFS_OFF(log_rec, len), len);
	xfs_put_be64(p + XFS_OFF(log_rec, lsn), (uint64_t)k->cycle << 32 | b);
	xfs_put_be32(p + XFS_OFF(log_rec, size), k->size);
}

static void fill(struct memdev *m, const struct kind *k)
{
	for (uint32_t b = 0; b < BLOCKS; b++) {
		uint8_t *p = m->bytes + (size_t)b * XFS_BBSIZE;

		if (b % k->every) {
			xfs_put_be32(p, k->cycle);
			continue;
		}
		put_header(p, k, b, LEN);
		xfs_put_be32(p + XFS_OFF(log_rec, crc), 77);
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

/* A record of two blocks, then the header of one that is none, again and again. */
static void fill_pieces(struct memdev *m, const struct xfs_sb *sb)
{
	static const struct kind k = { 1, 32768, XFS_LOG_MAGIC, 0 };

	for (uint32_t b = 0; b < BLOCKS / 3 * 3; b++) {
		uint8_t *p = m->bytes + (size_t)b * XFS_BBSIZE;

		if (b % 3 == 1) {
			xfs_put_be32(p, k.cycle);
			xfs_put_be32(p + 8, 0x69010000);	/* an operation that starts a transaction */
			continue;
		}
		put_header(p, &k, b, b % 3 ? LEN : XFS_BBSIZE);
		xfs_put_be64(p + XFS_OFF(log_rec, tail_lsn), UINT64_C(1) << 32);
		xfs_put_be32(p + XFS_OFF(log_rec, num_logops), 1);
		xfs_put_be32(p + XFS_OFF(log_rec, fmt), XFS_LOG_FMT_LE);
		xfs_put_be32(p + XFS_LOG_CYCLE_DATA_OFF, b + 1);	/* its number */
		memcpy(p + XFS_OFF(log_rec, fs_uuid), sb->uuid, 16);
	}
}

START_TEST(pieces)
{
	struct testfs shape = { .agblocks = 65536, .agcount = 2, .v4 = true };
	struct memdev *m = memdev_new((uint64_t)BLOCKS * XFS_BBSIZE);
	struct xfs_dev_stats stats = { .read_bytes = 0 };
	struct xfs_log_state whole = { .kind = XFS_LOG_DIRTY, .cycle = 1, .head = BLOCKS / 3 * 3 };
	struct xfs_log_parts part;
	struct xfs_fs fs = { .cache = NULL };
	uint32_t bad, n = 0;

	testfs_init(&fs.geo, &shape);
	fs.geo.sb.logstart = 0;
	fs.geo.sb.logblocks = BLOCKS * XFS_BBSIZE / fs.geo.sb.blocksize;
	fs.geo.sb.versionnum |= XFS_SB_VERSION_LOGV2;
	fill_pieces(m, &fs.geo.sb);
	ck_assert_int_eq(xfs_dev_stats(&fs.dev.log, &m->dev, &stats), 0);
	whole.blocks = BLOCKS;
	ck_assert_int_eq(xfs_log_parts_find(&fs, &whole, &part), 0);
	ck_assert_uint_eq(part.open, 1);
	for (bad = part.bad; !xfs_log_parts_next(&fs, &whole, &bad, &part); n++)
		ck_assert_uint_eq(part.bad, 3 * n + 5);
	ck_assert_uint_eq(n, BLOCKS / 3 - 1);
	ck_assert_uint_lt(stats.read_bytes, UINT64_C(100) * BLOCKS * XFS_BBSIZE);
	xfs_dev_close(fs.dev.log);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_load");
	TCase *t = tcase_create("log_load");

	tcase_add_loop_test(t, lies, 0, (int)XFS_ARRAY_SIZE(kinds));
	tcase_add_test(t, pieces);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
