/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transactions.h - iterates a log: its records, and the transactions in them as lists of items (format sheet 04,
 * sections 4 and 5).
 *
 * Transactions come in the order of their commits, which is the order in which they apply.  What began before the tail
 * is left out, what was not committed before the head comes last and is marked.  Operations are sorted by transaction,
 * regions that were cut at the end of a record are joined.  Everything is checked: a log that breaks a rule ends the
 * iteration with CORRUPT and a finding that says where.  Memory: the open transactions.  Layer: log.
 */
#ifndef XFS_LOG_TRANSACTIONS_H
#define XFS_LOG_TRANSACTIONS_H

#include "libxfs/log/items.h"
#include "libxfs/log/records.h"

/* Borrowed from the iterator until its next step. */
struct xfs_log_trans {
	uint32_t tid;
	bool committed;			/* false: the head came first; items is empty, only regions were counted */
	bool writer_le;
	uint64_t lsn;			/* of the record in which it starts: what replay compares and stamps */
	uint64_t commit_lsn;		/* of the record with its commit; 0 when it has none */
	struct xfs_log_trans_hdr hdr;	/* zero when it was cut off before that */
	size_t nregions, nitems;
	uint64_t bytes;			/* of all regions */
	const struct xfs_log_item *items;	/* all of them pass xfs_log_item_check() */
};

enum xfs_log_event_kind {
	XFS_LOG_EV_RECORD,		/* a record begins; what it commits comes next */
	XFS_LOG_EV_TRANS,		/* a transaction is committed */
	XFS_LOG_EV_UNMOUNT,		/* the mark of a clean unmount */
	XFS_LOG_EV_OPEN			/* behind the last record: a transaction without commit */
};

struct xfs_log_event {
	enum xfs_log_event_kind kind;
	const struct xfs_log_record *record;	/* NULL for OPEN */
	const struct xfs_log_trans *trans;	/* TRANS and OPEN */
};

struct xfs_log_iter;

/*
 * Over what the state says is to be replayed.  `history`: from as far back as the log reads (xfs_log_reader_extend()),
 * also when it is clean.  Errors: NOMEM, IO; CORRUPT when the log cannot be looked at (finding in `why`, may be NULL).
 */
int xfs_log_iter_new(struct xfs_log_iter **out, const struct xfs_fs *, const struct xfs_log_state *, bool history,
		     struct xfs_finding *why);
void xfs_log_iter_free(struct xfs_log_iter *);		/* NULL is allowed */
/* The block of the record that was read last, or refused. */
uint32_t xfs_log_iter_block(const struct xfs_log_iter *);
/*
 * The next event. NOENT at the end; CORRUPT, BADCRC, UNSUPPORTED, IO, NOMEM, each for good: *why (may be NULL) says
 * what and where.
 */
int xfs_log_iter_next(struct xfs_log_iter *, struct xfs_log_event *out, struct xfs_finding *why);

#endif
