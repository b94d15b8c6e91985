/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buildfs.h - a filesystem that consists of free space alone, where unit tests build the forks of one inode and read
 * them back.
 */
#ifndef TESTS_UNIT_BUILDFS_H
#define TESTS_UNIT_BUILDFS_H

#include "libxfs/build/filemap.h"
#include "tests/unit/recdev.h"
#include "tests/unit/testfs.h"

#define BUILDFS_INO 128u
#define BUILDFS_BYTES ((uint64_t)96 << 20)	/* free space */

enum buildfs_space {
	BUILDFS_WHOLE,			/* all that is wanted in one run */
	BUILDFS_PIECES,			/* short runs with holes, ascending */
	BUILDFS_BACKWARDS,		/* short runs, each below the one before */
};

struct buildfs {
	struct xfs_geometry geo;
	struct recdev *dev;
	struct xfs_fs *fs;
	enum buildfs_space space;
	uint32_t longest;		/* run of the two latter kinds */
	struct testrand rnd;
	uint32_t low, high;		/* free: [low, high) of AG 1 */
	uint64_t taken, most;		/* blocks; NOSPC beyond `most` */
	uint64_t calls;
	uint64_t given_back;
	uint8_t *used;			/* one for each block: taken and not given back */
	uint32_t nblocks;
	struct xfs_build_target to;
	unsigned findings;
	char finding[300];		/* the first one */
	struct xfs_sink sink;
};
void buildfs_init(struct buildfs *, const struct testfs *);
void buildfs_release(struct buildfs *);
/* All space is free again, nothing was written, `most` is unlimited. */
void buildfs_reset(struct buildfs *, enum buildfs_space, uint32_t longest);
/* Every block taken was written once and no other; in the order of the device unless blocks are in pieces. */
void buildfs_check_writes(const struct buildfs *, bool ordered);
/* All that was taken was given back. */
void buildfs_check_given_back(const struct buildfs *);

/*
 * Inode BUILDFS_INO of type `mode`: with `fork` as the fork `which` (of `len` bytes, `forkoff` as in the inode), as
 * after parsing.  The other fork is empty.
 */
void buildfs_inode(struct buildfs *, struct xfs_inode *out, unsigned mode, enum xfs_fork which, unsigned forkoff,
		   uint64_t size, const struct xfs_built *built, const uint8_t *fork);

#endif
