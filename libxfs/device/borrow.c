/* SPDX-License-Identifier: BSD-2-Clause */
/* borrow.c - the device below, which closing leaves open: for a stack that ends before the device does. */
#include "libxfs/device/device.h"

#include <stdlib.h>

struct borrowed_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
};

static struct xfs_dev *below(struct xfs_dev *dev)
{
	return ((struct borrowed_dev *)dev)->below;
}

static int borrowed_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return xfs_dev_readv(below(dev), v, n);
}

static int borrowed_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return xfs_dev_writev(below(dev), v, n);
}

static int borrowed_barrier(struct xfs_dev *dev)
{
	return xfs_dev_barrier(below(dev));
}

static int borrowed_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return xfs_dev_zero(below(dev), off, len);
}

static int borrowed_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return xfs_dev_discard(below(dev), off, len);
}

static uint64_t borrowed_next_data(struct xfs_dev *dev, uint64_t off)
{
	return xfs_dev_next_data(below(dev), off);
}

static void borrowed_close(struct xfs_dev *dev)
{
	free(dev);
}

static const struct xfs_dev_ops borrowed_ops = {
	.read = borrowed_read, .write = borrowed_write, .barrier = borrowed_barrier, .zero = borrowed_zero,
	.discard = borrowed_discard, .close = borrowed_close, .next_data = borrowed_next_data,
};

int xfs_dev_borrow(struct xfs_dev **out, struct xfs_dev *dev)
{
	struct borrowed_dev *b = calloc(1, sizeof(*b));

	if (!b)
		return -XFS_E_NOMEM;
	b->dev = *dev;
	b->dev.ops = &borrowed_ops;
	b->below = dev;
	*out = &b->dev;
	return 0;
}

int xfs_dev_scratch(struct xfs_dev **out, struct xfs_dev *dev, size_t memory)
{
	struct xfs_dev *b;
	int err = xfs_dev_borrow(&b, dev);

	if (err)
		return err;
	err = xfs_dev_overlay(out, b, 0, memory, NULL);
	if (err)
		xfs_dev_close(b);
	return err;
}
