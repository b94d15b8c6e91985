/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logend.c - a damaged log that can end before its damage: nothing that was logged later is in place, so that the
 * filesystem is what a crash at that moment would have left.
 *
 * Then the log is made to end there, and replayed as any: what was cut off at the damage is finished too.  Files would
 * have holes, or lack attributes without that, which nothing but the log knows of.  V4 tells nothing of what is in
 * place; its logs announce nothing but blocks that become free, and those are free when no file has them.
 */
#include "repair/logrun.h"
#include "repair/partial.h"

#include "libxfs/log/close.h"
#include "libxfs/recovery/recovery.h"

static int cut_log(struct repair *r, const struct xfs_devset *dev, const struct xfs_log_parts *parts)
{
	struct xfs_log_state now;
	struct xfs_fs *fs;
	int error = repair_open_for_log(r, dev, &fs);

	if (error)
		return error;
	error = xfs_log_cut(fs, parts);
	if (!error)
		error = xfs_log_state(fs, &now);
	if (!error && (now.kind != XFS_LOG_DIRTY || now.head != parts->before.head))
		error = -XFS_E_CORRUPT;
	xfs_fs_close(fs);
	return error;
}

int repair_cut_plan(struct repair *r, struct repair_partial *p, uint64_t newest)
{
	struct xfs_devset top = { .rt = r->dev.rt };
	struct xfs_recovery rec = { .nintents = 0 };
	int error;

	if (!r->geo.v5 || newest >= xfs_log_head_lsn(&p->parts.before))
		return 0;
	p->finish = p->parts.bad == p->parts.whole.head;
	if (p->finish)
		return 0;
	error = xfs_dev_scratch(&top.data, r->dev.data, REPAIR_SCRATCH);
	if (!error && r->dev.log)
		error = xfs_dev_scratch(&top.log, r->dev.log, REPAIR_SCRATCH);
	if (!error)
		error = repair_ready_primary(r, top.data);
	if (!error)
		error = cut_log(r, &top, &p->parts);
	if (!error)
		error = xfs_recovery_run(&top, &repair_trial_recovery, &rec, NULL, NULL);
	p->cut = !error;
	xfs_recovery_free(&rec);
	xfs_dev_close(top.log);
	xfs_dev_close(top.data);
	return repair_is_of_machine(error) ? error : 0;
}

int repair_cut_replay(struct repair *r, struct repair_partial *p)
{
	int error = repair_ready_primary(r, r->dev.data);
	bool zero_log = r->zero_log;

	if (!error)
		error = cut_log(r, &r->dev, &p->parts);
	if (error)
		return error;
	repair_say(r, "        - the log ends at block %u now, before its damage", p->parts.before.head);
	/* what is left to the repair begins to be written in the middle of it: then the log is still needed */
	r->zero_log = false;
	error = repair_replay(r);
	r->zero_log = zero_log;
	return error;
}
