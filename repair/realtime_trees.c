/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_trees.c - reverse mappings and reference counts of realtime groups (format sheet 02, section 2.6; sheet 10,
 * section 4.2): trees in metadata files, which follow from the forks of the files that lie in a group.
 *
 * A tree whose records differ is built anew in new blocks, like any other fork: the inode that points to it is the
 * switch.
 */
#include "repair/evidence.h"
#include "repair/metafiles.h"
#include "repair/realtime.h"
#include "repair/realtime_owned.h"
#include "repair/space.h"

#include "libxfs/base/search.h"
#include "libxfs/btree/btree.h"
#include "libxfs/build/treewrite.h"
#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The records of one tree as they should be, on disk form. */
struct wanted {
	uint8_t *recs;
	size_t n, at;
	unsigned len;		/* bytes of one */
	uint32_t in_use;	/* blocks that a zone counts as such */
};

static enum xfs_btree_id kind_of(unsigned metatype)
{
	return metatype == XFS_METAFILE_RTREFCOUNT ? XFS_BTREE_RTREFC : XFS_BTREE_RTRMAP;
}

/* ---- what a group holds ---- */

static int by_start(const void *pa, const void *pb)
{
	const struct xfs_rmap_rec *a = pa, *b = pb;

	if (a->startblock != b->startblock)
		return a->startblock < b->startblock ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Mappings of the group; the caller frees. */
static int mappings_of(const struct repair *r, const struct repair_rt_map *maps, size_t nmaps, uint32_t group,
		       struct xfs_rmap_rec **out, size_t *n)
{
	uint64_t lo = repair_rt_group_start(&r->geo, group);
	uint64_t hi = lo + (uint64_t)r->geo.sb.rgextents * r->geo.sb.rextsize;
	size_t first = xfs_search(nmaps, i, maps[i].start < lo);	/* none reaches over the border of a group */
	size_t behind;

	for (behind = first; behind < nmaps && maps[behind].start < hi; )
		behind++;
	*out = calloc(behind - first + 1, sizeof(**out));
	*n = 0;
	if (!*out)
		return -XFS_E_NOMEM;
	if (!group && !r->geo.zoned)
		(*out)[(*n)++] = (struct xfs_rmap_rec){ .blockcount = r->geo.sb.rextsize, .owner = XFS_OWN_FS };
	for (size_t i = first; i < behind; i++)
		(*out)[(*n)++] = (struct xfs_rmap_rec){
			.startblock = (uint32_t)(maps[i].start - lo), .blockcount = (uint32_t)maps[i].len,
			.owner = maps[i].ino, .offset = maps[i].off, .extentflag = maps[i].unwritten };
	qsort(*out, *n, sizeof(**out), by_start);
	return 0;
}

static int put_rmaps(const struct xfs_rmap_rec *maps, size_t n, struct wanted *w)
{
	w->len = sizeof(struct xfs_rmap_rec_disk);
	w->recs = calloc(n + 1, w->len);
	if (!w->recs)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct xfs_rmap_rec *last = w->n ? &(struct xfs_rmap_rec){ 0 } : NULL;

		if (last)
			xfs_rmap_rec_decode(last, w->recs + (w->n - 1) * w->len);
		if (last && last->owner == maps[i].owner && last->extentflag == maps[i].extentflag &&
		    last->startblock + (uint64_t)last->blockcount == maps[i].startblock &&
		    last->offset + last->blockcount == maps[i].offset) {
			last->blockcount += maps[i].blockcount;
			xfs_rmap_rec_encode(w->recs + (w->n - 1) * w->len, last);
			continue;
		}
		xfs_rmap_rec_encode(w->recs + w->n++ * w->len, &maps[i]);
	}
	return 0;
}

struct border {
	uint64_t at;
	int64_t by;
};

static int by_place(const void *pa, const void *pb)
{
	const struct border *a = pa, *b = pb;

	return a->at < b->at ? -1 : a->at > b->at;
}

/* Runs of blocks that several mappings hold. */
static int put_counts(const struct xfs_rmap_rec *maps, size_t n, struct wanted *w)
{
	struct border *b = calloc(2 * n + 1, sizeof(*b));
	int64_t depth = 0;
	size_t k = 0;

	w->len = sizeof(struct xfs_refc_rec_disk);
	w->recs = calloc(2 * n + 1, w->len);
	if (!b || !w->recs) {
		free(b);
		return -XFS_E_NOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (maps[i].extentflag || xfs_owner_is_special(maps[i].owner))
			continue;
		b[k++] = (struct border){ maps[i].startblock, 1 };
		b[k++] = (struct border){ maps[i].startblock + (uint64_t)maps[i].blockcount, -1 };
	}
	qsort(b, k, sizeof(*b), by_place);
	for (size_t i = 0; i < k; ) {
		uint64_t at = b[i].at;
		int64_t before = depth;

		for (; i < k && b[i].at == at; i++)
			depth += b[i].by;
		if (depth != before && before > 1) {		/* a run ends */
			struct xfs_refc_rec rec;

			xfs_refc_rec_decode(&rec, w->recs + (w->n - 1) * w->len);
			rec.blockcount = (uint32_t)(at - rec.startblock);
			xfs_refc_rec_encode(w->recs + (w->n - 1) * w->len, &rec);
		}
		if (depth != before && depth > 1) {
			struct xfs_refc_rec rec = { .startblock = (uint32_t)at, .refcount = (uint32_t)depth };

			xfs_refc_rec_encode(w->recs + w->n++ * w->len, &rec);
		}
	}
	free(b);
	return 0;
}

/* The inode of a zone's reverse mappings has the number of blocks in use where others have a hint. */
static bool counts_in_use(const struct repair *r, unsigned metatype)
{
	return r->geo.zoned && metatype == XFS_METAFILE_RTRMAP;
}

static int want_tree(const struct repair *r, const struct repair_rt_map *maps, size_t nmaps, uint32_t group,
		     unsigned metatype, struct wanted *w)
{
	struct xfs_rmap_rec *own;
	size_t n;
	int error = mappings_of(r, maps, nmaps, group, &own, &n);

	*w = (struct wanted){ .recs = NULL };
	if (!error)
		error = metatype == XFS_METAFILE_RTREFCOUNT ? put_counts(own, n, w) : put_rmaps(own, n, w);
	for (size_t i = 0; i < n && !error && counts_in_use(r, metatype); i++)
		w->in_use += own[i].blockcount;
	free(own);
	return error;
}

/* ---- comparing ---- */

static int compare_record(void *payload, const void *rec)
{
	struct wanted *w = payload;

	return w->at >= w->n || memcmp(w->recs + w->at++ * w->len, rec, w->len) ? -XFS_E_STOP : 0;
}

/* The whole root and all blocks say what they should. */
static int compare(struct repair *r, const struct repair_rt_file *file, const struct xfs_dinode *d,
		   const uint8_t *image, struct wanted *w, bool *same)
{
	struct repair_fork f = { 0 };
	int error = repair_fork_scan_meta(r, file->ino, d, image, &f, compare_record, w);

	*same = !error && !f.damaged && w->at == w->n;
	repair_fork_release(&f);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* Reverse mappings were read as a witness of forks: where that says that they are right, the tree is not read again. */
static bool was_right(const struct repair *r, const struct repair_rt_file *file, const struct wanted *w)
{
	uint64_t sum = 0;

	if (!file->whole || file->records != w->n)
		return false;
	for (size_t i = 0; i < w->n; i++)
		sum = repair_rt_sum_owned(r, sum, w->recs + i * w->len);
	return sum == file->sum;
}

/* Blocks of the old tree stay whole until the switch, and become free then. */
static int give_up(struct repair *r, struct repair_inode *c, const struct xfs_dinode *d)
{
	struct repair_fork f = { 0 };
	int error = d->core.format == XFS_DINODE_FMT_META_BTREE
			? repair_fork_scan_meta(r, c->ino, d, c->image, &f, NULL, NULL) : 0;

	for (size_t i = 0; i < f.nown && !error; i++) {
		struct xfs_mapping m = { 0, f.own[i], 1, false, 0 };

		r->ags[xfs_fsbno_agno(&r->geo, XFS_FSBNO(f.own[i])).v].reasons |= REPAIR_FORK;
		error = xfs_mapset_add(&c->old, &m);
	}
	repair_fork_release(&f);
	return error;
}

static int replace(struct repair *r, const struct repair_rt_file *file, struct xfs_dinode *d, uint8_t *image)
{
	struct repair_inode *c;
	int error = repair_changed_inode(r, file->ino, image, &c);

	if (!error && !c->fork[XFS_FORK_DATA])
		error = give_up(r, c, d);
	if (error)
		return error;
	c->fork[XFS_FORK_DATA] = true;
	d->core.format = XFS_DINODE_FMT_META_BTREE;
	d->core.size = 0;
	xfs_dinode_encode(c->image, d);
	return 0;
}

static int set_in_use(struct repair *r, const struct repair_rt_file *file, uint32_t have, uint32_t want, uint8_t *image)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_FIELD, "inode");
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	f.ino = file->ino;
	f.field = "cowextsize";
	f.found = have;
	f.expected = want;
	xfs_finding_detail(&f, "blocks in use of zone %" PRIu32, file->group);
	repair_note(r, &f, true);
	if (r->looking)
		return 0;
	error = repair_read_decided(r, file->ino, image, &d);
	if (!error)
		error = repair_changed_inode(r, file->ino, image, &c);
	if (!error)
		error = repair_open_image(r, c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	d.v3.cowextsize = want;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

static int check_tree(struct repair *r, const struct repair_rt_file *file, const struct repair_rt_map *maps,
		      size_t nmaps, uint8_t *image)
{
	bool refcount = file->metatype == XFS_METAFILE_RTREFCOUNT, same = false;
	struct xfs_finding f = xfs_finding_of(refcount ? XFS_F_REFC_DIFFERS : XFS_F_RMAP_MISSING,
					      refcount ? "rtrefcountbt" : "rtrmapbt");
	struct repair_inode *c = repair_find_changed(r, file->ino);
	uint32_t in_use = file->in_use;
	struct xfs_dinode d;
	struct wanted w;
	int error;

	if (c && (c->made_free || c->fork[XFS_FORK_DATA]))
		return 0;		/* it is made anew in any case */
	error = want_tree(r, maps, nmaps, file->group, file->metatype, &w);
	same = !error && !c && was_right(r, file, &w);
	if (!error && !same)
		error = repair_read_decided(r, file->ino, image, &d);
	if (!error && !same) {
		in_use = d.v3.cowextsize;
		error = compare(r, file, &d, image, &w, &same);
	}
	free(w.recs);
	if (!error && same && counts_in_use(r, file->metatype) && in_use != w.in_use)
		error = set_in_use(r, file, in_use, w.in_use, image);
	if (error || same)
		return error == -XFS_E_NOMEM ? error : 0;
	f.ino = file->ino;
	xfs_finding_detail(&f, "group %" PRIu32 " holds %zu records, the tree does not say the same", file->group, w.n);
	repair_note(r, &f, true);
	return r->looking ? 0 : replace(r, file, &d, image);
}

int repair_rt_trees(struct repair *r)
{
	struct repair_rt_map *maps;
	struct repair_rt_shape shape;
	uint8_t *image;
	size_t n;
	int error;

	if (!r->geo.metadir || !repair_rt_shape(r, &shape))
		return 0;
	image = malloc(r->geo.inodesize);
	error = image ? repair_rt_claims(r, &maps, &n) : -XFS_E_NOMEM;
	for (uint32_t a = 0; a < r->geo.agcount && !error; a++)
		for (size_t i = 0; i < r->ags[a].nrt_files && !error; i++) {
			const struct repair_rt_file *f = &r->ags[a].rt_files[i];

			if (repair_metafile_is_tree(f->metatype) &&
			    repair_metafile_possible(r, &(struct repair_metafile){ f->metatype, f->group }))
				error = check_tree(r, f, maps, n, image);
		}
	if (image)
		free(maps);
	free(image);
	return error;
}

/* ---- building ---- */

bool repair_rt_is_tree(const struct repair *r, const struct xfs_dinode *d)
{
	return r->geo.metadir && xfs_dinode_is_metadata(d) && repair_metafile_is_tree(d->core.metatype);
}

void repair_rt_forget(struct repair *r)
{
	free(r->rt_claims);
	r->rt_claims = NULL;
}

/* Claims of all groups are gathered once for all trees. */
static int want_own(struct repair *r, const struct xfs_dinode *d, struct wanted *w)
{
	int error = r->rt_claims ? 0 : repair_rt_claims(r, &r->rt_claims, &r->nrt_claims);

	*w = (struct wanted){ .recs = NULL };
	if (error)
		repair_rt_forget(r);
	return error ? error : want_tree(r, r->rt_claims, r->nrt_claims, xfs_dinode_projid(d), d->core.metatype, w);
}

static int shape_of(const struct repair *r, const struct xfs_dinode *d, const struct wanted *w,
		    struct xfs_btree_geometry *shape)
{
	return xfs_btree_bulk_geometry(shape, &xfs_btree_kinds[kind_of(d->core.metatype)], true, r->geo.blocksize,
				       w->n, 0, 0, repair_fork_size(r, d, XFS_FORK_DATA));
}

int repair_rt_tree_blocks(struct repair *r, const struct xfs_dinode *d, uint64_t *blocks)
{
	struct xfs_btree_geometry shape;
	struct wanted w;
	int error = want_own(r, d, &w);

	if (!error)
		error = shape_of(r, d, &w, &shape);
	*blocks = error ? 0 : shape.blocks;
	free(w.recs);
	return error;
}

struct loading {
	const struct repair *r;
	struct wanted w;
	uint64_t *blocks;
};

static int next_record(void *payload, void *rec)
{
	struct loading *l = payload;

	memcpy(rec, l->w.recs + l->w.at++ * l->w.len, l->w.len);
	return 0;
}

static uint64_t block_at(void *payload, uint64_t i) { return ((struct loading *)payload)->blocks[i]; }

static uint64_t block_daddr(void *payload, uint64_t ptr)
{
	return xfs_fsbno_daddr(&((struct loading *)payload)->r->geo, XFS_FSBNO(ptr)).v;
}

static int write_tree(struct repair *r, struct loading *l, const struct xfs_dinode *d, uint64_t ino, uint8_t *root,
		      const struct xfs_btree_geometry *shape)
{
	struct xfs_btree_bulk bulk = {
		.kind = &xfs_btree_kinds[kind_of(d->core.metatype)], .blocksize = r->geo.blocksize, .v5 = true,
		.uuid = r->geo.uuid, .owner = ino, .inline_root = root,
		.inline_len = repair_fork_size(r, d, XFS_FORK_DATA),
	};
	struct xfs_batch batch;
	struct xfs_treewrite write = { .batch = &batch, .shape = shape, .next = next_record, .block = block_at,
				       .daddr_of = block_daddr, .payload = l };
	int error = xfs_batch_init(&batch, r->dev.data, shape->blocks * r->geo.blocksize);

	if (error)
		return error;
	memset(root, 0, bulk.inline_len);
	error = xfs_treewrite(&write, &bulk);
	if (!error)
		error = xfs_batch_flush(&batch);
	xfs_batch_release(&batch);
	return error;
}

int repair_rt_build_tree(struct repair *r, struct repair_inode *c, struct xfs_dinode *d,
			 int (*alloc)(void *, uint64_t *), void *payload)
{
	struct loading l = { .r = r };
	struct xfs_btree_geometry shape;
	int error = want_own(r, d, &l.w);

	if (!error)
		error = shape_of(r, d, &l.w, &shape);
	if (!error) {
		l.blocks = calloc(shape.blocks + 1, sizeof(*l.blocks));
		error = l.blocks ? 0 : -XFS_E_NOMEM;
	}
	for (uint64_t i = 0; !error && i < shape.blocks; i++)
		error = alloc(payload, &l.blocks[i]);
	if (!error)
		error = write_tree(r, &l, d, c->ino, c->image + xfs_dinode_literal_off((unsigned)d->core.version),
				   &shape);
	if (!error) {
		d->core.format = XFS_DINODE_FMT_META_BTREE;
		d->core.size = 0;
		xfs_dinode_set_nextents(d, XFS_FORK_DATA, 0);
		if (counts_in_use(r, d->core.metatype))
			d->v3.cowextsize = l.w.in_use;
	}
	free(l.w.recs);
	free(l.blocks);
	return error;
}
