/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_value.h - values of the attributes of one fork that lie in blocks of their own.
 *
 * First all values that the leaves name are noted; then each attribute wants its own, and when all did, it is settled
 * who has which: no block belongs to two.  Uses the block of struct names.
 */
#ifndef REPAIR_NAMES_VALUE_H
#define REPAIR_NAMES_VALUE_H

#include "repair/names.h"

#include "libxfs/base/bitmap.h"

struct names_value_start;

/* An attribute with a value in blocks of its own. */
struct names_value_want {
	uint64_t start, length;		/* block of the fork, bytes: as it says */
	uint64_t end;			/* behind its last block */
	uint64_t at;			/* what the caller calls it */
	bool gone;			/* set by the caller: it wants nothing any more */
	bool refused;			/* others want some of its blocks, too, and one of these has them */
};

struct names_values {
	struct names *n;
	uint64_t ino;
	const struct xfs_mapset *map;	/* of the fork; normalised, borrowed */
	uint8_t *bytes;			/* of the value that was fetched last */
	uint64_t *before;		/* by mapping: blocks of the fork before it */
	uint64_t fetched, most;		/* bytes: of all values so far; that the blocks of the fork may say */
	struct xfs_bitmap held;		/* which blocks, counted so, hold values as the leaves say */
	struct xfs_bitmap tree;		/* V4: which are of the tree, by what leads to them */
	struct names_value_want *wants;
	size_t nwants, want_room;
	struct names_value_start *starts;	/* of values that no leaf names, by length */
	size_t nstarts, start_room;
	bool measured;
};

/* To be released also after an error. */
int names_values_begin(struct names_values *, struct names *, uint64_t ino, const struct xfs_mapset *);
void names_values_release(struct names_values *);
/* A leaf names this value; its length is at most XFS_ATTR_VALUE_MAX. */
void names_values_note(struct names_values *, const struct xfs_attr *);
/* V4, where blocks of values look like anything: looks for the blocks of the tree, from its root. NOMEM. */
int names_values_find_tree(struct names_values *);
/* Is this block of the fork one of those? */
bool names_values_spares(const struct names_values *, uint64_t off);
/* Does this block of the fork hold a value that was noted? */
bool names_values_hold(const struct names_values *, uint64_t off);
/*
 * V5: length of the value whose blocks start at `at` of the fork, as their headers tell; 0: none starts there, or its
 * rest is gone: a full block is followed by one that neither goes on nor begins another value.
 */
uint32_t names_values_length(struct names_values *, uint64_t at);
/* The attribute that the caller calls `at`, in rising order, has this value. NOMEM. */
int names_values_want(struct names_values *, const struct xfs_attr *, uint64_t at);
/*
 * All attributes did.  Of those that want the same blocks of V5 the first one has them whose length is that of the
 * value which lies there, by its headers; of V4, where nothing tells, as many as can have their values have them.
 */
int names_values_settle(struct names_values *);
/*
 * Behind names_values_settle(), for all wants in their order: the value where the attribute says, or one that no
 * attribute has and that is as long, or with place and length made right by the headers of its blocks: in v->bytes,
 * its length in *length. 1: it is lost, or some of it.
 */
int names_values_fetch(struct names_values *, const struct names_value_want *, uint32_t *length);

#endif
