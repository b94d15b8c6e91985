/* SPDX-License-Identifier: BSD-2-Clause */
/* refcount_priv.h - steps that the changes of reference counts are made of; shared by refcount*.c. */
#ifndef XFS_SPACE_REFCOUNT_PRIV_H
#define XFS_SPACE_REFCOUNT_PRIV_H

#include "libxfs/space/refcount.h"

/* A record, or the lack of one (blockcount 0). */
typedef struct xfs_refc_rec xfs_refc;

/* Records of the domain at, before or behind `agbno`; blockcount 0 = there is none. */
int xfs_refc_find(struct xfs_btree *, bool cow, enum xfs_btree_dir, uint32_t agbno, xfs_refc *out);
/* The record with the greatest start <= agbno, and the one behind it. */
int xfs_refc_find_pair(struct xfs_btree *, bool cow, uint32_t agbno, xfs_refc *at, xfs_refc *next);

int xfs_refc_add(struct xfs_btree *, const xfs_refc *);
int xfs_refc_remove(struct xfs_btree *, const xfs_refc *);
int xfs_refc_replace(struct xfs_btree *, const xfs_refc *old, const xfs_refc *new);

XFS_INLINE uint64_t xfs_refc_end(const xfs_refc *r) { return (uint64_t)r->startblock + r->blockcount; }
XFS_INLINE bool xfs_refc_fits(uint64_t len) { return len < UINT32_MAX; }

#endif
