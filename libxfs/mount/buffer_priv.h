/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer_priv.h - inside of the buffer cache, shared by buffer*.c only.
 *
 * Two indexes: buffers by the address of their first sector, in shards with a lock each (all that a hit touches), and
 * a map from granules (pieces of one block) to the buffers on them, with one lock, which only a miss and an eviction
 * touch.  Order of locks: shard, then map; never two shards.
 */
#ifndef XFS_MOUNT_BUFFER_PRIV_H
#define XFS_MOUNT_BUFFER_PRIV_H

#include "libxfs/base/mix.h"
#include "libxfs/mount/buffer.h"

#include <pthread.h>

#define XFS_BUF_SHARDS 16u
#define XFS_BUF_SPARES 16u		/* memory of dropped buffers kept for reuse, per shard */

struct xfs_buf_shard {
	pthread_mutex_t lock;
	pthread_cond_t ready;			/* a buffer is no longer being read */
	struct xfs_buf **buckets;
	struct xfs_buf *oldest, *newest;	/* idle clean buffers */
	struct xfs_buf *spare;			/* linked by hash_next */
	unsigned nspare;
	struct xfs_buf_slab *slabs;		/* that have room */
	uint64_t idle_bytes;
	struct xfs_buf_stats stats;
};

struct xfs_buf_cache {
	struct xfs_dev *dev;
	const void *ctx;
	xfs_buf_mended_fn mended;		/* NULL: nothing is mended */
	void *mended_payload;
	bool only_reads;
	uint64_t limit;				/* idle bytes of one shard */
	unsigned granule_shift;			/* sectors of a granule, log2 */
	size_t bucket_mask, map_mask;
	struct xfs_mix mix;
	struct xfs_buf_shard shards[XFS_BUF_SHARDS];
	pthread_mutex_t map_lock;
	struct xfs_buf_node **map;
	uint64_t overlaps;			/* under map_lock */
};

/*
 * buffer_memory.c: data and slab of a buffer, len bytes, aligned as direct I/O needs it. The lock of the shard is held.
 */
int xfs_buf_memory_get(struct xfs_buf_shard *, struct xfs_buf *, uint32_t len);
void xfs_buf_memory_put(struct xfs_buf_shard *, struct xfs_buf *);
/* Checks extents against the device and the limits; *len = bytes together. */
int xfs_buf_shape_check(const struct xfs_buf_cache *, const struct xfs_buf_extent *, unsigned n, uint32_t *len);
/*
 * Finds the buffer or makes an empty one, with a reference either way.  Made: *fresh is set, the buffer is marked as
 * being read, and xfs_buf_finish() must follow.  wait: for a buffer that another thread reads, else BUSY.
 */
int xfs_buf_obtain(struct xfs_buf_cache *, const struct xfs_buf_extent *, unsigned n, uint32_t len, unsigned flags,
		   bool wait, struct xfs_buf **out, bool *fresh);
/* Ends the reading of a fresh buffer; with an error it goes away together with the reference. */
void xfs_buf_finish(struct xfs_buf *, int error);

/* xfs_buf_check(); *shared: it fails and could not be mended, as others hold it. */
int xfs_buf_check_held(struct xfs_buf *, const struct xfs_buf_type *, struct xfs_finding *why, bool *shared);

static inline struct xfs_buf_shard *xfs_buf_shard_of(struct xfs_buf *b)
{
	return &b->cache->shards[b->shard];
}

#endif
