/* SPDX-License-Identifier: BSD-2-Clause */
/* file_space.c - space of files: allocated ahead, given up, moved. */
#include "libxfs/transaction/file_priv.h"

#define FILE_BLOCKS (UINT64_C(1) << 54)

int xfs_file_give_up(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t first, uint64_t end)
{
	uint64_t left = xfs_min(end, FILE_BLOCKS);
	struct xfs_extent x;

	if (first >= left)
		return 0;
	left -= first;
	while (left) {
		struct xfs_trans t;
		int err = xfs_file_lookup(li, first, &x);

		if (err == -XFS_E_NOENT || (!err && x.off >= first + left))
			return 0;
		if (!err)
			err = xfs_file_begin(&t, e, li);
		if (err)
			return err;
		err = xfs_bmap_unmap(li, XFS_FORK_DATA, first, left, XFS_BMAP_FREE, XFS_FILE_STEP, &left);
		if (!err)
			xfs_live_inode_stamp(li, 2 | 4);
		err = xfs_file_end(&t, err);
		if (err)
			return err;
	}
	return 0;
}

/* Whole blocks inside of a range of bytes: [*first, *end). */
static void blocks_in(const struct xfs_geometry *g, uint64_t off, uint64_t len, uint64_t *first, uint64_t *end)
{
	*first = xfs_ceil_div(off, g->blocksize);
	*end = (off + len) >> g->blocklog;
	if (*end < *first)
		*end = *first;
}

/* The parts of a range of bytes that are not whole blocks read as zero. */
static int zero_edges(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len, uint64_t first,
		      uint64_t end)
{
	unsigned log = li->i.fs->geo.blocklog;
	int err;

	if (first == end && off >> log == (off + len - 1) >> log)
		return xfs_file_zero_bytes(e, li, off, len);
	err = xfs_file_zero_bytes(e, li, off, (first << log) - off);
	return err ? err : xfs_file_zero_bytes(e, li, end << log, off + len - (end << log));
}

int xfs_file_punch(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	uint64_t first, end;
	int err = xfs_file_check(li, off, len);

	if (err || !len)
		return err;
	blocks_in(&li->i.fs->geo, off, len, &first, &end);
	err = zero_edges(e, li, off, len, first, end);
	return err ? err : xfs_file_give_up(e, li, first, end);
}

/* ---- ahead ---- */

static int finish_size(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t size, bool keep_size)
{
	struct xfs_trans t;
	int err;

	if (keep_size || size <= li->i.d.core.size)
		return 0;
	err = xfs_file_zero_tail(e, li);
	if (!err)
		err = xfs_file_begin(&t, e, li);
	return err ? err : xfs_file_end(&t, xfs_file_set_size(&t, li, size));
}

/* Fills the holes of [first, end) with unwritten blocks. */
static int fill(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t first, uint64_t end)
{
	while (first < end) {
		struct xfs_bmap_want w = { .off = first, .minlen = 1, .near = XFS_NULL64, .unwritten = true };
		struct xfs_trans t;
		struct xfs_extent x;
		int err = xfs_file_lookup(li, first, &x);

		if (err && err != -XFS_E_NOENT)
			return err;
		if (!err && x.off <= first) {
			first = x.off + x.len;
			continue;
		}
		w.maxlen = (uint32_t)xfs_min(xfs_min(end, err ? end : x.off) - first, XFS_BMBT_MAXLEN);
		err = xfs_file_begin(&t, e, li);
		if (err)
			return err;
		err = xfs_bmap_alloc(li, &t.change, XFS_FORK_DATA, &w, &x);
		if (!err) {
			li->i.d.core.flags |= XFS_DIFLAG_PREALLOC;
			xfs_live_inode_stamp(li, 2 | 4);
		}
		err = xfs_file_end(&t, err);
		if (err)
			return err;
		first += x.len;
	}
	return 0;
}

int xfs_file_prealloc(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len, bool keep_size)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	int err = xfs_file_check(li, off, len);

	if (err || !len)
		return err;
	err = fill(e, li, off >> g->blocklog, xfs_ceil_div(off + len, g->blocksize));
	return err ? err : finish_size(e, li, off + len, keep_size);
}

/* Written blocks of [first, end) become unwritten; shared ones are given up. */
static int unwrite(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t first, uint64_t end)
{
	if (xfs_reflink_allowed(li))
		return xfs_file_give_up(e, li, first, end);
	while (first < end) {
		struct xfs_trans t;
		struct xfs_extent x;
		uint64_t next;
		int err = xfs_file_lookup(li, first, &x);

		if (err == -XFS_E_NOENT || (!err && x.off >= end))
			return 0;
		if (err)
			return err;
		first = xfs_max(first, x.off);
		next = xfs_min(end, x.off + x.len);
		if (!x.unwritten) {
			err = xfs_file_begin(&t, e, li);
			if (err)
				return err;
			err = xfs_bmap_convert(li, first, (uint32_t)(next - first), true);
			if (!err)
				xfs_live_inode_stamp(li, 2 | 4);
			err = xfs_file_end(&t, err);
		}
		if (err)
			return err;
		first = next;
	}
	return 0;
}

int xfs_file_zero(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len, bool keep_size)
{
	uint64_t first, end;
	int err = xfs_file_check(li, off, len);

	if (err || !len)
		return err;
	blocks_in(&li->i.fs->geo, off, len, &first, &end);
	err = zero_edges(e, li, off, len, first, end);
	if (!err)
		err = unwrite(e, li, first, end);
	return err ? err : xfs_file_prealloc(e, li, off, len, keep_size);
}

/* ---- moved ---- */

static int shift(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t by, bool up, uint64_t size)
{
	uint64_t next = XFS_NULL64;

	do {
		struct xfs_trans t;
		int err = xfs_file_begin(&t, e, li);

		if (err)
			return err;
		err = xfs_bmap_shift(li, off, by, up, XFS_FILE_STEP, &next);
		if (!err && next == XFS_NULL64)
			xfs_file_set_size(&t, li, size);
		err = xfs_file_end(&t, err);
		if (err)
			return err;
	} while (next != XFS_NULL64);
	return 0;
}

static bool at_blocks(const struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	return len && !((off | len) & (li->i.fs->geo.blocksize - 1));
}

int xfs_file_collapse(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	unsigned log = li->i.fs->geo.blocklog;
	uint64_t size = li->i.d.core.size;
	int err = xfs_file_check(li, off, len);

	if (err)
		return err;
	if (!at_blocks(li, off, len) || off + len >= size)
		return -XFS_E_INVALID;
	err = xfs_file_give_up(e, li, off >> log, (off + len) >> log);
	return err ? err : shift(e, li, (off + len) >> log, len >> log, false, size - len);
}

int xfs_file_insert(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	unsigned log = li->i.fs->geo.blocklog;
	uint64_t size = li->i.d.core.size;
	struct xfs_extent last;
	struct xfs_ifork f;
	struct xfs_trans t;
	int err = xfs_file_check(li, off, len);

	if (err)
		return err;
	if (!at_blocks(li, off, len) || off >= size)
		return -XFS_E_INVALID;
	if (size > XFS_FILE_SIZE_MOST - len)
		return -XFS_E_RANGE;
	err = xfs_ifork_init(&f, &li->i, XFS_FORK_DATA);
	if (!err)
		err = xfs_ifork_last(&f, &last);
	if (!err && last.off + last.len > FILE_BLOCKS - (len >> log))
		return -XFS_E_RANGE;
	if (!err || err == -XFS_E_NOENT)
		err = xfs_file_begin(&t, e, li);
	if (err)
		return err;
	err = xfs_bmap_split(li, off >> log);
	if (!err)
		err = xfs_file_set_size(&t, li, size + len);
	err = xfs_file_end(&t, err);
	return err ? err : shift(e, li, off >> log, len >> log, true, size + len);
}
