/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_btree_model.c - bulk loaded trees of random records of every kind, against linear scans of the same records.
 */
#include "libxfs/btree/priv.h"
#include "tests/unit/memtree.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

struct model {
	struct memtree t;
	struct xfs_btree bt;
	const struct xfs_btree_kind *kind;
	const uint8_t *recs;
	uint64_t n;
};

static const uint8_t *record_at(const struct model *m, uint64_t i)
{
	return m->recs + i * m->kind->shape->reclen;
}

static void low_at(const struct model *m, uint64_t i, struct xfs_btree_key *k)
{
	m->kind->low(k, record_at(m, i));
}

/* First index whose low key is > key (after) or >= key: by scan, without any of the engine's searching. */
static uint64_t scan(const struct model *m, const struct xfs_btree_key *key, bool after)
{
	uint64_t i = 0;

	for (; i < m->n; i++) {
		struct xfs_btree_key k;
		int cmp;

		low_at(m, i, &k);
		cmp = xfs_btree_kind_cmp(m->kind, &k, key);
		if (cmp > 0 || (cmp == 0 && !after))
			break;
	}
	return i;
}

/* A key near a random record, or anywhere. */
static struct xfs_btree_key random_key(const struct model *m, uint64_t *random)
{
	struct xfs_btree_key k = { { test_random(random) >> test_random_below(random, 64), 0, 0 } };
	unsigned how = (unsigned)test_random_below(random, 8);

	if (m->n == 0 || how == 0)
		return k;
	low_at(m, test_random_below(random, m->n), &k);
	if (how < 4)
		return k;
	how = (unsigned)test_random_below(random, m->kind->cmpwords);
	k.w[how] += test_random_below(random, 9) - 4;
	if (m->kind->overlapping && test_random_below(random, 2))
		k.w[1] = k.w[2] = 0;
	return k;
}

struct expect {
	const struct model *m;
	const struct xfs_btree_key *lo, *hi;	/* NULL: everything */
	uint64_t next;
	bool bad;
};

static bool meets(const struct expect *e, uint64_t i)
{
	struct xfs_btree_key k;

	if (!e->lo)
		return true;
	low_at(e->m, i, &k);
	if (xfs_btree_kind_cmp(e->m->kind, &k, e->hi) > 0)
		return false;
	e->m->kind->high(&k, record_at(e->m, i));
	return xfs_btree_kind_cmp(e->m->kind, &k, e->lo) >= 0;
}

static void skip_others(struct expect *e)
{
	while (e->next < e->m->n && !meets(e, e->next))
		e->next++;
}

static int expect_record(void *payload, const void *rec)
{
	struct expect *e = payload;

	skip_others(e);
	if (e->next >= e->m->n || memcmp(rec, record_at(e->m, e->next), e->m->kind->shape->reclen))
		e->bad = true;
	e->next++;
	return e->bad;
}

static void check_all(struct model *m)
{
	struct expect e = { .m = m };

	must(xfs_btree_query_all(&m->bt, expect_record, &e) == 0);
	must(e.next == m->n);
}

static void check_steps(struct model *m)
{
	struct xfs_btree_cursor cur;
	uint64_t i;
	int err;

	xfs_btree_cursor_init(&cur, &m->bt);
	must(xfs_btree_next(&cur) == -XFS_E_INVALID);
	for (i = 0, err = xfs_btree_first(&cur); !err; err = xfs_btree_next(&cur))
		must(memcmp(xfs_btree_record(&cur), record_at(m, i++), m->kind->shape->reclen) == 0);
	must(err == -XFS_E_NOENT);
	must(i == m->n);
	must(xfs_btree_record(&cur) == NULL);
	must(xfs_btree_next(&cur) == -XFS_E_NOENT);
	/* behind the last: back over all of them to before the first, and on to the first again */
	for (err = xfs_btree_prev(&cur); !err; err = xfs_btree_prev(&cur))
		must(memcmp(xfs_btree_record(&cur), record_at(m, --i), m->kind->shape->reclen) == 0);
	must(err == -XFS_E_NOENT);
	must(i == 0);
	must(xfs_btree_next(&cur) == (m->n ? 0 : -XFS_E_NOENT));
	must(xfs_btree_last(&cur) == (m->n ? 0 : -XFS_E_NOENT));
	if (m->n)
		must(memcmp(xfs_btree_record(&cur), record_at(m, m->n - 1), m->kind->shape->reclen) == 0);
	xfs_btree_cursor_close(&cur);
	must(m->t.borrowed == 0);
}

static void expect_at(const struct model *m, const struct xfs_btree_cursor *cur, int err, bool found, uint64_t i)
{
	must(err == (found ? 0 : -XFS_E_NOENT));
	if (found)
		must(memcmp(xfs_btree_record(cur), record_at(m, i), m->kind->shape->reclen) == 0);
}

static void check_lookups(struct model *m, uint64_t *random, unsigned times)
{
	struct xfs_btree_cursor cur;

	xfs_btree_cursor_init(&cur, &m->bt);
	for (unsigned i = 0; i < times; i++) {
		struct xfs_btree_key key = random_key(m, random);
		uint64_t from = scan(m, &key, false), behind = scan(m, &key, true);

		expect_at(m, &cur, xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key), behind > 0, behind - 1);
		/* and the steps from there on */
		expect_at(m, &cur, xfs_btree_next(&cur), behind < m->n, behind);
		expect_at(m, &cur, xfs_btree_lookup(&cur, XFS_LOOKUP_GE, &key), from < m->n, from);
		expect_at(m, &cur, xfs_btree_prev(&cur), from > 0, from - 1);
		expect_at(m, &cur, xfs_btree_lookup(&cur, XFS_LOOKUP_EQ, &key), behind > from, from);
	}
	xfs_btree_cursor_close(&cur);
	must(m->t.borrowed == 0);
}

/* Blocks that a query must visit, found by looking at every entry of every node. */
struct visit_model {
	struct model *m;
	const struct xfs_btree_key *lo, *hi;
	uint8_t *want, *got;		/* per block; index 0 = root in the inode */
	uint64_t want_level[XFS_BTREE_MAXLEVELS];
};

static uint64_t slot(uint64_t ptr)
{
	return ptr == XFS_NULL64 ? 0 : ptr - MEMTREE_BASE + 1;
}

/* True when the subtree of entry i can hold a match; `bound`: first key behind it (plain kinds), or NULL. */
static bool entry_meets(struct visit_model *v, const struct xfs_btree_view *view, unsigned level, uint32_t i,
			const struct xfs_btree_key *bound)
{
	const struct xfs_btree_kind *kind = v->m->kind;
	struct xfs_btree_key k;

	xfs_btree_view_low(&v->m->bt, view, level, i, &k);
	if (xfs_btree_kind_cmp(kind, &k, v->hi) > 0)
		return false;
	if (!kind->overlapping)
		return !bound || xfs_btree_kind_cmp(kind, bound, v->lo) > 0;
	xfs_btree_view_high(&v->m->bt, view, level, i, &k);
	return xfs_btree_kind_cmp(kind, &k, v->lo) >= 0;
}

static void mark(struct visit_model *v, uint64_t ptr, unsigned level, const struct xfs_btree_key *bound)
{
	struct xfs_btree_view view;
	const uint8_t *data = xfs_btree_is_inline(&v->m->bt, ptr) ? v->m->t.fork : memtree_block(&v->m->t, ptr);

	v->want_level[level]++;
	v->want[slot(ptr)] = 1;
	if (level == 0)
		return;
	xfs_btree_view_make(&v->m->bt, ptr, data, &view);
	for (uint32_t i = 0; i < view.n; i++) {
		struct xfs_btree_key next;
		const struct xfs_btree_key *end = bound;

		if (i + 1 < view.n) {
			xfs_btree_view_low(&v->m->bt, &view, level, i + 1, &next);
			end = &next;
		}
		if (entry_meets(v, &view, level, i, end))
			mark(v, xfs_btree_view_ptr(&v->m->bt, &view, i), level - 1, end);
	}
}

static void on_visit(void *payload, uint64_t ptr, unsigned level)
{
	struct visit_model *v = payload;

	(void)level;
	v->got[slot(ptr)]++;
}

/* Leaves that hold at least one match. */
static uint64_t leaves_with_matches(const struct model *m, const struct expect *e)
{
	uint64_t per = m->t.geometry.lev[0].per + 1, extra = m->t.geometry.lev[0].extra, n = 0, last = XFS_NULL64;

	for (uint64_t i = 0; i < m->n; i++) {
		uint64_t leaf = i < extra * per ? i / per : per == 1 ? 0 : extra + (i - extra * per) / (per - 1);

		if (leaf != last && meets(e, i)) {
			last = leaf;
			n++;
		}
	}
	return n;
}

static void check_range(struct model *m, const struct xfs_btree_key *lo, const struct xfs_btree_key *hi, bool bounded)
{
	struct expect e = { .m = m, .lo = lo, .hi = hi };
	struct visit_model v = { .m = m, .lo = lo, .hi = hi };
	struct xfs_btree_visits visits;
	uint64_t total = 0;

	if (xfs_btree_kind_cmp(m->kind, lo, hi) > 0) {
		must(xfs_btree_query_range(&m->bt, lo, hi, expect_record, &e, NULL, NULL, NULL) == -XFS_E_INVALID);
		return;
	}
	v.want = calloc(2, m->t.room + 1);
	must(v.want != NULL);
	v.got = v.want + m->t.room + 1;
	must(xfs_btree_query_range(&m->bt, lo, hi, expect_record, &e, &visits, on_visit, &v) == 0);
	skip_others(&e);
	must(e.next == m->n);
	mark(&v, xfs_btree_root_ptr(&m->bt), m->bt.levels - 1, NULL);
	must(memcmp(v.got, v.want, m->t.room + 1) == 0);
	for (unsigned i = 0; i < m->bt.levels; i++) {
		must(visits.blocks[i] == v.want_level[i]);
		total += visits.blocks[i];
	}
	if (bounded) {	/* the promise about the cost where no record is long */
		e.next = 0;
		must(total <= m->bt.levels + 2 * leaves_with_matches(m, &e));
	}
	free(v.want);
	must(m->t.borrowed == 0);
}

static void check_ranges(struct model *m, uint64_t *random, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct xfs_btree_key lo = random_key(m, random), hi = random_key(m, random);

		if (m->kind->overlapping && i % 2) {	/* the question about physical blocks */
			lo.w[1] = lo.w[2] = 0;
			hi = (struct xfs_btree_key){ { lo.w[0] + test_random_below(random, 50), UINT64_MAX,
						       UINT64_MAX } };
		}
		check_range(m, &lo, &hi, false);
	}
}

struct seen {
	struct model *m;
	uint64_t blocks, inl;
	unsigned level;
};

static int seen_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct seen *s = payload;

	must(level <= s->level);	/* levels come from the root down */
	s->level = level;
	if (ptr == XFS_NULL64) {
		s->inl++;
		return 0;
	}
	must(data == memtree_block(&s->m->t, ptr));
	s->blocks++;
	return 0;
}

static void check_walk(struct model *m)
{
	struct seen s = { .m = m, .level = XFS_BTREE_MAXLEVELS };
	struct xfs_btree_walk w = { .block = seen_block, .payload = &s };

	must(xfs_btree_walk(&m->bt, &w) == 0);
	must(s.blocks == m->t.geometry.blocks);
	must(s.inl == m->kind->inode_root);
	must(m->t.borrowed == 0);
}

static void print_finding(void *payload, const struct xfs_finding *f)
{
	char text[400];

	(void)payload;
	xfs_finding_format(f, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
}

static uint64_t records_seen;
static int count_record(void *payload, const void *rec)
{
	(void)payload;
	(void)rec;
	records_seen++;
	return 0;
}

static void check_clean(struct model *m)
{
	struct xfs_sink sink = { print_finding, NULL };
	struct xfs_btree_verify v = { .sink = &sink, .record = count_record };

	records_seen = 0;
	must(xfs_btree_verify(&m->bt, &v) == 0);
	must(v.findings == 0);
	must(v.blocks == m->t.geometry.blocks);
	must(v.records == m->n);
	must(records_seen == m->n);
	must(m->t.borrowed == 0);
}

static void load(struct model *m, unsigned id, bool v5, uint32_t blocksize, const uint8_t *recs, uint64_t n,
		 int leaf_slack, int node_slack, size_t fork_len)
{
	m->kind = &xfs_btree_kinds[id];
	m->recs = recs;
	m->n = n;
	memtree_load(&m->t, m->kind, v5, blocksize, recs, n, leaf_slack, node_slack, fork_len);
	m->bt = memtree_instance(&m->t);
}

static const uint32_t block_sizes[] = { 512, 1024, 2048, 4096, 8192, 16384, 65536 };

static void one_shape(unsigned id, bool v5, uint32_t blocksize, uint64_t n, uint64_t *random)
{
	const struct xfs_btree_kind *kind = &xfs_btree_kinds[id];
	static const int slacks[] = { -1, 0, 2, 1000000 };
	uint8_t *recs = test_records(kind, n, random, 10);
	int leaf = slacks[test_random_below(random, 4)], node = slacks[test_random_below(random, 4)];
	size_t fork_len = 76 + 4 * test_random_below(random, 80);
	unsigned times = n > 10000 ? 6 : 25;
	struct model m;

	load(&m, id, v5, blocksize, recs, n, leaf, node, fork_len);
	check_clean(&m);
	check_all(&m);
	check_walk(&m);
	check_steps(&m);
	check_lookups(&m, random, times);
	check_ranges(&m, random, times);
	memtree_release(&m.t);
	free(recs);
}

/* Every kind, both versions, every block size, from nothing to some levels. */
START_TEST(all_shapes)
{
	uint64_t random = 20240601;

	for (unsigned id = 0; id < XFS_BTREE_KINDS; id++)
		for (unsigned bs = 0; bs < XFS_ARRAY_SIZE(block_sizes); bs++)
			for (int v5 = 0; v5 < 2; v5++) {
				const struct xfs_btree_kind *k = &xfs_btree_kinds[id];
				uint64_t capacity;

				if ((v5 ? bs == 0 : k->magic_v4 == 0))
					continue;
				capacity = xfs_btree_maxrecs(k->shape, v5, block_sizes[bs], true);
				if (!k->inode_root || k->root_leaf)
					one_shape(id, v5, block_sizes[bs], 0, &random);
				for (uint64_t n = 1; n <= 3; n++)
					one_shape(id, v5, block_sizes[bs], n, &random);
				one_shape(id, v5, block_sizes[bs], capacity, &random);
				one_shape(id, v5, block_sizes[bs], capacity + 1, &random);
				one_shape(id, v5, block_sizes[bs], 1 + test_random_below(&random, 3000), &random);
			}
}
END_TEST

/* Small blocks make many levels. */
START_TEST(deep_trees)
{
	uint64_t random = 77;

	for (unsigned id = 0; id < XFS_BTREE_KINDS; id++) {
		one_shape(id, true, 1024, 30000 + test_random_below(&random, 10000), &random);
		if (xfs_btree_kinds[id].magic_v4)
			one_shape(id, false, 512, 30000, &random);
	}
}
END_TEST

/* A million reverse mappings: exact visits, with and without long records. */
static void million(unsigned long_share, uint64_t seed)
{
	const uint64_t n = 1000000;
	uint64_t random = seed;
	uint8_t *recs = test_records(&xfs_btree_kinds[XFS_BTREE_RMAP], n, &random, long_share);
	struct model m;

	load(&m, XFS_BTREE_RMAP, true, 4096, recs, n, -1, -1, 0);
	check_clean(&m);
	check_all(&m);
	check_walk(&m);
	for (unsigned i = 0; i < 30; i++) {
		struct xfs_btree_key lo, hi;

		low_at(&m, test_random_below(&random, n), &lo);
		lo.w[0] += test_random_below(&random, 20);
		lo.w[1] = lo.w[2] = 0;
		hi = (struct xfs_btree_key){ { lo.w[0] + test_random_below(&random, i % 3 ? 20 : 100000), UINT64_MAX,
					       UINT64_MAX } };
		check_range(&m, &lo, &hi, long_share == 0);
	}
	check_ranges(&m, &random, 20);
	check_lookups(&m, &random, 5);
	memtree_release(&m.t);
	free(recs);
}

START_TEST(million_without_long)
{
	million(0, 1);
}
END_TEST

START_TEST(million_with_long)
{
	million(20, 2);
}
END_TEST

static void example_record(uint8_t *recs, uint64_t i, uint32_t start, uint32_t count, uint64_t owner, uint64_t word)
{
	uint8_t *rec = recs + 24 * i;

	xfs_put_be32(rec, start);
	xfs_put_be32(rec + 4, count);
	xfs_put_be64(rec + 8, owner);
	xfs_put_be64(rec + 16, word);
}

static int example_order(const void *a, const void *b)
{
	struct xfs_btree_key x, y;

	xfs_btree_kinds[XFS_BTREE_RMAP].low(&x, a);
	xfs_btree_kinds[XFS_BTREE_RMAP].low(&y, b);
	return xfs_btree_key_cmp(&x, &y);
}

/*
 * The files of format sheet 02, sections 10.3 to 10.5: two of 12000 blocks on the same space (67, 71), one that maps
 * every second block backwards (68), one in pieces of 7 (69), one of 5997 blocks (72); what lies behind them is
 * filled in.
 */
#define EXAMPLE_RECORDS 9153u
static uint8_t *example_records(void)
{
	uint8_t *recs = calloc(EXAMPLE_RECORDS, 24);
	uint64_t n = 0;

	must(recs != NULL);
	example_record(recs, n++, 0, 2, XFS_OWN_FS, 0);
	example_record(recs, n++, 27, 5, 68, XFS_RMAP_BMBT);
	example_record(recs, n++, 64, 12000, 67, 0);
	example_record(recs, n++, 64, 12000, 71, 0);
	example_record(recs, n++, 69, 5997, 72, 0);
	for (uint32_t i = 0; i < 6000; i++)
		example_record(recs, n++, 64 + 2 * i, 1, 68, 11998 - 2 * i);
	for (uint32_t i = 0; i < 1200; i++)
		example_record(recs, n++, 64 + 10 * i, 7, 69, 5 + 9 * i);
	for (uint32_t at = 12100; n < EXAMPLE_RECORDS - 1; at += 4)
		example_record(recs, n++, at, 2, XFS_OWN(5 + at / 4 % 2), 0);
	example_record(recs, n++, 19968, 128, XFS_OWN_INODES, 0);
	qsort(recs, n, 24, example_order);
	return recs;
}

/* Same records and questions as in section 10.5; the leaves are filled by the loader, not as the kernel left them. */
START_TEST(worked_example)
{
	static const struct {
		uint32_t from, to, found;
		uint32_t visits[3];	/* root, nodes, leaves */
	} rows[] = {
		{ 64, 64, 4, { 1, 1, 1 } },
		{ 300, 300, 5, { 1, 1, 2 } },	/* 3 in the kernel's tree: other boundaries of leaves */
		{ 6000, 6003, 6, { 1, 2, 2 } },
		{ 12063, 12063, 2, { 1, 2, 2 } },	/* 1 there: no leaf begins before and ends behind the block */
		{ 20000, 20000, 1, { 1, 1, 1 } },
	};
	uint8_t *recs = example_records();
	struct xfs_btree_view root;
	struct xfs_btree_key k;
	struct model m;

	load(&m, XFS_BTREE_RMAP, true, 1024, recs, EXAMPLE_RECORDS, 7, 5, 0);
	check_clean(&m);
	must(m.bt.levels == 3);
	/* first entry of the root: (0,-3,0) to (12063,71,11999), as 71 > 67 decides the maximum */
	xfs_btree_view_make(&m.bt, m.t.root, memtree_block(&m.t, m.t.root), &root);
	xfs_btree_view_low(&m.bt, &root, 2, 0, &k);
	must(k.w[0] == 0 && k.w[1] == XFS_OWN_FS && k.w[2] == 0);
	xfs_btree_view_high(&m.bt, &root, 2, 0, &k);
	must(k.w[0] == 12063 && k.w[1] == 71 && k.w[2] == 11999);
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(rows); i++) {
		struct xfs_btree_key lo = { { rows[i].from, 0, 0 } }, hi = { { rows[i].to, UINT64_MAX, UINT64_MAX } };
		struct xfs_btree_visits visits;

		records_seen = 0;
		must(xfs_btree_query_range(&m.bt, &lo, &hi, count_record, NULL, &visits, NULL, NULL) == 0);
		must(records_seen == rows[i].found);
		for (unsigned level = 0; level < 3; level++)
			ck_assert_msg(visits.blocks[level] == rows[i].visits[2 - level], "query %u level %u: %u blocks",
				      i, level, visits.blocks[level]);
		check_range(&m, &lo, &hi, false);
	}
	memtree_release(&m.t);
	free(recs);
}
END_TEST

/* A query can be stopped by its callback; the code comes back and nothing stays borrowed. */
static int stop_at_third(void *payload, const void *rec)
{
	unsigned *n = payload;

	(void)rec;
	return ++*n == 3 ? -XFS_E_STOP : 0;
}

START_TEST(stopping)
{
	uint64_t random = 5;
	uint8_t *recs = test_records(&xfs_btree_kinds[XFS_BTREE_RMAP], 5000, &random, 10);
	struct xfs_btree_key lo = { { 0, 0, 0 } }, hi = { { UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	struct model m;
	unsigned n = 0;

	load(&m, XFS_BTREE_RMAP, true, 1024, recs, 5000, -1, -1, 0);
	must(xfs_btree_query_all(&m.bt, stop_at_third, &n) == -XFS_E_STOP);
	n = 0;
	must(xfs_btree_query_range(&m.bt, &lo, &hi, stop_at_third, &n, NULL, NULL, NULL) == -XFS_E_STOP);
	must(m.t.borrowed == 0);
	memtree_release(&m.t);
	free(recs);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("btree_model");
	TCase *t = tcase_create("model");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, all_shapes);
	tcase_add_test(t, deep_trees);
	tcase_add_test(t, million_without_long);
	tcase_add_test(t, million_with_long);
	tcase_add_test(t, worked_example);
	tcase_add_test(t, stopping);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
