/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes.h - allocation groups are observed in several threads, with the result of one thread.
 *
 * Each AG is a lane: its job gets a view of the repair, in which lists and counters are empty and what is known is
 * shared. What the job says, finds and adds stays in the lane until all AGs before it are done; then it goes to the
 * repair as if it had just happened.  So order and bytes of all that is told, and all that is kept, do not depend on
 * the number of threads, as long as a job reads nothing that jobs of other AGs change.  Lanes that run ahead wait when
 * they hold much.
 */
#ifndef REPAIR_LANES_H
#define REPAIR_LANES_H

#include "repair/repair.h"

/* Calls job(view, agno) for every AG in up to r->threads threads; returns the error of the first AG that had one. */
int repair_each_lane(struct repair *, int (*job)(struct repair *view, size_t agno));
/* From time to time, where the job holds no lock: hands over what may be, waits when too much was not. */
void repair_lane_rest(struct repair *view);
/* The view of the lane that this thread works for; else r itself.  For callbacks that know r alone. */
struct repair *repair_view(struct repair *);

/* Within a lane (r->lane is set): what repair.c, flips.c and space.c do otherwise. Thread-safe as far as needed. */
void repair_lane_note(struct repair *view, const struct xfs_finding *, bool fixed);
void repair_lane_say(struct repair *view, const char *text);
void repair_lane_step(struct repair *view, const char *unit, uint64_t done, uint64_t total);
/* The n-th of view->flips, with its finding: nobody is told when the repair knows the block already. */
void repair_lane_flip(struct repair *view, size_t n, const struct xfs_finding *);
int repair_lane_claim(struct repair *view, xfs_agno_t, const struct xfs_claim *);
/* Inodes looked at so far by all lanes, `more` of them just now. */
uint64_t repair_lane_scanned(struct repair *view, uint64_t more);

#endif
