/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime.h - the realtime superblock and the blocks of bitmap and summary files of rtgroups (format sheet 10,
 * sections 3.2 and 3.3).
 *
 * Bitmap and summary files without rtgroups have no header: plain 32-bit words of the host that wrote them.
 * Layer: ondisk.
 */
#ifndef XFS_ONDISK_REALTIME_H
#define XFS_ONDISK_REALTIME_H

#include "libxfs/ondisk/schema.h"

#define XFS_RTSB_MAGIC UINT32_C(0x46726f67)
#define XFS_RTBITMAP_MAGIC UINT32_C(0x424d505a)
#define XFS_RTSUMMARY_MAGIC UINT32_C(0x53554d59)

#define XFS_RTSB_ROWS(S, F, V, B, A)									\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, crc, 32, 32, XO_LE, XF_CRC, NULL, XT_NONE)							\
	F(S, pad, 64, 32, XO_BE, XF_HEX, NULL, XT_NONE)							\
	B(S, fname, 96, 12, XF_CHR, NULL, XT_NONE)							\
	B(S, uuid, 192, 16, XF_UUID, NULL, XT_NONE)							\
	B(S, meta_uuid, 320, 16, XF_UUID, NULL, XT_NONE)
#define XFS_RTBUF_ROWS(S, F, V, B, A)									\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, crc, 32, 32, XO_LE, XF_CRC, NULL, XT_NONE)							\
	F(S, owner, 64, 64, XO_BE, XF_INO, NULL, XT_INODE)						\
	F(S, bno, 128, 64, XO_BE, XF_FSB, NULL, XT_NONE)						\
	F(S, lsn, 192, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	B(S, uuid, 256, 16, XF_UUID, NULL, XT_NONE)
XFS_STRUCT_DECLARE(rtsb, 56, XFS_RTSB_ROWS);
XFS_STRUCT_DECLARE(rtbuf, 48, XFS_RTBUF_ROWS);

/* Words of one block behind the header. */
XFS_INLINE uint32_t xfs_rtbuf_words(uint32_t blocksize)
{
	return (blocksize - (uint32_t)sizeof(struct xfs_rtbuf_disk)) / 4;
}

extern const struct xfs_desc xfs_rgbitmap_desc, xfs_rgsummary_desc;

#endif
