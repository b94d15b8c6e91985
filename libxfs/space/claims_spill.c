/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims_spill.c - arrays of claims within the memory limit; sorted runs on an unlinked temporary file.
 *
 * An AG whose claims do not fit is sealed in two rounds: runs in merge order are merged and joined, the result is
 * written as runs in key order, and those are merged to one.
 */
#include "libxfs/base/fdio.h"
#include "libxfs/base/grow.h"
#include "libxfs/space/claims_private.h"

#include <fcntl.h>
#include <stdlib.h>

static int array_reserve(struct xfs_claims *c, struct claims_array *a, size_t cap)
{
	struct xfs_claim *v;
	size_t bytes;

	if (xfs_mul_overflows(cap, sizeof(*v), &bytes))
		return -XFS_E_NOMEM;
	v = realloc(a->v, bytes);
	if (!v)
		return -XFS_E_NOMEM;
	if (cap > a->cap)
		__atomic_add_fetch(&c->used, (cap - a->cap) * sizeof(*v), __ATOMIC_RELAXED);
	else
		__atomic_sub_fetch(&c->used, (a->cap - cap) * sizeof(*v), __ATOMIC_RELAXED);
	a->v = v;
	a->cap = cap;
	return 0;
}

static size_t array_next_cap(const struct claims_array *a)
{
	return a->cap < 64 ? 64 : a->cap + a->cap / 2;
}

int claims_array_push(struct xfs_claims *c, struct claims_array *a, const struct xfs_claim *r)
{
	if (a->n == a->cap) {
		int err = array_reserve(c, a, array_next_cap(a));

		if (err)
			return err;
	}
	a->v[a->n++] = *r;
	return 0;
}

void claims_array_fit(struct xfs_claims *c, struct claims_array *a)
{
	if (!a->n)
		claims_array_release(c, a);
	else if (a->cap > a->n + a->n / 8)
		array_reserve(c, a, a->n);	/* a failure leaves it as it is */
}

void claims_array_release(struct xfs_claims *c, struct claims_array *a)
{
	__atomic_sub_fetch(&c->used, a->cap * sizeof(*a->v), __ATOMIC_RELAXED);
	free(a->v);
	*a = (struct claims_array){ 0 };
}

/* Room for n claims at the end of the spill file. */
static int file_reserve(struct xfs_claims *c, uint64_t n, uint64_t *off)
{
	int err = 0;

	pthread_mutex_lock(&c->lock);
	if (c->fd < 0)
		c->fd = xfs_fd_temporary(c->tmpdir);
	if (c->fd < 0)
		err = c->fd;
	*off = c->end;
	if (!err)
		c->end += n * sizeof(struct xfs_claim);
	pthread_mutex_unlock(&c->lock);
	return err;
}

/* The space of a run that was merged into another one goes back to the filesystem, where that is possible. */
static void file_discard(struct xfs_claims *c, const struct claims_run *run)
{
#ifdef FALLOC_FL_PUNCH_HOLE
	if (fallocate(c->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)run->off,
		      (off_t)(run->n * sizeof(struct xfs_claim))))
		return;		/* only costs space */
#else
	(void)c;
	(void)run;
#endif
}

static int run_append(struct claims_ag *ag, const struct claims_run *run)
{
	if (xfs_grow(&ag->runs, ag->nruns, &ag->capruns, 16))
		return -XFS_E_NOMEM;
	ag->runs[ag->nruns++] = *run;
	return 0;
}

static int spill(struct xfs_claims *c, struct claims_ag *ag, enum claims_order order)
{
	struct claims_run run;
	int err;

	if (!ag->recs.n)
		return 0;
	claims_sort(ag->recs.v, ag->recs.n, order);
	run.n = order == CLAIMS_BY_MERGE ? claims_join(ag->recs.v, ag->recs.n) : ag->recs.n;
	ag->recs.n = (size_t)run.n;
	err = file_reserve(c, run.n, &run.off);
	if (!err)
		err = xfs_fd_write(c->fd, ag->recs.v, (size_t)run.n * sizeof(struct xfs_claim), run.off);
	if (!err)
		err = run_append(ag, &run);
	if (!err)
		ag->recs.n = 0;
	return err;
}

int claims_push(struct xfs_claims *c, struct claims_ag *ag, const struct xfs_claim *r, enum claims_order order)
{
	if (ag->recs.n == ag->recs.cap && ag->recs.n >= CLAIMS_SPILL_MIN) {
		size_t more = (array_next_cap(&ag->recs) - ag->recs.cap) * sizeof(*r);
		size_t used = __atomic_load_n(&c->used, __ATOMIC_RELAXED);

		if (used > c->memory || more > c->memory - used) {
			int err = spill(c, ag, order);

			if (err)
				return err;
		}
	}
	return claims_array_push(c, &ag->recs, r);
}

int claims_run_reader_start(struct xfs_claims_reader *r, struct xfs_claims *c, const struct claims_run *run)
{
	*r = (struct xfs_claims_reader){ .c = c, .off = run->off, .left = run->n };
	r->window = malloc(CLAIMS_WINDOW * sizeof(*r->window));
	r->v = r->window;
	return r->window ? 0 : -XFS_E_NOMEM;
}

int claims_reader_start(struct xfs_claims_reader *r, struct xfs_claims *c, const struct claims_ag *ag)
{
	if (ag->in_file)
		return claims_run_reader_start(r, c, &ag->runs[0]);
	*r = (struct xfs_claims_reader){ .c = c, .v = ag->recs.v, .n = ag->recs.n };
	return 0;
}

void claims_reader_stop(struct xfs_claims_reader *r)
{
	free(r->window);
	r->window = NULL;
}

int xfs_claims_reader_next(struct xfs_claims_reader *r, struct xfs_claim *out)
{
	if (r->pos == r->n) {
		size_t n = r->left < CLAIMS_WINDOW ? (size_t)r->left : CLAIMS_WINDOW;
		int err;

		if (!n)
			return -XFS_E_NOENT;
		err = xfs_fd_read(r->c->fd, r->window, n * sizeof(*out), r->off);
		if (err)
			return err;
		r->off += n * sizeof(*out);
		r->left -= n;
		r->pos = 0;
		r->n = n;
	}
	*out = r->v[r->pos++];
	return 0;
}

/* ---- merging of runs: a heap of readers, least claim on top ---- */

struct merge_head {
	struct xfs_claim r;
	struct xfs_claims_reader *from;
};

struct merge {
	enum claims_order order;
	size_t n;
	struct merge_head heap[CLAIMS_FANIN];
	struct xfs_claims_reader readers[CLAIMS_FANIN];
	size_t nreaders;
};

static void merge_sift(struct merge *m, size_t i)
{
	struct merge_head h = m->heap[i];

	for (size_t kid; (kid = 2 * i + 1) < m->n; i = kid) {
		if (kid + 1 < m->n && claims_before(&m->heap[kid + 1].r, &m->heap[kid].r, m->order))
			kid++;
		if (!claims_before(&m->heap[kid].r, &h.r, m->order))
			break;
		m->heap[i] = m->heap[kid];
	}
	m->heap[i] = h;
}

static int merge_open(struct merge **out, struct xfs_claims *c, const struct claims_run *runs, size_t n,
		      enum claims_order order)
{
	struct merge *m = calloc(1, sizeof(*m));

	*out = m;
	if (!m)
		return -XFS_E_NOMEM;
	m->order = order;
	for (size_t i = 0; i < n; i++) {
		int err = claims_run_reader_start(&m->readers[i], c, &runs[i]);

		m->nreaders++;
		if (!err)
			err = xfs_claims_reader_next(&m->readers[i], &m->heap[m->n].r);
		if (err && err != -XFS_E_NOENT)
			return err;
		if (!err)
			m->heap[m->n++].from = &m->readers[i];
	}
	for (size_t i = m->n / 2; i-- > 0; )
		merge_sift(m, i);
	return 0;
}

static int merge_next(struct merge *m, struct xfs_claim *out)
{
	int err;

	if (!m->n)
		return -XFS_E_NOENT;
	*out = m->heap[0].r;
	err = xfs_claims_reader_next(m->heap[0].from, &m->heap[0].r);
	if (err == -XFS_E_NOENT)
		m->heap[0] = m->heap[--m->n];
	else if (err)
		return err;
	merge_sift(m, 0);
	return 0;
}

static void merge_close(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nreaders; i++)
		claims_reader_stop(&m->readers[i]);
	free(m);
}

/* The first n runs of the AG become one, at the end of the list. */
static int merge_runs(struct xfs_claims *c, struct claims_ag *ag, size_t n, enum claims_order order)
{
	struct claims_run run = { 0 };
	struct merge *m = NULL;
	struct xfs_claim *buf = malloc(CLAIMS_WINDOW * sizeof(*buf));
	size_t fill = 0;
	uint64_t off;
	int err = buf ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; i < n; i++)
		run.n += ag->runs[i].n;
	if (!err)
		err = file_reserve(c, run.n, &run.off);
	if (!err)
		err = merge_open(&m, c, ag->runs, n, order);
	off = run.off;
	while (!err) {
		err = merge_next(m, &buf[fill]);
		if (err && err != -XFS_E_NOENT)
			break;
		fill += !err;
		if (fill == CLAIMS_WINDOW || (err && fill)) {
			int werr = xfs_fd_write(c->fd, buf, fill * sizeof(*buf), off);

			off += fill * sizeof(*buf);
			fill = 0;
			err = werr ? werr : err;
		}
	}
	if (err == -XFS_E_NOENT)
		err = run_append(ag, &run);
	if (!err) {
		for (size_t i = 0; i < n; i++)
			file_discard(c, &ag->runs[i]);
		ag->nruns -= n;
		memmove(ag->runs, ag->runs + n, ag->nruns * sizeof(*ag->runs));
	}
	merge_close(m);
	free(buf);
	return err;
}

/* At most `want` runs are left. */
static int reduce_runs(struct xfs_claims *c, struct claims_ag *ag, size_t want, enum claims_order order)
{
	int err = 0;

	while (!err && ag->nruns > want) {
		size_t n = ag->nruns - want + 1;

		err = merge_runs(c, ag, n < CLAIMS_FANIN ? n : CLAIMS_FANIN, order);
	}
	return err;
}

/* Runs in merge order -> joined claims, pushed to recs (which spill as runs in key order). */
static int join_runs(struct xfs_claims *c, struct claims_ag *ag, const struct claims_run *runs, size_t n)
{
	struct merge *m;
	struct xfs_claim next, r;
	bool have = false;
	int err = merge_open(&m, c, runs, n, CLAIMS_BY_MERGE);

	while (!err && !(err = merge_next(m, &next))) {
		if (have && claims_mergeable(&r, &next)) {
			r.len += next.len;
			continue;
		}
		if (have)
			err = claims_push(c, ag, &r, CLAIMS_BY_KEY);
		r = next;
		have = true;
	}
	if (err == -XFS_E_NOENT)
		err = have ? claims_push(c, ag, &r, CLAIMS_BY_KEY) : 0;
	merge_close(m);
	return err;
}

int claims_seal_spilled(struct xfs_claims *c, struct claims_ag *ag)
{
	struct claims_run runs[CLAIMS_FANIN];
	size_t n;
	int err = spill(c, ag, CLAIMS_BY_MERGE);

	if (!err)
		err = reduce_runs(c, ag, CLAIMS_FANIN, CLAIMS_BY_MERGE);
	if (err)
		return err;
	n = ag->nruns;
	memcpy(runs, ag->runs, n * sizeof(*runs));
	ag->nruns = 0;
	err = join_runs(c, ag, runs, n);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		file_discard(c, &runs[i]);
	if (!ag->nruns) {	/* joining made it small enough */
		claims_sort(ag->recs.v, ag->recs.n, CLAIMS_BY_KEY);
		claims_array_fit(c, &ag->recs);
		return 0;
	}
	err = spill(c, ag, CLAIMS_BY_KEY);
	if (!err)
		err = reduce_runs(c, ag, 1, CLAIMS_BY_KEY);
	if (err)
		return err;
	claims_array_release(c, &ag->recs);
	ag->in_file = true;
	return 0;
}
