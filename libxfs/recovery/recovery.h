/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recovery.h - a filesystem that was not unmounted becomes as if it had been: replay of the log, chains of changes that
 * were cut off, inodes without names, leftovers of copy-on-write, counters, a clean log (format sheet 04, 9 to 11).
 *
 * Each part beyond the replay is worked out above the device, with the code that makes such changes anywhere else, and
 * goes to the log as one checkpoint before it is brought to its place: so the whole may be stopped at any write and
 * begun again, by the kernel too.  Works on any stack of devices.  Layer: recovery (above transaction).
 */
#ifndef XFS_RECOVERY_RECOVERY_H
#define XFS_RECOVERY_RECOVERY_H

#include "libxfs/recovery/replay.h"

enum xfs_recovery_stage {
	XFS_RECOVER_REPLAY, XFS_RECOVER_INTENTS, XFS_RECOVER_UNLINKED, XFS_RECOVER_COW, XFS_RECOVER_SETTLE
};

/* What was done after the replay. */
struct xfs_recovery_work {
	enum xfs_recovery_stage stage;	/* the last one that was begun */
	uint64_t intents;		/* finished */
	uint64_t left;			/* that cannot be finished, xfs_recovery_finish() alone */
	uint64_t inodes;		/* without names: freed */
	uint64_t cow_blocks;		/* leftovers of copy-on-write: freed */
	uint64_t realtime_left;		/* changes of the realtime section's bitmap and trees that follow from files */
	bool bare;			/* the log had no room (or is of version 1): not all could be begun again */
};

/* Zeroes: work that changes the bitmap or a tree of the realtime section cannot be finished. */
struct xfs_recovery_options {
	/* it is, but for these: the caller makes them anew from the files afterwards, or does without */
	bool leave_realtime;
	/* called once before the first such work, since something may stop the run in between; its error ends it */
	int (*leaving)(void *payload);
	void *payload;
};

/*
 * All of it.  A clean log: nothing to do.  *r as after xfs_recovery_replay(); intents that were finished are no longer
 * in its list.  xfs_recovery_free() in any case.  `done` may be NULL, and options.
 *
 * Errors, and the log stays as dirty as it was: those of xfs_recovery_replay(), in its stage; afterwards what the log
 * holds is in place, stages before the one that failed are done, and nothing of that one is: CORRUPT, with a finding,
 * when work cannot be finished; DIRTYLOG or UNSUPPORTED when a feature of the filesystem is in the way of unlinked
 * inodes or intents.
 */
int xfs_recovery_run(const struct xfs_devset *, const struct xfs_recovery_options *, struct xfs_recovery *r,
		     struct xfs_recovery_work *done, const struct xfs_sink *);

/*
 * After a careful replay up to the head of the log, of which some items did not fit: the intents that are left, as one
 * more checkpoint behind the head, which is brought to its place; they are no longer in the list, nor are those that
 * cannot be finished (done->left, which counts after an error, too).  V5, and nothing in place is newer than that head.
 * Errors as of xfs_recovery_run() in its stage, NOSPC and UNSUPPORTED (the log takes no more), and then nothing was
 * changed.
 */
int xfs_recovery_finish(const struct xfs_devset *, struct xfs_recovery *r, struct xfs_recovery_work *done,
			const struct xfs_sink *);

/*
 * What `above`, a scratch device (xfs_dev_scratch()) over dev->data, holds becomes one checkpoint of the log, which
 * must be clean, then goes to its place, and the log is clean again.  So blocks that are in use may be written over:
 * wherever the writing stops, either nothing has happened or a replay does the rest.  Superblocks are left out.
 * Errors, and nothing was written: DIRTYLOG, NOSPC (more than the log takes at once), UNSUPPORTED (a log of version 1,
 * or contents that no log knows), NOMEM; IO.
 */
int xfs_recovery_bring_down(const struct xfs_devset *dev, struct xfs_dev *above, const struct xfs_sink *);

#endif
