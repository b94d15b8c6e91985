/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agheaders.h - AGF, AGI and AGFL, sectors 1, 2 and 3 of each allocation group (format sheet 01, section 9).
 *
 * Layer: ondisk.
 */
#ifndef XFS_ONDISK_AGHEADERS_H
#define XFS_ONDISK_AGHEADERS_H

#include "libxfs/ondisk/schema.h"

#define XFS_AGF_MAGIC UINT32_C(0x58414746)
#define XFS_AGI_MAGIC UINT32_C(0x58414749)
#define XFS_AGFL_MAGIC UINT32_C(0x5841464c)
#define XFS_AG_HEADER_VERSION 1u
#define XFS_AGI_BUCKETS 64u
#define XFS_AGI_UNLINKED_OFF 40u
#define XFS_AGFL_HEADER_V5 36u
/* bytes used by a V4 header */
#define XFS_AGF_SIZE_V4 64u
#define XFS_AGI_SIZE_V4 296u

#define XFS_AGF_ROWS(S, F, V, B, A)							\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, versionnum, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, seqno, 64, 32, XO_BE, XF_AGN, NULL, XT_NONE)				\
	F(S, length, 96, 32, XO_BE, XF_AGB, NULL, XT_NONE)				\
	F(S, bnoroot, 128, 32, XO_BE, XF_AGB, NULL, XT_BNOBT)				\
	F(S, cntroot, 160, 32, XO_BE, XF_AGB, NULL, XT_CNTBT)				\
	F(S, rmaproot, 192, 32, XO_BE, XF_AGBZ, NULL, XT_RMAPBT)			\
	F(S, refcntroot, 704, 32, XO_BE, XF_AGBZ, NULL, XT_REFCBT)			\
	F(S, bnolevel, 224, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, cntlevel, 256, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, rmaplevel, 288, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, refcntlevel, 736, 32, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, rmapblocks, 640, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, refcntblocks, 672, 32, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, flfirst, 320, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, fllast, 352, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, flcount, 384, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, freeblks, 416, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, longest, 448, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, btreeblks, 480, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	B(S, uuid, 512, 16, XF_UUID, NULL, XT_NONE)					\
	F(S, lsn, 1664, 64, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, crc, 1728, 32, XO_LE, XF_CRC, NULL, XT_NONE)

#define XFS_AGI_ROWS(S, F, V, B, A)							\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, versionnum, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, seqno, 64, 32, XO_BE, XF_AGN, NULL, XT_NONE)				\
	F(S, length, 96, 32, XO_BE, XF_AGB, NULL, XT_NONE)				\
	F(S, count, 128, 32, XO_BE, XF_AGI, NULL, XT_NONE)				\
	F(S, root, 160, 32, XO_BE, XF_AGB, NULL, XT_INOBT)				\
	F(S, level, 192, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, freecount, 224, 32, XO_BE, XF_AGI, NULL, XT_NONE)				\
	F(S, newino, 256, 32, XO_BE, XF_AGI, NULL, XT_INODE)				\
	F(S, dirino, 288, 32, XO_BE, XF_AGI, NULL, XT_INODE)				\
	A(S, unlinked, xfs_agi_bucket_desc, XA_SCALAR, 0, agi_buckets, agi_bucket_at, NULL) \
	B(S, uuid, 2368, 16, XF_UUID, NULL, XT_NONE)					\
	F(S, crc, 2496, 32, XO_LE, XF_CRC, NULL, XT_NONE)				\
	F(S, pad32, 2528, 32, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)			\
	F(S, lsn, 2560, 64, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, free_root, 2624, 32, XO_BE, XF_AGB, NULL, XT_FINOBT)			\
	F(S, free_level, 2656, 32, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, ino_blocks, 2688, 32, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, fino_blocks, 2720, 32, XO_BE, XF_DEC, NULL, XT_NONE)

#define XFS_AGFL_ROWS(S, F, V, B, A)							\
	F(S, magicnum, 0, 32, XO_BE, XF_HEX, agfl_v5, XT_NONE)				\
	F(S, seqno, 32, 32, XO_BE, XF_AGN, agfl_v5, XT_NONE)				\
	B(S, uuid, 64, 16, XF_UUID, agfl_v5, XT_NONE)					\
	F(S, lsn, 192, 64, XO_BE, XF_HEX, agfl_v5, XT_NONE)				\
	F(S, crc, 256, 32, XO_LE, XF_CRC, agfl_v5, XT_NONE)				\
	A(S, bno, xfs_agfl_slot_desc, XA_SCALAR, 0, agfl_slots, agfl_slot_at, NULL)

#define XFS_AGI_BUCKET_ROWS(S, F, V, B, A) F(S, agino, 0, 32, XO_BE, XF_AGIN, NULL, XT_NONE)
#define XFS_AGFL_SLOT_ROWS(S, F, V, B, A) F(S, agbno, 0, 32, XO_BE, XF_AGBZ, NULL, XT_DATA)

XFS_STRUCT_DECLARE(agf, 224, XFS_AGF_ROWS);
XFS_STRUCT_DECLARE(agi_bucket, 4, XFS_AGI_BUCKET_ROWS);
XFS_STRUCT_DECLARE(agi, 344, XFS_AGI_ROWS);
XFS_STRUCT_DECLARE(agfl_slot, 4, XFS_AGFL_SLOT_ROWS);
XFS_STRUCT_DECLARE(agfl, 36, XFS_AGFL_ROWS);

/* Byte offset of slot `k` and number of slots of a free list sector. */
XFS_INLINE size_t xfs_agfl_slot_off(bool v5, size_t k) { return (v5 ? XFS_AGFL_HEADER_V5 : 0) + 4 * k; }
XFS_INLINE uint32_t xfs_agfl_size(bool v5, uint32_t sectsize)
{
	return (sectsize - (v5 ? XFS_AGFL_HEADER_V5 : 0)) / 4;
}

/*
 * A header from and to its sector. A V4 header ends before the fields of V5: they are zero in memory, and bytes behind
 * it stay as they are on disk.  Returns the bytes that belong to the header.
 */
void xfs_agf_load(struct xfs_agf *, bool v5, const uint8_t *sector);
uint32_t xfs_agf_store(uint8_t *sector, bool v5, const struct xfs_agf *);
/* The same with the heads of the unlinked lists, XFS_AGI_BUCKETS numbers. */
void xfs_agi_load(struct xfs_agi *, uint32_t *unlinked, bool v5, const uint8_t *sector);
uint32_t xfs_agi_store(uint8_t *sector, bool v5, const struct xfs_agi *, const uint32_t *unlinked);

#endif
