/* SPDX-License-Identifier: BSD-2-Clause */
/* test_repair_links.c - tapes, and links by inodes on one: few that stay in memory, many that lie in a file. */
#include "repair/names_links.h"
#include "repair/tape.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include "libxfs/base/errors.h"

#include <stdlib.h>
#include <string.h>

#define LEAST ((size_t)64 << 10)	/* of a sorter: it spills beyond that */

static const unsigned amounts[] = { 0, 1, 100, 30000 };

static size_t piece_len(unsigned k)
{
	return k % 97 == 0 ? 0 : k % 1009 == 1 ? TAPE_MOST : 1 + k * 7 % 300;
}

static void make_piece(unsigned k, uint8_t *bytes)
{
	for (size_t i = 0; i < piece_len(k); i++)
		bytes[i] = (uint8_t)(k + i * 31);
}

START_TEST(tapes_read_what_was_written)
{
	unsigned n = amounts[_i];
	uint64_t *at = calloc(n + 1, sizeof(*at));
	uint8_t bytes[TAPE_MOST + 1] = { 0 };
	const uint8_t *got;
	struct tape t = { 0 };

	qk_assert(at != NULL);
	for (unsigned k = 0; k < n; k++) {
		make_piece(k, bytes);
		qk_assert_int_eq(tape_add(&t, bytes, piece_len(k), &at[k]), 0);
	}
	qk_assert_int_eq(tape_add(&t, bytes, TAPE_MOST + 1, &at[n]), -XFS_E_INTERNAL);
	/* in order, from the end, and here and there */
	for (unsigned i = 0; i < 3 * n; i++) {
		unsigned k = i < n ? i : i < 2 * n ? 2 * n - 1 - i : (unsigned)(i * UINT64_C(7919) % n);

		make_piece(k, bytes);
		qk_assert_int_eq(tape_read(&t, at[k], piece_len(k), &got), 0);
		qk_assert_mem_eq(got, bytes, piece_len(k));
	}
	if (n > 1) {
		qk_assert_int_eq(tape_read(&t, at[n - 1] + piece_len(n - 1), 1, &got), -XFS_E_INTERNAL);
		qk_assert_int_eq(tape_add(&t, bytes, 1, &at[n]), -XFS_E_INTERNAL);
	}
	tape_release(&t);
	qk_assert(!t.window && !t.end);
	free(at);
}
END_TEST

static void make_link(unsigned n, unsigned k, struct names_link *l)
{
	/* three links to an inode, far from each other */
	*l = (struct names_link){ .ino = 128 + (uint64_t)k * 7 % (n / 3 + 1), .dir = UINT64_C(1) << 40 | k, .gen = ~k,
				  .namelen = (uint8_t)(1 + k % XFS_DIR_NAME_MAX) };
	for (unsigned i = 0; i < l->namelen; i++)
		l->name[i] = (uint8_t)(k * 5 + i);
}

START_TEST(links_come_by_inodes)
{
	unsigned n = amounts[_i], seen;
	struct names_link last = { 0 }, got, want;
	struct names_links *l;
	bool more;

	qk_assert_int_eq(names_links_new(&l, LEAST), 0);
	for (unsigned k = 0; k < n; k++) {
		make_link(n, k, &got);
		qk_assert_int_eq(names_links_add(l, &got), 0);
	}
	for (unsigned round = 0; round < 2; round++) {
		qk_assert_int_eq(names_links_rewind(l), 0);
		for (seen = 0; ; seen++) {
			qk_assert_int_eq(names_links_next(l, &got, &more), 0);
			if (!more)
				break;
			make_link(n, (unsigned)got.dir, &want);
			qk_assert(got.ino == want.ino && got.dir == want.dir && got.gen == want.gen);
			qk_assert_uint_eq(got.namelen, want.namelen);
			qk_assert_mem_eq(got.name, want.name, want.namelen);
			qk_assert(!seen || got.ino > last.ino || (got.ino == last.ino && got.dir > last.dir));
			last = got;
		}
		qk_assert_uint_eq(seen, n);
	}
	names_links_free(l);
	names_links_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_links");
	TCase *t = tcase_create("repair_links");

	tcase_add_loop_test(t, tapes_read_what_was_written, 0, 4);
	tcase_add_loop_test(t, links_come_by_inodes, 0, 4);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
