/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate.h - is this a log that we may hand to a kernel?  Stricter than any reader: what kernels happen to accept,
 * but never write, is refused, and so is all that is known to crash or to mislead one (format sheet 04, sections 9.7
 * and 15).
 *
 * For logs of our own writer (and synthesised ones in tests) before the first mount; logs of kernels break some of
 * these rules (garbage in paddings, several open transactions).  Read-only.  Layer: log.
 */
#ifndef XFS_LOG_VALIDATE_H
#define XFS_LOG_VALIDATE_H

#include "libxfs/log/state.h"

#define XFS_LOG_AUDIT_TYPES 0x20u

struct xfs_log_audit {
	/*
	 * NULL: all rules hold. Else what does not (static) and where: block of
	 * the record, number of the operation or item
	 */
	const char *why;
	uint32_t block, number;
	/* what the log holds, as far as it was read */
	uint64_t records, checkpoints, unfinished, items;
	uint64_t of_type[XFS_LOG_AUDIT_TYPES];	/* items by type - 0x1230; of committed checkpoints */
	uint64_t open[XFS_LOG_AUDIT_TYPES];	/* intents without their done item, by type - 0x1230 */
};

/* CORRUPT: `why` is set. Other errors: NOMEM, IO. A clean log is fine and holds nothing. */
int xfs_log_validate(const struct xfs_fs *, const struct xfs_log_state *, struct xfs_log_audit *out);

#endif
