/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logsize.h - how large the log must be: the reservations of the kernel's transactions and what follows from them
 * (format sheet 04, section 12).  A V5 filesystem with a smaller log does not mount.  Pure functions.  Layer: log.
 *
 * Without a realtime section: its transactions are not in the table yet.
 */
#ifndef XFS_LOG_LOGSIZE_H
#define XFS_LOG_LOGSIZE_H

#include "libxfs/mount/geometry.h"

#define XFS_LOG_MAX_BLOCKS (1u << 20)
#define XFS_LOG_MAX_BYTES UINT64_C(2136997888)	/* 2 GiB - 10 MiB */
#define XFS_LOG_MIN_BLOCKS 512u

struct xfs_log_reservation {
	uint64_t bytes;
	uint32_t count;		/* rolling transactions that hold it at once */
};

/* The reservation with the largest bytes * count. */
struct xfs_log_reservation xfs_log_largest(const struct xfs_geometry *);
/* Smallest log in blocks, not below XFS_LOG_MIN_BLOCKS; sunit = sb_logsunit, bytes (0 and 1: none). */
uint64_t xfs_log_minimum(const struct xfs_geometry *, uint32_t sunit);

#endif
