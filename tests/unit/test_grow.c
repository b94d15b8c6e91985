/* SPDX-License-Identifier: BSD-2-Clause */
/* test_grow.c - arrays that grow: what they hold stays, also where there is no room. */
#include "libxfs/base/errors.h"
#include "libxfs/base/grow.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/vectors.h"

#include <stdint.h>
#include <stdlib.h>

struct odd {			/* of a size that is no power of two */
	uint32_t a, b, c;
};

START_TEST(one_by_one)
{
	struct odd *list = NULL;
	size_t n = 0, room = 0, before = 0;
	unsigned grown = 0;

	while (n < 1000) {
		ck_assert_int_eq(xfs_grow(&list, n, &room, 3), 0);
		ck_assert_uint_gt(room, n);
		ck_assert_uint_eq(room, before == room ? room : before ? 2 * before : 3);
		grown += room != before;
		before = room;
		list[n] = (struct odd){ (uint32_t)n, (uint32_t)(2 * n), (uint32_t)(3 * n) };
		n++;
	}
	for (size_t i = 0; i < n; i++)
		ck_assert(list[i].a == i && list[i].b == 2 * i && list[i].c == 3 * i);
	/* 3 * 2^9 >= 1000 */
	ck_assert_uint_eq(grown, 10);
	free(list);
}
END_TEST

START_TEST(many_at_once)
{
	uint64_t *list = NULL;
	size_t room = 0;

	ck_assert_int_eq(xfs_grow_to(&list, &room, 0, sizeof(*list)), 0);
	ck_assert_ptr_null(list);
	for (size_t need = 1; need < 5000; need += need / 3 + 1) {
		size_t had = room;

		ck_assert_int_eq(xfs_grow_to(&list, &room, need, sizeof(*list)), 0);
		ck_assert_uint_ge(room, need);
		ck_assert(need > had || room == had);
		list[need - 1] = need;
		ck_assert_uint_eq(list[0], 1);
	}
	free(list);
}
END_TEST

/* Sizes that wrap around, and memory that is not there: the array is as it was. */
START_TEST(no_room)
{
	uint64_t *list = NULL, *was;
	size_t room = 0, huge = SIZE_MAX / 2 + 1;
	int there, one, more;

	ck_assert_int_eq(xfs_grow(&list, 0, &room, SIZE_MAX / 4), -XFS_E_NOMEM);
	ck_assert_int_eq(xfs_grow(&list, huge, &huge, 1), -XFS_E_NOMEM);
	ck_assert_uint_eq(huge, SIZE_MAX / 2 + 1);
	ck_assert_int_eq(xfs_grow_to(&list, &room, SIZE_MAX, 1), -XFS_E_NOMEM);
	ck_assert_int_eq(xfs_grow_to(&list, &room, SIZE_MAX / 8, sizeof(*list)), -XFS_E_NOMEM);
	ck_assert_ptr_null(list);
	ck_assert_uint_eq(room, 0);
	ck_assert_int_eq(xfs_grow(&list, 0, &room, 4), 0);
	was = list;
	list[3] = 7;
	failmalloc_start(1, true);
	there = xfs_grow(&list, 3, &room, 4);
	one = xfs_grow(&list, 4, &room, 4);
	more = xfs_grow_to(&list, &room, 5, sizeof(*list));
	ck_assert_uint_eq(failmalloc_stop(), 2);
	ck_assert_int_eq(there, 0);
	ck_assert_int_eq(one, -XFS_E_NOMEM);
	ck_assert_int_eq(more, -XFS_E_NOMEM);
	ck_assert_uint_eq(room, 4);
	ck_assert_ptr_eq(list, was);
	ck_assert_uint_eq(list[3], 7);
	free(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grow");
	TCase *t = tcase_create("grow");

	tcase_add_test(t, one_by_one);
	tcase_add_test(t, many_at_once);
	tcase_add_test(t, no_room);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
