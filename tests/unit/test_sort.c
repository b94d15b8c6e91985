/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sort.c - sorting in memory and with spill: against qsort(), stable, out of memory and disk. */
#include "libxfs/base/errors.h"
#include "libxfs/base/sort.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/vectors.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Records of the specs below carry their number of arrival in the first four bytes that are no key. */
static const struct xfs_sort_spec specs[] = {
	{ 12, 1, { 4 } },
	{ 16, 1, { 8 } },
	{ 24, 2, { 16, 8 } },
	{ 31, 3, { 23, 7, 15 } },
	{ 32, 3, { 8, 16, 24 } },
	{ 40, 3, { 32, 8, 16 } },
	{ 48, 2, { 40, 24 } },
	{ 100, 3, { 92, 4, 50 } },
	{ 20, 2, { 12, 10 } },		/* words that overlap */
};

static const struct xfs_sort_spec *reference_spec;

static int reference_order(const void *a, const void *b)
{
	uint32_t x, y;

	for (unsigned i = 0; i < reference_spec->words; i++) {
		uint64_t v, w;

		memcpy(&v, (const char *)a + reference_spec->word_off[i], 8);
		memcpy(&w, (const char *)b + reference_spec->word_off[i], 8);
		if (v != w)
			return v < w ? -1 : 1;
	}
	memcpy(&x, a, 4);
	memcpy(&y, b, 4);
	return x < y ? -1 : x > y;
}

static uint64_t noise(void)
{
	return (uint64_t)(unsigned)rand() << 48 ^ (uint64_t)(unsigned)rand() << 24 ^ (uint64_t)(unsigned)rand();
}

enum shape { RANDOM, FEW, NARROW, HIGH, SORTED, REVERSE, NEARLY, EQUAL, SHAPES };

static uint64_t value_of(enum shape shape, size_t i, size_t n)
{
	switch (shape) {
	case RANDOM:
		return noise();
	case FEW:
		return noise() % 3 * UINT64_C(0x8000000000000001);
	case NARROW:
		return noise() % 1000 + 5000000;
	case HIGH:
		return noise() << 53 | 7;
	case SORTED:
		return i / 3;
	case REVERSE:
		return n - i;
	case NEARLY:
		return i ^ (noise() % 50 == 0 ? 64 : 0);
	default:
		return 42;
	}
}

static uint8_t *records_make(const struct xfs_sort_spec *spec, enum shape shape, size_t n)
{
	uint8_t *all = malloc(n * spec->size + 1);

	ck_assert_ptr_nonnull(all);
	for (size_t i = 0; i < n; i++) {
		uint8_t *r = all + i * spec->size;
		uint32_t number = (uint32_t)i;

		memset(r, 0xa5, spec->size);
		for (unsigned w = 0; w < spec->words; w++) {
			uint64_t v = value_of(w ? (enum shape)(noise() % SHAPES) : shape, i, n);

			memcpy(r + spec->word_off[w], &v, 8);
		}
		memcpy(r, &number, 4);
	}
	return all;
}

static uint8_t *reference_make(const struct xfs_sort_spec *spec, const uint8_t *all, size_t n)
{
	uint8_t *copy = malloc(n * spec->size + 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, all, n * spec->size);
	reference_spec = spec;
	qsort(copy, n, spec->size, reference_order);
	return copy;
}

START_TEST(in_memory)
{
	static const size_t sizes[] = { 0, 1, 2, 23, 24, 25, 300, 5000, 20000 };

	srand(3);
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++)
		for (int shape = 0; shape < SHAPES; shape++)
			for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
				size_t n = sizes[k];
				uint8_t *all = records_make(&specs[s], (enum shape)shape, n);
				uint8_t *want = reference_make(&specs[s], all, n);

				ck_assert_int_eq(xfs_sort(&specs[s], all, n), 0);
				ck_assert_msg(!memcmp(all, want, n * specs[s].size), "spec %zu shape %d n %zu", s,
					      shape, n);
				free(all);
				free(want);
			}
}
END_TEST

/* Adds in pieces of odd sizes, reads back twice. */
static void spill_run(const struct xfs_sort_spec *spec, enum shape shape, size_t n, size_t memory)
{
	uint8_t *all = records_make(spec, shape, n), *want = reference_make(spec, all, n);
	struct xfs_sorter *s = NULL;
	const void *r;

	ck_assert_int_eq(xfs_sorter_create(&s, spec, memory, NULL), 0);
	for (size_t i = 0, k; i < n; i += k) {
		k = (size_t)noise() % 5000;
		if (k > n - i)
			k = n - i;
		ck_assert_int_eq(xfs_sorter_add(s, all + i * spec->size, k), 0);
	}
	ck_assert_int_eq(xfs_sorter_next(s, &r), -XFS_E_INVALID);
	ck_assert_uint_eq(xfs_sorter_count(s), n);
	for (int round = 0; round < 2; round++) {
		size_t i = 0, wrong = 0;

		ck_assert_int_eq(xfs_sorter_finish(s), 0);
		while (xfs_sorter_next(s, &r) == 0 && r)
			wrong += i >= n || memcmp(r, want + i++ * spec->size, spec->size) != 0;
		ck_assert_uint_eq(wrong, 0);
		ck_assert_uint_eq(i, n);
		ck_assert_int_eq(xfs_sorter_next(s, &r), 0);
		ck_assert_ptr_null(r);
	}
	ck_assert_int_eq(xfs_sorter_add(s, all, 1), -XFS_E_INVALID);
	xfs_sorter_free(s);
	free(all);
	free(want);
}

START_TEST(with_spill)
{
	srand(4);
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++) {
		for (int shape = 0; shape < SHAPES; shape++)
			spill_run(&specs[s], (enum shape)shape, 20000, 0);
		spill_run(&specs[s], RANDOM, 20000, 64 << 20);
		spill_run(&specs[s], RANDOM, 0, 0);
		spill_run(&specs[s], RANDOM, 1, 0);
	}
	/* several passes of merging: 64 KiB take four runs at once */
	spill_run(&specs[5], RANDOM, 200000, 0);
	spill_run(&specs[5], FEW, 150000, 100000);
}
END_TEST

START_TEST(bad_specs)
{
	static const struct xfs_sort_spec bad[] = {
		{ 7, 1, { 0 } }, { 16, 0, { 0 } }, { 16, 4, { 0 } }, { 16, 1, { 9 } },
		{ XFS_SORT_SIZE_MAX + 1, 1, { 0 } },
	};
	struct xfs_sorter *s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(xfs_sort(&bad[i], NULL, 0), -XFS_E_INVALID);
		ck_assert_int_eq(xfs_sorter_create(&s, &bad[i], 0, NULL), -XFS_E_INVALID);
	}
}
END_TEST

/* 0: all came back in order; NOMEM and the like: as the sorter says */
static int memory_scenario(const uint8_t *all, const uint8_t *want, size_t n)
{
	const struct xfs_sort_spec *spec = &specs[5];
	struct xfs_sorter *s = NULL;
	const void *r = NULL;
	size_t i = 0;
	int err = xfs_sorter_create(&s, spec, 4 << 20, NULL);

	if (!err)
		err = xfs_sorter_add(s, all, n);
	if (!err)
		err = xfs_sorter_finish(s);
	while (!err) {
		err = xfs_sorter_next(s, &r);
		if (err || !r)
			break;
		if (memcmp(r, want + i++ * spec->size, spec->size))
			err = 1;
	}
	if (!err && i != n)
		err = 2;
	xfs_sorter_free(s);
	return err;
}

START_TEST(out_of_memory)
{
	const size_t n = 150000;
	uint8_t *all = records_make(&specs[5], RANDOM, n), *want = reference_make(&specs[5], all, n);
	unsigned failed = 0, survived = 0;

	for (uint64_t at = 1;; at++) {
		int err;

		ck_assert_uint_lt(at, 1000);
		failmalloc_start(at, at % 2);
		err = memory_scenario(all, want, n);
		if (failmalloc_stop() < at) {
			ck_assert_int_eq(err, 0);
			break;
		}
		ck_assert_msg(err == 0 || err == -XFS_E_NOMEM, "allocation %u: %d", (unsigned)at, err);
		failed += err != 0;
		survived += err == 0;
	}
	/* less memory than allowed makes it spill earlier, and only that */
	ck_assert_uint_gt(failed, 2);
	ck_assert_uint_gt(survived, 0);
	/* xfs_sort() leaves its records alone */
	memcpy(want, all, n * 40);
	failmalloc_start(1, false);
	ck_assert_int_eq(xfs_sort(&specs[5], all, n), -XFS_E_NOMEM);
	failmalloc_stop();
	ck_assert_mem_eq(all, want, n * 40);
	free(all);
	free(want);
}
END_TEST

START_TEST(out_of_disk)
{
	const size_t n = 40000;
	uint8_t *all = records_make(&specs[5], RANDOM, n);
	struct rlimit limit, before;
	struct xfs_sorter *s = NULL;
	const void *r;
	int err = 0;

	ck_assert_int_eq(xfs_sorter_create(&s, &specs[5], 0, "/proc/self/none"), 0);
	ck_assert_int_eq(xfs_sorter_add(s, all, n), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_sorter_add(s, all, 1), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_sorter_finish(s), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_sorter_next(s, &r), -XFS_E_NOENT);
	xfs_sorter_free(s);
	/* a file that may not grow stands for a full disk */
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(xfs_sorter_create(&s, &specs[5], 0, NULL), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 300000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	err = xfs_sorter_add(s, all, n);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(err, -XFS_E_TOOBIG);
	ck_assert_int_eq(xfs_sorter_finish(s), -XFS_E_TOOBIG);
	xfs_sorter_free(s);
	free(all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sort");
	TCase *t = tcase_create("sort");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, in_memory);
	tcase_add_test(t, with_spill);
	tcase_add_test(t, bad_specs);
	tcase_add_test(t, out_of_memory);
	tcase_add_test(t, out_of_disk);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
