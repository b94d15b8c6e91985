/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - brings the changes that a log holds to their places (format sheet 04, sections 9 and 11).
 *
 * Works on any stack of devices: above an overlay the evidence stays untouched.  The log may come from a machine of
 * either byte order.  First everything is read and judged (nothing is written when the log breaks a rule), then the
 * items of each committed transaction are applied in the order of commits, when the block in place is older.
 *
 * What is only *announced* in the log is not done here: intents are handed out as a list, in order, for whoever can
 * finish them; inodes without names and leftovers of copy-on-write stay where they are.  The log stays dirty until
 * xfs_recovery_settle().  Layer: recovery (above log, inode).
 *
 * Where this differs from Linux: a block in place counts as newer only when its checksum is good (a write that was torn
 * is replayed over, with a finding), and directory blocks in several pieces are put right as a whole.
 */
#ifndef XFS_RECOVERY_REPLAY_H
#define XFS_RECOVERY_REPLAY_H

#include "libxfs/log/transactions.h"

/* Work that the log says is unfinished; its own copy, valid until xfs_recovery_free(). Passes xfs_log_item_check(). */
struct xfs_recovered_intent {
	uint64_t lsn;			/* of its transaction */
	struct xfs_log_item item;
};

struct xfs_recovery_counts {
	uint64_t records, transactions, open_transactions;
	/* items: applied; left alone, because the block is newer, or because it is freed later in the log */
	uint64_t buffers, buffers_newer, buffers_cancelled;
	uint64_t inodes, inodes_newer, inodes_cancelled;
	uint64_t unlinks;					/* applied, of links to the next unlinked inode */
	uint64_t icreates, icreates_cancelled;
	uint64_t dquots, dquots_newer, dquots_off;		/* off: quota is not on for that type */
	uint64_t intents, dones;				/* seen; those left are in the list */
	uint64_t torn_blocks;					/* replayed over although their LSN is newer */
	uint64_t dir_pieces;
};

struct xfs_recovery {
	struct xfs_log_state log;	/* as it was found */
	bool log_le;				/* byte order of its writer, when it was dirty */
	bool quota_stale;			/* what was done besides is not counted: settling says so */
	struct xfs_recovery_counts counts;
	struct xfs_recovered_intent *intents;	/* in log order */
	size_t nintents;
};

/*
 * Replays. A clean log: nothing to do, all counts zero.  The devices are changed in place; a filesystem that is open on
 * them must be opened anew.  Findings say what is wrong with the log (LOG_RECORD, LOG_ITEM) and what is left to do
 * (LOG_INTENT).  *out is filled as far as it went; xfs_recovery_free() in any case.
 * Errors: those of xfs_fs_open(); CORRUPT and BADCRC (the log; only LOG_ITEM problems may come after the first write),
 * UNSUPPORTED (unknown log features, byte order), IO, NOMEM, READONLY.
 */
int xfs_recovery_replay(const struct xfs_devset *, struct xfs_recovery *out, const struct xfs_sink *);
/*
 * The same between the tail and the head that `state` names.  For a part whose end is the end of the log, or of what
 * was written to it last.
 */
int xfs_recovery_replay_part(const struct xfs_devset *, const struct xfs_log_state *, struct xfs_recovery *out,
			     const struct xfs_sink *);

struct xfs_recovery_place {
	uint64_t daddr;			/* 512-byte sectors */
	uint32_t bbs;
	bool value;			/* a good block of an attribute's value stands there */
	uint64_t owner;			/* inode that the image says to belong to; XFS_NULL64: it says nothing */
};

/* Where this one (daddr, bbs) is in a list that is ascending, each once; n: it is not there. */
size_t xfs_recovery_place_find(const struct xfs_recovery_place *list, size_t n, const struct xfs_recovery_place *key);

/* V4: was an inode that was written `have` times written after it was logged with `logged`?  The counter wraps. */
XFS_INLINE bool xfs_recovery_flushed_since(uint16_t have, uint16_t logged)
{
	return logged < have && !(have == 0xffff && logged < 0x7fff);
}

/*
 * The part of a damaged log that stands before the damage.  What stood behind it may have freed blocks that older
 * images are of, and the log does not tell any more which; so:
 * - only transactions that are committed before the damage count;
 * - what is newer in place stays, inodes of new chunks too, and torn blocks that may be newer than the damage;
 * - an image goes where metadata of this filesystem stands in its own place.  Where something else stands it may be
 *   data that a file got later: `may_write` decides, after a look at who claims the block.  Such an image must hold the
 *   beginning of the block;
 * - what does not fit the filesystem is left out, and nothing else is.
 * Intents are listed and never finished: what stood behind the damage may have done it.  Those are not listed whose
 * chain was left out in part: whoever finished them would do so on top of something else, or a second time.  They
 * count.
 * It may be stopped and done again.
 */
struct xfs_recovery_careful {
	/* in: tail and head of the part; nothing in place that is older than its head is newer */
	struct xfs_log_state log;
	/* NULL: all are written, and listed: above the device, to see who claims them then */
	bool (*may_write)(void *payload, const struct xfs_recovery_place *);
	void *payload;
	struct xfs_recovery_place *places;	/* out: asked for; ascending, each once; xfs_recovery_careful_free() */
	size_t nplaces, room;
	uint64_t beyond;		/* out: blocks and inodes in place that are newer than the head */
	uint64_t left_out;		/* out: changes that do not fit what is in place, or to what is gone */
	uint64_t doubtful;		/* out: intents that are not listed, because of what was left out */
};

/* Errors as those of xfs_recovery_replay(); with CORRUPT nothing was changed. */
int xfs_recovery_replay_careful(const struct xfs_devset *, struct xfs_recovery_careful *, struct xfs_recovery *out,
				const struct xfs_sink *);
void xfs_recovery_careful_free(struct xfs_recovery_careful *);
void xfs_recovery_free(struct xfs_recovery *);

/*
 * Ends a replay that left nothing to do: counters of the superblock from those of the AGs, log features off, and an
 * unmount record in the log.  DIRTYLOG, and nothing is changed: intents are left, or inodes in unlinked lists.
 * Counters of realtime extents stay as the log has them.  Errors: those of xfs_fs_open(), CORRUPT (AG headers), IO,
 * NOMEM.
 */
int xfs_recovery_settle(const struct xfs_devset *, const struct xfs_recovery *, const struct xfs_sink *);

#endif
