/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xfskit.h - the public interface of libxfskit: reading XFS filesystems without a kernel.
 *
 * Functions return 0 or a negated code (xfs_error_text() gives its words, xfs_error_errno() its errno value).  Results
 * go through pointers; a handle that comes out through a pointer belongs to the caller, who closes it.  Nothing is
 * printed, nothing is written to the device, no state is shared between handles.  One handle may be used by several
 * threads. Blocks are filesystem blocks counted from the start of the data device (not the kernel's fsblock numbers).
 */
#ifndef XFSKIT_H
#define XFSKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XFSKIT_API __attribute__((visibility("default")))

struct xfskit;

/* Text, symbolic name and errno value of a code, negated or not. */
XFSKIT_API const char *xfs_error_text(int code);
XFSKIT_API const char *xfs_error_name(int code);
XFSKIT_API int xfs_error_errno(int code);

/* Opens a device or image read-only; the filesystem starts at byte `offset`. */
XFSKIT_API int xfskit_open(struct xfskit **out, const char *path, uint64_t offset);
XFSKIT_API void xfskit_close(struct xfskit *);	/* NULL is allowed */

struct xfskit_info {
	uint32_t block_size, sector_size, inode_size, ag_count, ag_blocks;
	uint64_t blocks, free_blocks, inodes, free_inodes, root_inode;
	uint8_t uuid[16];
	char label[13];
	bool v5, rmapbt, reflink, log_dirty;
};
XFSKIT_API int xfskit_info(struct xfskit *, struct xfskit_info *);

enum xfskit_owner_flag { XFSKIT_ATTR = 1, XFSKIT_BMBT = 2, XFSKIT_UNWRITTEN = 4 };
struct xfskit_owner {
	uint64_t block, count;		/* the whole mapping, blocks */
	/* inode number, or -3 headers, -4 log, -5 free space trees, -6 inode trees, -7 inodes, ... */
	int64_t owner;
	uint64_t offset;		/* block in the file */
	unsigned flags;
};
typedef int (*xfskit_owner_fn)(void *payload, const struct xfskit_owner *);	/* nonzero stops and is returned */
/*
 * Who owns blocks [block, block + count): every reverse mapping that overlaps, in order.  Visits only the btree nodes
 * that can hold one.  Errors: RANGE; UNSUPPORTED when the filesystem has no reverse mappings; damage.
 */
XFSKIT_API int xfskit_owners(struct xfskit *, uint64_t block, uint64_t count, xfskit_owner_fn, void *payload);

struct xfskit_extent {
	uint64_t offset, block, count;	/* blocks: in the file, on the device */
	bool unwritten;
};
typedef int (*xfskit_extent_fn)(void *payload, const struct xfskit_extent *);
/* The block map of an inode's data fork, or of its attribute fork. NOENT: there is no such fork. */
XFSKIT_API int xfskit_extents(struct xfskit *, uint64_t ino, bool attr, xfskit_extent_fn, void *payload);

/* Inode of an absolute path. Links are not followed. */
XFSKIT_API int xfskit_lookup(struct xfskit *, const char *path, uint64_t *ino);
/* A path of an inode; `room` bytes. NOENT: it has no name. */
XFSKIT_API int xfskit_path(struct xfskit *, uint64_t ino, char *path, size_t room);

struct xfskit_stat {
	uint32_t mode, uid, gid, links;
	uint64_t size, blocks, extents;
	int64_t atime, mtime, ctime;	/* seconds since 1970 */
};
XFSKIT_API int xfskit_stat(struct xfskit *, uint64_t ino, struct xfskit_stat *);

typedef int (*xfskit_name_fn)(void *payload, const char *name, size_t len, uint64_t ino);
/* Entries of a directory, "." and ".." included; names are bytes, not terminated. */
XFSKIT_API int xfskit_readdir(struct xfskit *, uint64_t ino, xfskit_name_fn, void *payload);
/* Bytes [offset, offset + len) of a file; holes read as zero; *got = bytes read, short at the end. */
XFSKIT_API int xfskit_read(struct xfskit *, uint64_t ino, uint64_t offset, void *buf, size_t len, size_t *got);

#ifdef __cplusplus
}
#endif
#endif
