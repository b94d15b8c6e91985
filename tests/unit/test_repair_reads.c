/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_repair_reads.c - a check of a filesystem in order reads no block twice; a repair reads what it made once more.
 *
 * A device below counts the reads of every sector, from the moment on that the superblock and the state of the log are
 * known.  Left out: the log.  The number of threads makes no difference.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/mount/fs.h"
#include "repair/repair.h"
#include "tests/unit/image.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

struct counting {
	struct xfs_dev dev;
	struct xfs_dev *below;
	uint16_t *reads;		/* of each sector */
	bool writable;
	uint64_t writes;
};

/* The filesystem is known; from here on each read counts. */
static void begin_counting(void *payload, const char *line)
{
	struct counting *c = payload;

	if (strstr(line, "scan filesystem freespace"))
		memset(c->reads, 0, (c->dev.size / XFS_BBSIZE + 1) * sizeof(*c->reads));
}

static int counting_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct counting *c = (struct counting *)dev;

	for (size_t i = 0; i < n; i++)
		for (uint64_t s = v[i].off / XFS_BBSIZE; s < (v[i].off + v[i].len + XFS_BBSIZE - 1) / XFS_BBSIZE; s++)
			__atomic_fetch_add(&c->reads[s], 1, __ATOMIC_RELAXED);
	return xfs_dev_readv(c->below, v, n);
}

static int counting_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct counting *c = (struct counting *)dev;

	if (!c->writable)
		ck_abort_msg("a clean filesystem was written to");
	c->writes++;
	return xfs_dev_writev(c->below, v, n);
}

static int counting_barrier(struct xfs_dev *dev)
{
	(void)dev;
	return 0;
}

static int counting_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct counting *c = (struct counting *)dev;

	ck_assert(c->writable);
	c->writes++;
	return xfs_dev_zero(c->below, off, len);
}

static const struct xfs_dev_ops counting_ops = { .read = counting_read, .write = counting_write,
						 .barrier = counting_barrier, .zero = counting_zero };

/* On the image; `writable`: a repair may write. */
static void begin(struct counting *c, struct memdev *image, bool writable)
{
	*c = (struct counting){ .dev = image->dev, .below = &image->dev, .writable = writable,
				.reads = calloc(image->dev.size / XFS_BBSIZE + 1, sizeof(*c->reads)) };
	c->dev.ops = &counting_ops;
	ck_assert_ptr_nonnull(c->reads);
}

/* A repair that has not begun; what it says goes to `words`, which it borrows. */
static struct repair repair_of(struct counting *c, struct repair_words *words)
{
	*words = (struct repair_words){ .line = begin_counting, .payload = c };
	return (struct repair){ .no_modify = !c->writable, .dev = { .data = &c->dev }, .name = "image",
				.memory = 8 << 20, .leaf_slack = -1, .node_slack = -1, .words = words, .threads = 1 };
}

static void finish(struct counting *c, struct repair *r)
{
	repair_release(r);
	free(c->reads);
	xfs_dev_close(c->below);
}

static bool in_log(const struct xfs_geometry *g, const struct xfs_sb *sb, uint64_t sector)
{
	uint64_t log = xfs_fsbno_daddr(g, XFS_FSBNO(sb->logstart)).v,
		 log_len = (uint64_t)sb->logblocks << g->blocklog >> 9;

	return sector >= log && sector - log < log_len;
}

START_TEST(reads_once)
{
	struct memdev *image = image_load("sample.img.xz");
	struct repair_words words;
	struct counting c;
	struct repair r;
	uint64_t once = 0;

	begin(&c, image, false);
	r = repair_of(&c, &words);
	r.threads = _i ? 4 : 1;
	ck_assert_int_eq(repair_run(&r), 0);
	ck_assert_uint_eq(r.findings, 0);
	for (uint64_t s = 0; s < image->dev.size / XFS_BBSIZE; s++) {
		if (c.reads[s] > 1 && !in_log(&r.geo, &r.primary, s))
			ck_abort_msg("sector %llu was read %u times", (unsigned long long)s, c.reads[s]);
		once += c.reads[s] == 1;
	}
	/* not because it looked at nothing: all inodes were read, at least */
	ck_assert_uint_ge(once, r.primary.icount * r.geo.inodesize / XFS_BBSIZE);
	finish(&c, &r);
}
END_TEST

/* A btree root of AG 0 is lost. Returns its first sector. */
static uint64_t lose(struct memdev *image, enum xfs_build_tree t)
{
	uint64_t at;
	struct repair r = { .no_modify = true, .looking = true, .dev = { .data = &image->dev }, .name = "image",
			    .memory = 8 << 20 };
	uint8_t junk[64];

	memset(junk, 0xde, sizeof(junk));
	ck_assert_int_eq(repair_look_afresh(&r), 0);
	ck_assert_uint_eq(r.findings, 0);
	ck_assert(r.ags[0].tree[t].sound);
	at = xfs_fsbno_byte(&r.geo, XFS_FSBNO(r.ags[0].tree[t].root));
	ck_assert_int_eq(xfs_dev_write(&image->dev, at, junk, sizeof(junk)), 0);
	repair_release(&r);
	return at / XFS_BBSIZE;
}

/*
 * Headers of groups are what the search for the geometry looks at; flags of inodes that share are compared once more.
 */
static bool read_for_more(const struct repair *r, struct memdev *image, uint64_t s, uint64_t lost)
{
	uint64_t ag = (uint64_t)r->geo.agblocks << r->geo.blocklog >> 9;
	struct xfs_dinode d = { 0 };
	uint8_t p[XFS_BBSIZE];

	if (in_log(&r->geo, &r->primary, s) || s % ag < (s < ag ? 4 : 16) ||
	    (s >= lost && s < lost + r->geo.blocksize / XFS_BBSIZE))
		return true;
	ck_assert_int_eq(xfs_dev_read(&image->dev, s * XFS_BBSIZE, p, sizeof(p)), 0);
	if (xfs_be16(p) == XFS_DINODE_MAGIC)
		xfs_dinode_decode(&d, p);
	return d.v3.flags2 & XFS_DIFLAG2_REFLINK;
}

START_TEST(repairs_and_looks_once)
{
	static const enum xfs_build_tree trees[] = { XFS_TREE_BNO, XFS_TREE_CNT, XFS_TREE_FINO, XFS_TREE_REFC };
	struct memdev *image = image_load("sample.img.xz");
	struct repair_words words;
	struct counting c;
	struct repair r;
	uint64_t twice = 0, lost = lose(image, trees[_i]);

	begin(&c, image, true);
	r = repair_of(&c, &words);
	ck_assert_int_eq(repair_run(&r), 0);
	ck_assert_uint_ge(r.findings, 1);
	ck_assert_uint_eq(r.unfixed, 0);
	ck_assert(r.verified);
	ck_assert_uint_gt(c.writes, 0);
	for (uint64_t s = 0; s < image->dev.size / XFS_BBSIZE; s++) {
		if (c.reads[s] > 2 && !read_for_more(&r, image, s, lost))
			ck_abort_msg("sector %llu was read %u times", (unsigned long long)s, c.reads[s]);
		twice += c.reads[s] == 2;
	}
	/* the second time after the last write but the one that says that all is well */
	ck_assert_uint_ge(twice, r.primary.icount * r.geo.inodesize / XFS_BBSIZE / 2);
	finish(&c, &r);
}
END_TEST

/* One file more than there are names. Returns the sector of its inode. */
static uint64_t add_link(struct memdev *image)
{
	for (uint64_t s = 0; s < image->dev.size / XFS_BBSIZE; s++) {
		uint8_t p[XFS_BBSIZE];
		struct xfs_dinode d;

		ck_assert_int_eq(xfs_dev_read(&image->dev, s * XFS_BBSIZE, p, sizeof(p)), 0);
		if (xfs_be16(p) != XFS_DINODE_MAGIC)
			continue;
		xfs_dinode_decode(&d, p);
		if ((d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG || d.core.nlinkv2 != 1)
			continue;
		d.core.nlinkv2++;
		xfs_dinode_encode(p, &d);
		xfs_crc32c_store(p, sizeof(p), XFS_DINODE_CRC_OFF);
		ck_assert_int_eq(xfs_dev_write(&image->dev, s * XFS_BBSIZE, p, sizeof(p)), 0);
		return s;
	}
	ck_abort_msg("there is no file");
	return 0;
}

/* What the second round writes is checked as well: it reads all of it again. */
START_TEST(looks_again_after_names)
{
	struct memdev *image = image_load("sample.img.xz");
	struct repair_words words;
	struct counting c;
	struct repair r;
	uint64_t file;

	begin(&c, image, true);
	r = repair_of(&c, &words);
	lose(image, XFS_TREE_BNO);
	file = add_link(image);
	ck_assert_int_eq(repair_run(&r), 0);
	ck_assert(r.verified);
	ck_assert_uint_ge(c.reads[file], 3);
	finish(&c, &r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_reads");
	TCase *t = tcase_create("repair_reads");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, reads_once, 0, 2);
	tcase_add_loop_test(t, repairs_and_looks_once, 0, 4);
	tcase_add_test(t, looks_again_after_names);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
