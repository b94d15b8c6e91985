/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag.h - a complete allocation group from ownership claims: headers, AGFL, all trees.
 *
 * mkfs and repair use it; no other code lays out an AG.  Order of allocation from the claims' free space, first fit:
 * bnobt, cntbt, inobt, finobt, rmapbt, refcountbt, then the AGFL (a fresh filesystem gets the places of format sheet
 * 01, section 2).  The rmapbt holds records for the trees' own blocks, the free-space trees shrink by them: computed
 * until stable before a block is written (format sheet 02, 7.2 and 7.3).  Layer: build.
 */
#ifndef XFS_BUILD_AG_H
#define XFS_BUILD_AG_H

#include "libxfs/device/device.h"
#include "libxfs/space/claims.h"

/* One record of the inode btree (format sheet 02, 2.2). */
struct xfs_inode_chunk {
	uint32_t startino;	/* agino */
	uint16_t holemask;
	uint8_t count, freecount;
	uint64_t free;
};

enum xfs_build_tree { XFS_TREE_BNO, XFS_TREE_CNT, XFS_TREE_INO, XFS_TREE_FINO, XFS_TREE_RMAP, XFS_TREE_REFC, XFS_TREE_COUNT };
enum xfs_build_policy {
	XFS_BUILD_FRESH,	/* new blocks; the old ones are not claimed */
	XFS_BUILD_KEEP,		/* records are already equal: not written; its blocks are claimed by the caller */
	XFS_BUILD_IN_PLACE,	/* old blocks of the tree may be used again (derived trees) */
};

struct xfs_build_ag {
	const struct xfs_geometry *geo;
	struct xfs_claims *claims;		/* sealed for this AG; gets the trees' claims added */
	xfs_agno_t agno;
	const struct xfs_inode_chunk *chunks;	/* ascending */
	size_t nchunks;
	enum xfs_build_policy policy[XFS_TREE_COUNT];
	/* of a kept tree */
	struct { uint32_t root, levels, blocks; } kept[XFS_TREE_COUNT];
	const uint32_t *unlinked;		/* 64 list heads, or NULL: all empty */
	uint32_t newino;			/* agino or XFS_NULL32 */
	int leaf_slack, node_slack;		/* -1 default; 0 full blocks */
	uint64_t lsn;				/* stamped into blocks and headers; 0 for mkfs */
	struct xfs_dev *dev;			/* tree blocks are written here, in disk order, large writes */
};

/* What the switch to the new trees will write: sectors 1 to 3 of the AG, crc in place. */
struct xfs_ag_switch {
	uint8_t *agf, *agi, *agfl;		/* sectsize bytes each; freed by xfs_ag_switch_release() */
	uint64_t freeblks, flcount, btreeblks;	/* fdblocks of this AG = their sum */
	uint64_t icount, ifree;
	uint64_t tree_blocks[XFS_TREE_COUNT];
};

/* Writes the trees' blocks (not the headers). Errors: NOSPC, IO, NOMEM, OVERLAP (conflicting claims). */
int xfs_build_ag(const struct xfs_build_ag *, struct xfs_ag_switch *out);
/* Writes the three header sectors: the trees become the filesystem's. */
int xfs_build_ag_commit(const struct xfs_build_ag *, const struct xfs_ag_switch *);
void xfs_ag_switch_release(struct xfs_ag_switch *);

#endif
