/* SPDX-License-Identifier: BSD-2-Clause */
/* test_crc32c.c - CRC32C: vectors, both paths against each other, chaining, metadata blocks, single flipped bits. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/base/crc32c_tables.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

static uint32_t bitwise(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

static uint8_t *pattern_make(const char *name, size_t len)
{
	uint8_t *p = malloc(len + 1);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < len; i++) {
		if (!strcmp(name, "zero"))
			p[i] = 0;
		else if (!strcmp(name, "ff"))
			p[i] = 0xff;
		else if (!strcmp(name, "count"))
			p[i] = (uint8_t)i;
		else if (!strcmp(name, "down"))
			p[i] = (uint8_t)(len - 1 - i);
		else if (!strcmp(name, "x31"))
			p[i] = (uint8_t)(7 * i * i + 31 * i + 5);
		else
			ck_abort_msg("unknown pattern %s", name);
	}
	return p;
}

static void both_paths(const uint8_t *p, size_t len, uint32_t want)
{
	ck_assert_uint_eq(~xfs_crc32c(XFS_CRC32C_SEED, p, len), want);
	ck_assert_uint_eq(~xfs_crc32c_portable(XFS_CRC32C_SEED, p, len), want);
}

START_TEST(patterns)
{
	json_t *root = vectors_load("crc32c.json"), *row;
	size_t i, len;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		len = vectors_get_u64(row, "length");
		uint8_t *p = pattern_make(vectors_get_str(row, "pattern"), len);

		both_paths(p, len, (uint32_t)vectors_get_u64(row, "crc"));
		free(p);
	}
	ck_assert_uint_gt(i, 100);
	json_array_foreach(vectors_get(root, "strings"), i, row) {
		uint8_t *p = vectors_hex(vectors_get_str(row, "hex"), &len);

		both_paths(p, len, (uint32_t)vectors_get_u64(row, "crc"));
		free(p);
	}
	ck_assert_uint_gt(i, 4);
	json_decref(root);
}
END_TEST

/* the sample of that name in a vector file */
static json_t *sample_find(json_t *root, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row)
		if (!strcmp(vectors_get_str(row, "name"), name))
			return row;
	return NULL;
}

START_TEST(metadata_blocks)
{
	json_t *root = vectors_load("crc32c.json"), *row;
	size_t i, len;

	json_array_foreach(vectors_get(root, "metadata"), i, row) {
		json_t *file = vectors_load(vectors_get_str(row, "file"));
		json_t *sample = sample_find(file, vectors_get_str(row, "name"));
		size_t off = vectors_get_u64(row, "crc_offset");
		uint8_t *p, was[4];

		ck_assert_msg(sample != NULL, "%s lacks %s", vectors_get_str(row, "file"),
			      vectors_get_str(row, "name"));
		p = vectors_sample(sample, &len);
		ck_assert_uint_eq(len, vectors_get_u64(row, "length"));
		ck_assert_uint_eq(xfs_crc32c_block(p, len, off), vectors_get_u64(row, "crc"));
		ck_assert(xfs_crc32c_check(p, len, off));
		memcpy(was, p + off, 4);
		memset(p + off, 0x5a, 4);
		ck_assert(!xfs_crc32c_check(p, len, off));
		xfs_crc32c_store(p, len, off);
		ck_assert_mem_eq(p + off, was, 4);
		free(p);
		json_decref(file);
	}
	ck_assert_uint_gt(i, 100);
	json_decref(root);
}
END_TEST

/* every length and alignment around the places where the paths change, against the definition */
START_TEST(lengths_and_alignments)
{
	uint8_t *p = malloc(20000);

	ck_assert_ptr_nonnull(p);
	srand(7);
	for (size_t i = 0; i < 20000; i++)
		p[i] = (uint8_t)rand();
	for (size_t len = 0; len < 700; len++)
		for (size_t at = 0; at < 9; at++) {
			uint32_t want = bitwise(0x12345678u + (uint32_t)len, p + at, len);

			ck_assert(xfs_crc32c(0x12345678u + (uint32_t)len, p + at, len) == want &&
				  xfs_crc32c_portable(0x12345678u + (uint32_t)len, p + at, len) == want);
		}
	for (size_t len = 4000; len < 18000; len += 7)
		ck_assert_uint_eq(xfs_crc32c(1, p + len % 8, len), bitwise(1, p + len % 8, len));
	for (size_t cut = 0; cut <= 9000; cut += 13) {
		uint32_t head = xfs_crc32c(XFS_CRC32C_SEED, p, cut);

		ck_assert_uint_eq(xfs_crc32c(head, p + cut, 9000 - cut), bitwise(XFS_CRC32C_SEED, p, 9000));
	}
	free(p);
}
END_TEST

START_TEST(constants)
{
#define ROW_(...) __VA_ARGS__,
	static const uint32_t powers[64] = { XFS_CRC_ROWS(ROW_) };
	uint32_t v = 1u << 31;

	for (unsigned power = 0; power <= 64 * XFS_CRC_FOLD_MAX - 33; power++) {
		if (power >= 32 && power < 96)
			ck_assert_uint_eq(powers[power - 32], v);
		if ((power + 33) % 64 == 0)
			ck_assert_uint_eq(xfs_crc_folds[(power + 33) / 64 - 1], v);
		v = v >> 1 ^ (v & 1 ? 0x82f63b78u : 0);
	}
}
END_TEST

START_TEST(flipped_bits)
{
	static const size_t sizes[] = { 512, 1024, 4096, 65536 }, offs[] = { 4, 12, 56, 216, 508 };
	uint8_t *p = malloc(65536);

	ck_assert_ptr_nonnull(p);
	srand(11);
	for (size_t s = 0; s < 4; s++)
		for (size_t o = 0; o < 5; o++) {
			size_t len = sizes[s], byte = 0;
			unsigned bit = 0;

			for (size_t i = 0; i < len; i++)
				p[i] = (uint8_t)rand();
			xfs_crc32c_store(p, len, offs[o]);
			ck_assert(!xfs_crc32c_find_flip(p, len, offs[o], &byte, &bit));
			for (size_t n = 0; n < 40; n++) {
				/* first and last byte, each byte of the field, then any */
				size_t at = n == 0 ? 0 : n == 1 ? len - 1 :
					    n < 6 ? offs[o] + n - 2 : (size_t)rand() % len;
				unsigned b = n < 6 ? (unsigned)n + 1 : (unsigned)rand() % 8;

				p[at] ^= (uint8_t)(1u << b);
				ck_assert(xfs_crc32c_find_flip(p, len, offs[o], &byte, &bit));
				ck_assert_uint_eq(byte, at);
				ck_assert_uint_eq(bit, b);
				/* a second one nearby: not explained by a single flip */
				p[at ^ 1] ^= 0x10;
				ck_assert(!xfs_crc32c_find_flip(p, len, offs[o], &byte, &bit));
				p[at ^ 1] ^= 0x10;
				p[at] ^= (uint8_t)(1u << b);
			}
		}
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crc32c");
	TCase *t = tcase_create("crc32c");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, patterns);
	tcase_add_test(t, metadata_blocks);
	tcase_add_test(t, lengths_and_alignments);
	tcase_add_test(t, constants);
	tcase_add_test(t, flipped_bits);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
