/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_owned.h - what reverse mappings of realtime groups say of files, before their trees are made anew
 * (format sheet 02, section 2.6): the second witness of forks that lead to that section.
 */
#ifndef REPAIR_REALTIME_OWNED_H
#define REPAIR_REALTIME_OWNED_H

#include "repair/scan.h"

#include "libxfs/ondisk/blocktypes.h"

/* The filesystem has such trees. */
static inline bool repair_rt_has_owners(const struct repair *r)
{
	return r->geo.rmapbt && r->geo.metadir && r->geo.sb.rgcount;
}

/* Whose records are wanted; fsbno of the mapping is as forks have it. Nonzero stops. */
typedef int (*repair_rt_owned_fn)(void *payload, uint64_t ino, const struct xfs_mapping *);

struct repair_rt_owned {
	struct repair *r;
	repair_rt_owned_fn each;
	void *payload;
	/* may be NULL: blocks of the tree in this inode by the data device, asked where its root does not lead on */
	const uint64_t *(*blocks)(void *payload, uint64_t ino, size_t *n);
	uint32_t *sound;		/* groups that have one tree, and a whole one; ascending.  The caller frees */
	size_t nsound, room;
	uint32_t group;			/* that is being read */
	uint64_t records, mapped, sum;	/* of the tree that is being read: mapped are so many blocks */
	int error;
};

/* Goes on with the sum of the records of a tree, in their order; 0 before the first. */
uint64_t repair_rt_sum_owned(const struct repair *, uint64_t sum, const void *rec);
/*
 * The trees of all groups, once each; a damaged one says what can be read of it. Of a whole one number and sum of its
 * records are kept, so that who knows what they should be need not read it again.  Errors: NOMEM, those of each().
 */
int repair_rt_each_owned(struct repair_rt_owned *);
/* Leaves of the tree in `ino`, whatever is left of that inode, among these blocks: records of this group. */
int repair_rt_owned_leaves(struct repair_rt_owned *, uint32_t group, uint64_t ino, const uint64_t *blocks, size_t n);
/* The block that was read from there verifies as one of this type that belongs to this inode. */
bool repair_rt_is_block(const struct repair *, enum xfs_type, uint64_t ino, uint64_t fsbno, const uint8_t *p);
/* This group has said all that it knows: its silence counts. */
bool repair_rt_group_sound(const struct repair_rt_owned *, uint32_t group);
/* So have all of them. */
bool repair_rt_owned_whole(const struct repair_rt_owned *);

/* Owners of which forks and whole trees of all groups do not say the same are odd.  Errors: NOMEM. */
int repair_rt_find_odd(struct repair *);
/*
 * realtime_bits.c: what bitmaps have on the extents of this mapping.  *used: all are in use, *is_free: one is free;
 * neither where a bitmap can't be read.  Errors: NOMEM.
 */
int repair_rt_bits(struct repair *, const struct xfs_mapping *, bool *used, bool *is_free);
/* Zones have a counter instead: is it, wherever these mappings lie, that of a whole tree? */
bool repair_rt_zones_agree(const struct repair *, const struct xfs_mapset *);

#endif
