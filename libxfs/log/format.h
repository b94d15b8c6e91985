/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format.h - an empty log: zeroed, with the one record that says "cleanly unmounted" (format sheet 04, 8.1 and 8.2).
 * Layer: log.
 */
#ifndef XFS_LOG_FORMAT_H
#define XFS_LOG_FORMAT_H

#include "libxfs/device/device.h"
#include "libxfs/ondisk/superblock.h"

/*
 * The log of `sb` from byte `off` of the device on, at cycle 1.  Only right when no metadata holds a LSN above 1:0.
 * Errors: IO, NOMEM.
 */
int xfs_log_format_fresh(struct xfs_dev *, uint64_t off, const struct xfs_sb *sb);
/*
 * The same at a later cycle, for a filesystem that was in use (format sheet 04, 8.3): the next record has the LSN
 * cycle:length of the first one, which must lie above every LSN of the metadata.  Errors: IO, NOMEM, INVALID (cycle 0
 * or one that reads as a magic number, a log that can't hold two records).
 */
int xfs_log_format_cycle(struct xfs_dev *, uint64_t off, const struct xfs_sb *sb, uint32_t cycle);

#endif
