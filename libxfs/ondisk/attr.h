/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attr.h - extended attributes: short form, leaf blocks, remote values, parent pointers; remote symlinks
 * (format sheet 03, sections 4, 6 and 7).
 *
 * Attribute blocks are always one filesystem block.  Nodes are da nodes (dir.h).  Layer: ondisk.
 */
#ifndef XFS_ONDISK_ATTR_H
#define XFS_ONDISK_ATTR_H

#include "libxfs/ondisk/dir.h"

#define XFS_ATTR_LEAF_MAGIC_V4 0xfbeeu
#define XFS_ATTR_LEAF_MAGIC 0x3beeu
#define XFS_ATTR_REMOTE_MAGIC UINT32_C(0x5841524d)
#define XFS_SYMLINK_MAGIC UINT32_C(0x58534c4d)
#define XFS_SYMLINK_MAXLEN 1024u		/* targets are shorter than this */
#define XFS_ATTR_NAME_MAX 255u
#define XFS_ATTR_VALUE_MAX 65536u

#define XFS_ATTR_LOCAL 0x01u
#define XFS_ATTR_ROOT 0x02u
#define XFS_ATTR_SECURE 0x04u
#define XFS_ATTR_PARENT 0x08u
#define XFS_ATTR_INCOMPLETE 0x80u
#define XFS_ATTR_NAMESPACES (XFS_ATTR_ROOT | XFS_ATTR_SECURE | XFS_ATTR_PARENT)

/* ---- short form ---- */

#define XFS_ATTR_SF_HDR_ROWS(S, F, V, B, A)								\
	F(S, totsize, 0, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, count, 16, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, pad, 24, 8, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_ATTR_SF_ENT_ROWS(S, F, V, B, A)								\
	F(S, namelen, 0, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, valuelen, 8, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, flags, 16, 8, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	V(S, root, 22, 1, XO_BE, XF_BIT, NULL, XT_NONE)							\
	V(S, secure, 21, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, parent, 20, 1, XO_BE, XF_BIT, NULL, XT_NONE)
XFS_STRUCT_DECLARE(attr_sf_hdr, 4, XFS_ATTR_SF_HDR_ROWS);
XFS_STRUCT_DECLARE(attr_sf_ent, 3, XFS_ATTR_SF_ENT_ROWS);
XFS_INLINE uint32_t xfs_attr_sf_entsize(unsigned namelen, unsigned valuelen) { return 3 + namelen + valuelen; }

/* Value of a parent pointer. */
#define XFS_PARENT_REC_ROWS(S, F, V, B, A)								\
	F(S, inumber, 0, 64, XO_BE, XF_INO, NULL, XT_INODE)						\
	F(S, gen, 64, 32, XO_BE, XF_DEC, NULL, XT_NONE)
XFS_STRUCT_DECLARE(parent_rec, 12, XFS_PARENT_REC_ROWS);

/* ---- leaf block ---- */

#define XFS_ATTR_LEAF_TOP_ROWS(S, F, at)								\
	F(S, count, at, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, usedbytes, at + 16, 16, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, firstused, at + 32, 16, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, holes, at + 48, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, pad1, at + 56, 8, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_ATTR_LEAF_HDR_V4_ROWS(S, F, V, B, A) XFS_DA_INFO_ROWS(S, F, V, B, A) XFS_ATTR_LEAF_TOP_ROWS(S, F, 96)
#define XFS_ATTR_LEAF_HDR_ROWS(S, F, V, B, A)								\
	XFS_DA3_BLKINFO_ROWS(S, F, V, B, A) XFS_ATTR_LEAF_TOP_ROWS(S, F, 448)				\
	F(S, pad2, 608, 32, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
#define XFS_ATTR_FREEMAP_ROWS(S, F, V, B, A)								\
	F(S, base, 0, 16, XO_BE, XF_DEC, NULL, XT_NONE)							\
	F(S, size, 16, 16, XO_BE, XF_DEC, NULL, XT_NONE)
#define XFS_ATTR_LEAF_ENT_ROWS(S, F, V, B, A)								\
	F(S, hashval, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, nameidx, 32, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, flags, 48, 8, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	V(S, incomplete, 48, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, root, 54, 1, XO_BE, XF_BIT, NULL, XT_NONE)							\
	V(S, secure, 53, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, local, 55, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, parent, 52, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	F(S, pad2, 56, 8, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)
/* Fixed starts of the two kinds of name records. */
#define XFS_ATTR_LOCAL_ROWS(S, F, V, B, A)								\
	F(S, valuelen, 0, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, namelen, 16, 8, XO_BE, XF_DEC, NULL, XT_NONE)
#define XFS_ATTR_REMOTE_ROWS(S, F, V, B, A)								\
	F(S, valueblk, 0, 32, XO_BE, XF_HEX, NULL, XT_ATTR)						\
	F(S, valuelen, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, namelen, 64, 8, XO_BE, XF_DEC, NULL, XT_NONE)
XFS_STRUCT_DECLARE(attr_leaf_hdr_v4, 20, XFS_ATTR_LEAF_HDR_V4_ROWS);
XFS_STRUCT_DECLARE(attr_leaf_hdr, 80, XFS_ATTR_LEAF_HDR_ROWS);
XFS_STRUCT_DECLARE(attr_freemap, 4, XFS_ATTR_FREEMAP_ROWS);
XFS_STRUCT_DECLARE(attr_leaf_ent, 8, XFS_ATTR_LEAF_ENT_ROWS);
XFS_STRUCT_DECLARE(attr_local, 3, XFS_ATTR_LOCAL_ROWS);
XFS_STRUCT_DECLARE(attr_remote, 9, XFS_ATTR_REMOTE_ROWS);

#define XFS_ATTR_FREEMAPS 3u
XFS_INLINE uint32_t xfs_attr_freemap_off(bool v5) { return v5 ? 64 : 20; }
XFS_INLINE uint32_t xfs_attr_leaf_header_len(bool v5) { return v5 ? 80 : 32; }
XFS_INLINE uint32_t xfs_attr_leaf_maxents(bool v5, uint32_t size) { return (size - xfs_attr_leaf_header_len(v5)) / 8; }
XFS_INLINE uint32_t xfs_attr_local_size(unsigned namelen, unsigned valuelen)
{
	return (3 + namelen + valuelen + 3) & ~3u;
}
XFS_INLINE uint32_t xfs_attr_remote_size(unsigned namelen) { return (11 + namelen + 3) & ~3u; }
/* Largest size of a local record: name records of this size and above are remote. */
XFS_INLINE uint32_t xfs_attr_local_limit(uint32_t blocksize) { return blocksize / 2 + blocksize / 4; }

/* Header of either version in the V5 native form (dir.h). The freemap is not part of it. */
void xfs_attr_leaf_hdr_load(struct xfs_attr_leaf_hdr *out, const uint8_t *p, bool v5);
void xfs_attr_leaf_hdr_store(uint8_t *p, const struct xfs_attr_leaf_hdr *in, bool v5);

/* ---- remote values and remote symlinks: one form ---- */

#define XFS_REMOTE_HDR_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, offset, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, bytes, 64, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, crc, 96, 32, XO_LE, XF_CRC, NULL, XT_NONE)							\
	B(S, uuid, 128, 16, XF_UUID, NULL, XT_NONE)							\
	F(S, owner, 256, 64, XO_BE, XF_INO, NULL, XT_NONE)						\
	F(S, bno, 320, 64, XO_BE, XF_FSB, NULL, XT_NONE)						\
	F(S, lsn, 384, 64, XO_BE, XF_HEX, NULL, XT_NONE)
XFS_STRUCT_DECLARE(attr_rmt_hdr, 56, XFS_REMOTE_HDR_ROWS);
XFS_STRUCT_DECLARE(symlink_hdr, 56, XFS_REMOTE_HDR_ROWS);
XFS_INLINE uint32_t xfs_remote_header_len(bool v5) { return v5 ? 56 : 0; }
/* Blocks of a remote value or symlink target of `len` bytes. (Remote symlinks: when each extent has one block.) */
XFS_INLINE uint32_t xfs_remote_blocks(bool v5, uint32_t blocksize, uint32_t len)
{
	uint32_t room = blocksize - xfs_remote_header_len(v5);

	return len / room + (len % room != 0);
}

/* Any block of an attr fork but bmbt blocks; what is in it depends on its magic. */
extern const struct xfs_desc xfs_attr_desc, xfs_attr3_desc;
/* Remote symlink block of V5. Object = the mapped extent. */
extern const struct xfs_desc xfs_symlink_desc;

#endif
