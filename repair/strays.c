/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strays.c - blocks of files that no map leads to, found by looking at all blocks (V5): leaves of block maps, and blocks with
 * the entries of directories.
 *
 * Each names its inode and its place and has a checksum, so it testifies without the rest.  Asked where the reverse mappings
 * can't tell what a fork held.  Blocks that were given up look the same: what lies in free space, or maps free space, does
 * not count.  The search is made once, when the first fork needs it.
 */
#include "repair/evidence.h"
#include "repair/space.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>
#include <string.h>

#define HEADER ((uint32_t)sizeof(struct xfs_btree_long_disk))
#define RECORD ((uint32_t)sizeof(struct xfs_bmbt_rec_disk))

static bool is_leaf(const struct repair *r, const uint8_t *p, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &r->geo;
	uint32_t n = xfs_be16(p + XFS_OFF(btree_long, numrecs));

	return xfs_be32(p) == xfs_btree_kinds[XFS_BTREE_BMAP].magic_v5 && !xfs_be16(p + XFS_OFF(btree_long, level)) && n &&
	       n <= (geo->blocksize - HEADER) / RECORD &&
	       xfs_be64(p + XFS_OFF(btree_long, bno)) == xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v &&
	       !memcmp(p + XFS_OFF(btree_long, uuid), geo->uuid, 16) &&
	       xfs_crc32c_check(p, geo->blocksize, XFS_OFF(btree_long, crc));
}

/* Directory blocks of several blocks: only those that lie in one piece are found. */
static bool has_entries(struct repair *r, const uint8_t *p, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &r->geo;
	uint32_t magic = xfs_be32(p);
	uint8_t *whole;
	bool good;

	if ((magic != XFS_DIR3_DATA_MAGIC && magic != XFS_DIR3_BLOCK_MAGIC) ||
	    xfs_be64(p + XFS_OFF(dir_blkhdr, bno)) != xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v ||
	    memcmp(p + XFS_OFF(dir_blkhdr, uuid), geo->uuid, 16) || !xfs_fsbno_range_valid(geo, fsbno, geo->dirblkfsbs))
		return false;
	whole = malloc(geo->dirblksize);
	good = whole && !xfs_dev_read(r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), whole, geo->dirblksize) &&
	       xfs_crc32c_check(whole, geo->dirblksize, XFS_OFF(dir_blkhdr, crc));
	free(whole);
	return good;
}

static int keep(struct repair *r, uint64_t owner, uint64_t fsbno, bool entries)
{
	if (r->nstrays == r->stray_room) {
		size_t room = r->stray_room ? 2 * r->stray_room : 64;
		struct repair_stray *grown = realloc(r->strays, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		r->strays = grown;
		r->stray_room = room;
	}
	r->strays[r->nstrays++] = (struct repair_stray){ owner, fsbno, entries };
	return 0;
}

struct search {
	struct repair *r;
	struct repair_ag *ag;
};

static int look_at(void *payload, uint32_t agbno, const uint8_t *p)
{
	struct search *s = payload;
	struct repair *r = s->r;
	uint64_t fsbno = xfs_fsbno_of(&r->geo, s->ag->agno, XFS_AGBNO(agbno)).v;

	if (is_leaf(r, p, fsbno))
		return repair_free_blocks(r, s->ag, agbno, 1) ? 0
			: keep(r, xfs_be64(p + XFS_OFF(btree_long, owner)), fsbno, false);
	if (has_entries(r, p, fsbno) && !repair_free_blocks(r, s->ag, agbno, r->geo.dirblkfsbs))
		return keep(r, xfs_be64(p + XFS_OFF(dir_blkhdr, owner)), fsbno, true);
	return 0;
}

static int by_owner(const void *pa, const void *pb)
{
	const struct repair_stray *a = pa, *b = pb;

	return a->owner != b->owner ? (a->owner < b->owner ? -1 : 1) : a->fsbno < b->fsbno ? -1 : a->fsbno > b->fsbno;
}

static int search(struct repair *r)
{
	int error = 0;

	if (!r->geo.v5 || r->strays_known)
		return 0;
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		struct search s = { r, &r->ags[i] };
		struct repair_blockscan all = { r->geo.agfl_block + 1, s.ag->length, 1, false, look_at, &s };

		error = repair_scan_blocks(r, s.ag->agno, &all);
	}
	if (!error && r->nstrays)
		qsort(r->strays, r->nstrays, sizeof(*r->strays), by_owner);
	r->strays_known = !error;
	return error;
}

/* Index of the first one that names this inode. */
static size_t first_of(const struct repair *r, uint64_t ino)
{
	size_t lo = 0, hi = r->nstrays;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->strays[mid].owner < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int each_record(struct repair *r, const uint8_t *p, repair_mapping_fn each, void *payload)
{
	uint32_t n = xfs_min((uint32_t)xfs_be16(p + XFS_OFF(btree_long, numrecs)), (r->geo.blocksize - HEADER) / RECORD);
	int error = 0;

	for (uint32_t i = 0; i < n && !error; i++) {
		struct xfs_mapping m = { .trust = EVIDENCE_STRAY };
		struct xfs_bmbt_rec rec;
		uint32_t agno;

		xfs_bmbt_rec_decode(&rec, p + HEADER + RECORD * i);
		if (!rec.blockcount || rec.startoff + rec.blockcount - 1 > (uint64_t)INT64_MAX >> r->geo.blocklog ||
		    !xfs_fsbno_range_valid(&r->geo, rec.startblock, rec.blockcount))
			continue;
		agno = xfs_fsbno_agno(&r->geo, XFS_FSBNO(rec.startblock)).v;
		if (repair_free_blocks(r, &r->ags[agno], xfs_fsbno_agbno(&r->geo, XFS_FSBNO(rec.startblock)).v, (uint32_t)rec.blockcount))
			continue;
		m.off = rec.startoff;
		m.fsbno = rec.startblock;
		m.len = rec.blockcount;
		m.unwritten = rec.extentflag;
		error = each(payload, &m);
	}
	return error;
}

static bool is_among(const struct repair_fork *f, uint64_t fsbno)
{
	for (size_t i = 0; i < f->nown; i++)
		if (f->own[i] == fsbno)
			return true;
	return false;
}

int repair_each_stray_mapping(struct repair *r, uint64_t ino, const struct repair_fork *other, repair_mapping_fn each, void *payload)
{
	int error = search(r);
	uint8_t *p = error || !r->nstrays ? NULL : malloc(r->geo.blocksize);

	if (!p)
		return !error && r->nstrays ? -XFS_E_NOMEM : error;
	for (size_t i = first_of(r, ino); i < r->nstrays && r->strays[i].owner == ino && !error; i++) {
		uint64_t fsbno = r->strays[i].fsbno;

		if (!r->strays[i].entries && !is_among(other, fsbno) &&
		    !xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, r->geo.blocksize))
			error = each_record(r, p, each, payload);
	}
	free(p);
	return error;
}

/* ---- directories ---- */

/* First offset where a directory block has room; also whether `fsbno` is mapped. */
static uint64_t room_in(const struct repair *r, const struct xfs_mapset *map, uint64_t fsbno, bool *mapped)
{
	uint64_t at = 0, step = r->geo.dirblkfsbs;
	bool found = false;

	*mapped = false;
	for (size_t i = 0; i < map->n; i++) {
		const struct xfs_mapping *m = &map->m[i];

		*mapped |= m->fsbno < fsbno + step && fsbno < m->fsbno + m->len;
		found |= m->off >= at + step;
		if (!found)
			at = xfs_max(at, xfs_round_up(m->off + m->len, step));
	}
	return at;
}

int repair_add_stray_entries(struct repair *r, uint64_t ino, struct xfs_mapset *map)
{
	uint64_t limit = UINT64_C(1) << (XFS_DIR_SPACE_SHIFT - r->geo.blocklog);
	int error = search(r);

	for (size_t i = first_of(r, ino); i < r->nstrays && r->strays[i].owner == ino && !error; i++) {
		uint64_t fsbno = r->strays[i].fsbno;
		struct repair_ag *ag = repair_ag_of(r, fsbno);
		struct xfs_mapping m = { 0, fsbno, r->geo.dirblkfsbs, false, EVIDENCE_STRAY };
		int64_t cut;
		bool mapped;

		if (!r->strays[i].entries || ag->tree[XFS_TREE_RMAP].sound)
			continue;
		m.off = room_in(r, map, fsbno, &mapped);
		if (mapped || m.off + m.len > limit)
			continue;
		ag->reasons |= REPAIR_FORK;
		error = xfs_mapset_add(map, &m);
		cut = error ? 0 : xfs_mapset_normalise(map);
		error = cut < 0 ? (int)cut : error;
	}
	return error;
}
