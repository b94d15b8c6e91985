/* SPDX-License-Identifier: BSD-2-Clause */
/* attrprivate.h - what the files that change attributes share. */
#ifndef XFS_NAME_ATTRPRIVATE_H
#define XFS_NAME_ATTRPRIVATE_H

#include "libxfs/inode/forkoff.h"
#include "libxfs/name/attr.h"
#include "libxfs/name/attrchange.h"
#include "libxfs/name/hashtree.h"

/* A change of one attribute. */
struct xfs_attrop {
	struct xfs_forkop k;
	const struct xfs_attr_want *want;
	uint32_t hash;
	bool remote;			/* the value does not go into a leaf */
	uint32_t record;		/* bytes of the name record in a leaf */
};

XFS_INLINE struct xfs_dinode_core *xfs_attrop_core(const struct xfs_attrop *op) { return &op->k.ip->i.d.core; }
/* Is it the attribute of the operation (incomplete or not)? */
bool xfs_attrop_matches(const struct xfs_attrop *, const struct xfs_attr *);
struct xfs_forkoff_facts xfs_attrop_facts(const struct xfs_attrop *);
/* Sets di_forkoff; the superblock tells from the first time on that there are attributes. */
int xfs_attr_place(struct xfs_live_inode *, unsigned forkoff);

/* ---- attrshort.c: lists in the inode ---- */

/* A list taken out of its fork. */
struct xfs_attr_list {
	uint32_t bytes;			/* with the header */
	unsigned n;
	uint8_t data[XFS_DINODE_MAX_SIZE];
};
void xfs_attrshort_clear(struct xfs_attr_list *);
/* CORRUPT. An absent or empty fork is an empty list. */
int xfs_attrshort_load(const struct xfs_attrop *, struct xfs_attr_list *);
/* 1: too many bytes or entries, or too long for this form. */
int xfs_attrshort_append(struct xfs_attr_list *, const uint8_t *name, unsigned namelen, const uint8_t *value,
			 uint32_t valuelen, unsigned space);
/* The entry at *at as it is in the list; *at moves behind it. Start at 4; 0 at the end. */
int xfs_attrshort_next(const struct xfs_attr_list *, uint32_t *at, struct xfs_attr *);
/* Takes out the bytes [at, at + len) of one entry. */
void xfs_attrshort_cut(struct xfs_attr_list *, uint32_t at, uint32_t len);
/* Writes the list into the fork, which holds nothing else, at its best place. 1: there is none. */
int xfs_attrshort_store(const struct xfs_attrop *, const struct xfs_attr_list *);
int xfs_attrshort_set(const struct xfs_attrop *, enum xfs_attr_how);	/* 1: needs blocks; nothing has changed */
int xfs_attrshort_remove(const struct xfs_attrop *);
/* The fork's place is made for blocks; the fork becomes empty. */
int xfs_attrshort_leave(const struct xfs_attrop *);

/* ---- attrleaf.c: bytes of leaf blocks ---- */

struct xfs_hashtree_leaves xfs_attrleaf_ops(const struct xfs_attrop *);
/* Could a record of so many bytes be added? */
bool xfs_attrleaf_has_room(const struct xfs_forkop *, const struct xfs_buf *, uint32_t record);
/* Adds entry i of the operation, with its value or the block of it. NOSPC, CORRUPT, NOMEM. */
int xfs_attrleaf_add(const struct xfs_attrop *, struct xfs_buf *, uint32_t i, uint32_t valueblk);
int xfs_attrleaf_remove(const struct xfs_forkop *, struct xfs_buf *, uint32_t i);
/* Bytes that entry i takes, with its place in the table. CORRUPT. */
int xfs_attrleaf_cost(const struct xfs_forkop *, const struct xfs_buf *, uint32_t i, uint32_t *cost);

/* ---- attrtree.c: forks of blocks ---- */

int xfs_attrtree_begin(const struct xfs_attrop *);	/* an empty leaf */
int xfs_attrtree_set(const struct xfs_attrop *, enum xfs_attr_how);
int xfs_attrtree_remove(const struct xfs_attrop *);
/* Adds one that is not there. */
int xfs_attrtree_insert(const struct xfs_attrop *);

/* ---- attrremote.c: values ---- */

int xfs_attrremote_write(const struct xfs_attrop *, uint32_t *valueblk);
int xfs_attrremote_free(const struct xfs_attrop *, uint32_t valueblk, uint32_t valuelen);

#endif
