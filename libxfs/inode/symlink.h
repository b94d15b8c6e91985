/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symlink.h - targets of symbolic links, in the inode or in blocks (format sheet 03, section 4).
 *
 * Layer: inode.
 */
#ifndef XFS_INODE_SYMLINK_H
#define XFS_INODE_SYMLINK_H

#include "libxfs/inode/fork.h"
#include "libxfs/ondisk/attr.h"

/*
 * Reads the target; room for XFS_SYMLINK_MAXLEN bytes, a zero byte is added.  *len = length without it. What is wrong
 * goes to the sink (may be NULL).  Errors: INVALID (not a symlink), CORRUPT (length, zero byte inside, header, blocks
 * missing).
 */
int xfs_symlink_target(const struct xfs_inode *, char *target, size_t *len, const struct xfs_sink *);

#endif
