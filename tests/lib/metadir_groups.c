/* SPDX-License-Identifier: BSD-2-Clause */
/* metadir_groups.c - realtime groups of the helper program metadir: extents of files, and what follows from them. */
#include "tests/lib/metadir.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/realtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN(piece) ((piece)->len * metadir.geo.sb.rextsize)
#define MOST_MAPS 32u

/* ---- files of the realtime section ---- */

#define AT_END(n) (UINT32_MAX - (n))		/* so many extents before the end of a full group */
/* In units of an extent: file, offset, group (the last: ~0), extent in it, length, unwritten, shared with others. */
static const struct piece {
	unsigned file;
	uint32_t off, group, at, len;
	bool unwritten, shared;
} pieces[] = {
	{ 0, 0, 0, 1, 7, false, false }, { 0, 7, 0, 20, 3, true, false }, { 0, 30, 1, 0, 40, false, false },
	{ 1, 0, 0, 60, 5, false, true }, { 1, 5, 1, 90, 1, false, false }, { 1, 9, ~0u, 2, 6, false, false },
	{ 2, 0, 1, 100, 33, false, false }, { 2, 33, 1, AT_END(3), 3, false, false }, { 2, 36, 2, 0, 2, false, false },
	{ 4, 0, 1, 150, 1, false, false }, { 4, 2, 1, 152, 1, true, false },
	{ 4, 4, 1, 154, 1, false, false }, { 4, 6, 1, 156, 1, false, false }, { 4, 8, 1, 158, 1, false, false },
	{ 4, 10, 1, 160, 1, false, false }, { 4, 12, 1, 162, 1, true, false }, { 4, 14, 1, 164, 1, false, false },
	{ 4, 16, 1, 166, 1, false, false }, { 4, 18, 1, 168, 1, false, false }, { 4, 20, 1, 170, 1, false, false },
	{ 3, 2, 0, 60, 5, false, true }, { 3, 50, ~0u, 11, 4, true, false },
};

static uint32_t place_of(const struct piece *p)
{
	return p->at > UINT32_MAX / 2 ? metadir.sb.rgextents - (UINT32_MAX - p->at) : p->at;
}

static bool is_made(const struct piece *p)
{
	return (!p->shared || p->file == 1 || metadir.geo.reflink) && (p->file < 4 || metadir.many);
}

/* Zones have no blocks that were asked for and not written. */
static bool is_unwritten(const struct piece *p) { return p->unwritten && !metadir.geo.zoned; }

static uint32_t group_of(const struct piece *p) { return p->group == ~0u ? metadir.sb.rgcount - 1 : p->group; }

static const struct metadir_made *rt_file(unsigned i)
{
	char name[24];

	snprintf(name, sizeof(name), "rt%u", i);
	return metadir_find(name);
}

static void write_piece(const struct piece *p, uint64_t ino)
{
	size_t len = (size_t)RUN(p) << metadir.geo.blocklog;
	uint64_t linear = ((uint64_t)group_of(p) * metadir.sb.rgextents + place_of(p)) * metadir.sb.rextsize;
	uint8_t *bytes = malloc(len);

	metadir_must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	for (size_t i = 0; i < len; i++)	/* the same for both who share them */
		bytes[i] = is_unwritten(p) ? 0xee :
					  (uint8_t)(((p->shared ? 1 : ino) * 77 + linear + i) * 2654435761u >> 11);
	metadir_must(xfs_dev_write(metadir.rt, linear << metadir.geo.blocklog, bytes, len), "realtime data");
	free(bytes);
}

static void make_rt_file(unsigned i)
{
	uint64_t ino = rt_file(i)->ino;
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork;
	struct xfs_dinode d;
	unsigned n = 0;

	metadir_load(ino, image, &d);
	fork = image + xfs_dinode_literal_off(3);
	d.core.flags |= XFS_DIFLAG_REALTIME;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++) {
		struct xfs_bmbt_rec rec = {
			.startoff = (uint64_t)p->off * metadir.sb.rextsize, .blockcount = RUN(p),
			.extentflag = is_unwritten(p),
			.startblock = (uint64_t)group_of(p) << metadir.sb.rgblklog |
				      (uint64_t)place_of(p) * metadir.sb.rextsize,
		};

		if (p->file != i || !is_made(p))
			continue;
		xfs_bmbt_rec_encode(fork + 16 * n++, &rec);
		d.core.nblocks += rec.blockcount;
		d.core.size = ((rec.startoff + rec.blockcount) << metadir.geo.blocklog) - 50;
		if (p->shared && metadir.geo.reflink)
			d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
		write_piece(p, ino);
	}
	xfs_dinode_set_nextents(&d, XFS_FORK_DATA, n);
	metadir_store(ino, image, &d);
}

/* ---- files of the groups ---- */

uint64_t metadir_summary_blocks(void)
{
	return xfs_ceil_div((xfs_log2_floor(metadir.sb.rgextents) + 1u) * metadir.sb.rbmblocks,
			xfs_rtbuf_words(metadir.geo.blocksize));
}

static uint32_t extents_in(uint32_t group)
{
	return group == metadir.sb.rgcount - 1
			? (uint32_t)(metadir.sb.rextents - (uint64_t)group * metadir.sb.rgextents)
					: metadir.sb.rgextents;
}

static bool is_free(uint32_t group, uint32_t extent)
{
	if ((!group && !extent) || extent >= extents_in(group))
		return false;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++)
		if (is_made(p) && group_of(p) == group && extent >= place_of(p) && extent < place_of(p) + p->len)
			return false;
	return true;
}

static void put_words(const struct metadir_made *m, uint32_t magic, const uint32_t *words, uint64_t blocks)
{
	uint32_t per = xfs_rtbuf_words(metadir.geo.blocksize);
	uint8_t *p = malloc(metadir.geo.blocksize);

	metadir_must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint64_t b = 0; b < blocks; b++) {
		uint64_t fsbno = metadir_block_of(m->ino, b);
		struct xfs_rtbuf head = { .magicnum = magic, .owner = m->ino, .bno = xfs_fsbno_daddr(&metadir.geo,
				XFS_FSBNO(fsbno)).v };

		memcpy(head.uuid, metadir.geo.uuid, 16);
		xfs_rtbuf_encode(p, &head);
		for (uint32_t i = 0; i < per; i++)
			xfs_put_be32(p + sizeof(struct xfs_rtbuf_disk) + 4 * (size_t)i, words[b * per + i]);
		xfs_crc32c_store(p, metadir.geo.blocksize, XFS_OFF(rtbuf, crc));
		metadir_must(xfs_dev_write(metadir.dev, xfs_fsbno_byte(&metadir.geo, XFS_FSBNO(fsbno)), p,
				metadir.geo.blocksize), "realtime file");
	}
	free(p);
}

static void fill_group(uint32_t group, const struct metadir_made *bitmap, const struct metadir_made *summary)
{
	uint32_t per = xfs_rtbuf_words(metadir.geo.blocksize), run = 0;
	uint32_t *bits = calloc((size_t)metadir.sb.rbmblocks * per, 4),
			*sums = calloc((size_t)metadir_summary_blocks() * per, 4);

	metadir_must(bits && sums ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t x = 0; x <= extents_in(group); x++) {
		if (is_free(group, x)) {
			bits[x / 32] |= UINT32_C(1) << x % 32;
			run++;
			metadir.sb.frextents++;
		} else if (run) {
			sums[xfs_log2_floor(run) * metadir.sb.rbmblocks + (x - run) / (32 * per)]++;
			run = 0;
		}
	}
	put_words(bitmap, XFS_RTBITMAP_MAGIC, bits, metadir.sb.rbmblocks);
	put_words(summary, XFS_RTSUMMARY_MAGIC, sums, metadir_summary_blocks());
	free(bits);
	free(sums);
}

static int by_start(const void *pa, const void *pb)
{
	const struct xfs_rmap_rec *a = pa, *b = pb;

	if (a->startblock != b->startblock)
		return a->startblock < b->startblock ? -1 : 1;
	return a->owner < b->owner ? -1 : a->owner > b->owner;
}

/* The root holds all records: level 0. */
static void fill_rmap(uint32_t group, uint64_t ino)
{
	struct xfs_rmap_rec recs[MOST_MAPS];
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork = image + xfs_dinode_literal_off(3);
	struct xfs_dinode d;
	uint16_t n = 0;

	if (!group && !metadir.geo.zoned)
		recs[n++] = (struct xfs_rmap_rec){ .blockcount = metadir.sb.rextsize, .owner = XFS_OWN_FS };
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++)
		if (group_of(p) == group && is_made(p))
			recs[n++] = (struct xfs_rmap_rec){ .startblock = place_of(p) * metadir.sb.rextsize,
					.blockcount = RUN(p),
				.owner = rt_file(p->file)->ino, .offset = (uint64_t)p->off * metadir.sb.rextsize,
						.extentflag = is_unwritten(p) };
	qsort(recs, n, sizeof(recs[0]), by_start);
	metadir_load(ino, image, &d);
	d.core.format = XFS_DINODE_FMT_META_BTREE;
	for (uint16_t i = 0; i < n && metadir.geo.zoned; i++)
		d.v3.cowextsize += recs[i].blockcount;	/* blocks in use */
	if (4 + 24u * n > xfs_dinode_fork_size(3, d.core.forkoff, metadir.geo.inodesize, XFS_FORK_DATA))
		n = 0;
	xfs_put_be16(fork + 2, n);
	for (uint16_t i = 0; i < n; i++)
		xfs_rmap_rec_encode(fork + 4 + 24 * (size_t)i, &recs[i]);
	metadir_store(ino, image, &d);
}

static void fill_refcount(uint32_t group, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork = image + xfs_dinode_literal_off(3);
	struct xfs_dinode d;
	uint16_t n = 0;

	metadir_load(ino, image, &d);
	d.core.format = XFS_DINODE_FMT_META_BTREE;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++) {
		struct xfs_refc_rec rec = { .startblock = place_of(p) * metadir.sb.rextsize, .blockcount = RUN(p),
				.refcount = 2 };

		if (p->shared && p->file == 1 && group_of(p) == group)
			xfs_refc_rec_encode(fork + 4 + 12 * (size_t)n++, &rec);
	}
	xfs_put_be16(fork + 2, n);
	metadir_store(ino, image, &d);
}

void metadir_fill_groups(void)
{
	char name[24];

	for (unsigned i = 0; i < 4u + metadir.many; i++)
		make_rt_file(i);
	for (uint32_t g = 0; g < metadir.sb.rgcount; g++) {
		const struct metadir_made *bitmap, *summary;

		snprintf(name, sizeof(name), "%u.bitmap", g);
		bitmap = metadir_find(name);
		snprintf(name, sizeof(name), "%u.summary", g);
		summary = metadir_find(name);
		if (!metadir.geo.zoned)
			fill_group(g, bitmap, summary);
		snprintf(name, sizeof(name), "%u.rmap", g);
		if (metadir_find(name))
			fill_rmap(g, metadir_find(name)->ino);
		snprintf(name, sizeof(name), "%u.refcount", g);
		if (metadir_find(name))
			fill_refcount(g, metadir_find(name)->ino);
	}
}

void metadir_write_rt_super(void)
{
	uint8_t *p = calloc(1, metadir.geo.blocksize);
	struct xfs_rtsb own = { .magicnum = XFS_RTSB_MAGIC };

	metadir_must(p ? 0 : -XFS_E_NOMEM, "memory");
	memcpy(own.fname, metadir.sb.fname, sizeof(own.fname));
	memcpy(own.uuid, metadir.sb.uuid, 16);
	memcpy(own.meta_uuid, metadir.geo.uuid, 16);
	xfs_rtsb_encode(p, &own);
	xfs_crc32c_store(p, metadir.geo.blocksize, XFS_OFF(rtsb, crc));
	metadir_must(xfs_dev_write(metadir.rt, 0, p, metadir.geo.blocksize), "realtime superblock");
	free(p);
}
