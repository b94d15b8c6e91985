/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.h - all rules of one directory and of the attributes of one inode, as findings (format sheet 03, sections 5,
 * 6, 10.2 and 10.3).
 *
 * They look at one inode's blocks only; whether the inodes that entries name exist is the caller's business.  Layer:
 * name.
 */
#ifndef XFS_NAME_VERIFY_H
#define XFS_NAME_VERIFY_H

#include "libxfs/name/attr.h"
#include "libxfs/name/dir.h"

/*
 * Form, entries, tiling and free areas of data blocks, "." and "..", every name in the hash index once and nothing else
 * there, order and parents of hashes, neighbours, free index, size.  `parent` XFS_NULL64: not known.  Returns 0: no
 * findings; CORRUPT: findings; NOMEM.
 */
int xfs_dir_verify(const struct xfs_inode *, uint64_t parent, const struct xfs_sink *);
/* Entries, order and hashes, counters, freemap, neighbours and parents, remote values (read and checked). */
int xfs_attrs_verify(const struct xfs_inode *, const struct xfs_sink *);

#endif
