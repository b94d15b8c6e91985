/* SPDX-License-Identifier: BSD-2-Clause */
/* judge.h - what the files of the judge share: judge.c, judge_damaged.c, judge_differ.c, judge_newer.c. */
#ifndef REPAIR_JUDGE_H
#define REPAIR_JUDGE_H

#include "repair/evidence.h"

/* The rmapbt of the AG of this block is whole: its silence counts. */
static inline bool judge_ag_sound(struct repair *r, uint64_t fsbno)
{
	return repair_ag_of(r, fsbno)->tree[XFS_TREE_RMAP].sound;
}

/* judge.c */
void judge_note_fork(struct repair *, const struct evidence *, unsigned fork, enum xfs_finding_id, bool fixed,
		     const char *why);
/*
 * The fork as the reverse mappings have it, filled up with what only the fork, or (`strays`) leaves of its tree that it
 * lost, can tell.  The former are used up.  *out is normalised; the caller releases it, also after an error.
 */
int judge_make_final(struct repair *, struct evidence *, unsigned fork, bool strays, struct xfs_mapset *out);
/* The fork gets these mappings, which are used up: its bmbt blocks, old ones by either witness, change hands. */
int judge_replace_fork(struct repair *, struct evidence *, unsigned fork, struct xfs_mapset *final);

/* judge_damaged.c */
int judge_damaged(struct repair *, struct evidence *, unsigned fork);
/* A data fork whose extents lie in the realtime section. */
int judge_damaged_realtime(struct repair *, struct evidence *);
/* One that reads well: does it lack what its core counts and others know? */
int judge_whole_realtime(struct repair *, struct evidence *);
/* What such a fork and the trees of groups, all of them whole, do not both say.  Nothing otherwise.  Errors: NOMEM. */
int judge_realtime_differences(struct evidence *, struct xfs_mapset *only_fork, struct xfs_mapset *only_rt);
/*
 * A fork that reads well, without the help of all reverse mappings: more entries than are counted stand in the inode,
 * and with them the blocks are as many as the inode says.  Then the counter is wrong, and *done.
 */
int judge_try_counts(struct repair *, struct evidence *, unsigned fork, bool *done);

/*
 * judge_records.c: a damaged fork, without reverse mappings, where one number of one record explains all that is wrong;
 * then it is set, and *done.
 */
int judge_try_records(struct repair *, struct evidence *, unsigned fork, bool *done);
/*
 * The same of a fork that reads well: blocks that are missing follow one of its extents and belong to nobody, or those
 * that are too many are free or another's, or what the file lacks at its end lies behind it.
 */
int judge_try_numbers(struct repair *, struct evidence *, unsigned fork, bool *done);
/* The end of a map that would be moved by that the next time is moved at once. */
void judge_pull_back(struct repair *, const struct evidence *, struct xfs_mapset *map);

/* judge_differ.c: fork and reverse mappings, both whole; they may be the same. */
int judge_difference(struct repair *, struct evidence *, unsigned fork);
/* The blocks of a good bmbt against their reverse mappings: the tree itself is the better witness. */
void judge_own_blocks(struct repair *, struct evidence *, unsigned fork);
/* Reverse mappings that the fork does not bear out; nothing happens when there are none. */
void judge_note_surplus(struct repair *, const struct evidence *, const struct xfs_mapset *only_rmap);

/*
 * judge_newer.c: *newer when changes were lost with the log, and where both differ each block of the fork was written
 * later, by its LSN, than what the rmapbt has there.  Errors: NOMEM.
 */
int judge_fork_is_newer(struct repair *, const struct evidence *, unsigned fork, const struct xfs_mapset *only_fork,
			const struct xfs_mapset *only_rmap, bool *newer);

#endif
