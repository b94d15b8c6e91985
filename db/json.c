/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - JSON of commands goes where their text goes; print as JSON. */
#include "db/report.h"

#include "libxfs/ondisk/print_json.h"

#include <stdlib.h>

static int write_out(void *payload, const void *bytes, size_t len)
{
	struct xfs_text_sink sink = db_sink(payload);

	return sink.write(sink.payload, bytes, len);
}

static void finish(struct db *db, struct xfs_json *j)
{
	int err = xfs_json_finish(j);

	if (err) {
		fprintf(stderr, "%s: JSON output: %s\n", db->prog, xfs_error_text(err));
		db->status = 1;
	}
}

void db_json_start(struct db *db, struct xfs_json *j)
{
	xfs_json_start(j, write_out, db, false);
	xfs_json_array(j, NULL);
}

void db_json_end(struct db *db, struct xfs_json *j)
{
	xfs_json_array_end(j);
	finish(db, j);
}

/* ---- print -j ---- */

/* Fields by their full names; all are resolved before the first one is written. */
static bool put_fields(struct db *db, struct xfs_json *j, struct xfs_place top, int n, char **names)
{
	struct xfs_path *paths = calloc((size_t)n, sizeof(*paths));
	struct xfs_ctx c = db_ctx(db);
	struct xfs_path_error why;
	bool good = paths != NULL;

	for (int i = 0; good && i < n; i++) {
		good = xfs_path_parse(&c, top, names[i], &paths[i], &why) == 0;
		if (!good)
			db_out(db, "%s\n", why.text);
	}
	if (good)
		xfs_json_object(j, NULL);
	for (int i = 0; good && i < n; i++)
		xfs_json_path(j, &c, &paths[i], names[i], db_top(db)->crc);
	free(paths);
	return good;
}

void db_print_json(struct db *db, int n, char **names)
{
	const struct xfs_blocktype *t = db_top(db)->at.type;
	bool v5 = db->fs->geo.v5;
	struct xfs_place top = { xfs_blocktype_desc(t, v5), 0 };
	struct xfs_ctx c = db_ctx(db);
	struct xfs_json j;

	xfs_json_start(&j, write_out, db, false);
	switch (xfs_blocktype_show(t, v5)) {
	case XW_FIELDS:
		if (n && !put_fields(db, &j, top, n, names))
			return;
		if (!n) {
			xfs_json_object(&j, NULL);
			xfs_json_fields(&j, &c, top, db_top(db)->crc);
		}
		break;
	case XW_DATA: case XW_TEXT:
		xfs_json_object(&j, NULL);
		xfs_json_hex(&j, "data", c.p, c.len);
		break;
	case XW_STRING:
		xfs_json_object(&j, NULL);
		xfs_json_bytes(&j, "target", c.p, strnlen((const char *)c.p, c.len));
		break;
	case XW_NOTHING:
		db_out(db, "no print function for type %s\n", xfs_blocktype_name(t, v5));
		return;
	}
	xfs_json_object_end(&j);
	finish(db, &j);
}
