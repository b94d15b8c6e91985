/* SPDX-License-Identifier: BSD-2-Clause */
/* dquot.c - tables of quota records. */
#include "libxfs/ondisk/dquot.h"

static size_t here(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off;
}

XFS_STRUCT_DEFINE(disk_dquot, XFS_DISK_DQUOT_ROWS);
XFS_STRUCT_DEFINE(dquot, XFS_DQUOT_ROWS);

static const struct xfs_row dqblk_rows[] = {
	XFS_ROW_A_(dqblk, diskdq, xfs_disk_dquot_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DQUOT_TAIL_ROWS(dqblk, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
};
XFS_DESC_DEFINE(dqblk, sizeof(struct xfs_dquot_disk), dqblk_rows);
