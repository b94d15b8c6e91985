/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reconcile.c - gathers evidence for the owners in odd buckets: forks on one side, reverse mappings on the other.
 *
 * Memory grows with the damage: one odd owner brings its bucket, 1/65536 of all owners, and nothing else.
 */
#include "repair/judge.h"
#include "repair/realtime.h"
#include "repair/realtime_owned.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

struct gather {
	struct repair *r;
	struct evidence *e;		/* ascending by inode number: the order of the scan */
	size_t n, room;
	struct repair_hints hints;	/* about lost inodes */
	struct repair_ag *ag;		/* whose rmapbt is being read */
	int error;
};

static bool is_odd(const struct repair *r, uint64_t owner)
{
	return r->odd_buckets[xfs_fingerprint_bucket(&r->fork_sums, owner)];
}

static int keep_mapping(void *payload, const struct xfs_mapping *m)
{
	struct xfs_mapping copy = *m;

	copy.trust = EVIDENCE_FORK;
	return xfs_mapset_add(payload, &copy);
}

static int keep_last_mapping(void *payload, const struct xfs_mapping *m)
{
	struct xfs_mapset *s = payload;

	s->n = 0;
	return keep_mapping(s, m);
}

/* The map of a file, which may be large, and reverse mappings of this device know all of it. */
static bool has_witness(const struct repair *r, const struct evidence *e, unsigned k)
{
	return r->geo.rmapbt && (e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG && !repair_fork_is_realtime(&e->d, k) &&
	       e->d.core.format != XFS_DINODE_FMT_META_BTREE;
}

/*
 * Where not all reverse mappings can be read, a damaged map of a file is asked for what they can't tell (judge.c), and
 * whether it held anything.  Its other fork asks for its blocks when that is damaged, too.
 */
static void forget_answered(struct repair *r, struct evidence *e, unsigned k)
{
	struct xfs_mapset *fork = &e->side[k].fork;
	struct xfs_mapping *less;
	size_t keep = 1;

	if (fork->n < 2 || e->side[k].apart || !e->side[k].f.damaged || e->side[!k].f.damaged || e->lost ||
	    !has_witness(r, e, k))
		return;
	for (size_t i = 1; i < fork->n; i++)
		if (!repair_ag_of(r, fork->m[i].fsbno)->tree[XFS_TREE_RMAP].sound)
			fork->m[keep++] = fork->m[i];
	fork->n = fork->room = keep;
	less = realloc(fork->m, keep * sizeof(*less));
	fork->m = less ? less : fork->m;
}

static int scan_forks(struct repair *r, struct evidence *e)
{
	int error = 0;

	for (unsigned k = 0; k < 2 && !error; k++) {
		struct evidence_side *s = &e->side[k];

		/* they need its memory; a damaged one is asked no more than whether it held something */
		s->apart = r->rmaps_whole && !e->lost && has_witness(r, e, k);
		error = repair_fork_scan_any(r, e->ino, &e->d, e->image, (enum xfs_fork)k, &s->f,
					     s->apart ? keep_last_mapping : keep_mapping, &s->fork);
	}
	for (unsigned k = 0; k < 2 && !error; k++)
		forget_answered(r, e, k);
	return error;
}

static int gather_inode(void *payload, struct repair_seen *s)
{
	struct gather *g = payload;
	struct repair *r = g->r;
	bool lost = repair_is_lost(r, s->ino);
	struct evidence *e;

	if (!is_odd(r, s->ino) || (!lost && (s->free || !s->identified)))
		return 0;
	if (xfs_grow(&g->e, g->n, &g->room, 64))
		return -XFS_E_NOMEM;
	e = &g->e[g->n++];
	*e = (struct evidence){ .ino = s->ino, .d = s->d, .suspect = repair_core_flawed(r, s), .lost = lost,
				.wiped = !s->identified };
	e->image = malloc(r->geo.inodesize);
	if (!e->image)
		return -XFS_E_NOMEM;
	memcpy(e->image, s->image, r->geo.inodesize);
	if (lost)
		repair_restore_type(r, e, repair_hint_of(&g->hints, s->ino));
	return e->wiped ? 0 : scan_forks(r, e);
}

static int gather_ag_inodes(void *payload, size_t agno)
{
	struct gather *g = payload;

	return repair_scan_ag_inodes(g->r, &g->r->ags[agno], gather_inode, g);
}

static struct evidence *find(struct gather *g, uint64_t ino)
{
	size_t lo = xfs_search(g->n, i, g->e[i].ino < ino);

	return lo < g->n && g->e[lo].ino == ino ? &g->e[lo] : NULL;
}

static int keep_bmbt(struct evidence_side *side, uint64_t fsbno, uint32_t len)
{
	if (xfs_grow_to(&side->bmbt, &side->room, side->nbmbt + len, sizeof(*side->bmbt)))
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < len; i++)
		side->bmbt[side->nbmbt++] = fsbno + i;
	return 0;
}

static int gather_rmap(void *payload, const void *disk)
{
	struct gather *g = payload;
	struct xfs_claim c = xfs_claim_decode(disk);
	uint64_t fsbno = xfs_fsbno_of(&g->r->geo, g->ag->agno, XFS_AGBNO(c.agbno)).v;
	struct evidence_side *side;
	struct evidence *e;

	if (g->error || xfs_owner_is_special(c.owner) || !is_odd(g->r, c.owner) ||
	    !xfs_agbno_range_valid(&g->r->geo, g->ag->agno, c.agbno, c.len))
		return 0;
	e = find(g, c.owner);
	if (!e) {
		if (!repair_is_lost(g->r, c.owner)) {
			struct xfs_finding f = xfs_finding_of(XFS_F_RMAP_SURPLUS, "rmapbt");

			f.agno = g->ag->agno.v;
			f.agbno = c.agbno;
			f.len = c.len;
			f.ino = c.owner;
			repair_note(g->r, &f, true);
			g->ag->reasons |= REPAIR_TREE;
		}
		return 0;
	}
	side = &e->side[c.offset & XFS_RMAP_ATTR ? XFS_FORK_ATTR : XFS_FORK_DATA];
	e->rmap_blocks += c.len;
	if (c.offset & XFS_RMAP_BMBT) {
		g->error = keep_bmbt(side, fsbno, c.len);
	} else {
		struct xfs_mapping m = { c.offset & XFS_RMAP_OFFMASK, fsbno, c.len,
					 (c.offset & XFS_RMAP_UNWRITTEN) != 0, g->ag->tree[XFS_TREE_RMAP].sound
						 ? EVIDENCE_RMAP : EVIDENCE_RMAP_PART };

		g->error = xfs_mapset_add(&side->rmap, &m);
	}
	return 0;
}

/* Reads what can be read of each rmapbt; a damaged one still testifies with its good leaves. */
static int gather_ag_rmaps(void *payload, size_t agno)
{
	struct gather *g = payload;
	struct xfs_btree_verify v = { .record = gather_rmap, .payload = g };
	struct xfs_btree bt;
	int error;

	g->ag = &g->r->ags[agno];
	if (!g->ag->tree[XFS_TREE_RMAP].sound && !g->r->looking)
		return repair_each_stray_rmap(g->r, g->ag, gather_rmap, g) ? -XFS_E_NOMEM : g->error;
	error = repair_ag_btree(g->r, g->ag, XFS_BTREE_RMAP, &bt);
	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	error = xfs_btree_verify(&bt, &v);
	return error ? error : g->error;
}

/* ---- reverse mappings of realtime groups ---- */

/* What leads to the realtime section, or may have done. */
static bool needs_groups(const struct evidence *e)
{
	return e->wiped || repair_fork_is_realtime(&e->d, XFS_FORK_DATA);
}

static int gather_owned(void *payload, uint64_t ino, const struct xfs_mapping *m)
{
	struct gather *g = payload;
	struct evidence *e = is_odd(g->r, ino) ? find(g, ino) : NULL;

	return e && e->rt_asked ? xfs_mapset_add(&e->rt, m) : 0;
}

static const uint64_t *blocks_of(void *payload, uint64_t ino, size_t *n)
{
	const struct evidence *e = find(payload, ino);

	*n = e ? e->side[XFS_FORK_DATA].nbmbt : 0;
	return e ? e->side[XFS_FORK_DATA].bmbt : NULL;
}

/* A tree whose inode is wiped: names say whose it was. */
static int gather_wiped_trees(struct gather *g, struct repair_rt_owned *o)
{
	int error = 0;

	for (size_t i = 0; i < g->n && !error; i++) {
		const struct evidence_side *s = &g->e[i].side[XFS_FORK_DATA];
		const struct repair_hint *h = g->e[i].wiped ? repair_hint_of(&g->hints, g->e[i].ino) : NULL;

		if (h && h->meta && h->file.metatype == XFS_METAFILE_RTRMAP && repair_metafile_possible(g->r, &h->file))
			error = repair_rt_owned_leaves(o, h->file.group, g->e[i].ino, s->bmbt, s->nbmbt);
	}
	return error;
}

/* Where a group has said all that it knows, the fork has nothing to add. */
static int settle_owned(struct gather *g, struct repair_rt_owned *o, struct evidence *e)
{
	struct xfs_mapset *fork = &e->side[XFS_FORK_DATA].fork;
	size_t keep = 0;
	int64_t cut = xfs_mapset_normalise(&e->rt);

	e->rt_whole = repair_rt_owned_whole(o);
	for (size_t i = 0; i < fork->n && e->side[XFS_FORK_DATA].f.damaged; i++)
		if (!repair_rt_group_sound(o, (uint32_t)(fork->m[i].fsbno >> g->r->geo.sb.rgblklog)))
			fork->m[keep++] = fork->m[i];
	if (e->side[XFS_FORK_DATA].f.damaged)
		fork->n = keep;
	return cut < 0 ? (int)cut : 0;
}

struct piece {
	uint64_t start, end;		/* realtime blocks as forks have them */
	uint64_t reach;			/* the highest end of this one and those before it */
	struct evidence *e;
	bool strange;			/* only the fork says so */
};

struct sharing {
	struct piece *p;		/* ascending */
	size_t n, room;
};

static int by_start(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int mark_shared(void *payload, uint64_t ino, const struct xfs_mapping *m)
{
	struct sharing *s = payload;
	size_t at = m->unwritten ? 0 : xfs_search(s->n, i, s->p[i].start < m->fsbno + m->len);

	for (; at && s->p[at - 1].reach > m->fsbno; at--)
		if (s->p[at - 1].end > m->fsbno && s->p[at - 1].e->ino != ino)
			*(s->p[at - 1].strange ? &s->p[at - 1].e->rt_strange : &s->p[at - 1].e->rt_others) = true;
	return 0;
}

static int add_pieces(struct sharing *s, struct evidence *e, const struct xfs_mapset *from, bool strange)
{
	int error = 0;

	for (size_t i = 0; i < from->n && !error; i++) {
		const struct xfs_mapping *m = &from->m[i];

		error = xfs_grow(&s->p, s->n, &s->room, 64);
		if (!error && (!m->unwritten || !e->wiped))
			s->p[s->n++] = (struct piece){ m->fsbno, m->fsbno + m->len, 0, e, strange };
	}
	return error;
}

/* Of a wiped inode all of it; of a fork that reads well what either side alone says. */
static int add_asked(struct repair *r, struct sharing *s, struct evidence *e)
{
	struct xfs_mapset only_rt = { 0 }, only_fork = { 0 };
	int error;

	if (e->wiped)
		return r->geo.reflink ? add_pieces(s, e, &e->rt, false) : 0;
	error = e->rt_whole ? judge_realtime_differences(e, &only_fork, &only_rt) : 0;
	if (!error)
		error = add_pieces(s, e, &only_rt, false);
	if (!error)
		error = add_pieces(s, e, &only_fork, true);
	xfs_mapset_release(&only_rt);
	xfs_mapset_release(&only_fork);
	return error;
}

/* Who else has what is in question: an inode that is made anew gets the flag of shared extents, a fork is denied. */
static int find_others(struct gather *g)
{
	struct sharing s = { 0 };
	struct repair_rt_owned o = { .r = g->r, .each = mark_shared, .payload = &s };
	uint64_t reach = 0;
	int error = 0;

	for (size_t i = 0; i < g->n && !error; i++)
		if (g->e[i].rt_asked)
			error = add_asked(g->r, &s, &g->e[i]);
	if (!error && s.n) {
		qsort(s.p, s.n, sizeof(*s.p), by_start);
		for (size_t i = 0; i < s.n; i++)
			s.p[i].reach = reach = xfs_max(reach, s.p[i].end);
		error = repair_rt_each_owned(&o);
	}
	free(o.sound);
	free(s.p);
	return error;
}

static int gather_groups(struct gather *g)
{
	struct repair_rt_owned o = { .r = g->r, .each = gather_owned, .blocks = blocks_of, .payload = g };
	bool any = false;
	int error;

	for (size_t i = 0; i < g->n; i++)
		any |= g->e[i].rt_asked = needs_groups(&g->e[i]);
	if (!any)
		return 0;
	error = repair_rt_each_owned(&o);
	if (!error)
		error = gather_wiped_trees(g, &o);
	for (size_t i = 0; i < g->n && !error; i++)
		if (g->e[i].rt_asked)
			error = settle_owned(g, &o, &g->e[i]);
	free(o.sound);
	return error ? error : find_others(g);
}

static void release_evidence(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++) {
		for (unsigned k = 0; k < 2; k++) {
			repair_fork_release(&g->e[i].side[k].f);
			xfs_mapset_release(&g->e[i].side[k].fork);
			xfs_mapset_release(&g->e[i].side[k].rmap);
			free(g->e[i].side[k].bmbt);
		}
		xfs_mapset_release(&g->e[i].rt);
		free(g->e[i].image);
	}
	free(g->e);
	free(g->hints.h);
}

static int judge_odd(struct repair *r)
{
	struct gather g = { .r = r };
	int error = r->nlost ? repair_gather_hints(r, &g.hints) : 0;

	if (!error)
		error = repair_each_ag(r, gather_ag_inodes, &g);
	if (!error && r->geo.rmapbt)
		error = repair_each_ag(r, gather_ag_rmaps, &g);
	if (!error && repair_rt_has_owners(r))
		error = gather_groups(&g);
	for (size_t i = 0; i < g.n && !error; i++)
		error = g.e[i].lost ? repair_restore(r, &g.e[i],
						     repair_hint_of(&g.hints, g.e[i].ino)) : repair_judge(r, &g.e[i]);
	repair_settle_lost(r);
	release_evidence(&g);
	return error;
}

int repair_reconcile(struct repair *r)
{
	int error;

	if (!r->looking)
		repair_say(r, "        - setting up duplicate extent list...");
	error = r->any_odd ? judge_odd(r) : 0;
	if (!error && !r->looking)
		repair_say(r, "        - check for inodes claiming duplicate blocks...");
	if (!error)
		error = repair_rt_settle(r);
	/* forks are decided: without reverse mappings, who claims what is compared with the trees */
	if (!error && !r->geo.rmapbt)
		error = repair_check_space(r);
	if (!error)
		error = repair_metafiles_settle(r);
	if (!error)
		error = repair_rt_complete(r);
	return error ? error : repair_rt_trees(r);
}
