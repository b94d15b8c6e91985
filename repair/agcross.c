/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agcross.c - do the trees of an AG agree with each other and with the headers (format sheet 02, section 8)?
 *
 * Only trees that verified take part: the silence of a damaged tree says nothing.
 */
#include "repair/agtrees.h"
#include "repair/scan.h"
#include "repair/space.h"
#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

static void note(struct repair_walk *w, enum xfs_finding_id id, const char *structure, uint32_t agbno, uint64_t len,
		 unsigned reason)
{
	struct xfs_finding f = xfs_finding_of(id, structure);

	f.agno = w->ag->agno.v;
	f.agbno = agbno;
	f.len = len;
	w->ag->reasons |= reason;
	repair_note(w->r, &f, true);
}

static void count_as(struct repair_walk *w, enum xfs_finding_id id, const char *structure, const char *field,
		     uint32_t found, uint32_t expected)
{
	struct xfs_finding f = xfs_finding_of(id, structure);

	if (found == expected)
		return;
	f.agno = w->ag->agno.v;
	f.field = field;
	f.found = found;
	f.expected = expected;
	w->ag->reasons |= REPAIR_COUNTERS;
	repair_note(w->r, &f, true);
}

static void counter(struct repair_walk *w, const char *structure, const char *field, uint32_t found, uint32_t expected)
{
	count_as(w, XFS_F_AG_COUNTER, structure, field, found, expected);
}

/* The same of the blocks of a tree. */
static void block_counter(struct repair_walk *w, const char *structure, const char *field, uint32_t found,
			  uint32_t expected)
{
	count_as(w, XFS_F_BTREE_BLOCKS, structure, field, found, expected);
}

static bool sound(const struct repair_walk *w, enum xfs_build_tree t)
{
	return w->ag->tree[t].present && w->ag->tree[t].sound;
}

static void check_counters(struct repair_walk *w)
{
	struct repair_ag *ag = w->ag;
	const struct repair_tree *t = ag->tree;
	uint64_t inodes = 0, nfree = 0;

	ag->freeblks = sound(w, XFS_TREE_BNO) ? w->free_blocks : ag->agf.freeblks;
	ag->longest = sound(w, XFS_TREE_BNO) ? w->longest : ag->agf.longest;
	ag->btreeblks = t[XFS_TREE_BNO].blocks + t[XFS_TREE_CNT].blocks - 2 +
			(t[XFS_TREE_RMAP].present ? t[XFS_TREE_RMAP].blocks - 1 : 0);
	ag->flcount = ag->nagfl;
	ag->icount = ag->agi.count;
	ag->ifree = ag->agi.freecount;
	if (sound(w, XFS_TREE_BNO)) {
		counter(w, "agf", "freeblks", ag->agf.freeblks, (uint32_t)w->free_blocks);
		counter(w, "agf", "longest", ag->agf.longest, w->longest);
	}
	if (sound(w, XFS_TREE_RMAP))
		block_counter(w, "agf", "rmapblocks", ag->agf.rmapblocks, (uint32_t)t[XFS_TREE_RMAP].blocks);
	if (sound(w, XFS_TREE_REFC))
		block_counter(w, "agf", "refcntblocks", ag->agf.refcntblocks, (uint32_t)t[XFS_TREE_REFC].blocks);
	if (w->r->geo.lazycount && sound(w, XFS_TREE_BNO) && sound(w, XFS_TREE_CNT) &&
	    (!t[XFS_TREE_RMAP].present || t[XFS_TREE_RMAP].sound))
		block_counter(w, "agf", "btreeblks", ag->agf.btreeblks, (uint32_t)ag->btreeblks);
	if (sound(w, XFS_TREE_INO)) {
		for (size_t i = 0; i < ag->nchunks; i++) {
			inodes += ag->chunks[i].count;
			nfree += ag->chunks[i].freecount;
		}
		ag->icount = inodes;
		ag->ifree = nfree;
		if (ag->agi.count != inodes && !sound(w, XFS_TREE_RMAP))
			ag->chunks_doubted = true;
		counter(w, "agi", "count", ag->agi.count, (uint32_t)inodes);
		counter(w, "agi", "freecount", ag->agi.freecount, (uint32_t)nfree);
		if (w->r->geo.inobtcnt)
			block_counter(w, "agi", "ino_blocks", ag->agi.ino_blocks, (uint32_t)t[XFS_TREE_INO].blocks);
	}
	if (sound(w, XFS_TREE_FINO) && w->r->geo.inobtcnt)
		block_counter(w, "agi", "fino_blocks", ag->agi.fino_blocks, (uint32_t)t[XFS_TREE_FINO].blocks);
}

static void check_finobt(struct repair_walk *w)
{
	struct repair_ag *ag = w->ag;
	size_t k = 0;

	if (!sound(w, XFS_TREE_INO) || !sound(w, XFS_TREE_FINO))
		return;
	for (size_t i = 0; i < ag->nchunks; i++) {
		const struct xfs_inode_chunk *c = &ag->chunks[i], *f = k < ag->nfinobt ? &ag->finobt[k] : NULL;
		bool same = f && f->startino == c->startino && f->free == c->free && f->holemask == c->holemask &&
			    f->count == c->count && f->freecount == c->freecount;

		if (!c->freecount)
			continue;
		if (!same) {
			note(w, XFS_F_FINOBT_DIFFERS, "finobt", c->startino >> w->r->geo.inopblog, XFS_NULL64,
			     REPAIR_TREE);
			ag->chunks_doubted |= f && f->startino < c->startino;
			return;
		}
		k++;
	}
	if (k == ag->nfinobt)
		return;
	ag->chunks_doubted = true;
	note(w, XFS_F_FINOBT_DIFFERS, "finobt", ag->finobt[k].startino >> w->r->geo.inopblog, XFS_NULL64, REPAIR_TREE);
}

/* ---- blocks of special owners ---- */

struct blocks {
	uint32_t *b;
	size_t n, room;
};

static int blocks_add(struct blocks *l, uint32_t agbno, uint32_t len)
{
	if (xfs_grow_to(&l->b, &l->room, l->n + len, sizeof(*l->b)))
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < len; i++)
		l->b[l->n++] = agbno + i;
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

/* The runs of `owner` in the rmapbt against the blocks that it should own; true when they are the same. */
static bool compare_owner(struct repair_walk *w, uint64_t owner, const char *structure, struct blocks *want)
{
	const struct repair_runs *s = &w->ag->special;
	size_t k = 0, keep = 0;

	if (want->n)	/* one block may hold several inode records: once is enough */
		qsort(want->b, want->n, sizeof(*want->b), by_number);
	for (size_t i = 0; i < want->n; i++)
		if (!keep || want->b[i] != want->b[keep - 1])
			want->b[keep++] = want->b[i];
	want->n = keep;
	for (size_t i = 0; i < s->n; i++) {
		if (s->r[i].owner != owner)
			continue;
		for (uint32_t b = s->r[i].agbno; b < s->r[i].agbno + s->r[i].len; b++) {
			if (k < want->n && want->b[k] == b) {
				k++;
				continue;
			}
			if (k < want->n && want->b[k] < b)
				note(w, XFS_F_RMAP_MISSING, structure, want->b[k], 1, REPAIR_TREE);
			else
				note(w, XFS_F_RMAP_SURPLUS, structure, b, 1, REPAIR_TREE);
			return false;
		}
	}
	if (k < want->n)
		note(w, XFS_F_RMAP_MISSING, structure, want->b[k], 1, REPAIR_TREE);
	return k == want->n;
}

static int add_tree(struct repair_walk *w, struct blocks *l, enum xfs_build_tree t)
{
	const struct repair_tree *tree = &w->ag->tree[t];
	int error = 0;

	for (size_t i = 0; i < tree->nown && !error; i++)
		error = blocks_add(l, tree->own[i], 1);
	return error;
}

static int add_chunks(struct repair_walk *w, struct blocks *l)
{
	unsigned inopblog = w->r->geo.inopblog;
	int error = 0;

	for (size_t i = 0; i < w->ag->nchunks && !error; i++) {
		const struct xfs_inode_chunk *c = &w->ag->chunks[i];

		for (unsigned k = 0; k < XFS_INODES_PER_CHUNK && !error; k += 4)
			if (!(c->holemask >> (k / 4) & 1))
				error = blocks_add(l, (c->startino + k) >> inopblog,
						   inopblog < 2 ? 4u >> inopblog : 1);
	}
	return error;
}

static int check_owners(struct repair_walk *w)
{
	const struct xfs_geometry *geo = &w->r->geo;
	const struct xfs_sb *sb = &geo->sb;
	struct blocks l = { 0 };
	bool log_here = sb->logstart && xfs_fsbno_agno(geo, XFS_FSBNO(sb->logstart)).v == w->ag->agno.v;
	int error = 0;

	if (!sound(w, XFS_TREE_RMAP))
		return 0;
	if (sound(w, XFS_TREE_BNO) && sound(w, XFS_TREE_CNT) && w->ag->agfl_ok) {
		error = add_tree(w, &l, XFS_TREE_BNO);
		error = error ? error : add_tree(w, &l, XFS_TREE_CNT);
		error = error ? error : add_tree(w, &l, XFS_TREE_RMAP);
		for (size_t i = 0; i < w->ag->nagfl && !error; i++)
			error = blocks_add(&l, w->ag->agfl[i], 1);
		if (!error)
			compare_owner(w, XFS_OWN_AG, "free space trees", &l);
	}
	l.n = 0;
	if (!error && sound(w, XFS_TREE_INO) && (!geo->finobt || sound(w, XFS_TREE_FINO))) {
		error = add_tree(w, &l, XFS_TREE_INO);
		error = error ? error : add_tree(w, &l, XFS_TREE_FINO);
		if (!error)
			compare_owner(w, XFS_OWN_INOBT, "inode btrees", &l);
	}
	l.n = 0;
	if (!error && sound(w, XFS_TREE_INO)) {
		error = add_chunks(w, &l);
		if (!error)
			w->ag->chunks_doubted |= !compare_owner(w, XFS_OWN_INODES, "inode chunks", &l);
	}
	l.n = 0;
	if (!error && sound(w, XFS_TREE_REFC)) {
		error = add_tree(w, &l, XFS_TREE_REFC);
		if (!error)
			compare_owner(w, XFS_OWN_REFC, "refcountbt", &l);
	}
	l.n = 0;
	error = error ? error : blocks_add(&l, 0, geo->agfl_block + 1);
	if (!error)
		compare_owner(w, XFS_OWN_FS, "AG headers", &l);
	l.n = 0;
	if (!error && log_here)
		error = blocks_add(&l, xfs_fsbno_agbno(geo, XFS_FSBNO(sb->logstart)).v, sb->logblocks);
	if (!error)
		compare_owner(w, XFS_OWN_LOG, "log", &l);
	free(l.b);
	return error;
}

/* Blocks without a reverse mapping must be exactly the free ones. */
static int check_space(struct repair_walk *w)
{
	if (!sound(w, XFS_TREE_RMAP) || !sound(w, XFS_TREE_BNO) || repair_sums_equal(&w->gaps, &w->ag->free))
		return 0;
	return repair_compare_free(w->r, w->ag, repair_each_rmap_gap);
}

static int check_refcounts(struct repair_walk *w)
{
	uint64_t cow = 0;
	int error = 0;

	if (!sound(w, XFS_TREE_REFC))
		return 0;
	w->ag->counts_hold = !sound(w, XFS_TREE_RMAP) || repair_sums_equal(&w->shared, &w->ag->counts);
	if (w->cow_blocks)
		note(w, XFS_F_REFC_COW, "refcountbt", XFS_NULL32, w->cow_blocks, REPAIR_TREE);
	if (!sound(w, XFS_TREE_RMAP))
		return 0;
	if (!w->ag->counts_hold)
		error = repair_compare_counts(w->r, w->ag, repair_each_rmap_share);
	for (size_t i = 0; i < w->ag->special.n; i++)
		if (w->ag->special.r[i].owner == XFS_OWN_COW)
			cow += w->ag->special.r[i].len;
	if (cow != w->cow_blocks)
		note(w, XFS_F_REFC_DIFFERS, "copy-on-write extents", XFS_NULL32, XFS_NULL64, REPAIR_TREE);
	return error;
}

static bool holds_root(const struct repair_walk *w)
{
	uint64_t root = w->r->primary.rootino;

	if (!xfs_ino_valid(&w->r->geo, XFS_INO(root)) || xfs_ino_agno(&w->r->geo, XFS_INO(root)).v != w->ag->agno.v)
		return true;
	return repair_chunk_of(w->ag, xfs_ino_agino(&w->r->geo, XFS_INO(root)).v, NULL) != NULL;
}

int repair_cross_check(struct repair_walk *w)
{
	int error;

	if (sound(w, XFS_TREE_BNO) && sound(w, XFS_TREE_CNT) &&
	    (!repair_sums_equal(&w->ag->free, &w->cnt) || w->free_blocks != w->cnt_blocks)) {
		note(w, XFS_F_SPACE_DIFFER, "cntbt", XFS_NULL32, XFS_NULL64, REPAIR_TREE);
		/* nobody knows which one is right */
		w->ag->tree[XFS_TREE_BNO].sound = w->ag->tree[XFS_TREE_CNT].sound = false;
	}
	/* a filesystem whose root has no chunk has lost chunks */
	if (!holds_root(w))
		w->ag->chunks_doubted = true;
	check_counters(w);
	check_finobt(w);
	error = check_space(w);
	if (!error)
		error = check_refcounts(w);
	return error ? error : check_owners(w);
}
