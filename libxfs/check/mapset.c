/* SPDX-License-Identifier: BSD-2-Clause */
/* mapset.c - mappings of one fork as a set. */
#include "libxfs/check/mapset.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

#define FEW 32u			/* sorted one by one */
#define MANY 65536u		/* sorted in place */

void xfs_mapset_release(struct xfs_mapset *s)
{
	free(s->m);
	*s = (struct xfs_mapset){ 0 };
}

int xfs_mapset_add(struct xfs_mapset *s, const struct xfs_mapping *m)
{
	/* most forks of most files have one */
	if (xfs_grow(&s->m, s->n, &s->room, 2))
		return -XFS_E_NOMEM;
	s->m[s->n++] = *m;
	return 0;
}

static int by_offset(const void *pa, const void *pb)
{
	const struct xfs_mapping *a = pa, *b = pb;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->trust != b->trust)
		return a->trust > b->trust ? -1 : 1;
	if (a->fsbno != b->fsbno)
		return a->fsbno < b->fsbno ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

static int by_trust(const void *pa, const void *pb)
{
	const struct xfs_mapping *a = pa, *b = pb;

	if (a->trust != b->trust)
		return a->trust > b->trust ? -1 : 1;
	return by_offset(pa, pb);
}

static bool continues(const struct xfs_mapping *a, const struct xfs_mapping *b)
{
	return a->off + a->len == b->off && a->fsbno + a->len == b->fsbno && a->unwritten == b->unwritten &&
	       (uint64_t)a->len + b->len <= UINT32_MAX;
}

size_t xfs_mapset_find(const struct xfs_mapset *s, uint64_t off)
{
	return xfs_search(s->n, i, s->m[i].off + s->m[i].len <= off);
}

static int add_piece(struct xfs_mapset *out, const struct xfs_mapping *m, uint64_t from, uint64_t to)
{
	struct xfs_mapping piece = *m;

	piece.off = from;
	piece.fsbno += from - m->off;
	piece.len = (uint32_t)(to - from);
	return xfs_mapset_add(out, &piece);
}

/* out gets the parts of m whose offsets `taken` (sorted, disjoint) does not hold; *cut counts the rest */
static int add_untaken(struct xfs_mapset *out, const struct xfs_mapset *taken, const struct xfs_mapping *m,
		       int64_t *cut)
{
	uint64_t at = m->off, end = m->off + m->len;

	for (size_t i = xfs_mapset_find(taken, at); at < end; i++) {
		uint64_t stop = i < taken->n && taken->m[i].off < end ? taken->m[i].off : end;
		int error;

		if (stop > at) {
			error = add_piece(out, m, at, stop);
			if (error)
				return error;
			at = stop;
		}
		if (at < end) {
			uint64_t skip = xfs_min(end, taken->m[i].off + taken->m[i].len);

			*cut += (int64_t)(skip - at);
			at = skip;
		}
	}
	return 0;
}

static void swap(struct xfs_mapping *a, struct xfs_mapping *b)
{
	struct xfs_mapping m = *a;

	*a = *b;
	*b = m;
}

static void sort_few(struct xfs_mapping *m, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && m[k - 1].off > m[k].off; k--)
			swap(&m[k - 1], &m[k]);
}

/* By the byte at `shift`, each mapping moved to where those of its byte go; then these by the next byte. */
static void sort_by_byte(struct xfs_mapping *m, size_t n, unsigned shift)
{
	size_t next[256] = { 0 }, end[256], start = 0;

	for (size_t i = 0; i < n; i++)
		next[m[i].off >> shift & 255]++;
	for (unsigned b = 0; b < 256; b++) {
		size_t count = next[b];

		next[b] = start;
		end[b] = start += count;
	}
	for (unsigned b = 0; b < 256; b++)
		while (next[b] < end[b]) {
			struct xfs_mapping *at = &m[next[b]];

			swap(at, &m[next[at->off >> shift & 255]++]);
		}
	for (unsigned b = 0; b < 256 && shift; b++) {
		size_t first = b ? end[b - 1] : 0;

		if (end[b] - first > FEW)
			sort_by_byte(m + first, end[b] - first, shift - 8);
		else
			sort_few(m + first, end[b] - first);
	}
}

/*
 * Where offsets are the same, mappings overlap, and resolve_overlaps() puts them in order once more.  A fork gives its
 * mappings in order; those of a large file are sorted in place, not with as much memory again.
 */
static int sort_by_offset(struct xfs_mapset *s)
{
	static const struct xfs_sort_spec by_off = {
		.size = sizeof(struct xfs_mapping), .words = 1, .word_off = { offsetof(struct xfs_mapping, off) }
	};
	bool sorted = true;
	uint64_t all = 0;

	for (size_t i = 0; i < s->n; i++) {
		sorted &= !i || s->m[i - 1].off <= s->m[i].off;
		all |= s->m[i].off;
	}
	if (sorted)
		return 0;
	if (s->n < MANY)
		return xfs_sort(&by_off, s->m, s->n);
	sort_by_byte(s->m, s->n, xfs_log2_floor(all) / 8 * 8);
	return 0;
}

static bool overlaps_somewhere(const struct xfs_mapset *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (s->m[i - 1].off + s->m[i - 1].len > s->m[i].off)
			return true;
	return false;
}

struct resolving {
	struct xfs_mapset taken, next;	/* used for one cluster after the other */
	int64_t cut;
};

/* Rare path: places mappings group by group in order of trust. */
static int resolve_cluster(struct resolving *r, struct xfs_mapping *m, size_t n)
{
	int error = 0;

	qsort(m, n, sizeof(*m), by_trust);
	r->taken.n = 0;
	for (size_t i = 0; i < n && !error; ) {
		size_t group = i;
		uint64_t end = 0;
		struct xfs_mapset was;

		r->next.n = 0;
		/* one pass over a trust class: members are sorted by offset, so `end` resolves overlaps among them */
		for (; group < n && m[group].trust == m[i].trust && !error; group++) {
			struct xfs_mapping one = m[group];
			uint64_t lost = one.off < end ? xfs_min(end - one.off, one.len) : 0;

			r->cut += (int64_t)lost;
			one.off += lost;
			one.fsbno += lost;
			one.len -= (uint32_t)lost;
			if (!one.len)
				continue;
			end = one.off + one.len;
			error = add_untaken(&r->next, &r->taken, &one, &r->cut);
		}
		for (size_t k = 0; k < r->taken.n && !error; k++)
			error = xfs_mapset_add(&r->next, &r->taken.m[k]);
		if (!error && r->next.n)
			qsort(r->next.m, r->next.n, sizeof(*r->next.m), by_offset);
		was = r->taken;
		r->taken = r->next;
		r->next = was;
		i = group;
	}
	return error;
}

/* Where the mappings that overlap the one at `i`, and each other in a chain, end. */
static size_t cluster_end(const struct xfs_mapset *s, size_t i)
{
	uint64_t end = s->m[i].off + s->m[i].len;

	while (++i < s->n && s->m[i].off < end)
		end = xfs_max(end, s->m[i].off + s->m[i].len);
	return i;
}

/*
 * Sorted by offset: what overlaps lies together, and only that is held twice.  Pieces for which there is no room where
 * the cluster was, as one mapping may be cut into many, are sorted in at the end.
 */
static int64_t resolve_overlaps(struct xfs_mapset *s)
{
	struct xfs_mapset late = { 0 };
	struct resolving r = { .cut = 0 };
	size_t keep = 0;
	int error = 0;

	for (size_t i = 0, end; i < s->n && !error; i = end) {
		size_t fit;

		end = cluster_end(s, i);
		if (end - i == 1) {
			if (s->m[i].len)
				s->m[keep++] = s->m[i];
			continue;
		}
		error = resolve_cluster(&r, &s->m[i], end - i);
		if (error)
			break;
		fit = xfs_min(r.taken.n, end - keep);
		if (fit)
			memcpy(&s->m[keep], r.taken.m, fit * sizeof(*s->m));
		keep += fit;
		for (size_t k = fit; k < r.taken.n && !error; k++)
			error = xfs_mapset_add(&late, &r.taken.m[k]);
	}
	xfs_mapset_release(&r.taken);
	xfs_mapset_release(&r.next);
	if (!error)
		s->n = keep;
	for (size_t k = 0; k < late.n && !error; k++)
		error = xfs_mapset_add(s, &late.m[k]);
	if (!error && late.n)
		error = sort_by_offset(s);
	xfs_mapset_release(&late);
	return error ? error : r.cut;
}

int64_t xfs_mapset_normalise(struct xfs_mapset *s)
{
	int64_t cut = 0;
	size_t keep = 0;
	int error;

	if (!s->n)
		return 0;
	error = sort_by_offset(s);
	if (error)
		return error;
	if (overlaps_somewhere(s)) {
		cut = resolve_overlaps(s);
		if (cut < 0)
			return cut;
	}
	for (size_t i = 1; i < s->n; i++) {
		if (continues(&s->m[keep], &s->m[i]))
			s->m[keep].len += s->m[i].len;
		else
			s->m[++keep] = s->m[i];
	}
	s->n = s->n ? keep + 1 : 0;
	return cut;
}

bool xfs_mapset_equal(const struct xfs_mapset *a, const struct xfs_mapset *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->m[i].off != b->m[i].off || a->m[i].fsbno != b->m[i].fsbno || a->m[i].len != b->m[i].len ||
		    a->m[i].unwritten != b->m[i].unwritten)
			return false;
	return true;
}

int xfs_mapset_subtract(struct xfs_mapset *out, const struct xfs_mapset *a, const struct xfs_mapset *b)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct xfs_mapping *m = &a->m[i];
		uint64_t at = m->off, end = m->off + m->len;
		size_t j;
		int error;

		while (k < b->n && b->m[k].off + b->m[k].len <= at)
			k++;
		for (j = k; j < b->n && b->m[j].off < end; j++) {
			const struct xfs_mapping *o = &b->m[j];
			uint64_t from = xfs_max(at, o->off), to = xfs_min(end, o->off + o->len);

			if (from >= to || o->unwritten != m->unwritten || o->fsbno - o->off != m->fsbno - m->off)
				continue;
			if (from > at) {
				error = add_piece(out, m, at, from);
				if (error)
					return error;
			}
			at = to;
		}
		if (at < end) {
			error = add_piece(out, m, at, end);
			if (error)
				return error;
		}
	}
	return 0;
}

/* The mapping at d->at goes no further: what was not matched of it. */
static int end_of_set_mapping(struct xfs_mapdiff *d)
{
	const struct xfs_mapping *o = &d->set->m[d->at++];
	uint64_t from = xfs_max(d->from, o->off), end = o->off + o->len;

	d->from = 0;
	return from < end ? add_piece(d->only_set, o, from, end) : 0;
}

static int compare_one(struct xfs_mapdiff *d, const struct xfs_mapping *m)
{
	const struct xfs_mapset *set = d->set;
	uint64_t at = m->off, end = m->off + m->len;
	int error = 0;

	while (d->at < set->n && set->m[d->at].off < end && !error) {
		const struct xfs_mapping *o = &set->m[d->at];
		uint64_t start = xfs_max(d->from, o->off), from = xfs_max(start, m->off);
		uint64_t to = xfs_min(end, o->off + o->len);

		if (from < to && o->unwritten == m->unwritten && o->fsbno - o->off == m->fsbno - m->off) {
			if (from > start)
				error = add_piece(d->only_set, o, start, from);
			if (!error && from > at)
				error = add_piece(d->only_given, m, at, from);
			at = d->from = to;
		}
		if (o->off + o->len > end)
			break;
		if (!error)
			error = end_of_set_mapping(d);
	}
	return at < end && !error ? add_piece(d->only_given, m, at, end) : error;
}

int xfs_mapdiff_add(struct xfs_mapdiff *d, const struct xfs_mapping *m)
{
	int error = 0;

	if (d->last.len && continues(&d->last, m)) {
		d->last.len += m->len;
		return 0;
	}
	if (d->last.len)
		error = compare_one(d, &d->last);
	d->last = *m;
	return error;
}

int xfs_mapdiff_finish(struct xfs_mapdiff *d)
{
	int error = d->last.len ? compare_one(d, &d->last) : 0;

	d->last.len = 0;
	while (d->at < d->set->n && !error)
		error = end_of_set_mapping(d);
	return error;
}

uint64_t xfs_mapset_blocks(const struct xfs_mapset *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->m[i].len;
	return sum;
}
