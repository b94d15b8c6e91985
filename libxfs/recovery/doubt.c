/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doubt.c - which of the intents that a careful replay leaves may be finished.
 *
 * An intent stands for a step that is not done, on top of all that was logged before it.  Where a part of that was left
 * out the step would land on something else, and a step whose done item stands in a transaction that was carried out in
 * part may be done or not: done again it may do harm.  So both are left to the repair, which goes by what is in place,
 * and with them the later steps of the same chain: those that were announced together, and those that follow from them.
 *
 * Trees of space alone cannot spoil steps in files: the repair builds them anew from files.
 */
#include "libxfs/recovery/private.h"

#include <stdlib.h>

#define SPACE 1u			/* headers of AGs and their trees */
#define FILES 2u
#define BOTH (SPACE | FILES)
#define SPREAD 2u			/* left shift: the same, by way of a chain */

/* ---- what is left out ---- */

int replay_next_trans(struct replay *rp)
{
	if (!rp->careful)
		return 0;
	if (rp->trans == UINT32_MAX || xfs_grow_to(&rp->left, &rp->left_room, (size_t)rp->trans + 2, 1))
		return -XFS_E_NOMEM;
	if (!rp->trans)
		rp->left[0] = 0;
	rp->left[++rp->trans] = 0;
	if (!rp->nbatch)
		rp->batch_trans = rp->trans;
	return 0;
}

/* All transactions from this one on. */
static void mark(struct replay *rp, uint32_t first, unsigned what)
{
	for (uint32_t t = first; t <= rp->trans && t; t++)
		rp->left[t] |= (uint8_t)what;
}

static int lack(struct replay *rp, uint64_t key, uint32_t len, unsigned what)
{
	int err = 0;

	for (unsigned k = 0; k < 2 && !err; k++)
		if (what & 1u << k)
			err = xfs_cancels_add(&rp->missing[k], key, len);
	return err;
}

/* `p`: the first bytes of the block, NULL: not known. */
static unsigned kind_of_block(unsigned content, const uint8_t *p)
{
	switch (content) {
	case XFS_BLFT_SB: case XFS_BLFT_AGF: case XFS_BLFT_AGI: case XFS_BLFT_AGFL:
	case XFS_BLFT_RTBITMAP: case XFS_BLFT_RTSUMMARY:
		return SPACE;
	case XFS_BLFT_UDQUOT: case XFS_BLFT_PDQUOT: case XFS_BLFT_GDQUOT:
		return 0;
	case XFS_BLFT_BTREE:
		return !p ? BOTH : xfs_be32(p) == XFS_BMBT_MAGIC || xfs_be32(p) == XFS_BMBT_MAGIC_V4 ? FILES : SPACE;
	case XFS_BLFT_UNKNOWN:
		return BOTH;
	default:
		return FILES;
	}
}

int replay_left_block(struct replay *rp, const struct touched *t, unsigned content, const uint8_t *p, bool batch)
{
	unsigned what = kind_of_block(content, p);

	mark(rp, batch ? rp->batch_trans : rp->trans, what);
	return lack(rp, t->daddr, t->bbs, what);
}

static int left_buf(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_run run = { .len = 0 };
	struct xfs_log_buf_item b;
	unsigned what;

	replay_load_buf(rp, &b, it);
	what = kind_of_block(b.content, xfs_log_buf_next(&b, &run) && !run.off ? run.p : NULL);
	mark(rp, rp->trans, what);
	return lack(rp, b.daddr, b.bbs, what);
}

static int left_inode(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_inode_item i;

	xfs_log_inode_load(&i, it);
	mark(rp, rp->trans, FILES);
	return lack(rp, i.f.ino, UINT32_MAX, FILES);
}

int replay_left_item(struct replay *rp, const struct xfs_log_item *it)
{
	switch (it->type) {
	case XFS_LI_BUF:
		return left_buf(rp, it);
	case XFS_LI_INODE:
		return left_inode(rp, it);
	case XFS_LI_DQUOT:
		return 0;
	default:
		mark(rp, rp->trans, BOTH);
		return 0;
	}
}

void replay_left_any(struct replay *rp)
{
	mark(rp, 1, FILES);
}

/* ---- what is built on it ---- */

void replay_builds_on(struct replay *rp, uint64_t key, uint32_t len)
{
	for (unsigned k = 0; k < 2; k++)
		if (rp->careful && xfs_cancels_has(&rp->missing[k], key, len))
			mark(rp, rp->trans, 1u << k);
}

/* Lists are in the order of the log, and what ends an intent comes behind it: one pass reaches all that follows. */
static void spread(struct replay *rp)
{
	for (size_t i = 0; i < rp->out->nintents; i++) {
		const struct intent_life *life = &rp->lives[i];

		rp->left[life->announced] |= (uint8_t)((rp->left[life->announced] & BOTH) << SPREAD);
		if (life->done)
			rp->left[life->announced] |= (uint8_t)((rp->left[life->done] & BOTH) << SPREAD);
	}
	for (size_t i = 0; i < rp->out->nintents; i++) {
		const struct intent_life *life = &rp->lives[i];

		if (life->done)
			rp->left[life->done] |= (uint8_t)(rp->left[life->announced] & BOTH << SPREAD);
	}
}

/* What a step needs to be there. */
static unsigned needs(uint16_t type)
{
	return type == XFS_LI_BUI || type == XFS_LI_ATTRI || type == XFS_LI_XMI ? FILES : BOTH;
}

void replay_drop_doubtful(struct replay *rp)
{
	struct xfs_recovery *out = rp->out;

	if (!rp->careful || !rp->trans)
		return;
	spread(rp);
	for (size_t i = 0; i < out->nintents; i++) {
		const struct intent_life *life = &rp->lives[i];
		struct xfs_log_item *it = &out->intents[i].item;
		unsigned how = life->done ? rp->left[life->done] : rp->left[life->announced] >> SPREAD;

		if (!(how & needs(it->type)))
			continue;
		rp->careful->doubtful++;
		free((void *)it->regions);
		it->regions = NULL;
	}
}
