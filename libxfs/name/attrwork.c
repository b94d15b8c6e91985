/* SPDX-License-Identifier: BSD-2-Clause */
/* attrwork.c - attribute operations as deferred work: queued, and done (format sheet 04, sections 6.5 and 10). */
#include "libxfs/name/attrprivate.h"

#include <stdlib.h>

#define PARENT_BYTES ((uint32_t)sizeof(struct xfs_parent_rec_disk))

static bool is_parent_op(unsigned op)
{
	return op >= XFS_ATTRI_PPTR_SET && op <= XFS_ATTRI_PPTR_REPLACE;
}

static uint8_t *put(uint8_t *at, const uint8_t *from, uint32_t len)
{
	if (len)
		memcpy(at, from, len);
	return at + len;
}

int xfs_attr_defer(struct xfs_change *c, const struct xfs_live_inode *ip, unsigned op, const struct xfs_attr_want *want,
		   const struct xfs_attr_want *becomes)
{
	struct xfs_work w = { .kind = XFS_WORK_ATTR, .op = op, .owner = ip->i.ino.v, .release = free };
	struct xfs_attr_work *m;
	uint32_t valuelen = op == XFS_ATTRI_REMOVE ? 0 : want->valuelen;
	size_t more = becomes ? becomes->namelen + (size_t)becomes->valuelen : 0;
	uint8_t *at;

	if (op < XFS_ATTRI_SET || op > XFS_ATTRI_PPTR_REPLACE || (op == XFS_ATTRI_PPTR_REPLACE) != (becomes != NULL) ||
	    valuelen > XFS_ATTR_VALUE_MAX || (becomes && becomes->valuelen != PARENT_BYTES))
		return -XFS_E_INVALID;
	m = malloc(sizeof(*m) + want->namelen + (size_t)valuelen + more);
	if (!m)
		return -XFS_E_NOMEM;
	*m = (struct xfs_attr_work){
		.gen = is_parent_op(op) ? ip->i.d.core.gen : 0, .filter = want->space, .namelen = want->namelen,
		.valuelen = valuelen, .newnamelen = becomes ? becomes->namelen : 0,
		.newvaluelen = becomes ? becomes->valuelen : 0,
	};
	at = put(m->bytes, want->name, want->namelen);
	at = put(at, becomes ? becomes->name : NULL, m->newnamelen);
	at = put(at, want->value, valuelen);
	put(at, becomes ? becomes->value : NULL, m->newvaluelen);
	w.more = m;
	return xfs_change_defer(c, &w);
}

/* Lengths that an operation may have. */
static bool is_sane(const struct xfs_attr_work *m, unsigned op)
{
	bool replace = op == XFS_ATTRI_PPTR_REPLACE;

	if (!m->namelen || m->namelen > XFS_ATTR_NAME_MAX || m->valuelen > XFS_ATTR_VALUE_MAX ||
	    (is_parent_op(op) ? m->filter != XFS_ATTR_PARENT : m->filter & XFS_ATTR_PARENT))
		return false;
	if (is_parent_op(op) && m->valuelen != PARENT_BYTES)
		return false;
	return replace ? m->newnamelen && m->newnamelen <= XFS_ATTR_NAME_MAX && m->newvaluelen == PARENT_BYTES
		       : !m->newnamelen && !m->newvaluelen;
}

static int finish(struct xfs_live_inode *ip, unsigned op, const struct xfs_attr_work *m)
{
	const uint8_t *value = m->bytes + m->namelen + m->newnamelen;
	const struct xfs_attr_want old = {
		m->bytes, value, m->valuelen, (uint8_t)m->namelen, (uint8_t)(m->filter & XFS_ATTR_NAMESPACES),
	}, new = {
		m->bytes + m->namelen, value + m->valuelen, m->newvaluelen, (uint8_t)m->newnamelen, XFS_ATTR_PARENT,
	};
	int err;

	switch (op) {
	case XFS_ATTRI_SET:
	case XFS_ATTRI_REPLACE:
	case XFS_ATTRI_PPTR_SET:
		return xfs_attr_set(ip, &old, XFS_ATTR_ANYHOW);
	case XFS_ATTRI_REMOVE:
	case XFS_ATTRI_PPTR_REMOVE:
		err = xfs_attr_remove(ip, &old);
		return err == -XFS_E_NOENT ? 0 : err;
	default:
		err = xfs_attr_remove(ip, &old);
		return err && err != -XFS_E_NOENT ? err : xfs_attr_set(ip, &new, XFS_ATTR_ANYHOW);
	}
}

int xfs_attr_finish(struct xfs_live *l, struct xfs_change *c, struct xfs_work *w)
{
	const struct xfs_attr_work *m = w->more;
	struct xfs_live_inode *ip;
	int err;

	if (!m || w->op < XFS_ATTRI_SET || w->op > XFS_ATTRI_PPTR_REPLACE || !is_sane(m, w->op))
		return -XFS_E_CORRUPT;
	err = xfs_live_inode_get(l, w->owner, &ip);
	if (err)
		return err;
	if (!ip->i.d.core.mode || (is_parent_op(w->op) && ip->i.d.core.gen != m->gen))
		err = -XFS_E_CORRUPT;
	if (!err)
		err = xfs_live_inode_join(ip, c);
	if (!err) {
		err = finish(ip, w->op, m);
		err = err == -XFS_E_INVALID ? -XFS_E_CORRUPT : err;
	}
	xfs_live_inode_put(ip);
	return err;
}
