/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts.h - a log that cannot be replayed as a whole: what stands before the damage, and what can be read behind it.
 *
 * Read-only. Damage is the first record that the iterator (transactions.h) refuses, whatever the reason.  Layer: log.
 */
#ifndef XFS_LOG_PARTS_H
#define XFS_LOG_PARTS_H

#include "libxfs/log/transactions.h"

struct xfs_log_parts {
	struct xfs_log_state whole;	/* as it was found */
	struct xfs_log_state before;	/* DIRTY; CLEAN when no record stands before the damage */
	uint32_t bad;			/* block where the damage begins */
	uint64_t tail_lsn;		/* that the last record before it names */
	uint64_t transactions;		/* committed before it */
	uint64_t open;			/* begun before it, and not committed */
};

/*
 * `state`: DIRTY, or UNREADABLE with damage at a known place.  NOENT: head or tail are not known, or nothing is
 * damaged. Other errors: NOMEM.
 */
int xfs_log_parts_find(const struct xfs_fs *, const struct xfs_log_state *state, struct xfs_log_parts *out);
/*
 * The next piece that can be read again behind block *bad, where reading ended: out->before; *bad is where it ends.
 * NOENT: there is none.  Other errors: NOMEM.
 */
int xfs_log_parts_next(const struct xfs_fs *, const struct xfs_log_state *whole, uint32_t *bad,
		       struct xfs_log_parts *out);

#endif
