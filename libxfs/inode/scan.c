/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - all inodes of an AG by its inobt. */
#include "libxfs/inode/scan.h"

#define CHUNKS 32u			/* read ahead together */
#define MAX_BLOCKS 64u			/* of one chunk: 64 inodes of at most one block each */

void xfs_inobt_load(const struct xfs_geometry *g, struct xfs_inobt_rec *out, const void *rec)
{
	xfs_inobt_rec_decode(out, rec);
	if (!g->sparse) {
		uint32_t n = xfs_inobt_rec_get_freecount32(rec);

		out->holemask = 0;
		out->count = XFS_INODES_PER_CHUNK;
		out->freecount = n > XFS_INODES_PER_CHUNK ? UINT8_MAX : (uint8_t)n;
	}
}

uint64_t xfs_inobt_existing(uint16_t holemask)
{
	uint64_t mask = 0;

	for (unsigned k = 0; k < 16; k++)
		if (!(holemask >> k & 1))
			mask |= UINT64_C(0xf) << 4 * k;
	return mask;
}

bool xfs_inobt_valid(const struct xfs_geometry *g, xfs_agno_t agno, const struct xfs_inobt_rec *r)
{
	uint64_t mask = xfs_inobt_existing(r->holemask), last = (uint64_t)r->startino + XFS_INODES_PER_CHUNK - 1;
	uint32_t align = g->cluster_align > 1 ? g->cluster_align << g->inopblog : 1;

	if (!mask || last > UINT32_MAX || !xfs_agino_valid(g, agno, r->startino + (uint32_t)__builtin_ctzll(mask)) ||
	    !xfs_agino_valid(g, agno, r->startino + 63u - (uint32_t)__builtin_clzll(mask)))
		return false;
	/* blocks of more than 64 inodes hold several chunks, so only the chunk itself is aligned there */
	if (r->startino % xfs_min(align, XFS_INODES_PER_CHUNK))
		return false;
	return r->count == __builtin_popcountll(mask) && r->freecount == __builtin_popcountll(r->free & mask);
}

struct scan {
	struct xfs_fs *fs;
	xfs_agno_t agno;
	unsigned flags;
	xfs_inode_fn fn;
	void *payload;
	const struct xfs_sink *sink;
	struct xfs_inobt_rec recs[CHUNKS];
	unsigned n;
	uint64_t next;			/* lowest start that a further record may have */
};

/* First block of the run of existing inodes at `i` (cut at blocks), and the inode behind that block. */
static uint32_t block_of(const struct scan *s, const struct xfs_inobt_rec *r, unsigned i, unsigned *end)
{
	uint32_t agino = r->startino + i, per = UINT32_C(1) << s->fs->geo.inopblog;

	*end = (unsigned)xfs_min(i + per - agino % per, XFS_INODES_PER_CHUNK);
	return agino >> s->fs->geo.inopblog;
}

static bool any_exists(const struct xfs_inobt_rec *r, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		if (xfs_chunk_has_inode(r->holemask, i))
			return true;
	return false;
}

static void read_ahead(struct scan *s)
{
	const struct xfs_geometry *g = &s->fs->geo;
	struct xfs_buf_extent e[CHUNKS * MAX_BLOCKS];
	struct xfs_buf_want w[CHUNKS * MAX_BLOCKS];
	size_t m = 0;

	for (unsigned k = 0; k < s->n; k++)
		for (unsigned i = 0, end; i < XFS_INODES_PER_CHUNK; i = end) {
			uint32_t block = block_of(s, &s->recs[k], i, &end);

			if (!any_exists(&s->recs[k], i, end) || !xfs_agbno_range_valid(g, s->agno, block, 1))
				continue;
			e[m] = (struct xfs_buf_extent){ xfs_agbno_daddr(g, s->agno, XFS_AGBNO(block)).v,
						       g->blocksize / XFS_BBSIZE };
			w[m] = (struct xfs_buf_want){ &e[m], 1 };
			m++;
		}
	xfs_buf_readahead(s->fs->cache, w, m);
}

static int one_block(struct scan *s, const struct xfs_inobt_rec *r, unsigned from, unsigned end, uint32_t block)
{
	const struct xfs_geometry *g = &s->fs->geo;
	struct xfs_inode_seen seen = { 0 };
	struct xfs_buf *b = NULL;
	int err = 0;

	if (xfs_agbno_range_valid(g, s->agno, block, 1))
		seen.error = xfs_buf_get1(s->fs->cache, xfs_agbno_daddr(g, s->agno, XFS_AGBNO(block)).v,
					  g->blocksize / XFS_BBSIZE, xfs_block_type(XFS_BLK_INODES), 0, &b);
	else
		seen.error = -XFS_E_RANGE;
	for (unsigned i = from; i < end && !err; i++) {
		uint32_t agino = r->startino + i;

		seen.free = r->free >> i & 1;
		if (!xfs_chunk_has_inode(r->holemask, i) || (seen.free && !(s->flags & XFS_SCAN_FREE)))
			continue;
		seen.ino = xfs_ino_of(g, s->agno, XFS_AGINO(agino));
		seen.raw = b ? b->data + ((size_t)(agino & ((1u << g->inopblog) - 1)) << g->inodelog) : NULL;
		err = s->fn(s->payload, &seen);
	}
	xfs_buf_put(b);
	return err;
}

static int batch(struct scan *s)
{
	int err = 0;

	read_ahead(s);
	for (unsigned k = 0; k < s->n && !err; k++)
		for (unsigned i = 0, end; i < XFS_INODES_PER_CHUNK && !err; i = end) {
			uint32_t block = block_of(s, &s->recs[k], i, &end);

			if (any_exists(&s->recs[k], i, end))
				err = one_block(s, &s->recs[k], i, end, block);
		}
	s->n = 0;
	return err;
}

static int one_record(void *payload, const void *rec)
{
	struct scan *s = payload;
	struct xfs_inobt_rec *r = &s->recs[s->n];

	bool ordered;

	xfs_inobt_load(&s->fs->geo, r, rec);
	ordered = r->startino >= s->next;
	if (!ordered || !xfs_inobt_valid(&s->fs->geo, s->agno, r)) {
		struct xfs_finding f = xfs_finding_of(ordered ? XFS_F_BTREE_RECORD : XFS_F_BTREE_ORDER, "inobt");

		f.agno = s->agno.v;
		f.found = r->startino;
		f.field = "startino";
		xfs_finding_emit(s->sink, &f);
		/* a tree that comes back to the same records would never end */
		return ordered ? 0 : -XFS_E_CORRUPT;
	}
	s->next = (uint64_t)r->startino + XFS_INODES_PER_CHUNK;
	s->n++;
	return s->n == CHUNKS ? batch(s) : 0;
}

int xfs_inodes_each(struct xfs_fs *fs, xfs_agno_t agno, unsigned flags, xfs_inode_fn fn, void *payload,
		    const struct xfs_sink *sink)
{
	struct scan s = { .fs = fs, .agno = agno, .flags = flags, .fn = fn, .payload = payload, .sink = sink };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(fs, agno, XFS_BTREE_INO, &bt);

	if (!err)
		err = xfs_btree_query_all(&bt, one_record, &s);
	if (!err && s.n)
		err = batch(&s);
	return err;
}
