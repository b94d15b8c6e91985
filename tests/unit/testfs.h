/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * testfs.h - geometries of small filesystems, and random numbers, for unit tests.
 */
#ifndef TESTS_UNIT_TESTFS_H
#define TESTS_UNIT_TESTFS_H

#include "libxfs/mount/geometry.h"

struct testfs {
	uint32_t blocksize, sectsize, inodesize;	/* 0: 4096, 512, 512 (V4: 256) */
	uint32_t agblocks, agcount, last;		/* last: blocks of the last AG, 0 = agblocks */
	bool v4, no_finobt, no_rmapbt, no_reflink, no_sparse, no_inobtcnt;
	bool no_ftype, no_attr2;			/* V4 alone */
	bool ci, parent, exchange;			/* the two latter: V5 alone */
	unsigned dirblklog;
	uint64_t logstart;
	uint32_t logblocks;
};
/* Fails the test when the superblock is not a legal one. The geometry must not be copied (uuid points into it). */
void testfs_init(struct xfs_geometry *, const struct testfs *);

/* Pseudo random numbers of a seed: the same on every machine. */
struct testrand { uint64_t s; };
uint64_t testrand_next(struct testrand *);
/* below n, n > 0 */
uint32_t testrand_below(struct testrand *, uint32_t n);

#endif
