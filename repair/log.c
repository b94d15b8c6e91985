/* SPDX-License-Identifier: BSD-2-Clause */
/* log.c - a dirty log holds changes that are newer than everything else: they are not thrown away without being asked. */
#include "repair/repair.h"
#include "repair/scan.h"

#include "libxfs/log/state.h"

static const char *const no_head[] = {
	"ERROR: The log head and/or tail cannot be discovered. Attempt to mount the",
	"filesystem to replay the log or use the -L option to destroy the log and",
	"attempt a repair.", NULL
};
static const char *const dirty[] = {
	"ERROR: The filesystem has valuable metadata changes in a log which needs to",
	"be replayed.  Mount the filesystem to replay the log, and unmount it before",
	"re-running xfs_repair.  If the filesystem is a snapshot of a mounted",
	"filesystem, you may need to give mount the nouuid option. If you are unable",
	"to mount the filesystem, then use the -L option to destroy the log and",
	"attempt a repair.  Note that destroying the log may cause corruption --",
	"please attempt a mount of the filesystem before doing this.", NULL
};
static const char *const destroyed[] = {
	"ALERT: The filesystem has valuable metadata changes in a log which is being",
	"destroyed because the -L option was used.", NULL
};
static const char *const ignored[] = {
	"ALERT: The filesystem has valuable metadata changes in a log which is being",
	"ignored because the -n option was used.  Expect spurious inconsistencies",
	"which may be resolved by first mounting the filesystem to replay the log.", NULL
};

static void say_all(struct repair *r, const char *const *lines)
{
	for (; *lines; lines++)
		repair_say(r, "%s", *lines);
}

int repair_log_state(struct repair *r)
{
	struct xfs_log_state *s = &r->log;
	int error = repair_open(r);

	if (!error && !r->looking)
		repair_say(r, "        - zero log...");
	if (!error)
		error = xfs_log_state(r->fs, s);
	if (error || r->looking)
		return error;
	if (r->verbose)
		repair_say(r, "zero_log: head block %u tail block %u", s->head, s->tail);
	switch (s->kind) {
	case XFS_LOG_CLEAN:
		return 0;
	case XFS_LOG_UNREADABLE:
		repair_say(r, "zero_log: cannot find log head/tail (%s)", s->reason ? s->reason : "unreadable");
		break;
	case XFS_LOG_DIRTY:
		break;
	}
	r->log_dirty = true;
	if (r->zero_log) {
		if (s->kind == XFS_LOG_DIRTY)
			say_all(r, destroyed);
		return 0;
	}
	if (r->no_modify) {
		if (s->kind == XFS_LOG_DIRTY)
			say_all(r, ignored);
		return 0;
	}
	say_all(r, s->kind == XFS_LOG_DIRTY ? dirty : no_head);
	return -XFS_E_DIRTYLOG;
}
