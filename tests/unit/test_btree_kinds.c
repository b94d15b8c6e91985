/* SPDX-License-Identifier: BSD-2-Clause */
/* test_btree_kinds.c - record codecs, keys, capacities and block checks of the btree engine against the vectors. */
#include "libxfs/base/crc32c.h"
#include "libxfs/btree/priv.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static const struct xfs_btree_kind *kind_named(const char *name)
{
	for (unsigned i = 0; i < XFS_BTREE_KINDS; i++)
		if (strcmp(xfs_btree_kinds[i].name, name) == 0)
			return &xfs_btree_kinds[i];
	ck_abort_msg("no kind %s", name);
	return NULL;
}

START_TEST(table_is_consistent)
{
	for (unsigned i = 0; i < XFS_BTREE_KINDS; i++) {
		const struct xfs_btree_kind *k = &xfs_btree_kinds[i];

		ck_assert_uint_eq(k->id, i);
		ck_assert_uint_eq(k->shape->keylen, k->keylen1 * (k->overlapping ? 2 : 1));
		ck_assert_uint_eq(k->shape->ptrlen, k->shape->long_form ? 8 : 4);
		ck_assert(k->inode_root == k->shape->long_form);
		ck_assert_uint_ge(k->cmpwords, 1);
		ck_assert_uint_le(k->cmpwords, 3);
	}
}
END_TEST

/* Packed key of a vector equals what the codec makes of the record, and reads back as the same words. */
static void expect_key(const struct xfs_btree_kind *k, const char *hex, const struct xfs_btree_key *key)
{
	size_t len;
	uint8_t *want = vectors_hex(hex, &len), got[20] = { 0 };
	struct xfs_btree_key again;

	ck_assert_uint_eq(len, k->keylen1);
	k->key_put(got, key);
	ck_assert_mem_eq(got, want, len);
	k->key_get(&again, want);
	ck_assert_int_eq(xfs_btree_key_cmp(&again, key), 0);
	free(want);
}

static void check_records(const char *file, const struct xfs_btree_kind *k, size_t least)
{
	json_t *root = vectors_load(file), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		size_t len;
		uint8_t *rec = vectors_hex(vectors_get_str(row, "hex"), &len);
		struct xfs_btree_key low, high;

		ck_assert_uint_eq(len, k->shape->reclen);
		k->low(&low, rec);
		k->high(&high, rec);
		expect_key(k, vectors_get_str(row, "low_key"), &low);
		expect_key(k, vectors_get_str(row, "high_key"), &high);
		free(rec);
	}
	ck_assert_uint_ge(i, least);
	json_decref(root);
}

START_TEST(rmap_records)
{
	check_records("rmap-record.json", &xfs_btree_kinds[XFS_BTREE_RMAP], 44);
	check_records("rmap-record.json", &xfs_btree_kinds[XFS_BTREE_RTRMAP], 44);
}
END_TEST

START_TEST(refcount_records)
{
	check_records("refcount-record.json", &xfs_btree_kinds[XFS_BTREE_REFC], 10);
	check_records("refcount-record.json", &xfs_btree_kinds[XFS_BTREE_RTREFC], 10);
}
END_TEST

START_TEST(rmap_comparison)
{
	json_t *root = vectors_load("rmap-record.json"), *row;
	const struct xfs_btree_kind *k = &xfs_btree_kinds[XFS_BTREE_RMAP];
	size_t i;

	json_array_foreach(vectors_get(root, "compare"), i, row) {
		size_t len;
		uint8_t *a = vectors_hex(vectors_get_str(row, "a"), &len),
			 *b = vectors_hex(vectors_get_str(row, "b"), &len);
		int want = (int)(int64_t)vectors_get_u64(row, "result");
		struct xfs_btree_key ka, kb;

		k->key_get(&ka, a);
		k->key_get(&kb, b);
		ck_assert_int_eq(xfs_btree_key_cmp(&ka, &kb), want);
		ck_assert_int_eq(xfs_btree_kind_cmp(k, &ka, &kb), want);
		/* old kernels left the unwritten bit in keys: it must not matter */
		a[12] |= 0x20;
		k->key_get(&ka, a);
		ck_assert_int_eq(xfs_btree_key_cmp(&ka, &kb), want);
		free(a);
		free(b);
	}
	ck_assert_uint_ge(i, 42);
	json_decref(root);
}
END_TEST

START_TEST(inobt_records)
{
	json_t *root = vectors_load("inobt-record.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		size_t len;
		uint8_t *rec = vectors_hex(vectors_get_str(row, "hex"), &len);
		uint64_t start = vectors_get_u64(row, "startino");

		for (unsigned id = XFS_BTREE_INO; id <= XFS_BTREE_FINO; id++) {
			const struct xfs_btree_kind *k = &xfs_btree_kinds[id];
			struct xfs_btree_key low, high;

			ck_assert_uint_eq(len, k->shape->reclen);
			k->low(&low, rec);
			k->high(&high, rec);
			ck_assert_uint_eq(low.w[0], start);
			ck_assert_uint_eq(high.w[0], start + 63);
			ck_assert_uint_eq(low.w[1] | low.w[2] | high.w[1] | high.w[2], 0);
		}
		free(rec);
	}
	ck_assert_uint_ge(i, 25);
	json_decref(root);
}
END_TEST

START_TEST(bmbt_records)
{
	json_t *root = vectors_load("bmbt-record.json"), *row;
	const struct xfs_btree_kind *k = &xfs_btree_kinds[XFS_BTREE_BMAP];
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		size_t len;
		uint8_t *rec = vectors_hex(vectors_get_str(row, "hex"), &len);
		struct xfs_btree_key low, high;

		k->low(&low, rec);
		k->high(&high, rec);
		ck_assert_uint_eq(low.w[0], vectors_get_u64(row, "startoff"));
		ck_assert_uint_eq(high.w[0], low.w[0] + vectors_get_u64(row, "blockcount") - 1);
		free(rec);
	}
	ck_assert_uint_gt(i, 0);
	json_decref(root);
}
END_TEST

static void free_record(uint8_t *rec, uint32_t start, uint32_t count)
{
	struct xfs_bnobt_rec r = { .startblock = start, .blockcount = count };

	xfs_bnobt_rec_encode(rec, &r);
}

/* Free extents: order by start or by length; both fields are carried in keys. */
START_TEST(free_space_keys)
{
	const struct xfs_btree_kind *bno = &xfs_btree_kinds[XFS_BTREE_BNO], *cnt = &xfs_btree_kinds[XFS_BTREE_CNT];
	uint8_t a[8], b[8], key[8];
	struct xfs_btree_key ka, kb;

	free_record(a, 100, 7);
	free_record(b, 107, 3);
	bno->low(&ka, a);
	bno->low(&kb, b);
	ck_assert_int_lt(xfs_btree_kind_cmp(bno, &ka, &kb), 0);
	bno->key_put(key, &ka);
	ck_assert_mem_eq(key, a, 8);
	ck_assert(bno->mergeable(a, b));
	bno->high(&ka, a);
	ck_assert_uint_eq(ka.w[0], 106);
	cnt->low(&ka, a);
	cnt->low(&kb, b);
	ck_assert_int_gt(xfs_btree_kind_cmp(cnt, &ka, &kb), 0);
	cnt->key_put(key, &ka);
	ck_assert_mem_eq(key, a, 8);
	cnt->key_get(&kb, key);
	ck_assert_int_eq(xfs_btree_key_cmp(&ka, &kb), 0);
	/* a key with another count is the same place in the bnobt */
	ka = (struct xfs_btree_key){ { 100, 0, 0 } };
	bno->low(&kb, a);
	ck_assert_int_eq(xfs_btree_kind_cmp(bno, &ka, &kb), 0);
}
END_TEST

START_TEST(capacities)
{
	json_t *root = vectors_load("btree-capacity.json"), *row, *pair;
	unsigned compared = 0;
	const char *name;
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		uint32_t bs = (uint32_t)vectors_get_u64(row, "blocksize");
		bool v5 = json_is_true(vectors_get(row, "v5"));

		json_object_foreach(vectors_get(row, "leaf_node"), name, pair) {
			const struct xfs_btree_shape *s = kind_named(name)->shape;

			ck_assert_uint_eq(xfs_btree_maxrecs(s, v5, bs, true), vectors_u64(json_array_get(pair, 0)));
			ck_assert_uint_eq(xfs_btree_maxrecs(s, v5, bs, false), vectors_u64(json_array_get(pair, 1)));
			compared++;
		}
	}
	ck_assert_uint_gt(compared, 60);
	json_decref(root);
}
END_TEST

static void compare_size(json_t *row, const char *which, bool worst)
{
	const struct xfs_btree_kind *k = kind_named(vectors_get_str(row, "tree"));
	json_t *want = vectors_get(row, which), *level;
	uint32_t bs = (uint32_t)vectors_get_u64(row, "blocksize");
	uint64_t records = vectors_get_u64(row, "records");
	struct xfs_btree_geometry g;
	unsigned levels;
	size_t i;

	ck_assert_uint_eq(xfs_btree_blocks_for(k, true, bs, records, worst, &levels), vectors_get_u64(want, "blocks"));
	ck_assert_uint_eq(levels, vectors_get_u64(want, "levels"));
	if (worst || k->inode_root)
		return;
	/* full blocks are what the bulk loader makes without slack */
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, k, true, bs, records, 0, 0, 0), 0);
	ck_assert_uint_eq(g.blocks, vectors_get_u64(want, "blocks"));
	ck_assert_uint_eq(g.levels, levels);
	json_array_foreach(vectors_get(want, "blocks_per_level"), i, level)
		ck_assert_uint_eq(g.lev[i].blocks, vectors_u64(level));
}

START_TEST(sizes)
{
	json_t *root = vectors_load("btree-capacity.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "sizes"), i, row) {
		compare_size(row, "full", false);
		compare_size(row, "worst", true);
	}
	ck_assert_uint_ge(i, 200);
	json_decref(root);
}
END_TEST

/* The examples of format sheet 02, section 10.10. */
START_TEST(bulk_geometry)
{
	const struct xfs_btree_kind *bmbt = &xfs_btree_kinds[XFS_BTREE_BMAP],
				     *rmapbt = &xfs_btree_kinds[XFS_BTREE_RMAP];
	struct xfs_btree_geometry g;

	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_REFC], true, 1024, 12001, -1, -1, 0),
			 0);
	ck_assert_uint_eq(g.levels, 3);
	ck_assert_uint_eq(g.blocks, 203);
	ck_assert_uint_eq(g.lev[0].blocks, 200);
	ck_assert_uint_eq(g.lev[0].per, 60);
	ck_assert_uint_eq(g.lev[0].extra, 1);
	ck_assert_uint_eq(g.lev[1].blocks, 2);
	ck_assert_uint_eq(g.lev[1].per, 100);
	ck_assert_uint_eq(g.lev[1].extra, 0);
	ck_assert_uint_eq(g.lev[2].blocks, 1);
	ck_assert_uint_eq(g.lev[2].per, 2);
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, rmapbt, true, 4096, 10000, -1, -1, 0), 0);
	ck_assert_uint_eq(g.levels, 2);
	ck_assert_uint_eq(g.blocks, 80);
	ck_assert_uint_eq(g.lev[0].blocks, 79);
	ck_assert_uint_eq(g.lev[0].per, 126);
	ck_assert_uint_eq(g.lev[0].extra, 46);
	ck_assert_uint_eq(g.lev[1].per, 79);
	/* empty AG tree: one empty leaf */
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_REFC], true, 4096, 0, -1, -1, 0), 0);
	ck_assert_uint_eq(g.levels, 1);
	ck_assert_uint_eq(g.blocks, 1);
	/* root of a bmbt in 192 bytes of fork: 11 entries, so 12 leaves need another level (section 1.5) */
	ck_assert_uint_eq(xfs_btree_inline_max(&xfs_btree_kinds[XFS_BTREE_BMAP], 192, false), 11);
	/* of an rtrefcountbt as many, though its entries are smaller; records fill it */
	ck_assert_uint_eq(xfs_btree_inline_max(&xfs_btree_kinds[XFS_BTREE_RTREFC], 192, false), 11);
	ck_assert_uint_eq(xfs_btree_inline_max(&xfs_btree_kinds[XFS_BTREE_RTREFC], 192, true), 15);
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, bmbt, true, 4096, 11 * 251, 0, 0, 192), 0);
	ck_assert_uint_eq(g.levels, 2);
	ck_assert_uint_eq(g.blocks, 11);
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, bmbt, true, 4096, 11 * 251 + 1, 0, 0, 192), 0);
	ck_assert_uint_eq(g.levels, 3);
	ck_assert_uint_eq(g.blocks, 13);
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, bmbt, true, 4096, 0, 0, 0, 192), -XFS_E_INVALID);
	/* a realtime tree may lie in the fork altogether */
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_RTRMAP], true, 4096, 13, -1, -1, 336),
			 0);
	ck_assert_uint_eq(g.levels, 1);
	ck_assert_uint_eq(g.blocks, 0);
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_RTRMAP], true, 4096, 14, -1, -1, 336),
			 0);
	ck_assert_uint_eq(g.levels, 2);
	ck_assert_uint_eq(g.blocks, 1);
	/* no V4 form */
	ck_assert_int_eq(xfs_btree_bulk_geometry(&g, rmapbt, false, 4096, 1, -1, -1, 0), -XFS_E_INVALID);
}
END_TEST

static struct xfs_btree instance_of(json_t *row, const uint8_t *uuid)
{
	struct xfs_btree bt = { .kind = kind_named(vectors_get_str(row, "kind")) };

	bt.blocksize = (uint32_t)vectors_get_u64(row, "blocksize");
	bt.v5 = json_is_true(vectors_get(row, "v5"));
	bt.uuid = uuid;
	bt.owner = vectors_get_u64(row, bt.kind->inode_root ? "owner_inode" : "agno");
	bt.levels = XFS_BTREE_MAXLEVELS;
	return bt;
}

/* Bytes of the entry as the vector's decoded fields give them. */
static uint64_t rmap_offset_word(json_t *row)
{
	uint64_t w = vectors_get_u64(row, "offset");
	json_t *unwritten = json_object_get(row, "unwritten");

	return w | (json_is_true(vectors_get(row, "attr")) ? XFS_RMAP_ATTR : 0) |
	       (json_is_true(vectors_get(row, "bmbt")) ? XFS_RMAP_BMBT : 0) |
	       (json_is_true(unwritten) ? XFS_RMAP_UNWRITTEN : 0);
}

static struct xfs_btree_key key_of(const struct xfs_btree_kind *k, json_t *row)
{
	if (k->overlapping)
		return (struct xfs_btree_key){ { vectors_get_u64(row, "start"), vectors_get_u64(row, "owner"),
						 rmap_offset_word(row) & ~XFS_RMAP_UNWRITTEN } };
	switch (k->id) {
	case XFS_BTREE_BNO:
		return (struct xfs_btree_key){ { vectors_get_u64(row, "startblock"), vectors_get_u64(row, "blockcount"),
						 0 } };
	case XFS_BTREE_CNT:
		return (struct xfs_btree_key){ { vectors_get_u64(row, "blockcount"), vectors_get_u64(row, "startblock"),
						 0 } };
	case XFS_BTREE_INO:
	case XFS_BTREE_FINO:
		return (struct xfs_btree_key){ { vectors_get_u64(row, "startino"), 0, 0 } };
	case XFS_BTREE_REFC:
		return (struct xfs_btree_key){ { vectors_get_u64(row, "start") |
			(json_is_true(vectors_get(row, "cow")) ? XFS_REFC_COW : 0), 0, 0 } };
	default:
		return (struct xfs_btree_key){ { vectors_get_u64(row, "startoff"), 0, 0 } };
	}
}

static void compare_entries(const struct xfs_btree *bt, const struct xfs_btree_view *v, unsigned level, json_t *fields)
{
	json_t *list = vectors_get(fields, level ? "keys" : "records"), *row;
	struct xfs_btree_key got, want;
	size_t i;

	ck_assert_uint_eq(json_array_size(list), v->n);
	json_array_foreach(list, i, row) {
		xfs_btree_view_low(bt, v, level, (uint32_t)i, &got);
		if (!json_is_object(row))	/* keys of one field */
			want = (struct xfs_btree_key){ { vectors_u64(row), 0, 0 } };
		else
			want = key_of(bt->kind, level && bt->kind->overlapping ? vectors_get(row, "low") : row);
		ck_assert_int_eq(xfs_btree_key_cmp(&got, &want), 0);
		if (!level)
			continue;
		ck_assert_uint_eq(xfs_btree_view_ptr(bt, v, (uint32_t)i),
				  vectors_u64(json_array_get(vectors_get(fields, "ptrs"), i)));
		if (bt->kind->overlapping) {
			xfs_btree_view_high(bt, v, level, (uint32_t)i, &got);
			want = key_of(bt->kind, vectors_get(row, "high"));
			ck_assert_int_eq(xfs_btree_key_cmp(&got, &want), 0);
		}
	}
}

/* Blocks of real images: header, entries, pointers and crc; every check passes, and fails on a changed header. */
START_TEST(real_blocks)
{
	json_t *root = vectors_load("btree-blocks.json"), *row;
	unsigned nodes = 0;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		json_t *fields = vectors_get(row, "fields"), *head = vectors_get(fields, "header");
		unsigned level = (unsigned)vectors_get_u64(head, "level");
		uint8_t *uuid = NULL, *data;
		uint64_t ptr;
		struct xfs_btree_view v;
		struct xfs_btree bt;
		size_t len;

		if (json_is_true(vectors_get(row, "v5")))
			uuid = vectors_hex(vectors_get_str(head, "uuid"), &len);
		data = vectors_sample(row, &len);
		bt = instance_of(row, uuid);
		if (vectors_get_u64(head, "numrecs") == 0)
			bt.levels = 1;
		ptr = vectors_get_u64(row, bt.kind->inode_root ? "fsbno" : "agbno");
		ck_assert_msg(xfs_btree_check_block(&bt, ptr, level, data, NULL) == 0, "%s",
			      vectors_get_str(row, "name"));
		ck_assert(!bt.v5 || xfs_crc32c_check(data, len, xfs_btree_crc_off(bt.kind->shape)));
		xfs_btree_view_make(&bt, ptr, data, &v);
		if (level) {
			ck_assert_uint_eq((size_t)(v.ptrs - data), vectors_get_u64(fields, "ptr_offset"));
			nodes++;
		}
		compare_entries(&bt, &v, level, fields);
		ck_assert_int_eq(xfs_btree_check_block(&bt, ptr, level + 1, data, NULL), -XFS_E_CORRUPT);
		bt.owner++;
		ck_assert_int_eq(xfs_btree_check_block(&bt, ptr, level, data, NULL), bt.v5 ? -XFS_E_CORRUPT : 0);
		data[0] ^= 1;
		ck_assert_int_eq(xfs_btree_check_block(&bt, ptr, level, data, NULL), -XFS_E_BADMAGIC);
		free(data);
		free(uuid);
	}
	ck_assert_uint_ge(i, 52);
	ck_assert_uint_ge(nodes, 10);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("btree_kinds");
	TCase *t = tcase_create("vectors");

	tcase_add_test(t, table_is_consistent);
	tcase_add_test(t, rmap_records);
	tcase_add_test(t, refcount_records);
	tcase_add_test(t, rmap_comparison);
	tcase_add_test(t, inobt_records);
	tcase_add_test(t, bmbt_records);
	tcase_add_test(t, free_space_keys);
	tcase_add_test(t, capacities);
	tcase_add_test(t, sizes);
	tcase_add_test(t, bulk_geometry);
	tcase_add_test(t, real_blocks);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
