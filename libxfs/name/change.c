/* SPDX-License-Identifier: BSD-2-Clause */
/* change.c - names of inodes change, with all that must follow. */
#include "libxfs/name/change.h"

#include "libxfs/inode/alloc.h"
#include "libxfs/name/attrchange.h"
#include "libxfs/name/dirchange.h"

#define STAMP_MTIME 2u
#define STAMP_CTIME 4u
#define LINKS_MOST UINT32_C(0x7fffffff)
#define LINKS_MOST_V1 UINT32_C(0xffff)

/* ---- link counts ---- */

static int set_links(struct xfs_live_inode *ip, int64_t by)
{
	struct xfs_dinode_core *core = &ip->i.d.core;
	int64_t n = (int64_t)xfs_dinode_nlink(&ip->i.d) + by;

	if (n < 0)
		return -XFS_E_CORRUPT;
	if (n > (core->version == 1 ? LINKS_MOST_V1 : LINKS_MOST))
		return -XFS_E_MLINK;
	if (core->version == 1)
		core->metatype = (uint16_t)n;
	else
		core->nlinkv2 = (uint32_t)n;
	xfs_live_inode_dirty(ip, XFS_LIVE_CORE);
	return 0;
}

/* A name less; the last one puts the inode on its list. */
static int drop_link(struct xfs_live_inode *ip)
{
	bool dir = xfs_inode_is_dir(&ip->i);
	int err;

	if (dir && xfs_dinode_nlink(&ip->i.d) != 2)
		return -XFS_E_CORRUPT;
	err = set_links(ip, dir ? -2 : -1);
	if (err)
		return err;
	xfs_live_inode_stamp(ip, STAMP_CTIME);
	return xfs_dinode_nlink(&ip->i.d) ? 0 : xfs_unlinked_add(ip);
}

static unsigned ftype_of(const struct xfs_live_inode *ip)
{
	return xfs_mode_ftype(ip->i.d.core.mode);
}

/* ---- parent pointers ---- */

struct parent {
	struct xfs_attr_want want;
	uint8_t value[sizeof(struct xfs_parent_rec_disk)];
};

static void parent_of(const struct xfs_name_at *at, struct parent *p)
{
	const struct xfs_parent_rec rec = { .inumber = at->dir->i.ino.v, .gen = at->dir->i.d.core.gen };

	xfs_parent_rec_encode(p->value, &rec);
	p->want = (struct xfs_attr_want){
		at->name, p->value, sizeof(p->value), (uint8_t)at->len, XFS_ATTR_PARENT,
	};
}

/* `from` NULL: a new name; `to` NULL: a name goes. */
static int defer_parent(struct xfs_live_inode *child, const struct xfs_name_at *from, const struct xfs_name_at *to)
{
	struct parent old, new;

	if (!child->i.fs->geo.parent)
		return 0;
	if (from)
		parent_of(from, &old);
	if (to)
		parent_of(to, &new);
	if (from && to)
		return xfs_attr_defer(child->change, child, XFS_ATTRI_PPTR_REPLACE, &old.want, &new.want);
	if (from)
		return xfs_attr_defer(child->change, child, XFS_ATTRI_PPTR_REMOVE, &old.want, NULL);
	return xfs_attr_defer(child->change, child, XFS_ATTRI_PPTR_SET, &new.want, NULL);
}

/* ---- entries ---- */

/* Metadata files have a tree of their own. */
static int check(const struct xfs_name_at *at, const struct xfs_live_inode *child)
{
	if (!at->dir->change || child->change != at->dir->change || !ftype_of(child) ||
	    xfs_dinode_is_metadata(&at->dir->i.d) || xfs_dinode_is_metadata(&child->i.d))
		return -XFS_E_INVALID;
	return 0;
}

/* The directory has changed; `links`: what its own count gains. */
static int touch(struct xfs_live_inode *dir, int64_t links)
{
	int err = links ? set_links(dir, links) : 0;

	xfs_live_inode_stamp(dir, STAMP_MTIME | STAMP_CTIME);
	return err;
}

static int enter(const struct xfs_name_at *at, struct xfs_live_inode *child)
{
	int err = xfs_dir_add(at->dir, at->name, at->len, child->i.ino.v, ftype_of(child));

	if (!err)
		err = touch(at->dir, xfs_inode_is_dir(&child->i));
	return err ? err : defer_parent(child, NULL, at);
}

int xfs_name_enter(const struct xfs_name_at *at, struct xfs_live_inode *child)
{
	uint64_t writes;
	int err = check(at, child);

	if (err)
		return err;
	writes = at->dir->change->writes;
	return xfs_change_check(at->dir->change, writes, enter(at, child));
}

int xfs_name_link(const struct xfs_name_at *at, struct xfs_live_inode *child)
{
	uint64_t writes;
	int err = check(at, child);

	if (!err && xfs_inode_is_dir(&child->i))
		err = -XFS_E_INVALID;
	if (err)
		return err;
	writes = at->dir->change->writes;
	if (!xfs_dinode_nlink(&child->i.d))
		err = xfs_unlinked_remove(child);
	if (!err)
		err = set_links(child, 1);
	if (!err) {
		xfs_live_inode_stamp(child, STAMP_CTIME);
		err = enter(at, child);
	}
	return xfs_change_check(at->dir->change, writes, err);
}

/* The inode that had the name loses it: all but the entry. */
static int lose(const struct xfs_name_at *at, struct xfs_live_inode *child)
{
	int err = xfs_inode_is_dir(&child->i) ? set_links(at->dir, -1) : 0;

	if (!err)
		err = defer_parent(child, at, NULL);
	return err ? err : drop_link(child);
}

int xfs_name_unlink(const struct xfs_name_at *at, struct xfs_live_inode *child)
{
	uint64_t writes;
	int err = check(at, child);

	if (!err && xfs_inode_is_dir(&child->i))
		err = xfs_dir_empty(child);
	if (err)
		return err;
	writes = at->dir->change->writes;
	err = xfs_dir_remove(at->dir, at->name, at->len);
	if (!err)
		err = lose(at, child);
	if (!err)
		err = touch(at->dir, 0);
	return xfs_change_check(at->dir->change, writes, err);
}

/* ---- moving ---- */

/* A directory has another parent: its "..", and the counts of both. */
static int change_parent(struct xfs_live_inode *child, struct xfs_live_inode *from, struct xfs_live_inode *to)
{
	int err;

	if (from == to || !xfs_inode_is_dir(&child->i))
		return 0;
	err = xfs_dir_replace(child, "..", 2, to->i.ino.v, XFS_DIR_FT_DIR);
	if (!err)
		err = set_links(from, -1);
	return err ? err : set_links(to, 1);
}

static int move(const struct xfs_name_at *from, struct xfs_live_inode *child, const struct xfs_name_at *to,
		struct xfs_live_inode *victim, struct xfs_live_inode *whiteout)
{
	int err;

	if (victim)
		err = xfs_dir_replace(to->dir, to->name, to->len, child->i.ino.v, ftype_of(child));
	else
		err = xfs_dir_add(to->dir, to->name, to->len, child->i.ino.v, ftype_of(child));
	if (!err && whiteout)
		err = xfs_dir_replace(from->dir, from->name, from->len, whiteout->i.ino.v, ftype_of(whiteout));
	else if (!err)
		err = xfs_dir_remove(from->dir, from->name, from->len);
	if (!err)
		err = change_parent(child, from->dir, to->dir);
	if (!err && whiteout)
		err = defer_parent(whiteout, NULL, from);
	if (!err)
		err = defer_parent(child, from, to);
	if (!err && victim)
		err = lose(to, victim);
	if (!err)
		err = touch(from->dir, 0);
	if (!err && to->dir != from->dir)
		err = touch(to->dir, 0);
	if (!err)
		xfs_live_inode_stamp(child, STAMP_CTIME);
	return err;
}

int xfs_name_move(const struct xfs_name_at *from, struct xfs_live_inode *child, const struct xfs_name_at *to,
		  struct xfs_live_inode *victim, struct xfs_live_inode *whiteout)
{
	uint64_t writes;
	int err = check(from, child);

	if (!err)
		err = check(to, child);
	if (!err && victim)
		err = check(to, victim);
	if (!err && whiteout)
		err = check(from, whiteout);
	if (!err && victim && xfs_inode_is_dir(&victim->i))
		err = xfs_dir_empty(victim);
	if (err)
		return err;
	writes = child->change->writes;
	return xfs_change_check(child->change, writes, move(from, child, to, victim, whiteout));
}

static int exchange(const struct xfs_name_at *a, struct xfs_live_inode *x, const struct xfs_name_at *b,
		    struct xfs_live_inode *y)
{
	int err = xfs_dir_replace(a->dir, a->name, a->len, y->i.ino.v, ftype_of(y));

	if (!err)
		err = xfs_dir_replace(b->dir, b->name, b->len, x->i.ino.v, ftype_of(x));
	if (!err)
		err = change_parent(x, a->dir, b->dir);
	if (!err)
		err = change_parent(y, b->dir, a->dir);
	if (!err)
		err = defer_parent(x, a, b);
	if (!err)
		err = defer_parent(y, b, a);
	if (!err)
		err = touch(a->dir, 0);
	if (!err && a->dir != b->dir)
		err = touch(b->dir, 0);
	if (err)
		return err;
	xfs_live_inode_stamp(x, STAMP_CTIME);
	xfs_live_inode_stamp(y, STAMP_CTIME);
	return 0;
}

int xfs_name_exchange(const struct xfs_name_at *a, struct xfs_live_inode *x, const struct xfs_name_at *b,
		      struct xfs_live_inode *y)
{
	uint64_t writes;
	int err = check(a, x);

	if (!err)
		err = check(b, y);
	if (!err && x->change != y->change)
		err = -XFS_E_INVALID;
	if (err)
		return err;
	writes = x->change->writes;
	return xfs_change_check(x->change, writes, exchange(a, x, b, y));
}
