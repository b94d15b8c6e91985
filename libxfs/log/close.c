/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close.c - clears stale blocks ahead of the head and writes the unmount
 * record; or makes an end of a log that is damaged.
 */
#include "libxfs/log/close.h"

#include "libxfs/log/area.h"
#include "libxfs/log/parts.h"

#include <stdlib.h>

#define TID UINT32_C(0xb0c0d0d0)	/* transaction number of records that tools write */
#define PIECE 512u			/* blocks written at once */

/* Writes blocks [blk, blk + count), going round the end; blk < blocks, count < blocks. */
static int put_blocks(const struct xfs_log_area *a, uint32_t blk, uint32_t count, const uint8_t *p)
{
	uint32_t first = a->blocks - blk < count ? a->blocks - blk : count;
	int err = xfs_dev_write(a->dev, a->start + (uint64_t)blk * XFS_BBSIZE, p, (size_t)first * XFS_BBSIZE);

	if (!err && count > first)
		err = xfs_dev_write(a->dev, a->start, p + (size_t)first * XFS_BBSIZE,
				    (size_t)(count - first) * XFS_BBSIZE);
	return err;
}

/* Cycle that a block has when the head has come past it. */
static uint32_t cycle_at(const struct xfs_log_state *st, uint32_t blk)
{
	return blk >= st->head ? st->cycle : xfs_log_next_cycle(st->cycle);
}

static struct xfs_log_rec header_of(const struct xfs_log_area *a, uint32_t cycle, uint32_t blk)
{
	struct xfs_log_rec rec = {
		.magicno = XFS_LOG_MAGIC, .cycle = cycle, .version = a->v2 ? 2 : 1, .lsn = (uint64_t)cycle << 32 | blk,
		/* the same on every machine; nobody replays it */
		.prev_block = XFS_NULL32, .fmt = XFS_LOG_FMT_LE,
	};

	memcpy(rec.fs_uuid, a->uuid, sizeof(rec.fs_uuid));
	return rec;
}

/* Records without length, of the cycle before: `n` of them, `far` blocks from the head. p: room for them. */
static int put_empty(const struct xfs_log_area *a, const struct xfs_log_state *st, uint32_t far, uint32_t n, uint8_t *p)
{
	uint32_t first = (uint32_t)(((uint64_t)st->head + far) % a->blocks);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t blk = (uint32_t)(((uint64_t)first + k) % a->blocks);
		struct xfs_log_rec rec = header_of(a, xfs_log_prev_cycle(cycle_at(st, blk)), blk);

		rec.tail_lsn = st->tail_lsn;
		rec.prev_block = 0;
		xfs_log_rec_encode(p + (size_t)k * XFS_BBSIZE, &rec);
	}
	return put_blocks(a, first, n, p);
}

static int clear_ahead(const struct xfs_log_area *a, const struct xfs_log_state *st)
{
	uint32_t count = (uint32_t)xfs_min(a->v2 ? 4096 : 512, xfs_log_distance(a, st->head, st->tail));
	uint8_t *p = calloc(PIECE, XFS_BBSIZE);
	int err = p ? 0 : -XFS_E_NOMEM;

	for (uint32_t done = 0, n; done < count && !err; done += n) {
		n = (uint32_t)xfs_min(PIECE, count - done);
		err = put_empty(a, st, done, n, p);
	}
	free(p);
	return err ? err : xfs_dev_barrier(a->dev);
}

struct shape {
	uint32_t unit;			/* bytes that records are rounded to */
	uint32_t headers, blocks;	/* of the record */
	uint32_t size;			/* h_size */
};

static struct shape shape_of(const struct xfs_sb *sb, const struct xfs_log_area *a, const struct xfs_log_state *st)
{
	struct shape s = { .unit = a->v2 && sb->logsunit > XFS_BBSIZE ? sb->logsunit : XFS_BBSIZE };

	s.size = (uint32_t)xfs_max(xfs_max(s.unit, XFS_LOG_HEADER_DATA), xfs_min(st->record_size, XFS_LOG_MAX_RECORD));
	s.headers = a->v2 ? (uint32_t)xfs_ceil_div(s.size, XFS_LOG_HEADER_DATA) : 1;
	s.blocks = (uint32_t)(xfs_ceil_div((s.headers + 1) * XFS_BBSIZE, s.unit) * (s.unit / XFS_BBSIZE));
	return s;
}

static void make_record(uint8_t *p, const struct shape *s, const struct xfs_log_area *a, const struct xfs_log_state *st)
{
	struct xfs_log_record r = { .h = header_of(a, st->cycle, st->head), .block = st->head, .headers = s->headers };
	struct xfs_log_op op = { .tid = TID, .len = 8, .clientid = XFS_LOG_CLIENT_LOG, .flags = XFS_LOG_OP_UNMOUNT };
	uint8_t *data = p + (size_t)s->headers * XFS_BBSIZE;

	r.h.len = (s->blocks - s->headers) * XFS_BBSIZE;
	r.h.tail_lsn = r.h.lsn;
	r.h.prev_block = (uint32_t)st->last_lsn;
	r.h.num_logops = 1;
	r.h.size = s->size;
	for (uint32_t k = 1; k < s->blocks; k++)
		xfs_put_be32(p + (size_t)k * XFS_BBSIZE, cycle_at(st, (st->head + k) % a->blocks));
	xfs_log_op_encode(data, &op);
	xfs_put_le16(data + sizeof(struct xfs_log_op_disk), XFS_LOG_UNMOUNT_MAGIC);
	/* the word that the cycle takes the place of */
	xfs_log_rec_encode(p, &r.h);
	memcpy(p + XFS_LOG_CYCLE_DATA_OFF, data, sizeof(uint32_t));
	xfs_put_be32(data, cycle_at(st, (st->head + s->headers) % a->blocks));
	r.h.crc = xfs_log_record_crc(&r, p, 328);
	xfs_log_rec_set_crc((struct xfs_log_rec_disk *)p, r.h.crc);
}

int xfs_log_close(const struct xfs_fs *fs, const struct xfs_log_state *st)
{
	struct xfs_log_area a;
	struct shape s;
	uint8_t *p;
	int err;

	if (st->kind == XFS_LOG_CLEAN)
		return 0;
	if (st->kind == XFS_LOG_UNREADABLE || xfs_log_area_find(&a, fs) || st->head >= a.blocks || st->tail >= a.blocks)
		return -XFS_E_CORRUPT;
	if (a.dev->readonly)
		return -XFS_E_READONLY;
	s = shape_of(&fs->geo.sb, &a, st);
	if (xfs_log_distance(&a, st->head, st->tail) <= s.blocks)
		return -XFS_E_NOSPC;
	err = clear_ahead(&a, st);
	if (err)
		return err;
	p = calloc(s.blocks, XFS_BBSIZE);
	if (!p)
		return -XFS_E_NOMEM;
	make_record(p, &s, &a, st);
	err = put_blocks(&a, st->head, s.blocks, p);
	free(p);
	return err ? err : xfs_dev_barrier(a.dev);
}

int xfs_log_cut(const struct xfs_fs *fs, const struct xfs_log_parts *parts)
{
	struct xfs_log_state end = parts->before;
	struct xfs_log_area a;
	uint32_t room;
	uint8_t *p;
	int err = 0;

	end.tail_lsn = parts->tail_lsn;
	end.tail = (uint32_t)parts->tail_lsn;
	if (end.kind != XFS_LOG_DIRTY || xfs_log_area_find(&a, fs) || end.head >= a.blocks || end.tail >= a.blocks ||
	    end.head == end.tail)
		return -XFS_E_CORRUPT;
	if (a.dev->readonly)
		return -XFS_E_READONLY;
	room = xfs_log_distance(&a, end.head, end.tail);
	if (room <= xfs_log_distance(&a, end.head, parts->whole.head))
		return -XFS_E_NOSPC;
	p = calloc(PIECE, XFS_BBSIZE);
	if (!p)
		return -XFS_E_NOMEM;
	for (uint32_t left = room, n; left && !err; left -= n) {
		n = (uint32_t)xfs_min(PIECE, left);
		err = put_empty(&a, &end, left - n, n, p);
	}
	free(p);
	return err ? err : xfs_dev_barrier(a.dev);
}
