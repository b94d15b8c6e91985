/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - a filesystem that is being changed: the space of its AGs and its inodes in memory.
 *
 * A live inode holds core and forks as they are now.  Whoever changes it joins it to the change (mount/change.h),
 * changes core or fork bytes, and says which parts changed; before the commit it writes itself into its block, after an
 * abort it is what it was.  Live inodes are found by number: two users of one inode have the same one.
 *
 * All of it belongs to one thread.  Layer: inode.
 */
#ifndef XFS_INODE_LIVE_H
#define XFS_INODE_LIVE_H

#include "libxfs/base/mix.h"
#include "libxfs/inode/fork.h"
#include "libxfs/space/agspace.h"
#include "libxfs/space/work.h"

struct xfs_live_inode;
struct xfs_aginodes;

struct xfs_live {
	struct xfs_fs *fs;
	struct xfs_agspace **ags;		/* by agno; NULL until first asked for */
	struct xfs_aginodes **inodes_of;	/* by agno (aginodes.h); NULL until first asked for */
	struct xfs_timestamp now;		/* stamped into what changes; the caller sets it */
	uint32_t generation;			/* of the next new inode: + 1 each time; the caller seeds it */
	uint32_t rotor;				/* AG of the next new directory */
	/*
	 * Mappings of realtime files may change, too: what follows for the realtime section (its bitmap and trees) is
	 * counted here and left to whoever makes those anew from the files.
	 */
	bool realtime_later;
	uint64_t realtime_left;
	/* internal */
	struct xfs_live_inode **inodes;		/* by number; chains */
	struct xfs_mix mix;
	size_t ninodes, room;
};

/* Errors: READONLY, NOMEM, UNSUPPORTED (a feature that changes could not keep right: says which as a finding). */
int xfs_live_open(struct xfs_live **out, struct xfs_fs *);
/* No change may be open, no inode held. NULL is allowed. */
void xfs_live_close(struct xfs_live *);
/* The space of an AG, joined to the change. Errors: those of xfs_agspace_open() and xfs_agspace_join(). */
int xfs_live_ag(struct xfs_live *, struct xfs_change *, xfs_agno_t, struct xfs_agspace **out);

/* Which parts of an inode a change has touched: what an inode log item must say (format sheet 04, section 6.2). */
enum xfs_live_part {
	XFS_LIVE_CORE = 1, XFS_LIVE_DATA = 2, XFS_LIVE_ATTR = 4,	/* XFS_LIVE_CORE is implied by the others */
	XFS_LIVE_UNLINKED = 8,		/* di_next_unlinked; logged with the block, never with the inode */
};

struct xfs_live_inode {
	struct xfs_live *live;
	struct xfs_inode i;		/* i.d is current; i.raw holds the forks as they are now */
	struct xfs_change *change;	/* that it has joined, or NULL */
	unsigned parts;			/* XFS_LIVE_*: changed in this change */
	/* internal */
	struct xfs_change_member member;
	struct xfs_inode *before;	/* as it was when it joined */
	struct xfs_buf *block;		/* joined too */
	uint32_t refs;
	bool gone;			/* its chunk was freed in this change */
	bool unwritten;			/* changed since it last wrote itself into its block */
	bool unhashed;			/* not found any more: it never was, or its chunk is gone */
	struct xfs_live_inode *next;
};

/*
 * Holds the inode of this number, read and verified (also one with di_mode 0). Errors: those of xfs_inode_read(),
 * CORRUPT (rules of xfs_inode_verify()).
 */
int xfs_live_inode_get(struct xfs_live *, uint64_t ino, struct xfs_live_inode **out);
/* The inode of this number if it is in memory, else NULL; no new reference. */
struct xfs_live_inode *xfs_live_inode_find(struct xfs_live *, uint64_t ino);
void xfs_live_inode_put(struct xfs_live_inode *);	/* NULL is allowed; stays in memory while it is in a change */
int xfs_live_inode_join(struct xfs_live_inode *, struct xfs_change *);
/* Parts have changed. The inode must have joined. */
void xfs_live_inode_dirty(struct xfs_live_inode *, unsigned parts);
/* Stamps times (the usual bits: atime 1, mtime 2, ctime 4, crtime 8) with live->now; CORE becomes dirty. */
void xfs_live_inode_stamp(struct xfs_live_inode *, unsigned which);
/* Bytes of a fork in i.raw, for writing. */
uint8_t *xfs_live_fork_bytes(struct xfs_live_inode *, enum xfs_fork, uint32_t *len);

/* ---- formats and places of forks (fork_place.c). The inode must have joined (INVALID). ---- */
/*
 * The fork becomes one of extents without any; what it held is forgotten, so whoever wants the bytes of a local fork
 * takes them before.  INVALID: it has extents.
 */
int xfs_live_fork_clear(struct xfs_live_inode *, enum xfs_fork);
/* The fork becomes local, with these bytes; di_size is the caller's. INVALID: it has extents; TOOBIG: no room. */
int xfs_live_fork_set_local(struct xfs_live_inode *, enum xfs_fork, const void *bytes, uint32_t len);
/* Bytes in use in a fork as it is: local contents (data: di_size; attr: as its header says), records, or the root. */
uint32_t xfs_live_fork_used(const struct xfs_live_inode *, enum xfs_fork);
/*
 * Moves the border between the forks (units of di_forkoff; 0: no attribute fork, which must be empty then).  A fork of
 * extents becomes a tree when it no longer fits, a tree whose records fit becomes extents.  forkoff.h has the rule
 * which place to choose.  Errors: TOOBIG (local contents or the root of a tree do not fit: nothing has changed),
 * INVALID (not a place of this format; the attribute fork is not empty), and those of bmap.h.
 */
int xfs_live_forkoff_set(struct xfs_live_inode *, unsigned forkoff);

#endif
