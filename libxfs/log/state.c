/* SPDX-License-Identifier: BSD-2-Clause */
/* state.c - search for head and tail of the log; letters A to H are the steps of format sheet 04, section 7. */
#include "libxfs/log/state.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/log/load.h"
#include "libxfs/log/survey.h"

#include <stdlib.h>

#define WINDOW 128u			/* blocks read at once */
#define MAX_ICLOGS 8u

struct search {
	struct xfs_log_area area;
	uint32_t n;			/* blocks */
	uint8_t *window;
	struct xfs_log_loaded loaded;
	bool holes;			/* some sectors could not be read: they are zeroes */
	uint32_t window_at, window_len;
	const char *reason;
};

/* The block, valid until the next call; NULL: unreadable. b < n. */
static const uint8_t *block_at(struct search *s, uint32_t b)
{
	if (b < s->window_at || b - s->window_at >= s->window_len) {
		uint32_t at = b - b % WINDOW, len = s->n - at < WINDOW ? s->n - at : WINDOW;

		s->window_len = 0;
		if (xfs_log_area_read_most(&s->area, at, len, s->window, &s->holes)) {
			s->reason = "it cannot be read";
			return NULL;
		}
		s->window_at = at;
		s->window_len = len;
	}
	return s->window + (size_t)(b - s->window_at) * XFS_BBSIZE;
}

static int fail_as(struct search *s, int err, const char *reason)
{
	s->reason = reason;
	return err;
}

static int fail(struct search *s, const char *reason)
{
	return fail_as(s, -XFS_E_CORRUPT, reason);
}

static int cycle_at(struct search *s, uint32_t b, uint32_t *cycle)
{
	const uint8_t *p = block_at(s, b);

	if (!p)
		return -XFS_E_IO;
	*cycle = xfs_be32(p);
	if (*cycle == XFS_LOG_MAGIC)
		*cycle = xfs_be32(p + 4);
	return 0;
}

/* First block in [from, to) of this cycle; `to` when there is none. */
static int find_cycle(struct search *s, uint32_t from, uint32_t to, uint32_t cycle, uint32_t *at)
{
	for (*at = from; *at < to; (*at)++) {
		uint32_t c;
		int err = cycle_at(s, *at, &c);

		if (err)
			return err;
		if (c == cycle)
			break;
	}
	return 0;
}

/* First block of the part that has the cycle of block n - 1, which differs from that of block 0. */
static int find_change(struct search *s, uint32_t last, uint32_t *at)
{
	uint32_t low = 0, high = s->n - 1;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2, c;
		int err = cycle_at(s, mid, &c);

		if (err)
			return err;
		if (c == last)
			high = mid;
		else
			low = mid;
	}
	*at = high;
	return 0;
}

/* Decodes the record header at blk; CORRUPT when there is none or it makes no sense. */
static int record_at(struct search *s, uint32_t blk, struct xfs_log_record *r)
{
	const uint8_t *p = block_at(s, blk);
	const char *why;

	if (!p)
		return -XFS_E_IO;
	why = xfs_log_record_parse(&s->area, blk, p, r);
	return why ? fail(s, why) : 0;
}

static bool uuid_fits(struct search *s, uint32_t blk)
{
	const uint8_t *p = block_at(s, blk);
	struct xfs_log_record r;

	if (p)
		xfs_log_rec_decode(&r.h, p);
	return p && xfs_log_record_is_ours(&s->area, &r, true);
}

/*
 * Last header at most `limit` blocks before `head`, going round the end.  NOENT: none.  *wrapped: found behind the
 * head.
 */
static int header_before(struct search *s, uint32_t head, uint32_t limit, uint32_t *blk, bool *wrapped)
{
	for (uint32_t i = 1; i <= limit && i <= s->n; i++) {
		uint32_t b = head >= i ? head - i : head + s->n - i;
		const uint8_t *p = block_at(s, b);

		if (!p)
			return -XFS_E_IO;
		if (xfs_be32(p) == XFS_LOG_MAGIC) {
			*blk = b;
			*wrapped = head < i;
			return 0;
		}
	}
	return -XFS_E_NOENT;
}

/* D: a head that stands inside a record moves to its start. */
static int leave_record(struct search *s, uint32_t *head)
{
	struct xfs_log_record r;
	uint32_t blk = 0, passed;
	bool wrapped = false;
	int err = header_before(s, *head, s->area.v2 ? 512 : 64, &blk, &wrapped);

	if (err == -XFS_E_NOENT)
		return fail(s, "no record lies before the head");
	if (err)
		return err;
	if (!uuid_fits(s, blk))
		return fail(s, "it belongs to another filesystem (uuid)");
	err = record_at(s, blk, &r);
	if (err == -XFS_E_IO)
		return err;
	passed = wrapped ? *head + s->n - blk : *head - blk;
	if (err || passed != xfs_log_record_blocks(&r))
		*head = blk;
	if (*head == s->n)
		*head = 0;
	return 0;
}

/* C: a block of an older cycle before the head means that writes landed out of order: the head is there. */
static int check_before(struct search *s, uint32_t scan, uint32_t stop, uint32_t *head)
{
	uint32_t at, from;
	int err;

	if (*head >= scan) {
		err = find_cycle(s, *head - scan, *head, stop, &at);
		if (!err)
			*head = at;
		return err;
	}
	from = s->n - (scan - *head);
	err = find_cycle(s, from, s->n, stop - 1, &at);
	if (err)
		return err;
	if (at < s->n) {
		*head = at;
		return 0;
	}
	err = find_cycle(s, 0, *head, stop, &at);
	if (!err)
		*head = at;
	return err;
}

/* A to D. NOENT: the log is zero. */
static int find_head(struct search *s, uint32_t *head)
{
	uint32_t scan = s->area.v2 ? 4096 : 512, first = 0, last = 0, at = 0;
	int err = cycle_at(s, 0, &first);

	if (!err)
		err = cycle_at(s, s->n - 1, &last);
	if (err)
		return err;
	if (first == 0)
		return -XFS_E_NOENT;
	if (scan > s->n)
		scan = s->n;
	if (last == 0 && first != 1)
		return fail(s, "its end was never written, but it does not start with cycle 1");
	if (last == 0) {
		err = find_change(s, 0, head);
		if (!err)
			err = find_cycle(s, *head > scan ? *head - scan : 0, *head, 0, &at);
		if (err)
			return err;
		*head = at;
		return leave_record(s, head);
	}
	if (first == last)
		*head = s->n;
	else
		err = find_change(s, last, head);
	if (!err)
		err = check_before(s, scan, first == last ? last - 1 : last, head);
	return err ? err : leave_record(s, head);
}

/* ---- checksums of records ---- */

/* 0, BADCRC, CORRUPT (no record that can be), or NOMEM. A flipped bit is no damage. */
static int check_record(struct search *s, uint32_t blk, struct xfs_log_record *r)
{
	int err = xfs_log_load(&s->area, blk, &s->loaded);

	*r = s->loaded.r;
	return err ? fail_as(s, err, s->loaded.why) : 0;
}

static bool is_damage(int err)
{
	return err == -XFS_E_BADCRC || err == -XFS_E_CORRUPT;
}

/* Checks the records from `from` to `head`. Damage: its error, with the start of the bad record in *bad. */
static int check_records(struct search *s, uint32_t from, uint32_t head, uint32_t *bad)
{
	uint32_t left = xfs_log_distance(&s->area, from, head);

	for (*bad = from; left;) {
		struct xfs_log_record r;
		int err = check_record(s, *bad, &r);

		if (!err && xfs_log_record_blocks(&r) > left)
			err = fail(s, "a record runs over the head");
		if (err)
			return err;
		left -= xfs_log_record_blocks(&r);
		*bad = (*bad + xfs_log_record_blocks(&r)) % s->n;
	}
	return 0;
}

/* ---- tail, clean or not ---- */

/* E: the last record before the head. */
static int last_record(struct search *s, struct xfs_log_state *st, struct xfs_log_record *r)
{
	uint32_t blk = 0;
	bool wrapped = false;
	int err = header_before(s, st->head, s->n, &blk, &wrapped);

	if (err == -XFS_E_NOENT)
		return fail(s, "it holds no record");
	if (!err && !uuid_fits(s, blk))
		return fail(s, "it belongs to another filesystem (uuid)");
	if (!err)
		err = record_at(s, blk, r);
	if (err)
		return err;
	err = xfs_log_load(&s->area, blk, &s->loaded);
	if (err == -XFS_E_NOMEM)
		return err;
	if (!err)	/* one bit of the tail may have been wrong */
		*r = s->loaded.r;
	st->cycle = wrapped ? xfs_log_next_cycle(r->h.cycle) : r->h.cycle;
	st->last_lsn = r->h.lsn;
	st->tail_lsn = r->h.tail_lsn;
	st->record_size = r->h.size;
	if ((uint32_t)r->h.tail_lsn >= s->n)
		return fail(s, "the last record names a tail outside");
	st->tail = (uint32_t)r->h.tail_lsn;
	return 0;
}

/* F: the record before the head holds nothing but the mark of an unmount. */
static int is_unmounted(struct search *s, uint32_t head, const struct xfs_log_record *r, bool *yes)
{
	const uint8_t *p;

	*yes = false;
	if (r->h.num_logops != 1 || head != (r->block + xfs_log_record_blocks(r)) % s->n)
		return 0;
	p = block_at(s, (r->block + r->headers) % s->n);
	if (!p)
		return -XFS_E_IO;
	*yes = (p[XFS_OFF(log_op, flags)] & XFS_LOG_OP_UNMOUNT) != 0;
	return 0;
}

/* E and F. */
static int judge(struct search *s, struct xfs_log_state *st)
{
	struct xfs_log_record r;
	bool clean = false;
	int err = last_record(s, st, &r);

	if (!err)
		err = is_unmounted(s, st->head, &r, &clean);
	if (err)
		return err;
	if (clean)
		st->tail = st->head;
	st->kind = st->tail == st->head ? XFS_LOG_CLEAN : XFS_LOG_DIRTY;
	return 0;
}

/* G, first half: the last eight records must be whole; the head moves before the first that is not. */
static int drop_torn(struct search *s, struct xfs_log_state *st)
{
	uint32_t from = st->head, bad;
	int err;

	for (unsigned i = 0; i < MAX_ICLOGS && from != st->tail; i++) {
		uint32_t blk = 0;
		bool wrapped;

		err = header_before(s, from, xfs_log_distance(&s->area, st->tail, from), &blk, &wrapped);
		if (err == -XFS_E_NOENT)
			break;
		if (err)
			return err;
		from = blk;
	}
	err = check_records(s, from, st->head, &bad);
	if (!is_damage(err))
		return err;
	st->head = bad;
	st->torn = true;
	return judge(s, st);
}

/* The first header behind `blk`, at most up to the head. */
static int next_header(struct search *s, uint32_t head, uint32_t *blk)
{
	do {
		const uint8_t *p;

		*blk = (*blk + 1) % s->n;
		if (*blk == head)
			return 0;
		p = block_at(s, *blk);
		if (!p)
			return -XFS_E_IO;
		if (xfs_be32(p) == XFS_LOG_MAGIC)
			return 0;
	} while (true);
}

/* G, second half: records at the tail may have been overwritten by writes behind the head. */
static int check_tail(struct search *s, struct xfs_log_state *st)
{
	uint64_t reach = (uint64_t)MAX_ICLOGS * st->record_size / XFS_BBSIZE;

	while (st->tail != st->head) {
		uint32_t bad;
		int err = check_records(s, st->tail, st->head, &bad);

		if (!is_damage(err))
			return err;
		if (xfs_log_distance(&s->area, st->head, bad) > reach) {
			st->damaged = true;
			st->bad = bad;
			return fail(s, "a record between tail and head is damaged");
		}
		err = next_header(s, st->head, &bad);
		if (err)
			return err;
		st->tail = bad;
	}
	return 0;
}

/* Positions of head and tail must fit their cycles (section 9.6). */
static int check_order(struct search *s, const struct xfs_log_state *st)
{
	uint32_t tail_cycle = (uint32_t)(st->tail_lsn >> 32);
	bool fits = st->head > st->tail ? st->cycle == tail_cycle : st->cycle == tail_cycle + 1;

	return fits ? 0 : fail(s, "head and tail have cycles that do not fit");
}

static int search_log(struct search *s, struct xfs_log_state *st)
{
	int err = find_head(s, &st->head);

	if (err == -XFS_E_NOENT) {
		st->zeroed = true;
		st->kind = XFS_LOG_CLEAN;
		st->cycle = 1;
		st->head = st->tail = 0;
		return 0;
	}
	if (!err)
		err = judge(s, st);
	if (!err && st->kind == XFS_LOG_DIRTY)
		err = drop_torn(s, st);
	if (!err && st->kind == XFS_LOG_DIRTY)
		err = check_tail(s, st);
	if (!err && st->kind == XFS_LOG_DIRTY && st->tail == st->head)
		st->kind = XFS_LOG_CLEAN;
	if (!err && st->kind == XFS_LOG_DIRTY)
		err = check_order(s, st);
	return err;
}

/* ---- what the cycle numbers hide ---- */

static uint64_t header_lsn(const struct xfs_fs *fs, uint32_t agno, unsigned sector, uint64_t magic, size_t lsn,
			   size_t crc)
{
	uint64_t off = xfs_ag_header_daddr(&fs->geo, XFS_AGNO(agno), sector).v * XFS_BBSIZE, found = 0;
	uint8_t *p = malloc(fs->geo.sectsize);

	if (p && !xfs_dev_read(fs->dev.data, off, p, fs->geo.sectsize) && xfs_be32(p) == magic &&
	    xfs_crc32c_check(p, fs->geo.sectsize, crc))
		found = xfs_be64(p + lsn);
	free(p);
	return found == XFS_NULL64 ? 0 : found;
}

/* The greatest LSN that headers in place bear: all before it was in the log once. */
static uint64_t lsn_in_place(const struct xfs_fs *fs)
{
	uint64_t most = fs->geo.v5 && fs->geo.sb.lsn != XFS_NULL64 ? fs->geo.sb.lsn : 0;

	for (uint32_t ag = 0; ag < fs->geo.agcount && fs->geo.v5 && fs->dev.data; ag++) {
		most = xfs_max(most, header_lsn(fs, ag, 1, XFS_AGF_MAGIC, XFS_OFF(agf, lsn), XFS_OFF(agf, crc)));
		most = xfs_max(most, header_lsn(fs, ag, 2, XFS_AGI_MAGIC, XFS_OFF(agi, lsn), XFS_OFF(agi, crc)));
	}
	return most;
}

/* Does a later record stand in the blocks that follow the head? */
static int is_followed(struct search *s, const struct xfs_log_state *st, bool *yes)
{
	uint32_t scan = (uint32_t)xfs_min(s->area.v2 ? 4096u : 512u, s->n), blocks;

	*yes = false;
	for (uint32_t k = 0; k < scan && !*yes; k += blocks) {
		uint32_t blk = (uint32_t)(((uint64_t)st->head + k) % s->n);
		const uint8_t *p = block_at(s, blk);
		int err = -XFS_E_CORRUPT;

		blocks = 1;
		if (!p)
			return -XFS_E_IO;
		if (xfs_log_may_be_record(p))
			err = xfs_log_load(&s->area, blk, &s->loaded);
		if (err == -XFS_E_NOMEM)
			return err;
		if (err)
			continue;
		blocks = xfs_log_record_blocks(&s->loaded.r);
		*yes = s->loaded.r.h.lsn >= xfs_log_head_lsn(st);
	}
	return 0;
}

/* Is there reason to look at all records? */
static int is_doubtful(const struct xfs_fs *fs, struct search *s, int found, struct xfs_log_state *st, bool *yes)
{
	const struct xfs_sb *sb = &fs->geo.sb;

	*yes = found || st->zeroed || (fs->geo.v5 && sb->lsn != XFS_NULL64 && sb->lsn > xfs_log_head_lsn(st));
	return *yes || st->zeroed ? 0 : is_followed(s, st, yes);
}

/*
 * The search trusts cycle numbers of single blocks, which damage takes away: then a part of the log looks like its end,
 * or like none.  Where there is doubt, all records are looked at.
 */
static int look_behind(const struct xfs_fs *fs, struct search *s, int found, struct xfs_log_state *st)
{
	struct xfs_log_state all = *st;
	bool torn = false;
	int err;

	err = xfs_log_survey(&s->area, lsn_in_place(fs), &all, &torn);
	if (err == -XFS_E_NOENT)
		return found;
	if (err)
		return err;
	/*
	 * upstream clears a log with a gap behind its first record, which is then not seen (format sheet 04, section
	 * 8.3): a record that says nothing but that the log is clean
	 */
	if (!found && st->kind == XFS_LOG_CLEAN && all.kind == XFS_LOG_CLEAN &&
	    all.last_lsn == xfs_log_head_lsn(st))
		return 0;
	/* records that were dropped as half-written, and the oldest ones, may be missing */
	if (!found && !st->zeroed && xfs_log_head_lsn(&all) <= xfs_log_head_lsn(st)) {
		st->torn |= torn;
		return 0;
	}
	if (st->zeroed && all.kind == XFS_LOG_CLEAN)
		return 0;
	/* a repair was stopped while it cleared the log: what is left of that must not come back */
	if (!found && st->zeroed && fs->geo.v5 && fs->geo.needsrepair) {
		st->misleading = true;
		return 0;
	}
	all.torn |= torn;
	all.misleading = true;
	*st = all;
	s->reason = all.reason;
	return all.kind == XFS_LOG_UNREADABLE ? -XFS_E_CORRUPT : 0;
}

int xfs_log_state(const struct xfs_fs *fs, struct xfs_log_state *out)
{
	const struct xfs_sb *sb = &fs->geo.sb;
	struct search s = { .n = 0 };
	bool doubtful = false;
	int err, found;

	memset(out, 0, sizeof(*out));
	out->kind = XFS_LOG_UNREADABLE;
	out->reason = xfs_log_area_find(&s.area, fs);
	if (out->reason)
		return 0;
	s.n = out->blocks = s.area.blocks;
	s.window = malloc((size_t)WINDOW * XFS_BBSIZE);
	if (!s.window)
		return -XFS_E_NOMEM;
	err = search_log(&s, out);
	if (!err && out->zeroed && s.holes)
		err = fail(&s, "it cannot be read");
	out->zeroed &= !err;
	if (err != -XFS_E_NOMEM) {
		found = is_doubtful(fs, &s, err, out, &doubtful);
		err = err ? err : found;
	}
	if (err != -XFS_E_NOMEM && doubtful)
		err = look_behind(fs, &s, err, out);
	free(s.window);
	xfs_log_loaded_free(&s.loaded);
	if (err == -XFS_E_NOMEM)
		return err;
	if (err) {
		out->kind = XFS_LOG_UNREADABLE;
		out->reason = s.reason ? s.reason : "it cannot be read";
	}
	out->sb_lsn_ahead = !err && fs->geo.v5 && sb->lsn != XFS_NULL64 && sb->lsn > xfs_log_head_lsn(out);
	return 0;
}

struct xfs_log_state xfs_log_state_until(const struct xfs_log_state *st, uint32_t block)
{
	struct xfs_log_state out = *st;

	/* blocks behind the head belong to the log only when it goes round its end: to its older part */
	if (block >= st->head)
		out.cycle = xfs_log_prev_cycle(st->cycle);
	out.head = block;
	out.kind = out.head == out.tail ? XFS_LOG_CLEAN : XFS_LOG_DIRTY;
	out.damaged = false;
	out.last_lsn = 0;
	out.reason = NULL;
	return out;
}

struct xfs_log_state xfs_log_state_before_damage(const struct xfs_log_state *st)
{
	return st->kind == XFS_LOG_UNREADABLE && st->damaged ? xfs_log_state_until(st, st->bad) : *st;
}
