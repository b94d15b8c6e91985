/* SPDX-License-Identifier: BSD-2-Clause */
/* test_forkoff.c - where the attribute fork begins in an inode: as the kernel chose it, and never outside. */
#include "libxfs/inode/forkoff.h"
#include "libxfs/ondisk/inode.h"
#include "tests/unit/quick.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <string.h>

static const struct testfs kinds[] = {
	{ .agblocks = 40000, .agcount = 4 },
	{ .agblocks = 40000, .agcount = 4, .inodesize = 2048 },
	{ .agblocks = 40000, .agcount = 4, .inodesize = 1024 },
	{ .blocksize = 1024, .agblocks = 200000, .agcount = 4 },
	{ .blocksize = 65536, .agblocks = 4000, .agcount = 4 },
	{ .agblocks = 40000, .agcount = 4, .v4 = true },
	{ .agblocks = 40000, .agcount = 4, .v4 = true, .no_attr2 = true, .inodesize = 2048 },
	{ .blocksize = 512, .agblocks = 400000, .agcount = 4, .v4 = true },
};

static struct xfs_forkoff_facts facts_of(json_t *row)
{
	struct xfs_forkoff_facts f = {
		.format = (unsigned)vectors_get_u64(row, "format"),
		.forkoff = (unsigned)vectors_get_u64(row, "forkoff"),
	};

	if (f.format == XFS_DINODE_FMT_LOCAL)
		f.used = vectors_get_u64(row, "size");
	else if (f.format == XFS_DINODE_FMT_EXTENTS)
		f.used = vectors_get_u64(row, "nextents");
	else if (f.format == XFS_DINODE_FMT_BTREE)
		f.used = vectors_get_u64(vectors_get(row, "bmdr"), "numrecs");
	return f;
}

/* Size of the list that a step would give, where it moved out of the inode; 0: the row does not say. */
static uint32_t wanted(json_t *row, json_t *before)
{
	const char *step = vectors_get_str(row, "step"), *list = strstr(step, "(list ");
	unsigned name, value, bytes;

	if (list && sscanf(list, "(list %u", &bytes) == 1)
		return bytes;
	if (json_object_get(before, "attr_totsize") &&
	    sscanf(step, "added xattr with name length %u, value length %u", &name, &value) == 2)
		return (uint32_t)vectors_get_u64(before, "attr_totsize") + 3 + name + value;
	return 0;
}

START_TEST(as_the_kernel)
{
	json_t *root = vectors_load("forkoff.json"), *row, *before = NULL;
	static const struct testfs shape = { .agblocks = 40000, .agcount = 4 };
	unsigned inlined = 0, moved = 0, refused_ = 0;
	struct xfs_geometry g;
	size_t i;

	testfs_init(&g, &shape);
	ck_assert_uint_eq(vectors_get_u64(root, "literal_area"), g.litino);
	json_array_foreach(vectors_get(root, "rows"), i, row) {
		unsigned want = (unsigned)vectors_get_u64(row, "forkoff");

		if (json_object_get(row, "rule_gives")) {
			const struct xfs_forkoff_facts f = facts_of(before);

			qk_assert_uint_eq(xfs_forkoff_short(&g, &f, (uint32_t)vectors_get_u64(row, "attr_totsize")),
					  want);
			inlined++;
		} else if (i && vectors_get_u64(row, "anextents") && !vectors_get_u64(before, "anextents")) {
			const struct xfs_forkoff_facts f = facts_of(before);

			qk_assert_uint_eq(xfs_forkoff_blocks(&g, &f), want);
			moved++;
			if (wanted(row, before)) {
				qk_assert_uint_eq(xfs_forkoff_short(&g, &f, wanted(row, before)), 0);
				refused_++;
			}
		}
		before = row;
	}
	ck_assert_uint_gt(inlined, 50);
	ck_assert_uint_ge(moved, 6);
	ck_assert_uint_ge(refused_, 3);
	json_decref(root);
}
END_TEST

/* Whatever the facts: the place lies in the inode, and what must fit there fits. */
START_TEST(bounds)
{
	for (size_t k = 0; k < XFS_ARRAY_SIZE(kinds); k++) {
		struct testrand rnd = { k };
		struct xfs_geometry g;

		testfs_init(&g, &kinds[k]);
		for (unsigned i = 0; i < 200000; i++) {
			static const unsigned formats[] = { 1, 2, 3, 5 };
			struct xfs_forkoff_facts f = { formats[testrand_below(&rnd, 4)], testrand_below(&rnd, 2000),
						       0 };
			uint32_t bytes = 4 + testrand_below(&rnd, 2500);
			unsigned off;

			if (testrand_below(&rnd, 2))
				f.forkoff = testrand_below(&rnd, g.litino / 8);
			off = xfs_forkoff_short(&g, &f, bytes);
			qk_assert(!off || 8 * off + bytes <= g.litino);
			qk_assert(!off || !f.forkoff || bytes > g.litino - 8 * f.forkoff || off == f.forkoff);
			off = xfs_forkoff_blocks(&g, &f);
			qk_assert_uint_gt(off, 0);
			qk_assert_uint_le(8 * off + 36, g.litino);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forkoff");
	TCase *t = tcase_create("forkoff");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, as_the_kernel);
	tcase_add_test(t, bounds);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
