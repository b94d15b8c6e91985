/* SPDX-License-Identifier: BSD-2-Clause */
/* memdev.c - a device in memory for unit tests. */
#include "tests/unit/memdev.h"

#include <stdlib.h>
#include <string.h>

static int transfer(struct memdev *m, struct xfs_iovec *v, size_t n, bool write)
{
	int first = 0;

	m->in_order = true;
	for (size_t i = 0; i < n; i++) {
		if (i && v[i].off < v[i - 1].off)
			m->in_order = false;
		v[i].error = 0;
		if (v[i].off > m->dev.size || v[i].len > m->dev.size - v[i].off)
			v[i].error = -XFS_E_SHORT;
		else if (m->bad_len && v[i].off < m->bad_off + m->bad_len && m->bad_off < v[i].off + v[i].len)
			v[i].error = -XFS_E_IO;
		else if (write)
			memcpy(m->bytes + v[i].off, v[i].buf, v[i].len);
		else
			memcpy(v[i].buf, m->bytes + v[i].off, v[i].len);
		if (v[i].error && !write)
			memset(v[i].buf, 0, v[i].len);
		first = first ? first : v[i].error;
	}
	return first;
}

static int mem_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct memdev *m = (struct memdev *)dev;

	int err;

	pthread_mutex_lock(&m->lock);
	m->reads++;
	m->read_vectors += (unsigned)n;
	err = transfer(m, v, n, false);
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int mem_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct memdev *m = (struct memdev *)dev;

	int err;

	pthread_mutex_lock(&m->lock);
	m->writes++;
	err = transfer(m, v, n, true);
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int mem_barrier(struct xfs_dev *dev)
{
	(void)dev;
	return 0;
}

static int mem_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct memdev *m = (struct memdev *)dev;

	if (off > dev->size || len > dev->size - off)
		return -XFS_E_SHORT;
	memset(m->bytes + off, 0, len);
	return 0;
}

static void mem_close(struct xfs_dev *dev)
{
	pthread_mutex_destroy(&((struct memdev *)dev)->lock);
	free(((struct memdev *)dev)->bytes);
	free(dev);
}

struct memdev *memdev_new(uint64_t size)
{
	static const struct xfs_dev_ops ops = {
		.read = mem_read, .write = mem_write, .barrier = mem_barrier, .zero = mem_zero, .discard = mem_zero,
		.close = mem_close,
	};
	struct memdev *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->dev = (struct xfs_dev){ .ops = &ops, .name = "memory", .size = size, .sectsize = 512 };
	pthread_mutex_init(&m->lock, NULL);
	m->bytes = calloc(1, size);
	if (!m->bytes) {
		free(m);
		return NULL;
	}
	return m;
}
