/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_place.c - a filesystem without room to build what is new beside what is old.
 *
 * Blocks that the repair gives up are then written over.  All of it is worked out above the device, goes to the log as
 * one transaction and only from there to its place: a run that is stopped has changed nothing, or the next one replays
 * it.
 */
#include "repair/logrun.h"
#include "repair/rebuild.h"
#include "repair/write.h"

#include "libxfs/recovery/recovery.h"

/* The log goes on from where it ended; what is in the cache is of before. */
static int look_again(struct repair *r)
{
	struct xfs_fs *fs;
	int error = xfs_fs_open(&fs, &r->dev, NULL, NULL);

	if (error)
		return error;
	error = xfs_log_state(fs, &r->log);
	xfs_fs_close(fs);
	xfs_buf_forget(r->fs->cache, 0, 0);
	return error;
}

static int work_above(struct repair *r)
{
	int error = repair_build_new(r);

	return error ? error : repair_switch_over(r);
}

static int bring_down(struct repair *r, struct xfs_dev *above)
{
	int error = xfs_recovery_bring_down(&r->dev, above, &r->sink);

	if (error != -XFS_E_INTERNAL)
		return error;
	/* it looked clean, but somebody was stopped when he formatted it: what is written to it is not found again */
	error = repair_clear_log(r);
	return error ? error : xfs_recovery_bring_down(&r->dev, above, &r->sink);
}

static int rebuild_in_place(struct repair *r)
{
	struct xfs_dev *below = r->dev.data, *above;
	int error = repair_begin_writing(r);

	if (!error)
		error = xfs_dev_scratch(&above, below, REPAIR_SCRATCH);
	if (error)
		return error;
	r->in_place = true;
	r->dev.data = above;
	error = work_above(r);
	r->dev.data = below;
	r->in_place = false;
	if (!error)
		error = bring_down(r, above);
	xfs_dev_close(above);
	if (error)
		return error == -XFS_E_UNSUPPORTED || error == -XFS_E_DIRTYLOG ? -XFS_E_NOSPC : error;
	error = repair_write_secondaries(r);	/* a log leaves superblocks out */
	if (!error)
		error = repair_write_primary(r, true);
	if (!error)
		error = xfs_dev_barrier(below);
	return error ? error : look_again(r);
}

static int without_room(struct repair *r)
{
	repair_say(r,
		   "        - no room beside what is there: blocks that are given up are written over, "
		   "through the log");
	return rebuild_in_place(r);
}

int repair_rebuild(struct repair *r)
{
	int error = repair_build_new(r);

	if (error != -XFS_E_NOSPC)
		return error;
	error = without_room(r);
	r->switched = !error;
	if (error != -XFS_E_NOSPC)
		return error;
	/* a log of the first version, or too small */
	repair_say(r,
		   "        - the log cannot take it: blocks that are given up are written over at once, "
		   "and a stop may cost what they hold");
	r->careless = true;
	return repair_build_new(r);
}

int repair_rebuild_one(struct repair *r)
{
	int error = repair_build_new(r);

	if (!error)
		return repair_switch_over(r);
	return error == -XFS_E_NOSPC ? without_room(r) : error;
}

int repair_rebuild_and_switch(struct repair *r)
{
	int error = repair_rebuild_one(r);

	if (error != -XFS_E_NOSPC || r->ninodes < 2)
		return error;
	repair_say(r, "        - no room in the log for all of it at once: part by part");
	return repair_rebuild_in_parts(r);
}
