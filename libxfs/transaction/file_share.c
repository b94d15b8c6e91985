/* SPDX-License-Identifier: BSD-2-Clause */
/* file_share.c - files that share blocks, copies of shared blocks, exchange. */
#include "libxfs/transaction/file_priv.h"

#include "libxfs/ondisk/logitems.h"
#include "libxfs/transaction/private.h"

#include <stdlib.h>

#define CHUNK ((uint32_t)1 << 20)

/* ---- copy-on-write ---- */

static int stage(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint32_t n, uint64_t near,
		 struct xfs_extent *staged)
{
	struct xfs_trans t;
	int err = xfs_file_begin(&t, e, li);

	if (err)
		return err;
	return xfs_file_end(&t, xfs_cow_stage(li, &t.change, off, n, near, staged));
}

static int put_in_place(struct xfs_edit *e, struct xfs_live_inode *li, struct xfs_extent *staged)
{
	while (staged->len) {
		struct xfs_trans t;
		uint32_t done;
		int err = xfs_file_begin(&t, e, li);

		if (err)
			return err;
		err = xfs_cow_finish(li, staged, &done);
		if (!err)
			xfs_live_inode_stamp(li, 2 | 4);
		err = xfs_file_end(&t, err);
		if (err)
			return err;
		staged->off += done;
		staged->block += done;
		staged->len -= done;
	}
	return 0;
}

/* Best effort: what is left staged is freed at the next mount or by a repair. */
static void cancel(struct xfs_edit *e, struct xfs_live_inode *li, const struct xfs_extent *staged)
{
	struct xfs_trans t;

	if (!staged->len || xfs_trans_begin(&t, e, 0))
		return;
	xfs_file_end(&t, xfs_cow_cancel(li->live, &t.change, staged));
}

int xfs_file_replace(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, const uint8_t *data, uint32_t n,
		     uint64_t near)
{
	struct xfs_fs *fs = li->i.fs;

	while (n) {
		struct xfs_extent s;
		uint32_t len;
		int err = stage(e, li, off, n, near, &s);

		if (err)
			return err;
		len = s.len;
		err = xfs_edit_data_begin(e, s.block, len);
		if (!err)
			err = xfs_dev_write(fs->dev.data, xfs_fsbno_byte(&fs->geo, XFS_FSBNO(s.block)), data,
					    (size_t)len << fs->geo.blocklog);
		if (!err) {
			xfs_edit_data_written(e);
			err = put_in_place(e, li, &s);
		}
		if (err) {
			cancel(e, li, &s);
			return err;
		}
		data += (size_t)len << fs->geo.blocklog;
		off += len;
		n -= len;
	}
	return 0;
}

/* ---- sharing ---- */

static int allow(struct xfs_edit *e, struct xfs_live_inode *a, struct xfs_live_inode *b)
{
	struct xfs_trans t;
	int err;

	if (xfs_reflink_allowed(a) && xfs_reflink_allowed(b))
		return 0;
	err = xfs_file_begin(&t, e, a);
	if (err)
		return err;
	err = xfs_live_inode_join(b, &t.change);
	if (!err)
		err = xfs_reflink_allow(a);
	if (!err)
		err = xfs_reflink_allow(b);
	return xfs_file_end(&t, err);
}

struct sharing {
	struct xfs_edit *edit;
	struct xfs_live_inode *from, *to;
	uint64_t at, end, to_at;	/* blocks */
	uint64_t to_size;		/* that `to` has at least at the end */
};

/* The size grows with what was shared. */
static void grow(struct sharing *s, struct xfs_trans *t, uint64_t blocks)
{
	uint64_t size = xfs_min((s->to_at + blocks) << s->to->i.fs->geo.blocklog, s->to_size);

	if (size > s->to->i.d.core.size)
		xfs_file_set_size(t, s->to, size);
	else
		xfs_live_inode_stamp(s->to, 2 | 4);
}

/* The first piece of what is left. */
static int share_piece(struct sharing *s)
{
	struct xfs_extent e;
	struct xfs_trans t;
	uint64_t n = s->end - s->at;
	uint32_t done;
	int err = xfs_file_lookup(s->from, s->at, &e);

	if (err && err != -XFS_E_NOENT)
		return err;
	if (err || e.off > s->at || e.unwritten) {
		if (!err)
			n = xfs_min(n, (e.off > s->at ? e.off : e.off + e.len) - s->at);
		err = xfs_file_give_up(s->edit, s->to, s->to_at, s->to_at + n);
	} else {
		e.block += s->at - e.off;
		e.len = (uint32_t)xfs_min(n, e.off + e.len - s->at);
		e.off = s->at;
		err = xfs_file_begin(&t, s->edit, s->to);
		if (err)
			return err;
		err = xfs_remap_share(s->to, s->to_at, &e, &done);
		n = done;
		if (!err)
			grow(s, &t, n);
		err = xfs_file_end(&t, err);
	}
	s->at += n;
	s->to_at += n;
	return err;
}

static int check_share(const struct sharing *s, uint64_t from_off, uint64_t to_off, uint64_t len)
{
	uint32_t mask = s->from->i.fs->geo.blocksize - 1;

	if (!s->from->i.fs->geo.reflink || s->from->i.fs != s->to->i.fs)
		return -XFS_E_UNSUPPORTED;
	if ((from_off | to_off) & mask || from_off + len > s->from->i.d.core.size)
		return -XFS_E_INVALID;
	if (len & mask && (from_off + len != s->from->i.d.core.size || to_off + len < s->to->i.d.core.size))
		return -XFS_E_INVALID;
	if (s->from == s->to && from_off < to_off + len && to_off < from_off + len)
		return -XFS_E_INVALID;
	return 0;
}

int xfs_file_share(struct xfs_edit *e, struct xfs_live_inode *from, uint64_t from_off, struct xfs_live_inode *to,
		   uint64_t to_off, uint64_t len)
{
	const struct xfs_geometry *g = &from->i.fs->geo;
	struct sharing s = {
		.edit = e, .from = from, .to = to, .at = from_off >> g->blocklog, .to_at = to_off >> g->blocklog,
		.end = xfs_ceil_div(from_off + len, g->blocksize), .to_size = to_off + len,
	};
	struct xfs_trans t;
	int err = xfs_file_check(from, from_off, len);

	if (!err)
		err = xfs_file_check(to, to_off, len);
	if (!err)
		err = check_share(&s, from_off, to_off, len);
	if (err || !len)
		return err;
	err = allow(e, from, to);
	if (!err && to_off > to->i.d.core.size)
		err = xfs_file_zero_tail(e, to);
	while (s.at < s.end && !err)
		err = share_piece(&s);
	if (err || to->i.d.core.size >= to_off + len)
		return err;
	err = xfs_file_begin(&t, e, to);
	return err ? err : xfs_file_end(&t, xfs_file_set_size(&t, to, to_off + len));
}

/* ---- shared no more ---- */

/* The first shared blocks of the file at or behind `at`; *len 0: none up to `end`. */
static int next_shared(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t *at, uint64_t end,
		       struct xfs_extent *out)
{
	out->len = 0;
	while (*at < end) {
		uint64_t block, start;
		struct xfs_trans t;
		struct xfs_extent x;
		uint32_t n;
		int err = xfs_file_lookup(li, *at, &x);

		if (err == -XFS_E_NOENT || (!err && x.off >= end))
			return 0;
		if (err)
			return err;
		*at = xfs_max(*at, x.off);
		block = x.block + (*at - x.off);
		n = (uint32_t)(xfs_min(end, x.off + x.len) - *at);
		if (x.unwritten) {
			*at += n;
			continue;
		}
		err = xfs_trans_begin(&t, e, 0);
		if (err)
			return err;
		err = xfs_shared_find(li->live, &t.change, block, n, &start, &out->len);
		xfs_trans_abort(&t);
		if (err)
			return err;
		if (out->len) {
			*out = (struct xfs_extent){ *at + (start - block), start, out->len, false };
			return 0;
		}
		*at += n;
	}
	return 0;
}

static int clear_flag(struct xfs_edit *e, struct xfs_live_inode *li)
{
	struct xfs_extent x;
	struct xfs_trans t;
	uint64_t at = 0;
	int err = next_shared(e, li, &at, UINT64_C(1) << 54, &x);

	if (err || x.len)
		return err;
	err = xfs_file_begin(&t, e, li);
	if (err)
		return err;
	li->i.d.v3.flags2 &= ~XFS_DIFLAG2_REFLINK;
	xfs_live_inode_stamp(li, 4);
	return xfs_file_end(&t, 0);
}

int xfs_file_unshare(struct xfs_edit *e, struct xfs_live_inode *li, uint64_t off, uint64_t len)
{
	struct xfs_fs *fs = li->i.fs;
	uint64_t at = off >> fs->geo.blocklog, end = xfs_ceil_div(off + len, fs->geo.blocksize);
	struct xfs_extent x;
	uint8_t *data;
	int err = xfs_file_check(li, off, len);

	if (err || !xfs_reflink_allowed(li))
		return err;
	data = malloc(CHUNK);
	if (!data)
		return -XFS_E_NOMEM;
	while (!err && !(err = next_shared(e, li, &at, end, &x)) && x.len) {
		uint32_t n = (uint32_t)xfs_min(x.len, CHUNK >> fs->geo.blocklog);

		err = xfs_dev_read(fs->dev.data, xfs_fsbno_byte(&fs->geo, XFS_FSBNO(x.block)), data,
				   (size_t)n << fs->geo.blocklog);
		if (!err)
			err = xfs_file_replace(e, li, x.off, data, n, x.block);
		at = x.off + n;
	}
	free(data);
	return err ? err : clear_flag(e, li);
}

/* ---- exchange ---- */

static int check_exchange(const struct xfs_edit *e, const struct xfs_live_inode *a, uint64_t off1,
			  const struct xfs_live_inode *b, uint64_t off2, uint64_t len, bool to_end)
{
	const struct xfs_geometry *g = &a->i.fs->geo;

	if (e->options.logged && !g->exchrange)
		return -XFS_E_UNSUPPORTED;
	if ((off1 | off2) & (g->blocksize - 1))
		return -XFS_E_INVALID;
	if (a == b && (to_end || (off1 < off2 + len && off2 < off1 + len)))
		return -XFS_E_INVALID;
	if (to_end)
		return off1 > a->i.d.core.size || off2 > b->i.d.core.size ? -XFS_E_INVALID : 0;
	if (len & (g->blocksize - 1))	/* the last, partial, blocks of both */
		return off1 + len == a->i.d.core.size && off2 + len == b->i.d.core.size ? 0 : -XFS_E_INVALID;
	return off1 + len > a->i.d.core.size || off2 + len > b->i.d.core.size ? -XFS_E_INVALID : 0;
}

int xfs_file_exchange(struct xfs_edit *e, struct xfs_live_inode *a, uint64_t off1, struct xfs_live_inode *b,
		      uint64_t off2, uint64_t len, bool to_end)
{
	const struct xfs_geometry *g = &a->i.fs->geo;
	struct xfs_exchange x = {
		.ino1 = a->i.ino.v, .ino2 = b->i.ino.v, .gen1 = a->i.d.core.gen, .gen2 = b->i.d.core.gen,
		.off1 = off1 >> g->blocklog, .off2 = off2 >> g->blocklog, .count = xfs_ceil_div(len, g->blocksize),
	};
	struct xfs_trans t;
	int err = xfs_file_check(a, off1, len);

	if (!err)
		err = xfs_file_check(b, off2, len);
	if (!err)
		err = check_exchange(e, a, off1, b, off2, len, to_end);
	if (err)
		return err;
	if (to_end) {
		uint64_t rest1 = a->i.d.core.size - off1, rest2 = b->i.d.core.size - off2;

		if (off1 > XFS_FILE_SIZE_MOST - rest2 || off2 > XFS_FILE_SIZE_MOST - rest1)
			return -XFS_E_RANGE;
		x.flags = XFS_XMI_SET_SIZES;
		x.count = xfs_ceil_div(xfs_max(rest1, rest2), g->blocksize);
		x.size1 = off1 + rest2;
		x.size2 = off2 + rest1;
	}
	err = xfs_file_begin(&t, e, a);
	if (err)
		return err;
	err = xfs_live_inode_join(b, &t.change);
	if (!err)
		err = xfs_exchange_prepare(a, b, &x);
	if (!err) {
		xfs_live_inode_stamp(a, 2 | 4);
		xfs_live_inode_stamp(b, 2 | 4);
		err = xfs_exchange_defer(&t.change, &x);
	}
	return xfs_file_end(&t, err);
}
