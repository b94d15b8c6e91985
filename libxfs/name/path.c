/* SPDX-License-Identifier: BSD-2-Clause */
/* path.c - paths to inodes, and inodes to paths. */
#include "libxfs/name/path.h"

#include "libxfs/inode/scan.h"

#include <stdlib.h>

/* One step. */
static int step(struct xfs_fs *fs, xfs_ino_t *at, const char *name, size_t len)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_dir d;
	int err;

	if (!ip)
		return -XFS_E_NOMEM;
	err = xfs_inode_read(fs, *at, 0, ip);
	if (!err)
		err = xfs_dir_open(&d, ip, NULL);
	if (!err) {
		err = xfs_dir_lookup(&d, name, len, at, NULL, NULL);
		if (err && err != -XFS_E_NOENT && err != -XFS_E_NOMEM && err != -XFS_E_NAMETOOLONG)
			err = xfs_dir_find(&d, name, len, at, NULL, NULL);
	}
	free(ip);
	return err;
}

int xfs_path_lookup(struct xfs_fs *fs, xfs_ino_t from, const char *path, xfs_ino_t *out)
{
	*out = from;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len) {
			int err = step(fs, out, path, len);

			if (err)
				return err;
		}
		path += len;
		path += strspn(path, "/");
	}
	return 0;
}

/* ---- where an inode is linked ---- */

struct wanted {
	struct xfs_fs *fs;
	xfs_ino_t ino, dir;
	char *name;
	struct xfs_inode *scratch;
};

static int is_wanted(void *payload, const struct xfs_dir_entry *e)
{
	struct wanted *w = payload;

	if (e->ino.v != w->ino.v || (e->namelen <= 2 && e->name[0] == '.' && (e->namelen == 1 || e->name[1] == '.')))
		return 0;
	memcpy(w->name, e->name, e->namelen);
	w->name[e->namelen] = 0;
	return -XFS_E_STOP;
}

/* 0: the directory in scratch has an entry for the inode. */
static int search_dir(struct wanted *w)
{
	struct xfs_dir d;
	int err = xfs_dir_open(&d, w->scratch, NULL);

	if (!err)
		err = xfs_dir_each(&d, 0, is_wanted, w);
	if (err == -XFS_E_STOP) {
		w->dir = w->scratch->ino;
		return 0;
	}
	return err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
}

static int search_dir_at(struct wanted *w, xfs_ino_t dir)
{
	int err = xfs_inode_read(w->fs, dir, 0, w->scratch);

	if (err)
		return err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
	return search_dir(w);
}

static int try_parent(void *payload, const struct xfs_parent *p)
{
	struct wanted *w = payload;
	int err = search_dir_at(w, p->ino);

	return err == -XFS_E_NOENT ? 0 : err ? err : -XFS_E_STOP;
}

static int try_scanned(void *payload, const struct xfs_inode_seen *s)
{
	struct wanted *w = payload;
	int err;

	if (!s->raw || xfs_inode_parse(w->fs, s->ino, s->raw, w->scratch) || !xfs_inode_is_dir(w->scratch))
		return 0;
	err = search_dir(w);
	return err == -XFS_E_NOENT ? 0 : err ? err : -XFS_E_STOP;
}

/* The cheap ways: what the inode itself says. */
static int ask_inode(struct wanted *w)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int err;

	if (!ip)
		return -XFS_E_NOMEM;
	err = xfs_inode_read(w->fs, w->ino, 0, ip);
	if (err) {
		free(ip);
		return err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
	}
	err = -XFS_E_NOENT;
	if (xfs_inode_is_dir(ip)) {
		xfs_ino_t up;
		struct xfs_dir d;

		if (!xfs_dir_open(&d, ip, NULL) && !xfs_dir_parent(&d, &up))
			err = search_dir_at(w, up);
	}
	if (err == -XFS_E_NOENT && w->fs->geo.parent) {
		struct xfs_attrs a;

		if (!xfs_attrs_open(&a, ip, NULL)) {
			err = xfs_parents_each(&a, try_parent, w);
			err = err == -XFS_E_STOP ? 0 : err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
		}
	}
	free(ip);
	return err;
}

int xfs_find_link(struct xfs_fs *fs, xfs_ino_t ino, xfs_ino_t *dir, char *name)
{
	struct wanted w = { .fs = fs, .ino = ino, .name = name };
	int err;

	w.scratch = malloc(sizeof(*w.scratch));
	if (!w.scratch)
		return -XFS_E_NOMEM;
	err = ask_inode(&w);
	for (uint32_t ag = 0; err == -XFS_E_NOENT && ag < fs->geo.agcount; ag++) {
		err = xfs_inodes_each(fs, XFS_AGNO(ag), 0, try_scanned, &w, NULL);
		err = err == -XFS_E_STOP ? 0 : err == -XFS_E_NOMEM ? err : -XFS_E_NOENT;
	}
	free(w.scratch);
	*dir = w.dir;
	return err;
}

int xfs_path_of(struct xfs_fs *fs, xfs_ino_t ino, char *path, size_t room)
{
	struct xfs_da_watch watch = { 0 };
	size_t at = room;
	char name[XFS_DIR_NAME_MAX + 1];

	if (room < 2)
		return -XFS_E_RANGE;
	path[--at] = 0;
	for (;;) {
		enum xfs_inode_role role = xfs_inode_role(fs, ino);
		size_t len;
		int err;

		if (role == XFS_INODE_ROOT || role == XFS_INODE_METADIR)
			break;
		err = xfs_da_watch(&watch, ino.v);
		if (!err)
			err = xfs_find_link(fs, ino, &ino, name);
		if (err)
			return err;
		len = strlen(name);
		if (at < len + 1)
			return -XFS_E_RANGE;
		at -= len + 1;
		path[at] = '/';
		memcpy(path + at + 1, name, len);
	}
	if (at == room - 1)
		path[--at] = '/';
	memmove(path, path + at, room - at);
	return 0;
}
