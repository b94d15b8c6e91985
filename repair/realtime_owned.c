/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_owned.c - reads the reverse mappings of realtime groups as a witness of the forks of files (format sheet 02,
 * section 2.6).
 *
 * The inodes that hold the trees may be damaged as any other.  A tree whose root does not lead to all of its leaves has
 * them among the blocks that the data device knows as its own; each names inode and place and has a checksum.
 */
#include "repair/realtime_owned.h"
#include "repair/evidence.h"
#include "repair/realtime.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/btree/btree.h"
#include "libxfs/inode/fork.h"
#include "libxfs/inode/inode.h"

#include <stdlib.h>

uint64_t repair_rt_sum_owned(const struct repair *r, uint64_t sum, const void *rec)
{
	const uint8_t *p = rec;

	return xfs_fingerprint_hash(&r->fork_sums, sum ^ xfs_be64(p), xfs_be64(p + 8), xfs_be64(p + 16));
}

/* Whether the tree is whole shows when it was read: until then its records count as those of a damaged one. */
static int take_record(void *payload, const void *disk)
{
	struct repair_rt_owned *o = payload;
	const struct xfs_geometry *geo = &o->r->geo;
	struct xfs_rmap_rec rec;
	struct xfs_extent e;
	struct xfs_mapping m;

	o->records++;
	o->sum = repair_rt_sum_owned(o->r, o->sum, disk);
	xfs_rmap_rec_decode(&rec, disk);
	o->mapped += rec.blockcount;
	/* trees and attributes lie on the data device */
	if (xfs_owner_is_special(rec.owner) || rec.attrfork || rec.bmbtblock ||
	    (uint64_t)rec.startblock >> geo->sb.rgblklog)
		return 0;
	m = (struct xfs_mapping){ rec.offset, (uint64_t)o->group << geo->sb.rgblklog | rec.startblock, rec.blockcount,
				  rec.extentflag, EVIDENCE_RMAP_PART };
	e = (struct xfs_extent){ m.off, m.fsbno, m.len, m.unwritten };
	if (!xfs_extent_valid(geo, &e, true))
		return 0;
	o->error = o->each(o->payload, rec.owner, &m);
	return o->error;
}

/* ---- leaves ---- */

bool repair_rt_is_block(const struct repair *r, enum xfs_type type, uint64_t ino, uint64_t fsbno, const uint8_t *p)
{
	const uint64_t daddr = xfs_fsbno_daddr(&r->geo, XFS_FSBNO(fsbno)).v;
	const struct xfs_block_facts facts = { r->geo.v5, r->geo.uuid, &daddr, &ino };
	const struct xfs_blockform *f = xfs_blockform_of(type, r->geo.v5, p, r->geo.blocksize);

	return f && !xfs_blockform_verify(f, &facts, p, r->geo.blocksize, NULL) &&
	       !xfs_blockform_check_btree(f, r->geo.v5, p, r->geo.blocksize, NULL);
}

int repair_rt_owned_leaves(struct repair_rt_owned *o, uint32_t group, uint64_t ino, const uint64_t *blocks, size_t n)
{
	const struct xfs_btree_shape *shape = &xfs_btree_shape_rtrmapbt;
	const struct xfs_geometry *geo = &o->r->geo;
	uint8_t *p = n ? malloc(geo->blocksize) : NULL;
	int error = n && !p ? -XFS_E_NOMEM : 0;

	o->group = group;
	for (size_t i = 0; i < n && !error; i++) {
		if (xfs_dev_read(o->r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(blocks[i])), p, geo->blocksize) ||
		    !repair_rt_is_block(o->r, XT_RTRMAPBT, ino, blocks[i], p) ||
		    xfs_btree_long_get_level((const void *)p))
			continue;
		for (uint32_t k = 0; k < xfs_btree_long_get_numrecs((const void *)p) && !error; k++)
			error = take_record(o, p + xfs_btree_header_len(shape, true) + k * shape->reclen);
	}
	free(p);
	return error;
}

/* ---- trees ---- */

static int read_tree(struct repair_rt_owned *o, struct repair_rt_file *file, uint8_t *image)
{
	const struct repair_metafile what = { file->metatype, file->group };
	struct repair *r = o->r;
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	const uint64_t *blocks;
	size_t n;
	int error = repair_read_decided(r, file->ino, image, &d);

	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	o->group = file->group;
	o->records = o->mapped = o->sum = 0;
	error = repair_fork_scan_meta(r, file->ino, &d, image, &f, take_record, o);
	error = o->error ? o->error : error;
	file->whole = !error && !f.damaged;
	file->records = o->records;
	file->mapped = o->mapped;
	file->sum = o->sum;
	if (!error && f.damaged && o->blocks) {
		blocks = o->blocks(o->payload, file->ino, &n);
		error = repair_rt_owned_leaves(o, file->group, file->ino, blocks, n);
	} else if (!error && !f.damaged && !repair_metafile_is_doubled(r, &what)) {
		error = xfs_grow(&o->sound, o->nsound, &o->room, 16);
		if (!error)
			o->sound[o->nsound++] = file->group;
	}
	repair_fork_release(&f);
	return error;
}

static int by_number(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

int repair_rt_each_owned(struct repair_rt_owned *o)
{
	struct repair *r = o->r;
	uint8_t *image = malloc(r->geo.inodesize);
	int error = image ? 0 : -XFS_E_NOMEM;

	for (uint32_t a = 0; a < r->geo.agcount && !error; a++)
		for (size_t i = 0; i < r->ags[a].nrt_files && !error; i++) {
			struct repair_rt_file *f = &r->ags[a].rt_files[i];

			if (f->metatype == XFS_METAFILE_RTRMAP &&
			    repair_metafile_possible(r, &(struct repair_metafile){ f->metatype, f->group }))
				error = read_tree(o, f, image);
		}
	free(image);
	if (!error && o->nsound)
		qsort(o->sound, o->nsound, sizeof(*o->sound), by_number);
	return error;
}

bool repair_rt_group_sound(const struct repair_rt_owned *o, uint32_t group)
{
	size_t at = xfs_search(o->nsound, i, o->sound[i] < group);

	return at < o->nsound && o->sound[at] == group;
}

bool repair_rt_owned_whole(const struct repair_rt_owned *o)
{
	return o->nsound == o->r->geo.sb.rgcount;
}

bool repair_rt_zones_agree(const struct repair *r, const struct xfs_mapset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct repair_metafile what = { XFS_METAFILE_RTRMAP,
						      (uint32_t)(s->m[i].fsbno >> r->geo.sb.rgblklog) };
		const struct repair_rt_file *f = repair_metafile_of(r, repair_metafile_find(r, &what));

		if (!f || !f->whole || f->mapped != f->in_use)
			return false;
	}
	return true;
}

/* ---- against the forks ---- */

static int sum_owned(void *payload, uint64_t ino, const struct xfs_mapping *m)
{
	xfs_fingerprint_add_alone(payload, ino, m->off | (m->unwritten ? XFS_RMAP_UNWRITTEN : 0), m->fsbno, m->len);
	return 0;
}

int repair_rt_find_odd(struct repair *r)
{
	struct xfs_fingerprint sums;
	struct repair_rt_owned o = { .r = r, .each = sum_owned, .payload = &sums };
	int error = r->rt_sums.sums ? xfs_fingerprint_init(&sums, r->rt_sums.bits, r->rt_sums.key) : 0;

	if (error || !r->rt_sums.sums)
		return error;
	error = repair_rt_each_owned(&o);
	for (uint32_t i = 0; !error && repair_rt_owned_whole(&o) && i < 1u << sums.bits; i++) {
		if (!xfs_fingerprint_differs(&r->rt_sums, &sums, i))
			continue;
		r->odd_buckets[i] = 1;
		r->any_odd = true;
	}
	xfs_fingerprint_release(&sums);
	free(o.sound);
	return error;
}
