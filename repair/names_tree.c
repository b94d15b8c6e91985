/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_tree.c - the tree of directories: each has one entry that leads to it, its ".." agrees, and all hang on a root.
 *
 * Of several entries the one counts that ".." and parent pointers confirm.  A ring is cut at one place; what hangs on
 * it stays together.
 */
#include "repair/names.h"

#include <inttypes.h>
#include <string.h>

bool names_is_root(const struct names *n, uint64_t ino)
{
	return ino == n->r->primary.rootino || (n->r->geo.metadir && ino == n->r->primary.metadirino);
}

/* What speaks for this being the entry of the directory d. */
static unsigned weight(struct names *n, const struct names_dir *d, const struct names_entry *e)
{
	return (d->said == e->dir ? 8 : 0) + (names_is_pointed(n, e) ? 4 : 0) + (e->flags & NAMES_FRESH ? 0 : 2) +
	       (e->flags & NAMES_CONFIRMED ? 1 : 0);
}

static void second_entry(struct names *n, uint32_t loser, const struct names_dir *d)
{
	const struct names_entry *e = &n->entries[loser];
	struct repair_fact *f = repair_fact_of(n->r, d->ino);

	names_note(n, XFS_F_DIR_PARENT, "directory", d->ino, true,
		   "named by two directories, the second is inode %" PRIu64, e->dir);
	names_say(n, "entry \"%.*s\" in dir %llu points to an already connected directory inode %llu, clearing it",
		  "entry \"%.*s\" in dir %llu points to an already connected directory inode %llu, would clear it",
		  (int)e->namelen, (const char *)n->arena + e->name, (unsigned long long)e->dir,
		  (unsigned long long)d->ino);
	names_drop(n, loser);
	f->links--;
}

/* A directory that was not gathered has one name, and it is this one. */
static void note_parent(struct names *n, const struct names_entry *e)
{
	struct repair_fact *f = e->flags & NAMES_DROPPED ? NULL : repair_fact_of(n->r, e->ino);

	if (!f || !f->used || f->ftype != XFS_DIR_FT_DIR)
		return;
	f->has_parent = true;
	f->parent_seen = e->dir;
}

static void choose_parents(struct names *n)
{
	for (uint32_t i = 0; i < n->nentries; i++) {
		struct names_entry *e = &n->entries[i];
		struct names_dir *d = e->flags & NAMES_DROPPED ? NULL : names_find_dir(n, e->ino);

		if (!d) {
			note_parent(n, e);
			continue;
		}
		if (d->entry == NAMES_NONE) {
			d->entry = i;
		} else if (weight(n, d, e) > weight(n, d, &n->entries[d->entry])) {
			second_entry(n, d->entry, d);
			d->entry = i;
		} else {
			second_entry(n, i, d);
		}
	}
	for (size_t i = 0; i < n->ndirs; i++) {
		struct names_dir *d = &n->dirs[i];
		const struct repair_fact *f = repair_fact_of(n->r, d->ino);

		/* named by a directory that was not gathered, or by none */
		d->parent = names_is_root(n, d->ino) ? d->ino : d->entry != NAMES_NONE ? n->entries[d->entry].dir :
			    f->has_parent ? f->parent_seen : XFS_NULL64;
	}
}

bool names_is_cut_off(const struct names *n, const struct names_entry *e)
{
	static const char name[] = "lost+found";
	const struct repair_fact *f = repair_fact_of(n->r, e->ino);

	return e->dir == n->r->primary.rootino && e->namelen == sizeof(name) - 1 &&
	       !memcmp(n->arena + e->name, name, sizeof(name) - 1) && f && !f->used;
}

/*
 * A directory that lost its only name, and whose ".." says where it was: when there one entry for a directory led
 * astray, and nobody else misses one, that entry was its.
 */
static int match_leftovers(struct names *n)
{
	int error = 0;

	for (size_t i = 0; i < n->ndirs; i++) {
		struct names_dir *d = &n->dirs[i], *above = d->parent == XFS_NULL64 ? names_find_dir(n, d->said) : NULL;

		if (above && above != d)
			above->missed = above->nmissed++ ? 0 : d->ino;
	}
	for (uint32_t i = 0; i < n->nentries; i++) {
		const struct names_entry *e = &n->entries[i];
		struct names_dir *d = e->flags & NAMES_DROPPED && e->ftype == XFS_DIR_FT_DIR ?
				      names_find_dir(n, e->dir) : NULL;

		if (d && !names_is_cut_off(n, e))
			d->spare = d->nspares++ ? NAMES_NONE : i;
	}
	for (size_t i = 0; i < n->ndirs && !error; i++) {
		struct names_dir *d = &n->dirs[i];
		struct names_dir *child = d->nmissed == 1 && d->nspares == 1 ? names_find_dir(n, d->missed) : NULL;
		const struct names_entry *e = child ? &n->entries[d->spare] : NULL;

		if (!e || names_find(n, d->ino, n->arena + e->name, e->namelen) != NAMES_NONE)
			continue;
		names_note(n, XFS_F_DIR_TARGET_BIT, "directory", d->ino, true,
			   "entry \"%.*s\": the directory that misses a name is inode %" PRIu64,
			   e->namelen < 60 ? e->namelen : 60, (const char *)n->arena + e->name, child->ino);
		error = names_insert(n, d->ino, child->ino, n->arena + e->name, e->namelen, &child->entry);
		child->parent = d->ino;
		repair_fact_of(n->r, child->ino)->links++;
	}
	return error;
}

static uint64_t above(void *payload, uint64_t ino)
{
	struct names *n = payload;

	return names_is_root(n, ino) ? XFS_NULL64 : names_parent_of(n, ino);
}

/*
 * Of a ring: the place to cut it is where ".." disagrees, else the lowest number.  What was not gathered is not cut:
 * nothing is wrong with it.
 */
static struct names_dir *place_to_cut(struct names *n, uint64_t ring)
{
	struct names_dir *best = NULL;
	uint64_t ino = ring;

	do {
		struct names_dir *at = names_find_dir(n, ino);
		bool odd = at && at->said != at->parent, best_odd = best && best->said != best->parent;

		if (at && at->entry != NAMES_NONE &&
		    (!best || odd > best_odd || (odd == best_odd && at->ino < best->ino)))
			best = at;
		ino = above(n, ino);
	} while (ino != ring);
	return best;
}

static void cut(struct names *n, struct names_dir *d)
{
	struct repair_fact *f = repair_fact_of(n->r, d->ino);

	names_note(n, XFS_F_DIR_RING, "directory", d->ino, true, "it lies below itself, named by inode %" PRIu64,
		   d->parent);
	names_drop(n, d->entry);	/* d->entry stays: its name is the one that the directory had */
	d->parent = XFS_NULL64;
	f->links--;
}

static int forget_climb(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	(void)n;
	(void)ino;
	(void)payload;
	f->climb = REPAIR_UNCLIMBED;
	return 0;
}

static void cut_rings(struct names *n)
{
	names_each_fact(n, forget_climb, NULL);
	for (size_t i = 0; i < n->ndirs; i++) {
		uint64_t ring = repair_climb(n->r, n->dirs[i].ino, above, n);
		struct names_dir *at = ring == XFS_NULL64 ? NULL : place_to_cut(n, ring);

		if (at)
			cut(n, at);
	}
}

int names_decide_tree(struct names *n)
{
	int error;

	choose_parents(n);
	error = match_leftovers(n);
	if (!error)
		cut_rings(n);
	return error;
}
