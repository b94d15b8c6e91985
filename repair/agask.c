/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agask.c - what sound trees of an AG answer when somebody asks: free space, sharing, and where two trees differ.
 *
 * A clean check compares sums; only when these differ are the two sides read again, side by side, up to the place.
 */
#include "repair/space.h"

#include "libxfs/space/sweep.h"

#include <stdlib.h>
#include <string.h>

void repair_sum_add(const struct repair *r, struct repair_sum *s, uint32_t agbno, uint32_t len, uint32_t refs)
{
	s->sum += xfs_fingerprint_hash(&r->fork_sums, (uint64_t)agbno << 32 | len, refs, 0);
	s->n++;
}

bool repair_sums_equal(const struct repair_sum *a, const struct repair_sum *b)
{
	return a->n == b->n && a->sum == b->sum;
}

struct asking {
	uint32_t agbno, len;	/* a range, where one is asked for */
	uint64_t blocks;
	repair_run_fn run;
	void *payload;
};

/* Each record of this tree that has to do with the range of `q`. */
static int ask_range(const struct repair *r, struct repair_ag *ag, enum xfs_btree_id id, const struct asking *q,
		     xfs_btree_record_fn found, void *payload)
{
	struct xfs_btree_key lo = { { q->agbno, 0, 0 } },
			     hi = { { (uint64_t)q->agbno + q->len - 1, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree bt;
	int error = repair_ag_btree(r, ag, id, &bt);

	return error ? error : xfs_btree_query_range(&bt, &lo, &hi, found, payload, NULL, NULL, NULL);
}

/* How many of these blocks lie in the range. */
static void add_blocks(struct asking *q, uint32_t agbno, uint32_t len)
{
	uint64_t from = xfs_max(agbno, q->agbno), to = xfs_min((uint64_t)agbno + len, (uint64_t)q->agbno + q->len);

	q->blocks += from < to ? to - from : 0;
}

/* ---- free space ---- */

static int by_block(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

int repair_sorted_agfl(const struct repair_ag *ag, uint32_t **out)
{
	*out = malloc((ag->nagfl + 1) * sizeof(**out));
	if (!*out)
		return -XFS_E_NOMEM;
	if (ag->nagfl) {
		memcpy(*out, ag->agfl, ag->nagfl * sizeof(**out));
		qsort(*out, ag->nagfl, sizeof(**out), by_block);
	}
	return 0;
}

static int pass_free(void *payload, const void *disk)
{
	struct asking *q = payload;
	struct xfs_bnobt_rec rec;

	xfs_bnobt_rec_decode(&rec, disk);
	return q->run(q->payload, rec.startblock, rec.blockcount, 0);
}

int repair_each_free(const struct repair *r, struct repair_ag *ag, repair_run_fn run, void *payload)
{
	struct asking q = { .run = run, .payload = payload };
	struct xfs_btree bt;
	int error = ag->tree[XFS_TREE_BNO].sound ? repair_ag_btree(r, ag, XFS_BTREE_BNO, &bt) : -XFS_E_NOENT;

	return error == -XFS_E_NOENT ? 0 : error ? error : xfs_btree_query_all(&bt, pass_free, &q);
}

static int count_free(void *payload, const void *disk)
{
	struct asking *q = payload;
	struct xfs_bnobt_rec rec;

	xfs_bnobt_rec_decode(&rec, disk);
	add_blocks(q, rec.startblock, rec.blockcount);
	return 0;
}

uint64_t repair_free_blocks(const struct repair *r, uint64_t fsbno, uint32_t len)
{
	struct repair_ag *ag = repair_ag_of(r, fsbno);
	struct asking q = { .agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v, .len = len };

	if (!len || !ag->tree[XFS_TREE_BNO].sound || ask_range(r, ag, XFS_BTREE_BNO, &q, count_free, &q))
		return 0;
	return q.blocks;
}

/* What lies between free extents. */
static int pass_used(void *payload, const void *disk)
{
	struct asking *q = payload;
	uint32_t from = q->agbno, end = q->agbno + q->len;
	struct xfs_bnobt_rec rec;

	xfs_bnobt_rec_decode(&rec, disk);
	if (rec.startblock >= end)
		return 0;
	q->agbno = xfs_max(from, xfs_min(rec.startblock + rec.blockcount, end));
	q->len = end - q->agbno;
	return rec.startblock > from ? q->run(q->payload, from, rec.startblock - from, 0) : 0;
}

int repair_each_used(const struct repair *r, struct repair_ag *ag, uint32_t agbno, uint32_t len, repair_run_fn run,
		     void *payload)
{
	struct asking q = { .agbno = agbno, .len = len, .run = run, .payload = payload };
	int error = ask_range(r, ag, XFS_BTREE_BNO, &q, pass_used, &q);

	return error || !q.len ? error : run(payload, q.agbno, q.len, 0);
}

/* ---- sharing ---- */

static uint32_t sharer_bit(const struct repair *r, uint64_t ino)
{
	return (uint32_t)xfs_fingerprint_hash(&r->fork_sums, ino, 0, 0) % REPAIR_SHARER_BITS;
}

void repair_mark_sharer(struct repair *r, uint64_t ino)
{
	uint32_t bit = sharer_bit(r, ino);

	if (!repair_may_share(r, ino))
		__atomic_fetch_or(&r->sharers[bit / 8], (uint8_t)(1u << bit % 8), __ATOMIC_RELAXED);
}

bool repair_may_share(const struct repair *r, uint64_t ino)
{
	uint32_t bit = sharer_bit(r, ino);

	return __atomic_load_n(&r->sharers[bit / 8], __ATOMIC_RELAXED) >> bit % 8 & 1;
}

static int any_count(void *payload, const void *disk)
{
	struct asking *q = payload;
	struct xfs_refc_rec rec;

	xfs_refc_rec_decode(&rec, disk);
	q->blocks += !rec.cowflag;
	return rec.cowflag ? 0 : -XFS_E_STOP;
}

static int count_shared(void *payload, const void *disk)
{
	struct asking *q = payload;
	struct xfs_refc_rec rec;

	xfs_refc_rec_decode(&rec, disk);
	if (!rec.cowflag)
		add_blocks(q, rec.startblock, rec.blockcount);
	return 0;
}

bool repair_is_unshared(const struct repair *r, uint64_t fsbno, uint32_t len)
{
	struct repair_ag *ag = repair_ag_of(r, fsbno);
	struct asking q = { .agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v, .len = len };

	if (!r->geo.reflink)
		return true;
	return ag->tree[XFS_TREE_REFC].sound && !ask_range(r, ag, XFS_BTREE_REFC, &q, count_shared, &q) && !q.blocks;
}

static int run_in_range(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct asking *q = payload;

	(void)refs;
	q->blocks += agbno < q->agbno + q->len && q->agbno < agbno + len;
	return q->blocks ? -XFS_E_STOP : 0;
}

static int sweep_record(void *payload, const void *disk)
{
	struct xfs_claim c = xfs_claim_decode(disk);

	return xfs_sweep_claim(payload, &c);
}

bool repair_is_shared(const struct repair *r, uint64_t fsbno, uint64_t len)
{
	struct repair_ag *ag = repair_ag_of(r, fsbno);
	struct asking q = { .agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v, .len = (uint32_t)len };
	struct xfs_sweep sweep = { .found = run_in_range, .payload = &q };

	if (ag->counts_hold && ag->counts.n)
		ask_range(r, ag, XFS_BTREE_REFC, &q, any_count, &q);
	else if (!ag->counts_hold && ag->tree[XFS_TREE_RMAP].sound)
		xfs_sweep_finish(&sweep, ask_range(r, ag, XFS_BTREE_RMAP, &q, sweep_record, &sweep));
	return q.blocks != 0;
}

/* ---- what an rmapbt makes of free space and sharing ---- */

struct gaps {
	uint32_t reach;
	repair_run_fn run;
	void *payload;
};

static int gap_before(void *payload, const void *disk)
{
	struct gaps *g = payload;
	struct xfs_claim c = xfs_claim_decode(disk);
	int error = c.agbno > g->reach ? g->run(g->payload, g->reach, c.agbno - g->reach, 0) : 0;

	g->reach = xfs_max(g->reach, c.agbno + c.len);
	return error;
}

int repair_each_rmap_gap(struct repair *r, struct repair_ag *ag, repair_run_fn run, void *payload)
{
	struct gaps g = { .run = run, .payload = payload };
	struct xfs_btree bt;
	int error = repair_ag_btree(r, ag, XFS_BTREE_RMAP, &bt);

	if (!error)
		error = xfs_btree_query_all(&bt, gap_before, &g);
	return error || g.reach >= ag->length ? error : run(payload, g.reach, ag->length - g.reach, 0);
}

int repair_each_rmap_share(struct repair *r, struct repair_ag *ag, repair_run_fn run, void *payload)
{
	struct xfs_sweep sweep = { .found = run, .payload = payload };
	struct xfs_btree bt;
	int error = repair_ag_btree(r, ag, XFS_BTREE_RMAP, &bt);

	return error ? error : xfs_sweep_finish(&sweep, xfs_btree_query_all(&bt, sweep_record, &sweep));
}

/* ---- two sides ---- */

struct comparing {
	struct xfs_btree_cursor cursor;		/* of the tree, on the record that comes next */
	bool counts;				/* a refcountbt, else a bnobt */
	bool ended;
	struct repair_refs tree, run;		/* the first that differ; len 0: that side has ended */
};

static int next_of_tree(struct comparing *c, int step)
{
	c->tree = (struct repair_refs){ 0 };
	c->ended = step == -XFS_E_NOENT;
	if (step)
		return c->ended ? 0 : step;
	if (c->counts) {
		struct xfs_refc_rec rec;

		xfs_refc_rec_decode(&rec, xfs_btree_record(&c->cursor));
		if (rec.cowflag)	/* these come behind all others */
			c->ended = true;
		else
			c->tree = (struct repair_refs){ rec.startblock, rec.blockcount, rec.refcount };
	} else {
		struct xfs_bnobt_rec rec;

		xfs_bnobt_rec_decode(&rec, xfs_btree_record(&c->cursor));
		c->tree = (struct repair_refs){ rec.startblock, rec.blockcount, 0 };
	}
	return 0;
}

static int compare_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct comparing *c = payload;

	c->run = (struct repair_refs){ agbno, len, refs };
	if (c->ended || memcmp(&c->run, &c->tree, sizeof(c->run)))
		return -XFS_E_STOP;
	c->run = (struct repair_refs){ 0 };
	return next_of_tree(c, xfs_btree_next(&c->cursor));
}

/* *c holds the first difference; both sides 0: there is none. */
static int compare(struct repair *r, struct repair_ag *ag, struct comparing *c, repair_runs_source source)
{
	struct xfs_btree bt;
	int error = repair_ag_btree(r, ag, c->counts ? XFS_BTREE_REFC : XFS_BTREE_BNO, &bt);

	if (error)
		return error;
	xfs_btree_cursor_init(&c->cursor, &bt);
	error = next_of_tree(c, xfs_btree_first(&c->cursor));
	if (!error)
		error = source(r, ag, compare_run, c);
	xfs_btree_cursor_close(&c->cursor);
	return error == -XFS_E_STOP ? 0 : error;
}

static void note_at(struct repair *r, struct repair_ag *ag, enum xfs_finding_id id, const char *structure,
		    uint32_t agbno, uint32_t len)
{
	struct xfs_finding f = xfs_finding_of(id, structure);

	f.agno = ag->agno.v;
	f.agbno = agbno;
	f.len = len;
	ag->reasons |= REPAIR_TREE;
	repair_note(r, &f, true);
}

int repair_compare_free(struct repair *r, struct repair_ag *ag, repair_runs_source unowned)
{
	struct comparing c = { .counts = false };
	const struct repair_refs *gap = &c.run, *rec = &c.tree;
	int error = compare(r, ag, &c, unowned);

	if (error || (!gap->len && !rec->len))
		return error;
	/* the first difference says which way it goes; the rebuild looks at all of it */
	if (!rec->len || (gap->len && gap->agbno < rec->agbno))
		note_at(r, ag, XFS_F_SPACE_LEAK, "bnobt", gap->agbno, gap->len);
	else if (!gap->len || rec->agbno < gap->agbno || rec->len > gap->len)
		note_at(r, ag, XFS_F_SPACE_USED, "bnobt", rec->agbno, rec->len);
	else
		note_at(r, ag, XFS_F_SPACE_LEAK, "bnobt", gap->agbno + rec->len, gap->len - rec->len);
	return 0;
}

int repair_compare_counts(struct repair *r, struct repair_ag *ag, repair_runs_source shared)
{
	struct comparing c = { .counts = true };
	const struct repair_refs *first = &c.tree;
	int error = compare(r, ag, &c, shared);

	if (error || (!c.tree.len && !c.run.len))
		return error;
	if (!first->len)
		first = &c.run;
	note_at(r, ag, XFS_F_REFC_DIFFERS, "refcountbt", first->agbno, first->len);
	return 0;
}
