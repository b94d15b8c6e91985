/* SPDX-License-Identifier: BSD-2-Clause */
/* transactions.c - sorts the operations of records into transactions, and these into items. */
#include "libxfs/log/transactions.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

#define MAX_OPEN 4096u			/* transactions at once; kernels have a few */
#define OP_SIZE (uint32_t)sizeof(struct xfs_log_op_disk)
#define HDR_SIZE (uint32_t)sizeof(struct xfs_log_trans_hdr_disk)

struct open_region {
	size_t off;			/* in bytes[] of its transaction */
	uint32_t len;
};

/* A transaction that is being put together. */
struct open_trans {
	struct open_trans *next;	/* that is unused, too */
	uint32_t tid;
	bool writer_le;
	bool cut;			/* the last region goes on in the next record */
	unsigned hdr_len, hdr_pieces;
	uint64_t lsn;
	uint8_t hdr[sizeof(struct xfs_log_trans_hdr_disk)];
	uint8_t *bytes;			/* all regions */
	size_t used, room;
	struct open_region *regions;
	size_t nregions, regions_room;
};

struct xfs_log_iter {
	struct xfs_log_reader reader;
	struct xfs_log_record record;
	bool in_record, ended;
	int error;			/* sticks */
	struct xfs_finding finding;
	uint32_t at, op, block;		/* byte of the record's data, operation; block for findings */
	struct open_trans **open;	/* ascending by tid: no choice of numbers makes them slow to find */
	size_t nopen, open_room;
	struct open_trans *unused;
	/* the transaction that was handed out */
	struct open_trans *out;
	struct xfs_log_trans trans;
	struct xfs_log_region *regions;
	struct xfs_log_item *items;
	size_t regions_room, items_room;
};

static int fail(struct xfs_log_iter *it, int code, const char *what)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_RECORD, "log");

	if (it->op)
		xfs_finding_detail(&f, "block %u, operation %u: %s", it->block, it->op, what);
	else
		xfs_finding_detail(&f, "block %u: %s", it->block, what);
	it->finding = f;
	it->error = code;
	return code;
}

static int corrupt(struct xfs_log_iter *it, const char *what)
{
	return fail(it, -XFS_E_CORRUPT, what);
}

static int no_memory(struct xfs_log_iter *it)
{
	return fail(it, -XFS_E_NOMEM, "not enough memory");
}

/* ---- open transactions ---- */

/* Where it stands among the open ones, or would. */
static size_t place_of(const struct xfs_log_iter *it, uint32_t tid)
{
	return xfs_search(it->nopen, i, it->open[i]->tid < tid);
}

static struct open_trans *take_out(struct xfs_log_iter *it, size_t at)
{
	struct open_trans *t = it->open[at];

	it->nopen--;
	memmove(&it->open[at], &it->open[at + 1], (it->nopen - at) * sizeof(struct open_trans *));
	return t;
}

static void put_away(struct xfs_log_iter *it, struct open_trans *t)
{
	t->next = it->unused;
	it->unused = t;
}

static void free_all(struct open_trans *t)
{
	while (t) {
		struct open_trans *next = t->next;

		free(t->bytes);
		free(t->regions);
		free(t);
		t = next;
	}
}

static int begin(struct xfs_log_iter *it, uint32_t tid)
{
	size_t at = place_of(it, tid);
	struct open_trans *t = it->unused;

	if (at < it->nopen && it->open[at]->tid == tid)
		return corrupt(it, "a transaction starts twice");
	if (it->nopen >= MAX_OPEN)
		return corrupt(it, "too many transactions are open at once");
	if (xfs_grow(&it->open, it->nopen, &it->open_room, 16))
		return no_memory(it);
	if (t) {
		it->unused = t->next;
	} else {
		t = calloc(1, sizeof(*t));
		if (!t)
			return no_memory(it);
	}
	*t = (struct open_trans){ .tid = tid, .lsn = it->record.h.lsn, .writer_le = xfs_log_record_is_le(&it->record),
		.bytes = t->bytes, .room = t->room, .regions = t->regions, .regions_room = t->regions_room };
	memmove(&it->open[at + 1], &it->open[at], (it->nopen++ - at) * sizeof(struct open_trans *));
	it->open[at] = t;
	return 0;
}

/* Appends to the last region. */
static int append(struct xfs_log_iter *it, struct open_trans *t, const uint8_t *p, uint32_t len)
{
	struct open_region *r = &t->regions[t->nregions - 1];

	if (len > UINT32_MAX - r->len)
		return corrupt(it, "a region is too long");
	if (t->room - t->used < len) {
		size_t room = t->used + len + t->room / 2 + 4096;
		uint8_t *more = room < t->used ? NULL : realloc(t->bytes, room);

		if (!more)
			return no_memory(it);
		t->bytes = more;
		t->room = room;
	}
	memcpy(t->bytes + t->used, p, len);
	t->used += len;
	r->len += len;
	return 0;
}

static int add_region(struct xfs_log_iter *it, struct open_trans *t, const uint8_t *p, uint32_t len)
{
	if (xfs_grow(&t->regions, t->nregions, &t->regions_room, 64))
		return no_memory(it);
	t->regions[t->nregions++] = (struct open_region){ .off = t->used };
	return append(it, t, p, len);
}

/* A piece of the header; only the first two records of a transaction can hold one. */
static int add_header(struct xfs_log_iter *it, struct open_trans *t, const uint8_t *p, uint32_t len)
{
	if (len > HDR_SIZE - t->hdr_len || ++t->hdr_pieces > 2)
		return corrupt(it, "the header of a transaction has the wrong length");
	memcpy(t->hdr + t->hdr_len, p, len);
	t->hdr_len += len;
	if (t->hdr_len >= sizeof(uint32_t) && xfs_ld32(t->hdr, t->writer_le) != XFS_LOG_TRANS_MAGIC)
		return corrupt(it, "the header of a transaction has the wrong magic number");
	return 0;
}

/* Data of a transaction that is open. */
static int add_data(struct xfs_log_iter *it, struct open_trans *t, unsigned flags, const uint8_t *p, uint32_t len)
{
	bool goes_on = flags & XFS_LOG_OP_WAS_CONT, cut = flags & XFS_LOG_OP_CONTINUE;
	int err;

	if (t->writer_le != xfs_log_record_is_le(&it->record))
		return corrupt(it, "a transaction changes its byte order");
	if (goes_on != t->cut)
		return corrupt(it, goes_on ? "a region goes on that was not cut" :
			       "a region that was cut does not go on");
	if (!len)
		return 0;
	if (t->hdr_len < HDR_SIZE)
		err = add_header(it, t, p, len);
	else
		err = goes_on ? append(it, t, p, len) : add_region(it, t, p, len);
	t->cut = cut;
	if (!err && !cut && t->hdr_len < HDR_SIZE)
		return corrupt(it, "the header of a transaction is cut off");
	return err;
}

/* ---- committed transactions ---- */

/* An item says in its first region how many it has. */
static int split_items(struct xfs_log_iter *it, const struct open_trans *t)
{
	size_t n = 0;

	for (size_t k = 0; k < t->nregions; n++) {
		struct xfs_log_item *item = &it->items[n];
		struct xfs_log_item_head h;
		const char *why;

		if (it->regions[k].len < sizeof(struct xfs_log_item_head_disk))
			return corrupt(it, "an item is cut off");
		xfs_log_item_head_decode_as(&h, it->regions[k].p, t->writer_le);
		if (!h.size || h.size > XFS_LOG_MAX_REGIONS || h.size > t->nregions - k)
			return corrupt(it, "an item has an impossible number of parts");
		*item = (struct xfs_log_item){ h.type, t->writer_le, h.size, &it->regions[k],
					       xfs_log_item_kind_of(h.type) };
		why = xfs_log_item_check(item);
		if (why)
			return corrupt(it, why);
		k += h.size;
	}
	it->trans.nitems = n;
	it->trans.items = it->items;
	return 0;
}

static void describe(struct xfs_log_iter *it, const struct open_trans *t)
{
	it->trans = (struct xfs_log_trans){ .tid = t->tid, .writer_le = t->writer_le, .lsn = t->lsn,
					    .nregions = t->nregions, .bytes = t->used };
	if (t->hdr_len == HDR_SIZE)
		xfs_log_trans_hdr_decode_as(&it->trans.hdr, t->hdr, t->writer_le);
}

static int commit(struct xfs_log_iter *it, size_t at)
{
	struct open_trans *t = it->open[at];

	if (t->cut)
		return corrupt(it, "a transaction ends inside a region");
	it->out = take_out(it, at);
	describe(it, t);
	it->trans.committed = true;
	it->trans.commit_lsn = it->record.h.lsn;
	if (xfs_grow_to(&it->regions, &it->regions_room, t->nregions, sizeof(*it->regions)) ||
	    xfs_grow_to(&it->items, &it->items_room, t->nregions, sizeof(*it->items)))
		return no_memory(it);
	for (size_t k = 0; k < t->nregions; k++)
		it->regions[k] = (struct xfs_log_region){ t->bytes + t->regions[k].off, t->regions[k].len };
	return split_items(it, t);
}

/* ---- operations ---- */

/* 0, with *event set when there is one to hand out. */
static int take_op(struct xfs_log_iter *it, const struct xfs_log_op *op, const uint8_t *p, bool *event,
		   struct xfs_log_event *out)
{
	const unsigned known = XFS_LOG_OP_START | XFS_LOG_OP_COMMIT | XFS_LOG_OP_CONTINUE | XFS_LOG_OP_WAS_CONT |
		XFS_LOG_OP_END;
	size_t at = place_of(it, op->tid);
	int err = 0;

	if (op->flags & ~known)
		return corrupt(it, "an operation has flags that are not known");
	if (op->flags & XFS_LOG_OP_START) {
		if (op->len || (op->flags & XFS_LOG_OP_COMMIT))
			return corrupt(it, "a transaction starts with data");
		return begin(it, op->tid);
	}
	if (at == it->nopen || it->open[at]->tid != op->tid)	/* began before the tail */
		return 0;
	if (op->flags & XFS_LOG_OP_COMMIT) {
		err = commit(it, at);
		*event = !err;
		*out = (struct xfs_log_event){ XFS_LOG_EV_TRANS, &it->record, &it->trans };
		return err;
	}
	if ((op->flags & XFS_LOG_OP_END) && !(op->flags & XFS_LOG_OP_WAS_CONT))
		return corrupt(it, "a region ends that did not go on");
	return add_data(it, it->open[at], op->flags, p, op->len);
}

/* Goes through the operations of the record until there is an event, or until it ends. */
static int walk_record(struct xfs_log_iter *it, bool *event, struct xfs_log_event *out)
{
	int err = 0;

	while (!err && !*event && it->op < it->record.h.num_logops) {
		uint32_t left = it->record.h.len - it->at;
		struct xfs_log_op op;

		it->op++;
		if (left < OP_SIZE)
			return corrupt(it, "operations end behind the record");
		xfs_log_op_decode(&op, it->reader.data + it->at);
		it->at += OP_SIZE;
		left -= OP_SIZE;
		if (op.clientid == XFS_LOG_CLIENT_LOG && (op.flags & XFS_LOG_OP_UNMOUNT)) {
			/* its length is not kept to: the kernel says 0 and writes 8 bytes */
			if (it->op != it->record.h.num_logops)
				return corrupt(it, "operations follow an unmount");
			*event = true;
			*out = (struct xfs_log_event){ XFS_LOG_EV_UNMOUNT, &it->record, NULL };
			break;
		}
		if (op.clientid != XFS_LOG_CLIENT_TRANS)
			return corrupt(it, "an operation is of an unknown client");
		if (op.len > left)
			return corrupt(it, "an operation ends behind the record");
		err = take_op(it, &op, it->reader.data + it->at, event, out);
		it->at += op.len;
	}
	if (!err && it->op >= it->record.h.num_logops)
		it->in_record = false;
	return err;
}

static int next_record(struct xfs_log_iter *it, struct xfs_log_event *out)
{
	int err;

	it->block = it->reader.at;
	it->op = it->at = 0;
	err = xfs_log_reader_next(&it->reader, &it->record);
	if (err == -XFS_E_NOENT) {
		it->ended = true;
		return 0;
	}
	if (err)
		return fail(it, err, it->reader.why ? it->reader.why : xfs_error_text(err));
	it->in_record = true;
	*out = (struct xfs_log_event){ XFS_LOG_EV_RECORD, &it->record, NULL };
	return 0;
}

/* Behind the head: what is still open. */
static int drain(struct xfs_log_iter *it, struct xfs_log_event *out)
{
	struct open_trans *t;

	if (!it->nopen)
		return it->error = -XFS_E_NOENT;
	t = it->out = take_out(it, it->nopen - 1);
	describe(it, t);
	*out = (struct xfs_log_event){ XFS_LOG_EV_OPEN, NULL, &it->trans };
	return 0;
}

static int step(struct xfs_log_iter *it, struct xfs_log_event *out)
{
	bool event = false;
	int err;

	if (it->out) {
		put_away(it, it->out);
		it->out = NULL;
	}
	if (it->in_record) {
		err = walk_record(it, &event, out);
		if (err || event)
			return err;
	}
	if (!it->ended) {
		err = next_record(it, out);
		if (err || !it->ended)
			return err;
	}
	return drain(it, out);
}

int xfs_log_iter_next(struct xfs_log_iter *it, struct xfs_log_event *out, struct xfs_finding *why)
{
	int err = it->error ? it->error : step(it, out);

	if (err && err != -XFS_E_NOENT && why)
		*why = it->finding;
	return err;
}

uint32_t xfs_log_iter_block(const struct xfs_log_iter *it)
{
	return it->block;
}

int xfs_log_iter_new(struct xfs_log_iter **out, const struct xfs_fs *fs, const struct xfs_log_state *state,
		     bool history, struct xfs_finding *why)
{
	struct xfs_log_iter *it = calloc(1, sizeof(*it));
	int err;

	*out = NULL;
	if (!it)
		return -XFS_E_NOMEM;
	err = xfs_log_reader_init(&it->reader, fs, state);
	if (!err && history)
		err = xfs_log_reader_extend(&it->reader);
	if (err) {
		it->block = it->reader.at;
		fail(it, err, it->reader.why ? it->reader.why : xfs_error_text(err));
		if (why)
			*why = it->finding;
		xfs_log_iter_free(it);
		return err;
	}
	*out = it;
	return 0;
}

void xfs_log_iter_free(struct xfs_log_iter *it)
{
	if (!it)
		return;
	while (it->nopen)
		put_away(it, it->open[--it->nopen]);
	free(it->open);
	free_all(it->unused);
	if (it->out) {
		it->out->next = NULL;
		free_all(it->out);
	}
	xfs_log_reader_free(&it->reader);
	free(it->regions);
	free(it->items);
	free(it);
}
