/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields.c - tells scripts of the tests where the fields of a structure lie, from the tables of libxfs/ondisk.
 *
 * fields IMAGE		then on stdin, one request a line; the structure is LENGTH bytes at byte AT of the image:
 *	list TYPE AT LENGTH KIND	every number and text: "PATH BIT BITS ORDER"; of arrays the first two, the
 *					middle and the last element
 *	find TYPE AT LENGTH KIND PATH	"PATH BIT BITS ORDER" of one
 * TYPE is a type of xfs_db, KIND the sort of file that a block belongs to (d, l, - or 0).  BIT counts from the start of
 * the structure, ORDER is be or le.  An answer ends with a line "."; "! REASON" is said where there is none.
 */
#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/blocktypes.h"
#include "libxfs/ondisk/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 12
#define PATHS 400
#define LARGEST (1u << 20)

static void put(const char *path, const struct xfs_bitrange *r)
{
	printf("%s %zu %zu %s\n", path, r->bit, r->bits, r->le ? "le" : "be");
}

static void list(const struct xfs_ctx *c, struct xfs_place in, const char *above, unsigned depth);

static void list_array(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row, const char *path,
		       unsigned depth)
{
	struct xfs_place elem;
	struct xfs_elems e;
	char below[PATHS];

	xfs_elems_start(&e, c, in, row, 0);
	for (size_t k = 0; xfs_elems_next(&e, c, in, row, &elem); k++) {
		if (k > 1 && k != e.count / 2 && k + 1 != e.count)
			continue;
		if (snprintf(below, sizeof(below), xfs_row_is_array(row) ? "%s[%zu]" :
			     "%s", path, k + row->to) >= PATHS)
			return;
		if (xfs_row_has_subfields(row)) {
			list(c, elem, below, depth + 1);
		} else {
			struct xfs_bitrange r;

			if (xfs_row_bits(c, elem, &elem.desc->rows[0], &r))
				put(below, &r);
		}
	}
}

static void list(const struct xfs_ctx *c, struct xfs_place in, const char *above, unsigned depth)
{
	if (depth > DEPTH || !xfs_place_valid(c, in))
		return;
	for (uint32_t i = 0; i < in.desc->nrows; i++) {
		const struct xfs_row *row = &in.desc->rows[i];
		struct xfs_bitrange r;
		char path[PATHS];

		if (!xfs_row_count(c, in, row) || (row->kind != XR_ARRAY && (row->fmt & XF_CODE)))
			continue;
		if (snprintf(path, sizeof(path), "%s%s%.*s", above, *above ? "." :
			     "", (int)xfs_row_label_len(row), row->name) >= PATHS)
			continue;
		if (row->kind == XR_ARRAY)
			list_array(c, in, row, path, depth);
		else if (xfs_row_bits(c, in, row, &r))
			put(path, &r);
	}
}

static void find(const struct xfs_ctx *c, struct xfs_place top, const char *text)
{
	struct xfs_path_error why;
	struct xfs_bitrange r;
	struct xfs_path path;

	if (xfs_path_parse(c, top, text, &path, &why))
		printf("! %s\n", why.text);
	else if (!xfs_path_bits(c, &path, &r))
		printf("! %s varies in size\n", text);
	else
		put(text, &r);
}

/* NULL, or why there is no answer. */
static const char *answer(struct xfs_fs *fs, char *line, uint8_t *buf)
{
	struct xfs_ctx c = fs->ctx;
	const struct xfs_blocktype *type;
	const struct xfs_desc *desc;
	char verb[8], name[32], kind, path[400] = "";
	uint64_t at;
	size_t len;

	if (sscanf(line, "%7s %31s %" SCNu64 " %zu %c %399s", verb, name, &at, &len, &kind, path) < 5)
		return "not a request";
	type = xfs_blocktype_named(name, fs->geo.v5);
	desc = type ? xfs_blocktype_desc(type, fs->geo.v5) : NULL;
	if (!desc)
		return "no type with fields";
	if (!len || len > LARGEST || xfs_dev_read(fs->dev.data, at, buf, len))
		return "cannot be read";
	c.p = buf;
	c.len = len;
	c.inode_kind = kind == '0' ? 0 : (uint8_t)kind;
	if (strcmp(verb, "list") == 0)
		list(&c, (struct xfs_place){ desc, 0 }, "", 0);
	else
		find(&c, (struct xfs_place){ desc, 0 }, path);
	return NULL;
}

int main(int argc, char **argv)
{
	struct xfs_fs_options o = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK };
	struct xfs_devset set = { .data = NULL };
	uint8_t *buf = malloc(LARGEST);
	struct xfs_fs *fs = NULL;
	char line[600];
	int error;

	if (argc != 2 || !buf) {
		fprintf(stderr, "usage: fields IMAGE\n");
		return 2;
	}
	error = xfs_dev_file(&set.data, argv[1], XFS_DEV_READONLY, 0, NULL);
	if (!error)
		error = xfs_fs_open(&fs, &set, &o, NULL);
	while (!error && fgets(line, sizeof(line), stdin)) {
		const char *why = answer(fs, line, buf);

		if (why)
			printf("! %s\n", why);
		puts(".");
		fflush(stdout);
	}
	if (error)
		fprintf(stderr, "fields: %s: %s\n", argv[1], xfs_error_text(error));
	xfs_fs_close(fs);
	xfs_dev_close(set.data);
	free(buf);
	return error ? 1 : 0;
}
