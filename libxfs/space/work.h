/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.h - deferred work: what a change to a mapping leaves to be done by later steps (format sheet 02, section 6).
 *
 * Code that changes something queues the steps that must follow with xfs_change_defer(); it never does them itself.
 * Whoever owns the change (transaction/) takes them in the kernel's order: children before older siblings, works of one
 * kind batched only when they were queued consecutively.  With a log each batch is announced by an intent and ended by
 * a done item; without one the steps are applied in the same order to cached buffers.
 *
 * A work is plain data, copied when it is queued, and says all that its intent must say.  Layer: space.
 */
#ifndef XFS_SPACE_WORK_H
#define XFS_SPACE_WORK_H

#include "libxfs/base/types.h"

struct xfs_change;

enum xfs_work_kind {
	XFS_WORK_BMAP,		/* BUI: one extent of a file's fork is mapped or unmapped (inode/bmap.h) */
	XFS_WORK_RMAP,		/* RUI */
	XFS_WORK_REFC,		/* CUI */
	XFS_WORK_FREE,		/* EFI */
	XFS_WORK_ATTR,		/* ATTRI: one attribute is set, replaced or removed (name/) */
	XFS_WORK_EXCHANGE,	/* XMI: mappings of two files change places (inode/remap.h) */
	XFS_WORK_KINDS
};

enum xfs_rmap_op { XFS_RMAP_MAP, XFS_RMAP_UNMAP, XFS_RMAP_CONVERT, XFS_RMAP_ALLOC, XFS_RMAP_FREE };
enum xfs_refc_op { XFS_REFC_INCREASE, XFS_REFC_DECREASE, XFS_REFC_ALLOC_COW, XFS_REFC_FREE_COW };
enum xfs_bmap_op { XFS_BMAP_MAP, XFS_BMAP_UNMAP };

struct xfs_work {
	enum xfs_work_kind kind;
	unsigned op;			/* of the kind: enum xfs_*_op; FREE: 0 */
	bool shared;			/* RMAP: the variants for inodes with the reflink flag */
	bool attr_fork, unwritten;	/* BMAP, RMAP; CONVERT: the state that the blocks get */
	bool realtime;			/* blocks are realtime blocks */
	bool agfl;			/* FREE: a block that was taken off the free list */
	uint64_t block;			/* fsblock (realtime: rtblock); all of the range lies in one AG */
	uint64_t len;			/* blocks; BMAP unmap and REFC: what is left when a step stops early */
	/* RMAP, FREE: owner as in struct xfs_claim (FREE: XFS_OWN_NULL: its rmap is gone already). BMAP: inode. */
	uint64_t owner;
	uint64_t offset;		/* RMAP, FREE: with XFS_RMAP_ATTR, _BMBT bits. BMAP: file block */
	/* ATTR, EXCHANGE: allocated; freed with release() when the work is done or dropped */
	void *more;
	void (*release)(void *more);
};

/* What a change hands its works to. */
struct xfs_work_sink {
	/* Takes a copy; owns `more` from now on, also when it fails. Errors: NOMEM. */
	int (*add)(struct xfs_work_sink *, const struct xfs_work *);
};

/* Queues work with the sink of the change. Errors: NOMEM; INVALID: the change has no sink. Counts as a write. */
int xfs_change_defer(struct xfs_change *, const struct xfs_work *);

struct xfs_agspace;

/*
 * Does one RMAP, REFC or FREE work in its AG, which has joined a change.  AGAIN: a bounded part was done, `block` and
 * `len` are what is left.  A decrease queues the freeing of what nobody owns any more.  Errors: INVALID (no such work),
 * UNSUPPORTED (realtime), RANGE, CORRUPT (the trees contradict it) and those of agspace.h.
 */
int xfs_agspace_finish(struct xfs_agspace *, struct xfs_work *);

#endif
