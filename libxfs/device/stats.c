/* SPDX-License-Identifier: BSD-2-Clause */
/* stats.c - counts what passes through. */
#include "libxfs/device/device.h"

#include <pthread.h>
#include <stdlib.h>

struct stats_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	struct xfs_dev_stats *stats;	/* the caller's */
	pthread_mutex_t lock;		/* over *stats; 64-bit atomics are not everywhere */
};

static void count(struct stats_dev *s, uint64_t *calls, uint64_t *bytes, uint64_t add)
{
	pthread_mutex_lock(&s->lock);
	if (calls)
		++*calls;
	if (bytes)
		*bytes += add;
	pthread_mutex_unlock(&s->lock);
}

static uint64_t sum_of(const struct xfs_iovec *v, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i].len;
	return sum;
}

static int stats_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct stats_dev *s = (struct stats_dev *)dev;

	count(s, &s->stats->read_calls, &s->stats->read_bytes, sum_of(v, n));
	return xfs_dev_readv(s->below, v, n);
}

static int stats_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct stats_dev *s = (struct stats_dev *)dev;

	count(s, &s->stats->write_calls, &s->stats->write_bytes, sum_of(v, n));
	return xfs_dev_writev(s->below, v, n);
}

static int stats_barrier(struct xfs_dev *dev)
{
	struct stats_dev *s = (struct stats_dev *)dev;

	count(s, &s->stats->barriers, NULL, 0);
	return xfs_dev_barrier(s->below);
}

static int stats_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct stats_dev *s = (struct stats_dev *)dev;

	count(s, NULL, &s->stats->zero_bytes, len);
	return xfs_dev_zero(s->below, off, len);
}

static int stats_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return xfs_dev_discard(((struct stats_dev *)dev)->below, off, len);
}

static uint64_t stats_next_data(struct xfs_dev *dev, uint64_t off)
{
	return xfs_dev_next_data(((struct stats_dev *)dev)->below, off);
}

static void stats_close(struct xfs_dev *dev)
{
	struct stats_dev *s = (struct stats_dev *)dev;

	xfs_dev_close(s->below);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct xfs_dev_ops stats_ops = {
	.read = stats_read, .write = stats_write, .barrier = stats_barrier, .zero = stats_zero,
	.discard = stats_discard, .close = stats_close, .next_data = stats_next_data,
};

int xfs_dev_stats(struct xfs_dev **out, struct xfs_dev *below, struct xfs_dev_stats *stats)
{
	struct stats_dev *s = calloc(1, sizeof(*s));

	if (!s)
		return -XFS_E_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->dev = *below;
	s->dev.ops = &stats_ops;
	s->below = below;
	s->stats = stats;
	*out = &s->dev;
	return 0;
}
