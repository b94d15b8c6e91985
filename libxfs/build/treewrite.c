/* SPDX-License-Identifier: BSD-2-Clause */
/* treewrite.c - gathers writes; puts the blocks of a bulk load in the order of their addresses. */
#include "libxfs/build/treewrite.h"

#include "libxfs/base/bytes.h"

#include <stdlib.h>

int xfs_batch_init(struct xfs_batch *w, struct xfs_dev *dev, uint64_t most)
{
	*w = (struct xfs_batch){ .dev = dev, .size = XFS_BATCH_BYTES };
	if (most && most < w->size)
		w->size = (size_t)most;
	w->buf = malloc(w->size);
	return w->buf ? 0 : -XFS_E_NOMEM;
}

void xfs_batch_release(struct xfs_batch *w)
{
	free(w->buf);
	w->buf = NULL;
	w->n = w->fill = 0;
}

int xfs_batch_flush(struct xfs_batch *w)
{
	int err = w->n ? xfs_dev_writev(w->dev, w->v, w->n) : 0;

	w->n = w->fill = 0;
	return err;
}

int xfs_batch_put(struct xfs_batch *w, uint64_t off, const void *data, size_t len)
{
	struct xfs_iovec *v;
	int err;

	if (len > w->size)
		return -XFS_E_INVALID;
	if (len > w->size - w->fill || w->n == XFS_BATCH_VECTORS) {
		err = xfs_batch_flush(w);
		if (err)
			return err;
	}
	memcpy(w->buf + w->fill, data, len);
	v = w->n ? &w->v[w->n - 1] : NULL;
	if (v && v->off + v->len == off)
		v->len += len;
	else
		w->v[w->n++] = (struct xfs_iovec){ .off = off, .len = len, .buf = w->buf + w->fill };
	w->fill += len;
	return 0;
}

static int tree_next(void *payload, void *rec)
{
	struct xfs_treewrite *t = payload;

	return t->next(t->payload, rec);
}

static int tree_alloc(void *payload, unsigned level, uint64_t *ptr)
{
	struct xfs_treewrite *t = payload;
	uint64_t i = t->base[level] + t->allocated[level]++;

	if (i >= t->shape->blocks)
		return -XFS_E_INTERNAL;
	*ptr = t->block(t->payload, i);
	return 0;
}

static uint64_t tree_daddr(void *payload, uint64_t ptr)
{
	struct xfs_treewrite *t = payload;

	return t->daddr_of(t->payload, ptr);
}

static int put_block(struct xfs_treewrite *t, uint64_t ptr, const uint8_t *data)
{
	return xfs_batch_put(t->batch, t->daddr_of(t->payload, ptr) << 9, data, t->blocksize);
}

static int tree_emit(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct xfs_treewrite *t = payload;
	uint64_t i;

	if (!level)
		return put_block(t, ptr, data);
	i = t->base[level] - t->base[1] + t->emitted[level]++;
	memcpy(t->nodes + (size_t)i * t->blocksize, data, t->blocksize);
	return 0;
}

static int put_nodes(struct xfs_treewrite *t)
{
	int err = 0;

	for (uint64_t i = t->base[1]; i < t->shape->blocks && !err; i++)
		err = put_block(t, t->block(t->payload, i), t->nodes + (size_t)(i - t->base[1]) * t->blocksize);
	return err;
}

int xfs_treewrite(struct xfs_treewrite *t, struct xfs_btree_bulk *bulk)
{
	uint64_t base = 0;
	size_t bytes;
	int err;

	t->blocksize = bulk->blocksize;
	for (unsigned level = 0; level < XFS_BTREE_MAXLEVELS; level++) {
		t->base[level] = base;
		t->allocated[level] = t->emitted[level] = 0;
		base += level < t->shape->levels ? t->shape->lev[level].blocks : 0;
	}
	if (xfs_mul_overflows(t->shape->blocks - t->base[1] + 1, t->blocksize, &bytes))
		return -XFS_E_NOMEM;
	t->nodes = malloc(bytes);
	if (!t->nodes)
		return -XFS_E_NOMEM;
	bulk->next = tree_next;
	bulk->alloc = tree_alloc;
	bulk->daddr_of = tree_daddr;
	bulk->emit = tree_emit;
	bulk->payload = t;
	err = xfs_btree_bulk_load(bulk, t->shape);
	if (!err)
		err = put_nodes(t);
	free(t->nodes);
	t->nodes = NULL;
	return err;
}
