/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocktypes.h - the types of blocks by name, their forms by magic number, and what a block says about itself.
 *
 * A *type* is what users name (format sheet 07, section 3): "dir3" is any block of a directory.  A *form* is one
 * layout: the leaf of a directory.  Positions of checksum, uuid, own address, owner and LSN come from the tables.
 * Layer: ondisk.
 */
#ifndef XFS_ONDISK_BLOCKTYPES_H
#define XFS_ONDISK_BLOCKTYPES_H

#include "libxfs/base/findings.h"
#include "libxfs/ondisk/btree.h"

/* How long an object of a type is. */
enum xfs_size_rule { XS_SECTOR, XS_BLOCK, XS_DIRBLOCK, XS_INODE, XS_DQUOT, XS_ANY };

/* What there is to show: fields, a hex dump, text, a string (V4 symlinks), nothing. */
enum xfs_show { XW_FIELDS, XW_DATA, XW_TEXT, XW_STRING, XW_NOTHING };

struct xfs_blocktype {
	const char *v4, *v5;		/* names; NULL: the version has no such type */
	const struct xfs_desc *desc4, *desc5;
	uint8_t type;			/* enum xfs_type */
	uint8_t size;			/* enum xfs_size_rule */
	uint8_t show4, show5;		/* enum xfs_show */
};

/* All types in the order in which users see them, then a row of NULLs. */
extern const struct xfs_blocktype xfs_blocktypes[];
/* Type of a name in this version; NULL when there is none. */
const struct xfs_blocktype *xfs_blocktype_named(const char *name, bool v5);
const struct xfs_blocktype *xfs_blocktype_of(enum xfs_type);
XFS_INLINE const char *xfs_blocktype_name(const struct xfs_blocktype *t, bool v5) { return v5 ? t->v5 : t->v4; }
XFS_INLINE const struct xfs_desc *xfs_blocktype_desc(const struct xfs_blocktype *t, bool v5)
{
	return v5 ? t->desc5 : t->desc4;
}
XFS_INLINE enum xfs_show xfs_blocktype_show(const struct xfs_blocktype *t, bool v5)
{
	return (enum xfs_show)(v5 ? t->show5 : t->show4);
}

#define XFS_NO_POS UINT16_MAX

struct xfs_blockform {
	const char *name;		/* of findings; "" ends the list */
	uint8_t type;			/* enum xfs_type */
	uint8_t magic_bits;		/* 16 or 32 */
	uint8_t owner_bits;		/* 32: AG number, 64: inode number */
	uint32_t magic4, magic5;	/* 0: the version has no such form */
	/* Byte offsets, XFS_NO_POS = none. All but `magic` are of V5. blkno is a daddr; owner of an inode is itself. */
	uint16_t magic, crc, uuid, blkno, lsn, owner;
	const struct xfs_btree_shape *shape;	/* of a block of a btree, else NULL */
};
extern const struct xfs_blockform xfs_blockforms[];

/*
 * The form of a buffer that should be of `type`, by its magic number; NULL when it is none of them.  With XT_NONE any
 * type: the first form with this magic (a da node is XT_DIR).
 */
const struct xfs_blockform *xfs_blockform_of(enum xfs_type, bool v5, const uint8_t *p, size_t len);

/* What a block must agree with. */
struct xfs_block_facts {
	bool v5;
	const uint8_t *uuid;		/* 16 bytes, of metadata; NULL = not compared */
	const uint64_t *daddr;		/* own address, 512-byte sectors; NULL = not compared */
	const uint64_t *owner;		/* inode or AG number; NULL = not compared */
};

/*
 * Magic, checksum, uuid, address, owner of one block; contents are not looked at.  The checksum covers `len` bytes.
 * Returns 0, -XFS_E_BADMAGIC, -XFS_E_CORRUPT or -XFS_E_BADCRC (all else is fine) and the first problem in *why
 * (structure, field, found, expected) unless it is NULL.
 */
int xfs_blockform_verify(const struct xfs_blockform *, const struct xfs_block_facts *, const uint8_t *p, size_t len,
			 struct xfs_finding *why);
/*
 * Level and number of records of a block of a btree that fits its form: 0, or -XFS_E_CORRUPT with *why filled unless
 * it is NULL.  0 for other forms.
 */
int xfs_blockform_check_btree(const struct xfs_blockform *, bool v5, const uint8_t *p, size_t len,
			      struct xfs_finding *why);
/* Stores the checksum of `len` bytes. Nothing on V4. */
void xfs_blockform_seal(const struct xfs_blockform *, bool v5, uint8_t *p, size_t len);

#endif
