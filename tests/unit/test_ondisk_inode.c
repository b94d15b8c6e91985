/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ondisk_inode.c - core, v3 part, fork geometry and timestamps against the vectors. */
#include "libxfs/base/types.h"
#include "libxfs/ondisk/inode.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define CHECK_U(row, member, key) ck_assert_uint_eq((uint64_t)(member), vectors_get_u64(row, key))

static void check_core(const struct xfs_dinode *d, json_t *f)
{
	CHECK_U(f, d->core.magic, "magic");
	CHECK_U(f, d->core.mode, "mode");
	CHECK_U(f, d->core.version, "version");
	CHECK_U(f, d->core.format, "format");
	CHECK_U(f, d->core.metatype, "metatype");
	CHECK_U(f, d->core.uid, "uid");
	CHECK_U(f, d->core.gid, "gid");
	CHECK_U(f, d->core.nlinkv2, "nlink");
	CHECK_U(f, d->core.projid_lo, "projid_lo");
	CHECK_U(f, d->core.projid_hi, "projid_hi");
	CHECK_U(f, d->core.size, "size");
	CHECK_U(f, d->core.nblocks, "nblocks");
	CHECK_U(f, d->core.extsize, "extsize");
	CHECK_U(f, d->core.nextents32, "nextents_or_big_anextents");
	CHECK_U(f, d->core.nextents16, "anextents_or_pad");
	CHECK_U(f, d->core.forkoff, "forkoff");
	CHECK_U(f, d->core.aformat, "aformat");
	CHECK_U(f, d->core.dmevmask, "dmevmask");
	CHECK_U(f, d->core.dmstate, "dmstate");
	CHECK_U(f, d->core.flags, "flags");
	CHECK_U(f, d->core.gen, "gen");
	CHECK_U(f, d->core.next_unlinked, "next_unlinked");
	CHECK_U(f, xfs_dinode_nextents(d, XFS_FORK_DATA), "nextents");
	CHECK_U(f, xfs_dinode_nextents(d, XFS_FORK_ATTR), "anextents");
}

/* times of the vectors are nanoseconds since 1901 (bigtime) or the two halves as one number */
static void check_v3(const struct xfs_dinode *d, json_t *f)
{
	size_t len;
	uint8_t *uuid = vectors_hex(vectors_get_str(f, "uuid"), &len);

	CHECK_U(f, d->v3.crc, "crc");
	CHECK_U(f, d->v3.change_count, "changecount");
	CHECK_U(f, d->v3.lsn, "lsn");
	CHECK_U(f, d->v3.flags2, "flags2");
	CHECK_U(f, d->v3.cowextsize, "cowextsize");
	CHECK_U(f, d->v3.inumber, "ino");
	ck_assert_mem_eq(d->v3.uuid, uuid, 16);
	free(uuid);
}

START_TEST(inodes)
{
	json_t *root = vectors_load("inodes.json"), *rows = vectors_get(root, "samples"), *row;
	unsigned v3 = 0;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_t *f = vectors_get(row, "fields");
		size_t len;
		uint8_t *bytes = vectors_sample(row, &len), *again = malloc(len);
		uint32_t size = (uint32_t)vectors_get_u64(row, "inodesize");
		struct xfs_dinode d;

		xfs_dinode_decode(&d, bytes);
		check_core(&d, f);
		if (d.core.version >= 3) {
			check_v3(&d, f);
			v3++;
		}
		CHECK_U(f, xfs_dinode_fork_size(d.core.version, d.core.forkoff, size, XFS_FORK_DATA),
			"data_fork_bytes");
		if (d.core.forkoff)
			CHECK_U(f, xfs_dinode_fork_size(d.core.version, d.core.forkoff, size, XFS_FORK_ATTR),
				"attr_fork_bytes");
		/* all that encode does not write is left alone, all that it writes is what was read */
		memcpy(again, bytes, len);
		memset(again, 0xa5, 24);
		memset(again + 32, 0x5a, 68);
		if (d.core.version >= 3)
			memset(again + 100, 0x5a, 32);
		xfs_dinode_encode(again, &d);
		ck_assert_mem_eq(again, bytes, len);
		free(again);
		free(bytes);
	}
	ck_assert_uint_gt(i, 50);
	ck_assert_uint_gt(v3, 30);
	json_decref(root);
}
END_TEST

START_TEST(timestamps)
{
	json_t *root = vectors_load("timestamps.json"), *rows = vectors_get(root, "cases"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		struct xfs_timestamp set = { (int64_t)vectors_get_u64(row, "set_seconds"),
					     (uint32_t)vectors_get_u64(row, "set_nanoseconds") };

		for (int big = 0; big < 2; big++) {
			size_t len;
			uint8_t *bytes = vectors_hex(vectors_get_str(row, big ? "bigtime_hex" : "legacy_hex"), &len);
			struct xfs_timestamp got = xfs_time_decode(xfs_be64(bytes), big);

			ck_assert_int_eq(got.sec, (int64_t)vectors_get_u64(row, big ? "bigtime_seconds" :
									   "legacy_seconds"));
			ck_assert_uint_eq(got.nsec, vectors_get_u64(row, big ? "bigtime_nanoseconds" :
								    "legacy_nanoseconds"));
			ck_assert_uint_eq(xfs_time_encode(set, big), xfs_be64(bytes));
			free(bytes);
		}
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

START_TEST(extent_counters)
{
	struct xfs_dinode d = { .core = { .version = 3 } };

	ck_assert(xfs_dinode_set_nextents(&d, XFS_FORK_DATA, XFS_MAX_DATA_EXTENTS_32));
	ck_assert(!xfs_dinode_set_nextents(&d, XFS_FORK_DATA, XFS_MAX_DATA_EXTENTS_32 + 1));
	ck_assert(!xfs_dinode_set_nextents(&d, XFS_FORK_ATTR, XFS_MAX_ATTR_EXTENTS_32 + 1));
	ck_assert_uint_eq(xfs_dinode_nextents(&d, XFS_FORK_DATA), XFS_MAX_DATA_EXTENTS_32);
	d.v3.flags2 = XFS_DIFLAG2_NREXT64;
	ck_assert(xfs_dinode_set_nextents(&d, XFS_FORK_DATA, XFS_MAX_DATA_EXTENTS_64));
	ck_assert(xfs_dinode_set_nextents(&d, XFS_FORK_ATTR, XFS_MAX_ATTR_EXTENTS_64));
	ck_assert(!xfs_dinode_set_nextents(&d, XFS_FORK_ATTR, XFS_MAX_ATTR_EXTENTS_64 + 1));
	ck_assert_uint_eq(xfs_dinode_nextents(&d, XFS_FORK_DATA), XFS_MAX_DATA_EXTENTS_64);
	ck_assert_uint_eq(xfs_dinode_nextents(&d, XFS_FORK_ATTR), XFS_MAX_ATTR_EXTENTS_64);
}
END_TEST

START_TEST(hostile_forkoff)
{
	/* 336 bytes = 42 units; one more leaves the inode */
	ck_assert_uint_eq(xfs_dinode_fork_size(3, 42, 512, XFS_FORK_DATA), 336);
	ck_assert_uint_eq(xfs_dinode_fork_size(3, 42, 512, XFS_FORK_ATTR), 0);
	ck_assert_uint_eq(xfs_dinode_fork_size(3, 43, 512, XFS_FORK_DATA), 336);
	ck_assert_uint_eq(xfs_dinode_fork_size(3, 255, 512, XFS_FORK_ATTR), 0);
	ck_assert_uint_eq(xfs_dinode_fork_off(3, 255, 512, XFS_FORK_ATTR), 512);
	ck_assert_uint_eq(xfs_dinode_fork_off(2, 15, 256, XFS_FORK_ATTR), 220);
	ck_assert_uint_eq(xfs_bmdr_maxrecs(192), 11);
	ck_assert_uint_eq(xfs_bmdr_ptrs_off(192), 92);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_inode");
	TCase *t = tcase_create("inode");

	tcase_add_test(t, inodes);
	tcase_add_test(t, timestamps);
	tcase_add_test(t, extent_counters);
	tcase_add_test(t, hostile_forkoff);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
