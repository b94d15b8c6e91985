/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types.h - the number spaces of the format, one type each.
 *
 * Numbers that are easily mixed up are one-member structs, so that mixing them does not compile.
 * All are in host order. Conversions live in mount/geometry.h. Lowest layer: includes nothing of ours.
 */
#ifndef XFS_BASE_TYPES_H
#define XFS_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { uint32_t v; } xfs_agno_t;	/* allocation group index */
typedef struct { uint32_t v; } xfs_agbno_t;	/* block in an allocation group */
typedef struct { uint64_t v; } xfs_fsbno_t;	/* (agno << agblklog) | agbno: sparse */
typedef struct { uint64_t v; } xfs_daddr_t;	/* 512-byte sector of the device */
typedef struct { uint64_t v; } xfs_fileoff_t;	/* block in a file */
typedef struct { uint64_t v; } xfs_ino_t;	/* inode number */
typedef struct { uint32_t v; } xfs_agino_t;	/* inode number in an allocation group */

#define XFS_AGNO(x) ((xfs_agno_t){ (uint32_t)(x) })
#define XFS_AGBNO(x) ((xfs_agbno_t){ (uint32_t)(x) })
#define XFS_FSBNO(x) ((xfs_fsbno_t){ (x) })
#define XFS_DADDR(x) ((xfs_daddr_t){ (x) })
#define XFS_FILEOFF(x) ((xfs_fileoff_t){ (x) })
#define XFS_INO(x) ((xfs_ino_t){ (x) })
#define XFS_AGINO(x) ((xfs_agino_t){ (uint32_t)(x) })

#define XFS_NULL32 UINT32_C(0xffffffff)
#define XFS_NULL64 UINT64_C(0xffffffffffffffff)
#define XFS_BBSIZE 512u
#define XFS_BBSHIFT 9u

/* Owners of reverse mappings (format sheet 02, section 4.2): bit 63 set, never an inode number. */
#define XFS_OWN(n) (UINT64_C(0) - (n))
#define XFS_OWN_NULL XFS_OWN(1)
#define XFS_OWN_UNKNOWN XFS_OWN(2)
#define XFS_OWN_FS XFS_OWN(3)
#define XFS_OWN_LOG XFS_OWN(4)
#define XFS_OWN_AG XFS_OWN(5)
#define XFS_OWN_INOBT XFS_OWN(6)
#define XFS_OWN_INODES XFS_OWN(7)
#define XFS_OWN_REFC XFS_OWN(8)
#define XFS_OWN_COW XFS_OWN(9)
#define XFS_OWN_MIN XFS_OWN(10)

static inline bool xfs_owner_is_special(uint64_t owner)
{
	return owner >> 63 != 0;
}

/* Flag bits of the on-disk rmap offset word (format sheet 02, section 4.1). */
#define XFS_RMAP_ATTR (UINT64_C(1) << 63)
#define XFS_RMAP_BMBT (UINT64_C(1) << 62)
#define XFS_RMAP_UNWRITTEN (UINT64_C(1) << 61)
#define XFS_RMAP_FLAGS (XFS_RMAP_ATTR | XFS_RMAP_BMBT | XFS_RMAP_UNWRITTEN)
#define XFS_RMAP_OFFMASK ((UINT64_C(1) << 54) - 1)

#define XFS_BMBT_MAXLEN UINT32_C(0x1fffff)	/* longest extent of a bmbt record, blocks */

#define XFS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
