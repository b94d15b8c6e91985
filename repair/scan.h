/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.h - every inode of an AG in disk order, read in large pieces past the cache. */
#ifndef REPAIR_SCAN_H
#define REPAIR_SCAN_H

#include "repair/repair.h"

struct repair_seen {
	struct repair_ag *ag;
	struct xfs_inode_chunk *chunk;
	unsigned index;			/* in the chunk */
	uint64_t ino;
	bool free;			/* what the chunk's record says */
	const uint8_t *image;		/* inodesize bytes */
	struct xfs_dinode d;
};

typedef int (*repair_inode_fn)(void *payload, struct repair_seen *);

/* Calls seen() for each inode that exists (holes of sparse chunks are left out). Nonzero from seen() stops. */
int repair_scan_ag_inodes(struct repair *, struct repair_ag *, repair_inode_fn seen, void *payload);
/* One inode: image has room for inodesize bytes. */
/* chunks.c: where the inode chunks are; fills ag->chunks when the inobt can not say it. */
int repair_find_chunks(struct repair *, struct repair_ag *);
int repair_read_inode(struct repair *, uint64_t ino, uint8_t *image, struct xfs_dinode *);
/* Calls job(payload, agno) for every AG, on several threads where that is allowed; returns the first error. */
int repair_each_ag(struct repair *, int (*job)(void *payload, size_t agno), void *payload);

/* Inodes whose core identifies nothing (ascending). */
int repair_add_lost(struct repair *, uint64_t ino);
bool repair_is_lost(const struct repair *, uint64_t ino);

#endif
