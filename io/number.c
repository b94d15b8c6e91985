/* SPDX-License-Identifier: BSD-2-Clause */
/* number.c - numbers on command lines: C syntax, and sizes with a unit letter. */
#include "io/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Units of the suffixes; 0: no such suffix. */
static int64_t unit(const struct io_file *f, char letter)
{
	switch (letter) {
	case '\0':
		return 1;
	case 'b':
	case 'B':
		return f ? f->block_size : 4096;
	case 's':
	case 'S':
		return f ? f->sector_size : 512;
	case 'k':
	case 'K':
		return INT64_C(1) << 10;
	case 'm':
	case 'M':
		return INT64_C(1) << 20;
	case 'g':
	case 'G':
		return INT64_C(1) << 30;
	case 't':
	case 'T':
		return INT64_C(1) << 40;
	case 'p':
	case 'P':
		return INT64_C(1) << 50;
	case 'e':
	case 'E':
		return INT64_C(1) << 60;
	default:
		return 0;
	}
}

bool io_parse_size(const struct io_file *f, const char *text, int64_t *value)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 0);
	if (end == text || errno || (*end && end[1]))
		return false;
	int64_t u = unit(f, *end);
	int64_t product;
	if (!u || __builtin_mul_overflow((int64_t)v, u, &product))
		return false;
	*value = product;
	return true;
}

bool io_size(struct io *io, const char *text, const char *what, int64_t *value)
{
	const struct io_file *f = io->n_files ? io_current(io) : NULL;
	if (io_parse_size(f, text, value) && *value >= 0)
		return true;
	printf("non-numeric %s -- %s\n", what, text);
	return false;
}

bool io_range(struct io *io, char **argv, int64_t *offset, int64_t *length)
{
	return io_size(io, argv[0], "offset argument", offset) && io_size(io, argv[1], "length argument", length);
}

bool io_parse_i64(const char *text, int64_t *value)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 0);
	if (end == text || *end || errno)
		return false;
	*value = v;
	return true;
}

bool io_parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	char *end;
	if (strchr(text, '-'))
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 0);
	if (end == text || *end || errno || v > max)
		return false;
	*value = v;
	return true;
}

bool io_index(const char *text, size_t n, const char *value, size_t *index)
{
	int64_t v;
	if (!io_parse_i64(text, &v)) {
		printf("non-numeric %s -- %s\n", value, text);
		return false;
	}
	if (v < 0 || (uint64_t)v >= n) {
		printf("value %" PRId64 " is out of range (0-%zu)\n", v, n ? n - 1 : 0);
		return false;
	}
	*index = (size_t)v;
	return true;
}
