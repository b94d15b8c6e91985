/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * livefs.h - small filesystems in memory with a chunk of inodes, opened for changing, for tests of inodes and forks.
 */
#ifndef TESTS_UNIT_LIVEFS_H
#define TESTS_UNIT_LIVEFS_H

#include "libxfs/transaction/transaction.h"
#include "tests/unit/agcheck.h"
#include "tests/unit/memdev.h"
#include "tests/unit/testfs.h"

struct livefs {
	struct xfs_geometry geo;	/* as it was built */
	struct memdev *dev;		/* NULL: an image */
	struct xfs_devset set;
	struct xfs_fs *fs;
	struct xfs_edit *edit;
	struct xfs_live *live;
	struct xfs_edit_options options;
	struct xfs_trans t;
	uint64_t root;			/* number of the root directory; two files of the realtime section follow */
	unsigned nfiles;		/* empty regular files behind those: root + 3 and so on */
	char finding[300];		/* the last one that the library reported */
	uint64_t used;			/* livefs_check(): blocks of files and of their trees */
	uint64_t inodes;		/* livefs_check(): in use */
	bool orphans;			/* unlinked lists may hold inodes */
};

/* Builds it and opens it. The first AG holds log and inodes. `options` NULL: direct. */
void livefs_init(struct livefs *, const struct testfs *, unsigned nfiles, const struct xfs_edit_options *);
/* An image that mkfs.xfs made: no files. `options` NULL: direct. */
void livefs_open_image(struct livefs *, const char *path, const struct xfs_edit_options *options);
/* Opens what lies on its devices, after the test closed edit and fs. */
void livefs_open(struct livefs *, const struct xfs_edit_options *);
void livefs_release(struct livefs *);
/* Syncs, closes, opens again. */
void livefs_reopen(struct livefs *);
static inline uint64_t livefs_ino(const struct livefs *l, unsigned k) { return l->root + 3 + k; }
void livefs_begin(struct livefs *);
void livefs_commit(struct livefs *);
/* Inode in the open transaction; put it back. */
struct xfs_live_inode *livefs_get(struct livefs *, uint64_t ino);
/*
 * Quiesces, reads the device anew and checks AGs (agcheck.h), each inode and fork, bmbts, and that forks, reverse
 * mappings, reference counts, free space and the superblock's counters agree.
 */
void livefs_check(struct livefs *);
/* A finding sink that fails the test. */
extern const struct xfs_sink livefs_strict;

#endif
