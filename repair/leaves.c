/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaves.c - what is left of an rmapbt that no root leads to: its leaves, found by looking at all blocks of the AG.
 *
 * Each leaf testifies for its own key range.  Blocks that were leaves once look the same; they are told by their
 * neighbours, which do not point back, and where two claim the same keys the one that was written later counts.
 */
#include "repair/agtrees.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define RECORD 24u
#define HEADER ((uint32_t)sizeof(struct xfs_btree_short_disk))

struct leaf {
	uint32_t agbno, left, right;
	uint32_t first, last;		/* agbno of the first and of the last record */
	uint64_t lsn;
	bool stale;
};

struct leaves {
	struct repair *r;
	const struct repair_ag *ag;
	struct leaf *l;
	size_t n, room;
};

static int look_at(void *payload, uint32_t agbno, const uint8_t *p)
{
	struct leaves *s = payload;
	const struct repair_ag *ag = s->ag;
	const struct xfs_geometry *geo = &s->r->geo;
	uint32_t n = xfs_be16(p + XFS_OFF(btree_short, numrecs));

	if (xfs_be32(p) != xfs_btree_kinds[XFS_BTREE_RMAP].magic_v5 || xfs_be16(p + XFS_OFF(btree_short, level)) || !n ||
	    n > (geo->blocksize - HEADER) / RECORD || xfs_be32(p + XFS_OFF(btree_short, owner)) != ag->agno.v ||
	    xfs_be64(p + XFS_OFF(btree_short, bno)) != xfs_agbno_daddr(geo, ag->agno, XFS_AGBNO(agbno)).v ||
	    memcmp(p + XFS_OFF(btree_short, uuid), geo->uuid, 16) ||
	    !xfs_crc32c_check(p, geo->blocksize, XFS_OFF(btree_short, crc)))
		return 0;
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct leaf *grown = realloc(s->l, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		s->l = grown;
		s->room = room;
	}
	s->l[s->n++] = (struct leaf){
		.agbno = agbno, .left = xfs_be32(p + XFS_OFF(btree_short, leftsib)),
		.right = xfs_be32(p + XFS_OFF(btree_short, rightsib)),
		.first = xfs_be32(p + HEADER), .last = xfs_be32(p + HEADER + (size_t)RECORD * (n - 1)),
		.lsn = xfs_be64(p + XFS_OFF(btree_short, lsn)),
	};
	return 0;
}

static const struct leaf *leaf_at(const struct leaves *s, uint32_t agbno)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->l[mid].agbno < agbno)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->l[lo].agbno == agbno ? &s->l[lo] : NULL;
}

/* A neighbour that was found points back, or this one is old; one that was not found says nothing. */
static void mark_by_neighbours(struct leaves *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct leaf *left = leaf_at(s, s->l[i].left), *right = leaf_at(s, s->l[i].right);

		s->l[i].stale = (left && left->right != s->l[i].agbno) || (right && right->left != s->l[i].agbno);
	}
}

static int by_key(const void *pa, const void *pb)
{
	const struct leaf *a = pa, *b = pb;

	return a->first != b->first ? (a->first < b->first ? -1 : 1) : a->lsn > b->lsn ? -1 : a->lsn < b->lsn;
}

/* Of two whose keys overlap the older one goes; one block of keys may be shared by neighbours. */
static void mark_by_age(struct leaves *s)
{
	struct leaf *kept = NULL;

	if (s->n)
		qsort(s->l, s->n, sizeof(*s->l), by_key);
	for (size_t i = 0; i < s->n; i++) {
		struct leaf *l = &s->l[i];

		if (l->stale)
			continue;
		if (kept && l->first < kept->last && kept->right != l->agbno) {
			if (l->lsn > kept->lsn) {
				kept->stale = true;
				kept = l;
			} else {
				l->stale = true;
			}
			continue;
		}
		kept = l;
	}
}

int repair_each_stray_rmap(struct repair *r, struct repair_ag *ag, int (*each)(void *payload, const void *disk), void *payload)
{
	uint8_t *p = ag->nrmap_leaves ? malloc(r->geo.blocksize) : NULL;
	int error = ag->nrmap_leaves && !p ? -XFS_E_NOMEM : 0;

	for (size_t i = 0; i < ag->nrmap_leaves && !error; i++) {
		uint32_t n;

		if (xfs_dev_read(r->dev.data, xfs_agbno_daddr(&r->geo, ag->agno, XFS_AGBNO(ag->rmap_leaves[i])).v * XFS_BBSIZE, p,
				 r->geo.blocksize))
			continue;
		n = xfs_min(xfs_be16(p + XFS_OFF(btree_short, numrecs)), (r->geo.blocksize - HEADER) / RECORD);
		for (uint32_t k = 0; k < n && !error; k++)
			error = each(payload, p + HEADER + (size_t)RECORD * k);
	}
	free(p);
	return error;
}

static int keep_special(void *payload, const void *disk)
{
	struct repair_walk *w = payload;
	const uint8_t *p = disk;
	struct xfs_claim c = { xfs_be32(p), xfs_be32(p + 4), xfs_be64(p + 8), xfs_be64(p + 16) };

	if (!xfs_owner_is_special(c.owner) || !xfs_agbno_range_valid(&w->r->geo, w->ag->agno, c.agbno, c.len))
		return 0;
	return repair_runs_add(&w->ag->special, c.agbno, c.len, c.owner);
}

int repair_find_rmap_leaves(struct repair_walk *w)
{
	struct repair_ag *ag = w->ag;
	struct leaves s = { .r = w->r, .ag = ag };
	struct repair_blockscan all = { w->r->geo.agfl_block + 1, ag->length, 1, false, look_at, &s };
	int error = repair_scan_blocks(w->r, ag->agno, &all);

	if (!error && s.n) {
		mark_by_neighbours(&s);
		mark_by_age(&s);
		ag->rmap_leaves = malloc(s.n * sizeof(*ag->rmap_leaves));
		error = ag->rmap_leaves ? 0 : -XFS_E_NOMEM;
	}
	for (size_t i = 0; i < s.n && !error; i++)
		if (!s.l[i].stale)
			ag->rmap_leaves[ag->nrmap_leaves++] = s.l[i].agbno;
	free(s.l);
	if (error)
		return error;
	ag->special.n = 0;
	return repair_each_stray_rmap(w->r, ag, keep_special, w);
}
