/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change.h - a set of metadata buffers that change together, all or nothing.
 *
 * Code that changes metadata joins each buffer to a change before it writes to it; contents as they were are kept then,
 * and the ranges that change are noted in chunks of XFS_CHANGE_CHUNK bytes, as log items have them.  Commit hands the
 * changed buffers to the cache for writing (direct mode: no log, so nothing is atomic on disk before the cache has been
 * flushed); abort gives every buffer its old contents back.  A transaction with a log is built on the same: prepare,
 * items from the ranges of the joined buffers, then commit.
 *
 * Headers that are cached in host order (struct xfs_agspace) are members: they write themselves into their buffers
 * before the commit, and learn how it ended.  A change in which a call failed half way can only be aborted.
 *
 * What a log must know besides is noted while `logged` is set: inodes made at once, blocks given up, blocks that became
 * free, buffers that are not to be logged.
 *
 * One change belongs to one thread; two changes must not want the same buffer (BUSY): that is one AG, one change.  The
 * cache must not be flushed while a change that has written to its buffers is open.  Layer: mount.
 */
#ifndef XFS_MOUNT_CHANGE_H
#define XFS_MOUNT_CHANGE_H

#include "libxfs/mount/fs.h"

#define XFS_CHANGE_CHUNK 128u

struct xfs_change;

/* A joined buffer. */
struct xfs_change_buf {
	struct xfs_change *change;
	struct xfs_buf *buf;			/* one reference is held */
	const struct xfs_buf_type *type;
	bool fresh;				/* not read from disk: what it was before says nothing */
	bool changed, stale;			/* stale: its block was given up */
	bool ordered;				/* written in place before the log refers to it */
	uint64_t ranges[XFS_BUF_MAXLEN / XFS_CHANGE_CHUNK / 64];	/* bit k: chunk k has changed */
	/* internal */
	struct xfs_change_buf *next;
	uint8_t *before;
	uint32_t room;
};

/* What the log is told besides the contents of buffers; kept only when the change is logged. */
enum xfs_change_note_kind {
	XFS_NOTE_ICREATE,	/* at: daddr of the first block; len: blocks; count: inodes; gen */
	XFS_NOTE_CANCEL,	/* at: daddr; len: 512-byte sectors. What the log holds of this buffer is void */
	XFS_NOTE_FREED,		/* at: fsblock; len: blocks */
};
struct xfs_change_note {
	enum xfs_change_note_kind kind;
	uint64_t at;
	uint32_t len, count, gen;
};

struct xfs_change_member {
	void (*prepare)(struct xfs_change_member *);	/* into buffers that are joined already; cannot fail */
	void (*ended)(struct xfs_change_member *, bool committed);	/* it is no member any more */
	struct xfs_change_member *next;
};

struct xfs_change {
	struct xfs_fs *fs;
	struct xfs_change_buf *bufs, **last;	/* in the order in which they joined */
	struct xfs_change_member *members;
	int64_t fdblocks, icount, ifree;	/* what the superblock's counters gain */
	int error;				/* of a call that failed half way; commit refuses */
	uint64_t writes;			/* calls of xfs_change_dirty() and xfs_change_defer() */
	/* takes deferred work (space/work.h); NULL: none is allowed; borrowed */
	struct xfs_work_sink *works;
	bool logged;				/* notes are taken */
	struct xfs_change_note *notes;		/* in the order in which they were taken */
	size_t nnotes;
	/* internal */
	size_t notes_room;
	struct xfs_change_buf *spares;
};

/* An empty change. Errors: READONLY (device). It can be used again after each commit or abort. */
int xfs_change_init(struct xfs_change *, struct xfs_fs *);
/* Aborts what is open and frees memory. */
void xfs_change_release(struct xfs_change *);

/*
 * Joins a buffer that is held; joining again is harmless. The change takes its own reference. Errors: NOMEM, BUSY
 * (in another change).
 */
int xfs_change_join(struct xfs_change *, struct xfs_buf *, const struct xfs_buf_type *);
/* Reads one extent of the device and joins it; *out is held by the change until it ends. Errors: those of both. */
int xfs_change_get(struct xfs_change *, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *,
		   struct xfs_buf **out);
/* The same for a block whose old contents are worth nothing: not read, all of it counts as changed. */
int xfs_change_get_new(struct xfs_change *, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *,
		       struct xfs_buf **out);
/* Bytes [off, off + len) of a joined buffer have changed. */
void xfs_change_dirty(struct xfs_buf *, uint32_t off, uint32_t len);
/* The block of this range was given up: if it is joined or cached, it is not written any more. Errors: NOMEM, BUSY. */
int xfs_change_forget(struct xfs_change *, uint64_t daddr, uint32_t bbs);

/*
 * The buffer is joined and new (its blocks were just allocated), and need not go through the log: it is written in
 * place and durable before anything that refers to it is.  Values of remote attributes.  Without a log: nothing to do.
 */
void xfs_change_order(struct xfs_buf *);

/*
 * Inodes are made: `blocks` blocks from agbno on, all free, of generation `gen`; their buffers (single blocks) are
 * filled by the caller (xfs_change_get_new()). One call for each run that was allocated.  Errors: NOMEM.
 */
int xfs_change_icreate(struct xfs_change *, xfs_agno_t, uint32_t agbno, uint32_t blocks, uint32_t gen);
/*
 * The reverse: blocks that held inodes are given up; forgets their buffers.  A run of whole clusters.  Errors: NOMEM,
 * BUSY.
 */
int xfs_change_iremove(struct xfs_change *, xfs_agno_t, uint32_t agbno, uint32_t blocks);
/* Blocks became free: the code that changes free space says so. Errors: NOMEM. */
int xfs_change_freed(struct xfs_change *, uint64_t fsblock, uint32_t blocks);

/*
 * Bits of a 16-bit field of the primary superblock, by its offset; a superblock that has them so already stays out of
 * the change.  Errors: those of xfs_buf_get1() and xfs_change_join().
 */
int xfs_change_sb_bits(struct xfs_change *, uint32_t off, uint16_t clear, uint16_t set);

void xfs_change_add_member(struct xfs_change *, struct xfs_change_member *);
/* Returns err. When it is an error and something was written since `writes`, the change can't be committed any more. */
int xfs_change_check(struct xfs_change *, uint64_t writes, int err);

/* Members write themselves into their buffers; part of commit, earlier for those who look at the ranges. */
void xfs_change_prepare(struct xfs_change *);
/*
 * What has changed so far is in the log: buffers are dirty from now on, ranges and notes start anew, and an abort goes
 * back no further than here.  The change goes on.
 */
void xfs_change_roll(struct xfs_change *);
/* Errors: that of a call that failed half way; everything was put back then. */
int xfs_change_commit(struct xfs_change *);
void xfs_change_abort(struct xfs_change *);

/*
 * Direct mode: writes the counters into the primary superblock, then everything that is dirty, then a barrier. No
 * change may be open.
 */
int xfs_change_sync(struct xfs_fs *);

#endif
