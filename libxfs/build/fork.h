/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.h - the block map of a fork from its extents: in the inode when they fit, else a bmbt (format sheet 02, sections
 * 1.5, 7 and 9).
 *
 * Extents that fit in the inode must be there, a tree that would fit is refused by the kernel; so the form follows from
 * the number of extents alone.  Trees are packed full.  New blocks only: nothing points at them until the inode is
 * written, which is the caller's.  Layer: build.
 */
#ifndef XFS_BUILD_FORK_H
#define XFS_BUILD_FORK_H

#include "libxfs/device/device.h"
#include "libxfs/inode/fork.h"

struct xfs_build_fork {
	const struct xfs_geometry *geo;
	uint64_t ino;
	uint32_t forksize;			/* bytes of this fork in the inode */
	/* Ascending, disjoint, each at most XFS_BMBT_MAXLEN long and in one AG (xfs_build_fork_extents() makes such). */
	const struct xfs_extent *extents;
	uint64_t nextents;
	uint64_t lsn;				/* stamped into new blocks */
	struct xfs_dev *dev;
	int (*alloc)(void *payload, uint64_t *fsbno);	/* one block for the tree; called xfs_build_fork_blocks() times */
	void *payload;
	/* out */
	unsigned format;			/* XFS_DINODE_FMT_EXTENTS or _BTREE */
	uint8_t *bytes;				/* in: room of forksize bytes; out: the fork, unused bytes zero */
};

/* Blocks that the tree takes; 0 when the extents fit in the inode. Errors: INVALID (no form is possible). */
int xfs_build_fork_blocks(const struct xfs_geometry *, uint32_t forksize, uint64_t nextents, uint64_t *blocks);
/* Errors: INVALID (extents out of order or impossible), and those of alloc(), of the device, NOMEM. */
int xfs_build_fork(struct xfs_build_fork *);

/*
 * Appends the pieces of one mapping of any length to an array of `*n` extents with room for `*room`, growing it;
 * neighbours that continue each other are joined as far as a record reaches.  Errors: NOMEM.
 */
int xfs_build_fork_extents(struct xfs_extent **extents, size_t *n, size_t *room, uint64_t off, uint64_t fsbno, uint64_t len,
			   bool unwritten);

#endif
