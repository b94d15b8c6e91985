/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate_priv.h - the two halves of the validator: validate.c (records, operations), validate_items.c (items).
 */
#ifndef XFS_LOG_VALIDATE_PRIV_H
#define XFS_LOG_VALIDATE_PRIV_H

#include "libxfs/log/transactions.h"
#include "libxfs/log/validate.h"

int xfs_log_validate_items(const struct xfs_fs *, const struct xfs_log_state *, struct xfs_log_audit *);

#endif
