/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_attr.c - attribute forks from lists, read back by the readers: forms, thresholds, values, parents. */
#include "libxfs/build/attr.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"
#include "tests/unit/buildfs.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/namelists.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static const struct testfs kinds[] = {
	{ .agblocks = 40000, .agcount = 4, .parent = true },
	{ .agblocks = 40000, .agcount = 4, .parent = true, .inodesize = 2048, .dirblklog = 4 },
	{ .agblocks = 40000, .agcount = 4, .parent = true, .ci = true, .inodesize = 1024 },
	{ .blocksize = 1024, .agblocks = 200000, .agcount = 4, .parent = true },
	{ .blocksize = 65536, .agblocks = 4000, .agcount = 4, .parent = true },
	{ .agblocks = 40000, .agcount = 4, .v4 = true },
	{ .agblocks = 40000, .agcount = 4, .v4 = true, .no_attr2 = true, .inodesize = 2048 },
	{ .blocksize = 512, .agblocks = 400000, .agcount = 4, .v4 = true },
	{ .agblocks = 1 << 28, .agcount = 40, .parent = true },
};

/* ---- lists ---- */

struct list {
	struct xfs_build_attr *a;
	uint8_t *bytes;
	size_t n, at;
};

static void list_init(struct list *l, size_t room, size_t bytes)
{
	*l = (struct list){ calloc(room + 1, sizeof(*l->a)), malloc(bytes + 1), 0, 0 };
}

static void list_free(struct list *l)
{
	free(l->a);
	free(l->bytes);
}

static uint8_t *grab(struct list *l, size_t len)
{
	l->at += len;
	return l->bytes + l->at - len;
}

/* Names end in the number of the attribute and are distinct by it. */
static void add(struct list *l, struct testrand *rnd, unsigned flags, unsigned namelen, uint32_t valuelen)
{
	uint8_t *name, *value;
	char number[24];
	unsigned digits = (unsigned)snprintf(number, sizeof(number), "%zu", l->n);

	namelen = namelen < digits ? digits : namelen;
	name = grab(l, namelen);
	value = grab(l, valuelen);
	for (unsigned i = 0; i < namelen - digits; i++)
		name[i] = (uint8_t)(128 + testrand_below(rnd, 128));
	memcpy(name + namelen - digits, number, digits);
	for (uint32_t i = 0; i < valuelen; i++)
		value[i] = (uint8_t)testrand_next(rnd);
	l->a[l->n++] = (struct xfs_build_attr){ name, value, valuelen, (uint8_t)namelen, (uint8_t)flags };
}

static void add_parent(struct list *l, const struct xfs_geometry *g, struct testrand *rnd, unsigned namelen)
{
	uint32_t agno = testrand_below(rnd, g->agcount);
	struct xfs_parent_rec rec = { .gen = (uint32_t)testrand_next(rnd) };

	rec.inumber = xfs_ino_of(g, XFS_AGNO(agno), XFS_AGINO(xfs_first_agino(g) + testrand_below(rnd, 1000))).v;
	add(l, rnd, XFS_ATTR_PARENT, namelen, 12);
	xfs_parent_rec_encode(l->bytes + l->at - 12, &rec);
}

static unsigned some_space(struct testrand *rnd)
{
	static const unsigned spaces[] = { 0, 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE };

	return spaces[testrand_below(rnd, XFS_ARRAY_SIZE(spaces))];
}

/* ---- building and reading back ---- */

struct reading {
	struct xfs_attrs a;
	const struct buildfs *b;
	const struct list *l;
	uint8_t *seen, *value;
	size_t n, parents;
	bool ordered;			/* short form: in the order of the list */
};

static size_t number_of(const uint8_t *name, unsigned len)
{
	size_t n = 0, unit = 1;

	while (len && name[len - 1] >= '0' && name[len - 1] <= '9') {
		n += unit * (size_t)(name[--len] - '0');
		unit *= 10;
	}
	return n;
}

static int compare(void *payload, const struct xfs_attr *attr)
{
	struct reading *r = payload;
	size_t i = number_of(attr->name, attr->namelen);
	const struct xfs_build_attr *want = &r->l->a[i];

	qk_assert_uint_lt(i, r->l->n);
	qk_assert(!r->seen[i]);
	qk_assert(!r->ordered || i == r->n);
	r->seen[i] = 1;
	r->n++;
	qk_assert_uint_eq(attr->namelen, want->namelen);
	qk_assert_mem_eq(attr->name, want->name, want->namelen);
	qk_assert_uint_eq(attr->flags & ~XFS_ATTR_LOCAL, want->flags);
	qk_assert_uint_eq(attr->valuelen, want->valuelen);
	qk_assert_int_eq(xfs_attr_value(&r->a, attr, r->value), 0);
	qk_assert_mem_eq(r->value, want->value, want->valuelen);
	return 0;
}

static int count_parent(void *payload, const struct xfs_parent *p)
{
	struct reading *r = payload;

	qk_assert(xfs_ino_valid(&r->b->geo, p->ino));
	r->parents++;
	return 0;
}

static void look_up(struct reading *r, size_t i)
{
	const struct xfs_build_attr *want = &r->l->a[i];
	size_t len;

	if (want->flags & XFS_ATTR_PARENT)
		return;
	qk_assert_int_eq(xfs_attr_get(&r->a, want->flags, want->name, want->namelen, r->value, XFS_ATTR_VALUE_MAX,
				      &len),
			 0);
	qk_assert_uint_eq(len, want->valuelen);
	qk_assert_mem_eq(r->value, want->value, len);
}

static void read_back(struct buildfs *b, const struct xfs_build_attrs *made, const struct list *l)
{
	struct reading r = { .b = b, .l = l, .ordered = made->form == XFS_ATTR_SHORT };
	unsigned mode = (made->data.format == XFS_DINODE_FMT_DEV ? XFS_MODE_CHR : XFS_MODE_REG) | 0644;
	size_t parents = 0, len;
	struct xfs_inode ip;

	buildfs_inode(b, &ip, mode, XFS_FORK_ATTR, made->forkoff, 0, &made->fork, made->bytes);
	qk_assert_int_eq(xfs_attrs_open(&r.a, &ip, &b->sink), 0);
	qk_assert_uint_eq(r.a.form, made->form);
	r.seen = calloc(l->n + 1, 1);
	r.value = malloc(XFS_ATTR_VALUE_MAX);
	qk_assert_int_eq(xfs_attrs_each(&r.a, compare, &r), 0);
	qk_assert_uint_eq(r.n, l->n);
	for (size_t i = 0; i < l->n; i++)
		parents += (l->a[i].flags & XFS_ATTR_PARENT) != 0;
	qk_assert_int_eq(xfs_parents_each(&r.a, count_parent, &r), 0);
	qk_assert_uint_eq(r.parents, parents);
	for (size_t i = 0; i < l->n; i += 1 + l->n / 200)
		look_up(&r, i);
	qk_assert_int_eq(xfs_attr_get(&r.a, 0, "not there", 9, r.value, 1, &len), -XFS_E_NOENT);
	if (xfs_attrs_verify(&ip, &b->sink) || b->findings)
		ck_abort_msg("%zu attributes, form %u: %s", l->n, made->form, b->finding);
	free(r.seen);
	free(r.value);
}

static struct xfs_build_attrs request(struct buildfs *b, const struct list *l, struct xfs_forkoff_facts data,
				      uint8_t *fork)
{
	memset(fork, 0xa5, XFS_DINODE_MAX_SIZE);
	return (struct xfs_build_attrs){ .to = b->to, .list = l->a, .n = l->n, .data = data, .bytes = fork };
}

static struct xfs_build_attrs build(struct buildfs *b, const struct list *l, struct xfs_forkoff_facts data,
				    enum buildfs_space space, uint32_t longest)
{
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_attrs made = request(b, l, data, fork);
	int err;

	buildfs_reset(b, space, longest);
	err = xfs_build_attrs(&made);
	qk_assert_msg(!err, "%zu attributes: %s", l->n, xfs_error_name(err));
	qk_assert_uint_eq(made.fork.nblocks, b->taken);
	qk_assert_uint_le(made.index + made.values, b->taken);
	buildfs_check_writes(b, made.fork.nblocks == made.index + made.values);
	qk_assert_uint_eq(b->given_back, 0);
	qk_assert_uint_eq(made.forksize, made.forkoff ? b->geo.litino - 8 * made.forkoff : 0);
	for (size_t i = made.forksize; i < sizeof(fork); i++)
		qk_assert_uint_eq(fork[i], 0xa5);
	read_back(b, &made, l);
	made.bytes = NULL;
	return made;
}

static const struct xfs_forkoff_facts fresh = { .format = XFS_DINODE_FMT_EXTENTS };

static struct xfs_build_attrs build_all_ways(struct buildfs *b, const struct list *l, struct xfs_forkoff_facts data)
{
	struct xfs_build_attrs made = build(b, l, data, BUILDFS_WHOLE, 0);

	if (made.form >= XFS_ATTR_LEAF) {
		build(b, l, data, BUILDFS_PIECES, 2);
		build(b, l, data, BUILDFS_BACKWARDS, 7);
	}
	return made;
}

/* ---- forms ---- */

/* One attribute after the other is added, in each form and around each change of it. */
START_TEST(growing)
{
	struct testrand rnd = { (uint64_t)_i };
	struct buildfs b;

	buildfs_init(&b, &kinds[_i]);
	for (unsigned round = 0; round < 5; round++) {
		static const struct { unsigned name, value; } most[] = { { 4, 8 }, { 12, 0 }, { 30, 40 }, { 255, 254 },
			{ 255, 600 } };
		static const struct xfs_forkoff_facts data[] = {
			{ XFS_DINODE_FMT_EXTENTS, 0, 0 }, { XFS_DINODE_FMT_DEV, 0, 0 }, { XFS_DINODE_FMT_DEV, 0, 1 },
			{ XFS_DINODE_FMT_EXTENTS, 0, 15 }, { XFS_DINODE_FMT_EXTENTS, 3, 9 },
		};
		size_t n = b.geo.blocksize / 8;
		unsigned levels = 0, changes = 0;
		enum xfs_attr_form form = XFS_ATTR_NONE;
		struct list l;

		list_init(&l, n, n * 900);
		for (size_t i = 0; i < n && levels < 3; i++) {
			struct xfs_build_attrs made;

			if (b.geo.parent && testrand_below(&rnd, 4) == 0)
				add_parent(&l, &b.geo, &rnd, 1 + testrand_below(&rnd, most[round].name));
			else
				add(&l, &rnd, some_space(&rnd), 1 + testrand_below(&rnd, most[round].name),
				    testrand_below(&rnd, most[round].value + 1));
			/* many look alike: a sample of them, but all where something changes */
			if (i > 40 && i % 50 > 1 && form == XFS_ATTR_NODE)
				continue;
			made = build(&b, &l, data[round], BUILDFS_WHOLE, 0);
			if (made.form == form && made.levels == levels)
				continue;
			qk_assert(made.form > form || made.levels > levels);
			form = made.form;
			levels = made.levels;
			changes++;
			build_all_ways(&b, &l, data[round]);
		}
		list_free(&l);
		qk_assert_uint_ge(changes, round == 4 ? 2 : b.geo.blocksize > 4096 ? 1 : 2);
	}
	buildfs_release(&b);
}
END_TEST

START_TEST(nothing)
{
	static const unsigned offs[] = { 0, 1, 9 };
	struct list l;
	struct buildfs b;

	buildfs_init(&b, &kinds[_i]);
	list_init(&l, 0, 0);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(offs); i++) {
		const struct xfs_forkoff_facts data = { XFS_DINODE_FMT_EXTENTS, 0, offs[i] };
		struct xfs_build_attrs made = build(&b, &l, data, BUILDFS_WHOLE, 0);

		ck_assert_int_eq(made.form, XFS_ATTR_NONE);
		ck_assert_uint_eq(made.forkoff, offs[i]);
	}
	list_free(&l);
	buildfs_release(&b);
}
END_TEST

/* Two and more levels of nodes. */
START_TEST(high_trees)
{
	static const struct testfs shape = { .blocksize = 1024, .agblocks = 200000, .agcount = 4, .parent = true };
	struct testrand rnd = { 3 };
	struct xfs_build_attrs made;
	struct buildfs b;
	struct list l;

	buildfs_init(&b, &shape);
	list_init(&l, 70000, 70000 * 270);
	while (l.n < 70000)
		if (l.n % 3)
			add_parent(&l, &b.geo, &rnd, 100 + testrand_below(&rnd, 150));
		else
			add(&l, &rnd, some_space(&rnd), 6 + testrand_below(&rnd, 30), testrand_below(&rnd, 200));
	made = build(&b, &l, fresh, BUILDFS_PIECES, 4);
	ck_assert_int_eq(made.form, XFS_ATTR_NODE);
	ck_assert_uint_ge(made.levels, 4);
	list_free(&l);
	buildfs_release(&b);
}
END_TEST

/* ---- values ---- */

/* Around the length at which a value leaves the leaf, and around whole blocks, each with few neighbours. */
START_TEST(values)
{
	struct testrand rnd = { 100 + (uint64_t)_i };
	uint32_t lengths[32];
	struct buildfs b;
	unsigned n = 0;

	buildfs_init(&b, &kinds[_i]);
	for (uint32_t k = 0; k < 4; k++) {
		uint32_t bs = b.geo.blocksize, room = bs - xfs_remote_header_len(b.geo.v5);

		lengths[n++] = 253 + k;
		lengths[n++] = xfs_attr_local_limit(bs) - 3 - 10 - 5 + 2 * k;
		lengths[n++] = room - 1 + k;
		lengths[n++] = 2 * room - 1 + k;
		lengths[n++] = 65533 + k;
	}
	for (unsigned i = 0; i < n; i++) {
		struct xfs_build_attrs made;
		uint32_t len = (uint32_t)xfs_min(lengths[i], XFS_ATTR_VALUE_MAX);
		bool remote = ((3 + 10 + len + 3) & ~3u) >= b.geo.blocksize / 2 + b.geo.blocksize / 4;
		struct list l;

		list_init(&l, 8, 3 * (size_t)len + 1000);
		add(&l, &rnd, XFS_ATTR_ROOT, 10, len);
		made = build_all_ways(&b, &l, fresh);
		ck_assert_uint_eq(made.values, remote ? xfs_remote_blocks(b.geo.v5, b.geo.blocksize, len) : 0);
		add(&l, &rnd, 0, 3, 5);
		add(&l, &rnd, 0, 255, len);
		add(&l, &rnd, XFS_ATTR_SECURE, 20, 0);
		add(&l, &rnd, 0, 9, len);
		build_all_ways(&b, &l, fresh);
		list_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

/* ---- names ---- */

/* 2^bits names with one hash, in three namespaces and with two parents. */
START_TEST(one_hash)
{
	static const unsigned spaces[] = { 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE };
	struct buildfs b;

	buildfs_init(&b, &kinds[3]);
	for (unsigned bits = 1; bits <= 8; bits++) {
		size_t n = (size_t)1 << bits;
		uint8_t fork[XFS_DINODE_MAX_SIZE];
		struct xfs_build_attrs made;
		struct xfs_inode ip;
		struct list l;

		list_init(&l, n * 3, n * 2 * bits);
		for (size_t i = 0; i < n; i++) {
			uint8_t *name = grab(&l, 2 * bits);

			namelists_one_hash(name, bits, i);
			for (unsigned s = 0; s < 3; s++)
				l.a[l.n++] = (struct xfs_build_attr){ name, name, s, (uint8_t)(2 * bits),
								      (uint8_t)spaces[s] };
		}
		buildfs_reset(&b, BUILDFS_PIECES, 3);
		made = request(&b, &l, fresh, fork);
		ck_assert_int_eq(xfs_build_attrs(&made), 0);
		buildfs_inode(&b, &ip, XFS_MODE_REG | 0644, XFS_FORK_ATTR, made.forkoff, 0, &made.fork, fork);
		if (xfs_attrs_verify(&ip, &b.sink) || b.findings)
			ck_abort_msg("%s", b.finding);
		for (size_t i = 0; i < l.n; i++) {
			uint8_t value[8];
			struct xfs_attrs a;
			size_t len;

			ck_assert_int_eq(xfs_attrs_open(&a, &ip, &b.sink), 0);
			qk_assert(!xfs_attr_get(&a, l.a[i].flags, l.a[i].name, l.a[i].namelen, value, 8, &len));
			qk_assert_uint_eq(len, l.a[i].valuelen);
		}
		list_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

static int try_list(struct buildfs *b, const struct list *l)
{
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_attrs made = request(b, l, fresh, fork);

	buildfs_reset(b, BUILDFS_WHOLE, 0);
	return xfs_build_attrs(&made);
}

START_TEST(twins)
{
	static const size_t sizes[] = { 2, 100, 1000 };
	struct testrand rnd = { 8 };
	struct buildfs b;

	buildfs_init(&b, &kinds[0]);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i];
		struct xfs_build_attr *first, *last;
		uint8_t value[12];
		struct list l;

		list_init(&l, n + 1, n * 100);
		add_parent(&l, &b.geo, &rnd, 10);
		while (l.n < n - 1)
			add(&l, &rnd, some_space(&rnd), 10, 20);
		first = &l.a[0];
		last = &l.a[l.n++];
		*last = *first;
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_EXISTS);
		ck_assert_uint_eq(b.taken, 0);
		/* another generation is the same link, another parent is not */
		memcpy(value, first->value, 12);
		last->value = value;
		value[11] ^= 1;
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_EXISTS);
		value[7] ^= 1;
		ck_assert_int_eq(try_list(&b, &l), 0);
		/* the same name elsewhere is another attribute */
		last->flags = 0;
		ck_assert_int_eq(try_list(&b, &l), 0);
		first->flags = 0;
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_EXISTS);
		list_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

START_TEST(refused)
{
	static const uint8_t value[70000];
	static const uint8_t parent[12] = { [7] = 200 }, nowhere[12] = { 1 };
	static const struct xfs_build_attr bad[] = {
		{ (const uint8_t *)"a", value, 1, 0, 0 },
		{ (const uint8_t *)"a\0b", value, 1, 3, 0 },
		{ (const uint8_t *)"a", value, 65537, 1, 0 },
		{ (const uint8_t *)"a", NULL, 1, 1, 0 },
		{ (const uint8_t *)"a", value, 1, 1, XFS_ATTR_ROOT | XFS_ATTR_SECURE },
		{ (const uint8_t *)"a", value, 1, 1, XFS_ATTR_LOCAL },
		{ (const uint8_t *)"a", value, 1, 1, XFS_ATTR_INCOMPLETE },
		{ (const uint8_t *)"a", value, 1, 1, 0x10 },
		{ (const uint8_t *)"a", parent, 11, 1, XFS_ATTR_PARENT },
		{ (const uint8_t *)"a/b", parent, 12, 3, XFS_ATTR_PARENT },
		{ (const uint8_t *)"a", nowhere, 12, 1, XFS_ATTR_PARENT },
	};
	struct xfs_build_attr good[] = {
		{ (const uint8_t *)"a", NULL, 0, 1, 0 }, { (const uint8_t *)"a/b", value, 65536, 3, 0 },
		{ (const uint8_t *)"a", parent, 12, 1, XFS_ATTR_PARENT },
	};
	struct list l = { .n = 1 };
	struct buildfs b, other;

	buildfs_init(&b, &kinds[0]);
	buildfs_init(&other, &kinds[5]);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(bad); i++) {
		struct xfs_build_attr one = bad[i];

		l.a = &one;
		ck_assert_int_eq(try_list(&b, &l), -XFS_E_INVALID);
	}
	for (size_t i = 0; i < XFS_ARRAY_SIZE(good); i++) {
		l.a = &good[i];
		ck_assert_int_eq(try_list(&b, &l), 0);
		/* a parent pointer without that feature */
		ck_assert_int_eq(try_list(&other, &l), i == 2 ? -XFS_E_INVALID : 0);
	}
	buildfs_release(&b);
	buildfs_release(&other);
}
END_TEST

/* More than the counter of the short form holds, though the inode has room. */
START_TEST(count_of_short_form)
{
	static const struct testfs shape = { .blocksize = 8192, .agblocks = 20000, .agcount = 4, .inodesize = 2048 };
	struct testrand rnd = { 4 };
	struct buildfs b;
	struct list l;

	buildfs_init(&b, &shape);
	list_init(&l, 256, 256 * 4);
	while (l.n < 255)
		add(&l, &rnd, 0, 1, 0);
	ck_assert_int_eq(build(&b, &l, fresh, BUILDFS_WHOLE, 0).form, XFS_ATTR_SHORT);
	add(&l, &rnd, 0, 1, 0);
	ck_assert_int_eq(build(&b, &l, fresh, BUILDFS_WHOLE, 0).form, XFS_ATTR_LEAF);
	list_free(&l);
	buildfs_release(&b);
}
END_TEST

/* ---- failures ---- */

static void failing_list(struct buildfs *b, struct list *l)
{
	struct testrand rnd = { 6 };

	buildfs_init(b, &kinds[3]);
	list_init(l, 300, 300 * 700);
	while (l->n < 300)
		add(l, &rnd, 0, 20, l->n % 10 ? 50 : 4000);
}

static int attempt(struct buildfs *b, const struct list *l)
{
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_attrs made = request(b, l, fresh, fork);

	return xfs_build_attrs(&made);
}

START_TEST(no_space)
{
	struct buildfs b;
	struct list l;
	uint64_t need;

	failing_list(&b, &l);
	buildfs_reset(&b, BUILDFS_PIECES, 1);
	ck_assert_int_eq(attempt(&b, &l), 0);
	need = b.taken;
	ck_assert_uint_gt(need, 100);
	for (uint64_t most = 0; most < need; most++) {
		buildfs_reset(&b, BUILDFS_PIECES, 1);
		b.most = most;
		if (attempt(&b, &l) != -XFS_E_NOSPC)
			ck_assert_uint_lt(need - most, 10);	/* other holes, another tree */
		else
			buildfs_check_given_back(&b);
	}
	list_free(&l);
	buildfs_release(&b);
}
END_TEST

START_TEST(no_memory)
{
	struct buildfs b;
	struct list l;

	failing_list(&b, &l);
	for (uint64_t n = 1;; n++) {
		int err;

		buildfs_reset(&b, BUILDFS_PIECES, 4);
		failmalloc_start(n, false);
		err = attempt(&b, &l);
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			ck_assert_uint_gt(n, 8);
			break;
		}
		ck_assert_int_eq(err, -XFS_E_NOMEM);
		buildfs_check_given_back(&b);
	}
	list_free(&l);
	buildfs_release(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("build_attr");
	TCase *t = tcase_create("build_attr");
	int all = (int)XFS_ARRAY_SIZE(kinds);

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, growing, 0, all);
	tcase_add_loop_test(t, nothing, 0, all);
	tcase_add_test(t, high_trees);
	tcase_add_loop_test(t, values, 0, all);
	tcase_add_test(t, one_hash);
	tcase_add_test(t, twins);
	tcase_add_test(t, refused);
	tcase_add_test(t, count_of_short_form);
	tcase_add_test(t, no_space);
	tcase_add_test(t, no_memory);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
