/* SPDX-License-Identifier: BSD-2-Clause */
/* dirchange.c - one entry of a directory is added, removed or pointed elsewhere, in whatever form. */
#include "libxfs/name/dirchange.h"

#include "libxfs/name/dirprivate.h"
#include "libxfs/name/hash.h"

int xfs_dirop_open(const struct xfs_dirop *op, struct xfs_dir *d)
{
	return xfs_dir_open(d, &op->k.ip->i, NULL);
}

void xfs_dirop_set_size(const struct xfs_dirop *op, uint64_t size)
{
	xfs_dirop_core(op)->size = size;
	xfs_live_inode_dirty(op->k.ip, XFS_LIVE_CORE);
}

static bool is_dots(const void *name, size_t len)
{
	return (len == 1 || len == 2) && !memcmp(name, "..", len);
}

static int start(struct xfs_dirop *op, struct xfs_live_inode *ip, const void *name, size_t len)
{
	const struct xfs_geometry *g = &ip->i.fs->geo;

	if (len > XFS_DIR_NAME_MAX)
		return -XFS_E_NAMETOOLONG;
	if (!len || memchr(name, 0, len) || memchr(name, '/', len) || !ip->change)
		return -XFS_E_INVALID;
	if (!xfs_inode_is_dir(&ip->i))
		return -XFS_E_NOTDIR;
	memset(op, 0, sizeof(*op));
	xfs_forkop_dir(&op->k, ip);
	op->name = name;
	op->namelen = (unsigned)len;
	op->hash = xfs_dir_hash(g, name, len);
	op->need = xfs_dir_data_entsize(g->ftype, op->namelen);
	return 0;
}

static int set_target(struct xfs_dirop *op, uint64_t ino, unsigned ftype)
{
	if (!xfs_ino_valid(op->k.g, XFS_INO(ino)) || ftype >= XFS_DIR_FT_COUNT)
		return -XFS_E_INVALID;
	op->ino = ino;
	op->ftype = ftype;
	return 0;
}

int xfs_dir_init(struct xfs_live_inode *ip, uint64_t parent)
{
	uint64_t writes = ip->change ? ip->change->writes : 0;
	struct xfs_sf_list l = { .parent = parent };
	struct xfs_dirop op;
	int err = start(&op, ip, "..", 2);

	if (!err && (!xfs_ino_valid(op.k.g, XFS_INO(parent)) || xfs_dinode_nextents(&ip->i.d, XFS_FORK_DATA)))
		err = -XFS_E_INVALID;
	if (err)
		return err;
	ip->i.d.core.format = XFS_DINODE_FMT_LOCAL;
	return xfs_change_check(ip->change, writes, xfs_dirshort_store(&op, &l));
}

/* ---- add ---- */

/* Steps up from form to form until the entry fits. */
static int add(const struct xfs_dirop *op, enum xfs_dir_form form)
{
	int err = -XFS_E_NOSPC;

	if (form == XFS_DIR_SHORT) {
		err = xfs_dirshort_add(op);
		if (err != -XFS_E_NOSPC)
			return err;
		err = xfs_dirblock_from_short(op);
		if (err)
			return err;
		form = XFS_DIR_BLOCK;
	}
	if (form == XFS_DIR_BLOCK) {
		err = xfs_dirblock_add(op);
		if (err != -XFS_E_NOSPC)
			return err;
		err = xfs_dirleaf_from_block(op);
		if (err)
			return err;
		form = XFS_DIR_LEAF;
	}
	if (form == XFS_DIR_LEAF) {
		err = xfs_dirleaf_add(op);
		if (err != 1)
			return err;
		err = xfs_dirnode_from_leaf(op);
		if (err)
			return err;
		form = XFS_DIR_NODE;
	}
	return form == XFS_DIR_NODE ? xfs_dirnode_add(op) : -XFS_E_CORRUPT;
}

int xfs_dir_add(struct xfs_live_inode *ip, const void *name, size_t len, uint64_t ino, unsigned ftype)
{
	struct xfs_dirop op;
	struct xfs_dir d;
	xfs_ino_t other;
	uint64_t writes = ip->change ? ip->change->writes : 0;
	int err = start(&op, ip, name, len);

	if (!err)
		err = is_dots(name, len) ? -XFS_E_EXISTS : set_target(&op, ino, ftype);
	if (!err)
		err = xfs_dirop_open(&op, &d);
	if (!err && d.form != XFS_DIR_SHORT) {		/* a short one looks itself */
		err = xfs_dir_lookup(&d, name, len, &other, NULL, NULL);
		err = err == -XFS_E_NOENT ? 0 : err ? err : -XFS_E_EXISTS;
	}
	if (err)
		return err;
	return xfs_change_check(ip->change, writes, add(&op, d.form));
}

/* ---- remove ---- */

int xfs_dir_remove(struct xfs_live_inode *ip, const void *name, size_t len)
{
	uint64_t writes = ip->change ? ip->change->writes : 0;
	struct xfs_dirop op;
	struct xfs_dir d;
	xfs_ino_t ino;
	uint32_t address = 0;
	int err = start(&op, ip, name, len);

	if (!err && is_dots(name, len))
		err = -XFS_E_INVALID;
	if (!err)
		err = xfs_dirop_open(&op, &d);
	if (!err && d.form != XFS_DIR_SHORT)
		err = xfs_dir_lookup(&d, name, len, &ino, NULL, &address);
	if (err)
		return err;
	switch (d.form) {
	case XFS_DIR_SHORT:
		err = xfs_dirshort_remove(&op);
		break;
	case XFS_DIR_BLOCK:
		err = xfs_dirblock_remove(&op, address);
		break;
	case XFS_DIR_LEAF:
		err = xfs_dirleaf_remove(&op, address);
		break;
	case XFS_DIR_NODE:
		err = xfs_dirnode_remove(&op, address);
		break;
	default:
		err = -XFS_E_CORRUPT;
	}
	return xfs_change_check(ip->change, writes, err);
}

/* ---- replace ---- */

static int replace_in_data(const struct xfs_dirop *op, struct xfs_dir *d)
{
	uint32_t address, end;
	struct xfs_buf *b;
	xfs_ino_t ino;
	uint64_t byte;
	int err = xfs_dir_lookup(d, op->name, op->namelen, &ino, NULL, &address);

	if (err)
		return err;
	byte = (uint64_t)address * XFS_DIR_ALIGN;
	err = xfs_dirop_data(op, byte / op->k.size, &b);
	if (err)
		return err;
	end = xfs_dir_data_end(b->data, op->k.g->v5, op->k.size);
	return xfs_dirdata_replace(op->k.g, b, end, (uint32_t)(byte % op->k.size), op->ino, op->ftype);
}

int xfs_dir_replace(struct xfs_live_inode *ip, const void *name, size_t len, uint64_t ino, unsigned ftype)
{
	uint64_t writes = ip->change ? ip->change->writes : 0;
	struct xfs_dirop op;
	struct xfs_dir d;
	int err = start(&op, ip, name, len);

	if (!err)
		err = len == 1 && is_dots(name, len) ? -XFS_E_INVALID : set_target(&op, ino, ftype);
	if (!err)
		err = xfs_dirop_open(&op, &d);
	if (!err && d.form == XFS_DIR_SHORT) {
		err = xfs_dirshort_replace(&op);
		if (err != -XFS_E_NOSPC)
			return xfs_change_check(ip->change, writes, err);
		/* the number is too long for the room of short ones */
		err = xfs_dirblock_from_short(&op);
		if (!err)
			err = xfs_dirop_open(&op, &d);
	}
	if (!err)
		err = replace_in_data(&op, &d);
	/* a shorter number may let it back into the inode */
	if (!err && d.form == XFS_DIR_BLOCK)
		err = xfs_dirblock_to_short(&op);
	return ip->change ? xfs_change_check(ip->change, writes, err) : err;
}

/* ---- others ---- */

static int not_a_dot(void *payload, const struct xfs_dir_entry *e)
{
	(void)payload;
	return is_dots(e->name, e->namelen) ? 0 : -XFS_E_NOTEMPTY;
}

int xfs_dir_empty(struct xfs_live_inode *ip)
{
	struct xfs_dir d;
	int err = xfs_dir_open(&d, &ip->i, NULL);

	return err ? err : xfs_dir_each(&d, 0, not_a_dot, NULL);
}

int xfs_dir_push_out(struct xfs_live_inode *ip)
{
	uint64_t writes = ip->change ? ip->change->writes : 0;
	struct xfs_dirop op;
	int err = start(&op, ip, "..", 2);

	if (!err && ip->i.d.core.format != XFS_DINODE_FMT_LOCAL)
		err = -XFS_E_INVALID;
	return err ? err : xfs_change_check(ip->change, writes, xfs_dirblock_from_short(&op));
}
