/* SPDX-License-Identifier: BSD-2-Clause */
/* test_search.c - binary search: against a look at each, with values that stand there often and not at all. */
#include "libxfs/base/search.h"
#include "tests/unit/vectors.h"

#include <stdint.h>

static size_t look_at_each(const unsigned *list, size_t n, unsigned value)
{
	size_t i = 0;

	while (i < n && list[i] < value)
		i++;
	return i;
}

START_TEST(like_a_look_at_each)
{
	unsigned list[40];

	for (unsigned step = 0; step < 4; step++) {
		/* 1 1 1 ..., 1 2 3 ..., 1 3 5 ..., each value twice for the last */
		for (unsigned i = 0; i < 40; i++)
			list[i] = step == 3 ? 1 + i / 2 * 2 : 1 + i * step;
		for (size_t n = 0; n <= 40; n++)
			for (unsigned value = 0; value < 85; value++)
				ck_assert_uint_eq(xfs_search(n, i, list[i] < value), look_at_each(list, n, value));
	}
}
END_TEST

/* No index is asked for that is not there, and few are asked for at all; ends that no array has. */
START_TEST(asks_little)
{
	static const size_t sizes[] = { 0, 1, 2, 1000, SIZE_MAX };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		size_t n = sizes[k], asked = 0, outside = 0, at;

		at = xfs_search(n, i, (asked++, outside += i >= n, 1));
		ck_assert_uint_eq(at, n);
		at = xfs_search(n, i, (asked++, outside += i >= n, 0));
		ck_assert_uint_eq(at, 0);
		at = xfs_search(n, i, (asked++, outside += i >= n, i < n / 3));
		ck_assert_uint_eq(at, n / 3);
		ck_assert_uint_eq(outside, 0);
		ck_assert_uint_le(asked, 3 * 8 * sizeof(size_t));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("search");
	TCase *t = tcase_create("search");

	tcase_add_test(t, like_a_look_at_each);
	tcase_add_test(t, asks_little);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
