/* SPDX-License-Identifier: BSD-2-Clause */
/* rename.c - names move: plain, over others, in exchange, leaving a whiteout. */
#include "libxfs/transaction/names_priv.h"

#include "libxfs/name/dir.h"

/* What takes part; `to_ino` is NULL when the new name is free. */
struct rename {
	struct xfs_name_chain c;
	const struct xfs_rename *r;
	struct xfs_name_at from, to;
	struct xfs_live_inode *child, *victim;
};

static int hold_all(struct rename *n)
{
	const struct xfs_rename *r = n->r;
	uint64_t ino;
	int err = xfs_name_hold_dir(&n->c, r->from_dir, r->from, r->from_len, &n->from);

	if (!err)
		err = xfs_name_hold_dir(&n->c, r->to_dir, r->to, r->to_len, &n->to);
	if (!err)
		err = xfs_name_find(&n->from, &ino);
	if (!err)
		err = xfs_name_hold(&n->c, ino, &n->child);
	if (err)
		return err;
	err = xfs_name_find(&n->to, &ino);
	if (!err)
		return xfs_name_hold(&n->c, ino, &n->victim);
	return err == -XFS_E_NOENT && !(r->flags & XFS_RENAME_EXCHANGE) ? 0 : err;
}

/* Is `dir` the directory `ino`, or does it lie below it? */
static int lies_below(struct rename *n, const struct xfs_live_inode *dir, uint64_t ino, bool *yes)
{
	struct xfs_fs *fs = n->c.live->fs;
	uint64_t at = dir->i.ino.v, steps = 0;

	*yes = false;
	while (at != fs->geo.sb.rootino) {
		struct xfs_live_inode *li;
		struct xfs_dir d;
		xfs_ino_t up;
		int err;

		*yes = at == ino;
		if (*yes)
			return 0;
		if (steps++ > fs->geo.sb.icount)
			return -XFS_E_LOOP;
		err = xfs_live_inode_get(n->c.live, at, &li);
		if (err)
			return err;
		err = xfs_dir_open(&d, &li->i, &fs->sink);
		if (!err)
			err = xfs_dir_parent(&d, &up);
		xfs_live_inode_put(li);
		if (err)
			return err;
		if (up.v == at)
			return -XFS_E_LOOP;
		at = up.v;
	}
	*yes = at == ino;
	return 0;
}

static bool same_project(const struct xfs_name_at *to, const struct xfs_live_inode *li)
{
	return !(to->dir->i.d.core.flags & XFS_DIFLAG_PROJINHERIT) ||
		xfs_dinode_projid(&to->dir->i.d) == xfs_dinode_projid(&li->i.d);
}

/* Directories stay a tree. */
static int check_tree(struct rename *n)
{
	bool yes = false;
	int err = 0;

	if (xfs_inode_is_dir(&n->child->i))
		err = lies_below(n, n->to.dir, n->child->i.ino.v, &yes);
	if (!err && !yes && n->r->flags & XFS_RENAME_EXCHANGE && xfs_inode_is_dir(&n->victim->i))
		err = lies_below(n, n->from.dir, n->victim->i.ino.v, &yes);
	return err ? err : yes ? -XFS_E_INVALID : 0;
}

static int check(struct rename *n)
{
	unsigned flags = n->r->flags;

	if (n->victim && flags & XFS_RENAME_NOREPLACE)
		return -XFS_E_EXISTS;
	if (!same_project(&n->to, n->child) ||
	    (flags & XFS_RENAME_EXCHANGE && !same_project(&n->from, n->victim)))
		return -XFS_E_INVALID;
	if (n->victim && !(flags & XFS_RENAME_EXCHANGE)) {
		bool child = xfs_inode_is_dir(&n->child->i), victim = xfs_inode_is_dir(&n->victim->i);

		if (child != victim)
			return child ? -XFS_E_NOTDIR : -XFS_E_INVALID;
	}
	return check_tree(n);
}

static int run(struct rename *n)
{
	static const struct xfs_new_file device = { .mode = XFS_MODE_CHR };
	struct xfs_live_inode *whiteout = NULL;
	int err = check(n);

	if (!err && n->r->flags & XFS_RENAME_EXCHANGE)
		return xfs_name_exchange(&n->from, n->child, &n->to, n->victim);
	if (!err && n->r->flags & XFS_RENAME_WHITEOUT)
		err = xfs_name_make(&n->c, n->from.dir, &device, true, &whiteout);
	return err ? err : xfs_name_move(&n->from, n->child, &n->to, n->victim, whiteout);
}

int xfs_name_rename(struct xfs_edit *e, const struct xfs_rename *r)
{
	struct rename n;
	int err;

	if (r->flags & ~7u || (r->flags & XFS_RENAME_EXCHANGE && r->flags != XFS_RENAME_EXCHANGE))
		return -XFS_E_INVALID;
	err = xfs_name_begin(&n.c, e);
	if (err)
		return err;
	n.r = r;
	n.child = n.victim = NULL;
	err = hold_all(&n);
	/* two names of one inode, or the same name twice */
	if (!err && n.victim == n.child) {
		if (r->flags & XFS_RENAME_NOREPLACE)
			err = -XFS_E_EXISTS;
	} else if (!err) {
		err = run(&n);
	}
	return xfs_name_end(&n.c, err);
}
