/* SPDX-License-Identifier: BSD-2-Clause */
/* fs.c - opening a filesystem: superblock, geometry, cache. */
#include "libxfs/mount/fs_priv.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"

#include <stdlib.h>

#define MIN_SECTOR 512u
#define MAX_SECTOR 32768u

int xfs_fs_read_sb(struct xfs_dev *dev, uint64_t off, struct xfs_sb *out)
{
	uint32_t first = (uint32_t)xfs_max(dev->sectsize, MIN_SECTOR), size;
	uint8_t *buf;
	int err;

	memset(out, 0, sizeof(*out));
	if (off > dev->size || dev->size - off < first)
		return -XFS_E_SHORT;
	buf = malloc(xfs_max(MAX_SECTOR, first));
	if (!buf)
		return -XFS_E_NOMEM;
	err = xfs_dev_read(dev, off, buf, first);
	if (err)
		goto out;
	xfs_sb_decode(out, buf);
	if (out->magicnum != XFS_SB_MAGIC) {
		err = -XFS_E_BADMAGIC;
		goto out;
	}
	size = out->sectsize;
	if (size < MIN_SECTOR || size > MAX_SECTOR || !xfs_is_pow2(size)) {
		err = -XFS_E_BADSB;
		goto out;
	}
	if (size > first) {
		if (dev->size - off < size)
			err = -XFS_E_SHORT;
		else
			err = xfs_dev_read(dev, off, buf, size);
		if (err)
			goto out;
	}
	/* a V4 superblock with something in the field is judged like the kernel does (format sheet 01, section 5) */
	if ((xfs_sb_is_v5(out) || out->crc) && !xfs_crc32c_check(buf, size, XFS_SB_CRC_OFF))
		err = -XFS_E_BADCRC;
out:
	free(buf);
	return err;
}

void xfs_fs_report(struct xfs_fs *fs, const struct xfs_finding *f)
{
	if (!fs->sink.emit)
		return;
	pthread_mutex_lock(&fs->lock);
	xfs_finding_emit(&fs->sink, f);
	pthread_mutex_unlock(&fs->lock);
}

/* Superblock and geometry. */
static int open_geometry(struct xfs_fs *fs, const struct xfs_fs_options *o)
{
	struct xfs_sb sb;
	int err;

	if (o->sb) {
		sb = *o->sb;
	} else {
		err = xfs_fs_read_sb(fs->dev.data, 0, &sb);
		if (err) {
			struct xfs_finding f = xfs_finding_of(err == -XFS_E_BADMAGIC ? XFS_F_BLOCK_MAGIC :
							      err == -XFS_E_BADCRC ? XFS_F_BLOCK_CRC : XFS_F_BLOCK_IO,
							      "superblock");

			if (err == -XFS_E_BADSB) {
				f.id = XFS_F_SB_FIELD;
				f.field = "sectsize";
				f.found = sb.sectsize;
			}
			f.agno = f.agbno = 0;
			xfs_fs_report(fs, &f);
			if (err != -XFS_E_BADCRC || !(o->flags & XFS_FS_NOVERIFY))
				return err;
			fs->sb_error = err;
		}
	}
	return xfs_geometry_init(&fs->geo, &sb, &fs->sink, NULL);
}

static void fill_ctx(struct xfs_fs *fs)
{
	const struct xfs_geometry *g = &fs->geo;

	fs->ctx = (struct xfs_ctx){
		.blocksize = g->blocksize, .dirblksize = g->dirblksize,
		.sectsize = (uint16_t)g->sectsize, .inodesize = (uint16_t)g->inodesize,
		.v5 = g->v5, .ftype = g->ftype, .sparse = g->sparse, .nrext64 = g->nrext64, .bigtime = g->bigtime,
		.metadir = g->metadir, .rmapbt = g->rmapbt, .reflink = g->reflink, .parent = g->parent,
	};
}

int xfs_fs_open(struct xfs_fs **out, const struct xfs_devset *dev, const struct xfs_fs_options *options,
		const struct xfs_sink *sink)
{
	static const struct xfs_fs_options defaults;
	const struct xfs_fs_options *o = options ? options : &defaults;
	struct xfs_fs *fs;
	uint64_t pages;
	int err;

	*out = NULL;
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return -XFS_E_NOMEM;
	pthread_mutex_init(&fs->lock, NULL);
	fs->dev = *dev;
	fs->flags = o->flags;
	/* verified all the same: LSNs are kept */
	fs->buf_flags = o->flags & XFS_FS_NOVERIFY ? XFS_BUF_BROKEN : 0;
	if (sink)
		fs->sink = *sink;
	err = open_geometry(fs, o);
	if (err)
		goto out;
	if (!(o->flags & XFS_FS_NOLASTBLOCK) && dev->data->size / fs->geo.blocksize < fs->geo.dblocks) {
		err = -XFS_E_SHORT;
		goto out;
	}
	fill_ctx(fs);
	fs->blocks.geo = &fs->geo;
	fs->blocks.max_lsn = &fs->max_lsn;
	fs->blocks.no_wild_lsn = o->flags & XFS_FS_NOWILDLSN;
	pages = xfs_ceil_div(fs->geo.agcount, XFS_AG_PAGE);
	fs->ags = calloc(pages, sizeof(*fs->ags));
	fs->ag_bytes = pages * sizeof(*fs->ags);
	if (!fs->ags) {
		err = -XFS_E_NOMEM;
		goto out;
	}
	err = xfs_buf_cache_new(&fs->cache, dev->data, fs->geo.blocksize, o->cache ? o->cache : XFS_CACHE_DEFAULT,
				&fs->blocks);
out:
	if (err)
		xfs_fs_close(fs);
	else
		*out = fs;
	return err;
}

void xfs_fs_close(struct xfs_fs *fs)
{
	if (!fs)
		return;
	xfs_ag_free_all(fs);
	xfs_buf_cache_free(fs->cache);
	pthread_mutex_destroy(&fs->lock);
	free(fs);
}

int xfs_fs_get_block(struct xfs_fs *fs, xfs_fsbno_t fsbno, enum xfs_block_kind kind, struct xfs_buf **out)
{
	*out = NULL;
	if (!xfs_fsbno_range_valid(&fs->geo, fsbno.v, 1))
		return -XFS_E_RANGE;
	return xfs_buf_get1(fs->cache, xfs_fsbno_daddr(&fs->geo, fsbno).v, fs->geo.blocksize / XFS_BBSIZE,
			    xfs_block_type(kind), fs->buf_flags, out);
}

uint64_t xfs_fs_memory(struct xfs_fs *fs)
{
	struct xfs_buf_stats s;

	xfs_buf_stats(fs->cache, &s);
	return s.bytes + fs->ag_bytes + sizeof(*fs);
}
