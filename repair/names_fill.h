/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_fill.h - inodes that lack parent pointers, and nothing else is wrong: names_fill.c finds them,
 * names_fill_build.c gives them what they lack.
 */
#ifndef REPAIR_NAMES_FILL_H
#define REPAIR_NAMES_FILL_H

#include "repair/names.h"
#include "repair/names_links.h"
#include "repair/tape.h"

struct repair_fill {
	struct repair *told;
	struct repair *first;		/* the state whose names were read: its keys make the sums */
	struct names n;			/* n.r: the state at hand, NULL when it has to be looked at */
	struct names_links *links;
	uint8_t differs[REPAIR_LINK_BUCKETS];	/* by bucket of directories */
	bool fresh;			/* there is no pointer anywhere */
	uint64_t pointers;		/* sums of these buckets: of all pointers; of those with an entry */
	uint64_t pointed;
	struct names_link next;		/* the first link of the next inode */
	bool more;
	struct names_parent *entries;	/* those of one inode, as pointers to them */
	uint64_t *keys[2];		/* of its entries, of its pointers; sorted */
	size_t n_of[2], room[2], entry_room;
	uint64_t ino;
	uint32_t gen;			/* of the directory that is read */
	uint64_t **wanted;		/* by AG and chunk: inodes that lack some, one bit each */
	uint64_t nwanted;
	struct tape images;		/* inodes as they will be, each behind its number */
	uint64_t nimages;
};

/* The sums of this directory differ. */
bool names_fill_doubts(const struct repair_fill *, uint64_t dir);
/* This inode lacks a pointer. */
bool names_fill_wants(const struct repair_fill *, uint64_t ino);
/* The first inode that links of such directories lead to; while f->more: all its entries, and on to the next one. */
int names_fill_begin(struct repair_fill *);
int names_fill_next(struct repair_fill *);

/* All in one rebuild. Errors: NOSPC, when nothing was changed. */
int names_fill_at_once(struct repair_fill *);
/* A rebuild for each batch. */
int names_fill_batches(struct repair_fill *);

#endif
