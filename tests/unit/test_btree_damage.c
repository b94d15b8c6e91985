/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_btree_damage.c - damaged trees: verify names each kind of damage; nothing crashes, loops or leaks a block.
 */
#include "libxfs/base/crc32c.h"
#include "tests/unit/sometree.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static void seal(struct sometree *x, uint64_t ptr)
{
	if (x->t.v5)
		xfs_crc32c_store(memtree_block(&x->t, ptr), x->t.blocksize, xfs_btree_crc_off(x->bt.kind->shape));
}

/* The nth block of a level, and its parts (the bytes may be changed). */
static uint64_t block_of(const struct sometree *x, unsigned level, uint64_t nth)
{
	uint64_t ptr = MEMTREE_BASE + nth;

	for (unsigned i = 0; i < level; i++)
		ptr += x->t.geometry.lev[i].blocks;
	return ptr;
}

static uint8_t *entry_of(struct sometree *x, uint64_t ptr, uint32_t i)
{
	struct xfs_btree_view v;

	xfs_btree_view_make(&x->bt, ptr, memtree_block(&x->t, ptr), &v);
	return memtree_block(&x->t, ptr) + (xfs_btree_entry(&v, i) - memtree_block(&x->t, ptr));
}

static uint8_t *ptr_of(struct sometree *x, uint64_t ptr, uint32_t i)
{
	const struct xfs_btree_shape *s = x->bt.kind->shape;

	return memtree_block(&x->t, ptr) + xfs_btree_ptrs_off(s, x->t.v5, x->t.blocksize) + (size_t)i * s->ptrlen;
}

/* Exactly this finding, `times` times, and nothing else. */
static void expect_only(struct sometree *x, enum xfs_finding_id id, unsigned times)
{
	sometree_verify(x);
	ck_assert_msg(x->found[id] == times && x->findings == times, "%s: %u of %u findings, wanted %u",
		      xfs_finding_name(id), x->found[id], x->findings, times);
	sometree_restore(x);
}

static void expect_some(struct sometree *x, enum xfs_finding_id id)
{
	sometree_verify(x);
	ck_assert_msg(x->found[id] > 0, "no %s among %u findings", xfs_finding_name(id), x->findings);
	sometree_restore(x);
}

/* Changes word w of a key by delta; high: of the second key. */
static void shift_key(struct sometree *x, uint64_t ptr, uint32_t entry, bool high, unsigned w, int delta)
{
	const struct xfs_btree_kind *k = x->bt.kind;
	uint8_t *at = entry_of(x, ptr, entry) + (high ? k->keylen1 : 0);
	struct xfs_btree_key key;

	k->key_get(&key, at);
	key.w[w] += (uint64_t)(int64_t)delta;
	k->key_put(at, &key);
	seal(x, ptr);
}

static void damage_keys(struct sometree *x)
{
	const struct xfs_btree_kind *k = x->bt.kind;
	uint64_t node = block_of(x, 1, 1);

	for (unsigned w = 0; w < k->cmpwords; w++)
		for (int delta = -1; delta <= 1; delta += 2) {
			shift_key(x, node, 3, false, w, delta);
			sometree_verify(x);
			must(x->found[XFS_F_BTREE_KEY] == 1);
			/* where two start at the same block the change can also disturb the order */
			must(x->findings == 1 + x->found[XFS_F_BTREE_ORDER]);
			sometree_restore(x);
			if (!k->overlapping)
				continue;
			shift_key(x, node, 3, true, w, delta);
			expect_only(x, XFS_F_BTREE_HIGH_KEY, 1);
		}
}

static void damage_links(struct sometree *x)
{
	const struct xfs_btree_shape *s = x->bt.kind->shape;
	uint64_t leaf = block_of(x, 0, 5), first = block_of(x, 0, 0),
		 last = block_of(x, 0, x->t.geometry.lev[0].blocks - 1);

	for (int right = 0; right < 2; right++) {
		xfs_btree_put_sib(s, memtree_block(&x->t, leaf), right, leaf + 3);
		seal(x, leaf);
		expect_only(x, XFS_F_BTREE_SIBLING, 1);
		xfs_btree_put_sib(s, memtree_block(&x->t, leaf), right, XFS_NULL64);
		seal(x, leaf);
		expect_only(x, XFS_F_BTREE_SIBLING, 1);
		xfs_btree_put_sib(s, memtree_block(&x->t, leaf), right, leaf);	/* itself */
		seal(x, leaf);
		expect_only(x, XFS_F_BTREE_SIBLING, 2);
	}
	xfs_btree_put_sib(s, memtree_block(&x->t, first), false, last);	/* a ring */
	seal(x, first);
	expect_only(x, XFS_F_BTREE_SIBLING, 1);
	xfs_btree_put_sib(s, memtree_block(&x->t, last), true, first);
	seal(x, last);
	expect_only(x, XFS_F_BTREE_SIBLING, 1);
}

static void damage_pointers(struct sometree *x)
{
	const struct xfs_btree_shape *s = x->bt.kind->shape;
	uint64_t node = block_of(x, 1, 0);

	xfs_btree_put_ptr(s, ptr_of(x, node, 2), block_of(x, 0, 1));	/* a leaf twice */
	seal(x, node);
	expect_some(x, XFS_F_BTREE_LOOP);
	xfs_btree_put_ptr(s, ptr_of(x, node, 2), node);			/* the node itself */
	seal(x, node);
	expect_some(x, XFS_F_BTREE_LEVEL);
	xfs_btree_put_ptr(s, ptr_of(x, node, 2), MEMTREE_BASE + x->t.room);
	seal(x, node);
	expect_some(x, XFS_F_BTREE_POINTER);
	xfs_btree_put_ptr(s, ptr_of(x, node, 2), XFS_NULL64);
	seal(x, node);
	expect_some(x, XFS_F_BTREE_POINTER);
}

static void damage_headers(struct sometree *x)
{
	const struct xfs_btree_shape *s = x->bt.kind->shape;
	uint64_t leaf = block_of(x, 0, 3);
	uint8_t *d = memtree_block(&x->t, leaf);
	uint32_t most = xfs_btree_maxrecs(s, x->t.v5, x->t.blocksize, true);

	d[3] ^= 1;
	seal(x, leaf);
	expect_some(x, XFS_F_BLOCK_MAGIC);
	xfs_btree_short_set_level((void *)d, 1);
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_LEVEL);
	xfs_btree_short_set_numrecs((void *)d, (uint16_t)(most + 1));
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_NUMRECS);
	xfs_btree_short_set_numrecs((void *)d, 0);
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_NUMRECS);
	xfs_btree_short_set_numrecs((void *)d, (uint16_t)(most / 2 - 1));
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_FILL);
	if (!x->t.v5)
		return;
	d[x->t.blocksize - 1] ^= 0x10;	/* unused bytes count for the crc only */
	expect_only(x, XFS_F_BLOCK_CRC, 1);
	d[s->long_form ? XFS_OFF(btree_long, uuid) : XFS_OFF(btree_short, uuid)] ^= 1;
	seal(x, leaf);
	expect_only(x, XFS_F_BLOCK_UUID, 1);
	d[s->long_form ? XFS_OFF(btree_long, owner) : XFS_OFF(btree_short, owner)] ^= 1;
	seal(x, leaf);
	expect_only(x, XFS_F_BLOCK_OWNER, 1);
	d[s->long_form ? XFS_OFF(btree_long, bno) : XFS_OFF(btree_short, bno)] ^= 1;
	seal(x, leaf);
	expect_only(x, XFS_F_BLOCK_BLKNO, 1);
}

static void damage_order(struct sometree *x)
{
	uint64_t leaf = block_of(x, 0, 2);
	size_t len = x->bt.kind->shape->reclen;
	uint8_t *a = entry_of(x, leaf, 4), *b = entry_of(x, leaf, 5), keep[32];

	memcpy(keep, a, len);
	memcpy(a, b, len);
	memcpy(b, keep, len);
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_ORDER);
	memcpy(b, a, len);	/* twice the same */
	seal(x, leaf);
	expect_some(x, XFS_F_BTREE_ORDER);
}

static int refuse_third(void *payload, const void *rec)
{
	unsigned *n = payload;

	(void)rec;
	return ++*n == 3;
}

static void refused_record(struct sometree *x)
{
	struct xfs_sink sink = { sometree_note, x };
	unsigned n = 0;
	struct xfs_btree_verify v = { .sink = &sink, .record = refuse_third, .payload = &n };

	memset(x->found, 0, sizeof(x->found));
	must(xfs_btree_verify(&x->bt, &v) == 0);
	must(v.findings == 1);
	must(x->found[XFS_F_BTREE_RECORD] == 1);
}

struct countdown {
	unsigned left, level;
};

static int stop_after(void *payload, uint64_t ptr, unsigned level)
{
	struct countdown *c = payload;

	(void)ptr;
	c->level = level;
	return --c->left == 0 ? -XFS_E_STOP : 0;
}

/* The callback for blocks ends the walk at once, whether at a node or at a leaf. */
static void stopped_walk(struct sometree *x)
{
	for (unsigned n = 1; n <= 6; n++) {
		struct countdown c = { n, 0 };
		struct xfs_btree_verify v = { .block = stop_after, .payload = &c };

		must(xfs_btree_verify(&x->bt, &v) == -XFS_E_STOP);
		must(c.left == 0);
		must(c.level == (n < x->bt.levels ? x->bt.levels - n : 0));
		must(x->t.borrowed == 0);
	}
}

START_TEST(every_damage_is_found)
{
	struct sometree x;
	const struct xfs_btree_kind *k = &xfs_btree_kinds[_i % XFS_BTREE_KINDS];
	bool v5 = _i < XFS_BTREE_KINDS;

	if (!v5 && !k->magic_v4)
		return;
	sometree_make(&x, k->id, v5, v5 ? 1024 : 512, 20000);
	must(x.bt.levels >= 3);
	sometree_verify(&x);
	must(x.findings == 0);
	damage_keys(&x);
	damage_links(&x);
	damage_pointers(&x);
	damage_headers(&x);
	damage_order(&x);
	refused_record(&x);
	stopped_walk(&x);
	sometree_drop(&x);
}
END_TEST

static void put_free(uint8_t *rec, uint32_t start, uint32_t count)
{
	struct xfs_bnobt_rec r = { .startblock = start, .blockcount = count };

	xfs_bnobt_rec_encode(rec, &r);
}

static void put_rmap(uint8_t *rec, uint32_t start, uint32_t count, uint64_t owner, uint64_t offset)
{
	struct xfs_rmap_rec r = { .startblock = start, .blockcount = count, .owner = owner, .offset = offset };

	xfs_rmap_rec_encode(rec, &r);
}

/* A single leaf of the given records. */
static void leaf_of(struct sometree *x, unsigned id, const uint8_t *recs, uint64_t n)
{
	memset(x, 0, sizeof(*x));
	memtree_load(&x->t, &xfs_btree_kinds[id], true, 4096, recs, n, -1, -1, 140);
	x->bt = memtree_instance(&x->t);
}

START_TEST(neighbours)
{
	uint8_t recs[5 * 24] = { 0 };
	struct sometree x;

	put_free(recs, 10, 5);
	put_free(recs + 8, 14, 5);
	put_free(recs + 16, 19, 5);
	leaf_of(&x, XFS_BTREE_BNO, recs, 3);
	sometree_verify(&x);
	must(x.found[XFS_F_BTREE_OVERLAP] == 1);
	must(x.found[XFS_F_BTREE_MERGE] == 1);
	must(x.findings == 2);
	memtree_release(&x.t);

	/* a long file extent covers two others of files (fine), then metadata (not fine) */
	put_rmap(recs, 10, 100, 64, 0);
	put_rmap(recs + 24, 20, 5, 65, 0);
	put_rmap(recs + 48, 30, 5, 66, 0);
	put_rmap(recs + 72, 40, 5, XFS_OWN_AG, 0);
	put_rmap(recs + 96, 42, 5, 67, 0);
	leaf_of(&x, XFS_BTREE_RMAP, recs, 3);
	sometree_verify(&x);
	must(x.findings == 0);
	memtree_release(&x.t);
	leaf_of(&x, XFS_BTREE_RMAP, recs, 4);
	sometree_verify(&x);
	must(x.found[XFS_F_BTREE_OVERLAP] == 1);
	memtree_release(&x.t);
	leaf_of(&x, XFS_BTREE_RMAP, recs + 72, 2);
	sometree_verify(&x);
	must(x.found[XFS_F_BTREE_OVERLAP] == 1);
	memtree_release(&x.t);

	/* neighbours with joined offsets are one record; a length of zero is none */
	put_rmap(recs, 10, 5, 64, 7);
	put_rmap(recs + 24, 15, 5, 64, 12);
	put_rmap(recs + 48, 30, 0, 64, 90);
	leaf_of(&x, XFS_BTREE_RMAP, recs, 3);
	sometree_verify(&x);
	must(x.found[XFS_F_BTREE_MERGE] == 1);
	must(x.found[XFS_F_BTREE_RECORD] == 1);
	must(x.findings == 2);
	memtree_release(&x.t);
}
END_TEST

/* Everything that reads, on a tree that may be damaged in any way. Results are free, ends and balance are not. */
static void read_all_ways(struct sometree *x, uint64_t *random)
{
	struct xfs_btree_key lo = { { test_random_below(random, 100000), 0, 0 } }, hi = lo;
	uint64_t most = x->t.room * x->t.blocksize, n = 0, blocks = 0;
	struct xfs_btree_walk w = { .block = sometree_ignore_block, .bad = sometree_go_on, .payload = &blocks };
	struct xfs_btree_visits visits;
	struct xfs_btree_cursor cur;

	hi.w[0] += test_random_below(random, 100000);
	sometree_verify(x);
	must(xfs_btree_walk(&x->bt, &w) == 0);
	must(blocks <= x->t.room + 1);
	xfs_btree_query_all(&x->bt, sometree_ignore_record, &n);
	must(n <= most);
	xfs_btree_query_range(&x->bt, &lo, &hi, sometree_ignore_record, &n, &visits, NULL, NULL);
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++)
		must(visits.blocks[i] <= x->t.room + 1);
	xfs_btree_cursor_init(&cur, &x->bt);
	for (unsigned dir = XFS_LOOKUP_LE; dir <= XFS_LOOKUP_GE; dir++) {
		xfs_btree_lookup(&cur, dir, &lo);
		for (unsigned i = 0; i < 300 && xfs_btree_next(&cur) == 0; i++)
			must(xfs_btree_record(&cur) != NULL);
	}
	n = 0;
	for (int err = xfs_btree_first(&cur); err == 0; err = xfs_btree_next(&cur))
		n++;
	must(n <= most);
	n = 0;
	for (int err = xfs_btree_last(&cur); err == 0; err = xfs_btree_prev(&cur))
		n++;
	must(n <= most);
	xfs_btree_cursor_close(&cur);
	must(x->t.borrowed == 0);
}

/* Random bytes anywhere, and random pointers, levels and counts where they hurt; checksums are not looked at. */
static void spoil(struct sometree *x, uint64_t *random)
{
	unsigned times = 1 + (unsigned)test_random_below(random, 6);

	for (unsigned i = 0; i < times; i++) {
		/* prefer nodes: blocks of the upper levels come last */
		uint64_t b = test_random_below(random, 2) ? test_random_below(random, x->t.room)
			: x->t.room - 1 - test_random_below(random, x->t.room - x->t.geometry.lev[0].blocks);
		uint64_t ptr = MEMTREE_BASE + b;
		uint8_t *d = memtree_block(&x->t, ptr);
		unsigned level = xfs_btree_get_level(d);

		switch (test_random_below(random, 5)) {
		case 0:
			d[test_random_below(random, x->t.blocksize)] ^= (uint8_t)(1u << test_random_below(random, 8));
			break;
		case 1:
			xfs_btree_short_set_numrecs((void *)d, (uint16_t)test_random(random));
			break;
		case 2:
			if (x->bt.kind->inode_root)
				x->t.fork[test_random_below(random, x->t.fork_len)] ^= (uint8_t)test_random(random);
			break;
		default:
			if (level)
				xfs_btree_put_ptr(x->bt.kind->shape,
						  ptr_of(x, ptr, (uint32_t)test_random_below(random, 10)),
						  MEMTREE_BASE + test_random_below(random, x->t.room));
		}
	}
}

START_TEST(random_damage)
{
	uint64_t random = 99 + (unsigned)_i;
	struct sometree x;

	sometree_make(&x, (unsigned)_i, true, 1024, 4000);
	for (unsigned i = 0; i < 150; i++) {
		spoil(&x, &random);
		read_all_ways(&x, &random);
		sometree_restore(&x);
	}
	sometree_drop(&x);
}
END_TEST

/* Each entry of each node leads to the same child: without a bound that is maxrecs to the power of the levels. */
START_TEST(same_child_everywhere)
{
	struct sometree x;
	uint64_t random = 3, n = 0;
	struct xfs_btree_key lo = { { 0, 0, 0 } }, hi = { { UINT64_MAX, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree_visits visits;
	struct xfs_btree_cursor cur;
	int err;

	sometree_make(&x, (unsigned)_i, true, 1024, 30000);
	must(x.bt.levels >= 3);
	for (unsigned level = 1; level < x.bt.levels; level++) {
		uint64_t ptr = level + 1 == x.bt.levels && x.bt.kind->inode_root ? XFS_NULL64 : block_of(&x, level, 0);
		struct xfs_btree_view v;

		if (ptr == XFS_NULL64)
			continue;
		xfs_btree_view_make(&x.bt, ptr, memtree_block(&x.t, ptr), &v);
		for (uint32_t i = 1; i < v.n; i++)
			memcpy(ptr_of(&x, ptr, i), ptr_of(&x, ptr, 0), x.bt.kind->shape->ptrlen);
		seal(&x, ptr);
	}
	must(xfs_btree_query_all(&x.bt, sometree_ignore_record, &n) == -XFS_E_CORRUPT);
	must(xfs_btree_query_range(&x.bt, &lo, &hi, sometree_ignore_record, &n, &visits, NULL, NULL) == -XFS_E_CORRUPT);
	must(visits.blocks[0] <= 2);
	xfs_btree_cursor_init(&cur, &x.bt);
	err = xfs_btree_first(&cur);
	for (n = 0; !err; n++)
		err = xfs_btree_next(&cur);
	must(err == -XFS_E_CORRUPT);
	must(n < x.t.blocksize);	/* the records of one leaf */
	read_all_ways(&x, &random);
	sometree_verify(&x);
	must(x.found[XFS_F_BTREE_LOOP] > 0);
	sometree_drop(&x);
}
END_TEST

/* Keys written by old kernels hold the unwritten bit: read as if it were not there. */
START_TEST(old_unwritten_keys)
{
	struct sometree x;
	uint64_t node;

	sometree_make(&x, XFS_BTREE_RMAP, true, 1024, 4000);
	for (uint64_t b = 0; b < x.t.geometry.lev[1].blocks; b++) {
		node = block_of(&x, 1, b);
		for (uint32_t i = 0; i < xfs_btree_get_numrecs(memtree_block(&x.t, node)); i++) {
			entry_of(&x, node, i)[12] |= 0x20;
			entry_of(&x, node, i)[32] |= 0x20;
		}
		seal(&x, node);
	}
	expect_only(&x, XFS_F_NONE, 0);
	sometree_drop(&x);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("btree_damage");
	TCase *t = tcase_create("damage");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, every_damage_is_found, 0, 2 * XFS_BTREE_KINDS);
	tcase_add_test(t, neighbours);
	tcase_add_loop_test(t, random_damage, 0, XFS_BTREE_KINDS);
	tcase_add_loop_test(t, same_child_everywhere, 0, XFS_BTREE_KINDS);
	tcase_add_test(t, old_unwritten_keys);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
