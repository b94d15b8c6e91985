/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_value.c - values of attributes in blocks of their own, where the leaves say, or wherever they are.
 *
 * A block of a value confirms itself: owner, place in the value, checksum.  What no attribute has is measured once,
 * when the first value is missed.
 */
#include "repair/names_value.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

int names_values_begin(struct names_values *v, struct names *n, uint64_t ino, const struct xfs_mapset *map)
{
	uint64_t blocks = 0;
	int error;

	*v = (struct names_values){ .n = n, .ino = ino, .map = map };
	if (!map->n)
		return 0;
	v->bytes = malloc(XFS_ATTR_VALUE_MAX);
	v->before = malloc(map->n * sizeof(*v->before));
	error = xfs_bitmap_create(&v->held, xfs_mapset_blocks(map));
	if (error || !v->bytes || !v->before)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < map->n; i++) {
		v->before[i] = blocks;
		blocks += map->m[i].len;
	}
	v->most = 2 * blocks * n->r->geo.blocksize + XFS_ATTR_VALUE_MAX;
	return 0;
}

void names_values_release(struct names_values *v)
{
	xfs_bitmap_free(&v->held);
	free(v->before);
	free(v->bytes);
	free(v->starts);
}

void names_values_note(struct names_values *v, const struct xfs_attr *a)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint64_t end = (uint64_t)a->valueblk + xfs_remote_blocks(g->v5, g->blocksize, a->valuelen);

	for (size_t i = xfs_mapset_find(v->map, a->valueblk); i < v->map->n && v->map->m[i].off < end; i++) {
		const struct xfs_mapping *m = &v->map->m[i];
		uint64_t from = xfs_max(m->off, a->valueblk), to = xfs_min(m->off + m->len, end);

		xfs_bitmap_set(&v->held, v->before[i] + (from - m->off), to - from);
	}
}

bool names_values_hold(const struct names_values *v, uint64_t off)
{
	size_t i = xfs_mapset_find(v->map, off);

	return i < v->map->n && v->map->m[i].off <= off &&
	       xfs_bitmap_get(&v->held, v->before[i] + (off - v->map->m[i].off));
}

/* With the header that it must have the checksum of the block at hand would be right: nothing else of it is damaged. */
static bool fits_with_header(struct names_values *v, uint64_t fsbno, uint32_t done, uint32_t part)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint8_t before[sizeof(struct xfs_attr_rmt_hdr_disk)];
	struct xfs_attr_rmt_hdr h;
	bool fits = false;

	memcpy(before, v->n->block, sizeof(before));
	xfs_attr_rmt_hdr_decode(&h, before);
	h.magic = XFS_ATTR_REMOTE_MAGIC;
	h.offset = done;
	h.bytes = part;
	h.owner = v->ino;
	h.bno = xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v;
	memcpy(h.uuid, g->uuid, sizeof(h.uuid));
	for (unsigned i = 0; i < 2 && !fits; i++) {
		xfs_attr_rmt_hdr_encode(v->n->block, &h);
		fits = xfs_crc32c_check(v->n->block, g->blocksize, XFS_OFF(attr_rmt_hdr, crc));
		h.lsn = XFS_NULL64;	/* as it is written: values are not logged */
	}
	memcpy(v->n->block, before, sizeof(before));
	return fits;
}

/*
 * The block at hand belongs to the value: its checksum is right, and at most one field of its header is not; or the
 * checksum is that of the header as it should be.
 */
static bool is_value_block(struct names_values *v, uint64_t fsbno, uint32_t done, uint32_t part)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	struct xfs_attr_rmt_hdr h;

	names_judge_block(v->n, XFS_BLK_ATTR_REMOTE, v->ino, fsbno, v->n->block, g->blocksize);
	xfs_attr_rmt_hdr_decode(&h, v->n->block);
	if (!xfs_crc32c_check(v->n->block, g->blocksize, XFS_OFF(attr_rmt_hdr, crc)))
		return fits_with_header(v, fsbno, done, part);
	return (h.magic != XFS_ATTR_REMOTE_MAGIC) + (h.offset != done) + (h.bytes != part) + (h.owner != v->ino) +
	       (h.bno != xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v) + !!memcmp(h.uuid, g->uuid, 16) <= 1;
}

/* The block at hand begins a value of this inode. */
static bool begins_value(const struct names_values *v)
{
	struct xfs_attr_rmt_hdr h;

	xfs_attr_rmt_hdr_decode(&h, v->n->block);
	return h.magic == XFS_ATTR_REMOTE_MAGIC && h.owner == v->ino && !h.offset;
}

/* *sure: the last block is not full, and zeroes begin just behind that part of it. */
static uint32_t measure(struct names_values *v, uint64_t at, bool *sure)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint32_t room = g->blocksize - xfs_remote_header_len(true), done = 0;
	struct xfs_attr_rmt_hdr h;
	uint64_t fsbno;

	*sure = false;
	do {
		if (names_read_block(v->n, v->map, at++, 1, v->n->block, &fsbno) || fsbno == XFS_NULL64)
			return done;
		xfs_attr_rmt_hdr_decode(&h, v->n->block);
		if (!h.bytes || h.bytes > room || !is_value_block(v, fsbno, done, h.bytes))
			return begins_value(v) ? done : 0;
		done += h.bytes;
	} while (h.bytes == room && done < XFS_ATTR_VALUE_MAX);
	*sure = h.bytes < room && v->n->block[g->blocksize - room + h.bytes - 1];
	for (uint32_t i = g->blocksize - room + h.bytes; i < g->blocksize; i++)
		*sure &= !v->n->block[i];
	return done <= XFS_ATTR_VALUE_MAX ? done : 0;
}

uint32_t names_values_length(struct names_values *v, uint64_t at)
{
	bool sure;

	return measure(v, at, &sure);
}

/* ---- values that no attribute has ---- */

struct names_value_start {
	uint64_t length, off;
};

static int add_start(struct names_values *v, uint64_t off, uint32_t length)
{
	if (xfs_grow(&v->starts, v->nstarts, &v->start_room, 32))
		return -XFS_E_NOMEM;
	v->starts[v->nstarts++] = (struct names_value_start){ length, off };
	return 0;
}

static int measure_all(struct names_values *v)
{
	static const struct xfs_sort_spec order = {
		.size = sizeof(struct names_value_start), .words = 2,
		.word_off = { offsetof(struct names_value_start, length), offsetof(struct names_value_start, off) } };
	int error = 0;

	v->measured = true;
	for (size_t i = 0; i < v->map->n; i++)
		for (uint64_t k = 0; k < v->map->m[i].len && !error; k++) {
			uint64_t off = v->map->m[i].off + k;
			uint32_t length = 0;

			/* the first block of a fork holds no value */
			if (off && off <= UINT32_MAX && !xfs_bitmap_get(&v->held, v->before[i] + k))
				length = names_values_length(v, off);
			if (length)
				error = add_start(v, off, length);
		}
	return error ? error : xfs_sort(&order, v->starts, v->nstarts);
}

/* The one value of this length that no other attribute has. 1: there is none, or there are several. */
static int find_value(struct names_values *v, struct xfs_attr *a)
{
	int error = v->measured ? 0 : measure_all(v);
	size_t at;

	if (error)
		return error;
	at = xfs_search(v->nstarts, i, v->starts[i].length < a->valuelen);
	if (at == v->nstarts || v->starts[at].length != a->valuelen ||
	    (at + 1 < v->nstarts && v->starts[at + 1].length == a->valuelen))
		return 1;
	a->valueblk = (uint32_t)v->starts[at].off;
	return 0;
}

/* ---- one value ---- */

/* False: some of it is lost. */
static bool read_value(struct names_values *v, const struct xfs_attr *a)
{
	const struct xfs_geometry *g = &v->n->r->geo;
	uint32_t header = xfs_remote_header_len(g->v5), room = g->blocksize - header, done = 0;

	for (uint64_t at = a->valueblk; done < a->valuelen; at++) {
		uint32_t part = (uint32_t)xfs_min(room, a->valuelen - done);
		uint64_t fsbno;

		if (names_read_block(v->n, v->map, at, 1, v->n->block, &fsbno) || fsbno == XFS_NULL64 ||
		    (g->v5 && !is_value_block(v, fsbno, done, part)))
			return false;
		memcpy(v->bytes + done, v->n->block + header, part);
		done += part;
	}
	return true;
}

static int fetch(struct names_values *v, struct xfs_attr *a)
{
	bool v5 = v->n->r->geo.v5, sure = false;
	struct xfs_attr other = *a;
	int error;

	other.valuelen = v5 && a->valueblk ? measure(v, a->valueblk, &sure) : 0;
	if (!(sure && other.valuelen) && a->valueblk && read_value(v, a))
		return 0;
	if (!other.valuelen) {
		other.valuelen = a->valuelen;
		error = v5 && a->valuelen ? find_value(v, &other) : 1;
		if (error)
			return error;
	}
	*a = other;
	return !read_value(v, a);
}

/* Two may have one value when a number is damaged; many that do would make of a few blocks as much as they like. */
int names_values_fetch(struct names_values *v, struct xfs_attr *a)
{
	int error = v->fetched > v->most ? 1 : fetch(v, a);

	v->fetched += error ? 0 : a->valuelen;
	return error;
}
