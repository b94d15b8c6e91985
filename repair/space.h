/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space.h - who claims which blocks, and whether free space and reference counts agree with that.
 *
 * Filesystems without reverse mappings are checked this way (space.c); on all of them, claims that contradict each
 * other are settled before anything is rebuilt from them (conflict.c).
 */
#ifndef REPAIR_SPACE_H
#define REPAIR_SPACE_H

#include "repair/evidence.h"

/* Adds to r->claims; the range lies in one AG. */
int repair_claim(struct repair *, uint64_t fsbno, uint64_t len, uint64_t owner, uint64_t offword);
/* Claims headers, log and inode chunks of an AG. */
int repair_claim_static(struct repair *, struct repair_ag *);
/* Does the refcountbt or the rmapbt of the AG call some of these blocks shared? False when neither is sound. */
bool repair_is_shared(const struct repair *, uint64_t fsbno, uint64_t len);
/* A sound refcountbt calls none of these blocks, which lie in one AG, shared; or none may be. */
bool repair_is_unshared(const struct repair *, uint64_t fsbno, uint32_t len);
/* The inode gets the reflink flag. */
int repair_set_reflink(struct repair *, uint64_t ino, const uint8_t *image);
/* Sealed claims of the AG: every owner of shared blocks has the reflink flag. */
int repair_check_flags(struct repair *, uint32_t agno);
/* Claims what is not of files, once, and seals r->claims of every AG. */
int repair_claim_space(struct repair *);
/*
 * leaks.c: without reverse mappings, blocks that are in use by a sound bnobt and that nobody claims: they belonged to
 * who lacks some.  Found once, when the first fork asks. Errors: NOMEM, IO.
 */
int repair_find_leaks(struct repair *);
/* The only leak of this length. */
bool repair_leak_of_length(const struct repair *, uint64_t len, uint64_t *fsbno);
/* Are just these blocks one? */
bool repair_is_leak(const struct repair *, uint64_t fsbno, uint64_t len);
/* This block is of a tree. Errors: NOMEM. */
int repair_is_no_leak(struct repair *, uint64_t fsbno);
/* They have an owner again. */
void repair_take_leak(struct repair *, uint64_t fsbno);
/* A fork maps other blocks than it claimed so far: claims follow. Both sets are normalised. */
int repair_reclaim(struct repair *, uint64_t ino, unsigned fork, const struct xfs_mapset *before,
		   const struct xfs_mapset *after);
/* Without reverse mappings: compares trees with the claims of every AG, and frees these. */
int repair_check_space(struct repair *);
/*
 * Sealed claims of the AG: where two contradict each other the owner with less evidence loses these blocks, and nothing
 * else.  *settled counts them; what forks lose is in the list then (cuts.h).  Looking only: findings alone.
 */
struct repair_cuts;
int repair_settle_conflicts(struct repair *, uint32_t agno, struct repair_cuts *, uint64_t *settled);
/*
 * mislaid.c: sealed claims of an AG without a sound rmapbt: directories whose blocks are neither free nor claimed
 * there, and whose maps lead elsewhere instead, lose these mappings; *cut grows by their blocks.  *in_order: there are
 * none, as the gaps between claims are what is free and the free list.  Errors: NOMEM, IO.
 */
int repair_cut_mislaid(struct repair *, struct repair_ag *, struct repair_cuts *, uint64_t *cut, bool *in_order);
/* All that nobody claims is free, or of the free list; or no sound bnobt could say otherwise. Errors: NOMEM, IO. */
int repair_free_in_order(struct repair *, struct repair_ag *, bool *yes);
/*
 * astray.c: sealed claims, leaks known.  Blocks [from, from + len) of this claim are none of the inode's: *at is where
 * the extent that they are of is, when others are missing.
 */
struct repair_elsewhere {
	uint64_t fsbno, leak;		/* the place; the leak that tells it */
	struct xfs_claim extent;	/* where it leads now: the claim, or a part of it */
};
bool repair_belongs_elsewhere(struct repair *, uint32_t agno, const struct xfs_claim *, uint32_t from, uint32_t len,
			      struct repair_elsewhere *at);
/* The fork maps that place instead, once cuts are applied; says so. Errors: NOMEM. */
int repair_move_extent(struct repair *, struct repair_cuts *, uint32_t agno, const struct repair_elsewhere *at);
/* Sealed claims: extents that lead to free blocks, while just as many are in use and nobody's. Errors: NOMEM, IO. */
int repair_settle_astray(struct repair *);
/*
 * agask.c: what sound trees of an AG answer.  Nothing of them is kept in memory, however many records they have.
 */
/* The runs of a sound bnobt (refs 0); not sound: none. Errors: NOMEM, IO, and what run() returns. */
int repair_each_free(const struct repair *, struct repair_ag *, int (*run)(void *payload, uint32_t agbno, uint32_t len,
								      uint32_t refs), void *payload);
/* A copy of the free list, ascending; the caller frees it. Errors: NOMEM, and then *out is NULL. */
int repair_sorted_agfl(const struct repair_ag *, uint32_t **out);
/* How many blocks of this range, which lies in one AG, the bnobt calls free; 0 when it is not sound. */
uint64_t repair_free_blocks(const struct repair *, uint64_t fsbno, uint32_t len);
/* Runs of a range in one AG that a sound bnobt does not call free. Errors: NOMEM, IO, and what run() returns. */
int repair_each_used(const struct repair *, struct repair_ag *, uint32_t agbno, uint32_t len,
		     int (*run)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs), void *payload);
/* Owners of shared blocks as the sweep over an rmapbt meets them; a mark may stand for another inode, too. */
#define REPAIR_SHARER_BITS (UINT32_C(1) << 20)
void repair_mark_sharer(struct repair *, uint64_t ino);
bool repair_may_share(const struct repair *, uint64_t ino);

typedef int (*repair_run_fn)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs);
/* Calls run() for each, ascending, until it returns nonzero, which is returned. */
typedef int (*repair_runs_source)(struct repair *, struct repair_ag *, repair_run_fn run, void *payload);
/* By a sound rmapbt: runs of blocks without an owner (refs 0); runs that several owners share. */
int repair_each_rmap_gap(struct repair *, struct repair_ag *, repair_run_fn, void *payload);
int repair_each_rmap_share(struct repair *, struct repair_ag *, repair_run_fn, void *payload);
/*
 * The runs differ from what the bnobt has free, or from the shared extents of the refcountbt: notes the first
 * difference. Both trees are sound.  Errors: NOMEM, IO.
 */
int repair_compare_free(struct repair *, struct repair_ag *, repair_runs_source unowned);
int repair_compare_counts(struct repair *, struct repair_ag *, repair_runs_source shared);
/* The inode's entry with its fork in c->map: from now on the fork is what stands there. */
int repair_open_fork(struct repair *, uint64_t ino, unsigned fork, struct repair_inode **out);

#endif
