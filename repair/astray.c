/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * astray.c - extents that lead to the wrong blocks, without reverse mappings: what they led to is in use and nobody's.
 *
 * Such a record looks well.  But the blocks where it leads are free, or others have them (conflict.c), and just as many
 * are missing elsewhere (leaks.c).  Where blocks name their inode they have to name this one.
 */
#include "repair/cuts.h"
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>

#define MOST_ASTRAY 256u	/* more of them are no wrong numbers of single records */

struct stray_extent {
	uint32_t agno;
	struct repair_elsewhere at;
};

struct astray {
	struct repair *r;
	struct repair_ag *ag;
	uint64_t start;			/* of the claim at hand */
	struct stray_extent *list;
	size_t n, room;
};

/* Entries of a directory lie before its index. */
static bool is_of_kind(struct repair *r, const struct xfs_claim *c, uint64_t fsbno)
{
	bool entries = (c->offset & XFS_RMAP_OFFMASK) < XFS_DIR_LEAF_OFFSET >> r->geo.blocklog;
	uint32_t magic;
	uint8_t p[4];

	if (xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, sizeof(p)))
		return false;
	magic = xfs_be32(p);
	return entries == (magic == XFS_DIR3_DATA_MAGIC || magic == XFS_DIR3_BLOCK_MAGIC);
}

/* What says of itself what it is has to be there; blocks of files say nothing, nor does any on V4. */
static bool may_be_there(struct repair *r, const struct xfs_claim *c, uint64_t fsbno)
{
	const struct repair_fact *f = repair_fact_of(r, c->owner);
	bool attr = c->offset & XFS_RMAP_ATTR;

	if (!f || !r->geo.v5)
		return f != NULL;
	if (!attr && f->ftype == XFS_DIR_FT_REG)
		return !repair_header_owner(r, fsbno);
	return repair_header_owner(r, fsbno) == c->owner &&
	       (attr || f->ftype != XFS_DIR_FT_DIR || is_of_kind(r, c, fsbno));
}

/* A claim may be of several extents that continue each other: blocks [from, from + len) of it are one. */
static struct xfs_claim part_of(const struct xfs_claim *c, uint32_t from, uint32_t len)
{
	return (struct xfs_claim){ from, len, c->owner, c->offset + (from - c->agbno) };
}

bool repair_belongs_elsewhere(struct repair *r, uint32_t agno, const struct xfs_claim *c, uint32_t from, uint32_t len,
			      struct repair_elsewhere *at)
{
	uint64_t start = xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(c->agbno)).v;
	uint32_t before = from - c->agbno, end = c->agbno + c->len;

	if (c->offset & XFS_RMAP_BMBT)
		return false;
	/* it begins too early, and its last blocks are missing; or it ends too late, and the first ones are */
	if (len < end - from && repair_is_leak(r, start + c->len, len))
		*at = (struct repair_elsewhere){ start + before + len, start + c->len, part_of(c, from, end - from) };
	else if (before && repair_is_leak(r, start - len, len))
		*at = (struct repair_elsewhere){ start - len, start - len, part_of(c, c->agbno, before + len) };
	else if (repair_leak_of_length(r, c->len, &at->fsbno))
		*at = (struct repair_elsewhere){ at->fsbno, at->fsbno, *c };
	else
		return false;
	return may_be_there(r, &at->extent, at->fsbno);
}

int repair_move_extent(struct repair *r, struct repair_cuts *cuts, uint32_t agno, const struct repair_elsewhere *at)
{
	const struct xfs_claim *c = &at->extent;
	unsigned fork = c->offset & XFS_RMAP_ATTR ? XFS_FORK_ATTR : XFS_FORK_DATA;
	struct xfs_mapping m = { c->offset & XFS_RMAP_OFFMASK,
				 xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(c->agbno)).v, c->len,
				 (c->offset & XFS_RMAP_UNWRITTEN) != 0, 0 };
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_DAMAGED, fork == XFS_FORK_ATTR ? "attr fork" : "data fork");
	int error;

	f.ino = c->owner;
	xfs_finding_detail(&f, "extent at offset %llu has a wrong block: others have it, as many are nobody's",
			   (unsigned long long)m.off);
	repair_note(r, &f, true);
	repair_take_leak(r, at->leak);
	error = repair_cuts_add(cuts, c->owner, fork, &m);
	m.fsbno = at->fsbno;
	return error ? error : repair_cuts_put(cuts, c->owner, fork, &m);
}

/* ---- those that lead to free blocks ---- */

/* How many of these blocks, which have to be all at its begin or all at its end: *from is the first of them. */
static uint32_t free_part(const struct repair *r, uint64_t start, const struct xfs_claim *c, uint32_t *from)
{
	uint32_t n = (uint32_t)repair_free_blocks(r, start, c->len);

	*from = c->agbno;
	if (!n || repair_free_blocks(r, start, n) == n)
		return n;
	*from = c->agbno + c->len - n;
	return repair_free_blocks(r, start + c->len - n, n) == n ? n : 0;
}

static int look_at(void *payload, const struct xfs_claim *c)
{
	struct astray *s = payload;
	struct repair *r = s->r;
	struct stray_extent e = { .agno = s->ag->agno.v };
	uint32_t n, from;

	if (xfs_owner_is_special(c->owner) || c->offset & XFS_RMAP_BMBT)
		return 0;
	s->start = xfs_fsbno_of(&r->geo, s->ag->agno, XFS_AGBNO(c->agbno)).v;
	n = free_part(r, s->start, c, &from);
	if (!n || !repair_belongs_elsewhere(r, e.agno, c, from, n, &e.at))
		return 0;
	/* as long as a leak, but not all of it is free: what the others are of may know more */
	if (n < c->len && e.at.extent.len == c->len && e.at.fsbno == e.at.leak && e.at.fsbno + n != s->start)
		return 0;
	if (s->n == MOST_ASTRAY)
		return -XFS_E_STOP;
	if (xfs_grow(&s->list, s->n, &s->room, 16))
		return -XFS_E_NOMEM;
	s->list[s->n++] = e;
	return 0;
}

/* The only one that could belong there. */
static bool is_alone(const struct astray *s, size_t i)
{
	for (size_t k = 0; k < s->n; k++)
		if (k != i && s->list[k].at.leak == s->list[i].at.leak)
			return false;
	return true;
}

static int move(struct astray *s, struct repair_cuts *cuts, const struct stray_extent *e)
{
	struct repair *r = s->r;
	struct xfs_claim moved = e->at.extent;
	int error = repair_move_extent(r, cuts, e->agno, &e->at);

	if (!error)
		error = xfs_claims_release(r->claims, XFS_AGNO(e->agno), moved.agbno, moved.len, moved.owner);
	r->ags[e->agno].order_known = repair_ag_of(r, e->at.fsbno)->order_known = false;
	moved.agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(e->at.fsbno)).v;
	return error ? error : xfs_claims_add(r->claims, xfs_fsbno_agno(&r->geo, XFS_FSBNO(e->at.fsbno)), &moved);
}

int repair_settle_astray(struct repair *r)
{
	struct astray s = { .r = r };
	struct repair_cuts cuts = { .r = r };
	int error = repair_find_leaks(r);

	for (uint32_t i = 0; i < r->geo.agcount && r->nleaks && !error; i++) {
		s.ag = &r->ags[i];
		if (s.ag->tree[XFS_TREE_BNO].sound)
			error = xfs_claims_each(r->claims, s.ag->agno, look_at, &s);
	}
	if (error == -XFS_E_STOP)
		s.n = 0;
	error = error == -XFS_E_STOP ? 0 : error;
	for (size_t i = 0; i < s.n && !error; i++)
		if (is_alone(&s, i))
			error = move(&s, &cuts, &s.list[i]);
	if (!error)
		error = repair_cuts_apply(&cuts);
	repair_cuts_release(&cuts);
	free(s.list);
	return error;
}
