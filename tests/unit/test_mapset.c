/* SPDX-License-Identifier: BSD-2-Clause */
/* test_mapset.c - mapping sets against a naive model that holds one entry a block. */
#include "libxfs/check/mapset.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define SPAN 200

struct cell { uint64_t fsbno; bool unwritten, used; uint8_t trust; };

static struct xfs_mapping random_mapping(unsigned trusts)
{
	return (struct xfs_mapping){ (uint64_t)rand() % (SPAN - 20), (uint64_t)rand() % 300, 1 + (uint64_t)rand() % 20,
		rand() % 4 == 0, (uint8_t)((unsigned)rand() % trusts) };
}

static void paint(struct cell *cells, const struct xfs_mapset *s)
{
	memset(cells, 0, SPAN * sizeof(*cells));
	for (size_t i = 0; i < s->n; i++)
		for (uint64_t k = 0; k < s->m[i].len; k++) {
			ck_assert(!cells[s->m[i].off + k].used);
			cells[s->m[i].off + k] = (struct cell){ s->m[i].fsbno + k, s->m[i].unwritten, true,
								s->m[i].trust };
		}
}

START_TEST(normalise_keeps_the_trusted)
{
	srand(3);
	for (int round = 0; round < 1000; round++) {
		struct xfs_mapset s = { 0 };
		struct cell cells[SPAN];
		uint8_t best[SPAN];
		bool covered[SPAN] = { false };
		uint64_t before = 0;
		struct xfs_mapping given[14];
		int64_t cut;
		int n = rand() % 14;

		memset(best, 0, sizeof(best));
		for (int i = 0; i < n; i++) {
			struct xfs_mapping m = given[i] = random_mapping(3);

			before += m.len;
			for (uint64_t k = 0; k < m.len; k++) {
				covered[m.off + k] = true;
				best[m.off + k] = m.trust > best[m.off + k] ? m.trust : best[m.off + k];
			}
			ck_assert_int_eq(xfs_mapset_add(&s, &m), 0);
		}
		cut = xfs_mapset_normalise(&s);
		ck_assert_int_ge(cut, 0);
		ck_assert_uint_eq(xfs_mapset_blocks(&s) + (uint64_t)cut, before);
		paint(cells, &s);
		for (int i = 0; i < SPAN; i++) {
			const struct xfs_mapping *at = xfs_mapset_at(&s, (uint64_t)i);
			bool rightful = !covered[i];

			ck_assert_int_eq(at != NULL, covered[i]);
			if (at)
				ck_assert_uint_eq(at->fsbno + ((uint64_t)i - at->off), cells[i].fsbno);
			ck_assert_int_eq(cells[i].used, covered[i]);
			for (int k = 0; k < n; k++)
				rightful |= given[k].trust == best[i] && given[k].off <= (uint64_t)i &&
					    given[k].fsbno + (uint64_t)i - given[k].off == cells[i].fsbno;
			ck_assert(rightful);
		}
		for (size_t i = 1; i < s.n; i++)
			ck_assert(s.m[i - 1].off + s.m[i - 1].len <= s.m[i].off);
		xfs_mapset_release(&s);
	}
}
END_TEST

/* Both differences are the same, piece by piece, when `a` is not there as a set, nor its neighbours joined. */
static void assert_same_one_by_one(const struct xfs_mapset *a, const struct xfs_mapset *b)
{
	struct xfs_mapset want[2] = { { 0 } }, got[2] = { { 0 } };
	struct xfs_mapdiff d = { .set = b, .only_given = &got[0], .only_set = &got[1] };

	ck_assert_int_eq(xfs_mapset_subtract(&want[0], a, b), 0);
	ck_assert_int_eq(xfs_mapset_subtract(&want[1], b, a), 0);
	for (size_t i = 0; i < a->n; i++)
		for (uint32_t done = 0, len; done < a->m[i].len; done += len) {
			struct xfs_mapping m = a->m[i];

			len = 1 + (uint32_t)rand() % (m.len - done);
			m = (struct xfs_mapping){ m.off + done, m.fsbno + done, len, m.unwritten, m.trust };
			ck_assert_int_eq(xfs_mapdiff_add(&d, &m), 0);
		}
	ck_assert_int_eq(xfs_mapdiff_finish(&d), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert(xfs_mapset_equal(&want[i], &got[i]));
		xfs_mapset_release(&want[i]);
		xfs_mapset_release(&got[i]);
	}
}

START_TEST(subtract_and_equal)
{
	srand(4);
	for (int round = 0; round < 1000; round++) {
		struct xfs_mapset a = { 0 }, b = { 0 }, d = { 0 };
		struct cell ca[SPAN], cb[SPAN], cd[SPAN];
		int n = rand() % 10, m = rand() % 4;
		bool same = true;

		for (int i = 0; i < n; i++) {
			struct xfs_mapping x = random_mapping(1);

			ck_assert_int_eq(xfs_mapset_add(&a, &x), 0);
			if (rand() % 8)
				ck_assert_int_eq(xfs_mapset_add(&b, &x), 0);
		}
		for (int i = 0; i < m; i++) {
			struct xfs_mapping x = random_mapping(1);

			ck_assert_int_eq(xfs_mapset_add(&b, &x), 0);
		}
		ck_assert_int_ge(xfs_mapset_normalise(&a), 0);
		ck_assert_int_ge(xfs_mapset_normalise(&b), 0);
		assert_same_one_by_one(&a, &b);
		ck_assert_int_eq(xfs_mapset_subtract(&d, &a, &b), 0);
		ck_assert_int_ge(xfs_mapset_normalise(&d), 0);
		paint(ca, &a);
		paint(cb, &b);
		paint(cd, &d);
		for (int i = 0; i < SPAN; i++) {
			bool held = ca[i].used && cb[i].used && ca[i].fsbno == cb[i].fsbno &&
				    ca[i].unwritten == cb[i].unwritten;

			ck_assert_int_eq(cd[i].used, ca[i].used && !held);
			same = same && (held || (!ca[i].used && !cb[i].used));
		}
		ck_assert_int_eq(xfs_mapset_equal(&a, &b), same);
		xfs_mapset_release(&a);
		xfs_mapset_release(&b);
		xfs_mapset_release(&d);
	}
}
END_TEST

/*
 * Sets of large files are sorted in place: in any order, near together and far apart, all of one byte but the lowest.
 */
START_TEST(normalise_sorts_many)
{
	const uint64_t n = 150000, steps[] = { 2, 1000, UINT64_C(1) << 36 };
	const uint64_t first[] = { 0, UINT64_C(0xffffff) << 20, 5 };
	struct xfs_mapset s = { 0 };
	struct xfs_mapping again;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t place = i * 7919 % n;		/* each once */
		struct xfs_mapping m = { first[_i] + place * steps[_i], 1000 + 3 * place, 1, false, 0 };

		ck_assert_int_eq(xfs_mapset_add(&s, &m), 0);
	}
	ck_assert_int_eq(xfs_mapset_normalise(&s), 0);
	ck_assert_uint_eq(s.n, n);
	for (uint64_t i = 0; i < n; i++)
		if (s.m[i].off != first[_i] + i * steps[_i] || s.m[i].fsbno != 1000 + 3 * i)
			ck_abort_msg("mapping %llu is at %llu", (unsigned long long)i, (unsigned long long)s.m[i].off);
	/* one of them comes a second time: it is cut, and nothing else */
	again = s.m[n / 2];
	ck_assert_int_eq(xfs_mapset_add(&s, &again), 0);
	ck_assert_int_eq(xfs_mapset_normalise(&s), 1);
	ck_assert_uint_eq(s.n, n);
	xfs_mapset_release(&s);
}
END_TEST

/*
 * Few of many overlap: only these are held twice.  The first is cut into more pieces than there is room for where it
 * was; they come to their places all the same, and all others stay.
 */
START_TEST(normalise_cuts_into_many)
{
	const uint64_t n = 1000;
	struct xfs_mapping low = { 0, 5000000, 4 * 100, false, 1 }, twin = { 4 * 500, 1000 + 4 * 500, 1, true, 1 };
	struct xfs_mapset s = { 0 };

	ck_assert_int_eq(xfs_mapset_add(&s, &low), 0);
	ck_assert_int_eq(xfs_mapset_add(&s, &twin), 0);
	for (uint64_t i = 0; i < n; i++) {
		struct xfs_mapping m = { 4 * i + 1, 1000 + 4 * i + 1, 2, false, 2 };

		ck_assert_int_eq(xfs_mapset_add(&s, &m), 0);
	}
	twin.off = 4 * 600 + 1;		/* in the middle of nothing but a better one */
	ck_assert_int_eq(xfs_mapset_add(&s, &twin), 0);
	ck_assert_int_eq(xfs_mapset_normalise(&s), 2 * 100 + 1);
	/* before the first, between each two and behind the last of the hundred: what is left of `low`; and one twin */
	ck_assert_uint_eq(s.n, n + 101 + 1);
	for (size_t i = 0; i < s.n; i++) {
		const struct xfs_mapping *m = &s.m[i];

		ck_assert(!i || m[-1].off + m[-1].len <= m->off);
		if (m->trust == 2)
			ck_assert(m->len == 2 && m->off % 4 == 1 && m->fsbno == 1000 + m->off);
		else if (m->unwritten)
			ck_assert(m->off == 4 * 500 && m->len == 1);
		else
			ck_assert(m->fsbno == 5000000 + m->off && m->len == (m->off && m->off != 399 ? 2 : 1));
	}
	xfs_mapset_release(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mapset");
	TCase *t = tcase_create("model");

	tcase_set_timeout(t, 120);	/* machines may be slow, not wrong */

	tcase_add_test(t, normalise_keeps_the_trusted);
	tcase_add_test(t, subtract_and_equal);
	tcase_add_loop_test(t, normalise_sorts_many, 0, 3);
	tcase_add_test(t, normalise_cuts_into_many);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
