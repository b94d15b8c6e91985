/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_names.c - a repair of names that is stopped at any write: the next run ends with the same names,
 * attributes and counts, and a third one finds nothing.
 *
 * The device under the repair fails from the n-th write on; every second time it has a write cache, of which any part
 * may be lost.  XFSKIT_LONG: every write of each damage, otherwise a sample of them.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/scan.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/path.h"
#include "repair/repair.h"
#include "tests/unit/image.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define ROOM ((size_t)64 << 20)
#define SAMPLES 24u

/* ---- damages ---- */

struct damaging {
	struct xfs_dev *dev;
	struct xfs_fs *fs;
};

static void open_fs(struct damaging *d, struct xfs_dev *dev)
{
	struct xfs_devset set = { .data = dev };

	d->dev = dev;
	qk_assert_int_eq(xfs_fs_open(&d->fs, &set, NULL, NULL), 0);
}

static void get_inode(struct damaging *d, const char *path, struct xfs_inode *ip)
{
	xfs_ino_t ino;

	qk_assert_int_eq(xfs_path_lookup(d->fs, XFS_INO(d->fs->geo.sb.rootino), path, &ino), 0);
	qk_assert_int_eq(xfs_inode_read(d->fs, ino, 0, ip), 0);
}

static void zero_block(struct damaging *d, const char *path, enum xfs_fork which, uint64_t off, unsigned blocks)
{
	static const uint8_t none[65536];
	struct xfs_buf_extent e[XFS_BUF_MAXEXTENTS];
	struct xfs_ifork f;
	struct xfs_inode ip;
	unsigned n;

	get_inode(d, path, &ip);
	qk_assert_int_eq(xfs_ifork_init(&f, &ip, which), 0);
	qk_assert_int_eq(xfs_ifork_map(&f, off, blocks, e, &n), 0);
	for (unsigned i = 0; i < n; i++)
		qk_assert_int_eq(xfs_dev_write(d->dev, e[i].daddr * 512, none, (size_t)e[i].bbs * 512), 0);
}

static void put_inode(struct damaging *d, struct xfs_inode *ip)
{
	xfs_dinode_encode(ip->raw, &ip->d);
	xfs_crc32c_store(ip->raw, ip->size, XFS_DINODE_CRC_OFF);
	qk_assert_int_eq(xfs_dev_write(d->dev, xfs_ino_byte(&d->fs->geo, ip->ino), ip->raw, ip->size), 0);
}

/* The root, a short directory, loses all that it names. */
static void empty_root(struct damaging *d)
{
	struct xfs_inode ip;

	get_inode(d, "/", &ip);
	ip.d.core.size = 6;
	ip.raw[xfs_dinode_literal_off((unsigned)ip.d.core.version)] = 0;
	put_inode(d, &ip);
}

static void wreck_blocks(struct damaging *d)
{
	uint64_t leafblk = XFS_DIR_LEAF_OFFSET >> d->fs->geo.blocklog;
	unsigned fsbs = d->fs->geo.dirblkfsbs;

	zero_block(d, "/directories/leaf", XFS_FORK_DATA, leafblk, fsbs);
	zero_block(d, "/directories/node", XFS_FORK_DATA, leafblk, fsbs);
	zero_block(d, "/directories/fragmented", XFS_FORK_DATA, leafblk, fsbs);
	zero_block(d, "/directories/block", XFS_FORK_DATA, 0, fsbs);
	zero_block(d, "/attributes/tree", XFS_FORK_ATTR, 0, 1);
	zero_block(d, "/attributes/both", XFS_FORK_ATTR, 0, 1);
	zero_block(d, "/attributes/tree-fork", XFS_FORK_ATTR, 0, 1);
}

/* Every inode gets parent pointers. */
static void switch_parents_on(struct damaging *d)
{
	const struct xfs_geometry *g = &d->fs->geo;
	uint8_t sector[4096];

	for (uint32_t agno = 0; agno < g->agcount; agno++) {
		uint64_t at = xfs_ag_header_daddr(g, XFS_AGNO(agno), 0).v * 512;
		struct xfs_sb sb;

		qk_assert_int_eq(xfs_dev_read(d->dev, at, sector, g->sectsize), 0);
		xfs_sb_decode(&sb, sector);
		sb.features_incompat |= XFS_SB_INCOMPAT_PARENT;
		xfs_sb_encode(sector, &sb);
		xfs_crc32c_store(sector, g->sectsize, XFS_SB_CRC_OFF);
		qk_assert_int_eq(xfs_dev_write(d->dev, at, sector, g->sectsize), 0);
	}
}

static void all_at_once(struct damaging *d)
{
	wreck_blocks(d);
	empty_root(d);
	switch_parents_on(d);
}

static void (*const damages[])(struct damaging *) = { empty_root, wreck_blocks, switch_parents_on, all_at_once };

/* ---- what a filesystem holds ---- */

struct summing {
	struct xfs_fs *fs;
	uint64_t sum, ino;
	struct xfs_attrs a;
};

static void add(struct summing *s, const void *bytes, size_t len, uint64_t number)
{
	s->sum += ((uint64_t)xfs_crc32c(XFS_CRC32C_SEED ^ (uint32_t)number, bytes, len) << 32 |
		   xfs_name_hash(bytes, len)) *
		(2 * number + 1) ^ s->ino;
}

static int add_entry(void *payload, const struct xfs_dir_entry *e)
{
	add(payload, e->name, e->namelen, e->ino.v * 16 + e->ftype);
	return 0;
}

static int add_attr(void *payload, const struct xfs_attr *a)
{
	struct summing *s = payload;
	uint8_t *value = malloc(a->valuelen + 1);

	qk_assert_int_eq(xfs_attr_value(&s->a, a, value), 0);
	add(s, a->name, a->namelen, a->flags & XFS_ATTR_NAMESPACES);
	add(s, value, a->valuelen, 77);
	free(value);
	return 0;
}

static int add_inode(void *payload, const struct xfs_inode_seen *seen)
{
	struct summing *s = payload;
	struct xfs_inode ip;
	struct xfs_dir dir;

	qk_assert_int_eq(xfs_inode_parse(s->fs, seen->ino, seen->raw, &ip), 0);
	s->ino = seen->ino.v;
	add(s, "core", 4, xfs_dinode_nlink(&ip.d) * UINT64_C(65536) + ip.d.core.mode);
	if (xfs_inode_is_dir(&ip)) {
		qk_assert_int_eq(xfs_dir_open(&dir, &ip, NULL), 0);
		qk_assert_int_eq(xfs_dir_each(&dir, 0, add_entry, s), 0);
	}
	qk_assert_int_eq(xfs_attrs_open(&s->a, &ip, NULL), 0);
	return xfs_attrs_each(&s->a, add_attr, s);
}

static uint64_t sum_of(struct xfs_dev *dev)
{
	struct xfs_devset set = { .data = dev };
	struct summing s = { 0 };

	qk_assert_int_eq(xfs_fs_open(&s.fs, &set, NULL, NULL), 0);
	for (uint32_t i = 0; i < s.fs->geo.agcount; i++)
		qk_assert_int_eq(xfs_inodes_each(s.fs, XFS_AGNO(i), 0, add_inode, &s, NULL), 0);
	xfs_fs_close(s.fs);
	return s.sum;
}

/* ---- runs ---- */

static int repair(struct xfs_dev *dev, uint64_t *findings, uint64_t *unfixed)
{
	struct repair r = { .dev = { .data = dev }, .name = "image", .memory = 8 << 20, .leaf_slack = -1,
			    .node_slack = -1 };
	int error = repair_run(&r);

	*findings = r.findings;
	*unfixed = r.unfixed;
	repair_release(&r);
	return error;
}

static void must_be_whole(struct xfs_dev *dev, uint64_t want, const char *when, uint64_t n)
{
	uint64_t findings, unfixed;
	int error = repair(dev, &findings, &unfixed);

	if (error || unfixed)
		ck_abort_msg("%s, write %u: error %d, %u findings left", when, (unsigned)n, error, (unsigned)unfixed);
	if (want && sum_of(dev) != want)
		ck_abort_msg("%s, write %u: other names than those of a run that nobody stopped", when, (unsigned)n);
	error = repair(dev, &findings, &unfixed);
	if (error || findings)
		ck_abort_msg("%s, write %u: the next run: error %d, %u findings", when, (unsigned)n, error,
			     (unsigned)findings);
}

/* Writes that a whole run makes, and what it leaves. */
static uint64_t whole_run(struct xfs_dev *damaged, uint64_t *want)
{
	struct xfs_dev_fault plan = { 0 };
	struct xfs_dev *over, *fault;

	qk_assert_int_eq(xfs_dev_scratch(&over, damaged, ROOM), 0);
	qk_assert_int_eq(xfs_dev_fault(&fault, over, &plan), 0);
	{
		uint64_t findings, unfixed;

		qk_assert_int_eq(repair(fault, &findings, &unfixed), 0);
		qk_assert_uint_gt(findings, 0);
		qk_assert_uint_eq(unfixed, 0);
	}
	must_be_whole(over, 0, "undisturbed", 0);
	*want = sum_of(over);
	xfs_dev_close(fault);
	return plan.writes;
}

static void stopped_run(struct xfs_dev *damaged, uint64_t n, uint64_t want)
{
	struct xfs_dev_fault plan = { .stop_write_at = n, .lose_seed = n % 2 ? n : 0, .tear_bytes = n % 3 ? 512 : 0 };
	struct xfs_dev *over, *fault;
	uint64_t findings, unfixed;

	qk_assert_int_eq(xfs_dev_scratch(&over, damaged, ROOM), 0);
	qk_assert_int_eq(xfs_dev_fault(&fault, over, &plan), 0);
	qk_assert_int_ne(repair(fault, &findings, &unfixed), 0);
	/* the machine is up again */
	must_be_whole(over, want, "stopped", n);
	xfs_dev_close(fault);
}

START_TEST(stopped_anywhere)
{
	struct memdev *image = image_load("sample.img.xz");
	struct damaging d;
	struct xfs_dev *damaged;
	uint64_t writes, want, step = 1;

	qk_assert_int_eq(xfs_dev_overlay(&damaged, &image->dev, 0, ROOM, NULL), 0);
	open_fs(&d, damaged);
	damages[_i](&d);
	xfs_fs_close(d.fs);
	writes = whole_run(damaged, &want);
	qk_assert_uint_gt(writes, 5);
	if (!getenv("XFSKIT_LONG") && writes > SAMPLES)
		step = writes / SAMPLES;
	for (uint64_t n = 1; n <= writes; n += step)
		stopped_run(damaged, n, want);
	xfs_dev_close(damaged);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_names");
	TCase *t = tcase_create("repair_names");

	tcase_set_timeout(t, getenv("XFSKIT_LONG") ? 1800 : 120);
	tcase_add_loop_test(t, stopped_anywhere, 0, XFS_ARRAY_SIZE(damages));
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
