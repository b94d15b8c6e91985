/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ag_layout.c - how many blocks each tree of an AG needs, and which.
 *
 * Taking blocks changes the number of free extents and of rmap records, and so the sizes of the trees that hold them.
 * Nothing is allocated to find out: a trial runs over the gaps between the claims and counts.  The bnobt's size is the
 * smallest that is enough (more blocks taken leave fewer free extents to record); the rmapbt's grows from below.  What
 * is over then goes to the AGFL.
 */
#include "libxfs/build/ag_private.h"

#include <stdlib.h>

enum ag_class ag_tree_class(enum xfs_build_tree t)
{
	switch (t) {
	case XFS_TREE_INO:
	case XFS_TREE_FINO:
		return AG_CLASS_INOBT;
	case XFS_TREE_REFC:
		return AG_CLASS_REFC;
	default:
		return AG_CLASS_AG;
	}
}

int ag_array_room(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap + *cap / 2 : 256, bytes;
	void *old, *v;

	if (n < *cap)
		return 0;
	memcpy(&old, array, sizeof(old));
	if (xfs_mul_overflows(more, size, &bytes))
		return -XFS_E_NOMEM;
	v = realloc(old, bytes);
	if (!v)
		return -XFS_E_NOMEM;
	memcpy(array, &v, sizeof(v));
	*cap = more;
	return 0;
}

/* ---- what the claims say ---- */

struct scan {
	struct ag_build *b;
	uint32_t end;
	uint8_t left;			/* class of the claim that ends at `end` */
	const struct ag_free *avoid;	/* ascending, disjoint */
	size_t navoid, next;
	/* what is kept: rooms up to so many blocks, then each that is longer than those behind them so far */
	uint64_t want;
	uint32_t longest;
	bool gap_kept;			/* the present gap is the last of b->gaps */
};

static uint8_t class_of(uint64_t owner)
{
	return owner == XFS_OWN_AG ? AG_CLASS_AG : owner == XFS_OWN_INOBT ? AG_CLASS_INOBT :
	       owner == XFS_OWN_REFC ? AG_CLASS_REFC : AG_CLASS_OTHER;
}

static int add_room(struct scan *s, const struct ag_gap *gap, uint32_t from, uint32_t to)
{
	struct ag_build *b = s->b;
	bool behind = b->room_blocks >= s->want;
	int err = 0;

	if (from >= to)
		return 0;
	b->all_rooms++;
	b->room_blocks += to - from;
	if (!s->want || (behind && to - from <= s->longest))
		return 0;
	if (behind)
		s->longest = to - from;
	if (!s->gap_kept) {
		err = ag_array_room(&b->gaps, b->ngaps, &b->capgaps, sizeof(*b->gaps));
		if (err)
			return err;
		b->gaps[b->ngaps++] = *gap;
		s->gap_kept = true;
	}
	err = ag_array_room(&b->room, b->nroom, &b->caproom, sizeof(*b->room));
	if (!err)
		b->room[b->nroom++] = (struct ag_room){ from, to - from, b->ngaps - 1 };
	return err;
}

static int add_gap(struct scan *s, uint32_t to, uint8_t right)
{
	const struct ag_gap gap = { s->end, to - s->end, s->left, right };
	uint32_t at = s->end;
	int err = 0;

	if (to <= s->end)
		return 0;
	s->b->all_gaps++;
	s->b->free_blocks += gap.len;
	s->gap_kept = false;
	while (s->next < s->navoid && s->avoid[s->next].start + s->avoid[s->next].len <= at)
		s->next++;
	for (size_t i = s->next; !err && i < s->navoid && s->avoid[i].start < to; i++) {
		err = add_room(s, &gap, at, s->avoid[i].start);
		at = xfs_max(at, s->avoid[i].start + s->avoid[i].len);
	}
	return err ? err : add_room(s, &gap, at, to);
}

static int scan_claim(void *payload, const struct xfs_claim *c)
{
	struct scan *s = payload;
	int err = add_gap(s, c->agbno, class_of(c->owner));

	s->b->claims++;
	if (c->agbno + c->len >= s->end) {
		s->end = c->agbno + c->len;
		s->left = class_of(c->owner);
	}
	s->b->nrefc += c->owner == XFS_OWN_COW && s->b->geo->reflink;
	return err;
}

static int shared_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct ag_build *b = payload;

	(void)agbno;
	(void)len;
	(void)refs;
	b->nrefc++;
	return 0;
}

struct avoided {
	struct ag_free *v;
	size_t n, cap;
};

static int add_avoided(void *payload, uint32_t agbno, uint32_t len)
{
	struct avoided *a = payload;
	int err = ag_array_room(&a->v, a->n, &a->cap, sizeof(*a->v));

	if (!err)
		a->v[a->n++] = (struct ag_free){ agbno, len };
	return err;
}

/* Counts all; keeps what is wanted of the rooms, nothing for 0 blocks. */
static int scan_gaps(struct ag_build *b, const struct avoided *a, uint64_t want)
{
	struct scan s = { .b = b, .avoid = a->v, .navoid = a->n, .want = want };
	int err;

	b->claims = b->all_gaps = b->all_rooms = b->room_blocks = b->free_blocks = b->nrefc = 0;
	err = xfs_claims_each(b->want->claims, b->want->agno, scan_claim, &s);
	if (!err)
		err = add_gap(&s, b->length, AG_CLASS_OTHER);
	if (!err && b->geo->reflink)
		err = xfs_claims_each_shared(b->want->claims, b->want->agno, shared_run, b);
	return err;
}

static uint32_t gap_end(const struct ag_gap *g)
{
	return g->start + g->len;
}

/* ---- trial: what is there when so many blocks are taken ---- */

struct trial {
	uint32_t take[XFS_TREE_COUNT + 1];	/* blocks of each tree, then of the AGFL */
	uint64_t free_extents, records;		/* out */
};

struct taker {
	const struct ag_build *b;
	size_t room;			/* all rooms before are taken */
	uint32_t used;			/* blocks of that room that are taken */
	struct ag_room apart;		/* a run that was taken further on; len 0: none */
	bool joins;			/* the last taken block has the class `class` and is at `next` - 1 */
	enum ag_class class;
	uint32_t next;
	int64_t records;		/* change of the number of records */
};

static void take_run(struct taker *t, size_t gap, uint32_t start, uint32_t len, enum ag_class class)
{
	const struct ag_gap *g = &t->b->gaps[gap];

	if (!t->joins || t->next != start || t->class != class)
		t->records += start == g->start && g->left == class ? 0 : 1;
	if (start + len == gap_end(g) && g->right == class)
		t->records--;
	t->joins = true;
	t->class = class;
	t->next = start + len;
}

/* False when there is no room for all. */
static bool take(struct taker *t, uint32_t n, enum ag_class class, uint32_t *out)
{
	while (n) {
		const struct ag_room *r = t->room < t->b->nroom ? &t->b->room[t->room] : NULL;
		uint32_t start, len;

		if (!r)
			return false;
		start = r->start + t->used;
		len = (uint32_t)xfs_min(n, r->len - t->used);
		take_run(t, r->gap, start, len, class);
		for (uint32_t i = 0; out && i < len; i++)
			*out++ = start + i;
		n -= len;
		t->used += len;
		if (t->used == r->len) {
			t->room++;
			t->used = 0;
		}
	}
	return true;
}

/*
 * Blocks for the free list: in one piece where a room holds it, as mkfs has it (a lone free block in front of the log
 * stays free), else single ones.
 */
static bool take_agfl(struct taker *t, uint32_t n, uint32_t *out)
{
	const struct ag_build *b = t->b;
	size_t i = t->room;

	if (i < b->nroom && b->room[i].len - t->used < n)
		for (i++; i < b->nroom && b->room[i].len < n; i++)
			;
	if (i == t->room || i >= b->nroom)
		return take(t, n, AG_CLASS_AG, out);
	t->apart = (struct ag_room){ b->room[i].start, n, b->room[i].gap };
	take_run(t, t->apart.gap, t->apart.start, n, AG_CLASS_AG);
	for (uint32_t k = 0; out && k < n; k++)
		out[k] = t->apart.start + k;
	return true;
}

static bool take_nth(struct taker *t, unsigned i, uint32_t n, uint32_t *out)
{
	return i < XFS_TREE_COUNT ? take(t, n, ag_tree_class((enum xfs_build_tree)i), out) : take_agfl(t, n, out);
}

static bool room_touched(const struct taker *t, size_t r)
{
	return r < t->b->nroom && (r < t->room || (r == t->room && t->used));
}

/* End of what is taken of a touched room. */
static uint32_t taken_end(const struct taker *t, size_t r)
{
	return t->b->room[r].start + (r < t->room ? t->b->room[r].len : t->used);
}

/* The number of extents that stay free. */
static uint64_t count_left(const struct taker *t)
{
	const struct ag_build *b = t->b;
	uint64_t n = b->all_gaps;

	for (size_t r = 0; room_touched(t, r); ) {
		const struct ag_gap *g = &b->gaps[b->room[r].gap];
		uint32_t at = g->start;

		n--;
		for (; room_touched(t, r) && &b->gaps[b->room[r].gap] == g; r++) {
			n += b->room[r].start > at;
			at = taken_end(t, r);
		}
		n += at < gap_end(g);
	}
	if (t->apart.len) {	/* from the start of a room: avoided blocks lie before it, or nothing */
		const struct ag_gap *g = &b->gaps[t->apart.gap];

		n += (uint64_t)(t->apart.start > g->start) + (t->apart.start + t->apart.len < gap_end(g)) - 1;
	}
	return n;
}

static bool run_trial(const struct ag_build *b, struct trial *t)
{
	struct taker taker = { .b = b };

	for (unsigned i = 0; i <= XFS_TREE_COUNT; i++)
		if (!take_nth(&taker, i, t->take[i], NULL))
			return false;
	t->free_extents = count_left(&taker);
	t->records = (uint64_t)((int64_t)b->claims + taker.records);
	return true;
}

static int shape(const struct ag_build *b, enum xfs_build_tree t, uint64_t records, struct xfs_btree_geometry *g)
{
	return xfs_btree_bulk_geometry(g, b->tree[t].kind, b->geo->v5, b->geo->blocksize, records, b->leaf_slack,
				       b->node_slack, 0);
}

/* ---- search for sizes that fit ---- */

static bool is_new(const struct ag_build *b, enum xfs_build_tree t)
{
	return b->tree[t].present && !b->tree[t].kept;
}

static unsigned levels_of(const struct ag_build *b, enum xfs_build_tree t, const struct xfs_btree_geometry *g)
{
	return !b->tree[t].present ? 0 : b->tree[t].kept ? b->tree[t].levels : g->levels;
}

/*
 * With this many blocks for bnobt and cntbt each: sizes of the others and what the two then need.  The rmapbt and the
 * AGFL only grow, so this ends.  NOSPC: no room.
 */
static int try_free_trees(const struct ag_build *b, uint32_t blocks, struct trial *t, uint64_t *need)
{
	struct xfs_btree_geometry bno = { 0 }, rmap = { 0 };
	uint32_t *agfl = &t->take[XFS_TREE_COUNT], fewest = 0;

	t->take[XFS_TREE_BNO] = is_new(b, XFS_TREE_BNO) ? blocks : 0;
	t->take[XFS_TREE_CNT] = is_new(b, XFS_TREE_CNT) ? blocks : 0;
	t->take[XFS_TREE_RMAP] = is_new(b, XFS_TREE_RMAP);
	*agfl = 0;
	for (;;) {
		bool stable = true;
		int err = 0;

		if (!run_trial(b, t))
			return -XFS_E_NOSPC;
		err = shape(b, XFS_TREE_BNO, t->free_extents, &bno);
		if (!err && b->tree[XFS_TREE_RMAP].present)
			err = shape(b, XFS_TREE_RMAP, t->records, &rmap);
		if (err)
			return err;
		if (is_new(b, XFS_TREE_RMAP) && rmap.blocks > t->take[XFS_TREE_RMAP]) {
			t->take[XFS_TREE_RMAP] = (uint32_t)rmap.blocks;
			stable = false;
		}
		if (!b->want->agfl) {
			uint64_t taken = 0, min = xfs_agfl_minimum(b->geo, levels_of(b, XFS_TREE_BNO, &bno),
				levels_of(b, XFS_TREE_CNT, &bno), levels_of(b, XFS_TREE_RMAP, &rmap));

			for (unsigned i = 0; i < XFS_TREE_COUNT; i++)
				taken += t->take[i];
			fewest = (uint32_t)xfs_max(fewest, min);
			if (taken > b->room_blocks)
				return -XFS_E_NOSPC;
			/* an AG without room has a short list */
			min = xfs_min(fewest, b->room_blocks - taken);
			stable &= *agfl == min;
			*agfl = (uint32_t)min;
		}
		if (stable) {
			*need = is_new(b, XFS_TREE_BNO) || is_new(b, XFS_TREE_CNT) ? bno.blocks : 0;
			return 0;
		}
	}
}

/* Least number of blocks for the free-space trees that is enough. */
static int find_sizes(const struct ag_build *b, struct trial *t)
{
	uint64_t lo = 0, hi, need = 0;
	struct xfs_btree_geometry g;
	int err = shape(b, XFS_TREE_BNO, b->all_gaps + b->all_rooms + 1, &g);

	hi = g.blocks;	/* enough for any choice: a taken part adds at most one extent */
	if (!is_new(b, XFS_TREE_BNO) && !is_new(b, XFS_TREE_CNT))
		hi = 0;
	while (!err && lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		err = try_free_trees(b, (uint32_t)mid, t, &need);
		if (err == -XFS_E_NOSPC) {	/* more blocks would not fit either; perhaps fewer do */
			hi = mid;
			err = 0;
		} else if (need <= mid) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	if (!err)
		err = try_free_trees(b, (uint32_t)hi, t, &need);
	return err ? err : need > hi ? -XFS_E_INTERNAL : 0;
}

static int set_shape(struct ag_build *b, enum xfs_build_tree t, uint64_t records)
{
	struct ag_tree *tree = &b->tree[t];

	tree->records = records;
	return is_new(b, t) ? shape(b, t, records, &tree->shape) : 0;
}

/* Sizes that do not depend on what is taken. */
static int fixed_shapes(struct ag_build *b, struct trial *t)
{
	static const enum xfs_build_tree fixed[] = { XFS_TREE_INO, XFS_TREE_FINO, XFS_TREE_REFC };
	uint64_t nfree = 0, counts[3];
	int err = 0;

	for (size_t i = 0; i < b->want->nchunks; i++)
		nfree += b->want->chunks[i].freecount != 0;
	counts[0] = b->want->nchunks;
	counts[1] = nfree;
	counts[2] = b->nrefc;
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(fixed) && !err; i++) {
		err = set_shape(b, fixed[i], counts[i]);
		t->take[fixed[i]] = is_new(b, fixed[i]) ? (uint32_t)b->tree[fixed[i]].shape.blocks : 0;
	}
	return err;
}

/* The free-space trees and the rmapbt as they will be. Blocks that they do not need are left for the AGFL to take. */
static int settle(struct ag_build *b, const struct trial *t)
{
	static const enum xfs_build_tree moving[] = { XFS_TREE_BNO, XFS_TREE_CNT, XFS_TREE_RMAP };
	const uint64_t counts[] = { t->free_extents, t->free_extents, t->records };
	int err = 0;

	for (unsigned i = 0; i < XFS_ARRAY_SIZE(moving) && !err; i++) {
		err = set_shape(b, moving[i], counts[i]);
		if (!err && is_new(b, moving[i]) && b->tree[moving[i]].shape.blocks > t->take[moving[i]])
			err = -XFS_E_INTERNAL;
	}
	return err;
}

static int place(struct ag_build *b, const struct trial *t)
{
	struct taker taker = { .b = b };
	uint32_t at = 0;

	for (unsigned i = 0; i <= XFS_TREE_COUNT; i++)
		b->nblocks += t->take[i];
	b->blocks = malloc((b->nblocks + (size_t)1) * sizeof(*b->blocks));
	if (!b->blocks)
		return -XFS_E_NOMEM;
	for (unsigned i = 0; i <= XFS_TREE_COUNT; i++) {
		if (!take_nth(&taker, i, t->take[i], b->blocks + at))
			return -XFS_E_INTERNAL;
		if (i < XFS_TREE_COUNT) {
			b->tree[i].first = at;
			b->tree[i].taken = t->take[i];
		} else {
			b->agfl_first = at;
			b->agfl_blocks = t->take[i];
		}
		at += t->take[i];
	}
	b->nfree = t->free_extents;
	return 0;
}

/* Taking blocks changes free space and ownership: the trees that hold these can't stay as they are then. */
static bool kept_trees_hold(const struct ag_build *b)
{
	const struct ag_tree *t = b->tree;

	return !b->nblocks || !(t[XFS_TREE_BNO].kept || t[XFS_TREE_CNT].kept || t[XFS_TREE_RMAP].kept);
}

static void choose_slack(struct ag_build *b, bool full)
{
	bool tight = b->free_blocks < b->length / 10;	/* format sheet 02, section 7.2 */

	b->leaf_slack = full ? 0 : b->want->leaf_slack >= 0 ? b->want->leaf_slack : tight ? 2 : -1;
	b->node_slack = full ? 0 : b->want->node_slack >= 0 ? b->want->node_slack : tight ? 2 : -1;
}

static int find_layout(struct ag_build *b, struct trial *t)
{
	int err = fixed_shapes(b, t);

	if (!err)
		err = find_sizes(b, t);
	return err ? err : settle(b, t);
}

/* More than all trees and the AGFL can take. */
static int most_wanted(struct ag_build *b, uint64_t *blocks)
{
	struct xfs_btree_geometry bno, rmap = { 0 };
	struct trial t = { 0 };
	int err = fixed_shapes(b, &t);

	if (!err)
		err = shape(b, XFS_TREE_BNO, b->all_gaps + b->all_rooms + 1, &bno);
	/* a room that is taken makes one record at most */
	if (!err && b->tree[XFS_TREE_RMAP].present)
		err = shape(b, XFS_TREE_RMAP, b->claims + b->all_rooms + XFS_TREE_COUNT + 1, &rmap);
	if (err)
		return err;
	*blocks = 2 * bno.blocks + rmap.blocks + b->geo->agfl_size + 1;
	for (unsigned i = 0; i < XFS_TREE_COUNT; i++)
		*blocks += t.take[i];
	return 0;
}

static int scan_claims(struct ag_build *b)
{
	struct avoided a = { 0 };
	uint64_t want = 0;
	int err = xfs_claims_each_avoided(b->want->claims, b->want->agno, add_avoided, &a);

	if (!err)
		err = scan_gaps(b, &a, 0);
	choose_slack(b, false);
	if (!err)
		err = most_wanted(b, &want);
	if (!err)
		err = scan_gaps(b, &a, want);
	free(a.v);
	return err;
}

int ag_layout(struct ag_build *b)
{
	struct trial t = { 0 };
	int err = scan_claims(b);

	if (err)
		return err;
	err = find_layout(b, &t);
	if (err == -XFS_E_NOSPC) {
		choose_slack(b, true);
		err = find_layout(b, &t);
	}
	if (!err)
		err = place(b, &t);
	return err ? err : kept_trees_hold(b) ? 0 : -XFS_E_INVALID;
}
