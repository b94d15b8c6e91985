/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_fork.c - forks from extents, read back with the btree engine: every form and threshold. */
#include "libxfs/base/errors.h"
#include "libxfs/btree/btree.h"
#include "libxfs/build/fork.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/quick.h"
#include "tests/unit/recdev.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define INO UINT64_C(4711)
#define FIRST 5000u		/* agbno of the first block for trees, in AG 1 */

struct rig {
	struct xfs_geometry geo;
	struct recdev *dev;
	uint64_t taken, given_back, most;	/* blocks; more than `most` there are not */
	bool apart;				/* every second block only */
	uint8_t fork[2048];
	struct xfs_extent *extents;
	size_t n, room, seen;
};

static void rig_init(struct rig *r, const struct testfs *fs)
{
	memset(r, 0, sizeof(*r));
	testfs_init(&r->geo, fs);
	r->dev = recdev_new(xfs_agbno_daddr(&r->geo, XFS_AGNO(1), XFS_AGBNO(FIRST)).v << XFS_BBSHIFT,
			    (uint64_t)20000 * r->geo.blocksize);
	r->most = UINT64_MAX;
}

static void rig_release(struct rig *r)
{
	xfs_dev_close(&r->dev->dev);
	free(r->extents);
}

static uint64_t nth_block(const struct rig *r, uint64_t i)
{
	return xfs_fsbno_of(&r->geo, XFS_AGNO(1), XFS_AGBNO(FIRST + (r->apart ? 2 * i : i))).v;
}

static int take(void *payload, uint64_t *fsbno)
{
	struct rig *r = payload;

	if (r->taken == r->most)
		return -XFS_E_NOSPC;
	*fsbno = nth_block(r, r->taken++);
	return 0;
}

static void give_back(void *payload, uint64_t fsbno)
{
	struct rig *r = payload;

	r->given_back++;
	qk_assert_uint_eq(fsbno, nth_block(r, r->taken - r->given_back));
}

static struct xfs_build_fork request(struct rig *r, uint32_t forksize)
{
	memset(r->fork, 0xa5, sizeof(r->fork));
	r->taken = r->given_back = 0;
	return (struct xfs_build_fork){ .geo = &r->geo, .ino = INO, .forksize = forksize, .extents = r->extents,
		.nextents = r->n, .lsn = 0, .dev = &r->dev->dev, .alloc = take, .unalloc = give_back, .payload = r,
		.bytes = r->fork };
}

/* Ascending extents that can't be joined, with holes here and there. */
static void make_extents(struct rig *r, struct testrand *rnd, size_t n)
{
	uint64_t off = testrand_below(rnd, 3);
	uint32_t agbno = r->geo.agfl_block + 1;

	r->extents = realloc(r->extents, (n + 1) * sizeof(*r->extents));
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		uint32_t len = 1 + testrand_below(rnd, 4);

		if (agbno + len > 4900)
			agbno = r->geo.agfl_block + 1 + testrand_below(rnd, 5);
		r->extents[i] = (struct xfs_extent){ off, xfs_fsbno_of(&r->geo, XFS_AGNO(0), XFS_AGBNO(agbno)).v, len,
			testrand_below(rnd, 5) == 0 };
		off += len + (testrand_below(rnd, 3) ? 0 : testrand_below(rnd, 1000));
		agbno += len + 1;
	}
}

/* ---- reading back ---- */

static int get_block(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct rig *r = owner;
	uint8_t *data = malloc(r->geo.blocksize);

	qk_assert_int_eq(xfs_dev_read(&r->dev->dev, xfs_fsbno_byte(&r->geo, XFS_FSBNO(ptr)), data, r->geo.blocksize),
			 0);
	*out = (struct xfs_btree_block){ ptr, data, data };
	return 0;
}

static void put_block(void *owner, struct xfs_btree_block *b)
{
	(void)owner;
	free(b->handle);
}

static uint64_t daddr_of(void *owner, uint64_t ptr)
{
	return xfs_fsbno_daddr(&((struct rig *)owner)->geo, XFS_FSBNO(ptr)).v;
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

static int compare(void *payload, const void *rec)
{
	struct rig *r = payload;
	struct xfs_bmbt_rec got;

	xfs_bmbt_rec_decode(&got, rec);
	qk_assert_uint_lt(r->seen, r->n);
	qk_assert_uint_eq(got.startoff, r->extents[r->seen].off);
	qk_assert_uint_eq(got.startblock, r->extents[r->seen].block);
	qk_assert_uint_eq(got.blockcount, r->extents[r->seen].len);
	qk_assert_uint_eq(got.extentflag, r->extents[r->seen].unwritten);
	r->seen++;
	return 0;
}

static int check_order(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	uint64_t *next = payload;	/* of each level */

	(void)data;
	if (ptr == XFS_NULL64)		/* the root in the fork */
		return 0;
	qk_assert_uint_ge(ptr, next[level]);	/* ascending from left to right */
	next[level] = ptr + 1;
	return 0;
}

static void check_tree(struct rig *r, const struct xfs_build_fork *b)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_btree bt = {
		.kind = &xfs_btree_kinds[XFS_BTREE_BMAP], .io = { r, get_block, put_block, NULL },
		.blocksize = r->geo.blocksize, .v5 = r->geo.v5, .levels = xfs_be16(r->fork) + 1u,
		.inline_root = r->fork, .inline_len = b->forksize, .uuid = r->geo.uuid, .owner = INO,
		.daddr_of = daddr_of,
	};
	struct xfs_btree_verify v = { .sink = &sink };
	uint64_t next[XFS_BTREE_MAXLEVELS] = { 0 };
	struct xfs_btree_walk walk = { check_order, NULL, next };

	qk_assert_uint_eq(b->levels, bt.levels);
	qk_assert_int_eq(xfs_btree_verify(&bt, &v), 0);
	qk_assert_uint_eq(v.findings, 0);
	qk_assert_uint_eq(v.records, r->n);
	r->seen = 0;
	qk_assert_int_eq(xfs_btree_query_all(&bt, compare, r), 0);
	qk_assert_uint_eq(r->seen, r->n);
	qk_assert_int_eq(xfs_btree_walk(&bt, &walk), 0);
}

/* Builds and reads back; the form must be the one that the kernel demands. */
static void build_and_check(struct rig *r, uint32_t forksize, enum xfs_fork which)
{
	struct xfs_build_fork b = request(r, forksize);
	bool fits = r->n <= forksize / 16;
	uint64_t blocks;

	b.which = which;
	recdev_forget(r->dev);
	qk_assert_int_eq(xfs_build_fork(&b), 0);
	qk_assert_int_eq(xfs_build_fork_blocks(&r->geo, forksize, r->n, &blocks), 0);
	qk_assert_uint_eq(blocks, r->taken);
	qk_assert_uint_eq(blocks, b.blocks);
	qk_assert_uint_eq(r->given_back, 0);
	qk_assert_uint_eq(b.format, fits ? XFS_DINODE_FMT_EXTENTS : XFS_DINODE_FMT_BTREE);
	for (size_t i = forksize; i < sizeof(r->fork); i++)
		qk_assert_uint_eq(r->fork[i], 0xa5);
	if (!fits) {
		qk_assert(r->dev->ascending);
		check_tree(r, &b);
		return;
	}
	qk_assert_uint_eq(blocks, 0);
	qk_assert_uint_eq(r->dev->vectors, 0);
	r->seen = 0;
	for (size_t i = 0; i < r->n; i++)
		compare(r, r->fork + 16 * i);
	for (size_t i = 16 * r->n; i < forksize; i++)
		qk_assert_uint_eq(r->fork[i], 0);
}

static const struct testfs kinds[] = {
	{ .agblocks = 40000, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 40000, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 40000, .agcount = 2, .inodesize = 1024 },
	{ .blocksize = 512, .agblocks = 40000, .agcount = 2, .v4 = true },
	{ .blocksize = 4096, .agblocks = 40000, .agcount = 2, .v4 = true, .inodesize = 2048 },
	{ .blocksize = 65536, .agblocks = 40000, .agcount = 2 },
};

/* around the number of extents at which the form or the height changes, for small and large forks */
START_TEST(thresholds)
{
	for (size_t k = 0; k < XFS_ARRAY_SIZE(kinds); k++) {
		struct testrand rnd = { k };
		struct rig r;

		rig_init(&r, &kinds[k]);
		for (uint32_t forksize = 24; ; ) {
			uint64_t leaf = xfs_btree_maxrecs(&xfs_btree_shape_bmbt, r.geo.v5, r.geo.blocksize, true);
			uint64_t root = (forksize - 4) / 16,
				 edges[4] = { forksize / 16, leaf, root * leaf, root * leaf * leaf };

			for (unsigned e = 0; e < 4; e++)
				for (int d = -1; d <= 2; d++) {
					uint64_t n = edges[e] + (uint64_t)d;

					if (n > 60000 || (n > 3000 && d == -1))
						continue;
					r.apart = d & 1;
					make_extents(&r, &rnd, (size_t)n);
					build_and_check(&r, forksize, XFS_FORK_DATA);
				}
			if (forksize >= r.geo.litino)
				break;
			forksize += 8 * (1 + testrand_below(&rnd, 12));
			if (forksize > r.geo.litino)
				forksize = r.geo.litino & ~7u;
			if (forksize + 8 > r.geo.litino)
				forksize = r.geo.litino;
		}
		rig_release(&r);
	}
}
END_TEST

START_TEST(random_lists)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct testrand rnd = { seed };
		struct rig r;

		rig_init(&r, &kinds[seed % XFS_ARRAY_SIZE(kinds)]);
		make_extents(&r, &rnd, testrand_below(&rnd, seed % 10 ? 400 : 12000));
		build_and_check(&r, 24 + 8 * testrand_below(&rnd, (r.geo.litino - 24) / 8), XFS_FORK_DATA);
		for (size_t i = 0; i < r.n; i++)
			r.extents[i].unwritten = false;
		build_and_check(&r, 24 + 8 * testrand_below(&rnd, (r.geo.litino - 24) / 8), XFS_FORK_ATTR);
		rig_release(&r);
	}
}
END_TEST

/* Mappings of any length become records: the same blocks at the same places, joined as far as a record reaches. */
START_TEST(splitting_and_joining)
{
	struct testrand rnd = { 1 };

	for (unsigned round = 0; round < 300; round++) {
		struct xfs_extent *e = NULL, *m = calloc(50, sizeof(*m));
		uint64_t lens[50], off = 0, block = 100, at, want;
		size_t n = 0, room = 0, nm = 1 + testrand_below(&rnd, 50), k = 0;

		for (size_t i = 0; i < nm; i++) {
			lens[i] = testrand_below(&rnd, 4) ? 1 + testrand_below(&rnd, 100) :
				(uint64_t)XFS_BMBT_MAXLEN * testrand_below(&rnd, 4) + 1 + testrand_below(&rnd, 3);
			if (testrand_below(&rnd, 2)) {
				off += testrand_below(&rnd, 5);
				block += testrand_below(&rnd, 5);
			}
			m[i] = (struct xfs_extent){ off, block, 0, testrand_below(&rnd, 3) == 0 };
			qk_assert_int_eq(xfs_build_fork_extents(&e, &n, &room, off, block, lens[i], m[i].unwritten), 0);
			off += lens[i];
			block += lens[i];
		}
		at = want = 0;		/* offset inside e[k], of m */
		for (size_t i = 0; i < nm; i++)
			for (uint64_t done = 0; done < lens[i]; ) {
				uint64_t step;

				qk_assert_uint_lt(k, n);
				qk_assert_uint_eq(e[k].off + at, m[i].off + done);
				qk_assert_uint_eq(e[k].block + at, m[i].block + done);
				qk_assert_uint_eq(e[k].unwritten, m[i].unwritten);
				qk_assert_uint_le(e[k].len, XFS_BMBT_MAXLEN);
				step = xfs_min(e[k].len - at, lens[i] - done);
				done += step;
				at += step;
				if (at == e[k].len) {
					at = 0;
					k++;
				}
			}
		qk_assert_uint_eq(k, n);
		qk_assert_uint_eq(at, 0);
		for (size_t i = 0; i + 1 < n; i++)
			qk_assert(e[i].len == XFS_BMBT_MAXLEN || e[i].off + e[i].len != e[i + 1].off ||
				  e[i].block + e[i].len != e[i + 1].block || e[i].unwritten != e[i + 1].unwritten);
		free(e);
		free(m);
	}
}
END_TEST

START_TEST(bad_extents)
{
	static const struct { struct xfs_extent e[2]; int want; } rows[] = {
		{ { { 0, 100, 5, false }, { 5, 200, 1, false } }, 0 },
		{ { { 0, 100, 5, false }, { 4, 200, 1, false } }, -XFS_E_INVALID },	/* overlap */
		{ { { 9, 100, 5, false }, { 0, 200, 1, false } }, -XFS_E_INVALID },	/* order */
		{ { { 0, 100, 0, false }, { 5, 200, 1, false } }, -XFS_E_INVALID },
		{ { { 0, 0, 5, false }, { 5, 200, 1, false } }, -XFS_E_INVALID },	/* headers of AG 0 */
		{ { { 0, 39999, 2, false }, { 5, 200, 1, false } }, -XFS_E_INVALID },	/* behind the AG */
		{ { { 0, 39999, 1, false }, { 5, 200, 1, false } }, 0 },
		{ { { 0, UINT64_C(1) << 50, 1, false }, { 5, 200, 1, false } }, -XFS_E_INVALID },
		{ { { 0, 100, 1, false }, { (UINT64_C(1) << 54) - 1, 200, 1, false } }, 0 },
		{ { { 0, 100, 1, false }, { UINT64_C(1) << 54, 200, 1, false } }, -XFS_E_INVALID },
		{ { { 0, 100, 1, false }, { UINT64_MAX, 200, 1, false } }, -XFS_E_INVALID },
		{ { { 0, 100, 1, true }, { 5, 200, 1, true } }, 0 },
	};
	struct rig r;
	struct xfs_build_fork b;
	uint64_t blocks;

	rig_init(&r, &kinds[0]);
	r.extents = calloc(100, sizeof(*r.extents));
	r.n = 2;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(rows); i++) {
		memcpy(r.extents, rows[i].e, sizeof(rows[i].e));
		b = request(&r, 336);
		qk_assert_int_eq(xfs_build_fork(&b), rows[i].want);
		qk_assert_uint_eq(r.taken, 0);
		b.which = XFS_FORK_ATTR;
		qk_assert_int_eq(xfs_build_fork(&b), rows[i].e[0].unwritten ? -XFS_E_INVALID : rows[i].want);
	}
	/* a fork without room for a root */
	qk_assert_int_eq(xfs_build_fork_blocks(&r.geo, 16, 1, &blocks), 0);
	qk_assert_int_eq(xfs_build_fork_blocks(&r.geo, 16, 2, &blocks), -XFS_E_INVALID);
	qk_assert_int_eq(xfs_build_fork_blocks(&r.geo, 336, UINT64_C(1) << 60, &blocks), -XFS_E_TOOBIG);
	/* more than any counter holds: said before an extent is looked at */
	b = request(&r, 336);
	b.nextents = UINT64_C(1) << 48;
	qk_assert_int_eq(xfs_build_fork(&b), -XFS_E_TOOBIG);
	b.which = XFS_FORK_ATTR;
	b.nextents = UINT64_C(1) << 32;
	qk_assert_int_eq(xfs_build_fork(&b), -XFS_E_TOOBIG);
	qk_assert_uint_eq(xfs_build_fork_most(XFS_FORK_DATA, false), 0x7fffffff);
	qk_assert_uint_eq(xfs_build_fork_most(XFS_FORK_ATTR, false), 0x7fff);
	rig_release(&r);
}
END_TEST

START_TEST(failures)
{
	struct testrand rnd = { 3 };
	struct rig r;
	uint64_t blocks;
	int err;

	rig_init(&r, &kinds[1]);
	make_extents(&r, &rnd, 5000);
	qk_assert_int_eq(xfs_build_fork_blocks(&r.geo, 96, r.n, &blocks), 0);
	qk_assert_uint_gt(blocks, 85);
	for (uint64_t most = 0; most <= blocks; most++) {
		struct xfs_build_fork b = request(&r, 96);

		r.most = most;
		recdev_forget(r.dev);
		err = xfs_build_fork(&b);
		qk_assert_int_eq(err, most < blocks ? -XFS_E_NOSPC : 0);
		qk_assert_uint_eq(r.given_back, err ? most : 0);
		qk_assert(!err || !r.dev->vectors);
	}
	r.apart = true;		/* a vector a block */
	for (uint64_t n = 1; n < 200; n++) {
		struct xfs_dev_fault plan = { .fail_write_at = n };
		struct xfs_build_fork b = request(&r, 96);

		qk_assert_int_eq(xfs_dev_fault(&b.dev, &r.dev->dev, &plan), 0);
		err = xfs_build_fork(&b);
		qk_assert_int_eq(err, n <= blocks ? -XFS_E_FAULT : 0);
		qk_assert_uint_eq(r.given_back, err ? blocks : 0);
		free(b.dev);
	}
	rig_release(&r);
}
END_TEST

START_TEST(out_of_memory)
{
	struct testrand rnd = { 4 };
	struct rig r;
	int err;

	rig_init(&r, &kinds[1]);
	make_extents(&r, &rnd, 5000);
	for (uint64_t n = 1; ; n++) {
		struct xfs_build_fork b = request(&r, 96);

		failmalloc_start(n, false);
		err = xfs_build_fork(&b);
		if (failmalloc_stop() < n)
			break;
		qk_assert_int_eq(err, -XFS_E_NOMEM);
		qk_assert_uint_eq(r.given_back, r.taken);
		qk_assert_uint_lt(n, 50);
	}
	qk_assert_int_eq(err, 0);
	rig_release(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("build-fork");
	TCase *t = tcase_create("forms"), *e = tcase_create("errors");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, thresholds);
	tcase_add_test(t, random_lists);
	tcase_add_test(t, splitting_and_joining);
	tcase_add_test(e, bad_extents);
	tcase_add_test(e, failures);
	tcase_add_test(e, out_of_memory);
	suite_add_tcase(s, t);
	suite_add_tcase(s, e);
	return vectors_main(s);
}
