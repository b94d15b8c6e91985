/* SPDX-License-Identifier: BSD-2-Clause */
/* file_priv.h - what the files of file.h share. */
#ifndef XFS_TRANSACTION_FILE_PRIV_H
#define XFS_TRANSACTION_FILE_PRIV_H

#include "libxfs/inode/remap.h"
#include "libxfs/transaction/file.h"

#define XFS_FILE_STEP 2u		/* extents that one chain gives up or moves */
#define XFS_FILE_SIZE_MOST INT64_MAX

/* A regular file, not realtime, whose range is possible. */
int xfs_file_check(const struct xfs_live_inode *, uint64_t off, uint64_t len);
/* A transaction that the inode has joined; aborted when it fails. */
int xfs_file_begin(struct xfs_trans *, struct xfs_edit *, struct xfs_live_inode *);
/* Commits unless err; returns the error. */
int xfs_file_end(struct xfs_trans *, int err);
/* The extent that holds block `off`, or the next one (NOENT: none). */
int xfs_file_lookup(const struct xfs_live_inode *, uint64_t off, struct xfs_extent *);
/* [off, off + len) reads as zero where something is written there; the size stays. */
int xfs_file_zero_bytes(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len);
/* What lies behind the end in its last block may come into sight: zeroed. */
int xfs_file_zero_tail(struct xfs_edit *, struct xfs_live_inode *);
/* Gives up all blocks from block `first` up to `end`. */
int xfs_file_give_up(struct xfs_edit *, struct xfs_live_inode *, uint64_t first, uint64_t end);
/* New blocks with new contents of `n` blocks take the place of those at block `off`. */
int xfs_file_replace(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, const uint8_t *data, uint32_t n,
		     uint64_t near);
int xfs_file_set_size(struct xfs_trans *, struct xfs_live_inode *, uint64_t size);

#endif
