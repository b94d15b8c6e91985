/* SPDX-License-Identifier: BSD-2-Clause */
/* ondisk.h - for tests of tables: samples as contexts, fields and text by name. */
#ifndef TESTS_UNIT_ONDISK_H
#define TESTS_UNIT_ONDISK_H

#include "libxfs/ondisk/blocktypes.h"
#include "libxfs/ondisk/print.h"
#include "tests/unit/vectors.h"

/* Context of a sample row; its bytes (ctx->p, the caller frees) end where the sample ends. */
struct xfs_ctx ondisk_sample(json_t *row, uint8_t **bytes);
/* Context with the usual sizes over `len` bytes. */
struct xfs_ctx ondisk_ctx(const uint8_t *p, size_t len, bool v5);
/* The type of this name as a structure at offset 0; fails the test when there is none. */
struct xfs_place ondisk_type(const struct xfs_ctx *, const char *type);
/* Value of a field; fails the test when the path is wrong. printf style. */
uint64_t ondisk_get(const struct xfs_ctx *, struct xfs_place, const char *format, ...) __attribute__((format(printf,
		3, 4)));
/* Bytes of a text or uuid field as they stand. Caller frees. */
uint8_t *ondisk_bytes(const struct xfs_ctx *, struct xfs_place, size_t *len, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What is printed: all, or one path; an error text when the path is wrong. Caller frees. */
char *ondisk_print(const struct xfs_ctx *, struct xfs_place, const char *path);
/* The member `key` of a vector's object is the value of this field. */
void ondisk_check(const struct xfs_ctx *, struct xfs_place, json_t *obj, const char *key, const char *path);
/* Growing text as a sink. */
struct ondisk_text {
	char *text;
	size_t len, size;
};
struct xfs_text_sink ondisk_sink(struct ondisk_text *);

#endif
