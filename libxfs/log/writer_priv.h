/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer_priv.h - what records (writer.c) and checkpoints (checkpoint.c) of a log writer share.
 */
#ifndef XFS_LOG_WRITER_PRIV_H
#define XFS_LOG_WRITER_PRIV_H

#include "libxfs/log/writer.h"

#define XFS_LOG_OP_SIZE ((uint32_t)sizeof(struct xfs_log_op_disk))
#define XFS_LOG_CYCLES 64u			/* words that one header block keeps */
#define XFS_LOG_CRC_HEADER 328u			/* bytes of the first header block that are summed */

/* Writes what was gathered (w->used bytes, w->nops operations) as a record; the next one goes behind it. Errors: IO. */
int xfs_log_record_write(struct xfs_log_writer *);
/* Everything written is durable. */
int xfs_log_writer_flush(struct xfs_log_writer *);

#endif
