/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - files come and go, and their names. */
#include "libxfs/transaction/names_priv.h"

#include "libxfs/transaction/private.h"

#include "libxfs/inode/alloc.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/dirchange.h"
#include "libxfs/transaction/file.h"

#define MODE_SETGID 02000u

/* ---- chains ---- */

int xfs_name_begin(struct xfs_name_chain *c, struct xfs_edit *e)
{
	memset(c, 0, sizeof(*c));
	c->edit = e;
	c->live = xfs_edit_live(e);
	return xfs_trans_begin(&c->t, e, 0);
}

int xfs_name_hold(struct xfs_name_chain *c, uint64_t ino, struct xfs_live_inode **out)
{
	struct xfs_live_inode *li;
	int err;

	if (c->n == XFS_NAMES_MOST)
		return -XFS_E_INTERNAL;
	err = xfs_live_inode_get(c->live, ino, &li);
	if (err)
		return err;
	c->held[c->n++] = li;
	*out = li;
	return li->i.d.core.mode ? xfs_live_inode_join(li, &c->t.change) : -XFS_E_NOENT;
}

int xfs_name_hold_dir(struct xfs_name_chain *c, uint64_t ino, const void *name, size_t len, struct xfs_name_at *out)
{
	int err = xfs_name_hold(c, ino, &out->dir);

	out->name = name;
	out->len = len;
	if (err)
		return err;
	if (!xfs_inode_is_dir(&out->dir->i))
		return -XFS_E_NOTDIR;
	if (len > XFS_DIR_NAME_MAX)
		return -XFS_E_NAMETOOLONG;
	if (!len || (len <= 2 && !memcmp(name, "..", len)) || xfs_dinode_is_metadata(&out->dir->i.d))
		return -XFS_E_INVALID;
	return xfs_dinode_nlink(&out->dir->i.d) ? 0 : -XFS_E_NOENT;	/* it was removed, and somebody holds it */
}

int xfs_name_find(const struct xfs_name_at *at, uint64_t *ino)
{
	struct xfs_dir d;
	xfs_ino_t found;
	int err = xfs_dir_open(&d, &at->dir->i, &at->dir->live->fs->sink);

	if (!err)
		err = xfs_dir_lookup(&d, at->name, at->len, &found, NULL, NULL);
	if (!err)
		*ino = found.v;
	return err;
}

int xfs_name_end(struct xfs_name_chain *c, int err)
{
	if (err)
		xfs_trans_abort(&c->t);
	else
		err = xfs_trans_commit(&c->t);
	while (c->n) {
		struct xfs_live_inode *li = c->held[--c->n];
		bool last = li->refs == 1 && li->i.d.core.mode && !xfs_dinode_nlink(&li->i.d);

		if (!err && last && !c->keep)
			err = xfs_edit_bury(c->edit, li);
		xfs_live_inode_put(li);
	}
	return err;
}

/* ---- new inodes ---- */

static void inherit(const struct xfs_live_inode *dir, struct xfs_inode_want *w)
{
	const struct xfs_dinode_core *d = &dir->i.d.core;
	bool is_dir = (w->mode & XFS_MODE_FMT) == XFS_MODE_DIR, is_file = (w->mode & XFS_MODE_FMT) == XFS_MODE_REG;

	if (d->mode & MODE_SETGID) {
		w->gid = d->gid;
		if (is_dir)
			w->mode |= MODE_SETGID;
	}
	if (d->flags & XFS_DIFLAG_PROJINHERIT) {
		w->projid = xfs_dinode_projid(&dir->i.d);
		if (is_dir)
			w->flags |= XFS_DIFLAG_PROJINHERIT;
	}
	if (is_dir)
		w->flags |= d->flags & (XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_NOSYMLINKS);
	if (d->flags & XFS_DIFLAG_EXTSZINHERIT && (is_dir || is_file)) {
		w->flags |= is_dir ? XFS_DIFLAG_EXTSZINHERIT : XFS_DIFLAG_EXTSIZE;
		w->extsize = d->extsize;
	}
	if (dir->i.d.v3.flags2 & XFS_DIFLAG2_COWEXTSIZE && (is_dir || is_file))
		w->cowextsize = dir->i.d.v3.cowextsize;
}

int xfs_name_make(struct xfs_name_chain *c, struct xfs_live_inode *dir, const struct xfs_new_file *f, bool linked,
		  struct xfs_live_inode **out)
{
	bool is_dir = (f->mode & XFS_MODE_FMT) == XFS_MODE_DIR, is_link = (f->mode & XFS_MODE_FMT) == XFS_MODE_LNK;
	struct xfs_inode_want w = {
		.near = dir->i.ino.v, .mode = f->mode, .uid = f->uid, .gid = f->gid, .rdev = f->rdev,
		.nlink = linked ? 1 + (uint32_t)is_dir : 0,
	};
	struct xfs_live_inode *li;
	int err;

	if (is_link != (f->target != NULL) || c->n == XFS_NAMES_MOST)
		return -XFS_E_INVALID;
	inherit(dir, &w);
	err = xfs_inode_alloc(c->live, &c->t.change, &w, &li);
	if (err)
		return err;
	c->held[c->n++] = li;
	*out = li;
	if (li->i.fs->geo.parent && linked)	/* it gets a parent pointer */
		err = xfs_attr_begin(li);
	if (!err && is_dir)
		err = xfs_dir_init(li, dir->i.ino.v);
	if (!err && is_link)
		err = xfs_symlink_set(li, f->target, f->targetlen);
	return err;
}

/* ---- calls ---- */

int xfs_name_create(struct xfs_edit *e, uint64_t dir, const void *name, size_t len, const struct xfs_new_file *f,
		    uint64_t *ino)
{
	struct xfs_live_inode *li;
	struct xfs_name_chain c;
	struct xfs_name_at at;
	uint64_t other;
	int err = xfs_name_begin(&c, e);

	if (err)
		return err;
	err = xfs_name_hold_dir(&c, dir, name, len, &at);
	if (!err) {
		err = xfs_name_find(&at, &other);
		err = err == -XFS_E_NOENT ? 0 : err ? err : -XFS_E_EXISTS;
	}
	if (!err)
		err = xfs_name_make(&c, at.dir, f, true, &li);
	if (!err)
		err = xfs_name_enter(&at, li);
	if (!err)
		*ino = li->i.ino.v;
	return xfs_name_end(&c, err);
}

int xfs_name_tmpfile(struct xfs_edit *e, uint64_t dir, const struct xfs_new_file *f, uint64_t *ino)
{
	struct xfs_live_inode *at, *li;
	struct xfs_name_chain c;
	int err = xfs_name_begin(&c, e);

	if (err)
		return err;
	err = xfs_name_hold(&c, dir, &at);
	if (!err && !xfs_inode_is_dir(&at->i))
		err = -XFS_E_NOTDIR;
	if (!err && (f->mode & XFS_MODE_FMT) == XFS_MODE_DIR)
		err = -XFS_E_INVALID;
	if (!err)
		err = xfs_name_make(&c, at, f, false, &li);
	if (!err)
		err = xfs_unlinked_add(li);
	if (!err)
		*ino = li->i.ino.v;
	c.keep = true;
	return xfs_name_end(&c, err);
}

int xfs_name_add(struct xfs_edit *e, uint64_t dir, const void *name, size_t len, uint64_t ino)
{
	struct xfs_live_inode *li;
	struct xfs_name_chain c;
	struct xfs_name_at at;
	int err = xfs_name_begin(&c, e);

	if (err)
		return err;
	err = xfs_name_hold_dir(&c, dir, name, len, &at);
	if (!err)
		err = xfs_name_hold(&c, ino, &li);
	if (!err && at.dir->i.d.core.flags & XFS_DIFLAG_PROJINHERIT &&
	    xfs_dinode_projid(&at.dir->i.d) != xfs_dinode_projid(&li->i.d))
		err = -XFS_E_INVALID;
	if (!err)
		err = xfs_name_link(&at, li);
	return xfs_name_end(&c, err);
}

static int drop_name(struct xfs_edit *e, uint64_t dir, const void *name, size_t len, bool is_dir)
{
	struct xfs_live_inode *li;
	struct xfs_name_chain c;
	struct xfs_name_at at;
	uint64_t ino;
	int err = xfs_name_begin(&c, e);

	if (err)
		return err;
	err = xfs_name_hold_dir(&c, dir, name, len, &at);
	if (!err)
		err = xfs_name_find(&at, &ino);
	if (!err)
		err = xfs_name_hold(&c, ino, &li);
	if (err == -XFS_E_NOENT && c.n == 2)
		err = -XFS_E_CORRUPT;		/* the entry names a free inode */
	if (!err && is_dir != xfs_inode_is_dir(&li->i))
		err = is_dir ? -XFS_E_NOTDIR : -XFS_E_INVALID;
	if (!err)
		err = xfs_name_unlink(&at, li);
	return xfs_name_end(&c, err);
}

int xfs_name_remove(struct xfs_edit *e, uint64_t dir, const void *name, size_t len)
{
	return drop_name(e, dir, name, len, false);
}

int xfs_name_rmdir(struct xfs_edit *e, uint64_t dir, const void *name, size_t len)
{
	return drop_name(e, dir, name, len, true);
}

/* ---- attributes ---- */

static int change_attr(struct xfs_edit *e, uint64_t ino, const struct xfs_attr_want *w, const enum xfs_attr_how *how)
{
	struct xfs_live_inode *li;
	struct xfs_name_chain c;
	int err;

	if (w->space & XFS_ATTR_PARENT)
		return -XFS_E_INVALID;
	err = xfs_name_begin(&c, e);
	if (err)
		return err;
	err = xfs_name_hold(&c, ino, &li);
	if (!err)
		err = how ? xfs_attr_set(li, w, *how) : xfs_attr_remove(li, w);
	if (!err)
		xfs_live_inode_stamp(li, 4);
	c.keep = true;
	return xfs_name_end(&c, err);
}

int xfs_name_attr_set(struct xfs_edit *e, uint64_t ino, const struct xfs_attr_want *w, enum xfs_attr_how how)
{
	return change_attr(e, ino, w, &how);
}

int xfs_name_attr_remove(struct xfs_edit *e, uint64_t ino, const struct xfs_attr_want *w)
{
	return change_attr(e, ino, w, NULL);
}
