/* SPDX-License-Identifier: BSD-2-Clause */
/* test_recovery_rules.c - single rules of the replay, on transactions that a test puts behind the log of the sample. */
#include "libxfs/base/crc32c.h"
#include "libxfs/recovery/replay.h"
#include "tests/unit/image.h"
#include "tests/unit/logimage.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static struct logwriter w;
static uint64_t counts[XFS_F_COUNT], total;
static uint8_t uuid_of[16];
static uint64_t link_at;		/* byte of a symlink block */

static void count_finding(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	counts[f->id]++;
	total++;
}

static const struct xfs_sink sink = { count_finding, NULL };

static void setup_sample(void)
{
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	memset(counts, 0, sizeof(counts));
	total = 0;
	logimage_find(&w, dev, uuid_of);
	link_at = logimage_symlink(dev);
}

static void teardown_sample(void)
{
	logwriter_free(&w);
	xfs_dev_close(&dev->dev);
}

static void begin(uint32_t tid)
{
	logwriter_begin(&w, tid);
}

/* The second chunk of the symlink's block, filled with c; or its cancellation. */
static void put_link(uint32_t tid, int c, bool cancel)
{
	uint8_t f[24] = { 0 }, chunk[128];

	memset(chunk, c, sizeof(chunk));
	xfs_st16(f, w.le, 0x123c);
	xfs_st16(f + 2, w.le, cancel ? 1 : 2);
	xfs_st16(f + 4, w.le, cancel ? XFS_BLF_CANCEL : XFS_BLFT_SYMLINK << 11);
	xfs_st16(f + 6, w.le, 2);
	xfs_st64(f + 8, w.le, link_at / 512);
	xfs_st32(f + 16, w.le, 1);
	xfs_st32(f + 20, w.le, cancel ? 0 : 2);
	logwriter_region(&w, tid, f, sizeof(f));
	if (!cancel)
		logwriter_region(&w, tid, chunk, sizeof(chunk));
}

static void put_intent(uint32_t tid, bool done, uint64_t id)
{
	uint8_t p[32] = { 0 };

	xfs_st16(p, w.le, done ? 0x1237 : 0x1236);
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, 1);
	xfs_st64(p + 8, w.le, id);
	xfs_st64(p + 16, w.le, 500);
	xfs_st32(p + 24, w.le, 1);
	logwriter_region(&w, tid, p, sizeof(p));
}

static int replay(struct xfs_recovery *r)
{
	logwriter_flush(&w);
	return xfs_recovery_replay(&set, r, &sink);
}

static uint8_t *link_chunk(void)
{
	return dev->bytes + link_at + 128;
}

/* Two transactions of one LSN, one of the next; the stamp is that of the last. */
START_TEST(same_lsn)
{
	uint64_t lsn;
	struct xfs_recovery r;

	w.le = _i;
	logwriter_open(&w);
	begin(1);
	put_link(1, 'a', false);
	logwriter_commit(&w, 1);
	begin(2);
	put_link(2, 'b', false);
	logwriter_commit(&w, 2);
	lsn = (uint64_t)w.cycle << 32 | w.at;
	ck_assert_int_eq(replay(&r), 0);
	ck_assert_uint_eq(link_chunk()[5], 'b');
	ck_assert_uint_eq(xfs_be64(dev->bytes + link_at + 48), lsn);
	ck_assert(xfs_crc32c_check(dev->bytes + link_at, 1024, 12));
	ck_assert_uint_eq(r.counts.buffers, 2);
	xfs_recovery_free(&r);
	/* in place is what has this LSN: it stays, whatever it says */
	memset(link_chunk(), 'x', 128);
	xfs_crc32c_store(dev->bytes + link_at, 1024, 12);
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, &sink), 0);
	ck_assert_uint_eq(link_chunk()[5], 'x');
	ck_assert_uint_eq(r.counts.buffers_newer, 2);
	xfs_recovery_free(&r);
	/* but not when its checksum says that it was torn */
	dev->bytes[link_at + 700] ^= 1;
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, &sink), 0);
	ck_assert_uint_eq(link_chunk()[5], 'b');
	ck_assert_uint_eq(r.counts.torn_blocks, 1);
	ck_assert_uint_eq(counts[XFS_F_BLOCK_CRC], 1);
	xfs_recovery_free(&r);
}
END_TEST

/* Images before a cancellation do not count, those behind it do. */
START_TEST(cancelled)
{
	struct xfs_recovery r;
	uint8_t before = link_chunk()[5];

	w.le = _i % 2;
	logwriter_open(&w);
	for (uint32_t t = 0; t < 3; t++) {
		begin(t);
		put_link(t, 'a' + (int)t, false);
		logwriter_commit(&w, t);
		logwriter_flush(&w);
		begin(100 + t);
		put_link(100 + t, 0, true);
		logwriter_commit(&w, 100 + t);
		logwriter_flush(&w);
	}
	if (_i >= 2) {
		begin(50);
		put_link(50, 'z', false);
		logwriter_commit(&w, 50);
	}
	ck_assert_int_eq(replay(&r), 0);
	ck_assert_uint_eq(r.counts.buffers_cancelled, 3);
	ck_assert_uint_eq(r.counts.buffers, _i >= 2);
	ck_assert_uint_eq(link_chunk()[5], _i >= 2 ? 'z' : before);
	xfs_recovery_free(&r);
}
END_TEST

/* A list in log order, ids that are used again, dones without intent; and no settling before they are finished. */
START_TEST(intents)
{
	struct xfs_log_intent_item in;
	struct xfs_recovery r;

	w.le = _i;
	logwriter_open(&w);
	begin(1);
	for (uint64_t id = 1; id <= 600; id++)
		put_intent(1, false, id);
	logwriter_commit(&w, 1);
	logwriter_flush(&w);
	begin(2);
	for (uint64_t id = 1; id <= 600; id++)
		if (id % 300)
			put_intent(2, true, id);
	put_intent(2, true, 12345);
	put_intent(2, false, 7);
	logwriter_commit(&w, 2);
	begin(3);	/* never committed */
	put_intent(3, true, 7);
	ck_assert_int_eq(replay(&r), 0);
	ck_assert_uint_eq(r.nintents, 3);
	ck_assert_uint_eq(counts[XFS_F_LOG_INTENT], 3);
	ck_assert_uint_eq(r.counts.intents, 601);
	ck_assert_uint_eq(r.counts.dones, 599);
	ck_assert_uint_eq(r.counts.open_transactions, 1);
	for (unsigned k = 0; k < 3; k++) {
		xfs_log_intent_load(&in, &r.intents[k].item);
		ck_assert_uint_eq(in.id, k == 0 ? 300 : k == 1 ? 600 : 7);
		ck_assert_uint_eq(in.n, 1);
		ck_assert_uint_eq(xfs_log_intent_at(&in, 0).startblock, 500);
		ck_assert_uint_eq(xfs_log_intent_at(&in, 0).len, 1);
	}
	ck_assert_uint_gt(r.intents[2].lsn, r.intents[1].lsn);
	ck_assert_int_eq(xfs_recovery_settle(&set, &r, &sink), -XFS_E_DIRTYLOG);
	xfs_recovery_free(&r);
}
END_TEST

enum refused { TWICE, NO_CRC, BEYOND, WRONG_CONTENT, NO_INODE, UNKNOWN_FEATURE, REFUSED };

START_TEST(refused)
{
	enum refused what = (enum refused)_i;
	uint8_t f[176] = { 0 };
	uint8_t *before;
	struct xfs_recovery r;
	int err;

	logwriter_open(&w);
	w.no_crc = what == NO_CRC;
	if (what == BEYOND)
		link_at = UINT64_C(1) << 40;
	if (what == UNKNOWN_FEATURE) {
		xfs_put_be32(dev->bytes + 220, 2);
		xfs_crc32c_store(dev->bytes, 512, 224);
	}
	begin(1);
	if (what == TWICE) {
		put_intent(1, false, 5);
		put_intent(1, false, 5);
	} else if (what == NO_INODE) {
		xfs_put_le16(f, 0x123b);
		xfs_put_le16(f + 2, 2);
		xfs_put_le32(f + 4, 1);
		xfs_put_le64(f + 16, 64);
		xfs_put_le32(f + 48, 32);
		logwriter_region(&w, 1, f, 56);
		logwriter_region(&w, 1, f, 176);
	} else {
		if (what == WRONG_CONTENT)
			xfs_put_be32(dev->bytes + link_at, 0x12345678);
		put_link(1, 'a', false);
	}
	logwriter_commit(&w, 1);
	logwriter_flush(&w);
	before = malloc(dev->dev.size);
	ck_assert_ptr_nonnull(before);
	memcpy(before, dev->bytes, dev->dev.size);
	err = replay(&r);
	ck_assert_int_eq(err, what == UNKNOWN_FEATURE ? -XFS_E_UNSUPPORTED : -XFS_E_CORRUPT);
	ck_assert_uint_ge(total, 1);
	ck_assert(memcmp(before, dev->bytes, dev->dev.size) == 0);
	free(before);
	xfs_recovery_free(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery_rules");
	TCase *t = tcase_create("recovery_rules");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup_sample, teardown_sample);
	tcase_add_loop_test(t, same_lsn, 0, 2);
	tcase_add_loop_test(t, cancelled, 0, 4);
	tcase_add_loop_test(t, intents, 0, 2);
	tcase_add_loop_test(t, refused, 0, REFUSED);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
