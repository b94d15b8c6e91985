/* SPDX-License-Identifier: BSD-2-Clause */
/* owner_links.c - where inodes are linked: by parent pointers, or by one pass over all directories. */
#include "db/owner.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/inode/scan.h"
#include "libxfs/name/path.h"

#include <stdlib.h>

struct finder {
	struct db *db;
	const uint64_t *inos;
	size_t n;
	struct db_links *links;
	struct xfs_inode *ip;		/* being read */
	uint64_t dir, ino;		/* directory, or child whose parents are asked for */
};

static int reserve(struct db_links *l, size_t len)
{
	if (xfs_grow(&l->list, l->n, &l->room, 16))
		return -XFS_E_NOMEM;
	return xfs_grow_to(&l->names, &l->names_room, l->names_len + len, 1);
}

static int add_link(struct db_links *l, uint64_t ino, uint64_t dir, const uint8_t *name, unsigned len)
{
	int err = reserve(l, (size_t)len + 1);

	if (err)
		return err;
	l->list[l->n++] = (struct db_link){ ino, dir, l->names_len };
	memcpy(l->names + l->names_len, name, len);
	l->names[l->names_len + len] = 0;
	l->names_len += (size_t)len + 1;
	return 0;
}

static int compare_links(const void *a, const void *b)
{
	const struct db_link *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* ---- all directories ---- */

static bool is_wanted(const struct finder *f, uint64_t ino)
{
	size_t at = xfs_search(f->n, i, f->inos[i] < ino);

	return at < f->n && f->inos[at] == ino;
}

static int see_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct finder *f = payload;
	bool dot = e->name[0] == '.' && (e->namelen == 1 || (e->namelen == 2 && e->name[1] == '.'));

	return dot || !is_wanted(f, e->ino.v) ? 0 : add_link(f->links, e->ino.v, f->dir, e->name, e->namelen);
}

static int see_inode(void *payload, const struct xfs_inode_seen *seen)
{
	struct finder *f = payload;
	struct xfs_dir dir;

	if (!seen->raw)
		return 0;
	xfs_inode_parse(f->db->fs, seen->ino, seen->raw, f->ip);
	if (!xfs_inode_is_dir(f->ip) || xfs_dir_open(&dir, f->ip, NULL))
		return 0;
	f->dir = seen->ino.v;
	return xfs_dir_each(&dir, 0, see_entry, f) == -XFS_E_NOMEM ? -XFS_E_NOMEM : 0;
}

static int read_directories(struct finder *f)
{
	int err = 0;

	for (uint32_t agno = 0; agno < f->db->fs->geo.agcount && err != -XFS_E_NOMEM; agno++) {
		int one = xfs_inodes_each(f->db->fs, XFS_AGNO(agno), 0, see_inode, f, NULL);

		err = err && one != -XFS_E_NOMEM ? err : one;
	}
	return err;
}

/* ---- parent pointers ---- */

static int see_parent(void *payload, const struct xfs_parent *p)
{
	struct finder *f = payload;

	return add_link(f->links, f->ino, p->ino.v, p->name, p->namelen);
}

static int read_parents(struct finder *f)
{
	struct xfs_attrs attrs;
	int err = 0, one;

	for (size_t i = 0; i < f->n; i++) {
		f->ino = f->inos[i];
		one = xfs_inode_read(f->db->fs, XFS_INO(f->ino), XFS_INODE_NOCHECK, f->ip);
		if (!one)
			one = xfs_attrs_open(&attrs, f->ip, NULL);
		if (!one)
			one = xfs_parents_each(&attrs, see_parent, f);
		err = err ? err : one;
	}
	return err;
}

int db_links_find(struct db *db, const uint64_t *inos, size_t n, struct db_links *links)
{
	struct finder f = { .db = db, .inos = inos, .n = n, .links = links };
	int err;

	f.ip = malloc(sizeof(*f.ip));
	if (!f.ip)
		return -XFS_E_NOMEM;
	err = db->fs->geo.parent ? read_parents(&f) : read_directories(&f);
	if (links->n)
		qsort(links->list, links->n, sizeof(*links->list), compare_links);
	free(f.ip);
	return err;
}

void db_links_free(struct db_links *l)
{
	free(l->list);
	free(l->names);
}
