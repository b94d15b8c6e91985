/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_links.h - links by the inodes that they lead to, any number of them within a limit of memory.
 *
 * Numbers are sorted, and spill; names lie in a temporary file as soon as they are many.  Links of an inode keep the
 * order in which they were added.  Add all, finish, read all, again from the first one after each names_links_rewind().
 */
#ifndef REPAIR_NAMES_LINKS_H
#define REPAIR_NAMES_LINKS_H

#include "libxfs/ondisk/dir.h"

struct names_link {
	uint64_t ino, dir;
	uint32_t gen;			/* of the directory */
	uint8_t namelen;
	uint8_t name[XFS_DIR_NAME_MAX];
};

struct names_links;

/* memory: bytes for numbers. Errors: NOMEM. */
int names_links_new(struct names_links **, size_t memory);
void names_links_free(struct names_links *);	/* NULL is allowed */
/* Errors: NOMEM, IO, NOSPC (temporary file). */
int names_links_add(struct names_links *, const struct names_link *);
/* Ends adding, or goes back to the first one. */
int names_links_rewind(struct names_links *);
/* *more: false behind the last one. Errors: IO. */
int names_links_next(struct names_links *, struct names_link *, bool *more);

#endif
