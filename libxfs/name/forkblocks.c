/* SPDX-License-Identifier: BSD-2-Clause */
/* forkblocks.c - metadata blocks of a fork that change. */
#include "libxfs/name/forkblocks.h"

#include <stdlib.h>

#define PROBES 4u			/* holes looked at before a new block goes to the end */

void xfs_forkop_dir(struct xfs_forkop *op, struct xfs_live_inode *ip)
{
	const struct xfs_geometry *g = &ip->i.fs->geo;

	*op = (struct xfs_forkop){
		.ip = ip, .which = XFS_FORK_DATA, .g = g, .fsbs = g->dirblkfsbs, .size = g->dirblksize,
		.from = XFS_DIR_LEAF_OFFSET >> g->blocklog, .to = XFS_DIR_FREE_OFFSET >> g->blocklog,
	};
}

void xfs_forkop_attr(struct xfs_forkop *op, struct xfs_live_inode *ip)
{
	const struct xfs_geometry *g = &ip->i.fs->geo;

	*op = (struct xfs_forkop){
		.ip = ip, .which = XFS_FORK_ATTR, .g = g, .fsbs = 1, .size = g->blocksize, .to = XFS_NULL32,
	};
}

int xfs_forkop_fork(const struct xfs_forkop *op, struct xfs_ifork *f)
{
	return xfs_ifork_init(f, &op->ip->i, op->which);
}

/* ---- headers ---- */

static void put_magic(uint8_t *p, enum xfs_block_kind kind, uint32_t magic)
{
	if (kind == XFS_BLK_DIR_ANYDATA || kind == XFS_BLK_DIR_FREE || kind == XFS_BLK_ATTR_REMOTE)
		xfs_put_be32(p, magic);
	else
		xfs_put_be16(p + XFS_OFF(da_info, magic), (uint16_t)magic);
}

static void put_address(const struct xfs_forkop *op, struct xfs_buf *b, enum xfs_block_kind kind)
{
	const struct xfs_blockform *form = xfs_block_form(kind, op->g->v5, b->data, b->len);

	if (!op->g->v5 || !form)
		return;
	xfs_put_be64(b->data + form->blkno, b->extents[0].daddr);
}

static void put_identity(const struct xfs_forkop *op, struct xfs_buf *b, enum xfs_block_kind kind)
{
	const struct xfs_blockform *form = xfs_block_form(kind, op->g->v5, b->data, b->len);

	if (!op->g->v5 || !form)
		return;
	memcpy(b->data + form->uuid, op->g->uuid, 16);
	xfs_put_be64(b->data + form->owner, op->ip->i.ino.v);
	put_address(op, b, kind);
}

void xfs_forkop_copy(const struct xfs_forkop *op, struct xfs_buf *to, const struct xfs_buf *from,
		     enum xfs_block_kind kind)
{
	memcpy(to->data, from->data, op->size);
	put_address(op, to, kind);
	xfs_change_dirty(to, 0, op->size);
}

/* ---- making and moving ---- */

/* Allocates and maps one block at `off`: its place on the device. */
static int map_block(const struct xfs_forkop *op, uint64_t off, uint64_t *daddr)
{
	const struct xfs_bmap_want want = {
		.off = off, .minlen = op->fsbs, .maxlen = op->fsbs, .near = XFS_NULL64, .one_piece = true,
	};
	struct xfs_extent got;
	int err = xfs_bmap_alloc(op->ip, op->ip->change, op->which, &want, &got);

	if (!err)
		*daddr = xfs_fsbno_daddr(op->g, XFS_FSBNO(got.block)).v;
	return err;
}

int xfs_forkop_new(const struct xfs_forkop *op, uint64_t off, enum xfs_block_kind kind, uint32_t magic,
		   struct xfs_buf **out)
{
	uint64_t daddr;
	int err = map_block(op, off, &daddr);

	if (!err)
		err = xfs_change_get_new(op->ip->change, daddr, op->size / XFS_BBSIZE, xfs_block_type(kind), out);
	if (err)
		return err;
	memset((*out)->data, 0, (*out)->len);
	put_magic((*out)->data, kind, magic);
	put_identity(op, *out, kind);
	return 0;
}

/* The buffer of a block that is given up. */
static int forget(const struct xfs_forkop *op, struct xfs_buf *b)
{
	struct xfs_change *c = op->ip->change;
	int err = 0;

	if (b->nextents == 1)
		return xfs_change_forget(c, b->extents[0].daddr, b->extents[0].bbs);
	if (!b->joined)
		err = xfs_change_join(c, b, b->type);
	else if (b->joined->change != c)
		err = -XFS_E_BUSY;
	if (!err)
		b->joined->stale = true;
	return err;
}

/* A block in pieces gets a place in one piece; `old` is its buffer. */
static int move_together(const struct xfs_forkop *op, uint64_t off, enum xfs_block_kind kind, struct xfs_buf *old,
			 struct xfs_buf **out)
{
	uint64_t daddr;
	int err = forget(op, old);

	if (!err)
		err = xfs_bmap_unmap(op->ip, op->which, off, op->fsbs, XFS_BMAP_FREE, 0, NULL);
	if (!err)
		err = map_block(op, off, &daddr);
	if (!err)
		err = xfs_change_get_new(op->ip->change, daddr, op->size / XFS_BBSIZE, xfs_block_type(kind), out);
	if (!err)
		xfs_forkop_copy(op, *out, old, kind);
	return err;
}

int xfs_forkop_get(const struct xfs_forkop *op, uint64_t off, enum xfs_block_kind kind, struct xfs_buf **out)
{
	struct xfs_ifork f;
	struct xfs_buf *b;
	int err = xfs_forkop_fork(op, &f);

	if (!err)
		err = xfs_ifork_get(&f, off, op->fsbs, kind, &b);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	if (b->nextents > 1) {
		err = move_together(op, off, kind, b, out);
	} else {
		err = xfs_change_join(op->ip->change, b, xfs_block_type(kind));
		*out = b;
	}
	xfs_buf_put(b);
	return err;
}

/* ---- giving up ---- */

/* Buffers of mapped blocks [off, off + n), looked for as whole blocks first. */
static int forget_range(const struct xfs_forkop *op, uint64_t off, uint32_t n)
{
	struct xfs_fs *fs = op->ip->i.fs;
	struct xfs_ifork f;
	int err = xfs_forkop_fork(op, &f);

	for (uint32_t done = 0; !err && done < n;) {
		struct xfs_buf_extent e[XFS_BUF_MAXEXTENTS];
		unsigned part = (unsigned)xfs_min(op->fsbs, n - done), pieces;
		struct xfs_buf *b;

		err = xfs_ifork_map(&f, off + done, part, e, &pieces);
		if (err)
			return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
		done += part;
		if (pieces == 1) {
			err = xfs_change_forget(op->ip->change, e[0].daddr, e[0].bbs);
			continue;
		}
		err = xfs_buf_get(fs->cache, e, pieces, NULL, XFS_BUF_CACHED, &b);
		if (!err) {
			err = forget(op, b);
			xfs_buf_put(b);
		} else if (err == -XFS_E_NOENT) {
			err = 0;
		}
	}
	return err;
}

int xfs_forkop_free(const struct xfs_forkop *op, uint64_t off, uint32_t n)
{
	uint64_t left = 0;
	int err = forget_range(op, off, n);

	if (!err)
		err = xfs_bmap_unmap(op->ip, op->which, off, n, XFS_BMAP_FREE, 0, &left);
	return !err && left ? -XFS_E_INTERNAL : err;
}

int xfs_forkop_free_all(const struct xfs_forkop *op, uint64_t from, uint64_t to)
{
	for (;;) {
		struct xfs_ifork f;
		struct xfs_extent e;
		uint64_t start, end;
		int err = xfs_forkop_fork(op, &f);

		if (!err)
			err = xfs_ifork_lookup(&f, from, &e);
		if (err || e.off >= to)
			return err == -XFS_E_NOENT ? 0 : err;
		/* whole blocks: what belongs together is given up together */
		start = xfs_max(from, xfs_round_down(e.off, op->fsbs));
		end = xfs_min(to, xfs_round_up(e.off + e.len, op->fsbs));
		err = xfs_forkop_free(op, start, (uint32_t)(end - start));
		if (err)
			return err;
		from = end;
	}
}

/* ---- places in the file ---- */

int xfs_forkop_end(const struct xfs_forkop *op, uint64_t from, uint64_t to, uint64_t *end)
{
	struct xfs_ifork f;
	struct xfs_extent e;
	int err = xfs_forkop_fork(op, &f);

	*end = from;
	if (!err)
		err = xfs_ifork_before(&f, to, &e);
	if (!err && e.off >= from)
		*end = e.off + e.len;
	else if (!err && e.off + e.len > from)
		err = -XFS_E_CORRUPT;	/* an extent over the border of two spaces */
	return err == -XFS_E_NOENT ? 0 : err;
}

/* Looks at holes from *at on; AGAIN: not among the first `probes`. */
static int probe(const struct xfs_forkop *op, uint64_t *at, uint64_t to, uint32_t n, uint64_t probes)
{
	struct xfs_ifork f;
	int err = xfs_forkop_fork(op, &f);

	for (; !err && probes; probes--) {
		struct xfs_extent e;

		if (*at >= to || to - *at < n)
			return -XFS_E_NOSPC;
		err = xfs_ifork_lookup(&f, *at, &e);
		if (err == -XFS_E_NOENT || (!err && e.off >= *at + n))
			return 0;
		if (!err)
			*at = xfs_round_up(e.off + e.len, op->fsbs);
	}
	return err ? err : -XFS_E_AGAIN;
}

int xfs_forkop_hole(const struct xfs_forkop *op, uint64_t from, uint64_t to, uint32_t n, uint64_t *off)
{
	uint64_t at = from, end;
	int err = probe(op, &at, to, n, PROBES);

	if (err == -XFS_E_AGAIN) {
		err = xfs_forkop_end(op, from, to, &end);
		end = xfs_round_up(end, op->fsbs);
		if (!err && end < to && to - end >= n)
			at = end;
		else if (!err)		/* the end is reached: only holes are left */
			err = probe(op, &at, to, n, XFS_NULL64);
	}
	*off = at;
	return err;
}
