/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag_records.h - the free and the shared extents of an AG that is being built, one at a time, from its sealed claims.
 *
 * next(): 0, NOENT behind the last, or an error (NOMEM, IO).  close() is right after a failed open() too.  The claims
 * must not change between open and close.
 */
#ifndef XFS_BUILD_AG_RECORDS_H
#define XFS_BUILD_AG_RECORDS_H

#include "libxfs/base/sort.h"
#include "libxfs/build/ag_private.h"
#include "libxfs/space/sweep.h"

#define AG_SORT_MEMORY ((size_t)32 << 20)	/* bytes, when the request does not say */

struct ag_free_reader {
	struct xfs_claims_reader *claims;
	uint32_t length, reach;		/* blocks of the AG; below `reach` all is done */
	bool ended;
};
int ag_free_open(struct ag_free_reader *, const struct ag_build *);
int ag_free_next(struct ag_free_reader *, struct ag_free *);
void ag_free_close(struct ag_free_reader *);

/* Sorted by length, then block; *out is to be freed whatever is returned. */
int ag_sorted_open(struct xfs_sorter **out, const struct ag_build *);
int ag_sorted_next(struct xfs_sorter *, struct ag_free *);

struct ag_refc_reader {
	const struct ag_build *b;
	struct xfs_claims_reader *claims;
	struct xfs_sweep sweep;
	bool cow;			/* the shared ones are through */
	struct ag_refc *queue;		/* what one claim closed */
	size_t at, n, cap;
};
int ag_refc_open(struct ag_refc_reader *, const struct ag_build *);
int ag_refc_next(struct ag_refc_reader *, struct ag_refc *);
void ag_refc_close(struct ag_refc_reader *);

#endif
