/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strays.c - blocks of files that no map leads to, found by looking at all blocks (V5): blocks of block maps, and those
 * with the entries of directories.
 *
 * Each names its inode and its place and has a checksum, so it testifies without the rest.  Asked where the reverse
 * mappings can't tell what a fork held.  Blocks that were given up look the same: what lies in free space, or maps free
 * space, does not count.  The search is made once, when the first fork needs it.
 */
#include "repair/evidence.h"
#include "repair/space.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>
#include <string.h>

#define HEADER ((uint32_t)sizeof(struct xfs_btree_long_disk))
#define RECORD ((uint32_t)sizeof(struct xfs_bmbt_rec_disk))

/* As many records fit in a leaf as keys and pointers in a node. */
static bool is_map(const struct repair *r, const uint8_t *p, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &r->geo;
	uint32_t n = xfs_be16(p + XFS_OFF(btree_long, numrecs));

	return xfs_be32(p) == xfs_btree_kinds[XFS_BTREE_BMAP].magic_v5 &&
	       xfs_be16(p + XFS_OFF(btree_long, level)) < XFS_BTREE_MAXLEVELS &&
	       n && n <= (geo->blocksize - HEADER) / RECORD &&
	       xfs_be64(p + XFS_OFF(btree_long, bno)) == xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v &&
	       !memcmp(p + XFS_OFF(btree_long, uuid), geo->uuid, 16) &&
	       xfs_crc32c_check(p, geo->blocksize, XFS_OFF(btree_long, crc));
}

struct search {
	struct repair *r;
	struct repair_ag *ag;
	uint8_t *whole;			/* room for a directory block */
};

/* Directory blocks of several blocks: only those that lie in one piece are found. */
static bool has_entries(const struct search *s, const uint8_t *p, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &s->r->geo;
	uint32_t magic = xfs_be32(p);

	if ((magic != XFS_DIR3_DATA_MAGIC && magic != XFS_DIR3_BLOCK_MAGIC) ||
	    xfs_be64(p + XFS_OFF(dir_blkhdr, bno)) != xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v ||
	    memcmp(p + XFS_OFF(dir_blkhdr, uuid), geo->uuid, 16) || !xfs_fsbno_range_valid(geo, fsbno, geo->dirblkfsbs))
		return false;
	if (geo->dirblkfsbs > 1) {
		if (xfs_dev_read(s->r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), s->whole, geo->dirblksize))
			return false;
		p = s->whole;
	}
	return xfs_crc32c_check(p, geo->dirblksize, XFS_OFF(dir_blkhdr, crc));
}

static int keep(struct repair *r, uint64_t owner, uint64_t fsbno, enum repair_stray_kind kind)
{
	if (xfs_grow(&r->strays, r->nstrays, &r->stray_room, 64))
		return -XFS_E_NOMEM;
	r->strays[r->nstrays++] = (struct repair_stray){ owner, fsbno, kind };
	return 0;
}

static int look_at(void *payload, uint32_t agbno, const uint8_t *p)
{
	struct search *s = payload;
	struct repair *r = s->r;
	uint64_t fsbno = xfs_fsbno_of(&r->geo, s->ag->agno, XFS_AGBNO(agbno)).v;

	if (is_map(r, p, fsbno)) {
		bool node = xfs_be16(p + XFS_OFF(btree_long, level)) != 0;

		return repair_free_blocks(r, fsbno, 1) ? 0 : keep(r, xfs_be64(p + XFS_OFF(btree_long, owner)), fsbno,
								  node ? REPAIR_STRAY_NODE : REPAIR_STRAY_LEAF);
	}
	if (has_entries(s, p, fsbno) && !repair_free_blocks(r, fsbno, r->geo.dirblkfsbs))
		return keep(r, xfs_be64(p + XFS_OFF(dir_blkhdr, owner)), fsbno, REPAIR_STRAY_ENTRIES);
	return 0;
}

static int by_owner(const void *pa, const void *pb)
{
	const struct repair_stray *a = pa, *b = pb;

	return a->owner != b->owner ? (a->owner < b->owner ? -1 : 1) : a->fsbno < b->fsbno ? -1 : a->fsbno > b->fsbno;
}

static int search(struct repair *r)
{
	struct search s = { .r = r };
	int error = 0;

	if (!r->geo.v5 || r->strays_known)
		return 0;
	s.whole = malloc(r->geo.dirblksize);
	if (!s.whole)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		struct repair_blockscan all = { r->geo.agfl_block + 1, r->ags[i].length, 1, false, look_at, &s };

		s.ag = &r->ags[i];
		error = repair_scan_blocks(r, s.ag->agno, &all);
	}
	free(s.whole);
	if (!error && r->nstrays)
		qsort(r->strays, r->nstrays, sizeof(*r->strays), by_owner);
	r->strays_known = !error;
	return error;
}

/* Index of the first one that names this inode. */
static size_t first_of(const struct repair *r, uint64_t ino)
{
	return xfs_search(r->nstrays, i, r->strays[i].owner < ino);
}

static int each_record(struct repair *r, const uint8_t *p, repair_mapping_fn each, void *payload)
{
	uint32_t n = xfs_min((uint32_t)xfs_be16(p + XFS_OFF(btree_long, numrecs)),
			     (r->geo.blocksize - HEADER) / RECORD);
	int error = 0;

	for (uint32_t i = 0; i < n && !error; i++) {
		struct xfs_mapping m = { .trust = EVIDENCE_STRAY };
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, p + HEADER + RECORD * i);
		if (!xfs_fileoff_range_valid(&r->geo, rec.startoff, rec.blockcount) ||
		    !xfs_fsbno_range_valid(&r->geo, rec.startblock, rec.blockcount))
			continue;
		if (repair_free_blocks(r, rec.startblock, (uint32_t)rec.blockcount))
			continue;
		m.off = rec.startoff;
		m.fsbno = rec.startblock;
		m.len = rec.blockcount;
		m.unwritten = rec.extentflag;
		error = each(payload, &m);
	}
	return error;
}

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

/* Blocks of trees that were walked, in order. */
struct known {
	uint64_t *fsbno;
	size_t n;
};

static int known_init(struct known *k, const struct repair_fork *a, const struct repair_fork *b)
{
	k->n = a->nown + (b ? b->nown : 0);
	k->fsbno = malloc((k->n + 1) * sizeof(*k->fsbno));
	if (!k->fsbno)
		return -XFS_E_NOMEM;
	if (a->nown)
		memcpy(k->fsbno, a->own, a->nown * sizeof(*k->fsbno));
	if (b && b->nown)
		memcpy(k->fsbno + a->nown, b->own, b->nown * sizeof(*k->fsbno));
	if (k->n)
		qsort(k->fsbno, k->n, sizeof(*k->fsbno), by_number);
	return 0;
}

static bool is_known(const struct known *k, uint64_t fsbno)
{
	size_t at = xfs_search(k->n, i, k->fsbno[i] < fsbno);

	return at < k->n && k->fsbno[at] == fsbno;
}

int repair_each_stray_mapping(struct repair *r, uint64_t ino, const struct repair_fork *other, repair_mapping_fn each,
			      void *payload)
{
	int error = search(r);
	size_t first = error ? 0 : first_of(r, ino);
	struct known known;
	uint8_t *p;

	if (error || first == r->nstrays || r->strays[first].owner != ino)
		return error;
	p = malloc(r->geo.blocksize);
	error = p ? known_init(&known, other, NULL) : -XFS_E_NOMEM;
	if (error)
		goto out;
	for (size_t i = first; i < r->nstrays && r->strays[i].owner == ino && !error; i++) {
		uint64_t fsbno = r->strays[i].fsbno;

		if (r->strays[i].kind == REPAIR_STRAY_LEAF && !is_known(&known, fsbno) &&
		    !xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, r->geo.blocksize))
			error = each_record(r, p, each, payload);
	}
	free(known.fsbno);
out:
	free(p);
	return error;
}

int repair_count_stray_blocks(struct repair *r, uint64_t ino, const struct repair_fork *own,
			      const struct repair_fork *other, uint64_t *n)
{
	struct known known;
	int error = search(r);

	*n = 0;
	if (!error)
		error = known_init(&known, own, other);
	if (error)
		return error;
	for (size_t i = first_of(r, ino); i < r->nstrays && r->strays[i].owner == ino; i++)
		*n += r->strays[i].kind != REPAIR_STRAY_ENTRIES && !is_known(&known, r->strays[i].fsbno);
	free(known.fsbno);
	return 0;
}

/* ---- directories ---- */

/* Where the next blocks of a directory go. They come in ascending order, so all it takes is one way through its map. */
struct placing {
	struct xfs_mapset *map;		/* the first n as they were, in the order of the file; new ones behind them */
	struct xfs_mapping *placed;	/* the first n by the blocks that they map */
	size_t n, passed, behind;	/* how far the two are */
	uint64_t room;			/* no offset before this one is free */
	/* of the blocks that are mapped, as far as they begin before the last one asked for */
	uint64_t end;
};

static int by_place(const void *pa, const void *pb)
{
	const struct xfs_mapping *a = pa, *b = pb;

	return a->fsbno < b->fsbno ? -1 : a->fsbno > b->fsbno;
}

static bool is_mapped(struct placing *p, uint64_t fsbno, uint32_t len)
{
	for (; p->behind < p->n && p->placed[p->behind].fsbno < fsbno + len; p->behind++)
		p->end = xfs_max(p->end, p->placed[p->behind].fsbno + p->placed[p->behind].len);
	return p->end > fsbno;
}

/* First offset where a directory block has room. */
static uint64_t find_room(struct placing *p, uint32_t len)
{
	for (; p->passed < p->n && p->map->m[p->passed].off < p->room + len; p->passed++)
		p->room = xfs_max(p->room, xfs_round_up(p->map->m[p->passed].off + p->map->m[p->passed].len, len));
	return p->room;
}

static int add_entries(struct repair *r, struct placing *p, uint64_t fsbno)
{
	uint64_t limit = UINT64_C(1) << (XFS_DIR_SPACE_SHIFT - r->geo.blocklog);
	struct xfs_mapping m = { 0, fsbno, r->geo.dirblkfsbs, false, EVIDENCE_STRAY };
	struct repair_ag *ag = repair_ag_of(r, fsbno);

	if (ag->tree[XFS_TREE_RMAP].sound || is_mapped(p, fsbno, r->geo.dirblkfsbs))
		return 0;
	m.off = find_room(p, r->geo.dirblkfsbs);
	if (m.off + m.len > limit)
		return 0;
	ag->reasons |= REPAIR_FORK;
	p->room = m.off + m.len;
	p->end = xfs_max(p->end, fsbno + m.len);
	return xfs_mapset_add(p->map, &m);
}

int repair_add_stray_entries(struct repair *r, uint64_t ino, struct xfs_mapset *map)
{
	struct placing p = { .map = map, .n = map->n };
	int error = search(r);
	int64_t cut;

	if (error)
		return error;
	p.placed = malloc((map->n + 1) * sizeof(*p.placed));
	if (!p.placed)
		return -XFS_E_NOMEM;
	if (map->n) {
		memcpy(p.placed, map->m, map->n * sizeof(*p.placed));
		qsort(p.placed, map->n, sizeof(*p.placed), by_place);
	}
	for (size_t i = first_of(r, ino); i < r->nstrays && r->strays[i].owner == ino && !error; i++)
		if (r->strays[i].kind == REPAIR_STRAY_ENTRIES)
			error = add_entries(r, &p, r->strays[i].fsbno);
	free(p.placed);
	cut = error ? 0 : xfs_mapset_normalise(map);
	return cut < 0 ? (int)cut : error;
}
