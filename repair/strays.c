/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strays.c - leaves of block maps that no root leads to, found by looking at all blocks (V5).
 *
 * Each leaf names its inode and its place and has a checksum, so it testifies without the rest of the tree.  Asked where the
 * reverse mappings can't tell what a fork held.  Leaves that were given up look the same: what lies in free space, or maps
 * free space, does not count.  The search is made once, when the first fork needs it.
 */
#include "repair/evidence.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_BYTES (1u << 20)
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

static int keep_leaf(struct repair *r, uint64_t owner, uint64_t fsbno)
{
	if (r->nbmbt_leaves == r->bmbt_leaf_room) {
		size_t room = r->bmbt_leaf_room ? 2 * r->bmbt_leaf_room : 64;
		struct repair_bmbt_leaf *grown = realloc(r->bmbt_leaves, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		r->bmbt_leaves = grown;
		r->bmbt_leaf_room = room;
	}
	r->bmbt_leaves[r->nbmbt_leaves++] = (struct repair_bmbt_leaf){ owner, fsbno };
	return 0;
}

static int search_ag(struct repair *r, const struct repair_ag *ag, uint8_t *bytes)
{
	uint64_t base = xfs_agbno_daddr(&r->geo, ag->agno, XFS_AGBNO(0)).v * XFS_BBSIZE;
	uint32_t step = SCAN_BYTES / r->geo.blocksize;
	int error = 0;

	for (uint32_t at = r->geo.agfl_block + 1; at < ag->length && !error; at += step) {
		uint32_t n = ag->length - at < step ? ag->length - at : step;

		/* what can't be read comes back as zeroes */
		xfs_dev_read(r->dev.data, base + (uint64_t)at * r->geo.blocksize, bytes, (size_t)n * r->geo.blocksize);
		for (uint32_t k = 0; k < n && !error; k++) {
			const uint8_t *p = bytes + (size_t)k * r->geo.blocksize;
			uint64_t fsbno = xfs_fsbno_of(&r->geo, ag->agno, XFS_AGBNO(at + k)).v;

			if (is_leaf(r, p, fsbno) && !repair_free_in(ag, at + k, 1))
				error = keep_leaf(r, xfs_be64(p + XFS_OFF(btree_long, owner)), fsbno);
		}
	}
	return error;
}

static int by_owner(const void *pa, const void *pb)
{
	const struct repair_bmbt_leaf *a = pa, *b = pb;

	return a->owner != b->owner ? (a->owner < b->owner ? -1 : 1) : a->fsbno < b->fsbno ? -1 : a->fsbno > b->fsbno;
}

static int search(struct repair *r)
{
	uint8_t *bytes = malloc(SCAN_BYTES);
	int error = bytes ? 0 : -XFS_E_NOMEM;

	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		error = search_ag(r, &r->ags[i], bytes);
	free(bytes);
	if (!error && r->nbmbt_leaves)
		qsort(r->bmbt_leaves, r->nbmbt_leaves, sizeof(*r->bmbt_leaves), by_owner);
	r->bmbt_searched = !error;
	return error;
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
		if (repair_free_in(&r->ags[agno], xfs_fsbno_agbno(&r->geo, XFS_FSBNO(rec.startblock)).v, rec.blockcount))
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
	int error = !r->geo.v5 || r->bmbt_searched ? 0 : search(r);
	uint8_t *p = error || !r->nbmbt_leaves ? NULL : malloc(r->geo.blocksize);
	size_t lo = 0, hi = r->nbmbt_leaves;

	if (!p)
		return !error && r->nbmbt_leaves ? -XFS_E_NOMEM : error;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->bmbt_leaves[mid].owner < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < r->nbmbt_leaves && r->bmbt_leaves[lo].owner == ino && !error; lo++) {
		uint64_t fsbno = r->bmbt_leaves[lo].fsbno;

		if (!is_among(other, fsbno) && !xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, r->geo.blocksize))
			error = each_record(r, p, each, payload);
	}
	free(p);
	return error;
}
