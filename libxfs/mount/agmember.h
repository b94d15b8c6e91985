/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agmember.h - an AG header and the trees whose roots it holds, as a member of a change.
 *
 * AGF and AGI change alike: the header is kept in host order and written into its buffer before the commit; its trees
 * read as those of xfs_fs_ag_btree() do, their blocks join the change, and a new root goes into the header.  The owner
 * says where blocks of a tree come from and go to, how the header is written, and how it comes back.  Layer: mount.
 */
#ifndef XFS_MOUNT_AGMEMBER_H
#define XFS_MOUNT_AGMEMBER_H

#include "libxfs/mount/change.h"

struct xfs_agmember;

/* A tree of the header. Callbacks of its space get this one as owner. */
struct xfs_agtree {
	struct xfs_agmember *m;
	struct xfs_btree *bt;		/* kind NULL: the filesystem has no such tree */
	uint32_t *root, *level;		/* fields of the header in host order */
	struct xfs_btree_space space;	/* alloc and free are the owner's */
};

/* Embedded in what it is a part of, as the first member. */
struct xfs_agmember {
	struct xfs_change *change;	/* that it has joined, or NULL */
	struct xfs_agtree *trees;
	unsigned ntrees;
	/* The header has changed: it goes into its buffer, which has joined; counters of the change follow. */
	void (*write)(struct xfs_agmember *);
	/*
	 * It has left the change: the header is what counts now (committed), or is to be as it was at the last commit.
	 */
	void (*ended)(struct xfs_agmember *, bool committed);
	/* internal */
	bool changed;
	struct xfs_change_member member;
};

/*
 * Opens one tree; m, bt, root and level, space.alloc and space.free are set. `kind` of the tree is NULL when the
 * filesystem has none.  Errors: those of xfs_fs_ag_btree() but UNSUPPORTED.
 */
int xfs_agtree_open(struct xfs_agtree *, struct xfs_fs *, xfs_agno_t, enum xfs_btree_id);
/* The block was given up by the tree: for space.free. Errors: those of xfs_change_forget(). */
int xfs_agtree_forget(struct xfs_agtree *, uint64_t agbno);

/* Not while it is in another change; the header's buffers have joined. The trees can be changed from now on. */
void xfs_agmember_join(struct xfs_agmember *, struct xfs_change *);
/* The header has changed. */
void xfs_agmember_touch(struct xfs_agmember *);

#endif
