/* SPDX-License-Identifier: BSD-2-Clause */
/* forkoff.c - where the attribute fork of an inode begins. */
#include "libxfs/inode/forkoff.h"

#define EXTENT_BYTES 16u
#define ROOT_BYTES(records) (4u + 16u * (records))
#define DATA_LEAST ROOT_BYTES(3u)	/* a data fork is never smaller: it may become a tree */
#define ATTR_LEAST ROOT_BYTES(2u)

unsigned xfs_forkoff_default(const struct xfs_geometry *g, unsigned data_format)
{
	if (data_format == XFS_DINODE_FMT_DEV)
		return 1;
	return g->inodesize == 256 ? 15 : 24;
}

static uint64_t data_bytes(const struct xfs_geometry *g, const struct xfs_forkoff_facts *f)
{
	switch (f->format) {
	case XFS_DINODE_FMT_EXTENTS:
		/* too many for the default place: they may as well become a tree */
		if (!f->forkoff && f->used > 8 * xfs_forkoff_default(g, f->format) / EXTENT_BYTES)
			return DATA_LEAST;
		return xfs_min(f->used, UINT32_MAX) * EXTENT_BYTES;
	case XFS_DINODE_FMT_BTREE:
		return 4 + xfs_min(f->used, UINT32_MAX) * EXTENT_BYTES;
	default:
		return f->used;
	}
}

unsigned xfs_forkoff_short(const struct xfs_geometry *g, const struct xfs_forkoff_facts *f, uint32_t bytes)
{
	unsigned off, least, most = (g->litino - ATTR_LEAST) / 8, fixed = f->forkoff;
	uint64_t data;

	if (bytes > g->litino)
		return 0;
	off = (g->litino - bytes) / 8;
	if (f->format == XFS_DINODE_FMT_DEV)
		return off >= 1;
	if (f->forkoff && off >= f->forkoff)
		return f->forkoff;
	if (!g->v5 && !g->attr2) {
		fixed = f->forkoff ? f->forkoff : xfs_forkoff_default(g, f->format);
		return off >= fixed && data_bytes(g, f) <= 8 * (uint64_t)fixed ? fixed : 0;
	}
	/* the root of a tree does not move again */
	if (f->forkoff && (f->format == XFS_DINODE_FMT_BTREE || f->format == XFS_DINODE_FMT_META_BTREE))
		return 0;
	if (off >= most)
		return most;
	data = xfs_max(data_bytes(g, f), DATA_LEAST);
	least = (unsigned)xfs_min(xfs_ceil_div(data, 8), g->litino);
	return off >= least ? off : 0;
}

unsigned xfs_forkoff_blocks(const struct xfs_geometry *g, const struct xfs_forkoff_facts *f)
{
	unsigned place = xfs_forkoff_default(g, f->format), most = (g->litino - ATTR_LEAST) / 8;

	if (f->format == XFS_DINODE_FMT_DEV)
		return place;
	if (f->format != XFS_DINODE_FMT_BTREE && f->format != XFS_DINODE_FMT_META_BTREE)
		place = f->forkoff > place ? f->forkoff : place;
	else if (f->forkoff)
		place = f->forkoff;
	else	/* a root that the default would cut keeps its records */
		place = (unsigned)xfs_max(place, xfs_min(xfs_ceil_div(data_bytes(g, f), 8), most));
	/* the attribute fork must hold a root itself */
	return place < most ? place : most;
}
