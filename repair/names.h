/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - the second round of a repair: names.
 *
 * names.c reads every directory and attribute fork once and judges without memory per name: facts about inodes, and
 * sums over links and parent pointers, by buckets of directories.  Only when something is wrong are names gathered
 * (names_gather.c) into sorted arrays, and only those around it: directories with something odd, those beside them, and
 * those in whose bucket entries and pointers differ.  Of other directories the facts say all that decisions need; one
 * of them that a decision meets is gathered then (names_want.c).  What was gathered is decided (names_decide.c,
 * names_tree.c, names_place.c) and the directories, attribute forks and cores that differ planned (names_plan.c); the
 * machinery of round one then builds them in new blocks (names_build.c), rebuilds the AGs concerned and switches.
 * Round one is durable before that: a run that is stopped in between starts with sound forks and trees.
 *
 * Names live in one arena, records refer to it by offset.
 */
#ifndef REPAIR_NAMES_H
#define REPAIR_NAMES_H

#include "repair/scan.h"

#include "libxfs/build/attr.h"
#include "libxfs/build/dir.h"

#define NAMES_NONE UINT32_MAX
#define NAMES_BEHIND (UINT64_C(1) << 40)	/* order of entries that are added: behind every place in a directory */

enum names_entry_flag {
	NAMES_DROPPED = 1,
	NAMES_CONFIRMED = 2,	/* the hash index of the directory has this name at this place */
	NAMES_FRESH = 4,	/* not in the directory as it is: restored, moved or renamed */
	NAMES_ILLEGAL = 8,	/* its name holds what no name may hold */
	NAMES_DOUBTED = 16,	/* from a damaged block, and not confirmed */
	NAMES_POINTED = 32,	/* a parent pointer agrees with it */
	NAMES_ASTRAY = 64,	/* leads to no inode in use */
	NAMES_DENIED = 128,	/* the hash index has another hash for it */
};

/* A name in a directory. */
struct names_entry {
	uint64_t dir, ino;
	uint64_t order;		/* entries of a directory keep their order; what is added comes last */
	uint32_t name;		/* offset in the arena */
	uint32_t hash;		/* as the hash index says where that is known, else of the name */
	uint8_t namelen, ftype, flags, meta;
};

/* A parent pointer as found. */
struct names_parent {
	uint64_t ino, parent;
	uint32_t gen, name, hash;
	uint8_t namelen;
	bool used;		/* an entry agrees with it */
};

/* A directory. */
struct names_dir {
	uint64_t ino;
	uint64_t said;		/* its ".." as found; XFS_NULL64: none */
	uint64_t parent;	/* as decided; XFS_NULL64: it has none yet */
	uint32_t entry;		/* the entry that leads to it, or NAMES_NONE */
	uint32_t first, n;	/* its entries after names_sort_entries() */
	uint32_t gen;
	uint32_t subdirs;	/* in the end */
	/* subdirectories that claim it and have no name; entries that lead astray */
	uint32_t nmissed, nspares, spare;
	uint64_t missed;
	bool bad;		/* it has to be built anew whatever is decided */
	bool dirty;		/* its entries or its ".." change */
	bool meta;		/* of the metadata tree */
	uint8_t kind;		/* of those: first letter of the name that its contents ask for, or 0 (names_meta.c) */
};

/* An attribute fork whose readable attributes were gathered is kept until it is built. */
struct names_attr {
	uint32_t name, value;	/* offsets in the arena */
	uint32_t valuelen, hash;	/* the hash as it was stored */
	uint8_t namelen, flags;
	bool sure;			/* it is that of the name */
	bool apart;			/* `value` is a number of names_value.h, until that value is read */
};

/* What becomes of one fork: handed over to the builder through struct repair_inode. */
struct repair_name_plan {
	bool dir, attrs;		/* which are built */
	uint64_t parent;
	struct xfs_build_dirent *entries;
	size_t nentries;
	struct xfs_build_attr *list;
	size_t nlist;
	uint8_t *target;		/* of a symlink that is made anew, or NULL */
	size_t targetlen;
	uint64_t blocks[2];		/* filesystem blocks of data and attribute fork, once built */
};

struct names {
	struct repair *r;		/* the state of the filesystem after round one */
	struct repair *told;		/* who is told */
	uint8_t *arena;
	size_t used, room;
	struct names_entry *entries;
	size_t nentries, entry_room;
	struct names_parent *parents;	/* ascending by (ino) as gathered */
	size_t nparents, parent_room;
	struct names_sorted *sorted;	/* pointers of inodes that have many (names_pointers.c) */
	size_t nsorted;
	struct names_dir *dirs;		/* ascending */
	size_t ndirs, dir_room;
	struct names_dir *late;		/* ascending, too: directories that are not in the list yet */
	size_t nlate, late_room;
	uint32_t variants;		/* counts behind names that were tried (names_place.c) */
	uint64_t fresh;			/* order of the next entry that is added */
	uint32_t *table;		/* entries that count by (directory, name): open hash of 1 << table_bits */
	unsigned table_bits;
	size_t tabled;
	uint64_t lost_found;		/* XFS_NULL64: not there yet */
	struct xfs_inode *ip;		/* scratch */
	uint8_t *block;			/* scratch: a directory block, and an inode behind it */
	uint8_t *image;
};

/* names.c */
bool repair_is_internal(const struct repair *, uint64_t ino);
/* Share of one link in the sums that compare directories with parent pointers. */
uint64_t repair_link_hash(const struct repair *, uint64_t ino, uint64_t parent, uint32_t gen, uint32_t hash);
/* Which of r->link_buckets counts the links of this directory. */
unsigned repair_link_bucket(const struct repair *, uint64_t parent);

/*
 * climb.c: the way up from a directory, as far as nobody went it before: each directory is passed twice at most,
 * however many ways lead through it.  above() gives the parent, XFS_NULL64 at the end.  Returns a place on a ring that
 * was not known, or XFS_NULL64; facts say where it leads.
 */
uint64_t repair_climb(struct repair *, uint64_t ino, uint64_t (*above)(void *payload, uint64_t ino), void *payload);

/* names_round.c: the state that names are read from: r, or what it looks like after round one changed it. */
int repair_names_state(struct repair *r, struct repair **out);
/* What is on the disk, read afresh by who goes on writing. *out is released by the caller, also after an error. */
int repair_state_afresh(const struct repair *, struct repair **out);
/* Notes a finding that this round repairs, or not. */
void names_note(struct names *, enum xfs_finding_id, const char *structure, uint64_t ino, bool fixed,
		const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* A line that scripts know; the first form when the run modifies, the other one with -n. */
void names_say(struct names *, const char *doing, const char *would, ...) __attribute__((format(printf, 2, 4)));
/* Reads the inode as it will be: as round one or an earlier step changed it. */
int names_read_inode(struct names *, uint64_t ino, uint8_t *image, struct xfs_dinode *);

/* What the second round wrote is what the last words are about. */
void repair_take_over(struct repair *, const struct repair *done);

/*
 * names_fill.c: names are in order, and parent pointers alone are missing, in `state`, which is r or what r is like
 * after round one.  Errors: AGAIN (nothing was written: decisions are needed), those of a rebuild.
 */
int names_fill(struct repair *r, struct repair *state);

/* names_gather.c */
int names_gather(struct names *);
/* Scratch space for the functions below. */
int names_prepare(struct names *);
int names_keep(struct names *, const void *bytes, size_t len, uint32_t *at);
int names_add_entry(struct names *, const struct names_entry *);
/* NULL: it is no directory, or it was not gathered. */
struct names_dir *names_find_dir(struct names *, uint64_t ino);
/* Pointers to directories hold until the next call of one of these two. Errors: NOMEM. */
int names_add_dir(struct names *, const struct names_dir *);
/* All are in n->dirs: before who goes through them. */
int names_settle_dirs(struct names *);
/* Salvages the entries of a directory; `map` NULL: the blocks of its fork. */
int names_gather_dir(struct names *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image,
		const struct xfs_mapset *map,
		     uint64_t *said);
/* The first parent pointer of this inode in n->parents, or where it would be. */
size_t names_first_parent(const struct names *, uint64_t ino);
bool names_has_parents(const struct names *, uint64_t ino);
/* Does a parent pointer of its inode say the same as the entry? */
bool names_is_pointed(const struct names *, const struct names_entry *);
/* The one parent pointer of its inode that has its directory and its length; NULL: none, or several. */
const struct names_parent *names_only_pointer(const struct names *, const struct names_entry *);
/* For both: all are gathered. Errors: NOMEM. */
int names_sort_pointers(struct names *);
/* names_pointers.c: links of one inode.  All zero to begin with; list is freed by its owner. */
struct names_pairs {
	struct names_pair *list;
	size_t n, room;
};
/* Add all, sort, ask. Errors: NOMEM. */
int names_pairs_add(const struct names *, struct names_pairs *, uint64_t dir, uint32_t name, unsigned namelen);
int names_pairs_sort(struct names_pairs *);
bool names_pairs_hold(const struct names *, const struct names_pairs *, uint64_t dir, uint32_t name, unsigned namelen);
/* An attribute that may be a parent pointer without its flag: it is when `unsaid`, links without a pointer, hold it. */
bool names_may_be_lost(const struct names_attr *);
bool names_is_lost(const struct names *, const struct names_pairs *unsaid, const struct names_attr *);
/* Sorts by (dir, order) and sets first and n of all directories. */
int names_sort_entries(struct names *);
void names_release(struct names *);

/* The entries of a directory, which the disk has as they should be, to the list. */
int names_read_dir(struct names *, uint64_t ino, const struct xfs_dinode *, struct names_dir *out);

/* Calls job() for each inode. Nonzero stops. */
int names_each_fact(struct names *, int (*job)(struct names *, uint64_t ino, struct repair_fact *, void *payload),
		    void *payload);
/* names_want.c: before anything is gathered: what is; and is it so, for a link of this directory? */
void names_choose(struct names *);
bool names_is_chosen(struct names *, uint64_t dir);
/* This directory, of which nothing was gathered so far, is part of the decisions now; others are left as they are. */
int names_want(struct names *, uint64_t ino);
/* Directories that parent pointers in damaged forks name. */
int names_want_pointed(struct names *);
/* Directories that have no name, or several, so far, and those who name them. */
int names_want_doubted(struct names *);
/* Nothing speaks against the pointer: its directory was not gathered, for what it says was found right. */
bool names_is_believed(struct names *, uint64_t parent);
/* The parent of a directory as decided so far; XFS_NULL64: none. */
uint64_t names_parent_of(struct names *, uint64_t ino);

/*
 * names_table.c: entries by directory and name, as directories of this filesystem compare names.  NAMES_NONE: not
 * there.
 */
uint32_t names_find(struct names *, uint64_t dir, const uint8_t *name, size_t len);
int names_table_add(struct names *, uint32_t entry);
/* Keyed by a number of this run: no image can make names meet on purpose. */
uint64_t names_hash(const struct names *, uint64_t dir, const uint8_t *name, size_t len);
void names_table_clear(struct names *);
/* Adds an entry to the list and the table; *at is its number. The name must be free. */
int names_insert(struct names *, uint64_t dir, uint64_t ino, const uint8_t *name, size_t len, uint32_t *at);
/* The entry does not count any more; its directory is built anew. */
void names_drop(struct names *, uint32_t entry);
/* The directory of this number is built anew. */
void names_touch(struct names *, uint64_t dir);

/* names_block.c: directory and attribute blocks, however damaged. */
enum names_quality {
	NAMES_GOOD,		/* as it was written, or was after one bit was turned back */
	NAMES_WEAK,		/* of this inode, but damaged */
	NAMES_FOREIGN,		/* another block that was written whole */
};
/* `map` is normalised. Reads a block of `fsbs` at `off` of the file: unmapped and unreadable parts are zero. */
int names_read_block(struct names *, const struct xfs_mapset *map, uint64_t off, unsigned fsbs, uint8_t *block,
		     uint64_t *fsbno);
/*
 * Place and owner in the header of a block can be those of one: an inode in use that may have such blocks, and where a
 * block lies.
 */
bool names_may_be_other(struct names *, enum xfs_block_kind, uint64_t daddr, uint64_t owner);
/* Turns back a flipped bit when there is one. */
enum names_quality names_judge_block(struct names *, enum xfs_block_kind, uint64_t ino, uint64_t fsbno, uint8_t *block,
				     uint32_t len);
/* Mappings of one fork of the inode image. */
int names_map(struct names *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image, enum xfs_fork,
	      struct xfs_mapset *out);
/* names_dir.c: all entries of a directory that can be had; sets *said. */
int names_salvage_dir(struct names *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image,
		      const struct xfs_mapset *, uint64_t *said);
/* names_short.c */
int names_salvage_short(struct names *, uint64_t ino, const uint8_t *fork, uint32_t len, uint64_t size, uint64_t *said);
/*
 * names_attr.c: every attribute that can be had, each once; what is lost is
 * told, unless quiet. The list is the caller's.
 */
int names_salvage_attrs(struct names *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image, bool quiet,
			struct names_attr **list, size_t *n);

/*
 * names_attrmend.c: entries of a leaf with one field made right when that gives
 * their names their hashes; changes the block.
 */
void names_mend_attrs(const struct xfs_geometry *, uint8_t *leaf, uint32_t count);
/* Entries of a leaf: as many as it counts, or more when they use just the bytes that it says are used. */
uint32_t names_attr_count(const struct xfs_geometry *, uint8_t *leaf);
/* As an entry stores it; the value of a parent pointer has to be there. */
uint32_t names_attr_hash(const struct xfs_geometry *, const struct xfs_attr *);
/*
 * The namespace where flags name none, or two: what one odd bit leaves, or the one that the system knows the name in.
 */
unsigned names_attr_space(unsigned flags, const uint8_t *name, unsigned len);

/* names_decide.c: each entry by itself; then those that lead nowhere, when parent pointers had their say. */
int names_decide_entries(struct names *);
int names_decide_strays(struct names *);
/* After those two, and the tree: entries and inodes that must belong together, as nothing else is left. */
int names_match_strays(struct names *);
/* names_tree.c: one parent for each directory, no rings. */
int names_decide_tree(struct names *);
/*
 * The root's lost+found that leads to a free inode: the one of a repair that was cut off before it wrote the directory
 * (see switch.c), and no name that another inode misses.
 */
bool names_is_cut_off(const struct names *, const struct names_entry *);
bool names_is_root(const struct names *, uint64_t ino);
/* names_restore.c: entries that only parent pointers hold. */
int names_restore(struct names *);
/* names_place.c: what has no name goes to lost+found. */
int names_place_orphans(struct names *);
/* Adds an entry under this name, or one like it when it is taken. */
int names_link(struct names *, uint64_t dir, uint64_t ino, const uint8_t *name, size_t namelen);
/* names_new.c: the root directory, when it is none; lost+found; inodes that become free. */
int names_root(struct names *);
int names_make_lost_found(struct names *, uint64_t *ino);
/*
 * An inode that was free, or of a new chunk; a core as of a new, empty directory; one that is a directory from now on.
 */
int names_new_inode(struct names *, uint64_t *ino);
void names_new_core(struct names *, uint64_t ino, unsigned mode, const struct xfs_dinode *like, struct xfs_dinode *);
int names_become_dir(struct names *, uint64_t ino, const struct xfs_dinode *, uint64_t said);
/*
 * names_meta.c: names in the metadata directory follow from what the inodes
 * are; files of realtime groups that are missing are made.
 */
int names_place_metadata(struct names *);
uint64_t repair_metafiles_missing(struct repair *);
/* Does this entry of a directory of that tree have another name than its inode wants? */
bool repair_metafile_misnamed(const struct repair *, uint64_t dir, uint64_t ino, const void *name, size_t len);
int names_free_inode(struct names *, uint64_t ino, struct repair_fact *);
/* names_plan.c: what differs from the disk becomes changed inodes. */
int names_plan(struct names *);
/*
 * The attribute fork of this inode is built anew, so far from nothing: *list is what it holds (the caller's, also after
 * an error), names_plan_attr() and names_plan_pointer() add to the plan, whose list has room for *room.  A pointer: its
 * directory, generation and name.  At last, when the arena does not move any more, names_settle_plans().
 */
int names_begin_attrs(struct names *, uint64_t ino, struct repair_inode **, struct names_attr **list, size_t *count);
int names_plan_attr(struct repair_name_plan *, size_t *room, const struct names_attr *);
int names_plan_pointer(struct names *, struct repair_name_plan *, size_t *room, const struct names_parent *);
void names_settle_plans(struct names *);
/*
 * Blocks of a fork of the inode, which gets others or none: their AGs are
 * rebuilt, and they stay whole until the switch.
 */
int names_give_up(struct names *, struct repair_inode *, const struct xfs_dinode *, const uint8_t *image,
		enum xfs_fork);

/* names_symlink.c: the target as far as it can be had becomes the plan; then its blocks. */
int names_mend_symlink(struct names *, uint64_t ino);
int repair_build_symlink(struct repair *, struct repair_inode *, struct xfs_dinode *);

/* names_build.c */
void repair_name_plan_free(struct repair_name_plan *);
int repair_build_names(struct repair *, struct repair_inode *, struct xfs_dinode *);

#endif
