/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - where the log ends and whether it holds changes that are not in place yet (format sheet 04, sections 7, 8).
 *
 * Read-only.  Finds the head by the cycle numbers of the blocks, drops half-written records, finds the tail from the
 * last whole record, and sees whether that one is the unmount record.  Nothing is replayed here, and record contents
 * are not looked at beyond their checksums.  Layer: log.
 */
#ifndef XFS_LOG_STATE_H
#define XFS_LOG_STATE_H

#include "libxfs/mount/fs.h"

enum xfs_log_kind {
	XFS_LOG_CLEAN,			/* nothing to replay */
	XFS_LOG_DIRTY,			/* records between tail and head */
	XFS_LOG_UNREADABLE		/* head or tail cannot be found: `reason` */
};

struct xfs_log_state {
	enum xfs_log_kind kind;
	bool zeroed;			/* never written, or zeroed: clean, with cycle 1 and head 0 */
	bool torn;			/* half-written records behind the head were dropped */
	bool misleading;		/* cycle numbers of blocks tell of another end: who trusts them gets lost */
	bool sb_lsn_ahead;		/* sb_lsn lies ahead of the head: the log was reset below its metadata */
	uint32_t blocks;		/* length of the log; this and all positions in 512-byte blocks */
	uint32_t head;			/* where the next record goes */
	uint32_t tail;			/* first record to replay; = head when clean */
	uint32_t cycle;			/* of the head */
	uint64_t last_lsn;		/* of the last whole record; 0 when zeroed */
	uint64_t tail_lsn;		/* that the last record names */
	uint32_t record_size;		/* h_size of the last record, bytes */
	const char *reason;		/* UNREADABLE: why; static */
	bool damaged;			/* UNREADABLE, but head and tail are known: the record at `bad` is damaged */
	uint32_t bad;
};

/* LSN of the head. */
static inline uint64_t xfs_log_head_lsn(const struct xfs_log_state *s)
{
	return (uint64_t)s->cycle << 32 | s->head;
}

/*
 * Errors: NOMEM only; a log that cannot be read is a state. An external log that was not given is UNREADABLE.
 */
int xfs_log_state(const struct xfs_fs *, struct xfs_log_state *out);
/*
 * The part of a dirty or damaged log before this block, as a log that ends
 * there: DIRTY, or CLEAN when there is nothing.
 */
struct xfs_log_state xfs_log_state_until(const struct xfs_log_state *, uint32_t block);
/* Of a damaged log the part before the damage. */
struct xfs_log_state xfs_log_state_before_damage(const struct xfs_log_state *);

#endif
