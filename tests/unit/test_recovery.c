/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_recovery.c - replay of logs: those that Linux left in images, the same in the other byte order, stopped at any
 * write and begun again, damaged.  test_recovery_rules.c: logs that a test writes.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/log/area.h"
#include "libxfs/recovery/replay.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/hostile.h"
#include "tests/unit/image.h"
#include "tests/unit/logwriter.h"
#include "tests/unit/memdev.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static const struct image {
	const char *name;
	uint64_t buffers, cancelled, inodes, icreates, unlinks, pieces;
} images[] = {
	{ "log-rmap.img.xz", 240, 4, 751, 6, 0, 4 },
	{ "log-v4.img.xz", 230, 6, 524, 0, 0, 0 },
	{ "log-pieces.img.xz", 106, 0, 13, 0, 0, 66 },
};

static struct memdev *dev;
static struct xfs_devset set;
static uint64_t counts[XFS_F_COUNT], total;
static char last[400];

static void count_finding(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	xfs_finding_format(f, last, sizeof(last));
	counts[f->id]++;
	total++;
}

static const struct xfs_sink sink = { count_finding, NULL };

static void load(const char *name)
{
	dev = image_load(name);
	set = (struct xfs_devset){ .data = &dev->dev };
	memset(counts, 0, sizeof(counts));
	total = 0;
}

static void unload(void)
{
	xfs_dev_close(&dev->dev);
}

static uint8_t *copy_device(void)
{
	uint8_t *p = malloc(dev->dev.size);

	ck_assert_ptr_nonnull(p);
	memcpy(p, dev->bytes, dev->dev.size);
	return p;
}

static void area_of(struct xfs_log_area *a, struct xfs_log_state *st, uint8_t *uuid)
{
	struct xfs_fs *fs;

	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_ptr_null(xfs_log_area_find(a, fs));
	ck_assert_int_eq(xfs_log_state(fs, st), 0);
	memcpy(uuid, fs->geo.sb.uuid, 16);
	a->uuid = uuid;
	xfs_fs_close(fs);
}

/* ---- logs of Linux ---- */

START_TEST(replays)
{
	const struct image *i = &images[_i];
	struct everything all = { 0 };
	struct xfs_recovery r, again;
	struct xfs_log_state st;
	uint8_t *replayed;
	unsigned absent;
	struct xfs_fs *fs;

	load(i->name);
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, &sink), 0);
	ck_assert_msg(total == 0, "%s", last);
	ck_assert_int_eq(r.log.kind, XFS_LOG_DIRTY);
	ck_assert_uint_eq(r.counts.buffers, i->buffers);
	ck_assert_uint_eq(r.counts.buffers_cancelled, i->cancelled);
	ck_assert_uint_eq(r.counts.inodes, i->inodes);
	ck_assert_uint_eq(r.counts.icreates, i->icreates);
	ck_assert_uint_eq(r.counts.unlinks, i->unlinks);
	ck_assert_uint_eq(r.counts.dir_pieces, i->pieces);
	ck_assert_uint_eq(r.nintents, 0);
	/* the same again changes nothing, because nothing in place is older now */
	replayed = copy_device();
	ck_assert_int_eq(xfs_recovery_replay(&set, &again, &sink), 0);
	ck_assert_msg(memcmp(replayed, dev->bytes, dev->dev.size) == 0, "%s: a second replay changes things", i->name);
	free(replayed);
	xfs_recovery_free(&again);

	ck_assert_int_eq(xfs_recovery_settle(&set, &r, &sink), 0);
	xfs_recovery_free(&r);
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, &sink), 0);
	ck_assert_int_eq(xfs_log_state(fs, &st), 0);
	ck_assert_int_eq(st.kind, XFS_LOG_CLEAN);
	ck_assert(!st.sb_lsn_ahead);
	read_everything(fs, &sink, &all);
	ck_assert_uint_lt(fs->max_lsn, xfs_log_head_lsn(&st));
	/* trees that the filesystem does not have */
	absent = fs->geo.agcount * (!fs->geo.finobt + !fs->geo.rmapbt + !fs->geo.reflink);
	xfs_fs_close(fs);
	ck_assert_uint_gt(all.entries, 100);
	ck_assert_msg(all.errors == absent && total == 0, "%s: %s", i->name, last);
	unload();
}
END_TEST

/* Above an overlay the evidence stays as it is. */
START_TEST(overlaid)
{
	struct xfs_devset top;
	struct xfs_recovery r;
	uint8_t *before;

	load(images[0].name);
	before = copy_device();
	dev->dev.readonly = true;
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, &sink), -XFS_E_READONLY);
	xfs_recovery_free(&r);
	top = (struct xfs_devset){ .data = NULL };
	ck_assert_int_eq(xfs_dev_overlay(&top.data, &dev->dev, 0, 64 << 20, NULL), 0);
	ck_assert_int_eq(xfs_recovery_replay(&top, &r, &sink), 0);
	ck_assert_int_eq(xfs_recovery_settle(&top, &r, &sink), 0);
	ck_assert_uint_gt(r.counts.buffers, 0);
	ck_assert_mem_eq(before, dev->bytes, 1 << 20);
	ck_assert(memcmp(before, dev->bytes, dev->dev.size) == 0);
	xfs_recovery_free(&r);
	free(before);
	xfs_dev_close(top.data);
}
END_TEST

/* ---- the other byte order ---- */

static void swap_item(struct logwriter *w, const struct xfs_log_item *it, uint32_t tid)
{
	uint8_t *p = malloc(it->regions[0].len > 16384 ? it->regions[0].len : 16384);
	uint32_t len = it->regions[0].len, k = 1;
	bool from = it->writer_le, to = w->le;

	ck_assert_ptr_nonnull(p);
	memcpy(p, it->regions[0].p, len);
#define TURN(S, at) do { struct xfs_##S v_; xfs_##S##_decode_as(&v_, p + (at), from); \
			 xfs_##S##_encode_as(p + (at), &v_, to); } while (0)
	switch (it->type) {
	case XFS_LI_BUF:
		TURN(log_buf, 0);
		for (uint32_t at = 20; at + 4 <= len; at += 4)
			TURN(log_word, at);
		break;
	case XFS_LI_INODE:
		if (len == 56)
			TURN(log_inode, 0);
		else
			TURN(log_inode32, 0);
		break;
	case XFS_LI_ICREATE:
		TURN(log_icreate, 0);
		break;
	case XFS_LI_EFI: case XFS_LI_EFD:
		TURN(log_intent, 0);
		for (uint32_t at = 16; at + 16 <= len; at += 16)
			TURN(log_extent, at);
		break;
	default:
		ck_abort_msg("%s is not in the images", it->kind->name);
	}
#undef TURN
	logwriter_region(w, tid, p, len);
	if (it->type == XFS_LI_INODE) {
		uint8_t disk[176];

		xfs_log_dinode_to_disk(disk, it->regions[1].p, it->regions[1].len, from);
		xfs_log_dinode_from_disk(p, disk, to);
		logwriter_region(w, tid, p, it->regions[1].len);
		k = 2;
	}
	free(p);
	for (; k < it->nregions; k++)
		logwriter_region(w, tid, it->regions[k].p, it->regions[k].len);
}

/* Writes all that the log holds anew, from its tail on, in this order. */
static void rewrite(const uint8_t *original, bool le)
{
	struct xfs_log_state st;
	struct xfs_log_event e;
	struct xfs_log_iter *it;
	struct xfs_log_area a;
	uint8_t uuid[16];
	struct xfs_fs *fs;
	struct logwriter w;

	memcpy(dev->bytes, original, dev->dev.size);
	area_of(&a, &st, uuid);
	w = (struct logwriter){ .blocks = a.blocks, .uuid = uuid, .le = le, .size = 32768, .unit = 512, .at = st.tail,
				.cycle = (uint32_t)(st.tail_lsn >> 32), .no_crc = !a.v5 };
	w.area = calloc(a.blocks, 512);
	ck_assert_ptr_nonnull(w.area);
	logwriter_init(&w);
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_int_eq(xfs_log_iter_new(&it, fs, &st, false, NULL), 0);
	while (!xfs_log_iter_next(it, &e, NULL)) {
		if (e.kind != XFS_LOG_EV_TRANS)
			continue;
		logwriter_start(&w, e.trans->tid);
		logwriter_header(&w, e.trans->tid, (uint32_t)e.trans->nregions);
		for (size_t i = 0; i < e.trans->nitems; i++)
			swap_item(&w, &e.trans->items[i], e.trans->tid);
		logwriter_commit(&w, e.trans->tid);
		logwriter_flush(&w);
	}
	xfs_log_iter_free(it);
	xfs_fs_close(fs);
	memcpy(dev->bytes + a.start, w.area, (size_t)a.blocks * 512);
	free(w.area);
	logwriter_free(&w);
}

START_TEST(other_order)
{
	struct xfs_recovery r[2];
	uint8_t *original, *result[2];
	struct xfs_log_state st;
	struct xfs_log_area a;
	uint8_t uuid[16];

	load(images[_i].name);
	original = copy_device();
	for (int le = 0; le < 2; le++) {
		rewrite(original, le);
		ck_assert_int_eq(xfs_recovery_replay(&set, &r[le], &sink), 0);
		ck_assert_msg(total == 0, "%s", last);
		ck_assert_uint_eq(r[le].counts.inodes, images[_i].inodes);
		ck_assert_uint_eq(r[le].counts.buffers, images[_i].buffers);
		xfs_recovery_free(&r[le]);
		area_of(&a, &st, uuid);
		memset(dev->bytes + a.start, 0, (size_t)a.blocks * 512);
		result[le] = copy_device();
	}
	ck_assert(memcmp(result[0], result[1], dev->dev.size) == 0);
	ck_assert(memcmp(result[0], original, a.start) != 0);
	free(original);
	free(result[0]);
	free(result[1]);
	unload();
}
END_TEST

/* ---- stops, failures, damage ---- */

/* Replay, and a clean log. */
static int recover(const struct xfs_devset *on)
{
	struct xfs_recovery r;
	int err = xfs_recovery_replay(on, &r, &sink);

	if (!err)
		err = xfs_recovery_settle(on, &r, &sink);
	xfs_recovery_free(&r);
	return err;
}

/*
 * Stopped after any write (the last one torn, or with a write cache that is lost in part), and done again: the same as
 * without.
 */
START_TEST(stopped)
{
	struct xfs_dev_fault plan = { .reads = 0 };
	struct xfs_devset top = { .data = NULL };
	uint64_t stop = 1, stops = 0, all;
	uint8_t *original, *want;
	uint64_t seed = _i / 3;
	int err;

	load(images[_i % 3].name);
	original = copy_device();
	plan.lose_seed = seed;
	ck_assert_int_eq(xfs_dev_fault(&top.data, &dev->dev, &plan), 0);
	ck_assert_int_eq(recover(&top), 0);
	want = copy_device();
	all = plan.writes;
	do {
		memcpy(dev->bytes, original, dev->dev.size);
		plan = (struct xfs_dev_fault){ .stop_write_at = stop, .tear_bytes = 512, .lose_seed = seed ? stop : 0 };
		err = recover(&top);
		ck_assert(!err || err == -XFS_E_FAULT);
		stops += err != 0;
		ck_assert_int_eq(recover(&set), 0);
		ck_assert_msg(memcmp(dev->bytes, want, dev->dev.size) == 0, "%s: stopped at write %llu",
			      images[_i % 3].name, (unsigned long long)stop);
		/* the last writes are those that make the log clean */
		stop += stop + 20 > all ? 1 : xfs_min(1 + stop / 6, all - 20 - stop + 1);
	} while (err);
	ck_assert_uint_gt(stops, 10);
	free(original);
	free(want);
	xfs_dev_close(top.data);
}
END_TEST

START_TEST(no_memory)
{
	uint8_t *original;
	uint64_t n;

	load(images[2].name);
	original = copy_device();
	for (n = 1;; n += 1 + n / 12) {
		struct xfs_recovery r;
		uint64_t asked;
		int err;

		memcpy(dev->bytes, original, dev->dev.size);
		failmalloc_start(n, false);
		err = xfs_recovery_replay(&set, &r, NULL);
		asked = failmalloc_stop();
		xfs_recovery_free(&r);
		if (asked < n)
			break;
		ck_assert_msg(!err || err == -XFS_E_NOMEM, "allocation %llu: %s", (unsigned long long)n,
			      xfs_error_name(err));
	}
	ck_assert_uint_gt(n, 100);
	free(original);
	unload();
}
END_TEST

/* Bytes of the log changed behind good checksums: an error or not, but nothing worse. */
START_TEST(damaged)
{
	struct testrand rnd = { .s = 7 + (uint64_t)_i };
	unsigned bad = 0, good = 0;
	struct xfs_log_state st;
	struct xfs_log_area a;
	struct logwriter w;
	uint8_t *original, uuid[16];

	load(images[_i].name);
	original = copy_device();
	area_of(&a, &st, uuid);
	w = (struct logwriter){ .area = dev->bytes + a.start, .blocks = a.blocks, .uuid = uuid, .size = 32768 };
	for (unsigned round = 0; round < 150; round++) {
		struct xfs_recovery r;
		uint32_t at = st.tail;
		int err;

		memcpy(dev->bytes, original, dev->dev.size);
		while (at != st.head) {
			uint8_t *p = w.area + (size_t)at * 512;
			uint32_t blocks = 1 + (xfs_be32(p + 12) + 511) / 512;

			/* behind the header; few bits, or none at all in most records */
			for (unsigned k = testrand_below(&rnd, 3); k > 0 && blocks > 1; k--) {
				uint32_t off = 512 + testrand_below(&rnd, (blocks - 1) * 512);

				if (off % 512 >= 4)
					p[off] ^= (uint8_t)(1u << testrand_below(&rnd, 8));
			}
			logwriter_seal(&w, at);
			at += blocks;
		}
		err = xfs_recovery_replay(&set, &r, &sink);
		xfs_recovery_free(&r);
		ck_assert_msg(!err || err == -XFS_E_CORRUPT || err == -XFS_E_BADCRC || err == -XFS_E_UNSUPPORTED ||
			      err == -XFS_E_BADSB || err == -XFS_E_IO, "%s: %s", xfs_error_name(err), last);
		if (err)
			bad++;
		else
			good++;
	}
	ck_assert_uint_gt(bad, 5);
	ck_assert_uint_gt(good, 0);
	free(original);
	unload();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");
	TCase *t = tcase_create("linux");
	const int n = (int)XFS_ARRAY_SIZE(images);

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, replays, 0, n);
	tcase_add_test(t, overlaid);
	tcase_add_loop_test(t, other_order, 0, n);
	tcase_add_loop_test(t, stopped, 0, 2 * n);
	tcase_add_test(t, no_memory);
	tcase_add_loop_test(t, damaged, 0, n);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
