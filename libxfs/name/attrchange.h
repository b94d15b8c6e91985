/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attrchange.h - changing extended attributes: one is set or removed, and the form follows as the kernel's does (format
 * sheet 03, section 6; sheet 04, sections 6.5 and 10).
 *
 * Each call is one step of a chain: all or nothing, so that no INCOMPLETE entries are ever left by it.  Those that an
 * interrupted run of the kernel left do not exist for lookups, and go when their name is set or removed.  Values with
 * blocks of their own are ordered: durable before what refers to them (mount/change.h).
 *
 * Works inside the change that the inode has joined; di_forkoff, extents and blocks follow, ctime is the caller's.
 * Errors besides those named: IO, NOMEM, NOSPC, CORRUPT and BADCRC for damage that is met.  After an error that follows
 * a write the change can only be aborted.  Layer: name.
 */
#ifndef XFS_NAME_ATTRCHANGE_H
#define XFS_NAME_ATTRCHANGE_H

#include "libxfs/inode/live.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/logitems.h"

struct xfs_attr_want {
	const uint8_t *name;		/* 1 to 255 bytes, without the prefix of its namespace */
	const uint8_t *value;
	uint32_t valuelen;		/* up to XFS_ATTR_VALUE_MAX */
	uint8_t namelen;
	/* 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE or XFS_ATTR_PARENT (its value is part of the name) */
	uint8_t space;
};
enum xfs_attr_how { XFS_ATTR_ANYHOW, XFS_ATTR_CREATE, XFS_ATTR_REPLACE };

/* Errors: INVALID (not legal), EXISTS (CREATE), NOENT (REPLACE). */
int xfs_attr_set(struct xfs_live_inode *, const struct xfs_attr_want *, enum xfs_attr_how);
/* The value is looked at for parent pointers only. NOENT. */
int xfs_attr_remove(struct xfs_live_inode *, const struct xfs_attr_want *);
/*
 * An empty attribute fork at its usual place, for a new inode that will have attributes (format sheet 03, section 2).
 * Nothing when there is one; TOOBIG: what is in the data fork needs the room.
 */
int xfs_attr_begin(struct xfs_live_inode *);

/*
 * `more` of a work of XFS_WORK_ATTR, all that an ATTRI says; op of the work: XFS_ATTRI_*, owner: the inode.  Names and
 * values lie in `bytes`: name, new name, value, new value.
 */
struct xfs_attr_work {
	uint32_t gen;			/* of the inode; PPTR operations alone */
	uint32_t filter;		/* XFS_ATTR_ROOT, _SECURE, _PARENT */
	uint32_t namelen, newnamelen;	/* the new ones: XFS_ATTRI_PPTR_REPLACE alone */
	uint32_t valuelen, newvaluelen;
	uint8_t bytes[];
};
/*
 * Queues an attribute operation on an inode. `want` and, for XFS_ATTRI_PPTR_REPLACE alone, what it becomes are copied.
 * Errors: NOMEM, INVALID (lengths), those of xfs_change_defer().
 */
int xfs_attr_defer(struct xfs_change *, const struct xfs_live_inode *, unsigned op, const struct xfs_attr_want *want,
		   const struct xfs_attr_want *becomes);
/*
 * Executor of XFS_WORK_ATTR, used by recovery too: also finishes what an interrupted run began.  An attribute that is
 * to be removed may be gone already.  CORRUPT: the inode is free, its generation is another one, lengths or names are
 * not legal.
 */
int xfs_attr_finish(struct xfs_live *, struct xfs_change *, struct xfs_work *);

#endif
