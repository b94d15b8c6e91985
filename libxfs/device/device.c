/* SPDX-License-Identifier: BSD-2-Clause */
/* device.c - what is the same for all layers: ranges, read-only devices, single vectors. */
#include "libxfs/device/device.h"
#include "libxfs/base/bytes.h"

#include <string.h>

typedef int (*transfer_fn)(struct xfs_dev *, struct xfs_iovec *, size_t);

static bool inside(const struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	return off <= dev->size && len <= dev->size - off;
}

/* Hands runs of vectors that lie inside to the layer; the others fail alone. */
static int transfer(struct xfs_dev *dev, struct xfs_iovec *v, size_t n, transfer_fn fn, bool reading)
{
	int err = 0, one;

	for (size_t i = 0, j; i < n; i = j) {
		for (j = i; j < n && inside(dev, v[j].off, v[j].len); j++)
			v[j].error = 0;
		if (j > i) {
			one = fn(dev, v + i, j - i);
		} else {
			if (reading)
				memset(v[j].buf, 0, v[j].len);
			one = v[j++].error = -XFS_E_SHORT;
		}
		if (!err)
			err = one;
	}
	return err;
}

unsigned xfs_dev_changes(struct xfs_dev *dev)
{
	return dev ? __atomic_load_n(&dev->changes, __ATOMIC_SEQ_CST) : 0;
}

int xfs_dev_readv(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return transfer(dev, v, n, dev->ops->read, true);
}

int xfs_dev_writev(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	__atomic_fetch_add(&dev->changes, 1, __ATOMIC_SEQ_CST);
	if (!dev->readonly)
		return transfer(dev, v, n, dev->ops->write, false);
	for (size_t i = 0; i < n; i++)
		v[i].error = -XFS_E_READONLY;
	return n ? -XFS_E_READONLY : 0;
}

int xfs_dev_read(struct xfs_dev *dev, uint64_t off, void *buf, size_t len)
{
	struct xfs_iovec v = { .off = off, .len = len, .buf = buf };

	return xfs_dev_readv(dev, &v, 1);
}

int xfs_dev_write(struct xfs_dev *dev, uint64_t off, const void *buf, size_t len)
{
	/* layers never write to the buffer of a write; the vector type is shared with reads */
	struct xfs_iovec v = { .off = off, .len = len, .buf = (void *)(uintptr_t)buf };

	return xfs_dev_writev(dev, &v, 1);
}

int xfs_dev_barrier(struct xfs_dev *dev)
{
	return dev->readonly ? 0 : dev->ops->barrier(dev);
}

int xfs_dev_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	__atomic_fetch_add(&dev->changes, 1, __ATOMIC_SEQ_CST);
	if (dev->readonly)
		return -XFS_E_READONLY;
	if (!inside(dev, off, len))
		return -XFS_E_SHORT;
	return len ? dev->ops->zero(dev, off, len) : 0;
}

int xfs_dev_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	__atomic_fetch_add(&dev->changes, 1, __ATOMIC_SEQ_CST);
	if (dev->readonly)
		return -XFS_E_READONLY;
	if (!inside(dev, off, len))
		return -XFS_E_SHORT;
	return len ? dev->ops->discard(dev, off, len) : 0;
}

uint64_t xfs_dev_next_data(struct xfs_dev *dev, uint64_t off)
{
	uint64_t next = off;

	if (off < dev->size && dev->ops->next_data)
		next = dev->ops->next_data(dev, off);
	return xfs_min(xfs_max(next, off), dev->size);
}

void xfs_dev_close(struct xfs_dev *dev)
{
	if (dev)
		dev->ops->close(dev);
}
