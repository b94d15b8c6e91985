/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.h - cache of metadata blocks over a device.
 *
 * A buffer is a list of extents of the device, read into one piece of memory: one extent for most blocks, several for
 * a directory block that lies in pieces.  No sector is ever in two buffers: asking for a range that overlaps a buffer
 * of another shape drops that buffer when nobody holds it and it is clean, and is the error OVERLAP otherwise (two
 * structures claim the same blocks).
 *
 * The verifier of a block type runs once after a read and its result is remembered; readers that must see broken
 * blocks say so.  Buffers are borrowed with get and put; contents of a held buffer never move.  Idle buffers form an
 * LRU list and are dropped when the cache is above its limit; dirty ones stay until xfs_buf_flush().
 * In a cache that is only read (xfs_buf_cache_only_reads()) what threads get does not depend on what other threads
 * hold: a range that overlaps a held buffer of another shape, or a block to mend that others look at, is read apart.
 * Thread-safe; changes to the contents of one buffer are the caller's to serialise.  Layer: mount.
 */
#ifndef XFS_MOUNT_BUFFER_H
#define XFS_MOUNT_BUFFER_H

#include "libxfs/base/findings.h"
#include "libxfs/base/types.h"
#include "libxfs/device/device.h"

#define XFS_BUF_MAXLEN 65536u		/* largest block of the format, bytes */
#define XFS_BUF_MAXEXTENTS 128u		/* 64 KiB in pieces of 512 bytes */

struct xfs_buf_extent {
	uint64_t daddr;			/* 512-byte sectors from the start of the device */
	uint32_t bbs;			/* length in 512-byte sectors, > 0 */
};

struct xfs_buf;
struct xfs_buf_cache;

/* What a block should be; static data, told apart by address. */
struct xfs_buf_type {
	const char *name;		/* as in findings: "bnobt" */
	/*
	 * Checks that need only this block. Returns 0 or -BADMAGIC, -BADCRC, -CORRUPT; BADCRC only when all else is
	 * fine.  Fills *why when not NULL. `ctx` is what the cache was created with. NULL: no check.
	 */
	int (*verify)(const void *ctx, const struct xfs_buf *, struct xfs_finding *why);
	/* Stamps checksums before a write. NULL: nothing to stamp. */
	void (*seal)(const void *ctx, struct xfs_buf *);
	/*
	 * A block that fails: is one flipped bit the reason?  Then the bit is flipped back in memory, the block
	 * verifies, and *byte, *bit say where it was.  NULL: never.
	 */
	bool (*mend)(const void *ctx, struct xfs_buf *, size_t *byte, unsigned *bit);
};

/*
 * Tells of a block that was mended after it was read: the device still holds the flipped bit.  Called in the thread of
 * each reader to whom such a block is handed out, first or not, and with no lock held.
 */
typedef void (*xfs_buf_mended_fn)(void *payload, const struct xfs_buf *, const struct xfs_buf_type *, size_t byte,
				  unsigned bit);

/* One granule of the cache's map of covered sectors; internal. */
struct xfs_buf_node {
	struct xfs_buf_node *next;
	struct xfs_buf *buf;
	uint64_t granule;
};

struct xfs_buf {
	uint8_t *data;
	uint32_t len;			/* bytes */
	unsigned nextents;
	struct xfs_buf_extent *extents;
	struct xfs_buf_cache *cache;
	/* internal, under the lock of the shard */
	struct xfs_buf *hash_next, *prev, *next;
	struct xfs_buf_node *nodes;
	const struct xfs_buf_type *type;	/* whose result `verdict` is; NULL = not verified */
	int verdict;
	uint32_t refs;
	unsigned max_extents, nnodes, max_nodes, shard;
	bool reading, dirty;
	bool doomed;			/* leaves the cache with its last user */
	bool checking;			/* its verifier runs, and may mend it: others wait */
	bool tried;			/* verdict is that of a block that could not be mended */
	bool apart;			/* not in the cache: its only user's */
	bool mended;			/* one flipped bit was flipped back: */
	unsigned mended_bit;
	size_t mended_byte;
	struct xfs_buf_slab *slab;	/* whose memory data is */
	struct xfs_change_buf *joined;	/* its place in the change that holds it (change.h), or NULL */
};

enum xfs_buf_flag {
	XFS_BUF_BROKEN = 1,		/* hand it out although its verifier fails */
	XFS_BUF_NOVERIFY = 2,		/* do not verify */
	XFS_BUF_CACHED = 4,		/* only when it is in the cache: NOENT otherwise */
	XFS_BUF_NEW = 8,		/* do not read: zero when it was not cached; the caller fills it */
};

struct xfs_buf_stats {
	uint64_t hits, misses, reads, read_bytes, writes, write_bytes, evictions, overlaps;
	uint64_t bytes, dirty_bytes, buffers;	/* now */
};

/* What a readahead wants. */
struct xfs_buf_want {
	const struct xfs_buf_extent *extents;
	unsigned nextents;
};

/*
 * A cache of at most about `limit` bytes of idle buffers over `dev` (borrowed), whose usual block is `blocksize` bytes.
 * `ctx` is handed to verifiers.
 */
int xfs_buf_cache_new(struct xfs_buf_cache **out, struct xfs_dev *dev, uint32_t blocksize, size_t limit,
		      const void *ctx);
/*
 * From now on blocks with one flipped bit are mended before their verifier has the last word, and told() hears of each.
 * Call before the first block is read; without it nothing is mended.
 */
void xfs_buf_cache_mends(struct xfs_buf_cache *, xfs_buf_mended_fn told, void *payload);
/* Nobody will change a buffer of this cache: see above. Call before the first block is read. */
void xfs_buf_cache_only_reads(struct xfs_buf_cache *);
/* All buffers must have been put back. Dirty ones are lost: flush before. NULL is allowed. */
void xfs_buf_cache_free(struct xfs_buf_cache *);

/*
 * Borrows the buffer of these extents (1..XFS_BUF_MAXEXTENTS of them, at most XFS_BUF_MAXLEN bytes together).
 * Errors: RANGE (bad shape or outside the device), OVERLAP, IO and others of the device, NOMEM, NOENT (XFS_BUF_CACHED),
 * and what the verifier of `type` says unless XFS_BUF_BROKEN.  `type` NULL: not verified.
 */
int xfs_buf_get(struct xfs_buf_cache *, const struct xfs_buf_extent *extents, unsigned n,
		const struct xfs_buf_type *type, unsigned flags, struct xfs_buf **out);
int xfs_buf_get1(struct xfs_buf_cache *, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *type, unsigned flags,
		 struct xfs_buf **out);
void xfs_buf_put(struct xfs_buf *);	/* NULL is allowed */
/* Another reference to a buffer that is held. */
void xfs_buf_hold(struct xfs_buf *);

/* The verifier's result for `type`, from memory when it was run. *why (may be NULL) says what is wrong. */
int xfs_buf_check(struct xfs_buf *, const struct xfs_buf_type *type, struct xfs_finding *why);

/*
 * The first `len` bytes (at most b->len) of a held buffer as they came from the device, whether it was mended meanwhile
 * or not. Not for buffers that were changed otherwise.
 */
void xfs_buf_as_read(struct xfs_buf *b, void *out, size_t len);

/* Reads what is not cached in one vectored read, in disk order. Errors are left to the get that follows. */
void xfs_buf_readahead(struct xfs_buf_cache *, const struct xfs_buf_want *wants, size_t n);

/* Marks a held buffer as changed; the type (may be NULL) seals it when it is written. */
int xfs_buf_dirty(struct xfs_buf *, const struct xfs_buf_type *type);
/* The caller filled a held buffer, or vouches for it: it passes as `type` from now on. */
void xfs_buf_trust(struct xfs_buf *, const struct xfs_buf_type *type);
/* Contents of a held buffer are not wanted any more: not written, and out of the cache when its last user puts it. */
void xfs_buf_cancel(struct xfs_buf *);
/* Writes these dirty buffers (the array is sorted), checksums stamped. What fails stays dirty. No barrier. */
int xfs_buf_write(struct xfs_buf **, size_t n);
/* Writes all dirty buffers in disk order, checksums stamped. What fails stays dirty. No barrier. */
int xfs_buf_flush(struct xfs_buf_cache *);
/* Drops idle clean buffers that touch the range; `bbs` 0: all. The next get reads the device again. */
void xfs_buf_forget(struct xfs_buf_cache *, uint64_t daddr, uint64_t bbs);

void xfs_buf_stats(struct xfs_buf_cache *, struct xfs_buf_stats *);

#endif
