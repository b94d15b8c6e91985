/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_flag.c - whether the extents of a file lie in the realtime section, as reverse mappings have it.
 *
 * The same numbers mean other blocks on either device, and mostly possible ones: with the flag wrong a file would get
 * what others hold. A record that has owner, place in the file and block of the first extent says where it lies; both
 * sides are asked before its forks are looked at.  Without groups there are no such records: free space and the bitmap
 * of the section say whether somebody has these blocks.
 */
#include "repair/evidence.h"
#include "repair/forks.h"
#include "repair/realtime.h"
#include "repair/scan.h"
#include "repair/space.h"
#include "repair/superblock.h"

#include "libxfs/btree/btree.h"
#include "libxfs/inode/fork.h"

#include <stdlib.h>

#define MOST_BITS 65536u		/* of one extent that are looked at */
#define MOST_ASKED 256u		/* trees of groups that are read for the inodes of one AG */

struct question {
	uint64_t ino, block;	/* of the AG or the group */
	struct xfs_bmbt_rec rec;
	bool found;
};

/* Files that follow each other mostly have blocks that do: the leaf of the last answer knows the next one, too. */
struct repair_rt_asker {
	struct xfs_btree bt;
	struct xfs_btree_cursor at;
};

static int match_record(void *payload, const void *disk)
{
	struct question *q = payload;
	struct xfs_rmap_rec c;

	xfs_rmap_rec_decode(&c, disk);
	q->found = c.owner == q->ino && !c.attrfork && !c.bmbtblock && c.startblock <= q->block &&
		   q->block - c.startblock < c.blockcount && c.offset + (q->block - c.startblock) == q->rec.startoff;
	return q->found ? -XFS_E_STOP : 0;
}

/* ---- the first extent ---- */

/* Down the left side of the tree; false: it is damaged. */
static bool first_of_tree(struct repair *r, const uint8_t *root, uint32_t size, struct xfs_bmbt_rec *out)
{
	const struct xfs_btree_shape *shape = &xfs_btree_shape_bmbt;
	struct xfs_bmdr head;
	unsigned level;
	uint64_t ptr;

	if (!xfs_bmdr_maxrecs(size))
		return false;
	xfs_bmdr_decode(&head, root);
	level = head.level;
	if (!head.numrecs || !level || level >= XFS_BTREE_MAXLEVELS)
		return false;
	ptr = xfs_be64(root + xfs_bmdr_ptrs_off(size));
	for (; level; level--) {
		struct xfs_buf *buf;
		bool fits;

		if (!xfs_fsbno_range_valid(&r->geo, ptr, 1) ||
		    xfs_fs_get_block(r->fs, XFS_FSBNO(ptr), XFS_BLK_BMBT, &buf))
			return false;
		fits = xfs_btree_long_get_level((const void *)buf->data) == level - 1 &&
		       xfs_btree_long_get_numrecs((const void *)buf->data);
		if (level > 1)
			ptr = xfs_be64(buf->data + xfs_btree_ptrs_off(shape, r->geo.v5, r->geo.blocksize));
		else
			xfs_bmbt_rec_decode(out, buf->data + xfs_btree_header_len(shape, r->geo.v5));
		xfs_buf_put(buf);
		if (!fits)
			return false;
	}
	return true;
}

static bool first_extent(struct repair *r, const struct repair_seen *s, struct xfs_bmbt_rec *out)
{
	const uint8_t *fork = s->image + xfs_dinode_literal_off((unsigned)s->d.core.version);
	uint32_t size = repair_fork_size(r, &s->d, XFS_FORK_DATA);

	if (s->d.core.format == XFS_DINODE_FMT_BTREE)
		return first_of_tree(r, fork, size, out);
	if (s->d.core.format != XFS_DINODE_FMT_EXTENTS || !xfs_dinode_nextents(&s->d, XFS_FORK_DATA) ||
	    size < sizeof(struct xfs_bmbt_rec_disk))
		return false;
	xfs_bmbt_rec_decode(out, fork);
	return true;
}

/* ---- the two sides ---- */

/* False: the record is not the one that it would be in most cases. */
static bool found_at_once(struct repair *r, struct repair_ag *ag, struct question *q)
{
	const struct xfs_btree_key key = { { q->block, q->ino, q->rec.startoff } };

	if (!ag->rt_asker) {
		struct repair_rt_asker *a = malloc(sizeof(*a));

		if (!a || repair_ag_btree(r, ag, XFS_BTREE_RMAP, &a->bt)) {
			free(a);
			return false;
		}
		xfs_btree_cursor_init(&a->at, &a->bt);
		ag->rt_asker = a;
	}
	if (!xfs_btree_lookup(&ag->rt_asker->at, XFS_LOOKUP_LE, &key))
		match_record(q, xfs_btree_record(&ag->rt_asker->at));
	return q->found;
}

void repair_rt_flag_done(struct repair_ag *ag)
{
	if (ag->rt_asker)
		xfs_btree_cursor_close(&ag->rt_asker->at);
	free(ag->rt_asker);
	ag->rt_asker = NULL;
}

/* False also where nobody knows. */
static bool data_device_has(struct repair *r, const struct repair_seen *s, struct question *q)
{
	struct xfs_btree_key lo, hi;
	struct repair_ag *ag;
	struct xfs_btree bt;

	if (!xfs_fsbno_range_valid(&r->geo, q->rec.startblock, 1))
		return false;
	ag = repair_ag_of(r, q->rec.startblock);
	q->block = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(q->rec.startblock)).v;
	q->found = false;
	if (!ag->tree[XFS_TREE_RMAP].sound || (ag == s->ag && found_at_once(r, ag, q)))
		return q->found;
	lo = (struct xfs_btree_key){ { q->block, 0, 0 } };
	hi = (struct xfs_btree_key){ { q->block, UINT64_MAX, UINT64_MAX } };
	if (!repair_ag_btree(r, ag, XFS_BTREE_RMAP, &bt))
		xfs_btree_query_range(&bt, &lo, &hi, match_record, q, NULL, NULL, NULL);
	return q->found;
}

static bool group_has(struct repair *r, struct question *q)
{
	const struct xfs_extent e = { q->rec.startoff, q->rec.startblock, q->rec.blockcount, q->rec.extentflag };
	uint64_t group = q->rec.startblock >> r->geo.sb.rgblklog;
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	xfs_ino_t ino;
	uint8_t *image;

	q->found = false;
	q->block = q->rec.startblock & ((UINT64_C(1) << r->geo.sb.rgblklog) - 1);
	if (!xfs_extent_valid(&r->geo, &e, true) ||
	    !repair_sb_group_file(r->fs, "rmap", (uint32_t)group, &ino))
		return false;
	image = malloc(r->geo.inodesize);
	if (image && !repair_read_inode(r, ino.v, image, &d) && d.core.metatype == XFS_METAFILE_RTRMAP)
		repair_fork_scan_meta(r, ino.v, &d, image, &f, match_record, q);
	repair_fork_release(&f);
	free(image);
	return q->found;
}

/* ---- without groups ---- */

/*
 * Does the bitmap of the only section call these blocks used?  Its words have the order of the machine that wrote them:
 * one of the two has to say so.
 */
static bool bitmap_has(struct repair *r, const struct xfs_bmbt_rec *rec)
{
	uint64_t first = rec->startblock / r->geo.sb.rextsize, per_block = 8 * (uint64_t)r->geo.blocksize,
		 last = xfs_min((rec->startblock + rec->blockcount - 1) / r->geo.sb.rextsize, first + MOST_BITS);
	uint8_t *image = malloc(r->geo.inodesize), *block = malloc(r->geo.blocksize);
	struct xfs_mapset map = { 0 };
	struct repair_fork f = { 0 };
	bool big = true, little = true;
	struct xfs_dinode d;
	int error = image && block ? repair_read_inode(r, r->geo.sb.rbmino, image, &d) : -XFS_E_NOMEM;

	if (!error)
		error = repair_fork_scan(r, r->geo.sb.rbmino, &d, image, XFS_FORK_DATA, &f, repair_keep_mapping, &map);
	if (!error)
		error = xfs_mapset_normalise(&map) < 0;
	for (uint64_t x = first; x <= last && !error && (big || little); x++) {
		const struct xfs_mapping *m = xfs_mapset_at(&map, x / per_block);
		uint64_t bit = x % per_block, fsbno = m ? m->fsbno + (x / per_block - m->off) : 0;
		const uint8_t *word = block + bit / 32 * 4;

		if (x == first || !bit)
			error = !m || xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), block,
						   r->geo.blocksize);
		big &= !error && !(xfs_be32(word) >> (bit % 32) & 1);
		little &= !error && !(xfs_le32(word) >> (bit % 32) & 1);
	}
	xfs_mapset_release(&map);
	repair_fork_release(&f);
	free(block);
	free(image);
	return !error && (big || little);
}

/*
 * The first extent lies where one of the two has no such place and the other one has it in use. With a place on both
 * the flag is right unless free space has these blocks.
 */
static bool is_wrong_of_one(struct repair *r, const struct repair_seen *s, const struct xfs_bmbt_rec *rec)
{
	const struct xfs_extent e = { rec->startoff, rec->startblock, rec->blockcount, rec->extentflag };
	uint32_t step = r->geo.sb.rextsize;	/* whole extents of the section, at multiples in the file */
	bool here = xfs_extent_valid(&r->geo, &e, false),
	     there = xfs_extent_valid(&r->geo, &e, true) && e.block % step == e.off % step;

	if (s->d.core.flags & XFS_DIFLAG_REALTIME)
		return here && !there && repair_ag_of(r, e.block)->tree[XFS_TREE_BNO].sound &&
		       !repair_free_blocks(r, e.block, (uint32_t)e.len);
	return there && (!here || repair_free_blocks(r, e.block, (uint32_t)e.len) == e.len) && s->ag &&
	       s->ag->rt_asked++ < MOST_ASKED && bitmap_has(r, rec);
}

bool repair_rt_flag_is_wrong(struct repair *r, struct repair_seen *s)
{
	struct question q = { .ino = s->ino };

	if (!r->geo.metadir && r->geo.sb.rextsize && first_extent(r, s, &q.rec))
		return is_wrong_of_one(r, s, &q.rec);
	if (!r->geo.metadir || !r->geo.rmapbt || !r->geo.sb.rgcount || !first_extent(r, s, &q.rec))
		return false;
	if (data_device_has(r, s, &q))
		return s->d.core.flags & XFS_DIFLAG_REALTIME;
	return !(s->d.core.flags & XFS_DIFLAG_REALTIME) && s->ag && s->ag->rt_asked++ < MOST_ASKED && group_has(r, &q);
}
