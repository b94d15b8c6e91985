/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * partial.c - replays what stands before the damage of a log, when the user gives up the rest (-L).
 *
 * Transactions behind the damage may have freed blocks that older ones wrote, and files may have their data there now,
 * which no LSN tells.  So it is done above the device first, and images whose places hold nothing that speaks for
 * itself are noted; then all forks and reverse mappings say who claims these places.  Metadata is never in danger: it
 * is newer by its LSN, and stays.  What the rest of the log would have changed besides is what the repair sorts out.
 * Changes that were cut off at the damage are finished when nothing of what followed is in place (logend.c): else it
 * may have finished them.
 */
#include "repair/partial.h"

#include "repair/ages.h"
#include "repair/forks.h"
#include "repair/logrun.h"
#include "repair/scan.h"
#include "repair/write.h"

#include "libxfs/base/search.h"
#include "libxfs/recovery/recovery.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- who claims the places ---- */

struct asking {
	struct repair *look;		/* at the filesystem as it would be */
	struct repair_ag *ag;
	const struct xfs_recovery_careful *careful;
	bool *taken;			/* by place */
	bool *of_later;			/* V4, by place: of an inode that is as of later */
	struct repair_ages ages;	/* V4 */
	uint32_t widest;		/* of the places, sectors */
	uint64_t newest;		/* LSN in a core, a header or a block of a tree */
	uint64_t ino;
	bool attr, newer;		/* which fork of it; it changed behind the damage */
	bool later;			/* V4: it did, and these are no data of it */
};

/* These blocks are claimed: of the attribute fork of an inode, or data of a file. */
static void claim(struct asking *a, uint64_t daddr, uint64_t bbs)
{
	const struct xfs_recovery_careful *c = a->careful;
	size_t at = xfs_search(c->nplaces, i, c->places[i].daddr + a->widest <= daddr);

	for (; at < c->nplaces && c->places[at].daddr < daddr + bbs; at++) {
		const struct xfs_recovery_place *p = &c->places[at];

		if (p->daddr + p->bbs > daddr && a->later)
			a->of_later[at] = true;
		/* an attribute fork may well be the one that the image is of, unless a value came there later */
		else if (p->daddr + p->bbs > daddr && (!a->attr || p->owner != a->ino || (p->value && a->newer)))
			a->taken[at] = true;
	}
}

/* Blocks of these files are metadata. */
static bool is_special(const struct repair *r, uint64_t ino)
{
	const struct xfs_sb *sb = &r->primary;

	return ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino || ino == sb->gquotino ||
	       (r->geo.v5 && ino == sb->pquotino);
}

/* V4 does not say whose its blocks are: there only data counts. */
static bool counts(const struct repair *r, uint64_t ino, const struct xfs_dinode *d, bool attr)
{
	if (attr)
		return r->geo.v5;
	return (d->core.mode & XFS_MODE_FMT) == XFS_MODE_REG && !is_special(r, ino) && !xfs_dinode_is_metadata(d);
}

static int claim_mapping(void *payload, const struct xfs_mapping *m)
{
	struct asking *a = payload;
	const struct xfs_geometry *g = &a->look->geo;

	claim(a, xfs_fsbno_daddr(g, XFS_FSBNO(m->fsbno)).v, m->len << (g->blocklog - XFS_BBSHIFT));
	return 0;
}

static bool is_newer(const struct asking *a, const struct xfs_dinode *d)
{
	return d->core.version >= 3 && d->v3.lsn != XFS_NULL64 && d->v3.lsn >= xfs_log_head_lsn(&a->careful->log);
}

static int ask_inode(void *payload, struct repair_seen *s)
{
	struct asking *a = payload;
	bool later;

	if (s->identified && s->d.core.version >= 3 && s->d.v3.lsn != XFS_NULL64)
		a->newest = xfs_max(a->newest, s->d.v3.lsn);
	if (!s->identified || !s->d.core.mode)
		return 0;
	later = repair_ages_inode_is_later(&a->ages, s->ino);
	a->ino = s->ino;
	a->newer = is_newer(a, &s->d);
	for (unsigned k = 0; k < 2; k++) {
		struct repair_fork f;
		int error;

		a->attr = k == XFS_FORK_ATTR;
		a->later = !counts(a->look, s->ino, &s->d, a->attr);
		if (a->later && !later)
			continue;
		error = repair_fork_scan(a->look, s->ino, &s->d, s->image, (enum xfs_fork)k, &f, claim_mapping, a);
		a->later = true;
		for (size_t i = 0; i < f.nown && later; i++)
			claim_mapping(a, &(struct xfs_mapping){ .fsbno = f.own[i], .len = 1 });
		a->later = false;
		repair_fork_release(&f);
		if (error)
			return error;
	}
	return 0;
}

static int ask_rmap(void *payload, const void *disk)
{
	struct asking *a = payload;
	const struct xfs_geometry *g = &a->look->geo;
	struct xfs_claim c = xfs_claim_decode(disk);
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d = { .core = { .mode = XFS_MODE_REG } };
	bool known;

	if (xfs_owner_is_special(c.owner) || c.offset & XFS_RMAP_BMBT || !xfs_ino_valid(g, XFS_INO(c.owner)) ||
	    !xfs_agbno_range_valid(g, a->ag->agno, c.agbno, c.len))
		return 0;
	a->ino = c.owner;
	a->attr = c.offset & XFS_RMAP_ATTR;
	known = !repair_read_inode(a->look, c.owner, image, &d) && repair_is_inode(a->look, image, c.owner);
	a->newer = known && is_newer(a, &d);
	/* an inode that says nothing may have been a file */
	if (!known || !d.core.mode)
		d = (struct xfs_dinode){ .core = { .mode = XFS_MODE_REG } };
	if (counts(a->look, c.owner, &d, a->attr))
		claim(a, xfs_agbno_daddr(g, a->ag->agno, XFS_AGBNO(c.agbno)).v,
		      (uint64_t)c.len << (g->blocklog - XFS_BBSHIFT));
	return 0;
}

static int ask_ag(struct asking *a, uint32_t agno)
{
	struct xfs_btree_verify v = { .record = ask_rmap, .payload = a };
	struct repair *look = a->look;
	struct xfs_btree bt;
	int error;

	a->ag = &look->ags[agno];
	error = repair_find_chunks(look, a->ag);
	if (!error)
		error = repair_scan_ag_inodes(look, a->ag, ask_inode, a);
	if (error || !look->geo.rmapbt)
		return error;
	if (!a->ag->tree[XFS_TREE_RMAP].sound)
		return repair_each_stray_rmap(look, a->ag, ask_rmap, a);
	error = repair_ag_btree(look, a->ag, XFS_BTREE_RMAP, &bt);
	if (!error)
		error = xfs_btree_verify(&bt, &v);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* Looks at what stands on these devices; says nothing. */
static int ask_all(struct repair *r, const struct xfs_devset *top, struct asking *a)
{
	struct repair look = { .no_modify = true, .force_geometry = true, .dev = *top, .name = r->name,
			       .memory = r->memory, .cache = r->cache, .leaf_slack = r->leaf_slack,
			       .node_slack = r->node_slack };
	int error = repair_locate(&look);

	if (!error)
		error = repair_open(&look);
	if (!error)
		error = repair_observe_ags(&look);
	a->look = &look;
	for (uint32_t agno = 0; !error && agno < look.geo.agcount; agno++)
		error = ask_ag(a, agno);
	a->newest = xfs_max(a->newest, look.fs ? atomic_load(&look.fs->max_lsn) : XFS_NULL64);
	if (look.geo.v5 && look.primary.lsn != XFS_NULL64)
		a->newest = xfs_max(a->newest, look.primary.lsn);
	repair_release(&look);
	return error;
}

/* V4: what is there is as of later; counted, like what does not tell. */
static bool stays(const struct asking *a, size_t place, struct repair_partial *p)
{
	enum repair_age age = repair_ages_of(&a->ages, place, a->of_later[place]);

	p->later += age == REPAIR_AGE_LATER;
	p->unknown += age == REPAIR_AGE_UNKNOWN;
	return age == REPAIR_AGE_LATER;
}

/* `all`: an answer is wanted even if no place is asked for. */
static int find_taken(struct repair *r, const struct xfs_devset *top, struct xfs_recovery_careful *c,
		      struct repair_partial *p, bool all, uint64_t *newest)
{
	struct asking a = { .careful = c, .taken = calloc(c->nplaces + 1, sizeof(bool)),
			    .of_later = calloc(c->nplaces + 1, sizeof(bool)) };
	int error = a.taken && a.of_later ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; i < c->nplaces; i++)
		a.widest = (uint32_t)xfs_max(a.widest, c->places[i].bbs);
	if (!error && !r->geo.v5)
		error = repair_ages_find(r, &p->parts, c->places, c->nplaces, &a.ages);
	if (!error && (c->nplaces || all))
		error = ask_all(r, top, &a);
	if (!error && c->nplaces) {
		p->taken = malloc(c->nplaces * sizeof(*p->taken));
		error = p->taken ? 0 : -XFS_E_NOMEM;
	}
	for (size_t i = 0; i < c->nplaces && !error; i++)
		if (a.taken[i] || (!r->geo.v5 && stays(&a, i, p)))
			p->taken[p->ntaken++] = c->places[i];
	free(a.taken);
	free(a.of_later);
	repair_ages_release(&a.ages);
	*newest = a.newest;
	p->places = c->places;
	p->nplaces = c->nplaces;
	c->places = NULL;
	return error;
}

/* ---- the plan ---- */

static bool has(const struct xfs_recovery_place *p, size_t n, const struct xfs_recovery_place *key)
{
	return xfs_recovery_place_find(p, n, key) < n;
}

bool repair_partial_may_write(void *payload, const struct xfs_recovery_place *place)
{
	const struct repair_partial *p = payload;

	return has(p->places, p->nplaces, place) && !has(p->taken, p->ntaken, place);
}

static int try_part(struct repair *r, struct repair_partial *p)
{
	struct xfs_recovery_careful careful = { .log = p->parts.before };
	struct xfs_devset top = { .rt = r->dev.rt, .log = r->dev.log };
	struct xfs_recovery rec = { .nintents = 0 };
	uint64_t newest = 0;
	int error = xfs_dev_scratch(&top.data, r->dev.data, REPAIR_SCRATCH);
	bool open = false;

	if (!error)
		error = repair_ready_primary(r, top.data);
	if (!error)
		error = xfs_recovery_replay_careful(&top, &careful, &rec, NULL);
	if (!error)
		open = rec.nintents || careful.doubtful;
	if (!error)
		error = find_taken(r, &top, &careful, p, open, &newest);
	if (!error && open && !careful.beyond && p->parts.before.kind == XFS_LOG_DIRTY)
		error = repair_cut_plan(r, p, newest);
	if (error && !repair_is_of_machine(error)) {
		repair_say(r, "What stands before the damage of the log cannot be replayed: %s.",
			   xfs_error_text(error));
		p->parts.before.kind = XFS_LOG_CLEAN;
		error = 0;
	}
	xfs_recovery_free(&rec);
	xfs_recovery_careful_free(&careful);
	xfs_dev_close(top.data);
	return error;
}

int repair_partial_plan(struct repair *r, bool broken, struct repair_partial *p)
{
	struct xfs_fs *fs;
	int error = repair_open_for_log(r, &r->dev, &fs);

	*p = (struct repair_partial){ .ntaken = 0 };
	if (error)
		return error;
	error = xfs_log_parts_find(fs, &r->log, &p->parts);
	xfs_fs_close(fs);
	if (error == -XFS_E_NOENT && broken && r->log.kind == XFS_LOG_DIRTY)
		error = 0;
	if (error)
		return error;
	if (!p->parts.transactions)
		p->parts.before.kind = XFS_LOG_CLEAN;
	return p->parts.before.kind == XFS_LOG_DIRTY ? try_part(r, p) : 0;
}

/* ---- the real thing ---- */

static void say_counts(struct repair *r, const struct xfs_recovery *rec, const struct xfs_recovery_careful *c,
		       const struct repair_partial *p, uint64_t left)
{
	repair_say_replayed(r, &rec->counts);
	if (p->ntaken - p->later)
		repair_say(r, "        - %llu blocks belong to others now and stay as they are",
			   (unsigned long long)(p->ntaken - p->later));
	if (p->later)
		repair_say(r, "        - %llu blocks are in place as of later and stay as they are",
			   (unsigned long long)p->later);
	if (p->unknown)
		repair_say(r, "        - %llu blocks do not tell whether they were older, and are written over",
			   (unsigned long long)p->unknown);
	if (c->left_out)
		repair_say(r, "        - %llu changes do not fit what is in place", (unsigned long long)c->left_out);
	left += rec->nintents + c->doubtful;
	if (left)
		repair_say(r, "        - %llu changes that were cut off are left to the repair",
			   (unsigned long long)left);
}

/* What cannot be finished is left to the repair: *left, and what stays in the list. */
static int finish(struct repair *r, struct xfs_recovery *rec, uint64_t *left)
{
	struct xfs_recovery_work done;
	int error = xfs_recovery_finish(&r->dev, rec, &done, NULL);

	*left = done.left;
	if (!error && done.intents)
		repair_say_finished(r, done.intents);
	return repair_is_of_machine(error) || error == -XFS_E_IO ? error : 0;
}

int repair_partial_replay(struct repair *r, struct repair_partial *p)
{
	struct xfs_recovery_careful careful = { .log = p->parts.before, .may_write = repair_partial_may_write,
						.payload = p };
	struct xfs_recovery rec = { .nintents = 0 };
	uint64_t left = 0;
	int error = 0;

	if (p->cut)
		return repair_cut_replay(r, p);
	if (p->parts.before.kind == XFS_LOG_DIRTY) {
		repair_say(r, "        - replaying the log up to the damage...");
		error = repair_ready_primary(r, r->dev.data);
		if (!error)
			error = xfs_recovery_replay_careful(&r->dev, &careful, &rec, NULL);
		r->replayed = true;
		if (!error && p->finish)
			error = finish(r, &rec, &left);
		if (!error)
			say_counts(r, &rec, &careful, p, left);
		if (!error)
			error = repair_locate_again(r);
	}
	/* the log is cleared with needsrepair on disk: what was brought to its place is not all that goes together */
	if (!error)
		error = repair_begin_writing(r);
	xfs_recovery_free(&rec);
	xfs_recovery_careful_free(&careful);
	return error;
}

void repair_partial_release(struct repair_partial *p)
{
	free(p->taken);
	free(p->places);
	*p = (struct repair_partial){ .ntaken = 0 };
}
