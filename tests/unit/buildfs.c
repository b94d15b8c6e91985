/* SPDX-License-Identifier: BSD-2-Clause */
/* buildfs.c - free space for the builders of forks. */
#include "tests/unit/buildfs.h"

#include "libxfs/base/crc32c.h"
#include "tests/unit/quick.h"

#include <stdlib.h>

#define FIRST 1000u		/* agbno where the space begins, AG 1 */

static uint64_t fsbno_of(const struct buildfs *b, uint32_t i)
{
	return xfs_fsbno_of(&b->geo, XFS_AGNO(1), XFS_AGBNO(FIRST + i)).v;
}

static uint32_t index_of(const struct buildfs *b, uint64_t fsbno)
{
	qk_assert_uint_eq(xfs_fsbno_agno(&b->geo, XFS_FSBNO(fsbno)).v, 1);
	return xfs_fsbno_agbno(&b->geo, XFS_FSBNO(fsbno)).v - FIRST;
}

static int take(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got)
{
	struct buildfs *b = payload;
	uint64_t n = want, at;
	uint32_t gap = 0;

	qk_assert_uint_gt(want, 0);
	qk_assert(!(offset & XFS_RMAP_BMBT) || (want == 1 && !(offset & XFS_RMAP_OFFMASK)));
	if (b->space != BUILDFS_WHOLE) {
		n = xfs_min(n, 1 + testrand_below(&b->rnd, b->longest));
		gap = testrand_below(&b->rnd, 3);
	}
	if (b->taken + n > b->most || n + gap > b->high - b->low)
		return -XFS_E_NOSPC;
	if (b->space == BUILDFS_BACKWARDS) {
		b->high -= (uint32_t)n + gap;
		at = b->high;
	} else {
		at = b->low;
		b->low += (uint32_t)n + gap;
	}
	memset(b->used + at, 1, n);
	b->taken += n;
	b->calls++;
	*fsbno = fsbno_of(b, (uint32_t)at);
	*got = n;
	return 0;
}

static void give_back(void *payload, uint64_t fsbno, uint64_t len)
{
	struct buildfs *b = payload;
	uint32_t at = index_of(b, fsbno);

	for (uint64_t i = 0; i < len; i++) {
		qk_assert_uint_eq(b->used[at + i], 1);
		b->used[at + i] = 0;
	}
	b->given_back += len;
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	struct buildfs *b = payload;

	if (!b->findings++)
		xfs_finding_format(f, b->finding, sizeof(b->finding));
}

void buildfs_init(struct buildfs *b, const struct testfs *shape)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOLASTBLOCK };
	struct xfs_devset set = { 0 };

	memset(b, 0, sizeof(*b));
	testfs_init(&b->geo, shape);
	b->nblocks = (uint32_t)xfs_min(BUILDFS_BYTES >> b->geo.blocklog, b->geo.agblocks - FIRST);
	b->used = calloc(b->nblocks, 1);
	b->dev = recdev_new(xfs_fsbno_byte(&b->geo, XFS_FSBNO(fsbno_of(b, 0))),
			    (uint64_t)b->nblocks << b->geo.blocklog);
	set.data = &b->dev->dev;
	options.sb = &b->geo.sb;
	b->sink = (struct xfs_sink){ on_finding, b };
	qk_assert(b->used != NULL);
	qk_assert_int_eq(xfs_fs_open(&b->fs, &set, &options, &b->sink), 0);
	b->to = (struct xfs_build_target){ .geo = &b->geo, .dev = &b->dev->dev, .ino = BUILDFS_INO,
		.lsn = UINT64_C(0x0000000300000407), .alloc = take, .unalloc = give_back, .payload = b };
	buildfs_reset(b, BUILDFS_WHOLE, 0);
}

void buildfs_release(struct buildfs *b)
{
	xfs_fs_close(b->fs);
	xfs_dev_close(&b->dev->dev);
	free(b->used);
}

void buildfs_reset(struct buildfs *b, enum buildfs_space space, uint32_t longest)
{
	b->space = space;
	b->longest = longest;
	b->low = 0;
	b->high = b->nblocks;
	b->taken = b->calls = b->given_back = 0;
	b->most = UINT64_MAX;
	b->findings = 0;
	memset(b->used, 0, b->nblocks);
	recdev_forget(b->dev);
	xfs_buf_forget(b->fs->cache, 0, 0);
}

void buildfs_check_writes(const struct buildfs *b, bool ordered)
{
	uint32_t sectors = b->geo.blocksize / 512;

	for (uint32_t i = 0; i < b->nblocks; i++)
		for (uint32_t s = 0; s < sectors; s++)
			if (b->dev->written[i * sectors + s] != b->used[i])
				ck_abort_msg("block %u was written %u times, taken %u", i,
					     b->dev->written[i * sectors + s], b->used[i]);
	qk_assert(!ordered || b->dev->ascending);
}

void buildfs_check_given_back(const struct buildfs *b)
{
	qk_assert_uint_eq(b->given_back, b->taken);
	for (uint32_t i = 0; i < b->nblocks; i++)
		qk_assert_uint_eq(b->used[i], 0);
}

void buildfs_inode(struct buildfs *b, struct xfs_inode *out, unsigned mode, enum xfs_fork which, unsigned forkoff,
		   uint64_t size, const struct xfs_built *built, const uint8_t *fork)
{
	const struct xfs_geometry *g = &b->geo;
	bool attr = which == XFS_FORK_ATTR, dev = (mode & XFS_MODE_FMT) == XFS_MODE_CHR;
	struct xfs_dinode d = { .core = {
		.magic = XFS_DINODE_MAGIC, .mode = (uint16_t)mode, .version = g->v5 ? 3 : 2, .size = (int64_t)size,
		.nlinkv2 = 2, .nblocks = built->nblocks, .forkoff = (uint8_t)forkoff, .next_unlinked = XFS_NULL32,
		.format = (uint8_t)(attr ? dev ? XFS_DINODE_FMT_DEV : XFS_DINODE_FMT_EXTENTS : built->format),
		.aformat = (uint8_t)(attr ? built->format : XFS_DINODE_FMT_EXTENTS),
	} };
	unsigned version = (unsigned)d.core.version;
	uint8_t raw[XFS_DINODE_MAX_SIZE] = { 0 };

	d.v3.inumber = BUILDFS_INO;
	d.v3.flags2 = g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0;
	memcpy(d.v3.uuid, g->uuid, 16);
	qk_assert(xfs_dinode_set_nextents(&d, which, built->nextents));
	xfs_dinode_encode(raw, &d);
	memcpy(raw + xfs_dinode_fork_off(version, forkoff, g->inodesize, which), fork,
	       xfs_dinode_fork_size(version, forkoff, g->inodesize, which));
	if (g->v5)
		xfs_crc32c_store(raw, g->inodesize, XFS_DINODE_CRC_OFF);
	qk_assert_int_eq(xfs_inode_parse(b->fs, XFS_INO(BUILDFS_INO), raw, out), 0);
	if (xfs_inode_verify(out, &b->sink))
		ck_abort_msg("%s", b->finding);
}
