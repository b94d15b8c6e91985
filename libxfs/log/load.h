/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h - one record of the log, whole: read, judged by its own bytes, and mended where one bit is flipped.
 *
 * CRC32C is linear, so the checksum names the bit; where the bit makes the header unreadable, each bit of the fields
 * that say where a record ends is tried.  Sectors that cannot be read are zeroes, and the checksum decides.  Layer:
 * log.
 */
#ifndef XFS_LOG_LOAD_H
#define XFS_LOG_LOAD_H

#include "libxfs/log/area.h"

/* Starts as all zeroes; xfs_log_loaded_free(). */
struct xfs_log_loaded {
	uint8_t *p;			/* the packed record: xfs_log_record_blocks() blocks */
	size_t room;			/* bytes */
	struct xfs_log_record r;
	bool mended;			/* one bit is not as on the device */
	const char *why;		/* static: what is wrong */
};

/*
 * The record that begins at block `blk`.  Errors: CORRUPT (none is there), BADCRC (all else fits), NOMEM, and those of
 * the device but for sectors that cannot be read.  Records without a checksum are judged by the cycle stamps of their
 * blocks.
 */
int xfs_log_load(const struct xfs_log_area *, uint32_t blk, struct xfs_log_loaded *);
/*
 * Does a record begin here, but for at most one bit of its magic number?  Elsewhere cycle numbers stand in the first
 * words of blocks.  Headers without length and checksum are what kernels write over thousands of old blocks at a mount:
 * none of a record, and nothing could mend them.
 */
XFS_INLINE bool xfs_log_may_be_record(const uint8_t *p)
{
	uint32_t differs = xfs_be32(p) ^ XFS_LOG_MAGIC;

	return !(differs & (differs - 1)) &&
	       (xfs_be32(p + XFS_OFF(log_rec, len)) || xfs_be32(p + XFS_OFF(log_rec, crc)));
}
void xfs_log_loaded_free(struct xfs_log_loaded *);

#endif
