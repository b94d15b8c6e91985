/* SPDX-License-Identifier: BSD-2-Clause */
/* test_rmap.c - changes of reverse mappings: transitions that Linux made, a model by blocks, owner queries, damage. */
#include "libxfs/space/rmap.h"

#include "tests/unit/memtree.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define ROOM 400u

static struct memtree tree;
static struct xfs_btree bt;

/* A tree of 1 KiB blocks with these records in key order; full blocks when `slack` is 0. */
static void tree_load(const struct xfs_claim *c, size_t n, int slack)
{
	uint8_t *recs = calloc(n + 1, 24);

	for (size_t i = 0; i < n; i++)
		xfs_rmap_encode(recs + 24 * i, &c[i]);
	memtree_load(&tree, &xfs_btree_kinds[XFS_BTREE_RMAP], true, 1024, recs, n, slack, slack, 0);
	memtree_open(&tree, ROOM);
	bt = memtree_instance(&tree);
	bt.ptr_min = bt.ptr_max = 0;	/* the AG is larger than this tree's memory */
	free(recs);
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

/* Header, keys, fill, order, overlap, merging. */
static void tree_verify(void)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_btree_verify v = { .sink = &sink };

	memtree_settle(&tree, &bt);
	qk_assert_int_eq(xfs_btree_verify(&bt, &v), 0);
	qk_assert_uint_eq(v.findings, 0);
}

struct list { struct xfs_claim c[4000]; size_t n; };

static int keep(void *payload, const void *rec)
{
	struct list *l = payload;

	qk_assert_uint_lt(l->n, XFS_ARRAY_SIZE(l->c));
	return xfs_rmap_decode(&bt, rec, &l->c[l->n++]);
}

static void tree_read(struct list *l)
{
	l->n = 0;
	qk_assert_int_eq(xfs_btree_query_all(&bt, keep, l), 0);
}

/* ---- vectors ---- */

static struct xfs_claim claim_of(json_t *row, size_t at)
{
	const char *flags = json_string_value(json_array_get(row, at + 4));
	struct xfs_claim c = {
		(uint32_t)vectors_u64(json_array_get(row, at)), (uint32_t)vectors_u64(json_array_get(row, at + 1)),
		vectors_u64(json_array_get(row, at + 2)), vectors_u64(json_array_get(row, at + 3)),
	};

	for (; *flags; flags++)
		c.offset |= *flags == 'a' ? XFS_RMAP_ATTR : *flags == 'b' ? XFS_RMAP_BMBT : XFS_RMAP_UNWRITTEN;
	return c;
}

static void list_of(json_t *rows, struct list *l)
{
	l->n = json_array_size(rows);
	qk_assert_uint_le(l->n, XFS_ARRAY_SIZE(l->c));
	for (size_t i = 0; i < l->n; i++)
		l->c[i] = claim_of(json_array_get(rows, i), 0);
}

static int apply(const char *op, const struct xfs_claim *c, bool shared)
{
	if (!strcmp(op, "map"))
		return xfs_rmap_map(&bt, c, shared);
	if (!strcmp(op, "unmap"))
		return xfs_rmap_unmap(&bt, c, shared);
	qk_assert(!strcmp(op, "convert"));
	return xfs_rmap_convert(&bt, c, shared);
}

static struct list before, after, now;

static void run_case(json_t *row, int slack)
{
	json_t *ops = vectors_get(row, "ops");

	list_of(vectors_get(row, "before"), &before);
	list_of(vectors_get(row, "after"), &after);
	tree_load(before.c, before.n, slack);
	for (size_t i = 0; i < json_array_size(ops); i++) {
		json_t *op = json_array_get(ops, i);
		const char *what = json_string_value(json_array_get(op, 0));
		struct xfs_claim c = claim_of(op, 2);
		int err = apply(what, &c, !strcmp(json_string_value(json_array_get(op, 1)), "shared"));

		ck_assert_msg(!err, "%s: op %zu: %s", vectors_get_str(row, "name"), i, xfs_error_name(err));
		tree_verify();
	}
	tree_read(&now);
	ck_assert_msg(now.n == after.n && !memcmp(now.c, after.c, now.n * sizeof(now.c[0])), "%s",
		      vectors_get_str(row, "name"));
	memtree_release(&tree);
}

START_TEST(transitions)
{
	json_t *v = vectors_load("rmap-ops.json"), *cases = vectors_get(v, "cases");

	ck_assert_uint_ge(json_array_size(cases), 130);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		run_case(json_array_get(cases, i), -1);
		run_case(json_array_get(cases, i), 0);
	}
	json_decref(v);
}
END_TEST

/* ---- a model: what each block of each file says ---- */

#define BLOCKS 3000u
#define FILES 6u
#define FIRST 10u		/* no mapping before it but the headers' */

/* per file and block: 0 = not mapped, else 1 + offset, with flags; files from 3 on are sharing ones */
static uint64_t model[FILES][BLOCKS];
static uint8_t special[BLOCKS];		/* owned by nobody's file */
static struct testrand rnd;

static bool is_free(uint32_t b, uint32_t len)
{
	for (uint32_t i = b; i < b + len; i++) {
		if (i >= BLOCKS || special[i])
			return false;
		for (unsigned f = 0; f < FILES; f++)
			if (model[f][i])
				return false;
	}
	return true;
}

/* only written data of sharing files, and not of file f */
static bool can_share(unsigned f, uint32_t b, uint32_t len)
{
	for (uint32_t i = b; i < b + len; i++) {
		if (i >= BLOCKS || special[i] || model[f][i])
			return false;
		for (unsigned k = 0; k < FILES; k++)
			if (model[k][i] && (k < 3 || model[k][i] & XFS_RMAP_FLAGS))
				return false;
	}
	return true;
}

static bool offset_free(unsigned f, uint64_t flags, uint64_t off, uint32_t len)
{
	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint64_t v = model[f][i];

		if (v && !((v ^ flags) & (XFS_RMAP_ATTR | XFS_RMAP_BMBT)) && !(flags & XFS_RMAP_BMBT) &&
		    (v & XFS_RMAP_OFFMASK) - 1 - off < len)
			return false;
	}
	return true;
}

static void put(unsigned f, const struct xfs_claim *c)
{
	for (uint32_t i = 0; i < c->len; i++)
		model[f][c->agbno + i] = 1 + c->offset + (c->offset & XFS_RMAP_BMBT ? 0 : i);
}

static uint64_t owner_of(unsigned f) { return 130 + f; }

/* Maximal runs of the model, in key order. */
static int by_key(const void *a, const void *b)
{
	const struct xfs_claim *x = a, *y = b;
	uint64_t u = x->offset & ~XFS_RMAP_UNWRITTEN, v = y->offset & ~XFS_RMAP_UNWRITTEN;

	if (x->agbno != y->agbno)
		return x->agbno < y->agbno ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return u < v ? -1 : u > v;
}

static void model_list(struct list *l)
{
	l->n = 0;
	for (unsigned f = 0; f <= FILES; f++)
		for (uint32_t i = 0; i < BLOCKS; i++) {
			struct xfs_claim *last = l->n ? &l->c[l->n - 1] : NULL, c = { i, 1, 0, 0 };

			if (f == FILES ? !special[i] : !model[f][i])
				continue;
			c.owner = f == FILES ? UINT64_MAX - special[i] + 1 : owner_of(f);
			c.offset = f == FILES ? 0 : model[f][i] - 1;
			if (last && last->owner == c.owner && last->agbno + last->len == i &&
			    !((last->offset ^ c.offset) & XFS_RMAP_FLAGS) &&
			    (f == FILES || c.offset & XFS_RMAP_BMBT || last->offset + last->len == c.offset)) {
				last->len++;
				continue;
			}
			qk_assert_uint_lt(l->n, XFS_ARRAY_SIZE(l->c));
			l->c[l->n++] = c;
		}
	qsort(l->c, l->n, sizeof(l->c[0]), by_key);
}

/* A new mapping next to an old one more often than not, so that joins happen. */
static bool random_map(void)
{
	unsigned f = testrand_below(&rnd, FILES);
	static const uint64_t kinds[] = { 0, 0, XFS_RMAP_UNWRITTEN, XFS_RMAP_ATTR, XFS_RMAP_BMBT,
					  XFS_RMAP_BMBT | XFS_RMAP_ATTR };
	struct xfs_claim c = { .len = 1 + testrand_below(&rnd, 12), .owner = owner_of(f) };
	uint64_t flags = kinds[testrand_below(&rnd, f < 3 ? 6 : 3)];
	bool shares = f >= 3 && !flags;

	c.agbno = FIRST + testrand_below(&rnd, BLOCKS - FIRST);
	c.offset = flags | (flags & XFS_RMAP_BMBT ? 0 : testrand_below(&rnd, 1 << 20));
	if (testrand_below(&rnd, 3)) {	/* behind or in front of a block of the same file */
		uint32_t b = FIRST + testrand_below(&rnd, BLOCKS - FIRST), n = 0;

		while (n++ < BLOCKS && !model[f][b])
			b = b + 1 < BLOCKS ? b + 1 : FIRST;
		if (model[f][b]) {
			uint64_t v = model[f][b] - 1, off = v & XFS_RMAP_OFFMASK;
			bool no_offset = v & XFS_RMAP_BMBT, back = testrand_below(&rnd, 2) && b > c.len &&
								   (no_offset || off >= c.len);

			c.agbno = back ? b - c.len : b + 1;
			c.offset = (v & XFS_RMAP_FLAGS) | (no_offset ? 0 : back ? off - c.len : off + 1);
			shares = f >= 3 && !(v & XFS_RMAP_FLAGS);
		}
	}
	if (c.agbno < FIRST || !(shares ? can_share(f, c.agbno, c.len) : is_free(c.agbno, c.len)) ||
	    !offset_free(f, c.offset & XFS_RMAP_FLAGS, c.offset & XFS_RMAP_OFFMASK, c.len))
		return false;
	qk_assert_int_eq(xfs_rmap_map(&bt, &c, f >= 3), 0);
	put(f, &c);
	return true;
}

/* A part of a run of one file; len 0 when there is none. */
static struct xfs_claim random_part(unsigned f, bool data_only)
{
	uint32_t b = FIRST + testrand_below(&rnd, BLOCKS - FIRST), n = 0, len = 1, most = 1 + testrand_below(&rnd, 20);
	uint64_t v;

	while (n++ < BLOCKS && (!model[f][b] || (data_only && (model[f][b] - 1) & (XFS_RMAP_ATTR | XFS_RMAP_BMBT))))
		b = b + 1 < BLOCKS ? b + 1 : FIRST;
	v = model[f][b];
	if (!v || (data_only && (v - 1) & (XFS_RMAP_ATTR | XFS_RMAP_BMBT)))
		return (struct xfs_claim){ 0, 0, 0, 0 };
	while (testrand_below(&rnd, 2) && b > FIRST && model[f][b - 1] == v - ((v - 1) & XFS_RMAP_BMBT ? 0 : 1))
		v = model[f][--b];
	while (len < most && b + len < BLOCKS && model[f][b + len] == v + ((v - 1) & XFS_RMAP_BMBT ? 0 : len))
		len++;
	return (struct xfs_claim){ b, len, owner_of(f), v - 1 };
}

static bool random_unmap(void)
{
	unsigned f = testrand_below(&rnd, FILES);
	struct xfs_claim c = random_part(f, false);

	if (!c.len)
		return false;
	qk_assert_int_eq(xfs_rmap_unmap(&bt, &c, f >= 3), 0);
	memset(&model[f][c.agbno], 0, c.len * sizeof(model[f][0]));
	return true;
}

static bool random_convert(void)
{
	unsigned f = testrand_below(&rnd, FILES);
	struct xfs_claim c = random_part(f, true);

	if (!c.len)
		return false;
	/* what others share stays written */
	for (uint32_t i = 0; i < c.len; i++)
		for (unsigned k = 0; k < FILES; k++)
			if (k != f && model[k][c.agbno + i])
				return false;
	qk_assert_int_eq(xfs_rmap_convert(&bt, &c, f >= 3), 0);
	c.offset ^= XFS_RMAP_UNWRITTEN;
	put(f, &c);
	return true;
}

static bool random_special(void)
{
	uint32_t b = FIRST + testrand_below(&rnd, BLOCKS - FIRST), len = 1 + testrand_below(&rnd, 6);
	struct xfs_claim c = { b, len, XFS_OWN(5 + testrand_below(&rnd, 5)), 0 };

	if (special[b]) {	/* as when an extent is freed in recovery: nobody knows who had it */
		uint8_t who = special[b];

		c.owner = testrand_below(&rnd, 2) ? XFS_OWN_UNKNOWN : UINT64_MAX - who + 1;
		for (c.len = 1; b + c.len < BLOCKS && c.len < len && special[b + c.len] == who;)
			c.len++;
		qk_assert_int_eq(xfs_rmap_unmap(&bt, &c, false), 0);
		memset(&special[b], 0, c.len);
		return true;
	}
	if (!is_free(b, len))
		return false;
	qk_assert_int_eq(xfs_rmap_map(&bt, &c, false), 0);
	memset(&special[b], (int)(UINT64_MAX - c.owner + 1), len);
	return true;
}

/* Questions about a random range, answered block by block. */
static void check_queries(void)
{
	uint32_t b = testrand_below(&rnd, BLOCKS), len = 1 + testrand_below(&rnd, 20), mapped = 0;
	enum xfs_rmap_coverage cov;

	len = b + len > BLOCKS ? BLOCKS - b : len;
	for (uint32_t i = b; i < b + len; i++)
		mapped += !is_free(i, 1);
	qk_assert_int_eq(xfs_rmap_has_records(&bt, b, len, &cov), 0);
	qk_assert_int_eq(cov, mapped == 0 ? XFS_RMAP_EMPTY : mapped == len ? XFS_RMAP_FULL : XFS_RMAP_SPARSE);
	for (unsigned f = 0; f < FILES; f++) {
		struct xfs_claim c = random_part(f, false);
		struct xfs_rmap_owners n;
		uint32_t others = 0;
		bool any;

		if (!c.len)
			continue;
		for (uint32_t i = c.agbno; i < c.agbno + c.len; i++)
			for (unsigned k = 0; k < FILES; k++)
				others += k != f && model[k][i];
		qk_assert_int_eq(xfs_rmap_count_owners(&bt, &c, true, &n), 0);
		qk_assert_uint_eq(n.matches, 1);
		qk_assert_int_eq(n.others > 0, others > 0);
		qk_assert_uint_eq(n.bad, 0);
		qk_assert_int_eq(xfs_rmap_has_others(&bt, &c, &any), 0);
		qk_assert_int_eq(any, others > 0);
		c.owner = XFS_OWN_INODES;	/* it can't be there together with a file's */
		c.offset = 0;
		qk_assert_int_eq(xfs_rmap_count_owners(&bt, &c, true, &n), 0);
		qk_assert_uint_eq(n.matches, 0);
		qk_assert_uint_eq(n.bad, 0);
	}
}

START_TEST(random_changes)
{
	static struct xfs_claim headers = { 0, 2, XFS_OWN_FS, 0 };
	unsigned done = 0, deepest = 0;

	memset(model, 0, sizeof(model));
	memset(special, 0, sizeof(special));
	special[0] = special[1] = 3;
	rnd.s = 0x5eed0000u + (unsigned)_i;
	tree_load(&headers, 1, -1);
	for (unsigned i = 0; i < 12000; i++) {
		unsigned grow = i / 3000 % 2 ? 3 : 6;	/* fuller, emptier */

		switch (testrand_below(&rnd, grow + 5)) {
		case 0: case 1:
			done += random_unmap();
			break;
		case 2: case 3:
			done += random_convert();
			break;
		case 4:
			done += random_special();
			break;
		default:
			done += random_map();
		}
		deepest = bt.levels > deepest ? bt.levels : deepest;
		if (i % 20 == 0)
			check_queries();
		if (i % 100)
			continue;
		tree_verify();
		tree_read(&now);
		model_list(&after);
		qk_assert_uint_eq(now.n, after.n);
		qk_assert_mem_eq(now.c, after.c, now.n * sizeof(now.c[0]));
	}
	ck_assert_uint_gt(done, 4000);
	ck_assert_uint_ge(deepest, 2);
	memtree_release(&tree);
}
END_TEST

/* ---- requests that contradict the tree, records that no one may have ---- */

static const struct xfs_claim some[] = {
	{ 0, 2, XFS_OWN_FS, 0 }, { 2, 4, XFS_OWN_AG, 0 }, { 10, 10, 131, 0 }, { 10, 5, 132, 100 },
	{ 30, 10, 131, XFS_RMAP_UNWRITTEN | 50 }, { 50, 3, 131, XFS_RMAP_BMBT }, { 60, 2, 133, XFS_RMAP_ATTR },
};

START_TEST(contradictions)
{
	static const struct { char op; bool shared; struct xfs_claim c; int err; } bad[] = {
		{ 'm', false, { 4, 3, XFS_OWN_INODES, 0 }, -XFS_E_CORRUPT },		/* overlaps the left one */
		{ 'm', false, { 45, 10, 134, 0 }, -XFS_E_CORRUPT },			/* and the right one */
		{ 'm', true, { 10, 5, 132, 100 }, -XFS_E_CORRUPT },			/* is there */
		{ 'm', false, { 70, 0, 134, 0 }, -XFS_E_INVALID },
		{ 'm', false, { 70, 1, XFS_OWN_UNKNOWN, 0 }, -XFS_E_INVALID },
		{ 'm', false, { 70, 1, XFS_OWN_COW, 7 }, -XFS_E_INVALID },
		{ 'm', false, { 70, 1, 134, XFS_RMAP_BMBT | 1 }, -XFS_E_INVALID },
		{ 'm', false, { 70, 1, 134, XFS_RMAP_ATTR | XFS_RMAP_UNWRITTEN }, -XFS_E_INVALID },
		{ 'm', false, { 70, 1, 134, UINT64_C(1) << 57 }, -XFS_E_INVALID },
		{ 'm', false, { UINT32_MAX, 2, 134, 0 }, -XFS_E_INVALID },
		{ 'u', false, { 2, 5, XFS_OWN_AG, 0 }, -XFS_E_CORRUPT },		/* too long */
		{ 'u', false, { 2, 2, XFS_OWN_INODES, 0 }, -XFS_E_CORRUPT },		/* another's */
		{ 'u', false, { 35, 2, 131, 55 }, -XFS_E_CORRUPT },			/* state */
		{ 'u', false, { 35, 2, 131, XFS_RMAP_UNWRITTEN | 54 }, -XFS_E_CORRUPT },	/* offset */
		{ 'u', true, { 12, 2, 132, 103 }, -XFS_E_CORRUPT },
		{ 'u', true, { 12, 4, 132, 102 }, -XFS_E_CORRUPT },
		{ 'u', false, { 7, 1, XFS_OWN_AG, 0 }, -XFS_E_CORRUPT },		/* nobody's */
		{ 'u', false, { 5, 2, XFS_OWN_UNKNOWN, 0 }, -XFS_E_CORRUPT },
		{ 'u', false, { 28, 3, XFS_OWN_UNKNOWN, 0 }, -XFS_E_CORRUPT },
		{ 'u', false, { 5, 2, XFS_OWN_NULL, 0 }, -XFS_E_CORRUPT },
		{ 'u', false, { 6, 2, XFS_OWN_NULL, 0 }, 0 },
		{ 'u', false, { 22, 8, XFS_OWN_UNKNOWN, 0 }, 0 },			/* nothing there */
		{ 'c', false, { 32, 2, 131, 52 }, -XFS_E_CORRUPT },			/* is not written */
		{ 'c', false, { 50, 1, 131, XFS_RMAP_BMBT }, -XFS_E_INVALID },
		{ 'c', false, { 60, 1, 133, XFS_RMAP_ATTR }, -XFS_E_INVALID },
		{ 'c', false, { 2, 1, XFS_OWN_AG, 0 }, -XFS_E_INVALID },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(bad); i++) {
		int err;

		tree_load(some, XFS_ARRAY_SIZE(some), -1);
		err = apply(bad[i].op == 'm' ? "map" : bad[i].op == 'u' ? "unmap" : "convert", &bad[i].c,
			    bad[i].shared);
		ck_assert_msg(err == bad[i].err, "%zu: %s", i, xfs_error_name(err));
		tree_verify();		/* contradictions are found before anything is changed */
		tree_read(&now);
		qk_assert_uint_eq(now.n, XFS_ARRAY_SIZE(some));
		qk_assert_mem_eq(now.c, some, sizeof(some));
		memtree_release(&tree);
	}
}
END_TEST

/* Nothing joins beyond the longest record. */
START_TEST(longest_record)
{
	static const struct xfs_claim long_one[] = { { 0, 2, XFS_OWN_FS, 0 }, { 2, UINT32_MAX - 10, 131, 0 } };
	struct xfs_claim c = { UINT32_MAX - 8, 5, 131, UINT32_MAX - 10 };

	tree_load(long_one, 2, -1);
	qk_assert_int_eq(xfs_rmap_map(&bt, &c, false), 0);
	tree_read(&now);
	ck_assert_uint_eq(now.n, 2);
	ck_assert_uint_eq(now.c[1].len, UINT32_MAX - 5);
	memtree_release(&tree);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rmap");
	TCase *t = tcase_create("rmap");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, transitions);
	tcase_add_loop_test(t, random_changes, 0, 3);
	tcase_add_test(t, contradictions);
	tcase_add_test(t, longest_record);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
