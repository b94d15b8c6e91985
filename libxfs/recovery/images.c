/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * images.c - what a round has changed, as a checkpoint of the log: for each block that differs above and below, a
 * buffer item with the chunks that do.  Done items for the intents go with it, so that all of it happens or none.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/log/close.h"
#include "libxfs/log/writer.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/recovery/private.h"
#include "libxfs/recovery/round.h"

#include <stdlib.h>

struct span {
	size_t off, len;		/* in the bytes of the checkpoint */
};

struct images {
	const struct xfs_geometry *g;
	struct xfs_dev *below, *above;
	uint64_t lsn;			/* that the checkpoint will have */
	bool le;			/* byte order of items */
	uint64_t log_start, log_end;	/* bytes of an internal log; not looked at */
	uint64_t next;			/* byte from which on blocks are still to come */
	uint8_t *bytes;
	size_t nbytes, bytes_room;
	struct span *spans;
	size_t nspans, spans_room;
	uint8_t *old, *new;		/* of one unit, each XFS_BUF_MAXLEN bytes */
};

static void *add_region(struct images *im, size_t len)
{
	if (xfs_grow_to(&im->spans, &im->spans_room, im->nspans + 1, sizeof(*im->spans)) ||
	    xfs_grow_to(&im->bytes, &im->bytes_room, im->nbytes + len, 1))
		return NULL;
	im->spans[im->nspans++] = (struct span){ im->nbytes, len };
	im->nbytes += len;
	return im->bytes + im->nbytes - len;
}

/* ---- one buffer ---- */

/* A piece of the device that is one buffer. */
struct unit {
	uint64_t off;			/* bytes */
	uint32_t len;
	unsigned content;		/* enum xfs_blft */
};

static bool differs(const struct images *im, uint32_t chunk)
{
	return memcmp(im->old + chunk * XFS_LOG_CHUNK, im->new + chunk * XFS_LOG_CHUNK, XFS_LOG_CHUNK) != 0;
}

/* Format and chunks of a buffer whose old and new bytes are there. */
static int add_buffer(struct images *im, const struct unit *u)
{
	uint32_t chunks = u->len / XFS_LOG_CHUNK, words = (uint32_t)xfs_ceil_div(chunks, 32), runs = 0;
	size_t first = im->nspans, head = sizeof(struct xfs_log_buf_disk) + 4 * (size_t)words;
	uint8_t *p = add_region(im, head);

	if (!p)
		return -XFS_E_NOMEM;
	memset(p, 0, head);
	for (uint32_t k = 0, n; k < chunks; k += n) {
		for (n = 0; k + n < chunks && differs(im, k + n); n++) {
			uint8_t *word = im->bytes + im->spans[first].off + sizeof(struct xfs_log_buf_disk) +
					(k + n) / 32 * 4;

			xfs_st32(word, im->le, xfs_ld32(word, im->le) | UINT32_C(1) << ((k + n) % 32));
		}
		if (!n) {
			n = 1;
			continue;
		}
		p = add_region(im, (size_t)n * XFS_LOG_CHUNK);
		if (!p)
			return -XFS_E_NOMEM;
		memcpy(p, im->new + (size_t)k * XFS_LOG_CHUNK, (size_t)n * XFS_LOG_CHUNK);
		runs++;
	}
	p = im->bytes + im->spans[first].off;
	xfs_st16(p, im->le, XFS_LI_BUF);
	xfs_st16(p + 2, im->le, (uint16_t)(1 + runs));
	xfs_st16(p + 4, im->le, (uint16_t)(u->content << XFS_BLF_TYPE_SHIFT));
	xfs_st16(p + 6, im->le, (uint16_t)(u->len / XFS_BBSIZE));
	xfs_st64(p + 8, im->le, u->off / XFS_BBSIZE);
	xfs_st32(p + 16, im->le, words);
	if (!runs) {	/* nothing differs */
		im->nbytes = im->spans[first].off;
		im->nspans = first;
	}
	return 0;
}

/* Inodes that change get the LSN of the checkpoint: older items of the log do not count for them any more. */
static void stamp_inodes(struct images *im, const struct unit *u)
{
	uint32_t size = im->g->inodesize;

	for (uint32_t at = 0; at + size <= u->len && im->g->v5; at += size) {
		if (!memcmp(im->old + at, im->new + at, size) || xfs_be16(im->new + at) != XFS_DINODE_MAGIC)
			continue;
		xfs_put_be64(im->new + at + XFS_DINODE_LSN_OFF, im->lsn);
		xfs_crc32c_store(im->new + at, size, XFS_DINODE_CRC_OFF);
	}
}

/* ---- which buffer ---- */

static int load(struct images *im, const struct unit *u)
{
	int err = xfs_dev_read(im->above, u->off, im->new, u->len);

	return err ? err : xfs_dev_read(im->below, u->off, im->old, u->len);
}

/* Inodes are changed as clusters, where those lie where they must. */
static struct unit cluster_of(const struct images *im, struct unit u, uint64_t ag_start)
{
	uint32_t blocks = im->g->blocks_per_cluster;
	uint64_t agbno = (u.off - ag_start) / im->g->blocksize;

	if (blocks > 1 && im->g->sb.inoalignmt % blocks == 0) {
		u.off = ag_start + agbno / blocks * blocks * im->g->blocksize;
		u.len = blocks * im->g->blocksize;
	}
	return u;
}

/* The unit that byte `off` belongs to, loaded. Superblocks: content XFS_BLFT_SB. */
static int find_unit(struct images *im, uint64_t off, struct unit *u)
{
	const struct xfs_geometry *g = im->g;
	uint64_t ag_bytes = (uint64_t)g->agblocks * g->blocksize, ag_start = off / ag_bytes * ag_bytes;
	static const uint8_t headers[] = { XFS_BLFT_SB, XFS_BLFT_AGF, XFS_BLFT_AGI, XFS_BLFT_AGFL };
	uint64_t sector = (off - ag_start) / g->sectsize;
	int err;

	if (sector < 4) {
		*u = (struct unit){ ag_start + sector * g->sectsize, g->sectsize, headers[sector] };
		return load(im, u);
	}
	*u = (struct unit){ off - (off - ag_start) % g->blocksize, g->blocksize, XFS_BLFT_UNKNOWN };
	err = load(im, u);
	if (err)
		return err;
	if (xfs_be16(im->new) == XFS_DINODE_MAGIC) {
		*u = cluster_of(im, *u, ag_start);
		u->content = XFS_BLFT_INODES;
		return load(im, u);
	}
	u->content = replay_content(g, im->new, u->len);
	/* behind the first block of a directory block there is no header: a piece; the first one names the directory */
	if (u->content == XFS_BLFT_UNKNOWN && g->v5 && g->dirblkfsbs > 1)
		u->content = XFS_BLFT_DIR_DATA;
	/* the log would not know what it is */
	return u->content == XFS_BLFT_UNKNOWN && g->v5 ? -XFS_E_UNSUPPORTED : 0;
}

static int found(void *payload, uint64_t off, uint64_t len)
{
	struct images *im = payload;
	int err = 0;

	for (uint64_t at = xfs_max(off, im->next); at < off + len && !err; at = im->next) {
		struct unit u;

		if (at >= im->log_start && at < im->log_end) {
			im->next = im->log_end;
			continue;
		}
		err = find_unit(im, at, &u);
		if (err)
			break;
		im->next = u.off + u.len;
		if (u.content == XFS_BLFT_INODES)
			stamp_inodes(im, &u);
		/* the counters of the superblock are set at the very end */
		if (u.content != XFS_BLFT_SB)
			err = add_buffer(im, &u);
	}
	return err;
}

/* ---- done items ---- */

static int add_done(struct images *im, const struct xfs_log_item *it)
{
	const struct xfs_log_region *r = &it->regions[0];
	size_t len = it->type == XFS_LI_EFI ? r->len : sizeof(struct xfs_log_done_disk);
	uint16_t type = 0;
	uint8_t *p;

	for (const struct xfs_log_item_kind *k = xfs_log_item_kinds; k->name; k++)
		if (k->role == XFS_LOG_DONE && k->intent == it->type)
			type = k->type;
	p = type ? add_region(im, len) : NULL;
	if (!p)
		return type ? -XFS_E_NOMEM : -XFS_E_UNSUPPORTED;
	if (it->type == XFS_LI_EFI) {	/* the same, with what was freed */
		memcpy(p, r->p, len);
	} else {
		memset(p, 0, len);
		xfs_st64(p + 8, im->le, xfs_log_item_id(it));
	}
	xfs_st16(p, im->le, type);
	xfs_st16(p + 2, im->le, 1);
	return 0;
}

/* ---- the checkpoint ---- */

static void release(struct images *im)
{
	free(im->bytes);
	free(im->spans);
	free(im->old);
	free(im->new);
}

static int prepare(struct images *im, const struct xfs_fs *fs, const struct recovery_round *round)
{
	const struct xfs_sb *sb = &fs->geo.sb;

	im->g = &fs->geo;
	im->below = fs->dev.data;
	im->above = round->top.data;
	if (sb->logstart) {
		im->log_start = xfs_fsbno_byte(&fs->geo, XFS_FSBNO(sb->logstart));
		im->log_end = im->log_start + (uint64_t)sb->logblocks * sb->blocksize;
	}
	im->old = malloc(XFS_BUF_MAXLEN);
	im->new = malloc(XFS_BUF_MAXLEN);
	return im->old && im->new ? 0 : -XFS_E_NOMEM;
}

static int gather(struct images *im, const struct xfs_fs *fs, struct recovery_round *round, bool dones)
{
	int err = prepare(im, fs, round);

	if (!err)
		err = xfs_dev_overlay_changes(im->above, found, im);
	for (size_t i = 0; i < round->r->nintents && dones && !err; i++)
		err = add_done(im, &round->r->intents[i].item);
	return err;
}


static int write_checkpoint(struct xfs_log_writer *w, struct images *im, uint64_t *lsn)
{
	struct xfs_log_region *regions = calloc(im->nspans ? im->nspans : 1, sizeof(*regions));
	int err;

	if (!regions)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < im->nspans; i++)
		regions[i] = (struct xfs_log_region){ im->bytes + im->spans[i].off, (uint32_t)im->spans[i].len };
	err = xfs_log_checkpoint_write(w, regions, im->nspans, lsn);
	free(regions);
	return err;
}

/* What was written last is brought to its place; all before it is there. */
static int replay_last(const struct xfs_devset *dev, struct recovery_round *round, uint64_t lsn)
{
	struct xfs_log_state part = round->r->log;
	struct xfs_recovery last;
	int err;

	part.tail = (uint32_t)lsn;
	part.tail_lsn = lsn;
	err = xfs_recovery_replay_part(dev, &part, &last, round->sink);
	xfs_recovery_free(&last);
	return err;
}

int recovery_bring_down(const struct xfs_devset *dev, struct recovery_round *round, bool dones)
{
	struct xfs_log_writing how = { .record_size = round->r->log.record_size, .behind = true };
	struct images im = { .le = round->r->log_le };
	struct xfs_log_writer *w = NULL;
	struct xfs_fs *fs;
	uint64_t lsn = 0;
	int err = xfs_fs_open(&fs, dev, NULL, round->sink);

	if (err)
		return err;
	how.swapped = im.le != XFS_HOST_LE;
	err = xfs_log_writer_open(&w, fs, &round->r->log, &how);
	if (!err) {
		im.lsn = xfs_log_writer_lsn(w);
		err = gather(&im, fs, round, dones);
	}
	if (!err && im.nspans) {
		err = write_checkpoint(w, &im, &lsn);
		if (!err)
			err = xfs_log_state(fs, &round->r->log);
		if (!err && round->r->log.kind != XFS_LOG_DIRTY)
			err = -XFS_E_INTERNAL;
	}
	xfs_log_writer_close(w);
	xfs_fs_close(fs);
	if (!err && im.nspans)
		err = replay_last(dev, round, lsn);
	release(&im);
	return err;
}

static int log_state_of(const struct xfs_devset *dev, struct xfs_log_state *log, bool close)
{
	struct xfs_fs *fs;
	int err = xfs_fs_open(&fs, dev, NULL, NULL);

	if (err)
		return err;
	err = close ? xfs_log_close(fs, log) : xfs_log_state(fs, log);
	xfs_fs_close(fs);
	return err;
}

int xfs_recovery_bring_down(const struct xfs_devset *dev, struct xfs_dev *above, const struct xfs_sink *sink)
{
	struct xfs_recovery r = { .log_le = XFS_HOST_LE };
	struct recovery_round round = { .r = &r, .sink = sink, .top = { .data = above } };
	int err = log_state_of(dev, &r.log, false);

	if (!err && r.log.kind != XFS_LOG_CLEAN)
		err = -XFS_E_DIRTYLOG;
	if (!err)
		err = recovery_bring_down(dev, &round, false);
	if (!err && r.log.kind == XFS_LOG_DIRTY)
		err = log_state_of(dev, &r.log, true);
	return err;
}

/* ---- without the log ---- */

static int copy_run(void *payload, uint64_t off, uint64_t len)
{
	struct images *im = payload;
	uint64_t end = off + len, sb_end = im->g->sectsize, n;
	int err = 0;

	for (uint64_t at = off; at < end && !err; at += n) {
		uint64_t stop = end;

		if (at < sb_end) {
			n = sb_end - at;
			continue;
		}
		if (at >= im->log_start && at < im->log_end) {
			n = im->log_end - at;
			continue;
		}
		if (at < im->log_start)
			stop = xfs_min(stop, im->log_start);
		n = xfs_min(stop - at, XFS_BUF_MAXLEN);
		err = xfs_dev_read(im->above, at, im->new, (size_t)n);
		if (!err)
			err = xfs_dev_write(im->below, at, im->new, (size_t)n);
	}
	return err;
}

/* The mark that keeps everybody but a repair away. */
static int mark(struct xfs_dev *dev, bool on)
{
	uint8_t *p;
	struct xfs_sb sb;
	int err = xfs_fs_read_sb(dev, 0, &sb);

	if (err || !xfs_sb_is_v5(&sb))
		return err;
	p = malloc(sb.sectsize);
	if (!p)
		return -XFS_E_NOMEM;
	err = xfs_dev_read(dev, 0, p, sb.sectsize);
	sb.features_incompat &= ~XFS_SB_INCOMPAT_NEEDSREPAIR;
	sb.features_incompat |= on ? XFS_SB_INCOMPAT_NEEDSREPAIR : 0;
	if (!err) {
		xfs_sb_encode(p, &sb);
		xfs_crc32c_store(p, sb.sectsize, XFS_SB_CRC_OFF);
		err = xfs_dev_write(dev, 0, p, sb.sectsize);
	}
	free(p);
	return err ? err : xfs_dev_barrier(dev);
}

int recovery_bring_down_bare(const struct xfs_devset *dev, struct recovery_round *round)
{
	struct images im = { .nspans = 0 };
	struct xfs_fs *fs;
	int err = xfs_fs_open(&fs, dev, NULL, round->sink);

	if (err)
		return err;
	round->done->bare = true;
	err = prepare(&im, fs, round);
	if (!err)
		err = mark(dev->data, true);
	if (!err)
		err = xfs_log_close(fs, &round->r->log);
	if (!err)
		err = xfs_dev_overlay_changes(im.above, copy_run, &im);
	if (!err)
		err = xfs_dev_barrier(dev->data);
	if (!err)
		err = xfs_log_state(fs, &round->r->log);
	xfs_fs_close(fs);
	release(&im);
	return err;
}

int recovery_unmark(const struct xfs_devset *dev)
{
	return mark(dev->data, false);
}
