/* SPDX-License-Identifier: BSD-2-Clause */
/* memtree.c - btrees in memory for unit tests. */
#include "tests/unit/memtree.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t test_uuid[16] = { 0x11, 0x22, 0x33, 0x44, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
#define TEST_OWNER 7u

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t test_random_below(uint64_t *state, uint64_t n)
{
	return test_random(state) % n;
}

struct rmap {
	uint32_t start, count;
	uint64_t owner, word;
};

static int rmap_order(const void *a, const void *b)
{
	const struct rmap *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return x->word < y->word ? -1 : x->word > y->word;
}

static void put_rmap(uint8_t *rec, const struct rmap *r)
{
	xfs_put_be32(rec, r->start);
	xfs_put_be32(rec + 4, r->count);
	xfs_put_be64(rec + 8, r->owner);
	xfs_put_be64(rec + 16, r->word);
}

/* A record that shares its blocks with nobody. */
static struct rmap sole_rmap(uint64_t *random, uint32_t start)
{
	struct rmap r = { .start = start, .count = 1 + (uint32_t)test_random_below(random, 30) };

	switch (test_random_below(random, 5)) {
	case 0:
		r.owner = XFS_OWN(3 + test_random_below(random, 7));
		break;
	case 1:
		r.owner = 64 + test_random_below(random, 1000);
		r.word = XFS_RMAP_BMBT | (test_random(random) & XFS_RMAP_ATTR);
		break;
	case 2:
		r.owner = 64 + test_random_below(random, 1000);
		r.word = XFS_RMAP_ATTR | test_random_below(random, 100000);
		break;
	case 3:
		r.owner = 64 + test_random_below(random, 1000);
		r.word = XFS_RMAP_UNWRITTEN | test_random_below(random, UINT64_C(1) << 40);
		break;
	default:
		r.owner = 64 + test_random_below(random, 1000);
		r.word = test_random_below(random, UINT64_C(1) << 40);
	}
	return r;
}

#define BIG_HEAP 5000u

/* Runs of unshared records and heaps of file data that lie on top of each other, one after the other. */
static uint8_t *rmap_records(const struct xfs_btree_kind *kind, uint64_t n, uint64_t *random, unsigned long_share)
{
	struct rmap *all = calloc(n + BIG_HEAP, sizeof(*all));
	uint8_t *recs = malloc(n * kind->shape->reclen + 1);
	uint64_t done = 0, at = 0;

	must(all && recs);
	while (done < n) {
		uint64_t end = at, heap = 1 + test_random_below(random, 40), kept;
		bool big = long_share && test_random_below(random, 40) == 0;

		if (test_random_below(random, 2)) {
			all[done] = sole_rmap(random, (uint32_t)at);
			at += all[done++].count + 1 + test_random_below(random, 3);
			continue;
		}
		if (big)	/* so that long records lie above many leaves, and nodes */
			heap = 500 + test_random_below(random, BIG_HEAP - 500);
		for (uint64_t i = 0; i < heap; i++) {
			struct rmap *r = &all[done + i];
			bool lengthy = test_random_below(random, 1000) < long_share;

			r->start = (uint32_t)(at + test_random_below(random, heap));
			r->count = 1 + (uint32_t)test_random_below(random, lengthy ? heap : 12);
			r->owner = 64 + test_random_below(random, 12);
			r->word = test_random_below(random, UINT64_C(1) << 30);
			if (r->start + (uint64_t)r->count > end)
				end = r->start + (uint64_t)r->count;
		}
		qsort(all + done, heap, sizeof(*all), rmap_order);
		kept = done;	/* equal keys can't occur twice */
		for (uint64_t i = done; i < done + heap; i++)
			if (kept == done || rmap_order(&all[kept - 1], &all[i]))
				all[kept++] = all[i];
		done = kept;
		at = end + 1;
	}
	for (uint64_t i = 0; i < n; i++)
		put_rmap(recs + i * kind->shape->reclen, &all[i]);
	free(all);
	return recs;
}

static void free_extents(uint8_t *recs, uint64_t n, uint64_t *random)
{
	uint64_t at = 8;

	for (uint64_t i = 0; i < n; i++) {
		struct xfs_bnobt_rec r = { .startblock = (uint32_t)at };

		r.blockcount = 1 + (uint32_t)test_random_below(random, 50);
		at += r.blockcount + 1 + test_random_below(random, 20);
		xfs_bnobt_rec_encode(recs + 8 * i, &r);
	}
}

static int by_length(const void *a, const void *b)
{
	struct xfs_bnobt_rec x, y;

	xfs_bnobt_rec_decode(&x, a);
	xfs_bnobt_rec_decode(&y, b);
	if (x.blockcount != y.blockcount)
		return x.blockcount < y.blockcount ? -1 : 1;
	return x.startblock < y.startblock ? -1 : x.startblock > y.startblock;
}

static void chunks(uint8_t *recs, uint64_t n, uint64_t *random)
{
	uint32_t at = 64;

	for (uint64_t i = 0; i < n; i++) {
		struct xfs_inobt_rec r = { .startino = at, .count = 64, .free = test_random(random) };

		r.freecount = (uint8_t)__builtin_popcountll(r.free);
		at += 64 * (1 + (uint32_t)test_random_below(random, 3));
		xfs_inobt_rec_encode(recs + 16 * i, &r);
	}
}

static void refcounts(uint8_t *recs, uint64_t n, uint64_t *random)
{
	uint64_t at = 8, cow = n - n / 8;

	for (uint64_t i = 0; i < n; i++) {
		struct xfs_refc_rec r = { .cowflag = i >= cow };

		if (i == cow)
			at = 8;
		r.startblock = (uint32_t)at;
		r.blockcount = 1 + (uint32_t)test_random_below(random, 20);
		r.refcount = r.cowflag ? 1 : 2 + (uint32_t)i % 5;	/* neighbours that touch differ */
		at += r.blockcount + test_random_below(random, 4) + r.cowflag;
		xfs_refc_rec_encode(recs + 12 * i, &r);
	}
}

static void extents(uint8_t *recs, uint64_t n, uint64_t *random)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct xfs_bmbt_rec r = { .startoff = at, .startblock = test_random(random) >> 12 };

		r.blockcount = 1 + (uint32_t)test_random_below(random, 100);
		r.extentflag = test_random_below(random, 2);
		at += r.blockcount + test_random_below(random, 10);
		xfs_bmbt_rec_encode(recs + 16 * i, &r);
	}
}

uint8_t *test_records(const struct xfs_btree_kind *kind, uint64_t n, uint64_t *random, unsigned long_share)
{
	uint8_t *recs;

	if (kind->overlapping)
		return rmap_records(kind, n, random, long_share);
	recs = malloc(n * kind->shape->reclen + 1);
	must(recs != NULL);
	switch (kind->id) {
	case XFS_BTREE_BNO:
		free_extents(recs, n, random);
		break;
	case XFS_BTREE_CNT:
		free_extents(recs, n, random);
		qsort(recs, n, 8, by_length);
		break;
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		chunks(recs, n, random);
		break;
	case XFS_BTREE_BMAP:
		extents(recs, n, random);
		break;
	default:
		refcounts(recs, n, random);
	}
	return recs;
}

static uint64_t daddr_of(void *payload, uint64_t ptr)
{
	(void)payload;
	return ptr * 8 + 3;
}

static int next_record(void *payload, void *rec)
{
	struct memtree *t = payload;

	must(t->taken < t->nrecs);
	memcpy(rec, t->recs + t->taken++ * t->kind->shape->reclen, t->kind->shape->reclen);
	return 0;
}

static int next_block(void *payload, unsigned level, uint64_t *ptr)
{
	struct memtree *t = payload;
	uint64_t first = 0;

	for (unsigned i = 0; i < level; i++)
		first += t->geometry.lev[i].blocks;
	must(t->next_of[level] < t->geometry.lev[level].blocks);
	*ptr = MEMTREE_BASE + first + t->next_of[level]++;
	return 0;
}

static int keep_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct memtree *t = payload;
	uint8_t *at = memtree_block(t, ptr);

	(void)level;
	must(at[0] == 0 && at[1] == 0);	/* never emitted before */
	memcpy(at, data, t->blocksize);
	t->nblocks++;
	return 0;
}

uint8_t *memtree_block(struct memtree *t, uint64_t ptr)
{
	must(ptr >= MEMTREE_BASE && ptr < MEMTREE_BASE + t->room);
	return t->blocks + (ptr - MEMTREE_BASE) * t->blocksize;
}

void memtree_load(struct memtree *t, const struct xfs_btree_kind *kind, bool v5, uint32_t blocksize,
		  const uint8_t *recs, uint64_t n, int leaf_slack, int node_slack, size_t fork_len)
{
	struct xfs_btree_bulk bulk = {
		.kind = kind, .blocksize = blocksize, .v5 = v5, .uuid = test_uuid, .owner = TEST_OWNER, .lsn = 99,
		.next = next_record, .alloc = next_block, .daddr_of = daddr_of, .emit = keep_block, .payload = t,
	};

	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->v5 = v5;
	t->blocksize = blocksize;
	t->recs = recs;
	t->nrecs = n;
	t->fork_len = kind->inode_root ? fork_len : 0;
	must(t->fork_len <= sizeof(t->fork));
	must(xfs_btree_bulk_geometry(&t->geometry, kind, v5, blocksize, n, leaf_slack, node_slack,
						 t->fork_len) == 0);
	t->room = t->geometry.blocks;
	t->blocks = calloc(t->room + 1, blocksize);
	must(t->blocks != NULL);
	bulk.inline_root = t->fork;
	bulk.inline_len = t->fork_len;
	must(xfs_btree_bulk_load(&bulk, &t->geometry) == 0);
	must(t->taken == n);
	must(t->nblocks == t->geometry.blocks);
	t->root = bulk.root;
	t->levels = bulk.levels;
}

static int get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct memtree *t = owner;

	if (ptr < MEMTREE_BASE || ptr >= MEMTREE_BASE + t->room)
		return -XFS_E_RANGE;
	out->ptr = ptr;
	out->data = memtree_block(t, ptr);
	t->borrowed++;
	t->gets++;
	return 0;
}

static void put(void *owner, struct xfs_btree_block *block)
{
	struct memtree *t = owner;

	must(block->data != NULL);
	t->borrowed--;
}

static void readahead(void *owner, const uint64_t *ptrs, size_t n)
{
	struct memtree *t = owner;

	(void)ptrs;
	t->announced += n;
}

static int space_alloc(void *owner, unsigned level, uint64_t near, uint64_t *ptr)
{
	struct memtree *t = owner;
	uint64_t i = 0;

	(void)level;
	(void)near;
	if (t->fail_alloc && --t->fail_alloc == 0)
		return -XFS_E_NOSPC;
	while (i < t->room && t->used[i])
		i++;
	if (i == t->room)
		return -XFS_E_NOSPC;
	t->used[i] = 1;
	t->nused++;
	*ptr = MEMTREE_BASE + i;
	return 0;
}

static int space_free(void *owner, uint64_t ptr)
{
	struct memtree *t = owner;

	must(ptr >= MEMTREE_BASE && ptr < MEMTREE_BASE + t->room && t->used[ptr - MEMTREE_BASE]);
	t->used[ptr - MEMTREE_BASE] = 0;
	t->nused--;
	memset(memtree_block(t, ptr), 0xee, t->blocksize);	/* nobody may look at it again */
	return 0;
}

static size_t index_of(const struct memtree *t, uint64_t ptr)
{
	return (size_t)(ptr == XFS_NULL64 ? t->room : ptr - MEMTREE_BASE);
}

static int space_prepare(void *owner, const struct xfs_btree_block *b)
{
	struct memtree *t = owner;

	t->prepared[index_of(t, b->ptr)] = 1;
	return 0;
}

static int space_fresh(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct memtree *t = owner;

	t->prepared[index_of(t, ptr)] = 1;
	return get(owner, ptr, out);
}

static void space_dirty(void *owner, const struct xfs_btree_block *b, uint32_t off, uint32_t len)
{
	struct memtree *t = owner;
	uint64_t at = (uint64_t)index_of(t, b->ptr) * t->blocksize;

	must(len > 0);
	must(t->prepared[index_of(t, b->ptr)]);
	must((uint64_t)off + len <= (b->ptr == XFS_NULL64 ? t->fork_len : t->blocksize));
	memcpy(t->shadow + at + off, b->data + off, len);
}

void memtree_open(struct memtree *t, uint64_t room)
{
	size_t bytes = (room + 1) * t->blocksize;

	must(room >= t->room);
	t->blocks = realloc(t->blocks, bytes);
	t->shadow = calloc(1, bytes);
	t->used = calloc(room, 1);
	t->prepared = calloc(room + 1, 1);
	must(t->blocks && t->shadow && t->used && t->prepared);
	must(t->blocksize >= sizeof(t->fork));
	memcpy(t->shadow, t->blocks, t->room * t->blocksize);
	memcpy(t->shadow + room * t->blocksize, t->fork, sizeof(t->fork));
	memset(t->blocks + t->room * t->blocksize, 0xee, bytes - t->room * t->blocksize);
	memset(t->used, 1, t->room);
	t->nused = t->room;
	t->room = room;
	t->space = (struct xfs_btree_space){ .owner = t, .alloc = space_alloc, .free = space_free,
					     .prepare = space_prepare, .fresh = space_fresh, .dirty = space_dirty };
}

void memtree_settle(struct memtree *t, const struct xfs_btree *bt)
{
	size_t crc = t->kind->shape->long_form ? XFS_OFF(btree_long, crc) : XFS_OFF(btree_short, crc);

	t->root = bt->root;
	t->levels = bt->levels;
	must(t->borrowed == 0);
	for (uint64_t i = 0; i < t->room; i++) {
		uint8_t *d = t->blocks + i * t->blocksize, *s = t->shadow + i * t->blocksize;

		if (!t->used[i])
			continue;
		must(memcmp(d, s, t->blocksize) == 0);
		if (t->v5)
			xfs_crc32c_store(d, t->blocksize, crc);
		memcpy(s, d, t->blocksize);
	}
	must(memcmp(t->fork, t->shadow + t->room * t->blocksize, t->fork_len) == 0);
	memset(t->prepared, 0, t->room + 1);
}

struct xfs_btree memtree_instance(struct memtree *t)
{
	return (struct xfs_btree){
		.kind = t->kind, .io = { .owner = t, .get = get, .put = put, .readahead = readahead },
		.blocksize = t->blocksize, .v5 = t->v5, .root = t->root, .levels = t->levels,
		.inline_root = t->kind->inode_root ? t->fork : NULL, .inline_len = t->fork_len,
		.uuid = test_uuid, .owner = TEST_OWNER, .daddr_of = daddr_of,
		.ptr_min = MEMTREE_BASE, .ptr_max = MEMTREE_BASE + t->room,
		.space = t->used ? &t->space : NULL,
	};
}

void memtree_release(struct memtree *t)
{
	free(t->blocks);
	free(t->shadow);
	free(t->used);
	free(t->prepared);
	t->blocks = t->shadow = t->used = t->prepared = NULL;
}
