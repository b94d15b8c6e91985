/* SPDX-License-Identifier: BSD-2-Clause */
/* claimlist.h - what tests of claims share: a random claim, and all claims of an AG as an array. */
#ifndef TESTS_UNIT_CLAIMLIST_H
#define TESTS_UNIT_CLAIMLIST_H

#include "libxfs/base/errors.h"
#include "libxfs/space/claims.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"

#define CLAIMLIST_AG XFS_AGNO(1)
#define CLAIMLIST_MOST 100000

struct claimlist { struct xfs_claim v[CLAIMLIST_MOST]; size_t n; };

/* Read in both ways, which must agree; the caller frees it. */
struct claimlist *claimlist_read(struct xfs_claims *);
/* Within an AG of this length; many continue each other. */
struct xfs_claim claimlist_random(struct testrand *, uint32_t length);

#endif
