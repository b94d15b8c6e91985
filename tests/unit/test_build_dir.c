/* SPDX-License-Identifier: BSD-2-Clause */
/* test_build_dir.c - directories from lists of entries, read back by the readers: every form, threshold and variant. */
#include "libxfs/build/dir.h"
#include "libxfs/name/verify.h"
#include "tests/unit/buildfs.h"
#include "tests/unit/dirlist.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define PARENT 192u

static const struct testfs kinds[] = {
	{ .agblocks = 40000, .agcount = 4 },
	{ .agblocks = 40000, .agcount = 4, .inodesize = 2048 },
	{ .agblocks = 40000, .agcount = 4, .dirblklog = 4 },
	{ .agblocks = 40000, .agcount = 4, .ci = true },
	{ .blocksize = 1024, .agblocks = 200000, .agcount = 4, .dirblklog = 2, .inodesize = 512 },
	{ .blocksize = 1024, .agblocks = 200000, .agcount = 4 },
	{ .blocksize = 65536, .agblocks = 4000, .agcount = 4 },
	{ .blocksize = 2048, .agblocks = 80000, .agcount = 4, .dirblklog = 5, .inodesize = 1024 },
	{ .agblocks = 40000, .agcount = 4, .v4 = true },
	{ .agblocks = 40000, .agcount = 4, .v4 = true, .no_ftype = true, .inodesize = 2048 },
	{ .blocksize = 512, .agblocks = 400000, .agcount = 4, .v4 = true, .no_ftype = true, .dirblklog = 3 },
	{ .blocksize = 1024, .agblocks = 200000, .agcount = 4, .v4 = true, .dirblklog = 6, .inodesize = 512 },
	/* inode numbers beyond 32 bits */
	{ .agblocks = 1 << 28, .agcount = 40 },
	{ .agblocks = 1 << 27, .agcount = 80, .v4 = true },
};

/* ---- building and reading back ---- */

struct reading {
	const struct buildfs *b;
	const struct dirlist *l;
	size_t seen;
	uint32_t cookie;
};

static int compare(void *payload, const struct xfs_dir_entry *e)
{
	struct reading *r = payload;
	const struct xfs_build_dirent *want;

	qk_assert(e->cookie > r->cookie || !r->seen);
	r->cookie = e->cookie;
	if (r->seen < 2) {
		qk_assert_uint_eq(e->namelen, r->seen + 1);
		qk_assert_uint_eq(e->ino.v, r->seen ? PARENT : BUILDFS_INO);
		r->seen++;
		return 0;
	}
	qk_assert_uint_lt(r->seen - 2, r->l->n);
	want = &r->l->e[r->seen++ - 2];
	qk_assert_uint_eq(e->namelen, want->namelen);
	qk_assert_mem_eq(e->name, want->name, want->namelen);
	qk_assert_uint_eq(e->ino.v, want->ino);
	qk_assert_uint_eq(e->ftype, r->b->geo.ftype ? want->ftype : 0);
	return 0;
}

static void look_up(const struct buildfs *b, struct xfs_dir *d, const struct dirlist *l, size_t i)
{
	xfs_ino_t ino;
	unsigned ftype;

	qk_assert_int_eq(xfs_dir_lookup(d, l->e[i].name, l->e[i].namelen, &ino, &ftype, NULL), 0);
	qk_assert_uint_eq(ino.v, l->e[i].ino);
	qk_assert_uint_eq(ftype, b->geo.ftype ? l->e[i].ftype : 0);
}

/* Unused bytes of a fork that holds the directory itself are zero. */
static void check_tail(const struct xfs_build_dir *d)
{
	for (uint64_t i = d->shape.size; d->shape.form == XFS_DIR_SHORT && i < d->forksize; i++)
		qk_assert_uint_eq(d->bytes[i], 0);
}

static void read_back(struct buildfs *b, const struct xfs_build_dir *d, const struct dirlist *l, unsigned forkoff)
{
	struct reading r = { .b = b, .l = l };
	struct xfs_inode ip;
	struct xfs_dir dir;
	xfs_ino_t ino;

	buildfs_inode(b, &ip, XFS_MODE_DIR | 0755, XFS_FORK_DATA, forkoff, d->shape.size, &d->fork, d->bytes);
	qk_assert_int_eq(xfs_dir_open(&dir, &ip, &b->sink), 0);
	qk_assert_uint_eq(dir.form, d->shape.form);
	qk_assert_int_eq(xfs_dir_each(&dir, 0, compare, &r), 0);
	qk_assert_uint_eq(r.seen, l->n + 2);
	for (size_t i = 0, step = 1 + l->n / 500; i < l->n; i += step)
		look_up(b, &dir, l, i);
	if (l->n)
		look_up(b, &dir, l, l->n - 1);
	qk_assert_int_eq(xfs_dir_lookup(&dir, "not there", 9, &ino, NULL, NULL), -XFS_E_NOENT);
	qk_assert_int_eq(xfs_dir_parent(&dir, &ino), 0);
	qk_assert_uint_eq(ino.v, PARENT);
	if (xfs_dir_verify(&ip, PARENT, &b->sink) || b->findings)
		ck_abort_msg("%zu entries, form %u: %s", l->n, d->shape.form, b->finding);
}

static struct xfs_build_dir request(struct buildfs *b, const struct dirlist *l, uint32_t forksize, uint8_t *fork)
{
	memset(fork, 0xa5, XFS_DINODE_MAX_SIZE);
	return (struct xfs_build_dir){ .to = b->to, .parent = PARENT, .entries = l->e, .n = l->n,
				       .forksize = forksize, .bytes = fork };
}

static enum xfs_dir_form build(struct buildfs *b, const struct dirlist *l, unsigned forkoff, enum buildfs_space space,
			       uint32_t longest)
{
	uint32_t forksize = forkoff ? forkoff * 8 : b->geo.litino;
	uint8_t fork[XFS_DINODE_MAX_SIZE];
	struct xfs_build_dir d = request(b, l, forksize, fork);
	uint32_t subdirs = 0;
	int err;

	buildfs_reset(b, space, longest);
	err = xfs_build_dir(&d);
	qk_assert_msg(!err, "%zu entries: %s", l->n, xfs_error_name(err));
	for (size_t i = 0; i < l->n; i++)
		subdirs += l->e[i].ftype == XFS_DIR_FT_DIR;
	qk_assert_uint_eq(d.shape.subdirs, subdirs);
	qk_assert_uint_eq(d.fork.nblocks, b->taken);
	qk_assert_uint_le(d.shape.blocks, d.fork.nblocks);
	/* one write pass through the blocks, then the tree; pieces of one block may jump */
	buildfs_check_writes(b, b->geo.dirblkfsbs == 1 && d.fork.nblocks == d.shape.blocks);
	qk_assert_uint_eq(b->given_back, 0);
	for (size_t i = forksize; i < sizeof(fork); i++)
		qk_assert_uint_eq(fork[i], 0xa5);
	check_tail(&d);
	read_back(b, &d, l, forkoff);
	return d.shape.form;
}

static void build_all_ways(struct buildfs *b, const struct dirlist *l, unsigned forkoff)
{
	enum xfs_dir_form form = build(b, l, forkoff, BUILDFS_WHOLE, 0);

	if (form == XFS_DIR_SHORT)
		return;
	build(b, l, forkoff, BUILDFS_PIECES, 5);
	build(b, l, forkoff, BUILDFS_PIECES, 100);
	build(b, l, forkoff, BUILDFS_BACKWARDS, 9);
}

/* ---- thresholds ---- */

static enum xfs_dir_form form_of(struct buildfs *b, const struct dirlist *l, size_t n, uint32_t forksize,
				 struct xfs_build_dir_shape *s)
{
	struct xfs_build_dir d = { .to = b->to, .parent = PARENT, .entries = l->e, .n = n, .forksize = forksize };

	qk_assert_int_eq(xfs_build_dir_shape(&d, s), 0);
	return s->form;
}

/* Smallest number of entries, above `from`, with a form beyond `form`, or more levels than `levels`. */
static size_t change_after(struct buildfs *b, const struct dirlist *l, size_t from, uint32_t forksize,
			   enum xfs_dir_form form, unsigned levels)
{
	size_t low = from, high = l->n;

	while (low + 1 < high) {
		size_t mid = low + (high - low) / 2;
		struct xfs_build_dir_shape s;

		if (form_of(b, l, mid, forksize, &s) > form || s.levels > levels)
			high = mid;
		else
			low = mid;
	}
	return high;
}

/* Around each change of the form and of the height; the list is cut to the number. */
static void around_changes(struct buildfs *b, struct dirlist *l, unsigned forkoff)
{
	uint32_t forksize = forkoff ? forkoff * 8 : b->geo.litino;
	size_t all = l->n, at = 0;
	unsigned changes = 0;
	struct xfs_build_dir_shape s;

	for (;;) {
		enum xfs_dir_form form = form_of(b, l, at, forksize, &s);
		unsigned levels = s.levels;

		l->n = all;
		at = change_after(b, l, at, forksize, form, levels);
		if (at >= all)
			break;
		qk_assert(form_of(b, l, at, forksize, &s) > form || s.levels > levels);
		for (l->n = at - 1; l->n <= at + 1; l->n++)
			build_all_ways(b, l, forkoff);
		changes++;
	}
	l->n = all;
	qk_assert_uint_ge(changes, 3);
}

START_TEST(changes)
{
	struct testrand rnd = { (uint64_t)_i };
	struct buildfs b;

	buildfs_init(&b, &kinds[_i]);
	for (unsigned round = 0; round < 4; round++) {
		static const unsigned lens[][2] = { { 5, 5 }, { 10, 10 }, { 20, 255 }, { 6, 40 } };
		/* enough for two leaves of this size */
		size_t n = b.geo.dirblksize / 8 * 5 / 4 + 10;
		struct dirlist l;

		dirlist_make(&l, &b.geo, &rnd, n, lens[round][0], lens[round][1], round == 1 ? 50 : 0);
		around_changes(&b, &l, round % 2 ? (b.geo.v5 ? 24 : 9) : 0);
		dirlist_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

START_TEST(small_and_random)
{
	struct testrand rnd = { 1000 + (uint64_t)_i };
	struct buildfs b;

	buildfs_init(&b, &kinds[_i]);
	for (unsigned n = 0; n < 40; n++) {
		struct dirlist l;

		dirlist_make(&l, &b.geo, &rnd, n < 20 ? n : testrand_below(&rnd, 3000), 4, 4 + 50 * (n % 6), 2 * n);
		build_all_ways(&b, &l, n % 3 ? 0 : 15);
		dirlist_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

/* ---- what the kernel does ---- */

static enum xfs_dir_form form_named(const char *name, unsigned *levels)
{
	static const struct { const char *name; enum xfs_dir_form form; unsigned levels; } forms[] = {
		{ "sf", XFS_DIR_SHORT, 0 }, { "block", XFS_DIR_BLOCK, 0 }, { "leaf", XFS_DIR_LEAF, 1 },
		{ "node-leafn", XFS_DIR_NODE, 1 }, { "node-danode", XFS_DIR_NODE, 2 },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name)) {
			*levels = forms[i].levels;
			return forms[i].form;
		}
	ck_abort_msg("%s", name);
	return XFS_DIR_ODD;
}

/* Names as in the vectors: a decimal counter behind x. */
static void counter_list(struct dirlist *l, size_t n, unsigned len)
{
	*l = (struct dirlist){ calloc(n + 1, sizeof(*l->e)), malloc((n + 1) * len + 1), n };
	for (size_t i = 0; i < n; i++) {
		uint8_t *name = l->names + i * len;
		char number[24];
		size_t digits = (size_t)snprintf(number, sizeof(number), "%zu", i);

		memset(name, 'x', len);
		memcpy(name + len - digits, number, digits);
		l->e[i] = (struct xfs_build_dirent){ 131, name, (uint8_t)len, XFS_DIR_FT_REG };
	}
}

static void check_change(struct buildfs *b, json_t *dir, json_t *row, bool grow)
{
	uint32_t forkoff = (uint32_t)vectors_get_u64(dir, "forkoff_of_new_directory");
	uint32_t forksize = forkoff ? forkoff * 8 : b->geo.litino;
	size_t n = (size_t)vectors_get_u64(row, "entries");
	struct xfs_build_dir_shape s;
	enum xfs_dir_form form;
	unsigned levels;
	struct dirlist l;

	counter_list(&l, n, (unsigned)vectors_get_u64(dir, "name_length"));
	form = form_named(vectors_get_str(row, "to"), &levels);
	qk_assert_uint_eq(form_of(b, &l, n, forksize, &s), form);
	qk_assert_uint_eq(s.levels, levels);
	qk_assert_uint_eq(s.blocks, vectors_get_u64(row, "nblocks"));
	if (form != XFS_DIR_SHORT || !grow)
		qk_assert_uint_eq(s.size, vectors_get_u64(row, "size"));
	if (grow) {
		form = form_named(vectors_get_str(row, "from"), &levels);
		qk_assert_uint_eq(form_of(b, &l, n - 1, forksize, &s), form);
		qk_assert_uint_eq(s.levels, levels);
	}
	build_all_ways(b, &l, forkoff);
	dirlist_free(&l);
}

START_TEST(as_the_kernel)
{
	json_t *root = vectors_load("dir-thresholds.json"), *dir, *row;
	size_t i, k, rows = 0;

	json_array_foreach(vectors_get(root, "cases"), i, dir) {
		const char *what = vectors_get_str(dir, "filesystem");
		uint32_t dirsize = (uint32_t)vectors_get_u64(dir, "dirblocksize");
		struct testfs shape = {
			.agblocks = 40000, .agcount = 4, .blocksize = strncmp(what, "1 KiB", 5) ? 4096 : 1024,
			.inodesize = strstr(what, "1024 byte inodes") ? 1024 : 512,
		};
		struct buildfs b;

		shape.dirblklog = xfs_log2_floor(dirsize / shape.blocksize);
		buildfs_init(&b, &shape);
		json_array_foreach(vectors_get(dir, "grow"), k, row)
			check_change(&b, dir, row, true);
		rows += k;
		json_array_foreach(vectors_get(dir, "shrink_last_created_first"), k, row)
			check_change(&b, dir, row, false);
		rows += k;
		buildfs_release(&b);
	}
	ck_assert_uint_gt(rows, 30);
	json_decref(root);
}
END_TEST

/* ---- many ---- */

START_TEST(a_million)
{
	static const struct testfs shape = { .agblocks = 1 << 20, .agcount = 4 };
	struct testrand rnd = { 77 };
	struct buildfs b;
	struct dirlist l;

	buildfs_init(&b, &shape);
	dirlist_make(&l, &b.geo, &rnd, 1000000, 7, 30, 0);
	ck_assert_int_eq(build(&b, &l, 24, BUILDFS_PIECES, 2000), XFS_DIR_NODE);
	dirlist_free(&l);
	buildfs_release(&b);
}
END_TEST

/* Small blocks: more than one free block, three levels, a tree in the fork with nodes. */
START_TEST(high_trees)
{
	static const struct testfs shapes[] = {
		{ .blocksize = 1024, .agblocks = 1 << 20, .agcount = 4 },
		{ .blocksize = 512, .agblocks = 1 << 20, .agcount = 4, .v4 = true },
	};

	for (size_t k = 0; k < XFS_ARRAY_SIZE(shapes); k++) {
		struct testrand rnd = { k };
		uint8_t fork[XFS_DINODE_MAX_SIZE];
		struct xfs_build_dir d;
		struct buildfs b;
		struct dirlist l;

		buildfs_init(&b, &shapes[k]);
		dirlist_make(&l, &b.geo, &rnd, 60000, 200, 255, 0);
		build(&b, &l, 0, BUILDFS_PIECES, 3);
		build(&b, &l, 0, BUILDFS_BACKWARDS, 1);
		d = request(&b, &l, b.geo.litino, fork);
		ck_assert_int_eq(xfs_build_dir_shape(&d, &d.shape), 0);
		ck_assert_uint_eq(d.shape.levels, 3);
		ck_assert_uint_gt(d.shape.free, 10);
		dirlist_free(&l);
		buildfs_release(&b);
	}
}
END_TEST

/* ---- names with equal hashes ---- */

START_TEST(one_hash)
{
	struct buildfs b;
	struct dirlist l;

	buildfs_init(&b, &kinds[0]);
	for (unsigned bits = 1; bits <= 11; bits++) {
		dirlist_equal_hashes(&l, bits);
		build_all_ways(&b, &l, 0);
		dirlist_free(&l);
	}
	buildfs_release(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("build_dir");
	TCase *t = tcase_create("build_dir");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, changes, 0, (int)XFS_ARRAY_SIZE(kinds));
	tcase_add_loop_test(t, small_and_random, 0, (int)XFS_ARRAY_SIZE(kinds));
	tcase_add_test(t, as_the_kernel);
	tcase_add_test(t, a_million);
	tcase_add_test(t, high_trees);
	tcase_add_test(t, one_hash);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
