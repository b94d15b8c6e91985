/* SPDX-License-Identifier: BSD-2-Clause */
/* attr_blocks.c - contents of the blocks of an attribute fork, and its short form (format sheet 03, section 6). */
#include "libxfs/build/attr_private.h"

#include "libxfs/base/search.h"

/* Name and value one behind the other. */
static void put_pair(uint8_t *at, const struct xfs_build_attr *a)
{
	memcpy(at, a->name, a->namelen);
	if (a->valuelen)
		memcpy(at + a->namelen, a->value, a->valuelen);
}

void xfs_attr_plan_short(const struct xfs_build_attrs *b, uint32_t bytes, uint8_t *fork)
{
	const struct xfs_attr_sf_hdr h = { .totsize = (uint16_t)bytes, .count = (uint8_t)b->n };
	uint8_t *at = fork + sizeof(struct xfs_attr_sf_hdr_disk);

	xfs_attr_sf_hdr_encode(fork, &h);
	for (size_t i = 0; i < b->n; i++) {
		const struct xfs_build_attr *a = &b->list[i];
		const struct xfs_attr_sf_ent e = {
			.namelen = a->namelen, .valuelen = (uint8_t)a->valuelen, .flags = a->flags,
		};

		xfs_attr_sf_ent_encode(at, &e);
		put_pair(at + sizeof(struct xfs_attr_sf_ent_disk), a);
		at += xfs_attr_sf_entsize(a->namelen, a->valuelen);
	}
}

/* ---- leaves ---- */

/* Entry at `ent` and record at `at` of attribute keys[i]. */
static void put_record(const struct xfs_attr_plan *p, uint32_t i, uint8_t *block, uint32_t ent, uint32_t at)
{
	const struct xfs_build_attr *a = xfs_attr_plan_at(p, i);
	bool remote = xfs_attr_plan_is_remote(p->b->to.geo, a);
	const struct xfs_attr_leaf_ent e = {
		.hashval = (uint32_t)(p->keys[i] >> 32), .nameidx = (uint16_t)at,
		.flags = (uint8_t)(a->flags | (remote ? 0 : XFS_ATTR_LOCAL)),
	};

	xfs_attr_leaf_ent_encode(block + ent, &e);
	if (remote) {
		const struct xfs_attr_remote r = {
			.valueblk = p->value[i], .valuelen = a->valuelen, .namelen = a->namelen,
		};

		xfs_attr_remote_encode(block + at, &r);
		memcpy(block + at + sizeof(struct xfs_attr_remote_disk), a->name, a->namelen);
	} else {
		const struct xfs_attr_local l = { .valuelen = (uint16_t)a->valuelen, .namelen = a->namelen };

		xfs_attr_local_encode(block + at, &l);
		put_pair(block + at + sizeof(struct xfs_attr_local_disk), a);
	}
}

static void make_leaf(const struct xfs_attr_plan *p, uint64_t leaf, uint8_t *block)
{
	const struct xfs_geometry *g = p->b->to.geo;
	uint32_t ent = xfs_attr_leaf_header_len(g->v5), at = g->blocksize;
	struct xfs_attr_leaf_hdr h = {
		.magic = g->v5 ? XFS_ATTR_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC_V4,
		.count = (uint16_t)(p->first[leaf + 1] - p->first[leaf]),
	};
	struct xfs_attr_freemap map;

	for (uint32_t i = p->first[leaf]; i < p->first[leaf + 1]; i++) {
		at -= xfs_attr_plan_record(g, xfs_attr_plan_at(p, i));
		put_record(p, i, block, ent, at);
		ent += (uint32_t)sizeof(struct xfs_attr_leaf_ent_disk);
	}
	h.usedbytes = (uint16_t)(g->blocksize - at);
	h.firstused = (uint16_t)at;
	xfs_datree_links(&p->tree, 0, leaf, &h.forw, &h.back);
	xfs_attr_leaf_hdr_store(block, &h, g->v5);
	map = (struct xfs_attr_freemap){ .base = (uint16_t)ent, .size = (uint16_t)(at - ent) };
	xfs_attr_freemap_encode(block + xfs_attr_freemap_off(g->v5), &map);
}

/* ---- values ---- */

/* The key whose value lies at `off`. */
static uint32_t key_at(const struct xfs_attr_plan *p, uint64_t off)
{
	size_t behind = xfs_search(p->n, i, p->value[i] <= off);

	return behind ? (uint32_t)behind - 1 : 0;
}

static void make_value(const struct xfs_attr_plan *p, uint64_t off, uint8_t *block)
{
	const struct xfs_geometry *g = p->b->to.geo;
	uint32_t key = key_at(p, off), header = xfs_remote_header_len(g->v5), room = g->blocksize - header;
	const struct xfs_build_attr *a = xfs_attr_plan_at(p, key);
	uint32_t done = (uint32_t)(off - p->value[key]) * room, part = (uint32_t)xfs_min(room, a->valuelen - done);
	const struct xfs_attr_rmt_hdr h = {
		.magic = XFS_ATTR_REMOTE_MAGIC, .offset = done, .bytes = part, .lsn = XFS_NULL64,
	};

	if (g->v5)
		xfs_attr_rmt_hdr_encode(block, &h);
	memcpy(block + header, a->value + done, part);
}

void xfs_attr_plan_make(void *plan, uint64_t off, uint8_t *block)
{
	const struct xfs_attr_plan *p = plan;
	unsigned level;
	uint64_t i;

	if (off >= p->b->index) {
		make_value(p, off, block);
		return;
	}
	xfs_datree_find(&p->tree, off, &level, &i);
	if (level)
		xfs_datree_node(&p->tree, level, i, block);
	else
		make_leaf(p, i, block);
}
