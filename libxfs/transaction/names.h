/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - files and their names as system calls change them: each call is one chain, all or nothing.
 *
 * Directories and inodes are given by number; none may be in an open transaction.  Names: 1 to 255 bytes without zero
 * and slash, and no dots.  An inode that loses its last name is freed by further chains, unless somebody holds it
 * (xfs_live_inode_get()): then it is his to call xfs_inode_inactivate().  Without memory for those chains the next sync
 * does them; another error of theirs is returned although the name is gone, and ends a direct edit (SHUTDOWN): nothing
 * that was not synced is written then.  Errors besides those named: those of xfs_trans_*(), name/change.h; NOENT,
 * NOTDIR, NAMETOOLONG, INVALID (names, metadata files, project quotas of other trees).  Rights are not looked at.
 * Layer: transaction.
 */
#ifndef XFS_TRANSACTION_NAMES_H
#define XFS_TRANSACTION_NAMES_H

#include "libxfs/name/attrchange.h"
#include "libxfs/transaction/transaction.h"

struct xfs_new_file {
	uint16_t mode;			/* type and permissions */
	uint32_t uid, gid;		/* a directory with S_ISGID gives its own group */
	uint32_t rdev;			/* xfs_dev_pack() */
	const char *target;		/* symlinks */
	size_t targetlen;
};

/* Any type of file: directories, symlinks, devices too. Project and hints follow the directory. EXISTS. */
int xfs_name_create(struct xfs_edit *, uint64_t dir, const void *name, size_t len, const struct xfs_new_file *,
		    uint64_t *ino);
/* A file without a name, in the AG of the directory: on its unlinked list until it gets one. No directories. */
int xfs_name_tmpfile(struct xfs_edit *, uint64_t dir, const struct xfs_new_file *, uint64_t *ino);
/* One more name, or the first one of a file without. EXISTS. */
int xfs_name_add(struct xfs_edit *, uint64_t dir, const void *name, size_t len, uint64_t ino);
/* Removes the name of anything but a directory (INVALID). */
int xfs_name_remove(struct xfs_edit *, uint64_t dir, const void *name, size_t len);
/* Removes an empty directory. NOTEMPTY. */
int xfs_name_rmdir(struct xfs_edit *, uint64_t dir, const void *name, size_t len);

enum xfs_rename_flag {
	XFS_RENAME_NOREPLACE = 1,
	XFS_RENAME_EXCHANGE = 2,	/* both names exist and change places */
	XFS_RENAME_WHITEOUT = 4,	/* a device 0:0 takes the old name */
};
struct xfs_rename {
	uint64_t from_dir, to_dir;
	const void *from, *to;
	size_t from_len, to_len;
	unsigned flags;			/* XFS_RENAME_* */
};
/*
 * Two names of one inode: nothing happens.  EXISTS (NOREPLACE), NOTEMPTY, NOTDIR (a directory over something else),
 * INVALID (something else over a directory; a directory into itself; flags that exclude each other).
 */
int xfs_name_rename(struct xfs_edit *, const struct xfs_rename *);

/* Attributes, as a chain. Parent pointers are not the caller's to change (INVALID). */
int xfs_name_attr_set(struct xfs_edit *, uint64_t ino, const struct xfs_attr_want *, enum xfs_attr_how);
int xfs_name_attr_remove(struct xfs_edit *, uint64_t ino, const struct xfs_attr_want *);

#endif
