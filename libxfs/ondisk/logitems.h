/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logitems.h - what a transaction in the log consists of (format sheet 04, sections 5 and 6).
 *
 * Everything here is in the byte order of the machine that wrote the log (rows XO_WR), as h_fmt of the record says;
 * payload copied from disk blocks (chunks of buffers, forks, dquots) keeps the order of the disk.  Each region is an
 * object of its own, at offset 0 of the buffer that tables are applied to.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_LOGITEMS_H
#define XFS_ONDISK_LOGITEMS_H

#include "libxfs/ondisk/schema.h"

/* Flags and clients of operations; XFS_LOG_OP_UNMOUNT and XFS_LOG_CLIENT_LOG are in logrecord.h. */
#define XFS_LOG_CLIENT_TRANS 0x69u
#define XFS_LOG_OP_START 0x01u
#define XFS_LOG_OP_COMMIT 0x02u
#define XFS_LOG_OP_CONTINUE 0x04u		/* the region goes on in the next record */
#define XFS_LOG_OP_WAS_CONT 0x08u		/* goes on from the record before */
#define XFS_LOG_OP_END 0x10u			/* with WAS_CONT: ends here */

#define XFS_LOG_TRANS_MAGIC UINT32_C(0x5452414e)
#define XFS_LOG_TRANS_CHECKPOINT 40u
#define XFS_LOG_MAX_REGIONS 257u		/* of one item */
#define XFS_LOG_CHUNK 128u			/* bytes that a bit of a buffer item's map stands for */

/* First word of every item. */
#define XFS_LI_EFI 0x1236u
#define XFS_LI_EFD 0x1237u
#define XFS_LI_INODE 0x123bu
#define XFS_LI_BUF 0x123cu
#define XFS_LI_DQUOT 0x123du
#define XFS_LI_QUOTAOFF 0x123eu
#define XFS_LI_ICREATE 0x123fu
#define XFS_LI_RUI 0x1240u
#define XFS_LI_RUD 0x1241u
#define XFS_LI_CUI 0x1242u
#define XFS_LI_CUD 0x1243u
#define XFS_LI_BUI 0x1244u
#define XFS_LI_BUD 0x1245u
#define XFS_LI_ATTRI 0x1246u
#define XFS_LI_ATTRD 0x1247u
#define XFS_LI_XMI 0x1248u
#define XFS_LI_XMD 0x1249u
#define XFS_LI_EFI_RT 0x124au
#define XFS_LI_EFD_RT 0x124bu
#define XFS_LI_RUI_RT 0x124cu
#define XFS_LI_RUD_RT 0x124du
#define XFS_LI_CUI_RT 0x124eu
#define XFS_LI_CUD_RT 0x124fu

/* blf_flags: what a buffer item says; its upper five bits are the content (enum xfs_blft). */
#define XFS_BLF_INODE_BUF 0x01u			/* only di_next_unlinked counts */
#define XFS_BLF_CANCEL 0x02u			/* the blocks were freed: older images do not count */
#define XFS_BLF_UDQUOT 0x04u
#define XFS_BLF_PDQUOT 0x08u
#define XFS_BLF_GDQUOT 0x10u
#define XFS_BLF_TYPE_SHIFT 11u
enum xfs_blft {
	XFS_BLFT_UNKNOWN, XFS_BLFT_UDQUOT, XFS_BLFT_PDQUOT, XFS_BLFT_GDQUOT, XFS_BLFT_BTREE, XFS_BLFT_AGF,
	XFS_BLFT_AGFL, XFS_BLFT_AGI, XFS_BLFT_INODES, XFS_BLFT_SYMLINK, XFS_BLFT_DIR_BLOCK, XFS_BLFT_DIR_DATA,
	XFS_BLFT_DIR_FREE, XFS_BLFT_DIR_LEAF1, XFS_BLFT_DIR_LEAFN, XFS_BLFT_DA_NODE, XFS_BLFT_ATTR_LEAF,
	XFS_BLFT_ATTR_REMOTE, XFS_BLFT_SB, XFS_BLFT_RTBITMAP, XFS_BLFT_RTSUMMARY, XFS_BLFT_COUNT
};

/* ilf_fields */
#define XFS_ILF_CORE 0x001u
#define XFS_ILF_DDATA 0x002u
#define XFS_ILF_DEXT 0x004u
#define XFS_ILF_DBROOT 0x008u
#define XFS_ILF_DEV 0x010u
#define XFS_ILF_UUID 0x020u
#define XFS_ILF_ADATA 0x040u
#define XFS_ILF_AEXT 0x080u
#define XFS_ILF_ABROOT 0x100u
#define XFS_ILF_DOWNER 0x200u
#define XFS_ILF_AOWNER 0x400u
#define XFS_ILF_DFORK (XFS_ILF_DDATA | XFS_ILF_DEXT | XFS_ILF_DBROOT)
#define XFS_ILF_AFORK (XFS_ILF_ADATA | XFS_ILF_AEXT | XFS_ILF_ABROOT)
#define XFS_ILF_ANY 0x7ffu

/* me_flags of RUI and BUI, pe_flags of CUI: the low byte is the operation. */
#define XFS_MAP_OP_MASK 0xffu
enum xfs_rui_op {
	XFS_RUI_MAP = 1, XFS_RUI_MAP_SHARED, XFS_RUI_UNMAP, XFS_RUI_UNMAP_SHARED, XFS_RUI_CONVERT,
	XFS_RUI_CONVERT_SHARED, XFS_RUI_ALLOC, XFS_RUI_FREE
};
#define XFS_RUI_ATTR_FORK UINT32_C(0x80000000)
#define XFS_RUI_BMBT_BLOCK UINT32_C(0x40000000)
#define XFS_RUI_UNWRITTEN UINT32_C(0x20000000)
enum xfs_cui_op { XFS_CUI_INCREASE = 1, XFS_CUI_DECREASE, XFS_CUI_ALLOC_COW, XFS_CUI_FREE_COW };
enum xfs_bui_op { XFS_BUI_MAP = 1, XFS_BUI_UNMAP };
#define XFS_BUI_ATTR_FORK UINT32_C(0x80000000)
#define XFS_BUI_UNWRITTEN UINT32_C(0x40000000)
#define XFS_BUI_REALTIME UINT32_C(0x20000000)

enum xfs_attri_op {
	XFS_ATTRI_SET = 1, XFS_ATTRI_REMOVE, XFS_ATTRI_REPLACE, XFS_ATTRI_PPTR_SET, XFS_ATTRI_PPTR_REMOVE,
	XFS_ATTRI_PPTR_REPLACE
};
#define XFS_XMI_ATTR_FORK UINT64_C(0x01)
#define XFS_XMI_SET_SIZES UINT64_C(0x02)
#define XFS_XMI_INO1_WRITTEN UINT64_C(0x04)
#define XFS_XMI_CLEAR_INO1_REFLINK UINT64_C(0x08)
#define XFS_XMI_CLEAR_INO2_REFLINK UINT64_C(0x10)

/* ---- around the items ---- */

#define XFS_LOG_XHDR_ROWS(S, F, V, B, A) F(S, cycle, 0, 32, XO_BE, XF_DEC, NULL, XT_NONE)
#define XFS_LOG_TRANS_HDR_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 32, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, type, 32, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, tid, 64, 32, XO_WR, XF_HEX, NULL, XT_NONE)							\
	F(S, num_items, 96, 32, XO_WR, XF_DEC, NULL, XT_NONE)
#define XFS_LOG_UNMOUNT_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 16, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, pad1, 16, 16, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	F(S, pad2, 32, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)
#define XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, type, 0, 16, XO_WR, XF_HEX, NULL, XT_NONE)							\
	F(S, size, 16, 16, XO_WR, XF_DEC, NULL, XT_NONE)

XFS_STRUCT_DECLARE(log_xhdr, 260, XFS_LOG_XHDR_ROWS);		/* 64 cycle words follow */
XFS_STRUCT_DECLARE(log_trans_hdr, 16, XFS_LOG_TRANS_HDR_ROWS);
XFS_STRUCT_DECLARE(log_unmount, 8, XFS_LOG_UNMOUNT_ROWS);
XFS_STRUCT_DECLARE(log_item_head, 4, XFS_LOG_ITEM_HEAD_ROWS);		/* the start of every item; size: its regions */

/* ---- buffers, inodes, quota ---- */

/* len in 512-byte blocks, blkno in the same; map_size words of map, bit n (from the lowest of word 0) = chunk n. */
#define XFS_LOG_BUF_ROWS(S, F, V, B, A)									\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, flags, 32, 16, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, len, 48, 16, XO_WR, XF_DEC, NULL, XT_NONE)							\
	F(S, blkno, 64, 64, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, map_size, 128, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	A(S, map, xfs_log_word_desc, XA_SCALAR, 0, li_map_words, li_map_word_at, NULL)
#define XFS_LOG_WORD_ROWS(S, F, V, B, A) F(S, word, 0, 32, XO_WR, XF_HEX, NULL, XT_NONE)

/*
 * asize, dsize: bytes of the forks without padding. blkno (512-byte blocks), len, boffset (bytes): cluster and place.
 */
#define XFS_LOG_INODE_HEAD_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, fields, 32, 32, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, asize, 64, 16, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, dsize, 80, 16, XO_WR, XF_DEC, NULL, XT_NONE)
#define XFS_LOG_INODE_REST_ROWS(S, F, V, B, A, at)							\
	F(S, ino, at, 64, XO_WR, XF_INO, NULL, XT_INODE)						\
	F(S, rdev, (at) + 64, 32, XO_WR, XF_HEX, NULL, XT_NONE)						\
	B(S, rdev_rest, (at) + 96, 12, XF_HEXBYTES | XF_HIDE, NULL, XT_NONE)				\
	F(S, blkno, (at) + 192, 64, XO_WR, XF_SDEC, NULL, XT_NONE)					\
	F(S, len, (at) + 256, 32, XO_WR, XF_SDEC, NULL, XT_NONE)					\
	F(S, boffset, (at) + 288, 32, XO_WR, XF_SDEC, NULL, XT_NONE)
#define XFS_LOG_INODE_ROWS(S, F, V, B, A)								\
	XFS_LOG_INODE_HEAD_ROWS(S, F, V, B, A)								\
	F(S, pad, 96, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	XFS_LOG_INODE_REST_ROWS(S, F, V, B, A, 128)
/* 32-bit writers have no padding in front of the inode number. */
#define XFS_LOG_INODE32_ROWS(S, F, V, B, A)								\
	XFS_LOG_INODE_HEAD_ROWS(S, F, V, B, A)								\
	XFS_LOG_INODE_REST_ROWS(S, F, V, B, A, 96)

/*
 * The core of an inode: offsets of the disk inode, order of the writer.  96 bytes on V4, 176 on V5.  Times are raw;
 * old ones are two words, so a little-endian writer's 64 bits have the seconds in the lower half.
 */
#define XFS_LOG_DINODE_TIME_(S, F, V, n, o, before)							\
	F(S, n, o, 64, XO_WR, XF_HEX | XF_CODE, NULL, XT_NONE)						\
	V(S, n##_sec, o, 32, XO_WR, XF_TIME, before##oldtime, XT_NONE)					\
	V(S, n##_nsec, (o) + 32, 32, XO_WR, XF_NSEC, before##oldtime, XT_NONE)				\
	V(S, n##_sec__big, o, 64, XO_WR, XF_TIME, before##bigtime, XT_NONE)				\
	V(S, n##_nsec__big, o, 64, XO_WR, XF_NSEC, before##bigtime, XT_NONE)
#define XFS_LOG_DINODE_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 16, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, mode, 16, 16, XO_WR, XF_OCT, NULL, XT_NONE)						\
	F(S, version, 32, 8, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, format, 40, 8, XO_WR, XF_FORM, NULL, XT_NONE)						\
	F(S, metatype, 48, 16, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, uid, 64, 32, XO_WR, XF_DEC, NULL, XT_NONE)							\
	F(S, gid, 96, 32, XO_WR, XF_DEC, NULL, XT_NONE)							\
	F(S, nlink, 128, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, projid_lo, 160, 16, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, projid_hi, 176, 16, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, big_nextents, 192, 64, XO_WR, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	V(S, flushiter, 240, 16, XO_WR, XF_DEC, ldi_before_v3, XT_NONE)					\
	XFS_LOG_DINODE_TIME_(S, F, V, atime, 256, ldi_)							\
	XFS_LOG_DINODE_TIME_(S, F, V, mtime, 320, ldi_)							\
	XFS_LOG_DINODE_TIME_(S, F, V, ctime, 384, ldi_)							\
	F(S, size, 448, 64, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, nblocks, 512, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, extsize, 576, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	V(S, nextents__64, 192, 64, XO_WR, XF_DEC, ldi_nrext64, XT_NONE)				\
	V(S, nextents__32, 608, 32, XO_WR, XF_DEC, ldi_small, XT_NONE)					\
	V(S, naextents__16, 640, 16, XO_WR, XF_DEC, ldi_small, XT_NONE)					\
	V(S, naextents__32, 608, 32, XO_WR, XF_DEC, ldi_nrext64, XT_NONE)				\
	F(S, nextents32, 608, 32, XO_WR, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	F(S, nextents16, 640, 16, XO_WR, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	F(S, forkoff, 656, 8, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, aformat, 664, 8, XO_WR, XF_FORM, NULL, XT_NONE)						\
	F(S, dmevmask, 672, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	F(S, dmstate, 704, 16, XO_WR, XF_DEC | XF_HIDE, NULL, XT_NONE)					\
	F(S, flags, 720, 16, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, gen, 736, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, next_unlinked, 768, 32, XO_WR, XF_HEX | XF_CODE, NULL, XT_NONE)				\
	F(S, crc, 800, 32, XO_WR, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	F(S, change_count, 832, 64, XO_WR, XF_DEC, ldi_v3, XT_NONE)					\
	F(S, lsn, 896, 64, XO_WR, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	F(S, flags2, 960, 64, XO_WR, XF_HEX, ldi_v3, XT_NONE)						\
	F(S, cowextsize, 1024, 32, XO_WR, XF_DEC, ldi_v3, XT_NONE)					\
	B(S, pad2, 1056, 12, XF_HEXBYTES | XF_HIDE, ldi_v3, XT_NONE)					\
	F(S, crtime, 1152, 64, XO_WR, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	V(S, crtime_sec, 1152, 32, XO_WR, XF_TIME, ldi_v3_oldtime, XT_NONE)				\
	V(S, crtime_nsec, 1184, 32, XO_WR, XF_NSEC, ldi_v3_oldtime, XT_NONE)				\
	V(S, crtime_sec__big, 1152, 64, XO_WR, XF_TIME, ldi_bigtime, XT_NONE)				\
	V(S, crtime_nsec__big, 1152, 64, XO_WR, XF_NSEC, ldi_bigtime, XT_NONE)				\
	F(S, inumber, 1216, 64, XO_WR, XF_INO, ldi_v3, XT_INODE)					\
	B(S, uuid, 1280, 16, XF_UUID, ldi_v3, XT_NONE)

#define XFS_LOG_DQUOT_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, id, 32, 32, XO_WR, XF_DEC, NULL, XT_NONE)							\
	F(S, blkno, 64, 64, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, len, 128, 32, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, boffset, 160, 32, XO_WR, XF_DEC, NULL, XT_NONE)
#define XFS_LOG_QUOTAOFF_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, flags, 32, 32, XO_WR, XF_HEX, NULL, XT_NONE)						\
	B(S, pad, 64, 12, XF_HEXBYTES | XF_HIDE, NULL, XT_NONE)
#define XFS_LOG_QUOTAOFF_USER 0x01u
#define XFS_LOG_QUOTAOFF_PROJ 0x08u
#define XFS_LOG_QUOTAOFF_GROUP 0x40u

/* All but the first two numbers is big endian. count in inodes, isize in bytes, length in blocks. */
#define XFS_LOG_ICREATE_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, ag, 32, 32, XO_BE, XF_AGN, NULL, XT_NONE)							\
	F(S, agbno, 64, 32, XO_BE, XF_AGB, NULL, XT_NONE)						\
	F(S, count, 96, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, isize, 128, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, length, 160, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, gen, 192, 32, XO_BE, XF_DEC, NULL, XT_NONE)

XFS_STRUCT_DECLARE(log_buf, 20, XFS_LOG_BUF_ROWS);
XFS_STRUCT_DECLARE(log_word, 4, XFS_LOG_WORD_ROWS);
XFS_STRUCT_DECLARE(log_inode, 56, XFS_LOG_INODE_ROWS);
XFS_STRUCT_DECLARE(log_inode32, 52, XFS_LOG_INODE32_ROWS);
XFS_STRUCT_DECLARE(log_dinode, 176, XFS_LOG_DINODE_ROWS);
XFS_STRUCT_DECLARE(log_dquot, 24, XFS_LOG_DQUOT_ROWS);
XFS_STRUCT_DECLARE(log_quotaoff, 20, XFS_LOG_QUOTAOFF_ROWS);
XFS_STRUCT_DECLARE(log_icreate, 28, XFS_LOG_ICREATE_ROWS);

#define XFS_LOG_DINODE_V4 96u

/*
 * The core as the disk has it, into 176 bytes: order, times, places that the item does not carry zeroed (links to the
 * next unlinked inode, checksum, LSN, pads).  `len` bytes are there, the rest counts as zero.
 */
void xfs_log_dinode_to_disk(uint8_t *disk, const uint8_t *core, size_t len, bool writer_le);
/* The reverse: 176 bytes of a disk inode as a writer of this order logs them. */
void xfs_log_dinode_from_disk(uint8_t *core, const uint8_t *disk, bool writer_le);

/* ---- intents and what says that they are done ---- */

#define XFS_LOG_INTENT_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, nextents, 32, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, id, 64, 64, XO_WR, XF_HEX, NULL, XT_NONE)
#define XFS_LOG_DONE_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, pad, 32, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	F(S, id, 64, 64, XO_WR, XF_HEX, NULL, XT_NONE)
/* An extent of EFI and EFD; 32-bit writers leave out the last four bytes. */
#define XFS_LOG_EXTENT32_ROWS(S, F, V, B, A)								\
	F(S, start, 0, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, len, 64, 32, XO_WR, XF_DEC, NULL, XT_NONE)
#define XFS_LOG_EXTENT_ROWS(S, F, V, B, A)								\
	XFS_LOG_EXTENT32_ROWS(S, F, V, B, A)								\
	F(S, pad, 96, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)
/* Of RUI and BUI. */
#define XFS_LOG_MAP_ROWS(S, F, V, B, A)									\
	F(S, owner, 0, 64, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, startblock, 64, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, startoff, 128, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, len, 192, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, flags, 224, 32, XO_WR, XF_HEX, NULL, XT_NONE)
/* Of CUI. */
#define XFS_LOG_PHYS_ROWS(S, F, V, B, A)								\
	F(S, startblock, 0, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, len, 64, 32, XO_WR, XF_DEC, NULL, XT_NONE)							\
	F(S, flags, 96, 32, XO_WR, XF_HEX, NULL, XT_NONE)

/* name_len holds two lengths of 16 bits for PPTR_REPLACE. */
#define XFS_LOG_ATTRI_ROWS(S, F, V, B, A)								\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, igen, 32, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, id, 64, 64, XO_WR, XF_HEX, NULL, XT_NONE)							\
	F(S, ino, 128, 64, XO_WR, XF_INO, NULL, XT_INODE)						\
	F(S, op_flags, 192, 32, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, name_len, 224, 32, XO_WR, XF_DEC, ldi_one_name, XT_NONE)					\
	V(S, old_name_len, 224, 16, XO_WR, XF_DEC, ldi_two_names, XT_NONE)				\
	V(S, new_name_len, 240, 16, XO_WR, XF_DEC, ldi_two_names, XT_NONE)				\
	F(S, value_len, 256, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, attr_filter, 288, 32, XO_WR, XF_HEX, NULL, XT_NONE)
#define XFS_LOG_XMI_ROWS(S, F, V, B, A)									\
	XFS_LOG_ITEM_HEAD_ROWS(S, F, V, B, A)								\
	F(S, pad, 32, 32, XO_WR, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	F(S, id, 64, 64, XO_WR, XF_HEX, NULL, XT_NONE)							\
	F(S, inode1, 128, 64, XO_WR, XF_INO, NULL, XT_INODE)						\
	F(S, inode2, 192, 64, XO_WR, XF_INO, NULL, XT_INODE)						\
	F(S, igen1, 256, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, igen2, 288, 32, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, startoff1, 320, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, startoff2, 384, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, blockcount, 448, 64, XO_WR, XF_DEC, NULL, XT_NONE)						\
	F(S, flags, 512, 64, XO_WR, XF_HEX, NULL, XT_NONE)						\
	F(S, isize1, 576, 64, XO_WR, XF_SDEC, NULL, XT_NONE)						\
	F(S, isize2, 640, 64, XO_WR, XF_SDEC, NULL, XT_NONE)

XFS_STRUCT_DECLARE(log_intent, 16, XFS_LOG_INTENT_ROWS);	/* the start of EFI, EFD, RUI, CUI, BUI */
XFS_STRUCT_DECLARE(log_done, 16, XFS_LOG_DONE_ROWS);		/* RUD, CUD, BUD, ATTRD, XMD; EFD starts like it */
XFS_STRUCT_DECLARE(log_extent32, 12, XFS_LOG_EXTENT32_ROWS);
XFS_STRUCT_DECLARE(log_extent, 16, XFS_LOG_EXTENT_ROWS);
XFS_STRUCT_DECLARE(log_map, 32, XFS_LOG_MAP_ROWS);
XFS_STRUCT_DECLARE(log_phys, 16, XFS_LOG_PHYS_ROWS);
XFS_STRUCT_DECLARE(log_attri, 40, XFS_LOG_ATTRI_ROWS);
XFS_STRUCT_DECLARE(log_xmi, 88, XFS_LOG_XMI_ROWS);

/* Whole regions, with their arrays; tables only. */
extern const struct xfs_desc xfs_log_efi_desc, xfs_log_rui_desc, xfs_log_cui_desc;

/* Bytes of an extent in an EFI or EFD of `len` bytes that counts `n`: 16 or 12; 0 when neither fits. */
XFS_INLINE uint32_t xfs_log_extent_size(size_t len, uint32_t n)
{
	uint64_t body = len < sizeof(struct xfs_log_intent_disk) ? 0 : len - sizeof(struct xfs_log_intent_disk);

	return body == UINT64_C(16) * n ? 16 : body == UINT64_C(12) * n ? 12 : 0;
}

#endif
