/* SPDX-License-Identifier: BSD-2-Clause */
/* checkpoint.c - cuts the regions of a transaction into operations and records (format sheet 04, sections 4, 15.1). */
#include "libxfs/log/writer_priv.h"

#define HDR_SIZE ((uint32_t)sizeof(struct xfs_log_trans_hdr_disk))
#define FLUSH_EVERY 7u		/* readers look for torn records no more than eight records back */

/* One pass over the regions; a dry one only counts. */
struct cut {
	struct xfs_log_writer *w;
	const struct xfs_log_writer *geo;
	bool dry;
	uint32_t room, used;		/* data bytes of a record */
	uint64_t blocks;		/* of finished records */
	uint32_t tid;
	uint32_t nops;
};

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~UINT32_C(3);
}

/* The last record has the commit: what is before must be durable then. */
static int close_record(struct cut *c, bool last)
{
	struct xfs_log_writer *w = c->w;
	int err = 0;

	c->blocks += xfs_round_up(c->geo->headers * XFS_BBSIZE + c->used, c->geo->unit) / XFS_BBSIZE;
	if (!c->dry) {
		if (last && w->unflushed)
			err = xfs_log_writer_flush(w);
		w->used = c->used;
		w->nops = c->nops;
		if (!err)
			err = xfs_log_record_write(w);
		if (!err && (last || w->unflushed >= FLUSH_EVERY))
			err = xfs_log_writer_flush(w);
	}
	c->used = c->nops = 0;
	return err;
}

/* An operation with `n` bytes from `p`, of which `have` exist; there is room for it. */
static void put_op(struct cut *c, unsigned flags, const uint8_t *p, uint32_t n, uint32_t have)
{
	struct xfs_log_op op = { .tid = c->tid, .len = n, .clientid = XFS_LOG_CLIENT_TRANS, .flags = (uint8_t)flags };
	uint8_t *to;

	if (!c->dry) {
		to = c->w->record + c->w->headers * XFS_BBSIZE + c->used;
		xfs_log_op_encode(to, &op);
		if (have)
			memcpy(to + XFS_LOG_OP_SIZE, p, have);
		memset(to + XFS_LOG_OP_SIZE + have, 0, n - have);
	}
	c->used += XFS_LOG_OP_SIZE + n;
	c->nops++;
}

/* An operation that must stay in one piece. */
static int put_whole(struct cut *c, unsigned flags, const uint8_t *p, uint32_t n)
{
	int err = c->room - c->used < XFS_LOG_OP_SIZE + n ? close_record(c, false) : 0;

	if (!err)
		put_op(c, flags, p, n, n);
	return err;
}

static int put_region(struct cut *c, const struct xfs_log_region *r)
{
	uint32_t left = padded(r->len), done = 0;
	int err = 0;

	while (left && !err) {
		uint32_t n, have;

		if (c->room - c->used < XFS_LOG_OP_SIZE + 4)
			err = close_record(c, false);
		if (err)
			break;
		n = c->room - c->used - XFS_LOG_OP_SIZE;
		n = left < n ? left : n;
		have = r->len - done < n ? r->len - done : n;
		put_op(c, (done ? XFS_LOG_OP_WAS_CONT : 0) | (n < left ? XFS_LOG_OP_CONTINUE :
							      done ? XFS_LOG_OP_END : 0),
		       r->p + done, n, have);
		done += n;
		left -= n;
	}
	return err;
}

static int cut(struct cut *c, const struct xfs_log_region *r, size_t n)
{
	struct xfs_log_trans_hdr h = {
		.magic = XFS_LOG_TRANS_MAGIC, .type = XFS_LOG_TRANS_CHECKPOINT, .tid = c->tid, .num_items = (uint32_t)n,
	};
	uint8_t header[HDR_SIZE];
	int err;

	xfs_log_trans_hdr_encode_as(header, &h, c->geo->le);
	err = put_whole(c, XFS_LOG_OP_START, NULL, 0);
	if (!err)
		err = put_whole(c, 0, header, HDR_SIZE);
	for (size_t i = 0; i < n && !err; i++)
		err = put_region(c, &r[i]);
	if (!err)
		err = put_whole(c, XFS_LOG_OP_COMMIT, NULL, 0);
	return err ? err : close_record(c, true);
}

static uint32_t room_of(const struct xfs_log_writer *w)
{
	return w->record_size - w->headers * XFS_BBSIZE;
}

uint64_t xfs_log_checkpoint_blocks(const struct xfs_log_writer *w, const struct xfs_log_region *r, size_t n)
{
	struct cut c = { .geo = w, .dry = true, .room = room_of(w) };

	cut(&c, r, n);
	return c.blocks;
}

int xfs_log_checkpoint_write(struct xfs_log_writer *w, const struct xfs_log_region *r, size_t n, uint64_t *lsn)
{
	struct cut c = { .w = w, .geo = w, .room = room_of(w), .tid = w->tid };
	uint64_t blocks = xfs_log_checkpoint_blocks(w, r, n);
	uint32_t kept = xfs_log_distance(&w->area, w->disk_tail, w->head);
	int err;

	/* one unit stays free, so that head and tail never meet */
	if (n > UINT32_MAX || blocks > w->area.blocks / 2 || blocks + w->unit / XFS_BBSIZE > w->area.blocks - kept)
		return -XFS_E_NOSPC;
	*lsn = w->start_lsn = xfs_log_writer_lsn(w);
	err = cut(&c, r, n);
	if (err)
		return err;
	if (w->tail_lsn == XFS_NULL64)
		w->tail_lsn = w->start_lsn;
	w->disk_tail = (uint32_t)w->tail_lsn;
	w->tid++;
	return 0;
}
