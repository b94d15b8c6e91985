/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c - --replay: the log is replayed in memory, and everything is shown as it is then. */
#include "db/db.h"

#include "libxfs/recovery/recovery.h"

#include <inttypes.h>

#define SCRATCH ((size_t)64 << 20)	/* bytes of memory for what changes; the rest goes to a file */

static void complain(void *payload, const struct xfs_finding *f)
{
	const struct db *db = payload;
	char text[400];

	xfs_finding_format(f, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", db->prog, text);
}

static int cover(struct xfs_dev **dev)
{
	struct xfs_dev *top;
	int err = *dev ? xfs_dev_overlay(&top, *dev, 0, SCRATCH, NULL) : 0;

	if (!err && *dev)
		*dev = top;
	return err;
}

static int recover(struct db *db, struct xfs_recovery *rec, struct xfs_recovery_work *done)
{
	/* files are shown as they will be; what tells of the space of the realtime section is not changed with them */
	const struct xfs_recovery_options how = { .leave_realtime = true };
	struct xfs_sink sink = { complain, db };
	int err = cover(&db->dev.data);

	if (!err)
		err = cover(&db->dev.log);
	return err ? err : xfs_recovery_run(&db->dev, &how, rec, done, &sink);
}

bool db_replay(struct db *db)
{
	struct xfs_recovery rec = { .nintents = 0 };
	struct xfs_recovery_work done = { .stage = XFS_RECOVER_REPLAY };
	int err = recover(db, &rec, &done);

	if (!err && !rec.counts.records)
		fprintf(stderr, "%s: the log is clean, there is nothing to replay\n", db->prog);
	else if (!err || err == -XFS_E_DIRTYLOG)
		fprintf(stderr, "%s: the log is replayed in memory, %s stays as it is\n", db->prog, db->device);
	else
		fprintf(stderr, "%s: the log of %s cannot be replayed: %s\n", db->prog, db->device,
			xfs_error_text(err));
	if (done.realtime_left)
		fprintf(stderr, "%s: %" PRIu64 " changes of bitmap and trees of the realtime section are not shown\n",
			db->prog, done.realtime_left);
	if (err == -XFS_E_DIRTYLOG)
		fprintf(stderr, "%s: inodes without names are still there\n", db->prog);
	xfs_recovery_free(&rec);
	return !err || err == -XFS_E_DIRTYLOG;
}
