/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sets.c - bitmap and extents against an array of bytes. */
#include "libxfs/base/bitmap.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/extents.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

#define N 700u

static uint64_t pick(uint64_t below)
{
	return (uint64_t)rand() % below;
}

/* a range in [0, N), often short, sometimes a word or more */
static void range_pick(uint64_t *start, uint64_t *len)
{
	*start = pick(N);
	*len = pick(4) ? pick(9) : pick(200);
	if (*len > N - *start)
		*len = N - *start;
}

static void bitmap_compare(const struct xfs_bitmap *b, const uint8_t *model)
{
	uint64_t start, len, s, n, sum = 0, at;
	unsigned wrong = 0;	/* counted, as each ck_assert() writes to a file */

	for (uint64_t i = 0; i < N; i++)
		wrong += xfs_bitmap_get(b, i) != model[i];
	range_pick(&start, &len);
	for (uint64_t i = start; i < start + len; i++)
		sum += model[i];
	ck_assert_uint_eq(xfs_bitmap_count(b, start, len), sum);
	for (int value = 0; value < 2; value++) {
		for (at = start; at < N && model[at] != value; at++)
			;
		ck_assert_uint_eq(xfs_bitmap_next(b, start, value), at);
		for (at = 0, sum = 0; xfs_bitmap_run(b, at, value, &s, &n); at = s + n) {
			wrong += n == 0 || s < at || s + n > N;
			for (uint64_t i = s; i < s + n; i++)
				wrong += model[i] != value;
			wrong += s + n != N && model[s + n] == value;
			sum += n;
		}
		ck_assert_uint_eq(sum, value ? xfs_bitmap_count(b, 0, N) : N - xfs_bitmap_count(b, 0, N));
	}
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(bitmaps)
{
	struct xfs_bitmap b;
	uint8_t model[N] = { 0 };
	uint64_t start, len;

	srand(1);
	ck_assert_int_eq(xfs_bitmap_create(&b, N), 0);
	for (unsigned round = 0; round < 2000; round++) {
		int value = (int)pick(2);

		range_pick(&start, &len);
		memset(model + start, value, len);
		(value ? xfs_bitmap_set : xfs_bitmap_clear)(&b, start, len);
		bitmap_compare(&b, model);
	}
	xfs_bitmap_set(&b, 0, UINT64_MAX);
	ck_assert_uint_eq(xfs_bitmap_count(&b, 0, UINT64_MAX), N);
	ck_assert(!xfs_bitmap_get(&b, N));
	xfs_bitmap_set(&b, N, 1);
	ck_assert_uint_eq(xfs_bitmap_next(&b, 0, false), N);
	xfs_bitmap_free(&b);
	ck_assert_int_eq(xfs_bitmap_create(&b, 0), 0);
	ck_assert_uint_eq(xfs_bitmap_next(&b, 0, true), 0);
	xfs_bitmap_free(&b);
}
END_TEST

/* the runs are exactly those of the model, and searches agree */
static void extents_compare(const struct xfs_extents *x, const uint8_t *model)
{
	uint64_t at = 0, total = 0, pos = pick(N);
	unsigned wrong = 0;
	struct xfs_extent gap;
	size_t i, found;

	for (i = 0; i < x->n; i++) {
		wrong += x->e[i].len == 0 || (i > 0 && x->e[i].start <= at);
		for (; at < x->e[i].start; at++)
			wrong += model[at] != 0;
		for (; at < x->e[i].start + x->e[i].len; at++)
			wrong += model[at] != 1;
		total += x->e[i].len;
	}
	for (; at < N; at++)
		wrong += model[at] != 0;
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(xfs_extents_total(x), total);
	for (found = 0; found < x->n && x->e[found].start + x->e[found].len <= pos; found++)
		;
	ck_assert_uint_eq(xfs_extents_find(x, pos), found);
	for (at = pos; at < N && model[at]; at++)
		;
	ck_assert_int_eq(xfs_extents_next_gap(x, pos, N, &gap), at < N);
	if (at < N) {
		ck_assert_uint_eq(gap.start, at);
		for (; at < N && !model[at]; at++)
			;
		ck_assert_uint_eq(gap.start + gap.len, at);
	}
}

static void allocate_compare(struct xfs_extents *x, uint8_t *model)
{
	uint64_t from = pick(N), len = 1 + pick(12), align = pick(2) ? 1 + pick(8) : 0, got = 0, want;
	int err = xfs_extents_allocate(x, from, len, align, &got);

	for (want = from; want + len <= N; want++)
		if ((align < 2 || want % align == 0) && !memchr(model + want, 0, len))
			break;
	if (want + len > N) {
		ck_assert_int_eq(err, -XFS_E_NOSPC);
		return;
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(got, want);
	memset(model + got, 0, len);
}

START_TEST(extents)
{
	struct xfs_extents x = { 0 };
	uint8_t model[N] = { 0 };
	uint64_t start, len;

	srand(2);
	for (unsigned round = 0; round < 20000; round++) {
		bool any, all;

		range_pick(&start, &len);
		any = len && memchr(model + start, 1, len);
		all = !len || !memchr(model + start, 0, len);
		ck_assert_int_eq(xfs_extents_meets(&x, start, len), any);
		ck_assert_int_eq(xfs_extents_contains(&x, start, len), all);
		switch (pick(6)) {
		case 0:
			ck_assert_int_eq(xfs_extents_insert(&x, start, len), any ? -XFS_E_OVERLAP : 0);
			if (!any)
				memset(model + start, 1, len);
			break;
		case 1:
		case 2:
			ck_assert_int_eq(xfs_extents_add(&x, start, len), 0);
			memset(model + start, 1, len);
			break;
		case 3:
			ck_assert_int_eq(xfs_extents_carve(&x, start, len), all ? 0 : -XFS_E_NOENT);
			if (all)
				memset(model + start, 0, len);
			break;
		case 4:
			ck_assert_int_eq(xfs_extents_remove(&x, start, len), 0);
			memset(model + start, 0, len);
			break;
		default:
			allocate_compare(&x, model);
		}
		extents_compare(&x, model);
	}
	xfs_extents_free(&x);
}
END_TEST

START_TEST(extents_limits)
{
	struct xfs_extents x = { 0 };
	struct xfs_extent gap;
	uint64_t at;

	ck_assert_int_eq(xfs_extents_add(&x, 2, UINT64_MAX - 1), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_extents_insert(&x, UINT64_MAX, 1), -XFS_E_INVALID);
	ck_assert_int_eq(xfs_extents_add(&x, 1, UINT64_MAX - 1), 0);
	ck_assert_uint_eq(x.n, 1);
	ck_assert_int_eq(xfs_extents_allocate(&x, UINT64_MAX - 5, 3, 0, &at), 0);
	ck_assert_uint_eq(at, UINT64_MAX - 5);
	ck_assert_int_eq(xfs_extents_allocate(&x, UINT64_MAX - 5, 3, 0, &at), -XFS_E_NOSPC);
	ck_assert_int_eq(xfs_extents_allocate(&x, 0, 0, 0, &at), -XFS_E_INVALID);
	/* the only aligned place in that run is 2^63 */
	ck_assert_int_eq(xfs_extents_allocate(&x, 5, 1, UINT64_C(1) << 63, &at), 0);
	ck_assert_uint_eq(at, UINT64_C(1) << 63);
	ck_assert_int_eq(xfs_extents_allocate(&x, 5, 1, UINT64_C(1) << 63, &at), -XFS_E_NOSPC);
	ck_assert(xfs_extents_next_gap(&x, 0, 1, &gap));
	ck_assert(!xfs_extents_next_gap(&x, 1, 100, &gap));
	ck_assert(!xfs_extents_next_gap(&x, 7, 7, &gap));
	xfs_extents_free(&x);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sets");
	TCase *t = tcase_create("sets");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, bitmaps);
	tcase_add_test(t, extents);
	tcase_add_test(t, extents_limits);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
