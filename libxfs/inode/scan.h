/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.h - all inodes of an AG, in the order of the disk, by the records of the inobt (format sheet 03, section 1).
 *
 * Blocks are read ahead in large batches; bytes are handed out where they lie in the cache.  Layer: inode.
 */
#ifndef XFS_INODE_SCAN_H
#define XFS_INODE_SCAN_H

#include "libxfs/inode/inode.h"

struct xfs_inode_seen {
	xfs_ino_t ino;
	const uint8_t *raw;		/* geo.inodesize bytes, not checked; NULL: could not be read, see error */
	bool free;			/* the record says that it is free */
	int error;
};

enum xfs_scan_flag {
	XFS_SCAN_FREE = 1,		/* free inodes too */
};

typedef int (*xfs_inode_fn)(void *payload, const struct xfs_inode_seen *);	/* nonzero stops and is returned */
/*
 * Records that cannot be (chunk outside, count that contradicts the holes) are left out, with a finding to the sink
 * (may be NULL).  Errors: those of the AGI and of the tree; CORRUPT (records out of order).
 */
int xfs_inodes_each(struct xfs_fs *, xfs_agno_t, unsigned flags, xfs_inode_fn, void *payload, const struct xfs_sink *);

/* Does inode `n` (0..63) of a chunk exist, given the record's holes? */
XFS_INLINE bool xfs_chunk_has_inode(uint16_t holemask, unsigned n) { return !(holemask >> n / 4 & 1); }
/* Bit i: inode i of the chunk exists. */
uint64_t xfs_inobt_existing(uint16_t holemask);
/* Native form of an inobt record of either form; holemask 0 and count 64 without sparse inodes. */
void xfs_inobt_load(const struct xfs_geometry *, struct xfs_inobt_rec *out, const void *rec);
/* Can it be? Start, holes, counters (format sheet 02, section 2.2). */
bool xfs_inobt_valid(const struct xfs_geometry *, xfs_agno_t, const struct xfs_inobt_rec *);

#endif
