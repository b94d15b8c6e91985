/* SPDX-License-Identifier: BSD-2-Clause */
/* path.c - parses and resolves names of fields. */
#include "libxfs/ondisk/path.h"

#include "libxfs/base/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum token_kind { T_END, T_NAME, T_NUMBER, T_PUNCT, T_STRING, T_BAD, T_UNCLOSED };

struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
	uint64_t number;
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool starts_name(char c) { return c >= 'a' && c <= 'z'; }
static bool in_name(char c) { return starts_name(c) || is_digit(c) || c == '_'; }

static struct token scan(const char *s)
{
	struct token t = { .at = s, .len = 1 };
	char *end;

	if (!*s) {
		t.kind = T_END;
		t.len = 0;
	} else if (starts_name(*s)) {
		t.kind = T_NAME;
		while (in_name(s[t.len]))
			t.len++;
	} else if (is_digit(*s)) {
		t.kind = T_NUMBER;
		t.number = strtoull(s, &end, 0);
		t.len = (size_t)(end - s);
	} else if (strchr("[]-.", *s)) {
		t.kind = T_PUNCT;
	} else if (*s == '"') {
		const char *close = strchr(s + 1, '"');

		t.kind = close ? T_STRING : T_UNCLOSED;
		t.len = close ? (size_t)(close - s) + 1 : strlen(s);
	} else {
		t.kind = T_BAD;
	}
	return t;
}

static int fail(struct xfs_path_error *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct xfs_path_error *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -XFS_E_INVALID;
}

/* One component as written, before it means anything. */
struct component {
	const char *name;
	size_t len;
	bool indexed, ranged;
	uint64_t low, high;
};

static bool take(const char **s, char punct)
{
	if (**s != punct)
		return false;
	(*s)++;
	return true;
}

static bool take_number(const char **s, uint64_t *v)
{
	struct token t = scan(*s);

	if (t.kind != T_NUMBER)
		return false;
	*v = t.number;
	*s += t.len;
	return true;
}

/* name [ '[' number [ '-' number ] ']' ]; false = syntax error */
static bool parse_component(const char **s, struct component *c)
{
	struct token t = scan(*s);

	if (t.kind != T_NAME)
		return false;
	*c = (struct component){ .name = t.at, .len = t.len };
	*s += t.len;
	if (!take(s, '['))
		return true;
	c->indexed = true;
	if (!take_number(s, &c->low))
		return false;
	c->high = c->low;
	if (take(s, '-')) {
		c->ranged = true;
		if (!take_number(s, &c->high))
			return false;
	}
	return take(s, ']');
}

/* Splits into components; a dot stands between them, and may be missing behind an index. */
static int parse(const char *text, struct component *comp, unsigned *n, struct xfs_path_error *why)
{
	const char *s = text;

	for (struct token t = scan(s); t.kind != T_END; s += t.len, t = scan(s)) {
		if (t.kind == T_BAD)
			return fail(why, "bad character in field %s", s);
		if (t.kind == T_UNCLOSED)
			return fail(why, "missing closing quote %s", s + 1);
	}
	s = text;
	*n = 0;
	do {
		if (*n == XFS_PATH_DEPTH || !parse_component(&s, &comp[*n]))
			return fail(why, "bad syntax in field name %s", text);
		(*n)++;
	} while (take(&s, '.') || (comp[*n - 1].indexed && starts_name(*s)));
	return *s ? fail(why, "bad syntax in field name %s", text) : 0;
}

/* Sets the range of elements of a step. */
static int resolve_index(const struct xfs_ctx *c, const struct component *comp, struct xfs_place in,
			 struct xfs_path_step *step, struct xfs_path_error *why)
{
	uint64_t first = step->row->to, last;
	int len = (int)comp->len;

	step->indexed = comp->indexed;
	step->ranged = comp->ranged;
	if (!xfs_row_is_array(step->row)) {
		step->low = step->high = 0;
		return comp->indexed ? fail(why, "field %.*s is not an array", len, comp->name) : 0;
	}
	last = first + xfs_row_count(c, in, step->row) - 1;
	step->low = comp->indexed ? comp->low : first;
	step->high = comp->indexed ? comp->high : last;
	if (step->low >= first && step->low <= last && step->high >= first && step->high <= last)
		return 0;
	if (comp->ranged)
		return fail(why, "indices %llu-%llu for field %.*s out of range %llu-%llu",
			    (unsigned long long)step->low, (unsigned long long)step->high, len, comp->name,
			    (unsigned long long)first, (unsigned long long)last);
	return fail(why, "index %llu for field %.*s out of range %llu-%llu", (unsigned long long)step->low, len,
		    comp->name, (unsigned long long)first, (unsigned long long)last);
}

int xfs_path_parse(const struct xfs_ctx *c, struct xfs_place top, const char *text, struct xfs_path *out,
		   struct xfs_path_error *why)
{
	struct component comp[XFS_PATH_DEPTH];
	struct xfs_place in = top;
	unsigned n = 0;
	int err = parse(text, comp, &n, why);

	for (unsigned i = 0; !err && i < n; i++) {
		struct xfs_path_step *step = &out->steps[i];
		int len = (int)comp[i].len;

		step->row = xfs_place_valid(c, in) ? xfs_row_find(c, in, comp[i].name, comp[i].len) : NULL;
		if (!step->row)
			return fail(why, "field %.*s not found", len, comp[i].name);
		err = resolve_index(c, &comp[i], in, step, why);
		if (!err && i + 1 < n && !xfs_row_has_subfields(step->row))
			return fail(why, "field %.*s has no subfields", len, comp[i].name);
		out->last = in;
		if (!err && i + 1 < n)
			in = (struct xfs_place){ step->row->elem,
						 step->row->at(c, in.off, (size_t)(step->low - step->row->to)) };
	}
	out->nsteps = n;
	return err;
}

bool xfs_path_bits(const struct xfs_ctx *c, const struct xfs_path *path, struct xfs_bitrange *r)
{
	const struct xfs_path_step *step = &path->steps[path->nsteps - 1];
	const struct xfs_row *row = step->row;
	struct xfs_place elem = { .desc = row->elem };
	uint64_t n = step->high - step->low + 1;

	if (row->kind != XR_ARRAY)
		return xfs_row_bits(c, path->last, row, r);
	if (row->order & XA_ONE) {
		elem.off = row->at(c, path->last.off, 0);
		n = 1;
	} else {
		elem.off = row->at(c, path->last.off, (size_t)(step->low - row->to));
	}
	if (!xfs_place_valid(c, elem) || step->high < step->low || row->next || !row->elem->size)
		return false;
	if (n == 1 && (row->order & XA_SCALAR))
		return xfs_row_bits(c, elem, row->elem->rows, r);
	if (n > (c->len - elem.off) / row->elem->size)
		return false;
	*r = (struct xfs_bitrange){ .bit = 8 * elem.off, .bits = 8 * row->elem->size * (size_t)n };
	return true;
}

int xfs_field_get(const struct xfs_ctx *c, const struct xfs_path *path, uint64_t *value)
{
	uint8_t raw[8];
	struct xfs_bitrange r;

	if (!xfs_path_bits(c, path, &r) || r.bits > 64)
		return -XFS_E_RANGE;
	xfs_bits_load(c->p, r, raw);
	*value = 0;
	for (size_t i = 0; i < (r.bits + 7) / 8; i++)
		*value = *value << 8 | raw[i];
	return 0;
}

int xfs_field_put(const struct xfs_ctx *c, const struct xfs_path *path, uint8_t *buf, uint64_t value)
{
	uint8_t raw[8];
	struct xfs_bitrange r;

	if (!xfs_path_bits(c, path, &r) || r.bits > 64)
		return -XFS_E_RANGE;
	/* fits unsigned, or negative with all bits above the field's sign equal to it */
	if (r.bits < 64 && value >> r.bits != 0 && value >> (r.bits - 1) != UINT64_MAX >> (r.bits - 1))
		return -XFS_E_RANGE;
	for (size_t i = (r.bits + 7) / 8; i-- > 0; value >>= 8)
		raw[i] = (uint8_t)value;
	xfs_bits_store(buf, r, raw);
	return 0;
}
