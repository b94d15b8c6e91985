/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_plan.c - what was decided, against what lies on the disk: the inodes that change.
 *
 * Directories and attribute forks that differ are built anew from lists; a link count alone is a change of the core.
 */
#include "repair/names.h"

#include "repair/evidence.h"
#include "repair/forks.h"
#include "repair/realtime.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct linked {
	uint64_t ino, entry;
};

struct planning {
	struct names *n;
	struct linked *linked;		/* entries that lead to inodes whose attributes are built anew, by inode */
	size_t nlinked;
	struct names_pairs unsaid;	/* entries of the inode at hand that no pointer agrees with; once asked for */
	bool known;
};

/* ---- forks ---- */

int names_give_up(struct names *n, struct repair_inode *c, const struct xfs_dinode *d, const uint8_t *image,
		enum xfs_fork which)
{
	size_t before = c->old.n;
	struct repair_fork f;
	int error = repair_fork_scan(n->r, c->ino, d, image, which, &f, repair_keep_mapping, &c->old);

	for (size_t i = before; i < c->old.n; i++)
		repair_ag_of(n->r, c->old.m[i].fsbno)->reasons |= REPAIR_FORK;
	for (size_t i = 0; i < f.nown && !error; i++) {
		struct xfs_mapping m = { 0, f.own[i], 1, false, 0 };

		repair_ag_of(n->r, f.own[i])->reasons |= REPAIR_FORK;
		error = xfs_mapset_add(&c->old, &m);
	}
	repair_fork_release(&f);
	/* what a fork that was damaged was to keep goes, too */
	for (size_t i = 0; i < c->map[which].n && !repair_fork_is_realtime(d, which); i++)
		repair_ag_of(n->r, c->map[which].m[i].fsbno)->reasons |= REPAIR_FORK;
	xfs_mapset_release(&c->map[which]);
	return error;
}

/* The entry in the list of changed inodes with room for a plan. */
static int planned(struct names *n, uint64_t ino, struct repair_inode **c, struct xfs_dinode *d)
{
	int error = names_read_inode(n, ino, n->image, d);

	if (!error)
		error = repair_changed_inode(n->r, ino, n->image, c);
	if (error || (*c)->names)
		return error;
	(*c)->names = calloc(1, sizeof(*(*c)->names));
	return (*c)->names ? 0 : -XFS_E_NOMEM;
}

/* Names and values lie in the arena, which may still move: offsets take the place of pointers for now. */
static const uint8_t *as_pointer(uint32_t offset)
{
	return (const uint8_t *)(uintptr_t)offset;
}

void names_settle_plans(struct names *n)
{
	repair_merge_changed(n->r);
	for (size_t i = 0; i < n->r->ninodes; i++) {
		struct repair_name_plan *p = n->r->inodes[i].names;

		for (size_t k = 0; p && k < p->nentries; k++)
			p->entries[k].name = n->arena + (uintptr_t)p->entries[k].name;
		for (size_t k = 0; p && k < p->nlist; k++) {
			p->list[k].name = n->arena + (uintptr_t)p->list[k].name;
			p->list[k].value = n->arena + (uintptr_t)p->list[k].value;
		}
	}
}

static int plan_dir(struct names *n, const struct names_dir *dir)
{
	struct repair_inode *c;
	struct xfs_dinode d;
	int error = planned(n, dir->ino, &c, &d);

	if (!error)
		error = names_give_up(n, c, &d, n->image, XFS_FORK_DATA);
	if (error)
		return error;
	names_say(n, "rebuilding directory inode %llu", "would rebuild directory inode %llu",
		  (unsigned long long)dir->ino);
	c->names->dir = c->fork[XFS_FORK_DATA] = true;
	c->names->parent = dir->parent;
	c->names->entries = malloc((dir->n + 1) * sizeof(*c->names->entries));
	if (!c->names->entries)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < dir->n; i++) {
		const struct names_entry *e = &n->entries[dir->first + i];

		if (e->flags & NAMES_DROPPED)
			continue;
		c->early |= e->order >= NAMES_BEHIND;
		c->names->entries[c->names->nentries++] =
			(struct xfs_build_dirent){ e->ino, as_pointer(e->name), e->namelen, e->ftype };
	}
	return 0;
}

/* ---- attributes ---- */

int names_plan_attr(struct repair_name_plan *p, size_t *room, const struct names_attr *a)
{
	if (xfs_grow(&p->list, p->nlist, room, 2))
		return -XFS_E_NOMEM;
	p->list[p->nlist++] = (struct xfs_build_attr){ as_pointer(a->name), as_pointer(a->value), a->valuelen,
			a->namelen, a->flags };
	return 0;
}

int names_plan_pointer(struct names *n, struct repair_name_plan *p, size_t *room, const struct names_parent *pointer)
{
	struct names_attr a = { .name = pointer->name, .namelen = pointer->namelen, .flags = XFS_ATTR_PARENT,
				.valuelen = sizeof(struct xfs_parent_rec_disk) };
	uint8_t value[sizeof(struct xfs_parent_rec_disk)];
	int error;

	xfs_parent_rec_encode(value, &(struct xfs_parent_rec){ pointer->parent, pointer->gen });
	error = names_keep(n, value, sizeof(value), &a.value);
	return error ? error : names_plan_attr(p, room, &a);
}

static int plan_entry(struct names *n, struct repair_name_plan *p, size_t *room, const struct names_entry *e)
{
	const struct names_dir *d = names_find_dir(n, e->dir);
	struct names_parent pointer = { .parent = e->dir, .gen = d ? d->gen : 0, .name = e->name,
					.namelen = e->namelen };

	return names_plan_pointer(n, p, room, &pointer);
}

/* The attribute fork may need another size: the data fork is then made for what it gets. */
static int free_data_fork(struct names *n, struct repair_inode *c, const struct xfs_dinode *d)
{
	bool mapped = d->core.format == XFS_DINODE_FMT_EXTENTS || d->core.format == XFS_DINODE_FMT_BTREE;
	struct repair_fork f;
	int error;

	if (!c->fork[XFS_FORK_DATA] && repair_rt_is_tree(n->r, d)) {
		c->fork[XFS_FORK_DATA] = true;		/* its records follow from the files */
		return names_give_up(n, c, d, n->image, XFS_FORK_DATA);
	}
	if (c->fork[XFS_FORK_DATA] || !mapped ||
	    (d->core.format == XFS_DINODE_FMT_EXTENTS && !xfs_dinode_nextents(d, XFS_FORK_DATA)))
		return 0;
	error = repair_fork_scan_any(n->r, c->ino, d, n->image, XFS_FORK_DATA, &f, repair_keep_mapping,
				     &c->map[XFS_FORK_DATA]);
	for (size_t i = 0; i < f.nown; i++)
		repair_ag_of(n->r, f.own[i])->reasons |= REPAIR_FORK;
	repair_fork_release(&f);
	c->fork[XFS_FORK_DATA] = true;
	return error;
}

static int list_unsaid(struct planning *p, size_t at, uint64_t ino)
{
	const struct names *n = p->n;
	int error = 0;

	p->known = true;
	p->unsaid.n = 0;
	for (; at < p->nlinked && p->linked[at].ino == ino && !error; at++) {
		const struct names_entry *e = &n->entries[p->linked[at].entry];

		if (!(e->flags & NAMES_POINTED))
			error = names_pairs_add(n, &p->unsaid, e->dir, e->name, e->namelen);
	}
	return error ? error : names_pairs_sort(&p->unsaid);
}

/* *lost: a parent pointer that lost its flag, which says the same as an entry that no other one says. */
static int find_lost_pointer(struct planning *p, size_t first, uint64_t ino, const struct names_attr *a, bool *lost)
{
	int error = !names_may_be_lost(a) || p->known ? 0 : list_unsaid(p, first, ino);

	*lost = !error && names_is_lost(p->n, &p->unsaid, a);
	return error;
}

/* A pointer to a directory that nobody had to gather is right. */
static bool is_believed(struct names *n, const struct names_attr *a)
{
	return a->valuelen == sizeof(struct xfs_parent_rec_disk) && names_is_believed(n, xfs_be64(n->arena + a->value));
}

int names_begin_attrs(struct names *n, uint64_t ino, struct repair_inode **c, struct names_attr **list, size_t *count)
{
	struct xfs_dinode d;
	int error = planned(n, ino, c, &d);

	*list = NULL;
	*count = 0;
	if (!error)
		error = names_give_up(n, *c, &d, n->image, XFS_FORK_ATTR);
	if (!error)
		error = free_data_fork(n, *c, &d);
	if (!error)
		error = names_salvage_attrs(n, ino, &d, n->image, false, list, count);
	if (!error)
		(*c)->names->attrs = (*c)->fork[XFS_FORK_ATTR] = true;
	return error;
}

static int plan_attrs(struct planning *p, uint64_t ino, const struct repair_fact *f)
{
	struct names *n = p->n;
	bool pointers = n->r->geo.parent && !f->kept;
	struct names_attr *list;
	size_t count, room = 0, at = xfs_search(p->nlinked, k, p->linked[k].ino < ino);
	struct repair_inode *c;
	int error = names_begin_attrs(n, ino, &c, &list, &count);

	p->known = false;
	for (size_t i = 0; i < count && !error; i++) {
		bool pointer = list[i].flags & XFS_ATTR_PARENT, lost = false;

		if (pointers && !pointer)
			error = find_lost_pointer(p, at, ino, &list[i], &lost);
		if (!error && !lost && (!pointers || !pointer || is_believed(n, &list[i])))
			error = names_plan_attr(c->names, &room, &list[i]);
	}
	for (; at < p->nlinked && p->linked[at].ino == ino && !error && pointers; at++)
		error = plan_entry(n, c->names, &room, &n->entries[p->linked[at].entry]);
	free(list);
	return error;
}

/* ---- parent pointers against entries ---- */

static void note_pointer(struct names *n, enum xfs_finding_id id, uint64_t ino, uint64_t parent,
		const uint8_t *name, unsigned len)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);

	names_note(n, id, "attributes", ino, true, "ino %" PRIu64 " name \"%.*s\"", parent, (int)xfs_min(len, 60),
			(const char *)name);
	f->bad_attrs = true;
}

static void match_pointer(struct names *n, struct names_parent *p)
{
	uint32_t at = names_find(n, p->parent, n->arena + p->name, p->namelen);
	struct repair_fact *f = repair_fact_of(n->r, p->ino);
	const struct names_dir *d = names_find_dir(n, p->parent);

	if (!f || !f->used || f->kept || repair_is_lost(n->r, p->parent) || names_is_believed(n, p->parent))
		return;
	if (at == NAMES_NONE || n->entries[at].ino != p->ino || n->entries[at].flags & NAMES_POINTED ||
	    n->entries[at].namelen != p->namelen ||
	    memcmp(n->arena + n->entries[at].name, n->arena + p->name, p->namelen)) {
		note_pointer(n, XFS_F_PARENT_SURPLUS, p->ino, p->parent, n->arena + p->name, p->namelen);
		return;
	}
	n->entries[at].flags |= NAMES_POINTED;
	p->used = true;
	if (d && d->gen != p->gen)
		note_pointer(n, XFS_F_PARENT_GENERATION, p->ino, p->parent, n->arena + p->name, p->namelen);
}

static void match_pointers(struct names *n)
{
	for (size_t i = 0; i < n->nparents; i++)
		match_pointer(n, &n->parents[i]);
	for (size_t i = 0; i < n->nentries; i++) {
		struct names_entry *e = &n->entries[i];
		unsigned flags = e->flags & (NAMES_DROPPED | NAMES_POINTED);
		struct repair_fact *f = repair_fact_of(n->r, e->ino);

		if (!f || !f->used || f->kept || repair_is_lost(n->r, e->ino))
			continue;
		if (!flags)
			note_pointer(n, XFS_F_PARENT_MISSING, e->ino, e->dir, n->arena + e->name, e->namelen);
		/* of a directory that was gathered later: the pointers to it were not */
		if (flags == (NAMES_DROPPED | NAMES_POINTED))
			note_pointer(n, XFS_F_PARENT_SURPLUS, e->ino, e->dir, n->arena + e->name, e->namelen);
	}
}

static int gather_linked(struct planning *p)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct linked), .words = 2,
						    .word_off = { offsetof(struct linked, ino),
								  offsetof(struct linked, entry) } };
	struct names *n = p->n;
	size_t count = 0;

	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < n->nentries; i++) {
			const struct names_entry *e = &n->entries[i];
			struct repair_fact *f = e->flags & NAMES_DROPPED ? NULL : repair_fact_of(n->r, e->ino);

			if (!f || !f->bad_attrs)
				continue;
			if (round)
				p->linked[p->nlinked++] = (struct linked){ e->ino, i };
			else
				count++;
		}
		if (!round)
			p->linked = malloc((count + 1) * sizeof(*p->linked));
		if (!p->linked)
			return -XFS_E_NOMEM;
	}
	return xfs_sort(&order, p->linked, p->nlinked);
}

/* ---- cores ---- */

static int set_nlink(struct names *n, uint64_t ino, struct repair_fact *f, uint32_t links)
{
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	if (f->nlink == links)
		return 0;
	names_note(n, XFS_F_LINK_COUNT, "inode", ino, true, "has %u, %u names lead to it", f->nlink, links);
	names_say(n, "resetting inode %llu nlinks from %u to %u", "would have reset inode %llu nlinks from %u to %u",
		  (unsigned long long)ino, f->nlink, links);
	error = names_read_inode(n, ino, n->image, &d);
	if (!error)
		error = repair_changed_inode(n->r, ino, n->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	if (d.core.version == 1)
		d.core.metatype = (uint16_t)links;	/* where the first version counts */
	else
		d.core.nlinkv2 = links;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

static int plan_inode(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	struct names_dir *d = f->ftype == XFS_DIR_FT_DIR ? names_find_dir(n, ino) : NULL;
	int error = 0;

	if (!f->used || repair_is_lost(n->r, ino))
		return 0;
	if (d && d->parent != XFS_NULL64 && (d->bad || d->dirty))
		error = plan_dir(n, d);
	if (!error && f->bad_names && f->ftype == XFS_DIR_FT_LNK)
		error = names_mend_symlink(n, ino);
	if (!error && f->bad_attrs)
		error = plan_attrs(payload, ino, f);
	/* of a directory that was not gathered no subdirectory came or went */
	if (!error && !f->kept && (d || (f->ftype != XFS_DIR_FT_DIR && !repair_is_internal(n->r, ino))))
		error = set_nlink(n, ino, f, d ? 2 + d->subdirs : f->links);
	return error;
}

/* Does the entry lead to a directory that counts as one below its own? If its core is lost its name tells the type. */
static bool is_subdir(struct names *n, const struct names_entry *e)
{
	const struct repair_fact *f = repair_fact_of(n->r, e->ino);

	if (e->flags & NAMES_DROPPED || e->ino == e->dir)
		return false;
	if (repair_is_lost(n->r, e->ino))
		return e->ftype == XFS_DIR_FT_DIR;
	return f && f->used && f->ftype == XFS_DIR_FT_DIR && names_parent_of(n, e->ino) == e->dir;
}

/* Directories know their parents; each counts in its parent. */
static void settle_parents(struct names *n)
{
	for (size_t i = 0; i < n->ndirs; i++) {
		struct names_dir *d = &n->dirs[i];

		if (d->parent == XFS_NULL64 || d->said == d->parent)
			continue;
		if (d->said != XFS_NULL64 && !d->dirty)
			names_note(n, XFS_F_DIR_PARENT, "directory", d->ino, true,
				   "\"..\" is inode %" PRIu64 ", named by inode %" PRIu64, d->said, d->parent);
		d->dirty = true;
	}
	for (size_t i = 0; i < n->nentries; i++) {
		struct names_dir *above = is_subdir(n, &n->entries[i]) ? names_find_dir(n, n->entries[i].dir) : NULL;

		if (above)
			above->subdirs++;
	}
}

int names_plan(struct names *n)
{
	struct planning p = { .n = n };
	bool pointers = n->r->geo.parent;
	int error;

	settle_parents(n);
	if (pointers)
		match_pointers(n);
	names_table_clear(n);		/* entries move now */
	error = names_sort_entries(n);
	if (!error && pointers)
		error = gather_linked(&p);
	if (!error)
		error = names_each_fact(n, plan_inode, &p);
	if (!error)
		names_settle_plans(n);
	free(p.linked);
	free(p.unsaid.list);
	return error;
}
