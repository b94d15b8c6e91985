/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * geometry.h - everything that follows from the superblock alone: sizes, address conversions, inode layout, heights of
 * trees, reservations (format sheet 01, sections 7, 8, 10, 11).  Pure functions, no I/O.  Layer: mount.
 *
 * xfs_geometry_init() is the only way in: afterwards all values are in the ranges of the format, so code above may
 * shift and multiply with them without overflow.
 */
#ifndef XFS_MOUNT_GEOMETRY_H
#define XFS_MOUNT_GEOMETRY_H

#include "libxfs/base/findings.h"
#include "libxfs/base/types.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/superblock.h"

struct xfs_geometry {
	struct xfs_sb sb;		/* native copy; counters are those of the superblock */
	bool v5, finobt, rmapbt, reflink, inobtcnt, ftype, sparse, bigtime, nrext64, exchrange, parent, metadir, zoned;
	bool needsrepair, lazycount, attr2, asciici;
	uint32_t blocksize, sectsize, inodesize, dirblksize, dirblkfsbs;
	unsigned blocklog, agblklog, inopblog, inodelog;
	uint32_t agcount, agblocks;
	uint64_t dblocks;
	uint32_t agfl_block;		/* A: block that holds the AGFL; blocks 0..A are static */
	uint32_t agfl_size;		/* slots */
	uint32_t litino;		/* literal area of an inode, bytes */
	/* inodes (section 8) */
	uint32_t ialloc_inos, ialloc_blks, blocks_per_cluster, inodes_per_cluster, cluster_align, ialloc_align,
		 ialloc_min_blks;
	uint64_t maxicount;
	/* most levels (section 10; sheet 02, 1.6) */
	unsigned alloc_maxlevels, inobt_maxlevels, rmap_maxlevels, refc_maxlevels, bmap_maxlevels[2];
	const uint8_t *uuid;		/* of metadata: points into sb */
};

/*
 * Checks sb against the rules of format sheet 01, section 5A (findings to `sink` when not NULL) and derives the rest.
 * BADSB: not usable; *why (may be NULL) then holds a static one-line reason.  UNSUPPORTED: unknown incompat features.
 */
int xfs_geometry_init(struct xfs_geometry *, const struct xfs_sb *, const struct xfs_sink *sink, const char **why);

/* Length of an AG in blocks; agno < agcount. */
uint32_t xfs_ag_length(const struct xfs_geometry *, xfs_agno_t);
xfs_fsbno_t xfs_fsbno_of(const struct xfs_geometry *, xfs_agno_t, xfs_agbno_t);
xfs_agno_t xfs_fsbno_agno(const struct xfs_geometry *, xfs_fsbno_t);
xfs_agbno_t xfs_fsbno_agbno(const struct xfs_geometry *, xfs_fsbno_t);
xfs_daddr_t xfs_agbno_daddr(const struct xfs_geometry *, xfs_agno_t, xfs_agbno_t);
xfs_daddr_t xfs_fsbno_daddr(const struct xfs_geometry *, xfs_fsbno_t);
uint64_t xfs_fsbno_byte(const struct xfs_geometry *, xfs_fsbno_t);
void xfs_daddr_ag(const struct xfs_geometry *, xfs_daddr_t, xfs_agno_t *, xfs_agbno_t *);
/* daddr of header sector `n` (0 sb, 1 agf, 2 agi, 3 agfl) of an AG */
xfs_daddr_t xfs_ag_header_daddr(const struct xfs_geometry *, xfs_agno_t, unsigned n);
xfs_ino_t xfs_ino_of(const struct xfs_geometry *, xfs_agno_t, xfs_agino_t);
xfs_agno_t xfs_ino_agno(const struct xfs_geometry *, xfs_ino_t);
xfs_agino_t xfs_ino_agino(const struct xfs_geometry *, xfs_ino_t);
uint64_t xfs_ino_byte(const struct xfs_geometry *, xfs_ino_t);	/* byte offset on the device */
/* A usable block range / inode number: inside one AG, above the AGFL block. */
bool xfs_agbno_range_valid(const struct xfs_geometry *, xfs_agno_t, uint32_t agbno, uint64_t len);
bool xfs_fsbno_range_valid(const struct xfs_geometry *, uint64_t fsbno, uint64_t len);
/* Some blocks of a file, of which none lies behind the greatest size that a file can have. */
bool xfs_fileoff_range_valid(const struct xfs_geometry *, uint64_t off, uint64_t len);
bool xfs_ino_valid(const struct xfs_geometry *, xfs_ino_t);
bool xfs_agino_valid(const struct xfs_geometry *, xfs_agno_t, uint32_t agino);
uint32_t xfs_first_agino(const struct xfs_geometry *);
uint32_t xfs_last_agino(const struct xfs_geometry *, xfs_agno_t);

/* Sheet 01 section 10 / sheet 02 1.6: worst packed trees. */
unsigned xfs_worst_height(uint32_t minleaf, uint32_t minnode, uint64_t records);
uint64_t xfs_worst_blocks(uint32_t minleaf, uint32_t minnode, uint64_t records);
unsigned xfs_space_to_height(uint32_t minnode, uint64_t blocks);
/* Shortest legal free list for these heights (levels, root included). */
uint32_t xfs_agfl_minimum(const struct xfs_geometry *, unsigned bno_levels, unsigned cnt_levels, unsigned rmap_levels);
/* Per-AG reservations that the kernel asks for at mount (section 11.4), blocks. */
uint64_t xfs_ag_reserve_meta(const struct xfs_geometry *, xfs_agno_t);
uint64_t xfs_ag_reserve_rmap(const struct xfs_geometry *, xfs_agno_t);

#endif
