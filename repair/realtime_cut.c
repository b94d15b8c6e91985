/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_cut.c - what forks lose in the realtime section: gathered while conflicts are settled, then each fork is cut
 * once.
 *
 * A loss to another file is told by blocks, for whatever the loser has there goes; where a file claims blocks twice,
 * one of its claims goes, told by its offsets.
 */
#include "repair/realtime_cut.h"

#include "repair/evidence.h"
#include "repair/realtime.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/inode/fork.h"

#include <stdlib.h>

#define MOST_CUTS ((size_t)1 << 20)	/* in one round */

struct repair_rt_cut {
	uint64_t ino;
	uint64_t lo, hi;		/* blocks, counted without the gaps between groups */
	uint64_t off, len;		/* of the file; len 0: wherever */
};

bool repair_rt_cuts_room(const struct repair_rt_cuts *c)
{
	return c->n < MOST_CUTS;
}

int repair_rt_cuts_add(struct repair_rt_cuts *c, const struct repair_rt_map *loser, uint64_t lo, uint64_t hi,
		       bool twice)
{
	if (xfs_grow(&c->list, c->n, &c->room, 64))
		return -XFS_E_NOMEM;
	c->list[c->n++] = (struct repair_rt_cut){ loser->ino, lo, hi, loser->off, twice ? loser->len : 0 };
	return 0;
}

void repair_rt_cuts_release(struct repair_rt_cuts *c)
{
	free(c->list);
}

/* What of the mapping lies in these blocks. */
static int add_part(const struct repair *r, struct xfs_mapset *out, const struct xfs_mapping *m, uint64_t lo,
		    uint64_t hi)
{
	uint64_t start = xfs_rtblock_linear(&r->geo, m->fsbno);
	uint64_t from = xfs_max(start, lo), to = xfs_min(start + m->len, hi);
	struct xfs_mapping part = *m;

	if (from >= to)
		return 0;
	part.off += from - start;
	part.fsbno += from - start;
	part.len = to - from;
	return xfs_mapset_add(out, &part);
}

/* Cuts by offset, of one file. */
static int gather_twice(const struct repair *r, const struct xfs_mapset *s, const struct repair_rt_cut *list, size_t n,
			struct xfs_mapset *out)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		for (size_t k = list[i].len ? xfs_mapset_find(s, list[i].off) : s->n;
		     k < s->n && s->m[k].off < list[i].off + list[i].len && !error; k++)
			error = add_part(r, out, &s->m[k], list[i].lo, list[i].hi);
	return error;
}

/* Cuts by blocks, joined: ascending. Returns how many there are. */
static size_t join(struct repair_rt_cut *list, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].len)
			continue;
		if (k && list[i].lo <= list[k - 1].hi)
			list[k - 1].hi = xfs_max(list[k - 1].hi, list[i].hi);
		else
			list[k++] = list[i];
	}
	return k;
}

static int gather_blocks(const struct repair *r, const struct xfs_mapset *s, const struct repair_rt_cut *list, size_t n,
			 struct xfs_mapset *out)
{
	int error = 0;

	for (size_t i = 0; i < s->n && n && !error; i++) {
		uint64_t start = xfs_rtblock_linear(&r->geo, s->m[i].fsbno), end = start + s->m[i].len;

		for (size_t k = xfs_search(n, j, list[j].hi <= start); k < n && list[k].lo < end && !error; k++)
			error = add_part(r, out, &s->m[i], list[k].lo, list[k].hi);
	}
	return error;
}

static int cut_fork(struct repair *r, struct repair_rt_cut *list, size_t n)
{
	struct xfs_mapset cut = { 0 }, left = { 0 };
	struct repair_inode *c;
	int error = repair_open_fork(r, list->ino, XFS_FORK_DATA, &c);
	struct xfs_mapset *s = error ? NULL : &c->map[XFS_FORK_DATA];
	int64_t twice;

	if (!error)
		error = gather_twice(r, s, list, n, &cut);
	if (!error)
		error = gather_blocks(r, s, list, join(list, n), &cut);
	twice = error ? 0 : xfs_mapset_normalise(&cut);
	error = twice < 0 ? (int)twice : error;
	if (!error && cut.n)
		error = xfs_mapset_subtract(&left, s, &cut);
	if (!error && cut.n) {
		xfs_mapset_release(s);
		*s = left;
		left = (struct xfs_mapset){ 0 };
		error = repair_rt_align(r, s);
	}
	xfs_mapset_release(&cut);
	xfs_mapset_release(&left);
	return error;
}

int repair_rt_cuts_apply(struct repair *r, struct repair_rt_cuts *c)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct repair_rt_cut), .words = 2,
		.word_off = { offsetof(struct repair_rt_cut, ino), offsetof(struct repair_rt_cut, lo) } };
	int error = xfs_sort(&order, c->list, c->n);

	for (size_t i = 0, end; i < c->n && !error; i = end) {
		for (end = i + 1; end < c->n && c->list[end].ino == c->list[i].ino;)
			end++;
		error = cut_fork(r, &c->list[i], end - i);
	}
	c->n = 0;
	return error;
}
