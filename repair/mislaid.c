/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mislaid.c - directories whose map leads to what is none of theirs, while a block with their entries belongs to nobody
 * (V5, without reverse mappings).
 *
 * A map with one wrong number looks whole, and where it leads nobody contradicts when these blocks are free.  The block
 * that it led to is then neither free nor claimed, and names its directory.
 */
#include "repair/cuts.h"
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>
#include <string.h>

struct mislaid {
	struct repair *r;
	struct repair_ag *ag;
	uint64_t *owners;		/* named by blocks that are neither free nor claimed */
	size_t n, room;
	uint64_t cut;			/* blocks that maps lose */
};

static bool is_data(uint32_t magic)
{
	return magic == XFS_DIR3_DATA_MAGIC || magic == XFS_DIR3_BLOCK_MAGIC;
}

static int look_at(struct mislaid *s, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &s->r->geo;
	uint8_t p[sizeof(struct xfs_dir_blkhdr_disk)];
	uint64_t owner;

	if (xfs_dev_read(s->r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), p, sizeof(p)) ||
	    !is_data(xfs_be32(p)) || memcmp(p + XFS_OFF(dir_blkhdr, uuid), geo->uuid, 16) ||
	    xfs_be64(p + XFS_OFF(dir_blkhdr, bno)) != xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v)
		return 0;
	owner = xfs_be64(p + XFS_OFF(dir_blkhdr, owner));
	if (s->n && s->owners[s->n - 1] == owner)
		return 0;
	if (xfs_grow(&s->owners, s->n, &s->room, 16))
		return -XFS_E_NOMEM;
	s->owners[s->n++] = owner;
	return 0;
}

/* Of a gap between claims: its blocks that the bnobt does not call free.  Halves, for most gaps are free as a whole. */
static int look_at_gap(void *payload, uint32_t agbno, uint32_t len)
{
	struct mislaid *s = payload;
	uint64_t fsbno = xfs_fsbno_of(&s->r->geo, s->ag->agno, XFS_AGBNO(agbno)).v;
	int error;

	if (repair_free_blocks(s->r, fsbno, len) == len)
		return 0;
	if (len == 1)
		return look_at(s, fsbno);
	error = look_at_gap(s, agbno, len / 2);
	return error ? error : look_at_gap(s, agbno + len / 2, len - len / 2);
}

/* Nothing at this block says that it holds entries of the inode. */
static bool is_other(const struct repair *r, uint64_t ino, uint64_t fsbno)
{
	uint8_t p[sizeof(struct xfs_dir_blkhdr_disk)];

	return !xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, sizeof(p)) &&
	       !is_data(xfs_be32(p)) && xfs_be64(p + XFS_OFF(dir_blkhdr, owner)) != ino &&
	       xfs_be64(p + XFS_OFF(dir_blkhdr, bno)) != xfs_fsbno_daddr(&r->geo, XFS_FSBNO(fsbno)).v;
}

/* The parts of this mapping, and of those behind it in the same directory block, that are not the directory's. */
static int cut_mapping(struct mislaid *s, struct repair_cuts *cuts, uint64_t ino, const struct xfs_mapping *m,
		       uint64_t *other)
{
	const struct xfs_geometry *geo = &s->r->geo;
	uint64_t step = geo->dirblkfsbs, end = XFS_DIR_LEAF_OFFSET >> geo->blocklog;
	int error = 0;

	for (uint64_t off = m->off, next; off < m->off + m->len && off < end && !error; off = next) {
		struct xfs_mapping part = *m;

		next = xfs_min(off - off % step + step, m->off + m->len);
		part.off = off;
		part.fsbno = m->fsbno + (off - m->off);
		part.len = next - off;
		if (!(off % step) && is_other(s->r, ino, part.fsbno))
			*other = off;
		if (*other != off - off % step)
			continue;
		error = repair_cuts_add(cuts, ino, XFS_FORK_DATA, &part);
		repair_ag_of(s->r, part.fsbno)->reasons |= REPAIR_FORK;
		s->cut += part.len;
	}
	return error;
}

static int cut_directory(struct mislaid *s, struct repair_cuts *cuts, uint64_t ino, uint8_t *image)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_DAMAGED, "data fork");
	struct repair_inode *c = repair_find_changed(s->r, ino);
	struct xfs_mapset map = { 0 };
	const struct xfs_mapset *now = c && c->fork[XFS_FORK_DATA] ? &c->map[XFS_FORK_DATA] : &map;
	uint64_t other = XFS_NULL64, before = s->cut;
	struct repair_fork fork;
	struct xfs_dinode d;
	int error = repair_read_inode(s->r, ino, image, &d);

	if (error || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR)
		return error == -XFS_E_NOMEM ? error : 0;
	if (now == &map) {
		error = repair_fork_scan(s->r, ino, &d, image, XFS_FORK_DATA, &fork, repair_keep_mapping, &map);
		repair_fork_release(&fork);
	}
	for (size_t i = 0; i < now->n && !error; i++)
		error = cut_mapping(s, cuts, ino, &now->m[i], &other);
	xfs_mapset_release(&map);
	if (s->cut == before || error)
		return error;
	f.ino = ino;
	xfs_finding_detail(&f, "leads to blocks that hold none of its entries; those that do belong to nobody");
	repair_note(s->r, &f, true);
	return 0;
}

/* ---- is there anything to look for? ---- */

struct gaps {
	const struct repair *r;
	const uint32_t *agfl;		/* ascending; gaps, too, for the free list is claimed behind all others */
	size_t n, i;
	struct repair_sum sum;
};

static int sum_gap(void *payload, uint32_t agbno, uint32_t len)
{
	struct gaps *g = payload;
	uint32_t end = agbno + len;

	for (; g->i < g->n && g->agfl[g->i] < end; g->i++) {
		if (g->agfl[g->i] < agbno)
			continue;
		if (g->agfl[g->i] > agbno)
			repair_sum_add(g->r, &g->sum, agbno, g->agfl[g->i] - agbno, 0);
		agbno = g->agfl[g->i] + 1;
	}
	if (agbno < end)
		repair_sum_add(g->r, &g->sum, agbno, end - agbno, 0);
	return 0;
}

int repair_free_in_order(struct repair *r, struct repair_ag *ag, bool *yes)
{
	struct gaps g = { .r = r, .n = ag->nagfl };
	uint32_t *agfl = NULL;
	int error = 0;

	if (!ag->order_known && ag->tree[XFS_TREE_BNO].sound) {
		error = repair_sorted_agfl(ag, &agfl);
		g.agfl = agfl;
		if (!error)
			error = xfs_claims_each_free(r->claims, ag->agno, sum_gap, &g);
	}
	if (!error && !ag->order_known)
		ag->in_order = !ag->tree[XFS_TREE_BNO].sound || repair_sums_equal(&g.sum, &ag->free);
	ag->order_known = !error;
	*yes = !error && ag->in_order;
	free(agfl);
	return error;
}

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static bool in_use(const struct repair *r, uint64_t ino)
{
	const struct xfs_inode_chunk *c;
	uint32_t agino;

	if (!xfs_ino_valid(&r->geo, XFS_INO(ino)))
		return false;
	agino = xfs_ino_agino(&r->geo, XFS_INO(ino)).v;
	c = repair_chunk_of(&r->ags[xfs_ino_agno(&r->geo, XFS_INO(ino)).v], agino, NULL);
	return c && !(c->free >> (agino - c->startino) & 1);
}

int repair_cut_mislaid(struct repair *r, struct repair_ag *ag, struct repair_cuts *cuts, uint64_t *cut, bool *in_order)
{
	struct mislaid s = { .r = r, .ag = ag };
	uint8_t *image = NULL;
	int error;

	*in_order = false;
	if (!r->geo.v5 || !ag->tree[XFS_TREE_BNO].sound)
		return 0;
	error = repair_free_in_order(r, ag, in_order);
	if (!error && !*in_order)
		error = xfs_claims_each_free(r->claims, ag->agno, look_at_gap, &s);
	if (!error && s.n) {
		image = malloc(r->geo.inodesize);
		error = image ? 0 : -XFS_E_NOMEM;
		qsort(s.owners, s.n, sizeof(*s.owners), by_number);
	}
	for (size_t i = 0; i < s.n && !error; i++)
		if ((!i || s.owners[i] != s.owners[i - 1]) && in_use(r, s.owners[i]))
			error = cut_directory(&s, cuts, s.owners[i], image);
	free(image);
	free(s.owners);
	*cut += s.cut;
	if (s.cut)
		ag->reasons |= REPAIR_FORK;
	return error;
}
