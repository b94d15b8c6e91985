/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attr.h - a complete attribute fork from the list of attributes (format sheet 03, sections 6, 7 and 9.3).
 *
 * The form follows from the list and the data fork alone: short form when there is a place for it in the inode, else
 * one leaf, else a tree with leaves filled to about 85 %; values that a leaf may not hold lie in blocks of their own
 * behind the tree.  The same list gives the same bytes.  Memory: 28 bytes an attribute while it runs.
 * On a filesystem that had no attributes yet the superblock must get XFS_SB_VERSION_ATTR: the caller's.  Layer: inode.
 */
#ifndef XFS_BUILD_ATTR_H
#define XFS_BUILD_ATTR_H

#include "libxfs/build/filemap.h"
#include "libxfs/inode/forkoff.h"
#include "libxfs/name/attr.h"

struct xfs_build_attr {
	const uint8_t *name;		/* not terminated; without the prefix of its namespace */
	const uint8_t *value;
	uint32_t valuelen;
	uint8_t namelen;
	uint8_t flags;			/* namespace: 0, XFS_ATTR_ROOT, _SECURE or _PARENT */
};

struct xfs_build_attrs {
	struct xfs_build_target to;
	const struct xfs_build_attr *list;
	size_t n;			/* 0: an empty fork, di_forkoff stays */
	struct xfs_forkoff_facts data;	/* the other fork */
	uint8_t *bytes;			/* in: room of geo->litino bytes; out: `forksize` of them, unused bytes zero */
	/* out */
	enum xfs_attr_form form;
	/*
	 * di_forkoff. When it changed, the data fork must be made anew, unless it fits in 8 * forkoff bytes as it is.
	 */
	unsigned forkoff;
	uint32_t forksize;		/* bytes of the attribute fork */
	unsigned levels;		/* of the tree: 1 = a single leaf; 0: none */
	uint64_t index, values;		/* blocks of the tree and of values */
	struct xfs_built fork;
};

/*
 * Writes all blocks (not the inode).  Errors: INVALID (an attribute that a reader would refuse, a data.forkoff that
 * leaves no fork), EXISTS (one twice; parent pointers are the same when name and parent are), TOOBIG, those of alloc(),
 * of the device and of xfs_build_fork(), NOMEM; blocks taken were given back then.
 */
int xfs_build_attrs(struct xfs_build_attrs *);

#endif
