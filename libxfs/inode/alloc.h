/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.h - inodes come into use and cease to be: chosen, initialised, freed; chunks made and given up; unlinked lists
 * (format sheet 03, sections 1, 2, 9.1 and 11; sheet 02, section 2.2; sheet 01, section 9.2).
 *
 * Each function is one bounded step inside a change.  Errors besides those named: IO, NOMEM, CORRUPT and others for
 * damage that is met.  Layer: inode.
 */
#ifndef XFS_INODE_ALLOC_H
#define XFS_INODE_ALLOC_H

#include "libxfs/inode/live.h"

struct xfs_inode_want {
	uint64_t near;			/* inode number, usually the parent's: other files go to its AG */
	uint16_t mode;			/* type and permissions; directories are spread over the AGs */
	uint32_t uid, gid, projid;
	uint32_t nlink;			/* 0: the caller puts it on the unlinked list */
	uint32_t rdev;			/* character and block devices: xfs_dev_pack() */
	uint16_t flags;			/* XFS_DIFLAG_*, with extsize for those that want one */
	uint32_t extsize, cowextsize;	/* hints, blocks; cowextsize != 0 sets its flag */
	bool no_new_chunk;		/* NOSPC rather than more inodes than there are */
};

/*
 * Allocates an inode and initialises core and forks: of the type, empty, with no attribute fork; data fork: device
 * number, empty local fork (directories and symlinks: di_size 0, the caller fills it before the commit), or no extents.
 * *out is held and has joined the change.  Errors: INVALID (no type), NOSPC (space, or the limit of imax_pct).
 */
int xfs_inode_alloc(struct xfs_live *, struct xfs_change *, const struct xfs_inode_want *,
		    struct xfs_live_inode **out);
/*
 * The inode, which has joined, has no blocks, is on no list (or is taken from it in this change), becomes free; its
 * chunk too when it was the last one in use.  INVALID: it still has blocks or is linked; CORRUPT: free already.
 */
int xfs_inode_free(struct xfs_live_inode *);

/* The inode becomes the head of its unlinked list. INVALID: it is linked, or on a list. */
int xfs_unlinked_add(struct xfs_live_inode *);
/* Takes it out of its list. NOENT: it is not there; LOOP, CORRUPT: damaged list. Costs a look at those before it. */
int xfs_unlinked_remove(struct xfs_live_inode *);

#endif
