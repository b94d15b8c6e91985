/* SPDX-License-Identifier: BSD-2-Clause */
/* jansson.c - a small recursive JSON reader behind tests/cross/include/jansson.h. */
#include "tests/cross/include/jansson.h"

#include <stdio.h>
#include <stdlib.h>

struct reader { const char *p, *end; int line, depth; };

static void blank(struct reader *r)
{
	while (r->p < r->end && *r->p && strchr(" \t\r\n", *r->p))
		r->line += *r->p++ == '\n';
}

static json_t *make(json_type type)
{
	json_t *v = calloc(1, sizeof(*v));

	if (v)
		v->type = type;
	return v;
}

static unsigned hex4(const char *s)
{
	char four[5] = { s[0], s[1], s[2], s[3], 0 };

	return (unsigned)strtoul(four, NULL, 16);
}

static char *string(struct reader *r, size_t *len)
{
	const char *close = r->p + 1;
	char *out, *w;

	if (r->p >= r->end || *r->p++ != '"')
		return NULL;
	while (close < r->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= r->end)
		return NULL;
	w = out = malloc((size_t)(close - r->p) + 1);	/* escapes only shrink */
	if (!out)
		return NULL;
	while (r->p < r->end && *r->p != '"') {
		if (*r->p != '\\') {
			*w++ = *r->p++;
			continue;
		}
		if (r->end - r->p < 2)
			return NULL;
		r->p++;
		switch (*r->p++) {
		case 'n': *w++ = '\n'; break;
		case 't': *w++ = '\t'; break;
		case 'r': *w++ = '\r'; break;
		case 'b': *w++ = '\b'; break;
		case 'f': *w++ = '\f'; break;
		case 'u': {
			unsigned c;

			if (r->end - r->p < 4)
				return NULL;
			c = hex4(r->p);
			r->p += 4;
			if (c < 0x80) {
				*w++ = (char)c;
			} else if (c < 0x800) {
				*w++ = (char)(0xc0 | c >> 6);
				*w++ = (char)(0x80 | (c & 0x3f));
			} else {
				*w++ = (char)(0xe0 | c >> 12);
				*w++ = (char)(0x80 | (c >> 6 & 0x3f));
				*w++ = (char)(0x80 | (c & 0x3f));
			}
			break;
		}
		default: *w++ = r->p[-1];
		}
	}
	if (r->p >= r->end)
		return NULL;
	r->p++;
	*w = 0;
	*len = (size_t)(w - out);
	return out;
}

static json_t *value(struct reader *r);

static int append(json_t *v, char *key, json_t *item)
{
	if ((v->n & (v->n - 1)) == 0) {
		size_t room = v->n ? 2 * v->n : 1;

		v->items = realloc(v->items, room * sizeof(*v->items));
		v->keys = realloc(v->keys, room * sizeof(*v->keys));
		if (!v->items || !v->keys)
			return -1;
	}
	v->keys[v->n] = key;
	v->items[v->n++] = item;
	return 0;
}

static json_t *container(struct reader *r, json_type type, char close)
{
	json_t *v = make(type);

	r->p++;
	for (blank(r); v && r->p < r->end && *r->p != close; blank(r)) {
		char *key = NULL;
		size_t len;
		json_t *item;

		if (type == JSON_OBJECT) {
			key = string(r, &len);
			blank(r);
			if (!key || r->p >= r->end || *r->p++ != ':')
				return NULL;
		}
		item = value(r);
		if (!item || append(v, key, item))
			return NULL;
		blank(r);
		if (r->p < r->end && *r->p == ',')
			r->p++;
	}
	if (r->p >= r->end)
		return NULL;
	r->p++;
	return v;
}

static json_t *word(struct reader *r, const char *text, json_type type)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, text, n))
		return NULL;
	r->p += n;
	return make(type);
}

static json_t *value(struct reader *r)
{
	json_t *v = NULL;

	blank(r);
	if (r->p >= r->end || ++r->depth > 64)
		return NULL;
	switch (*r->p) {
	case '{': v = container(r, JSON_OBJECT, '}'); break;
	case '[': v = container(r, JSON_ARRAY, ']'); break;
	case '"':
		v = make(JSON_STRING);
		if (v && !(v->text = string(r, &v->length)))
			v = NULL;
		break;
	case 't': v = word(r, "true", JSON_TRUE); break;
	case 'f': v = word(r, "false", JSON_FALSE); break;
	case 'n': v = word(r, "null", JSON_NULL); break;
	default: {
		char *end;

		v = make(JSON_INTEGER);
		if (!v)
			break;
		v->integer = strtoll(r->p, &end, 10);
		if (end == r->p)
			return NULL;
		r->p = end;
	}
	}
	r->depth--;
	return v;
}

/* All of it must be one value. */
json_t *json_loadb(const char *text, size_t len, size_t flags, json_error_t *err)
{
	struct reader r = { .p = text, .end = text + len, .line = 1 };
	json_t *v = value(&r);

	(void)flags;
	blank(&r);
	memset(err, 0, sizeof(*err));
	err->line = r.line;
	if (v && r.p == r.end)
		return v;
	snprintf(err->text, sizeof(err->text), "cannot be parsed");
	return NULL;
}

json_t *json_load_file(const char *path, size_t flags, json_error_t *err)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	json_t *v = NULL;
	long size;

	memset(err, 0, sizeof(*err));
	snprintf(err->text, sizeof(err->text), "cannot be read");
	if (f && !fseek(f, 0, SEEK_END) && (size = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET) &&
	    (text = malloc((size_t)size + 1)) && fread(text, 1, (size_t)size, f) == (size_t)size) {
		text[size] = 0;
		v = json_loadb(text, (size_t)size, flags, err);
	}
	free(text);
	if (f)
		fclose(f);
	return v;
}

json_t *json_object_get(const json_t *obj, const char *key)
{
	if (obj && obj->type == JSON_OBJECT)
		for (size_t i = 0; i < obj->n; i++)
			if (!strcmp(obj->keys[i], key))
				return obj->items[i];
	return NULL;
}
