/* SPDX-License-Identifier: BSD-2-Clause */
/* file_write.c - data of files: written in place, to new blocks, or to copies of shared ones; sizes. */
#include "libxfs/transaction/file_priv.h"

#include <stdlib.h>

#define CHUNK ((size_t)1 << 20)		/* bytes that are in memory at once */

/* ---- helpers of all ---- */

int xfs_file_check(const struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	if (xfs_inode_fmt(&li->i) != XFS_MODE_REG || li->change)
		return -XFS_E_INVALID;
	if (xfs_inode_is_realtime(&li->i))
		return -XFS_E_UNSUPPORTED;
	return off > XFS_FILE_SIZE_MOST || len > XFS_FILE_SIZE_MOST - off ? -XFS_E_RANGE : 0;
}

int xfs_file_begin(struct xfs_trans *t, struct xfs_edit *e, struct xfs_live_inode *li)
{
	int err = xfs_trans_begin(t, e, 0);

	if (err)
		return err;
	err = xfs_live_inode_join(li, &t->change);
	if (err)
		xfs_trans_abort(t);
	return err;
}

int xfs_file_end(struct xfs_trans *t, int err)
{
	if (!err)
		return xfs_trans_commit(t);
	xfs_trans_abort(t);
	return err;
}

int xfs_file_lookup(const struct xfs_live_inode *li, uint64_t off, struct xfs_extent *e)
{
	struct xfs_ifork f;
	int err = xfs_ifork_init(&f, &li->i, XFS_FORK_DATA);

	return err ? err : xfs_ifork_lookup(&f, off, e);
}

int xfs_file_set_size(struct xfs_trans *t, struct xfs_live_inode *li, uint64_t size)
{
	(void)t;
	li->i.d.core.size = size;
	xfs_live_inode_stamp(li, 2 | 4);
	return 0;
}

/* ---- one piece of a write ---- */

struct writing {
	struct xfs_edit *edit;
	struct xfs_live_inode *li;
	const uint8_t *buf;		/* NULL: zeroes, and holes and unwritten blocks stay */
	uint64_t off, end;		/* bytes still to be written */
	uint8_t *room;			/* CHUNK bytes and a block */
	uint64_t size;			/* that the file has at least at the end; 0 with zeroes */
	bool stamped;
};

static unsigned blocklog(const struct writing *w) { return w->li->i.fs->geo.blocklog; }

/* The bytes of blocks [first, first + n): old ones (NULL: zeroes) with the new ones laid over. */
static int compose(struct writing *w, uint64_t first, uint32_t n, const struct xfs_extent *old, uint64_t *end)
{
	struct xfs_fs *fs = w->li->i.fs;
	uint64_t start = first << blocklog(w), len = (uint64_t)n << blocklog(w), from = xfs_max(w->off, start);
	int err = 0;

	*end = xfs_min(w->end, start + len);
	if (!old || old->unwritten)
		memset(w->room, 0, (size_t)len);
	else if (from > start || *end < start + len)
		err = xfs_dev_read(fs->dev.data, xfs_fsbno_byte(&fs->geo, XFS_FSBNO(old->block + (first - old->off))),
				   w->room, (size_t)len);
	if (err)
		return err;
	if (w->buf)
		memcpy(w->room + (from - start), w->buf, (size_t)(*end - from));
	else
		memset(w->room + (from - start), 0, (size_t)(*end - from));
	return 0;
}

static int put_blocks(struct xfs_edit *e, const struct xfs_fs *fs, uint64_t block, uint32_t n, const uint8_t *data)
{
	int err = xfs_edit_data_begin(e, block, n);

	if (!err)
		err = xfs_dev_write(fs->dev.data, xfs_fsbno_byte(&fs->geo, XFS_FSBNO(block)), data,
				    (size_t)n << fs->geo.blocklog);
	if (!err)
		xfs_edit_data_written(e);
	return err;
}

/* Bytes up to `to` are there. */
static void advance(struct writing *w, uint64_t to)
{
	if (w->buf)
		w->buf += to - w->off;
	w->off = to;
}

static void grow(struct writing *w, struct xfs_trans *t, uint64_t end)
{
	if (w->size && xfs_min(end, w->size) > w->li->i.d.core.size)
		xfs_file_set_size(t, w->li, xfs_min(end, w->size));
	else
		xfs_live_inode_stamp(w->li, 2 | 4);
	w->stamped = true;
}

static int into_hole(struct writing *w, uint64_t first, uint32_t n)
{
	struct xfs_bmap_want want = { .off = first, .minlen = 1, .maxlen = n, .near = XFS_NULL64 };
	struct xfs_extent got;
	struct xfs_trans t;
	uint64_t end = 0;
	int err = xfs_file_begin(&t, w->edit, w->li);

	if (err)
		return err;
	err = xfs_bmap_alloc(w->li, &t.change, XFS_FORK_DATA, &want, &got);
	if (!err)
		err = compose(w, first, got.len, NULL, &end);
	if (!err)
		err = put_blocks(w->edit, w->li->i.fs, got.block, got.len, w->room);
	if (!err)
		grow(w, &t, end);
	err = xfs_file_end(&t, err);
	if (!err)
		advance(w, end);
	return err;
}

static int into_unwritten(struct writing *w, uint64_t first, uint32_t n, const struct xfs_extent *e)
{
	struct xfs_trans t;
	uint64_t end;
	int err = compose(w, first, n, e, &end);

	if (!err)
		err = put_blocks(w->edit, w->li->i.fs, e->block + (first - e->off), n, w->room);
	if (!err)
		err = xfs_file_begin(&t, w->edit, w->li);
	if (err)
		return err;
	err = xfs_bmap_convert(w->li, first, n, false);
	if (!err)
		grow(w, &t, end);
	err = xfs_file_end(&t, err);
	if (!err)
		advance(w, end);
	return err;
}

/* *shared: the blocks at `first` are; *n is cut to as many as are in the same way. */
static int look_for_sharing(struct writing *w, const struct xfs_extent *e, uint64_t first, uint32_t *n, bool *shared)
{
	uint64_t block = e->block + (first - e->off), start;
	struct xfs_trans t;
	uint32_t len;
	int err;

	*shared = false;
	if (!xfs_reflink_allowed(w->li))
		return 0;
	err = xfs_trans_begin(&t, w->edit, 0);
	if (err)
		return err;
	err = xfs_shared_find(w->li->live, &t.change, block, *n, &start, &len);
	xfs_trans_abort(&t);
	if (err || !len)
		return err;
	*shared = start == block;
	*n = *shared ? len : (uint32_t)(start - block);
	return 0;
}

static int into_written(struct writing *w, uint64_t first, uint32_t n, const struct xfs_extent *e)
{
	uint64_t end;
	bool shared;
	int err = look_for_sharing(w, e, first, &n, &shared);

	if (!err)
		err = compose(w, first, n, e, &end);
	if (!err)
		err = shared ? xfs_file_replace(w->edit, w->li, first, w->room, n, e->block)
			     : put_blocks(w->edit, w->li->i.fs, e->block + (first - e->off), n, w->room);
	if (!err)
		advance(w, end);
	return err;
}

static int write_piece(struct writing *w)
{
	uint64_t first = w->off >> blocklog(w), last = (w->end - 1) >> blocklog(w);
	uint32_t n = (uint32_t)xfs_min(last - first + 1, CHUNK >> blocklog(w));
	struct xfs_extent e;
	int err = xfs_file_lookup(w->li, first, &e);

	if (err && err != -XFS_E_NOENT)
		return err;
	if (err || e.off > first) {
		if (!err)
			n = (uint32_t)xfs_min(n, e.off - first);
		if (w->buf)
			return into_hole(w, first, n);
		advance(w, err ? w->end : xfs_min(w->end, e.off << blocklog(w)));
		return 0;
	}
	n = (uint32_t)xfs_min(n, e.off + e.len - first);
	if (!e.unwritten)
		return into_written(w, first, n, &e);
	if (w->buf)
		return into_unwritten(w, first, n, &e);
	advance(w, xfs_min(w->end, (e.off + e.len) << blocklog(w)));
	return 0;
}

static int write_all(struct writing *w)
{
	int err = 0;

	if (w->off == w->end)
		return 0;
	w->room = malloc(CHUNK + XFS_BUF_MAXLEN);
	if (!w->room)
		return -XFS_E_NOMEM;
	while (w->off < w->end && !err)
		err = write_piece(w);
	free(w->room);
	return err;
}

int xfs_file_write(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, const void *buf, size_t len)
{
	struct writing w = { .edit = e, .li = li, .buf = buf, .off = off, .end = off + len, .size = off + len };
	struct xfs_trans t;
	int err = xfs_file_check(li, off, len);

	if (err || !len)
		return err;
	if (off > li->i.d.core.size)
		err = xfs_file_zero_tail(e, li);
	if (!err)
		err = write_all(&w);
	if (err || (w.stamped && li->i.d.core.size >= off + len))
		return err;
	err = xfs_file_begin(&t, e, li);
	if (err)
		return err;
	grow(&w, &t, off + len);
	return xfs_file_end(&t, 0);
}

/* ---- zeroes ---- */

int xfs_file_zero_bytes(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	struct writing w = { .edit = e, .li = li, .off = off, .end = off + len };

	return write_all(&w);
}

int xfs_file_zero_tail(struct xfs_edit *e, struct xfs_live_inode *li)
{
	uint64_t size = li->i.d.core.size, bytes = li->i.fs->geo.blocksize, in = size & (bytes - 1);

	return in ? xfs_file_zero_bytes(e, li, size, bytes - in) : 0;
}

/* ---- size ---- */

int xfs_file_truncate(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t size)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint64_t old = li->i.d.core.size, in = size & (g->blocksize - 1);
	struct xfs_trans t;
	int err = xfs_file_check(li, 0, size);

	if (!err && size > old)
		err = xfs_file_zero_tail(e, li);
	else if (!err && in)
		err = xfs_file_zero_bytes(e, li, size, g->blocksize - in);
	if (!err)
		err = xfs_file_begin(&t, e, li);
	if (err)
		return err;
	/* first the size: what is behind it is not needed any more, whenever that is seen to */
	err = xfs_file_end(&t, xfs_file_set_size(&t, li, size));
	if (err || size > old)
		return err;
	return xfs_file_give_up(e, li, xfs_ceil_div(size, g->blocksize), XFS_NULL64);
}
