/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * partial.h - a damaged log: what stands before the damage is brought to its place, where that hurts nobody.
 */
#ifndef REPAIR_PARTIAL_H
#define REPAIR_PARTIAL_H

#include "repair/repair.h"

#include "libxfs/log/parts.h"
#include "libxfs/recovery/replay.h"

struct repair_partial {
	struct xfs_log_parts parts;
	struct xfs_recovery_place *taken;	/* places that others have claimed since; ascending */
	size_t ntaken;
	struct xfs_recovery_place *places;	/* all that were asked for, ascending */
	size_t nplaces;
	/* V4: places that are as of later, and stay; that do not tell, and are written */
	uint64_t later, unknown;
	bool finish;			/* the log is whole: changes that were cut off are finished behind it */
	bool cut;			/* the log is to end before the damage, and then replayed as a whole */
};

/*
 * What of r->log could be replayed: tried above the device, and whoever claims a block that an image would land in is
 * looked for.  parts.before is CLEAN when it is nothing.  `broken`: a log that can be read and not be replayed is all
 * before the damage.  NOENT: r->log is not damaged, or its head is not known.
 */
int repair_partial_plan(struct repair *, bool broken, struct repair_partial *);
/*
 * logend.c: `newest` is the greatest LSN that is in place.  Sets p->cut when a log that ends before the damage can be
 * replayed to the end, with all changes that were cut off there; p->finish when all of the log is before the damage.
 * Tried above the device.  Errors: NOMEM, FAULT, SHUTDOWN.
 */
int repair_cut_plan(struct repair *, struct repair_partial *, uint64_t newest);
/* Does so on the device.  It may be stopped at any write and begun again. */
int repair_cut_replay(struct repair *, struct repair_partial *);
/* Of xfs_recovery_careful: the place is nobody else's. payload: struct repair_partial. */
bool repair_partial_may_write(void *payload, const struct xfs_recovery_place *);
/* Replays it on the device and clears the log, with needsrepair on disk.  Finds the superblock anew. */
int repair_partial_replay(struct repair *, struct repair_partial *);
void repair_partial_release(struct repair_partial *);
/* lost.c: says which inodes and names change with either part of the log. */
int repair_list_parts(struct repair *, struct repair_partial *);

#endif
