/* SPDX-License-Identifier: BSD-2-Clause */
/* transaction.c - chains of transactions: begin, deferred work, commit, abort. */
#include "libxfs/transaction/private.h"

#include <string.h>

int xfs_trans_begin(struct xfs_trans *t, struct xfs_edit *e, uint64_t bytes)
{
	int err;

	memset(t, 0, sizeof(*t));
	if (e->failed)
		return -XFS_E_SHUTDOWN;
	if (e->open)
		return -XFS_E_BUSY;
	err = xfs_change_init(&t->change, e->fs);
	if (err)
		return err;
	t->change.spares = e->spare_bufs;
	e->spare_bufs = NULL;
	t->works.add = xfs_trans_queue;
	t->change.works = &t->works;
	t->change.logged = e->options.logged;
	t->reserved = bytes;
	xfs_pending_init(&t->fresh);
	xfs_pending_init(&t->pending);
	t->edit = e;
	e->open = t;
	return 0;
}

/* The change is over; its memory goes back to the edit. */
static void close_trans(struct xfs_trans *t)
{
	struct xfs_edit *e = t->edit;

	e->spare_bufs = t->change.spares;
	t->change.spares = NULL;
	xfs_change_release(&t->change);
	t->change.works = NULL;
	t->edit = NULL;
	e->open = NULL;
}

/* Children before their older siblings, until nothing is left. */
static int do_works(struct xfs_trans *t)
{
	struct xfs_pending *done;
	int err = 0;

	xfs_trans_announce(t);
	while (!err && t->pending.first) {
		err = xfs_trans_step(t, &done);
		if (done)
			xfs_pending_free(t->edit, done);
		xfs_trans_announce(t);
	}
	return err;
}

int xfs_trans_commit(struct xfs_trans *t)
{
	int err;

	if (!t->edit)
		return -XFS_E_INVALID;
	err = t->change.error ? t->change.error : do_works(t);
	if (err) {
		xfs_trans_abort(t);
		return err;
	}
	err = xfs_change_commit(&t->change);
	close_trans(t);
	return err;
}

void xfs_trans_abort(struct xfs_trans *t)
{
	if (!t->edit)
		return;
	xfs_trans_drop_works(t);
	xfs_change_abort(&t->change);
	close_trans(t);
}
