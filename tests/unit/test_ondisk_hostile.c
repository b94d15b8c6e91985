/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ondisk_hostile.c - noise behind every magic number prints, resolves and stores without leaving its buffer (the
 * buffers end exactly where they must: run under AddressSanitizer), and the text stays in proportion.
 */
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/ondisk/inode.h"
#include "tests/unit/ondisk.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void fill(uint8_t *p, size_t len, unsigned style)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t r = next();

		/* all ones; mostly zero; small numbers; noise */
		p[i] = style == 0 ? 0xff : style == 1 ? (uint8_t)(r % 16 ? 0 : r >> 8) :
		       style == 2 ? (uint8_t)(r % 4) : (uint8_t)r;
	}
}

static int count_text(void *payload, const char *text, size_t len)
{
	(void)text;
	*(size_t *)payload += len;
	return 0;
}

static void try_paths(struct xfs_ctx *c, struct xfs_place top, uint8_t *p)
{
	static const char *const names[] = { "recs[1]", "recs[1-3].startblock", "keys[2].startoff", "ptrs[1]", "ptrs",
			"u3.bmx[0]",
		"u3.bmbt.ptrs", "u3.sfdir3.list[1].name", "u3.sfdir3.list.inumber.i8", "a.sfattr.list[0].value",
			"u3.rtrmapbt.keys[1]",
		"u3.symlink", "bu[1].name", "du[3].tag", "bleaf[5].address", "lents[7].hashval", "lbests[3]",
		"fbests[9]", "nvlist[0].value",
		"nvlist[2].name", "entries[1].nameidx", "hdr.freemap[2].size", "btree[1].before", "data", "bno[50]",
			"core.atime.sec", "v3.pad2[11]",
		"nvlist.parent_dir.gen", "unlinked[63]", "diskdq.btimer", "rtwords[100]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct xfs_path_error why;
		struct xfs_path path;
		uint64_t v;

		if (xfs_path_parse(c, top, names[i], &path, &why))
			continue;
		free(ondisk_print(c, top, names[i]));
		if (xfs_field_get(c, &path, &v) == 0)
			ck_assert_int_eq(xfs_field_put(c, &path, p, v), 0);
	}
}

/* one object of exactly `len` bytes; `magic` of `bits` bits at `at` */
static void one(const char *type, bool v5, size_t len, uint32_t magic, unsigned bits, size_t at, unsigned style)
{
	uint8_t *p = calloc(1, len);
	struct xfs_ctx c = ondisk_ctx(p, len, v5);
	struct xfs_place top = ondisk_type(&c, type);
	size_t text = 0;
	struct xfs_printer how = { { count_text, &text }, XFS_CRC_BAD };

	ck_assert_ptr_nonnull(p);
	fill(p, len, style);
	if (at + bits / 8 <= len && bits)
		xfs_bits_put(p + at, 0, bits, false, magic);
	c.blocksize = (uint32_t)xfs_max(512, 1u << xfs_log2_floor(len));
	c.dirblksize = c.blocksize;
	c.sparse = style & 1;
	if (strcmp(type, "inode") == 0) {
		c.inodesize = (uint16_t)xfs_min(len, 2048);
		if (len > 90) {		/* any combination of forks */
			xfs_put_be16(p + 2, (uint16_t)(next() % 16 << 12 | 0644));
			p[4] = (uint8_t)(1 + next() % 3);
			p[5] = (uint8_t)(next() % 7);
			p[6] = 0;
			p[7] = (uint8_t)(next() % 10);
			p[82] = (uint8_t)(next() % 2 ? next() : next() % 42);
			p[83] = (uint8_t)(next() % 5);
		}
	}
	ck_assert_int_eq(xfs_print_all(&c, top, &how), 0);
	ck_assert_msg(text < 200 * len + 20000, "%s: %zu bytes of text", type, text);
	try_paths(&c, top, p);
	free(p);
}

struct kind {
	const char *type;
	bool v5;
	uint32_t magic;
	unsigned bits;
	size_t at;
};

static const struct kind kinds[] = {
	{ "sb", true, 0x58465342, 32, 0 }, { "agf", true, XFS_AGF_MAGIC, 32, 0 }, { "agi", true, XFS_AGI_MAGIC, 32, 0 },
	{ "agfl", true, XFS_AGFL_MAGIC, 32, 0 }, { "agfl", false, 0, 0, 0 },
	{ "bnobt", true, XFS_BNOBT_MAGIC, 32, 0 }, { "bnobt", false, XFS_BNOBT_MAGIC_V4, 32, 0 }, { "cntbt", true,
			XFS_CNTBT_MAGIC, 32, 0 },
	{ "inobt", true, XFS_INOBT_MAGIC, 32, 0 }, { "finobt", true, XFS_FINOBT_MAGIC, 32, 0 }, { "rmapbt", true,
			XFS_RMAPBT_MAGIC, 32, 0 },
	{ "refcntbt", true, XFS_REFCBT_MAGIC, 32, 0 }, { "bmapbtd", true, XFS_BMBT_MAGIC, 32, 0 },
	{ "bmapbta", false, XFS_BMBT_MAGIC_V4, 32, 0 }, { "rtrmapbt", true, XFS_RTRMAPBT_MAGIC, 32, 0 },
	{ "rtrefcntbt", true, XFS_RTREFCBT_MAGIC, 32, 0 }, { "inode", true, XFS_DINODE_MAGIC, 16, 0 },
	{ "inode", false, XFS_DINODE_MAGIC, 16, 0 }, { "dir3", true, XFS_DIR3_BLOCK_MAGIC, 32, 0 },
	{ "dir3", true, XFS_DIR3_DATA_MAGIC, 32, 0 }, { "dir3", true, XFS_DIR3_FREE_MAGIC, 32, 0 },
	{ "dir3", true, XFS_DIR3_LEAF1_MAGIC, 16, 8 }, { "dir3", true, XFS_DIR3_LEAFN_MAGIC, 16, 8 },
	{ "dir3", true, XFS_DA3_NODE_MAGIC, 16, 8 }, { "dir2", false, XFS_DIR2_BLOCK_MAGIC, 32, 0 },
	{ "dir2", false, XFS_DIR2_DATA_MAGIC, 32, 0 }, { "dir2", false, XFS_DIR2_LEAF1_MAGIC, 16, 8 },
	{ "dir2", false, XFS_DA_NODE_MAGIC, 16, 8 }, { "dir2", false, XFS_DIR2_FREE_MAGIC, 32, 0 },
	{ "attr3", true, XFS_ATTR_LEAF_MAGIC, 16, 8 }, { "attr3", true, XFS_DA3_NODE_MAGIC, 16, 8 },
	{ "attr3", true, XFS_ATTR_REMOTE_MAGIC, 32, 0 }, { "attr", false, XFS_ATTR_LEAF_MAGIC_V4, 16, 8 },
	{ "attr", false, 0x12345678, 32, 0 }, { "symlink", true, XFS_SYMLINK_MAGIC, 32, 0 },
	{ "dqblk", true, 0x4451, 16, 0 },
	{ "rtsb", true, 0x46726f67, 32, 0 }, { "rgbitmap", true, 0x424d505a, 32, 0 },
	{ "rgsummary", true, 0x53554d59, 32, 0 },
};

START_TEST(noise)
{
	/* sizes that are right, too short for the type, and odd */
	static const size_t sizes[] = { 512, 1024, 4096, 256, 176, 100, 64, 57, 17, 3, 1, 700 };
	const struct kind *k = &kinds[_i];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (unsigned n = 0; n < 24; n++)
			one(k->type, k->v5, sizes[s], k->magic, k->bits, k->at, n % 4);
}
END_TEST

/* counts that claim far more than the block holds are cut to it */
START_TEST(huge_counts)
{
	uint8_t *p = calloc(1, 4096);
	struct xfs_ctx c = ondisk_ctx(p, 4096, true);
	char *text;

	xfs_put_be32(p, XFS_BNOBT_MAGIC);
	xfs_put_be16(p + 6, 65535);
	text = ondisk_print(&c, ondisk_type(&c, "bnobt"), "recs[505].startblock");
	ck_assert_str_eq(text, "recs[505].startblock = 0\n");
	free(text);
	text = ondisk_print(&c, ondisk_type(&c, "bnobt"), "recs[506]");
	ck_assert_str_eq(text, "index 506 for field recs out of range 1-505");
	free(text);
	xfs_put_be16(p + 4, 3);
	text = ondisk_print(&c, ondisk_type(&c, "bnobt"), "ptrs[337]");
	ck_assert_str_eq(text, "index 337 for field ptrs out of range 1-336");
	free(text);
	free(p);
}
END_TEST

/* the largest directory block: printing takes time in proportion, or this never ends under a sanitizer */
START_TEST(large_directory)
{
	size_t len = 65536, total = 0;
	uint8_t *p = calloc(1, len);
	struct xfs_ctx c = ondisk_ctx(p, len, true);
	struct xfs_printer how = { { count_text, &total }, XFS_CRC_GOOD };

	c.blocksize = c.dirblksize = 65536;
	xfs_put_be32(p, XFS_DIR3_DATA_MAGIC);
	for (size_t at = 64; at < len; at += 16) {
		p[at + 8] = 1;
		p[at + 9] = 'x';
		xfs_put_be16(p + at + 14, (uint16_t)at);
	}
	ck_assert_int_eq(xfs_print_all(&c, ondisk_type(&c, "dir3"), &how), 0);
	ck_assert_uint_gt(total, 4092 * 80);
	ck_assert_uint_eq(ondisk_get(&c, ondisk_type(&c, "dir3"), "du[4091].tag"), 65520);
	free(p);
}
END_TEST

static int refuse(void *payload, const char *text, size_t len)
{
	(void)text;
	(void)len;
	++*(unsigned *)payload;
	return -5;
}

/* the first error of a sink ends the printing and comes back */
START_TEST(sink_error)
{
	uint8_t *p = calloc(1, 4096);
	struct xfs_ctx c = ondisk_ctx(p, 4096, true);
	unsigned calls = 0;
	struct xfs_printer how = { { refuse, &calls }, XFS_CRC_GOOD };

	ck_assert_int_eq(xfs_print_all(&c, ondisk_type(&c, "agi"), &how), -5);
	ck_assert_int_eq(xfs_print_data(p, 4096, &how), -5);
	ck_assert_uint_eq(calls, 2);
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_hostile");
	TCase *t = tcase_create("hostile");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, noise, 0, sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_test(t, huge_counts);
	tcase_add_test(t, large_directory);
	tcase_add_test(t, sink_error);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
