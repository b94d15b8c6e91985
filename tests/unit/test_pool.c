/* SPDX-License-Identifier: BSD-2-Clause */
/* test_pool.c - the thread pool: every round once, the lowest error, one thread inline. */
#include "libxfs/base/errors.h"
#include "libxfs/base/pool.h"
#include "tests/unit/vectors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct rounds {
	atomic_uint done[1000];
	size_t fail_a, fail_b;
	pthread_t caller;
	atomic_uint elsewhere;
};

static int round_run(void *payload, size_t index)
{
	struct rounds *r = payload;

	atomic_fetch_add(&r->done[index], 1);
	if (!pthread_equal(pthread_self(), r->caller))
		atomic_fetch_add(&r->elsewhere, 1);
	return index == r->fail_a ? -XFS_E_IO : index == r->fail_b ? -XFS_E_NOMEM : 0;
}

START_TEST(pool)
{
	static const unsigned threads[] = { 0, 1, 2, 7, 1000 };

	ck_assert_uint_ge(xfs_pool_processors(), 1);
	for (size_t k = 0; k < sizeof(threads) / sizeof(threads[0]); k++) {
		struct rounds r = { .fail_a = 5000, .fail_b = 5000, .caller = pthread_self() };
		size_t failed = 77;

		ck_assert_int_eq(xfs_pool_run(threads[k], 1000, round_run, &r, &failed), 0);
		for (size_t i = 0; i < 1000; i++)
			ck_assert_uint_eq(r.done[i], 1);
		if (threads[k] == 1)
			ck_assert_uint_eq(r.elsewhere, 0);
		ck_assert_uint_eq(failed, 77);
		ck_assert_int_eq(xfs_pool_run(threads[k], 0, round_run, &r, NULL), 0);
		/* the lowest index wins, and nothing new starts long after */
		memset(&r, 0, sizeof(r));
		r.fail_a = 12;
		r.fail_b = 11;
		ck_assert_int_eq(xfs_pool_run(threads[k], 1000, round_run, &r, &failed), -XFS_E_NOMEM);
		ck_assert_uint_eq(failed, 11);
		for (size_t i = 0; i <= 11; i++)
			ck_assert_uint_eq(r.done[i], 1);
		ck_assert_int_eq(xfs_pool_run(threads[k], 1000, round_run, &r, NULL), -XFS_E_NOMEM);
	}
	struct rounds one = { .fail_a = 5000, .fail_b = 5000, .caller = pthread_self() };

	ck_assert_int_eq(xfs_pool_run(8, 1, round_run, &one, NULL), 0);
	ck_assert_uint_eq(one.elsewhere, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pool");
	TCase *t = tcase_create("pool");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, pool);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
