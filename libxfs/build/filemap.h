/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filemap.h - the blocks of a directory or of attributes that are built: taken, written in the order of the device,
 * and mapped by a fork.
 *
 * The builder says which ranges of the file it needs, then fills one block at a time when asked to.  Headers of V5
 * (uuid, owner, address, LSN, checksum) are stamped here.  Nothing points at the blocks until the caller writes the
 * inode.  Layer: build; struct xfs_build_target is for the callers of dir.h and attr.h, the rest is private.
 */
#ifndef XFS_BUILD_FILEMAP_H
#define XFS_BUILD_FILEMAP_H

#include "libxfs/build/fork.h"

/* Of whom and where. */
struct xfs_build_target {
	const struct xfs_geometry *geo;
	struct xfs_dev *dev;
	uint64_t ino;
	uint64_t lsn;			/* stamped into new blocks */
	/*
	 * Takes a run of 1 to `want` free blocks inside one AG, the longer the better.  `offset` is what a claim on it
	 * says (format sheet 02, section 4.1): the file offset in blocks with XFS_RMAP_ATTR, or XFS_RMAP_BMBT for a
	 * block of the fork's tree (want is 1 then).
	 */
	int (*alloc)(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got);
	/* May be NULL. After a failure each block is given back once, in runs that need not be those taken. */
	void (*unalloc)(void *payload, uint64_t fsbno, uint64_t len);
	void *payload;
};

/* A fork that was built. */
struct xfs_built {
	unsigned format;		/* XFS_DINODE_FMT_LOCAL, _EXTENTS or _BTREE */
	uint64_t nextents;
	uint64_t nblocks;		/* of the fork, those of its tree included */
};

/* ---- private ---- */

struct xfs_filemap {
	const struct xfs_build_target *to;
	enum xfs_fork which;
	struct xfs_extent *extents;	/* ascending by file offset */
	size_t n, room;
	uint64_t blocks;
};
/* Blocks [off, off + len) of the file, behind those taken before. Errors: of alloc(), NOMEM, INVALID (its answer). */
int xfs_filemap_take(struct xfs_filemap *, uint64_t off, uint64_t len);

/* What is written: blocks of `fsbs` filesystem blocks each, at multiples of that. */
struct xfs_filemap_content {
	unsigned fsbs;
	enum xfs_type type;		/* XT_DIR or XT_ATTR: where the headers of V5 are */
	/* Fills the block at `off` of the file, which is all zero. */
	void (*make)(void *payload, uint64_t off, uint8_t *block);
	void *payload;
};
/* Errors: those of the device, NOMEM. */
int xfs_filemap_write(struct xfs_filemap *, const struct xfs_filemap_content *);
/* The fork itself, its tree included: `bytes` has room for `forksize`. Errors: those of xfs_build_fork(). */
int xfs_filemap_finish(struct xfs_filemap *, uint32_t forksize, uint8_t *bytes, struct xfs_built *out);
/* Frees the memory; `failed`: gives the blocks back too. */
void xfs_filemap_end(struct xfs_filemap *, bool failed);

#endif
