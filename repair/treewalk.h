/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * treewalk.h - every directory that can be reached, level by level, each once; and the path of what was found there.
 *
 * Hostile trees end: a directory is read once whatever names it.  Memory: about 40 bytes and the name a directory.
 * Damaged directories give what can be read of them.
 */
#ifndef REPAIR_TREEWALK_H
#define REPAIR_TREEWALK_H

#include "libxfs/base/mix.h"
#include "libxfs/name/dir.h"

struct repair_treewalk;

struct repair_tree_dir {
	uint64_t ino;
	size_t parent;			/* index; its own for a root */
	size_t name;			/* offset in names; not terminated */
	unsigned namelen, depth;
};

struct repair_treewalk {
	struct xfs_fs *fs;		/* borrowed */
	/* Before the entries of a directory; may be NULL.  *skip: its entries are left out. */
	int (*enter)(struct repair_treewalk *, size_t dir, const struct xfs_inode *, bool *skip);
	/* Each entry but "." and "..".  Nonzero stops and is returned. */
	int (*entry)(struct repair_treewalk *, size_t dir, const struct xfs_dir_entry *);
	void *payload;
	/* internal */
	struct repair_tree_dir *dirs;
	size_t ndirs, dirs_room;
	char *names;
	size_t nnames, names_room;
	uint64_t *seen;			/* open addressing; 0 = empty */
	size_t nseen, seen_room;
	struct xfs_mix mix;
	size_t current;
	int error;
};

/* Errors: NOMEM, TOOBIG, and what callbacks return. What can't be read is left out. */
int repair_treewalk_run(struct repair_treewalk *, uint64_t root);
/*
 * "/a/b/name" of an entry of that directory, from the root of the walk; namelen 0: of the directory itself.  RANGE:
 * room is too small.
 */
int repair_treewalk_path(const struct repair_treewalk *, size_t dir, const void *name, size_t namelen, char *out,
			 size_t room);
/* Was this directory reached? */
bool repair_treewalk_saw(const struct repair_treewalk *, uint64_t ino);
/* Several walks may follow each other on one state: what was seen is not read again. */
void repair_treewalk_release(struct repair_treewalk *);

#endif
