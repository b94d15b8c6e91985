/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks.h - kinds of metadata blocks: magic numbers and where the self-describing header has its parts (format sheet
 * 01, section 13), as types of the buffer cache.
 *
 * The verifiers check what one block can say alone: magic, crc, uuid, own address, and for btrees level and number of
 * records.  Owners are the reader's to check (xfs_block_owner()), and so are contents.  The context of the cache must
 * be a struct xfs_block_ctx.  Layer: mount.
 */
#ifndef XFS_MOUNT_BLOCKS_H
#define XFS_MOUNT_BLOCKS_H

#include "libxfs/mount/buffer.h"
#include "libxfs/mount/geometry.h"

enum xfs_block_kind {
	XFS_BLK_SB, XFS_BLK_AGF, XFS_BLK_AGI, XFS_BLK_AGFL,
	XFS_BLK_BNOBT, XFS_BLK_CNTBT, XFS_BLK_INOBT, XFS_BLK_FINOBT, XFS_BLK_RMAPBT, XFS_BLK_REFCBT,
	XFS_BLK_BMBT, XFS_BLK_RTRMAPBT, XFS_BLK_RTREFCBT,
	XFS_BLK_INODES,			/* a cluster; inodes verify alone, and whoever changes one stamps its crc */
	XFS_BLK_DIR_BLOCK,		/* single block directory */
	XFS_BLK_DIR_DATA, XFS_BLK_DIR_LEAF1, XFS_BLK_DIR_LEAFN, XFS_BLK_DIR_FREE,
	XFS_BLK_DA_NODE,		/* of a directory or of attributes */
	XFS_BLK_ATTR_LEAF, XFS_BLK_ATTR_REMOTE, XFS_BLK_SYMLINK,
	/* where the reader does not know which; the magic tells */
	XFS_BLK_DIR_ANYDATA,		/* DIR_BLOCK or DIR_DATA */
	XFS_BLK_DIR_ANYLEAF,		/* DIR_LEAF1, DIR_LEAFN or DA_NODE */
	XFS_BLK_ATTR_ANY,		/* ATTR_LEAF or DA_NODE */
	XFS_BLK_RT_BITMAP, XFS_BLK_RT_SUMMARY,	/* with headers: rtgroups only */
	XFS_BLK_KINDS
};

#define XFS_BLK_NO_FIELD UINT16_MAX

/* Byte offsets in the block; XFS_BLK_NO_FIELD = there is none. Of V5; V4 headers only have magics. */
struct xfs_block_layout {
	const char *name;
	uint8_t magic_off, magic_len, owner_len;
	uint16_t crc, uuid, blkno, lsn, owner;
	uint32_t magic_v5[3], magic_v4[3];	/* 0 ends the list */
};
extern const struct xfs_block_layout xfs_block_layouts[XFS_BLK_KINDS];
extern const struct xfs_buf_type xfs_buf_types[XFS_BLK_KINDS];

/* What the verifiers look at. */
struct xfs_block_ctx {
	const struct xfs_geometry *geo;
	_Atomic uint64_t *max_lsn;	/* greatest LSN seen in a block with a good checksum; may be NULL */
};

XFS_INLINE const struct xfs_buf_type *xfs_block_type(enum xfs_block_kind kind) { return &xfs_buf_types[kind]; }

/*
 * The verifiers' work on plain memory; `daddr` XFS_NULL64: the own address is not checked. Returns 0, -BADMAGIC,
 * -CORRUPT or -BADCRC (only when all else is fine); fills *why when not NULL.
 */
int xfs_block_verify(const struct xfs_block_ctx *, enum xfs_block_kind, const uint8_t *data, uint32_t len,
		     uint64_t daddr, struct xfs_finding *why);
uint32_t xfs_block_magic(enum xfs_block_kind, const uint8_t *data);
/* Owner field of a V5 block: inode or AG number; XFS_NULL64 when the kind has none or on V4. */
uint64_t xfs_block_owner(const struct xfs_geometry *, enum xfs_block_kind, const uint8_t *data);
uint64_t xfs_block_lsn(const struct xfs_geometry *, enum xfs_block_kind, const uint8_t *data);	/* 0: none */

#endif
