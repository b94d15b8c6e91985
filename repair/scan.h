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
	bool identified;		/* it is an inode of this filesystem, of this place */
	const char *mended;		/* the field of the identity that was wrong and is right in image and d; or NULL */
	uint64_t found;			/* what stood there */
	bool proven;			/* some inode of the chunk is identified */
	bool suspect;			/* set by repair_check_core(): checksum or identity was wrong */
};

/* No log gets there: the field is damaged. */
static inline bool repair_lsn_is_wild(uint64_t lsn)
{
	return lsn != XFS_NULL64 && lsn >> 32 >= 0x70000000u;
}

typedef int (*repair_inode_fn)(void *payload, struct repair_seen *);

/* Calls seen() for each inode that exists (holes of sparse chunks are left out). Nonzero from seen() stops. */
int repair_scan_ag_inodes(struct repair *, struct repair_ag *, repair_inode_fn seen, void *payload);
/* One inode: image has room for inodesize bytes. */
/*
 * cores.c: the core and its bit in the chunk's record.  *usable: an inode in use whose forks can be looked at.  Changes
 * the record, the lists of lost and of changed inodes.
 */
int repair_check_core(struct repair *, struct repair_seen *, bool *usable);
/* An inode that identifies itself has an identity, a checksum or an LSN that must be written anew. */
bool repair_core_flawed(const struct repair *, const struct repair_seen *);
/* Changes the free bit of one inode in the record. */
void repair_flip_free(struct repair_ag *, struct xfs_inode_chunk *, unsigned index);
/* chunks.c: where the inode chunks are; fills ag->chunks when the inobt can not say it. */
int repair_find_chunks(struct repair *, struct repair_ag *);
int repair_read_inode(struct repair *, uint64_t ino, uint8_t *image, struct xfs_dinode *);
/* roots.c: a tree of an AG, by its header or as it was found. Errors: those of xfs_fs_ag_btree(). */
int repair_ag_btree(const struct repair *, struct repair_ag *, enum xfs_btree_id, struct xfs_btree *out);
bool repair_is_inode(const struct repair *, const uint8_t *image, uint64_t ino);
/* The chunk that holds this AG inode number, or NULL; *index (may be NULL) is its place there. */
struct xfs_inode_chunk *repair_chunk_of(const struct repair_ag *, uint32_t agino, unsigned *index);
/* Calls job(payload, agno) for every AG, on several threads where that is allowed; returns the first error. */
int repair_each_ag(struct repair *, int (*job)(void *payload, size_t agno), void *payload);

/* Inodes whose core identifies nothing. */
int repair_add_lost(struct repair *, uint64_t ino);
bool repair_is_lost(const struct repair *, uint64_t ino);

#endif
