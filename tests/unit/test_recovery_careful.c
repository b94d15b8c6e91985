/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_recovery_careful.c - a careful replay of logs that the test writes: buffer items whose flags are wrong, and
 * intents whose chains were left out in part.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/recovery/replay.h"
#include "tests/unit/image.h"
#include "tests/unit/logimage.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static struct logwriter w;
static uint8_t uuid_of[16];
static uint64_t link_at;		/* byte of a symlink block */
static struct xfs_recovery_careful careful;
static struct xfs_recovery r;

static void setup(void)
{
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	logimage_find(&w, dev, uuid_of);
	logwriter_open(&w);
	link_at = logimage_symlink(dev);
}

static void teardown(void)
{
	xfs_recovery_free(&r);
	xfs_recovery_careful_free(&careful);
	logwriter_free(&w);
	xfs_dev_close(&dev->dev);
}

static void begin(uint32_t tid)
{
	logwriter_begin(&w, tid);
}

/* A transaction in a record of its own: an LSN of its own. */
static void commit(uint32_t tid)
{
	logwriter_end(&w, tid);
}

/* One chunk of a block, filled with c. Flags and content as in the format. */
static void put_chunk(uint32_t tid, uint64_t byte, unsigned bbs, unsigned flags, unsigned chunk, const uint8_t *data)
{
	uint8_t f[24] = { 0 };

	xfs_st16(f, w.le, 0x123c);
	xfs_st16(f + 2, w.le, data ? 2 : 1);
	xfs_st16(f + 4, w.le, (uint16_t)flags);
	xfs_st16(f + 6, w.le, (uint16_t)bbs);
	xfs_st64(f + 8, w.le, byte / 512);
	xfs_st32(f + 16, w.le, 1);
	xfs_st32(f + 20, w.le, data ? 1u << chunk : 0);
	logwriter_region(&w, tid, f, sizeof(f));
	if (data)
		logwriter_region(&w, tid, data, 128);
}

static void put_link(uint32_t tid, unsigned flags, int c)
{
	uint8_t data[128];

	memset(data, c, sizeof(data));
	put_chunk(tid, link_at, 2, flags, 1, c ? data : NULL);
}

static void replay(void)
{
	struct xfs_fs *fs;

	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_int_eq(xfs_log_state(fs, &careful.log), 0);
	xfs_fs_close(fs);
	ck_assert_int_eq(careful.log.kind, XFS_LOG_DIRTY);
	ck_assert_int_eq(xfs_recovery_replay_careful(&set, &careful, &r, NULL), 0);
}

/* ---- flags of buffer items ---- */

enum { SYMLINK = XFS_BLFT_SYMLINK << 11 };

/* Every flag with every content: the image lands, or it is told that it does not. Never silence. */
START_TEST(flags)
{
	static const unsigned bits[] = { 0, XFS_BLF_INODE_BUF, XFS_BLF_CANCEL, XFS_BLF_UDQUOT, XFS_BLF_PDQUOT,
					 XFS_BLF_GDQUOT, 0x20, 0x400, XFS_BLF_CANCEL | XFS_BLF_INODE_BUF, 0x1f };
	uint8_t *at = dev->bytes + link_at;
	uint64_t lsn;

	begin(1);
	put_link(1, (unsigned)_i << 11 | bits[_i % (int)XFS_ARRAY_SIZE(bits)], 'a');
	commit(1);
	lsn = (uint64_t)w.cycle << 32 | w.at;
	begin(2);
	put_link(2, (unsigned)_i << 11 | bits[(_i + 1 + _i / 10) % (int)XFS_ARRAY_SIZE(bits)], 'b');
	commit(2);
	replay();
	ck_assert_uint_eq(at[128 + 5], 'b');
	ck_assert_uint_eq(at[255], 'b');
	ck_assert_uint_eq(xfs_be64(at + 48), lsn);
	ck_assert(xfs_crc32c_check(at, 1024, 12));
	ck_assert_uint_eq(r.counts.buffers, 2);
	ck_assert_uint_eq(careful.left_out, 0);
}
END_TEST

/* What is newer by its LSN stays, whatever the flags are. */
START_TEST(newer)
{
	uint8_t *at = dev->bytes + link_at;

	begin(1);
	put_link(1, XFS_BLFT_COUNT << 11 | XFS_BLF_CANCEL, 'a');
	xfs_put_be64(at + 48, (uint64_t)w.cycle << 32 | w.at);
	xfs_crc32c_store(at, 1024, 12);
	commit(1);
	replay();
	ck_assert_uint_ne(at[128 + 5], 'a');
	ck_assert_uint_eq(r.counts.buffers_newer, 1);
	ck_assert_uint_eq(careful.left_out, 0);
}
END_TEST

/* Nothing says what it is: told. An item that holds nothing and cancels nothing, too; a cancellation holds nothing. */
START_TEST(told)
{
	uint8_t *at = dev->bytes + link_at, before = at[133];

	if (_i == 0)
		xfs_put_be32(at, 0x12345678);
	begin(1);
	put_link(1, _i == 0 ? 0 : _i == 1 ? SYMLINK : XFS_BLF_CANCEL, _i ? 0 : 'a');
	commit(1);
	replay();
	ck_assert_uint_eq(at[133], before);
	ck_assert_uint_eq(careful.left_out, _i < 2 ? 1 : 0);
}
END_TEST

/* Inodes are never brought as a buffer on V5, whatever the flags say: their links alone. */
START_TEST(inodes)
{
	static const unsigned how[] = { XFS_BLF_INODE_BUF | XFS_BLFT_INODES << 11, XFS_BLFT_INODES << 11,
					XFS_BLF_INODE_BUF | XFS_BLFT_BTREE << 11, XFS_BLF_INODE_BUF | XFS_BLF_UDQUOT };
	uint8_t data[128];
	uint64_t root;
	uint8_t *at;
	struct xfs_fs *fs;

	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	root = xfs_ino_byte(&fs->geo, XFS_INO(fs->geo.sb.rootino));
	ck_assert_uint_eq(fs->geo.inodesize, 512);
	xfs_fs_close(fs);
	at = dev->bytes + root;
	ck_assert_uint_eq(root % 1024, 0);
	memcpy(data, at, sizeof(data));
	data[20] ^= 0xff;
	xfs_put_be32(data + 96, 77);
	begin(1);
	put_chunk(1, root, 2, how[_i], 0, data);
	commit(1);
	replay();
	ck_assert_uint_eq(xfs_be32(at + 96), 77);
	ck_assert_uint_ne(at[20], data[20]);
	ck_assert(xfs_crc32c_check(at, 512, 100));
	ck_assert_uint_eq(careful.left_out, 0);
}
END_TEST

/* ---- chains ---- */

enum { EFI = 0x1236, RUI = 0x1240, BUI = 0x1244 };

static void put_intent(uint32_t tid, unsigned type, uint64_t id)
{
	uint8_t p[48] = { 0 };

	xfs_st16(p, w.le, (uint16_t)type);
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, 1);
	xfs_st64(p + 8, w.le, id);
	logwriter_region(&w, tid, p, type == EFI ? 32 : 48);
}

static void put_done(uint32_t tid, unsigned type, uint64_t id)
{
	uint8_t p[32] = { 0 };

	xfs_st16(p, w.le, (uint16_t)(type + 1));
	xfs_st16(p + 2, w.le, 1);
	xfs_st32(p + 4, w.le, type == EFI);
	xfs_st64(p + 8, w.le, id);
	logwriter_region(&w, tid, p, type == EFI ? 32 : 16);
}

/* An inode where none can be. */
static void put_bad_inode(uint32_t tid)
{
	uint8_t f[176] = { 0 };

	xfs_put_le16(f, 0x123b);
	xfs_put_le16(f + 2, 2);
	xfs_put_le32(f + 4, 1);
	xfs_put_le64(f + 16, 64);
	xfs_put_le32(f + 48, 32);
	logwriter_region(&w, tid, f, 56);
	logwriter_region(&w, tid, f, 176);
}

/* A header of an AG that is none. */
static void put_bad_space(uint32_t tid)
{
	uint8_t data[128] = { 0 };

	put_chunk(tid, 512, 1, XFS_BLFT_AGF << 11, 0, data);
}

static void expect(const uint64_t *ids, size_t n, uint64_t doubtful)
{
	replay();
	ck_assert_uint_eq(careful.doubtful, doubtful);
	ck_assert_uint_eq(r.nintents, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(xfs_log_item_id(&r.intents[i].item), ids[i]);
}

/*
 * What ends the first step of a chain is carried out in part: neither it nor the later ones are finished; others are.
 */
START_TEST(done_in_part)
{
	begin(1);
	put_intent(1, BUI, 1);
	put_intent(1, BUI, 2);
	put_intent(1, RUI, 3);
	commit(1);
	begin(2);
	put_intent(2, BUI, 4);
	put_intent(2, BUI, 5);
	commit(2);
	begin(3);
	put_done(3, BUI, 1);
	if (_i)
		put_bad_inode(3);
	commit(3);
	begin(4);
	put_done(4, BUI, 4);
	commit(4);
	if (_i)
		expect((const uint64_t[]){ 5 }, 1, 3);
	else
		expect((const uint64_t[]){ 2, 3, 5 }, 3, 0);
}
END_TEST

/* What follows from a step that was announced on top of something else is left, too, and what follows from that. */
START_TEST(follows)
{
	begin(1);
	put_bad_inode(1);
	put_intent(1, BUI, 1);
	commit(1);
	begin(2);
	put_done(2, BUI, 1);
	put_intent(2, BUI, 2);
	commit(2);
	begin(3);
	put_done(3, BUI, 2);
	put_intent(3, EFI, 3);
	commit(3);
	begin(4);
	put_intent(4, EFI, 4);
	commit(4);
	expect((const uint64_t[]){ 4 }, 1, 1);
}
END_TEST

/* Steps in files do not need the trees of space, which the repair makes anew; steps in those do. */
START_TEST(space)
{
	begin(1);
	put_intent(1, BUI, 1);
	put_intent(1, EFI, 2);
	put_bad_space(1);
	commit(1);
	begin(2);
	put_intent(2, EFI, 3);
	commit(2);
	expect((const uint64_t[]){ 1, 3 }, 2, 1);
}
END_TEST

/*
 * A block that is refused at the end of its batch counts for all transactions of the same LSN, and for who changes it
 * later.
 */
START_TEST(late)
{
	static const uint8_t nothing[128];

	begin(1);
	put_chunk(1, link_at, 2, SYMLINK, 0, nothing);
	put_intent(1, BUI, 1);
	logwriter_commit(&w, 1);
	begin(2);
	put_intent(2, BUI, 2);
	commit(2);
	begin(3);
	put_link(3, SYMLINK, 'b');
	put_intent(3, BUI, 3);
	commit(3);
	begin(4);
	put_intent(4, BUI, 4);
	commit(4);
	expect((const uint64_t[]){ 4 }, 1, 3);
	ck_assert_uint_eq(dev->bytes[link_at + 133], 'b');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery_careful");
	TCase *t = tcase_create("rules");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, flags, 0, 32);
	tcase_add_test(t, newer);
	tcase_add_loop_test(t, told, 0, 3);
	tcase_add_loop_test(t, inodes, 0, 4);
	tcase_add_loop_test(t, done_in_part, 0, 2);
	tcase_add_test(t, follows);
	tcase_add_test(t, space);
	tcase_add_test(t, late);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
