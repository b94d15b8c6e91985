/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logrun.h - what repair does with a log that holds changes: bring them to their places, or say what is lost with them.
 */
#ifndef REPAIR_LOGRUN_H
#define REPAIR_LOGRUN_H

#include "repair/repair.h"

#include "libxfs/recovery/replay.h"

#define REPAIR_SCRATCH ((size_t)64 << 20)	/* bytes of memory for an overlay; the rest goes to a file */

/* replay.c: can r->log be replayed? Nothing is changed.  DIRTYLOG: no, and it was said why.  Errors: IO, NOMEM. */
int repair_try_replay(struct repair *);
/* How a replay that is only tried goes. */
extern const struct xfs_recovery_options repair_trial_recovery;
/* Replays it and finds the superblock anew.  Afterwards the log is clean; r->log is not up to date. */
int repair_replay(struct repair *);
/* The filesystem on these devices for the sake of its log: nothing of it need be sound.  xfs_fs_close(). */
int repair_open_for_log(const struct repair *, const struct xfs_devset *, struct xfs_fs **);
/* A superblock that was put together from others goes to `data`, so that a replay can start from it. */
int repair_ready_primary(struct repair *, struct xfs_dev *data);
/* After a replay: the superblock may have changed with it. */
int repair_locate_again(struct repair *);
void repair_say_replayed(struct repair *, const struct xfs_recovery_counts *);
void repair_say_finished(struct repair *, uint64_t intents);
/* Memory or an overlay failed, or a simulated device: the error says nothing about the log. */
bool repair_is_of_machine(int error);
/*
 * lost.c: says which inodes and names have changes in the log; `state` is what of it can be read.  Nothing is changed.
 * Errors: NOMEM.
 */
int repair_list_lost(struct repair *, const struct xfs_log_state *state);

#endif
