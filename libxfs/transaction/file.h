/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h - files change as a whole: data, space, sharing; each call is a row of chains on its edit.
 *
 * The inode is held by the caller and in no open transaction; offsets and lengths are bytes.  What a row has committed
 * stays when a later chain fails; each state in between is a consistent filesystem.  Data reach their blocks before a
 * mapping that shows them commits, and never replace shared blocks.  Errors besides those named: those of
 * xfs_trans_*(), bmap.h and the device; INVALID: no regular file; RANGE: beyond the largest file; UNSUPPORTED: realtime
 * files.
 * Layer: transaction.
 */
#ifndef XFS_TRANSACTION_FILE_H
#define XFS_TRANSACTION_FILE_H

#include "libxfs/transaction/transaction.h"

/* ---- data (file_write.c) ---- */
/* Writes data; holes and preallocated blocks get them, the file grows. Times are stamped. */
int xfs_file_write(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, const void *buf, size_t len);
/* The size becomes this: blocks behind it are given up, or what comes into sight reads as zero. */
int xfs_file_truncate(struct xfs_edit *, struct xfs_live_inode *, uint64_t size);

/* ---- space (file_space.c) ---- */
/* Allocates what is a hole, unwritten; with `keep_size` the size stays. */
int xfs_file_prealloc(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len, bool keep_size);
/* The range reads as zero: its blocks become unwritten, holes are allocated. */
int xfs_file_zero(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len, bool keep_size);
/* The range becomes a hole, as far as blocks lie in it; the rest of it reads as zero. */
int xfs_file_punch(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len);
/* Cuts the range out: what is behind it moves down. INVALID: not at blocks, or reaching to the end. */
int xfs_file_collapse(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len);
/* Makes a hole at `off`, before the end: the rest moves up. INVALID: not at blocks, or behind the end. */
int xfs_file_insert(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len);

/* ---- sharing (file_share.c) ---- */
/*
 * The range of `to` gets the contents of that of `from` by sharing blocks.  Both ends lie at blocks, but the range may
 * reach to the end of `from` when that becomes the end of `to`.  One file: the ranges do not overlap.
 */
int xfs_file_share(struct xfs_edit *, struct xfs_live_inode *from, uint64_t from_off, struct xfs_live_inode *to,
		   uint64_t to_off, uint64_t len);
/* Blocks of the range are the file's alone afterwards; a file that shares nothing any more loses its flag. */
int xfs_file_unshare(struct xfs_edit *, struct xfs_live_inode *, uint64_t off, uint64_t len);
/*
 * Ranges, at blocks, of two files (or apart from each other in one) change places.  `to_end`: all from the offsets to
 * the longer end, and sizes too.  UNSUPPORTED: a logged edit, on a filesystem without exchange.
 */
int xfs_file_exchange(struct xfs_edit *, struct xfs_live_inode *, uint64_t off1, struct xfs_live_inode *, uint64_t off2,
		      uint64_t len, bool to_end);

/* ---- the end (file_gone.c) ---- */
/* An inode of any type without a name (nlink 0) and its blocks become free. INVALID: it is linked, or free. */
int xfs_inode_inactivate(struct xfs_edit *, struct xfs_live_inode *);

#endif
