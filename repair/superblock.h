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
/* sbvotes_rt.c: the same by the files of realtime groups, alone. */
unsigned repair_sb_group_evidence(struct repair *, const struct xfs_sb *);
/* Behind the last free extent of a group, as its bitmap has it; false: it has none that can be read. */
bool repair_sb_group_end(struct xfs_fs *, uint32_t group, uint64_t *end);
/* guess.c: r->primary from a survey of the device; says what it found. Errors: NOMEM, BADSB (nothing that will do). */
int repair_guess_superblock(struct repair *);
/* specials.c: inode numbers of the superblock that lead nowhere become those that mkfs gives. Needs r->geo. */
void repair_settle_specials(struct repair *);
/* guess.c: where mkfs puts the root directory of such a filesystem (format sheet 01, section 8). */
uint64_t repair_expected_root(const struct xfs_geometry *);

#endif
