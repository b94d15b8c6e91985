/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memtree.h - btrees in memory for unit tests: random record sets, bulk loading, an instance to read them.
 */
#ifndef TESTS_UNIT_MEMTREE_H
#define TESTS_UNIT_MEMTREE_H

#include "libxfs/btree/btree.h"

#include <check.h>

/* An assertion for loops of millions: those of Check cost a system call each, also when they hold. */
#define must(cond)								\
	do {									\
		if (!(cond))							\
			ck_abort_msg("%s:%d: %s", __FILE__, __LINE__, #cond);	\
	} while (0)

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
	/* for changes */
	struct xfs_btree_space space;
	uint8_t *used;			/* per block of room */
	uint8_t *prepared;		/* the same and the fork: announced since the last settle, or new */
	uint8_t *shadow;		/* what a writer that trusts dirty() would have; the fork behind the blocks */
	uint64_t nused, fail_alloc;	/* fail_alloc: the nth allocation fails */
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

/* Loads a tree; asserts that every block is emitted once. fork_len: of inode-rooted kinds. Borrows the records. */
void memtree_load(struct memtree *, const struct xfs_btree_kind *, bool v5, uint32_t blocksize, const uint8_t *recs,
		  uint64_t n, int leaf_slack, int node_slack, size_t fork_len);
struct xfs_btree memtree_instance(struct memtree *);
/* Gives a loaded tree room for changes; memtree_instance() can then change it. */
void memtree_open(struct memtree *, uint64_t room);
/*
 * Takes over what a change did to root and levels, asserts that dirty() told of every changed byte and that nothing is
 * borrowed, and puts the crcs right.
 */
void memtree_settle(struct memtree *, const struct xfs_btree *);
uint8_t *memtree_block(struct memtree *, uint64_t ptr);
void memtree_release(struct memtree *);

#endif
