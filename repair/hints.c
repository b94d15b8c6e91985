/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hints.c - what directories say of inodes whose core says nothing: their names' types, how many there are, and which
 * directories call them their parent.
 *
 * All directories are read for it, in disk order; it is done only when there are such inodes.
 */
#include "repair/evidence.h"

#include "libxfs/base/search.h"
#include "libxfs/name/dir.h"

#include <stdlib.h>

struct asking {
	struct repair *r;
	struct repair_hints *hints;
	struct xfs_inode *ip;
	uint64_t dir;
	bool meta;			/* of the metadata directory tree */
	int error;
};

static struct repair_hint *find(const struct repair_hints *s, uint64_t ino)
{
	size_t lo = xfs_search(s->n, i, s->h[i].ino < ino);

	return lo < s->n && s->h[lo].ino == ino ? &s->h[lo] : NULL;
}

const struct repair_hint *repair_hint_of(const struct repair_hints *s, uint64_t ino)
{
	static const struct repair_hint nothing;
	const struct repair_hint *h = find(s, ino);

	return h ? h : &nothing;
}

static bool is_dots(const struct xfs_dir_entry *e, unsigned dots)
{
	return e->namelen == dots && e->name[0] == '.' && e->name[dots - 1] == '.';
}

static int entry(void *payload, const struct xfs_dir_entry *e)
{
	struct asking *a = payload;
	struct repair_hint *h = find(a->hints, e->ino.v);

	if (!h || is_dots(e, 1))
		return 0;
	if (is_dots(e, 2)) {
		h->subdirs += e->ino.v != a->dir;
		return 0;
	}
	if (!h->names++)
		h->parent = a->dir;
	if (!h->ftype)
		h->ftype = (uint8_t)e->ftype;
	h->meta |= a->meta;
	if (a->meta && !h->file.metatype)
		repair_metafile_by_name(a->r, e->name, e->namelen, &h->file);
	return 0;
}

static int ask(void *payload, struct repair_seen *s)
{
	struct asking *a = payload;
	struct xfs_dir d;
	int error;

	if (s->free || !s->identified || s->unknown || (s->d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR)
		return 0;
	xfs_inode_parse(a->r->fs, XFS_INO(s->ino), s->image, a->ip);
	a->dir = s->ino;
	a->meta = a->r->geo.metadir && xfs_dinode_is_metadata(&s->d);
	/* what is damaged is told with the names */
	error = xfs_dir_open(&d, a->ip, NULL);
	if (!error)
		error = xfs_dir_each(&d, 0, entry, a);
	return error == -XFS_E_NOMEM ? error : 0;
}

static int ask_ag(void *payload, size_t agno)
{
	struct asking *a = payload;

	return repair_scan_ag_inodes(a->r, &a->r->ags[agno], ask, a);
}

int repair_gather_hints(struct repair *r, struct repair_hints *hints)
{
	struct asking a = { .r = r, .hints = hints };
	int error;

	hints->h = calloc(r->nlost, sizeof(*hints->h));
	a.ip = malloc(sizeof(*a.ip));
	if (!hints->h || !a.ip) {
		free(a.ip);
		return -XFS_E_NOMEM;
	}
	hints->n = r->nlost;
	for (size_t i = 0; i < r->nlost; i++)
		hints->h[i].ino = r->lost[i];
	error = repair_each_ag(r, ask_ag, &a);
	free(a.ip);
	return error;
}
