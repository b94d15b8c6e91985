/* SPDX-License-Identifier: BSD-2-Clause */
/* test_schema.c - bit codec and tables: superblock, AG headers, records against the vectors. */
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/superblock.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* bmbt records: pack and unpack, spanning the two words */
START_TEST(bmbt_records)
{
	json_t *root = vectors_load("bmbt-record.json"), *rows = vectors_get(root, "cases"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		size_t len;
		uint8_t *bytes = vectors_hex(vectors_get_str(row, "hex"), &len), again[16];
		struct xfs_bmbt_rec rec;

		ck_assert_uint_eq(len, 16);
		xfs_bmbt_rec_decode(&rec, bytes);
		ck_assert_uint_eq(rec.startoff, vectors_get_u64(row, "startoff"));
		ck_assert_uint_eq(rec.startblock, vectors_get_u64(row, "startblock"));
		ck_assert_uint_eq(rec.blockcount, vectors_get_u64(row, "blockcount"));
		ck_assert_uint_eq(rec.extentflag, vectors_get_u64(row, "unwritten"));
		memset(again, 0xa5, sizeof(again));
		xfs_bmbt_rec_encode(again, &rec);
		ck_assert_mem_eq(again, bytes, 16);
		free(bytes);
	}
	ck_assert_uint_gt(i, 0);
	json_decref(root);
}
END_TEST

/* every row of a table that the vector names has the vector's value */
static void compare_fields(const struct xfs_desc *desc, const uint8_t *p, json_t *fields, unsigned *compared)
{
	for (uint32_t i = 0; i < desc->nrows; i++) {
		const struct xfs_row *row = &desc->rows[i];
		json_t *v = json_object_get(fields, row->name);

		if (!v || row->kind == XR_ARRAY)
			continue;
		if (row->kind == XR_BYTES) {
			size_t len;
			uint8_t *want;

			if (!json_is_string(v))
				continue;
			want = vectors_hex(json_string_value(v), &len);
			ck_assert_mem_eq(p + row->bit / 8, want, len < row->bits / 8 ? len : row->bits / 8);
			free(want);
		} else {
			uint64_t got = xfs_bits_get(p, row->bit, row->bits, row->order == XO_LE);

			ck_assert_msg(got == vectors_u64(v), "%s.%s: %llu", desc->name, row->name,
				      (unsigned long long)got);
		}
		(*compared)++;
	}
}

START_TEST(superblocks)
{
	json_t *root = vectors_load("superblock.json"), *rows = vectors_get(root, "samples"), *row;
	unsigned compared = 0;
	size_t i;

	json_array_foreach(rows, i, row) {
		size_t len;
		uint8_t *bytes = vectors_sample(row, &len), again[304];
		struct xfs_sb sb;

		compare_fields(&xfs_sb_desc, bytes, vectors_get(row, "fields"), &compared);
		xfs_sb_decode(&sb, bytes);
		ck_assert_uint_eq(sb.magicnum, XFS_SB_MAGIC);
		memset(again, 0, sizeof(again));
		xfs_sb_encode(again, &sb);
		ck_assert_mem_eq(again, bytes, 304);
		free(bytes);
	}
	ck_assert_uint_gt(compared, 800);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("vectors");

	tcase_set_timeout(t, 120);

	tcase_add_test(t, bmbt_records);
	tcase_add_test(t, superblocks);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
