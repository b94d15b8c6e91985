/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c - remembers unreadable sectors; everything else passes through. */
#include "repair/watch.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/extents.h"

#include <pthread.h>
#include <stdlib.h>

#define SECTOR 512u

struct watch_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	struct xfs_extents bad;
	pthread_mutex_t lock;		/* of bad */
};

/* Which sectors of a read that failed: each is tried alone. */
static void look_closer(struct watch_dev *w, const struct xfs_iovec *v)
{
	uint32_t sect = xfs_max(w->dev.sectsize, SECTOR);
	uint8_t *buf = malloc(sect);

	pthread_mutex_lock(&w->lock);
	for (uint64_t at = v->off, n; at < v->off + v->len && at < w->dev.size; at += n) {
		n = xfs_min(sect - at % sect, v->off + v->len - at);
		if (xfs_extents_contains(&w->bad, at, n))
			continue;
		if ((!buf || xfs_dev_read(w->below, at, buf, (size_t)n) == -XFS_E_IO) && xfs_extents_add(&w->bad, at,
													 n))
			break;
	}
	pthread_mutex_unlock(&w->lock);
	free(buf);
}

static int watch_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct watch_dev *w = (struct watch_dev *)dev;
	int error = xfs_dev_readv(w->below, v, n);

	for (size_t i = 0; error && i < n; i++)
		if (v[i].error == -XFS_E_IO)
			look_closer(w, &v[i]);
	return error;
}

static int watch_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return xfs_dev_writev(((struct watch_dev *)dev)->below, v, n);
}

static int watch_barrier(struct xfs_dev *dev)
{
	return xfs_dev_barrier(((struct watch_dev *)dev)->below);
}

static int watch_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return xfs_dev_zero(((struct watch_dev *)dev)->below, off, len);
}

static int watch_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return xfs_dev_discard(((struct watch_dev *)dev)->below, off, len);
}

static uint64_t watch_next_data(struct xfs_dev *dev, uint64_t off)
{
	return xfs_dev_next_data(((struct watch_dev *)dev)->below, off);
}

static void watch_close(struct xfs_dev *dev)
{
	struct watch_dev *w = (struct watch_dev *)dev;

	xfs_dev_close(w->below);
	xfs_extents_free(&w->bad);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static const struct xfs_dev_ops watch_ops = {
	.read = watch_read, .write = watch_write, .barrier = watch_barrier, .zero = watch_zero,
	.discard = watch_discard, .close = watch_close, .next_data = watch_next_data,
};

int repair_watch(struct xfs_dev **out, struct xfs_dev *below)
{
	struct watch_dev *w = calloc(1, sizeof(*w));

	if (!w)
		return -XFS_E_NOMEM;
	pthread_mutex_init(&w->lock, NULL);
	w->dev = *below;
	w->dev.ops = &watch_ops;
	w->below = below;
	*out = &w->dev;
	return 0;
}

int repair_watch_each(const struct xfs_dev *watch, int (*found)(void *payload, uint64_t off, uint64_t len),
		      void *payload)
{
	const struct watch_dev *w = (const struct watch_dev *)watch;
	int error = 0;

	for (size_t i = 0; i < w->bad.n && !error; i++)
		error = found(payload, w->bad.e[i].start, w->bad.e[i].len);
	return error;
}
