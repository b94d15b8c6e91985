/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.h - one inode with everything that is known about its block maps, side by side.
 *
 * reconcile.c gathers the suspects, judge.c decides each one.
 */
#ifndef REPAIR_EVIDENCE_H
#define REPAIR_EVIDENCE_H

#include "repair/metafiles.h"
#include "repair/forks.h"
#include "repair/scan.h"

enum { EVIDENCE_STRAY, EVIDENCE_FORK = 1, EVIDENCE_RMAP_PART = 2, EVIDENCE_RMAP = 3 };	/* trust of a mapping */

struct evidence_side {			/* of one fork */
	struct repair_fork f;		/* what the fork says of itself */
	struct xfs_mapset fork, rmap;	/* normalised */
	bool apart;			/* `fork` is its last mapping alone: it is read once more to be compared */
	bool rmap_cut;			/* reverse mappings claimed one place of the file twice */
	uint64_t *bmbt;			/* bmbt blocks by the reverse mappings, fsblocks */
	size_t nbmbt, room;
};

struct evidence {
	uint64_t ino;
	uint8_t *image;
	struct xfs_dinode d;
	struct evidence_side side[2];
	bool suspect;			/* its core is written anew: repair_core_flawed() */
	bool lost;			/* its type is not known, or nothing at all: restore.c decides */
	bool counted[2];		/* the count of a fork was too small, and is mended */
	bool wiped;			/* nothing at all: image and d are blank */
	struct xfs_mapset rt;		/* in the realtime section, by the trees of its groups */
	bool rt_asked, rt_whole;	/* these were asked, and all of them could answer */
	/* other inodes have some of it, too; of a fork that reads well: of what it lacks */
	bool rt_others;
	bool rt_strange;		/* or of what that fork alone says */
	uint64_t rmap_blocks;		/* all blocks with this owner in reverse mappings */
};

/* What directories say of inodes whose core does not (hints.c). */
struct repair_hint {
	uint64_t ino;
	uint64_t parent;		/* a directory that names it */
	uint32_t names;			/* entries that lead to it */
	uint32_t subdirs;		/* directories whose ".." it is */
	uint8_t ftype;			/* by the first entry; 0: not said */
	bool meta;			/* named in the metadata directory tree */
	struct repair_metafile file;	/* which of its files that name means */
};

struct repair_hints {
	struct repair_hint *h;		/* ascending */
	size_t n;
};

/* Asks all directories about the inodes in r->lost. Errors: NOMEM. */
int repair_gather_hints(struct repair *, struct repair_hints *);
/* Never NULL: an empty hint when nobody knows it. */
const struct repair_hint *repair_hint_of(const struct repair_hints *, uint64_t ino);

/* Before its forks are scanned: the type of a lost inode by role, names and content, into image and d. */
void repair_restore_type(struct repair *, struct evidence *, const struct repair_hint *);
/* Decides a lost inode: it is made anew, completed, or becomes free. */
int repair_restore(struct repair *, struct evidence *, const struct repair_hint *);

/*
 * strays.c: every mapping in leaves of block maps that name this inode and lie outside the tree of its other fork.
 * Errors: NOMEM, or what each() returned.
 */
int repair_each_stray_mapping(struct repair *, uint64_t ino, const struct repair_fork *other, repair_mapping_fn each,
			      void *payload);
/*
 * How many blocks of block maps name this inode and lie in neither of these trees, the first of which is the one that
 * they are of.  Errors: NOMEM.
 */
int repair_count_stray_blocks(struct repair *, uint64_t ino, const struct repair_fork *own,
			      const struct repair_fork *other, uint64_t *n);
/*
 * Maps the blocks with entries that name this directory and lie nowhere in `map` (normalised before and after), where
 * there is room; its index will be built anew.  Errors: NOMEM.
 */
int repair_add_stray_entries(struct repair *, uint64_t ino, struct xfs_mapset *map);

/* judge.c. Decides one inode: notes findings, adds a struct repair_inode when it changes, marks AGs. */
int repair_judge(struct repair *, struct evidence *);
/* changed.c. The list entry of an inode that changes, made when it is not there. Image is copied from `image`. */
int repair_changed_inode(struct repair *, uint64_t ino, const uint8_t *image, struct repair_inode **out);
/* Of the inodes [from, to), those for which gone() says so do not change after all. */
void repair_drop_changed(struct repair *, uint64_t from, uint64_t to, bool (*gone)(void *payload, uint64_t ino),
			 void *payload);
/* Entry of an inode that changes, or NULL. */
struct repair_inode *repair_find_changed(struct repair *, uint64_t ino);
/*
 * The bytes of a changed inode lie packed but for the few that were asked for last: c->image of the entry that
 * repair_changed_inode() gives, or of one that is opened here, holds until REPAIR_OPEN_IMAGES - 1 others were opened.
 * Errors: NOMEM.
 */
int repair_open_image(struct repair *, struct repair_inode *c);
/* Who but reads them: all of them to `image` (inodesize bytes), or the core alone. */
void repair_copy_image(const struct repair *, const struct repair_inode *c, uint8_t *image);
void repair_changed_core(const struct repair *, const struct repair_inode *c, struct xfs_dinode *d);
/* The inode as it is decided, or as it stands. Errors: NOENT (it becomes free), those of repair_read_inode(). */
int repair_read_decided(struct repair *, uint64_t ino, uint8_t *image, struct xfs_dinode *d);
/* All that change stand in r->inodes now: for who goes over them. Entries that were found before may lie elsewhere. */
void repair_merge_changed(struct repair *);
/* No entry's bytes lie open any more; merges. */
void repair_pack_images(struct repair *);

#endif
