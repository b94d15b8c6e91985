/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_priv.h - what the files of alloc.h share. */
#ifndef XFS_INODE_ALLOC_PRIV_H
#define XFS_INODE_ALLOC_PRIV_H

#include "libxfs/inode/aginodes.h"

/*
 * chunk.c: new inodes in this AG, a part of a chunk when there is no place for a whole one; *rec is a record with free
 * ones.  NOSPC: no place, or more inodes than imax_pct allows.
 */
int xfs_chunk_make(struct xfs_live *, struct xfs_aginodes *, struct xfs_inobt_rec *rec);
/* All inodes of the chunk are free (the record says that one still is in use): its blocks are given up. */
int xfs_chunk_drop(struct xfs_live *, struct xfs_aginodes *, const struct xfs_inobt_rec *rec);

#endif
