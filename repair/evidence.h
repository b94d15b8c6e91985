/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.h - one inode with everything that is known about its block maps, side by side.
 *
 * reconcile.c gathers the suspects, judge.c decides each one.
 */
#ifndef REPAIR_EVIDENCE_H
#define REPAIR_EVIDENCE_H

#include "repair/forks.h"
#include "repair/scan.h"

enum { EVIDENCE_FORK = 1, EVIDENCE_RMAP_PART = 2, EVIDENCE_RMAP = 3 };	/* trust of a mapping */

struct evidence_side {			/* of one fork */
	struct repair_fork f;		/* what the fork says of itself */
	struct xfs_mapset fork, rmap;	/* normalised */
	bool rmap_cut;			/* reverse mappings claimed one place of the file twice */
	uint64_t *bmbt;			/* bmbt blocks by the reverse mappings, fsblocks */
	size_t nbmbt, room;
};

struct evidence {
	uint64_t ino;
	uint8_t *image;
	struct xfs_dinode d;
	struct evidence_side side[2];
	bool suspect;			/* its core is written anew: repair_core_flawed() */
	uint64_t rmap_blocks;		/* all blocks with this owner in reverse mappings */
};

/* Decides one inode: notes findings, adds a struct repair_inode when it changes, marks AGs. */
int repair_judge(struct repair *, struct evidence *);
/* The list entry of an inode that changes, made when it is not there. Image is copied from `image`. */
int repair_changed_inode(struct repair *, uint64_t ino, const uint8_t *image, struct repair_inode **out);
/* It does not change after all. */
void repair_drop_changed(struct repair *, uint64_t ino);
/* Entry of an inode that changes, or NULL. */
struct repair_inode *repair_find_changed(struct repair *, uint64_t ino);

#endif
