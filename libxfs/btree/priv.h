/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * priv.h - what the files of the btree engine share: fields of a block, its parts, fetching and checking.
 *
 * Invariant: a view is only made of a block that passed the structural checks, so entries 0..n-1 and their pointers
 * lie inside the block whatever the disk holds.
 */
#ifndef XFS_BTREE_PRIV_H
#define XFS_BTREE_PRIV_H

#include "libxfs/btree/btree.h"
#include "libxfs/ondisk/inode.h"	/* xfs_bmdr: header of a root in a fork */

/* magic, level and numrecs lie at the same place in both forms */
XFS_INLINE uint32_t xfs_btree_get_magic(const uint8_t *data)
{
	return xfs_btree_short_get_magic((const void *)data);
}

XFS_INLINE unsigned xfs_btree_get_level(const uint8_t *data)
{
	return xfs_btree_short_get_level((const void *)data);
}

XFS_INLINE uint32_t xfs_btree_get_numrecs(const uint8_t *data)
{
	return xfs_btree_short_get_numrecs((const void *)data);
}

/* A pointer at p; all ones of either width read as XFS_NULL64. */
XFS_INLINE uint64_t xfs_btree_get_ptr(const struct xfs_btree_shape *s, const uint8_t *p)
{
	uint32_t v;

	if (s->ptrlen == 8)
		return xfs_be64(p);
	v = xfs_be32(p);
	return v == XFS_NULL32 ? XFS_NULL64 : v;
}

XFS_INLINE void xfs_btree_put_ptr(const struct xfs_btree_shape *s, uint8_t *p, uint64_t ptr)
{
	if (s->ptrlen == 8)
		xfs_put_be64(p, ptr);
	else
		xfs_put_be32(p, (uint32_t)ptr);
}

XFS_INLINE size_t xfs_btree_sib_off(const struct xfs_btree_shape *s, bool right)
{
	if (s->long_form)
		return right ? XFS_OFF(btree_long, rightsib) : XFS_OFF(btree_long, leftsib);
	return right ? XFS_OFF(btree_short, rightsib) : XFS_OFF(btree_short, leftsib);
}

XFS_INLINE uint64_t xfs_btree_get_sib(const struct xfs_btree_shape *s, const uint8_t *data, bool right)
{
	return xfs_btree_get_ptr(s, data + xfs_btree_sib_off(s, right));
}

XFS_INLINE void xfs_btree_put_sib(const struct xfs_btree_shape *s, uint8_t *data, bool right, uint64_t ptr)
{
	xfs_btree_put_ptr(s, data + xfs_btree_sib_off(s, right), ptr);
}

XFS_INLINE size_t xfs_btree_crc_off(const struct xfs_btree_shape *s)
{
	return s->long_form ? XFS_OFF(btree_long, crc) : XFS_OFF(btree_short, crc);
}

XFS_INLINE bool xfs_btree_is_inline(const struct xfs_btree *bt, uint64_t ptr)
{
	return bt->kind->inode_root && ptr == XFS_NULL64;
}

/* Where the path starts. */
XFS_INLINE uint64_t xfs_btree_root_ptr(const struct xfs_btree *bt)
{
	return bt->kind->inode_root ? XFS_NULL64 : bt->root;
}

XFS_INLINE int xfs_btree_kind_cmp(const struct xfs_btree_kind *kind, const struct xfs_btree_key *a,
				  const struct xfs_btree_key *b)
{
	for (unsigned i = 0; i < kind->cmpwords; i++)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

XFS_INLINE const uint8_t *xfs_btree_entry(const struct xfs_btree_view *v, uint32_t i)
{
	return v->entries + (size_t)i * v->stride;
}

XFS_INLINE uint64_t xfs_btree_view_ptr(const struct xfs_btree *bt, const struct xfs_btree_view *v, uint32_t i)
{
	return xfs_btree_get_ptr(bt->kind->shape, v->ptrs + (size_t)i * bt->kind->shape->ptrlen);
}

/* Low key of entry i of a leaf or node. */
XFS_INLINE void xfs_btree_view_low(const struct xfs_btree *bt, const struct xfs_btree_view *v, unsigned level,
				   uint32_t i, struct xfs_btree_key *key)
{
	if (level == 0)
		bt->kind->low(key, xfs_btree_entry(v, i));
	else
		bt->kind->key_get(key, xfs_btree_entry(v, i));
}

/* High key of entry i; nodes of overlapping kinds only. */
XFS_INLINE void xfs_btree_view_high(const struct xfs_btree *bt, const struct xfs_btree_view *v, unsigned level,
				    uint32_t i, struct xfs_btree_key *key)
{
	if (level == 0)
		bt->kind->high(key, xfs_btree_entry(v, i));
	else
		bt->kind->key_get(key, xfs_btree_entry(v, i) + bt->kind->keylen1);
}

/* Checks what must hold before the entries are touched: magic, level, number of entries. */
int xfs_btree_check_structure(const struct xfs_btree *, uint64_t ptr, unsigned level, const uint8_t *data,
			      struct xfs_finding *why);
/*
 * The nth (from 0) of the header fields that only name things: uuid, owner, blkno, siblings. True when it is wrong;
 * *why (may be NULL) then says how.
 */
#define XFS_BTREE_IDENTITY_CHECKS 5u
bool xfs_btree_identity_wrong(const struct xfs_btree *, unsigned nth, uint64_t ptr, const uint8_t *data,
			      struct xfs_finding *why);
/* Parts of a block that passed xfs_btree_check_structure(). */
void xfs_btree_view_make(const struct xfs_btree *, uint64_t ptr, const uint8_t *data, struct xfs_btree_view *);
/* A finding about a block of the tree. */
struct xfs_finding xfs_btree_finding(const struct xfs_btree *, enum xfs_finding_id, uint64_t ptr);

/* Borrows a block (at the top level: the inline root) without looking into it; pointer range is checked. */
int xfs_btree_borrow(struct xfs_btree *, uint64_t ptr, unsigned level, struct xfs_btree_block *out);
void xfs_btree_give_back(struct xfs_btree *, struct xfs_btree_block *);
/* Borrows and checks the block of `level`, and finds its parts. */
int xfs_btree_fetch(struct xfs_btree *, uint64_t ptr, unsigned level, struct xfs_btree_block *out,
		    struct xfs_btree_view *);
/* An error unless the instance is complete: levels in range (CORRUPT), version, inline root, block size (INVALID). */
int xfs_btree_check_instance(const struct xfs_btree *);

/* What the header of a new block says. */
struct xfs_btree_head {
	const struct xfs_btree_kind *kind;
	bool v5;
	uint32_t blocksize;
	const uint8_t *uuid;
	uint64_t owner, lsn, daddr;
};
/* Zeroes a block and writes its header, without siblings and crc. */
void xfs_btree_block_init(const struct xfs_btree_head *, unsigned level, uint32_t n, uint8_t *data);

/* Makes `level` of the cursor hold block `ptr`; kept when it holds it already. idx becomes 0. */
int xfs_btree_cursor_load(struct xfs_btree_cursor *, unsigned level, uint64_t ptr);
/* Index of the last entry whose low key is <= key; 0 when all are greater or there is none. */
uint32_t xfs_btree_view_search(const struct xfs_btree *, const struct xfs_btree_view *, unsigned level,
			       const struct xfs_btree_key *);
/* Announces the children idx, idx + 1, ... of a node when idx is the first of a batch. */
void xfs_btree_readahead_children(struct xfs_btree *, const struct xfs_btree_view *, uint32_t idx);
#define XFS_BTREE_BATCH 64u

#endif
