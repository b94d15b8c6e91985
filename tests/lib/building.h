/* SPDX-License-Identifier: BSD-2-Clause */
/* building.h - what tests that build forks of inodes share: blocks for them, and what the inode then says. */
#ifndef TESTS_LIB_BUILDING_H
#define TESTS_LIB_BUILDING_H

#include "libxfs/build/attr.h"
#include "libxfs/build/dir.h"
#include "libxfs/space/claims.h"

/*
 * Claims c->len blocks, the first that are free from c->agbno on, in the first
 * AG from `agno` on, in turn, that has them.
 */
int building_take(struct xfs_claims *, const struct xfs_geometry *, xfs_agno_t agno, const struct xfs_claim *c,
		  uint64_t *fsbno);
/* The core says what was built. False: the fork has more extents than an inode counts. */
bool building_set_attrs(struct xfs_dinode *, const struct xfs_build_attrs *);
bool building_set_dir(struct xfs_dinode *, const struct xfs_build_dir *);

#endif
