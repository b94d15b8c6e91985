/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners.c - inode chunks that reverse mappings prove by their owners.
 *
 * Where neither the inode btrees nor the rmapbt of an AG are whole, a chunk that was wiped out has no witness in its
 * own AG; but whatever is mapped to one of its inodes, in any AG, says by the number of the owner where the inode was.
 * Without that, contents that are all there would be nobody's.
 */
#include "repair/scan.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/space/claims.h"

#include <stdlib.h>

struct unit {
	uint32_t agno, agbno;	/* of the smallest piece that is allocated: a cluster */
	bool owns, claimed;	/* something is mapped to one of its inodes; others say that its blocks are theirs */
};

struct search {
	struct repair *r;
	struct repair_ag *ag;	/* whose reverse mappings are read */
	struct unit *u;
	size_t n, room;
	uint32_t unit_blocks;
};

/* Nothing in the AG says for certain where its inodes are. */
static bool is_open(const struct repair_ag *ag)
{
	return ag->length && !ag->tree[XFS_TREE_INO].sound && !ag->tree[XFS_TREE_RMAP].sound;
}

static int each_rmap(struct search *s, struct repair_ag *ag, int (*each)(void *, const void *))
{
	struct xfs_btree_verify v = { .record = each, .payload = s };
	struct xfs_btree bt;
	int error;

	s->ag = ag;
	if (!ag->tree[XFS_TREE_RMAP].sound)
		return repair_each_stray_rmap(s->r, ag, each, s);
	error = repair_ag_btree(s->r, ag, XFS_BTREE_RMAP, &bt);
	if (!error)
		error = xfs_btree_verify(&bt, &v);
	return error == -XFS_E_NOMEM ? error : 0;
}

static int add(struct search *s, uint32_t agno, uint32_t agbno, bool owns)
{
	if (xfs_grow(&s->u, s->n, &s->room, 256))
		return -XFS_E_NOMEM;
	s->u[s->n++] = (struct unit){ .agno = agno, .agbno = agbno, .owns = owns };
	return 0;
}

static int look_at_owner(void *payload, const void *disk)
{
	struct search *s = payload;
	const struct xfs_geometry *geo = &s->r->geo;
	struct xfs_claim m = xfs_claim_decode(disk);
	uint32_t agno, agino, agbno;
	struct xfs_inode_chunk *c;
	unsigned index;

	if (xfs_owner_is_special(m.owner) || !xfs_ino_valid(geo, XFS_INO(m.owner)) ||
	    !xfs_agbno_range_valid(geo, s->ag->agno, m.agbno, m.len))
		return 0;
	agno = xfs_ino_agno(geo, XFS_INO(m.owner)).v;
	agino = xfs_ino_agino(geo, XFS_INO(m.owner)).v;
	if (!is_open(&s->r->ags[agno]))
		return 0;
	c = repair_chunk_of(&s->r->ags[agno], agino, &index);
	if (c && !(c->holemask >> index / 4 & 1))
		return 0;
	agbno = agino >> geo->inopblog;
	agbno -= agbno % s->unit_blocks;
	if (s->n && s->u[s->n - 1].agno == agno && s->u[s->n - 1].agbno == agbno)
		return 0;
	return add(s, agno, agbno, true);
}

static int by_place(const void *pa, const void *pb)
{
	const struct unit *a = pa, *b = pb;

	if (a->agno != b->agno)
		return a->agno > b->agno ? 1 : -1;
	return (a->agbno > b->agbno) - (a->agbno < b->agbno);
}

static void sort_units(struct search *s)
{
	size_t keep = 0;

	qsort(s->u, s->n, sizeof(*s->u), by_place);
	for (size_t i = 1; i < s->n; i++) {
		if (by_place(&s->u[keep], &s->u[i]))
			s->u[++keep] = s->u[i];
		else
			s->u[keep].owns |= s->u[i].owns;
	}
	s->n = keep + 1;
}

/* The rest of the chunk is inodes as well, where nobody else claims it. */
static int add_neighbours(struct search *s)
{
	const struct xfs_geometry *geo = &s->r->geo;
	uint32_t chunk_blocks = xfs_max((uint32_t)XFS_INODES_PER_CHUNK >> geo->inopblog, 1u);
	size_t n = geo->sparse ? s->n : 0;	/* without it chunks need not be aligned to their size */

	for (size_t i = 0; i < n; i++) {
		struct unit u = s->u[i];
		uint32_t first = u.agbno - u.agbno % chunk_blocks;

		for (uint32_t at = first; at < first + chunk_blocks; at += s->unit_blocks) {
			struct xfs_inode_chunk *c = repair_chunk_of(&s->r->ags[u.agno], at << geo->inopblog, NULL);
			int error = at == u.agbno || c ? 0 : add(s, u.agno, at, false);

			if (error)
				return error;
		}
	}
	sort_units(s);
	return 0;
}

/* Of another owner than inodes. */
static int look_at_blocks(void *payload, const void *disk)
{
	struct search *s = payload;
	struct xfs_claim m = xfs_claim_decode(disk);
	uint32_t agno = s->ag->agno.v;
	struct unit *u = s->u;
	size_t at;

	if (m.owner == XFS_OWN_INODES || !xfs_agbno_range_valid(&s->r->geo, s->ag->agno, m.agbno, m.len))
		return 0;
	at = xfs_search(s->n, i, u[i].agno < agno || (u[i].agno == agno && u[i].agbno + s->unit_blocks <= m.agbno));
	for (; at < s->n && u[at].agno == agno && u[at].agbno < m.agbno + m.len; at++)
		u[at].claimed = true;
	return 0;
}

/* Units of one AG from `from` on; their number in *count. */
static int take(struct search *s, size_t from, size_t *count)
{
	struct repair_ag *ag = &s->r->ags[s->u[from].agno];
	uint32_t *blocks = malloc((s->n - from) * sizeof(*blocks));
	size_t n = 0, i = from;
	int error = blocks ? 0 : -XFS_E_NOMEM;

	for (; !error && i < s->n && s->u[i].agno == ag->agno.v; i++)
		if (!s->u[i].claimed && s->u[i].agbno + s->unit_blocks <= ag->length)
			blocks[n++] = s->u[i].agbno;
	if (n)
		error = repair_add_inode_units(s->r, ag, blocks, n);
	free(blocks);
	*count = i - from;
	return error;
}

int repair_find_chunks_of_owners(struct repair *r)
{
	struct search s = { .r = r, .unit_blocks = r->geo.blocks_per_cluster };
	bool any = false;
	int error = 0;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		any |= is_open(&r->ags[i]);
	if (!any || !r->geo.rmapbt)
		return 0;
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		error = each_rmap(&s, &r->ags[i], look_at_owner);
	if (error || !s.n)
		goto out;
	sort_units(&s);
	error = add_neighbours(&s);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (is_open(&r->ags[i]))
			error = each_rmap(&s, &r->ags[i], look_at_blocks);
	for (size_t i = 0, n; i < s.n && !error; i += n)
		error = take(&s, i, &n);
out:
	free(s.u);
	return error;
}
