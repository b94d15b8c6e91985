/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * da.h - the hash tree that directories and attributes share: nodes above leaves, all blocks of one size, linked to
 * their neighbours (format sheet 03, sections 5.3, 5.4 and 6.2).
 *
 * Counts are clamped to the block before use, levels fall by one on the way down, and chains of neighbours are watched
 * for loops.  Layer: name.
 */
#ifndef XFS_NAME_DA_H
#define XFS_NAME_DA_H

#include "libxfs/inode/fork.h"
#include "libxfs/ondisk/attr.h"

/* A tree in a fork. */
struct xfs_da {
	struct xfs_ifork *f;
	bool attr;
	uint64_t root;			/* block of the fork where the root lies */
	unsigned fsbs;			/* filesystem blocks of one da block */
	uint32_t size;			/* bytes of one da block */
};
void xfs_da_init_dir(struct xfs_da *, struct xfs_ifork *);
void xfs_da_init_attr(struct xfs_da *, struct xfs_ifork *);

/* A block of the tree, borrowed. */
struct xfs_da_block {
	struct xfs_buf *buf;
	uint64_t block;			/* of the fork */
	uint32_t magic, forw, back;
	uint32_t count;			/* entries in use, clamped to the block */
	uint32_t raw_count;		/* as stored */
	uint32_t stale;			/* directory leaves */
	unsigned level;			/* 0 = leaf */
	const uint8_t *entries;		/* `count` of 8 bytes: hash, then address, child or name index and flags */
};
/* Errors: those of xfs_ifork_get(); CORRUPT (block number outside the space of the tree). */
int xfs_da_get(struct xfs_da *, uint64_t block, struct xfs_da_block *out);
void xfs_da_put(struct xfs_da_block *);
bool xfs_da_is_node(const struct xfs_da_block *);

/* i < count */
XFS_INLINE uint32_t xfs_da_hash(const struct xfs_da_block *b, uint32_t i)
{
	return xfs_dir_leaf_hash(b->entries, i);
}
XFS_INLINE uint32_t xfs_da_value(const struct xfs_da_block *b, uint32_t i)
{
	return xfs_dir_leaf_address(b->entries, i);
}
/* First entry with a hash of at least `hash`; count when there is none. */
uint32_t xfs_da_search(const struct xfs_da_block *, uint32_t hash);

/* The leftmost leaf that can hold the hash. Errors: those of xfs_da_get(), CORRUPT, NOENT (above all hashes). */
int xfs_da_descend(struct xfs_da *, uint32_t hash, struct xfs_da_block *leaf);
/* The leftmost leaf. */
int xfs_da_first_leaf(struct xfs_da *, struct xfs_da_block *leaf);

/* Watches a walk over neighbours for loops (Brent's rule). Starts as all zeroes. */
struct xfs_da_watch {
	uint64_t mark, steps, limit;
};
/* LOOP when the walk has been at `block` before. */
int xfs_da_watch(struct xfs_da_watch *, uint64_t block);
/* Replaces *leaf by its right neighbour. NOENT: there is none (it is put back then). */
int xfs_da_next_leaf(struct xfs_da *, struct xfs_da_block *leaf, struct xfs_da_watch *);

#endif
