/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_recovery_items.c - kinds of items that logs of Linux seldom hold, or no longer: quota and its end, new chunks,
 * owners of trees that were exchanged, intents of the realtime section.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/recovery/recovery.h"
#include "tests/unit/image.h"
#include "tests/unit/logimage.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static struct logwriter w;
static uint8_t uuid_of[16];
static struct xfs_recovery r;
static struct xfs_fs *fs;		/* of the image as it was; for its geometry */

static void load(const char *name)
{
	dev = image_load(name);
	set = (struct xfs_devset){ .data = &dev->dev };
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	logimage_find(&w, dev, uuid_of);
	logwriter_open(&w);
}

static void setup_sample(void)
{
	load("sample.img.xz");
}

static void setup_quota(void)
{
	load("quota.img.xz");
}

static void teardown(void)
{
	xfs_recovery_free(&r);
	xfs_fs_close(fs);
	logwriter_free(&w);
	xfs_dev_close(&dev->dev);
}

static void begin(uint32_t tid)
{
	logwriter_begin(&w, tid);
}

static void commit(uint32_t tid)
{
	logwriter_end(&w, tid);
}

static uint64_t lsn_now(void)
{
	return (uint64_t)w.cycle << 32 | w.at;
}

/* ---- quota ---- */

static uint8_t *a_dquot(unsigned type)
{
	for (uint64_t at = 0; at < dev->dev.size; at += fs->geo.blocksize)
		if (xfs_be16(dev->bytes + at) == XFS_DQUOT_MAGIC && dev->bytes[at + 3] == type &&
		    xfs_crc32c_check(dev->bytes + at, 136, 108))
			return dev->bytes + at;
	ck_abort_msg("no dquot of this type");
}

/* As it is, with another number of blocks. */
static void put_dquot(uint32_t tid, const uint8_t *in_place, uint64_t blocks)
{
	uint8_t f[24] = { 0 }, d[104];

	memcpy(d, in_place, sizeof(d));
	xfs_put_be64(d + 40, blocks);
	xfs_st16(f, w.le, 0x123d);
	xfs_st16(f + 2, w.le, 2);
	xfs_st32(f + 4, w.le, xfs_be32(d + 4));
	xfs_st64(f + 8, w.le, (uint64_t)(in_place - dev->bytes) / 512);
	xfs_st32(f + 16, w.le, 1);
	logwriter_region(&w, tid, f, sizeof(f));
	logwriter_region(&w, tid, d, sizeof(d));
}

static void put_quotaoff(uint32_t tid, uint32_t types)
{
	uint8_t f[20] = { 0 };

	xfs_st16(f, w.le, 0x123e);
	xfs_st16(f + 2, w.le, 1);
	xfs_st32(f + 4, w.le, types);
	logwriter_region(&w, tid, f, sizeof(f));
}

enum quota { APPLIED, NEWER, OFF_ITEM, OFF_OTHER, OFF_SB, QUOTA };

/* A dquot comes to its place, unless that is newer, or quota of its type is not on, or was switched off in the log. */
START_TEST(quota)
{
	enum quota how = (enum quota)(_i / 2);
	unsigned type = _i % 2 ? XFS_DQTYPE_GROUP : XFS_DQTYPE_USER;
	uint32_t mine = _i % 2 ? 0x40 : 1, other = _i % 2 ? 1 : 0x40;
	uint8_t *at = a_dquot(type);
	uint64_t before = xfs_be64(at + 40);
	bool applied = how == APPLIED || how == OFF_OTHER;

	begin(1);
	put_dquot(1, at, before + 77);
	if (how == NEWER) {
		xfs_put_be64(at + 112, lsn_now());
		xfs_crc32c_store(at, 136, 108);
	}
	commit(1);
	if (how == OFF_ITEM || how == OFF_OTHER) {
		begin(2);
		put_quotaoff(2, how == OFF_ITEM ? mine : other);
		commit(2);
	}
	if (how == OFF_SB) {
		xfs_put_be16(dev->bytes + 176, (uint16_t)(xfs_be16(dev->bytes + 176) & ~mine));
		xfs_crc32c_store(dev->bytes, fs->geo.sectsize, 224);
	}
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, NULL), 0);
	ck_assert_uint_eq(xfs_be64(at + 40), applied ? before + 77 : before);
	ck_assert(xfs_crc32c_check(at, 136, 108));
	ck_assert_uint_eq(r.counts.dquots, applied);
	ck_assert_uint_eq(r.counts.dquots_newer, how == NEWER);
	ck_assert_uint_eq(r.counts.dquots_off, how == OFF_ITEM || how == OFF_SB);
}
END_TEST

/* ---- new chunks ---- */

struct chunk {
	uint32_t ag, agbno, count, isize, length;
};

static void put_icreate(uint32_t tid, const struct chunk *c)
{
	uint8_t f[28] = { 0 };

	xfs_st16(f, w.le, 0x123f);
	xfs_st16(f + 2, w.le, 1);
	xfs_put_be32(f + 4, c->ag);
	xfs_put_be32(f + 8, c->agbno);
	xfs_put_be32(f + 12, c->count);
	xfs_put_be32(f + 16, c->isize);
	xfs_put_be32(f + 20, c->length);
	xfs_put_be32(f + 24, 0x12345678);
	logwriter_region(&w, tid, f, sizeof(f));
}

static void put_cancel(uint32_t tid, uint64_t byte, uint32_t bbs)
{
	uint8_t f[24] = { 0 };

	xfs_st16(f, w.le, 0x123c);
	xfs_st16(f + 2, w.le, 1);
	xfs_st16(f + 4, w.le, XFS_BLF_CANCEL);
	xfs_st16(f + 6, w.le, (uint16_t)bbs);
	xfs_st64(f + 8, w.le, byte / 512);
	logwriter_region(&w, tid, f, sizeof(f));
}

static void check_inode(const uint8_t *p, uint64_t ino)
{
	static const uint8_t zero[8];

	ck_assert_uint_eq(xfs_be16(p), XFS_DINODE_MAGIC);
	ck_assert_uint_eq(xfs_be16(p + 2), 0);
	ck_assert_uint_eq(p[4], 3);
	ck_assert_uint_eq(xfs_be32(p + 92), 0x12345678);
	ck_assert_uint_eq(xfs_be32(p + 96), XFS_NULL32);
	ck_assert_uint_eq(xfs_be64(p + 152), ino);
	ck_assert_mem_eq(p + 160, uuid_of, 16);
	ck_assert_mem_eq(p + 112, zero, 8);
	ck_assert(xfs_crc32c_check(p, fs->geo.inodesize, 100));
}

/* A whole chunk, and the smallest part of one, in the second AG; not when a cluster of it is freed later. */
START_TEST(icreate)
{
	const struct xfs_geometry *g = &fs->geo;
	const uint32_t length = _i == 1 ? g->ialloc_min_blks : g->ialloc_blks, agbno = g->agblocks - 4 * g->ialloc_blks;
	const struct chunk c = { 1, agbno / g->ialloc_blks * g->ialloc_blks, length << g->inopblog,
				 g->inodesize, length };
	uint64_t byte = ((uint64_t)g->agblocks + c.agbno) * g->blocksize;
	uint8_t *before = malloc(length * g->blocksize);

	ck_assert_ptr_nonnull(before);
	memcpy(before, dev->bytes + byte, length * g->blocksize);
	ck_assert(g->sparse && g->ialloc_min_blks < g->ialloc_blks);
	begin(1);
	put_icreate(1, &c);
	commit(1);
	if (_i == 2) {
		begin(2);
		put_cancel(2, byte + g->blocks_per_cluster * g->blocksize, g->blocks_per_cluster * g->blocksize / 512);
		commit(2);
	}
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, NULL), 0);
	ck_assert_uint_eq(r.counts.icreates, _i != 2);
	ck_assert_uint_eq(r.counts.icreates_cancelled, _i == 2);
	for (uint32_t k = 0; k < c.count && _i != 2; k++)
		check_inode(dev->bytes + byte + (uint64_t)k * g->inodesize,
			    xfs_ino_of(g, XFS_AGNO(1), XFS_AGINO(((uint64_t)c.agbno << g->inopblog) + k)).v);
	if (_i == 2)
		ck_assert_mem_eq(dev->bytes + byte, before, length * g->blocksize);
	free(before);
}
END_TEST

/* Fields by turns of the values below: 0 and 1 may be an AG, 1 may be a block. */
static const uint8_t wrong[] = { 0, 0, 1, 2, 1, 1, 2, 3, 2, 2, 3, 4, 3, 3, 4 };

/* Chunks that cannot be: the log is not replayed. */
START_TEST(icreate_refused)
{
	const struct xfs_geometry *g = &fs->geo;
	struct chunk c = { 1, g->ialloc_blks * 2, 64, g->inodesize, g->ialloc_blks };
	uint32_t *fields[] = { &c.ag, &c.agbno, &c.count, &c.isize, &c.length };
	static const uint32_t large[] = { 77777, UINT32_MAX, 0, 1 };

	*fields[wrong[_i]] = large[_i % 4];
	begin(1);
	put_icreate(1, &c);
	commit(1);
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, NULL), -XFS_E_CORRUPT);
}
END_TEST

/* ---- owners ---- */

/*
 * Forks were exchanged, and the blocks of their trees still name the other inode: also when the inode is in place
 * already.
 */
START_TEST(owner)
{
	const struct xfs_geometry *g = &fs->geo;
	uint8_t f[56] = { 0 }, core[176];
	uint64_t at, cluster, block, ino;
	struct xfs_dinode d;

	for (at = 0; at < dev->dev.size; at += g->inodesize)
		if (xfs_be16(dev->bytes + at) == XFS_DINODE_MAGIC && dev->bytes[at + 5] == XFS_DINODE_FMT_BTREE &&
		    (xfs_be16(dev->bytes + at + 2) & XFS_MODE_FMT) == XFS_MODE_REG &&
		    xfs_crc32c_check(dev->bytes + at, g->inodesize, 100))
			break;
	ck_assert_uint_lt(at, dev->dev.size);
	ino = xfs_be64(dev->bytes + at + 152);
	xfs_dinode_decode(&d, dev->bytes + at);
	/* the first block that the root names */
	block = xfs_be64(dev->bytes + at + 176 +
			 xfs_bmdr_ptrs_off(xfs_dinode_fork_size(3, d.core.forkoff, g->inodesize, XFS_FORK_DATA)));
	block = xfs_fsbno_byte(g, XFS_FSBNO(block));
	ck_assert_uint_eq(xfs_be32(dev->bytes + block), XFS_BMBT_MAGIC);
	ck_assert_uint_eq(xfs_be64(dev->bytes + block + 56), ino);
	xfs_put_be64(dev->bytes + block + 56, ino + 1);
	xfs_crc32c_store(dev->bytes + block, g->blocksize, 64);
	cluster = at / (g->blocks_per_cluster * g->blocksize) * (g->blocks_per_cluster * g->blocksize);
	xfs_log_dinode_from_disk(core, dev->bytes + at, w.le);
	xfs_st16(f, w.le, 0x123b);
	xfs_st16(f + 2, w.le, 2);
	xfs_st32(f + 4, w.le, XFS_ILF_CORE | (_i < 2 ? XFS_ILF_DOWNER : 0));
	xfs_st64(f + 16, w.le, ino);
	xfs_st64(f + 40, w.le, cluster / 512);
	xfs_st32(f + 48, w.le, g->blocks_per_cluster * g->blocksize / 512);
	xfs_st32(f + 52, w.le, (uint32_t)(at - cluster));
	begin(1);
	logwriter_region(&w, 1, f, sizeof(f));
	logwriter_region(&w, 1, core, sizeof(core));
	if (_i == 1) {
		xfs_put_be64(dev->bytes + at + 112, lsn_now() + 1);
		xfs_crc32c_store(dev->bytes + at, g->inodesize, 100);
	}
	commit(1);
	ck_assert_int_eq(xfs_recovery_replay(&set, &r, NULL), 0);
	ck_assert_uint_eq(r.counts.inodes_newer, _i == 1);
	ck_assert_uint_eq(xfs_be64(dev->bytes + block + 56), _i < 2 ? ino : ino + 1);
	ck_assert(xfs_crc32c_check(dev->bytes + block, g->blocksize, 64));
}
END_TEST

/* ---- realtime ---- */

/* Intents of the realtime section are listed, and what ends them takes them away; nobody here can finish them. */
START_TEST(realtime)
{
	static const struct {
		unsigned type, len;
	} kinds[] = { { 0x124a, 32 }, { 0x124c, 48 }, { 0x124e, 32 } };
	uint8_t p[48] = { 0 };
	struct xfs_recovery_work done;

	begin(1);
	for (uint64_t id = 1; id <= 2; id++) {
		xfs_st16(p, w.le, (uint16_t)kinds[_i].type);
		xfs_st16(p + 2, w.le, 1);
		xfs_st32(p + 4, w.le, 1);
		xfs_st64(p + 8, w.le, id);
		logwriter_region(&w, 1, p, kinds[_i].len);
	}
	commit(1);
	begin(2);
	xfs_st16(p, w.le, (uint16_t)(kinds[_i].type + 1));
	xfs_st64(p + 8, w.le, 1);
	logwriter_region(&w, 2, p, kinds[_i].type == 0x124a ? 32 : 16);
	commit(2);
	ck_assert_int_eq(xfs_recovery_run(&set, NULL, &r, &done, NULL), -XFS_E_CORRUPT);
	ck_assert_int_eq(done.stage, XFS_RECOVER_INTENTS);
	ck_assert_uint_eq(r.nintents, 1);
	ck_assert_uint_eq(xfs_log_item_id(&r.intents[0].item), 2);
	ck_assert_uint_eq(r.intents[0].item.type, kinds[_i].type);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery_items");
	TCase *t = tcase_create("sample"), *q = tcase_create("quota");

	tcase_add_checked_fixture(t, setup_sample, teardown);
	tcase_add_loop_test(t, icreate, 0, 3);
	tcase_add_loop_test(t, icreate_refused, 0, (int)sizeof(wrong));
	tcase_add_loop_test(t, owner, 0, 3);
	tcase_add_loop_test(t, realtime, 0, 3);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(q, setup_quota, teardown);
	tcase_add_loop_test(q, quota, 0, 2 * QUOTA);
	suite_add_tcase(s, q);
	return vectors_main(s);
}
