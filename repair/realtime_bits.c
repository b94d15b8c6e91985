/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_bits.c - what the bitmaps of realtime groups say of a mapping, before they are made anew (format sheet 10,
 * section 3.2): a witness where forks and reverse mappings contradict each other.
 */
#include "repair/evidence.h"
#include "repair/realtime.h"
#include "repair/realtime_owned.h"

#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/realtime.h"

#include <stdlib.h>

#define HEADER ((uint32_t)sizeof(struct xfs_rtbuf_disk))

struct bits {
	struct repair *r;
	uint64_t ino;
	struct xfs_mapset map;
	uint8_t *block;
	uint64_t loaded;		/* block of the file; XFS_NULL64: none */
};

static int open_bitmap(struct bits *b, uint32_t group)
{
	const struct repair_metafile file = { XFS_METAFILE_RTBITMAP, group };
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	uint8_t *image;
	int64_t cut;
	int error;

	b->ino = repair_metafile_is_doubled(b->r, &file) ? XFS_NULL64 : repair_metafile_find(b->r, &file);
	if (b->ino == XFS_NULL64)
		return -XFS_E_NOENT;
	image = malloc(b->r->geo.inodesize);
	b->block = malloc(b->r->geo.blocksize);
	error = image && b->block ? repair_read_decided(b->r, b->ino, image, &d) : -XFS_E_NOMEM;
	if (!error)
		error = repair_fork_scan(b->r, b->ino, &d, image, XFS_FORK_DATA, &f, repair_keep_mapping, &b->map);
	cut = error ? 0 : xfs_mapset_normalise(&b->map);
	repair_fork_release(&f);
	free(image);
	return cut < 0 ? (int)cut : error;
}

static int load(struct bits *b, uint64_t block)
{
	const struct xfs_geometry *geo = &b->r->geo;
	const struct xfs_mapping *m = xfs_mapset_at(&b->map, block);
	uint64_t fsbno = m ? m->fsbno + (block - m->off) : 0;
	int error;

	if (block == b->loaded)
		return 0;
	if (!m || m->unwritten)
		return -XFS_E_NOENT;
	error = xfs_dev_read(b->r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), b->block, geo->blocksize);
	if (error)
		return error;
	if (!repair_rt_is_block(b->r, XT_RGBITMAP, b->ino, fsbno, b->block))
		return -XFS_E_CORRUPT;
	b->loaded = block;
	return 0;
}

int repair_rt_bits(struct repair *r, const struct xfs_mapping *m, bool *used, bool *is_free)
{
	uint64_t per_block = 32 * (uint64_t)xfs_rtbuf_words(r->geo.blocksize), group = m->fsbno >> r->geo.sb.rgblklog;
	uint64_t first = m->fsbno & ((UINT64_C(1) << r->geo.sb.rgblklog) - 1);
	uint64_t last = (first + m->len - 1) / r->geo.sb.rextsize;
	struct repair_rt_shape shape;
	struct bits b = { .r = r, .loaded = XFS_NULL64 };
	int error = repair_rt_shape(r, &shape) && shape.bitmaps && group < shape.groups && last < shape.per_group
			    ? open_bitmap(&b, (uint32_t)group) : -XFS_E_NOENT;

	*used = *is_free = false;
	for (uint64_t x = first / r->geo.sb.rextsize; x <= last && !error && !*is_free; x++) {
		uint64_t bit = x % per_block;

		error = load(&b, x / per_block);
		if (!error)
			*is_free = xfs_be32(b.block + HEADER + 4 * (bit / 32)) >> (bit % 32) & 1;
	}
	*used = !error && !*is_free;
	xfs_mapset_release(&b.map);
	free(b.block);
	return error == -XFS_E_NOMEM ? error : 0;
}
