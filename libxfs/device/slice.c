/* SPDX-License-Identifier: BSD-2-Clause */
/* slice.c - a range of the device below as a device of its own, such as a partition. */
#include "libxfs/device/device.h"

#include <stdlib.h>

struct slice_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	uint64_t start;
};

static int slice_transfer(struct xfs_dev *dev, struct xfs_iovec *v, size_t n,
			  int (*fn)(struct xfs_dev *, struct xfs_iovec *, size_t))
{
	const struct slice_dev *s = (const struct slice_dev *)dev;
	int err;

	/* the vectors are the caller's alone during the call: moved there and back */
	for (size_t i = 0; i < n; i++)
		v[i].off += s->start;
	err = fn(s->below, v, n);
	for (size_t i = 0; i < n; i++)
		v[i].off -= s->start;
	return err;
}

static int slice_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return slice_transfer(dev, v, n, xfs_dev_readv);
}

static int slice_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return slice_transfer(dev, v, n, xfs_dev_writev);
}

static int slice_barrier(struct xfs_dev *dev)
{
	return xfs_dev_barrier(((struct slice_dev *)dev)->below);
}

static int slice_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	const struct slice_dev *s = (const struct slice_dev *)dev;

	return xfs_dev_zero(s->below, s->start + off, len);
}

static int slice_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	const struct slice_dev *s = (const struct slice_dev *)dev;

	return xfs_dev_discard(s->below, s->start + off, len);
}

static uint64_t slice_next_data(struct xfs_dev *dev, uint64_t off)
{
	const struct slice_dev *s = (const struct slice_dev *)dev;

	return xfs_dev_next_data(s->below, s->start + off) - s->start;
}

static void slice_close(struct xfs_dev *dev)
{
	xfs_dev_close(((struct slice_dev *)dev)->below);
	free(dev);
}

static const struct xfs_dev_ops slice_ops = {
	.read = slice_read, .write = slice_write, .barrier = slice_barrier, .zero = slice_zero,
	.discard = slice_discard, .close = slice_close, .next_data = slice_next_data,
};

int xfs_dev_slice(struct xfs_dev **out, struct xfs_dev *below, uint64_t off, uint64_t len)
{
	struct slice_dev *s;

	if (off > below->size || len > below->size - off)
		return -XFS_E_SHORT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -XFS_E_NOMEM;
	s->dev = *below;	/* name, sector size, read-only */
	s->dev.ops = &slice_ops;
	s->dev.size = len ? len : below->size - off;
	s->below = below;
	s->start = off;
	*out = &s->dev;
	return 0;
}
