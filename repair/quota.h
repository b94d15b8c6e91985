/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota.h - quota files: records, and what each id uses (format sheet 10, section 7).
 */
#ifndef REPAIR_QUOTA_H
#define REPAIR_QUOTA_H

#include "repair/scan.h"

/*
 * While inodes are observed, when quota is counted: adds to what its owners use. `rt`: blocks in the realtime section.
 */
int repair_quota_add(struct repair *, struct repair_seen *, uint64_t rt);
/* The superblock names no file. */
static inline bool repair_quota_none(uint64_t ino)
{
	return ino == 0 || ino == XFS_NULL64;
}
/*
 * quota_numbers.c, for locate.c: numbers that can't be those of quota files, files that no number leads to, and flags
 * that no file stands behind.
 */
void repair_quota_numbers(struct repair *);
/*
 * Names in `sb` the quota files among the first inodes that it names none of; those that it names stay. The bit that
 * says that there are such files is set when there is one.
 */
void repair_quota_find(struct repair *, const struct xfs_geometry *, struct xfs_sb *sb);
/*
 * The kernel counts anew at the next mount: says so and clears the flags in
 * r->primary; false: nothing was called right.
 */
bool repair_doubt_quota(struct repair *);
void repair_usage_free(struct repair_usage *);

#endif
