/* SPDX-License-Identifier: BSD-2-Clause */
/* ag_headers.c - AGF, AGI and AGFL of a built AG (format sheet 01, sections 9 and 11). */
#include "libxfs/base/crc32c.h"
#include "libxfs/build/ag_private.h"
#include "libxfs/ondisk/agheaders.h"

#include <stdlib.h>

static uint64_t blocks_behind_root(const struct ag_tree *t)
{
	return t->present && t->blocks ? t->blocks - 1 : 0;
}

static void seal_sector(const struct ag_build *b, uint8_t *sector, size_t crc_off)
{
	if (b->geo->v5)
		xfs_crc32c_store(sector, b->geo->sectsize, crc_off);
}

static void make_agf(const struct ag_build *b, struct xfs_ag_switch *out, uint32_t flfirst)
{
	const struct ag_tree *t = b->tree;
	uint32_t size = b->geo->agfl_size;
	struct xfs_agf agf = {
		.magicnum = XFS_AGF_MAGIC, .versionnum = XFS_AG_HEADER_VERSION, .seqno = b->want->agno.v,
		.length = b->length, .bnoroot = t[XFS_TREE_BNO].root, .cntroot = t[XFS_TREE_CNT].root,
		.rmaproot = t[XFS_TREE_RMAP].root, .refcntroot = t[XFS_TREE_REFC].root,
		.bnolevel = t[XFS_TREE_BNO].levels, .cntlevel = t[XFS_TREE_CNT].levels,
		.rmaplevel = t[XFS_TREE_RMAP].levels, .refcntlevel = t[XFS_TREE_REFC].levels,
		.rmapblocks = t[XFS_TREE_RMAP].blocks, .refcntblocks = t[XFS_TREE_REFC].blocks,
		.flfirst = flfirst, .flcount = (uint32_t)out->flcount, .lsn = b->want->lsn,
	};

	agf.fllast = (uint32_t)((flfirst + out->flcount + size - 1) % size);
	agf.freeblks = (uint32_t)out->freeblks;
	agf.longest = b->longest;
	if (b->geo->lazycount)		/* nobody else keeps it up to date */
		agf.btreeblks = (uint32_t)out->btreeblks;
	if (b->geo->v5)
		memcpy(agf.uuid, b->geo->uuid, sizeof(agf.uuid));
	else
		agf.lsn = 0;
	xfs_agf_encode(out->agf, &agf);
	seal_sector(b, out->agf, XFS_OFF(agf, crc));
}

static void make_agi(const struct ag_build *b, struct xfs_ag_switch *out)
{
	const struct ag_tree *ino = &b->tree[XFS_TREE_INO], *fino = &b->tree[XFS_TREE_FINO];
	struct xfs_agi agi = {
		.magicnum = XFS_AGI_MAGIC, .versionnum = XFS_AG_HEADER_VERSION, .seqno = b->want->agno.v,
		.length = b->length, .count = (uint32_t)out->icount, .freecount = (uint32_t)out->ifree,
		.root = ino->root, .level = ino->levels, .newino = b->want->newino, .dirino = XFS_NULL32,
		.lsn = b->want->lsn,
	};

	if (fino->present) {
		agi.free_root = fino->root;
		agi.free_level = fino->levels;
	}
	if (b->geo->inobtcnt) {
		agi.ino_blocks = ino->blocks;
		agi.fino_blocks = fino->present ? fino->blocks : 0;
	}
	if (b->geo->v5)
		memcpy(agi.uuid, b->geo->uuid, sizeof(agi.uuid));
	else
		agi.lsn = 0;
	xfs_agi_encode(out->agi, &agi);
	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++)
		xfs_put_be32(out->agi + XFS_AGI_UNLINKED_OFF + 4 * i,
			     b->want->unlinked ? b->want->unlinked[i] : XFS_NULL32);
	seal_sector(b, out->agi, XFS_OFF(agi, crc));
}

/* The k-th block of the free list: what trees did not need, then what was taken for it. */
static uint32_t agfl_block(const struct ag_build *b, uint32_t k)
{
	if (b->want->agfl)
		return b->want->agfl[k];
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++) {
		const struct ag_tree *tree = &b->tree[t];
		uint32_t over = tree->taken ? tree->taken - tree->blocks : 0;

		if (k < over)
			return b->blocks[tree->first + tree->blocks + k];
		k -= over;
	}
	return b->blocks[b->agfl_first + k];
}

static uint32_t agfl_count(const struct ag_build *b)
{
	uint32_t n = b->agfl_blocks;

	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		n += b->tree[t].taken ? b->tree[t].taken - b->tree[t].blocks : 0;
	return b->want->agfl ? b->want->nagfl : n;
}

static void make_agfl(const struct ag_build *b, struct xfs_ag_switch *out, uint32_t flfirst)
{
	bool v5 = b->geo->v5;
	uint32_t size = b->geo->agfl_size;

	if (v5) {
		struct xfs_agfl agfl = { .magicnum = XFS_AGFL_MAGIC, .seqno = b->want->agno.v, .lsn = b->want->lsn };

		memcpy(agfl.uuid, b->geo->uuid, sizeof(agfl.uuid));
		xfs_agfl_encode(out->agfl, &agfl);
	}
	for (uint32_t i = 0; i < size; i++)
		xfs_put_be32(out->agfl + xfs_agfl_slot_off(v5, i), XFS_NULL32);
	for (uint32_t i = 0; i < out->flcount; i++)
		xfs_put_be32(out->agfl + xfs_agfl_slot_off(v5, (flfirst + i) % size), agfl_block(b, i));
	seal_sector(b, out->agfl, XFS_OFF(agfl, crc));
}

static void count(const struct ag_build *b, struct xfs_ag_switch *out)
{
	out->freeblks = b->left_blocks;
	out->flcount = agfl_count(b);
	out->btreeblks = blocks_behind_root(&b->tree[XFS_TREE_BNO]) + blocks_behind_root(&b->tree[XFS_TREE_CNT]) +
			 blocks_behind_root(&b->tree[XFS_TREE_RMAP]);
	for (size_t i = 0; i < b->want->nchunks; i++) {
		out->icount += b->geo->sparse ? b->want->chunks[i].count : 64;
		out->ifree += b->want->chunks[i].freecount;
	}
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		out->tree_blocks[t] = b->tree[t].blocks;
}

int ag_make_headers(const struct ag_build *b, struct xfs_ag_switch *out)
{
	uint32_t flfirst = b->want->agfl_from_zero ? 0 : 1;

	memset(out, 0, sizeof(*out));
	count(b, out);
	if (out->flcount > b->geo->agfl_size)
		return -XFS_E_INTERNAL;
	out->agf = calloc(3, b->geo->sectsize);
	if (!out->agf)
		return -XFS_E_NOMEM;
	out->agi = out->agf + b->geo->sectsize;
	out->agfl = out->agi + b->geo->sectsize;
	make_agf(b, out, flfirst);
	make_agi(b, out);
	make_agfl(b, out, flfirst);
	return 0;
}

void xfs_ag_switch_release(struct xfs_ag_switch *s)
{
	free(s->agf);
	s->agf = s->agi = s->agfl = NULL;
}

int xfs_build_ag_commit(const struct xfs_build_ag *w, const struct xfs_ag_switch *s)
{
	uint64_t off = xfs_ag_header_daddr(w->geo, w->agno, 1).v << XFS_BBSHIFT;

	return xfs_dev_write(w->dev, off, s->agf, (size_t)3 * w->geo->sectsize);
}
