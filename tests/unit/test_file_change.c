/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_file_change.c - files written, cut, moved, shared and exchanged at random, against plain copies of their bytes.
 */
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/transaction/file.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define FILES 4u
#define MOST ((uint64_t)600 << 10)	/* bytes of a file */

static struct livefs l;
static struct testrand rnd;
static struct copy { uint8_t *bytes; uint64_t size; struct xfs_live_inode *li; } files[FILES];

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

static void open_files(void)
{
	for (unsigned k = 0; k < FILES; k++)
		qk_assert_int_eq(xfs_live_inode_get(l.live, livefs_ino(&l, k), &files[k].li), 0);
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
		return do_exchange(f, g);
	default:
		return do_write(f);
	}
}

static const struct testfs shapes[] = {
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2 },
	{ .blocksize = 4096, .agblocks = 4096, .agcount = 3 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .no_rmapbt = true },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .no_reflink = true },
	{ .blocksize = 512, .agblocks = 32768, .agcount = 2, .v4 = true, .no_rmapbt = true, .no_reflink = true,
	  .no_finobt = true },
};

START_TEST(model)
{
	unsigned rounds = getenv("XFSKIT_LONG") ? 100 : 6, steps = 400;

	livefs_init(&l, &shapes[_i], FILES, NULL);
	rnd.s = 4711 + (uint64_t)_i;
	for (unsigned k = 0; k < FILES; k++)
		files[k] = (struct copy){ calloc(1, MOST), 0, NULL };
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

int main(void)
{
	TCase *c = tcase_create("file_change");
	Suite *suite = suite_create("file_change");

	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, model, 0, XFS_ARRAY_SIZE(shapes));
	suite_add_tcase(suite, c);
	return vectors_main(suite);
}
