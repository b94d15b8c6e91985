/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aginodes.h - the inodes of one allocation group, for changing which are in use: AGI, inobt, finobt, unlinked lists.
 *
 * Made like struct xfs_agspace: the AGI is kept in host order, the trees are instances of the engine on the buffer
 * cache, all of it is a member of the change that it joined.  Blocks of the trees come from the AG's free space
 * (format sheet 02, section 1.8).  Records change in both trees together, and the counters of AGI and superblock with
 * them.  What this does not look at is the inodes themselves: that is alloc.h.  Layer: inode.
 */
#ifndef XFS_INODE_AGINODES_H
#define XFS_INODE_AGINODES_H

#include "libxfs/inode/live.h"
#include "libxfs/inode/scan.h"

enum xfs_aginodes_tree { XFS_AIT_INO, XFS_AIT_FINO, XFS_AIT_COUNT };

struct xfs_aginodes {
	struct xfs_agmember m;
	struct xfs_fs *fs;
	xfs_agno_t agno;
	struct xfs_agspace *space;		/* of this AG, joined to the same change */
	struct xfs_agi agi;			/* as it is now */
	uint32_t unlinked[XFS_AGI_BUCKETS];
	struct xfs_btree tree[XFS_AIT_COUNT];	/* kind NULL: there is no finobt */
	/* internal */
	struct xfs_buf *buf;
	uint32_t count_before, free_before;
	uint32_t fino_blocks, fino_before;	/* also where the AGI does not count them */
	struct xfs_agtree trees[XFS_AIT_COUNT];
};

/*
 * The inodes of an AG, joined to the change with the AG's space. Kept by xfs_live until it is closed.  Errors: those of
 * xfs_live_ag(), xfs_fs_agi(), NOMEM, BUSY.
 */
int xfs_live_aginodes(struct xfs_live *, struct xfs_change *, xfs_agno_t, struct xfs_aginodes **out);
/* For xfs_live_close(). NULL is allowed. */
void xfs_aginodes_close(struct xfs_aginodes *);

/*
 * A chunk whose record says that inodes are free, as near to inode `near` as can be found fast.  NOENT: none; CORRUPT:
 * the counters say that there are some, or the record is impossible.
 */
int xfs_aginodes_find_free(struct xfs_aginodes *, uint32_t near, struct xfs_inobt_rec *out);
/* The record of the chunk that holds an inode. NOENT: none. */
int xfs_aginodes_lookup(struct xfs_aginodes *, uint32_t agino, struct xfs_inobt_rec *out);
/*
 * `old` (NULL: there is none) becomes `new` (NULL: the chunk is gone), records of one start.  Both trees, AGI and the
 * change's counters follow.
 */
int xfs_aginodes_change(struct xfs_aginodes *, const struct xfs_inobt_rec *old, const struct xfs_inobt_rec *new);
/* Heads of the unlinked lists and newino. */
void xfs_aginodes_set_bucket(struct xfs_aginodes *, uint32_t bucket, uint32_t agino);
void xfs_aginodes_set_newino(struct xfs_aginodes *, uint32_t agino);

#endif
