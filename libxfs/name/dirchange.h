/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirchange.h - changing directories: one entry is added, removed or pointed elsewhere, and the form follows as the
 * kernel's does (format sheet 03, section 5.5).
 *
 * Each function works inside the change that the directory has joined.  What changes is logged in small ranges, blocks
 * touched are O(log n).  Size, extents and blocks of the inode follow; times, link counts and parent pointers are the
 * caller's (name/change.h).  Errors besides those named: IO, NOMEM, NOSPC, CORRUPT and BADCRC for damage that is met,
 * NOTDIR, NAMETOOLONG and INVALID for names.  After an error that follows a write the change can only be aborted.
 * Layer: name.
 */
#ifndef XFS_NAME_DIRCHANGE_H
#define XFS_NAME_DIRCHANGE_H

#include "libxfs/inode/live.h"

/* Makes the data fork of a new inode, mode set, an empty directory. */
int xfs_dir_init(struct xfs_live_inode *, uint64_t parent);
/* EXISTS: the name is there. `ftype` is stored where the filesystem has file types. */
int xfs_dir_add(struct xfs_live_inode *, const void *name, size_t len, uint64_t ino, unsigned ftype);
/* NOENT: it is not there. The dots can't be removed (INVALID). */
int xfs_dir_remove(struct xfs_live_inode *, const void *name, size_t len);
/* Points a name, or "..", to another inode. NOENT. */
int xfs_dir_replace(struct xfs_live_inode *, const void *name, size_t len, uint64_t ino, unsigned ftype);
/* Are there entries besides the dots? NOTEMPTY: yes. */
int xfs_dir_empty(struct xfs_live_inode *);
/* The directory leaves the inode for a block, because the attributes need the room. */
int xfs_dir_push_out(struct xfs_live_inode *);

#endif
