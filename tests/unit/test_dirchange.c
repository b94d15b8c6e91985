/* SPDX-License-Identifier: BSD-2-Clause */
/* test_dirchange.c - directories that change, against a naive map, in all forms. */
#include "libxfs/inode/bmap.h"
#include "libxfs/name/dirchange.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 40000u
#define COST_MOST 160u			/* splits allocate: that reads trees of free space and of the fork */
#define COST_MEAN 32u

/* What the directory should hold: names are made from numbers. */
struct model {
	struct livefs l;
	struct testrand rnd;
	unsigned collide;		/* of 256 names, so many have the hash of another one */
	unsigned longest;
	uint64_t ino[MOST];		/* 0: not there */
	uint8_t ftype[MOST];
	uint32_t n, seen;
	uint64_t parent;
};
static struct model *m;

/* Pairs of bytes that can be swapped for another pair without a change of the hash: b0 ^ 1 and b1 ^ 0x80. */
static unsigned make_name(uint32_t id, uint8_t *name)
{
	unsigned len, bits = 0;

	if (id * UINT32_C(2654435761) >> 24 < m->collide) {
		for (; bits < 13; bits++) {
			name[2 * bits] = 0x60 | (id >> bits & 1);
			name[2 * bits + 1] = (uint8_t)(0x31 ^ (id >> bits & 1) << 7);
		}
		name[26] = (uint8_t)('A' + (id >> 13 & 7));
		return 27;
	}
	len = (unsigned)sprintf((char *)name, "%x-", (unsigned)id);
	for (unsigned more = id * UINT32_C(40503) >> 8 & 0xff; more > 0 && len < m->longest; more--)
		name[len++] = (uint8_t)('a' + (id + more) % 26);
	return len;
}

static int compare_entry(void *payload, const struct xfs_dir_entry *e)
{
	static const uint8_t dots[] = "..";
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	uint32_t id = 0;
	unsigned len;

	(void)payload;
	if (e->namelen <= 2 && !memcmp(e->name, dots, e->namelen)) {
		qk_assert_uint_eq(e->ino.v, e->namelen == 1 ? m->l.root : m->parent);
		return 0;
	}
	if (e->namelen == 27 && (e->name[25] & 0x7f) == 0x31) {
		for (unsigned bit = 0; bit < 13; bit++)
			id |= (uint32_t)(e->name[2 * bit] & 1) << bit;
		id |= (uint32_t)(e->name[26] - 'A') << 13;
	} else {
		qk_assert_int_eq(sscanf((const char *)e->name, "%x-", &id), 1);
	}
	qk_assert_uint_lt(id, MOST);
	len = make_name(id, name);
	qk_assert_uint_eq(len, e->namelen);
	qk_assert_mem_eq(name, e->name, len);
	qk_assert_uint_eq(m->ino[id], e->ino.v);
	if (m->l.geo.ftype)
		qk_assert_uint_eq(m->ftype[id], e->ftype);
	m->seen++;
	return 0;
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[400];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

/* Through the cache, as it is now. */
static void check(enum xfs_dir_form *form)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_live_inode *li;
	struct xfs_dir d;

	qk_assert_int_eq(xfs_live_inode_get(m->l.live, m->l.root, &li), 0);
	qk_assert_int_eq(xfs_dir_verify(&li->i, m->parent, &sink), 0);
	qk_assert_int_eq(xfs_dir_open(&d, &li->i, &sink), 0);
	m->seen = 0;
	qk_assert_int_eq(xfs_dir_each(&d, 0, compare_entry, NULL), 0);
	qk_assert_uint_eq(m->seen, m->n);
	if (form)
		*form = d.form;
	xfs_live_inode_put(li);
}

static struct xfs_live_inode *dir(void)
{
	return livefs_get(&m->l, m->l.root);
}

static int add(struct xfs_live_inode *li, uint32_t id)
{
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	unsigned len = make_name(id, name), ftype = 1 + testrand_below(&m->rnd, 7);
	uint64_t ino = m->l.root + testrand_below(&m->rnd, 60);
	int err = xfs_dir_add(li, name, len, ino, ftype);

	if (err)
		return err;
	qk_assert_uint_eq(m->ino[id], 0);
	m->ino[id] = ino;
	m->ftype[id] = (uint8_t)ftype;
	m->n++;
	return 0;
}

static int drop(struct xfs_live_inode *li, uint32_t id)
{
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	unsigned len = make_name(id, name);
	int err = xfs_dir_remove(li, name, len);

	if (err)
		return err;
	qk_assert(m->ino[id]);
	m->ino[id] = 0;
	m->n--;
	return 0;
}

static int replace(struct xfs_live_inode *li, uint32_t id)
{
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	unsigned len = make_name(id, name), ftype = 1 + testrand_below(&m->rnd, 7);
	uint64_t ino = m->l.root + testrand_below(&m->rnd, 60);
	int err = xfs_dir_replace(li, name, len, ino, ftype);

	if (err)
		return err;
	m->ino[id] = ino;
	m->ftype[id] = (uint8_t)ftype;
	return 0;
}

static void one(struct xfs_live_inode *li, uint32_t ids, unsigned adds)
{
	uint32_t id = testrand_below(&m->rnd, ids), what = testrand_below(&m->rnd, 100);
	bool there = m->ino[id] != 0;
	int err;

	if (what < 4)
		err = replace(li, id);
	else if (what < adds)
		err = add(li, id);
	else
		err = drop(li, id);
	if (what >= 4 && what < adds)
		qk_assert_int_eq(err, there ? -XFS_E_EXISTS : 0);
	else
		qk_assert_int_eq(err, there ? 0 : -XFS_E_NOENT);
}

static void start(const struct testfs *fs, unsigned collide, unsigned longest, uint64_t seed)
{
	m = calloc(1, sizeof(*m));
	m->collide = collide;
	m->longest = longest;
	m->rnd.s = seed;
	livefs_init(&m->l, fs, 10, NULL);
	m->parent = m->l.root;
}

static void finish(void)
{
	livefs_check(&m->l);
	livefs_release(&m->l);
	free(m);
}

/* Runs `ops` operations on names 0 to ids, in transactions of up to eight; returns the forms that were seen. */
static unsigned run(uint32_t ids, unsigned ops, unsigned adds, unsigned every)
{
	enum xfs_dir_form form;
	unsigned seen = 0;

	for (unsigned done = 0, next = 0; done < ops;) {
		struct xfs_live_inode *li;

		livefs_begin(&m->l);
		li = dir();
		for (unsigned k = testrand_below(&m->rnd, 8) + 1; k-- > 0; done++)
			one(li, ids, adds);
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
		if (done >= next) {
			check(&form);
			seen |= 1u << form;
			next = done + every;
		}
	}
	return seen;
}

static const struct testfs kinds[] = {
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .dirblklog = 2 },
	{ .blocksize = 4096, .agblocks = 6144, .agcount = 2 },
	{ .blocksize = 4096, .agblocks = 6144, .agcount = 2, .dirblklog = 1, .parent = true },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .v4 = true, .ci = true, .no_ftype = true },
	{ .blocksize = 512, .agblocks = 32768, .agcount = 2, .v4 = true, .dirblklog = 1 },
};

/* Removes all that is left, in an order of its own. */
static unsigned drain(unsigned step)
{
	enum xfs_dir_form form;
	unsigned seen = 0;

	for (uint32_t k = 0, id = 0; k < MOST; k++, id = (id + 7919) % MOST) {
		struct xfs_live_inode *li;

		if (!m->ino[id])
			continue;
		livefs_begin(&m->l);
		li = dir();
		qk_assert_int_eq(drop(li, id), 0);
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
		if (m->n % step == 0 || m->n < 40) {
			check(&form);
			seen |= 1u << form;
		}
	}
	qk_assert_uint_eq(m->n, 0);
	return seen;
}

/* Up through all forms and down again, twice; LONG: more of it. */
START_TEST(model)
{
	bool more = getenv("XFSKIT_LONG") != NULL;
	unsigned collide = _i < 6 ? 40 : 255, longest = _i < 6 ? 200 : 30, seen;

	start(&kinds[_i % 6], collide, longest, 11 + (uint64_t)_i);
	for (unsigned round = 0; round < (more ? 6 : 2); round++) {
		seen = 1;
		check(NULL);
		seen |= run(6, 30, 60, 1);
		seen |= run(40, 120, 80, 10);
		seen |= run(160, 300, 80, 10);
		seen |= run(more ? 20000 : 2500, more ? 40000 : 3000, 85, more ? 4000 : 500);
		qk_assert_uint_eq(seen, 15);
		run(more ? 20000 : 2500, more ? 20000 : 1500, 40, more ? 4000 : 500);
		seen = drain(more ? 50 : 20);
		qk_assert_uint_eq(seen | 2, 15);	/* so emptied it seldom stays a block */
		seen = 0;
		for (uint32_t ids = 4; ids < 60; ids += 4) {
			run(ids, 30, 90, 10);
			seen |= drain(1);
		}
		qk_assert_uint_eq(seen & 3, 3);
		livefs_check(&m->l);
		livefs_reopen(&m->l);
	}
	finish();
}
END_TEST

/* ---- failures ---- */

/* Up to six operations in one transaction; what they did to the model is forgotten when something fails. */
static int attempt(uint32_t ids, unsigned adds)
{
	static struct model before;
	struct xfs_live_inode *li = NULL;
	int err = xfs_trans_begin(&m->l.t, m->l.edit, 0);

	memcpy(&before, m, sizeof(before));
	if (!err)
		err = xfs_live_inode_get(m->l.live, m->l.root, &li);
	if (!err)
		err = xfs_live_inode_join(li, &m->l.t.change);
	for (unsigned k = 0; k < 6 && !err; k++) {
		uint32_t id = testrand_below(&m->rnd, ids);

		err = testrand_below(&m->rnd, 100) >= adds ? drop(li, id) : m->ino[id] ? replace(li, id) : add(li, id);
		if (err == -XFS_E_NOENT)
			err = 0;
	}
	if (err)
		xfs_trans_abort(&m->l.t);
	else
		err = xfs_trans_commit(&m->l.t);
	xfs_live_inode_put(li);
	if (err) {
		memcpy(m->ino, before.ino, sizeof(m->ino));
		memcpy(m->ftype, before.ftype, sizeof(m->ftype));
		m->n = before.n;
	}
	m->rnd = err ? before.rnd : m->rnd;
	return err;
}

/* Every allocation fails once. */
static void allocation_failures(uint32_t ids, unsigned adds, unsigned times)
{
	for (unsigned k = 0; k < times; k++)
		for (uint64_t n = 1;; n++) {
			int err;

			failmalloc_start(n, false);
			err = attempt(ids, adds);
			if (failmalloc_stop() < n) {
				qk_assert_int_eq(err, 0);
				break;
			}
			qk_assert(!err || err == -XFS_E_NOMEM);
			check(NULL);
			if (!err)	/* it was one that can be done without */
				break;
		}
}

struct places { uint64_t block[400]; unsigned n; };

static int note_places(void *payload, const struct xfs_extent *e)
{
	struct places *p = payload;

	for (uint32_t i = 0; i < e->len && p->n < XFS_ARRAY_SIZE(p->block); i++)
		p->block[p->n++] = e->block + i;
	return 0;
}

/* Each block of the directory can't be read once; nothing is in the cache before. */
static unsigned read_errors(uint32_t ids, unsigned adds)
{
	struct xfs_live_inode *li;
	struct places p = { .n = 0 };
	struct xfs_ifork f;
	unsigned failed = 0;

	qk_assert_int_eq(xfs_live_inode_get(m->l.live, m->l.root, &li), 0);
	qk_assert_int_eq(xfs_ifork_init(&f, &li->i, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_ifork_each(&f, note_places, &p), 0);
	xfs_live_inode_put(li);
	for (unsigned i = 0; i < p.n; i += 1 + p.n / 40) {
		int err;

		livefs_reopen(&m->l);
		m->l.dev->bad_off = xfs_fsbno_byte(&m->l.geo, XFS_FSBNO(p.block[i]));
		m->l.dev->bad_len = m->l.geo.blocksize;
		err = attempt(ids, adds);
		m->l.dev->bad_len = 0;
		qk_assert(!err || err == -XFS_E_IO);
		failed += err != 0;
		check(NULL);
	}
	return failed;
}

START_TEST(failures)
{
	static const struct { uint32_t ids, ops; unsigned adds; } sizes[] = {
		{ 6, 20, 60 }, { 40, 100, 80 }, { 160, 300, 80 }, { 1500, 2500, 90 }, { 1500, 1500, 15 },
	};

	unsigned failed = 0;

	start(&kinds[_i], 40, 200, 5);
	for (unsigned k = 0; k < XFS_ARRAY_SIZE(sizes); k++) {
		run(sizes[k].ids, sizes[k].ops, sizes[k].adds, 1000);
		allocation_failures(sizes[k].ids, sizes[k].adds, 6);
		failed += read_errors(sizes[k].ids, sizes[k].adds);
		livefs_check(&m->l);
	}
	qk_assert_uint_ge(failed, 10);
	finish();
}
END_TEST

/* ---- hostile bytes ---- */

/* Random bytes of random blocks, or of the fork in the inode, in the open transaction. */
static void scribble(struct xfs_live_inode *li, enum xfs_fork which, const enum xfs_block_kind *kinds_of,
		     unsigned nkinds)
{
	struct places p = { .n = 0 };
	struct xfs_ifork f;
	uint32_t len;

	if (xfs_ifork_init(&f, &li->i, which))
		return;
	if (f.format == XFS_DINODE_FMT_LOCAL) {
		uint8_t *bytes = xfs_live_fork_bytes(li, which, &len);

		for (unsigned k = 0; k < 3; k++)
			bytes[testrand_below(&m->rnd, k ? len : 12)] = (uint8_t)testrand_next(&m->rnd);
		return;
	}
	qk_assert_int_eq(xfs_ifork_each(&f, note_places, &p), 0);
	for (unsigned k = 0; k < 4 && p.n; k++) {
		uint64_t daddr = xfs_fsbno_daddr(&m->l.geo, XFS_FSBNO(p.block[testrand_below(&m->rnd, p.n)])).v;
		struct xfs_buf *b;

		/* blocks of several pieces are hit at their first one */
		if (xfs_buf_get1(m->l.fs->cache, daddr, m->l.geo.dirblksize / XFS_BBSIZE, NULL, XFS_BUF_CACHED, &b))
			continue;
		qk_assert_int_eq(xfs_change_join(&m->l.t.change, b, xfs_block_type(kinds_of[k % nkinds])), 0);
		for (unsigned i = 0; i < 4; i++) {
			/* headers and tables are what steers */
			uint32_t at = testrand_below(&m->rnd, i % 2 ? b->len : 100);

			if (i == 3)
				at = b->len - 1 - testrand_below(&m->rnd, 200);
			b->data[at] = (uint8_t)testrand_next(&m->rnd);
			xfs_change_dirty(b, at, 1);
		}
		xfs_buf_put(b);
	}
}

static const enum xfs_block_kind touched[] = { XFS_BLK_DIR_ANYDATA, XFS_BLK_DIR_ANYLEAF };

static int raw_drop(struct xfs_live_inode *li, uint32_t id)
{
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	unsigned len = make_name(id, name);

	return xfs_dir_remove(li, name, len);
}

static int raw_add(struct xfs_live_inode *li, uint32_t id)
{
	uint8_t name[XFS_DIR_NAME_MAX + 20];
	unsigned len = make_name(id, name);
	int err = xfs_dir_add(li, name, len, m->l.root, XFS_DIR_FT_DIR);

	return err == -XFS_E_EXISTS ? xfs_dir_replace(li, name, len, m->l.root, XFS_DIR_FT_DIR) : err;
}

/* Whatever is there, changes end with success or an error, and can be taken back. */
START_TEST(hostile)
{
	static const struct { uint32_t ids, ops; } sizes[] = { { 6, 20 }, { 40, 100 }, { 160, 300 }, { 1500, 2500 } };
	unsigned refused = 0;

	start(&kinds[_i], 40, 200, 31);
	for (unsigned k = 0; k < XFS_ARRAY_SIZE(sizes); k++) {
		run(sizes[k].ids, sizes[k].ops, 85, 1000);
		check(NULL);
		for (unsigned i = 0; i < 400; i++) {
			struct xfs_live_inode *li;

			livefs_begin(&m->l);
			li = dir();
			scribble(li, XFS_FORK_DATA, touched, XFS_ARRAY_SIZE(touched));
			for (unsigned op = 0; op < 8; op++) {
				uint32_t id = testrand_below(&m->rnd, sizes[k].ids);
				int err;

				if (op % 2)
					err = raw_drop(li, id);
				else
					err = raw_add(li, id);
				refused += err == -XFS_E_CORRUPT;
			}
			xfs_live_inode_put(li);
			xfs_trans_abort(&m->l.t);
		}
		check(NULL);
	}
	qk_assert_uint_ge(refused, 100);
	finish();
}
END_TEST

/* ---- costs ---- */

static uint64_t blocks_used(void)
{
	struct xfs_buf_stats s;

	xfs_buf_stats(m->l.fs->cache, &s);
	return s.hits + s.misses;
}

/* Blocks asked for in one operation stay few while the directory grows. */
START_TEST(costs)
{
	uint64_t worst = 0, total = 0;

	start(&kinds[0], 0, 40, 77);
	for (uint32_t id = 0; id < 20000; id++) {
		struct xfs_live_inode *li;
		uint64_t before;

		livefs_begin(&m->l);
		li = dir();
		before = blocks_used();
		qk_assert_int_eq(add(li, id), 0);
		worst = xfs_max(worst, blocks_used() - before);
		total += blocks_used() - before;
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
	}
	check(NULL);
	qk_assert_uint_le(worst, COST_MOST);
	qk_assert_uint_le(total / 20000, COST_MEAN);
	for (uint32_t id = 0; id < 20000; id += 20) {
		struct xfs_live_inode *li;
		uint64_t before;

		livefs_begin(&m->l);
		li = dir();
		before = blocks_used();
		qk_assert_int_eq(drop(li, id), 0);
		qk_assert_uint_le(blocks_used() - before, COST_MOST);
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
	}
	check(NULL);
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dirchange");
	TCase *t = tcase_create("model"), *h = tcase_create("hostile"), *f = tcase_create("failures");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, model, 0, 12);
	tcase_add_loop_test(f, failures, 0, 6);
	tcase_add_loop_test(h, hostile, 0, 6);
	tcase_add_test(t, costs);
	tcase_set_timeout(t, 300);
	tcase_set_timeout(h, 300);
	suite_add_tcase(s, t);
	suite_add_tcase(s, h);
	tcase_set_timeout(f, 300);
	suite_add_tcase(s, f);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
