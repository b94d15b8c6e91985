/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_file_change.c - files written, cut, moved, shared and exchanged at random, against plain copies of their bytes.
 *
 * With XFSKIT_IMAGE the same happens to files of an image that mkfs.xfs has made; their contents go to the folder
 * XFSKIT_EXPECT, for others to compare (tests/kernel/files.t).  With XFSKIT_LOGGED the last steps are left in the log.
 */
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/transaction/file.h"
#include "tests/unit/fileshapes.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define FILES 4u
#define MOST ((uint64_t)600 << 10)	/* bytes of a file */

static struct livefs l;
static struct testrand rnd;
static struct copy { uint8_t *bytes; uint64_t size, ino; struct xfs_live_inode *li; } files[FILES];

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

static void open_files(void)
{
	for (unsigned k = 0; k < FILES; k++)
		qk_assert_int_eq(xfs_live_inode_get(l.live, l.dev ? livefs_ino(&l, k) : files[k].ino, &files[k].li), 0);
}

static void close_files(void)
{
	for (unsigned k = 0; k < FILES; k++)
		xfs_live_inode_put(files[k].li);
}

static void compare(unsigned k)
{
	static uint8_t got[MOST];
	struct xfs_ifork f;
	size_t n;

	qk_assert_uint_eq(files[k].li->i.d.core.size, files[k].size);
	qk_assert_int_eq(xfs_ifork_init(&f, &files[k].li->i, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_ifork_read(&f, 0, got, MOST, &n), 0);
	qk_assert_uint_eq(n, files[k].size);
	for (uint64_t i = 0; i < n; i++)
		qk_assert_msg(got[i] == files[k].bytes[i], "file %u: byte %llu of %llu is %u, not %u", k,
			      (unsigned long long)i, (unsigned long long)n, got[i], files[k].bytes[i]);
}

/* Bytes behind the end are zero in the copies. */
static void resize(struct copy *f, uint64_t size)
{
	if (size < f->size)
		memset(f->bytes + size, 0, f->size - size);
	f->size = size;
}

static void range(uint64_t within, uint64_t *off, uint64_t *len)
{
	*off = below((uint32_t)within);
	*len = 1 + below(below(4) ? 5000 : 60000);
	*len = xfs_min(*len, MOST - *off);
	if (below(3) == 0) {
		*off &= ~(uint64_t)(l.geo.blocksize - 1);
		*len = xfs_max(*len & ~(uint64_t)(l.geo.blocksize - 1), 1);
	}
}

/* ---- steps: the call, then the same on the copy ---- */

static int do_write(struct copy *f)
{
	static uint8_t data[64 << 10];
	uint64_t off, len;
	int err;

	range(below(3) ? xfs_max(f->size, 1) : MOST - 100000, &off, &len);
	for (uint64_t i = 0; i < len; i++)
		data[i] = (uint8_t)testrand_next(&rnd);
	err = xfs_file_write(l.edit, f->li, off, data, len);
	if (!err) {
		memcpy(f->bytes + off, data, len);
		f->size = xfs_max(f->size, off + len);
	}
	return err;
}

static int do_truncate(struct copy *f)
{
	uint64_t size = below(4) ? f->size * below(100) / 80 : below(MOST);
	int err = xfs_file_truncate(l.edit, f->li, size = xfs_min(size, MOST));

	if (!err)
		resize(f, size);
	return err;
}

static int do_zero(struct copy *f, unsigned what)
{
	uint64_t off, len;
	bool keep = below(2);
	int err;

	range(xfs_max(f->size, 1), &off, &len);
	err = what == 0 ? xfs_file_punch(l.edit, f->li, off, len)
		: what == 1 ? xfs_file_zero(l.edit, f->li, off, len, keep)
		: xfs_file_prealloc(l.edit, f->li, off, len, keep);
	if (err)
		return err;
	if (what < 2)
		memset(f->bytes + off, 0, len);
	if (what && !keep)
		f->size = xfs_max(f->size, off + len);
	return 0;
}

static int do_shift(struct copy *f, bool up)
{
	uint64_t bs = l.geo.blocksize, off, len;
	int err;

	if (f->size < 4 * bs)
		return 0;
	off = below((uint32_t)(f->size / bs)) * bs;
	len = (1 + below(10)) * bs;
	if (up ? f->size + len > MOST : off + len >= f->size)
		return 0;
	err = up ? xfs_file_insert(l.edit, f->li, off, len) : xfs_file_collapse(l.edit, f->li, off, len);
	if (err)
		return err;
	if (up) {
		memmove(f->bytes + off + len, f->bytes + off, f->size - off);
		memset(f->bytes + off, 0, len);
		f->size += len;
	} else {
		memmove(f->bytes + off, f->bytes + off + len, f->size - off - len);
		resize(f, f->size - len);
	}
	return 0;
}

static int do_share(struct copy *a, struct copy *b)
{
	uint64_t bs = l.geo.blocksize, from, to, len;
	int err;

	if (a->size < bs)
		return 0;
	from = below((uint32_t)(a->size / bs)) * bs;
	to = below((uint32_t)(xfs_max(b->size, bs) / bs)) * bs;
	len = below(3) ? (1 + below(40)) * bs : a->size - from;
	if (from + len > a->size || to + len > MOST)
		return 0;
	if (len % bs && to + len < b->size)
		return 0;
	if (a == b && from < to + len && to < from + len) {
		qk_assert_int_eq(xfs_file_share(l.edit, a->li, from, b->li, to, len), -XFS_E_INVALID);
		return 0;
	}
	err = xfs_file_share(l.edit, a->li, from, b->li, to, len);
	if (!err) {
		memcpy(b->bytes + to, a->bytes + from, len);
		b->size = xfs_max(b->size, to + len);
	}
	return err;
}

static int do_exchange(struct copy *a, struct copy *b)
{
	static uint8_t x[MOST], y[MOST];
	uint64_t bs = l.geo.blocksize, off1 = below((uint32_t)(a->size / bs + 1)) * bs;
	uint64_t off2 = below((uint32_t)(b->size / bs + 1)) * bs, len = (1 + below(30)) * bs;
	bool to_end = a != b && below(3) == 0;
	uint64_t n1, n2;
	int err;

	if (!to_end && (off1 + len > a->size || off2 + len > b->size))
		return 0;
	if (a == b && off1 < off2 + len && off2 < off1 + len)
		return 0;
	n1 = to_end ? a->size - off1 : len;
	n2 = to_end ? b->size - off2 : len;
	if (off1 + n2 > MOST || off2 + n1 > MOST)
		return 0;
	err = xfs_file_exchange(l.edit, a->li, off1, b->li, off2, to_end ? 0 : len, to_end);
	if (err)
		return err;
	memcpy(x, a->bytes + off1, n1);
	memcpy(y, b->bytes + off2, n2);
	if (to_end) {
		resize(a, off1);
		resize(b, off2);
		a->size = off1 + n2;
		b->size = off2 + n1;
	}
	memcpy(a->bytes + off1, y, n2);
	memcpy(b->bytes + off2, x, n1);
	return 0;
}

static int step(void)
{
	struct copy *f = &files[below(FILES)], *g = &files[below(FILES)];
	bool reflink = l.geo.reflink;

	switch (below(16)) {
	case 0:
		return do_truncate(f);
	case 1:
		return do_zero(f, 0);
	case 2:
		return do_zero(f, 1);
	case 3:
		return do_zero(f, 2);
	case 4:
	case 5:
		return do_shift(f, below(2));
	case 6:
	case 7:
	case 8:
		return reflink ? do_share(f, g) : 0;
	case 9:
		return xfs_file_unshare(l.edit, f->li, below(MOST / 2), below(MOST / 2));
	case 10:
		return !l.options.logged || l.geo.exchrange ? do_exchange(f, g) : 0;
	default:
		return do_write(f);
	}
}

/* Rounds of random steps; everything is compared after each. */
static void run(unsigned rounds, unsigned steps)
{
	open_files();
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < steps; i++) {
			int err = step();

			qk_assert_msg(!err, "%s: %s", xfs_error_name(err), l.finding);
			if (i % 8 == 0)
				compare(below(FILES));
		}
		for (unsigned k = 0; k < FILES; k++)
			compare(k);
		livefs_check(&l);
		if (r % 2) {
			close_files();
			livefs_reopen(&l);
			open_files();
		}
	}
	close_files();
}

/* Directly; with a log; with a checkpoint for each transaction. */
START_TEST(model)
{
	enum { V5 = XFS_ARRAY_SIZE(file_shapes) - 1 };	/* the last one is V4, which has no logged mode */
	unsigned how = (unsigned)_i == 3 * V5 ? 0 : (unsigned)_i / V5,
		 shape = (unsigned)_i == 3 * V5 ? V5 : (unsigned)_i % V5;
	struct xfs_edit_options options = { .logged = how > 0, .each = how == 2 };

	livefs_init(&l, &file_shapes[shape], FILES, &options);
	rnd.s = 4711 + (uint64_t)_i;
	for (unsigned k = 0; k < FILES; k++)
		files[k] = (struct copy){ .bytes = calloc(1, MOST) };
	run(getenv("XFSKIT_LONG") ? 100 : how ? 2 : 6, 400);
	open_files();
	for (unsigned k = 0; k < FILES; k++) {
		ck_assert_int_eq(xfs_file_truncate(l.edit, files[k].li, 0), 0);
		free(files[k].bytes);
	}
	close_files();
	livefs_check(&l);
	ck_assert_uint_eq(l.used, 0);
	livefs_release(&l);
}
END_TEST

/* ---- on an image ---- */

#define LINKS 4u

static size_t put_entry(uint8_t *p, char first, unsigned k, uint64_t ino, unsigned ftype)
{
	struct xfs_dir_sf_ent e = { .namelen = 2, .offset = (uint16_t)((l.geo.v5 ? 0x60 : 0x30) + 16 * k) };
	size_t n = 5;

	xfs_dir_sf_ent_encode(p, &e);
	p[3] = (uint8_t)first;
	p[4] = (uint8_t)('0' + k % 10);
	if (l.geo.ftype)
		p[n++] = (uint8_t)ftype;
	xfs_put_be32(p + n, (uint32_t)ino);
	return n + 4;
}

/* Files f0.., symlinks l4.. of growing length, in the root directory. */
static void make_names(void)
{
	uint8_t dir[336];
	struct xfs_dir_sf_hdr head = { .count = FILES + LINKS };
	struct xfs_live_inode *root;
	size_t n = 6;

	livefs_begin(&l);
	root = livefs_get(&l, l.root);
	xfs_dir_sf_hdr_encode(dir, &head);
	xfs_put_be32(dir + 2, (uint32_t)l.root);
	for (unsigned k = 0; k < FILES + LINKS; k++) {
		bool link = k >= FILES;
		struct xfs_inode_want w = {
			.near = l.root, .mode = link ? XFS_MODE_LNK | 0777 : XFS_MODE_REG | 0644, .nlink = 1,
		};
		struct xfs_live_inode *li;
		char target[1000];

		qk_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &li), 0);
		memset(target, 'a' + (int)k, sizeof(target));
		if (link)
			qk_assert_int_eq(xfs_symlink_set(li, target, 1 + 330 * (k - FILES)), 0);
		else
			files[k] = (struct copy){ .bytes = calloc(1, MOST), .ino = li->i.ino.v };
		n += put_entry(dir + n, link ? 'l' : 'f', k, li->i.ino.v, link ? XFS_DIR_FT_LNK : XFS_DIR_FT_REG);
		xfs_live_inode_put(li);
	}
	qk_assert_int_eq(xfs_live_fork_set_local(root, XFS_FORK_DATA, dir, (uint32_t)n), 0);
	root->i.d.core.size = n;
	xfs_live_inode_stamp(root, 2 | 4);
	xfs_live_inode_put(root);
	livefs_commit(&l);
}

START_TEST(image)
{
	struct xfs_edit_options options = { .logged = getenv("XFSKIT_LOGGED") != NULL };
	char path[1000];

	livefs_open_image(&l, getenv("XFSKIT_IMAGE"), &options);
	rnd.s = 99;
	make_names();
	livefs_check(&l);
	run(4, 500);
	open_files();
	for (unsigned i = 0; options.logged && i < 300; i++)
		ck_assert_int_eq(step(), 0);
	for (unsigned k = 0; options.logged && k < 200; k++) {		/* new chunks of inodes, and gone again */
		struct xfs_inode_want w = { .near = l.root, .mode = XFS_MODE_REG | 0600 };
		struct xfs_live_inode *li;

		livefs_begin(&l);
		ck_assert_int_eq(xfs_inode_alloc(l.live, &l.t.change, &w, &li), 0);
		ck_assert_int_eq(xfs_unlinked_add(li), 0);
		livefs_commit(&l);
		if (k % 2)
			ck_assert_int_eq(xfs_inode_inactivate(l.edit, li), 0);
		xfs_live_inode_put(li);
	}
	close_files();
	ck_assert_int_eq(xfs_edit_sync(l.edit), 0);
	for (unsigned k = 0; k < FILES; k++) {
		FILE *out;

		snprintf(path, sizeof(path), "%s/f%u", getenv("XFSKIT_EXPECT"), k);
		out = fopen(path, "w");
		ck_assert_ptr_nonnull(out);
		ck_assert_uint_eq(fwrite(files[k].bytes, 1, files[k].size, out), files[k].size);
		ck_assert_int_eq(fclose(out), 0);
		free(files[k].bytes);
	}
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("file_change");
	Suite *suite = suite_create("file_change");

	tcase_set_timeout(c, 300);
	if (getenv("XFSKIT_IMAGE")) {
		tcase_add_test(c, image);
		suite_add_tcase(suite, c);
		return vectors_main(suite);
	}
	tcase_add_loop_test(c, model, 0, 3 * (XFS_ARRAY_SIZE(file_shapes) - 1) + 1);
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
