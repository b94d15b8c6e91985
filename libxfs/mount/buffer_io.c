/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_io.c - the buffer cache: batches of reads and of writes in disk order. */
#include "libxfs/mount/buffer_priv.h"

#include <stdlib.h>

#define BATCH 512u		/* most buffers of one vectored call */

static int by_daddr(const void *a, const void *b)
{
	const struct xfs_buf *const *p = a, *const *q = b;
	uint64_t x = (*p)->extents[0].daddr, y = (*q)->extents[0].daddr;

	return (x > y) - (x < y);
}

/* Vectors of the buffers' extents, in the order of the buffers. NULL: no memory. */
static struct xfs_iovec *vectors_of(struct xfs_buf *const *bufs, size_t n, size_t *count)
{
	struct xfs_iovec *v;
	size_t k = 0;

	*count = 0;
	for (size_t i = 0; i < n; i++)
		*count += bufs[i]->nextents;
	v = malloc(*count * sizeof(*v));
	for (size_t i = 0; v && i < n; i++) {
		uint8_t *p = bufs[i]->data;

		for (unsigned j = 0; j < bufs[i]->nextents; j++, k++) {
			const struct xfs_buf_extent *e = &bufs[i]->extents[j];

			v[k] = (struct xfs_iovec){ e->daddr * XFS_BBSIZE, (size_t)e->bbs * XFS_BBSIZE, p, 0 };
			p += v[k].len;
		}
	}
	return v;
}

/* First error among the vectors of one buffer; *k moves behind them. */
static int buffer_error(const struct xfs_iovec *v, const struct xfs_buf *b, size_t *k)
{
	int err = 0;

	for (unsigned j = 0; j < b->nextents; j++, (*k)++)
		if (!err)
			err = v[*k].error;
	return err;
}

static void read_batch(struct xfs_buf_cache *c, struct xfs_buf **bufs, size_t n)
{
	struct xfs_iovec *v;
	size_t count, k = 0;
	int err = 0;

	qsort(bufs, n, sizeof(*bufs), by_daddr);
	v = vectors_of(bufs, n, &count);
	if (v)
		xfs_dev_readv(c->dev, v, count);
	for (size_t i = 0; i < n; i++) {
		struct xfs_buf_shard *s = xfs_buf_shard_of(bufs[i]);

		err = v ? buffer_error(v, bufs[i], &k) : -XFS_E_NOMEM;
		if (!err) {
			pthread_mutex_lock(&s->lock);
			s->stats.reads++;
			s->stats.read_bytes += bufs[i]->len;
			pthread_mutex_unlock(&s->lock);
		}
		xfs_buf_finish(bufs[i], err);
		if (!err)
			xfs_buf_put(bufs[i]);
	}
	free(v);
}

void xfs_buf_readahead(struct xfs_buf_cache *c, const struct xfs_buf_want *wants, size_t n)
{
	struct xfs_buf *fresh_bufs[BATCH];
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		struct xfs_buf *b;
		uint32_t len;
		bool fresh;

		if (xfs_buf_shape_check(c, wants[i].extents, wants[i].nextents, &len) ||
		    xfs_buf_obtain(c, wants[i].extents, wants[i].nextents, len, 0, false, &b, &fresh))
			continue;
		if (!fresh) {
			xfs_buf_put(b);
			continue;
		}
		fresh_bufs[m++] = b;
		if (m == BATCH) {
			read_batch(c, fresh_bufs, m);
			m = 0;
		}
	}
	if (m)
		read_batch(c, fresh_bufs, m);
}

int xfs_buf_dirty(struct xfs_buf *b, const struct xfs_buf_type *type)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	if (b->cache->dev->readonly || b->cache->only_reads)
		return -XFS_E_READONLY;
	pthread_mutex_lock(&s->lock);
	if (!b->dirty)
		s->stats.dirty_bytes += b->len;
	b->dirty = true;
	b->doomed = false;
	b->type = type;
	b->verdict = 0;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* All dirty buffers, each with a reference, in disk order. Caller frees. */
static int collect_dirty(struct xfs_buf_cache *c, struct xfs_buf ***out, size_t *count)
{
	struct xfs_buf **list = NULL;
	size_t n = 0, room = 0;
	int err = 0;

	for (unsigned i = 0; i < XFS_BUF_SHARDS && !err; i++) {
		struct xfs_buf_shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		for (size_t k = 0; s->stats.dirty_bytes && k <= c->bucket_mask && !err; k++)
			for (struct xfs_buf *b = s->buckets[k]; b; b = b->hash_next) {
				if (!b->dirty)
					continue;
				if (n == room) {
					struct xfs_buf **more = realloc(list, (room = 2 * room + 64) * sizeof(*list));

					if (!more) {
						err = -XFS_E_NOMEM;
						break;
					}
					list = more;
				}
				b->refs++;
				list[n++] = b;
			}
		pthread_mutex_unlock(&s->lock);
	}
	if (n)
		qsort(list, n, sizeof(*list), by_daddr);
	*out = list;
	*count = n;
	return err;
}

static int write_batch(struct xfs_buf_cache *c, struct xfs_buf **bufs, size_t n)
{
	struct xfs_iovec *v;
	size_t count, k = 0;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		if (bufs[i]->type && bufs[i]->type->seal)
			bufs[i]->type->seal(c->ctx, bufs[i]);
	v = vectors_of(bufs, n, &count);
	if (!v)
		return -XFS_E_NOMEM;
	xfs_dev_writev(c->dev, v, count);
	for (size_t i = 0; i < n; i++) {
		struct xfs_buf_shard *s = xfs_buf_shard_of(bufs[i]);
		int one = buffer_error(v, bufs[i], &k);

		if (one) {
			err = err ? err : one;
			continue;
		}
		pthread_mutex_lock(&s->lock);
		bufs[i]->dirty = false;
		s->stats.dirty_bytes -= bufs[i]->len;
		s->stats.writes++;
		s->stats.write_bytes += bufs[i]->len;
		pthread_mutex_unlock(&s->lock);
	}
	free(v);
	return err;
}

static int write_all(struct xfs_buf_cache *c, struct xfs_buf **list, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i += BATCH) {
		int one = write_batch(c, list + i, n - i < BATCH ? n - i : BATCH);

		err = err ? err : one;
	}
	return err;
}

int xfs_buf_write(struct xfs_buf **bufs, size_t n)
{
	if (!n)
		return 0;
	qsort(bufs, n, sizeof(*bufs), by_daddr);
	return write_all(bufs[0]->cache, bufs, n);
}

int xfs_buf_flush(struct xfs_buf_cache *c)
{
	struct xfs_buf **list;
	size_t n;
	int err = collect_dirty(c, &list, &n), one = write_all(c, list, n);

	err = err ? err : one;
	for (size_t i = 0; i < n; i++)
		xfs_buf_put(list[i]);
	free(list);
	return err;
}
