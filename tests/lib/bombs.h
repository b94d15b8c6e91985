/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bombs.h - a fresh image gets very many of one thing: what the bombs share, above imagefill.h.
 *
 * Forks, directories and trees are built as a repair builds them.  Errors are those of the library.
 */
#ifndef TESTS_LIB_BOMBS_H
#define TESTS_LIB_BOMBS_H

#include "tests/lib/building.h"
#include "tests/lib/imagefill.h"

#define BOMB_TAKEN 4096u

struct bomb {
	struct imagefill f;
	const struct xfs_geometry *g;
	uint64_t root, n, second;
	uint32_t root_gen;
	uint64_t ino;			/* for whom blocks are taken */
	struct { uint64_t fsbno, len; } taken[BOMB_TAKEN];	/* the first ranges that were */
	unsigned ntaken;
	uint32_t shared;		/* block of a value that many have */
};

struct bomb_names {
	struct xfs_build_dirent *list;
	uint8_t *bytes;
	uint64_t n;
};

/* Generation of the root directory, for pointers to it. */
int bomb_read_root(struct bomb *);
/* A block for who is named in m->ino; for forks that are built. */
int bomb_take_one(void *payload, uint64_t *fsbno);
struct xfs_build_target bomb_target(struct bomb *, uint64_t ino);

/* The inode numbers of the list are the caller's to set; `equal`: all have one hash. */
int bomb_make_names(struct bomb_names *, uint64_t n, bool equal);
void bomb_free_names(struct bomb_names *);

/* Attributes of an inode whose data fork is not set yet. */
int bomb_put_attrs(struct bomb *, uint64_t ino, const struct xfs_build_attr *, size_t n, uint8_t *image);
/* A parent pointer for each name, in the order of the list. */
int bomb_put_parents(struct bomb *, uint64_t ino, const struct xfs_build_dirent *, size_t n, uint64_t dir,
		     uint8_t *image);
/* Writes the inode, too. */
int bomb_put_dir(struct bomb *, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *, size_t n,
		 uint8_t *image);
int bomb_put_root(struct bomb *, const struct xfs_build_dirent *, size_t n);
/* A directory without attributes, but for its pointer. */
int bomb_put_new_dir(struct bomb *, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *self,
		     const struct xfs_build_dirent *, size_t n);
/* Pointers of files that have one name each. */
int bomb_put_file_parents(struct bomb *, const struct bomb_names *, uint64_t dir);

/* bombs_names.c: names, directories and attributes. */
int bomb_flat(struct bomb *);
int bomb_equal(struct bomb *);
int bomb_links(struct bomb *);
int bomb_rivals(struct bomb *);
int bomb_deep(struct bomb *);
int bomb_ring(struct bomb *);
int bomb_attrs(struct bomb *);
int bomb_twins(struct bomb *);
int bomb_doubled(struct bomb *);
int bomb_unflagged(struct bomb *);
int bomb_shared(struct bomb *);
/* bombs_inodes.c: inodes and their space. */
int bomb_copies(struct bomb *);
int bomb_rtcopies(struct bomb *);
int bomb_unlinked(struct bomb *);
int bomb_wiped(struct bomb *);
int bomb_counts(struct bomb *);

#endif
