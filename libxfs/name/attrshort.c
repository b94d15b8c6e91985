/* SPDX-License-Identifier: BSD-2-Clause */
/* attrshort.c - attributes in the inode, and the place of their fork (format sheet 03, sections 2 and 6.1). */
#include "libxfs/name/attrprivate.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/name/dirchange.h"

#include <stdlib.h>

#define HEADER ((uint32_t)sizeof(struct xfs_attr_sf_hdr_disk))
#define ENTRY ((uint32_t)sizeof(struct xfs_attr_sf_ent_disk))

struct xfs_forkoff_facts xfs_attrop_facts(const struct xfs_attrop *op)
{
	const struct xfs_live_inode *ip = op->k.ip;
	struct xfs_forkoff_facts f = { .format = ip->i.d.core.format, .forkoff = ip->i.d.core.forkoff };

	switch (f.format) {
	case XFS_DINODE_FMT_EXTENTS:
		f.used = xfs_dinode_nextents(&ip->i.d, XFS_FORK_DATA);
		break;
	case XFS_DINODE_FMT_BTREE:
		f.used = (xfs_live_fork_used(ip, XFS_FORK_DATA) - 4) / 16;
		break;
	default:
		f.used = xfs_live_fork_used(ip, XFS_FORK_DATA);
	}
	return f;
}

/* ---- lists ---- */

static void put_header(struct xfs_attr_list *l)
{
	const struct xfs_attr_sf_hdr h = { .totsize = (uint16_t)l->bytes, .count = (uint8_t)l->n };

	xfs_attr_sf_hdr_encode(l->data, &h);
	l->data[3] = 0;
}

void xfs_attrshort_clear(struct xfs_attr_list *l)
{
	l->bytes = HEADER;
	l->n = 0;
	put_header(l);
}

int xfs_attrshort_next(const struct xfs_attr_list *l, uint32_t *at, struct xfs_attr *out)
{
	struct xfs_attr_sf_ent e;
	uint32_t len;

	if (*at >= l->bytes)
		return 0;
	if (l->bytes - *at < ENTRY)
		return -XFS_E_CORRUPT;
	xfs_attr_sf_ent_decode(&e, l->data + *at);
	len = xfs_attr_sf_entsize(e.namelen, e.valuelen);
	if (!e.namelen || len > l->bytes - *at || e.flags & ~XFS_ATTR_NAMESPACES)
		return -XFS_E_CORRUPT;
	*out = (struct xfs_attr){
		.name = l->data + *at + ENTRY, .namelen = e.namelen, .flags = e.flags, .valuelen = e.valuelen,
		.value = l->data + *at + ENTRY + e.namelen,
	};
	*at += len;
	return 1;
}

int xfs_attrshort_load(const struct xfs_attrop *op, struct xfs_attr_list *l)
{
	uint32_t len, at = HEADER;
	const uint8_t *bytes = xfs_inode_fork_bytes(&op->k.ip->i, XFS_FORK_ATTR, &len);
	struct xfs_attr_sf_hdr h;
	struct xfs_attr a;
	unsigned n = 0;
	int more;

	xfs_attrshort_clear(l);
	if (!xfs_attrop_core(op)->forkoff || xfs_attrop_core(op)->aformat != XFS_DINODE_FMT_LOCAL)
		return 0;
	if (len < HEADER)
		return -XFS_E_CORRUPT;
	xfs_attr_sf_hdr_decode(&h, bytes);
	if (h.totsize < HEADER || h.totsize > len)
		return -XFS_E_CORRUPT;
	memcpy(l->data, bytes, h.totsize);
	l->bytes = h.totsize;
	l->n = h.count;
	while ((more = xfs_attrshort_next(l, &at, &a)) > 0)
		n++;
	return more || n != h.count ? -XFS_E_CORRUPT : 0;
}

int xfs_attrshort_append(struct xfs_attr_list *l, const uint8_t *name, unsigned namelen, const uint8_t *value,
			 uint32_t valuelen, unsigned space)
{
	const struct xfs_attr_sf_ent e = {
		.namelen = (uint8_t)namelen, .valuelen = (uint8_t)valuelen, .flags = (uint8_t)space,
	};
	uint8_t *at = l->data + l->bytes;
	uint32_t len = xfs_attr_sf_entsize(namelen, valuelen);

	/* a length of 255 fits its byte but is not used */
	if (namelen >= UINT8_MAX || valuelen >= UINT8_MAX || l->n == UINT8_MAX || len > sizeof(l->data) - l->bytes)
		return 1;
	xfs_attr_sf_ent_encode(at, &e);
	memcpy(at + ENTRY, name, namelen);
	if (valuelen)
		memcpy(at + ENTRY + namelen, value, valuelen);
	l->bytes += len;
	l->n++;
	put_header(l);
	return 0;
}

void xfs_attrshort_cut(struct xfs_attr_list *l, uint32_t at, uint32_t len)
{
	memmove(l->data + at, l->data + at + len, l->bytes - at - len);
	l->bytes -= len;
	l->n--;
	put_header(l);
}

/* Where the operation's attribute lies: *len bytes from *at; *len 0: not there. */
static int find(const struct xfs_attrop *op, const struct xfs_attr_list *l, uint32_t *at, uint32_t *len)
{
	uint32_t next = HEADER;
	struct xfs_attr a;
	int more;

	*len = 0;
	for (*at = next; (more = xfs_attrshort_next(l, &next, &a)) > 0; *at = next)
		if (xfs_attrop_matches(op, &a)) {
			*len = next - *at;
			return 0;
		}
	return more;
}

/* ---- the fork ---- */

/* The last attribute is gone: so is the fork, where that is allowed (format sheet 03, section 2). */
static bool fork_goes(const struct xfs_attrop *op)
{
	const struct xfs_geometry *g = op->k.g;
	unsigned format = xfs_attrop_core(op)->format;

	return !g->parent && (g->v5 || g->attr2) && format != XFS_DINODE_FMT_BTREE &&
		format != XFS_DINODE_FMT_META_BTREE;
}

/* Local contents of the data fork that the place leaves no room for go to blocks; extents become a tree. */
static int set_place(struct xfs_live_inode *ip, const struct xfs_forkoff_facts *data, unsigned forkoff)
{
	int err = 0;

	if (data->format == XFS_DINODE_FMT_LOCAL && data->used > 8 * (uint64_t)forkoff)
		err = xfs_inode_is_dir(&ip->i) ? xfs_dir_push_out(ip) : xfs_symlink_push_out(ip);
	return err ? err : xfs_attr_place(ip, forkoff);
}

int xfs_attrshort_store(const struct xfs_attrop *op, const struct xfs_attr_list *l)
{
	struct xfs_live_inode *ip = op->k.ip;
	struct xfs_forkoff_facts facts = xfs_attrop_facts(op);
	unsigned forkoff;
	int err = 0;

	if (!l->n && fork_goes(op)) {
		if (!facts.forkoff)
			return 0;
		err = xfs_live_fork_clear(ip, XFS_FORK_ATTR);
		return err ? err : xfs_live_forkoff_set(ip, 0);
	}
	forkoff = xfs_forkoff_short(op->k.g, &facts, l->bytes);
	if (!forkoff)
		return 1;
	if (forkoff != facts.forkoff)
		err = set_place(ip, &facts, forkoff);
	return err ? err : xfs_live_fork_set_local(ip, XFS_FORK_ATTR, l->data, l->bytes);
}

int xfs_attrshort_leave(const struct xfs_attrop *op)
{
	struct xfs_live_inode *ip = op->k.ip;
	struct xfs_forkoff_facts facts = xfs_attrop_facts(op);
	unsigned forkoff = xfs_forkoff_blocks(op->k.g, &facts);
	int err = 0;

	if (facts.forkoff)
		err = xfs_live_fork_clear(ip, XFS_FORK_ATTR);
	if (!err && forkoff != facts.forkoff)
		err = set_place(ip, &facts, forkoff);
	return err;
}

/* ---- changes ---- */

int xfs_attrshort_set(const struct xfs_attrop *op, enum xfs_attr_how how)
{
	const struct xfs_attr_want *w = op->want;
	struct xfs_attr_list *l = malloc(sizeof(*l));
	uint32_t at, len;
	int err;

	if (!l)
		return -XFS_E_NOMEM;
	err = xfs_attrshort_load(op, l);
	if (!err)
		err = find(op, l, &at, &len);
	if (!err && how == XFS_ATTR_CREATE && len)
		err = -XFS_E_EXISTS;
	if (!err && how == XFS_ATTR_REPLACE && !len)
		err = -XFS_E_NOENT;
	if (!err && len)
		xfs_attrshort_cut(l, at, len);
	if (!err)
		err = xfs_attrshort_append(l, w->name, w->namelen, w->value, w->valuelen, w->space);
	if (!err)
		err = xfs_attrshort_store(op, l);
	free(l);
	return err;
}

int xfs_attrshort_remove(const struct xfs_attrop *op)
{
	struct xfs_attr_list *l = malloc(sizeof(*l));
	uint32_t at, len;
	int err;

	if (!l)
		return -XFS_E_NOMEM;
	err = xfs_attrshort_load(op, l);
	if (!err)
		err = find(op, l, &at, &len);
	if (!err && !len)
		err = -XFS_E_NOENT;
	if (!err) {
		xfs_attrshort_cut(l, at, len);
		err = xfs_attrshort_store(op, l);
	}
	free(l);
	return err == 1 ? -XFS_E_CORRUPT : err;
}
