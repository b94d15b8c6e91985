/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.h - from a path to an inode, and from an inode to a path.
 *
 * Symbolic links are not followed.  Layer: name.
 */
#ifndef XFS_NAME_PATH_H
#define XFS_NAME_PATH_H

#include "libxfs/name/attr.h"
#include "libxfs/name/dir.h"

/*
 * Walks `path` from the directory `from`; empty parts are skipped, "." and ".." are the directory's entries.  Where the
 * index of a directory is damaged all its entries are read.  Errors: NOENT, NOTDIR, NAMETOOLONG, those of reading.
 */
int xfs_path_lookup(struct xfs_fs *, xfs_ino_t from, const char *path, xfs_ino_t *out);

/*
 * One place where an inode is linked: its directory and the name there, `name` with room for XFS_DIR_NAME_MAX + 1 bytes
 * (a zero byte is added).  Uses "..", parent pointers, and at last the entries of all directories.  NOENT: nowhere.
 */
int xfs_find_link(struct xfs_fs *, xfs_ino_t ino, xfs_ino_t *dir, char *name);
/*
 * A path from the root to the inode, starting with "/". RANGE: `room` is too small; LOOP: directories form a ring;
 * NOENT: not linked.  Inodes of the metadata directory give a path from its root.
 */
int xfs_path_of(struct xfs_fs *, xfs_ino_t ino, char *path, size_t room);

#endif
