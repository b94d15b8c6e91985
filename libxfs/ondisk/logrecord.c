/* SPDX-License-Identifier: BSD-2-Clause */
/* logrecord.c - tables of the log's record and operation headers. */
#include "libxfs/ondisk/logrecord.h"

XFS_STRUCT_DEFINE(log_rec, XFS_LOG_REC_ROWS);
XFS_STRUCT_DEFINE(log_op, XFS_LOG_OP_ROWS);
