/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * survey.h - what all sectors of a device say about the filesystem on it, when no superblock does.
 *
 * One pass over the device in large reads.  Evidence is kept apart by the uuid that blocks carry, so that what an older
 * filesystem left does not mix with the living one; V4 blocks carry none, and share the uuid of zeroes.
 */
#ifndef REPAIR_SURVEY_H
#define REPAIR_SURVEY_H

#include "repair/repair.h"

#define SURVEY_GROUPS 8u
#define SURVEY_BLOCKLOGS 17u

struct survey_header {		/* an AGF or AGI */
	uint64_t off;		/* bytes */
	uint32_t seqno, length;
	uint32_t sectsize;	/* 0: V4, not known */
	bool agi;
};

struct survey_record {		/* the head of a record of the log */
	uint64_t start;		/* byte of the log's first block, by the record's own place in it */
	uint32_t block, prev, total;	/* 512-byte blocks */
	uint32_t size;		/* bytes that records of this log may have */
	uint32_t version;	/* 1 or 2 */
	uint8_t uuid[16];
};

struct survey_group {
	uint8_t uuid[16];
	struct survey_header *headers;
	size_t nheaders, header_room;
	/* votes by log2 of the size, of blocks whose checksum tells it */
	uint32_t blocksize[SURVEY_BLOCKLOGS], dirsize[SURVEY_BLOCKLOGS], inodesize[SURVEY_BLOCKLOGS];
	uint32_t sparse, dense;	/* leaves of inode btrees with and without counts of sparse chunks */
	uint32_t rmap, refcount, finobt, inobtcnt, agfs, agis;
	uint32_t ftype, no_ftype;	/* V4 directory blocks whose entries have a type, or have none */
	uint32_t used;		/* inodes in use, V5 */
	uint64_t flags2;	/* of all of these */
	bool parents;		/* an attribute that is a parent pointer */
	uint64_t root;		/* the smallest directory that is its own parent; XFS_NULL64: none seen */
	uint64_t metaroot;	/* the same of metadata directories */
	uint64_t *realtime;	/* bytes of inodes of files in the realtime section */
	size_t nrealtime, realtime_room;
	uint32_t log_agno, log_agbno, log_blocks;	/* by a reverse mapping; log_blocks 0: none */
};

struct survey {
	struct survey_group groups[SURVEY_GROUPS];
	size_t ngroups;
	struct survey_record *records;
	size_t nrecords, record_room;
};

#define SURVEY_MOST_EXTENT (UINT64_C(1) << 30)	/* bytes of a realtime extent: mkfs makes none that is larger */

/* Errors: NOMEM. What can't be read is left out. */
int repair_survey(struct xfs_dev *, struct survey *);
void repair_survey_release(struct survey *);
/* The size, as its log2, that most blocks have; 0: no block tells. */
unsigned repair_survey_most(const uint32_t *votes);
/*
 * guess_copies.c: fields of `sb`, which everything but superblocks tells, that damaged copies of it know better. `of`:
 * a record of its log, or NULL.
 */
void repair_guess_by_copies(struct repair *, const struct survey_group *, const struct survey_record *of,
			    struct xfs_sb *sb);
/*
 * guess_rt.c: rt fields of a superblock whose data section and bitmap inode are known.  Errors: NOMEM, BADSB (bitmap,
 * files and device fit no geometry).
 */
int repair_guess_realtime(struct repair *, const struct survey_group *, struct xfs_sb *);
/*
 * guess_groups.c: the same of realtime groups, by the files of the metadata directory, whose root is known; and whether
 * there are quota files.  Without such files nothing changes.  Errors: NOMEM, BADSB (the files do not tell, or it is a
 * zoned filesystem).
 */
int repair_guess_groups(struct repair *, struct xfs_sb *);

#endif
