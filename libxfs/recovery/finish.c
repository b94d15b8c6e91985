/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * finish.c - finishes chains that were cut off, and frees what nobody will come for (format sheet 04, sections 10 and
 * 11).
 *
 * The first steps of all intents come first, in log order; what follows from each is kept and done afterwards, in the
 * same order: intents that depend on each other were written in that order.
 */
#include "libxfs/recovery/round.h"

#include "libxfs/base/grow.h"
#include "libxfs/transaction/file.h"

#include <inttypes.h>
#include <stdlib.h>

int recovery_bad(const struct xfs_sink *sink, const char *structure, uint64_t number, const char *what)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_LOG_ITEM, structure);

	xfs_finding_detail(&f, "0x%" PRIx64 ": %s", number, what);
	xfs_finding_emit(sink, &f);
	return -XFS_E_CORRUPT;
}

/* Works that steps leave to later ones. */
struct kept {
	struct xfs_work_sink sink;
	struct xfs_work *w;
	size_t n, room;
	size_t *ends;			/* of what each intent left */
};

static int keep(struct xfs_work_sink *sink, const struct xfs_work *w)
{
	struct kept *k = (struct kept *)sink;

	if (xfs_grow(&k->w, k->n, &k->room, 64)) {
		if (w->release)
			w->release(w->more);
		return -XFS_E_NOMEM;
	}
	k->w[k->n++] = *w;
	return 0;
}

static void drop_kept(struct kept *k)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->w[i].release)
			k->w[i].release(k->w[i].more);
	free(k->w);
	free(k->ends);
}

/* One step of the works of an intent. What is left of it comes behind what follows from it. */
static int do_step(struct recovery_round *round, struct recovery_works *works, struct kept *kept)
{
	struct xfs_trans t;
	size_t i = 0;
	int err = xfs_trans_begin(&t, round->edit, 0);

	if (err)
		return err;
	t.change.works = &kept->sink;
	for (; i < works->n && !err; i++)
		err = xfs_work_finish(xfs_edit_live(round->edit), &t.change, &works->w[i]);
	if (err == -XFS_E_AGAIN) {
		err = 0;
		for (size_t k = i - 1; k < works->n && !err; k++) {
			err = keep(&kept->sink, &works->w[k]);
			works->w[k].release = NULL;
		}
	}
	t.change.works = &t.works;
	if (err) {
		xfs_trans_abort(&t);
		return err;
	}
	return xfs_trans_commit(&t);
}

static void release_works(struct recovery_works *works)
{
	for (size_t i = 0; i < works->n; i++)
		if (works->w[i].release)
			works->w[i].release(works->w[i].more);
	works->n = 0;
}

static bool is_of_machine(int err)
{
	return err == -XFS_E_NOMEM || err == -XFS_E_IO || err == -XFS_E_FAULT || err == -XFS_E_SHUTDOWN;
}

static int first_steps(struct recovery_round *round, struct kept *kept)
{
	struct recovery_works works = { .n = 0 };
	int err = 0;

	for (size_t i = 0; i < round->r->nintents && !err; i++) {
		const struct xfs_log_item *it = &round->r->intents[i].item;
		const char *why = NULL;

		err = recovery_works(&round->fs->geo, it, &works, &why);
		if (!err)
			err = do_step(round, &works, kept);
		if (err && !is_of_machine(err))
			err = recovery_bad(round->sink, it->kind->name, xfs_log_item_id(it),
					   why ? why : xfs_error_text(err));
		release_works(&works);
		kept->ends[i] = kept->n;
		round->done->intents += !err;
	}
	free(works.w);
	return err;
}

/* What followed from one intent: a chain of its own. */
static int follow_up(struct recovery_round *round, struct kept *kept, size_t from, size_t to)
{
	struct xfs_trans t;
	int err = from == to ? 0 : xfs_trans_begin(&t, round->edit, 0);

	if (err || from == to)
		return err;
	for (size_t i = from; i < to && !err; i++) {
		err = xfs_change_defer(&t.change, &kept->w[i]);
		kept->w[i].release = NULL;
	}
	if (err) {
		xfs_trans_abort(&t);
		return err;
	}
	return xfs_trans_commit(&t);
}

int recovery_finish_intents(struct recovery_round *round)
{
	struct kept kept = { .sink = { keep } };
	size_t n = round->r->nintents, from = 0;
	int err;

	kept.ends = calloc(n ? n : 1, sizeof(*kept.ends));
	if (!kept.ends)
		return -XFS_E_NOMEM;
	err = first_steps(round, &kept);
	for (size_t i = 0; i < n && !err; i++) {
		err = follow_up(round, &kept, from, kept.ends[i]);
		from = kept.ends[i];
	}
	drop_kept(&kept);
	return err;
}

/* ---- inodes without names ---- */

/*
 * The list of one bucket, from its head on.  Each inode leaves it as it is freed, so that the head is always the next;
 * `most` bounds a list that does not get shorter.
 */
static int empty_bucket(struct recovery_round *round, uint32_t agno, unsigned bucket, uint64_t most)
{
	const struct xfs_geometry *g = &round->fs->geo;

	for (uint64_t n = 0;; n++) {
		uint32_t buckets[XFS_AGI_BUCKETS];
		struct xfs_live_inode *li;
		struct xfs_agi agi;
		uint64_t ino;
		int err = xfs_fs_agi(round->fs, XFS_AGNO(agno), &agi, buckets);

		if (err || buckets[bucket] == XFS_NULL32)
			return err;
		if (n > most || buckets[bucket] % XFS_AGI_BUCKETS != bucket)
			return recovery_bad(round->sink, "unlinked list", bucket, "it is not valid");
		ino = xfs_ino_of(g, XFS_AGNO(agno), XFS_AGINO(buckets[bucket])).v;
		if (!xfs_ino_valid(g, XFS_INO(ino)))
			return recovery_bad(round->sink, "unlinked list", ino, "no inode has this number");
		err = xfs_live_inode_get(xfs_edit_live(round->edit), ino, &li);
		if (!err) {
			err = xfs_inode_inactivate(round->edit, li);
			xfs_live_inode_put(li);
		}
		if (err)
			return is_of_machine(err) ? err :
			       recovery_bad(round->sink, "unlinked inode", ino, xfs_error_text(err));
		round->done->inodes++;
	}
}

int recovery_free_unlinked(struct recovery_round *round)
{
	int err = 0;

	for (uint32_t ag = 0; ag < round->fs->geo.agcount && !err; ag++) {
		uint32_t buckets[XFS_AGI_BUCKETS];
		struct xfs_agi agi;

		err = xfs_fs_agi(round->fs, XFS_AGNO(ag), &agi, buckets);
		for (unsigned b = 0; b < XFS_AGI_BUCKETS && !err; b++)
			if (buckets[b] != XFS_NULL32)
				err = empty_bucket(round, ag, b, agi.count);
	}
	return err;
}

/* ---- leftovers ---- */

int recovery_free_cow(struct recovery_round *round)
{
	int err = 0;

	for (uint32_t ag = 0; ag < round->fs->geo.agcount && round->fs->geo.reflink && !err; ag++) {
		struct xfs_agspace *space;
		struct xfs_trans t;
		uint64_t blocks = 0;

		err = xfs_trans_begin(&t, round->edit, 0);
		if (err)
			break;
		err = xfs_live_ag(xfs_edit_live(round->edit), &t.change, XFS_AGNO(ag), &space);
		if (!err)
			err = xfs_agspace_cow_recover(space, 0, &blocks);
		if (err == -XFS_E_NOENT)
			err = 0;
		if (!err)
			err = xfs_trans_commit(&t);
		xfs_trans_abort(&t);
		round->done->cow_blocks += blocks;
	}
	return err;
}
