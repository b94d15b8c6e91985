/* SPDX-License-Identifier: BSD-2-Clause */
/* testfs.c - geometries of small filesystems for unit tests. */
#include "tests/unit/testfs.h"

#include "libxfs/base/errors.h"

#include <check.h>

static void set_features(struct xfs_sb *sb, const struct testfs *fs)
{
	sb->versionnum = fs->v4 ? 0xb4a4 : 0xb4a5;
	sb->features2 = fs->v4 ? 0x28a : 0x18a;
	if (fs->v4 && fs->no_ftype)
		sb->features2 &= ~XFS_SB_FEAT2_FTYPE;
	if (fs->v4 && fs->no_attr2)
		sb->features2 &= ~XFS_SB_FEAT2_ATTR2;
	sb->bad_features2 = sb->features2;
	if (fs->ci)
		sb->versionnum |= XFS_SB_VERSION_BORG;
	if (sb->sectsize > 512) {
		sb->versionnum |= XFS_SB_VERSION_SECTOR;
		sb->logsectsize = sb->sectsize;
		sb->logsectlog = sb->sectlog;
	}
	if (fs->v4)
		return;
	sb->features_incompat = XFS_SB_INCOMPAT_FTYPE | XFS_SB_INCOMPAT_BIGTIME | XFS_SB_INCOMPAT_NREXT64;
	if (!fs->no_sparse)
		sb->features_incompat |= XFS_SB_INCOMPAT_SPINODES;
	if (fs->parent)
		sb->features_incompat |= XFS_SB_INCOMPAT_PARENT;
	if (fs->exchange)
		sb->features_incompat |= XFS_SB_INCOMPAT_EXCHRANGE;
	sb->features_ro_compat = (fs->no_finobt ? 0 : XFS_SB_ROCOMPAT_FINOBT) |
		(fs->no_rmapbt ? 0 : XFS_SB_ROCOMPAT_RMAPBT) | (fs->no_reflink ? 0 : XFS_SB_ROCOMPAT_REFLINK) |
		(fs->no_inobtcnt || fs->no_finobt ? 0 : XFS_SB_ROCOMPAT_INOBTCNT);
}

void testfs_init(struct xfs_geometry *g, const struct testfs *fs)
{
	struct xfs_sb sb = { .magicnum = XFS_SB_MAGIC };
	const char *why = "none";
	uint32_t cluster;
	int err;

	sb.blocksize = fs->blocksize ? fs->blocksize : 4096;
	sb.sectsize = (uint16_t)(fs->sectsize ? fs->sectsize : 512);
	sb.inodesize = (uint16_t)(fs->inodesize ? fs->inodesize : fs->v4 ? 256 : 512);
	sb.agblocks = fs->agblocks;
	sb.agcount = fs->agcount;
	sb.dblocks = (uint64_t)fs->agblocks * (fs->agcount - 1) + (fs->last ? fs->last : fs->agblocks);
	sb.agblklog = (uint8_t)xfs_log2_ceil(sb.agblocks);
	sb.logstart = fs->logstart;
	sb.logblocks = fs->logblocks ? fs->logblocks : 1000;
	sb.blocklog = (uint8_t)xfs_log2_floor(sb.blocksize);
	sb.sectlog = (uint8_t)xfs_log2_floor(sb.sectsize);
	sb.inodelog = (uint8_t)xfs_log2_floor(sb.inodesize);
	sb.inopblock = (uint16_t)(sb.blocksize / sb.inodesize);
	sb.inopblog = (uint8_t)(sb.blocklog - sb.inodelog);
	sb.imax_pct = 25;
	sb.dirblklog = (uint8_t)fs->dirblklog;
	sb.rextsize = sb.blocksize < 4096 ? 4096 / sb.blocksize : 1;
	sb.logsunit = 1;
	set_features(&sb, fs);
	cluster = fs->v4 ? 8192 : 8192u / 256 * sb.inodesize;
	sb.inoalignmt = cluster / sb.blocksize;
	if (!fs->v4 && !fs->no_sparse) {
		sb.spino_align = sb.inoalignmt;
		sb.inoalignmt = 64u * sb.inodesize / sb.blocksize;
	}
	for (unsigned i = 0; i < sizeof(sb.uuid); i++)
		sb.uuid[i] = (uint8_t)(0x51 + 7 * i);
	err = xfs_geometry_init(g, &sb, NULL, &why);
	ck_assert_msg(err == 0, "%s: %s", xfs_error_name(err), why);
}

uint64_t testrand_next(struct testrand *r)
{
	uint64_t z = r->s += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t testrand_below(struct testrand *r, uint32_t n)
{
	return (uint32_t)((testrand_next(r) >> 32) * n >> 32);
}
