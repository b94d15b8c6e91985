/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_btree_change.c - random inserts, deletes and updates in trees of every kind, against a sorted array.
 */
#include "libxfs/btree/priv.h"
#include "tests/unit/memtree.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define MOST_RECORDS 12000u

struct model {
	struct memtree t;
	struct xfs_btree bt;
	const struct xfs_btree_kind *kind;
	size_t len;
	uint8_t *recs;		/* sorted */
	uint64_t n;
	uint64_t random, span;
	unsigned wrong;		/* findings that a change may not cause */
};

static uint8_t *at(struct model *m, uint64_t i)
{
	return m->recs + i * m->len;
}

static uint64_t below(struct model *m, uint64_t n)
{
	return test_random_below(&m->random, n);
}

/* Any valid record; whether it lies on others is not the engine's business. */
static void random_record(struct model *m, uint8_t *rec)
{
	uint32_t start = (uint32_t)below(m, m->span), count = 1 + (uint32_t)below(m, below(m, 20) ? 30 : m->span);

	memset(rec, 0, m->len);
	if (m->kind->overlapping) {
		static const uint64_t flags[] = { 0, 0, XFS_RMAP_ATTR, XFS_RMAP_UNWRITTEN };
		bool special = below(m, 4) == 0, bmbt = below(m, 8) == 0;

		xfs_put_be32(rec, start);
		xfs_put_be32(rec + 4, count);
		xfs_put_be64(rec + 8, special ? XFS_OWN(3 + below(m, 7)) : 64 + below(m, 9));
		if (!special)
			xfs_put_be64(rec + 16, bmbt ? XFS_RMAP_BMBT : flags[below(m, 4)] | below(m, 1000));
		return;
	}
	switch (m->kind->id) {
	case XFS_BTREE_BNO:
	case XFS_BTREE_CNT:
		xfs_bnobt_rec_set_startblock((void *)rec, start);
		xfs_bnobt_rec_set_blockcount((void *)rec, count);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		xfs_inobt_rec_set_startino((void *)rec, start * 64);
		xfs_inobt_rec_set_free((void *)rec, below(m, UINT64_MAX));
		break;
	case XFS_BTREE_BMAP:
		xfs_bmbt_rec_set_startoff((void *)rec, start);
		xfs_bmbt_rec_set_startblock((void *)rec, below(m, UINT64_C(1) << 50));
		xfs_bmbt_rec_set_blockcount((void *)rec, count % XFS_BMBT_MAXLEN + 1);
		break;
	default:
		xfs_refc_rec_set_startblock((void *)rec, start);
		xfs_refc_rec_set_cowflag((void *)rec, below(m, 6) == 0);
		xfs_refc_rec_set_blockcount((void *)rec, count);
		xfs_refc_rec_set_refcount((void *)rec, 2);
	}
}

static int order(const struct model *m, const void *a, const void *b)
{
	struct xfs_btree_key x, y;

	m->kind->low(&x, a);
	m->kind->low(&y, b);
	return xfs_btree_kind_cmp(m->kind, &x, &y);
}

/* Place of the first record that is not before rec. */
static uint64_t place(struct model *m, const void *rec)
{
	uint64_t from = 0, to = m->n;

	while (from < to) {
		uint64_t mid = (from + to) / 2;

		if (order(m, at(m, mid), rec) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void insert_one(struct model *m)
{
	uint8_t rec[32];
	uint64_t i;

	random_record(m, rec);
	i = place(m, rec);
	if (i < m->n && order(m, at(m, i), rec) == 0) {
		must(xfs_btree_insert(&m->bt, rec) == -XFS_E_EXISTS);
		return;
	}
	must(xfs_btree_insert(&m->bt, rec) == 0);
	memmove(at(m, i + 1), at(m, i), (m->n - i) * m->len);
	memcpy(at(m, i), rec, m->len);
	m->n++;
}

static void find(struct model *m, uint64_t i, struct xfs_btree_cursor *cur)
{
	struct xfs_btree_key key;

	xfs_btree_cursor_init(cur, &m->bt);
	m->kind->low(&key, at(m, i));
	must(xfs_btree_lookup(cur, XFS_LOOKUP_EQ, &key) == 0);
	must(memcmp(xfs_btree_record(cur), at(m, i), m->len) == 0);
}

static void delete_one(struct model *m, uint64_t i)
{
	struct xfs_btree_cursor cur;

	find(m, i, &cur);
	if (m->n == 1 && m->kind->inode_root && !m->kind->root_leaf) {
		must(xfs_btree_delete(&cur) == -XFS_E_INVALID);
		xfs_btree_cursor_close(&cur);
		return;
	}
	must(xfs_btree_delete(&cur) == 0);
	must(xfs_btree_record(&cur) == NULL);
	memmove(at(m, i), at(m, i + 1), (m->n - i - 1) * m->len);
	m->n--;
}

/* Mostly a new length in place, as rmap and refcount code does; sometimes any other record. */
static void update_one(struct model *m)
{
	uint64_t i = below(m, m->n);
	struct xfs_btree_cursor cur;
	uint8_t rec[32];
	bool fits;

	random_record(m, rec);
	if (below(m, 3)) {
		uint8_t other[32];

		memcpy(other, rec, m->len);
		memcpy(rec, at(m, i), m->len);
		if (m->kind->id == XFS_BTREE_BMAP)
			xfs_bmbt_rec_set_blockcount((void *)rec, xfs_bmbt_rec_get_blockcount((const void *)other));
		else
			memcpy(rec + 4, other + 4, 4);
	}
	fits = (i == 0 || order(m, at(m, i - 1), rec) < 0) && (i + 1 == m->n || order(m, rec, at(m, i + 1)) < 0);
	find(m, i, &cur);
	must(xfs_btree_update(&cur, rec) == (fits ? 0 : -XFS_E_INVALID));
	if (fits) {
		must(memcmp(xfs_btree_record(&cur), rec, m->len) == 0);
		memcpy(at(m, i), rec, m->len);
	}
	xfs_btree_cursor_close(&cur);
}

static void note(void *payload, const struct xfs_finding *f)
{
	struct model *m = payload;
	char text[400];

	if (f->id == XFS_F_BTREE_OVERLAP || f->id == XFS_F_BTREE_MERGE)
		return;
	xfs_finding_format(f, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	m->wrong++;
}

struct compare {
	struct model *m;
	uint64_t i;
};

static int same_record(void *payload, const void *rec)
{
	struct compare *c = payload;

	return c->i < c->m->n && memcmp(at(c->m, c->i++), rec, c->m->len) == 0 ? 0 : -XFS_E_INTERNAL;
}

/* The tree is well formed to the last key, holds the model's records, and owns exactly the blocks that it allocated. */
static void check(struct model *m)
{
	struct xfs_sink sink = { note, m };
	struct xfs_btree_verify v = { .sink = &sink };
	struct compare c = { m, 0 };

	memtree_settle(&m->t, &m->bt);
	must(xfs_btree_verify(&m->bt, &v) == 0);
	must(m->wrong == 0);
	must(v.records == m->n);
	must(v.blocks == m->t.nused);
	must(xfs_btree_query_all(&m->bt, same_record, &c) == 0);
	must(c.i == m->n);
}

static void start_filled(struct model *m, unsigned id, bool v5, uint32_t blocksize, size_t fork_len, uint64_t n,
			 int slack)
{
	uint64_t room = n ? 400 : 1200;

	memset(m, 0, sizeof(*m));
	m->kind = &xfs_btree_kinds[id];
	m->len = m->kind->shape->reclen;
	m->random = id * 100 + v5;
	m->span = MOST_RECORDS * 3;
	m->recs = calloc(MOST_RECORDS + 1, m->len);
	must(m->recs != NULL);
	if (n) {
		uint8_t *recs = test_records(m->kind, n, &m->random, 10);

		memcpy(m->recs, recs, n * m->len);
		free(recs);
	} else if (m->kind->inode_root && !m->kind->root_leaf) {
		n = 1;
		random_record(m, m->recs);
	}
	m->n = n;
	memtree_load(&m->t, m->kind, v5, blocksize, m->recs, n, slack, slack, fork_len);
	memtree_open(&m->t, room);
	m->bt = memtree_instance(&m->t);
}

static void start(struct model *m, unsigned id, bool v5, uint32_t blocksize, size_t fork_len, uint64_t n)
{
	start_filled(m, id, v5, blocksize, fork_len, n, -1);
}

static void stop(struct model *m)
{
	memtree_release(&m->t);
	free(m->recs);
}

/* `times` operations of which `inserts` percent are inserts, `deletes` percent deletes. */
static void churn(struct model *m, unsigned times, unsigned inserts, unsigned deletes, unsigned every)
{
	for (unsigned i = 0; i < times; i++) {
		unsigned what = (unsigned)below(m, 100);

		if (m->n == 0 || (what < inserts && m->n < MOST_RECORDS))
			insert_one(m);
		else if (what < inserts + deletes)
			delete_one(m, below(m, m->n));
		else
			update_one(m);
		if (i % every == every - 1)
			check(m);
	}
	check(m);
}

static void empty_it(struct model *m, unsigned how)
{
	uint64_t least = m->kind->inode_root && !m->kind->root_leaf;

	while (m->n > least) {
		delete_one(m, how == 0 ? 0 : how == 1 ? m->n - 1 : below(m, m->n));
		if (m->n % 211 == 0 || m->n < 8)
			check(m);
	}
	if (least) {
		delete_one(m, 0);	/* refused */
		must(m->n == 1);
		must(m->bt.levels == 2);
		must(m->t.nused == 1);
	} else {
		must(m->bt.levels == 1);
		must(m->t.nused == (m->kind->inode_root ? 0 : 1));
	}
	check(m);
}

/* Record i of a tree that is one leaf. */
static uint8_t *entry_at(struct model *m, uint32_t i)
{
	return memtree_block(&m->t, m->bt.root) + XFS_BTREE_SHORT_V5 + i * m->len;
}

static const size_t forks[] = { 76, 140, 200 };

/* From empty to some thousand records, back to nothing, three ways. */
START_TEST(grow_and_shrink)
{
	unsigned id = (unsigned)_i / 2, v5 = (unsigned)_i % 2;
	struct model m;

	if (!v5 && !xfs_btree_kinds[id].magic_v4)
		return;
	for (unsigned how = 0; how < 3; how++) {
		start(&m, id, v5, v5 ? 1024 : 512, forks[how], 0);
		churn(&m, 60, 70, 20, 1);	/* the first blocks: look at every step */
		churn(&m, 9000, 90, 5, 1499);
		churn(&m, 2000, 30, 40, 499);
		/* even the widest nodes (121 entries) then have a level above them, or nearly a full root */
		must(m.t.nused >= 65);
		must(m.bt.levels >= (m.kind->overlapping || m.kind->inode_root || !v5 ? 3 : 2));
		empty_it(&m, how);
		stop(&m);
	}
}
END_TEST

/* Records in ascending and descending order, as files are written; and on top of full blocks from the loader. */
static void in_a_row(unsigned id, bool down)
{
	uint64_t random = 1;
	const uint64_t n = 4000;
	struct model m;
	uint8_t *recs = test_records(&xfs_btree_kinds[id], n, &random, 10);

	start(&m, id, true, 1024, 140, 0);
	if (m.n) {
		memcpy(m.recs, recs, m.len);	/* a bmbt starts with one record */
		memtree_release(&m.t);
		memtree_load(&m.t, m.kind, true, 1024, m.recs, 1, -1, -1, 140);
		memtree_open(&m.t, 1200);
		m.bt = memtree_instance(&m.t);
	}
	for (uint64_t i = m.n; i < n; i++) {
		uint64_t from = down ? n + m.n - 1 - i : i;

		if (m.n == 0 || i >= m.n)
			must(xfs_btree_insert(&m.bt, recs + from * m.len) == 0);
	}
	memcpy(m.recs, recs, n * m.len);
	m.n = n;
	check(&m);
	free(recs);
	stop(&m);
}

START_TEST(rows)
{
	in_a_row((unsigned)_i, false);
}
END_TEST

START_TEST(rows_down)
{
	const struct xfs_btree_kind *k = &xfs_btree_kinds[_i];

	if (!k->inode_root || k->root_leaf)
		in_a_row((unsigned)_i, true);
}
END_TEST

START_TEST(full_blocks)
{
	struct model m;

	start(&m, (unsigned)_i, true, 1024, 140, 5000);
	m.span = 100000;
	churn(&m, 300, 50, 20, 29);
	churn(&m, 1500, 20, 70, 299);
	stop(&m);
}
END_TEST

/* State of everything that a failed change must leave alone. */
struct snapshot {
	uint8_t *blocks, *used, fork[512];
	uint64_t root, nused;
	unsigned levels;
};

static void snap(struct model *m, struct snapshot *s)
{
	s->blocks = malloc(m->t.room * m->t.blocksize);
	s->used = malloc(m->t.room);
	must(s->blocks && s->used);
	memcpy(s->blocks, m->t.blocks, m->t.room * m->t.blocksize);
	memcpy(s->used, m->t.used, m->t.room);
	memcpy(s->fork, m->t.fork, sizeof(s->fork));
	s->root = m->bt.root;
	s->levels = m->bt.levels;
	s->nused = m->t.nused;
}

static void expect_unchanged(struct model *m, struct snapshot *s)
{
	must(memcmp(m->t.used, s->used, m->t.room) == 0);
	for (uint64_t i = 0; i < m->t.room; i++)
		if (s->used[i])
			must(memcmp(m->t.blocks + i * m->t.blocksize, s->blocks + i * m->t.blocksize, m->t.blocksize) ==
			     0);
	must(memcmp(m->t.fork, s->fork, sizeof(s->fork)) == 0);
	must(m->bt.root == s->root);
	must(m->bt.levels == s->levels);
	must(m->t.nused == s->nused);
	must(m->t.borrowed == 0);
	free(s->blocks);
	free(s->used);
}

static uint64_t fail_get;
static int (*real_get)(void *, uint64_t, struct xfs_btree_block *);

static int failing_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	if (fail_get && --fail_get == 0)
		return -XFS_E_IO;
	return real_get(owner, ptr, out);
}

static void remember(struct model *m, const uint8_t *rec)
{
	uint64_t i = place(m, rec);

	memmove(at(m, i + 1), at(m, i), (m->n - i) * m->len);
	memcpy(at(m, i), rec, m->len);
	m->n++;
}

static bool failing_insert(struct model *m, const uint8_t *rec, uint64_t get, uint64_t alloc, unsigned *failures)
{
	struct snapshot s;
	int err;

	snap(m, &s);
	fail_get = get;
	m->t.fail_alloc = alloc;
	err = xfs_btree_insert(&m->bt, rec);
	fail_get = m->t.fail_alloc = 0;
	if (!err) {
		free(s.blocks);
		free(s.used);
		remember(m, rec);
		return false;
	}
	must(err == (get ? -XFS_E_IO : -XFS_E_NOSPC));
	expect_unchanged(m, &s);
	(*failures)++;
	return true;
}

/* Each of its allocations or each of its reads fails; failures change nothing, and at last it works. */
static void insert_with_failures(struct model *m, bool reads, unsigned *failures)
{
	uint8_t rec[32];
	uint64_t n = 1;

	do
		random_record(m, rec);
	while (place(m, rec) < m->n && order(m, at(m, place(m, rec)), rec) == 0);
	while (failing_insert(m, rec, reads ? n : 0, reads ? 0 : n, failures))
		n++;
}

static void delete_with_failures(struct model *m, unsigned *failures)
{
	uint64_t i = below(m, m->n);

	for (unsigned n = 1; n < 40; n++) {
		struct xfs_btree_cursor cur;
		struct snapshot s;
		int err;

		find(m, i, &cur);
		snap(m, &s);
		fail_get = n;
		err = xfs_btree_delete(&cur);
		fail_get = 0;
		xfs_btree_cursor_close(&cur);
		if (!err) {
			free(s.blocks);
			free(s.used);
			memmove(at(m, i), at(m, i + 1), (m->n - i - 1) * m->len);
			m->n--;
			return;
		}
		expect_unchanged(m, &s);
		(*failures)++;
	}
	ck_abort_msg("a delete reads without end");
}

/* Full blocks split at each insert, blocks at the minimum join at each delete. */
START_TEST(failures_change_nothing)
{
	for (unsigned deletes = 0; deletes < 2; deletes++) {
		unsigned failures = 0;
		struct model m;

		start_filled(&m, (unsigned)_i, true, 1024, 140, 3000, deletes ? 1000000 : 0);
		m.span = 60000;
		real_get = m.bt.io.get;
		m.bt.io.get = failing_get;
		for (unsigned i = 0; i < 40; i++)
			deletes ? delete_with_failures(&m, &failures) : insert_with_failures(&m, i % 2, &failures);
		check(&m);
		must(failures > 45);
		stop(&m);
	}
}
END_TEST

/* Changes on a damaged tree: any result, but no crash and no block left borrowed. */
START_TEST(damaged_trees)
{
	for (unsigned turn = 0; turn < 60; turn++) {
		struct xfs_btree_key key;
		struct model m;

		start(&m, (unsigned)_i, true, 1024, 140, 1500);
		m.random += turn;
		m.span = 30000;
		for (unsigned i = 0; i < 4; i++) {
			uint64_t b = below(&m, 2) ? below(&m, m.t.nused) : m.t.nused - 1 - below(&m, 3);
			uint8_t *d = memtree_block(&m.t, MEMTREE_BASE + b);

			/* links, counts and pointers are what a change relies on */
			if (below(&m, 3) == 0)
				d[4 + below(&m, 20)] = (uint8_t)below(&m, 64);
			else
				d[below(&m, m.t.blocksize)] ^= (uint8_t)(1u << below(&m, 8));
			if (m.t.fork_len && below(&m, 8) == 0)
				m.t.fork[below(&m, m.t.fork_len)] ^= (uint8_t)(1u << below(&m, 8));
		}
		for (unsigned i = 0; i < 120; i++) {
			struct xfs_btree_cursor cur;
			uint8_t rec[32];

			random_record(&m, rec);
			m.kind->low(&key, rec);
			xfs_btree_cursor_init(&cur, &m.bt);
			if (i % 3 == 0)
				xfs_btree_insert(&m.bt, rec);
			else if (xfs_btree_lookup(&cur, XFS_LOOKUP_GE, &key) == 0)
				i % 3 == 1 ? xfs_btree_delete(&cur) : xfs_btree_update(&cur, rec);
			xfs_btree_cursor_close(&cur);
			must(m.t.borrowed == 0);
		}
		stop(&m);
	}
}
END_TEST

/* Where a full leaf of an odd number of records is cut: both halves get the same number, wherever the new one goes. */
START_TEST(split_point)
{
	uint32_t most = xfs_btree_maxrecs(&xfs_btree_shape_alloc, true, 1024, true);

	ck_assert_uint_eq(most % 2, 1);
	for (uint32_t place_of_new = 0; place_of_new <= most; place_of_new++) {
		uint8_t rec[8];
		struct xfs_btree_view root;
		struct model m;

		start_filled(&m, XFS_BTREE_BNO, true, 1024, 0, most, 0);
		for (uint32_t i = 0; i < most; i++)
			xfs_bnobt_rec_set_startblock((void *)entry_at(&m, i), 10 * i + 10);
		xfs_bnobt_rec_encode(rec, &(struct xfs_bnobt_rec){ 10 * place_of_new + 5, 1 });
		must(xfs_btree_insert(&m.bt, rec) == 0);
		must(m.bt.levels == 2);
		xfs_btree_view_make(&m.bt, m.bt.root, memtree_block(&m.t, m.bt.root), &root);
		must(root.n == 2);
		for (uint32_t i = 0; i < 2; i++)
			must(xfs_btree_get_numrecs(memtree_block(&m.t, xfs_btree_view_ptr(&m.bt, &root, i))) ==
			     (most + 1) / 2);
		stop(&m);
	}
}
END_TEST

START_TEST(read_only)
{
	struct model m;
	struct xfs_btree_cursor cur;
	uint8_t rec[32];

	start(&m, XFS_BTREE_RMAP, true, 1024, 0, 100);
	random_record(&m, rec);
	find(&m, 5, &cur);
	m.bt.space = NULL;
	must(xfs_btree_insert(&m.bt, rec) == -XFS_E_READONLY);
	must(xfs_btree_update(&cur, rec) == -XFS_E_READONLY);
	must(xfs_btree_delete(&cur) == -XFS_E_READONLY);
	xfs_btree_cursor_close(&cur);
	m.bt.space = &m.t.space;
	must(xfs_btree_delete(&cur) == -XFS_E_INVALID);	/* nowhere */
	stop(&m);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("btree_change");
	TCase *t = tcase_create("change");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, grow_and_shrink, 0, 2 * XFS_BTREE_KINDS);
	tcase_add_loop_test(t, rows, 0, XFS_BTREE_KINDS);
	tcase_add_loop_test(t, rows_down, 0, XFS_BTREE_KINDS);
	tcase_add_loop_test(t, full_blocks, 0, XFS_BTREE_KINDS);
	tcase_add_loop_test(t, failures_change_nothing, 0, XFS_BTREE_KINDS);
	tcase_add_loop_test(t, damaged_trees, 0, XFS_BTREE_KINDS);
	tcase_add_test(t, split_point);
	tcase_add_test(t, read_only);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
