/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forkoff.h - where the attribute fork of an inode begins (format sheet 03, section 2, "di_forkoff rules").
 *
 * Pure functions; units of di_forkoff are 8 bytes.  V4 without attr2: the default or what is there, nothing between.
 * Layer: inode.
 */
#ifndef XFS_INODE_FORKOFF_H
#define XFS_INODE_FORKOFF_H

#include "libxfs/mount/geometry.h"
#include "libxfs/ondisk/inode.h"

struct xfs_forkoff_facts {
	unsigned format;		/* of the data fork */
	/* LOCAL: di_size; EXTENTS: number of extents; BTREE: records in the root; META_BTREE: bytes of the root */
	uint64_t used;
	unsigned forkoff;		/* now; 0 = there is no attribute fork */
};

/* Where a fork is made before its contents are known. */
unsigned xfs_forkoff_default(const struct xfs_geometry *, unsigned data_format);
/*
 * Place for a short form of `bytes`; 0: impossible, the attributes need blocks.  The data fork may have to leave the
 * inode for it when there was no attribute fork before: extents become a tree, a long symlink a remote one.
 */
unsigned xfs_forkoff_short(const struct xfs_geometry *, const struct xfs_forkoff_facts *, uint32_t bytes);
/* Place for a fork of extents. */
unsigned xfs_forkoff_blocks(const struct xfs_geometry *, const struct xfs_forkoff_facts *);

#endif
