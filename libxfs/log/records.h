/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.h - the records between two places of the log, in order, whole and unpacked.
 *
 * Each record is checked before it is handed out: its place, cycle stamps of all of its blocks, checksum (with one bit
 * that is flipped put right), filesystem, byte order.  What is wrong ends the reading with a reason; records behind it
 * are not looked at.  Reads are large and in order; memory does not grow with the log.  Layer: log.
 */
#ifndef XFS_LOG_RECORDS_H
#define XFS_LOG_RECORDS_H

#include "libxfs/log/load.h"
#include "libxfs/log/state.h"

struct xfs_log_reader {
	struct xfs_log_area area;
	uint32_t head, cycle;		/* where reading ends, and the cycle there */
	uint32_t at, left;		/* next record, blocks to the head */
	/* of the record that was read last: h.len bytes, unpacked; until the next call */
	const uint8_t *data;
	const char *why;		/* static: what ended the reading */
	uint64_t mended;		/* records that were read with one flipped bit put right */
	/* internal */
	uint8_t *window;
	size_t room;			/* bytes */
	uint32_t window_at, window_len;	/* blocks */
	uint32_t ahead;			/* blocks that were read last at once */
	struct xfs_log_loaded loaded;	/* the record that was mended last */
};

/*
 * From the tail to the head that were found; both may be changed before the first call of next (at, left).  Errors:
 * NOMEM, and CORRUPT with `why` when the log cannot be looked at (state UNREADABLE).  A clean log has no records.
 */
int xfs_log_reader_init(struct xfs_log_reader *, const struct xfs_fs *, const struct xfs_log_state *);
void xfs_log_reader_free(struct xfs_log_reader *);
/*
 * The next record. NOENT at the head.  CORRUPT, BADCRC (V5; V4 filesystems never had checksums that counted),
 * UNSUPPORTED (a byte order that is not known), IO and NOMEM end the reading; at is the bad record.
 */
int xfs_log_reader_next(struct xfs_log_reader *, struct xfs_log_record *out);
/*
 * Moves the start back over whole records, as long as each ends where the next one begins and reads well: what the log
 * still holds of its past.  Before the first next(). Errors: IO, NOMEM.
 */
int xfs_log_reader_extend(struct xfs_log_reader *);

XFS_INLINE bool xfs_log_record_is_le(const struct xfs_log_record *r)
{
	return r->h.fmt == XFS_LOG_FMT_LE;
}

#endif
