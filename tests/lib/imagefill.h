/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imagefill.h - a fresh image (with rmapbt) gets more than a kernel could write in a test's time.
 *
 * What stands in the image is read, what is new is claimed, and the AGs are built from all claims, as a repair builds
 * them.  Order: imagefill_open(), imagefill_read(), imagefill_seal(), inodes and blocks, imagefill_commit().  Errors
 * are those of the library; imagefill_close() is right after any of them.
 */
#ifndef TESTS_LIB_IMAGEFILL_H
#define TESTS_LIB_IMAGEFILL_H

#include "libxfs/build/ag.h"
#include "libxfs/inode/inode.h"

struct fill_group {			/* an AG */
	struct xfs_inode_chunk *chunks;
	size_t nchunks, room;
	uint32_t heads[XFS_AGI_BUCKETS];	/* of deleted files that are open */
};

struct imagefill {
	struct xfs_devset set;
	struct xfs_fs *fs;
	const struct xfs_geometry *g;
	struct xfs_claims *claims;
	struct fill_group *ags;
	uint64_t *inos;			/* taken by imagefill_inodes(), ascending by AG */
	uint64_t ninos;
	/* while the image is read: what is told of each claim that stays; NULL: nothing */
	int (*each)(void *payload, xfs_agno_t, const struct xfs_claim *);
	void *payload;
	xfs_agno_t agno;
};

/* UNSUPPORTED: not of version 5, no rmapbt, no lazy counters. */
int imagefill_open(struct imagefill *, const char *image);
/* Claims but those of trees that are built anew, and chunks. */
int imagefill_read(struct imagefill *);
int imagefill_seal(struct imagefill *);
/*
 * New chunks, from where the trees will have ended: `count` of their inodes are blank, with this mode and these links.
 */
int imagefill_inodes(struct imagefill *, uint64_t count, unsigned mode, uint32_t nlink);
/* The image of an inode without contents: an empty file, or a directory to be. */
void imagefill_blank(const struct imagefill *, uint64_t ino, unsigned mode, uint32_t nlink, uint8_t *image);
/* Sets the checksum. */
int imagefill_write_inode(struct imagefill *, uint64_t ino, uint8_t *image);
/* Builds all AGs, and the counters of the superblock. */
int imagefill_commit(struct imagefill *);
void imagefill_close(struct imagefill *);

#endif
