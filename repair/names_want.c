/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_want.c - which names are gathered: those around what is wrong.
 *
 * Of a directory that is not gathered three things are known: nothing in it is odd, each of its entries is counted in
 * the facts, and its parent is the one that they say.  A decision that would change one of these wants the directory
 * first.
 */
#include "repair/names.h"

#include "repair/options.h"

#include <stdlib.h>

int names_each_fact(struct names *n, int (*job)(struct names *, uint64_t ino, struct repair_fact *, void *payload),
		    void *payload)
{
	struct repair *r = n->r;
	int error = 0;

	for (uint32_t agno = 0; agno < r->geo.agcount && !error; agno++) {
		struct repair_ag *ag = &r->ags[agno];

		for (size_t i = 0; ag->facts && i < ag->nchunks * XFS_INODES_PER_CHUNK && !error; i++) {
			uint32_t agino = ag->chunks[i / XFS_INODES_PER_CHUNK].startino +
					 (uint32_t)(i % XFS_INODES_PER_CHUNK);

			error = job(n, xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(agino)).v, &ag->facts[i], payload);
		}
	}
	return error;
}

/* ---- what is gathered ---- */

static void touch_beside(struct names *n, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);

	if (f && !f->touched)
		f->touched = REPAIR_BESIDE;
}

static bool bucket_differs(const struct names *n, uint64_t dir)
{
	const uint64_t *sums = n->r->link_buckets ? n->r->link_buckets[repair_link_bucket(n->r, dir)] : NULL;

	return sums && sums[0] != sums[1];
}

/* Pointers of a damaged fork were counted by nobody: the directories that they lead to say whether they are right. */
static int ask_parents(struct names *n, uint64_t ino)
{
	struct names_attr *list = NULL;
	struct xfs_dinode d;
	size_t count = 0, used = n->used;
	int error = names_read_inode(n, ino, n->image, &d);

	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	error = names_salvage_attrs(n, ino, &d, n->image, true, &list, &count);
	for (size_t i = 0; i < count && !error; i++)
		if (list[i].flags & XFS_ATTR_PARENT && list[i].valuelen == sizeof(struct xfs_parent_rec_disk))
			touch_beside(n, xfs_be64(n->arena + list[i].value));
	free(list);
	n->used = used;
	return error;
}

static int choose(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	bool all = n->r->add & REPAIR_ADD_PARENT;

	(void)payload;
	if (f->bad_attrs && f->used && n->r->geo.parent && !all) {
		int error = ask_parents(n, ino);

		if (error)
			return error;
	}
	if (f->bad_names || f->bad_attrs || all || (f->ftype == XFS_DIR_FT_DIR && bucket_differs(n, ino)))
		f->touched = REPAIR_TOUCHED;
	if (f->touched == REPAIR_TOUCHED && f->ftype == XFS_DIR_FT_DIR) {
		touch_beside(n, f->parent);
		touch_beside(n, f->parent_seen);
	}
	return 0;
}

/* What was counted when damaged directories were read in part is counted anew. */
static int forget(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	(void)n;
	(void)ino;
	(void)payload;
	f->links = 0;
	f->has_parent = false;
	f->parent_seen = 0;
	return 0;
}

int names_choose(struct names *n)
{
	int error = names_each_fact(n, choose, NULL);

	return error ? error : names_each_fact(n, forget, NULL);
}

bool names_is_chosen(struct names *n, uint64_t dir)
{
	const struct repair_fact *f = repair_fact_of(n->r, dir);

	return !f || !f->used || f->ftype != XFS_DIR_FT_DIR || f->touched || bucket_differs(n, dir);
}

/* ---- what is gathered later ---- */

bool names_is_believed(struct names *n, uint64_t parent)
{
	return !names_is_chosen(n, parent) && !names_find_dir(n, parent);
}

int names_want(struct names *n, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);
	size_t before = n->nentries;
	struct names_dir d;
	struct xfs_dinode core;
	int error;

	if (!f || !f->used || f->ftype != XFS_DIR_FT_DIR || repair_is_lost(n->r, ino) || names_find_dir(n, ino))
		return 0;
	error = names_read_inode(n, ino, n->image, &core);
	if (!error)
		error = xfs_inode_parse(n->r->fs, XFS_INO(ino), n->image, n->ip);
	if (error == -XFS_E_BADCRC)
		error = 0;
	if (!error)
		error = names_read_dir(n, ino, &core, &d);
	if (!error) {
		d.meta = f->meta;
		d.parent = names_is_root(n, ino) ? ino : f->has_parent ? f->parent_seen : XFS_NULL64;
	}
	if (!error)
		error = names_add_dir(n, &d);
	/* they count already, and their pointers were found to agree */
	for (size_t i = before; i < n->nentries && !error; i++) {
		n->entries[i].flags |= n->r->geo.parent ? NAMES_POINTED : 0;
		error = names_table_add(n, (uint32_t)i);
	}
	return error;
}

static int want_doubted(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	int error;

	(void)payload;
	if (!f->used || f->ftype != XFS_DIR_FT_DIR || f->links == 1 || names_is_root(n, ino))
		return 0;
	error = names_want(n, ino);
	return error || !f->has_parent ? error : names_want(n, f->parent_seen);
}

int names_want_doubted(struct names *n)
{
	return names_each_fact(n, want_doubted, NULL);
}

uint64_t names_parent_of(struct names *n, uint64_t ino)
{
	const struct names_dir *d = names_find_dir(n, ino);
	const struct repair_fact *f = d ? NULL : repair_fact_of(n->r, ino);

	return d ? d->parent : f && f->has_parent ? f->parent_seen : XFS_NULL64;
}
