/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction.h - changes to a filesystem as chains of transactions, with a log or without.
 *
 *	xfs_edit_open(&edit, fs, &options);
 *	xfs_trans_begin(&t, edit, bytes);
 *	... changing functions with &t.change ...
 *	xfs_trans_commit(&t);			also does the deferred work that they queued
 *	xfs_edit_sync(edit);  ...  xfs_edit_close(edit);
 *
 * *Direct* mode: the chain is applied to cached buffers as one change; sync writes everything.  Nothing is atomic on
 * disk before a sync: for builders, on copies, above an overlay.
 * *Logged* mode: each step of a chain is a transaction of the kernel's log; intents announce what the next one
 * finishes. Transactions gather in memory (as the kernel's do) and go to the log as checkpoints: at sync, when the log
 * gets full, or after every single transaction (`each`).  Metadata is written in place only after its checkpoint is on
 * stable storage, and then the tail moves.  Format sheet 04, sections 9.7 and 15: these rules are kept by construction.
 *
 * A chain is all or nothing in memory, too: when a step fails, every buffer and inode is put back; with `each`, when
 * steps are in the log already, the edit is shut down (SHUTDOWN from then on) and recovery finishes or forgets the
 * chain. Quotas are not counted along: where they are on, the first change says in the superblock that they must be
 * counted at the next mount.
 * One thread.  Layer: transaction (above log, inode, name).
 */
#ifndef XFS_TRANSACTION_TRANSACTION_H
#define XFS_TRANSACTION_TRANSACTION_H

#include "libxfs/inode/live.h"

struct xfs_edit;

struct xfs_edit_options {
	bool logged;
	bool each;			/* logged: a checkpoint after every transaction of a chain, none is batched */
	bool swapped;			/* logged: byte order of the writer is the other one (tests of replay) */
	uint32_t record_size;		/* h_size, bytes; 0: 32768 */
};

/*
 * The log must be clean (DIRTYLOG).  `options` NULL: direct.  Errors: those of xfs_live_open(), xfs_log_state(), NOMEM,
 * CORRUPT (no head of the log can be found), UNSUPPORTED (logged: V4, or clusters of inodes that are not aligned: says
 * which as a finding).
 */
int xfs_edit_open(struct xfs_edit **out, struct xfs_fs *, const struct xfs_edit_options *);
struct xfs_live *xfs_edit_live(struct xfs_edit *);
/*
 * What is committed is on stable storage afterwards: logged: in the log; direct: in place. BUSY: a transaction is open.
 */
int xfs_edit_sync(struct xfs_edit *);
/* Everything in place; logged: and a clean log with an unmount record. The edit can be used on. */
int xfs_edit_quiesce(struct xfs_edit *);
/*
 * Before file data is written to blocks that were allocated: they may still be old metadata or another file's data for
 * whoever replays the log; then what freed them is synced first.  May be called while a transaction is open, but not
 * for blocks that the same transaction freed (BUSY).  Blocks outside of the data device's space: RANGE.
 */
int xfs_edit_data_begin(struct xfs_edit *, uint64_t fsblock, uint32_t blocks);
/* File data was written: it is made durable before the next checkpoint, which may refer to it. */
void xfs_edit_data_written(struct xfs_edit *);
/* Frees; what was not synced is lost. An open transaction is aborted. NULL is allowed. */
void xfs_edit_close(struct xfs_edit *);

/* Works of one kind that were queued together: what one intent announces. */
struct xfs_pending;

/* Lists of pending works, oldest first. */
struct xfs_pending_list { struct xfs_pending *first, **last; };

/* Not to be copied or moved while it is open. */
struct xfs_trans {
	struct xfs_change change;	/* for changing functions */
	struct xfs_edit *edit;		/* NULL: not open */
	uint64_t reserved;		/* log bytes that one step may take */
	/* internal */
	struct xfs_work_sink works;	/* of the change */
	struct xfs_pending_list fresh, pending;
	unsigned steps;			/* of this chain that went to the log */
	unsigned since;			/* steps since its size was looked at */
};

/*
 * `bytes`: log space of the largest step of the chain (format sheet 04, section 12); 0: the largest of all
 * reservations.  Waits for nobody: pushes checkpoints and metadata until there is room.  Errors: SHUTDOWN, IO, NOMEM,
 * NOSPC (the log can never hold it), BUSY (a transaction of this edit is open).
 */
int xfs_trans_begin(struct xfs_trans *, struct xfs_edit *, uint64_t bytes);
/* Does all deferred work and commits. On an error everything was put back (but see above). Not open afterwards. */
int xfs_trans_commit(struct xfs_trans *);
/* Puts everything back. Harmless when it is not open (any more), or was zeroed and never opened. */
void xfs_trans_abort(struct xfs_trans *);

/*
 * Finishes one work, as the executors do: of transaction/defer.c's table.  0: done; AGAIN: `w` holds what is left.
 * Recovery finishes intents with it.
 */
int xfs_work_finish(struct xfs_live *, struct xfs_change *, struct xfs_work *);

#endif
