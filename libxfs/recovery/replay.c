/* SPDX-License-Identifier: BSD-2-Clause */
/* replay.c - passes over the log and the order of items in a transaction (format sheet 04, section 9). */
#include "libxfs/recovery/private.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOG_INCOMPAT_KNOWN XFS_SB_LOG_INCOMPAT_XATTRS

int replay_bad(struct replay *rp, const char *structure, uint64_t number, const char *what)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_ITEM, structure);

	xfs_finding_detail(&f, "%" PRIu64 ", lsn %u:%u: %s", number, (unsigned)(rp->lsn >> 32), (unsigned)rp->lsn,
			   what);
	xfs_finding_emit(rp->sink, &f);
	return -XFS_E_CORRUPT;
}

/* ---- pass 1: nothing is changed ---- */

static int note_item(struct replay *rp, const struct xfs_log_item *it)
{
	if (it->type == XFS_LI_BUF) {
		struct xfs_log_buf_item b;

		replay_load_buf(rp, &b, it);
		return b.flags & XFS_BLF_CANCEL ? xfs_cancels_add(&rp->cancels, b.daddr, b.bbs) : 0;
	}
	if (it->type == XFS_LI_QUOTAOFF)
		rp->quota_off |= xfs_ld32(it->regions[0].p + XFS_OFF(log_quotaoff, flags), it->writer_le);
	return 0;
}

static int judge_record(struct replay *rp, const struct xfs_log_record *r)
{
	rp->out->counts.records++;
	rp->out->log_le = xfs_log_record_is_le(r);
	/* only records that say nothing but "unmounted" are written without one, and those are not replayed */
	if (rp->geo.v5 && !r->h.crc) {
		rp->lsn = r->h.lsn;
		return replay_bad(rp, "log", r->block, "a record has no checksum");
	}
	return 0;
}

static int first_pass(struct replay *rp, const struct xfs_log_event *e)
{
	int err = 0;

	switch (e->kind) {
	case XFS_LOG_EV_RECORD:
		return judge_record(rp, e->record);
	case XFS_LOG_EV_UNMOUNT:
		return 0;
	case XFS_LOG_EV_OPEN:
		rp->out->counts.open_transactions++;
		return 0;
	case XFS_LOG_EV_TRANS:
		rp->out->counts.transactions++;
		for (size_t i = 0; i < e->trans->nitems && !err; i++)
			err = note_item(rp, &e->trans->items[i]);
	}
	return err;
}

/* ---- pass 2 ---- */

/* Images of blocks first, then what stands in them, then links between unlinked inodes, then what is freed. */
enum turn { TURN_BLOCKS, TURN_OTHERS, TURN_LINKS, TURN_CANCELS, TURNS };

static enum turn turn_of(const struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_buf_item b;

	if (it->type == XFS_LI_ICREATE)
		return TURN_BLOCKS;
	if (it->type != XFS_LI_BUF)
		return TURN_OTHERS;
	replay_load_buf(rp, &b, it);
	return b.flags & XFS_BLF_CANCEL ? TURN_CANCELS : b.flags & XFS_BLF_INODE_BUF ? TURN_LINKS : TURN_BLOCKS;
}

static int apply_item(struct replay *rp, const struct xfs_log_item *it, enum turn turn)
{
	struct xfs_log_buf_item b;

	if (turn == TURN_CANCELS) {
		xfs_log_buf_load(&b, it);
		xfs_cancels_drop(&rp->cancels, b.daddr, b.bbs);
		return 0;
	}
	switch (it->type) {
	case XFS_LI_BUF:
		return replay_buf(rp, it);
	case XFS_LI_INODE:
		return replay_inode(rp, it);
	case XFS_LI_ICREATE:
		return replay_icreate(rp, it);
	case XFS_LI_DQUOT:
		return replay_dquot(rp, it);
	case XFS_LI_QUOTAOFF:
		return 0;
	}
	if (it->kind->role == XFS_LOG_INTENT)
		return replay_intent(rp, it);
	replay_done(rp, it);
	return 0;
}

static int apply(struct replay *rp, const struct xfs_log_item *it, enum turn turn)
{
	return replay_leave_out(rp, it, apply_item(rp, it, turn));
}

static int second_pass(struct replay *rp, const struct xfs_log_event *e)
{
	int err = 0;

	if (e->kind != XFS_LOG_EV_TRANS)
		return 0;
	if (e->trans->lsn != rp->lsn) {
		err = replay_settle(rp);
		rp->lsn = e->trans->lsn;
	}
	if (!err)
		err = replay_next_trans(rp);
	if (!err)
		err = xfs_grow_to(&rp->turns, &rp->turns_room, e->trans->nitems, sizeof(*rp->turns));
	for (size_t i = 0; i < e->trans->nitems && !err; i++)
		rp->turns[i] = (uint8_t)turn_of(rp, &e->trans->items[i]);
	for (int turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < e->trans->nitems && !err; i++)
			if (rp->turns[i] == turn)
				err = apply(rp, &e->trans->items[i], (enum turn)turn);
	return err;
}

static int walk(struct replay *rp, int (*pass)(struct replay *, const struct xfs_log_event *))
{
	struct xfs_finding why = xfs_finding_of(XFS_F_LOG_RECORD, "log");
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	int err = xfs_log_iter_new(&it, rp->fs, &rp->out->log, false, &why);

	while (!err) {
		err = xfs_log_iter_next(it, &e, &why);
		if (err == -XFS_E_NOENT) {
			xfs_log_iter_free(it);
			return 0;
		}
		if (err)
			break;
		err = pass(rp, &e);
		if (err) {	/* the pass has said why */
			xfs_log_iter_free(it);
			return err;
		}
	}
	xfs_finding_emit(rp->sink, &why);
	xfs_log_iter_free(it);
	return err;
}

/* ---- all of it ---- */

static int unsupported(struct replay *rp)
{
	uint32_t unknown = rp->geo.sb.features_log_incompat & ~LOG_INCOMPAT_KNOWN;
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FEATURE, "superblock");

	if (!rp->geo.v5 || !unknown)
		return 0;
	f.field = "features_log_incompat";
	f.found = unknown;
	f.expected = 0;
	xfs_finding_emit(rp->sink, &f);
	return -XFS_E_UNSUPPORTED;
}

static int replay_log(struct replay *rp, const struct xfs_devset *dev)
{
	int err = unsupported(rp);

	if (!err)
		err = walk(rp, first_pass);
	if (!err)
		err = walk(rp, second_pass);
	if (!err)
		err = replay_settle(rp);
	if (!err && rp->npieces) {
		/* with the geometry of the new superblock, and nothing remembered */
		xfs_fs_close(rp->fs);
		err = xfs_fs_open(&rp->fs, dev, NULL, rp->sink);
		if (!err)
			err = replay_leave_out(rp, NULL, replay_join_pieces(rp));
	}
	if (!err)
		replay_report_intents(rp);
	return err ? err : xfs_dev_barrier(dev->data);
}

static void let_go(struct replay *rp)
{
	for (size_t i = 0; i < rp->nbatch; i++)
		xfs_buf_put(rp->batch[i].buf);
	xfs_fs_close(rp->fs);
	xfs_cancels_free(&rp->cancels);
	free(rp->batch);
	free(rp->index);
	free(rp->pieces);
	free(rp->dirs);
	free(rp->ids);
	free(rp->lives);
	free(rp->left);
	free(rp->turns);
	xfs_cancels_free(&rp->missing[0]);
	xfs_cancels_free(&rp->missing[1]);
	free(rp);
}

static int unreadable(struct replay *rp)
{
	const struct xfs_log_state *s = &rp->out->log;
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_RECORD, "log");
	const char *why = s->reason ? s->reason : "it cannot be read";

	if (s->damaged)
		xfs_finding_detail(&f, "block %u: %s", s->bad, why);
	else
		xfs_finding_detail(&f, "%s", why);
	xfs_finding_emit(rp->sink, &f);
	return -XFS_E_CORRUPT;
}

static int replay(const struct xfs_devset *dev, const struct xfs_log_state *part, struct xfs_recovery_careful *careful,
		  struct xfs_recovery *out, const struct xfs_sink *sink)
{
	struct replay *rp = calloc(1, sizeof(*rp));
	int err;

	memset(out, 0, sizeof(*out));
	if (!rp)
		return -XFS_E_NOMEM;
	rp->sink = sink;
	rp->out = out;
	rp->careful = careful;
	err = xfs_fs_open(&rp->fs, dev, NULL, sink);
	if (!err)
		err = xfs_geometry_init(&rp->geo, &rp->fs->geo.sb, NULL, NULL);
	if (!err && part)
		out->log = *part;
	else if (!err)
		err = xfs_log_state(rp->fs, &out->log);
	if (!err && out->log.kind == XFS_LOG_UNREADABLE)
		err = unreadable(rp);
	if (!err && out->log.kind == XFS_LOG_DIRTY)
		err = dev->data->readonly ? -XFS_E_READONLY : replay_log(rp, dev);
	let_go(rp);
	return err;
}

int xfs_recovery_replay(const struct xfs_devset *dev, struct xfs_recovery *out, const struct xfs_sink *sink)
{
	return replay(dev, NULL, NULL, out, sink);
}

int xfs_recovery_replay_part(const struct xfs_devset *dev, const struct xfs_log_state *part, struct xfs_recovery *out,
			     const struct xfs_sink *sink)
{
	return replay(dev, part, NULL, out, sink);
}

int xfs_recovery_replay_careful(const struct xfs_devset *dev, struct xfs_recovery_careful *c, struct xfs_recovery *out,
				const struct xfs_sink *sink)
{
	int err;

	c->nplaces = 0;
	c->left_out = c->doubtful = c->beyond = 0;
	err = replay(dev, &c->log, c, out, sink);
	replay_sort_places(c);
	return err;
}

void xfs_recovery_free(struct xfs_recovery *r)
{
	for (size_t i = 0; i < r->nintents; i++)
		free((void *)r->intents[i].item.regions);
	free(r->intents);
	r->intents = NULL;
	r->nintents = 0;
}
