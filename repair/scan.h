/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.h - finding and looking at inodes: where the chunks of an AG are, every inode in disk order, its core.
 *
 * scan.c reads; the names of other files stand where their functions begin.
 */
#ifndef REPAIR_SCAN_H
#define REPAIR_SCAN_H

#include "repair/repair.h"

#define REPAIR_MOST_FIXES 8u

struct repair_fix {
	enum xfs_finding_id id;
	const char *field;
	uint64_t found, expected;
};

struct repair_seen {
	struct repair_ag *ag;
	struct xfs_inode_chunk *chunk;
	unsigned index;			/* in the chunk */
	uint64_t ino;
	bool free;			/* what the chunk's record says */
	const uint8_t *image;		/* inodesize bytes */
	struct xfs_dinode d;
	bool identified;		/* it is an inode of this filesystem, of this place */
	bool whole;			/* the checksum on disk is right (V4: always) */
	bool mended;			/* one flipped bit was flipped back, see fixes[0] */
	bool replaced;			/* image is what an earlier pass decided, not what the disk has */
	bool unknown;			/* nothing in the inode tells its type */
	bool proven;			/* some inode of the chunk is identified */
	struct repair_fix fixes[REPAIR_MOST_FIXES];	/* fields that are right in image and d, and wrong on disk */
	unsigned nfixes;		/* may be more than there is room for */
	bool suspect;			/* set by repair_check_core(): checksum or identity was wrong */
};

/* The owner that a block of metadata names in its header; 0: it has none. V5. (conflict.c) */
uint64_t repair_header_owner(struct repair *, uint64_t fsbno);

/* names.c: what was noted of an inode; NULL: there is none of that number. */
struct repair_fact *repair_fact_of(struct repair *, uint64_t ino);

typedef int (*repair_inode_fn)(void *payload, struct repair_seen *);

/* Calls seen() for each inode that exists (holes of sparse chunks are left out). Nonzero from seen() stops. */
int repair_scan_ag_inodes(struct repair *, struct repair_ag *, repair_inode_fn seen, void *payload);
/*
 * glance.c, in this order: before inodes are scanned; for each inode in use whose core and forks are in order; after
 * all.
 * Errors: NOMEM.
 */
int repair_glance_begin(struct repair *);
int repair_glance(struct repair *, struct repair_seen *, struct repair_fact *own);
void repair_glance_end(struct repair *);
/* The facts hold all that directories say, and nothing was odd; otherwise they are as if nobody had read a name. */
bool repair_glance_holds(struct repair *);
/* A block was mended in memory for a glance, which is void then: nobody is told yet. */
bool repair_glance_mends(struct repair *);
/* This thread reads for a glance. */
extern _Thread_local bool repair_in_glance;
/* Reads the blocks of directories among these inodes (whole images, one after the other) into the cache. */
void repair_read_ahead(struct repair *, const uint8_t *inodes, size_t count);
/*
 * mend.c: puts right in image and d what the inode itself, its place and the superblock tell; fixes[] says what. Only
 * for inodes that are in use.  Sets `unknown`.
 */
void repair_mend_core(struct repair *, struct repair_seen *, uint8_t *image);
/* Type bits that the superblock's inodes must have; 0: any. */
unsigned repair_type_of_role(const struct repair *, uint64_t ino);
void repair_add_fix(struct repair_seen *, enum xfs_finding_id, const char *field, uint64_t found, uint64_t expected);
/* Nothing hangs on it: no name, no block, no content. */
bool repair_is_hollow(const struct xfs_dinode *);
/* The inode becomes a free one, as mkfs and the kernel leave them; `gen` is its generation so far. */
int repair_make_free(struct repair *, uint64_t ino, uint32_t gen);
/*
 * cores.c: the core and its bit in the chunk's record.  *usable: an inode in use whose forks can be looked at.  Changes
 * the record, the lists of lost and of changed inodes.
 */
int repair_check_core(struct repair *, struct repair_seen *, bool *usable);
/* An inode that identifies itself has an identity, a checksum or an LSN that must be written anew. */
bool repair_core_flawed(const struct repair *, const struct repair_seen *);
/* Changes the free bit of one inode in the record. */
void repair_flip_free(struct repair_ag *, struct xfs_inode_chunk *, unsigned index);
/* blockscan.c */
struct repair_blockscan {
	uint32_t from, end;		/* AG blocks; not behind the end of the AG */
	uint32_t unit;			/* blocks that come at once, aligned to their own size */
	bool holes;			/* also what the device knows to hold nothing */
	int (*each)(void *payload, uint32_t agbno, const uint8_t *bytes);	/* nonzero stops, and is returned */
	void *payload;
};

/* In disk order, in large pieces; what can't be read comes as zeroes. Errors: NOMEM, and what each() returns. */
int repair_scan_blocks(struct repair *, xfs_agno_t, const struct repair_blockscan *);
/* chunks.c: where the inode chunks are; fills ag->chunks when the inobt can not say it. */
int repair_find_chunks(struct repair *, struct repair_ag *);
/* Clusters at these blocks of an AG hold inodes, though nothing in them may say so: ag->chunks grows by them. */
int repair_add_inode_units(struct repair *, struct repair_ag *, const uint32_t *agbnos, size_t n);
/* owners.c: when all AGs have their chunks: those that the owners of reverse mappings prove. */
int repair_find_chunks_of_owners(struct repair *);
/* One inode as the scans see it: image has room for inodesize bytes. Errors: those of the device. */
int repair_read_inode(struct repair *, uint64_t ino, uint8_t *image, struct xfs_dinode *);
/* rmapfind.c: a tree of an AG, by its header or as it was found. Errors: those of xfs_fs_ag_btree(). */
int repair_ag_btree(const struct repair *, struct repair_ag *, enum xfs_btree_id, struct xfs_btree *out);
/* rmapfind.c: each() gets every record of the leaves that repair_find_rmaps() found, in disk form.  Nonzero stops. */
int repair_each_stray_rmap(struct repair *, struct repair_ag *, int (*each)(void *payload, const void *disk),
			   void *payload);
bool repair_is_inode(const struct repair *, const uint8_t *image, uint64_t ino);
/* The chunk that holds this AG inode number, or NULL; *index (may be NULL) is its place there. */
struct xfs_inode_chunk *repair_chunk_of(const struct repair_ag *, uint32_t agino, unsigned *index);
/* Calls job(payload, agno) for every AG in turn; returns the first error. In several threads: lanes.h. */
int repair_each_ag(struct repair *, int (*job)(void *payload, size_t agno), void *payload);

/* Inodes whose core identifies nothing. */
int repair_add_lost(struct repair *, uint64_t ino);
bool repair_is_lost(const struct repair *, uint64_t ino);
/* It is not lost any more; counts as one of r->nlost until repair_settle_lost(). */
void repair_drop_lost(struct repair *, uint64_t ino);
void repair_settle_lost(struct repair *);

#endif
