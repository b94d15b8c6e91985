/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h - writes checkpoints behind the head of a log (format sheet 04, sections 3 to 5, 9.7 and 15).
 *
 * A checkpoint is a list of regions; it becomes one transaction in one or more records.  Kept by construction: the
 * header of a transaction is never cut, no record is empty, no first piece of a region is, all records have one size
 * (h_size), the record with the commit is written last, behind a barrier, and nothing that the last durable record
 * calls its tail is overwritten.  Blocks ahead of the head that could be taken for the future are cleared when the
 * writer opens.
 *
 * Writes of records are made durable every few records, so that what a crash leaves unwritten lies near the head, where
 * every reader looks for it.  After an error of the device the writer is good for nothing.  Layer: log.
 */
#ifndef XFS_LOG_WRITER_H
#define XFS_LOG_WRITER_H

#include "libxfs/log/area.h"
#include "libxfs/log/items.h"
#include "libxfs/log/state.h"

struct xfs_log_writer {
	struct xfs_log_area area;
	uint32_t head, cycle;		/* where the next record goes */
	uint32_t prev;			/* block of the record before it, XFS_NULL32: none */
	bool dirty;			/* records were written since it was opened, or marked as clean */
	uint64_t tail_lsn;		/* XFS_NULL64: nothing is needed, the next checkpoint is the first one */
	uint32_t record_size;		/* h_size, bytes */
	uint32_t headers;		/* blocks of headers of a record */
	uint32_t unit;			/* bytes; records are multiples of it */
	bool le;			/* byte order of items */
	uint32_t tid;			/* of the next checkpoint */
	/* internal */
	uint32_t disk_tail;		/* block, as the last durable record has it; the head when there is none */
	uint8_t *record;
	uint32_t used, nops;		/* data bytes and operations in the record */
	unsigned unflushed;		/* records since the last barrier */
	uint64_t start_lsn;		/* of the checkpoint that is being written */
};

/* How the log is to be written. */
struct xfs_log_writing {
	/* h_size: 16, 32, 64, 128 or 256 KiB; 0: 32 KiB, more when the stripe asks for it */
	uint32_t record_size;
	bool swapped;			/* items in the order of the other kind of machine */
	bool behind;			/* the log may be dirty: what it holds stays, and keeps its tail */
};

/*
 * Goes on behind the head of a clean log (DIRTYLOG otherwise, unless `behind`).  `how` may be NULL.  Errors: CORRUPT
 * (the log cannot be found), UNSUPPORTED (version 1, records of odd lengths), INVALID (record size), NOSPC (a log too
 * short for a few records), IO, NOMEM.
 */
int xfs_log_writer_open(struct xfs_log_writer **out, const struct xfs_fs *, const struct xfs_log_state *,
			const struct xfs_log_writing *how);
void xfs_log_writer_close(struct xfs_log_writer *);	/* NULL is allowed */

/* Blocks (of 512 bytes) that a checkpoint of these regions takes. */
uint64_t xfs_log_checkpoint_blocks(const struct xfs_log_writer *, const struct xfs_log_region *, size_t n);
/* Blocks between the tail and the head. */
uint32_t xfs_log_writer_used(const struct xfs_log_writer *);
/* Where the next checkpoint will start: the LSN that its items will have. */
uint64_t xfs_log_writer_lsn(const struct xfs_log_writer *);

/*
 * Writes a checkpoint and makes it durable; *lsn is that of its first record.  Regions hold whole items one after the
 * other, none is empty; their bytes are padded to multiples of four here.  Errors: NOSPC (it does not fit between head
 * and tail, or fills more than half of the log): nothing was written; IO.
 */
int xfs_log_checkpoint_write(struct xfs_log_writer *, const struct xfs_log_region *, size_t n, uint64_t *lsn);
/*
 * What was written before `lsn` is not needed any more: it is in place, and durable there.  XFS_NULL64: nothing that
 * was written is.
 */
void xfs_log_writer_release(struct xfs_log_writer *, uint64_t lsn);
/* Says that the filesystem was left cleanly. xfs_log_writer_release() must have come before. Errors: IO. */
int xfs_log_writer_unmount(struct xfs_log_writer *);

#endif
