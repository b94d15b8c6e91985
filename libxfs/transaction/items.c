/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * items.c - regions of a checkpoint: new inodes, images of buffers, cancelled
 * ones (format sheet 04, sections 6.1, 6.4).
 */
#include "libxfs/transaction/journal.h"

#include "libxfs/base/grow.h"
#include "libxfs/mount/blocks.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dir.h"

/* ---- memory ---- */

uint8_t *xfs_items_region(struct xfs_journal *j, uint32_t len)
{
	uint8_t *p = j->bytes + j->used;

	memset(p, 0, len);
	j->used += (len + 7) & ~(size_t)7;
	j->regions[j->nregions++] = (struct xfs_log_region){ p, len };
	return p;
}

void xfs_items_borrow(struct xfs_journal *j, const uint8_t *p, uint32_t len)
{
	j->regions[j->nregions++] = (struct xfs_log_region){ p, len };
}

/* Bytes and regions that one block takes at most, whatever it holds. */
static void measure_block(const struct xfs_geometry *g, uint32_t len, uint64_t *bytes, uint64_t *regions)
{
	uint32_t inodes = len / g->inodesize + 1;

	*regions += xfs_max(len / XFS_CHANGE_CHUNK / 2 + 3, 6 * (uint64_t)inodes);
	*bytes += 256 + (uint64_t)inodes * (56 + 176 + 2 * 80) + 2 * (uint64_t)len;
}

int xfs_items_room(struct xfs_journal *j, const struct xfs_change *c, const struct xfs_trans *t)
{
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint64_t bytes = 4096, regions = 16, notes = j->nicreates;
	size_t writes = j->nlisted;
	int err;

	for (uint32_t i = 0; i < j->nlisted; i++)
		measure_block(g, j->v[j->listed[i]].bbs * XFS_BBSIZE, &bytes, &regions);
	for (const struct xfs_change_buf *e = c ? c->bufs : NULL; e; e = e->next, writes++)
		measure_block(g, e->buf->len, &bytes, &regions);
	for (size_t i = 0; c && i < c->nnotes; i++)
		notes += c->notes[i].kind != XFS_NOTE_FREED;
	/* chunks may be logged in parts */
	bytes += 48 * notes * (g->ialloc_blks + 1);
	regions += notes * (g->ialloc_blks + 1);
	xfs_intents_measure(t, j->nfinished, &bytes, &regions);
	if (bytes > SIZE_MAX / 2 || regions > SIZE_MAX / 2 / sizeof(*j->regions))
		return -XFS_E_NOMEM;
	err = xfs_grow_to(&j->bytes, &j->bytes_room, (size_t)bytes, 1);
	if (!err)
		err = xfs_grow_to(&j->regions, &j->regions_room, (size_t)regions, sizeof(*j->regions));
	if (!err)
		err = xfs_grow_to(&j->writes, &j->writes_room, writes, sizeof(*j->writes));
	return err;
}

/* What is committed, unless the open change is in the checkpoint too. */
const uint8_t *xfs_items_contents(const struct xfs_items *it, const struct xfs_logged *l)
{
	const struct xfs_change_buf *e = l->buf->joined;

	return e && e->changed && !it->rolled ? e->before : l->buf->data;
}

/* ---- new inodes ---- */

/* Either whole chunks, or parts of the smallest size: readers know no others. */
static void put_icreate(const struct xfs_items *it, const struct xfs_change_note *n)
{
	const struct xfs_geometry *g = &it->j->edit->fs->geo;
	uint32_t each = n->len % g->ialloc_blks ? g->ialloc_min_blks : g->ialloc_blks;
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	xfs_daddr_ag(g, XFS_DADDR(n->at), &agno, &agbno);
	for (uint32_t i = 0; i < n->len; i += each) {
		struct xfs_log_icreate c = {
			.type = XFS_LI_ICREATE, .size = 1, .ag = agno.v, .agbno = agbno.v + i,
			.count = each << g->inopblog, .isize = g->inodesize, .length = each, .gen = n->gen,
		};

		xfs_log_icreate_encode_as(xfs_items_region(it->j, sizeof(struct xfs_log_icreate_disk)), &c,
					  it->j->log->le);
	}
}

/* ---- buffers ---- */

/* What a block of a directory or of attributes is, its magic tells; it may have changed since it was joined. */
static enum xfs_blft content_by_magic(const uint8_t *p)
{
	switch (xfs_be32(p)) {
	case XFS_DIR3_BLOCK_MAGIC:
		return XFS_BLFT_DIR_BLOCK;
	case XFS_DIR3_DATA_MAGIC:
		return XFS_BLFT_DIR_DATA;
	case XFS_DIR3_FREE_MAGIC:
		return XFS_BLFT_DIR_FREE;
	case XFS_ATTR_REMOTE_MAGIC:
		return XFS_BLFT_ATTR_REMOTE;
	case XFS_SYMLINK_MAGIC:
		return XFS_BLFT_SYMLINK;
	}
	switch (xfs_be16(p + 8)) {
	case XFS_DIR3_LEAF1_MAGIC:
		return XFS_BLFT_DIR_LEAF1;
	case XFS_DIR3_LEAFN_MAGIC:
		return XFS_BLFT_DIR_LEAFN;
	case XFS_DA3_NODE_MAGIC:
		return XFS_BLFT_DA_NODE;
	case XFS_ATTR_LEAF_MAGIC:
		return XFS_BLFT_ATTR_LEAF;
	}
	return XFS_BLFT_UNKNOWN;
}

static enum xfs_blft content_of(const struct xfs_buf_type *type, const uint8_t *p)
{
	switch (type - xfs_buf_types) {
	case XFS_BLK_SB:
		return XFS_BLFT_SB;
	case XFS_BLK_AGF:
		return XFS_BLFT_AGF;
	case XFS_BLK_AGI:
		return XFS_BLFT_AGI;
	case XFS_BLK_AGFL:
		return XFS_BLFT_AGFL;
	case XFS_BLK_RT_BITMAP:
		return XFS_BLFT_RTBITMAP;
	case XFS_BLK_RT_SUMMARY:
		return XFS_BLFT_RTSUMMARY;
	case XFS_BLK_BNOBT:
	case XFS_BLK_CNTBT:
	case XFS_BLK_INOBT:
	case XFS_BLK_FINOBT:
	case XFS_BLK_RMAPBT:
	case XFS_BLK_REFCBT:
	case XFS_BLK_BMBT:
	case XFS_BLK_RTRMAPBT:
	case XFS_BLK_RTREFCBT:
		return XFS_BLFT_BTREE;
	}
	return content_by_magic(p);
}

/* The first region of a buffer item, its map empty. */
static uint8_t *put_format(struct xfs_journal *j, const struct xfs_log_buf *b)
{
	uint32_t words = b->map_size;
	uint8_t *p = xfs_items_region(j, (uint32_t)sizeof(struct xfs_log_buf_disk) + 4 * words);

	xfs_log_buf_encode_as(p, b, j->log->le);
	return p;
}

static uint32_t map_words(uint32_t bbs)
{
	return (uint32_t)xfs_ceil_div((uint64_t)bbs * XFS_BBSIZE / XFS_CHANGE_CHUNK, 32);
}

static void put_cancel(struct xfs_journal *j, const struct xfs_logged *l)
{
	struct xfs_log_buf b = {
		.type = XFS_LI_BUF, .size = 1, .flags = XFS_BLF_CANCEL, .len = (uint16_t)l->bbs, .blkno = l->daddr,
		.map_size = map_words(l->bbs),
	};

	put_format(j, &b);
}

static bool bit(const uint64_t *v, uint32_t k)
{
	return v[k / 64] >> k % 64 & 1;
}

/* All of a buffer that the active log has no image of, else what has changed; a run of chunks is one region. */
static void put_image(const struct xfs_items *it, const struct xfs_logged *l)
{
	const uint32_t chunks = l->bbs * XFS_BBSIZE / XFS_CHANGE_CHUNK;
	const uint8_t *data = xfs_items_contents(it, l);
	struct xfs_log_buf b = {
		.type = XFS_LI_BUF, .flags = (uint16_t)(content_of(l->type, data) << XFS_BLF_TYPE_SHIFT),
		.len = (uint16_t)l->bbs, .blkno = l->daddr, .map_size = map_words(l->bbs),
	};
	uint8_t *format = put_format(it->j, &b), *map = format + sizeof(struct xfs_log_buf_disk);
	bool le = it->j->log->le;
	unsigned regions = 1;

	for (uint32_t k = 0, n; k < chunks; k += n ? n : 1) {
		for (n = 0; k + n < chunks && (!l->imaged || bit(l->ranges, k + n)); n++) {
			uint8_t *word = map + (k + n) / 32 * 4;

			xfs_st32(word, le, xfs_ld32(word, le) | UINT32_C(1) << (k + n) % 32);
		}
		if (!n)
			continue;
		xfs_items_borrow(it->j, data + k * XFS_CHANGE_CHUNK, n * XFS_CHANGE_CHUNK);
		regions++;
	}
	xfs_st16(format + XFS_OFF(log_buf, size), le, (uint16_t)regions);
}

void xfs_items_put_blocks(const struct xfs_items *it)
{
	struct xfs_journal *j = it->j;

	for (size_t i = 0; i < j->nicreates; i++)
		put_icreate(it, &j->icreates[i]);
	for (uint32_t k = 0; k < j->nlisted; k++) {
		const struct xfs_logged *l = &j->v[j->listed[k]];

		if (l->cancel)
			put_cancel(j, l);
		if (l->image)
			put_image(it, l);
	}
	for (uint32_t k = 0; k < j->nlisted;)
		k += j->v[j->listed[k]].inodes ? xfs_items_put_links(it, k) : 1;
}
