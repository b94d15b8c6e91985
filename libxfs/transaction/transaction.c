/* SPDX-License-Identifier: BSD-2-Clause */
/* transaction.c - chains of transactions: begin, deferred work, commit, abort. */
#include "libxfs/transaction/journal.h"

#include <string.h>

/* Nothing here counts for quotas: the first change makes the next mount do it. */
static int distrust_quota(struct xfs_trans *t)
{
	if (!(t->edit->fs->geo.sb.qflags & XFS_SB_QUOTA_CHECKED))
		return 0;
	return xfs_change_sb_bits(&t->change, XFS_OFF(sb, qflags), XFS_SB_QUOTA_CHECKED, 0);
}

int xfs_trans_begin(struct xfs_trans *t, struct xfs_edit *e, uint64_t bytes)
{
	int err;

	memset(t, 0, sizeof(*t));
	if (e->failed)
		return -XFS_E_SHUTDOWN;
	if (e->open)
		return -XFS_E_BUSY;
	err = e->journal ? xfs_journal_begin(e->journal, bytes) : 0;
	if (err)
		return err;
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
	err = distrust_quota(t);
	if (err)
		xfs_trans_abort(t);
	return err;
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

/* The first of the pending works; what the log had announced is done, or goes on under a new name. */
static int do_first(struct xfs_trans *t)
{
	struct xfs_journal *j = t->edit->journal;
	struct xfs_pending *p = t->pending.first, *done;
	int err = j ? xfs_journal_finish(j, p) : 0;

	if (!err)
		err = xfs_trans_step(t, &done);
	if (err)
		return err;
	if (done) {
		xfs_pending_free(t->edit, done);
	} else if (p->in_log) {
		p->id = t->edit->next_id++;
		p->in_log = false;
	}
	return 0;
}

/* Children before their older siblings, until nothing is left. */
static int do_works(struct xfs_trans *t)
{
	struct xfs_edit *e = t->edit;
	int err = 0;

	xfs_trans_announce(t);
	while (!err && t->pending.first) {
		if (e->journal)
			err = xfs_journal_step(e->journal, t, e->options.each);
		if (!err)
			err = do_first(t);
		xfs_trans_announce(t);
	}
	return err;
}

int xfs_trans_commit(struct xfs_trans *t)
{
	struct xfs_journal *j;
	int err;

	if (!t->edit)
		return -XFS_E_INVALID;
	j = t->edit->journal;
	err = t->change.error ? t->change.error : do_works(t);
	if (!err && t->change.error)
		err = t->change.error;
	if (!err)
		err = j ? xfs_journal_commit(j, t) : xfs_change_commit(&t->change);
	if (err)
		xfs_trans_abort(t);	/* of a change that has ended nothing is left to put back */
	else
		close_trans(t);
	return err;
}

void xfs_trans_abort(struct xfs_trans *t)
{
	if (!t->edit)
		return;
	/* the log holds a part of it: only recovery can finish that now */
	if (t->steps && !t->edit->failed)
		t->edit->failed = -XFS_E_SHUTDOWN;
	xfs_trans_drop_works(t);
	xfs_change_abort(&t->change);
	close_trans(t);
}
