/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime.h - the realtime section: who holds its extents, and what bitmap and summary must say (format sheet 10).
 *
 * Forks of files are the witnesses; bitmap, summary and frextents follow from them.  Without realtime groups the
 * section is taken as one group.  Blocks are counted as on the device (xfs_rtblock_linear()).
 * Zones have reverse mappings and a counter of blocks in use, no bitmap.
 */
#ifndef REPAIR_REALTIME_H
#define REPAIR_REALTIME_H

#include "repair/scan.h"

/* A run of realtime extents in use; ascending, neighbours merged. */
struct repair_rt_run {
	uint64_t start, len;
};

/* What one group looks like. */
struct repair_rt_shape {
	uint32_t groups;
	uint64_t per_group;		/* extents of a full one */
	bool bitmaps;			/* groups have them, and summaries; zones don't, nor what follows here */
	uint64_t words;			/* 32-bit words of a block */
	uint64_t bitmap, summary;	/* blocks of the files of each group */
	unsigned levels;		/* of the summary */
	bool headers;			/* blocks have them */
};

/* False: there is no realtime section. */
bool repair_rt_shape(const struct repair *, struct repair_rt_shape *);
/*
 * Blocks of a mapping, from its `done`th on, to the end of their group: where
 * groups have no gaps between their numbers it may go on.
 */
uint32_t repair_rt_piece(const struct repair *, const struct xfs_mapping *, uint32_t done);
/* The first block of a group, by xfs_rtblock_linear(). */
uint64_t repair_rt_group_start(const struct xfs_geometry *, uint32_t group);

/*
 * realtime_flag.c: reverse mappings say that the data of a regular file lie on the other device than its flag does;
 * before its forks are looked at.
 */
bool repair_rt_flag_is_wrong(struct repair *, struct repair_seen *);
/* The inodes of this AG were scanned: what was kept to answer that at once is let go. */
void repair_rt_flag_done(struct repair_ag *);
/* While inodes are observed. Errors: NOMEM. */
int repair_rt_add(struct repair *, struct repair_ag *, uint64_t ino, bool shareable, const struct xfs_mapping *);
int repair_rt_note_file(struct repair *, struct repair_seen *);
/* One more metadata file of this AG. Errors: NOMEM. */
int repair_rt_add_file(struct repair_ag *, const struct repair_rt_file *);
/* Forks are decided: extents that two files claim go to one of them. */
int repair_rt_settle(struct repair *);
/*
 * A map that was cut: realtime extents begin with a mapping, so what stands before the rest of one is this file's, too.
 * It had the other state, or it would have been one record with the rest.
 */
int repair_rt_align(const struct repair *, struct xfs_mapset *);
/*
 * Every extent of the section that a file holds, as it is decided: ascending by
 * block, then by inode. The caller frees. Errors: NOMEM.
 */
int repair_rt_claims(struct repair *, struct repair_rt_map **, size_t *n);
/*
 * realtime_trees.c: reverse mappings and reference counts of groups against the files; trees that differ are made anew.
 */
int repair_rt_trees(struct repair *);
bool repair_rt_is_tree(const struct repair *, const struct xfs_dinode *);
/* Forks may have changed: what follows in the next two starts from them. */
void repair_rt_forget(struct repair *);
/* Blocks that the tree of this inode will take; then the tree: c->image gets its root, *d format and size. */
int repair_rt_tree_blocks(struct repair *, const struct xfs_dinode *, uint64_t *blocks);
int repair_rt_build_tree(struct repair *, struct repair_inode *c, struct xfs_dinode *d,
			 int (*alloc)(void *, uint64_t *), void *payload);
/* realtime_super.c: with groups, when the realtime device is given. */
int repair_rt_super(struct repair *);
/* Bitmap and summary get the blocks that they lack. */
int repair_rt_complete(struct repair *);
/* Extents in use, after all that was decided. *runs: the caller frees. Errors: NOMEM. */
int repair_rt_used(struct repair *, struct repair_rt_run **runs, size_t *n);
/* *any false: nothing to count. */
int repair_rt_free(struct repair *, uint64_t *count, bool *any);
/* Blocks that a file of this role has; 0: it is no bitmap or summary. */
uint64_t repair_rt_file_blocks(const struct repair *, uint64_t ino, const uint8_t *image);
/* Of these, how many the map that was decided lacks. */
uint64_t repair_rt_missing(const struct repair *, const struct repair_inode *);

#endif
