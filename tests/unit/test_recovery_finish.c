/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_recovery_finish.c - recovery as a whole on logs that announce chains of changes which were cut off: all kinds of
 * intents that concern one AG, in both byte orders, stopped at any write and begun again.
 */
#include "libxfs/log/area.h"
#include "libxfs/log/state.h"
#include "libxfs/recovery/recovery.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/image.h"
#include "tests/unit/logwriter.h"
#include "tests/unit/spacefs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define COW XFS_OWN_COW

static struct spacefs s;
static struct memdev *logdev;
static struct logwriter w;
static struct xfs_devset set;
static char last[400];
static uint64_t bad_items;

static void note(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	xfs_finding_format(f, last, sizeof(last));
	bad_items += f->id == XFS_F_LOG_ITEM;
}
static const struct xfs_sink sink = { note, NULL };

/* ---- the filesystem, and its log on another device ---- */

static void set_up(const struct testfs *fs, const struct xfs_claim *claims, size_t n)
{
	struct spacefs_options o = { .fs = *fs, .claims = claims, .nclaims = n };

	spacefs_init(&s, &o);
	logdev = memdev_new((uint64_t)s.geo.sb.logblocks * s.geo.blocksize);
	set = (struct xfs_devset){ .data = &s.dev->dev, .log = &logdev->dev };
	bad_items = 0;
	last[0] = 0;
}

static void open_log(bool le, uint32_t at, uint32_t cycle)
{
	w = (struct logwriter){
		.area = logdev->bytes, .blocks = (uint32_t)(logdev->dev.size / 512), .uuid = s.geo.sb.uuid, .le = le,
		.size = 32768, .unit = 512, .at = at, .cycle = cycle,
	};
	logwriter_init(&w);
}

static void tear_down(void)
{
	logwriter_free(&w);
	xfs_dev_close(&logdev->dev);
	spacefs_release(&s);
}

static void begin(uint32_t tid)
{
	logwriter_begin(&w, tid);
}

static uint64_t fsb(uint32_t agbno)
{
	return xfs_fsbno_of(&s.geo, s.agno, XFS_AGBNO(agbno)).v;
}

static void put_efi(uint64_t id, uint32_t agbno, uint32_t len)
{
	uint8_t p[32] = { 0 };

	xfs_st16(p, w.le, 0x1236);
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, 1);
	xfs_st64(p + 8, w.le, id);
	xfs_st64(p + 16, w.le, fsb(agbno));
	xfs_st32(p + 24, w.le, len);
	logwriter_region(&w, 1, p, sizeof(p));
}

static void put_rui(uint64_t id, unsigned op, uint64_t owner, uint32_t agbno, uint32_t len, uint64_t off)
{
	uint8_t p[48] = { 0 };

	xfs_st16(p, w.le, 0x1240);
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, 1);
	xfs_st64(p + 8, w.le, id);
	xfs_st64(p + 16, w.le, owner);
	xfs_st64(p + 24, w.le, fsb(agbno));
	xfs_st64(p + 32, w.le, off);
	xfs_st32(p + 40, w.le, len);
	xfs_st32(p + 44, w.le, op);
	logwriter_region(&w, 1, p, sizeof(p));
}

static void put_cui(uint64_t id, unsigned op, uint32_t agbno, uint32_t len)
{
	uint8_t p[32] = { 0 };

	xfs_st16(p, w.le, 0x1242);
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, 1);
	xfs_st64(p + 8, w.le, id);
	xfs_st64(p + 16, w.le, fsb(agbno));
	xfs_st32(p + 24, w.le, len);
	xfs_st32(p + 28, w.le, op);
	logwriter_region(&w, 1, p, sizeof(p));
}

/* ---- what must be there afterwards ---- */

/* Reverse mappings of inodes and of staging extents are these; all invariants hold; the log is clean. */
static void check_result(const struct xfs_claim *want, size_t n)
{
	struct xfs_log_state st;
	struct agcheck a;
	struct xfs_fs *fs;
	size_t at = 0;
	uint64_t blocks = 0;

	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_int_eq(xfs_log_state(fs, &st), 0);
	ck_assert_int_eq(st.kind, XFS_LOG_CLEAN);
	agcheck_read(&a, &fs->geo, &s.dev->dev, s.agno);
	agcheck_invariants(&a);
	for (size_t k = 0; k < a.recs[XFS_TREE_RMAP].n; k++) {
		struct xfs_claim c = agcheck_rmap(&a, k);

		if (xfs_owner_is_special(c.owner) && c.owner != COW)
			continue;
		ck_assert_uint_lt(at, n);
		ck_assert_msg(c.agbno == want[at].agbno && c.len == want[at].len && c.owner == want[at].owner &&
			      c.offset == want[at].offset, "record %zu: %u+%u of %llu", at, c.agbno, c.len,
			      (unsigned long long)c.owner);
		at++;
	}
	ck_assert_uint_eq(at, n);
	for (uint32_t agno = 0; agno < s.geo.agcount; agno++) {
		struct xfs_agf f;

		ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(agno), &f), 0);
		blocks += (uint64_t)f.freeblks + f.flcount + f.btreeblks;
	}
	ck_assert_uint_eq(fs->geo.sb.fdblocks, blocks);
	ck_assert(!(fs->geo.sb.features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR));
	agcheck_release(&a);
	xfs_fs_close(fs);
}

static int recover(const struct xfs_devset *on, struct xfs_recovery_work *done)
{
	struct xfs_recovery r;
	int err = xfs_recovery_run(on, NULL, &r, done, &sink);

	xfs_recovery_free(&r);
	return err;
}

/* ---- one log with all of them ---- */

static const struct testfs shapes[] = {
	{ .blocksize = 1024, .agblocks = 17000, .agcount = 2, .logblocks = 2048 },
	{ .blocksize = 4096, .agblocks = 5000, .agcount = 2, .logblocks = 512 },
	/* a log that is too short for another checkpoint */
	{ .blocksize = 1024, .agblocks = 17000, .agcount = 2, .logblocks = 120 },
};
#define INO 640u	/* of the first of the owners */

static const struct xfs_claim before[] = {
	{ 120, 30, INO, 0 },
	{ 130, 10, INO + 1, 0 },
	{ 200, 10, INO + 2, 5 },
	{ 300, 10, INO + 3, 0 },
	{ 400, 20, INO + 4, 7 },
	{ 500, 10, COW, 0 },
	{ 600, 5, INO + 5, 0 },
	{ 700, 8, INO + 6, 0 },
	{ 700, 8, INO + 7, 0 },
	{ 700, 8, INO + 8, 0 },
};
static const struct xfs_claim after[] = {
	{ 120, 30, INO, 0 },
	{ 140, 10, INO + 9, 3 },
	{ 400, 20, INO + 4, 7 },
	{ 700, 8, INO + 7, 0 },
	{ 700, 8, INO + 8, 0 },
};

static void all_kinds(bool le, uint32_t at, uint32_t cycle)
{
	open_log(le, at, cycle);
	begin(1);
	/* one owner less */
	put_rui(1, 4, INO + 1, 130, 10, 0);
	put_cui(2, 2, 130, 10);
	/* rmaps that the kernel finds only by the block */
	put_efi(3, 200, 10);
	put_rui(4, 3, INO + 3, 300, 10, 0);
	put_efi(5, 300, 10);
	/* one owner more */
	put_cui(6, 1, 140, 10);
	put_rui(7, 2, INO + 9, 140, 10, 3);
	/* freed because nobody is left: another work that follows */
	put_rui(8, 3, INO + 5, 600, 5, 0);
	put_cui(9, 2, 600, 5);
	put_rui(10, 4, INO + 6, 700, 8, 0);
	put_cui(11, 2, 700, 8);
	logwriter_commit(&w, 1);
	logwriter_flush(&w);
}

START_TEST(kinds)
{
	const struct testfs *fs = &shapes[_i / 2 % 3];
	struct xfs_recovery_work done = { .intents = 0 };

	set_up(fs, before, XFS_ARRAY_SIZE(before));
	if (_i / 6)	/* round the end of the log */
		all_kinds(_i % 2, (uint32_t)(logdev->dev.size / 512) - 1, 7);
	else
		all_kinds(_i % 2, 20, 3);
	ck_assert_msg(recover(&set, &done) == 0, "%s", last);
	ck_assert_uint_eq(done.intents, 11);
	ck_assert_uint_eq(done.cow_blocks, 10);
	ck_assert_int_eq(done.bare, fs->logblocks < 200);
	ck_assert_uint_eq(bad_items, 0);
	check_result(after, XFS_ARRAY_SIZE(after));
	/* and nothing is left to do */
	ck_assert_int_eq(recover(&set, &done), 0);
	ck_assert_uint_eq(done.intents + done.cow_blocks, 0);
	tear_down();
}
END_TEST

static uint8_t *copy_of(const struct memdev *d)
{
	uint8_t *p = malloc(d->dev.size);

	ck_assert_ptr_nonnull(p);
	memcpy(p, d->bytes, d->dev.size);
	return p;
}

/* A recovery that ends at this write to one of the devices; 0: at none. Counts writes. */
static int recover_until(unsigned which, uint64_t stop, uint64_t seed, uint64_t writes[2])
{
	struct xfs_dev_fault plans[2] = { { .reads = 0 }, { .reads = 0 } };
	struct xfs_devset top = { .data = NULL };
	struct xfs_dev *below;
	int err;

	plans[which] = (struct xfs_dev_fault){ .stop_write_at = stop, .tear_bytes = 512, .lose_seed = seed };
	ck_assert_int_eq(xfs_dev_borrow(&below, set.data), 0);
	ck_assert_int_eq(xfs_dev_fault(&top.data, below, &plans[0]), 0);
	ck_assert_int_eq(xfs_dev_borrow(&below, set.log), 0);
	ck_assert_int_eq(xfs_dev_fault(&top.log, below, &plans[1]), 0);
	err = recover(&top, NULL);
	writes[0] = plans[0].writes;
	writes[1] = plans[1].writes;
	xfs_dev_close(top.data);
	xfs_dev_close(top.log);
	return err;
}

static bool needs_repair(void)
{
	struct xfs_sb sb;

	ck_assert_int_eq(xfs_fs_read_sb(&s.dev->dev, 0, &sb), 0);
	return sb.features_incompat & XFS_SB_INCOMPAT_NEEDSREPAIR;
}

/* Stopped at any write (torn; or a write cache that is lost in part), then again. */
START_TEST(stopped)
{
	uint64_t most[2], writes[2], stops = 0;
	uint8_t *data, *log;

	set_up(&shapes[_i % 3], before, XFS_ARRAY_SIZE(before));
	all_kinds(true, 20, 3);
	data = copy_of(s.dev);
	log = copy_of(logdev);
	ck_assert_int_eq(recover_until(0, 0, 0, most), 0);
	for (unsigned which = 0; which < 2; which++)
		for (uint64_t stop = 1; stop <= most[which]; stop++) {
			int err;

			memcpy(s.dev->bytes, data, s.dev->dev.size);
			memcpy(logdev->bytes, log, logdev->dev.size);
			err = recover_until(which, stop, _i / 3 ? 1000 * (uint64_t)_i + stop : 0, writes);
			ck_assert(!err || err == -XFS_E_FAULT);
			stops += err != 0;
			/* without room in the log only a repair can go on, and is asked for */
			if (err && _i % 3 == 2 && needs_repair())
				continue;
			ck_assert_msg(recover(&set, NULL) == 0, "stop %llu on %u: %s", (unsigned long long)stop, which,
				      last);
			check_result(after, XFS_ARRAY_SIZE(after));
		}
	ck_assert_uint_gt(stops, 10);
	free(data);
	free(log);
	tear_down();
}
END_TEST

/* ---- a log of Linux, with inodes that have no names ---- */

static struct memdev *image;
static uint64_t log_start, log_end;

static void load_image(void)
{
	struct xfs_log_area area;
	struct xfs_fs *fs;

	image = image_load("log-unlinked.img.xz");
	set = (struct xfs_devset){ .data = &image->dev };
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_ptr_null(xfs_log_area_find(&area, fs));
	log_start = area.start;
	log_end = area.start + (uint64_t)area.blocks * 512;
	xfs_fs_close(fs);
}

/* The same but for the log, where a stop leaves more or less behind the head. */
static bool same_outside_log(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, log_start) && !memcmp(a + log_end, b + log_end, image->dev.size - log_end);
}

START_TEST(unlinked)
{
	uint64_t stops = 0, stop = 1, all;
	struct xfs_recovery_work done = { .intents = 0 };
	uint8_t *original, *want;
	int err;

	load_image();
	original = copy_of(image);
	ck_assert_int_eq(recover(&set, &done), 0);
	ck_assert_uint_ge(done.inodes, 6);
	ck_assert(!done.bare);
	want = copy_of(image);
	do {
		struct xfs_dev_fault plan = { .lose_seed = _i };
		struct xfs_devset top = { .data = NULL };
		struct xfs_dev *below;

		memcpy(image->bytes, original, image->dev.size);
		plan.stop_write_at = stop;
		plan.tear_bytes = 512;
		plan.lose_seed = _i ? 77 * stop : 0;
		ck_assert_int_eq(xfs_dev_borrow(&below, set.data), 0);
		ck_assert_int_eq(xfs_dev_fault(&top.data, below, &plan), 0);
		err = recover(&top, NULL);
		all = plan.writes;
		xfs_dev_close(top.data);
		ck_assert(!err || err == -XFS_E_FAULT);
		stops += err != 0;
		ck_assert_msg(recover(&set, NULL) == 0, "stop at %llu: %s", (unsigned long long)stop, last);
		ck_assert_msg(same_outside_log(image->bytes, want), "stopped at write %llu", (unsigned long long)stop);
		stop += 1 + (all < 120 ? 0 : stop < 400 ? 7 : stop / 9);
	} while (err);
	ck_assert_uint_gt(stops, 15);
	free(original);
	free(want);
	xfs_dev_close(&image->dev);
}
END_TEST

/* No memory at the n-th allocation: nothing leaks, and the next run ends well. */
START_TEST(no_memory)
{
	uint8_t *data, *log;
	bool failed = true;

	set_up(&shapes[0], before, XFS_ARRAY_SIZE(before));
	all_kinds(true, 20, 3);
	data = copy_of(s.dev);
	log = copy_of(logdev);
	for (uint64_t n = 1; failed; n += 1 + n / 12) {
		int err;

		memcpy(s.dev->bytes, data, s.dev->dev.size);
		memcpy(logdev->bytes, log, logdev->dev.size);
		failmalloc_start(n, false);
		err = recover(&set, NULL);
		failed = failmalloc_stop() >= n;
		ck_assert(!err || failed);
		ck_assert(!err || err == -XFS_E_NOMEM);
		ck_assert_int_eq(recover(&set, NULL), 0);
		check_result(after, XFS_ARRAY_SIZE(after));
	}
	free(data);
	free(log);
	tear_down();
}
END_TEST

/* ---- what cannot be ---- */

static void impossible(int which)
{
	switch (which) {
	case 0: put_efi(1, 200, 0); break;
	case 1: put_efi(1, 16990, 20); break;			/* beyond the AG */
	case 2: put_efi(1, 0, 1); break;			/* headers */
	case 3: put_efi(1, 1000, 5); break;			/* free already */
	case 4: put_rui(1, 9, INO, 120, 5, 0); break;		/* no such operation */
	case 5: put_rui(1, 3, INO + 9, 120, 5, 0); break;	/* no such record */
	case 6: put_rui(1, 1, UINT64_C(1) << 60, 120, 5, 0); break;
	case 7: put_rui(1, 1, INO, 120, 5, 0); break;		/* it is there */
	case 8: put_cui(1, 0, 120, 5); break;
	case 9: put_cui(1, 5, 120, 5); break;
	case 10: put_cui(1, 0x102, 120, 5); break;
	case 11: put_rui(1, 1, INO, 120, 5, UINT64_C(1) << 54); break;
	case 12: put_cui(1, 4, 120, 5); break;			/* no staging extent */
	}
}

/* Refused with a finding; not even the intents before it have an effect. */
START_TEST(refused)
{
	uint8_t *data;

	set_up(&shapes[0], before, XFS_ARRAY_SIZE(before));
	open_log(true, 20, 3);
	begin(1);
	put_rui(100, 4, INO + 1, 130, 10, 0);
	put_cui(101, 2, 130, 10);
	impossible(_i);
	logwriter_commit(&w, 1);
	logwriter_flush(&w);
	data = copy_of(s.dev);
	ck_assert_int_eq(recover(&set, NULL), -XFS_E_CORRUPT);
	ck_assert_uint_eq(bad_items, 1);
	ck_assert_mem_eq(data, s.dev->bytes, s.dev->dev.size);
	free(data);
	tear_down();
}
END_TEST

/* Filesystems without reverse mappings, V4 too: extents that were to be freed. */
START_TEST(plain)
{
	const struct testfs fs = {
		.blocksize = 1024, .agblocks = 17000, .agcount = 2, .logblocks = 2048, .no_rmapbt = true,
		.no_reflink = true, .v4 = _i % 2, .no_finobt = _i % 2, .no_sparse = _i % 2,
	};
	const struct xfs_claim claims[] = { { 100, 50, INO, 0 }, { 200, 50, INO, 50 } };
	struct xfs_recovery_work done = { .intents = 0 };
	struct agcheck a;
	struct xfs_fs *f;
	uint32_t free0;

	set_up(&fs, claims, 2);
	agcheck_read(&a, &s.geo, &s.dev->dev, s.agno);
	free0 = a.agf.freeblks;
	agcheck_release(&a);
	open_log(_i / 2, 20, 3);
	begin(1);
	put_efi(1, 140, 10);
	put_efi(2, 200, 50);
	put_efi(3, 120, 1);
	logwriter_commit(&w, 1);
	logwriter_flush(&w);
	ck_assert_msg(recover(&set, &done) == 0, "%s", last);
	ck_assert_uint_eq(done.intents, 3);
	ck_assert_int_eq(xfs_fs_open(&f, &set, NULL, NULL), 0);
	agcheck_read(&a, &f->geo, &s.dev->dev, s.agno);
	ck_assert_uint_eq(a.agf.freeblks, free0 + 61);
	agcheck_invariants(&a);
	agcheck_release(&a);
	xfs_fs_close(f);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recovery-finish");
	TCase *t = tcase_create("intents");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, kinds, 0, 12);
	tcase_add_loop_test(t, stopped, 0, 6);
	tcase_add_loop_test(t, unlinked, 0, 2);
	tcase_add_test(t, no_memory);
	tcase_add_loop_test(t, refused, 0, 13);
	tcase_add_loop_test(t, plain, 0, 4);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
