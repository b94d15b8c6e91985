/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag_records.c - free and shared extents of an AG by pull, straight from its claims.
 *
 * No list of them exists: memory does not grow with their number.  The cntbt wants another order, so its records pass
 * through a sorter, which spills.
 */
#include "libxfs/build/ag_records.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>

static int no_more(int err)
{
	return err == -XFS_E_NOENT ? 0 : err;
}

/* ---- free extents, by block ---- */

int ag_free_open(struct ag_free_reader *f, const struct ag_build *b)
{
	*f = (struct ag_free_reader){ .length = b->length };
	return xfs_claims_reader_open(&f->claims, b->want->claims, b->want->agno);
}

void ag_free_close(struct ag_free_reader *f)
{
	xfs_claims_reader_close(f->claims);
	f->claims = NULL;
}

int ag_free_next(struct ag_free_reader *f, struct ag_free *out)
{
	while (!f->ended) {
		struct xfs_claim c;
		int err = xfs_claims_reader_next(f->claims, &c);
		uint32_t from = f->reach, to;

		if (no_more(err))
			return err;
		f->ended = err != 0;
		to = f->ended ? f->length : c.agbno;
		if (!f->ended && c.agbno + c.len > f->reach)
			f->reach = c.agbno + c.len;
		if (to > from) {
			*out = (struct ag_free){ from, to - from };
			return 0;
		}
	}
	return -XFS_E_NOENT;
}

/* ---- the same by length ---- */

static const struct xfs_sort_spec by_length = { .size = sizeof(uint64_t), .words = 1, .word_off = { 0 } };

int ag_sorted_open(struct xfs_sorter **out, const struct ag_build *b)
{
	struct ag_free_reader f;
	struct ag_free e;
	int err = xfs_sorter_create(out, &by_length, b->want->memory ? b->want->memory : AG_SORT_MEMORY, NULL);

	if (err)
		return err;
	err = ag_free_open(&f, b);
	while (!err) {
		err = ag_free_next(&f, &e);
		if (!err)
			err = xfs_sorter_add(*out, &(uint64_t){ (uint64_t)e.len << 32 | e.start }, 1);
	}
	ag_free_close(&f);
	err = no_more(err);
	return err ? err : xfs_sorter_finish(*out);
}

int ag_sorted_next(struct xfs_sorter *s, struct ag_free *out)
{
	const void *record;
	uint64_t word;
	int err = xfs_sorter_next(s, &record);

	if (err || !record)
		return err ? err : -XFS_E_NOENT;
	memcpy(&word, record, sizeof(word));
	*out = (struct ag_free){ (uint32_t)word, (uint32_t)(word >> 32) };
	return 0;
}

/* ---- shared extents, then those of the CoW domain ---- */

static int keep_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct ag_refc_reader *f = payload;

	if (xfs_grow(&f->queue, f->n, &f->cap, 16))
		return -XFS_E_NOMEM;
	f->queue[f->n++] = (struct ag_refc){ agbno, len, refs };
	return 0;
}

int ag_refc_open(struct ag_refc_reader *f, const struct ag_build *b)
{
	*f = (struct ag_refc_reader){ .b = b, .sweep = { .found = keep_run } };
	f->sweep.payload = f;
	return xfs_claims_reader_open(&f->claims, b->want->claims, b->want->agno);
}

void ag_refc_close(struct ag_refc_reader *f)
{
	xfs_sweep_finish(&f->sweep, -XFS_E_STOP);
	xfs_claims_reader_close(f->claims);
	free(f->queue);
	f->claims = NULL;
	f->queue = NULL;
}

/* One more claim, or the end of a domain. */
static int feed(struct ag_refc_reader *f)
{
	struct xfs_claim c;
	int err = xfs_claims_reader_next(f->claims, &c);

	if (!err && !f->cow)
		return xfs_sweep_claim(&f->sweep, &c);
	if (!err)
		return c.owner == XFS_OWN_COW ? keep_run(f, c.agbno | XFS_REFC_COW, c.len, 1) : 0;
	if (err != -XFS_E_NOENT || f->cow)
		return err;
	err = xfs_sweep_finish(&f->sweep, 0);
	f->cow = true;
	xfs_claims_reader_close(f->claims);
	f->claims = NULL;
	return err ? err : xfs_claims_reader_open(&f->claims, f->b->want->claims, f->b->want->agno);
}

int ag_refc_next(struct ag_refc_reader *f, struct ag_refc *out)
{
	if (f->at == f->n)
		f->at = f->n = 0;
	while (f->at == f->n) {
		int err = feed(f);

		if (err)
			return err;
	}
	*out = f->queue[f->at++];
	return 0;
}
