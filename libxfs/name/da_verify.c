/* SPDX-License-Identifier: BSD-2-Clause */
/* da_verify.c - the structure of a hash tree. */
#include "libxfs/name/da_verify.h"

#define LEVELS (XFS_DA_MAX_LEVEL + 1)

/* The block that was seen last on a level: its right neighbour must be the next one there. */
struct edge {
	uint64_t block, forw;
	uint32_t last_hash;
	bool seen;
};

struct walk {
	struct xfs_da_verify *v;
	struct edge edges[LEVELS];
	struct { struct xfs_da_block b; uint32_t i; } path[LEVELS];	/* nodes above; [0] = root */
	unsigned depth;
};

static void report(struct walk *w, uint64_t block, const char *what, uint64_t found, uint64_t expected)
{
	w->v->report(w->v->payload, block, what, found, expected);
}

static void check_neighbours(struct walk *w, const struct xfs_da_block *b)
{
	struct edge *e = &w->edges[b->level];

	if (b->back != (e->seen ? e->block : 0))
		report(w, b->block, "left neighbour is wrong", b->back, e->seen ? e->block : 0);
	if (e->seen && e->forw != b->block)
		report(w, e->block, "right neighbour is wrong", e->forw, b->block);
}

/* Order inside the block, and to the one on its left. */
static void check_order(struct walk *w, const struct xfs_da_block *b)
{
	struct edge *e = &w->edges[b->level];
	uint32_t last = e->seen ? e->last_hash : 0;

	for (uint32_t i = 0; i < b->count; i++) {
		uint32_t hash = xfs_da_hash(b, i);

		if (hash < last) {
			report(w, b->block, "hashes are out of order", hash, last);
			break;
		}
		last = hash;
	}
	*e = (struct edge){ b->block, b->forw, last, true };
}

/* `parent` NULL: the root. */
static bool check_block(struct walk *w, const struct xfs_da_block *b, const struct xfs_da_block *parent, uint32_t i)
{
	bool node = xfs_da_is_node(b);

	if (b->raw_count > b->count)
		report(w, b->block, "counts more entries than fit", b->raw_count, b->count);
	if (node && (b->level < 1 || b->level > XFS_DA_MAX_LEVEL)) {
		report(w, b->block, "level is impossible", b->level, XFS_NULL64);
		return false;
	}
	if (parent && b->level != parent->level - 1) {
		report(w, b->block, "level does not follow from the node above", b->level, parent->level - 1);
		return false;
	}
	if (node && !b->count) {
		report(w, b->block, "node is empty", XFS_NULL64, XFS_NULL64);
		return false;
	}
	if (parent && b->count && xfs_da_hash(b, b->count - 1) != xfs_da_hash(parent, i))
		report(w, parent->block, "hash differs from the last one below", xfs_da_hash(parent, i),
		       xfs_da_hash(b, b->count - 1));
	check_neighbours(w, b);
	check_order(w, b);
	return true;
}

/* Fetches and checks a block; a node is pushed on the path, a leaf handed out. */
static int visit(struct walk *w, uint64_t block)
{
	struct xfs_da_block b, *parent = w->depth ? &w->path[w->depth - 1].b : NULL;
	uint32_t i = w->depth ? w->path[w->depth - 1].i : 0;
	int err = 0;

	if (w->v->blocks++ == w->v->limit) {
		report(w, block, "tree has more blocks than the map", XFS_NULL64, XFS_NULL64);
		return -XFS_E_LOOP;
	}
	err = xfs_da_get(w->v->da, block, &b);
	if (err) {
		report(w, block, xfs_error_text(err), XFS_NULL64, XFS_NULL64);
		return err == -XFS_E_NOMEM ? err : 0;
	}
	if (!w->depth)
		w->v->levels = b.level + 1;
	if (!check_block(w, &b, parent, i)) {
		xfs_da_put(&b);
		return 0;
	}
	if (w->v->block) {
		err = w->v->block(w->v->payload, &b);
		if (err) {
			xfs_da_put(&b);
			return err;
		}
	}
	if (xfs_da_is_node(&b)) {
		w->path[w->depth].b = b;
		w->path[w->depth++].i = 0;
		return 0;
	}
	err = w->v->leaf(w->v->payload, &b);
	xfs_da_put(&b);
	return err;
}

int xfs_da_verify(struct xfs_da_verify *v)
{
	struct walk w = { .v = v };
	int err;

	v->blocks = 0;
	v->levels = 0;
	err = visit(&w, v->da->root);
	while (!err && w.depth) {
		struct xfs_da_block *top = &w.path[w.depth - 1].b;
		uint32_t i = w.path[w.depth - 1].i;
		unsigned depth = w.depth;

		if (i == top->count) {
			xfs_da_put(top);
			w.depth--;
			continue;
		}
		err = visit(&w, xfs_da_value(top, i));
		w.path[depth - 1].i++;
	}
	while (w.depth)
		xfs_da_put(&w.path[--w.depth].b);
	for (unsigned level = 0; !err && level < LEVELS; level++)
		if (w.edges[level].seen && w.edges[level].forw)
			report(&w, w.edges[level].block, "right neighbour is wrong", w.edges[level].forw, 0);
	return err == -XFS_E_LOOP ? 0 : err;
}

struct counter {
	uint64_t from, to, blocks;
};

static int add_mapped(void *payload, const struct xfs_extent *e)
{
	struct counter *c = payload;
	uint64_t start = xfs_max(e->off, c->from), end = xfs_min(e->off + e->len, c->to);

	if (start < end)
		c->blocks += end - start;
	return 0;
}

int xfs_da_count_mapped(struct xfs_ifork *f, uint64_t from, uint64_t to, unsigned fsbs, uint64_t *count)
{
	struct counter c = { from, to, 0 };
	int err = xfs_ifork_each(f, add_mapped, &c);

	*count = c.blocks / fsbs;
	return err;
}
