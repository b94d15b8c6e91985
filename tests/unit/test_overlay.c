/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_overlay.c - copy-on-write: against a model, above nothing, in memory and in a file, on bad disks, out of memory.
 */
#include "libxfs/base/bytes.h"
#include "tests/unit/devmodel.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/vectors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE 3000001u		/* ends within a block and within a sector */

static struct xfs_dev *below_open(const char *path)
{
	struct xfs_dev *dev = NULL;

	ck_assert_int_eq(xfs_dev_file(&dev, path, XFS_DEV_READONLY, 0, NULL), 0);
	return dev;
}

static struct xfs_dev *overlay_make(struct xfs_dev *below, uint64_t size, size_t memory)
{
	struct xfs_dev *dev = NULL;

	ck_assert_int_eq(xfs_dev_overlay(&dev, below, size, memory, NULL), 0);
	return dev;
}

/* what xfs_dev_overlay_changes() said, as a bitmap of bytes */
struct seen {
	uint8_t *changed;
	uint64_t end;
};

static int change_note(void *payload, uint64_t off, uint64_t len)
{
	struct seen *s = payload;

	ck_assert(len > 0 && (off > s->end || off == 0));	/* ascending, and runs never touch */
	memset(s->changed + off, 1, len);
	s->end = off + len;
	return 0;
}

static void changes_compare(struct xfs_dev *dev, const struct devmodel *before, const struct devmodel *now)
{
	struct seen s = { calloc(1, now->size), 0 };

	ck_assert_int_eq(xfs_dev_overlay_changes(dev, change_note, &s), 0);
	for (size_t at = 0, n; at < now->size; at += n) {
		bool differs;

		n = now->size - at < 512 ? now->size - at : 512;
		differs = memcmp(before->bytes + at, now->bytes + at, n) != 0;
		if (s.changed[at] != differs || memchr(s.changed + at, !differs, n))
			ck_abort_msg("change at %zu: said %d, is %d", at, s.changed[at], differs);
	}
	free(s.changed);
}

/* below is compared afterwards: never written, whatever the memory limit */
static void model_run(size_t memory, uint64_t seed, unsigned steps)
{
	struct devmodel before, m;
	struct xfs_dev *dev, *below;
	char *path;

	devmodel_make(&before, SIZE, seed, true);
	devmodel_make(&m, SIZE, seed, true);
	path = devmodel_file(&before, "overlay");
	dev = overlay_make(below_open(path), 0, memory);
	ck_assert(!dev->readonly);
	devmodel_compare(&m, dev);
	for (unsigned i = 0; i < 4; i++) {
		devmodel_run(&m, dev, steps);
		changes_compare(dev, &before, &m);
	}
	xfs_dev_close(dev);
	below = below_open(path);
	devmodel_compare(&before, below);
	xfs_dev_close(below);
	unlink(path);
	free(path);
	devmodel_free(&m);
	devmodel_free(&before);
}

START_TEST(model_memory)
{
	model_run(64 << 20, 21, 300);
}
END_TEST

START_TEST(model_file)
{
	model_run(0, 22, 300);
}
END_TEST

START_TEST(model_both)
{
	model_run(1 << 20, 23, 300);
}
END_TEST

/* a size that is not that of the device below: cut, or zeroes behind it */
START_TEST(other_sizes)
{
	for (uint64_t size = 400001; size < 900000; size += 400000) {
		struct devmodel base, m;
		char *path;
		struct xfs_dev *dev;

		devmodel_make(&base, 600007, 24, true);
		path = devmodel_file(&base, "sizes");
		devmodel_make(&m, size, 25, false);
		memcpy(m.bytes, base.bytes, size < 600007 ? size : 600007);
		dev = overlay_make(below_open(path), size, 1 << 20);
		devmodel_compare(&m, dev);
		devmodel_run(&m, dev, 400);
		xfs_dev_close(dev);
		unlink(path);
		free(path);
		devmodel_free(&m);
		devmodel_free(&base);
	}
}
END_TEST

START_TEST(above_nothing)
{
	struct devmodel m, zero;
	struct xfs_dev *dev = overlay_make(NULL, 700001, 1 << 20);
	uint8_t buf[4096] = { 0 };
	const uint64_t size = UINT64_C(64) << 40;
	uint64_t from, n;

	devmodel_make(&m, 700001, 26, false);
	devmodel_make(&zero, 700001, 26, false);
	devmodel_run(&m, dev, 1000);
	changes_compare(dev, &zero, &m);
	xfs_dev_close(dev);
	/* 64 TiB: few writes, zeroes over all of it */
	dev = overlay_make(NULL, size, 1 << 20);
	for (uint64_t i = 0; i < 2000; i++) {
		from = i * (size / 2000) / 512 * 512;
		memset(buf, (int)i + 1, sizeof(buf));
		ck_assert_int_eq(xfs_dev_write(dev, from, buf, 600), 0);
	}
	ck_assert_int_eq(xfs_dev_zero(dev, 0, size / 2), 0);
	for (uint64_t i = 0; i < 2000; i++) {
		from = i * (size / 2000) / 512 * 512;
		ck_assert_int_eq(xfs_dev_read(dev, from, buf, 700), 0);
		n = from < size / 2 ? 0 : (i + 1) & 0xff;
		ck_assert(buf[0] == n && buf[599] == n && buf[600] == 0);
	}
	ck_assert_int_eq(xfs_dev_zero(dev, 0, size), 0);
	ck_assert_int_eq(xfs_dev_discard(dev, 0, size), 0);
	ck_assert_int_eq(xfs_dev_read(dev, size - 700, buf, 700), 0);
	ck_assert_int_eq(xfs_dev_read(dev, size - 699, buf, 700), -XFS_E_SHORT);
	xfs_dev_close(dev);
	ck_assert_int_eq(xfs_dev_overlay(&dev, NULL, 0, 0, NULL), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_dev_overlay(&dev, NULL, UINT64_MAX, 0, NULL), -XFS_E_INVALID);
	devmodel_free(&m);
	devmodel_free(&zero);
}
END_TEST

/* a bad sector below stays bad above while nobody writes it, and its block can still be written in part */
START_TEST(bad_below)
{
	struct devmodel m;
	struct xfs_dev *dev, *below;
	struct xfs_dev_fault plan = { .bad_off = 9000, .bad_len = 1 };	/* sector 17: 8704 */
	uint8_t buf[8192], sector[512];
	char *path;

	devmodel_make(&m, 100000, 27, true);
	path = devmodel_file(&m, "badbelow");
	ck_assert_int_eq(xfs_dev_fault(&below, below_open(path), &plan), 0);
	dev = overlay_make(below, 0, 1 << 20);
	ck_assert_int_ne(xfs_dev_read(dev, 8192, buf, 4096), 0);
	ck_assert_mem_eq(buf, m.bytes + 8192, 512);
	memset(sector, 0x33, 512);
	ck_assert_int_eq(xfs_dev_write(dev, 4096, m.bytes + 4096, 4096), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 8192 + 1536, sector, 512), 0);
	memcpy(m.bytes + 8192 + 1536, sector, 512);
	ck_assert_int_eq(xfs_dev_read(dev, 8192, buf, 512), 0);
	ck_assert_mem_eq(buf, m.bytes + 8192, 512);
	ck_assert_int_eq(xfs_dev_read(dev, 8192 + 1024, buf, 3072), 0);
	ck_assert_mem_eq(buf, m.bytes + 8192 + 1024, 3072);
	ck_assert_int_eq(xfs_dev_read(dev, 8192 + 512, buf, 512), -XFS_E_IO);
	/* stored neighbours on both sides, read in one piece */
	ck_assert_int_eq(xfs_dev_write(dev, 12288, m.bytes + 12288, 4096), 0);
	ck_assert_int_eq(xfs_dev_read(dev, 8192 + 1024, buf, 7168), 0);
	ck_assert_mem_eq(buf, m.bytes + 8192 + 1024, 7168);
	ck_assert_int_eq(xfs_dev_read(dev, 8192, buf, 8192), -XFS_E_IO);
	ck_assert_mem_eq(buf + 1024, m.bytes + 8192 + 1024, 7168);
	ck_assert_int_eq(xfs_dev_read(dev, 8192 + 4095, buf, 2), 0);
	ck_assert_int_eq(xfs_dev_read(dev, 4096, buf, 8192), -XFS_E_IO);
	ck_assert_int_eq(xfs_dev_write(dev, 8192 + 512, sector, 512), 0);
	memcpy(m.bytes + 8192 + 512, sector, 512);
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

START_TEST(no_temporary_file)
{
	struct xfs_dev *dev = NULL;
	uint8_t *buf = calloc(1, 3 << 20), byte;

	memset(buf, 7, 3 << 20);
	ck_assert_int_eq(xfs_dev_overlay(&dev, NULL, 8 << 20, 1 << 20, "/proc/self/none"), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 0, buf, 1 << 20), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 1 << 20, buf, 3 << 20), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_dev_read(dev, (1 << 20) - 1, &byte, 1), 0);
	ck_assert_int_eq(byte, 7);
	ck_assert_int_eq(xfs_dev_read(dev, 1 << 20, &byte, 1), 0);
	ck_assert_int_eq(byte, 0);
	/* zeroes give slots back, which then serve again */
	ck_assert_int_eq(xfs_dev_zero(dev, 0, 1 << 20), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 2 << 20, buf, 1 << 20), 0);
	xfs_dev_close(dev);
	free(buf);
}
END_TEST

/* one run with the n-th allocation failing: an error is NOMEM, and what was written before is there */
static int memory_scenario(const uint8_t *buf)
{
	struct xfs_dev *dev = NULL;
	uint8_t back[5000];
	int err = xfs_dev_overlay(&dev, NULL, 1 << 30, 2 << 20, NULL);

	if (err)
		return err;
	for (uint64_t i = 0; i < 1500 && !err; i++) {
		err = xfs_dev_write(dev, i * 131072 + 100, buf, 5000);
		if (!err && xfs_dev_read(dev, i * 131072 + 100, back, 5000) == 0 && memcmp(buf, back, 5000))
			err = 1;
	}
	if (!err)
		err = xfs_dev_zero(dev, 0, 1 << 29);
	if (err <= 0 && xfs_dev_read(dev, (UINT64_C(1) << 29) + 100, back, 100) == 0 && err == 0 && back[99] != 0)
		err = 2;
	xfs_dev_close(dev);
	return err;
}

START_TEST(out_of_memory)
{
	uint8_t *buf = calloc(1, 5000);
	unsigned failed = 0;
	uint64_t n;

	memset(buf, 9, 5000);
	for (n = 1; n < 10000; n++) {
		int err;

		failmalloc_start(n, n % 2);
		err = memory_scenario(buf);
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		/* a chunk of memory that can't be had makes it use the file */
		ck_assert_msg(err == 0 || err == -XFS_E_NOMEM, "allocation %u: %d", (unsigned)n, err);
		failed += err != 0;
	}
	ck_assert_uint_gt(failed, 3);
	ck_assert_uint_lt(n, 10000);
	free(buf);
}
END_TEST

#define THREADS 4

struct worker {
	pthread_t thread;
	struct xfs_dev *dev;
	unsigned number, wrong;
};

/* each thread owns every fourth KiB, so blocks are shared and bytes are not */
static void *worker_run(void *payload)
{
	struct worker *w = payload;
	uint8_t buf[1024], back[1024];

	for (unsigned i = 0; i < 4000; i++) {
		uint64_t off = ((i * 37u % 500) * THREADS + w->number) * 1024;

		memset(buf, (int)(i + w->number), sizeof(buf));
		w->wrong += xfs_dev_write(w->dev, off, buf, sizeof(buf)) != 0;
		w->wrong += xfs_dev_read(w->dev, off, back, sizeof(back)) != 0;
		w->wrong += memcmp(buf, back, sizeof(buf)) != 0;
	}
	return NULL;
}

START_TEST(threads)
{
	struct xfs_dev *dev = overlay_make(NULL, 4 << 20, 1 << 20);
	struct worker w[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .dev = dev, .number = i };
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, worker_run, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		ck_assert_uint_eq(w[i].wrong, 0);
	}
	xfs_dev_close(dev);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("overlay");
	TCase *t = tcase_create("overlay");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, model_memory);
	tcase_add_test(t, model_file);
	tcase_add_test(t, model_both);
	tcase_add_test(t, other_sizes);
	tcase_add_test(t, above_nothing);
	tcase_add_test(t, bad_below);
	tcase_add_test(t, no_temporary_file);
	tcase_add_test(t, out_of_memory);
	tcase_add_test(t, threads);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
