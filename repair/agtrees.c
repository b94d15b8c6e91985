/* SPDX-License-Identifier: BSD-2-Clause */
/* agtrees.c - walks the trees of an AG, each block once, and keeps what comparing them will need. */
#include "repair/agtrees.h"
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

/* in the order of enum xfs_build_tree */
static const enum xfs_btree_id kinds[XFS_TREE_COUNT] = {
	XFS_BTREE_BNO, XFS_BTREE_CNT, XFS_BTREE_INO, XFS_BTREE_FINO, XFS_BTREE_RMAP, XFS_BTREE_REFC
};

static const enum xfs_block_kind blocks[XFS_TREE_COUNT] = {
	XFS_BLK_BNOBT, XFS_BLK_CNTBT, XFS_BLK_INOBT, XFS_BLK_FINOBT, XFS_BLK_RMAPBT, XFS_BLK_REFCBT
};

const char *repair_tree_name(enum xfs_build_tree t)
{
	return xfs_btree_kinds[kinds[t]].name;
}

struct one_tree {
	struct repair_walk *w;
	struct repair_tree *tree;
	enum xfs_block_kind kind;
	bool whole;		/* the block whose records are handed out verifies by itself */
	int error;		/* of a callback; ends the walk */
};

/* ---- records: each returns nonzero when the record is not valid ---- */

static int bno_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct repair_walk *w = o->w;
	struct xfs_bnobt_rec rec;

	xfs_bnobt_rec_decode(&rec, disk);
	if (!xfs_agbno_range_valid(&w->r->geo, w->ag->agno, rec.startblock, rec.blockcount))
		return -XFS_E_CORRUPT;
	repair_sum_add(w->r, &w->ag->free, rec.startblock, rec.blockcount, 0);
	w->free_blocks += rec.blockcount;
	if (rec.blockcount > w->longest)
		w->longest = rec.blockcount;
	return 0;
}

static int cnt_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct xfs_bnobt_rec rec;

	xfs_bnobt_rec_decode(&rec, disk);
	if (!xfs_agbno_range_valid(&o->w->r->geo, o->w->ag->agno, rec.startblock, rec.blockcount))
		return -XFS_E_CORRUPT;
	repair_sum_add(o->w->r, &o->w->cnt, rec.startblock, rec.blockcount, 0);
	o->w->cnt_blocks += rec.blockcount;
	return 0;
}

static bool decode_chunk(const struct repair_walk *w, const void *disk, struct xfs_inode_chunk *c)
{
	const struct xfs_geometry *geo = &w->r->geo;
	struct xfs_inobt_rec rec;
	uint64_t exist = UINT64_MAX;

	xfs_inobt_rec_decode(&rec, disk);
	*c = (struct xfs_inode_chunk){ rec.startino, rec.holemask, rec.count, rec.freecount, rec.free };
	if (!geo->sparse) {
		uint32_t freecount = xfs_inobt_rec_get_freecount32(disk);

		if (freecount > XFS_INODES_PER_CHUNK)
			return false;
		c->holemask = 0;
		c->count = XFS_INODES_PER_CHUNK;
		c->freecount = (uint8_t)freecount;
	}
	for (unsigned i = 0; i < 16; i++)
		if (c->holemask >> i & 1)
			exist &= ~(UINT64_C(15) << (4 * i));
	/* a chunk starts where chunks are aligned, and where blocks hold more than a chunk, with a chunk */
	return c->startino % (geo->inopblog < 6 ? xfs_max(geo->cluster_align, 1u) << geo->inopblog :
			      XFS_INODES_PER_CHUNK) == 0 &&
	       xfs_agino_valid(geo, w->ag->agno, c->startino) &&
	       xfs_agino_valid(geo, w->ag->agno, c->startino + XFS_INODES_PER_CHUNK - 1) &&
	       c->count == __builtin_popcountll(exist) && c->count &&
	       c->freecount == __builtin_popcountll(c->free & exist);
}

static int add_chunk(struct xfs_inode_chunk **list, size_t *n, size_t *room, const struct xfs_inode_chunk *c)
{
	if (xfs_grow(list, *n, room, 256))
		return -XFS_E_NOMEM;
	(*list)[(*n)++] = *c;
	return 0;
}

static int ino_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct repair_ag *ag = o->w->ag;
	struct xfs_inode_chunk c;
	bool good = decode_chunk(o->w, disk, &c);

	/* records of a damaged block lead to what may be no inodes at all */
	if (good && o->whole)
		o->error = o->error ? o->error : add_chunk(&ag->chunks, &ag->nchunks, &ag->chunk_room, &c);
	return good ? 0 : -XFS_E_CORRUPT;
}

static int fino_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct repair_ag *ag = o->w->ag;
	struct xfs_inode_chunk c;

	if (!decode_chunk(o->w, disk, &c) || !c.freecount)
		return -XFS_E_CORRUPT;
	if (o->whole)
		o->error = o->error ? o->error : add_chunk(&ag->finobt, &ag->nfinobt, &ag->finobt_room, &c);
	return 0;
}

/* Rules of one reverse mapping alone (format sheet 02, section 4.5). */
static bool rmap_valid(const struct repair_walk *w, const struct xfs_claim *c)
{
	const struct xfs_geometry *geo = &w->r->geo;
	uint64_t off = c->offset & XFS_RMAP_OFFMASK, flags = c->offset & XFS_RMAP_FLAGS;

	if (c->offset & ~(XFS_RMAP_OFFMASK | XFS_RMAP_FLAGS))
		return false;
	if (xfs_owner_is_special(c->owner)) {
		if (c->offset || c->owner > XFS_OWN_FS || c->owner <= XFS_OWN_MIN)
			return false;
		if (c->owner == XFS_OWN_FS)
			return c->agbno == 0 && c->len == geo->agfl_block + 1;
	} else {
		if (!xfs_ino_valid(geo, XFS_INO(c->owner)))
			return false;
		if ((flags & XFS_RMAP_BMBT && (off || flags & XFS_RMAP_UNWRITTEN)) ||
		    (flags & XFS_RMAP_ATTR && flags & XFS_RMAP_UNWRITTEN) ||
		    (!(flags & XFS_RMAP_BMBT) && !xfs_fileoff_range_valid(geo, off, c->len)))
			return false;
	}
	return xfs_agbno_range_valid(geo, w->ag->agno, c->agbno, c->len);
}

static int rmap_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct repair_walk *w = o->w;
	struct xfs_claim c = xfs_claim_decode(disk);
	int error = o->error;

	if (!rmap_valid(w, &c))
		return -XFS_E_CORRUPT;
	if (c.agbno > w->reach)
		repair_sum_add(w->r, &w->gaps, w->reach, c.agbno - w->reach, 0);
	if (c.agbno + c.len > w->reach)
		w->reach = c.agbno + c.len;
	if (xfs_owner_is_special(c.owner)) {
		if (!error)
			error = repair_runs_add(&w->ag->special, c.agbno, c.len, c.owner);
	} else {
		xfs_fingerprint_add_alone(&w->sums, c.owner, c.offset,
					  xfs_fsbno_of(&w->r->geo, w->ag->agno, XFS_AGBNO(c.agbno)).v, c.len);
	}
	if (!error && w->r->geo.reflink)
		error = xfs_sweep_claim(&w->sweep, &c);
	o->error = error;
	return 0;
}

static int shared_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct repair_walk *w = payload;

	repair_sum_add(w->r, &w->shared, agbno, len, refs);
	return 0;
}

static int sharing_owner(void *payload, uint64_t owner)
{
	struct repair_walk *w = payload;

	repair_mark_sharer(w->r, owner);
	return 0;
}

static int refc_record(void *payload, const void *disk)
{
	struct one_tree *o = payload;
	struct repair_walk *w = o->w;
	struct xfs_refc_rec rec;

	xfs_refc_rec_decode(&rec, disk);
	if (!xfs_agbno_range_valid(&w->r->geo, w->ag->agno, rec.startblock, rec.blockcount) ||
	    (rec.cowflag ? rec.refcount != 1 : rec.refcount < 2))
		return -XFS_E_CORRUPT;
	if (rec.cowflag)
		w->cow_blocks += rec.blockcount;
	else
		repair_sum_add(w->r, &w->ag->counts, rec.startblock, rec.blockcount, rec.refcount);
	return 0;
}

static const xfs_btree_record_fn record_fns[XFS_TREE_COUNT] = {
	bno_record, cnt_record, ino_record, fino_record, rmap_record, refc_record
};

/* ---- walking ---- */

/* What the engine does not look at: a block whose LSN no log can reach is written anew. */
static void check_block(struct one_tree *o, uint32_t agbno)
{
	struct repair_walk *w = o->w;
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_LSN, "btree");
	uint64_t owner;
	struct xfs_buf *buf;

	o->whole = false;
	if (xfs_fs_get_block(w->r->fs, xfs_fsbno_of(&w->r->geo, w->ag->agno, XFS_AGBNO(agbno)), o->kind, &buf))
		return;
	f.found = w->r->geo.v5 ? xfs_be64(buf->data + XFS_OFF(btree_short, lsn)) : 0;
	o->whole = !xfs_buf_check(buf, xfs_block_type(o->kind), NULL) &&
		   (!xfs_block_owner(&w->r->geo, o->kind, buf->data, buf->len, &owner) || owner == w->ag->agno.v);
	xfs_buf_put(buf);
	if (!xfs_lsn_is_wild(f.found))
		return;
	f.structure = repair_tree_name((enum xfs_build_tree)(o->tree - w->ag->tree));
	f.agno = w->ag->agno.v;
	f.agbno = agbno;
	w->ag->reasons |= REPAIR_TREE;
	repair_note(w->r, &f, true);
}

static int own_block(void *payload, uint64_t ptr, unsigned level)
{
	struct one_tree *o = payload;
	struct repair_tree *t = o->tree;

	(void)level;
	if (o->error)
		return o->error;
	check_block(o, (uint32_t)ptr);
	if (xfs_grow(&t->own, t->nown, &t->room, 16))
		return -XFS_E_NOMEM;
	t->own[t->nown++] = (uint32_t)ptr;
	return 0;
}

static void tree_finding(void *payload, const struct xfs_finding *f)
{
	repair_note(payload, f, true);
}

static bool has_tree(const struct xfs_geometry *geo, enum xfs_build_tree t)
{
	return t == XFS_TREE_FINO ? geo->finobt : t == XFS_TREE_RMAP ? geo->rmapbt :
	       t == XFS_TREE_REFC ? geo->reflink : true;
}

/* What a walk of the rmapbt has gathered is forgotten: there will be another one. */
static void forget_rmaps(struct repair_walk *w)
{
	w->gaps = w->shared = (struct repair_sum){ 0 };
	w->ag->special.n = 0;
	w->ag->tree[XFS_TREE_RMAP].nown = 0;
	w->reach = 0;
	xfs_sweep_finish(&w->sweep, -XFS_E_STOP);
	w->sweep = (struct xfs_sweep){ .found = shared_run, .payload = w, .sharer = sharing_owner };
	memset(w->sums.sums, 0, sizeof(*w->sums.sums) << w->sums.bits);
}

static int walk_once(struct repair_walk *w, enum xfs_build_tree t)
{
	struct repair_tree *tree = &w->ag->tree[t];
	struct one_tree o = { .w = w, .tree = tree, .kind = blocks[t] };
	struct xfs_sink sink = { tree_finding, w->r };
	struct xfs_btree_verify v = { .sink = &sink, .record = record_fns[t], .block = own_block, .payload = &o,
				      .no_sharing = !w->r->geo.reflink };
	struct xfs_btree bt;
	int error = repair_ag_btree(w->r, w->ag, kinds[t], &bt);

	if (error == -XFS_E_NOMEM)
		return error;
	if (error) {
		w->ag->reasons |= REPAIR_TREE;
		return 0;
	}
	tree->root = (uint32_t)bt.root;
	tree->levels = bt.levels;
	error = xfs_btree_verify(&bt, &v);
	if (error || o.error)
		return error ? error : o.error;
	tree->blocks = v.blocks;
	tree->records = v.records;
	tree->sound = v.findings == 0;
	if (!tree->sound)
		w->ag->reasons |= REPAIR_TREE;
	return 0;
}

static int walk_tree(struct repair_walk *w, enum xfs_build_tree t)
{
	struct repair_tree *tree = &w->ag->tree[t];
	int error;

	tree->present = has_tree(&w->r->geo, t);
	if (!tree->present)
		return 0;
	error = walk_once(w, t);
	if (error || t != XFS_TREE_RMAP || tree->sound || w->r->looking)
		return error;
	error = repair_find_rmaps(w->r, w->ag);
	if (error || !tree->found)
		return error;
	forget_rmaps(w);
	return walk_once(w, t);
}

int repair_walk_trees(struct repair_walk *w)
{
	int error = 0;

	error = w->r->geo.rmapbt ? xfs_fingerprint_init(&w->sums, w->r->rmap_sums.bits, w->r->rmap_sums.key) : 0;
	w->sweep = (struct xfs_sweep){ .found = shared_run, .payload = w, .sharer = sharing_owner };
	for (unsigned t = 0; t < XFS_TREE_COUNT && !error; t++)
		error = walk_tree(w, (enum xfs_build_tree)t);
	error = xfs_sweep_finish(&w->sweep, error);
	if (w->ag->length > w->reach)
		repair_sum_add(w->r, &w->gaps, w->reach, w->ag->length - w->reach, 0);
	if (!error && w->ag->tree[XFS_TREE_RMAP].sound)
		xfs_fingerprint_merge(&w->r->rmap_sums, &w->sums);
	return error;
}

void repair_walk_release(struct repair_walk *w)
{
	xfs_fingerprint_release(&w->sums);
}
