/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_btree.c - prints rates of loading and reading a rmapbt of one million records in memory. */
#include "libxfs/btree/btree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORDS UINT64_C(1000000)
#define BLOCKSIZE 4096u
#define BLOCKS (RECORDS / 40)

/* processor time: other work on the machine does not count */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct store {
	uint8_t *blocks;
	uint64_t next, taken;
	uint64_t sum;
};

static const uint8_t uuid[16] = { 1, 2, 3 };

/* Written file data in a row: 8 blocks each with a gap, owners mixed. */
static int next_record(void *payload, void *rec)
{
	struct store *s = payload;
	struct xfs_rmap_rec r = { .startblock = (uint32_t)(s->taken * 10), .blockcount = 8 };

	r.owner = 128 + s->taken % 97;
	r.offset = s->taken;
	s->taken++;
	xfs_rmap_rec_encode(rec, &r);
	return 0;
}

static int next_block(void *payload, unsigned level, uint64_t *ptr)
{
	struct store *s = payload;

	(void)level;
	*ptr = s->next++;
	return 0;
}

static int keep(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct store *s = payload;

	(void)level;
	memcpy(s->blocks + ptr * BLOCKSIZE, data, BLOCKSIZE);
	return 0;
}

static uint64_t daddr_of(void *payload, uint64_t ptr)
{
	(void)payload;
	return ptr * (BLOCKSIZE / 512);
}

static int get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct store *s = owner;

	out->data = s->blocks + ptr * BLOCKSIZE;
	return 0;
}

static void put(void *owner, struct xfs_btree_block *block)
{
	(void)owner;
	(void)block;
}

static int add_record(void *payload, const void *rec)
{
	struct store *s = payload;

	s->sum += xfs_rmap_rec_get_startblock(rec);
	return 0;
}

/* What a dump does: all records of all leaves. */
static int add_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct store *s = payload;
	unsigned n = xfs_btree_short_get_numrecs((const void *)data);

	(void)ptr;
	for (unsigned i = 0; level == 0 && i < n; i++)
		s->sum += xfs_rmap_rec_get_startblock((const void *)(data + XFS_BTREE_SHORT_V5 + 24 * i));
	return 0;
}

static int load(struct store *s, struct xfs_btree_bulk *bulk)
{
	struct xfs_btree_geometry g;
	int err = xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_RMAP], true, BLOCKSIZE, RECORDS, -1, -1, 0);

	if (err)
		return err;
	s->taken = 0;
	s->next = 1;
	*bulk = (struct xfs_btree_bulk){
		.kind = &xfs_btree_kinds[XFS_BTREE_RMAP], .blocksize = BLOCKSIZE, .v5 = true, .uuid = uuid,
		.next = next_record, .alloc = next_block, .daddr_of = daddr_of, .emit = keep, .payload = s,
	};
	return xfs_btree_bulk_load(bulk, &g);
}

static void report(const char *what, double best, uint64_t things, const char *unit)
{
	printf("%-40s %8.2f ms  %8.1f million %s/s\n", what, best * 1e3, (double)things / best / 1e6, unit);
}

enum job { LOAD, ALL, WALK, VERIFY, LOOKUP, RANGE, UPDATE, INSERT, DELETE, JOBS };
static const char *const names[JOBS] = { "bulk load with crc", "query_all", "walk and sum of records",
	"verify with crc", "lookup LE, random", "range query of 100 blocks", "update of a length, random",
	"insert, random", "delete, random" };
#define QUERIES 100000u

static int lookups(struct xfs_btree *bt, bool range, struct store *s)
{
	struct xfs_btree_cursor cur;
	uint32_t x = 1;
	int err = 0;

	xfs_btree_cursor_init(&cur, bt);
	for (unsigned i = 0; i < QUERIES && !err; i++) {
		struct xfs_btree_key lo = { { 0, 0, 0 } }, hi = { { 0, UINT64_MAX, UINT64_MAX } };

		x = x * 1664525u + 1013904223u;
		lo.w[0] = x % (RECORDS * 10);
		hi.w[0] = lo.w[0] + 99;
		if (range)
			err = xfs_btree_query_range(bt, &lo, &hi, add_record, s, NULL, NULL, NULL);
		else
			err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &lo) == -XFS_E_CORRUPT;
	}
	xfs_btree_cursor_close(&cur);
	return err;
}

static int give_block(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct store *s = owner;

	(void)level;
	(void)near;
	if (s->next >= BLOCKS)
		return -XFS_E_NOSPC;
	*ptr = s->next++;
	return 0;
}

static int drop_block(void *owner, uint64_t ptr)
{
	(void)owner;
	(void)ptr;
	return 0;
}

static void ignore_dirty(void *owner, const struct xfs_btree_block *b, uint32_t off, uint32_t len)
{
	(void)owner;
	(void)b;
	(void)off;
	(void)len;
}

/* Into the gaps between the loaded records, and out of them again. */
static int changes(struct xfs_btree *bt, enum job job)
{
	struct xfs_btree_cursor cur;
	uint32_t x = 1;
	int err = 0;

	xfs_btree_cursor_init(&cur, bt);
	for (unsigned i = 0; i < QUERIES && !err; i++) {
		struct xfs_rmap_rec r = { .blockcount = 1, .owner = XFS_OWN_COW };
		struct xfs_btree_key key = { { 0, UINT64_MAX, UINT64_MAX } };
		uint8_t rec[24] = { 0 };

		x = x * 1664525u + 1013904223u;
		key.w[0] = r.startblock = (uint32_t)(x % RECORDS * 10 + 8);
		if (job == UPDATE) {
			r = (struct xfs_rmap_rec){ r.startblock - 8, 7, 128 + x % RECORDS % 97, x % RECORDS, 0, 0, 0 };
			key = (struct xfs_btree_key){ { r.startblock, r.owner, r.offset } };
		}
		xfs_rmap_rec_encode(rec, &r);
		if (job == INSERT) {
			err = xfs_btree_insert(bt, rec);
			err = err == -XFS_E_EXISTS ? 0 : err;
			continue;
		}
		err = xfs_btree_lookup(&cur, job == UPDATE ? XFS_LOOKUP_EQ : XFS_LOOKUP_LE, &key);
		if (!err)
			err = job == UPDATE ? xfs_btree_update(&cur, rec) : xfs_btree_delete(&cur);
	}
	xfs_btree_cursor_close(&cur);
	return err;
}

static int run(enum job job, struct store *s, struct xfs_btree_bulk *bulk)
{
	const struct xfs_btree_space space = { .owner = s, .alloc = give_block, .free = drop_block, .fresh = get,
					       .dirty = ignore_dirty };
	struct xfs_btree bt = {
		.kind = &xfs_btree_kinds[XFS_BTREE_RMAP], .space = job >= UPDATE ? &space : NULL,
		.io = { .owner = s, .get = get, .put = put },
		.blocksize = BLOCKSIZE, .v5 = true, .root = bulk->root, .levels = bulk->levels, .uuid = uuid,
		.daddr_of = daddr_of, .ptr_min = 1, .ptr_max = BLOCKS,
	};
	struct xfs_btree_walk walk = { .block = add_block, .payload = s };
	struct xfs_btree_verify v = { .sink = NULL };

	switch (job) {
	case LOAD:
		return load(s, bulk);
	case ALL:
		return xfs_btree_query_all(&bt, add_record, s);
	case WALK:
		return xfs_btree_walk(&bt, &walk);
	case VERIFY:
		return xfs_btree_verify(&bt, &v) || v.findings;
	case LOOKUP:
	case RANGE:
		return lookups(&bt, job == RANGE, s);
	default:
		return changes(&bt, job);
	}
}

int main(void)
{
	struct store s = { .blocks = malloc(BLOCKS * BLOCKSIZE) };
	struct xfs_btree_bulk bulk;

	if (!s.blocks)
		return 1;
	for (enum job job = LOAD; job < JOBS; job++) {
		double best = 1e9;

		for (int turn = 0; turn < 5; turn++) {
			double start, took;

			if (job >= UPDATE && load(&s, &bulk))	/* each turn changes a fresh tree */
				return 1;
			start = now();
			if (run(job, &s, &bulk)) {
				fprintf(stderr, "%s failed\n", names[job]);
				return 1;
			}
			took = now() - start;
			best = took < best ? took : best;
		}
		if (job >= LOOKUP)
			report(names[job], best, QUERIES, job < UPDATE ? "queries" : "changes");
		else
			report(names[job], best, RECORDS, "records");
	}
	printf("(%llu)\n", (unsigned long long)s.sum);
	free(s.blocks);
	return 0;
}
