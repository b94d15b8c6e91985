/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leafchain.c - the leaves of a V4 block map by their siblings: what its nodes lead to, when these are damaged.
 *
 * V4 blocks do not name their inode.  But from any leaf that some pointer still leads to, all others are reached, and
 * each names its neighbours: one that both of them name is of the chain whatever its magic.
 */
#include "repair/forks.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/inode/fork.h"

#include <stdlib.h>
#include <string.h>

#define HEADER XFS_BTREE_LONG_V4
#define RECORD ((uint32_t)sizeof(struct xfs_bmbt_rec_disk))
#define MOST_TRIED 4096u	/* pointers that are followed to find a first leaf */
#define MOST_LOOKED 65536u	/* blocks that nobody claims */

struct chain {
	struct repair *r;
	struct repair_fork *out;
	uint8_t *p, *beside;		/* a leaf, and another one */
	unsigned tried;
	int (*record)(void *payload, const void *rec);
	void *payload;
};

static int read_block(const struct chain *c, uint64_t fsbno, uint8_t *p)
{
	if (!xfs_fsbno_range_valid(&c->r->geo, fsbno, 1))
		return -XFS_E_RANGE;
	return xfs_dev_read(c->r->dev.data, xfs_fsbno_byte(&c->r->geo, XFS_FSBNO(fsbno)), p, c->r->geo.blocksize);
}

static bool is_leaf(const uint8_t *p)
{
	return xfs_be32(p) == xfs_btree_kinds[XFS_BTREE_BMAP].magic_v4 && !xfs_be16(p + XFS_OFF(btree_long, level));
}

static uint64_t left_of(const uint8_t *p) { return xfs_be64(p + XFS_OFF(btree_long, leftsib)); }
static uint64_t right_of(const uint8_t *p) { return xfs_be64(p + XFS_OFF(btree_long, rightsib)); }

/* The first leaf below this pointer, into c->p: 0 none. */
static uint64_t find_leaf(struct chain *c, uint64_t fsbno, unsigned depth)
{
	uint32_t room = xfs_btree_maxrecs(&xfs_btree_shape_bmbt, false, c->r->geo.blocksize, false), at;
	uint64_t found = 0;
	uint8_t *node;

	if (c->tried++ == MOST_TRIED || read_block(c, fsbno, c->p))
		return 0;
	if (is_leaf(c->p))
		return fsbno;
	node = depth ? malloc(c->r->geo.blocksize) : NULL;
	if (!node)
		return 0;
	memcpy(node, c->p, c->r->geo.blocksize);
	at = xfs_btree_ptrs_off(&xfs_btree_shape_bmbt, false, c->r->geo.blocksize);
	for (uint32_t i = 0; i < room && !found && c->tried < MOST_TRIED; i++)
		found = find_leaf(c, xfs_be64(node + at + 8 * i), depth - 1);
	free(node);
	return found;
}

/* A neighbour of the leaf in c->p, into c->beside: it names that one, and is a leaf or its other neighbour names it. */
static bool is_neighbour(struct chain *c, uint64_t fsbno, uint64_t next, bool left)
{
	uint64_t beyond;
	bool named;

	if (read_block(c, next, c->beside) || (left ? right_of(c->beside) : left_of(c->beside)) != fsbno)
		return false;
	if (is_leaf(c->beside))
		return true;
	beyond = left ? left_of(c->beside) : right_of(c->beside);
	if (read_block(c, beyond, c->p))
		return beyond == XFS_NULL64;
	named = is_leaf(c->p) && (left ? right_of(c->p) : left_of(c->p)) == next;
	return named;
}

/* As many records as stand in order before the next leaf, when their number cannot be. */
static uint32_t count_records(const struct chain *c, uint64_t left)
{
	uint32_t room = (c->r->geo.blocksize - HEADER) / RECORD, n = xfs_be16(c->p + XFS_OFF(btree_long, numrecs)), i;
	uint64_t end = 0;

	if (n && n <= room)
		return n;
	for (i = 0; i < room && i < left; i++) {
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, c->p + HEADER + RECORD * i);
		if (rec.startoff < end || !xfs_fileoff_range_valid(&c->r->geo, rec.startoff, rec.blockcount) ||
		    !xfs_fsbno_range_valid(&c->r->geo, rec.startblock, rec.blockcount))
			break;
		end = rec.startoff + rec.blockcount;
	}
	return i;
}

static int take_leaf(struct chain *c, uint64_t fsbno, uint64_t count)
{
	struct repair_fork *f = c->out;
	uint32_t n = count_records(c, count > f->records ? count - f->records : 0);
	int error = 0;

	if (xfs_grow(&f->own, f->nown, &f->room, 16))
		return -XFS_E_NOMEM;
	f->own[f->nown++] = fsbno;
	for (uint32_t i = 0; i < n && c->record && !error; i++)
		error = c->record(c->payload, c->p + HEADER + RECORD * i);
	f->records += n;
	return error;
}

/* From a leaf to the first one, then all of them. */
static int walk(struct chain *c, uint64_t fsbno, uint64_t count, bool *whole)
{
	uint64_t next, steps = 0;
	int error = 0;

	while ((next = left_of(c->p)) != XFS_NULL64 && steps++ < count && is_neighbour(c, fsbno, next, true)) {
		fsbno = next;
		memcpy(c->p, c->beside, c->r->geo.blocksize);
	}
	if (next != XFS_NULL64)
		return 0;
	c->out->records = c->out->nown = 0;
	for (steps = 0; steps < count && !error; steps++) {
		error = take_leaf(c, fsbno, count);
		next = right_of(c->p);
		if (error || next == XFS_NULL64 || !is_neighbour(c, fsbno, next, false))
			break;
		fsbno = next;
		memcpy(c->p, c->beside, c->r->geo.blocksize);
	}
	*whole = !error && next == XFS_NULL64 && c->out->records == count;
	return error;
}

/* The only leaf, whatever its magic: it has as many records as the inode counts, all in order. */
static bool is_only_leaf(struct chain *c, uint64_t fsbno, uint64_t count)
{
	uint64_t end = 0;

	if (read_block(c, fsbno, c->p) || xfs_be16(c->p + XFS_OFF(btree_long, level)) ||
	    left_of(c->p) != XFS_NULL64 || right_of(c->p) != XFS_NULL64 ||
	    xfs_be16(c->p + XFS_OFF(btree_long, numrecs)) != count || count > (c->r->geo.blocksize - HEADER) / RECORD)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, c->p + HEADER + RECORD * i);
		if (rec.startoff < end)
			return false;
		end = rec.startoff + rec.blockcount;
	}
	return true;
}

static int try_root(struct chain *c, const uint8_t *ptrs, uint32_t room, uint64_t count, bool *whole)
{
	int error = 0;

	for (uint32_t i = 0; i < room && !*whole && !error; i++) {
		uint64_t fsbno = find_leaf(c, xfs_be64(ptrs + 8 * i), XFS_BTREE_MAXLEVELS);

		error = fsbno ? walk(c, fsbno, count, whole) : 0;
	}
	for (uint32_t i = 0; i < room && !*whole && !error; i++)
		if (is_only_leaf(c, xfs_be64(ptrs + 8 * i), count))
			error = walk(c, xfs_be64(ptrs + 8 * i), count, whole);
	return error;
}

/* Nothing leads to it: a first leaf among the blocks that are in use and nobody's. */
static int try_leaks(struct chain *c, uint64_t count, bool *whole)
{
	struct repair *r = c->r;
	unsigned looked = 0;
	int error = repair_find_leaks(r);

	for (size_t i = 0; i < r->nleaks && !*whole && !error; i++)
		for (uint32_t k = 0; k < r->leaks[i].len && looked++ < MOST_LOOKED && !*whole && !error; k++)
			if (!read_block(c, r->leaks[i].fsbno + k, c->p) && is_leaf(c->p) &&
			    left_of(c->p) == XFS_NULL64)
				error = walk(c, r->leaks[i].fsbno + k, count, whole);
	return error;
}

int repair_leaf_chain(struct repair *r, const struct xfs_dinode *d, const uint8_t *image, enum xfs_fork fork,
		      struct repair_fork *out, int (*record)(void *payload, const void *rec), void *payload,
		      bool *whole)
{
	uint32_t size = repair_fork_size(r, d, fork), room = xfs_bmdr_maxrecs(size);
	const uint8_t *root = image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff,
							  r->geo.inodesize, fork);
	struct chain c = { .r = r, .out = out };
	uint64_t count = xfs_dinode_nextents(d, fork);
	int error;

	*whole = false;
	*out = (struct repair_fork){ .mapped = true };
	if (r->geo.v5 || size < 4)
		return 0;
	c.p = malloc(2 * (size_t)r->geo.blocksize);
	if (!c.p)
		return -XFS_E_NOMEM;
	c.beside = c.p + r->geo.blocksize;
	error = try_root(&c, root + xfs_bmdr_ptrs_off(size), room, count, whole);
	if (!error && !*whole)
		error = try_leaks(&c, count, whole);
	/* and once more, as it is the right one */
	c.record = record;
	c.payload = payload;
	if (*whole && !read_block(&c, out->own[0], c.p))
		error = walk(&c, out->own[0], count, whole);
	free(c.p);
	return error;
}
