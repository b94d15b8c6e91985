/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - hashes of names (format sheet 03, sections 5.6 and 7).
 *
 * Layer: name.
 */
#ifndef XFS_NAME_HASH_H
#define XFS_NAME_HASH_H

#include "libxfs/mount/geometry.h"

/* Any name; attributes always use this one. */
uint32_t xfs_name_hash(const void *name, size_t len);
/* The same after ASCII and Latin-1 capitals were lowered (version=ci). */
uint32_t xfs_name_hash_ci(const void *name, size_t len);
/* A byte as case-insensitive directories see it. */
uint8_t xfs_name_lower(uint8_t c);

/* Hash of a directory entry of this filesystem. */
uint32_t xfs_dir_hash(const struct xfs_geometry *, const void *name, size_t len);
/* Are these the same name for directories of this filesystem? */
bool xfs_dir_name_equal(const struct xfs_geometry *, const void *a, size_t alen, const void *b, size_t blen);
/* Hash of the parent pointer for an entry of directory `parent`. */
uint32_t xfs_parent_hash(const struct xfs_geometry *, const void *name, size_t len, xfs_ino_t parent);

#endif
