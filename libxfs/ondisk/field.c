/* SPDX-License-Identifier: BSD-2-Clause */
/* field.c - rows of a table applied to a buffer. */
#include "libxfs/ondisk/field.h"

bool xfs_place_valid(const struct xfs_ctx *c, struct xfs_place in)
{
	size_t need = in.desc->size ? in.desc->size : 1;

	return in.off <= c->len && c->len - in.off >= need;
}

/* Bytes of a text row. */
static size_t text_len(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row)
{
	return row->bytes ? row->bytes(c, in.off) : row->bits / 8;
}

bool xfs_row_bits(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row, struct xfs_bitrange *r)
{
	size_t base, first, last;

	if (row->kind == XR_ARRAY || (row->when && !row->when(c, in.off)))
		return false;
	base = row->at ? row->at(c, in.off, 0) : in.off;
	if (base > c->len)
		return false;
	r->bits = row->kind == XR_BYTES ? 8 * text_len(c, in, row) : row->bits;
	r->bit = 8 * base + row->bit;
	/* users see a checksum as the bytes stand on disk, big endian, although code reads it little endian */
	r->le = row->kind == XR_BITS && (row->fmt & XF_MASK) != XF_CRC &&
		(row->order == XO_LE || (row->order == XO_WR && c->writer_le));
	if (r->bits == 0)
		return false;
	first = r->bit / 8;
	last = (r->bit + r->bits - 1) / 8;
	return first <= last && last < c->len;
}

uint64_t xfs_bits_value(const struct xfs_ctx *c, struct xfs_bitrange r)
{
	const uint8_t *p = c->p + r.bit / 8;
	unsigned head = (unsigned)(r.bit % 8);
	uint64_t v = 0;
	uint8_t raw[8];

	switch (head ? 0 : r.bits) {
	case 8:
		return *p;
	case 16:
		return xfs_ld16(p, r.le);
	case 32:
		return xfs_ld32(p, r.le);
	case 64:
		return xfs_ld64(p, r.le);
	}
	if (!r.le && head + r.bits <= 64 && c->len - r.bit / 8 >= 8)
		return xfs_be64(p) << head >> (64 - r.bits);
	xfs_bits_load(c->p, r, raw);
	for (size_t i = 0; i < (r.bits + 7) / 8; i++)
		v = v << 8 | raw[i];
	return v;
}

uint64_t xfs_row_value(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row)
{
	struct xfs_bitrange r;

	if (row->kind != XR_BITS || row->bits > 64 || !xfs_row_bits(c, in, row, &r))
		return 0;
	return xfs_bits_value(c, r);
}

/* Elements that the buffer has room for, when all have the size of their table. */
static size_t clamp_fixed(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row, size_t n)
{
	size_t first, step;

	if (!n || row->next || !row->elem->size)
		return n;
	first = row->at(c, in.off, 0);
	if (first > c->len || c->len - first < row->elem->size)
		return 0;
	if (n == 1)
		return 1;
	step = row->at(c, in.off, 1) - first;
	return step ? (size_t)xfs_min(n, (c->len - first - row->elem->size) / step + 1) : n;
}

size_t xfs_row_count(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row)
{
	struct xfs_bitrange r;

	if (row->kind != XR_ARRAY)
		return xfs_row_bits(c, in, row, &r);
	if (row->when && !row->when(c, in.off))
		return 0;
	if (row->order & XA_ONE)
		return xfs_place_valid(c, (struct xfs_place){ row->elem, row->at(c, in.off, 0) });
	return clamp_fixed(c, in, row, row->count(c, in.off));
}

const struct xfs_row *xfs_row_find(const struct xfs_ctx *c, struct xfs_place in, const char *label, size_t len)
{
	for (uint32_t i = 0; i < in.desc->nrows; i++) {
		const struct xfs_row *row = &in.desc->rows[i];

		if (xfs_row_label_len(row) != len || memcmp(row->name, label, len) != 0)
			continue;
		if (row->kind != XR_ARRAY && (row->fmt & XF_CODE))
			continue;
		if (xfs_row_count(c, in, row))
			return row;
	}
	return NULL;
}

void xfs_elems_start(struct xfs_elems *e, const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row,
		size_t k)
{
	e->count = xfs_row_count(c, in, row);
	e->k = k;
	e->at = k < e->count ? row->at(c, in.off, k) : c->len;
}

bool xfs_elems_next(struct xfs_elems *e, const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row,
		    struct xfs_place *elem)
{
	*elem = (struct xfs_place){ row->elem, e->at };
	if (e->k >= e->count || !xfs_place_valid(c, *elem))
		return false;
	if (++e->k < e->count)
		e->at = row->next ? row->next(c, in.off, e->at) : row->at(c, in.off, e->k);
	return true;
}

void xfs_bits_load(const uint8_t *buf, struct xfs_bitrange r, uint8_t *out)
{
	size_t n = (r.bits + 7) / 8, head = 8 * n - r.bits;	/* zero bits in front */

	if (r.bit % 8 == 0 && r.bits % 8 == 0) {
		for (size_t i = 0; i < n; i++)
			out[i] = buf[r.bit / 8 + (r.le ? n - 1 - i : i)];
		return;
	}
	memset(out, 0, n);
	for (size_t i = 0; i < r.bits; i++) {
		size_t from = r.bit + i, to = head + i;

		if (buf[from / 8] >> (7 - from % 8) & 1)
			out[to / 8] = (uint8_t)(out[to / 8] | 1u << (7 - to % 8));
	}
}

void xfs_bits_store(uint8_t *buf, struct xfs_bitrange r, const uint8_t *in)
{
	size_t n = (r.bits + 7) / 8, head = 8 * n - r.bits;

	if (r.bit % 8 == 0 && r.bits % 8 == 0) {
		for (size_t i = 0; i < n; i++)
			buf[r.bit / 8 + (r.le ? n - 1 - i : i)] = in[i];
		return;
	}
	for (size_t i = 0; i < r.bits; i++) {
		size_t to = r.bit + i, from = head + i;
		unsigned mask = 1u << (7 - to % 8), set = (unsigned)in[from / 8] >> (7 - from % 8) & 1u;

		buf[to / 8] = (uint8_t)((buf[to / 8] & ~mask) | (set ? mask : 0));
	}
}
