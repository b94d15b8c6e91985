/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.c - checkpoints: when they are made, what must be durable before, when metadata go in place. */
#include "libxfs/transaction/journal.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>

#define LIMIT_BYTES (4u << 20)		/* gathered at most, however large the log is */
#define MEASURE_STEPS 16u		/* steps of a chain between two looks at its size */

static int by_address(const void *a, const void *b, void *payload)
{
	const struct xfs_logged *v = payload, *p = &v[*(const uint32_t *)a], *q = &v[*(const uint32_t *)b];

	return p->daddr != q->daddr ? p->daddr < q->daddr ? -1 : 1 : (p->bbs > q->bbs) - (p->bbs < q->bbs);
}

static uint64_t log_bytes(const struct xfs_journal *j)
{
	return (uint64_t)j->log->area.blocks * XFS_BBSIZE;
}

static bool is_empty(const struct xfs_journal *j)
{
	return !j->nlisted && !j->nicreates && !j->nfinished;
}

static struct xfs_dev *data_dev(const struct xfs_journal *j)
{
	return j->edit->fs->dev.data;
}

/* ---- the superblock in place, past the log ---- */

/* Says whether attribute intents may be in the log: before the first one, and after the last. */
static int set_log_feature(struct xfs_journal *j, bool on)
{
	struct xfs_fs *fs = j->edit->fs;
	uint32_t bits = fs->geo.sb.features_log_incompat, len = fs->geo.sectsize;
	struct xfs_buf *b;
	uint8_t *p;
	int err;

	bits = on ? bits | XFS_SB_LOG_INCOMPAT_XATTRS : bits & ~(uint32_t)XFS_SB_LOG_INCOMPAT_XATTRS;
	if (bits == fs->geo.sb.features_log_incompat)
		return 0;
	p = malloc(len);
	err = p ? xfs_dev_read(fs->dev.data, 0, p, len) : -XFS_E_NOMEM;
	if (!err) {
		xfs_sb_set_features_log_incompat((void *)p, bits);
		xfs_crc32c_store(p, len, XFS_SB_CRC_OFF);
		err = xfs_dev_write(fs->dev.data, 0, p, len);
	}
	if (!err)
		err = xfs_dev_barrier(fs->dev.data);
	if (!err) {
		fs->geo.sb.features_log_incompat = bits;
		if (!xfs_buf_get1(fs->cache, 0, len / XFS_BBSIZE, NULL, XFS_BUF_CACHED, &b)) {
			xfs_sb_set_features_log_incompat((void *)b->data, bits);
			xfs_buf_put(b);
		}
	}
	free(p);
	return err;
}

/* ---- checkpoints ---- */

/* Buffers that are written in place before the log refers to them; one that an open change has written to is logged. */
static int write_ordered(struct xfs_journal *j, const struct xfs_trans *rolled)
{
	size_t n = 0;
	int err;

	for (uint32_t k = 0; k < j->nlisted; k++) {
		struct xfs_logged *l = &j->v[j->listed[k]];

		if (!l->ordered)
			continue;
		if (l->buf->joined && l->buf->joined->changed && !rolled) {
			l->ordered = false;
			l->image = true;
		} else {
			xfs_buf_dirty(l->buf, l->type);
			j->writes[n++] = l->buf;
		}
	}
	err = xfs_buf_write(j->writes, n);
	if (!err && (n || j->data_written)) {
		err = xfs_dev_barrier(data_dev(j));
		j->data_written = false;
	}
	return err;
}

/*
 * Logs what was gathered; room for the items is there.  `rolled`: a chain whose changes so far were gathered too, its
 * intents go along.  An error is for good.
 */
static int write_checkpoint(struct xfs_journal *j, const struct xfs_trans *rolled)
{
	struct xfs_items it = { j, rolled };
	bool chain = j->edit->open && !rolled;	/* what it has finished is not gathered */
	int err = write_ordered(j, rolled);

	if (!err && rolled && xfs_intents_need_feature(rolled))
		err = set_log_feature(j, true);
	if (err)
		return err;
	qsort_r(j->listed, j->nlisted, sizeof(*j->listed), by_address, j->v);
	j->nregions = j->used = 0;
	xfs_items_put_blocks(&it);
	xfs_items_put_inodes(&it);
	if (!chain) {
		xfs_items_put_finished(j);
		j->nfinished = 0;
	}
	if (rolled)
		xfs_items_put_intents(j, rolled);
	if (j->nregions)
		err = xfs_log_checkpoint_write(j->log, j->regions, j->nregions, &j->last_lsn);
	if (!err)
		xfs_journal_written(j);
	return err;
}

static int shut_down(struct xfs_journal *j, int err)
{
	if (err && !j->edit->failed)
		j->edit->failed = err;
	return err;
}

/* Committed chains to the log; NOMEM changes nothing. */
static int checkpoint(struct xfs_journal *j)
{
	int err;

	if (is_empty(j))
		return 0;
	err = xfs_items_room(j, NULL, NULL);
	return err ? err : shut_down(j, write_checkpoint(j, NULL));
}

/*
 * Intents of the open chain are announced anew, so that what announced them first need not be kept: from the next
 * checkpoint on, when this one is durable as a whole.
 */
static int announce_again(struct xfs_journal *j, struct xfs_trans *t)
{
	int err = 0;

	for (struct xfs_pending *p = t->pending.first; p && !err; p = p->next) {
		if (!p->in_log)
			continue;
		err = xfs_journal_finish(j, p);
		p->id = j->edit->next_id++;
		p->in_log = false;
	}
	if (!err)
		err = xfs_items_room(j, NULL, t);
	if (!err)
		err = write_checkpoint(j, t);
	if (!err)
		xfs_log_writer_release(j->log, j->last_lsn);
	return err;
}

/* All metadata in place, all of which the log holds: then nothing of the log is needed any more. */
static int push(struct xfs_journal *j, struct xfs_trans *t)
{
	int err = xfs_buf_flush(j->edit->fs->cache);

	if (!err)
		err = xfs_dev_barrier(data_dev(j));
	if (err)
		return err;
	j->data_written = false;
	xfs_journal_forget(j);
	if (t && t->pending.first)
		return announce_again(j, t);
	xfs_log_writer_release(j->log, XFS_NULL64);
	return 0;
}

static bool is_filling(const struct xfs_journal *j)
{
	return xfs_log_writer_used(j->log) > j->log->area.blocks / 4;
}

int xfs_journal_begin(struct xfs_journal *j, uint64_t bytes)
{
	int err = 0;

	if (bytes > log_bytes(j) / 2)
		return -XFS_E_NOSPC;
	if (j->estimate > j->limit || is_filling(j))
		err = checkpoint(j);
	if (!err && is_filling(j))
		err = shut_down(j, push(j, NULL));
	return err;
}

/* ---- chains ---- */

/* Readers of the log can't put together blocks that lie in pieces: code that changes names moves them first. */
static bool is_in_pieces(const struct xfs_buf *b)
{
	for (unsigned i = 1; i < b->nextents; i++)
		if (b->extents[i].daddr != b->extents[i - 1].daddr + b->extents[i - 1].bbs)
			return true;
	return false;
}

static int check(const struct xfs_change *c)
{
	for (const struct xfs_change_buf *e = c->bufs; e; e = e->next)
		if (e->changed && !e->stale && is_in_pieces(e->buf))
			return -XFS_E_UNSUPPORTED;
	return 0;
}

/* The chain so far goes to the log, with intents for the rest. */
static int roll(struct xfs_journal *j, struct xfs_trans *t)
{
	int err = check(&t->change);

	xfs_change_prepare(&t->change);
	if (!err)
		err = xfs_journal_room(j, &t->change);
	if (!err)
		err = xfs_items_room(j, &t->change, t);
	if (err)
		return err;
	xfs_journal_gather(j, &t->change);
	t->steps++;
	err = write_checkpoint(j, t);
	if (!err) {
		xfs_change_roll(&t->change);
		if (is_filling(j))
			err = push(j, t);
	}
	return shut_down(j, err);
}

int xfs_journal_step(struct xfs_journal *j, struct xfs_trans *t, bool each)
{
	if (!each && ++t->since < MEASURE_STEPS)
		return 0;
	t->since = 0;
	return each || xfs_journal_measure(&t->change) > j->limit ? roll(j, t) : 0;
}

int xfs_journal_commit(struct xfs_journal *j, struct xfs_trans *t)
{
	uint64_t bytes;
	int err = check(&t->change);

	xfs_change_prepare(&t->change);
	bytes = xfs_journal_measure(&t->change);
	/*
	 * the larger of two is not made larger still; not while the chain has parts in the log, then there is no other
	 */
	if (!err && !t->steps && j->nlisted && j->estimate + bytes > j->limit)
		err = checkpoint(j);
	if (!err)
		err = xfs_journal_room(j, &t->change);
	if (!err && j->edit->options.each)
		err = xfs_items_room(j, &t->change, NULL);
	if (err)
		return err;
	xfs_journal_gather(j, &t->change);
	err = xfs_change_commit(&t->change);
	if (err)	/* cannot be: a change that failed does not come here */
		return shut_down(j, err);
	j->edit->open = NULL;
	if (j->edit->options.each || j->estimate > j->limit)
		err = checkpoint(j);
	return err == -XFS_E_NOMEM ? 0 : err;	/* it is committed, and goes to the log later */
}

/* ---- callers' wishes ---- */

int xfs_journal_sync(struct xfs_journal *j)
{
	int err = checkpoint(j);

	if (!err && j->data_written) {
		err = shut_down(j, xfs_dev_barrier(data_dev(j)));
		j->data_written = false;
	}
	return err;
}

int xfs_journal_quiesce(struct xfs_journal *j)
{
	int err = checkpoint(j);

	if (!err)
		err = shut_down(j, push(j, NULL));
	if (!err)
		err = shut_down(j, xfs_change_sync(j->edit->fs));
	if (!err && j->log->dirty)
		err = shut_down(j, xfs_log_writer_unmount(j->log));
	return err ? err : shut_down(j, set_log_feature(j, false));
}

static bool meets(const struct xfs_change_note *n, uint64_t fsblock, uint32_t blocks)
{
	return n->kind == XFS_NOTE_FREED && n->at < fsblock + blocks && fsblock < n->at + n->len;
}

int xfs_journal_data_begin(struct xfs_journal *j, uint64_t fsblock, uint32_t blocks)
{
	const struct xfs_trans *t = j->edit->open;

	for (size_t i = 0; t && i < t->change.nnotes; i++)
		if (meets(&t->change.notes[i], fsblock, blocks))
			return -XFS_E_BUSY;
	for (size_t i = 0; i < j->nfreed; i++)
		if (meets(&j->freed[i], fsblock, blocks))
			return checkpoint(j);
	return 0;
}

/* ---- opening ---- */

/* V4 logs inodes in other ways; a cluster that may lie anywhere can't be found from the inode alone. */
static bool may_log(struct xfs_fs *fs)
{
	const struct xfs_geometry *g = &fs->geo;
	const char *why = !g->v5 ? "a V4 filesystem" : g->blocks_per_cluster > 1 && g->cluster_align <= 1
		? "a filesystem whose inode clusters are not aligned" : NULL;

	if (why) {
		struct xfs_finding f = xfs_finding_of(XFS_F_SB_FEATURE, "superblock");

		xfs_finding_detail(&f, "changes to %s can't be logged, only made in place", why);
		xfs_fs_report(fs, &f);
	}
	return !why;
}

int xfs_journal_open(struct xfs_edit *e, const struct xfs_log_state *log)
{
	struct xfs_log_writing how = { .record_size = e->options.record_size, .swapped = e->options.swapped };
	struct xfs_journal *j;
	int err;

	if (!may_log(e->fs))
		return -XFS_E_UNSUPPORTED;
	j = calloc(1, sizeof(*j));
	if (!j)
		return -XFS_E_NOMEM;
	j->edit = e;
	err = xfs_log_writer_open(&j->log, e->fs, log, &how);
	if (err) {
		free(j);
		return err;
	}
	j->limit = xfs_min(log_bytes(j) / 8, LIMIT_BYTES);
	e->journal = j;
	return 0;
}

void xfs_journal_close(struct xfs_journal *j)
{
	if (!j)
		return;
	xfs_journal_written(j);		/* lets go of its buffers */
	xfs_log_writer_close(j->log);
	free(j->v);
	free(j->slots);
	free(j->listed);
	free(j->icreates);
	free(j->freed);
	free(j->finished);
	free(j->regions);
	free(j->bytes);
	free(j->writes);
	free(j);
}
