/* SPDX-License-Identifier: BSD-2-Clause */
/* rmap_priv.h - steps that the changes of reverse mappings are made of; shared by rmap*.c. */
#ifndef XFS_SPACE_RMAP_PRIV_H
#define XFS_SPACE_RMAP_PRIV_H

#include "libxfs/space/rmap.h"

/* A change of the tree at work: one cursor, which stays near the place. */
struct xfs_rmap_edit {
	struct xfs_btree *bt;
	struct xfs_btree_cursor cur;
	bool shared;		/* a record that gets another key is taken out and put in again */
};

void xfs_rmap_edit_init(struct xfs_rmap_edit *, struct xfs_btree *, bool shared);
void xfs_rmap_edit_close(struct xfs_rmap_edit *);

/* Finders: 0 or an error; out->len 0 = there is none. */
int xfs_rmap_find(struct xfs_rmap_edit *, enum xfs_btree_dir, const struct xfs_claim *key, struct xfs_claim *out);
int xfs_rmap_find_next(struct xfs_rmap_edit *, struct xfs_claim *out);	/* behind what was found */
int xfs_rmap_find_prev(struct xfs_rmap_edit *, struct xfs_claim *out);
/* Shared: the record that the claim would continue, in the state of the claim. */
int xfs_rmap_find_left(struct xfs_rmap_edit *, const struct xfs_claim *, struct xfs_claim *out);
/* Shared: the record that would continue the claim. */
int xfs_rmap_find_right(struct xfs_rmap_edit *, const struct xfs_claim *, struct xfs_claim *out);
/* Shared: the record that the claim is a part of, whatever its state. */
int xfs_rmap_find_holder(struct xfs_rmap_edit *, const struct xfs_claim *, struct xfs_claim *out);

/* Steps; CORRUPT when the old record is not there, or the new one is. */
int xfs_rmap_add(struct xfs_rmap_edit *, const struct xfs_claim *);
int xfs_rmap_remove(struct xfs_rmap_edit *, const struct xfs_claim *);
int xfs_rmap_replace(struct xfs_rmap_edit *, const struct xfs_claim *old, const struct xfs_claim *new);

/* May the claim be written as a record? */
bool xfs_rmap_sensible(const struct xfs_claim *);
/* `next` continues `c` in blocks, owner, flags and offset, and both fit in one record. */
bool xfs_rmap_continues(const struct xfs_claim *c, const struct xfs_claim *next);
/* The part of `c` from its block `skip` on, `len` blocks. */
struct xfs_claim xfs_rmap_part(const struct xfs_claim *c, uint32_t skip, uint32_t len);
/* `part` lies in `c`: blocks, owner, flags (state too) and offset. */
bool xfs_rmap_holds(const struct xfs_claim *c, const struct xfs_claim *part);

XFS_INLINE uint64_t xfs_claim_end(const struct xfs_claim *c) { return (uint64_t)c->agbno + c->len; }

#endif
