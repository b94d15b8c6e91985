/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spacefs.h - filesystems in memory whose AGs hold nothing but their trees, for tests that change space.
 */
#ifndef TESTS_UNIT_SPACEFS_H
#define TESTS_UNIT_SPACEFS_H

#include "libxfs/build/ag.h"
#include "libxfs/space/agspace.h"
#include "tests/unit/agcheck.h"
#include "tests/unit/memdev.h"
#include "tests/unit/testfs.h"

struct spacefs {
	struct xfs_geometry geo;	/* as it was built */
	struct memdev *dev;
	struct xfs_devset set;
	struct xfs_fs *fs;
	struct xfs_change change;
	xfs_agno_t agno;		/* the AG at work: the last one, which may be short */
	struct xfs_agspace *ag;
};

struct spacefs_options {
	struct testfs fs;
	const struct xfs_claim *claims;	/* of the AG at work */
	size_t nclaims;
	const uint32_t *agfl;		/* its free list, claimed above; NULL: a new one */
	uint32_t nagfl;
	bool no_agfl;			/* an empty list, as after growfs */
	uint32_t flfirst;		/* the list begins in this slot; 0: as built */
	bool full_blocks;		/* trees without room */
};

/* Builds and opens it; the AG at work is open too, not joined. */
void spacefs_init(struct spacefs *, const struct spacefs_options *);
void spacefs_release(struct spacefs *);
/* Joins it to the change. */
void spacefs_begin(struct spacefs *);
/* Commits, and writes everything. */
void spacefs_sync(struct spacefs *);
/*
 * Reads it back from the device and checks trees, headers and all invariants between them, and the superblock's count
 * of free blocks. Release with agcheck_release().
 */
void spacefs_check(struct spacefs *, struct agcheck *);

#endif
