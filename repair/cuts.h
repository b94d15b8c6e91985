/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cuts.h - what forks lose where two claim the same blocks: a list for one round, so that each fork is read and cut
 * once, however often it loses.
 */
#ifndef REPAIR_CUTS_H
#define REPAIR_CUTS_H

#include "repair/repair.h"

#include "libxfs/base/mix.h"

struct repair_cuts {
	struct repair *r;
	struct repair_cut *list;
	size_t n, room;
	struct repair_whole *wholes;	/* open hash by fork */
	size_t nwholes;
	unsigned whole_bits;
	struct xfs_mix mix;
};

/* False: enough for one round. */
bool repair_cuts_room(const struct repair_cuts *);
/* The fork loses this mapping; of length 0: it is only made anew. Errors: NOMEM. */
int repair_cuts_add(struct repair_cuts *, uint64_t ino, unsigned fork, const struct xfs_mapping *);
/* The fork gets this mapping, when it has lost what it loses. Errors: NOMEM. */
int repair_cuts_put(struct repair_cuts *, uint64_t ino, unsigned fork, const struct xfs_mapping *);
/* *whole: 0 when core or fork have a flaw; each fork is read once. `image` has room for an inode. Errors: NOMEM. */
int repair_cuts_whole(struct repair_cuts *, uint64_t ino, unsigned fork, uint8_t *image, int *whole);
/* Cuts the forks; the list is empty then. */
int repair_cuts_apply(struct repair_cuts *);
void repair_cuts_release(struct repair_cuts *);

#endif
