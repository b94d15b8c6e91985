/* SPDX-License-Identifier: BSD-2-Clause */
/* buffers.c - replays buffer items (format sheet 04, section 9.1). */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/dquot.h"

#include <stdlib.h>

static void copy_runs(uint8_t *p, const struct xfs_log_buf_item *b)
{
	struct xfs_log_run run = { .len = 0 };

	while (xfs_log_buf_next(b, &run))
		memcpy(p + run.off, run.p, run.len);
}

static struct replay_image image_of(const struct replay *rp, const struct xfs_log_buf_item *b, bool piece)
{
	struct xfs_log_run run = { .len = 0 };
	bool any = xfs_log_buf_next(b, &run);

	return (struct replay_image){ run.p, any ? run.off : UINT32_MAX, run.len, piece || !rp->geo.v5 ||
		b->content == XFS_BLFT_RTBITMAP || b->content == XFS_BLFT_RTSUMMARY, b->content };
}

/* ---- lists of unlinked inodes ---- */

/* The inode at `at` gets its link to the next one. */
static int set_next(struct replay *rp, uint8_t *raw, const uint8_t *value)
{
	const uint32_t isize = rp->geo.inodesize;

	if (rp->careful && (!replay_is_inode(rp, raw, xfs_be64(raw + XFS_OFF(dinode_v3, inumber))) ||
			    (rp->geo.v5 && replay_is_beyond(rp, xfs_be64(raw + XFS_OFF(dinode_v3, lsn)))))) {
		rp->careful->left_out++;
		return 0;
	}
	if (xfs_be16(raw) != XFS_DINODE_MAGIC || !xfs_be32(value))
		return -XFS_E_CORRUPT;
	memcpy(raw + XFS_OFF(dinode_core, next_unlinked), value, 4);
	if (rp->geo.v5 && raw[XFS_OFF(dinode_core, version)] >= 3)
		xfs_crc32c_store(raw, isize, XFS_DINODE_CRC_OFF);
	return 0;
}

/* Of each inode whose link lies in a logged chunk, the link alone. */
static int replay_links(struct replay *rp, struct touched *t, const struct xfs_log_buf_item *b)
{
	const uint32_t isize = rp->geo.inodesize, field = (uint32_t)XFS_OFF(dinode_core, next_unlinked);
	struct xfs_log_run run = { .len = 0 };

	while (xfs_log_buf_next(b, &run)) {
		/* chunks are of 128 bytes, so a link never lies across two runs */
		uint32_t first = run.off > field ? (uint32_t)xfs_ceil_div(run.off - field, isize) : 0;

		for (uint64_t at = (uint64_t)first * isize; at + field + 4 <= run.off + run.len; at += isize) {
			if (at + isize > t->buf->len)
				break;
			if (set_next(rp, t->buf->data + at, run.p + (at + field - run.off)))
				return replay_bad(rp, "buf", t->daddr, "the link of an unlinked inode is not valid");
			rp->out->counts.unlinks++;
			replay_dirty(t);
		}
	}
	return 0;
}

/* ---- quota ---- */

static unsigned dquot_type(const struct xfs_log_buf_item *b)
{
	if (b->content == XFS_BLFT_UDQUOT || (b->flags & XFS_BLF_UDQUOT))
		return XFS_DQTYPE_USER;
	if (b->content == XFS_BLFT_PDQUOT || (b->flags & XFS_BLF_PDQUOT))
		return XFS_DQTYPE_PROJ;
	return b->content == XFS_BLFT_GDQUOT || (b->flags & XFS_BLF_GDQUOT) ? XFS_DQTYPE_GROUP : 0;
}

static bool dquot_is_valid(const uint8_t *p)
{
	struct xfs_disk_dquot d;

	xfs_disk_dquot_decode(&d, p);
	return d.magic == XFS_DQUOT_MAGIC && d.version == XFS_DQUOT_VERSION;
}

/* A block of a quota file that was just made: records have their own checksums. */
static int replay_dquots(struct replay *rp, struct touched *t, const struct xfs_log_buf_item *b)
{
	struct xfs_log_run run = { .len = 0 };
	uint32_t n = xfs_dquot_per_block(t->buf->len);
	int err = 0;

	while (xfs_log_buf_next(b, &run))
		if (run.len < sizeof(struct xfs_disk_dquot_disk) || !dquot_is_valid(run.p))
			return replay_bad(rp, "buf", t->daddr, "a dquot in the log is not valid");
	if (!t->judged) {
		struct replay_image image = image_of(rp, b, true);

		t->newer = replay_is_taken(rp, t, &image, &err);
		t->judged = true;
	}
	if (t->newer || err)
		return err;
	copy_runs(t->buf->data, b);
	for (uint32_t i = 0; rp->geo.v5 && i < n; i++) {
		uint8_t *p = t->buf->data + (size_t)i * sizeof(struct xfs_dquot_disk);

		if (dquot_is_valid(p))
			xfs_crc32c_store(p, sizeof(struct xfs_dquot_disk), XFS_OFF(dquot, crc));
	}
	replay_dirty(t);
	return 0;
}

/* ---- all others ---- */

/* Directory blocks may be logged piece by piece; nodes of attributes look the same, and are whole. */
static bool is_piece(const struct replay *rp, const struct xfs_log_buf_item *b)
{
	if (b->content < XFS_BLFT_DIR_BLOCK || b->content > XFS_BLFT_DA_NODE)
		return false;
	return b->bbs < rp->geo.dirblksize / XFS_BBSIZE;
}

/* The superblock may have grown the filesystem; what comes next is judged by the new one. */
static int renew_geometry(struct replay *rp, const struct touched *t)
{
	struct xfs_geometry fresh;
	const char *why = NULL;
	struct xfs_sb sb;

	if (t->content != XFS_BLFT_SB || t->daddr != 0 || t->buf->len < sizeof(struct xfs_sb_disk))
		return 0;
	xfs_sb_decode(&sb, t->buf->data);
	/* what cannot change while the log is in use */
	if (sb.magicnum != XFS_SB_MAGIC || sb.blocksize != rp->geo.blocksize || sb.sectsize != rp->geo.sectsize ||
	    sb.inodesize != rp->geo.inodesize || sb.agblocks != rp->geo.agblocks || xfs_sb_is_v5(&sb) != rp->geo.v5 ||
	    sb.logstart != rp->geo.sb.logstart || sb.dirblklog != rp->geo.sb.dirblklog ||
	    xfs_geometry_init(&fresh, &sb, NULL, &why))
		return replay_bad(rp, "sb", 0, why ? why : "the superblock in the log is of another filesystem");
	/* it points into itself; what was there stays when the other one is refused */
	return xfs_geometry_init(&rp->geo, &sb, NULL, NULL);
}

/* Headers of AGs stand in front of their AG and nowhere else, and nothing else stands there. */
bool replay_is_misplaced(const struct replay *rp, unsigned content, uint64_t daddr)
{
	uint64_t at = replay_in_ag(rp, daddr);
	uint32_t sector = rp->geo.sectsize / XFS_BBSIZE;

	switch (content) {
	case XFS_BLFT_SB:
		return at != 0;
	case XFS_BLFT_AGF:
		return at != sector;
	case XFS_BLFT_AGI:
		return at != 2 * (uint64_t)sector;
	case XFS_BLFT_AGFL:
		return at != 3 * (uint64_t)sector;
	default:
		return content != XFS_BLFT_UNKNOWN && at < 4 * (uint64_t)sector;
	}
}

/* Bitmaps and summaries have no header: what has one is something else. */
static unsigned content_of(const struct replay *rp, const struct touched *t, const struct xfs_log_buf_item *b)
{
	bool bare = b->content == XFS_BLFT_RTBITMAP || b->content == XFS_BLFT_RTSUMMARY;

	return bare && rp->careful && replay_says_what_it_is(rp, t) ? XFS_BLFT_UNKNOWN : b->content;
}

/* V4, careful: images of new chunks come as buffers, and inodes have no LSN; those that were used since stay. */
static int copy_block(struct replay *rp, struct touched *t, const struct xfs_log_buf_item *b)
{
	const uint32_t isize = rp->geo.inodesize;
	struct xfs_log_run run = { .len = 0 };
	uint8_t *p = t->buf->data, *old;

	if (!rp->careful || rp->geo.v5 || !xfs_log_buf_next(b, &run) || xfs_be16(run.p) != XFS_DINODE_MAGIC) {
		copy_runs(p, b);
		return 0;
	}
	old = malloc(t->buf->len);
	if (!old)
		return -XFS_E_NOMEM;
	memcpy(old, p, t->buf->len);
	copy_runs(p, b);
	for (uint32_t at = 0; at + isize <= t->buf->len; at += isize)
		if (replay_lives_on(old + at, p + at))
			memcpy(p + at, old + at, isize);
	free(old);
	return 0;
}

static int replay_block(struct replay *rp, struct touched *t, const struct xfs_log_buf_item *b)
{
	unsigned content = content_of(rp, t, b);
	bool piece = is_piece(rp, b);
	int err = 0;

	if (!t->judged) {
		struct replay_image image = image_of(rp, b, piece);

		t->newer = replay_is_newer(rp, t) || replay_is_taken(rp, t, &image, &err);
		t->judged = true;
	}
	if (t->newer || err) {
		rp->out->counts.buffers_newer++;
		return err;
	}
	err = copy_block(rp, t, b);
	if (err)
		return err;
	replay_dirty(t);
	t->content = (uint8_t)content;
	t->stamp = b->content != XFS_BLFT_INODES && !piece;
	if (piece) {
		err = replay_add_piece(rp, t->daddr);
		/* a node of attributes is whole, and nothing else will look at it */
		if (!err && b->content == XFS_BLFT_DA_NODE && b->bbs == rp->geo.blocksize / XFS_BBSIZE)
			replay_stamp(&rp->geo, b->content, t->buf->data, t->buf->len, XFS_NULL64);
	}
	rp->out->counts.buffers++;
	if (!err)
		err = renew_geometry(rp, t);
	return err == -XFS_E_CORRUPT && rp->careful && replay_take_back(rp, t) ? -XFS_E_IO : err;
}

int replay_buf(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_buf_item b;
	struct touched *t;
	unsigned quota;
	int err;

	replay_load_buf(rp, &b, it);
	if (xfs_cancels_has(&rp->cancels, b.daddr, b.bbs)) {
		rp->out->counts.buffers_cancelled++;
		return 0;
	}
	replay_builds_on(rp, b.daddr, b.bbs);
	if (rp->careful && it->nregions < 2)
		return replay_bad(rp, "buf", b.daddr, "it holds nothing");
	quota = dquot_type(&b);
	if (quota && !replay_quota_is_on(rp, quota)) {
		rp->out->counts.dquots_off++;
		return 0;
	}
	err = replay_touch(rp, b.daddr, b.bbs, &t);
	if (err == -XFS_E_RANGE)
		return replay_bad(rp, "buf", b.daddr, "the buffer is not on the device");
	if (err)
		return err;
	if (replay_is_misplaced(rp, b.content, b.daddr) && !(rp->careful && rp->geo.v5))
		return replay_bad(rp, "buf", b.daddr, "what it holds does not belong there");
	if (b.flags & XFS_BLF_INODE_BUF)
		return replay_links(rp, t, &b);
	return quota ? replay_dquots(rp, t, &b) : replay_block(rp, t, &b);
}
