/* SPDX-License-Identifier: BSD-2-Clause */
/* test_inode.c - inodes, forks, symlinks: vectors, and every inode of an image that Linux filled. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/scan.h"
#include "libxfs/inode/symlink.h"
#include "tests/unit/image.h"
#include "tests/unit/testfs.h"
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
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, &sink), 0);
}

static void teardown(void)
{
	xfs_fs_close(fs);
	xfs_finding_list_free(&found);
	xfs_dev_close(&dev->dev);
}

static void no_findings(void)
{
	char line[400];

	if (found.n)
		xfs_finding_format(&found.items[0], line, sizeof(line));
	ck_assert_msg(found.n == 0, "%zu findings: %s", found.n, found.n ? line : "");
}

/* ---- every inode of the sample ---- */

struct totals {
	uint64_t used, unused, blocks, unwritten, btree_forks, targets;
};

static int add_extent(void *payload, const struct xfs_extent *e)
{
	struct totals *t = payload;

	t->blocks += e->len;
	t->unwritten += e->unwritten;
	return 0;
}

static uint64_t fork_blocks(struct xfs_ifork *f, struct totals *t)
{
	uint64_t before = t->blocks;
	struct xfs_btree_verify v = { .sink = &sink };

	f->sink = &sink;
	ck_assert_int_eq(xfs_ifork_each(f, add_extent, t), 0);
	if (f->format != XFS_DINODE_FMT_BTREE)
		return t->blocks - before;
	t->btree_forks++;
	ck_assert_int_eq(xfs_btree_verify(&f->bt, &v), 0);
	return t->blocks - before + v.blocks;
}

static int one_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct totals *t = payload;
	struct xfs_inode ip, again;
	struct xfs_ifork f;
	uint64_t blocks = 0;

	ck_assert_int_eq(s->error, 0);
	ck_assert_int_eq(xfs_inode_parse(fs, s->ino, s->raw, &ip), 0);
	ck_assert_int_eq(xfs_inode_read(fs, s->ino, 0, &again), 0);
	ck_assert_mem_eq(ip.raw, again.raw, ip.size);
	ck_assert_int_eq(xfs_inode_verify(&ip, &sink), 0);
	ck_assert_int_eq(s->free, ip.d.core.mode == 0);
	if (s->free) {
		t->unused++;
		return 0;
	}
	t->used++;
	for (int k = 0; k < 2; k++)
		if (xfs_ifork_init(&f, &ip, k ? XFS_FORK_ATTR : XFS_FORK_DATA) == 0)
			blocks += fork_blocks(&f, t);
	ck_assert_uint_eq(blocks, ip.d.core.nblocks);
	if (xfs_inode_fmt(&ip) == XFS_MODE_LNK) {
		char target[XFS_SYMLINK_MAXLEN];
		size_t len;

		ck_assert_int_eq(xfs_symlink_target(&ip, target, &len, &sink), 0);
		ck_assert_uint_eq(len, strlen(target));
		t->targets++;
	}
	return 0;
}

START_TEST(every_inode)
{
	struct totals t = { 0 };

	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++)
		ck_assert_int_eq(xfs_inodes_each(fs, XFS_AGNO(ag), XFS_SCAN_FREE, one_inode, &t, &sink), 0);
	no_findings();
	ck_assert_uint_eq(t.used + t.unused, fs->geo.sb.icount);
	ck_assert_uint_eq(t.unused, fs->geo.sb.ifree);
	ck_assert_uint_gt(t.btree_forks, 0);
	ck_assert_uint_gt(t.targets, 0);
	ck_assert_uint_gt(t.unwritten, 0);
}
END_TEST

/* Looking up each block gives what the walk gave; data read in odd pieces is the same as in one. */
struct mapping {
	struct xfs_ifork *f;
	uint64_t end, checked;
};

static int check_lookup(void *payload, const struct xfs_extent *e)
{
	struct mapping *m = payload;
	struct xfs_extent got;

	for (int k = 0; k < 3; k++) {
		uint64_t at = k == 0 ? m->end : k == 1 ? e->off + e->len / 2 : e->off + e->len - 1;

		ck_assert_int_eq(xfs_ifork_lookup(m->f, at, &got), 0);
		ck_assert_uint_eq(got.off, e->off);
		ck_assert_uint_eq(got.block, e->block);
		ck_assert_uint_eq(got.len, e->len);
	}
	m->end = e->off + e->len;
	m->checked++;
	return 0;
}

static int check_file(void *payload, const struct xfs_inode_seen *s)
{
	uint64_t *extents = payload;
	struct xfs_inode ip;
	struct mapping m;
	struct xfs_extent last;
	struct xfs_ifork f;
	uint8_t *whole, piece[777];
	size_t got, n;

	ck_assert_int_eq(xfs_inode_parse(fs, s->ino, s->raw, &ip), 0);
	ck_assert_int_eq(xfs_ifork_init(&f, &ip, XFS_FORK_DATA), 0);
	m = (struct mapping){ .f = &f };
	ck_assert_int_eq(xfs_ifork_each(&f, check_lookup, &m), 0);
	ck_assert_uint_eq(m.checked, f.format == XFS_DINODE_FMT_LOCAL ? 0 : f.count);
	*extents += m.checked;
	if (m.checked) {
		ck_assert_int_eq(xfs_ifork_last(&f, &last), 0);
		ck_assert_uint_eq(last.off + last.len, m.end);
	}
	ck_assert_int_eq(xfs_ifork_lookup(&f, m.end, &last), -XFS_E_NOENT);
	if (xfs_inode_fmt(&ip) != XFS_MODE_REG || ip.d.core.size > 4 << 20)
		return 0;
	whole = malloc(ip.d.core.size + 1);
	ck_assert_int_eq(xfs_ifork_read(&f, 0, whole, ip.d.core.size + 1, &got), 0);
	ck_assert_uint_eq(got, ip.d.core.size);
	for (uint64_t off = 0; off < ip.d.core.size; off += n) {
		ck_assert_int_eq(xfs_ifork_read(&f, off, piece, sizeof(piece), &n), 0);
		ck_assert_uint_gt(n, 0);
		ck_assert_mem_eq(piece, whole + off, n);
	}
	free(whole);
	return 0;
}

START_TEST(lookups)
{
	uint64_t extents = 0;

	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++)
		ck_assert_int_eq(xfs_inodes_each(fs, XFS_AGNO(ag), 0, check_file, &extents, &sink), 0);
	ck_assert_uint_gt(extents, 1000);
	no_findings();
}
END_TEST

START_TEST(numbers)
{
	struct xfs_inode ip;

	ck_assert_int_eq(xfs_inode_read(fs, XFS_INO(0), 0, &ip), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_inode_read(fs, XFS_INO(XFS_NULL64), 0, &ip), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_inode_read(fs, XFS_INO(fs->geo.sb.rootino), 0, &ip), 0);
	ck_assert(xfs_inode_is_dir(&ip));
	ck_assert_int_eq(xfs_inode_role(fs, ip.ino), XFS_INODE_ROOT);
	/* a block that holds no inodes */
	ck_assert_int_eq(xfs_inode_read(fs, xfs_ino_of(&fs->geo, XFS_AGNO(1), XFS_AGINO(fs->geo.agblocks / 2 * 2)), 0,
					&ip),
			 -XFS_E_BADMAGIC);
}
END_TEST

/* ---- one field at a time ---- */

static struct xfs_inode first_of(unsigned fmt, unsigned format)
{
	struct xfs_inode ip;

	for (uint64_t ino = fs->geo.sb.rootino + 3; ino < 1 << 17; ino++)
		if (!xfs_inode_read(fs, XFS_INO(ino), 0, &ip) && xfs_inode_fmt(&ip) == fmt &&
		    ip.d.core.format == format)
			return ip;
	ck_abort_msg("no inode of format %u", format);
}

/* Broken in one way, the inode gives exactly this finding. */
static void expect(struct xfs_inode ip, enum xfs_finding_id id, const char *field)
{
	xfs_dinode_encode(ip.raw, &ip.d);
	xfs_crc32c_store(ip.raw, ip.size, XFS_DINODE_CRC_OFF);
	found.n = 0;
	ck_assert_int_eq(xfs_inode_verify(&ip, &sink), -XFS_E_CORRUPT);
	ck_assert_msg(found.n == 1, "%s: %zu findings, second %s", field, found.n, found.n > 1 ? found.items[1].field :
		      "");
	ck_assert_int_eq(found.items[0].id, id);
	ck_assert_str_eq(found.items[0].field, field);
	ck_assert_uint_eq(found.items[0].ino, ip.ino.v);
	found.n = 0;
}

#define BROKEN(ip, change, id, field) do { struct xfs_inode i_ = ip; change; expect(i_, XFS_F_##id, field); } while (0)

START_TEST(broken_fields)
{
	struct xfs_inode reg = first_of(XFS_MODE_REG, XFS_DINODE_FMT_EXTENTS);
	struct xfs_inode dir = first_of(XFS_MODE_DIR, XFS_DINODE_FMT_LOCAL);
	struct xfs_inode link = first_of(XFS_MODE_LNK, XFS_DINODE_FMT_LOCAL);
	struct xfs_inode fifo = first_of(XFS_MODE_FIFO, XFS_DINODE_FMT_DEV);
	struct xfs_inode big = first_of(XFS_MODE_REG, XFS_DINODE_FMT_BTREE);

	BROKEN(reg, i_.d.core.magic++, BLOCK_MAGIC, "magic");
	BROKEN(reg, i_.d.v3.inumber++, INODE_BAD, "inumber");
	BROKEN(reg, i_.d.v3.uuid[3]++, INODE_BAD, "uuid");
	BROKEN(reg, i_.d.core.next_unlinked = 3, INODE_FIELD, "next_unlinked");
	BROKEN(fifo, i_.d.core.mode = 0030644, INODE_BAD, "mode");
	BROKEN(reg, i_.d.core.size = UINT64_C(1) << 63, INODE_BAD, "size");
	BROKEN(dir, i_.d.core.size = 0, INODE_BAD, "size");
	BROKEN(link, i_.d.core.size = 0, INODE_BAD, "size");
	BROKEN(fifo, i_.d.core.size = 1, INODE_BAD, "size");
	BROKEN(reg, i_.d.core.nextents16 = 1, INODE_FIELD, "nextents");
	BROKEN(big, i_.d.core.nblocks = i_.d.core.big_nextents - 1, INODE_BAD, "nblocks");
	BROKEN(reg, i_.d.core.nblocks = fs->geo.dblocks + 1, INODE_BAD, "nblocks");
	BROKEN(fifo, i_.d.core.nblocks = 1, INODE_BAD, "nblocks");
	BROKEN(link, i_.d.core.forkoff = 42, INODE_BAD, "forkoff");
	BROKEN(fifo, i_.d.core.format = XFS_DINODE_FMT_LOCAL, INODE_BAD, "format");
	BROKEN(link, i_.d.core.size = 400, INODE_BAD, "format");
	BROKEN(big, i_.d.core.big_nextents = 2, INODE_BAD, "nextents");
	BROKEN(fifo, i_.d.core.aformat = 7; i_.d.core.forkoff = 1, INODE_BAD, "aformat");
	BROKEN(fifo, i_.d.core.aformat = XFS_DINODE_FMT_LOCAL; i_.d.core.forkoff = 0, INODE_FIELD, "aformat");
	BROKEN(reg, i_.d.core.flags |= XFS_DIFLAG_NOSYMLINKS, INODE_FIELD, "flags");
	BROKEN(reg, i_.d.core.flags |= 0x8000, INODE_FIELD, "flags");
	BROKEN(reg, i_.d.core.flags |= XFS_DIFLAG_NEWRTBM, INODE_FIELD, "newrtbm");
	BROKEN(reg, i_.d.core.flags |= XFS_DIFLAG_REALTIME, INODE_BAD, "realtime");
	BROKEN(reg, i_.d.v3.flags2 |= 0x1000, INODE_FIELD, "flags2");
	BROKEN(dir, i_.d.v3.flags2 |= XFS_DIFLAG2_REFLINK, INODE_BAD, "reflink");
	BROKEN(dir, i_.d.v3.flags2 |= XFS_DIFLAG2_METADATA, INODE_BAD, "metadata");
	BROKEN(reg, i_.d.core.extsize = 4, INODE_FIELD, "extsize");
	BROKEN(reg, i_.d.core.flags |= XFS_DIFLAG_EXTSIZE; i_.d.core.extsize = fs->geo.agblocks, INODE_FIELD,
	       "extsize");
	BROKEN(reg, i_.d.v3.cowextsize = 4, INODE_FIELD, "cowextsize");
	BROKEN(reg, i_.d.core.metatype = 2, INODE_FIELD, "metatype");
	reg.d.v3.flags2 &= ~XFS_DIFLAG2_BIGTIME;
	reg.d.core.atime = reg.d.core.mtime = reg.d.core.ctime = reg.d.v3.crtime = 0;
	BROKEN(reg, i_.d.core.mtime = UINT64_C(5) << 32 | 1000000000, INODE_FIELD, "mtime");
	BROKEN(reg, i_.d.v3.crtime = UINT64_C(5) << 32 | 1000000000, INODE_FIELD, "crtime");
}
END_TEST

/* A btree holds as many extents as the inode says. */
START_TEST(miscounted)
{
	struct xfs_inode big = first_of(XFS_MODE_REG, XFS_DINODE_FMT_BTREE);
	struct totals t = { 0 };
	struct xfs_ifork f;

	big.d.core.big_nextents++;
	ck_assert_int_eq(xfs_ifork_init(&f, &big, XFS_FORK_DATA), 0);
	f.sink = &sink;
	found.n = 0;
	ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), -XFS_E_CORRUPT);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.items[0].id, XFS_F_INODE_NEXTENTS);
}
END_TEST

/* Extents that cannot be are refused by walk and look-up alike. */
START_TEST(bad_extents)
{
	struct xfs_inode reg = first_of(XFS_MODE_REG, XFS_DINODE_FMT_EXTENTS), dir = first_of(XFS_MODE_DIR,
											      XFS_DINODE_FMT_EXTENTS);
	const struct xfs_bmbt_rec good = { .startoff = 5, .startblock = 100, .blockcount = 2 };
	struct xfs_bmbt_rec bad[7];
	struct totals t = { 0 };
	struct xfs_extent e;
	struct xfs_ifork f;
	uint8_t *at;

	for (int i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].blockcount = 0;
	bad[1].startblock = 0;
	bad[2].startblock = fs->geo.agblocks - 1;
	bad[3].startblock = (uint64_t)fs->geo.agcount << fs->geo.agblklog;
	bad[4].startoff = (UINT64_C(1) << 54) - 1;
	bad[5].blockcount = 0x1fffff;
	bad[6].startblock = UINT64_C(1) << 50;
	for (int i = 0; i < 7; i++) {
		struct xfs_inode ip = reg;

		ip.d.core.big_nextents = 1;
		at = ip.raw + 176;
		xfs_bmbt_rec_encode(at, &good);
		ck_assert_int_eq(xfs_ifork_init(&f, &ip, XFS_FORK_DATA), 0);
		ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), 0);
		xfs_bmbt_rec_encode(at, &bad[i]);
		f.sink = &sink;
		found.n = 0;
		ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), -XFS_E_CORRUPT);
		ck_assert_uint_eq(found.n, 1);
		ck_assert_int_eq(found.items[0].id, XFS_F_FORK_DAMAGED);
		if (bad[i].blockcount)
			ck_assert_int_eq(xfs_ifork_lookup(&f, 0, &e), -XFS_E_CORRUPT);
	}
	/* order, unwritten directory blocks, more records than the fork has room for */
	reg.d.core.big_nextents = 2;
	xfs_bmbt_rec_encode(reg.raw + 176, &good);
	bad[0] = good;
	bad[0].startoff = 6;
	xfs_bmbt_rec_encode(reg.raw + 192, &bad[0]);
	ck_assert_int_eq(xfs_ifork_init(&f, &reg, XFS_FORK_DATA), 0);
	ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), -XFS_E_CORRUPT);
	reg.d.core.big_nextents = 100;
	ck_assert_int_eq(xfs_ifork_init(&f, &reg, XFS_FORK_DATA), -XFS_E_CORRUPT);
	bad[0] = good;
	bad[0].extentflag = 1;
	xfs_bmbt_rec_encode(dir.raw + 176, &bad[0]);
	ck_assert_int_eq(xfs_ifork_init(&f, &dir, XFS_FORK_DATA), 0);
	ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), -XFS_E_CORRUPT);
}
END_TEST

/* Realtime files read from the other device, by linear block numbers. */
START_TEST(realtime_files)
{
	struct testfs shape = { .agcount = 4, .agblocks = 1 << 16, .no_reflink = true, .no_rmapbt = true };
	const struct xfs_bmbt_rec rec = { .startoff = 1, .startblock = 700, .blockcount = 3 };
	struct xfs_fs_options o = { .flags = XFS_FS_NOLASTBLOCK };
	struct memdev *data = memdev_new(1 << 20), *rt = memdev_new(1000 * 4096);
	struct xfs_devset set = { .data = &data->dev, .rt = &rt->dev };
	struct xfs_dev *lies = &data->dev;
	struct xfs_geometry g;
	struct xfs_ifork f;
	struct xfs_fs *small;
	struct xfs_inode ip;
	uint8_t buf[4096 * 4];
	struct totals t = { 0 };
	size_t got;

	testfs_init(&g, &shape);
	g.sb.rblocks = g.sb.rextents = 1000;
	g.sb.rextslog = 9;
	g.sb.rbmblocks = 1;
	o.sb = &g.sb;
	ck_assert_int_eq(xfs_fs_open(&small, &set, &o, NULL), 0);
	memset(&ip, 0, sizeof(ip));
	ip.fs = small;
	ip.size = 512;
	ip.d.core.version = 3;
	ip.d.core.mode = XFS_MODE_REG | 0644;
	ip.d.core.format = XFS_DINODE_FMT_EXTENTS;
	ip.d.core.flags = XFS_DIFLAG_REALTIME;
	ip.d.core.nextents32 = 1;
	ip.d.core.size = 3 * 4096 + 5;
	xfs_bmbt_rec_encode(ip.raw + 176, &rec);
	memset(rt->bytes + 700 * 4096, 'r', 3 * 4096);
	ck_assert_int_eq(xfs_ifork_init(&f, &ip, XFS_FORK_DATA), 0);
	ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), 0);
	ck_assert_int_eq(xfs_ifork_read(&f, 0, buf, sizeof(buf), &got), 0);
	ck_assert_uint_eq(got, 3 * 4096 + 5);
	ck_assert(buf[0] == 0 && buf[4095] == 0 && buf[4096] == 'r' && buf[3 * 4096 + 4] == 'r');
	/* behind the end of the device; no device; not for metadata */
	xfs_put_be64(ip.raw + 184, xfs_be64(ip.raw + 184) + (UINT64_C(298) << 21));
	ck_assert_int_eq(xfs_ifork_each(&f, add_extent, &t), -XFS_E_CORRUPT);
	xfs_bmbt_rec_encode(ip.raw + 176, &rec);
	small->dev.rt = NULL;
	ck_assert_uint_eq(xfs_rtblock_byte(small, 700, NULL), 700 * 4096);
	ck_assert_uint_eq(xfs_rtblock_byte(small, 700, &lies), 700 * 4096);
	ck_assert_ptr_eq(lies, NULL);
	ck_assert_int_eq(xfs_ifork_read(&f, 4096, buf, 1, &got), -XFS_E_UNSUPPORTED);
	ck_assert_int_eq(xfs_ifork_get(&f, 1, 1, XFS_BLK_BMBT, &(struct xfs_buf *){ NULL }), -XFS_E_CORRUPT);
	xfs_fs_close(small);
	xfs_dev_close(&data->dev);
	xfs_dev_close(&rt->dev);
}
END_TEST

/* ---- vectors ---- */

static const struct {
	const char *name;
	unsigned off, len;
} members[] = {
	{ "size", 56, 8 }, { "nblocks", 64, 8 }, { "mode", 2, 2 }, { "format", 5, 1 }, { "forkoff", 82, 1 },
	{ "aformat", 83, 1 }, { "gen", 92, 4 }, { "flags", 90, 2 }, { "uid", 8, 4 },
};

/* The decoder agrees with the vector on members that sit at their documented places, and on forks. */
static void check_vector(json_t *row)
{
	struct testfs shape = { .blocksize = (uint32_t)vectors_get_u64(row, "blocksize"), .agcount = 4,
			       .agblocks = 1 << 20 };
	json_t *fields = vectors_get(row, "fields"), *list;
	struct xfs_inode ip;
	struct xfs_ifork f;
	size_t len, k;
	uint8_t *raw = vectors_sample(row, &len);
	struct xfs_fs mini;
	int err;

	shape.inodesize = (uint32_t)len;
	shape.v4 = !json_is_true(vectors_get(row, "v5"));
	memset(&mini, 0, sizeof(mini));
	testfs_init(&mini.geo, &shape);
	if (!shape.v4)
		memcpy(mini.geo.sb.uuid, raw + 160, 16);
	err = xfs_inode_parse(&mini, XFS_INO(vectors_get_u64(row, "ino")), raw, &ip);
	ck_assert_msg(err == 0, "%s: %s", vectors_get_str(row, "name"), xfs_error_name(err));
	ck_assert_uint_eq(ip.d.core.size, vectors_get_u64(fields, "size"));
	ck_assert_uint_eq(ip.d.core.mode, vectors_get_u64(fields, "mode"));
	ck_assert_uint_eq(ip.d.core.nblocks, vectors_get_u64(fields, "nblocks"));
	for (k = 0; k < XFS_ARRAY_SIZE(members); k++) {
		uint64_t v = 0;

		for (unsigned b = 0; b < members[k].len; b++)
			v = v << 8 | raw[members[k].off + b];
		ck_assert_uint_eq(v, vectors_get_u64(fields, members[k].name));
	}
	list = json_object_get(row, "data_extents");
	list = list ? list : json_object_get(fields, "data_extents");
	if (list && !xfs_ifork_init(&f, &ip, XFS_FORK_DATA) && f.format == XFS_DINODE_FMT_EXTENTS)
		ck_assert_uint_eq(json_array_size(list), f.count);
	free(raw);
}

START_TEST(inode_vectors)
{
	json_t *root = vectors_load("inodes.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row)
		check_vector(row);
	ck_assert_uint_gt(i, 40);
	json_decref(root);
}
END_TEST

START_TEST(time_vectors)
{
	json_t *root = vectors_load("timestamps.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		for (int big = 0; big < 2; big++) {
			size_t len;
			uint8_t *raw = vectors_hex(vectors_get_str(row, big ? "bigtime_hex" : "legacy_hex"), &len);
			struct xfs_timestamp t = xfs_time_decode(xfs_be64(raw), big);

			ck_assert_int_eq(t.sec, (int64_t)vectors_get_u64(row, big ? "bigtime_seconds" :
									 "legacy_seconds"));
			ck_assert_uint_eq(t.nsec, vectors_get_u64(row, big ? "bigtime_nanoseconds" :
								  "legacy_nanoseconds"));
			free(raw);
		}
	}
	ck_assert_uint_gt(i, 10);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inode");
	TCase *t = tcase_create("sample image"), *v = tcase_create("vectors");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_inode);
	tcase_add_test(t, lookups);
	tcase_add_test(t, numbers);
	tcase_add_test(t, broken_fields);
	tcase_add_test(t, miscounted);
	tcase_add_test(t, bad_extents);
	suite_add_tcase(s, t);
	tcase_add_test(v, inode_vectors);
	tcase_add_test(v, time_vectors);
	tcase_add_test(v, realtime_files);
	suite_add_tcase(s, v);
	return vectors_main(s);
}
