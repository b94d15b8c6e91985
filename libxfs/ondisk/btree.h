/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btree.h - blocks, records and keys of all btrees (format sheet 02, sections 1 and 2).
 *
 * Two block forms: short (32-bit pointers, AG trees) and long (64-bit pointers, inode-rooted trees).  Pointers of a
 * node start after room for the *maximum* number of keys.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_BTREE_H
#define XFS_ONDISK_BTREE_H

#include "libxfs/ondisk/schema.h"

#define XFS_BNOBT_MAGIC_V4 UINT32_C(0x41425442)
#define XFS_BNOBT_MAGIC UINT32_C(0x41423342)
#define XFS_CNTBT_MAGIC_V4 UINT32_C(0x41425443)
#define XFS_CNTBT_MAGIC UINT32_C(0x41423343)
#define XFS_INOBT_MAGIC_V4 UINT32_C(0x49414254)
#define XFS_INOBT_MAGIC UINT32_C(0x49414233)
#define XFS_FINOBT_MAGIC_V4 UINT32_C(0x46494254)
#define XFS_FINOBT_MAGIC UINT32_C(0x46494233)
#define XFS_RMAPBT_MAGIC UINT32_C(0x524d4233)
#define XFS_REFCBT_MAGIC UINT32_C(0x52334643)
#define XFS_BMBT_MAGIC_V4 UINT32_C(0x424d4150)
#define XFS_BMBT_MAGIC UINT32_C(0x424d4133)
#define XFS_RTRMAPBT_MAGIC UINT32_C(0x4d415052)
#define XFS_RTREFCBT_MAGIC UINT32_C(0x52434e54)

#define XFS_BTREE_SHORT_V4 16u
#define XFS_BTREE_SHORT_V5 56u
#define XFS_BTREE_LONG_V4 24u
#define XFS_BTREE_LONG_V5 72u
#define XFS_BTREE_MAXLEVELS 32u		/* above any height that a legal filesystem can have (rtrmapbt: 21) */
#define XFS_REFC_COW UINT32_C(0x80000000)

/* Headers. The V5 rows lie behind the V4 header. */
#define XFS_BTREE_SHORT_ROWS(S, F, V, B, A)						\
	F(S, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, level, 32, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, numrecs, 48, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, leftsib, 64, 32, XO_BE, XF_AGB, NULL, XT_SELF)				\
	F(S, rightsib, 96, 32, XO_BE, XF_AGB, NULL, XT_SELF)				\
	F(S, bno, 128, 64, XO_BE, XF_FSB, bt_v5, XT_NONE)				\
	F(S, lsn, 192, 64, XO_BE, XF_HEX, bt_v5, XT_NONE)				\
	B(S, uuid, 256, 16, XF_UUID, bt_v5, XT_NONE)					\
	F(S, owner, 384, 32, XO_BE, XF_AGN, bt_v5, XT_NONE)				\
	F(S, crc, 416, 32, XO_LE, XF_CRC, bt_v5, XT_NONE)
#define XFS_BTREE_LONG_ROWS(S, F, V, B, A)						\
	F(S, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, level, 32, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, numrecs, 48, 16, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, leftsib, 64, 64, XO_BE, XF_FSB, NULL, XT_SELF)				\
	F(S, rightsib, 128, 64, XO_BE, XF_FSB, NULL, XT_SELF)				\
	F(S, bno, 192, 64, XO_BE, XF_FSB, bt_v5, XT_NONE)				\
	F(S, lsn, 256, 64, XO_BE, XF_HEX, bt_v5, XT_NONE)				\
	B(S, uuid, 320, 16, XF_UUID, bt_v5, XT_NONE)					\
	F(S, owner, 448, 64, XO_BE, XF_INO, bt_v5, XT_NONE)				\
	F(S, crc, 512, 32, XO_LE, XF_CRC, bt_v5, XT_NONE)

/* Records and keys. */
#define XFS_BNOBT_REC_ROWS(S, F, V, B, A)						\
	F(S, startblock, 0, 32, XO_BE, XF_AGB, NULL, XT_DATA)				\
	F(S, blockcount, 32, 32, XO_BE, XF_LEN, NULL, XT_NONE)
#define XFS_CNTBT_KEY_ROWS(S, F, V, B, A)						\
	F(S, blockcount, 32, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, startblock, 0, 32, XO_BE, XF_AGB, NULL, XT_DATA)
#define XFS_INOBT_REC_ROWS(S, F, V, B, A)						\
	F(S, startino, 0, 32, XO_BE, XF_AGI, NULL, XT_INODE)				\
	F(S, holemask, 32, 16, XO_BE, XF_HEX, inobt_sparse, XT_NONE)			\
	F(S, count, 48, 8, XO_BE, XF_DEC, inobt_sparse, XT_NONE)			\
	F(S, freecount, 56, 8, XO_BE, XF_DEC, inobt_sparse, XT_NONE)			\
	V(S, freecount32, 32, 32, XO_BE, XF_SDEC | XF_CODE, inobt_full, XT_NONE)		\
	V(S, freecount__32, 32, 32, XO_BE, XF_SDEC, inobt_full, XT_NONE)			\
	F(S, free, 64, 64, XO_BE, XF_HEX, NULL, XT_NONE)
#define XFS_INOBT_KEY_ROWS(S, F, V, B, A) F(S, startino, 0, 32, XO_BE, XF_AGI, NULL, XT_INODE)
#define XFS_BMBT_REC_ROWS(S, F, V, B, A)						\
	F(S, startoff, 1, 54, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, startblock, 55, 52, XO_BE, XF_FSB, NULL, XT_INODATA)			\
	F(S, blockcount, 107, 21, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, extentflag, 0, 1, XO_BE, XF_BIT, NULL, XT_NONE)
#define XFS_BMBT_KEY_ROWS(S, F, V, B, A) F(S, startoff, 0, 64, XO_BE, XF_DEC, NULL, XT_NONE)

#define XFS_RMAP_REC_ROWS(S, F, V, B, A)						\
	F(S, startblock, 0, 32, XO_BE, XF_AGB, NULL, XT_DATA)				\
	F(S, blockcount, 32, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, owner, 64, 64, XO_BE, XF_SDEC, NULL, XT_NONE)				\
	F(S, offset, 138, 54, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, extentflag, 130, 1, XO_BE, XF_BIT, NULL, XT_NONE)				\
	F(S, attrfork, 128, 1, XO_BE, XF_BIT, NULL, XT_NONE)				\
	F(S, bmbtblock, 129, 1, XO_BE, XF_BIT, NULL, XT_NONE)
#define XFS_RMAP_KEY_ROWS_AT(S, F, at, sfx)						\
	F(S, startblock##sfx, at, 32, XO_BE, XF_AGB, NULL, XT_DATA)			\
	F(S, owner##sfx, at + 32, 64, XO_BE, XF_SDEC, NULL, XT_NONE)			\
	F(S, offset##sfx, at + 106, 54, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, extentflag##sfx, at + 98, 1, XO_BE, XF_BIT, NULL, XT_NONE)			\
	F(S, attrfork##sfx, at + 96, 1, XO_BE, XF_BIT, NULL, XT_NONE)			\
	F(S, bmbtblock##sfx, at + 97, 1, XO_BE, XF_BIT, NULL, XT_NONE)
#define XFS_RMAP_KEYPAIR_ROWS(S, F, V, B, A)						\
	XFS_RMAP_KEY_ROWS_AT(S, F, 0, ) XFS_RMAP_KEY_ROWS_AT(S, F, 160, _hi)
#define XFS_RTRMAP_KEY_ROWS_AT(S, F, at, sfx)						\
	F(S, startblock##sfx, at, 32, XO_BE, XF_AGB, NULL, XT_NONE)			\
	F(S, owner##sfx, at + 32, 64, XO_BE, XF_SDEC, NULL, XT_NONE)			\
	F(S, offset##sfx, at + 106, 54, XO_BE, XF_DEC, NULL, XT_NONE)			\
	F(S, attrfork##sfx, at + 96, 1, XO_BE, XF_BIT, NULL, XT_NONE)			\
	F(S, bmbtblock##sfx, at + 97, 1, XO_BE, XF_BIT, NULL, XT_NONE)
#define XFS_RTRMAP_KEYPAIR_ROWS(S, F, V, B, A)						\
	XFS_RTRMAP_KEY_ROWS_AT(S, F, 0, ) XFS_RTRMAP_KEY_ROWS_AT(S, F, 160, _hi)
#define XFS_REFC_REC_ROWS(S, F, V, B, A)						\
	F(S, startblock, 1, 31, XO_BE, XF_DEC, NULL, XT_DATA)				\
	F(S, blockcount, 32, 32, XO_BE, XF_LEN, NULL, XT_NONE)				\
	F(S, refcount, 64, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, cowflag, 0, 1, XO_BE, XF_BIT, NULL, XT_NONE)
#define XFS_REFC_KEY_ROWS(S, F, V, B, A)						\
	F(S, startblock, 1, 31, XO_BE, XF_DEC, NULL, XT_DATA)				\
	F(S, cowflag, 0, 1, XO_BE, XF_BIT, NULL, XT_NONE)

XFS_STRUCT_DECLARE(btree_short, 56, XFS_BTREE_SHORT_ROWS);
XFS_STRUCT_DECLARE(btree_long, 72, XFS_BTREE_LONG_ROWS);
XFS_STRUCT_DECLARE(bnobt_rec, 8, XFS_BNOBT_REC_ROWS);
XFS_STRUCT_DECLARE(cntbt_key, 8, XFS_CNTBT_KEY_ROWS);
XFS_STRUCT_DECLARE(inobt_rec, 16, XFS_INOBT_REC_ROWS);
XFS_STRUCT_DECLARE(inobt_key, 4, XFS_INOBT_KEY_ROWS);
XFS_STRUCT_DECLARE(bmbt_rec, 16, XFS_BMBT_REC_ROWS);
XFS_STRUCT_DECLARE(bmbt_key, 8, XFS_BMBT_KEY_ROWS);
XFS_STRUCT_DECLARE(rmap_rec, 24, XFS_RMAP_REC_ROWS);
XFS_STRUCT_DECLARE(rmap_keypair, 40, XFS_RMAP_KEYPAIR_ROWS);
XFS_STRUCT_DECLARE(rtrmap_keypair, 40, XFS_RTRMAP_KEYPAIR_ROWS);
XFS_STRUCT_DECLARE(refc_rec, 12, XFS_REFC_REC_ROWS);
XFS_STRUCT_DECLARE(refc_key, 4, XFS_REFC_KEY_ROWS);


/*
 * One descriptor a tree: header, then recs (level 0) or keys and ptrs.  Names are those of xfs_db's types.
 * Only tables: code that works on blocks uses the engine (btree/).
 */
extern const struct xfs_desc xfs_bnobt_desc, xfs_cntbt_desc, xfs_inobt_desc, xfs_finobt_desc, xfs_rmapbt_desc,
	xfs_refcntbt_desc, xfs_bmapbta_desc, xfs_bmapbtd_desc, xfs_rtrmapbt_desc, xfs_rtrefcntbt_desc;

/* Sizes of the parts of a tree's blocks; rows of one table that the engine, tools and builders share. */
struct xfs_btree_shape {
	uint8_t reclen, keylen, ptrlen;	/* keylen: the whole entry of a node, 40 for overlapping trees */
	bool long_form;
	/* a root in an inode leaves that many bytes more for each entry, unused (seen of Linux 6.18) */
	uint8_t root_gap;
};
extern const struct xfs_btree_shape xfs_btree_shape_alloc, xfs_btree_shape_inobt, xfs_btree_shape_rmapbt,
	xfs_btree_shape_refcbt, xfs_btree_shape_bmbt, xfs_btree_shape_rtrmapbt, xfs_btree_shape_rtrefcbt;

XFS_INLINE uint32_t xfs_btree_header_len(const struct xfs_btree_shape *s, bool v5)
{
	return s->long_form ? (v5 ? XFS_BTREE_LONG_V5 : XFS_BTREE_LONG_V4) :
	       v5 ? XFS_BTREE_SHORT_V5 : XFS_BTREE_SHORT_V4;
}
/* Most records of a leaf, entries of a node, for a block of `blocksize` bytes. */
XFS_INLINE uint32_t xfs_btree_maxrecs(const struct xfs_btree_shape *s, bool v5, uint32_t blocksize, bool leaf)
{
	return (blocksize - xfs_btree_header_len(s, v5)) / (leaf ? s->reclen : (uint32_t)s->keylen + s->ptrlen);
}
/* The same of a root in an inode fork, for the bytes behind its header. */
XFS_INLINE uint32_t xfs_btree_root_maxrecs(const struct xfs_btree_shape *s, uint32_t room, bool leaf)
{
	return room / (leaf ? s->reclen : (uint32_t)s->keylen + s->ptrlen + s->root_gap);
}
/* Byte offset of the pointers of a node. */
XFS_INLINE uint32_t xfs_btree_ptrs_off(const struct xfs_btree_shape *s, bool v5, uint32_t blocksize)
{
	return xfs_btree_header_len(s, v5) + xfs_btree_maxrecs(s, v5, blocksize, false) * s->keylen;
}

#endif
