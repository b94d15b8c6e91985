/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims.h - who owns which blocks: the one currency of mkfs, populate and repair.
 *
 * A claim is a native rmap record (format sheet 02, section 4).  mkfs claims a fresh filesystem, repair claims what it
 * found credible; both allocate from the same map; libxfs/build turns claims into the trees of an AG.
 * Life: add in any order (from several threads, different AGs at once) -> xfs_claims_seal() per AG: sorted and merged
 * canonically (4.5), sealed claims can be read and allocated from; allocations are claims too.
 * Memory: at most `memory` bytes for all AGs together, then sorted runs spill to an unlinked temporary file.
 * Layer: space.
 */
#ifndef XFS_SPACE_CLAIMS_H
#define XFS_SPACE_CLAIMS_H

#include "libxfs/base/types.h"
#include "libxfs/mount/geometry.h"

struct xfs_claim {
	uint32_t agbno, len;	/* blocks */
	uint64_t owner;		/* inode number or XFS_OWN_* */
	uint64_t offset;	/* file offset in blocks with XFS_RMAP_ATTR, _BMBT, _UNWRITTEN bits, as on disk */
};

struct xfs_claims;
int xfs_claims_new(struct xfs_claims **out, const struct xfs_geometry *, size_t memory, const char *tmpdir);
void xfs_claims_free(struct xfs_claims *);
/* RANGE when it lies outside the AG or len is 0. */
int xfs_claims_add(struct xfs_claims *, xfs_agno_t, const struct xfs_claim *);
int xfs_claims_seal(struct xfs_claims *, xfs_agno_t);

/* Sealed AGs, in key order (block, owner, offset word without the unwritten bit). Nonzero from found() stops. */
int xfs_claims_each(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, const struct xfs_claim *), void *payload);
uint64_t xfs_claims_count(struct xfs_claims *, xfs_agno_t);
/* Runs of blocks that nobody claims, ascending. */
int xfs_claims_each_free(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, uint32_t agbno, uint32_t len), void *payload);
uint64_t xfs_claims_free_blocks(struct xfs_claims *, xfs_agno_t);
/* Shared runs: (agbno, len, owners >= 2) where shareable claims overlap (format sheet 02, 5.4), merged, ascending. */
int xfs_claims_each_shared(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs), void *payload);
/* Claims that overlap though one of them may not be shared. */
int xfs_claims_each_conflict(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, const struct xfs_claim *a, const struct xfs_claim *b), void *payload);
/* First fit from `near` on (wraps): `len` contiguous free blocks become claimed. NOSPC. */
int xfs_claims_alloc(struct xfs_claims *, xfs_agno_t, uint32_t near, uint32_t len, uint64_t owner, uint64_t offset, uint32_t *agbno);
/* Gives claimed blocks back (what alloc() handed out too much). The range must lie in claims of `owner`. */
int xfs_claims_release(struct xfs_claims *, xfs_agno_t, uint32_t agbno, uint32_t len, uint64_t owner);

#endif
