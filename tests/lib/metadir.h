/* SPDX-License-Identifier: BSD-2-Clause */
/* metadir.h - what the parts of the helper program metadir share. Whatever fails ends the program. */
#ifndef TESTS_LIB_METADIR_H
#define TESTS_LIB_METADIR_H

#include "libxfs/inode/inode.h"
#include "libxfs/transaction/file.h"

#define METADIR_MOST 200u		/* inodes that are made */

/* What becomes of an inode when all names are there. */
struct metadir_made {
	uint64_t ino;
	unsigned metatype;
	uint32_t group, projid;
	char name[24];
};

extern struct metadir {
	struct xfs_dev *dev, *rt;
	struct xfs_geometry geo;
	struct xfs_sb sb;
	struct xfs_edit *edit;
	bool many;			/* extents of the realtime section */
	struct metadir_made made[METADIR_MOST];
	unsigned nmade;
} metadir;

void metadir_must(int err, const char *what);
/* Inodes as they lie on the device. */
void metadir_load(uint64_t ino, uint8_t *image, struct xfs_dinode *);
void metadir_store(uint64_t ino, uint8_t *image, const struct xfs_dinode *);
/* Makes one of metadata of it; and none, as long as the library works on it. */
void metadir_dress(uint64_t ino, unsigned metatype, uint32_t group);
void metadir_undress(uint64_t ino);
/* By name; NULL: it was not made. */
struct metadir_made *metadir_find(const char *name);
/* Where a block of a file lies. */
uint64_t metadir_block_of(uint64_t ino, uint64_t block);

/*
 * metadir_groups.c: blocks of the summary of a group; the files in the section, then all that follows; the superblock
 * of the realtime device.
 */
uint64_t metadir_summary_blocks(void);
void metadir_fill_groups(void);
void metadir_write_rt_super(void);

#endif
