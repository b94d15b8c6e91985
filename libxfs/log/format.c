/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - writes an empty log. */
#include "libxfs/log/format.h"

#include "libxfs/base/types.h"
#include "libxfs/ondisk/logrecord.h"

#include <stdlib.h>

#define TID UINT32_C(0xb0c0d0d0)	/* transaction number of records that tools write */
#define BIG_BLOCKS 512u			/* of the records that fill a log of a later cycle */

/* Where a record stands, and what it says of those before it; positions in 512-byte blocks. */
struct place {
	uint32_t cycle, block;
	uint64_t tail_lsn;
};

static uint64_t lsn_of(uint32_t cycle, uint32_t block)
{
	return (uint64_t)cycle << 32 | block;
}

/* The record's head, extended headers, unmount operation; all of it carries the cycle in each block's first word. */
static void make_record(uint8_t *p, uint32_t len, uint32_t unit, const struct xfs_sb *sb, const struct place *at)
{
	bool v2 = (sb->versionnum & XFS_SB_VERSION_LOGV2) != 0;
	uint32_t headers = v2 && unit > XFS_LOG_HEADER_DATA ? (uint32_t)xfs_ceil_div(unit, XFS_LOG_HEADER_DATA) : 1;
	struct xfs_log_rec rec = {
		.magicno = XFS_LOG_MAGIC, .cycle = at->cycle, .version = v2 ? 2 : 1, .len = len - headers * XFS_BBSIZE,
		.lsn = lsn_of(at->cycle, at->block), .tail_lsn = at->tail_lsn, .prev_block = XFS_NULL32,
		.num_logops = 1,
		.fmt = XFS_LOG_FMT_LE,	/* the same image on every machine; nobody replays an unmount record */
		.size = unit > XFS_LOG_HEADER_DATA ? unit : XFS_LOG_HEADER_DATA,
	};
	struct xfs_log_op op = { .tid = at->cycle, .len = 8, .clientid = XFS_LOG_CLIENT_LOG,
				 .flags = XFS_LOG_OP_UNMOUNT };

	memset(p, 0, len);
	for (uint32_t k = XFS_BBSIZE; k < len; k += XFS_BBSIZE)
		xfs_put_be32(p + k, at->cycle);
	memcpy(rec.fs_uuid, sb->uuid, sizeof(rec.fs_uuid));
	xfs_log_rec_encode(p, &rec);
	xfs_put_be32(p + XFS_LOG_CYCLE_DATA_OFF, TID);
	xfs_log_op_encode(p + headers * XFS_BBSIZE, &op);
	xfs_put_le16(p + headers * XFS_BBSIZE + sizeof(struct xfs_log_op_disk), XFS_LOG_UNMOUNT_MAGIC);
}

/* Everything behind the first record belongs to the cycle before: the head is found where that begins. */
static int fill(struct xfs_dev *dev, uint64_t off, const struct xfs_sb *sb, uint32_t cycle, uint32_t from, uint32_t n)
{
	bool v2 = (sb->versionnum & XFS_SB_VERSION_LOGV2) != 0;
	uint8_t *record = malloc(BIG_BLOCKS * XFS_BBSIZE);
	int err = record ? 0 : -XFS_E_NOMEM;

	for (uint32_t at = from, len, last = 0; at < n && !err; at += len, last = len) {
		struct place here = { cycle, at, lsn_of(cycle, at - last) };

		len = v2 ? BIG_BLOCKS : 2;
		if (len >= n - at)
			len = n - at;
		else if (n - at - len == 1)	/* a record has two blocks at least */
			len = v2 ? len - 2 : 3;
		make_record(record, len * XFS_BBSIZE, len * XFS_BBSIZE, sb, &here);
		err = xfs_dev_write(dev, off + (uint64_t)at * XFS_BBSIZE, record, (size_t)len * XFS_BBSIZE);
	}
	free(record);
	return err;
}

static int format(struct xfs_dev *dev, uint64_t off, const struct xfs_sb *sb, uint32_t cycle, uint32_t unit)
{
	uint64_t bytes = (uint64_t)sb->logblocks * sb->blocksize;
	uint32_t len = unit > 1024 ? unit : 1024, n = (uint32_t)(bytes / XFS_BBSIZE);
	struct place at = { cycle, 0, lsn_of(cycle, 0) };
	uint8_t *record;
	int err;

	if (!cycle || cycle == XFS_LOG_MAGIC || cycle == XFS_LOG_MAGIC + 1 || bytes / XFS_BBSIZE > UINT32_MAX ||
	    len % XFS_BBSIZE || len / XFS_BBSIZE + 2 > n)
		return -XFS_E_INVALID;
	record = malloc(len);
	err = record ? xfs_dev_zero(dev, off, bytes) : -XFS_E_NOMEM;
	if (!err && cycle > 1) {
		err = fill(dev, off, sb, cycle - 1, len / XFS_BBSIZE, n);
		at.tail_lsn = lsn_of(cycle - 1, n - len / XFS_BBSIZE);
	}
	if (!err) {
		make_record(record, len, unit, sb, &at);
		err = xfs_dev_write(dev, off, record, len);
	}
	free(record);
	return err;
}

int xfs_log_format_fresh(struct xfs_dev *dev, uint64_t off, const struct xfs_sb *sb)
{
	return format(dev, off, sb, 1, sb->logsunit > 1 ? sb->logsunit : sb->logsectsize);
}

int xfs_log_format_cycle(struct xfs_dev *dev, uint64_t off, const struct xfs_sb *sb, uint32_t cycle)
{
	return format(dev, off, sb, cycle, sb->logsunit > 1 ? sb->logsunit : XFS_BBSIZE);
}
