/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xfs_ioctl.h - the ioctls of XFS as the kernel takes them: numbers, structures, flags (sheet 09, sections 7, 10).
 *
 * Native endian, natural alignment (the kernel has compatible entry points for 32-bit programs), unused room is zero.
 * Names are our own; the numbers and layouts are the kernel's interface.
 * Layer: tool.
 */
#ifndef XFSKIT_IO_XFS_IOCTL_H
#define XFSKIT_IO_XFS_IOCTL_H

#include <stdint.h>
#include <sys/ioctl.h>

/* --- geometry and counters --- */

struct xfs_fs_geometry {
	uint32_t blocksize, rtextsize;		/* bytes; blocks */
	uint32_t agblocks, agcount;
	uint32_t logblocks, sectsize, inodesize, imaxpct;
	uint64_t datablocks, rtblocks, rtextents, logstart;
	uint8_t uuid[16];
	uint32_t sunit, swidth;			/* blocks */
	int32_t version;
	uint32_t flags, logsectsize, rtsectsize, dirblocksize, logsunit, sick, checked;
	uint32_t rgextents, rgcount;		/* realtime groups */
	uint64_t rtstart, rtreserved;		/* rtstart: first block of an internal realtime section, else 0 */
	uint64_t reserved[14];
};
_Static_assert(sizeof(struct xfs_fs_geometry) == 256, "geometry");

struct xfs_fs_counts {
	uint64_t freedata, freertx, freeino, allocino;
};

struct xfs_reserved_blocks {
	uint64_t blocks, available;
};

struct xfs_ag_geometry {
	uint32_t number, length, freeblks, icount, ifree, sick, checked, flags;
	uint64_t reserved[12];
};
_Static_assert(sizeof(struct xfs_ag_geometry) == 128, "AG geometry");

struct xfs_rtgroup_geometry {
	uint32_t number, length, sick, checked, flags, reserved[27];
};
_Static_assert(sizeof(struct xfs_rtgroup_geometry) == 128, "rtgroup geometry");

/* --- files --- */

struct xfs_dio_info {
	uint32_t mem, min_io, max_io;
};

/* A range of a file for the space ioctls; whence as in lseek(). */
struct xfs_file_range {
	int16_t type, whence;
	int64_t start, length;
	int32_t sysid;
	uint32_t pid;
	int32_t pad[4];
};

struct xfs_bmapx {
	int64_t offset, block, length;		/* 512-byte blocks; block -1: hole, -2: delayed allocation */
	int32_t count, entries;
	int32_t iflags, oflags;
	int32_t unused[2];
};
_Static_assert(sizeof(struct xfs_bmapx) == 48, "bmapx");
/* the request number was made with the size of an older, shorter structure */
struct xfs_bmap_old {
	int64_t offset, block, length;
	int32_t count, entries;
};

enum {
	XFS_BMAPX_ATTR = 1, XFS_BMAPX_PREALLOC = 4, XFS_BMAPX_DELALLOC = 8,
	XFS_BMAPX_NOHOLES = 0x10, XFS_BMAPX_COW = 0x20,
	XFS_BMAPX_OF_PREALLOC = 1, XFS_BMAPX_OF_DELALLOC = 2, XFS_BMAPX_OF_LAST = 4, XFS_BMAPX_OF_SHARED = 8,
	XFS_BMAPX_HOLE = -1, XFS_BMAPX_DELAYED = -2,
};

/* Inode record of the old bulkstat ioctls; time_t was a long. */
struct xfs_bulkstat_v1 {
	uint64_t ino;
	uint16_t mode, nlink;
	uint32_t uid, gid, rdev;
	int32_t blksize;
	int64_t size;
	struct { long sec; int32_t nsec; } atime, mtime, ctime;
	int64_t blocks;
	uint32_t xflags;
	int32_t extsize, extents;
	uint32_t gen;
	uint16_t projid_lo, forkoff, projid_hi, sick, checked;
	uint8_t pad[2];
	uint32_t cowextsize, dmevmask;
	uint16_t dmstate, aextents;
};

struct xfs_bulk_request_v1 {
	uint64_t *lastip;
	int32_t icount;
	void *buffer;
	int32_t *ocount;
};

struct xfs_inumbers_v1 {
	uint64_t startino;
	int32_t alloccount;
	uint64_t allocmask;
};

struct xfs_swap_extents {
	int64_t version, fd_target, fd_donor, offset, length;
	uint8_t pad[16];
	struct xfs_bulkstat_v1 stat;
};

struct xfs_exchange_range {
	int32_t file1_fd;
	uint32_t pad;
	uint64_t file1_offset, file2_offset, length, flags;
};
_Static_assert(sizeof(struct xfs_exchange_range) == 40, "exchange range");

struct xfs_commit_range {
	int32_t file1_fd;
	uint32_t pad;
	uint64_t file1_offset, file2_offset, length, flags;
	uint64_t freshness[6];
};
_Static_assert(sizeof(struct xfs_commit_range) == 88, "commit range");

enum {
	XFS_EXCHANGE_TO_EOF = 1, XFS_EXCHANGE_DSYNC = 2, XFS_EXCHANGE_DRY_RUN = 4, XFS_EXCHANGE_FILE1_WRITTEN = 8,
};

/* --- inodes --- */

struct xfs_bulk_header {
	uint64_t ino;
	uint32_t flags, icount, ocount, agno;
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct xfs_bulk_header) == 64, "bulk header");
enum {
	XFS_BULK_AGNO = 1,		/* only the AG in agno */
	XFS_BULK_SPECIAL = 2,		/* ino is a special number, such as 1 for the root directory */
	XFS_BULK_NREXT64 = 4,		/* extents64 is wanted */
	XFS_BULK_METADIR = 8,		/* metadata files as well */
	XFS_BULK_ROOT = 1,
};

struct xfs_bulkstat {
	uint64_t ino, size, blocks, xflags;
	int64_t atime, mtime, ctime, btime;
	uint32_t gen, uid, gid, projectid;
	uint32_t atime_nsec, mtime_nsec, ctime_nsec, btime_nsec;
	uint32_t blksize, rdev, cowextsize_blks, extsize_blks;
	uint32_t nlink, extents, aextents;
	uint16_t version, forkoff, sick, checked, mode, pad2;
	uint64_t extents64, pad[6];
};
_Static_assert(sizeof(struct xfs_bulkstat) == 192, "bulkstat");

struct xfs_inumbers {
	uint64_t startino, allocmask;
	uint8_t alloccount, version, pad[6];
};
_Static_assert(sizeof(struct xfs_inumbers) == 24, "inumbers");

struct xfs_file_handle {
	uint32_t fsid[2];
	uint16_t fid_length, fid_pad;		/* fid_length: bytes behind itself */
	uint32_t gen;
	uint64_t ino;
};
_Static_assert(sizeof(struct xfs_file_handle) == 24, "handle");

struct xfs_parents_request {
	uint32_t cursor[4];
	uint16_t iflags, oflags;
	uint32_t bufsize;
	uint64_t reserved, buffer;
};
_Static_assert(sizeof(struct xfs_parents_request) == 40, "parents request");
struct xfs_parents_by_handle {
	struct xfs_file_handle handle;
	struct xfs_parents_request request;
};
struct xfs_parent_record {
	struct xfs_file_handle parent;
	uint32_t reclen, reserved;
	char name[];
};
enum { XFS_PARENTS_ROOT = 1, XFS_PARENTS_DONE = 2 };

/* --- repair --- */

struct xfs_scrub_request {
	uint32_t type, flags;
	uint64_t ino;
	uint32_t gen, agno;
	uint64_t reserved[5];
};
_Static_assert(sizeof(struct xfs_scrub_request) == 64, "scrub request");

struct xfs_scrub_vector {
	uint32_t type, flags;
	int32_t ret;
	uint32_t reserved;
};
struct xfs_scrub_vectors {
	uint64_t ino;
	uint32_t gen, agno, flags;
	uint16_t rest_us, count;
	uint64_t reserved, vectors;
};
_Static_assert(sizeof(struct xfs_scrub_vectors) == 40, "scrub vectors");

enum {
	XFS_SCRUB_REPAIR = 1u << 0, XFS_SCRUB_CORRUPT = 1u << 1, XFS_SCRUB_PREEN = 1u << 2, XFS_SCRUB_XFAIL = 1u << 3,
	XFS_SCRUB_XCORRUPT = 1u << 4, XFS_SCRUB_INCOMPLETE = 1u << 5, XFS_SCRUB_WARNING = 1u << 6,
	XFS_SCRUB_NO_REPAIR_NEEDED = 1u << 7, XFS_SCRUB_FORCE_REBUILD = 1u << 8,
	XFS_SCRUB_BARRIER = 0xffffffffu,	/* a vector's type: stop here when something before it failed */
};

struct xfs_error_injection {
	int32_t fd, tag;
};

/* --- other filesystems answer these as well --- */

struct fs_uuid_answer {
	uint8_t len, uuid[16];
};
struct fs_sysfs_answer {
	uint8_t len, name[128];
};

#define XFS_IOCTL_DIOINFO _IOR('X', 30, struct xfs_dio_info)
#define XFS_IOCTL_ALLOCSP64 _IOW('X', 36, struct xfs_file_range)
#define XFS_IOCTL_FREESP64 _IOW('X', 37, struct xfs_file_range)
#define XFS_IOCTL_RESVSP64 _IOW('X', 42, struct xfs_file_range)
#define XFS_IOCTL_UNRESVSP64 _IOW('X', 43, struct xfs_file_range)
#define XFS_IOCTL_FSGETXATTRA _IOR('X', 45, struct fsxattr)
#define XFS_IOCTL_GETBMAPX _IOWR('X', 56, struct xfs_bmap_old)
#define XFS_IOCTL_ZERO_RANGE _IOW('X', 57, struct xfs_file_range)
#define XFS_IOCTL_SCRUB _IOWR('X', 60, struct xfs_scrub_request)
#define XFS_IOCTL_AG_GEOMETRY _IOWR('X', 61, struct xfs_ag_geometry)
#define XFS_IOCTL_GETPARENTS _IOWR('X', 62, struct xfs_parents_request)
#define XFS_IOCTL_GETPARENTS_BY_HANDLE _IOWR('X', 63, struct xfs_parents_by_handle)
#define XFS_IOCTL_SCRUBV _IOWR('X', 64, struct xfs_scrub_vectors)
#define XFS_IOCTL_RTGROUP_GEOMETRY _IOWR('X', 65, struct xfs_rtgroup_geometry)
#define XFS_IOCTL_BULKSTAT_V1 _IOWR('X', 101, struct xfs_bulk_request_v1)
#define XFS_IOCTL_BULKSTAT_SINGLE_V1 _IOWR('X', 102, struct xfs_bulk_request_v1)
#define XFS_IOCTL_INUMBERS_V1 _IOWR('X', 103, struct xfs_bulk_request_v1)
#define XFS_IOCTL_SWAPEXT _IOWR('X', 109, struct xfs_swap_extents)
#define XFS_IOCTL_FSCOUNTS _IOR('X', 113, struct xfs_fs_counts)
#define XFS_IOCTL_SET_RESBLKS _IOWR('X', 114, struct xfs_reserved_blocks)
#define XFS_IOCTL_GET_RESBLKS _IOR('X', 115, struct xfs_reserved_blocks)
#define XFS_IOCTL_INJECT _IOW('X', 116, struct xfs_error_injection)
#define XFS_IOCTL_GOINGDOWN _IOR('X', 125, uint32_t)
#define XFS_IOCTL_FSGEOMETRY _IOR('X', 126, struct xfs_fs_geometry)
#define XFS_IOCTL_BULKSTAT _IOR('X', 127, struct xfs_bulk_header)
#define XFS_IOCTL_INUMBERS _IOR('X', 128, struct xfs_bulk_header)
#define XFS_IOCTL_EXCHANGE_RANGE _IOW('X', 129, struct xfs_exchange_range)
#define XFS_IOCTL_START_COMMIT _IOR('X', 130, struct xfs_commit_range)
#define XFS_IOCTL_COMMIT_RANGE _IOW('X', 131, struct xfs_commit_range)
#define FS_IOCTL_GETUUID _IOR(0x15, 0, struct fs_uuid_answer)
#define FS_IOCTL_GETSYSFSPATH _IOR(0x15, 1, struct fs_sysfs_answer)

#endif
