/* SPDX-License-Identifier: BSD-2-Clause */
/* survey.c - all records of the log, the chain that they make, and what its gaps mean. */
#include "libxfs/log/survey.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/log/load.h"

#include <stdlib.h>

#define WINDOW 2048u			/* blocks read at once */
#define MAX_ICLOGS 8u			/* records that may be under way at once */

struct record {
	uint64_t lsn, tail_lsn;
	uint32_t blocks, size;
	bool unmount;
};

struct survey {
	const struct xfs_log_area *a;
	struct xfs_log_loaded loaded;
	uint8_t *window;
	struct record *r;
	size_t n, room;
	uint64_t in_place;
};

static uint32_t block_of(uint64_t lsn)
{
	return (uint32_t)lsn;
}

static uint32_t end_of(const struct survey *s, const struct record *r)
{
	return (uint32_t)(((uint64_t)block_of(r->lsn) + r->blocks) % s->a->blocks);
}

/* ---- all records ---- */

static bool is_unmount(const struct xfs_log_loaded *l)
{
	return l->r.h.num_logops == 1 &&
	       l->p[(size_t)l->r.headers * XFS_BBSIZE + XFS_OFF(log_op, flags)] & XFS_LOG_OP_UNMOUNT;
}

static int add(struct survey *s)
{
	const struct xfs_log_record *r = &s->loaded.r;

	if (xfs_grow(&s->r, s->n, &s->room, 256))
		return -XFS_E_NOMEM;
	s->r[s->n++] = (struct record){ r->h.lsn, r->h.tail_lsn, xfs_log_record_blocks(r), r->h.size,
					is_unmount(&s->loaded) };
	return 0;
}

static int by_lsn(const void *pa, const void *pb)
{
	const struct record *a = pa, *b = pb;

	return a->lsn < b->lsn ? -1 : a->lsn > b->lsn;
}

static int gather(struct survey *s)
{
	uint32_t at = 0;

	for (uint32_t start = 0; start < s->a->blocks; start += WINDOW) {
		uint32_t n = (uint32_t)xfs_min(WINDOW, s->a->blocks - start);
		int err = xfs_log_area_read_most(s->a, start, n, s->window, NULL);

		if (err)
			return err;
		for (at = (uint32_t)xfs_max(at, start); at < start + n; at++) {
			if (!xfs_log_may_be_record(s->window + (size_t)(at - start) * XFS_BBSIZE))
				continue;
			err = xfs_log_load(s->a, at, &s->loaded);
			if (!err)
				err = add(s);
			if (err == -XFS_E_NOMEM)
				return err;
			if (!err)
				at += xfs_log_record_blocks(&s->loaded.r) - 1;
		}
	}
	if (s->n)
		qsort(s->r, s->n, sizeof(*s->r), by_lsn);
	return 0;
}

/* ---- gaps ---- */

/* The LSN of a place between the tail and the head. */
static uint64_t lsn_at(uint64_t tail_lsn, uint32_t block)
{
	uint32_t cycle = (uint32_t)(tail_lsn >> 32);

	return (uint64_t)(block >= block_of(tail_lsn) ? cycle : xfs_log_next_cycle(cycle)) << 32 | block;
}

/* Does a block in [from, to) still have the cycle of the pass before?  False where it cannot be read. */
static int has_stale(struct survey *s, uint64_t tail_lsn, uint32_t from, uint32_t to, bool *stale)
{
	uint32_t left = xfs_log_distance(s->a, from, to);

	*stale = false;
	while (left && !*stale) {
		uint32_t n = (uint32_t)xfs_min(WINDOW, left);
		int err = xfs_log_area_read(s->a, from, n, s->window);

		if (err)
			return err == -XFS_E_IO || err == -XFS_E_FAULT ? 0 : err;
		for (uint32_t k = 0; k < n; k++) {
			const uint8_t *p = s->window + (size_t)k * XFS_BBSIZE;
			uint32_t cycle = xfs_be32(p), block = (from + k) % s->a->blocks;

			if (cycle == XFS_LOG_MAGIC)
				cycle = xfs_be32(p + 4);
			*stale |= cycle == xfs_log_prev_cycle((uint32_t)(lsn_at(tail_lsn, block) >> 32));
		}
		from = (from + n) % s->a->blocks;
		left -= n;
	}
	return 0;
}

/* Index of the first record that is not older. */
static size_t first_from(const struct survey *s, uint64_t lsn)
{
	return xfs_search(s->n, i, s->r[i].lsn < lsn);
}

/*
 * The chain up to record m - 1: the first record that does not follow the one
 * before it, m: none; *at = where it should.
 */
static size_t find_gap(const struct survey *s, size_t m, uint32_t *at)
{
	const struct record *last = &s->r[m - 1];
	size_t i = first_from(s, last->tail_lsn);

	*at = block_of(last->tail_lsn);
	for (; i < m && block_of(s->r[i].lsn) == *at; i++)
		*at = end_of(s, &s->r[i]);
	return i;
}

/*
 * Is it what a crash leaves of writes that were under way?  As many records as there are buffers are written at once,
 * in any order, and none of those behind a missing one was promised to anybody: so in that window, and nowhere else, a
 * hole is the end of the log.  Not when something in place is newer than the hole: then all before that was written.
 * (Linux takes any hole in the first pass through a log, and any bad checksum in this window, for the end, whatever is
 * in place.)
 */
static int may_be_torn(struct survey *s, size_t m, size_t gap, uint32_t at, bool *torn)
{
	const struct record *last = &s->r[m - 1];
	uint64_t reach = (uint64_t)MAX_ICLOGS * xfs_max(last->size, XFS_LOG_HEADER_DATA) / XFS_BBSIZE,
		 lsn = lsn_at(last->tail_lsn, at);

	*torn = false;
	if (m - gap > MAX_ICLOGS || xfs_log_distance(s->a, at, end_of(s, last)) > reach || s->in_place >= lsn ||
	    !gap || s->r[gap - 1].lsn < last->tail_lsn)
		return 0;
	return has_stale(s, last->tail_lsn, at, block_of(s->r[gap].lsn), torn);
}

static bool tail_fits(const struct survey *s, const struct record *r)
{
	uint32_t cycle = (uint32_t)(r->lsn >> 32), tail = (uint32_t)(r->tail_lsn >> 32);

	return block_of(r->tail_lsn) < s->a->blocks && r->tail_lsn <= r->lsn &&
	       (cycle == tail || (xfs_log_prev_cycle(cycle) == tail && block_of(r->tail_lsn) > block_of(r->lsn)));
}

/*
 * Of a run without gaps that begins at record `start` and ends with m - 1: does
 * it hold that tail, as one of its records?
 */
static bool leads_to_end(const struct survey *s, size_t start, size_t m, uint64_t tail_lsn)
{
	size_t first = first_from(s, tail_lsn);

	return first >= start && first < m && block_of(s->r[first].lsn) == block_of(tail_lsn);
}

/*
 * A tail where no record starts is wrong, or what stands there is damaged.  A record before may name one from which the
 * log can be read to its end: an earlier one does no harm, as all that was logged since is replayed as well.  Records
 * that do not lead to the last one tell of another time.
 */
static void mend_tail(struct survey *s, size_t m)
{
	struct record *last = &s->r[m - 1];
	size_t start = m - 1;

	if (last->unmount)
		return;
	while (start && end_of(s, &s->r[start - 1]) == block_of(s->r[start].lsn))
		start--;
	for (size_t i = m; i-- > start;) {
		const struct record *r = &s->r[i];

		if (tail_fits(s, r) && leads_to_end(s, start, m, r->tail_lsn)) {
			last->tail_lsn = r->tail_lsn;
			return;
		}
	}
}

static void describe(const struct survey *s, const struct record *last, struct xfs_log_state *out)
{
	uint32_t cycle = (uint32_t)(last->lsn >> 32);

	*out = (struct xfs_log_state){ .kind = XFS_LOG_DIRTY, .blocks = out->blocks, .last_lsn = last->lsn,
				       .tail_lsn = last->tail_lsn, .record_size = last->size };
	out->head = end_of(s, last);
	out->cycle = out->head <= block_of(last->lsn) ? xfs_log_next_cycle(cycle) : cycle;
	out->tail = last->unmount ? out->head : block_of(last->tail_lsn);
	if (out->tail == out->head)
		out->kind = XFS_LOG_CLEAN;
}

static int judge(struct survey *s, struct xfs_log_state *out, bool *torn)
{
	size_t m = s->n;

	while (m) {
		const struct record *last = &s->r[m - 1];
		bool under_way = false;
		uint32_t at = 0;
		size_t gap;
		int err = 0;

		mend_tail(s, m);
		if (!tail_fits(s, last))
			return -XFS_E_NOENT;
		gap = last->unmount ? m : find_gap(s, m, &at);
		if (gap < m)
			err = may_be_torn(s, m, gap, at, &under_way);
		if (err)
			return err;
		if (under_way) {
			*torn = true;
			m = gap;
			continue;
		}
		describe(s, last, out);
		if (gap < m && out->kind == XFS_LOG_DIRTY) {
			out->kind = XFS_LOG_UNREADABLE;
			out->reason = "a record between tail and head is damaged";
			out->damaged = true;
			out->bad = at;
		}
		return 0;
	}
	return -XFS_E_NOENT;
}

int xfs_log_survey(const struct xfs_log_area *a, uint64_t in_place, struct xfs_log_state *out, bool *torn)
{
	struct survey s = { .a = a, .in_place = in_place };
	int err;

	*torn = false;
	s.window = malloc((size_t)WINDOW * XFS_BBSIZE);
	err = s.window ? gather(&s) : -XFS_E_NOMEM;
	if (!err)
		err = judge(&s, out, torn);
	free(s.window);
	xfs_log_loaded_free(&s.loaded);
	free(s.r);
	return err;
}
