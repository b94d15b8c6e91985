/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtree.h - btrees in memory for unit tests: random record sets, bulk loading, an instance to read them.
 */
#ifndef TESTS_UNIT_MEMTREE_H
#define TESTS_UNIT_MEMTREE_H

#include "libxfs/btree/btree.h"

#define MEMTREE_BASE 16u	/* pointer of the first block */

struct memtree {
	const struct xfs_btree_kind *kind;
	bool v5;
	uint32_t blocksize;
	uint8_t *blocks;		/* block p lies at (p - MEMTREE_BASE) * blocksize */
	uint64_t nblocks, room;
	uint8_t fork[512];		/* root of inode-rooted kinds */
	size_t fork_len;
	struct xfs_btree_geometry geometry;
	uint64_t root;
	unsigned levels;
	long borrowed;			/* blocks that were got and not put */
	uint64_t gets, announced;
	/* for loading */
	const uint8_t *recs;
	uint64_t nrecs, taken;
	uint64_t next_of[XFS_BTREE_MAXLEVELS];
};

/* Deterministic random numbers. */
uint64_t test_random(uint64_t *state);
uint64_t test_random_below(uint64_t *state, uint64_t n);	/* n > 0 */

/*
 * `n` valid records of the kind in order, canonical (nothing overlaps or should be merged that must not); caller frees.
 * `long_share`: per mille of the records of overlapping kinds that are much longer than the others.
 */
uint8_t *test_records(const struct xfs_btree_kind *, uint64_t n, uint64_t *random, unsigned long_share);

/* Loads a tree; asserts that every block was emitted once. fork_len: of inode-rooted kinds. Records stay the caller's. */
void memtree_load(struct memtree *, const struct xfs_btree_kind *, bool v5, uint32_t blocksize, const uint8_t *recs,
		  uint64_t n, int leaf_slack, int node_slack, size_t fork_len);
struct xfs_btree memtree_instance(struct memtree *);
uint8_t *memtree_block(struct memtree *, uint64_t ptr);
void memtree_release(struct memtree *);

#endif
