/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag.h - a complete allocation group from ownership claims: headers, AGFL, all trees.
 *
 * mkfs and repair use it; no other code lays out an AG.  Single blocks are taken from the claims' free space (never
 * from avoided blocks), lowest first, in the order bnobt, cntbt, inobt, finobt, rmapbt, refcountbt, then for the AGFL
 * the lowest run that holds it: a fresh filesystem gets the places of format sheet 01, section 2.  In a tree the leaves
 * come first, then level by level.
 * The rmapbt holds records for the trees' own blocks, the free-space trees shrink by them: all sizes are computed until
 * they are stable before anything is written (format sheet 02, 7.2 and 7.3).  The same claims give the same bytes.
 *
 * Memory: that of the claims, of sorting, and what grows with the number of tree blocks; none for each free or shared
 * extent.
 *
 * Crash safety: xfs_build_ag() writes only blocks that nobody claims and nobody wants avoided; nothing points at them
 * until xfs_build_ag_commit() writes the three header sectors.  A barrier between the two is the caller's.
 * Layer: build.
 */
#ifndef XFS_BUILD_AG_H
#define XFS_BUILD_AG_H

#include "libxfs/device/device.h"
#include "libxfs/space/claims.h"

/* One record of the inode btree (format sheet 02, 2.2). Without the sparse feature holemask and count are ignored. */
struct xfs_inode_chunk {
	uint32_t startino;	/* agino */
	uint16_t holemask;
	uint8_t count, freecount;
	uint64_t free;
};

enum xfs_build_tree { XFS_TREE_BNO, XFS_TREE_CNT, XFS_TREE_INO, XFS_TREE_FINO, XFS_TREE_RMAP, XFS_TREE_REFC,
	XFS_TREE_COUNT };
enum xfs_build_policy {
	XFS_BUILD_FRESH,	/* new blocks; the caller avoids the old ones, so that they survive until the switch */
	XFS_BUILD_KEEP,		/* records are already equal: not written; its blocks are claimed by the caller */
	XFS_BUILD_IN_PLACE,	/* as FRESH, but the old blocks are not avoided (trees that only repeat others) */
};

struct xfs_build_ag {
	const struct xfs_geometry *geo;
	/*
	 * Sealed for this AG; gets the claims of the trees and the AGFL.  The static blocks are claimed for OWN_FS when
	 * nobody did.  What an earlier build of this AG claimed must be released before another try.
	 */
	struct xfs_claims *claims;
	xfs_agno_t agno;
	const struct xfs_inode_chunk *chunks;	/* ascending */
	size_t nchunks;
	/*
	 * bnobt, cntbt and rmapbt can only be kept when no block is taken: then all other trees are kept and the AGFL
	 * is given below (INVALID otherwise).
	 */
	enum xfs_build_policy policy[XFS_TREE_COUNT];
	/* of a kept tree */
	struct { uint32_t root, levels, blocks; } kept[XFS_TREE_COUNT];
	const uint32_t *agfl;			/* free list to keep, claimed by the caller; NULL: a new one */
	uint32_t nagfl;
	bool agfl_from_zero;			/* first entry in slot 0 (as after a repair), not 1 (fresh) */
	const uint32_t *unlinked;		/* 64 list heads, or NULL: all empty */
	uint32_t newino;			/* agino or XFS_NULL32 */
	/* -1: the default, about 75 % full, or 2 when less than a tenth of the AG is free; 0: full blocks */
	int leaf_slack, node_slack;
	uint64_t lsn;				/* stamped into blocks and headers; 0 for mkfs */
	size_t memory;				/* bytes for sorting free extents before they spill; 0: the default */
	struct xfs_dev *dev;			/* tree blocks are written here, in disk order, large writes */
};

/* What the switch to the new trees will write: sectors 1 to 3 of the AG, crc in place. */
struct xfs_ag_switch {
	uint8_t *agf, *agi, *agfl;		/* sectsize bytes each; freed by xfs_ag_switch_release() */
	uint64_t freeblks, flcount, btreeblks;	/* fdblocks of this AG = their sum */
	uint64_t icount, ifree;
	uint64_t tree_blocks[XFS_TREE_COUNT];
};

/*
 * Writes the trees' blocks (not the headers).  When free space is short, blocks are filled completely and the AGFL may
 * be shorter than its minimum.  Errors: NOSPC, IO, NOMEM, OVERLAP (conflicting claims), INVALID (request contradicts
 * itself).  After an error *out needs no release, and the AG's claims may hold some of the trees' blocks.
 */
int xfs_build_ag(const struct xfs_build_ag *, struct xfs_ag_switch *out);
/* Writes the three header sectors: the trees become the filesystem's. */
int xfs_build_ag_commit(const struct xfs_build_ag *, const struct xfs_ag_switch *);
void xfs_ag_switch_release(struct xfs_ag_switch *);

#endif
