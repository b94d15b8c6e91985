/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirprivate.h - what the files that change directories share.
 *
 * Buffers are joined to the change.  `end`: where the entries of a data block end.  Layer: name (private).
 */
#ifndef XFS_NAME_DIRPRIVATE_H
#define XFS_NAME_DIRPRIVATE_H

#include "libxfs/name/hashtree.h"
#include "libxfs/name/dir.h"

#define XFS_DIR_SF_MOST 255u

/* A change of one entry. */
struct xfs_dirop {
	struct xfs_forkop k;
	const uint8_t *name;
	unsigned namelen;
	uint32_t hash;
	uint64_t ino;
	unsigned ftype;
	uint32_t need;				/* bytes of the entry in a data block */
};
XFS_INLINE struct xfs_dinode_core *xfs_dirop_core(const struct xfs_dirop *op) { return &op->k.ip->i.d.core; }
/* The form as it is now. */
int xfs_dirop_open(const struct xfs_dirop *, struct xfs_dir *);
void xfs_dirop_set_size(const struct xfs_dirop *, uint64_t size);

/* ---- dirdata_change.c: data blocks ---- */

/* Areas of a data block. */
struct xfs_dirdata_areas {
	uint32_t longest;		/* of all areas but the one that reaches the end */
	uint32_t tail;			/* the one that reaches the end */
	uint32_t used;			/* number of used entries */
};
/* Walks all of it. CORRUPT: it is not tiled. */
int xfs_dirdata_survey(const struct xfs_geometry *, const uint8_t *block, uint32_t end, struct xfs_dirdata_areas *);
/* An empty block of a fresh buffer: one area from the header to `end`. */
void xfs_dirdata_init(const struct xfs_geometry *, struct xfs_buf *, uint32_t end);
/* Takes `need` bytes of a free area: *off. NOENT: none is that long; CORRUPT. */
int xfs_dirdata_take(const struct xfs_geometry *, struct xfs_buf *, uint32_t end, uint32_t need, uint32_t *off);
/* Makes [off, off + len) free and one with free areas beside it. CORRUPT. */
int xfs_dirdata_give(const struct xfs_geometry *, struct xfs_buf *, uint32_t end, uint32_t off, uint32_t len);
/* Takes `len` bytes from the end of the area that reaches `end`. CORRUPT: there is none of this length. */
int xfs_dirdata_cut(const struct xfs_geometry *, struct xfs_buf *, uint32_t end, uint32_t len);
/* Recomputes the table of longest areas. CORRUPT. */
int xfs_dirdata_rescan(const struct xfs_geometry *, struct xfs_buf *, uint32_t end);
XFS_INLINE uint32_t xfs_dirdata_best(const struct xfs_geometry *g, const struct xfs_buf *b)
{
	return xfs_be16(b->data + xfs_dir_bestfree_off(g->v5) + XFS_OFF(dir_best, length));
}
void xfs_dirdata_put_unused(struct xfs_buf *, uint32_t off, uint32_t len);
/* An entry in an area that was taken for it. */
void xfs_dirdata_put_entry(const struct xfs_geometry *, struct xfs_buf *, uint32_t off, uint64_t ino,
			   const uint8_t *name, unsigned namelen, unsigned ftype);
/* Points the entry at `off` to another inode. CORRUPT: there is no entry. */
int xfs_dirdata_replace(const struct xfs_geometry *, struct xfs_buf *, uint32_t end, uint32_t off, uint64_t ino,
			unsigned ftype);
/* Length of the used entry at `off`. CORRUPT: none. */
int xfs_dirdata_entry_len(const struct xfs_geometry *, const struct xfs_buf *, uint32_t end, uint32_t off,
			  uint32_t *len);
/* The data block `db`, joined. */
int xfs_dirop_data(const struct xfs_dirop *, uint64_t db, struct xfs_buf **out);

/* ---- dirindex.c: arrays of (hash, address), sorted by hash ---- */

/* First place whose hash is at least `hash`. */
uint32_t xfs_dirindex_search(const uint8_t *entries, uint32_t count, uint32_t hash);
/* Puts an entry in place i of an array at byte `off`, which has a stale entry: the nearest one goes. NOENT: none. */
int xfs_dirindex_reuse(struct xfs_buf *, uint32_t off, uint32_t count, uint32_t i, uint32_t hash, uint32_t address);
/* Drops stale entries, to the front. Returns how many are left. */
uint32_t xfs_dirindex_compact(uint8_t *entries, uint32_t count);
/* The entry with hash and address; `count` when there is none. */
uint32_t xfs_dirindex_find(const uint8_t *entries, uint32_t count, uint32_t hash, uint32_t address);
void xfs_dirindex_put(uint8_t *at, uint32_t hash, uint32_t address);
/* The i-th entry of the array at `off` becomes stale. */
void xfs_dirindex_retire(struct xfs_buf *, uint32_t off, uint32_t i);

/* ---- dirshort.c ---- */

struct xfs_sf_entry {
	uint64_t ino;
	const uint8_t *name;
	uint8_t namelen, ftype;
	uint16_t off;
};
/* A short directory taken apart; names lie in `bytes`. */
struct xfs_sf_list {
	uint64_t parent;
	unsigned n;
	struct xfs_sf_entry e[XFS_DIR_SF_MOST + 1];
	uint8_t bytes[XFS_DINODE_MAX_SIZE];
};
int xfs_dirshort_load(const struct xfs_dirop *, struct xfs_sf_list **out);	/* the caller frees it */
uint32_t xfs_dirshort_size(const struct xfs_geometry *, const struct xfs_sf_list *);
/* Writes the list into the fork. NOSPC: it has no room. */
int xfs_dirshort_store(const struct xfs_dirop *, const struct xfs_sf_list *);
/* Errors: NOSPC (must become a block). */
int xfs_dirshort_add(const struct xfs_dirop *);
int xfs_dirshort_remove(const struct xfs_dirop *);
int xfs_dirshort_replace(const struct xfs_dirop *);

/* ---- dirblock.c ---- */

int xfs_dirblock_from_short(const struct xfs_dirop *);
/* Back when it fits. */
int xfs_dirblock_to_short(const struct xfs_dirop *);
/* NOSPC: must become a leaf. */
int xfs_dirblock_add(const struct xfs_dirop *);
int xfs_dirblock_remove(const struct xfs_dirop *, uint32_t address);

/* ---- dirleaf.c, dirnode.c, dirfree.c ---- */

extern const uint32_t xfs_dirleaf_magic1[2];
int xfs_dirleaf_from_block(const struct xfs_dirop *);
int xfs_dirleaf_to_block(const struct xfs_dirop *);
int xfs_dirleaf_add(const struct xfs_dirop *);	/* 1: must become a tree */
int xfs_dirleaf_remove(const struct xfs_dirop *, uint32_t address);
/* A new data block with this number, empty. */
int xfs_dirleaf_new_data(const struct xfs_dirop *, uint64_t db, struct xfs_buf **out);
/* Frees a data block; the size follows when it was the last. */
int xfs_dirleaf_free_data(const struct xfs_dirop *, uint64_t db);
/* Is the data block without any entry? */
bool xfs_dirleaf_is_empty(const struct xfs_dirop *, const struct xfs_buf *);

int xfs_dirnode_from_leaf(const struct xfs_dirop *);
int xfs_dirnode_to_leaf(const struct xfs_dirop *);
int xfs_dirnode_add(const struct xfs_dirop *);
int xfs_dirnode_remove(const struct xfs_dirop *, uint32_t address);

/* A data block with a free area of op->need bytes, by the free index. NOENT: *db is a number for a new one. */
int xfs_dirfree_find(const struct xfs_dirop *, uint64_t *db);
/* Tells the free index the longest area of a data block; XFS_DIR_NULL_BEST: there is no such block any more. */
int xfs_dirfree_set(const struct xfs_dirop *, uint64_t db, uint32_t best);

#endif
