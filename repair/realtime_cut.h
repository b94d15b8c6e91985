/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_cut.h - what forks lose where two claim the same blocks of the realtime section: a list for one round, as
 * cuts.h has it for the data device.
 */
#ifndef REPAIR_REALTIME_CUT_H
#define REPAIR_REALTIME_CUT_H

#include "repair/repair.h"

struct repair_rt_cuts {
	struct repair_rt_cut *list;
	size_t n, room;
};

/* False: enough for one round. */
bool repair_rt_cuts_room(const struct repair_rt_cuts *);
/*
 * Blocks [lo, hi) leave the loser's fork; `twice`: the winner is the same file, and only this claim of it goes.
 * Errors: NOMEM.
 */
int repair_rt_cuts_add(struct repair_rt_cuts *, const struct repair_rt_map *loser, uint64_t lo, uint64_t hi,
		       bool twice);
/* Cuts the forks; the list is empty then. */
int repair_rt_cuts_apply(struct repair *, struct repair_rt_cuts *);
void repair_rt_cuts_release(struct repair_rt_cuts *);

#endif
