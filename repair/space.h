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
/* The inode gets the reflink flag. */
int repair_set_reflink(struct repair *, uint64_t ino, const uint8_t *image);
/* Sealed claims of the AG: every owner of shared blocks has the reflink flag. */
int repair_check_flags(struct repair *, uint32_t agno);
/* Without reverse mappings: seals r->claims of every AG, compares trees with them, and frees them. */
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
/*
 * agask.c: what sound trees of an AG answer.  Nothing of them is kept in memory, however many records they have.
 */
/* The runs of a sound bnobt (refs 0); not sound: none. Errors: NOMEM, IO, and what run() returns. */
int repair_each_free(const struct repair *, struct repair_ag *, int (*run)(void *payload, uint32_t agbno, uint32_t len,
								      uint32_t refs), void *payload);
/* How many blocks of this range, which lies in one AG, the bnobt calls free; 0 when it is not sound. */
uint64_t repair_free_blocks(const struct repair *, uint64_t fsbno, uint32_t len);
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
