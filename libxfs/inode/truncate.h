/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * truncate.h - giving up what a fork maps, in bounded steps (the loops are in transaction/file.h).
 *
 * Layer: inode.
 */
#ifndef XFS_INODE_TRUNCATE_H
#define XFS_INODE_TRUNCATE_H

#include "libxfs/inode/bmap.h"

/*
 * Unmaps and gives up the last `most` extents of a fork from block `from` on; *left: whether there are more.  Metadata
 * (all but the data of regular files) is forgotten by the cache and the log.  A fork without extents, or local:
 * nothing.
 */
int xfs_fork_drop(struct xfs_live_inode *, enum xfs_fork, uint64_t from, unsigned most, bool *left);
/*
 * The last step of an inode that has no name: both forks, which have no extents any more, are emptied, it leaves its
 * unlinked list (if it is on one), and becomes free.
 */
int xfs_inode_bury(struct xfs_live_inode *);

#endif
