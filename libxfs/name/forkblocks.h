/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forkblocks.h - metadata blocks of a fork that change: fetched, made, given up.
 *
 * A block that changes always lies in one piece on the device: Linux can't replay a log with pieces, so one that is
 * found in pieces is moved together before it changes.  Blocks are joined to the change of the inode and stay held by
 * it until it ends; what is handed out here is borrowed from it.  Layer: name (private).
 */
#ifndef XFS_NAME_FORKBLOCKS_H
#define XFS_NAME_FORKBLOCKS_H

#include "libxfs/inode/bmap.h"
#include "libxfs/name/da.h"

struct xfs_forkop {
	struct xfs_live_inode *ip;		/* has joined a change */
	enum xfs_fork which;
	const struct xfs_geometry *g;
	unsigned fsbs;				/* filesystem blocks of one block of directory or attributes */
	uint32_t size;				/* its bytes */
	uint64_t from, to;			/* where blocks of the hash tree lie; its root is at `from` */
};
void xfs_forkop_dir(struct xfs_forkop *, struct xfs_live_inode *);
void xfs_forkop_attr(struct xfs_forkop *, struct xfs_live_inode *);

/* The fork as it is now: valid until the next change of its map. Errors: those of xfs_ifork_init(). */
int xfs_forkop_fork(const struct xfs_forkop *, struct xfs_ifork *);

/* The block at `off`, joined. Errors: those of xfs_ifork_get(), of xfs_change_join() and, when moved, of bmap.h. */
int xfs_forkop_get(const struct xfs_forkop *, uint64_t off, enum xfs_block_kind, struct xfs_buf **out);
/*
 * A fresh block at `off`, where nothing is mapped: zero but for magic (of this version), uuid, owner and own address.
 * Errors: those of xfs_bmap_alloc() and xfs_change_get_new().
 */
int xfs_forkop_new(const struct xfs_forkop *, uint64_t off, enum xfs_block_kind, uint32_t magic, struct xfs_buf **out);
/* Unmaps `n` filesystem blocks at `off` and frees them; nothing cached of them is written any more. */
int xfs_forkop_free(const struct xfs_forkop *, uint64_t off, uint32_t n);
/* The same for all that is mapped in [from, to). */
int xfs_forkop_free_all(const struct xfs_forkop *, uint64_t from, uint64_t to);
/* Copies all of a block but its own address: the block becomes another one of the same file. */
void xfs_forkop_copy(const struct xfs_forkop *, struct xfs_buf *to, const struct xfs_buf *from,
		     enum xfs_block_kind);

/* A hole of `n` blocks in [from, to), aligned to op->fsbs. NOSPC: there is none. Bounded work in most cases. */
int xfs_forkop_hole(const struct xfs_forkop *, uint64_t from, uint64_t to, uint32_t n, uint64_t *off);
/* Where the last mapping that starts in [from, to) ends; `from` when there is none. */
int xfs_forkop_end(const struct xfs_forkop *, uint64_t from, uint64_t to, uint64_t *end);

#endif
