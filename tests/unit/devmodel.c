/* SPDX-License-Identifier: BSD-2-Clause */
/* devmodel.c - random operations on a device, compared with an array of bytes. */
#include "tests/unit/devmodel.h"
#include "libxfs/base/bytes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_VECTORS 100u

uint64_t devmodel_pick(struct devmodel *m, uint64_t below)
{
	/* xorshift: the same sequence on every machine */
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (m->seed >> 11) % below;
}

void devmodel_make(struct devmodel *m, size_t size, uint64_t seed, bool fill)
{
	m->bytes = calloc(1, size);
	m->size = size;
	m->seed = seed * 2 + 1;
	ck_assert_ptr_nonnull(m->bytes);
	for (size_t i = 0; fill && i < size; i++)
		m->bytes[i] = (uint8_t)devmodel_pick(m, 256);
}

void devmodel_free(struct devmodel *m)
{
	free(m->bytes);
}

char *devmodel_file(const struct devmodel *m, const char *suffix)
{
	const char *dir = getenv("TMPDIR");
	char *path = NULL;
	int fd;

	ck_assert_int_gt(asprintf(&path, "%s/xfskit-test-%s-XXXXXX", dir ? dir : "/tmp", suffix), 0);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	for (size_t at = 0; at < m->size;) {
		ssize_t n = write(fd, m->bytes + at, m->size - at);

		ck_assert_int_gt(n, 0);
		at += (size_t)n;
	}
	close(fd);
	return path;
}

/* some small, some of a few blocks, some aligned: what layers treat differently */
static void range_pick(struct devmodel *m, uint64_t *off, size_t *len)
{
	uint64_t unit = devmodel_pick(m, 3) ? 1 : devmodel_pick(m, 2) ? 512 : 4096;

	*off = devmodel_pick(m, m->size / unit) * unit;
	*len = (size_t)(devmodel_pick(m, 20000 / unit + 1) * unit);
	if (devmodel_pick(m, 3) == 0)
		*len %= 600;
	if (*len > m->size - *off)
		*len = m->size - (size_t)*off;
}

static void read_step(struct devmodel *m, struct xfs_dev *dev)
{
	struct xfs_iovec v[MAX_VECTORS];
	size_t n = 1 + (size_t)devmodel_pick(m, devmodel_pick(m, 10) ? 6 : MAX_VECTORS);

	for (size_t i = 0; i < n; i++) {
		range_pick(m, &v[i].off, &v[i].len);
		if (i && devmodel_pick(m, 2)) {		/* a neighbour */
			v[i].off = v[i - 1].off + v[i - 1].len;
			if (v[i].len > m->size - v[i].off)
				v[i].len = m->size - (size_t)v[i].off;
		}
		v[i].buf = malloc(v[i].len + 1);
		ck_assert_ptr_nonnull(v[i].buf);
		memset(v[i].buf, 0xee, v[i].len + 1);
		v[i].error = 1;
	}
	ck_assert_int_eq(xfs_dev_readv(dev, v, n), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert(v[i].error == 0 && !memcmp(v[i].buf, m->bytes + v[i].off, v[i].len) &&
			  ((uint8_t *)v[i].buf)[v[i].len] == 0xee);
		free(v[i].buf);
	}
}

static bool is_apart(const struct xfs_iovec *v, size_t n, const struct xfs_iovec *one)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].off < one->off + one->len && one->off < v[i].off + v[i].len)
			return false;
	return true;
}

static void write_step(struct devmodel *m, struct xfs_dev *dev)
{
	struct xfs_iovec v[MAX_VECTORS];
	size_t n = 0, want = 1 + (size_t)devmodel_pick(m, devmodel_pick(m, 10) ? 6 : MAX_VECTORS);

	while (want--) {
		range_pick(m, &v[n].off, &v[n].len);
		if (!is_apart(v, n, &v[n]))		/* order within a call is not promised */
			continue;
		v[n].buf = malloc(v[n].len + 1);
		ck_assert_ptr_nonnull(v[n].buf);
		for (size_t i = 0; i < v[n].len; i++)
			((uint8_t *)v[n].buf)[i] = (uint8_t)devmodel_pick(m, 256);
		v[n++].error = 1;
	}
	ck_assert_int_eq(xfs_dev_writev(dev, v, n), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(v[i].error, 0);
		memcpy(m->bytes + v[i].off, v[i].buf, v[i].len);
		free(v[i].buf);
	}
}

static void zero_step(struct devmodel *m, struct xfs_dev *dev)
{
	uint64_t off;
	size_t len;

	range_pick(m, &off, &len);
	if (devmodel_pick(m, 4) == 0)		/* a large one */
		len = (size_t)devmodel_pick(m, m->size - off + 1);
	ck_assert_int_eq(xfs_dev_zero(dev, off, len), 0);
	memset(m->bytes + off, 0, len);
}

void devmodel_run(struct devmodel *m, struct xfs_dev *dev, unsigned n)
{
	ck_assert_uint_eq(dev->size, m->size);
	while (n--) {
		switch (devmodel_pick(m, 16)) {
		case 0:
		case 1:
			zero_step(m, dev);
			break;
		case 2:
			ck_assert_int_eq(xfs_dev_barrier(dev), 0);
			break;
		case 3:
		case 4:
		case 5:
		case 6:
		case 7:
		case 8:
			write_step(m, dev);
			break;
		default:
			read_step(m, dev);
		}
	}
	devmodel_compare(m, dev);
}

void devmodel_compare(const struct devmodel *m, struct xfs_dev *dev)
{
	uint8_t *all = malloc(m->size);

	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(xfs_dev_read(dev, 0, all, m->size), 0);
	for (size_t i = 0; i < m->size; i++)
		if (all[i] != m->bytes[i])
			ck_abort_msg("byte %zu is %u, not %u", i, all[i], m->bytes[i]);
	/* without an assertion each: libcheck writes every one to a file, whose size a test limits */
	for (size_t from = 0, at = 0; from < m->size; from += 509) {
		uint64_t next = xfs_dev_next_data(dev, from);

		if (next < from || next > m->size)
			ck_abort_msg("data behind %zu begins at %llu", from, (unsigned long long)next);
		for (at = xfs_max(at, from); at < next; at++)
			if (all[at])
				ck_abort_msg("byte %zu is %u, and passed over from %zu to %llu", at, all[at], from,
					     (unsigned long long)next);
	}
	if (xfs_dev_next_data(dev, m->size) != m->size)
		ck_abort_msg("data behind the end");
	free(all);
}
