/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmapfind.c - finds the reverse mappings of an AG whose header does not lead to them any more.
 *
 * Blocks of an rmapbt name themselves (AG, place, filesystem, checksum), so one look at all blocks of the AG finds
 * them. One of the highest level that has no neighbours and below which a whole tree verifies is the root.  An older
 * root does not pass: it had fewer levels, or the blocks below it have changed since.
 *
 * Without a root the leaves are left, each of which testifies for its own key range.  Blocks that were leaves once look
 * the same; they are told by their neighbours, which do not point back, and where two claim the same keys the one that
 * was written later counts.
 */
#include "repair/agtrees.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ROOTS 64u
#define RECORD ((uint32_t)sizeof(struct xfs_rmap_rec_disk))
#define HEADER ((uint32_t)sizeof(struct xfs_btree_short_disk))

struct root {
	uint32_t agbno;
	unsigned level;
	uint64_t lsn;
};

struct leaf {
	uint32_t agbno, left, right;
	uint32_t first, last;		/* agbno of the first and of the last record */
	uint64_t lsn;
	bool stale;
};

struct search {
	struct repair *r;
	struct repair_ag *ag;
	struct root roots[MOST_ROOTS];
	size_t nroots;
	unsigned highest;		/* level of any block */
	struct leaf *l;
	size_t n, room;
};

/* ---- a tree from its root ---- */

static int block_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct repair_ag *ag = owner;
	struct xfs_buf *buf;
	int error = xfs_fs_get_block(ag->fs, xfs_fsbno_of(&ag->fs->geo, ag->agno, XFS_AGBNO(ptr)), XFS_BLK_RMAPBT,
				     &buf);

	if (!error)
		*out = (struct xfs_btree_block){ .ptr = ptr, .data = buf->data, .handle = buf };
	return error;
}

static void block_put(void *owner, struct xfs_btree_block *b)
{
	(void)owner;
	xfs_buf_put(b->handle);
}

static uint64_t block_daddr(void *owner, uint64_t ptr)
{
	struct repair_ag *ag = owner;

	return xfs_agbno_daddr(&ag->fs->geo, ag->agno, XFS_AGBNO(ptr)).v;
}

static void tree_at(struct repair_ag *ag, uint32_t root, unsigned levels, struct xfs_btree *out)
{
	const struct xfs_geometry *geo = &ag->fs->geo;

	*out = (struct xfs_btree){
		.kind = &xfs_btree_kinds[XFS_BTREE_RMAP], .io = { .owner = ag, .get = block_get, .put = block_put },
		.blocksize = geo->blocksize, .v5 = true, .root = root, .levels = levels, .uuid = geo->uuid,
		.owner = ag->agno.v, .daddr_of = block_daddr, .ptr_min = geo->agfl_block + 1, .ptr_max = ag->length,
	};
}

int repair_ag_btree(const struct repair *r, struct repair_ag *ag, enum xfs_btree_id id, struct xfs_btree *out)
{
	const struct repair_tree *t = &ag->tree[XFS_TREE_RMAP];

	if (id == XFS_BTREE_RMAP && t->found) {
		tree_at(ag, t->root, t->levels, out);
		return 0;
	}
	return xfs_fs_ag_btree(r->fs, ag->agno, id, out);
}

/* ---- the search ---- */

static void add_root(struct search *s, uint32_t agbno, const uint8_t *p)
{
	unsigned level = xfs_be16(p + XFS_OFF(btree_short, level));

	if (level > s->highest) {
		s->highest = level;
		s->nroots = 0;
	}
	if (level == s->highest && s->nroots < MOST_ROOTS &&
	    xfs_be32(p + XFS_OFF(btree_short, leftsib)) == XFS_NULL32 &&
	    xfs_be32(p + XFS_OFF(btree_short, rightsib)) == XFS_NULL32)
		s->roots[s->nroots++] = (struct root){ agbno, level, xfs_be64(p + XFS_OFF(btree_short, lsn)) };
}

static int add_leaf(struct search *s, uint32_t agbno, const uint8_t *p)
{
	uint32_t n = xfs_be16(p + XFS_OFF(btree_short, numrecs));

	if (!n || n > (s->r->geo.blocksize - HEADER) / RECORD)
		return 0;
	if (xfs_grow(&s->l, s->n, &s->room, 64))
		return -XFS_E_NOMEM;
	s->l[s->n++] = (struct leaf){
		.agbno = agbno, .left = xfs_be32(p + XFS_OFF(btree_short, leftsib)),
		.right = xfs_be32(p + XFS_OFF(btree_short, rightsib)),
		.first = xfs_be32(p + HEADER), .last = xfs_be32(p + HEADER + (size_t)RECORD * (n - 1)),
		.lsn = xfs_be64(p + XFS_OFF(btree_short, lsn)),
	};
	return 0;
}

static int look_at(void *payload, uint32_t agbno, const uint8_t *p)
{
	struct search *s = payload;
	const struct xfs_geometry *geo = &s->r->geo;
	unsigned level = xfs_be16(p + XFS_OFF(btree_short, level));

	if (xfs_be32(p) != xfs_btree_kinds[XFS_BTREE_RMAP].magic_v5 || level >= geo->rmap_maxlevels ||
	    xfs_be32(p + XFS_OFF(btree_short, owner)) != s->ag->agno.v ||
	    xfs_be64(p + XFS_OFF(btree_short, bno)) != xfs_agbno_daddr(geo, s->ag->agno, XFS_AGBNO(agbno)).v ||
	    memcmp(p + XFS_OFF(btree_short, uuid), geo->uuid, 16) ||
	    !xfs_crc32c_check(p, geo->blocksize, XFS_OFF(btree_short, crc)))
		return 0;
	add_root(s, agbno, p);
	return level ? 0 : add_leaf(s, agbno, p);
}

/* ---- roots ---- */

static int newest_first(const void *pa, const void *pb)
{
	const struct root *a = pa, *b = pb;

	return a->lsn < b->lsn ? 1 : a->lsn > b->lsn ? -1 : 0;
}

static int find_root(struct search *s)
{
	struct repair_tree *tree = &s->ag->tree[XFS_TREE_RMAP];

	if (s->nroots)
		qsort(s->roots, s->nroots, sizeof(s->roots[0]), newest_first);
	for (size_t i = 0; i < s->nroots; i++) {
		struct xfs_btree_verify v = { .no_sharing = !s->r->geo.reflink };
		uint32_t root = s->roots[i].agbno, levels = s->roots[i].level + 1;
		struct xfs_btree bt;
		int error;

		tree_at(s->ag, root, levels, &bt);
		error = xfs_btree_verify(&bt, &v);
		if (error)
			return error;
		if (v.findings || (root == tree->root && levels == tree->levels))
			continue;
		tree->root = root;
		tree->levels = levels;
		tree->found = true;
		return 0;
	}
	return 0;
}

/* ---- leaves ---- */

static const struct leaf *leaf_at(const struct search *s, uint32_t agbno)
{
	size_t lo = xfs_search(s->n, i, s->l[i].agbno < agbno);

	return lo < s->n && s->l[lo].agbno == agbno ? &s->l[lo] : NULL;
}

/* A neighbour that was found points back, or this one is old; one that was not found says nothing. */
static void mark_by_neighbours(struct search *s)
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
static void mark_by_age(struct search *s)
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

/* Those that are not old, by their keys. */
static int keep_leaves(struct search *s)
{
	struct repair_ag *ag = s->ag;

	if (!s->n)
		return 0;
	mark_by_neighbours(s);
	mark_by_age(s);
	ag->rmap_leaves = malloc(s->n * sizeof(*ag->rmap_leaves));
	if (!ag->rmap_leaves)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (!s->l[i].stale)
			ag->rmap_leaves[ag->nrmap_leaves++] = s->l[i].agbno;
	return 0;
}

int repair_each_stray_rmap(struct repair *r, struct repair_ag *ag, int (*each)(void *payload, const void *disk),
			   void *payload)
{
	uint8_t *p = ag->nrmap_leaves ? malloc(r->geo.blocksize) : NULL;
	int error = ag->nrmap_leaves && !p ? -XFS_E_NOMEM : 0;

	for (size_t i = 0; i < ag->nrmap_leaves && !error; i++) {
		uint32_t n;

		if (xfs_dev_read(r->dev.data,
				 xfs_agbno_daddr(&r->geo, ag->agno, XFS_AGBNO(ag->rmap_leaves[i])).v * XFS_BBSIZE, p,
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
	struct search *s = payload;
	struct xfs_claim c = xfs_claim_decode(disk);

	if (!xfs_owner_is_special(c.owner) || !xfs_agbno_range_valid(&s->r->geo, s->ag->agno, c.agbno, c.len))
		return 0;
	return repair_runs_add(&s->ag->special, c.agbno, c.len, c.owner);
}

int repair_find_rmaps(struct repair *r, struct repair_ag *ag)
{
	struct search s = { .r = r, .ag = ag };
	struct repair_blockscan all = { r->geo.agfl_block + 1, ag->length, 1, false, look_at, &s };
	int error = repair_scan_blocks(r, ag->agno, &all);

	if (!error)
		error = find_root(&s);
	if (!error && !ag->tree[XFS_TREE_RMAP].found) {
		ag->special.n = 0;
		error = keep_leaves(&s);
		if (!error)
			error = repair_each_stray_rmap(r, ag, keep_special, &s);
	}
	free(s.l);
	return error;
}
