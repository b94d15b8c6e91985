/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.c - buffers that transactions of one LSN change: found again, judged once, stamped and written together. */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dquot.h"

#include <stdlib.h>

/* ---- look-up ---- */

static uint32_t *slot_of(const struct replay *rp, uint64_t daddr, uint32_t bbs)
{
	for (size_t i = (size_t)xfs_mix2(&rp->mix, daddr, bbs) & (rp->nindex - 1);; i = (i + 1) & (rp->nindex - 1)) {
		uint32_t k = rp->index[i];

		if (!k || (rp->batch[k - 1].daddr == daddr && rp->batch[k - 1].bbs == bbs))
			return &rp->index[i];
	}
}

static int grow_index(struct replay *rp)
{
	size_t n = rp->nindex ? 2 * rp->nindex : 1024;
	uint32_t *index = calloc(n, sizeof(*index));

	if (!index)
		return -XFS_E_NOMEM;
	xfs_mix_init(&rp->mix);
	free(rp->index);
	rp->index = index;
	rp->nindex = n;
	for (size_t i = 0; i < rp->nbatch; i++) {
		uint32_t *slot = slot_of(rp, rp->batch[i].daddr, rp->batch[i].bbs);

		*slot = (uint32_t)i + 1;
		rp->batch[i].slot = (uint32_t)(slot - index);
	}
	return 0;
}

int replay_touch(struct replay *rp, uint64_t daddr, uint32_t bbs, struct touched **out)
{
	struct xfs_buf *buf;
	uint32_t *slot;
	int err;

	if (2 * (rp->nbatch + 1) > rp->nindex && grow_index(rp))
		return -XFS_E_NOMEM;
	slot = slot_of(rp, daddr, bbs);
	if (*slot) {
		*out = &rp->batch[*slot - 1];
		return 0;
	}
	err = xfs_buf_get1(rp->fs->cache, daddr, bbs, NULL, 0, &buf);
	if (err == -XFS_E_OVERLAP) {
		/* the same blocks in another shape: what is there must be in place first */
		err = replay_settle(rp);
		if (!err)
			err = xfs_buf_get1(rp->fs->cache, daddr, bbs, NULL, 0, &buf);
		slot = slot_of(rp, daddr, bbs);
	}
	if (err)
		return err;
	if (xfs_grow_to(&rp->batch, &rp->batch_room, rp->nbatch + 1, sizeof(*rp->batch))) {
		xfs_buf_put(buf);
		return -XFS_E_NOMEM;
	}
	rp->batch[rp->nbatch++] = (struct touched){ .buf = buf, .daddr = daddr, .bbs = bbs,
						   .slot = (uint32_t)(slot - rp->index) };
	*slot = (uint32_t)rp->nbatch;
	*out = &rp->batch[rp->nbatch - 1];
	return 0;
}

void replay_dirty(struct touched *t)
{
	t->dirty = true;
}

/* ---- what a block is ---- */

#define KINDS(...) { __VA_ARGS__, XFS_BLK_KINDS }
static const enum xfs_block_kind kinds_of[XFS_BLFT_COUNT][10] = {
	[XFS_BLFT_UNKNOWN] = { XFS_BLK_KINDS }, [XFS_BLFT_UDQUOT] = { XFS_BLK_KINDS },
	[XFS_BLFT_PDQUOT] = { XFS_BLK_KINDS }, [XFS_BLFT_GDQUOT] = { XFS_BLK_KINDS },
	[XFS_BLFT_INODES] = { XFS_BLK_KINDS },
	[XFS_BLFT_BTREE] = KINDS(XFS_BLK_BNOBT, XFS_BLK_CNTBT, XFS_BLK_INOBT, XFS_BLK_FINOBT, XFS_BLK_RMAPBT,
				 XFS_BLK_REFCBT, XFS_BLK_BMBT, XFS_BLK_RTRMAPBT, XFS_BLK_RTREFCBT),
	[XFS_BLFT_AGF] = KINDS(XFS_BLK_AGF), [XFS_BLFT_AGFL] = KINDS(XFS_BLK_AGFL), [XFS_BLFT_AGI] = KINDS(XFS_BLK_AGI),
	[XFS_BLFT_SYMLINK] = KINDS(XFS_BLK_SYMLINK), [XFS_BLFT_DIR_BLOCK] = KINDS(XFS_BLK_DIR_BLOCK),
	[XFS_BLFT_DIR_DATA] = KINDS(XFS_BLK_DIR_DATA), [XFS_BLFT_DIR_FREE] = KINDS(XFS_BLK_DIR_FREE),
	[XFS_BLFT_DIR_LEAF1] = KINDS(XFS_BLK_DIR_LEAF1), [XFS_BLFT_DIR_LEAFN] = KINDS(XFS_BLK_DIR_LEAFN),
	[XFS_BLFT_DA_NODE] = KINDS(XFS_BLK_DA_NODE), [XFS_BLFT_ATTR_LEAF] = KINDS(XFS_BLK_ATTR_LEAF),
	[XFS_BLFT_ATTR_REMOTE] = KINDS(XFS_BLK_ATTR_REMOTE), [XFS_BLFT_SB] = KINDS(XFS_BLK_SB),
	[XFS_BLFT_RTBITMAP] = KINDS(XFS_BLK_RT_BITMAP), [XFS_BLFT_RTSUMMARY] = KINDS(XFS_BLK_RT_SUMMARY),
};
#undef KINDS

/* XFS_BLK_KINDS: none. */
static enum xfs_block_kind kind_of(const struct xfs_geometry *g, unsigned content, const uint8_t *p, uint32_t len)
{
	if (content >= XFS_BLFT_COUNT)
		return XFS_BLK_KINDS;
	for (const enum xfs_block_kind *k = kinds_of[content]; *k != XFS_BLK_KINDS; k++)
		if (xfs_block_form(*k, g->v5, p, len))
			return *k;
	return XFS_BLK_KINDS;
}

unsigned replay_content(const struct xfs_geometry *g, const uint8_t *p, uint32_t len)
{
	for (unsigned content = 0; content < XFS_BLFT_COUNT; content++)
		if (kind_of(g, content, p, len) != XFS_BLK_KINDS)
			return content;
	return XFS_BLFT_UNKNOWN;
}

bool replay_stamp(const struct xfs_geometry *g, unsigned content, uint8_t *p, uint32_t len, uint64_t lsn)
{
	enum xfs_block_kind kind = kind_of(g, content, p, len);
	const struct xfs_blockform *f;

	if (kind == XFS_BLK_KINDS)
		return false;
	f = xfs_block_form(kind, g->v5, p, len);
	if (!g->v5)
		return true;
	if (kind == XFS_BLK_ATTR_REMOTE) {
		/* each filesystem block has a header of its own, and never an LSN */
		for (uint32_t at = 0; at + g->blocksize <= len; at += g->blocksize)
			xfs_blockform_seal(f, true, p + at, g->blocksize);
		return true;
	}
	if (lsn != XFS_NULL64 && f->lsn != XFS_NO_POS && f->lsn + 8u <= len)
		xfs_put_be64(p + f->lsn, lsn);
	xfs_blockform_seal(f, true, p, len);
	return true;
}

/* Contents without a header that says anything: they are taken as they are. */
static bool is_bare(const struct xfs_geometry *g, unsigned content)
{
	switch (content) {
	case XFS_BLFT_RTBITMAP: case XFS_BLFT_RTSUMMARY:
		return !g->metadir;
	case XFS_BLFT_AGFL: case XFS_BLFT_SYMLINK: case XFS_BLFT_ATTR_REMOTE: case XFS_BLFT_UNKNOWN:
		return !g->v5;
	default:
		return !g->v5 && content >= XFS_BLFT_COUNT;
	}
}

static bool lsn_counts(const struct replay *rp, uint64_t lsn)
{
	return lsn && lsn != XFS_NULL64 && lsn >= rp->lsn;
}

/* Bytes of the filesystem's uuid in a block of this form. */
static uint32_t uuid_at(const struct replay *rp, const struct xfs_blockform *f)
{
	if (f->type != XT_SB)
		return f->uuid;
	if (xfs_sb_has_incompat(&rp->geo.sb, XFS_SB_INCOMPAT_META_UUID))
		return (uint32_t)XFS_OFF(sb, meta_uuid);
	return (uint32_t)XFS_OFF(sb, uuid);
}

bool replay_is_newer(struct replay *rp, const struct touched *t)
{
	const uint8_t *p = t->buf->data;
	const struct xfs_blockform *f = rp->geo.v5 ? xfs_blockform_of(XT_NONE, true, p, t->buf->len) : NULL;
	struct xfs_finding torn;
	uint32_t uuid;

	/* inodes and dquots have LSNs of their own; remote values and realtime superblocks none that counts */
	if (!f || f->type == XT_INODE || f->type == XT_DQBLK || f->magic5 == XFS_ATTR_REMOTE_MAGIC ||
	    f->lsn == XFS_NO_POS)
		return false;
	uuid = uuid_at(rp, f);
	if (f->lsn + 8u > t->buf->len || (uint64_t)uuid + 16 > t->buf->len || memcmp(p + uuid, rp->geo.uuid, 16) != 0 ||
	    !lsn_counts(rp, xfs_be64(p + f->lsn)))
		return false;
	/* a part of a directory block has the checksum of the whole */
	if (replay_is_beyond(rp, xfs_be64(p + f->lsn)) || (f->type == XT_DIR && t->buf->len < rp->geo.dirblksize))
		return true;
	if (xfs_crc32c_check(p, t->buf->len, f->crc))
		return true;
	/*
	 * Torn while it was written: all that differs between the old and the new block is in the log, from this LSN on
	 * or earlier.
	 */
	rp->out->counts.torn_blocks++;
	torn = xfs_finding_of(XFS_F_BLOCK_CRC, f->name);
	xfs_finding_detail(&torn, "daddr %llu: replayed over", (unsigned long long)t->daddr);
	xfs_finding_emit(rp->sink, &torn);
	return false;
}

/* ---- the end of a batch ---- */

unsigned replay_stamp_by_data(struct replay *rp, struct xfs_buf *b, uint64_t daddr, uint64_t lsn)
{
	unsigned content = XFS_BLFT_UNKNOWN;

	if (rp->careful && rp->geo.v5)
		content = replay_content(&rp->geo, b->data, b->len);
	if (content == XFS_BLFT_UNKNOWN || replay_is_misplaced(rp, content, daddr) ||
	    !replay_stamp(&rp->geo, content, b->data, b->len, lsn))
		return XFS_BLFT_UNKNOWN;
	return content;
}

static int finish_block(struct replay *rp, struct touched *t)
{
	struct xfs_block_ctx ctx = { .geo = &rp->geo };
	struct xfs_buf *b = t->buf;
	struct xfs_finding why;
	enum xfs_block_kind kind;

	if (!t->stamp || is_bare(&rp->geo, t->content))
		return 0;
	if (!replay_stamp(&rp->geo, t->content, b->data, b->len, rp->lsn)) {
		unsigned content = replay_stamp_by_data(rp, b, t->daddr, rp->lsn);

		if (content == XFS_BLFT_UNKNOWN)
			return replay_bad(rp, "buf", t->daddr, "what stands there is not what the log says that it is");
		t->content = (uint8_t)content;
	}
	kind = kind_of(&rp->geo, t->content, b->data, b->len);
	if (kind == XFS_BLK_ATTR_REMOTE || !xfs_block_verify(&ctx, kind, b->data, b->len, t->daddr, &why))
		return 0;
	xfs_finding_emit(rp->sink, &why);
	return replay_bad(rp, "buf", t->daddr, "the block is not valid after the change");
}

int replay_settle(struct replay *rp)
{
	bool any = false;
	int err = 0;

	for (size_t i = 0; i < rp->nbatch; i++) {
		struct touched *t = &rp->batch[i];

		if (t->dirty && !err)
			err = finish_block(rp, t);
		if (err == -XFS_E_CORRUPT && rp->careful) {
			err = replay_left_block(rp, t, t->content, t->buf->data, true);
			if (!err)
				err = replay_take_back(rp, t);
			rp->careful->left_out++;
		}
		if (t->dirty && !err)
			err = xfs_buf_dirty(t->buf, NULL);
		any |= t->dirty;
		rp->index[t->slot] = 0;
		xfs_buf_put(t->buf);
	}
	rp->nbatch = 0;
	rp->batch_trans = rp->trans;
	return !err && any ? xfs_buf_flush(rp->fs->cache) : err;
}
