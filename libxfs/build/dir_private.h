/* SPDX-License-Identifier: BSD-2-Clause */
/* dir_private.h - what the files of the directory builder share. */
#ifndef XFS_BUILD_DIR_PRIVATE_H
#define XFS_BUILD_DIR_PRIVATE_H

#include "libxfs/build/datree.h"
#include "libxfs/build/dir.h"

/* Entries are counted from "." and ".." on: numbers 0 and 1. */
struct xfs_dir_plan {
	const struct xfs_build_dir *b;
	struct xfs_build_dir_shape shape;
	uint32_t total;			/* entries with the dots */
	uint64_t *keys;			/* hash << 32 | number of the entry, ascending */
	uint32_t *address;		/* place of each entry, units of XFS_DIR_ALIGN */
	uint32_t *first;		/* first entry of each data block, and `total` behind the last */
	uint16_t *best;			/* longest free area of each data block */
	uint64_t leaves;
	uint32_t *last;			/* last hash of each leaf */
	struct xfs_datree tree;
};

/* Entry number k. */
struct xfs_build_dirent xfs_dir_plan_entry(const struct xfs_build_dir *, uint32_t k);
/* Lays the entries in blocks. Returns the number of blocks; address, first and best may be NULL together. */
uint64_t xfs_dir_plan_place(const struct xfs_build_dir *, uint32_t end, uint32_t *address, uint32_t *first,
			    uint16_t *best);
/* Leaves of a tree over so many entries. */
uint64_t xfs_dir_plan_leaves(const struct xfs_geometry *, uint32_t total);

/* Contents of the block at file offset `off`, filesystem blocks. */
void xfs_dir_plan_make(void *plan, uint64_t off, uint8_t *block);
/* The short form. */
void xfs_dir_plan_short(const struct xfs_dir_plan *, uint8_t *fork);

#endif
