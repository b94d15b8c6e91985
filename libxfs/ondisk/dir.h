/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir.h - directories: short form, data, leaf, node and free blocks (format sheet 03, section 5).
 *
 * V4 (dir2) and V5 (dir3) blocks differ in their headers only; functions with `v5` give the places of both.  The
 * directory block size D is a parameter: a block may consist of several filesystem blocks.  da blocks (leaf, node)
 * have a header that attribute blocks share.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_DIR_H
#define XFS_ONDISK_DIR_H

#include "libxfs/ondisk/schema.h"

/* be32, data and free blocks */
#define XFS_DIR2_BLOCK_MAGIC UINT32_C(0x58443242)
#define XFS_DIR3_BLOCK_MAGIC UINT32_C(0x58444233)
#define XFS_DIR2_DATA_MAGIC UINT32_C(0x58443244)
#define XFS_DIR3_DATA_MAGIC UINT32_C(0x58444433)
#define XFS_DIR2_FREE_MAGIC UINT32_C(0x58443246)
#define XFS_DIR3_FREE_MAGIC UINT32_C(0x58444633)
/* be16, da blocks */
#define XFS_DIR2_LEAF1_MAGIC 0xd2f1u
#define XFS_DIR3_LEAF1_MAGIC 0x3df1u
#define XFS_DIR2_LEAFN_MAGIC 0xd2ffu
#define XFS_DIR3_LEAFN_MAGIC 0x3dffu
#define XFS_DA_NODE_MAGIC 0xfebeu
#define XFS_DA3_NODE_MAGIC 0x3ebeu

/* The three spaces of a directory, bytes of its file. */
#define XFS_DIR_SPACE_SHIFT 35u
#define XFS_DIR_LEAF_OFFSET (UINT64_C(1) << 35)
#define XFS_DIR_FREE_OFFSET (UINT64_C(2) << 35)

#define XFS_DIR_NAME_MAX 255u
#define XFS_DIR_ALIGN 8u
#define XFS_DIR_FREE_TAG 0xffffu
#define XFS_DIR_NULL_BEST 0xffffu		/* no data block with this number */
#define XFS_DIR_NULL_ADDRESS 0u			/* stale leaf entry */
#define XFS_DIR_BESTS 3u
#define XFS_DA_MAX_LEVEL 5u

enum xfs_dir_ftype {
	XFS_DIR_FT_UNKNOWN, XFS_DIR_FT_REG, XFS_DIR_FT_DIR, XFS_DIR_FT_CHR, XFS_DIR_FT_BLK, XFS_DIR_FT_FIFO,
	XFS_DIR_FT_SOCK, XFS_DIR_FT_LNK, XFS_DIR_FT_WHITEOUT, XFS_DIR_FT_COUNT
};

/* ---- short form ---- */

#define XFS_DIR_SF_HDR_ROWS(S, F, V, B, A)								\
	F(S, count, 0, 8, XO_BE, XF_DEC, NULL, XT_NONE)							\
	F(S, i8count, 8, 8, XO_BE, XF_DEC, NULL, XT_NONE)
/* fixed start of an entry; name, file type and inode number follow */
#define XFS_DIR_SF_ENT_ROWS(S, F, V, B, A)								\
	F(S, namelen, 0, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, offset, 8, 16, XO_BE, XF_HEX, NULL, XT_NONE)
XFS_STRUCT_DECLARE(dir_sf_hdr, 2, XFS_DIR_SF_HDR_ROWS);
XFS_STRUCT_DECLARE(dir_sf_ent, 3, XFS_DIR_SF_ENT_ROWS);

#define XFS_DIR_SF_HDR_MAX 10u
/* The number of the parent stands behind the two counts. */
XFS_INLINE uint64_t xfs_dir_sf_parent(const uint8_t *fork, bool wide)
{
	fork += sizeof(struct xfs_dir_sf_hdr_disk);
	return wide ? xfs_be64(fork) : xfs_be32(fork);
}
XFS_INLINE void xfs_dir_sf_set_parent(uint8_t *fork, bool wide, uint64_t parent)
{
	fork += sizeof(struct xfs_dir_sf_hdr_disk);
	if (wide)
		xfs_put_be64(fork, parent);
	else
		xfs_put_be32(fork, (uint32_t)parent);
}
/* `wide`: inode numbers of 8 bytes, when i8count is not 0. */
XFS_INLINE uint32_t xfs_dir_sf_hdr_len(bool wide) { return wide ? 10 : 6; }
XFS_INLINE uint32_t xfs_dir_sf_entsize(bool ftype, bool wide, unsigned namelen)
{
	return 3 + namelen + (ftype ? 1 : 0) + (wide ? 8 : 4);
}

/* ---- data and block form ---- */

/* Header of data, block and free blocks of V5; V4 has the magic only. */
#define XFS_DIR_BLKHDR_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, crc, 32, 32, XO_LE, XF_CRC, NULL, XT_NONE)							\
	F(S, bno, 64, 64, XO_BE, XF_FSB, NULL, XT_NONE)							\
	F(S, lsn, 128, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	B(S, uuid, 192, 16, XF_UUID, NULL, XT_NONE)							\
	F(S, owner, 320, 64, XO_BE, XF_INO, NULL, XT_NONE)
/* One of the three largest free areas of a data block. */
#define XFS_DIR_BEST_ROWS(S, F, V, B, A)								\
	F(S, offset, 0, 16, XO_BE, XF_OFF, NULL, XT_NONE)						\
	F(S, length, 16, 16, XO_BE, XF_OFF, NULL, XT_NONE)
/* Start of a used entry; name, file type and, in the last two bytes, its own offset follow. */
#define XFS_DIR_DATA_ENT_ROWS(S, F, V, B, A)								\
	F(S, inumber, 0, 64, XO_BE, XF_INO, dir_is_used, XT_INODE)					\
	F(S, namelen, 64, 8, XO_BE, XF_DEC, dir_is_used, XT_NONE)
/* Start of a free area; its own offset is in the last two bytes of the area. */
#define XFS_DIR_DATA_UNUSED_ROWS(S, F, V, B, A)								\
	F(S, freetag, 0, 16, XO_BE, XF_HEX, dir_is_unused, XT_NONE)					\
	F(S, length, 16, 16, XO_BE, XF_OFF, dir_is_unused, XT_NONE)
#define XFS_DIR_LEAF_ENT_ROWS(S, F, V, B, A)								\
	F(S, hashval, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, address, 32, 32, XO_BE, XF_HEX, NULL, XT_NONE)
#define XFS_DIR_BLOCK_TAIL_ROWS(S, F, V, B, A)								\
	F(S, count, 0, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, stale, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)
XFS_STRUCT_DECLARE(dir_blkhdr, 48, XFS_DIR_BLKHDR_ROWS);
XFS_STRUCT_DECLARE(dir_best, 4, XFS_DIR_BEST_ROWS);
XFS_STRUCT_DECLARE(dir_data_ent, 9, XFS_DIR_DATA_ENT_ROWS);
XFS_STRUCT_DECLARE(dir_data_unused, 4, XFS_DIR_DATA_UNUSED_ROWS);
XFS_STRUCT_DECLARE(dir_leaf_ent, 8, XFS_DIR_LEAF_ENT_ROWS);
XFS_STRUCT_DECLARE(dir_block_tail, 8, XFS_DIR_BLOCK_TAIL_ROWS);

/* Of the i-th entry of a leaf or of the tail of a block. */
XFS_INLINE uint32_t xfs_dir_leaf_hash(const uint8_t *entries, size_t i)
{
	return xfs_dir_leaf_ent_get_hashval((const struct xfs_dir_leaf_ent_disk *)entries + i);
}
XFS_INLINE uint32_t xfs_dir_leaf_address(const uint8_t *entries, size_t i)
{
	return xfs_dir_leaf_ent_get_address((const struct xfs_dir_leaf_ent_disk *)entries + i);
}

/* Byte offset of bestfree[0], and of the first entry of a data block. */
XFS_INLINE uint32_t xfs_dir_bestfree_off(bool v5) { return v5 ? 48 : 4; }
XFS_INLINE uint32_t xfs_dir_data_header_len(bool v5) { return v5 ? 64 : 16; }
/* Size of a used entry; offset of its file type from its start. */
XFS_INLINE uint32_t xfs_dir_data_entsize(bool ftype, unsigned namelen)
{
	return (11 + namelen + (ftype ? 1 : 0) + XFS_DIR_ALIGN - 1) & ~(XFS_DIR_ALIGN - 1);
}
XFS_INLINE uint32_t xfs_dir_data_ftype_off(unsigned namelen) { return 9 + namelen; }
/* Offset of the first real entry: behind "." and "..". */
XFS_INLINE uint32_t xfs_dir_data_first_off(bool v5) { return xfs_dir_data_header_len(v5) + 32; }
XFS_INLINE bool xfs_dir_is_block_magic(uint32_t magic)
{
	return magic == XFS_DIR2_BLOCK_MAGIC || magic == XFS_DIR3_BLOCK_MAGIC;
}
XFS_INLINE bool xfs_dir_is_data_magic(uint32_t magic)
{
	return magic == XFS_DIR2_DATA_MAGIC || magic == XFS_DIR3_DATA_MAGIC;
}
/* Number of leaf entries of a block-form block of `dirsize` bytes, clamped to what has room; where they start. */
uint32_t xfs_dir_block_leaf_count(const uint8_t *p, bool v5, uint32_t dirsize);
XFS_INLINE uint32_t xfs_dir_block_leaf_off(uint32_t dirsize, uint32_t count) { return dirsize - 8 - 8 * count; }
/* First byte behind the entries of a data or block-form block. */
uint32_t xfs_dir_data_end(const uint8_t *p, bool v5, uint32_t dirsize);

/* ---- da blocks: leaf and node ---- */

#define XFS_DA_INFO_ROWS(S, F, V, B, A)									\
	F(S, forw, 0, 32, XO_BE, XF_DEC, NULL, XT_SELF)							\
	F(S, back, 32, 32, XO_BE, XF_DEC, NULL, XT_SELF)						\
	F(S, magic, 64, 16, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, pad, 80, 16, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_DA3_INFO_TAIL_ROWS(S, F, V, B, A)								\
	F(S, crc, 96, 32, XO_LE, XF_CRC, NULL, XT_NONE)							\
	F(S, bno, 128, 64, XO_BE, XF_FSB, NULL, XT_NONE)						\
	F(S, lsn, 192, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	B(S, uuid, 256, 16, XF_UUID, NULL, XT_NONE)							\
	F(S, owner, 384, 64, XO_BE, XF_INO, NULL, XT_NONE)
#define XFS_DA3_BLKINFO_ROWS(S, F, V, B, A) XFS_DA_INFO_ROWS(S, F, V, B, A) XFS_DA3_INFO_TAIL_ROWS(S, F, V, B, A)
/* What follows the header of a leaf and of a node; `at` in bits. */
#define XFS_DIR_LEAF_TOP_ROWS(S, F, at)									\
	F(S, count, at, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, stale, at + 16, 16, XO_BE, XF_DEC, NULL, XT_NONE)
#define XFS_DA_NODE_TOP_ROWS(S, F, at)									\
	F(S, count, at, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, level, at + 16, 16, XO_BE, XF_DEC, NULL, XT_NONE)
#define XFS_DA_PAD_ROW(S, F, at) F(S, pad32, at, 32, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_DIR2_LEAF_HDR_ROWS(S, F, V, B, A) XFS_DA_INFO_ROWS(S, F, V, B, A) XFS_DIR_LEAF_TOP_ROWS(S, F, 96)
#define XFS_DIR3_LEAF_HDR_ROWS(S, F, V, B, A)								\
	XFS_DA3_BLKINFO_ROWS(S, F, V, B, A) XFS_DIR_LEAF_TOP_ROWS(S, F, 448) XFS_DA_PAD_ROW(S, F, 480)
#define XFS_DA_NODE_HDR_ROWS(S, F, V, B, A) XFS_DA_INFO_ROWS(S, F, V, B, A) XFS_DA_NODE_TOP_ROWS(S, F, 96)
#define XFS_DA3_NODE_HDR_ROWS(S, F, V, B, A)								\
	XFS_DA3_BLKINFO_ROWS(S, F, V, B, A) XFS_DA_NODE_TOP_ROWS(S, F, 448) XFS_DA_PAD_ROW(S, F, 480)
#define XFS_DA_NODE_ENT_ROWS(S, F, V, B, A)								\
	F(S, hashval, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, before, 32, 32, XO_BE, XF_DEC, NULL, XT_SELF)
#define XFS_DIR_LEAF_TAIL_ROWS(S, F, V, B, A) F(S, bestcount, 0, 32, XO_BE, XF_DEC, NULL, XT_NONE)
XFS_STRUCT_DECLARE(da_info, 12, XFS_DA_INFO_ROWS);
XFS_STRUCT_DECLARE(da3_blkinfo, 56, XFS_DA3_BLKINFO_ROWS);
XFS_STRUCT_DECLARE(dir2_leaf_hdr, 16, XFS_DIR2_LEAF_HDR_ROWS);
XFS_STRUCT_DECLARE(dir3_leaf_hdr, 64, XFS_DIR3_LEAF_HDR_ROWS);
XFS_STRUCT_DECLARE(da_node_hdr, 16, XFS_DA_NODE_HDR_ROWS);
XFS_STRUCT_DECLARE(da3_node_hdr, 64, XFS_DA3_NODE_HDR_ROWS);
XFS_STRUCT_DECLARE(da_node_ent, 8, XFS_DA_NODE_ENT_ROWS);
XFS_STRUCT_DECLARE(dir_leaf_tail, 4, XFS_DIR_LEAF_TAIL_ROWS);

/* Header of either version in the V5 native form; members that V4 lacks are zero. Store writes what the version has. */
void xfs_dir_leaf_hdr_load(struct xfs_dir3_leaf_hdr *out, const uint8_t *p, bool v5);
void xfs_dir_leaf_hdr_store(uint8_t *p, const struct xfs_dir3_leaf_hdr *in, bool v5);
void xfs_da_node_hdr_load(struct xfs_da3_node_hdr *out, const uint8_t *p, bool v5);
void xfs_da_node_hdr_store(uint8_t *p, const struct xfs_da3_node_hdr *in, bool v5);

XFS_INLINE uint32_t xfs_da_info_len(bool v5) { return v5 ? 56 : 12; }
/* Of a leaf or node of either version. */
XFS_INLINE uint16_t xfs_da_magic(const uint8_t *block) { return xfs_be16(block + XFS_OFF(da_info, magic)); }
XFS_INLINE uint32_t xfs_dir_leaf_stale_off(bool v5)
{
	return v5 ? XFS_OFF(dir3_leaf_hdr, stale) : XFS_OFF(dir2_leaf_hdr, stale);
}
XFS_INLINE uint32_t xfs_da_node_level_off(bool v5)
{
	return v5 ? XFS_OFF(da3_node_hdr, level) : XFS_OFF(da_node_hdr, level);
}
/* Start of the entries of leaf and node blocks, and how many fit in a block of `size` bytes. */
XFS_INLINE uint32_t xfs_da_header_len(bool v5) { return v5 ? 64 : 16; }
XFS_INLINE uint32_t xfs_da_maxents(bool v5, uint32_t size) { return (size - xfs_da_header_len(v5)) / 8; }

/* ---- free index ---- */

#define XFS_DIR_FREE_TOP_ROWS(S, F, at)									\
	F(S, firstdb, at, 32, XO_BE, XF_SDEC, NULL, XT_NONE)						\
	F(S, nvalid, at + 32, 32, XO_BE, XF_SDEC, NULL, XT_NONE)					\
	F(S, nused, at + 64, 32, XO_BE, XF_SDEC, NULL, XT_NONE)
#define XFS_DIR2_FREE_HDR_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE) XFS_DIR_FREE_TOP_ROWS(S, F, 32)
#define XFS_DIR3_FREE_HDR_ROWS(S, F, V, B, A)								\
	XFS_DIR_BLKHDR_ROWS(S, F, V, B, A) XFS_DIR_FREE_TOP_ROWS(S, F, 384) XFS_DA_PAD_ROW(S, F, 480)
XFS_STRUCT_DECLARE(dir2_free_hdr, 16, XFS_DIR2_FREE_HDR_ROWS);
XFS_STRUCT_DECLARE(dir3_free_hdr, 64, XFS_DIR3_FREE_HDR_ROWS);
void xfs_dir_free_hdr_load(struct xfs_dir3_free_hdr *out, const uint8_t *p, bool v5);
void xfs_dir_free_hdr_store(uint8_t *p, const struct xfs_dir3_free_hdr *in, bool v5);
XFS_INLINE uint32_t xfs_dir_free_header_len(bool v5) { return v5 ? 64 : 16; }
XFS_INLINE uint32_t xfs_dir_free_maxbests(bool v5, uint32_t dirsize)
{
	return (dirsize - xfs_dir_free_header_len(v5)) / 2;
}

/* Any block of a directory; what is in it depends on its magic. Object = one directory block. */
extern const struct xfs_desc xfs_dir2_desc, xfs_dir3_desc;
/* Nested headers that attribute blocks share. */
extern const struct xfs_desc xfs_da3_info_desc, xfs_da_node_hdr2_desc, xfs_da_node_hdr3_desc;

#endif
