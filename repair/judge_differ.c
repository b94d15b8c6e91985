/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge_differ.c - a fork and its reverse mappings that are both whole, and different.
 *
 * The side that other witnesses (contents, the block counter of the inode, age after a loss, free space, other owners)
 * contradict gives way; the smallest unit is a mapping.  Blocks of a whole bmbt are the better witness against their
 * reverse mappings.
 */
#include "repair/judge.h"
#include "repair/space.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/verify.h"
#include "libxfs/ondisk/dir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- contradictions ---- */

struct rival {
	uint64_t ino;
	bool may_share;		/* the mapping in question could be shared */
	bool found;
};

static int rival_record(void *payload, const void *disk)
{
	struct rival *v = payload;
	struct xfs_claim c = xfs_claim_decode(disk);

	if (c.owner != v->ino && !(v->may_share && xfs_claim_shareable(&c)))
		v->found = true;
	return 0;
}

/* Does another owner hold blocks of this range that can't be shared? */
static bool owned_by_others(struct repair *r, uint64_t ino, const struct xfs_mapping *m, bool attr)
{
	uint32_t agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v;
	struct xfs_btree_key lo = { { agbno, 0, 0 } }, hi = { { agbno + m->len - 1, UINT64_MAX, UINT64_MAX } };
	struct rival v = { ino, r->geo.reflink && !attr && !m->unwritten, false };
	struct xfs_btree bt;

	if (repair_ag_btree(r, repair_ag_of(r, m->fsbno), XFS_BTREE_RMAP, &bt))
		return false;
	if (xfs_btree_query_range(&bt, &lo, &hi, rival_record, &v, NULL, NULL, NULL))
		return false;
	return v.found;
}

struct owned {
	uint64_t reach;		/* behind the last block that has an owner */
	uint64_t sum;		/* blocks with one */
	uint64_t end;		/* of what is asked for */
};

static int owned_record(void *payload, const void *disk)
{
	struct owned *o = payload;
	struct xfs_claim c = xfs_claim_decode(disk);
	uint64_t from = xfs_max(o->reach, (uint64_t)c.agbno), end = xfs_min((uint64_t)c.agbno + c.len, o->end);

	if (end > from) {
		o->sum += end - from;
		o->reach = end;
	}
	return 0;
}

/* Some of the fork has no owner in the reverse mappings and is not free: taken, and nobody else is there. */
static bool has_unowned(struct repair *r, const struct xfs_mapset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct xfs_mapping *m = &s->m[i];
		uint32_t agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v, len = (uint32_t)m->len;
		struct xfs_btree_key lo = { { agbno, 0, 0 } }, hi = { { agbno + len - 1, UINT64_MAX, UINT64_MAX } };
		struct owned o = { .reach = agbno, .end = (uint64_t)agbno + len };
		struct xfs_btree bt;

		if (repair_ag_btree(r, repair_ag_of(r, m->fsbno), XFS_BTREE_RMAP, &bt) ||
		    xfs_btree_query_range(&bt, &lo, &hi, owned_record, &o, NULL, NULL, NULL))
			continue;
		if (len - o.sum > repair_free_blocks(r, m->fsbno, len))
			return true;
	}
	return false;
}

static bool is_free_in_part(struct repair *r, const struct xfs_mapset *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (repair_free_blocks(r, s->m[i].fsbno, (uint32_t)s->m[i].len))
			return true;
	return false;
}

/* Free space or other owners deny some of this to the fork. */
static bool is_denied(struct repair *r, uint64_t ino, const struct xfs_mapset *s, bool attr)
{
	for (size_t i = 0; i < s->n; i++)
		if (owned_by_others(r, ino, &s->m[i], attr))
			return true;
	return is_free_in_part(r, s);
}

/* ---- what speaks for which side ---- */

static int compare_mapping(void *payload, const struct xfs_mapping *m)
{
	return xfs_mapdiff_add(payload, m);
}

/* The fork is not held: it is read once more.  Should less of it be read now, then it is damaged. */
static int differences_apart(struct repair *r, struct evidence *e, unsigned k, struct xfs_mapset *only_fork,
			     struct xfs_mapset *only_rmap)
{
	struct evidence_side *s = &e->side[k];
	struct xfs_mapdiff d = { .set = &s->rmap, .only_given = only_fork, .only_set = only_rmap };
	struct repair_fork again;
	int error = repair_fork_scan_any(r, e->ino, &e->d, e->image, (enum xfs_fork)k, &again, compare_mapping, &d);

	if (!error)
		error = xfs_mapdiff_finish(&d);
	repair_fork_release(&s->f);
	s->f = again;
	return error;
}

/* Parts of either side that the other does not hold, in AGs whose rmapbt is whole. */
static int differences(struct repair *r, struct evidence *e, unsigned k, struct xfs_mapset *only_fork,
		       struct xfs_mapset *only_rmap)
{
	const struct evidence_side *s = &e->side[k];
	bool whole = r->rmaps_whole;
	struct xfs_mapset fork = { 0 };
	int error = 0;

	if (s->apart)
		return differences_apart(r, e, k, only_fork, only_rmap);
	for (size_t i = 0; i < s->fork.n && !whole && !error; i++)
		if (judge_ag_sound(r, s->fork.m[i].fsbno))
			error = xfs_mapset_add(&fork, &s->fork.m[i]);
	if (!error)
		error = xfs_mapset_subtract(only_fork, whole ? &s->fork : &fork, &s->rmap);
	if (!error)
		error = xfs_mapset_subtract(only_rmap, &s->rmap, &s->fork);
	xfs_mapset_release(&fork);
	return error;
}

static uint64_t blocks_behind(const struct xfs_mapset *s, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].off + s->m[i].len > end)
			sum += s->m[i].off + s->m[i].len - xfs_max(s->m[i].off, end);
	return sum;
}

/* The last mapping ends where the file does. */
static bool ends_at(const struct xfs_mapset *s, uint64_t end)
{
	return s->n && s->m[s->n - 1].off + s->m[s->n - 1].len == end;
}

/* What the size of a regular file says: 1 for the fork, -1 for the reverse mappings, 0 nothing. */
static int ask_size(const struct repair *r, const struct evidence *e, const struct xfs_mapset *only_fork,
		    const struct xfs_mapset *only_rmap)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];
	uint64_t end = xfs_ceil_div(e->d.core.size, r->geo.blocksize);
	uint64_t fork = blocks_behind(only_fork, end), rmap = blocks_behind(only_rmap, end);

	if (fork != rmap)
		return fork < rmap ? 1 : -1;
	if (!r->rmaps_whole)
		return 0;
	return ends_at(&s->fork, end) - ends_at(&s->rmap, end);
}

/* The last block of each of these mappings, of a fork whose blocks name their inode, names this one. */
static bool name_inode(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *s)
{
	unsigned type = e->d.core.mode & XFS_MODE_FMT;
	uint64_t step = k == XFS_FORK_ATTR ? 1 : r->geo.dirblkfsbs;

	for (size_t i = 0; i < s->n && (k == XFS_FORK_ATTR || type == XFS_MODE_DIR); i++) {
		const struct xfs_mapping *m = &s->m[i];
		uint64_t last = (m->off + m->len - 1) / step * step;

		if (last >= m->off && repair_header_owner(r, m->fsbno + (last - m->off)) != e->ino)
			return false;
	}
	return true;
}

/* Blocks of directories, attributes and symlinks say whose they are, and fit each other in one order alone. */
static bool contents_fit(struct repair *r, const struct evidence *e, unsigned k)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOLASTBLOCK | XFS_FS_NOWILDLSN, .sb = &r->primary };
	unsigned type = e->d.core.mode & XFS_MODE_FMT;
	struct xfs_inode *ip = malloc(sizeof(*ip));
	char target[XFS_SYMLINK_MAXLEN + 1];
	bool fit = false;
	size_t len;

	/* unlike r->fs this one refuses blocks whose own verifier does */
	if (!ip || (!r->strict && xfs_fs_open(&r->strict, &r->dev, &options, NULL))) {
		free(ip);
		return false;
	}
	xfs_inode_parse(r->strict, XFS_INO(e->ino), e->image, ip);
	if (k == XFS_FORK_ATTR)
		fit = !xfs_attrs_verify(ip, NULL);
	else if (type == XFS_MODE_DIR)
		fit = !xfs_dir_verify(ip, XFS_NULL64, NULL);
	else if (type == XFS_MODE_LNK)
		fit = !xfs_symlink_target(ip, target, &len, NULL);
	free(ip);
	return fit;
}

static bool maps_block(const struct xfs_mapset *s, uint64_t fsbno)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].fsbno <= fsbno && fsbno - s->m[i].fsbno < s->m[i].len)
			return true;
	return false;
}

/*
 * The inode has no attribute fork, and no block that reverse mappings give to one is of it: they lie, or mean the other
 * fork.
 */
static bool lacks_attr_fork(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *only_rmap)
{
	if (k != XFS_FORK_ATTR || e->d.core.forkoff || !r->geo.v5)
		return false;
	for (size_t i = 0; i < only_rmap->n; i++)
		if (repair_header_owner(r, only_rmap->m[i].fsbno) == e->ino &&
		    !maps_block(&e->side[XFS_FORK_DATA].fork, only_rmap->m[i].fsbno))
			return false;
	return true;
}

/* The same blocks in the same places: whether they are written is all that differs. */
static bool is_about_flags(const struct xfs_mapset *only_fork, const struct xfs_mapset *only_rmap)
{
	bool same = only_fork->n && only_fork->n == only_rmap->n;

	for (size_t i = 0; i < only_fork->n && same; i++)
		same = only_fork->m[i].off == only_rmap->m[i].off && only_fork->m[i].fsbno == only_rmap->m[i].fsbno &&
		       only_fork->m[i].len == only_rmap->m[i].len;
	return same;
}

/* A neighbour in the file that continues it on the disk, in the same state, would be one extent with it. */
static bool would_join(const struct xfs_mapset *s, const struct xfs_mapping *m, bool unwritten)
{
	const struct xfs_mapping *before = m->off ? xfs_mapset_at(s, m->off - 1) : NULL;
	const struct xfs_mapping *behind = xfs_mapset_at(s, m->off + m->len);

	return (before && before->unwritten == unwritten && before->fsbno + (m->off - before->off) == m->fsbno) ||
	       (behind && behind->unwritten == unwritten && behind->fsbno == m->fsbno + m->len +
									    (behind->off - m->off - m->len));
}

/* Which state is not that of a neighbour that it continues; otherwise the one that loses nothing. */
static bool rmap_flags_win(const struct evidence_side *s, const struct xfs_mapset *only_fork)
{
	int against_fork = 0;

	for (size_t i = 0; i < only_fork->n; i++) {
		const struct xfs_mapping *m = &only_fork->m[i];

		against_fork += would_join(&s->rmap, m, m->unwritten) - would_join(&s->rmap, m, !m->unwritten);
	}
	return against_fork ? against_fork > 0 : only_fork->m[0].unwritten;
}

/* Both sides are whole and differ: true when the reverse mappings are to be believed. */
static bool rmap_wins(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *only_fork,
		      const struct xfs_mapset *only_rmap, bool fork_newer)
{
	uint64_t fork_blocks = 0;
	bool against_fork;
	int size = 0;

	/* contents that read well through what only the fork maps are the strongest witness of all */
	if (r->geo.v5 && only_fork->n && name_inode(r, e, k, only_fork) && contents_fit(r, e, k))
		return false;
	if (lacks_attr_fork(r, e, k, only_rmap))
		return false;
	if (!only_fork->n && repair_fork_holds_uncounted(r, e->ino, &e->d, e->image, (enum xfs_fork)k, only_rmap))
		return true;
	for (unsigned i = 0; i < 2; i++)
		fork_blocks += e->side[i].f.blocks + e->side[i].f.nown;
	/*
	 * The inode's own counter first: a lying reverse mapping makes its false owner a rival of the true one, so
	 * "another owner holds it" may be the lie itself.
	 */
	if ((fork_blocks == e->d.core.nblocks) != (e->rmap_blocks == e->d.core.nblocks))
		return e->rmap_blocks == e->d.core.nblocks;
	/* before those who deny it: they may be of the time before, too */
	if (fork_newer)
		return false;
	if (is_about_flags(only_fork, only_rmap))
		return rmap_flags_win(&e->side[k], only_fork);
	against_fork = is_denied(r, e->ino, only_fork, k == XFS_FORK_ATTR);
	if (against_fork != is_free_in_part(r, only_rmap))
		return against_fork;
	/* reverse mappings that claim one place of the file twice lie, and those that leave blocks to nobody */
	if (e->side[k].rmap_cut || has_unowned(r, only_fork))
		return false;
	/* the end of the file is a weaker hint */
	if (k == XFS_FORK_DATA && (e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG)
		size = ask_size(r, e, only_fork, only_rmap);
	if (size)
		return size < 0;
	/* the fork only holds more, and nobody denies it */
	return only_rmap->n != 0;
}

/* ---- judgement ---- */

static void mark_ags(struct repair *r, const struct xfs_mapset *s, unsigned reason)
{
	for (size_t i = 0; i < s->n; i++)
		repair_ag_of(r, s->m[i].fsbno)->reasons |= reason;
}

/* The tree that lacks the one or has the other is made anew. */
static void note_side(struct repair *r, const struct evidence *e, enum xfs_finding_id id, const struct xfs_mapset *s)
{
	struct xfs_finding f = xfs_finding_of(id, "rmapbt");

	if (!s->n)
		return;
	f.agno = repair_ag_of(r, s->m[0].fsbno)->agno.v;
	f.agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(s->m[0].fsbno)).v;
	f.ino = e->ino;
	f.len = xfs_mapset_blocks(s);
	repair_note(r, &f, true);
	mark_ags(r, s, REPAIR_TREE);
}

void judge_note_surplus(struct repair *r, const struct evidence *e, const struct xfs_mapset *only_rmap)
{
	note_side(r, e, XFS_F_RMAP_SURPLUS, only_rmap);
}

static int by_block(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

void judge_own_blocks(struct repair *r, struct evidence *e, unsigned k)
{
	struct evidence_side *s = &e->side[k];
	size_t i = 0, j = 0;

	if (s->nbmbt)
		qsort(s->bmbt, s->nbmbt, sizeof(*s->bmbt), by_block);
	if (s->f.nown)
		qsort(s->f.own, s->f.nown, sizeof(*s->f.own), by_block);
	while (i < s->f.nown || j < s->nbmbt) {
		bool missing = j == s->nbmbt || (i < s->f.nown && s->f.own[i] < s->bmbt[j]);
		uint64_t fsbno = missing ? s->f.own[i] : s->bmbt[j];

		if (i < s->f.nown && j < s->nbmbt && s->f.own[i] == s->bmbt[j]) {
			i++;
			j++;
			continue;
		}
		if (judge_ag_sound(r, fsbno)) {
			struct xfs_finding f = xfs_finding_of(missing ? XFS_F_RMAP_MISSING : XFS_F_RMAP_SURPLUS,
							      "rmapbt");

			f.agno = repair_ag_of(r, fsbno)->agno.v;
			f.agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v;
			f.ino = e->ino;
			xfs_finding_detail(&f, "block of the %s fork's btree", k ? "attr" : "data");
			repair_note(r, &f, true);
			repair_ag_of(r, fsbno)->reasons |= REPAIR_TREE;
		}
		if (missing)
			i++;
		else
			j++;
	}
}

int judge_difference(struct repair *r, struct evidence *e, unsigned k)
{
	struct evidence_side *s = &e->side[k];
	struct xfs_mapset only_fork = { 0 }, only_rmap = { 0 }, final = { 0 };
	int error = differences(r, e, k, &only_fork, &only_rmap);
	bool fork_newer = false;

	if (!error && s->f.damaged) {
		error = judge_damaged(r, e, k);
		goto out;
	}
	if (error || (!only_fork.n && !only_rmap.n)) {
		if (!error)
			judge_own_blocks(r, e, k);
		goto out;
	}
	error = judge_fork_is_newer(r, e, k, &only_fork, &only_rmap, &fork_newer);
	if (error)
		goto out;
	if (rmap_wins(r, e, k, &only_fork, &only_rmap, fork_newer)) {
		char why[100];

		snprintf(why, sizeof(why),
			 "%" PRIu64 " blocks only in the fork, %" PRIu64 " only in the reverse mappings",
			 xfs_mapset_blocks(&only_fork), xfs_mapset_blocks(&only_rmap));
		judge_note_fork(r, e, k, XFS_F_FORK_DIFFERS, true, why);
		error = judge_make_final(r, e, k, false, &final);
		if (!error)
			error = judge_replace_fork(r, e, k, &final);
	} else {
		note_side(r, e, XFS_F_RMAP_MISSING, &only_fork);
		judge_note_surplus(r, e, &only_rmap);
	}
out:
	xfs_mapset_release(&only_fork);
	xfs_mapset_release(&only_rmap);
	xfs_mapset_release(&final);
	return error;
}
