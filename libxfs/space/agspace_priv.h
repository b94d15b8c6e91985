/* SPDX-License-Identifier: BSD-2-Clause */
/* agspace_priv.h - what the files of struct xfs_agspace share. */
#ifndef XFS_SPACE_AGSPACE_PRIV_H
#define XFS_SPACE_AGSPACE_PRIV_H

#include "libxfs/space/agspace.h"

struct xfs_free_extent { uint32_t start, len; };

/* Takes the first block of the free list, or puts one behind the last. NOSPC: empty, full. */
int xfs_agfl_take(struct xfs_agspace *, uint32_t *agbno);
int xfs_agfl_put(struct xfs_agspace *, uint32_t agbno);

/* The AGF has changed. */
void xfs_agf_touch(struct xfs_agspace *);

/* choose.c: finds an extent; changes nothing. NOSPC. *whole = the free extent that holds it. */
int xfs_alloc_choose(struct xfs_agspace *, struct xfs_alloc *, struct xfs_free_extent *whole);

/* freespace.c: [agbno, agbno + len) of `whole`, a record of both trees, is free no more; counters follow. */
int xfs_freespace_carve(struct xfs_agspace *, const struct xfs_free_extent *whole, uint32_t agbno, uint32_t len);
/* The range becomes free; merged with its neighbours. CORRUPT: part of it is free. */
int xfs_freespace_add(struct xfs_agspace *, uint32_t agbno, uint32_t len);
/* Record of bnobt or cntbt; CORRUPT when it can't be one. */
int xfs_freespace_decode(const struct xfs_agspace *, const void *rec, struct xfs_free_extent *);
void xfs_freespace_key(struct xfs_btree_key *, bool by_len, uint32_t start, uint32_t len);

/* alloc.c: takes what was chosen. */
int xfs_alloc_take(struct xfs_agspace *, const struct xfs_alloc *, const struct xfs_free_extent *whole);
/* Without bringing the free list to its length. */
int xfs_agspace_free_raw(struct xfs_agspace *, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset);

#endif
