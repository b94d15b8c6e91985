/* SPDX-License-Identifier: BSD-2-Clause */
/* sbcopy.h - one copy of the superblock, for locate.c and sbfields.c. */
#ifndef REPAIR_SBCOPY_H
#define REPAIR_SBCOPY_H

#include "repair/repair.h"

#define REPAIR_MAX_SECTOR 32768u

struct repair_sb_copy {
	bool readable, valid;
	bool flipped;			/* valid, when one bit is flipped back */
	struct xfs_sb sb;
	const char *why;		/* reason when not valid; static */
};

/* From this byte of the device. Errors: those of reading, and why it is not valid. */
int repair_sb_read(struct xfs_dev *, uint64_t off, struct repair_sb_copy *);
/* Nothing in it contradicts the format or itself. */
bool repair_sb_possible(const struct xfs_sb *);
/* One that is not valid becomes it when one field that stands there twice is made from the other. */
bool repair_sb_by_twins(const struct repair_sb_copy *, struct xfs_sb *out);
/* The fields that copies vote on: those that are the same in every copy for the life of the filesystem. */
bool repair_sb_same_geometry(const struct xfs_sb *, const struct xfs_sb *);
/* What else every copy holds. Inode numbers may be missing in secondaries. */
bool repair_sb_same_rest(const struct xfs_sb *primary, const struct xfs_sb *);
/* Feature words, but for the bit that a repair is needed. */
bool repair_sb_same_words(const struct xfs_sb *, const struct xfs_sb *);
/* A feature that is being added stands in the primary first, which says so. */
bool repair_sb_same_features(const struct xfs_sb *primary, const struct xfs_sb *);

/* locate.c: the primary is written anew, and why. */
void repair_sb_note_primary(struct repair *, const char *why);
/* sbfields.c. Fields of r->primary that no other copy is needed for: notes what is wrong, and mends it there. */
void repair_sb_check_fields(struct repair *);
/*
 * Notes which secondaries differ from what they should hold; they are rewritten
 * at the end. Needs r->geo. Errors: NOMEM.
 */
int repair_sb_judge_secondaries(struct repair *);

#endif
