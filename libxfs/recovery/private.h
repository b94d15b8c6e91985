/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private.h - the state of a replay. replay.c: passes over the log; batch.c: buffers of one LSN; buffers.c, inodes.c,
 * owner.c, quota.c: items; intents.c: what is left to do; pieces.c: directory blocks in several pieces; careful.c,
 * contents.c, doubt.c: the rules for a log whose end is not known, or some items of which do not fit.
 */
#ifndef XFS_RECOVERY_PRIVATE_H
#define XFS_RECOVERY_PRIVATE_H

#include "libxfs/base/grow.h"
#include "libxfs/base/mix.h"
#include "libxfs/inode/inode.h"
#include "libxfs/recovery/cancel.h"
#include "libxfs/recovery/replay.h"

/*
 * A buffer that a transaction of the current LSN touched.  Several transactions may have the same LSN (they start in
 * one record): whether the block in place is older is decided at the first touch, and the LSN is stamped after the
 * last.
 */
struct touched {
	struct xfs_buf *buf;
	uint64_t daddr;
	uint32_t bbs, slot;		/* slot: of the index */
	bool newer;			/* the block in place is: leave it alone */
	bool judged;			/* `newer` is known */
	bool stamp;			/* LSN and checksum of the whole block, by its content */
	bool dirty;
	uint8_t content;		/* enum xfs_blft */
};

/* Part of a directory block that lies in several places. */
struct dir_piece {
	uint64_t daddr, lsn;
	bool joined;			/* it lies in a directory */
};

struct intent_id {
	uint64_t id;
	uint32_t index;			/* in the list, + 1; 0: unused */
	uint16_t type;
};

/* Of an intent, by its place in the list: numbers of transactions, from 1 on. */
struct intent_life {
	uint32_t announced, done;	/* done 0: not */
};

struct replay {
	struct xfs_fs *fs;
	struct xfs_geometry geo;	/* of the newest superblock: a log may grow the filesystem */
	const struct xfs_sink *sink;
	struct xfs_recovery *out;
	struct xfs_recovery_careful *careful;	/* NULL: the whole log */
	struct xfs_cancels cancels;
	uint64_t lsn;			/* of the current batch */
	struct touched *batch;
	size_t nbatch, batch_room;
	uint32_t *index;		/* of batch by address, + 1; open addressing, a power of two */
	size_t nindex;
	struct xfs_mix mix;		/* of both tables */
	uint8_t *turns;			/* of the items of the current transaction: replay.c */
	size_t turns_room;
	unsigned quota_off;		/* XFS_SB_QUOTA_USER, GROUP, PROJECT: a quotaoff item took it away */
	size_t intents_room;
	struct intent_id *ids;		/* open addressing, a power of two */
	size_t nids, used_ids;
	struct intent_life *lives;	/* as out->intents */
	size_t lives_room;
	/* careful: what was left out */
	uint32_t trans, batch_trans;	/* number of the current transaction, of the first one of the batch */
	uint8_t *left;			/* by transaction: doubt.c */
	size_t left_room;
	struct xfs_cancels missing[2];	/* blocks and inodes by what they are for: a change of them was */
	struct dir_piece *pieces;
	size_t npieces, pieces_room;
	uint64_t *dirs;			/* inodes of directories in the log, when pieces can occur */
	size_t ndirs, dirs_room;
};

/* Reports a problem of an item as a finding and returns CORRUPT. */
int replay_bad(struct replay *, const char *structure, uint64_t number, const char *what);

/* ---- batch.c ---- */
/* The buffer, read, as part of the batch. *out is valid until the next call. RANGE: not on the device. */
int replay_touch(struct replay *, uint64_t daddr, uint32_t bbs, struct touched **out);
void replay_dirty(struct touched *);
/* Stamps, checks and writes what the batch changed. */
int replay_settle(struct replay *);
/* Stamps LSN (XFS_NULL64: leaves it) and checksum by what the block is; false: none of the kinds of this content. */
bool replay_stamp(const struct xfs_geometry *, unsigned content, uint8_t *p, uint32_t len, uint64_t lsn);
/*
 * Careful, V5: by what the block says that it is, wherever that may be; its content (enum xfs_blft), which is still to
 * be verified.  UNKNOWN: nothing was changed.
 */
unsigned replay_stamp_by_data(struct replay *, struct xfs_buf *, uint64_t daddr, uint64_t lsn);
/* What a whole block holds, by its magic number: enum xfs_blft. Not for AG headers of V4. */
unsigned replay_content(const struct xfs_geometry *, const uint8_t *p, uint32_t len);
/* Does V5 metadata of this filesystem stand here that is not older than the current LSN? */
bool replay_is_newer(struct replay *, const struct touched *);

/* What comes to a place. */
struct replay_image {
	const uint8_t *p;		/* the first bytes of it; NULL: all of it is made */
	uint32_t off, len;		/* where these stand, how many they are */
	bool headless;			/* such blocks have no header */
	unsigned content;		/* enum xfs_blft */
};

/* ---- careful.c: false or 0 when the whole log is replayed ---- */
/* The place is not to be written: something else stands there, which may be somebody's.  *err: NOMEM. */
bool replay_is_taken(struct replay *, const struct touched *, const struct replay_image *, int *err);
/*
 * Metadata of this filesystem in its own place, torn or part of a directory block (which has the checksum of the
 * whole). Not values of attributes: they are written past the log, like data.
 */
bool replay_says_what_it_is(const struct replay *, const struct touched *);
/* This LSN of something in place is of the lost part of the log, or may be: counted. */
bool replay_is_beyond(const struct replay *, uint64_t lsn);
/* Of a sector: which one of its AG. */
XFS_INLINE uint64_t replay_in_ag(const struct replay *rp, uint64_t daddr)
{
	return daddr % ((uint64_t)rp->geo.agblocks << (rp->geo.blocklog - XFS_BBSHIFT));
}
/* V4: the inode in place is one of the chunk that this image of a new one is of, and was used since. */
bool replay_lives_on(const uint8_t *in_place, const uint8_t *fresh);
/* The inode stands there that should. */
bool replay_is_inode(const struct replay *, const uint8_t *raw, uint64_t ino);
/* A change that was refused is left out: 0 for CORRUPT, other errors stay. `it` NULL: of any transaction. */
int replay_leave_out(struct replay *, const struct xfs_log_item *it, int err);
void replay_sort_places(struct xfs_recovery_careful *);
/* The buffer becomes again what the device has. */
int replay_take_back(struct replay *, struct touched *);

/* ---- contents.c ---- */
/* xfs_log_buf_load(); careful: what the item carries counts more than its flags. */
void replay_load_buf(const struct replay *, struct xfs_log_buf_item *, const struct xfs_log_item *);

/* ---- doubt.c: errors are NOMEM ---- */
int replay_next_trans(struct replay *);
/*
 * The item, or the image of a block (`p`: its first bytes, or NULL; `batch`: of any transaction of the batch), is left
 * out.
 */
int replay_left_item(struct replay *, const struct xfs_log_item *);
int replay_left_block(struct replay *, const struct touched *, unsigned content, const uint8_t *p, bool batch);
/* Something is, of any transaction. */
void replay_left_any(struct replay *);
/* The transaction changes this block, or this inode (length UINT32_MAX), on top of what may have been left out. */
void replay_builds_on(struct replay *, uint64_t key, uint32_t len);
/* Takes the intents that must not be finished out of the list. */
void replay_drop_doubtful(struct replay *);

/* ---- items ---- */
int replay_buf(struct replay *, const struct xfs_log_item *);
/* Does a block of this content (enum xfs_blft) not belong there? */
bool replay_is_misplaced(const struct replay *, unsigned content, uint64_t daddr);
int replay_inode(struct replay *, const struct xfs_log_item *);
int replay_icreate(struct replay *, const struct xfs_log_item *);
int replay_dquot(struct replay *, const struct xfs_log_item *);
/* Blocks of the bmbt of a fork get this inode as their owner. `raw`: the inode in its cluster. */
int replay_change_owner(struct replay *, uint64_t ino, const uint8_t *raw, enum xfs_fork);
/* Is quota of this type (XFS_DQTYPE_*) to be replayed? */
bool replay_quota_is_on(const struct replay *, unsigned type);

/* ---- intents.c, pieces.c ---- */
int replay_intent(struct replay *, const struct xfs_log_item *);
void replay_done(struct replay *, const struct xfs_log_item *);
/* Takes those that are done out of the list, and reports the others. */
void replay_report_intents(struct replay *);
int replay_add_piece(struct replay *, uint64_t daddr);
int replay_add_dir(struct replay *, uint64_t ino);
/* After everything is in place. */
int replay_join_pieces(struct replay *);

#endif
