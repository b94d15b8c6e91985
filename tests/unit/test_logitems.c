/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_logitems.c - tables of log structures: regions as kernels wrote them (format sheet 04, section 13.4), and the
 * same in the other byte order; cores of inodes in both orders.
 */
#include "libxfs/base/types.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/logitems.h"
#include "tests/unit/ondisk.h"

#include <stdlib.h>

static size_t from_hex(const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (; *text; text++) {
		unsigned byte;

		if (*text == ' ')
			continue;
		ck_assert_uint_lt(n, room);
		ck_assert_int_eq(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
		text++;
	}
	return n;
}

static char *show(const uint8_t *p, size_t len, bool le, const struct xfs_desc *desc)
{
	struct xfs_ctx c = { .p = p, .len = len, .v5 = true, .writer_le = le };
	struct ondisk_text text = { 0 };
	struct xfs_printer how = { .sink = ondisk_sink(&text) };

	ck_assert_int_eq(xfs_print_all(&c, (struct xfs_place){ desc, 0 }, &how), 0);
	return text.text;
}

/* Turns numbers of these sizes around, in order of their places; the sizes repeat from `loop` on. */
static void turn(uint8_t *p, size_t len, const char *sizes, size_t loop)
{
	size_t at = 0, k = 0;

	while (at < len) {
		size_t n = (size_t)(sizes[k] - '0');

		for (size_t i = 0; i < n / 2; i++) {
			uint8_t b = p[at + i];

			p[at + i] = p[at + n - 1 - i];
			p[at + n - 1 - i] = b;
		}
		at += n;
		if (!sizes[++k])
			k = loop;
	}
}

/* sizes: widths of the numbers; from `loop` on they repeat (extents) */
static const struct sample {
	const struct xfs_desc *desc;
	const char *sizes;
	size_t loop;
	const char *hex, *text;
} samples[] = {
	{ &xfs_log_efi_desc, "2248844", 4, "3612010002000000 708865068188ffff 6306000000000000 0100000000000000"
	  "1f06000000000000 0100000000000000",
	  "type = 0x1236\nsize = 1\nnextents = 2\nid = 0xffff888106658870\nextents[0-1] = [start,len] \n0:[1635,1] "
	  "\n1:[1567,1]\n" },
	{ &xfs_log_efi_desc, "224884", 4, "3612010002000000 708865068188ffff 6306000000000000 01000000"
	  "1f06000000000000 01000000",
	  "type = 0x1236\nsize = 1\nnextents = 2\nid = 0xffff888106658870\nextents[0-1] = [start,len] \n0:[1635,1] "
	  "\n1:[1567,1]\n" },
	{ &xfs_log_rui_desc, "224888844", 4, "4012010001000000 60851e228188ffff d832000000000000 1900000000000000"
	  "0100000000000000 01000000 02000000",
	  "type = 0x1240\nsize = 1\nnextents = 1\nid = 0xffff8881221e8560\n"
	  "extents[0] = [owner,startblock,startoff,len,flags] \n0:[13016,25,1,1,0x2]\n" },
	{ &xfs_log_cui_desc, "2248844", 4, "4212010001000000 50b9f0108388ffff 6605000000000000 01000000 01000000",
	  "type = 0x1242\nsize = 1\nnextents = 1\nid = 0xffff888310f0b950\nextents[0] = [startblock,len,flags] "
	  "\n0:[1382,1,0x1]\n" },
	{ &xfs_log_done_desc, "2248", 0, "4112010000000000 60851e228188ffff",
	  "type = 0x1241\nsize = 1\nid = 0xffff8881221e8560\n" },
	{ &xfs_log_xmi_desc, "22488844888888", 0, "4812010000000000 e84249298188ffff 8400000000000000 8500000000000000"
	  "4262f83d 77bd07c5 0000000000000000 0000000000000000 0002000000000000 0200000000000000 0000200000000000"
	  "0000200000000000",
	  "type = 0x1248\nsize = 1\nid = 0xffff8881294942e8\ninode1 = 132\ninode2 = 133\nigen1 = 1039688258\n"
	  "igen2 = 3305618807\nstartoff1 = 0\nstartoff2 = 0\nblockcount = 512\nflags = 0x2\nisize1 = 2097152\nisize2 "
	  "= 2097152\n" },
	{ &xfs_log_attri_desc, "224884444", 0,
	  "461203000265e2aa e02476068188ffff 9e00000000000000 04000000 01000000 0c000000"
	  "08000000",
	  "type = 0x1246\nsize = 3\nigen = 2866963714\nid = 0xffff8881067624e0\nino = 158\nop_flags = "
	  "0x4\nname_len = 1\n"
	  "value_len = 12\nattr_filter = 0x8\n" },
	{ &xfs_log_attri_desc, "2248842244", 0,
	  "46120500551609a9 802698d38188ffff 9000000000000000 06000000 02000200 0c000000"
	  "08000000",
	  "type = 0x1246\nsize = 5\nigen = 2835945045\nid = 0xffff8881d3982680\nino = 144\nop_flags = "
	  "0x6\nold_name_len = 2\n"
	  "new_name_len = 2\nvalue_len = 12\nattr_filter = 0x8\n" },
	{ &xfs_log_icreate_desc, "22111111111111111111111111", 0,
	  "3f120100 00000000 00000628 00000040 00000200 00000008"
	  "3e65ce2f",
	  "type = 0x123f\nsize = 1\nag = 0\nagbno = 1576\ncount = 64\nisize = 512\nlength = 8\ngen = 1046859311\n" },
	{ &xfs_log_buf_desc, "222284", 5, "3c120200 00480800 f000000000000000 01000000 01000000",
	  "type = 0x123c\nsize = 2\nflags = 0x4800\nlen = 8\nblkno = 240\nmap_size = 1\nmap[0] = 0x1\n" },
	{ &xfs_log_inode_desc, "224224" "8" "4444" "844", 0, "3b12 0200 01000000 0000 0000 00000000 8600000000000000"
	  "00000000 00000000 00000000 00000000 8000000000000000 20000000 000c0000", NULL },
};

START_TEST(captured)
{
	const struct sample *s = &samples[_i];
	uint8_t p[128];
	size_t len = from_hex(s->hex, p, sizeof(p));
	char *text = show(p, len, true, s->desc), *turned;

	if (s->text)
		ck_assert_str_eq(text, s->text);
	turn(p, len, s->sizes, s->loop);
	turned = show(p, len, false, s->desc);
	ck_assert_str_eq(turned, text);
	free(text);
	free(turned);
}
END_TEST

/* The two forms of the inode format carry the same. */
START_TEST(inode_forms)
{
	uint8_t p[56], q[52];
	struct xfs_log_inode a;
	struct xfs_log_inode32 b;

	from_hex(samples[XFS_ARRAY_SIZE(samples) - 1].hex, p, sizeof(p));
	memcpy(q, p, 12);
	memcpy(q + 12, p + 16, 40);
	xfs_log_inode_decode_as(&a, p, true);
	xfs_log_inode32_decode_as(&b, q, true);
	ck_assert_uint_eq(a.ino, 134);
	ck_assert_uint_eq(b.ino, 134);
	ck_assert_uint_eq(a.blkno, 0x80);
	ck_assert_uint_eq(b.blkno, 0x80);
	ck_assert_uint_eq(a.boffset, 3072);
	ck_assert_uint_eq(b.boffset, 3072);
	ck_assert_uint_eq(b.len, 32);
}
END_TEST

static void fill(uint8_t *disk, unsigned version, uint64_t flags2)
{
	for (unsigned i = 0; i < 176; i++)
		disk[i] = (uint8_t)(17 * i + 3);
	xfs_put_be16(disk, XFS_DINODE_MAGIC);
	disk[4] = (uint8_t)version;
	if (version >= 3)
		xfs_put_be64(disk + 120, flags2);
	else
		memset(disk + 24, 0, 6);
	/* what items do not carry */
	memset(disk + 96, 0, 8);
	memset(disk + 112, 0, 8);
	memset(disk + 132, 0, 12);
	if (version < 3)
		memset(disk + 96, 0, 80);
}

/* disk -> log of either order -> disk; and times in the log are words, or one number. */
START_TEST(core_orders)
{
	static const struct { unsigned version; uint64_t flags2; } kinds[] = {
		{ 3, 0 }, { 3, XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64 }, { 2, 0 }, { 3, XFS_DIFLAG2_NREXT64 },
	};

	for (size_t k = 0; k < XFS_ARRAY_SIZE(kinds); k++)
		for (int le = 0; le < 2; le++) {
			uint8_t disk[176], core[176], back[176];
			size_t len = kinds[k].version < 3 ? XFS_LOG_DINODE_V4 : 176;

			fill(disk, kinds[k].version, kinds[k].flags2);
			xfs_log_dinode_from_disk(core, disk, le);
			if (!le)
				ck_assert_mem_eq(core, disk, len);
			xfs_log_dinode_to_disk(back, core, len, le);
			ck_assert_mem_eq(back, disk, 176);
			ck_assert_uint_eq(xfs_ld16(core + 2, le), xfs_be16(disk + 2));
			ck_assert_uint_eq(xfs_ld64(core + 56, le), xfs_be64(disk + 56));
			if (kinds[k].version < 3)
				ck_assert_uint_eq(xfs_ld16(core + 30, le), xfs_be16(disk + 30));
			if (kinds[k].flags2 & XFS_DIFLAG2_BIGTIME) {
				ck_assert_uint_eq(xfs_ld64(core + 40, le), xfs_be64(disk + 40));
			} else {
				ck_assert_uint_eq(xfs_ld32(core + 40, le), xfs_be32(disk + 40));
				ck_assert_uint_eq(xfs_ld32(core + 44, le), xfs_be32(disk + 44));
			}
		}
}
END_TEST

/* Counts that the region has no room for are cut, whatever they say. */
START_TEST(counts_are_cut)
{
	uint8_t p[64];
	size_t len = from_hex(samples[0].hex, p, sizeof(p));

	for (size_t cut = 16; cut <= len; cut++)
		for (uint32_t n = 0; n < 5; n++) {
			uint8_t *copy = malloc(cut);
			char *text;

			memcpy(copy, p, cut);
			xfs_put_le32(copy + 4, n == 4 ? UINT32_MAX : n);
			text = show(copy, cut, true, &xfs_log_efi_desc);
			ck_assert_ptr_nonnull(strstr(text, "type = 0x1236"));
			free(text);
			text = show(copy, cut, true, &xfs_log_rui_desc);
			free(text);
			text = show(copy, cut, true, &xfs_log_cui_desc);
			free(text);
			free(copy);
		}
	ck_assert_uint_eq(xfs_log_extent_size(16 + 32, 2), 16);
	ck_assert_uint_eq(xfs_log_extent_size(16 + 24, 2), 12);
	ck_assert_uint_eq(xfs_log_extent_size(16 + 25, 2), 0);
	ck_assert_uint_eq(xfs_log_extent_size(7, 2), 0);
	ck_assert_uint_eq(xfs_log_extent_size(16, UINT32_MAX), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("logitems");
	TCase *t = tcase_create("tables");

	tcase_add_loop_test(t, captured, 0, XFS_ARRAY_SIZE(samples));
	tcase_add_test(t, inode_forms);
	tcase_add_test(t, core_orders);
	tcase_add_test(t, counts_are_cut);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
