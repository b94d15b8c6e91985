/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ondisk_blocks.c - block types and forms: every block of the vectors verifies, and not when a byte changes. */
#include "libxfs/base/errors.h"
#include "libxfs/base/types.h"
#include "tests/unit/ondisk.h"

#include <stdlib.h>

static const char *const files[] = { "superblock.json", "ag-headers.json", "btree-blocks.json", "inodes.json",
				     "directory-blocks.json", "attr-blocks.json", "symlink-blocks.json" };

/* the type that a kind of the vectors is a block of */
static enum xfs_type type_of(const char *kind)
{
	static const struct { const char *kind; enum xfs_type type; } types[] = {
		{ "sb", XT_SB }, { "superblock", XT_SB }, { "agf", XT_AGF }, { "agi", XT_AGI }, { "agfl", XT_AGFL },
		{ "bnobt", XT_BNOBT }, { "cntbt", XT_CNTBT }, { "inobt", XT_INOBT }, { "finobt", XT_FINOBT },
		{ "rmapbt", XT_RMAPBT }, { "refcountbt", XT_REFCBT }, { "bmbt", XT_BMAPBTD }, { "inode", XT_INODE },
		{ "symlink_remote", XT_SYMLINK },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(kind, types[i].kind) == 0)
			return types[i].type;
	ck_assert_msg(strncmp(kind, "dir_", 4) == 0 || strncmp(kind, "attr_", 5) == 0, "unknown kind %s", kind);
	return *kind == 'd' ? XT_DIR : XT_ATTR;
}

static uint64_t owner_of(json_t *row, const struct xfs_blockform *f)
{
	json_t *v = json_object_get(row, f->type == XT_INODE ? "ino" : f->owner_bits == 32 ? "agno" : "owner_inode");

	return v ? vectors_u64(v) : XFS_NULL64;
}

static void check_v5(json_t *row, const struct xfs_ctx *c, uint8_t *p, const struct xfs_blockform *f)
{
	uint64_t daddr = json_object_get(row, "daddr") ? vectors_get_u64(row, "daddr") : XFS_NULL64,
		 owner = owner_of(row, f);
	struct xfs_block_facts facts = { .v5 = true, .daddr = daddr == XFS_NULL64 ? NULL : &daddr,
					 .owner = owner == XFS_NULL64 ? NULL : &owner,
					 .uuid = f->uuid == XFS_NO_POS ? NULL : p + f->uuid };
	uint8_t other[16], crc[4];
	struct xfs_finding why;

	ck_assert_uint_eq(f->crc, vectors_get_u64(row, "crc_offset"));
	ck_assert_msg(xfs_blockform_verify(f, &facts, p, c->len, &why) == 0, "%s: %s", vectors_get_str(row, "name"),
			why.field);
	memcpy(crc, p + f->crc, 4);
	p[c->len - 1] ^= 0x40;
	ck_assert_int_eq(xfs_blockform_verify(f, &facts, p, c->len, &why), -XFS_E_BADCRC);
	ck_assert_str_eq(why.field, "crc");
	p[c->len - 1] ^= 0x40;
	memset(p + f->crc, 0, 4);
	xfs_blockform_seal(f, true, p, c->len);
	ck_assert_mem_eq(p + f->crc, crc, 4);
	if (facts.uuid) {
		memset(other, 0x77, 16);
		facts.uuid = other;
		ck_assert_int_eq(xfs_blockform_verify(f, &facts, p, c->len, &why), -XFS_E_CORRUPT);
		ck_assert_str_eq(why.field, "uuid");
		facts.uuid = NULL;
	}
	if (facts.daddr && f->blkno != XFS_NO_POS) {
		daddr++;
		ck_assert_int_eq(xfs_blockform_verify(f, &facts, p, c->len, &why), -XFS_E_CORRUPT);
		ck_assert_uint_eq(why.found + 1, why.expected);
		daddr--;
	}
	if (facts.owner && f->owner != XFS_NO_POS) {
		owner ^= 1;
		ck_assert_int_eq(xfs_blockform_verify(f, &facts, p, c->len, &why), -XFS_E_CORRUPT);
		ck_assert_str_eq(why.field, "owner");
	}
}

START_TEST(vectors_verify)
{
	json_t *root = vectors_load(files[_i]), *row;
	struct xfs_finding why;
	unsigned forms = 0;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		const char *kind = vectors_get_str(row, "kind");
		enum xfs_type type = type_of(kind);
		const struct xfs_blockform *f;
		uint8_t *p;
		struct xfs_ctx c = ondisk_sample(row, &p);

		f = xfs_blockform_of(type, c.v5, p, c.len);
		if (f) {
			struct xfs_block_facts facts = { .v5 = c.v5 };

			forms++;
			if (c.v5)
				check_v5(row, &c, p, f);
			p[f->magic] ^= 1;
			ck_assert_int_eq(xfs_blockform_verify(f, &facts, p, c.len, &why), -XFS_E_BADMAGIC);
			ck_assert_ptr_null(xfs_blockform_of(type, c.v5, p, c.len));
		} else {	/* blocks of V4 that have no header */
			ck_assert_msg(!c.v5 && (type == XT_AGFL || type == XT_SYMLINK || type == XT_ATTR), "%s", kind);
		}
		free(p);
	}
	ck_assert_uint_gt(forms, 3);
	json_decref(root);
}
END_TEST

START_TEST(names)
{
	unsigned v4 = 0, v5 = 0;

	for (const struct xfs_blocktype *t = xfs_blocktypes; t->type != XT_NONE; t++) {
		v4 += t->v4 != NULL;
		v5 += t->v5 != NULL;
		ck_assert_ptr_eq(xfs_blocktype_of(t->type), t);
		ck_assert((t->desc5 != NULL) == (t->show5 == XW_FIELDS));
		ck_assert((t->desc4 != NULL) == (t->show4 == XW_FIELDS));
	}
	ck_assert_uint_eq(v5, 28);
	ck_assert_uint_eq(v4, 21);
	ck_assert_ptr_nonnull(xfs_blocktype_named("dir3", true));
	ck_assert_ptr_null(xfs_blocktype_named("dir3", false));
	ck_assert_ptr_nonnull(xfs_blocktype_named("attr", false));
	ck_assert_ptr_null(xfs_blocktype_named("rmapbt", false));
}
END_TEST

/* a buffer that is too short for the header of its form has no form */
START_TEST(short_buffers)
{
	uint8_t p[64] = { 0 };

	xfs_put_be32(p, 0x58444233);
	ck_assert_ptr_nonnull(xfs_blockform_of(XT_DIR, true, p, 64));
	ck_assert_ptr_null(xfs_blockform_of(XT_DIR, true, p, 47));
	ck_assert_ptr_null(xfs_blockform_of(XT_NONE, true, p, 3));
	ck_assert_ptr_null(xfs_blockform_of(XT_DIR, false, p, 64));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_blocks");
	TCase *t = tcase_create("blocks");

	tcase_add_loop_test(t, vectors_verify, 0, sizeof(files) / sizeof(files[0]));
	tcase_add_test(t, names);
	tcase_add_test(t, short_buffers);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
