/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * area.h - the blocks of the log and the records in them (format sheet 04, sections 1 to 3).
 *
 * Blocks are 512 bytes and count from the start of the log, which is a ring.  A record is headers and data; while it
 * lies in the log the first word of each block is the cycle number (packed form), and the words themselves stand in the
 * headers.  Layer: log.
 */
#ifndef XFS_LOG_AREA_H
#define XFS_LOG_AREA_H

#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/logrecord.h"

#define XFS_LOG_MAX_RECORD (UINT32_C(1) << 22)	/* bytes; no writer makes records near this size */

struct xfs_log_area {
	struct xfs_dev *dev;
	uint64_t start;			/* byte of block 0 on the device */
	uint32_t blocks;
	bool v2, v5;			/* of the log; of the filesystem */
	const uint8_t *uuid;		/* that records carry: points into the filesystem */
};

/* A record by its header; what is there says more than h_len: xfs_log_record_blocks(). */
struct xfs_log_record {
	struct xfs_log_rec h;
	uint32_t block;			/* of the first header */
	uint32_t headers;		/* blocks of headers */
};

/* NULL, or why the log cannot be looked at (static). */
const char *xfs_log_area_find(struct xfs_log_area *, const struct xfs_fs *);
/* Reads blocks [blk, blk + count), going round the end; blk < blocks, count <= blocks. Errors of the device. */
int xfs_log_area_read(const struct xfs_log_area *, uint32_t blk, uint32_t count, uint8_t *buf);
/*
 * The same, and sectors that cannot be read are zeroes: *holes is set then
 * (NULL: nobody asks). Other errors of the device.
 */
int xfs_log_area_read_most(const struct xfs_log_area *, uint32_t blk, uint32_t count, uint8_t *buf, bool *holes);

/*
 * Decodes the header that block `blk` holds.  NULL when version and lengths make sense, so that the record fits into
 * the log; else why not (static).
 */
const char *xfs_log_record_parse(const struct xfs_log_area *, uint32_t blk, const uint8_t *header,
				 struct xfs_log_record *out);
/* The record belongs to this filesystem; `nil_ok`: or says nothing of it. */
bool xfs_log_record_is_ours(const struct xfs_log_area *, const struct xfs_log_record *, bool nil_ok);
/* The checksum fits the packed record, xfs_log_record_blocks() blocks of it. */
bool xfs_log_record_crc_fits(const struct xfs_log_record *, const uint8_t *packed);
/* The checksum that a packed record should have, over `header` bytes of the first block (328; 324 on 32-bit x86). */
uint32_t xfs_log_record_crc(const struct xfs_log_record *, const uint8_t *packed, uint32_t header);

XFS_INLINE uint32_t xfs_log_record_blocks(const struct xfs_log_record *r)
{
	return r->headers + (uint32_t)xfs_ceil_div(r->h.len, XFS_BBSIZE);
}
/* Distance from a to b going forward; 0 when they are equal. */
XFS_INLINE uint32_t xfs_log_distance(const struct xfs_log_area *a, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + a->blocks - from;
}
/* The cycle after this one: the number that reads as the magic of a record is left out. */
XFS_INLINE uint32_t xfs_log_next_cycle(uint32_t cycle)
{
	return cycle + 1 == XFS_LOG_MAGIC ? cycle + 2 : cycle + 1;
}
XFS_INLINE uint32_t xfs_log_prev_cycle(uint32_t cycle)
{
	return cycle - 1 == XFS_LOG_MAGIC ? cycle - 2 : cycle - 1;
}

#endif
