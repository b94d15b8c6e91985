/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks.h - kinds of metadata blocks as types of the buffer cache: sets of the forms of ondisk/blocktypes.h.
 *
 * The verifiers check what one block can say alone: magic, crc, uuid, own address, and for btrees level and number of
 * records.  Owners are the reader's to check (xfs_block_owner()), and so are contents.  The context of the cache must
 * be a struct xfs_block_ctx.  Layer: mount.
 */
#ifndef XFS_MOUNT_BLOCKS_H
#define XFS_MOUNT_BLOCKS_H

#include "libxfs/mount/buffer.h"
#include "libxfs/mount/geometry.h"
#include "libxfs/ondisk/blocktypes.h"

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

extern const struct xfs_buf_type xfs_buf_types[XFS_BLK_KINDS];

/* What the verifiers look at. */
struct xfs_block_ctx {
	const struct xfs_geometry *geo;
	_Atomic uint64_t *max_lsn;	/* greatest LSN seen in a block with a good checksum; may be NULL */
	bool no_wild_lsn;		/* a block of names that has one is corrupt */
};

XFS_INLINE const struct xfs_buf_type *xfs_block_type(enum xfs_block_kind kind) { return &xfs_buf_types[kind]; }

/*
 * The verifiers' work on plain memory; `daddr` XFS_NULL64: the own address is not checked. Returns 0, -BADMAGIC,
 * -CORRUPT or -BADCRC (only when all else is fine); fills *why when not NULL.
 */
int xfs_block_verify(const struct xfs_block_ctx *, enum xfs_block_kind, const uint8_t *data, uint32_t len,
		     uint64_t daddr, struct xfs_finding *why);
/*
 * V5, a block that does not verify: when one flipped bit explains its checksum and the block verifies without it, the
 * bit is flipped in `data`, *byte and *bit (0 = least significant) say where, and true is returned.
 */
bool xfs_block_mend(const struct xfs_block_ctx *, enum xfs_block_kind, uint8_t *data, uint32_t len, uint64_t daddr,
		    size_t *byte, unsigned *bit);
/* The form that the block has, by its magic, among those of the kind; NULL: none of them. */
const struct xfs_blockform *xfs_block_form(enum xfs_block_kind, bool v5, const uint8_t *data, uint32_t len);
const char *xfs_block_name(enum xfs_block_kind);
#define XFS_WILD_CYCLE 0x70000000u
/* No log ever gets there: the field is damaged. */
static inline bool xfs_lsn_is_wild(uint64_t lsn)
{
	return lsn != XFS_NULL64 && lsn >> 32 >= XFS_WILD_CYCLE;
}

/* Owner field: inode or AG number. False on V4, and when the form has none. */
bool xfs_block_owner(const struct xfs_geometry *, enum xfs_block_kind, const uint8_t *data, uint32_t len,
		     uint64_t *owner);

#endif
