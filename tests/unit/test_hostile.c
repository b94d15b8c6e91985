/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_hostile.c - damaged metadata: the verifiers are silent on a healthy image, find each kind of damage, and nothing
 * crashes, reads outside or runs for ever, whatever is in the blocks.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/inode.h"
#include "tests/unit/hostile.h"
#include "tests/unit/image.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct memdev *dev;
static struct xfs_devset set;
static uint64_t counts[XFS_F_COUNT], total;

static void count_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	ck_assert_int_gt(xfs_finding_format(f, line, sizeof(line)), 0);
	counts[f->id]++;
	total++;
}

static const struct xfs_sink sink = { count_finding, NULL };

static void setup(void)
{
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	memset(counts, 0, sizeof(counts));
	total = 0;
}

static void teardown(void)
{
	xfs_dev_close(&dev->dev);
}

static struct everything read_image(unsigned flags)
{
	struct xfs_fs_options o = { .flags = flags, .cache = 8 << 20 };
	struct everything all = { 0 };
	struct xfs_fs *fs;

	if (!xfs_fs_open(&fs, &set, &o, &sink)) {
		read_everything(fs, &sink, &all);
		xfs_fs_close(fs);
	}
	return all;
}

START_TEST(healthy)
{
	struct everything all = read_image(0);

	ck_assert_uint_eq(total, 0);
	ck_assert_uint_eq(all.errors, 0);
	ck_assert_uint_gt(all.entries, 1500);
	ck_assert_uint_gt(all.attributes, 100);
	ck_assert_uint_gt(all.targets, 0);
	all = read_image(XFS_FS_NOVERIFY);
	ck_assert_uint_eq(total, 0);
	ck_assert_uint_eq(all.errors, 0);
}
END_TEST

/* ---- where the metadata is ---- */

struct place {
	uint64_t byte;
	uint32_t len;
	enum xfs_block_kind kind;
	uint16_t crc;
};
static struct place *places;
static size_t nplaces;

static void add_place(uint64_t byte, uint32_t len, enum xfs_block_kind kind)
{
	const struct xfs_blockform *form = xfs_block_form(kind, true, dev->bytes + byte, len);

	if (!form)
		return;
	if (nplaces % 256 == 0)
		places = realloc(places, (nplaces + 256) * sizeof(*places));
	places[nplaces++] = (struct place){ byte, len, kind, form->crc };
}

/* Every block of the image that verifies as some kind. */
static void find_places(void)
{
	struct xfs_devset s = set;
	struct xfs_block_ctx ctx = { 0 };
	struct xfs_fs *fs;

	nplaces = 0;
	places = NULL;
	ck_assert_int_eq(xfs_fs_open(&fs, &s, NULL, NULL), 0);
	ctx.geo = &fs->geo;
	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++)
		for (unsigned n = 0; n < 4; n++)
			add_place(xfs_ag_header_daddr(&fs->geo, XFS_AGNO(ag), n).v * 512, fs->geo.sectsize,
				  XFS_BLK_SB + n);
	for (uint64_t at = xfs_round_up(4 * fs->geo.sectsize, fs->geo.blocksize);
	     at + fs->geo.dirblksize <= dev->dev.size; at += fs->geo.blocksize) {
		const uint8_t *p = dev->bytes + at;

		if (xfs_be16(p) == XFS_DINODE_MAGIC)
			for (unsigned i = 0; i < fs->geo.blocksize; i += fs->geo.inodesize)
				if (xfs_be16(p + i + 2))	/* in use */
					add_place(at + i, fs->geo.inodesize, XFS_BLK_INODES);
		for (int kind = XFS_BLK_BNOBT; kind <= XFS_BLK_SYMLINK; kind++) {
			bool is_dir = kind >= XFS_BLK_DIR_BLOCK && kind <= XFS_BLK_DA_NODE;

			if (kind != XFS_BLK_INODES &&
			    !xfs_block_verify(&ctx, kind, p, is_dir ? fs->geo.dirblksize : fs->geo.blocksize, at / 512,
					      NULL))
				add_place(at, is_dir ? fs->geo.dirblksize : fs->geo.blocksize, kind);
			if (kind == XFS_BLK_DA_NODE &&		/* of attributes */
			    !xfs_block_verify(&ctx, kind, p, fs->geo.blocksize, at / 512, NULL))
				add_place(at, fs->geo.blocksize, kind);
		}
	}
	xfs_fs_close(fs);
}

static void reseal(const struct place *p)
{
	xfs_crc32c_store(dev->bytes + p->byte, p->len, p->crc);
}

/* A few bytes or one word of a block become something else; mostly near its start, where the structure is. */
static void mutate(struct testrand *r, const struct place *p)
{
	static const uint32_t words[] = { 0, 1, 2, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe,
					 0xffffffff };
	unsigned n = 1 + testrand_below(r, 4);

	while (n--) {
		uint32_t room = testrand_below(r, 3) ? (p->len < 256 ? p->len : 256) : p->len;
		uint32_t at = testrand_below(r, room);
		uint8_t *b = dev->bytes + p->byte;

		switch (testrand_below(r, 5)) {
		case 0:
			b[at] ^= (uint8_t)(1u << testrand_below(r, 8));
			break;
		case 1:
			b[at] = (uint8_t)testrand_next(r);
			break;
		case 2:
			xfs_put_be32(b + (at & ~3u), words[testrand_below(r, XFS_ARRAY_SIZE(words))]);
			break;
		case 3:
			xfs_put_be16(b + (at & ~1u), (uint16_t)words[testrand_below(r, XFS_ARRAY_SIZE(words))]);
			break;
		default: {	/* bytes from elsewhere in the block: plausible, but not here */
			uint32_t len = 1 + testrand_below(r, 32), from = testrand_below(r, p->len - len);

			at = at > p->len - len ? p->len - len : at;
			memmove(b + at, b + from, len);
		}
		}
	}
}

/* A place; kinds of blocks are equally likely, however many there are of each. */
static struct place pick(struct testrand *r)
{
	for (;;) {
		enum xfs_block_kind kind = testrand_below(r, XFS_BLK_SYMLINK + 1);
		size_t n = 0, nth;

		for (size_t i = 0; i < nplaces; i++)
			n += places[i].kind == kind;
		nth = n ? testrand_below(r, (uint32_t)n) : 0;
		for (size_t i = 0; n && i < nplaces; i++)
			if (places[i].kind == kind && nth-- == 0)
				return places[i];
	}
}

/* `_i` picks the seed; half of the runs see what the verifiers would hold back. */
START_TEST(random_damage)
{
	struct testrand r = { 1000 + (uint64_t)_i };
	const char *factor = getenv("XFSKIT_HOSTILE_RUNS");
	int runs = factor ? atoi(factor) : 60;
	unsigned kinds = 0;

	find_places();
	ck_assert_uint_gt(nplaces, 400);
	for (int run = 0; run < runs; run++) {
		unsigned n = 1 + testrand_below(&r, 3);
		struct place hit[3];
		uint8_t *old[3];

		for (unsigned k = 0; k < n; k++) {
			hit[k] = pick(&r);
			old[k] = malloc(hit[k].len);
			memcpy(old[k], dev->bytes + hit[k].byte, hit[k].len);
			mutate(&r, &hit[k]);
			reseal(&hit[k]);
		}
		read_image(run % 2 ? XFS_FS_NOVERIFY : 0);
		while (n--) {
			memcpy(dev->bytes + hit[n].byte, old[n], hit[n].len);
			free(old[n]);
		}
	}
	free(places);
	/* most damage was seen, of many kinds, and the image is whole again */
	ck_assert_uint_gt(total, (uint64_t)runs / 2);
	for (int id = 0; id < XFS_F_COUNT; id++) {
		kinds += counts[id] != 0;
		if (getenv("XFSKIT_HOSTILE_RUNS") && counts[id])
			printf("%-20s %llu\n", xfs_finding_name(id), (unsigned long long)counts[id]);
	}
	ck_assert_uint_gt(kinds, runs < 40 ? 5 : 15);
	total = 0;
	read_image(0);
	ck_assert_uint_eq(total, 0);
}
END_TEST

/* Blocks that cannot be read at all: everything else is still found. */
START_TEST(unreadable)
{
	struct testrand r = { 5 };
	struct everything whole = read_image(0);

	find_places();
	for (int run = 0; run < 40; run++) {
		const struct place *p = &places[8 + testrand_below(&r, (uint32_t)nplaces - 8)];
		struct everything part;

		dev->bad_off = p->byte;
		dev->bad_len = 512;
		total = 0;
		part = read_image(0);
		ck_assert_uint_le(part.inodes, whole.inodes);
		ck_assert_uint_gt(part.inodes, 0);
	}
	dev->bad_len = 0;
	free(places);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hostile");
	TCase *t = tcase_create("sample image");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, healthy);
	tcase_add_loop_test(t, random_damage, 0, 4);
	tcase_add_test(t, unreadable);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
