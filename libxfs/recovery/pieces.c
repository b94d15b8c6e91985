/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pieces.c - directory blocks that lie in several extents.  The log holds them piece by piece, and only the block as a
 * whole has an LSN and a checksum: when all is in place, the blocks are found through the maps of their directories.
 */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/search.h"
#include "libxfs/inode/fork.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>

int replay_add_piece(struct replay *rp, uint64_t daddr)
{
	rp->out->counts.dir_pieces++;
	if (!rp->geo.v5)
		return 0;
	if (xfs_grow_to(&rp->pieces, &rp->pieces_room, rp->npieces + 1, sizeof(*rp->pieces)))
		return -XFS_E_NOMEM;
	rp->pieces[rp->npieces++] = (struct dir_piece){ daddr, rp->lsn, false };
	return 0;
}

int replay_add_dir(struct replay *rp, uint64_t ino)
{
	if (!rp->geo.v5 || rp->geo.dirblkfsbs <= 1)
		return 0;
	if (xfs_grow_to(&rp->dirs, &rp->dirs_room, rp->ndirs + 1, sizeof(*rp->dirs)))
		return -XFS_E_NOMEM;
	rp->dirs[rp->ndirs++] = ino;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* By address, the newest first. */
static int by_address(const void *a, const void *b)
{
	const struct dir_piece *x = a, *y = b;

	if (x->daddr != y->daddr)
		return x->daddr < y->daddr ? -1 : 1;
	return x->lsn > y->lsn ? -1 : x->lsn < y->lsn;
}

/* One entry an address. */
static void sort_pieces(struct replay *rp)
{
	size_t n = 0;

	qsort(rp->pieces, rp->npieces, sizeof(*rp->pieces), by_address);
	for (size_t i = 0; i < rp->npieces; i++)
		if (!n || rp->pieces[n - 1].daddr != rp->pieces[i].daddr)
			rp->pieces[n++] = rp->pieces[i];
	rp->npieces = n;
}

static size_t first_piece(const struct replay *rp, uint64_t daddr)
{
	return xfs_search(rp->npieces, i, rp->pieces[i].daddr < daddr);
}

/* First pieces name their owner: such directories may be missing among the inodes of the log. */
static int add_owners(struct replay *rp)
{
	uint8_t head[XFS_BBSIZE];

	for (size_t i = 0; i < rp->npieces; i++) {
		int err = xfs_dev_read(rp->fs->dev.data, rp->pieces[i].daddr * XFS_BBSIZE, head, sizeof(head));
		const struct xfs_blockform *f = err ? NULL : xfs_blockform_of(XT_DIR, true, head, sizeof(head));

		if (err)
			return err;
		if (!f || f->owner == XFS_NO_POS || xfs_be64(head + f->blkno) != rp->pieces[i].daddr)
			continue;
		err = replay_add_dir(rp, xfs_be64(head + f->owner));
		if (err)
			return err;
	}
	return 0;
}

struct search {
	struct replay *rp;
	uint64_t *blocks;		/* file offsets of directory blocks to be put right */
	size_t n, room;
};

static int in_extent(void *payload, const struct xfs_extent *e)
{
	struct search *s = payload;
	const struct xfs_geometry *g = &s->rp->geo;
	uint64_t daddr = xfs_fsbno_daddr(g, XFS_FSBNO(e->block)).v;
	unsigned shift = g->blocklog - XFS_BBSHIFT;

	for (size_t i = first_piece(s->rp, daddr); i < s->rp->npieces; i++) {
		uint64_t at = s->rp->pieces[i].daddr - daddr;

		if (at >> shift >= e->len)
			break;
		s->rp->pieces[i].joined = true;
		if (xfs_grow_to(&s->blocks, &s->room, s->n + 1, sizeof(*s->blocks)))
			return -XFS_E_NOMEM;
		s->blocks[s->n++] = xfs_round_down(e->off + (at >> shift), g->dirblkfsbs);
	}
	return 0;
}

/* Errors of machine and device; all others mean that the directory is not what it should be. */
static bool is_of_device(int err)
{
	return err == -XFS_E_IO || err == -XFS_E_NOMEM || err == -XFS_E_FAULT || err == -XFS_E_SHORT;
}

/* Raises the LSN to that of the pieces in this extent; true when there is one at its start. */
static bool newest_of(const struct replay *rp, const struct xfs_buf_extent *e, uint64_t *lsn)
{
	size_t first = first_piece(rp, e->daddr);

	for (size_t i = first; i < rp->npieces && rp->pieces[i].daddr - e->daddr < e->bbs; i++)
		*lsn = xfs_max(*lsn, rp->pieces[i].lsn);
	return first < rp->npieces && rp->pieces[first].daddr == e->daddr;
}

static enum xfs_block_kind kind_of(const struct xfs_blockform *f)
{
	if (f && f->magic_bits == 16)
		return XFS_BLK_DIR_ANYLEAF;
	return f && f->magic5 == XFS_DIR3_FREE_MAGIC ? XFS_BLK_DIR_FREE : XFS_BLK_DIR_ANYDATA;
}

/* LSN and checksum of the block at `off` of the file. */
static int join(struct replay *rp, struct xfs_ifork *fork, uint64_t off)
{
	struct xfs_buf_extent map[XFS_BUF_MAXEXTENTS];
	struct xfs_block_ctx ctx = { .geo = &rp->geo };
	const struct xfs_blockform *f;
	struct xfs_finding why;
	struct xfs_buf *b;
	uint64_t lsn = 0;
	bool header = false;
	unsigned n;
	int err = xfs_ifork_map(fork, off, rp->geo.dirblkfsbs, map, &n);

	if (!err)
		err = xfs_buf_get(rp->fs->cache, map, n, NULL, 0, &b);
	if (err)
		return is_of_device(err) ? err :
			replay_bad(rp, "directory", fork->ip->ino.v, "a block of it is not mapped");
	for (unsigned k = 0; k < n; k++)
		header |= newest_of(rp, &map[k], &lsn) && k == 0;
	f = xfs_blockform_of(XT_DIR, true, b->data, b->len);
	if (f && !header && xfs_be64(b->data + f->lsn) != XFS_NULL64)
		lsn = xfs_max(lsn, xfs_be64(b->data + f->lsn));	/* what came with the pieces is not older than this */
	for (unsigned content = XFS_BLFT_DIR_BLOCK; content <= XFS_BLFT_DA_NODE; content++)
		if (replay_stamp(&rp->geo, content, b->data, b->len, lsn))
			break;
	err = xfs_block_verify(&ctx, kind_of(f), b->data, b->len, map[0].daddr, &why);
	if (err) {
		xfs_finding_emit(rp->sink, &why);
		err = replay_bad(rp, "directory", fork->ip->ino.v, "a block of it is not valid after the change");
	} else {
		err = xfs_buf_dirty(b, NULL);
	}
	xfs_buf_put(b);
	return err;
}

static int join_dir(struct replay *rp, uint64_t ino)
{
	struct search s = { .rp = rp };
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_ifork fork;
	int err = ip ? 0 : -XFS_E_NOMEM;

	if (!err)
		err = xfs_inode_read(rp->fs, XFS_INO(ino), XFS_INODE_NOCHECK, ip);
	if (err || ip->d.core.magic != XFS_DINODE_MAGIC || !xfs_inode_is_dir(ip) ||
	    xfs_ifork_init(&fork, ip, XFS_FORK_DATA)) {
		free(ip);	/* removed since */
		return err == -XFS_E_RANGE ? 0 : err;
	}
	err = xfs_ifork_each(&fork, in_extent, &s);
	if (err && !is_of_device(err))
		err = replay_bad(rp, "directory", ino, "its map is not valid");
	if (s.n)
		qsort(s.blocks, s.n, sizeof(*s.blocks), by_number);
	for (size_t i = 0; i < s.n && !err; i++)
		if (!i || s.blocks[i] != s.blocks[i - 1])
			err = join(rp, &fork, s.blocks[i]);
	free(s.blocks);
	free(ip);
	return err;
}

/* Not of a directory, though the log says so: something else that is whole. */
static bool is_other(struct replay *rp, struct xfs_buf *b, const struct dir_piece *piece)
{
	struct xfs_block_facts facts = { .v5 = true, .uuid = rp->geo.uuid, .daddr = &piece->daddr };
	const struct xfs_blockform *f = xfs_blockform_of(XT_NONE, true, b->data, b->len);

	return f && f->type != XT_DIR && replay_stamp_by_data(rp, b, piece->daddr, piece->lsn) != XFS_BLFT_UNKNOWN &&
	       !xfs_blockform_verify(f, &facts, b->data, b->len, NULL);
}

/* What lies in no directory may be a node of attributes, which is whole: it gets its LSN. */
static int stamp_node(struct replay *rp, const struct dir_piece *piece)
{
	const struct xfs_blockform *f;
	struct xfs_buf *b;
	int err = xfs_buf_get1(rp->fs->cache, piece->daddr, rp->geo.blocksize / XFS_BBSIZE, NULL, 0, &b);

	if (err)
		return is_of_device(err) ? err : 0;
	f = xfs_blockform_of(XT_DIR, true, b->data, b->len);
	if (f && f->magic5 == XFS_DA3_NODE_MAGIC && xfs_be64(b->data + f->blkno) == piece->daddr &&
	    xfs_crc32c_check(b->data, b->len, f->crc)) {
		replay_stamp(&rp->geo, XFS_BLFT_DA_NODE, b->data, b->len, piece->lsn);
		err = xfs_buf_dirty(b, NULL);
	} else if (rp->careful && is_other(rp, b, piece)) {
		err = xfs_buf_dirty(b, NULL);
	}
	xfs_buf_put(b);
	return err;
}

int replay_join_pieces(struct replay *rp)
{
	int err;

	if (!rp->npieces)
		return 0;
	sort_pieces(rp);
	err = add_owners(rp);
	if (err)
		return err;
	if (rp->ndirs)
		qsort(rp->dirs, rp->ndirs, sizeof(*rp->dirs), by_number);
	for (size_t i = 0; i < rp->ndirs && !err; i++)
		if (!i || rp->dirs[i] != rp->dirs[i - 1])
			err = join_dir(rp, rp->dirs[i]);
	for (size_t i = 0; i < rp->npieces && !err; i++)
		if (!rp->pieces[i].joined)
			err = stamp_node(rp, &rp->pieces[i]);
	/* a block whose first piece has its LSN counts as newer as a whole: all pieces must be there before */
	if (!err)
		err = xfs_dev_barrier(rp->fs->dev.data);
	if (!err)
		err = xfs_buf_flush(rp->fs->cache);
	return err;
}
