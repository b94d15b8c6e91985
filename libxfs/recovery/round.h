/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * round.h - a round of recovery: changes that are worked out above the device, in direct mode, and then brought down as
 * one checkpoint.  run.c: rounds; works.c: intents as works; finish.c: what a round does; images.c: the checkpoint.
 */
#ifndef XFS_RECOVERY_ROUND_H
#define XFS_RECOVERY_ROUND_H

#include "libxfs/recovery/recovery.h"
#include "libxfs/transaction/transaction.h"

struct recovery_works {
	struct xfs_work *w;
	size_t n, room;
};

/* The works of an intent that passed xfs_log_item_check(). CORRUPT: *why it cannot be done (static). Error: NOMEM. */
int recovery_works(const struct xfs_geometry *, const struct xfs_log_item *, struct recovery_works *out,
		   const char **why);

struct recovery_round {
	struct xfs_recovery *r;
	struct xfs_recovery_work *done;
	const struct xfs_sink *sink;
	struct xfs_devset top;			/* the scratch devices */
	struct xfs_fs *fs;			/* on them; its log looks clean */
	struct xfs_edit *edit;
	bool realtime_later;			/* see struct xfs_live */
};

/* A finding about the log; returns CORRUPT. */
int recovery_bad(const struct xfs_sink *, const char *structure, uint64_t number, const char *what);

/* ---- finish.c: each does its work in transactions of the edit. ---- */
int recovery_finish_intents(struct recovery_round *);
int recovery_free_unlinked(struct recovery_round *);
int recovery_free_cow(struct recovery_round *);

/* ---- images.c ---- */
/*
 * Writes what the scratch devices hold to the log of `dev` as one checkpoint, with done items for the intents when
 * `dones`, and brings it to its place.  r->log is the log afterwards.  NOSPC, UNSUPPORTED: nothing was written.
 */
int recovery_bring_down(const struct xfs_devset *dev, struct recovery_round *, bool dones);
/* The same without the log: whatever stops it leaves half of it. */
int recovery_bring_down_bare(const struct xfs_devset *dev, struct recovery_round *);
/* Afterwards, when all is in place and the log clean. */
int recovery_unmark(const struct xfs_devset *dev);

#endif
