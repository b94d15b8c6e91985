/* SPDX-License-Identifier: BSD-2-Clause */
/* ages.h - V4: which places hold what was logged behind the damage of the log, and must not go back. */
#ifndef REPAIR_AGES_H
#define REPAIR_AGES_H

#include "repair/repair.h"

#include "libxfs/log/parts.h"
#include "libxfs/recovery/replay.h"

enum repair_age {
	REPAIR_AGE_KNOWN,		/* as of an image from before the damage: the replay goes on from there */
	REPAIR_AGE_LATER,
	REPAIR_AGE_UNKNOWN		/* nothing tells */
};

struct repair_ages {
	const struct xfs_recovery_place *places;	/* ascending */
	size_t nplaces;
	uint8_t *state;			/* of each */
	uint64_t *later;		/* inodes in place that were changed behind the damage; ascending */
	size_t nlater;
};

/*
 * Looks at what is in place, and at both sides of the damage.  repair_ages_release() in any case.  Errors: of
 * xfs_fs_open(), NOMEM.
 */
int repair_ages_find(struct repair *, const struct xfs_log_parts *, const struct xfs_recovery_place *, size_t n,
		     struct repair_ages *out);
bool repair_ages_inode_is_later(const struct repair_ages *, uint64_t ino);
/* `owner_is_later`: the block belongs to such an inode: of its directory, its attributes, a tree of it. */
enum repair_age repair_ages_of(const struct repair_ages *, size_t place, bool owner_is_later);
void repair_ages_release(struct repair_ages *);

#endif
