/* SPDX-License-Identifier: BSD-2-Clause */
/* test_mend.c - blocks with one flipped bit: mended wherever it is, and only then. */
#include "libxfs/base/crc32c.h"
#include "libxfs/mount/blocks.h"
#include "libxfs/ondisk/attr.h"
#include "tests/unit/vectors.h"

#define BLOCK 1024u
#define DADDR 77u

static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static struct xfs_geometry geo;
static struct xfs_block_ctx ctx;
static uint8_t block[BLOCK], whole[BLOCK];

static void setup(void)
{
	geo = (struct xfs_geometry){ .v5 = true, .blocksize = BLOCK, .blocklog = 10, .agblocks = 1024, .agcount = 1,
				     .uuid = uuid };
	ctx = (struct xfs_block_ctx){ .geo = &geo };
	for (size_t i = 0; i < BLOCK; i++)
		whole[i] = (uint8_t)(i * 37);
	xfs_put_be32(whole, XFS_BNOBT_MAGIC);
	xfs_put_be16(whole + XFS_OFF(btree_short, level), 0);
	xfs_put_be16(whole + XFS_OFF(btree_short, numrecs), 9);
	xfs_put_be32(whole + XFS_OFF(btree_short, leftsib), XFS_NULL32);
	xfs_put_be32(whole + XFS_OFF(btree_short, rightsib), XFS_NULL32);
	xfs_put_be64(whole + XFS_OFF(btree_short, bno), DADDR);
	xfs_put_be64(whole + XFS_OFF(btree_short, lsn), 0);
	memcpy(whole + XFS_OFF(btree_short, uuid), uuid, 16);
	xfs_crc32c_store(whole, BLOCK, XFS_OFF(btree_short, crc));
	ck_assert_int_eq(xfs_block_verify(&ctx, XFS_BLK_BNOBT, whole, BLOCK, DADDR, NULL), 0);
	memcpy(block, whole, BLOCK);
}

/* Every bit, those of magic, checksum, address and uuid included. */
START_TEST(every_bit)
{
	for (size_t i = 0; i < 8 * BLOCK; i++) {
		size_t byte;
		unsigned bit;

		block[i / 8] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_ne(xfs_block_verify(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR, NULL), 0);
		ck_assert(xfs_block_mend(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR, &byte, &bit));
		ck_assert_uint_eq(byte, i / 8);
		ck_assert_uint_eq(bit, i % 8);
		ck_assert_mem_eq(block, whole, BLOCK);
	}
}
END_TEST

START_TEST(two_bits)
{
	for (size_t i = 1; i < 8 * BLOCK; i += 13) {
		uint8_t before[BLOCK];
		size_t byte;
		unsigned bit;

		block[0] ^= 1;
		block[i / 8] ^= (uint8_t)(1u << i % 8);
		memcpy(before, block, BLOCK);
		ck_assert(!xfs_block_mend(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR, &byte, &bit));
		ck_assert_mem_eq(block, before, BLOCK);
		memcpy(block, whole, BLOCK);
	}
}
END_TEST

/* The checksum alone does not do: the block must be what it should be, where it should be. */
START_TEST(other_block)
{
	size_t byte;
	unsigned bit;

	block[500] ^= 4;
	ck_assert(!xfs_block_mend(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR + 2, &byte, &bit));
	ck_assert(!xfs_block_mend(&ctx, XFS_BLK_CNTBT, block, BLOCK, DADDR, &byte, &bit));
	geo.v5 = false;
	ck_assert(!xfs_block_mend(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR, &byte, &bit));
	block[500] ^= 4;
	ck_assert_mem_eq(block, whole, BLOCK);
}
END_TEST

/* An LSN that no log gets to: blocks of names alone are refused, and only where that is asked for. */
START_TEST(wild_lsn)
{
	static const uint64_t lsns[] = { 0, XFS_NULL64, UINT64_C(0x6fffffffffffffff), UINT64_C(0x7000000000000000),
					 UINT64_MAX - 1 };
	struct xfs_finding why;

	xfs_put_be64(block + XFS_OFF(btree_short, lsn), UINT64_MAX - 1);
	xfs_crc32c_store(block, BLOCK, XFS_OFF(btree_short, crc));
	ctx.no_wild_lsn = true;
	ck_assert_int_eq(xfs_block_verify(&ctx, XFS_BLK_BNOBT, block, BLOCK, DADDR, NULL), 0);
	memset(block, 0, BLOCK);
	xfs_put_be32(block, XFS_SYMLINK_MAGIC);
	memcpy(block + XFS_OFF(symlink_hdr, uuid), uuid, 16);
	xfs_put_be64(block + XFS_OFF(symlink_hdr, bno), DADDR);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(lsns); i++) {
		xfs_put_be64(block + XFS_OFF(symlink_hdr, lsn), lsns[i]);
		xfs_crc32c_store(block, BLOCK, XFS_OFF(symlink_hdr, crc));
		ctx.no_wild_lsn = false;
		ck_assert_int_eq(xfs_block_verify(&ctx, XFS_BLK_SYMLINK, block, BLOCK, DADDR, NULL), 0);
		ctx.no_wild_lsn = true;
		ck_assert_int_eq(xfs_block_verify(&ctx, XFS_BLK_SYMLINK, block, BLOCK, DADDR, &why),
				 i < 3 ? 0 : -XFS_E_CORRUPT);
		if (i >= 3) {
			ck_assert_int_eq(why.id, XFS_F_BLOCK_LSN);
			ck_assert_uint_eq(why.found, lsns[i]);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mend");
	TCase *t = tcase_create("blocks");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, every_bit);
	tcase_add_test(t, two_bits);
	tcase_add_test(t, other_block);
	tcase_add_test(t, wild_lsn);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
