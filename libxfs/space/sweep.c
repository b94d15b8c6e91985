/* SPDX-License-Identifier: BSD-2-Clause */
/* sweep.c - shared runs: a heap of the ends of the claims that are open at the current block. */
#include "libxfs/space/sweep.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/grow.h"

#include <stdlib.h>

static int ends_push(struct xfs_sweep *s, uint32_t end, uint64_t owner)
{
	size_t i = s->n;

	if (xfs_grow(&s->ends, s->n, &s->cap, 64))
		return -XFS_E_NOMEM;
	for (s->n++; i && s->ends[(i - 1) / 2].end > end; i = (i - 1) / 2)
		s->ends[i] = s->ends[(i - 1) / 2];
	s->ends[i] = (struct xfs_sweep_end){ owner, end };
	return 0;
}

static void ends_pop(struct xfs_sweep *s)
{
	struct xfs_sweep_end last = s->ends[--s->n];
	size_t i = 0;

	for (size_t kid; (kid = 2 * i + 1) < s->n; i = kid) {
		if (kid + 1 < s->n && s->ends[kid + 1].end < s->ends[kid].end)
			kid++;
		if (s->ends[kid].end >= last.end)
			break;
		s->ends[i] = s->ends[kid];
	}
	s->ends[i] = last;
}

static int shared_flush(struct xfs_sweep *s)
{
	int err = s->refs > 1 ? s->found(s->payload, s->start, s->at - s->start, s->refs) : 0;

	s->refs = 0;
	return err;
}

/* Blocks up to `to` are covered by the open claims. */
static int shared_advance(struct xfs_sweep *s, uint32_t to)
{
	uint32_t refs = s->n < UINT32_MAX ? (uint32_t)s->n : UINT32_MAX;
	int err = 0;

	if (to == s->at)
		return 0;
	if (refs != s->refs) {
		err = shared_flush(s);
		s->start = s->at;
		s->refs = refs;
	}
	s->at = to;
	return err;
}

/* Closes the claims that end up to `to`. */
static int shared_close(struct xfs_sweep *s, uint32_t to)
{
	int err = 0;

	while (!err && s->n && s->ends[0].end <= to) {
		err = shared_advance(s, s->ends[0].end);
		ends_pop(s);
	}
	return err;
}

int xfs_sweep_claim(void *payload, const struct xfs_claim *r)
{
	struct xfs_sweep *s = payload;
	int err;

	if (!xfs_claim_shareable(r))
		return 0;
	err = shared_close(s, r->agbno);
	if (!err)
		err = shared_advance(s, r->agbno);
	/* those that are open share with this one; when they are several, they were told before */
	if (!err && s->sharer && s->n == 1)
		err = s->sharer(s->payload, s->ends[0].owner);
	if (!err && s->sharer && s->n)
		err = s->sharer(s->payload, r->owner);
	return err ? err : ends_push(s, r->agbno + r->len, r->owner);
}

int xfs_sweep_finish(struct xfs_sweep *s, int err)
{
	if (!err)
		err = shared_close(s, UINT32_MAX);
	if (!err)
		err = shared_flush(s);
	free(s->ends);
	s->ends = NULL;
	return err;
}
