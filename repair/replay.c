/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - brings the changes of a dirty log to their places before anything is judged (format sheet 04, 9 to 11).
 *
 * The whole of it is tried above the device first, so that a log that turns out to be damaged has changed nothing.  On
 * the device itself it may be stopped at any write: until the unmount record stands the log is dirty, and the next run
 * begins again.
 */
#include "repair/logrun.h"
#include "repair/write.h"

#include "libxfs/log/close.h"
#include "libxfs/recovery/recovery.h"

#include <stdlib.h>

/* As repair_replay() does it, where nothing has to be kept away. */
const struct xfs_recovery_options repair_trial_recovery = { .leave_realtime = true };

int repair_open_for_log(const struct repair *r, const struct xfs_devset *dev, struct xfs_fs **fs)
{
	const struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = &r->primary };

	return xfs_fs_open(fs, dev, &options, NULL);
}

/* A superblock that was put together from others must be on the device before a replay can start from it. */
int repair_ready_primary(struct repair *r, struct xfs_dev *data)
{
	struct xfs_dev *saved = r->dev.data;
	int error;

	if (!r->sb_changed)
		return 0;
	r->dev.data = data;
	error = repair_write_primary(r, true);
	if (!error)
		error = xfs_dev_barrier(data);
	r->dev.data = saved;
	return error;
}

/* Changes that only the log knows of: without them files have holes, or lack attributes. */
static bool only_log_knows(const struct xfs_recovery *rec)
{
	for (size_t i = 0; i < rec->nintents; i++)
		switch (rec->intents[i].item.type) {
		case XFS_LI_BUI: case XFS_LI_ATTRI: case XFS_LI_XMI:
			return true;
		}
	return false;
}

bool repair_is_of_machine(int error)
{
	return error == -XFS_E_NOMEM || error == -XFS_E_FAULT || error == -XFS_E_SHUTDOWN;
}

/* What the log holds is in place; what is left follows from the files, so that the rest of the run sorts it out. */
static bool may_go_on(int error, const struct xfs_recovery *rec, const struct xfs_recovery_work *done)
{
	return error && error != -XFS_E_IO && !repair_is_of_machine(error) &&
	       done->stage > XFS_RECOVER_REPLAY && !only_log_knows(rec);
}

int repair_try_replay(struct repair *r)
{
	struct xfs_devset top = { .rt = r->dev.rt };
	struct xfs_recovery rec = { .nintents = 0 };
	struct xfs_recovery_work done = { .stage = XFS_RECOVER_REPLAY };
	int error = xfs_dev_scratch(&top.data, r->dev.data, REPAIR_SCRATCH);

	if (!error && r->dev.log)
		error = xfs_dev_scratch(&top.log, r->dev.log, REPAIR_SCRATCH);
	if (!error)
		error = repair_ready_primary(r, top.data);
	if (!error)
		error = xfs_recovery_run(&top, &repair_trial_recovery, &rec, &done, &r->sink);
	if (may_go_on(error, &rec, &done)) {
		error = 0;
	} else if (error && error != -XFS_E_IO && !repair_is_of_machine(error)) {
		repair_say(r, done.stage > XFS_RECOVER_REPLAY ? "Changes that the log announces cannot be finished: %s."
							      : "The log cannot be replayed: %s.",
			   xfs_error_text(error));
		error = -XFS_E_DIRTYLOG;
	}
	xfs_recovery_free(&rec);
	xfs_dev_close(top.log);
	xfs_dev_close(top.data);
	return error;
}

/* Things of the superblock may have changed with the log. Findings that were reported before are not reported again. */
int repair_locate_again(struct repair *r)
{
	uint64_t findings = r->findings, unfixed = r->unfixed;
	const struct repair_words *words = r->words;
	struct xfs_sink sink = r->sink;
	int error = 0;

	r->words = NULL;
	r->sink = (struct xfs_sink){ .emit = NULL };
	for (int loud = 0; loud < 2 && !error; loud++) {
		free(r->secondary_bad);
		r->secondary_bad = NULL;
		r->sb_changed = false;
		r->findings = r->unfixed = 0;
		error = repair_locate(r);
		r->words = words;
		r->sink = sink;
		if (r->findings <= findings)
			break;
	}
	r->findings = xfs_max(r->findings, findings);
	r->unfixed = xfs_max(r->unfixed, unfixed);
	return error;
}

/* needsrepair keeps everybody else away until the rest of this run is done. */
static int keep_away(void *payload)
{
	struct repair *r = payload;
	int error = repair_locate_again(r);

	return error ? error : repair_begin_writing(r);
}

static int leave_rest(struct repair *r, const struct xfs_recovery *rec)
{
	struct xfs_fs *fs;
	int error = keep_away(r);

	if (!error)
		error = xfs_fs_open(&fs, &r->dev, NULL, NULL);
	if (error)
		return error;
	error = xfs_log_close(fs, &rec->log);
	xfs_fs_close(fs);
	return error;
}

void repair_say_replayed(struct repair *r, const struct xfs_recovery_counts *c)
{
	repair_say(r, "        - %llu transactions, %llu changes to blocks and %llu to inodes replayed",
		   (unsigned long long)c->transactions, (unsigned long long)(c->buffers + c->icreates + c->dquots),
		   (unsigned long long)c->inodes);
}

void repair_say_finished(struct repair *r, uint64_t n)
{
	repair_say(r, "        - %llu changes that were cut off finished", (unsigned long long)n);
}

static void say_counts(struct repair *r, const struct xfs_recovery *rec, const struct xfs_recovery_work *done)
{
	repair_say_replayed(r, &rec->counts);
	if (done->intents)
		repair_say_finished(r, done->intents);
	if (done->inodes)
		repair_say(r, "        - %llu inodes without names freed", (unsigned long long)done->inodes);
	if (done->realtime_left)
		repair_say(r, "        - %llu changes of the realtime section are left to the repair",
			   (unsigned long long)done->realtime_left);
	if (done->cow_blocks)
		repair_say(r, "        - %llu blocks left over by copy-on-write freed",
			   (unsigned long long)done->cow_blocks);
}

int repair_replay(struct repair *r)
{
	struct xfs_recovery rec = { .nintents = 0 };
	const struct xfs_recovery_options how = { .leave_realtime = true, .leaving = keep_away, .payload = r };
	struct xfs_recovery_work done = { .stage = XFS_RECOVER_REPLAY };
	int error;

	repair_say(r, "        - replaying the log...");
	error = repair_ready_primary(r, r->dev.data);
	if (!error)
		error = xfs_recovery_run(&r->dev, &how, &rec, &done, NULL);
	r->replayed = true;
	if (!error || may_go_on(error, &rec, &done))
		say_counts(r, &rec, &done);
	if (may_go_on(error, &rec, &done)) {
		repair_say(r, "        - what is left of it is sorted out by the repair");
		error = leave_rest(r, &rec);
	} else if (!error) {
		error = repair_locate_again(r);
	}
	xfs_recovery_free(&rec);
	return error;
}
