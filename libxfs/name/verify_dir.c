/* SPDX-License-Identifier: BSD-2-Clause */
/* verify_dir.c - all rules of one directory: the short form, and what holds between entries and index. */
#include "libxfs/name/verify_dir.h"

#include "libxfs/base/grow.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>

void xfs_dir_check_report(struct xfs_dir_check *c, enum xfs_finding_id id, uint64_t db, const char *what,
			  uint64_t found, uint64_t expected)
{
	struct xfs_finding f = xfs_dir_finding(&c->d, id, db);

	f.found = found;
	f.expected = expected;
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(c->sink, &f);
	c->bad = true;
}

void xfs_dir_check_add(struct xfs_dir_check *c, struct xfs_dir_pairs *p, uint32_t hash, uint32_t address)
{
	if (xfs_grow(&p->list, p->n, &p->room, 256)) {
		c->nomem = true;
		return;
	}
	p->list[p->n++] = (struct xfs_dir_pair){ hash, address };
}

/* ---- short form ---- */

static void check_parent(struct xfs_dir_check *c, uint64_t ino)
{
	if (!xfs_ino_valid(&c->d.ip->fs->geo, XFS_INO(ino)))
		xfs_dir_check_report(c, XFS_F_DIR_DOT, XFS_NULL64, "parent is no inode number", ino, XFS_NULL64);
	else if (c->parent != XFS_NULL64 && ino != c->parent)
		xfs_dir_check_report(c, XFS_F_DIR_DOT, XFS_NULL64, "parent is another directory", ino, c->parent);
}

static void short_entry(struct xfs_dir_check *c, const struct xfs_dir_item *it, uint32_t *next)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	const char *problem = xfs_dir_entry_problem(g, it);

	if (!problem && (xfs_dir_is_dot(it) || xfs_dir_is_dotdot(it)))
		problem = "name is \".\" or \"..\"";
	if (problem)
		xfs_dir_check_report(c, XFS_F_DIR_ENTRY, XFS_NULL64, problem, it->off, XFS_NULL64);
	if (it->off < *next)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "offsets do not rise as in a block", it->off,
				     *next);
	*next = it->off + it->len;
	if (it->off % XFS_DIR_ALIGN)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "offset is not a multiple of 8", it->off,
				     XFS_NULL64);
	xfs_dir_check_add(c, &c->names, xfs_dir_hash(g, it->name, it->namelen), it->off / XFS_DIR_ALIGN);
}

static void check_short(struct xfs_dir_check *c)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint64_t size = c->d.ip->d.core.size;
	uint32_t next = xfs_dir_data_first_off(g->v5);
	unsigned big = 0;
	struct xfs_dir_sf sf;
	struct xfs_dir_item it;
	int more;

	if (size > c->d.f.len || xfs_dir_sf_start(&sf, c->d.f.bytes, (uint32_t)size)) {
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "size does not fit the fork", size, c->d.f.len);
		return;
	}
	big = sf.parent > UINT32_MAX;
	check_parent(c, sf.parent);
	while ((more = xfs_dir_sf_next(g, &sf, &it)) > 0) {
		short_entry(c, &it, &next);
		big += it.ino > UINT32_MAX;
	}
	if (more < 0)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "an entry does not fit", sf.at, XFS_NULL64);
	else if (sf.at != size)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "size is not that of the entries", size, sf.at);
	if (more == 0 && sf.i8count != big)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "count of large inode numbers is wrong",
				     sf.i8count, big);
	if (next + (sf.count + 2) * 8u + 8 > g->dirblksize)
		xfs_dir_check_report(c, XFS_F_DIR_SHORT, XFS_NULL64, "entries would not fit a block", next, XFS_NULL64);
}

/* ---- names against the index ---- */

static uint64_t by_address(const struct xfs_dir_pair *p)
{
	return (uint64_t)p->address << 32 | p->hash;
}

static uint64_t by_hash(const struct xfs_dir_pair *p)
{
	return (uint64_t)p->hash << 32 | p->address;
}

/* Most lists are short, and in order or nearly so: gaps that shrink, without a call for each comparison. */
XFS_INLINE void sort(struct xfs_dir_pairs *p, uint64_t (*order)(const struct xfs_dir_pair *),
		     int (*compare)(const void *, const void *))
{
	static const uint16_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };
	size_t i = 1;

	while (i < p->n && order(&p->list[i - 1]) <= order(&p->list[i]))
		i++;
	if (i >= p->n)
		return;
	if (p->n > 4096) {
		qsort(p->list, p->n, sizeof(*p->list), compare);
		return;
	}
	for (unsigned g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for (i = gaps[g]; i < p->n; i++) {
			struct xfs_dir_pair pair = p->list[i];
			size_t k = i;

			for (; k >= gaps[g] && order(&p->list[k - gaps[g]]) > order(&pair); k -= gaps[g])
				p->list[k] = p->list[k - gaps[g]];
			p->list[k] = pair;
		}
}

static int compare_addresses(const void *a, const void *b)
{
	uint64_t x = by_address(a), y = by_address(b);

	return (x > y) - (x < y);
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = by_hash(a), y = by_hash(b);

	return (x > y) - (x < y);
}

static void sort_by_address(struct xfs_dir_pairs *p)
{
	sort(p, by_address, compare_addresses);
}

static void sort_by_hash(struct xfs_dir_pairs *p)
{
	sort(p, by_hash, compare_hashes);
}

static void differ(struct xfs_dir_check *c, const struct xfs_dir_pair *p, const char *what)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;

	xfs_dir_check_report(c, XFS_F_DIR_HASH, (uint64_t)p->address * XFS_DIR_ALIGN / g->dirblksize, what, p->address,
			     XFS_NULL64);
}

static void compare_index(struct xfs_dir_check *c)
{
	size_t i = 0, k = 0;

	/* the index lies in the order of hashes already */
	sort_by_hash(&c->names);
	sort_by_hash(&c->index);
	if (c->names.n == c->index.n &&
	    (!c->names.n || !memcmp(c->names.list, c->index.list, c->names.n * sizeof(*c->names.list))))
		return;
	sort_by_address(&c->names);
	sort_by_address(&c->index);
	while (i < c->names.n || k < c->index.n) {
		const struct xfs_dir_pair *name = &c->names.list[i], *index = &c->index.list[k];

		if (k == c->index.n || (i < c->names.n && name->address < index->address)) {
			differ(c, name, "entry is missing in the hash index");
			i++;
		} else if (i == c->names.n || index->address < name->address) {
			differ(c, index, "hash index names a place without an entry");
			k++;
		} else {
			if (name->hash != index->hash)
				differ(c, name, "hash index has another hash for the entry");
			i++;
			k++;
			/* the same place a second time */
			for (; k < c->index.n && c->index.list[k].address == name->address; k++)
				differ(c, name, "hash index names an entry twice");
		}
	}
}

/* Name at an address, copied. */
static bool name_at(struct xfs_dir_check *c, uint32_t address, uint8_t *name, unsigned *len)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint64_t byte = (uint64_t)address * XFS_DIR_ALIGN;
	uint32_t off = (uint32_t)(byte % g->dirblksize), end;
	struct xfs_dir_item it;
	struct xfs_dir_sf sf;
	struct xfs_buf *b;
	bool good = false;

	if (c->d.form == XFS_DIR_SHORT) {
		if (xfs_dir_sf_start(&sf, c->d.f.bytes, (uint32_t)c->d.ip->d.core.size))
			return false;
		while (!good && xfs_dir_sf_next(g, &sf, &it) > 0)
			good = it.off == byte;
		if (good)
			memcpy(name, it.name, *len = it.namelen);
		return good;
	}
	if (xfs_dir_get_data(&c->d, byte / g->dirblksize, &b, &end))
		return false;
	good = xfs_dir_data_next(g, b->data, end, &off, &it) > 0 && it.used;
	if (good)
		memcpy(name, it.name, *len = it.namelen);
	xfs_buf_put(b);
	return good;
}

/* Names with equal hashes must differ. Only neighbours are compared in long runs: a hash has few names by chance. */
static void find_twins(struct xfs_dir_check *c)
{
	enum { RUN = 16 };
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint8_t a[XFS_DIR_NAME_MAX], b[XFS_DIR_NAME_MAX];
	unsigned alen, blen;

	sort_by_hash(&c->names);
	for (size_t i = 0; i + 1 < c->names.n; i++) {
		const struct xfs_dir_pair *p = &c->names.list[i];

		if (p[1].hash != p->hash || !name_at(c, p->address, a, &alen))
			continue;
		for (size_t k = 1; k < RUN && i + k < c->names.n && p[k].hash == p->hash; k++)
			if (p[k].address != p->address && name_at(c, p[k].address, b, &blen) &&
			    xfs_dir_name_equal(g, a, alen, b, blen))
				xfs_dir_check_report(c, XFS_F_DIR_ENTRY,
						     (uint64_t)p[k].address * XFS_DIR_ALIGN / g->dirblksize,
						     "name occurs twice", p[k].address, p->address);
	}
}

static void check_size(struct xfs_dir_check *c)
{
	uint64_t want = c->nbests ? (c->bests[c->nbests - 1].db + 1) * c->d.ip->fs->geo.dirblksize : 0;

	if (c->d.ip->d.core.size != want)
		xfs_dir_check_report(c, XFS_F_DIR_SIZE, XFS_NULL64, "size is not the end of the last data block",
				     c->d.ip->d.core.size, want);
}

int xfs_dir_verify(const struct xfs_inode *ip, uint64_t parent, const struct xfs_sink *sink)
{
	struct xfs_dir_check c = { .sink = sink, .parent = parent };
	int err = xfs_dir_open(&c.d, ip, sink);

	if (err)
		return err == -XFS_E_NOMEM || err == -XFS_E_NOTDIR ? err : -XFS_E_CORRUPT;
	if (c.d.form == XFS_DIR_SHORT) {
		check_short(&c);
	} else {
		if (c.d.form == XFS_DIR_ODD)
			xfs_dir_check_report(&c, XFS_F_DIR_FORM, XFS_NULL64, "last block fits no form", ip->d.core.size,
					     XFS_NULL64);
		xfs_dir_check_data(&c);
		check_size(&c);
		if (c.d.form != XFS_DIR_ODD) {
			xfs_dir_check_index(&c);
			compare_index(&c);
		}
		if (c.dots != 3)
			xfs_dir_check_report(&c, XFS_F_DIR_DOT, 0, "\".\" and \"..\" are not the first two entries",
					     XFS_NULL64, XFS_NULL64);
	}
	find_twins(&c);
	free(c.names.list);
	free(c.index.list);
	free(c.bests);
	return c.nomem ? -XFS_E_NOMEM : c.bad ? -XFS_E_CORRUPT : 0;
}
