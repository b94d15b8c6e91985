/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * field.h - rows of a table applied to a buffer: does it exist, how many elements, where, its bits.
 *
 * The one place between tables and buffers: whatever a count or place function of a table says, nothing outside the
 * buffer is read or written.  A row that would reach outside does not exist.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_FIELD_H
#define XFS_ONDISK_FIELD_H

#include "libxfs/ondisk/schema.h"

/* A structure in the buffer. */
struct xfs_place {
	const struct xfs_desc *desc;
	size_t off;			/* bytes from the start of the buffer */
};

/* Bits of the buffer, counted from its start, most significant bit of byte 0 first. */
struct xfs_bitrange {
	size_t bit, bits;
	bool le;			/* a little-endian number of whole bytes */
};

/* True when the buffer holds the fixed part of the structure, so that its rows can be asked. */
bool xfs_place_valid(const struct xfs_ctx *, struct xfs_place);
/* Elements of a row now: 0 = does not exist, 1 for a number, text, or structure inside; else length of the array. */
size_t xfs_row_count(const struct xfs_ctx *, struct xfs_place, const struct xfs_row *);
/* The row with this label that exists now; NULL when there is none. `label` need not end with a NUL. */
const struct xfs_row *xfs_row_find(const struct xfs_ctx *, struct xfs_place, const char *label, size_t len);
/* Where number or text lies. False when it does not exist. */
bool xfs_row_bits(const struct xfs_ctx *, struct xfs_place, const struct xfs_row *, struct xfs_bitrange *);
/* Value of 1 to 64 bits that lie in the buffer (xfs_row_bits()), not sign-extended. */
uint64_t xfs_bits_value(const struct xfs_ctx *, struct xfs_bitrange);
/* Value of a number that exists, at most 64 bits, not sign-extended. */
uint64_t xfs_row_value(const struct xfs_ctx *, struct xfs_place, const struct xfs_row *);

/* Steps through the elements of an array row in time linear in their number. */
struct xfs_elems {
	size_t k, count;		/* element to come, from 0; number of them */
	size_t at;			/* its offset */
};
/* Starts at element `k`. */
void xfs_elems_start(struct xfs_elems *, const struct xfs_ctx *, struct xfs_place, const struct xfs_row *, size_t k);
/* Sets *elem and goes on; false behind the last one. An element outside of the buffer ends the array. */
bool xfs_elems_next(struct xfs_elems *, const struct xfs_ctx *, struct xfs_place, const struct xfs_row *,
		    struct xfs_place *elem);

/* Copies bits to the end of `out` (big endian, zero filled in front) and back. out holds ceil(bits / 8) bytes. */
void xfs_bits_load(const uint8_t *buf, struct xfs_bitrange, uint8_t *out);
void xfs_bits_store(uint8_t *buf, struct xfs_bitrange, const uint8_t *in);

XFS_INLINE bool xfs_row_is_array(const struct xfs_row *row)
{
	return row->kind == XR_ARRAY && !(row->order & XA_ONE);
}
XFS_INLINE bool xfs_row_has_subfields(const struct xfs_row *row)
{
	return row->kind == XR_ARRAY && !(row->order & XA_SCALAR);
}
XFS_INLINE bool xfs_row_is_hidden(const struct xfs_row *row)
{
	return row->kind == XR_ARRAY ? (row->order & XA_HIDE) != 0 : (row->fmt & (XF_HIDE | XF_CODE)) != 0;
}

#endif
