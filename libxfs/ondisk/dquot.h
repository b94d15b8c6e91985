/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dquot.h - records of quota files (format sheet 10, section 7.1).
 *
 * A block of a quota file holds xfs_dquot_per_block() records; the checksum is per record.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_DQUOT_H
#define XFS_ONDISK_DQUOT_H

#include "libxfs/ondisk/schema.h"

#define XFS_DQUOT_MAGIC 0x4451u
#define XFS_DQUOT_VERSION 1u
#define XFS_DQTYPE_USER 0x01u
#define XFS_DQTYPE_PROJ 0x02u
#define XFS_DQTYPE_GROUP 0x04u
#define XFS_DQTYPE_BIGTIME 0x80u		/* timers count 4 seconds */

#define XFS_DISK_DQUOT_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 16, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, version, 16, 8, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, type, 24, 8, XO_BE, XF_HEX, NULL, XT_NONE)							\
	F(S, id, 32, 32, XO_BE, XF_SDEC, NULL, XT_NONE)							\
	F(S, blk_hardlimit, 64, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, blk_softlimit, 128, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, ino_hardlimit, 192, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, ino_softlimit, 256, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, bcount, 320, 64, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, icount, 384, 64, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, itimer, 448, 32, XO_BE, XF_QTIMER, NULL, XT_NONE)						\
	F(S, btimer, 480, 32, XO_BE, XF_QTIMER, NULL, XT_NONE)						\
	F(S, iwarns, 512, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, bwarns, 528, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, pad0, 544, 32, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)					\
	F(S, rtb_hardlimit, 576, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, rtb_softlimit, 640, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, rtbcount, 704, 64, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, rtbtimer, 768, 32, XO_BE, XF_QTIMER, NULL, XT_NONE)					\
	F(S, rtbwarns, 800, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, pad, 816, 16, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_DQUOT_TAIL_ROWS(S, F, V, B, A)								\
	F(S, fill, 832, 32, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	F(S, crc, 864, 32, XO_LE, XF_CRC, NULL, XT_NONE)						\
	F(S, lsn, 896, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	B(S, uuid, 960, 16, XF_UUID, NULL, XT_NONE)
#define XFS_DQUOT_ROWS(S, F, V, B, A) XFS_DISK_DQUOT_ROWS(S, F, V, B, A) XFS_DQUOT_TAIL_ROWS(S, F, V, B, A)
XFS_STRUCT_DECLARE(disk_dquot, 104, XFS_DISK_DQUOT_ROWS);
XFS_STRUCT_DECLARE(dquot, 136, XFS_DQUOT_ROWS);

/* One record as users see it, with the part diskdq. */
extern const struct xfs_desc xfs_dqblk_desc;

XFS_INLINE uint32_t xfs_dquot_per_block(uint32_t blocksize)
{
	return blocksize / (uint32_t)sizeof(struct xfs_dquot_disk);
}

#endif
