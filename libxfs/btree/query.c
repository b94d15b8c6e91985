/* SPDX-License-Identifier: BSD-2-Clause */
/* query.c - records in a range of keys, and all records (format sheet 02, sections 3.5 and 3.6). */
#include "libxfs/btree/priv.h"

/*
 * One traversal from left to right for all kinds.  Overlapping kinds: an entry whose high key lies before the range is
 * skipped.  Plain kinds: an entry ends where the next one begins, so a binary search gives the first that can match.
 */
struct range {
	struct xfs_btree_cursor cur;		/* the stack: block and entry of each level */
	const struct xfs_btree_key *lo, *hi;	/* NULL: all records */
	struct xfs_btree_key first[XFS_BTREE_MAXLEVELS];	/* first key of the latest block of each level */
	bool seen[XFS_BTREE_MAXLEVELS];
	xfs_btree_record_fn found;
	void *payload;
	struct xfs_btree_visits *visits;
	xfs_btree_visit_fn visit;
	void *visit_payload;
};

void xfs_btree_readahead_children(struct xfs_btree *bt, const struct xfs_btree_view *v, uint32_t idx)
{
	uint64_t ptrs[XFS_BTREE_BATCH];
	size_t n = 0;

	if (!bt->io.readahead || idx % XFS_BTREE_BATCH)
		return;
	for (uint32_t i = idx; i < v->n && n < XFS_BTREE_BATCH; i++)
		ptrs[n++] = xfs_btree_view_ptr(bt, v, i);
	bt->io.readahead(bt->io.owner, ptrs, n);
}

/*
 * Enters a block.  Blocks of one level are met in ascending order of their first keys, or the tree is corrupt: so no
 * block is entered twice, which bounds the traversal whatever the pointers say.
 */
static int enter(struct range *r, unsigned level, uint64_t ptr)
{
	struct xfs_btree *bt = r->cur.bt;
	struct xfs_btree_view *v = &r->cur.lev[level].v;
	struct xfs_btree_key first;
	int err = xfs_btree_cursor_load(&r->cur, level, ptr);

	if (err)
		return err;
	if (r->visits)
		r->visits->blocks[level]++;
	if (r->visit)
		r->visit(r->visit_payload, ptr, level);
	if (v->n == 0)
		return 0;
	xfs_btree_view_low(bt, v, level, 0, &first);
	if (r->seen[level] && xfs_btree_kind_cmp(bt->kind, &first, &r->first[level]) <= 0)
		return -XFS_E_CORRUPT;
	r->first[level] = first;
	r->seen[level] = true;
	if (r->lo && !bt->kind->overlapping)
		r->cur.lev[level].idx = xfs_btree_view_search(bt, v, level, r->lo);
	return 0;
}

/* Reports the matching records of the leaf. */
static int take_leaf(struct range *r)
{
	const struct xfs_btree *bt = r->cur.bt;
	const struct xfs_btree_kind *kind = bt->kind;
	const struct xfs_btree_view *v = &r->cur.lev[0].v;
	struct xfs_btree_key k;
	int err = 0;

	for (uint32_t i = r->cur.lev[0].idx; i < v->n && !err; i++) {
		const uint8_t *rec = xfs_btree_entry(v, i);

		if (r->lo) {
			kind->low(&k, rec);
			if (xfs_btree_kind_cmp(kind, r->hi, &k) < 0)
				break;
			kind->high(&k, rec);
			if (xfs_btree_kind_cmp(kind, &k, r->lo) < 0)
				continue;
		}
		err = r->found(r->payload, rec);
	}
	return err;
}

/* What to do with the present entry of a node. */
enum choice { LEAVE, SKIP, ENTER };
static enum choice choose(const struct range *r, unsigned level)
{
	const struct xfs_btree *bt = r->cur.bt;
	const struct xfs_btree_view *v = &r->cur.lev[level].v;
	uint32_t idx = r->cur.lev[level].idx;
	struct xfs_btree_key k;

	if (idx >= v->n)
		return LEAVE;
	if (!r->lo)
		return ENTER;
	xfs_btree_view_low(bt, v, level, idx, &k);
	if (xfs_btree_kind_cmp(bt->kind, r->hi, &k) < 0)
		return LEAVE;
	if (!bt->kind->overlapping)
		return ENTER;
	xfs_btree_view_high(bt, v, level, idx, &k);
	return xfs_btree_kind_cmp(bt->kind, &k, r->lo) < 0 ? SKIP : ENTER;
}

static int traverse(struct range *r)
{
	struct xfs_btree *bt = r->cur.bt;
	unsigned level = bt->levels - 1;
	int err = enter(r, level, xfs_btree_root_ptr(bt));

	while (!err) {
		enum choice what = LEAVE;

		if (level == 0)
			err = take_leaf(r);
		else
			what = choose(r, level);
		if (what == ENTER) {
			struct xfs_btree_view *v = &r->cur.lev[level].v;
			uint32_t idx = r->cur.lev[level].idx++;

			if (!r->lo)
				xfs_btree_readahead_children(bt, v, idx);
			err = enter(r, --level, xfs_btree_view_ptr(bt, v, idx));
		} else if (what == SKIP) {
			r->cur.lev[level].idx++;
		} else if (++level >= bt->levels) {
			break;
		}
	}
	return err;
}

static int run(struct range *r, struct xfs_btree *bt)
{
	int err = xfs_btree_check_instance(bt);

	if (r->visits)
		*r->visits = (struct xfs_btree_visits){ { 0 } };
	if (err)
		return err;
	xfs_btree_cursor_init(&r->cur, bt);
	for (unsigned i = 0; i < XFS_BTREE_MAXLEVELS; i++)
		r->seen[i] = false;
	err = traverse(r);
	xfs_btree_cursor_close(&r->cur);
	return err;
}

int xfs_btree_query_range(struct xfs_btree *bt, const struct xfs_btree_key *lo, const struct xfs_btree_key *hi,
			  xfs_btree_record_fn found, void *payload, struct xfs_btree_visits *visits,
			  xfs_btree_visit_fn visit, void *visit_payload)
{
	struct range r;

	if (xfs_btree_kind_cmp(bt->kind, lo, hi) > 0)
		return -XFS_E_INVALID;
	r.lo = lo;
	r.hi = hi;
	r.found = found;
	r.payload = payload;
	r.visits = visits;
	r.visit = visit;
	r.visit_payload = visit_payload;
	return run(&r, bt);
}

int xfs_btree_query_all(struct xfs_btree *bt, xfs_btree_record_fn found, void *payload)
{
	struct range r;

	r.lo = r.hi = NULL;
	r.found = found;
	r.payload = payload;
	r.visits = NULL;
	r.visit = NULL;
	r.visit_payload = NULL;
	return run(&r, bt);
}
