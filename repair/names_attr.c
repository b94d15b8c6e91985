/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_attr.c - every attribute that can be had, whatever became of the tree above the leaves.
 *
 * All blocks of the fork are read; what has the shape of a leaf is one.  An entry counts when its stored hash is that
 * of its name: this confirms the name, wherever the entry comes from.
 */
#include "repair/names_value.h"

#include "repair/forks.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>
#include <string.h>

#define MOST_RENAMED 64u	/* of one fork: each may take long */
#define ENTRY ((uint32_t)sizeof(struct xfs_attr_sf_ent_disk))	/* before its name */

struct reader {
	struct names *n;
	uint64_t ino;
	struct xfs_mapset map;
	struct names_attr *list;
	size_t count, room;
	uint8_t *leaf;			/* a block */
	enum names_quality quality;	/* of the leaf at hand */
	struct names_values values;
	unsigned lost, renamed;
	bool quiet;			/* what is lost is told another time */
};

/* A value in blocks of its own follows when all attributes are known. */
static int add(struct reader *r, const struct xfs_attr *a)
{
	struct names_attr out = { .valuelen = a->valuelen, .namelen = (uint8_t)a->namelen, .hash = a->hash,
				  .flags = (uint8_t)(a->flags & XFS_ATTR_NAMESPACES),
				  .sure = names_attr_hash(&r->n->r->geo, a) == a->hash, .apart = !a->value };
	int error;

	if (xfs_grow(&r->list, r->count, &r->room, 32))
		return -XFS_E_NOMEM;
	error = names_keep(r->n, a->name, a->namelen, &out.name);
	out.value = (uint32_t)r->values.nwants;
	if (!error)
		error = a->value ? names_keep(r->n, a->value, a->valuelen, &out.value) :
				   names_values_want(&r->values, a, r->count);
	if (!error)
		r->list[r->count++] = out;
	return error;
}

static void lose(struct reader *r, const struct xfs_attr *a, const char *why)
{
	r->lost++;
	if (r->quiet)
		return;
	names_note(r->n, XFS_F_ATTR_LOST, "attributes", r->ino, true, "\"%.*s\": %s", (int)xfs_min(a->namelen, 60),
		   (const char *)a->name, why);
}

static int take(struct reader *r, struct xfs_attr *a)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const char *problem;

	/* how long a value in blocks of its own is, they say, too */
	if (!a->value && a->valuelen > XFS_ATTR_VALUE_MAX && r->n->r->geo.v5)
		a->valuelen = names_values_length(&r->values, a->valueblk);
	problem = xfs_attr_problem(g, a);
	if (!problem && a->flags & XFS_ATTR_INCOMPLETE)
		return 0;
	/* in a leaf that is as it was written only one of the two can be wrong, and the hash is made from the name */
	if (!problem && names_attr_hash(g, a) != a->hash && r->quality != NAMES_GOOD)
		problem = "the name is damaged";
	if (problem) {
		lose(r, a, problem);
		return 0;
	}
	return add(r, a);
}

/* ---- forms ---- */

static int read_leaf(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint32_t count = names_attr_count(g, r->leaf);
	int error = 0;

	names_mend_attrs(g, r->leaf, count);
	for (uint32_t i = 0; i < count && !error; i++) {
		struct xfs_attr a;
		uint32_t at, size;

		if (!xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) && !(at % 4) && a.namelen)
			error = take(r, &a);
		else
			r->lost++;		/* told when the fork was first read */
	}
	return error;
}

/* Blocks that values take by what the leaves say. V4: one of them that looks like a leaf must not pass for one. */
static int note_values(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	struct xfs_attr_leaf_hdr h;
	struct xfs_attr a;
	uint32_t at, size;

	xfs_attr_leaf_hdr_load(&h, r->leaf, g->v5);
	for (uint32_t i = 0; i < xfs_min(h.count, xfs_attr_leaf_maxents(g->v5, g->blocksize)); i++)
		if (!xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) && !a.value && a.valuelen <= XFS_ATTR_VALUE_MAX)
			names_values_note(&r->values, &a);
	return 0;
}

/*
 * Whatever its header says: entries in order of their hashes, and most have a name with theirs; all of them, where the
 * header speaks against it.
 */
static bool has_entries(const struct reader *r, bool all)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	struct xfs_attr_leaf_hdr h;
	uint32_t right = 0, last = 0;

	xfs_attr_leaf_hdr_load(&h, r->leaf, g->v5);
	if (!h.count || h.count > xfs_attr_leaf_maxents(g->v5, g->blocksize))
		return false;
	for (uint32_t i = 0; i < h.count; i++) {
		struct xfs_attr a;
		uint32_t at, size;

		if (xfs_attr_leaf_entry(g, r->leaf, i, &a, &at, &size) || xfs_attr_problem(g, &a) || !a.namelen ||
		    a.hash < last || names_attr_hash(g, &a) != a.hash)
			continue;
		last = a.hash;
		right++;
	}
	return all ? right == h.count : 2 * right >= h.count;
}

/* By its magic, or, where that is damaged, because the rest of its header is right, or all that stands below it. */
static bool is_leaf(struct reader *r, uint64_t off, uint64_t fsbno)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint16_t magic = xfs_da_magic(r->leaf);
	struct xfs_da3_blkinfo h;

	r->quality = NAMES_GOOD;
	if (!g->v5)
		return (names_values_spares(&r->values, off) || !names_values_hold(&r->values, off)) &&
		       (magic == XFS_ATTR_LEAF_MAGIC_V4 || (magic != XFS_DA_NODE_MAGIC && has_entries(r, false)));
	if (fsbno == XFS_NULL64)
		return false;
	r->quality = names_judge_block(r->n, XFS_BLK_ATTR_LEAF, r->ino, fsbno, r->leaf, g->blocksize);
	xfs_da3_blkinfo_decode(&h, r->leaf);
	if (h.magic == XFS_DA3_NODE_MAGIC ||
	    (r->quality == NAMES_FOREIGN && xfs_be32(r->leaf) == XFS_ATTR_REMOTE_MAGIC))
		return false;
	if (r->quality == NAMES_FOREIGN)
		return has_entries(r, true);
	return h.magic == XFS_ATTR_LEAF_MAGIC || has_entries(r, false) ||
	       (h.owner == r->ino && !memcmp(h.uuid, g->uuid, 16) && h.bno == xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v);
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
	int error = names_values_find_tree(&r->values);

	error = error ? error : each_leaf(r, note_values);
	return error ? error : each_leaf(r, read_leaf);
}

static bool is_flags(unsigned flags)
{
	return !(flags & ~XFS_ATTR_NAMESPACES) && !(flags & (flags - 1));
}

/* Bytes of the short entry at p. */
static uint32_t entry_size(const uint8_t *p)
{
	struct xfs_attr_sf_ent e;

	xfs_attr_sf_ent_decode(&e, p);
	return xfs_attr_sf_entsize(e.namelen, e.valuelen);
}

/* How many entries follow each other from `at` to `end` exactly; -1: none do. */
static int chain_length(const uint8_t *p, uint32_t at, uint32_t end)
{
	int n = 0;

	for (; at < end; n++) {
		uint32_t size = end - at > ENTRY ? entry_size(p + at) : UINT32_MAX;
		struct xfs_attr_sf_ent e;

		if (size > end - at)
			return -1;
		xfs_attr_sf_ent_decode(&e, p + at);
		if (!e.namelen || !is_flags(e.flags) || memchr(p + at + ENTRY, 0, e.namelen))
			return -1;
		at += size;
	}
	return n;
}

static bool is_chain(const uint8_t *p, uint32_t at, uint32_t end)
{
	return chain_length(p, at, end) >= 0;
}

/*
 * The one length of name or of value with which the rest of the list is `left` entries, in the place of a damaged one;
 * of two, that of the value: so the name stays.
 */
static bool other_lengths(const uint8_t *p, uint32_t at, uint32_t end, int left, struct xfs_attr_sf_ent *e)
{
	unsigned names = 0, values = 0, namelen = e->namelen, valuelen = e->valuelen;

	if (end < at + ENTRY || !is_flags(e->flags))
		return false;
	for (unsigned k = 0; k < 2 * 256; k++) {
		unsigned name = k < 256 ? k : namelen, value = k < 256 ? valuelen : k - 256;
		uint32_t size = xfs_attr_sf_entsize(name, value);

		if (!name || (name == namelen && value == valuelen) || size > end - at ||
		    memchr(p + at + ENTRY, 0, name) || chain_length(p, at + size, end) != left - 1)
			continue;
		names += k < 256;
		values += k >= 256;
		e->namelen = (uint8_t)name;
		e->valuelen = (uint8_t)value;
	}
	return values == 1 || (!values && names == 1);
}

/* Would another length in one entry make as many as are counted end where the size says? */
static bool one_change_fits(const uint8_t *p, uint32_t end, int count)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);

	for (int i = 0; i < count && at + ENTRY < end; i++) {
		struct xfs_attr_sf_ent e;

		xfs_attr_sf_ent_decode(&e, p + at);
		if (other_lengths(p, at, end, count - i, &e))
			return true;
		at += entry_size(p + at);
	}
	return false;
}

/* Of two ends, is the first one behind values?  What follows a list is zero as a rule. */
static bool ends_at(const uint8_t *p, uint32_t end, uint32_t other)
{
	uint32_t from = (uint32_t)xfs_min(end, other), to = (uint32_t)xfs_max(end, other);
	bool bytes = false;

	for (uint32_t i = from; i < to; i++)
		bytes |= p[i] != 0;
	return bytes ? end > other : end < other;
}

/* Where the list ends: behind as many entries as it counts when they can be, else where its size says. */
static uint32_t list_end(const uint8_t *p, uint32_t len, const struct xfs_attr_sf_hdr *h)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);

	for (unsigned i = 0; i < h->count; i++) {
		uint32_t size = len - at > ENTRY ? entry_size(p + at) : UINT32_MAX;

		if (size > len - at || !is_chain(p, at, at + size))
			return (uint32_t)xfs_min(h->totsize, len);
		at += size;
	}
	if (h->totsize <= len && ends_at(p, h->totsize, at) && one_change_fits(p, h->totsize, h->count))
		return h->totsize;
	/* a count that is too small must not hide the rest */
	return h->totsize <= len && h->totsize > at && is_chain(p, at, h->totsize) ? h->totsize : at;
}

/* The namespace where the flags name none: a pointer to a directory is one, else the name tells. */
static unsigned other_space(struct reader *r, unsigned flags, const struct xfs_attr *a)
{
	bool pointer = r->n->r->geo.parent && a->valuelen == sizeof(struct xfs_parent_rec_disk);
	struct repair_fact *f = pointer ? repair_fact_of(r->n->r, xfs_be64(a->value)) : NULL;

	return f && f->used && f->ftype == XFS_DIR_FT_DIR ? XFS_ATTR_PARENT :
	       names_attr_space(flags, a->name, a->namelen);
}

static void fill_attr(struct reader *r, const uint8_t *p, const struct xfs_attr_sf_ent *e, struct xfs_attr *a)
{
	const struct xfs_geometry *g = &r->n->r->geo;

	*a = (struct xfs_attr){ .name = p + ENTRY, .namelen = e->namelen, .value = p + ENTRY + e->namelen,
				.valuelen = e->valuelen,
				.flags = e->flags & (XFS_ATTR_NAMESPACES | XFS_ATTR_INCOMPLETE) };
	if (!is_flags(e->flags) || (e->flags & XFS_ATTR_PARENT && !g->parent))
		a->flags = other_space(r, e->flags, a);
	a->hash = a->flags & XFS_ATTR_PARENT && a->valuelen < sizeof(struct xfs_parent_rec_disk) ? 0 :
		  names_attr_hash(g, a);
}

/* Entries one behind the other; one that cannot be ends the list, unless a change of its lengths makes the rest fit. */
static int read_short(struct reader *r, const uint8_t *p, uint32_t len)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk), end;
	struct xfs_attr_sf_hdr h;
	int error = 0, seen = 0;

	if (len < at)
		return 0;
	r->quality = NAMES_GOOD;
	xfs_attr_sf_hdr_decode(&h, p);
	end = list_end(p, len, &h);
	while (len - at > ENTRY && !error) {
		struct xfs_attr_sf_ent e;
		struct xfs_attr a;

		/* behind the end that the header says what remains of removed ones may lie */
		if (at >= h.totsize && r->count >= h.count)
			break;
		if (at >= end && seen >= h.count)
			break;
		xfs_attr_sf_ent_decode(&e, p + at);
		if ((!e.namelen || xfs_attr_sf_entsize(e.namelen, e.valuelen) > end - at || !is_chain(p, at, end)) &&
		    !other_lengths(p, at, end, h.count - seen, &e))
			xfs_attr_sf_ent_decode(&e, p + at);	/* as it is, then */
		if (!e.namelen || xfs_attr_sf_entsize(e.namelen, e.valuelen) > len - at)
			break;
		fill_attr(r, p + at, &e, &a);
		error = take(r, &a);
		seen++;
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

static bool is_twin(struct reader *r, const struct names_attr *a)
{
	for (size_t k = 0; k < r->count; k++)
		if (&r->list[k] != a && r->list[k].namelen && !compare(r->n, &r->list[k], a))
			return true;
	return false;
}

static unsigned kind_of(uint8_t c)
{
	return c >= '0' && c <= '9' ? 0 : (c | 32) >= 'a' && (c | 32) <= 'z' ? 1 : c > ' ' && c < 127 ? 2 : 3;
}

/*
 * An attribute whose name became another's: a bit of it is turned so that it has its hash, and no twin.  Of several
 * such bits one that leaves a digit a digit is the likeliest, then one that leaves a letter a letter.
 */
static bool rename_twin(struct reader *r, struct names_attr *a)
{
	uint8_t *name = r->n->arena + a->name;

	if (r->renamed++ >= MOST_RENAMED)
		return false;
	for (unsigned kind = 0; kind < 3; kind++)
		for (unsigned i = 0; i < 8u * a->namelen; i++) {
			uint8_t *c = &name[i / 8], was = *c;

			*c ^= (uint8_t)(1u << i % 8);
			if (kind_of(*c) <= kind && kind_of(was) <= kind && xfs_name_hash(name, a->namelen) == a->hash &&
			    !is_twin(r, a))
				return true;
			*c = was;
		}
	return false;
}

/* Two of one name: the one whose name has its hash keeps it; the other is the same again, or had another name. */
static void settle_twin(struct reader *r, struct names_attr *a, struct names_attr *b)
{
	struct names_attr *loser = b->sure && !a->sure ? a : b;
	struct xfs_attr shown = { .name = r->n->arena + a->name, .namelen = a->namelen };

	if (a->valuelen != b->valuelen || memcmp(r->n->arena + a->value, r->n->arena + b->value, a->valuelen)) {
		if (!loser->sure && rename_twin(r, loser))
			return;
		lose(r, &shown, "another one has this name");
	}
	loser->namelen = 0;
}

/* Two leaves may hold the same entry: what both name is one value. */
static void settle_same(struct reader *r, struct names_attr *a, struct names_attr *b)
{
	const struct names_value_want *w = r->values.wants;

	if (a->apart && b->apart && w[a->value].start == w[b->value].start && w[a->value].length == w[b->value].length)
		(b->sure && !a->sure ? a : b)->namelen = 0;
}

/* What lost its name is none of them. */
static int each_twin(struct reader *r, void (*settle)(struct reader *, struct names_attr *, struct names_attr *))
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct ordered), .words = 2,
						    .word_off = { offsetof(struct ordered, hash),
								  offsetof(struct ordered, at) } };
	struct ordered *o = calloc(r->count + 1, sizeof(*o));
	size_t n = 0, first = 0;
	int error;

	if (!o)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].namelen)
			o[n++] = (struct ordered){ identity(r->n, &r->list[i]), i };
	error = xfs_sort(&order, o, n);
	for (size_t i = 1; i < n && !error; i++) {
		struct names_attr *a = &r->list[o[first].at], *b = &r->list[o[i].at];

		if (o[i].hash == o[first].hash && a->namelen && b->namelen && !compare(r->n, a, b))
			settle(r, a, b);
		if (o[i].hash != o[first].hash || !a->namelen)
			first = i;
	}
	free(o);
	return error;
}

/* ---- values ---- */

/* Values in blocks of their own. An attribute without one loses its name, too. */
static int fetch_values(struct reader *r)
{
	int error = r->values.nwants ? each_twin(r, settle_same) : 0;

	for (size_t i = 0; i < r->values.nwants; i++)
		r->values.wants[i].gone = !r->list[r->values.wants[i].at].namelen;
	error = error ? error : names_values_settle(&r->values);

	for (size_t i = 0; i < r->values.nwants && error >= 0; i++) {
		const struct names_value_want *w = &r->values.wants[i];
		struct names_attr *a = &r->list[w->at];
		struct xfs_attr shown = { .name = r->n->arena + a->name, .namelen = a->namelen };

		if (w->gone)
			continue;
		error = names_values_fetch(&r->values, w, &a->valuelen);
		if (!error) {
			error = names_keep(r->n, r->values.bytes, a->valuelen, &a->value);
		} else if (error > 0) {
			lose(r, &shown, w->refused ? "its blocks hold something else" : "the value is lost");
			a->namelen = 0;
		}
	}
	return xfs_min(error, 0);
}

/* Each once, and those alone that kept their names. */
static int settle_list(struct reader *r)
{
	int error = fetch_values(r);
	size_t keep = 0;

	if (!error)
		error = each_twin(r, settle_twin);
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].namelen)
			r->list[keep++] = r->list[i];
	r->count = keep;
	return error;
}

int names_salvage_attrs(struct names *n, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image, bool quiet,
			struct names_attr **list, size_t *count)
{
	const struct xfs_geometry *g = &n->r->geo;
	struct reader r = { .n = n, .ino = ino, .quiet = quiet, .leaf = malloc(g->blocksize) };
	uint32_t at = xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, g->inodesize, XFS_FORK_ATTR);
	int error = r.leaf ? 0 : -XFS_E_NOMEM;

	*list = NULL;
	*count = 0;
	if (!error && d->core.forkoff)
		error = names_map(n, ino, d, image, XFS_FORK_ATTR, &r.map);
	if (!error)
		error = names_values_begin(&r.values, n, ino, &r.map);
	if (!error && r.map.n)
		error = read_blocks(&r);
	else if (!error && d->core.forkoff && d->core.aformat == XFS_DINODE_FMT_LOCAL)
		error = read_short(&r, image + at, repair_fork_size(n->r, d, XFS_FORK_ATTR));
	if (!error)
		error = settle_list(&r);
	if (!error) {
		*list = r.list;
		*count = r.count;
		r.list = NULL;
	}
	free(r.list);
	free(r.leaf);
	names_values_release(&r.values);
	xfs_mapset_release(&r.map);
	return error;
}
