/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cuts.c - what forks lose to others: gathered while conflicts are settled, then each fork is cut once.
 */
#include "repair/cuts.h"

#include "repair/evidence.h"
#include "repair/space.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

#define MOST_CUTS ((size_t)1 << 20)	/* in one round */

struct repair_cut {
	uint64_t fork;			/* inode number and, in its lowest bit, which fork */
	uint64_t off, fsbno;
	uint32_t len;			/* 0: the fork is made anew, nothing more */
	bool unwritten, put;		/* put: it gains it */
};

/* Of one fork: whole or not, asked once. */
struct repair_whole {
	uint64_t fork;
	int8_t whole;			/* -1: an empty place */
};

static int check_fork(struct repair *r, uint64_t ino, unsigned fork, uint8_t *image, int *whole)
{
	uint64_t blocks = 0;
	bool damaged = false;
	struct xfs_dinode d;
	int error = repair_read_inode(r, ino, image, &d);

	*whole = 0;
	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	for (unsigned k = 0; k < 2 && !error; k++) {
		struct repair_fork f;

		error = repair_fork_scan(r, ino, &d, image, (enum xfs_fork)k, &f, NULL, NULL);
		damaged |= f.damaged && k == fork;
		blocks += f.blocks + f.nown;
		repair_fork_release(&f);
	}
	*whole = !error && !damaged && blocks == d.core.nblocks &&
		 (!r->geo.v5 || xfs_crc32c_check(image, r->geo.inodesize, XFS_DINODE_CRC_OFF));
	return error;
}

/* The inode's entry with its fork in c->map: from now on the fork is what stands there. */
int repair_open_fork(struct repair *r, uint64_t ino, unsigned k, struct repair_inode **out)
{
	struct repair_inode *c = repair_find_changed(r, ino);
	uint8_t *image = NULL;
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	int error = 0;

	if (!c) {
		image = malloc(r->geo.inodesize);
		error = image ? repair_read_inode(r, ino, image, &d) : -XFS_E_NOMEM;
		if (!error)
			error = repair_changed_inode(r, ino, image, &c);
		free(image);
	} else {
		error = repair_open_image(r, c);
	}
	if (error)
		return error;
	*out = c;
	if (c->fork[k])
		return 0;
	xfs_dinode_decode(&d, c->image);
	error = repair_fork_scan_any(r, ino, &d, c->image, (enum xfs_fork)k, &f, repair_keep_mapping, &c->map[k]);
	for (size_t i = 0; i < f.nown; i++)
		repair_ag_of(r, f.own[i])->reasons |= REPAIR_FORK;
	repair_fork_release(&f);
	if (!error) {
		int64_t cut = xfs_mapset_normalise(&c->map[k]);

		error = cut < 0 ? (int)cut : 0;
	}
	c->fork[k] = true;
	return error;
}

/* ---- the list ---- */

bool repair_cuts_room(const struct repair_cuts *c)
{
	return c->n < MOST_CUTS;
}

int repair_cuts_add(struct repair_cuts *c, uint64_t ino, unsigned fork, const struct xfs_mapping *m)
{
	if (xfs_grow(&c->list, c->n, &c->room, 64))
		return -XFS_E_NOMEM;
	c->list[c->n++] = (struct repair_cut){ ino << 1 | fork, m->off, m->fsbno, m->len, m->unwritten, false };
	return 0;
}

int repair_cuts_put(struct repair_cuts *c, uint64_t ino, unsigned fork, const struct xfs_mapping *m)
{
	int error = repair_cuts_add(c, ino, fork, m);

	if (!error)
		c->list[c->n - 1].put = true;
	return error;
}

void repair_cuts_release(struct repair_cuts *c)
{
	free(c->list);
	free(c->wholes);
}

/* ---- who is whole ---- */

static struct repair_whole *place_of(const struct xfs_mix *mix, struct repair_whole *list, unsigned bits, uint64_t fork)
{
	size_t mask = ((size_t)1 << bits) - 1, at = (size_t)xfs_mix(mix, fork) & mask;

	while (list[at].whole >= 0 && list[at].fork != fork)
		at = (at + 1) & mask;
	return &list[at];
}

static int grow(struct repair_cuts *c)
{
	unsigned bits = c->whole_bits ? c->whole_bits + 1 : 8;
	struct repair_whole *list = malloc(sizeof(*list) << bits);

	if (!list)
		return -XFS_E_NOMEM;
	xfs_mix_init(&c->mix);
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		list[i].whole = -1;
	for (size_t i = 0; c->wholes && i < (size_t)1 << c->whole_bits; i++)
		if (c->wholes[i].whole >= 0)
			*place_of(&c->mix, list, bits, c->wholes[i].fork) = c->wholes[i];
	free(c->wholes);
	c->wholes = list;
	c->whole_bits = bits;
	return 0;
}

int repair_cuts_whole(struct repair_cuts *c, uint64_t ino, unsigned fork, uint8_t *image, int *whole)
{
	uint64_t key = ino << 1 | fork;
	struct repair_whole *w;
	int error = !c->wholes || c->nwholes >= (size_t)1 << (c->whole_bits - 1) ? grow(c) : 0;

	if (error)
		return error;
	w = place_of(&c->mix, c->wholes, c->whole_bits, key);
	if (w->whole < 0) {
		error = check_fork(c->r, ino, fork, image, whole);
		if (error)
			return error;
		*w = (struct repair_whole){ key, (int8_t)*whole };
		c->nwholes++;
	}
	*whole = w->whole;
	return 0;
}

/* ---- the losers ---- */

static int put_into(struct xfs_mapset *map, const struct repair_cut *list, size_t n)
{
	bool any = false;
	int64_t twice;
	int error = 0;

	for (size_t i = 0; i < n && !error; i++) {
		struct xfs_mapping m = { list[i].off, list[i].fsbno, list[i].len, list[i].unwritten, 0 };

		any |= list[i].put;
		error = list[i].put ? xfs_mapset_add(map, &m) : 0;
	}
	twice = error || !any ? 0 : xfs_mapset_normalise(map);
	return twice < 0 ? (int)twice : error;
}

static int cut_fork(struct repair *r, uint64_t ino, unsigned k, const struct repair_cut *list, size_t n)
{
	struct xfs_mapset cut = { 0 }, left = { 0 };
	struct repair_inode *c;
	int64_t twice;
	int error = repair_open_fork(r, ino, k, &c);

	for (size_t i = 0; i < n && !error; i++) {
		struct xfs_mapping m = { list[i].off, list[i].fsbno, list[i].len, list[i].unwritten, 0 };

		error = m.len && !list[i].put ? xfs_mapset_add(&cut, &m) : 0;
	}
	twice = error || !cut.n ? 0 : xfs_mapset_normalise(&cut);
	error = twice < 0 ? (int)twice : error;
	if (!error && cut.n)
		error = xfs_mapset_subtract(&left, &c->map[k], &cut);
	if (!error && cut.n) {
		xfs_mapset_release(&c->map[k]);
		c->map[k] = left;
		left = (struct xfs_mapset){ 0 };
	}
	if (!error)
		error = put_into(&c->map[k], list, n);
	/* a map that led to a block of others may have led to one of its own */
	if (!error && cut.n && k == XFS_FORK_DATA &&
	    (xfs_be16(c->image + XFS_OFF(dinode_core, mode)) & XFS_MODE_FMT) == XFS_MODE_DIR)
		error = repair_add_stray_entries(r, ino, &c->map[k]);
	xfs_mapset_release(&cut);
	xfs_mapset_release(&left);
	return error;
}

/* Its chunk was taken for one and is none: other bytes lie there. */
static bool is_no_inode(struct repair *r, uint64_t ino)
{
	return !xfs_ino_valid(&r->geo, XFS_INO(ino)) ||
	       !repair_chunk_of(&r->ags[xfs_ino_agno(&r->geo, XFS_INO(ino)).v], xfs_ino_agino(&r->geo, XFS_INO(ino)).v,
				NULL);
}

int repair_cuts_apply(struct repair_cuts *c)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct repair_cut), .words = 2,
						    .word_off = { offsetof(struct repair_cut, fork),
								  offsetof(struct repair_cut, off) } };
	int error = xfs_sort(&order, c->list, c->n);

	for (size_t i = 0, end; i < c->n && !error; i = end) {
		uint64_t fork = c->list[i].fork;

		for (end = i + 1; end < c->n && c->list[end].fork == fork;)
			end++;
		if (!is_no_inode(c->r, fork >> 1))
			error = cut_fork(c->r, fork >> 1, fork & 1, &c->list[i], end - i);
	}
	c->n = 0;
	return error;
}
