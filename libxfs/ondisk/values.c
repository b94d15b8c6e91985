/* SPDX-License-Identifier: BSD-2-Clause */
/* values.c - how single values read. */
#include "libxfs/ondisk/values.h"

#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"

#include <stdio.h>
#include <time.h>

/* ---- text to a sink ---- */

int xfs_out_flush(struct xfs_text_out *o)
{
	if (!o->err && o->n)
		o->err = o->sink.write(o->sink.payload, o->buf, o->n);
	o->n = 0;
	return o->err;
}

void xfs_out_bytes(struct xfs_text_out *o, const char *s, size_t len)
{
	while (len && !o->err) {
		size_t room = sizeof(o->buf) - o->n, take = len < room ? len : room;

		memcpy(o->buf + o->n, s, take);
		o->n += take;
		s += take;
		len -= take;
		if (o->n == sizeof(o->buf))
			xfs_out_flush(o);
	}
}

void xfs_out_char(struct xfs_text_out *o, char c)
{
	if (o->n == sizeof(o->buf))
		xfs_out_flush(o);
	if (!o->err)
		o->buf[o->n++] = c;
}

void xfs_out_text(struct xfs_text_out *o, const char *s)
{
	xfs_out_bytes(o, s, strlen(s));
}

static const char two_digits[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

size_t xfs_decimal(char *buf, uint64_t v)
{
	char rev[20];
	size_t at = sizeof(rev);

	if (v < 10) {
		*buf = (char)('0' + v);
		return 1;
	}
	for (; v >= 100; v /= 100) {
		at -= 2;
		memcpy(rev + at, two_digits + 2 * (v % 100), 2);
	}
	if (v >= 10) {
		at -= 2;
		memcpy(rev + at, two_digits + 2 * v, 2);
	} else {
		rev[--at] = (char)('0' + v);
	}
	memcpy(buf, rev + at, sizeof(rev) - at);
	return sizeof(rev) - at;
}

void xfs_out_number(struct xfs_text_out *o, uint64_t v)
{
	if (sizeof(o->buf) - o->n <= 20)
		xfs_out_flush(o);
	if (!o->err)
		o->n += xfs_decimal(o->buf + o->n, v);
}

/* Digits of a number in a base that is a power of two. */
static void out_base(struct xfs_text_out *o, uint64_t v, unsigned shift, unsigned digits)
{
	char buf[24];
	size_t n = sizeof(buf);

	while (n && (v || n + digits > sizeof(buf))) {
		buf[--n] = "0123456789abcdef"[v & ((1u << shift) - 1)];
		v >>= shift;
	}
	xfs_out_bytes(o, buf + n, sizeof(buf) - n);
}

void xfs_out_hex(struct xfs_text_out *o, uint64_t v, unsigned digits)
{
	out_base(o, v, 4, digits);
}

/* Zero is a plain 0, all else has its prefix. */
static void out_prefixed(struct xfs_text_out *o, uint64_t v)
{
	if (v)
		xfs_out_bytes(o, "0x", 2);
	out_base(o, v, 4, 1);
}

static const char *escape_of(uint8_t c)
{
	switch (c) {
	case '\\': return "\\\\";
	case '\'': return "\\'";
	case '"': return "\\\"";
	case '?': return "\\?";
	case '\a': return "\\a";
	case '\b': return "\\b";
	case '\t': return "\\t";
	case '\n': return "\\n";
	case '\v': return "\\v";
	case '\f': return "\\f";
	case '\r': return "\\r";
	}
	return NULL;
}

void xfs_out_string(struct xfs_text_out *o, const uint8_t *p, size_t len)
{
	xfs_out_bytes(o, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		const char *esc = escape_of(p[i]);

		if (esc) {
			xfs_out_bytes(o, esc, 2);
		} else if (p[i] >= 0x20 && p[i] < 0x7f) {
			xfs_out_bytes(o, (const char *)&p[i], 1);
		} else {
			xfs_out_bytes(o, "\\", 1);
			out_base(o, p[i], 3, 3);
		}
	}
	xfs_out_bytes(o, "\"", 1);
}

/* ---- values ---- */

int64_t xfs_sign_extend(uint64_t v, unsigned bits)
{
	uint64_t sign = UINT64_C(1) << (bits - 1);

	return (int64_t)((v ^ sign) - sign);
}

static void out_signed(struct xfs_text_out *o, int64_t v)
{
	if (v < 0)
		xfs_out_bytes(o, "-", 1);
	xfs_out_number(o, v < 0 ? UINT64_C(0) - (uint64_t)v : (uint64_t)v);
}

int64_t xfs_value_seconds(uint64_t v, unsigned bits)
{
	return bits == 64 ? xfs_time_decode(v, true).sec : xfs_sign_extend(v, 32);
}

uint64_t xfs_value_nanoseconds(uint64_t v, unsigned bits)
{
	return bits == 64 ? xfs_time_decode(v, true).nsec : v;
}

bool xfs_value_quota_time(const struct xfs_ctx *c, struct xfs_place in, uint64_t v, int64_t *seconds)
{
	const struct xfs_disk_dquot_disk *d = (const void *)(c->p + in.off);

	if (!v || !xfs_disk_dquot_get_id(d))
		return false;
	*seconds = (int64_t)(xfs_disk_dquot_get_type(d) & XFS_DQTYPE_BIGTIME ? v << 2 : v);
	return true;
}

void xfs_time_text(int64_t seconds, char *buf, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)seconds;
	struct tm tm;

	if (t == seconds && localtime_r(&t, &tm) && tm.tm_year >= -2900 && tm.tm_year <= 8099)
		snprintf(buf, size, "%.3s %.3s %2d %02d:%02d:%02d %d", days + 3 * tm.tm_wday, months + 3 * tm.tm_mon,
			 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	else
		snprintf(buf, size, "%lld", (long long)seconds);
}

static void out_time(struct xfs_text_out *o, int64_t seconds)
{
	char buf[32];

	xfs_time_text(seconds, buf, sizeof(buf));
	xfs_out_text(o, buf);
}

const char *xfs_dinode_fmt_word(uint64_t fmt)
{
	static const char *const words[] = { "dev", "local", "extents", "btree", "uuid", "meta_btree" };

	return fmt < sizeof(words) / sizeof(words[0]) ? words[fmt] : NULL;
}

const char *xfs_metafile_word(uint64_t type)
{
	static const char *const words[] = { "unknown", "dir", "usrquota", "grpquota", "prjquota", "rtbitmap",
					     "rtsummary", "rtrmap", "rtrefcount" };

	return type < sizeof(words) / sizeof(words[0]) ? words[type] : NULL;
}

static void out_word(struct xfs_text_out *o, uint64_t v, const char *word)
{
	xfs_out_number(o, v);
	if (word) {
		xfs_out_text(o, " (");
		xfs_out_text(o, word);
		xfs_out_text(o, ")");
	}
}

static void out_uuid(struct xfs_text_out *o, const uint8_t *p)
{
	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			xfs_out_bytes(o, "-", 1);
		xfs_out_hex(o, p[i], 2);
	}
}

/* One number of many bytes: hexadecimal without zeros in front. */
static void out_long_hex(struct xfs_text_out *o, const uint8_t *p, size_t len)
{
	while (len && !*p) {
		p++;
		len--;
	}
	xfs_out_text(o, len ? "0x" : "0");
	for (size_t i = 0; i < len; i++)
		xfs_out_hex(o, p[i], i ? 2 : 1);
}

static const char *crc_word(enum xfs_crc_state state)
{
	return state == XFS_CRC_GOOD ? " (correct)" : state == XFS_CRC_BAD ? " (bad)" : " (unchecked)";
}

bool xfs_value_is_null(const struct xfs_row *row, uint64_t v)
{
	switch (row->fmt & XF_MASK) {
	case XF_AGB: case XF_AGBZ: case XF_AGI: case XF_AGIN: case XF_AGN: case XF_FSB: case XF_RFSB: case XF_INO:
		return (row->bits == 32 && v == UINT32_MAX) || (row->bits == 64 && v == UINT64_MAX);
	}
	return false;
}

bool xfs_value_is_skipped(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row)
{
	switch (row->fmt & XF_MASK) {
	case XF_AGBZ: case XF_OFFZ:
		return xfs_row_value(c, in, row) == 0;
	case XF_AGIN:
		return xfs_value_is_null(row, xfs_row_value(c, in, row));
	}
	return false;
}

static void out_bits(struct xfs_text_out *o, const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row,
		     uint64_t v, enum xfs_crc_state crc)
{
	int64_t seconds;

	if (xfs_value_is_null(row, v)) {
		xfs_out_text(o, "null");
		return;
	}
	switch (row->fmt & XF_MASK) {
	case XF_SDEC:
		out_signed(o, xfs_sign_extend(v, row->bits));
		break;
	case XF_HEX: case XF_OFF: case XF_OFFZ:
		out_prefixed(o, v);
		break;
	case XF_OCT:
		if (v)
			xfs_out_bytes(o, "0", 1);
		out_base(o, v, 3, 1);
		break;
	case XF_CRC:
		out_prefixed(o, v);
		xfs_out_text(o, crc_word(crc));
		break;
	case XF_TIME:
		out_time(o, xfs_value_seconds(v, row->bits));
		break;
	case XF_NSEC:
		xfs_out_number(o, xfs_value_nanoseconds(v, row->bits));
		break;
	case XF_FORM:
		out_word(o, v, xfs_dinode_fmt_word(v));
		break;
	case XF_METATYPE:
		out_word(o, v, xfs_metafile_word(v));
		break;
	case XF_QTIMER:
		if (xfs_value_quota_time(c, in, v, &seconds))
			out_time(o, seconds);
		else
			xfs_out_number(o, v);
		break;
	default:
		xfs_out_number(o, v);
	}
}

void xfs_out_value(struct xfs_text_out *o, const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row,
		   enum xfs_crc_state crc)
{
	struct xfs_bitrange r;

	if (!xfs_row_bits(c, in, row, &r) || xfs_value_is_skipped(c, in, row))
		return;
	if (row->kind == XR_BITS)
		out_bits(o, c, in, row, xfs_bits_value(c, r), crc);
	else if ((row->fmt & XF_MASK) == XF_UUID && r.bits == 128)
		out_uuid(o, c->p + r.bit / 8);
	else if ((row->fmt & XF_MASK) == XF_CHR)
		xfs_out_string(o, c->p + r.bit / 8, r.bits / 8);
	else
		out_long_hex(o, c->p + r.bit / 8, r.bits / 8);
}
