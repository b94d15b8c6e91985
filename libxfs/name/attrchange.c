/* SPDX-License-Identifier: BSD-2-Clause */
/* attrchange.c - one attribute is set or removed, in whatever form. */
#include "libxfs/name/attrprivate.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>

#define PARENT_BYTES ((uint32_t)sizeof(struct xfs_parent_rec_disk))

bool xfs_attrop_matches(const struct xfs_attrop *op, const struct xfs_attr *a)
{
	const struct xfs_attr_want *w = op->want;

	if ((a->flags & XFS_ATTR_NAMESPACES) != w->space || a->namelen != w->namelen ||
	    memcmp(a->name, w->name, w->namelen))
		return false;
	return !(w->space & XFS_ATTR_PARENT) ||
		(a->value && a->valuelen == w->valuelen && !memcmp(a->value, w->value, w->valuelen));
}

static bool is_legal(const struct xfs_geometry *g, const struct xfs_attr_want *w)
{
	const struct xfs_attr a = {
		.name = w->name, .namelen = w->namelen, .flags = w->space, .valuelen = w->valuelen, .value = w->value,
	};

	if (w->space & ~XFS_ATTR_NAMESPACES || w->valuelen > XFS_ATTR_VALUE_MAX || (w->valuelen && !w->value))
		return false;
	if (w->space & XFS_ATTR_PARENT && (!g->parent || w->valuelen != PARENT_BYTES ||
					   !xfs_ino_valid(g, XFS_INO(xfs_be64(w->value)))))
		return false;
	return !xfs_attr_problem(g, &a);
}

static int start(struct xfs_attrop *op, struct xfs_live_inode *ip, const struct xfs_attr_want *w)
{
	const struct xfs_geometry *g = &ip->i.fs->geo;
	uint32_t local = xfs_attr_local_size(w->namelen, w->valuelen);

	if (!ip->change || !is_legal(g, w))
		return -XFS_E_INVALID;
	memset(op, 0, sizeof(*op));
	xfs_forkop_attr(&op->k, ip);
	op->want = w;
	if (w->space & XFS_ATTR_PARENT)
		op->hash = xfs_parent_hash(g, w->name, w->namelen, XFS_INO(xfs_be64(w->value)));
	else
		op->hash = xfs_name_hash(w->name, w->namelen);
	op->remote = local >= xfs_attr_local_limit(g->blocksize);
	op->record = op->remote ? xfs_attr_remote_size(w->namelen) : local;
	return 0;
}

static bool is_tree(const struct xfs_live_inode *ip)
{
	return ip->i.d.core.forkoff && ip->i.d.core.aformat != XFS_DINODE_FMT_LOCAL &&
		xfs_dinode_nextents(&ip->i.d, XFS_FORK_ATTR);
}

/* ---- the fork ---- */

int xfs_attr_place(struct xfs_live_inode *ip, unsigned forkoff)
{
	bool first = !ip->i.d.core.forkoff && forkoff;
	int err = xfs_live_forkoff_set(ip, forkoff);

	return err || !first ? err
		: xfs_change_sb_bits(ip->change, XFS_OFF(sb, versionnum), 0, XFS_SB_VERSION_ATTR);
}

int xfs_attr_begin(struct xfs_live_inode *ip)
{
	uint64_t writes;

	if (!ip->change)
		return -XFS_E_INVALID;
	if (ip->i.d.core.forkoff)
		return 0;
	writes = ip->change->writes;
	return xfs_change_check(ip->change, writes,
				xfs_attr_place(ip, xfs_forkoff_default(&ip->i.fs->geo, ip->i.d.core.format)));
}

/* ---- from the inode to blocks ---- */

/* One entry of the list goes into the leaf. */
static int move_one(struct xfs_live_inode *ip, const struct xfs_attr *a)
{
	const struct xfs_attr_want w = { a->name, a->value, a->valuelen, (uint8_t)a->namelen, (uint8_t)a->flags };
	struct xfs_attrop op;
	int err = start(&op, ip, &w);

	return err ? -XFS_E_CORRUPT : xfs_attrtree_insert(&op);
}

static int leave_inode(const struct xfs_attrop *op)
{
	struct xfs_attr_list *l = malloc(sizeof(*l));
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);
	struct xfs_attr a;
	int err, more = 0;

	if (!l)
		return -XFS_E_NOMEM;
	err = xfs_attrshort_load(op, l);
	if (!err)
		err = xfs_attrshort_leave(op);
	if (!err)
		err = xfs_attrtree_begin(op);
	while (!err && (more = xfs_attrshort_next(l, &at, &a)) > 0)
		err = move_one(op->k.ip, &a);
	free(l);
	return err ? err : more;
}

/* ---- changes ---- */

static int set(const struct xfs_attrop *op, enum xfs_attr_how how)
{
	int err;

	if (!is_tree(op->k.ip)) {
		err = xfs_attrshort_set(op, how);
		if (err != 1)
			return err;
		err = leave_inode(op);
		if (err)
			return err;
	}
	return xfs_attrtree_set(op, how);
}

int xfs_attr_set(struct xfs_live_inode *ip, const struct xfs_attr_want *w, enum xfs_attr_how how)
{
	struct xfs_attrop op;
	uint64_t writes;
	int err = start(&op, ip, w);

	if (err)
		return err;
	writes = ip->change->writes;
	return xfs_change_check(ip->change, writes, set(&op, how));
}

int xfs_attr_remove(struct xfs_live_inode *ip, const struct xfs_attr_want *w)
{
	struct xfs_attrop op;
	uint64_t writes;
	int err = start(&op, ip, w);

	if (err)
		return err;
	writes = ip->change->writes;
	err = is_tree(ip) ? xfs_attrtree_remove(&op) : xfs_attrshort_remove(&op);
	/* leftovers of an interrupted run may have gone although it is not there */
	return err == -XFS_E_NOENT ? err : xfs_change_check(ip->change, writes, err);
}
