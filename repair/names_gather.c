/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_gather.c - the names that decisions are about: entries and parent pointers, sound or salvaged.
 *
 * One pass over the inodes in the order of the disk; arrays grow, nothing is allocated for a single name.  What stands
 * in directories that nothing is wrong with is counted and not kept.
 */
#include "repair/names.h"

#include "repair/evidence.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES (UINT32_MAX - 1)
#define MOST_LATE 256u		/* directories beside the list, in any case */

int names_keep(struct names *n, const void *bytes, size_t len, uint32_t *at)
{
	int error = xfs_grow_to(&n->arena, &n->room, n->used + len, 1);

	if (!error && n->used + len > UINT32_MAX)
		error = -XFS_E_TOOBIG;
	if (error)
		return error;
	*at = (uint32_t)n->used;
	memcpy(n->arena + n->used, bytes, len);
	n->used += len;
	return 0;
}

int names_add_entry(struct names *n, const struct names_entry *e)
{
	int error = n->nentries >= MOST_ENTRIES ? -XFS_E_TOOBIG :
		    xfs_grow_to(&n->entries, &n->entry_room, n->nentries + 1, sizeof(*e));

	if (!error)
		n->entries[n->nentries++] = *e;
	return error;
}

static size_t place_of_dir(const struct names_dir *dirs, size_t n, uint64_t ino)
{
	return xfs_search(n, i, dirs[i].ino < ino);
}

int names_settle_dirs(struct names *n)
{
	size_t from = n->ndirs, late = n->nlate;
	int error = late ? xfs_grow_to(&n->dirs, &n->dir_room, from + late, sizeof(*n->dirs)) : 0;

	if (error)
		return error;
	n->ndirs += late;
	for (size_t to = n->ndirs; late;)
		n->dirs[--to] = from && n->dirs[from - 1].ino > n->late[late - 1].ino ? n->dirs[--from]
											      : n->late[--late];
	n->nlate = 0;
	return 0;
}

/* Among those that come late when it is not the last one; these join the list when they are many for its length. */
int names_add_dir(struct names *n, const struct names_dir *d)
{
	bool many = n->nlate >= MOST_LATE && n->nlate / 4 * (n->nlate / 4) >= n->ndirs;
	int error = many ? names_settle_dirs(n) : 0;
	bool last = !n->nlate && (!n->ndirs || n->dirs[n->ndirs - 1].ino < d->ino);
	size_t at;

	if (!error)
		error = last ? xfs_grow_to(&n->dirs, &n->dir_room, n->ndirs + 1, sizeof(*d)) :
			       xfs_grow_to(&n->late, &n->late_room, n->nlate + 1, sizeof(*d));
	if (error)
		return error;
	if (last) {
		n->dirs[n->ndirs++] = *d;
		return 0;
	}
	at = place_of_dir(n->late, n->nlate, d->ino);
	memmove(&n->late[at + 1], &n->late[at], (n->nlate++ - at) * sizeof(*d));
	n->late[at] = *d;
	return 0;
}

struct names_dir *names_find_dir(struct names *n, uint64_t ino)
{
	size_t at = place_of_dir(n->dirs, n->ndirs, ino);

	if (at < n->ndirs && n->dirs[at].ino == ino)
		return &n->dirs[at];
	at = place_of_dir(n->late, n->nlate, ino);
	return at < n->nlate && n->late[at].ino == ino ? &n->late[at] : NULL;
}

size_t names_first_parent(const struct names *n, uint64_t ino)
{
	return xfs_search(n->nparents, i, n->parents[i].ino < ino);
}

bool names_has_parents(const struct names *n, uint64_t ino)
{
	size_t at = names_first_parent(n, ino);

	return at < n->nparents && n->parents[at].ino == ino;
}

int names_sort_entries(struct names *n)
{
	static const struct xfs_sort_spec order = {
		.size = sizeof(struct names_entry), .words = 2,
		.word_off = { offsetof(struct names_entry, dir), offsetof(struct names_entry, order) } };
	int error = names_settle_dirs(n);
	size_t k = 0;

	if (!error)
		error = xfs_sort(&order, n->entries, n->nentries);

	for (size_t i = 0; i < n->ndirs && !error; i++) {
		struct names_dir *d = &n->dirs[i];

		while (k < n->nentries && n->entries[k].dir < d->ino)
			k++;
		d->first = (uint32_t)k;
		while (k < n->nentries && n->entries[k].dir == d->ino)
			k++;
		d->n = (uint32_t)k - d->first;
	}
	return error;
}

void names_release(struct names *n)
{
	free(n->arena);
	free(n->entries);
	free(n->parents);
	free(n->sorted);
	free(n->dirs);
	free(n->late);
	free(n->table);
	free(n->ip);
	free(n->block);
	free(n->image);
}

/* ---- directories ---- */

struct gathering {
	struct names *n;
	uint64_t ino, said;
	bool all;		/* every parent pointer of the inode */
};

static int keep_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct gathering *g = payload;
	struct names *n = g->n;
	struct names_entry out = { .dir = g->ino, .ino = e->ino.v, .order = e->cookie, .ftype = (uint8_t)e->ftype,
				   .namelen = (uint8_t)e->namelen, .flags = NAMES_CONFIRMED };
	int error;

	if (e->namelen <= 2 && e->name[0] == '.' && e->name[e->namelen - 1] == '.') {
		if (e->namelen == 2)
			g->said = e->ino.v;
		return 0;
	}
	out.hash = xfs_dir_hash(&n->r->geo, e->name, e->namelen);
	error = names_keep(n, e->name, e->namelen, &out.name);
	return error ? error : names_add_entry(n, &out);
}

int names_gather_dir(struct names *n, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
		     const struct xfs_mapset *map, uint64_t *said)
{
	struct xfs_mapset own = { 0 };
	size_t before = n->nentries;
	int error = 0;

	if (!map)
		error = names_map(n, ino, d, image, XFS_FORK_DATA, &own);
	if (!error)
		error = names_salvage_dir(n, ino, d, image, map ? map : &own, said);
	xfs_mapset_release(&own);
	if (!error && n->r->verbose)
		names_say(n, "        - directory inode %llu: %zu entries salvaged",
			  "        - directory inode %llu: %zu entries salvaged",
			  (unsigned long long)ino, n->nentries - before);
	return error;
}

int names_read_dir(struct names *n, uint64_t ino, const struct xfs_dinode *core, struct names_dir *out)
{
	struct gathering g = { .n = n, .ino = ino, .said = XFS_NULL64 };
	struct xfs_dir dir;
	int error = xfs_dir_open(&dir, n->ip, NULL);

	*out = (struct names_dir){ .ino = ino, .said = XFS_NULL64, .parent = XFS_NULL64, .entry = NAMES_NONE,
				   .gen = core->core.gen };
	if (!error)
		error = xfs_dir_each(&dir, 0, keep_entry, &g);
	out->said = g.said;
	return error;
}

static int count_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct gathering *g = payload;
	struct repair_fact *f = repair_fact_of(g->n->r, e->ino.v);

	if (!f || (e->namelen <= 2 && e->name[0] == '.' && e->name[e->namelen - 1] == '.'))
		return 0;
	f->links++;
	f->has_parent = true;
	f->parent_seen = g->ino;
	return 0;
}

/* A directory that nothing is wrong with: how often it names each inode. */
static int count_dir(struct names *n, struct repair_seen *s)
{
	struct gathering g = { .n = n, .ino = s->ino };
	struct xfs_dir dir;
	int error = xfs_dir_open(&dir, n->ip, NULL);

	return error ? error : xfs_dir_each(&dir, 0, count_entry, &g);
}

static int gather_dir(struct names *n, struct repair_seen *s, struct repair_fact *f)
{
	struct names_dir d = { .ino = s->ino, .said = XFS_NULL64, .parent = XFS_NULL64, .entry = NAMES_NONE,
			       .gen = s->d.core.gen };
	size_t before = n->nentries;
	int error = f->bad_names ? -XFS_E_CORRUPT : names_read_dir(n, s->ino, &s->d, &d);

	if (error == -XFS_E_NOMEM || error == -XFS_E_TOOBIG)
		return error;
	if (error) {
		n->nentries = before;
		d.bad = true;
		error = names_gather_dir(n, s->ino, &s->d, s->image, NULL, &d.said);
	}
	d.meta = f->meta;
	return error ? error : names_add_dir(n, &d);
}

/* ---- parent pointers ---- */

static int add_parent(struct names *n, const struct names_parent *p)
{
	int error = xfs_grow_to(&n->parents, &n->parent_room, n->nparents + 1, sizeof(*p));

	if (!error)
		n->parents[n->nparents++] = *p;
	return error;
}

static int keep_parent(void *payload, const struct xfs_parent *p)
{
	struct gathering *g = payload;
	struct names_parent out = { .ino = g->ino, .parent = p->ino.v, .gen = p->gen, .namelen = (uint8_t)p->namelen };
	int error;

	if (!g->all && !names_is_chosen(g->n, p->ino.v))
		return 0;
	out.hash = xfs_dir_hash(&g->n->r->geo, p->name, p->namelen);
	error = names_keep(g->n, p->name, p->namelen, &out.name);
	return error ? error : add_parent(g->n, &out);
}

static int salvage_parents(struct names *n, struct repair_seen *s)
{
	struct names_attr *list;
	size_t count;
	int error = names_salvage_attrs(n, s->ino, &s->d, s->image, true, &list, &count);

	for (size_t i = 0; i < count && !error; i++) {
		struct names_parent p = { .ino = s->ino, .name = list[i].name, .namelen = list[i].namelen };

		if (!(list[i].flags & XFS_ATTR_PARENT) || list[i].valuelen != sizeof(struct xfs_parent_rec_disk))
			continue;
		p.parent = xfs_be64(n->arena + list[i].value);
		p.gen = xfs_be32(n->arena + list[i].value + XFS_OFF(parent_rec, gen));
		p.hash = xfs_dir_hash(&n->r->geo, n->arena + p.name, p.namelen);
		error = add_parent(n, &p);
	}
	free(list);
	return error;
}

static int gather_parents(struct names *n, struct repair_seen *s, struct repair_fact *f)
{
	struct gathering g = { .n = n, .ino = s->ino, .all = f->touched != REPAIR_UNTOUCHED };
	size_t before = n->nparents;
	struct xfs_attrs a;
	int error;

	if (f->bad_attrs)
		return salvage_parents(n, s);
	error = xfs_attrs_open(&a, n->ip, NULL);
	if (!error)
		error = xfs_parents_each(&a, keep_parent, &g);
	if (!error || error == -XFS_E_NOMEM || error == -XFS_E_TOOBIG)
		return error;
	n->nparents = before;
	f->bad_attrs = true;
	return salvage_parents(n, s);
}

static int gather_inode(void *payload, struct repair_seen *s)
{
	struct names *n = payload;
	struct repair_fact *f = repair_fact_of(n->r, s->ino);
	int error;

	if (s->free || !s->identified || !f || !f->used || repair_is_lost(n->r, s->ino))
		return 0;
	error = xfs_inode_parse(n->r->fs, XFS_INO(s->ino), s->image, n->ip);
	if (error && error != -XFS_E_BADCRC)
		return 0;
	error = f->ftype != XFS_DIR_FT_DIR ? 0 : f->touched ? gather_dir(n, s, f) : count_dir(n, s);
	if (!error && n->r->geo.parent && s->d.core.forkoff)
		error = gather_parents(n, s, f);
	return error;
}

static int gather_ag(void *payload, size_t agno)
{
	struct names *n = payload;

	return repair_scan_ag_inodes(n->r, &n->r->ags[agno], gather_inode, n);
}

int names_prepare(struct names *n)
{
	n->ip = malloc(sizeof(*n->ip));
	n->block = malloc(xfs_max(n->r->geo.dirblksize, XFS_BUF_MAXLEN));
	n->image = malloc(n->r->geo.inodesize);
	n->fresh = NAMES_BEHIND;
	return n->ip && n->block && n->image ? 0 : -XFS_E_NOMEM;
}

int names_gather(struct names *n)
{
	int error = names_prepare(n);

	if (error)
		return error;
	error = names_choose(n);
	if (!error)
		error = repair_each_ag(n->r, gather_ag, n);
	if (!error)
		error = names_root(n);
	if (!error && n->r->verbose)
		repair_say(n->told, "        - %zu entries of %zu directories and %zu parent pointers gathered",
			   n->nentries, n->ndirs, n->nparents);
	if (!error)
		error = names_sort_pointers(n);
	return error ? error : names_sort_entries(n);
}
