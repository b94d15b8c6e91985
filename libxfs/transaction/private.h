/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private.h - inside of transaction/: an edit, its open transaction, the queue of deferred works.
 */
#ifndef XFS_TRANSACTION_PRIVATE_H
#define XFS_TRANSACTION_PRIVATE_H

#include "libxfs/transaction/transaction.h"

#define XFS_PENDING_MOST 16u		/* works of one intent */
#define XFS_ORPHANS_MOST 16u		/* that wait for memory */

struct xfs_pending {
	struct xfs_pending *next;
	enum xfs_work_kind kind;
	unsigned n;
	struct xfs_work works[XFS_PENDING_MOST];
	uint64_t id;			/* of its intent; 0: has none yet */
	bool in_log;			/* the intent was written */
};

struct xfs_edit {
	struct xfs_fs *fs;
	struct xfs_live *live;
	struct xfs_edit_options options;
	struct xfs_journal *journal;	/* logged */
	struct xfs_trans *open;
	int failed;			/* shut down by this error */
	uint64_t next_id;		/* of intents */
	struct xfs_pending *spare_pendings;
	struct xfs_change_buf *spare_bufs;
	struct xfs_live_inode *orphans[XFS_ORPHANS_MOST];	/* held: to be freed before the next sync */
	unsigned norphans;
};

/* ---- edit.c ---- */
/*
 * xfs_inode_inactivate() of an inode whose last name a chain that is over has taken.  Without memory a sync does it,
 * and 0.  Other errors of a direct edit end it: the inode would stay on an unlinked list that no log tells of.
 */
int xfs_edit_bury(struct xfs_edit *, struct xfs_live_inode *);

/* ---- defer.c ---- */
void xfs_pending_init(struct xfs_pending_list *);
/* The sink of a transaction's change. */
int xfs_trans_queue(struct xfs_work_sink *, const struct xfs_work *);
/* New works go in front of older ones, in their order; from now on nothing is added to them. */
void xfs_trans_announce(struct xfs_trans *);
/*
 * Does the first of the pending works; *done is what was finished (out of the list, to be given back with
 * xfs_pending_free()), NULL when it stopped half way and goes on with a new intent of what is left.
 */
int xfs_trans_step(struct xfs_trans *, struct xfs_pending **done);
void xfs_pending_free(struct xfs_edit *, struct xfs_pending *);
/* Forgets all that is queued. */
void xfs_trans_drop_works(struct xfs_trans *);

#endif
