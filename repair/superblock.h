/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * superblock.h - what everything but superblocks says of a superblock, for locate.c.
 */
#ifndef REPAIR_SUPERBLOCK_H
#define REPAIR_SUPERBLOCK_H

#include "repair/repair.h"

/*
 * sbvotes.c: points for each witness that fits `sb`; to be compared with those of another one.  0: its geometry is
 * impossible.
 */
unsigned repair_sb_evidence(struct repair *, const struct xfs_sb *);
/* More than half of the AGFs that this geometry wants lie where it wants them, and say so. */
bool repair_sb_headers_agree(struct repair *, const struct xfs_sb *);
/*
 * AGF and AGI of the first AG, both whole, say another length; V4, where nothing tells that they are whole: both the
 * same, or one of them that of which the second AG knows. Then the other AGs do not begin where this one thinks.
 */
bool repair_sb_headers_deny(struct repair *, const struct xfs_sb *);
/*
 * AG headers carry the uuid, too.  One superblock alone may have a damaged one; when more than half of the AGF and AGI
 * sectors agree on another, that is it.
 */
void repair_sb_vote_uuid(struct repair *, struct xfs_sb *);
/* Length of the first AG in blocks as its AGF says, which does not know how long a block is. 0: there is none. */
uint64_t repair_sb_first_length(struct repair *);
/* sbvotes_rt.c: the same by the files of realtime groups, alone. */
unsigned repair_sb_group_evidence(struct repair *, const struct xfs_sb *);
/* The file of a group that the metadata directory names ("bitmap", ...). */
bool repair_sb_group_file(struct xfs_fs *, const char *kind, uint32_t group, xfs_ino_t *);
/* Behind the last free extent of a group, as its bitmap has it; false: that can't be read. */
bool repair_sb_group_end(struct xfs_fs *, xfs_ino_t bitmap, uint64_t *end);
/* guess.c: r->primary from a survey of the device; says what it found. Errors: NOMEM, BADSB (nothing that will do). */
int repair_guess_superblock(struct repair *);
/* guess_case.c: whether names in `sb` are looked up without regard to case; where no name tells it stays. */
void repair_guess_case(struct repair *, struct xfs_sb *sb);
/* sbfields.c: tells of a field of r->primary that changes. */
void repair_sb_note_field(struct repair *, const char *field, uint64_t found, uint64_t expected);
/* The sector of a superblock that lies at this byte goes on behind the fields that `sb` has. */
bool repair_sb_rest_used(const struct repair *, uint64_t off, const struct xfs_sb *);
/* A number of r->primary (whose field this is) that must be `none` becomes that, and is told. */
void repair_sb_clear_number(struct repair *, const char *field, uint64_t *number, uint64_t none);
/* specials.c: inode numbers of the superblock that lead nowhere become those that mkfs gives. Needs r->geo. */
void repair_settle_specials(struct repair *);
/* guess.c: where mkfs puts the root directory of such a filesystem (format sheet 01, section 8). */
uint64_t repair_expected_root(const struct xfs_geometry *);

#endif
