/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btree.h - one engine for all btrees; it knows neither inodes nor space.
 *
 * A kind (kinds/) is a record codec: low and high key of a record, normalised to three 64-bit words, so that one
 * comparison serves all.  An instance gets its root, its blocks and later its space handed in as callbacks.
 * Overlapping intervals are a property of the engine: a kind with `overlapping` stores low and high keys in its nodes,
 * and a range query visits exactly the nodes whose [low, high] meets the query, and reports how many.
 * Format sheet 02, sections 1 to 3 and 7.  Layer: btree (above ondisk and base only; mount gives callbacks).
 *
 * Nothing from disk is trusted: every block that is fetched is checked (magic, level, numrecs, and on V5 owner, blkno,
 * uuid when the instance says them) before it is used; paths are bounded by XFS_BTREE_MAXLEVELS and loops by levels.
 */
#ifndef XFS_BTREE_BTREE_H
#define XFS_BTREE_BTREE_H

#include "libxfs/base/errors.h"
#include "libxfs/base/findings.h"
#include "libxfs/base/types.h"
#include "libxfs/ondisk/btree.h"

struct xfs_btree_key {
	uint64_t w[3];		/* compared as unsigned words, first word first */
};

enum xfs_btree_id {
	XFS_BTREE_BNO, XFS_BTREE_CNT, XFS_BTREE_INO, XFS_BTREE_FINO, XFS_BTREE_RMAP, XFS_BTREE_REFC, XFS_BTREE_BMAP,
	XFS_BTREE_RTRMAP, XFS_BTREE_RTREFC, XFS_BTREE_KINDS
};

struct xfs_btree_kind {
	enum xfs_btree_id id;
	const char *name;			/* as in findings and xfs_db: "rmapbt" */
	uint32_t magic_v4, magic_v5;		/* magic_v4 0: V5 only */
	const struct xfs_btree_shape *shape;
	bool overlapping;			/* nodes hold low and high key */
	bool inode_root;			/* the root lies in an inode fork (bmdr form) */
	bool root_leaf;				/* inode_root: the root may be a leaf, also an empty one */
	uint8_t keylen1;			/* bytes of one key on disk (20 for rmapbt) */
	/* words of a key that take part in comparisons; the others are carried */
	uint8_t cmpwords;
	void (*low)(struct xfs_btree_key *, const void *rec);
	void (*high)(struct xfs_btree_key *, const void *rec);
	void (*key_get)(struct xfs_btree_key *, const void *disk);
	void (*key_put)(void *disk, const struct xfs_btree_key *);
	/* True when `next`, which follows `rec`, should be one record with it; NULL: never. */
	bool (*mergeable)(const void *rec, const void *next);
	/* Overlapping kinds: records that may lie on top of each other. NULL: no two records may overlap. */
	bool (*shareable)(const void *rec);
};
extern const struct xfs_btree_kind xfs_btree_kinds[XFS_BTREE_KINDS];

struct xfs_btree;

/* A block that is borrowed from the instance's source until put. */
struct xfs_btree_block {
	uint64_t ptr;			/* agbno or fsbno; XFS_NULL64 for a root in an inode */
	const uint8_t *data;		/* `blocksize` bytes (inline root: inline_len bytes) */
	void *handle;			/* the source's own */
};

struct xfs_btree_io {
	void *owner;
	/* Reads a block. Errors: IO, RANGE (pointer outside), NOMEM, BADCRC when the source checks CRCs. */
	int (*get)(void *owner, uint64_t ptr, struct xfs_btree_block *out);
	void (*put)(void *owner, struct xfs_btree_block *);
	/* Optional: several pointers will be wanted soon. They come from disk unchecked: ignore those outside. */
	void (*readahead)(void *owner, const uint64_t *ptrs, size_t n);
};

/*
 * What changing a tree needs.  A tree that can be changed borrows writable memory: get() must lend the same memory
 * for the same block to all borrowers, as a buffer cache does, and inline_root must be writable.
 */
struct xfs_btree_space {
	void *owner;
	/* A block for `level`, near block `near` if possible (XFS_NULL64: anywhere). Counting blocks is the owner's. */
	int (*alloc)(void *owner, unsigned level, uint64_t near, uint64_t *ptr);
	/* The tree no longer has it. Called when the change is complete and nothing of the block is borrowed. */
	int (*free)(void *owner, uint64_t ptr);
	/*
	 * Optional: the block may be changed now; called while a change is planned, so it may fail.  The owner can keep
	 * the old contents here.
	 */
	int (*prepare)(void *owner, const struct xfs_btree_block *);
	/* Memory of a block just allocated, without reading it; given back by io.put. */
	int (*fresh)(void *owner, uint64_t ptr, struct xfs_btree_block *out);
	/*
	 * Bytes [off, off + len) have changed (ptr XFS_NULL64: of the root in the inode). The crc is not kept up:
	 * whoever writes the block computes it.
	 */
	void (*dirty)(void *owner, const struct xfs_btree_block *, uint32_t off, uint32_t len);
	/* Optional: root or levels of the instance have changed. */
	void (*moved)(void *owner, const struct xfs_btree *);
};

struct xfs_btree {
	const struct xfs_btree_kind *kind;
	struct xfs_btree_io io;
	const struct xfs_btree_space *space;	/* NULL: read only */
	uint32_t blocksize;
	bool v5;
	/* The root: a block (AG trees) or bytes in a fork (inode_root). */
	uint64_t root;
	unsigned levels;		/* number of levels, root included; 1 = the root is a leaf */
	const uint8_t *inline_root;	/* fork bytes in bmdr form, when kind->inode_root */
	size_t inline_len;
	/* What headers must say on V5; checks are left out for a NULL uuid. */
	const uint8_t *uuid;
	uint64_t owner;			/* agno or inode number */
	/* expected bno field; NULL = not checked; gets io.owner */
	uint64_t (*daddr_of)(void *owner, uint64_t ptr);
	uint64_t ptr_min, ptr_max;	/* pointers p must satisfy ptr_min <= p < ptr_max; both 0 = not checked */
};

/* A checked block: where its parts are. Entries are records (level 0) or keys. */
struct xfs_btree_view {
	const uint8_t *entries, *ptrs;
	uint32_t n;			/* entries in use; they lie inside the block */
	uint32_t stride;		/* bytes of an entry */
};

enum xfs_btree_pos { XFS_POS_NONE, XFS_POS_BEFORE, XFS_POS_ON, XFS_POS_BEHIND };

/*
 * Position in a tree: one block a level, kept until the cursor is closed. Caller allocates; init makes it empty.
 * Steps go through the parents, never over sibling links: so damaged links can neither mislead nor loop it.
 */
struct xfs_btree_cursor {
	struct xfs_btree *bt;
	enum xfs_btree_pos pos;		/* NONE: nowhere; BEFORE the first, ON a, BEHIND the last record */
	struct {
		struct xfs_btree_block b;
		struct xfs_btree_view v;
		uint32_t idx;
		bool held;
	} lev[XFS_BTREE_MAXLEVELS];	/* [0] = leaf */
};
void xfs_btree_cursor_init(struct xfs_btree_cursor *, struct xfs_btree *);
void xfs_btree_cursor_close(struct xfs_btree_cursor *);

/*
 * All moves: 0, NOENT, INVALID (step of a cursor that is nowhere), what the source returned, or BADMAGIC, CORRUPT,
 * RANGE when a block on the path is damaged (the cursor is then nowhere).
 */
enum xfs_btree_dir { XFS_LOOKUP_LE, XFS_LOOKUP_EQ, XFS_LOOKUP_GE };
/*
 * 0: positioned on a record. NOENT: there is none (the cursor is then behind the last or before the first one; after a
 * missed EQ it is where GE would be).
 */
int xfs_btree_lookup(struct xfs_btree_cursor *, enum xfs_btree_dir, const struct xfs_btree_key *);
int xfs_btree_first(struct xfs_btree_cursor *);
int xfs_btree_last(struct xfs_btree_cursor *);
int xfs_btree_next(struct xfs_btree_cursor *);		/* NOENT at the end */
int xfs_btree_prev(struct xfs_btree_cursor *);
/* The record at the cursor, in disk form; valid until the cursor moves. NULL when not on a record. */
const void *xfs_btree_record(const struct xfs_btree_cursor *);

struct xfs_btree_visits {
	/* blocks visited by level, [0] = leaves; an inline root is counted too */
	uint32_t blocks[XFS_BTREE_MAXLEVELS];
};
typedef int (*xfs_btree_record_fn)(void *payload, const void *rec);	/* nonzero stops and is returned */
typedef void (*xfs_btree_visit_fn)(void *payload, uint64_t ptr, unsigned level);
/*
 * Every record whose [low, high] meets [lo, hi] under key comparison, in key order.  Visits exactly the blocks that
 * the key pairs allow (overlapping kinds) or one path and its right neighbours (plain kinds).  `visits` and `visit`
 * may be NULL.
 */
int xfs_btree_query_range(struct xfs_btree *, const struct xfs_btree_key *lo, const struct xfs_btree_key *hi,
			  xfs_btree_record_fn found, void *payload, struct xfs_btree_visits *visits,
			  xfs_btree_visit_fn visit, void *visit_payload);
/* Every record in order; leaves are read ahead in batches. */
int xfs_btree_query_all(struct xfs_btree *, xfs_btree_record_fn found, void *payload);

/*
 * Walks every block from the root downwards, each level from left to right (breadth first); block() gets the whole
 * block.  A subtree whose block can't be fetched or fails its header check is reported to bad() (may be NULL: error
 * ends the walk) and left out.
 */
struct xfs_btree_walk {
	int (*block)(void *payload, uint64_t ptr, unsigned level, const uint8_t *data);
	int (*bad)(void *payload, uint64_t ptr, unsigned level, int error);
	void *payload;
};
int xfs_btree_walk(struct xfs_btree *, const struct xfs_btree_walk *);

/* Entries (leaf: records) that fit in a root of `len` bytes in an inode fork; format sheet 02, section 1.5. */
uint32_t xfs_btree_inline_max(const struct xfs_btree_kind *, size_t len, bool leaf);

/* Checks of one fetched block that need no other: 0 or -BADMAGIC, -CORRUPT, ... ; says which in *why (may be NULL). */
int xfs_btree_check_block(const struct xfs_btree *, uint64_t ptr, unsigned level, const uint8_t *data,
			  struct xfs_finding *why);
/*
 * The whole tree: headers, crc (hardware), order, overlap, exact keys and high keys, fill, siblings, levels,
 * reachability once, record validity through record() (may be NULL). Findings go to the sink: of each kind at most
 * one a block, except for keys and invalid records (one each).  A block that can't be used is reported and its
 * subtree left out. Keys are compared as the tree compares them (the count in a bnobt key and the old unwritten bit
 * in a rmapbt key are not). Returns 0 when the walk could be done (findings or not), else an error (NOMEM, INVALID).
 */
struct xfs_btree_verify {
	const struct xfs_sink *sink;
	xfs_btree_record_fn record;	/* called in order; nonzero: BTREE_RECORD finding */
	bool all;			/* also for records that end before they begin */
	/* each block that is met (XFS_NULL64: root in an inode), parents first; nonzero ends the walk; may be NULL */
	int (*block)(void *payload, uint64_t ptr, unsigned level);
	void *payload;
	/* overlapping kinds on a filesystem without reflink: no two records may overlap */
	bool no_sharing;
	uint64_t blocks, records, findings;	/* out */
	uint64_t lost;			/* out: blocks that nodes lead to and that could not be used */
};
int xfs_btree_verify(struct xfs_btree *, struct xfs_btree_verify *);

/*
 * ---- changes (insert.c, delete.c): format sheet 02, sections 3.2 to 3.4 ----
 * Each call is planned first (blocks allocated, siblings fetched and checked) and then done in memory: when it fails,
 * the tree is as it was.  The one exception is an error of space->free(), which comes when the tree is right but the
 * block is not given back.  Keys of all nodes above are exact afterwards.  Siblings are those under the same parent.
 * Any change makes other cursors of the tree invalid: look up again.
 * Errors: READONLY (no space), INVALID, EXISTS, NOSPC and others of the callbacks; damage on the path: BADMAGIC,
 * CORRUPT.
 */
/* Adds a record at the place of its key. EXISTS: there is one with this key. */
int xfs_btree_insert(struct xfs_btree *, const void *rec);
/*
 * Removes the record at the cursor, which is nowhere afterwards.  The last record of a tree whose root may not be a
 * leaf (bmbt) can't be removed: INVALID; its owner turns the fork to extents instead.
 */
int xfs_btree_delete(struct xfs_btree_cursor *);
/* Replaces the record at the cursor, which stays on it. INVALID: the new key does not lie between the neighbours. */
int xfs_btree_update(struct xfs_btree_cursor *, const void *rec);
/*
 * A tree with its root in an inode begins (plant.c): `n` records, ascending, go to one leaf, the only entry of the
 * root, whatever the bytes of the fork were; levels becomes 2.  Errors: INVALID (no such kind, or more than a leaf
 * holds), and those of the callbacks; the fork is as it was then.
 */
int xfs_btree_plant(struct xfs_btree *, const void *recs, uint32_t n);

/* ---- bulk load (bulk.c): format sheet 02, section 7 ---- */
struct xfs_btree_geometry {
	uint64_t records;
	unsigned levels;			/* root included */
	uint64_t blocks;			/* without an inode root */
	/* [0] leaves: first `extra` blocks hold per + 1 */
	struct { uint64_t blocks, per, extra; } lev[XFS_BTREE_MAXLEVELS];
};
/*
 * Shape of a tree of `records` records.  Slack: entries left free in each block, -1 = the default (about 75 % full).
 * inline_len: bytes of the inode fork that holds the root (0 for AG trees, and only for them); its level has no
 * blocks and `per` entries.  Errors: INVALID (kind without this version, no room, a bmbt without records).
 */
int xfs_btree_bulk_geometry(struct xfs_btree_geometry *, const struct xfs_btree_kind *, bool v5, uint32_t blocksize,
			    uint64_t records, int leaf_slack, int node_slack, size_t inline_len);
/*
 * Blocks of an AG tree of `records` records when every block is full or, `worst`, holds the minimum (format sheet 02,
 * section 1.6, calc_size); 1 for no record.  *levels (may be NULL) gets the height.
 */
uint64_t xfs_btree_blocks_for(const struct xfs_btree_kind *, bool v5, uint32_t blocksize, uint64_t records, bool worst,
			      unsigned *levels);

struct xfs_btree_bulk {
	const struct xfs_btree_kind *kind;
	uint32_t blocksize;
	bool v5;
	const uint8_t *uuid;
	uint64_t owner;
	uint64_t lsn;			/* stamped into V5 blocks; 0 for a tool without a log */
	/* Next record in order, in disk form, written to `rec` (zeroes before); called exactly `records` times. */
	int (*next)(void *payload, void *rec);
	/*
	 * Next block for `level` (0 = leaves).  Called once per block: first for the leftmost block of each level from
	 * the leaves up, then each time a block is finished and its level goes on, so levels interleave.  The geometry
	 * tells how many each level will want, for those who like levels to be contiguous.
	 */
	int (*alloc)(void *payload, unsigned level, uint64_t *ptr);
	uint64_t (*daddr_of)(void *payload, uint64_t ptr);	/* V5: the bno field */
	/*
	 * A finished block, crc in place, links right; written or copied before
	 * return. A parent follows its last child.
	 */
	int (*emit)(void *payload, uint64_t ptr, unsigned level, const uint8_t *data);
	void *payload;
	/* out */
	uint64_t root;			/* AG trees */
	unsigned levels;
	uint8_t *inline_root;		/* in: room of inline_len bytes for a bmdr root; out: filled */
	size_t inline_len;
};
/* Errors: INVALID (records out of order, incomplete request), NOMEM, and what the callbacks return. */
int xfs_btree_bulk_load(struct xfs_btree_bulk *, const struct xfs_btree_geometry *);

XFS_INLINE int xfs_btree_key_cmp(const struct xfs_btree_key *a, const struct xfs_btree_key *b)
{
	for (int i = 0; i < 3; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

#endif
