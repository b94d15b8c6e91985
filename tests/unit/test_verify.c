/* SPDX-License-Identifier: BSD-2-Clause */
/* test_verify.c - one damage at a time in a directory or an attribute block, and the finding that it must give. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/path.h"
#include "libxfs/name/verify.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_fs *fs;
static struct xfs_finding_list found;
static struct xfs_sink sink;

static void setup(void)
{
	struct xfs_devset set;

	memset(&found, 0, sizeof(found));
	sink = xfs_finding_list_sink(&found);
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
}

static void teardown(void)
{
	xfs_fs_close(fs);
	xfs_finding_list_free(&found);
	xfs_dev_close(&dev->dev);
}

static struct xfs_inode inode_at(const char *path)
{
	struct xfs_inode ip;
	xfs_ino_t ino;

	ck_assert_msg(!xfs_path_lookup(fs, XFS_INO(fs->geo.sb.rootino), path, &ino), "%s", path);
	ck_assert_int_eq(xfs_inode_read(fs, ino, 0, &ip), 0);
	return ip;
}

/* The bytes of a block of a fork, which must lie in one piece. */
static uint8_t *block_at(const struct xfs_inode *ip, enum xfs_fork which, uint64_t off, unsigned n)
{
	struct xfs_buf_extent e[XFS_BUF_MAXEXTENTS];
	struct xfs_ifork f;
	unsigned count;

	ck_assert_int_eq(xfs_ifork_init(&f, ip, which), 0);
	ck_assert_int_eq(xfs_ifork_map(&f, off, n, e, &count), 0);
	ck_assert_uint_eq(count, 1);
	return dev->bytes + e[0].daddr * XFS_BBSIZE;
}

static bool has(enum xfs_finding_id id)
{
	for (size_t i = 0; i < found.n; i++)
		if (found.items[i].id == id)
			return true;
	return false;
}

/* The verifier's verdict on the inode after the block got a right checksum again. */
static void expect(const struct xfs_inode *ip, bool attr, uint8_t *block, uint32_t len, uint32_t crc,
		   enum xfs_finding_id id)
{
	char line[300] = "nothing";

	if (block)
		xfs_crc32c_store(block, len, crc);
	xfs_buf_forget(fs->cache, 0, 0);
	found.n = 0;
	ck_assert_int_eq(attr ? xfs_attrs_verify(ip, &sink) : xfs_dir_verify(ip, XFS_NULL64, &sink),
			 id ? -XFS_E_CORRUPT : 0);
	if (found.n)
		xfs_finding_format(&found.items[0], line, sizeof(line));
	if (id)
		ck_assert_msg(has(id), "%s is missing; first is: %s", xfs_finding_name(id), line);
	else
		ck_assert_msg(!found.n, "%s", line);
}

/* Makes one change, wants the finding, takes the change back and wants silence. */
#define DAMAGE(ip, attr, p, len, crc, change, id) do {					\
		uint8_t keep_[65536];							\
		memcpy(keep_, p, len);							\
		change;									\
		expect(&(ip), attr, p, len, crc, XFS_F_##id);				\
		memcpy(p, keep_, len);							\
		expect(&(ip), attr, p, len, crc, 0);					\
	} while (0)
#define DIR_DAMAGE(change, id) DAMAGE(ip, false, p, fs->geo.dirblksize, 4, change, id)
#define DA_DAMAGE(change, id) DAMAGE(ip, false, p, fs->geo.dirblksize, 12, change, id)
#define ATTR_DAMAGE(change, id) DAMAGE(ip, true, p, fs->geo.blocksize, 12, change, id)

START_TEST(data_blocks)
{
	struct xfs_inode ip = inode_at("directories/leaf");
	uint8_t *p = block_at(&ip, XFS_FORK_DATA, 0, fs->geo.dirblkfsbs);
	uint32_t off = 96, end = fs->geo.dirblksize, size = end, first, len;
	struct xfs_dir_item it;

	/* a data block that ends in a free area */
	first = off;
	ck_assert_int_eq(xfs_dir_data_next(&fs->geo, p, end, &off, &it), 1);
	ck_assert(it.used);
	len = it.len;
	DIR_DAMAGE(p[first + 9] = '/', DIR_ENTRY);
	DIR_DAMAGE(p[first + 9] ^= 1, DIR_HASH);
	DIR_DAMAGE(xfs_put_be64(p + first, 1), DIR_ENTRY);
	DIR_DAMAGE(p[first + 9 + it.namelen] = 17, DIR_ENTRY);
	DIR_DAMAGE(p[first + len - 1] ^= 8, DIR_TILING);
	DIR_DAMAGE(p[first + 8] = 0, DIR_TILING);
	DIR_DAMAGE(xfs_put_be64(p + 64, ip.ino.v + 1), DIR_DOT);
	DIR_DAMAGE(p[64 + 9] = 'x', DIR_DOT);
	DIR_DAMAGE(xfs_put_be16(p + 48, 8), DIR_BESTFREE);
	DIR_DAMAGE(xfs_put_be16(p + 50, 8), DIR_BESTFREE);
	DIR_DAMAGE(xfs_put_be32(p, XFS_DIR3_BLOCK_MAGIC), DIR_FORM);
	/* an entry vanishes: the hash index still names it */
	DIR_DAMAGE((xfs_put_be16(p + first, 0xffff), xfs_put_be16(p + first + 2, (uint16_t)len)), DIR_HASH);
	ck_assert_uint_eq(size, end);
}
END_TEST

START_TEST(block_form)
{
	struct xfs_inode ip = inode_at("directories/block");
	uint8_t *p = block_at(&ip, XFS_FORK_DATA, 0, fs->geo.dirblkfsbs);
	uint32_t size = fs->geo.dirblksize, count = xfs_be32(p + size - 8), leaf = size - 8 - 8 * count;

	ck_assert_uint_gt(count, 10);
	DIR_DAMAGE(xfs_put_be32(p + size - 4, 1), DIR_LEAF);
	DIR_DAMAGE(xfs_put_be32(p + leaf + 8 * 5, 0xffffffff), DIR_LEAF);
	DIR_DAMAGE(xfs_put_be32(p + leaf + 8 * 5 + 4, 0), DIR_HASH);
	DIR_DAMAGE(xfs_put_be32(p + leaf + 8 * 5 + 4, xfs_be32(p + leaf + 8 * 6 + 4)), DIR_HASH);
	DIR_DAMAGE(xfs_put_be32(p + size - 8, 1u << 30), DIR_LEAF);
	ip.d.core.size += 8;
	expect(&ip, false, NULL, 0, 0, XFS_F_DIR_FORM);
}
END_TEST

START_TEST(leaf_form)
{
	struct xfs_inode ip = inode_at("directories/leaf");
	uint8_t *p = block_at(&ip, XFS_FORK_DATA, XFS_DIR_LEAF_OFFSET >> fs->geo.blocklog, fs->geo.dirblkfsbs);
	uint32_t size = fs->geo.dirblksize, bests = xfs_be32(p + size - 4);

	ck_assert_uint_eq(xfs_be16(p + 8), XFS_DIR3_LEAF1_MAGIC);
	DA_DAMAGE(xfs_put_be32(p, 5), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 4, 5), DIR_NODE);
	DA_DAMAGE(xfs_put_be16(p + 8, XFS_DIR3_LEAFN_MAGIC), DIR_LEAF);
	DA_DAMAGE(xfs_put_be16(p + 56, 0xffff), DIR_NODE);
	DA_DAMAGE(xfs_put_be16(p + 58, 3), DIR_LEAF);
	DA_DAMAGE(xfs_put_be32(p + 64 + 8 * 9, 7), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 64 + 8 * 9 + 4, 3), DIR_HASH);
	DA_DAMAGE(xfs_put_be32(p + size - 4, bests + 1), DIR_LEAF);
	DA_DAMAGE(xfs_put_be32(p + size - 4, 0xffffffff), DIR_LEAF);
	DA_DAMAGE(p[size - 5] ^= 8, DIR_FREE);
	ip.d.core.size -= size;
	expect(&ip, false, NULL, 0, 0, XFS_F_DIR_SIZE);
}
END_TEST

START_TEST(node_form)
{
	struct xfs_inode ip = inode_at("directories/node");
	uint64_t root = XFS_DIR_LEAF_OFFSET >> fs->geo.blocklog, child;
	uint8_t *p = block_at(&ip, XFS_FORK_DATA, root, fs->geo.dirblkfsbs);
	unsigned count = xfs_be16(p + 56);

	ck_assert_uint_eq(xfs_be16(p + 8), XFS_DA3_NODE_MAGIC);
	ck_assert_uint_ge(count, 2);
	DA_DAMAGE(xfs_put_be16(p + 58, 2), DIR_NODE);
	DA_DAMAGE(xfs_put_be16(p + 58, 9), DIR_NODE);
	DA_DAMAGE(xfs_put_be16(p + 56, 0), DIR_NODE);
	DA_DAMAGE(xfs_put_be16(p + 56, (uint16_t)(count - 1)), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 64, xfs_be32(p + 64) - 1), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 68, (uint32_t)root), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 68, 12), DIR_NODE);
	DA_DAMAGE(memcpy(p + 68, p + 76, 4), DIR_NODE);
	child = xfs_be32(p + 76);
	p = block_at(&ip, XFS_FORK_DATA, child, fs->geo.dirblkfsbs);
	DA_DAMAGE(xfs_put_be32(p, (uint32_t)root), DIR_NODE);
	DA_DAMAGE(xfs_put_be32(p + 4, 0), DIR_NODE);
	DA_DAMAGE(xfs_put_be64(p + 48, 5), DIR_NODE);
	p = block_at(&ip, XFS_FORK_DATA, XFS_DIR_FREE_OFFSET >> fs->geo.blocklog, fs->geo.dirblkfsbs);
	DIR_DAMAGE(xfs_put_be32(p + 48, 1), DIR_FREE);
	DIR_DAMAGE(xfs_put_be32(p + 52, xfs_be32(p + 52) - 1), DIR_FREE);
	DIR_DAMAGE(xfs_put_be32(p + 56, 0), DIR_FREE);
	DIR_DAMAGE(xfs_put_be16(p + 64, 0xffff), DIR_FREE);
	DIR_DAMAGE(xfs_put_be32(p + 52, 0x80000000), DIR_FREE);
}
END_TEST

START_TEST(short_form)
{
	struct xfs_inode good = inode_at("links"), ip = good;
	uint32_t len;
	uint8_t *p = (uint8_t *)(uintptr_t)xfs_inode_fork_bytes(&ip, XFS_FORK_DATA, &len);
	const struct {
		unsigned at;
		uint8_t value;
		enum xfs_finding_id id;
	} damage[] = {
		{ 0, 200, XFS_F_DIR_SHORT },		/* more entries than there are */
		{ 0, 1, XFS_F_DIR_SHORT },		/* fewer */
		{ 1, 2, XFS_F_DIR_SHORT },		/* wide numbers */
		{ 6, 0, XFS_F_DIR_SHORT },		/* a name of no bytes */
		{ 6, 255, XFS_F_DIR_SHORT },
		{ 8, 0x10, XFS_F_DIR_SHORT },		/* offset in front of the first one */
		{ 9, '/', XFS_F_DIR_ENTRY },
		{ 9, 0, XFS_F_DIR_ENTRY },
	};

	ck_assert_int_eq(ip.d.core.format, XFS_DINODE_FMT_LOCAL);
	expect(&ip, false, NULL, 0, 0, 0);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(damage); i++) {
		memcpy(ip.raw, good.raw, ip.size);
		p[damage[i].at] = damage[i].value;
		expect(&ip, false, NULL, 0, 0, damage[i].id);
	}
	memcpy(ip.raw, good.raw, ip.size);
	memset(p + 2, 0, 4);
	expect(&ip, false, NULL, 0, 0, XFS_F_DIR_DOT);
	memcpy(ip.raw, good.raw, ip.size);
	ip.d.core.size--;
	expect(&ip, false, NULL, 0, 0, XFS_F_DIR_SHORT);
	ip.d.core.size = 2000;
	expect(&ip, false, NULL, 0, 0, XFS_F_DIR_SHORT);
	/* the parent that the caller knows */
	found.n = 0;
	ck_assert_int_eq(xfs_dir_verify(&good, fs->geo.sb.rootino, &sink), 0);
	ck_assert_int_eq(xfs_dir_verify(&good, 1234, &sink), -XFS_E_CORRUPT);
	ck_assert(has(XFS_F_DIR_DOT));
	ck_assert_int_eq(xfs_dir_verify(&(struct xfs_inode){ .fs = fs }, 0, NULL), -XFS_E_NOTDIR);
}
END_TEST

START_TEST(attr_leaves)
{
	struct xfs_inode ip = inode_at("attributes/leaf");
	uint8_t *p = block_at(&ip, XFS_FORK_ATTR, 0, 1);
	unsigned at = xfs_be16(p + 84), count = xfs_be16(p + 56);

	ck_assert_uint_eq(xfs_be16(p + 8), XFS_ATTR_LEAF_MAGIC);
	ck_assert_uint_gt(count, 1);
	ATTR_DAMAGE(xfs_put_be32(p + 80, xfs_be32(p + 80) - 1), ATTR_HASH);
	ATTR_DAMAGE(p[at + 3] ^= 1, ATTR_HASH);
	ATTR_DAMAGE(p[at + 3] = 0, ATTR_ENTRY);
	ATTR_DAMAGE(p[at + 2] = 0, ATTR_ENTRY);
	ATTR_DAMAGE(p[86] |= 6, ATTR_ENTRY);
	ATTR_DAMAGE(p[86] |= 0x40, ATTR_ENTRY);
	ATTR_DAMAGE(p[86] |= 8, ATTR_ENTRY);
	ATTR_DAMAGE(xfs_put_be16(p + 84, (uint16_t)(fs->geo.blocksize - 4)), ATTR_ENTRY);
	ATTR_DAMAGE(xfs_put_be16(p + 84, 40), ATTR_ENTRY);
	ATTR_DAMAGE(xfs_put_be16(p + 92, (uint16_t)at), ATTR_LEAF);
	ATTR_DAMAGE(xfs_put_be16(p + 58, 4), ATTR_COUNTER);
	ATTR_DAMAGE(xfs_put_be16(p + 60, (uint16_t)(fs->geo.blocksize - 4)), ATTR_COUNTER);
	ATTR_DAMAGE((xfs_put_be16(p + 64, (uint16_t)(at & ~3u)), xfs_put_be16(p + 66, 4)), ATTR_LEAF);
	ATTR_DAMAGE(xfs_put_be16(p + 56, 0xfff0), ATTR_NODE);
	ATTR_DAMAGE(xfs_put_be32(p, 1), ATTR_NODE);
}
END_TEST

START_TEST(attr_trees)
{
	struct xfs_inode ip = inode_at("attributes/tree");
	uint8_t *p = block_at(&ip, XFS_FORK_ATTR, 0, 1);

	ck_assert_uint_eq(xfs_be16(p + 8), XFS_DA3_NODE_MAGIC);
	ATTR_DAMAGE(xfs_put_be32(p + 64, xfs_be32(p + 64) ^ 1), ATTR_NODE);
	ATTR_DAMAGE(xfs_put_be32(p + 68, 0), ATTR_NODE);
	ATTR_DAMAGE(xfs_put_be16(p + 56, 1), ATTR_NODE);
	ATTR_DAMAGE(xfs_put_be16(p + 58, 3), ATTR_NODE);
}
END_TEST

static int find_remote(void *payload, const struct xfs_attr *attr)
{
	if (attr->value)
		return 0;
	*(uint32_t *)payload = attr->valueblk;
	return -XFS_E_STOP;
}

START_TEST(attr_remote)
{
	struct xfs_inode ip = inode_at("attributes/remote");
	struct xfs_attrs a;
	uint32_t block = 0;
	uint8_t *p;

	ck_assert_int_eq(xfs_attrs_open(&a, &ip, NULL), 0);
	ck_assert_int_eq(xfs_attrs_each(&a, find_remote, &block), -XFS_E_STOP);
	p = block_at(&ip, XFS_FORK_ATTR, block, 1);
	ATTR_DAMAGE(xfs_put_be32(p + 4, 1), ATTR_REMOTE);
	ATTR_DAMAGE(xfs_put_be32(p + 8, 1), ATTR_REMOTE);
	ATTR_DAMAGE(xfs_put_be64(p + 32, 1), ATTR_REMOTE);
	ATTR_DAMAGE(xfs_put_be32(p, 0), ATTR_REMOTE);
	ATTR_DAMAGE(p[20]++, ATTR_REMOTE);
}
END_TEST

START_TEST(attr_short)
{
	struct xfs_inode good = inode_at("attributes/inline"), ip = good;
	uint32_t len;
	uint8_t *p = (uint8_t *)(uintptr_t)xfs_inode_fork_bytes(&ip, XFS_FORK_ATTR, &len);

	ck_assert_int_eq(ip.d.core.aformat, XFS_DINODE_FMT_LOCAL);
	expect(&ip, true, NULL, 0, 0, 0);
#define SHORT(change, id) do { \
	change; \
	expect(&ip, true, NULL, 0, 0, XFS_F_##id); \
	memcpy(ip.raw, good.raw, ip.size); \
} while (0)
	SHORT(p[1]++, ATTR_SHORT);
	SHORT(xfs_put_be16(p, 0xffff), ATTR_SHORT);
	SHORT(p[2] = 200, ATTR_SHORT);
	SHORT(p[4] = 255, ATTR_SHORT);
	SHORT(p[5] = 255, ATTR_SHORT);
	SHORT(p[6] = 6, ATTR_ENTRY);
	SHORT(p[6] = 0x80, ATTR_ENTRY);
	SHORT(p[6] = 8, ATTR_ENTRY);
	SHORT(p[7] = 0, ATTR_ENTRY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("sample image");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, data_blocks);
	tcase_add_test(t, block_form);
	tcase_add_test(t, leaf_form);
	tcase_add_test(t, node_form);
	tcase_add_test(t, short_form);
	tcase_add_test(t, attr_leaves);
	tcase_add_test(t, attr_trees);
	tcase_add_test(t, attr_remote);
	tcase_add_test(t, attr_short);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
