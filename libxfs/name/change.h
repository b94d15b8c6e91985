/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change.h - names of inodes change: the entry, link counts, "..", file types, times, unlinked lists and parent
 * pointers together (format sheet 03, sections 5 and 7).
 *
 * Each function is one step of a chain, on live inodes that have joined its change; parent pointers, where the
 * filesystem has them, follow as deferred works.  An inode that loses its last name goes to its unlinked list: the
 * caller frees it in chains of its own.  Rights are nobody's business here.  Errors besides those named: those of
 * dirchange.h and attrchange.h, MLINK.  After an error that follows a write the change can only be aborted.
 * Layer: name.
 */
#ifndef XFS_NAME_CHANGE_H
#define XFS_NAME_CHANGE_H

#include "libxfs/inode/live.h"

/* A name in a directory. */
struct xfs_name_at {
	struct xfs_live_inode *dir;
	const void *name;		/* 1 to 255 bytes */
	size_t len;
};

/* The first name of a new inode, whose link count tells of it already; a new directory has been initialised. */
int xfs_name_enter(const struct xfs_name_at *, struct xfs_live_inode *child);
/* One more name of an inode that is no directory; the first one takes it from its unlinked list. */
int xfs_name_link(const struct xfs_name_at *, struct xfs_live_inode *child);
/* The name of `child` goes; a directory must be empty (NOTEMPTY). CORRUPT: link counts can't be. */
int xfs_name_unlink(const struct xfs_name_at *, struct xfs_live_inode *child);
/*
 * `child` gets another name instead of this one. `victim` (may be NULL) has the new name now and loses it;
 * `whiteout` (may be NULL, else as for xfs_name_enter()) gets the old one.
 */
int xfs_name_move(const struct xfs_name_at *from, struct xfs_live_inode *child, const struct xfs_name_at *to,
		  struct xfs_live_inode *victim, struct xfs_live_inode *whiteout);
/* Two inodes exchange their names. */
int xfs_name_exchange(const struct xfs_name_at *, struct xfs_live_inode *, const struct xfs_name_at *,
		      struct xfs_live_inode *);

#endif
