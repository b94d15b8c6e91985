/* SPDX-License-Identifier: BSD-2-Clause */
/* verify_attr.c - all rules of the attributes of one inode. */
#include "libxfs/base/grow.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/da_verify.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"

#include <stdlib.h>

/* What takes blocks of the fork: a value, or one block of the tree. */
struct taken {
	uint64_t start, end;
	uint64_t leaf;			/* that names the value; XFS_NULL64: of the tree */
	uint32_t len;			/* bytes */
};

struct check {
	struct xfs_attrs a;
	const struct xfs_sink *sink;
	bool bad;
	uint8_t *value;			/* room for the longest */
	struct taken *taken;
	size_t ntaken, taken_room;
};

static void report(struct check *c, enum xfs_finding_id id, uint64_t block, const char *what, uint64_t found,
		   uint64_t expected)
{
	struct xfs_finding f = xfs_attr_finding(&c->a, id, block);

	f.found = found;
	f.expected = expected;
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(c->sink, &f);
	if (id != XFS_F_ATTR_INCOMPLETE)
		c->bad = true;
}

/* ---- short form: the walk reports entries, the rest is here ---- */

struct total {
	struct check *c;
	uint32_t bytes;
};

static int add_short(void *payload, const struct xfs_attr *attr)
{
	struct total *t = payload;

	t->bytes += xfs_attr_sf_entsize(attr->namelen, attr->valuelen);
	if (attr->flags & (XFS_ATTR_LOCAL | XFS_ATTR_INCOMPLETE))
		report(t->c, XFS_F_ATTR_ENTRY, XFS_NULL64, "flags are those of a leaf", attr->flags, XFS_NULL64);
	return 0;
}

static void check_short(struct check *c)
{
	struct total t = { c, sizeof(struct xfs_attr_sf_hdr_disk) };
	int err = xfs_attrs_each(&c->a, add_short, &t);
	struct xfs_attr_sf_hdr h;

	if (err || c->a.f.len < sizeof(struct xfs_attr_sf_hdr_disk)) {
		c->bad = true;
		return;
	}
	xfs_attr_sf_hdr_decode(&h, c->a.f.bytes);
	if (h.totsize != t.bytes || h.totsize > c->a.f.len)
		report(c, XFS_F_ATTR_SHORT, XFS_NULL64, "size is not that of the entries", h.totsize, t.bytes);
}

/* ---- leaves ---- */

/* Which 4-byte units of a leaf are taken. */
struct units {
	uint8_t taken[XFS_BUF_MAXLEN / 4 / 8];
};

/* Marks bytes [at, at + size), which lie in the block; false when some are taken. */
static bool claim(struct units *u, uint32_t at, uint32_t size)
{
	bool clear = true;

	for (uint32_t k = at / 4; k < (at + size + 3) / 4; k++) {
		clear &= !(u->taken[k / 8] >> k % 8 & 1);
		u->taken[k / 8] |= (uint8_t)(1u << k % 8);
	}
	return clear;
}

/* ---- values: once it is known which blocks each of them takes, and which the tree ---- */

static int take(struct check *c, const struct taken *t)
{
	if (xfs_grow(&c->taken, c->ntaken, &c->taken_room, 32))
		return -XFS_E_NOMEM;
	c->taken[c->ntaken++] = *t;
	return 0;
}

static int take_block(void *payload, const struct xfs_da_block *b)
{
	return take(payload, &(struct taken){ b->block, b->block + 1, XFS_NULL64, 0 });
}

static int take_value(struct check *c, uint64_t block, const struct xfs_attr *attr)
{
	const struct xfs_geometry *g = &c->a.ip->fs->geo;
	uint64_t blocks = xfs_remote_blocks(g->v5, g->blocksize, attr->valuelen);

	if (attr->valueblk)
		return !blocks ? 0 : take(c, &(struct taken){ attr->valueblk, attr->valueblk + blocks, block,
							      attr->valuelen });
	report(c, XFS_F_ATTR_ENTRY, block, "remote value has no block", XFS_NULL64, XFS_NULL64);
	return 0;
}

/* LSN of a block of a value: none, as values are not logged; others the kernel refuses to write. */
static void check_lsns(struct check *c, const struct taken *t)
{
	for (uint64_t at = t->start; c->a.ip->fs->geo.v5 && at < t->end; at++) {
		struct xfs_buf *b;
		uint64_t lsn;

		if (xfs_ifork_get(&c->a.f, at, 1, XFS_BLK_ATTR_REMOTE, &b))
			return;
		lsn = xfs_be64(b->data + XFS_OFF(attr_rmt_hdr, lsn));
		xfs_buf_put(b);
		if (lsn != XFS_NULL64)
			report(c, XFS_F_ATTR_REMOTE, t->leaf, "block of a value has a log sequence number", lsn,
			       XFS_NULL64);
	}
}

static void check_value(struct check *c, const struct taken *t)
{
	struct xfs_attr attr = { .valuelen = t->len, .valueblk = (uint32_t)t->start };

	if (xfs_attr_value(&c->a, &attr, c->value))
		report(c, XFS_F_ATTR_REMOTE, t->leaf, "remote value cannot be read", t->start, XFS_NULL64);
	else
		check_lsns(c, t);
}

/* No block has two uses, so none is read twice, whatever the entries say. */
static int check_values(struct check *c)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct taken), .words = 2,
						    .word_off = { offsetof(struct taken, start),
								  offsetof(struct taken, end) } };
	const struct taken *last = NULL;	/* that goes farthest so far */
	int err = xfs_sort(&order, c->taken, c->ntaken);

	for (size_t i = 0; i < c->ntaken && !err; i++) {
		const struct taken *t = &c->taken[i], *value = t->leaf != XFS_NULL64 ? t : last;

		if (!last || last->end <= t->start) {
			if (t->leaf != XFS_NULL64)
				check_value(c, t);
		} else if (value->leaf != XFS_NULL64) {
			report(c, XFS_F_ATTR_REMOTE, value->leaf,
			       t->leaf == XFS_NULL64 || last->leaf == XFS_NULL64 ?
				       "a value lies on a block of the tree" : "two values have the same block",
			       t->start, XFS_NULL64);
		}
		last = !last || last->end < t->end ? t : last;
	}
	return err;
}

/* ---- leaves, entry by entry ---- */

static int check_entry(struct check *c, uint64_t block, const struct xfs_attr *attr)
{
	const struct xfs_geometry *g = &c->a.ip->fs->geo;
	const char *problem = xfs_attr_problem(g, attr);
	uint32_t hash;

	if (problem) {
		report(c, XFS_F_ATTR_ENTRY, block, problem, attr->flags, XFS_NULL64);
		return 0;
	}
	hash = xfs_name_hash(attr->name, attr->namelen);
	if (attr->flags & XFS_ATTR_PARENT) {
		uint64_t parent = xfs_be64(attr->value);

		hash = xfs_parent_hash(g, attr->name, attr->namelen, XFS_INO(parent));
		if (!xfs_ino_valid(g, XFS_INO(parent)))
			report(c, XFS_F_PARENT_POINTER, block, "names no inode", parent, XFS_NULL64);
	}
	if (attr->hash != hash)
		report(c, XFS_F_ATTR_HASH, block, "hash is not that of the name", attr->hash, hash);
	if (attr->flags & XFS_ATTR_INCOMPLETE)
		report(c, XFS_F_ATTR_INCOMPLETE, block, "change was cut off", attr->hash, XFS_NULL64);
	return attr->value || attr->flags & XFS_ATTR_INCOMPLETE ? 0 : take_value(c, block, attr);
}

static void check_freemap(struct check *c, const struct xfs_da_block *b, const struct units *u)
{
	const struct xfs_geometry *g = &c->a.ip->fs->geo;

	for (unsigned i = 0; i < XFS_ATTR_FREEMAPS; i++) {
		struct xfs_attr_freemap m;

		xfs_attr_freemap_decode(&m, b->buf->data + xfs_attr_freemap_off(g->v5) + 4 * i);
		if (m.base % 4 || m.size % 4 || m.base > g->blocksize || m.size > g->blocksize - m.base) {
			report(c, XFS_F_ATTR_LEAF, b->block, "free area is impossible", m.base, XFS_NULL64);
			continue;
		}
		for (uint32_t k = m.base / 4; k < (m.base + m.size) / 4u; k++)
			if (u->taken[k / 8] >> k % 8 & 1) {
				report(c, XFS_F_ATTR_LEAF, b->block, "free area is in use", m.base, XFS_NULL64);
				break;
			}
	}
}

static int check_leaf(void *payload, const struct xfs_da_block *b)
{
	struct check *c = payload;
	const struct xfs_geometry *g = &c->a.ip->fs->geo;
	uint32_t entries_end = xfs_attr_leaf_header_len(g->v5) + 8 * b->count;
	uint32_t used = 0, lowest = g->blocksize, firstused;
	struct xfs_attr_leaf_hdr h;
	struct units u;
	int err = 0;

	memset(&u, 0, sizeof(u));
	claim(&u, 0, entries_end);
	for (uint32_t i = 0; i < b->count && !err; i++) {
		struct xfs_attr attr;
		uint32_t at, size;

		if (xfs_attr_leaf_entry(g, b->buf->data, i, &attr, &at, &size)) {
			report(c, XFS_F_ATTR_ENTRY, b->block, "record does not lie in the block", at, XFS_NULL64);
			continue;
		}
		if (at % 4 || !claim(&u, at, size))
			report(c, XFS_F_ATTR_LEAF, b->block, "records overlap or are not aligned", at, XFS_NULL64);
		used += size;
		lowest = at < lowest ? at : lowest;
		err = check_entry(c, b->block, &attr);
	}
	xfs_attr_leaf_hdr_load(&h, b->buf->data, g->v5);
	firstused = h.firstused ? h.firstused : XFS_BUF_MAXLEN;
	if (h.usedbytes != used)
		report(c, XFS_F_ATTR_COUNTER, b->block, "bytes in use", h.usedbytes, used);
	/* after entries went from below it may be too low, and `holes` says so */
	if (firstused > lowest || firstused < entries_end || (b->count && !h.holes && firstused != lowest))
		report(c, XFS_F_ATTR_COUNTER, b->block, "lowest byte in use", firstused, lowest);
	check_freemap(c, b, &u);
	return err;
}

static void report_tree(void *payload, uint64_t block, const char *what, uint64_t found, uint64_t expected)
{
	report(payload, XFS_F_ATTR_NODE, block, what, found, expected);
}

static int check_tree(struct check *c)
{
	struct xfs_da_verify v = { .da = &c->a.da, .block = take_block, .leaf = check_leaf,
				   .report = report_tree, .payload = c };
	int err;

	c->value = malloc(XFS_ATTR_VALUE_MAX);
	if (!c->value)
		return -XFS_E_NOMEM;
	err = xfs_da_count_mapped(&c->a.f, 0, XFS_NULL64, 1, &v.limit);
	if (err)
		c->bad = true;		/* the fork was reported */
	else
		err = xfs_da_verify(&v);
	err = err ? err : check_values(c);
	free(c->taken);
	free(c->value);
	return err == -XFS_E_NOMEM ? err : 0;
}

int xfs_attrs_verify(const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	struct check c = { .sink = sink };
	int err = xfs_attrs_open(&c.a, ip, sink);

	if (err == -XFS_E_NOMEM)
		return err;
	if (err) {
		report(&c, XFS_F_ATTR_NODE, 0, "first block cannot be used", XFS_NULL64, XFS_NULL64);
		return -XFS_E_CORRUPT;
	}
	if (c.a.form == XFS_ATTR_SHORT)
		check_short(&c);
	else if (c.a.form != XFS_ATTR_NONE)
		err = check_tree(&c);
	return err ? err : c.bad ? -XFS_E_CORRUPT : 0;
}
