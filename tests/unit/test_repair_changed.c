/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_changed.c - the list of inodes that change: in order, and each
 * with its bytes, whichever of them lie packed.
 */
#include "repair/evidence.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

#define MANY 3000u

static struct repair make_repair(unsigned inodesize, bool v5)
{
	static const uint8_t uuid[16] = { 1, 8, 15, 22, 29, 36, 43, 50, 57, 64, 71, 78, 85, 92, 99, 106 };

	return (struct repair){ .geo = { .inodesize = (uint16_t)inodesize, .v5 = v5, .uuid = uuid } };
}

/* Bytes of the k-th kind: nothing, everything, noise, lonely bytes, and what an inode looks like. */
static void make_image(const struct repair *r, uint64_t ino, uint8_t *image)
{
	uint64_t state = ino * UINT64_C(0x9e3779b97f4a7c15) + 1;

	memset(image, ino % 5 == 1 ? 0xff : 0, r->geo.inodesize);
	for (unsigned i = 0; i < r->geo.inodesize && ino % 5 > 1; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		if (ino % 5 == 2 || (ino % 5 == 3 && !(state >> 61)) || (ino % 5 == 4 && i < 100))
			image[i] = (uint8_t)(state >> 33);
	}
	if (ino % 5 == 4 && r->geo.v5) {
		xfs_put_be16(image, XFS_DINODE_MAGIC);
		xfs_put_be64(image + XFS_OFF(dinode_v3, inumber), ino);
		memcpy(image + XFS_OFF(dinode_v3, uuid), r->geo.uuid, 16);
	}
}

static void check_all(struct repair *r, const uint64_t *inos, size_t n)
{
	uint8_t want[XFS_DINODE_MAX_SIZE], got[XFS_DINODE_MAX_SIZE];

	for (size_t i = 0; i < n; i++) {
		struct repair_inode *c = repair_find_changed(r, inos[i]);

		qk_assert(c != NULL);
		qk_assert_uint_eq(c->ino, inos[i]);
		make_image(r, inos[i], want);
		repair_copy_image(r, c, got);
		qk_assert_mem_eq(got, want, r->geo.inodesize);
	}
	qk_assert(repair_find_changed(r, 1) == NULL);
}

static size_t count_open(const struct repair *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ninodes; i++)
		n += r->inodes[i].image != NULL;
	return n;
}

START_TEST(packs_and_opens)
{
	static const unsigned sizes[] = { 256, 512, 1024, 2048 };
	struct repair r = make_repair(sizes[_i / 2], _i % 2);
	uint8_t image[XFS_DINODE_MAX_SIZE];
	uint64_t inos[MANY];

	for (size_t i = 0; i < MANY; i++) {
		struct repair_inode *c;

		/* from both ends, and each a second time with other bytes that must not count */
		inos[i] = 100 + (i % 2 ? i : 2 * MANY - i);
		make_image(&r, inos[i], image);
		qk_assert_int_eq(repair_changed_inode(&r, inos[i], image, &c), 0);
		memset(image, 0x55, sizeof(image));
		qk_assert_int_eq(repair_changed_inode(&r, inos[i / 2], image, &c), 0);
		qk_assert(c->image != NULL);
	}
	check_all(&r, inos, MANY);
	qk_assert_uint_gt(r.nlate, 0);
	repair_merge_changed(&r);
	qk_assert_uint_eq(r.ninodes, MANY);
	check_all(&r, inos, MANY);
	qk_assert_uint_le(count_open(&r), REPAIR_OPEN_IMAGES);
	for (size_t i = 1; i < r.ninodes; i++)
		qk_assert_uint_lt(r.inodes[i - 1].ino, r.inodes[i].ino);
	repair_pack_images(&r);
	qk_assert_uint_eq(count_open(&r), 0);
	check_all(&r, inos, MANY);
	repair_forget_changed(&r);
	qk_assert_uint_eq(r.ninodes, 0);
}
END_TEST

static bool is_odd(void *payload, uint64_t ino)
{
	(void)payload;
	return ino & 1;
}

/* What was written to an open one is what lies packed. */
START_TEST(keeps_changes)
{
	struct repair r = make_repair(512, true);
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct repair_inode *c;

	for (uint64_t ino = 1; ino < 100; ino++) {
		make_image(&r, ino, image);
		qk_assert_int_eq(repair_changed_inode(&r, ino, image, &c), 0);
		c->image[ino] ^= 0xa5;
		c->image[511] ^= 0x5a;
	}
	for (uint64_t ino = 1; ino < 100; ino++) {
		make_image(&r, ino, image);
		c = repair_find_changed(&r, ino);
		qk_assert_int_eq(repair_open_image(&r, c), 0);
		image[ino] ^= 0xa5;
		image[511] ^= 0x5a;
		qk_assert_mem_eq(c->image, image, 512);
	}
	repair_drop_changed(&r, 11, 91, is_odd, NULL);
	qk_assert_uint_eq(r.ninodes, 59);
	for (uint64_t ino = 1; ino < 100; ino++)
		qk_assert_int_eq(repair_find_changed(&r, ino) != NULL, ino < 11 || ino > 90 || !(ino & 1));
	repair_forget_changed(&r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_changed");
	TCase *t = tcase_create("repair_changed");

	tcase_add_loop_test(t, packs_and_opens, 0, 8);
	tcase_add_test(t, keeps_changes);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
