/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - a dirty log holds changes that are newer than everything else: they are brought to their places, and not
 * thrown away without being asked.
 *
 * A log that is cleared, or that lies behind its metadata, starts again at a cycle above every LSN that was seen; the
 * kernel would refuse the metadata otherwise (format sheet 06, section 2.5).
 */
#include "repair/logrun.h"
#include "repair/partial.h"
#include "repair/scan.h"
#include "repair/write.h"

#include "libxfs/log/format.h"
#include "libxfs/log/state.h"
#include "libxfs/ondisk/logrecord.h"

#include <stdatomic.h>

#define CYCLES_AHEAD 3u
#define LAST_CYCLE 0x7ffffff0u	/* some readers take it for a signed number; nobody gets there by logging */

static const char *const no_head[] = {
	"ERROR: The log head and/or tail cannot be discovered. Attempt to mount the",
	"filesystem to replay the log or use the -L option to destroy the log and",
	"attempt a repair.", NULL
};
static const char *const dirty[] = {
	"ERROR: The filesystem has valuable metadata changes in a log which needs to",
	"be replayed.  Mount the filesystem to replay the log, and unmount it before",
	"re-running xfs_repair.  If the filesystem is a snapshot of a mounted",
	"filesystem, you may need to give mount the nouuid option. If you are unable",
	"to mount the filesystem, then use the -L option to destroy the log and",
	"attempt a repair.  Note that destroying the log may cause corruption --",
	"please attempt a mount of the filesystem before doing this.", NULL
};
static const char *const destroyed[] = {
	"ALERT: The filesystem has valuable metadata changes in a log which is being",
	"destroyed because the -L option was used.", NULL
};
static const char *const destroyed_in_part[] = {
	"ALERT: The filesystem has valuable metadata changes in a log which is being",
	"destroyed from its damage on because the -L option was used.", NULL
};
static const char *const ignored[] = {
	"ALERT: The filesystem has valuable metadata changes in a log which is being",
	"ignored because the -n option was used.  Expect spurious inconsistencies",
	"which may be resolved by first mounting the filesystem to replay the log.", NULL
};

static const char *const replayed[] = {
	"ALERT: The filesystem has valuable metadata changes in a log, which is replayed.", NULL
};
static const char *const replayed_above[] = {
	"ALERT: The filesystem has valuable metadata changes in a log, which is replayed",
	"in memory only because the -n option was used.", NULL
};

static void say_all(struct repair *r, const char *const *lines)
{
	for (; *lines; lines++)
		repair_say(r, "%s", *lines);
}

/*
 * The log that was declared lost is not looked at again. Metadata that lies ahead of the new one is found at the end.
 */
int repair_clear_log(struct repair *r)
{
	bool known = r->log.kind != XFS_LOG_UNREADABLE || r->log.damaged;

	return repair_format_log(r, known && r->log.cycle ? r->log.cycle + CYCLES_AHEAD : 1);
}

/* A repair that was stopped while it cleared the log has left its mark, which is not in r->primary any more. */
static int find_state(struct repair *r, struct xfs_fs *fs)
{
	bool marked = fs->geo.needsrepair;
	int error;

	fs->geo.needsrepair = marked || r->had_needsrepair;
	error = xfs_log_state(fs, &r->log);
	fs->geo.needsrepair = marked;
	return error;
}

/* A device of its own that the log does not fit on is another one, or cut: it could not even be cleared. */
static bool log_fits(struct repair *r)
{
	const struct xfs_sb *sb = &r->primary;
	uint64_t blocks = r->dev.log ? r->dev.log->size / sb->blocksize : 0;

	if (sb->logstart || blocks >= sb->logblocks)
		return true;
	repair_say(r, "the log device ends before the log: %llu of %llu blocks", (unsigned long long)blocks,
		   (unsigned long long)sb->logblocks);
	return false;
}

/* The log as it is, before anything else is opened. */
static int look_at_log(struct repair *r)
{
	struct xfs_fs *fs;
	int error;

	if (!r->primary.logstart && !r->dev.log) {
		repair_say(r, "This filesystem has an external log.  Specify log device with the -l option.");
		return -XFS_E_OPEN;
	}
	if (!log_fits(r))
		return -XFS_E_SHORT;
	error = repair_open_for_log(r, &r->dev, &fs);
	if (error)
		return error;
	error = find_state(r, fs);
	xfs_fs_close(fs);
	return error;
}

/* Where the log is; NULL: its device is not known. */
static struct xfs_dev *log_place(const struct repair *r, uint64_t *off)
{
	const struct xfs_sb *sb = &r->primary;

	*off = sb->logstart ? xfs_fsbno_byte(&r->geo, XFS_FSBNO(sb->logstart)) : 0;
	return sb->logstart ? r->dev.data : r->dev.log;
}

/*
 * A clean log whose first block can be of no pass through it: the end is found here all the same, but who looks for it
 * by cycle numbers, from both ends, gets lost.
 */
static bool first_block_odd(struct repair *r, uint32_t *cycle)
{
	uint64_t off;
	struct xfs_dev *dev = log_place(r, &off);
	uint8_t block[XFS_BBSIZE];

	if (r->log.kind != XFS_LOG_CLEAN || r->log.zeroed || !dev || xfs_dev_read(dev, off, block, sizeof(block)))
		return false;
	*cycle = xfs_be32(block) == XFS_LOG_MAGIC ? xfs_be32(block + XFS_OFF(log_rec, cycle)) : xfs_be32(block);
	return *cycle != r->log.cycle && *cycle != r->log.cycle - 1;
}

/* From here on the log is empty, wherever the rest of the work stops: nothing of it may be replayed a second time. */
static int forget_first(struct repair *r, struct xfs_dev *dev, uint64_t off)
{
	int error = xfs_dev_zero(dev, off, r->geo.sectsize);

	return error ? error : xfs_dev_barrier(dev);
}

int repair_format_log(struct repair *r, uint32_t cycle)
{
	uint64_t off;
	struct xfs_dev *dev = log_place(r, &off);
	int error;

	if (!dev)
		return -XFS_E_OPEN;
	if (cycle > LAST_CYCLE)
		return -XFS_E_RANGE;
	error = xfs_dev_barrier(dev);
	if (!error && r->log.kind != XFS_LOG_CLEAN)
		error = forget_first(r, dev, off);
	if (!error)
		error = xfs_log_format_cycle(dev, off, &r->primary, cycle);
	if (!error)
		error = xfs_dev_barrier(dev);
	if (!error)
		error = r->fs ? find_state(r, r->fs) : look_at_log(r);
	r->log_dirty = false;
	return error;
}

static void say_unreadable(struct repair *r)
{
	repair_say(r, "zero_log: cannot find log head/tail (%s)", r->log.reason ? r->log.reason : "unreadable");
}

static void say_damage(struct repair *r, const struct xfs_log_parts *p)
{
	const struct xfs_log_state *s = &r->log;
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_RECORD, "log");

	/* else who tried to replay it has said why */
	if (s->kind == XFS_LOG_UNREADABLE || r->zero_log) {
		xfs_finding_detail(&f, "block %u: %s", p->bad, s->reason ? s->reason :
				   "a record breaks the rules of the log");
		repair_note(r, &f, r->zero_log);
	}
	if (s->kind == XFS_LOG_UNREADABLE)
		say_unreadable(r);
	repair_say(r,
		   "The log is damaged from block %u on; %u of the %u blocks from its tail to its head lie before "
		   "that.", p->bad, (p->bad + s->blocks - s->tail) % s->blocks,
		   (s->head + s->blocks - s->tail) % s->blocks);
}

/* The user asked for it: says what it costs. */
static int give_up(struct repair *r)
{
	r->log_dirty = r->log_given_up = true;
	if (r->log.kind == XFS_LOG_DIRTY)
		say_all(r, destroyed);
	return r->log.kind == XFS_LOG_DIRTY ? repair_list_lost(r, &r->log) : 0;
}

/* Nothing can be replayed, or must not be; `p`: a part could be, NULL: none. */
static int refuse(struct repair *r, bool broken, struct repair_partial *p)
{
	int error = 0;

	r->log_dirty = true;
	if (r->no_modify && r->log.kind == XFS_LOG_DIRTY)
		say_all(r, ignored);
	if (!r->no_modify)
		say_all(r, r->log.kind == XFS_LOG_DIRTY ? dirty : no_head);
	if (p) {
		error = repair_list_parts(r, p);
	} else if (broken && !r->no_modify) {
		repair_say(r, "What of the log can be read would be lost with -L:");
		error = repair_list_lost(r, &r->log);
	}
	return error || r->no_modify ? error : -XFS_E_DIRTYLOG;
}

/* A log whose damage has a place: the part before it is kept by who gives up the rest. */
static int treat_damage(struct repair *r, struct repair_partial *p)
{
	int error;

	say_damage(r, &p->parts);
	if (!r->zero_log)
		return refuse(r, true, p);
	say_all(r, destroyed_in_part);
	r->log_given_up = true;
	error = repair_list_parts(r, p);
	return error ? error : repair_partial_replay(r, p);
}

/* NOENT: the log has no place that is damaged, and is not `broken`: such that it cannot be replayed all the same. */
static int try_part(struct repair *r, bool broken)
{
	struct repair_partial p;
	int error = repair_partial_plan(r, broken, &p);

	if (!error)
		error = treat_damage(r, &p);
	repair_partial_release(&p);
	return error;
}

static int treat_log(struct repair *r)
{
	int error;

	if (r->verbose)
		repair_say(r, "zero_log: head block %u tail block %u", r->log.head, r->log.tail);
	if (r->log.torn)
		repair_say(r,
			   "The log ends at block %u: what a crash left behind that was not written in order and does "
			   "not count.", r->log.head);
	if (r->log.kind == XFS_LOG_CLEAN)
		return 0;
	if (r->log.kind == XFS_LOG_UNREADABLE || r->zero_log) {
		error = try_part(r, false);
		if (error != -XFS_E_NOENT)
			return error;
	}
	if (r->log.kind == XFS_LOG_UNREADABLE) {
		say_unreadable(r);
		return r->zero_log ? give_up(r) : refuse(r, false, NULL);
	}
	if (r->no_replay && !r->zero_log)
		return refuse(r, false, NULL);
	error = repair_try_replay(r);
	if (!error && r->zero_log)
		return give_up(r);
	if (error == -XFS_E_DIRTYLOG) {
		error = try_part(r, true);
		return error == -XFS_E_NOENT ? refuse(r, true, NULL) : error;
	}
	if (error)
		return error;
	say_all(r, r->no_modify ? replayed_above : replayed);
	return repair_replay(r);
}

/* A repair that was stopped had cleared the log, and nothing was logged since. */
static bool was_given_up(const struct repair *r)
{
	return r->had_needsrepair && r->log.kind == XFS_LOG_CLEAN && !(uint32_t)r->log.last_lsn;
}

int repair_log_state(struct repair *r)
{
	int error = r->looking ? 0 : look_at_log(r);

	if (!error && !r->looking) {
		repair_say(r, "        - zero log...");
		error = treat_log(r);
	}
	if (!error)
		error = repair_open(r);
	if (!error)
		error = find_state(r, r->fs);
	if (!error)
		r->log_given_up |= was_given_up(r);
	return error;
}

/* The greatest LSN of all that was read: directories were the last. */
int repair_max_lsn(struct repair *r)
{
	r->max_lsn = xfs_max(r->max_lsn, atomic_load(&r->fs->max_lsn));
	/* what is rewritten takes its LSN with it: after changes the fresh look has the right number */
	return r->looking || r->writing ? 0 : repair_raise_log(r, r->max_lsn);
}

/* Nothing in it is needed: it begins again. */
static int format_above(struct repair *r, uint32_t cycle)
{
	int error;

	repair_say(r, r->no_modify ? "Would format log to cycle %u." : "Format log to cycle %u.", cycle);
	error = repair_begin_writing(r);
	r->fixed_something = true;
	return error ? error : repair_format_log(r, cycle);
}

/* Its cycle numbers lead astray: it begins again above all that was written. */
static int renew_log(struct repair *r, uint64_t found, const char *why)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_CYCLE, "log");
	uint32_t cycle = (uint32_t)xfs_max(r->max_lsn >> 32, r->log.cycle) + CYCLES_AHEAD;

	f.found = found;
	f.expected = found == XFS_NULL64 ? found : r->log.cycle;
	xfs_finding_detail(&f, "%s (head at %u:%u)", why, r->log.cycle, r->log.head);
	repair_note(r, &f, cycle <= LAST_CYCLE);
	return cycle > LAST_CYCLE || repair_is_held(r, f.id) ? 0 : format_above(r, cycle);
}

int repair_raise_log(struct repair *r, uint64_t most)
{
	/* a log of zeroes has not even the record of mkfs: it is made anew (format sheet 06, section 2.5) */
	uint64_t head = r->log.zeroed ? 0 : xfs_log_head_lsn(&r->log);
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_LSN, "log");
	uint32_t cycle = (uint32_t)(most >> 32) + CYCLES_AHEAD;
	bool possible = most >> 32 <= LAST_CYCLE - CYCLES_AHEAD;
	uint32_t odd;

	/* what a dirty log says is not taken as its end: it is replayed, or cleared */
	if (!r->log_dirty && first_block_odd(r, &odd))
		return renew_log(r, odd, "the first block of a clean log has another cycle number");
	if (!r->log_dirty && r->log.kind == XFS_LOG_CLEAN && r->log.misleading)
		return renew_log(r, XFS_NULL64, "cycle numbers in a clean log tell of another end");
	if (!r->geo.v5 || r->log_dirty || most < head)
		return 0;
	f.found = most;
	f.expected = head;
	xfs_finding_detail(&f, "greatest is %u:%u", (uint32_t)(most >> 32), (uint32_t)most);
	repair_note(r, &f, possible);
	repair_say(r, "Maximum metadata LSN (%u:%u) is ahead of log (%u:%u).", (uint32_t)(most >> 32), (uint32_t)most,
		   (uint32_t)(head >> 32), (uint32_t)head);
	return !possible || repair_is_held(r, f.id) ? 0 : format_above(r, cycle);
}
