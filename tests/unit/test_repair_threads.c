/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_threads.c - groups observed by several threads: the same findings and lines in the same order, also where
 * memory or a read fails.
 */
#include "libxfs/ondisk/inode.h"
#include "repair/repair.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)64 << 20)

/* All that was said, as text. */
struct told {
	char *text;
	size_t len, room;
};

static void add(struct told *t, const char *line)
{
	size_t len = strlen(line);

	while (t->room - t->len < len + 2) {
		t->room = 2 * t->room + 4096;
		t->text = realloc(t->text, t->room);
		ck_assert_ptr_nonnull(t->text);
	}
	memcpy(t->text + t->len, line, len);
	t->len += len;
	t->text[t->len++] = '\n';
	t->text[t->len] = '\0';
}

static void on_line(void *payload, const char *line)
{
	add(payload, line);
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[512];

	xfs_finding_format(f, line, sizeof(line));
	add(payload, line);
}

static void quiet_line(void *payload, const char *line)
{
	(void)payload;
	(void)line;
}

static void quiet_finding(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	(void)f;
}

/* Inodes of every group lose a few bytes, every second one with a wrong checksum that no single bit explains. */
static struct memdev *damaged_image(void)
{
	struct memdev *image = image_load("sample.img.xz");
	unsigned n = 0;

	for (uint64_t at = 0; at + 512 <= image->dev.size; at += 512) {
		uint8_t *p = image->bytes + at;

		if (xfs_be16(p) != XFS_DINODE_MAGIC || p[4] != 3 || !p[2] || n++ % 3)
			continue;
		p[XFS_OFF(dinode_core, nblocks) + 6] ^= 0x15;
		p[XFS_OFF(dinode_core, nblocks) + 7] ^= 0x2a;
	}
	ck_assert_uint_gt(n, 20);
	return image;
}

static int run(struct xfs_dev *dev, unsigned threads, struct told *told, uint64_t *findings)
{
	struct repair_words words = { .line = told ? on_line : quiet_line, .payload = told };
	struct repair r = { .no_modify = true, .dev = { .data = dev }, .name = "image", .memory = 8 << 20,
			    .leaf_slack = -1, .node_slack = -1, .threads = threads, .words = &words,
			    .sink = { told ? on_finding : quiet_finding, told } };
	int error = repair_run(&r);

	*findings = r.findings;
	repair_release(&r);
	return error;
}

/* On a copy that nobody keeps. */
static int run_apart(struct memdev *image, unsigned threads, struct told *told, uint64_t *findings)
{
	struct xfs_dev *over;
	int error;

	*findings = 0;
	error = xfs_dev_scratch(&over, &image->dev, ROOM);
	if (error)
		return error;
	error = run(over, threads, told, findings);
	xfs_dev_close(over);
	return error;
}

START_TEST(same_words)
{
	static const unsigned counts[] = { 2, 4, 16, 0 };
	struct memdev *image = damaged_image();
	struct told one = { 0 };
	uint64_t want, found;

	ck_assert_int_eq(run_apart(image, 1, &one, &want), 0);
	ck_assert_uint_gt(want, 20);
	for (unsigned k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		struct told many = { 0 };

		ck_assert_int_eq(run_apart(image, counts[k], &many, &found), 0);
		ck_assert_uint_eq(found, want);
		ck_assert_str_eq(many.text, one.text);
		free(many.text);
	}
	free(one.text);
	xfs_dev_close(&image->dev);
}
END_TEST

/* Without memory it ends with that error, whichever thread met it; or it did without. */
START_TEST(no_memory)
{
	struct memdev *image = damaged_image();
	uint64_t total, want, found, step;

	failmalloc_start(UINT64_MAX, false);
	ck_assert_int_eq(run_apart(image, 4, NULL, &want), 0);
	total = failmalloc_stop();
	ck_assert_uint_gt(total, 100);
	step = total / (getenv("XFSKIT_LONG") ? 1000 : 50) + 1;
	for (uint64_t n = 1; n < total; n += step) {
		int error;

		failmalloc_start(n, n % 2);
		error = run_apart(image, 4, NULL, &found);
		failmalloc_stop();
		if (error && error != -XFS_E_NOMEM)
			ck_abort_msg("allocation %u of %u: error %d", (unsigned)n, (unsigned)total, error);
	}
	xfs_dev_close(&image->dev);
}
END_TEST

/* A part of the disk that no group can read: the same for any number of threads. */
START_TEST(bad_sectors)
{
	struct memdev *image = damaged_image();
	struct xfs_dev_fault plan = { .bad_off = image->dev.size / 4 + 65536, .bad_len = 16384 };
	uint64_t want, found;
	struct told one = { 0 }, many = { 0 };
	struct xfs_dev *below, *fault, *over;

	ck_assert_int_eq(xfs_dev_borrow(&below, &image->dev), 0);
	ck_assert_int_eq(xfs_dev_fault(&fault, below, &plan), 0);
	for (unsigned k = 0; k < 2; k++) {
		ck_assert_int_eq(xfs_dev_scratch(&over, fault, ROOM), 0);
		(void)run(over, k ? 4 : 1, k ? &many : &one, k ? &found : &want);
		xfs_dev_close(over);
	}
	ck_assert_uint_eq(found, want);
	ck_assert_str_eq(many.text, one.text);
	free(one.text);
	free(many.text);
	xfs_dev_close(fault);
	xfs_dev_close(&image->dev);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_threads");
	TCase *t = tcase_create("repair_threads");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, same_words);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, bad_sectors);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
