/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_attr.c - every attribute that can be had, whatever became of the tree above the leaves.
 *
 * All blocks of the fork are read; what has the shape of a leaf is one.  An entry counts when its stored hash is that of
 * its name: this confirms the name, wherever the entry comes from.  Remote values confirm themselves (owner, place in the
 * value, checksum).
 */
#include "repair/names.h"

#include "repair/forks.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct names *n;
	uint64_t ino;
	struct xfs_mapset map;
	struct names_attr *list;
	size_t count, room;
	uint8_t *leaf, *value;		/* a block; XFS_ATTR_VALUE_MAX bytes */
	enum names_quality quality;	/* of the leaf at hand */
	uint64_t *values;		/* V4: blocks that hold values, they have no headers */
	size_t nvalues, value_room;
	unsigned lost;
	bool quiet;			/* what is lost is told another time */
};

static int add(struct reader *r, const struct xfs_attr *a, const uint8_t *value)
{
	struct names_attr out = { .valuelen = a->valuelen, .namelen = (uint8_t)a->namelen,
				  .flags = (uint8_t)(a->flags & XFS_ATTR_NAMESPACES) };
	int error;

	if (r->count == r->room) {
		size_t room = 2 * r->room + 32;
		struct names_attr *grown = realloc(r->list, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		r->list = grown;
		r->room = room;
	}
	error = names_keep(r->n, a->name, a->namelen, &out.name);
	if (!error)
		error = names_keep(r->n, value, a->valuelen, &out.value);
	if (!error)
		r->list[r->count++] = out;
	return error;
}

/* ---- values ---- */

/* A block of a value: its checksum is right, and at most one field of its header is not what it must be. */
static bool is_value_block(struct reader *r, uint64_t fsbno, uint32_t done, uint32_t part)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	struct xfs_attr_rmt_hdr h;

	names_judge_block(r->n, XFS_BLK_ATTR_REMOTE, r->ino, fsbno, r->n->block, g->blocksize);
	xfs_attr_rmt_hdr_decode(&h, r->n->block);
	return xfs_crc32c_check(r->n->block, g->blocksize, XFS_OFF(attr_rmt_hdr, crc)) &&
	       (h.magic != XFS_ATTR_REMOTE_MAGIC) + (h.offset != done) + (h.bytes != part) + (h.owner != r->ino) +
	       (h.bno != xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v) + !!memcmp(h.uuid, g->uuid, 16) <= 1;
}

/* A value in blocks of its own; false: some of it is lost. */
static bool read_value(struct reader *r, const struct xfs_attr *a)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint32_t header = xfs_remote_header_len(g->v5), room = g->blocksize - header, done = 0;

	for (uint64_t at = a->valueblk; done < a->valuelen; at++) {
		uint32_t part = (uint32_t)xfs_min(room, a->valuelen - done);
		uint64_t fsbno;

		if (names_read_block(r->n, &r->map, at, 1, r->n->block, &fsbno) || fsbno == XFS_NULL64 ||
		    (g->v5 && !is_value_block(r, fsbno, done, part)))
			return false;
		memcpy(r->value + done, r->n->block + header, part);
		done += part;
	}
	return true;
}

static void lose(struct reader *r, const struct xfs_attr *a, const char *why)
{
	r->lost++;
	if (r->quiet)
		return;
	names_note(r->n, XFS_F_ATTR_LOST, "attributes", r->ino, true, "\"%.*s\": %s", (int)xfs_min(a->namelen, 60),
		   (const char *)a->name, why);
}

static uint32_t hash_of(const struct xfs_geometry *g, const struct xfs_attr *a)
{
	return a->flags & XFS_ATTR_PARENT ? xfs_parent_hash(g, a->name, a->namelen, XFS_INO(xfs_be64(a->value)))
					  : xfs_name_hash(a->name, a->namelen);
}

static int take(struct reader *r, const struct xfs_attr *a)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const char *problem = a->flags & XFS_ATTR_INCOMPLETE ? NULL : xfs_attr_problem(g, a);

	if (a->flags & XFS_ATTR_INCOMPLETE)
		return 0;
	/* in a leaf that is as it was written only one of the two can be wrong, and the hash is made from the name */
	if (!problem && hash_of(g, a) != a->hash && r->quality != NAMES_GOOD)
		problem = "the name is damaged";
	if (!problem && !a->value && (!a->valueblk || !read_value(r, a)))
		problem = "the value is lost";
	if (problem) {
		lose(r, a, problem);
		return 0;
	}
	return add(r, a, a->value ? a->value : r->value);
}

/* ---- forms ---- */

/* The record of an entry whose place is damaged: somewhere in the block is a name with the entry's hash. */
static bool find_record(struct reader *r, uint32_t i, struct xfs_attr *out)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint8_t *entry = r->leaf + xfs_attr_leaf_header_len(g->v5) + 8 * (size_t)i;
	uint16_t was = xfs_be16(entry + 4);
	uint32_t at, size;

	for (uint32_t place = xfs_attr_leaf_header_len(g->v5); place + 8 < g->blocksize; place += 4) {
		xfs_put_be16(entry + 4, (uint16_t)place);
		if (!xfs_attr_leaf_entry(g, r->leaf, i, out, &at, &size) && out->namelen && !xfs_attr_problem(g, out) &&
		    hash_of(g, out) == out->hash)
			return true;
	}
	xfs_put_be16(entry + 4, was);
	return false;
}

static int read_leaf(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	struct xfs_attr_leaf_hdr h;
	uint32_t most = (g->blocksize - xfs_attr_leaf_header_len(g->v5)) / 8;
	int error = 0;

	xfs_attr_leaf_hdr_load(&h, r->leaf, g->v5);
	for (uint32_t i = 0; i < xfs_min(h.count, most) && !error; i++) {
		struct xfs_attr a;
		uint32_t at, size;

		if (!xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) && !(at % 4) && a.namelen)
			error = take(r, &a);
		else if (a.hash && find_record(r, i, &a))
			error = take(r, &a);
		else
			r->lost++;
	}
	return error;
}

static bool is_value(const struct reader *r, uint64_t off)
{
	for (size_t i = 0; i < r->nvalues; i++)
		if (r->values[i] == off)
			return true;
	return false;
}

/* V4: blocks that values take by what the leaves say; one that looks like a leaf must not pass for one. */
static int note_values(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	struct xfs_attr_leaf_hdr h;
	uint32_t most = (g->blocksize - xfs_attr_leaf_header_len(false)) / 8;

	xfs_attr_leaf_hdr_load(&h, r->leaf, false);
	for (uint32_t i = 0; i < xfs_min(h.count, most); i++) {
		struct xfs_attr a;
		uint32_t at, size, blocks;

		if (xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) || a.value || a.valuelen > XFS_ATTR_VALUE_MAX)
			continue;
		blocks = xfs_remote_blocks(false, g->blocksize, a.valuelen);
		if (r->value_room - r->nvalues < blocks) {
			size_t room = 2 * (r->nvalues + blocks) + 32;
			uint64_t *grown = realloc(r->values, room * sizeof(*grown));

			if (!grown)
				return -XFS_E_NOMEM;
			r->values = grown;
			r->value_room = room;
		}
		for (uint32_t k = 0; k < blocks; k++)
			r->values[r->nvalues++] = (uint64_t)a.valueblk + k;
	}
	return 0;
}

/*
 * A block of the fork whose header says nothing, or that it is someone else's: it is a leaf when each of its entries leads to a name
 * of which it holds the hash, in the order of a leaf.
 */
static bool proves_itself(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint32_t most = (g->blocksize - xfs_attr_leaf_header_len(true)) / 8, last = 0;
	struct xfs_attr_leaf_hdr h;

	if (xfs_be32(r->leaf) == XFS_ATTR_REMOTE_MAGIC || xfs_be16(r->leaf + 8) == XFS_DA3_NODE_MAGIC)
		return false;
	xfs_attr_leaf_hdr_load(&h, r->leaf, true);
	for (uint32_t i = 0; i < h.count && h.count <= most; i++) {
		struct xfs_attr a;
		uint32_t at, size;

		if (xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) || !a.namelen || a.hash < last || xfs_attr_problem(g, &a) ||
		    hash_of(g, &a) != a.hash)
			return false;
		last = a.hash;
	}
	return h.count && h.count <= most;
}

/* By its magic, or, where that is damaged, because the rest of its header is right, or else its entries. */
static bool is_leaf(struct reader *r, uint64_t off, uint64_t fsbno)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint16_t magic = xfs_be16(r->leaf + 8);
	struct xfs_da3_blkinfo h;

	r->quality = NAMES_GOOD;
	if (!g->v5)
		return magic == XFS_ATTR_LEAF_MAGIC_V4 && !is_value(r, off);
	if (fsbno == XFS_NULL64)
		return false;
	r->quality = names_judge_block(r->n, XFS_BLK_ATTR_LEAF, r->ino, fsbno, r->leaf, g->blocksize);
	xfs_da3_blkinfo_decode(&h, r->leaf);
	if (r->quality != NAMES_FOREIGN &&
	    (h.magic == XFS_ATTR_LEAF_MAGIC ||
	     (h.magic != XFS_DA3_NODE_MAGIC && h.owner == r->ino && !memcmp(h.uuid, g->uuid, 16) &&
	      h.bno == xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v)))
		return true;
	return proves_itself(r);
}

static int each_leaf(struct reader *r, int (*job)(struct reader *))
{
	int error = 0;

	for (size_t i = 0; i < r->map.n && !error; i++)
		for (uint64_t k = 0; k < r->map.m[i].len && !error; k++) {
			uint64_t off = r->map.m[i].off + k, fsbno;

			error = names_read_block(r->n, &r->map, off, 1, r->leaf, &fsbno);
			if (!error && is_leaf(r, off, fsbno))
				error = job(r);
		}
	return error;
}

static int read_blocks(struct reader *r)
{
	int error = 0;

	if (!r->n->r->geo.v5)
		error = each_leaf(r, note_values);
	return error ? error : each_leaf(r, read_leaf);
}

static bool is_flags(unsigned flags)
{
	return !(flags & ~XFS_ATTR_NAMESPACES) && !(flags & (flags - 1));
}

/* Do entries follow each other from `at` to `end` exactly? */
static bool is_chain(const uint8_t *p, uint32_t at, uint32_t end)
{
	while (at < end) {
		uint32_t size = end - at > 3 ? xfs_attr_sf_entsize(p[at], p[at + 1]) : UINT32_MAX;

		if (size > end - at || !p[at] || !is_flags(p[at + 2]) || memchr(p + at + 3, 0, p[at]))
			return false;
		at += size;
	}
	return true;
}

/* Where the list ends: behind as many entries as it counts when they can be, else where its size says. */
static uint32_t list_end(const uint8_t *p, uint32_t len, const struct xfs_attr_sf_hdr *h)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);

	for (unsigned i = 0; i < h->count; i++) {
		uint32_t size = len - at > 3 ? xfs_attr_sf_entsize(p[at], p[at + 1]) : UINT32_MAX;

		if (size > len - at || !is_chain(p, at, at + size))
			return (uint32_t)xfs_min(h->totsize, len);
		at += size;
	}
	/* a count that is too small must not hide the rest */
	return h->totsize <= len && h->totsize > at && is_chain(p, at, h->totsize) ? h->totsize : at;
}

/* The one length of name or of value with which the rest of the list is one, in the place of a damaged one. */
static bool other_lengths(const uint8_t *p, uint32_t at, uint32_t end, struct xfs_attr_sf_ent *e)
{
	unsigned found = 0, namelen = e->namelen, valuelen = e->valuelen;

	if (end < at + 3 || !is_flags(e->flags))
		return false;
	for (unsigned k = 0; k < 2 * 256; k++) {
		unsigned name = k < 256 ? k : namelen, value = k < 256 ? valuelen : k - 256;
		uint32_t size = xfs_attr_sf_entsize(name, value);

		if (!name || (name == namelen && value == valuelen) || size > end - at || memchr(p + at + 3, 0, name) ||
		    !is_chain(p, at + size, end))
			continue;
		found++;
		e->namelen = (uint8_t)name;
		e->valuelen = (uint8_t)value;
	}
	return found == 1;
}

static void fill_attr(const struct xfs_geometry *g, const uint8_t *p, const struct xfs_attr_sf_ent *e,
		struct xfs_attr *a)
{
	*a = (struct xfs_attr){ .name = p + 3, .namelen = e->namelen, .value = p + 3 + e->namelen, .valuelen = e->valuelen,
				.flags = e->flags & (XFS_ATTR_NAMESPACES | XFS_ATTR_INCOMPLETE) };
	a->hash = a->flags & XFS_ATTR_PARENT && a->valuelen < sizeof(struct xfs_parent_rec_disk) ? 0 : hash_of(g, a);
}

/* Entries one behind the other; one that cannot be ends the list, unless one change of its lengths makes the rest fit. */
static int read_short(struct reader *r, const uint8_t *p, uint32_t len)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk), end;
	struct xfs_attr_sf_hdr h;
	int error = 0;

	if (len < at)
		return 0;
	r->quality = NAMES_GOOD;
	xfs_attr_sf_hdr_decode(&h, p);
	end = list_end(p, len, &h);
	while (len - at > sizeof(struct xfs_attr_sf_ent_disk) && !error) {
		struct xfs_attr_sf_ent e;
		struct xfs_attr a;

		/* behind the end that the header says what remains of removed ones may lie */
		if (at >= h.totsize && r->count >= h.count)
			break;
		xfs_attr_sf_ent_decode(&e, p + at);
		if ((!e.namelen || xfs_attr_sf_entsize(e.namelen, e.valuelen) > end - at || !is_chain(p, at, end)) &&
		    !other_lengths(p, at, end, &e))
			xfs_attr_sf_ent_decode(&e, p + at);	/* as it is, then */
		if (!e.namelen || xfs_attr_sf_entsize(e.namelen, e.valuelen) > len - at)
			break;
		fill_attr(&r->n->r->geo, p + at, &e, &a);
		error = take(r, &a);
		at += xfs_attr_sf_entsize(e.namelen, e.valuelen);
	}
	return error;
}

/* ---- each once ---- */

static int compare(const struct names *n, const struct names_attr *a, const struct names_attr *b)
{
	if (a->flags != b->flags)
		return a->flags < b->flags ? -1 : 1;
	if (a->namelen != b->namelen)
		return a->namelen < b->namelen ? -1 : 1;
	if (memcmp(n->arena + a->name, n->arena + b->name, a->namelen))
		return memcmp(n->arena + a->name, n->arena + b->name, a->namelen);
	if (!(a->flags & XFS_ATTR_PARENT))
		return 0;
	return memcmp(n->arena + a->value, n->arena + b->value, 8);	/* the parent; the generation does not matter */
}

struct ordered {
	uint64_t hash, at;
};

/* Of all that makes an attribute what it is, keyed by a number that no image can know. */
static uint64_t identity(const struct names *n, const struct names_attr *a)
{
	uint64_t h = n->r->fork_sums.key[0] ^ a->flags;

	for (unsigned i = 0; i < a->namelen; i++)
		h = (h ^ n->arena[a->name + i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
	for (unsigned i = 0; a->flags & XFS_ATTR_PARENT && i < 8; i++)
		h = (h ^ n->arena[a->value + i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
	return h;
}

static int drop_twins(struct reader *r)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct ordered), .words = 2,
						    .word_off = { offsetof(struct ordered, hash), offsetof(struct ordered, at) } };
	struct ordered *o = calloc(r->count + 1, sizeof(*o));
	size_t keep = 0, first = 0;
	int error;

	if (!o)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < r->count; i++)
		o[i] = (struct ordered){ identity(r->n, &r->list[i]), i };
	error = xfs_sort(&order, o, r->count);
	for (size_t i = 1; i < r->count && !error; i++) {
		if (o[i].hash != o[first].hash)
			first = i;
		else if (!compare(r->n, &r->list[o[first].at], &r->list[o[i].at]))
			r->list[o[i].at].namelen = 0;	/* the first one counts */
	}
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].namelen)
			r->list[keep++] = r->list[i];
	r->count = keep;
	free(o);
	return error;
}

int names_salvage_attrs(struct names *n, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image, bool quiet,
			struct names_attr **list, size_t *count)
{
	const struct xfs_geometry *g = &n->r->geo;
	struct reader r = { .n = n, .ino = ino, .quiet = quiet, .leaf = malloc(g->blocksize),
			.value = malloc(XFS_ATTR_VALUE_MAX) };
	uint32_t at = xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, g->inodesize, XFS_FORK_ATTR);
	int error = r.leaf && r.value ? 0 : -XFS_E_NOMEM;

	*list = NULL;
	*count = 0;
	if (!error && d->core.forkoff)
		error = names_map(n, ino, d, image, XFS_FORK_ATTR, &r.map);
	if (!error && r.map.n)
		error = read_blocks(&r);
	else if (!error && d->core.forkoff && d->core.aformat == XFS_DINODE_FMT_LOCAL)
		error = read_short(&r, image + at, repair_fork_size(n->r, d, XFS_FORK_ATTR));
	if (!error)
		error = drop_twins(&r);
	if (!error) {
		*list = r.list;
		*count = r.count;
		r.list = NULL;
	}
	free(r.list);
	free(r.leaf);
	free(r.value);
	free(r.values);
	xfs_mapset_release(&r.map);
	return error;
}
