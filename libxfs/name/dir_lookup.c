/* SPDX-License-Identifier: BSD-2-Clause */
/* dir_lookup.c - a name in a directory, by its hash or by reading all entries. */
#include "libxfs/name/da.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/hash.h"

struct search {
	struct xfs_dir *d;
	const void *name;
	size_t len;
	uint32_t hash;
	struct xfs_dir_entry found;
};

/* ---- by hash ---- */

/* The entry at an address; NOENT when it has another name. */
static int try_address(struct search *s, uint32_t address)
{
	const struct xfs_geometry *g = &s->d->ip->fs->geo;
	uint64_t byte = (uint64_t)address * XFS_DIR_ALIGN, db = byte / g->dirblksize;
	uint32_t off = (uint32_t)(byte % g->dirblksize), end;
	struct xfs_dir_item it;
	struct xfs_buf *b;
	int err;

	if (off < xfs_dir_data_header_len(g->v5) || byte >= XFS_DIR_LEAF_OFFSET)
		return -XFS_E_CORRUPT;
	err = xfs_dir_get_data(s->d, db, &b, &end);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	err = xfs_dir_data_next(g, b->data, end, &off, &it);
	if (err < 1 || !it.used || xfs_dir_entry_problem(g, &it)) {
		err = -XFS_E_CORRUPT;
	} else if (xfs_dir_name_equal(g, it.name, it.namelen, s->name, s->len)) {
		s->found = (struct xfs_dir_entry){ NULL, it.namelen, it.ftype, XFS_INO(it.ino), address };
		err = 0;
	} else {
		err = -XFS_E_NOENT;
	}
	xfs_buf_put(b);
	return err;
}

/* Entries of one leaf with the hash. NOENT: none is it; *more: the next leaf may have others. */
static int try_leaf(struct search *s, const struct xfs_da_block *leaf, bool *more)
{
	uint32_t i = xfs_da_search(leaf, s->hash);

	for (; i < leaf->count && xfs_da_hash(leaf, i) == s->hash; i++) {
		uint32_t address = xfs_da_value(leaf, i);
		int err = address == XFS_DIR_NULL_ADDRESS ? -XFS_E_NOENT : try_address(s, address);

		if (err != -XFS_E_NOENT)
			return err;
	}
	*more = i == leaf->count;
	return -XFS_E_NOENT;
}

static int lookup_block(struct search *s)
{
	const struct xfs_geometry *g = &s->d->ip->fs->geo;
	struct xfs_da_block leaf = { 0 };
	struct xfs_buf *b;
	uint32_t end;
	bool more;
	int err = xfs_dir_get_data(s->d, 0, &b, &end);

	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	if (!xfs_dir_is_block_magic(xfs_be32(b->data))) {
		xfs_buf_put(b);
		return -XFS_E_CORRUPT;
	}
	leaf.count = xfs_dir_block_leaf_count(b->data, g->v5, g->dirblksize);
	leaf.entries = b->data + xfs_dir_block_leaf_off(g->dirblksize, leaf.count);
	err = try_leaf(s, &leaf, &more);
	xfs_buf_put(b);
	return err;
}

static int lookup_tree(struct search *s)
{
	struct xfs_da_watch watch = { 0 };
	struct xfs_da_block leaf;
	struct xfs_da da;
	bool more = true;
	int err;

	xfs_da_init_dir(&da, &s->d->f);
	err = xfs_da_descend(&da, s->hash, &leaf);
	while (!err) {
		err = try_leaf(s, &leaf, &more);
		if (err != -XFS_E_NOENT || !more) {
			xfs_da_put(&leaf);
			return err;
		}
		err = xfs_da_next_leaf(&da, &leaf, &watch);
	}
	return err == -XFS_E_LOOP ? -XFS_E_CORRUPT : err;
}

/* ---- by reading all ---- */

static int compare(void *payload, const struct xfs_dir_entry *e)
{
	struct search *s = payload;

	if (!xfs_dir_name_equal(&s->d->ip->fs->geo, e->name, e->namelen, s->name, s->len))
		return 0;
	s->found = *e;
	return -XFS_E_STOP;
}

static int read_all(struct search *s)
{
	int err = xfs_dir_each(s->d, 0, compare, s);

	return err == -XFS_E_STOP ? 0 : err ? err : -XFS_E_NOENT;
}

static int run(struct search *s, int err, xfs_ino_t *ino, unsigned *ftype, uint32_t *cookie)
{
	if (err)
		return err;
	*ino = s->found.ino;
	if (ftype)
		*ftype = s->found.ftype;
	if (cookie)
		*cookie = s->found.cookie;
	return 0;
}

int xfs_dir_find(struct xfs_dir *d, const void *name, size_t len, xfs_ino_t *ino, unsigned *ftype, uint32_t *cookie)
{
	struct search s = { .d = d, .name = name, .len = len };

	return run(&s, read_all(&s), ino, ftype, cookie);
}

int xfs_dir_lookup(struct xfs_dir *d, const void *name, size_t len, xfs_ino_t *ino, unsigned *ftype, uint32_t *cookie)
{
	struct search s = { .d = d, .name = name, .len = len };
	int err;

	if (len > XFS_DIR_NAME_MAX)
		return -XFS_E_NAMETOOLONG;
	s.hash = xfs_dir_hash(&d->ip->fs->geo, name, len);
	switch (d->form) {
	case XFS_DIR_SHORT:
		err = read_all(&s);
		break;
	case XFS_DIR_BLOCK:
		err = lookup_block(&s);
		break;
	case XFS_DIR_LEAF:
	case XFS_DIR_NODE:
		err = lookup_tree(&s);
		break;
	default:
		err = -XFS_E_CORRUPT;
	}
	return run(&s, err, ino, ftype, cookie);
}

int xfs_dir_parent(struct xfs_dir *d, xfs_ino_t *parent)
{
	return xfs_dir_find(d, "..", 2, parent, NULL, NULL);
}
