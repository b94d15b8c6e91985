/* SPDX-License-Identifier: BSD-2-Clause */
/* ondisk.c - for tests of tables: samples as contexts, fields and text by name. */
#include "tests/unit/ondisk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct xfs_ctx ondisk_ctx(const uint8_t *p, size_t len, bool v5)
{
	return (struct xfs_ctx){ .p = p, .len = len, .blocksize = 4096, .dirblksize = 4096, .sectsize = 512,
				 .inodesize = 512, .v5 = v5, .ftype = v5, .sparse = v5, .nrext64 = v5, .bigtime = v5,
				 .rmapbt = v5, .reflink = v5 };
}

struct xfs_ctx ondisk_sample(json_t *row, uint8_t **bytes)
{
	json_t *dirsize = json_object_get(row, "dirblocksize"), *ftype = json_object_get(row, "ftype");
	struct xfs_ctx c;
	size_t len;

	*bytes = vectors_sample(row, &len);
	c = ondisk_ctx(*bytes, len, vectors_get_u64(row, "v5"));
	c.blocksize = (uint32_t)vectors_get_u64(row, "blocksize");
	c.dirblksize = dirsize ? (uint32_t)vectors_u64(dirsize) : c.blocksize;
	c.sectsize = (uint16_t)vectors_get_u64(row, "sectsize");
	c.inodesize = (uint16_t)vectors_get_u64(row, "inodesize");
	if (ftype)
		c.ftype = vectors_u64(ftype);
	return c;
}

struct xfs_place ondisk_type(const struct xfs_ctx *c, const char *type)
{
	const struct xfs_blocktype *t = xfs_blocktype_named(type, c->v5);

	ck_assert_msg(t && xfs_blocktype_desc(t, c->v5), "no type %s", type);
	return (struct xfs_place){ xfs_blocktype_desc(t, c->v5), 0 };
}

static struct xfs_path resolve(const struct xfs_ctx *c, struct xfs_place top, const char *format, va_list ap)
{
	struct xfs_path_error why;
	struct xfs_path path;
	char name[200];

	vsnprintf(name, sizeof(name), format, ap);
	ck_assert_msg(xfs_path_parse(c, top, name, &path, &why) == 0, "%s: %s", name, why.text);
	return path;
}

uint64_t ondisk_get(const struct xfs_ctx *c, struct xfs_place top, const char *format, ...)
{
	struct xfs_path path;
	uint64_t v;
	va_list ap;

	va_start(ap, format);
	path = resolve(c, top, format, ap);
	va_end(ap);
	ck_assert_int_eq(xfs_field_get(c, &path, &v), 0);
	return v;
}

uint8_t *ondisk_bytes(const struct xfs_ctx *c, struct xfs_place top, size_t *len, const char *format, ...)
{
	struct xfs_bitrange r;
	struct xfs_path path;
	uint8_t *out;
	va_list ap;

	va_start(ap, format);
	path = resolve(c, top, format, ap);
	va_end(ap);
	ck_assert(xfs_path_bits(c, &path, &r));
	*len = r.bits / 8;
	out = malloc(*len);
	ck_assert_ptr_nonnull(out);
	xfs_bits_load(c->p, r, out);
	return out;
}

static int text_write(void *payload, const char *text, size_t len)
{
	struct ondisk_text *t = payload;

	if (t->len + len + 1 > t->size) {
		t->size = 2 * (t->len + len + 1);
		t->text = realloc(t->text, t->size);
		ck_assert_ptr_nonnull(t->text);
	}
	memcpy(t->text + t->len, text, len);
	t->len += len;
	t->text[t->len] = 0;
	return 0;
}

struct xfs_text_sink ondisk_sink(struct ondisk_text *t)
{
	return (struct xfs_text_sink){ text_write, t };
}

char *ondisk_print(const struct xfs_ctx *c, struct xfs_place top, const char *name)
{
	struct ondisk_text text = { 0 };
	struct xfs_printer how = { ondisk_sink(&text), c->v5 ? XFS_CRC_GOOD : XFS_CRC_UNCHECKED };
	struct xfs_path_error why;
	struct xfs_path path;

	text_write(&text, "", 0);
	if (!name)
		ck_assert_int_eq(xfs_print_all(c, top, &how), 0);
	else if (xfs_path_parse(c, top, name, &path, &why))
		text_write(&text, why.text, strlen(why.text));
	else
		ck_assert_int_eq(xfs_print_path(c, top, &path, &how), 0);
	return text.text;
}

void ondisk_check(const struct xfs_ctx *c, struct xfs_place top, json_t *obj, const char *key, const char *path)
{
	json_t *want = vectors_get(obj, key);
	size_t len, have;
	uint64_t v;

	if (json_is_string(want) && strlen(json_string_value(want)) == 32) {	/* uuid */
		uint8_t *hex = vectors_hex(json_string_value(want), &len),
			 *got = ondisk_bytes(c, top, &have, "%s", path);

		ck_assert_uint_eq(len, have);
		ck_assert_msg(memcmp(hex, got, len) == 0, "%s differs", path);
		free(hex);
		free(got);
		return;
	}
	v = ondisk_get(c, top, "%s", path);
	/* vectors have the checksum as code reads it, users see its bytes in the order of the disk */
	if (strcmp(key, "crc") == 0)
		v = __builtin_bswap32((uint32_t)v);
	ck_assert_msg(v == vectors_u64(want), "%s: got %llu", path, (unsigned long long)v);
}
