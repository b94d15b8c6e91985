/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_value.h - values of the attributes of one fork that lie in blocks of their own.
 *
 * First all values that the leaves name are noted, then values are fetched.  Uses the block of struct names.
 */
#ifndef REPAIR_NAMES_VALUE_H
#define REPAIR_NAMES_VALUE_H

#include "repair/names.h"

#include "libxfs/base/bitmap.h"

struct names_value_start;

struct names_values {
	struct names *n;
	uint64_t ino;
	const struct xfs_mapset *map;	/* of the fork; normalised, borrowed */
	uint8_t *bytes;			/* of the value that was fetched last */
	uint64_t *before;		/* by mapping: blocks of the fork before it */
	uint64_t fetched, most;		/* bytes: of all values so far; that the blocks of the fork may say */
	struct xfs_bitmap held;		/* which blocks, counted so, hold values as the leaves say */
	struct names_value_start *starts;	/* of values that no leaf names, by length */
	size_t nstarts, start_room;
	bool measured;
};

/* To be released also after an error. */
int names_values_begin(struct names_values *, struct names *, uint64_t ino, const struct xfs_mapset *);
void names_values_release(struct names_values *);
/* A leaf names this value; its length is at most XFS_ATTR_VALUE_MAX. */
void names_values_note(struct names_values *, const struct xfs_attr *);
/* Does this block of the fork hold a value that was noted? */
bool names_values_hold(const struct names_values *, uint64_t off);
/*
 * V5: length of the value whose blocks start at `at` of the fork, as their headers tell; 0: none starts there, or its
 * rest is gone: a full block is followed by one that neither goes on nor begins another value.
 */
uint32_t names_values_length(struct names_values *, uint64_t at);
/*
 * The value where the attribute says, or with one of its place and length made right by the headers of its blocks. 1:
 * it is lost, or some of it.
 */
int names_values_fetch(struct names_values *, struct xfs_attr *);

#endif
