/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.c - extended attributes: all of them, in every form. */
#include "libxfs/name/attr.h"

#include "libxfs/name/hash.h"

int xfs_attrs_open(struct xfs_attrs *a, const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	struct xfs_da_block root;
	int err;

	memset(a, 0, sizeof(*a));
	a->ip = ip;
	a->sink = sink;
	err = xfs_ifork_init(&a->f, ip, XFS_FORK_ATTR);
	a->f.sink = sink;
	if (err == -XFS_E_NOENT)
		return 0;
	if (err)
		return err;
	xfs_da_init_attr(&a->da, &a->f);
	if (a->f.format == XFS_DINODE_FMT_LOCAL) {
		a->form = XFS_ATTR_SHORT;
		return 0;
	}
	if (!a->f.count)
		return 0;
	err = xfs_da_get(&a->da, 0, &root);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	a->form = xfs_da_is_node(&root) ? XFS_ATTR_NODE : XFS_ATTR_LEAF;
	xfs_da_put(&root);
	return 0;
}

struct xfs_finding xfs_attr_finding(const struct xfs_attrs *a, enum xfs_finding_id id, uint64_t block)
{
	struct xfs_finding f = xfs_inode_finding(a->ip, id, NULL);

	f.structure = "attributes";
	f.fileoff = block;
	return f;
}

const char *xfs_attr_problem(const struct xfs_geometry *g, const struct xfs_attr *a)
{
	unsigned space = a->flags & XFS_ATTR_NAMESPACES;

	if (!a->namelen)
		return "name is empty";
	if (a->flags & ~(XFS_ATTR_NAMESPACES | XFS_ATTR_LOCAL | XFS_ATTR_INCOMPLETE))
		return "flags are unknown";
	if (space & (space - 1))
		return "lies in two namespaces";
	if (memchr(a->name, 0, a->namelen))
		return "name holds a zero byte";
	if (a->valuelen > XFS_ATTR_VALUE_MAX)
		return "value is too long";
	if (!(a->flags & XFS_ATTR_PARENT))
		return NULL;
	if (!g->parent)
		return "is a parent pointer without that feature";
	if (memchr(a->name, '/', a->namelen))
		return "name of a parent pointer holds a slash";
	if (!a->value || a->valuelen != sizeof(struct xfs_parent_rec_disk))
		return "value of a parent pointer has the wrong size";
	return NULL;
}

/* ---- walk ---- */

struct walk {
	struct xfs_attrs *a;
	xfs_attr_fn fn;
	void *payload;
	int err;			/* first damage */
};

static void damage(struct walk *w, int err, enum xfs_finding_id id, uint64_t block, uint32_t at, const char *what)
{
	struct xfs_finding f = xfs_attr_finding(w->a, id, block);

	f.found = at;
	f.field = "offset";
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(w->a->sink, &f);
	w->err = w->err ? w->err : err;
}

static int hand_out(struct walk *w, const struct xfs_attr *attr, uint64_t block, uint32_t at)
{
	const char *problem = xfs_attr_problem(&w->a->ip->fs->geo, attr);

	if (problem) {
		damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_ENTRY, block, at, problem);
		return 0;
	}
	return w->fn(w->payload, attr);
}

static int each_short(struct walk *w)
{
	const uint8_t *p = w->a->f.bytes;
	struct xfs_attr_sf_hdr h;
	uint32_t end, at = sizeof(struct xfs_attr_sf_hdr_disk);
	int err = 0;

	if (w->a->f.len < at) {
		damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_SHORT, XFS_NULL64, 0, "there is no room for a header");
		return 0;
	}
	xfs_attr_sf_hdr_decode(&h, p);
	end = (uint32_t)xfs_min(h.totsize, w->a->f.len);
	for (unsigned i = 0; i < h.count && !err; i++) {
		struct xfs_attr_sf_ent e;
		struct xfs_attr attr = { 0 };
		uint32_t size;

		if (end < at || end - at < sizeof(struct xfs_attr_sf_ent_disk)) {
			damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_SHORT, XFS_NULL64, at, "the entry here does not fit");
			break;
		}
		xfs_attr_sf_ent_decode(&e, p + at);
		size = xfs_attr_sf_entsize(e.namelen, e.valuelen);
		if (size > end - at) {
			damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_SHORT, XFS_NULL64, at, "the entry here does not fit");
			break;
		}
		attr.name = p + at + sizeof(struct xfs_attr_sf_ent_disk);
		attr.namelen = e.namelen;
		attr.flags = e.flags;
		attr.value = attr.name + e.namelen;
		attr.valuelen = e.valuelen;
		attr.hash = xfs_name_hash(attr.name, attr.namelen);
		if (e.flags & XFS_ATTR_PARENT && e.valuelen == sizeof(struct xfs_parent_rec_disk))
			attr.hash = xfs_parent_hash(&w->a->ip->fs->geo, attr.name, attr.namelen,
						    XFS_INO(xfs_be64(attr.value)));
		err = hand_out(w, &attr, XFS_NULL64, at);
		at += size;
	}
	return err;
}

int xfs_attr_leaf_entry(const struct xfs_geometry *g, const uint8_t *block, uint32_t i, struct xfs_attr *out,
			uint32_t *at, uint32_t *size)
{
	uint32_t header = xfs_attr_leaf_header_len(g->v5), fixed;
	struct xfs_attr_leaf_ent e;
	const uint8_t *p;

	memset(out, 0, sizeof(*out));
	xfs_attr_leaf_ent_decode(&e, block + header + 8 * (size_t)i);
	*at = e.nameidx;
	*size = 0;
	out->hash = e.hashval;
	out->flags = e.flags;
	/* a local record may be shorter than the fixed part of a remote one */
	fixed = e.flags & XFS_ATTR_LOCAL ? sizeof(struct xfs_attr_local_disk) : sizeof(struct xfs_attr_remote_disk);
	if (e.nameidx < header || e.nameidx > g->blocksize - fixed)
		return -XFS_E_CORRUPT;
	p = block + e.nameidx;
	if (e.flags & XFS_ATTR_LOCAL) {
		struct xfs_attr_local l;

		xfs_attr_local_decode(&l, p);
		out->namelen = l.namelen;
		out->valuelen = l.valuelen;
		out->name = p + sizeof(struct xfs_attr_local_disk);
		out->value = out->name + l.namelen;
		*size = xfs_attr_local_size(l.namelen, l.valuelen);
	} else {
		struct xfs_attr_remote r;

		xfs_attr_remote_decode(&r, p);
		out->namelen = r.namelen;
		out->valuelen = r.valuelen;
		out->valueblk = r.valueblk;
		out->name = p + sizeof(struct xfs_attr_remote_disk);
		*size = xfs_attr_remote_size(r.namelen);
	}
	return *size <= g->blocksize - e.nameidx ? 0 : -XFS_E_CORRUPT;
}

static int each_in_leaf(struct walk *w, const struct xfs_da_block *leaf)
{
	const struct xfs_geometry *g = &w->a->ip->fs->geo;
	int err = 0;

	if (leaf->raw_count > leaf->count)
		damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_LEAF, leaf->block, leaf->raw_count,
		       "counts more entries than fit");
	for (uint32_t i = 0; i < leaf->count && !err; i++) {
		struct xfs_attr attr;
		uint32_t at, size;

		if (xfs_attr_leaf_entry(g, leaf->buf->data, i, &attr, &at, &size))
			damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_ENTRY, leaf->block, at,
			       "record does not lie in the block");
		else if (!attr.value && !attr.valueblk && !(attr.flags & XFS_ATTR_INCOMPLETE))
			damage(w, -XFS_E_CORRUPT, XFS_F_ATTR_ENTRY, leaf->block, at, "remote value has no block");
		else
			err = hand_out(w, &attr, leaf->block, at);
	}
	return err;
}

static int each_leaf(struct walk *w)
{
	struct xfs_da_watch watch = { 0 };
	struct xfs_da_block leaf;
	int err = xfs_da_first_leaf(&w->a->da, &leaf), stop;

	while (!err) {
		stop = each_in_leaf(w, &leaf);
		if (stop) {
			xfs_da_put(&leaf);
			return stop;
		}
		err = xfs_da_next_leaf(&w->a->da, &leaf, &watch);
	}
	if (err != -XFS_E_NOENT)
		damage(w, err, XFS_F_ATTR_NODE, XFS_NULL64, 0, xfs_error_text(err));
	return err == -XFS_E_NOMEM ? err : 0;
}

int xfs_attrs_each(struct xfs_attrs *a, xfs_attr_fn fn, void *payload)
{
	struct walk w = { .a = a, .fn = fn, .payload = payload };
	int err = 0;

	if (a->form == XFS_ATTR_SHORT)
		err = each_short(&w);
	else if (a->form != XFS_ATTR_NONE)
		err = each_leaf(&w);
	return err ? err : w.err;
}

/* ---- parent pointers ---- */

struct parents {
	struct xfs_attrs *a;
	xfs_parent_fn fn;
	void *payload;
	int err;
};

static int one_parent(void *payload, const struct xfs_attr *attr)
{
	struct parents *p = payload;
	const struct xfs_geometry *g = &p->a->ip->fs->geo;
	struct xfs_parent_rec rec;
	struct xfs_parent out;

	/* what was never finished is not there */
	if (!(attr->flags & XFS_ATTR_PARENT) || attr->flags & XFS_ATTR_INCOMPLETE)
		return 0;
	xfs_parent_rec_decode(&rec, attr->value);
	out = (struct xfs_parent){ XFS_INO(rec.inumber), rec.gen, attr->name, attr->namelen };
	if (!xfs_ino_valid(g, out.ino) || attr->hash != xfs_parent_hash(g, attr->name, attr->namelen, out.ino)) {
		struct xfs_finding f = xfs_attr_finding(p->a, XFS_F_PARENT_POINTER, XFS_NULL64);

		f.found = rec.inumber;
		f.field = "inumber";
		xfs_finding_emit(p->a->sink, &f);
		p->err = -XFS_E_CORRUPT;
		return 0;
	}
	return p->fn(p->payload, &out);
}

int xfs_parents_each(struct xfs_attrs *a, xfs_parent_fn fn, void *payload)
{
	struct parents p = { .a = a, .fn = fn, .payload = payload };
	int err = xfs_attrs_each(a, one_parent, &p);

	return err ? err : p.err;
}
