/* SPDX-License-Identifier: BSD-2-Clause */
/* parts.c - reads a log up to its damage, and finds where it goes on. */
#include "libxfs/log/parts.h"

/* As far as the iterator gets: 0 at the end, else its error, with the block of the record that it refuses. */
static int walk(const struct xfs_fs *fs, struct xfs_log_parts *p, uint32_t *block)
{
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	int err = xfs_log_iter_new(&it, fs, &p->before, false, NULL);

	p->transactions = p->open = 0;
	while (!err) {
		err = xfs_log_iter_next(it, &e, NULL);
		if (!err && e.kind == XFS_LOG_EV_RECORD)
			p->tail_lsn = e.record->h.tail_lsn;
		if (!err && e.kind == XFS_LOG_EV_TRANS)
			p->transactions++;
		if (!err && e.kind == XFS_LOG_EV_OPEN)
			p->open++;
	}
	if (it)
		*block = xfs_log_iter_block(it);
	xfs_log_iter_free(it);
	return err == -XFS_E_NOENT ? 0 : err;
}

int xfs_log_parts_find(const struct xfs_fs *fs, const struct xfs_log_state *state, struct xfs_log_parts *out)
{
	uint32_t block = state->tail;
	int err;

	*out = (struct xfs_log_parts){ .whole = *state, .before = xfs_log_state_before_damage(state) };
	out->bad = out->before.head;
	if (state->kind != XFS_LOG_DIRTY && !state->damaged)
		return -XFS_E_NOENT;
	err = walk(fs, out, &block);
	if (!err)
		return state->damaged ? 0 : -XFS_E_NOENT;
	if (err == -XFS_E_NOMEM)
		return err;
	/* what stood in the record before it was refused does not count */
	out->bad = block;
	out->before = xfs_log_state_until(&out->before, block);
	return walk(fs, out, &block);
}

/* What begins behind it: DIRTY; its iteration may end at the next damage. */
static int look_behind(const struct xfs_fs *fs, const struct xfs_log_state *whole, uint32_t bad,
		       struct xfs_log_state *out)
{
	struct xfs_log_loaded l = { .p = NULL };
	struct xfs_log_area a;
	int err = xfs_log_area_find(&a, fs) ? -XFS_E_NOENT : 0;
	uint32_t left = err ? 0 : xfs_log_distance(&a, bad, whole->head), at = bad;

	for (err = -XFS_E_NOENT; left > 1 && err && err != -XFS_E_NOMEM; left--) {
		uint32_t cycle;

		at = (at + 1) % a.blocks;
		cycle = at < whole->head ? whole->cycle : xfs_log_prev_cycle(whole->cycle);
		err = xfs_log_load(&a, at, &l);
		if (!err && l.r.h.cycle != cycle)
			err = -XFS_E_NOENT;
	}
	xfs_log_loaded_free(&l);
	if (err)
		return err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
	*out = *whole;
	out->kind = XFS_LOG_DIRTY;
	out->damaged = false;
	out->reason = NULL;
	out->tail = at;
	return 0;
}

int xfs_log_parts_next(const struct xfs_fs *fs, const struct xfs_log_state *whole, uint32_t *bad,
		       struct xfs_log_parts *out)
{
	struct xfs_log_state state;
	int err = look_behind(fs, whole, *bad, &state);

	if (err)
		return err;
	err = xfs_log_parts_find(fs, &state, out);
	/* NOENT: it reaches to the head */
	*bad = err == -XFS_E_NOENT ? whole->head : out->bad;
	return err == -XFS_E_NOENT ? 0 : err;
}
