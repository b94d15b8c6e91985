/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - a streaming JSON writer. */
#include "libxfs/base/json.h"
#include "libxfs/base/errors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void xfs_json_start(struct xfs_json *j, int (*write)(void *payload, const void *bytes, size_t len), void *payload,
		    bool pretty)
{
	/* not the buffer: it is written before it is read */
	j->write = write;
	j->payload = payload;
	j->error = 0;
	j->pretty = pretty;
	j->keyed = false;
	j->depth = 0;
	j->objects = j->filled = 0;
	j->n = 0;
}

static void fail(struct xfs_json *j, int err)
{
	if (!j->error)
		j->error = err;
}

static void flush(struct xfs_json *j)
{
	if (!j->error && j->n)
		fail(j, j->write(j->payload, j->buf, j->n));
	j->n = 0;
}

static void put(struct xfs_json *j, const char *text, size_t len)
{
	while (len && !j->error) {
		size_t room = sizeof(j->buf) - j->n, k = len < room ? len : room;

		memcpy(j->buf + j->n, text, k);
		j->n += k;
		text += k;
		len -= k;
		if (j->n == sizeof(j->buf))
			flush(j);
	}
}

static void put_char(struct xfs_json *j, char c)
{
	put(j, &c, 1);
}

int xfs_json_finish(struct xfs_json *j)
{
	if (j->depth || j->keyed)
		fail(j, -XFS_E_INTERNAL);
	flush(j);
	return j->error;
}

/* --- structure --- */

static bool in_object(const struct xfs_json *j)
{
	return j->depth && (j->objects >> (j->depth - 1) & 1);
}

static void line_start(struct xfs_json *j)
{
	if (!j->pretty)
		return;
	put_char(j, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		put(j, "  ", 2);
}

/* Comma and line break before a member; notes that there is one. */
static void member_start(struct xfs_json *j)
{
	uint64_t bit = j->depth ? UINT64_C(1) << (j->depth - 1) : 0;

	if (!j->depth)
		return;
	if (j->filled & bit)
		put_char(j, ',');
	j->filled |= bit;
	line_start(j);
}

static void value_start(struct xfs_json *j, const char *key)
{
	if (key)
		xfs_json_key(j, key);
	if (in_object(j) != j->keyed)
		fail(j, -XFS_E_INTERNAL);
	if (!j->keyed)
		member_start(j);
	j->keyed = false;
}

static void value_end(struct xfs_json *j)
{
	if (!j->depth)
		put_char(j, '\n');
}

static void container_open(struct xfs_json *j, const char *key, bool object)
{
	uint64_t bit;

	value_start(j, key);
	if (j->depth == XFS_JSON_DEPTH) {
		fail(j, -XFS_E_INTERNAL);
		return;
	}
	put_char(j, object ? '{' : '[');
	bit = UINT64_C(1) << j->depth++;
	j->objects = object ? j->objects | bit : j->objects & ~bit;
	j->filled &= ~bit;
}

static void container_close(struct xfs_json *j, bool object)
{
	bool filled;

	if (!j->depth || in_object(j) != object || j->keyed) {
		fail(j, -XFS_E_INTERNAL);
		return;
	}
	filled = j->filled >> --j->depth & 1;
	if (filled)
		line_start(j);
	put_char(j, object ? '}' : ']');
	value_end(j);
}

void xfs_json_object(struct xfs_json *j, const char *key)
{
	container_open(j, key, true);
}

void xfs_json_object_end(struct xfs_json *j)
{
	container_close(j, true);
}

void xfs_json_array(struct xfs_json *j, const char *key)
{
	container_open(j, key, false);
}

void xfs_json_array_end(struct xfs_json *j)
{
	container_close(j, false);
}

/* --- strings --- */

/* Length of the valid UTF-8 sequence at p, 0 when there is none: no overlong forms, surrogates or numbers too large. */
static size_t utf8_length(const uint8_t *p, size_t len)
{
	uint8_t c = p[0], low = 0x80, high = 0xbf;
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
		if (p[i] < low || p[i] > high)
			return 0;
	return n;
}

static void put_escaped(struct xfs_json *j, uint8_t c)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char text[8] = { '\\', 0 };

	for (size_t i = 0; i + 1 < sizeof(names); i += 2)
		if ((uint8_t)names[i] == c) {
			text[1] = names[i + 1];
			put(j, text, 2);
			return;
		}
	snprintf(text, sizeof(text), "\\u%04x", c);
	put(j, text, 6);
}

static void put_string(struct xfs_json *j, const uint8_t *p, size_t len)
{
	size_t plain = 0, n;	/* bytes before p that go out as they are */

	put_char(j, '"');
	while (len) {
		n = *p < 0x20 || *p == '"' || *p == '\\' ? 0 : utf8_length(p, len);
		if (n) {
			plain += n;
		} else {
			put(j, (const char *)p - plain, plain);
			plain = 0;
			put_escaped(j, *p);
			n = 1;
		}
		p += n;
		len -= n;
	}
	put(j, (const char *)p - plain, plain);
	put_char(j, '"');
}

void xfs_json_key(struct xfs_json *j, const char *key)
{
	if (!in_object(j) || j->keyed)
		fail(j, -XFS_E_INTERNAL);
	member_start(j);
	put_string(j, (const uint8_t *)key, strlen(key));
	put(j, ": ", j->pretty ? 2 : 1);
	j->keyed = true;
}

void xfs_json_bytes(struct xfs_json *j, const char *key, const void *bytes, size_t len)
{
	value_start(j, key);
	put_string(j, bytes, len);
	value_end(j);
}

void xfs_json_string(struct xfs_json *j, const char *key, const char *text)
{
	if (text)
		xfs_json_bytes(j, key, text, strlen(text));
	else
		xfs_json_null(j, key);
}

void xfs_json_hex(struct xfs_json *j, const char *key, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	value_start(j, key);
	put_char(j, '"');
	for (size_t i = 0; i < len; i++) {
		char two[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		put(j, two, 2);
	}
	put_char(j, '"');
	value_end(j);
}

/* --- other values --- */

static void put_value(struct xfs_json *j, const char *key, const char *text)
{
	value_start(j, key);
	put(j, text, strlen(text));
	value_end(j);
}

void xfs_json_u64(struct xfs_json *j, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	put_value(j, key, text);
}

void xfs_json_i64(struct xfs_json *j, const char *key, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put_value(j, key, text);
}

void xfs_json_hex64(struct xfs_json *j, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "\"0x%" PRIx64 "\"", v);
	put_value(j, key, text);
}

void xfs_json_bool(struct xfs_json *j, const char *key, bool v)
{
	put_value(j, key, v ? "true" : "false");
}

void xfs_json_null(struct xfs_json *j, const char *key)
{
	put_value(j, key, "null");
}
