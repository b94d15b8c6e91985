/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_short.c - short directories that do not read well: another width of inode numbers, another count, an entry
 * whose length of name is wrong.
 *
 * A reading is worth the entries that lead to inodes in use with the right type; the best one is taken.
 */
#include "repair/names.h"

#include "libxfs/name/hash.h"

#include <string.h>

#define MOST_SHORT 2048u

struct reading {
	struct names *n;
	const uint8_t *p;
	uint32_t len;			/* bytes that may hold entries */
	bool wide;
	unsigned worth;
	unsigned count;
	struct xfs_dir_item items[UINT8_MAX];
};

/* Is this an entry that may be believed: a legal name of an inode that is there? */
static bool is_likely(struct names *n, const struct xfs_dir_item *it)
{
	struct repair_fact *f = repair_fact_of(n->r, it->ino);

	return !xfs_dir_entry_problem(&n->r->geo, it) && f && (f->used || repair_is_lost(n->r, it->ino)) &&
	       (!it->ftype || !f->used || it->ftype == f->ftype);
}

/* An item at `at` with this length of name; false: it does not fit. */
static bool item_at(const struct reading *r, uint32_t at, unsigned namelen, struct xfs_dir_item *it, uint32_t *size)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const uint8_t *p = r->p + at;

	*size = xfs_dir_sf_entsize(g->ftype, r->wide, namelen);
	if (!namelen || at > r->len || *size > r->len - at)
		return false;
	*it = (struct xfs_dir_item){ .used = true, .name = p + sizeof(struct xfs_dir_sf_ent_disk),
				     .namelen = (uint8_t)namelen };
	it->ftype = g->ftype ? it->name[namelen] : 0;
	p += *size - (r->wide ? 8 : 4);
	it->ino = r->wide ? xfs_be64(p) : xfs_be32(p);
	return true;
}

/* The length of name that makes this and the next entry likely, or the one that ends the list. */
static unsigned other_length(const struct reading *r, uint32_t at)
{
	struct xfs_dir_item it, next;
	uint32_t size, after;

	for (unsigned k = 1; k <= UINT8_MAX && item_at(r, at, k, &it, &size); k++)
		if (is_likely(r->n, &it) &&
		    (at + size == r->len ||
		     (item_at(r, at + size, r->p[at + size], &next, &after) && is_likely(r->n, &next))))
			return k;
	return 0;
}

static void read_all(struct reading *r)
{
	uint32_t at = xfs_dir_sf_hdr_len(r->wide), size;

	while (r->len - at > 3 && r->count < UINT8_MAX) {
		struct xfs_dir_item *it = &r->items[r->count];
		unsigned k = r->p[at];

		if (!item_at(r, at, k, it, &size) || !is_likely(r->n, it)) {
			unsigned other = other_length(r, at);

			if (other)
				k = other;
			if (!item_at(r, at, k, it, &size))
				return;
		}
		r->worth += is_likely(r->n, it);
		r->count++;
		at += size;
	}
	r->worth += r->len == at;
}

static bool is_parent(struct names *n, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);

	return f && f->used && f->ftype == XFS_DIR_FT_DIR;
}

static int keep(struct names *n, uint64_t dir, const struct xfs_dir_item *it, uint64_t order)
{
	struct names_entry e = { .dir = dir, .ino = it->ino, .order = order, .ftype = it->ftype,
				 .namelen = it->namelen };
	int error;

	if (!it->namelen || (it->namelen == 1 && it->name[0] == '.') || xfs_dir_is_dotdot(it))
		return 0;
	if (memchr(it->name, '/', it->namelen) || memchr(it->name, 0, it->namelen))
		e.flags = NAMES_ILLEGAL | (repair_fact_of(n->r, it->ino) ? 0 : NAMES_DROPPED);
	e.hash = xfs_dir_hash(&n->r->geo, it->name, it->namelen);
	error = names_keep(n, it->name, it->namelen, &e.name);
	return error || e.flags & NAMES_DROPPED ? error : names_add_entry(n, &e);
}

int names_salvage_short(struct names *n, uint64_t ino, const uint8_t *fork, uint32_t len, uint64_t size, uint64_t *said)
{
	struct reading best = { .n = n }, r;
	uint64_t order = 0;
	int error = 0;

	*said = XFS_NULL64;
	len = xfs_min(len, MOST_SHORT);
	/* di_size may be wrong, too: then everything in the fork counts */
	for (unsigned k = 0; k < 4; k++) {
		r = (struct reading){ .n = n, .p = fork, .wide = k & 1,
				      .len = k & 2 ? len : (uint32_t)xfs_min(size, len) };
		if (r.len < xfs_dir_sf_hdr_len(r.wide))
			continue;
		read_all(&r);
		r.worth += is_parent(n, xfs_dir_sf_parent(fork, r.wide)) + (r.wide == (fork[1] != 0));
		if (!best.p || r.worth > best.worth)
			best = r;
	}
	if (!best.p)
		return 0;
	*said = xfs_dir_sf_parent(fork, best.wide);
	for (unsigned i = 0; i < best.count && !error; i++) {
		/* behind the end that the inode or the count says only likely ones are taken */
		if (is_likely(n, &best.items[i]) || i < fork[0])
			error = keep(n, ino, &best.items[i], order++);
	}
	return error;
}
