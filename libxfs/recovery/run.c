/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - recovery as a whole: replay, then rounds of changes, then counters and a clean log. */
#include "libxfs/recovery/round.h"

#include "libxfs/log/close.h"

#include <stdlib.h>

#define MOST_LEFT 16u			/* intents that cannot be finished, and others are all the same */
#define SCRATCH ((size_t)64 << 20)	/* bytes of memory for what a round changes; the rest goes to a file */

/* Devices above, where the log is clean, so that changes can begin. */
static int open_round(const struct xfs_devset *dev, struct recovery_round *round)
{
	int err = xfs_dev_scratch(&round->top.data, dev->data, SCRATCH);

	round->top.rt = dev->rt;
	if (!err && dev->log)
		err = xfs_dev_scratch(&round->top.log, dev->log, SCRATCH);
	if (!err)
		err = xfs_fs_open(&round->fs, &round->top, NULL, round->sink);
	if (!err)
		err = xfs_log_close(round->fs, &round->r->log);
	if (err)
		return err;
	/* a repair may have been stopped; this mark is no feature that changes could break */
	round->fs->geo.needsrepair = false;
	err = xfs_edit_open(&round->edit, round->fs, NULL);
	if (!err)
		xfs_edit_live(round->edit)->realtime_later = round->realtime_later;
	return err;
}

static void close_round(struct recovery_round *round)
{
	xfs_edit_close(round->edit);
	xfs_fs_close(round->fs);
	xfs_dev_close(round->top.log);
	xfs_dev_close(round->top.data);
}

/* `bare`: without the log, when that has no room. */
static int do_round(const struct xfs_devset *dev, const struct recovery_round *with,
		    int (*work)(struct recovery_round *), bool dones, bool bare)
{
	struct recovery_round round = *with;
	int err = open_round(dev, &round);

	if (!err)
		err = work(&round);
	if (!err)
		err = xfs_edit_quiesce(round.edit);
	if (!err) {
		err = recovery_bring_down(dev, &round, dones);
		if (bare && (err == -XFS_E_NOSPC || err == -XFS_E_UNSUPPORTED))
			err = recovery_bring_down_bare(dev, &round);
	}
	if (!err)
		round.done->realtime_left += xfs_edit_live(round.edit)->realtime_left;
	close_round(&round);
	return err;
}

static void forget_intents(struct xfs_recovery *r)
{
	for (size_t i = 0; i < r->nintents; i++)
		free((void *)r->intents[i].item.regions);
	r->nintents = 0;
}

static void drop_intent(struct xfs_recovery *r, size_t i)
{
	free((void *)r->intents[i].item.regions);
	memmove(&r->intents[i], &r->intents[i + 1], (r->nintents - i - 1) * sizeof(*r->intents));
	r->nintents--;
}

/* Before anything is worked out: may some of it be left, and is there any that would be? */
static int decide_on_realtime(struct recovery_round *with, const struct xfs_recovery_options *how, bool any)
{
	with->realtime_later = how && how->leave_realtime && any;
	return with->realtime_later && how->leaving ? how->leaving(how->payload) : 0;
}

static int has_unlinked(const struct xfs_devset *dev, bool *yes, bool *realtime)
{
	struct xfs_fs *fs;
	int err = xfs_fs_open(&fs, dev, NULL, NULL);

	*yes = *realtime = false;
	if (err)
		return err;
	*realtime = fs->geo.sb.rblocks != 0;
	for (uint32_t ag = 0; ag < fs->geo.agcount && !err && !*yes; ag++) {
		uint32_t buckets[XFS_AGI_BUCKETS];
		struct xfs_agi agi;

		err = xfs_fs_agi(fs, XFS_AGNO(ag), &agi, buckets);
		for (unsigned b = 0; b < XFS_AGI_BUCKETS && !err; b++)
			*yes |= buckets[b] != XFS_NULL32;
	}
	xfs_fs_close(fs);
	return err;
}

static int do_rounds(const struct xfs_devset *dev, const struct xfs_recovery_options *how, struct recovery_round *with)
{
	bool unlinked, realtime;
	int err = has_unlinked(dev, &unlinked, &realtime);

	with->done->stage = XFS_RECOVER_INTENTS;
	if (!err)
		err = decide_on_realtime(with, how, realtime && (with->r->nintents || unlinked));
	if (!err && with->r->nintents)
		err = do_round(dev, with, recovery_finish_intents, true, true);
	if (err)
		return err;
	with->r->quota_stale = with->r->nintents != 0;
	with->done->stage = XFS_RECOVER_UNLINKED;
	if (with->r->nintents)
		err = has_unlinked(dev, &unlinked, &realtime);
	forget_intents(with->r);
	if (!err && unlinked) {
		err = do_round(dev, with, recovery_free_unlinked, false, true);
		with->r->quota_stale = true;
	}
	if (err && err != -XFS_E_UNSUPPORTED)
		return err;
	with->done->stage = XFS_RECOVER_COW;
	err = do_round(dev, with, recovery_free_cow, false, true);
	/* leftovers hurt nobody, and whoever mounts it frees them */
	return err == -XFS_E_UNSUPPORTED ? 0 : err;
}

int xfs_recovery_finish(const struct xfs_devset *dev, struct xfs_recovery *r, struct xfs_recovery_work *done,
			const struct xfs_sink *sink)
{
	struct recovery_round with = { .r = r, .done = done, .sink = sink };
	uint64_t left = 0;
	int err = 0;

	*done = (struct xfs_recovery_work){ .stage = XFS_RECOVER_INTENTS };
	while (r->nintents && !err) {
		*done = (struct xfs_recovery_work){ .stage = XFS_RECOVER_INTENTS, .left = left };
		err = do_round(dev, &with, recovery_finish_intents, true, false);
		if (!err) {
			forget_intents(r);
		} else if (err == -XFS_E_CORRUPT && done->intents < r->nintents && left < MOST_LEFT) {
			drop_intent(r, (size_t)done->intents);	/* the first step of this one failed */
			*done = (struct xfs_recovery_work){ .stage = XFS_RECOVER_INTENTS, .left = ++left };
			err = 0;
		}
	}
	return err;
}

int xfs_recovery_run(const struct xfs_devset *dev, const struct xfs_recovery_options *how, struct xfs_recovery *r,
		     struct xfs_recovery_work *done, const struct xfs_sink *sink)
{
	struct xfs_recovery_work own;
	struct recovery_round with = { .r = r, .done = done ? done : &own, .sink = sink };
	int err;

	*with.done = (struct xfs_recovery_work){ .stage = XFS_RECOVER_REPLAY };
	err = xfs_recovery_replay(dev, r, sink);
	if (err || r->log.kind != XFS_LOG_DIRTY)
		return err;
	err = do_rounds(dev, how, &with);
	if (err)
		return err;
	with.done->stage = XFS_RECOVER_SETTLE;
	err = xfs_recovery_settle(dev, r, sink);
	if (!err && with.done->bare)
		err = recovery_unmark(dev);
	return err;
}
