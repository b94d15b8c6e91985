/* SPDX-License-Identifier: BSD-2-Clause */
/* test_undo.c - the undo layer: every change can be taken back, killed at any write, torn, damaged, out of memory. */
#include "libxfs/base/bytes.h"
#include "tests/unit/devmodel.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/vectors.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 400000u

static const uint8_t uuid[16] = "sixteen bytes...";

/* a file with contents, and the name of an undo file that does not exist yet */
struct place {
	struct devmodel before;
	char *path, *undo;
};

static void place_make(struct place *p, size_t size, uint64_t seed, bool fill)
{
	devmodel_make(&p->before, size, seed, fill);
	p->path = devmodel_file(&p->before, "undo");
	ck_assert_int_gt(asprintf(&p->undo, "%s.undo", p->path), 0);
}

static void place_free(struct place *p)
{
	unlink(p->path);
	unlink(p->undo);
	free(p->path);
	free(p->undo);
	devmodel_free(&p->before);
}

static struct xfs_dev *file_open(const struct place *p)
{
	struct xfs_dev *dev = NULL;

	ck_assert_int_eq(xfs_dev_file(&dev, p->path, 0, 0, NULL), 0);
	return dev;
}

static struct xfs_dev *undo_open(const struct place *p, struct xfs_dev *below)
{
	struct xfs_dev *dev = NULL;

	ck_assert_int_eq(xfs_dev_undo(&dev, below, p->undo, uuid), 0);
	return dev;
}

/* the file's contents against a model */
static void file_compare(const struct place *p, const struct devmodel *m)
{
	struct xfs_dev *dev = file_open(p);

	devmodel_compare(m, dev);
	xfs_dev_close(dev);
}

static int apply(const struct place *p)
{
	struct xfs_dev *dev = file_open(p);
	int err = xfs_dev_undo_apply(dev, p->undo);

	xfs_dev_close(dev);
	return err;
}

START_TEST(model)
{
	for (uint64_t seed = 1; seed < 4; seed++) {
		struct xfs_dev_undo_info info;
		struct place p;
		struct devmodel m;
		struct xfs_dev *dev;

		place_make(&p, SIZE + (size_t)seed, seed, true);
		devmodel_make(&m, SIZE + (size_t)seed, seed, true);
		dev = undo_open(&p, file_open(&p));
		devmodel_run(&m, dev, 200 * (unsigned)seed);
		ck_assert_int_eq(xfs_dev_discard(dev, 0, SIZE), 0);
		ck_assert_int_eq(xfs_dev_undo_info(p.undo, &info), 0);
		ck_assert_int_eq(info.state, XFS_UNDO_OPEN);
		devmodel_run(&m, dev, 100);
		xfs_dev_close(dev);
		file_compare(&p, &m);
		ck_assert_int_eq(xfs_dev_undo_info(p.undo, &info), 0);
		ck_assert_int_eq(info.state, XFS_UNDO_CLOSED);
		ck_assert_mem_eq(info.uuid, uuid, 16);
		ck_assert_uint_eq(info.device_size, SIZE + seed);
		ck_assert_uint_gt(info.records, 0);
		ck_assert_int_eq(apply(&p), 0);
		file_compare(&p, &p.before);
		ck_assert_int_eq(xfs_dev_undo_info(p.undo, &info), 0);
		ck_assert_int_eq(info.state, XFS_UNDO_APPLIED);
		ck_assert_int_eq(apply(&p), -XFS_E_INVALID);
		place_free(&p);
		devmodel_free(&m);
	}
}
END_TEST

START_TEST(nothing_before_barrier)
{
	struct place p;
	struct xfs_dev *dev;
	struct stat st;
	uint8_t buf[70000];

	place_make(&p, SIZE, 5, true);
	dev = undo_open(&p, file_open(&p));
	memset(buf, 0x44, sizeof(buf));
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(xfs_dev_write(dev, i * 80000, buf, sizeof(buf)), 0);
	file_compare(&p, &p.before);
	/* the same bytes again are no change: nothing is recorded or written */
	ck_assert_int_eq(stat(p.undo, &st), 0);
	ck_assert_int_eq(st.st_size, 512);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(xfs_dev_write(dev, i * 80000, p.before.bytes + i * 80000, sizeof(buf)), 0);
	ck_assert_int_eq(xfs_dev_barrier(dev), 0);
	ck_assert_int_eq(stat(p.undo, &st), 0);
	ck_assert_int_eq(st.st_size, 512);
	xfs_dev_close(dev);
	file_compare(&p, &p.before);
	place_free(&p);
}
END_TEST

/* A fixed sequence with barriers; ends at the first error. */
static int sequence_run(struct xfs_dev *dev, struct devmodel *m)
{
	uint8_t buf[9000];
	int err = 0;

	for (unsigned i = 0; i < 60 && !err; i++) {
		uint64_t off = devmodel_pick(m, SIZE - sizeof(buf));
		size_t len = (size_t)devmodel_pick(m, sizeof(buf)) + 1;

		memset(buf, (int)devmodel_pick(m, 256), sizeof(buf));
		if (i % 7 == 3)
			err = xfs_dev_zero(dev, off, len * 8 < SIZE - off ? len * 8 : SIZE - off);
		else
			err = xfs_dev_write(dev, off, buf, len);
		if (!err && i % 9 == 8)
			err = xfs_dev_barrier(dev);
	}
	return err ? err : xfs_dev_barrier(dev);
}

/* One run, killed at write n, torn after `tear` bytes, with a write cache to lose; false when n was not reached. */
static bool crash_run(uint64_t n, uint32_t tear, bool fail_only, uint64_t lose_seed)
{
	struct xfs_dev_fault plan = {
		.stop_write_at = fail_only ? 0 : n, .fail_write_at = fail_only ? n : 0, .tear_bytes = tear,
		.lose_seed = lose_seed,
	};
	struct xfs_dev *below;
	struct devmodel m = { NULL, 0, 99 };
	struct xfs_dev *dev;
	struct place p;
	int err;

	place_make(&p, SIZE, 6, true);
	ck_assert_int_eq(xfs_dev_fault(&below, file_open(&p), &plan), 0);
	dev = undo_open(&p, below);
	err = sequence_run(dev, &m);
	ck_assert_int_eq(err, plan.writes < n ? 0 : -XFS_E_FAULT);
	if (err)	/* it sticks */
		ck_assert_int_eq(xfs_dev_write(dev, 0, "x", 1), err);
	xfs_dev_close(dev);
	ck_assert_int_eq(apply(&p), 0);
	file_compare(&p, &p.before);
	place_free(&p);
	return plan.writes >= n;
}

START_TEST(killed_at_each_write)
{
	uint64_t n;

	for (n = 1; crash_run(n, n % 3 ? (uint32_t)(n * 777 % 5000) : 0, false, n & 1 ? n : 0); n++)
		;
	ck_assert_uint_gt(n, 40);
	for (n = 1; crash_run(n, 0, true, 0); n += 5)
		;
}
END_TEST

START_TEST(killed_while_taking_back)
{
	for (uint64_t n = 1;; n++) {
		struct xfs_dev_fault plan = { .stop_write_at = n, .tear_bytes = (uint32_t)(n * 300) };
		struct devmodel m = { NULL, 0, 123 };
		struct xfs_dev_undo_info info;
		struct xfs_dev *dev;
		struct place p;
		int err;

		place_make(&p, SIZE, 7, true);
		dev = undo_open(&p, file_open(&p));
		ck_assert_int_eq(sequence_run(dev, &m), 0);
		xfs_dev_close(dev);
		ck_assert_int_eq(xfs_dev_fault(&dev, file_open(&p), &plan), 0);
		err = xfs_dev_undo_apply(dev, p.undo);
		xfs_dev_close(dev);
		ck_assert_int_eq(err, plan.writes < n ? 0 : -XFS_E_FAULT);
		if (err) {
			ck_assert_int_eq(xfs_dev_undo_info(p.undo, &info), 0);
			ck_assert_int_eq(info.state, XFS_UNDO_APPLYING);
			ck_assert_int_eq(apply(&p), 0);
		}
		file_compare(&p, &p.before);
		place_free(&p);
		if (!err) {
			ck_assert_uint_gt(n, 10);
			break;
		}
	}
}
END_TEST

static void byte_flip(const char *path, uint64_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

START_TEST(refused)
{
	struct devmodel m, now = { NULL, 0, 321 };
	struct xfs_dev *dev, *other;
	struct stat st;
	struct place p;
	int err;

	place_make(&p, SIZE, 8, true);
	devmodel_make(&m, SIZE, 8, false);
	dev = undo_open(&p, file_open(&p));
	ck_assert_int_eq(xfs_dev_undo(&other, dev, p.undo, uuid), -XFS_E_EXISTS);
	ck_assert_int_eq(xfs_dev_undo(&other, dev, "/proc/self/none/undo", uuid), -XFS_E_OPEN);
	ck_assert_int_eq(sequence_run(dev, &now), 0);
	xfs_dev_close(dev);
	dev = file_open(&p);
	ck_assert_int_eq(xfs_dev_read(dev, 0, m.bytes, SIZE), 0);
	/* another size */
	ck_assert_int_eq(xfs_dev_slice(&dev, dev, 0, SIZE - 512), 0);
	ck_assert_int_eq(xfs_dev_undo_apply(dev, p.undo), -XFS_E_INVALID);
	xfs_dev_close(dev);
	/* any byte of the file damaged: named, and the device is left alone */
	ck_assert_int_eq(stat(p.undo, &st), 0);
	for (uint64_t at = 0; at < (uint64_t)st.st_size; at += at < 700 ? 1 : 997) {
		byte_flip(p.undo, at);
		err = apply(&p);
		byte_flip(p.undo, at);
		ck_assert_msg(err == -XFS_E_BADCRC || err == -XFS_E_BADMAGIC, "byte %u: %d", (unsigned)at, err);
	}
	file_compare(&p, &m);
	/* cut */
	ck_assert_int_eq(truncate(p.undo, st.st_size - 1), 0);
	ck_assert_int_eq(apply(&p), -XFS_E_SHORT);
	ck_assert_int_eq(truncate(p.undo, 100), 0);
	ck_assert_int_eq(apply(&p), -XFS_E_SHORT);
	unlink(p.undo);
	ck_assert_int_eq(apply(&p), -XFS_E_OPEN);
	file_compare(&p, &m);
	place_free(&p);
	devmodel_free(&m);
}
END_TEST

START_TEST(changed_since)
{
	struct devmodel now = { NULL, 0, 322 };
	struct xfs_dev *dev;
	struct place p;

	place_make(&p, SIZE, 9, true);
	dev = undo_open(&p, file_open(&p));
	ck_assert_int_eq(sequence_run(dev, &now), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 1000, "changed once", 12), 0);
	xfs_dev_close(dev);
	/* what was changed by us was changed by others after us */
	dev = file_open(&p);
	ck_assert_int_eq(xfs_dev_write(dev, 1000, "changed twice", 13), 0);
	ck_assert_int_eq(xfs_dev_undo_apply(dev, p.undo), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_dev_write(dev, 1000, "changed once", 12), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 1012, p.before.bytes + 1012, 1), 0);
	ck_assert_int_eq(xfs_dev_undo_apply(dev, p.undo), 0);
	devmodel_compare(&p.before, dev);
	xfs_dev_close(dev);
	place_free(&p);
}
END_TEST

/* the last part of the file, whose writes were not released, may be torn; the parts before may not */
START_TEST(torn_file)
{
	struct xfs_dev_fault plan = { 0 };
	struct xfs_dev *dev, *below;
	struct stat first, second;
	uint8_t buf[5000];
	struct place p;

	for (off_t cut = 1; cut < 12000; cut += 1500) {
		place_make(&p, SIZE, 10, true);
		memset(&plan, 0, sizeof(plan));
		ck_assert_int_eq(xfs_dev_fault(&below, file_open(&p), &plan), 0);
		dev = undo_open(&p, below);
		memset(buf, 1, sizeof(buf));
		ck_assert_int_eq(xfs_dev_write(dev, 20000, buf, sizeof(buf)), 0);
		ck_assert_int_eq(xfs_dev_barrier(dev), 0);
		ck_assert_int_eq(stat(p.undo, &first), 0);
		plan.stop_write_at = plan.writes + 1;
		ck_assert_int_eq(xfs_dev_write(dev, 10000, buf, sizeof(buf)), 0);
		ck_assert_int_eq(xfs_dev_write(dev, 30000, buf, sizeof(buf)), 0);
		ck_assert_int_eq(xfs_dev_barrier(dev), -XFS_E_FAULT);
		xfs_dev_close(dev);
		ck_assert_int_eq(stat(p.undo, &second), 0);
		ck_assert_int_gt(second.st_size, first.st_size + 5000);
		ck_assert_int_eq(truncate(p.undo, second.st_size - cut), 0);
		if (second.st_size - cut >= first.st_size) {
			ck_assert_int_eq(apply(&p), 0);
			file_compare(&p, &p.before);
		} else {
			ck_assert_int_eq(apply(&p), -XFS_E_SHORT);
		}
		place_free(&p);
	}
}
END_TEST

START_TEST(bad_sectors)
{
	struct xfs_dev_fault plan = { .bad_off = 10240, .bad_len = 1 };
	struct xfs_dev *dev, *below;
	uint8_t buf[8192];
	struct place p;

	place_make(&p, SIZE, 11, true);
	ck_assert_int_eq(xfs_dev_fault(&below, file_open(&p), &plan), 0);
	dev = undo_open(&p, below);
	memset(buf, 0, sizeof(buf));
	ck_assert_int_eq(xfs_dev_write(dev, 8192, buf, sizeof(buf)), 0);
	ck_assert_int_eq(xfs_dev_barrier(dev), 0);
	plan.bad_len = 0;	/* as writing cures a sector */
	xfs_dev_close(dev);
	dev = file_open(&p);
	ck_assert_int_eq(xfs_dev_read(dev, 8192, buf, sizeof(buf)), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		ck_assert_int_eq(buf[i], 0);
	xfs_dev_close(dev);
	ck_assert_int_eq(apply(&p), 0);
	memset(p.before.bytes + 10240, 0, 512);		/* what nobody could read can't come back */
	file_compare(&p, &p.before);
	place_free(&p);
}
END_TEST

/* zeroing much that is sparse stays cheap on the device and in the file */
START_TEST(sparse)
{
	const uint64_t size = UINT64_C(1) << 30;
	struct xfs_dev *dev;
	struct place p;
	struct stat st;
	uint8_t buf[4096];

	place_make(&p, 1, 12, false);
	ck_assert_int_eq(truncate(p.path, (off_t)size), 0);
	dev = file_open(&p);
	memset(buf, 0x66, sizeof(buf));
	for (uint64_t i = 0; i < 10; i++)
		ck_assert_int_eq(xfs_dev_write(dev, i * (100 << 20), buf, sizeof(buf)), 0);
	dev = undo_open(&p, dev);
	ck_assert_int_eq(xfs_dev_zero(dev, 0, size), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 5000, buf, sizeof(buf)), 0);
	xfs_dev_close(dev);
	ck_assert_int_eq(stat(p.undo, &st), 0);
	ck_assert_int_lt(st.st_size, 100000);
	ck_assert_int_eq(apply(&p), 0);
	ck_assert_int_eq(stat(p.path, &st), 0);
	ck_assert_int_lt(st.st_blocks, 1000);
	dev = file_open(&p);
	for (uint64_t i = 0; i < 10; i++) {
		ck_assert_int_eq(xfs_dev_read(dev, i * (100 << 20) + 4000, buf, 200), 0);
		ck_assert(buf[0] == 0x66 && buf[95] == 0x66 && buf[96] == 0 && buf[199] == 0);
	}
	xfs_dev_close(dev);
	place_free(&p);
}
END_TEST

/* the undo file can't grow: nothing reaches the device */
START_TEST(out_of_disk)
{
	struct rlimit limit, before;
	struct xfs_dev *dev, *below;
	struct place p;
	uint8_t *buf = malloc(SIZE);

	place_make(&p, SIZE, 13, true);
	ck_assert_int_eq(xfs_dev_overlay(&below, file_open(&p), 0, 16 << 20, NULL), 0);
	dev = undo_open(&p, below);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 50000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(buf, 3, SIZE);
	ck_assert_int_eq(xfs_dev_write(dev, 0, buf, SIZE), 0);
	ck_assert_int_eq(xfs_dev_barrier(dev), -XFS_E_TOOBIG);
	devmodel_compare(&p.before, below);
	ck_assert_int_eq(xfs_dev_write(dev, 0, buf, 1), -XFS_E_TOOBIG);
	ck_assert_int_eq(xfs_dev_zero(dev, 0, 1), -XFS_E_TOOBIG);
	devmodel_compare(&p.before, below);
	xfs_dev_close(dev);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	free(buf);
	place_free(&p);
}
END_TEST

START_TEST(out_of_memory)
{
	unsigned failed = 0;

	for (uint64_t n = 1;; n++) {
		struct devmodel m = { NULL, 0, 55 };
		struct xfs_dev *dev = NULL;
		struct place p;
		uint64_t seen;
		int err;

		ck_assert_uint_lt(n, 5000);
		place_make(&p, SIZE, 14, true);
		dev = file_open(&p);
		failmalloc_start(n, n % 2);
		err = xfs_dev_undo(&dev, dev, p.undo, uuid);
		if (!err)
			err = sequence_run(dev, &m);
		xfs_dev_close(dev);
		seen = failmalloc_stop();
		ck_assert_msg(err == 0 || err == -XFS_E_NOMEM, "allocation %u: %d", (unsigned)n, err);
		failed += err != 0;
		if (access(p.undo, F_OK) == 0)
			ck_assert_int_eq(apply(&p), 0);
		file_compare(&p, &p.before);
		place_free(&p);
		if (seen < n)
			break;
	}
	ck_assert_uint_gt(failed, 5);
}
END_TEST

struct worker {
	pthread_t thread;
	struct xfs_dev *dev;
	unsigned number, wrong;
};

static void *worker_run(void *payload)
{
	struct worker *w = payload;
	uint8_t buf[1024], back[1024];

	for (unsigned i = 0; i < 300; i++) {
		uint64_t off = ((i * 37u % 80) * 4 + w->number) * 1024;

		memset(buf, (int)(i + w->number), sizeof(buf));
		w->wrong += xfs_dev_write(w->dev, off, buf, sizeof(buf)) != 0;
		if (i % 50 == 49)
			w->wrong += xfs_dev_barrier(w->dev) != 0;
		w->wrong += xfs_dev_read(w->dev, off, back, sizeof(back)) != 0;
		w->wrong += memcmp(buf, back, sizeof(buf)) != 0;
	}
	return NULL;
}

START_TEST(threads)
{
	struct worker w[4];
	struct xfs_dev *dev;
	struct place p;

	place_make(&p, SIZE, 15, true);
	dev = undo_open(&p, file_open(&p));
	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct worker){ .dev = dev, .number = i };
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, worker_run, &w[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		ck_assert_uint_eq(w[i].wrong, 0);
	}
	xfs_dev_close(dev);
	ck_assert_int_eq(apply(&p), 0);
	file_compare(&p, &p.before);
	place_free(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("undo");
	TCase *t = tcase_create("undo");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, model);
	tcase_add_test(t, nothing_before_barrier);
	tcase_add_test(t, killed_at_each_write);
	tcase_add_test(t, killed_while_taking_back);
	tcase_add_test(t, refused);
	tcase_add_test(t, changed_since);
	tcase_add_test(t, torn_file);
	tcase_add_test(t, bad_sectors);
	tcase_add_test(t, sparse);
	tcase_add_test(t, out_of_disk);
	tcase_add_test(t, out_of_memory);
	tcase_add_test(t, threads);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
