/* SPDX-License-Identifier: BSD-2-Clause */
/* ag.c - builds an AG: checks the request, lays out, claims, writes. */
#include "libxfs/build/ag_private.h"

#include <stdlib.h>

static const enum xfs_btree_id tree_ids[XFS_TREE_COUNT] = {
	XFS_BTREE_BNO, XFS_BTREE_CNT, XFS_BTREE_INO, XFS_BTREE_FINO, XFS_BTREE_RMAP, XFS_BTREE_REFC
};

static int set_trees(struct ag_build *b)
{
	const struct xfs_build_ag *w = b->want;
	const bool present[XFS_TREE_COUNT] = { true, true, true, b->geo->finobt, b->geo->rmapbt, b->geo->reflink };

	for (unsigned t = 0; t < XFS_TREE_COUNT; t++) {
		struct ag_tree *tree = &b->tree[t];

		tree->kind = &xfs_btree_kinds[tree_ids[t]];
		tree->present = present[t];
		tree->kept = present[t] && w->policy[t] == XFS_BUILD_KEEP;
		if (!tree->kept)
			continue;
		tree->root = w->kept[t].root;
		tree->levels = w->kept[t].levels;
		tree->blocks = w->kept[t].blocks;
		if (tree->root <= b->geo->agfl_block || tree->root >= b->length || !tree->levels || !tree->blocks)
			return -XFS_E_INVALID;
	}
	if (w->agfl && w->nagfl > b->geo->agfl_size)
		return -XFS_E_INVALID;
	for (size_t i = 0; i < w->nchunks; i++)
		if (w->chunks[i].freecount > 64 || (i && w->chunks[i].startino <= w->chunks[i - 1].startino))
			return -XFS_E_INVALID;
	return 0;
}

/* The static blocks have one claim; it is made when it is missing. */
static int claim_headers(const struct ag_build *b)
{
	const struct xfs_build_ag *w = b->want;
	const struct xfs_claim headers = { 0, b->geo->agfl_block + 1, XFS_OWN_FS, 0 };
	struct xfs_claims_reader *r;
	struct xfs_claim first;
	int err = xfs_claims_reader_open(&r, w->claims, w->agno);

	if (err)
		return err;
	err = xfs_claims_reader_next(r, &first);
	xfs_claims_reader_close(r);
	if (err == -XFS_E_NOENT || (!err && first.agbno != 0))
		return xfs_claims_add(w->claims, w->agno, &headers);
	if (!err && (first.len != headers.len || first.owner != headers.owner))
		err = -XFS_E_OVERLAP;
	return err;
}

static int conflict(void *payload, const struct xfs_claim *a, const struct xfs_claim *c)
{
	(void)payload;
	(void)a;
	(void)c;
	return -XFS_E_OVERLAP;
}

static uint64_t owner_of(enum ag_class class)
{
	return class == AG_CLASS_INOBT ? XFS_OWN_INOBT : class == AG_CLASS_REFC ? XFS_OWN_REFC : XFS_OWN_AG;
}

static int claim_run(const struct ag_build *b, uint32_t first, uint32_t n, uint64_t owner)
{
	int err = 0;

	while (n && !err) {
		uint32_t len = 1;

		while (len < n && b->blocks[first + len] == b->blocks[first] + len)
			len++;
		err = xfs_claims_add(b->want->claims, b->want->agno,
				     &(struct xfs_claim){ b->blocks[first], len, owner, 0 });
		first += len;
		n -= len;
	}
	return err;
}

/* The claims now hold exactly the records that the layout counted. */
static int claim_blocks(const struct ag_build *b)
{
	uint64_t n = 0;
	int err = 0;

	for (unsigned t = 0; t < XFS_TREE_COUNT && !err; t++)
		err = claim_run(b, b->tree[t].first, b->tree[t].taken, owner_of(ag_tree_class((enum xfs_build_tree)t)));
	if (!err)
		err = claim_run(b, b->agfl_first, b->agfl_blocks, XFS_OWN_AG);
	if (!err)
		err = xfs_claims_count(b->want->claims, b->want->agno, &n);
	if (!err && b->tree[XFS_TREE_RMAP].present && n != b->tree[XFS_TREE_RMAP].records)
		err = -XFS_E_INTERNAL;
	return err;
}

struct left {
	uint64_t n, blocks;
	uint32_t longest;
};

static int add_left(void *payload, uint32_t agbno, uint32_t len)
{
	struct left *l = payload;

	(void)agbno;
	l->n++;
	l->blocks += len;
	l->longest = xfs_max(l->longest, len);
	return 0;
}

/* What is free beside the trees: as many extents as the layout counted. */
static int count_left(struct ag_build *b)
{
	struct left l = { 0 };
	int err = xfs_claims_each_free(b->want->claims, b->want->agno, add_left, &l);

	b->left_blocks = l.blocks;
	b->longest = l.longest;
	return err ? err : l.n == b->nfree ? 0 : -XFS_E_INTERNAL;
}

int xfs_build_ag(const struct xfs_build_ag *w, struct xfs_ag_switch *out)
{
	struct ag_build b = { .want = w, .geo = w->geo };
	int err;

	memset(out, 0, sizeof(*out));
	if (w->agno.v >= w->geo->agcount)
		return -XFS_E_RANGE;
	b.length = xfs_ag_length(w->geo, w->agno);
	err = set_trees(&b);
	if (!err)
		err = claim_headers(&b);
	if (!err)
		err = xfs_claims_each_conflict(w->claims, w->agno, conflict, NULL, NULL);
	if (!err)
		err = ag_layout(&b);
	if (!err)
		err = claim_blocks(&b);
	if (!err)
		err = count_left(&b);
	if (!err)
		err = ag_load_trees(&b);
	if (!err)
		err = ag_make_headers(&b, out);
	if (err)
		xfs_ag_switch_release(out);
	free(b.gaps);
	free(b.room);
	free(b.blocks);
	return err;
}
