/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remap.h - blocks change files: sharing (reflink), copy-on-write, exchange of ranges (format sheet 02, sections 5.3
 * and 6.2; sheet 04, sections 6.5 and 10, XMI).
 *
 * Each function is one bounded step inside a change: it queues the works in the kernel's order; mappings, block counts
 * and reference counts change when these are done.  Units are blocks.  The loops over whole files are in
 * transaction/file.h.  Errors besides those named: those of bmap.h.  Layer: inode.
 */
#ifndef XFS_INODE_REMAP_H
#define XFS_INODE_REMAP_H

#include "libxfs/inode/bmap.h"

/* ---- sharing (remap.c) ---- */
/* Blocks of this file may be shared from now on. UNSUPPORTED: not on this filesystem, or no regular file. */
int xfs_reflink_allow(struct xfs_live_inode *);
XFS_INLINE bool xfs_reflink_allowed(const struct xfs_live_inode *li)
{
	return li->i.d.core.version >= 3 && (li->i.d.v3.flags2 & XFS_DIFLAG2_REFLINK);
}
/*
 * Blocks of `src` (a written extent, or a part of one, of some file that allows it) are mapped at block `off` of `li`,
 * which has joined and allows it; what was there is given up.  Does the first piece for which the old mapping is
 * uniform: *done blocks.  INVALID: not allowed, unwritten.
 */
int xfs_remap_share(struct xfs_live_inode *li, uint64_t off, const struct xfs_extent *src, uint32_t *done);
/* The first run of shared blocks in [block, block + len) of one AG: *start, *shared (0: none). Joins the AG. */
int xfs_shared_find(struct xfs_live *, struct xfs_change *, uint64_t block, uint32_t len, uint64_t *start,
		    uint32_t *shared);

/* ---- copy-on-write (remap.c) ---- */
/*
 * Allocates up to `len` staging blocks for block `off` of the file, near `near`: *staged says where they will be
 * mapped.
 * Errors: NOSPC.
 */
int xfs_cow_stage(struct xfs_live_inode *, struct xfs_change *, uint64_t off, uint32_t len, uint64_t near,
		  struct xfs_extent *staged);
/*
 * The data are written: staging blocks take the place of what is mapped there, which is given up.  Does the first piece
 * for which the old mapping is uniform: *done blocks; call it again with the rest, in a change of its own.
 */
int xfs_cow_finish(struct xfs_live_inode *, const struct xfs_extent *staged, uint32_t *done);
/* Staging blocks are not wanted: freed. */
int xfs_cow_cancel(struct xfs_live *, struct xfs_change *, const struct xfs_extent *staged);

/* ---- exchange (exchange.c) ---- */
/* What an XMI says. Flags: XFS_XMI_* of ondisk/logitems.h. */
struct xfs_exchange {
	uint64_t ino1, ino2;
	uint32_t gen1, gen2;
	uint64_t off1, off2, count;	/* what is left */
	uint64_t flags;
	uint64_t size1, size2;		/* with SET_SIZES: di_size of each at the end */
};
/*
 * Queues it as a work of kind EXCHANGE; a copy is taken.  Errors: NOMEM.  Both inodes allow sharing when one does
 * (xfs_exchange_prepare()).
 */
int xfs_exchange_defer(struct xfs_change *, const struct xfs_exchange *);
/*
 * What must hold before: both inodes, which have joined, are regular files (or both, for attribute forks, have one of
 * extents).  When one allows sharing the other does from now on, and *x says which flag to clear at the end.
 */
int xfs_exchange_prepare(struct xfs_live_inode *, struct xfs_live_inode *, struct xfs_exchange *x);
/*
 * Finishes a work of XFS_WORK_EXCHANGE: one pair of extents changes places, by four works of kind BMAP; AGAIN: the rest
 * is left in the work.  The last step sets sizes and flags.  Errors: CORRUPT (generations, forks that can't be
 * exchanged), UNSUPPORTED (flags).
 */
int xfs_exchange_finish(struct xfs_live *, struct xfs_change *, struct xfs_work *);

#endif
