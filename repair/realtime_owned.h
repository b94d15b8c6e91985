/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_owned.h - what reverse mappings of realtime groups say of files, before their trees are made anew
 * (format sheet 02, section 2.6): the second witness of forks that lead to that section.
 */
#ifndef REPAIR_REALTIME_OWNED_H
#define REPAIR_REALTIME_OWNED_H

#include "repair/scan.h"

/* Whose records are wanted; fsbno of the mapping is as forks have it. Nonzero stops. */
typedef int (*repair_rt_owned_fn)(void *payload, uint64_t ino, const struct xfs_mapping *);

struct repair_rt_owned {
	struct repair *r;
	repair_rt_owned_fn each;
	void *payload;
	/* blocks of the tree in this inode by the reverse mappings of the data device: asked where its root does not lead on */
	const uint64_t *(*blocks)(void *payload, uint64_t ino, size_t *n);
	uint32_t *sound;		/* groups that have one tree, and a whole one; ascending.  The caller frees */
	size_t nsound, room;
	uint32_t group;			/* that is being read */
	int error;
};

/* The trees of all groups, once each; a damaged one says what can be read of it. Errors: NOMEM, those of each(). */
int repair_rt_each_owned(struct repair_rt_owned *);
/* Leaves of the tree in `ino`, whatever is left of that inode, among these blocks: records of this group. */
int repair_rt_owned_leaves(struct repair_rt_owned *, uint32_t group, uint64_t ino, const uint64_t *blocks, size_t n);
/* This group has said all that it knows: its silence counts. */
bool repair_rt_group_sound(const struct repair_rt_owned *, uint32_t group);
/* So have all of them. */
bool repair_rt_owned_whole(const struct repair_rt_owned *);

#endif
