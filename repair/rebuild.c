/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild.c - stage 1: claims what was decided for the AGs that change, then writes new fork blocks and trees.
 *
 * AGs without a reason are not touched.  Old tree and fork blocks are avoided, so that everything that the disk points
 * to is whole until the switch; when an AG is too full for that, what merely repeats other trees is reused in place.
 */
#include "repair/cuts.h"
#include "repair/forks.h"
#include "repair/rebuild.h"
#include "repair/scan.h"
#include "repair/space.h"
#include "repair/write.h"

#include <stdlib.h>

#define MOST_ROUNDS 64u
#define SORT_SHARE 8u			/* beside claims: free extents are sorted by length while their AG is built */
#define SORT_MOST ((size_t)32 << 20)
#define REBUILD_REASONS (REPAIR_TREE | REPAIR_FORK | REPAIR_INODES)

struct claiming {
	struct repair *r;
	uint64_t ino, flags;
};

bool repair_ag_changes(const struct repair *r, uint32_t agno)
{
	return r->ags[agno].reasons & REBUILD_REASONS;
}

static int claim(struct repair *r, uint32_t agno, uint32_t agbno, uint64_t len, uint64_t owner, uint64_t offword)
{
	struct xfs_claim c = { agbno, (uint32_t)len, owner, offword };

	return xfs_claims_add(r->claims, XFS_AGNO(agno), &c);
}

static int claim_mapping(void *payload, const struct xfs_mapping *m)
{
	struct claiming *c = payload;
	uint32_t agno = xfs_fsbno_agno(&c->r->geo, XFS_FSBNO(m->fsbno)).v;

	if (!repair_ag_changes(c->r, agno))
		return 0;
	return claim(c->r, agno, xfs_fsbno_agbno(&c->r->geo, XFS_FSBNO(m->fsbno)).v, m->len, c->ino,
		     m->off | c->flags | (m->unwritten ? XFS_RMAP_UNWRITTEN : 0));
}

static int claim_own(struct repair *r, uint64_t ino, uint64_t flags, const uint64_t *blocks, size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++) {
		uint32_t agno = xfs_fsbno_agno(&r->geo, XFS_FSBNO(blocks[i])).v;

		if (repair_ag_changes(r, agno))
			error = claim(r, agno, xfs_fsbno_agbno(&r->geo, XFS_FSBNO(blocks[i])).v, 1, ino,
				      flags | XFS_RMAP_BMBT);
	}
	return error;
}

/* Blocks that a replaced fork used for its btree are free afterwards, but stay whole until the switch. */
static int avoid_own(struct repair *r, const struct repair_fork *f)
{
	int error = 0;

	for (size_t i = 0; i < f->nown && !error; i++) {
		uint32_t agno = xfs_fsbno_agno(&r->geo, XFS_FSBNO(f->own[i])).v;

		if (repair_ag_changes(r, agno))
			error = xfs_claims_avoid(r->claims, XFS_AGNO(agno),
						 xfs_fsbno_agbno(&r->geo, XFS_FSBNO(f->own[i])).v, 1);
	}
	return error;
}

static int avoid_mapping(void *payload, const struct xfs_mapping *m)
{
	struct claiming *c = payload;
	uint32_t agno = xfs_fsbno_agno(&c->r->geo, XFS_FSBNO(m->fsbno)).v;

	return !repair_ag_changes(c->r, agno) ? 0 :
	       xfs_claims_avoid(c->r->claims, XFS_AGNO(agno), xfs_fsbno_agbno(&c->r->geo, XFS_FSBNO(m->fsbno)).v,
				m->len);
}

/* Its attribute fork is built anew later on, and the tree of its data fork. */
static int claim_filled(struct repair *r, struct repair_seen *s)
{
	int error = 0;

	for (unsigned k = 0; k < 2 && !error; k++) {
		struct claiming c = { r, s->ino, 0 };
		struct repair_fork f;

		error = repair_fork_scan(r, s->ino, &s->d, s->image, (enum xfs_fork)k, &f,
					 k ? avoid_mapping : claim_mapping, &c);
		if (!error)
			error = avoid_own(r, &f);
		repair_fork_release(&f);
	}
	return error;
}

static int claim_inode(void *payload, struct repair_seen *s)
{
	struct repair *r = payload;
	struct repair_inode *changed;
	int error = 0;

	if (s->free || !s->identified || repair_is_lost(r, s->ino))
		return 0;
	if (r->fill && repair_fills(r, s->ino))
		return claim_filled(r, s);
	changed = repair_find_changed(r, s->ino);
	for (unsigned k = 0; k < 2 && !error; k++) {
		struct claiming c = { r, s->ino, k ? XFS_RMAP_ATTR : 0 };
		bool replaced = changed && changed->fork[k], realtime;
		struct xfs_dinode d = s->d;
		struct repair_fork f;

		if (replaced)	/* the decision may have been about the device, too */
			repair_changed_core(r, changed, &d);
		realtime = repair_fork_is_realtime(&d, k);
		for (size_t i = 0; replaced && !realtime && i < changed->map[k].n && !error; i++)
			error = claim_mapping(&c, &changed->map[k].m[i]);
		if (error)
			break;
		error = repair_fork_scan(r, s->ino, &s->d, s->image, (enum xfs_fork)k, &f,
					 replaced ? NULL : claim_mapping, &c);
		if (!error)
			error = replaced ? avoid_own(r, &f) : claim_own(r, s->ino, c.flags, f.own, f.nown);
		repair_fork_release(&f);
	}
	return error;
}

static int claim_ag_inodes(void *payload, size_t agno)
{
	struct repair *r = payload;

	return repair_scan_ag_inodes(r, &r->ags[agno], claim_inode, r);
}

/* ---- what does not come from inodes ---- */

struct rmap_claims {
	struct repair *r;
	uint32_t agno;
	bool lost;			/* of lost inodes alone; else of all files */
	int error;
};

static int claim_rmap(void *payload, const void *disk)
{
	struct rmap_claims *c = payload;
	struct xfs_claim m = xfs_claim_decode(disk);

	if (!c->error && (c->lost ? repair_is_lost(c->r, m.owner) : !xfs_owner_is_special(m.owner)))
		c->error = claim(c->r, c->agno, m.agbno, m.len, m.owner, m.offset);
	return 0;
}

static int claim_rmaps(struct repair *r, uint32_t agno, bool lost)
{
	struct rmap_claims c = { r, agno, lost, 0 };
	struct xfs_btree_verify v = { .record = claim_rmap, .payload = &c };
	struct xfs_btree bt;
	int error = repair_ag_btree(r, &r->ags[agno], XFS_BTREE_RMAP, &bt);

	if (error)
		return error;
	error = xfs_btree_verify(&bt, &v);
	return error ? error : c.error;
}

/* Mappings of inodes whose core is lost: nothing contradicts them, so their blocks stay theirs. */
static int claim_lost_inodes(struct repair *r, uint32_t agno)
{
	struct xfs_btree bt;

	if (!r->nlost || !r->geo.rmapbt || repair_ag_btree(r, &r->ags[agno], XFS_BTREE_RMAP, &bt))
		return 0;
	return claim_rmaps(r, agno, true);
}

/*
 * No fork changes, and the forks are known to say what the reverse mappings of these AGs say: one AG's tree is read
 * then instead of all inodes.
 */
static bool rmaps_say_it(const struct repair *r)
{
	if (!r->geo.rmapbt || r->any_odd || r->ninodes || r->fill || r->nlost)
		return false;
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		if (repair_ag_changes(r, i) && !r->ags[i].tree[XFS_TREE_RMAP].sound)
			return false;
	return true;
}

static int claim_files(struct repair *r)
{
	bool any = false;
	int error = 0;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		any |= repair_ag_changes(r, i);
	if (!any)
		return 0;
	if (!rmaps_say_it(r))
		return repair_each_ag(r, claim_ag_inodes, r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (repair_ag_changes(r, i))
			error = claim_rmaps(r, i, false);
	return error;
}

static int claim_static(struct repair *r, struct repair_ag *ag)
{
	int error = repair_claim_static(r, ag);

	return error ? error : claim_lost_inodes(r, ag->agno.v);
}

/* ---- trees ---- */

static uint64_t tree_owner(enum xfs_build_tree t)
{
	return t == XFS_TREE_INO || t == XFS_TREE_FINO ? XFS_OWN_INOBT : t == XFS_TREE_REFC ? XFS_OWN_REFC : XFS_OWN_AG;
}

/* Trees whose records stay as they are: inode trees when no record changed, the refcountbt when sharing did not. */
static bool keeps(const struct repair_ag *ag, enum xfs_build_tree t)
{
	if (!ag->tree[t].present || !ag->tree[t].sound || ag->reasons & REPAIR_TREE)
		return false;
	if (t == XFS_TREE_INO || t == XFS_TREE_FINO)
		return !(ag->reasons & REPAIR_INODES);
	return t == XFS_TREE_REFC && !(ag->reasons & REPAIR_FORK);
}

static int plan_trees(struct repair *r, struct repair_ag *ag)
{
	struct xfs_build_ag *b = &ag->build;
	int error = 0;

	*b = (struct xfs_build_ag){ .geo = &r->geo, .claims = r->claims, .agno = ag->agno, .chunks = ag->chunks,
				    .nchunks = ag->nchunks, .agfl_from_zero = true,
				    .newino = ag->agi_ok && xfs_agino_valid(&r->geo, ag->agno, ag->agi.newino) ?
						      ag->agi.newino : XFS_NULL32,
				    .leaf_slack = r->leaf_slack, .node_slack = r->node_slack, .dev = r->dev.data,
				    .memory = xfs_min(r->memory / SORT_SHARE, SORT_MOST) };
	for (unsigned t = 0; t < XFS_TREE_COUNT && !error; t++) {
		struct repair_tree *tree = &ag->tree[t];

		if (keeps(ag, (enum xfs_build_tree)t)) {
			b->policy[t] = XFS_BUILD_KEEP;
			b->kept[t].root = tree->root;
			b->kept[t].levels = tree->levels;
			b->kept[t].blocks = (uint32_t)tree->blocks;
		}
		for (size_t i = 0; i < tree->nown && !error; i++) {
			if (b->policy[t] == XFS_BUILD_KEEP)
				error = claim(r, ag->agno.v, tree->own[i], 1, tree_owner((enum xfs_build_tree)t), 0);
			else
				error = xfs_claims_avoid(r->claims, ag->agno, tree->own[i], 1);
		}
	}
	for (size_t i = 0; i < ag->nagfl && !error && ag->agfl_ok; i++)
		error = xfs_claims_avoid(r->claims, ag->agno, ag->agfl[i], 1);
	return error;
}

static int build_ag(struct repair *r, struct repair_ag *ag)
{
	int error;

	xfs_ag_switch_release(&ag->sw);		/* of an attempt that had no room elsewhere */
	error = xfs_build_ag(&ag->build, &ag->sw);
	if (error == -XFS_E_NOSPC && !r->in_place) {
		/* too full to keep the old trees beside the new ones: they only repeat what the files say */
		xfs_claims_unavoid(r->claims, ag->agno);
		for (size_t i = 0; i < ag->whole.n && !r->careless; i++)
			if (xfs_claims_avoid(r->claims, ag->agno, ag->whole.r[i].agbno, ag->whole.r[i].len))
				return -XFS_E_NOMEM;
		error = xfs_build_ag(&ag->build, &ag->sw);
	}
	if (error)
		return error;
	ag->rebuilt = r->rebuilt_any = true;
	ag->freeblks = ag->sw.freeblks;
	ag->btreeblks = ag->sw.btreeblks;
	ag->flcount = ag->sw.flcount;
	ag->icount = ag->sw.icount;
	ag->ifree = ag->sw.ifree;
	return 0;
}

/* Blocks that inodes give up are free afterwards, but whole until the switch. */
static int avoid_given_up(struct repair *r)
{
	int error = 0;

	repair_merge_changed(r);
	for (size_t i = 0; i < r->ninodes; i++)
		for (size_t k = 0; k < r->inodes[i].old.n && !error; k++) {
			const struct xfs_mapping *m = &r->inodes[i].old.m[k];
			uint32_t agno = xfs_fsbno_agno(&r->geo, XFS_FSBNO(m->fsbno)).v;

			if (repair_ag_changes(r, agno))
				error = xfs_claims_avoid(r->claims, XFS_AGNO(agno),
							 xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v,
							 (uint32_t)m->len);
		}
	return error;
}

static int keep_whole(void *payload, uint32_t agbno, uint32_t len)
{
	return repair_runs_add(payload, agbno, len, 0);
}

static int prepare_ag(struct repair *r, uint32_t agno, struct repair_cuts *cuts, uint64_t *settled)
{
	struct repair_runs *whole = &r->ags[agno].whole;
	int error = claim_static(r, &r->ags[agno]);

	whole->n = 0;
	if (!error)	/* so far: of forks alone */
		error = xfs_claims_each_avoided(r->claims, XFS_AGNO(agno), keep_whole, whole);
	if (!error)
		error = plan_trees(r, &r->ags[agno]);
	if (r->in_place)
		xfs_claims_unavoid(r->claims, XFS_AGNO(agno));
	if (!error)
		error = xfs_claims_seal(r->claims, XFS_AGNO(agno));
	return error ? error : repair_settle_conflicts(r, agno, cuts, settled);
}

/* One round: all claims for the AGs that change. */
static int claim_all(struct repair *r, uint64_t *settled)
{
	struct repair_cuts cuts = { .r = r };
	int error = repair_plan_forks(r);	/* may want room in AGs that did not change so far */

	xfs_claims_free(r->claims);
	r->claims = NULL;
	if (!error)
		error = xfs_claims_new(&r->claims, &r->geo, r->memory, NULL);
	if (!error)
		error = claim_files(r);
	if (!error)
		error = avoid_given_up(r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (repair_ag_changes(r, i))
			error = prepare_ag(r, i, &cuts, settled);
	if (!error)
		error = repair_cuts_apply(&cuts);
	repair_cuts_release(&cuts);
	return error;
}

/* Until no two claims contradict each other; each round takes blocks from somebody, or there is no further one. */
static int claim_without_conflict(struct repair *r)
{
	uint64_t settled = 1;
	int error = 0;

	for (unsigned round = 0; settled && !error; round++) {
		if (round == MOST_ROUNDS)
			return -XFS_E_OVERLAP;
		settled = 0;
		error = claim_all(r, &settled);
	}
	/* nothing was written so far; a contradiction that is not to be settled leaves everything as it was */
	if (!error && r->holds.conflict)
		error = repair_select(r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (repair_ag_changes(r, i))
			error = repair_check_flags(r, i);
	return error;
}

/* Blocks that the trees of the AG and, unless all is tight, its free list will take. */
static uint64_t tree_needs(const struct repair *r, const struct repair_ag *ag)
{
	uint64_t need = r->tight ? 0 : xfs_agfl_minimum(&r->geo, ag->tree[XFS_TREE_BNO].levels,
							ag->tree[XFS_TREE_CNT].levels,
							r->geo.rmapbt ? ag->tree[XFS_TREE_RMAP].levels : 0);

	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		if (ag->tree[t].present && ag->build.policy[t] != XFS_BUILD_KEEP)
			need += xfs_max(ag->tree[t].blocks, 1);
	return need;
}

/* What forks may take: blocks that are not avoided, and not those that the trees of the AG need in the end. */
static int count_spare(struct repair *r)
{
	int error = 0;

	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		uint64_t blocks, need = tree_needs(r, &r->ags[i]);

		if (!repair_ag_changes(r, i))
			continue;
		error = xfs_claims_free_blocks(r->claims, XFS_AGNO(i), &blocks);
		r->ags[i].spare = error || blocks < need ? 0 : (uint32_t)(blocks - need);
	}
	return error;
}

int repair_take_blocks(struct repair *r, uint32_t agno, uint32_t len, uint64_t ino, uint64_t offword, uint64_t *fsbno)
{
	struct repair_ag *ag = &r->ags[agno];
	uint32_t agbno;
	int error = repair_ag_changes(r, agno) && len <= ag->spare ?
		xfs_claims_alloc(r->claims, ag->agno, 0, len, ino, offword, &agbno) : -XFS_E_NOSPC;

	if (error)
		return error;
	ag->spare -= len;
	*fsbno = xfs_fsbno_of(&r->geo, ag->agno, XFS_AGBNO(agbno)).v;
	return 0;
}

/* The AG with most free space that is not rebuilt yet is, too. False: no other one has any. */
static bool draw_in_ag(struct repair *r)
{
	uint32_t best = XFS_NULL32;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		if (!repair_ag_changes(r, i) && r->ags[i].freeblks > (best == XFS_NULL32 ? 0 : r->ags[best].freeblks))
			best = i;
	if (best != XFS_NULL32)
		r->ags[best].reasons |= REPAIR_FORK;
	return best != XFS_NULL32;
}

/*
 * No room for forks in the AGs that change: others are drawn in, each time twice as many, as all claims are gathered
 * anew then; at last free lists stay short.
 */
static bool find_room(struct repair *r, uint32_t *many)
{
	bool any = false;

	for (uint32_t i = 0; i < *many && draw_in_ag(r); i++)
		any = true;
	*many *= 2;
	if (!any && r->tight)
		return false;
	r->tight |= !any;
	return true;
}

static int make_forks(struct repair *r)
{
	uint32_t many = 1;
	int error;

	r->tight = false;

	do {
		/* of an attempt that had no room nothing may show through */
		repair_merge_changed(r);
		for (size_t i = 0; i < r->ninodes; i++)
			r->inodes[i].nown[0] = r->inodes[i].nown[1] = 0;
		error = r->in_place ? xfs_dev_overlay_reset(r->dev.data) : 0;
		if (!error)
			error = claim_without_conflict(r);
		if (!error && r->holds.space)
			return 0;
		if (!error)
			error = repair_begin_writing(r);
		if (!error)
			error = count_spare(r);
		if (!error)
			error = repair_build_forks(r);
	} while (error == -XFS_E_NOSPC && find_room(r, &many));
	return error;
}

int repair_build_new(struct repair *r)
{
	bool any = r->ninodes || r->fill;
	int error;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		any |= repair_ag_changes(r, i);
	if (r->looking || !any)
		return 0;
	error = make_forks(r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		if (!repair_ag_changes(r, i))
			continue;
		if (r->verbose)
			repair_say(r, "        - agno = %u", i);
		error = build_ag(r, &r->ags[i]);
	}
	return error;
}
