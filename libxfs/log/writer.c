/* SPDX-License-Identifier: BSD-2-Clause */
/* writer.c - records: from data and operations to stamped and summed blocks behind the head of the log. */
#include "libxfs/log/writer_priv.h"

#include <stdlib.h>

#define CLEAR_BLOCKS 4096u		/* as far ahead of the head as readers look for torn records */

static uint64_t lsn_of(uint32_t cycle, uint32_t block)
{
	return (uint64_t)cycle << 32 | block;
}

uint64_t xfs_log_writer_lsn(const struct xfs_log_writer *w)
{
	return lsn_of(w->cycle, w->head);
}

uint32_t xfs_log_writer_used(const struct xfs_log_writer *w)
{
	return w->tail_lsn == XFS_NULL64 ? 0 : xfs_log_distance(&w->area, (uint32_t)w->tail_lsn, w->head);
}

/* ---- records ---- */

static int area_write(const struct xfs_log_area *a, uint32_t blk, uint32_t count, uint8_t *buf)
{
	uint32_t first = a->blocks - blk < count ? a->blocks - blk : count;
	int err = xfs_dev_write(a->dev, a->start + (uint64_t)blk * XFS_BBSIZE, buf, (size_t)first * XFS_BBSIZE);

	if (!err && count > first)
		err = xfs_dev_write(a->dev, a->start, buf + (size_t)first * XFS_BBSIZE,
				    (size_t)(count - first) * XFS_BBSIZE);
	return err;
}

/* First words of the data go to the headers, the cycle takes their place. */
static void stamp(const struct xfs_log_writer *w, uint32_t len)
{
	uint8_t *data = w->record + w->headers * XFS_BBSIZE;

	for (uint32_t i = 1; i < w->headers; i++) {
		memset(w->record + i * XFS_BBSIZE, 0, XFS_BBSIZE);
		xfs_put_be32(w->record + i * XFS_BBSIZE, w->cycle);
	}
	for (uint32_t k = 0; k < len / XFS_BBSIZE; k++) {
		uint32_t first = k < XFS_LOG_CYCLES ? XFS_LOG_CYCLE_DATA_OFF
						    : k / XFS_LOG_CYCLES * XFS_BBSIZE + 4;

		memcpy(w->record + first + k % XFS_LOG_CYCLES * 4, data + k * XFS_BBSIZE, 4);
		xfs_put_be32(data + k * XFS_BBSIZE, w->cycle);
	}
}

/* What lies behind the end of the log belongs to the next cycle. */
static void stamp_wrapped(const struct xfs_log_writer *w, uint32_t blocks)
{
	for (uint32_t k = w->area.blocks - w->head; k < blocks; k++) {
		uint8_t *p = w->record + k * XFS_BBSIZE;

		xfs_put_be32(p, xfs_log_next_cycle(xfs_be32(p)));
	}
}

int xfs_log_record_write(struct xfs_log_writer *w)
{
	uint32_t total = (uint32_t)xfs_round_up(w->headers * XFS_BBSIZE + w->used, w->unit);
	struct xfs_log_record r = { .block = w->head, .headers = w->headers, .h = {
		.magicno = XFS_LOG_MAGIC, .cycle = w->cycle, .version = 2, .len = total - w->headers * XFS_BBSIZE,
		.lsn = xfs_log_writer_lsn(w), .prev_block = w->prev, .num_logops = w->nops,
		.tail_lsn = w->tail_lsn == XFS_NULL64 ? w->start_lsn : w->tail_lsn,
		.fmt = w->le ? XFS_LOG_FMT_LE : XFS_LOG_FMT_BE, .size = w->record_size,
	} };
	uint32_t blocks = total / XFS_BBSIZE;
	int err;

	memset(w->record, 0, XFS_BBSIZE);
	memset(w->record + w->headers * XFS_BBSIZE + w->used, 0, total - w->headers * XFS_BBSIZE - w->used);
	memcpy(r.h.fs_uuid, w->area.uuid, sizeof(r.h.fs_uuid));
	xfs_log_rec_encode(w->record, &r.h);
	stamp(w, r.h.len);
	if (blocks > w->area.blocks - w->head)
		stamp_wrapped(w, blocks);
	r.h.crc = xfs_log_record_crc(&r, w->record, XFS_LOG_CRC_HEADER);
	xfs_put_le32(w->record + XFS_OFF(log_rec, crc), r.h.crc);
	err = area_write(&w->area, w->head, blocks, w->record);
	w->prev = w->head;
	w->head += blocks;
	if (w->head >= w->area.blocks) {
		w->head -= w->area.blocks;
		w->cycle = xfs_log_next_cycle(w->cycle);
	}
	w->used = w->nops = 0;
	w->unflushed++;
	w->dirty = true;
	return err;
}

int xfs_log_writer_flush(struct xfs_log_writer *w)
{
	w->unflushed = 0;
	return xfs_dev_barrier(w->area.dev);
}

void xfs_log_writer_release(struct xfs_log_writer *w, uint64_t lsn)
{
	w->tail_lsn = lsn;
}

int xfs_log_writer_unmount(struct xfs_log_writer *w)
{
	struct xfs_log_op op = { .tid = w->tid++, .len = 8, .clientid = XFS_LOG_CLIENT_LOG,
				 .flags = XFS_LOG_OP_UNMOUNT };
	uint8_t *p = w->record + w->headers * XFS_BBSIZE;
	int err;

	w->start_lsn = xfs_log_writer_lsn(w);
	memset(p, 0, XFS_LOG_OP_SIZE + 8);
	xfs_log_op_encode(p, &op);
	xfs_st16(p + XFS_LOG_OP_SIZE, w->le, XFS_LOG_UNMOUNT_MAGIC);
	w->used = XFS_LOG_OP_SIZE + 8;
	w->nops = 1;
	err = xfs_log_record_write(w);
	if (!err)
		err = xfs_log_writer_flush(w);
	w->dirty = false;
	w->disk_tail = w->prev;
	return err;
}

/* ---- opening ---- */

/*
 * Stale records ahead of the head would be taken for newer ones: each such block becomes an empty record (section 7 J).
 */
static int clear_ahead(struct xfs_log_writer *w)
{
	const struct xfs_log_area *a = &w->area;
	uint32_t room = w->tail_lsn == XFS_NULL64 ? a->blocks - 1 : xfs_log_distance(a, w->head, (uint32_t)w->tail_lsn);
	uint32_t n = room < CLEAR_BLOCKS ? room : CLEAR_BLOCKS;
	uint8_t *p = malloc((size_t)n * XFS_BBSIZE);
	bool stale = false;
	int err = p ? xfs_log_area_read(a, w->head, n, p) : -XFS_E_NOMEM;

	for (uint32_t k = 0; !err && k < n; k++) {
		uint32_t at = w->head + k, blk = at < a->blocks ? at : at - a->blocks;
		uint32_t now = at < a->blocks ? w->cycle : xfs_log_next_cycle(w->cycle);
		uint8_t *b = p + (size_t)k * XFS_BBSIZE;
		uint32_t have = xfs_be32(b) == XFS_LOG_MAGIC ? xfs_be32(b + 4) : xfs_be32(b);
		struct xfs_log_rec r = {
			.magicno = XFS_LOG_MAGIC, .cycle = xfs_log_prev_cycle(now), .version = 2,
			.lsn = lsn_of(xfs_log_prev_cycle(now), blk), .tail_lsn = xfs_log_writer_lsn(w),
			.fmt = XFS_LOG_FMT_LE,
		};

		stale = stale || have == now;
		memcpy(r.fs_uuid, a->uuid, sizeof(r.fs_uuid));
		memset(b, 0, XFS_BBSIZE);
		xfs_log_rec_encode(b, &r);
	}
	if (!err && stale) {
		err = area_write(a, w->head, n, p);
		if (!err)
			err = xfs_dev_barrier(a->dev);
	}
	free(p);
	return err;
}

static int choose_size(struct xfs_log_writer *w, const struct xfs_sb *sb, uint32_t size)
{
	uint32_t stripe = sb->logsunit > 1 ? sb->logsunit : 0;

	if (!size)
		size = stripe > XFS_LOG_HEADER_DATA ? stripe : XFS_LOG_HEADER_DATA;
	w->unit = stripe ? stripe : sb->logsectsize ? sb->logsectsize : XFS_BBSIZE;
	if (size < 16384 || size > 262144 || size % XFS_BBSIZE || w->unit % XFS_BBSIZE || size % w->unit)
		return -XFS_E_INVALID;
	w->record_size = size;
	w->headers = size > XFS_LOG_HEADER_DATA ? (uint32_t)xfs_ceil_div(size, XFS_LOG_HEADER_DATA) : 1;
	/* a checkpoint fills less than half of the log, and records round up to units */
	return w->area.blocks / 8 < size / XFS_BBSIZE ? -XFS_E_NOSPC : 0;
}

int xfs_log_writer_open(struct xfs_log_writer **out, const struct xfs_fs *fs, const struct xfs_log_state *log,
			const struct xfs_log_writing *how)
{
	struct xfs_log_writer *w = calloc(1, sizeof(*w));
	int err = 0;

	*out = NULL;
	if (!w)
		return -XFS_E_NOMEM;
	if (log->kind != XFS_LOG_CLEAN && !(log->kind == XFS_LOG_DIRTY && how && how->behind))
		err = log->kind == XFS_LOG_DIRTY ? -XFS_E_DIRTYLOG : -XFS_E_CORRUPT;
	else if (xfs_log_area_find(&w->area, fs))
		err = -XFS_E_CORRUPT;
	else if (!w->area.v2)
		err = -XFS_E_UNSUPPORTED;
	if (!err)
		err = choose_size(w, &fs->geo.sb, how ? how->record_size : 0);
	if (!err && (log->head >= w->area.blocks || log->head % (w->unit / XFS_BBSIZE) ||
		     w->area.blocks % (w->unit / XFS_BBSIZE)))
		err = -XFS_E_UNSUPPORTED;
	if (!err) {
		w->record = malloc(w->record_size);
		err = w->record ? 0 : -XFS_E_NOMEM;
	}
	w->head = log->head;
	w->cycle = log->cycle;
	w->prev = log->zeroed ? XFS_NULL32 : (uint32_t)log->last_lsn;
	w->tail_lsn = log->kind == XFS_LOG_DIRTY ? log->tail_lsn : XFS_NULL64;
	w->disk_tail = log->kind == XFS_LOG_DIRTY ? log->tail : w->head;
	w->le = XFS_HOST_LE != (how && how->swapped);
	w->tid = (w->cycle * UINT32_C(0x9e3779b1)) ^ (w->head * UINT32_C(0x85ebca6b));
	if (!err)
		err = clear_ahead(w);
	if (err) {
		xfs_log_writer_close(w);
		return err;
	}
	*out = w;
	return 0;
}

void xfs_log_writer_close(struct xfs_log_writer *w)
{
	if (!w)
		return;
	free(w->record);
	free(w);
}
