/* SPDX-License-Identifier: BSD-2-Clause */
/* edit.c - an edit: opening it on a clean log, making changes durable, closing. */
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/journal.h"

#include <stdlib.h>

static int check_log(const struct xfs_fs *fs, struct xfs_log_state *log)
{
	int err = xfs_log_state(fs, log);

	if (err)
		return err;
	return log->kind == XFS_LOG_CLEAN ? 0 : log->kind == XFS_LOG_DIRTY ? -XFS_E_DIRTYLOG : -XFS_E_CORRUPT;
}

int xfs_edit_open(struct xfs_edit **out, struct xfs_fs *fs, const struct xfs_edit_options *options)
{
	struct xfs_log_state log;
	struct xfs_edit *e;
	int err;

	*out = NULL;
	err = check_log(fs, &log);
	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -XFS_E_NOMEM;
	e->fs = fs;
	if (options)
		e->options = *options;
	e->next_id = 1;
	err = xfs_live_open(&e->live, fs);
	if (!err && e->options.logged)
		err = xfs_journal_open(e, &log);
	if (err)
		xfs_edit_close(e);
	else
		*out = e;
	return err;
}

struct xfs_live *xfs_edit_live(struct xfs_edit *e)
{
	return e->live;
}

/* From here on nothing may be written: what is in memory and what is on disk do not belong together any more. */
static int fail(struct xfs_edit *e, int err)
{
	if (err && !e->failed)
		e->failed = err;
	return err;
}

/* ---- inodes without names ---- */

int xfs_edit_bury(struct xfs_edit *e, struct xfs_live_inode *li)
{
	struct xfs_live_inode *again;
	int err = xfs_inode_inactivate(e, li);

	if (err == -XFS_E_NOMEM && e->norphans < XFS_ORPHANS_MOST &&
	    !xfs_live_inode_get(e->live, li->i.ino.v, &again)) {
		e->orphans[e->norphans++] = again;
		return 0;
	}
	return e->journal ? err : fail(e, err);
}

/* Those that somebody holds by now are his. */
static int bury_orphans(struct xfs_edit *e)
{
	while (e->norphans) {
		struct xfs_live_inode *li = e->orphans[e->norphans - 1];
		bool mine = li->refs == 1 && li->i.d.core.mode && !xfs_dinode_nlink(&li->i.d);
		int err = mine ? xfs_inode_inactivate(e, li) : 0;

		if (err)
			return err == -XFS_E_NOMEM || e->journal ? err : fail(e, err);
		e->norphans--;
		xfs_live_inode_put(li);
	}
	return 0;
}

/* ---- the end of changes ---- */

static int begin_sync(struct xfs_edit *e)
{
	return e->failed ? -XFS_E_SHUTDOWN : e->open ? -XFS_E_BUSY : bury_orphans(e);
}

int xfs_edit_sync(struct xfs_edit *e)
{
	int err = begin_sync(e);

	if (err)
		return err;
	if (e->journal)
		return xfs_journal_sync(e->journal);
	err = xfs_change_sync(e->fs);
	/* what could not be written for want of memory is dirty still */
	return err == -XFS_E_NOMEM ? err : fail(e, err);
}

int xfs_edit_quiesce(struct xfs_edit *e)
{
	int err;

	if (!e->journal)
		return xfs_edit_sync(e);
	err = begin_sync(e);
	return err ? err : xfs_journal_quiesce(e->journal);
}

int xfs_edit_data_begin(struct xfs_edit *e, uint64_t fsblock, uint32_t blocks)
{
	if (e->failed)
		return -XFS_E_SHUTDOWN;
	if (!xfs_fsbno_range_valid(&e->fs->geo, fsblock, blocks))
		return -XFS_E_RANGE;
	return e->journal ? xfs_journal_data_begin(e->journal, fsblock, blocks) : 0;
}

void xfs_edit_data_written(struct xfs_edit *e)
{
	if (e->journal)		/* in direct mode each sync ends with a barrier */
		e->journal->data_written = true;
}

void xfs_edit_close(struct xfs_edit *e)
{
	struct xfs_change_buf *b;
	struct xfs_pending *p;

	if (!e)
		return;
	if (e->open)
		xfs_trans_abort(e->open);
	while (e->norphans)
		xfs_live_inode_put(e->orphans[--e->norphans]);
	xfs_journal_close(e->journal);
	xfs_live_close(e->live);
	while ((b = e->spare_bufs)) {
		e->spare_bufs = b->next;
		free(b->before);
		free(b);
	}
	while ((p = e->spare_pendings)) {
		e->spare_pendings = p->next;
		free(p);
	}
	free(e);
}
