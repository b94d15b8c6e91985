/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge_records.c - a fork of which one record has one wrong number, without reverse mappings.
 *
 * The records beside it leave little room for the right number, and the block counter of the core tells lengths: all
 * of them add up to it.  Where its blocks are, blocks say that are in use and nobody's (leaks.c), when there are just
 * as many.  What several records or several numbers explain is left to others.
 */
#include "repair/judge.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/ondisk/btree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFF_BITS 54u	/* of an offset in a record */

/* How sure a number is: more than one that is equally sure tells nothing. */
enum sure { UNSURE, NEXT_TO, LIKELY, CERTAIN };

struct records {
	struct repair *r;
	struct evidence *e;
	unsigned fork;
	struct xfs_bmbt_rec *rec;
	size_t n, room;
	uint64_t sum, want;		/* blocks: by the records, by the core */
	struct repair_fork own;		/* its tree */
	enum sure sure;			/* of `found`, which record `at` should be */
	size_t at, answers;		/* and how many are as sure */
	struct xfs_bmbt_rec found;
	const char *field;
};

static int keep_record(void *payload, const void *disk)
{
	struct records *s = payload;

	if (xfs_grow(&s->rec, s->n, &s->room, 32))
		return -XFS_E_NOMEM;
	xfs_bmbt_rec_decode(&s->rec[s->n], disk);
	s->sum += s->rec[s->n++].blockcount;
	return 0;
}

static bool is_valid(const struct records *s, const struct xfs_bmbt_rec *rec)
{
	return xfs_fileoff_range_valid(&s->r->geo, rec->startoff, rec->blockcount) &&
	       rec->startoff + rec->blockcount <= repair_fork_ends(s->r, &s->e->d, (enum xfs_fork)s->fork) &&
	       xfs_fsbno_range_valid(&s->r->geo, rec->startblock, rec->blockcount);
}

static uint64_t end_of(const struct xfs_bmbt_rec *rec)
{
	return rec->startoff + rec->blockcount;
}

/* Where record i may begin and end. */
static uint64_t room_from(const struct records *s, size_t i)
{
	return i ? end_of(&s->rec[i - 1]) : 0;
}

static uint64_t room_to(const struct records *s, size_t i)
{
	return i + 1 < s->n ? s->rec[i + 1].startoff : UINT64_C(1) << OFF_BITS;
}

static void answer(struct records *s, enum sure sure, size_t at, const struct xfs_bmbt_rec *rec, const char *field)
{
	if (sure < s->sure || rec->startoff < room_from(s, at) || end_of(rec) > room_to(s, at) || !is_valid(s, rec))
		return;
	s->answers = sure == s->sure ? s->answers + 1 : 1;
	s->sure = sure;
	s->at = at;
	s->found = *rec;
	s->field = field;
}

/* All lengths add up to the counter but for this one. */
static void try_length(struct records *s, size_t i)
{
	struct xfs_bmbt_rec rec = s->rec[i];
	uint64_t others = s->sum - rec.blockcount;

	if (s->want <= others || s->want - others > XFS_BMBT_MAXLEN || s->want == s->sum)
		return;
	rec.blockcount = s->want - others;
	answer(s, CERTAIN, i, &rec, "length");
}

/* Files end with their data. */
static bool end_of_file(const struct records *s, uint64_t *end)
{
	const struct xfs_dinode_core *core = &s->e->d.core;

	*end = xfs_ceil_div((uint64_t)core->size, s->r->geo.blocksize);
	return s->fork == XFS_FORK_DATA && (core->mode & XFS_MODE_FMT) == XFS_MODE_REG && core->size <= INT64_MAX;
}

/*
 * Its neighbours leave just one place, or one flipped bit leads to the only one; at the end, the size tells.  Otherwise
 * it is where it continues the one before.
 */
static void try_offset(struct records *s, size_t i)
{
	struct xfs_bmbt_rec rec = s->rec[i];
	uint64_t from = room_from(s, i), to = room_to(s, i), end, flipped = 0;
	unsigned flips = 0;

	if (s->want != s->sum || to < rec.blockcount || to - rec.blockcount < from)
		return;
	for (unsigned bit = 0; bit < OFF_BITS; bit++) {
		uint64_t off = s->rec[i].startoff ^ UINT64_C(1) << bit;

		if (off < from || off + rec.blockcount > to || (i + 1 == s->n && end_of_file(s, &end) &&
								off + rec.blockcount > end))
			continue;
		flipped = off;
		flips++;
	}
	rec.startoff = from;
	answer(s, from + rec.blockcount == to ? CERTAIN : NEXT_TO, i, &rec, "offset");
	rec.startoff = flipped;
	if (flips == 1)
		answer(s, LIKELY, i, &rec, "offset");
	if (i + 1 < s->n || flips == 1 || !end_of_file(s, &end) || end < from + rec.blockcount)
		return;
	rec.startoff = end - rec.blockcount;
	answer(s, LIKELY, i, &rec, "offset");
}

/* It leads nowhere, and as many blocks are missing elsewhere. */
static void try_place(struct records *s, size_t i)
{
	struct xfs_bmbt_rec rec = s->rec[i];
	uint64_t fsbno;

	if (s->want != s->sum || xfs_fsbno_range_valid(&s->r->geo, rec.startblock, rec.blockcount) ||
	    !repair_leak_of_length(s->r, rec.blockcount, &fsbno))
		return;
	rec.startblock = fsbno;
	answer(s, CERTAIN, i, &rec, "block");
}

static void try_all(struct records *s, size_t i)
{
	try_length(s, i);
	try_offset(s, i);
	try_place(s, i);
}

/* Which records may be the wrong one: all that is wrong is wrong with it.  *last < *first: none; *any: something is. */
static void find_wrong(const struct records *s, size_t *first, size_t *last, bool *wrong)
{
	size_t from = 0, to = s->n;
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		if (is_valid(s, &s->rec[i]))
			continue;
		any = true;
		from = xfs_max(from, i);
		to = xfs_min(to, i + 1);
	}
	for (size_t i = 0; i + 1 < s->n; i++) {
		if (end_of(&s->rec[i]) <= s->rec[i + 1].startoff)
			continue;
		any = true;
		from = xfs_max(from, i);
		to = xfs_min(to, i + 2);
	}
	*first = from;
	*last = to ? to - 1 : 0;
	*wrong = any;
}

/* Blocks that the core counts, but for those of the trees and of the other fork: false when these are not known. */
static bool count_blocks(struct records *s)
{
	const struct repair_fork *other = &s->e->side[!s->fork].f;
	uint64_t others = other->blocks + other->nown + s->own.nown;

	s->want = s->e->d.core.nblocks - others;
	return !other->damaged && !s->own.nlost && s->e->d.core.nblocks > others;
}

static int replace(struct records *s)
{
	bool data = s->fork == XFS_FORK_DATA && (s->e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG;
	struct xfs_mapset final = { 0 };
	int64_t cut;
	int error = 0;
	char why[80];

	if (s->field) {
		snprintf(why, sizeof(why), "extent %zu has a wrong %s", s->at, s->field);
		s->rec[s->at] = s->found;
	}
	for (size_t i = 0; i < s->n && !error; i++) {
		const struct xfs_bmbt_rec *rec = &s->rec[i];

		error = xfs_mapset_add(&final, &(struct xfs_mapping){ rec->startoff, rec->startblock,
								      (uint32_t)rec->blockcount,
								      rec->extentflag && data, EVIDENCE_FORK });
	}
	cut = error ? error : xfs_mapset_normalise(&final);
	error = cut < 0 ? (int)cut : 0;
	if (!error)
		error = repair_reclaim(s->r, s->e->ino, s->fork, &s->e->side[s->fork].fork, &final);
	judge_note_fork(s->r, s->e, s->fork, XFS_F_FORK_DAMAGED, true, s->field ? why : s->e->side[s->fork].f.why);
	if (!error)
		error = judge_replace_fork(s->r, s->e, s->fork, &final);
	xfs_mapset_release(&final);
	return error;
}

static bool is_tree(const struct records *s)
{
	unsigned type = s->e->d.core.mode & XFS_MODE_FMT;

	return s->fork == XFS_FORK_ATTR ? s->e->d.core.aformat == XFS_DINODE_FMT_BTREE
					: s->e->d.core.format == XFS_DINODE_FMT_BTREE &&
					  (type == XFS_MODE_REG || type == XFS_MODE_DIR);
}

/* By the leaves alone: how many nodes there are above them is not known, but about how many. */
static int read_leaves(struct records *s, bool *known)
{
	int error;

	repair_fork_release(&s->own);
	s->n = 0;
	s->sum = 0;
	error = repair_leaf_chain(s->r, &s->e->d, s->e->image, (enum xfs_fork)s->fork, &s->own, keep_record, s, known);
	*known = !error && *known && count_blocks(s) && s->want >= s->sum && s->want - s->sum <= s->own.nown;
	s->want = s->sum;
	return error;
}

/* The records as they stand; *known: none is missing, and what they have to add up to. */
static int read_records(struct records *s, bool *known)
{
	struct evidence *e = s->e;
	unsigned format = s->fork ? e->d.core.aformat : e->d.core.format;
	int error;

	*known = false;
	if (s->r->geo.rmapbt || (format != XFS_DINODE_FMT_EXTENTS && format != XFS_DINODE_FMT_BTREE))
		return 0;
	error = repair_fork_scan_records(s->r, e->ino, &e->d, e->image, (enum xfs_fork)s->fork, &s->own,
					 keep_record, s);
	*known = !error && s->n && s->n == xfs_dinode_nextents(&e->d, (enum xfs_fork)s->fork) && count_blocks(s);
	return error || *known || !is_tree(s) ? error : read_leaves(s, known);
}

/* The blocks of a tree with a damaged record are not claimed yet, and none that are missing. */
static int find_leaks(struct records *s)
{
	int error = repair_find_leaks(s->r);

	for (size_t i = 0; i < s->own.nown && !error; i++)
		error = repair_is_no_leak(s->r, s->own.own[i]);
	return error;
}

static void release_records(struct records *s)
{
	repair_fork_release(&s->own);
	free(s->rec);
}

int judge_try_records(struct repair *r, struct evidence *e, unsigned k, bool *done)
{
	struct records s = { .r = r, .e = e, .fork = k };
	size_t first, last;
	bool known, wrong = false;
	int error = read_records(&s, &known);

	*done = false;
	if (!error && known)
		find_wrong(&s, &first, &last, &wrong);
	if (!error && known && wrong) {
		error = find_leaks(&s);
		for (size_t i = first; i <= last && !error; i++)
			try_all(&s, i);
		*done = !error && s.answers == 1;
	} else if (!error && known) {
		/* of all records none is wrong: something else about their tree is */
		*done = s.want == s.sum && is_tree(&s);
	}
	if (*done && s.field && !strcmp(s.field, "block"))
		repair_take_leak(r, s.found.startblock);
	if (*done)
		error = replace(&s);
	release_records(&s);
	return error;
}

/* ---- a fork that reads well ---- */

/*
 * What is written lies behind the end of the file, and would fill the hole before it to the last block.  (A kernel that
 * stopped before it wrote the new size may leave data there, too, but not by chance a hole of that length.)
 */
static void try_end(struct records *s)
{
	size_t i = s->n - 1;
	struct xfs_bmbt_rec rec = s->rec[i];
	uint64_t end;

	if (!end_of_file(s, &end) || rec.extentflag || rec.startoff < end)
		return;
	rec.startoff = room_from(s, i);
	if (end_of(&rec) == end)
		answer(s, CERTAIN, i, &rec, "offset");
}

/* Blocks that are missing are in use behind one extent, and nobody's. */
static void try_longer(struct records *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct xfs_bmbt_rec rec = s->rec[i];

		if (!repair_is_leak(s->r, rec.startblock + rec.blockcount, s->want - s->sum))
			continue;
		rec.blockcount += s->want - s->sum;
		answer(s, CERTAIN, i, &rec, "length");
	}
}

/* The end of an extent, by as many blocks as are too many. */
struct tail {
	uint64_t fsbno, off;
	size_t record;
	bool taken;		/* the blocks are free, or others claim them and share them with nobody */
};

struct tails {
	struct records *s;
	struct tail *t;		/* ascending */
	size_t n;
	uint32_t len, agno;
};

static int by_tail(const void *pa, const void *pb)
{
	const struct tail *a = pa, *b = pb;

	return a->fsbno < b->fsbno ? -1 : a->fsbno > b->fsbno;
}

/* The claim is that of the extent itself. */
static bool is_same(const struct tails *t, const struct tail *tail, const struct xfs_claim *c, uint64_t from)
{
	return c->owner == t->s->e->ino && !(c->offset & XFS_RMAP_BMBT) &&
	       !(c->offset & XFS_RMAP_ATTR) == (t->s->fork == XFS_FORK_DATA) &&
	       (c->offset & XFS_RMAP_OFFMASK) - from == tail->off - tail->fsbno;
}

static int mark_claimed(void *payload, const struct xfs_claim *c)
{
	struct tails *t = payload;
	const struct xfs_geometry *geo = &t->s->r->geo;
	uint64_t from = xfs_fsbno_of(geo, XFS_AGNO(t->agno), XFS_AGBNO(c->agbno)).v;
	size_t at = xfs_search(t->n, i, t->t[i].fsbno + t->len <= from);

	for (; at < t->n && t->t[at].fsbno < from + c->len; at++)
		if (!is_same(t, &t->t[at], c, from))
			t->t[at].taken |= repair_is_unshared(t->s->r, t->t[at].fsbno, t->len);
	return 0;
}

static int mark_taken(struct tails *t)
{
	struct repair *r = t->s->r;
	int error = repair_claim_space(r);

	for (size_t i = 0; i < t->n; i++)
		t->t[i].taken = repair_free_blocks(r, t->t[i].fsbno, t->len) != 0;
	for (t->agno = 0; t->agno < r->geo.agcount && !error; t->agno++)
		error = xfs_claims_each(r->claims, XFS_AGNO(t->agno), mark_claimed, t);
	return error;
}

static int try_shorter(struct records *s)
{
	struct tails t = { .s = s, .len = (uint32_t)(s->sum - s->want) };
	int error;

	if (s->sum - s->want > XFS_BMBT_MAXLEN)
		return 0;
	t.t = calloc(s->n, sizeof(*t.t));
	if (!t.t)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (s->rec[i].blockcount > t.len)
			t.t[t.n++] = (struct tail){ s->rec[i].startblock + s->rec[i].blockcount - t.len,
						    end_of(&s->rec[i]) - t.len, i, false };
	qsort(t.t, t.n, sizeof(*t.t), by_tail);
	error = t.n ? mark_taken(&t) : 0;
	for (size_t i = 0; i < t.n && !error; i++) {
		struct xfs_bmbt_rec rec = s->rec[t.t[i].record];

		rec.blockcount -= t.len;
		if (t.t[i].taken)
			answer(s, CERTAIN, t.t[i].record, &rec, "length");
	}
	free(t.t);
	return error;
}

void judge_pull_back(struct repair *r, const struct evidence *e, struct xfs_mapset *map)
{
	struct xfs_mapping *m = map->n ? &map->m[map->n - 1] : NULL;
	uint64_t from = map->n > 1 ? m[-1].off + m[-1].len : 0,
		 end = xfs_ceil_div((uint64_t)e->d.core.size, r->geo.blocksize);

	if (m && !r->geo.rmapbt && (e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG && e->d.core.size > 0 &&
	    !m->unwritten && m->off >= end && from + m->len == end)
		m->off = from;
}

int judge_try_numbers(struct repair *r, struct evidence *e, unsigned k, bool *done)
{
	struct records s = { .r = r, .e = e, .fork = k };
	bool known;
	int error = read_records(&s, &known);

	*done = false;
	if (!error && known)
		error = find_leaks(&s);
	if (!error && known) {
		if (s.want > s.sum)
			try_longer(&s);
		else if (s.want < s.sum)
			error = try_shorter(&s);
	}
	/* whatever the counter says */
	if (!error && !s.answers && s.n && s.n == xfs_dinode_nextents(&e->d, (enum xfs_fork)k))
		try_end(&s);
	*done = !error && s.answers == 1;
	if (*done && s.found.blockcount > s.rec[s.at].blockcount)
		repair_take_leak(r, s.rec[s.at].startblock + s.rec[s.at].blockcount);
	if (*done)
		error = replace(&s);
	release_records(&s);
	return error;
}
