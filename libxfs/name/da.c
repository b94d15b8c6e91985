/* SPDX-License-Identifier: BSD-2-Clause */
/* da.c - the hash tree of directories and attributes. */
#include "libxfs/name/da.h"

#include "libxfs/base/search.h"

void xfs_da_init_dir(struct xfs_da *da, struct xfs_ifork *f)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;

	*da = (struct xfs_da){
		.f = f, .root = XFS_DIR_LEAF_OFFSET >> g->blocklog, .fsbs = g->dirblkfsbs, .size = g->dirblksize
	};
}

void xfs_da_init_attr(struct xfs_da *da, struct xfs_ifork *f)
{
	*da = (struct xfs_da){ .f = f, .attr = true, .fsbs = 1, .size = f->ip->fs->geo.blocksize };
}

bool xfs_da_is_node(const struct xfs_da_block *b)
{
	return b->magic == XFS_DA_NODE_MAGIC || b->magic == XFS_DA3_NODE_MAGIC;
}

/* What differs between nodes, directory leaves and attribute leaves. */
static void load(struct xfs_da *da, struct xfs_da_block *b)
{
	bool v5 = da->f->ip->fs->geo.v5;
	const uint8_t *p = b->buf->data;
	uint32_t header = xfs_da_header_len(v5), max;

	if (xfs_da_is_node(b)) {
		struct xfs_da3_node_hdr h;

		xfs_da_node_hdr_load(&h, p, v5);
		b->raw_count = h.count;
		b->level = h.level;
	} else if (da->attr) {
		struct xfs_attr_leaf_hdr h;

		xfs_attr_leaf_hdr_load(&h, p, v5);
		b->raw_count = h.count;
		header = xfs_attr_leaf_header_len(v5);
	} else {
		struct xfs_dir3_leaf_hdr h;

		xfs_dir_leaf_hdr_load(&h, p, v5);
		b->raw_count = h.count;
		b->stale = h.stale;
	}
	max = (da->size - header) / 8;
	b->count = b->raw_count < max ? b->raw_count : max;
	b->entries = p + header;
}

int xfs_da_get(struct xfs_da *da, uint64_t block, struct xfs_da_block *out)
{
	const struct xfs_geometry *g = &da->f->ip->fs->geo;
	uint64_t end = da->attr ? XFS_NULL32 : XFS_DIR_FREE_OFFSET >> g->blocklog;
	int err;

	memset(out, 0, sizeof(*out));
	if (block < da->root || block >= end || block % da->fsbs)
		return -XFS_E_CORRUPT;
	err = xfs_ifork_get(da->f, block, da->fsbs, da->attr ? XFS_BLK_ATTR_ANY : XFS_BLK_DIR_ANYLEAF, &out->buf);
	if (err)
		return err;
	out->block = block;
	out->forw = xfs_be32(out->buf->data + XFS_OFF(da_info, forw));
	out->back = xfs_be32(out->buf->data + XFS_OFF(da_info, back));
	out->magic = xfs_da_magic(out->buf->data);
	load(da, out);
	return 0;
}

void xfs_da_put(struct xfs_da_block *b)
{
	xfs_buf_put(b->buf);
	b->buf = NULL;
}

uint32_t xfs_da_search(const struct xfs_da_block *b, uint32_t hash)
{
	return (uint32_t)xfs_search(b->count, i, xfs_da_hash(b, i) < hash);
}

static bool is_corrupt(int err)
{
	return err == -XFS_E_NOENT || err == -XFS_E_RANGE;
}

/* Goes down by `hash`, or to the left edge. */
static int descend(struct xfs_da *da, const uint32_t *hash, struct xfs_da_block *leaf)
{
	unsigned level = XFS_DA_MAX_LEVEL + 1;
	uint64_t block = da->root;

	for (;;) {
		int err = xfs_da_get(da, block, leaf);
		uint32_t i = 0;

		if (err)
			return is_corrupt(err) ? -XFS_E_CORRUPT : err;
		if (!xfs_da_is_node(leaf)) {
			err = level > 1 && block != da->root ? -XFS_E_CORRUPT : 0;
			if (err)
				xfs_da_put(leaf);
			return err;
		}
		/* the root says how high the tree is; below it each level is one less */
		if (leaf->level < 1 || leaf->level >= level || (block != da->root && leaf->level != level - 1) ||
		    !leaf->count) {
			xfs_da_put(leaf);
			return -XFS_E_CORRUPT;
		}
		level = leaf->level;
		if (hash)
			i = xfs_da_search(leaf, *hash);
		if (i == leaf->count) {
			xfs_da_put(leaf);
			return -XFS_E_NOENT;
		}
		block = xfs_da_value(leaf, i);
		xfs_da_put(leaf);
		if (block == da->root)
			return -XFS_E_CORRUPT;
	}
}

int xfs_da_descend(struct xfs_da *da, uint32_t hash, struct xfs_da_block *leaf)
{
	return descend(da, &hash, leaf);
}

int xfs_da_first_leaf(struct xfs_da *da, struct xfs_da_block *leaf)
{
	return descend(da, NULL, leaf);
}

int xfs_da_watch(struct xfs_da_watch *w, uint64_t block)
{
	if (w->steps && block == w->mark)
		return -XFS_E_LOOP;
	if (w->steps++ == w->limit) {
		w->mark = block;
		w->limit = 2 * w->limit + 1;
	}
	return 0;
}

int xfs_da_next_leaf(struct xfs_da *da, struct xfs_da_block *leaf, struct xfs_da_watch *watch)
{
	uint64_t next = leaf->forw;
	int err = xfs_da_watch(watch, leaf->block);

	xfs_da_put(leaf);
	if (err)
		return err;
	if (!next)
		return -XFS_E_NOENT;
	err = xfs_da_get(da, next, leaf);
	if (!err && xfs_da_is_node(leaf)) {
		xfs_da_put(leaf);
		err = -XFS_E_CORRUPT;
	}
	return is_corrupt(err) ? -XFS_E_CORRUPT : err;
}
