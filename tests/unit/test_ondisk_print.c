/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ondisk_print.c - exact text of fields, arrays, records and dumps, and of what is wrong with a path. */
#include "libxfs/base/types.h"
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/print_json.h"
#include "tests/unit/ondisk.h"

#include <stdlib.h>
#include <time.h>

static void says(const struct xfs_ctx *c, const char *type, const char *path, const char *want)
{
	char *got = ondisk_print(c, ondisk_type(c, type), path);

	ck_assert_str_eq(got, want);
	free(got);
}

/* a sample of the vectors by file and name */
static struct xfs_ctx sample(const char *file, const char *name, uint8_t **bytes)
{
	json_t *root = vectors_load(file), *row;
	struct xfs_ctx c = { .p = NULL };
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row)
		if (strcmp(vectors_get_str(row, "name"), name) == 0)
			c = ondisk_sample(row, bytes);
	ck_assert_msg(c.p != NULL, "no sample %s in %s", name, file);
	json_decref(root);
	return c;
}

START_TEST(scalar_arrays)
{
	uint8_t p[512] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	xfs_put_be32(p + 40, 7);
	xfs_put_be32(p + 44, 8);
	xfs_put_be32(p + 56, XFS_NULL32);
	says(&c, "agfl", "bno[1-3]", "bno[1-3] = 1:7 2:8 \n");
	says(&c, "agfl", "bno[1-2]", "bno[1-2] = 1:7 2:8\n");
	says(&c, "agfl", "bno[1]", "bno[1] = 7\n");
	says(&c, "agfl", "bno[3]", "bno[3] = \n");
	says(&c, "agfl", "bno[5]", "bno[5] = null\n");
	says(&c, "agfl", "bno[2-1]", "bno[2-1] = \n");
	says(&c, "agfl", "bno[0x1]", "bno[1] = 7\n");
	memset(p + 40, 0xff, 256);
	says(&c, "agi", "unlinked", "unlinked[0-63] = \n");
	says(&c, "agi", "pad32", "pad32 = 0\n");
	xfs_put_be32(p + 40 + 4 * 63, 146);
	says(&c, "agi", "unlinked", "unlinked[0-63] = 63:146\n");
}
END_TEST

START_TEST(records)
{
	uint8_t *p;
	struct xfs_ctx c = sample("btree-blocks.json", "1k bnobt level 1 first (root)", &p);

	says(&c, "bnobt", "keys[1-2]", "keys[1-2] = [startblock,blockcount] \n1:[862,1] \n2:[12136,2]\n");
	says(&c, "bnobt", "keys[27]", "keys[27] = [startblock,blockcount] \n27:[23035,1]\n");
	says(&c, "bnobt", "keys[1-2].blockcount", "keys[1].blockcount = 1\nkeys[2].blockcount = 2\n");
	says(&c, "bnobt", "leftsib", "leftsib = null\n");
	says(&c, "bnobt", "recs", "field recs not found");
	free(p);
}
END_TEST

START_TEST(whole_btree_leaf)
{
	uint8_t p[4096] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	xfs_put_be32(p, XFS_RMAPBT_MAGIC);
	xfs_put_be16(p + 6, 2);
	memset(p + 8, 0xff, 8);
	xfs_put_be64(p + 16, 40);
	xfs_put_be32(p + 52, 0x3e1ae454);
	xfs_put_be32(p + 60, 1);
	xfs_put_be64(p + 64, XFS_OWN_FS);
	xfs_put_be32(p + 80, 9);
	xfs_put_be32(p + 84, 3);
	xfs_put_be64(p + 88, 131);
	xfs_put_be64(p + 96, XFS_RMAP_ATTR | XFS_RMAP_UNWRITTEN | 77);
	says(&c, "rmapbt", NULL,
	     "magic = 0x524d4233\nlevel = 0\nnumrecs = 2\nleftsib = null\nrightsib = null\nbno = 40\nlsn = 0\n"
	     "uuid = 00000000-0000-0000-0000-000000000000\nowner = 0\ncrc = 0x3e1ae454 (correct)\n"
	     "recs[1-2] = [startblock,blockcount,owner,offset,extentflag,attrfork,bmbtblock] \n"
	     "1:[0,1,-3,0,0,0,0] \n2:[9,3,131,77,1,1,0]\n");
}
END_TEST

START_TEST(inode_text)
{
	uint8_t p[512] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);
	struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .mode = 0100644, .version = 3, .format = 2,
					  .aformat = 9, .nextents32 = 1, .forkoff = 24, .next_unlinked = XFS_NULL32 },
				.v3 = { .inumber = 131 } };
	struct xfs_bmbt_rec rec = { .startoff = 5, .startblock = 1624, .blockcount = 2, .extentflag = 1 };

	setenv("TZ", "UTC", 1);
	tzset();
	xfs_dinode_encode(p, &d);
	xfs_bmbt_rec_encode(p + 176, &rec);
	says(&c, "inode", "u3", "u3.bmx[0] = [startoff,startblock,blockcount,extentflag] \n0:[5,1624,2,1]\n");
	says(&c, "inode", "a", "a = (empty)\n");
	says(&c, "inode", "core.mode", "core.mode = 0100644\n");
	says(&c, "inode", "core.aformat", "core.aformat = 9\n");
	says(&c, "inode", "core.format", "core.format = 2 (extents)\n");
	says(&c, "inode", "core.v3_pad", "core.v3_pad = 0\n");
	says(&c, "inode", "core.atime", "core.atime.sec = Thu Jan  1 00:00:00 1970\ncore.atime.nsec = 0\n");
	says(&c, "inode", "core.onlink", "core.onlink = 0\n");
	says(&c, "inode", "core.metatype", "field metatype not found");
	says(&c, "inode", "next_unlinked", "next_unlinked = null\n");
	says(&c, "inode", "core.flags", "core.flags = 0\n");
	d.v3.flags2 = XFS_DIFLAG2_BIGTIME | XFS_DIFLAG2_NREXT64 | XFS_DIFLAG2_METADATA;
	d.core.metatype = 7;
	d.core.big_nextents = 0;
	xfs_dinode_encode(p, &d);
	says(&c, "inode", "core.atime.sec", "core.atime.sec = Fri Dec 13 20:45:52 1901\n");
	says(&c, "inode", "core.metatype", "core.metatype = 7 (rtrmap)\n");
	says(&c, "inode", "core.nextents", "core.nextents = 0\n");
	says(&c, "inode", "core.naextents", "core.naextents = 1\n");
	says(&c, "inode", "u3", "u3 = (empty)\n");
	says(&c, "inode", "v3.metadata", "v3.metadata = 1\n");
	d.core.format = XFS_DINODE_FMT_DEV;
	xfs_dinode_encode(p, &d);
	xfs_put_be32(p + 176, xfs_dev_pack(1, 3));
	says(&c, "inode", "u3", "u3.dev = 0x40003\n");
}
END_TEST

START_TEST(shortforms)
{
	/* three entries of the example of the format sheet; an attr with bytes that need escapes */
	static const uint8_t dir[] = { 2, 0, 0, 0, 0, 0x80, 3, 0, 0x60, 'd', 'i', 'r', 2, 0, 0x13, 0xa4, 0xca,
				       3, 0, 0x70, 'r', 'e', 'g', 1, 0, 8, 9, 0x1d };
	static const uint8_t attr[] = { 0, 30, 3, 0, 3, 8, 0, 'o', 'n', 'e', 'v', 1, '"', '\'', '\\', '?', '\n', 0xff,
					1, 0, 2, 'e', 1, 1, 4, 's', 'x', 0, 0, 0 };
	uint8_t p[512] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);
	struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .mode = 040755, .version = 3, .format = 1,
					  .aformat = 1, .forkoff = 24, .size = sizeof(dir) } };

	xfs_dinode_encode(p, &d);
	memcpy(p + 176, dir, sizeof(dir));
	memcpy(p + 176 + 192, attr, sizeof(attr));
	says(&c, "inode", "u3.sfdir3.list[1]", "u3.sfdir3.list[1].namelen = 3\nu3.sfdir3.list[1].offset = 0x70\n"
	     "u3.sfdir3.list[1].name = \"reg\"\nu3.sfdir3.list[1].inumber.i4 = 526621\nu3.sfdir3.list[1].filetype = "
	     "1\n");
	says(&c, "inode", "u3.sfdir3.hdr",
			"u3.sfdir3.hdr.count = 2\nu3.sfdir3.hdr.i8count = 0\nu3.sfdir3.hdr.parent.i4 = 128\n");
	says(&c, "inode", "u3.sfdir3.list.name",
	     "u3.sfdir3.list[0].name = \"dir\"\nu3.sfdir3.list[1].name = \"reg\"\n");
	says(&c, "inode", "a.sfattr.list[0].value", "a.sfattr.list[0].value = \"v\\001\\\"\\'\\\\\\?\\n\\377\"\n");
	says(&c, "inode", "a.sfattr.list[1]", "a.sfattr.list[1].namelen = 1\na.sfattr.list[1].valuelen = 0\n"
	     "a.sfattr.list[1].root = 1\na.sfattr.list[1].secure = 0\na.sfattr.list[1].parent = "
	     "0\na.sfattr.list[1].name = \"e\"\n");
	says(&c, "inode", "a.sfattr.list[3].name", "index 3 for field list out of range 0-2");
}
END_TEST

START_TEST(unknown_block)
{
	uint8_t p[4096] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	says(&c, "dir3", NULL, " = Unrecognized metadata or type mismatch\n");
	says(&c, "attr3", NULL, " = Unrecognized metadata or type mismatch\n");
	says(&c, "attr3", "hdr", "field hdr not found");
}
END_TEST

START_TEST(quota_timers)
{
	uint8_t p[136] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	setenv("TZ", "UTC", 1);
	tzset();
	xfs_put_be32(p + 60, 604800);
	says(&c, "dqblk", "diskdq.btimer", "diskdq.btimer = 604800\n");
	xfs_put_be32(p + 4, 5);
	says(&c, "dqblk", "diskdq.btimer", "diskdq.btimer = Thu Jan  8 00:00:00 1970\n");
	says(&c, "dqblk", "diskdq.itimer", "diskdq.itimer = 0\n");
	p[3] = XFS_DQTYPE_USER | XFS_DQTYPE_BIGTIME;
	says(&c, "dqblk", "diskdq.btimer", "diskdq.btimer = Thu Jan 29 00:00:00 1970\n");
	says(&c, "dqblk", "diskdq.id", "diskdq.id = 5\n");
}
END_TEST

static const struct { const char *path, *text; } wrong[] = {
	{ "nosuch", "field nosuch not found" }, { "core.nosuch", "field nosuch not found" },
	{ "core.*", "bad character in field *" }, { "core.\\", "bad character in field \\" },
	{ "core.\"", "missing closing quote " }, { "co\"re", "missing closing quote re" },
	{ "core.Size", "bad character in field Size" }, { "#12", "bad character in field #12" },
	{ "core.size[", "bad syntax in field name core.size[" },
	{ "core.size[a", "bad syntax in field name core.size[a" },
	{ "v3.pad2[1", "bad syntax in field name v3.pad2[1" }, { "v3.pad2[1-", "bad syntax in field name v3.pad2[1-" },
	{ "v3.pad2[]", "bad syntax in field name v3.pad2[]" },
	{ "v3.pad2[1-2-3]", "bad syntax in field name v3.pad2[1-2-3]" },
	{ "v3.pad2[08]", "bad syntax in field name v3.pad2[08]" },
	{ "v3.pad2[0x]", "bad syntax in field name v3.pad2[0x]" },
	{ "v3.pad2[1][2]", "bad syntax in field name v3.pad2[1][2]" }, { "v3.pad2[-1]",
			"bad syntax in field name v3.pad2[-1]" },
	{ "core..size", "bad syntax in field name core..size" }, { ".core", "bad syntax in field name .core" },
	{ "core.", "bad syntax in field name core." }, { "5", "bad syntax in field name 5" }, { "",
			"bad syntax in field name " },
	{ "\"abc\"", "bad syntax in field name \"abc\"" }, { "core.size[0]", "field size is not an array" },
	{ "core[0].size", "field core is not an array" }, { "core.size.x", "field size has no subfields" },
	{ "v3.pad2[1].x", "field pad2 has no subfields" }, { "v3.pad2[2]x", "field pad2 has no subfields" },
	{ "v3.pad2[12]", "index 12 for field pad2 out of range 0-11" },
	{ "v3.pad2[1-12]", "indices 1-12 for field pad2 out of range 0-11" },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n", "bad syntax in field name a.b.c.d.e.f.g.h.i.j.k.l.m.n" },
};

START_TEST(path_errors)
{
	uint8_t p[512] = { 0 };
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	xfs_put_be16(p, XFS_DINODE_MAGIC);
	p[4] = 3;
	says(&c, "inode", wrong[_i].path, wrong[_i].text);
}
END_TEST

/* whatever number a path names: what is put is got, and no other bit changes */
START_TEST(put_and_get)
{
	static const char *const names[] = { "core.mode", "core.immutable", "core.size", "v3.crc", "v3.bigtime",
			"core.atime.nsec",
		"u3.bmx[1].startoff", "u3.bmx[1].startblock", "u3.bmx[0].blockcount", "u3.bmx[1].extentflag",
		"v3.pad2[3]", "v3.pad2[3-6]", "core.forkoff" };
	uint8_t p[512] = { 0 }, before[512];
	struct xfs_ctx c = ondisk_ctx(p, sizeof(p), true);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct xfs_path_error why;
		struct xfs_bitrange r;
		struct xfs_path path;
		uint64_t v, want;

		for (size_t k = 0; k < sizeof(p); k++)
			p[k] = (uint8_t)(k * 37 + 11);
		p[4] = 3;
		p[5] = 2;
		memset(p + 72, 0, 12);
		xfs_put_be64(p + 120, 0);
		p[79] = 2;
		memcpy(before, p, sizeof(p));
		ck_assert_msg(xfs_path_parse(&c, ondisk_type(&c, "inode"), names[i], &path, &why) == 0, "%s", why.text);
		ck_assert(xfs_path_bits(&c, &path, &r));
		want = UINT64_C(0x123456789abcdef0) & (r.bits == 64 ? UINT64_MAX : (UINT64_C(1) << r.bits) - 1);
		ck_assert_int_eq(xfs_field_put(&c, &path, p, want), 0);
		ck_assert_int_eq(xfs_field_get(&c, &path, &v), 0);
		ck_assert_uint_eq(v, want);
		if (r.bits < 64)	/* one too large; -1 is all ones */
			ck_assert_int_lt(xfs_field_put(&c, &path, p, UINT64_C(1) << r.bits), 0);
		ck_assert_int_eq(xfs_field_put(&c, &path, p, UINT64_MAX), 0);
		ck_assert_int_eq(xfs_field_get(&c, &path, &v), 0);
		ck_assert_uint_eq(v, r.bits == 64 ? UINT64_MAX : (UINT64_C(1) << r.bits) - 1);
		for (size_t bit = r.bit; bit < r.bit + r.bits; bit++) {
			p[bit / 8] = (uint8_t)(p[bit / 8] & ~(0x80u >> bit % 8));
			before[bit / 8] = (uint8_t)(before[bit / 8] & ~(0x80u >> bit % 8));
		}
		ck_assert_mem_eq(p, before, sizeof(p));
	}
}
END_TEST

static int json_write(void *payload, const void *bytes, size_t len)
{
	struct xfs_text_sink sink = ondisk_sink(payload);

	return sink.write(sink.payload, bytes, len);
}

/* every sample of the vectors gives JSON that a parser takes, with the values of the text */
START_TEST(json)
{
	json_t *root = vectors_load("inodes.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		struct ondisk_text out = { 0 };
		struct xfs_path_error why;
		struct xfs_path path;
		struct xfs_json j;
		json_error_t err;
		uint8_t *p;
		struct xfs_ctx c = ondisk_sample(row, &p);
		struct xfs_place top = ondisk_type(&c, "inode");
		json_t *got, *core;

		xfs_json_start(&j, json_write, &out, i % 2);
		xfs_json_object(&j, NULL);
		xfs_json_fields(&j, &c, top, XFS_CRC_GOOD);
		ck_assert_int_eq(xfs_path_parse(&c, top, "core.mtime", &path, &why), 0);
		xfs_json_path(&j, &c, &path, "named", XFS_CRC_GOOD);
		xfs_json_object_end(&j);
		ck_assert_int_eq(xfs_json_finish(&j), 0);
		got = json_loads(out.text, JSON_ALLOW_NUL, &err);
		ck_assert_msg(got != NULL, "%s: %s", out.text, err.text);
		core = vectors_get(got, "core");
		ck_assert_uint_eq(vectors_get_u64(core, "size"), ondisk_get(&c, top, "core.size"));
		ck_assert_uint_eq(vectors_get_u64(vectors_get(core, "mtime"), "nsec"),
				  vectors_get_u64(vectors_get(got, "named"), "nsec"));
		json_decref(got);
		free(out.text);
		free(p);
	}
	ck_assert_uint_gt(i, 50);
	json_decref(root);
}
END_TEST

START_TEST(dumps)
{
	uint8_t p[512] = { 0 };
	struct ondisk_text out = { 0 };
	struct xfs_printer how = { ondisk_sink(&out), XFS_CRC_GOOD };

	memcpy(p, "XFSB\0\0\x10\0", 8);
	xfs_print_data(p, 512, &how);
	ck_assert(strncmp(out.text,
			  "000: 58465342 00001000 00000000 00000000 00000000 00000000 00000000 00000000\n020: ",
			  82) == 0);
	out.len = 0;
	xfs_print_data(p, 40, &how);
	ck_assert(strncmp(out.text, "00: 58465342 ", 13) == 0);
	ck_assert_str_eq(out.text + 76, "20: 00000000 00000000\n");
	out.len = 0;
	xfs_print_text(p, 32, &how);
	ck_assert_str_eq(out.text, "00:  58 46 53 42 00 00 10 00 00 00 00 00 00 00 00 00  XFSB............\n"
			 "10:  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n");
	free(out.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_print");
	TCase *t = tcase_create("text");

	tcase_add_test(t, scalar_arrays);
	tcase_add_test(t, records);
	tcase_add_test(t, whole_btree_leaf);
	tcase_add_test(t, inode_text);
	tcase_add_test(t, shortforms);
	tcase_add_test(t, unknown_block);
	tcase_add_test(t, quota_timers);
	tcase_add_loop_test(t, path_errors, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, put_and_get);
	tcase_add_test(t, json);
	tcase_add_test(t, dumps);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
