/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symlink.h - targets of symbolic links, in the inode or in blocks (format sheet 03, section 4).
 *
 * Layer: inode.
 */
#ifndef XFS_INODE_SYMLINK_H
#define XFS_INODE_SYMLINK_H

#include "libxfs/inode/live.h"
#include "libxfs/ondisk/attr.h"

/*
 * Reads the target; room for XFS_SYMLINK_MAXLEN bytes, a zero byte is added.  *len = length without it. What is wrong
 * goes to the sink (may be NULL).  Errors: INVALID (not a symlink), CORRUPT (length, zero byte inside, header, blocks
 * missing).
 */
int xfs_symlink_target(const struct xfs_inode *, char *target, size_t *len, const struct xfs_sink *);

/*
 * Writes the target of a symlink that has none (an empty fork, local or of extents): in the inode when it fits, else in
 * blocks; di_size follows.  The inode has joined a change.  Errors: INVALID (no symlink, it has a target in blocks,
 * length 0, a zero byte inside), NAMETOOLONG, NOSPC, and those of bmap.h.
 */
int xfs_symlink_set(struct xfs_live_inode *, const char *target, size_t len);
/* A target in the inode goes to blocks: attributes need its place. INVALID: it is there already. */
int xfs_symlink_push_out(struct xfs_live_inode *);

#endif
