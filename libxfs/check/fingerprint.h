/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fingerprint.h - telescoping fingerprints: two sets of mappings are compared by a sum per owner bucket.
 *
 * A mapping adds H(start point) - H(end point); a point is (owner, fork, state, offset, block).  Where two records
 * continue each other the end of one is the start of the next and both terms cancel, so records that are merged
 * differently (an rmap covers many bmbt records) give the same sum, and equal sums mean equal coverage.
 * H is keyed by a random number of the run, so no image can be made to collide on purpose.
 * Memory: 8 bytes a bucket, whatever the size of the filesystem.  A table that little was added to costs little: pages
 * of it that nothing was added to are not touched.  Layer: check.
 */
#ifndef XFS_CHECK_FINGERPRINT_H
#define XFS_CHECK_FINGERPRINT_H

#include "libxfs/base/types.h"

struct xfs_fingerprint {
	uint64_t key[2];
	uint64_t factor[2], spread;	/* made from the key */
	unsigned bits;		/* 1 << bits buckets */
	uint64_t *sums;
	uint8_t *pages;		/* those of the sums that something was added to */
};

/* `bits` 4..24. The key must be the same for tables that are compared. Errors: NOMEM. */
int xfs_fingerprint_init(struct xfs_fingerprint *, unsigned bits, const uint64_t key[2]);
void xfs_fingerprint_release(struct xfs_fingerprint *);

/* Bucket of an owner. */
uint32_t xfs_fingerprint_bucket(const struct xfs_fingerprint *, uint64_t owner);
/* A keyed hash of three numbers, for other sums that are compared. */
uint64_t xfs_fingerprint_hash(const struct xfs_fingerprint *, uint64_t a, uint64_t b, uint64_t c);
/*
 * Adds a mapping of `len` blocks: offword is the offset in blocks with the XFS_RMAP_* bits; block is an fsblock, and
 * the range must lie in one AG.  Atomic on the bucket: threads may add at the same time.
 */
void xfs_fingerprint_add(struct xfs_fingerprint *, uint64_t owner, uint64_t offword, uint64_t block, uint64_t len);
/* The same for a table that no other thread knows. */
void xfs_fingerprint_add_alone(struct xfs_fingerprint *, uint64_t owner, uint64_t offword, uint64_t block,
			       uint64_t len);
/* Adds all of `from` (same key and size) to `to`; atomic on each bucket. */
void xfs_fingerprint_merge(struct xfs_fingerprint *to, const struct xfs_fingerprint *from);
/* True when bucket `i` of two tables with the same key and size differs. */
bool xfs_fingerprint_differs(const struct xfs_fingerprint *, const struct xfs_fingerprint *, uint32_t i);

#endif
