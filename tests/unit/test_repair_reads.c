/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_reads.c - a check of a filesystem in order reads no block twice.
 *
 * A device below counts the reads of every sector, from the moment on that the superblock and the state of the log are
 * known.  Left out: the log.  The number of threads makes no difference.
 */
#include "libxfs/mount/fs.h"
#include "repair/repair.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

struct counting {
	struct xfs_dev dev;
	struct xfs_dev *below;
	uint16_t *reads;		/* of each sector */
};

/* The filesystem is known; from here on each read counts. */
static void begin_counting(void *payload, const char *line)
{
	struct counting *c = payload;

	if (strstr(line, "scan filesystem freespace"))
		memset(c->reads, 0, (c->dev.size / XFS_BBSIZE + 1) * sizeof(*c->reads));
}

static int counting_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct counting *c = (struct counting *)dev;

	for (size_t i = 0; i < n; i++)
		for (uint64_t s = v[i].off / XFS_BBSIZE; s < (v[i].off + v[i].len + XFS_BBSIZE - 1) / XFS_BBSIZE; s++)
			__atomic_fetch_add(&c->reads[s], 1, __ATOMIC_RELAXED);
	return xfs_dev_readv(c->below, v, n);
}

static int counting_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	(void)dev;
	(void)v;
	(void)n;
	ck_abort_msg("a clean filesystem was written to");
	return -XFS_E_IO;
}

static int counting_barrier(struct xfs_dev *dev)
{
	(void)dev;
	return 0;
}

static const struct xfs_dev_ops counting_ops = { .read = counting_read, .write = counting_write, .barrier = counting_barrier };

static bool in_log(const struct xfs_geometry *g, const struct xfs_sb *sb, uint64_t sector)
{
	uint64_t log = xfs_fsbno_daddr(g, XFS_FSBNO(sb->logstart)).v, log_len = (uint64_t)sb->logblocks << g->blocklog >> 9;

	return sector >= log && sector - log < log_len;
}

START_TEST(reads_once)
{
	struct memdev *image = image_load("sample.img.xz");
	struct counting c = { .dev = image->dev, .below = &image->dev, .reads = calloc(image->dev.size / XFS_BBSIZE + 1, sizeof(uint16_t)) };
	struct repair_words words = { .line = begin_counting, .payload = &c };
	struct repair r = { .no_modify = true, .dev = { .data = &c.dev }, .name = "image", .memory = 8 << 20, .leaf_slack = -1,
			    .node_slack = -1, .words = &words, .threads = _i ? 4 : 1 };
	uint64_t once = 0;

	c.dev.ops = &counting_ops;
	ck_assert_ptr_nonnull(c.reads);
	ck_assert_int_eq(repair_run(&r), 0);
	ck_assert_uint_eq(r.findings, 0);
	for (uint64_t s = 0; s < image->dev.size / XFS_BBSIZE; s++) {
		if (c.reads[s] > 1 && !in_log(&r.geo, &r.primary, s))
			ck_abort_msg("sector %llu was read %u times", (unsigned long long)s, c.reads[s]);
		once += c.reads[s] == 1;
	}
	/* not because it looked at nothing: all inodes were read, at least */
	ck_assert_uint_ge(once, r.primary.icount * r.geo.inodesize / XFS_BBSIZE);
	repair_release(&r);
	free(c.reads);
	xfs_dev_close(&image->dev);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_reads");
	TCase *t = tcase_create("repair_reads");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, reads_once, 0, 2);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
