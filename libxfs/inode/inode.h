/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inode.h - reading inodes and judging their fields (format sheet 03, sections 1, 2 and 10.1).
 *
 * Reading checks what must hold to use the bytes at all: magic, version, checksum, own number, uuid.  All other rules
 * are xfs_inode_verify(), which reports each broken one; code that uses a damaged inode anyway is safe, because the
 * fork functions clamp every size.  Inodes are cached as single filesystem blocks, so that a chunk that lies anywhere
 * never overlaps another shape.  Layer: inode.
 */
#ifndef XFS_INODE_INODE_H
#define XFS_INODE_INODE_H

#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/inode.h"

struct xfs_inode {
	struct xfs_fs *fs;
	xfs_ino_t ino;
	struct xfs_dinode d;			/* host order */
	uint32_t size;				/* bytes of raw in use: geo.inodesize */
	uint8_t raw[XFS_DINODE_MAX_SIZE];	/* as on disk */
};

enum xfs_inode_flag {
	XFS_INODE_NOCHECK = 1,			/* only NOMEM, RANGE and errors of the device */
};

/*
 * Reads one inode. Errors: RANGE (not a number of this filesystem), errors of the device, and those of
 * xfs_inode_parse().  Free inodes are read like others (di_mode 0).
 */
int xfs_inode_read(struct xfs_fs *, xfs_ino_t, unsigned flags, struct xfs_inode *out);
/*
 * The same from bytes in memory, `geo.inodesize` of them. *out is filled in any case.  Errors: BADMAGIC, CORRUPT
 * (version, own number, uuid), BADCRC (all else is fine).
 */
int xfs_inode_parse(struct xfs_fs *, xfs_ino_t, const uint8_t *raw, struct xfs_inode *out);

/* Which inode the superblock knows it as; its rules differ. */
enum xfs_inode_role {
	XFS_INODE_ORDINARY, XFS_INODE_ROOT, XFS_INODE_RTBITMAP, XFS_INODE_RTSUMMARY, XFS_INODE_QUOTA, XFS_INODE_METADIR
};
enum xfs_inode_role xfs_inode_role(const struct xfs_fs *, xfs_ino_t);

/*
 * Every rule of the core, one finding each. Does not look at the contents of forks.  Returns 0 when all hold, else
 * CORRUPT.
 */
int xfs_inode_verify(const struct xfs_inode *, const struct xfs_sink *);
/* The same but for the checksum, when the caller knows that it is right. */
int xfs_inode_verify_fields(const struct xfs_inode *, const struct xfs_sink *);

XFS_INLINE unsigned xfs_inode_fmt(const struct xfs_inode *ip) { return ip->d.core.mode & XFS_MODE_FMT; }
XFS_INLINE bool xfs_inode_is_dir(const struct xfs_inode *ip) { return xfs_inode_fmt(ip) == XFS_MODE_DIR; }
XFS_INLINE bool xfs_inode_is_realtime(const struct xfs_inode *ip)
{
	return xfs_inode_fmt(ip) == XFS_MODE_REG && (ip->d.core.flags & XFS_DIFLAG_REALTIME);
}
/* File type byte of directory entries for a mode; XFS_DIR_FT_UNKNOWN for none. */
unsigned xfs_mode_ftype(unsigned mode);
/* Fork in bytes, clamped to the inode. */
const uint8_t *xfs_inode_fork_bytes(const struct xfs_inode *, enum xfs_fork, uint32_t *len);
/* A finding that names this inode. */
struct xfs_finding xfs_inode_finding(const struct xfs_inode *, enum xfs_finding_id, const char *field);

#endif
