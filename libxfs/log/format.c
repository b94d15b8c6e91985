/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - writes an empty log. */
#include "libxfs/log/format.h"

#include "libxfs/base/types.h"
#include "libxfs/ondisk/logrecord.h"

#include <stdlib.h>

#define TID UINT32_C(0xb0c0d0d0)	/* transaction number of records that tools write */
#define CYCLE 1u

/* The record's head, extended headers, unmount operation; all of it carries the cycle in each block's first word. */
static void make_record(uint8_t *p, uint32_t len, uint32_t unit, const struct xfs_sb *sb)
{
	bool v2 = (sb->versionnum & XFS_SB_VERSION_LOGV2) != 0;
	uint32_t headers = v2 && unit > XFS_LOG_HEADER_DATA ? (uint32_t)xfs_ceil_div(unit, XFS_LOG_HEADER_DATA) : 1;
	struct xfs_log_rec rec = {
		.magicno = XFS_LOG_MAGIC, .cycle = CYCLE, .version = v2 ? 2 : 1, .len = len - headers * XFS_BBSIZE,
		.lsn = (uint64_t)CYCLE << 32, .tail_lsn = (uint64_t)CYCLE << 32, .prev_block = XFS_NULL32,
				.num_logops = 1,
		.fmt = XFS_LOG_FMT_LE,	/* the same image on every machine; nobody replays an unmount record */
		.size = unit > XFS_LOG_HEADER_DATA ? unit : XFS_LOG_HEADER_DATA,
	};
	struct xfs_log_op op = { .tid = CYCLE, .len = 8, .clientid = XFS_LOG_CLIENT_LOG, .flags = XFS_LOG_OP_UNMOUNT };

	for (uint32_t at = XFS_BBSIZE; at < len; at += XFS_BBSIZE)
		xfs_put_be32(p + at, CYCLE);
	memcpy(rec.fs_uuid, sb->uuid, sizeof(rec.fs_uuid));
	xfs_log_rec_encode(p, &rec);
	xfs_put_be32(p + XFS_LOG_CYCLE_DATA_OFF, TID);
	xfs_log_op_encode(p + headers * XFS_BBSIZE, &op);
	xfs_put_le16(p + headers * XFS_BBSIZE + sizeof(struct xfs_log_op_disk), XFS_LOG_UNMOUNT_MAGIC);
}

int xfs_log_format_fresh(struct xfs_dev *dev, uint64_t off, const struct xfs_sb *sb)
{
	uint32_t unit = sb->logsunit > 1 ? sb->logsunit : sb->logsectsize, len = unit > 1024 ? unit : 1024;
	uint8_t *record = calloc(1, len);
	int err = record ? xfs_dev_zero(dev, off, (uint64_t)sb->logblocks * sb->blocksize) : -XFS_E_NOMEM;

	if (!err) {
		make_record(record, len, unit, sb);
		err = xfs_dev_write(dev, off, record, len);
	}
	free(record);
	return err;
}
