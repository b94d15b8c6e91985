/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space.h - who claims which blocks, and whether free space and reference counts agree with that.
 *
 * Filesystems without reverse mappings are checked this way (space.c); on all of them, claims that contradict each other
 * are settled before anything is rebuilt from them (conflict.c).
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
 * else.  *settled counts them; the claims are then stale.  Looking only: findings alone.
 */
int repair_settle_conflicts(struct repair *, uint32_t agno, uint64_t *settled);
/* The inode's entry with its fork in c->map: from now on the fork is what stands there. */
int repair_open_fork(struct repair *, uint64_t ino, unsigned fork, struct repair_inode **out);
/* *whole: 0 when core or fork have a flaw. `image` has room for an inode. */
int repair_fork_is_whole(struct repair *, uint64_t ino, unsigned fork, uint8_t *image, int *whole);
/* agcross.c: runs that nobody owns against the bnobt, both ascending. */
void repair_compare_free(struct repair *, struct repair_ag *, const struct repair_runs *gaps);

#endif
