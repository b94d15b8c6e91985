/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_restore.c - entries that only parent pointers hold, and entries whose inode number a parent pointer corrects.
 *
 * A parent pointer alone makes an entry when its inode lacks a name, or when the directory is damaged anyway; where
 * both are whole, the directory decides, and the pointer is removed.
 */
#include "repair/names.h"

#include <inttypes.h>

/* May this inode be in that directory at all? */
static bool may_hold(struct names *n, const struct names_parent *p, const struct repair_fact *f)
{
	struct names_dir *d = names_find_dir(n, p->parent);

	return d && f && f->used && f->meta == d->meta && p->ino != p->parent && p->ino != n->r->primary.rootino &&
	       !repair_is_internal(n->r, p->ino);
}

/* An entry of that name leads elsewhere: one whose inode has no pointer that agrees, or that is astray, is wrong. */
static bool correct(struct names *n, uint32_t at, const struct names_parent *p, struct repair_fact *f)
{
	struct names_entry *e = &n->entries[at];
	struct repair_fact *old = repair_fact_of(n->r, e->ino);

	if (!(e->flags & NAMES_ASTRAY) && (names_is_pointed(n, e) || f->links))
		return false;
	names_note(n, XFS_F_DIR_TARGET_BIT, "directory", e->dir, true,
		   "entry \"%.*s\" leads to inode %" PRIu64 ", its parent pointer names %" PRIu64,
		   e->namelen < 60 ? e->namelen : 60, (const char *)n->arena + e->name, e->ino, p->ino);
	if (old && !(e->flags & NAMES_ASTRAY))
		old->links--;
	f->links++;
	e->ino = p->ino;
	e->ftype = f->ftype;
	e->flags = (uint8_t)((e->flags & ~NAMES_ASTRAY) | NAMES_FRESH);
	names_touch(n, e->dir);
	return true;
}

static int restore(struct names *n, const struct names_parent *p)
{
	struct repair_fact *f = repair_fact_of(n->r, p->ino);
	uint32_t at;
	bool lacks;
	int error;

	if (!may_hold(n, p, f))
		return 0;
	at = names_find(n, p->parent, n->arena + p->name, p->namelen);
	if (at != NAMES_NONE && n->entries[at].ino == p->ino)
		return 0;
	if (at != NAMES_NONE && correct(n, at, p, f))
		return 0;
	lacks = !f->links || (f->ftype != XFS_DIR_FT_DIR && (f->links < f->nlink || names_find_dir(n, p->parent)->bad));
	if (!lacks)
		return 0;
	names_note(n, XFS_F_DIR_RESTORED, "directory", p->parent, true, "entry \"%.*s\" for inode %" PRIu64,
			p->namelen < 60 ? p->namelen : 60,
		   (const char *)n->arena + p->name, p->ino);
	error = at == NAMES_NONE ? names_insert(n, p->parent, p->ino, n->arena + p->name, p->namelen, &at)
				 : names_link(n, p->parent, p->ino, n->arena + p->name, p->namelen);
	if (!error)
		f->links++;
	return error;
}

int names_restore(struct names *n)
{
	int error = 0;

	for (size_t i = 0; i < n->nparents && !error; i++)
		error = restore(n, &n->parents[i]);
	return error;
}
