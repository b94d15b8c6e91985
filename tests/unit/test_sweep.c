/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sweep.c - shared runs and the owners that share, against counting block by block. */
#include "libxfs/space/sweep.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS 200u
#define OWNERS 12u

struct model {
	unsigned refs[BLOCKS], swept[BLOCKS];
	bool shares[OWNERS], told[OWNERS];
};

static int found(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct model *m = payload;

	ck_assert_uint_ge(refs, 2);
	for (uint32_t b = agbno; b < agbno + len; b++)
		m->swept[b] = refs;
	return 0;
}

static int sharer(void *payload, uint64_t owner)
{
	struct model *m = payload;

	m->told[owner - 1000] = true;
	return 0;
}

static int by_block(const void *pa, const void *pb)
{
	const struct xfs_claim *a = pa, *b = pb;

	return a->agbno < b->agbno ? -1 : a->agbno > b->agbno;
}

static void one_round(unsigned n)
{
	struct xfs_claim c[OWNERS];
	struct model m = { 0 };
	struct xfs_sweep s = { .found = found, .payload = &m, .sharer = sharer };

	for (unsigned i = 0; i < n; i++) {
		c[i] = (struct xfs_claim){ (uint32_t)rand() % (BLOCKS - 40), 1 + (uint32_t)rand() % 40, 1000 + i, 0 };
		for (uint32_t b = c[i].agbno; b < c[i].agbno + c[i].len; b++)
			m.refs[b]++;
	}
	for (unsigned i = 0; i < n; i++)
		for (uint32_t b = c[i].agbno; b < c[i].agbno + c[i].len; b++)
			m.shares[c[i].owner - 1000] |= m.refs[b] > 1;
	qsort(c, n, sizeof(*c), by_block);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(xfs_sweep_claim(&s, &c[i]), 0);
	ck_assert_int_eq(xfs_sweep_finish(&s, 0), 0);
	for (unsigned b = 0; b < BLOCKS; b++)
		ck_assert_uint_eq(m.swept[b], m.refs[b] > 1 ? m.refs[b] : 0);
	for (unsigned i = 0; i < OWNERS; i++)
		ck_assert_int_eq(m.told[i], m.shares[i]);
}

START_TEST(runs_and_owners)
{
	srand(5);
	for (unsigned i = 0; i < 3000; i++)
		one_round(1 + i % OWNERS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sweep");
	TCase *t = tcase_create("sweep");

	tcase_add_test(t, runs_and_owners);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
