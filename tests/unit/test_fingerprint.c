/* SPDX-License-Identifier: BSD-2-Clause */
/* test_fingerprint.c - sums are equal exactly when coverage is equal, however records are merged. */
#include "libxfs/check/fingerprint.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static const uint64_t KEY[2] = { 0x1234567890abcdef, 0xfeedbeef12345678 };

struct map { uint64_t owner, off, block, len; };

static struct map random_map(void)
{
	static const uint64_t flags[] = { 0, 0, XFS_RMAP_UNWRITTEN, XFS_RMAP_ATTR, XFS_RMAP_BMBT,
					  XFS_RMAP_ATTR | XFS_RMAP_BMBT };
	uint64_t flag = flags[rand() % 6];
	struct map m = { 128 + (uint64_t)(rand() % 50), 0, (uint64_t)rand() % 1000000, 1 + (uint64_t)(rand() % 200) };

	if (rand() % 10 == 0) {
		m.owner = XFS_OWN(3 + (uint64_t)(rand() % 6));
		flag = 0;
	}
	m.off = flag | (flag & XFS_RMAP_BMBT || xfs_owner_is_special(m.owner) ? 0 : (uint64_t)rand() % 5000);
	return m;
}

static void add(struct xfs_fingerprint *f, const struct map *m)
{
	xfs_fingerprint_add(f, m->owner, m->off, m->block, m->len);
}

/* the same mapping in random pieces, in random order */
static void add_split(struct xfs_fingerprint *f, struct map m)
{
	while (m.len > 1 && rand() % 3) {
		struct map head = m;

		head.len = 1 + (uint64_t)rand() % (m.len - 1);
		m.block += head.len;
		m.len -= head.len;
		if (!(m.off & XFS_RMAP_BMBT) && !xfs_owner_is_special(m.owner))
			m.off += head.len;
		add(f, &head);
	}
	add(f, &m);
}

START_TEST(merging_does_not_matter)
{
	struct xfs_fingerprint a, b;

	srand(7);
	ck_assert_int_eq(xfs_fingerprint_init(&a, 10, KEY), 0);
	ck_assert_int_eq(xfs_fingerprint_init(&b, 10, KEY), 0);
	for (int i = 0; i < 20000; i++) {
		struct map m = random_map();

		add(&a, &m);
		add_split(&b, m);
	}
	for (uint32_t i = 0; i < 1 << 10; i++)
		ck_assert(!xfs_fingerprint_differs(&a, &b, i));
	xfs_fingerprint_release(&a);
	xfs_fingerprint_release(&b);
}
END_TEST

/* each single change of one mapping shows in its bucket and nowhere else */
START_TEST(changes_show)
{
	srand(8);
	for (int round = 0; round < 3000; round++) {
		struct xfs_fingerprint a, b;
		struct map m = random_map(), w = m;
		uint32_t mine;

		ck_assert_int_eq(xfs_fingerprint_init(&a, 6, KEY), 0);
		ck_assert_int_eq(xfs_fingerprint_init(&b, 6, KEY), 0);
		switch (round % 5) {
		case 0: w.block++; break;
		case 1: w.len++; break;
		case 2: w.off ^= XFS_RMAP_UNWRITTEN; break;
		case 3: w.off++; break;
		case 4: w.off ^= XFS_RMAP_ATTR; break;
		}
		add(&a, &m);
		add(&b, &w);
		mine = xfs_fingerprint_bucket(&a, m.owner);
		for (uint32_t i = 0; i < 1 << 6; i++)
			ck_assert_int_eq(xfs_fingerprint_differs(&a, &b, i), i == mine);
		xfs_fingerprint_release(&a);
		xfs_fingerprint_release(&b);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fingerprint");
	TCase *t = tcase_create("sums");

	tcase_set_timeout(t, 120);

	tcase_add_test(t, merging_does_not_matter);
	tcase_add_test(t, changes_show);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
