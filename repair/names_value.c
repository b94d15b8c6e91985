/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_value.c - values of attributes in blocks of their own, where the leaves say, or wherever they are.
 *
 * A block of a value confirms itself: owner, place in the value, checksum.  What no attribute has is measured once,
 * when the first value is missed.
 */
#include "repair/names_value.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

int names_values_begin(struct names_values *v, struct names *n, uint64_t ino, const struct xfs_mapset *map)
{
	uint64_t blocks = 0;
	int error;

	*v = (struct names_values){ .n = n, .ino = ino, .map = map };
	if (!map->n)
		return 0;
	v->bytes = malloc(XFS_ATTR_VALUE_MAX);
	v->before = malloc(map->n * sizeof(*v->before));
	error = xfs_bitmap_create(&v->held, xfs_mapset_blocks(map));
	if (!error && !n->r->geo.v5)
		error = xfs_bitmap_create(&v->tree, xfs_mapset_blocks(map));
	if (error || !v->bytes || !v->before)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < map->n; i++) {
		v->before[i] = blocks;
		blocks += map->m[i].len;
	}
	v->most = 2 * blocks * n->r->geo.blocksize + XFS_ATTR_VALUE_MAX;
	return 0;
}

void names_values_release(struct names_values *v)
{
	xfs_bitmap_free(&v->held);
	xfs_bitmap_free(&v->tree);
	free(v->before);
	free(v->bytes);
	free(v->starts);
	free(v->wants);
}

void names_values_note(struct names_values *v, const struct xfs_attr *a)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint64_t end = (uint64_t)a->valueblk + xfs_remote_blocks(g->v5, g->blocksize, a->valuelen);

	for (size_t i = xfs_mapset_find(v->map, a->valueblk); i < v->map->n && v->map->m[i].off < end; i++) {
		const struct xfs_mapping *m = &v->map->m[i];
		uint64_t from = xfs_max(m->off, a->valueblk), to = xfs_min(m->off + m->len, end);

		xfs_bitmap_set(&v->held, v->before[i] + (from - m->off), to - from);
	}
}

/* XFS_NULL64: it is not mapped. */
static uint64_t bit_of(const struct names_values *v, uint64_t off)
{
	size_t i = xfs_mapset_find(v->map, off);

	return i < v->map->n && v->map->m[i].off <= off ? v->before[i] + (off - v->map->m[i].off) : XFS_NULL64;
}

bool names_values_hold(const struct names_values *v, uint64_t off)
{
	return xfs_bitmap_get(&v->held, bit_of(v, off));
}

bool names_values_spares(const struct names_values *v, uint64_t off)
{
	return xfs_bitmap_get(&v->tree, bit_of(v, off));
}

/* The block at hand is a node or a leaf: its children go to the list, each once. */
static int visit(struct names_values *v, uint64_t bit, struct xfs_bitmap *seen, uint64_t **todo, size_t *n,
		 size_t *room)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	const uint8_t *p = v->n->block, *entries = p + xfs_da_header_len(false);
	struct xfs_da3_node_hdr h;
	int error = 0;

	xfs_bitmap_set(&v->tree, bit, 1);
	if (xfs_da_magic(p) != XFS_DA_NODE_MAGIC)
		return 0;
	xfs_da_node_hdr_load(&h, p, false);
	for (uint32_t i = 0; i < xfs_min(h.count, xfs_da_maxents(false, g->blocksize)) && !error; i++) {
		uint64_t child = xfs_dir_leaf_address(entries, i), to = bit_of(v, child);

		if (to == XFS_NULL64 || xfs_bitmap_get(seen, to))
			continue;
		xfs_bitmap_set(seen, to, 1);
		error = xfs_grow(todo, *n, room, 32);
		if (!error)
			(*todo)[(*n)++] = child;
	}
	return error;
}

int names_values_find_tree(struct names_values *v)
{
	uint64_t *todo = NULL, fsbno;
	struct xfs_bitmap seen = { NULL, 0 };
	size_t n = 0, room = 0;
	int error = v->tree.nbits ? xfs_bitmap_create(&seen, v->tree.nbits) : 0;

	if (!error && v->tree.nbits && bit_of(v, 0) != XFS_NULL64) {
		error = xfs_grow(&todo, 0, &room, 32);
		if (!error)
			todo[n++] = 0;
	}
	while (!error && n) {
		uint64_t off = todo[--n];
		uint16_t magic;

		error = names_read_block(v->n, v->map, off, 1, v->n->block, &fsbno);
		magic = xfs_da_magic(v->n->block);
		if (!error && fsbno != XFS_NULL64 && (magic == XFS_DA_NODE_MAGIC || magic == XFS_ATTR_LEAF_MAGIC_V4))
			error = visit(v, bit_of(v, off), &seen, &todo, &n, &room);
	}
	xfs_bitmap_free(&seen);
	free(todo);
	return error;
}

/* With the header that it must have the checksum of the block at hand would be right: nothing else of it is damaged. */
static bool fits_with_header(struct names_values *v, uint64_t fsbno, uint32_t done, uint32_t part)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint8_t before[sizeof(struct xfs_attr_rmt_hdr_disk)];
	struct xfs_attr_rmt_hdr h;
	bool fits = false;

	memcpy(before, v->n->block, sizeof(before));
	xfs_attr_rmt_hdr_decode(&h, before);
	h.magic = XFS_ATTR_REMOTE_MAGIC;
	h.offset = done;
	h.bytes = part;
	h.owner = v->ino;
	h.bno = xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v;
	memcpy(h.uuid, g->uuid, sizeof(h.uuid));
	for (unsigned i = 0; i < 2 && !fits; i++) {
		xfs_attr_rmt_hdr_encode(v->n->block, &h);
		fits = xfs_crc32c_check(v->n->block, g->blocksize, XFS_OFF(attr_rmt_hdr, crc));
		h.lsn = XFS_NULL64;	/* as it is written: values are not logged */
	}
	memcpy(v->n->block, before, sizeof(before));
	return fits;
}

/*
 * The block at hand belongs to the value: its checksum is right, and at most one field of its header is not, or place
 * and owner are those of no block; or the checksum is that of the header as it should be.
 */
static bool is_value_block(struct names_values *v, uint64_t fsbno, uint32_t done, uint32_t part)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	struct xfs_attr_rmt_hdr h;
	unsigned wrong;

	names_judge_block(v->n, XFS_BLK_ATTR_REMOTE, v->ino, fsbno, v->n->block, g->blocksize);
	xfs_attr_rmt_hdr_decode(&h, v->n->block);
	if (!xfs_crc32c_check(v->n->block, g->blocksize, XFS_OFF(attr_rmt_hdr, crc)))
		return fits_with_header(v, fsbno, done, part);
	wrong = (h.magic != XFS_ATTR_REMOTE_MAGIC) + (h.offset != done) + (h.bytes != part) +
		!!memcmp(h.uuid, g->uuid, 16);
	if (!wrong && !names_may_be_other(v->n, XFS_BLK_ATTR_REMOTE, h.bno, h.owner))
		return true;
	return wrong + (h.owner != v->ino) + (h.bno != xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v) <= 1;
}

/* The block at hand begins a value of this inode. */
static bool begins_value(const struct names_values *v)
{
	struct xfs_attr_rmt_hdr h;

	xfs_attr_rmt_hdr_decode(&h, v->n->block);
	return h.magic == XFS_ATTR_REMOTE_MAGIC && h.owner == v->ino && !h.offset;
}

/* *sure: the last block is not full, and zeroes begin just behind that part of it. */
static uint32_t measure(struct names_values *v, uint64_t at, bool *sure)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint32_t room = g->blocksize - xfs_remote_header_len(true), done = 0;
	struct xfs_attr_rmt_hdr h;
	uint64_t fsbno;

	*sure = false;
	do {
		if (names_read_block(v->n, v->map, at++, 1, v->n->block, &fsbno) || fsbno == XFS_NULL64)
			return done;
		xfs_attr_rmt_hdr_decode(&h, v->n->block);
		if (!h.bytes || h.bytes > room || !is_value_block(v, fsbno, done, h.bytes))
			return begins_value(v) ? done : 0;
		done += h.bytes;
	} while (h.bytes == room && done < XFS_ATTR_VALUE_MAX);
	*sure = h.bytes < room && v->n->block[g->blocksize - room + h.bytes - 1];
	for (uint32_t i = g->blocksize - room + h.bytes; i < g->blocksize; i++)
		*sure &= !v->n->block[i];
	return done <= XFS_ATTR_VALUE_MAX ? done : 0;
}

uint32_t names_values_length(struct names_values *v, uint64_t at)
{
	bool sure;

	return measure(v, at, &sure);
}

/* ---- values that no attribute has ---- */

struct names_value_start {
	uint64_t length, off;
	bool used;
};

static int add_start(struct names_values *v, uint64_t off, uint32_t length)
{
	if (xfs_grow(&v->starts, v->nstarts, &v->start_room, 32))
		return -XFS_E_NOMEM;
	v->starts[v->nstarts++] = (struct names_value_start){ length, off, false };
	return 0;
}

static int measure_all(struct names_values *v)
{
	static const struct xfs_sort_spec order = {
		.size = sizeof(struct names_value_start), .words = 2,
		.word_off = { offsetof(struct names_value_start, length), offsetof(struct names_value_start, off) } };
	int error = 0;

	v->measured = true;
	for (size_t i = 0; i < v->map->n; i++)
		for (uint64_t k = 0; k < v->map->m[i].len && !error; k++) {
			uint64_t off = v->map->m[i].off + k;
			uint32_t length = 0;

			/* the first block of a fork holds no value */
			if (off && off <= UINT32_MAX && !xfs_bitmap_get(&v->held, v->before[i] + k))
				length = names_values_length(v, off);
			if (length)
				error = add_start(v, off, length);
		}
	return error ? error : xfs_sort(&order, v->starts, v->nstarts);
}

/* The one value of this length that no other attribute has. 1: there is none, or there are several. */
static int find_value(struct names_values *v, uint64_t length, uint64_t *start)
{
	int error = v->measured ? 0 : measure_all(v);
	size_t at;

	if (error)
		return error;
	at = xfs_search(v->nstarts, i, v->starts[i].length < length);
	if (at == v->nstarts || v->starts[at].length != length || v->starts[at].used ||
	    (at + 1 < v->nstarts && v->starts[at + 1].length == length))
		return 1;
	v->starts[at].used = true;
	*start = v->starts[at].off;
	return 0;
}

/* ---- who has what ---- */

int names_values_want(struct names_values *v, const struct xfs_attr *a, uint64_t at)
{
	const struct xfs_geometry *g = &v->n->r->geo;

	if (xfs_grow(&v->wants, v->nwants, &v->want_room, 32))
		return -XFS_E_NOMEM;
	v->wants[v->nwants++] = (struct names_value_want){
		a->valueblk, a->valuelen,
		(uint64_t)a->valueblk + xfs_remote_blocks(g->v5, g->blocksize, a->valuelen), at, false, false };
	return 0;
}

struct claim {
	uint64_t place;		/* V5: the first block; V4: behind the last one */
	uint64_t i;		/* of the want */
};

/* V4: are these blocks there, and none of them the tree's? */
static bool may_be_value(const struct names_values *v, const struct names_value_want *w)
{
	for (uint64_t at = w->start; at < w->end; at++) {
		uint64_t bit = bit_of(v, at);

		if (bit == XFS_NULL64 || xfs_bitmap_get(&v->tree, bit))
			return false;
	}
	return true;
}

/* The one that ends first leaves the most room to the others. */
static void settle_by_ends(struct names_values *v, const struct claim *c, size_t n)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		struct names_value_want *w = &v->wants[c[i].i];

		w->refused = w->start < w->end && (w->start < end || !may_be_value(v, w));
		end = w->refused ? end : w->end;
	}
}

static bool begins_at(struct names_values *v, uint64_t start)
{
	uint64_t fsbno;

	return !names_read_block(v->n, v->map, start, 1, v->n->block, &fsbno) && fsbno != XFS_NULL64 && begins_value(v);
}

/* Claims that begin at one block. *end: behind the value before it, that begins where its header says that it does. */
static void settle_start(struct names_values *v, const struct claim *c, size_t n, uint64_t *end)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint64_t start = c->place;
	bool begins = begins_at(v, start);
	uint32_t length = begins ? names_values_length(v, start) : 0;
	size_t first = 0;

	while (first < n && v->wants[c[first].i].length != length)
		first++;
	if (first == n)
		first = 0;		/* its length may be what is wrong */
	for (size_t i = 0; i < n; i++)
		v->wants[c[i].i].refused = i != first || (!begins && start < *end);
	if (begins)
		*end = start + xfs_remote_blocks(true, g->blocksize, length);
}

/* Headers are asked only where claims meet. */
static void settle_by_headers(struct names_values *v, const struct claim *c, size_t count)
{
	uint64_t reach = 0, end = 0;	/* of all claims so far; of values that were found to lie there */

	for (size_t i = 0, n; i < count; i += n) {
		uint64_t start = c[i].place, to = reach;

		for (n = 0; i + n < count && c[i + n].place == start; n++)
			to = xfs_max(to, v->wants[c[i + n].i].end);
		if (n > 1 || start < reach || (i + n < count && c[i + n].place < to))
			settle_start(v, c + i, n, &end);
		reach = to;
	}
}

int names_values_settle(struct names_values *v)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct claim), .words = 2,
						    .word_off = { offsetof(struct claim, place),
								  offsetof(struct claim, i) } };
	bool v5 = v->n->r->geo.v5;
	struct claim *c;
	size_t n = 0;
	int error;

	if (!v->nwants)
		return 0;
	c = calloc(v->nwants, sizeof(*c));
	if (!c)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < v->nwants; i++)
		if (!v->wants[i].gone)
			c[n++] = (struct claim){ v5 ? v->wants[i].start : v->wants[i].end, i };
	error = xfs_sort(&order, c, n);
	if (!error && v5)
		settle_by_headers(v, c, n);
	else if (!error)
		settle_by_ends(v, c, n);
	free(c);
	return error;
}

/* ---- one value ---- */

/* False: some of it is lost. */
static bool read_value(struct names_values *v, uint64_t start, uint64_t length)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint32_t header = xfs_remote_header_len(g->v5), room = g->blocksize - header, done = 0;

	for (uint64_t at = start; done < length; at++) {
		uint32_t part = (uint32_t)xfs_min(room, length - done);
		uint64_t fsbno;

		if (names_read_block(v->n, v->map, at, 1, v->n->block, &fsbno) || fsbno == XFS_NULL64 ||
		    (g->v5 && !is_value_block(v, fsbno, done, part)))
			return false;
		memcpy(v->bytes + done, v->n->block + header, part);
		done += part;
	}
	return true;
}

/* One that no attribute has. */
static int fetch_other(struct names_values *v, uint32_t length)
{
	uint64_t start;
	int error = v->n->r->geo.v5 && length ? find_value(v, length, &start) : 1;

	return error ? error : !read_value(v, start, length);
}

static int fetch(struct names_values *v, const struct names_value_want *w, uint32_t *length)
{
	bool v5 = v->n->r->geo.v5, here = w->start && !w->refused, sure = false;
	uint32_t found;
	int error;

	*length = (uint32_t)w->length;
	if (v5 && !(here && begins_at(v, w->start))) {
		error = fetch_other(v, *length);
		if (error <= 0)
			return error;
	}
	if (!here)
		return 1;
	found = v5 ? measure(v, w->start, &sure) : 0;
	if (!(sure && found) && read_value(v, w->start, *length))
		return 0;
	if (!found)
		return fetch_other(v, *length);
	*length = found;
	return !read_value(v, w->start, found);
}

/* Many that are settled by what is damaged would make of a few blocks as much as they like. */
int names_values_fetch(struct names_values *v, const struct names_value_want *w, uint32_t *length)
{
	int error = v->fetched > v->most ? 1 : fetch(v, w, length);

	v->fetched += error ? 0 : *length;
	return error;
}
