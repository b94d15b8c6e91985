/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repair.h - one repair: what was found, what was decided, what will be written.
 *
 * locate -> observe -> reconcile -> rebuild -> switch -> verify (passes.def).  Everything a pass needs or gives is in
 * struct repair; passes run in the order of the table and know nothing of options other than what stands here.
 * The core (all files but main.c and words.c) prints nothing: findings go to the sink, progress to `say`.
 * -n is the same run on an overlay device.
 */
#ifndef REPAIR_REPAIR_H
#define REPAIR_REPAIR_H

#include "libxfs/base/findings.h"
#include "libxfs/base/mix.h"
#include "libxfs/check/fingerprint.h"
#include "libxfs/check/mapset.h"
#include "libxfs/device/device.h"
#include "libxfs/build/ag.h"
#include "libxfs/mount/fs.h"
#include "libxfs/log/state.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/agheaders.h"

struct repair;

/* Why an AG's trees and headers are written anew. */
enum repair_reason {
	REPAIR_COUNTERS = 1,	/* headers are written from what the (sound) trees hold */
	REPAIR_TREE = 2,	/* a tree is damaged or disagrees with the files */
	REPAIR_FORK = 4,	/* a fork of a file changes its blocks here */
	REPAIR_INODES = 8,	/* inode records change */
};

/* One tree of an AG as found on disk. */
struct repair_tree {
	uint32_t root, levels;
	uint64_t blocks, records;
	bool present;		/* the feature is on */
	bool found;		/* by looking at all blocks: the header does not lead to it */
	bool sound;		/* every block verified: its silence counts as evidence too */
	uint32_t *own;		/* blocks of the tree, as far as it could be walked */
	size_t nown, room;
};

/* A run of blocks, owned by a special owner. */
struct repair_run {
	uint32_t agbno, len;
	uint64_t owner;
};

/* A record of the refcountbt, or a run that several owners make. */
struct repair_refs {
	uint32_t agbno, len, refs;
};

/* Runs in order, whose neighbours never join, as a sum of keyed hashes: two such sets are equal when this is. */
struct repair_sum {
	uint64_t sum, n;
};
void repair_sum_add(const struct repair *, struct repair_sum *, uint32_t agbno, uint32_t len, uint32_t refs);
bool repair_sums_equal(const struct repair_sum *, const struct repair_sum *);

struct repair_runs {
	struct repair_run *r;
	size_t n, room;
};
int repair_runs_add(struct repair_runs *, uint32_t agbno, uint32_t len, uint64_t owner);

/* Why the names around an inode are gathered. */
enum repair_touch {
	REPAIR_UNTOUCHED,
	REPAIR_TOUCHED,		/* something is wrong with it, or with a name of it or in it */
	REPAIR_BESIDE,		/* it is, or is said to be, the parent of such a directory */
};

/* Where the way up from a directory leads. */
enum repair_climb {
	REPAIR_UNCLIMBED,
	REPAIR_CLIMBING,	/* for the time of one way */
	REPAIR_SETTLED,		/* to a root, or to a directory without a parent */
	REPAIR_TO_RING,		/* to a ring, or it lies on one */
};

/* What is known of one inode before names are looked at, and what names.c finds. Parents: of directories only. */
struct repair_fact {
	bool used : 1, named : 1, has_parent : 1;
	bool meta : 1;			/* of the metadata directory tree */
	bool open : 1;			/* its list of deleted files that were open was not empty */
	bool bad_names : 1;		/* a directory that is built anew, a symlink without a good target */
	bool bad_attrs : 1;		/* its attribute fork is built anew */
	bool kept : 1;			/* left as it is: its names are told and not decided */
	bool shares : 1;		/* has the flag of shared extents */
	uint8_t ftype;
	uint8_t touched;		/* enum repair_touch: what decisions about names are about */
	uint8_t said;			/* glance.c: the type that entries give; 0: none leads here so far */
	uint8_t climb;			/* enum repair_climb: of directories, climb.c */
	uint32_t nlink, links;		/* as the inode says; as counted */
	uint64_t parent, parent_seen;	/* its ".."; the directory that names it */
};

struct repair_usage;

struct repair_ag {
	xfs_agno_t agno;
	uint32_t length;
	struct xfs_fs *fs;
	struct xfs_agf agf;
	struct xfs_agi agi;
	bool agf_ok, agi_ok, agfl_ok, sb_ok;
	uint32_t *agfl;		/* active entries */
	size_t nagfl;
	uint32_t unlinked[XFS_AGI_BUCKETS];
	struct repair_tree tree[XFS_TREE_COUNT];
	struct xfs_inode_chunk *chunks;		/* what stands on disk (reconciled), ascending */
	size_t nchunks, chunk_room;
	struct repair_fact *facts;		/* 64 a chunk */
	struct xfs_inode_chunk *finobt;		/* records of the finobt */
	size_t nfinobt, finobt_room;
	struct repair_sum free, counts;		/* what bnobt and refcountbt (shared extents) say */
	bool counts_hold;			/* the refcountbt is sound, and a sound rmapbt says the same */
	struct repair_runs special;		/* what the rmapbt says of special owners, in order */
	uint32_t *rmap_leaves;			/* rmapbt not sound: its leaves that were found, by their first keys */
	size_t nrmap_leaves;
	bool chunks_doubted;			/* other trees or the AGI know other chunks than the inobt */
	bool order_known, in_order;		/* repair_free_in_order() */
	bool has_attrs;				/* some inode has an attribute fork */
	bool chunks_changed;			/* they differ from the inobt */
	unsigned reasons;			/* REPAIR_*; 0 = nothing to write here */
	uint64_t freeblks, btreeblks, flcount, icount, ifree;	/* as they should be */
	uint32_t longest;
	struct repair_runs whole;		/* stay whole until the switch: what forks give up (rebuild.c) */
	uint32_t spare;				/* unclaimed blocks that its trees do not need (rebuild.c) */
	struct xfs_build_ag build;		/* how it was rebuilt */
	struct xfs_ag_switch sw;		/* what the rebuild made */
	bool rebuilt;
	struct repair_rt_map *rt_maps;		/* of its inodes into the realtime section */
	size_t nrt_maps, rt_room;
	struct repair_rt_file *rt_files;	/* metadata files: of realtime groups, of quota */
	size_t nrt_files, rt_file_room;
	struct repair_rt_asker *rt_asker;	/* while its inodes are scanned (realtime_flag.c) */
	unsigned rt_asked;			/* how often a tree was read for one of its inodes (realtime_flag.c) */
	struct repair_usage *usage;		/* by owner, when quota is counted (quota.c) */
};

/* An extent of a file in the realtime section. */
struct repair_rt_map {
	uint64_t start, len;	/* blocks, counted without the gaps between groups */
	uint64_t ino, off;
	bool shareable, unwritten;
};

struct repair_rt_file {
	uint64_t ino;
	uint32_t group;
	uint16_t metatype;
	uint32_t in_use;		/* blocks of a zone, as the inode of its reverse mappings counts them */
	bool whole;			/* a tree that was read, all of it: */
	uint64_t records, mapped, sum;	/* realtime_owned.h */
};

/* An inode that changes: forks that are rebuilt, counters that are set. */
struct repair_inode {
	uint64_t ino;
	bool fork[2];			/* data, attr: gets new contents */
	struct xfs_mapset map[2];	/* its final mappings */
	uint64_t *own_blocks;		/* bmbt blocks of both forks after the repair, fsblocks */
	size_t nown[2];			/* of the data fork, then of the attr fork */
	/* inodesize bytes: the inode as it will be written; NULL: `packed` has it (changed.c) */
	uint8_t *image;
	uint8_t *packed;
	struct repair_name_plan *names;	/* directory and attributes that are built from lists */
	struct xfs_mapset old;		/* blocks that it gives up: they stay whole until the switch */
	bool made_free;			/* it becomes a free inode */
	bool decided;			/* image takes the place of the bytes on disk for all that read the inode */
	bool early;			/* a directory that gains names: nobody else may lose them before */
	bool last;			/* it begins to be in use: written when all that names it is durable */
	bool new_chunk;			/* of a chunk that is made: written with the new blocks */
};

#define REPAIR_OPEN_IMAGES 8u	/* changed inodes whose bytes lie open */

#define REPAIR_LINK_BUCKET_BITS 12u
#define REPAIR_LINK_BUCKETS (1u << REPAIR_LINK_BUCKET_BITS)

struct repair_words;
struct repair_name_plan;
struct repair_fill;
struct repair_lane;

/* flips.c: blocks with one flipped bit, each once. */
struct repair_flips {
	struct repair_flip *list;
	size_t n, room;
	size_t *heads;			/* chains by address: index + 1, 0 = none */
	size_t nheads;			/* a power of two */
	struct xfs_mix mix;
};

/* A block of a block map, or one with entries of a directory, that names its inode. */
struct repair_stray {
	uint64_t owner, fsbno;
	enum repair_stray_kind { REPAIR_STRAY_LEAF, REPAIR_STRAY_NODE, REPAIR_STRAY_ENTRIES } kind;
};

/* A run of blocks in use that nobody claims. */
struct repair_leak {
	uint64_t fsbno;
	uint32_t len;		/* 0: its owner was found */
};

/* Inodes in use and the blocks that they say to hold. */
struct repair_tally {
	uint64_t inodes, blocks;
};

/* What findings that are not to be repaired keep from being written (select.c). */
struct repair_holds {
	uint64_t findings;		/* held back */
	bool all;			/* nothing may be written */
	bool conflict;			/* claims contradict each other and are not to be settled */
	bool space;			/* no AG is rebuilt, no fork changes */
	bool selected;			/* repair_select() is done: what is held now are names */
	bool names;			/* no directory, attribute or link count changes */
	uint32_t *ags;
	size_t nags, ags_room;
	uint64_t *inodes;
	size_t ninodes, inodes_room;
};

/* Names as read along with the inodes: of worth only when nothing at all was odd (glance.c). */
struct repair_glance {
	bool off;			/* something was */
	bool mended;			/* a block with a flipped bit lies in the cache as if it were whole */
	uint64_t sums[2];		/* link_sums */
};

/*
 * What a fresh look at the devices is worth: as long as both stay, nothing was written since, and nothing found in it.
 */
struct repair_renewal {
	unsigned changes;		/* of the devices */
	uint64_t findings;		/* of the run */
	bool named;			/* the passes over names went over it */
};

/* Looking only, for the fresh check after a repair: no words, nothing is prepared for writing. */
struct repair {
	/* options */
	bool no_modify, zero_log, no_replay, force_geometry, looking;
	unsigned verbose;
	int leaf_slack, node_slack;	/* of rebuilt trees; -1 = default */
	size_t memory;			/* bytes for claims before they spill */
	size_t cache;			/* bytes for the cache of blocks; 0: its default */
	unsigned threads;		/* at most so many observe AGs; 0: one */
	unsigned add;			/* features to add: REPAIR_ADD_*, REPAIR_LAZY_* (options.h) */
	bool no_quota;			/* the kernel counts quota anew in any case */
	const bool *held;		/* by finding: reported, not repaired; NULL: none (select.c) */
	const char *name;		/* of the device, for messages */
	/* this is its view, for the time of one job on one AG (lanes.h); NULL: no view */
	struct repair_lane *lane;
	/* the stack: `dev.data` is what is repaired (an overlay with -n) */
	struct xfs_devset dev;
	/* results */
	struct xfs_sb primary;		/* as it will be written */
	struct xfs_sb upgraded;		/* with the features to add */
	bool sb_changed;		/* the primary differs from the disk */
	bool *secondary_bad;		/* by agno */
	struct xfs_geometry geo;
	struct xfs_fs *fs;		/* opened with `primary` */
	/* the same without blocks that fail their verifiers; opened when first needed */
	struct xfs_fs *strict;
	struct repair_ag *ags;
	struct repair_rt_map *rt_claims;	/* repair_rt_claims(), while trees of realtime groups are made */
	size_t nrt_claims;
	struct repair_metaindex *metas;		/* files of the metadata directory, once all inodes were observed */
	struct xfs_fingerprint fork_sums, rmap_sums;
	struct xfs_fingerprint rt_sums;	/* of forks that lead to the realtime section, where its groups have trees */
	/* one bit for each hash of an inode number: some sound rmapbt has it share blocks */
	uint8_t *sharers;
	uint8_t *odd_buckets;		/* one byte a bucket: its owners are judged one by one */
	bool any_odd, any_room;
	bool rmaps_whole;		/* every AG has a sound rmapbt: their silence counts */
	struct repair_inode *inodes;	/* that change, ascending */
	size_t ninodes, inode_room;
	struct repair_inode *late;	/* that come between these, ascending; `inodes` has room for them (changed.c) */
	size_t nlate, late_room;
	uint64_t opened[REPAIR_OPEN_IMAGES];	/* of these the last ones that were opened, as a ring */
	unsigned nopened;
	struct repair_fill *fill;	/* inodes that get parent pointers while forks are built, or NULL */
	struct xfs_claims *claims;
	uint64_t used_inodes;
	uint64_t scanned;		/* inodes looked at in this phase, for who watches */
	uint64_t *lost;			/* inodes whose core says nothing; what others say of them is kept */
	size_t nlost, lost_room;
	struct repair_flips flips;	/* blocks with one flipped bit, not written back yet */
	int flip_error;
	/* blocks that could not be read, by those who wanted to: the first so many */
	struct { uint32_t agno, agbno; const char *structure; } unread[256];
	size_t nunread;
	struct repair_stray *strays;	/* found by looking at all blocks, by owner (strays.c) */
	size_t nstrays, stray_room;
	bool strays_known;
	struct repair_leak *leaks;	/* blocks in use that nobody claims (leaks.c) */
	size_t nleaks, leak_room;
	bool leaks_known, space_claimed;
	uint64_t *left;			/* inodes of findings that are not repaired, in the order of the findings */
	size_t nleft, left_room;
	uint64_t max_lsn;
	struct xfs_log_state log;
	bool log_dirty;			/* and it was not replayed */
	bool replayed;			/* it was dirty */
	bool log_given_up;		/* changes were lost with it, in this run or in one that was stopped */
	/* names */
	bool names_bad;			/* something must be decided with all names side by side */
	bool links_differ;		/* entries and parent pointers do not say the same */
	uint64_t link_sums[2];		/* of entries, of parent pointers */
	uint64_t (*link_buckets)[2];	/* the same by directories, REPAIR_LINK_BUCKETS; NULL: nothing to compare */
	struct repair_glance *glance;
	bool ahead;			/* directory blocks are read ahead of the inodes that are scanned */
	struct repair *renewed;		/* the state after round one, when that changed anything */
	struct repair_renewal renewal;	/* when it was read */
	/* the verdict */
	uint64_t findings;		/* above INFO */
	uint64_t unfixed;		/* of these, what this version does not repair */
	bool fixed_something, rebuilt_any, writing;
	bool careless;			/* nothing else helps: what is given up is written over before the switch */
	bool tight;			/* there is no room to fill the free lists of AGs */
	bool switched;			/* the first round went through the log */
	/* what is given up may be written over: dev.data is above the device, see in_place.c */
	bool in_place;
	bool trying;			/* above the device, for a run that asks whether there is room (upgrade.c) */
	bool had_needsrepair;		/* the primary said so when the run began */
	/* the result was checked afresh, and holds nothing but what is known to remain */
	bool verified;
	bool note_fixed;		/* of the finding that is being emitted: this run repairs it */
	struct repair_holds holds;
	struct repair_tally moved;	/* to lost+found */
	uint64_t lost_blocks;		/* of forks whose map nobody knows any more */
	/* inodes in use as observed; after the repair, when it was checked afresh */
	struct repair_tally before, after;
	const struct repair_words *words;
	struct xfs_sink sink;
};

/* The AG of a valid fsblock. */
static inline struct repair_ag *repair_ag_of(const struct repair *r, uint64_t fsbno)
{
	return &r->ags[xfs_fsbno_agno(&r->geo, XFS_FSBNO(fsbno)).v];
}

/* Each pass: 0 or a negative error. Description and order: passes.def. */
#define X(name, phase, needs, provides, text) int repair_##name(struct repair *);
#include "repair/passes.def"
#undef X

/* How passes speak: the tool renders (words.c), tests record. */
struct repair_words {
	void (*line)(void *payload, const char *text);	/* log-class: banner or progress, no newline */
	void (*tell)(void *payload, const char *text);	/* the few lines that scripts expect on standard output */
	void (*phase)(void *payload, unsigned ended);	/* this phase has ended; 0: the first one begins */
	/* within a phase; total 0: unknown */
	void (*step)(void *payload, const char *unit, uint64_t done, uint64_t total);
	void *payload;
};
void repair_tell(struct repair *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How far the current work has come. Cheap: may be called for every batch. */
void repair_step(struct repair *, const char *unit, uint64_t done, uint64_t total);
void repair_say(struct repair *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Emits a finding and counts it; `fixed` = this run repairs it. */
void repair_note(struct repair *, const struct xfs_finding *, bool fixed);

/* upgrade.c: what is missing because a feature is being added is no finding. */
bool repair_is_upgrade(const struct repair *, enum xfs_finding_id);
/* select.c: findings of this kind are reported and not repaired. */
bool repair_is_held(const struct repair *, enum xfs_finding_id);
/* A held finding: remembers what must not be written because of it. */
void repair_hold(struct repair *, const struct xfs_finding *);
/* Names are repaired together or not at all: no such repair may be written. */
bool repair_names_are_held(const struct repair *);
void repair_release_holds(struct repair_holds *);
/* changed.c. What an entry of r->inodes holds. */
void repair_release_changed(struct repair_inode *);
/* All of them were written, and nobody goes back behind that. */
void repair_forget_changed(struct repair *);
/* Opens r->fs on r->primary and makes the tables of the run. */
int repair_open(struct repair *);
/*
 * verify.c: reads everything but names afresh, for who is `looking`. What it makes of the device is as good as what a
 * run of its own would: it takes nothing from anybody else.
 */
int repair_look_afresh(struct repair *);
struct repair_renewal repair_renewal_now(const struct repair *);
/* Runs every pass in order. */
int repair_run(struct repair *);
void repair_release(struct repair *);
/*
 * Gives back what only the decisions needed: claims and trees, or a fresh look at the same device, need as much again.
 */
void repair_rest(struct repair *);

#endif
