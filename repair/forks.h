/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forks.h - reads the block map of a fork as far as it can be read, and says whether it is whole.
 *
 * A damaged record, block or counter never hides the rest: what is good is handed out, and the fork is called damaged.
 */
#ifndef REPAIR_FORKS_H
#define REPAIR_FORKS_H

#include "repair/repair.h"

struct repair_fork {
	bool mapped;		/* extents or btree format: blocks belong to it (or should) */
	bool damaged;
	char why[120];		/* the first thing that is wrong */
	uint64_t records;	/* extents that are good */
	uint64_t blocks;	/* sum of their lengths */
	uint64_t *own;		/* bmbt blocks, fsblocks; freed by repair_fork_release() */
	size_t nown, room;
	uint64_t nlost;		/* blocks of the tree that nodes lead to and that cannot be used */
};

/*
 * Scans the data fork of a realtime tree: blocks in *out, each record to
 * record() (may be NULL), which may stop it. Errors: NOMEM.
 */
int repair_fork_scan_meta(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image,
			  struct repair_fork *out, int (*record)(void *payload, const void *rec), void *payload);

typedef int (*repair_mapping_fn)(void *payload, const struct xfs_mapping *);
/* Adds to a struct xfs_mapset. */
int repair_keep_mapping(void *set, const struct xfs_mapping *);

/*
 * Scans one fork of the inode image; each() gets the good mappings in file order, may be NULL; those on the realtime
 * device are only counted.  Returns 0 also when the fork is damaged; errors are NOMEM and what each() returned.
 */
int repair_fork_scan(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image, enum xfs_fork,
		     struct repair_fork *out, repair_mapping_fn each, void *payload);
/* The same; extents in the realtime section are handed out, too: their fsbno is a realtime block. */
int repair_fork_scan_any(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image, enum xfs_fork,
			 struct repair_fork *out, repair_mapping_fn each, void *payload);
/*
 * The records of a fork in extents or btree format as they stand there, good or not: record() gets each in disk form,
 * and may stop it.  Tree blocks in *out.  Errors: NOMEM, and what record() returned.
 */
int repair_fork_scan_records(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image,
			     enum xfs_fork, struct repair_fork *out, int (*record)(void *payload, const void *rec),
			     void *payload);
/* The extents of this fork lie in the realtime section. */
bool repair_fork_is_realtime(const struct xfs_dinode *, unsigned fork);
void repair_fork_release(struct repair_fork *);
/*
 * True when extents that the inode holds but does not count are all that `s` (normalised) maps: the counter is wrong,
 * for who removes an extent removes its reverse mapping, too.
 */
bool repair_fork_holds_uncounted(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image,
				 enum xfs_fork, const struct xfs_mapset *s);

/*
 * leafchain.c: the same of a V4 tree with damaged nodes, by the siblings of its leaves, which are in out->own.  *whole:
 * they are all there, with as many records as are counted; otherwise nothing was handed out.
 */
int repair_leaf_chain(struct repair *, const struct xfs_dinode *, const uint8_t *image, enum xfs_fork,
		      struct repair_fork *out, int (*record)(void *payload, const void *rec), void *payload,
		      bool *whole);
/* Where offsets of a fork end, blocks. A target has no more blocks than that. */
uint64_t repair_fork_ends(const struct repair *, const struct xfs_dinode *, enum xfs_fork);
/* Bytes of a fork in an inode of this filesystem. */
uint32_t repair_fork_size(const struct repair *, const struct xfs_dinode *, enum xfs_fork);

#endif
