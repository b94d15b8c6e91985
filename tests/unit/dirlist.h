/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirlist.h - lists of entries for the builder of directories.
 */
#ifndef TESTS_UNIT_DIRLIST_H
#define TESTS_UNIT_DIRLIST_H

#include "libxfs/build/dir.h"
#include "tests/unit/testfs.h"

struct dirlist {
	struct xfs_build_dirent *e;
	uint8_t *names;
	size_t n;
};

/*
 * n names of [least, most] bytes, distinct by the decimal number at their end; `large` of a hundred lead to inodes in
 * any AG, the others to such in the first.  dirlist_free() when done.
 */
void dirlist_make(struct dirlist *, const struct xfs_geometry *, struct testrand *, size_t n, unsigned least,
		  unsigned most, unsigned large);
/* 2^bits names of one hash. */
void dirlist_equal_hashes(struct dirlist *, unsigned bits);
void dirlist_free(struct dirlist *);

#endif
