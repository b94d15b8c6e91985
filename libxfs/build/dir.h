/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir.h - a complete directory from the list of its entries (format sheet 03, sections 5 and 9.2).
 *
 * The form follows from the entries and the size of the fork alone: short form when it fits the fork and a block, else
 * one block, else data blocks with a single leaf, else a tree with a free index; where the kernel changes forms when
 * entries are added one by one.  Data entries keep the order of the list and never cross a block; leaves of a tree are
 * filled to about 85 %.  The same list gives the same bytes.  Memory: 20 bytes an entry while it runs.
 * Layer: build.
 */
#ifndef XFS_BUILD_DIR_H
#define XFS_BUILD_DIR_H

#include "libxfs/build/filemap.h"
#include "libxfs/name/dir.h"

struct xfs_build_dirent {
	uint64_t ino;
	const uint8_t *name;		/* not terminated */
	uint8_t namelen, ftype;		/* ftype is counted (subdirs) even where it is not stored */
};

/* What a list of entries needs. */
struct xfs_build_dir_shape {
	enum xfs_dir_form form;
	uint64_t size;			/* di_size, bytes */
	uint64_t data, index, free;	/* directory blocks in the three spaces */
	unsigned levels;		/* of the index: 1 = a single leaf; 0: none */
	uint64_t blocks;		/* filesystem blocks of them; what a tree of the fork takes is not counted */
	uint32_t subdirs;		/* link count of the directory = this + 2 */
	unsigned wide;			/* inode numbers beyond 32 bits, the parent's included */
};

struct xfs_build_dir {
	struct xfs_build_target to;
	uint64_t parent;		/* ".."; "." is to.ino. Neither is in the list */
	const struct xfs_build_dirent *entries;
	size_t n;
	uint32_t forksize;		/* bytes of the data fork in the inode */
	uint8_t *bytes;			/* in: room of forksize bytes; out: the fork, unused bytes zero */
	/* out */
	struct xfs_build_dir_shape shape;
	struct xfs_built fork;
};

/*
 * Errors: INVALID (an entry that a reader would refuse, or one of the dots, or numbers that are no inodes), TOOBIG
 * (32 GiB of data and more).
 */
int xfs_build_dir_shape(const struct xfs_build_dir *, struct xfs_build_dir_shape *out);
/*
 * Writes all blocks (not the inode).  Errors: those of xfs_build_dir_shape(), EXISTS (a name twice, as directories of
 * this filesystem compare names), those of alloc(), of the device and of xfs_build_fork(), NOMEM; blocks taken were
 * given back then.
 */
int xfs_build_dir(struct xfs_build_dir *);

#endif
