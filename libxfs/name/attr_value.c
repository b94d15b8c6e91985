/* SPDX-License-Identifier: BSD-2-Clause */
/* attr_value.c - values of attributes, and one attribute by its name. */
#include "libxfs/name/attr.h"

#include "libxfs/name/hash.h"

#include <stdlib.h>

static int bad(struct xfs_attrs *a, uint64_t block, const char *what, uint64_t found, uint64_t expected)
{
	struct xfs_finding f = xfs_attr_finding(a, XFS_F_ATTR_REMOTE, block);

	f.found = found;
	f.expected = expected;
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(a->sink, &f);
	return -XFS_E_CORRUPT;
}

/* V5: one block with its own header. */
static int read_block(struct xfs_attrs *a, uint64_t block, uint8_t *value, uint32_t done, uint32_t part)
{
	struct xfs_attr_rmt_hdr h;
	struct xfs_buf *b;
	int err = xfs_ifork_get(&a->f, block, 1, XFS_BLK_ATTR_REMOTE, &b);

	if (err == -XFS_E_NOENT)
		return bad(a, block, "block is missing", XFS_NULL64, XFS_NULL64);
	if (err)
		return err;
	if (a->ip->fs->geo.v5) {
		xfs_attr_rmt_hdr_decode(&h, b->data);
		if (h.offset != done)
			err = bad(a, block, "header has another offset", h.offset, done);
		else if (h.bytes != part)
			err = bad(a, block, "header has another length", h.bytes, part);
	}
	if (!err)
		memcpy(value + done, b->data + xfs_remote_header_len(a->ip->fs->geo.v5), part);
	xfs_buf_put(b);
	return err;
}

int xfs_attr_value(struct xfs_attrs *a, const struct xfs_attr *attr, void *value)
{
	const struct xfs_geometry *g = &a->ip->fs->geo;
	uint32_t room = g->blocksize - xfs_remote_header_len(g->v5), done = 0;

	if (attr->value) {
		memcpy(value, attr->value, attr->valuelen);
		return 0;
	}
	if (attr->valuelen > XFS_ATTR_VALUE_MAX)
		return bad(a, attr->valueblk, "value is too long", attr->valuelen, XFS_ATTR_VALUE_MAX);
	for (uint64_t block = attr->valueblk; done < attr->valuelen; block++) {
		uint32_t part = (uint32_t)xfs_min(room, attr->valuelen - done);
		int err = read_block(a, block, value, done, part);

		if (err)
			return err;
		done += part;
	}
	return 0;
}

/* ---- by name ---- */

struct search {
	struct xfs_attrs *a;
	unsigned space;
	const void *name;
	size_t namelen;
	uint8_t *value;
	size_t room, len;
};

static int compare(void *payload, const struct xfs_attr *attr)
{
	struct search *s = payload;
	uint8_t *whole;
	int err;

	if (attr->flags & XFS_ATTR_INCOMPLETE || (attr->flags & XFS_ATTR_NAMESPACES) != s->space ||
	    attr->namelen != s->namelen || memcmp(attr->name, s->name, s->namelen))
		return 0;
	s->len = attr->valuelen;
	if (attr->value) {
		memcpy(s->value, attr->value, (size_t)xfs_min(s->room, s->len));
		return -XFS_E_STOP;
	}
	if (!s->room)
		return -XFS_E_STOP;
	if (s->room >= s->len) {
		err = xfs_attr_value(s->a, attr, s->value);
		return err ? err : -XFS_E_STOP;
	}
	whole = malloc(s->len);
	if (!whole)
		return -XFS_E_NOMEM;
	err = xfs_attr_value(s->a, attr, whole);
	if (!err)
		memcpy(s->value, whole, s->room);
	free(whole);
	return err ? err : -XFS_E_STOP;
}

/* Entries with this hash, from the leaf where they start. */
static int search_tree(struct search *s, uint32_t hash)
{
	const struct xfs_geometry *g = &s->a->ip->fs->geo;
	struct xfs_da_watch watch = { 0 };
	struct xfs_da_block leaf;
	int err = xfs_da_descend(&s->a->da, hash, &leaf);

	while (!err) {
		uint32_t i = xfs_da_search(&leaf, hash);

		for (; i < leaf.count && xfs_da_hash(&leaf, i) == hash && !err; i++) {
			struct xfs_attr attr;
			uint32_t at, size;

			err = xfs_attr_leaf_entry(g, leaf.buf->data, i, &attr, &at, &size);
			if (!err && !xfs_attr_problem(g, &attr))
				err = compare(s, &attr);
		}
		if (!err && i < leaf.count)
			err = -XFS_E_NOENT;
		if (err)
			xfs_da_put(&leaf);
		else
			err = xfs_da_next_leaf(&s->a->da, &leaf, &watch);
	}
	return err == -XFS_E_LOOP ? -XFS_E_CORRUPT : err;
}

int xfs_attr_get(struct xfs_attrs *a, unsigned space, const void *name, size_t namelen, void *value, size_t room,
		 size_t *len)
{
	struct search s = { a, space, name, namelen, value, room, 0 };
	int err = -XFS_E_NOENT;

	*len = 0;
	if (namelen > XFS_ATTR_NAME_MAX)
		return -XFS_E_NAMETOOLONG;
	if (a->form == XFS_ATTR_SHORT) {
		err = xfs_attrs_each(a, compare, &s);
		err = err ? err : -XFS_E_NOENT;
	} else if (a->form != XFS_ATTR_NONE) {
		err = search_tree(&s, xfs_name_hash(name, namelen));
	}
	if (err != -XFS_E_STOP)
		return err;
	*len = s.len;
	return 0;
}
