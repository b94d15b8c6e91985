/* SPDX-License-Identifier: BSD-2-Clause */
/* verify.c - everything that a tree alone can tell about itself (format sheet 02, sections 1 to 3). */
#include "libxfs/base/crc32c.h"
#include "libxfs/btree/priv.h"
#include "libxfs/btree/ptrset.h"

#include <stdio.h>

/* What is known of the latest block of one level, for order and siblings. */
struct level_state {
	bool any, right_known;
	uint64_t ptr, right;
	struct xfs_btree_key last;	/* low key of its last entry */
	bool last_known;
};

struct verify {
	struct xfs_btree *bt;
	struct xfs_btree_verify *to;
	struct xfs_ptrset met;
	struct level_state lev[XFS_BTREE_MAXLEVELS];
	uint8_t prev[32];		/* copy of the latest record */
	bool prev_known;
	/* last block (first key word) covered so far by any record, and by those that may not be shared */
	struct xfs_btree_key high_any, high_sole;
	bool any_known, sole_known;
};

/* Exact keys of a subtree, from its records. */
struct extent {
	struct xfs_btree_key low, high;
	bool known;
};

static void emit(struct verify *v, const struct xfs_finding *f)
{
	v->to->findings++;
	xfs_finding_emit(v->to->sink, f);
}

static void complain(struct verify *v, enum xfs_finding_id id, const char *field, uint64_t ptr, uint64_t found,
		     uint64_t expected, unsigned level, int64_t entry)
{
	struct xfs_finding f = xfs_btree_finding(v->bt, id, ptr);
	char where[40] = "";

	f.field = field;
	f.found = found;
	f.expected = expected;
	if (entry >= 0)
		snprintf(where, sizeof(where), ", entry %lld", (long long)entry + 1);
	if (v->bt->kind->inode_root && level + 1 == v->bt->levels)
		xfs_finding_detail(&f, "root in the inode, level %u%s", level, where);
	else if (v->bt->kind->shape->long_form)
		xfs_finding_detail(&f, "fsblock %llu, level %u%s", (unsigned long long)ptr, level, where);
	else
		xfs_finding_detail(&f, "level %u%s", level, where);
	emit(v, &f);
}

/* Stored and true key differ; says the words of the first difference. */
static void complain_key(struct verify *v, enum xfs_finding_id id, uint64_t ptr, unsigned level, uint32_t entry,
			 const struct xfs_btree_key *found, const struct xfs_btree_key *expected)
{
	unsigned w = 0;

	while (w + 1u < v->bt->kind->cmpwords && found->w[w] == expected->w[w])
		w++;
	complain(v, id, NULL, ptr, found->w[w], expected->w[w], level, entry);
}

static void check_siblings(struct verify *v, uint64_t ptr, unsigned level, const uint8_t *data)
{
	const struct xfs_btree_shape *s = v->bt->kind->shape;
	struct level_state *l = &v->lev[level];
	uint64_t left, want = l->any ? l->ptr : XFS_NULL64;

	if (xfs_btree_is_inline(v->bt, ptr))
		return;
	left = xfs_btree_get_sib(s, data, false);
	if (left != want)
		complain(v, XFS_F_BTREE_SIBLING, "leftsib", ptr, left, want, level, -1);
	if (l->any && l->right_known && l->right != ptr)
		complain(v, XFS_F_BTREE_SIBLING, "rightsib", l->ptr, l->right, ptr, level, -1);
	l->right = xfs_btree_get_sib(s, data, true);
	l->right_known = true;
}

static void check_fill(struct verify *v, uint64_t ptr, unsigned level, const uint8_t *data, uint32_t n)
{
	const struct xfs_btree *bt = v->bt;
	const struct xfs_btree_shape *s = bt->kind->shape;
	uint32_t least = xfs_btree_maxrecs(s, bt->v5, bt->blocksize, level == 0) / 2;

	if (xfs_btree_is_inline(bt, ptr))
		return;
	if (level + 1 == bt->levels)
		least = level ? 2 : 0;
	/* the only block of its level below a root in an inode */
	else if (bt->kind->inode_root && xfs_btree_get_sib(s, data, false) == XFS_NULL64 &&
		 xfs_btree_get_sib(s, data, true) == XFS_NULL64)
		least = 1;
	if (n < least)
		complain(v, XFS_F_BTREE_FILL, "numrecs", ptr, n, least, level, -1);
}

/* Low keys ascend strictly inside the block and from its left neighbour; one finding a block. */
static void check_order(struct verify *v, uint64_t ptr, unsigned level, const struct xfs_btree_view *view)
{
	struct level_state *l = &v->lev[level];
	struct xfs_btree_key k;
	bool said = false;

	for (uint32_t i = 0; i < view->n; i++) {
		xfs_btree_view_low(v->bt, view, level, i, &k);
		if (l->last_known && !said && xfs_btree_kind_cmp(v->bt->kind, &k, &l->last) <= 0) {
			complain(v, XFS_F_BTREE_ORDER, NULL, ptr, k.w[0], l->last.w[0], level, i);
			said = true;
		}
		l->last = k;
		l->last_known = true;
	}
}

static bool overlaps(struct verify *v, const uint8_t *rec, const struct xfs_btree_key *low,
		     const struct xfs_btree_key *high)
{
	const struct xfs_btree_kind *kind = v->bt->kind;
	bool bad, sole = true;

	if (!kind->overlapping) {
		bad = v->any_known && xfs_btree_kind_cmp(kind, low, &v->high_any) <= 0;
		v->high_any = *high;
		v->any_known = true;
		return bad;
	}
	if (kind->shareable && !v->to->no_sharing)
		sole = !kind->shareable(rec);
	bad = sole ? v->any_known && low->w[0] <= v->high_any.w[0] : v->sole_known && low->w[0] <= v->high_sole.w[0];
	if (!v->any_known || high->w[0] > v->high_any.w[0])
		v->high_any = *high;
	v->any_known = true;
	if (sole && (!v->sole_known || high->w[0] > v->high_sole.w[0]))
		v->high_sole = *high;
	v->sole_known |= sole;
	return bad;
}

/* Records of a leaf: validity, overlap, merging; gives the leaf's exact keys. */
static void check_records(struct verify *v, uint64_t ptr, const struct xfs_btree_view *view, struct extent *out)
{
	const struct xfs_btree_kind *kind = v->bt->kind;
	bool said_overlap = false, said_merge = false;

	for (uint32_t i = 0; i < view->n; i++) {
		const uint8_t *rec = xfs_btree_entry(view, i);
		struct xfs_btree_key low, high;
		bool bad;

		kind->low(&low, rec);
		kind->high(&high, rec);
		if (i == 0)
			out->low = low;
		if (i == 0 || xfs_btree_kind_cmp(kind, &high, &out->high) > 0)
			out->high = high;
		out->known = true;
		bad = xfs_btree_kind_cmp(kind, &high, &low) < 0;
		if ((!bad || v->to->all) && v->to->record)
			bad |= v->to->record(v->to->payload, rec) != 0;
		if (bad)
			complain(v, XFS_F_BTREE_RECORD, NULL, ptr, low.w[0], XFS_NULL64, 0, i);
		if (overlaps(v, rec, &low, &high) && !said_overlap) {
			complain(v, XFS_F_BTREE_OVERLAP, NULL, ptr, low.w[0], XFS_NULL64, 0, i);
			said_overlap = true;
		}
		if (v->prev_known && !said_merge && kind->mergeable && kind->mergeable(v->prev, rec)) {
			complain(v, XFS_F_BTREE_MERGE, NULL, ptr, low.w[0], XFS_NULL64, 0, i);
			said_merge = true;
		}
		memcpy(v->prev, rec, kind->shape->reclen);
		v->prev_known = true;
	}
	v->to->records += view->n;
}

static int visit(struct verify *v, uint64_t ptr, unsigned level, struct extent *out);

/* Children of a node: stored keys against the true ones; gives the node's exact keys. */
static int check_children(struct verify *v, uint64_t ptr, unsigned level, const struct xfs_btree_view *view,
			  struct extent *out)
{
	struct xfs_btree *bt = v->bt;
	const struct xfs_btree_kind *kind = bt->kind;
	int err = 0;

	for (uint32_t i = 0; i < view->n && !err; i++) {
		struct xfs_btree_key low, high;
		struct extent child = { .known = false };

		xfs_btree_view_low(bt, view, level, i, &low);
		high = low;
		if (kind->overlapping)
			xfs_btree_view_high(bt, view, level, i, &high);
		xfs_btree_readahead_children(bt, view, i);
		err = visit(v, xfs_btree_view_ptr(bt, view, i), level - 1, &child);
		if (!child.known)	/* lost: what the node says is all that is left */
			child = (struct extent){ low, high, true };
		if (xfs_btree_kind_cmp(kind, &low, &child.low))
			complain_key(v, XFS_F_BTREE_KEY, ptr, level, i, &low, &child.low);
		if (kind->overlapping && xfs_btree_kind_cmp(kind, &high, &child.high))
			complain_key(v, XFS_F_BTREE_HIGH_KEY, ptr, level, i, &high, &child.high);
		if (i == 0)
			out->low = child.low;
		if (i == 0 || xfs_btree_kind_cmp(kind, &child.high, &out->high) > 0)
			out->high = child.high;
		out->known = true;
	}
	return err;
}

/* Borrows the block and makes sure that its parts can be used and that it comes once. True: *b is held. */
static bool usable(struct verify *v, uint64_t ptr, unsigned level, struct xfs_btree_block *b, int *err)
{
	struct xfs_btree *bt = v->bt;
	struct xfs_finding f;
	bool had = false;
	int got = xfs_btree_borrow(bt, ptr, level, b);

	if (got == -XFS_E_NOMEM) {
		*err = got;
	} else if (got) {
		complain(v, got == -XFS_E_RANGE ? XFS_F_BTREE_POINTER :
			 got == -XFS_E_BADCRC ? XFS_F_BLOCK_CRC : XFS_F_BLOCK_IO, NULL, ptr, XFS_NULL64, XFS_NULL64,
			 level, -1);
	}
	if (got)
		return false;
	b->ptr = ptr;
	if (xfs_btree_check_structure(bt, ptr, level, b->data, &f)) {
		emit(v, &f);
	} else {
		if (!xfs_btree_is_inline(bt, ptr))
			*err = xfs_ptrset_add(&v->met, ptr, &had);
		if (had)
			complain(v, XFS_F_BTREE_LOOP, NULL, ptr, XFS_NULL64, XFS_NULL64, level, -1);
		if (!*err && !had)
			return true;
	}
	xfs_btree_give_back(bt, b);
	return false;
}

static void check_header(struct verify *v, uint64_t ptr, unsigned level, const uint8_t *data, uint32_t n)
{
	struct xfs_btree *bt = v->bt;
	size_t off = xfs_btree_crc_off(bt->kind->shape);

	for (unsigned i = 0; i < XFS_BTREE_IDENTITY_CHECKS; i++) {
		struct xfs_finding f;

		if (xfs_btree_identity_wrong(bt, i, ptr, data, &f))
			emit(v, &f);
	}
	if (bt->v5 && !xfs_btree_is_inline(bt, ptr) && !xfs_crc32c_check(data, bt->blocksize, off))
		complain(v, XFS_F_BLOCK_CRC, "crc", ptr, xfs_le32(data + off),
			 xfs_crc32c_block(data, bt->blocksize, off), level, -1);
	check_siblings(v, ptr, level, data);
	check_fill(v, ptr, level, data, n);
}

/* Recursion goes one level down each time: at most XFS_BTREE_MAXLEVELS deep. */
static int visit(struct verify *v, uint64_t ptr, unsigned level, struct extent *out)
{
	struct level_state *l = &v->lev[level];
	struct xfs_btree_block b;
	struct xfs_btree_view view;
	int err = 0;

	if (usable(v, ptr, level, &b, &err)) {
		xfs_btree_view_make(v->bt, ptr, b.data, &view);
		if (!xfs_btree_is_inline(v->bt, ptr))
			v->to->blocks++;
		check_header(v, ptr, level, b.data, view.n);
		check_order(v, ptr, level, &view);
		l->any = true;
		l->ptr = ptr;
		if (v->to->block)
			err = v->to->block(v->to->payload, ptr, level);
		if (level == 0)
			check_records(v, ptr, &view, out);
		else if (!err)
			err = check_children(v, ptr, level, &view, out);
		xfs_btree_give_back(v->bt, &b);
	} else {
		v->to->lost += !xfs_btree_is_inline(v->bt, ptr);
		l->any = true;
		l->ptr = ptr;
		l->right_known = false;
	}
	return err;
}

int xfs_btree_verify(struct xfs_btree *bt, struct xfs_btree_verify *to)
{
	struct verify v = { .bt = bt, .to = to };
	struct extent all = { .known = false };
	int err = xfs_btree_check_instance(bt);

	to->blocks = to->records = to->findings = to->lost = 0;
	if (err)
		return err;
	err = visit(&v, xfs_btree_root_ptr(bt), bt->levels - 1, &all);
	for (unsigned i = 0; i < bt->levels && !err; i++)
		if (v.lev[i].right_known && v.lev[i].right != XFS_NULL64)
			complain(&v, XFS_F_BTREE_SIBLING, "rightsib", v.lev[i].ptr, v.lev[i].right, XFS_NULL64, i, -1);
	xfs_ptrset_release(&v.met);
	return err;
}
