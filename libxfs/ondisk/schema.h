/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.h - one description per on-disk structure, and everything that is made from it.
 *
 * A structure S is a list of rows in *print* order with explicit bit offsets over an opaque byte array:
 *
 *	#define XFS_AGF_ROWS(S, F, V, B, A)
 *		F(S, name, bit offset, bits, order, format, when, to)	a number of 1..64 bits
 *		V(...)							a second view of bits that an F row holds
 *		B(S, name, bit offset, bytes, format, when, to)		bytes: uuid, text
 *		A(S, name, elem, flags, first, count, at, when)		counted array, or a structure inside
 *
 * XFS_STRUCT_DECLARE(S, size, ROWS) in the header makes struct xfs_S_disk (bytes), struct xfs_S (native: F and B
 * rows), xfs_S_decode(), xfs_S_encode(), getters and setters (F and V), XFS_S_OFF(name).  XFS_STRUCT_DEFINE(S, ROWS)
 * in the .c file makes the table xfs_S_desc that printing, JSON, field paths, write, fuzz and docs run on.
 * Encode writes exactly the F and B rows; other bytes stay as they are.
 *
 * Whole bytes obey the order of the row; packed bits are big endian in 4, 8 or 12 bytes from a 4-byte boundary.
 * `when`, `count` and `at` are functions over (context, byte offset of the object in the buffer); NULL when = always.
 * Every count is clamped to the buffer by the function that computes it.
 *
 * What users see as the name of a row ends before a double underscore: rows that are alternatives of one field have
 * names like nextents__32 and nextents__64 (xfs_row_label_len()).  Where several of them can hold, the first wins.
 */
#ifndef XFS_ONDISK_SCHEMA_H
#define XFS_ONDISK_SCHEMA_H

#include "libxfs/base/bytes.h"

enum xfs_order { XO_BE, XO_LE, XO_WR };	/* big endian; little endian (CRC); of the log's writer */

/* How a value reads (names of the classes in format sheet 07, section 4). */
enum xfs_fmt {
	XF_DEC, XF_SDEC, XF_HEX, XF_OCT, XF_BIT,
	XF_AGB, XF_AGBZ,		/* AG block, all ones = null; Z: zero elements are skipped */
	XF_AGI, XF_AGIN,		/* AG inode; N: null elements are skipped */
	XF_AGN, XF_FSB, XF_RFSB, XF_INO, XF_LEN,
	XF_CRC, XF_UUID, XF_CHR, XF_TIME, XF_NSEC, XF_FORM, XF_METATYPE, XF_OFF, XF_OFFZ, XF_QTIMER, XF_HEXBYTES,
	XF_MASK = 0x3f,
	XF_HIDE = 0x40,			/* left out of a plain print; can be named */
	XF_CODE = 0x80			/* for code only: other rows show the same bits to users */
};
/* XF_TIME and XF_NSEC of 64 bits are the two readings of a bigtime stamp. */

/* What an address field leads to, and the types of blocks (format sheet 07, sections 3 and 5). */
enum xfs_type {
	XT_NONE, XT_AGF, XT_AGFL, XT_AGI, XT_ATTR, XT_BMAPBTA, XT_BMAPBTD, XT_BNOBT, XT_CNTBT, XT_RMAPBT, XT_RTRMAPBT,
	XT_REFCBT, XT_RTREFCBT, XT_DATA, XT_DIR, XT_DQBLK, XT_INOBT, XT_INODATA, XT_INODE, XT_LOG, XT_RTBITMAP,
	XT_RTSUMMARY, XT_RTSB, XT_SB, XT_SYMLINK, XT_TEXT, XT_FINOBT, XT_RGBITMAP, XT_RGSUMMARY,
	XT_SELF,			/* the same type as the block that holds the field */
	XT_COUNT
};

/* What the functions of a table may look at. All sizes in bytes and already checked against the format's ranges. */
struct xfs_ctx {
	const uint8_t *p;		/* the buffer; offset 0 is the start of the loaded object */
	size_t len;
	uint32_t blocksize, dirblksize;
	uint16_t sectsize, inodesize;
	bool v5, ftype, sparse, nrext64, bigtime, metadir, rmapbt, reflink, parent;
	bool writer_le;			/* XO_WR rows are little endian */
	uint8_t inode_kind;		/* of the owner of a block: 'd' directory, 'l' symlink, '-' file, 0 unknown */
};

struct xfs_desc;
enum xfs_row_kind { XR_BITS, XR_BYTES, XR_ARRAY };
enum xfs_array_flag {
	XA_REC = 1,			/* elements print as [a,b,c] */
	XA_SCALAR = 2,			/* elem has one row, whose value is the element */
	XA_ONE = 4,			/* a structure inside, not an array: no index */
	XA_HIDE = 8
};

struct xfs_row {
	const char *name;
	uint8_t kind, order, fmt, to;	/* arrays: order holds the flags, to the first index (0 or 1) */
	uint32_t bit, bits;
	const struct xfs_desc *elem;
	bool (*when)(const struct xfs_ctx *c, size_t off);
	size_t (*count)(const struct xfs_ctx *c, size_t off);
	/*
	 * Byte offset in the buffer of element k (from 0).  Of a number or text: where it is counted from instead of
	 * the start of its structure (k = 0), for what lies behind a part of varying size.
	 */
	size_t (*at)(const struct xfs_ctx *c, size_t off, size_t k);
	/* Only arrays of elements of varying size: offset of the element behind the one at `at`; NULL = ask at(). */
	size_t (*next)(const struct xfs_ctx *c, size_t off, size_t at);
	/* Only bytes of variable length: how many; NULL = bits / 8. */
	size_t (*bytes)(const struct xfs_ctx *c, size_t off);
};

struct xfs_desc {
	const char *name;
	uint32_t size;			/* fixed part, bytes; 0: varies */
	uint32_t nrows;
	const struct xfs_row *rows;
};

/* Length of the name that users see. */
XFS_INLINE size_t xfs_row_label_len(const struct xfs_row *row)
{
	const char *alias = strstr(row->name, "__");

	return alias ? (size_t)(alias - row->name) : strlen(row->name);
}

XFS_INLINE uint64_t xfs_bits_get(const uint8_t *p, unsigned bit, unsigned bits, bool le)
{
	unsigned end = bit % 32 + bits;
	const uint8_t *q = p + bit / 32 * 4;
	uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

	if (bit % 8 == 0) {
		switch (bits) {
		case 8:
			return p[bit / 8];
		case 16:
			return xfs_ld16(p + bit / 8, le);
		case 32:
			return xfs_ld32(p + bit / 8, le);
		case 64:
			return xfs_ld64(p + bit / 8, le);
		}
	}
	if (bit / 8 == (bit + bits - 1) / 8)	/* inside one byte: never touch the neighbours */
		return (uint64_t)p[bit / 8] >> (8 - bit % 8 - bits) & mask;
	if (end <= 32)
		return (uint64_t)xfs_be32(q) >> (32 - end) & mask;
	if (end <= 64)
		return xfs_be64(q) >> (64 - end) & mask;
	return (xfs_be64(q) << (end - 64) | xfs_be32(q + 8) >> (96 - end)) & mask;
}

XFS_INLINE void xfs_bits_put(uint8_t *p, unsigned bit, unsigned bits, bool le, uint64_t v)
{
	unsigned end = bit % 32 + bits;
	uint8_t *q = p + bit / 32 * 4;
	uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

	if (bit % 8 == 0) {
		switch (bits) {
		case 8:
			p[bit / 8] = (uint8_t)v;
			return;
		case 16:
			xfs_st16(p + bit / 8, le, (uint16_t)v);
			return;
		case 32:
			xfs_st32(p + bit / 8, le, (uint32_t)v);
			return;
		case 64:
			xfs_st64(p + bit / 8, le, v);
			return;
		}
	}
	v &= mask;
	if (bit / 8 == (bit + bits - 1) / 8) {
		unsigned shift = 8 - bit % 8 - bits;

		p[bit / 8] = (uint8_t)((p[bit / 8] & ~(mask << shift)) | v << shift);
	} else if (end <= 32) {
		xfs_put_be32(q, (uint32_t)((xfs_be32(q) & ~(mask << (32 - end))) | v << (32 - end)));
	} else if (end <= 64) {
		xfs_put_be64(q, (xfs_be64(q) & ~(mask << (64 - end))) | v << (64 - end));
	} else {
		xfs_put_be64(q, (xfs_be64(q) & ~(mask >> (end - 64))) | v >> (end - 64));
		xfs_put_be32(q + 8, (uint32_t)((xfs_be32(q + 8) & ~(mask << (96 - end))) | v << (96 - end)));
	}
}

/* Native type of a row by its number of bits. */
#define XFS_UINT_1 uint8_t
#define XFS_UINT_4 uint8_t
#define XFS_UINT_8 uint8_t
#define XFS_UINT_16 uint16_t
#define XFS_UINT_21 uint32_t
#define XFS_UINT_24 uint32_t
#define XFS_UINT_31 uint32_t
#define XFS_UINT_32 uint32_t
#define XFS_UINT_48 uint64_t
#define XFS_UINT_52 uint64_t
#define XFS_UINT_54 uint64_t
#define XFS_UINT_64 uint64_t

#define XFS_LE_(order) ((order) == XO_LE || ((order) == XO_WR && writer_le))

#define XFS_NONE_F_(S, n, o, b, or, fm, w, t)
#define XFS_NONE_B_(S, n, o, len, fm, w, t)
#define XFS_NONE_A_(S, n, e, fl, first, co, at, w)

#define XFS_NAT_F_(S, n, o, b, or, fm, w, t) XFS_UINT_##b n;
#define XFS_NAT_B_(S, n, o, len, fm, w, t) uint8_t n[len];
#define XFS_DEC_F_(S, n, o, b, or, fm, w, t) out->n = (XFS_UINT_##b)xfs_bits_get(in->b_, o, b, XFS_LE_(or));
#define XFS_DEC_B_(S, n, o, len, fm, w, t) memcpy(out->n, in->b_ + (o) / 8, len);
#define XFS_ENC_F_(S, n, o, b, or, fm, w, t) xfs_bits_put(out->b_, o, b, XFS_LE_(or), in->n);
#define XFS_ENC_B_(S, n, o, len, fm, w, t) memcpy(out->b_ + (o) / 8, in->n, len);
#define XFS_GET_F_(S, n, o, b, or, fm, w, t)									\
	_Static_assert((o) + (b) <= 8 * sizeof(struct xfs_##S##_disk), #S "." #n " lies outside");		\
	enum { XFS_##S##_off_##n = (o) / 8 };									\
	XFS_INLINE XFS_UINT_##b xfs_##S##_get_##n(const struct xfs_##S##_disk *d)				\
	{ const bool writer_le = false; (void)writer_le;							\
	  return (XFS_UINT_##b)xfs_bits_get(d->b_, o, b, XFS_LE_(or)); }					\
	XFS_INLINE void xfs_##S##_set_##n(struct xfs_##S##_disk *d, XFS_UINT_##b v)				\
	{ const bool writer_le = false; (void)writer_le; xfs_bits_put(d->b_, o, b, XFS_LE_(or), v); }
#define XFS_GET_B_(S, n, o, len, fm, w, t)									\
	_Static_assert((o) / 8 + (len) <= sizeof(struct xfs_##S##_disk), #S "." #n " lies outside");		\
	enum { XFS_##S##_off_##n = (o) / 8 };
/* rows over bytes behind the fixed part (names, remote data) exist in tables only */
#define XFS_ROW_F_(S, n, o, b, or, fm, w, t) \
	{ .name = #n, .kind = XR_BITS, .order = or, .fmt = fm, .to = t, .bit = o, .bits = b, .when = w },
#define XFS_ROW_B_(S, n, o, len, fm, w, t) \
	{ .name = #n, .kind = XR_BYTES, .fmt = fm, .to = t, .bit = o, .bits = 8 * (len), .when = w },
#define XFS_ROW_A_(S, n, e, fl, fi, co, a, w) \
	{ .name = #n, .kind = XR_ARRAY, .order = fl, .to = fi, .elem = &e, .when = w, .count = co, .at = a },

/* Rows that only tables have: parts of blocks whose place or size varies. */
#define XFS_ROW_WALK_(n, e, fl, fi, co, a, nx, w) \
	{ .name = #n, .kind = XR_ARRAY, .order = fl, .to = fi, .elem = &e, .when = w, .count = co, .at = a, \
	  .next = nx },
#define XFS_ROW_TEXT_(n, a, by, fm, w) \
	{ .name = #n, .kind = XR_BYTES, .fmt = fm, .when = w, .at = a, .bytes = by },
#define XFS_ROW_AT_(n, b, fm, t, a, w) \
	{ .name = #n, .kind = XR_BITS, .order = XO_BE, .fmt = fm, .to = t, .bits = b, .when = w, .at = a },
/* A table without a native form: S##_rows must exist. */
#define XFS_DESC_DEFINE(S, SIZE, rows_)										\
	const struct xfs_desc xfs_##S##_desc = { .name = #S, .size = SIZE,					\
		.nrows = sizeof(rows_) / sizeof((rows_)[0]), .rows = rows_ }

/* Byte offset of a row in its structure. */
#define XFS_OFF(S, name) ((size_t)XFS_##S##_off_##name)

#define XFS_STRUCT_DECLARE(S, SIZE, ROWS)									\
	struct xfs_##S##_disk { uint8_t b_[SIZE]; };								\
	struct xfs_##S { ROWS(S, XFS_NAT_F_, XFS_NONE_F_, XFS_NAT_B_, XFS_NONE_A_) };				\
	ROWS(S, XFS_GET_F_, XFS_GET_F_, XFS_GET_B_, XFS_NONE_A_)						\
	XFS_INLINE void xfs_##S##_decode_as(struct xfs_##S *out, const void *at, bool writer_le)		\
	{ const struct xfs_##S##_disk *in = at; (void)writer_le;						\
	  ROWS(S, XFS_DEC_F_, XFS_NONE_F_, XFS_DEC_B_, XFS_NONE_A_) }						\
	XFS_INLINE void xfs_##S##_encode_as(void *at, const struct xfs_##S *in, bool writer_le)			\
	{ struct xfs_##S##_disk *out = at; (void)writer_le;							\
	  ROWS(S, XFS_ENC_F_, XFS_NONE_F_, XFS_ENC_B_, XFS_NONE_A_) }						\
	XFS_INLINE void xfs_##S##_decode(struct xfs_##S *out, const void *at) { xfs_##S##_decode_as(out, at, false); } \
	XFS_INLINE void xfs_##S##_encode(void *at, const struct xfs_##S *in) { xfs_##S##_encode_as(at, in, false); } \
	extern const struct xfs_desc xfs_##S##_desc

#define XFS_STRUCT_DEFINE(S, ROWS)										\
	static const struct xfs_row xfs_##S##_rows_[] = { ROWS(S, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_) }; \
	const struct xfs_desc xfs_##S##_desc = { .name = #S, .size = sizeof(struct xfs_##S##_disk),		\
		.nrows = sizeof(xfs_##S##_rows_) / sizeof(xfs_##S##_rows_[0]), .rows = xfs_##S##_rows_ }

#endif
