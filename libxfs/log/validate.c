/* SPDX-License-Identifier: BSD-2-Clause */
/* validate.c - strict rules for a log that is to be replayed: records and operations first, then items. */
#include "libxfs/log/validate.h"

#include "libxfs/log/validate_priv.h"

/* ---- records ---- */

/* What must stay the same from record to record. */
struct walk {
	const struct xfs_fs *fs;
	struct xfs_log_area area;
	struct xfs_log_audit *out;
	uint32_t unit, size, fmt;
	uint64_t last_tail;
	uint32_t prev;
	/* the open transaction */
	bool open, cut, has_header;
	uint32_t tid, regions, want_regions;
	uint64_t start_block_count, blocks;
};

static int broken(struct xfs_log_audit *a, const char *why)
{
	a->why = why;
	return -XFS_E_CORRUPT;
}

static int check_record(struct walk *w, const struct xfs_log_record *r)
{
	struct xfs_log_audit *a = w->out;
	uint32_t total = xfs_log_record_blocks(r) * XFS_BBSIZE;

	a->block = r->block;
	a->number = 0;
	if (!a->records) {
		w->size = r->h.size;
		w->fmt = r->h.fmt;
		/* it may be the one that announced anew what older ones did, while their tail still counted */
		w->last_tail = r->h.tail_lsn;
	} else if (r->h.prev_block != w->prev) {
		return broken(a, "a record does not name the one before it");
	}
	a->records++;
	w->prev = r->block;
	w->blocks += xfs_log_record_blocks(r);
	if (r->h.size != w->size || r->h.fmt != w->fmt)
		return broken(a, "records differ in size or byte order");
	if (r->h.len % XFS_BBSIZE || total % w->unit || r->block % (w->unit / XFS_BBSIZE) || total > r->h.size)
		return broken(a, "a record is not rounded to the unit of the log, or too long");
	if (r->h.lsn != ((uint64_t)r->h.cycle << 32 | r->block))
		return broken(a, "a record has the LSN of another place");
	if (!r->h.crc && w->fs->geo.v5)
		return broken(a, "a record has no checksum");
	if (r->h.tail_lsn < w->last_tail || r->h.tail_lsn > r->h.lsn)
		return broken(a, "the tail is behind the record, or has moved back");
	w->last_tail = r->h.tail_lsn;
	return 0;
}

/* ---- operations ---- */

static int check_start(struct walk *w, const struct xfs_log_op *op)
{
	if (w->open)
		return broken(w->out, "a transaction begins in another one");
	if (op->len)
		return broken(w->out, "the start of a transaction has data");
	w->open = true;
	w->has_header = false;
	w->tid = op->tid;
	w->regions = 0;
	w->start_block_count = w->blocks;
	return 0;
}

static int check_header(struct walk *w, const struct xfs_log_op *op, const uint8_t *p)
{
	struct xfs_log_trans_hdr h;

	if (op->flags || op->len != sizeof(struct xfs_log_trans_hdr_disk))
		return broken(w->out, "the header of a transaction is cut or has the wrong length");
	xfs_log_trans_hdr_decode_as(&h, p, w->fmt == XFS_LOG_FMT_LE);
	if (h.magic != XFS_LOG_TRANS_MAGIC || h.type != XFS_LOG_TRANS_CHECKPOINT || h.tid != op->tid || !h.num_items)
		return broken(w->out, "the header of a transaction is not a checkpoint's");
	w->has_header = true;
	w->want_regions = h.num_items;
	return 0;
}

static int check_commit(struct walk *w, const struct xfs_log_op *op)
{
	if (op->len)
		return broken(w->out, "a commit has data");
	if (!w->has_header || w->cut || w->regions != w->want_regions)
		return broken(w->out, "a transaction is committed before it is whole");
	if (w->blocks - w->start_block_count > w->area.blocks / 2)
		return broken(w->out, "a checkpoint fills more than half of the log");
	w->open = false;
	w->out->checkpoints++;
	return 0;
}

/* A region or a piece of one; `ends`: the last operation of its record. */
static int check_piece(struct walk *w, const struct xfs_log_op *op, bool ends)
{
	const unsigned f = op->flags;
	bool on = f & XFS_LOG_OP_WAS_CONT, more = f & XFS_LOG_OP_CONTINUE, last = f & XFS_LOG_OP_END;

	if (f & ~(XFS_LOG_OP_WAS_CONT | XFS_LOG_OP_CONTINUE | XFS_LOG_OP_END))
		return broken(w->out, "an operation has flags that do not go together");
	if (on != w->cut)
		return broken(w->out, on ? "a region goes on that was not cut" :
			      "a region that was cut does not go on");
	if (last != (on && !more))
		return broken(w->out, "the end of a region is not marked");
	if (!op->len || op->len % 4)
		return broken(w->out, "a piece of a region is empty or of odd length");
	if (more && !ends)
		return broken(w->out, "a region is cut before the end of the record");
	if (!on)
		w->regions++;
	w->cut = more;
	return 0;
}

static int check_op(struct walk *w, const struct xfs_log_op *op, const uint8_t *p, bool first, bool ends)
{
	if (op->clientid != XFS_LOG_CLIENT_TRANS || op->res2)
		return broken(w->out, "an operation is of another client");
	if (w->cut && first && !(op->flags & XFS_LOG_OP_WAS_CONT))
		return broken(w->out, "a region that was cut does not go on");
	if (op->flags == XFS_LOG_OP_START)
		return check_start(w, op);
	if (!w->open || op->tid != w->tid)
		return broken(w->out, "an operation belongs to no open transaction");
	if (!w->has_header)
		return check_header(w, op, p);
	return op->flags == XFS_LOG_OP_COMMIT ? check_commit(w, op) : check_piece(w, op, ends);
}

static int check_ops(struct walk *w, const struct xfs_log_record *r, const uint8_t *data)
{
	uint32_t at = 0;
	int err = 0;

	if (!r->h.num_logops)
		return broken(w->out, "a record has no operations");
	for (uint32_t i = 0; i < r->h.num_logops && !err; i++) {
		struct xfs_log_op op;

		w->out->number = i + 1;
		if (r->h.len - at < sizeof(struct xfs_log_op_disk))
			return broken(w->out, "an operation runs over the end of its record");
		xfs_log_op_decode(&op, data + at);
		at += (uint32_t)sizeof(struct xfs_log_op_disk);
		if (op.len > r->h.len - at)
			return broken(w->out, "an operation runs over the end of its record");
		err = check_op(w, &op, data + at, !i, i + 1 == r->h.num_logops);
		at += op.len;
	}
	if (err)
		return err;
	if (r->h.len - at >= w->unit)
		return broken(w->out, "a record is longer than what it holds");
	for (; at < r->h.len; at++)
		if (data[at])
			return broken(w->out, "there is something behind the last operation of a record");
	return 0;
}

static int walk_records(struct walk *w, const struct xfs_log_state *s)
{
	struct xfs_log_reader reader;
	struct xfs_log_record r;
	int err = xfs_log_reader_init(&reader, w->fs, s);

	while (!err) {
		w->out->block = reader.at;
		err = xfs_log_reader_next(&reader, &r);
		if (!err)
			err = check_record(w, &r);
		if (!err)
			err = check_ops(w, &r, reader.data);
	}
	if (!w->out->why)
		w->out->why = err == -XFS_E_NOENT ? NULL : reader.why ? reader.why : "it cannot be read";
	xfs_log_reader_free(&reader);
	w->out->unfinished = w->open;
	if (err == -XFS_E_NOENT)
		return 0;
	return err == -XFS_E_NOMEM || err == -XFS_E_IO ? err : -XFS_E_CORRUPT;
}

int xfs_log_validate(const struct xfs_fs *fs, const struct xfs_log_state *s, struct xfs_log_audit *out)
{
	struct walk w = { .fs = fs, .out = out };
	const struct xfs_sb *sb = &fs->geo.sb;
	int err;

	memset(out, 0, sizeof(*out));
	w.unit = sb->logsunit > 1 ? sb->logsunit : sb->logsectsize ? sb->logsectsize : XFS_BBSIZE;
	out->why = xfs_log_area_find(&w.area, fs);
	if (out->why || s->kind == XFS_LOG_UNREADABLE) {
		out->why = out->why ? out->why : s->reason ? s->reason : "it cannot be read";
		return -XFS_E_CORRUPT;
	}
	if (s->kind == XFS_LOG_CLEAN)
		return 0;
	if (!w.area.v2)
		return broken(out, "it is of version 1");
	if (w.unit % XFS_BBSIZE || !w.unit)
		return broken(out, "the superblock names an impossible unit");
	err = walk_records(&w, s);
	return err ? err : xfs_log_validate_items(fs, s, out);
}
