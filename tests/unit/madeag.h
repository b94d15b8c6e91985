/* SPDX-License-Identifier: BSD-2-Clause */
/* madeag.h - AGs to build: claims by hand or at random, and checks of what was built from them. */
#ifndef TESTS_UNIT_MADEAG_H
#define TESTS_UNIT_MADEAG_H

#include "libxfs/base/errors.h"
#include "libxfs/build/ag.h"
#include "tests/unit/agcheck.h"
#include "tests/unit/quick.h"
#include "tests/unit/recdev.h"
#include "tests/unit/testfs.h"

/* An AG, and what is to be claimed in it. Ends in madeag_release(). */
struct madeag {
	struct xfs_geometry geo;
	struct recdev *dev;
	xfs_agno_t agno;
	struct xfs_claim *claims;	/* without the trees' own */
	size_t nclaims;
	struct xfs_inode_chunk *chunks;
	size_t nchunks;
};

/* Of random claims: percent of runs that stay free, percent of claims that are shared, longest run. */
struct madeag_density { unsigned gap, shared; uint32_t longest; };

#define MADEAG XFS_AGNO(1)
#define MADEAG_KINDS 9u
extern const struct testfs madeag_kinds[MADEAG_KINDS];

void madeag_init(struct madeag *, const struct testfs *, xfs_agno_t);
void madeag_release(struct madeag *);
void madeag_claim(struct madeag *, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset);
/* What a chunk of inodes at `agbno` claims; `half`: 1 or 2 = only the lower or upper half exists. */
void madeag_inodes(struct madeag *, uint32_t agbno, unsigned half, uint64_t free);
/* Files and inodes at random. */
void madeag_fill(struct madeag *, struct testrand *, const struct madeag_density *);
/* The claims, sealed; the caller frees them. */
struct xfs_claims *madeag_seal(const struct madeag *);
struct xfs_build_ag madeag_request(const struct madeag *, struct xfs_claims *);
/* The rmapbt is exactly: what was claimed, and one claim for each block of trees and free list. */
void madeag_check_records(const struct madeag *, const struct agcheck *);
/* Builds with the claims, checks everything, leaves the result on the device. Returns the error of xfs_build_ag(). */
int madeag_build(struct madeag *, struct xfs_build_ag *want, uint64_t *vectors);

#endif
