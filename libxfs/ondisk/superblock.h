/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * superblock.h - the superblock (format sheet 01, sections 3 to 6): table, feature bits, native form.
 *
 * Rows of an absent feature are zero on disk. Layer: ondisk.
 */
#ifndef XFS_ONDISK_SUPERBLOCK_H
#define XFS_ONDISK_SUPERBLOCK_H

#include "libxfs/ondisk/schema.h"

#define XFS_SB_MAGIC UINT32_C(0x58465342)
#define XFS_SB_CRC_OFF XFS_OFF(sb, crc)

/*
 * qflags (section 12). V4 has one bit each for group and project, "other". What is not checked is counted at a mount.
 */
#define XFS_SB_QUOTA_USER 0x0001u
#define XFS_SB_QUOTA_USER_ENFORCED 0x0002u
#define XFS_SB_QUOTA_USER_CHECKED 0x0004u
#define XFS_SB_QUOTA_PROJECT 0x0008u
#define XFS_SB_QUOTA_OTHER_ENFORCED 0x0010u
#define XFS_SB_QUOTA_OTHER_CHECKED 0x0020u
#define XFS_SB_QUOTA_GROUP 0x0040u
#define XFS_SB_QUOTA_GROUP_ENFORCED 0x0080u
#define XFS_SB_QUOTA_GROUP_CHECKED 0x0100u
#define XFS_SB_QUOTA_PROJECT_ENFORCED 0x0200u
#define XFS_SB_QUOTA_PROJECT_CHECKED 0x0400u
#define XFS_SB_QUOTA_V4_ONLY (XFS_SB_QUOTA_OTHER_ENFORCED | XFS_SB_QUOTA_OTHER_CHECKED)
#define XFS_SB_QUOTA_V5_ONLY (XFS_SB_QUOTA_GROUP_ENFORCED | XFS_SB_QUOTA_GROUP_CHECKED | \
			      XFS_SB_QUOTA_PROJECT_ENFORCED | XFS_SB_QUOTA_PROJECT_CHECKED)
#define XFS_SB_QUOTA_CHECKED (XFS_SB_QUOTA_USER_CHECKED | XFS_SB_QUOTA_OTHER_CHECKED | \
			      XFS_SB_QUOTA_GROUP_CHECKED | XFS_SB_QUOTA_PROJECT_CHECKED)

/* versionnum */
#define XFS_SB_VERSION_MASK 0x000fu
#define XFS_SB_VERSION_ATTR 0x0010u
#define XFS_SB_VERSION_NLINK 0x0020u
#define XFS_SB_VERSION_QUOTA 0x0040u
#define XFS_SB_VERSION_ALIGN 0x0080u
#define XFS_SB_VERSION_DALIGN 0x0100u
#define XFS_SB_VERSION_SHARED 0x0200u
#define XFS_SB_VERSION_LOGV2 0x0400u
#define XFS_SB_VERSION_SECTOR 0x0800u
#define XFS_SB_VERSION_EXTFLG 0x1000u
#define XFS_SB_VERSION_DIRV2 0x2000u
#define XFS_SB_VERSION_BORG 0x4000u
#define XFS_SB_VERSION_MOREBITS 0x8000u

#define XFS_SB_FEAT2_LAZYSBCOUNT 0x002u
#define XFS_SB_FEAT2_ATTR2 0x008u
#define XFS_SB_FEAT2_PARENT 0x010u
#define XFS_SB_FEAT2_PROJID32 0x080u
#define XFS_SB_FEAT2_CRC 0x100u
#define XFS_SB_FEAT2_FTYPE 0x200u

#define XFS_SB_ROCOMPAT_FINOBT 0x1u
#define XFS_SB_ROCOMPAT_RMAPBT 0x2u
#define XFS_SB_ROCOMPAT_REFLINK 0x4u
#define XFS_SB_ROCOMPAT_INOBTCNT 0x8u
#define XFS_SB_ROCOMPAT_KNOWN 0xfu

#define XFS_SB_INCOMPAT_FTYPE 0x1u
#define XFS_SB_INCOMPAT_SPINODES 0x2u
#define XFS_SB_INCOMPAT_META_UUID 0x4u
#define XFS_SB_INCOMPAT_BIGTIME 0x8u
#define XFS_SB_INCOMPAT_NEEDSREPAIR 0x10u
#define XFS_SB_INCOMPAT_NREXT64 0x20u
#define XFS_SB_INCOMPAT_EXCHRANGE 0x40u
#define XFS_SB_INCOMPAT_PARENT 0x80u
#define XFS_SB_INCOMPAT_METADIR 0x100u
#define XFS_SB_INCOMPAT_ZONED 0x200u
#define XFS_SB_INCOMPAT_ZONE_GAPS 0x400u
#define XFS_SB_INCOMPAT_KNOWN 0x7ffu

#define XFS_SB_LOG_INCOMPAT_XATTRS 0x1u

/* `xfs_sb_has_metadir` is a condition of the table, defined with it. */
#define XFS_SB_ROWS(S, F, V, B, A)							\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, blocksize, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, dblocks, 64, 64, XO_BE, XF_RFSB, NULL, XT_NONE)				\
	F(S, rblocks, 128, 64, XO_BE, XF_RFSB, NULL, XT_NONE)				\
	F(S, rextents, 192, 64, XO_BE, XF_RFSB, NULL, XT_NONE)				\
	B(S, uuid, 256, 16, XF_UUID, NULL, XT_NONE)					\
	F(S, logstart, 384, 64, XO_BE, XF_FSB, NULL, XT_LOG)				\
	F(S, rootino, 448, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, rbmino, 512, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, rsumino, 576, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, rextsize, 640, 32, XO_BE, XF_AGB, NULL, XT_NONE)				\
	F(S, agblocks, 672, 32, XO_BE, XF_AGB, NULL, XT_NONE)				\
	F(S, agcount, 704, 32, XO_BE, XF_AGN, NULL, XT_NONE)				\
	F(S, rbmblocks, 736, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, logblocks, 768, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, versionnum, 800, 16, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, sectsize, 816, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inodesize, 832, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inopblock, 848, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	B(S, fname, 864, 12, XF_CHR, NULL, XT_NONE)					\
	F(S, blocklog, 960, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, sectlog, 968, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inodelog, 976, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inopblog, 984, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, agblklog, 992, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, rextslog, 1000, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inprogress, 1008, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, imax_pct, 1016, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, icount, 1024, 64, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, ifree, 1088, 64, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, fdblocks, 1152, 64, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, frextents, 1216, 64, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, uquotino, 1280, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, gquotino, 1344, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, qflags, 1408, 16, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, flags, 1424, 8, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, shared_vn, 1432, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, inoalignmt, 1440, 32, XO_BE, XF_LEN, NULL, XT_NONE)			\
	F(S, unit, 1472, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, width, 1504, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, dirblklog, 1536, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, logsectlog, 1544, 8, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, logsectsize, 1552, 16, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, logsunit, 1568, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, features2, 1600, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, bad_features2, 1632, 32, XO_BE, XF_HEX, NULL, XT_NONE)			\
	F(S, features_compat, 1664, 32, XO_BE, XF_HEX, NULL, XT_NONE)			\
	F(S, features_ro_compat, 1696, 32, XO_BE, XF_HEX, NULL, XT_NONE)		\
	F(S, features_incompat, 1728, 32, XO_BE, XF_HEX, NULL, XT_NONE)			\
	F(S, features_log_incompat, 1760, 32, XO_BE, XF_HEX, NULL, XT_NONE)		\
	F(S, crc, 1792, 32, XO_LE, XF_CRC, NULL, XT_NONE)				\
	F(S, spino_align, 1824, 32, XO_BE, XF_LEN, NULL, XT_NONE)			\
	F(S, pquotino, 1856, 64, XO_BE, XF_INO, NULL, XT_INODE)				\
	F(S, lsn, 1920, 64, XO_BE, XF_HEX, NULL, XT_NONE)				\
	B(S, meta_uuid, 1984, 16, XF_UUID, NULL, XT_NONE)				\
	F(S, metadirino, 2112, 64, XO_BE, XF_INO, xfs_when_metadir, XT_INODE)		\
	F(S, rgcount, 2176, 32, XO_BE, XF_AGN, xfs_when_metadir, XT_NONE)		\
	F(S, rgextents, 2208, 32, XO_BE, XF_LEN, xfs_when_metadir, XT_NONE)		\
	F(S, rgblklog, 2240, 8, XO_BE, XF_DEC, xfs_when_metadir, XT_NONE)		\
	B(S, pad, 2248, 7, XF_HEXBYTES, xfs_when_metadir, XT_NONE)			\
	F(S, rtstart, 2304, 64, XO_BE, XF_RFSB, xfs_when_zoned, XT_NONE)		\
	F(S, rtreserved, 2368, 64, XO_BE, XF_RFSB, xfs_when_zoned, XT_NONE)

XFS_STRUCT_DECLARE(sb, 304, XFS_SB_ROWS);

XFS_INLINE unsigned xfs_sb_version(const struct xfs_sb *sb) { return sb->versionnum & XFS_SB_VERSION_MASK; }
XFS_INLINE bool xfs_sb_is_v5(const struct xfs_sb *sb) { return xfs_sb_version(sb) == 5; }
XFS_INLINE bool xfs_sb_has_ro(const struct xfs_sb *sb, uint32_t bit)
{
	return xfs_sb_is_v5(sb) && (sb->features_ro_compat & bit);
}
XFS_INLINE bool xfs_sb_has_incompat(const struct xfs_sb *sb, uint32_t bit)
{
	return xfs_sb_is_v5(sb) && (sb->features_incompat & bit);
}
XFS_INLINE bool xfs_sb_has_ftype(const struct xfs_sb *sb)
{
	return xfs_sb_is_v5(sb) ? (sb->features_incompat & XFS_SB_INCOMPAT_FTYPE) != 0
				: (sb->versionnum & XFS_SB_VERSION_MOREBITS) && (sb->features2 & XFS_SB_FEAT2_FTYPE);
}
XFS_INLINE const uint8_t *xfs_sb_metadata_uuid(const struct xfs_sb *sb)
{
	return xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID) ? sb->meta_uuid : sb->uuid;
}

#endif
