/* SPDX-License-Identifier: BSD-2-Clause */
/* rebuild.h - stage 1 of a repair: claims, new forks, new trees. */
#ifndef REPAIR_REBUILD_H
#define REPAIR_REBUILD_H

#include "repair/evidence.h"

/* True when the trees of this AG are rebuilt. */
bool repair_ag_changes(const struct repair *, uint32_t agno);
/* Decides the form of each fork that changes and where its btree blocks may go; marks those AGs. */
int repair_plan_forks(struct repair *);
/* Writes the btree blocks of the forks and completes the inodes' images. Claims are sealed. */
int repair_build_forks(struct repair *);

/*
 * in_place.c: repair_rebuild() and repair_switch_over(), and where there is no room to keep the old beside the new, the
 * same over what is given up.  Errors: NOSPC when that does not suffice or the log cannot take it.
 */
int repair_rebuild_and_switch(struct repair *);

#endif
