/* SPDX-License-Identifier: BSD-2-Clause */
/* test_attrchange.c - attributes that change, against a naive map, in all forms. */
#include "libxfs/inode/symlink.h"
#include "libxfs/name/attrchange.h"
#include "libxfs/name/dirchange.h"
#include "libxfs/name/verify.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 4096u

/* What the inode should hold: names and values are made from numbers. */
struct model {
	struct livefs l;
	struct testrand rnd;
	uint64_t ino;
	unsigned collide;
	unsigned huge;			/* of 256 values, so many are long */
	bool parents;
	uint32_t len[MOST], seed[MOST];	/* seed 0: not there */
	uint32_t n, seen;
	uint8_t value[XFS_ATTR_VALUE_MAX], read[XFS_ATTR_VALUE_MAX];
};
static struct model *m;

static void make_name(uint32_t id, struct xfs_attr_want *w, uint8_t *name)
{
	static const uint8_t spaces[] = { 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE, 0 };
	unsigned len;

	w->name = name;
	w->space = spaces[id * UINT32_C(2654435761) >> 30];
	if (m->parents && id % 4 == 3)
		w->space = XFS_ATTR_PARENT;
	if ((id * UINT32_C(2654435761) >> 16 & 255) < m->collide) {
		/* pairs of bytes that can be changed together without a change of the hash */
		for (unsigned bit = 0; bit < 12; bit++) {
			name[2 * bit] = 0x60 | (id >> bit & 1);
			name[2 * bit + 1] = (uint8_t)(0x31 ^ (id >> bit & 1) << 7);
		}
		w->namelen = 24;
		return;
	}
	len = (unsigned)sprintf((char *)name, "%x-", (unsigned)id);
	for (unsigned more = id * UINT32_C(40503) >> 8 & 0x1ff; more > 0 && len < 255 && more < 300;
	     more -= more > 8 ? 9 : more)
		name[len++] = (uint8_t)('a' + (id + more) % 26);
	w->namelen = (uint8_t)len;
}

static void make_value(uint32_t id, struct xfs_attr_want *w)
{
	struct testrand r = { m->seed[id] };

	w->value = m->value;
	w->valuelen = m->len[id];
	for (uint32_t i = 0; i < w->valuelen; i++)
		m->value[i] = (uint8_t)(i % 251 ? i * m->seed[id] >> 3 : testrand_next(&r));
	if (w->space == XFS_ATTR_PARENT)
		xfs_put_be64(m->value, m->l.root + id % 60);
}

static uint32_t some_length(const struct xfs_attr_want *w)
{
	uint32_t what = testrand_below(&m->rnd, 256);

	if (w->space == XFS_ATTR_PARENT)
		return 12;
	if (what < m->huge)
		return testrand_below(&m->rnd, what < m->huge / 4 ? XFS_ATTR_VALUE_MAX + 1 : 5000);
	return testrand_below(&m->rnd, what < 200 ? 30 : 600);
}

static int compare_attr(void *payload, const struct xfs_attr *a)
{
	struct xfs_attrs *attrs = payload;
	struct xfs_attr_want w;
	uint8_t name[256];
	uint32_t id = 0;

	if (a->namelen == 24 && (a->name[23] & 0x7f) == 0x31)
		for (unsigned bit = 0; bit < 12; bit++)
			id |= (uint32_t)(a->name[2 * bit] & 1) << bit;
	else
		qk_assert_int_eq(sscanf((const char *)a->name, "%x-", &id), 1);
	qk_assert_uint_lt(id, MOST);
	make_name(id, &w, name);
	qk_assert_uint_eq(a->namelen, w.namelen);
	qk_assert_mem_eq(a->name, name, w.namelen);
	qk_assert_uint_eq(a->flags & XFS_ATTR_NAMESPACES, w.space);
	qk_assert(m->seed[id]);
	make_value(id, &w);
	qk_assert_uint_eq(a->valuelen, w.valuelen);
	qk_assert_int_eq(xfs_attr_value(attrs, a, m->read), 0);
	qk_assert_mem_eq(m->read, m->value, w.valuelen);
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

static unsigned check(void)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_live_inode *li;
	struct xfs_attrs a;

	qk_assert_int_eq(xfs_live_inode_get(m->l.live, m->ino, &li), 0);
	qk_assert_int_eq(xfs_attrs_verify(&li->i, &sink), 0);
	qk_assert_int_eq(xfs_inode_verify(&li->i, &sink), 0);
	qk_assert_int_eq(xfs_attrs_open(&a, &li->i, &sink), 0);
	m->seen = 0;
	qk_assert_int_eq(xfs_attrs_each(&a, compare_attr, &a), 0);
	qk_assert_uint_eq(m->seen, m->n);
	xfs_live_inode_put(li);
	return 1u << a.form;
}

static int set(struct xfs_live_inode *li, uint32_t id, enum xfs_attr_how how)
{
	uint32_t len = m->len[id], seed = m->seed[id];
	struct xfs_attr_want w;
	uint8_t name[256];
	int err;

	make_name(id, &w, name);
	if (!seed || testrand_below(&m->rnd, 2))		/* often of the same length */
		m->len[id] = some_length(&w);
	m->seed[id] = (uint32_t)testrand_next(&m->rnd) | 1;
	if (w.space == XFS_ATTR_PARENT)		/* the value is part of the name */
		m->seed[id] = id | 1;
	make_value(id, &w);
	err = xfs_attr_set(li, &w, how);
	if (err) {
		m->len[id] = len;
		m->seed[id] = seed;
	} else if (!seed) {
		m->n++;
	}
	return err;
}

static int drop(struct xfs_live_inode *li, uint32_t id)
{
	struct xfs_attr_want w;
	uint8_t name[256];
	int err;

	make_name(id, &w, name);
	if (!m->seed[id] && w.space == XFS_ATTR_PARENT)
		m->len[id] = 12;
	make_value(id, &w);
	err = xfs_attr_remove(li, &w);
	if (err)
		return err;
	qk_assert(m->seed[id]);
	m->seed[id] = 0;
	m->n--;
	return 0;
}

static void one(struct xfs_live_inode *li, uint32_t ids, unsigned sets)
{
	uint32_t id = testrand_below(&m->rnd, ids), what = testrand_below(&m->rnd, 100);
	bool there = m->seed[id] != 0;

	if (what >= sets)
		qk_assert_int_eq(drop(li, id), there ? 0 : -XFS_E_NOENT);
	else if (what < sets / 4)
		qk_assert_int_eq(set(li, id, XFS_ATTR_CREATE), there ? -XFS_E_EXISTS : 0);
	else if (what < sets / 2)
		qk_assert_int_eq(set(li, id, XFS_ATTR_REPLACE), there ? 0 : -XFS_E_NOENT);
	else
		qk_assert_int_eq(set(li, id, XFS_ATTR_ANYHOW), 0);
}

static unsigned run(uint32_t ids, unsigned ops, unsigned sets, unsigned every)
{
	unsigned seen = 0;

	for (unsigned done = 0, next = 0; done < ops;) {
		struct xfs_live_inode *li;

		livefs_begin(&m->l);
		li = livefs_get(&m->l, m->ino);
		for (unsigned k = testrand_below(&m->rnd, 4) + 1; k-- > 0; done++)
			one(li, ids, sets);
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
		if (done >= next) {
			seen |= check();
			next = done + every;
		}
	}
	return seen;
}

static unsigned drain(unsigned step)
{
	unsigned seen = 0;

	for (uint32_t k = 0, id = 0; k < MOST; k++, id = (id + 1777) % MOST) {
		struct xfs_live_inode *li;

		if (!m->seed[id])
			continue;
		livefs_begin(&m->l);
		li = livefs_get(&m->l, m->ino);
		qk_assert_int_eq(drop(li, id), 0);
		xfs_live_inode_put(li);
		livefs_commit(&m->l);
		if (m->n % step == 0 || m->n < 16)
			seen |= check();
	}
	qk_assert_uint_eq(m->n, 0);
	return seen;
}

static const struct testfs kinds[] = {
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2 },
	{ .blocksize = 4096, .agblocks = 12288, .agcount = 2 },
	{ .blocksize = 4096, .agblocks = 12288, .agcount = 2, .parent = true },
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2, .parent = true, .inodesize = 1024 },
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2, .v4 = true },
	{ .blocksize = 512, .agblocks = 65536, .agcount = 2, .v4 = true, .no_attr2 = true },
};

static void start(const struct testfs *fs, unsigned collide, unsigned huge, uint64_t seed)
{
	m = calloc(1, sizeof(*m));
	m->collide = collide;
	m->huge = huge;
	m->rnd.s = seed;
	livefs_init(&m->l, fs, 10, NULL);
	m->parents = m->l.geo.parent;
	m->ino = livefs_ino(&m->l, 2);
}

static void finish(void)
{
	livefs_check(&m->l);
	livefs_release(&m->l);
	free(m);
}

START_TEST(model)
{
	bool more = getenv("XFSKIT_LONG") != NULL;
	/* the last kind has 36 bytes for a short list, and long names */
	unsigned seen, need = (_i == 11 ? 0 : 1u << XFS_ATTR_SHORT) | 1u << XFS_ATTR_LEAF | 1u << XFS_ATTR_NODE;

	start(&kinds[_i % 6], _i < 6 ? 30 : 220, _i < 6 ? 16 : 4, 5 + (uint64_t)_i);
	for (unsigned round = 0; round < (more ? 4 : 2); round++) {
		seen = run(3, 40, 70, 4);
		seen |= run(12, 60, 90, 5);
		seen |= run(more ? 4000 : 700, more ? 6000 : 700, 85, more ? 1000 : 200);
		seen |= run(more ? 4000 : 700, more ? 3000 : 300, 45, more ? 1000 : 200);
		qk_assert_uint_eq(seen & need, need);
		seen = drain(more ? 60 : 40);
		for (uint32_t ids = 2; ids < 40; ids += 5) {
			run(ids, 20, 90, 10);
			seen |= drain(1);
		}
		qk_assert_uint_eq(seen & need, need);
		livefs_check(&m->l);
		livefs_reopen(&m->l);
	}
	finish();
}
END_TEST

/* ---- failures ---- */

/* Up to three operations in one transaction; what they did to the model is forgotten when something fails. */
static int attempt(uint32_t ids, unsigned sets)
{
	static struct { uint32_t len[MOST], seed[MOST]; } before;
	uint32_t n = m->n;
	struct testrand rnd = m->rnd;
	struct xfs_live_inode *li = NULL;
	int err = xfs_trans_begin(&m->l.t, m->l.edit, 0);

	memcpy(before.len, m->len, sizeof(m->len));
	memcpy(before.seed, m->seed, sizeof(m->seed));
	if (!err)
		err = xfs_live_inode_get(m->l.live, m->ino, &li);
	if (!err)
		err = xfs_live_inode_join(li, &m->l.t.change);
	for (unsigned k = 0; k < 3 && !err; k++) {
		uint32_t id = testrand_below(&m->rnd, ids);

		err = testrand_below(&m->rnd, 100) >= sets ? drop(li, id) : set(li, id, XFS_ATTR_ANYHOW);
		if (err == -XFS_E_NOENT)
			err = 0;
	}
	if (err)
		xfs_trans_abort(&m->l.t);
	else
		err = xfs_trans_commit(&m->l.t);
	xfs_live_inode_put(li);
	if (err) {
		memcpy(m->len, before.len, sizeof(m->len));
		memcpy(m->seed, before.seed, sizeof(m->seed));
		m->n = n;
		m->rnd = rnd;
	}
	return err;
}

static void allocation_failures(uint32_t ids, unsigned sets, unsigned times)
{
	for (unsigned k = 0; k < times; k++)
		for (uint64_t n = 1;; n++) {
			int err;

			failmalloc_start(n, false);
			err = attempt(ids, sets);
			if (failmalloc_stop() < n || !err) {
				qk_assert_int_eq(err, 0);
				break;
			}
			qk_assert_int_eq(err, -XFS_E_NOMEM);
			check();
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

/* Each block of the fork can't be read once; nothing is in the cache before. */
static unsigned read_errors(uint32_t ids, unsigned sets)
{
	struct xfs_live_inode *li;
	struct places p = { .n = 0 };
	struct xfs_ifork f;
	unsigned failed = 0;

	qk_assert_int_eq(xfs_live_inode_get(m->l.live, m->ino, &li), 0);
	if (!xfs_ifork_init(&f, &li->i, XFS_FORK_ATTR))
		qk_assert_int_eq(xfs_ifork_each(&f, note_places, &p), 0);
	xfs_live_inode_put(li);
	for (unsigned i = 0; i < p.n; i += 1 + p.n / 40) {
		int err;

		livefs_reopen(&m->l);
		m->l.dev->bad_off = xfs_fsbno_byte(&m->l.geo, XFS_FSBNO(p.block[i]));
		m->l.dev->bad_len = m->l.geo.blocksize;
		err = attempt(ids, sets);
		m->l.dev->bad_len = 0;
		qk_assert(!err || err == -XFS_E_IO);
		failed += err != 0;
		check();
	}
	return failed;
}

START_TEST(failures)
{
	static const struct { uint32_t ids, ops; unsigned sets; } sizes[] = {
		{ 3, 20, 70 }, { 12, 40, 90 }, { 300, 500, 90 }, { 300, 300, 20 },
	};
	unsigned failed = 0;

	start(&kinds[_i], 40, 16, 9);
	for (unsigned k = 0; k < XFS_ARRAY_SIZE(sizes); k++) {
		run(sizes[k].ids, sizes[k].ops, sizes[k].sets, 1000);
		allocation_failures(sizes[k].ids, sizes[k].sets, 6);
		failed += read_errors(sizes[k].ids, sizes[k].sets);
		livefs_check(&m->l);
	}
	qk_assert_uint_ge(failed, 3);
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
		if (xfs_buf_get1(m->l.fs->cache, daddr, m->l.geo.blocksize / XFS_BBSIZE, NULL, XFS_BUF_CACHED, &b))
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

static const enum xfs_block_kind touched[] = { XFS_BLK_ATTR_ANY };

static int raw(struct xfs_live_inode *li, uint32_t id, bool remove)
{
	static uint8_t bytes[9000];
	struct xfs_attr_want w;
	uint8_t name[256];

	make_name(id, &w, name);
	w.value = bytes;
	w.valuelen = w.space == XFS_ATTR_PARENT ? 12 : testrand_below(&m->rnd, id % 8 ? 100 : sizeof(bytes));
	xfs_put_be64(bytes, m->l.root + id % 60);
	return remove ? xfs_attr_remove(li, &w) : xfs_attr_set(li, &w, XFS_ATTR_ANYHOW);
}

/* Whatever is there, changes end with success or an error, and can be taken back. */
START_TEST(hostile)
{
	static const struct { uint32_t ids, ops; } sizes[] = { { 3, 20 }, { 12, 40 }, { 300, 500 } };
	unsigned refused = 0;

	start(&kinds[_i], 40, 16, 31);
	for (unsigned k = 0; k < XFS_ARRAY_SIZE(sizes); k++) {
		run(sizes[k].ids, sizes[k].ops, 85, 1000);
		check();
		for (unsigned i = 0; i < 400; i++) {
			struct xfs_live_inode *li;

			livefs_begin(&m->l);
			li = livefs_get(&m->l, m->ino);
			scribble(li, XFS_FORK_ATTR, touched, XFS_ARRAY_SIZE(touched));
			for (unsigned op = 0; op < 8; op++) {
				uint32_t id = testrand_below(&m->rnd, sizes[k].ids);
				int err;

				if (op % 2)
					err = raw(li, id, true);
				else
					err = raw(li, id, false);
				refused += err == -XFS_E_CORRUPT;
			}
			xfs_live_inode_put(li);
			xfs_trans_abort(&m->l.t);
		}
		check();
	}
	qk_assert_uint_ge(refused, 100);
	finish();
}
END_TEST

/* ---- what others leave ---- */

/* Marks every entry of the first leaf that has this name. */
static unsigned mark_incomplete(struct xfs_live_inode *li, const char *name)
{
	const struct xfs_geometry *g = &m->l.geo;
	struct xfs_buf *b;
	struct xfs_ifork f;
	unsigned marked = 0;

	qk_assert_int_eq(xfs_ifork_init(&f, &li->i, XFS_FORK_ATTR), 0);
	qk_assert_int_eq(xfs_ifork_get(&f, 0, 1, XFS_BLK_ATTR_ANY, &b), 0);
	qk_assert_int_eq(xfs_change_join(&m->l.t.change, b, xfs_block_type(XFS_BLK_ATTR_ANY)), 0);
	for (uint32_t i = 0; i < xfs_be16(b->data + xfs_da_info_len(g->v5)); i++) {
		uint32_t at, size, off = xfs_attr_leaf_header_len(g->v5) + 8 * i + 6;
		struct xfs_attr a;

		qk_assert_int_eq(xfs_attr_leaf_entry(g, b->data, i, &a, &at, &size), 0);
		if (a.namelen == strlen(name) && !memcmp(a.name, name, a.namelen)) {
			b->data[off] |= XFS_ATTR_INCOMPLETE;
			xfs_change_dirty(b, off, 1);
			marked++;
		}
	}
	xfs_buf_put(b);
	return marked;
}

/* An interrupted run of the kernel left an entry that is not complete: it goes with the next change of the name. */
START_TEST(incomplete)
{
	static uint8_t bytes[3000];
	struct xfs_attr_want w = { (const uint8_t *)"abc", bytes, sizeof(bytes), 3, 0 };
	struct xfs_attr_want other = { (const uint8_t *)"other", bytes, 700, 5, 0 };

	for (unsigned remove = 0; remove < 2; remove++) {
		struct xfs_live_inode *li;
		uint64_t blocks;

		start(&kinds[0], 0, 0, 1);
		livefs_begin(&m->l);
		li = livefs_get(&m->l, m->ino);
		qk_assert_int_eq(xfs_attr_set(li, &other, XFS_ATTR_CREATE), 0);
		blocks = li->i.d.core.nblocks;
		qk_assert_int_eq(xfs_attr_set(li, &w, XFS_ATTR_CREATE), 0);
		qk_assert_uint_eq(mark_incomplete(li, "abc"), 1);
		qk_assert_int_eq(xfs_attr_set(li, &w, XFS_ATTR_REPLACE), -XFS_E_NOENT);
		livefs_commit(&m->l);
		livefs_check(&m->l);
		livefs_begin(&m->l);
		qk_assert_int_eq(xfs_live_inode_join(li, &m->l.t.change), 0);
		if (remove) {
			qk_assert_int_eq(xfs_attr_remove(li, &w), -XFS_E_NOENT);
			qk_assert_uint_eq(li->i.d.core.nblocks, blocks);
		} else {
			qk_assert_int_eq(xfs_attr_set(li, &w, XFS_ATTR_CREATE), 0);
			qk_assert_uint_eq(li->i.d.core.nblocks, blocks + xfs_remote_blocks(true, 1024, sizeof(bytes)));
		}
		qk_assert_uint_eq(mark_incomplete(li, "abc"), !remove);
		xfs_trans_abort(&m->l.t);
		xfs_live_inode_put(li);
		finish();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("attrchange");
	TCase *t = tcase_create("model"), *h = tcase_create("hostile");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, model, 0, 12);
	tcase_add_loop_test(t, failures, 0, 6);
	tcase_add_loop_test(h, hostile, 0, 6);
	tcase_add_test(t, incomplete);
	tcase_set_timeout(t, 600);
	tcase_set_timeout(h, 300);
	suite_add_tcase(s, t);
	suite_add_tcase(s, h);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
