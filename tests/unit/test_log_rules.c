/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log_rules.c - logs in which a transaction breaks one rule: refused, with the block where. */
#include "libxfs/log/transactions.h"
#include "tests/unit/logimage.h"
#include "tests/unit/vectors.h"

#include <string.h>

static struct xfs_fs fs;
static struct memdev *dev;
static struct logwriter w;

static void setup(void)
{
	dev = logimage_bare(&fs, &w, 4000, false);
}

static void teardown(void)
{
	logwriter_free(&w);
	xfs_dev_close(&dev->dev);
}

static void head(uint8_t *p, unsigned type, unsigned regions)
{
	xfs_st16(p, w.le, (uint16_t)type);
	xfs_st16(p + 2, w.le, (uint16_t)regions);
}

static void data(uint32_t tid, unsigned flags, const void *p, uint32_t len)
{
	logwriter_op(&w, tid, 0x69, flags, p, len);
}

static void efd(uint8_t *p)
{
	memset(p, 0, 32);
	head(p, 0x1237, 1);
	xfs_st32(p + 4, w.le, 1);
}

enum broken {
	FINE, FINE_SPLIT_HEADER, FINE_UNMOUNT, START_TWICE, START_DATA, HEADER_MAGIC, HEADER_SHORT, HEADER_LONG,
	HEADER_THREE, GOES_ON_AFTER_HEADER, GOES_ON_UNCUT, CUT_NOT_GOING_ON, COMMIT_IN_CUT, FLAG, CLIENT, END_ALONE,
	RUNS_OUT, OPS_OUT, UNMOUNT_FIRST, ITEM_TYPE, ITEM_ZERO, ITEM_MANY, ITEM_MISSING, ITEM_TINY, BUF_SHORT, BUF_MAP,
	BUF_END, BUF_SURPLUS, EFI_LENGTH, INODE_PARTS, BROKEN_COUNT
};

static void header(uint32_t tid)
{
	logwriter_header(&w, tid, 1);
}

static void broken_frame(enum broken what, const uint8_t *item)
{
	uint8_t hdr[20] = { 0 };

	xfs_st32(hdr, w.le, what == HEADER_MAGIC ? 0x12345678 : 0x5452414e);
	if (what == START_DATA)
		data(1, 1, item, 4);
	else
		logwriter_start(&w, 1);
	if (what == START_TWICE)
		logwriter_start(&w, 1);
	switch (what) {
	case FINE_SPLIT_HEADER: case HEADER_THREE:
		data(1, 4, hdr, 4);
		logwriter_flush(&w);
		if (what == HEADER_THREE) {
			data(1, 0xc, hdr + 4, 8);
			logwriter_flush(&w);
			data(1, 0x18, hdr + 12, 4);
		} else {
			data(1, 0x18, hdr + 4, 12);
		}
		break;
	case HEADER_MAGIC: data(1, 0, hdr, 16); break;
	case HEADER_SHORT: data(1, 0, hdr, 12); break;
	case HEADER_LONG: data(1, 0, hdr, 20); break;
	default: header(1);
	}
	switch (what) {
	case GOES_ON_AFTER_HEADER: data(1, 0x18, item, 8); break;
	case GOES_ON_UNCUT: data(1, 0, item, 16); data(1, 0x18, item + 16, 16); break;
	case CUT_NOT_GOING_ON: data(1, 4, item, 16); data(1, 0, item + 16, 16); break;
	case COMMIT_IN_CUT: data(1, 4, item, 16); break;
	case FLAG: data(1, 0x40, item, 32); break;
	case CLIENT: logwriter_op(&w, 1, 0x42, 0, item, 32); break;
	case END_ALONE: data(1, 0x10, item, 32); break;
	case UNMOUNT_FIRST: logwriter_op(&w, 1, 0xaa, 0x20, "nU", 2); break;
	default: data(1, 0, item, 32);
	}
}

static void broken_item(enum broken what, uint8_t *item)
{
	uint8_t more[256] = { 0 };

	logwriter_start(&w, 1);
	header(1);
	switch (what) {
	case ITEM_TYPE: head(item, 0x1200, 1); break;
	case ITEM_ZERO: head(item, 0x1237, 0); break;
	case ITEM_MANY: head(item, 0x1237, 300); break;
	case ITEM_MISSING: head(item, 0x123b, 2); break;
	case EFI_LENGTH: head(item, 0x1236, 1); xfs_st32(item + 4, w.le, 2); break;
	case INODE_PARTS: head(item, 0x123b, 3); break;
	case ITEM_TINY: data(1, 0, item, 2); return;
	default:
		memset(item, 0, 32);
		head(item, 0x123c, what == BUF_SURPLUS ? 3 : 2);
		xfs_st16(item + 6, w.le, 1);
		xfs_st32(item + 16, w.le, what == BUF_MAP ? 1000000 : 1);
		xfs_st32(item + 20, w.le, what == BUF_END ? 0x30 : 1);
	}
	data(1, 0, item, what == EFI_LENGTH ? 32 : what == INODE_PARTS ? 28 : 24);
	if (what == INODE_PARTS) {
		data(1, 0, more, 176);
		data(1, 0, more, 8);
	}
	if (what >= BUF_SHORT && what <= BUF_SURPLUS)
		data(1, 0, more, what == BUF_SHORT ? 64 : 256);
	if (what == BUF_SURPLUS)
		data(1, 0, more, 128);
}

START_TEST(rules)
{
	enum broken what = (enum broken)(_i / 2);
	uint8_t item[32];
	struct logimage_seen seen;

	w.le = _i % 2;
	logwriter_init(&w);
	efd(item);
	if (what >= ITEM_TYPE)
		broken_item(what, item);
	else
		broken_frame(what, item);
	logwriter_commit(&w, 1);
	if (what == RUNS_OUT)
		xfs_put_be32(w.data + w.len - 8, 600);
	if (what == OPS_OUT)
		w.nops += 40;
	logwriter_flush(&w);
	if (what == FINE_UNMOUNT) {
		logwriter_op(&w, 9, 0xaa, 0x20, NULL, 0);
		logwriter_flush(&w);
		logwriter_start(&w, 2);		/* so that the log is dirty */
		logwriter_flush(&w);
	}
	seen = logimage_read(&fs, NULL, NULL);
	if (what <= FINE_UNMOUNT) {
		ck_assert_msg(seen.err == -XFS_E_NOENT, "%s", seen.why.detail);
		ck_assert_uint_eq(seen.trans, 1);
		ck_assert_uint_eq(seen.unmounts, what == FINE_UNMOUNT);
		return;
	}
	ck_assert_msg(seen.err == -XFS_E_CORRUPT, "case %d: error %d", what, seen.err);
	ck_assert_uint_eq(seen.trans, what == OPS_OUT);	/* what comes behind the commit is wrong */
	ck_assert_ptr_nonnull(strstr(seen.why.detail, "block "));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_rules");
	TCase *t = tcase_create("log_rules");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, rules, 0, 2 * BROKEN_COUNT);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
