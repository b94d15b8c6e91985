/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inodes.h - the inodes of a fresh filesystem: root directory, realtime or metadata files, free ones (format sheet 03,
 * 9.1; sheet 05, 11.2; sheet 10, 4.4).
 */
#ifndef MKFS_INODES_H
#define MKFS_INODES_H

#include "libxfs/ondisk/inode.h"
#include "mkfs/geometry.h"

/* What would make two runs differ. */
struct mkfs_chance {
	struct xfs_timestamp now;
	uint32_t gen[4];	/* generations: free inodes, and the three files beside the root directory */
};

/* All inodes of g->chunk[n]; `p` holds the chunk's blocks, zeroed. */
void mkfs_make_chunk(const struct mkfs_geometry *g, const struct mkfs_chance *, unsigned n, uint8_t *p);
/* Inodes in use at the start of that chunk. */
unsigned mkfs_chunk_used(const struct mkfs_geometry *g, unsigned n);

#endif
