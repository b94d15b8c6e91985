/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.h - the block map of a fork from its extents: in the inode when they fit, else a bmbt (format sheet 02, sections
 * 1.5, 7 and 9).
 *
 * Extents that fit in the inode must be there, a tree that would fit is refused by the kernel; so the form follows from
 * the number of extents alone.  Trees are packed full.  New blocks only: nothing points at them until the inode is
 * written, which is the caller's.  All blocks are taken before the first is written; they are used in the order in
 * which they come: leaves first, then level by level.  Layer: build.
 */
#ifndef XFS_BUILD_FORK_H
#define XFS_BUILD_FORK_H

#include "libxfs/device/device.h"
#include "libxfs/inode/fork.h"

struct xfs_build_fork {
	const struct xfs_geometry *geo;
	uint64_t ino;
	enum xfs_fork which;			/* unwritten extents and realtime: data forks alone */
	bool realtime;				/* extents lie in the realtime section */
	uint32_t forksize;			/* bytes of this fork in the inode */
	/* Ascending, disjoint, each at most XFS_BMBT_MAXLEN long, in one AG (xfs_build_fork_extents() makes such). */
	const struct xfs_extent *extents;
	uint64_t nextents;
	/* Instead of the array: the next one, `again` from the first; called nextents times in each of two rounds. */
	void (*next)(void *payload, bool again, struct xfs_extent *);
	uint64_t lsn;				/* stamped into new blocks */
	struct xfs_dev *dev;
	int (*alloc)(void *payload, uint64_t *fsbno);	/* one block; called xfs_build_fork_blocks() times */
	void (*unalloc)(void *payload, uint64_t fsbno);	/* may be NULL; after a failure: each, last first */
	void *payload;
	/* out */
	unsigned format;			/* XFS_DINODE_FMT_EXTENTS or _BTREE */
	unsigned levels;			/* of the tree, root in the inode included; 0: no tree */
	uint64_t blocks;			/* of the tree */
	uint8_t *bytes;				/* in: room of forksize bytes; out: the fork, unused bytes zero */
};

/*
 * Blocks that the tree takes; 0 when the extents fit in the inode.  Errors: INVALID (no form is possible: the fork has
 * no room for a root), TOOBIG (higher than a tree of a data fork may be).
 */
int xfs_build_fork_blocks(const struct xfs_geometry *, uint32_t forksize, uint64_t nextents, uint64_t *blocks);
/* Errors: INVALID (extents out of order or impossible), TOOBIG, and those of alloc(), of the device, NOMEM. */
int xfs_build_fork(struct xfs_build_fork *);

/*
 * Appends the pieces of one mapping of any length to an array of `*n` extents with room for `*room`, growing it;
 * neighbours that continue each other are joined as far as a record reaches.  Errors: NOMEM.
 */
int xfs_build_fork_extents(struct xfs_extent **extents, size_t *n, size_t *room, uint64_t off, uint64_t fsbno,
			   uint64_t len, bool unwritten);
/* Most extents that an inode counts in this fork; large: with NREXT64. Format sheet 02, section 9. */
uint64_t xfs_build_fork_most(enum xfs_fork, bool large);

#endif
