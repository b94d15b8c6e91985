/* SPDX-License-Identifier: BSD-2-Clause */
/* test_device.c - the layers file, slice, fault and stats: against a model, at their limits, when things fail. */
#include "tests/unit/devmodel.h"
#include "tests/unit/vectors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 300000u

static struct xfs_dev *file_open(const char *path, unsigned flags)
{
	struct xfs_dev *dev = NULL;
	int err = -1;

	ck_assert_int_eq(xfs_dev_file(&dev, path, flags, 0, &err), 0);
	ck_assert_int_eq(err, 0);
	return dev;
}

static void file_run(unsigned flags, uint64_t seed)
{
	struct devmodel m;
	struct xfs_dev *dev;
	char *path;

	devmodel_make(&m, SIZE, seed, true);
	path = devmodel_file(&m, "file");
	dev = file_open(path, flags);
	devmodel_run(&m, dev, 1500);
	xfs_dev_close(dev);
	dev = file_open(path, XFS_DEV_READONLY);
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}

START_TEST(file_model)
{
	file_run(0, 1);
	file_run(XFS_DEV_EXCLUSIVE, 2);
	file_run(XFS_DEV_DIRECT, 3);
}
END_TEST

START_TEST(slice_model)
{
	struct devmodel m, inner;
	struct xfs_dev *dev, *top;
	struct xfs_dev_stats stats = { 0 };
	uint8_t byte;
	char *path;

	devmodel_make(&m, SIZE, 4, true);
	devmodel_make(&inner, 200000, 5, false);
	path = devmodel_file(&m, "slice");
	dev = file_open(path, 0);
	ck_assert_int_eq(xfs_dev_slice(&top, dev, 0, SIZE + 1), -XFS_E_SHORT);
	ck_assert_int_eq(xfs_dev_slice(&top, dev, UINT64_MAX, 2), -XFS_E_SHORT);
	ck_assert_int_eq(xfs_dev_slice(&top, dev, 1234, 200000), 0);
	dev = top;
	ck_assert_int_eq(xfs_dev_stats(&top, dev, &stats), 0);
	memcpy(inner.bytes, m.bytes + 1234, 200000);
	devmodel_run(&inner, top, 1500);
	ck_assert(stats.read_calls && stats.read_bytes && stats.write_calls && stats.write_bytes && stats.zero_bytes &&
		  stats.barriers);
	ck_assert_int_eq(xfs_dev_read(top, 200000, &byte, 1), -XFS_E_SHORT);
	ck_assert_int_eq(xfs_dev_write(top, 200000, &byte, 1), -XFS_E_SHORT);
	ck_assert_int_eq(xfs_dev_read(top, 200000, &byte, 0), 0);
	ck_assert_int_eq(xfs_dev_zero(top, 199999, 2), -XFS_E_SHORT);
	xfs_dev_close(top);
	/* nothing outside of the slice was touched */
	memcpy(m.bytes + 1234, inner.bytes, 200000);
	dev = file_open(path, XFS_DEV_READONLY);
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
	devmodel_free(&inner);
}
END_TEST

START_TEST(file_limits)
{
	struct devmodel m;
	struct xfs_dev *dev;
	uint8_t a[700], b[700], c[700];
	struct xfs_iovec v[3] = {
		{ .off = 100, .len = 700, .buf = a }, { .off = SIZE - 10, .len = 11, .buf = b },
		{ .off = 9000, .len = 700, .buf = c },
	};
	char *path;

	devmodel_make(&m, SIZE, 6, true);
	path = devmodel_file(&m, "limits");
	dev = file_open(path, XFS_DEV_READONLY);
	/* the vector that passes the end fails alone */
	memset(b, 1, sizeof(b));
	ck_assert_int_eq(xfs_dev_readv(dev, v, 3), -XFS_E_SHORT);
	ck_assert(v[0].error == 0 && v[1].error == -XFS_E_SHORT && v[2].error == 0);
	ck_assert_mem_eq(a, m.bytes + 100, 700);
	ck_assert_mem_eq(c, m.bytes + 9000, 700);
	ck_assert(b[0] == 0 && b[10] == 0 && b[11] == 1);
	v[1].off = UINT64_MAX;
	ck_assert_int_eq(xfs_dev_readv(dev, v, 3), -XFS_E_SHORT);
	/* read-only */
	ck_assert_int_eq(xfs_dev_write(dev, 0, a, 1), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_dev_zero(dev, 0, 1), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_dev_discard(dev, 0, 1), -XFS_E_READONLY);
	ck_assert_int_eq(xfs_dev_barrier(dev), 0);
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

/* a file that shrinks below us stands for a disk with bad sectors: what is there is read, the rest is zero */
START_TEST(file_bad_sectors)
{
	struct devmodel m;
	struct xfs_dev *dev;
	uint8_t *buf[3];
	struct xfs_iovec v[3];
	char *path;

	devmodel_make(&m, SIZE, 7, true);
	path = devmodel_file(&m, "bad");
	dev = file_open(path, 0);
	ck_assert_int_eq(truncate(path, 10240), 0);
	for (unsigned i = 0; i < 3; i++) {	/* neighbours, so one system call; the last one first */
		buf[i] = malloc(5000);
		memset(buf[i], 0xee, 5000);
		v[i] = (struct xfs_iovec){ .off = 5000 * (2 - i), .len = 5000, .buf = buf[i] };
	}
	ck_assert_int_eq(xfs_dev_readv(dev, v, 3), -XFS_E_SHORT);
	ck_assert(v[0].error == -XFS_E_SHORT && v[1].error == 0 && v[2].error == 0);
	ck_assert_mem_eq(buf[1], m.bytes + 5000, 5000);
	ck_assert_mem_eq(buf[2], m.bytes, 5000);
	ck_assert_mem_eq(buf[0], m.bytes + 10000, 240);
	for (unsigned i = 240; i < 5000; i++)
		ck_assert_int_eq(buf[0][i], 0);
	for (unsigned i = 0; i < 3; i++)
		free(buf[i]);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

START_TEST(file_opening)
{
	struct devmodel m;
	struct xfs_dev *dev, *second;
	char *path, *gone = NULL;
	int err;

	devmodel_make(&m, 1000, 8, true);
	path = devmodel_file(&m, "open");
	ck_assert_int_gt(asprintf(&gone, "%s.new", path), 0);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, 0, 0, &err), -XFS_E_OPEN);
	ck_assert_int_eq(err, ENOENT);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, 0, 0, NULL), -XFS_E_OPEN);
	ck_assert_int_eq(xfs_dev_file(&dev, "/", XFS_DEV_READONLY, 0, &err), -XFS_E_OPEN);
	ck_assert_int_eq(err, EISDIR);
	ck_assert_int_eq(xfs_dev_file(&dev, "/dev/null", 0, 0, &err), -XFS_E_OPEN);
	ck_assert_int_eq(err, ENOTBLK);
	ck_assert_int_eq(mkfifo(gone, 0600), 0);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, XFS_DEV_READONLY, 0, &err), -XFS_E_OPEN);
	ck_assert_int_eq(err, ENOTBLK);
	unlink(gone);
	/* created with a size; grown, never shrunk; emptied on request */
	ck_assert_int_eq(xfs_dev_file(&dev, gone, XFS_DEV_CREATE, 5000, &err), 0);
	ck_assert_uint_eq(dev->size, 5000);
	ck_assert_uint_eq(dev->sectsize, 512);
	ck_assert_str_eq(dev->name, gone);
	xfs_dev_close(dev);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, 0, 300, &err), 0);
	ck_assert_uint_eq(dev->size, 5000);
	xfs_dev_close(dev);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, XFS_DEV_TRUNCATE, 300, &err), 0);
	ck_assert_uint_eq(dev->size, 300);
	xfs_dev_close(dev);
	ck_assert_int_eq(xfs_dev_file(&dev, gone, 0, UINT64_MAX, &err), -XFS_E_OPEN);
	ck_assert_int_eq(err, EFBIG);
	/* locks: a writer keeps all others out, readers share; without the flag nobody asks */
	dev = file_open(path, XFS_DEV_EXCLUSIVE);
	ck_assert_int_eq(xfs_dev_file(&second, path, XFS_DEV_EXCLUSIVE, 0, &err), -XFS_E_BUSY);
	ck_assert_int_eq(err, EBUSY);
	ck_assert_int_eq(xfs_dev_file(&second, path, XFS_DEV_EXCLUSIVE | XFS_DEV_TRUNCATE, 0, &err), -XFS_E_BUSY);
	ck_assert_int_eq(xfs_dev_file(&second, path, XFS_DEV_EXCLUSIVE | XFS_DEV_READONLY, 0, &err), -XFS_E_BUSY);
	xfs_dev_close(file_open(path, 0));
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	dev = file_open(path, XFS_DEV_EXCLUSIVE | XFS_DEV_READONLY);
	xfs_dev_close(file_open(path, XFS_DEV_EXCLUSIVE | XFS_DEV_READONLY));
	xfs_dev_close(dev);
	unlink(gone);
	unlink(path);
	free(gone);
	free(path);
	devmodel_free(&m);
}
END_TEST

START_TEST(file_stays_sparse)
{
	struct devmodel m;
	struct xfs_dev *dev;
	struct stat st;
	uint64_t size = UINT64_C(1) << 40;
	uint8_t buf[4096];
	char *path;
	int err;

	devmodel_make(&m, 1, 9, true);
	path = devmodel_file(&m, "sparse");
	ck_assert_int_eq(xfs_dev_file(&dev, path, 0, size, &err), 0);
	memset(buf, 0x55, sizeof(buf));
	ck_assert_int_eq(xfs_dev_write(dev, size / 2, buf, sizeof(buf)), 0);
	ck_assert_int_eq(xfs_dev_write(dev, size - sizeof(buf), buf, sizeof(buf)), 0);
	ck_assert_int_eq(xfs_dev_zero(dev, 4096, size - 8192), 0);
	ck_assert_int_eq(xfs_dev_zero(dev, size / 3 + 17, size / 2), 0);
	ck_assert_int_eq(xfs_dev_read(dev, size / 2, buf, sizeof(buf)), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		ck_assert_int_eq(buf[i], 0);
	ck_assert_int_eq(xfs_dev_read(dev, size - sizeof(buf), buf, sizeof(buf)), 0);
	ck_assert_int_eq(buf[0], 0x55);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_blocks, 200);
	ck_assert_int_eq(xfs_dev_discard(dev, 0, size), 0);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

/* A search passes over what holds nothing, through each layer. */
START_TEST(holes)
{
	uint64_t size = UINT64_C(1) << 40, at = size / 2 + 12345;
	struct xfs_dev_fault plan = { 0 };
	struct xfs_dev_stats stats = { 0 };
	struct xfs_dev *dev, *scratch;
	uint8_t byte = 1;
	struct devmodel m;
	char *path;
	int err;

	devmodel_make(&m, 1, 10, true);
	path = devmodel_file(&m, "holes");
	ck_assert_int_eq(xfs_dev_file(&dev, path, 0, size, &err), 0);
	ck_assert_uint_eq(xfs_dev_next_data(dev, 1 << 20), size);
	ck_assert_int_eq(xfs_dev_write(dev, at, &byte, 1), 0);
	ck_assert_int_eq(xfs_dev_slice(&dev, dev, 1 << 20, size / 2), 0);
	ck_assert_int_eq(xfs_dev_stats(&dev, dev, &stats), 0);
	ck_assert_int_eq(xfs_dev_fault(&dev, dev, &plan), 0);
	ck_assert_int_eq(xfs_dev_scratch(&scratch, dev, 1 << 20), 0);
	ck_assert_uint_le(xfs_dev_next_data(scratch, 5), at - (1 << 20));
	ck_assert_uint_gt(xfs_dev_next_data(scratch, 5), at - (2 << 20));
	ck_assert_uint_eq(xfs_dev_next_data(scratch, at), size / 2);
	ck_assert_int_eq(xfs_dev_write(scratch, 4096, &byte, 1), 0);
	ck_assert_uint_le(xfs_dev_next_data(scratch, 5), 4096);
	xfs_dev_close(scratch);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

/* Large reads of a sparse file: holes, data in the middle of one, the hole at the end. */
START_TEST(file_holes)
{
	const uint64_t mib = UINT64_C(1) << 20;
	char path[] = "/tmp/xfskit-holes-XXXXXX";
	int fd = mkstemp(path);
	struct xfs_dev *dev;
	uint8_t *buf = malloc(mib), data[4096];

	ck_assert_ptr_nonnull(buf);
	ck_assert_int_ge(fd, 0);
	memset(data, 0xa7, sizeof(data));
	ck_assert_int_eq(ftruncate(fd, (off_t)(8 * mib)), 0);
	ck_assert_int_eq(pwrite(fd, data, sizeof(data), (off_t)(3 * mib)), sizeof(data));
	dev = file_open(path, XFS_DEV_READONLY);
	for (uint64_t off = 0; off <= 7 * mib; off += mib / 4) {
		memset(buf, 0x55, mib);
		ck_assert_int_eq(xfs_dev_read(dev, off, buf, mib), 0);
		for (uint64_t at = 0; at < mib; at++)
			if (buf[at] != (off + at >= 3 * mib && off + at < 3 * mib + sizeof(data) ? 0xa7 : 0))
				ck_abort_msg("byte %llu is %#x", (unsigned long long)(off + at), buf[at]);
	}
	ck_assert_int_eq(xfs_dev_read(dev, 7 * mib + 1, buf, mib), -XFS_E_SHORT);
	xfs_dev_close(dev);
	close(fd);
	unlink(path);
	free(buf);
}
END_TEST

START_TEST(faults)
{
	struct devmodel m;
	struct xfs_dev *dev, *below;
	struct xfs_dev_fault plan = { 0 };
	uint8_t buf[2048], was[2048];
	struct xfs_iovec v[3];
	char *path;

	devmodel_make(&m, SIZE, 10, true);
	path = devmodel_file(&m, "fault");
	below = file_open(path, 0);
	ck_assert_int_eq(xfs_dev_fault(&dev, below, &plan), 0);
	devmodel_run(&m, dev, 400);
	/* the n-th read and write fail once; neighbours in the same call do not */
	for (unsigned i = 0; i < 3; i++)
		v[i] = (struct xfs_iovec){ .off = 1000 * i, .len = 500, .buf = buf + 500 * i };
	plan.fail_read_at = plan.reads + 2;
	ck_assert_int_eq(xfs_dev_readv(dev, v, 3), -XFS_E_FAULT);
	ck_assert(v[0].error == 0 && v[1].error == -XFS_E_FAULT && v[2].error == 0);
	ck_assert_mem_eq(buf + 1000, m.bytes + 2000, 500);
	ck_assert_int_eq(buf[500], 0);
	ck_assert_int_eq(xfs_dev_readv(dev, v, 3), 0);
	memset(buf, 0x11, sizeof(buf));
	plan.fail_write_at = plan.writes + 3;
	ck_assert_int_eq(xfs_dev_writev(dev, v, 3), -XFS_E_FAULT);
	ck_assert(v[0].error == 0 && v[1].error == 0 && v[2].error == -XFS_E_FAULT);
	memset(m.bytes, 0x11, 500);
	memset(m.bytes + 1000, 0x11, 500);
	devmodel_compare(&m, dev);
	/* a bad range loses whole sectors */
	plan.bad_off = 5000;
	plan.bad_len = 10;
	ck_assert_int_eq(xfs_dev_read(dev, 4096, buf, 2048), -XFS_E_FAULT);
	memcpy(was, m.bytes + 4096, 2048);
	memset(was + (4608 - 4096), 0, 512);
	ck_assert_mem_eq(buf, was, 2048);
	ck_assert_int_eq(xfs_dev_read(dev, 5120, buf, 2048), 0);
	plan.bad_len = 0;
	/* a torn write, then nothing more lands; reads still work */
	plan.stop_write_at = plan.writes + 2;
	plan.tear_bytes = 700;
	memset(buf, 0x22, sizeof(buf));
	ck_assert_int_eq(xfs_dev_write(dev, 0, buf, 100), 0);
	ck_assert_int_eq(xfs_dev_barrier(dev), 0);
	ck_assert_int_eq(xfs_dev_write(dev, 8192, buf, 2048), -XFS_E_FAULT);
	ck_assert_int_eq(xfs_dev_write(dev, 0, buf + 1, 200), -XFS_E_FAULT);
	ck_assert_int_eq(xfs_dev_zero(dev, 0, 200), -XFS_E_FAULT);
	ck_assert_int_eq(xfs_dev_discard(dev, 0, 20000), -XFS_E_FAULT);
	ck_assert_int_eq(xfs_dev_barrier(dev), -XFS_E_FAULT);
	memset(m.bytes, 0x22, 100);
	memset(m.bytes + 8192, 0x22, 700);
	devmodel_compare(&m, dev);
	xfs_dev_close(dev);
	unlink(path);
	free(path);
	devmodel_free(&m);
}
END_TEST

/* a write cache: a model while all is well; at the stop each sector is old or new, and what a barrier covered is new */
START_TEST(write_cache)
{
	unsigned kept = 0, lost = 0;

	for (uint64_t seed = 1; seed < 20; seed++) {
		struct xfs_dev_fault plan = { .lose_seed = seed, .tear_bytes = 1000 };
		struct devmodel m, torn;
		struct xfs_dev *dev, *below;
		uint8_t buf[2048], now[512];
		char *path;

		devmodel_make(&m, SIZE, 30 + seed, true);
		path = devmodel_file(&m, "cache");
		below = file_open(path, 0);
		ck_assert_int_eq(xfs_dev_fault(&dev, below, &plan), 0);
		devmodel_run(&m, dev, 60);
		ck_assert_int_eq(xfs_dev_barrier(dev), 0);
		devmodel_compare(&m, below);
		memset(buf, 0xc1, sizeof(buf));
		plan.stop_write_at = plan.writes + 21;
		for (uint64_t i = 0; i < 20; i++)
			ck_assert_int_eq(xfs_dev_write(dev, i * 8192, buf, sizeof(buf)), 0);
		devmodel_compare(&m, below);
		ck_assert_int_eq(xfs_dev_write(dev, 20 * 8192, buf, sizeof(buf)), -XFS_E_FAULT);
		ck_assert_int_eq(xfs_dev_barrier(dev), -XFS_E_FAULT);
		xfs_dev_close(dev);
		dev = file_open(path, 0);
		devmodel_make(&torn, SIZE, 1, false);
		memcpy(torn.bytes, m.bytes, SIZE);
		for (uint64_t i = 0; i <= 20; i++)
			for (uint64_t at = i * 8192; at < i * 8192 + (i < 20 ? 2048 : 1000); at += 512) {
				ck_assert_int_eq(xfs_dev_read(dev, at, now, 512), 0);
				if (now[0] == 0xc1 && now[1] == 0xc1) {
					memset(torn.bytes + at, 0xc1, i == 20 && at == 20 * 8192 + 512 ? 488 : 512);
					kept++;
				} else {
					lost++;
				}
			}
		devmodel_compare(&torn, dev);
		xfs_dev_close(dev);
		unlink(path);
		free(path);
		devmodel_free(&m);
		devmodel_free(&torn);
	}
	ck_assert_uint_gt(kept, 500);
	ck_assert_uint_gt(lost, 500);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("device");
	TCase *t = tcase_create("device");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, file_model);
	tcase_add_test(t, slice_model);
	tcase_add_test(t, file_limits);
	tcase_add_test(t, file_bad_sectors);
	tcase_add_test(t, file_opening);
	tcase_add_test(t, file_stays_sparse);
	tcase_add_test(t, holes);
	tcase_add_test(t, file_holes);
	tcase_add_test(t, faults);
	tcase_add_test(t, write_cache);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
