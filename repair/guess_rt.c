/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess_rt.c - the geometry of a realtime section, from its bitmap and the files that lie there (format sheet 10,
 * sections 2.1, 2.2).
 *
 * Every extent is free or held by a file, so the last bit that is set and the last mapping give the number of extents;
 * the size of an extent is the one with which bitmap and mappings agree, and which fits the device when that is given.
 */
#include "repair/superblock.h"
#include "repair/survey.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/sort.h"
#include "libxfs/inode/fork.h"

#include <stdlib.h>

#define MOST_BLOCKS (UINT64_C(1) << 50)

struct rt_guess {
	struct xfs_fs *fs;
	uint8_t *block;
	uint64_t *used;			/* pairs: start, length in blocks; by start */
	size_t n, room;
	uint64_t *free;			/* pairs: runs of set bits */
	size_t nfree, free_room;
	uint64_t bits;			/* read so far */
	uint64_t last_free;		/* behind the last set bit */
	uint64_t set;			/* number of set bits */
	uint64_t blocks;		/* of the bitmap */
	uint64_t device;		/* blocks of the realtime device; 0: not given */
};

static int add_pair(uint64_t **p, size_t *n, size_t *room, uint64_t start, uint64_t len)
{
	if (*n && (*p)[2 * *n - 2] + (*p)[2 * *n - 1] == start) {
		(*p)[2 * *n - 1] += len;
		return 0;
	}
	if (xfs_grow_one(p, *n, room, 64, 2 * sizeof(**p)))
		return -XFS_E_NOMEM;
	(*p)[2 * *n] = start;
	(*p)[2 * *n + 1] = len;
	++*n;
	return 0;
}

static int take_word(struct rt_guess *g, uint32_t word)
{
	int error = 0;

	for (unsigned i = 0; word && i < 32 && !error; i++) {
		if (!(word >> i & 1))
			continue;
		g->set++;
		g->last_free = g->bits + i + 1;
		error = add_pair(&g->free, &g->nfree, &g->free_room, g->bits + i, 1);
	}
	g->bits += 32;
	return error;
}

static int read_bits(void *payload, const struct xfs_extent *e)
{
	struct rt_guess *g = payload;
	uint32_t bs = g->fs->geo.blocksize;
	int error = 0;

	for (uint32_t b = 0; b < e->len && !error; b++) {
		error = xfs_dev_read(g->fs->dev.data, xfs_fsbno_byte(&g->fs->geo, XFS_FSBNO(e->block + b)), g->block,
				     bs);
		for (uint32_t i = 0; i < bs && !error; i += 4) {
			uint32_t word = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
						? xfs_be32(g->block + i) : xfs_le32(g->block + i);

			error = take_word(g, word);
		}
		g->blocks += !error;
	}
	return error;
}

static int take_mapping(void *payload, const struct xfs_extent *e)
{
	struct rt_guess *g = payload;

	return add_pair(&g->used, &g->n, &g->room, e->block, e->len);
}

static int read_files(struct rt_guess *g, const struct survey_group *group)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	uint8_t *raw = malloc(g->fs->geo.inodesize);
	int error = ip && raw ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; i < group->nrealtime && !error; i++) {
		struct xfs_ifork f;

		if (xfs_dev_read(g->fs->dev.data, group->realtime[i], raw, g->fs->geo.inodesize))
			continue;
		/* which number it has does not matter here */
		xfs_inode_parse(g->fs, XFS_INO(g->fs->geo.v5 ? xfs_be64(raw + XFS_OFF(dinode_v3, inumber)) :
					       g->fs->geo.sb.rootino), raw, ip);
		if (!xfs_ifork_init(&f, ip, XFS_FORK_DATA) && xfs_ifork_each(&f, take_mapping, g) == -XFS_E_NOMEM)
			error = -XFS_E_NOMEM;
	}
	free(raw);
	free(ip);
	return error;
}

/* Extents of this size: what is used and what is free are all there is, and nothing is both. */
static bool agrees(const struct rt_guess *g, uint64_t e, uint64_t *extents)
{
	uint64_t count = 0, last = 0;
	size_t f = 0;

	for (size_t i = 0; i < g->n; i++) {
		uint64_t start = g->used[2 * i] / e, end = xfs_ceil_div(g->used[2 * i] + g->used[2 * i + 1], e);

		while (f < g->nfree && g->free[2 * f] + g->free[2 * f + 1] <= start)
			f++;
		if (f < g->nfree && g->free[2 * f] < end)
			return false;
		start = xfs_max(start, last);
		count += end > start ? end - start : 0;
		last = xfs_max(last, end);
	}
	*extents = xfs_max(last, g->last_free);
	if (!*extents || count + g->set != *extents ||
	    xfs_ceil_div(*extents, 8 * (uint64_t)g->fs->geo.blocksize) != g->blocks)
		return false;
	return !g->device || *extents * e <= g->device;
}

static bool fills_device(const struct rt_guess *g, uint64_t e, uint64_t extents)
{
	return g->device / e == extents;
}

/* The size that agrees, and fills the device where that is given; else the default, else the first that agrees. */
static uint64_t choose(const struct rt_guess *g, uint64_t *extents)
{
	uint64_t bs = g->fs->geo.blocksize, usual = xfs_max(UINT64_C(1), 4096 / bs), best = 0, n,
		 least = g->last_free + 1;
	uint64_t most = g->device ? xfs_min(SURVEY_MOST_EXTENT / bs,
					    g->device / xfs_max(UINT64_C(1), g->set)) : SURVEY_MOST_EXTENT / bs;

	if (agrees(g, usual, extents) && (!g->device || fills_device(g, usual, *extents)))
		return usual;
	/* free extents alone bound the size, and only sizes near the quotient fill the device */
	for (uint64_t e = g->device ? xfs_max(usual, g->n ? UINT64_C(1) : g->device / least) : usual; e <= most;
	     e = g->device ? e + 1 : 2 * e)
		if (agrees(g, e, &n) && (!g->device || fills_device(g, e, n))) {
			*extents = n;
			return e;
		}
	for (uint64_t e = usual; e <= SURVEY_MOST_EXTENT / bs && !best; e *= 2)
		if (agrees(g, e, &n)) {
			*extents = n;
			best = e;
		}
	/* a bitmap that contradicts files: what mkfs does with this device */
	if (!best && g->device && xfs_ceil_div(g->device / usual, 8 * bs) == g->blocks) {
		*extents = g->device / usual;
		best = usual;
	}
	return best;
}

static int gather(struct rt_guess *g, const struct survey_group *group, uint64_t rbmino)
{
	static const struct xfs_sort_spec spec = { 16, 1, { 0 } };
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_ifork f;
	int error = ip ? xfs_inode_read(g->fs, XFS_INO(rbmino), XFS_INODE_NOCHECK, ip) : -XFS_E_NOMEM;

	if (!error)
		error = xfs_ifork_init(&f, ip, XFS_FORK_DATA);
	if (!error)
		error = xfs_ifork_each(&f, read_bits, g);
	free(ip);
	/* mappings of files are limited by what is looked for */
	g->fs->geo.sb.rblocks = g->fs->geo.sb.rextents = MOST_BLOCKS;
	g->fs->geo.sb.rextsize = 1;
	if (!error)
		error = read_files(g, group);
	return error ? error : xfs_sort(&spec, g->used, g->n);
}

int repair_guess_realtime(struct repair *r, const struct survey_group *group, struct xfs_sb *sb)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOLASTBLOCK, .sb = sb };
	struct rt_guess g = { .block = malloc(sb->blocksize), .device = r->dev.rt ? r->dev.rt->size >> sb->blocklog :
			      0 };
	uint64_t extents = 0, size = 0;
	int error = g.block ? xfs_fs_open(&g.fs, &r->dev, &options, NULL) : -XFS_E_NOMEM;

	if (!error)
		error = gather(&g, group, sb->rbmino);
	if (!error)
		size = choose(&g, &extents);
	if (!error && size) {
		sb->rextsize = (uint32_t)size;
		sb->rextents = extents;
		sb->rblocks = g.device / size == extents ? g.device : extents * size;
		sb->rextslog = (uint8_t)xfs_log2_floor(extents);
		sb->rbmblocks = (uint32_t)g.blocks;
		sb->frextents = g.set;
	}
	xfs_fs_close(g.fs);
	free(g.block);
	free(g.used);
	free(g.free);
	return error == -XFS_E_NOMEM ? error : size ? 0 : -XFS_E_BADSB;
}
