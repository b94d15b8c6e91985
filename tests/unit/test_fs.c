/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fs.c - opening a filesystem, AG headers, trees and state of the log, on an image that Linux filled. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/log/state.h"
#include "libxfs/mount/fs.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static struct xfs_fs *fs;
static struct xfs_finding_list found;

static void setup(void)
{
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	fs = NULL;
	memset(&found, 0, sizeof(found));
}

static void teardown(void)
{
	xfs_fs_close(fs);
	xfs_finding_list_free(&found);
	xfs_dev_close(&dev->dev);
}

static void reopen(unsigned flags)
{
	struct xfs_fs_options o = { .flags = flags };
	struct xfs_sink sink = xfs_finding_list_sink(&found);

	xfs_fs_close(fs);
	ck_assert_int_eq(xfs_fs_open(&fs, &set, &o, &sink), 0);
}

static uint8_t *header(uint32_t agno, unsigned n)
{
	return dev->bytes + xfs_ag_header_daddr(&fs->geo, XFS_AGNO(agno), n).v * 512;
}

START_TEST(headers_and_sums)
{
	uint64_t free_blocks = 0, inodes = 0;

	reopen(0);
	ck_assert_uint_eq(fs->geo.blocksize, 1024);
	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++) {
		uint32_t *list = calloc(fs->geo.agfl_size, sizeof(*list)), n;
		struct xfs_agf f;
		struct xfs_agi i;

		ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(ag), &f), 0);
		ck_assert_int_eq(xfs_fs_agi(fs, XFS_AGNO(ag), &i, NULL), 0);
		ck_assert_int_eq(xfs_fs_agfl_blocks(fs, XFS_AGNO(ag), list, &n), 0);
		ck_assert_uint_eq(n, f.flcount);
		free_blocks += (uint64_t)f.freeblks + f.flcount + f.btreeblks;
		inodes += i.count;
		free(list);
	}
	ck_assert_uint_eq(free_blocks, fs->geo.sb.fdblocks);
	ck_assert_uint_eq(inodes, fs->geo.sb.icount);
	ck_assert_uint_eq(found.n, 0);
	ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(fs->geo.agcount), &(struct xfs_agf){ 0 }), -XFS_E_RANGE);
	ck_assert_uint_gt(fs->max_lsn, 0);
	ck_assert_uint_gt(xfs_fs_memory(fs), 0);
}
END_TEST

struct sum {
	uint64_t records, blocks;
};

static int add_free(void *payload, const void *rec)
{
	struct sum *s = payload;

	s->records++;
	s->blocks += xfs_be32((const uint8_t *)rec + 4);
	return 0;
}

START_TEST(trees)
{
	reopen(0);
	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++) {
		struct sum by_block = { 0 }, by_size = { 0 };
		struct xfs_btree bt;
		struct xfs_agf f;

		ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(ag), &f), 0);
		ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(ag), XFS_BTREE_BNO, &bt), 0);
		ck_assert_int_eq(xfs_btree_query_all(&bt, add_free, &by_block), 0);
		ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(ag), XFS_BTREE_CNT, &bt), 0);
		ck_assert_int_eq(xfs_btree_query_all(&bt, add_free, &by_size), 0);
		ck_assert_uint_eq(by_block.blocks, f.freeblks);
		ck_assert_uint_eq(by_size.blocks, f.freeblks);
		ck_assert_uint_eq(by_block.records, by_size.records);
		for (int id = XFS_BTREE_BNO; id <= XFS_BTREE_REFC; id++) {
			struct xfs_sink sink = xfs_finding_list_sink(&found);
			struct xfs_btree_verify v = { .sink = &sink };

			ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(ag), id, &bt), 0);
			ck_assert_int_eq(xfs_btree_verify(&bt, &v), 0);
			ck_assert_uint_eq(v.findings, 0);
			if (id == XFS_BTREE_RMAP)
				ck_assert_uint_eq(v.blocks, f.rmapblocks);
		}
		ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(ag), XFS_BTREE_BMAP, &bt), -XFS_E_INVALID);
	}
}
END_TEST

/* A broken header gives the same error each time, and its finding once. */
START_TEST(broken_headers)
{
	struct xfs_btree bt;
	struct xfs_agf f;
	struct xfs_agi i;

	reopen(0);
	header(1, 1)[100]++;			/* a spare byte: only the crc is wrong */
	xfs_put_be32(header(1, 2) + XFS_AGI_UNLINKED_OFF + 12, 5);
	xfs_crc32c_store(header(1, 2), fs->geo.sectsize, 312);
	for (int k = 0; k < 3; k++) {
		ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(1), &f), -XFS_E_BADCRC);
		ck_assert_uint_eq(f.seqno, 1);
		ck_assert_int_eq(xfs_fs_agi(fs, XFS_AGNO(1), &i, NULL), -XFS_E_CORRUPT);
	}
	ck_assert_uint_eq(found.n, 2);
	ck_assert_int_eq(found.items[0].id, XFS_F_BLOCK_CRC);
	ck_assert_int_eq(found.items[1].id, XFS_F_AGI_UNLINKED);
	ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(1), XFS_BTREE_BNO, &bt), -XFS_E_BADCRC);
	ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(0), &f), 0);
	header(1, 1)[100]--;
	xfs_fs_forget_ag(fs, XFS_AGNO(1));
	ck_assert_int_eq(xfs_fs_agf(fs, XFS_AGNO(1), &f), 0);
	header(1, 1)[100]++;
	reopen(XFS_FS_NOVERIFY);
	ck_assert_int_eq(xfs_fs_ag_btree(fs, XFS_AGNO(1), XFS_BTREE_BNO, &bt), 0);
}
END_TEST

START_TEST(superblocks)
{
	struct xfs_fs_options o = { 0 };
	struct xfs_sb sb, second;
	uint64_t size = dev->dev.size;

	ck_assert_int_eq(xfs_fs_read_sb(&dev->dev, 0, &sb), 0);
	ck_assert_int_eq(xfs_fs_read_sb(&dev->dev, (uint64_t)sb.agblocks * sb.blocksize, &second), 0);
	ck_assert_int_eq(xfs_fs_read_sb(&dev->dev, 512, &second), -XFS_E_BADMAGIC);
	ck_assert_int_eq(xfs_fs_read_sb(&dev->dev, size - 100, &second), -XFS_E_SHORT);
	dev->bytes[300]++;
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), -XFS_E_BADCRC);
	reopen(XFS_FS_NOVERIFY);
	ck_assert_int_eq(fs->sb_error, -XFS_E_BADCRC);
	xfs_fs_close(fs);
	fs = NULL;
	memset(dev->bytes, 0, 512);
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), -XFS_E_BADMAGIC);
	o.sb = &sb;
	ck_assert_int_eq(xfs_fs_open(&fs, &set, &o, NULL), 0);
	ck_assert_uint_eq(fs->geo.agcount, sb.agcount);
	xfs_fs_close(fs);
	fs = NULL;
	dev->dev.size -= 4096;
	ck_assert_int_eq(xfs_fs_open(&fs, &set, &o, NULL), -XFS_E_SHORT);
	o.flags = XFS_FS_NOLASTBLOCK;
	ck_assert_int_eq(xfs_fs_open(&fs, &set, &o, NULL), 0);
	dev->dev.size = size;
}
END_TEST

/* ---- log ---- */

static uint8_t *log_block(uint32_t b)
{
	return dev->bytes + xfs_fsbno_byte(&fs->geo, XFS_FSBNO(fs->geo.sb.logstart)) + 512 * (size_t)b;
}

static struct xfs_log_state state_now(void)
{
	struct xfs_log_state s;

	ck_assert_int_eq(xfs_log_state(fs, &s), 0);
	return s;
}

/* The log as mkfs writes it, at any cycle; the rest is `rest`. */
static void fresh_log(uint32_t cycle, uint32_t rest)
{
	uint32_t n = fs->geo.sb.logblocks * fs->geo.blocksize / 512;
	uint8_t *p = log_block(0);

	memset(p, 0, 512 * (size_t)n);
	for (uint32_t b = 2; b < n; b++)
		xfs_put_be32(log_block(b), rest);
	xfs_put_be32(p, 0xfeedbabe);
	xfs_put_be32(p + 4, cycle);
	xfs_put_be32(p + 8, 2);
	xfs_put_be32(p + 12, 512);
	xfs_put_be64(p + 16, (uint64_t)cycle << 32);
	xfs_put_be64(p + 24, (uint64_t)cycle << 32);
	xfs_put_be32(p + 36, 0xffffffff);
	xfs_put_be32(p + 40, 1);
	xfs_put_be32(p + 44, 0xb0c0d0d0);
	xfs_put_be32(p + 300, 1);
	memcpy(p + 304, fs->geo.sb.uuid, 16);
	xfs_put_be32(p + 320, 32768);
	xfs_put_be32(p + 512, cycle);
	xfs_put_be32(p + 516, 8);
	p[520] = 0xaa;
	p[521] = 0x20;
}

/* A record of one data block behind block `at`, with a checksum. */
static void add_record(uint32_t at, uint32_t cycle, uint64_t tail)
{
	uint8_t *p = log_block(at);
	uint32_t c;

	memset(p, 0, 1024);
	xfs_put_be32(p, 0xfeedbabe);
	xfs_put_be32(p + 4, cycle);
	xfs_put_be32(p + 8, 2);
	xfs_put_be32(p + 12, 512);
	xfs_put_be64(p + 16, (uint64_t)cycle << 32 | at);
	xfs_put_be64(p + 24, tail);
	xfs_put_be32(p + 40, 1);
	xfs_put_be32(p + 300, 1);
	memcpy(p + 304, fs->geo.sb.uuid, 16);
	xfs_put_be32(p + 320, 32768);
	xfs_put_be32(p + 512, cycle);
	p[520] = 0x69;
	c = xfs_crc32c(XFS_CRC32C_SEED, p, 328);
	xfs_put_le32(p + 32, ~xfs_crc32c(c, p + 512, 512));
}

START_TEST(log_states)
{
	uint32_t n;
	struct xfs_log_state s;

	reopen(0);
	n = fs->geo.sb.logblocks * 2;
	s = state_now();
	ck_assert_msg(s.kind == XFS_LOG_CLEAN && !s.zeroed, "%s", s.reason);
	ck_assert_uint_eq(s.head, s.tail);
	ck_assert(!s.sb_lsn_ahead);
	ck_assert_uint_le(fs->geo.sb.lsn, xfs_log_head_lsn(&s));

	fresh_log(1, 0);
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_CLEAN);
	ck_assert_uint_eq(s.head, 2);
	ck_assert_uint_eq(s.cycle, 1);
	ck_assert(s.sb_lsn_ahead);

	/* two records behind it: dirty; the second one torn: dropped; the first one torn: clean */
	add_record(2, 1, UINT64_C(1) << 32 | 2);
	add_record(4, 1, UINT64_C(1) << 32 | 2);
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_DIRTY);
	ck_assert_uint_eq(s.head, 6);
	ck_assert_uint_eq(s.tail, 2);
	log_block(5)[100]++;	/* one bit: it is put right */
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_DIRTY);
	ck_assert(!s.torn);
	ck_assert_uint_eq(s.head, 6);
	log_block(5)[101]++;
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_DIRTY);
	ck_assert(s.torn);
	ck_assert_uint_eq(s.head, 4);
	log_block(3)[100] += 3;
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_CLEAN);
	ck_assert(s.torn);
	ck_assert_uint_eq(s.head, 2);
	/* an incomplete record (its data was never written) */
	fresh_log(1, 0);
	add_record(2, 1, UINT64_C(1) << 32 | 2);
	memset(log_block(3), 0, 512);
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_CLEAN);
	ck_assert_uint_eq(s.head, 2);

	/* second pass through the log; a later pass with the record at the physical end */
	fresh_log(7, 6);
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_CLEAN);
	ck_assert_uint_eq(s.cycle, 7);
	ck_assert_uint_eq(s.head, 2);
	fresh_log(7, 7);
	add_record(n - 2, 7, UINT64_C(7) << 32 | (n - 2));
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_DIRTY);
	ck_assert_uint_eq(s.head, 0);
	ck_assert_uint_eq(s.cycle, 8);
	ck_assert_uint_eq(s.tail, n - 2);

	memset(log_block(0), 0, 512 * (size_t)n);
	s = state_now();
	ck_assert(s.zeroed && s.kind == XFS_LOG_CLEAN);
}
END_TEST

START_TEST(log_unreadable)
{
	struct xfs_log_state s;

	reopen(0);
	fresh_log(1, 0);
	log_block(0)[304]++;
	s = state_now();
	ck_assert_int_eq(s.kind, XFS_LOG_UNREADABLE);
	ck_assert_ptr_nonnull(strstr(s.reason, "uuid"));
	fresh_log(3, 3);
	memset(log_block(0), 0, 4);
	xfs_put_be32(log_block(0), 3);
	ck_assert_int_eq(state_now().kind, XFS_LOG_UNREADABLE);
	fresh_log(1, 0);
	xfs_put_be64(log_block(0) + 24, UINT64_C(1) << 32 | 0x7fffffff);
	ck_assert_int_eq(state_now().kind, XFS_LOG_UNREADABLE);
	fresh_log(1, 0);
	xfs_put_be32(log_block(0) + 12, 0xfffffe00);
	ck_assert_int_eq(state_now().kind, XFS_LOG_UNREADABLE);
	dev->bad_off = (uint64_t)(log_block(0) - dev->bytes);
	dev->bad_len = 512;
	ck_assert_int_eq(state_now().kind, XFS_LOG_UNREADABLE);
}
END_TEST

/* Random damage of every log block must neither crash nor hang. */
START_TEST(log_damaged)
{
	uint64_t x = 99;

	reopen(0);
	for (int i = 0; i < 3000; i++) {
		uint32_t b;
		size_t k;

		if (i % 100 == 0) {
			fresh_log(5, i % 200 ? 4 : 0);
			for (uint32_t r = 0; r < 40; r++)
				add_record(2 + 2 * r, 5, UINT64_C(5) << 32 | (2 + 2 * (r / 2)));
		}
		x = x * 6364136223846793005u + 1442695040888963407u;
		b = (uint32_t)(x >> 40) % 90;
		k = (x >> 20) % 330;
		log_block(b)[k] = (uint8_t)(x >> 50);
		state_now();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fs");
	TCase *t = tcase_create("sample image");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, headers_and_sums);
	tcase_add_test(t, trees);
	tcase_add_test(t, broken_headers);
	tcase_add_test(t, superblocks);
	tcase_add_test(t, log_states);
	tcase_add_test(t, log_unreadable);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, log_damaged);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
