/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bmap_priv.h - what the files of bmap.h share: one fork opened for changing, records in either form.
 */
#ifndef XFS_INODE_BMAP_PRIV_H
#define XFS_INODE_BMAP_PRIV_H

#include "libxfs/inode/bmap.h"

struct xfs_bmap {
	struct xfs_live_inode *li;
	enum xfs_fork which;
	struct xfs_ifork f;		/* of li->i; count and format follow each change */
	struct xfs_btree_space space;
};

/*
 * Opens a fork of extents of an inode that has joined a change. Nothing to close; it must not move.  Errors: NOENT (no
 * attribute fork), INVALID (local, or not joined), UNSUPPORTED (realtime), CORRUPT.
 */
int xfs_bmap_open(struct xfs_bmap *, struct xfs_live_inode *, enum xfs_fork);

/* ---- bmap_tree.c ---- */
/* A block of this fork's tree is taken from free space, near an fsblock. */
int xfs_bmap_to_btree(struct xfs_bmap *);
int xfs_bmap_to_extents(struct xfs_bmap *);
/* Callbacks of the engine for this fork. */
void xfs_bmap_attach_space(struct xfs_bmap *);
/* A block somewhere, next to `near` if that can be. Owner as in struct xfs_claim. */
int xfs_bmap_take(struct xfs_live *, struct xfs_change *, struct xfs_alloc *, uint64_t near, uint64_t *fsbno);
/* Records that fit in the inode. */
uint64_t xfs_bmap_inline_most(const struct xfs_bmap *);

/* ---- bmap_records.c ---- */
/* The last extent that starts before block `off`. NOENT: none. */
int xfs_bmap_before(struct xfs_bmap *, uint64_t off, struct xfs_extent *);
/*
 * Puts new records in the place of old ones that are neighbours; both in order, at most three of each.  The k-th new
 * one lies behind what precedes the k-th old one and before what follows it.
 */
int xfs_bmap_splice(struct xfs_bmap *, const struct xfs_extent *old, unsigned nold, const struct xfs_extent *new,
		    unsigned nnew);
/* b continues a, and both fit into one record. */
bool xfs_bmap_joins(const struct xfs_bmap *, const struct xfs_extent *a, const struct xfs_extent *b);
void xfs_bmap_encode(void *rec, const struct xfs_extent *);
/* di_nblocks gains. */
void xfs_bmap_count_blocks(struct xfs_live_inode *, int64_t by);
void xfs_bmap_dirty(struct xfs_bmap *);

/* ---- bmap.c ---- */
/* The steps that the mapping of an extent of this fork leaves to be done. */
int xfs_bmap_defer_rmap(struct xfs_bmap *, enum xfs_rmap_op, const struct xfs_extent *);

#endif
