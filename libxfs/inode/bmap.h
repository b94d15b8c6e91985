/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bmap.h - changing the block map of a fork: extents in the inode or a bmbt, with every change between the two.
 *
 * Each function works inside one change (the inode has joined it) and does one bounded step; works that must follow
 * (reverse mappings, reference counts, freeing) are queued (space/work.h).  di_nblocks and the extent counters follow
 * at once.  Extents stay canonical: what continues its neighbour in file and device with the same state is one record,
 * up to XFS_BMBT_MAXLEN blocks.  Format sheet 02, sections 1.5, 2.3, 6.2 and 9; sheet 03, section 3.
 *
 * Errors besides those named: IO, NOMEM, NOSPC (blocks for the tree), CORRUPT and BADCRC for damage that is met, RANGE
 * (beyond the largest file), TOOBIG (the extent counter is full).  After an error that follows a write the change can
 * only be aborted.  Layer: inode.
 */
#ifndef XFS_INODE_BMAP_H
#define XFS_INODE_BMAP_H

#include "libxfs/inode/live.h"

/*
 * Maps an extent that the caller has allocated, where nothing is mapped; merged with neighbours.  Queues the rmap
 * unless `quiet` (the caller does it).  EXISTS: something is mapped there.
 */
int xfs_bmap_map(struct xfs_live_inode *, enum xfs_fork, const struct xfs_extent *, bool quiet);
/* What becomes of blocks that are unmapped. */
enum xfs_bmap_fate {
	XFS_BMAP_FREE,		/* given up: rmap, then refcount (reflink) or the free space */
	XFS_BMAP_KEEP,		/* go on to another owner: rmap alone */
};
/*
 * Unmaps up to `most` extents (0: all) of file blocks [off, off + len), from the end to the front; *left (may be NULL)
 * is the part of len, from `off` on, that is still to do.
 */
int xfs_bmap_unmap(struct xfs_live_inode *, enum xfs_fork, uint64_t off, uint64_t len, enum xfs_bmap_fate,
		   unsigned most, uint64_t *left);
/*
 * Written or unwritten: the state that [off, off + len) gets; all of it is mapped with the other state in one extent.
 */
int xfs_bmap_convert(struct xfs_live_inode *, uint64_t off, uint32_t len, bool unwritten);

/* Where and how blocks are wanted. */
struct xfs_bmap_want {
	uint64_t off;		/* first file block; nothing is mapped in [off, off + maxlen) */
	uint32_t minlen, maxlen;
	uint64_t near;		/* fsblock, or XFS_NULL64: next to the file's neighbour, else the inode's AG */
	bool unwritten;
	bool one_piece;		/* contiguous: directory blocks */
};
/* Allocates near the wish, in this AG or the next ones that have room, and maps: *got says what. Error: NOSPC. */
int xfs_bmap_alloc(struct xfs_live_inode *, struct xfs_change *, enum xfs_fork, const struct xfs_bmap_want *,
		   struct xfs_extent *got);

/*
 * Moves all extents from `off` on by `shift` blocks: collapse (down, into a hole) or insert (up, the last ones first).
 * At most `most` extents a call (0: all); *next is XFS_NULL64 for the first one, then what the last one gave back, and
 * XFS_NULL64 again when all is done.  Errors: INVALID (an extent lies across `off`), EXISTS (no hole), RANGE.
 */
int xfs_bmap_shift(struct xfs_live_inode *, uint64_t off, uint64_t shift, bool up, unsigned most, uint64_t *next);
/* Cuts the extent that holds file block `off` there in two, as records are before a shift. */
int xfs_bmap_split(struct xfs_live_inode *, uint64_t off);

/*
 * Before works of kind BMAP are queued: is there space for what the tree of this fork may need for so many mappings
 * that come or go?  A chain must not run out of it half way.  NOSPC: no.
 */
int xfs_bmap_room(struct xfs_live_inode *, enum xfs_fork, unsigned mappings);

/*
 * Finishes a work of XFS_WORK_BMAP: maps, or unmaps at most one extent; nothing but its reverse mappings follows.
 * AGAIN: w->len blocks, from w->offset on, are still to be unmapped.  CORRUPT: the inode is free.
 */
int xfs_bmap_finish(struct xfs_live *, struct xfs_change *, struct xfs_work *);

#endif
